//! Runs the commands of a guide as they stand, one after the other, and compares what they answer.
//!
//! In a guide `…` stands for any text within a line: fingerprints, check values, times, token digits. A line with nothing
//! else, at the end of an answer, stands for all lines that are left.

#![allow(dead_code, reason = "each test program uses its own part")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A command of the guide, and what it answers.
pub(crate) struct Step {
    /// The line of the guide, from 1.
    pub(crate) line: usize,
    pub(crate) command: String,
    pub(crate) expected: Vec<String>,
}

/// Every command in the blocks of shell, in order.
pub(crate) fn steps(guide: &str) -> Vec<Step> {
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
pub(crate) fn is_like(expected: &str, found: &str) -> bool {
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
pub(crate) fn programs() -> &'static Path {
    let program = Path::new(env!("CARGO_BIN_EXE_prepay"));
    program.parent().expect("a program lies in a directory")
}

/// Runs a command of the guide with the program of a directory; both outputs together, as on a terminal. `cd` changes
/// the place of the commands that come after it.
pub(crate) fn run(command: &str, place: &mut PathBuf, programs: &Path) -> Vec<String> {
    if let Some(directory) = command.strip_prefix("cd ") {
        match directory {
            ".." => assert!(place.pop(), "there is a directory above"),
            below => place.push(below),
        }
        return Vec::new();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut paths = vec![programs.to_path_buf()];
    paths.extend(std::env::split_paths(&path));
    let output = Command::new("sh")
        .arg("-c")
        .arg(format!("{{ {command}\n}} 2>&1"))
        .current_dir(&*place)
        .env("PATH", std::env::join_paths(paths).expect("no path has a colon"))
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output()
        .expect("there is a shell");
    let text = String::from_utf8(output.stdout).expect("a text");
    text.lines().map(str::to_owned).collect()
}

/// Runs all steps in a place, and fails at the first that answers something else.
pub(crate) fn follow(guide: &str, steps: Vec<Step>, place: &Path) {
    let mut place = place.to_path_buf();
    for Step { line, command, expected } in steps {
        let found = run(&command, &mut place, programs());
        assert!(
            is_answer(&expected, &found),
            "{guide}:{line}\n$ {command}\nexpected:\n{}\nfound:\n{}",
            expected.join("\n"),
            found.join("\n")
        );
    }
}

/// Whether an answer is what the guide says.
fn is_answer(expected: &[String], found: &[String]) -> bool {
    let (lines, rest) = match expected.split_last() {
        Some((last, lines)) if last == "…" && lines.len() < found.len() => (lines, lines.len()),
        _ => (expected, found.len()),
    };
    lines.len() == rest && lines.iter().zip(found).all(|(expected, found)| is_like(expected, found))
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
