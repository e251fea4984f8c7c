//! Credit is drawn, switches open and close, and the meter warns in time.

mod common;

use common::{Bench, sta_profile, unique_key};
use prepay_meter::{
    CreditForm, CreditLevel, GRAINS_PER_TENTH, Load, OpenReason, Profile, Services, Switch,
    TripRule, Warning,
};
use prepay_token::ManagementFunction;
use prepay_token::element::{ExtendedIndex, ExtendedValue, PowerLimit, RegisterToClear, Service};

const ELECTRICITY: Service = Service::Electricity;

fn credited(profile: Profile, tenths: u32) -> Bench {
    let mut bench = Bench::new(profile, unique_key(1));
    let token = bench.vendor.credit(100, tenths);
    bench.result(token);
    bench
}

fn consume(bench: &mut Bench, load: Load, seconds: u32) -> Switch {
    bench.meter.consume(load, seconds, &mut bench.medium).unwrap()
}

fn flag(bench: &mut Bench, identifier: u32, index: u16, on: bool) {
    let value = ExtendedValue::new(ExtendedIndex::FLAGS, index << 1 | u16::from(on)).unwrap();
    let token = bench.vendor.manage(identifier, ManagementFunction::Extended(value));
    bench.result(token);
}

#[test]
fn the_switch_opens_in_the_second_when_credit_runs_out() {
    let bench = Bench::standard();
    assert_eq!(bench.meter.switch(ELECTRICITY), Switch::Open(OpenReason::NoCredit));
    let mut bench = credited(sta_profile(), 10);
    assert_eq!(consume(&mut bench, Load::watts(2000), 1799), Switch::Closed);
    assert_eq!(bench.tenths(), 0, "less than a tenth is left");
    assert_eq!(consume(&mut bench, Load::watts(2000), 1), Switch::Open(OpenReason::NoCredit));
    consume(&mut bench, Load::watts(2000), 100_000);
    let register = *bench.meter.state().credit(ELECTRICITY);
    assert_eq!((register.grains(), register.used_grains()), (0, 3_600_000));
    bench.restart();
    assert_eq!(bench.meter.switch(ELECTRICITY), Switch::Open(OpenReason::NoCredit), "it is stored");
    let token = bench.vendor.credit(101, 1);
    bench.result(token);
    assert_eq!(bench.meter.switch(ELECTRICITY), Switch::Closed);
}

#[test]
fn use_is_stored_when_it_reaches_what_the_policy_says() {
    let mut bench = credited(sta_profile(), 10);
    let limit = bench.meter.profile().policy.commit_every_grains as u32;
    let stored = bench.medium.operations;
    consume(&mut bench, Load::watts(limit - 1), 1);
    assert_eq!(bench.medium.operations, stored, "one grain less");
    consume(&mut bench, Load::watts(1), 1);
    assert!(bench.medium.operations > stored);
    let stored = bench.medium.operations;
    consume(&mut bench, Load::watts(limit - 1), 1);
    assert_eq!(bench.medium.operations, stored, "the count begins again");
    bench.meter.save(&mut bench.medium).unwrap();
    let shown = bench.tenths();
    bench.restart();
    assert_eq!(bench.tenths(), shown);
}

#[test]
fn a_long_span_is_the_sum_of_its_seconds() {
    let rule = TripRule { trip_after_s: 7, reset_after_s: 11, resets: 3, forgive_after_s: 50 };
    let mut profile = sta_profile();
    profile.policy.trip = Some(rule);
    let limit = PowerLimit::from_watts(1000).unwrap();
    for (watts, seconds) in [(900, 500), (1100, 5), (1100, 30), (1100, 200), (5000, 1000)] {
        let mut whole = credited(profile, 10);
        let token = whole.vendor.manage(101, ManagementFunction::SetMaximumPowerLimit(limit));
        whole.result(token);
        let mut split = credited(profile, 10);
        split.result(token);
        consume(&mut whole, Load::watts(watts), seconds);
        for _ in 0..seconds {
            consume(&mut split, Load::watts(watts), 1);
        }
        assert_eq!(whole.encoded(), split.encoded(), "{watts} W for {seconds} s");
        let switches = (whole.meter.switch(ELECTRICITY), split.meter.switch(ELECTRICITY));
        assert_eq!(switches.0, switches.1, "{watts} W for {seconds} s");
    }
}

#[test]
fn the_power_limit_trips_resets_and_waits_for_a_token_at_last() {
    let rule = TripRule { trip_after_s: 10, reset_after_s: 20, resets: 2, forgive_after_s: 1000 };
    let mut profile = sta_profile();
    profile.policy.trip = Some(rule);
    let mut bench = credited(profile, 10_000);
    let limit = PowerLimit::from_watts(1000).unwrap();
    let token = bench.vendor.manage(101, ManagementFunction::SetMaximumPowerLimit(limit));
    bench.result(token);
    let open = Switch::Open(OpenReason::PowerLimit);
    // (seconds, switch at their end)
    for (seconds, switch) in [
        (9, Switch::Closed),
        (1, open),
        (19, open),
        (1, Switch::Closed),
        (10, open),
        (20, Switch::Closed),
        (10, open),
        (10_000, open), // no reset is left
    ] {
        assert_eq!(consume(&mut bench, Load::watts(1001), seconds), switch, "after {seconds} s");
    }
    assert_eq!(bench.meter.state().credit(ELECTRICITY).used_grains(), 30 * 1001);
    bench.restart();
    assert_eq!(bench.meter.switch(ELECTRICITY), open, "it survives loss of power");
    let token = bench.vendor.credit(102, 1);
    bench.result(token);
    assert_eq!(consume(&mut bench, Load::watts(1000), 100), Switch::Closed, "the limit is allowed");
}

#[test]
fn an_unbalanced_load_trips_too() {
    let mut bench = credited(sta_profile(), 10_000);
    let limit = PowerLimit::from_watts(500).unwrap();
    let function = ManagementFunction::SetMaximumPhasePowerUnbalanceLimit(limit);
    let token = bench.vendor.manage(101, function);
    bench.result(token);
    let load = |unbalance_watts| Load { unbalance_watts, ..Load::watts(2000) };
    assert_eq!(consume(&mut bench, load(500), 100), Switch::Closed);
    let open = Switch::Open(OpenReason::PhaseUnbalance);
    assert_eq!(consume(&mut bench, load(501), 30), open);
    // As often as it may close again; then it waits for a token, and remembers for what.
    consume(&mut bench, load(501), 1000);
    bench.restart();
    assert_eq!(bench.meter.switch(ELECTRICITY), open);
}

#[test]
fn the_power_limit_is_of_electricity_alone() {
    let mut profile = sta_profile();
    profile.services = Services::of(&[ELECTRICITY, Service::Water]);
    let mut bench = credited(profile, 10_000);
    let limit = PowerLimit::from_watts(100).unwrap();
    let vendor = bench.vendor.clone();
    bench.result(vendor.manage(101, ManagementFunction::SetMaximumPowerLimit(limit)));
    bench.result(vendor.credit_of(Service::Water, 102, 10_000));
    assert_eq!(consume(&mut bench, Load::flow(Service::Water, 500), 1000), Switch::Closed);
    assert_eq!(bench.meter.switch(ELECTRICITY), Switch::Closed);
}

#[test]
fn services_are_metered_apart() {
    let mut profile = sta_profile();
    profile.services = Services::of(&[ELECTRICITY, Service::Water, Service::Time]);
    let mut bench = credited(profile, 10);
    let vendor = bench.vendor.clone();
    bench.result(vendor.credit_of(Service::Water, 101, 10));
    bench.result(vendor.credit_of(Service::Time, 102, 10));
    let tenths = |bench: &Bench, service| bench.meter.state().credit(service).tenths();
    assert_eq!(consume(&mut bench, Load::flow(Service::Water, 500), 3600), Switch::Closed);
    assert_eq!(tenths(&bench, Service::Water), 5, "half a cubic metre in an hour");
    consume(&mut bench, Load::time(), 30);
    assert_eq!(tenths(&bench, Service::Time), 5, "half a minute");
    consume(&mut bench, Load::time(), 30);
    assert_eq!(bench.meter.switch(Service::Time), Switch::Open(OpenReason::NoCredit));
    assert_eq!(
        (tenths(&bench, ELECTRICITY), bench.meter.switch(ELECTRICITY)),
        (10, Switch::Closed)
    );
    let before = bench.encoded();
    consume(&mut bench, Load::flow(Service::Gas, 500), 3600);
    assert_eq!(bench.encoded(), before, "a service that the meter lacks uses nothing");
}

#[test]
fn money_pays_by_the_price_of_the_unit() {
    let mut profile = sta_profile();
    profile.credit = CreditForm::Currency;
    profile.policy.prices[0] = 250_000; // 2.5 currency units for a kilowatt-hour
    let mut bench = Bench::new(profile, unique_key(1));
    let token = bench.vendor.money(100, 500_000);
    bench.result(token);
    let given = bench.meter.state().credit(ELECTRICITY).money();
    assert_eq!(consume(&mut bench, Load::watts(1000), 3600), Switch::Closed);
    assert_eq!(bench.meter.state().credit(ELECTRICITY).money(), given - 250_000);
    let open = Switch::Open(OpenReason::NoCredit);
    assert_eq!(consume(&mut bench, Load::watts(1000), 36_000), open);
    assert_eq!(bench.meter.state().credit(ELECTRICITY).money(), 0);
}

#[test]
fn warnings_come_before_the_end_and_emergency_credit_must_be_asked_for() {
    let mut profile = sta_profile();
    profile.policy.low_credit = Some(CreditLevel { tenths: 20, hundred_thousandths: 0 });
    profile.policy.emergency_credit = Some(CreditLevel { tenths: 30, hundred_thousandths: 0 });
    let mut bench = credited(profile, 50);
    let second_of_tenth = Load::watts(GRAINS_PER_TENTH as u32);
    assert_eq!(bench.meter.warning(ELECTRICITY), Warning::None);
    assert!(!bench.meter.start_emergency(ELECTRICITY, &mut bench.medium).unwrap(), "too early");
    consume(&mut bench, second_of_tenth, 30);
    assert_eq!(bench.meter.warning(ELECTRICITY), Warning::Low);
    consume(&mut bench, second_of_tenth, 100);
    assert_eq!(bench.meter.warning(ELECTRICITY), Warning::Exhausted);
    assert!(bench.meter.start_emergency(ELECTRICITY, &mut bench.medium).unwrap());
    assert_eq!(bench.meter.switch(ELECTRICITY), Switch::Closed);
    consume(&mut bench, second_of_tenth, 10);
    assert_eq!(bench.meter.warning(ELECTRICITY), Warning::Emergency);
    bench.restart();
    consume(&mut bench, second_of_tenth, 100);
    assert_eq!((bench.tenths(), bench.meter.warning(ELECTRICITY)), (-30, Warning::Exhausted));
    let token = bench.vendor.credit(101, 30);
    bench.result(token);
    assert!(bench.meter.state().emergency(ELECTRICITY), "the debt is paid, no more");
    let token = bench.vendor.credit(102, 1);
    bench.result(token);
    assert!(!bench.meter.state().emergency(ELECTRICITY));
    assert_eq!(bench.tenths(), 1);
}

#[test]
fn clearing_credit_ends_emergency_credit_too() {
    let mut profile = sta_profile();
    profile.policy.emergency_credit = Some(CreditLevel { tenths: 30, hundred_thousandths: 0 });
    let mut bench = credited(profile, 1);
    assert!(bench.meter.start_emergency(ELECTRICITY, &mut bench.medium).unwrap());
    let clear = ManagementFunction::ClearCredit(RegisterToClear::Units(ELECTRICITY));
    let token = bench.vendor.manage(101, clear);
    bench.result(token);
    assert_eq!(bench.meter.switch(ELECTRICITY), Switch::Open(OpenReason::NoCredit));
}

#[test]
fn tamper_opens_the_switch_until_a_token_clears_it() {
    let mut bench = credited(sta_profile(), 10);
    assert!(bench.meter.tamper(&mut bench.medium).unwrap());
    bench.restart();
    assert_eq!(bench.meter.switch(ELECTRICITY), Switch::Open(OpenReason::Tamper));
    let token = bench.vendor.credit(101, 1);
    bench.result(token);
    assert_eq!(bench.meter.switch(ELECTRICITY), Switch::Open(OpenReason::Tamper));
    let token = bench.vendor.manage(102, ManagementFunction::ClearTamperCondition);
    bench.result(token);
    assert_eq!(bench.meter.switch(ELECTRICITY), Switch::Closed);
}

#[test]
fn flags_act_only_where_the_policy_says_so() {
    let mut profile = sta_profile();
    for flags_act in [false, true] {
        profile.policy.flags_act = flags_act;
        let expected = |reason| if flags_act { Switch::Open(reason) } else { Switch::Closed };
        let mut bench = credited(profile, 10);
        flag(&mut bench, 101, 2, true);
        assert_eq!(bench.meter.switch(ELECTRICITY), expected(OpenReason::Disconnected));
        flag(&mut bench, 102, 2, false);
        assert_eq!(bench.meter.switch(ELECTRICITY), Switch::Closed);
        flag(&mut bench, 103, 1, false);
        assert_eq!(bench.meter.tamper(&mut bench.medium).unwrap(), !flags_act, "detect tamper");
        flag(&mut bench, 104, 3, false);
        let tampered = Switch::Open(OpenReason::Tamper);
        let switch = if flags_act { Switch::Closed } else { tampered };
        assert_eq!(bench.meter.switch(ELECTRICITY), switch, "disconnect on tamper");
        let token = bench.vendor.manage(105, ManagementFunction::ClearTamperCondition);
        bench.result(token);
        flag(&mut bench, 106, 6, false);
        consume(&mut bench, Load::watts(3_600_000), 3600);
        let is_closed = bench.meter.switch(ELECTRICITY).is_closed();
        assert_eq!(is_closed, flags_act, "paid afterwards");
    }
}
