//! What every cipher promises besides its numbers: the RustCrypto traits, the order of bytes, keys
//! that are wiped and never printed.

use core::fmt::Debug;

use prepay_cipher::{
    Dea, Misty1, SampleSta, Sta,
    cipher::{
        AlgorithmName, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit, array::Array, consts::U8,
    },
};
use zeroize::ZeroizeOnDrop;

/// Everything a caller may ask of a cipher. That this file compiles is part of the test.
trait Contract:
    AlgorithmName
    + BlockCipherEncrypt
    + BlockCipherDecrypt<BlockSize = U8>
    + Clone
    + Debug
    + KeyInit
    + Send
    + Sync
    + ZeroizeOnDrop
{
}

impl Contract for Dea {}
impl Contract for Misty1 {}
impl Contract for SampleSta {}
impl Contract for Sta {}

/// A key whose bytes all differ and are easy to find in a text.
const KEY: [u8; 16] = [
    0xE6, 0x53, 0x34, 0x1F, 0x9D, 0x5B, 0xF3, 0x6F, 0xC9, 0x01, 0x9A, 0xCC, 0xBE, 0x06, 0x2A, 0x40,
];

/// A block whose bytes all differ.
const BLOCK: u64 = 0x0123_4567_89AB_CDEF;

/// Compares the trait on bytes with the method on numbers, both ways.
fn assert_bytes_are_most_significant_first<C: Contract>(
    cipher: &C,
    encipher: impl Fn(u64) -> u64,
    decipher: impl Fn(u64) -> u64,
) {
    let mut block = Array(BLOCK.to_be_bytes());
    cipher.encrypt_block(&mut block);
    assert_eq!(block.0, encipher(BLOCK).to_be_bytes(), "{cipher:?}");
    cipher.decrypt_block(&mut block);
    assert_eq!(block.0, BLOCK.to_be_bytes(), "{cipher:?}");
    cipher.decrypt_block(&mut block);
    assert_eq!(block.0, decipher(BLOCK).to_be_bytes(), "{cipher:?}");

    // Several blocks, from one place to another.
    let clear = [Array(BLOCK.to_be_bytes()), Array((!BLOCK).to_be_bytes())];
    let mut enciphered = [Array([0; 8]); 2];
    cipher.encrypt_blocks_b2b(&clear, &mut enciphered).unwrap();
    let expected = [encipher(BLOCK).to_be_bytes(), encipher(!BLOCK).to_be_bytes()];
    assert_eq!(enciphered.map(|block| block.0), expected, "{cipher:?}");
}

#[test]
fn bytes_of_a_block_are_most_significant_first() {
    let dea = Dea::new_from_slice(&KEY[..8]).unwrap();
    assert_bytes_are_most_significant_first(&dea, |b| dea.encipher(b), |b| dea.decipher(b));
    let misty1 = Misty1::new_from_slice(&KEY).unwrap();
    assert_bytes_are_most_significant_first(
        &misty1,
        |b| misty1.encipher(b),
        |b| misty1.decipher(b),
    );
    let sample = SampleSta::new_from_slice(&KEY[..8]).unwrap();
    assert_bytes_are_most_significant_first(
        &sample,
        |b| sample.encipher(b),
        |b| sample.decipher(b),
    );
    let sta = Sta::new_from_slice(&KEY[..8]).unwrap();
    assert_bytes_are_most_significant_first(&sta, |b| sta.encipher(b), |b| sta.decipher(b));
}

#[test]
fn keys_of_another_length_are_not_keys() {
    for length in 0..=KEY.len() {
        let key = &KEY[..length];
        assert_eq!(Dea::new_from_slice(key).is_ok(), length == 8, "{length} bytes");
        assert_eq!(Misty1::new_from_slice(key).is_ok(), length == 16, "{length} bytes");
        assert_eq!(SampleSta::new_from_slice(key).is_ok(), length == 8, "{length} bytes");
        assert_eq!(Sta::new_from_slice(key).is_ok(), length == 8, "{length} bytes");
    }
}

/// Every way in which two successive bytes of the key could show in a text.
fn assert_prints_no_key(text: &str) {
    let text = text.to_lowercase();
    for pair in KEY.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        for shown in [format!("{a:02x}{b:02x}"), format!("{b:02x}{a:02x}"), format!("{a}, {b}")] {
            assert!(!text.contains(&shown), "{shown} in {text}");
        }
        let number = u16::from_be_bytes([a, b]).to_string();
        assert!(!text.contains(&number), "{number} in {text}");
    }
}

#[test]
fn debug_names_the_type_and_holds_no_key() {
    let texts = [
        (format!("{:?}", Dea::new_from_slice(&KEY[..8]).unwrap()), "Dea(..)"),
        (format!("{:?}", Misty1::new_from_slice(&KEY).unwrap()), "Misty1(..)"),
        (format!("{:?}", SampleSta::new_from_slice(&KEY[..8]).unwrap()), "SampleSta(..)"),
        (format!("{:#?}", Sta::new_from_slice(&KEY[..8]).unwrap()), "Sta(..)"),
    ];
    for (text, expected) in texts {
        assert_eq!(text, expected);
        assert_prints_no_key(&text);
    }
}

#[test]
fn algorithms_have_names() {
    struct Name<C>(core::marker::PhantomData<C>);
    impl<C: AlgorithmName> core::fmt::Display for Name<C> {
        fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            C::write_alg_name(f)
        }
    }
    assert_eq!(Name::<Dea>(core::marker::PhantomData).to_string(), "DEA");
    assert_eq!(Name::<Misty1>(core::marker::PhantomData).to_string(), "MISTY1");
    assert_eq!(Name::<SampleSta>(core::marker::PhantomData).to_string(), "STA with sample tables");
    assert_eq!(Name::<Sta>(core::marker::PhantomData).to_string(), "STA");
}
