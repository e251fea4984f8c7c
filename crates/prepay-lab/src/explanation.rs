//! One token laid open, as an answer: every step between its digits and its meaning, and the keys that open it.

use prepay_records::explain::explain;
use prepay_records::time::Printed;
use prepay_records::{OpenedToken, RecordCode, RecordError};
use prepay_token::{Class, Field, TOKEN_DIGITS, TokenData, Trace, open};
use serde::Serialize;

use crate::reading::{Reading, Sale};
use crate::repair::{Repair, Slip};
use crate::search::{Candidate, Found, Tried};
use crate::section::opened_token;

/// A token, the keys that open it, and what it says under each.
#[derive(Debug)]
pub struct Explained<'f> {
    /// The token.
    pub data: TokenData,
    /// Every step of it, under the only key that fits, or the only one that was tried.
    pub trace: Trace,
    /// That key.
    pub key: Option<&'f Candidate>,
    /// What the token says under each key that opens it, the more plausible first.
    pub readings: Vec<(&'f Candidate, Reading)>,
    /// Why it does not open; nothing if it does, or several keys open it.
    pub error: Option<RecordError>,
}

impl Found {
    /// Puts the more plausible keys first.
    pub fn rank(&mut self, tokens: &[TokenData], sale: &Sale) {
        self.matches.sort_by_cached_key(|key| {
            let ranks = tokens.iter().filter_map(|&data| Some(read(data, key, sale)?.rank()));
            ranks.fold((0, 0_u64), |sum, rank| (sum.0 + rank.0, sum.1.saturating_add(rank.1)))
        });
    }

    /// Explains one of the tokens that the keys were tried on; there are so many of them.
    pub fn explain(&self, data: TokenData, tokens: usize, sale: &Sale) -> Explained<'_> {
        let key = match &self.matches[..] {
            [key] => Some(key),
            [] => self.last.as_ref().filter(|_| self.tried.keys == 1),
            _ => None,
        };
        let trace = Trace::new(data, key.map(|key| &key.cipher));
        let is_open = trace.result().is_ok();
        let readings = self.matches.iter().chain(key.filter(|_| self.matches.is_empty()));
        let readings: Vec<_> =
            readings.filter_map(|key| Some((key, read(data, key, sale)?))).collect();
        let error = match trace.result() {
            Ok(_) => None,
            Err(_) if data.class().is_enciphered() && self.matches.len() > 1 => None,
            Err(_) if data.class().is_enciphered() && self.tried.keys > 1 => {
                Some(self.no_key(tokens))
            }
            Err(error) => Some((*error).into()),
        };
        let readings = if is_open || !data.class().is_enciphered() || key.is_none() {
            readings
        } else {
            Vec::new()
        };
        Explained { data, trace, key, readings, error }
    }
}

/// What a token says under a key, if it opens. A token in clear says the same under every key, and has no readings.
fn read(data: TokenData, key: &Candidate, sale: &Sale) -> Option<Reading> {
    let token = open(data, &key.cipher).ok().filter(|_| data.class().is_enciphered())?;
    Some(Reading::new(token, key, sale))
}

/// What to do about an error of a token of this class, if that is not the advice of its code.
pub fn advice(class: Class, code: RecordCode) -> Option<&'static str> {
    (class == Class::Display && code == RecordCode::Crc).then_some(
        "compare the digits: class 1 has neither key nor meter, so a digit is mistyped or this is no token",
    )
}

/// The answer of `lab explain`.
#[derive(Debug, Serialize)]
pub struct Explanation {
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
    opened_by: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    readings: Vec<ReadingRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<OpenedToken>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Advised>,
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

/// What a token says under one key.
#[derive(Debug, Serialize)]
struct ReadingRecord {
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    token: OpenedToken,
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_at: Option<String>,
    doubts: Vec<String>,
}

/// An error with what to do next.
#[derive(Debug, Serialize)]
struct Advised {
    code: &'static str,
    message: String,
    next: Option<&'static str>,
}

impl ReadingRecord {
    fn new(key: Option<String>, reading: &Reading) -> Self {
        Self {
            key,
            token: opened_token(&reading.token),
            issued_at: reading.issued_at().map(|minute| Printed(minute).to_string()),
            doubts: reading.doubts.clone(),
        }
    }
}

impl Advised {
    fn new(class: Class, error: &RecordError) -> Self {
        let of_table = || explain(error.code()).map(|row| row.next);
        let next = advice(class, error.code).or_else(of_table);
        Self { code: error.code(), message: error.message.clone(), next }
    }
}

impl Explanation {
    /// The answer about one token.
    pub fn new(explained: &Explained<'_>, found: &Found) -> Self {
        let Explained { data, trace, readings, error, .. } = explained;
        let record = |Field { place, value }: Field| FieldRecord {
            name: place.name.text(),
            high: place.high,
            low: place.low,
            value,
        };
        let only = match &readings[..] {
            [(_, reading)] => reading.issued_at(),
            _ => None,
        };
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
            keys_tried: found.tried.keys,
            keys_skipped: found.tried.skipped.as_ref().map_or(0, |(count, _)| *count),
            opened_by: readings.iter().map(|(key, _)| key.name()).collect(),
            readings: readings
                .iter()
                .map(|(key, reading)| ReadingRecord::new(Some(key.name()), reading))
                .collect(),
            token: trace.result().as_ref().ok().map(opened_token),
            issued_at: only.map(|minute| Printed(minute).to_string()),
            error: error.as_ref().map(|error| Advised::new(data.class(), error)),
        }
    }
}

/// The answer of `lab explain --repair`.
#[derive(Debug, Serialize)]
pub struct RepairAnswer {
    number: String,
    keys_tried: u64,
    keys_skipped: u64,
    repairs: Vec<RepairRecord>,
    error: Advised,
}

#[derive(Debug, Serialize)]
struct RepairRecord {
    number: String,
    #[serde(flatten)]
    slip: SlipRecord,
    #[serde(flatten)]
    reading: ReadingRecord,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum SlipRecord {
    Digit { position: usize, typed: char, meant: char },
    Swapped { swapped: [usize; 2] },
}

impl RepairAnswer {
    /// The answer about digits that are no token, or one that does not open.
    pub fn new(
        digits: &[u8; TOKEN_DIGITS],
        error: &RecordError,
        tried: &Tried,
        repairs: &[Repair],
    ) -> Self {
        let record = |repair: &Repair| RepairRecord {
            number: repair.data.to_string(),
            slip: match repair.slip {
                Slip::Digit { position, typed, meant } => {
                    SlipRecord::Digit { position, typed, meant }
                }
                Slip::Swapped { position } => {
                    SlipRecord::Swapped { swapped: [position, position + 1] }
                }
            },
            reading: ReadingRecord::new(repair.key.clone(), &repair.reading),
        };
        let class = TokenData::from_digits(digits).map_or(Class::Credit, TokenData::class);
        Self {
            number: digits.iter().map(|&digit| char::from(digit)).collect(),
            keys_tried: tried.keys,
            keys_skipped: tried.skipped.as_ref().map_or(0, |(count, _)| *count),
            repairs: repairs.iter().map(record).collect(),
            error: Advised::new(class, error),
        }
    }
}
