//! Running the program as a user does, for the tests of every command.

#![allow(dead_code, reason = "each test program uses its own part")]

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// Runs the program with arguments split at blanks.
pub(crate) fn prepay(arguments: &str) -> Output {
    run(arguments, b"")
}

/// Runs the program with something on standard input.
pub(crate) fn run(arguments: &str, input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_prepay"))
        .args(arguments.split_ascii_whitespace())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // A program that does not read its input may be gone before it is written.
    let _ = child.stdin.take().expect("a pipe").write_all(input);
    child.wait_with_output().expect("the program ends")
}

/// What a program printed.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("the output is UTF-8")
}

/// The standard output of a run that has to end with a status.
pub(crate) fn ends(status: i32, arguments: &str, input: &[u8]) -> String {
    let output = run(arguments, input);
    assert_eq!(output.status.code(), Some(status), "{arguments}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// The standard output of a run that has to succeed.
pub(crate) fn succeed(arguments: &str) -> String {
    ends(0, arguments, b"")
}

/// A folder of this test's own, empty.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("the folder can be made");
    folder
}
