//! A centre's vault and a software module together: the whole way of a key, and what the module makes of
//! files that come twice, late or under old slot keys.

mod centre_kit;

use prepay_testkit::documents::{AnswerText, document};
use std::sync::{Arc, Mutex};

use centre_kit::{Centre, Foreseeable, begin, group, identifier, item, order, revision, secret};
use prepay_kmc_module::CentreModule;
use prepay_module::software::{
    CustodianError, Custodians, ModulePolicy, NewModule, SoftwareModule, TestMode,
};
use prepay_token::element::DecoderKeyGenerationAlgorithm::Dkga04;
use prepay_vault::{KeyFile, MemoryStorage, NewUser, Place, Quorum, Role, Unlock};

/// A test module in memory, with its custodians at work.
fn module(centre: &Centre, name: &str) -> Custodians {
    let place = Place {
        storage: Box::new(Arc::new(Mutex::new(MemoryStorage::default()))),
        entropy: Box::new(Foreseeable::named(name)),
        clock: Box::new(centre.clock.clone()),
    };
    let names = ["eve", "fay"].map(identifier);
    let passphrase = secret("a passphrase");
    let users = names.each_ref().map(|name| NewUser {
        name,
        role: Role::Custodian,
        passphrase: &passphrase,
    });
    let key_file = KeyFile::generate(&mut Foreseeable::named("module's key file")).unwrap();
    let new = NewModule {
        module: name.parse().unwrap(),
        unlock: Unlock::KeyFile(&key_file),
        users: &users,
        policy: ModulePolicy::default(),
    };
    let module = SoftwareModule::create_insecure_test(place, new, TestMode::default()).unwrap();
    let [eve, fay] = names.map(|name| module.vault().sign_in(&name, &passphrase).unwrap());
    module.custodians(Quorum::new(eve, fay).unwrap()).unwrap()
}

/// Both sides enrol each other and agree.
fn introduce(centre: &Centre, module: &Custodians) {
    let enrolment = module.reader().enrolment().unwrap();
    let fingerprint = module.reader().identify().unwrap().fingerprint;
    centre.two().accept_module(&document(&enrolment), &fingerprint).unwrap();
    let identity = centre.one("uma").identify().unwrap();
    module.enrol_centre(&document(centre.one("uma").enrolment().unwrap())).unwrap();
    module.confirm_centre(&identity.centre, &identity.fingerprint).unwrap();
    agree(centre, module);
}

fn agree(centre: &Centre, module: &Custodians) {
    let request = module.request_agreement(&centre_id()).unwrap();
    let answer = centre.one("olu").agree_to(&request).unwrap();
    module.accept_confirmation(&document(&answer.confirmation)).unwrap();
}

fn centre_id() -> prepay_kmp::CentreId {
    "CENTRE-1".parse().unwrap()
}

fn refused<T: std::fmt::Debug>(answer: Result<T, CustodianError>) -> &'static str {
    answer.unwrap_err().code()
}

#[test]
fn a_key_reaches_a_register_with_the_check_value_that_the_centre_told() {
    let centre = Centre::test("CENTRE-1");
    let module = module(&centre, "SM-1");
    introduce(&centre, &module);
    let made = centre.two().generate_vending_key(group(123_456), revision(1), Dkga04).unwrap();
    let request = module.request_key_load(&centre_id()).unwrap();
    let order = order(vec![item(123_456, 1, Dkga04)]);
    let load = centre.one("olu").load_for(&request, &order).unwrap();
    let loaded = module.load_keys(&document(&load.file)).unwrap();
    assert_eq!(loaded.serial, load.serial);
    let registers = module.reader().registers().unwrap();
    assert_eq!(registers.len(), 1);
    assert_eq!(registers[0].check_value, made.check_value);
    assert_eq!(registers[0].attributes, order.keys[0].attributes);
    assert_eq!(registers[0].centre, centre_id());
    assert_eq!(refused(module.load_keys(&document(&load.file))), "request_used");
}

#[test]
fn of_two_files_for_one_request_the_module_takes_one() {
    let centre = Centre::test("CENTRE-1");
    let module = module(&centre, "SM-1");
    introduce(&centre, &module);
    centre.two().generate_vending_key(group(1), revision(1), Dkga04).unwrap();
    let request = module.request_key_load(&centre_id()).unwrap();
    let build = || {
        let order = order(vec![item(1, 1, Dkga04)]);
        centre.one("olu").load_for(&request, &order).unwrap().file
    };
    let files = [build(), build()];
    module.load_keys(&document(&files[1])).unwrap();
    assert_eq!(refused(module.load_keys(&document(&files[0]))), "request_used");
}

#[test]
fn after_a_new_agreement_a_file_under_the_old_slot_keys_is_refused() {
    let centre = Centre::test("CENTRE-1");
    let module = module(&centre, "SM-1");
    introduce(&centre, &module);
    centre.two().generate_vending_key(group(1), revision(1), Dkga04).unwrap();
    let request = module.request_key_load(&centre_id()).unwrap();
    let order = order(vec![item(1, 1, Dkga04)]);
    let old = centre.one("olu").load_for(&request, &order).unwrap();
    centre.clock.set(begin().plus_seconds(60));
    agree(&centre, &module);
    assert_eq!(refused(module.load_keys(&document(&old.file))), "mac");
    let request = module.request_key_load(&centre_id()).unwrap();
    let new = centre.one("olu").load_for(&request, &order).unwrap();
    assert!(module.load_keys(&document(&new.file)).is_ok());
}

#[test]
fn a_key_made_anew_under_its_old_name_is_refused_where_the_old_one_is_loaded() {
    let centre = Centre::test("CENTRE-1");
    let module = module(&centre, "SM-1");
    introduce(&centre, &module);
    let load = || {
        let request = module.request_key_load(&centre_id()).unwrap();
        let order = order(vec![item(1, 1, Dkga04)]);
        {
            let load = centre.one("olu").load_for(&request, &order).unwrap();
            module.load_keys(&document(&load.file))
        }
    };
    let custodians = centre.two();
    custodians.generate_vending_key(group(1), revision(1), Dkga04).unwrap();
    load().unwrap();
    custodians.destroy_vending_key(group(1), revision(1)).unwrap();
    custodians.generate_vending_key(group(1), revision(1), Dkga04).unwrap();
    assert_eq!(refused(load()), "key_conflict");
}

#[test]
fn a_module_takes_in_a_renewed_centre_by_revoking_the_old_keys() {
    let centre = Centre::test("CENTRE-1");
    let module = module(&centre, "SM-1");
    introduce(&centre, &module);
    let made = centre.two().generate_vending_key(group(1), revision(1), Dkga04).unwrap();
    let order = order(vec![item(1, 1, Dkga04)]);
    let load = || {
        let request = module.request_key_load(&centre_id()).unwrap();
        centre.one("olu").load_for(&request, &order)
    };
    module.load_keys(&document(&load().unwrap().file)).unwrap();
    let old_enrolment = centre.one("uma").enrolment().unwrap();
    let waiting = load().unwrap();
    let renewed = centre.two().renew_keys(100).unwrap();
    let enrolment = centre.one("uma").enrolment().unwrap();
    // Whatever the module asks under the old keys, the centre says what has happened.
    assert_eq!(load().unwrap_err().code(), "centre_renewed");
    let agreement = module.request_agreement(&centre_id()).unwrap();
    let answer = centre.one("olu").agree_to(&agreement);
    assert_eq!(answer.unwrap_err().code(), "centre_renewed");
    // New keys do not slip in beside the old ones.
    assert_eq!(refused(module.enrol_centre(&document(&enrolment))), "centre_conflict");
    module.revoke_centre(&centre_id()).unwrap();
    let slot = module.enrol_centre(&document(&enrolment)).unwrap();
    assert_eq!(slot.slot, 1);
    assert_eq!(refused(module.confirm_centre(&centre_id(), "0000")), "fingerprint");
    module.confirm_centre(&centre_id(), &renewed.fingerprint).unwrap();
    agree(&centre, &module);
    // Old files and the old enrolment stay out; the register is the same, renewed by a later file.
    assert_eq!(refused(module.load_keys(&document(&waiting.file))), "centre_revoked");
    assert_eq!(refused(module.enrol_centre(&document(&old_enrolment))), "centre_revoked");
    let new = load().unwrap();
    assert!(new.serial > waiting.serial);
    let loaded = module.load_keys(&document(&new.file)).unwrap();
    assert!(loaded.keys[0].renewed);
    let registers = module.reader().registers().unwrap();
    assert_eq!((registers.len(), registers[0].check_value), (1, made.check_value));
    assert_eq!(registers[0].centre, centre_id());
    assert_eq!(refused(module.load_keys(&document(&new.file))), "request_used");
}
