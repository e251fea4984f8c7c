//! The 16-bit value of an extended token, and the index that reads it back.
//!
//! ```text
//!   15        10  9                            1   0
//! +-------------+-----------------------------+---+
//! | index 0-62  |        control value, 10 bits   |
//! +-------------+-----------------------------+---+
//! | index 63    |      flag index, 9 bits     | v |   v: the flag's new value
//! +-------------+-----------------------------+---+
//! ```
//!
//! Only control 0, used by conformance runs, is public; only members of the STS Association know the others. So
//! controls are numbers here, and [`FLAGS`] lists what is known of the flags as data.
//!
//! - Source: STS 202-5, extended token set (class 2 sub-class 10, class 1 sub-class 2).

use core::fmt;

/// The known flags, by index, with what the values 1 and 0 do.
///
/// From one vending service's published list; the meaning of 1 and 0 is inferred from the names. The polarity
/// of flag 10 is uncertain.
pub const FLAGS: [(&str, &str, &str); 12] = [
    ("conformance test flag", "set", "clear"),
    ("detect tamper", "enable", "disable"),
    ("disconnect service", "disconnect", "allow reconnection"),
    ("disconnect on tamper", "enable", "disable"),
    ("disconnect on power limit", "enable", "disable"),
    ("disconnect on under-frequency", "enable", "disable"),
    ("payment mode of electricity", "prepayment", "post-payment"),
    ("payment mode of water", "prepayment", "post-payment"),
    ("payment mode of gas", "prepayment", "post-payment"),
    ("payment mode of time", "prepayment", "post-payment"),
    ("commissioning mode", "set", "reset"),
    ("power limit fall-back of the tariff index", "enable", "disable"),
];

/// The index of a control, or 63 for the flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExtendedIndex(u8); // Invariant: at most 63.

/// An index and the ten bits to store there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExtendedValue(u16);

/// What an [`ExtendedValue`] addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExtendedTarget {
    /// One flag, by its index (0 to 511), and its new value.
    Flag {
        /// The index of the flag.
        index: u16,
        /// The new value.
        on: bool,
    },
    /// One control, by its index (0 to 62), and its new value (0 to 1023).
    Control {
        /// The index of the control.
        index: u8,
        /// The new value.
        value: u16,
    },
}

/// An index above 63, or a value above 1023.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExtendedOutOfRange {
    /// The index does not fit in six bits.
    Index,
    /// The value does not fit in ten bits.
    Value,
}

impl ExtendedIndex {
    /// The index that addresses the flags.
    pub const FLAGS: Self = Self(63);

    /// The index in the six low bits of a number; higher bits are dropped.
    pub const fn from_low_bits(bits: u8) -> Self {
        Self(bits & 63)
    }

    /// The value, 0 to 63.
    pub const fn value(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for ExtendedIndex {
    type Error = ExtendedOutOfRange;

    fn try_from(index: u8) -> Result<Self, Self::Error> {
        if index < 64 { Ok(Self(index)) } else { Err(ExtendedOutOfRange::Index) }
    }
}

impl ExtendedValue {
    /// The value `value` (ten bits) for `index`.
    ///
    /// # Errors
    ///
    /// [`ExtendedOutOfRange::Value`] above 1023.
    pub const fn new(index: ExtendedIndex, value: u16) -> Result<Self, ExtendedOutOfRange> {
        if value < 1024 {
            Ok(Self(((index.0 as u16) << 10) + value))
        } else {
            Err(ExtendedOutOfRange::Value)
        }
    }

    /// The value with these sixteen bits.
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// The sixteen bits.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// The index, the six high bits.
    pub const fn index(self) -> ExtendedIndex {
        ExtendedIndex((self.0 >> 10) as u8)
    }

    /// The ten low bits.
    pub const fn value(self) -> u16 {
        self.0 & 0x3FF
    }

    /// What the value addresses.
    pub const fn target(self) -> ExtendedTarget {
        match self.index() {
            ExtendedIndex::FLAGS => {
                ExtendedTarget::Flag { index: self.value() >> 1, on: self.0 & 1 == 1 }
            }
            ExtendedIndex(index) => ExtendedTarget::Control { index, value: self.value() },
        }
    }
}

impl fmt::Display for ExtendedOutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Index => "extended index out of range: expected 0 to 63",
            Self::Value => "extended value out of range: expected 0 to 1023",
        })
    }
}

impl core::error::Error for ExtendedOutOfRange {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_the_published_ones() {
        for (index, value, bits) in [(63, 0, 0xFC00), (63, 1, 0xFC01), (0, 123, 0x007B)] {
            let index = ExtendedIndex::try_from(index).unwrap();
            assert_eq!(ExtendedValue::new(index, value).unwrap().bits(), bits);
        }
        let eleven_on = ExtendedValue::from_bits(64_535).target();
        assert_eq!(eleven_on, ExtendedTarget::Flag { index: 11, on: true });
    }

    #[test]
    fn every_pattern_splits_and_joins() {
        for bits in 0..=u16::MAX {
            let value = ExtendedValue::from_bits(bits);
            assert_eq!(ExtendedValue::new(value.index(), value.value()), Ok(value));
        }
        assert_eq!(ExtendedIndex::try_from(64), Err(ExtendedOutOfRange::Index));
        assert_eq!(ExtendedValue::new(ExtendedIndex::FLAGS, 1024), Err(ExtendedOutOfRange::Value));
    }
}
