//! A service that is killed at any moment, again and again, while operators issue, an auditor reads, custodians make
//! back-ups and add people: the next one opens the module, has every token and every person that was answered for, and
//! counts no token twice.
//!
//! After each kill every line that was ever sent in that round is sent again, answered before or not. What was answered is
//! answered with the same digits. What was not is made now, or was made and is not counted again: in the end the module
//! has counted exactly the lines that were sent.
//!
//! `cargo xtask torture --service` runs the long form. The seed, which is printed, fixes when each service is killed as far
//! as answers and a clock can fix it.

mod module_kit;

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use module_kit::PAIR;
use module_kit::service::{Connection, Running, credit, secret, workplace};
use prepay_testkit::Random;
use serde_json::{Value, json};

const KILLS: &str = "PREPAY_TORTURE_KILLS";
const SEED: &str = "PREPAY_TORTURE_SEED";

const OPERATORS: u64 = 3;

/// How many lines one operator may send in one round.
const ROOM: u64 = 100_000;

/// What operators sent in one round, and the answers that came.
#[derive(Default)]
struct Round {
    sent: u64,
    answered: BTreeMap<u64, Value>,
}

/// Sends lines, some alone and some together, until the service is gone.
fn issue(mut connection: Connection, first: u64, together: u64, answers: &AtomicU64) -> Round {
    let mut round = Round::default();
    loop {
        let ids = first + round.sent..first + round.sent + together;
        let lines: String = ids.clone().map(|id| format!("{}\n", credit(id))).collect();
        round.sent += together;
        if connection.output.write_all(lines.as_bytes()).is_err() {
            return round;
        }
        for id in ids {
            let mut line = String::new();
            match connection.input.read_line(&mut line) {
                Ok(1..) if line.ends_with('\n') => {}
                _ => return round,
            }
            let answer: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(answer["id"], id);
            assert!(answer["number"].is_string(), "{answer}");
            round.answered.insert(id, answer);
            answers.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Asks the same until the service is gone.
fn ask(mut connection: Connection, line: &Value) -> u64 {
    let line = format!("{line}\n");
    for asked in 0.. {
        let mut answer = String::new();
        let sent = connection.output.write_all(line.as_bytes());
        if sent.is_err() || !matches!(connection.input.read_line(&mut answer), Ok(1..)) {
            return asked;
        }
        assert!(!answer.contains("\"error\""), "{answer}");
    }
    0
}

/// Adds people until the service is gone, or they are many. Counts those that were answered for.
fn add_people(mut connection: Connection, added: &AtomicUsize) {
    for number in 0..30 {
        let line = json!({"op": "add_user", "name": format!("new-{number:02}"), "role": "auditor",
            "new_passphrase": "new-here"});
        let mut answer = String::new();
        let sent = connection.output.write_all(format!("{line}\n").as_bytes());
        let read = sent.and_then(|()| connection.input.read_line(&mut answer));
        if !matches!(read, Ok(1..)) || !answer.ends_with('\n') {
            return;
        }
        assert!(!answer.contains("\"error\""), "{answer}");
        added.fetch_add(1, Ordering::Relaxed);
    }
}

fn torture(name: &str, kills: u64, seed: u64) {
    println!("{kills} kills, {SEED}={seed}");
    let workplace = workplace(name, None);
    let mut random = Random::new(seed);
    let backup = json!({"op": "backup", "first_passphrase": secret("ann.backup"),
        "second_passphrase": secret("bob.backup")});
    let verify = json!({"op": "audit_verify"});
    let (mut counted, mut answered, mut read, mut backups, mut people) = (0, 0, 0, 0, 0);
    for round in 0..kills {
        let told = format!("round {round}, {SEED}={seed}");
        // One in eight is killed while it opens the module.
        if random.below(8) == 0 {
            let mut opening = workplace.command("serve --socket {socket}").spawn().unwrap();
            thread::sleep(Duration::from_micros(random.below(60_000) as u64));
            opening.kill().unwrap();
            opening.wait().unwrap();
        }
        // The socket of the killed service is replaced.
        let mut service = Running::start(&workplace, "--verify-every 1");
        let first = |operator: u64| (round * OPERATORS + operator) * ROOM;
        let (enough, late) = (random.below(400) as u64, random.below(3000) as u64);
        let answers = AtomicU64::new(0);
        let added = AtomicUsize::new(0);
        let rounds: Vec<Round> = thread::scope(|scope| {
            let operators: Vec<_> = (0..OPERATORS)
                .map(|operator| {
                    let (connection, answers) = (service.signed_in("olga"), &answers);
                    let together = [1, 7, 60][operator as usize];
                    scope.spawn(move || issue(connection, first(operator), together, answers))
                })
                .collect();
            let auditor = service.signed_in("uwe");
            let mut custodians = service.signed_in("ann");
            custodians.sign_in("bob", secret("bob"));
            let reading = scope.spawn(|| ask(auditor, &verify));
            let backing_up = scope.spawn(|| ask(custodians, &backup));
            let mut others = service.signed_in("ann");
            others.sign_in("bob", secret("bob"));
            scope.spawn(|| add_people(others, &added));
            let is_working = || operators.iter().any(|operator| !operator.is_finished());
            // The first round lasts until there is a person to look for.
            let is_early = || {
                answers.load(Ordering::Relaxed) < enough
                    || round == 0 && added.load(Ordering::Relaxed) == 0
            };
            while is_early() && is_working() {
                thread::yield_now();
            }
            thread::sleep(Duration::from_micros(late));
            service.child.kill().unwrap();
            read += reading.join().unwrap();
            backups += backing_up.join().unwrap();
            operators.into_iter().map(|operator| operator.join().unwrap()).collect()
        });
        service.child.wait().unwrap();
        assert!(workplace.path("socket").exists(), "{told}");

        let service = Running::start(&workplace, "--verify-every 0");
        let mut auditor = service.signed_in("uwe");
        let report = auditor.ask(&verify);
        assert_eq!(report["authenticated"], true, "{report} {told}");
        let added = added.into_inner();
        // The last person may have been added without an answer.
        let all = auditor.ask(&json!({"op": "users"}))["people"].clone();
        let names = all.as_array().unwrap().iter().map(|person| person["name"].as_str().unwrap());
        let new: Vec<&str> = names.filter(|name| name.starts_with("new-")).collect();
        assert!((added..=added + 1).contains(&new.len()), "{added} people: {new:?} {told}");
        let mut custodians = service.signed_in("ann");
        custodians.sign_in("bob", secret("bob"));
        for name in &new {
            let gone = custodians.ask(&json!({"op": "remove_user", "name": name}));
            assert_eq!(gone["name"], *name, "{gone} {told}");
        }
        people += added;
        let transactions = |auditor: &mut Connection| {
            auditor.ask(&json!({"op": "status"}))["transactions"].as_u64().unwrap()
        };
        let made = transactions(&mut auditor) - counted;
        let sent: u64 = rounds.iter().map(|round| round.sent).sum();
        let told_of: u64 = rounds.iter().map(|round| round.answered.len() as u64).sum();
        assert!((told_of..=sent).contains(&made), "{told_of} <= {made} <= {sent} {told}");
        let mut operator = service.signed_in("olga");
        for (number, Round { sent, answered }) in (0..).zip(&rounds) {
            let ids: Vec<u64> = (first(number)..first(number) + sent).collect();
            for together in ids.chunks(100) {
                together.iter().for_each(|&id| operator.send(&credit(id)));
                for id in together {
                    let again = operator.next().unwrap();
                    assert!(again["number"].is_string(), "{again} {told}");
                    assert!(answered.get(id).is_none_or(|before| *before == again), "{told}");
                }
            }
        }
        counted += sent;
        assert_eq!(transactions(&mut auditor), counted, "{told}");
        answered += told_of;
        service.end();
    }
    println!(
        "{answered} of {counted} lines answered before a kill, {read} verifications, {backups} back-ups, {people} people"
    );
    workplace.succeed(&format!("audit verify {PAIR}"));
    let counts = [answered / (10 * kills), read, backups, people as u64];
    assert!(!counts.contains(&0), "{counts:?}");
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

#[test]
fn what_a_killed_service_answered_is_in_the_log_and_counted_once() {
    torture("killed", 12, number(SEED, 2026));
}

#[test]
#[ignore = "long: `cargo xtask torture --service`"]
fn what_a_service_killed_hundreds_of_times_answered_is_counted_once() {
    torture("killed-long", number(KILLS, 500), number(SEED, 2026));
}
