//! A line of a quote or of a receipt as JSON, written and read.

use prepay_vend::{LineKind, QuoteLine, Step};
use serde::{Deserialize, Serialize};

use crate::purchase::Figure;

/// A line.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LineRecord {
    kind: String,
    #[serde(default)]
    name: String,
    description: String,
    amount: Figure,
    #[serde(skip_serializing_if = "Option::is_none")]
    units: Option<Figure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit_price: Option<Figure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<Figure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<Figure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    debt_balance: Option<Figure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payee: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    steps: Vec<StepRecord>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct StepRecord {
    units: Figure,
    unit_price: Figure,
    amount: Figure,
    #[serde(skip_serializing_if = "Option::is_none")]
    price_with_all: Option<Figure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount_with_all: Option<Figure>,
}

impl LineRecord {
    /// A line.
    pub(crate) fn new(line: &QuoteLine) -> Self {
        let step = |step: &Step| StepRecord {
            units: Figure(step.units),
            unit_price: Figure(step.unit_price),
            amount: Figure(step.amount),
            price_with_all: step.price_with_all.map(Figure),
            amount_with_all: Some(Figure(step.amount_with_all)),
        };
        Self {
            kind: line.kind.name().to_owned(),
            name: line.name.clone(),
            description: line.description.clone(),
            amount: Figure(line.amount),
            units: line.units.map(Figure),
            unit_price: line.unit_price.map(Figure),
            rate: line.rate.map(Figure),
            base: line.base.map(Figure),
            debt_balance: line.debt_balance.map(Figure),
            payee: line.payee.clone(),
            steps: line.steps.iter().map(step).collect(),
        }
    }

    /// The line, or a sentence about a kind that there is not.
    pub(crate) fn line(self) -> Result<QuoteLine, String> {
        let kinds = LineKind::ALL.map(|kind| (kind.name(), kind));
        let step = |step: StepRecord| Step {
            units: step.units.0,
            unit_price: step.unit_price.0,
            amount: step.amount.0,
            price_with_all: step.price_with_all.map(|figure| figure.0),
            amount_with_all: step.amount_with_all.unwrap_or(step.amount).0,
        };
        let value = |figure: Option<Figure>| figure.map(|figure| figure.0);
        Ok(QuoteLine {
            kind: one_of(&self.kind, &kinds)?,
            name: if self.name.is_empty() { self.kind } else { self.name },
            description: self.description,
            amount: self.amount.0,
            units: value(self.units),
            unit_price: value(self.unit_price),
            rate: value(self.rate),
            base: value(self.base),
            debt_balance: value(self.debt_balance),
            payee: self.payee,
            steps: self.steps.into_iter().map(step).collect(),
        })
    }
}

/// The value that has this name, or a sentence with all names.
pub(crate) fn one_of<T: Copy>(found: &str, all: &[(&str, T)]) -> Result<T, String> {
    let known = all.iter().find(|(name, _)| *name == found).map(|(_, value)| *value);
    known.ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
        let found = crate::json::shortened(found);
        format!("expected one of {}, found {found:?}", names.join(", "))
    })
}
