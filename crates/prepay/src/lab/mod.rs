//! `prepay lab`: the laboratory from the command line.
//!
//! Flags become the record that a line of `lab batch` holds, so both share every rule and every error code.

pub(crate) mod command;
mod explain;
pub(crate) mod flags;
pub(crate) mod lists;
pub(crate) mod meaning;
mod pan;
pub(crate) mod picture;
pub(crate) mod print;

use std::io;
use std::num::NonZeroUsize;
use std::path::Path;
use std::thread;

use prepay_lab::Lab;
use prepay_records::pasted::tokens;

use crate::Ending;
use crate::failure::{Done, to_read};
use crate::json;
use command::LabCommand;
use print::Text;

/// Runs one command of the laboratory.
pub(crate) fn run(command: &LabCommand, json: bool) -> Done<Ending> {
    answer_to(command, json).map_err(|failure| match command {
        LabCommand::Batch { .. } => failure,
        _ => failure.reworded(flags::in_flags),
    })
}

fn answer_to(command: &LabCommand, json: bool) -> Done<Ending> {
    let mut lab = Lab::default();
    match command {
        LabCommand::Batch { threads, file } => batch(*threads, file.as_deref()),
        LabCommand::Explain(flags) => explain::run(flags, json),
        LabCommand::Issue(flags) => answer(&lab.read_issue(&flags::issue(flags)?)?.answer()?, json),
        LabCommand::Open(flags) => {
            for token in tokens(&flags.number.join(" "))? {
                let open = lab.read_open(&flags::open(token, flags)?)?;
                let opened = open.answer().map_err(|error| explain::open_failure(token, error))?;
                if let Some(doubt) = open.doubt() {
                    print::remark(&doubt);
                }
                answer(&opened, json)?;
            }
            Ok(Ending::Done)
        }
        LabCommand::Pan { numbers } => pan::run(numbers, json),
        LabCommand::Derive(flags) => {
            answer(&lab.read_derive(&flags::derive(flags)?)?.answer(), json)
        }
        LabCommand::KeyChange(flags) => {
            let change = lab.read_key_change(&flags::key_change(flags)?)?;
            if change.is_part() {
                print::remark("the first two tokens of a set of four: a meter needs all four");
            }
            if change.keeps_the_key() {
                print::remark(
                    "the new key is the current one: the meter will have the same key as before",
                );
            }
            answer(&change.answer()?, json)
        }
    }
}

/// Prints an answer.
fn answer(answer: &impl Text, as_json: bool) -> Done<Ending> {
    if as_json {
        json::print(answer, false)?;
    } else {
        answer.write(&mut anstream::stdout().lock())?;
    }
    Ok(Ending::Done)
}

/// Answers a file or standard input, line by line.
fn batch(threads: Option<NonZeroUsize>, file: Option<&Path>) -> Done<Ending> {
    // One thread where the number of processors is not known.
    let threads = threads.or(thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN);
    // Not locked line by line: answers are gathered and flushed by the laboratory.
    let summary = Lab::answer_stream(threads, to_read(file)?, io::stdout().lock())?;
    Ok(if summary.failed == 0 { Ending::Done } else { Ending::Refused })
}
