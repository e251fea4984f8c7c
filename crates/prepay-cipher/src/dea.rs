//! DEA (EA09): single DES, deprecated, for old meters only.
//!
//! ```text
//!   63                              0      the block as a number; byte 0 of the DES block
//! +-------+-------+--   --+----------+     is its most significant byte, and the key is
//! | byte0 | byte1 |       |  byte7   |     read in the same order
//! +-------+-------+--   --+----------+
//! ```
//!
//! - Source: IEC 62055-41:2018, EncryptionAlgorithm09; the algorithm itself is FIPS 46-3.
//! - Not confirmed: the order of bytes. No token made with EA09 is public. Most significant first is
//!   taken by analogy with decoder key generation DKGA02, where published tokens prove it.
//! - Parity bits of the key (bit 0 of each byte) are ignored, as in DES.
//! - Elsewhere: the algorithm (crate `des`), a plain version from the tables (`reference/dea.rs`).

use cipher::{
    Array, BlockCipherDecrypt as _, BlockCipherEncrypt as _, Key, KeyInit, KeySizeUser, consts::U8,
};
use des::Des;
use zeroize::ZeroizeOnDrop;

use crate::traits::impl_block_cipher;

/// The Data Encryption Algorithm with one 64-bit key, EA09.
///
/// Deprecated by the standard and breakable by exhaustive search: use it only to serve meters that
/// know no other cipher.
///
/// The block is the 64-bit number most significant byte first, and so is the key. No test vector of
/// EA09 is public: this order rests on the analogy with DKGA02, which is proven by published tokens.
#[derive(Clone)]
pub struct Dea(Des);

impl Dea {
    /// Enciphers one block.
    #[inline]
    pub fn encipher(&self, block: u64) -> u64 {
        let mut bytes = Array(block.to_be_bytes());
        self.0.encrypt_block(&mut bytes);
        u64::from_be_bytes(bytes.0)
    }

    /// Deciphers one block: the inverse of [`encipher`](Self::encipher).
    #[inline]
    pub fn decipher(&self, block: u64) -> u64 {
        let mut bytes = Array(block.to_be_bytes());
        self.0.decrypt_block(&mut bytes);
        u64::from_be_bytes(bytes.0)
    }
}

impl KeySizeUser for Dea {
    type KeySize = U8;
}

impl KeyInit for Dea {
    #[inline]
    fn new(key: &Key<Self>) -> Self {
        Self(Des::new(key))
    }
}

// The schedule wipes itself: this compiles only while `Des` does so.
impl ZeroizeOnDrop for Dea where Des: ZeroizeOnDrop {}

impl_block_cipher!(Dea, "DEA");
