//! Key-load files contain exactly the keys that may go to a module, and list what was left out and why.

mod common;

use common::{
    AUTHORISATION, Bench, KEY, MODULE_FINGERPRINT, customer, document, fingerprint, moment,
    new_key, terms, text, today,
};
use prepay_kmc::centre::{CommandError, Decision, KeyTerms, LoadOptions, NewKey};
use prepay_kmc::entity::{FormRecord, KeyLoadRecord, LeftOutReason, VendingKeyId};
use prepay_kmc::form::{FormKind, FormState};
use prepay_kmc::store::{CentreStore, PAGE};
use prepay_kmc_module::CentreModule;
use prepay_kmp::attribute::{CurrencyLimit, UnitLimit};
use prepay_token::element::SupplyGroupCode;

const REQUEST: &str = "load:SM-1:1:AA";

fn all() -> LoadOptions {
    LoadOptions::default()
}

fn id(generation: u8) -> VendingKeyId {
    VendingKeyId {
        group: "000123".parse().unwrap(),
        revision: generation.try_into().unwrap(),
        generation: generation.into(),
    }
}

#[test]
fn an_authorised_live_key_goes_into_the_file() {
    let bench = Bench::new();
    let mut centre = bench.furnished();
    bench.accepted(&mut centre, FormKind::KeyUseAuthorisation, AUTHORISATION);
    centre.answer_agreement(&document("agree:SM-1:1")).unwrap();
    let answer = centre.answer_key_load(&document(REQUEST), &all()).unwrap();
    assert_eq!(answer.load.keys.len(), 1);
    assert_eq!(answer.load.keys[0].key, id(1));
    assert_eq!(answer.load.keys[0].issued_until, moment("2026-05-30T12:00:00Z"));
    assert!(answer.load.left_out.is_empty() && !answer.is_repeated);

    let order = &bench.module.orders()[0];
    let attributes = &order.keys[0].attributes;
    assert_eq!(attributes.name.as_str(), "North town");
    assert_eq!(attributes.issued_until, moment("2026-05-30T12:00:00Z"));

    // Repeating the request returns the same file, even much later; nothing new is built.
    bench.clock.advance_days(30);
    let again = centre.answer_key_load(&document(REQUEST), &all()).unwrap();
    assert!(again.is_repeated);
    assert_eq!(again.load, answer.load);
    assert_eq!(bench.module.orders().len(), 1);

    // A new request moves IUT forward, up to EXP.
    let next = centre.answer_key_load(&document("load:SM-1:1:BB"), &all()).unwrap();
    assert_eq!(next.load.keys[0].issued_until, moment("2026-06-29T12:00:00Z"));
    let short = KeyTerms { expires: moment("2026-04-15T00:00:00Z"), ..terms() };
    centre.refresh_key(id(1), short).unwrap();
    let last = centre.answer_key_load(&document("load:SM-1:1:CC"), &all()).unwrap();
    assert_eq!(last.load.keys[0].issued_until, moment("2026-04-15T00:00:00Z"));
}

#[test]
fn a_repeated_request_is_never_answered_differently() {
    let bench = Bench::new();
    let mut centre = bench.furnished();
    bench.accepted(&mut centre, FormKind::KeyUseAuthorisation, AUTHORISATION);
    centre.answer_agreement(&document("agree:SM-1:1")).unwrap();
    let group = id(1).group;
    let other_group = "000999".parse().unwrap();
    let asked = [
        LoadOptions { groups: None, transactions: None },
        LoadOptions { groups: Some([group].into()), transactions: None },
        LoadOptions { groups: Some([group, other_group].into()), transactions: None },
        LoadOptions { groups: None, transactions: Some(0) },
        LoadOptions { groups: None, transactions: Some(500) },
    ];
    for (number, first) in asked.iter().enumerate() {
        let request = format!("load:SM-1:1:{number:02X}");
        let file = centre.answer_key_load(&document(&request), first).unwrap().load;
        let before = centre.store().journal(0, PAGE).unwrap();
        for options in &asked {
            let again = centre.answer_key_load(&document(&request), options);
            if options == first {
                let again = again.unwrap();
                assert!(again.is_repeated && again.load == file, "{options:?}");
                continue;
            }
            let Err(CommandError::LoadConflict { serial, expected, found, .. }) = again else {
                panic!("{first:?} {options:?}: {again:?}")
            };
            assert!(serial == file.serial && expected != found, "{first:?} {options:?}");
        }
        // The same holds for a form.
        let signed = text(&request);
        let values = [
            ("customer", "1"),
            ("module", "SM-1"),
            ("module_fingerprint", MODULE_FINGERPRINT),
            ("request", signed.as_str()),
            ("groups", "000999"),
        ];
        let form = bench.sign(&bench.anna, FormKind::KeyLoadRequest, &values);
        assert_eq!(centre.store().journal(0, PAGE).unwrap(), before);
        let form = centre.receive_form(&form).unwrap();
        let refused = centre.accept_form(form, &Decision::default()).unwrap_err();
        assert_eq!(refused.code(), "load_conflict");
    }
    assert_eq!(bench.module.orders().len(), asked.len());

    // Another text with the nonce of an answered request.
    let refused = centre.answer_key_load(&document("load:SM-1:1:00 "), &all()).unwrap_err();
    assert_eq!(refused.code(), "load_conflict");

    // (groups listed, code of the error)
    for (count, code) in [(1000, "nothing_to_load"), (1001, "value_range")] {
        let codes = (1000..1000 + count).map(|code| SupplyGroupCode::try_from(code).unwrap());
        let options = LoadOptions { groups: Some(codes.collect()), transactions: None };
        let refused = centre.answer_key_load(&document("load:SM-1:1:FF"), &options).unwrap_err();
        assert_eq!(refused.code(), code, "{count}");
    }
}

#[test]
fn a_file_from_before_a_refresh_is_not_returned_again() {
    // (what changes in the terms, the new terms)
    let cases: [(&str, KeyTerms); 5] = [
        ("EXP before IUT", KeyTerms { expires: moment("2026-04-15T00:00:00Z"), ..terms() }),
        ("longer period", KeyTerms { refresh_days: 91, ..terms() }),
        ("shorter period", KeyTerms { refresh_days: 89, ..terms() }),
        ("unit limit", KeyTerms { unit_limit: UnitLimit(Some(9)), ..terms() }),
        ("no currency limit", KeyTerms { currency_limit: CurrencyLimit(None), ..terms() }),
    ];
    for (name, changed) in cases {
        let bench = Bench::new();
        let mut centre = bench.furnished();
        bench.accepted(&mut centre, FormKind::KeyUseAuthorisation, AUTHORISATION);
        centre.answer_agreement(&document("agree:SM-1:1")).unwrap();
        let file = centre.answer_key_load(&document(REQUEST), &all()).unwrap().load;
        bench.clock.advance_days(10);
        centre.refresh_key(id(1), changed).unwrap();
        let refused = centre.answer_key_load(&document(REQUEST), &all()).unwrap_err();
        let CommandError::LoadRefreshed { serial, key } = refused else {
            panic!("{name}: {refused:?}")
        };
        assert_eq!((serial, key), (file.serial, id(1)), "{name}");
        // Terms that would give the same file: for example an EXP far after IUT.
        let far = moment("2029-01-01T00:00:00Z");
        centre.refresh_key(id(1), KeyTerms { expires: far, ..terms() }).unwrap();
        assert!(centre.answer_key_load(&document(REQUEST), &all()).unwrap().is_repeated, "{name}");
        assert_eq!(bench.module.orders().len(), 1, "{name}: nothing was built");
    }
}

/// What happens before the request, and why nothing may be loaded then.
type Case = (
    &'static str,
    fn(&Bench, &mut prepay_kmc::centre::Centre<'_, prepay_kmc::store::MemoryStore>),
    LeftOutReason,
);

#[test]
fn every_reason_to_leave_a_key_out_is_reported() {
    const CASES: &[Case] = &[
        ("key revoked", |_, centre| centre.revoke_key(id(1)).unwrap(), LeftOutReason::KeyRevoked),
        ("key expired", |bench, _| bench.clock.advance_days(1402), LeftOutReason::KeyExpired),
        (
            "authorisation revoked",
            |_, centre| centre.revoke_authorisation("1".parse().unwrap()).unwrap(),
            LeftOutReason::AuthorisationRevoked,
        ),
        (
            "authorisation ended",
            |bench, _| bench.clock.advance_days(365),
            LeftOutReason::AuthorisationEnded,
        ),
        (
            "signatory revoked",
            |_, centre| centre.revoke_signatory(&"anna".parse().unwrap()).unwrap(),
            LeftOutReason::SignatoryRevoked,
        ),
        (
            "owner changed",
            |_, centre| centre.transfer_group("000123".parse().unwrap(), customer(2)).unwrap(),
            LeftOutReason::OwnerChanged,
        ),
    ];
    for (name, prepare, reason) in CASES {
        let bench = Bench::new();
        let mut centre = bench.furnished();
        bench.accepted(&mut centre, FormKind::KeyUseAuthorisation, AUTHORISATION);
        centre.answer_agreement(&document("agree:SM-1:1")).unwrap();
        // An earlier file may not be returned again either.
        let before = centre.answer_key_load(&document("load:SM-1:1:00"), &all()).unwrap();
        prepare(&bench, &mut centre);
        let refused = centre.answer_key_load(&document(REQUEST), &all());
        let Err(CommandError::NothingToLoad { left_out, .. }) = &refused else {
            panic!("{name}: {refused:?}")
        };
        assert_eq!(left_out.len(), 1, "{name}");
        assert_eq!((left_out[0].key, left_out[0].reason), (id(1), *reason), "{name}");
        let again = centre.answer_key_load(&document("load:SM-1:1:00"), &all());
        let Err(CommandError::LoadOutdated { serial, left_out }) = again else {
            panic!("{name}: {again:?}")
        };
        assert_eq!((serial, left_out.reason), (before.load.serial, *reason), "{name}");
        assert_eq!(bench.module.orders().len(), 1, "{name}: nothing was built");
    }
}

#[test]
fn an_authorisation_is_valid_before_its_end_and_not_at_it() {
    // (seconds of validity, whether it is valid a day later)
    for (seconds, counts) in [(86_401, true), (86_400, false)] {
        let bench = Bench::new();
        let mut centre = bench.furnished();
        let until = today().plus_seconds(seconds).to_string();
        let mut values = AUTHORISATION.to_vec();
        values[4] = ("valid_until", &until);
        bench.accepted(&mut centre, FormKind::KeyUseAuthorisation, &values);
        centre.answer_agreement(&document("agree:SM-1:1")).unwrap();
        bench.clock.advance_days(1);
        assert_eq!(centre.answer_key_load(&document(REQUEST), &all()).is_ok(), counts, "{seconds}");
    }
}

#[test]
fn keys_not_asked_for_or_too_early_are_left_out_beside_the_others() {
    let bench = Bench::new();
    let mut centre = bench.furnished();
    let mut values = common::GROUP.to_vec();
    values[5] = ("group", "000124");
    bench.accepted(&mut centre, FormKind::GroupApplication, &values);
    let other = NewKey { group: "000124".parse().unwrap(), ..new_key() };
    centre.request_key(&other).unwrap();
    let early = NewKey { activation: moment("2026-09-01T00:00:00Z"), ..new_key() };
    centre.request_key(&early).unwrap();
    let mut values = AUTHORISATION.to_vec();
    values[3] = ("groups", "000123,000124");
    bench.accepted(&mut centre, FormKind::KeyUseAuthorisation, &values);
    centre.answer_agreement(&document("agree:SM-1:1")).unwrap();
    let groups = Some(["000123".parse().unwrap()].into());
    let options = LoadOptions { groups, transactions: Some(5) };
    let load = centre.answer_key_load(&document(REQUEST), &options).unwrap().load;
    assert_eq!(load.keys.len(), 1);
    assert_eq!(load.transactions, Some(5));
    let left_out: Vec<_> = load.left_out.iter().map(|left| left.reason).collect();
    assert_eq!(left_out, [LeftOutReason::NeverActive, LeftOutReason::NotAsked]);
}

#[test]
fn a_newer_authorisation_replaces_a_revoked_one() {
    let bench = Bench::new();
    let mut centre = bench.furnished();
    bench.accepted(&mut centre, FormKind::KeyUseAuthorisation, AUTHORISATION);
    centre.revoke_authorisation("1".parse().unwrap()).unwrap();
    bench.clock.advance_days(1);
    bench.accepted(&mut centre, FormKind::KeyUseAuthorisation, AUTHORISATION);
    centre.answer_agreement(&document("agree:SM-1:1")).unwrap();
    assert_eq!(centre.answer_key_load(&document(REQUEST), &all()).unwrap().load.keys.len(), 1);
    let twice = centre.revoke_authorisation("1".parse().unwrap());
    assert!(matches!(twice, Err(CommandError::Ended { .. })), "{twice:?}");
}

#[test]
fn modules_without_row_or_authorisation_get_nothing() {
    let bench = Bench::new();
    let mut centre = bench.furnished();
    centre.answer_agreement(&document("agree:SM-1:1")).unwrap();
    let refused = centre.answer_key_load(&document(REQUEST), &all()).unwrap_err();
    assert_eq!(refused.code(), "nothing_to_load");
    assert_eq!(
        centre.answer_key_load(&document("load:SM-2:1:AA"), &all()).unwrap_err().code(),
        "module_unknown"
    );
    assert_eq!(
        centre.answer_key_load(&document("load:SM-1:2:AA"), &all()).unwrap_err().code(),
        "no_slot"
    );
    assert_eq!(
        centre.answer_agreement(&document("agree:SM-2:1")).unwrap_err().code(),
        "module_unknown"
    );
    bench.accepted(&mut centre, FormKind::KeyUseAuthorisation, AUTHORISATION);
    centre.revoke_module(&"SM-1".parse().unwrap()).unwrap();
    for request in [REQUEST, "load:SM-1:1:BB"] {
        assert_eq!(
            centre.answer_key_load(&document(request), &all()).unwrap_err().code(),
            "module_revoked"
        );
    }
    centre.revoke_module(&"SM-1".parse().unwrap()).unwrap();
    let unknown = centre.revoke_module(&"SM-9".parse().unwrap()).unwrap_err();
    assert_eq!(unknown.code(), "not_there");
    // Nobody can authorise it again.
    let again = [AUTHORISATION, &[("remark", "again")]].concat();
    let form = bench.sign(&bench.anna, FormKind::KeyUseAuthorisation, &again);
    let number = centre.receive_form(&form).unwrap();
    let refused = centre.accept_form(number, &prepay_kmc::centre::Decision::default());
    assert_eq!(refused.unwrap_err().code(), "ended");
}

#[test]
fn a_refused_agreement_leaves_the_module_alone() {
    let bench = Bench::new();
    let mut centre = bench.furnished();
    // A revocation was interrupted before it reached the centre's module.
    bench.module.fail(true);
    centre.revoke_module(&"SM-1".parse().unwrap()).unwrap_err();
    bench.module.fail(false);
    // A module without a row: its enrolment was interrupted after the centre's module had accepted it.
    bench.module.accept_module(&document("enrol:SM-2"), &fingerprint("SM-2")).unwrap();
    for (module, code) in [("SM-1", "ended"), ("SM-2", "not_there")] {
        let refused = centre.answer_agreement(&document(format!("agree:{module}:1"))).unwrap_err();
        assert_eq!(refused.code(), code, "{module}");
        let slot = bench.module.read_key_load_request(&document(format!("load:{module}:1:AA")));
        assert_eq!(slot.unwrap_err().code(), "no_slot", "{module}");
    }
}

#[test]
fn no_file_is_built_if_the_key_differs_from_its_row() {
    let bench = Bench::new();
    let mut centre = bench.furnished();
    bench.accepted(&mut centre, FormKind::KeyUseAuthorisation, AUTHORISATION);
    centre.answer_agreement(&document("agree:SM-1:1")).unwrap();
    let key = id(1);
    bench.module.destroy_vending_key(key.group, key.revision).unwrap();
    let gone = centre.answer_key_load(&document(REQUEST), &all()).unwrap_err();
    assert_eq!(gone.code(), "no_vending_key");
    bench.module.generate_vending_key(key.group, key.revision, new_key().algorithm).unwrap();
    let refused = centre.answer_key_load(&document(REQUEST), &all()).unwrap_err();
    let CommandError::CheckValue { key: named, expected, found } = refused else {
        panic!("{refused:?}")
    };
    assert_eq!((named, expected.as_str(), found.as_str()), (key, "open-010100", "open-020100"));
    assert_eq!(bench.module.orders(), [], "nothing was built");
}

#[test]
fn a_key_load_form_builds_the_file_and_is_done() {
    let bench = Bench::new();
    let mut centre = bench.furnished();
    centre.answer_agreement(&document("agree:SM-1:1")).unwrap();
    let request = text(REQUEST);
    let named = |module, fingerprint| {
        [
            ("customer", "1"),
            ("module", module),
            ("module_fingerprint", fingerprint),
            ("request", request.as_str()),
        ]
    };
    let other = fingerprint("SM-2");
    let values = named("SM-1", MODULE_FINGERPRINT);
    let form = bench.sign(&bench.anna, FormKind::KeyLoadRequest, &values);
    let number = centre.receive_form(&form).unwrap();
    let refused = centre.accept_form(number, &Decision::default()).unwrap_err();
    assert_eq!(refused.code(), "nothing_to_load");
    assert_eq!(
        centre.row::<FormRecord>(&number).unwrap().row.state,
        FormState::Received,
        "it can still be refused"
    );
    bench.accepted(&mut centre, FormKind::KeyUseAuthorisation, AUTHORISATION);
    let accepted = centre.accept_form(number, &Decision::default()).unwrap();
    assert_eq!(accepted.form.state, FormState::Done);
    assert_eq!(&*accepted.load.unwrap().load.file, "file 1 for SM-1");
    assert!(centre.store().get::<KeyLoadRecord>(&1).unwrap().is_some());

    for (values, code) in
        [(named("SM-2", MODULE_FINGERPRINT), "other_module"), (named("SM-1", &other), "module_key")]
    {
        let form = bench.sign(&bench.anna, FormKind::KeyLoadRequest, &values);
        let number = centre.receive_form(&form).unwrap();
        let refused = centre.accept_form(number, &Decision::default()).unwrap_err();
        assert_eq!(refused.code(), code);
    }
}

#[test]
fn a_key_that_could_not_be_made_is_left_out_until_it_is() {
    let bench = Bench::new();
    let mut centre = bench.furnished();
    bench.accepted(&mut centre, FormKind::KeyUseAuthorisation, AUTHORISATION);
    centre.answer_agreement(&document("agree:SM-1:1")).unwrap();
    let form = bench.sign(&bench.anna, FormKind::VendingKeyRequest, KEY);
    let number = centre.receive_form(&form).unwrap();
    bench.module.fail(true);
    assert_eq!(centre.accept_form(number, &Decision::default()).unwrap_err().code(), "fault");
    bench.module.fail(false);
    assert_eq!(centre.row::<FormRecord>(&number).unwrap().row.state, FormState::Accepted);
    let codes: Vec<_> = centre.orphans().unwrap().iter().map(|orphan| orphan.code()).collect();
    assert_eq!(codes, ["key_not_made", "form_not_done"]);
    let load = centre.answer_key_load(&document(REQUEST), &all()).unwrap().load;
    assert_eq!(load.left_out[0].reason, LeftOutReason::NotMade);
    centre.finish().unwrap();
    assert_eq!(centre.orphans().unwrap(), []);
    let load = centre.answer_key_load(&document("load:SM-1:1:BB"), &all()).unwrap().load;
    assert_eq!((load.keys.len(), load.left_out.len()), (2, 0));
}

#[test]
fn a_module_with_other_keys_than_the_owner_named_gets_nothing() {
    let bench = Bench::new();
    let mut centre = bench.furnished();
    // Enrolled already: the form is refused.
    let other = fingerprint("SM-2");
    let mut values = AUTHORISATION.to_vec();
    values[2].1 = &other;
    let form = bench.sign(&bench.anna, FormKind::KeyUseAuthorisation, &values);
    let number = centre.receive_form(&form).unwrap();
    let refused = centre.accept_form(number, &Decision::default()).unwrap_err();
    assert_eq!(refused.code(), "module_key");
    // Enrolled later: the authorisation remembers the key.
    values[1].1 = "SM-2";
    values[2].1 = MODULE_FINGERPRINT;
    bench.accepted(&mut centre, FormKind::KeyUseAuthorisation, &values);
    centre.enrol_module(&document("enrol:SM-2"), &other).unwrap();
    centre.answer_agreement(&document("agree:SM-2:1")).unwrap();
    match centre.answer_key_load(&document("load:SM-2:1:AA"), &all()) {
        Err(CommandError::NothingToLoad { left_out, .. }) => {
            assert_eq!(left_out[0].reason, LeftOutReason::OtherModuleKey);
        }
        other => panic!("{other:?}"),
    }
    values[2].1 = &other;
    bench.accepted(&mut centre, FormKind::KeyUseAuthorisation, &values);
    centre.answer_key_load(&document("load:SM-2:1:AA"), &all()).unwrap();
}
