//! The vending key of a supply group: the secret from which the keys of all its meters are derived.
//!
//! - Length: 8, 16 or 20 octets for DKGA02, 03 and 04.
//! - Source: IEC 62055-41:2018, vending keys VDDK, VUDK and VCDK.
//! - Elsewhere: its attributes (group, revision, type, expiry, base date) travel in
//!   [`KeyParameters`](super::KeyParameters); keeping it sealed is the work of a security module.

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::KeyLengthError;
use crate::element::DecoderKeyGenerationAlgorithm;

/// The octets of the longest vending key.
const CAPACITY: usize = 20;

/// A vending key with the algorithm that derives decoder keys from it.
#[derive(Clone)]
pub struct VendingKey {
    octets: [u8; CAPACITY], // Invariant: zero beyond the length that the algorithm takes.
    algorithm: DecoderKeyGenerationAlgorithm,
}

impl VendingKey {
    /// A vending key, most significant octet first.
    ///
    /// # Errors
    ///
    /// [`KeyLengthError`] when the number of octets is not the one that the algorithm takes.
    pub fn new(
        algorithm: DecoderKeyGenerationAlgorithm,
        octets: &[u8],
    ) -> Result<Self, KeyLengthError> {
        let expected = algorithm.vending_key_octets();
        if octets.len() != expected {
            return Err(KeyLengthError { expected, found: octets.len() });
        }
        let mut key = Self { octets: [0; CAPACITY], algorithm };
        key.octets[..expected].copy_from_slice(octets);
        Ok(key)
    }

    /// The algorithm that derives decoder keys from this key.
    pub const fn algorithm(&self) -> DecoderKeyGenerationAlgorithm {
        self.algorithm
    }

    /// The secret octets. Whoever calls this answers for where they go.
    pub fn expose_bytes(&self) -> &[u8] {
        &self.octets[..self.algorithm.vending_key_octets()]
    }
}

impl Drop for VendingKey {
    fn drop(&mut self) {
        self.octets.zeroize();
    }
}

impl ZeroizeOnDrop for VendingKey {}

impl fmt::Debug for VendingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VendingKey(..)")
    }
}
