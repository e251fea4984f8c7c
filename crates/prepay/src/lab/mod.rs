//! `prepay lab`: the laboratory from the command line.
//!
//! Flags become the same request that a line of `lab batch` would be, so both answer alike and share
//! every rule and every error code.

mod explain;
pub(crate) mod flags;
pub(crate) mod meaning;
pub(crate) mod picture;
pub(crate) mod print;
mod search;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use prepay_lab::{Lab, LabError, Request};

use crate::Ending;
use crate::cli::LabCommand;

/// Runs one command of the laboratory.
pub(crate) fn run(command: &LabCommand, json: bool) -> io::Result<Ending> {
    match command {
        LabCommand::Batch { file } => batch(file.as_deref()),
        LabCommand::Explain(flags) => explain::run(flags, json),
        LabCommand::Issue(flags) => answer(flags::issue(flags)?, json),
        LabCommand::Open(flags) => answer(flags::open(flags)?, json),
        LabCommand::Derive(flags) => answer(flags::derive(flags)?, json),
        LabCommand::KeyChange(flags) => {
            if flags.ea == "11" && flags.tokens == Some(2) {
                print::remark("the first two tokens of a set of four: a meter needs all four");
            }
            answer(flags::key_change(flags)?, json)
        }
    }
}

/// Answers one request and prints the answer.
fn answer(request: Request<'_>, json: bool) -> io::Result<Ending> {
    match Lab::default().answer(&request) {
        Ok(answer) => {
            if json {
                print::json(&answer)?;
            } else {
                print::answer(&answer)?;
            }
            Ok(Ending::Done)
        }
        Err(error) => refuse(&error, json),
    }
}

/// Prints why a request was refused.
fn refuse(error: &LabError, json: bool) -> io::Result<Ending> {
    if json {
        let code = error.code.text();
        print::json(&serde_json::json!({"error": {"code": code, "message": error.message}}))?;
    } else {
        print::error(error);
    }
    Ok(Ending::Refused)
}

/// Answers a file or standard input, line by line.
fn batch(file: Option<&Path>) -> io::Result<Ending> {
    let input: Box<dyn Read> = match file {
        Some(path) => Box::new(File::open(path).map_err(|error| named(path, &error))?),
        None => Box::new(io::stdin().lock()),
    };
    // Not locked line by line: answers are gathered and flushed by the laboratory.
    let summary = Lab::default().answer_stream(input, io::stdout().lock())?;
    Ok(if summary.failed == 0 { Ending::Done } else { Ending::Refused })
}

/// An error with the file that it is about.
pub(crate) fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
