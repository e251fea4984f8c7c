//! What holds for any sequence of tokens, repetitions, restarts and cuts of power.

mod common;

use std::collections::BTreeMap;

use common::{Bench, Medium, NUMERIC, encoded, sta_profile, unique_key};
use prepay_meter::{Load, Meter, Outcome, TokenResult};
use prepay_token::TokenData;
use prepay_token::element::{PowerLimit, Service};
use prepay_token::{ManagementFunction, key_change::Rollover, key_change::SetSize};
use proptest::prelude::*;

/// Something that happens to a meter.
#[derive(Clone, Debug)]
enum Event {
    /// One of the tokens is entered.
    Enter(usize),
    /// One of the tokens is entered, and power fails after so many bytes.
    Cut(usize, usize),
    /// Power fails in between.
    Restart,
    /// A fault of the medium, without loss of power, after so many operations.
    Fault(usize, usize),
}

fn events(tokens: usize) -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        4 => (0..tokens).prop_map(Event::Enter),
        2 => (0..tokens, 0usize..500).prop_map(|(token, bytes)| Event::Cut(token, bytes)),
        1 => Just(Event::Restart),
        1 => (0..tokens, 0usize..10).prop_map(|(token, count)| Event::Fault(token, count)),
    ];
    proptest::collection::vec(event, 0..200)
}

/// Credit tokens of eighty minutes, more than a meter remembers, each with an amount of its own.
fn credit_tokens(bench: &Bench) -> Vec<(TokenData, i64)> {
    (0..80).map(|n| (bench.vendor.credit(1000 + n, 1 + n * 7), i64::from(1 + n * 7))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_token_gives_its_credit_at_most_once(events in events(80)) {
        let mut bench = Bench::standard();
        let tokens = credit_tokens(&bench);
        let mut times: BTreeMap<usize, u32> = BTreeMap::new();
        for event in events {
            let before = bench.tenths();
            let (token, answer) = match event {
                Event::Enter(token) => (token, Some(bench.enter(tokens[token].0))),
                Event::Cut(token, bytes) => {
                    bench.medium.bytes_left = Some(bytes);
                    let data = tokens[token].0;
                    let answer = bench.meter.enter(data, NUMERIC, 0, &mut bench.medium).ok();
                    bench.restart();
                    (token, answer)
                }
                Event::Fault(token, operations) => {
                    bench.medium.operations_left = Some(operations);
                    let data = tokens[token].0;
                    let answer = bench.meter.enter(data, NUMERIC, 0, &mut bench.medium).ok();
                    bench.medium.operations_left = None;
                    if answer.is_none() {
                        prop_assert_eq!(bench.tenths(), before, "a fault shows nothing");
                    }
                    (token, answer)
                }
                Event::Restart => {
                    let before = bench.encoded();
                    bench.restart();
                    prop_assert_eq!(bench.encoded(), before, "the state reloads to itself");
                    continue;
                }
            };
            let gained = bench.tenths() - before;
            prop_assert!(gained == 0 || gained == tokens[token].1, "{token}: {gained}");
            let is_accepted = answer.is_some_and(|answer| answer.result() == TokenResult::Accept);
            prop_assert!(!is_accepted || gained > 0, "{token}: accepted without credit");
            if gained > 0 {
                let times = times.entry(token).or_default();
                *times += 1;
                prop_assert_eq!(*times, 1, "{} gave its credit twice", token);
            }
        }
        let total: i64 = times.keys().map(|&token| tokens[token].1).sum();
        prop_assert_eq!(bench.tenths(), total);
    }

    #[test]
    fn a_refused_token_changes_nothing(
        entered in proptest::collection::vec((any::<bool>(), 0u32..120, any::<u128>()), 1..60),
    ) {
        let mut bench = Bench::made_at(sta_profile(), unique_key(4), 30);
        for (is_random, minute, bits) in entered {
            let data = if is_random {
                TokenData::try_from(bits >> 62).unwrap()
            } else {
                bench.vendor.credit(minute, 5)
            };
            let before = (bench.encoded(), bench.medium.clone());
            if let Outcome::Refused(refusal) = bench.enter(data) {
                prop_assert_eq!((bench.encoded(), bench.medium.clone()), before, "{}", refusal);
            }
        }
    }

    #[test]
    fn loss_of_power_gives_back_less_than_the_policy_says(
        spans in proptest::collection::vec((0u32..20_000, 0u32..400), 1..60),
        credit in 1u32..5000,
    ) {
        let mut bench = Bench::standard();
        let token = bench.vendor.credit(100, credit);
        prop_assert_eq!(bench.result(token), TokenResult::Accept);
        let limit = bench.meter.profile().policy.commit_every_grains as i64;
        for (watts, seconds) in spans {
            bench.meter.consume(Load::watts(watts), seconds, &mut bench.medium).unwrap();
            let shown = bench.meter.state().credit(Service::Electricity).grains();
            let mut medium: Medium = bench.medium.clone();
            let reloaded: Meter = Meter::load(sta_profile(), &mut medium, 0).unwrap();
            let left = reloaded.state().credit(Service::Electricity).grains();
            prop_assert!(left >= shown, "{left} of {shown}");
            prop_assert!(left - shown < limit, "{left} of {shown}");
        }
    }

    #[test]
    fn sections_of_a_set_in_any_order_and_number_give_one_state(
        order in proptest::collection::vec(0usize..3, 0..12),
    ) {
        let profile = prepay_meter::Profile::electricity(SetSize::Three);
        let new = unique_key(9);
        let mut bench = Bench::new(profile, unique_key(8));
        let tokens = bench.vendor.change(&new, SetSize::Three, Rollover::Keep);
        let mut straight = Bench::new(profile, unique_key(8));
        for &token in &tokens {
            straight.result(token);
        }
        for &section in order.iter().chain(&[2, 1, 0]) {
            match bench.result(tokens[section]) {
                TokenResult::Accept => break,
                TokenResult::FirstKct | TokenResult::SecondKct | TokenResult::ThirdKct => {}
                other => prop_assert!(false, "{other}"),
            }
        }
        prop_assert_eq!(bench.encoded(), straight.encoded());
    }

    #[test]
    fn any_state_reloads_to_itself(
        watts in 0u32..1_000_000, rate: u16, grains in 0u32..3_600_000, tamper: bool,
    ) {
        let mut bench = Bench::standard();
        let limit = PowerLimit::from_watts(watts).unwrap();
        for (identifier, function) in (100..).zip([
            ManagementFunction::SetMaximumPhasePowerUnbalanceLimit(limit),
            ManagementFunction::SetTariffRate(rate),
        ]) {
            let token = bench.vendor.manage(identifier, function);
            prop_assert_eq!(bench.result(token), TokenResult::Accept);
        }
        let token = bench.vendor.credit(200, 100);
        bench.result(token);
        bench.meter.consume(Load::watts(grains), 1, &mut bench.medium).unwrap();
        if tamper {
            bench.meter.tamper(&mut bench.medium).unwrap();
        }
        bench.meter.save(&mut bench.medium).unwrap();
        let before = encoded(&bench.meter);
        bench.restart();
        prop_assert_eq!(bench.encoded(), before);
    }
}
