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
use flags::{KeypadFlags, MeterCommand};

/// Runs one command.
pub(crate) fn run(command: &MeterCommand, as_json: bool) -> Done<Ending> {
    match command {
        MeterCommand::New(flags) => {
            let mut meters = Meters::in_file(&flags.file);
            let new = meters.read_new(&flags.record()?).map_err(MeterError::from);
            new.and_then(|new| meters.make(&only(), new)).map_err(of_flags)?;
            let done = prepay_lab::meter::Done { ok: true };
            answer(as_json, &mut meters, &done, |out, state| {
                writeln!(out, "meter {}", state.pan)?;
                print::balance(out, state)
            })
        }
        MeterCommand::Enter(flags) => {
            let carrier = prepay_records::element::carrier("carrier", &flags.carrier());
            let carrier = carrier
                .map_err(|error| of_flags(error.into()))?
                .unwrap_or(TokenCarrierType::NUMERIC);
            let mut meters = Meters::in_file(&flags.file);
            let mut ending = Ending::Done;
            for digits in flags.tokens(as_json) {
                let entered = meters.enter(&only(), &digits, carrier)?;
                answer(as_json, &mut meters, &entered, |out, state| {
                    print::entered(out, &entered, state)?;
                    print::balance(out, state)
                })
                .map_err(|failure| {
                    let result = entered.result.name();
                    let told = |error: &str| {
                        format!("the meter answered {result}, but standard output did not take the answer: {error}")
                    };
                    failure.reworded(told).next("see with prepay meter show what the meter has now")
                })?;
                if entered.is_refused() {
                    ending = Ending::Refused;
                }
            }
            Ok(ending)
        }
        MeterCommand::Show { file } => {
            let mut meters = Meters::reading_file(file);
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
        MeterCommand::Run { file, keypad } => run::run(file.as_deref(), keypad, as_json),
        MeterCommand::Fleet(flags) => Ok(fleet::run(flags, as_json)?),
        MeterCommand::Script { dir, file, keypad } => {
            script(dir.as_deref(), file.as_deref(), keypad)
        }
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
fn script(directory: Option<&Path>, file: Option<&Path>, keypad: &KeypadFlags) -> Done<Ending> {
    let input = to_read(file)?;
    let meters = match directory {
        Some(path) => Meters::in_directory(path)?,
        None => Meters::in_memory(),
    };
    let mut meters = keypad.with(meters)?;
    let summary = meters.answer_stream(input, io::stdout().lock())?;
    Ok(if summary.failed == 0 { Ending::Done } else { Ending::Refused })
}

/// A failure of a request that flags became.
fn of_flags(error: MeterError) -> Failure {
    let is_request = matches!(error, MeterError::Request(_));
    let failure = Failure::from(error);
    if is_request { failure.reworded(in_flags) } else { failure }
}

impl From<MeterError> for Failure {
    fn from(error: MeterError) -> Self {
        let (code, message) = (error.code(), error.message());
        match &error {
            MeterError::Request(_) => Self::refused(code, message),
            MeterError::File(_) | MeterError::FileExists(_) => Self::unable(code, message),
            MeterError::InUse(_) => Self::unable(code, message)
                .next("let the other program end, such as meter run or meter script, then repeat the command"),
            MeterError::Damaged(_) => Self::refused(code, message)
                .next("name the file of a meter; if it is one, it is damaged: take a copy of it, or make a new meter"),
            MeterError::Storage(_) => Self::broken(code, message),
        }
    }
}
