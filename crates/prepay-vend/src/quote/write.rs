//! A quote from a purchase that was priced: the lines in the order in which they are printed.

use prepay_token::element::{Amount, CurrencyAmount};
use rust_decimal::Decimal;

use super::buy::Bought;
use super::plan::{Part, Plan};
use super::{Ask, LineKind, Purchase, Quote, QuoteError, QuoteLine, Step};
use crate::decimal::with_places;
use crate::exact::{Direction, Exact, Ratio, Rounding};
use crate::tariff::{Gap, Remainder, Rule, Service};

/// Figures that are shown but not added up keep so many places.
const SHOWN: Rounding =
    Rounding { step: Decimal::from_parts(1, 0, 0, false, 10), direction: Direction::HalfUp };

/// A figure to show, without closing zeros.
pub(super) fn shown(figure: Exact) -> Option<Decimal> {
    figure.rounded(SHOWN).ok().map(|figure| figure.normalize())
}

/// As [`shown`], of a quotient.
pub(super) fn shown_ratio(figure: Ratio) -> Option<Decimal> {
    figure.rounded(SHOWN).ok().map(|figure| figure.normalize())
}

/// Writes the quote.
pub(super) fn quote(purchase: &Purchase, bought: &Bought<'_>) -> Result<Quote, QuoteError> {
    let Bought { plan, taken, closed, solution, .. } = bought;
    let tariff = plan.tariff;
    let money = |amount: Decimal| with_places(amount, tariff.decimals());
    let own = |kind: LineKind, description: &str, amount: Decimal| QuoteLine {
        kind,
        name: kind.name().to_owned(),
        description: description.to_owned(),
        amount: money(amount),
        units: None,
        unit_price: None,
        rate: None,
        base: None,
        debt_balance: None,
        payee: None,
        steps: Vec::new(),
    };
    let mut lines = Vec::with_capacity(plan.active.len() + purchase.debts.len() + 2);
    if !purchase.carried.is_zero() {
        lines.push(own(LineKind::CarriedIn, "Carried from the last sale", -purchase.carried));
    }
    let debts = purchase.debts.iter().zip(taken).map(|(debt, taken)| QuoteLine {
        name: debt.name.clone(),
        debt_balance: Some(money(taken.balance)),
        ..own(LineKind::Debt, &debt.name, taken.amount)
    });
    if !plan.version.debts_after_charges {
        lines.extend(debts.clone());
    }
    let mut waiting = Vec::new();
    let mut on_top = Vec::new();
    for &index in &plan.active {
        let line = plan.line(index);
        let amount = closed.amounts[index];
        if let Rule::Monthly { cap_percent: Some(_), .. } = &line.rule {
            let segment = &plan.segments[closed.segment];
            let from = plan.month_of(segment.from)?;
            let (_, due) = plan.monthly(index, from, &segment.parts, purchase)?;
            let rest = due.less(Exact::from(amount))?.rounded(line.rounding)?;
            if rest > Decimal::ZERO {
                waiting.push((line.name.clone(), money(rest)));
            }
        }
        let is_fixed = matches!(
            line.rule,
            Rule::Monthly { .. } | Rule::Daily { .. } | Rule::PerPurchase { .. }
        );
        if is_fixed && amount.is_zero() {
            continue;
        }
        let printed = tariff_line(bought, index, own(line.kind, &line.text, amount))?;
        if line.on_top { on_top.push(printed) } else { lines.push(printed) }
    }
    if plan.version.debts_after_charges {
        lines.extend(debts);
    }
    let of_top: Decimal = on_top.iter().map(|line| line.amount).sum();
    lines.extend(on_top);

    let (mut change, mut carried) = (Decimal::ZERO, Decimal::ZERO);
    match plan.version.gap {
        Gap::Carry => carried += closed.left,
        Gap::Change | Gap::Refuse => change += closed.left,
    }
    match plan.version.rounding.remainder {
        Remainder::Change => change += closed.rest,
        Remainder::Carry => carried += closed.rest,
        Remainder::RoundingLine if !closed.rest.is_zero() => {
            lines.push(own(LineKind::Rounding, "Rounding", closed.rest));
        }
        Remainder::RoundingLine | Remainder::Line(_) => {}
    }
    if !carried.is_zero() {
        lines.push(own(LineKind::CarriedOut, "Kept for the next sale", carried));
    }
    if !change.is_zero() {
        lines.push(own(LineKind::Change, "Change", change));
    }
    let all_units = closed.units + purchase.carried_units;
    let token_units = codable(plan, all_units)?;
    let units_out = all_units - token_units;
    let of_units = |kind, description: &str, units: Decimal| QuoteLine {
        units: Some(units.normalize()),
        ..own(kind, description, Decimal::ZERO)
    };
    if !purchase.carried_units.is_zero() {
        lines.push(of_units(
            LineKind::CarriedIn,
            "Units carried from the last sale",
            purchase.carried_units,
        ));
    }
    if !units_out.is_zero() {
        lines.push(of_units(LineKind::CarriedOut, "Units kept for the next sale", units_out));
    }
    if let (true, Some(units)) = (purchase.free_units_due, &plan.version.free_units) {
        let units = shown(plan.figures.of(units)?).unwrap_or_default();
        if !units.is_zero() {
            lines.push(of_units(LineKind::FreeUnits, "Free units", units));
        }
    }
    let cost_of = match purchase.ask {
        Ask::Amount(_) => solution.units,
        Ask::Units(units) => Exact::from(units).ratio()?,
    };
    let Part { fixed, per_unit } = match purchase.ask {
        Ask::Amount(_) => plan.segments[solution.segment].total,
        Ask::Units(units) => plan.segments[plan.segment_of(units)?].total,
    };
    let tendered = bought.amount() + of_top;
    Ok(Quote {
        version: plan.version.title.clone(),
        class: plan.figures.class.map(|class| tariff.classes[class].name.clone()),
        amount: money(bought.amount()),
        tendered: money(tendered),
        paid: money(tendered - change),
        units: closed.units,
        token_units,
        exact_total: shown_ratio(cost_of.cost(fixed, per_unit)?).unwrap_or_default(),
        lines,
        terms: plan.version.terms.clone(),
        waiting,
    })
}

/// The largest number of units that a token carries and that is not above these.
fn codable(plan: &Plan<'_>, units: Decimal) -> Result<Decimal, QuoteError> {
    let Some(step) = plan.version.token_step else { return Ok(units) };
    let too_large = || QuoteError::AmountTooLarge { found: Some(plan.amount), most: None };
    let floor = |value: Decimal, step: Decimal| {
        Exact::from(value).rounded(Rounding { step, direction: Direction::Down })
    };
    let units = floor(units, step)?;
    Ok(if plan.tariff.service() == Service::Money {
        // A debit is rounded towards zero, which is what is wanted of a credit here.
        let count = floor(units, Decimal::new(1, 5))?.mantissa();
        let coded = CurrencyAmount::from_hundred_thousandths(-count).map_err(|_| too_large())?;
        Decimal::try_from_i128_with_scale(-coded.hundred_thousandths(), 5)
            .map_err(|_| too_large())?
    } else {
        let tenths =
            u32::try_from(floor(units, Decimal::new(1, 1))?.mantissa()).map_err(|_| too_large())?;
        let mut coded = Amount::from_tenths(tenths).map_err(|_| too_large())?;
        if coded.tenths() > tenths {
            coded = Amount::from_bits(coded.bits() - 1); // Amounts rise with their bits.
        }
        Decimal::new(coded.tenths().into(), 1)
    }
    .normalize())
}

/// Adds to a line what its rule says.
fn tariff_line(
    bought: &Bought<'_>,
    index: usize,
    mut printed: QuoteLine,
) -> Result<QuoteLine, QuoteError> {
    let Bought { plan, closed, .. } = bought;
    let line = plan.line(index);
    printed.name.clone_from(&line.name);
    printed.payee.clone_from(&line.payee);
    match &line.rule {
        Rule::PerUnit { .. } => {
            let prices = plan.prices[index].as_ref().expect("an active line per unit has prices");
            printed.units = Some(closed.units);
            if let [(_, only)] = prices.blocks.as_slice() {
                printed.unit_price = shown(only.slope);
            } else if index == plan.energy {
                printed.steps = steps(bought)?;
                let mut with_units = printed.steps.iter().filter(|step| !step.units.is_zero());
                if let (Some(only), None) = (with_units.next(), with_units.next()) {
                    printed.unit_price = Some(only.unit_price);
                }
            }
        }
        Rule::Percent { rate, of, above_units, .. } => {
            printed.rate = shown(plan.figures.of(rate)?);
            if above_units.is_none() {
                let base = of.iter().map(|each| {
                    let amount = match &each.lines {
                        None if line.on_top => plan.amount,
                        None => shown(plan.tender).unwrap_or_default(),
                        Some(lines) => lines.iter().map(|&line| closed.amounts[line]).sum(),
                    };
                    if each.is_negative { -amount } else { amount }
                });
                printed.base = Some(with_places(base.sum(), plan.tariff.decimals()));
            }
        }
        _ => {}
    }
    Ok(printed)
}

/// The blocks of the energy line. The last one with units takes what rounding leaves.
fn steps(bought: &Bought<'_>) -> Result<Vec<Step>, QuoteError> {
    let Bought { plan, closed, .. } = bought;
    let prices = plan.prices[plan.energy].as_ref().expect("the energy line has prices");
    let Rule::PerUnit { blocks, .. } = &plan.line(plan.energy).rule else {
        unreachable!("energy has a price")
    };
    let cents = Rounding { step: plan.tariff.smallest_money(), direction: Direction::HalfUp };
    let start = plan.month_of(plan.segments[closed.segment].from)?;
    let reached = prices.block_above(start)?;
    // Whoever reaches a block that prices again pays its price from the first unit on.
    let first = if prices.whole_purchase {
        reached
    } else {
        (0..=reached).rev().find(|&index| blocks[index].reprices).unwrap_or(0)
    };
    let before = shown(plan.bought).unwrap_or_default();
    let after = before + closed.units;
    let money_zero = with_places(Decimal::ZERO, plan.tariff.decimals());
    let mut begin = before;
    let mut steps = Vec::with_capacity(blocks.len());
    for (index, (end, piece)) in prices.blocks.iter().enumerate() {
        let end = end.and_then(shown).filter(|_| index < reached);
        let units = if index < first || index > reached {
            Decimal::ZERO
        } else {
            let end = end.map_or(after, |end| end.min(after));
            let units = (end - begin).max(Decimal::ZERO);
            begin = begin.max(end);
            units
        };
        // The price with everything is that of the last piece of the block that was reached, or of its first.
        let mut per_unit = None;
        for (segment, piece) in plan.segments.iter().enumerate() {
            let block = prices.block_above(plan.month_of(piece.from)?)?;
            if block == index && (per_unit.is_none() || segment <= closed.segment) {
                per_unit = Some(piece.total.per_unit);
            }
        }
        let cost = |price: Exact| Exact::from(units).times(price)?.rounded(cents);
        steps.push(Step {
            units,
            unit_price: shown(piece.slope).unwrap_or_default(),
            amount: cost(piece.slope)?,
            price_with_all: per_unit.and_then(shown),
            amount_with_all: per_unit.map_or_else(|| Ok(money_zero), cost)?,
        });
    }
    let charges = plan.charges().rounded(cents)?;
    let inside: Decimal = plan
        .active
        .iter()
        .filter(|&&line| !plan.line(line).on_top)
        .map(|&line| closed.amounts[line])
        .sum();
    if let Some(last) = steps.iter().rposition(|step| !step.units.is_zero()) {
        let others = |amount: fn(&Step) -> Decimal| -> Decimal {
            steps
                .iter()
                .enumerate()
                .filter(|(index, _)| *index != last)
                .map(|(_, step)| amount(step))
                .sum()
        };
        let amount = closed.amounts[plan.energy] - others(|step| step.amount);
        let with_all = inside - charges - others(|step| step.amount_with_all);
        (steps[last].amount, steps[last].amount_with_all) = (amount, with_all);
    }
    Ok(steps)
}
