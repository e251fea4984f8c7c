//! STA bit by bit, with the trace of its rounds.
//!
//! One step of the text, one statement here: slow, and easy to hold against the standard. The trace
//! shows the same columns as the worked example of the standard, so a disagreement with another
//! implementation can be narrowed to one round.
//!
//! ```text
//! encipher:  W = rotate_right(not K, 12)        decipher:  W = K
//!   16 times:                                     16 times:
//!     substitute   S1/S2 by bit 4n+3 of W           permute      bit i goes to PD[i]
//!     permute      bit i goes to P[i]               substitute   D1/D2 by bit 4n of W
//!     W = rotate_left(W, 1)                         W = rotate_right(W, 1)
//! ```
//!
//! - Source: IEC 62055-41:2018, EncryptionAlgorithm07 and its decryption.
//! - Elsewhere: the tables (`sta/tables.rs`), the fast version (`sta.rs`).

pub use crate::sta::tables::{OPERATIONAL, SAMPLE, TableSet};

/// The number of rounds of STA.
pub const ROUNDS: usize = 16;

/// What one round of STA did.
///
/// A trace holds key material: it is made for worked examples and public test keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// The working key during this round.
    pub working_key: u64,
    /// The block after the first step: the substitution when enciphering, the inverse permutation
    /// when deciphering.
    pub first: u64,
    /// The block after the second step: the permutation when enciphering, the inverse substitution
    /// when deciphering.
    pub second: u64,
}

/// Enciphers one block.
pub fn encipher(tables: &TableSet, key: u64, block: u64) -> u64 {
    trace_encipher(tables, key, block)[ROUNDS - 1].second
}

/// Deciphers one block.
pub fn decipher(tables: &TableSet, key: u64, block: u64) -> u64 {
    trace_decipher(tables, key, block)[ROUNDS - 1].second
}

/// Enciphers one block and returns every round; the result is the `second` of the last.
pub fn trace_encipher(tables: &TableSet, key: u64, block: u64) -> [Round; ROUNDS] {
    let mut rounds = [Round::default(); ROUNDS];
    let mut working_key = (!key).rotate_right(12);
    let mut state = block;
    for round in &mut rounds {
        let first = substitute(state, working_key, 3, &tables.s1, &tables.s2);
        let second = permute(first, &tables.p);
        *round = Round { working_key, first, second };
        state = second;
        working_key = working_key.rotate_left(1);
    }
    rounds
}

/// Deciphers one block and returns every round; the result is the `second` of the last.
pub fn trace_decipher(tables: &TableSet, key: u64, block: u64) -> [Round; ROUNDS] {
    let mut rounds = [Round::default(); ROUNDS];
    let mut working_key = key;
    let mut state = block;
    for round in &mut rounds {
        let first = permute(state, &tables.pd);
        let second = substitute(first, working_key, 0, &tables.d1, &tables.d2);
        *round = Round { working_key, first, second };
        state = second;
        working_key = working_key.rotate_right(1);
    }
    rounds
}

/// Replaces each nibble through `zero` or `one`, by bit `key_bit` of the same nibble of the key.
fn substitute(state: u64, working_key: u64, key_bit: u32, zero: &[u8; 16], one: &[u8; 16]) -> u64 {
    let mut result = 0;
    for nibble in 0..16 {
        let value = (state >> (4 * nibble)) & 0xF;
        let table = if (working_key >> (4 * nibble + key_bit)) & 1 == 0 { zero } else { one };
        result |= u64::from(table[value as usize]) << (4 * nibble);
    }
    result
}

/// Moves each bit `i` to bit `places[i]`.
fn permute(state: u64, places: &[u8; 64]) -> u64 {
    let mut result = 0;
    for (bit, &place) in places.iter().enumerate() {
        result |= ((state >> bit) & 1) << place;
    }
    result
}
