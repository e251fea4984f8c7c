//! The amount of a class 0 token that carries money: 1 sign bit, 5 bits of exponent, 14 of mantissa.
//!
//! The twenty bits lie in two places of the block. The four bits of *S&E* stand where unit tokens carry
//! RND; the sixteen of *Amount* stand in their usual place.
//!
//! ```text
//!      S&E  (59..56)              Amount (31..16)
//! +---+----+----+----+     +----+----+----------------+
//! | s | e4 | e3 | e2 | ... | e1 | e0 |       m        |
//! +---+----+----+----+     +----+----+----------------+
//!
//! coded units = (-1)^s * (10^e * m + FLOOR[e])
//! ```
//!
//! - Unit: 10⁻⁵ of the base unit of the currency. The currency is agreed in the system, not coded.
//! - Rounding: in favour of the customer, so up for a credit and towards zero for a debit.
//! - Source: IEC 62055-41:2018, data elements *S&E* and *Amount*, sub-classes 4 to 7.

use core::fmt;

use super::packing::{long, split};

/// An amount of money, as a token can carry it.
///
/// All 2²⁰ patterns are amounts. Zero has two: the sign of a decoded zero is kept, so that a token can be
/// made again bit for bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CurrencyAmount {
    /// Invariant: at most 0xF. The sign, then the three high bits of the exponent.
    sign_exponent: u8,
    /// The two low bits of the exponent, then the mantissa.
    bits: u16,
}

/// The parts of an amount of money, in the order of their bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CurrencyParts {
    /// 1 for a debit. In *S&E*.
    pub sign: u8,
    /// The three high bits of the exponent. In *S&E*.
    pub exponent_high: u8,
    /// The two low bits of the exponent. In *Amount*.
    pub exponent_low: u8,
    /// The fourteen bits of the mantissa. In *Amount*.
    pub mantissa: u16,
}

/// The magnitude, in 10⁻⁵ of the base currency unit, is more than a token can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CurrencyAmountTooLarge;

impl CurrencyAmount {
    /// The largest magnitude, in 10⁻⁵ of the base currency unit: about 1.82 × 10³⁵ (1.82 × 10³⁰ units).
    pub const LARGEST: u128 = long::LARGEST;

    /// Packs an amount in 10⁻⁵ of the base currency unit, rounding in favour of the customer.
    ///
    /// A positive amount is rounded up to the next one that a token can carry, a negative amount towards
    /// zero: 100 000 (one unit) becomes 100 004, and −100 000 becomes −99 994.
    ///
    /// # Errors
    ///
    /// [`CurrencyAmountTooLarge`] when the magnitude is above [`LARGEST`](Self::LARGEST).
    pub fn from_hundred_thousandths(value: i128) -> Result<Self, CurrencyAmountTooLarge> {
        let magnitude = value.unsigned_abs();
        let packed = if value < 0 { long::down(magnitude) } else { long::up(magnitude) };
        let (e, m) = packed.ok_or(CurrencyAmountTooLarge)?;
        let sign = u8::from(value < 0);
        Ok(Self { sign_exponent: (sign << 3) + (e >> 2), bits: (u16::from(e & 3) << 14) + m })
    }

    /// The amount with these bits: the low four bits of `sign_exponent` (*S&E*), and *Amount*.
    pub const fn from_bits(sign_exponent: u8, bits: u16) -> Self {
        Self { sign_exponent: sign_exponent & 0xF, bits }
    }

    /// The four bits of *S&E*.
    pub const fn sign_exponent(self) -> u8 {
        self.sign_exponent
    }

    /// The sixteen bits of *Amount*.
    pub const fn bits(self) -> u16 {
        self.bits
    }

    /// The amount as the meter credits it, in 10⁻⁵ of the base currency unit.
    pub const fn hundred_thousandths(self) -> i128 {
        let CurrencyParts { sign, exponent_high, exponent_low, mantissa } = self.parts();
        let magnitude = long::value((exponent_high << 2) + exponent_low, mantissa) as i128;
        if sign == 0 { magnitude } else { -magnitude }
    }

    /// What the two fields of the block hold.
    pub const fn parts(self) -> CurrencyParts {
        let (exponent_low, mantissa) = split(self.bits);
        let (sign, exponent_high) = (self.sign_exponent >> 3, self.sign_exponent & 7);
        CurrencyParts { sign, exponent_high, exponent_low, mantissa }
    }
}

impl fmt::Display for CurrencyAmount {
    /// The amount in base units with at most five decimal places, without trailing zeros: `-0.99994`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.hundred_thousandths();
        let (units, mut part) = (value.unsigned_abs() / 100_000, value.unsigned_abs() % 100_000);
        let sign = if value < 0 { "-" } else { "" };
        if part == 0 {
            return write!(f, "{sign}{units}");
        }
        let mut places = 5;
        while part.is_multiple_of(10) {
            part /= 10;
            places -= 1;
        }
        write!(f, "{sign}{units}.{part:0places$}")
    }
}

impl fmt::Display for CurrencyAmountTooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "currency amount too large: expected a magnitude of at most {} hundred-thousandths",
            CurrencyAmount::LARGEST
        )
    }
}

impl core::error::Error for CurrencyAmountTooLarge {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_round_in_favour_of_the_customer() {
        // (asked, coded, S&E, Amount), all in 10^-5 of a unit; published by the conformance runs.
        const CASES: &[(i128, i128, u8, u16)] = &[
            (0, 0, 0, 0),
            (1, 1, 0, 1),
            (100_000, 100_004, 0, 0x60AA),
            (1_638_300_000, 1_638_342_624, 1, 0x78E3),
            (18_204_262_400_000, 18_204_444_442_624, 2, 0x8000),
            (-100_000, -99_994, 8, 0x60A9),
            (-180_223, -180_214, 8, 0x7FFF),
            (180_223, 180_224, 0, 0x8000),
        ];
        for &(asked, coded, sign_exponent, bits) in CASES {
            let amount = CurrencyAmount::from_hundred_thousandths(asked).unwrap();
            assert_eq!(amount.hundred_thousandths(), coded, "{asked}");
            assert_eq!((amount.sign_exponent(), amount.bits()), (sign_exponent, bits), "{asked}");
        }
    }

    #[test]
    fn the_largest_magnitude_fits_and_the_next_does_not() {
        let largest = CurrencyAmount::LARGEST as i128;
        for value in [largest, -largest] {
            let amount = CurrencyAmount::from_hundred_thousandths(value).unwrap();
            assert_eq!(amount.hundred_thousandths(), value);
        }
        for value in [largest + 1, -largest - 1, i128::MAX, i128::MIN] {
            let refused = CurrencyAmount::from_hundred_thousandths(value);
            assert_eq!(refused, Err(CurrencyAmountTooLarge), "{value}");
        }
    }

    #[test]
    fn text_drops_closing_zeros() {
        extern crate std;
        for (value, text) in [
            (100_004, "1.00004"),
            (-99_994, "-0.99994"),
            (16_000, "0.16"),
            (0, "0"),
            (1, "0.00001"),
        ] {
            let amount = CurrencyAmount::from_hundred_thousandths(value).unwrap();
            assert_eq!(std::format!("{amount}"), text);
        }
    }

    proptest! {
        #[test]
        fn every_pattern_but_minus_zero_is_its_own_amount(sign_exponent in 0u8..16, bits: u16) {
            let amount = CurrencyAmount::from_bits(sign_exponent, bits);
            let again = CurrencyAmount::from_hundred_thousandths(amount.hundred_thousandths()).unwrap();
            if (sign_exponent, bits) == (8, 0) {
                prop_assert_eq!(again, CurrencyAmount::from_bits(0, 0));
            } else {
                prop_assert_eq!(again, amount);
            }
        }
    }
}
