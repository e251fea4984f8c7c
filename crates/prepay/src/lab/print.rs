//! Answers as a person reads them.

use std::io::{self, Write};

use prepay_lab::{Answer, LabError, OpenedToken, time::Printed};
use prepay_token::element::{PowerLimit, UtcMinute};
use serde_json::Value;

use crate::paint::{HEADING, QUIET, RESULT, WRONG, styled};

/// Prints one JSON value on a line.
pub(crate) fn json(value: &impl ToJson) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", value.to_json()?)
}

/// What can be printed as JSON.
pub(crate) trait ToJson {
    /// The text of the JSON.
    fn to_json(&self) -> io::Result<String>;
}

impl ToJson for Answer {
    fn to_json(&self) -> io::Result<String> {
        Ok(serde_json::to_string(self)?)
    }
}

impl ToJson for Value {
    fn to_json(&self) -> io::Result<String> {
        Ok(self.to_string())
    }
}

/// Prints an answer as text.
pub(super) fn answer(answer: &Answer) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    match answer {
        Answer::Issued(issued) => {
            writeln!(out, "{}", styled(RESULT, format_args!("{:#}", issued.number)))?;
            let mut remarks = vec![format!("class {}.{}", issued.class, issued.sub_class)];
            remarks.extend(issued.tid.map(|tid| stamp(tid, issued.issued_at)));
            remarks.extend(issued.amount.as_ref().map(|amount| format!("amount coded {amount}")));
            if let (2, 0 | 6, Some(bits)) = (issued.class, issued.sub_class, issued.bits) {
                remarks.push(format!("limit coded {}", PowerLimit::from_bits(bits)));
            }
            remarks.push(format!("CRC {:04X}", issued.crc));
            writeln!(out, "{}", styled(QUIET, remarks.join(", ")))
        }
        Answer::Opened(opened) => {
            writeln!(out, "{}", styled(HEADING, opened.token.kind))?;
            let fields = fields(&opened.token)?;
            let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
            for (name, value) in fields {
                writeln!(out, "  {name:width$}  {value}")?;
            }
            let mut remarks = vec![format!("class {}.{}", opened.class, opened.sub_class)];
            remarks.extend(opened.tid.map(|tid| stamp(tid, opened.issued_at)));
            remarks.extend(opened.rnd.map(|rnd| format!("RND {rnd}")));
            remarks.push(format!("CRC {:04X}", opened.crc));
            writeln!(out, "{}", styled(QUIET, remarks.join(", ")))
        }
        Answer::Derived(derived) => writeln!(out, "{}", styled(RESULT, &derived.decoder_key)),
        Answer::KeyChanged(changed) => {
            for number in &changed.numbers {
                writeln!(out, "{}", styled(RESULT, format_args!("{number:#}")))?;
            }
            let remark = if changed.rollover {
                "rollover: the meter forgets its token identifiers"
            } else {
                "no rollover: the base date stays"
            };
            writeln!(out, "{}", styled(QUIET, remark))
        }
    }
}

/// Prints a refusal.
pub(super) fn error(error: &LabError) {
    anstream::eprintln!("{} {}", styled(WRONG, format_args!("{}:", error.code)), error.message);
}

/// Prints a remark beside the answer.
pub(super) fn remark(remark: &str) {
    anstream::eprintln!("{}", styled(QUIET, remark));
}

/// An identifier with its minute.
fn stamp(tid: u32, minute: Option<UtcMinute>) -> String {
    match minute {
        Some(minute) => format!("TID {tid} ({})", Printed(minute)),
        None => format!("TID {tid}"),
    }
}

/// The fields of an opened token beside its type, as its JSON record names them.
fn fields(token: &OpenedToken) -> io::Result<Vec<(String, String)>> {
    let Value::Object(record) = serde_json::to_value(token)? else {
        return Ok(Vec::new());
    };
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let fields = record.into_iter().filter(|(name, _)| name != "type");
    Ok(fields.map(|(name, value)| (name, text(value))).collect())
}
