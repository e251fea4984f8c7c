//! A quote that explains itself: each step with its formula and its numbers, and what lies near.

use std::cmp::Ordering;

use rust_decimal::Decimal;

use super::buy::Bought;
use super::plan::{Part, Plan};
use super::write;
use super::{LineKind, Purchase, Quote, QuoteError};
use crate::debt::DebtRule;
use crate::decimal::with_places;
use crate::exact::{Direction, Exact, Ratio, Rounding};
use crate::tariff::{DIRECTIONS, Remainder, Rule, Tariff, UnitsFrom};

/// A quote and its reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// The quote.
    pub quote: Quote,
    /// Each step from the purchase to the printed lines, in sentences.
    pub why: Vec<String>,
    /// What lies near: the end of a block, a jump of the price, a threshold.
    pub notices: Vec<String>,
}

impl Tariff {
    /// Prices a purchase and says why it comes out as it does.
    ///
    /// # Errors
    ///
    /// [`QuoteError`]: the purchase cannot be priced, and why.
    pub fn explain(&self, purchase: &Purchase) -> Result<Explained, QuoteError> {
        let bought = self.bought(purchase)?;
        let quote = write::quote(purchase, &bought)?;
        let words = Words { bought: &bought, purchase, quote: &quote };
        let why = words.why()?;
        let notices = words.notices()?;
        Ok(Explained { quote, why, notices })
    }
}

/// What is told.
struct Words<'a> {
    bought: &'a Bought<'a>,
    purchase: &'a Purchase,
    quote: &'a Quote,
}

/// A number that stays short; an ellipsis says that it goes on.
fn brief(figure: Ratio) -> String {
    let six = Rounding { step: Decimal::new(1, 6), direction: Direction::Down };
    let Ok(cut) = figure.rounded(six) else { return "…".to_owned() };
    let is_whole =
        Exact::from(cut).ratio().and_then(|cut| cut.compare(figure)) == Ok(Ordering::Equal);
    format!("{}{}", cut.normalize(), if is_whole { "" } else { "…" })
}

fn brief_exact(figure: Exact) -> String {
    figure.ratio().map_or_else(|_| "…".to_owned(), brief)
}

fn direction(direction: Direction) -> String {
    let word =
        DIRECTIONS.iter().find(|(_, known)| *known == direction).map_or("", |(word, _)| word);
    word.replace('_', " ")
}

impl<'a> Words<'a> {
    fn plan(&self) -> &'a Plan<'a> {
        &self.bought.plan
    }

    fn money(&self, amount: Decimal) -> Decimal {
        with_places(amount, self.plan().tariff.decimals())
    }

    fn why(&self) -> Result<Vec<String>, QuoteError> {
        let plan = self.plan();
        let tariff = plan.tariff;
        let mut why = Vec::new();
        let day = tariff.day(plan.version.from);
        let title = if plan.version.title.is_empty() {
            String::new()
        } else {
            format!(" ({})", plan.version.title)
        };
        why.push(format!("{} of {day}{title} holds.", tariff.name()));
        if let Some(class) = plan.figures.class {
            let class = &tariff.classes[class];
            why.push(match (self.purchase.class.is_none(), self.purchase.past_mean) {
                (true, Some(mean)) => format!(
                    "The mean of {mean} puts the customer into class {}: {}.",
                    class.name, class.text
                ),
                _ => format!("The customer is in class {}: {}.", class.name, class.text),
            });
        }
        self.money_to_spend(&mut why);
        self.prices(&mut why)?;
        self.solution(&mut why)?;
        self.lines(&mut why)?;
        self.one_unit(&mut why)?;
        Ok(why)
    }

    fn money_to_spend(&self, why: &mut Vec<String>) {
        let mut money = format!("{} {}", self.quote.amount, self.plan().tariff.currency());
        let mut parts = 0;
        if !self.purchase.carried.is_zero() {
            money +=
                &format!(" and {} carried from the last sale", self.money(self.purchase.carried));
            parts += 1;
        }
        let surplus = self.bought.surplus;
        if surplus > Decimal::ZERO {
            why.push(format!(
                "Rounding makes {} buy more than {}: it is priced as {}, and what is left of rounding takes {}.",
                self.money(self.quote.amount - surplus),
                self.quote.amount,
                self.money(self.quote.amount - surplus),
                self.money(surplus),
            ));
        }
        let mut left = self.quote.amount + self.purchase.carried - surplus;
        for (debt, taken) in self.purchase.debts.iter().zip(&self.bought.taken) {
            let rule = match debt.rule {
                DebtRule::PercentOfAmount(rate) => format!("{rate} % of the amount"),
                DebtRule::PercentOfDebt(rate) => format!("{rate} % of the debt"),
                DebtRule::Fixed(fixed) => format!("{fixed} of each purchase"),
                DebtRule::All => "all of it".to_owned(),
            };
            why.push(format!(
                "{} takes {} of {} owed ({rule}); {} remains.",
                debt.name,
                self.money(taken.amount),
                self.money(debt.balance),
                self.money(taken.balance)
            ));
            left -= taken.amount;
            parts += 1;
        }
        if parts > 0 {
            why.push(format!("Of {money}, {} is left for units and charges.", self.money(left)));
        }
    }

    /// Charges before the first unit, and the price of a unit in each piece up to the solution.
    fn prices(&self, why: &mut Vec<String>) -> Result<(), QuoteError> {
        let plan = self.plan();
        let reached = &plan.segments[self.bought.solution.segment];
        for &index in plan.active.iter().filter(|&&index| !plan.line(index).on_top) {
            let line = plan.line(index);
            let Part { fixed, .. } = reached.parts[index];
            let times = |line: &crate::tariff::Line| -> Result<String, QuoteError> {
                Ok(match &line.times {
                    Some(times) => format!(" × {}", brief_exact(plan.figures.of(times)?)),
                    None => String::new(),
                })
            };
            if fixed.sign() == Ordering::Equal {
                continue;
            }
            why.push(match &line.rule {
                Rule::Monthly { accrues, cap_percent, .. } => {
                    let from = plan.month_of(reached.from)?;
                    let (taken, due) = plan.monthly(index, from, &reached.parts, self.purchase)?;
                    let months = match (accrues, plan.months) {
                        (_, 0) => "the rest of this month".to_owned(),
                        (true, 1) | (false, _) => "this month".to_owned(),
                        (true, months) => format!("{months} months"),
                    };
                    let capped = match cap_percent {
                        Some(percent) if taken.compare(due)? == Ordering::Less => format!(
                            "; it takes at most {} % of an amount, so {} now",
                            brief_exact(plan.figures.of(percent)?),
                            brief_exact(taken)
                        ),
                        _ => String::new(),
                    };
                    format!("{} for {months}: {} due{capped}.", line.text, brief_exact(due))
                }
                Rule::Daily { amount, .. } => format!(
                    "{}: {} a day{} for {} days: {}.",
                    line.text,
                    brief_exact(plan.figures.of(amount)?),
                    times(line)?,
                    self.purchase.days_since.unwrap_or_default(),
                    brief_exact(fixed)
                ),
                Rule::PerPurchase { .. } => {
                    format!("{}: {} for this purchase.", line.text, brief_exact(fixed))
                }
                Rule::PerUnit { .. } | Rule::Percent { .. } => continue,
            });
        }
        if !self.purchase.bought_this_month.is_zero() {
            why.push(format!(
                "{} {} were bought this month before.",
                self.purchase.bought_this_month.normalize(),
                plan.tariff.unit()
            ));
        }
        for segment in &plan.segments[..=self.bought.solution.segment] {
            let parts: Vec<String> = plan
                .active
                .iter()
                .filter(|&&index| !plan.line(index).on_top)
                .filter(|&&index| segment.parts[index].per_unit.sign() != Ordering::Equal)
                .map(|&index| {
                    let share = match &plan.line(index).rule {
                        Rule::Percent { rate, .. } => {
                            let rate = plan.figures.of(rate).map(brief_exact).unwrap_or_default();
                            format!(" ({rate} %)")
                        }
                        _ => String::new(),
                    };
                    format!(
                        "{}{share} {}",
                        plan.line(index).text,
                        brief_exact(segment.parts[index].per_unit)
                    )
                })
                .collect();
            let unit = plan.tariff.unit();
            let range = match (segment.from.compare(Ratio::ZERO)?, segment.to) {
                (Ordering::Equal, None) => format!("Each {unit}"),
                (Ordering::Equal, Some(to)) => format!("Each of the first {} {unit}", brief(to)),
                (_, Some(to)) => {
                    format!("Each {unit} from {} to {}", brief(segment.from), brief(to))
                }
                (_, None) => format!("Each {unit} above {}", brief(segment.from)),
            };
            let total = brief_exact(segment.total.per_unit);
            let sum =
                if parts.len() > 1 { format!("{} = {total}", parts.join(" + ")) } else { total };
            why.push(format!("{range} costs {sum}."));
        }
        Ok(())
    }

    fn solution(&self, why: &mut Vec<String>) -> Result<(), QuoteError> {
        let plan = self.plan();
        let solution = self.bought.solution;
        let segment = &plan.segments[solution.segment];
        let unit = plan.tariff.unit();
        let Part { fixed, per_unit } = segment.total;
        let units = brief(solution.units);
        why.push(if solution.at_jump {
            let cost = solution.units.cost(fixed, per_unit)?;
            format!("{units} {unit} cost {}. The price jumps there, and the money does not reach beyond.", brief(cost))
        } else {
            let of_debts: Decimal = self.bought.taken.iter().map(|taken| taken.amount).sum();
            let money = self.money(plan.amount + self.purchase.carried - of_debts);
            let price = brief_exact(per_unit);
            if segment.from.compare(Ratio::ZERO)? == Ordering::Greater {
                let before = segment.from.cost(fixed, per_unit)?;
                format!(
                    "The first {} {unit} cost {} with all charges; ({money} − {}) ÷ {price} = {} \
                     more: {units} {unit} exactly.",
                    brief(segment.from),
                    brief(before),
                    brief(before),
                    brief(solution.units.less(segment.from)?),
                )
            } else {
                match fixed.sign() {
                    Ordering::Equal => format!("{money} ÷ {price} = {units} {unit} exactly."),
                    Ordering::Greater => format!("({money} − {}) ÷ {price} = {units} {unit} exactly.", brief_exact(fixed)),
                    Ordering::Less => format!("({money} + {}) ÷ {price} = {units} {unit} exactly.", brief_exact(fixed.negate())),
                }
            }
        });
        let rules = plan.version.rounding;
        let from = match rules.units_from {
            UnitsFrom::Energy => ", from the printed energy",
            UnitsFrom::Exact | UnitsFrom::UnitsFirst => "",
        };
        why.push(format!(
            "Units to {}, {}{from}: {} {unit}.",
            rules.units.step,
            direction(rules.units.direction),
            self.quote.units
        ));
        Ok(())
    }

    fn lines(&self, why: &mut Vec<String>) -> Result<(), QuoteError> {
        let plan = self.plan();
        let rules = plan.version.rounding;
        let closed = &self.bought.closed;
        let at = match rules.units_from {
            UnitsFrom::UnitsFirst => Exact::from(closed.units).ratio()?,
            UnitsFrom::Exact | UnitsFrom::Energy => self.bought.solution.units,
        };
        let remainder = match rules.remainder {
            Remainder::Line(index) => Some(plan.line(index).name.as_str()),
            _ => None,
        };
        for &index in &plan.version.order {
            let line = plan.line(index);
            if !line.is_for(plan.figures.class) || Some(line.name.as_str()) == remainder {
                continue;
            }
            let Part { fixed, per_unit } = plan.segments[closed.segment].parts[index];
            let amount = self.money(closed.amounts[index]);
            if amount.is_zero() && fixed.sign() == Ordering::Equal {
                continue;
            }
            let rounded = format!(
                "to {}, {}: {amount}",
                line.rounding.step,
                direction(line.rounding.direction)
            );
            why.push(match &line.rule {
                Rule::Percent { rate, divide_by, .. } if line.of_printed => {
                    let base =
                        self.quote.line(&line.name).and_then(|line| line.base).unwrap_or_default();
                    let by = divide_by.map_or_else(String::new, |by| format!(" ÷ {by}"));
                    format!(
                        "{}: {} %{by} of the printed {base}, {rounded}.",
                        line.text,
                        brief_exact(plan.figures.of(rate)?)
                    )
                }
                _ => format!("{}: {}, {rounded}.", line.text, brief(at.cost(fixed, per_unit)?)),
            });
        }
        if let Some(line) = remainder.and_then(|name| self.quote.line(name)) {
            let others: Decimal = plan
                .active
                .iter()
                .filter(|&&index| !plan.line(index).on_top && plan.line(index).name != line.name)
                .map(|&index| closed.amounts[index])
                .sum();
            why.push(format!(
                "{} takes what is left: {} − {} = {}.",
                line.description,
                self.money(others + line.amount),
                self.money(others),
                line.amount
            ));
        }
        for line in &self.quote.lines {
            match (line.kind, line.units) {
                (LineKind::Change, _) => why.push(format!("{} is given back.", line.amount)),
                (LineKind::CarriedOut, None) => {
                    why.push(format!("{} is kept for the next sale.", line.amount))
                }
                (LineKind::CarriedOut, Some(units)) => why.push(format!(
                    "The token carries {}; {units} is kept for the next sale.",
                    self.quote.token_units
                )),
                (LineKind::Rounding, _) => why.push(format!("Rounding leaves {}.", line.amount)),
                _ => {}
            }
        }
        Ok(())
    }

    /// What one unit more or less costs, exactly.
    fn one_unit(&self, why: &mut Vec<String>) -> Result<(), QuoteError> {
        let plan = self.plan();
        let cost = |units: Decimal| -> Result<Ratio, QuoteError> {
            let Part { fixed, per_unit } = plan.segments[plan.segment_of(units)?].total;
            Ok(Exact::from(units).ratio()?.cost(fixed, per_unit)?)
        };
        let unit = plan.tariff.unit();
        let now = cost(self.quote.units)?;
        let more = brief(cost(self.quote.units + Decimal::ONE)?.less(now)?);
        why.push(match self.quote.units > Decimal::ONE {
            true => {
                let less = brief(now.less(cost(self.quote.units - Decimal::ONE)?)?);
                format!("One {unit} more would cost {more}; one {unit} less would save {less}.")
            }
            false => format!("One {unit} more would cost {more}."),
        });
        Ok(())
    }

    fn notices(&self) -> Result<Vec<String>, QuoteError> {
        let plan = self.plan();
        let tariff = plan.tariff;
        let unit = tariff.unit();
        let mut notices = Vec::new();
        let solution = self.bought.solution;
        if self.bought.closed.left > Decimal::ZERO {
            let least = self.quote.amount - self.bought.closed.left;
            let next = tariff.next_above(plan.version, self.purchase, self.quote.amount);
            let next = next.map_or_else(String::new, |next| {
                format!("; {} is the next amount that buys more", self.money(next))
            });
            notices.push(format!(
                "The price jumps here: {} buys the same {} {unit}{next}.",
                self.money(least),
                self.quote.units
            ));
        }
        // The end of a piece that as much money again would reach.
        for (index, segment) in plan.segments.iter().enumerate().skip(solution.segment) {
            let (Some(to), Some(after)) = (segment.to, plan.segments.get(index + 1)) else {
                continue;
            };
            let end = to.cost(segment.total.fixed, segment.total.per_unit)?;
            let within = Exact::from(self.quote.amount + self.quote.amount).ratio()?;
            if end.compare(within)? == Ordering::Greater {
                break;
            }
            let jump = to.cost(after.total.fixed, after.total.per_unit)?.less(end)?;
            let month = plan.month_of(to)?;
            let (before, later) =
                (brief_exact(segment.total.per_unit), brief_exact(after.total.per_unit));
            let prices = if before == later {
                String::new()
            } else {
                format!(", then a {unit} costs {later} instead of {before}")
            };
            let is_jump = jump.compare(Ratio::ZERO)?;
            if is_jump == Ordering::Equal && prices.is_empty() {
                continue;
            }
            let jump = match is_jump {
                Ordering::Greater => format!("; going beyond costs {} at once", brief(jump)),
                Ordering::Less => {
                    format!("; going beyond saves {} at once", brief(Ratio::ZERO.less(jump)?))
                }
                Ordering::Equal => String::new(),
            };
            notices.push(format!(
                "At {} {unit} of this month a limit is reached, {} {unit} into this purchase{prices}{jump}.",
                brief(month),
                brief(to)
            ));
        }
        for &index in &plan.active {
            let line = plan.line(index);
            let Rule::PerPurchase { above: Some(above), .. } = &line.rule else { continue };
            if self.quote.amount > *above {
                notices.push(format!(
                    "{} is charged because the amount is above {}: up to there it is not.",
                    line.text,
                    self.money(*above)
                ));
            } else if self.quote.amount + self.quote.amount > *above {
                notices.push(format!("Above {} {} is charged.", self.money(*above), line.text));
            }
        }
        Ok(notices)
    }
}
