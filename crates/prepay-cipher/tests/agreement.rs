//! The fast ciphers agree with the plain ones, and decipherment undoes encipherment.
//!
//! Keys and blocks are drawn at random; a case that fails is shrunk and printed.

use prepay_cipher::{
    Dea, Misty1, SampleSta, Sta,
    cipher::KeyInit,
    reference::{
        dea, misty1,
        sta::{self, OPERATIONAL, SAMPLE},
    },
};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, ..ProptestConfig::default() })]

    #[test]
    fn sta_agrees_with_its_reference(key: u64, block: u64) {
        let cipher = Sta::new(&key.to_be_bytes().into());
        prop_assert_eq!(cipher.encipher(block), sta::encipher(&OPERATIONAL, key, block));
        prop_assert_eq!(cipher.decipher(block), sta::decipher(&OPERATIONAL, key, block));
        prop_assert_eq!(cipher.decipher(cipher.encipher(block)), block);
        prop_assert_eq!(cipher.encipher(cipher.decipher(block)), block);
    }

    #[test]
    fn sample_sta_agrees_with_its_reference(key: u64, block: u64) {
        let cipher = SampleSta::new(&key.to_be_bytes().into());
        prop_assert_eq!(cipher.encipher(block), sta::encipher(&SAMPLE, key, block));
        prop_assert_eq!(cipher.decipher(block), sta::decipher(&SAMPLE, key, block));
        prop_assert_eq!(cipher.decipher(cipher.encipher(block)), block);
        prop_assert_eq!(cipher.encipher(cipher.decipher(block)), block);
    }

    #[test]
    fn misty1_agrees_with_its_reference(key: [u8; 16], block: u64) {
        let cipher = Misty1::new(&key.into());
        prop_assert_eq!(cipher.encipher(block), misty1::encipher(&key, block));
        prop_assert_eq!(cipher.decipher(block), misty1::decipher(&key, block));
        prop_assert_eq!(cipher.decipher(cipher.encipher(block)), block);
        prop_assert_eq!(cipher.encipher(cipher.decipher(block)), block);
    }

    #[test]
    fn dea_agrees_with_its_reference(key: u64, block: u64) {
        let cipher = Dea::new(&key.to_be_bytes().into());
        prop_assert_eq!(cipher.encipher(block), dea::encipher(key, block));
        prop_assert_eq!(cipher.decipher(block), dea::decipher(key, block));
        prop_assert_eq!(cipher.decipher(cipher.encipher(block)), block);
        prop_assert_eq!(cipher.encipher(cipher.decipher(block)), block);
    }
}

#[test]
fn single_bits_agree_with_the_reference() {
    // One bit in the key or in the block: every line of every table is reached by one of them.
    for bit in 0..64 {
        for (key, block) in [(1 << bit, 0), (0, 1 << bit), (!(1 << bit), !0), (!0, !(1_u64 << bit))]
        {
            let cipher = Sta::new(&u64::to_be_bytes(key).into());
            let expected = sta::encipher(&OPERATIONAL, key, block);
            assert_eq!(cipher.encipher(block), expected, "key {key:016X}, block {block:016X}");
            assert_eq!(cipher.decipher(expected), block, "key {key:016X}, block {block:016X}");
        }
    }
}
