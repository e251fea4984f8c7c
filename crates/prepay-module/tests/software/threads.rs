//! Sixteen threads on one module: counters and limits are exact, and nothing is made twice.

use std::collections::HashSet;
use std::thread;

use prepay_kmp::attribute::UnitLimit;
use prepay_module::software::{BATCH, ModulePolicy};
use prepay_module::{IssueRequest, Issued, ModuleFault, Refusal, SecurityModule, TokenRequest};
use prepay_token::element::TokenIdentifier;

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
