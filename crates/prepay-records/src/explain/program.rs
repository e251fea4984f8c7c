//! The program itself: its command line, files, terminal.

use super::Who::{Administrator, Client};
use super::{Explanation, row};

pub(super) const ROWS: &[Explanation] = &[
    row(
        "flag",
        "The command line cannot be used.",
        "A command, flag or value is missing, unknown, or not what it should be.",
        Client,
        "see --help of the command",
    ),
    row(
        "file",
        "A file cannot be read or written.",
        "It is not there, its permissions forbid it, or the disk is full or read-only.",
        Client,
        "check the name and the permissions of the file, and its disk",
    ),
    row(
        "not_confirmed",
        "What would change was shown, and nobody said yes to it.",
        "The answer was another one, or a script gave no --yes.",
        Client,
        "compare what changes with what was announced, then give --yes",
    ),
    row(
        "file_exists",
        "A file of this name is there already.",
        "Files are not overwritten unless you ask for it.",
        Client,
        "choose another name",
    ),
    row(
        "io",
        "Standard input or output failed.",
        "The disk behind it is full, or the other program ended.",
        Administrator,
        "check where input comes from and where output goes",
    ),
    row(
        "terminal",
        "There is no terminal to use.",
        "The command shows a picture and runs without a terminal, or the terminal failed at a question.",
        Client,
        "run it in a terminal",
    ),
    row(
        "internal",
        "The program failed because of a fault of its own.",
        "Standard error names the place. It is not known what was done.",
        Client,
        "repeat the command; if it fails again, report it with what standard error says",
    ),
    row(
        "tui_absent",
        "This program was built without the picture of a meter.",
        "The feature tui was left out.",
        Administrator,
        "use a program built with the feature tui",
    ),
    row(
        "code_unknown",
        "There is no such code.",
        "It is mistyped, or of another version.",
        Client,
        "see all codes: prepay explain-code",
    ),
];
