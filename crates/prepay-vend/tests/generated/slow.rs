//! The second solver, slow and obviously right: it searches over units in exact fractions, and knows nothing of pieces of
//! straight lines except that between two ends they are straight.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, Zero};
use prepay_vend::{DebtRule, Decimal};

use crate::spec::{Base, Block, Cap, Case, Exchange, Rule};

pub(crate) type Fraction = BigRational;

pub(crate) fn fraction(value: Decimal) -> Fraction {
    Fraction::new(value.mantissa().into(), BigInt::from(10).pow(value.scale()))
}

fn whole(value: u64) -> Fraction {
    Fraction::from_integer(value.into())
}

/// Rounds as the directions say, from their definition.
fn rounded(value: &Fraction, step: &Fraction, direction: &str) -> Fraction {
    let count = value / step;
    let floor = count.floor();
    let rest = &count - &floor;
    let half = Fraction::new(1.into(), 2.into());
    let up = match direction {
        "down" => false,
        "up" => !rest.is_zero(),
        "half_up" => rest >= half,
        _ => {
            rest > half
                || (rest == half && (floor.to_integer() % BigInt::from(2)) != BigInt::zero())
        }
    };
    (if up { floor + Fraction::one() } else { floor }) * step
}

/// What the slow solver prints.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Printed {
    pub(crate) lines: Vec<Fraction>,
    pub(crate) units: Fraction,
    /// Change, carried out, rounding.
    pub(crate) rest: [Fraction; 3],
    /// What waits of capped charges, by line.
    pub(crate) waiting: Vec<(usize, Fraction)>,
    /// What a jump of the price leaves.
    pub(crate) left: Fraction,
}

/// What an amount does.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    /// Some unit costs nothing, and there is no end of it, or less than nothing.
    CostsNothing,
    /// Nothing can be sold.
    Nothing,
    Sold(Box<Printed>),
}

/// A purchase of which the amount and the tender are known.
struct Slow<'a> {
    case: &'a Case,
    amount: Decimal,
    tender: Fraction,
    /// Units of this purchase at which anything may bend or jump.
    ends: Vec<Fraction>,
}

/// The block or tier that a unit of the month is in: the end of one belongs to it.
fn reached(ends: &[Option<Fraction>], units: &Fraction) -> usize {
    ends.iter().position(|end| end.as_ref().is_none_or(|end| units <= end)).unwrap()
}

impl<'a> Slow<'a> {
    fn new(case: &'a Case, amount: Decimal, tender: Fraction) -> Self {
        let mut slow = Self { case, amount, tender, ends: Vec::new() };
        slow.ends = slow.written_ends();
        for index in 0..case.spec.lines.len() {
            let more = slow.crossings(index);
            slow.ends.extend(more);
            slow.ends.sort();
            slow.ends.dedup();
        }
        slow
    }

    /// The ends of blocks: those that accrue are longer, and push the others on.
    fn block_ends(&self, blocks: &[Block]) -> Vec<Option<Fraction>> {
        let mut longer = Fraction::zero();
        let mut before = Fraction::zero();
        blocks
            .iter()
            .map(|block| {
                let to = fraction(block.to?);
                if block.accrues {
                    longer += (&to - &before) * whole(u64::from(self.case.months_in_blocks) - 1);
                }
                before = to.clone();
                Some(to + &longer)
            })
            .collect()
    }

    /// The price of a block in the currency of the tariff.
    fn price(block: &Block, exchange: Option<&Exchange>) -> Fraction {
        let price = fraction(block.price);
        let Some(Exchange { rate, step, direction }) = exchange else { return price };
        let product = price * fraction(*rate);
        step.map_or(product.clone(), |step| rounded(&product, &fraction(step), direction))
    }

    /// The cost of so many units of a month, from the definition of blocks: block after block, up to the one reached.
    fn month(&self, rule: &Rule, units: &Fraction) -> Fraction {
        let Rule::PerUnit { blocks, cap, exchange, .. } = rule else { panic!("{rule:?}") };
        if units.is_zero() {
            return Fraction::zero();
        }
        let ends = self.block_ends(blocks);
        let reached = reached(&ends, units);
        let first = (0..=reached).rev().find(|&index| blocks[index].reprices).unwrap_or(0);
        let mut cost = Fraction::zero();
        let mut begin = Fraction::zero();
        for index in 0..=reached {
            let end = if index == reached { units.clone() } else { ends[index].clone().unwrap() };
            let price = Self::price(&blocks[index.max(first)], exchange.as_ref());
            cost += (&end - &begin) * price;
            begin = end;
        }
        match cap.map(fraction) {
            Some(cap) if cost > cap => cap,
            _ => cost,
        }
    }

    /// The exact amount of every line at a number of units above zero.
    fn lines(&self, units: &Fraction) -> Vec<Fraction> {
        let mut amounts: Vec<Fraction> = Vec::new();
        for (index, line) in self.case.spec.lines.iter().enumerate() {
            let times = line.times.map_or(Fraction::one(), fraction);
            let exact = match &line.rule {
                Rule::PerUnit { blocks, whole_purchase: true, exchange, .. } => {
                    let after = fraction(self.case.bought) + units;
                    let block = &blocks[reached(&self.block_ends(blocks), &after)];
                    units * Self::price(block, exchange.as_ref())
                }
                rule @ Rule::PerUnit { .. } => {
                    let before = fraction(self.case.bought);
                    self.month(rule, &(&before + units)) - self.month(rule, &before)
                }
                Rule::Monthly { cap, .. } => {
                    let due = self.due(index, units);
                    match cap {
                        Some(Cap { percent, with, .. }) => {
                            let others: Fraction =
                                with.iter().map(|&other| amounts[other].clone()).sum();
                            let most = &self.tender * fraction(*percent) / whole(100) - others;
                            due.min(most.max(Fraction::zero()))
                        }
                        None => due,
                    }
                }
                Rule::Daily { amount, most_days } => {
                    let days = most_days.map_or(self.case.days, |most| self.case.days.min(most));
                    fraction(*amount) * whole(days.into()) * times
                }
                Rule::PerPurchase { amount, above } => {
                    if above.is_none_or(|above| self.amount > above) {
                        fraction(*amount) * times
                    } else {
                        Fraction::zero()
                    }
                }
                Rule::Percent { included: true, rate, of, .. } => {
                    // The figures of the bases contain the tax: it is taken out of them.
                    let rate = fraction(*rate);
                    let mut tax = Fraction::zero();
                    for base in of {
                        let base = &mut amounts[base.line.unwrap()];
                        let part = &*base * &rate / (whole(100) + &rate);
                        *base -= &part;
                        tax += part;
                    }
                    tax
                }
                Rule::Percent { rate, divide_by, .. } => {
                    let base = self.base(index, units, &amounts).max(Fraction::zero());
                    base * fraction(*rate)
                        / whole(100)
                        / divide_by.map_or(Fraction::one(), fraction)
                }
            };
            amounts.push(if line.rebate { -exact } else { exact });
        }
        amounts
    }

    /// What is due of a monthly charge, with what waits.
    fn due(&self, index: usize, units: &Fraction) -> Fraction {
        let line = &self.case.spec.lines[index];
        let Rule::Monthly { tiers, accrues, cap } = &line.rule else { panic!("{line:?}") };
        let before = fraction(self.case.bought);
        let ends: Vec<_> = tiers.iter().map(|tier| tier.0.map(fraction)).collect();
        let tier = |units: &Fraction| {
            fraction(tiers[reached(&ends, units)].1) * line.times.map_or(Fraction::one(), fraction)
        };
        let after = &before + units;
        let due = match (self.case.months, accrues) {
            (0, _) => tier(&after) - tier(&before),
            (months, true) => tier(&after) * whole(months.into()),
            (_, false) => tier(&after),
        };
        let waits = cap.as_ref().map_or(Fraction::zero(), |cap| fraction(cap.waiting));
        (due + waits).max(Fraction::zero())
    }

    /// What a share is taken of, also below zero.
    fn base(&self, index: usize, units: &Fraction, amounts: &[Fraction]) -> Fraction {
        let line = &self.case.spec.lines[index];
        let Rule::Percent { of, above, .. } = &line.rule else { panic!("{line:?}") };
        let mut sum = Fraction::zero();
        for Base { taken_off, line: base } in of {
            let part = match (base, above) {
                (None, _) if line.on_top => fraction(self.amount),
                (None, _) => self.tender.clone(),
                (Some(base), None) => amounts[*base].clone(),
                (Some(base), Some(above)) => self.above(*base, *above, units, amounts),
            };
            if *taken_off { sum -= part } else { sum += part }
        }
        sum
    }

    /// What is charged for units of the month above a limit.
    fn above(
        &self,
        line: usize,
        above: Decimal,
        units: &Fraction,
        amounts: &[Fraction],
    ) -> Fraction {
        let rule = &self.case.spec.lines[line].rule;
        let Rule::PerUnit { whole_purchase, .. } = rule else { panic!("{rule:?}") };
        let (before, limit) = (fraction(self.case.bought), fraction(above));
        if &before + units <= limit {
            return Fraction::zero();
        }
        if limit <= before || *whole_purchase {
            return amounts[line].clone();
        }
        &amounts[line] - (self.month(rule, &limit) - self.month(rule, &before))
    }

    fn inside(&self, amounts: &[Fraction]) -> Fraction {
        let lines = self.case.spec.lines.iter().zip(amounts);
        lines.filter(|(line, _)| !line.on_top).map(|(_, amount)| amount.clone()).sum()
    }

    /// The exact cost of units.
    fn total(&self, units: &Fraction) -> Fraction {
        let exact = self.inside(&self.lines(units));
        let Some(step) = self.case.spec.price_step else { return exact };
        // The price of each piece is rounded: add, piece by piece, what that makes.
        let mut added = Fraction::zero();
        let mut begin = Fraction::zero();
        for end in self.ends.iter().chain([units]) {
            let end = end.min(units).clone();
            if end <= begin {
                continue;
            }
            let middle = (&begin + &end) / whole(2);
            let price = (self.inside(&self.lines(&end)) - self.inside(&self.lines(&middle)))
                / (&end - &middle);
            added += (rounded(&price, &fraction(step), "half_up") - &price) * (&end - &begin);
            begin = end;
        }
        exact + added
    }

    /// Units of this purchase at which the tariff says that something bends or jumps.
    fn written_ends(&self) -> Vec<Fraction> {
        let mut ends = Vec::new();
        for line in &self.case.spec.lines {
            match &line.rule {
                Rule::PerUnit { blocks, cap, exchange, .. } => {
                    ends.extend(self.block_ends(blocks).into_iter().flatten());
                    let price = Self::price(&blocks[0], exchange.as_ref());
                    ends.extend(cap.map(|cap| fraction(cap) / price));
                }
                Rule::Monthly { tiers, .. } => {
                    ends.extend(tiers.iter().filter_map(|tier| tier.0).map(fraction));
                }
                Rule::Percent { above, .. } => ends.extend(above.map(fraction)),
                Rule::Daily { .. } | Rule::PerPurchase { .. } => {}
            }
        }
        let before = fraction(self.case.bought);
        let mut ends: Vec<Fraction> =
            ends.into_iter().map(|end| end - &before).filter(Signed::is_positive).collect();
        ends.sort();
        ends.dedup();
        ends
    }

    /// Where the base of a share crosses zero, between the ends known so far.
    fn crossings(&self, index: usize) -> Vec<Fraction> {
        let line = &self.case.spec.lines[index];
        let Rule::Percent { of, included: false, .. } = &line.rule else { return Vec::new() };
        let falls = |line: usize| {
            let line = &self.case.spec.lines[line];
            let reprices = matches!(&line.rule, Rule::PerUnit { blocks, .. } if blocks.iter().any(|block| block.reprices));
            line.rebate || reprices
        };
        let takes_off = |base: &Base| base.taken_off || base.line.is_some_and(falls);
        if !of.iter().any(takes_off) {
            return Vec::new();
        }
        let base = |units: &Fraction| self.base(index, units, &self.lines(units));
        let mut found = Vec::new();
        let mut begin = Fraction::zero();
        for piece in 0..=self.ends.len() {
            let end = self.ends.get(piece).cloned();
            let far = end.clone().unwrap_or_else(|| &begin + whole(100));
            let third = (&far - &begin) / whole(3);
            let (one, two) = (&begin + &third, &begin + &third + &third);
            let slope = (base(&two) - base(&one)) / &third;
            if !slope.is_zero() {
                let crossing = &one - base(&one) / slope;
                if crossing > begin && end.as_ref().is_none_or(|end| crossing < *end) {
                    found.push(crossing);
                }
            }
            begin = far;
        }
        found
    }

    /// The largest number of units that cost no more than the money, and whether money may be left.
    fn solve(&self, money: &Fraction) -> Result<Option<(Fraction, bool)>, Verdict> {
        let mut begin = Fraction::zero();
        let mut best = None;
        for index in 0..=self.ends.len() {
            let end = self.ends.get(index).cloned();
            // Between two ends cost is a straight line: two inner points give it.
            let far = end.clone().unwrap_or_else(|| &begin + whole(100));
            let third = (&far - &begin) / whole(3);
            let (one, two) = (&begin + &third, &begin + &third + &third);
            let slope = (self.total(&two) - self.total(&one)) / &third;
            if slope.is_negative() || (slope.is_zero() && end.is_none()) {
                return Err(Verdict::CostsNothing);
            }
            let start = self.total(&one) - &slope * &third;
            if slope.is_zero() && start <= *money {
                best = Some((end.clone().unwrap(), true));
            } else if start < *money {
                let units = &begin + (money - &start) / &slope;
                best = Some(match &end {
                    Some(end) if units > *end => (end.clone(), true),
                    _ => (units, false),
                });
            }
            begin = far;
        }
        // What is found is what was meant: it costs no more, and a little more of it costs more or lies beyond a jump.
        if let Some((units, at_jump)) = &best {
            let cost = self.total(units);
            assert!(if *at_jump { cost <= *money } else { cost == *money }, "{:?}", self.case);
            let more = units + Fraction::new(1.into(), BigInt::from(10).pow(12));
            assert!(self.total(&more) > *money);
        }
        Ok(best)
    }

    /// Printed amounts at exact or printed units, but for the line of the remainder.
    fn printed(&self, units: &Fraction) -> Vec<Fraction> {
        let spec = &self.case.spec;
        let cent = fraction(spec.cent());
        let exact = self.lines_with_price(units);
        let mut printed: Vec<Fraction> = Vec::new();
        for (index, line) in spec.lines.iter().enumerate() {
            if Some(index) == spec.remainder {
                printed.push(Fraction::zero());
                continue;
            }
            let amount = match &line.rule {
                Rule::Percent { rate, divide_by, printed: true, .. } => {
                    let base = self.base(index, units, &printed).max(Fraction::zero());
                    base * fraction(*rate)
                        / whole(100)
                        / divide_by.map_or(Fraction::one(), fraction)
                }
                _ if line.rebate => -exact[index].clone(),
                _ => exact[index].clone(),
            };
            let step = line.step.map_or(cent.clone(), fraction);
            let amount = rounded(&amount, &step, line.direction);
            printed.push(if line.rebate { -amount } else { amount });
        }
        printed
    }

    /// Exact lines, the energy with what a rounded price adds.
    fn lines_with_price(&self, units: &Fraction) -> Vec<Fraction> {
        let mut lines = self.lines(units);
        let added = self.total(units) - self.inside(&lines);
        lines[0] += added;
        lines
    }

    /// What waits of capped charges after some was printed.
    fn waiting(&self, units: &Fraction, printed: &[Fraction]) -> Vec<(usize, Fraction)> {
        let cent = fraction(self.case.spec.cent());
        let lines = self.case.spec.lines.iter().enumerate();
        let capped =
            lines.filter(|(_, line)| matches!(line.rule, Rule::Monthly { cap: Some(_), .. }));
        capped
            .map(|(index, line)| {
                let rest = self.due(index, units) - &printed[index];
                (index, rounded(&rest, &line.step.map_or(cent.clone(), fraction), line.direction))
            })
            .filter(|(_, rest)| rest.is_positive())
            .collect()
    }
}

/// What debts take: the sum of what they want so far is rounded, and each takes what it adds to the sum.
fn debts(case: &Case, amount: &Fraction, available: Fraction) -> Fraction {
    let cent = fraction(case.spec.cent());
    let mut sum = Fraction::zero();
    for debt in &case.debts {
        let percent = |rate: Decimal, of: &Fraction| of * fraction(rate) / whole(100);
        let mut wanted = match debt.rule {
            DebtRule::PercentOfAmount(rate) => percent(rate, amount),
            DebtRule::PercentOfDebt(rate) => percent(rate, &fraction(debt.balance)),
            DebtRule::Fixed(fixed) => fraction(fixed),
            DebtRule::All => fraction(debt.balance),
        };
        let most = debt.most_percent.map(|rate| percent(rate, amount)).into_iter();
        for most in most.chain(debt.most_amount.map(fraction)).chain([fraction(debt.balance)]) {
            wanted = wanted.min(most);
        }
        sum = (sum + wanted).min(available.clone());
    }
    rounded(&sum, &cent, "half_up")
}

/// What a jump of the price leaves covers an amount below zero, as far as it goes.
fn cover(amount: &mut Fraction, left: &mut Fraction) {
    let missing = (-amount.clone()).max(Fraction::zero()).min(left.clone());
    *amount += &missing;
    *left -= missing;
}

/// An amount, priced slowly.
pub(crate) fn price(case: &Case, of: Decimal) -> Verdict {
    let spec = &case.spec;
    let cent = fraction(spec.cent());
    let amount = fraction(of);
    let available = spec.debts_most.map_or(amount.clone(), |most| {
        rounded(&(&amount * fraction(most) / whole(100)), &cent, "down")
    });
    let carried = fraction(case.carried);
    let (slow, debts) = if spec.debts_after {
        let slow = Slow::new(case, of, amount.clone());
        // What is charged before the first unit: the cost of next to nothing.
        let (one, two) = (
            Fraction::new(1.into(), BigInt::from(10).pow(9)),
            Fraction::new(2.into(), BigInt::from(10).pow(9)),
        );
        let charges = slow.total(&one) * whole(2) - slow.total(&two);
        let rest = (&amount + &carried - rounded(&charges, &cent, "up")).max(Fraction::zero());
        let debts = debts(case, &amount, available.min(rest));
        (slow, debts)
    } else {
        let debts = debts(case, &amount, available);
        (Slow::new(case, of, &amount - &debts), debts)
    };
    let money = &amount + &carried - debts;
    let (units, at_jump) = match slow.solve(&money) {
        Ok(Some(found)) => found,
        Ok(None) => return Verdict::Nothing,
        Err(verdict) => return verdict,
    };
    let mut left = if at_jump {
        rounded(&(&money - slow.total(&units)), &cent, "down")
    } else {
        Fraction::zero()
    };
    let available = &money - &left;
    let step = fraction(spec.units_step);
    let (mut lines, mut printed_units, mut rest);
    if spec.units_from == "units_first" {
        printed_units = rounded(&units, &step, spec.units_direction);
        loop {
            if !printed_units.is_positive() {
                return Verdict::Nothing;
            }
            lines = slow.printed(&printed_units);
            rest = &available - slow.inside(&lines);
            if spec.remainder.is_none() && spec.remainder_word == "rounding" {
                break;
            }
            if !(&rest + &left).is_negative() {
                cover(&mut rest, &mut left);
                break;
            }
            // Fewer units cost less: if not even a step of them fits, nothing does.
            let least = slow.inside(&slow.printed(&step));
            if least > &available + &left {
                return Verdict::Nothing;
            }
            printed_units -= &step;
        }
    } else {
        lines = slow.printed(&units);
        rest = &available - slow.inside(&lines);
        printed_units = rounded(&units, &step, spec.units_direction);
    }
    if let Some(index) = spec.remainder {
        lines[index] = std::mem::replace(&mut rest, Fraction::zero());
        if lines[index].is_negative() && index != 0 {
            let missing = std::mem::replace(&mut lines[index], Fraction::zero());
            lines[0] += missing;
        }
    }
    if spec.units_from != "units_first" {
        cover(&mut lines[0], &mut left);
    }
    if lines[0].is_negative() {
        return Verdict::Nothing;
    }
    if spec.units_from == "energy" {
        // The units whose energy is what was printed, in the piece of the solution.
        let begin = slow.ends.iter().rev().find(|end| **end < units);
        let begin = begin.cloned().unwrap_or_else(Fraction::zero);
        let energy = |units: &Fraction| slow.lines_with_price(units)[0].clone();
        let middle = (&begin + &units) / whole(2);
        let slope = (energy(&units) - energy(&middle)) / (&units - &middle);
        if slope.is_positive() {
            let mut found = &units + (&lines[0] - energy(&units)) / slope;
            if found < begin {
                found = begin;
            }
            if let Some(end) = slow.ends.iter().find(|end| **end >= units) {
                found = found.min(end.clone());
            }
            printed_units = rounded(&found, &step, spec.units_direction);
        }
    }
    if !printed_units.is_positive() {
        return Verdict::Nothing;
    }
    let waiting = slow
        .waiting(if spec.units_from == "units_first" { &printed_units } else { &units }, &lines);
    let mut rests = [Fraction::zero(), Fraction::zero(), Fraction::zero()];
    rests[if spec.gap == "carry" { 1 } else { 0 }] += &left;
    rests[match spec.remainder_word.as_str() {
        "change" => 0,
        "carry" => 1,
        _ => 2,
    }] += rest;
    Verdict::Sold(Box::new(Printed { lines, units: printed_units, rest: rests, waiting, left }))
}

/// The highest threshold of a fee that an amount is above, or zero.
pub(crate) fn threshold_below(case: &Case, amount: Decimal) -> Decimal {
    let thresholds = case.spec.lines.iter().filter_map(|line| match line.rule {
        Rule::PerPurchase { above, .. } => above,
        _ => None,
    });
    thresholds.filter(|above| *above < amount).max().unwrap_or_default()
}

/// An amount, priced as one below it, the nearest one that buys so many units. What it is less goes to the remainder.
pub(crate) fn priced_below(case: &Case, amount: Decimal, units: &Fraction) -> Verdict {
    let least = threshold_below(case, amount);
    for count in 1..=300 {
        let surplus = case.spec.cent() * Decimal::from(count);
        if amount - surplus <= least {
            break;
        }
        let Verdict::Sold(mut other) = price(case, amount - surplus) else { continue };
        if other.units != *units {
            continue;
        }
        match (case.spec.remainder, case.spec.remainder_word.as_str()) {
            (Some(line), _) => other.lines[line] += fraction(surplus),
            (None, "change") => other.rest[0] += fraction(surplus),
            (None, "carry") => other.rest[1] += fraction(surplus),
            (None, _) => other.rest[2] += fraction(surplus),
        }
        return Verdict::Sold(other);
    }
    Verdict::Nothing
}
