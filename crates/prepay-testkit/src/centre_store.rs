//! The tests that every store of a key management centre must pass: the model in memory, and SQLite.
//!
//! - Contract: `prepay_kmc::store`.
//! - Elsewhere: crashes and several processes (tests of each store).

mod rows;

use std::fmt::Debug;

use prepay_basics::Moment;
use prepay_kmc::entity::{
    Action, AgreementRecord, Authorisation, CentreRecord, Customer, FormRecord, FormStep,
    KeyLoadRecord, KeyState, Line, LoadedKey, ModuleRecord, Ownership, Signatory, SupplyGroup,
    VendingKeyRecord,
};
use prepay_kmc::form::FormState;
use prepay_kmc::store::{
    CentreStore, Change, Constraint, Entity, Filter, NewJournalEntry, PAGE, Row, RowKey,
    StoreError, Versioned,
};
use prepay_kmc_module::CentreModule;
use prepay_token::element::SupplyGroupCode;
use prepay_vault::{MemoryStorage, Place};

use crate::Foreseeable;
use crate::ceremony::{TestCentre, passphrase};

pub use rows::{
    agreement, authorisation, centre, customer, form, group, key_load, line, load_key, module,
    moment, ownership, signatory, vending_key,
};

/// A case: its name, and a test that starts with an empty store.
pub type Case<S> = (&'static str, fn(&mut S));

/// Every case.
pub const fn cases<S: CentreStore + 'static>() -> &'static [Case<S>] {
    &[
        ("an empty store has no rows", an_empty_store_has_no_rows),
        ("every row is read as it was written", every_row_is_read_as_it_was_written),
        ("extremes survive", extremes_survive),
        ("updates count versions", updates_count_versions),
        ("a stale update is a conflict", a_stale_update_is_a_conflict),
        ("a key exists once", a_key_exists_once),
        ("an update needs its row", an_update_needs_its_row),
        ("unique means unique", unique_means_unique),
        ("a revision is free again once retired", a_revision_is_free_again_once_retired),
        ("references must exist", references_must_exist),
        ("some rows are never updated", some_rows_are_never_updated),
        ("a refused commit changes nothing", a_refused_commit_changes_nothing),
        ("later changes refer to earlier ones", later_changes_refer_to_earlier_ones),
        ("listings go page by page in order", listings_go_page_by_page_in_order),
        ("listings can be narrowed", listings_can_be_narrowed),
        ("the journal has no gap", the_journal_has_no_gap),
        ("steps can be added to a form", steps_can_be_added_to_a_form),
        ("no step of a form is lost", no_step_of_a_form_is_lost),
    ]
}

/// Runs each case on a new store.
///
/// # Panics
///
/// If the store breaks the contract. The name of the case is on standard error.
pub fn run<S: CentreStore + 'static>(new: impl Fn() -> S) {
    for (name, case) in cases() {
        eprintln!("case: {name}");
        case(&mut new());
    }
}

/// One row of each kind, referring to each other.
pub fn all_rows() -> Vec<Row> {
    vec![
        Row::Centre(centre()),
        Row::Customer(customer(1)),
        Row::Form(form(1)),
        Row::Signatory(signatory("anna", 1)),
        Row::Group(group("000123", 1)),
        Row::Ownership(ownership("000123", 1, 1)),
        Row::VendingKey(vending_key("000123", 1, 1)),
        Row::Authorisation(authorisation(1, "000123", "SM-1", "anna")),
        Row::Module(module("SM-1")),
        Row::Agreement(agreement("SM-1", 7)),
        Row::KeyLoad(key_load(1, "SM-1", "000123")),
    ]
}

fn insert(store: &mut impl CentreStore, rows: Vec<Row>) -> Result<(), StoreError> {
    store.commit(&rows.into_iter().map(Change::Insert).collect::<Vec<_>>())
}

fn update(store: &mut impl CentreStore, row: Row, version: u64) -> Result<(), StoreError> {
    store.commit(&[Change::Update { row, version }])
}

fn filled(store: &mut impl CentreStore) {
    insert(store, all_rows()).expect("rows that fit each other are taken");
}

/// The row with this key, of any kind.
fn read(store: &impl CentreStore, key: &RowKey) -> Option<Versioned<Row>> {
    fn of<E: Entity + Into<Row>>(store: &impl CentreStore, key: &E::Key) -> Option<Versioned<Row>> {
        let found = store.get::<E>(key).expect("the store answers");
        found.map(|Versioned { row, version }| Versioned { row: row.into(), version })
    }
    match key {
        RowKey::Centre(key) => of::<CentreRecord>(store, key),
        RowKey::Customer(key) => of::<Customer>(store, key),
        RowKey::Signatory(key) => of::<Signatory>(store, key),
        RowKey::Group(key) => of::<SupplyGroup>(store, key),
        RowKey::Ownership(key) => of::<Ownership>(store, key),
        RowKey::VendingKey(key) => of::<VendingKeyRecord>(store, key),
        RowKey::Authorisation(key) => of::<Authorisation>(store, key),
        RowKey::Module(key) => of::<ModuleRecord>(store, key),
        RowKey::Agreement(key) => of::<AgreementRecord>(store, key),
        RowKey::KeyLoad(key) => of::<KeyLoadRecord>(store, key),
        RowKey::Form(key) => of::<FormRecord>(store, key),
    }
}

/// The whole contents of a store, to compare before and after.
///
/// # Errors
///
/// Those of the first read that fails.
pub fn contents(store: &impl CentreStore) -> Result<String, StoreError> {
    fn all<E: Entity + Debug>(store: &impl CentreStore) -> Result<String, StoreError> {
        Ok(format!("{:?}", store.list::<E>(&Filter::all(), None, PAGE)?))
    }
    Ok([
        all::<CentreRecord>(store)?,
        all::<Customer>(store)?,
        all::<Signatory>(store)?,
        all::<SupplyGroup>(store)?,
        all::<Ownership>(store)?,
        all::<VendingKeyRecord>(store)?,
        all::<Authorisation>(store)?,
        all::<ModuleRecord>(store)?,
        all::<AgreementRecord>(store)?,
        all::<KeyLoadRecord>(store)?,
        all::<FormRecord>(store)?,
        format!("{:?}", store.journal(0, PAGE)?),
    ]
    .concat())
}

/// A centre's module with keys of its own, to authenticate one store. It lives until the process ends.
pub fn own_module() -> &'static dyn CentreModule {
    let place = Place {
        storage: Box::new(MemoryStorage::default()),
        entropy: Box::new(Foreseeable::named("a centre's store")),
        clock: Box::new(moment(0)),
    };
    let centre: &'static TestCentre = Box::leak(Box::new(TestCentre::make(place, &passphrase)));
    Box::leak(Box::new(centre.centre_module()))
}

/// An entry of the journal.
pub fn entry(at: u64, subject: &str) -> NewJournalEntry {
    NewJournalEntry {
        at: moment(at),
        actor: line("anna"),
        action: Action::GroupAllocated,
        subject: line(subject),
        note: Line::default(),
    }
}

fn an_empty_store_has_no_rows(store: &mut impl CentreStore) {
    for row in all_rows() {
        assert_eq!(read(store, &row.key()), None);
    }
    assert_eq!(store.list::<Customer>(&Filter::all(), None, PAGE), Ok(Vec::new()));
    assert_eq!(store.journal(0, PAGE), Ok(Vec::new()));
    assert_eq!(store.find(&FormRecord::with_digest(&[0; 48])), Ok(None));
    assert_eq!(store.find(&KeyLoadRecord::answering(&module("SM-1").id, "00")), Ok(None));
    store.commit(&[]).expect("a commit of nothing is one");
}

fn every_row_is_read_as_it_was_written(store: &mut impl CentreStore) {
    filled(store);
    for row in all_rows() {
        assert_eq!(read(store, &row.key()), Some(Versioned { row, version: 1 }));
    }
    let load = key_load(1, "SM-1", "000123");
    assert_eq!(
        store.find(&KeyLoadRecord::answering(&load.module, &load.nonce)).unwrap().unwrap().row,
        load
    );
    assert_eq!(
        store.find(&FormRecord::with_digest(&form(1).digest)).unwrap().unwrap().row,
        form(1)
    );
}

fn extremes_survive(store: &mut impl CentreStore) {
    filled(store);
    let mut customer = customer(999_999);
    customer.organisation = line(&"é".repeat(200));
    customer.contact = line("O'Neill \"; -- %_\\ 电力");
    customer.address = Line::default();
    customer.created = Moment::MAX;
    let mut load = key_load(u64::try_from(i64::MAX).unwrap(), "SM-1", "000123");
    load.nonce = "FF".into();
    load.transactions = Some(u64::MAX);
    load.groups =
        Some((0..1000).map(|code| SupplyGroupCode::try_from(code * 1001).unwrap()).collect());
    load.keys[0].unit_limit.0 = Some(u32::MAX);
    load.keys[0].currency_limit.0 = None;
    let mut no_group = key_load(2, "SM-1", "000123");
    no_group.groups = Some([].into());
    load.file = "x".repeat(1 << 20).into();
    load.created = Moment::MIN;
    let mut key = vending_key("000123", 9, u32::MAX);
    key.state = KeyState::Retired;
    key.check_value = None;
    key.unit_limit.0 = Some(u32::MAX);
    key.currency_limit.0 = Some(0);
    key.refresh_days = 36_500;
    key.ended = Some(Moment::MAX);
    let mut form = form(2);
    form.document = "\u{0}'\n\r\t".into();
    let rows = vec![
        Row::Customer(customer),
        Row::KeyLoad(load),
        Row::KeyLoad(no_group),
        Row::VendingKey(key),
        Row::Form(form),
    ];
    insert(store, rows.clone()).unwrap();
    for row in rows {
        assert_eq!(read(store, &row.key()), Some(Versioned { row, version: 1 }));
    }
}

fn updates_count_versions(store: &mut impl CentreStore) {
    filled(store);
    for version in 1..5 {
        let mut row = group("000123", 1);
        row.area = line(&format!("area {version}"));
        update(store, Row::Group(row.clone()), version).unwrap();
        let found = store.get::<SupplyGroup>(&row.code).unwrap().unwrap();
        assert_eq!(found, Versioned { row, version: version + 1 });
    }
}

fn a_stale_update_is_a_conflict(store: &mut impl CentreStore) {
    filled(store);
    for row in all_rows().into_iter().filter(|row| !row.is_insert_only()) {
        let key = row.key();
        update(store, row.clone(), 1).unwrap();
        for version in [0, 1, 3] {
            let expected = StoreError::Conflict { row: key.clone(), expected: version, found: 2 };
            assert_eq!(update(store, row.clone(), version), Err(expected));
        }
        assert_eq!(read(store, &key), Some(Versioned { row, version: 2 }));
    }
}

fn a_key_exists_once(store: &mut impl CentreStore) {
    filled(store);
    for row in all_rows() {
        let expected = StoreError::AlreadyThere { row: row.key() };
        assert_eq!(insert(store, vec![row]), Err(expected));
    }
}

fn an_update_needs_its_row(store: &mut impl CentreStore) {
    for row in all_rows().into_iter().filter(|row| !row.is_insert_only()) {
        let expected = StoreError::NotThere { row: row.key() };
        assert_eq!(update(store, row, 1), Err(expected));
    }
}

fn unique_means_unique(store: &mut impl CentreStore) {
    filled(store);
    let mut other_signatory = signatory("berta", 1);
    other_signatory.public_key = signatory("anna", 1).public_key;
    let mut other_module = module("SM-2");
    other_module.fingerprint = module("SM-1").fingerprint;
    let mut other_load = key_load(2, "SM-1", "000123");
    other_load.nonce = key_load(1, "SM-1", "000123").nonce;
    let mut twice: Vec<LoadedKey> = key_load(3, "SM-1", "000123").keys;
    twice.extend(twice.clone());
    let load_with_twice =
        KeyLoadRecord { keys: twice, nonce: "33".into(), ..key_load(3, "SM-1", "000123") };
    let mut other_form = form(2);
    other_form.digest = form(1).digest;
    for (row, constraint) in [
        (Row::Signatory(other_signatory), Constraint::SignatoryKey),
        (Row::Module(other_module), Constraint::ModuleFingerprint),
        (Row::VendingKey(vending_key("000123", 1, 2)), Constraint::LiveRevision),
        (Row::KeyLoad(other_load), Constraint::LoadNonce),
        (Row::KeyLoad(load_with_twice), Constraint::LoadedKey),
        (Row::Form(other_form), Constraint::FormDigest),
    ] {
        let expected = StoreError::Duplicate { row: row.key(), constraint };
        assert_eq!(insert(store, vec![row]), Err(expected));
    }
    // The same number of a request from another module is another request.
    let mut elsewhere = key_load(2, "SM-2", "000123");
    elsewhere.nonce = key_load(1, "SM-1", "000123").nonce;
    insert(store, vec![Row::Module(module("SM-2")), Row::KeyLoad(elsewhere)]).unwrap();
}

fn a_revision_is_free_again_once_retired(store: &mut impl CentreStore) {
    filled(store);
    for state in [KeyState::Requested, KeyState::Revoked, KeyState::Retiring, KeyState::Live] {
        let mut next = vending_key("000123", 1, 2);
        next.state = state;
        assert!(insert(store, vec![Row::VendingKey(next)]).is_err(), "{state}");
    }
    let mut old = vending_key("000123", 1, 1);
    old.state = KeyState::Retired;
    update(store, Row::VendingKey(old.clone()), 1).unwrap();
    insert(store, vec![Row::VendingKey(vending_key("000123", 1, 2))]).unwrap();
    // The old one cannot come back beside the new one.
    old.state = KeyState::Live;
    let expected = StoreError::Duplicate {
        row: RowKey::VendingKey(old.id),
        constraint: Constraint::LiveRevision,
    };
    assert_eq!(update(store, Row::VendingKey(old), 2), Err(expected));
}

fn references_must_exist(store: &mut impl CentreStore) {
    filled(store);
    let mut form_of_nobody = form(2);
    form_of_nobody.customer = Some(customer(2).number);
    let mut customer_by_form = customer(3);
    customer_by_form.form = Some(form(9).number);
    let mut key_by_form = vending_key("000123", 2, 1);
    key_by_form.form = Some(form(9).number);
    let mut load = key_load(2, "SM-1", "000123");
    load.left_out[0].key = vending_key("000123", 7, 1).id;
    let group_key = |code| RowKey::Group(group(code, 1).code);
    for (row, missing) in [
        (Row::Customer(customer_by_form), RowKey::Form(form(9).number)),
        (Row::Signatory(signatory("berta", 2)), RowKey::Customer(customer(2).number)),
        (Row::Group(group("000124", 2)), RowKey::Customer(customer(2).number)),
        (Row::Ownership(ownership("000124", 1, 1)), group_key("000124")),
        (Row::Ownership(ownership("000123", 2, 2)), RowKey::Customer(customer(2).number)),
        (Row::VendingKey(vending_key("000124", 1, 1)), group_key("000124")),
        (Row::VendingKey(key_by_form), RowKey::Form(form(9).number)),
        (Row::Authorisation(authorisation(2, "000124", "SM-1", "anna")), group_key("000124")),
        (
            Row::Authorisation(authorisation(2, "000123", "SM-1", "berta")),
            RowKey::Signatory(signatory("berta", 1).name),
        ),
        (Row::Agreement(agreement("SM-2", 1)), RowKey::Module(module("SM-2").id)),
        (Row::KeyLoad(key_load(2, "SM-2", "000123")), RowKey::Module(module("SM-2").id)),
        (Row::KeyLoad(load), RowKey::VendingKey(vending_key("000123", 7, 1).id)),
        (Row::Form(form_of_nobody), RowKey::Customer(customer(2).number)),
    ] {
        let expected = StoreError::Dangling { row: row.key(), missing };
        assert_eq!(insert(store, vec![row]), Err(expected));
    }
    // An update may not point nowhere either; an authorisation may name a module that comes later.
    let expected = StoreError::Dangling {
        row: group_key("000123"),
        missing: RowKey::Customer(customer(2).number),
    };
    assert_eq!(update(store, Row::Group(group("000123", 2)), 1), Err(expected));
    insert(store, vec![Row::Authorisation(authorisation(2, "000123", "SM-9", "anna"))]).unwrap();
}

fn some_rows_are_never_updated(store: &mut impl CentreStore) {
    filled(store);
    for row in all_rows().into_iter().filter(Row::is_insert_only) {
        let expected = StoreError::InsertOnly { row: row.key() };
        assert_eq!(update(store, row, 1), Err(expected));
    }
}

fn a_refused_commit_changes_nothing(store: &mut impl CentreStore) {
    filled(store);
    store.commit(&[Change::Journal(entry(1, "before"))]).unwrap();
    let before = contents(store);
    let mut renamed = group("000123", 1);
    renamed.area = line("elsewhere");
    let good = [
        Change::Insert(Row::Customer(customer(2))),
        Change::Journal(entry(2, "lost")),
        Change::Update { row: Row::Group(renamed), version: 1 },
        Change::Insert(Row::Form(form(2))),
        Change::Insert(Row::KeyLoad(key_load(2, "SM-1", "000123"))),
    ];
    let bad = Change::Insert(Row::Customer(customer(1)));
    for place in 0..=good.len() {
        let mut changes = good.to_vec();
        changes.insert(place, bad.clone());
        let expected = StoreError::AlreadyThere { row: RowKey::Customer(customer(1).number) };
        assert_eq!(store.commit(&changes), Err(expected), "place {place}");
        assert_eq!(contents(store), before, "place {place}");
    }
    store.commit(&good).expect("without the bad change the commit is taken");
    assert_ne!(contents(store), before);
}

fn later_changes_refer_to_earlier_ones(store: &mut impl CentreStore) {
    let mut rows = all_rows();
    rows.reverse();
    assert!(insert(store, rows).is_err(), "the other way round references dangle");
    assert_eq!(read(store, &RowKey::Module(module("SM-1").id)), None);
    // A row inserted in a commit can be updated in it, from version 1.
    let mut renamed = customer(1);
    renamed.contact = line("somebody else");
    store
        .commit(&[
            Change::Insert(Row::Customer(customer(1))),
            Change::Update { row: Row::Customer(renamed.clone()), version: 1 },
        ])
        .unwrap();
    let found = store.get::<Customer>(&renamed.number).unwrap();
    assert_eq!(found, Some(Versioned { row: renamed, version: 2 }));
}

fn listings_go_page_by_page_in_order(store: &mut impl CentreStore) {
    filled(store);
    let customers = [999, 2, 10, 3].map(|number| Row::Customer(customer(number)));
    let modules = ["SM-10", "SM-2", "a", "B"].map(|name| Row::Module(module(name)));
    let keys =
        [(9, 1), (2, 1), (3, 1)].map(|(krn, n)| Row::VendingKey(vending_key("000123", krn, n)));
    insert(store, customers.into_iter().chain(modules).chain(keys).collect()).unwrap();

    let (mut after, mut numbers) = (None, Vec::new());
    loop {
        let page = store.list::<Customer>(&Filter::all(), after.as_ref(), 2).unwrap();
        assert!(page.len() <= 2);
        let Some(last) = page.last() else { break };
        after = Some(last.row.number);
        numbers.extend(page.iter().map(|entry| entry.row.number.value()));
    }
    assert_eq!(numbers, [1, 2, 3, 10, 999]);

    let (mut after, mut names) = (None, Vec::new());
    loop {
        let page = store.list::<ModuleRecord>(&Filter::all(), after.as_ref(), 1).unwrap();
        let Some(last) = page.last() else { break };
        names.push(last.row.id.to_string());
        after = Some(last.row.id.clone());
    }
    assert_eq!(names, ["B", "SM-1", "SM-10", "SM-2", "a"], "in the order of bytes");

    let all = store.list::<VendingKeyRecord>(&Filter::all(), None, PAGE).unwrap();
    let revisions: Vec<_> = all.iter().map(|entry| entry.row.id.revision.value()).collect();
    assert_eq!(revisions, [1, 2, 3, 9]);
    let behind = store.list(&Filter::all(), Some(&all[1].row.id), PAGE).unwrap();
    assert_eq!(behind, all[2..]);
    // A limit of 0 counts as 1, one that is too great as the greatest.
    assert_eq!(store.list::<Customer>(&Filter::all(), None, 0).unwrap().len(), 1);
    assert_eq!(store.list::<Customer>(&Filter::all(), None, usize::MAX).unwrap().len(), 5);
}

fn listings_can_be_narrowed(store: &mut impl CentreStore) {
    filled(store);
    insert(
        store,
        vec![
            Row::Group(group("000122", 1)),
            Row::Group(group("000124", 1)),
            Row::VendingKey(vending_key("000122", 5, 1)),
            Row::VendingKey(vending_key("000124", 1, 1)),
            Row::Ownership(ownership("000123", 2, 1)),
            Row::Ownership(ownership("000124", 1, 1)),
            Row::Module(module("SM-2")),
            Row::Authorisation(authorisation(2, "000124", "SM-2", "anna")),
            Row::Authorisation(authorisation(3, "000124", "SM-1", "anna")),
            Row::KeyLoad(key_load(2, "SM-2", "000123")),
            Row::Agreement(agreement("SM-1", 9)),
            Row::Agreement(agreement("SM-2", 8)),
        ],
    )
    .unwrap();
    let code = group("000123", 1).code;
    let (first, second) = (module("SM-1").id, module("SM-2").id);
    let keys = store.list(&VendingKeyRecord::of_group(code), None, PAGE).unwrap();
    assert_eq!(keys.iter().map(|e| e.row.id.group).collect::<Vec<_>>(), [code]);
    let owners = store.list(&Ownership::of_group(code), None, PAGE).unwrap();
    assert_eq!(owners.iter().map(|e| e.row.sequence).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(
        store.list(&Ownership::of_group(code), Some(&(code, 1)), PAGE).unwrap(),
        owners[1..]
    );
    let granted = store.list(&Authorisation::of_module(&first), None, PAGE).unwrap();
    assert_eq!(granted.iter().map(|e| e.row.number.value()).collect::<Vec<_>>(), [1, 3]);
    let behind =
        store.list(&Authorisation::of_module(&first), Some(&granted[0].row.number), PAGE).unwrap();
    assert_eq!(behind, granted[1..]);
    let loads = store.list(&KeyLoadRecord::of_module(&second), None, PAGE).unwrap();
    assert_eq!(loads.iter().map(|e| e.row.serial).collect::<Vec<_>>(), [2]);
    assert_eq!(store.list(&Filter::all(), Some(&1), PAGE).unwrap(), loads);
    let agreed = store.list(&AgreementRecord::of_module(&first), None, PAGE).unwrap();
    assert_eq!(agreed.iter().map(|e| e.row.request_digest[0]).collect::<Vec<_>>(), [7, 9]);
    assert_eq!(
        store
            .list(&AgreementRecord::of_module(&first), Some(&(first.clone(), [7; 32])), PAGE)
            .unwrap(),
        agreed[1..]
    );
}

fn the_journal_has_no_gap(store: &mut impl CentreStore) {
    store.commit(&[Change::Journal(entry(1, "one")), Change::Journal(entry(1, "two"))]).unwrap();
    let refused =
        [Change::Journal(entry(2, "lost")), Change::Insert(Row::Group(group("000123", 1)))];
    assert!(store.commit(&refused).is_err());
    store.commit(&[Change::Journal(entry(0, "three"))]).unwrap();
    let entries = store.journal(0, PAGE).unwrap();
    let subjects: Vec<_> =
        entries.iter().map(|entry| (entry.sequence, entry.subject.as_str())).collect();
    assert_eq!(subjects, [(1, "one"), (2, "two"), (3, "three")]);
    assert_eq!(store.journal(1, 1).unwrap(), entries[1..2]);
    assert_eq!(store.journal(3, PAGE), Ok(Vec::new()));
}

fn steps_can_be_added_to_a_form(store: &mut impl CentreStore) {
    filled(store);
    let mut row = form(1);
    for (version, state) in [(1, FormState::Accepted), (2, FormState::Done)] {
        let mut step = row.steps[0].clone();
        step.state = state;
        step.note = line(&format!("step {version}"));
        row.steps.push(step);
        row.state = state;
        row.customer = Some(customer(1).number);
        update(store, Row::Form(row.clone()), version).unwrap();
        let found = store.get::<FormRecord>(&row.number).unwrap();
        assert_eq!(found, Some(Versioned { row: row.clone(), version: version + 1 }));
    }
    assert_eq!(row.steps.len(), 3);
}

fn no_step_of_a_form_is_lost(store: &mut impl CentreStore) {
    filled(store);
    let mut row = form(1);
    for state in [FormState::Accepted, FormState::Done] {
        row.steps.push(FormStep { state, ..row.steps[0].clone() });
    }
    update(store, Row::Form(row.clone()), 1).unwrap();
    let before = contents(store);
    // (the first step that is lost, what is done to the steps)
    type Change = fn(&mut Vec<FormStep>);
    let cases: [(usize, Change); 6] = [
        (0, |steps| steps.clear()),
        (2, |steps| steps.truncate(2)),
        (1, |steps| drop(steps.remove(1))),
        (1, |steps| steps.swap(1, 2)),
        (0, |steps| steps[0].note = line("other")),
        (2, |steps| {
            steps[2].by = line("somebody else");
            steps.push(steps[1].clone());
        }),
    ];
    for (place, change) in cases {
        let mut lossy = row.clone();
        change(&mut lossy.steps);
        // This error comes before any other.
        lossy.customer = Some(customer(77).number);
        let expected = StoreError::Steps { row: RowKey::Form(row.number), place };
        assert_eq!(update(store, Row::Form(lossy), 2), Err(expected));
        assert_eq!(contents(store), before, "{place}");
    }
    row.steps.push(row.steps[0].clone());
    update(store, Row::Form(row.clone()), 2).unwrap();
    assert_eq!(store.get::<FormRecord>(&row.number).unwrap().unwrap().row, row);
}

#[cfg(test)]
mod tests {
    use prepay_kmc::store::MemoryStore;

    #[test]
    fn the_model_in_memory_passes() {
        super::run(MemoryStore::new);
    }
}
