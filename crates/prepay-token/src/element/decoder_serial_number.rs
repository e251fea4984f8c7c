//! *DecoderSerialNumber* (DSN): the number that a manufacturer gives a meter.
//!
//! - Text: eight decimal digits, padded left with zeros.
//! - Source: IEC 62055-41:2018, data element *DecoderReferenceNumber*, of which it is a part.

use super::digits::{self, decimal_element};

/// A decoder serial number: eight decimal digits, unique under one manufacturer code.
///
/// Source: IEC 62055-41:2018, data element *DecoderReferenceNumber*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DecoderSerialNumber(u32); // Invariant: at most 99_999_999.

impl DecoderSerialNumber {
    /// The number in eight ASCII digits.
    pub(super) fn from_ascii(ascii: &[u8; 8]) -> Self {
        Self(digits::value(ascii))
    }

    /// The number, 0 to 99 999 999.
    #[must_use]
    pub const fn value(self) -> u32 {
        self.0
    }

    /// The eight ASCII digits.
    #[must_use]
    pub const fn ascii(self) -> [u8; 8] {
        digits::ascii(self.0)
    }
}

decimal_element!(DecoderSerialNumber(u32), "decoder serial number", 8 digits, 0..=99_999_999);

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;
    use crate::element::Problem;

    #[test]
    fn eight_digits_are_a_serial_number() {
        for (text, value) in [("00000000", 0), ("00000123", 123), ("99999999", 99_999_999)] {
            let serial: DecoderSerialNumber = text.parse().unwrap();
            assert_eq!(serial.value(), value);
            assert_eq!(serial.to_string(), text);
            assert_eq!(&serial.ascii(), text.as_bytes());
            assert_eq!(DecoderSerialNumber::from_ascii(&serial.ascii()), serial);
            assert_eq!(DecoderSerialNumber::try_from(value), Ok(serial));
        }
    }

    #[test]
    fn other_texts_and_numbers_are_refused() {
        let error = "1234567".parse::<DecoderSerialNumber>().unwrap_err();
        assert_eq!(error.problem, Problem::Length { expected: &[8], found: 7 });
        let error = DecoderSerialNumber::try_from(100_000_000).unwrap_err();
        let highest = 99_999_999;
        assert_eq!(error.problem, Problem::Range { lowest: 0, highest, found: highest + 1 });
    }
}
