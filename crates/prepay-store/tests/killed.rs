//! A process is killed while it commits: every commit that it acknowledged survives.
//!
//! Set `PREPAY_STORE_KILLS=1000` for more kills.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use prepay_basics::Moment;
use prepay_kmc::entity::{Action, Customer};
use prepay_kmc::store::{CentreStore, Change, NewJournalEntry, Row};
use prepay_store::SqliteCentreStore;
use prepay_testkit::centre_store;

/// Tells the child which file to work on.
const FILE: &str = "PREPAY_STORE_TEST_FILE";

/// How many processes to kill, unless the environment says otherwise.
const KILLS: usize = 20;

/// Changes a row and the journal together, and prints each version once its commit returned.
fn work(path: &Path) -> ! {
    let mut store = SqliteCentreStore::open(path).unwrap();
    let number = 1.try_into().unwrap();
    let mut out = std::io::stdout().lock();
    loop {
        let seen = store.get::<Customer>(&number).unwrap().unwrap();
        let contact = seen.version.to_string().parse().unwrap();
        let note = NewJournalEntry {
            at: Moment::MIN,
            actor: "test".parse().unwrap(),
            action: Action::CustomerChanged,
            subject: "customer 1".parse().unwrap(),
            note: seen.version.to_string().parse().unwrap(),
        };
        let row = Row::Customer(Customer { contact, ..seen.row });
        let changes = [Change::Update { row, version: seen.version }, Change::Journal(note)];
        store.commit(&changes).unwrap();
        writeln!(out, "{}", seen.version + 1).unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn commits_acknowledged_before_a_kill_survive() {
    if let Some(path) = env::var_os(FILE) {
        work(Path::new(&path));
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("centre.db");
    let mut store = SqliteCentreStore::create(&path).unwrap();
    let rows = centre_store::all_rows().into_iter().map(Change::Insert).collect::<Vec<_>>();
    store.commit(&rows).unwrap();
    drop(store);
    let kills = env::var("PREPAY_STORE_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    for kill in 0..kills {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "commits_acknowledged_before_a_kill_survive", "--nocapture"])
            .env(FILE, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = child.stdout.take().unwrap();
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        let mut last = 0;
        for _ in 0..5 + kill % 7 {
            let version = lines.by_ref().find_map(|line| line.parse::<u64>().ok());
            last = version.expect("the child goes on until it is killed");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it printed before it died was acknowledged too.
        last = lines.filter_map(|line| line.parse().ok()).last().unwrap_or(last);
        let store = SqliteCentreStore::open(&path).unwrap();
        let found = store.get::<Customer>(&1.try_into().unwrap()).unwrap().unwrap();
        assert!(found.version >= last, "kill {kill}: expected {last}, found {}", found.version);
        let mut entries = 0;
        loop {
            let page = store.journal(entries, 1000).unwrap();
            if page.is_empty() {
                break;
            }
            entries += page.len() as u64;
        }
        assert_eq!(entries + 1, found.version, "kill {kill}: row and journal go together");
        let connection = rusqlite::Connection::open(&path).unwrap();
        let verdict = connection.pragma_query_value(None, "integrity_check", |row| row.get(0));
        assert_eq!(verdict, Ok("ok".to_owned()), "kill {kill}");
    }
}
