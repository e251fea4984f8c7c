//! The decoder key of a meter: the secret it shares with the issuer of its tokens.
//!
//! - Length: 64 bits for EA07 and EA09, 128 bits for EA11.
//! - Source: IEC 62055-41:2018, decoder keys DITK, DDTK, DUTK and DCTK.

use core::fmt;

use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::KeyLengthError;
use crate::element::EncryptionAlgorithm;

/// The bytes of the longest decoder key.
const CAPACITY: usize = 16;

/// A decoder key with the cipher it is made for.
///
/// Two keys are compared with [`ConstantTimeEq::ct_eq`].
#[derive(Clone)]
pub struct DecoderKey {
    bytes: [u8; CAPACITY], // Invariant: zero beyond the length that the algorithm takes.
    algorithm: EncryptionAlgorithm,
}

impl DecoderKey {
    /// A decoder key, most significant byte first.
    ///
    /// # Errors
    ///
    /// [`KeyLengthError`] when the number of bytes is not the one that the cipher takes.
    pub fn new(algorithm: EncryptionAlgorithm, bytes: &[u8]) -> Result<Self, KeyLengthError> {
        let expected = algorithm.key_bytes();
        if bytes.len() != expected {
            return Err(KeyLengthError { expected, found: bytes.len() });
        }
        let mut key = Self { bytes: [0; CAPACITY], algorithm };
        key.bytes[..expected].copy_from_slice(bytes);
        Ok(key)
    }

    /// The cipher.
    pub const fn algorithm(&self) -> EncryptionAlgorithm {
        self.algorithm
    }

    /// The secret bytes. The caller is responsible for where they go.
    pub fn expose_bytes(&self) -> &[u8] {
        &self.bytes[..self.algorithm.key_bytes()]
    }

    /// The 32-bit words of the key in order, as key change tokens carry them: two or four.
    pub(crate) fn word(&self, index: usize) -> u32 {
        let bytes = &self.bytes[4 * index..];
        u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
    }
}

impl ConstantTimeEq for DecoderKey {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.algorithm.code().ct_eq(&other.algorithm.code()) & self.bytes.ct_eq(&other.bytes)
    }
}

impl Drop for DecoderKey {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl ZeroizeOnDrop for DecoderKey {}

impl fmt::Debug for DecoderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DecoderKey(EA{}, ..)", self.algorithm)
    }
}
