//! The suite of every storage of a centre, on SQLite in memory and in files, and on the model.

use std::cell::Cell;

use prepay_kmc::store::MemoryStore;
use prepay_store::SqliteCentreStore;
use prepay_testkit::centre_store;

#[test]
fn sqlite_in_memory_keeps_the_contract() {
    centre_store::run(|| SqliteCentreStore::in_memory().unwrap());
}

#[test]
fn sqlite_in_a_file_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let made = Cell::new(0);
    centre_store::run(|| {
        made.set(made.get() + 1);
        SqliteCentreStore::create(&folder.path().join(format!("{}.db", made.get()))).unwrap()
    });
    assert_eq!(made.get(), centre_store::cases::<SqliteCentreStore>().len());
}

#[test]
fn the_model_keeps_the_contract() {
    centre_store::run(MemoryStore::new);
}
