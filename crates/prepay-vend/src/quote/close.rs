//! From the exact solution to printed figures, by the stages that the tariff states.
//!
//! - `exact`: each line is rounded from the exact solution, in order; one line takes the remainder; units are rounded.
//! - `energy`: the same, but units come from the printed energy.
//! - `units_first`: units are rounded, and every line is computed from them; the remainder is given back, kept, or taken
//!   by a line.

use std::cmp::Ordering;

use rust_decimal::Decimal;

use super::QuoteError;
use super::plan::{Part, Plan, Solution};
use crate::exact::{Direction, Exact, Ratio, Rounding};
use crate::tariff::{Remainder, Rule, UnitsFrom};

/// Printed figures.
pub(super) struct Closed {
    /// Of each line, by index.
    pub(super) amounts: Vec<Decimal>,
    pub(super) units: Decimal,
    /// The segment of the printed units.
    pub(super) segment: usize,
    /// Money that a jump of the price leaves.
    pub(super) left: Decimal,
    /// Money that rounding leaves, if no line takes it.
    pub(super) rest: Decimal,
}

/// What rounding makes of a solution.
pub(super) struct Outcome {
    /// `None`: charges leave nothing for energy.
    pub(super) closed: Option<Closed>,
    /// The most units that this amount, or a smaller one, buys; where several lines are rounded, that may be more than this
    /// amount does.
    pub(super) most: Decimal,
}

/// Rounds a solution.
pub(super) fn close(
    plan: &Plan<'_>,
    money: Decimal,
    solution: Solution,
) -> Result<Outcome, QuoteError> {
    let rules = plan.version.rounding;
    let remainder = remainder(plan);
    let left = left(plan, money, solution)?;
    let available = money - left;
    let exact = solution.units.rounded(rules.units)?;
    if rules.units_from == UnitsFrom::UnitsFirst {
        let closed = units_first(plan, available, left, exact, remainder)?;
        // Where units bought before get cheaper, they may give back more than the new ones cost: nothing is sold so.
        let closed = closed
            .map(|closed| with_rest(plan, remainder, closed))
            .filter(|closed| closed.amounts[plan.energy] >= Decimal::ZERO);
        let sold = closed.as_ref().map_or(Decimal::ZERO, |closed| closed.units);
        let most = match most_left_over(plan, solution.segment) {
            Some(more) if sold < exact => {
                let with_more = plan.solve(Exact::from(money + more))?;
                let down = Rounding { direction: Direction::Down, ..rules.units };
                let units = with_more.map(|solution| solution.units.rounded(down)).transpose()?;
                units.map_or(sold, |units| units.min(exact))
            }
            _ => sold,
        };
        return Ok(Outcome { closed, most });
    }
    let segment = solution.segment;
    let amounts = amounts(plan, solution.units, segment, remainder)?;
    let rest = available - inside(plan, &amounts);
    let of_energy = |energy: Exact| -> Result<Decimal, QuoteError> {
        Ok(units_of_energy(plan, energy, solution)?.rounded(rules.units)?)
    };
    let energy = amounts[plan.energy];
    let closed = Closed { amounts, units: exact, segment, left, rest };
    let mut closed = with_rest(plan, remainder, closed);
    // What a jump leaves covers what rounding took too much.
    let missing = (-closed.amounts[plan.energy]).max(Decimal::ZERO).min(closed.left);
    closed.amounts[plan.energy] += missing;
    closed.left -= missing;
    if closed.amounts[plan.energy] < Decimal::ZERO {
        return Ok(Outcome { closed: None, most: exact });
    }
    if rules.units_from != UnitsFrom::Energy {
        return Ok(Outcome { closed: Some(closed), most: exact });
    }
    closed.units = of_energy(Exact::from(closed.amounts[plan.energy]))?;
    let most = if remainder != Some(plan.energy) {
        of_energy(Exact::from(energy))?
    } else if let Some(more) = most_left_over(plan, segment) {
        let Part { fixed, per_unit } = plan.segments[segment].parts[plan.energy];
        let cents = Rounding { step: plan.tariff.smallest_money(), direction: Direction::Up };
        of_energy(Exact::from(solution.units.cost(fixed, per_unit)?.rounded(cents)? + more))?
    } else {
        closed.units
    };
    Ok(Outcome { closed: Some(closed), most })
}

/// The line that takes the remainder, if one does.
pub(super) fn remainder(plan: &Plan<'_>) -> Option<usize> {
    let Remainder::Line(index) = plan.version.rounding.remainder else { return None };
    let name = &plan.line(index).name;
    let mut active = plan.active.iter().copied();
    Some(active.find(|&line| plan.line(line).name == *name).unwrap_or(plan.energy))
}

/// Gives the rest to the line that takes it. Where rounding took more than there was, the energy line gives it.
fn with_rest(plan: &Plan<'_>, remainder: Option<usize>, mut closed: Closed) -> Closed {
    if let Some(remainder) = remainder {
        closed.amounts[remainder] = std::mem::take(&mut closed.rest);
        if closed.amounts[remainder] < Decimal::ZERO && !plan.line(remainder).is_rebate {
            let missing = std::mem::take(&mut closed.amounts[remainder]);
            closed.amounts[plan.energy] += missing;
        }
    }
    closed
}

/// How much less than exact those lines may be printed, all together, that change with the amount; where units are rounded
/// first, with the amount at the same units. `None`: at most one changes, by a cent at a time, so that a cent more never leaves
/// less for energy.
fn most_left_over(plan: &Plan<'_>, segment: usize) -> Option<Decimal> {
    let by_units = plan.version.rounding.units_from == UnitsFrom::Energy;
    let mut changes = vec![false; plan.version.lines.len()];
    let (mut sum, mut count) = (Decimal::ZERO, 0);
    for &index in &plan.version.order {
        let line = plan.line(index);
        if !line.is_for(plan.figures.class) {
            continue;
        }
        changes[index] = match &line.rule {
            Rule::PerUnit { .. } => by_units,
            Rule::Percent { of, .. } => of.iter().any(|base| match &base.lines {
                None => true,
                Some(lines) => lines.iter().any(|&line| changes[line]),
            }),
            Rule::Monthly { cap_percent, .. } => cap_percent.is_some(),
            Rule::Daily { .. } | Rule::PerPurchase { .. } => false,
        };
        // A rebate that grows leaves more and more.
        let shrinks = plan.segments[segment].parts[index].per_unit.sign() == Ordering::Greater;
        if changes[index] && index != plan.energy && !line.on_top && (shrinks || !line.is_rebate) {
            sum += line.rounding.step;
            count += 1;
        }
    }
    (count > 1 || sum > plan.tariff.smallest_money()).then_some(sum)
}

/// What a jump of the price leaves, down to the smallest unit of money.
fn left(plan: &Plan<'_>, money: Decimal, solution: Solution) -> Result<Decimal, QuoteError> {
    if !solution.at_jump {
        return Ok(Decimal::ZERO);
    }
    let Part { fixed, per_unit } = plan.segments[solution.segment].total;
    let cost = solution.units.cost(fixed, per_unit)?;
    let left = Exact::from(money).ratio()?.less(cost)?;
    let down = Rounding { step: plan.tariff.smallest_money(), direction: Direction::Down };
    Ok(left.rounded(down)?)
}

/// The sum of what is inside the amount.
fn inside(plan: &Plan<'_>, amounts: &[Decimal]) -> Decimal {
    plan.active.iter().filter(|&&line| !plan.line(line).on_top).map(|&line| amounts[line]).sum()
}

/// Each line at a number of units, rounded, in the order of computation; the line that takes the remainder is left at zero.
fn amounts(
    plan: &Plan<'_>,
    units: Ratio,
    segment: usize,
    remainder: Option<usize>,
) -> Result<Vec<Decimal>, QuoteError> {
    let mut amounts = vec![Decimal::ZERO; plan.version.lines.len()];
    for &index in &plan.version.order {
        let line = plan.line(index);
        if Some(index) == remainder || !line.is_for(plan.figures.class) {
            continue;
        }
        let amount = match &line.rule {
            Rule::Percent { rate, divide_by, of, .. } if line.of_printed => {
                let mut base = Exact::ZERO;
                for each in of {
                    let part = match &each.lines {
                        None if line.on_top => Exact::from(plan.amount),
                        None => plan.tender,
                        Some(lines) => {
                            Exact::from(lines.iter().map(|&line| amounts[line]).sum::<Decimal>())
                        }
                    };
                    base = base.add(if each.is_negative { part.negate() } else { part })?;
                }
                if base.sign() == Ordering::Less {
                    base = Exact::ZERO;
                }
                base.times(plan.share(rate, *divide_by)?)?.rounded(line.rounding)?
            }
            _ => {
                let Part { fixed, per_unit } = plan.segments[segment].parts[index];
                let (fixed, per_unit) = if line.is_rebate {
                    (fixed.negate(), per_unit.negate())
                } else {
                    (fixed, per_unit)
                };
                units.cost(fixed, per_unit)?.rounded(line.rounding)?
            }
        };
        amounts[index] = if line.is_rebate { -amount } else { amount };
    }
    Ok(amounts)
}

/// Lines from printed units, `most` of them. Where rounding makes them more than there is, the most units are sold whose lines
/// fit; what a jump leaves may cover rounding. `None`: none fit.
fn units_first(
    plan: &Plan<'_>,
    available: Decimal,
    left: Decimal,
    most: Decimal,
    remainder: Option<usize>,
) -> Result<Option<Closed>, QuoteError> {
    let step = plan.version.rounding.units.step;
    let at = |units: Decimal| -> Result<Closed, QuoteError> {
        let segment = plan.segment_of(units)?;
        let amounts = amounts(plan, Exact::from(units).ratio()?, segment, remainder)?;
        let mut rest = available - inside(plan, &amounts);
        let mut left = left;
        if plan.version.rounding.remainder != Remainder::RoundingLine {
            let missing = (-rest).max(Decimal::ZERO).min(left);
            rest += missing;
            left -= missing;
        }
        Ok(Closed { amounts, units, segment, left, rest })
    };
    let fits = |closed: &Closed| {
        closed.rest >= Decimal::ZERO || plan.version.rounding.remainder == Remainder::RoundingLine
    };
    if most.is_zero() {
        return Ok(None);
    }
    let closed = at(most)?;
    if fits(&closed) {
        return Ok(Some(closed));
    }
    // Fewer, in steps that double, until the lines fit; then as many more as still fit.
    let (mut too_many, mut stride) = (most, step);
    let mut best = loop {
        let fewer = too_many - stride;
        if fewer <= Decimal::ZERO {
            break None;
        }
        let closed = at(fewer)?;
        if fits(&closed) {
            break Some(closed);
        }
        too_many = fewer;
        stride += stride;
    };
    let mut enough = best.as_ref().map_or(Decimal::ZERO, |closed| closed.units);
    while too_many - enough > step {
        let steps = ((too_many - enough) / step / Decimal::TWO).floor();
        let closed = at(enough + steps * step)?;
        if fits(&closed) {
            enough = closed.units;
            best = Some(closed);
        } else {
            too_many = closed.units;
        }
    }
    Ok(best)
}

/// The units that a printed energy amount is, within the piece of the solution.
fn units_of_energy(
    plan: &Plan<'_>,
    energy: Exact,
    solution: Solution,
) -> Result<Ratio, QuoteError> {
    let segment = &plan.segments[solution.segment];
    let Part { fixed, per_unit } = segment.parts[plan.energy];
    if per_unit.sign() != Ordering::Greater {
        return Ok(solution.units);
    }
    let units = energy.less(fixed)?.over(per_unit)?;
    if units.compare(segment.from)? == Ordering::Less {
        return Ok(segment.from);
    }
    Ok(match segment.to {
        Some(to) if units.compare(to)? == Ordering::Greater => to,
        _ => units,
    })
}
