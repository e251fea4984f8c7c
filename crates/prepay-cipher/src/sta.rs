//! STA (EA07), the Standard Transfer Algorithm: sixteen rounds on 64 bits under a 64-bit key.
//!
//! A round replaces each nibble through one of two tables, chosen by a key bit, and then moves all
//! 64 bits. Here one look-up does both: an entry holds the substituted nibble with its bits already
//! in their new places, and sixteen entries combined are the next state.
//!
//! ```text
//! state   | n15 | n14 |  ...  | n1 | n0 |       index = nibble, plus 16 if its key bit is 1
//!            |     |            |    |
//!          T[15] T[14]   ...   T[1] T[0]        entry = 64 bits, at most four of them set
//!            \     |            |    /
//!             +----+-- join ----+---+           no two entries share a bit
//! ```
//!
//! Decipherment permutes first and substitutes second, so its tables join a substitution with the
//! permutation of the *next* round. The permutation that comes before all of them uses the same
//! tables, behind a step through S2 that D1 undoes; the last substitution stands alone.
//!
//! Why nibbles: 4 KiB per direction, and no layout that we measured was faster. Encipherment on
//! x86-64, when a block of DES took 220 ns:
//!
//! | look-up                                              | size        | time    |
//! |------------------------------------------------------|-------------|---------|
//! | nibble and key bit, fused (this file)                | 4 KiB       | 95 ns   |
//! | byte and two key bits, fused: leaves the first cache | 64 KiB      | 113 ns  |
//! | bytes substituted, then bytes permuted               | 17 KiB      | 97 ns   |
//!
//! Expanding the key in advance gained a few percent at best, so a cipher holds only its key and
//! costs nothing to set up. Decipherment takes about 10 ns more, for its two outer steps.
//!
//! - Not constant time: look-ups depend on key and block, as in every table-driven cipher.
//! - Source: IEC 62055-41:2018, EncryptionAlgorithm07 and its decryption.
//! - Elsewhere: the tables (`sta/tables.rs`), the plain version with traces (`reference/sta.rs`).

use cipher::{Key, KeyInit, KeySizeUser, consts::U8};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::traits::impl_block_cipher;

pub(crate) mod tables;

use tables::{Decipherment, Fused};

/// Rounds in each direction.
const ROUNDS: usize = 16;

/// The lower nibble of each byte.
const LOWER: u64 = 0x0F0F_0F0F_0F0F_0F0F;

/// Bit 4 of each byte: where the key bit stands in the index of a nibble.
const KEY_BIT: u64 = 0x1010_1010_1010_1010;

/// Makes one cipher of the family from a set of tables.
macro_rules! sta_cipher {
    ($(#[$doc:meta])* $cipher:ident, $name:literal, $tables:expr) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $cipher {
            key: u64,
        }

        impl $cipher {
            /// Enciphers one block.
            #[inline]
            pub fn encipher(&self, block: u64) -> u64 {
                static TABLES: Fused = $tables.encipherment();
                encipher(&TABLES, self.key, block)
            }

            /// Deciphers one block: the inverse of [`encipher`](Self::encipher).
            #[inline]
            pub fn decipher(&self, block: u64) -> u64 {
                static TABLES: Decipherment = $tables.decipherment();
                decipher(&TABLES, self.key, block)
            }
        }

        impl KeySizeUser for $cipher {
            type KeySize = U8;
        }

        impl KeyInit for $cipher {
            /// Takes the eight bytes of a decoder key, most significant first.
            #[inline]
            fn new(key: &Key<Self>) -> Self {
                Self { key: u64::from_be_bytes(key.0) }
            }
        }

        impl Drop for $cipher {
            #[inline]
            fn drop(&mut self) {
                self.key.zeroize();
            }
        }

        impl ZeroizeOnDrop for $cipher {}

        impl_block_cipher!($cipher, $name);
    };
}

sta_cipher! {
    /// The Standard Transfer Algorithm with the operational tables, EA07.
    ///
    /// Key and block are 64-bit numbers; as bytes, the most significant comes first.
    ///
    /// ```
    /// use prepay_cipher::{Sta, cipher::KeyInit};
    ///
    /// let sta = Sta::new(&0xE653_341F_9D5B_F36F_u64.to_be_bytes().into());
    /// assert_eq!(sta.encipher(0x0559_9863_0001_19E6), 0x4920_83C0_AE7C_E455);
    /// ```
    Sta, "STA", tables::OPERATIONAL
}

sta_cipher! {
    /// STA with the sample tables that the standard prints for its worked example.
    ///
    /// **Invalid in the field**: no meter accepts a token made with it. It exists to repeat the
    /// worked example and to show that an implementation keeps tables and algorithm apart.
    SampleSta, "STA with sample tables", tables::SAMPLE
}

/// Sixteen fused rounds; the key bit of nibble `n` is bit `4n + 3` of the working key.
#[inline(always)]
fn encipher(tables: &Fused, key: u64, mut block: u64) -> u64 {
    let mut working_key = (!key).rotate_right(12);
    for _ in 0..ROUNDS {
        block = look_up(tables, indices(block, working_key << 1, working_key >> 3));
        working_key = working_key.rotate_left(1);
    }
    block
}

/// The first permutation, fifteen fused rounds and the last substitution; the key bit of nibble
/// `n` is bit `4n` of the working key.
#[inline(always)]
fn decipher(tables: &Decipherment, key: u64, block: u64) -> u64 {
    // S2 here is undone by D1 in the fused tables (key bits 0), which leaves the permutation.
    let bytes = block.to_le_bytes().map(|byte| tables.first[usize::from(byte)]);
    let mut block = look_up(&tables.fused, indices(u64::from_le_bytes(bytes), 0, 0));
    let mut working_key = key;
    for _ in 1..ROUNDS {
        block = look_up(&tables.fused, indices(block, working_key << 4, working_key));
        working_key = working_key.rotate_right(1);
    }
    let (even, odd) = indices(block, working_key << 4, working_key);
    join(|nibble| {
        let word = if nibble % 2 == 0 { even } else { odd };
        u64::from(tables.last[index(word, nibble)]) << (4 * nibble)
    })
}

/// The indices of all nibbles, one in each byte: even nibbles in one word, odd ones in the other.
///
/// `even_key` and `odd_key` bring the key bit of a nibble in bit 4 of its byte; other bits of them
/// are ignored.
#[inline(always)]
fn indices(block: u64, even_key: u64, odd_key: u64) -> (u64, u64) {
    ((block & LOWER) | (even_key & KEY_BIT), ((block >> 4) & LOWER) | (odd_key & KEY_BIT))
}

/// One index from the word that holds it.
#[inline(always)]
fn index(word: u64, nibble: usize) -> usize {
    (word >> (8 * (nibble / 2))) as usize & 31
}

/// Looks up every nibble and joins what is found.
#[inline(always)]
fn look_up(tables: &Fused, (even, odd): (u64, u64)) -> u64 {
    join(|nibble| {
        let word = if nibble % 2 == 0 { even } else { odd };
        tables[nibble][index(word, nibble)]
    })
}

/// Joins sixteen parts of which no two share a bit.
///
/// XOR and OR then agree, and the two take turns on purpose: of one operator alone a compiler makes
/// a chain of fifteen steps, of both it keeps the tree of four. That is worth a tenth of the time.
#[inline(always)]
fn join(part: impl Fn(usize) -> u64) -> u64 {
    let four = |n| (part(n) ^ part(n + 1)) | (part(n + 2) ^ part(n + 3));
    (four(0) ^ four(4)) | (four(8) ^ four(12))
}
