//! What both proofs about secrets share: keys and passphrases that can be made again from a name, requests,
//! and the keys of a slot.

#![allow(dead_code, reason = "each proof uses a part of it")]

use std::path::Path;

use prepay_basics::Moment;
use prepay_host::{Directory, SystemClock, SystemEntropy};
use prepay_kmc_module::KeyLoadItem;
use prepay_kmp::{
    AgreementAnswered, Identity, ModuleEnrolment, Nonce, PartyKind, VendingKeyAttributes,
};
use prepay_module::{KeyChangeRequest, MeterConfiguration, TokenRequest};
use prepay_testkit::Random;
use prepay_testkit::ceremony::{People, TestCentre, attributes, value};
use prepay_testkit::documents::{answer_agreement, document};
use prepay_testkit::secrets::{Secrets, Watched};
use prepay_token::Instruction;
use prepay_token::element::DecoderKeyGenerationAlgorithm::{Dkga02, Dkga04};
use prepay_token::element::{
    Amount, EncryptionAlgorithm, KeyType, Service, TokenCarrierType, TokenIdentifier,
};
use prepay_token::key::{DecoderKey, DecoderKeyGenerator, KeyParameters, VendingKey};
use prepay_token::key_change::SetSize;
use prepay_vault::{Place, Secret};
use zeroize::Zeroizing;

/// Bytes that come again for the same name, and stand nowhere.
fn made_up(name: &str, length: usize) -> Zeroizing<Vec<u8>> {
    let seed = name.bytes().fold(7, |seed: u64, byte| seed.wrapping_mul(31) + u64::from(byte));
    Zeroizing::new(Random::new(seed).bytes(length))
}

pub(crate) fn passphrase(name: &str) -> Secret {
    let bytes = made_up(name, 24).iter().map(|byte| b'!' + byte % 90).collect::<Vec<u8>>();
    Secret::from(bytes)
}

/// The vending key of a register.
pub(crate) fn key(number: u8) -> (VendingKeyAttributes, VendingKey) {
    let algorithm = if number == 3 { Dkga02 } else { Dkga04 };
    let bytes = made_up(&format!("key {number}"), algorithm.vending_key_bytes());
    let key = VendingKey::new(algorithm, &bytes).unwrap();
    (attributes(100_000 + u32::from(number), 1, algorithm), key)
}

pub(crate) fn item(number: u8) -> KeyLoadItem {
    KeyLoadItem { attributes: key(number).0, register: Some(u16::from(number).try_into().unwrap()) }
}

/// In a function of its own: what it leaves on the stack can be overwritten with the rest.
#[inline(never)]
pub(crate) fn import(centre: &TestCentre, numbers: impl IntoIterator<Item = u8>) {
    for number in numbers {
        let (attributes, key) = key(number);
        centre.import(&attributes, &key);
    }
}

pub(crate) fn credit(register: u16, count: u32) -> TokenRequest {
    let encryption =
        if register == 3 { EncryptionAlgorithm::Sta } else { EncryptionAlgorithm::Misty1 };
    TokenRequest {
        id: None,
        register: register.try_into().unwrap(),
        meter: MeterConfiguration {
            pan: value("600727000000000009"),
            tariff_index: 1.try_into().unwrap(),
            encryption,
            carrier: TokenCarrierType::NUMERIC,
        },
        instruction: Instruction::Credit {
            service: Service::Electricity,
            amount: Amount::from_tenths(10).unwrap(),
        },
        identifier: TokenIdentifier::from_low_bits(count),
    }
}

pub(crate) fn key_change() -> KeyChangeRequest {
    let TokenRequest { register: from, meter, .. } = credit(1, 0);
    let to = 2.try_into().unwrap();
    let (new_tariff_index, size) = (1.try_into().unwrap(), SetSize::Four);
    KeyChangeRequest { id: None, from, to, meter, new_tariff_index, size }
}

/// The key of the meter under a vending key.
pub(crate) fn decoder_key(number: u8) -> DecoderKey {
    let (attributes, key) = key(number);
    let meter = credit(number.into(), 0).meter;
    let parameters = KeyParameters {
        pan: meter.pan,
        key_type: KeyType::Unique,
        supply_group: attributes.supply_group,
        tariff_index: meter.tariff_index,
        key_revision: attributes.key_revision,
        base_date: attributes.base_date,
        encryption: meter.encryption,
    };
    DecoderKeyGenerator::new(&key).derive(&parameters).unwrap()
}

/// Adds what both proofs look for: passphrases of these names, vending keys, and three decoder keys.
#[inline(never)]
pub(crate) fn add_made_up(secrets: &mut Secrets, names: &[&str], keys: u8) {
    for name in names {
        secrets.add(&format!("passphrase of {name}"), passphrase(name).expose_bytes());
    }
    for number in 1..=keys {
        secrets.add(&format!("vending key {number}"), key(number).1.expose_bytes());
    }
    for number in 1..=3 {
        secrets.add(&format!("decoder key {number}"), decoder_key(number).expose_bytes());
    }
}

/// Adds the keys of a slot, calculated once more on the side of the centre from what its source gave, and shows
/// that side.
pub(crate) fn add_slot_keys(
    secrets: &mut Secrets,
    centre: &Secrets,
    people: &People,
    request: &str,
    show: impl FnOnce(&Identity, &AgreementAnswered),
) {
    let mut bytes = Zeroizing::new(Vec::with_capacity(96));
    (0..2).for_each(|place| bytes.extend_from_slice(&centre.expose_bytes(place)));
    let identity = Identity::from_bytes(PartyKind::Centre, value(TestCentre::NAME), &bytes);
    let identity = identity.unwrap();
    let enrolment = people.auditor.enrolment().unwrap();
    let module = document::<ModuleEnrolment>(enrolment).party;
    let number = Nonce::from_bytes([0x5A; 16]);
    let answered = answer_agreement(&identity, &module, request, Moment::MAX, number).unwrap();
    let keys = answered.keys.expose_bytes();
    secrets.add("key encryption key of a slot", &keys[..32]);
    secrets.add("authentication key of a slot", &keys[32..]);
    show(&identity, &answered);
}

/// A directory with a source of random numbers that is watched.
pub(crate) fn place(path: &Path, entropy: &Watched<SystemEntropy>) -> Place {
    Place {
        storage: Box::new(Directory::create(path).unwrap()),
        entropy: Box::new(entropy.clone()),
        clock: Box::new(SystemClock),
    }
}
