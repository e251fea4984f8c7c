//! The values that the fields of forms take.
//!
//! There is only one way to write each value, so that equal forms have equal signed texts.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use prepay_basics::Moment;
use prepay_kmp::ModuleId;
use prepay_kmp::attribute::{
    Cluster, CurrencyLimit, GroupName, SubClassSet, UnitLimit, VendingKeyType,
};
use prepay_token::element::{
    BaseDate, DecoderKeyGenerationAlgorithm, KeyExpiryNumber, KeyRevisionNumber, Service,
    SupplyGroupCode,
};

use super::{Draft, Fault};
use crate::entity::{CustomerNumber, Line};

/// A field of a form, as people see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name, for programs.
    pub name: &'static str,
    /// Its title, for people.
    pub title: &'static str,
    /// Whether it is required.
    pub presence: Presence,
    /// What it takes.
    pub expected: &'static str,
    /// Whether it takes a whole document of several lines.
    pub is_document: bool,
    /// What it means.
    pub help: &'static str,
}

/// Whether a field is required.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It is.
    Required,
    /// It may be left out, which then means this.
    Optional(&'static str),
}

/// A value that a field takes.
trait FieldValue: Sized {
    /// What it takes, in words.
    const EXPECTED: &'static str;

    /// Whether it is a whole document of several lines.
    const IS_DOCUMENT: bool = false;

    /// Reads the only text that the value has.
    fn read(text: &str) -> Option<Self>;
}

/// The value of a field: required, or optional.
pub(super) trait Entry: Sized {
    const EXPECTED: &'static str;
    const IS_DOCUMENT: bool;

    /// Reads a field. If the text is wrong or missing, adds a fault.
    fn read_entry(entries: &mut Entries<'_>, name: &'static str) -> Option<Self>;
}

impl<T: FieldValue> Entry for T {
    const EXPECTED: &'static str = T::EXPECTED;
    const IS_DOCUMENT: bool = T::IS_DOCUMENT;

    fn read_entry(entries: &mut Entries<'_>, name: &'static str) -> Option<Self> {
        let value = entries.draft.value(name).and_then(T::read);
        if value.is_none() {
            entries.fault(name, T::EXPECTED.to_owned());
        }
        value
    }
}

impl<T: FieldValue> Entry for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;
    const IS_DOCUMENT: bool = T::IS_DOCUMENT;

    fn read_entry(entries: &mut Entries<'_>, name: &'static str) -> Option<Self> {
        match entries.draft.value(name) {
            None => Some(None),
            Some(_) => T::read_entry(entries, name).map(Some),
        }
    }
}

/// The fields of a draft, and the faults found so far in reading them.
pub(super) struct Entries<'a> {
    pub(super) draft: &'a Draft,
    pub(super) faults: Vec<Fault>,
}

impl Entries<'_> {
    /// Adds a fault.
    pub(super) fn fault(&mut self, field: &'static str, expected: String) {
        let found = self.draft.value(field).map(str::to_owned);
        self.faults.push(Fault { field, expected, found });
    }
}

/// A number of days, 1 to 36 500.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days(pub u16);

/// The text of a key-load request: at most 16 KiB of ASCII.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestText(pub Box<str>);

impl RequestText {
    const MAX_LENGTH: usize = 16 * 1024;
}

/// A fingerprint as people compare it: 32 hexadecimal digits, upper case, in groups of four.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FingerprintText(Box<str>); // Invariant: 39 characters of this form.

impl FingerprintText {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FingerprintText {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let fits = |(at, byte): (usize, u8)| match at % 5 {
            4 => byte == b' ',
            _ => matches!(byte, b'0'..=b'9' | b'A'..=b'F'),
        };
        let is_one = text.len() == 39 && text.bytes().enumerate().all(fits);
        is_one.then(|| Self(text.into())).ok_or(())
    }
}

impl fmt::Display for FingerprintText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The most supply groups in one field.
const MOST_GROUPS: usize = 100;

macro_rules! values {
    ($($type:ty: $expected:literal $(, $read:expr)?;)+) => {$(
        impl FieldValue for $type {
            const EXPECTED: &'static str = $expected;

            fn read(text: &str) -> Option<Self> {
                values!(text $(, $read)?)
            }
        }
    )+};
    ($text:ident) => { $text.parse().ok() };
    ($text:ident, $read:expr) => { $read($text) };
}

values! {
    Line: "1 to 200 visible characters on one line, no space at either end", filled;
    CustomerNumber: "a customer number, 1 to 999999";
    SupplyGroupCode: "a supply group code, six digits";
    BTreeSet<SupplyGroupCode>:
        "1 to 100 supply group codes of six digits, in rising order, separated by commas", groups;
    GroupName: "1 to 40 printable ASCII characters without semicolon", filled;
    Service: "electricity, water, gas or time",
        |text| Service::ALL.into_iter().find(|service| service.name() == text);
    VendingKeyType: "unique or common", |text| match text {
        "unique" => Some(VendingKeyType::UNIQUE),
        "common" => Some(VendingKeyType::COMMON),
        _ => None,
    };
    KeyRevisionNumber: "a key revision number, 1 to 9";
    DecoderKeyGenerationAlgorithm: "02, 03 or 04";
    KeyExpiryNumber: "a key expiry number, 0 to 255", |text| number::<u8>(text).map(Into::into);
    BaseDate: "1993, 2014 or 2035", |text| number::<u16>(text)?.try_into().ok();
    Moment: "a time like 2026-03-01T13:55:00Z";
    Days: "a number of days, 1 to 36500",
        |text| number(text).filter(|days| (1..=36_500).contains(days)).map(Days);
    UnitLimit: "0 to 4294967295, or \"-\" for no limit";
    CurrencyLimit: "0 to 4294967295, or \"-\" for no limit";
    SubClassSet: "digits 0 to 7 in rising order, or \"-\" for none";
    Cluster: "a cluster, 0 to 65535; only 0 is defined", |text| number(text).map(Cluster);
    FingerprintText: "a fingerprint, 32 hexadecimal digits in groups of four, upper case";
    ModuleId:
        "the name of a module: 1 to 40 letters, digits or \"_-.,\", starting with a letter or digit";
}

impl FieldValue for RequestText {
    const EXPECTED: &'static str = "the text of a key-load request, at most 16384 bytes of ASCII";
    const IS_DOCUMENT: bool = true;

    fn read(text: &str) -> Option<Self> {
        let fits = |byte: u8| byte == b'\n' || (b' '..=b'~').contains(&byte);
        let is_one = (1..=Self::MAX_LENGTH).contains(&text.len()) && text.bytes().all(fits);
        is_one.then(|| Self(text.into()))
    }
}

/// Reads a text that is not empty.
fn filled<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok().filter(|_| !text.is_empty())
}

/// A decimal number without leading zeros or sign.
pub(super) fn number<T: FromStr + ToString>(text: &str) -> Option<T> {
    text.parse::<T>().ok().filter(|number| number.to_string() == text)
}

/// Codes separated by commas, each once, in rising order.
fn groups(text: &str) -> Option<BTreeSet<SupplyGroupCode>> {
    let codes = text.split(',').take(MOST_GROUPS + 1).map(str::parse);
    let codes: Vec<SupplyGroupCode> = codes.collect::<Result<_, _>>().ok()?;
    let rising = codes.is_sorted_by(|a, b| a < b);
    (rising && codes.len() <= MOST_GROUPS).then(|| codes.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: FieldValue>(taken: &[&str], refused: &[&str]) {
        for text in taken {
            assert!(T::read(text).is_some(), "{} is {text:?}", T::EXPECTED);
        }
        for text in refused {
            assert!(T::read(text).is_none(), "{} is not {text:?}", T::EXPECTED);
        }
    }

    #[test]
    fn there_is_one_way_to_write_each_value() {
        let hundred: Vec<String> = (0..100).map(|n| format!("{n:06}")).collect();
        let hundred = hundred.join(",");
        let hundred_and_one = format!("{hundred},000200");
        let longest = "a".repeat(RequestText::MAX_LENGTH);
        let too_long = "a".repeat(RequestText::MAX_LENGTH + 1);
        check::<Line>(&["a", "Köln"], &["", " a", "a\n"]);
        check::<CustomerNumber>(&["1", "999999"], &["0", "01", "1000000"]);
        check::<SupplyGroupCode>(&["000000", "999999"], &["1", "0000001", "00000a"]);
        check::<BTreeSet<SupplyGroupCode>>(
            &["000123", "000123,000124", &hundred],
            &["", "000124,000123", "000123,000123", "000123,", "000123, 000124", &hundred_and_one],
        );
        check::<GroupName>(&["North"], &["", "a;b", "é"]);
        check::<Service>(&["electricity", "time"], &["", "Electricity", "steam"]);
        check::<VendingKeyType>(&["unique", "common"], &["default", "2", ""]);
        check::<KeyRevisionNumber>(&["1", "9"], &["0", "10", "01"]);
        check::<DecoderKeyGenerationAlgorithm>(&["02", "03", "04"], &["01", "4", "05"]);
        check::<KeyExpiryNumber>(&["0", "255"], &["256", "00", "+1", "-1"]);
        check::<BaseDate>(&["1993", "2014", "2035"], &["93", "2015", "02014"]);
        check::<Moment>(&["2026-03-01T13:55:00Z"], &["2026-03-01", ""]);
        check::<Days>(&["1", "36500"], &["0", "36501", "01"]);
        check::<UnitLimit>(&["-", "0", "4294967295"], &["", "01", "4294967296"]);
        check::<CurrencyLimit>(&["-", "0"], &["", "1.5"]);
        check::<SubClassSet>(&["-", "0145"], &["", "10", "8"]);
        check::<Cluster>(&["0", "65535"], &["", "65536", "00"]);
        check::<ModuleId>(&["SM-1"], &["", "-a", "a b"]);
        let fingerprint = "0123 4567 89AB CDEF 0123 4567 89AB CDEF";
        check::<FingerprintText>(
            &[fingerprint],
            &["", &fingerprint[1..], &fingerprint.replace(' ', ""), &fingerprint.to_lowercase()],
        );
        check::<RequestText>(&["VKR;", "a\nb\n", &longest], &["", "a\r\n", "é", &too_long]);
    }
}
