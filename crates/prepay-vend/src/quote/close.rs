//! From the exact solution to printed figures, by the stages that the tariff states.
//!
//! - `exact`: each line is rounded from the exact solution, in order; one line takes the remainder; units are rounded.
//! - `energy`: the same, but units come from the printed energy.
//! - `units_first`: units are rounded, and every line is computed from them; the remainder is given back, kept, or taken
//!   by a line.

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

/// Rounds a solution. `None`: charges leave nothing for energy.
pub(super) fn close(
    plan: &Plan<'_>,
    money: Decimal,
    solution: Solution,
) -> Result<Option<Closed>, QuoteError> {
    let rules = plan.version.rounding;
    let remainder = match rules.remainder {
        Remainder::Line(index) => {
            let name = &plan.line(index).name;
            plan.active
                .iter()
                .copied()
                .find(|&line| plan.line(line).name == *name)
                .unwrap_or(plan.energy)
                .into()
        }
        _ => None,
    };
    let left = left(plan, money, solution)?;
    let available = money - left;
    let mut closed = if rules.units_from == UnitsFrom::UnitsFirst {
        match units_first(plan, available, solution, remainder)? {
            Some(closed) => closed,
            None => return Ok(None),
        }
    } else {
        let segment = solution.segment;
        let amounts = amounts(plan, solution.units, segment, remainder)?;
        let rest = available - inside(plan, &amounts);
        Closed { amounts, units: Decimal::ZERO, segment, left, rest }
    };
    closed.left = left;
    if let Some(remainder) = remainder {
        closed.amounts[remainder] = closed.rest;
        closed.rest = Decimal::ZERO;
        if closed.amounts[remainder] < Decimal::ZERO && !plan.line(remainder).is_rebate {
            // Rounding took more than there was: the energy line gives it.
            let missing = std::mem::take(&mut closed.amounts[remainder]);
            closed.amounts[plan.energy] += missing;
        }
    }
    if closed.amounts[plan.energy] < Decimal::ZERO {
        return Ok(None);
    }
    let units = match rules.units_from {
        UnitsFrom::Exact => solution.units,
        UnitsFrom::Energy => units_of_energy(plan, closed.amounts[plan.energy], solution)?,
        UnitsFrom::UnitsFirst => return Ok(Some(closed)),
    };
    closed.units = units.rounded(rules.units)?;
    Ok(Some(closed))
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

/// Lines from printed units. Where rounding makes them more than there is, the most units are sold whose lines fit.
fn units_first(
    plan: &Plan<'_>,
    available: Decimal,
    solution: Solution,
    remainder: Option<usize>,
) -> Result<Option<Closed>, QuoteError> {
    let rounding = plan.version.rounding.units;
    let at = |units: Decimal| -> Result<Closed, QuoteError> {
        let segment = plan.segment_of(units)?;
        let amounts = amounts(plan, Exact::from(units).ratio()?, segment, remainder)?;
        let rest = available - inside(plan, &amounts);
        Ok(Closed { amounts, units, segment, left: Decimal::ZERO, rest })
    };
    let fits = |closed: &Closed| {
        closed.rest >= Decimal::ZERO || plan.version.rounding.remainder == Remainder::RoundingLine
    };
    let most = solution.units.rounded(rounding)?;
    if most.is_zero() {
        return Ok(None);
    }
    let closed = at(most)?;
    if fits(&closed) {
        return Ok(Some(closed));
    }
    // Fewer, in steps that double, until the lines fit; then as many more as still fit.
    let (mut too_many, mut stride) = (most, rounding.step);
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
    while too_many - enough > rounding.step {
        let steps = ((too_many - enough) / rounding.step / Decimal::TWO).floor();
        let closed = at(enough + steps * rounding.step)?;
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
    energy: Decimal,
    solution: Solution,
) -> Result<Ratio, QuoteError> {
    let segment = &plan.segments[solution.segment];
    let Part { fixed, per_unit } = segment.parts[plan.energy];
    if per_unit.sign() != std::cmp::Ordering::Greater {
        return Ok(solution.units);
    }
    let units = Exact::from(energy).less(fixed)?.over(per_unit)?;
    if units.compare(segment.from)? == std::cmp::Ordering::Less {
        return Ok(segment.from);
    }
    Ok(match segment.to {
        Some(to) if units.compare(to)? == std::cmp::Ordering::Greater => to,
        _ => units,
    })
}
