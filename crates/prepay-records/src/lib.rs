//! What every door shares: reading JSON, elements of the standard and tokens as records, lines of a stream, times,
//! decimals, hexadecimal, and the codes of what cannot be read.
//!
//! A value is parsed once, here, and is typed from then on. Flags of a command line and fields of a JSON object are
//! read by the same code, so both have the same errors.
//!
//! ```
//! use prepay_records::{Rounding, TokenRecord, instruction};
//! use prepay_token::Instruction;
//!
//! let record = TokenRecord::read(r#"{"type":"credit","service":"water","amount":"25.6"}"#);
//! let Instruction::Credit { service, amount } = instruction(&record, Rounding::Exact)? else {
//!     panic!("a credit")
//! };
//! assert_eq!((service.name(), amount.tenths()), ("water", 256));
//!
//! let record = TokenRecord::read(r#"{"type":"credit","service":"water","amount":"25.61"}"#);
//! let error = instruction(&record, Rounding::Exact).unwrap_err();
//! assert_eq!(error.code.text(), "amount_too_fine");
//! # Ok::<(), prepay_records::RecordError>(())
//! ```
//!
//! # Map
//!
//! - [`record!`]: declares a record; [`Scalar`], [`Choice`] and [`Raw`] are what its fields hold.
//! - [`element`]: from a scalar to a data element. [`instruction`]: from [`TokenRecord`] to what a token is to do,
//!   and [`OpenedToken`] back.
//! - [`lines`]: lines of a stream, and the stream of their answers.
//! - [`time`], [`decimal`], [`hex`]: texts of numbers, both ways.
//! - [`pasted`]: meter numbers and tokens as people have them.
//! - [`purchase`]: a purchase to be priced, and its quote.
//! - [`RecordCode`]: the stable codes; [`ErrorRecord`]: an error as every door answers it.
//! - [`explain`](mod@explain): what each code means, who has to act and what to do.
//!
//! # What it never knows
//!
//! A rule of the standard. Which door asks. A key.

mod choice;
pub mod decimal;
pub mod element;
mod error;
pub mod explain;
pub mod hex;
pub mod json;
mod line;
pub mod lines;
pub mod pasted;
pub mod purchase;
pub mod receipt;
pub mod time;
mod token;

pub use choice::{Choice, Named, needed_choice};
pub use error::{ErrorBody, ErrorRecord, FreeIdentifier, Marked, RecordCode, RecordError};
pub use json::{Raw, Scalar};
pub use token::{
    ControlBits, OpenedToken, Rounding, TokenKind, TokenRecord, coded, instruction, rounding,
};
