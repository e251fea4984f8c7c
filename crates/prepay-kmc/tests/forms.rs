//! Forms: signed by the right people, received once, carried out once.

mod common;

use common::{AUTHORISATION, Bench, GROUP, KEY, MODULE_FINGERPRINT};
use prepay_kmc::centre::{CommandError, Decision};
use prepay_kmc::entity::{Authorisation, Customer, FormRecord, Line, VendingKeyRecord};
use prepay_kmc::form::{
    Addressee, Draft, FormKind, FormState, SignedForm, SignedFormError, VALID_DAYS,
};
use prepay_kmc::store::Filter;
use prepay_kmp::Signatory;
use prepay_testkit::Foreseeable;

const NEW: &[(&str, &str)] =
    &[("organisation", "East"), ("contact", "Mr Example"), ("address", "b@example.org")];

fn fingerprint_of(signatory: &Signatory) -> Decision {
    let fingerprint = Some(signatory.key().fingerprint().to_string());
    Decision { fingerprint, ..Decision::default() }
}

#[test]
fn a_new_customer_is_accepted_only_with_the_right_fingerprint() {
    let bench = Bench::new();
    let mut centre = bench.centre();
    let number = centre.receive_form(&bench.sign(&bench.anna, FormKind::NewCustomer, NEW)).unwrap();
    for decision in [Decision::default(), fingerprint_of(&bench.berta)] {
        let refused = centre.accept_form(number, &decision).unwrap_err();
        assert_eq!(refused.code(), "fingerprint");
    }
    assert!(centre.rows::<Customer>(Filter::all()).unwrap().is_empty());
    let accepted = centre.accept_form(number, &fingerprint_of(&bench.anna)).unwrap();
    assert_eq!(accepted.form.state, FormState::Done);
    assert_eq!(accepted.form.customer.unwrap().value(), 1);
    let states: Vec<_> = accepted.form.steps.iter().map(|step| step.state).collect();
    assert_eq!(states, [FormState::Received, FormState::Accepted, FormState::Done]);
    assert_eq!(
        centre.rows::<prepay_kmc::entity::Signatory>(Filter::all()).unwrap()[0].name.as_str(),
        "anna"
    );
    // The name is taken now.
    let mut values = NEW.to_vec();
    values[0].1 = "West";
    let again = centre.receive_form(&bench.sign(&bench.anna, FormKind::NewCustomer, &values));
    assert_eq!(again.unwrap_err().code(), "signatory_taken");
}

#[test]
fn the_same_form_is_received_once() {
    let bench = Bench::new();
    let mut centre = bench.furnished();
    let form = bench.sign(&bench.anna, FormKind::VendingKeyRequest, KEY);
    let number = centre.receive_form(&form).unwrap();
    let expected = |state| CommandError::FormReceived { number, state };
    assert_eq!(centre.receive_form(&form), Err(expected(FormState::Received)));
    centre.accept_form(number, &Decision::default()).unwrap();
    assert_eq!(centre.receive_form(&form), Err(expected(FormState::Done)));
    let keys = centre.rows::<VendingKeyRecord>(Filter::all()).unwrap();
    assert_eq!(keys.len(), 2, "one by hand, one by the form");
}

#[test]
fn every_step_out_of_turn_is_refused() {
    let bench = Bench::new();
    let mut centre = bench.furnished();
    let reason: Line = "no".parse().unwrap();
    let done = bench.accepted(&mut centre, FormKind::VendingKeyRequest, KEY);
    let form = bench.sign(&bench.anna, FormKind::KeyUseAuthorisation, AUTHORISATION);
    let refused = centre.receive_form(&form).unwrap();
    assert_eq!(centre.refuse_form(refused, &Line::default()).unwrap_err().code(), "value_range");
    assert_eq!(centre.finish_form(refused).unwrap_err().code(), "form_state", "not accepted yet");
    centre.refuse_form(refused, &reason).unwrap();
    for number in [done, refused] {
        let again = centre.accept_form(number, &Decision::default()).unwrap_err();
        assert_eq!(again.code(), "form_state");
        assert_eq!(centre.refuse_form(number, &reason).unwrap_err().code(), "form_state");
    }
    assert!(centre.finish_form(refused).is_err());
    assert_eq!(centre.finish_form(done).unwrap().state, FormState::Done);
    assert!(
        centre.rows::<Authorisation>(Filter::all()).unwrap().is_empty(),
        "the refused form did nothing"
    );
    assert_eq!(bench.module.made(), 2);
    assert_eq!(centre.row::<FormRecord>(&"99".parse().unwrap()).unwrap_err().code(), "not_there");
}

#[test]
fn only_the_customers_own_signatory_may_sign() {
    let bench = Bench::new();
    let mut centre = bench.furnished();
    let imposter = Signatory::generate("anna".parse().unwrap(), &mut Foreseeable::new(9)).unwrap();
    let stranger = Signatory::generate("zoe".parse().unwrap(), &mut Foreseeable::new(8)).unwrap();
    for (by, code) in [
        (&imposter, "signatory_key"),
        (&stranger, "not_there"),
        (&bench.berta, "signatory_customer"),
    ] {
        let form = bench.sign(by, FormKind::VendingKeyRequest, KEY);
        assert_eq!(centre.receive_form(&form).unwrap_err().code(), code);
    }
    let mut values = KEY.to_vec();
    values[0].1 = "3";
    let form = bench.sign(&bench.anna, FormKind::VendingKeyRequest, &values);
    assert_eq!(centre.receive_form(&form).unwrap_err().code(), "not_there");
    // Revoked between receiving and accepting: neither works.
    let number = centre.receive_form(&bench.sign(&bench.anna, FormKind::VendingKeyRequest, KEY));
    centre.revoke_signatory(&"anna".parse().unwrap()).unwrap();
    let refused = centre.accept_form(number.unwrap(), &Decision::default()).unwrap_err();
    assert_eq!(refused.code(), "ended");
    let form = bench.sign(&bench.anna, FormKind::KeyUseAuthorisation, AUTHORISATION);
    assert_eq!(centre.receive_form(&form).unwrap_err().code(), "ended");
}

#[test]
fn a_second_signatory_may_be_registered_by_hand() {
    let bench = Bench::new();
    let mut centre = bench.furnished();
    let carol = Signatory::generate("carol".parse().unwrap(), &mut Foreseeable::new(3)).unwrap();
    let customer = common::customer(1);
    let wrong = centre.register_signatory(customer, carol.key(), "0000");
    assert_eq!(wrong.unwrap_err().code(), "fingerprint");
    let fingerprint = carol.key().fingerprint().to_string().to_lowercase().replace(' ', "");
    centre.register_signatory(customer, carol.key(), &fingerprint).unwrap();
    centre.register_signatory(customer, carol.key(), &fingerprint).unwrap();
    assert_eq!(centre.rows::<prepay_kmc::entity::Signatory>(Filter::all()).unwrap().len(), 3);
    centre.receive_form(&bench.sign(&carol, FormKind::VendingKeyRequest, KEY)).unwrap();
}

#[test]
fn a_signature_from_the_future_is_refused() {
    let bench = Bench::new();
    let mut centre = bench.furnished();
    let sign = |seconds| {
        let mut draft = Draft::new(FormKind::VendingKeyRequest);
        KEY.iter().for_each(|(name, value)| draft.set(name, value).unwrap());
        let at = common::today().plus_seconds(seconds);
        SignedForm::sign(draft.check().unwrap(), &bench.anna, bench.addressee(), at).unwrap()
    };
    assert_eq!(centre.receive_form(&sign(86_401)).unwrap_err().code(), "value_range");
    centre.receive_form(&sign(86_400)).unwrap();
}

#[test]
fn only_the_exact_canonical_text_is_accepted() {
    let bench = Bench::new();
    let mut values = GROUP.to_vec();
    values.push(("remark", "a:b: 电"));
    let form = bench.sign(&bench.anna, FormKind::GroupApplication, &values);
    let text = form.text();
    assert_eq!(SignedForm::from_text(&text).unwrap(), form);
    assert!(text.starts_with("open-form-2\nform:17:group_application\ncustomer:1:1\n"), "{text}");
    for length in (0..text.len()).filter(|&length| text.is_char_boundary(length)) {
        assert!(SignedForm::from_text(&text[..length]).is_err(), "cut at {length}");
    }
    for (what, with) in [
        ("customer:1:1", "customer:1:2"),
        ("customer:1:1", "customer:01:1"),
        ("form:17:group_application", "form:13:default_group"),
        ("signed:20:2026", "signed:20:2027"),
        ("expires:20:2026", "expires:20:2027"),
        ("centre:5:KMC-1", "centre:5:KMC-2"),
        ("purpose:4:real", "purpose:4:test"),
        ("area:5:North\n", ""),
        ("remark:", "romark:"),
        ("area:5:North\nservice:11:electricity\n", "service:11:electricity\narea:5:North\n"),
    ] {
        let changed = text.replacen(what, with, 1);
        assert_ne!(changed, text);
        assert!(SignedForm::from_text(&changed).is_err(), "{what} -> {with}");
    }
    assert!(SignedForm::from_text(&format!("{text}\n")).is_err());
    let other = bench.sign(&bench.berta, FormKind::GroupApplication, &values);
    let own_key = format!("key:{}", form.signature().key_hex().len());
    assert!(text.contains(&own_key));
    let swapped = text.replace(&form.signature().key_hex(), &other.signature().key_hex());
    assert!(matches!(
        SignedForm::from_text(&swapped),
        Err(SignedFormError::Signature | SignedFormError::Text(_))
    ));
}

#[test]
fn a_value_that_looks_like_other_items_stays_one_value() {
    let bench = Bench::new();
    let request = "x\ngroups:6:000123\nremark:1:a\nkey:1:a\nsigned:20:2026-03-01T12:00:00Z\n";
    let values = [
        ("customer", "1"),
        ("module", "SM-1"),
        ("module_fingerprint", MODULE_FINGERPRINT),
        ("request", request),
    ];
    let form = bench.sign(&bench.anna, FormKind::KeyLoadRequest, &values);
    let read = SignedForm::from_text(&form.text()).unwrap();
    assert_eq!(read.form().draft().value("request"), Some(request));
    assert_eq!(read.form().draft().value("groups"), None);
    // A form with those lines as fields has another text and another digest.
    let mut with_group = values.to_vec();
    with_group[3].1 = "x\n";
    with_group.push(("groups", "000123"));
    let other = bench.sign(&bench.anna, FormKind::KeyLoadRequest, &with_group);
    assert_ne!(other.digest(), form.digest());
}

/// A request for a vending key, signed by anna for somebody.
fn addressed(bench: &Bench, change: impl FnOnce(&mut Addressee)) -> SignedForm {
    let mut draft = Draft::new(FormKind::VendingKeyRequest);
    KEY.iter().for_each(|(name, value)| draft.set(name, value).unwrap());
    let mut addressee = bench.addressee();
    change(&mut addressee);
    SignedForm::sign(draft.check().unwrap(), &bench.anna, addressee, common::today()).unwrap()
}

#[test]
fn a_form_for_a_test_centre_is_refused_by_a_real_one_and_the_other_way_round() {
    let bench = Bench::new();
    let mut centre = bench.furnished();
    let for_test = addressed(&bench, |addressee| addressee.is_test = true);
    let for_real = addressed(&bench, |addressee| addressee.is_test = false);
    assert_eq!(centre.receive_form(&for_test).unwrap_err().code(), "form_purpose");
    bench.module.make_test_centre();
    assert_eq!(centre.receive_form(&for_real).unwrap_err().code(), "form_purpose");
    centre.receive_form(&for_test).unwrap();
}

#[test]
fn a_form_for_another_centre_or_for_renewed_keys_is_refused() {
    let bench = Bench::new();
    let mut centre = bench.furnished();
    let other = common::fingerprint("SM-1");
    let by_name = addressed(&bench, |addressee| addressee.centre = "KMC-2".parse().unwrap());
    let by_key = addressed(&bench, |addressee| addressee.fingerprint = other.parse().unwrap());
    for form in [by_name, by_key] {
        assert_eq!(centre.receive_form(&form).unwrap_err().code(), "form_centre");
    }
    assert!(
        centre
            .rows::<FormRecord>(Filter::all())
            .unwrap()
            .iter()
            .all(|form| form.number.value() < 4)
    );
}

#[test]
fn a_form_is_received_and_accepted_until_it_expires() {
    let bench = Bench::new();
    let mut centre = bench.furnished();
    let expires = common::today().plus_days(VALID_DAYS);
    assert_eq!(bench.addressee().expires, expires);
    let form = |remark| {
        let values = [KEY, &[("remark", remark)]].concat();
        bench.sign(&bench.anna, FormKind::VendingKeyRequest, &values)
    };
    let [first, second, late] = ["first", "second", "late"].map(form);
    let numbers = [first, second].map(|form| centre.receive_form(&form).unwrap());
    bench.clock.set(expires);
    centre.accept_form(numbers[0], &Decision::default()).unwrap();
    bench.clock.set(expires.plus_seconds(1));
    assert_eq!(centre.receive_form(&late).unwrap_err().code(), "form_lapsed");
    let refused = centre.accept_form(numbers[1], &Decision::default()).unwrap_err();
    assert_eq!(refused.code(), "form_lapsed");
    centre.refuse_form(numbers[1], &"too late".parse().unwrap()).unwrap();
}

#[test]
fn a_form_of_the_earlier_edition_is_recognised_and_refused() {
    let bench = Bench::new();
    let form = bench.sign(&bench.anna, FormKind::VendingKeyRequest, KEY);
    let earlier = form.text().replacen("open-form-2", "open-form-1", 1);
    assert_eq!(SignedForm::from_text(&earlier), Err(SignedFormError::Edition));
    assert_eq!(SignedFormError::Edition.code(), "form_edition");
}
