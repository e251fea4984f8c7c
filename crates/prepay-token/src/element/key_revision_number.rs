//! *KeyRevisionNumber* (KRN): which vending key of a supply group.
//!
//! Revisions are issued in sequence, and 9 is followed by 1, so a larger number is not always a
//! newer key. A point of sale holds at most nine revisions of a group at a time.
//!
//! A key of type 0 (DITK) has no revision: it is not derived from a vending key.
//!
//! - Text: one decimal digit.
//! - Source: IEC 62055-41:2018, data element *KeyRevisionNumber*.
//! - Elsewhere: which revision is current. Only the holder of the keys knows.

use super::digits::decimal_element;

/// A key revision number, 1 to 9: with the supply group code it names one vending key.
///
/// Not ordered: 9 is followed by 1.
///
/// Source: IEC 62055-41:2018, data element *KeyRevisionNumber*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyRevisionNumber(u8); // Invariant: 1 to 9.

impl KeyRevisionNumber {
    /// The number, 1 to 9. It is also its own BCD digit, and the four bits in a key change token.
    #[must_use]
    pub const fn value(self) -> u8 {
        self.0
    }

    /// The revision issued after this one: one higher, and 1 after 9.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 % 9 + 1)
    }
}

decimal_element!(KeyRevisionNumber(u8), "key revision number", 1 digits, 1..=9);

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;
    use crate::element::Problem;

    #[test]
    fn one_to_nine_are_revisions_and_nine_is_followed_by_one() {
        for value in 1..=9 {
            let revision = KeyRevisionNumber::try_from(value).unwrap();
            assert_eq!(revision.value(), value);
            assert_eq!(revision.to_string().parse(), Ok(revision));
            let next = if value == 9 { 1 } else { value + 1 };
            assert_eq!(revision.next().value(), next, "after {value}");
        }
    }

    #[test]
    fn zero_and_ten_are_no_revisions() {
        let range = |found| Problem::Range { lowest: 1, highest: 9, found };
        // (text, problem)
        let cases = [
            ("0", range(0)),
            ("10", Problem::Length { expected: &[1], found: 2 }),
            ("01", Problem::Length { expected: &[1], found: 2 }),
            ("", Problem::Length { expected: &[1], found: 0 }),
            ("x", Problem::NotDigit { index: 0 }),
        ];
        for (text, problem) in cases {
            assert_eq!(text.parse::<KeyRevisionNumber>().unwrap_err().problem, problem, "{text:?}");
        }
        for value in [0, 10, 15, 255] {
            let error = KeyRevisionNumber::try_from(value).unwrap_err();
            assert_eq!(error.problem, range(value.into()));
        }
    }
}
