//! `prepay meter`: virtual meters from the command line.
//!
//! Flags become the same request that a line of `meter script` would be, so both answer alike and share
//! every rule and every error code.

pub(crate) mod flags;
pub(crate) mod fleet;
mod print;
#[cfg_attr(not(feature = "tui"), path = "absent.rs")]
mod run;
mod test_key;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use prepay_lab::meter::{MeterAnswer, MeterError, MeterRequest, Meters};

use crate::Ending;
use crate::lab::named;
use flags::{MeterCommand, operation};

/// Runs one command.
pub(crate) fn run(command: &MeterCommand, json: bool) -> io::Result<Ending> {
    match command {
        MeterCommand::New(flags) => {
            let lists = flags.lists()?;
            answer(&flags.file, flags.request(&lists)?, json)
        }
        MeterCommand::Enter(flags) => answer(&flags.file, flags.request(), json),
        MeterCommand::Show { file } => answer(file, operation("state"), json),
        MeterCommand::Consume(flags) => answer(&flags.file, flags.request(), json),
        MeterCommand::Tamper { file } => answer(file, operation("tamper"), json),
        MeterCommand::Run { file } => run::run(file.as_deref(), json),
        MeterCommand::Fleet(flags) => fleet::run(flags, json),
        MeterCommand::Script { dir, file } => script(dir.as_deref(), file.as_deref()),
    }
}

/// Answers one request to the meter of a file.
fn answer(file: &Path, request: MeterRequest<'_>, json: bool) -> io::Result<Ending> {
    let mut meters = Meters::in_file(file);
    let answered = meters.answer(&request);
    if json {
        let ended = if answered.is_ok() { Ending::Done } else { Ending::Refused };
        print::json(&answered)?;
        return Ok(ended);
    }
    match answered.and_then(|answer| Ok((answer, state(&mut meters)?))) {
        Ok((answer, state)) => {
            print::answer(&answer, &state)?;
            Ok(Ending::Done)
        }
        Err(error) => {
            print::error(&error);
            Ok(Ending::Refused)
        }
    }
}

/// What the meter knows and is after a request.
fn state(meters: &mut Meters) -> Result<prepay_lab::meter::StateRecord, MeterError> {
    match meters.answer(&operation("state"))? {
        MeterAnswer::State(state) => Ok(*state),
        _ => unreachable!("state is answered with a state"),
    }
}

/// Answers a file or standard input, line by line.
fn script(directory: Option<&Path>, file: Option<&Path>) -> io::Result<Ending> {
    let input: Box<dyn Read> = match file {
        Some(path) => Box::new(File::open(path).map_err(|error| named(path, &error))?),
        None => Box::new(io::stdin().lock()),
    };
    let mut meters = match directory {
        Some(path) => Meters::in_directory(path).map_err(|error| named(path, &error))?,
        None => Meters::in_memory(),
    };
    let summary = meters.answer_stream(input, io::stdout().lock())?;
    Ok(if summary.failed == 0 { Ending::Done } else { Ending::Refused })
}
