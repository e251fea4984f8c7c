//! *SupplyGroupCode* (SGC): the group of meters that share a vending key.
//!
//! ```text
//!   23                12   11                 0
//! +----------------------+----------------------+
//! |   SGCHO, high bits   |   SGCLO, low bits    |   201457 = 031 2F1 hex
//! +----------------------+----------------------+
//! ```
//!
//! - Text: six decimal digits, padded left with zeros.
//! - On a token: binary, in two halves of 12 bits that travel in different key change tokens.
//! - Source: IEC 62055-41:2018, data elements *SupplyGroupCode*, *SGCHO* and *SGCLO*.
//! - Elsewhere: which key type a group has. The code does not show it.

use super::ParseElementError;
use super::digits::{self, decimal_element};

const HALF_BITS: u32 = 12;
const HALF_MASK: u32 = (1 << HALF_BITS) - 1;

/// A supply group code: six decimal digits that name the meters sharing a vending key.
///
/// The key management centre assigns them. Text and value agree both ways: `"000123"` is 123, and
/// `"123"` is not a code.
///
/// ```
/// # use prepay_token::element::SupplyGroupCode;
/// let group: SupplyGroupCode = "201457".parse()?;
/// assert_eq!((group.high_bits(), group.low_bits()), (0x031, 0x2F1));
/// # Ok::<(), prepay_token::element::ParseElementError>(())
/// ```
///
/// Source: IEC 62055-41:2018, data element *SupplyGroupCode*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SupplyGroupCode(u32); // Invariant: at most 999_999.

impl SupplyGroupCode {
    /// Joins the two halves that a meter collects from key change tokens.
    ///
    /// # Errors
    ///
    /// [`ParseElementError`] if a half exceeds 12 bits, or if both together exceed 999 999, which
    /// 24 bits can.
    ///
    /// Source: IEC 62055-41:2018, data elements *SGCHO* and *SGCLO*.
    pub fn from_halves(high_bits: u16, low_bits: u16) -> Result<Self, ParseElementError> {
        let half =
            |name, bits: u16| ParseElementError::check_range(name, u32::from(bits), 0..=HALF_MASK);
        let high = half("high half of the supply group code", high_bits)?;
        let low = half("low half of the supply group code", low_bits)?;
        Self::try_from((high << HALF_BITS) + low)
    }

    /// The code as a number, 0 to 999 999.
    #[must_use]
    pub const fn value(self) -> u32 {
        self.0
    }

    /// The upper 12 of the 24 bits, at most 0x0F4.
    ///
    /// Source: IEC 62055-41:2018, data element *SGCHO*.
    #[must_use]
    pub const fn high_bits(self) -> u16 {
        (self.0 >> HALF_BITS) as u16
    }

    /// The lower 12 of the 24 bits.
    ///
    /// Source: IEC 62055-41:2018, data element *SGCLO*.
    #[must_use]
    pub const fn low_bits(self) -> u16 {
        (self.0 & HALF_MASK) as u16
    }

    /// The six ASCII digits, as a key derivation takes them.
    #[must_use]
    pub const fn ascii(self) -> [u8; 6] {
        digits::ascii(self.0)
    }
}

decimal_element!(SupplyGroupCode(u32), "supply group code", 6 digits, 0..=999_999);

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;
    use crate::element::Problem;

    #[test]
    fn six_digits_are_a_code_and_nothing_else_is() {
        // (text, value or problem)
        const CASES: &[(&str, Result<u32, Problem>)] = &[
            ("000000", Ok(0)),
            ("000123", Ok(123)),
            ("999999", Ok(999_999)),
            ("123", Err(Problem::Length { expected: &[6], found: 3 })),
            ("1000000", Err(Problem::Length { expected: &[6], found: 7 })),
            ("20145A", Err(Problem::NotDigit { index: 5 })),
            (" 20145", Err(Problem::NotDigit { index: 0 })),
        ];
        for &(text, expected) in CASES {
            let parsed = text.parse::<SupplyGroupCode>();
            assert_eq!(parsed.map(|group| group.value()).map_err(|e| e.problem), expected);
            if let Ok(group) = parsed {
                assert_eq!(group.to_string(), text);
                assert_eq!(&group.ascii(), text.as_bytes());
            }
        }
    }

    #[test]
    fn values_above_six_digits_are_refused() {
        assert_eq!(SupplyGroupCode::try_from(999_999).map(SupplyGroupCode::value), Ok(999_999));
        let error = SupplyGroupCode::try_from(1_000_000).unwrap_err();
        let problem = Problem::Range { lowest: 0, highest: 999_999, found: 1_000_000 };
        assert_eq!(error, ParseElementError { element: "supply group code", problem });
    }

    #[test]
    fn halves_are_twelve_bits_of_the_binary_number() {
        // (code, high, low): a published key change, the ends, and the step from low to high.
        const CASES: &[(u32, u16, u16)] = &[
            (201_457, 0x031, 0x2F1),
            (0, 0, 0),
            (4_095, 0, 0xFFF),
            (4_096, 1, 0),
            (999_999, 0x0F4, 0x23F),
        ];
        for &(value, high, low) in CASES {
            let group = SupplyGroupCode::try_from(value).unwrap();
            assert_eq!((group.high_bits(), group.low_bits()), (high, low), "code {value}");
            assert_eq!(SupplyGroupCode::from_halves(high, low), Ok(group), "code {value}");
        }
    }

    #[test]
    fn halves_beyond_six_digits_or_twelve_bits_are_refused() {
        // (high, low): one above 999 999, the largest 24 bits, and a half of 13 bits.
        for (high, low) in [(0x0F4, 0x240), (0xFFF, 0xFFF), (0x1000, 0), (0, 0x1000)] {
            assert!(SupplyGroupCode::from_halves(high, low).is_err(), "{high:03X} {low:03X}");
        }
    }
}
