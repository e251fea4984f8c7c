//! What a token costs, compared with what its primitives cost.
//!
//! Criterion measures each operation by itself; the ratios, with both sides in one run, come last.
//!
//! - Bars: issue within 1.350 of the sum of its primitives when the key is derived each time (one block of DES
//!   or one HMAC-SHA-256 with its key prepared, then one block under the new key); issue and open within 1.350
//!   of one block when the key is prepared.
//! - Issue means: from values to twenty digits. Open means: from twenty digits to values.

use std::hint::black_box;

use cipher::{BlockCipherEncrypt, KeyInit};
use criterion::{Criterion, criterion_group};
use des::Des;
use hmac::{Hmac, Mac};
use prepay_cipher::{Misty1, Sta};
use prepay_testkit::ratio::Ratio;
use prepay_token::element::{
    Amount, BaseDate, DecoderKeyGenerationAlgorithm, EncryptionAlgorithm, KeyRevisionNumber,
    KeyType, MeterPan, RandomNumber, Service, SupplyGroupCode, TariffIndex, TokenIdentifier,
};
use prepay_token::key::{DecoderKey, DecoderKeyGenerator, KeyParameters, TokenCipher, VendingKey};
use prepay_token::{Token, TokenData, open, seal};
use sha2::Sha256;

/// The bar of every ratio here, in thousandths.
const BAR: Option<u32> = Some(1350);

/// The public test vending key of 160 bits; its beginning serves as the one of 64.
const VENDING_KEY: [u8; 20] = [0xAB; 20];

/// Meters that take turns.
const METERS: usize = 64;

/// An operation from one number to the next.
type Step = Box<dyn FnMut(u64) -> u64>;

fn meters() -> Vec<MeterPan> {
    let meter = |serial: usize| {
        let drn = prepay_token::element::DecoderReferenceNumber::new(
            "07".parse().expect("a manufacturer code"),
            (serial as u32).try_into().expect("a serial number"),
        );
        MeterPan::new(drn)
    };
    (0..METERS).map(meter).collect()
}

fn parameters(pan: MeterPan, encryption: EncryptionAlgorithm) -> KeyParameters {
    KeyParameters {
        pan,
        key_type: KeyType::Unique,
        supply_group: SupplyGroupCode::try_from(201_457).expect("six digits"),
        tariff_index: TariffIndex::try_from(1).expect("two digits"),
        key_revision: KeyRevisionNumber::try_from(1).expect("one digit"),
        base_date: BaseDate::Y2014,
        encryption,
    }
}

/// A credit token that differs with the seed.
fn credit(seed: u64) -> Token {
    Token::Credit {
        service: Service::Electricity,
        random: RandomNumber::from_counter(seed),
        identifier: TokenIdentifier::from_low_bits(seed as u32),
        amount: Amount::from_tenths((seed >> 40) as u32 & 0x3FFF).expect("at most 16383 tenths"),
    }
}

/// A number to go on with, from the digits of a token.
fn next(data: TokenData) -> u64 {
    let digits = black_box(data.digits());
    u64::from(digits[19]) ^ data.block()
}

fn generator(dkga: DecoderKeyGenerationAlgorithm) -> DecoderKeyGenerator {
    let bytes = &VENDING_KEY[..dkga.vending_key_bytes()];
    DecoderKeyGenerator::new(&VendingKey::new(dkga, bytes).expect("the right length"))
}

fn cipher_of(algorithm: EncryptionAlgorithm) -> TokenCipher {
    let bytes = &VENDING_KEY[..algorithm.key_bytes()];
    TokenCipher::new(&DecoderKey::new(algorithm, bytes).expect("the right length"))
}

/// Issue with the key derived each time.
fn issue_derived(dkga: DecoderKeyGenerationAlgorithm, ea: EncryptionAlgorithm) -> Step {
    let (generator, meters) = (generator(dkga), meters());
    Box::new(move |seed| {
        let meter = meters[seed as usize % METERS];
        let key = generator.derive(&parameters(meter, ea)).expect("a permitted pair");
        next(seal(&credit(seed), &TokenCipher::new(&key)))
    })
}

/// Issue with the key prepared.
fn issue(ea: EncryptionAlgorithm) -> Step {
    let cipher = cipher_of(ea);
    Box::new(move |seed| next(seal(&credit(seed), &cipher)))
}

/// Open, from twenty digits, with the key prepared. The digits take turns; the result picks the next.
fn open_digits(ea: EncryptionAlgorithm) -> Step {
    let cipher = cipher_of(ea);
    let tokens: Vec<_> = (0..METERS as u64)
        .map(|seed| seal(&credit(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)), &cipher).digits())
        .collect();
    Box::new(move |seed| {
        let digits = &tokens[seed as usize % METERS];
        let data = TokenData::from_digits(digits).expect("twenty digits");
        match open(data, &cipher) {
            Ok(Token::Credit { identifier, amount, .. }) => {
                u64::from(identifier.value()) ^ u64::from(amount.bits()) ^ seed >> 1
            }
            other => panic!("a sealed credit token opened as {other:?}"),
        }
    })
}

fn sta(key: u64) -> Sta {
    Sta::new(&key.to_be_bytes().into())
}

fn misty1(key: &[u8]) -> Misty1 {
    Misty1::new_from_slice(key).expect("sixteen bytes")
}

/// One block of DES, then one of STA under the result.
fn des_and_sta() -> Step {
    let des = Des::new_from_slice(&VENDING_KEY[..8]).expect("eight bytes");
    Box::new(move |seed| {
        let mut bytes = seed.to_be_bytes().into();
        des.encrypt_block(&mut bytes);
        sta(u64::from_be_bytes(bytes.into())).encipher(seed)
    })
}

/// One HMAC-SHA-256 of 49 bytes with its key prepared, then one block of MISTY1 under the result.
fn hmac_and_misty1() -> Step {
    let prepared = Hmac::<Sha256>::new_from_slice(&VENDING_KEY).expect("any length");
    Box::new(move |seed| {
        let mut block = [0; 49];
        block[..8].copy_from_slice(&seed.to_be_bytes());
        let mut hmac = prepared.clone();
        hmac.update(&block);
        misty1(&hmac.finalize().into_bytes()[..16]).encipher(seed)
    })
}

/// One block under a prepared key.
fn block(ea: EncryptionAlgorithm) -> Step {
    match ea {
        EncryptionAlgorithm::Misty1 => {
            let cipher = misty1(&VENDING_KEY[..16]);
            Box::new(move |block| cipher.encipher(block))
        }
        _ => {
            let cipher = sta(u64::from_be_bytes([0xAB; 8]));
            Box::new(move |block| cipher.encipher(block))
        }
    }
}

/// The inverse of [`block`].
fn block_back(ea: EncryptionAlgorithm) -> Step {
    let cipher = cipher_of(ea);
    Box::new(move |block| cipher.decipher(block))
}

fn operations(c: &mut Criterion) {
    use DecoderKeyGenerationAlgorithm::{Dkga02, Dkga04};
    use EncryptionAlgorithm::{Misty1, Sta};
    let mut bench = |name: &str, mut step: Step| {
        let mut value = 1;
        c.bench_function(name, |b| {
            b.iter(|| {
                value = step(value);
                value
            });
        });
    };
    bench("issue, key derived, EA07 DKGA02", issue_derived(Dkga02, Sta));
    bench("issue, key derived, EA07 DKGA04", issue_derived(Dkga04, Sta));
    bench("issue, key derived, EA11 DKGA04", issue_derived(Dkga04, Misty1));
    for ea in [Sta, Misty1] {
        bench(&format!("issue, key at hand, EA{ea}"), issue(ea));
        bench(&format!("open, key at hand, EA{ea}"), open_digits(ea));
    }
}

fn ratios() {
    use DecoderKeyGenerationAlgorithm::{Dkga02, Dkga04};
    use EncryptionAlgorithm::{Misty1, Sta};
    println!("\nRatios, both sides in this run:");
    let derived = Ratio::measure(issue_derived(Dkga02, Sta), des_and_sta());
    derived.print("issue EA07 DKGA02, key derived / DES block + STA block:", BAR);
    let derived = Ratio::measure(issue_derived(Dkga04, Misty1), hmac_and_misty1());
    derived.print("issue EA11 DKGA04, key derived / HMAC + MISTY1 block:", BAR);
    for ea in [Sta, Misty1] {
        let name = ea.cipher_name();
        let at_hand = Ratio::measure(issue(ea), block(ea));
        at_hand.print(&format!("issue EA{ea}, key at hand / {name} block:"), BAR);
        let opened = Ratio::measure(open_digits(ea), block_back(ea));
        opened.print(&format!("open EA{ea}, key at hand / {name} block:"), BAR);
    }
}

criterion_group!(benches, operations);

prepay_testkit::bench_main!(benches, ratios);
