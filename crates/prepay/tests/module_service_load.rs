//! Eight operators at one service, with an auditor and back-ups beside them: nothing is refused, and memory stays flat.
//!
//! `cargo xtask load` runs the long form at full speed or at a rate, and prints the figures.

mod module_kit;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use module_kit::PAIR;
use module_kit::service::{Running, credit, secret, workplace};
use serde_json::json;

const OPERATORS: u64 = 8;

/// How many lines an operator sends before it waits for the answers.
const TOGETHER: u64 = 128;

/// More tokens than the module remembers requests, so that this memory is full when the measuring begins.
const WARM_UP: u64 = 72_000;

/// How much to issue.
#[derive(Clone, Copy, Debug)]
struct Load {
    tokens: u64,
    /// Tokens per second of all operators; as many as they can if there is none.
    rate: Option<u64>,
}

/// Issues tokens by eight connections, and returns the longest time that one waited for its answers.
fn issue(service: &Running, from: u64, load: Load) -> Duration {
    let begun = Instant::now();
    let next = AtomicU64::new(from);
    let end = from + load.tokens;
    let operator = || {
        let mut connection = service.signed_in("olga");
        let mut longest = Duration::ZERO;
        loop {
            let together = if load.rate.is_some() { 1 } else { TOGETHER };
            let first = next.fetch_add(together, Ordering::Relaxed);
            if first >= end {
                return longest;
            }
            if let Some(rate) = load.rate {
                let due = Duration::from_micros((first - from) * 1_000_000 / rate);
                thread::sleep(due.saturating_sub(begun.elapsed()));
            }
            let asked = Instant::now();
            let ids = first..(first + together).min(end);
            let lines: String = ids.clone().map(|id| format!("{}\n", credit(id))).collect();
            std::io::Write::write_all(&mut connection.output, lines.as_bytes()).unwrap();
            for id in ids {
                let answer = connection.next().expect("an answer");
                assert!(answer["error"].is_null(), "{answer}");
                assert_eq!(answer["id"], id);
            }
            longest = longest.max(asked.elapsed());
        }
    };
    thread::scope(|scope| {
        let operators: Vec<_> = (0..OPERATORS).map(|_| scope.spawn(operator)).collect();
        operators.into_iter().map(|operator| operator.join().unwrap()).max().unwrap()
    })
}

/// Reads and verifies the log, and makes back-ups, until the end.
fn beside(service: &Running, ended: &AtomicBool) -> [u64; 3] {
    let mut auditor = service.signed_in("uwe");
    let mut custodians = service.signed_in("ann");
    assert_eq!(custodians.sign_in("bob", secret("bob"))["dual_control"], true);
    let backup = json!({"op": "backup", "first_passphrase": secret("ann.backup"),
        "second_passphrase": secret("bob.backup")});
    let (mut from, [mut read, mut verified, mut backups]) = (1, [0; 3]);
    while !ended.load(Ordering::Relaxed) || verified == 0 {
        for _ in 0..50 {
            let page = auditor.ask(&json!({"op": "audit", "from": from, "count": 100}));
            let entries = page["entries"].as_array().unwrap_or_else(|| panic!("{page}"));
            read += entries.len() as u64;
            from = page["next"].as_u64().unwrap_or(1);
        }
        let report = auditor.ask(&json!({"op": "audit_verify"}));
        assert_eq!(report["authenticated"], true, "{report}");
        verified += 1;
        let made = custodians.ask(&backup);
        assert!(made["error"].is_null(), "{made}");
        backups += 1;
    }
    [read, verified, backups]
}

fn run(name: &str, load: Load) {
    let workplace = workplace(name, None);
    let service = Running::start(&workplace, "");
    issue(&service, 0, Load { tokens: WARM_UP, rate: None });
    let before = service.resident_kib();
    let (begun, ended, most) = (Instant::now(), AtomicBool::new(false), AtomicU64::new(before));
    let (longest, others) = thread::scope(|scope| {
        let beside = scope.spawn(|| beside(&service, &ended));
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                most.fetch_max(service.resident_kib(), Ordering::Relaxed);
                thread::sleep(Duration::from_millis(100));
            }
        });
        let longest = issue(&service, WARM_UP, load);
        let seconds = begun.elapsed();
        ended.store(true, Ordering::Relaxed);
        let [read, verified, backups] = beside.join().unwrap();
        let rate = u128::from(load.tokens) * 1000 / seconds.as_millis().max(1);
        println!("{} tokens in {seconds:.1?}, {rate} per second", load.tokens);
        (longest, format!("{read} entries read, {verified} verifications, {backups} back-ups"))
    });
    let most = most.into_inner();
    println!("beside them: {others}; longest wait of an operator {longest:.1?}");
    println!("memory: {before} KiB before, {most} KiB at most");
    // A verification and a page of the log hold some of it for a moment.
    assert!(most < before + 24 * 1024, "{before} KiB before, {most} KiB at most");
    service.end();
    let counted = workplace.object("status --as uwe")["transactions"].as_u64().unwrap();
    assert_eq!(counted, WARM_UP + load.tokens);
    workplace.succeed(&format!("audit verify {PAIR}"));
}

#[test]
fn eight_operators_an_auditor_and_back_ups_are_refused_nothing() {
    run("load", Load { tokens: 40_000, rate: None });
}

#[test]
#[ignore = "long: as many tokens as PREPAY_LOAD_TOKENS says, at the rate of PREPAY_LOAD_RATE"]
fn eight_operators_are_refused_nothing_for_long() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().unwrap());
    let tokens = number("PREPAY_LOAD_TOKENS").unwrap_or(200_000);
    run("load-long", Load { tokens, rate: number("PREPAY_LOAD_RATE") });
}
