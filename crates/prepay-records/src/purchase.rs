//! Purchases and quotes of `prepay-vend` as JSON: one object for what a price depends on, one for what it buys.
//!
//! - Amounts and units are decimal strings; a JSON number is read exactly as it is written.
//! - A `date` is a day of the tariff's zone, from its first moment, or a moment in RFC 3339.

use std::collections::BTreeMap;

use prepay_vend::{Ask, Debt, DebtRule, Decimal, Explained, Moment, Purchase, Quote, Tariff};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::line::LineRecord;

/// A number that is exactly what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figure(pub Decimal);

impl<'de> Deserialize<'de> for Figure {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(value)?.get();
        let text = raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')).unwrap_or(raw);
        prepay_vend::read_decimal(text).map(Self).ok_or_else(|| {
            let found = crate::json::shortened(raw);
            serde::de::Error::custom(format!(
                "expected a decimal number such as \"25.6\", found {found}"
            ))
        })
    }
}

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A purchase, as a line says it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PurchaseRecord {
    /// Any value; the answer has it too.
    pub id: Option<serde_json::Value>,
    /// The day or moment.
    pub date: Option<String>,
    /// The face value.
    pub amount: Option<Figure>,
    /// Units, instead of an amount.
    pub units: Option<Figure>,
    /// The class of the customer.
    pub class: Option<String>,
    /// The mean use that decides the class.
    pub past_mean: Option<Figure>,
    /// Units bought this month.
    pub bought_this_month: Option<Figure>,
    /// Months not paid, this one included.
    pub months_unpaid: Option<u32>,
    /// Months whose accruing blocks may be used, this one included.
    pub months_in_blocks: Option<u32>,
    /// Days since the last purchase.
    pub days_since: Option<u32>,
    /// What is owed, in the order of collection.
    pub debts: Vec<DebtRecord>,
    /// Named rates.
    pub rates: BTreeMap<String, Figure>,
    /// What waits of capped charges.
    pub waiting: BTreeMap<String, Figure>,
    /// Money kept at the last sale.
    pub carried: Option<Figure>,
    /// Units kept at the last sale.
    pub carried_units: Option<Figure>,
    /// Whether free units are due.
    pub free_units_due: bool,
}

/// A debt, as a line says it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DebtRecord {
    /// What it is for.
    pub name: String,
    /// What is owed.
    pub balance: Figure,
    /// `all`, the default: everything until it is paid. `percent_of_amount`, `percent_of_debt`, `fixed`: so much, with `value`.
    #[serde(default)]
    pub rule: DebtRuleRecord,
    /// Per cent, or an amount.
    pub value: Option<Figure>,
    /// The most that it takes of an amount, in per cent.
    pub most_percent: Option<Figure>,
    /// The most that it takes.
    pub most_amount: Option<Figure>,
}

/// The rule of a debt.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DebtRuleRecord {
    /// Everything until it is paid.
    #[default]
    All,
    /// Per cent of the amount.
    PercentOfAmount,
    /// Per cent of the debt.
    PercentOfDebt,
    /// So much of each purchase.
    Fixed,
}

impl PurchaseRecord {
    /// The purchase under a tariff. Without a date it is made at `now`.
    ///
    /// # Errors
    ///
    /// A sentence that names the field, what was expected and what was found.
    pub fn purchase(&self, tariff: &Tariff, now: Moment) -> Result<Purchase, String> {
        let at = self.date.as_deref().map_or(Ok(now), |text| {
            tariff.moment(text).ok_or_else(|| {
                format!("date: expected a day such as 2025-10-15 or a moment such as 2025-10-15T09:30:00Z, found {text:?}")
            })
        })?;
        let ask = match (self.amount, self.units) {
            (Some(Figure(amount)), None) => Ask::Amount(amount),
            (None, Some(Figure(units))) => Ask::Units(units),
            _ => return Err("expected exactly one of amount and units".to_owned()),
        };
        let figures = |map: &BTreeMap<String, Figure>| {
            map.iter().map(|(name, figure)| (name.clone(), figure.0)).collect()
        };
        let or_zero = |figure: Option<Figure>| figure.map_or(Decimal::ZERO, |figure| figure.0);
        Ok(Purchase {
            class: self.class.clone(),
            past_mean: self.past_mean.map(|figure| figure.0),
            bought_this_month: or_zero(self.bought_this_month),
            months_unpaid: self.months_unpaid,
            months_in_blocks: self.months_in_blocks,
            days_since: self.days_since,
            debts: self.debts.iter().map(DebtRecord::debt).collect::<Result<_, _>>()?,
            rates: figures(&self.rates),
            waiting: figures(&self.waiting),
            carried: or_zero(self.carried),
            carried_units: or_zero(self.carried_units),
            free_units_due: self.free_units_due,
            ..Purchase::new(at, ask)
        })
    }
}

impl DebtRecord {
    fn debt(&self) -> Result<Debt, String> {
        let value = || {
            let figure = self.value.map(|figure| figure.0);
            figure.ok_or_else(|| format!("debts: {:?} needs a value for its rule", self.name))
        };
        let rule = match self.rule {
            DebtRuleRecord::All => DebtRule::All,
            DebtRuleRecord::PercentOfAmount => DebtRule::PercentOfAmount(value()?),
            DebtRuleRecord::PercentOfDebt => DebtRule::PercentOfDebt(value()?),
            DebtRuleRecord::Fixed => DebtRule::Fixed(value()?),
        };
        Ok(Debt {
            name: self.name.clone(),
            balance: self.balance.0,
            rule,
            most_percent: self.most_percent.map(|figure| figure.0),
            most_amount: self.most_amount.map(|figure| figure.0),
        })
    }
}

/// A quote as JSON.
#[derive(Clone, Debug, Serialize)]
pub struct QuoteRecord<'a> {
    amount: String,
    currency: &'a str,
    units: String,
    unit: &'a str,
    token_units: String,
    exact_total: String,
    version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<&'a str>,
    lines: Vec<LineRecord>,
    totals: TotalsRecord,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    waiting: BTreeMap<&'a str, String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    terms: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    why: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    notices: &'a [String],
}

#[derive(Clone, Debug, Serialize)]
struct TotalsRecord {
    tendered: String,
    paid: String,
    units: String,
}

impl<'a> QuoteRecord<'a> {
    /// A quote under a tariff.
    pub fn new(tariff: &'a Tariff, quote: &'a Quote) -> Self {
        Self {
            amount: quote.amount.to_string(),
            currency: tariff.currency(),
            units: quote.units.to_string(),
            unit: tariff.unit(),
            token_units: quote.token_units.to_string(),
            exact_total: quote.exact_total.to_string(),
            version: &quote.version,
            class: quote.class.as_deref(),
            lines: quote.lines.iter().map(LineRecord::new).collect(),
            totals: TotalsRecord {
                tendered: quote.tendered.to_string(),
                paid: quote.paid.to_string(),
                units: quote.units.to_string(),
            },
            waiting: quote
                .waiting
                .iter()
                .map(|(name, rest)| (name.as_str(), rest.to_string()))
                .collect(),
            terms: &quote.terms,
            why: &[],
            notices: &[],
        }
    }

    /// A quote with its reasons and what lies near.
    pub fn explained(tariff: &'a Tariff, explained: &'a Explained) -> Self {
        Self {
            why: &explained.why,
            notices: &explained.notices,
            ..Self::new(tariff, &explained.quote)
        }
    }
}
