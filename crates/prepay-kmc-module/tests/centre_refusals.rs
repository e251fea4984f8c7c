//! What a centre's module refuses, each by name, with nothing changed but for a note in the audit log.

mod centre_kit;

use centre_kit::{
    Centre, Module, attributes, begin, code, group, identifier, item, moment, order, register,
    revision,
};
use prepay_basics::Moment;
use prepay_kmc_module::{
    Authority, CentreEntry, CentreError, CentreModule, CentreSession, CentreSetup, KeyLoadItem,
    KeyLoadOrder,
};
use prepay_kmp::CentreEnrolment;
use prepay_testkit::documents::document;
use prepay_token::element::DecoderKeyGenerationAlgorithm::{Dkga02, Dkga03, Dkga04};
use prepay_token::key::VendingKey;
use prepay_vault::{By, Entries as _, MemoryStorage, records};

const SLOT: u16 = 3;

/// A centre with an accepted module that has a slot, and one vending key.
fn ready() -> (Centre, Module) {
    let centre = Centre::test("CENTRE-1");
    let mut module = Module::new("SM-1", "module 1");
    module.enrol(&centre, SLOT);
    centre.two().generate_vending_key(group(1), revision(1), Dkga04).unwrap();
    (centre, module)
}

/// A key-load request that the centre would answer.
fn good_request(centre: &Centre, module: &mut Module) -> String {
    module.request_load(&centre.party(), SLOT, begin(), begin().plus_days(30))
}

#[test]
fn each_operation_is_refused_to_whoever_may_not() {
    let (centre, mut module) = ready();
    let request = good_request(&centre, &mut module);
    let (agreement, _) = module.request_agreement(&centre.party(), SLOT, begin());
    let enrolment = module.enrolment();
    let fingerprint = module.fingerprint();
    let key = VendingKey::new(Dkga04, &[1; 20]).unwrap();
    let name = identifier("SM-1").into();
    let order = order(vec![item(1, 1, Dkga04)]);
    let file_order = &order;
    type Ask<'a> = Box<dyn Fn(&dyn CentreModule) -> Option<CentreError> + 'a>;
    let operating: [Ask<'_>; 2] = [
        Box::new(|centre_module| centre_module.answer_agreement(&document(&agreement)).err()),
        Box::new(|centre_module| {
            centre_module.build_key_load(&document(&request), file_order).err()
        }),
    ];
    let dual_control: [Ask<'_>; 6] = [
        Box::new(|centre_module| centre_module.renew_keys(10).err()),
        Box::new(|centre_module| {
            centre_module.generate_vending_key(group(2), revision(1), Dkga04).err()
        }),
        Box::new(|centre_module| centre_module.destroy_vending_key(group(1), revision(1)).err()),
        Box::new(|centre_module| centre_module.import_test_key(group(2), revision(1), &key).err()),
        Box::new(|centre_module| {
            centre_module.accept_module(&document(&enrolment), &fingerprint).err()
        }),
        Box::new(|centre_module| centre_module.revoke_module(&name).err()),
    ];
    for (asks, needs, people) in [
        (operating.as_slice(), Authority::Operating, ["uma"].as_slice()),
        (dual_control.as_slice(), Authority::DualControl, &["uma", "olu", "ada"]),
    ] {
        for person in people {
            let centre_module = centre.one(person);
            let before = centre.kept();
            for (number, ask) in asks.iter().enumerate() {
                let refused = ask(&centre_module).unwrap();
                assert!(
                    matches!(refused, CentreError::Forbidden { needs: n, found, .. }
                        if n == needs && found == centre_module.authority()),
                    "{person} {number}: {refused}"
                );
            }
            assert_unchanged(&centre, &before, person);
        }
    }
    let auditor = centre.one("uma");
    let before = centre.kept();
    assert!(auditor.read_key_load_request(&document(&request)).is_ok());
    assert_eq!(auditor.read_agreement_request(&document(&agreement)).unwrap().slot.value(), SLOT);
    assert_unchanged(&centre, &before, "reading");
}

/// Nothing is other than before, but for notes of refusals at the end of the log.
fn assert_unchanged(centre: &Centre, before: &MemoryStorage, case: &str) {
    let mut after = centre.kept();
    assert!(after.store == before.store && after.log.starts_with(&before.log), "{case}");
    let known = records::<CentreEntry>(&mut before.clone(), 1, usize::MAX).unwrap().len();
    for record in records::<CentreEntry>(&mut after, known as u64 + 1, usize::MAX).unwrap() {
        assert_eq!(record.entry.name(), "request_refused", "{case}");
    }
}

#[test]
fn a_session_of_another_centre_or_of_somebody_removed_is_refused() {
    let (centre, _) = ready();
    let other = Centre::test("CENTRE-2");
    let stranger = CentreSession::new(&centre.vault, other.session("olu"));
    assert_eq!(code(stranger.identify()), "not_signed_in");
    let strangers = CentreSession::new(&centre.vault, other.quorum());
    let refused = strangers.generate_vending_key(group(2), revision(1), Dkga04);
    assert_eq!(code(refused), "not_signed_in");

    let operator = centre.one("olu");
    centre.vault.remove_user(&centre.quorum(), &identifier("olu")).unwrap();
    let auditor = centre.one("uma");
    centre.vault.remove_user(&centre.quorum(), &identifier("uma")).unwrap();
    let before = centre.kept();
    assert_eq!(code(operator.identify()), "not_signed_in");
    assert_eq!(code(auditor.identify()), "not_signed_in");
    assert_eq!(code(stranger.modules()), "not_signed_in");
    assert!(centre.kept().log == before.log, "nobody is there of whom the log could tell");
}

#[test]
fn a_refusal_is_noted_with_who_asked_for_what_and_why() {
    let (centre, mut module) = ready();
    let unknown =
        Module::new("SM-9", "module 9").request_agreement(&centre.party(), SLOT, begin()).0;
    let strange = good_request(&centre, &mut Module::new("SM-9", "module 9"));
    let request = good_request(&centre, &mut module);
    let (auditor, operator, custodians) = (centre.one("uma"), centre.one("olu"), centre.two());
    let before = centre.audit().len();
    let refused = [
        auditor.answer_agreement(&document(&unknown)).unwrap_err(),
        auditor.read_key_load_request(&document(&strange)).unwrap_err(),
        operator.answer_agreement(&document(&unknown)).unwrap_err(),
        operator.build_key_load(&document(&request), &order(vec![item(9, 1, Dkga04)])).unwrap_err(),
        custodians.destroy_vending_key(group(9), revision(1)).unwrap_err(),
    ];
    // What was answered is no refusal.
    operator.read_key_load_request(&document(&request)).unwrap();
    custodians.generate_vending_key(group(1), revision(1), Dkga04).unwrap();
    let asked = [
        ("uma", "answer an agreement request", "forbidden"),
        ("uma", "read a key-load request", "module_unknown"),
        ("olu", "answer an agreement request", "module_unknown"),
        ("olu", "build a key-load file", "no_vending_key"),
        ("ada+ben", "destroy a vending key", "no_vending_key"),
    ];
    // The notes outlive a process that ends without a word.
    drop((auditor, operator, custodians));
    let centre = centre.reopened();
    let notes = centre.audit().split_off(before);
    assert_eq!(notes.len(), asked.len());
    for ((note, refusal), (who, operation, code)) in notes.iter().zip(&refused).zip(asked) {
        let actors: Vec<_> = note.actors.iter().map(ToString::to_string).collect();
        assert_eq!((note.entry.name(), actors.join("+").as_str()), ("request_refused", who));
        assert_eq!(refusal.code(), code);
        let reason = format!("{code}: {refusal}");
        let fields = [("operation", operation.to_owned()), ("reason", reason)];
        assert_eq!(note.entry.fields(), fields);
    }
    let report = centre.vault.verify_audit(By::Two(&centre.quorum())).unwrap();
    assert!(report.first_bad.is_none() && report.authenticated);
    // And the centre goes on.
    let made = centre.two().generate_vending_key(group(2), revision(1), Dkga04).unwrap();
    assert!(made.is_new);
}

#[test]
fn what_strangers_wrote_is_noted_cut_and_without_control_characters() {
    let (centre, _) = ready();
    let module = Module::new("SM-2", "module 2");
    let told = format!("\u{1b}[2J\n{}", "é".repeat(100_000));
    let refused = centre.two().accept_module(&document(module.enrolment()), &told);
    assert_eq!(code(refused), "fingerprint");
    let note = centre.audit().pop().unwrap();
    let (_, reason) = note.entry.fields().pop().unwrap();
    assert!(reason.starts_with("fingerprint: "), "{reason}");
    assert!((1000..=1024).contains(&reason.len()) && !reason.contains(char::is_control));
}

#[test]
fn a_refusal_that_cannot_be_noted_is_a_fault() {
    let (centre, _) = ready();
    let auditor = centre.one("uma");
    let storage = centre.storage.clone();
    let broken = std::thread::spawn(move || {
        let _held = storage.lock();
        panic!("the storage breaks");
    });
    assert!(broken.join().is_err());
    assert_eq!(code(auditor.renew_keys(1)), "fault");
    assert_eq!(code(auditor.identify()), "fault");
}

#[test]
fn a_test_centre_accepts_test_modules_only_and_any_other_none() {
    let module = Module::new("SM-1", "module 1");
    for (centre, is_test) in
        [(Centre::test("CENTRE-1"), true), (Centre::make("CENTRE-2", "real", false), false)]
    {
        let own: CentreEnrolment = document(centre.one("uma").enrolment().unwrap());
        assert_eq!(own.is_test, is_test);
        let custodians = centre.two();
        let before = centre.kept();
        let accept = |mark| {
            custodians.accept_module(&document(module.enrolment_of(mark)), &module.fingerprint())
        };
        let expected = CentreError::TestMark { expected: is_test, found: !is_test };
        assert_eq!(accept(!is_test), Err(expected));
        assert_unchanged(&centre, &before, "test mark");
        assert_eq!(accept(is_test).unwrap().is_test, is_test);
    }
}

#[test]
fn a_module_is_accepted_only_with_the_fingerprint_that_its_keepers_told() {
    let centre = Centre::test("CENTRE-1");
    let module = Module::new("SM-1", "module 1");
    let impostor = Module::new("SM-1", "impostor");
    let custodians = centre.two();
    let before = centre.kept();
    let good = module.fingerprint();
    for wrong in ["", &good[..good.len() - 1], &impostor.fingerprint(), "0000"] {
        let refused = custodians.accept_module(&document(module.enrolment()), wrong).unwrap_err();
        let CentreError::Fingerprint { expected, found, .. } = refused else { panic!("{wrong}") };
        assert_eq!((expected.as_str(), &found), (wrong, &good));
    }
    assert_unchanged(&centre, &before, "fingerprint");
    let typed = good.to_lowercase().replace(' ', "");
    assert!(custodians.accept_module(&document(module.enrolment()), &typed).is_ok());

    let refused =
        custodians.accept_module(&document(impostor.enrolment()), &impostor.fingerprint());
    assert_eq!(code(refused), "module_conflict");
    custodians.revoke_module(&identifier("SM-1").into()).unwrap();
    assert_eq!(
        code(custodians.accept_module(&document(module.enrolment()), &good)),
        "module_revoked"
    );
    assert_eq!(code(custodians.revoke_module(&identifier("SM-2").into())), "module_unknown");
}

#[test]
fn changed_requests_are_refused_as_documents() {
    let (centre, mut module) = ready();
    let request = good_request(&centre, &mut module);
    let (agreement, _) = module.request_agreement(&centre.party(), SLOT, begin());
    // What people can write: a signature of the same module, over another text.
    let (other_request, other_agreement) = (
        module.request_load(&centre.party(), SLOT + 1, begin(), begin().plus_days(30)),
        module.request_agreement(&centre.party(), SLOT + 1, begin()).0,
    );
    let with_signature_of = |text: &str, other: &str| {
        let (content, _) = text.split_once("SIG;").unwrap();
        let (_, signature) = other.split_once("SIG;").unwrap();
        format!("{content}SIG;{signature}")
    };
    let request = with_signature_of(&request, &other_request);
    let agreement = with_signature_of(&agreement, &other_agreement);
    let centre_module = centre.two();
    let before = centre.kept();
    let (asked, items) = (document(&request), order(vec![item(1, 1, Dkga04)]));
    assert_eq!(code(centre_module.read_key_load_request(&asked)), "signature");
    assert_eq!(code(centre_module.build_key_load(&asked, &items)), "signature");
    let asked = document(&agreement);
    assert_eq!(code(centre_module.read_agreement_request(&asked)), "signature");
    assert_eq!(code(centre_module.answer_agreement(&asked)), "signature");
    assert_unchanged(&centre, &before, "changed texts");
}

#[test]
fn requests_that_may_not_be_answered_are_refused_by_name() {
    let (centre, mut module) = ready();
    let other = Centre::test("CENTRE-2");
    let namesake = Centre::make("CENTRE-1", "other keys", true);
    let mut unknown = Module::new("SM-9", "module 9");
    let mut impostor = Module::new("SM-1", "impostor");
    let mut revoked = Module::new("SM-2", "module 2");
    revoked.enrol(&centre, SLOT);
    centre.two().revoke_module(&identifier("SM-2").into()).unwrap();
    let party = centre.party();
    let (now, later) = (begin(), begin().plus_days(30));
    let far = begin().plus_seconds(901);

    let loads = [
        ("other_centre", module.request_load(&other.party(), SLOT, now, later)),
        ("other_centre", module.request_load(&namesake.party(), SLOT, now, later)),
        ("module_unknown", unknown.request_load(&party, SLOT, now, later)),
        ("module_revoked", revoked.request_load(&party, SLOT, now, later)),
        ("other_module", impostor.request_load(&party, SLOT, now, later)),
        ("no_slot", module.request_load(&party, SLOT + 1, now, later)),
        ("from_future", module.request_load(&party, SLOT, far, later)),
        (
            "request_expired",
            module.request_load(&party, SLOT, moment("2026-01-01T00:00:00Z"), earlier(now)),
        ),
    ];
    let agreements = [
        ("other_centre", module.request_agreement(&other.party(), SLOT, now).0),
        ("module_unknown", unknown.request_agreement(&party, SLOT, now).0),
        ("module_revoked", revoked.request_agreement(&party, SLOT, now).0),
        ("other_module", impostor.request_agreement(&party, SLOT, now).0),
        ("from_future", module.request_agreement(&party, SLOT, far).0),
        ("superseded", module.request_agreement(&party, SLOT, earlier(now)).0),
    ];
    let operator = centre.one("olu");
    let before = centre.kept();
    for (expected, request) in &loads {
        assert_eq!(code(operator.read_key_load_request(&document(request))), *expected);
        let order = order(vec![item(1, 1, Dkga04)]);
        assert_eq!(code(operator.build_key_load(&document(request), &order)), *expected);
    }
    for (expected, request) in &agreements {
        assert_eq!(code(operator.read_agreement_request(&document(request))), *expected);
        assert_eq!(code(operator.answer_agreement(&document(request))), *expected);
    }
    assert_unchanged(&centre, &before, "requests");
    // The bounds, from inside.
    let near = begin().plus_seconds(900);
    let request = module.request_load(&party, SLOT, near, later);
    assert!(operator.read_key_load_request(&document(&request)).is_ok());
    centre.clock.set(later);
    assert!(operator.read_key_load_request(&document(&request)).is_ok());
    centre.clock.set(later.plus_seconds(1));
    assert_eq!(code(operator.read_key_load_request(&document(&request))), "request_expired");
}

fn earlier(moment: Moment) -> Moment {
    Moment::from_unix_seconds(moment.unix_seconds() - 1).unwrap()
}

#[test]
fn what_is_for_keys_that_were_renewed_is_refused_with_both_names() {
    let (centre, mut module) = ready();
    let old = centre.party();
    let request = good_request(&centre, &mut module);
    let (agreement, _) = module.request_agreement(&old, SLOT, begin().plus_seconds(60));
    let before = centre.kept();
    assert_eq!(code(centre.two().renew_keys(0)), "dates");
    assert!(centre.kept().store == before.store, "nothing is renewed");
    assert_eq!(centre.party(), old);

    let renewed = begin().plus_seconds(60);
    centre.clock.set(renewed);
    centre.two().renew_keys(10).unwrap();
    centre.two().renew_keys(20).unwrap();
    let centre = centre.reopened();
    let operator = centre.one("olu");
    let new = centre.party();
    let before = centre.kept();
    let answers = [
        operator.answer_agreement(&document(&agreement)).unwrap_err(),
        operator.read_key_load_request(&document(&request)).unwrap_err(),
        operator.build_key_load(&document(&request), &order(vec![item(1, 1, Dkga04)])).unwrap_err(),
    ];
    for refused in answers {
        let CentreError::CentreRenewed { expected, found, since } = &refused else {
            panic!("{refused}")
        };
        assert_eq!((expected, found), (&new.name().to_string(), &old.name().to_string()));
        assert_eq!((*since, refused.code()), (renewed, "centre_renewed"));
    }
    // Keys that the centre never had are another's, and slots have to agree afresh.
    let namesake = Centre::make("CENTRE-1", "other keys", true);
    let (agreement, _) = module.request_agreement(&namesake.party(), SLOT, renewed);
    assert_eq!(code(operator.answer_agreement(&document(&agreement))), "other_centre");
    let request = module.request_load(&new, SLOT, renewed, begin().plus_days(5));
    assert_eq!(code(operator.read_key_load_request(&document(&request))), "no_slot");
    assert_unchanged(&centre, &before, "renewed");
}

#[test]
fn orders_that_make_no_file_are_refused_by_name() {
    let (centre, mut module) = ready();
    let request = good_request(&centre, &mut module);
    let good = item(1, 1, Dkga04);
    let with = |change: fn(&mut KeyLoadItem)| {
        let mut item = item(1, 1, Dkga04);
        change(&mut item);
        item
    };
    centre.two().generate_vending_key(group(2), revision(1), Dkga04).unwrap();
    let twice_in_register = [1, 2]
        .map(|code| KeyLoadItem { attributes: attributes(code, 1, Dkga04), register: register(5) });
    let keys: [(&str, Vec<KeyLoadItem>); 8] = [
        ("count", vec![]),
        ("count", vec![good.clone(); 1001]),
        ("twice", vec![good.clone(), good.clone()]),
        ("twice", twice_in_register.to_vec()),
        ("no_vending_key", vec![good.clone(), item(9, 1, Dkga04)]),
        ("no_vending_key", vec![item(1, 2, Dkga04)]),
        ("algorithm_conflict", vec![item(1, 1, Dkga02)]),
        (
            "dates",
            vec![with(|item| {
                item.attributes.activation = item.attributes.issued_until.plus_seconds(1)
            })],
        ),
    ];
    let operator = centre.one("olu");
    let before = centre.kept();
    for (expected, keys) in keys {
        assert_eq!(code(operator.build_key_load(&document(&request), &order(keys))), expected);
    }
    for expires in [earlier(begin()), begin().plus_days(30).plus_seconds(1)] {
        let order = KeyLoadOrder { expires, transactions: None, keys: vec![good.clone()] };
        assert_eq!(
            code(operator.build_key_load(&document(&request), &order)),
            "dates",
            "{expires}"
        );
    }
    assert_unchanged(&centre, &before, "orders");
    for expires in [begin(), begin().plus_days(30)] {
        let order = KeyLoadOrder { expires, transactions: None, keys: vec![good.clone()] };
        assert!(operator.build_key_load(&document(&request), &order).is_ok(), "{expires}");
    }
}

#[test]
fn a_key_never_takes_the_place_of_another() {
    let (centre, _) = ready();
    let custodians = centre.two();
    let known = VendingKey::new(Dkga04, &[1; 20]).unwrap();
    let short = VendingKey::new(Dkga03, &[1; 16]).unwrap();
    let before = centre.kept();
    let refused = custodians.generate_vending_key(group(1), revision(1), Dkga02);
    assert_eq!(code(refused), "algorithm_conflict");
    let refused = custodians.import_test_key(group(1), revision(1), &short);
    assert_eq!(code(refused), "algorithm_conflict");
    let refused = custodians.import_test_key(group(1), revision(1), &known);
    assert_eq!(code(refused), "key_conflict");
    assert_unchanged(&centre, &before, "keys");
}

#[test]
fn known_keys_come_into_test_centres_only() {
    let centre = Centre::make("CENTRE-1", "real", false);
    let known = VendingKey::new(Dkga04, &[1; 20]).unwrap();
    let custodians = centre.two();
    let refused = custodians.import_test_key(group(1), revision(1), &known);
    assert_eq!(code(refused), "not_test_centre");
    assert!(!custodians.identify().unwrap().is_test);
    let made = custodians.generate_vending_key(group(1), revision(1), Dkga04).unwrap();
    assert!(!made.is_test && !custodians.vending_keys().unwrap()[0].is_test);
}

#[test]
fn a_centre_whose_public_keys_are_not_in_force_answers_nothing() {
    let (centre, mut module) = ready();
    let end = begin().plus_days(CentreSetup::VALID_DAYS);
    let request = module.request_load(&centre.party(), SLOT, begin(), end.plus_days(30));
    let (agreement, _) = module.request_agreement(&centre.party(), SLOT, begin());
    let order = KeyLoadOrder {
        expires: end.plus_days(20),
        transactions: None,
        keys: vec![item(1, 1, Dkga04)],
    };
    let operator = centre.one("olu");
    for now in [end.plus_seconds(1), earlier(begin())] {
        centre.clock.set(now);
        assert_eq!(
            code(operator.build_key_load(&document(&request), &order)),
            "centre_key",
            "{now}"
        );
        assert_eq!(code(operator.answer_agreement(&document(&agreement))), "centre_key", "{now}");
    }
    centre.clock.set(end);
    assert!(operator.build_key_load(&document(&request), &order).is_ok());
    assert!(operator.answer_agreement(&document(&agreement)).is_ok());
}
