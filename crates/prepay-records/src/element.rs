//! From the scalars of a record to data elements: one function for each kind of field.
//!
//! Each takes the name of the field for its message, and each field has one error code, whether its value
//! has the wrong type, the wrong form or the wrong size.
//!
//! # Errors
//!
//! Every function answers [`RecordError`] with the code of its field.

#![allow(clippy::missing_errors_doc, reason = "said once above")]

use prepay_token::TokenData;
use prepay_token::element::{
    BaseDate, DecoderKeyGenerationAlgorithm, EncryptionAlgorithm, IssueTimeError, KeyExpiryNumber,
    KeyRevisionNumber, KeyType, ManufacturerCode, MeterPan, RandomNumber, SupplyGroupCode,
    TariffIndex, TokenCarrierType, TokenIdentifier, UtcMinute,
};
use prepay_token::key_change::SetSize;

use crate::decimal::{Decimal, DecimalError};
use crate::error::{RecordCode, RecordError};
use crate::json::Scalar;
use crate::pasted::{meter_number, not_a_token};
use crate::{decimal, time};

/// A field that may be there.
pub type Field<'a> = Option<Scalar<'a>>;

/// The error of a field whose value is not what it takes.
pub fn wrong(code: RecordCode, field: &str, expected: &str, found: &Scalar<'_>) -> RecordError {
    RecordError::new(code, format!("{field}: expected {expected}, found {found}"))
}

/// The value of a field that has to be there.
pub fn needed<T>(field: &str, value: Option<T>) -> Result<T, RecordError> {
    value.ok_or_else(|| RecordError::missing(field))
}

/// The text of a string, without repeating it in the message.
pub fn text<'r>(
    code: RecordCode,
    field: &str,
    expected: &str,
    value: &'r Scalar<'_>,
) -> Result<&'r str, RecordError> {
    match value {
        Scalar::Text(text) => Ok(text),
        found => Err(wrong(code, field, expected, found)),
    }
}

/// A whole number that some element accepts.
pub fn element<T, U>(
    code: RecordCode,
    field: &str,
    expected: &str,
    value: &Field<'_>,
) -> Result<Option<U>, RecordError>
where
    T: TryFrom<i64>,
    U: TryFrom<T>,
{
    let Some(value) = value else { return Ok(None) };
    match value {
        Scalar::Integer(number) => T::try_from(*number).ok().and_then(|n| U::try_from(n).ok()),
        _ => None,
    }
    .map(Some)
    .ok_or_else(|| wrong(code, field, expected, value))
}

/// A text that some element accepts.
pub fn parsed<T: std::str::FromStr>(
    code: RecordCode,
    field: &str,
    expected: &str,
    value: &Field<'_>,
) -> Result<Option<T>, RecordError> {
    let Some(value) = value else { return Ok(None) };
    match value {
        Scalar::Text(text) => text.parse().ok(),
        _ => None,
    }
    .map(Some)
    .ok_or_else(|| wrong(code, field, expected, value))
}

/// A whole number of `T` with a largest value.
pub fn number<T: TryFrom<i64> + PartialOrd + std::fmt::Display>(
    code: RecordCode,
    field: &str,
    largest: T,
    value: &Scalar<'_>,
) -> Result<T, RecordError> {
    let found = match value {
        Scalar::Integer(number) => T::try_from(*number).ok().filter(|number| *number <= largest),
        _ => None,
    };
    found.ok_or_else(|| wrong(code, field, &format!("a whole number from 0 to {largest}"), value))
}

/// The meter, with its check digits verified; see [`meter_number`].
pub fn pan(value: &Field<'_>) -> Result<Option<MeterPan>, RecordError> {
    let Some(value) = value else { return Ok(None) };
    let text = text(RecordCode::PanFormat, "pan", "11, 13 or 18 digits in a string", value)?;
    meter_number(text).map(Some)
}

/// The encryption algorithm.
pub fn ea(value: &Field<'_>) -> Result<Option<EncryptionAlgorithm>, RecordError> {
    parsed(RecordCode::AlgorithmCombination, "ea", "\"07\", \"09\" or \"11\"", value)
}

/// The key generation algorithm; 01 is refused with its reason.
pub fn dkga(
    field: &str,
    value: &Field<'_>,
) -> Result<Option<DecoderKeyGenerationAlgorithm>, RecordError> {
    let Some(value) = value else { return Ok(None) };
    let expected = "\"02\", \"03\" or \"04\"";
    let text = text(RecordCode::DkgaRefused, field, expected, value)?;
    let dkga = text.parse().map_err(|error| {
        RecordError::new(RecordCode::DkgaRefused, format!("{field}: {error}, found {value}"))
    })?;
    Ok(Some(dkga))
}

/// The supply group code.
pub fn sgc(field: &str, value: &Field<'_>) -> Result<Option<SupplyGroupCode>, RecordError> {
    parsed(RecordCode::SgcFormat, field, "six digits in a string", value)
}

/// The tariff index.
pub fn ti(field: &str, value: &Field<'_>) -> Result<Option<TariffIndex>, RecordError> {
    parsed(RecordCode::TiFormat, field, "two digits in a string", value)
}

/// The key revision number. An initialization key (KT 0) has none, and may say so with 0.
pub fn krn(
    field: &str,
    value: &Field<'_>,
    key_type: Option<KeyType>,
) -> Result<Option<KeyRevisionNumber>, RecordError> {
    if key_type == Some(KeyType::Initialization) && *value == Some(Scalar::Integer(0)) {
        return Ok(None);
    }
    element::<u8, _>(RecordCode::KrnRange, field, "a whole number from 1 to 9", value)
}

/// The key type.
pub fn kt(field: &str, value: &Field<'_>) -> Result<Option<KeyType>, RecordError> {
    element::<u8, _>(RecordCode::KtRange, field, "a whole number from 0 to 3", value)
}

/// The key expiry number; 255 if none is given.
pub fn ken(field: &str, value: &Field<'_>) -> Result<KeyExpiryNumber, RecordError> {
    let expected = "a whole number from 0 to 255";
    let ken = element::<u8, KeyExpiryNumber>(RecordCode::KenRange, field, expected, value)?;
    Ok(ken.unwrap_or(KeyExpiryNumber::NEVER))
}

/// The base date, by its year.
pub fn base_date(field: &str, value: &Field<'_>) -> Result<Option<BaseDate>, RecordError> {
    element::<u16, _>(RecordCode::BaseDateUnknown, field, "1993, 2014 or 2035", value)
}

/// The random number; 0 if none is given.
pub fn rnd(value: &Field<'_>) -> Result<RandomNumber, RecordError> {
    let expected = "a whole number from 0 to 15";
    let rnd = element::<u8, RandomNumber>(RecordCode::ValueRange, "rnd", expected, value)?;
    Ok(rnd.unwrap_or_default())
}

/// The token carrier type.
pub fn carrier(field: &str, value: &Field<'_>) -> Result<Option<TokenCarrierType>, RecordError> {
    parsed(RecordCode::ValueRange, field, "two digits in a string", value)
}

/// True or false.
pub fn flag(field: &str, value: &Field<'_>) -> Result<Option<bool>, RecordError> {
    match value {
        None => Ok(None),
        Some(Scalar::Boolean(value)) => Ok(Some(*value)),
        Some(found) => Err(wrong(RecordCode::ValueRange, field, "true or false", found)),
    }
}

/// The size of a set of key change tokens.
pub fn set_size(field: &str, value: &Field<'_>) -> Result<Option<SetSize>, RecordError> {
    Ok(Some(match value {
        None => return Ok(None),
        Some(Scalar::Integer(2)) => SetSize::Two,
        Some(Scalar::Integer(3)) => SetSize::Three,
        Some(Scalar::Integer(4)) => SetSize::Four,
        Some(found) => return Err(wrong(RecordCode::KctCount, field, "2, 3 or 4", found)),
    }))
}

/// A decimal number in a string, in units of its last place. More places are reported, not refused.
pub fn amount(
    field: &str,
    value: &Scalar<'_>,
    places: usize,
    largest: &str,
) -> Result<Decimal, RecordError> {
    let expected = "a decimal number in a string, as \"25.6\"";
    let text = text(RecordCode::AmountFormat, field, expected, value)?;
    decimal::parse(text, places).map_err(|error| match error {
        DecimalError::Format => wrong(RecordCode::AmountFormat, field, expected, value),
        DecimalError::TooLarge => wrong(RecordCode::AmountTooLarge, field, largest, value),
    })
}

/// The twenty digits of a token.
pub fn token_number(value: &Scalar<'_>) -> Result<TokenData, RecordError> {
    let text = text(RecordCode::NumberFormat, "number", "20 digits in a string", value)?;
    text.parse().map_err(|error| not_a_token(&error))
}

/// A token identifier given as it is.
pub fn tid(field: &str, value: &Scalar<'_>) -> Result<TokenIdentifier, RecordError> {
    let largest = TokenIdentifier::LARGEST.value();
    number(RecordCode::TidRange, field, largest, value).map(TokenIdentifier::from_low_bits)
}

/// A minute of UTC.
pub fn minute(field: &str, value: &Scalar<'_>) -> Result<UtcMinute, RecordError> {
    let minute = match value {
        Scalar::Text(text) => time::minute(text),
        _ => None,
    };
    minute.ok_or_else(|| wrong(RecordCode::ValueRange, field, time::EXPECTED, value))
}

/// When a token is issued, or a meter was made: a minute, or the identifier itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// A minute; with a base date it becomes an identifier.
    At(UtcMinute),
    /// The identifier, as it is.
    Identifier(TokenIdentifier),
}

impl When {
    /// Reads the two fields, of which one is given.
    pub fn read(
        (at_name, at): (&str, &Field<'_>),
        (tid_name, identifier): (&str, &Field<'_>),
    ) -> Result<Option<Self>, RecordError> {
        match (at, identifier) {
            (None, None) => Ok(None),
            (Some(value), None) => minute(at_name, value).map(Self::At).map(Some),
            (None, Some(value)) => tid(tid_name, value).map(Self::Identifier).map(Some),
            (Some(_), Some(_)) => {
                let message = format!("{tid_name}: give either {tid_name} or {at_name}, not both");
                Err(RecordError::new(RecordCode::UnknownField, message))
            }
        }
    }

    /// The identifier of an ordinary token: a minute leaves out the reserved ones, an identifier stays as it is.
    pub fn ordinary_identifier(
        self,
        field: &str,
        base_date: Option<BaseDate>,
    ) -> Result<TokenIdentifier, RecordError> {
        let identifier = self.identifier(field, base_date)?;
        Ok(match self {
            Self::At(_) => identifier.unreserved(),
            Self::Identifier(_) => identifier,
        })
    }

    /// The identifier; a minute becomes the whole minutes since the base date.
    pub fn identifier(
        self,
        field: &str,
        base_date: Option<BaseDate>,
    ) -> Result<TokenIdentifier, RecordError> {
        let minute = match self {
            Self::Identifier(identifier) => return Ok(identifier),
            Self::At(minute) => minute,
        };
        let base_date = base_date.ok_or_else(|| base_date_unknown(field))?;
        base_date.identifier_at(minute).map_err(|error| outside(field, minute, &error))
    }
}

/// The error of a minute outside the years of a base date: with its end or beginning, and the base date that covers
/// the minute if there is one.
fn outside(field: &str, minute: UtcMinute, error: &IssueTimeError) -> RecordError {
    let (bound, base_date, end) = match *error {
        IssueTimeError::BeforeBaseDate { base_date } => {
            ("not before", base_date, base_date.start())
        }
        IssueTimeError::AfterRange { base_date } => {
            ("at most", base_date, base_date.minute_of(TokenIdentifier::LARGEST))
        }
    };
    let right = BaseDate::ALL.into_iter().rev().find(|base| base.identifier_at(minute).is_ok());
    let right = right.map(|right| format!("; base date {right} covers that time"));
    let message = format!(
        "{field}: expected {bound} {} with base date {base_date}, found {}{}",
        time::Printed(end),
        time::Printed(minute),
        right.unwrap_or_default()
    );
    RecordError::new(error.into(), message)
}

/// The error of a time that no base date counts from.
pub fn base_date_unknown(field: &str) -> RecordError {
    let message = format!("{field}: the key has no base_date to count from");
    RecordError::new(RecordCode::BaseDateUnknown, message)
}

/// Refuses the first field that is given but not one of these.
pub fn no_others(
    given: impl IntoIterator<Item = &'static str>,
    [common, taken]: [&[&str]; 2],
    prefix: &str,
    owner: std::fmt::Arguments<'_>,
) -> Result<(), RecordError> {
    match given.into_iter().find(|field| !common.contains(field) && !taken.contains(field)) {
        Some(field) => {
            let message = format!("{prefix}{field}: {owner} has no such field");
            Err(RecordError::new(RecordCode::UnknownField, message))
        }
        None => Ok(()),
    }
}

/// A manufacturer code of two or four digits.
pub fn manufacturer(value: &Field<'_>) -> Result<ManufacturerCode, RecordError> {
    let expected = "two or four digits in a string";
    needed("token.mfr_code", parsed(RecordCode::MfrCodeFormat, "token.mfr_code", expected, value)?)
}
