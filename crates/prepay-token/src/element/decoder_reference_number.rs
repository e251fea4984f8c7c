//! *DecoderReferenceNumber* (DRN): the meter number that customers know.
//!
//! ```text
//!   two-digit code    | M M | S S S S S S S S | C |       11 digits, IIN 600727
//!   four-digit code   | M M M M | S S S S S S S S | C |   13 digits, IIN 0000
//!
//!   M  manufacturer code    S  decoder serial number    C  check digit of M and S
//! ```
//!
//! The check digit must be verified on entry and stops a sale. It detects every single wrong digit
//! and nearly every swap of two neighbours (not 09 and 90).
//!
//! - Source: IEC 62055-41:2018, data element *DecoderReferenceNumber*; check digit as ISO/IEC 7812-1.
//! - Elsewhere: the number that identifies the meter to keys and cards ([`MeterPan`](super::MeterPan)).

use core::error::Error;
use core::fmt;
use core::str::FromStr;

use super::{DecoderSerialNumber, ManufacturerCode, ParseElementError, digits};

const NAME: &str = "decoder reference number";

/// A decoder reference number: manufacturer code, serial number and check digit.
///
/// It has 11 digits with a manufacturer code of two digits and 13 with one of four. Text and value
/// agree both ways. The order is that of manufacturer, then serial number.
///
/// ```
/// # use prepay_token::element::{DecoderReferenceNumber, ParseMeterNumberError};
/// let drn: DecoderReferenceNumber = "12345678903".parse()?;
/// assert_eq!(drn.manufacturer().value(), 12);
/// assert_eq!(drn.serial().value(), 34_567_890);
///
/// let mistyped = "12345678904".parse::<DecoderReferenceNumber>();
/// assert_eq!(mistyped, Err(ParseMeterNumberError::DrnCheckDigit { expected: 3, found: 4 }));
/// # Ok::<(), ParseMeterNumberError>(())
/// ```
///
/// Source: IEC 62055-41:2018, data element *DecoderReferenceNumber*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DecoderReferenceNumber {
    manufacturer: ManufacturerCode,
    serial: DecoderSerialNumber,
    check_digit: u8, // Invariant: the check digit of the fields above.
}

/// Why a text is not a meter number: neither a DRN nor a MeterPAN.
///
/// Ask for the number again. A wrong check digit means a mistyped number, and `expected` is a
/// remark for the log, not a correction: the wrong digit may be any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ParseMeterNumberError {
    /// The text has the wrong length or contains something other than digits.
    Digits(ParseElementError),
    /// The last digit of the DRN does not fit the manufacturer code and serial number.
    DrnCheckDigit {
        /// The digit that fits, 0 to 9.
        expected: u8,
        /// The digit in its place.
        found: u8,
    },
    /// The DRN is right, but the last digit of the MeterPAN does not fit the digits before it.
    PanCheckDigit {
        /// The digit that fits, 0 to 9.
        expected: u8,
        /// The digit in its place.
        found: u8,
    },
}

impl DecoderReferenceNumber {
    /// Composes a meter number and computes its check digit.
    #[must_use]
    pub fn new(manufacturer: ManufacturerCode, serial: DecoderSerialNumber) -> Self {
        let mut drn = Self { manufacturer, serial, check_digit: 0 };
        drn.check_digit = digits::luhn_check_digit_of_ascii(&drn.ascii_in_13()[..12]);
        drn
    }

    /// The parts in ASCII. The caller has verified the check digit.
    pub(super) fn from_ascii(manufacturer: &[u8], serial: &[u8; 8], check_digit: u8) -> Self {
        Self {
            manufacturer: ManufacturerCode::from_ascii(manufacturer),
            serial: DecoderSerialNumber::from_ascii(serial),
            check_digit: check_digit & 0xF,
        }
    }

    /// The ASCII digits, those of the 11-digit form padded left with two zeros.
    pub(super) fn ascii_in_13(self) -> [u8; 13] {
        let mut ascii = [b'0'; 13];
        ascii[..4].copy_from_slice(&digits::ascii::<4>(self.manufacturer.value().into()));
        ascii[4..12].copy_from_slice(&self.serial.ascii());
        ascii[12] += self.check_digit;
        ascii
    }

    /// The manufacturer code: the first two or four digits.
    #[must_use]
    pub const fn manufacturer(self) -> ManufacturerCode {
        self.manufacturer
    }

    /// The decoder serial number: the eight digits before the last.
    #[must_use]
    pub const fn serial(self) -> DecoderSerialNumber {
        self.serial
    }

    /// The last digit, 0 to 9.
    #[must_use]
    pub const fn check_digit(self) -> u8 {
        self.check_digit
    }

    /// The count of digits, 11 or 13.
    #[must_use]
    pub const fn digit_count(self) -> usize {
        if self.manufacturer.is_two_digit() { 11 } else { 13 }
    }
}

impl FromStr for DecoderReferenceNumber {
    type Err = ParseMeterNumberError;

    /// Accepts exactly 11 or exactly 13 ASCII digits, the last of them the right check digit.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let ascii = digits::of_lengths(NAME, text, &[11, 13])?;
        let (manufacturer, rest) = ascii.split_last_chunk::<9>().expect("at least 11 digits");
        let [serial @ .., last] = rest;
        let expected = digits::luhn_check_digit_of_ascii(&ascii[..ascii.len() - 1]);
        let found = last & 0xF;
        if expected != found {
            return Err(ParseMeterNumberError::DrnCheckDigit { expected, found });
        }
        Ok(Self::from_ascii(manufacturer, serial, *last))
    }
}

impl fmt::Display for DecoderReferenceNumber {
    /// Writes 11 or 13 digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.manufacturer, self.serial, self.check_digit)
    }
}

impl From<ParseElementError> for ParseMeterNumberError {
    fn from(error: ParseElementError) -> Self {
        Self::Digits(error)
    }
}

impl fmt::Display for ParseMeterNumberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, expected, found) = match self {
            Self::Digits(error) => return error.fmt(f),
            Self::DrnCheckDigit { expected, found } => {
                ("decoder reference number", expected, found)
            }
            Self::PanCheckDigit { expected, found } => ("meter PAN", expected, found),
        };
        write!(f, "{name}: wrong check digit: expected {expected}, found {found}")
    }
}

/// `Digits` speaks with the voice of the error it holds, so there is no lower error to name.
impl Error for ParseMeterNumberError {}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;
    use crate::element::Problem;

    // (text, manufacturer code, serial number, check digit): numbers of the STS conformance run.
    const PUBLISHED: &[(&str, &str, u32, u8)] = &[
        ("00000000000", "00", 0, 0),
        ("0100000000008", "0100", 0, 8),
        ("11111111115", "11", 11_111_111, 5),
        ("12345678903", "12", 34_567_890, 3),
    ];

    #[test]
    fn published_numbers_split_and_compose() {
        for &(text, code, serial, check) in PUBLISHED {
            let drn: DecoderReferenceNumber = text.parse().unwrap();
            assert_eq!(drn.manufacturer().to_string(), code);
            assert_eq!(drn.serial().value(), serial);
            assert_eq!(drn.check_digit(), check);
            assert_eq!(drn.digit_count(), text.len());
            assert_eq!(drn.to_string(), text);
            let serial = DecoderSerialNumber::try_from(serial).unwrap();
            assert_eq!(DecoderReferenceNumber::new(code.parse().unwrap(), serial), drn);
        }
    }

    #[test]
    fn numbers_of_the_conformance_test_with_a_wrong_check_digit_are_refused() {
        // (text, expected, found)
        for (text, expected, found) in [("12345678904", 3, 4), ("11111111113", 5, 3)] {
            let error = text.parse::<DecoderReferenceNumber>().unwrap_err();
            assert_eq!(error, ParseMeterNumberError::DrnCheckDigit { expected, found });
            let line = std::format!(
                "decoder reference number: wrong check digit: expected {expected}, found {found}"
            );
            assert_eq!(error.to_string(), line);
        }
    }

    #[test]
    fn only_one_last_digit_is_right() {
        for &(text, _, _, check) in PUBLISHED {
            for last in 0..=9 {
                let changed = std::format!("{}{last}", &text[..text.len() - 1]);
                let parsed = changed.parse::<DecoderReferenceNumber>();
                assert_eq!(parsed.is_ok(), last == check, "{changed}");
            }
        }
    }

    #[test]
    fn other_texts_are_refused() {
        const LENGTHS: &[usize] = &[11, 13];
        // (text, problem)
        const CASES: &[(&str, Problem)] = &[
            ("", Problem::Length { expected: LENGTHS, found: 0 }),
            ("1234567890", Problem::Length { expected: LENGTHS, found: 10 }),
            ("123456789030", Problem::Length { expected: LENGTHS, found: 12 }),
            ("60072712345678903", Problem::Length { expected: LENGTHS, found: 17 }),
            ("1234567890X", Problem::NotDigit { index: 10 }),
            ("12 345678903", Problem::Length { expected: LENGTHS, found: 12 }),
            ("12-34567890-3", Problem::NotDigit { index: 2 }),
        ];
        for &(text, problem) in CASES {
            let error = ParseElementError { element: NAME, problem };
            let parsed = text.parse::<DecoderReferenceNumber>();
            assert_eq!(parsed, Err(ParseMeterNumberError::Digits(error)), "text = {text:?}");
        }
    }
}
