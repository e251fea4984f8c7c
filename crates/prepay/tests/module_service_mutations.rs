//! Sessions with changed lines at a real service: flipped, dropped, repeated, cut, giant and nested. The service answers
//! or closes, never hangs, and never breaks; another client at work notices nothing.
//!
//! `PREPAY_MUTATIONS` and `PREPAY_MUTATIONS_SEED` choose how many sessions, and which.

mod module_kit;

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use module_kit::service::{Running, credit, secret, workplace};
use module_kit::{PAIR, SECRETS};
use prepay_testkit::Random;
use serde_json::{Value, json};

const COUNT: &str = "PREPAY_MUTATIONS";
const SEED: &str = "PREPAY_MUTATIONS_SEED";

/// How long a client waits for the end of a session.
const PATIENCE: Duration = Duration::from_secs(60);

/// The lines of a session, each as it should be.
fn session(number: u64) -> Vec<Vec<u8>> {
    let sign_in =
        |name: &str| json!({"op": "sign_in", "name": name, "passphrase": secret(name), "id": 1});
    let credit = |place: u64| credit(1_000_000_000 + 10 * number + place);
    let ask = |op: &str| json!({"op": op, "id": "a question"});
    let verify = json!({"op": "verify", "register": 1, "pan": module_kit::PAN, "ea": "07",
        "ti": "01", "tct": "02", "number": "0000 0000 0000 0000 0001"});
    let change = json!({"op": "issue_key_change", "from": 1, "to": 2, "pan": module_kit::PAN,
        "ea": "07", "ti": "01", "tct": "02"});
    let lines = match number % 3 {
        0 => vec![sign_in("olga"), credit(1), verify, credit(2), change, ask("registers")],
        1 => vec![
            sign_in("uwe"),
            ask("status"),
            json!({"op": "audit", "from": 2, "count": 5}),
            ask("audit_verify"),
            ask("sign_out"),
            sign_in("olga"),
            credit(1),
        ],
        _ => vec![
            sign_in("ann"),
            sign_in("bob"),
            json!({"op": "backup", "first_passphrase": secret("ann.backup"),
                "second_passphrase": secret("bob.backup")}),
            ask("clock"),
            json!({"op": "add_user", "name": "max", "role": "auditor",
                "new_passphrase": secret("uwe")}),
            json!({"op": "set_passphrase", "name": "max", "new_passphrase": secret("olga")}),
            ask("users"),
            json!({"op": "request_key_load", "centre": "KMC-1"}),
            json!({"op": "document", "text": "K;PRFopen-kmp-2;\n"}),
            ask("preview"),
            json!({"op": "load", "fingerprint": "0000"}),
            json!({"op": "remove_user", "name": "max"}),
        ],
    };
    lines.iter().map(|line| format!("{line}\n").into_bytes()).collect()
}

/// Changes one line, or what lines there are. Lines that sign in are mostly left: a refused one has little behind it.
fn mutate(lines: &mut Vec<Vec<u8>>, random: &mut Random) {
    let place = random.below(lines.len());
    if lines[place].starts_with(br#"{"id":1,"#) && random.below(8) > 0 {
        return;
    }
    let line = &mut lines[place];
    let (from, to) = (random.below(line.len()), random.below(line.len()));
    let range = from.min(to)..from.max(to);
    match random.below(9) {
        0 if !line.is_empty() => line[from] ^= 1 << random.below(8),
        1 => drop(line.drain(range)),
        2 => {
            let part = line[range.clone()].to_vec();
            line.splice(range.end..range.end, part);
        }
        3 => line.truncate(from), // Its end too, so that two lines become one.
        4 => {
            let giant = vec![random.byte() | 0x20; 1 << (10 + random.below(9))];
            line.splice(from..from, giant);
        }
        5 => {
            let open = *random.choice(&[&b"["[..], b"{\"op\":", b"{\"a\":[", b"\""]);
            line.splice(from..from, open.repeat(1 << random.below(14)));
        }
        6 => {
            let length = random.below(300);
            line.splice(from..from, random.bytes(length));
        }
        7 => {
            let again = line.clone();
            lines.insert(place, again);
        }
        _ if lines.len() > 1 => drop(lines.remove(place)),
        _ => {}
    }
}

/// Sends everything, and reads until the service closes. Returns the answers.
fn talk(service: &Running, lines: &[Vec<u8>], told: &str) -> Vec<Value> {
    let connection = service.open();
    let (mut input, mut output) = (connection.input, connection.output);
    input.get_ref().set_read_timeout(Some(PATIENCE)).unwrap();
    let bytes = lines.concat();
    let mut answers = Vec::new();
    thread::scope(|scope| {
        scope.spawn(move || {
            // The service may close before it read everything.
            let _ = output.write_all(&bytes);
            let _ = output.shutdown(Shutdown::Write);
        });
        match input.read_to_end(&mut answers) {
            Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error} {told}"),
            _ => {}
        }
    });
    let text = String::from_utf8(answers).unwrap();
    for (name, secret) in SECRETS {
        assert!(!text.contains(secret), "the secret {name} was answered {told}");
    }
    let read = |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e} {told}"));
    text.lines().map(read).collect()
}

fn run(name: &str, count: u64) {
    let seed = std::env::var(SEED).map_or(2026, |text| text.parse().expect("a number"));
    println!("{count} sessions, {SEED}={seed}");
    let workplace = workplace(name, None);
    let service = Running::start(&workplace, "--patience 5");
    let (mut random, ended) = (Random::new(seed), AtomicBool::new(false));
    let (mut answered, mut refused, mut issued) = (0, 0, 0);
    let good = thread::scope(|scope| {
        let mut operator = service.signed_in("olga");
        let ended = &ended;
        let good = scope.spawn(move || {
            let mut good = 0;
            while !ended.load(Ordering::Relaxed) {
                let answer = operator.ask(&credit(good));
                assert!(answer["number"].is_string(), "{answer}");
                good += 1;
            }
            good
        });
        let end = End(ended);
        for number in 0..count {
            let told = format!("in session {number}, {SEED}={seed}");
            let mut lines = session(number);
            (0..=random.below(3)).for_each(|_| mutate(&mut lines, &mut random));
            let answers = talk(&service, &lines, &told);
            let sent = lines.concat().split(|byte| *byte == b'\n').count();
            assert!(answers.len() <= sent, "{} answers to {sent} lines {told}", answers.len());
            for answer in &answers {
                assert!(answer.get("id").is_some(), "{answer} {told}");
                assert_ne!(answer["error"]["code"], "storage", "{answer} {told}");
                refused += u64::from(!answer["error"].is_null());
                issued += u64::from(answer["number"].is_string() || answer["numbers"].is_array());
            }
            answered += answers.len() as u64;
        }
        drop(end);
        good.join().unwrap()
    });
    println!(
        "{answered} answers, {refused} refusals, {issued} tokens; {good} tokens of another client"
    );
    let notes = service.end();
    for word in ["panicked", "fault", "storage"] {
        assert!(!notes.contains(word), "{word}: {notes}");
    }
    assert!(refused > count / 3 && issued > count / 5 && good > count / 4, "{answered}");
    workplace.succeed(&format!("audit verify {PAIR}"));
}

/// Ends the other client, also when the test fails.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn changed_lines_are_answered_or_closed_and_no_other_client_notices() {
    run("mutations", 300);
}

#[test]
#[ignore = "long: as many sessions as PREPAY_MUTATIONS says"]
fn thousands_of_changed_sessions_are_answered_or_closed() {
    let count = std::env::var(COUNT).map_or(20_000, |text| text.parse().expect("a number"));
    run("mutations-long", count);
}
