//! DES from the tables of its standard, one bit at a time.
//!
//! ```text
//!   block --IP--> L | R     sixteen times: L, R = R, L ^ P(S(E(R) ^ key of the round))
//!                 R | L --inverse IP--> result
//! ```
//!
//! - Source: FIPS 46-3.
//! - Elsewhere: the tables (`dea_tables.rs`), the cipher for production (`dea.rs`).

use super::dea_tables::{E, IP, IP_INVERSE, P, PC1, PC2, S, SHIFTS};

/// Enciphers one block; parity bits of the key are ignored.
pub fn encipher(key: u64, block: u64) -> u64 {
    sixteen_rounds(round_keys(key), block)
}

/// Deciphers one block: the same rounds with their keys in reverse.
pub fn decipher(key: u64, block: u64) -> u64 {
    let mut keys = round_keys(key);
    keys.reverse();
    sixteen_rounds(keys, block)
}

/// The rounds between the two outer permutations, and the exchange of halves after the last.
fn sixteen_rounds(keys: [u64; 16], block: u64) -> u64 {
    let start = choose(block, 64, &IP);
    let (mut left, mut right) = (start >> 32, start & 0xFFFF_FFFF);
    for key in keys {
        (left, right) = (right, left ^ f(right, key));
    }
    choose(right << 32 | left, 64, &IP_INVERSE)
}

/// The cipher function f: 32 bits under a round key of 48.
fn f(right: u64, key: u64) -> u64 {
    let input = choose(right, 32, &E) ^ key;
    let mut output = 0;
    for (place, table) in S.iter().enumerate() {
        // Six bits, most significant first: the outer two name the row, the inner four the column.
        let six = (input >> (42 - 6 * place)) & 0x3F;
        let row = (six >> 4) & 2 | six & 1;
        let column = (six >> 1) & 0xF;
        output = output << 4 | u64::from(table[row as usize][column as usize]);
    }
    choose(output, 32, &P)
}

/// The sixteen round keys, in the order of encipherment.
fn round_keys(key: u64) -> [u64; 16] {
    let chosen = choose(key, 64, &PC1);
    let (mut c, mut d) = (chosen >> 28, chosen & 0xFFF_FFFF);
    SHIFTS.map(|places| {
        c = rotate_28(c, places);
        d = rotate_28(d, places);
        choose(c << 28 | d, 56, &PC2)
    })
}

/// Turns 28 bits left.
fn rotate_28(value: u64, places: u32) -> u64 {
    (value << places | value >> (28 - places)) & 0xFFF_FFFF
}

/// Takes the bits that a table names out of `input`, which is `width` bits wide.
fn choose(input: u64, width: u8, table: &[u8]) -> u64 {
    table.iter().fold(0, |output, &bit| output << 1 | (input >> (width - bit)) & 1)
}
