//! Exact numbers: sums and products of decimals, the quotient of two, and the only places where one is rounded.
//!
//! - [`Exact`]: a decimal over a divisor that a tariff brings with it, such as the 1.01 of Bangladesh.
//! - [`Ratio`]: the quotient that solving for the units gives. It is never reduced; 256 bits leave room for it.
//! - [`TooLong`]: a number no longer fits in 256 bits, or a result not in a `Decimal`.

use std::cmp::Ordering;

use ethnum::I256;
use num_integer::gcd;
use rust_decimal::Decimal;

/// Which way a number goes to a multiple of its step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Towards less.
    Down,
    /// Towards more.
    Up,
    /// To the nearest; from the middle towards more.
    HalfUp,
    /// To the nearest; from the middle to the even multiple.
    HalfEven,
}

/// A step and a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rounding {
    /// The result is a multiple of this; above zero.
    pub step: Decimal,
    /// Which multiple.
    pub direction: Direction,
}

/// `count / (10^places × divisor)`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exact {
    count: I256,
    places: u32,
    divisor: u64, // Invariant: not zero.
}

/// `above / below`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ratio {
    above: I256,
    below: I256, // Invariant: greater than zero.
}

/// That a number is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

type Fits<T> = Result<T, TooLong>;

/// Nearly every product fits in 128 bits, where multiplying is an instruction or two; a checked one of 256 bits divides.
fn product(one: I256, other: I256) -> Fits<I256> {
    let short = |number: I256| i128::try_from(number).ok();
    let of_short = short(one).zip(short(other)).and_then(|(one, other)| one.checked_mul(other));
    of_short.map_or_else(|| one.checked_mul(other).ok_or(TooLong), |product| Ok(product.into()))
}

fn sum(one: I256, other: I256) -> Fits<I256> {
    one.checked_add(other).ok_or(TooLong)
}

fn divisors(one: u64, other: u64) -> Fits<u64> {
    one.checked_mul(other).ok_or(TooLong)
}

/// Multiplies by 10 to a power.
fn scaled(count: I256, places: u32) -> Fits<I256> {
    const HALF: u32 = 38;
    let power = |places| I256::from(10_i128.pow(places));
    if places == 0 || count == I256::ZERO {
        return Ok(count);
    }
    if places <= HALF {
        return product(count, power(places));
    }
    scaled(product(count, power(HALF))?, places - HALF)
}

impl From<Decimal> for Exact {
    fn from(value: Decimal) -> Self {
        Self { count: I256::from(value.mantissa()), places: value.scale(), divisor: 1 }
    }
}

impl Exact {
    pub(crate) const ZERO: Self = Self { count: I256::ZERO, places: 0, divisor: 1 };
    pub(crate) const ONE: Self = Self { count: I256::ONE, places: 0, divisor: 1 };

    pub(crate) fn add(self, other: Self) -> Fits<Self> {
        if other.count == I256::ZERO {
            return Ok(self);
        }
        if self.count == I256::ZERO {
            return Ok(other);
        }
        let places = self.places.max(other.places);
        let mut ours = scaled(self.count, places - self.places)?;
        let mut theirs = scaled(other.count, places - other.places)?;
        let mut divisor = self.divisor;
        if self.divisor != other.divisor {
            // Lines that are shares of one another have divisors in common, which would grow with each sum.
            let common = gcd(self.divisor, other.divisor);
            ours = product(ours, (other.divisor / common).into())?;
            theirs = product(theirs, (self.divisor / common).into())?;
            divisor = divisors(self.divisor, other.divisor / common)?;
        }
        Ok(Self { count: sum(ours, theirs)?, places, divisor })
    }

    pub(crate) fn negate(self) -> Self {
        Self { count: -self.count, ..self }
    }

    pub(crate) fn less(self, other: Self) -> Fits<Self> {
        self.add(other.negate())
    }

    pub(crate) fn times(self, other: Self) -> Fits<Self> {
        if self.count == I256::ZERO || other.count == I256::ZERO {
            return Ok(Self::ZERO);
        }
        Ok(Self {
            count: product(self.count, other.count)?,
            places: self.places + other.places,
            divisor: divisors(self.divisor, other.divisor)?,
        })
    }

    /// Divides by a decimal that is above zero.
    pub(crate) fn divided(self, by: Decimal) -> Fits<Self> {
        let divisor = u64::try_from(by.mantissa()).map_err(|_| TooLong)?;
        let count = scaled(self.count, by.scale())?;
        Ok(Self { count, divisor: divisors(self.divisor, divisor)?, ..self })
    }

    /// Divides by one and a decimal share that is not below zero.
    pub(crate) fn over_one_and(self, share: Self) -> Fits<Self> {
        let one_and = Self::ONE.add(share)?;
        if one_and.divisor != 1 {
            return Err(TooLong);
        }
        let (mut count, mut places) = (one_and.count, one_and.places);
        while places > 0 && count % I256::from(10_u64) == I256::ZERO {
            count /= I256::from(10_u64);
            places -= 1;
        }
        let divisor = u64::try_from(count).map_err(|_| TooLong)?;
        let count = scaled(self.count, places)?;
        Ok(Self { count, divisor: divisors(self.divisor, divisor)?, ..self })
    }

    /// A hundredth, for rates in per cent.
    pub(crate) fn hundredth(self) -> Self {
        Self { places: self.places + 2, ..self }
    }

    pub(crate) fn sign(self) -> Ordering {
        self.count.cmp(&I256::ZERO)
    }

    pub(crate) fn ratio(self) -> Fits<Ratio> {
        let below = scaled(self.divisor.into(), self.places)?;
        Ok(Ratio { above: self.count, below })
    }

    /// The quotient by a number above zero.
    pub(crate) fn over(self, other: Self) -> Fits<Ratio> {
        let places = self.places.max(other.places);
        Ok(Ratio {
            above: product(scaled(self.count, places - self.places)?, other.divisor.into())?,
            below: product(scaled(other.count, places - other.places)?, self.divisor.into())?,
        })
    }

    pub(crate) fn compare(self, other: Self) -> Fits<Ordering> {
        Ok(self.less(other)?.sign())
    }

    pub(crate) fn rounded(self, rounding: Rounding) -> Fits<Decimal> {
        self.ratio()?.rounded(rounding)
    }
}

impl Ratio {
    pub(crate) const ZERO: Self = Self { above: I256::ZERO, below: I256::ONE };

    /// `fixed + per_unit × self`.
    pub(crate) fn cost(self, fixed: Exact, per_unit: Exact) -> Fits<Self> {
        if per_unit.count == I256::ZERO {
            return fixed.ratio();
        }
        let places = fixed.places.max(per_unit.places);
        let mut constant = product(scaled(fixed.count, places - fixed.places)?, self.below)?;
        let mut slope = product(scaled(per_unit.count, places - per_unit.places)?, self.above)?;
        let mut below = product(scaled(self.below, places)?, fixed.divisor.into())?;
        if fixed.divisor != per_unit.divisor {
            constant = product(constant, per_unit.divisor.into())?;
            slope = product(slope, fixed.divisor.into())?;
            below = product(below, per_unit.divisor.into())?;
        }
        Ok(Self { above: sum(constant, slope)?, below })
    }

    pub(crate) fn less(self, other: Self) -> Fits<Self> {
        if self.below == other.below {
            return Ok(Self { above: sum(self.above, -other.above)?, below: self.below });
        }
        let ours = product(self.above, other.below)?;
        let theirs = product(other.above, self.below)?;
        Ok(Self { above: sum(ours, -theirs)?, below: product(self.below, other.below)? })
    }

    pub(crate) fn compare(self, other: Self) -> Fits<Ordering> {
        if self.below == other.below {
            return Ok(self.above.cmp(&other.above));
        }
        let ours = product(self.above, other.below)?;
        Ok(ours.cmp(&product(other.above, self.below)?))
    }

    /// The same as an exact number; the end of a block is a decimal, so this hardly ever fails.
    pub(crate) fn exact(self) -> Fits<Exact> {
        let mut below = self.below;
        let mut places = 0;
        while below % I256::from(10_u64) == I256::ZERO {
            below /= I256::from(10_u64);
            places += 1;
        }
        let divisor = u64::try_from(below).map_err(|_| TooLong)?;
        Ok(Exact { count: self.above, places, divisor })
    }

    /// The multiple of the step that the direction picks.
    pub(crate) fn rounded(self, Rounding { step, direction }: Rounding) -> Fits<Decimal> {
        let above = scaled(self.above, step.scale())?;
        let below = match step.mantissa() {
            1 => self.below,
            mantissa => product(self.below, mantissa.into())?,
        };
        let (mut count, rest) = floor_division(above, below);
        let goes_up = match direction {
            Direction::Down => false,
            Direction::Up => rest > I256::ZERO,
            Direction::HalfUp => rest >= below - rest,
            Direction::HalfEven => match rest.cmp(&(below - rest)) {
                Ordering::Less => false,
                Ordering::Equal => count & I256::ONE == I256::ONE,
                Ordering::Greater => true,
            },
        };
        if goes_up {
            count += I256::ONE;
        }
        let mantissa =
            i128::try_from(count).ok().and_then(|count| count.checked_mul(step.mantissa()));
        let decimal =
            mantissa.map(|mantissa| Decimal::try_from_i128_with_scale(mantissa, step.scale()));
        decimal.and_then(Result::ok).ok_or(TooLong)
    }
}

/// The quotient towards less, and what is left. The divisor is above zero.
fn floor_division(above: I256, below: I256) -> (I256, I256) {
    let (quotient, rest) = match (u128::try_from(above), u128::try_from(below)) {
        (Ok(above), Ok(below)) => (I256::from(above / below), I256::from(above % below)),
        _ => {
            let quotient = above / below;
            (quotient, above - quotient * below)
        }
    };
    if rest < I256::ZERO { (quotient - I256::ONE, rest + below) } else { (quotient, rest) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn each_direction_rounds_on_both_sides_of_zero_and_in_the_middle() {
        use Direction::{Down, HalfEven, HalfUp, Up};
        const CASES: &[(&str, &str, [&str; 4])] = &[
            // (value, step, down, up, half up, half even)
            ("1.25", "0.1", ["1.2", "1.3", "1.3", "1.2"]),
            ("1.35", "0.1", ["1.3", "1.4", "1.4", "1.4"]),
            ("1.30", "0.1", ["1.3", "1.3", "1.3", "1.3"]),
            ("1.3001", "0.1", ["1.3", "1.4", "1.3", "1.3"]),
            ("-1.25", "0.1", ["-1.3", "-1.2", "-1.2", "-1.2"]),
            ("7", "5", ["5", "10", "5", "5"]),
            ("0", "0.01", ["0", "0", "0", "0"]),
        ];
        for &(value, step, expected) in CASES {
            for (direction, expected) in [Down, Up, HalfUp, HalfEven].into_iter().zip(expected) {
                let rounding = Rounding { step: decimal(step), direction };
                let found = Exact::from(decimal(value)).rounded(rounding).unwrap();
                assert_eq!(found, decimal(expected), "{value} {step} {direction:?}");
            }
        }
    }

    #[test]
    fn a_divisor_that_no_decimal_has_stays_exact() {
        let third = Exact::ONE.divided(decimal("0.3")).unwrap();
        let sum = third.add(third).unwrap().add(third).unwrap().ratio().unwrap();
        assert_eq!(sum.compare(Exact::from(decimal("10")).ratio().unwrap()), Ok(Ordering::Equal));
    }

    #[test]
    fn a_sum_of_shares_of_one_another_keeps_their_common_divisor() {
        let share = Exact::ONE.divided(decimal("1.056")).unwrap();
        let share_of_it = share.divided(decimal("1.13")).unwrap();
        let mut sum = share.add(share_of_it).unwrap();
        assert_eq!(sum.divisor, 1056 * 113);
        for _ in 0..9 {
            sum = sum.add(share).unwrap();
        }
        let more = share.times(Exact::from(decimal("10"))).unwrap().add(share_of_it).unwrap();
        assert_eq!(sum.compare(more), Ok(Ordering::Equal));
    }

    #[test]
    fn what_does_not_fit_is_none_and_never_wraps() {
        let large = Exact::from(Decimal::MAX);
        let square = large.times(large).unwrap();
        assert!(square.times(large).is_err());
        assert!(
            square.rounded(Rounding { step: Decimal::ONE, direction: Direction::Down }).is_err()
        );
    }
}
