//! STS tokens: from a meaning to twenty digits and back, to the bit.
//!
//! The Standard Transfer Specification (IEC 62055-41) carries credit, management and keys to a prepayment meter
//! as numbers of twenty digits that a person can type. This crate covers the whole path, on both sides, and is
//! meant to be read as a textbook.
//!
//! # One token's way
//!
//! Take 0.1 kWh for the meter 600727000000000009, issued on 2004-03-01 at 13:55.
//!
//! | step | where | result |
//! |------|-------|--------|
//! | minutes since the base date 1993 | [`element::TokenIdentifier`] | 5 871 715 = 599863 hex |
//! | tenths of a unit as exponent and mantissa | [`element::Amount`] | 0001 hex |
//! | fields side by side: SubClass 0, RND 5, TID, Amount | [`layout`] | 0559 9863 0001 .... |
//! | checksum over class and fields | [`ChecksumKind`] | 19E6 |
//! | vending key, group, meter → decoder key | [`key::DecoderKeyGenerator`] | E653341F9D5BF36F |
//! | encipher the 64 bits | [`key::TokenCipher`] | 492083C0AE7CE455 |
//! | class bits change places with bits 28 and 27 | [`TokenData`] | 1 492083C0A67CE455 |
//! | write the 66 bits as a decimal number | [`TokenData`] | 2371 6100 5011 8319 4197 |
//!
//! The meter walks the same steps upwards. With a different key the checksum fails, and that is all it can say.
//!
//! # Map
//!
//! - [`element`]: every data element as a type whose values are all valid.
//! - [`Instruction`]: what is wanted, or what was read. [`Token`]: every token of classes 0, 1 and 2 as a value. [`seal`] and [`open`] are the way down and up;
//!   [`seal_in_clear`] and [`open_in_clear`] are the same for class 1, which needs no key.
//! - [`key`]: vending and decoder keys, derivation, and what each key type may do.
//! - [`key_change`]: a new key as sets of two, three or four tokens, and back.
//! - [`IdRecord`]: the identification record on a meter card.
//! - [`Trace`]: all steps of one token, to look at.
//!
//! # What it never knows
//!
//! The clock, storage, money, randomness, and where keys come from. There is no `std` and no allocation.
//! What public sources leave open is a policy value with a documented default:
//! [`key::DerivationPolicy`], [`key::KeyTransitions`].

#![no_std]

mod block;
mod crc;
pub mod element;
mod id_record;
mod instruction;
pub mod key;
pub mod key_change;
pub mod layout;
mod token;
mod token_data;
mod trace;

pub use block::{
    ClearBlock, ElementProblem, KeyNeeded, OpenError, open, open_in_clear, seal, seal_in_clear,
};
pub use crc::ChecksumKind;
pub use id_record::{IdRecord, ParseIdRecordError, Track2};
pub use instruction::{
    Instruction, ManagementFunction, MeterTest, MeterTestError, ProprietarySubClass,
    TwoDigitManufacturer,
};
pub use token::{Stamp, Token};
pub use token_data::{Class, TOKEN_DIGITS, TokenData, TokenDataError};
pub use trace::{Field, Trace};
