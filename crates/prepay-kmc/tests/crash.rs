//! Whichever commit fails, durable or not, repeating the commands leads to the same result: nothing is done
//! twice, nothing is forgotten.

mod common;

use common::{
    AUTHORISATION, Bench, DatabaseStep, FailingStore, Failure, GROUP, KEY, document, fingerprint,
};
use prepay_kmc::centre::{Answer, Centre, Decision, LoadOptions, NewCustomer};
use prepay_kmc::entity::{
    Authorisation, Customer, CustomerNumber, FormRecord, KeyLoadRecord, KeyState, ModuleRecord,
    Ownership, Signatory, SupplyGroup, VendingKeyRecord,
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

/// Retires the revoked key, and wipes it when its time has come.
fn retire(bench: &Bench, centre: &mut Centre<'_, FailingStore>) -> Answer<()> {
    bench.clock.set(common::today());
    let key = centre.newest_key("000123".parse().unwrap())?.expect("there is a key");
    if key.state == KeyState::Revoked {
        centre.retire_key(key.id)?;
    }
    bench.clock.set(common::today().plus_days(1));
    let wiped = centre.wipe_retired_keys();
    bench.clock.set(common::today());
    wiped.map(drop)
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
    retire(bench, &mut centre)?;
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
    assert_eq!(commits, 17, "each of them can fail");
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

/// Where power fails during a change of the database, and whether the change is there afterwards.
const CUTS: [(Step, Failure, bool); 6] = [
    (Step::Module(DatabaseStep::Announce), Failure::Before, false),
    (Step::Module(DatabaseStep::Announce), Failure::After, false),
    (Step::Commit, Failure::Before, false),
    (Step::Commit, Failure::After, true),
    (Step::Module(DatabaseStep::Settle), Failure::Before, true),
    (Step::Module(DatabaseStep::Settle), Failure::After, true),
];

#[derive(Clone, Copy, Debug)]
enum Step {
    Module(DatabaseStep),
    Commit,
}

#[test]
fn a_change_cut_between_any_two_steps_is_there_whole_or_not_at_all() {
    for (step, failure, is_there) in CUTS {
        let case = format!("{step:?} {failure:?}");
        let bench = Bench::new();
        let store = FailingStore::new(None);
        let open = |store: &FailingStore| Centre::new(store.clone(), &bench.module, &bench.clock);
        let line = |text: &str| text.parse().unwrap();
        let change = |centre: &mut Centre<'_, FailingStore>, contact: &str| {
            centre.change_contact(CustomerNumber::FIRST, line(contact), line("1"))
        };
        let contact = |centre: &Centre<'_, FailingStore>| {
            centre.row::<Customer>(&CustomerNumber::FIRST).map(|found| found.row.contact)
        };
        let mut centre = open(&store);
        centre.set_up().unwrap();
        let new =
            NewCustomer { organisation: line("North"), contact: line("first"), address: line("1") };
        centre.add_customer(new).unwrap();
        let before = store.copy();

        match step {
            Step::Module(step) => bench.module.cut(step, failure),
            Step::Commit => store.fail_next(failure),
        }
        assert!(change(&mut centre, "second").is_err(), "{case}");

        let mut centre = open(&store);
        let expected = line(if is_there { "second" } else { "first" });
        assert_eq!(contact(&centre).as_ref(), Ok(&expected), "{case}: before it is settled");
        let syncs = store.syncs();
        centre.store_mut().settle().unwrap();
        // What a killed process wrote may be on no disk yet: it is made durable before only it is right.
        let is_settled = matches!(
            (step, failure),
            (Step::Module(DatabaseStep::Announce), Failure::Before)
                | (Step::Module(DatabaseStep::Settle), Failure::After)
        );
        assert_eq!(store.syncs() > syncs, !is_settled, "{case}");
        assert_eq!(contact(&centre), Ok(expected), "{case}: after it is settled");
        centre.store().verify().unwrap();
        // From here on the other state is refused.
        let code = |answer: Answer<_>| answer.err().map(|error| error.code());
        let old = code(contact(&open(&before)));
        assert_eq!(old, is_there.then_some("database_state"), "{case}: the state before");
        change(&mut centre, "third").unwrap();
        assert_eq!(contact(&centre), Ok(line("third")), "{case}");
        assert_eq!(code(contact(&open(&before))), Some("database_state"), "{case}: an older state");
    }
}

#[test]
fn a_database_of_an_earlier_version_is_refused_until_two_custodians_adopt_it() {
    let bench = Bench::new();
    let store = FailingStore::new(None);
    let mut centre = Centre::new(store.clone(), &bench.module, &bench.clock);
    centre.set_up().unwrap();
    bench.module.forget_database();
    let code = |answer: Answer<()>| answer.err().map(|error| error.code());
    let refused = Some("database_not_adopted");
    assert_eq!(code(centre.record().map(drop)), refused);
    assert_eq!(code(centre.set_up()), refused);
    let shown = centre.store().assess().unwrap();
    // Power fails before the database has its digests: it is adopted again.
    store.fail_next(Failure::Before);
    assert!(centre.store_mut().adopt(&shown.state.digest).is_err());
    assert_eq!(code(centre.record().map(drop)), refused);
    let shown = centre.store().assess().unwrap();
    centre.store_mut().adopt(&shown.state.digest).unwrap();
    assert!(centre.record().is_ok());
    assert_eq!(centre.store().verify().unwrap().state, shown.state);
}

/// The commands after the revocation of key and module, when enrolment and loads are refused.
fn live_after_revocation(bench: &Bench, store: &FailingStore) -> Answer<()> {
    let mut centre = Centre::new(store.clone(), &bench.module, &bench.clock);
    retire(bench, &mut centre)?;
    centre.revoke_module(&"SM-1".parse().unwrap())?;
    centre.finish()?;
    Ok(())
}
