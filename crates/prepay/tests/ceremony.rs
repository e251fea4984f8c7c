//! The guide to the key ceremony is true: every command in it is run as it stands, one after the other, in an
//! empty directory, and answers line by line what the guide says.
//!
//! In the guide `…` stands for any text within a line: fingerprints, check values, times, token digits.

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// A command of the guide, and what it answers.
struct Step {
    /// The line of the guide, from 1.
    line: usize,
    command: String,
    expected: Vec<String>,
}

/// Every command in the blocks of shell, in order.
fn steps(guide: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut is_shell = false;
    let mut lines = guide.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        if line.starts_with("```") {
            is_shell = line == "```sh";
            continue;
        }
        if !is_shell {
            continue;
        }
        if let Some(command) = line.strip_prefix("$ ") {
            let mut command = command.to_owned();
            while command.ends_with('\\') {
                let (_, more) = lines.next().expect("a command does not end with a backslash");
                command.push('\n');
                command.push_str(more);
            }
            steps.push(Step { line: index + 1, command, expected: Vec::new() });
        } else {
            let step = steps.last_mut().expect("a block of shell begins with a command");
            step.expected.push(line.to_owned());
        }
    }
    steps
}

/// Whether a line is what the guide says, where `…` is any text.
fn is_like(expected: &str, found: &str) -> bool {
    let mut parts = expected.split('…');
    let first = parts.next().expect("a split has a part");
    let Some(mut rest) = found.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, between)) = parts.split_last() else { return rest.is_empty() };
    for part in between {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Where the program lies.
fn programs() -> &'static Path {
    let program = Path::new(env!("CARGO_BIN_EXE_prepay"));
    program.parent().expect("a program lies in a directory")
}

/// Runs a command of the guide with the program of a directory; both outputs together, as on a terminal.
fn run(command: &str, place: &Path, programs: &Path) -> Vec<String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut paths = vec![programs.to_path_buf()];
    paths.extend(std::env::split_paths(&path));
    let output = Command::new("sh")
        .arg("-c")
        .arg(format!("{{ {command}\n}} 2>&1"))
        .current_dir(place)
        .env("PATH", std::env::join_paths(paths).expect("no path has a colon"))
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output()
        .expect("there is a shell");
    let text = common::text(&output.stdout);
    text.lines().map(str::to_owned).collect()
}

fn guide() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guides/key-ceremony.md")
}

#[test]
fn the_guide_to_the_key_ceremony_is_true_line_by_line() {
    let guide = fs::read_to_string(guide()).expect("the guide is there");
    let steps = steps(&guide);
    assert!(steps.len() > 90, "the guide has lost commands: {}", steps.len());
    let place = common::folder("ceremony");
    for Step { line, command, expected } in steps {
        let found = run(&command, &place, programs());
        let same = expected.len() == found.len()
            && expected.iter().zip(&found).all(|(expected, found)| is_like(expected, found));
        assert!(
            same,
            "docs/guides/key-ceremony.md:{line}\n$ {command}\nexpected:\n{}\nfound:\n{}",
            expected.join("\n"),
            found.join("\n")
        );
    }
    let left = fs::read_dir(&place).expect("the place is there").count();
    assert_eq!(left, 0, "the guide cleans up");
}

/// A program that carries out each command twice: with `--json` on a copy of the place, noted in a log, and as it is.
const TWICE: &str = r#"#!/bin/sh
rm -rf "$COPY" && cp -a "$PLACE" "$COPY" || exit 9
echo "$*" >> "$LOG"
(cd "$COPY${PWD#"$PLACE"}" && "$PREPAY" --json "$@" >> "$LOG" < /dev/null 2> /dev/null)
exec "$PREPAY" "$@"
"#;

#[test]
fn every_answer_of_the_rehearsal_in_json_is_on_the_page_of_answers() {
    let folder = common::folder("ceremony-json");
    let [place, copy, log] = ["place", "copy", "log"].map(|name| folder.join(name));
    fs::create_dir(&place).expect("the place is made");
    let setting = [
        ("PLACE", place.as_path()),
        ("COPY", copy.as_path()),
        ("LOG", log.as_path()),
        ("PREPAY", Path::new(env!("CARGO_BIN_EXE_prepay"))),
    ];
    let setting = setting.map(|(name, path)| format!("{name}='{}'\n", path.display())).concat();
    let twice = folder.join("prepay");
    let (shell, rest) = TWICE.split_once('\n').expect("a script has a first line");
    fs::write(&twice, format!("{shell}\n{setting}{rest}")).expect("the script is written");
    fs::set_permissions(&twice, fs::Permissions::from_mode(0o755)).expect("it can be run");
    for step in steps(&fs::read_to_string(guide()).expect("the guide is there")) {
        run(&step.command, &place, &folder);
    }

    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/json-answers.md");
    let page = fs::read_to_string(page).expect("the page is there");
    let (mut command, mut answers, mut failures) = (String::new(), 0, 0);
    for line in fs::read_to_string(&log).expect("there is a log").lines() {
        if !line.starts_with('{') {
            line.clone_into(&mut command);
            continue;
        }
        let answer: Value = serde_json::from_str(line).expect(&command);
        let answer = answer.as_object().expect(&command);
        if let Some(error) = answer.get("error") {
            failures += 1;
            assert!(
                ["code", "message", "next"].iter().all(|&name| error[name].is_string()),
                "{line}"
            );
            continue;
        }
        answers += 1;
        let of_command = |row: &&str| {
            let commands = row.split('|').nth(1).unwrap_or_default();
            commands.split('`').skip(1).step_by(2).any(|name| {
                command
                    .strip_prefix(name)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
            })
        };
        let row = page.lines().find(of_command).unwrap_or_else(|| panic!("no row for {command}"));
        for field in answer.keys().filter(|field| *field != "test") {
            assert!(row.contains(&format!("`{field}`")), "{command}: {field} is not in {row}");
        }
    }
    assert!(answers > 120 && failures > 25, "{answers} answers, {failures} failures");
}

#[test]
fn the_rehearsal_reaches_every_group_of_commands() {
    let guide = fs::read_to_string(guide()).expect("the guide is there");
    let commands: Vec<String> = steps(&guide).into_iter().map(|step| step.command).collect();
    for command in [
        "kmc init",
        "kmc customer",
        "kmc group",
        "kmc key",
        "kmc authorise",
        "kmc enrol",
        "kmc answer",
        "kmc report",
        "kmc form",
        "kmc audit",
        "kmc backup",
        "kmc restore",
        "kmc user",
        "kmc renew",
        "module init",
        "module request",
        "module load",
        "module registers",
        "module slots",
        "module issue",
        "module verify",
        "module audit",
        "module repair",
        "module backup",
        "module restore",
        "meter enter",
    ] {
        assert!(commands.iter().any(|line| line.contains(command)), "{command}");
    }
}

#[test]
fn an_ellipsis_is_any_text_and_nothing_else_is() {
    for (expected, found) in
        [("a", "a"), ("…", ""), ("a … c", "a b c"), ("a…c…", "abcd"), ("…b", "ab")]
    {
        assert!(is_like(expected, found), "{expected} {found}");
    }
    for (expected, found) in
        [("a", "ab"), ("a…", "b"), ("a … c", "a b d"), ("…b…d", "abc"), ("", "a")]
    {
        assert!(!is_like(expected, found), "{expected} {found}");
    }
}
