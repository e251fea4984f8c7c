//! *MPL*, the maximum power limit, and *MPPUL*, the maximum phase power unbalance limit: 16 bits each.
//!
//! Both are packed as [`Amount`](super::Amount) is, but count watts.
//!
//! - Unit: 1 W. Range: 0 to 18 201 624 W.
//! - Rounding: up, to the next limit that a token can carry (20 000 W becomes 20 004 W).
//! - Source: IEC 62055-41:2018, data elements *MPL* and *MPPUL*.
//! - Elsewhere: what a meter does when the limit is exceeded is agreed between utility and supplier.

use core::fmt;

use super::packing::{short, split};

/// A power limit in watts, as a token can carry it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PowerLimit(u16);

/// The limit, in watts, is more than a token can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PowerLimitTooLarge {
    /// What was asked for, in watts.
    pub watts: u32,
}

impl PowerLimit {
    /// The largest limit, in watts.
    pub const LARGEST_WATTS: u32 = short::LARGEST;

    /// Packs a limit, rounding up to the next one that a token can carry.
    ///
    /// # Errors
    ///
    /// [`PowerLimitTooLarge`] above [`LARGEST_WATTS`](Self::LARGEST_WATTS).
    pub fn from_watts(watts: u32) -> Result<Self, PowerLimitTooLarge> {
        match short::up(watts) {
            Some((e, m)) => Ok(Self((u16::from(e) << 14) + m)),
            None => Err(PowerLimitTooLarge { watts }),
        }
    }

    /// The limit with these 16 bits.
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// The 16 bits of the element.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// The limit as the meter applies it, in watts.
    pub const fn watts(self) -> u32 {
        let (e, m) = self.exponent_and_mantissa();
        short::value(e, m)
    }

    /// The two bits of exponent and the fourteen of mantissa.
    pub const fn exponent_and_mantissa(self) -> (u8, u16) {
        split(self.0)
    }
}

impl fmt::Display for PowerLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} W", self.watts())
    }
}

impl fmt::Display for PowerLimitTooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (largest, watts) = (PowerLimit::LARGEST_WATTS, self.watts);
        write!(f, "power limit too large: expected at most {largest} W, found {watts} W")
    }
}

impl core::error::Error for PowerLimitTooLarge {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_the_published_ones() {
        for (watts, bits) in [(10, 0x000A), (1000, 0x03E8), (20_000, 0x416A)] {
            assert_eq!(PowerLimit::from_watts(watts).unwrap().bits(), bits, "{watts} W");
        }
        assert_eq!(PowerLimit::from_bits(0x416A).watts(), 20_004);
        assert_eq!(
            PowerLimit::from_watts(18_201_625),
            Err(PowerLimitTooLarge { watts: 18_201_625 })
        );
    }
}
