//! A storage that dies at any of its calls: what was answered is there, nothing runs backwards, and every
//! repeated request gives what it gave.

use prepay_kmp::attribute::UnitLimit;
use prepay_module::software::{Custodians, ModulePolicy, Operator, SoftwareModule};
use prepay_module::{IssueRequest, Issued, Refusal, SecurityModule, TokenRequest};
use prepay_testkit::documents::document;
use prepay_vault::{By, Session};

use crate::kit::*;

const UNITS: u32 = 1000;

fn key(number: u16) -> TestKey {
    TestKey::new(number).with(|a| a.unit_limit = UnitLimit(Some(UNITS)))
}

/// What a script was answered, before the storage died.
#[derive(Default)]
struct Answered {
    tokens: Vec<(u64, Issued)>,
    loads: usize,
    deleted: bool,
    refilled: u64,
}

type Handles = (Operator, Custodians, SoftwareModule, Session);

fn handles(world: &World) -> Handles {
    (world.operator(), world.custodians(), world.module.clone(), world.session("anton"))
}

/// Does a bit of everything until something fails. The people are signed in already.
fn script(
    (operator, custodians, module, anton): &Handles,
    centre: &mut TestCentre,
    answered: &mut Answered,
) -> Option<()> {
    let batch = |from: u64, count: u64| -> Vec<IssueRequest> {
        let amount = |n: u64| TokenRequest { instruction: units(n as u32 + 1), ..credit(1) };
        (from..from + count).map(|n| named(amount(n), n)).collect()
    };
    let issue = |from, count, answered: &mut Answered| {
        let answers = operator.issue(&batch(from, count)).ok()?;
        for (number, answer) in (from..).zip(answers) {
            answered.tokens.push((number, answer.expect("enough is left")));
        }
        Some(())
    };
    issue(0, 1, answered)?;
    issue(1, 5, answered)?;
    let request = custodians.request_key_load(&centre.id()).ok()?;
    let header = centre.header(&request);
    custodians.load_keys(&document(centre.file(&header, &[key(2)]))).ok()?;
    answered.loads += 1;
    issue(6, 2, answered)?;
    module.vault().rotate(By::One(anton)).ok()?;
    answered.refilled = custodians.refill(10).ok()?;
    issue(8, 1, answered)?;
    custodians.delete_key(register(2)).ok()?;
    answered.deleted = true;
    issue(9, 2, answered)
}

fn prepared() -> (World, TestCentre) {
    loaded(ModulePolicy { transactions: Some(100), ..policy() }, &[key(1)])
}

#[test]
fn whatever_was_answered_survives_a_death_at_any_call() {
    let (world, mut centre) = prepared();
    let memory = world.storage.lock().unwrap().memory.clone();
    let alive = handles(&world);
    let before = world.storage.lock().unwrap().fate().calls;
    script(&alive, &mut centre, &mut Answered::default()).expect("a storage that lives");
    let calls = world.storage.lock().unwrap().fate().calls - before;
    assert!(calls > 20, "{calls}");
    let mut world = world;
    for last in [Last::Nothing, Last::Half, Last::All] {
        for lives in 1..=calls + 1 {
            *world.storage.lock().unwrap() =
                MortalStorage { memory: memory.clone(), ..MortalStorage::default() };
            world.reopen();
            // The centre's side does not depend on the module's fate.
            let (mut answered, handles) = (Answered::default(), handles(&world));
            {
                let storage = world.storage.lock().unwrap();
                let mut fate = storage.fate();
                (fate.lives, fate.last) = (Some(lives), last);
            }
            let died = script(&handles, &mut centre, &mut answered).is_none();
            assert_eq!(died, lives <= calls, "{last:?} of call {lives}");
            if died {
                let fault = handles.0.issue(&[IssueRequest::Token(credit(1))]);
                assert!(fault.is_err(), "{last:?} of call {lives}");
            }
            world.storage.lock().unwrap().fate().lives = None;
            world.reopen();
            check(&world, &answered, died, &format!("{last:?} of call {lives}"));
        }
    }
}

fn check(world: &World, answered: &Answered, died: bool, place: &str) {
    let auditor = world.auditor();
    assert_eq!(world.verify_audit().first_bad, None, "{place}");
    let registers = auditor.registers().unwrap();
    let status = auditor.status().unwrap();
    // What was answered counts; what was not may count.
    let used: u64 = answered.tokens.iter().map(|(number, _)| number + 1).sum();
    let left = registers[0].units_left_tenths.unwrap();
    let most = 10 * u64::from(UNITS) - used;
    assert!(left <= most, "{place}: {left} left of at most {most}");
    assert!(status.transactions >= answered.tokens.len() as u64, "{place}");
    if !died {
        assert_eq!(left, most, "{place}");
    }
    let holds = registers.iter().any(|register| register.register.value() == 2);
    if answered.deleted {
        assert!(!holds, "{place}");
    } else if answered.loads == 1 && answered.tokens.len() < 9 {
        assert!(holds, "{place}");
    }
    if answered.refilled > 0 {
        let spent = status.transactions;
        assert_eq!(status.transactions_left, Some(110 - spent), "{place}");
    }
    // The same requests again: what was answered comes again, and nothing is counted twice.
    let operator = world.operator();
    for (number, issued) in &answered.tokens {
        let request = TokenRequest { instruction: units(*number as u32 + 1), ..credit(1) };
        let again = operator.issue(&[named(request, *number)]).expect("an answer");
        assert_eq!(again, [Ok(*issued)], "{place}: request {number}");
        let other = TokenRequest { instruction: units(900), ..credit(1) };
        let conflict = operator.issue(&[named(other, *number)]).expect("an answer");
        assert_eq!(conflict, [Err(Refusal::RequestConflict)], "{place}");
    }
    assert_eq!(auditor.registers().unwrap()[0].units_left_tenths, Some(left), "{place}");
    // And it goes on.
    let next = operator.issue(&[named(credit(1), 1000)]).expect("an answer");
    assert!(next[0].is_ok(), "{place}");
}
