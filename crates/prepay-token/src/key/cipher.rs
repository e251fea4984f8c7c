//! The cipher of one meter, ready for use: a decoder key with whatever its algorithm prepares from it.
//!
//! The block is a 64-bit number; every cipher takes it as eight bytes, most significant first.
//!
//! - Source: IEC 62055-41:2018, EncryptionAlgorithm07, 09 and 11.

use core::fmt;

use cipher::KeyInit;
use prepay_cipher::{Dea, Misty1, Sta};

use super::DecoderKey;
use crate::element::EncryptionAlgorithm;

/// A decoder key prepared to encipher and decipher blocks.
#[derive(Clone)]
pub struct TokenCipher(Prepared);

/// One cipher with its key.
#[derive(Clone)]
enum Prepared {
    Sta(Sta),
    Dea(Dea),
    Misty1(Misty1),
}

impl TokenCipher {
    /// Prepares a key.
    #[inline]
    pub fn new(key: &DecoderKey) -> Self {
        let bytes = key.expose_bytes();
        let prepared = match key.algorithm() {
            EncryptionAlgorithm::Sta => Sta::new_from_slice(bytes).map(Prepared::Sta),
            EncryptionAlgorithm::Dea => Dea::new_from_slice(bytes).map(Prepared::Dea),
            EncryptionAlgorithm::Misty1 => Misty1::new_from_slice(bytes).map(Prepared::Misty1),
        };
        Self(prepared.expect("a decoder key has the length that its cipher takes"))
    }

    /// The algorithm.
    pub const fn algorithm(&self) -> EncryptionAlgorithm {
        match self.0 {
            Prepared::Sta(_) => EncryptionAlgorithm::Sta,
            Prepared::Dea(_) => EncryptionAlgorithm::Dea,
            Prepared::Misty1(_) => EncryptionAlgorithm::Misty1,
        }
    }

    /// Enciphers one block.
    #[inline]
    pub fn encipher(&self, block: u64) -> u64 {
        match &self.0 {
            Prepared::Sta(sta) => sta.encipher(block),
            Prepared::Dea(dea) => dea.encipher(block),
            Prepared::Misty1(misty1) => misty1.encipher(block),
        }
    }

    /// Deciphers one block.
    #[inline]
    pub fn decipher(&self, block: u64) -> u64 {
        match &self.0 {
            Prepared::Sta(sta) => sta.decipher(block),
            Prepared::Dea(dea) => dea.decipher(block),
            Prepared::Misty1(misty1) => misty1.decipher(block),
        }
    }
}

impl fmt::Debug for TokenCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenCipher(EA{}, ..)", self.algorithm())
    }
}
