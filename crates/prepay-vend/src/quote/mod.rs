//! A purchase and what it buys.

mod buy;
mod close;
mod error;
mod explain;
mod plan;
mod price;
mod write;

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::debt::Debt;

pub use error::QuoteError;
pub use explain::Explained;

/// What the customer asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// As many units as an amount buys. Charges on top are not in it.
    Amount(Decimal),
    /// So many units: for their exact cost, down to the step of amounts; if that buys fewer, for the smallest amount that buys
    /// at least so many.
    Units(Decimal),
}

/// A purchase, with everything that its price depends on.
#[derive(Clone, Debug)]
pub struct Purchase {
    /// When it is made.
    pub at: Timestamp,
    /// An amount, or a number of units.
    pub ask: Ask,
    /// The class of the customer, where the tariff has classes.
    pub class: Option<String>,
    /// The mean of the past months that decides the class, where past use does and `class` is not given.
    pub past_mean: Option<Decimal>,
    /// Units bought in this month of the tariff before.
    pub bought_this_month: Decimal,
    /// Months whose monthly charges are not paid yet, this one included. By default 1 when nothing was bought this month,
    /// otherwise 0.
    pub months_unpaid: Option<u32>,
    /// Months whose units of accruing blocks may be bought in this month of the tariff: this one, and those before it in which
    /// nothing was bought. It stays the same for all purchases of a month. By default `months_unpaid`, and at least 1.
    pub months_in_blocks: Option<u32>,
    /// Days since the last purchase, where the tariff charges by day.
    pub days_since: Option<u32>,
    /// What the customer owes, in the order in which it is collected.
    pub debts: Vec<Debt>,
    /// Rates that the tariff expects with each purchase, or that replace its own.
    pub rates: Vec<(String, Decimal)>,
    /// What waits of capped charges from earlier purchases, by the name of the line.
    pub waiting: Vec<(String, Decimal)>,
    /// Money kept at an earlier sale.
    pub carried: Decimal,
    /// Units kept at an earlier sale.
    pub carried_units: Decimal,
    /// Whether the free units of the month are to be given with this purchase.
    pub free_units_due: bool,
}

impl Purchase {
    /// The first purchase of a customer who owes nothing.
    pub const fn new(at: Timestamp, ask: Ask) -> Self {
        Self {
            at,
            ask,
            class: None,
            past_mean: None,
            bought_this_month: Decimal::ZERO,
            months_unpaid: None,
            months_in_blocks: None,
            days_since: None,
            debts: Vec::new(),
            rates: Vec::new(),
            waiting: Vec::new(),
            carried: Decimal::ZERO,
            carried_units: Decimal::ZERO,
            free_units_due: false,
        }
    }
}

/// What a line of a quote is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LineKind {
    /// What is sold.
    Energy,
    /// Units given for nothing, by a token of their own. Not part of the sum.
    FreeUnits,
    /// A tax.
    Tax,
    /// A levy.
    Levy,
    /// A charge; a rebate is one below zero.
    Charge,
    /// A part of a debt.
    Debt,
    /// What the seller gets. Not part of the sum, and never in a quote of a tariff.
    Commission,
    /// What rounding leaves, either way.
    Rounding,
    /// What an earlier sale left: money below zero, or units.
    CarriedIn,
    /// What is kept for the next sale: money, or units.
    CarriedOut,
    /// What is given back.
    Change,
}

impl LineKind {
    /// All kinds.
    pub const ALL: [Self; 11] = [
        Self::Energy,
        Self::FreeUnits,
        Self::Tax,
        Self::Levy,
        Self::Charge,
        Self::Debt,
        Self::Commission,
        Self::Rounding,
        Self::CarriedIn,
        Self::CarriedOut,
        Self::Change,
    ];

    /// The stable name, for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Energy => "energy",
            Self::FreeUnits => "free_units",
            Self::Tax => "tax",
            Self::Levy => "levy",
            Self::Charge => "charge",
            Self::Debt => "debt",
            Self::Commission => "commission",
            Self::Rounding => "rounding",
            Self::CarriedIn => "carried_in",
            Self::CarriedOut => "carried_out",
            Self::Change => "change",
        }
    }
}

/// One printed line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuoteLine {
    /// What it is.
    pub kind: LineKind,
    /// Its name in the tariff; that of its kind if the tariff does not name it; that of the debt.
    pub name: String,
    /// What the receipt prints.
    pub description: String,
    /// The amount, with the decimal places of the currency.
    pub amount: Decimal,
    /// Units, where it has them.
    pub units: Option<Decimal>,
    /// The price of one unit, where there is one price.
    pub unit_price: Option<Decimal>,
    /// The rate in per cent, where it is a share.
    pub rate: Option<Decimal>,
    /// What the rate was taken of.
    pub base: Option<Decimal>,
    /// What remains of the debt.
    pub debt_balance: Option<Decimal>,
    /// Who gets the money, if not the utility.
    pub payee: Option<String>,
    /// The blocks of an energy line, also those without units; empty where it has one price.
    pub steps: Vec<Step>,
}

/// The part of an energy line in one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Units bought in it.
    pub units: Decimal,
    /// Their price, as the tariff says it.
    pub unit_price: Decimal,
    /// What they cost. Where a block prices units of the month again, the difference is in it.
    pub amount: Decimal,
    /// The price of one unit with everything that is charged per unit; none for a block that was used up before.
    pub price_with_all: Option<Decimal>,
    /// What they cost with everything that is charged per unit.
    pub amount_with_all: Decimal,
}

/// What a purchase buys. The amounts of all lines except free units add up to `tendered`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The title of the tariff's version.
    pub version: String,
    /// The class of the customer.
    pub class: Option<String>,
    /// The face value: what the customer asked for.
    pub amount: Decimal,
    /// The amount and what is charged on top of it.
    pub tendered: Decimal,
    /// `tendered` less change.
    pub paid: Decimal,
    /// Units sold, free units apart.
    pub units: Decimal,
    /// Units that the token carries: with units carried in, in steps of the token.
    pub token_units: Decimal,
    /// What the units cost before rounding; for a purchase by units, of exactly those units.
    pub exact_total: Decimal,
    /// In the order in which they are printed.
    pub lines: Vec<QuoteLine>,
    /// What a receipt says about the supply, as the tariff words it.
    pub terms: Vec<String>,
    /// What still waits of capped charges, by the name of the line.
    pub waiting: Vec<(String, Decimal)>,
}

impl Quote {
    /// The sum of the lines of one kind.
    pub fn sum(&self, kind: LineKind) -> Decimal {
        self.lines.iter().filter(|line| line.kind == kind).map(|line| line.amount).sum()
    }

    /// The line with this name.
    pub fn line(&self, name: &str) -> Option<&QuoteLine> {
        self.lines.iter().find(|line| line.name == name)
    }
}
