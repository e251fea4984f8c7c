//! Two processes of eight threads each on one module directory, in turn: limits and counters are exact.
//! While one is at work the other is refused by name.
//!
//! The processes are children of this same program.

mod proof_kit;

use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use prepay_host::{Directory, DirectoryError};
use prepay_module::software::ModuleEntry;
use prepay_module::{ModuleError, Refusal, SecurityModule};
use prepay_testkit::ceremony::{People, passphrase};
use prepay_testkit::child::{self, Child};
use prepay_vault::Entry;

use proof_kit::{Number, TRANSACTIONS, create, open};

const PROCESSES: u32 = 2;
const THREADS: u32 = 8;
/// How often each process opens the module: first whenever it can, then in turn with the other.
const FREE_TURNS: u32 = 3;
const TURNS: u32 = 7;
/// Longer than the other process ever works in one turn.
const WAIT: Duration = Duration::from_secs(60);
/// How many requests each thread makes in a turn.
const EACH: u64 = 7;
const REQUESTS: u64 = PROCESSES as u64 * TURNS as u64 * THREADS as u64 * EACH;
/// Whole units that may be issued; every request asks for one.
const LIMIT: u64 = REQUESTS - 50;

#[test]
#[ignore = "runs as a child of the tests after it"]
fn case_worker() {
    let Some(place) = child::place() else { return };
    let process = child::number();
    let (made, refused) = (AtomicU64::new(0), AtomicU64::new(0));
    let mut orders = std::io::stdin().lines();
    for turn in 0..TURNS {
        orders.next().unwrap().unwrap();
        let module = open(&place).unwrap();
        let operator = People::of(&module, &passphrase).operator;
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let (operator, made, refused) = (&operator, &made, &refused);
                scope.spawn(move || {
                    for count in 0..EACH {
                        let worker = process * THREADS + thread;
                        let number = Number { round: turn, worker, count };
                        match operator.issue_one(number.one_unit()) {
                            Ok(_) => made.fetch_add(1, Ordering::Relaxed),
                            Err(ModuleError::Refused(Refusal::CreditLimit { .. })) => {
                                refused.fetch_add(1, Ordering::Relaxed)
                            }
                            other => panic!("{other:?}"),
                        };
                    }
                });
            }
        });
        // Handles may stay: a closed module has left its place.
        module.vault().close().unwrap();
        drop(Directory::open_waiting(place.join("module"), WAIT).unwrap());
        drop((operator, module));
        println!("\nturn {turn}");
    }
    println!("\nmade {} refused {}", made.into_inner(), refused.into_inner());
}

#[test]
#[ignore = "runs as a child of the tests after it"]
fn case_holder() {
    let Some(place) = child::place() else { return };
    let _module = open(&place).unwrap();
    println!("\nheld");
    // Until the parent closes the pipe, or ends.
    let _ = std::io::stdin().read(&mut [0]);
}

#[test]
fn two_processes_of_eight_threads_count_exactly() {
    let place = tempfile::tempdir().unwrap();
    create(place.path(), Some(u32::try_from(LIMIT).unwrap()));
    let mut children = [0, 1].map(|process| Child::start("case_worker", place.path(), process));
    for child in &mut children {
        (0..FREE_TURNS).for_each(|_| child.nudge());
    }
    for child in &mut children {
        child.wait_for(&format!("turn {}", FREE_TURNS - 1));
    }
    for turn in FREE_TURNS..TURNS {
        for child in &mut children {
            child.nudge();
            child.wait_for(&format!("turn {turn}"));
        }
    }
    let (mut made, mut refused) = (0, 0);
    for mut child in children {
        let line = child.wait_for("made ");
        let (one, other) = line["made ".len()..].split_once(" refused ").unwrap();
        made += one.parse::<u64>().unwrap();
        refused += other.parse::<u64>().unwrap();
        child.finish();
    }
    assert_eq!((made, refused), (LIMIT, REQUESTS - LIMIT));

    let module = open(place.path()).unwrap();
    let people = People::of(&module, &passphrase);
    let auditor = &people.auditor;
    let status = auditor.status().unwrap();
    assert_eq!(status.transactions, LIMIT);
    assert_eq!(status.transactions_left, Some(TRANSACTIONS - LIMIT));
    assert_eq!(auditor.registers().unwrap()[0].units_left_tenths, Some(0));
    let report = people.verify_audit();
    assert_eq!((report.first_bad, report.authenticated), (None, true));
    let mut names = std::collections::HashSet::new();
    let mut order = Vec::new();
    for record in people.audit(1, usize::MAX) {
        let Entry::Owner(ModuleEntry::Issued { rows }) = record.entry else { continue };
        for row in rows {
            assert_eq!(u64::from(row.random), names.len() as u64 % 16, "no gap, no repetition");
            let number = Number::of(row.request.unwrap());
            assert!(names.insert(number), "{number:?}");
            order.push(number.worker / THREADS);
        }
    }
    assert_eq!(names.len() as u64, LIMIT);
    order.dedup();
    assert!(order.len() > usize::try_from(TURNS - FREE_TURNS).unwrap());
    println!("{made} made, {refused} refused, the module changed hands {} times", order.len() - 1);
}

#[test]
fn a_second_process_is_refused_by_name_while_the_first_is_at_work() {
    let place = tempfile::tempdir().unwrap();
    create(place.path(), None);
    let mut holder = Child::start("case_holder", place.path(), 0);
    holder.wait_for("held");
    let module = place.path().join("module");
    let error = Directory::open(&module).unwrap_err();
    assert_eq!(error.code(), "in_use");
    let DirectoryError::InUse { process, .. } = &error else { panic!("{error:?}") };
    assert_eq!(*process, Some(holder.id()));
    let number = format!("in use by process {}", holder.id());
    assert!(error.to_string().ends_with(&number), "{error}");

    holder.finish();
    Directory::open(&module).unwrap();
}
