//! MISTY1 (EA11): eight rounds on 64 bits under a 128-bit key.
//!
//! The block is four words of sixteen bits from the first step to the last. FI, the function that
//! costs the time, runs on tables that carry both of its halves in one word, so that nothing but
//! XOR stands between its two look-ups.
//!
//! ```text
//!  x, 16 bits:    | left 9 | right 7 |
//!                     |         |
//!                  NINE[] ^ SEVEN[] ^ key       (32 bits, see `misty1/tables.rs`)
//!                           |
//!                 | both halves | index |
//!                        |         |
//!              FI(x)  =  +--- ^ --S9[]
//! ```
//!
//! The key schedule is eight FI, done once in `new`, and keeps 96 bytes; the tables take 3.5 KiB.
//! On x86-64, when a block of DES took 220 ns, a block took 70 ns and a key 13 ns.
//!
//! - Not constant time: look-ups depend on key and block.
//! - Source: RFC 2994 (also ISO/IEC 18033-3); its use in IEC 62055-41:2018, EncryptionAlgorithm11.
//! - Elsewhere: the tables (`misty1/tables.rs`), the plain version (`reference/misty1.rs`).

use cipher::{Key, KeyInit, KeySizeUser, consts::U16};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::traits::impl_block_cipher;

mod tables;

use tables::{NINE, S9, SEVEN, wide};

/// Half a block: two words of sixteen bits, the left one first.
type Half = [u32; 2];

/// MISTY1 with eight rounds, EA11.
///
/// The key is sixteen bytes in the order in which key generation yields them. The block is a 64-bit
/// number; as bytes, the most significant comes first.
///
/// ```
/// use prepay_cipher::{Misty1, cipher::KeyInit};
///
/// let key = 0x0011_2233_4455_6677_8899_AABB_CCDD_EEFF_u128;
/// let misty1 = Misty1::new(&key.to_be_bytes().into());
/// assert_eq!(misty1.encipher(0x0123_4567_89AB_CDEF), 0x8B1D_A5F5_6AB3_D07C);
/// ```
#[derive(Clone)]
pub struct Misty1 {
    /// EK[0..8] of RFC 2994: the key as eight words.
    words: [u32; 8],
    /// EK[8..16] of RFC 2994: each word through FI under the next.
    derived: [u32; 8],
    /// EK[8..16] once more, laid out for FI: `wide(EK[i] & 0x1FF, EK[i] >> 9)`.
    inner: [u32; 8],
}

impl Misty1 {
    /// Enciphers one block.
    #[inline]
    pub fn encipher(&self, block: u64) -> u64 {
        let (mut left, mut right) = (half(block >> 32), half(block));
        (left, right) = self.two_rounds(0, left, right);
        (left, right) = self.two_rounds(2, left, right);
        (left, right) = self.two_rounds(4, left, right);
        (left, right) = self.two_rounds(6, left, right);
        whole(self.fl(9, right), self.fl(8, left))
    }

    /// Deciphers one block: the inverse of [`encipher`](Self::encipher).
    #[inline]
    pub fn decipher(&self, block: u64) -> u64 {
        let (mut right, mut left) = (half(block >> 32), half(block));
        (left, right) = (self.fl_inverse(8, left), self.fl_inverse(9, right));
        (left, right) = self.two_rounds_back(6, left, right);
        (left, right) = self.two_rounds_back(4, left, right);
        (left, right) = self.two_rounds_back(2, left, right);
        (left, right) = self.two_rounds_back(0, left, right);
        whole(left, right)
    }

    // Below, `k` is the number of a round or layer as in the text. Every call gives it as a literal
    // and is inlined, so the places in the expanded key are fixed at compile time.

    /// FL on both halves, then the rounds `k` and `k + 1`; `k` is even.
    #[inline(always)]
    fn two_rounds(&self, k: usize, left: Half, right: Half) -> (Half, Half) {
        let (left, right) = (self.fl(k, left), self.fl(k + 1, right));
        let right = xor(right, self.fo(k, left));
        let left = xor(left, self.fo(k + 1, right));
        (left, right)
    }

    /// Undoes [`two_rounds`](Self::two_rounds).
    #[inline(always)]
    fn two_rounds_back(&self, k: usize, left: Half, right: Half) -> (Half, Half) {
        let left = xor(left, self.fo(k + 1, right));
        let right = xor(right, self.fo(k, left));
        (self.fl_inverse(k, left), self.fl_inverse(k + 1, right))
    }

    /// The function FO of round `k`.
    #[inline(always)]
    fn fo(&self, k: usize, [a, b]: Half) -> Half {
        let (words, inner) = (&self.words, &self.inner);
        let c = fi(a ^ words[k % 8], inner[(k + 5) % 8]) ^ b;
        let d = fi(b ^ words[(k + 2) % 8], inner[(k + 1) % 8]) ^ c;
        let e = fi(c ^ words[(k + 7) % 8], inner[(k + 3) % 8]) ^ d;
        [d ^ words[(k + 4) % 8], e]
    }

    /// The words that FL uses in layer `k`: one for AND, one for OR.
    #[inline(always)]
    fn fl_words(&self, k: usize) -> (u32, u32) {
        let half = k / 2;
        if k.is_multiple_of(2) {
            (self.words[half], self.derived[(half + 6) % 8])
        } else {
            (self.derived[(half + 2) % 8], self.words[(half + 4) % 8])
        }
    }

    /// The function FL of layer `k`.
    #[inline(always)]
    fn fl(&self, k: usize, [a, b]: Half) -> Half {
        let (and, or) = self.fl_words(k);
        let b = b ^ (a & and);
        [a ^ (b | or), b]
    }

    /// Undoes [`fl`](Self::fl).
    #[inline(always)]
    fn fl_inverse(&self, k: usize, [a, b]: Half) -> Half {
        let (and, or) = self.fl_words(k);
        let a = a ^ (b | or);
        [a, b ^ (a & and)]
    }
}

impl KeySizeUser for Misty1 {
    type KeySize = U16;
}

impl KeyInit for Misty1 {
    /// Expands a key of sixteen bytes.
    #[inline]
    fn new(key: &Key<Self>) -> Self {
        let word = |i: usize| u32::from(u16::from_be_bytes([key[2 * i], key[2 * i + 1]]));
        let words: [u32; 8] = core::array::from_fn(word);
        let derived = core::array::from_fn(|i| fi(words[i], lay_out(words[(i + 1) % 8])));
        Self { words, derived, inner: derived.map(lay_out) }
    }
}

impl Drop for Misty1 {
    #[inline]
    fn drop(&mut self) {
        self.words.zeroize();
        self.derived.zeroize();
        self.inner.zeroize();
    }
}

impl ZeroizeOnDrop for Misty1 {}

impl_block_cipher!(Misty1, "MISTY1");

/// The function FI on sixteen bits, with its key laid out by [`lay_out`].
#[inline(always)]
fn fi(input: u32, key: u32) -> u32 {
    let both = NINE[(input >> 7) as usize & 0x1FF] ^ SEVEN[input as usize & 0x7F] ^ key;
    u32::from(S9[both as usize & 0x1FF]) ^ (both >> 16)
}

/// Lays out a key of FI as the tables are: nine bits for the index, seven for both halves.
#[inline(always)]
fn lay_out(key: u32) -> u32 {
    wide(key as u16 & 0x1FF, key as u16 >> 9)
}

/// The lower thirty-two bits as a half.
#[inline(always)]
fn half(number: u64) -> Half {
    [number as u32 >> 16, number as u32 & 0xFFFF]
}

/// Both halves as one number.
#[inline(always)]
fn whole([a, b]: Half, [c, d]: Half) -> u64 {
    u64::from(a << 16 | b) << 32 | u64::from(c << 16 | d)
}

/// XOR of two halves.
#[inline(always)]
fn xor([a, b]: Half, [c, d]: Half) -> Half {
    [a ^ c, b ^ d]
}
