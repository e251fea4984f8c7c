//! Sixteen threads on one module: counters and limits are exact, and nothing is made twice.

use std::collections::HashSet;
use std::thread;

use prepay_kmp::attribute::UnitLimit;
use prepay_module::software::{BATCH, ModulePolicy, TestMode};
use prepay_module::{IssueRequest, Issued, ModuleFault, Refusal, SecurityModule, TokenRequest};
use prepay_token::element::TokenIdentifier;
use prepay_vault::By;

use crate::kit::*;

const THREADS: u64 = 16;
const EACH: u64 = 200;

#[test]
fn sixteen_threads_count_exactly() {
    let tokens = THREADS * EACH;
    let policy = ModulePolicy { transactions: Some(tokens - 10), window_minutes: None, ..policy() };
    let (mut world, mut centre) = joined(policy);
    let limit = (tokens - 20) as u32;
    centre.load(&world, &[TestKey::new(1).with(|a| a.unit_limit = UnitLimit(Some(limit)))]);
    let operator = world.operator();
    let (mut made, mut refused) = (HashSet::new(), 0);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let operator = operator.clone();
                scope.spawn(move || {
                    let mut answers = Vec::new();
                    for number in 0..EACH {
                        let number = thread * EACH + number;
                        let identifier = TokenIdentifier::from_low_bits(number as u32);
                        let request = named(TokenRequest { identifier, ..credit(1) }, number);
                        // Some one by one, some in batches with a repetition.
                        let batch =
                            if number.is_multiple_of(5) { vec![request; 3] } else { vec![request] };
                        let answered = operator.issue(&batch).expect("answers");
                        assert!(answered.iter().all(|answer| *answer == answered[0]));
                        answers.push(answered[0].clone());
                    }
                    answers
                })
            })
            .collect();
        for thread in threads {
            for answer in thread.join().expect("a thread that ends") {
                match answer {
                    Ok(Issued::Token(token)) => assert!(made.insert(token.token)),
                    Err(Refusal::CreditLimit { .. } | Refusal::Transactions) => refused += 1,
                    other => panic!("{other:?}"),
                }
            }
        }
    });
    // One unit each: the limit of the key ends first.
    assert_eq!((made.len() as u64, refused), (tokens - 20, 20));
    for _ in 0..2 {
        assert_eq!(world.left(1), (Some(0), None, Some(10)));
        assert_eq!(world.auditor().status().unwrap().transactions, tokens - 20);
        world.reopen();
    }
    let report = world.verify_audit();
    assert_eq!(report.first_bad, None);
}

#[test]
fn the_same_request_from_all_threads_is_carried_out_once() {
    let (world, _) = loaded(policy(), &[TestKey::new(1)]);
    let operator = world.operator();
    let answers = thread::scope(|scope| {
        let ask = || scope.spawn(|| operator.issue(&[named(credit(1), 1)]).expect("an answer"));
        let threads: Vec<_> = (0..THREADS).map(|_| ask()).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(operator.status().unwrap().transactions, 1);
}

#[test]
fn locking_ends_every_handle() {
    let (world, _) = loaded(policy(), &[TestKey::new(1)]);
    let (operator, auditor, custodians) = (world.operator(), world.auditor(), world.custodians());
    assert!(operator.issue_one(IssueRequest::Token(credit(1))).is_ok());
    world.module.vault().lock();
    assert!(operator.issue_one(IssueRequest::Token(credit(1))).is_err());
    assert!(operator.registers().is_err());
    assert!(auditor.status().is_err());
    assert!(custodians.refill(1).is_err());
    assert!(world.try_open().is_ok());
}

#[test]
fn a_request_that_is_locked_out_half_way_says_that_tokens_may_exist() {
    let (mut world, _) = loaded(policy(), &[TestKey::new(1)]);
    let requests = vec![IssueRequest::Token(credit(1)); 4 * BATCH];
    for _ in 0..20 {
        let (operator, auditor) = (world.operator(), world.auditor());
        let before = auditor.status().unwrap().transactions;
        let answer = thread::scope(|scope| {
            let issuing = scope.spawn(|| operator.issue(&requests));
            while auditor.status().unwrap().transactions == before {
                thread::yield_now();
            }
            world.module.vault().lock();
            issuing.join().unwrap()
        });
        world.reopen();
        let made = world.auditor().status().unwrap().transactions - before;
        match answer {
            Ok(answers) => assert_eq!(made, answers.len() as u64),
            Err(ModuleFault::NoAnswer { .. }) => {
                assert!(made > 0 && made.is_multiple_of(BATCH as u64), "{made}");
                return;
            }
            Err(fault) => panic!("{fault}"),
        }
    }
    panic!("the lock always came too late");
}

#[test]
fn the_log_is_rotated_while_eight_threads_issue() {
    const ISSUERS: u64 = 8;
    let test = TestMode { run_names: Some(50), ..TestMode::default() };
    let policy = ModulePolicy { window_minutes: None, ..ModulePolicy::default() };
    let mut world = World::with_test_mode(policy, test);
    let mut centre = TestCentre::new("KMC-1");
    centre.join(&world);
    centre.load(&world, &[TestKey::new(1)]);
    let operator = world.operator();
    let anton = world.session("anton");
    let request = |number: u64| {
        let identifier = TokenIdentifier::from_low_bits(number as u32);
        named(TokenRequest { identifier, ..credit(1) }, number)
    };
    let issued = std::sync::atomic::AtomicU64::new(0);
    let total = ISSUERS * EACH;
    let (answers, rotated) = thread::scope(|scope| {
        let threads: Vec<_> = (0..ISSUERS)
            .map(|thread| {
                let (operator, issued) = (operator.clone(), &issued);
                scope.spawn(move || {
                    let one = |number| {
                        let answer = operator.issue(&[request(thread * EACH + number)]);
                        issued.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        answer.expect("an answer").remove(0).expect("a token")
                    };
                    (0..EACH).map(one).collect::<Vec<_>>()
                })
            })
            .collect();
        // Ten times, spread over the whole of it, and a verification across each.
        let mut rotated = 0;
        while rotated < 10 {
            if issued.load(std::sync::atomic::Ordering::Relaxed) >= rotated * total / 10 {
                world.module.vault().rotate(By::One(&anton)).expect("a rotation");
                rotated += 1;
                let report = world.module.vault().verify_audit(By::One(&anton)).unwrap();
                assert_eq!((report.first_bad, report.absent), (None, vec![]));
            }
        }
        let answers: Vec<_> = threads.into_iter().flat_map(|one| one.join().unwrap()).collect();
        (answers, rotated)
    });
    for _ in 0..2 {
        world.module.wait_for_names();
        let all: Vec<_> = (0..total).map(request).collect();
        let again = world.operator().issue(&all).unwrap();
        assert!(again.iter().zip(&answers).all(|(again, first)| again.as_ref() == Ok(first)));
        assert_eq!(world.auditor().status().unwrap().transactions, total);
        let report = world.verify_audit();
        assert_eq!((report.first_bad, report.absent), (None, vec![]));
        assert_eq!(report.entries + 1, world.audit().len() as u64, "and one signed in");
        world.reopen();
    }
    let anton = world.session("anton");
    assert_eq!(world.module.vault().segments(By::One(&anton)).unwrap().len() as u64, rotated);
}
