//! What the vault and key management share, and what is too small to stand alone.
//!
//! - [`Identifier`]: names of people, modules and centres.
//! - [`Moment`]: a point in time, to the second.
//! - [`utc`]: times as text, both ways.
//! - [`codec`], [`Field`]: the bytes of our own records, and the values in them.
//! - [`Clock`], [`Entropy`]: time and randomness, which come in as arguments.
//! - [`codes!`]: the stable codes of an error type.
//!
//! # What it never knows
//!
//! Who bears a name, and what the bytes mean.

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
