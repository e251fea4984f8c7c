//! The 16-bit *Amount* element of a class 0 token that carries units.
//!
//! Two bits of exponent and fourteen of mantissa reach 1 820 162.4 units, so large amounts lose
//! precision.
//!
//! ```text
//!   15   14   13                          0
//! +---------+------------------------------+
//! |    e    |              m               |   tenths = 10^e * m + FLOOR[e]
//! +---------+------------------------------+
//! ```
//!
//! - Unit: one tenth of the service unit (0.1 kWh, 0.1 m³, 0.1 minute).
//! - Rounding: up, so a customer never receives less than was paid for.
//! - Source: IEC 62055-41:2018, data element *Amount*, sub-classes 0 to 3.
//! - Elsewhere: amounts of money ([`CurrencyAmount`](super::CurrencyAmount)), the meaning of `FLOOR`
//!   (`packing.rs`).

use core::fmt;

use super::packing::{short, split};

/// A number of tenths of a service unit, as a token can carry it.
///
/// Every 16-bit pattern is an amount and no two patterns are the same amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(u16);

/// The amount, in tenths of a unit, is more than a token can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AmountTooLarge {
    /// What was asked for, in tenths of a unit.
    pub tenths: u32,
}

impl Amount {
    /// The largest amount, in tenths: 1 820 162.4 units.
    pub const LARGEST_TENTHS: u32 = short::LARGEST;

    /// Packs an amount, rounding up to the next value that a token can carry.
    ///
    /// `tenths` counts tenths of the service unit: 256 is 25.6 kWh. The result exceeds it by less than
    /// 1, 10, 100 or 1000 tenths as the exponent grows.
    ///
    /// # Errors
    ///
    /// [`AmountTooLarge`] above [`LARGEST_TENTHS`](Self::LARGEST_TENTHS).
    ///
    /// ```
    /// use prepay_token::element::Amount;
    /// assert_eq!(Amount::from_tenths(20_000)?.tenths(), 20_004);
    /// # Ok::<(), prepay_token::element::AmountTooLarge>(())
    /// ```
    #[inline]
    pub fn from_tenths(tenths: u32) -> Result<Self, AmountTooLarge> {
        match short::up(tenths) {
            Some((e, m)) => Ok(Self((u16::from(e) << 14) + m)),
            None => Err(AmountTooLarge { tenths }),
        }
    }

    /// The amount with these 16 bits.
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// The 16 bits of the element.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// The amount as the meter credits it, in tenths of the service unit.
    pub const fn tenths(self) -> u32 {
        let (e, m) = self.exponent_and_mantissa();
        short::value(e, m)
    }

    /// The two bits of exponent and the fourteen of mantissa.
    pub const fn exponent_and_mantissa(self) -> (u8, u16) {
        split(self.0)
    }
}

impl fmt::Display for Amount {
    /// The amount in whole units, with one decimal place unless it is zero: `25.6`, `1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (units, tenths) = (self.tenths() / 10, self.tenths() % 10);
        if tenths == 0 { write!(f, "{units}") } else { write!(f, "{units}.{tenths}") }
    }
}

impl fmt::Display for AmountTooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "amount too large: expected at most {} tenths of a unit, found {}",
            Amount::LARGEST_TENTHS,
            self.tenths
        )
    }
}

impl core::error::Error for AmountTooLarge {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amount_packs_at_every_exponent_step() {
        // (tenths, bits): both sides of each floor, and values that must round up.
        const CASES: &[(u32, u16)] = &[
            (0, 0),
            (1, 1),
            (256, 0x0100),
            (16_383, 0x3FFF),
            (16_384, 0x4000),
            (16_386, 0x4001),
            (20_000, 0x416A),
            (180_214, 0x7FFF),
            (180_215, 0x8000),
            (180_223, 0x8000),
            (180_224, 0x8000),
            (1_818_524, 0xBFFF),
            (1_818_623, 0xC000),
            (1_818_624, 0xC000),
            (18_201_624, 0xFFFF),
        ];
        for &(tenths, bits) in CASES {
            let amount = Amount::from_tenths(tenths).unwrap();
            assert_eq!(amount.bits(), bits, "tenths = {tenths}");
            assert!(amount.tenths() >= tenths, "tenths = {tenths}");
        }
        assert_eq!(Amount::from_tenths(18_201_625), Err(AmountTooLarge { tenths: 18_201_625 }));
    }

    #[test]
    fn every_pattern_is_its_own_amount() {
        for bits in 0..=u16::MAX {
            let amount = Amount::from_bits(bits);
            assert_eq!(Amount::from_tenths(amount.tenths()), Ok(amount), "bits = {bits:#06x}");
        }
    }

    #[test]
    fn text_has_a_decimal_place_only_when_it_is_needed() {
        for (tenths, text) in [(0, "0"), (1, "0.1"), (10, "1"), (256, "25.6"), (20_000, "2000.4")] {
            extern crate std;
            assert_eq!(std::format!("{}", Amount::from_tenths(tenths).unwrap()), text);
        }
    }
}
