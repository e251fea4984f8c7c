//! Shell completions and man pages, made from the command line's own definition.

use std::fs;
use std::io;
use std::path::Path;

use clap::{Arg, Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::cli::Cli;
use crate::failure::{Done, Ending, Failure};

/// Prints the completions of a shell.
pub(crate) fn completions(shell: Shell) -> Done<Ending> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "prepay", &mut script);
    io::Write::write_all(&mut io::stdout(), &script)?;
    Ok(Ending::Done)
}

/// Writes one man page a command into a directory, which is made if it is not there.
pub(crate) fn pages(directory: &Path) -> Done<Ending> {
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    let written = fs::create_dir_all(directory).and_then(|()| write_pages(&program, directory));
    written.map_err(|error| Failure::file(directory, &error))?;
    Ok(Ending::Done)
}

/// Writes the page of a command and those of the commands below it.
fn write_pages(command: &Command, directory: &Path) -> io::Result<()> {
    let man = Man::new(command.clone());
    let mut page = Vec::new();
    man.render(&mut page)?;
    let page = String::from_utf8(page).map_err(io::Error::other)?;
    fs::write(directory.join(man.get_filename()), with_values(&page, command))?;
    command.get_subcommands().try_for_each(|below| write_pages(below, directory))
}

/// The page with the values of flags in its synopsis, where `clap_mangen` leaves them out.
fn with_values(page: &str, command: &Command) -> String {
    let Some((head, rest)) = page.split_once(".SH SYNOPSIS\n") else { return page.to_owned() };
    let (synopsis, rest) = rest.split_once('\n').unwrap_or((rest, ""));
    let mut synopsis = synopsis.to_owned();
    let with_value = |arg: &&Arg| arg.get_action().takes_values() && !arg.is_positional();
    for arg in command.get_arguments().filter(with_value) {
        let Some(long) = arg.get_long() else { continue };
        let flag = format!("\\fB\\-\\-{}\\fR", long.replace('-', "\\-"));
        let names = arg.get_value_names().unwrap_or_default();
        let values: String = names.iter().map(|name| format!(" \\fI{name}\\fR")).collect();
        // A flag that must be given stands in <>, others in [].
        synopsis = synopsis.replacen(&format!("<{flag}>"), &format!("{flag}{values}"), 1);
        synopsis = synopsis.replacen(&format!("{flag}]"), &format!("{flag}{values}]"), 1);
    }
    format!("{head}.SH SYNOPSIS\n{synopsis}\n{rest}")
}
