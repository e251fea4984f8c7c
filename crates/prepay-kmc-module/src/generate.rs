//! New vending keys.
//!
//! Bytes come from the vault's source of randomness. Keys of DES get odd parity, as is the custom, and the
//! few weak keys of DES are never given out.

use des::weak_key_test;
use prepay_token::element::DecoderKeyGenerationAlgorithm;
use prepay_token::key::VendingKey;
use zeroize::Zeroizing;

use prepay_basics::{Entropy, NoEntropy};

/// Makes a vending key for an algorithm.
pub(super) fn vending_key(
    algorithm: DecoderKeyGenerationAlgorithm,
    entropy: &mut dyn Entropy,
) -> Result<VendingKey, NoEntropy> {
    let mut bytes = Zeroizing::new([0; 20]);
    let bytes = &mut bytes[..algorithm.vending_key_bytes()];
    loop {
        entropy.fill(bytes)?;
        if algorithm == DecoderKeyGenerationAlgorithm::Dkga04 {
            break;
        }
        bytes.iter_mut().for_each(set_odd_parity);
        if is_good_des_key(bytes) {
            break;
        }
    }
    Ok(VendingKey::new(algorithm, bytes).expect("as many bytes as the algorithm takes"))
}

/// The lowest bit makes the number of ones odd.
fn set_odd_parity(byte: &mut u8) {
    let ones = (*byte >> 1).count_ones() as u8;
    *byte = *byte & 0xFE | (ones & 1 ^ 1);
}

/// No half is weak, and two halves differ: with equal ones triple DES is single DES.
fn is_good_des_key(bytes: &[u8]) -> bool {
    let halves = bytes.as_chunks::<8>().0;
    halves.iter().all(|half| weak_key_test(half).is_ok())
        && halves.windows(2).all(|two| two[0] != two[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives prepared bytes, then fails.
    struct Script(Vec<u8>);

    impl Entropy for Script {
        fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
            if self.0.len() < bytes.len() {
                return Err(NoEntropy);
            }
            let rest = self.0.split_off(bytes.len());
            bytes.copy_from_slice(&std::mem::replace(&mut self.0, rest));
            Ok(())
        }
    }

    #[test]
    fn keys_of_des_have_odd_parity_and_are_never_weak() {
        use DecoderKeyGenerationAlgorithm::{Dkga02, Dkga03};
        let good = [0x00, 0x12, 0x34, 0x56, 0x78, 0x9A, 0xBC, 0xDE];
        let with_parity = [0x01, 0x13, 0x34, 0x57, 0x79, 0x9B, 0xBC, 0xDF];
        let other = [0x31; 8];
        // (what the source gives, the key): weak with its parity wrong, semi-weak, then a good one.
        let weak = [[0x00; 8], [0x01, 0xFE, 0x01, 0xFE, 0x01, 0xFE, 0x01, 0xFE], good].concat();
        let key = vending_key(Dkga02, &mut Script(weak)).unwrap();
        assert_eq!(key.expose_bytes(), with_parity);
        let equal_halves = [good, good, good, other].concat();
        let key = vending_key(Dkga03, &mut Script(equal_halves)).unwrap();
        assert_eq!(key.expose_bytes(), [with_parity, other].concat());
        assert!(key.expose_bytes().iter().all(|byte| byte.count_ones() % 2 == 1));
    }

    #[test]
    fn a_key_of_160_bits_is_what_the_source_gives() {
        let bytes: Vec<u8> = (0..20).collect();
        let algorithm = DecoderKeyGenerationAlgorithm::Dkga04;
        let key = vending_key(algorithm, &mut Script(bytes.clone())).unwrap();
        assert_eq!(key.expose_bytes(), bytes);
        assert_eq!(vending_key(algorithm, &mut Script(vec![0; 19])).unwrap_err(), NoEntropy);
    }
}
