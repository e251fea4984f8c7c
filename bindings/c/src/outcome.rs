//! The answer to a token as one flat record.
//!
//! ```text
//!  result 1                accepted: `effect` says what it did, and which fields count
//!  result 2, 3, 17, 18     a section of a new key is held: `waiting_for` says what is missing
//!  other results           refused: nothing has changed
//! ```
//!
//! The codes and names are those of the engine (`TokenResult`).

use core::ffi::{CStr, c_char};

use prepay_meter::{DisplayItem, Effect, Outcome, Register, TokenResult};
use prepay_token::key_change::Rollover;

use crate::memory::Engine;

/// The result of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs, reason = "the names are those of the standard, explained at `TokenResult`")]
pub enum PrepayResult {
    /// No token has been entered yet.
    None = 0,
    Accept = 1,
    FirstKct = 2,
    SecondKct = 3,
    OverflowError = 4,
    KeyTypeError = 5,
    FormatError = 6,
    RangeError = 7,
    FunctionError = 8,
    OldError = 9,
    UsedError = 10,
    KeyExpiredError = 11,
    DdtkError = 12,
    CrcError = 13,
    MfrCodeError = 14,
    Lockout = 15,
    NotReady = 16,
    ThirdKct = 17,
    FourthKct = 18,
}

/// What an accepted token did. In brackets: the fields of the outcome that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum PrepayEffect {
    /// Nothing: the token was not executed.
    None = 0,
    /// Units were added (service, identifier, value in tenths).
    Credited = 1,
    /// Money was added, or taken if negative (service, identifier, value in 10^-5 of the currency).
    CurrencyCredited = 2,
    /// The meter must carry out a test or display (items).
    Display = 3,
    /// A new maximum power limit applies (value in watts).
    PowerLimit = 4,
    /// A new limit of the difference between the phases applies (value in watts).
    PhaseUnbalanceLimit = 5,
    /// Credit was cleared (value is the register code of the token).
    CreditCleared = 6,
    /// The tariff rate was stored (value).
    TariffRate = 7,
    /// The water meter factor was stored (value).
    WaterFactor = 8,
    /// The tamper condition has ended.
    TamperCleared = 9,
    /// A flag was set or cleared (index, value 1 or 0).
    Flag = 10,
    /// A control was stored (index, value).
    Control = 11,
    /// A proprietary management token was executed (sub_class, value).
    Proprietary = 12,
    /// A proprietary test token was accepted (sub_class, value is the control field).
    ProprietaryTest = 13,
    /// The meter has a new key (value 1 if the token identifiers were forgotten).
    KeyChanged = 14,
    /// Something that this version of the library has no code for.
    Other = 255,
}

/// How many items an outcome has room for: a token can request at most 21.
pub const PREPAY_MOST_ITEMS: usize = 24;

/// Action item: open and close the load switch, or switches.
pub const PREPAY_ITEM_TEST_SWITCH: u16 = 0xFFF1;
/// Action item: exercise display, indicators and buzzer.
pub const PREPAY_ITEM_TEST_DISPLAY: u16 = 0xFFF2;
/// Action item: test the token input device.
pub const PREPAY_ITEM_TEST_INPUT: u16 = 0xFFF3;
/// The number of flag 0 of the extended token set; flag n has this number plus n.
pub const PREPAY_REGISTER_FLAG: u16 = 0xE000;
/// The number of control 0 of the extended token set; control n has this number plus n.
pub const PREPAY_REGISTER_CONTROL: u16 = 0xF000;

/// The answer to one token.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct PrepayOutcome {
    /// The result to report.
    pub result: PrepayResult,
    /// What the token did.
    pub effect: PrepayEffect,
    /// The service, 0 to 3.
    pub service: u8,
    /// The sub-class of a proprietary token.
    pub sub_class: u8,
    /// The sections of a new key that are still missing: bit n for section n, 1 to 4.
    pub waiting_for: u8,
    /// How many entries of `items` are used.
    pub item_count: u8,
    /// The index of a flag or control.
    pub index: u16,
    /// The identifier of the token.
    pub identifier: u32,
    /// The value; `effect` says what it means.
    pub value: i64,
    /// What to do and show, in this order: an action item, or the number of a register.
    pub items: [u16; PREPAY_MOST_ITEMS],
}

/// The name of a result in lower case, such as `used_error`; `none` if `result` is not a result. It is never
/// null.
#[unsafe(no_mangle)]
pub extern "C" fn prepay_result_name(result: u8) -> *const c_char {
    const NAMES: [&CStr; 19] = [
        c"none",
        c"accept",
        c"first_kct",
        c"second_kct",
        c"overflow_error",
        c"key_type_error",
        c"format_error",
        c"range_error",
        c"function_error",
        c"old_error",
        c"used_error",
        c"key_expired_error",
        c"ddtk_error",
        c"crc_error",
        c"mfr_code_error",
        c"lockout",
        c"not_ready",
        c"third_kct",
        c"fourth_kct",
    ];
    NAMES.get(usize::from(result)).unwrap_or(&NAMES[0]).as_ptr()
}

/// Saturates: no register of money gets that far.
pub(crate) fn narrow(value: i128) -> i64 {
    value.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

impl From<TokenResult> for PrepayResult {
    fn from(result: TokenResult) -> Self {
        match result {
            TokenResult::Accept => Self::Accept,
            TokenResult::FirstKct => Self::FirstKct,
            TokenResult::SecondKct => Self::SecondKct,
            TokenResult::OverflowError => Self::OverflowError,
            TokenResult::KeyTypeError => Self::KeyTypeError,
            TokenResult::FormatError => Self::FormatError,
            TokenResult::RangeError => Self::RangeError,
            TokenResult::FunctionError => Self::FunctionError,
            TokenResult::OldError => Self::OldError,
            TokenResult::UsedError => Self::UsedError,
            TokenResult::KeyExpiredError => Self::KeyExpiredError,
            TokenResult::DdtkError => Self::DdtkError,
            TokenResult::CrcError => Self::CrcError,
            TokenResult::MfrCodeError => Self::MfrCodeError,
            TokenResult::Lockout => Self::Lockout,
            TokenResult::NotReady => Self::NotReady,
            TokenResult::ThirdKct => Self::ThirdKct,
            TokenResult::FourthKct => Self::FourthKct,
        }
    }
}

impl PrepayOutcome {
    /// The answer of an engine.
    pub(crate) fn of(engine: &Engine, outcome: Outcome) -> Self {
        let mut answer = Self {
            result: outcome.result().into(),
            effect: PrepayEffect::None,
            service: 0,
            sub_class: 0,
            waiting_for: 0,
            item_count: 0,
            index: 0,
            identifier: 0,
            value: 0,
            items: [0; PREPAY_MOST_ITEMS],
        };
        match outcome {
            Outcome::Accepted(effect) => answer.take(engine, effect),
            Outcome::Waiting { waiting_for, .. } => {
                answer.waiting_for = waiting_for.iter().fold(0, |bits, number| bits | 1 << number);
            }
            Outcome::Refused(_) => {}
        }
        answer
    }

    fn take(&mut self, engine: &Engine, effect: Effect) {
        (self.effect, self.value) = match effect {
            Effect::Credited { service, identifier, tenths } => {
                (self.service, self.identifier) = (service.index(), identifier.value());
                (PrepayEffect::Credited, tenths.into())
            }
            Effect::CurrencyCredited { service, identifier, hundred_thousandths } => {
                (self.service, self.identifier) = (service.index(), identifier.value());
                (PrepayEffect::CurrencyCredited, narrow(hundred_thousandths))
            }
            Effect::Display(programme) => {
                for (place, item) in self.items.iter_mut().zip(engine.items(programme)) {
                    *place = number_of(item);
                    self.item_count += 1;
                }
                (PrepayEffect::Display, 0)
            }
            Effect::PowerLimit { watts } => (PrepayEffect::PowerLimit, watts.into()),
            Effect::PhaseUnbalanceLimit { watts } => {
                (PrepayEffect::PhaseUnbalanceLimit, watts.into())
            }
            Effect::CreditCleared(register) => {
                (PrepayEffect::CreditCleared, register.bits().into())
            }
            Effect::TariffRate(rate) => (PrepayEffect::TariffRate, rate.into()),
            Effect::WaterFactor(factor) => (PrepayEffect::WaterFactor, factor.into()),
            Effect::TamperCleared => (PrepayEffect::TamperCleared, 0),
            Effect::Flag { index, on } => {
                self.index = index;
                (PrepayEffect::Flag, on.into())
            }
            Effect::Control { index, value } => {
                self.index = index.into();
                (PrepayEffect::Control, value.into())
            }
            Effect::Proprietary { sub_class, value } => {
                self.sub_class = sub_class.value();
                (PrepayEffect::Proprietary, value.into())
            }
            Effect::ProprietaryTest { sub_class, control } => {
                self.sub_class = sub_class;
                (PrepayEffect::ProprietaryTest, narrow(control.into()))
            }
            Effect::KeyChanged(rollover) => {
                (PrepayEffect::KeyChanged, (rollover == Rollover::Forget).into())
            }
            _ => (PrepayEffect::Other, 0),
        };
    }
}

/// The number of an item; 0xFFFF for one that this version has no number for.
fn number_of(item: DisplayItem) -> u16 {
    match item {
        DisplayItem::TestLoadSwitch => PREPAY_ITEM_TEST_SWITCH,
        DisplayItem::TestDisplay => PREPAY_ITEM_TEST_DISPLAY,
        DisplayItem::TestTokenInput => PREPAY_ITEM_TEST_INPUT,
        DisplayItem::Show(Register::Flag(index)) => PREPAY_REGISTER_FLAG + index,
        DisplayItem::Show(Register::Control(index)) => PREPAY_REGISTER_CONTROL + u16::from(index),
        DisplayItem::Show(register) => register.row().map_or(u16::MAX, |row| row.number),
        _ => u16::MAX,
    }
}
