//! From a centre's enrolment to keys in registers, and everything that is refused on the way.

use prepay_basics::Clock;
use prepay_kmp::attribute::{Cluster, VendingKeyType};
use prepay_kmp::{CentreEnrolment, KeyLoadHeader, ModuleEnrolment, read_as};
use prepay_module::software::{
    CustodianError, LoadRefusal, LoadReport, ModuleEntry, ModulePolicy, OPEN_REQUESTS, SLOTS,
    SlotState, TestMode,
};
use prepay_module::{RegisterReport, SecurityModule};
use prepay_testkit::documents::document;
use prepay_token::element::{BaseDate, DecoderKeyGenerationAlgorithm, KeyExpiryNumber};
use prepay_vault::{Entries as _, Entry};

use crate::kit::*;

/// Everything about a module that a refused load must leave alone.
fn state(world: &World) -> (Vec<RegisterReport>, Vec<prepay_module::software::SlotReport>) {
    let auditor = world.auditor();
    (auditor.registers().unwrap(), auditor.slots().unwrap())
}

/// The code of a refusal that changed nothing, now and after reopening.
fn refused<T>(world: &mut World, act: impl FnOnce(&World) -> Result<T, CustodianError>) -> String {
    let before = state(world);
    let code = match act(world) {
        Ok(_) => "taken in".to_owned(),
        Err(CustodianError::Refused(refusal)) => refusal.code().to_owned(),
        Err(other) => panic!("{other}"),
    };
    if code != "taken in" {
        assert_eq!(state(world), before, "{code}");
        world.reopen();
        assert_eq!(state(world), before, "{code}");
        let last = world.audit();
        let noted = last.iter().rev().find(|record| record.entry.name() == "load_refused");
        let reason = &noted.expect("an entry").entry.fields()[0].1;
        assert!(reason.starts_with(&format!("{code}: ")), "{reason}");
    }
    code
}

fn active() -> (World, TestCentre) {
    joined(policy())
}

fn request(world: &World, centre: &mut TestCentre) -> KeyLoadHeader {
    let request = world.custodians().request_key_load(&centre.id()).unwrap();
    centre.header(&request)
}

fn load(world: &World, text: &str) -> Result<LoadReport, CustodianError> {
    world.custodians().load_keys(&document(text))
}

#[test]
fn a_slot_goes_from_loading_to_pending_to_active() {
    let mut world = World::new(policy());
    let mut centre = TestCentre::new("KMC-1");
    let id = centre.id();
    let report = world.custodians().enrol_centre(&document(centre.enrolment())).unwrap();
    assert_eq!((report.slot, report.state), (1, SlotState::Loading));
    assert_eq!(report.centre.fingerprint, centre.fingerprint());
    assert_eq!(refused(&mut world, |w| w.custodians().request_agreement(&id)), "slot_state");
    let other = TestCentre::new("KMC-2").fingerprint();
    assert_eq!(refused(&mut world, |w| w.custodians().confirm_centre(&id, &other)), "fingerprint");
    let typed = centre.fingerprint().to_lowercase().replace(' ', "");
    let report = world.custodians().confirm_centre(&id, &typed).unwrap();
    assert_eq!(report.state, SlotState::Pending);
    assert_eq!(refused(&mut world, |w| w.custodians().request_key_load(&id)), "slot_state");
    let request = world.custodians().request_agreement(&id).unwrap();
    world.reopen();
    let confirmation = centre.answer(&module_identity(&world), &request);
    let report = world.custodians().accept_confirmation(&document(&confirmation)).unwrap();
    assert_eq!((report.state, report.agreement_open), (SlotState::Active, false));
    let twice =
        refused(&mut world, |w| w.custodians().accept_confirmation(&document(&confirmation)));
    assert_eq!(twice, "agreement_unknown");
    // The same enrolment again changes nothing.
    let again = world.custodians().enrol_centre(&document(centre.enrolment())).unwrap();
    assert_eq!((again.slot, again.state), (1, SlotState::Active));
    let again = world.custodians().confirm_centre(&id, &typed).unwrap();
    assert_eq!(again.state, SlotState::Active);
    let report = centre.load(&world, &[TestKey::new(7)]);
    assert_eq!((report.serial, report.keys[0].register.value()), (1, 7));
    assert!(!report.keys[0].renewed);
    assert!(world.operator().issue_token(credit(7)).is_ok());
}

#[test]
fn a_test_module_knows_test_centres_only() {
    let mut world = World::new(policy());
    let centre = TestCentre::new("KMC-1");
    let real = centre.enrolment_of(false);
    assert!(!document::<CentreEnrolment>(&real).is_test);
    assert_eq!(
        refused(&mut world, |world| world.custodians().enrol_centre(&document(&real))),
        "test_mark"
    );
    assert!(world.custodians().enrol_centre(&document(centre.enrolment())).unwrap().centre.is_test);
    assert!(document::<ModuleEnrolment>(world.auditor().enrolment().unwrap()).is_test);
}

#[test]
fn a_module_writes_one_enrolment_always_the_same() {
    let mut world = World::new(policy());
    let first = world.auditor().enrolment().unwrap();
    world.clock.advance(86_400);
    world.reopen();
    assert_eq!(world.auditor().enrolment().unwrap(), first);
    let found = document::<ModuleEnrolment>(&first).party;
    let shown = world.auditor().identify().unwrap().fingerprint;
    assert_eq!(found.fingerprint().to_string(), shown);
    // A module's enrolment is not a centre's.
    assert_eq!(read_as::<CentreEnrolment>(first.as_bytes()).unwrap_err().code(), "kind");
}

#[test]
fn keys_are_loaded_all_or_none_where_they_belong() {
    let (world, mut centre) = active();
    let free = TestKey { register: None, ..TestKey::new(5) };
    let other = TestKey { register: None, ..TestKey::new(6) };
    let report = centre.load(&world, &[free, TestKey::new(1), other]);
    let registers: Vec<_> = report.keys.iter().map(|key| key.register.value()).collect();
    assert_eq!(registers, [2, 1, 3]);
    // Renewed where it lies, whether or not the file says where.
    let again = TestKey { register: None, ..TestKey::new(5) };
    let report = centre.load(&world, &[again.with(|a| a.expiry = KeyExpiryNumber::from(200))]);
    assert_eq!((report.keys[0].register.value(), report.keys[0].renewed), (2, true));
    let registers = world.auditor().registers().unwrap();
    assert_eq!(registers.len(), 3);
    assert_eq!(registers[1].attributes.expiry.value(), 200);
    let deleted = world.custodians().delete_key(register(2)).unwrap();
    assert_eq!(deleted.attributes.supply_group.value(), 100_005);
    assert_eq!(world.auditor().registers().unwrap().len(), 2);
}

#[test]
fn a_key_that_does_not_fit_what_is_held_is_refused() {
    let (mut world, mut centre) = active();
    centre.load(&world, &[TestKey::new(1), TestKey::des(2)]);
    let mut other_key = TestKey::new(1);
    other_key.key = vending_key(DecoderKeyGenerationAlgorithm::Dkga04, 99);
    let mut other_algorithm = TestKey::des(1);
    other_algorithm.attributes.supply_group = TestKey::new(1).attributes.supply_group;
    let cases = [
        ("key_conflict", other_key),
        ("attribute_conflict", other_algorithm),
        ("attribute_conflict", TestKey::new(1).with(|a| a.key_type = VendingKeyType::DEFAULT)),
        ("attribute_conflict", TestKey::new(1).with(|a| a.base_date = BaseDate::Y2035)),
        ("attribute_conflict", TestKey::new(1).with(|a| a.cluster = Cluster(1))),
        ("register_conflict", TestKey { register: Some(3), ..TestKey::new(1) }),
        ("register_conflict", TestKey { register: Some(1), ..TestKey::new(3) }),
    ];
    for (expected, key) in cases {
        // A good key in the same file is not taken in either.
        let header = request(&world, &mut centre);
        let text = centre.file(&header, &[TestKey::new(4), key]);
        assert_eq!(refused(&mut world, |w| load(w, &text)), expected);
    }
    // Another revision of the same group is another key.
    let next = TestKey::new(1).with(|a| a.key_revision = 2.try_into().unwrap());
    centre.load(&world, &[TestKey { register: Some(3), ..next }]);
}

#[test]
fn files_that_answer_no_open_request_are_refused() {
    let (mut world, mut centre) = active();
    let first = request(&world, &mut centre);
    let second = request(&world, &mut centre);
    let keys = [TestKey::new(1)];
    let text = centre.file(&second, &keys);
    load(&world, &text).unwrap();
    // Twice, and another file for the same request.
    assert_eq!(refused(&mut world, |w| load(w, &text)), "request_used");
    let again = KeyLoadHeader { serial: 9, ..second.clone() };
    let text = centre.file(&again, &keys);
    assert_eq!(refused(&mut world, |w| load(w, &text)), "request_used");
    // Older than the last, though its request is open.
    let text = centre.file(&first, &keys);
    assert_eq!(refused(&mut world, |w| load(w, &text)), "serial");
    // Never asked for.
    let mut header = request(&world, &mut centre);
    let nonce = header.nonce;
    header.nonce = prepay_kmp::Nonce::from_bytes([9; 16]);
    let text = centre.file(&header, &keys);
    assert_eq!(refused(&mut world, |w| load(w, &text)), "request_unknown");
    // Too late for the request, or for the file.
    let now = world.clock.now();
    header.nonce = nonce;
    let long = KeyLoadHeader { expires: moment("2030-01-01T00:00:00Z"), ..header.clone() };
    let text = centre.file(&long, &keys);
    world.clock.set(header.expires.plus_seconds(1));
    assert_eq!(refused(&mut world, |w| load(w, &text)), "request_expired");
    let short = KeyLoadHeader { expires: now.plus_days(1), ..header.clone() };
    let text = centre.file(&short, &keys);
    world.clock.set(now.plus_days(1).plus_seconds(1));
    assert_eq!(refused(&mut world, |w| load(w, &text)), "file_expired");
    world.clock.set(now.plus_days(1));
    load(&world, &text).unwrap();
    // Only so many requests stay open.
    let oldest = request(&world, &mut centre);
    for _ in 0..OPEN_REQUESTS {
        request(&world, &mut centre);
    }
    let text = centre.file(&oldest, &keys);
    assert_eq!(refused(&mut world, |w| load(w, &text)), "request_unknown");
}

#[test]
fn files_of_others_are_refused() {
    let (mut world, mut centre) = active();
    let header = request(&world, &mut centre);
    let keys = [TestKey::new(1)];
    let good = centre.file(&header, &keys);
    // Another module.
    let mut other = World::named("SM-2", policy(), TestMode::default());
    TestCentre::new("KMC-1").join(&other);
    assert_eq!(refused(&mut other, |w| load(w, &good)), "other_module");
    // A centre that is not known, and one that has the name of a known one.
    let mut unknown = TestCentre::new("KMC-2");
    unknown.keys = centre.keys.clone();
    let from = |centre: &TestCentre| KeyLoadHeader {
        centre: centre.identity.name().clone(),
        ..header.clone()
    };
    let text = unknown.file(&from(&unknown), &keys);
    assert_eq!(refused(&mut world, |w| load(w, &text)), "centre_unknown");
    let mut impostor = TestCentre::with_seed("KMC-1", 77);
    impostor.keys = centre.keys.clone();
    let text = impostor.file(&from(&impostor), &keys);
    assert_eq!(refused(&mut world, |w| load(w, &text)), "centre_conflict");
    let enrolment = impostor.enrolment();
    let taken = refused(&mut world, |w| w.custodians().enrol_centre(&document(&enrolment)));
    assert_eq!(taken, "centre_conflict");
    // Another slot.
    let other_slot = KeyLoadHeader { slot: slot(2), ..header.clone() };
    let text = centre.file(&other_slot, &keys);
    assert_eq!(refused(&mut world, |w| load(w, &text)), "other_slot");
    // Keys of an older agreement.
    let old_keys = centre.keys.clone();
    centre.agree(&world);
    assert_eq!(refused(&mut world, |w| load(w, &good)), "mac");
    let text = centre.file(&header, &keys);
    load(&world, &text).unwrap();
    assert!(old_keys.is_some());
}

#[test]
fn a_second_agreement_takes_effect_when_it_is_confirmed() {
    let (mut world, mut centre) = active();
    let header = request(&world, &mut centre);
    let abandoned = world.custodians().request_agreement(&centre.id()).unwrap();
    let open = world.custodians().request_agreement(&centre.id()).unwrap();
    // The old keys serve until the confirmation.
    let text = centre.file(&header, &[TestKey::new(1)]);
    load(&world, &text).unwrap();
    let mut other = TestCentre::new("KMC-1");
    let late = other.answer(&module_identity(&world), &abandoned);
    let found = refused(&mut world, |w| w.custodians().accept_confirmation(&document(&late)));
    assert_eq!(found, "request_unknown");
    let confirmation = centre.answer(&module_identity(&world), &open);
    world.custodians().accept_confirmation(&document(&confirmation)).unwrap();
    centre.load(&world, &[TestKey::new(2)]);
}

#[test]
fn nothing_of_a_revoked_centre_is_taken_in() {
    let (mut world, mut centre) = active();
    centre.load(&world, &[TestKey::new(1)]);
    let header = request(&world, &mut centre);
    let text = centre.file(&header, &[TestKey::new(2)]);
    world.custodians().revoke_centre(&centre.id()).unwrap();
    assert_eq!(refused(&mut world, |w| load(w, &text)), "centre_revoked");
    let (enrolment, id) = (centre.enrolment(), centre.id());
    let found = refused(&mut world, |w| w.custodians().enrol_centre(&document(&enrolment)));
    assert_eq!(found, "centre_revoked");
    for act in [0, 1, 2] {
        let found = refused(&mut world, |w| match act {
            0 => w.custodians().request_key_load(&id).map(drop),
            1 => w.custodians().request_agreement(&id).map(drop),
            _ => w.custodians().revoke_centre(&id),
        });
        assert_eq!(found, "centre_revoked");
    }
    // Its keys stay until they lapse, and a centre of the same name with new keys may renew them.
    world.operator().issue_token(credit(1)).unwrap();
    let mut successor = TestCentre::with_seed("KMC-1", 5);
    successor.join(&world);
    successor.load(&world, &[TestKey::new(1)]);
}

#[test]
fn several_centres_give_keys_to_one_module() {
    let (mut world, mut first) = active();
    let mut second = TestCentre::new("KMC-2");
    second.join(&world);
    first.load(&world, &[TestKey::new(1)]);
    second.load(&world, &[TestKey::new(2)]);
    let slots = world.auditor().slots().unwrap();
    let found: Vec<_> = slots.iter().map(|slot| (slot.slot, slot.keys)).collect();
    assert_eq!(found, [(1, 1), (2, 1)]);
    // One does not renew the other's keys, nor load under its slot.
    let header = request(&world, &mut second);
    let text = second.file(&header, &[TestKey::new(1)]);
    assert_eq!(refused(&mut world, |w| load(w, &text)), "centre_of_key");
    let under_first = KeyLoadHeader { slot: slot(1), ..header };
    let text = second.file(&under_first, &[TestKey::new(3)]);
    assert_eq!(refused(&mut world, |w| load(w, &text)), "other_slot");
    // Until it is revoked.
    world.custodians().revoke_centre(&first.id()).unwrap();
    second.load(&world, &[TestKey::new(1)]);
}

#[test]
fn a_centres_own_keys_have_their_time() {
    let mut world = World::new(policy());
    let mut centre = TestCentre::new("KMC-1");
    centre.expires = moment("2026-03-10T00:00:00Z");
    centre.join(&world);
    let header = request(&world, &mut centre);
    let text = centre.file(&header, &[TestKey::new(1)]);
    world.clock.set(centre.expires.plus_seconds(1));
    assert_eq!(refused(&mut world, |w| load(w, &text)), "centre_key");
    let id = centre.id();
    assert_eq!(refused(&mut world, |w| w.custodians().request_agreement(&id)), "centre_key");
    assert_eq!(refused(&mut world, |w| w.custodians().request_key_load(&id)), "centre_key");
    world.clock.set(centre.expires);
    load(&world, &text).unwrap();
    let mut past = TestCentre::new("KMC-2");
    past.expires = moment("2025-01-01T00:00:00Z");
    let enrolment = past.enrolment();
    assert_eq!(
        refused(&mut world, |w| w.custodians().enrol_centre(&document(&enrolment))),
        "centre_key"
    );
    let mut future = TestCentre::new("KMC-3");
    future.activation = moment("2026-06-01T00:00:00Z");
    let (enrolment, id) = (future.enrolment(), future.id());
    world.custodians().enrol_centre(&document(&enrolment)).unwrap();
    world.custodians().confirm_centre(&id, &future.fingerprint()).unwrap();
    assert_eq!(refused(&mut world, |w| w.custodians().request_agreement(&id)), "centre_key");
}

#[test]
fn slots_are_finite() {
    let mut world = World::new(policy());
    let custodians = world.custodians();
    for number in 0..SLOTS {
        let centre = TestCentre::new(&format!("KMC-{number}"));
        custodians.enrol_centre(&document(centre.enrolment())).unwrap();
    }
    let one_more = TestCentre::new("KMC-X").enrolment();
    assert_eq!(
        refused(&mut world, |w| w.custodians().enrol_centre(&document(&one_more))),
        "slots_full"
    );
    world.custodians().revoke_centre(&TestCentre::new("KMC-3").id()).unwrap();
    assert_eq!(world.custodians().enrol_centre(&document(&one_more)).unwrap().slot, 4);
}

#[test]
fn a_file_may_fill_the_transaction_counter() {
    let policy = ModulePolicy { transactions: Some(0), ..policy() };
    let (mut world, mut centre) = joined(policy);
    let header = request(&world, &mut centre);
    let text = centre.file(&KeyLoadHeader { transactions: Some(7), ..header }, &[TestKey::new(1)]);
    assert_eq!(load(&world, &text).unwrap().transactions_added, Some(7));
    // One entry has all that the file did: both are there after a stop, or neither is.
    let last = world.audit().into_iter().rev();
    let last = last.map(|record| record.entry).find(|entry| entry.kind() >= 100).unwrap();
    let Entry::Owner(ModuleEntry::KeysLoaded { transactions_added, .. }) = last else {
        panic!("{last:?}")
    };
    assert_eq!(transactions_added, Some(7));
    assert_eq!(world.left(1).2, Some(7));
    world.reopen();
    assert_eq!(world.left(1).2, Some(7));
    let header = request(&world, &mut centre);
    let header = KeyLoadHeader { transactions: Some(u64::MAX), ..header };
    let text = centre.file(&header, &[TestKey::new(1)]);
    assert_eq!(refused(&mut world, |w| load(w, &text)), "transaction_counter");
    let (mut world, mut centre) = active();
    let header = request(&world, &mut centre);
    let text = centre.file(&KeyLoadHeader { transactions: Some(7), ..header }, &[TestKey::new(1)]);
    assert_eq!(refused(&mut world, |w| load(w, &text)), "transaction_counter");
    assert_eq!(refused(&mut world, |w| w.custodians().refill(1)), "transaction_counter");
}

#[test]
fn every_flipped_bit_and_every_cut_of_a_file_is_refused() {
    let (world, mut centre) = active();
    let header = request(&world, &mut centre);
    let good = centre.file(&header, &[TestKey::new(1)]);
    let custodians = world.custodians();
    let before = state(&world);
    let mut refusals = 0;
    let mut check = |bytes: &[u8]| {
        let file = read_as(bytes).map_err(CustodianError::from);
        let found = file.and_then(|file| custodians.load_keys(&file));
        assert!(matches!(found, Err(CustodianError::Refused(_))), "{}", bytes.escape_ascii());
        refusals += 1;
    };
    for length in 0..good.len() {
        check(&good.as_bytes()[..length]);
    }
    for bit in 0..8 * good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        check(&bytes);
    }
    assert_eq!(refusals, 9 * good.len());
    assert_eq!(state(&world), before);
    load(&world, &good).unwrap();
}

#[test]
fn no_empty_register_can_be_deleted() {
    let (mut world, _) = active();
    let found = refused(&mut world, |w| w.custodians().delete_key(register(1)));
    assert_eq!(found, LoadRefusal::Register { register: register(1) }.code());
}
