//! *CRC* and *CRC_C*: the 16-bit checksum that tells a meter that a token is meant for it.
//!
//! The sum runs over the 50 bits above it, class first, padded on the left with six zero bits to seven
//! bytes. Currency tokens append one byte 01, so that a meter which only knows units refuses them:
//!
//! ```text
//!  000000cc ssssrrrr tttttttt tttttttt tttttttt aaaaaaaa aaaaaaaa [00000001]
//!  \_ class \_ SubClass and the rest of the block, from bit 63 down to bit 16
//! ```
//!
//! The block carries the sum with its low byte first.
//!
//! - Generator: x^16 + x^15 + x^2 + 1, reflected (A001 hex), initial value FFFF hex, no final XOR.
//! - Source: IEC 62055-41:2018, data elements *CRC* and *CRC_C*.

/// The generator with its bits in reflected order.
const GENERATOR: u16 = 0xA001;

/// What a byte adds to the sum when `n` more bytes follow it: `TABLES[n][byte]`.
///
/// The sum is linear, so the bytes of a message can be looked up apart and joined by XOR.
const TABLES: [[u16; 256]; 7] = {
    let mut tables = [[0; 256]; 7];
    let mut byte = 0;
    while byte < 256 {
        tables[0][byte] = shifted_out(byte as u16);
        byte += 1;
    }
    let mut more = 1;
    while more < 7 {
        let mut byte = 0;
        while byte < 256 {
            tables[more][byte] = next(&tables[0], tables[more - 1][byte], 0);
            byte += 1;
        }
        more += 1;
    }
    tables
};

/// What the initial value and the first byte, which holds nothing but the class, add to the sum when
/// `n` more bytes follow: `CLASS[n - 6][class]`, for the six of *CRC* and the seven of *CRC_C*.
const CLASS: [[u16; 4]; 2] = {
    let mut classes = [[0; 4]; 2];
    let mut class = 0;
    while class < 4 {
        let mut sum = next(&TABLES[0], 0xFFFF, class as u8);
        let mut more = 0;
        while more < 6 {
            sum = next(&TABLES[0], sum, 0);
            more += 1;
        }
        classes[0][class] = sum;
        classes[1][class] = next(&TABLES[0], sum, 0);
        class += 1;
    }
    classes
};

/// Eight bits of the sum worked through the generator.
const fn shifted_out(mut sum: u16) -> u16 {
    let mut bit = 0;
    while bit < 8 {
        sum = if sum & 1 == 1 { sum >> 1 ^ GENERATOR } else { sum >> 1 };
        bit += 1;
    }
    sum
}

/// The sum after one more byte.
const fn next(table: &[u16; 256], sum: u16, byte: u8) -> u16 {
    table[(sum as u8 ^ byte) as usize] ^ sum >> 8
}

/// Which of the two checksums a token carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChecksumKind {
    /// *CRC*: every token but the currency tokens.
    Crc,
    /// *CRC_C*: class 0, sub-classes 4 to 7.
    CrcC,
}

/// The checksum as it stands in the block, computed over the class and the 48 bits above it.
///
/// The low sixteen bits of `block` do not take part. `class` is the number of the class, 0 to 3.
#[inline]
pub(crate) const fn checksum(kind: ChecksumKind, class: u8, block: u64) -> u16 {
    let [a, b, c, d, e, f, ..] = block.to_be_bytes();
    let sum = match kind {
        ChecksumKind::Crc => CLASS[0][(class & 3) as usize] ^ sum_of([a, b, c, d, e, f], 0),
        ChecksumKind::CrcC => {
            CLASS[1][(class & 3) as usize] ^ sum_of([a, b, c, d, e, f], 1) ^ TABLES[0][1]
        }
    };
    sum.swap_bytes()
}

/// What six bytes add to the sum when `more` bytes follow them.
#[inline]
const fn sum_of([a, b, c, d, e, f]: [u8; 6], more: usize) -> u16 {
    (TABLES[more + 5][a as usize] ^ TABLES[more + 4][b as usize])
        ^ (TABLES[more + 3][c as usize] ^ TABLES[more + 2][d as usize])
        ^ (TABLES[more + 1][e as usize] ^ TABLES[more][f as usize])
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::crc::{CRC_16_MODBUS, Crc};
    use proptest::prelude::*;

    #[test]
    fn checksums_are_the_published_ones() {
        // (kind, class, block above the sum, sum)
        const CASES: &[(ChecksumKind, u8, u64, u16)] = &[
            (ChecksumKind::Crc, 0, 0x0B19_EB23_0100_0000, 0xC207),
            (ChecksumKind::Crc, 0, 0x0559_9863_0001_0000, 0x19E6),
            (ChecksumKind::Crc, 0, 0x05C0_2A55_2710_0000, 0x1970),
            (ChecksumKind::CrcC, 0, 0x4052_B139_60AA_0000, 0xC385),
            (ChecksumKind::CrcC, 0, 0x485B_5F60_60A9_0000, 0xB0A7),
            (ChecksumKind::Crc, 1, 0x0000_0000_0100_0000, 0x0A50),
            (ChecksumKind::Crc, 2, 0x3F12_060B_8643_0000, 0xD717),
        ];
        for &(kind, class, block, sum) in CASES {
            assert_eq!(checksum(kind, class, block), sum, "class {class} block {block:016X}");
            assert_eq!(checksum(kind, class, block | 0xFFFF), sum, "the sum's own bits count");
        }
    }

    proptest! {
        #[test]
        fn an_independent_implementation_agrees(class in 0u8..4, block: u64, money: bool) {
            let (kind, bytes) = if money { (ChecksumKind::CrcC, 8) } else { (ChecksumKind::Crc, 7) };
            let mut message = [0, 0, 0, 0, 0, 0, 0, 1];
            message[0] = class;
            message[1..7].copy_from_slice(&block.to_be_bytes()[..6]);
            let expected = Crc::<u16>::new(&CRC_16_MODBUS).checksum(&message[..bytes]);
            prop_assert_eq!(checksum(kind, class, block), expected.swap_bytes());
        }
    }
}
