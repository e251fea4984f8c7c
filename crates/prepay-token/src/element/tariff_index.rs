//! *TariffIndex* (TI): the number of a meter's tariff, which is part of its key.
//!
//! The standard writes this one element in three codings. A mix-up goes unnoticed for the indexes
//! 00 to 09 and gives a wrong key or token for the others:
//!
//! | where | coding | index 99 |
//! |---|---|---|
//! | *CONTROLBlock* | two BCD digits, [`TariffIndex::bcd`] | 1001 1001 |
//! | data block of DKGA04 | two ASCII digits, [`TariffIndex::ascii`] | `"99"` |
//! | *Set2ndSectionDecoderKey* token | 8-bit binary, [`TariffIndex::value`] | 0110 0011 |
//!
//! - Text: two decimal digits, padded left with a zero.
//! - Source: IEC 62055-41:2018, data element *TariffIndex*.
//! - Elsewhere: prices. A meter knows the index, never the tariff.

use super::digits::{self, decimal_element};

/// A tariff index: two decimal digits that take part in the derivation of a decoder key.
///
/// A meter moved to another index needs another key, and so a set of key change tokens. Text and
/// value agree both ways: `"07"` is 7, and `"7"` is not an index.
///
/// Source: IEC 62055-41:2018, data element *TariffIndex*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TariffIndex(u8); // Invariant: at most 99.

impl TariffIndex {
    /// The index as a number, 0 to 99: the coding of the *Set2ndSectionDecoderKey* token.
    #[must_use]
    pub const fn value(self) -> u8 {
        self.0
    }

    /// Two digits of four bits each, 0x00 to 0x99: the coding of *CONTROLBlock*.
    #[must_use]
    pub const fn bcd(self) -> u8 {
        ((self.0 / 10) << 4) + self.0 % 10
    }

    /// Two ASCII digits: the coding of the data block of DKGA04.
    #[must_use]
    pub const fn ascii(self) -> [u8; 2] {
        digits::ascii(self.0 as u32)
    }
}

decimal_element!(TariffIndex(u8), "tariff index", 2 digits, 0..=99);

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;
    use crate::element::Problem;

    #[test]
    fn three_codings_differ_from_ten_upwards() {
        // (text, value, BCD): the last index where all agree, the first where not, and the ends.
        const CASES: &[(&str, u8, u8)] = &[
            ("00", 0, 0x00),
            ("01", 1, 0x01),
            ("09", 9, 0x09),
            ("10", 10, 0x10),
            ("99", 0b0110_0011, 0b1001_1001),
        ];
        for &(text, value, bcd) in CASES {
            let index: TariffIndex = text.parse().unwrap();
            assert_eq!(index.value(), value, "index {text}");
            assert_eq!(index.bcd(), bcd, "index {text}");
            assert_eq!(&index.ascii(), text.as_bytes(), "index {text}");
            assert_eq!(index.to_string(), text);
            assert_eq!(TariffIndex::try_from(value), Ok(index), "index {text}");
        }
    }

    #[test]
    fn other_texts_and_numbers_are_refused() {
        // (text, problem)
        const CASES: &[(&str, Problem)] = &[
            ("7", Problem::Length { expected: &[2], found: 1 }),
            ("100", Problem::Length { expected: &[2], found: 3 }),
            ("+7", Problem::NotDigit { index: 0 }),
        ];
        for &(text, problem) in CASES {
            assert_eq!(text.parse::<TariffIndex>().unwrap_err().problem, problem, "{text:?}");
        }
        let error = TariffIndex::try_from(100).unwrap_err();
        assert_eq!(error.problem, Problem::Range { lowest: 0, highest: 99, found: 100 });
    }
}
