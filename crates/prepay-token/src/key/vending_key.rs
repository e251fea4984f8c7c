//! The vending key of a supply group: the secret from which the keys of all its meters are derived.
//!
//! - Length: 8, 16 or 20 bytes for DKGA02, 03 and 04.
//! - Source: IEC 62055-41:2018, vending keys VDDK, VUDK and VCDK.
//! - Elsewhere: its attributes (group, revision, type, expiry, base date) travel in
//!   [`KeyParameters`](super::KeyParameters); keeping it sealed is the work of a security module.

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::KeyLengthError;
use crate::element::DecoderKeyGenerationAlgorithm;

/// The bytes of the longest vending key.
const CAPACITY: usize = 20;

/// A vending key with the algorithm that derives decoder keys from it.
#[derive(Clone)]
pub struct VendingKey {
    bytes: [u8; CAPACITY], // Invariant: zero beyond the length that the algorithm takes.
    algorithm: DecoderKeyGenerationAlgorithm,
}

impl VendingKey {
    /// A vending key, most significant byte first.
    ///
    /// # Errors
    ///
    /// [`KeyLengthError`] when the number of bytes is not the one that the algorithm takes.
    pub fn new(
        algorithm: DecoderKeyGenerationAlgorithm,
        bytes: &[u8],
    ) -> Result<Self, KeyLengthError> {
        let expected = algorithm.vending_key_bytes();
        if bytes.len() != expected {
            return Err(KeyLengthError { expected, found: bytes.len() });
        }
        let mut key = Self { bytes: [0; CAPACITY], algorithm };
        key.bytes[..expected].copy_from_slice(bytes);
        Ok(key)
    }

    /// The algorithm that derives decoder keys from this key.
    pub const fn algorithm(&self) -> DecoderKeyGenerationAlgorithm {
        self.algorithm
    }

    /// The secret bytes. The caller is responsible for where they go.
    pub fn expose_bytes(&self) -> &[u8] {
        &self.bytes[..self.algorithm.vending_key_bytes()]
    }
}

impl Drop for VendingKey {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl ZeroizeOnDrop for VendingKey {}

impl fmt::Debug for VendingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VendingKey(..)")
    }
}
