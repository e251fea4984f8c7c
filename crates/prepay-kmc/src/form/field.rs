//! The kinds of fields that forms have, and what each takes.
//!
//! Every value has one text form only, so that equal forms have equal signatures.

use std::collections::BTreeSet;
use std::str::FromStr;

use prepay_basics::Moment;
use prepay_kmp::ModuleId;
use prepay_kmp::attribute::{CurrencyLimit, GroupName, SubClassSet, UnitLimit};
use prepay_token::element::{
    BaseDate, DecoderKeyGenerationAlgorithm, KeyRevisionNumber, Service, SupplyGroupCode,
};

use crate::entity::{CustomerNumber, Line};

/// A field of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name, for programs.
    pub name: &'static str,
    /// What it is called, for people.
    pub title: &'static str,
    /// What it takes.
    pub kind: FieldKind,
    /// Whether it must be there.
    pub presence: Presence,
    /// What it means.
    pub help: &'static str,
}

/// Whether a field must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It must.
    Required,
    /// It may be left out; then this holds.
    Optional(&'static str),
}

/// What a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// A line of text, not empty.
    Text,
    /// A customer's number.
    Customer,
    /// A supply group code.
    Group,
    /// One or more supply group codes, rising, with commas between.
    Groups,
    /// The name of a supply group, not empty.
    Name,
    /// What a group supplies.
    Service,
    /// `unique` or `common`.
    UtilityKeyType,
    /// A key revision number.
    Revision,
    /// A decoder key generation algorithm.
    Algorithm,
    /// A key expiry number.
    KeyExpiry,
    /// A base date.
    BaseDate,
    /// A moment.
    Moment,
    /// A number of days.
    Days,
    /// A limit in units.
    UnitLimit,
    /// A limit in currency.
    CurrencyLimit,
    /// A set of sub-classes.
    SubClasses,
    /// A cluster.
    Cluster,
    /// The name of a module.
    Module,
    /// The text of a key-load request.
    Request,
}

/// The most supply groups in one field.
const MOST_GROUPS: usize = 100;

/// The greatest length of a key-load request in a form, in bytes.
const LONGEST_REQUEST: usize = 16 * 1024;

impl FieldKind {
    /// What it takes, in words.
    pub const fn expected(self) -> &'static str {
        match self {
            Self::Text => "1 to 200 visible characters on one line, no blank at the ends",
            Self::Customer => "a customer number, 1 to 999999",
            Self::Group => "a supply group code, six digits",
            Self::Groups => {
                "1 to 100 supply group codes of six digits, rising, with commas between"
            }
            Self::Name => "1 to 40 printable ASCII characters without semicolon",
            Self::Service => "electricity, water, gas or time",
            Self::UtilityKeyType => "unique or common",
            Self::Revision => "a key revision number, 1 to 9",
            Self::Algorithm => "02, 03 or 04",
            Self::KeyExpiry => "a key expiry number, 0 to 255",
            Self::BaseDate => "1993, 2014 or 2035",
            Self::Moment => "a moment like 2026-03-01T13:55:00Z",
            Self::Days => "a number of days, 1 to 36500",
            Self::UnitLimit | Self::CurrencyLimit => "0 to 4294967295, or \"-\" for no limit",
            Self::SubClasses => "digits 0 to 7 in rising order, or \"-\" for none",
            Self::Cluster => "a cluster, 0 to 65535; only 0 is defined",
            Self::Module => {
                "the name of a module: 1 to 40 letters, digits, \"_-.,\", the first a letter or digit"
            }
            Self::Request => "the text of a key-load request, at most 16384 bytes of ASCII",
        }
    }

    /// Whether it takes this text.
    pub fn takes(self, text: &str) -> bool {
        match self {
            Self::Text => !text.is_empty() && is::<Line>(text),
            Self::Customer => is::<CustomerNumber>(text),
            Self::Group => is::<SupplyGroupCode>(text),
            Self::Groups => groups(text).is_some(),
            Self::Name => !text.is_empty() && is::<GroupName>(text),
            Self::Service => service(text).is_some(),
            Self::UtilityKeyType => matches!(text, "unique" | "common"),
            Self::Revision => is::<KeyRevisionNumber>(text),
            Self::Algorithm => is::<DecoderKeyGenerationAlgorithm>(text),
            Self::KeyExpiry => number::<u8>(text).is_some(),
            Self::BaseDate => base_date(text).is_some(),
            Self::Moment => is::<Moment>(text),
            Self::Days => days(text).is_some(),
            Self::UnitLimit => is::<UnitLimit>(text),
            Self::CurrencyLimit => is::<CurrencyLimit>(text),
            Self::SubClasses => is::<SubClassSet>(text),
            Self::Cluster => number::<u16>(text).is_some(),
            Self::Module => is::<ModuleId>(text),
            Self::Request => {
                let fits = |byte: u8| byte == b'\n' || (b' '..=b'~').contains(&byte);
                (1..=LONGEST_REQUEST).contains(&text.len()) && text.bytes().all(fits)
            }
        }
    }
}

fn is<T: FromStr>(text: &str) -> bool {
    text.parse::<T>().is_ok()
}

/// A decimal number without leading zeros or sign.
pub(crate) fn number<T: FromStr + ToString>(text: &str) -> Option<T> {
    text.parse::<T>().ok().filter(|number| number.to_string() == text)
}

pub(crate) fn days(text: &str) -> Option<u16> {
    number(text).filter(|days| (1..=36_500).contains(days))
}

pub(crate) fn service(text: &str) -> Option<Service> {
    Service::ALL.into_iter().find(|service| service.name() == text)
}

pub(crate) fn base_date(text: &str) -> Option<BaseDate> {
    number::<u16>(text).and_then(|year| BaseDate::try_from(year).ok())
}

/// Codes with commas between, each once, in rising order.
pub(crate) fn groups(text: &str) -> Option<BTreeSet<SupplyGroupCode>> {
    let codes: Vec<SupplyGroupCode> =
        text.split(',').take(MOST_GROUPS + 1).map(str::parse).collect::<Result<_, _>>().ok()?;
    let rising = codes.is_sorted_by(|a, b| a < b);
    (rising && codes.len() <= MOST_GROUPS).then(|| codes.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_takes_its_one_form() {
        let hundred: Vec<String> = (0..100).map(|n| format!("{n:06}")).collect();
        let hundred = hundred.join(",");
        let hundred_and_one = format!("{hundred},000200");
        let longest = "a".repeat(LONGEST_REQUEST);
        let too_long = "a".repeat(LONGEST_REQUEST + 1);
        // (kind, taken, refused)
        let cases: &[(FieldKind, &[&str], &[&str])] = &[
            (FieldKind::Text, &["a", "Köln"], &["", " a", "a\n"]),
            (FieldKind::Customer, &["1", "999999"], &["0", "01", "1000000"]),
            (FieldKind::Group, &["000000", "999999"], &["1", "0000001", "00000a"]),
            (
                FieldKind::Groups,
                &["000123", "000123,000124", &hundred],
                &[
                    "",
                    "000124,000123",
                    "000123,000123",
                    "000123,",
                    "000123, 000124",
                    &hundred_and_one,
                ],
            ),
            (FieldKind::Name, &["North"], &["", "a;b", "é"]),
            (FieldKind::Service, &["electricity", "time"], &["", "Electricity", "steam"]),
            (FieldKind::UtilityKeyType, &["unique", "common"], &["default", "2", ""]),
            (FieldKind::Revision, &["1", "9"], &["0", "10", "01"]),
            (FieldKind::Algorithm, &["02", "03", "04"], &["01", "4", "05"]),
            (FieldKind::KeyExpiry, &["0", "255"], &["256", "00", "+1", "-1"]),
            (FieldKind::BaseDate, &["1993", "2014", "2035"], &["93", "2015", "02014"]),
            (FieldKind::Moment, &["2026-03-01T13:55:00Z"], &["2026-03-01", ""]),
            (FieldKind::Days, &["1", "36500"], &["0", "36501", "01"]),
            (FieldKind::UnitLimit, &["-", "0", "4294967295"], &["", "01", "4294967296"]),
            (FieldKind::CurrencyLimit, &["-", "0"], &["", "1.5"]),
            (FieldKind::SubClasses, &["-", "0145"], &["", "10", "8"]),
            (FieldKind::Cluster, &["0", "65535"], &["", "65536", "00"]),
            (FieldKind::Module, &["SM-1"], &["", "-a", "a b"]),
            (
                FieldKind::Request,
                &["VKR;…".get(..4).unwrap(), "a\nb\n", &longest],
                &["", "a\r\n", "é", &too_long],
            ),
        ];
        for (kind, taken, refused) in cases {
            for text in *taken {
                assert!(kind.takes(text), "{kind:?} takes {text:?}");
            }
            for text in *refused {
                assert!(!kind.takes(text), "{kind:?} refuses {text:?}");
            }
        }
    }
}
