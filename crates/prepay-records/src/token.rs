//! Tokens as records: from the fields of `token` to an instruction, and back.
//!
//! The table of types and their fields is in the reference page of the format. A field that a type does
//! not take is refused by name.
//!
//! - Elsewhere: sections of a key change, whose record shows a part of a key (`prepay-lab`).

use std::borrow::Cow;

use prepay_token::element::{
    Amount, CurrencyAmount, ExtendedIndex, ExtendedValue, ManufacturerCode, PowerLimit,
    RegisterToClear, Service,
};
use prepay_token::{
    Instruction, ManagementFunction, MeterTest, MeterTestError, Token, TwoDigitManufacturer,
};
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::choice::{Choice, Named, needed_choice};
use crate::decimal::{self, Decimal};
use crate::element::{self, manufacturer, needed, no_others, number, text, wrong};
use crate::error::{RecordCode, RecordError};
use crate::json::{FieldValue, Scalar};
use crate::{choices, record};

choices! {
    /// The kinds of token that can be asked for, with the fields that each takes beside `type`.
    pub enum TokenKind ("the name of a token") {
        /// Credit in units.
        Credit = "credit" ["service", "amount"],
        /// Credit in money.
        CurrencyCredit = "currency_credit" ["service", "amount"],
        /// A test or display.
        Test = "test" ["control", "mfr_code", "sub_class"],
        /// Sets the power above which the load is switched off.
        SetMaximumPowerLimit = "set_maximum_power_limit" ["watts"],
        /// Takes away the credit of a register.
        ClearCredit = "clear_credit" ["register"],
        /// Sets the tariff rate.
        SetTariffRate = "set_tariff_rate" ["rate"],
        /// Ends the tamper condition.
        ClearTamperCondition = "clear_tamper_condition" [],
        /// Sets the allowed difference between the loads of the phases.
        SetMaximumPhasePowerUnbalanceLimit = "set_maximum_phase_power_unbalance_limit" ["watts"],
        /// Sets the water meter factor.
        SetWaterMeterFactor = "set_water_meter_factor" ["factor"],
        /// Sets a flag or a control.
        Extended = "extended" ["index", "value"],
        /// Shows a flag or a control.
        ExtendedRead = "extended_read" ["index", "mfr_code"],
        /// The maker's own function of management.
        Proprietary = "proprietary" ["sub_class", "value"],
    }
}

choices! {
    /// What to do with an amount that is finer than a token can carry.
    pub enum Rounding ("\"exact\" or \"up\"") {
        /// Refuse it.
        Exact = "exact" [],
        /// Use the next one in favour of the customer.
        Up = "up" [],
    }
}

record! {
    /// What a token is to do.
    pub TokenRecord (0),
    /// Which token.
    kind ("type"): Choice<'de, TokenKind>,
    /// The service.
    service ("service"): Scalar<'de>,
    /// The amount.
    amount ("amount"): Scalar<'de>,
    /// The control field.
    control ("control"): ControlBits<'de>,
    /// The manufacturer code.
    mfr_code ("mfr_code"): Scalar<'de>,
    /// The sub-class, where the type does not say it.
    sub_class ("sub_class"): Scalar<'de>,
    /// A power limit.
    watts ("watts"): Scalar<'de>,
    /// The register to clear.
    register ("register"): Scalar<'de>,
    /// The tariff rate.
    rate ("rate"): Scalar<'de>,
    /// The water meter factor.
    factor ("factor"): Scalar<'de>,
    /// The index of an extended value.
    index ("index"): Scalar<'de>,
    /// The value of an extended or proprietary token.
    value ("value"): Scalar<'de>,
}

/// The bits of a control field: hexadecimal digits and nothing else.
#[derive(Clone, Debug)]
pub enum ControlBits<'a> {
    /// The bits.
    Bits(u64),
    /// Something else, kept for the message.
    Other(Scalar<'a>),
}

impl<'a> From<Scalar<'a>> for ControlBits<'a> {
    fn from(value: Scalar<'a>) -> Self {
        let bits = match &value {
            Scalar::Text(text) if text.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                u64::from_str_radix(text, 16).ok()
            }
            _ => None,
        };
        bits.map_or(Self::Other(value), Self::Bits)
    }
}

impl<'de> FieldValue<'de> for ControlBits<'de> {
    fn fill<D: Deserializer<'de>>(
        field: &'static str,
        place: &mut Option<Self>,
        value: D,
    ) -> Result<Option<RecordError>, D::Error> {
        let mut scalar = None;
        let defect = Scalar::fill(field, &mut scalar, value)?;
        *place = scalar.map(Self::from);
        Ok(defect)
    }

    fn json(&self) -> Value {
        match self {
            Self::Bits(bits) => format!("{bits:x}").into(),
            Self::Other(scalar) => scalar.json(),
        }
    }
}

/// Reads the field `round`.
///
/// # Errors
///
/// [`RecordError`]: `value_range`.
pub fn rounding(value: &Option<Choice<'_, Rounding>>) -> Result<Rounding, RecordError> {
    let Some(value) = value else { return Ok(Rounding::Exact) };
    value.get(RecordCode::ValueRange, "round")
}

/// Reads what a token is to do.
///
/// # Errors
///
/// [`RecordError`] with the code of the field that is wrong.
pub fn instruction(
    record: &TokenRecord<'_>,
    rounding: Rounding,
) -> Result<Instruction, RecordError> {
    let kind = needed_choice(RecordCode::ValueRange, "token.type", &record.kind)?;
    let owner = format_args!("a token of type {}", kind.name());
    no_others(record.given(), [&["type"], kind.fields()], "token.", owner)?;
    let management = |function| Ok(Instruction::Management(function));
    match kind {
        TokenKind::Credit => {
            let (service, amount) = (service(record)?, amount(record, rounding)?);
            Ok(Instruction::Credit { service, amount })
        }
        TokenKind::CurrencyCredit => {
            let (service, amount) = (service(record)?, currency_amount(record, rounding)?);
            Ok(Instruction::CurrencyCredit { service, amount })
        }
        TokenKind::Test => meter_test(record).map(Instruction::Test),
        TokenKind::ExtendedRead => {
            let manufacturer = manufacturer(&record.mfr_code)?;
            Ok(Instruction::ExtendedRead {
                index: index(record)?,
                manufacturer: TwoDigitManufacturer::try_from(manufacturer).map_err(test_error)?,
            })
        }
        TokenKind::SetMaximumPowerLimit => {
            management(ManagementFunction::SetMaximumPowerLimit(watts(record)?))
        }
        TokenKind::ClearCredit => {
            let value = needed("token.register", record.register.as_ref())?;
            let register = match value {
                Scalar::Integer(number) => u16::try_from(*number)
                    .ok()
                    .and_then(|bits| RegisterToClear::try_from(bits).ok()),
                _ => None,
            };
            let register = register.ok_or_else(|| {
                wrong(RecordCode::RegisterRange, "token.register", "0 to 7 or 65535", value)
            })?;
            management(ManagementFunction::ClearCredit(register))
        }
        TokenKind::SetTariffRate => {
            management(ManagementFunction::SetTariffRate(sixteen_bits("rate", &record.rate)?))
        }
        TokenKind::ClearTamperCondition => management(ManagementFunction::ClearTamperCondition),
        TokenKind::SetMaximumPhasePowerUnbalanceLimit => {
            management(ManagementFunction::SetMaximumPhasePowerUnbalanceLimit(watts(record)?))
        }
        TokenKind::SetWaterMeterFactor => {
            let factor = sixteen_bits("factor", &record.factor)?;
            management(ManagementFunction::SetWaterMeterFactor(factor))
        }
        TokenKind::Extended => {
            let value = needed("token.value", record.value.as_ref())?;
            let value = number(RecordCode::ValueRange, "token.value", 1023, value)?;
            let value = ExtendedValue::new(index(record)?, value)
                .expect("a value up to 1023 is one of ten bits");
            management(ManagementFunction::Extended(value))
        }
        TokenKind::Proprietary => {
            let value = needed("token.sub_class", record.sub_class.as_ref())?;
            let sub_class = number(RecordCode::SubClassReserved, "token.sub_class", 15_u8, value)?;
            let sub_class = sub_class.try_into().map_err(|_| {
                wrong(RecordCode::SubClassReserved, "token.sub_class", "11 to 15", value)
            })?;
            let value = sixteen_bits("value", &record.value)?;
            management(ManagementFunction::Proprietary { sub_class, value })
        }
    }
}

fn service(record: &TokenRecord<'_>) -> Result<Service, RecordError> {
    const EXPECTED: &str = "electricity, water, gas or time";
    let value = needed("token.service", record.service.as_ref())?;
    let text = text(RecordCode::ValueRange, "token.service", EXPECTED, value)?;
    text.parse().map_err(|_| wrong(RecordCode::ValueRange, "token.service", EXPECTED, value))
}

/// How amounts of one kind are counted, and the largest that a token can carry, for messages.
struct Scale {
    places: usize,
    largest: u128,
}

const UNITS: Scale = Scale { places: 1, largest: Amount::LARGEST_TENTHS as u128 };
const MONEY: Scale = Scale { places: 5, largest: CurrencyAmount::LARGEST };

impl Scale {
    /// Reads `amount` as a decimal number, rounded or refused.
    fn read(&self, record: &TokenRecord<'_>, rounding: Rounding) -> Result<Decimal, RecordError> {
        let value = needed("token.amount", record.amount.as_ref())?;
        let decimal = element::amount("token.amount", value, self.places, &self.expected())?;
        if decimal.finer && rounding == Rounding::Exact {
            let digits = if self.places == 1 { "digit" } else { "digits" };
            let expected = format!("at most {} {digits} after the point", self.places);
            return Err(wrong(RecordCode::AmountTooFine, "token.amount", &expected, value));
        }
        Ok(decimal)
    }

    fn expected(&self) -> String {
        format!("at most {}", decimal::print(self.largest.cast_signed(), self.places))
    }

    fn too_large(&self, record: &TokenRecord<'_>) -> RecordError {
        let found = record.amount.clone().unwrap_or(Scalar::Null);
        wrong(RecordCode::AmountTooLarge, "token.amount", &self.expected(), &found)
    }
}

fn amount(record: &TokenRecord<'_>, rounding: Rounding) -> Result<Amount, RecordError> {
    if let Some(value @ Scalar::Text(text)) = &record.amount
        && decimal::parse(text, 1).is_ok_and(|decimal| decimal.negative)
    {
        let expected = "an amount of at least 0 units";
        return Err(wrong(RecordCode::AmountNegative, "token.amount", expected, value));
    }
    let decimal = UNITS.read(record, rounding)?;
    let tenths = decimal.magnitude.saturating_add(u128::from(decimal.finer));
    u32::try_from(tenths)
        .ok()
        .and_then(|tenths| Amount::from_tenths(tenths).ok())
        .ok_or_else(|| UNITS.too_large(record))
}

fn currency_amount(
    record: &TokenRecord<'_>,
    rounding: Rounding,
) -> Result<CurrencyAmount, RecordError> {
    let decimal = MONEY.read(record, rounding)?;
    let magnitude = i128::try_from(decimal.magnitude).map_err(|_| MONEY.too_large(record))?;
    // In favour of the customer: a credit goes up, a debit towards zero.
    let value = if decimal.negative {
        -magnitude
    } else {
        magnitude.saturating_add(i128::from(decimal.finer))
    };
    CurrencyAmount::from_hundred_thousandths(value).map_err(|_| MONEY.too_large(record))
}

fn watts(record: &TokenRecord<'_>) -> Result<PowerLimit, RecordError> {
    let value = needed("token.watts", record.watts.as_ref())?;
    let watts = number(RecordCode::ValueRange, "token.watts", PowerLimit::LARGEST_WATTS, value)?;
    Ok(PowerLimit::from_watts(watts).expect("the number is not above the largest limit"))
}

fn sixteen_bits(field: &str, value: &Option<Scalar<'_>>) -> Result<u16, RecordError> {
    let field = format!("token.{field}");
    number(RecordCode::ValueRange, &field, u16::MAX, needed(&field, value.as_ref())?)
}

fn index(record: &TokenRecord<'_>) -> Result<ExtendedIndex, RecordError> {
    let value = needed("token.index", record.index.as_ref())?;
    let index = number(RecordCode::ValueRange, "token.index", 63, value)?;
    Ok(ExtendedIndex::from_low_bits(index))
}

fn meter_test(record: &TokenRecord<'_>) -> Result<MeterTest, RecordError> {
    let manufacturer = manufacturer(&record.mfr_code)?;
    let bits = match needed("token.control", record.control.as_ref())? {
        ControlBits::Bits(bits) => *bits,
        ControlBits::Other(found) => {
            let expected = "hexadecimal digits without 0x in a string, of at most 36 bits";
            return Err(wrong(RecordCode::ControlRange, "token.control", expected, found));
        }
    };
    let sub_class = match &record.sub_class {
        Some(value) => number(RecordCode::SubClassReserved, "token.sub_class", 15, value)?,
        None => MeterTest::standard_sub_class(manufacturer),
    };
    MeterTest::new(sub_class, manufacturer, bits).map_err(test_error)
}

fn test_error(error: MeterTestError) -> RecordError {
    RecordError::new((&error).into(), format!("token: {error}"))
}

/// A name out of a list. Under a name of its own, so that reading an answer does not borrow it from the answer.
type Name = &'static str;

/// Declares the record of an opened token: all fields optional but the type.
macro_rules! opened {
    ($($(#[$doc:meta])* $field:ident: $type:ty,)*) => {
        /// A token as an answer shows it. Only the fields of its type are there.
        #[derive(Clone, Default, Deserialize, Serialize)]
        #[serde(default)]
        pub struct OpenedToken {
            /// Which token.
            #[serde(rename = "type", deserialize_with = "kind_of")]
            pub kind: Name,
            $($(#[$doc])* #[serde(skip_serializing_if = "Option::is_none")] pub $field: Option<$type>,)*
        }

        impl OpenedToken {
            /// The fields that are there beside the type, with their names.
            pub fn fields(&self) -> Vec<(&'static str, String)> {
                let mut fields = Vec::new();
                $(if let Some(value) = &self.$field {
                    fields.push((stringify!($field), value.to_string()));
                })*
                fields
            }
        }
    };
}

opened! {
    /// The service.
    #[serde(deserialize_with = "service_of")]
    service: Name,
    /// The coded amount.
    amount: String,
    /// The control field in hexadecimal.
    control: String,
    /// The manufacturer code.
    mfr_code: String,
    /// The sub-class, where the type does not say it.
    sub_class: u8,
    /// The coded limit.
    watts: u32,
    /// The register to clear.
    register: u16,
    /// The tariff rate.
    rate: u16,
    /// The water meter factor.
    factor: u16,
    /// The index of an extended value.
    index: u8,
    /// The value of an extended or proprietary token.
    value: u16,
    /// The high half of a key expiry number.
    ken_high: u8,
    /// The low half of a key expiry number.
    ken_low: u8,
    /// The key revision number; 0 for an initialization key.
    krn: u8,
    /// Whether identifiers are forgotten.
    rollover: bool,
    /// Whether the set has three tokens.
    three_kct: bool,
    /// The key type.
    kt: u8,
    /// The tariff index.
    ti: String,
    /// The supply group code.
    sgc: String,
    /// The high half of the supply group code.
    sgc_high: u16,
    /// The low half of the supply group code.
    sgc_low: u16,
    /// *NKHO* in hexadecimal.
    key_high: String,
    /// *NKLO* in hexadecimal.
    key_low: String,
    /// *NKMO1* in hexadecimal.
    key_middle_1: String,
    /// *NKMO2* in hexadecimal.
    key_middle_2: String,
}

/// A kind of token in an answer.
fn kind_of<'de, D: Deserializer<'de>>(value: D) -> Result<&'static str, D::Error> {
    let text = Cow::<str>::deserialize(value)?;
    Ok(TokenKind::named(&text).map_or("unknown", TokenKind::name))
}

/// A service in an answer.
fn service_of<'de, D: Deserializer<'de>>(value: D) -> Result<Option<&'static str>, D::Error> {
    let text = Cow::<str>::deserialize(value)?;
    text.parse::<Service>().map(|service| Some(service.name())).map_err(D::Error::custom)
}

impl std::fmt::Debug for OpenedToken {
    /// The type alone: a section of a key change holds a part of a key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OpenedToken({}, ..)", self.kind)
    }
}

/// The manufacturer code in its own number of digits.
fn code_text(code: ManufacturerCode) -> Option<String> {
    Some(code.to_string())
}

impl OpenedToken {
    /// The record of an instruction.
    pub fn of(instruction: &Instruction) -> Self {
        let none = Self::default();
        match instruction {
            Instruction::Credit { service, amount } => Self {
                kind: TokenKind::Credit.name(),
                service: Some(service.name()),
                amount: Some(amount.to_string()),
                ..none
            },
            Instruction::CurrencyCredit { service, amount } => Self {
                kind: TokenKind::CurrencyCredit.name(),
                service: Some(service.name()),
                amount: Some(amount.to_string()),
                ..none
            },
            Instruction::Test(test) => Self {
                kind: TokenKind::Test.name(),
                control: Some(format!("{:x}", test.control().bits())),
                mfr_code: code_text(test.manufacturer()),
                sub_class: test.is_proprietary().then_some(test.sub_class()),
                ..none
            },
            Instruction::ExtendedRead { index, manufacturer } => Self {
                kind: TokenKind::ExtendedRead.name(),
                index: Some(index.value()),
                mfr_code: code_text(manufacturer.code()),
                ..none
            },
            Instruction::Management(function) => Self::management(function),
            _ => Self { kind: "unknown", ..none },
        }
    }

    fn management(function: &ManagementFunction) -> Self {
        let none = Self::default();
        match *function {
            ManagementFunction::SetMaximumPowerLimit(limit) => Self {
                kind: TokenKind::SetMaximumPowerLimit.name(),
                watts: Some(limit.watts()),
                ..none
            },
            ManagementFunction::ClearCredit(register) => Self {
                kind: TokenKind::ClearCredit.name(),
                register: Some(register.bits()),
                ..none
            },
            ManagementFunction::SetTariffRate(rate) => {
                Self { kind: TokenKind::SetTariffRate.name(), rate: Some(rate), ..none }
            }
            ManagementFunction::ClearTamperCondition => {
                Self { kind: TokenKind::ClearTamperCondition.name(), ..none }
            }
            ManagementFunction::SetMaximumPhasePowerUnbalanceLimit(limit) => Self {
                kind: TokenKind::SetMaximumPhasePowerUnbalanceLimit.name(),
                watts: Some(limit.watts()),
                ..none
            },
            ManagementFunction::SetWaterMeterFactor(factor) => {
                Self { kind: TokenKind::SetWaterMeterFactor.name(), factor: Some(factor), ..none }
            }
            ManagementFunction::Extended(value) => Self {
                kind: TokenKind::Extended.name(),
                index: Some(value.index().value()),
                value: Some(value.value()),
                ..none
            },
            ManagementFunction::Proprietary { sub_class, value } => Self {
                kind: TokenKind::Proprietary.name(),
                sub_class: Some(sub_class.value()),
                value: Some(value),
                ..none
            },
            _ => Self { kind: "unknown", ..none },
        }
    }
}

/// The amount and the bits of a token that carries an exponent, for the answer to `issue`.
pub fn coded(token: &Token) -> (Option<String>, Option<u16>) {
    match token {
        Token::Credit { amount, .. } => (Some(amount.to_string()), Some(amount.bits())),
        Token::CurrencyCredit { amount, .. } => (Some(amount.to_string()), Some(amount.bits())),
        Token::Management { function, .. } => (None, Some(function.bits())),
        _ => (None, None),
    }
}
