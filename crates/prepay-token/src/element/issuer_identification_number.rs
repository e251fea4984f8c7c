//! *IssuerIdentificationNumber* (IIN): the leading digits of a MeterPAN.
//!
//! Two are in use, and they tell the two forms of meter numbers apart: `600727` before a number of
//! 11 digits and `0000` before one of 13. Other issuers of six digits are possible but not in use;
//! we accept them, because a PAN with right check digits was not mistyped.
//!
//! - Source: IEC 62055-41:2018, data element *MeterPAN*; ISO/IEC 7812-1.

use core::fmt;
use core::str::FromStr;

use super::{ParseElementError, Problem, digits};

const NAME: &str = "issuer identification number";

/// An issuer identification number: `0000`, or six digits that do not begin with `0000`.
///
/// Source: IEC 62055-41:2018, data element *MeterPAN*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IssuerIdentificationNumber(u32); // Invariant: 0, which is `0000`, or 100 to 999_999.

impl IssuerIdentificationNumber {
    /// `600727`, before meter numbers of 11 digits.
    pub const STS: Self = Self(600_727);
    /// `0000`, before meter numbers of 13 digits.
    pub const FOUR_ZEROS: Self = Self(0);

    /// The issuer of a PAN that begins with these six ASCII digits.
    pub(super) fn from_ascii(ascii: &[u8; 6]) -> Self {
        if ascii.starts_with(b"0000") { Self::FOUR_ZEROS } else { Self(digits::value(ascii)) }
    }

    /// The number, 0 for `0000`.
    #[must_use]
    pub const fn value(self) -> u32 {
        self.0
    }

    /// The count of digits, 4 or 6. Meter number and check digit fill the PAN up to 18.
    #[must_use]
    pub const fn digit_count(self) -> usize {
        if self.0 == 0 { 4 } else { 6 }
    }
}

impl FromStr for IssuerIdentificationNumber {
    type Err = ParseElementError;

    /// Accepts `0000`, or exactly six ASCII digits from `000100`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = digits::of_lengths(NAME, text, &[4, 6])?;
        let (lowest, highest) = if digits.len() == 4 { (0, 0) } else { (100, 999_999) };
        let found = digits::value(digits);
        if (lowest..=highest).contains(&found) {
            Ok(Self(found))
        } else {
            let problem = Problem::Range { lowest, highest, found };
            Err(ParseElementError { element: NAME, problem })
        }
    }
}

impl fmt::Display for IssuerIdentificationNumber {
    /// Writes four or six digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0width$}", self.0, width = self.digit_count())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;

    #[test]
    fn four_zeros_or_six_other_digits_are_an_issuer() {
        // (text, value)
        const CASES: &[(&str, u32)] =
            &[("0000", 0), ("600727", 600_727), ("000100", 100), ("999999", 999_999)];
        for &(text, value) in CASES {
            let issuer: IssuerIdentificationNumber = text.parse().unwrap();
            assert_eq!(issuer.value(), value);
            assert_eq!(issuer.digit_count(), text.len());
            assert_eq!(issuer.to_string(), text);
        }
        assert_eq!("600727".parse(), Ok(IssuerIdentificationNumber::STS));
        assert_eq!("0000".parse(), Ok(IssuerIdentificationNumber::FOUR_ZEROS));
    }

    #[test]
    fn a_number_that_would_read_as_the_other_form_is_refused() {
        // (text, problem): behind six digits from 000000 to 000099 a PAN would split elsewhere.
        const CASES: &[(&str, Problem)] = &[
            ("000000", Problem::Range { lowest: 100, highest: 999_999, found: 0 }),
            ("000099", Problem::Range { lowest: 100, highest: 999_999, found: 99 }),
            ("0001", Problem::Range { lowest: 0, highest: 0, found: 1 }),
            ("6007", Problem::Range { lowest: 0, highest: 0, found: 6007 }),
            ("60072", Problem::Length { expected: &[4, 6], found: 5 }),
            ("60072x", Problem::NotDigit { index: 5 }),
        ];
        for &(text, problem) in CASES {
            let error = ParseElementError { element: NAME, problem };
            assert_eq!(text.parse::<IssuerIdentificationNumber>(), Err(error), "text = {text:?}");
        }
    }
}
