//! *KeyExpiryNumber* (KEN): how long a vending key may be used.
//!
//! The number is compared with the top eight of the 24 bits of a token identifier, which counts
//! minutes from the base date. A key may be used as long as those eight bits do not exceed it:
//!
//! ```text
//!   23                  16   15                                 0
//! +------------------------+-------------------------------------+
//! |   compared with KEN    |            not compared             |   token identifier, minutes
//! +------------------------+-------------------------------------+
//! ```
//!
//! - Unit: 65 536 minutes, about 45.5 days, from the base date of the key. The block that the
//!   number names is included: KEN 0 lasts for the first 65 536 minutes.
//! - On a token: two halves of four bits (KENHO and KENLO) in different key change tokens.
//! - Text: decimal, at most three digits; the standard gives it no fixed width.
//! - Source: IEC 62055-41:2018, data elements *KeyExpiryNumber*, *KENHO* and *KENLO*.
//! - Elsewhere: the comparison itself (token identifier) and the base date.

use core::fmt;
use core::str::FromStr;

use super::{ParseElementError, digits};

const NAME: &str = "key expiry number";

/// A key expiry number, 0 to 255: the last block of 65 536 minutes in which a key may be used.
///
/// Two numbers compare as times only under the same base date. A key of type 0 (DITK) has none.
///
/// Source: IEC 62055-41:2018, data element *KeyExpiryNumber*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyExpiryNumber(u8);

impl KeyExpiryNumber {
    /// The key does not expire before the token identifier itself runs out.
    pub const NEVER: Self = Self(255);

    /// Joins the two halves that a meter collects from key change tokens.
    ///
    /// Only the four lower bits of each argument count.
    #[must_use]
    pub const fn from_nibbles(high: u8, low: u8) -> Self {
        Self((high << 4) + (low & 0xF))
    }

    /// The number, 0 to 255.
    #[must_use]
    pub const fn value(self) -> u8 {
        self.0
    }

    /// The upper four bits, 0 to 15.
    ///
    /// Source: IEC 62055-41:2018, data element *KENHO*.
    #[must_use]
    pub const fn high_nibble(self) -> u8 {
        self.0 >> 4
    }

    /// The lower four bits, 0 to 15.
    ///
    /// Source: IEC 62055-41:2018, data element *KENLO*.
    #[must_use]
    pub const fn low_nibble(self) -> u8 {
        self.0 & 0xF
    }
}

impl From<u8> for KeyExpiryNumber {
    fn from(value: u8) -> Self {
        Self(value)
    }
}

impl FromStr for KeyExpiryNumber {
    type Err = ParseElementError;

    /// Accepts one to three ASCII digits, 0 to 255. Zeros may lead: `"085"` is 85.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let value = digits::value(digits::of_lengths(NAME, text, &[1, 2, 3])?);
        ParseElementError::check_range(NAME, value, 0..=255).map(|value| Self(value as u8))
    }
}

impl fmt::Display for KeyExpiryNumber {
    /// Writes one to three digits, without leading zeros.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;
    use crate::element::Problem;

    #[test]
    fn every_number_survives_its_nibbles_and_its_text() {
        for value in 0..=255 {
            let expiry = KeyExpiryNumber::from(value);
            assert_eq!(expiry.value(), value);
            assert_eq!(
                KeyExpiryNumber::from_nibbles(expiry.high_nibble(), expiry.low_nibble()),
                expiry
            );
            assert_eq!(expiry.to_string().parse(), Ok(expiry));
        }
        assert_eq!(KeyExpiryNumber::NEVER.value(), 255);
    }

    #[test]
    fn nibbles_are_the_halves_of_the_byte() {
        // (value, high, low)
        for (value, high, low) in [(0xAA, 0xA, 0xA), (0x55, 5, 5), (0xF0, 15, 0), (0x0F, 0, 15)] {
            let expiry = KeyExpiryNumber::from(value);
            assert_eq!((expiry.high_nibble(), expiry.low_nibble()), (high, low));
        }
        assert_eq!(KeyExpiryNumber::from_nibbles(0xF5, 0xFA).value(), 0x5A);
    }

    #[test]
    fn text_is_one_to_three_digits_up_to_255() {
        // (text, value or problem)
        const CASES: &[(&str, Result<u8, Problem>)] = &[
            ("0", Ok(0)),
            ("85", Ok(85)),
            ("085", Ok(85)),
            ("255", Ok(255)),
            ("256", Err(Problem::Range { lowest: 0, highest: 255, found: 256 })),
            ("999", Err(Problem::Range { lowest: 0, highest: 255, found: 999 })),
            ("0085", Err(Problem::Length { expected: &[1, 2, 3], found: 4 })),
            ("", Err(Problem::Length { expected: &[1, 2, 3], found: 0 })),
            ("+85", Err(Problem::NotDigit { index: 0 })),
            ("8 ", Err(Problem::NotDigit { index: 1 })),
        ];
        for &(text, expected) in CASES {
            let parsed = text.parse::<KeyExpiryNumber>();
            assert_eq!(parsed.map(|expiry| expiry.value()).map_err(|e| e.problem), expected);
        }
    }
}
