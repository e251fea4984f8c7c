//! From a purchase to a quote: by an amount, or by units as the smallest amount that buys them.

use rust_decimal::Decimal;

use super::close::{Closed, close};
use super::plan::{Plan, Solution};
use super::{Ask, Purchase, Quote, QuoteError, write};
use crate::debt::{Debt, Taken, take};
use crate::exact::{Direction, Exact, Rounding};
use crate::tariff::read::meant;
use crate::tariff::{Gap, LARGEST_AMOUNT, Rule, Tariff, Version};

/// A purchase that was priced, with the steps that led there.
pub(super) struct Bought<'t> {
    pub(super) plan: Plan<'t>,
    pub(super) taken: Vec<Taken>,
    pub(super) solution: Solution,
    pub(super) closed: Closed,
}

/// What an amount for units is wanted for.
#[derive(Clone, Copy)]
enum Use {
    /// The customer asks for units: their exact cost, down to the step of amounts, or up if that buys fewer.
    AskedFor,
    /// The smallest amount that buys at least so many.
    Smallest,
}

impl Tariff {
    /// Prices a purchase.
    ///
    /// # Errors
    ///
    /// [`QuoteError`]: the purchase cannot be priced, and why.
    pub fn quote(&self, purchase: &Purchase) -> Result<Quote, QuoteError> {
        write::quote(purchase, &self.bought(purchase)?)
    }

    pub(super) fn bought<'t>(&'t self, purchase: &'t Purchase) -> Result<Bought<'t>, QuoteError> {
        let version = self
            .version_at(purchase.at)
            .ok_or(QuoteError::TariffMissing { at: purchase.at, first: self.versions[0].from })?;
        self.check(purchase)?;
        let amount = match purchase.ask {
            Ask::Amount(amount) => {
                self.check_amount(version, amount)?;
                amount
            }
            Ask::Units(units) => self.check_units(version, purchase, units)?,
        };
        if version.minimum.is_some_and(|minimum| amount < minimum) {
            return Err(QuoteError::AmountTooSmall {
                found: amount,
                smallest: self.smallest(version, purchase),
            });
        }
        if version.maximum.is_some_and(|maximum| amount > maximum) {
            return Err(QuoteError::AmountTooLarge { found: Some(amount), most: version.maximum });
        }
        match self.buy(purchase, amount, version.gap == Gap::Refuse) {
            Err(QuoteError::AmountSwallowed { found, debts, charges, .. }) => {
                let smallest = self.smallest(version, purchase);
                Err(QuoteError::AmountSwallowed { found, debts, charges, smallest })
            }
            Err(QuoteError::AmountTooSmall { found, .. }) => Err(QuoteError::AmountTooSmall {
                found,
                smallest: self.smallest(version, purchase),
            }),
            Err(QuoteError::AmountInGap { found, below, .. }) => {
                let above = self.next_above(version, purchase, found);
                Err(QuoteError::AmountInGap { found, below, above })
            }
            other => other,
        }
    }

    /// Prices an amount. Where the price jumps, `refuses_gaps` says whether money may be left.
    pub(super) fn buy<'t>(
        &'t self,
        purchase: &'t Purchase,
        amount: Decimal,
        refuses_gaps: bool,
    ) -> Result<Bought<'t>, QuoteError> {
        let version = self
            .version_at(purchase.at)
            .ok_or(QuoteError::TariffMissing { at: purchase.at, first: self.versions[0].from })?;
        let smallest = self.smallest_money();
        let mut available = amount;
        if let Some(percent) = version.debts_most_percent {
            let most = Exact::from(amount).times(Exact::from(percent))?.hundredth();
            available =
                most.rounded(Rounding { step: smallest, direction: Direction::Down })?.min(amount);
        }
        let debts: &[Debt] = &purchase.debts;
        let (plan, taken) = if version.debts_after_charges {
            let plan = Plan::new(self, purchase, amount, amount)?;
            let charges =
                plan.charges().rounded(Rounding { step: smallest, direction: Direction::Up })?;
            let rest = (amount + purchase.carried - charges).max(Decimal::ZERO);
            let taken = take(debts, amount, available.min(rest), smallest)?;
            (plan, taken)
        } else {
            let taken = take(debts, amount, available, smallest)?;
            let tender = amount - taken.iter().map(|taken| taken.amount).sum::<Decimal>();
            (Plan::new(self, purchase, amount, tender)?, taken)
        };
        let of_debts: Decimal = taken.iter().map(|taken| taken.amount).sum();
        let money = amount + purchase.carried - of_debts;
        let swallowed = |plan: &Plan<'_>| -> Result<QuoteError, QuoteError> {
            let up = Rounding { step: smallest, direction: Direction::Up };
            let charges = plan.charges().rounded(up)?;
            Ok(QuoteError::AmountSwallowed {
                found: amount,
                debts: of_debts,
                charges,
                smallest: None,
            })
        };
        let Some(solution) = plan.solve(Exact::from(money))? else {
            return Err(swallowed(&plan)?);
        };
        let Some(closed) = close(&plan, money, solution)? else {
            return Err(swallowed(&plan)?);
        };
        if closed.units.is_zero() {
            return Err(QuoteError::AmountTooSmall { found: amount, smallest: None });
        }
        if refuses_gaps && closed.left > Decimal::ZERO {
            return Err(QuoteError::AmountInGap {
                found: amount,
                below: amount - closed.left,
                above: None,
            });
        }
        Ok(Bought { plan, taken, solution, closed })
    }

    /// An amount that buys so many units.
    fn amount_for(
        &self,
        version: &Version,
        purchase: &Purchase,
        units: Decimal,
        use_of: Use,
    ) -> Result<Decimal, QuoteError> {
        let too_large = || QuoteError::AmountTooLarge { found: None, most: version.maximum };
        let step = version.step;
        let most = Decimal::try_from_i128_with_scale(LARGEST_AMOUNT, self.decimals)
            .map_err(|_| too_large())?;
        let most = most / step;
        let most = most.trunc();
        let buys = |steps: Decimal| match self.buy(purchase, steps * step, false) {
            Ok(bought) => Ok(bought.closed.units >= units),
            Err(QuoteError::AmountSwallowed { .. } | QuoteError::AmountTooSmall { .. }) => {
                Ok(false)
            }
            Err(error) => Err(error),
        };
        // A first guess: the cost of the units, some rounds on, since charges and debts may depend on the amount.
        let mut guess = Decimal::ONE;
        let mut down = guess;
        for _ in 0..4 {
            let amount = guess * step;
            let taken = take(&purchase.debts, amount, amount, self.smallest_money())?;
            let of_debts: Decimal = taken.iter().map(|taken| taken.amount).sum();
            let plan = Plan::new(self, purchase, amount, amount - of_debts)?;
            let total = plan.segments[plan.segment_of(units)?].total;
            let cost = Exact::from(units).ratio()?.cost(total.fixed, total.per_unit)?;
            let steps = |direction| -> Result<Decimal, QuoteError> {
                let cost = cost.rounded(Rounding { step: self.smallest_money(), direction })?;
                Ok((cost + of_debts - purchase.carried) / step)
            };
            down = steps(Direction::Down)?.floor();
            guess = steps(Direction::Up)?.ceil().clamp(Decimal::ONE, most);
        }
        let mut high = guess;
        if let Use::AskedFor = use_of {
            // The exact cost, down, is what utilities print for a number of units, where it buys them.
            for steps in [down, guess].into_iter().filter(|steps| *steps > Decimal::ZERO) {
                if let Ok(bought) = self.buy(purchase, steps * step, false)
                    && bought.closed.units == units
                {
                    return Ok(steps * step);
                }
            }
        }
        let mut stride = Decimal::ONE;
        while !buys(high)? {
            if high >= most {
                return Err(too_large());
            }
            high = (high + stride).min(most);
            stride += stride;
        }
        let mut low = Decimal::ZERO;
        let mut stride = Decimal::ONE;
        while high - stride > Decimal::ZERO {
            if !buys(high - stride)? {
                low = high - stride;
                break;
            }
            high -= stride;
            stride += stride;
        }
        // Up to a threshold a purchase may buy more than just above it.
        for line in &version.lines {
            let Rule::PerPurchase { above: Some(above), .. } = &line.rule else { continue };
            let steps = (above / step).floor();
            if steps < high && steps > Decimal::ZERO && buys(steps)? {
                (low, high) = (Decimal::ZERO, steps);
            }
        }
        while high - low > Decimal::ONE {
            let middle = ((low + high) / Decimal::TWO).floor();
            if buys(middle)? { high = middle } else { low = middle }
        }
        Ok(high * step)
    }

    /// The smallest amount that can be sold now.
    fn smallest(&self, version: &Version, purchase: &Purchase) -> Option<Decimal> {
        let amount =
            self.amount_for(version, purchase, version.rounding.units.step, Use::Smallest).ok()?;
        let amount = version.minimum.map_or(amount, |minimum| amount.max(minimum));
        version.maximum.is_none_or(|maximum| amount <= maximum).then_some(amount)
    }

    /// The smallest amount that buys more than one in a gap does.
    pub(super) fn next_above(
        &self,
        version: &Version,
        purchase: &Purchase,
        amount: Decimal,
    ) -> Option<Decimal> {
        let units = self.buy(purchase, amount, false).ok()?.closed.units;
        self.amount_for(version, purchase, units + version.rounding.units.step, Use::Smallest).ok()
    }

    fn check_amount(&self, version: &Version, amount: Decimal) -> Result<(), QuoteError> {
        if amount <= Decimal::ZERO || amount.normalize().scale() > self.decimals {
            let expected = match self.decimals {
                0 => "a whole amount above zero".to_owned(),
                places => format!("an amount above zero with at most {places} decimal places"),
            };
            return Err(QuoteError::invalid("amount", expected, amount));
        }
        if amount > Decimal::from_i128_with_scale(LARGEST_AMOUNT, self.decimals) {
            let most = Some(
                version
                    .maximum
                    .unwrap_or(Decimal::from_i128_with_scale(LARGEST_AMOUNT, self.decimals)),
            );
            return Err(QuoteError::AmountTooLarge { found: Some(amount), most });
        }
        if !(amount % version.step).is_zero() {
            return Err(QuoteError::invalid(
                "amount",
                format!("a multiple of {}", version.step),
                amount,
            ));
        }
        Ok(())
    }

    fn check_units(
        &self,
        version: &Version,
        purchase: &Purchase,
        units: Decimal,
    ) -> Result<Decimal, QuoteError> {
        let step = version.rounding.units.step;
        if units <= Decimal::ZERO || !(units % step).is_zero() {
            return Err(QuoteError::invalid(
                "units",
                format!("a multiple of {step} above zero"),
                units,
            ));
        }
        self.amount_for(version, purchase, units, Use::AskedFor)
    }

    fn check(&self, purchase: &Purchase) -> Result<(), QuoteError> {
        let not_negative = |field: &str, value: Decimal| {
            if value < Decimal::ZERO {
                return Err(QuoteError::invalid(field, "a number that is not below zero", value));
            }
            Ok(())
        };
        not_negative("bought_this_month", purchase.bought_this_month)?;
        not_negative("carried", purchase.carried)?;
        not_negative("carried_units", purchase.carried_units)?;
        for (name, value) in &purchase.waiting {
            not_negative(&format!("waiting.{name}"), *value)?;
        }
        for (name, _) in &purchase.rates {
            if !self.rates.iter().any(|rate| rate.name == *name) {
                let known = self.rates.iter().map(|rate| rate.name.as_str());
                let expected = format!("a rate of the tariff; {}", meant(name, known));
                return Err(QuoteError::invalid("rates", expected, format!("{name:?}")));
            }
        }
        for debt in &purchase.debts {
            if debt.balance <= Decimal::ZERO || debt.balance.normalize().scale() > self.decimals {
                let expected =
                    format!("a balance above zero with at most {} decimal places", self.decimals);
                return Err(QuoteError::invalid(
                    format!("debts.{}", debt.name),
                    expected,
                    debt.balance,
                ));
            }
        }
        Ok(())
    }
}
