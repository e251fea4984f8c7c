//! What can be read from a meter: everything except its key.

use core::ffi::c_char;

use prepay_meter::{OpenReason, Register, RegisterValue, Switch, Warning};

use crate::memory::{self, Engine, PrepayMeter};
use crate::outcome::{PREPAY_REGISTER_CONTROL, PREPAY_REGISTER_FLAG, PrepayResult, narrow};
use crate::pointer;
use crate::profile::{PREPAY_NONE, service_of};
use crate::status::PrepayStatus;

/// Whether a service is on, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum PrepaySwitch {
    /// The service is on.
    Closed = 0,
    /// Cut off: the meter was tampered with.
    Tamper = 1,
    /// Cut off: flag 2 of the extended token set asks for it.
    Disconnected = 2,
    /// Cut off: the load was above the maximum power limit.
    PowerLimit = 3,
    /// Cut off: the difference between the phases was above its limit.
    PhaseUnbalance = 4,
    /// Cut off: the credit is used up.
    NoCredit = 5,
    /// Cut off for a reason that this version of the library has no code for.
    Other = 255,
}

/// What the customer is told about the credit of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum PrepayWarning {
    /// There is enough.
    None = 0,
    /// Little is left.
    Low = 1,
    /// Emergency credit is being used.
    Emergency = 2,
    /// Nothing is left.
    Exhausted = 3,
}

/// The state of a meter.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct PrepayState {
    /// Its number: eighteen digits, then NUL.
    pub pan: [c_char; 19],
    /// The encryption algorithm, 7, 9 or 11.
    pub algorithm: u8,
    /// The key type, 0 to 3.
    pub key_type: u8,
    /// The key revision, 1 to 9; 0 for an initialization key.
    pub key_revision: u8,
    /// The tariff index.
    pub tariff_index: u8,
    /// The key expiry number.
    pub key_expiry: u8,
    /// 1 in the tamper condition, otherwise 0.
    pub tamper: u8,
    /// The sections of a new key that are still missing: bit n for section n; 0 when none is held.
    pub waiting_for: u8,
    /// The result of the last token since the start.
    pub last_result: PrepayResult,
    /// The supply group, or `PREPAY_NONE` after a set of two key change tokens.
    pub supply_group: u32,
    /// The maximum power limit in watts, or `PREPAY_NONE`.
    pub power_limit_watts: u32,
    /// The limit of the difference between the phases in watts, or `PREPAY_NONE`.
    pub unbalance_limit_watts: u32,
    /// How many seconds the lockout still lasts; 0 when the meter is not locked.
    pub lockout_seconds: u64,
    /// The maker's registers.
    pub maker: [u16; 8],
}

/// The state of one service.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct PrepayServiceState {
    /// Credit in tenths of a unit.
    pub credit_tenths: i64,
    /// Credit in grains (3 600 000 per unit).
    pub credit_grains: i64,
    /// Credit in 10^-5 of the base currency unit.
    pub credit_money: i64,
    /// The total consumption, in grains.
    pub used_grains: u64,
    /// The switch.
    pub switch_state: PrepaySwitch,
    /// What the customer is told.
    pub warning: PrepayWarning,
    /// 1 if the customer has asked for emergency credit, otherwise 0.
    pub emergency: u8,
}

/// Reads the state of a meter.
///
/// # Safety
///
/// `meter` is memory for a `prepay_meter` that was zeroed before its first use, `state` memory for its type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prepay_meter_state(
    meter: *mut PrepayMeter,
    now_s: u64,
    state: *mut PrepayState,
) -> PrepayStatus {
    // SAFETY: the promise of the caller.
    let read = unsafe { memory::lend(meter, |engine| Ok(PrepayState::of(engine, now_s))) };
    // SAFETY: the same.
    PrepayStatus::of(read.and_then(|read| unsafe { pointer::put(state, read) }))
}

/// Reads the state of one service, 0 to 3.
///
/// # Safety
///
/// As for `prepay_meter_state`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prepay_meter_service(
    meter: *mut PrepayMeter,
    service: u8,
    state: *mut PrepayServiceState,
) -> PrepayStatus {
    let work = |engine: &mut Engine| PrepayServiceState::of(engine, service);
    // SAFETY: the promise of the caller.
    let read = unsafe { memory::lend(meter, work) };
    // SAFETY: the same.
    PrepayStatus::of(read.and_then(|read| unsafe { pointer::put(state, read) }))
}

/// Reads a numeric register: `number` is its number in the engine's table, or an item of an outcome.
///
/// # Safety
///
/// As for `prepay_meter_state`; `value` is memory for its type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prepay_meter_register(
    meter: *mut PrepayMeter,
    number: u16,
    now_s: u64,
    value: *mut i64,
) -> PrepayStatus {
    let work = |engine: &mut Engine| value_of(engine, number, now_s);
    // SAFETY: the promise of the caller.
    let read = unsafe { memory::lend(meter, work) };
    // SAFETY: the same.
    PrepayStatus::of(read.and_then(|read| unsafe { pointer::put(value, read) }))
}

fn value_of(engine: &Engine, number: u16, now_s: u64) -> Result<i64, PrepayStatus> {
    let register = match number.checked_sub(PREPAY_REGISTER_CONTROL) {
        Some(index) => Some(Register::Control(u8::try_from(index).unwrap_or(u8::MAX))),
        None => match number.checked_sub(PREPAY_REGISTER_FLAG) {
            Some(index) => Some(Register::Flag(index)),
            None => Register::with_number(number),
        },
    };
    match engine.register(register.ok_or(PrepayStatus::Absent)?, now_s) {
        RegisterValue::Absent => Err(PrepayStatus::Absent),
        RegisterValue::Number(number) => Ok(narrow(number)),
        RegisterValue::SupplyGroup(group) => Ok(group.value().into()),
        RegisterValue::Switch(switch) => Ok(PrepaySwitch::of(switch) as i64),
        RegisterValue::Result(result) => Ok(result.code().into()),
        _ => Err(PrepayStatus::NotNumber),
    }
}

impl PrepaySwitch {
    fn of(switch: Switch) -> Self {
        match switch {
            Switch::Closed => Self::Closed,
            Switch::Open(OpenReason::Tamper) => Self::Tamper,
            Switch::Open(OpenReason::Disconnected) => Self::Disconnected,
            Switch::Open(OpenReason::PowerLimit) => Self::PowerLimit,
            Switch::Open(OpenReason::PhaseUnbalance) => Self::PhaseUnbalance,
            Switch::Open(OpenReason::NoCredit) => Self::NoCredit,
            Switch::Open(_) => Self::Other,
        }
    }
}

impl PrepayState {
    fn of(engine: &mut Engine, now_s: u64) -> Self {
        let missing = engine.waiting_for(now_s);
        let state = engine.state();
        let mut pan = [0; 19];
        for (place, byte) in pan.iter_mut().zip(state.pan().ascii()) {
            *place = byte as c_char;
        }
        Self {
            pan,
            algorithm: state.algorithm().code(),
            key_type: state.key_type().value(),
            key_revision: state.key_revision().map_or(0, |revision| revision.value()),
            tariff_index: state.tariff_index().value(),
            key_expiry: state.expiry().value(),
            tamper: state.tamper().into(),
            waiting_for: missing.iter().fold(0, |bits, number| bits | 1 << number),
            last_result: engine.last_result().map_or(PrepayResult::None, PrepayResult::from),
            supply_group: state.supply_group().map_or(PREPAY_NONE, |group| group.value()),
            power_limit_watts: state.power_limit_watts().unwrap_or(PREPAY_NONE),
            unbalance_limit_watts: state.unbalance_limit_watts().unwrap_or(PREPAY_NONE),
            lockout_seconds: engine.lockout_seconds(now_s),
            maker: *state.maker(),
        }
    }
}

impl PrepayServiceState {
    fn of(engine: &Engine, service: u8) -> Result<Self, PrepayStatus> {
        let service = service_of(service)?;
        let register = engine.state().credit(service);
        Ok(Self {
            credit_tenths: register.tenths(),
            credit_grains: register.grains(),
            credit_money: narrow(register.money()),
            used_grains: register.used_grains(),
            switch_state: PrepaySwitch::of(engine.switch(service)),
            warning: match engine.warning(service) {
                Warning::None => PrepayWarning::None,
                Warning::Low => PrepayWarning::Low,
                Warning::Emergency => PrepayWarning::Emergency,
                Warning::Exhausted => PrepayWarning::Exhausted,
            },
            emergency: engine.state().emergency(service).into(),
        })
    }
}
