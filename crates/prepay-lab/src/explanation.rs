//! One token laid open, as an answer: every step between its digits and its meaning, and the keys that open it.

use prepay_records::time::Printed;
use prepay_records::{OpenedToken, RecordError};
use prepay_token::{Field, TokenData};
use serde::Serialize;

use crate::search::Found;
use crate::section::opened_token;

/// The answer of `lab explain`.
#[derive(Debug, Serialize)]
pub struct Explanation<'f> {
    number: String,
    bits: String,
    class: u8,
    moved_bits: u8,
    sent_block: String,
    enciphered: bool,
    clear_block: Option<String>,
    fields: Vec<FieldRecord>,
    crc: Option<ChecksumRecord>,
    keys_tried: u64,
    keys_skipped: u64,
    opened_by: Vec<&'f str>,
    #[serde(flatten)]
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_at: Option<String>,
}

#[derive(Debug, Serialize)]
struct FieldRecord {
    name: &'static str,
    high: u8,
    low: u8,
    value: u64,
}

#[derive(Debug, Serialize)]
struct ChecksumRecord {
    expected: u16,
    found: u16,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Token(Box<OpenedToken>),
    Error(RecordError),
}

impl<'f> Explanation<'f> {
    /// Explains a token under the key that a search found.
    pub fn new(data: TokenData, found: &'f Found) -> Self {
        let trace = found.trace(data);
        let record = |Field { place, value }: Field| FieldRecord {
            name: place.name.text(),
            high: place.high,
            low: place.low,
            value,
        };
        let base_date = found.key().and_then(|key| key.base_date);
        let identifier = trace.result().as_ref().ok().and_then(|token| token.identifier());
        let minute = identifier.and_then(|identifier| Some(base_date?.minute_of(identifier)));
        Self {
            number: data.to_string(),
            bits: format!("{:017x}", data.value()),
            class: trace.class().number(),
            moved_bits: trace.moved_bits(),
            sent_block: format!("{:016x}", trace.sent_block()),
            enciphered: trace.class().is_enciphered(),
            clear_block: trace.clear_block().map(|clear| format!("{:016x}", clear.bits())),
            fields: trace.fields().map(record).collect(),
            crc: trace.checksum().map(|(_, expected, found)| ChecksumRecord { expected, found }),
            keys_tried: found.tried,
            keys_skipped: found.skipped.as_ref().map_or(0, |(count, _)| *count),
            opened_by: found.matches.iter().map(|candidate| candidate.name.as_str()).collect(),
            outcome: match trace.result() {
                Ok(token) => Outcome::Token(Box::new(opened_token(token))),
                Err(error) => Outcome::Error((*error).into()),
            },
            issued_at: minute.map(|minute| Printed(minute).to_string()),
        }
    }
}
