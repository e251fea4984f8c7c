//! *MfrCode*: the manufacturer of a meter.
//!
//! A code has two or four digits, and the form belongs to it: `01` and `0001` are different codes.
//! The form decides the shape of the meter number ([`DecoderReferenceNumber`]) and the layout of
//! class 1 tokens:
//!
//! | form | meter number | field in class 1 tokens |
//! |---|---|---|
//! | two digits | 11 digits | 8 bits |
//! | four digits | 13 digits | 16 bits |
//!
//! - Text: two or four decimal digits, padded left with zeros.
//! - On a token: plain binary, not BCD, so 92 is 0x5C. A meter that keeps its own code as digits has
//!   to convert before it compares.
//! - Source: IEC 62055-41:2018, data elements *DecoderReferenceNumber* and *MfrCode*.
//! - Elsewhere: names of manufacturers. The STS Association assigns the codes; no complete list is
//!   public.
//!
//! [`DecoderReferenceNumber`]: super::DecoderReferenceNumber

use core::fmt;
use core::str::FromStr;

use super::{ParseElementError, digits};

const NAME: &str = "manufacturer code";

/// A manufacturer code of two or four decimal digits.
///
/// Text and value agree both ways, the form included: `"07"` and `"0007"` have the same
/// [`value`](Self::value) and are different codes. Codes of two digits sort before those of four.
///
/// Source: IEC 62055-41:2018, data element *MfrCode*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ManufacturerCode {
    form: Form,
    value: u16, // Invariant: at most 99 in the form of two digits, else at most 9999.
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Form {
    TwoDigits,
    FourDigits,
}

impl ManufacturerCode {
    /// A code of two digits, 0 to 99, as in meter numbers of 11 digits.
    ///
    /// # Errors
    ///
    /// [`ParseElementError`] above 99.
    pub fn two_digits(value: u8) -> Result<Self, ParseElementError> {
        let value = ParseElementError::check_range(NAME, value, 0..=99)?;
        Ok(Self { form: Form::TwoDigits, value: value.into() })
    }

    /// A code of four digits, 0 to 9999, as in meter numbers of 13 digits.
    ///
    /// # Errors
    ///
    /// [`ParseElementError`] above 9999.
    pub fn four_digits(value: u16) -> Result<Self, ParseElementError> {
        let value = ParseElementError::check_range(NAME, value, 0..=9999)?;
        Ok(Self { form: Form::FourDigits, value })
    }

    /// The code in two or four ASCII digits.
    pub(super) fn from_ascii(ascii: &[u8]) -> Self {
        debug_assert!(matches!(ascii.len(), 2 | 4), "the caller splits a number of known length");
        let form = if ascii.len() == 2 { Form::TwoDigits } else { Form::FourDigits };
        Self { form, value: digits::value(ascii) as u16 }
    }

    /// The code as a number, at most 99 or 9999: the binary field of a class 1 token.
    #[must_use]
    pub const fn value(self) -> u16 {
        self.value
    }

    /// Whether the code has two digits, rather than four.
    #[must_use]
    pub const fn is_two_digit(self) -> bool {
        matches!(self.form, Form::TwoDigits)
    }

    /// Whether this is `00` or `0000`, which in a class 1 token addresses the meters of every
    /// manufacturer.
    #[must_use]
    pub const fn is_any(self) -> bool {
        self.value == 0
    }
}

impl FromStr for ManufacturerCode {
    type Err = ParseElementError;

    /// Accepts exactly two or exactly four ASCII digits.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        digits::of_lengths(NAME, text, &[2, 4]).map(Self::from_ascii)
    }
}

impl fmt::Display for ManufacturerCode {
    /// Writes two or four digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.form {
            Form::TwoDigits => write!(f, "{:02}", self.value),
            Form::FourDigits => write!(f, "{:04}", self.value),
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;
    use crate::element::Problem;

    #[test]
    fn form_is_part_of_the_code() {
        // (text, value, has two digits, addresses every meter)
        const CASES: &[(&str, u16, bool, bool)] = &[
            ("00", 0, true, true),
            ("0000", 0, false, true),
            ("01", 1, true, false),
            ("0001", 1, false, false),
            ("92", 0x5C, true, false), // Binary, not 0x92.
            ("99", 99, true, false),
            ("0100", 100, false, false),
            ("9999", 9999, false, false),
        ];
        for &(text, value, two_digits, any) in CASES {
            let code: ManufacturerCode = text.parse().unwrap();
            assert_eq!(code.value(), value, "code {text}");
            assert_eq!(code.is_two_digit(), two_digits, "code {text}");
            assert_eq!(code.is_any(), any, "code {text}");
            assert_eq!(code.to_string(), text);
            let made = match u8::try_from(value) {
                Ok(value) if two_digits => ManufacturerCode::two_digits(value),
                _ => ManufacturerCode::four_digits(value),
            };
            assert_eq!(made, Ok(code), "code {text}");
        }
    }

    #[test]
    fn other_texts_and_numbers_are_refused() {
        const LENGTHS: &[usize] = &[2, 4];
        // (text, problem)
        const CASES: &[(&str, Problem)] = &[
            ("", Problem::Length { expected: LENGTHS, found: 0 }),
            ("1", Problem::Length { expected: LENGTHS, found: 1 }),
            ("001", Problem::Length { expected: LENGTHS, found: 3 }),
            ("00001", Problem::Length { expected: LENGTHS, found: 5 }),
            ("1x", Problem::NotDigit { index: 1 }),
            ("10-1", Problem::NotDigit { index: 2 }),
        ];
        for &(text, problem) in CASES {
            let error = ParseElementError { element: NAME, problem };
            assert_eq!(text.parse::<ManufacturerCode>(), Err(error), "text = {text:?}");
        }
        let above = |highest, found| Problem::Range { lowest: 0, highest, found };
        let error = ManufacturerCode::two_digits(100).unwrap_err();
        assert_eq!(error.problem, above(99, 100));
        let error = ManufacturerCode::four_digits(10_000).unwrap_err();
        assert_eq!(error.problem, above(9999, 10_000));
    }
}
