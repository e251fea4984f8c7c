//! A case of a test program, run by that program as a process of its own, which can be killed.
//!
//! The case is an ignored test that does nothing unless [`place`] has a path.

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{self, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

const PLACE: &str = "PREPAY_TEST_PLACE";
const NUMBER: &str = "PREPAY_TEST_NUMBER";

/// Where this process works, if it is a child.
pub fn place() -> Option<PathBuf> {
    env::var_os(PLACE).map(PathBuf::from)
}

/// The number that this child was given.
///
/// # Panics
///
/// When it was given none.
pub fn number() -> u32 {
    env::var(NUMBER).expect("a child has a number").parse().expect("a number")
}

/// What runs a case, by its whole name, in a place.
///
/// # Panics
///
/// When this program cannot be run again.
pub fn command(case: &str, place: &Path, number: u32) -> Command {
    let mut command = Command::new(env::current_exe().expect("this program"));
    command.args(["--exact", case, "--nocapture", "--include-ignored"]);
    command.env(PLACE, place).env(NUMBER, number.to_string());
    command
}

/// A case at work.
pub struct Child {
    process: process::Child,
    output: BufReader<ChildStdout>,
    told: String,
}

impl Child {
    /// Starts a case, by its whole name, in a place.
    ///
    /// # Panics
    ///
    /// When this program cannot be run again.
    pub fn start(case: &str, place: &Path, number: u32) -> Self {
        let mut process = command(case, place, number)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let output = BufReader::new(process.stdout.take().expect("a pipe"));
        Self { process, output, told: String::new() }
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Sends an empty line.
    ///
    /// # Panics
    ///
    /// When it reads no more.
    pub fn nudge(&mut self) {
        let input = self.process.stdin.as_mut().expect("a pipe");
        writeln!(input).expect("the child reads");
    }

    /// Reads on until a line contains these words, and returns that line from there.
    ///
    /// # Panics
    ///
    /// When it ends before.
    pub fn wait_for(&mut self, words: &str) -> String {
        loop {
            let from = self.told.len();
            let length = self.output.read_line(&mut self.told).expect("text");
            assert_ne!(length, 0, "the child ended before {words:?}: {}", self.told);
            if let Some((_, rest)) = self.told[from..].split_once(words) {
                return format!("{words}{}", rest.trim_end());
            }
        }
    }

    /// Closes its input, and waits until it has ended well.
    ///
    /// # Panics
    ///
    /// When it has not.
    pub fn finish(mut self) {
        assert!(self.process.wait().expect("an end").success(), "{}", self.told);
    }

    /// Kills it after a time, and returns the whole lines that it wrote: one without its end was not written.
    ///
    /// # Panics
    ///
    /// When it cannot be killed.
    pub fn kill(self, after: Duration) -> String {
        let Self { mut process, mut output, mut told } = self;
        let killer = thread::spawn(move || {
            thread::sleep(after);
            process.kill().expect("a killed process");
            process.wait().expect("an end");
        });
        // Meanwhile the pipe must not fill up.
        output.read_to_string(&mut told).expect("text");
        killer.join().expect("a killed process");
        told.truncate(told.rfind('\n').map_or(0, |end| end + 1));
        told
    }
}
