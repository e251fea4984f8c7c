//! Every published token, entered into a meter that is set up from the inputs of its case.
//!
//! - Elsewhere: the same tokens without a meter (tests of `prepay-token` and `prepay-lab`).

use std::collections::{BTreeMap, BTreeSet};

use prepay_meter::{
    Birth, Carriers, CreditForm, Effect, Meter, Outcome, Profile, Refusal, Services,
};
use prepay_testkit::published::{FILE, Kind, convert, meter};
use prepay_testkit::vectors::{LabCase, load};
use prepay_testkit::{Memory, meter_key};
use prepay_token::element::{
    DecoderReferenceNumber, EncryptionAlgorithm, ManufacturerCode, MeterPan, RandomNumber,
    RegisterToClear, Service, TokenCarrierType, TokenIdentifier,
};
use prepay_token::key::TokenCipher;
use prepay_token::key_change::{NewKey, SetSize};
use prepay_token::{ManagementFunction, Token, TokenData, seal};

/// A meter for all services, with its storage.
struct Bench {
    meter: Meter,
    memory: Memory,
}

impl Bench {
    fn new(pan: MeterPan, key: NewKey, size: SetSize) -> Self {
        Self::with_credit(pan, key, size, CreditForm::Units)
    }

    fn with_credit(pan: MeterPan, key: NewKey, size: SetSize, credit: CreditForm) -> Self {
        let mut profile = Profile::electricity(size);
        profile.credit = credit;
        profile.services = Services::of(&Service::ALL);
        profile.carriers =
            Carriers::of(&[TokenCarrierType::NUMERIC, TokenCarrierType::MAGNETIC_CARD]);
        profile.policy.unit_capacity_tenths = u32::MAX;
        let manufactured = TokenIdentifier::from_low_bits(0);
        let birth = Birth { pan, key, remembered: 50, manufactured };
        let mut memory = Memory::default();
        let meter = Meter::manufacture(profile, birth, &mut memory).expect("the profile suits");
        Self { meter, memory }
    }

    /// Enters twenty digits, as a keypad does.
    fn enter(&mut self, data: TokenData) -> Outcome {
        let (digits, carrier) = (data.to_string(), TokenCarrierType::NUMERIC);
        let answer = self.meter.enter_digits(&digits, carrier, 0, &mut self.memory);
        answer.unwrap_or_else(|never| match never {})
    }

    fn tenths(&self) -> [i64; 4] {
        Service::ALL.map(|service| self.meter.state().credit(service).tenths())
    }
}

fn set_size(key: &NewKey) -> SetSize {
    match key.key.algorithm() {
        EncryptionAlgorithm::Misty1 => SetSize::Four,
        _ => SetSize::Three,
    }
}

/// What the registers of the meter count that a token is for. Only the clearing of a register of money tells.
fn credit_form(token: &Token) -> CreditForm {
    match token {
        Token::Management {
            function: ManagementFunction::ClearCredit(RegisterToClear::Currency(_)),
            ..
        } => CreditForm::Currency,
        _ => CreditForm::Units,
    }
}

/// Checks what a token did against what it says.
fn check_effect(id: &str, token: &Token, effect: Effect, bench: &Bench) {
    let state = bench.meter.state();
    let is_right = match (token, effect) {
        (
            Token::Credit { service, identifier, amount, .. },
            Effect::Credited { service: of, identifier: by, tenths },
        ) => {
            let mut expected = [0; 4];
            expected[usize::from(service.index())] = i64::from(amount.tenths());
            assert_eq!(bench.tenths(), expected, "{id}");
            (*service, *identifier, amount.tenths()) == (of, by, tenths)
        }
        (Token::Management { function, .. }, effect) => match (function, effect) {
            (ManagementFunction::SetMaximumPowerLimit(limit), Effect::PowerLimit { watts }) => {
                watts == limit.watts() && state.power_limit_watts() == Some(watts)
            }
            (
                ManagementFunction::SetMaximumPhasePowerUnbalanceLimit(limit),
                Effect::PhaseUnbalanceLimit { watts },
            ) => watts == limit.watts() && state.unbalance_limit_watts() == Some(watts),
            (ManagementFunction::ClearCredit(register), Effect::CreditCleared(cleared)) => {
                *register == cleared
            }
            (ManagementFunction::ClearTamperCondition, Effect::TamperCleared) => !state.tamper(),
            _ => false,
        },
        (Token::Test(_), Effect::Display(_)) => true,
        _ => false,
    };
    assert!(is_right, "{id}: {token:?} did {effect:?}");
}

/// A meter that a test of class 1 is for: one of that manufacturer, with any key.
fn meter_for_test(manufacturer: ManufacturerCode) -> (MeterPan, NewKey) {
    let pan = match manufacturer.value() {
        0 => "600727000000000009".parse().expect("a PAN"),
        _ => {
            let serial = "00000001".parse().expect("a serial number");
            MeterPan::new(DecoderReferenceNumber::new(manufacturer, serial))
        }
    };
    (pan, meter_key(EncryptionAlgorithm::Sta, 0xA5))
}

#[test]
fn published_tokens_are_accepted_once_and_do_what_they_say() {
    let mut kinds = BTreeMap::new();
    for case in load::<LabCase>(FILE) {
        let Kind::Issue { token, number, tid, .. } = convert(&case).kind else { continue };
        let id = &case.id;
        let (pan, key) = match (meter(&case), &*token) {
            (Some(meter), _) => meter,
            (None, Token::Test(test)) => meter_for_test(test.manufacturer()),
            (None, token) => panic!("{id}: no key for {token:?}"),
        };
        let size = set_size(&key);
        let mut bench = Bench::with_credit(pan, key, size, credit_form(&token));
        let Outcome::Accepted(effect) = bench.enter(number) else {
            panic!("{id}: {:?}", bench.meter.last_result());
        };
        check_effect(id, &token, effect, &bench);
        let kind = match *token {
            Token::Credit { .. } => "credit",
            Token::Management { .. } => "management",
            _ => "test",
        };
        *kinds.entry(kind).or_insert(0) += 1;
        // A second time it is used; a test may be repeated.
        let again = bench.enter(number);
        match kind {
            "test" => assert!(matches!(again, Outcome::Accepted(Effect::Display(_))), "{id}"),
            _ => {
                assert_eq!(again, Outcome::Refused(Refusal::Used), "{id}");
                let last = bench.meter.state().identifiers().iter().last();
                assert_eq!(last.map(TokenIdentifier::value), tid, "{id}");
            }
        }
    }
    let expected = BTreeMap::from([("credit", 118), ("management", 53), ("test", 34)]);
    assert_eq!(kinds, expected, "a lost case must not pass");
}

#[test]
fn published_credits_of_one_meter_add_up() {
    // By meter number and key, then by identifier: the first of those that share an identifier.
    let mut meters = BTreeMap::<_, (MeterPan, NewKey, BTreeMap<u32, (TokenData, Token)>)>::new();
    for case in load::<LabCase>(FILE) {
        let Kind::Issue { token, number, tid: Some(tid), .. } = convert(&case).kind else {
            continue;
        };
        if let (Token::Credit { .. }, Some((pan, key))) = (&*token, meter(&case)) {
            let name = (pan.to_string(), key.key.expose_bytes().to_vec(), key.expiry.value());
            let (.., tokens) = meters.entry(name).or_insert((pan, key, BTreeMap::new()));
            tokens.entry(tid).or_insert((number, *token));
        }
    }
    let mut entered = 0;
    for (name, (pan, key, tokens)) in meters {
        let size = set_size(&key);
        let mut bench = Bench::new(pan, key, size);
        let mut expected = [0; 4];
        for (number, token) in tokens.values() {
            let Token::Credit { service, amount, .. } = token else { unreachable!() };
            expected[usize::from(service.index())] += i64::from(amount.tenths());
            let outcome = bench.enter(*number);
            assert!(matches!(outcome, Outcome::Accepted(_)), "{}: {outcome:?}", name.0);
            assert_eq!(bench.tenths(), expected, "{}", name.0);
            entered += 1;
        }
    }
    assert!(entered >= 50, "{entered} tokens were entered");
}

#[test]
fn published_key_changes_complete_or_wait_for_what_is_not_published() {
    let mut complete = BTreeMap::new();
    let mut waiting = BTreeSet::new();
    for case in load::<LabCase>(FILE) {
        let Kind::KeyChange { set, new, numbers, .. } = convert(&case).kind else { continue };
        let id = &case.id;
        let (pan, key) = meter(&case).expect("a key change has a key");
        let sections = set.sections().count();
        let size = match sections {
            2 => SetSize::Two,
            3 => SetSize::Three,
            _ => SetSize::Four,
        };
        let mut bench = Bench::new(pan, key, size);
        for (place, &number) in (1..).zip(&numbers) {
            let outcome = bench.enter(number);
            if place < sections {
                let is_held = matches!(outcome, Outcome::Waiting { section, ref waiting_for }
                    if usize::from(section) == place && waiting_for.iter().count() == sections - place);
                assert!(is_held, "{id}, section {place}: {outcome:?}");
            } else {
                assert!(matches!(outcome, Outcome::Accepted(Effect::KeyChanged(_))), "{id}");
            }
        }
        if numbers.len() < sections {
            assert_eq!((numbers.len(), sections), (2, 4), "{id}");
            waiting.insert(id.clone());
            continue;
        }
        *complete.entry(sections).or_insert(0) += 1;
        let state = bench.meter.state();
        assert_eq!(state.key_type(), new.key_type, "{id}");
        assert_eq!(state.key_revision(), new.key_revision, "{id}");
        assert_eq!(state.tariff_index(), new.tariff_index, "{id}");
        assert_eq!(state.expiry(), new.expiry, "{id}");
        assert_eq!(state.supply_group(), new.supply_group.filter(|_| sections > 2), "{id}");
        // The key is the new one: a management token under it is accepted.
        let token = Token::Management {
            random: RandomNumber::try_from(5).expect("four bits"),
            identifier: TokenIdentifier::from_low_bits(u32::from(new.expiry.value()) << 16 | 0xFFF),
            function: ManagementFunction::ClearTamperCondition,
        };
        let answer = bench.enter(seal(&token, &TokenCipher::new(&new.key)));
        assert_eq!(answer, Outcome::Accepted(Effect::TamperCleared), "{id}");
    }
    println!("complete, by sections: {complete:?}; waiting: {waiting:?}");
    assert_eq!(complete.values().sum::<usize>() + waiting.len(), 10, "a lost case must not pass");
}
