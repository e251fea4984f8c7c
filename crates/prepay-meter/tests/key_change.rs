//! Key changes: sets of two, three and four, in any order, with all that can go wrong.

mod common;

use common::{Bench, MAGNETIC, key, sta_profile, unique_key};
use prepay_meter::{Carriers, Outcome, Profile, TokenResult};
use prepay_token::TokenData;
use prepay_token::element::{
    EncryptionAlgorithm, KeyExpiryNumber, KeyRevisionNumber, KeyType, TokenIdentifier,
};
use prepay_token::key_change::{NewKey, Rollover, SetSize};

/// Every order of `count` things.
fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![vec![]];
    }
    let mut all = Vec::new();
    for order in orders(count - 1) {
        for place in 0..count {
            let mut longer = order.clone();
            longer.insert(place, count - 1);
            all.push(longer);
        }
    }
    all
}

/// A unique key whose every attribute differs from those of the first key.
fn next_key(algorithm: EncryptionAlgorithm) -> NewKey {
    NewKey {
        key_revision: Some(KeyRevisionNumber::try_from(7).unwrap()),
        expiry: KeyExpiryNumber::from(0x5A),
        tariff_index: "42".parse().unwrap(),
        supply_group: Some("999999".parse().unwrap()),
        ..key(algorithm, 0x3C, KeyType::Unique)
    }
}

fn sizes() -> [(EncryptionAlgorithm, SetSize, Profile); 4] {
    let profile = Profile::electricity;
    [
        (EncryptionAlgorithm::Sta, SetSize::Two, profile(SetSize::Two)),
        (EncryptionAlgorithm::Sta, SetSize::Three, profile(SetSize::Three)),
        (EncryptionAlgorithm::Misty1, SetSize::Four, profile(SetSize::Four)),
        // A meter for sets of three takes sets of two.
        (EncryptionAlgorithm::Sta, SetSize::Two, profile(SetSize::Three)),
    ]
}

const SECTION_RESULTS: [TokenResult; 4] =
    [TokenResult::FirstKct, TokenResult::SecondKct, TokenResult::ThirdKct, TokenResult::FourthKct];

#[test]
fn a_set_in_any_order_gives_one_state() {
    for (algorithm, size, profile) in sizes() {
        let new = next_key(algorithm);
        let mut states = Vec::new();
        for order in orders(size.count().into()) {
            let mut bench = Bench::new(profile, key(algorithm, 0xA5, KeyType::Unique));
            let credit = bench.vendor.credit(100, 77);
            assert_eq!(bench.result(credit), TokenResult::Accept);
            let tokens = bench.vendor.change(&new, size, Rollover::Keep);
            for (place, &section) in order.iter().enumerate() {
                let is_last = place + 1 == order.len();
                let expected = if is_last { TokenResult::Accept } else { SECTION_RESULTS[section] };
                assert_eq!(bench.result(tokens[section]), expected, "{order:?}");
            }
            let state = bench.meter.state();
            assert_eq!(state.key_type(), KeyType::Unique);
            assert_eq!(state.key_revision(), new.key_revision);
            assert_eq!(state.expiry(), new.expiry);
            assert_eq!(state.tariff_index(), new.tariff_index);
            let group = new.supply_group.filter(|_| size != SetSize::Two);
            assert_eq!(state.supply_group(), group);
            assert!(state.identifiers().is_used(common::tid(100)), "no rollover");
            assert_eq!(bench.tenths(), 77, "credit stays");
            let old = bench.vendor.credit(101, 1);
            assert_eq!(bench.result(old), TokenResult::CrcError, "the old key is gone");
            bench.vendor.key = new.clone();
            states.push(bench.encoded());
            bench.restart();
            let credit = bench.vendor.credit(101, 1);
            assert_eq!(bench.result(credit), TokenResult::Accept, "{order:?}");
        }
        states.dedup();
        assert_eq!(states.len(), 1, "{size:?}: the order left its mark");
    }
}

#[test]
fn rollover_sets_every_identifier_to_zero() {
    let mut bench = Bench::made_at(sta_profile(), unique_key(1), 16_000_000);
    let new = unique_key(2);
    for token in bench.vendor.change(&new, SetSize::Two, Rollover::Forget) {
        bench.result(token);
    }
    let identifiers = bench.meter.state().identifiers();
    assert_eq!(identifiers.count(), 50);
    assert!(identifiers.iter().all(|identifier| identifier == TokenIdentifier::default()));
    bench.vendor.key = new;
    let token = bench.vendor.credit(1, 5);
    assert_eq!(bench.result(token), TokenResult::Accept);
}

#[test]
fn the_meter_says_which_sections_are_missing() {
    let waiting = |bench: &mut Bench, data: TokenData| match bench.enter(data) {
        Outcome::Waiting { section, waiting_for } => {
            (section, waiting_for.iter().collect::<Vec<_>>())
        }
        other => panic!("{other:?}"),
    };
    let mut bench = Bench::new(Profile::electricity(SetSize::Three), unique_key(1));
    let new = next_key(EncryptionAlgorithm::Sta);
    let tokens = bench.vendor.change(&new, SetSize::Three, Rollover::Keep);
    assert!(bench.meter.waiting_for(0).is_empty());
    assert_eq!(waiting(&mut bench, tokens[1]), (2, vec![1]), "the first says if there is a third");
    assert_eq!(waiting(&mut bench, tokens[0]), (1, vec![3]));
    let mut profile = Profile::electricity(SetSize::Three);
    profile.policy.two_token_sets = false;
    let mut bench = Bench::new(profile, unique_key(1));
    assert_eq!(waiting(&mut bench, tokens[1]), (2, vec![1, 3]));
    let old = bench.vendor.change(&new, SetSize::Two, Rollover::Keep);
    assert_eq!(bench.result(old[0]), TokenResult::FunctionError, "sets of three alone");
}

#[test]
fn a_copy_takes_the_place_of_the_section_held() {
    let mut bench = Bench::standard();
    let (first, second) = (unique_key(0x11), unique_key(0x22));
    let of_first = bench.vendor.change(&first, SetSize::Two, Rollover::Keep);
    let of_second = bench.vendor.change(&second, SetSize::Two, Rollover::Keep);
    assert_eq!(bench.result(of_first[0]), TokenResult::FirstKct);
    assert_eq!(bench.result(of_first[0]), TokenResult::FirstKct);
    assert_eq!(bench.result(of_second[0]), TokenResult::FirstKct);
    assert_eq!(bench.result(of_second[1]), TokenResult::Accept);
    bench.vendor.key = second;
    let credit = bench.vendor.credit(100, 1);
    assert_eq!(bench.result(credit), TokenResult::Accept);
}

#[test]
fn sections_are_forgotten_after_the_time_of_the_first() {
    // (seconds between the sections, result of the second)
    for (wait, expected) in [(599, TokenResult::Accept), (600, TokenResult::SecondKct)] {
        let mut bench = Bench::standard();
        let new = unique_key(2);
        let tokens = bench.vendor.change(&new, SetSize::Two, Rollover::Keep);
        bench.result(tokens[0]);
        bench.now_s += wait / 2;
        bench.result(tokens[0]); // a copy does not start the time again
        bench.now_s += wait - wait / 2;
        assert_eq!(bench.result(tokens[1]), expected, "{wait} s");
    }
    let mut bench = Bench::standard();
    let tokens = bench.vendor.change(&unique_key(2), SetSize::Two, Rollover::Keep);
    bench.result(tokens[0]);
    bench.restart();
    assert!(bench.meter.held_sections(bench.now_s).is_empty(), "they live in memory only");
}

#[test]
fn other_tokens_do_not_disturb_a_set_but_a_refused_section_ends_it() {
    let mut bench = Bench::new(Profile::electricity(SetSize::Two), unique_key(1));
    let vendor = bench.vendor.clone();
    let new = unique_key(2);
    let tokens = vendor.change(&new, SetSize::Two, Rollover::Keep);
    let foreign = Bench::new(sta_profile(), unique_key(9)).vendor;
    assert_eq!(bench.result(tokens[1]), TokenResult::SecondKct);
    assert_eq!(bench.result(foreign.credit(100, 1)), TokenResult::CrcError);
    assert_eq!(bench.result(vendor.credit(0, 1)), TokenResult::UsedError);
    assert_eq!(bench.result(vendor.credit(100, 1)), TokenResult::Accept);
    assert!(!bench.meter.held_sections(bench.now_s).is_empty());
    let mut forbidden = new.clone();
    (forbidden.key_type, forbidden.key_revision) = (KeyType::Initialization, None);
    let refused = vendor.change(&forbidden, SetSize::Two, Rollover::Keep);
    assert_eq!(bench.result(refused[0]), TokenResult::KeyTypeError);
    assert!(bench.meter.held_sections(bench.now_s).is_empty());
    assert_eq!(bench.result(tokens[0]), TokenResult::FirstKct, "the second must come again");
    let three = vendor.change(&new, SetSize::Three, Rollover::Keep);
    assert_eq!(bench.result(three[2]), TokenResult::FunctionError, "a meter for sets of two");
    assert!(bench.meter.held_sections(bench.now_s).is_empty());
}

#[test]
fn every_transition_is_as_the_matrix_says() {
    let reader = Profile { carriers: Carriers::of(&[MAGNETIC]), ..sta_profile() };
    for from in KeyType::ALL {
        for to in KeyType::ALL {
            let mut new = key(EncryptionAlgorithm::Sta, 2, to);
            new.supply_group = None;
            let old = key(EncryptionAlgorithm::Sta, 1, from);
            let is_card = to == KeyType::Common || from == KeyType::Common;
            let mut bench = Bench::new(if is_card { reader } else { sta_profile() }, old);
            let tokens = bench.vendor.change(&new, SetSize::Two, Rollover::Keep);
            let carrier = if is_card { MAGNETIC } else { common::NUMERIC };
            let expected = match (from.value(), to.value()) {
                (1..=3, 0) | (2, 3) | (3, 2) => TokenResult::KeyTypeError,
                _ => TokenResult::FirstKct,
            };
            assert_eq!(bench.enter_by(tokens[0], carrier).result(), expected, "{from} to {to}");
            if expected == TokenResult::FirstKct {
                let result = bench.enter_by(tokens[1], carrier).result();
                assert_eq!(result, TokenResult::Accept, "{from} to {to}");
            }
        }
    }
}

#[test]
fn the_key_type_is_checked_again_when_the_set_is_complete() {
    let profile = Profile { carriers: Carriers::of(&[MAGNETIC, common::NUMERIC]), ..sta_profile() };
    let mut bench = Bench::new(profile, key(EncryptionAlgorithm::Sta, 1, KeyType::Initialization));
    let new = key(EncryptionAlgorithm::Sta, 2, KeyType::Common);
    let tokens = bench.vendor.change(&new, SetSize::Two, Rollover::Keep);
    assert_eq!(bench.enter_by(tokens[0], MAGNETIC).result(), TokenResult::FirstKct);
    assert_eq!(bench.enter_by(tokens[1], common::NUMERIC).result(), TokenResult::KeyTypeError);
    assert!(bench.meter.held_sections(bench.now_s).is_empty());
}

#[test]
fn two_halves_that_make_no_supply_group_end_the_set() {
    let profile = Profile::electricity(SetSize::Four);
    let mut bench = Bench::new(profile, key(EncryptionAlgorithm::Misty1, 1, KeyType::Unique));
    let new = next_key(EncryptionAlgorithm::Misty1);
    let tokens = bench.vendor.change(&new, SetSize::Four, Rollover::Keep);
    let before = bench.encoded();
    for token in &tokens[..3] {
        bench.result(*token);
    }
    let wrong = bench.vendor.raw(prepay_token::Class::Management, 9 << 60 | 0xFFF << 48);
    assert_eq!(bench.result(wrong), TokenResult::RangeError);
    assert!(bench.meter.held_sections(bench.now_s).is_empty());
    assert_eq!(bench.encoded(), before);
}
