//! What a request is answered with.
//!
//! These records belong to the format: their names and their order are what a client sees.

use std::borrow::Cow;

use prepay_token::TokenData;
use prepay_token::element::UtcMinute;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::code::LabError;
use crate::time::Printed;
use crate::token_record::OpenedToken;

/// The answer to a request that succeeded.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// `issue`.
    Issued(Issued),
    /// `open`.
    Opened(Box<Opened>),
    /// `derive`.
    Derived(Derived),
    /// `key_change`.
    KeyChanged(KeyChanged),
}

/// A token that was made.
#[derive(Clone, Debug, Serialize)]
pub struct Issued {
    /// The token.
    #[serde(serialize_with = "digits")]
    pub number: TokenData,
    /// The class.
    pub class: u8,
    /// The sub-class.
    pub sub_class: u8,
    /// The identifier, for classes 0 and 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tid: Option<u32>,
    /// The minute of the identifier, when a base date is known.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "minute")]
    pub issued_at: Option<UtcMinute>,
    /// The amount as coded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Cow<'static, str>>,
    /// The sixteen bits of the amount or the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bits: Option<u16>,
    /// The checksum as it stands in the block.
    pub crc: u16,
}

/// A token that was read.
#[derive(Clone, Debug, Serialize)]
pub struct Opened {
    /// The class.
    pub class: u8,
    /// The sub-class.
    pub sub_class: u8,
    /// The meaning.
    pub token: OpenedToken,
    /// The identifier, for the tokens that carry one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tid: Option<u32>,
    /// The minute of the identifier, when a base date is known.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "minute")]
    pub issued_at: Option<UtcMinute>,
    /// The random number, for the tokens that carry one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rnd: Option<u8>,
    /// The checksum as it stands in the block.
    pub crc: u16,
}

/// A key that was derived.
#[derive(Clone, Serialize)]
pub struct Derived {
    /// The decoder key in hexadecimal, most significant octet first.
    pub decoder_key: String,
}

/// Key change tokens that were made.
#[derive(Clone, Debug, Serialize)]
pub struct KeyChanged {
    /// The tokens, in the order of their sections.
    #[serde(serialize_with = "all_digits")]
    pub numbers: Vec<TokenData>,
    /// Whether the meter forgets its identifiers.
    pub rollover: bool,
}

impl std::fmt::Debug for Derived {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Derived(..)")
    }
}

/// The record of an error.
#[derive(Serialize)]
struct ErrorRecord<'a> {
    id: &'a RawValue,
    error: ErrorBody<'a>,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    code: &'static str,
    message: &'a str,
}

/// Appends the line of an answer, with its line end.
pub(crate) fn write_answer(out: &mut Vec<u8>, id: &RawValue, answer: &Answer) {
    out.extend_from_slice(b"{\"id\":");
    out.extend_from_slice(id.get().as_bytes());
    let start = out.len();
    serde_json::to_writer(&mut *out, answer).expect("an answer is JSON and a vector takes it");
    out[start] = b',';
    out.push(b'\n');
}

/// Appends the line of an error, with its line end.
pub(crate) fn write_error(out: &mut Vec<u8>, id: &RawValue, error: &LabError) {
    let body = ErrorBody { code: error.code.text(), message: &error.message };
    let record = ErrorRecord { id, error: body };
    serde_json::to_writer(&mut *out, &record).expect("an error is JSON and a vector takes it");
    out.push(b'\n');
}

/// The twenty digits as a string.
fn digits<S: Serializer>(data: &TokenData, serializer: S) -> Result<S::Ok, S::Error> {
    let digits = data.digits();
    serializer.serialize_str(std::str::from_utf8(&digits).expect("digits are ASCII"))
}

fn all_digits<S: Serializer>(numbers: &[TokenData], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(numbers.iter().map(TokenData::to_string))
}

fn minute<S: Serializer>(minute: &Option<UtcMinute>, serializer: S) -> Result<S::Ok, S::Error> {
    match minute {
        Some(minute) => serializer.collect_str(&Printed(*minute)),
        None => serializer.serialize_none(),
    }
}
