//! The check value of a vending key: shows whether two parties hold the same key, without showing the key.
//!
//! ```text
//!   DKGA02  first 3 bytes of DES (key, eight zero bytes)
//!   DKGA03  first 3 bytes of TDES(key, eight zero bytes), two keys
//!   DKGA04  first 3 bytes of HMAC-SHA-256(key, "STS-KCV-OPEN")
//! ```
//!
//! - Source: our own. The rule of STS 600-4-2 is not public, so a real centre's value differs; the prefix
//!   `open-` of [`KeyCheckValue`] says so.
//! - Twenty-four bits: two keys chosen at random agree once in sixteen million. It finds mistakes; it proves
//!   nothing.

use des::cipher::{Block, BlockCipherEncrypt, KeyInit};
use des::{Des, TdesEde2};
use hmac::{Hmac, Mac};
use prepay_token::element::DecoderKeyGenerationAlgorithm;
use prepay_token::key::VendingKey;
use sha2::Sha256;

use crate::attribute::KeyCheckValue;

/// What the check value of a 160-bit key is made from.
const TEXT: &[u8] = b"STS-KCV-OPEN";

/// The check value of a vending key.
pub fn check_value(key: &VendingKey) -> KeyCheckValue {
    let bytes = key.expose_bytes();
    let [a, b, c] = match key.algorithm() {
        DecoderKeyGenerationAlgorithm::Dkga02 => zeros_under::<Des>(bytes),
        DecoderKeyGenerationAlgorithm::Dkga03 => zeros_under::<TdesEde2>(bytes),
        DecoderKeyGenerationAlgorithm::Dkga04 => {
            let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(bytes);
            let mac = mac.expect("HMAC takes keys of any length").chain_update(TEXT);
            let [a, b, c, ..] = mac.finalize().into_bytes().0;
            [a, b, c]
        }
    };
    KeyCheckValue::from_bytes([a, b, c])
}

/// The first bytes of eight zero bytes, enciphered.
fn zeros_under<C: KeyInit + BlockCipherEncrypt>(key: &[u8]) -> [u8; 3] {
    let cipher = C::new_from_slice(key).expect("a vending key has the length of its algorithm");
    let mut block = Block::<C>::default();
    cipher.encrypt_block(&mut block);
    [block[0], block[1], block[2]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_algorithm_has_its_rule() {
        use DecoderKeyGenerationAlgorithm::{Dkga02, Dkga03, Dkga04};
        // (algorithm, key, check value). DES under 0123456789ABCDEF gives D5D44FF720683D0D for zeros: a
        // textbook value. A double key of equal halves is single DES. The last is computed with Python's
        // hmac module for the published conformance key.
        const SINGLE: [u8; 8] = [0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF];
        let double = [SINGLE, SINGLE].concat();
        let mut different = double.clone();
        different[15] ^= 0x02;
        let mut long = [0xAB; 20];
        long[8..16].fill(0x94);
        long[16..].copy_from_slice(&[0x01, 0x23, 0x45, 0x67]);
        let cases: [(_, &[u8], _); 3] = [
            (Dkga02, &SINGLE, "open-D5D44F"),
            (Dkga03, &double, "open-D5D44F"),
            (Dkga04, &long, "open-F51503"),
        ];
        for (algorithm, bytes, expected) in cases {
            let key = VendingKey::new(algorithm, bytes).unwrap();
            assert_eq!(check_value(&key).to_string(), expected, "{algorithm}");
        }
        let key = VendingKey::new(Dkga03, &different).unwrap();
        assert_ne!(check_value(&key).to_string(), "open-D5D44F");
    }
}
