//! From money to units: what a purchase buys under a tariff, line by line, exact to the last cent.
//!
//! - [`Tariff`]: dated data that an engineer of the utility writes, read from a file with all its faults at once.
//! - [`Purchase`]: when, for whom, what was bought this month, what is owed, and an amount or a number of units.
//! - [`Quote`]: the units, and lines that add up to the tender; [`Tariff::explain`] says how each came about.
//!
//! ```text
//!  Purchase ─> debts ─> Plan: pieces of a straight line per line ─> solve: units as one fraction ─> close: rounded ─> Quote
//! ```
//!
//! Units are solved in whole numbers of 256 bits; nothing here is a floating-point number. Rounding is data of the
//! tariff: step, direction, order, and the line that takes the remainder.
//!
//! This crate never knows a clock, a file, a meter's key or a token: the caller says when, and hands in texts.

mod debt;
mod decimal;
mod exact;
mod quote;
mod receipt;
mod tariff;

pub use debt::{Debt, DebtRule};
pub use decimal::read as read_decimal;
pub use exact::{Direction, Rounding};
pub use jiff::Timestamp as Moment;
pub use jiff::tz::TimeZone as Zone;
pub use quote::{Ask, Explained, LineKind, Purchase, Quote, QuoteError, QuoteLine, Step};
pub use receipt::{
    Customer, Language, Meter, MeterKey, PaymentMethod, Receipt, ReceiptFacts, ReceiptFault,
    ReceiptToken, Row, Slip, TokenKind, Utility,
};
pub use rust_decimal::Decimal;
pub use tariff::read::decimals_of as currency_decimals;
pub use tariff::{Fault, Month, Service, Tariff};
