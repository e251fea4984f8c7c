//! Whichever commit fails, durable or not, repeating the commands leads to the same result: nothing is done
//! twice, nothing is forgotten.

mod common;

use common::{AUTHORISATION, Bench, FailingStore, Failure, GROUP, KEY, document, fingerprint};
use prepay_kmc::centre::{Answer, Centre, Decision, LoadOptions};
use prepay_kmc::entity::{
    Authorisation, Customer, FormRecord, KeyLoadRecord, KeyState, ModuleRecord, Ownership,
    Signatory, SupplyGroup, VendingKeyRecord,
};
use prepay_kmc::form::{FormKind, FormState, SignedForm};
use prepay_kmc::store::{CentreStore, Filter, PAGE, Versioned};

/// Carries out a form, whatever state it is in.
fn process(centre: &mut Centre<'_, FailingStore>, form: &SignedForm) -> Answer<()> {
    let number = match centre.store().find(&FormRecord::with_digest(&form.digest()))? {
        Some(Versioned { row, .. }) => row.number,
        None => centre.receive_form(form)?,
    };
    let fingerprint = Some(form.signature().key().fingerprint().to_string());
    match centre.row::<FormRecord>(&number)?.row.state {
        FormState::Received => {
            centre.accept_form(number, &Decision { fingerprint, ..Decision::default() })?;
        }
        _ => {
            centre.finish_form(number)?;
        }
    }
    Ok(())
}

/// The whole life of a key, as commands that can be repeated.
fn live(bench: &Bench, forms: &[SignedForm], store: &FailingStore) -> Answer<()> {
    let mut centre = Centre::new(store.clone(), &bench.module, &bench.clock);
    centre.set_up()?;
    for form in forms {
        process(&mut centre, form)?;
    }
    centre.enrol_module(&document("enrol:SM-1"), &fingerprint("SM-1"))?;
    centre.answer_agreement(&document("agree:SM-1:1"))?;
    centre.answer_key_load(&document("load:SM-1:1:AA"), &LoadOptions::default())?;
    let group = "000123".parse().unwrap();
    if centre.rows(VendingKeyRecord::of_group(group))?.iter().any(|key| key.state == KeyState::Live)
    {
        let key = centre.newest_key(group)?.expect("there is a key");
        centre.revoke_key(key.id)?;
    }
    let key = centre.newest_key(group)?.expect("there is a key");
    if key.state != KeyState::Retired {
        centre.retire_key(key.id)?;
    }
    centre.revoke_module(&"SM-1".parse().unwrap())?;
    centre.finish()?;
    Ok(())
}

/// What to compare at the end: everything but journal and versions.
fn outcome(bench: &Bench, store: &FailingStore) -> String {
    let centre = Centre::new(store.clone(), &bench.module, &bench.clock);
    let forms: Vec<_> =
        centre.rows::<FormRecord>(Filter::all()).unwrap().iter().map(|form| form.state).collect();
    let loads = centre.rows::<KeyLoadRecord>(Filter::all()).unwrap();
    let loads: Vec<_> = loads.iter().map(|load| (&load.nonce, load.keys.len())).collect();
    format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {loads:?} {forms:?} {:?}",
        centre.rows::<Customer>(Filter::all()),
        centre.rows::<Signatory>(Filter::all()),
        centre.rows::<SupplyGroup>(Filter::all()),
        centre.rows(Ownership::of_group("000123".parse().unwrap())),
        centre.rows::<VendingKeyRecord>(Filter::all()),
        centre.rows::<Authorisation>(Filter::all()),
        centre.rows::<ModuleRecord>(Filter::all()),
        centre.orphans(),
    )
}

#[test]
fn every_commit_may_fail() {
    let bench = Bench::new();
    let customer = [("organisation", "North"), ("contact", "Ms Example"), ("address", "1")];
    let forms = [
        (FormKind::NewCustomer, &customer[..]),
        (FormKind::GroupApplication, GROUP),
        (FormKind::VendingKeyRequest, KEY),
        (FormKind::KeyUseAuthorisation, AUTHORISATION),
    ]
    .map(|(kind, values)| bench.sign(&bench.anna, kind, values));

    let sound = FailingStore::new(None);
    live(&bench, &forms, &sound).unwrap();
    let commits = sound.commits();
    assert_eq!(commits, 16, "each of them can fail");
    let expected = outcome(&bench, &sound);
    assert!(expected.contains("Ok([])"), "no orphans: {expected}");

    for at in 0..commits {
        for failure in [Failure::Before, Failure::After] {
            let bench = Bench::new();
            let store = FailingStore::new(Some((at, failure)));
            let first = live(&bench, &forms, &store);
            let code = first.expect_err("one commit fails").code();
            assert_eq!(code, "storage", "{at} {failure:?}");
            // A revoked module is refused at once, whatever happens after that.
            live(&bench, &forms, &store)
                .or_else(|_| live_after_revocation(&bench, &store))
                .unwrap();
            assert_eq!(outcome(&bench, &store), expected, "{at} {failure:?}");
            assert_eq!(bench.module.made(), 1, "{at} {failure:?}: one key was ever made");
            let journal = store.journal(0, PAGE).unwrap();
            let made = journal.iter().filter(|entry| entry.action.code() == "key_made").count();
            assert_eq!(made, 1, "{at} {failure:?}");
        }
    }
}

/// The commands after the revocation of key and module, when enrolment and loads are refused.
fn live_after_revocation(bench: &Bench, store: &FailingStore) -> Answer<()> {
    let mut centre = Centre::new(store.clone(), &bench.module, &bench.clock);
    let key = centre.newest_key("000123".parse().unwrap())?.expect("there is a key");
    if key.state != KeyState::Retired {
        centre.retire_key(key.id)?;
    }
    centre.revoke_module(&"SM-1".parse().unwrap())?;
    centre.finish()?;
    Ok(())
}
