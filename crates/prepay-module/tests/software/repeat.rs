//! A request that comes again: the same digits, nothing counted twice, now or after any reopening.

use prepay_kmp::attribute::UnitLimit;
use prepay_module::software::ModulePolicy;
use prepay_module::{IssueRequest, KeyChangeRequest, Refusal, SecurityModule, TokenRequest};
use prepay_token::element::KeyExpiryNumber;

use crate::kit::*;

fn world() -> (World, TestCentre) {
    let policy = ModulePolicy { transactions: Some(100), ..policy() };
    let limited = TestKey::new(1).with(|a| a.unit_limit = UnitLimit(Some(3)));
    loaded(policy, &[limited, TestKey::new(2)])
}

/// One request of each kind, each with a name.
fn requests() -> [IssueRequest; 3] {
    [
        named(credit(1), 1),
        IssueRequest::Token(TokenRequest { id: Some(request_id(2)), ..management(1) }),
        IssueRequest::KeyChange(KeyChangeRequest { id: Some(request_id(3)), ..key_change(1, 2) }),
    ]
}

#[test]
fn a_repeated_request_is_answered_with_the_same_digits() {
    let (mut world, mut centre) = world();
    let first = world.operator().issue(&requests()).unwrap();
    assert!(first.iter().all(Result::is_ok));
    let left = world.left(1);
    let entries = |world: &World| world.auditor().status().unwrap().transactions;
    let made = entries(&world);
    assert_eq!(world.operator().issue(&requests()), Ok(first.clone()));
    world.reopen();
    assert_eq!(world.operator().issue(&requests()), Ok(first.clone()));
    // After a load that renews attributes: the set carries the expiry that it carried at first.
    let renewed = TestKey::new(2).with(|a| a.expiry = KeyExpiryNumber::from(200));
    centre.load(&world, &[renewed]);
    assert_eq!(world.operator().issue(&requests()), Ok(first.clone()));
    // When nothing may be issued any more.
    world.clock.set(moment("2028-01-01T00:00:00Z"));
    world.reopen();
    assert_eq!(world.operator().issue(&requests()), Ok(first));
    assert_eq!((world.left(1), entries(&world)), (left, made));
}

#[test]
fn a_request_twice_in_one_call_is_one_request() {
    let (world, _) = world();
    let request = named(credit(1), 1);
    let answers = world.operator().issue(&[request, request, request]).unwrap();
    assert!(answers[0].is_ok());
    assert_eq!((&answers[1], &answers[2]), (&answers[0], &answers[0]));
    assert_eq!(world.left(1).0, Some(20));
}

#[test]
fn other_content_under_the_same_name_is_a_conflict() {
    let (mut world, _) = world();
    world.operator().issue(&requests()).unwrap();
    let mut all = vec![
        named(TokenRequest { instruction: units(11), ..credit(1) }, 1),
        named(credit(2), 1),
        named(credit(1), 2),
        named(credit(1), 3),
    ];
    let change = KeyChangeRequest { id: Some(request_id(3)), ..key_change(1, 1) };
    all.push(IssueRequest::KeyChange(change));
    // The conflict is found before anything else that is wrong.
    all.push(named(TokenRequest { register: register(9), ..credit(1) }, 1));
    for _ in 0..2 {
        let left = world.left(1);
        for request in &all {
            let answers = world.operator().issue(&[*request]).unwrap();
            assert_eq!(answers, [Err(Refusal::RequestConflict)], "{request:?}");
        }
        assert_eq!(world.left(1), left);
        world.reopen();
    }
}

#[test]
fn a_refused_request_is_not_remembered() {
    let (world, mut centre) = world();
    let request = named(TokenRequest { instruction: units(40), ..credit(1) }, 1);
    let answers = world.operator().issue(&[request]).unwrap();
    assert!(matches!(answers[0], Err(Refusal::CreditLimit { .. })));
    centre.load(&world, &[TestKey::new(1)]);
    assert!(world.operator().issue(&[request]).unwrap()[0].is_ok());
}

#[test]
fn without_its_key_a_request_is_answered_no_more_and_never_made_anew() {
    let (mut world, mut centre) = world();
    world.operator().issue(&requests()).unwrap();
    world.custodians().delete_key(register(1)).unwrap();
    // The same register gets another key, then the same one again.
    let other = TestKey { register: Some(1), ..TestKey::new(5) };
    for key in [other, TestKey::new(1)] {
        centre.load(&world, &[key]);
        for _ in 0..2 {
            for request in requests() {
                let answers = world.operator().issue(&[request]).unwrap();
                assert_eq!(answers, [Err(Refusal::RequestConflict)], "{request:?}");
            }
            world.reopen();
        }
        world.custodians().delete_key(register(1)).unwrap();
    }
}
