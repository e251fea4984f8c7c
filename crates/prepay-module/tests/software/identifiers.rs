//! No two tokens for one meter under one key have the same identifier, whatever happens to the module.

use prepay_module::software::{ModulePolicy, TestMode, TidReuse};
use prepay_module::{
    IssueRequest, Issued, MeterConfiguration, Refusal, SecurityModule, TokenRequest,
};
use prepay_token::element::{
    BaseDate, CurrencyAmount, EncryptionAlgorithm, KeyExpiryNumber, Service, TokenIdentifier,
};
use prepay_token::{Instruction, ManagementFunction};
use prepay_vault::VaultFiles;

use crate::kit::*;

/// A module with these keys, whose files of names have few.
fn world(keys: &[TestKey]) -> (World, TestCentre) {
    let test = TestMode { run_names: Some(3), ..TestMode::default() };
    let world = World::with_test_mode(ModulePolicy::default(), test);
    let mut centre = TestCentre::new("KMC-1");
    centre.join(&world);
    centre.load(&world, keys);
    (world, centre)
}

fn tid(value: u32) -> TokenIdentifier {
    TokenIdentifier::try_from(value).unwrap()
}

/// The identifier of the start: noon.
fn noon() -> u32 {
    identifier(moment(START)).value()
}

fn at(identifier: u32) -> TokenRequest {
    TokenRequest { identifier: tid(identifier), ..credit(1) }
}

fn ask(world: &World, request: TokenRequest) -> Result<Issued, Refusal> {
    let answer = world.operator().issue(&[IssueRequest::Token(request)]).unwrap().remove(0);
    world.module.wait_for_names();
    answer
}

/// The refusal of an identifier, with the next one that is free.
fn used(identifier: u32, next: Option<u32>) -> Refusal {
    let minute = |identifier: u32| {
        let minute = BaseDate::Y2014.minute_of(tid(identifier)).unix_seconds();
        prepay_basics::Moment::from_unix_seconds(minute as u64).unwrap()
    };
    Refusal::IdentifierUsed {
        identifier: tid(identifier),
        minute: minute(identifier),
        next: next.map(|next| (tid(next), minute(next))),
    }
}

fn tokens(world: &World) -> u64 {
    world.auditor().status().unwrap().transactions
}

#[test]
fn a_second_token_of_one_minute_is_refused_and_the_next_free_identifier_named() {
    let (world, _) = world(&[TestKey::new(1)]);
    for request in [at(noon()), at(noon() + 1), at(noon() + 3)] {
        ask(&world, request).expect("a token");
    }
    let refusal = ask(&world, at(noon())).expect_err("a refusal");
    assert_eq!(refusal, used(noon(), Some(noon() + 2)));
    assert_eq!(refusal.code(), "identifier_used");
    assert_eq!(
        refusal.to_string(),
        "token identifier 6397200 (2026-03-01T12:00:00Z) was used for this meter under this key: \
         expected one that is free, such as 6397202 (2026-03-01T12:02:00Z), the next"
    );
    assert_eq!(tokens(&world), 3, "a refusal counts nothing");
    // What it names is taken, with or without a name.
    ask(&world, at(noon() + 2)).expect("a token");
    let IssueRequest::Token(again) = named(at(noon()), 7) else { unreachable!() };
    assert_eq!(ask(&world, again), Err(used(noon(), Some(noon() + 4))));
}

#[test]
fn a_repeated_request_is_answered_and_not_refused() {
    let (mut world, _) = world(&[TestKey::new(1)]);
    let IssueRequest::Token(request) = named(at(noon()), 7) else { unreachable!() };
    let first = ask(&world, request).expect("a token");
    for _ in 0..2 {
        assert_eq!(ask(&world, request), Ok(first));
        world.reopen();
    }
}

#[test]
fn every_kind_of_token_with_an_identifier_counts_and_a_key_change_does_not() {
    let (world, _) = world(&[TestKey::new(1), TestKey::new(2)]);
    let amount = CurrencyAmount::from_hundred_thousandths(100_000).unwrap();
    let instructions = [
        units(10),
        Instruction::CurrencyCredit { service: Service::Electricity, amount },
        Instruction::Management(ManagementFunction::ClearTamperCondition),
    ];
    for (first, minutes) in instructions.into_iter().zip([0, 10, 20]) {
        let identifier = noon() + minutes;
        ask(&world, TokenRequest { instruction: first, ..at(identifier) }).expect("a token");
        for second in instructions {
            let answer = ask(&world, TokenRequest { instruction: second, ..at(identifier) });
            assert_eq!(answer, Err(used(identifier, Some(identifier + 1))), "{first:?} {second:?}");
        }
    }
    let change = [IssueRequest::KeyChange(key_change(1, 2)); 2];
    assert!(world.operator().issue(&change).unwrap().iter().all(Result::is_ok));
}

#[test]
fn another_meter_or_another_key_has_its_own_identifiers() {
    let (world, _) = world(&[TestKey::new(1), TestKey::des(2), TestKey::des(3)]);
    let sta = MeterConfiguration { encryption: EncryptionAlgorithm::Sta, ..meter() };
    let requests = [
        at(noon()),
        TokenRequest {
            meter: MeterConfiguration { pan: "600727111111111153".parse().unwrap(), ..meter() },
            ..at(noon())
        },
        TokenRequest {
            meter: MeterConfiguration { tariff_index: 2.try_into().unwrap(), ..meter() },
            ..at(noon())
        },
        TokenRequest { meter: sta, register: register(2), ..at(noon()) },
        TokenRequest { meter: sta, register: register(3), ..at(noon()) },
    ];
    for request in requests {
        ask(&world, request).expect("a token");
    }
    for request in requests {
        assert_eq!(ask(&world, request), Err(used(noon(), Some(noon() + 1))), "{request:?}");
    }
}

#[test]
fn the_next_free_identifier_is_neither_reserved_nor_beyond_the_window_or_the_key() {
    // 00:01 is passed over: noon is 720 minutes after midnight.
    let midnight = noon() + 720;
    let (world, _) = world(&[TestKey::new(1)]);
    ask(&world, at(midnight)).expect("a token");
    assert_eq!(ask(&world, at(midnight)), Err(used(midnight, Some(midnight + 2))));
    // It is issued if it is asked for, once.
    ask(&world, at(midnight + 1)).expect("a token");
    assert_eq!(ask(&world, at(midnight + 1)), Err(used(midnight + 1, Some(midnight + 2))));
    let last = noon() + 7 * 24 * 60;
    ask(&world, at(last)).expect("a token");
    let refusal = ask(&world, at(last)).expect_err("a refusal");
    assert_eq!(refusal, used(last, None));
    assert!(
        refusal.to_string().ends_with("none is free in the week after it that the module takes")
    );
}

#[test]
fn the_next_free_identifier_is_one_that_the_key_covers() {
    let block = (noon() >> 16) as u8;
    let key = TestKey::new(1).with(|key| key.expiry = KeyExpiryNumber::from(block));
    let policy = ModulePolicy { window_minutes: None, ..ModulePolicy::default() };
    let (world, _) = loaded(policy, &[key]);
    let last = u32::from(block) << 16 | 0xFFFF;
    ask(&world, at(last)).expect("a token");
    assert_eq!(ask(&world, at(last)), Err(used(last, None)));
    ask(&world, at(last - 1)).expect("a token");
    assert_eq!(ask(&world, at(last - 1)), Err(used(last - 1, None)));
}

#[test]
fn several_purchases_of_one_batch_and_of_many_threads_get_one_token_for_each_identifier() {
    let (world, _) = loaded(ModulePolicy::default(), &[TestKey::new(1)]);
    let batch = [at(noon()), at(noon()), at(noon() + 1), at(noon())].map(IssueRequest::Token);
    let answers = world.operator().issue(&batch).unwrap();
    let refused = Err(used(noon(), Some(noon() + 1)));
    assert!(answers[0].is_ok() && answers[2].is_ok(), "{answers:?}");
    assert_eq!((&answers[1], &answers[3]), (&refused, &Err(used(noon(), Some(noon() + 2)))));
    let operator = world.operator();
    let counts = std::thread::scope(|scope| {
        let thread = || {
            let requests: Vec<_> = (10..60).map(|n| IssueRequest::Token(at(noon() + n))).collect();
            operator.issue(&requests).unwrap().iter().filter(|answer| answer.is_ok()).count()
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(thread)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
    });
    assert_eq!(counts, 50);
}

#[test]
fn identifiers_are_remembered_in_files_and_after_merging_and_opening_again() {
    let (mut world, _) = world(&[TestKey::new(1)]);
    let operator = world.operator();
    for start in (0..3 * 70).step_by(3) {
        let requests = [0, 2, 4].map(|n| IssueRequest::Token(at(noon() + 2 * start + n)));
        assert!(operator.issue(&requests).unwrap().iter().all(Result::is_ok));
        world.module.wait_for_names();
    }
    let files = world.storage.lock().unwrap().memory.files.list("names-").unwrap();
    assert_eq!(files.len(), 1 + 5, "sixty-four are one");
    for _ in 0..2 {
        for n in (0..3 * 70).rev() {
            let identifier = noon() + 2 * n;
            assert_eq!(ask(&world, at(identifier)), Err(used(identifier, Some(identifier + 1))));
        }
        world.reopen();
    }
    assert_eq!(world.auditor().status().unwrap().names.names, 0, "no request had a name");
}

#[test]
fn an_identifier_is_free_again_when_its_days_are_over() {
    const DAY: u64 = 24 * 3600;
    let policy = ModulePolicy { window_minutes: None, ..ModulePolicy::default() };
    let test = TestMode { run_names: Some(3), ..TestMode::default() };
    let world = World::with_test_mode(policy, test);
    let mut centre = TestCentre::new("KMC-1");
    centre.join(&world);
    centre.load(&world, &[TestKey::new(1)]);
    let fill = |from: u32| (from..from + 8).for_each(|n| drop(ask(&world, at(noon() + n))));
    fill(0);
    world.clock.advance(7 * DAY);
    fill(100);
    assert!(matches!(ask(&world, at(noon())), Err(Refusal::IdentifierUsed { .. })));
    world.clock.advance(1);
    fill(200);
    assert!(ask(&world, at(noon())).is_ok());
}

#[test]
fn a_key_that_is_deleted_and_loaded_again_keeps_its_identifiers_in_whatever_register() {
    let (mut world, mut centre) = world(&[TestKey::new(1)]);
    let elsewhere = |number| TestKey { register: Some(number), ..TestKey::new(1) };
    let mut place = 1;
    for (round, next) in [5, 1, 7, 7].into_iter().enumerate() {
        // In memory only, and then in a file too.
        let identifier = noon() + 100 * round as u32;
        for n in 0..(1 + 4 * (round as u32 % 2)) {
            let request = TokenRequest { register: register(place), ..at(identifier + n) };
            ask(&world, request).expect("a token");
        }
        world.custodians().delete_key(register(place)).unwrap();
        // Another key takes the register meanwhile, and has its own identifiers.
        let other = TestKey { register: Some(place), ..TestKey::new(2 + round as u16) };
        centre.load(&world, &[other]);
        ask(&world, TokenRequest { register: register(place), ..at(identifier) }).expect("a token");
        world.custodians().delete_key(register(place)).unwrap();
        place = next;
        centre.load(&world, &[elsewhere(place)]);
        for _ in 0..2 {
            for earlier in 0..=round as u32 {
                let identifier = noon() + 100 * earlier;
                let request = TokenRequest { register: register(place), ..at(identifier) };
                let found = ask(&world, request);
                let is_used = matches!(found, Err(Refusal::IdentifierUsed { .. }));
                assert!(is_used, "round {round}, of {earlier}: {found:?}");
            }
            world.reopen();
        }
    }
}

#[test]
fn a_damaged_file_is_made_again_with_its_identifiers_also_of_deleted_keys() {
    let (mut world, mut centre) = world(&[TestKey::new(1)]);
    for n in 0..8 {
        ask(&world, at(noon() + 2 * n)).expect("a token");
    }
    world.custodians().delete_key(register(1)).unwrap();
    centre.load(&world, &[TestKey { register: Some(9), ..TestKey::new(1) }]);
    let again = |n| TokenRequest { register: register(9), ..at(noon() + 2 * n) };
    world.reopen();
    world.storage.lock().unwrap().memory.files.all().clear();
    let first = ask(&world, again(0));
    assert!(matches!(first, Err(Refusal::NamesUnreadable { in_log: true, .. })), "{first:?}");
    ask(&world, again(3)).expect_err("of the other file, which is made again too");
    for n in 0..8 {
        let identifier = noon() + 2 * n;
        assert_eq!(ask(&world, again(n)), Err(used(identifier, Some(identifier + 1))), "{n}");
    }
}

#[test]
fn with_the_policy_allow_an_identifier_may_be_used_again() {
    let policy = ModulePolicy { tid_reuse: TidReuse::Allow, ..ModulePolicy::default() };
    let (mut world, _) = loaded(policy, &[TestKey::new(1)]);
    for _ in 0..2 {
        ask(&world, at(noon())).expect("a token");
        world.reopen();
    }
}
