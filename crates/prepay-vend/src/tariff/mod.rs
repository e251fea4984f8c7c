//! A tariff: dated versions of the lines that make the price of a purchase.
//!
//! Everything here was checked when the file was read (`read.rs`): names exist, bases are not circular, blocks rise,
//! dates neither overlap nor leave a gap. What a rate is on a day, and whether a class is known, is asked per quote.

mod month;
pub(crate) mod read;
mod value;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use rust_decimal::Decimal;

use crate::exact::{Direction, Exact, Rounding};
use crate::quote::LineKind;

pub use month::Month;
pub use read::Fault;
pub(crate) use value::{Figures, Rate, Value};

/// The largest amount, counted in the smallest unit of its currency: eighteen nines.
pub(crate) const LARGEST_AMOUNT: i128 = 999_999_999_999_999_999;

/// What is sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Electricity, in kWh.
    Electricity,
    /// Water, in m³.
    Water,
    /// Gas, in m³.
    Gas,
    /// Connection time, in minutes.
    Time,
    /// Money, for meters that count money and price it themselves.
    Money,
}

impl Service {
    /// All services.
    pub const ALL: [Self; 5] = [Self::Electricity, Self::Water, Self::Gas, Self::Time, Self::Money];

    /// The word in a tariff file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Electricity => "electricity",
            Self::Water => "water",
            Self::Gas => "gas",
            Self::Time => "time",
            Self::Money => "money",
        }
    }

    /// The unit, as receipts print it. That of money is the currency.
    pub const fn unit(self) -> Option<&'static str> {
        match self {
            Self::Electricity => Some("kWh"),
            Self::Water | Self::Gas => Some("m³"),
            Self::Time => Some("min"),
            Self::Money => None,
        }
    }
}

/// A tariff, as its file says it. [`Tariff::read`] makes one.
#[derive(Clone, Debug)]
pub struct Tariff {
    pub(crate) name: String,
    pub(crate) source: Option<String>,
    pub(crate) currency: String,
    /// Decimal places of an amount.
    pub(crate) decimals: u32,
    pub(crate) service: Service,
    pub(crate) month: Month,
    pub(crate) classes: Vec<Class>,
    pub(crate) rates: Vec<Rate>,
    pub(crate) versions: Vec<Version>, // Invariant: not empty, by rising start.
}

impl Tariff {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its figures come from, if the file says it.
    pub fn source(&self) -> Option<&str> {
        self.source.as_deref()
    }

    /// The currency, three letters.
    pub fn currency(&self) -> &str {
        &self.currency
    }

    /// How many decimal places an amount has.
    pub const fn decimals(&self) -> u32 {
        self.decimals
    }

    /// What is sold.
    pub const fn service(&self) -> Service {
        self.service
    }

    /// The unit that receipts print: `kWh`, or the currency where money is sold.
    pub fn unit(&self) -> &str {
        self.service.unit().unwrap_or(&self.currency)
    }

    /// When its months begin.
    pub const fn month(&self) -> &Month {
        &self.month
    }

    /// Reads a day of its zone, `2025-10-15`, which is its first moment, a time of a day without an offset, or a moment with
    /// one. `None` for anything else.
    pub fn moment(&self, text: &str) -> Option<Timestamp> {
        if let Ok(moment) = text.parse() {
            return Some(moment);
        }
        let date = text.parse::<Date>().map(|date| date.at(0, 0, 0, 0));
        self.month.zone.to_timestamp(date.or_else(|_| text.parse::<DateTime>()).ok()?).ok()
    }

    /// The day of its zone that a moment lies in.
    pub fn day(&self, at: Timestamp) -> String {
        at.to_zoned(self.month.zone.clone()).date().to_string()
    }

    /// The names of its classes, with their texts.
    pub fn classes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.classes.iter().map(|class| (class.name.as_str(), class.text.as_str()))
    }

    /// The names of its rates, with their texts, and whether the file gives values.
    pub fn rates(&self) -> impl Iterator<Item = (&str, &str, bool)> {
        self.rates
            .iter()
            .map(|rate| (rate.name.as_str(), rate.text.as_str(), !rate.values.is_empty()))
    }

    /// The start of each version, oldest first, with its title.
    pub fn versions(&self) -> impl Iterator<Item = (Timestamp, &str)> {
        self.versions.iter().map(|version| (version.from, version.title.as_str()))
    }

    /// The version in force at a moment.
    pub(crate) fn version_at(&self, at: Timestamp) -> Option<&Version> {
        let version = self.versions.iter().rev().find(|version| version.from <= at)?;
        version.until.is_none_or(|until| at < until).then_some(version)
    }

    /// The smallest unit of its currency.
    pub(crate) fn smallest_money(&self) -> Decimal {
        Decimal::new(1, self.decimals)
    }
}

/// Customers with prices of their own.
#[derive(Clone, Debug)]
pub(crate) struct Class {
    pub(crate) name: String,
    pub(crate) text: String,
    /// The highest mean of past months that still belongs to it, where past use decides.
    pub(crate) mean_to: Option<Decimal>,
}

/// The lines in force from a moment on.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) from: Timestamp,
    /// When it ends without a successor.
    pub(crate) until: Option<Timestamp>,
    pub(crate) title: String,
    pub(crate) minimum: Option<Decimal>,
    pub(crate) maximum: Option<Decimal>,
    /// What an amount must be a multiple of.
    pub(crate) step: Decimal,
    pub(crate) rounding: Closing,
    pub(crate) gap: Gap,
    pub(crate) debts_after_charges: bool,
    /// The most that all debts together may take of a tender, in per cent.
    pub(crate) debts_most_percent: Option<Decimal>,
    /// The step that a token carries.
    pub(crate) token_step: Option<Decimal>,
    /// Units given once a month by a token of their own.
    pub(crate) free_units: Option<Value>,
    /// What a receipt says about the supply: prices by time of day, load limits. Only meters that count money price it.
    pub(crate) terms: Vec<String>,
    /// In the order in which they are printed.
    pub(crate) lines: Vec<Line>,
    /// The order in which they are computed: a base before what is charged on it.
    pub(crate) order: Vec<usize>,
}

/// How exact figures become printed ones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Closing {
    pub(crate) units: Rounding,
    pub(crate) units_from: UnitsFrom,
    pub(crate) remainder: Remainder,
    /// The price of a unit with everything that is charged per unit is rounded to this first.
    pub(crate) price: Option<Rounding>,
}

/// What printed units are made from, and what lines are made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnitsFrom {
    /// Units and lines both from the exact solution.
    Exact,
    /// Lines from the exact solution, units from the printed energy.
    Energy,
    /// Units from the exact solution, lines from the printed units.
    UnitsFirst,
}

/// What takes the money that rounding leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remainder {
    /// The lines with this index, one for each class.
    Line(usize),
    /// It is given back.
    Change,
    /// It is kept for the next sale.
    Carry,
    /// A line of its own, which may be negative.
    RoundingLine,
}

/// What happens to money that a jump of the price leaves over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gap {
    /// The purchase is refused, with the amounts on both sides.
    Refuse,
    /// It is given back.
    Change,
    /// It is kept for the next sale.
    Carry,
}

/// One line of a purchase.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Its name in the file; the same name may be used again for other classes.
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) kind: LineKind,
    /// The classes that it is for; all if there are none.
    pub(crate) classes: Vec<usize>,
    pub(crate) rule: Rule,
    pub(crate) rounding: Rounding,
    /// Percentages are taken of the printed amounts, not of the exact ones.
    pub(crate) of_printed: bool,
    /// Charged on top of the amount, not inside it.
    pub(crate) on_top: bool,
    /// Taken off instead of charged.
    pub(crate) is_rebate: bool,
    /// A fixed amount is multiplied by this: kilowatts of supply, storeys of a house.
    pub(crate) times: Option<Value>,
    /// Who gets the money, if not the utility.
    pub(crate) payee: Option<String>,
}

impl Line {
    /// Whether it is for a class.
    pub(crate) fn is_for(&self, class: Option<usize>) -> bool {
        self.classes.is_empty() || class.is_some_and(|class| self.classes.contains(&class))
    }
}

/// How much a line is.
#[derive(Clone, Debug)]
pub(crate) enum Rule {
    /// So much for each unit, by blocks of the month.
    PerUnit {
        /// Rising; the last has no end.
        blocks: Vec<Block>,
        /// A purchase is priced as a whole at the block that it reaches.
        whole_purchase: bool,
        /// Prices follow another currency: the rate, and the step that each product is rounded to.
        exchange: Option<(usize, Option<Rounding>)>,
        /// The most in a month.
        monthly_cap: Option<Value>,
    },
    /// Once a month, with the first purchase; the amount depends on the units of the month.
    Monthly {
        /// Rising; the last has no end.
        tiers: Vec<(Option<Exact>, Value)>,
        /// Months without a purchase are charged too.
        accrues: bool,
        /// The most that it takes of an amount, in per cent, together with the lines of this name or index.
        cap_percent: Option<Value>,
        /// Lines whose amounts count against the cap.
        cap_with: Vec<usize>,
    },
    /// For each day since the last purchase, at most so many.
    Daily { amount: Value, most_days: Option<u32> },
    /// For each purchase above an amount.
    PerPurchase { amount: Value, above: Option<Decimal> },
    /// A share of other lines.
    Percent {
        rate: Value,
        divide_by: Option<Decimal>,
        of: Vec<Base>,
        /// Only of what is charged for units of the month above this.
        above_units: Option<Exact>,
        /// The figures of its bases contain it, so it is taken out of them.
        included: bool,
    },
}

/// A part of what a percentage is taken of.
#[derive(Clone, Debug)]
pub(crate) struct Base {
    /// Taken off instead of added.
    pub(crate) is_negative: bool,
    /// The lines of one name, or the amount less debts.
    pub(crate) lines: Option<Vec<usize>>,
}

/// Units of the month up to a limit, and their price.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    /// The last unit of the month that is in it.
    pub(crate) to: Option<Exact>,
    pub(crate) price: Value,
    /// Whoever reaches it pays its price for all units of the month.
    pub(crate) reprices: bool,
    /// Its size is multiplied by the months that add up: this one, and those before it without a purchase.
    pub(crate) accrues: bool,
}

/// The word of a direction in a tariff file.
pub(crate) const DIRECTIONS: [(&str, Direction); 4] = [
    ("down", Direction::Down),
    ("up", Direction::Up),
    ("half_up", Direction::HalfUp),
    ("half_even", Direction::HalfEven),
];
