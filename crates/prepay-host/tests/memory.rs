//! After a centre is closed, no vending key is left in the memory of its process.
//!
//! The test looks at its own memory through `/proc`, so it runs on Linux only. It knows the key only masked,
//! so that it does not find what it looks for in itself.
#![cfg(target_os = "linux")]

use std::fs::{File, read_to_string};
use std::os::unix::fs::FileExt;

use prepay_basics::{Clock, Identifier};
use prepay_host::{Directory, SystemClock, SystemEntropy};
use prepay_kmc_module::{
    CentreModule, CentreSession, CentreSetup, CentreVault, KeyLoadItem, KeyLoadOrder,
};
use prepay_kmp::attribute::VendingKeyType;
use prepay_kmp::{
    CentreEnrolment, Identity, KeyLoadRequest, ModuleEnrolment, Nonce, PartyKind, SlotNumber,
    VendingKeyAttributes, open_kmp,
};
use prepay_testkit::documents::{AnswerText, accept_agreement, document};
use prepay_token::element::DecoderKeyGenerationAlgorithm::Dkga04;
use prepay_token::element::{BaseDate, KeyExpiryNumber, KeyRevisionNumber, SupplyGroupCode};
use prepay_token::key::VendingKey;
use prepay_vault::{NewUser, Quorum, Role, Secret, Unlock, scrub_stack};
use zeroize::Zeroizing;

/// The key, with every byte turned over by the mask.
const MASKED: [u8; 20] =
    *b"\x17\xA2\x5B\xE0\x39\xCC\x74\x81\x0D\xF6\x42\x9B\x28\xD5\x63\xBE\x01\x97\x4A\xEC";
const MASK: u8 = 0x6D;

fn key() -> VendingKey {
    let bytes = Zeroizing::new(MASKED.map(|byte| byte ^ MASK));
    VendingKey::new(Dkga04, &*bytes).unwrap()
}

/// How often twelve bytes in a row of the key lie in this process's memory.
fn findings() -> usize {
    let maps = read_to_string("/proc/self/maps").unwrap();
    let memory = File::open("/proc/self/mem").unwrap();
    let mut count = 0;
    let mut bytes = Vec::new();
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        let (range, rights) = (words.next().unwrap(), words.next().unwrap());
        if !rights.starts_with("rw") {
            continue;
        }
        let (from, to) = range.split_once('-').unwrap();
        let [from, to] = [from, to].map(|end| u64::from_str_radix(end, 16).unwrap());
        bytes.resize(usize::try_from(to - from).unwrap(), 0);
        // What cannot be read, such as the kernel's own pages, holds nothing of ours.
        if memory.read_exact_at(&mut bytes, from).is_ok() {
            // Copied bytes would be found again in the copy: they are masked in place.
            bytes.iter_mut().for_each(|byte| *byte ^= MASK);
            for part in MASKED.windows(12).step_by(4) {
                count += bytes.windows(12).filter(|&window| window == part).count();
            }
        }
        bytes.fill(0);
    }
    count
}

fn attributes(group: SupplyGroupCode, revision: KeyRevisionNumber) -> VendingKeyAttributes {
    let now = SystemClock.now();
    VendingKeyAttributes {
        supply_group: group,
        key_revision: revision,
        key_type: VendingKeyType::UNIQUE,
        algorithm: Dkga04,
        expiry: KeyExpiryNumber::from(255),
        base_date: BaseDate::Y2014,
        activation: now,
        issued_until: now.plus_days(1),
        unit_limit: Default::default(),
        currency_limit: Default::default(),
        cluster: Default::default(),
        sub_classes: "01".parse().unwrap(),
        name: Default::default(),
    }
}

/// A whole working day of a centre, up to a key-load file.
fn work(place: &std::path::Path) {
    let passphrase = Secret::from("a passphrase".to_owned());
    let names: [Identifier; 2] = ["ada", "ben"].map(|name| name.parse().unwrap());
    let users = names.each_ref().map(|name| NewUser {
        name,
        role: Role::Custodian,
        passphrase: &passphrase,
    });
    let centre = "CENTRE-1".parse().unwrap();
    let unlock = Unlock::Passphrase(&passphrase);
    let setup =
        CentreSetup { centre: &centre, unlock, users: &users, valid_days: 10, insecure_test: true };
    let vault = setup.make(Directory::create(place).unwrap().into_place(SystemClock)).unwrap();
    let two = |vault: &CentreVault| {
        let [ada, ben] = names.each_ref().map(|name| vault.sign_in(name, &passphrase).unwrap());
        Quorum::new(ada, ben).unwrap()
    };
    let group = SupplyGroupCode::try_from(123_456).unwrap();
    let revision = KeyRevisionNumber::try_from(1).unwrap();
    CentreSession::new(&vault, two(&vault)).import_test_key(group, revision, &key()).unwrap();
    vault.close().unwrap();

    // Again from the disk: unsealing and decoding are where copies are left most easily.
    let again = Directory::open(place).unwrap().into_place(SystemClock);
    let vault = CentreVault::open(again, unlock).unwrap();
    let centre_module = CentreSession::new(&vault, two(&vault));
    let name = "SM-1".parse().unwrap();
    let module = Identity::generate(PartyKind::Module, name, &mut SystemEntropy).unwrap();
    let label = || "1".parse().unwrap();
    let now = SystemClock.now();
    let enrolment = ModuleEnrolment {
        party: module.public().clone(),
        created: now,
        is_test: true,
        maker: label(),
        model: label(),
        firmware: label(),
    };
    let enrolment = open_kmp::write_module_enrolment(&module, &enrolment).unwrap();
    let fingerprint = module.public().fingerprint().to_string();
    centre_module.accept_module(&document(&enrolment), &fingerprint).unwrap();
    let enrolment = centre_module.enrolment().unwrap();
    let party = document::<CentreEnrolment>(enrolment).party;
    let slot = SlotNumber::try_from(1).unwrap();
    let (request, pending) =
        open_kmp::request_agreement(&module, &party, slot, now, &mut SystemEntropy).unwrap();
    let answer = centre_module.agree_to(&request).unwrap();
    let (_, keys) = accept_agreement(&module, &party, &pending, &answer.confirmation).unwrap();
    let request = KeyLoadRequest {
        module: module.name().clone(),
        centre: party.name().clone(),
        slot,
        nonce: Nonce::generate(&mut SystemEntropy).unwrap(),
        created: now,
        expires: now.plus_days(1),
        confirmation: keys.confirmation(),
    };
    let request = open_kmp::write_key_load_request(&module, &request).unwrap();
    let keys = vec![KeyLoadItem { attributes: attributes(group, revision), register: None }];
    let order = KeyLoadOrder { expires: now.plus_days(1), transactions: None, keys };
    centre_module.load_for(&request, &order).unwrap();
    drop(centre_module);
    assert!(findings() > 0, "an open centre holds the key, and the search finds it");
    vault.close().unwrap();
}

#[test]
fn a_closed_centre_leaves_no_vending_key_in_memory() {
    let place = tempfile::tempdir().unwrap();
    work(&place.path().join("vault"));
    scrub_stack();
    assert_eq!(findings(), 0);
}
