//! Several processes on one file, and one that may only read it.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use prepay_basics::Moment;
use prepay_kmc::entity::{Action, Customer};
use prepay_kmc::store::{CentreStore, Change, NewJournalEntry, Row, StoreError};
use prepay_store::{OpenStoreError, SqliteCentreStore};
use prepay_testkit::centre_store;

/// Tells the child which file to work on.
const FILE: &str = "PREPAY_STORE_TEST_FILE";

const PROCESSES: u64 = 4;

const COMMITS: u64 = 25;

fn filled(path: &Path) -> SqliteCentreStore {
    let mut store = SqliteCentreStore::create(path).unwrap();
    let rows = centre_store::all_rows().into_iter().map(Change::Insert).collect::<Vec<_>>();
    store.commit(&rows).unwrap();
    store
}

/// Changes one row and the journal [`COMMITS`] times, retrying after each conflict.
fn work(path: &Path) {
    let mut store = SqliteCentreStore::open(path).unwrap();
    let number = 1.try_into().unwrap();
    let mut done = 0;
    while done < COMMITS {
        let seen = store.get::<Customer>(&number).unwrap().unwrap();
        let entry = NewJournalEntry {
            at: Moment::MIN,
            actor: "test".parse().unwrap(),
            action: Action::CustomerChanged,
            subject: "customer 1".parse().unwrap(),
            note: seen.version.to_string().parse().unwrap(),
        };
        let contact = std::process::id().to_string().parse().unwrap();
        let row = Row::Customer(Customer { contact, ..seen.row });
        let changes = [Change::Journal(entry), Change::Update { row, version: seen.version }];
        match store.commit(&changes) {
            Ok(()) => done += 1,
            Err(StoreError::Conflict { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn processes_that_race_on_one_row_lose_nothing() {
    if let Some(path) = env::var_os(FILE) {
        return work(Path::new(&path));
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("centre.db");
    let store = filled(&path);
    let start = || {
        Command::new(env::current_exe().unwrap())
            .args(["--exact", "processes_that_race_on_one_row_lose_nothing"])
            .env(FILE, &path)
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    };
    let children = (0..PROCESSES).map(|_| start()).collect::<Vec<_>>();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let found = store.get::<Customer>(&1.try_into().unwrap()).unwrap().unwrap();
    assert_eq!(found.version, 1 + PROCESSES * COMMITS);
    // Each entry names the version that its commit found: each version once, none from a refused commit.
    let notes = store.journal(0, 1000).unwrap().into_iter().map(|entry| entry.note.to_string());
    let expected = (1..found.version).map(|version| version.to_string());
    assert!(notes.eq(expected));
}

/// Root may write everywhere, so a child process runs the test as the user `nobody`.
#[cfg(unix)]
#[test]
fn a_read_only_file_is_refused_as_such() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;

    const TEST: &str = "a_read_only_file_is_refused_as_such";
    const NOBODY: u32 = 65_534;
    let is_read_only = |path: &Path| match SqliteCentreStore::open(path) {
        Err(error @ OpenStoreError::ReadOnly { .. }) => error.code() == "store_read_only",
        _ => false,
    };
    if let Some(path) = env::var_os(FILE) {
        return assert!(is_read_only(Path::new(&path)));
    }
    let folder = tempfile::tempdir().unwrap();
    let allow =
        |path: &Path, mode| fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    allow(folder.path(), 0o755);
    let path = folder.path().join("centre.db");
    drop(filled(&path));
    allow(&path, 0o444);
    if fs::metadata(&path).unwrap().uid() != 0 {
        return assert!(is_read_only(&path));
    }
    let program = folder.path().join("test");
    fs::copy(env::current_exe().unwrap(), &program).unwrap();
    allow(&program, 0o755);
    let status = Command::new(&program)
        .args(["--exact", TEST])
        .env(FILE, &path)
        .current_dir("/")
        .uid(NOBODY)
        .status()
        .unwrap();
    assert!(status.success());
}
