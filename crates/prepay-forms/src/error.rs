//! Why a text is no form.

use std::fmt;

use prepay_kmc::entity::UnknownCode;
use prepay_kmc::form::{SignedFormError, TAG, UnknownField};

use crate::MAX_JSON;

/// Why a text is no form.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonError {
    /// It is too long.
    Length {
        /// How many bytes were found.
        found: usize,
    },
    /// It is not UTF-8.
    NotText {
        /// The first byte that is not, from 0.
        at: usize,
    },
    /// It is not the JSON of a form.
    Json {
        /// What is wrong, and where.
        problem: String,
    },
    /// It is of another format.
    Format {
        /// The format that it names.
        found: String,
    },
    /// There is no such form.
    Kind(UnknownCode),
    /// The form has no such field.
    Field(UnknownField),
    /// The state is neither draft nor signed, or does not fit whether there is a signature.
    State {
        /// The state that it names.
        found: String,
        /// Whether there is a signature.
        has_signature: bool,
    },
    /// The moment of the signature is none.
    Signed {
        /// What was found.
        found: String,
    },
    /// The signed form is none: fields, key or signature.
    Form(SignedFormError),
    /// The signatory's name or fingerprint beside the key is not the key's.
    Name {
        /// The name or fingerprint of the key.
        expected: String,
        /// What was found.
        found: String,
    },
    /// The signed form is not written in the one way.
    NotCanonical {
        /// The first byte that differs, from 0.
        at: usize,
    },
}

prepay_basics::codes! {
    JsonError {
        Length = "size",
        NotText = "text",
        Json = "form_json",
        Format = "form_format",
        Kind = "form_kind",
        Field = "form_field",
        State = "form_state",
        Signed = "form_signed",
        Name = "form_name",
        NotCanonical = "form_not_canonical",
    } or { Form }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { found } => {
                write!(f, "no form: expected at most {MAX_JSON} bytes, found {found}")
            }
            Self::NotText { at } => {
                write!(f, "no form: expected UTF-8, found byte {at} to be none")
            }
            Self::Json { problem } => write!(f, "not the JSON of a form: {problem}"),
            Self::Format { found } => write!(f, "format: expected {TAG:?}, found {found:?}"),
            Self::Kind(error) => error.fmt(f),
            Self::Field(error) => error.fmt(f),
            Self::State { found, has_signature } => {
                let signature = if *has_signature { "with a" } else { "without" };
                write!(
                    f,
                    "state: expected \"draft\" without signature or \"signed\" with one, found {found:?} \
                     {signature} signature"
                )
            }
            Self::Signed { found } => {
                write!(f, "signed: expected a moment like 2026-03-01T13:55:00Z, found {found:?}")
            }
            Self::Form(error) => error.fmt(f),
            Self::Name { expected, found } => {
                write!(f, "signatory: expected {expected:?} for this key, found {found:?}")
            }
            Self::NotCanonical { at } => write!(
                f,
                "a signed form is read only as it was written: byte {at} differs, though the \
                 signature would be right"
            ),
        }
    }
}

impl std::error::Error for JsonError {}
