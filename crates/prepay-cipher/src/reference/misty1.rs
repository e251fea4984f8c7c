//! MISTY1 as RFC 2994 writes it, with the substitutions worked out from their logic.
//!
//! The functions FI, FO and FL take the place of the expanded key as an index, as in the text. The
//! two substitutions are not tables here: each output bit is the logical expression from which the
//! designers took the tables, so this module shares no constant with the fast version.
//!
//! ```text
//!   FI, 16 bits            9   7           FO, 32 bits        16  16
//!                          |   |                               |   |
//!                         S9<--+           xor EK, FI, xor t1  t0  t1
//!                          +-->S7          xor EK, FI, xor t0  t1  t0
//!       xor low 9, high 7 of the key       xor EK, FI, xor t1  t0  t1
//!                         S9<--+           xor EK              t1
//!                          |   |                               |   |
//!                          +-X-+  halves change sides          +-X-+
//! ```
//!
//! - Source: RFC 2994, sections 2.2 and 2.3; the expressions of S7 and S9 are those of the design
//!   paper of MISTY (Matsui, Fast Software Encryption 1997).
//! - Elsewhere: the printed tables and the fast version (`misty1/tables.rs`, `misty1.rs`).

/// Enciphers one block under a key of sixteen bytes, in eight rounds.
pub fn encipher(key: &[u8; 16], block: u64) -> u64 {
    let ek = expand(key);
    let (mut d0, mut d1) = ((block >> 32) as u32, block as u32);
    for round in (0..8).step_by(2) {
        d0 = fl(&ek, d0, round);
        d1 = fl(&ek, d1, round + 1);
        d1 ^= fo(&ek, d0, round);
        d0 ^= fo(&ek, d1, round + 1);
    }
    d0 = fl(&ek, d0, 8);
    d1 = fl(&ek, d1, 9);
    u64::from(d1) << 32 | u64::from(d0)
}

/// Deciphers one block under a key of sixteen bytes, in eight rounds.
pub fn decipher(key: &[u8; 16], block: u64) -> u64 {
    let ek = expand(key);
    let (mut d0, mut d1) = (block as u32, (block >> 32) as u32);
    d0 = fl_inverse(&ek, d0, 8);
    d1 = fl_inverse(&ek, d1, 9);
    for round in (0..8).step_by(2).rev() {
        d0 ^= fo(&ek, d1, round + 1);
        d1 ^= fo(&ek, d0, round);
        d0 = fl_inverse(&ek, d0, round);
        d1 = fl_inverse(&ek, d1, round + 1);
    }
    u64::from(d0) << 32 | u64::from(d1)
}

/// The substitution S7: seven bits in, seven bits out.
pub fn s7(input: u16) -> u16 {
    let [x0, x1, x2, x3, x4, x5, x6] = core::array::from_fn(|bit| (input >> bit) & 1);
    let y = [
        x0 ^ x1 & x3
            ^ x0 & x3 & x4
            ^ x1 & x5
            ^ x0 & x2 & x5
            ^ x4 & x5
            ^ x0 & x1 & x6
            ^ x2 & x6
            ^ x0 & x5 & x6
            ^ x3 & x5 & x6
            ^ 1,
        x0 & x2
            ^ x0 & x4
            ^ x3 & x4
            ^ x1 & x5
            ^ x2 & x4 & x5
            ^ x6
            ^ x0 & x6
            ^ x3 & x6
            ^ x2 & x3 & x6
            ^ x1 & x4 & x6
            ^ x0 & x5 & x6
            ^ 1,
        x1 & x2
            ^ x0 & x2 & x3
            ^ x4
            ^ x1 & x4
            ^ x0 & x1 & x4
            ^ x0 & x5
            ^ x0 & x4 & x5
            ^ x3 & x4 & x5
            ^ x1 & x6
            ^ x3 & x6
            ^ x0 & x3 & x6
            ^ x4 & x6
            ^ x2 & x4 & x6,
        x0 ^ x1
            ^ x0 & x1 & x2
            ^ x0 & x3
            ^ x2 & x4
            ^ x1 & x4 & x5
            ^ x2 & x6
            ^ x1 & x3 & x6
            ^ x0 & x4 & x6
            ^ x5 & x6
            ^ 1,
        x2 & x3
            ^ x0 & x4
            ^ x1 & x3 & x4
            ^ x5
            ^ x2 & x5
            ^ x1 & x2 & x5
            ^ x0 & x3 & x5
            ^ x1 & x6
            ^ x1 & x5 & x6
            ^ x4 & x5 & x6
            ^ 1,
        x0 ^ x1
            ^ x2
            ^ x0 & x1 & x2
            ^ x0 & x3
            ^ x1 & x2 & x3
            ^ x1 & x4
            ^ x0 & x2 & x4
            ^ x0 & x5
            ^ x0 & x1 & x5
            ^ x3 & x5
            ^ x0 & x6
            ^ x2 & x5 & x6,
        x0 & x1
            ^ x3
            ^ x0 & x3
            ^ x2 & x3 & x4
            ^ x0 & x5
            ^ x2 & x5
            ^ x3 & x5
            ^ x1 & x3 & x5
            ^ x1 & x6
            ^ x1 & x2 & x6
            ^ x0 & x3 & x6
            ^ x4 & x6
            ^ x2 & x5 & x6,
    ];
    gather(&y)
}

/// The substitution S9: nine bits in, nine bits out.
pub fn s9(input: u16) -> u16 {
    let [x0, x1, x2, x3, x4, x5, x6, x7, x8] = core::array::from_fn(|bit| (input >> bit) & 1);
    let y = [
        x0 & x4 ^ x0 & x5 ^ x1 & x5 ^ x1 & x6 ^ x2 & x6 ^ x2 & x7 ^ x3 & x7 ^ x3 & x8 ^ x4 & x8 ^ 1,
        x0 & x2
            ^ x3
            ^ x1 & x3
            ^ x2 & x3
            ^ x3 & x4
            ^ x4 & x5
            ^ x0 & x6
            ^ x2 & x6
            ^ x7
            ^ x0 & x8
            ^ x3 & x8
            ^ x5 & x8
            ^ 1,
        x0 & x1
            ^ x1 & x3
            ^ x4
            ^ x0 & x4
            ^ x2 & x4
            ^ x3 & x4
            ^ x4 & x5
            ^ x0 & x6
            ^ x5 & x6
            ^ x1 & x7
            ^ x3 & x7
            ^ x8,
        x0 ^ x1 & x2
            ^ x2 & x4
            ^ x5
            ^ x1 & x5
            ^ x3 & x5
            ^ x4 & x5
            ^ x5 & x6
            ^ x1 & x7
            ^ x6 & x7
            ^ x2 & x8
            ^ x4 & x8,
        x1 ^ x0 & x3
            ^ x2 & x3
            ^ x0 & x5
            ^ x3 & x5
            ^ x6
            ^ x2 & x6
            ^ x4 & x6
            ^ x5 & x6
            ^ x6 & x7
            ^ x2 & x8
            ^ x7 & x8,
        x2 ^ x0 & x3
            ^ x1 & x4
            ^ x3 & x4
            ^ x1 & x6
            ^ x4 & x6
            ^ x7
            ^ x3 & x7
            ^ x5 & x7
            ^ x6 & x7
            ^ x0 & x8
            ^ x7 & x8,
        x0 & x1
            ^ x3
            ^ x1 & x4
            ^ x2 & x5
            ^ x4 & x5
            ^ x2 & x7
            ^ x5 & x7
            ^ x8
            ^ x0 & x8
            ^ x4 & x8
            ^ x6 & x8
            ^ x7 & x8
            ^ 1,
        x1 ^ x0 & x1
            ^ x1 & x2
            ^ x2 & x3
            ^ x0 & x4
            ^ x5
            ^ x1 & x6
            ^ x3 & x6
            ^ x0 & x7
            ^ x4 & x7
            ^ x6 & x7
            ^ x1 & x8
            ^ 1,
        x0 ^ x0 & x1
            ^ x1 & x2
            ^ x4
            ^ x0 & x5
            ^ x2 & x5
            ^ x3 & x6
            ^ x5 & x6
            ^ x0 & x7
            ^ x0 & x8
            ^ x3 & x8
            ^ x6 & x8
            ^ 1,
    ];
    gather(&y)
}

/// Puts single bits, least significant first, into one number.
fn gather(bits: &[u16]) -> u16 {
    bits.iter().rev().fold(0, |number, bit| number << 1 | bit)
}

/// The expanded key: EK[0..8] is the key itself, EK[8..16] comes from it through FI.
///
/// The text also splits the second half into EK[16..32]; here FI does that split.
fn expand(key: &[u8; 16]) -> [u16; 16] {
    let mut ek = [0; 16];
    for i in 0..8 {
        ek[i] = u16::from_be_bytes([key[2 * i], key[2 * i + 1]]);
    }
    for i in 0..8 {
        ek[i + 8] = fi(ek[i], ek[(i + 1) % 8]);
    }
    ek
}

/// The function FI: sixteen bits under a sixteen-bit key.
fn fi(input: u16, key: u16) -> u16 {
    let (mut d9, mut d7) = (input >> 7, input & 0x7F);
    d9 = s9(d9) ^ d7;
    d7 = s7(d7) ^ (d9 & 0x7F);
    d7 ^= key >> 9;
    d9 ^= key & 0x1FF;
    d9 = s9(d9) ^ d7;
    d7 << 9 | d9
}

/// The function FO: thirty-two bits, three times FI, at place `k` of the expanded key.
fn fo(ek: &[u16; 16], input: u32, k: usize) -> u32 {
    let (mut t0, mut t1) = ((input >> 16) as u16, input as u16);
    t0 ^= ek[k];
    t0 = fi(t0, ek[(k + 5) % 8 + 8]);
    t0 ^= t1;
    t1 ^= ek[(k + 2) % 8];
    t1 = fi(t1, ek[(k + 1) % 8 + 8]);
    t1 ^= t0;
    t0 ^= ek[(k + 7) % 8];
    t0 = fi(t0, ek[(k + 3) % 8 + 8]);
    t0 ^= t1;
    t1 ^= ek[(k + 4) % 8];
    u32::from(t1) << 16 | u32::from(t0)
}

/// The two words of the expanded key that FL uses at place `k`: the one for AND, the one for OR.
fn fl_keys(ek: &[u16; 16], k: usize) -> (u16, u16) {
    let half = k / 2;
    if k.is_multiple_of(2) {
        (ek[half], ek[(half + 6) % 8 + 8])
    } else {
        (ek[(half + 2) % 8 + 8], ek[(half + 4) % 8])
    }
}

/// The function FL: thirty-two bits, linear for a fixed key.
fn fl(ek: &[u16; 16], input: u32, k: usize) -> u32 {
    let (and, or) = fl_keys(ek, k);
    let (mut d0, mut d1) = ((input >> 16) as u16, input as u16);
    d1 ^= d0 & and;
    d0 ^= d1 | or;
    u32::from(d0) << 16 | u32::from(d1)
}

/// The inverse of FL.
fn fl_inverse(ek: &[u16; 16], input: u32, k: usize) -> u32 {
    let (and, or) = fl_keys(ek, k);
    let (mut d0, mut d1) = ((input >> 16) as u16, input as u16);
    d0 ^= d1 | or;
    d1 ^= d0 & and;
    u32::from(d0) << 16 | u32::from(d1)
}
