//! *RND*: four bits that make two tokens with the same content look different.
//!
//! A security module takes them from the low end of a counter that runs at a millisecond or faster. This crate
//! has neither clock nor randomness, so the caller supplies the value.
//!
//! - Range: 0 to 15.
//! - Source: IEC 62055-41:2018, data element *RND*.

use core::fmt;

/// The random number of a token: 0 to 15.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RandomNumber(u8); // Invariant: at most 15.

/// The value does not fit in the four bits of *RND*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomNumberOutOfRange {
    /// The value found.
    pub found: u8,
}

impl RandomNumber {
    /// The four low bits of a counter, as the standard takes them.
    pub const fn from_counter(counter: u64) -> Self {
        Self((counter & 0xF) as u8)
    }

    /// The value, 0 to 15.
    pub const fn value(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for RandomNumber {
    type Error = RandomNumberOutOfRange;

    fn try_from(found: u8) -> Result<Self, Self::Error> {
        if found < 16 { Ok(Self(found)) } else { Err(RandomNumberOutOfRange { found }) }
    }
}

impl fmt::Display for RandomNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for RandomNumberOutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "random number out of range: expected 0 to 15, found {}", self.found)
    }
}

impl core::error::Error for RandomNumberOutOfRange {}
