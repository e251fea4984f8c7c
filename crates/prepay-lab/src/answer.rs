//! Answers to requests.
//!
//! These records define the format: clients see their names and order.

use prepay_records::OpenedToken;
use prepay_records::json::write_line;
use prepay_records::time::Printed;
use prepay_token::TokenData;
use prepay_token::element::{PowerLimit, UtcMinute};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

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

/// An issued token.
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
    /// The minute of the identifier, if a base date is known.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "minute")]
    pub issued_at: Option<UtcMinute>,
    /// The amount as coded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// The sixteen bits of the amount or the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bits: Option<u16>,
    /// The coded limit of a token that sets one, for people.
    #[serde(skip)]
    pub limit: Option<PowerLimit>,
    /// The checksum, as in the block.
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
    /// The minute of the identifier, if a base date is known.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "minute")]
    pub issued_at: Option<UtcMinute>,
    /// The random number, for the tokens that carry one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rnd: Option<u8>,
    /// The checksum, as in the block.
    pub crc: u16,
}

/// A key that was derived.
#[derive(Clone, Serialize)]
pub struct Derived {
    /// The decoder key in hexadecimal, most significant byte first.
    pub decoder_key: String,
}

/// Issued key change tokens.
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

/// Appends the line of an answer, with its line end.
pub(crate) fn write_answer(out: &mut Vec<u8>, id: &RawValue, answer: &Answer) {
    let Answer::Issued(issued) = answer else { return write_line(out, id, answer) };
    out.extend_from_slice(b"{\"id\":");
    out.extend_from_slice(id.get().as_bytes());
    issued.write_fields(out);
    out.push(b'\n');
}

impl Issued {
    /// Appends the fields as `Serialize` would, but faster, for bulk issue.
    fn write_fields(&self, out: &mut Vec<u8>) {
        let mut integer = itoa::Buffer::new();
        let mut number = |out: &mut Vec<u8>, name: &[u8], value: u32| {
            out.extend_from_slice(name);
            out.extend_from_slice(integer.format(value).as_bytes());
        };
        out.extend_from_slice(b",\"number\":\"");
        out.extend_from_slice(&self.number.digits());
        number(out, b"\",\"class\":", self.class.into());
        number(out, b",\"sub_class\":", self.sub_class.into());
        if let Some(tid) = self.tid {
            number(out, b",\"tid\":", tid);
        }
        if let Some(minute) = self.issued_at {
            out.extend_from_slice(b",\"issued_at\":\"");
            out.extend_from_slice(&Printed(minute).ascii());
            out.push(b'"');
        }
        if let Some(amount) = &self.amount {
            out.extend_from_slice(b",\"amount\":\"");
            out.extend_from_slice(amount.as_bytes());
            out.push(b'"');
        }
        if let Some(bits) = self.bits {
            number(out, b",\"bits\":", bits.into());
        }
        number(out, b",\"crc\":", self.crc.into());
        out.push(b'}');
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_way_of_issued_writes_what_serialize_writes() {
        let class_1 = Issued {
            number: "00000000000150997584".parse().unwrap(),
            class: 1,
            sub_class: 0,
            tid: None,
            issued_at: None,
            amount: None,
            bits: None,
            limit: None,
            crc: 2640,
        };
        let credit = Issued {
            class: 0,
            tid: Some(5_944_921),
            issued_at: Some(UtcMinute::from_unix_minutes(18_042_361)),
            amount: Some("25.6".to_owned()),
            bits: Some(256),
            ..class_1.clone()
        };
        for issued in [class_1, credit] {
            let mut line = Vec::new();
            write_answer(&mut line, RawValue::NULL, &Answer::Issued(issued.clone()));
            let fields = serde_json::to_string(&issued).unwrap();
            let expected = format!("{{\"id\":null,{}\n", &fields[1..]);
            assert_eq!(String::from_utf8(line).unwrap(), expected);
        }
    }
}
