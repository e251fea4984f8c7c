//! Power fails at every possible moment of a long scenario, and nothing is lost or doubled.
//!
//! The short form cuts 40 tokens after every byte. The long form takes 200, or as many as the variable
//! `PREPAY_METER_TOKENS` says.

mod common;

use common::{Bench, Medium, Stopped, Vendor, encoded, key, sta_profile, unique_key};
use prepay_meter::{Meter, Outcome, Profile, TokenResult};
use prepay_token::element::{EncryptionAlgorithm, KeyType, PowerLimit, RegisterToClear, Service};
use prepay_token::key_change::{NewKey, Rollover, SetSize};
use prepay_token::{ManagementFunction, TokenData};

/// One step of the scenario: a token, and the vendor's key once it is accepted.
struct Step {
    data: TokenData,
    new_key: Option<NewKey>,
    is_section: bool,
}

/// Credit, management, tokens used twice, tokens of others, and key changes with rollover.
fn scenario(vendor: &mut Vendor, size: SetSize, tokens: usize) -> Vec<Step> {
    let algorithm = vendor.key.key.algorithm();
    let foreign = Vendor { key: key(algorithm, 0xEE, KeyType::Unique) };
    let step = |data| Step { data, new_key: None, is_section: false };
    let mut steps: Vec<Step> = Vec::new();
    let mut round = 0u32;
    while steps.len() < tokens {
        round += 1;
        let limit = PowerLimit::from_watts(1000 + round).unwrap();
        let clear = RegisterToClear::Units(Service::Electricity);
        steps.push(step(vendor.credit(100 * round, 10 + round)));
        steps.push(step(vendor.credit(100 * round - 50, 3)));
        steps.push(step(vendor.credit(100 * round, 10 + round)));
        steps.push(step(foreign.credit(100 * round + 1, 1)));
        let limit = ManagementFunction::SetMaximumPowerLimit(limit);
        steps.push(step(vendor.manage(100 * round + 2, limit)));
        if round.is_multiple_of(3) {
            let function = ManagementFunction::ClearCredit(clear);
            steps.push(step(vendor.manage(100 * round + 3, function)));
        }
        if round.is_multiple_of(2) {
            let new = key(algorithm, round as u8, KeyType::Unique);
            let rollover = if round.is_multiple_of(4) { Rollover::Forget } else { Rollover::Keep };
            let mut set = vendor.change(&new, size, rollover);
            let count = set.len();
            set.rotate_left(round as usize % count);
            let sections = set.into_iter();
            steps.extend(sections.map(|data| Step { is_section: true, ..step(data) }));
            steps.last_mut().unwrap().new_key = Some(new.clone());
            vendor.key = new;
        }
    }
    steps.truncate(tokens);
    steps
}

/// Starts a meter from a medium, and gives it the sections it held.
fn start(profile: Profile, medium: &Medium, held: &[TokenData]) -> (Meter, Medium) {
    let mut medium = medium.after_power_returned();
    let mut meter = Meter::load(profile, &mut medium, 0).unwrap();
    for data in held {
        let outcome = meter.enter(*data, common::NUMERIC, 0, &mut medium).unwrap();
        assert!(matches!(outcome, Outcome::Waiting { .. }));
    }
    (meter, medium)
}

fn cut_everywhere(profile: Profile, first: NewKey, tokens: usize, every: usize) {
    let mut bench = Bench::new(profile, first);
    let mut vendor = bench.vendor.clone();
    let mut held: Vec<TokenData> = Vec::new();
    let mut cuts = 0;
    for (number, step) in scenario(&mut vendor, profile.set_size, tokens).iter().enumerate() {
        let before = bench.encoded();
        let medium = bench.medium.clone();
        let (mut whole, mut after_medium) = start(profile, &medium, &held);
        let expected = whole.enter(step.data, common::NUMERIC, 0, &mut after_medium).unwrap();
        let after = encoded(&whole);
        for bytes in (0..).step_by(every) {
            let (mut meter, mut medium) = start(profile, &medium, &held);
            medium.bytes_left = Some(bytes);
            let answer = meter.enter(step.data, common::NUMERIC, 0, &mut medium);
            if answer.is_err() {
                assert_eq!(encoded(&meter), before, "token {number}: a fault changes nothing");
            }
            let (reloaded, _) = start(profile, &medium, &[]);
            let found = encoded(&reloaded);
            match answer {
                Ok(outcome) => {
                    assert_eq!(outcome, expected, "token {number}");
                    assert!(found == after, "token {number}: what was answered is stored");
                }
                Err(Stopped) => {
                    assert!(found == before || found == after, "token {number} at {bytes}");
                }
            }
            // The customer enters the token again.
            let sections = if found == before { held.as_slice() } else { &[] };
            let (mut meter, mut medium) = start(profile, &medium, sections);
            let second = meter.enter(step.data, common::NUMERIC, 0, &mut medium).unwrap();
            assert!(encoded(&meter) == after, "token {number} at {bytes}: {second:?}");
            cuts += 1;
            if answer.is_ok() {
                break;
            }
        }
        assert_eq!(bench.enter(step.data), expected);
        match (expected, step.is_section) {
            (Outcome::Waiting { .. }, _) => held.push(step.data),
            (_, true) => held.clear(),
            _ => {}
        }
        if let Some(new) = &step.new_key {
            assert_eq!(
                expected.result(),
                TokenResult::Accept,
                "token {number}: the set is complete"
            );
            bench.vendor.key = new.clone();
        }
    }
    assert!(cuts > tokens, "the scenario was cut at all");
}

#[test]
fn power_may_fail_after_any_byte_of_a_short_scenario() {
    cut_everywhere(sta_profile(), unique_key(0xA5), 40, 1);
}

#[test]
fn power_may_fail_in_a_set_of_four() {
    let profile = Profile::electricity(SetSize::Four);
    cut_everywhere(profile, key(EncryptionAlgorithm::Misty1, 0xA5, KeyType::Unique), 40, 7);
}

#[test]
#[ignore = "long: 200 tokens, or PREPAY_METER_TOKENS, cut after every byte"]
fn power_may_fail_after_any_byte_of_a_long_scenario() {
    let tokens = std::env::var("PREPAY_METER_TOKENS").ok();
    let tokens = tokens.map_or(200, |text| text.parse().expect("a number of tokens"));
    cut_everywhere(sta_profile(), unique_key(0xA5), tokens, 1);
    cut_everywhere(Profile::electricity(SetSize::Three), unique_key(0xA5), tokens, 1);
    let profile = Profile::electricity(SetSize::Four);
    cut_everywhere(profile, key(EncryptionAlgorithm::Misty1, 0xA5, KeyType::Unique), tokens, 1);
}

#[test]
fn a_faulty_operation_is_survived_without_a_restart() {
    let mut bench = Bench::standard();
    let token = bench.vendor.credit(100, 10);
    let before = bench.encoded();
    for operations in 0.. {
        bench.medium.operations_left = Some(operations);
        let answer = bench.meter.enter(token, common::NUMERIC, 0, &mut bench.medium);
        bench.medium.operations_left = None;
        match answer {
            Err(Stopped) => assert_eq!(bench.encoded(), before, "after {operations} operations"),
            Ok(outcome) => {
                assert_eq!(outcome.result(), TokenResult::Accept);
                assert_eq!(
                    operations, 9,
                    "an erasure, seven pieces, a header; its repetition failed"
                );
                break;
            }
        }
    }
    assert_eq!(bench.medium.slots[1][20..40], [0xFF; 20]);
    bench.restart();
    assert_eq!(bench.medium.slots[0][20..40], bench.medium.slots[0][..20], "stored once more");
    assert_eq!((bench.tenths(), bench.result(token)), (10, TokenResult::UsedError));
}

#[test]
fn power_may_fail_again_while_a_cut_record_is_stored_again() {
    let mut bench = Bench::standard();
    let token = bench.vendor.credit(100, 10);
    assert_eq!(bench.result(token), TokenResult::Accept);
    let whole = bench.encoded();
    let record = Meter::<50, 12, 1>::RECORD_LENGTH;
    // Storing again takes an erasure of 40 bytes, then body and header; the repetition may be cut once more.
    for cut in 0..20 {
        // Power failed in the repetition of the header, in the second slot.
        let mut medium = bench.medium.clone();
        medium.slots[1][20 + cut..40].fill(0xFF);
        for bytes in 0..=record + 20 {
            let mut medium = medium.clone();
            medium.bytes_left = Some(bytes);
            let loaded: Result<Meter, _> = Meter::load(sta_profile(), &mut medium, 0);
            assert_eq!(loaded.is_ok(), bytes >= record + 20, "cut at {cut}, then after {bytes}");
            let (meter, medium) = start(sta_profile(), &medium, &[]);
            assert!(encoded(&meter) == whole, "cut at {cut}, then after {bytes}");
            let mut damaged = medium;
            damaged.slots.iter_mut().for_each(|slot| slot[0] ^= 1);
            assert!(Meter::<50, 12, 1>::load(sta_profile(), &mut damaged, 0).is_err());
        }
    }
}

#[test]
fn a_meter_that_was_never_finished_can_be_made_again() {
    for bytes in 0..100 {
        let mut medium = Bench::standard().medium; // An older record lies there.
        medium.bytes_left = Some(bytes);
        let birth = prepay_meter::Birth {
            pan: "600727000000000009".parse().unwrap(),
            key: unique_key(2),
            remembered: 50,
            manufactured: common::tid(7),
        };
        assert!(
            Meter::<50, 12, 1>::manufacture(sta_profile(), birth.clone(), &mut medium).is_err()
        );
        let mut medium = medium.after_power_returned();
        let made: Meter = Meter::manufacture(sta_profile(), birth, &mut medium).unwrap();
        let loaded: Meter = Meter::load(sta_profile(), &mut medium, 0).unwrap();
        assert_eq!(encoded(&loaded), encoded(&made), "{bytes} bytes");
    }
}
