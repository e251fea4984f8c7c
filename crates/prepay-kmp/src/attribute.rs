//! The attributes of a vending key: a key management centre sets them, a module enforces them.
//!
//! | tag | element | type |
//! |-----|---------|------|
//! | SGC | supply group code | [`SupplyGroupCode`] |
//! | KRN | key revision number | [`KeyRevisionNumber`] |
//! | KT  | key type, 1 to 3 | [`VendingKeyType`] |
//! | DKGA | algorithm that derives decoder keys | [`DecoderKeyGenerationAlgorithm`] |
//! | KEN | key expiry number | [`KeyExpiryNumber`] |
//! | BDT | base date | [`BaseDate`] |
//! | ACT | from when the key may be used | [`Moment`] |
//! | IUT | until when it may be used, key changes included | [`Moment`] |
//! | CLM | credit in currency that may still be issued | [`CurrencyLimit`] |
//! | ULM | credit in units that may still be issued | [`UnitLimit`] |
//! | CLU | cluster, within which keys may be changed | [`Cluster`] |
//! |     | sub-classes of class 0 that may be issued | [`SubClassSet`] |
//! | KCV | check value | [`KeyCheckValue`] |
//!
//! - Source: STS 600-4-2, vending key attributes, as public material shows them. The widths of ULM and CLU
//!   and the form of the sub-class set are not public: those here are our own.

use std::fmt;
use std::str::FromStr;

use prepay_token::element::{
    BaseDate, DecoderKeyGenerationAlgorithm, IssueTimeError, KeyExpiryNumber, KeyRevisionNumber,
    KeyType, SupplyGroupCode,
};
use prepay_token::key::key_covers;

use prepay_basics::Moment;

/// Everything that a centre sets for one vending key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VendingKeyAttributes {
    /// SGC: the supply group.
    pub supply_group: SupplyGroupCode,
    /// KRN: the revision within the group.
    pub key_revision: KeyRevisionNumber,
    /// KT: what the key may do.
    pub key_type: VendingKeyType,
    /// DKGA: how decoder keys are derived.
    pub algorithm: DecoderKeyGenerationAlgorithm,
    /// KEN: the last block of token identifiers that the key may carry.
    pub expiry: KeyExpiryNumber,
    /// BDT: from when token identifiers count.
    pub base_date: BaseDate,
    /// ACT: before this moment nothing is issued.
    pub activation: Moment,
    /// IUT: after this moment nothing is issued, key changes included.
    pub issued_until: Moment,
    /// ULM: credit in units that may be issued until the next load.
    pub unit_limit: UnitLimit,
    /// CLM: credit in currency that may be issued until the next load.
    pub currency_limit: CurrencyLimit,
    /// CLU: the cluster.
    pub cluster: Cluster,
    /// Which sub-classes of class 0 may be issued.
    pub sub_classes: SubClassSet,
    /// The name of the group, for people.
    pub name: GroupName,
}

impl VendingKeyAttributes {
    /// Every attribute beside group and revision, each with its tag and its value as people read it.
    pub fn listed(&self) -> [(&'static str, String); 11] {
        let Self { key_type, algorithm, expiry, base_date, activation, issued_until, .. } = self;
        [
            ("KT", key_type.key_type().value().to_string()),
            ("DKGA", algorithm.to_string()),
            ("KEN", expiry.to_string()),
            ("BDT", base_date.to_string()),
            ("ACT", activation.to_string()),
            ("IUT", issued_until.to_string()),
            ("ULM", self.unit_limit.to_string()),
            ("CLM", self.currency_limit.to_string()),
            ("CLU", self.cluster.to_string()),
            ("sub-classes", self.sub_classes.to_string()),
            ("name", format!("{:?}", self.name.as_str())),
        ]
    }

    /// Whether KEN forbids tokens with the identifier of this minute.
    ///
    /// Before the base date there is no identifier, so nothing has expired; after the last identifier of the
    /// base date everything has.
    pub fn is_expired(&self, now: Moment) -> bool {
        match self.base_date.identifier_at(now.minute()) {
            Ok(identifier) => !key_covers(self.expiry, identifier),
            Err(IssueTimeError::BeforeBaseDate { .. }) => false,
            Err(IssueTimeError::AfterRange { .. }) => true,
        }
    }
}

/// A value that an element does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeError {
    /// The element.
    pub element: &'static str,
    /// What it takes.
    pub expected: &'static str,
    /// What was found.
    pub found: String,
}

impl AttributeError {
    fn new(element: &'static str, expected: &'static str, found: impl fmt::Display) -> Self {
        Self { element, expected, found: found.to_string() }
    }
}

impl fmt::Display for AttributeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { element, expected, found } = self;
        write!(f, "{element}: expected {expected}, found {found:?}")
    }
}

impl std::error::Error for AttributeError {}

/// The key type of a vending key: a decoder key type other than the initialization key, which has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VendingKeyType(KeyType); // Invariant: not Initialization.

impl VendingKeyType {
    /// VDDK: only leads to another key, no credit.
    pub const DEFAULT: Self = Self(KeyType::Default);
    /// VUDK: normal operation.
    pub const UNIQUE: Self = Self(KeyType::Unique);
    /// VCDK: one key for a whole group, on magnetic cards only.
    pub const COMMON: Self = Self(KeyType::Common);

    /// The type of the decoder keys derived from it.
    pub const fn key_type(self) -> KeyType {
        self.0
    }
}

impl TryFrom<KeyType> for VendingKeyType {
    type Error = AttributeError;

    fn try_from(key_type: KeyType) -> Result<Self, Self::Error> {
        match key_type {
            KeyType::Initialization => Err(AttributeError::new("KT", "1 to 3", 0)),
            key_type => Ok(Self(key_type)),
        }
    }
}

impl fmt::Display for VendingKeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of a key register: 1 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegisterNumber(u16); // Invariant: 1 to 9999.

impl RegisterNumber {
    /// The number.
    pub const fn value(self) -> u16 {
        self.0
    }
}

impl TryFrom<u16> for RegisterNumber {
    type Error = AttributeError;

    fn try_from(found: u16) -> Result<Self, Self::Error> {
        match found {
            1..=9999 => Ok(Self(found)),
            _ => Err(AttributeError::new("register", "1 to 9999", found)),
        }
    }
}

impl FromStr for RegisterNumber {
    type Err = AttributeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse::<u16>().ok().filter(|_| digits && !text.starts_with('0'));
        number
            .and_then(|number| Self::try_from(number).ok())
            .ok_or_else(|| AttributeError::new("register", "1 to 9999", text))
    }
}

impl fmt::Display for RegisterNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A cluster: key changes stay within one. Only cluster 0 is defined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Cluster(pub u16);

impl fmt::Display for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A set of sub-classes of class 0: 0 to 3 in units, 4 to 7 in currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SubClassSet(u8); // Bit n is sub-class n.

impl SubClassSet {
    /// Every sub-class.
    pub const ALL: Self = Self(0xFF);
    /// No sub-class: management and key changes only.
    pub const NONE: Self = Self(0);

    /// The set whose bit n says whether it contains sub-class n.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// Bit n says whether the set contains sub-class n.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether the set contains a sub-class.
    pub const fn contains(self, sub_class: u8) -> bool {
        sub_class < 8 && self.0 >> sub_class & 1 == 1
    }
}

impl FromStr for SubClassSet {
    type Err = AttributeError;

    /// Accepts the digits of its members in rising order, as `0145`, or `-` for none.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || {
            let expected = "digits 0 to 7 in rising order, or \"-\"";
            AttributeError::new("sub-classes", expected, text)
        };
        if text == "-" {
            return Ok(Self::NONE);
        }
        let rising = text.as_bytes().is_sorted_by(|a, b| a < b);
        if text.is_empty() || !rising || !text.bytes().all(|digit| (b'0'..=b'7').contains(&digit)) {
            return Err(error());
        }
        Ok(Self(text.bytes().fold(0, |bits, digit| bits | 1 << (digit - b'0'))))
    }
}

impl fmt::Display for SubClassSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::NONE {
            return f.pad("-");
        }
        let members: String =
            (0..8).filter(|&n| self.contains(n)).map(|n| char::from(b'0' + n)).collect();
        f.pad(&members)
    }
}

impl fmt::Debug for SubClassSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubClassSet({self})")
    }
}

/// Makes a limit of 32 bits, or none.
macro_rules! limit {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub struct $name(pub Option<u32>);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.0 {
                    Some(limit) => limit.fmt(f),
                    None => f.pad("-"),
                }
            }
        }

        impl FromStr for $name {
            type Err = AttributeError;

            /// Accepts a decimal number without leading zeros, or `-` for no limit.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                if text == "-" {
                    return Ok(Self(None));
                }
                let number = text.parse::<u32>().ok().filter(|number| number.to_string() == text);
                match number {
                    Some(number) => Ok(Self(Some(number))),
                    None => {
                        let expected = "0 to 4294967295, or \"-\"";
                        Err(AttributeError::new(stringify!($name), expected, text))
                    }
                }
            }
        }
    };
}

limit! {
    /// ULM: how many whole units of the service (kWh, m³, minutes) may be issued; nothing for no limit.
    UnitLimit
}

limit! {
    /// CLM: how many whole units of the base currency may be issued; nothing for no limit.
    CurrencyLimit
}

/// The name of a supply group: at most 40 printable ASCII characters, no semicolon. May be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct GroupName(Box<str>); // Invariant: as above, no blank at either end.

impl GroupName {
    /// The greatest length.
    pub const MAX_LENGTH: usize = 40;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for GroupName {
    type Err = AttributeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let printable = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b';';
        if text.len() > Self::MAX_LENGTH || !text.bytes().all(printable) || text.trim() != text {
            let expected = "at most 40 printable ASCII characters without semicolon";
            return Err(AttributeError::new("group name", expected, text));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A check value: three bytes that show whether two parties hold the same key.
///
/// The rule of the standard is not public. Ours is a different one, so it is written with a prefix, as in
/// `open-4FA21C`. Never compare it with the check value of a real centre.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyCheckValue([u8; 3]);

impl KeyCheckValue {
    /// The text before the digits.
    pub const PREFIX: &str = "open-";

    /// The check value with these bytes.
    pub const fn from_bytes(bytes: [u8; 3]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn bytes(self) -> [u8; 3] {
        self.0
    }
}

impl fmt::Display for KeyCheckValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c] = self.0;
        write!(f, "{}{a:02X}{b:02X}{c:02X}", Self::PREFIX)
    }
}

impl fmt::Debug for KeyCheckValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyCheckValue({self})")
    }
}

impl FromStr for KeyCheckValue {
    type Err = AttributeError;

    /// Accepts the prefix and six upper-case hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || AttributeError::new("KCV", "\"open-\" and six hexadecimal digits", text);
        let digits = text.strip_prefix(Self::PREFIX).ok_or_else(error)?;
        let upper = |byte: u8| matches!(byte, b'0'..=b'9' | b'A'..=b'F');
        if digits.len() != 6 || !digits.bytes().all(upper) {
            return Err(error());
        }
        let value = u32::from_str_radix(digits, 16).map_err(|_| error())?;
        let [_, a, b, c] = value.to_be_bytes();
        Ok(Self([a, b, c]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_value_agree_both_ways() {
        for text in ["-", "0", "01234567", "145"] {
            assert_eq!(text.parse::<SubClassSet>().unwrap().to_string(), text);
        }
        for text in ["-", "0", "4294967295"] {
            assert_eq!(text.parse::<UnitLimit>().unwrap().to_string(), text);
            assert_eq!(text.parse::<CurrencyLimit>().unwrap().to_string(), text);
        }
        for text in ["open-000000", "open-4FA21C"] {
            assert_eq!(text.parse::<KeyCheckValue>().unwrap().to_string(), text);
        }
        for text in ["1", "9999"] {
            assert_eq!(text.parse::<RegisterNumber>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "10", "00", "8", "a", "0 1"] {
            assert!(text.parse::<SubClassSet>().is_err(), "{text:?}");
        }
        for text in ["", "01", "+1", "4294967296", "-1"] {
            assert!(text.parse::<UnitLimit>().is_err(), "{text:?}");
        }
        for text in ["4FA21C", "open-4fa21c", "open-4FA21", "open-4FA21C0", "open-+FA21C"] {
            assert!(text.parse::<KeyCheckValue>().is_err(), "{text:?}");
        }
        for text in ["", "0", "01", "10000", "+1"] {
            assert!(text.parse::<RegisterNumber>().is_err(), "{text:?}");
        }
        for text in [" a", "a;b", "é", &"a".repeat(41)] {
            assert!(text.parse::<GroupName>().is_err(), "{text:?}");
        }
        assert!(VendingKeyType::try_from(KeyType::Initialization).is_err());
    }
}
