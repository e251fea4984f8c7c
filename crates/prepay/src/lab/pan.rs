//! `prepay lab pan`: the parts of meter numbers, their check digits, and what was perhaps meant.

use std::io::{self, Write};

use prepay_lab::{MeterNumber, MeterNumberParts};

use crate::Ending;
use crate::failure::{Done, Failure};
use crate::json;
use crate::paint::{HEADING, QUIET, RESULT, WRONG, styled};

use super::flags::in_flags;

/// The fewest digits of a word that is a number of its own, not a part of one.
const FEWEST: usize = 9;

/// Explains meter numbers.
pub(crate) fn run(words: &[String], as_json: bool) -> Done<Ending> {
    let mut ending = Ending::Done;
    for number in numbers(words) {
        let answer = MeterNumber::new(&number);
        if answer.error.is_some() {
            ending = Ending::Refused;
        }
        if as_json {
            json::print(&answer, false)?;
        } else {
            write(&mut anstream::stdout().lock(), &answer)?;
        }
    }
    Ok(ending)
}

/// The numbers in the words of a command line: one per word, or one in all words if they are parts of one.
fn numbers(words: &[String]) -> Vec<String> {
    let digits = |word: &str| word.chars().filter(|character| character.is_numeric()).count();
    let joined = match words.iter().all(|word| digits(word) >= FEWEST) {
        true => words.join(","),
        false => words.join(" "),
    };
    let numbers = joined.split([',', ';', '\n']).filter(|number| !number.trim().is_empty());
    numbers.map(str::to_owned).collect()
}

fn write(out: &mut dyn Write, answer: &MeterNumber) -> io::Result<()> {
    match &answer.pan {
        Some(pan) => writeln!(out, "meter {}", styled(RESULT, pan))?,
        None => writeln!(out, "{}", styled(WRONG, &answer.given))?,
    }
    if let Some(MeterNumberParts { issuer, meter_number, manufacturer, serial }) = &answer.parts {
        let row = |name| styled(HEADING, format_args!("{name:<12}"));
        writeln!(out, "  {}  {issuer}", row("issuer"))?;
        writeln!(out, "  {}  {meter_number}", row("meter number"))?;
        writeln!(out, "  {}  {manufacturer}", row("manufacturer"))?;
        writeln!(out, "  {}  {serial}", row("serial"))?;
        if answer.pan.is_some() {
            let right = match answer.given.len() {
                18 => "both right",
                _ => "right; issuer and last digit computed",
            };
            writeln!(out, "  {}  {right}", row("check digits"))?;
        }
    }
    if let Some(error) = &answer.error {
        let failure = Failure::from(error.clone())
            .reworded(|message| in_flags(message).replacen("--pan: ", "", 1));
        let body = failure.body();
        writeln!(out, "{}  {}", styled(WRONG, body.code), body.message)?;
        for proposal in &answer.proposals {
            writeln!(out, "  perhaps  {}  if {}", styled(RESULT, proposal.pan), proposal.why)?;
        }
        writeln!(out, "  {}", styled(QUIET, "compare the number with the meter's label"))?;
    }
    Ok(())
}
