//! Published answers of MISTY1 and DES, for the fast and the plain version alike.
//!
//! - Source: RFC 2994 (MISTY1); FIPS 81 and NBS SP 500-20 (DES); STS 531-1 (conformance tokens).

use prepay_cipher::{
    Dea, Misty1,
    cipher::KeyInit,
    reference::{dea, misty1},
};

#[test]
fn misty1_gives_the_published_blocks_both_ways() {
    // (key, clear, cipher, why)
    const CASES: &[(u128, u64, u64, &str)] = &[
        (
            0x0011_2233_4455_6677_8899_AABB_CCDD_EEFF,
            0x0123_4567_89AB_CDEF,
            0x8B1D_A5F5_6AB3_D07C,
            "RFC 2994, first block",
        ),
        (
            0x0011_2233_4455_6677_8899_AABB_CCDD_EEFF,
            0xFEDC_BA98_7654_3210,
            0x04B6_8240_B13B_E95D,
            "RFC 2994, second block",
        ),
        (
            0x929B_D3A4_15C9_420A_05EC_5EE9_F3CE_91C3,
            0x0501_4EEC_0001_3188,
            0x2D98_A561_7B45_BE2E,
            "conformance token, credit under DKGA04 and EA11",
        ),
    ];
    for &(key, clear, enciphered, why) in CASES {
        let key = key.to_be_bytes();
        let fast = Misty1::new(&key.into());
        assert_eq!(fast.encipher(clear), enciphered, "{why}");
        assert_eq!(fast.decipher(enciphered), clear, "{why}");
        assert_eq!(misty1::encipher(&key, clear), enciphered, "{why}");
        assert_eq!(misty1::decipher(&key, enciphered), clear, "{why}");
    }
}

#[test]
fn des_gives_the_published_blocks_both_ways() {
    // (key, clear, cipher, why)
    const CASES: &[(u64, u64, u64, &str)] = &[
        (
            0x1334_5779_9BBC_DFF1,
            0x0123_4567_89AB_CDEF,
            0x85E8_1354_0F0A_B405,
            "a worked example known from textbooks",
        ),
        (
            0x0123_4567_89AB_CDEF,
            0x4E6F_7720_6973_2074,
            0x3FA4_0E8A_984D_4815,
            "FIPS 81, first block of the ECB example",
        ),
        (
            0x0101_0101_0101_0101,
            0x8000_0000_0000_0000,
            0x95F8_A5E5_DD31_D900,
            "NBS SP 500-20, initial permutation and E test, first line",
        ),
        (
            0xABAB_ABAB_ABAB_ABAB,
            0x2151_3560_11FF_FFFF,
            0x6CA9_AAD4_270F_A73B,
            "DKGA02 behind a conformance token: proves the order of bytes there",
        ),
    ];
    for &(key, clear, enciphered, why) in CASES {
        let fast = Dea::new(&key.to_be_bytes().into());
        assert_eq!(fast.encipher(clear), enciphered, "{why}");
        assert_eq!(fast.decipher(enciphered), clear, "{why}");
        assert_eq!(dea::encipher(key, clear), enciphered, "{why}");
        assert_eq!(dea::decipher(key, enciphered), clear, "{why}");
    }
}

#[test]
fn des_ignores_the_parity_bits_of_its_key() {
    let key = 0x1334_5779_9BBC_DFF1_u64;
    let flipped = Dea::new(&(key ^ 0x0101_0101_0101_0101).to_be_bytes().into());
    assert_eq!(flipped.encipher(0x0123_4567_89AB_CDEF), 0x85E8_1354_0F0A_B405);
}
