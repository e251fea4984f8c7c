//! A purchase before its units are known: each line as a straight line over the units, piece by piece.
//!
//! ```text
//!  cost                                    a piece ends where a block, a tier or a cap does, and the cost may jump there.
//!   │            ┌──                       The largest number of units whose cost is not above the money is the
//!   │        ┌───┘ <- a jump               solution: money in a jump is left over.
//!   │   ╱────┘
//!   └──┴─────┴────── units
//! ```

use std::cmp::Ordering;

use rust_decimal::Decimal;

use super::price::{Piece, Prices};
use super::{Purchase, QuoteError};
use crate::exact::{Exact, Ratio, Rounding};
use crate::tariff::{Base, Figures, Line, Rule, Tariff, Value, Version};

/// `fixed + per_unit × units`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) fixed: Exact,
    pub(super) per_unit: Exact,
}

impl Part {
    const ZERO: Self = Self { fixed: Exact::ZERO, per_unit: Exact::ZERO };

    fn add(self, other: Self) -> Result<Self, QuoteError> {
        Ok(Self {
            fixed: self.fixed.add(other.fixed)?,
            per_unit: self.per_unit.add(other.per_unit)?,
        })
    }

    fn negate(self) -> Self {
        Self { fixed: self.fixed.negate(), per_unit: self.per_unit.negate() }
    }
}

/// Units from one number, not included, to another.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub(super) from: Ratio,
    pub(super) to: Option<Ratio>,
    /// One for each line of the version.
    pub(super) parts: Vec<Part>,
    /// All that are inside the amount.
    pub(super) total: Part,
}

/// What the money buys exactly.
#[derive(Clone, Copy, Debug)]
pub(super) struct Solution {
    pub(super) units: Ratio,
    pub(super) segment: usize,
    /// The price jumps here, so money may be left.
    pub(super) at_jump: bool,
}

/// The lines of a purchase over its units.
pub(super) struct Plan<'t> {
    pub(super) tariff: &'t Tariff,
    pub(super) version: &'t Version,
    pub(super) figures: Figures<'t>,
    /// Lines for this class, by index, in the order of printing.
    pub(super) active: Vec<usize>,
    pub(super) energy: usize,
    pub(super) bought: Exact,
    pub(super) months: u32,
    pub(super) amount: Decimal,
    /// The amount less debts that stand before the charges.
    pub(super) tender: Exact,
    /// Prices of lines per unit, by index.
    pub(super) prices: Vec<Option<Prices>>,
    pub(super) segments: Vec<Segment>,
}

impl<'t> Plan<'t> {
    pub(super) fn new(
        tariff: &'t Tariff,
        purchase: &'t Purchase,
        amount: Decimal,
        tender: Decimal,
    ) -> Result<Self, QuoteError> {
        let version = tariff
            .version_at(purchase.at)
            .ok_or(QuoteError::TariffMissing { at: purchase.at, first: tariff.versions[0].from })?;
        let class = class(tariff, version, purchase)?;
        let figures =
            Figures { rates: &tariff.rates, given: &purchase.rates, at: purchase.at, class };
        let active: Vec<usize> =
            (0..version.lines.len()).filter(|&index| version.lines[index].is_for(class)).collect();
        let energy = active
            .iter()
            .copied()
            .find(|&index| version.lines[index].kind == super::LineKind::Energy);
        let Some(energy) = energy else {
            let found = class.map_or("none", |class| &tariff.classes[class].name);
            return Err(QuoteError::invalid("class", classes_in_words(tariff, version), found));
        };
        let default = u32::from(purchase.bought_this_month.is_zero());
        let mut plan = Self {
            tariff,
            version,
            figures,
            active,
            energy,
            bought: Exact::from(purchase.bought_this_month),
            months: purchase.months_unpaid.unwrap_or(default),
            amount,
            tender: Exact::from(tender),
            prices: Vec::with_capacity(version.lines.len()),
            segments: Vec::new(),
        };
        plan.resolve_prices(purchase.months_in_blocks.unwrap_or(plan.months).max(1))?;
        plan.build(purchase)?;
        Ok(plan)
    }

    pub(super) fn line(&self, index: usize) -> &'t Line {
        &self.version.lines[index]
    }

    /// Prices of lines per unit, with the accruing blocks of so many months.
    fn resolve_prices(&mut self, months: u32) -> Result<(), QuoteError> {
        let months = Decimal::from(months);
        for line in &self.version.lines {
            let prices = match &line.rule {
                Rule::PerUnit { blocks, whole_purchase, exchange, monthly_cap }
                    if line.is_for(self.figures.class) =>
                {
                    let cap = monthly_cap.as_ref();
                    Some(Prices::new(
                        blocks,
                        *whole_purchase,
                        *exchange,
                        cap,
                        &self.figures,
                        months,
                    )?)
                }
                _ => None,
            };
            self.prices.push(prices);
        }
        Ok(())
    }

    /// The units of the month at which a piece ends, above those bought already.
    fn ends(&self) -> Result<Vec<Ratio>, QuoteError> {
        let mut ends: Vec<Ratio> = Vec::new();
        for &index in &self.active {
            match &self.line(index).rule {
                Rule::PerUnit { .. } => {
                    let prices = self.prices_of(index);
                    for (end, _) in &prices.blocks {
                        if let Some(end) = end {
                            ends.push(end.ratio()?);
                        }
                    }
                    ends.extend(prices.cap_reached()?);
                }
                Rule::Monthly { tiers, .. } => {
                    for (end, _) in tiers {
                        if let Some(end) = end {
                            ends.push(end.ratio()?);
                        }
                    }
                }
                Rule::Percent { above_units: Some(above), .. } => ends.push(above.ratio()?),
                _ => {}
            }
        }
        if ends.is_empty() {
            return Ok(ends);
        }
        let bought = self.bought.ratio()?;
        let mut sorted: Vec<Ratio> = Vec::with_capacity(ends.len());
        for end in ends {
            if end.compare(bought)? != Ordering::Greater {
                continue;
            }
            let mut place = sorted.len();
            let mut is_new = true;
            while place > 0 {
                match sorted[place - 1].compare(end)? {
                    Ordering::Less => break,
                    Ordering::Equal => {
                        is_new = false;
                        break;
                    }
                    Ordering::Greater => place -= 1,
                }
            }
            if is_new {
                sorted.insert(place, end);
            }
        }
        Ok(sorted)
    }

    fn prices_of(&self, index: usize) -> &Prices {
        self.prices[index].as_ref().expect("every active line per unit has prices")
    }

    fn build(&mut self, purchase: &Purchase) -> Result<(), QuoteError> {
        let mut ends = self.ends()?.into_iter().peekable();
        let bought = self.bought.ratio()?;
        let mut rounded: Option<Part> = None;
        let (mut from, mut from_month) = (Ratio::ZERO, bought);
        loop {
            let mut parts = vec![Part::ZERO; self.version.lines.len()];
            let mut bend = None;
            for &line in &self.version.order {
                if self.line(line).is_for(self.figures.class) {
                    parts[line] =
                        self.part(line, (from, from_month), &parts, purchase, &mut bend)?;
                    self.take_out(line, &mut parts)?;
                }
            }
            let mut to_month = ends.peek().copied();
            if let Some(bend) = bend {
                let bend = self.month_of(bend)?;
                to_month = match to_month {
                    Some(end) if end.compare(bend)? != Ordering::Greater => Some(end),
                    _ => Some(bend),
                };
            }
            let mut total = Part::ZERO;
            for &line in self.active.iter().filter(|&&line| !self.line(line).on_top) {
                total = total.add(parts[line])?;
            }
            let to = to_month.map(|end| end.less(bought)).transpose()?;
            if let Some(rounding) = self.version.rounding.price {
                let more = rounded_price(total.per_unit, rounding, from, rounded)?;
                rounded = Some(more);
                parts[self.energy] = parts[self.energy].add(more)?;
                total = total.add(more)?;
            }
            let expected = if to.is_none() { Ordering::Greater } else { Ordering::Equal };
            if total.per_unit.sign() < expected {
                return Err(QuoteError::invalid(
                    "rates",
                    "prices, levies and taxes that together cost more than nothing",
                    "a unit that costs nothing or less",
                ));
            }
            self.segments.push(Segment { from, to, parts, total });
            let (Some(end), Some(end_month)) = (to, to_month) else { return Ok(()) };
            while let Some(next) = ends.peek()
                && next.compare(end_month)? != Ordering::Greater
            {
                ends.next();
            }
            (from, from_month) = (end, end_month);
        }
    }

    /// Takes out of its bases what they include.
    fn take_out(&self, index: usize, parts: &mut [Part]) -> Result<(), QuoteError> {
        let Rule::Percent { rate, of, included: true, .. } = &self.line(index).rule else {
            return Ok(());
        };
        let share = self.share(rate, None)?;
        for &base in of.iter().flat_map(|base| base.lines.iter().flatten()) {
            // Of 115 with 15 per cent, 15: the share of what is left, taken of the whole over 1.15.
            let Part { fixed, per_unit } = parts[base];
            let rest = |whole: Exact| whole.over_one_and(share);
            parts[base] = Part { fixed: rest(fixed)?, per_unit: rest(per_unit)? };
            let tax = Part {
                fixed: fixed.less(parts[base].fixed)?,
                per_unit: per_unit.less(parts[base].per_unit)?,
            };
            parts[index] = parts[index].add(tax)?;
        }
        Ok(())
    }

    /// A line above a number of units of the purchase and of the month. `bend`: where a share of it begins or ends, if that
    /// comes before another bend.
    fn part(
        &self,
        index: usize,
        (from_purchase, from): (Ratio, Ratio),
        parts: &[Part],
        purchase: &Purchase,
        bend: &mut Option<Ratio>,
    ) -> Result<Part, QuoteError> {
        let line = self.line(index);
        let fixed = |fixed| Part { fixed, per_unit: Exact::ZERO };
        let part = match &line.rule {
            Rule::PerUnit { .. } => self.priced(index, from)?,
            Rule::Monthly { .. } => fixed(self.monthly(index, from, parts, purchase)?.0),
            Rule::Daily { amount, most_days } => {
                let days = purchase.days_since.ok_or_else(|| QuoteError::Missing {
                    field: "days_since".to_owned(),
                    expected: format!("the days since the last purchase, for {:?}", line.text),
                })?;
                let days = most_days.map_or(days, |most| days.min(most));
                fixed(self.fixed_amount(line, amount)?.times(Exact::from(Decimal::from(days)))?)
            }
            Rule::PerPurchase { amount, above } => {
                let is_due = above.is_none_or(|above| self.amount > above);
                fixed(if is_due { self.fixed_amount(line, amount)? } else { Exact::ZERO })
            }
            Rule::Percent { included: true, .. } => Part::ZERO, // `take_out` knows.
            Rule::Percent { rate, divide_by, of, above_units, .. } => {
                let mut base = Part::ZERO;
                for each in of {
                    let mut part = match &each.lines {
                        None if line.on_top => fixed(Exact::from(self.amount)),
                        None => fixed(self.tender),
                        Some(lines) => {
                            let mut sum = Part::ZERO;
                            for &line in lines {
                                sum = sum.add(match above_units {
                                    Some(above) => self.above(line, *above, from, parts)?,
                                    None => parts[line],
                                })?;
                            }
                            sum
                        }
                    };
                    if each.is_negative {
                        part = part.negate();
                    }
                    base = base.add(part)?;
                }
                if self.may_be_below_zero(of) {
                    base = not_below_zero(base, from_purchase, bend)?;
                }
                let share = self.share(rate, *divide_by)?;
                Part { fixed: base.fixed.times(share)?, per_unit: base.per_unit.times(share)? }
            }
        };
        Ok(if line.is_rebate { part.negate() } else { part })
    }

    /// Whether something is taken off in these bases, or priced again and perhaps cheaper, or a tax is within that.
    fn may_be_below_zero(&self, of: &[Base]) -> bool {
        let falls = |&line: &usize| match &self.line(line).rule {
            Rule::PerUnit { blocks, .. } if blocks.iter().any(|block| block.reprices) => true,
            Rule::Percent { included: true, of, .. } => self.may_be_below_zero(of),
            _ => self.line(line).is_rebate,
        };
        of.iter().any(|base| base.is_negative || base.lines.iter().flatten().any(falls))
    }

    /// A fixed amount, times what the line is multiplied by.
    fn fixed_amount(&self, line: &Line, amount: &Value) -> Result<Exact, QuoteError> {
        let amount = self.figures.of(amount)?;
        Ok(match &line.times {
            Some(times) => amount.times(self.figures.of(times)?)?,
            None => amount,
        })
    }

    /// A rate in per cent as a factor.
    pub(super) fn share(
        &self,
        rate: &Value,
        divide_by: Option<Decimal>,
    ) -> Result<Exact, QuoteError> {
        let share = self.figures.of(rate)?.hundredth();
        Ok(match divide_by {
            Some(by) => share.divided(by)?,
            None => share,
        })
    }

    fn priced(&self, index: usize, from: Ratio) -> Result<Part, QuoteError> {
        let prices = self.prices_of(index);
        let Piece { constant, slope } = prices.piece_above(from)?;
        if prices.whole_purchase {
            return Ok(Part { fixed: Exact::ZERO, per_unit: slope });
        }
        let before = prices.month(self.bought)?;
        Ok(Part { fixed: constant.add(slope.times(self.bought)?)?.less(before)?, per_unit: slope })
    }

    /// The part of a line per unit for units of the month above a limit.
    fn above(
        &self,
        index: usize,
        limit: Exact,
        from: Ratio,
        parts: &[Part],
    ) -> Result<Part, QuoteError> {
        if !self.line(index).is_for(self.figures.class)
            || from.compare(limit.ratio()?)? == Ordering::Less
        {
            return Ok(Part::ZERO);
        }
        let prices = self.prices_of(index);
        if limit.compare(self.bought)? != Ordering::Greater || prices.whole_purchase {
            return Ok(parts[index]);
        }
        let below = prices.month(limit)?.less(prices.month(self.bought)?)?;
        Ok(Part { fixed: parts[index].fixed.less(below)?, ..parts[index] })
    }

    /// A monthly charge as it is taken, and as it is due.
    pub(super) fn monthly(
        &self,
        index: usize,
        from: Ratio,
        parts: &[Part],
        purchase: &Purchase,
    ) -> Result<(Exact, Exact), QuoteError> {
        let line = self.line(index);
        let Rule::Monthly { tiers, accrues, cap_percent, cap_with } = &line.rule else {
            unreachable!("only monthly charges are asked for")
        };
        let mut amount = &tiers[tiers.len() - 1].1;
        for (end, of_tier) in tiers {
            if let Some(end) = end
                && end.ratio()?.compare(from)? == Ordering::Greater
            {
                amount = of_tier;
                break;
            }
        }
        let amount = self.fixed_amount(line, amount)?;
        let mut due = if self.months == 0 {
            let mut paid = &tiers[tiers.len() - 1].1;
            for (end, of_tier) in tiers {
                if let Some(end) = end
                    && self.bought.compare(*end)? != Ordering::Greater
                {
                    paid = of_tier;
                    break;
                }
            }
            amount.less(self.fixed_amount(line, paid)?)?
        } else {
            let months = if *accrues { self.months } else { 1 };
            amount.times(Exact::from(Decimal::from(months)))?
        };
        if let Some((_, waiting)) = purchase.waiting.iter().find(|(name, _)| *name == line.name) {
            due = due.add(Exact::from(*waiting))?;
        }
        if due.sign() == Ordering::Less {
            due = Exact::ZERO; // A smaller tier pays nothing back.
        }
        let Some(percent) = cap_percent else { return Ok((due, due)) };
        let mut most = self.tender.times(self.figures.of(percent)?.hundredth())?;
        for &other in cap_with {
            most = most.less(parts[other].fixed)?;
        }
        if most.sign() == Ordering::Less {
            most = Exact::ZERO;
        }
        Ok((if due.compare(most)? == Ordering::Greater { most } else { due }, due))
    }

    /// The largest number of units that cost no more than the money.
    pub(super) fn solve(&self, money: Exact) -> Result<Option<Solution>, QuoteError> {
        for (index, segment) in self.segments.iter().enumerate().rev() {
            let Part { fixed, per_unit } = segment.total;
            let start = segment.from.cost(fixed, per_unit)?;
            let rest = money.less(fixed)?;
            let is_free = per_unit.sign() == Ordering::Equal;
            let fits = start.compare(money.ratio()?)?;
            if fits == Ordering::Greater || (fits == Ordering::Equal && !is_free) {
                continue;
            }
            if let (true, Some(to)) = (is_free, segment.to) {
                return Ok(Some(Solution { units: to, segment: index, at_jump: true }));
            }
            let units = rest.over(per_unit)?;
            return Ok(Some(match segment.to {
                Some(to) if units.compare(to)? == Ordering::Greater => {
                    Solution { units: to, segment: index, at_jump: true }
                }
                _ => Solution { units, segment: index, at_jump: false },
            }));
        }
        Ok(None)
    }

    /// The segment that a number of units is in; the end of one belongs to it.
    pub(super) fn segment_of(&self, units: Decimal) -> Result<usize, QuoteError> {
        let units = Exact::from(units).ratio()?;
        for (index, segment) in self.segments.iter().enumerate() {
            match segment.to {
                Some(to) if to.compare(units)? == Ordering::Less => {}
                _ => return Ok(index),
            }
        }
        unreachable!("the last segment has no end")
    }

    /// The units of the month at a number of units of this purchase.
    pub(super) fn month_of(&self, units: Ratio) -> Result<Ratio, QuoteError> {
        Ok(units.less(self.bought.negate().ratio()?)?)
    }

    /// What must be paid before the first unit: charges with their taxes.
    pub(super) fn charges(&self) -> Exact {
        self.segments[0].total.fixed
    }
}

/// A base above a number of units, or nothing while it is below zero. `bend` is where that changes, if it comes first.
fn not_below_zero(base: Part, from: Ratio, bend: &mut Option<Ratio>) -> Result<Part, QuoteError> {
    let slope = base.per_unit.sign();
    let now = from.cost(base.fixed, base.per_unit)?.compare(Ratio::ZERO)?;
    let crossing = match (now, slope) {
        (Ordering::Less, Ordering::Greater) => Some(base.fixed.negate().over(base.per_unit)?),
        (Ordering::Greater, Ordering::Less) => Some(base.fixed.over(base.per_unit.negate())?),
        _ => None,
    };
    if let Some(crossing) = crossing {
        *bend = Some(match *bend {
            Some(first) if first.compare(crossing)? == Ordering::Less => first,
            _ => crossing,
        });
    }
    Ok(if now.then(slope) == Ordering::Less { Part::ZERO } else { base })
}

/// What rounding the price adds to the exact cost of a piece, given the same of the piece before: at the end of a block both
/// come to the same cost.
fn rounded_price(
    exact: Exact,
    rounding: Rounding,
    from: Ratio,
    before: Option<Part>,
) -> Result<Part, QuoteError> {
    let per_unit = Exact::from(exact.rounded(rounding)?).less(exact)?;
    let fixed = match before {
        Some(before) => before.fixed.add(before.per_unit.less(per_unit)?.times(from.exact()?)?)?,
        None => Exact::ZERO,
    };
    Ok(Part { fixed, per_unit })
}

/// The class of a purchase: as given, or by past use.
fn class(
    tariff: &Tariff,
    version: &Version,
    purchase: &Purchase,
) -> Result<Option<usize>, QuoteError> {
    if let Some(name) = &purchase.class {
        let found = tariff.classes.iter().position(|class| class.name == *name);
        return found.map(Some).ok_or_else(|| {
            QuoteError::invalid("class", classes_in_words(tariff, version), format!("{name:?}"))
        });
    }
    if version.lines.iter().all(|line| line.classes.is_empty()) {
        return Ok(None);
    }
    let sold = |&class: &usize| {
        version
            .lines
            .iter()
            .any(|line| line.kind == super::LineKind::Energy && line.is_for(Some(class)))
    };
    let mut by_use: Vec<usize> = (0..tariff.classes.len()).filter(sold).collect();
    if let (Some(mean), true) =
        (purchase.past_mean, by_use.iter().any(|&class| tariff.classes[class].mean_to.is_some()))
    {
        by_use.sort_by_key(|&class| tariff.classes[class].mean_to.unwrap_or(Decimal::MAX));
        let mut fitting = by_use.into_iter();
        let found =
            fitting.find(|&class| tariff.classes[class].mean_to.is_none_or(|to| mean <= to));
        return found.map(Some).ok_or_else(|| {
            QuoteError::invalid("past_mean", "a mean that some class allows", mean)
        });
    }
    Err(QuoteError::Missing {
        field: "class".to_owned(),
        expected: classes_in_words(tariff, version),
    })
}

/// The classes that a version sells to, in words.
fn classes_in_words(tariff: &Tariff, version: &Version) -> String {
    let sold = |class: usize| {
        version
            .lines
            .iter()
            .any(|line| line.kind == super::LineKind::Energy && line.is_for(Some(class)))
    };
    let names: Vec<&str> = tariff
        .classes
        .iter()
        .enumerate()
        .filter(|(index, _)| sold(*index))
        .map(|(_, class)| class.name.as_str())
        .collect();
    if names.is_empty() {
        "none: this tariff has no classes".to_owned()
    } else {
        format!("one of {}", names.join(", "))
    }
}
