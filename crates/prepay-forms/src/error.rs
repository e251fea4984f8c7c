//! Why a text is not a form.

use std::fmt;

use prepay_kmc::entity::UnknownCode;
use prepay_kmc::form::{SignedFormError, TAG, UnknownField};
use prepay_records::RecordError;

use crate::MAX_JSON;

/// Why a text is not a form.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonError {
    /// It is too long.
    Length {
        /// Its length in bytes.
        found: usize,
    },
    /// It is not UTF-8.
    NotText {
        /// The position of the first invalid byte, from 0.
        at: usize,
    },
    /// It is not the JSON of a form.
    Json {
        /// What is wrong, and where.
        problem: String,
    },
    /// It is in another format.
    Format {
        /// The format that it names.
        found: String,
    },
    /// There is no form of this kind.
    Kind(UnknownCode),
    /// The form has no such field.
    Field(UnknownField),
    /// The state is neither draft nor signed, or it contradicts the signature.
    State {
        /// The state that it names.
        found: String,
        /// Whether there is a signature.
        has_signature: bool,
    },
    /// A member beside the signature is invalid.
    Member {
        /// Its name.
        member: &'static str,
        /// What it takes.
        expected: &'static str,
        /// What was found.
        found: String,
    },
    /// The signed form is invalid: its fields, key or signature.
    Form(SignedFormError),
    /// The signatory's name or fingerprint does not match the key.
    Name {
        /// The key's own name or fingerprint.
        expected: String,
        /// What was found.
        found: String,
    },
    /// The signed form is valid, but not in its exact written form.
    NotCanonical {
        /// The position of the first byte that differs, from 0.
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
        Member = "form_signed",
        Name = "form_name",
        NotCanonical = "form_not_canonical",
    } or { Form }
}

impl From<RecordError> for JsonError {
    fn from(error: RecordError) -> Self {
        Self::Json { problem: error.message }
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { found } => {
                write!(f, "not a form: expected at most {MAX_JSON} bytes, found {found}")
            }
            Self::NotText { at } => {
                write!(f, "not a form: expected UTF-8, found an invalid byte at {at}")
            }
            Self::Json { problem } => write!(f, "not the JSON of a form: {problem}"),
            Self::Format { found } => write!(f, "format: expected {TAG:?}, found {found:?}"),
            Self::Kind(error) => error.fmt(f),
            Self::Field(error) => error.fmt(f),
            Self::State { found, has_signature } => {
                let signature = if *has_signature { "with a" } else { "without a" };
                write!(
                    f,
                    "state: expected \"draft\" without a signature or \"signed\" with one, found {found:?} \
                     {signature} signature"
                )
            }
            Self::Member { member, expected, found } => {
                write!(f, "{member}: expected {expected}, found {found:?}")
            }
            Self::Form(error) => error.fmt(f),
            Self::Name { expected, found } => {
                write!(f, "signatory: expected {expected:?} for this key, found {found:?}")
            }
            Self::NotCanonical { at } => write!(
                f,
                "signed form: expected the file exactly as it was written, found a difference at byte \
                 {at}; its contents and signature are valid"
            ),
        }
    }
}

impl std::error::Error for JsonError {}
