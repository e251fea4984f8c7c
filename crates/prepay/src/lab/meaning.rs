//! Fields and tokens in words.

use prepay_records::time::Printed;
use prepay_token::element::{
    BaseDate, CurrencyParts, ExtendedTarget, ExtendedValue, FLAGS, KeyType, ManufacturerCode,
    RegisterToClear, TEST_NAMES, TokenIdentifier,
};
use prepay_token::layout::FieldName;
use prepay_token::{ChecksumKind, Field, ManagementFunction, OpenError, Token, Trace};

use crate::paint::{RESULT, WRONG, styled};

/// What a field means.
pub(super) fn meaning(trace: &Trace, field: &Field, base_date: Option<BaseDate>) -> String {
    let value = field.value;
    let token = trace.result().as_ref().ok();
    match field.place.name {
        FieldName::Crc | FieldName::CrcC => match trace.checksum() {
            Some((kind, expected, found)) if expected == found => {
                let over =
                    if kind == ChecksumKind::CrcC { ", with a byte 01 appended" } else { "" };
                styled(RESULT, format_args!("right{over}"))
            }
            Some((_, expected, _)) => styled(WRONG, format_args!("wrong: expected {expected:04X}")),
            None => String::new(),
        },
        // With a wrong checksum the other fields mean nothing.
        _ if matches!(trace.result(), Err(OpenError::Checksum { .. })) => String::new(),
        FieldName::SubClass => match token {
            Some(Token::Credit { service, .. } | Token::CurrencyCredit { service, .. }) => {
                format!("{}: {service}", token.map_or("", Token::name))
            }
            token => token.map_or("", Token::name).to_owned(),
        },
        FieldName::Tid => match base_date {
            Some(base) => {
                let minute = base.minute_of(TokenIdentifier::from_low_bits(value as u32));
                format!("{value} minutes since {base}: {}", Printed(minute))
            }
            None => format!("{value} minutes since the base date"),
        },
        FieldName::Amount | FieldName::Mpl | FieldName::Mppul => {
            token.map(packed).unwrap_or_default()
        }
        FieldName::SignExponent => match token {
            Some(Token::CurrencyCredit { amount, .. }) => {
                let CurrencyParts { sign, exponent_high, .. } = amount.parts();
                format!("sign {sign}, high bits of e {exponent_high:03b}")
            }
            _ => String::new(),
        },
        FieldName::Control => token.map(tests).unwrap_or_default(),
        FieldName::MfrCode if value == 0 => "every manufacturer".to_owned(),
        FieldName::Register => u16::try_from(value)
            .ok()
            .and_then(|bits| RegisterToClear::try_from(bits).ok())
            .map_or_else(|| "reserved".to_owned(), |register| register.to_string()),
        FieldName::Extended => u16::try_from(value).map(extended).unwrap_or_default(),
        FieldName::Ro if value == 1 => "the meter forgets its token identifiers".to_owned(),
        FieldName::Ro => "token identifiers stay".to_owned(),
        FieldName::ThreeKct if value == 1 => "a third section follows".to_owned(),
        FieldName::ThreeKct => "not a set of three".to_owned(),
        FieldName::Kt => KeyType::try_from(value as u8)
            .map(|kt| kt.decoder_key_name().to_owned())
            .unwrap_or_default(),
        FieldName::Nkho | FieldName::Nklo | FieldName::Nkmo1 | FieldName::Nkmo2 => {
            "part of the new key".to_owned()
        }
        _ => value.to_string(),
    }
}

/// An amount or a limit as it is packed, and its value.
fn packed(token: &Token) -> String {
    let (e, m) = match token {
        Token::CurrencyCredit { amount: money, .. } => {
            let CurrencyParts { exponent_low, mantissa, .. } = money.parts();
            let amount = amount(token);
            return format!("low bits of e {exponent_low:02b}, m {mantissa}: {amount}");
        }
        Token::Credit { amount, .. } => amount.exponent_and_mantissa(),
        Token::Management { function, .. } => match function.limit() {
            Some(limit) => limit.exponent_and_mantissa(),
            None => return String::new(),
        },
        _ => return String::new(),
    };
    format!("e {e}, m {m}: {}", amount(token))
}

/// The amount of a token with its unit.
fn amount(token: &Token) -> String {
    match token {
        Token::Credit { service, amount, .. } => format!("{amount} {}", service.unit()),
        Token::CurrencyCredit { amount, .. } => format!("{amount} base currency units"),
        Token::Management { function, .. } => {
            function.limit().map(|limit| limit.to_string()).unwrap_or_default()
        }
        _ => String::new(),
    }
}

/// The tests that a display token asks for.
fn tests(token: &Token) -> String {
    let Token::Test(test) = token else { return String::new() };
    if test.is_proprietary() {
        return "the maker's own".to_owned();
    }
    let names = test.control().tests().map(|number| {
        let name = TEST_NAMES.get(usize::from(number)).unwrap_or(&"reserved");
        format!("test {number}, {name}")
    });
    let names: Vec<_> = names.collect();
    if names.is_empty() { "no test".to_owned() } else { names.join("; ") }
}

/// Whose meters take a token of class 1.
fn addressed(manufacturer: ManufacturerCode) -> String {
    match manufacturer.value() {
        0 => "for every meter".to_owned(),
        _ => format!("for meters of maker {manufacturer}"),
    }
}

/// What an extended value addresses.
fn extended(bits: u16) -> String {
    match ExtendedValue::from_bits(bits).target() {
        ExtendedTarget::Flag { index, on } => match FLAGS.get(usize::from(index)) {
            Some((name, set, clear)) => {
                format!("flag {index}, {name}: {}", if on { set } else { clear })
            }
            None => format!("flag {index}: {}", u8::from(on)),
        },
        ExtendedTarget::Control { index, value } => format!("control {index}: {value}"),
    }
}

/// A token in one sentence.
pub(crate) fn sentence(token: &Token, base_date: Option<BaseDate>) -> String {
    let what = match token {
        Token::Credit { service: of, .. } | Token::CurrencyCredit { service: of, .. } => {
            format!("credit: {} of {}", amount(token), of.name())
        }
        Token::Test(test) => format!("{}: {}", token.name(), {
            format!("{}, {}", tests(token), addressed(test.manufacturer()))
        }),
        Token::ExtendedRead { index, manufacturer } => {
            let whom = addressed(manufacturer.code());
            format!("read extended value {}, {whom}", index.value())
        }
        Token::Management { function, .. } => match function {
            ManagementFunction::ClearCredit(register) => format!("clear {register}"),
            ManagementFunction::Extended(value) => extended(value.bits()),
            ManagementFunction::SetMaximumPowerLimit(_)
            | ManagementFunction::SetMaximumPhasePowerUnbalanceLimit(_) => {
                format!("{} to {}", token.name(), amount(token))
            }
            ManagementFunction::ClearTamperCondition => token.name().to_owned(),
            function => format!("{} to {}", token.name(), function.bits()),
        },
        Token::KeyChange(section) => {
            format!("{}: section {} of a new key", section.name(), section.number())
        }
        _ => token.name().to_owned(),
    };
    match (token.identifier(), base_date) {
        (Some(identifier), Some(base)) => {
            format!("{what}, issued {}", Printed(base.minute_of(identifier)))
        }
        _ => what,
    }
}
