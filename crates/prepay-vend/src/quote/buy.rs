//! From a purchase to a quote: by an amount, or by units as the smallest amount that buys them.

use rust_decimal::Decimal;

use super::close::{Closed, Outcome, close, remainder};
use super::plan::{Plan, Solution};
use super::{Ask, Purchase, Quote, QuoteError, write};
use crate::debt::{Debt, DebtRule, Taken, take};
use crate::exact::{Direction, Exact, Rounding};
use crate::tariff::read::meant;
use crate::tariff::{Gap, LARGEST_AMOUNT, Rule, Tariff, Version};

/// How many cents below an amount may buy more than it. Rounding is a matter of a cent per line, or of its step.
const FARTHEST: Decimal = Decimal::from_parts(200, 0, 0, false, 0);

/// A purchase that was priced, with the steps that led there.
pub(super) struct Bought<'t> {
    pub(super) plan: Plan<'t>,
    pub(super) taken: Vec<Taken>,
    pub(super) solution: Solution,
    pub(super) closed: Closed,
    /// It is priced as an amount that is this much less, which buys more because of rounding; the remainder takes it.
    pub(super) surplus: Decimal,
}

/// What an amount for units is wanted for.
#[derive(Clone, Copy)]
enum Use {
    /// The customer asks for units: their exact cost, down to the step of amounts, or up if that buys fewer.
    AskedFor,
    /// The smallest amount that buys at least so many.
    Smallest,
}

impl Bought<'_> {
    /// What the customer asked for.
    pub(super) fn amount(&self) -> Decimal {
        self.plan.amount + self.surplus
    }

    /// Adds money that buys nothing.
    fn with_surplus(mut self, surplus: Decimal) -> Self {
        self.surplus = surplus;
        match remainder(&self.plan) {
            Some(line) => self.closed.amounts[line] += surplus,
            None => self.closed.rest += surplus,
        }
        self
    }
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
        self.check(version, purchase)?;
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
    ///
    /// Where several lines are rounded, an amount of some cents less may leave more for energy. Then that amount is priced, so
    /// that more money never buys fewer units, except above the threshold of a fee.
    pub(super) fn buy<'t>(
        &'t self,
        purchase: &'t Purchase,
        amount: Decimal,
        refuses_gaps: bool,
    ) -> Result<Bought<'t>, QuoteError> {
        let sold = |priced: &Result<Bought<'_>, QuoteError>| {
            priced.as_ref().map_or(Decimal::ZERO, |bought| bought.closed.units)
        };
        let (mut best, mut most) = self.price(purchase, amount)?;
        let mut surplus = Decimal::ZERO;
        let farthest = self.smallest_money() * FARTHEST;
        while most > sold(&best) && surplus < farthest {
            surplus += self.smallest_money();
            let less = amount - surplus;
            if less <= self.threshold_below(purchase, amount) {
                break;
            }
            let (other, most_of_other) = self.price(purchase, less)?;
            most = most_of_other;
            if sold(&other) > sold(&best) {
                best = other.map(|other| other.with_surplus(surplus));
            }
        }
        let bought = best?;
        if refuses_gaps && bought.closed.left > Decimal::ZERO {
            return Err(QuoteError::AmountInGap {
                found: amount,
                below: amount - bought.closed.left,
                above: None,
            });
        }
        Ok(bought)
    }

    /// The highest threshold of a fee that an amount is above, or zero.
    fn threshold_below(&self, purchase: &Purchase, amount: Decimal) -> Decimal {
        let lines = self.version_at(purchase.at).map_or(&[][..], |version| &version.lines);
        let thresholds = lines.iter().filter_map(|line| match line.rule {
            Rule::PerPurchase { above, .. } => above,
            _ => None,
        });
        thresholds.filter(|above| *above < amount).max().unwrap_or_default()
    }

    /// Prices exactly this amount, or says why it buys nothing; and the most units that it or a smaller amount buys.
    fn price<'t>(
        &'t self,
        purchase: &'t Purchase,
        amount: Decimal,
    ) -> Result<(Result<Bought<'t>, QuoteError>, Decimal), QuoteError> {
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
            return Ok((Err(swallowed(&plan)?), Decimal::ZERO));
        };
        let Outcome { closed, mut most } = close(&plan, money, solution)?;
        if version.debts_after_charges && !of_debts.is_zero() {
            // Debts move by a cent at a time, and charges that are a share of the amount move with each part of one.
            let rounding = version.rounding.units;
            if let Some(more) = plan.solve(Exact::from(money + smallest))? {
                most = most.max(more.units.rounded(rounding)?);
            }
        }
        let Some(closed) = closed else { return Ok((Err(swallowed(&plan)?), most)) };
        let bought = if closed.units.is_zero() {
            Err(QuoteError::AmountTooSmall { found: amount, smallest: None })
        } else {
            Ok(Bought { plan, taken, solution, closed, surplus: Decimal::ZERO })
        };
        Ok((bought, most))
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
            let before = guess;
            guess = steps(Direction::Up)?.ceil().clamp(Decimal::ONE, most);
            if guess == before {
                break;
            }
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

    fn check(&self, version: &Version, purchase: &Purchase) -> Result<(), QuoteError> {
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
            let capped = version
                .lines
                .iter()
                .filter(|line| matches!(line.rule, Rule::Monthly { cap_percent: Some(_), .. }));
            let mut names = capped.map(|line| line.name.as_str());
            if !names.clone().any(|known| known == name) {
                let expected =
                    format!("a capped charge of the tariff; {}", meant(name, &mut names));
                return Err(QuoteError::invalid("waiting", expected, format!("{name:?}")));
            }
        }
        for (name, _) in &purchase.rates {
            if !self.rates.iter().any(|rate| rate.name == *name) {
                let known = self.rates.iter().map(|rate| rate.name.as_str());
                let expected = format!("a rate of the tariff; {}", meant(name, known));
                return Err(QuoteError::invalid("rates", expected, format!("{name:?}")));
            }
        }
        let is_money = |value: Decimal| value.normalize().scale() <= self.decimals;
        if !is_money(purchase.carried) {
            let expected = format!("at most {} decimal places", self.decimals);
            return Err(QuoteError::invalid("carried", expected, purchase.carried));
        }
        for debt in &purchase.debts {
            let (amount, percent) = match debt.rule {
                DebtRule::PercentOfAmount(rate) | DebtRule::PercentOfDebt(rate) => {
                    (None, Some(rate))
                }
                DebtRule::Fixed(fixed) => (Some(fixed), None),
                DebtRule::All => (None, None),
            };
            let amounts = [Some(debt.balance), amount, debt.most_amount].into_iter().flatten();
            if let Some(found) =
                amounts.into_iter().find(|&of| of <= Decimal::ZERO || !is_money(of))
            {
                let expected =
                    format!("an amount above zero with at most {} decimal places", self.decimals);
                return Err(QuoteError::invalid(format!("debts.{}", debt.name), expected, found));
            }
            let percents = [percent, debt.most_percent].into_iter().flatten();
            let is_share = |of: Decimal| of > Decimal::ZERO && of <= Decimal::ONE_HUNDRED;
            if let Some(found) = percents.into_iter().find(|&of| !is_share(of)) {
                let expected = "a share above zero and at most 100 per cent";
                return Err(QuoteError::invalid(format!("debts.{}", debt.name), expected, found));
            }
        }
        Ok(())
    }
}
