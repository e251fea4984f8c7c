//! *TID*, the token identifier: the minute of issue, which also keeps a token from being used twice.
//!
//! A meter remembers the identifiers of the tokens it has accepted, so no two tokens for one meter may share
//! one. Three rules follow for the issuer:
//!
//! - The identifier is the number of whole minutes since the base date; seconds are dropped.
//! - The minute 00:01 of every day is reserved (*SpecialReservedTokenIdentifier*): an ordinary token that
//!   falls on it takes 00:02.
//! - Several tokens for one meter in one minute take the following minutes, again without the reserved
//!   ones.
//!
//! The purpose of reserved identifiers is not public. A caller may still make a token with one on purpose.
//!
//! - Unit: one minute. Range: 24 bits, 0 to 16 777 215.
//! - Source: IEC 62055-41:2018, data element *TID*.
//! - Elsewhere: the issuer keeps track of the identifiers that a meter has had.

use core::fmt;

/// Minutes of a day; the reserved minute is the second one of each.
const MINUTES_A_DAY: u32 = 24 * 60;

/// A token identifier: 24 bits that count minutes from a base date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenIdentifier(u32); // Invariant: at most 0xFF_FFFF.

/// The value does not fit in 24 bits, or no identifier is left after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenIdentifierOutOfRange;

impl TokenIdentifier {
    /// The largest identifier.
    pub const LARGEST: Self = Self(0xFF_FFFF);

    /// The identifier in the 24 low bits of a number; higher bits are dropped.
    pub const fn from_low_bits(bits: u32) -> Self {
        Self(bits & 0xFF_FFFF)
    }

    /// The value, 0 to 16 777 215.
    pub const fn value(self) -> u32 {
        self.0
    }

    /// Whether this is the reserved minute 00:01 of a day.
    pub const fn is_reserved(self) -> bool {
        self.0 % MINUTES_A_DAY == 1
    }

    /// The identifier that an ordinary token takes: the next minute if this one is reserved.
    ///
    /// ```
    /// use prepay_token::element::TokenIdentifier;
    /// let one_past_midnight = TokenIdentifier::from_low_bits(5_911_201);
    /// assert!(one_past_midnight.is_reserved());
    /// assert_eq!(one_past_midnight.unreserved().value(), 5_911_202);
    /// ```
    pub const fn unreserved(self) -> Self {
        // The largest identifier is not reserved, so the next one always exists.
        if self.is_reserved() { Self(self.0 + 1) } else { self }
    }

    /// The identifier of the next ordinary token for a meter: this minute, or the first free one after
    /// `last`, the identifier last issued to that meter.
    ///
    /// # Errors
    ///
    /// [`TokenIdentifierOutOfRange`] when the 24 bits are used up: the meter needs a later base date.
    pub const fn next_after(self, last: Option<Self>) -> Result<Self, TokenIdentifierOutOfRange> {
        match last {
            Some(last) if last.0 >= self.0 => {
                if last.0 == Self::LARGEST.0 {
                    return Err(TokenIdentifierOutOfRange);
                }
                Ok(Self(last.0 + 1).unreserved())
            }
            _ => Ok(self.unreserved()),
        }
    }

    /// The top eight bits, which are compared with a key expiry number.
    pub const fn expiry_block(self) -> u8 {
        (self.0 >> 16) as u8
    }
}

impl TryFrom<u32> for TokenIdentifier {
    type Error = TokenIdentifierOutOfRange;

    fn try_from(value: u32) -> Result<Self, Self::Error> {
        if value <= Self::LARGEST.0 { Ok(Self(value)) } else { Err(TokenIdentifierOutOfRange) }
    }
}

impl fmt::Display for TokenIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for TokenIdentifierOutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "token identifier out of range: expected 0 to {}", TokenIdentifier::LARGEST)
    }
}

impl core::error::Error for TokenIdentifierOutOfRange {}

#[cfg(test)]
mod tests {
    use super::*;

    fn tid(value: u32) -> TokenIdentifier {
        TokenIdentifier::try_from(value).unwrap()
    }

    #[test]
    fn the_second_minute_of_each_day_is_reserved() {
        for (value, reserved) in
            [(0, false), (1, true), (2, false), (1440, false), (1441, true), (6_749_281, true)]
        {
            assert_eq!(tid(value).is_reserved(), reserved, "{value}");
            assert_eq!(tid(value).unreserved().value(), value + u32::from(reserved), "{value}");
        }
        assert!(!TokenIdentifier::LARGEST.is_reserved());
    }

    #[test]
    fn further_tokens_of_one_minute_take_the_following_ones() {
        // (now, last, taken)
        const CASES: &[(u32, Option<u32>, u32)] = &[
            (5_911_203, None, 5_911_203),
            (5_911_203, Some(5_911_200), 5_911_203),
            (5_911_203, Some(5_911_203), 5_911_204),
            (5_911_203, Some(5_911_204), 5_911_205),
            (5_911_201, None, 5_911_202),
            (5_911_200, Some(5_911_200), 5_911_202), // 00:01 is skipped on the way
            (5_911_201, Some(5_911_202), 5_911_203),
            (100, Some(900), 901), // the clock went back
        ];
        for &(now, last, taken) in CASES {
            let next = tid(now).next_after(last.map(tid));
            assert_eq!(next, Ok(tid(taken)), "now {now}, last {last:?}");
        }
        let end = TokenIdentifier::LARGEST;
        assert_eq!(end.next_after(Some(end)), Err(TokenIdentifierOutOfRange));
        assert_eq!(end.next_after(None), Ok(end));
    }

    #[test]
    fn a_value_of_25_bits_is_refused() {
        assert_eq!(TokenIdentifier::try_from(0x100_0000), Err(TokenIdentifierOutOfRange));
    }
}
