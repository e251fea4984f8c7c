//! The guide to the key ceremony is true: every command in it is run as it stands, one after the other, in an
//! empty directory, and answers line by line what the guide says.
//!
//! In the guide `…` stands for any text within a line: fingerprints, check values, times, token digits.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

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

/// Runs a command of the guide; both outputs together, as on a terminal.
fn run(command: &str, place: &Path) -> Vec<String> {
    let program = Path::new(env!("CARGO_BIN_EXE_prepay"));
    let program = program.parent().expect("a program lies in a directory");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut paths = vec![program.to_path_buf()];
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
        let found = run(&command, &place);
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
