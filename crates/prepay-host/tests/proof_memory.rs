//! After a module is locked or closed, none of its secrets is left in the memory of its process: vending
//! keys, keys of slots, private keys, master keys, passphrases. Nor is any of the centre that gave it keys.
//!
//! The test looks at its own memory through `/proc`, so it runs on Linux only, and alone in its program. It
//! knows secrets only masked. What it makes up itself (passphrases, vending keys) it makes anew each time.
#![cfg(target_os = "linux")]

use std::thread;

use prepay_basics::Moment;
use prepay_host::{Directory, SystemClock, SystemEntropy};
use prepay_kmc_module::KeyLoadItem;
use prepay_kmp::{Identity, ModuleEnrolment, PartyKind, VendingKeyAttributes};
use prepay_module::software::{ModulePolicy, SoftwareModule, TestMode};
use prepay_module::{
    IssueRequest, KeyChangeRequest, MeterConfiguration, SecurityModule, TokenRequest,
};
use prepay_testkit::Random;
use prepay_testkit::ceremony::{People, TestCentre, attributes, make_module, value};
use prepay_testkit::documents::{AnswerText, answer_agreement, document};
use prepay_testkit::secrets::{Secrets, Watched};
use prepay_token::Instruction;
use prepay_token::element::DecoderKeyGenerationAlgorithm::{self, Dkga02, Dkga04};
use prepay_token::element::{
    Amount, EncryptionAlgorithm, KeyType, Service, TokenCarrierType, TokenIdentifier,
};
use prepay_token::key::{DecoderKeyGenerator, KeyParameters, VendingKey};
use prepay_token::key_change::SetSize;
use prepay_vault::{Place, Secret, Unlock, scrub_stack};
use zeroize::Zeroizing;

/// How many vending keys: many, so that lists of them get places of their own in memory.
const KEYS: u8 = 24;

/// Bytes that come again for the same name, and stand nowhere.
fn made_up(name: &str, length: usize) -> Zeroizing<Vec<u8>> {
    let seed = name.bytes().fold(7, |seed: u64, byte| seed.wrapping_mul(31) + u64::from(byte));
    Zeroizing::new(Random::new(seed).bytes(length))
}

fn passphrase(name: &str) -> Secret {
    let bytes = made_up(name, 24).iter().map(|byte| b'!' + byte % 90).collect::<Vec<u8>>();
    Secret::from(bytes)
}

fn key(number: u8) -> (VendingKeyAttributes, VendingKey) {
    let algorithm: DecoderKeyGenerationAlgorithm = if number == 3 { Dkga02 } else { Dkga04 };
    let bytes = made_up(&format!("key {number}"), algorithm.vending_key_bytes());
    let key = VendingKey::new(algorithm, &bytes).unwrap();
    (attributes(100_000 + u32::from(number), 1, algorithm), key)
}

fn item(number: u8) -> KeyLoadItem {
    let (attributes, _) = key(number);
    KeyLoadItem { attributes, register: Some(u16::from(number).try_into().unwrap()) }
}

fn credit(register: u16, count: u32) -> TokenRequest {
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

/// The key of the meter under a vending key.
#[inline(never)]
fn add_decoder_key(number: u8, secrets: &mut Secrets) {
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
    let key = DecoderKeyGenerator::new(&key).derive(&parameters).unwrap();
    secrets.add(&format!("decoder key {number}"), key.expose_bytes());
}

/// Tokens from several threads, in batches and single, and a key change.
fn issue(people: &People) {
    thread::scope(|scope| {
        for count in 0..4 {
            scope.spawn(move || {
                for register in 1..=3 {
                    let request = credit(register, count);
                    people.operator.issue_token(request).unwrap();
                    let batch = [IssueRequest::Token(request); 20];
                    people.operator.issue(&batch).unwrap();
                }
            });
        }
    });
    let TokenRequest { register: from, meter, .. } = credit(1, 0);
    let to = 2.try_into().unwrap();
    let (new_tariff_index, size) = (1.try_into().unwrap(), SetSize::Four);
    let request = KeyChangeRequest { id: None, from, to, meter, new_tariff_index, size };
    people.operator.issue_key_change(request).unwrap();
}

/// The keys of a slot, calculated once more on the side of the centre from what its source gave.
fn slot_keys(centre: &Secrets, people: &People, request: &str) -> Secrets {
    let mut bytes = Zeroizing::new(Vec::with_capacity(96));
    (0..2).for_each(|place| bytes.extend_from_slice(&centre.expose_bytes(place)));
    let identity = Identity::from_bytes(PartyKind::Centre, value(TestCentre::NAME), &bytes);
    let enrolment = people.auditor.enrolment().unwrap();
    let module = document::<ModuleEnrolment>(enrolment).party;
    let answered = answer_agreement(&identity.unwrap(), &module, request, Moment::MAX).unwrap();
    let keys = answered.keys.expose_bytes();
    let mut secrets = Secrets::default();
    secrets.add("key encryption key of a slot", &keys[..32]);
    secrets.add("authentication key of a slot", &keys[32..]);
    secrets
}

/// In a function of its own: what it leaves on the stack is overwritten with the rest.
#[inline(never)]
fn import(centre: &TestCentre) {
    for number in 1..=KEYS {
        let (attributes, key) = key(number);
        centre.import(&attributes, &key);
    }
}

struct Watching {
    module: Watched<SystemEntropy>,
    centre: Watched<SystemEntropy>,
}

fn place(path: &std::path::Path, watching: &Watching) -> Place {
    Place {
        storage: Box::new(Directory::create(path).unwrap()),
        entropy: Box::new(watching.module.clone()),
        clock: Box::new(SystemClock),
    }
}

fn found(secrets: &Secrets) -> Vec<String> {
    scrub_stack();
    secrets.found_in_memory()
}

#[test]
fn a_locked_or_closed_module_leaves_no_secret_in_memory() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("module");
    let watching = Watching {
        module: Watched::new("of the module", SystemEntropy),
        centre: Watched::new("of the centre", SystemEntropy),
    };
    let mut secrets = Secrets::default();
    for name in ["vault", "alice", "bob", "olga", "anton", "back-up 1", "back-up 2"] {
        secrets.add(&format!("passphrase of {name}"), passphrase(name).expose_bytes());
    }
    for number in 1..=KEYS {
        secrets.add(&format!("vending key {number}"), key(number).1.expose_bytes());
    }
    for number in 1..=3 {
        add_decoder_key(number, &mut secrets);
    }
    scrub_stack();
    assert_eq!(found(&secrets), [""; 0], "what is made up leaves nothing");

    // Everything from the first key to the first tokens, and a module that is closed.
    let policy = ModulePolicy { window_minutes: None, ..ModulePolicy::default() };
    let test = TestMode::default();
    let module = make_module("SM-1", place(&path, &watching), policy, test, &passphrase);
    let people = People::of(&module, &passphrase);
    let of_centre = Place {
        storage: Box::new(prepay_vault::MemoryStorage::default()),
        entropy: Box::new(watching.centre.clone()),
        clock: Box::new(SystemClock),
    };
    let centre = TestCentre::make(of_centre, &passphrase);
    let texts = centre.join(&people);
    import(&centre);
    centre.load(&people, (1..=KEYS).map(item).collect(), None);
    issue(&people);
    secrets.add_all(slot_keys(&watching.centre.given(), &people, &texts[2]));
    secrets.add_all(watching.module.given());
    secrets.add_all(watching.centre.given());
    let open = found(&secrets);
    for name in ["vending key 1", "key encryption key of a slot", "of the module", "of the centre"]
    {
        let is_found = open.iter().any(|found| found.contains(name));
        assert!(is_found, "an open module holds {name}, and the search finds it: {open:?}");
    }
    module.vault().close().unwrap();
    drop((people, module));

    // Once more from the disk: another agreement, more keys, a back-up, and a module that is locked.
    let vault = passphrase("vault");
    let module = SoftwareModule::open(place(&path, &watching), Unlock::Passphrase(&vault)).unwrap();
    drop(vault);
    let people = People::of(&module, &passphrase);
    let custodians = &people.custodians;
    let request = custodians.request_agreement(&value(TestCentre::NAME)).unwrap();
    let confirmation = centre.desk().agree_to(&request).unwrap().confirmation;
    custodians.accept_confirmation(&document(&confirmation)).unwrap();
    centre.load(&people, (1..=KEYS).map(item).collect(), None);
    issue(&people);
    let [one, other] = ["back-up 1", "back-up 2"].map(passphrase);
    module.vault().backup(&people.quorum, [&one, &other]).unwrap();
    drop((one, other));
    custodians.delete_key(2.try_into().unwrap()).unwrap();
    secrets.add_all(slot_keys(&watching.centre.given(), &people, &request));
    secrets.add_all(watching.module.given());
    secrets.add_all(watching.centre.given());
    centre.close();
    let open = found(&secrets);
    assert!(open.iter().any(|found| found.starts_with("vending key 1")), "{open:?}");
    module.vault().lock();
    println!("{} secrets; while the module was open: {open:#?}", secrets.count());
    assert_eq!(found(&secrets), [""; 0], "a locked module, with every handle still there");
    drop((people, module));
    assert_eq!(found(&secrets), [""; 0]);
}
