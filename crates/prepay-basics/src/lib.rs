//! Small things that the vault and key management share.
//!
//! - [`Identifier`]: names of people, modules and centres.
//! - [`Moment`]: a point in time, to the second.
//! - [`utc`]: times as text, both ways.
//! - [`codec`], [`Field`]: the bytes of our own records, and the values in them.
//! - [`Clock`], [`Entropy`]: time and randomness, passed as arguments.
//! - [`codes!`]: the stable codes of an error type.
//!
//! # What it never knows
//!
//! Whose name a name is, and what bytes mean.

pub mod codec;
mod codes;
mod field;
mod identifier;
mod moment;
mod surroundings;
pub mod utc;

pub use field::Field;
pub use identifier::{Identifier, ParseIdentifierError};
pub use moment::{Moment, ParseMomentError};
pub use surroundings::{Clock, Entropy, NoEntropy};
