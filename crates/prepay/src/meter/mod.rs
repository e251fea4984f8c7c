//! `prepay meter`: virtual meters from the command line.
//!
//! The same readers read flags and the lines of `meter script`, so both have the same rules and error codes.

pub(crate) mod flags;
pub(crate) mod fleet;
mod print;
#[cfg_attr(not(feature = "tui"), path = "absent.rs")]
mod run;
mod test_key;

use std::io::{self, Write};
use std::path::Path;

use prepay_lab::meter::{MeterError, MeterName, Meters};
use prepay_token::element::TokenCarrierType;
use serde::Serialize;

use crate::Ending;
use crate::failure::{Done, Failure, to_read};
use crate::json;
use crate::lab::flags::in_flags;
use flags::MeterCommand;

/// Runs one command.
pub(crate) fn run(command: &MeterCommand, as_json: bool) -> Done<Ending> {
    match command {
        MeterCommand::New(flags) => {
            let mut meters = Meters::in_file(&flags.file);
            let new = meters.read_new(&flags.record()?).map_err(Failure::from);
            let new = new.map_err(|failure| failure.reworded(in_flags))?;
            meters.make(&only(), new)?;
            let done = prepay_lab::meter::Done { ok: true };
            answer(as_json, &mut meters, &done, |out, state| {
                writeln!(out, "meter {}", state.pan)?;
                print::balance(out, state)
            })
        }
        MeterCommand::Enter(flags) => {
            let carrier = prepay_records::element::carrier("carrier", &flags.carrier())?;
            let carrier = carrier.unwrap_or(TokenCarrierType::NUMERIC);
            let mut meters = Meters::in_file(&flags.file);
            for digits in flags.tokens() {
                let entered = meters.enter(&only(), &digits, carrier)?;
                answer(as_json, &mut meters, &entered, |out, state| {
                    print::entered(out, &entered)?;
                    print::balance(out, state)
                })?;
            }
            Ok(Ending::Done)
        }
        MeterCommand::Show { file } => {
            let mut meters = Meters::in_file(file);
            let state = meters.state(&only())?;
            answer(as_json, &mut meters, &state, |out, state| print::table(out, state))
        }
        MeterCommand::Consume(flags) => {
            let mut meters = Meters::in_file(&flags.file);
            let consumed = meters.consume(&only(), flags.watts, flags.seconds)?;
            answer(as_json, &mut meters, &consumed, |out, state| print::balance(out, state))
        }
        MeterCommand::Tamper { file } => {
            let mut meters = Meters::in_file(file);
            meters.tamper(&only())?;
            let done = prepay_lab::meter::Done { ok: true };
            answer(as_json, &mut meters, &done, |out, state| {
                writeln!(out, "meter {}", state.pan)?;
                print::balance(out, state)
            })
        }
        MeterCommand::Run { file } => run::run(file.as_deref(), as_json),
        MeterCommand::Fleet(flags) => Ok(fleet::run(flags, as_json)?),
        MeterCommand::Script { dir, file } => script(dir.as_deref(), file.as_deref()),
    }
}

/// The name of a meter in a file. Any name will do.
pub(super) fn only() -> MeterName {
    "meter".parse().expect("it is a name")
}

/// Prints an answer: as JSON, or as text with the state after it.
fn answer(
    as_json: bool,
    meters: &mut Meters,
    answer: &impl Serialize,
    text: impl FnOnce(&mut dyn Write, &prepay_lab::meter::StateRecord) -> io::Result<()>,
) -> Done<Ending> {
    if as_json {
        json::print(answer, false)?;
    } else {
        let state = meters.state(&only())?;
        text(&mut anstream::stdout().lock(), &state)?;
    }
    Ok(Ending::Done)
}

/// Answers a file or standard input, line by line.
fn script(directory: Option<&Path>, file: Option<&Path>) -> Done<Ending> {
    let input = to_read(file)?;
    let mut meters = match directory {
        Some(path) => Meters::in_directory(path).map_err(|error| Failure::file(path, &error))?,
        None => Meters::in_memory(),
    };
    let summary = meters.answer_stream(input, io::stdout().lock())?;
    Ok(if summary.failed == 0 { Ending::Done } else { Ending::Refused })
}

impl From<MeterError> for Failure {
    fn from(error: MeterError) -> Self {
        Self::refused(error.code(), error.message())
    }
}
