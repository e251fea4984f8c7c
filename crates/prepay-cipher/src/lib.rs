//! The three block ciphers of the Standard Transfer Specification.
//!
//! A token is one block of 64 bits under a decoder key. The standard names three ciphers for it:
//!
//! | EA | type        | cipher  | key      | standing                     |
//! |----|-------------|---------|----------|------------------------------|
//! | 07 | [`Sta`]     | STA     | 64 bits  | in use                       |
//! | 09 | [`Dea`]     | DES     | 64 bits  | deprecated                   |
//! | 11 | [`Misty1`]  | MISTY1  | 128 bits | in use                       |
//!
//! [`SampleSta`] is STA with the sample tables of the standard's worked example; no meter accepts it.
//!
//! Every cipher works on `u64` through `encipher` and `decipher`, and through the traits of the
//! [`mod@cipher`] crate on eight bytes, most significant first. Keys are wiped when a cipher is dropped
//! and never printed. None of them runs in constant time.
//!
//! [`mod@reference`] holds each cipher once more, coded literally from its standard.
//!
//! - Source: IEC 62055-41:2018, EncryptionAlgorithm07, 09 and 11; RFC 2994; FIPS 46-3.
//! - Not here: what the block means, how bits of the class join it, and where keys come from. This
//!   crate never sees a token, a vending key or a meter.
#![no_std]

mod dea;
mod misty1;
pub mod reference;
mod sta;
mod traits;

pub use dea::Dea;
pub use misty1::Misty1;
pub use sta::{SampleSta, Sta};

/// The traits through which the ciphers are made and used generically.
pub use cipher;
