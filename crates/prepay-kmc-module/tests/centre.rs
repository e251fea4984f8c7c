//! A centre's module and a module's side: keys are made, agreed upon, handed out and never seen.

mod centre_kit;

use prepay_testkit::documents::{AnswerText, document};
use std::collections::BTreeSet;

use centre_kit::{
    Centre, Module, attributes, begin, group, identifier, item, order, place, register, revision,
    secret,
};
use prepay_basics::Moment;
use prepay_kmc_module::{
    Authority, CentreModule, CentreSession, CentreSetup, CentreVault, KeyLoadItem, KeyLoadOrder,
    ModuleState,
};
use prepay_kmp::{DocumentError, check_value};
use prepay_token::element::DecoderKeyGenerationAlgorithm::{self, Dkga02, Dkga03, Dkga04};
use prepay_token::key::VendingKey;
use prepay_vault::{By, Entries as _, RestoredLimits, Unlock};

const SLOT: u16 = 3;

#[test]
fn keys_go_from_the_centre_into_a_module_with_their_attributes() {
    let centre = Centre::test("CENTRE-1");
    let mut module = Module::new("SM-1", "module 1");
    let slot_keys = module.enrol(&centre, SLOT);
    let party = centre.party();
    let mut expected = Vec::new();
    for (code, algorithm) in [(1, Dkga02), (2, Dkga03), (3, Dkga04)] {
        let made = centre.two().generate_vending_key(group(code), revision(1), algorithm).unwrap();
        assert!(made.is_new && made.is_test);
        expected.push(made.check_value);
    }
    let request = module.request_load(&party, SLOT, begin(), begin().plus_days(30));
    let operator = centre.one("olu");
    let read = operator.read_key_load_request(&document(&request)).unwrap();
    assert_eq!((read.module.id().as_str(), read.slot.value()), ("SM-1", SLOT));

    let with_register = KeyLoadItem { attributes: attributes(3, 1, Dkga04), register: register(7) };
    let order = KeyLoadOrder {
        expires: begin().plus_days(10),
        transactions: Some(5000),
        keys: vec![item(1, 1, Dkga02), item(2, 1, Dkga03), with_register],
    };
    let load = operator.load_for(&request, &order).unwrap();
    assert_eq!((load.serial, load.slot, load.is_test), (1, SLOT, true));
    assert_eq!(load.check_values, expected);

    let opened = module.read_load(&party, &slot_keys, &load.file).unwrap();
    assert_eq!(opened.header.serial, 1);
    assert_eq!(opened.header.transactions, Some(5000));
    assert_eq!(opened.header.nonce, read.nonce);
    assert_eq!(opened.header.expires, load.expires);
    for (key, (asked, &value)) in opened.keys.iter().zip(order.keys.iter().zip(&expected)) {
        assert_eq!((&key.attributes, key.register), (&asked.attributes, asked.register));
        assert_eq!((key.check_value, check_value(&key.key)), (value, value));
    }
}

#[test]
fn a_file_opens_in_no_other_module_and_no_other_slot() {
    let centre = Centre::test("CENTRE-1");
    let mut one = Module::new("SM-1", "module 1");
    let mut other = Module::new("SM-2", "module 2");
    one.enrol(&centre, SLOT);
    let next_slot = one.agree(&centre, SLOT + 1, begin());
    let ours = one.agree(&centre, SLOT, begin());
    let theirs = other.enrol(&centre, SLOT);
    let party = centre.party();
    centre.two().generate_vending_key(group(1), revision(1), Dkga04).unwrap();
    let request = one.request_load(&party, SLOT, begin(), begin().plus_days(30));
    let load = centre.one("olu").load_for(&request, &order(vec![item(1, 1, Dkga04)])).unwrap();
    assert!(one.read_load(&party, &ours, &load.file).is_ok());
    assert_eq!(one.read_load(&party, &next_slot, &load.file).unwrap_err(), DocumentError::Mac);
    let refused = other.read_load(&party, &theirs, &load.file).unwrap_err();
    assert_eq!(refused.code(), "other_module");
}

#[test]
fn doing_it_again_after_reopening_changes_nothing() {
    let centre = Centre::test("CENTRE-1");
    let mut module = Module::new("SM-1", "module 1");
    let accepted =
        centre.two().accept_module(&document(module.enrolment()), &module.fingerprint()).unwrap();
    let made = centre.two().generate_vending_key(group(1), revision(1), Dkga04).unwrap();
    let (request, accept) = module.request_agreement(&centre.party(), SLOT, begin());
    let answer = centre.one("olu").agree_to(&request).unwrap();
    let enrolment = centre.one("uma").enrolment().unwrap();
    let identity = centre.one("uma").identify().unwrap();

    let centre = centre.reopened();
    centre.clock.set(begin().plus_days(1));
    let entries = centre.audit().len();
    let again = centre.one("olu").agree_to(&request).unwrap();
    assert_eq!(again, answer, "to the byte, a day later");
    let slot_keys = accept(&module, &again.confirmation);
    module.keys = slot_keys.clone();
    let report =
        centre.two().accept_module(&document(module.enrolment()), &module.fingerprint()).unwrap();
    assert_eq!(report.accepted, accepted.accepted);
    assert_eq!(report.slots, [SLOT]);
    let key = centre.two().generate_vending_key(group(1), revision(1), Dkga04).unwrap();
    assert_eq!((key.check_value, key.is_new), (made.check_value, false));
    assert_eq!(centre.one("uma").enrolment().unwrap(), enrolment);
    assert_eq!(centre.one("uma").identify().unwrap(), identity);
    assert_eq!(centre.audit().split_off(entries), [], "nothing new was noted");

    // Keys and agreements are still there to work with.
    let party = centre.party();
    let request = module.request_load(&party, SLOT, begin(), begin().plus_days(30));
    let load = centre.one("olu").load_for(&request, &order(vec![item(1, 1, Dkga04)])).unwrap();
    let opened = module.read_load(&party, &slot_keys, &load.file).unwrap();
    assert_eq!(opened.keys[0].check_value, made.check_value);
}

#[test]
fn the_same_request_may_be_answered_again_under_a_new_serial_number() {
    let centre = Centre::test("CENTRE-1");
    let mut module = Module::new("SM-1", "module 1");
    let slot_keys = module.enrol(&centre, SLOT);
    let party = centre.party();
    centre.two().generate_vending_key(group(1), revision(1), Dkga04).unwrap();
    let request = module.request_load(&party, SLOT, begin(), begin().plus_days(30));
    let order = order(vec![item(1, 1, Dkga04)]);
    let first = centre.one("olu").load_for(&request, &order).unwrap();
    let centre = centre.reopened();
    let second = centre.one("olu").load_for(&request, &order).unwrap();
    assert_eq!((first.serial, second.serial), (1, 2));
    for load in [first, second] {
        let header = module.read_load(&party, &slot_keys, &load.file).unwrap().header;
        assert_eq!(header.serial, load.serial);
    }
}

#[test]
fn a_new_agreement_replaces_the_old_slot_keys_and_never_goes_back() {
    let centre = Centre::test("CENTRE-1");
    let mut module = Module::new("SM-1", "module 1");
    centre.two().accept_module(&document(module.enrolment()), &module.fingerprint()).unwrap();
    let party = centre.party();
    let (first, accept_first) = module.request_agreement(&party, SLOT, begin());
    let (second, accept_second) = module.request_agreement(&party, SLOT, begin());
    let (third, accept_third) = module.request_agreement(&party, SLOT, begin().plus_seconds(1));
    let operator = centre.one("olu");
    let answer = |text: &str| operator.agree_to(text);
    let confirm = |text: &str| answer(text).unwrap().confirmation;
    let old = accept_first(&module, &confirm(&first));
    // Of the same second, told apart by its nonce.
    let next = accept_second(&module, &confirm(&second));
    assert_eq!(answer(&first).unwrap_err().code(), "superseded");
    let newest = accept_third(&module, &confirm(&third));
    for older in [&first, &second] {
        assert_eq!(answer(older).unwrap_err().code(), "superseded");
    }

    centre.two().generate_vending_key(group(1), revision(1), Dkga04).unwrap();
    let order = order(vec![item(1, 1, Dkga04)]);
    module.keys = newest.clone();
    let request = module.request_load(&party, SLOT, begin(), begin().plus_days(30));
    let load = operator.load_for(&request, &order).unwrap();
    for keys in [&old, &next] {
        assert_eq!(module.read_load(&party, keys, &load.file).unwrap_err(), DocumentError::Mac);
    }
    assert!(module.read_load(&party, &newest, &load.file).is_ok());
}

#[test]
fn a_centre_uses_an_agreement_only_after_the_module_has_confirmed_it() {
    let centre = Centre::test("CENTRE-1");
    let mut module = Module::new("SM-1", "module 1");
    module.enrol(&centre, SLOT);
    centre.two().generate_vending_key(group(1), revision(1), Dkga04).unwrap();
    let (party, order) = (centre.party(), order(vec![item(1, 1, Dkga04)]));
    let operator = centre.one("olu");
    let ask = |module: &mut Module| {
        document(module.request_load(&party, SLOT, begin(), begin().plus_days(30)))
    };
    let read_before = operator.read_key_load_request(&ask(&mut module)).unwrap();
    let before = module.keys.clone();

    // The centre has answered anew; the module has not read the answer yet.
    let (renewal, accept) = module.request_agreement(&party, SLOT, begin().plus_seconds(1));
    let answer = operator.agree_to(&renewal).unwrap();
    let refused = operator.read_key_load_request(&ask(&mut module)).unwrap_err();
    assert_eq!(refused.code(), "confirmation");
    let refused = operator.build_key_load(&read_before, &order).unwrap_err();
    assert_eq!(refused.code(), "confirmation", "the request was read before the new agreement");

    module.keys = accept(&module, &answer.confirmation);
    let request = operator.read_key_load_request(&ask(&mut module)).unwrap();
    let load = operator.build_key_load(&request, &order).unwrap();
    assert!(module.read_load(&party, &module.keys, &load.file).is_ok());
    let refused = module.read_load(&party, &before, &load.file).unwrap_err();
    assert_eq!(refused, DocumentError::Mac);
}

#[test]
fn a_destroyed_key_is_gone_and_the_next_of_its_name_is_another() {
    let centre = Centre::test("CENTRE-1");
    let custodians = centre.two();
    let first = custodians.generate_vending_key(group(1), revision(1), Dkga04).unwrap();
    custodians.generate_vending_key(group(1), revision(2), Dkga02).unwrap();
    let destroyed = custodians.destroy_vending_key(group(1), revision(1)).unwrap();
    assert_eq!(destroyed, first.check_value);
    let again = custodians.destroy_vending_key(group(1), revision(1)).unwrap_err();
    assert_eq!(again.code(), "no_vending_key");
    let left = custodians.vending_keys().unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!((left[0].revision, left[0].algorithm), (revision(2), Dkga02));
    let next = custodians.generate_vending_key(group(1), revision(1), Dkga04).unwrap();
    assert!(next.is_new);
    assert_ne!(next.check_value, first.check_value);
}

#[test]
fn a_known_key_comes_in_as_it_is_and_shows_that_it_is_known() {
    let centre = Centre::test("CENTRE-1");
    let bytes = hex("abababababababab949494949494949401234567");
    let key = VendingKey::new(Dkga04, &bytes).unwrap();
    let custodians = centre.two();
    let taken = custodians.import_test_key(group(123_456), revision(1), &key).unwrap();
    assert_eq!((taken.check_value, taken.is_new, taken.is_test), (check_value(&key), true, true));
    assert!(!custodians.import_test_key(group(123_456), revision(1), &key).unwrap().is_new);
    let listed = custodians.vending_keys().unwrap();
    assert!(listed[0].is_imported && listed[0].is_test);

    let mut module = Module::new("SM-1", "module 1");
    let slot_keys = module.enrol(&centre, SLOT);
    let party = centre.party();
    let request = module.request_load(&party, SLOT, begin(), begin().plus_days(30));
    let order = order(vec![item(123_456, 1, Dkga04)]);
    let load = centre.one("olu").load_for(&request, &order).unwrap();
    let opened = module.read_load(&party, &slot_keys, &load.file).unwrap();
    assert_eq!(opened.keys[0].key.expose_bytes(), bytes);
}

#[test]
fn everything_is_in_the_audit_log_with_who_did_it() {
    let centre = Centre::test("CENTRE-1");
    let mut module = Module::new("SM-1", "module 1");
    module.enrol(&centre, SLOT);
    centre.two().generate_vending_key(group(1), revision(1), Dkga04).unwrap();
    let request = module.request_load(&centre.party(), SLOT, begin(), begin().plus_days(30));
    centre.one("olu").load_for(&request, &order(vec![item(1, 1, Dkga04)])).unwrap();
    centre.two().destroy_vending_key(group(1), revision(1)).unwrap();
    centre.two().revoke_module(&identifier("SM-1").into()).unwrap();

    let told: Vec<(&str, String)> = centre
        .audit()
        .iter()
        .filter(|record| record.entry.kind() >= 200)
        .map(|record| {
            let actors: Vec<_> = record.actors.iter().map(ToString::to_string).collect();
            (record.entry.name(), actors.join("+"))
        })
        .collect();
    let expected = [
        ("module_confirmed", "ada+ben"),
        ("agreement_answered", "olu"),
        ("vending_key_generated", "ada+ben"),
        ("key_load_built", "olu"),
        ("vending_key_destroyed", "ada+ben"),
        ("module_revoked", "ada+ben"),
    ];
    assert!(told.iter().map(|(name, who)| (*name, who.as_str())).eq(expected), "{told:?}");
    let report = centre.vault.verify_audit(By::Two(&centre.quorum())).unwrap();
    assert_eq!(report.first_bad, None);
    assert!(report.authenticated);
}

#[test]
fn who_acts_and_with_which_authority_can_be_asked() {
    let centre = Centre::test("CENTRE-1");
    for (name, authority) in
        [("uma", Authority::Reading), ("olu", Authority::Operating), ("ada", Authority::Operating)]
    {
        let centre_module = centre.one(name);
        assert_eq!(
            (centre_module.acting(), centre_module.authority()),
            (vec![identifier(name)], authority)
        );
    }
    let centre_module = centre.two();
    assert_eq!(centre_module.acting(), [identifier("ada"), identifier("ben")]);
    assert_eq!(centre_module.authority(), Authority::DualControl);
}

#[test]
fn a_revoked_module_is_listed_with_no_slots_left() {
    let centre = Centre::test("CENTRE-1");
    Module::new("SM-1", "module 1").enrol(&centre, SLOT);
    Module::new("SM-2", "module 2").enrol(&centre, SLOT);
    centre.clock.set(begin().plus_days(2));
    centre.two().revoke_module(&identifier("SM-2").into()).unwrap();
    centre.clock.set(begin().plus_days(3));
    centre.two().revoke_module(&identifier("SM-2").into()).unwrap();
    let centre = centre.reopened();
    let modules = centre.one("uma").modules().unwrap();
    let told: Vec<_> = modules
        .iter()
        .map(|module| (module.details.module.as_str(), module.state, module.slots.as_slice()))
        .collect();
    let since = begin().plus_days(2);
    let expected: [(&str, ModuleState, &[u16]); 2] =
        [("SM-1", ModuleState::Accepted, &[SLOT]), ("SM-2", ModuleState::Revoked { since }, &[])];
    assert_eq!(told, expected);
    assert_eq!(modules[0].details.maker, "Maker");
    assert!(modules[0].is_test);
}

#[test]
fn sixteen_threads_never_share_a_serial_number() {
    let centre = Centre::test("CENTRE-1");
    let mut module = Module::new("SM-1", "module 1");
    module.enrol(&centre, SLOT);
    centre.two().generate_vending_key(group(1), revision(1), Dkga04).unwrap();
    let request = module.request_load(&centre.party(), SLOT, begin(), begin().plus_days(30));
    let operator = centre.one("olu");
    let order = order(vec![item(1, 1, Dkga04)]);
    let serials: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16)
            .map(|_| scope.spawn(|| operator.load_for(&request, &order).unwrap().serial))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(BTreeSet::from_iter(serials).into_iter().eq(1..=16));
}

#[test]
fn a_restored_centre_keeps_its_keys_and_never_repeats_a_serial_number() {
    let centre = Centre::test("CENTRE-1");
    let mut module = Module::new("SM-1", "module 1");
    let slot_keys = module.enrol(&centre, SLOT);
    let party = centre.party();
    centre.two().generate_vending_key(group(1), revision(1), Dkga04).unwrap();
    let [a, b] = [secret("one half of it"), secret("the other half")];
    let backup = centre.vault.backup(&centre.quorum(), [&a, &b]).unwrap();
    let request = module.request_load(&party, SLOT, begin(), begin().plus_days(30));
    let order = order(vec![item(1, 1, Dkga04)]);
    let after = centre.one("olu").load_for(&request, &order).unwrap();

    let (ada, ben) = (identifier("ada"), identifier("ben"));
    let vault = CentreVault::restore(
        place(&Default::default(), "restored", &centre.clock),
        &backup,
        [(&ada, &a), (&ben, &b)],
        Unlock::KeyFile(&centre.key_file),
        RestoredLimits::Accepted,
    )
    .unwrap();
    let session = vault.sign_in(&identifier("olu"), &secret("passphrase of olu")).unwrap();
    let load = CentreSession::new(&vault, session).load_for(&request, &order).unwrap();
    assert!(load.serial > after.serial + 1_000_000);
    assert!(module.read_load(&party, &slot_keys, &load.file).is_ok());
}

#[test]
fn a_centre_renews_its_keys_and_keeps_everything_else() {
    let centre = Centre::test("CENTRE-1");
    let mut module = Module::new("SM-1", "module 1");
    let old_keys = module.enrol(&centre, SLOT);
    let old = centre.party();
    let made = centre.two().generate_vending_key(group(1), revision(1), Dkga04).unwrap();
    let order = order(vec![item(1, 1, Dkga04)]);
    let request = module.request_load(&old, SLOT, begin(), begin().plus_days(30));
    let first = centre.one("olu").load_for(&request, &order).unwrap();
    // The old keys may have lapsed.
    let now = begin().plus_days(CentreSetup::VALID_DAYS + 1);
    centre.clock.set(now);
    let renewed = centre.two().renew_keys(100).unwrap();
    let centre = centre.reopened();
    assert_eq!(centre.one("uma").identify().unwrap(), renewed);
    assert_eq!((renewed.activation, renewed.expires), (now, now.plus_days(100)));
    assert_eq!((renewed.centre.as_str(), renewed.is_test), ("CENTRE-1", true));
    let new = centre.party();
    assert_eq!(new.fingerprint().to_string(), renewed.fingerprint);
    assert!(new.name() != old.name() && new.id() == old.id());
    let entry = centre.audit().into_iter().rev();
    let entry = entry.into_iter().find(|record| record.entry.name() == "centre_renewed").unwrap();
    assert_eq!(
        entry.entry.fields(),
        [
            ("former", old.fingerprint().to_string()),
            ("fingerprint", renewed.fingerprint),
            ("expires", renewed.expires.to_string()),
        ]
    );
    // The module stays accepted, and gets the same key under new slot keys.
    let modules = centre.one("uma").modules().unwrap();
    assert_eq!((modules[0].state, modules[0].slots.len()), (ModuleState::Accepted, 0));
    let new_keys = module.agree(&centre, SLOT, now);
    let request = module.request_load(&new, SLOT, now, now.plus_days(30));
    let order = KeyLoadOrder { expires: now.plus_days(10), ..order };
    let second = centre.one("olu").load_for(&request, &order).unwrap();
    assert_eq!((first.serial, second.serial), (1, 2));
    assert_eq!(second.check_values, [made.check_value]);
    assert!(module.read_load(&new, &new_keys, &second.file).is_ok());
    // Neither side's old keys go with the new ones.
    assert!(module.read_load(&new, &old_keys, &second.file).is_err());
    assert!(module.read_load(&new, &new_keys, &first.file).is_err());
    assert!(module.read_load(&old, &new_keys, &second.file).is_err());
}

#[test]
fn a_back_up_has_the_keys_of_its_day_and_the_names_before() {
    let centre = Centre::test("CENTRE-1");
    let mut module = Module::new("SM-1", "module 1");
    module.enrol(&centre, SLOT);
    let first = centre.party();
    let [a, b] = [secret("one half of it"), secret("the other half")];
    let restored = |file: &[u8]| {
        let (ada, ben) = (identifier("ada"), identifier("ben"));
        CentreVault::restore(
            place(&Default::default(), "restored", &centre.clock),
            file,
            [(&ada, &a), (&ben, &b)],
            Unlock::KeyFile(&centre.key_file),
            RestoredLimits::Accepted,
        )
        .unwrap()
    };
    let before = centre.vault.backup(&centre.quorum(), [&a, &b]).unwrap();
    centre.two().renew_keys(100).unwrap();
    let after = centre.vault.backup(&centre.quorum(), [&a, &b]).unwrap();
    let (request, _) = module.request_agreement(&first, SLOT, begin());
    for (file, party, answered) in
        [(before, first, None), (after, centre.party(), Some("centre_renewed"))]
    {
        let vault = restored(&file);
        let session = vault.sign_in(&identifier("olu"), &secret("passphrase of olu")).unwrap();
        let centre_module = CentreSession::new(&vault, session);
        assert_eq!(centre_module.identify().unwrap().fingerprint, party.fingerprint().to_string());
        let refused = centre_module.agree_to(&request).err();
        assert_eq!(refused.map(|refused| refused.code()), answered);
    }
}

#[test]
fn no_answer_and_nothing_kept_shows_a_key() {
    let centre = Centre::test("CENTRE-1");
    let mut module = Module::new("SM-1", "module 1");
    module.enrol(&centre, SLOT);
    let custodians = centre.two();
    let keys: Vec<VendingKey> = [(Dkga02, 8), (Dkga03, 16), (Dkga04, 20)]
        .into_iter()
        .zip(1..)
        .map(|((algorithm, length), code): ((DecoderKeyGenerationAlgorithm, u8), u32)| {
            let bytes: Vec<u8> = (0..length).map(|n| 0xC1 ^ n.wrapping_mul(29)).collect();
            let key = VendingKey::new(algorithm, &bytes).unwrap();
            custodians.import_test_key(group(code), revision(1), &key).unwrap();
            key
        })
        .collect();
    let request = module.request_load(&centre.party(), SLOT, begin(), begin().plus_days(30));
    let operator = centre.one("olu");
    let order = order(vec![item(1, 1, Dkga02), item(2, 1, Dkga03), item(3, 1, Dkga04)]);
    let mut told = String::new();
    let mut tell = |what: &dyn std::fmt::Debug| told.push_str(&format!("{what:?} {what:#?}"));
    let load = operator.load_for(&request, &order).unwrap();
    tell(&load);
    tell(&operator.identify());
    tell(&operator.enrolment());
    tell(&operator.modules());
    tell(&operator.vending_keys());
    tell(&operator.read_key_load_request(&document(&request)));
    tell(&custodians.import_test_key(group(1), revision(1), &keys[1]));
    tell(&custodians.import_test_key(
        group(3),
        revision(1),
        &VendingKey::new(Dkga04, &[7; 20]).unwrap(),
    ));
    tell(&centre.vault.audit(By::Two(&centre.quorum()), 1, 1000));
    let kept = centre.kept();
    let places = [
        told.into_bytes(),
        load.file.into_bytes(),
        kept.store.unwrap(),
        kept.log,
        kept.head.unwrap(),
    ];
    for key in &keys {
        let bytes = key.expose_bytes();
        let upper: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        let list = bytes.iter().map(|byte| byte.to_string()).collect::<Vec<_>>().join(", ");
        let forms =
            [bytes.to_vec(), upper.to_lowercase().into_bytes(), upper.into_bytes(), list.into()];
        for (place, bytes) in places.iter().enumerate() {
            for (form, key) in forms.iter().enumerate() {
                let is_there = bytes.windows(key.len()).any(|window| window == key);
                assert!(!is_there, "place {place}, form {form}");
            }
        }
    }
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

#[test]
fn the_clock_of_a_new_centre_starts_its_public_keys() {
    let centre = Centre::test("CENTRE-1");
    let identity = centre.one("uma").identify().unwrap();
    assert_eq!(identity.centre.as_str(), "CENTRE-1");
    assert_eq!(identity.activation, begin());
    assert_eq!(identity.expires, Moment::plus_days(begin(), CentreSetup::VALID_DAYS));
    assert!(identity.is_test);
    assert_eq!(identity.fingerprint, centre.party().fingerprint().to_string());
}
