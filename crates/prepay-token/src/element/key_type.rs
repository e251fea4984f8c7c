//! *KeyType* (KT): what kind of key a decoder key is, and what it is derived from.
//!
//! | code | decoder key | derived from | shared by |
//! |---|---|---|---|
//! | 0 | DITK, initialization | nothing: the manufacturer's own | as the manufacturer decides |
//! | 1 | DDTK, default | VDDK | one meter; the manufacturer's group |
//! | 2 | DUTK, unique | VUDK | one meter; a utility's group |
//! | 3 | DCTK, common | VCDK | every meter of a utility's group with the same tariff index |
//!
//! - Text: one decimal digit. On a token: two bits. In *CONTROLBlock*: one BCD digit.
//! - Source: IEC 62055-41:2018, data element *KeyType*.
//! - Elsewhere: which type may replace which, and which type may carry credit.

use core::fmt;
use core::str::FromStr;

use super::{ParseElementError, digits};

const NAME: &str = "key type";

/// The type of a decoder key, and of the vending key it is derived from.
///
/// Source: IEC 62055-41:2018, data element *KeyType*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyType {
    /// Code 0, DITK: put into the meter in the factory. It has no vending key, hence no supply
    /// group, no key revision number and no key expiry number.
    Initialization = 0,
    /// Code 1, DDTK: the key a meter leaves the factory with, a step on the way to a utility's key.
    Default = 1,
    /// Code 2, DUTK: the key of one meter in normal operation.
    Unique = 2,
    /// Code 3, DCTK: one key for many meters, only for carriers that can be erased.
    Common = 3,
}

impl KeyType {
    /// Every type, in the order of their codes.
    pub const ALL: [Self; 4] = [Self::Initialization, Self::Default, Self::Unique, Self::Common];

    /// The code, 0 to 3.
    #[must_use]
    pub const fn value(self) -> u8 {
        self as u8
    }

    /// The name of a decoder key of this type: `"DITK"`, `"DDTK"`, `"DUTK"` or `"DCTK"`.
    #[must_use]
    pub const fn decoder_key_name(self) -> &'static str {
        match self {
            Self::Initialization => "DITK",
            Self::Default => "DDTK",
            Self::Unique => "DUTK",
            Self::Common => "DCTK",
        }
    }

    /// The name of the vending key behind it: `"VDDK"`, `"VUDK"` or `"VCDK"`, and none for
    /// [`KeyType::Initialization`].
    #[must_use]
    pub const fn vending_key_name(self) -> Option<&'static str> {
        match self {
            Self::Initialization => None,
            Self::Default => Some("VDDK"),
            Self::Unique => Some("VUDK"),
            Self::Common => Some("VCDK"),
        }
    }
}

impl TryFrom<u8> for KeyType {
    type Error = ParseElementError;

    /// Accepts 0 to 3.
    fn try_from(value: u8) -> Result<Self, Self::Error> {
        let code = ParseElementError::check_range(NAME, value, 0..=3)?;
        Ok(Self::ALL[usize::from(code)])
    }
}

impl FromStr for KeyType {
    type Err = ParseElementError;

    /// Accepts exactly one ASCII digit, 0 to 3.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::try_from(digits::decimal::<1>(NAME, text)? as u8)
    }
}

impl fmt::Display for KeyType {
    /// Writes the code, one digit.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.value())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;
    use crate::element::Problem;

    #[test]
    fn codes_and_names_are_those_of_the_standard() {
        // (type, code, decoder key, vending key)
        const CASES: &[(KeyType, u8, &str, Option<&str>)] = &[
            (KeyType::Initialization, 0, "DITK", None),
            (KeyType::Default, 1, "DDTK", Some("VDDK")),
            (KeyType::Unique, 2, "DUTK", Some("VUDK")),
            (KeyType::Common, 3, "DCTK", Some("VCDK")),
        ];
        for &(kind, code, decoder, vending) in CASES {
            assert_eq!(kind.value(), code);
            assert_eq!(kind.decoder_key_name(), decoder);
            assert_eq!(kind.vending_key_name(), vending);
            assert_eq!(KeyType::try_from(code), Ok(kind));
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
    }

    #[test]
    fn four_and_above_are_no_key_types() {
        for code in 4..=255 {
            let error = KeyType::try_from(code).unwrap_err();
            let problem = Problem::Range { lowest: 0, highest: 3, found: code.into() };
            assert_eq!(error, ParseElementError { element: "key type", problem });
        }
        assert!("4".parse::<KeyType>().is_err());
        assert!("02".parse::<KeyType>().is_err());
    }
}
