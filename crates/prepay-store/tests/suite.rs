//! The test suite for centre stores, run on SQLite in memory, on SQLite in files, and on the in-memory model; and on SQLite
//! and the model when they are authenticated.

use std::cell::Cell;

use prepay_kmc::store::{AuthenticatedStore, MemoryStore};
use prepay_store::SqliteCentreStore;
use prepay_testkit::centre_store;

#[test]
fn sqlite_in_memory_passes() {
    centre_store::run(|| SqliteCentreStore::in_memory().unwrap());
}

#[test]
fn sqlite_in_a_file_passes() {
    let folder = tempfile::tempdir().unwrap();
    let made = Cell::new(0);
    centre_store::run(|| {
        made.set(made.get() + 1);
        SqliteCentreStore::create(&folder.path().join(format!("{}.db", made.get()))).unwrap()
    });
    assert_eq!(made.get(), centre_store::cases::<SqliteCentreStore>().len());
}

#[test]
fn both_pass_when_they_are_authenticated() {
    centre_store::run(|| {
        let store = SqliteCentreStore::in_memory().unwrap();
        AuthenticatedStore::new(store, centre_store::own_module())
    });
    centre_store::run(|| AuthenticatedStore::new(MemoryStore::new(), centre_store::own_module()));
}

#[test]
fn the_model_passes() {
    centre_store::run(MemoryStore::new);
}
