//! The credit register of one service: units or money, what has been used in total, and how credit is drawn.
//!
//! All services count in grains. A service unit (kWh, m³, minute) is 3 600 000 grains, so that what flows in
//! one second is a whole number:
//!
//! ```text
//!  electricity   1 W for 1 s               = 1 grain
//!  water, gas    1 litre an hour for 1 s   = 1 grain
//!  time          1 s                       = 60 000 grains
//!  a token's tenth of a unit               = 360 000 grains
//! ```
//!
//! - Units: credit in grains; money in 10⁻⁵ of the base currency unit, with any smaller part kept as a
//!   remainder.
//! - Rounding: nothing is lost. Money is drawn when a whole 10⁻⁵ has been used.
//! - Source: IEC 62055-41:2018, TransferCredit and ClearCredit. Grains are this project's own.

/// Grains of a service unit.
pub const GRAINS_PER_UNIT: i64 = 3_600_000;

/// Grains of a tenth of a unit, the step of a token.
pub const GRAINS_PER_TENTH: i64 = GRAINS_PER_UNIT / 10;

/// Money in 10⁻⁵ of the base currency unit.
pub type Money = i128;

/// What the credit registers of a meter count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreditForm {
    /// Units of the service. Tokens that carry money are a function error.
    Units,
    /// Money. Tokens that carry units are a function error.
    Currency,
}

/// An amount of credit for either kind of register; the kind of the meter's registers decides which counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreditLevel {
    /// For registers of units: tenths of a unit.
    pub tenths: u32,
    /// For registers of money: 10⁻⁵ of the base currency unit.
    pub hundred_thousandths: u64,
}

/// The credit of one service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CreditRegister {
    pub(crate) money: Money,
    pub(crate) grains: i64,
    pub(crate) used: u64,
    pub(crate) remainder: u32, // Invariant: below GRAINS_PER_UNIT. Price times grains not yet drawn.
}

/// How a register is drawn on: what one unit costs, and how low it may fall.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) form: CreditForm,
    pub(crate) price: u32,
    pub(crate) floor: Floor,
}

/// How low a register may fall.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Floor {
    /// Zero.
    Zero,
    /// This much below zero.
    Emergency(CreditLevel),
    /// Without limit: the service is paid for afterwards.
    None,
}

/// The register has no room for what a token carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoRoom;

impl CreditRegister {
    /// The credit in grains.
    pub const fn grains(&self) -> i64 {
        self.grains
    }

    /// The credit in tenths of a unit, rounded down, so that no display shows more than there is.
    pub const fn tenths(&self) -> i64 {
        self.grains.div_euclid(GRAINS_PER_TENTH)
    }

    /// The credit in hundredths of a unit, rounded down.
    pub const fn hundredths(&self) -> i64 {
        self.grains.div_euclid(GRAINS_PER_TENTH / 10)
    }

    /// The money.
    pub const fn money(&self) -> Money {
        self.money
    }

    /// The total consumption, in grains.
    pub const fn used_grains(&self) -> u64 {
        self.used
    }

    pub(crate) fn add_units(&mut self, tenths: u32, capacity_tenths: u32) -> Result<(), NoRoom> {
        let sum = self.grains.saturating_add(i64::from(tenths) * GRAINS_PER_TENTH);
        if sum > i64::from(capacity_tenths) * GRAINS_PER_TENTH {
            return Err(NoRoom);
        }
        self.grains = sum;
        Ok(())
    }

    pub(crate) fn add_money(
        &mut self,
        amount: Money,
        capacity: u64,
        debt: u64,
    ) -> Result<(), NoRoom> {
        let sum = self.money.saturating_add(amount);
        let is_too_much = amount > 0 && sum > Money::from(capacity);
        let is_too_little = amount < 0 && sum < -Money::from(debt);
        if is_too_much || is_too_little {
            return Err(NoRoom);
        }
        self.money = sum;
        Ok(())
    }

    /// Uses `grains`, but draws no more than is left above the floor.
    pub(crate) fn draw(&mut self, grains: u64, terms: Terms) {
        self.used = self.used.wrapping_add(grains);
        match terms.form {
            CreditForm::Units => {
                let left = self.grains.saturating_sub_unsigned(grains);
                self.grains = terms.grain_floor().map_or(left, |floor| left.max(floor));
            }
            CreditForm::Currency => {
                let cost =
                    u128::from(grains) * u128::from(terms.price) + u128::from(self.remainder);
                let left = self.money.saturating_sub_unsigned(cost / GRAINS_PER_UNIT as u128);
                self.remainder = (cost % GRAINS_PER_UNIT as u128) as u32;
                self.money = left;
                if let Some(floor) = terms.money_floor().filter(|&floor| left <= floor) {
                    (self.money, self.remainder) = (floor, 0);
                }
            }
        }
    }

    /// Whether nothing is left above the floor.
    pub(crate) fn is_exhausted(&self, terms: Terms) -> bool {
        match terms.form {
            CreditForm::Units => terms.grain_floor().is_some_and(|floor| self.grains <= floor),
            CreditForm::Currency => terms.money_floor().is_some_and(|floor| self.money <= floor),
        }
    }

    /// Whether no more than a level is left.
    pub(crate) fn is_at_most(&self, level: CreditLevel, form: CreditForm) -> bool {
        match form {
            CreditForm::Units => self.grains <= i64::from(level.tenths) * GRAINS_PER_TENTH,
            CreditForm::Currency => self.money <= Money::from(level.hundred_thousandths),
        }
    }

    /// After how many seconds at this rate nothing is left; nothing when that never happens.
    ///
    /// Rounded up, so at least 1 unless nothing is left already.
    pub(crate) fn seconds_left(&self, grains_a_second: u64, terms: Terms) -> Option<u64> {
        let (left, a_second) = match terms.form {
            CreditForm::Units => {
                let left = self.grains.saturating_sub(terms.grain_floor()?);
                (u128::try_from(left).unwrap_or(0), u128::from(grains_a_second))
            }
            CreditForm::Currency => {
                let left = self.money.saturating_sub(terms.money_floor()?);
                let cost =
                    u128::try_from(left).unwrap_or(0).saturating_mul(GRAINS_PER_UNIT as u128);
                let left = cost.saturating_sub(u128::from(self.remainder));
                (left, u128::from(grains_a_second) * u128::from(terms.price))
            }
        };
        if a_second == 0 {
            return None;
        }
        Some(u64::try_from(left.div_ceil(a_second)).unwrap_or(u64::MAX))
    }
}

impl Terms {
    fn grain_floor(self) -> Option<i64> {
        match self.floor {
            Floor::Zero => Some(0),
            Floor::Emergency(level) => Some(-i64::from(level.tenths) * GRAINS_PER_TENTH),
            Floor::None => None,
        }
    }

    fn money_floor(self) -> Option<Money> {
        match self.floor {
            Floor::Zero => Some(0),
            Floor::Emergency(level) => Some(-Money::from(level.hundred_thousandths)),
            Floor::None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNITS: Terms = Terms { form: CreditForm::Units, price: 0, floor: Floor::Zero };
    const MONEY: Terms = Terms { form: CreditForm::Currency, price: 12_345, floor: Floor::Zero };

    #[test]
    fn a_register_takes_what_fits_and_no_tenth_more() {
        let mut register = CreditRegister::default();
        assert_eq!(register.add_units(99_999_998, 99_999_999), Ok(()));
        assert_eq!(register.add_units(2, 99_999_999), Err(NoRoom));
        assert_eq!(register.add_units(1, 99_999_999), Ok(()));
        assert_eq!(register.tenths(), 99_999_999);
        assert_eq!(register.grains(), 99_999_999 * GRAINS_PER_TENTH);
    }

    #[test]
    fn the_floor_is_zero_the_emergency_level_or_none() {
        let level = CreditLevel { tenths: 3, hundred_thousandths: 70 };
        for (floor, grains, money) in [
            (Floor::Zero, Some(0), Some(0)),
            (Floor::Emergency(level), Some(-3 * GRAINS_PER_TENTH), Some(-70)),
            (Floor::None, None, None),
        ] {
            let terms = Terms { floor, ..UNITS };
            assert_eq!((terms.grain_floor(), terms.money_floor()), (grains, money), "{floor:?}");
        }
    }

    #[test]
    fn nothing_is_added_even_above_a_capacity_that_was_lowered() {
        let mut register = CreditRegister::default();
        register.add_money(100, 100, 0).unwrap();
        assert_eq!(register.add_money(0, 50, 0), Ok(()));
        assert_eq!(register.add_money(1, 50, 0), Err(NoRoom));
        register.add_money(-200, 0, 100).unwrap();
        assert_eq!(register.add_money(0, 0, 50), Ok(()));
        assert_eq!(register.add_money(-1, 0, 50), Err(NoRoom));
    }

    #[test]
    fn money_goes_both_ways_as_far_as_the_limits() {
        let mut register = CreditRegister::default();
        // (amount, fits, money after)
        for (amount, fits, after) in [
            (100, true, 100),
            (1, false, 100),
            (-150, true, -50),
            (-1, false, -50),
            (Money::MAX, false, -50),
            (Money::MIN, false, -50),
            (50, true, 0),
        ] {
            assert_eq!(register.add_money(amount, 100, 50).is_ok(), fits, "{amount}");
            assert_eq!(register.money(), after, "{amount}");
        }
    }

    #[test]
    fn a_kilowatt_hour_is_a_kilowatt_for_an_hour() {
        let mut register = CreditRegister::default();
        register.add_units(10, 1000).unwrap();
        assert_eq!(register.seconds_left(1000, UNITS), Some(3600));
        register.draw(1000 * 3599, UNITS);
        assert!(!register.is_exhausted(UNITS));
        assert_eq!((register.tenths(), register.hundredths()), (0, 0));
        register.draw(5000, UNITS);
        assert!(register.is_exhausted(UNITS));
        assert_eq!(register.grains(), 0, "the last second draws no more than there is");
    }

    #[test]
    fn money_is_drawn_without_loss_however_it_is_split() {
        let mut whole = CreditRegister::default();
        whole.add_money(1_000_000, u64::MAX, 0).unwrap();
        let mut split = whole;
        whole.draw(7_777_777, MONEY);
        for _ in 0..7 {
            split.draw(1_111_111, MONEY);
        }
        assert_eq!(whole, split);
        assert_eq!(whole.money(), 1_000_000 - 7_777_777 * 12_345 / 3_600_000);
    }

    #[test]
    fn the_forecast_is_the_first_second_without_credit() {
        for (terms, rate) in [(UNITS, 1), (UNITS, 777), (MONEY, 1), (MONEY, 777), (MONEY, 60_000)] {
            let mut register = CreditRegister::default();
            register.add_units(3, 1000).unwrap();
            register.add_money(321, 1000, 0).unwrap();
            register.draw(1234, terms);
            let seconds = register.seconds_left(rate, terms).unwrap();
            let mut before = register;
            before.draw(rate * (seconds - 1), terms);
            assert!(!before.is_exhausted(terms), "{terms:?} at {rate}");
            register.draw(rate * seconds, terms);
            assert!(register.is_exhausted(terms), "{terms:?} at {rate}");
        }
    }
}
