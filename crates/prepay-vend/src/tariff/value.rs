//! A figure of a tariff: fixed, a named rate that changes by date or is given with the purchase, or one for each class.

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::exact::Exact;
use crate::quote::QuoteError;

/// Figures under one name.
#[derive(Clone, Debug)]
pub(crate) struct Rate {
    pub(crate) name: String,
    pub(crate) text: String,
    /// By rising start.
    pub(crate) values: Vec<(Option<Timestamp>, Decimal)>,
}

/// Where a figure comes from.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Fixed(Exact),
    /// A rate, by index.
    Rate(usize),
    /// By class; a line is not for the classes without one.
    ByClass(Vec<(usize, Value)>),
}

/// What figures depend on.
#[derive(Clone, Copy)]
pub(crate) struct Figures<'a> {
    pub(crate) rates: &'a [Rate],
    /// Figures that came with the purchase.
    pub(crate) given: &'a [(String, Decimal)],
    pub(crate) at: Timestamp,
    pub(crate) class: Option<usize>,
}

impl Figures<'_> {
    /// The figure.
    pub(crate) fn of(&self, value: &Value) -> Result<Exact, QuoteError> {
        match value {
            Value::Fixed(figure) => Ok(*figure),
            Value::Rate(index) => self.rate(*index),
            Value::ByClass(values) => {
                let mut of_class = values.iter().filter(|(class, _)| Some(*class) == self.class);
                of_class.next().map_or(Ok(Exact::ZERO), |(_, value)| self.of(value))
            }
        }
    }

    /// A rate: what came with the purchase, or else what the file says for the moment.
    pub(crate) fn rate(&self, index: usize) -> Result<Exact, QuoteError> {
        let rate = &self.rates[index];
        if let Some((_, figure)) = self.given.iter().find(|(name, _)| *name == rate.name) {
            return Ok(Exact::from(*figure));
        }
        let mut dated = rate.values.iter().rev();
        let found = dated.find(|(from, _)| from.is_none_or(|from| from <= self.at));
        found.map(|(_, figure)| Exact::from(*figure)).ok_or_else(|| QuoteError::Missing {
            field: format!("rates.{}", rate.name),
            expected: if rate.values.is_empty() {
                format!("{}, given with the purchase", rate.text)
            } else {
                format!("{}; the tariff file has no value for this day", rate.text)
            },
        })
    }
}
