//! What is issued and what is refused: each check on both sides of its bound, and in its order.

use prepay_basics::Moment;
use prepay_kmp::attribute::{Cluster, CurrencyLimit, SubClassSet, UnitLimit, VendingKeyType};
use prepay_module::software::{ModulePolicy, TestMode};
use prepay_module::{
    IssueRequest, Issued, KeyChangeRule, MeterConfiguration, ModuleError, Refusal, SecurityModule,
    TokenRequest, Verification, VerifyRequest,
};
use prepay_token::element::{
    Amount, BaseDate, CurrencyAmount, EncryptionAlgorithm, KeyExpiryNumber, KeyType, RandomNumber,
    Service, TokenCarrierType, TokenIdentifier,
};
use prepay_token::key::{DecoderKeyGenerator, KeyParameters, TokenCipher};
use prepay_token::key_change::{Assembly, KeyChangeBuffer, Rollover, SetSize};
use prepay_token::{Instruction, ManagementFunction, Token, open};

use crate::kit::*;

/// A module with these keys.
fn world(policy: ModulePolicy, keys: &[TestKey]) -> World {
    loaded(policy, keys).0
}

fn refusal(world: &World, request: IssueRequest) -> Refusal {
    match world.operator().issue_one(request) {
        Err(ModuleError::Refused(refusal)) => refusal,
        other => panic!("expected a refusal, found {other:?}"),
    }
}

fn issued(world: &World, request: TokenRequest) -> prepay_module::IssuedToken {
    world.operator().issue_token(request).expect("a token")
}

/// The cipher of the meter under a key, worked out without the module.
fn cipher(key: &TestKey, meter: &MeterConfiguration, tariff_index: u8) -> TokenCipher {
    let generator = DecoderKeyGenerator::new(&key.key);
    let attributes = &key.attributes;
    let key = generator.derive(&KeyParameters {
        pan: meter.pan,
        key_type: attributes.key_type.key_type(),
        supply_group: attributes.supply_group,
        tariff_index: tariff_index.try_into().unwrap(),
        key_revision: attributes.key_revision,
        base_date: attributes.base_date,
        encryption: meter.encryption,
    });
    TokenCipher::new(&key.unwrap())
}

fn code(refusal: &Refusal) -> &'static str {
    refusal.code()
}

#[test]
fn tokens_are_what_was_asked_for() {
    let world = world(policy(), &[TestKey::new(1), TestKey::des(2)]);
    for (number, encryption) in [(1, EncryptionAlgorithm::Misty1), (2, EncryptionAlgorithm::Sta)] {
        let key = if number == 1 { TestKey::new(1) } else { TestKey::des(2) };
        let meter = MeterConfiguration { encryption, ..meter() };
        let cipher = cipher(&key, &meter, 1);
        let token = issued(&world, TokenRequest { meter, ..credit(number) });
        let expected = Token::Credit {
            service: Service::Electricity,
            random: token.random.unwrap(),
            identifier: identifier(moment(START)),
            amount: Amount::from_tenths(10).unwrap(),
        };
        assert_eq!(open(token.token, &cipher), Ok(expected));
        assert!(token.is_test);
        let amount = CurrencyAmount::from_hundred_thousandths(-500).unwrap();
        let instruction = Instruction::CurrencyCredit { service: Service::Electricity, amount };
        let token = issued(&world, TokenRequest { meter, instruction, ..credit(number) });
        assert_eq!(token.random, None);
        let expected = Token::CurrencyCredit {
            service: Service::Electricity,
            identifier: identifier(moment(START)),
            amount,
        };
        assert_eq!(open(token.token, &cipher), Ok(expected));
        let request = TokenRequest { meter, ..management(number) };
        let token = world.operator().issue_token(request).unwrap();
        let expected = Token::Management {
            random: token.random.unwrap(),
            identifier: identifier(moment(START)),
            function: ManagementFunction::ClearTamperCondition,
        };
        assert_eq!(open(token.token, &cipher), Ok(expected));
    }
}

#[test]
fn random_numbers_come_from_a_counter() {
    let mut world = world(policy(), &[TestKey::new(1)]);
    for number in 0..40 {
        let random = if number % 3 == 0 {
            world.operator().issue_token(management(1)).unwrap().random
        } else {
            issued(&world, credit(1)).random
        };
        assert_eq!(random, Some(RandomNumber::from_counter(number)), "token {number}");
        if number % 7 == 0 {
            world.reopen();
        }
    }
}

#[test]
fn a_test_module_may_fix_time_and_random_numbers_and_says_so() {
    let fixed = moment("2026-05-01T00:00:00Z");
    let random = RandomNumber::try_from(5).unwrap();
    let test =
        TestMode { fixed_time: Some(fixed), fixed_random: Some(random), ..TestMode::default() };
    let world = World::with_test_mode(policy(), test);
    let mut centre = TestCentre::new("KMC-1");
    centre.join(&world);
    let report = centre.load(&world, &[TestKey::new(1)]);
    assert!(report.is_test);
    let operator = world.operator();
    assert_eq!(operator.clock().unwrap().now, fixed);
    assert!(operator.identify().unwrap().is_test);
    let alerts = operator.status().unwrap().alerts.join("\n");
    for word in ["test module", "2026-05-01T00:00:00Z", "every random number is 5"] {
        assert!(alerts.contains(word), "{alerts}");
    }
    // The window is around the fixed time, not around the clock's.
    assert_eq!(code(&refusal(&world, IssueRequest::Token(credit(1)))), "identifier_window");
    for _ in 0..3 {
        let token = issued(&world, TokenRequest { identifier: identifier(fixed), ..credit(1) });
        assert_eq!(token.random, Some(random));
        assert!(token.is_test);
    }
}

/// Ways to fail one check each, from the first check to the last. Each is applied on top of a request and
/// a key that fail all later ones.
#[test]
fn every_check_of_a_credit_beats_those_after_it() {
    let far = TokenRequest { identifier: TokenIdentifier::from_low_bits(0x80_0000), ..credit(1) };
    let request = TokenRequest { instruction: units(50), ..far };
    // Keys from one that fails everything to one that fails nothing but what belongs to the request.
    let all_wrong = || {
        TestKey::new(1).with(|a| {
            a.key_type = VendingKeyType::DEFAULT;
            a.activation = moment("2026-04-01T00:00:00Z");
            a.issued_until = moment("2026-05-01T00:00:00Z");
            a.sub_classes = SubClassSet::NONE;
            a.expiry = KeyExpiryNumber::from(1);
            a.unit_limit = UnitLimit(Some(4));
        })
    };
    let not_late = |key: TestKey| key.with(|a| a.activation = moment("2026-01-01T00:00:00Z"));
    let late =
        |key: TestKey| not_late(key).with(|a| a.issued_until = moment("2026-02-01T00:00:00Z"));
    let in_time =
        |key: TestKey| not_late(key).with(|a| a.issued_until = moment("2027-01-01T00:00:00Z"));
    let unique = |key: TestKey| in_time(key).with(|a| a.key_type = VendingKeyType::UNIQUE);
    let any_class = |key: TestKey| unique(key).with(|a| a.sub_classes = SubClassSet::ALL);
    let near = TokenRequest { identifier: identifier(moment(START)), ..request };
    let never = |key: TestKey| any_class(key).with(|a| a.expiry = KeyExpiryNumber::NEVER);
    let no_limit = |key: TestKey| never(key).with(|a| a.unit_limit = UnitLimit(None));
    let other_cipher = TokenRequest {
        meter: MeterConfiguration { encryption: EncryptionAlgorithm::Dea, ..meter() },
        ..request
    };
    let cases = [
        ("parameter", all_wrong(), other_cipher),
        ("register", all_wrong(), TokenRequest { register: register(9), ..request }),
        ("not_active", all_wrong(), request),
        ("issue_expired", late(all_wrong()), request),
        ("key_type", in_time(all_wrong()), request),
        ("sub_class", unique(all_wrong()), request),
        ("identifier_window", any_class(all_wrong()), request),
        ("key_expired", any_class(all_wrong()), near),
        ("credit_limit", never(all_wrong()), near),
        ("transactions", no_limit(all_wrong()), near),
    ];
    for (expected, key, request) in cases {
        let policy = ModulePolicy { transactions: Some(0), ..policy() };
        let world = world(policy, &[key]);
        let before = world.left(1);
        let found = refusal(&world, IssueRequest::Token(request));
        assert_eq!(code(&found), expected, "{found}");
        assert_eq!(world.left(1), before, "{expected}");
        if ["parameter", "register", "not_active", "issue_expired"].contains(&expected) {
            let management = TokenRequest {
                register: request.register,
                meter: request.meter,
                identifier: request.identifier,
                ..management(1)
            };
            assert_eq!(code(&refusal(&world, IssueRequest::Token(management))), expected);
        }
    }
}

#[test]
fn every_check_of_a_key_change_beats_those_after_it() {
    let early = moment("2026-04-01T00:00:00Z");
    let old = || {
        TestKey::new(1).with(|a| {
            a.key_type = VendingKeyType::UNIQUE;
            a.cluster = Cluster(0);
            a.activation = early;
            a.issued_until = moment("2026-05-01T00:00:00Z");
        })
    };
    // DKGA04 keys of type 3 derive nothing by default, so DKGA02 and EA07.
    let new = || {
        TestKey::des(2).with(|a| {
            a.key_type = VendingKeyType::COMMON;
            a.cluster = Cluster(1);
            a.activation = early;
            a.issued_until = moment("2026-05-01T00:00:00Z");
            a.expiry = KeyExpiryNumber::from(1);
        })
    };
    let meter = MeterConfiguration { encryption: EncryptionAlgorithm::Sta, ..meter() };
    let request = prepay_module::KeyChangeRequest { meter, ..key_change(1, 2) };
    let active = |key: TestKey| key.with(|a| a.activation = moment("2026-01-01T00:00:00Z"));
    let late = |key: TestKey| active(key).with(|a| a.issued_until = moment("2026-02-01T00:00:00Z"));
    let good = |key: TestKey| active(key).with(|a| a.issued_until = moment("2027-01-01T00:00:00Z"));
    let one_cluster = |key: TestKey| good(key).with(|a| a.cluster = Cluster(0));
    let unique = |key: TestKey| one_cluster(key).with(|a| a.key_type = VendingKeyType::UNIQUE);
    let live = |key: TestKey| unique(key).with(|a| a.expiry = KeyExpiryNumber::NEVER);
    let misty1 = |request: prepay_module::KeyChangeRequest| prepay_module::KeyChangeRequest {
        meter: MeterConfiguration { encryption: EncryptionAlgorithm::Misty1, ..meter },
        ..request
    };
    let two = prepay_module::KeyChangeRequest { size: SetSize::Two, ..request };
    let cases = [
        ("parameter", old(), new(), misty1(request)),
        ("register", old(), new(), prepay_module::KeyChangeRequest { to: register(9), ..request }),
        ("not_active", old(), late(new()), request),
        ("not_active", late(old()), new(), request),
        ("issue_expired", late(old()), good(new()), request),
        ("issue_expired", good(old()), late(new()), request),
        ("key_change_rule", good(old()), good(new()), request),
        ("key_change_rule", good(old()), one_cluster(new()), request),
        ("key_change_rule", good(old()), unique(new()), request),
        ("token_count", good(old()), live(new()), request),
        ("transactions", good(old()), live(new()), two),
    ];
    let mut rules = Vec::new();
    for (expected, old, new, request) in cases {
        let policy = ModulePolicy { transactions: Some(1), ..policy() };
        let world = world(policy, &[old, new]);
        let found = refusal(&world, IssueRequest::KeyChange(request));
        assert_eq!(code(&found), expected, "{found}");
        if let Refusal::KeyChangeRule(rule) = found {
            rules.push(rule);
        }
        assert_eq!(world.auditor().status().unwrap().transactions_left, Some(1));
    }
    let [
        KeyChangeRule::Cluster { .. },
        KeyChangeRule::KeyType { .. },
        KeyChangeRule::NewKeyExpired { .. },
    ] = rules[..]
    else {
        panic!("{rules:?}");
    };
}

#[test]
fn activation_and_issue_end_hold_to_the_second() {
    let (from, until) = (moment("2026-02-01T00:00:00Z"), moment("2026-04-01T00:00:00Z"));
    let key = TestKey::new(1).with(|a| (a.activation, a.issued_until) = (from, until));
    let policy = ModulePolicy { window_minutes: None, ..policy() };
    let world = world(policy, &[key]);
    let second = |moment: Moment, by: i64| {
        Moment::from_unix_seconds(moment.unix_seconds().saturating_add_signed(by)).unwrap()
    };
    for (now, expected) in [
        (second(from, -1), Some("not_active")),
        (from, None),
        (until, None),
        (second(until, 1), Some("issue_expired")),
    ] {
        world.clock.set(now);
        let token = world.operator().issue_token(credit(1));
        let change = world.operator().issue_key_change(key_change(1, 1));
        match expected {
            None => {
                token.unwrap();
                change.unwrap();
            }
            Some(expected) => {
                for found in [token.unwrap_err(), change.unwrap_err()] {
                    let ModuleError::Refused(found) = found else { panic!("{found}") };
                    assert_eq!(found.code(), expected, "{now}");
                }
            }
        }
    }
}

#[test]
fn the_identifier_window_holds_to_the_minute() {
    let now = moment(START);
    let policy = ModulePolicy { window_minutes: Some(60), ..policy() };
    let world = world(policy, &[TestKey::new(1)]);
    let middle = i64::from(identifier(now).value());
    for (minutes, fits) in [(-61, false), (-60, true), (0, true), (60, true), (61, false)] {
        let identifier = TokenIdentifier::from_low_bits((middle + minutes) as u32);
        let request = TokenRequest { identifier, ..credit(1) };
        let credit = world.operator().issue_token(request).is_ok();
        let request = TokenRequest { identifier, ..management(1) };
        let management = world.operator().issue_token(request).is_ok();
        assert_eq!((credit, management), (fits, fits), "{minutes}");
    }
    // A key change carries no identifier.
    world.operator().issue_key_change(key_change(1, 1)).unwrap();
}

#[test]
fn key_expiry_is_a_block_of_identifiers() {
    let policy = ModulePolicy { window_minutes: None, ..policy() };
    let key = TestKey::new(1).with(|a| a.expiry = KeyExpiryNumber::from(100));
    let world = world(policy, &[key]);
    for (identifier, fits) in [(0x64_FFFF, true), (0x65_0000, false)] {
        let identifier = TokenIdentifier::from_low_bits(identifier);
        let request = TokenRequest { identifier, ..credit(1) };
        assert_eq!(world.operator().issue_token(request).is_ok(), fits);
        let request = TokenRequest { identifier, ..management(1) };
        assert_eq!(world.operator().issue_token(request).is_ok(), fits);
    }
}

#[test]
fn an_expired_key_may_be_the_old_one_of_a_change_but_never_the_new_one() {
    // 2026-03-01T12:00 is minute 6 397 200 from 2014, in block 97.
    assert_eq!(identifier(moment(START)).expiry_block(), 97);
    let key = |number, ken| TestKey::new(number).with(|a| a.expiry = KeyExpiryNumber::from(ken));
    let world = world(policy(), &[key(1, 96), key(2, 97), key(3, 255)]);
    for (from, to, fits) in [
        (1, 1, false),
        (2, 1, false),
        (3, 1, false),
        (1, 2, true),
        (1, 3, true),
        (2, 3, true),
        (3, 2, true),
    ] {
        let made = world.operator().issue_key_change(key_change(from, to));
        match made {
            Ok(_) => assert!(fits, "{from} to {to}"),
            Err(ModuleError::Refused(Refusal::KeyChangeRule(KeyChangeRule::NewKeyExpired {
                expiry,
            }))) => assert_eq!((fits, expiry.value()), (false, 96), "{from} to {to}"),
            Err(other) => panic!("{from} to {to}: {other}"),
        }
    }
    assert_eq!(code(&refusal(&world, IssueRequest::Token(credit(1)))), "key_expired");
}

#[test]
fn rollover_is_set_exactly_when_the_base_dates_differ() {
    let dated = |number, base_date| TestKey::new(number).with(|a| a.base_date = base_date);
    let keys = [
        dated(1, BaseDate::Y1993),
        dated(2, BaseDate::Y2014),
        dated(3, BaseDate::Y2014),
        dated(4, BaseDate::Y2035),
    ];
    // In 2020 the base date 1993 still has identifiers.
    let now = moment("2020-06-01T00:00:00Z");
    let fixed = TestMode { fixed_time: Some(now), ..TestMode::default() };
    let world = World::with_test_mode(policy(), fixed);
    let mut centre = TestCentre::new("KMC-1");
    centre.join(&world);
    let keys: Vec<_> = keys
        .into_iter()
        .map(|key| key.with(|a| a.activation = moment("2019-01-01T00:00:00Z")))
        .collect();
    centre.load(&world, &keys);
    for (from, to) in (1..=4).flat_map(|from| (1..=4).map(move |to| (from, to))) {
        let issued = world.operator().issue_key_change(key_change(from, to)).unwrap();
        let base_date = |number: u16| keys[usize::from(number) - 1].attributes.base_date;
        let differ = base_date(from) != base_date(to);
        assert_eq!(issued.rollover == Rollover::Forget, differ, "{from} to {to}");
        // The meter finds the key of the new register, with everything that goes with it.
        let old = cipher(&keys[usize::from(from) - 1], &meter(), 1);
        let mut buffer = KeyChangeBuffer::default();
        for token in issued.tokens() {
            let Ok(Token::KeyChange(section)) = open(*token, &old) else { panic!("no section") };
            buffer.put(section);
        }
        let Assembly::Complete(assembled) = buffer.assemble(EncryptionAlgorithm::Misty1) else {
            panic!("no whole set");
        };
        assert_eq!(assembled.rollover, issued.rollover);
        let attributes = &keys[usize::from(to) - 1].attributes;
        assert_eq!(assembled.new.supply_group, Some(attributes.supply_group));
        assert_eq!(assembled.new.tariff_index.value(), 2);
        let new = cipher(&keys[usize::from(to) - 1], &meter(), 2);
        assert_eq!(TokenCipher::new(&assembled.new.key).encipher(7), new.encipher(7));
    }
    // Behind the last identifier of its base date, nothing under a key is new.
    let late = TestMode { fixed_time: Some(moment("2026-06-01T00:00:00Z")), ..fixed };
    let world = World::with_test_mode(policy(), late);
    let mut centre = TestCentre::new("KMC-1");
    centre.join(&world);
    centre.load(&world, &keys);
    assert!(world.operator().issue_key_change(key_change(1, 2)).is_ok());
    assert_eq!(
        code(&refusal(&world, IssueRequest::KeyChange(key_change(2, 1)))),
        "key_change_rule"
    );
}

#[test]
fn key_types_follow_each_other_as_the_matrix_says() {
    let types = [VendingKeyType::DEFAULT, VendingKeyType::UNIQUE, VendingKeyType::COMMON];
    let keys: Vec<_> = (1..=3)
        .map(|number| TestKey::des(number).with(|a| a.key_type = types[usize::from(number) - 1]))
        .collect();
    let world = world(policy(), &keys);
    for carrier in [TokenCarrierType::NUMERIC, TokenCarrierType::MAGNETIC_CARD] {
        let meter = MeterConfiguration { encryption: EncryptionAlgorithm::Sta, carrier, ..meter() };
        let card = carrier.is_erasable();
        for (from, to, fits) in [
            (1, 1, true),
            (1, 2, true),
            (1, 3, card),
            (2, 1, true),
            (2, 2, true),
            (2, 3, false),
            (3, 1, true),
            (3, 2, false),
            (3, 3, card),
        ] {
            let request = prepay_module::KeyChangeRequest {
                meter,
                size: SetSize::Three,
                ..key_change(from, to)
            };
            let made = world.operator().issue_key_change(request);
            assert_eq!(made.is_ok(), fits, "{from} to {to} on {carrier}");
        }
        for (number, credits, manages) in [(1, false, true), (2, true, true), (3, card, card)] {
            let request = TokenRequest { meter, ..credit(number) };
            assert_eq!(world.operator().issue_token(request).is_ok(), credits, "{number}");
            let request = TokenRequest { meter, ..management(number) };
            assert_eq!(world.operator().issue_token(request).is_ok(), manages, "{number}");
        }
    }
    assert_eq!(types[2].key_type(), KeyType::Common);
}

#[test]
fn set_sizes_suit_the_cipher() {
    let world = world(policy(), &[TestKey::new(1)]);
    for (encryption, size, fits) in [
        (EncryptionAlgorithm::Sta, SetSize::Two, true),
        (EncryptionAlgorithm::Sta, SetSize::Three, true),
        (EncryptionAlgorithm::Sta, SetSize::Four, false),
        (EncryptionAlgorithm::Misty1, SetSize::Two, false),
        (EncryptionAlgorithm::Misty1, SetSize::Three, false),
        (EncryptionAlgorithm::Misty1, SetSize::Four, true),
    ] {
        let meter = MeterConfiguration { encryption, ..meter() };
        let request = prepay_module::KeyChangeRequest { meter, size, ..key_change(1, 1) };
        match world.operator().issue_key_change(request) {
            Ok(issued) => {
                assert!(fits);
                assert_eq!(issued.tokens().len(), usize::from(size.count()));
            }
            Err(ModuleError::Refused(found)) => {
                assert_eq!((found.code(), fits), ("token_count", false));
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn only_sub_classes_of_the_set_are_issued() {
    let key = TestKey::new(1).with(|a| a.sub_classes = "16".parse().unwrap());
    let world = world(policy(), &[key]);
    let one = CurrencyAmount::from_hundred_thousandths(1).unwrap();
    for (sub_class, service) in (0_u8..8).zip(Service::ALL.into_iter().chain(Service::ALL)) {
        let instruction = if sub_class < 4 {
            Instruction::Credit { service, amount: Amount::from_bits(1) }
        } else {
            Instruction::CurrencyCredit { service, amount: one }
        };
        let request = TokenRequest { instruction, ..credit(1) };
        match world.operator().issue_token(request) {
            Ok(_) => assert!([1, 6].contains(&sub_class)),
            Err(ModuleError::Refused(refusal)) => {
                assert_eq!(refusal, Refusal::SubClass { sub_class });
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn a_test_or_display_is_no_work_for_a_module() {
    let world = world(policy(), &[TestKey::new(1)]);
    let instruction = prepay_token::open_in_clear("00000000000150997584".parse().unwrap())
        .map(|token| token.instruction().unwrap())
        .unwrap();
    let refused = refusal(&world, IssueRequest::Token(TokenRequest { instruction, ..credit(1) }));
    assert_eq!(code(&refused), "parameter", "{refused}");
    assert_eq!(world.auditor().status().unwrap().transactions, 0);
}

#[test]
fn the_transaction_counter_counts_tokens() {
    let policy = ModulePolicy { transactions: Some(6), ..policy() };
    let world = world(policy, &[TestKey::new(1)]);
    issued(&world, credit(1));
    world.operator().issue_key_change(key_change(1, 1)).unwrap();
    assert_eq!(world.auditor().status().unwrap().transactions_left, Some(1));
    assert_eq!(code(&refusal(&world, IssueRequest::KeyChange(key_change(1, 1)))), "transactions");
    issued(&world, credit(1));
    assert_eq!(refusal(&world, IssueRequest::Token(credit(1))), Refusal::Transactions);
    assert_eq!(world.auditor().status().unwrap().transactions, 6);
    assert_eq!(world.custodians().refill(1), Ok(1));
    issued(&world, credit(1));
    assert_eq!(refusal(&world, IssueRequest::Token(credit(1))), Refusal::Transactions);
}

#[test]
fn verification_names_what_it_found() {
    let default = TestKey::new(2).with(|a| a.key_type = VendingKeyType::DEFAULT);
    let expired = TestKey::new(3).with(|a| a.expiry = KeyExpiryNumber::from(96));
    let world = world(policy(), &[TestKey::new(1), default, expired]);
    let verify = |number, token| {
        let request = VerifyRequest { register: register(number), meter: meter(), token };
        world.operator().verify(&request)
    };
    let token = issued(&world, credit(1));
    let expected = Verification::Valid {
        instruction: units(10),
        identifier: token.identifier,
        random: token.random,
    };
    assert_eq!(verify(1, token.token), Ok(expected));
    assert_eq!(verify(2, token.token), Ok(Verification::Checksum));
    let found = verify(9, token.token);
    assert_eq!(found, Err(ModuleError::Refused(Refusal::Register { register: register(9) })));
    let management = world.operator().issue_token(management(1)).unwrap();
    let expected = Verification::Valid {
        instruction: Instruction::Management(ManagementFunction::ClearTamperCondition),
        identifier: management.identifier,
        random: management.random,
    };
    assert_eq!(verify(1, management.token), Ok(expected));
    let change = world.operator().issue_key_change(key_change(1, 2)).unwrap();
    for (token, section) in change.tokens().iter().zip(1..) {
        assert_eq!(verify(1, *token), Ok(Verification::KeyChange { section }));
    }
    let made = |key: &TestKey| {
        let token = Token::Credit {
            service: Service::Electricity,
            random: RandomNumber::default(),
            identifier: identifier(moment(START)),
            amount: Amount::from_tenths(10).unwrap(),
        };
        prepay_token::seal(&token, &cipher(key, &meter(), 1))
    };
    let default = TestKey::new(2).with(|a| a.key_type = VendingKeyType::DEFAULT);
    assert_eq!(verify(2, made(&default)), Ok(Verification::CreditUnderDefaultKey));
    assert_eq!(verify(3, made(&TestKey::new(3))), Ok(Verification::KeyExpired));
    let reserved = prepay_token::TokenData::join(prepay_token::Class::Reserved, 5);
    assert!(matches!(verify(1, reserved), Ok(Verification::Malformed(_))));
}

#[test]
fn a_refused_request_does_not_hinder_the_others() {
    let world = world(policy(), &[TestKey::new(1)]);
    let requests = [credit(1), credit(9), credit(1)].map(IssueRequest::Token);
    let answers = world.operator().issue(&requests).unwrap();
    let [Ok(Issued::Token(first)), Err(Refusal::Register { .. }), Ok(Issued::Token(second))] =
        answers[..]
    else {
        panic!("{answers:?}");
    };
    assert_ne!(first.token, second.token);
    assert_eq!(world.operator().issue(&[]), Ok(Vec::new()));
}

#[test]
fn limits_are_set_anew_by_a_fresh_load() {
    let limited = |units, currency| {
        TestKey::new(1).with(|a| {
            a.unit_limit = UnitLimit(units);
            a.currency_limit = CurrencyLimit(currency);
        })
    };
    let (world, mut centre) = loaded(policy(), &[limited(Some(2), Some(1))]);
    assert_eq!(world.left(1), (Some(20), Some(100_000), None));
    issued(&world, TokenRequest { instruction: units(15), ..credit(1) });
    assert_eq!(world.left(1).0, Some(5));
    let found =
        refusal(&world, IssueRequest::Token(TokenRequest { instruction: units(6), ..credit(1) }));
    assert_eq!(found, Refusal::CreditLimit { limit: "ULM", asked: 6, left: 5 });
    issued(&world, TokenRequest { instruction: units(5), ..credit(1) });
    assert_eq!(world.left(1).0, Some(0));
    let report = centre.load(&world, &[limited(Some(1), None)]);
    assert!(report.keys[0].renewed);
    assert_eq!(world.left(1), (Some(10), None, None));
}
