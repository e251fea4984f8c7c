//! Why there is no quote.

use std::error::Error;
use std::fmt;

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::exact::TooLong;

/// Why a purchase cannot be priced. Nothing was done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum QuoteError {
    /// The amount is below the tariff's minimum, or buys less than the smallest step of units.
    AmountTooSmall {
        /// What was asked for.
        found: Decimal,
        /// The smallest amount that can be sold now.
        smallest: Option<Decimal>,
    },
    /// The amount is above the tariff's maximum, or longer than eighteen digits.
    AmountTooLarge {
        /// What was asked for, if it can be told.
        found: Option<Decimal>,
        /// The most, if the tariff has one.
        most: Option<Decimal>,
    },
    /// Debts and charges leave nothing to sell.
    AmountSwallowed {
        /// What was asked for.
        found: Decimal,
        /// What debts take.
        debts: Decimal,
        /// What charges with their taxes take.
        charges: Decimal,
        /// The smallest amount that buys something now, if any does.
        smallest: Option<Decimal>,
    },
    /// The amount lies in a jump of the price, and the tariff refuses such amounts.
    AmountInGap {
        /// What was asked for.
        found: Decimal,
        /// The amount that buys the same units.
        below: Decimal,
        /// The smallest amount that buys more.
        above: Option<Decimal>,
    },
    /// The tariff has no version at this moment.
    TariffMissing {
        /// When.
        at: Timestamp,
        /// When its first version begins.
        first: Timestamp,
    },
    /// Something is needed that was not given.
    Missing {
        /// The field of the purchase.
        field: String,
        /// What it should be.
        expected: String,
    },
    /// Something given is not what it should be.
    Invalid {
        /// The field of the purchase.
        field: String,
        /// What it should be.
        expected: String,
        /// What it was.
        found: String,
    },
}

prepay_basics::codes! {
    QuoteError {
        AmountTooSmall = "amount_too_small",
        AmountTooLarge = "amount_too_large",
        AmountSwallowed = "amount_swallowed",
        AmountInGap = "amount_in_gap",
        TariffMissing = "tariff_missing",
        Missing = "field_missing",
        Invalid = "field_invalid",
    }
}

impl QuoteError {
    pub(crate) fn invalid(
        field: impl Into<String>,
        expected: impl Into<String>,
        found: impl fmt::Display,
    ) -> Self {
        Self::Invalid { field: field.into(), expected: expected.into(), found: found.to_string() }
    }
}

impl From<TooLong> for QuoteError {
    fn from(_: TooLong) -> Self {
        Self::AmountTooLarge { found: None, most: None }
    }
}

/// The smallest possible purchase, in words.
fn smallest_in_words(smallest: Option<&Decimal>) -> String {
    smallest.map_or_else(
        || "no amount buys anything now".to_owned(),
        |smallest| format!("the smallest possible purchase is {smallest}"),
    )
}

impl fmt::Display for QuoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AmountTooSmall { found, smallest } => {
                write!(
                    f,
                    "{found} is too small an amount: {}",
                    smallest_in_words(smallest.as_ref())
                )
            }
            Self::AmountTooLarge { found, most } => {
                match found {
                    Some(found) => write!(f, "{found} is too large an amount")?,
                    None => f.write_str("the amount is too large to be priced exactly")?,
                }
                most.map_or(Ok(()), |most| write!(f, ": expected at most {most}"))
            }
            Self::AmountSwallowed { found, debts, charges, smallest } => write!(
                f,
                "{found} leaves nothing to sell: debts take {debts}, charges and taxes on them {charges}; {}",
                smallest_in_words(smallest.as_ref())
            ),
            Self::AmountInGap { found, below, above } => {
                write!(f, "{found} lies where the price jumps: {below} buys the same units")?;
                above.map_or(Ok(()), |above| {
                    write!(f, ", and {above} is the next amount that buys more")
                })
            }
            Self::TariffMissing { at, first } => {
                write!(f, "the tariff has no version at {at}: its first begins at {first}")
            }
            Self::Missing { field, expected } => {
                write!(f, "{field} is missing: expected {expected}")
            }
            Self::Invalid { field, expected, found } => {
                write!(f, "{field}: expected {expected}, found {found}")
            }
        }
    }
}

impl Error for QuoteError {}
