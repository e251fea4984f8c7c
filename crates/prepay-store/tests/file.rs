//! The file itself: kept over reopening, shared by two, refused by name, guarded by the database.

use std::fs;
use std::path::{Path, PathBuf};

use prepay_kmc::entity::Customer;
use prepay_kmc::store::{CentreStore, Change, Row, RowKey, StoreError};
use prepay_store::{OpenStoreError, SqliteCentreStore};
use prepay_testkit::centre_store;
use rusqlite::Connection;

fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("centre.db");
    (folder, path)
}

/// A file with one row of each kind.
fn filled(path: &Path) -> SqliteCentreStore {
    let mut store = SqliteCentreStore::create(path).unwrap();
    let rows = centre_store::all_rows().into_iter().map(Change::Insert).collect::<Vec<_>>();
    store.commit(&rows).unwrap();
    store
}

fn refusal(path: &Path) -> OpenStoreError {
    match SqliteCentreStore::open(path) {
        Ok(_) => panic!("the file was opened"),
        Err(error) => error,
    }
}

fn renamed(customer: &Customer, contact: &str) -> Row {
    Row::Customer(Customer { contact: contact.parse().unwrap(), ..customer.clone() })
}

#[test]
fn rows_survive_closing_and_opening() {
    let (_folder, path) = place();
    let before = filled(&path).key_loads(None, None, 10).unwrap();
    let store = SqliteCentreStore::open(&path).unwrap();
    assert_eq!(store.key_loads(None, None, 10).unwrap(), before);
    assert_eq!(before.len(), 1);
}

#[test]
fn of_two_that_read_the_same_version_one_is_told_of_the_conflict() {
    let (_folder, path) = place();
    let mut first = filled(&path);
    let mut second = SqliteCentreStore::open(&path).unwrap();
    let number = 1.try_into().unwrap();
    let seen = first.customer(number).unwrap().unwrap();
    assert_eq!(second.customer(number).unwrap().unwrap(), seen);
    let version = seen.version;
    first.commit(&[Change::Update { row: renamed(&seen.row, "first"), version }]).unwrap();
    let late = second.commit(&[Change::Update { row: renamed(&seen.row, "second"), version }]);
    let expected = StoreError::Conflict { row: RowKey::Customer(number), expected: 1, found: 2 };
    assert_eq!(late, Err(expected));
    assert_eq!(second.customer(number).unwrap().unwrap().row.contact.as_str(), "first");
}

#[test]
fn many_threads_with_files_of_their_own_lose_nothing() {
    let (_folder, path) = place();
    drop(filled(&path));
    let journal = |store: &SqliteCentreStore| store.journal(0, 1000).unwrap().len();
    let before = journal(&SqliteCentreStore::open(&path).unwrap());
    let number = 1.try_into().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let path = &path;
            scope.spawn(move || {
                let mut store = SqliteCentreStore::open(path).unwrap();
                for round in 0..10 {
                    loop {
                        let seen = store.customer(number).unwrap().unwrap();
                        let row = renamed(&seen.row, &format!("{thread} {round}"));
                        match store.commit(&[Change::Update { row, version: seen.version }]) {
                            Ok(()) => break,
                            Err(StoreError::Conflict { .. }) => {}
                            Err(error) => panic!("{error}"),
                        }
                    }
                }
            });
        }
    });
    let store = SqliteCentreStore::open(&path).unwrap();
    assert_eq!(store.customer(number).unwrap().unwrap().version, 81);
    assert_eq!(journal(&store), before);
}

#[test]
fn what_is_no_database_of_a_centre_is_refused_by_name() {
    let (_folder, path) = place();
    assert_eq!(refusal(&path).code(), "store_file_not_there");

    fs::write(&path, "not a database, but long enough to have a header of one".repeat(9)).unwrap();
    assert_eq!(refusal(&path).code(), "store_not_a_database");
    assert!(matches!(SqliteCentreStore::create(&path), Err(OpenStoreError::AlreadyThere { .. })));
    fs::remove_file(&path).unwrap();

    Connection::open(&path).unwrap().execute_batch("CREATE TABLE other (a INTEGER)").unwrap();
    assert_eq!(refusal(&path).code(), "store_other_application");
    fs::remove_file(&path).unwrap();

    drop(filled(&path));
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert_eq!(refusal(&path).code(), "store_newer");
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 1).unwrap();
    assert!(SqliteCentreStore::open(&path).is_ok());
}

#[test]
fn a_changed_octet_is_named_or_harmless_and_never_a_panic() {
    let (folder, path) = place();
    drop(filled(&path));
    let whole = fs::read(&path).unwrap();
    let other = folder.path().join("changed.db");
    let mut refused = 0;
    for place in (0..whole.len()).step_by(397) {
        let mut changed = whole.clone();
        changed[place] ^= 0x55;
        fs::write(&other, &changed).unwrap();
        match SqliteCentreStore::open(&other) {
            Err(error) => {
                assert!(error.code().starts_with("store_"), "octet {place}");
                refused += 1;
            }
            Ok(store) => {
                let _ = store.customers(None, 10);
                let _ = store.key_loads(None, None, 10);
                let _ = store.forms(None, 10);
            }
        }
        for ending in ["db-wal", "db-shm"] {
            let _ = fs::remove_file(other.with_extension(ending));
        }
    }
    assert!(refused > 0, "of {} octets", whole.len());
}

#[test]
fn the_database_itself_refuses_what_the_contract_forbids() {
    let (_folder, path) = place();
    drop(filled(&path));
    let connection = Connection::open(&path).unwrap();
    connection.pragma_update(None, "foreign_keys", true).unwrap();
    // (statement, what the database says)
    const CASES: &[(&str, &str)] = &[
        ("UPDATE journal SET note = 'x'", "only ever added to"),
        ("DELETE FROM key_load", "nothing is deleted"),
        ("DELETE FROM vending_key", "nothing is deleted"),
        ("UPDATE ownership SET owner = 1", "only ever added to"),
        ("UPDATE agreement SET slot = 9", "only ever added to"),
        ("UPDATE loaded_key SET place = 9", "only ever added to"),
        ("UPDATE vending_key SET revision = 10", "CHECK"),
        ("UPDATE vending_key SET base_date = 2000", "CHECK"),
        ("UPDATE vending_key SET state = 'lost'", "CHECK"),
        ("UPDATE supply_group SET owner = 77", "FOREIGN KEY"),
        ("UPDATE supply_group SET key_type = 0", "CHECK"),
        ("UPDATE customer SET version = 0", "CHECK"),
        ("UPDATE customer SET created = 'now'", "cannot store TEXT"),
        ("UPDATE form SET digest = x'00'", "CHECK"),
        ("UPDATE centre SET one = 2", "CHECK"),
        ("INSERT INTO journal VALUES (7000, 0, 'a', 'b', 'c', 'd')", "no gap"),
    ];
    let first = "INSERT INTO journal VALUES (1, 0, 'a', 'centre_created', 'c', 'd')";
    connection.execute(first, []).unwrap();
    for (statement, expected) in CASES {
        let said = connection.execute(statement, []).unwrap_err().to_string();
        assert!(said.contains(expected), "{statement}: {said}");
    }
}

#[cfg(unix)]
#[test]
fn a_new_file_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, path) = place();
    drop(filled(&path));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}
