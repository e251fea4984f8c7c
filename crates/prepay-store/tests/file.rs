//! The database file: reopened, shared, refused with the right code, copied.

use std::fs;
use std::path::{Path, PathBuf};

use prepay_kmc::entity::{CentreRecord, Customer, FormRecord, KeyLoadRecord};
use prepay_kmc::store::{CentreStore, Change, Filter, Row, RowKey, StoreError};
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
    let before = filled(&path).list::<KeyLoadRecord>(&Filter::all(), None, 10).unwrap();
    let store = SqliteCentreStore::open(&path).unwrap();
    assert_eq!(store.list::<KeyLoadRecord>(&Filter::all(), None, 10).unwrap(), before);
    assert_eq!(before.len(), 1);
}

#[test]
fn of_two_updates_of_the_same_version_the_second_is_a_conflict() {
    let (_folder, path) = place();
    let mut first = filled(&path);
    let mut second = SqliteCentreStore::open(&path).unwrap();
    let number = 1.try_into().unwrap();
    let seen = first.get::<Customer>(&number).unwrap().unwrap();
    assert_eq!(second.get::<Customer>(&number).unwrap().unwrap(), seen);
    let version = seen.version;
    first.commit(&[Change::Update { row: renamed(&seen.row, "first"), version }]).unwrap();
    let late = second.commit(&[Change::Update { row: renamed(&seen.row, "second"), version }]);
    let expected = StoreError::Conflict { row: RowKey::Customer(number), expected: 1, found: 2 };
    assert_eq!(late, Err(expected));
    assert_eq!(second.get::<Customer>(&number).unwrap().unwrap().row.contact.as_str(), "first");
}

#[test]
fn many_threads_with_connections_of_their_own_lose_nothing() {
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
                        let seen = store.get::<Customer>(&number).unwrap().unwrap();
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
    assert_eq!(store.get::<Customer>(&number).unwrap().unwrap().version, 81);
    assert_eq!(journal(&store), before);
}

#[test]
fn a_file_that_is_not_a_centre_database_is_refused_with_its_code() {
    let (_folder, path) = place();
    assert_eq!(refusal(&path).code(), "not_there");

    fs::write(&path, "not a database, but long enough to have a header of one".repeat(9)).unwrap();
    assert_eq!(refusal(&path).code(), "store_not_a_database");
    assert!(matches!(SqliteCentreStore::create(&path), Err(OpenStoreError::AlreadyThere { .. })));
    fs::write(&path, "short").unwrap();
    assert_eq!(refusal(&path).code(), "store_not_a_database");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(refusal(&path).code(), "storage");
    fs::remove_dir(&path).unwrap();

    Connection::open(&path).unwrap().execute_batch("CREATE TABLE other (a INTEGER)").unwrap();
    let before = fs::read(&path).unwrap();
    assert_eq!(refusal(&path).code(), "store_other_application");
    assert!(fs::read(&path).unwrap() == before, "a refused file was written to");
    fs::remove_file(&path).unwrap();

    drop(filled(&path));
    let database = Connection::open(&path).unwrap();
    let written: i64 = database.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    database.pragma_update(None, "user_version", 99).unwrap();
    assert_eq!(refusal(&path).code(), "version");
    database.pragma_update(None, "user_version", written).unwrap();
    drop(database);
    assert!(SqliteCentreStore::open(&path).is_ok());
}

#[test]
fn a_changed_byte_is_refused_or_harmless_and_never_a_panic() {
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
                // `storage`: SQLite cannot carry out what a changed byte made of the schema.
                let expected = [
                    "store_not_a_database",
                    "store_other_application",
                    "version",
                    "damaged",
                    "storage",
                ];
                assert!(expected.contains(&error.code()), "byte {place}: {error}");
                refused += 1;
            }
            Ok(store) => {
                let _ = store.list::<Customer>(&Filter::all(), None, 10);
                let _ = store.list::<KeyLoadRecord>(&Filter::all(), None, 10);
                let _ = store.list::<FormRecord>(&Filter::all(), None, 10);
            }
        }
        for ending in ["db-wal", "db-shm"] {
            let _ = fs::remove_file(other.with_extension(ending));
        }
    }
    assert!(refused > 0, "of {} bytes", whole.len());
}

#[test]
fn an_empty_file_is_an_empty_store() {
    let (_folder, path) = place();
    fs::write(&path, "").unwrap();
    assert_eq!(SqliteCentreStore::open(&path).unwrap().get::<CentreRecord>(&()), Ok(None));
}

#[test]
fn the_check_of_a_file_finds_every_overwritten_page() {
    let (folder, path) = place();
    drop(filled(&path));
    let whole = fs::read(&path).unwrap();
    let page = usize::from(u16::from_be_bytes([whole[16], whole[17]]));
    let pages = whole.len() / page;
    assert!(pages > 30, "{pages}");
    let other = folder.path().join("changed.db");
    let found = |path| {
        let checked = SqliteCentreStore::open(path).and_then(|store| store.check(path));
        checked.expect_err("a page is ruined").code()
    };
    for ruined in 0..pages {
        let mut changed = whole.clone();
        changed[ruined * page..(ruined + 1) * page].fill(0xA5);
        fs::write(&other, &changed).unwrap();
        let expected = if ruined == 0 { "store_not_a_database" } else { "damaged" };
        assert_eq!(found(&other), expected, "page {ruined}");
    }
    for kept in [page / 2, page, page * 3 / 2, whole.len() - page] {
        fs::write(&other, &whole[..kept]).unwrap();
        assert_eq!(found(&other), "damaged", "{kept} bytes kept");
    }
}

#[test]
fn a_reader_never_sees_a_form_with_the_steps_of_another_version() {
    let (_folder, path) = place();
    let mut store = filled(&path);
    let number = 1.try_into().unwrap();
    let first = store.get::<FormRecord>(&number).unwrap().unwrap();
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let store = SqliteCentreStore::open(&path).unwrap();
            loop {
                let form = store.get::<FormRecord>(&number).unwrap().unwrap();
                let steps = first.row.steps.len() as u64 + form.version - 1;
                assert_eq!(form.row.steps.len() as u64, steps, "version {}", form.version);
                assert_eq!(store.list::<FormRecord>(&Filter::all(), None, 10).unwrap().len(), 1);
                if form.version > 300 {
                    break;
                }
            }
        });
        let mut row = first.row.clone();
        for version in 1..=300 {
            row.steps.push(row.steps[0].clone());
            let row = Row::Form(row.clone());
            store.commit(&[Change::Update { row, version }]).unwrap();
        }
        reader.join().unwrap();
    });
}

#[test]
fn copy_to_is_complete_where_a_copy_of_the_file_alone_is_not() {
    let (folder, path) = place();
    let store = filled(&path);
    let _reader = SqliteCentreStore::open(&path).unwrap();
    let (alone, copy) = (folder.path().join("alone.db"), folder.path().join("copy.db"));
    fs::copy(&path, &alone).unwrap();
    let alone = SqliteCentreStore::open(&alone);
    let lacks = alone.is_err() || alone.unwrap().get::<CentreRecord>(&()) == Ok(None);
    assert!(lacks, "the commit is still in the write-ahead log");

    store.copy_to(&copy).unwrap();
    let copied = SqliteCentreStore::open(&copy).unwrap();
    assert_eq!(copied.get::<CentreRecord>(&()), store.get::<CentreRecord>(&()));
    assert_eq!(
        copied.list::<KeyLoadRecord>(&Filter::all(), None, 10),
        store.list::<KeyLoadRecord>(&Filter::all(), None, 10)
    );
    assert_eq!(
        copied.list::<FormRecord>(&Filter::all(), None, 10),
        store.list::<FormRecord>(&Filter::all(), None, 10)
    );
    assert!(matches!(store.copy_to(&copy), Err(OpenStoreError::AlreadyThere { .. })));
    let nowhere = folder.path().join("no").join("copy.db");
    assert!(matches!(store.copy_to(&nowhere), Err(OpenStoreError::Fault { .. })));
}

#[test]
fn a_file_name_that_looks_like_a_uri_is_a_file_name() {
    let (folder, _) = place();
    for name in ["file:centre.db?mode=memory", ":memory:", "é %20.db"] {
        let path = folder.path().join(name);
        drop(filled(&path));
        assert!(path.is_file(), "{name}");
        assert!(
            SqliteCentreStore::open(&path).unwrap().get::<CentreRecord>(&()).unwrap().is_some(),
            "{name}"
        );
    }
}

#[cfg(unix)]
#[test]
fn only_its_owner_may_read_a_new_file() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, path) = place();
    let store = filled(&path);
    store.copy_to(&folder.path().join("copy.db")).unwrap();
    let names = ["centre.db", "centre.db-wal", "centre.db-shm", "copy.db"];
    for name in names {
        let mode = fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_number_too_large_for_a_column_is_refused_and_never_found() {
    let (_folder, path) = place();
    let mut store = filled(&path);
    let greatest = i64::MAX as u64;
    for (serial, fits) in [(greatest, true), (greatest + 1, false), (u64::MAX, false)] {
        let row = centre_store::key_load(serial, "SM-1", "000123");
        let written = store.commit(&[Change::Insert(Row::KeyLoad(row))]);
        assert_eq!(written.is_ok(), fits, "{serial}: {written:?}");
        assert!(fits || written.unwrap_err().code() == "storage", "{serial}");
        assert_eq!(store.get::<KeyLoadRecord>(&serial).unwrap().is_some(), fits, "{serial}");
        assert_eq!(store.list::<KeyLoadRecord>(&Filter::all(), Some(&serial), 10), Ok(Vec::new()));
    }
}
