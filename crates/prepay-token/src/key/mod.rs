//! Keys: vending keys, decoder keys, how one is derived from the other, and what each key type may do.
//!
//! ```text
//!  VendingKey ── DecoderKeyGenerator(meter, group, …) ──> DecoderKey ── TokenCipher ──> tokens
//!  one per group and revision                             one per meter
//! ```
//!
//! Neither kind of key prints or compares with `==`; both are wiped from memory when they are dropped. Bytes
//! enter through `new` and leave only through `expose_bytes`.

mod cipher;
mod decoder_key;
mod derivation;
mod permission;
mod vending_key;

pub use cipher::TokenCipher;
pub use decoder_key::DecoderKey;
pub use derivation::{
    CommonKeyRule, DecoderKeyGenerator, DerivationError, DerivationPolicy, KeyParameters,
    control_block,
};
pub use permission::{KeyTransitions, TransitionPermission, UseError, check_use, key_covers};
pub use vending_key::VendingKey;

use core::fmt;

/// The number of bytes does not suit the algorithm of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyLengthError {
    /// How many bytes the algorithm takes.
    pub expected: usize,
    /// How many there were.
    pub found: usize,
}

impl fmt::Display for KeyLengthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { expected, found } = self;
        write!(f, "key of the wrong length: expected {expected} bytes, found {found}")
    }
}

impl core::error::Error for KeyLengthError {}
