//! From the scalars of a request to data elements: one function a kind of field.
//!
//! Each takes the name of the field for its message, and each field has one error code, whether its value
//! has the wrong type, the wrong form or the wrong size.

use prepay_token::element::{
    BaseDate, DecoderKeyGenerationAlgorithm, EncryptionAlgorithm, KeyExpiryNumber,
    KeyRevisionNumber, KeyType, ManufacturerCode, MeterPan, ParseMeterNumberError, RandomNumber,
    SupplyGroupCode, TariffIndex, TokenIdentifier,
};

use crate::code::{ErrorCode, LabError};
use crate::record::Scalar;

type Field<'a> = Option<Scalar<'a>>;

/// The error of a field whose value is not what it takes.
pub(crate) fn wrong(code: ErrorCode, field: &str, expected: &str, found: &Scalar<'_>) -> LabError {
    LabError::new(code, format!("{field}: expected {expected}, found {found}"))
}

/// The value of a field that has to be there.
pub(crate) fn needed<T>(field: &str, value: Option<T>) -> Result<T, LabError> {
    value.ok_or_else(|| LabError::missing(field))
}

/// The text of a string, without repeating it in the message.
pub(crate) fn text<'r>(
    code: ErrorCode,
    field: &str,
    expected: &str,
    value: &'r Scalar<'_>,
) -> Result<&'r str, LabError> {
    match value {
        Scalar::Text(text) => Ok(text),
        found => Err(wrong(code, field, expected, found)),
    }
}

/// A whole number that some element accepts.
pub(crate) fn element<T, U>(
    code: ErrorCode,
    field: &str,
    expected: &str,
    value: &Field<'_>,
) -> Result<Option<U>, LabError>
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
pub(crate) fn parsed<T: std::str::FromStr>(
    code: ErrorCode,
    field: &str,
    expected: &str,
    value: &Field<'_>,
) -> Result<Option<T>, LabError> {
    let Some(value) = value else { return Ok(None) };
    match value {
        Scalar::Text(text) => text.parse().ok(),
        _ => None,
    }
    .map(Some)
    .ok_or_else(|| wrong(code, field, expected, value))
}

/// A whole number of `T` with a largest value.
pub(crate) fn number<T: TryFrom<i64> + PartialOrd + std::fmt::Display>(
    code: ErrorCode,
    field: &str,
    largest: T,
    value: &Scalar<'_>,
) -> Result<T, LabError> {
    let found = match value {
        Scalar::Integer(number) => T::try_from(*number).ok().filter(|number| *number <= largest),
        _ => None,
    };
    found.ok_or_else(|| wrong(code, field, &format!("a whole number from 0 to {largest}"), value))
}

/// The meter, with both check digits verified.
pub(crate) fn pan(value: &Field<'_>) -> Result<Option<MeterPan>, LabError> {
    let Some(value) = value else { return Ok(None) };
    let text = text(ErrorCode::PanFormat, "pan", "18 digits in a string", value)?;
    let pan = text.parse().map_err(|error: ParseMeterNumberError| {
        let code = match error {
            ParseMeterNumberError::DrnCheckDigit { .. } => ErrorCode::DrnCheckDigit,
            ParseMeterNumberError::PanCheckDigit { .. } => ErrorCode::PanCheckDigit,
            _ => ErrorCode::PanFormat,
        };
        LabError::new(code, format!("pan: {error}"))
    })?;
    Ok(Some(pan))
}

/// A meter number as the field `pan` of a request takes it.
///
/// # Errors
///
/// [`LabError`] with the code of what is wrong: form, inner or outer check digit.
pub fn meter_pan(text: &str) -> Result<MeterPan, LabError> {
    pan(&Some(Scalar::from(text)))?.ok_or_else(|| LabError::missing("pan"))
}

/// The encryption algorithm.
pub(crate) fn ea(value: &Field<'_>) -> Result<Option<EncryptionAlgorithm>, LabError> {
    parsed(ErrorCode::AlgorithmCombination, "ea", "\"07\", \"09\" or \"11\"", value)
}

/// The key generation algorithm; 01 is refused with its reason.
pub(crate) fn dkga(
    field: &str,
    value: &Field<'_>,
) -> Result<Option<DecoderKeyGenerationAlgorithm>, LabError> {
    let Some(value) = value else { return Ok(None) };
    let expected = "\"02\", \"03\" or \"04\"";
    let text = text(ErrorCode::DkgaRefused, field, expected, value)?;
    let dkga = text.parse().map_err(|error| {
        LabError::new(ErrorCode::DkgaRefused, format!("{field}: {error}, found {value}"))
    })?;
    Ok(Some(dkga))
}

/// The supply group code.
pub(crate) fn sgc(field: &str, value: &Field<'_>) -> Result<Option<SupplyGroupCode>, LabError> {
    parsed(ErrorCode::SgcFormat, field, "six digits in a string", value)
}

/// The tariff index.
pub(crate) fn ti(field: &str, value: &Field<'_>) -> Result<Option<TariffIndex>, LabError> {
    parsed(ErrorCode::TiFormat, field, "two digits in a string", value)
}

/// The key revision number. An initialization key (KT 0) has none, and may say so with 0.
pub(crate) fn krn(
    field: &str,
    value: &Field<'_>,
    key_type: Option<KeyType>,
) -> Result<Option<KeyRevisionNumber>, LabError> {
    if key_type == Some(KeyType::Initialization) && *value == Some(Scalar::Integer(0)) {
        return Ok(None);
    }
    element::<u8, _>(ErrorCode::KrnRange, field, "a whole number from 1 to 9", value)
}

/// The key type.
pub(crate) fn kt(field: &str, value: &Field<'_>) -> Result<Option<KeyType>, LabError> {
    element::<u8, _>(ErrorCode::KtRange, field, "a whole number from 0 to 3", value)
}

/// The key expiry number; 255 if none is given.
pub(crate) fn ken(field: &str, value: &Field<'_>) -> Result<KeyExpiryNumber, LabError> {
    let expected = "a whole number from 0 to 255";
    let ken = element::<u8, KeyExpiryNumber>(ErrorCode::KenRange, field, expected, value)?;
    Ok(ken.unwrap_or(KeyExpiryNumber::NEVER))
}

/// The base date, by its year.
pub(crate) fn base_date(field: &str, value: &Field<'_>) -> Result<Option<BaseDate>, LabError> {
    element::<u16, _>(ErrorCode::BaseDateUnknown, field, "1993, 2014 or 2035", value)
}

/// The random number; 0 if none is given.
pub(crate) fn rnd(value: &Field<'_>) -> Result<RandomNumber, LabError> {
    let expected = "a whole number from 0 to 15";
    let rnd = element::<u8, RandomNumber>(ErrorCode::ValueRange, "rnd", expected, value)?;
    Ok(rnd.unwrap_or_default())
}

/// A token identifier given as it is.
pub(crate) fn tid(value: &Scalar<'_>) -> Result<TokenIdentifier, LabError> {
    let largest = TokenIdentifier::LARGEST.value();
    number(ErrorCode::TidRange, "tid", largest, value).map(TokenIdentifier::from_low_bits)
}

/// A manufacturer code of two or four digits.
pub(crate) fn manufacturer(value: &Field<'_>) -> Result<ManufacturerCode, LabError> {
    let expected = "two or four digits in a string";
    needed("token.mfr_code", parsed(ErrorCode::MfrCodeFormat, "token.mfr_code", expected, value)?)
}
