//! The answer to a record that cannot be read: a stable code for programs, a sentence for people.
//!
//! - Messages name the field, what was expected and what was found. They never repeat a key.

use std::fmt;

use prepay_token::element::{IssueTimeError, ParseMeterNumberError};
use prepay_token::{ElementProblem, MeterTestError, OpenError, TokenDataError};
use serde::{Deserialize, Serialize, Serializer};

use crate::explain::explain;

/// Declares the codes with their text once.
macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// Why a record cannot be read, or its request cannot be met. The texts are part of the formats and do not
        /// change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum RecordCode {
            $($(#[$doc])* $variant,)*
        }

        impl RecordCode {
            /// Every code, in the order of the reference page.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable text.
            pub const fn text(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}

codes! {
    /// Not one JSON object, a repeated field, or nesting that the format does not have.
    BadJson = "bad_json",
    /// A field that the format does not have, or that the operation or token has no use for.
    UnknownField = "unknown_field",
    /// A field that is needed is not there.
    MissingField = "missing_field",
    /// A meter number that is not 18 digits.
    PanFormat = "pan_format",
    /// The check digit of the whole meter number is wrong.
    PanCheckDigit = "pan_check_digit",
    /// The check digit of the decoder reference number is wrong.
    DrnCheckDigit = "drn_check_digit",
    /// A supply group code that is not six digits.
    SgcFormat = "sgc_format",
    /// A key revision number outside 1 to 9.
    KrnRange = "krn_range",
    /// A key type outside 0 to 3, or one that no vending key has.
    KtRange = "kt_range",
    /// A tariff index that is not two digits.
    TiFormat = "ti_format",
    /// A key expiry number outside 0 to 255.
    KenRange = "ken_range",
    /// A base date that is not one of the standard's, or that is needed and was not given.
    BaseDateUnknown = "base_date_unknown",
    /// A key that is not hexadecimal, or given in two forms at once.
    KeyFormat = "key_format",
    /// A key of a length that its algorithm does not take.
    KeyLength = "key_length",
    /// An encryption algorithm that is none, or that does not go with the key.
    AlgorithmCombination = "algorithm_combination",
    /// A key generation algorithm that is refused or unknown.
    DkgaRefused = "dkga_refused",
    /// A key type that may not carry the token or follow the other key.
    KtForbidden = "kt_forbidden",
    /// A number of key change tokens that does not suit the key.
    KctCount = "kct_count",
    /// An amount that is not a decimal number in a string.
    AmountFormat = "amount_format",
    /// A negative amount where units are credited.
    AmountNegative = "amount_negative",
    /// An amount finer than a token can carry, with rounding off.
    AmountTooFine = "amount_too_fine",
    /// An amount larger than a token can carry.
    AmountTooLarge = "amount_too_large",
    /// Any other value that is not one of its field.
    ValueRange = "value_range",
    /// A control field that is not hexadecimal or too wide.
    ControlRange = "control_range",
    /// A manufacturer code of the wrong form for its sub-class.
    MfrCodeFormat = "mfr_code_format",
    /// A credit register that is reserved.
    RegisterRange = "register_range",
    /// An issue time before the base date.
    IssueTimeBeforeBaseDate = "issue_time_before_base_date",
    /// A token identifier of more than 24 bits.
    TidRange = "tid_range",
    /// A token identifier beyond the key's expiry.
    KeyExpired = "key_expired",
    /// A token number that is not 20 digits.
    NumberFormat = "number_format",
    /// Twenty digits, but 2^66 or more.
    NotAToken = "not_a_token",
    /// The checksum is wrong: another key, or a mistyped digit.
    Crc = "crc",
    /// Class 3.
    ClassReserved = "class_reserved",
    /// A sub-class that is reserved or does not suit the token.
    SubClassReserved = "sub_class_reserved",
}

/// A record that cannot be read, or whose request cannot be met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordError {
    /// For programs.
    pub code: RecordCode,
    /// For people: the field, what was expected and what was found.
    pub message: String,
}

impl RecordError {
    /// An error with its sentence.
    pub fn new(code: RecordCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The stable code.
    pub const fn code(&self) -> &'static str {
        self.code.text()
    }

    /// The same error, of something inside a field.
    #[must_use]
    pub fn of(mut self, field: &str) -> Self {
        self.message.insert_str(0, ": ");
        self.message.insert_str(0, field);
        self
    }

    /// A field that is needed is not there.
    pub fn missing(field: &str) -> Self {
        Self::new(RecordCode::MissingField, format!("{field} is missing"))
    }
}

impl fmt::Display for RecordCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for RecordError {}

/// An error as every door answers it: the object in the member `error`.
#[derive(Clone, Debug, Serialize)]
pub struct ErrorBody<'a> {
    /// For programs: stable.
    pub code: &'a str,
    /// For people: what was expected and what was found.
    pub message: &'a str,
    /// What to do next, where there is something to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<&'a str>,
    /// The status of STS 600-8-6, where the error has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'a str>,
    /// The token identifier to ask for instead, where the error is that one was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free: Option<FreeIdentifier>,
}

/// A token identifier that is free, with its minute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreeIdentifier {
    /// The identifier.
    pub tid: u32,
    /// Its minute, such as `2026-03-01T13:55Z`.
    pub issued_at: String,
}

/// A line that failed, after its `id`.
#[derive(Clone, Debug, Serialize)]
pub struct ErrorRecord<'a> {
    /// What failed.
    pub error: ErrorBody<'a>,
}

impl<'a> ErrorRecord<'a> {
    /// An error with nothing but its code and its sentence.
    pub const fn new(code: &'a str, message: &'a str) -> Self {
        Self { error: ErrorBody { code, message, next: None, status: None, free: None } }
    }
}

impl Serialize for RecordError {
    /// The code, the sentence and what to do next, as in the member `error`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let next = explain(self.code()).map(|row| row.next);
        ErrorBody { next, ..ErrorRecord::from(self).error }.serialize(serializer)
    }
}

impl<'a> From<&'a RecordError> for ErrorRecord<'a> {
    fn from(error: &'a RecordError) -> Self {
        Self::new(error.code.text(), &error.message)
    }
}

/// An answer with the mark of a test installation, whose tokens and keys are not for real meters.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Marked<A> {
    /// Whether a test installation gives it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub test: bool,
    /// The answer.
    #[serde(flatten)]
    pub answer: A,
}

impl From<&ParseMeterNumberError> for RecordCode {
    fn from(error: &ParseMeterNumberError) -> Self {
        match error {
            ParseMeterNumberError::DrnCheckDigit { .. } => Self::DrnCheckDigit,
            ParseMeterNumberError::PanCheckDigit { .. } => Self::PanCheckDigit,
            _ => Self::PanFormat,
        }
    }
}

impl From<&TokenDataError> for RecordCode {
    fn from(error: &TokenDataError) -> Self {
        match error {
            TokenDataError::TooLarge => Self::NotAToken,
            TokenDataError::Length { .. } | TokenDataError::NotDigit { .. } => Self::NumberFormat,
        }
    }
}

impl From<&IssueTimeError> for RecordCode {
    fn from(error: &IssueTimeError) -> Self {
        match error {
            IssueTimeError::BeforeBaseDate { .. } => Self::IssueTimeBeforeBaseDate,
            IssueTimeError::AfterRange { .. } => Self::TidRange,
        }
    }
}

impl From<&MeterTestError> for RecordCode {
    fn from(error: &MeterTestError) -> Self {
        match error {
            MeterTestError::SubClass { .. } => Self::SubClassReserved,
            MeterTestError::ManufacturerCode { .. } => Self::MfrCodeFormat,
            MeterTestError::Control(_) => Self::ControlRange,
        }
    }
}

impl From<OpenError> for RecordError {
    /// The refusal of a token that does not open.
    fn from(error: OpenError) -> Self {
        let code = match error {
            OpenError::ReservedClass => RecordCode::ClassReserved,
            OpenError::Checksum { .. } => RecordCode::Crc,
            OpenError::ReservedSubClass { .. } => RecordCode::SubClassReserved,
            OpenError::KeyNeeded { .. } => RecordCode::MissingField,
            OpenError::Element { problem, .. } => match problem {
                ElementProblem::ManufacturerCode(_) => RecordCode::MfrCodeFormat,
                ElementProblem::Control(_) => RecordCode::ControlRange,
                ElementProblem::Register(_) => RecordCode::RegisterRange,
                ElementProblem::KeyRevision(_) => RecordCode::KrnRange,
                ElementProblem::TariffIndex(_) => RecordCode::TiFormat,
                ElementProblem::SupplyGroup(_) => RecordCode::SgcFormat,
                _ => RecordCode::ValueRange,
            },
            _ => RecordCode::ValueRange,
        };
        Self::new(code, format!("number: {error}"))
    }
}
