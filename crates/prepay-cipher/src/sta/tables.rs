//! The substitution and permutation tables of STA, and the inverses that follow from them.
//!
//! Two sets exist. The *operational* set produces every token in the field. The *sample* set is the
//! one printed in the standard for its worked example; meters refuse what it produces. Only the two
//! substitutions and the permutation of each set are written down here. The tables of decipherment
//! are derived from them at compile time, and a test holds them against the printed ones.
//!
//! ```text
//! nibble   15    14          1     0          P moves bit i to bit P[i]
//!        +-----+-----+-   -+-----+-----+      S1 where the key bit of the nibble is 0,
//! bit    | 63..60 ...        7..4  3..0|      S2 where it is 1
//!        +-----+-----+-   -+-----+-----+
//! ```
//!
//! - Source: IEC 62055-41:2018, EncryptionAlgorithm07 (the algorithm and the sample set). The
//!   operational set is issued by the STS Association; published conformance tokens agree with
//!   it.
//! - Elsewhere: the rounds that use them (`sta.rs`, and `reference/sta.rs` bit by bit).

/// One set of STA tables: what both directions of the algorithm look up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableSet {
    /// The substitution of encipherment for nibbles whose key bit is 0.
    pub s1: [u8; 16],
    /// The substitution of encipherment for nibbles whose key bit is 1.
    pub s2: [u8; 16],
    /// The substitution of decipherment for nibbles whose key bit is 0: the inverse of `s2`.
    pub d1: [u8; 16],
    /// The substitution of decipherment for nibbles whose key bit is 1: the inverse of `s1`.
    pub d2: [u8; 16],
    /// The permutation of encipherment: bit `i` of the input becomes bit `p[i]` of the output.
    pub p: [u8; 64],
    /// The permutation of decipherment: the inverse of `p`.
    pub pd: [u8; 64],
}

/// The operational tables: those of every meter in the field.
pub const OPERATIONAL: TableSet = TableSet::new(
    [14, 10, 7, 9, 12, 3, 2, 5, 13, 0, 15, 1, 4, 8, 6, 11],
    [12, 8, 2, 13, 7, 6, 1, 3, 11, 5, 9, 15, 0, 4, 10, 14],
    [
        55, 42, 10, 18, 24, 21, 44, 35, 2, 22, 56, 43, 27, 58, 9, 50, //
        6, 36, 12, 61, 37, 38, 53, 16, 62, 3, 7, 4, 32, 20, 63, 25, //
        51, 52, 54, 33, 49, 19, 46, 29, 48, 31, 23, 30, 41, 28, 13, 5, //
        40, 60, 39, 11, 15, 17, 1, 0, 57, 34, 59, 8, 47, 14, 45, 26,
    ],
);

/// The sample tables: printed for the worked example, and **invalid in the field**.
pub const SAMPLE: TableSet = TableSet::new(
    [12, 10, 8, 4, 3, 15, 0, 2, 14, 1, 5, 13, 6, 9, 7, 11],
    [6, 9, 7, 4, 3, 10, 12, 14, 2, 13, 1, 15, 0, 11, 8, 5],
    [
        29, 27, 34, 9, 16, 62, 55, 2, 40, 49, 38, 25, 33, 61, 30, 23, //
        1, 41, 21, 57, 42, 15, 5, 58, 19, 53, 22, 17, 48, 28, 24, 39, //
        3, 60, 36, 14, 11, 52, 54, 12, 31, 51, 10, 26, 0, 45, 37, 43, //
        44, 6, 59, 4, 7, 35, 56, 50, 13, 18, 32, 47, 46, 63, 20, 8,
    ],
);

/// For each place of a nibble, the nibble substituted and its bits already permuted.
///
/// The index of the inner table is the nibble, plus 16 if its key bit is 1.
pub(crate) type Fused = [[u64; 32]; 16];

/// What decipherment looks up: see `sta.rs` for the order of the steps.
pub(crate) struct Decipherment {
    /// S2 on both nibbles of a byte: the step that lets `fused` do the first permutation alone.
    pub(crate) first: [u8; 256],
    /// D1 or D2, followed by the inverse permutation of the next round.
    pub(crate) fused: Fused,
    /// D1, then D2: the substitution of the last round, which no permutation follows.
    pub(crate) last: [u8; 32],
}

impl TableSet {
    /// The fused tables of encipherment: S1 or S2, then P.
    pub(crate) const fn encipherment(&self) -> Fused {
        fuse(&self.s1, &self.s2, &self.p)
    }

    /// The tables of decipherment.
    pub(crate) const fn decipherment(&self) -> Decipherment {
        let mut first = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            first[byte] = self.s2[byte & 15] | self.s2[byte >> 4] << 4;
            byte += 1;
        }
        Decipherment {
            first,
            fused: fuse(&self.d1, &self.d2, &self.pd),
            last: both(&self.d1, &self.d2),
        }
    }

    /// Completes a set from its two substitutions and its permutation.
    ///
    /// Evaluated at compile time only: a table that is no permutation stops the build.
    const fn new(s1: [u8; 16], s2: [u8; 16], p: [u8; 64]) -> Self {
        // The complement of the key in encipherment shows here as a swap: D1 undoes S2, D2 undoes S1.
        Self { s1, s2, d1: inverse(&s2), d2: inverse(&s1), p, pd: inverse(&p) }
    }
}

/// One substitution table after the other.
const fn both(zero: &[u8; 16], one: &[u8; 16]) -> [u8; 32] {
    let mut table = [0; 32];
    let mut index = 0;
    while index < 16 {
        table[index] = zero[index];
        table[index + 16] = one[index];
        index += 1;
    }
    table
}

/// A substitution and the permutation after it, for each place of a nibble.
const fn fuse(zero: &[u8; 16], one: &[u8; 16], places: &[u8; 64]) -> Fused {
    let substitution = both(zero, one);
    let mut fused = [[0; 32]; 16];
    let mut nibble = 0;
    while nibble < 16 {
        let mut index = 0;
        while index < 32 {
            let mut bit = 0;
            while bit < 4 {
                if substitution[index] >> bit & 1 == 1 {
                    fused[nibble][index] |= 1 << places[4 * nibble + bit];
                }
                bit += 1;
            }
            index += 1;
        }
        nibble += 1;
    }
    fused
}

/// The inverse of a permutation of `0..N`.
///
/// # Panics
///
/// If a value occurs twice or is not below `N`. The callers are constants, so this is a build error.
const fn inverse<const N: usize>(table: &[u8; N]) -> [u8; N] {
    let mut inverse = [u8::MAX; N];
    let mut index = 0;
    while index < N {
        let value = table[index] as usize;
        assert!(inverse[value] == u8::MAX, "a value occurs twice");
        inverse[value] = index as u8;
        index += 1;
    }
    inverse
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_operational_tables_are_the_issued_ones() {
        assert_eq!(OPERATIONAL.d1, [12, 6, 2, 7, 13, 9, 5, 4, 1, 10, 14, 8, 0, 3, 15, 11]);
        assert_eq!(OPERATIONAL.d2, [9, 11, 6, 5, 12, 7, 14, 2, 13, 3, 1, 15, 4, 8, 0, 10]);
        let pd = [
            55, 54, 8, 25, 27, 47, 16, 26, 59, 14, 2, 51, 18, 46, 61, 52, //
            23, 53, 3, 37, 29, 5, 9, 42, 4, 31, 63, 12, 45, 39, 43, 41, //
            28, 35, 57, 7, 17, 20, 21, 50, 48, 44, 1, 11, 6, 62, 38, 60, //
            40, 36, 15, 32, 33, 22, 34, 0, 10, 56, 13, 58, 49, 19, 24, 30,
        ];
        assert_eq!(OPERATIONAL.pd, pd);
    }

    #[test]
    fn derived_sample_tables_are_the_printed_ones() {
        // In this set the two substitutions undo each other, so decipherment reuses them in order.
        assert_eq!(SAMPLE.d1, SAMPLE.s1);
        assert_eq!(SAMPLE.d2, SAMPLE.s2);
        let pd = [
            44, 16, 7, 32, 51, 22, 49, 52, 63, 3, 42, 36, 39, 56, 35, 21, //
            4, 27, 57, 24, 62, 18, 26, 15, 30, 11, 43, 1, 29, 0, 14, 40, //
            58, 12, 2, 53, 34, 46, 10, 31, 8, 17, 20, 47, 48, 45, 60, 59, //
            28, 9, 55, 41, 37, 25, 38, 6, 54, 19, 23, 50, 33, 13, 5, 61,
        ];
        assert_eq!(SAMPLE.pd, pd);
    }
}
