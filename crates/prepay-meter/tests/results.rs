//! Every result that a meter gives, and which comes first when several apply.

mod common;

use common::{Bench, MAGNETIC, NUMERIC, key, sta_profile, unique_key};
use prepay_meter::{
    AbsentFunction, AbsentRegister, Carriers, CreditForm, DisplayItem, Effect, Lockout, Maker,
    MakerRefusal, MakerRegisters, Outcome, Phases, Profile, Register, RegisterValue,
    ReservedIdentifiers, Services, TokenResult, UnknownExtended,
};
use prepay_token::element::{
    EncryptionAlgorithm, ExtendedIndex, ExtendedValue, KeyExpiryNumber, KeyType, ManufacturerCode,
    PowerLimit, RegisterToClear, Service,
};
use prepay_token::{
    Class, ManagementFunction, MeterTest, ProprietarySubClass, Token, TokenData, seal_in_clear,
};

fn test_token(sub_class: u8, code: &str, control: u64) -> TokenData {
    let code: ManufacturerCode = code.parse().unwrap();
    seal_in_clear(&Token::Test(MeterTest::new(sub_class, code, control).unwrap())).unwrap()
}

fn extended(index: u8, value: u16) -> ManagementFunction {
    let index = ExtendedIndex::try_from(index).unwrap();
    ManagementFunction::Extended(ExtendedValue::new(index, value).unwrap())
}

#[test]
fn credit_is_added_once() {
    let mut bench = Bench::standard();
    let token = bench.vendor.credit(100, 256);
    let Outcome::Accepted(Effect::Credited { service, tenths, .. }) = bench.enter(token) else {
        panic!("the token is good");
    };
    assert_eq!((service, tenths), (Service::Electricity, 256));
    assert_eq!(bench.result(token), TokenResult::UsedError);
    bench.restart();
    assert_eq!(bench.result(token), TokenResult::UsedError);
    assert_eq!(bench.tenths(), 256);
    let last = bench.meter.register(Register::LastCreditAmount, 0);
    assert_eq!(last, RegisterValue::Number(256));
}

#[test]
fn text_that_is_no_token_is_a_format_error() {
    let mut bench = Bench::standard();
    for text in
        ["", "1234", "7378697629483820646x", "73786976294838206464", "123456789012345678901"]
    {
        let outcome = bench.meter.enter_digits(text, NUMERIC, 0, &mut bench.medium).unwrap();
        assert_eq!(outcome.result(), TokenResult::FormatError, "{text:?}");
    }
    let outcome = bench.meter.enter_bytes([0xFF; 9], NUMERIC, 0, &mut bench.medium).unwrap();
    assert_eq!(outcome.result(), TokenResult::FormatError);
    let good = bench.vendor.credit(100, 1);
    let spaced = format!("{good:#}");
    let outcome = bench.meter.enter_digits(&spaced, NUMERIC, 0, &mut bench.medium).unwrap();
    assert_eq!(outcome.result(), TokenResult::Accept);
    let bytes = bench.vendor.credit(101, 1).bytes();
    let outcome = bench.meter.enter_bytes(bytes, NUMERIC, 0, &mut bench.medium).unwrap();
    assert_eq!(outcome.result(), TokenResult::Accept);
}

#[test]
fn each_refusal_has_its_token_and_changes_nothing() {
    let mut profile = sta_profile();
    profile.policy.unit_capacity_tenths = 1000;
    let mut new = unique_key(0xA5);
    new.expiry = KeyExpiryNumber::from(2);
    let mut bench = Bench::made_at(profile, new, 500);
    let token = bench.vendor.credit(600, 900);
    assert_eq!(bench.result(token), TokenResult::Accept);
    let vendor = bench.vendor.clone();
    let foreign = Bench::new(profile, unique_key(0x5A)).vendor;
    use TokenResult::*;
    let cases: &[(&str, TokenData, TokenResult)] = &[
        ("another key", foreign.credit(700, 1), CrcError),
        ("class 3", TokenData::join(Class::Reserved, 12345), FunctionError),
        ("water", vendor.credit_of(Service::Water, 700, 1), FunctionError),
        ("money", vendor.money(700, 1), FunctionError),
        ("reserved credit sub-class", vendor.raw(Class::Credit, 8 << 60), FunctionError),
        ("reserved test sub-class", vendor.raw(Class::Display, 3 << 60), FunctionError),
        ("fourth section", vendor.raw(Class::Management, 9 << 60), FunctionError),
        ("third section", vendor.raw(Class::Management, 8 << 60), FunctionError),
        (
            "first of three",
            vendor.raw(Class::Management, 3 << 60 | 1 << 50 | 2 << 48),
            FunctionError,
        ),
        ("no maker", vendor.manage(700, proprietary(12, 0)), FunctionError),
        ("other maker", test_token(0, "99", 1), MfrCodeError),
        ("other maker, long", test_token(1, "0001", 1), MfrCodeError),
        ("code 255", vendor.raw(Class::Display, 255 << 16), MfrCodeError),
        ("before manufacture", vendor.credit(499, 1), OldError),
        ("day of manufacture", vendor.credit(500, 1), UsedError),
        ("used", vendor.credit(600, 900), UsedError),
        ("expired", vendor.credit(3 << 16, 1), KeyExpiredError),
        ("to initialization", vendor.raw(Class::Management, 3 << 60 | 1 << 52), KeyTypeError),
        ("to common", vendor.raw(Class::Management, 3 << 60 | 1 << 52 | 3 << 48), KeyTypeError),
        ("register 8", vendor.raw(Class::Management, 1 << 60 | 700 << 32 | 8 << 16), RangeError),
        ("padding", vendor.raw(Class::Management, 5 << 60 | 700 << 32 | 1 << 16), RangeError),
        ("tariff index 100", vendor.raw(Class::Management, 4 << 60 | 100 << 48), RangeError),
        ("revision 0", vendor.raw(Class::Management, 3 << 60 | 2 << 48), RangeError),
        ("read, with bits beside", vendor.raw(Class::Display, 2 << 60 | 1 << 24), RangeError),
        ("no room", vendor.credit(700, 101), OverflowError),
    ];
    let before = bench.encoded();
    let medium = bench.medium.clone();
    for (name, data, expected) in cases {
        assert_eq!(bench.result(*data), *expected, "{name}");
        assert_eq!(bench.encoded(), before, "{name}");
        assert_eq!(bench.medium, medium, "{name}");
    }
    let fits = vendor.credit(700, 100);
    assert_eq!(bench.result(fits), Accept, "the register holds exactly its capacity");
}

#[test]
fn the_first_check_that_fails_is_told() {
    let mut new = unique_key(0xA5);
    new.key_type = KeyType::Default;
    new.expiry = KeyExpiryNumber::from(2);
    let mut profile = sta_profile();
    profile.policy.unit_capacity_tenths = 10;
    let mut bench = Bench::made_at(profile, new, 5 << 16);
    let vendor = bench.vendor.clone();
    use TokenResult::*;
    // Each token fails the check named and every later one that can apply to it.
    let cases: &[(&str, TokenData, TokenResult)] = &[
        (
            "service, old, expired, default",
            vendor.credit_of(Service::Gas, 4 << 16, 11),
            FunctionError,
        ),
        ("old, expired, default, overflow", vendor.credit(4 << 16, 11), OldError),
        ("used, expired, default, overflow", vendor.credit(5 << 16, 11), UsedError),
        ("expired, default, overflow", vendor.credit(6 << 16, 11), KeyExpiredError),
        ("old, range", vendor.raw(Class::Management, 1 << 60 | 9 << 16), OldError),
        (
            "expired, range",
            vendor.raw(Class::Management, 1 << 60 | 6 << 48 | 9 << 16),
            KeyExpiredError,
        ),
        ("maker, range", vendor.raw(Class::Display, 2 << 60 | 1 << 24 | 99 << 16), MfrCodeError),
        ("size of set, key type", vendor.raw(Class::Management, 3 << 60 | 1 << 50), FunctionError),
        ("key type, range", vendor.raw(Class::Management, 3 << 60 | 10 << 52), KeyTypeError),
    ];
    for (name, data, expected) in cases {
        assert_eq!(bench.result(*data), *expected, "{name}");
    }
    let mut bench = Bench::new(profile, key(EncryptionAlgorithm::Sta, 1, KeyType::Default));
    let token = bench.vendor.credit(100, 11);
    assert_eq!(bench.result(token), DdtkError, "before overflow");
    let limit = ManagementFunction::SetMaximumPowerLimit(PowerLimit::from_watts(9).unwrap());
    let token = bench.vendor.manage(101, limit);
    assert_eq!(bench.result(token), Accept, "a default key carries management");
}

#[test]
fn management_tokens_set_their_registers() {
    let services = Services::of(&[Service::Electricity, Service::Water]);
    let mut bench = Bench::new(Profile { services, ..sta_profile() }, unique_key(1));
    let limit = PowerLimit::from_watts(1000).unwrap();
    let functions = [
        ManagementFunction::SetMaximumPowerLimit(limit),
        ManagementFunction::SetMaximumPhasePowerUnbalanceLimit(limit),
        ManagementFunction::SetTariffRate(77),
        ManagementFunction::SetWaterMeterFactor(88),
        extended(63, 11 << 1 | 1),
        extended(0, 123),
    ];
    for (identifier, function) in (100..).zip(functions) {
        let token = bench.vendor.manage(identifier, function);
        assert_eq!(bench.result(token), TokenResult::Accept, "{function:?}");
    }
    bench.restart();
    // (register, value)
    for (register, value) in [
        (Register::MaximumPowerLimit, 1000),
        (Register::PhaseUnbalanceLimit, 1000),
        (Register::TariffRate, 77),
        (Register::WaterFactor, 88),
        (Register::Flag(11), 1),
        (Register::Control(0), 123),
    ] {
        assert_eq!(bench.meter.register(register, 0), RegisterValue::Number(value), "{register:?}");
    }
    assert_eq!(bench.meter.register(Register::Flag(0), 0), RegisterValue::Absent);
    assert_eq!(bench.meter.state().tariff_rate(), Some(77));
    assert_eq!(bench.meter.state().water_factor(), Some(88));
}

#[test]
fn clearing_takes_the_credit_of_one_register_or_of_all() {
    let mut profile = sta_profile();
    profile.services = Services::of(&[Service::Electricity, Service::Water]);
    let mut bench = Bench::new(profile, unique_key(3));
    let vendor = bench.vendor.clone();
    let credit = |bench: &Bench, service| bench.meter.state().credit(service).tenths();
    bench.result(vendor.credit(100, 10));
    bench.result(vendor.credit_of(Service::Water, 101, 20));
    let clear =
        |identifier, register| vendor.manage(identifier, ManagementFunction::ClearCredit(register));
    assert_eq!(
        bench.result(clear(102, RegisterToClear::Units(Service::Water))),
        TokenResult::Accept
    );
    assert_eq!((credit(&bench, Service::Electricity), credit(&bench, Service::Water)), (10, 0));
    for register in
        [RegisterToClear::Units(Service::Gas), RegisterToClear::Currency(Service::Water)]
    {
        assert_eq!(bench.result(clear(103, register)), TokenResult::FunctionError, "{register}");
    }
    assert_eq!(bench.result(clear(103, RegisterToClear::All)), TokenResult::Accept);
    assert_eq!(bench.tenths(), 0);
}

#[test]
fn clearing_the_money_of_a_service_takes_that_alone() {
    let mut profile = sta_profile();
    profile.credit = CreditForm::Currency;
    let mut bench = Bench::new(profile, unique_key(3));
    let vendor = bench.vendor.clone();
    let money = |bench: &Bench| bench.meter.state().credit(Service::Electricity).money();
    let clear = |register| ManagementFunction::ClearCredit(register);
    // (identifier of the credit, what is cleared, money afterwards)
    for (identifier, register, after) in
        [(100, RegisterToClear::Currency(Service::Electricity), 0), (200, RegisterToClear::All, 0)]
    {
        bench.result(vendor.money(identifier, 1000));
        assert_eq!(money(&bench), 1000);
        let token = vendor.manage(identifier + 1, clear(register));
        assert_eq!(bench.result(token), TokenResult::Accept, "{register}");
        assert_eq!(money(&bench), after, "{register}");
    }
}

#[test]
fn money_lowers_and_raises_a_register_of_money() {
    let mut profile = sta_profile();
    profile.credit = CreditForm::Currency;
    profile.policy.currency_capacity = 1000;
    profile.policy.currency_debt = 500;
    let mut bench = Bench::new(profile, unique_key(3));
    // (identifier, amount, result, money after)
    for (identifier, amount, result, after) in [
        (100, 1000, TokenResult::Accept, 1000),
        (101, 1, TokenResult::OverflowError, 1000),
        (102, -1500, TokenResult::Accept, -500),
        (103, -1, TokenResult::OverflowError, -500),
        (101, 1, TokenResult::Accept, -499), // not cancelled when it was refused
        (101, 1, TokenResult::UsedError, -499),
    ] {
        let token = bench.vendor.money(identifier, amount);
        assert_eq!(bench.result(token), result, "{identifier}: {amount}");
        assert_eq!(bench.meter.state().credit(Service::Electricity).money(), after);
    }
    let units = bench.vendor.credit(200, 1);
    assert_eq!(bench.result(units), TokenResult::FunctionError);
}

#[test]
fn tests_answer_with_what_is_to_be_shown() {
    let mut bench = Bench::standard();
    let before = bench.medium.clone();
    let mut shown = |data| match bench.enter(data) {
        Outcome::Accepted(Effect::Display(programme)) => {
            bench.meter.items(programme).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(shown(test_token(0, "00", 1)), [DisplayItem::TestLoadSwitch]);
    let last = shown(test_token(1, "0000", 1 << 17));
    assert_eq!(last, [DisplayItem::Show(Register::MeterNumber)]);
    assert_eq!(shown(test_token(0, "00", 1 << 30)), [], "a test that the meter lacks");
    assert_eq!(shown(test_token(0, "00", (1 << 36) - 1)).len(), 4, "test 0");
    let read = bench.vendor.raw(Class::Display, 2 << 60 | 63 << 54);
    let Outcome::Accepted(Effect::Display(programme)) = bench.enter(read) else { panic!() };
    assert_eq!(bench.meter.items(programme).count(), 12);
    assert_eq!(bench.medium, before, "a test stores nothing");
}

/// Sub-class 12 adds its value to a register, below 100 only.
struct Adder;

impl Maker for Adder {
    fn management(
        &self,
        sub_class: ProprietarySubClass,
        value: u16,
        registers: &mut MakerRegisters,
    ) -> Result<(), MakerRefusal> {
        if sub_class.value() != 12 {
            return Err(MakerRefusal::Function);
        }
        registers[0] += value;
        if value < 100 { Ok(()) } else { Err(MakerRefusal::Range) }
    }

    fn test(&self, test: &MeterTest) -> Result<(), MakerRefusal> {
        if test.sub_class() == 11 { Ok(()) } else { Err(MakerRefusal::Function) }
    }
}

fn proprietary(sub_class: u8, value: u16) -> ManagementFunction {
    ManagementFunction::Proprietary { sub_class: sub_class.try_into().unwrap(), value }
}

#[test]
fn the_maker_decides_about_its_own_tokens() {
    let mut bench = Bench::standard();
    let vendor = bench.vendor.clone();
    use TokenResult::*;
    // (token, result, register after)
    let cases = [
        (vendor.manage(100, proprietary(12, 7)), Accept, 7),
        (vendor.manage(100, proprietary(12, 7)), UsedError, 7),
        (vendor.manage(100, proprietary(12, 100)), UsedError, 7),
        (vendor.manage(101, proprietary(12, 100)), RangeError, 7),
        (vendor.manage(100, proprietary(13, 7)), FunctionError, 7),
        (vendor.manage(101, proprietary(12, 3)), Accept, 10),
        (test_token(11, "00", 5), Accept, 10),
        (test_token(12, "00", 5), FunctionError, 10),
        (test_token(11, "01", 5), MfrCodeError, 10),
    ];
    for (place, (data, expected, after)) in cases.into_iter().enumerate() {
        let outcome = bench.meter.enter_with(data, NUMERIC, 0, &mut bench.medium, &Adder).unwrap();
        assert_eq!(outcome.result(), expected, "case {place}");
        if place == 6 {
            let effect = Effect::ProprietaryTest { sub_class: 11, control: 5 };
            assert_eq!(outcome, Outcome::Accepted(effect));
        }
        bench.restart();
        assert_eq!(bench.meter.state().maker()[0], after, "case {place}");
    }
}

#[test]
fn a_common_key_works_with_its_carrier_alone() {
    let mut profile = sta_profile();
    let common = key(EncryptionAlgorithm::Sta, 7, KeyType::Common);
    let mut bench = Bench::new(profile, common.clone());
    let token = bench.vendor.credit(100, 1);
    assert_eq!(bench.enter_by(token, NUMERIC).result(), TokenResult::KeyTypeError);
    assert_eq!(bench.enter_by(token, MAGNETIC).result(), TokenResult::KeyTypeError, "no reader");
    profile.carriers = Carriers::of(&[MAGNETIC]);
    let mut bench = Bench::new(profile, common);
    assert_eq!(bench.enter_by(token, MAGNETIC).result(), TokenResult::Accept);
    assert_eq!(bench.result(test_token(0, "00", 1)), TokenResult::Accept);
}

#[test]
fn lockout_counts_wrong_checksums_and_leaves_tests_alone() {
    let mut profile = sta_profile();
    profile.policy.lockout = Some(Lockout::default());
    let mut bench = Bench::new(profile, unique_key(1));
    let wrong = Bench::new(profile, unique_key(2)).vendor.credit(100, 1);
    let good = bench.vendor.credit(100, 1);
    let old = bench.vendor.credit(0, 1);
    use TokenResult::{Accept, CrcError, UsedError};
    // (seconds later, token, result)
    for (place, (later, data, expected)) in [
        (0, wrong, CrcError),
        (0, old, UsedError), // neither counts nor resets
        (0, wrong, CrcError),
        (0, wrong, CrcError), // locks for 10 s
        (9, good, TokenResult::Lockout),
        (0, TokenData::join(Class::Reserved, 0), TokenResult::Lockout),
        (0, test_token(0, "00", 1), Accept),
        (1, wrong, CrcError), // locks for 20 s
        (19, good, TokenResult::Lockout),
        (1, good, Accept), // resets
        (0, wrong, CrcError),
        (0, wrong, CrcError),
        (0, old, UsedError),
    ]
    .into_iter()
    .enumerate()
    {
        bench.now_s += later;
        assert_eq!(bench.result(data), expected, "step {place}");
    }
}

#[test]
fn wrong_checksums_of_class_1_never_lock_a_meter() {
    let mut profile = sta_profile();
    profile.policy.lockout = Some(Lockout::default());
    let mut bench = Bench::new(profile, unique_key(1));
    let before = bench.medium.clone();
    for number in 0..1000 {
        let wrong = TokenData::join(Class::Display, number << 16 | 1);
        assert_eq!(bench.result(wrong), TokenResult::CrcError, "{number}");
    }
    assert_eq!((bench.meter.lockout_seconds(bench.now_s), bench.medium == before), (0, true));
    let good = bench.vendor.credit(100, 1);
    assert_eq!(bench.result(good), TokenResult::Accept);
}

#[test]
fn a_power_cycle_before_every_token_does_not_undo_the_default_lockout() {
    let mut profile = sta_profile();
    profile.policy.lockout = Some(Lockout::default());
    let mut bench = Bench::new(profile, unique_key(1));
    let wrong = Bench::new(profile, unique_key(2)).vendor.credit(100, 1);
    let made = bench.medium.operations;
    let mut examined = 0;
    for _ in 0..3000 {
        bench.now_s = 0; // The meter's clock begins anew with the power.
        bench.restart();
        examined += u32::from(bench.result(wrong) == TokenResult::CrcError);
    }
    assert_eq!(examined, 3, "of 3000 wrong tokens");
    assert_eq!(bench.medium.operations - made, 3 * 10, "three commits");
}

#[test]
fn wrong_tokens_in_a_row_cost_ten_commits_at_most() {
    let mut profile = sta_profile();
    profile.policy.lockout = Some(Lockout::default());
    let mut bench = Bench::new(profile, unique_key(1));
    let wrong = Bench::new(profile, unique_key(2)).vendor.credit(100, 1);
    let made = bench.medium.operations;
    for _ in 0..100 {
        assert_eq!(bench.result(wrong), TokenResult::CrcError);
        bench.now_s += bench.meter.lockout_seconds(bench.now_s);
    }
    assert_eq!(bench.medium.operations - made, 10 * 10, "ten commits");
    assert_eq!(bench.result(wrong), TokenResult::CrcError);
    assert_eq!(bench.meter.lockout_seconds(bench.now_s), 1280);
}

#[test]
fn lockout_survives_loss_of_power_where_it_shall() {
    for (reset_on_power, result) in [(true, TokenResult::Accept), (false, TokenResult::Lockout)] {
        let mut profile = sta_profile();
        profile.policy.lockout = Some(Lockout { reset_on_power, ..Lockout::default() });
        let mut bench = Bench::new(profile, unique_key(1));
        let wrong = Bench::new(profile, unique_key(2)).vendor.credit(100, 1);
        for _ in 0..3 {
            assert_eq!(bench.result(wrong), TokenResult::CrcError);
        }
        bench.now_s = 0;
        bench.restart();
        let good = bench.vendor.credit(100, 1);
        assert_eq!(bench.result(good), result, "reset_on_power = {reset_on_power}");
        bench.now_s = 10;
        bench.restart();
        bench.now_s = 20;
        let next = bench.vendor.credit(101, 1);
        assert_eq!(bench.result(next), TokenResult::Accept);
    }
}

#[test]
fn policies_choose_between_answers() {
    let mut profile = sta_profile();
    profile.policy.absent_register = AbsentRegister::Accept;
    profile.policy.unknown_extended = UnknownExtended::RangeError;
    profile.policy.reserved_identifiers = ReservedIdentifiers::Refuse;
    profile.policy.enforce_expiry = false;
    profile.policy.other_length_tests = false;
    profile.policy.functions.tariff_rate = false;
    let mut new = unique_key(1);
    new.expiry = KeyExpiryNumber::from(0);
    let mut bench = Bench::new(profile, new);
    let vendor = bench.vendor.clone();
    let gas = ManagementFunction::ClearCredit(RegisterToClear::Units(Service::Gas));
    use TokenResult::*;
    for (name, data, expected) in [
        ("absent register", vendor.manage(100, gas), Accept),
        ("unknown control", vendor.manage(101, extended(1, 0)), RangeError),
        ("unknown flag", vendor.manage(101, extended(63, 12 << 1)), RangeError),
        ("reserved minute", vendor.credit(1441, 1), RangeError),
        ("expired key", vendor.credit(9 << 16, 1), Accept),
        ("other length", test_token(1, "0000", 1), FunctionError),
        ("no tariff rate", vendor.manage(103, ManagementFunction::SetTariffRate(1)), FunctionError),
    ] {
        assert_eq!(bench.result(data), expected, "{name}");
    }
    let mut bench = Bench::standard();
    let vendor = bench.vendor.clone();
    let token = vendor.manage(101, extended(1, 0));
    assert_eq!(bench.result(token), FunctionError, "unknown control, by default");
    assert_eq!(bench.result(vendor.credit(1441, 1)), Accept, "reserved minute, by default");
    assert_eq!(bench.result(vendor.credit(1441, 1)), UsedError);
}

#[test]
fn a_value_for_what_the_meter_does_not_have_is_a_function_error_before_old_and_used() {
    let limit = PowerLimit::from_watts(3_000).unwrap();
    let power = ManagementFunction::SetMaximumPowerLimit(limit);
    let unbalance = ManagementFunction::SetMaximumPhasePowerUnbalanceLimit(limit);
    let rate = ManagementFunction::SetTariffRate(7);
    let factor = ManagementFunction::SetWaterMeterFactor(7);
    let plain = sta_profile();
    let one_phase = Profile { phases: Phases::One, ..plain };
    let no_rates = Profile { tariff_register: false, ..plain };
    let water = Profile { services: Services::of(&[Service::Water]), ..plain };
    let both = Profile { services: Services::of(&[Service::Electricity, Service::Water]), ..plain };
    use TokenResult::{Accept, FunctionError};
    let all = [power, unbalance, rate, factor];
    for (name, profile, expected) in [
        ("electricity", plain, [Accept, Accept, Accept, FunctionError]),
        ("one phase", one_phase, [Accept, FunctionError, Accept, FunctionError]),
        ("no tariff register", no_rates, [Accept, Accept, FunctionError, FunctionError]),
        ("water", water, [FunctionError, FunctionError, Accept, Accept]),
        ("both", both, [Accept; 4]),
    ] {
        let mut bench = Bench::new(profile, unique_key(1));
        for (identifier, (function, expected)) in (100..).zip(all.into_iter().zip(expected)) {
            let token = bench.vendor.manage(identifier, function);
            assert_eq!(bench.result(token), expected, "{name}: {function:?}");
        }
        let mut accepting = profile;
        accepting.policy.absent_function = AbsentFunction::Accept;
        let mut bench = Bench::new(accepting, unique_key(1));
        for (identifier, function) in (100..).zip(all) {
            let token = bench.vendor.manage(identifier, function);
            assert_eq!(bench.result(token), Accept, "{name}, accepting: {function:?}");
        }
        assert_eq!(bench.meter.state().water_factor(), Some(7), "it is stored and shown");
    }

    // It is refused at the stage of the sub-class: an identifier that is old or used does not come first.
    let mut bench = Bench::made_at(plain, unique_key(1), 500);
    let vendor = bench.vendor.clone();
    assert_eq!(bench.result(vendor.manage(400, factor)), FunctionError, "old");
    assert_eq!(bench.result(vendor.manage(400, rate)), TokenResult::OldError);
    assert_eq!(bench.result(vendor.credit(600, 1)), Accept);
    assert_eq!(bench.result(vendor.manage(600, factor)), FunctionError, "used");
    assert_eq!(bench.result(vendor.manage(601, factor)), FunctionError);
    assert_eq!(bench.result(vendor.manage(601, rate)), Accept, "a refusal cancels no identifier");
}
