//! `prepay vend receipt`: a receipt record as a slip, in every form and language.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum, ValueHint};
use prepay_records::receipt::ReceiptRecord;
use prepay_vend::{Language, Receipt, Slip};

use super::{all_faults, invalid};
use crate::failure::{Done, Failure};
use crate::file::{self, OutFlags};
use crate::out::{Out, Record};

/// A receipt with everything that one may have: test keys, and a new key for the meter.
pub(crate) const SAMPLE: &str = include_str!("sample.json");

/// What to print, and how.
#[derive(Args)]
pub(super) struct ReceiptFlags {
    /// The receipt record; - is standard input.
    #[arg(value_hint = ValueHint::FilePath, required_unless_present = "sample", conflicts_with = "sample")]
    record: Option<PathBuf>,
    /// Print a sample.
    #[arg(long)]
    sample: bool,
    /// The form.
    #[arg(long, default_value = "text")]
    form: Form,
    /// The width of a text.
    #[arg(long, default_value = "40", value_parser = columns)]
    columns: usize,
    /// The language.
    #[arg(long, default_value = "en", conflicts_with = "messages", value_parser = PossibleValuesParser::new(Language::tags()))]
    language: String,
    /// A message file, for another language or other words.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    messages: Option<PathBuf>,
    #[command(flatten)]
    out: OutFlags,
}

/// A form of a receipt.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Text of 32 or 40 columns.
    Text,
    /// The receipt record.
    Json,
    /// One HTML file.
    Html,
    /// A PDF page, 80 mm wide; needs --out.
    Pdf,
}

fn columns(text: &str) -> Result<usize, String> {
    match text {
        "32" => Ok(32),
        "40" => Ok(40),
        _ => Err("expected 32 or 40".to_owned()),
    }
}

/// Reads a receipt record.
pub(crate) fn read(text: &str) -> Done<Receipt> {
    let record: ReceiptRecord =
        serde_json::from_str(text).map_err(|error| Failure::refused("bad_json", error))?;
    record.receipt().map_err(|faults| {
        invalid(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    })
}

impl ReceiptFlags {
    fn language(&self) -> Done<Language> {
        if let Some(path) = &self.messages {
            let read = Language::read(&file::read(path)?);
            return read
                .map_err(|faults| Failure::refused("messages_invalid", all_faults(path, &faults)));
        }
        Ok(Language::own(&self.language).expect("the command line takes no other"))
    }
}

/// Prints a receipt.
pub(super) fn run(flags: &ReceiptFlags, out: &Out) -> Done<()> {
    let language = flags.language()?;
    let text = flags.record.as_deref().map_or(Ok(SAMPLE.to_owned()), file::read)?;
    let receipt = read(&text)?;
    let output = flags.out.begin()?;
    let slip = Slip::new(&receipt, &language);
    let number = &receipt.facts().number;
    let (sentence, answer) = (format!("receipt {number}"), Record::new().text("receipt", number));
    let document = match flags.form {
        Form::Text => slip.text(flags.columns),
        Form::Html => prepay_pages::html(&slip),
        Form::Pdf => {
            let pdf = prepay_pages::pdf(&slip);
            let pdf = pdf.map_err(|error| Failure::refused("letter_missing", error))?;
            return output.put_bytes(out, &pdf, &sentence, answer);
        }
        Form::Json => {
            let record = serde_json::to_string_pretty(&ReceiptRecord::new(&receipt));
            record.expect("a record has only names as keys") + "\n"
        }
    };
    output.put(out, &document, &sentence, answer)
}
