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

/// How much memory may be added to what is in use all the time, from the second quarter of the work to the last, in KiB:
/// beside what the names of the requests need.
const GROWTH: u64 = 4 * 1024;

/// What the filters and indexes of a name and an identifier may take together, in bytes. As much again while files are merged.
const NAME: u64 = 5;

/// How much to issue: so many tokens at most, for so long at most.
#[derive(Clone, Copy, Debug)]
struct Load {
    tokens: u64,
    time: Duration,
    /// Tokens per second of all operators; as many as they can if there is none.
    rate: Option<u64>,
}

/// Issues tokens by eight connections. Returns how many, and the longest time that one waited for its answers.
fn issue(service: &Running, from: u64, load: Load) -> (u64, Duration) {
    let begun = Instant::now();
    let next = AtomicU64::new(from);
    let (end, issued) = (from + load.tokens, AtomicU64::new(0));
    let operator = || {
        let mut connection = service.signed_in("olga");
        let mut longest = Duration::ZERO;
        loop {
            let together = if load.rate.is_some() { 1 } else { TOGETHER };
            let first = next.fetch_add(together, Ordering::Relaxed);
            if first >= end || begun.elapsed() >= load.time {
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
                issued.fetch_add(1, Ordering::Relaxed);
            }
            longest = longest.max(asked.elapsed());
        }
    };
    thread::scope(|scope| {
        let operators: Vec<_> = (0..OPERATORS).map(|_| scope.spawn(operator)).collect();
        let waited = operators.into_iter().map(|operator| operator.join().unwrap());
        let longest = waited.max().unwrap();
        (issued.load(Ordering::Relaxed), longest)
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
    let service = Running::start(&workplace, "--verify-every 1");
    issue(&service, 0, Load { tokens: WARM_UP, time: Duration::MAX, rate: None });
    let before = service.resident_kib();
    let (begun, ended) = (Instant::now(), AtomicBool::new(false));
    let (issued, memory) = thread::scope(|scope| {
        let beside = scope.spawn(|| beside(&service, &ended));
        let memory = scope.spawn(|| {
            let mut memory = vec![before];
            while !ended.load(Ordering::Relaxed) {
                memory.push(service.resident_kib());
                thread::sleep(Duration::from_millis(100));
            }
            memory
        });
        let (issued, longest) = issue(&service, WARM_UP, load);
        let seconds = begun.elapsed();
        ended.store(true, Ordering::Relaxed);
        let [read, verified, backups] = beside.join().unwrap();
        let rate = u128::from(issued) * 1000 / seconds.as_millis().max(1);
        println!("{issued} tokens in {seconds:.1?}, {rate} per second");
        println!("beside them: {read} entries read, {verified} verifications, {backups} back-ups");
        println!("longest wait of an operator: {longest:.1?}");
        (issued, memory.join().unwrap())
    });
    // A verification and a page of the log hold some of it for a moment; what is in use all the time is the least.
    let quarter = memory.len() / 4;
    let least = |part: &[u64]| part.iter().copied().min().unwrap_or(before);
    let (early, late) = (least(&memory[quarter..2 * quarter]), least(&memory[3 * quarter..]));
    let (most, after) = (memory.iter().max().unwrap(), service.resident_kib());
    println!("memory: {before} KiB before, {after} KiB after, {most} KiB at most");
    println!("in use all the time: {early} KiB in the second quarter, {late} KiB in the last");
    let names = issued * NAME / 1024;
    assert!(*most < before + 2 * names + 24 * 1024, "{before} KiB before, {most} KiB at most");
    assert!(
        late <= early + names + GROWTH,
        "{early} KiB in the second quarter, {late} KiB in the last"
    );
    let notes = service.end();
    assert!(notes.contains("verified the audit log: ") && !notes.contains("ALARM"), "{notes}");
    let counted = workplace.object("status --as uwe")["transactions"].as_u64().unwrap();
    assert_eq!(counted, WARM_UP + issued);
    workplace.succeed(&format!("audit verify {PAIR}"));
}

#[test]
fn eight_operators_an_auditor_and_back_ups_are_refused_nothing_for_a_minute() {
    // Fifteen times the 100 a second of a large utility. At full speed the names of requests are written and merged all
    // the time, which takes memory of its own.
    run("load", Load { tokens: u64::MAX / 2, time: Duration::from_secs(60), rate: Some(1500) });
}

#[test]
#[ignore = "long: as many tokens as PREPAY_LOAD_TOKENS says, at the rate of PREPAY_LOAD_RATE"]
fn eight_operators_are_refused_nothing_for_long() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().unwrap());
    let tokens = number("PREPAY_LOAD_TOKENS").unwrap_or(200_000);
    let rate = number("PREPAY_LOAD_RATE");
    run("load-long", Load { tokens, time: Duration::MAX, rate });
}
