//! `prepay vend`: what a purchase buys, and the receipt of a sale, without an installation.

mod compare;
mod flags;
pub(crate) mod print;
pub(crate) mod receipt;

use std::io;
use std::path::Path;

use prepay_records::lines::{answer_lines, is_blank};
use prepay_records::purchase::{PurchaseRecord, QuoteRecord};
use prepay_records::{ErrorBody, ErrorRecord};
use prepay_vend::{Explained, Fault, Moment, Purchase, QuoteError, Tariff};
use serde::Serialize;

use crate::Ending;
use crate::failure::{Done, Failure, to_read};
use crate::file;
use crate::out::{Out, Record};
pub(crate) use flags::VendFlags;
use flags::{TariffCommand, TryFlags, VendCommand};

/// Runs one command.
pub(crate) fn run(flags: &VendFlags, json: bool) -> Done<Ending> {
    let out = Out::new(json, "");
    let command = match &flags.command {
        VendCommand::Tariff(command) => command,
        VendCommand::Receipt(flags) => {
            receipt::run(flags, &out)?;
            return Ok(Ending::Done);
        }
    };
    match command {
        TariffCommand::Check { file } => check(file, &out)?,
        TariffCommand::Try(flags) => return price(flags, &out),
        TariffCommand::Explain(flags) => {
            let tariff = read(&flags.file)?;
            let explained = explain(
                &tariff,
                &flags.purchase.record()?.purchase(&tariff, Moment::now()).map_err(invalid)?,
            )?;
            out.answer(QuoteRecord::explained(&tariff, &explained), |text| {
                print::explained(&tariff, &explained, text)
            })?;
        }
        TariffCommand::Compare(flags) => compare::run(flags, &out)?,
    }
    Ok(Ending::Done)
}

/// Reads a tariff file.
fn read(path: &Path) -> Done<Tariff> {
    Tariff::read(&file::read(path)?)
        .map_err(|faults| Failure::refused("tariff_invalid", all_faults(path, &faults)))
}

/// The faults of a file, each with its line.
fn all_faults(path: &Path, faults: &[Fault]) -> String {
    let fault = |fault: &Fault| format!("{}:{}: {}", path.display(), fault.line, fault.text);
    faults.iter().map(fault).collect::<Vec<_>>().join("\n")
}

/// A purchase that is none.
fn invalid(problem: impl std::fmt::Display) -> Failure {
    Failure::refused("field_invalid", problem)
}

impl From<QuoteError> for Failure {
    fn from(error: QuoteError) -> Self {
        Self::refused(error.code(), error)
    }
}

fn explain(tariff: &Tariff, purchase: &Purchase) -> Done<Explained> {
    Ok(tariff.explain(purchase)?)
}

/// Says what a tariff file contains.
fn check(path: &Path, out: &Out) -> Done<()> {
    let tariff = read(path)?;
    let versions: Vec<String> = tariff
        .versions()
        .map(|(from, title)| {
            let day = tariff.day(from);
            if title.is_empty() { day } else { format!("{day} {title}") }
        })
        .collect();
    let needed: Vec<&str> =
        tariff.rates().filter(|(_, _, has_values)| !has_values).map(|(name, _, _)| name).collect();
    let classes: Vec<&str> = tariff.classes().map(|(name, _)| name).collect();
    let record = Record::new()
        .text("tariff", tariff.name())
        .text("currency", tariff.currency())
        .text("unit", tariff.unit())
        .text("zone", tariff.month().zone().iana_name().unwrap_or("-"))
        .value("classes", classes)
        .value("versions", versions)
        .value("rates_with_each_purchase", needed)
        .option("source", tariff.source());
    out.done_with(format!("{}: no fault", path.display()), &record)
}

/// An answer to one line.
#[derive(Serialize)]
struct Answer<'a, T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a serde_json::Value>,
    #[serde(flatten)]
    answer: T,
}

/// Prices one purchase, or one for each line.
fn price(flags: &TryFlags, out: &Out) -> Done<Ending> {
    let tariff = read(&flags.file)?;
    if let Some(lines) = &flags.lines {
        let file = (lines != Path::new("-")).then_some(lines.as_path());
        let now = Moment::now();
        let summary = answer_lines(to_read(file)?, io::stdout().lock(), |line, answers| {
            (!is_blank(line)).then(|| answer_line(&tariff, now, line, answers))
        })?;
        return Ok(if summary.failed == 0 { Ending::Done } else { Ending::Refused });
    }
    let purchase = flags.purchase.record()?.purchase(&tariff, Moment::now()).map_err(invalid)?;
    let quote = tariff.quote(&purchase)?;
    out.answer(QuoteRecord::new(&tariff, &quote), |text| print::quote(&tariff, &quote, text))?;
    Ok(Ending::Done)
}

/// Appends the answer to a line, and says whether there is a quote.
fn answer_line(tariff: &Tariff, now: Moment, line: &[u8], answers: &mut Vec<u8>) -> bool {
    let read = serde_json::from_slice::<PurchaseRecord>(line);
    let id = read.as_ref().ok().and_then(|record| record.id.as_ref());
    let quote = match &read {
        Err(error) => Err(Failure::refused("bad_json", error)),
        Ok(record) => record
            .purchase(tariff, now)
            .map_err(invalid)
            .and_then(|purchase| Ok(tariff.explain(&purchase)?)),
    };
    let written = match &quote {
        Ok(explained) => serde_json::to_writer(
            &mut *answers,
            &Answer { id, answer: QuoteRecord::explained(tariff, explained) },
        ),
        Err(failure) => {
            let error: ErrorBody<'_> = failure.body();
            serde_json::to_writer(&mut *answers, &Answer { id, answer: ErrorRecord { error } })
        }
    };
    written.expect("an answer is JSON and a vector takes it");
    answers.push(b'\n');
    quote.is_ok()
}
