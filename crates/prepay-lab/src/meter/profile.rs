//! Converts the fields of `new` into the profile of a meter: services, carriers and policy.
//!
//! Each member of `policy` has the name of the field of [`Policy`] that it sets. Members left out have the default of
//! [`Policy`].
//!
//! - Units: amounts are decimal strings in units of the service or of the currency.

use prepay_meter::{
    AbsentFunction, AbsentRegister, Carriers, CreditForm, CreditLevel, Functions, Lockout, Phases,
    Policy, Profile, ReservedIdentifiers, Services, TripRule, UnknownExtended,
};
use prepay_records::element::{self, Field, flag, number, wrong};
use prepay_records::json::Texts;
use prepay_records::{Raw, RecordCode, RecordError, Scalar};
use prepay_token::element::{EncryptionAlgorithm, Service, TokenCarrierType};
use prepay_token::key::{KeyTransitions, TransitionPermission};
use prepay_token::key_change::SetSize;

use super::record::{LockoutRecord, PolicyRecord, TripRecord};

/// The fields that make a profile.
#[derive(Clone, Copy)]
pub(super) struct Parts<'r, 'a> {
    pub(super) services: &'r Option<Texts>,
    pub(super) currency: &'r Field<'a>,
    pub(super) phases: &'r Field<'a>,
    pub(super) tariff_register: &'r Field<'a>,
    pub(super) kct: &'r Field<'a>,
    pub(super) tct: &'r Option<Texts>,
    pub(super) policy: Option<Raw<'a>>,
}

/// The profile of a meter with a key for this cipher.
pub(super) fn read(parts: Parts<'_, '_>, ea: EncryptionAlgorithm) -> Result<Profile, RecordError> {
    let mut profile = Profile::electricity(set_size(parts.kct, ea)?);
    if let Some(names) = parts.services {
        profile.services = services(names)?;
    }
    if flag("currency", parts.currency)?.unwrap_or(false) {
        profile.credit = CreditForm::Currency;
    }
    if let Some(value) = parts.phases {
        profile.phases = match value {
            Scalar::Integer(1) => Phases::One,
            Scalar::Integer(3) => Phases::Three,
            _ => return Err(wrong(RecordCode::ValueRange, "phases", "1 or 3", value)),
        };
    }
    if let Some(has_one) = flag("tariff_register", parts.tariff_register)? {
        profile.tariff_register = has_one;
    }
    if let Some(codes) = parts.tct {
        profile.carriers = carriers(codes)?;
    }
    if let Some(raw) = parts.policy {
        let record = PolicyRecord::read(raw.text());
        if let Some(defect) = &record.defect {
            return Err(defect.clone().of("policy"));
        }
        profile.policy = policy(&record, profile.credit)?;
    }
    Ok(profile)
}

/// By default sets of three for 64-bit keys, which include sets of two, and sets of four for 128-bit keys.
fn set_size(value: &Field<'_>, ea: EncryptionAlgorithm) -> Result<SetSize, RecordError> {
    let usual = if SetSize::Four.suits(ea) { SetSize::Four } else { SetSize::Three };
    let size = element::set_size("kct", value)?.unwrap_or(usual);
    if size.suits(ea) {
        return Ok(size);
    }
    let message = format!("kct: sets of {} do not suit encryption algorithm {ea}", size.count());
    Err(RecordError::new(RecordCode::KctCount, message))
}

fn services(names: &Texts) -> Result<Services, RecordError> {
    let expected = "a list of electricity, water, gas and time, at least one";
    let names = names.get("services", expected)?;
    let found: Option<Vec<Service>> = names.iter().map(|name| name.parse().ok()).collect();
    let is_repeated = (1..names.len()).any(|place| names[..place].contains(&names[place]));
    match found {
        Some(services) if !services.is_empty() && !is_repeated => Ok(Services::of(&services)),
        _ => Err(value_range("services", expected)),
    }
}

fn carriers(codes: &Texts) -> Result<Carriers, RecordError> {
    let expected = "a list of strings of two digits, at least one";
    let codes = codes.get("tct", expected)?;
    let found: Option<Vec<TokenCarrierType>> = codes.iter().map(|code| code.parse().ok()).collect();
    match found {
        Some(carriers) if !carriers.is_empty() => Ok(Carriers::of(&carriers)),
        _ => Err(value_range("tct", expected)),
    }
}

fn policy(record: &PolicyRecord<'_>, form: CreditForm) -> Result<Policy, RecordError> {
    let mut policy = Policy::default();
    if let Some(raw) = record.lockout {
        policy.lockout = lockout(raw)?;
    }
    if let Some(raw) = record.trip {
        policy.trip = trip(raw)?;
    }
    if let Some(rows) = &record.transitions {
        policy.transitions = transitions(rows)?;
    }
    if let Some(names) = &record.functions {
        policy.functions = functions(names)?;
    }
    if let Some(raw) = record.test_zero {
        policy.test_zero = test_zero(raw)?;
    }
    set(
        &mut policy.key_change_timeout_s,
        whole("policy.key_change_timeout_s", &record.key_change_timeout_s)?,
    );
    for (place, name, value) in [
        (&mut policy.two_token_sets, "policy.two_token_sets", &record.two_token_sets),
        (&mut policy.enforce_expiry, "policy.enforce_expiry", &record.enforce_expiry),
        (&mut policy.other_length_tests, "policy.other_length_tests", &record.other_length_tests),
        (&mut policy.flags_act, "policy.flags_act", &record.flags_act),
        (
            &mut policy.tamper_opens_switch,
            "policy.tamper_opens_switch",
            &record.tamper_opens_switch,
        ),
    ] {
        *place = flag(name, value)?.unwrap_or(*place);
    }
    let choices =
        [("like_others", ReservedIdentifiers::LikeOthers), ("refuse", ReservedIdentifiers::Refuse)];
    let field = "policy.reserved_identifiers";
    if let Some(choice) = choice(field, &choices, &record.reserved_identifiers)? {
        policy.reserved_identifiers = choice;
    }
    let choices = [
        ("function_error", AbsentRegister::FunctionError),
        ("range_error", AbsentRegister::RangeError),
        ("accept", AbsentRegister::Accept),
    ];
    if let Some(choice) = choice("policy.absent_register", &choices, &record.absent_register)? {
        policy.absent_register = choice;
    }
    let choices = [("refuse", AbsentFunction::Refuse), ("accept", AbsentFunction::Accept)];
    if let Some(choice) = choice("policy.absent_function", &choices, &record.absent_function)? {
        policy.absent_function = choice;
    }
    let choices = [
        ("function_error", UnknownExtended::FunctionError),
        ("range_error", UnknownExtended::RangeError),
    ];
    if let Some(choice) = choice("policy.unknown_extended", &choices, &record.unknown_extended)? {
        policy.unknown_extended = choice;
    }
    if let Some(value) = &record.unit_capacity {
        policy.unit_capacity_tenths =
            amount("policy.unit_capacity", value, UNIT_PLACES, u32::MAX.into())? as u32;
    }
    for (place, name, value) in [
        (&mut policy.currency_capacity, "policy.currency_capacity", &record.currency_capacity),
        (&mut policy.currency_debt, "policy.currency_debt", &record.currency_debt),
    ] {
        if let Some(value) = value {
            *place = amount(name, value, MONEY_PLACES, MOST_MONEY)?;
        }
    }
    for (place, name, value) in [
        (&mut policy.low_credit, "policy.low_credit", &record.low_credit),
        (&mut policy.emergency_credit, "policy.emergency_credit", &record.emergency_credit),
    ] {
        if let Some(value) = value {
            *place = level(name, value, form)?;
        }
    }
    if let Some(record) = &record.prices {
        let prices = [&record.electricity, &record.water, &record.gas, &record.time];
        let names = ["electricity", "water", "gas", "time"].into_iter();
        for ((place, price), name) in policy.prices.iter_mut().zip(prices).zip(names) {
            if let Some(price) = price {
                let name = format!("policy.prices.{name}");
                *place = amount(&name, price, MONEY_PLACES, u32::MAX.into())? as u32;
            }
        }
    }
    Ok(policy)
}

/// Tenths of a unit.
const UNIT_PLACES: usize = 1;
/// 10⁻⁵ of the base currency unit.
const MONEY_PLACES: usize = 5;
/// Far above any currency token, and far below the largest sum of a register.
const MOST_MONEY: u64 = i64::MAX as u64;

fn lockout(raw: Raw<'_>) -> Result<Option<Lockout>, RecordError> {
    let field = "policy.lockout";
    if let Some(is_on) = on_or_off(raw) {
        return Ok(is_on.then(Lockout::default));
    }
    let record = LockoutRecord::read(raw.text());
    if let Some(defect) = &record.defect {
        return Err(defect.clone().of(field));
    }
    let mut lockout = Lockout::default();
    let LockoutRecord { free_tries, base_s, factor, cap_s, reset_on_power, .. } = &record;
    set(&mut lockout.free_tries, whole("policy.lockout.free_tries", free_tries)?);
    set(&mut lockout.base_s, whole("policy.lockout.base_s", base_s)?);
    set(&mut lockout.factor, whole("policy.lockout.factor", factor)?);
    set(&mut lockout.cap_s, whole("policy.lockout.cap_s", cap_s)?);
    set(&mut lockout.reset_on_power, flag("policy.lockout.reset_on_power", reset_on_power)?);
    Ok(Some(lockout))
}

fn trip(raw: Raw<'_>) -> Result<Option<TripRule>, RecordError> {
    if let Some(is_on) = on_or_off(raw) {
        return Ok(is_on.then(TripRule::default));
    }
    let record = TripRecord::read(raw.text());
    if let Some(defect) = &record.defect {
        return Err(defect.clone().of("policy.trip"));
    }
    let mut rule = TripRule::default();
    let TripRecord { trip_after_s, reset_after_s, resets, forgive_after_s, .. } = &record;
    set(&mut rule.trip_after_s, whole("policy.trip.trip_after_s", trip_after_s)?);
    set(&mut rule.reset_after_s, whole("policy.trip.reset_after_s", reset_after_s)?);
    set(&mut rule.resets, whole("policy.trip.resets", resets)?);
    set(&mut rule.forgive_after_s, whole("policy.trip.forgive_after_s", forgive_after_s)?);
    Ok(Some(rule))
}

fn transitions(rows: &Texts) -> Result<KeyTransitions, RecordError> {
    let field = "policy.transitions";
    let expected = "four strings of four characters a, e or n";
    let rows = rows.get(field, expected)?;
    let row = |row: &String| -> Option<[TransitionPermission; 4]> {
        let permission = |character| match character {
            'a' => Some(TransitionPermission::Always),
            'e' => Some(TransitionPermission::ErasableCarrierOnly),
            'n' => Some(TransitionPermission::Never),
            _ => None,
        };
        row.chars().map(permission).collect::<Option<Vec<_>>>()?.try_into().ok()
    };
    let rows: Option<Vec<_>> = rows.iter().map(row).collect();
    let matrix = rows.and_then(|rows| rows.try_into().ok());
    matrix.map(KeyTransitions::new).ok_or_else(|| value_range(field, expected))
}

fn functions(names: &Texts) -> Result<Functions, RecordError> {
    let field = "policy.functions";
    let expected =
        "a list of power_limit, phase_unbalance_limit, tariff_rate, water_factor, extended";
    let names = names.get(field, expected)?;
    let mut functions = Functions {
        power_limit: false,
        phase_unbalance_limit: false,
        tariff_rate: false,
        water_factor: false,
        extended: false,
    };
    for name in names {
        match name.as_str() {
            "power_limit" => functions.power_limit = true,
            "phase_unbalance_limit" => functions.phase_unbalance_limit = true,
            "tariff_rate" => functions.tariff_rate = true,
            "water_factor" => functions.water_factor = true,
            "extended" => functions.extended = true,
            _ => return Err(value_range(field, expected)),
        }
    }
    Ok(functions)
}

fn test_zero(raw: Raw<'_>) -> Result<u64, RecordError> {
    let field = "policy.test_zero";
    let expected = "a list of test numbers from 1 to 36";
    raw.list::<u8>(field, expected)?.into_iter().try_fold(0, |bits, test| match test {
        1..=36 => Ok(bits | 1 << (test - 1)),
        _ => Err(value_range(field, expected)),
    })
}

/// A credit level, in the units or money that the meter counts; false for none.
fn level(
    field: &str,
    value: &Scalar<'_>,
    form: CreditForm,
) -> Result<Option<CreditLevel>, RecordError> {
    if *value == Scalar::Boolean(false) {
        return Ok(None);
    }
    let mut level = CreditLevel { tenths: 0, hundred_thousandths: 0 };
    match form {
        CreditForm::Units => {
            level.tenths = amount(field, value, UNIT_PLACES, i32::MAX as u64)? as u32;
        }
        CreditForm::Currency => {
            level.hundred_thousandths = amount(field, value, MONEY_PLACES, MOST_MONEY)?;
        }
    }
    Ok(Some(level))
}

/// A decimal amount, as an integer in units of its last place.
fn amount(field: &str, value: &Scalar<'_>, places: usize, most: u64) -> Result<u64, RecordError> {
    let largest = "an amount that the meter can count";
    let found = element::amount(field, value, places, largest)?;
    if found.negative {
        return Err(wrong(RecordCode::AmountNegative, field, "no negative amount", value));
    }
    if found.finer {
        let expected = format!("at most {places} decimal places");
        return Err(wrong(RecordCode::AmountTooFine, field, &expected, value));
    }
    let magnitude = u64::try_from(found.magnitude).ok().filter(|&found| found <= most);
    magnitude.ok_or_else(|| wrong(RecordCode::AmountTooLarge, field, largest, value))
}

fn on_or_off(raw: Raw<'_>) -> Option<bool> {
    match raw.text() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// Replaces the default by a value, if there is one.
fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

/// A whole number of a type.
fn whole<T>(field: &str, value: &Field<'_>) -> Result<Option<T>, RecordError>
where
    T: TryFrom<i64> + PartialOrd + std::fmt::Display + Largest,
{
    let Some(value) = value else { return Ok(None) };
    number(RecordCode::ValueRange, field, T::LARGEST, value).map(Some)
}

/// The largest value of an integer type.
trait Largest {
    const LARGEST: Self;
}

impl Largest for u8 {
    const LARGEST: Self = Self::MAX;
}

impl Largest for u32 {
    const LARGEST: Self = Self::MAX;
}

/// A choice by its name.
fn choice<T: Copy>(
    field: &str,
    choices: &[(&str, T)],
    value: &Field<'_>,
) -> Result<Option<T>, RecordError> {
    let Some(value) = value else { return Ok(None) };
    let found = choices.iter().find(|(name, _)| *value == Scalar::from(*name));
    found.map(|(_, choice)| Some(*choice)).ok_or_else(|| {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        wrong(RecordCode::ValueRange, field, &names.join(" or "), value)
    })
}

fn value_range(field: &str, expected: &str) -> RecordError {
    RecordError::new(RecordCode::ValueRange, format!("{field}: expected {expected}"))
}
