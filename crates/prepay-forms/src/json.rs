//! Forms as JSON.

use prepay_kmc::form::{
    Addressee, Draft, EARLIER_TAG, FormState, Signature, SignedForm, SignedFormError, TAG,
};

use prepay_records::element::{Field, needed, text as text_of};
use prepay_records::{RecordCode, RecordError};

use crate::JsonError;
use crate::record::{FormFields, FormRecord, Pairs, SignatureFields, SignatureRecord};

/// The greatest length of the JSON of a form, in bytes.
pub const MAX_JSON: usize = 192 * 1024;

/// A form in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    /// Still being filled in; may contain anything.
    Draft(Draft),
    /// Signed, with a signature that is valid for the key in it.
    Signed(SignedForm),
}

impl Document {
    /// The fields and their values.
    pub const fn draft(&self) -> &Draft {
        match self {
            Self::Draft(draft) => draft,
            Self::Signed(form) => form.form().draft(),
        }
    }

    /// The signed form, if it is one.
    pub const fn signed(&self) -> Option<&SignedForm> {
        match self {
            Self::Draft(_) => None,
            Self::Signed(form) => Some(form),
        }
    }
}

/// Reads a form, from text or from the bytes of a file.
///
/// # Errors
///
/// [`JsonError`]. A draft with faults is read: [`Draft::faults`] lists them.
pub fn read(bytes: impl AsRef<[u8]>) -> Result<Document, JsonError> {
    let bytes = bytes.as_ref();
    if bytes.len() > MAX_JSON {
        return Err(JsonError::Length { found: bytes.len() });
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|error| JsonError::NotText { at: error.valid_up_to() })?;
    read_text(text)
}

fn read_text(text: &str) -> Result<Document, JsonError> {
    let record = FormFields::read(text);
    if let Some(defect) = record.defect {
        return Err(defect.into());
    }
    let format = string("format", &record.format)?;
    if format == EARLIER_TAG {
        return Err(JsonError::Form(SignedFormError::Edition));
    }
    if format != TAG {
        return Err(JsonError::Format { found: format.to_owned() });
    }
    let form = string("form", &record.form)?;
    let state = string("state", &record.state)?;
    let mut draft = Draft::new(form.parse().map_err(JsonError::Kind)?);
    for (name, value) in &needed("fields", record.fields)?.0 {
        draft.set(name, value).map_err(JsonError::Field)?;
    }
    match (state.parse::<FormState>().ok(), &record.signature) {
        (Some(FormState::Draft), None) => Ok(Document::Draft(draft)),
        (Some(FormState::Signed), Some(signature)) => {
            let document = Document::Signed(join(draft, signature)?);
            let written = write(&document);
            let differs = written.bytes().zip(text.bytes()).position(|(a, b)| a != b);
            if written == text {
                Ok(document)
            } else {
                let at = differs.unwrap_or(written.len().min(text.len()));
                Err(JsonError::NotCanonical { at })
            }
        }
        (_, signature) => {
            let has_signature = signature.is_some();
            Err(JsonError::State { found: state.to_owned(), has_signature })
        }
    }
}

/// Joins a form and its signature.
fn join(draft: Draft, record: &SignatureFields<'_>) -> Result<SignedForm, JsonError> {
    let signatory = string("signature.signatory", &record.signatory)?;
    let fingerprint = string("signature.fingerprint", &record.fingerprint)?;
    let key = string("signature.key", &record.key)?;
    let signature = string("signature.signature", &record.signature)?;
    let signed = value("signature.signed", A_TIME, &record.signed, parsed)?;
    let addressee = Addressee {
        centre: value("signature.centre", "the name of a centre", &record.centre, parsed)?,
        fingerprint: value(
            "signature.centre_fingerprint",
            "32 hexadecimal digits in groups of four, upper case",
            &record.centre_fingerprint,
            parsed,
        )?,
        is_test: value(
            "signature.purpose",
            "real or test",
            &record.purpose,
            Addressee::read_purpose,
        )?,
        expires: value("signature.expires", A_TIME, &record.expires, parsed)?,
    };
    let signature =
        Signature::from_hex(key, signed, addressee, signature).map_err(JsonError::Form)?;
    let stated = [
        (signature.key().name().to_string(), signatory),
        (signature.key().fingerprint().to_string(), fingerprint),
    ];
    for (expected, found) in stated {
        if expected != found {
            return Err(JsonError::Name { expected, found: found.to_owned() });
        }
    }
    SignedForm::join(draft, signature).map_err(JsonError::Form)
}

const A_TIME: &str = "a time like 2026-03-01T13:55:00Z";

/// The value of a member of the signature.
fn value<T>(
    member: &'static str,
    expected: &'static str,
    field: &Field<'_>,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<T, JsonError> {
    let text = string(member, field)?;
    read(text).ok_or_else(|| JsonError::Member { member, expected, found: text.to_owned() })
}

fn parsed<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

/// The text of a required field.
fn string<'r>(name: &str, field: &'r Field<'_>) -> Result<&'r str, RecordError> {
    text_of(RecordCode::BadJson, name, "a string", needed(name, field.as_ref())?)
}

/// Writes a form in its exact form: fields in the order of the schema, two spaces per level, a final line end.
pub fn write(document: &Document) -> String {
    text(&record(document))
}

/// The record of a form.
pub(crate) fn record(document: &Document) -> FormRecord {
    let draft = document.draft();
    let fields = draft.values().map(|(field, value)| (field.name.to_owned(), value.to_owned()));
    let signed = document.signed();
    let state = if signed.is_some() { FormState::Signed } else { FormState::Draft };
    FormRecord {
        format: TAG,
        form: draft.kind().code(),
        state: state.code(),
        fields: Pairs(fields.collect()),
        signature: signed.map(|form| {
            let signature = form.signature();
            let addressee = signature.addressee();
            SignatureRecord {
                signatory: signature.key().name().to_string(),
                fingerprint: signature.key().fingerprint().to_string(),
                key: signature.key_hex(),
                centre: addressee.centre.to_string(),
                centre_fingerprint: addressee.fingerprint.to_string(),
                purpose: addressee.purpose(),
                signed: signature.signed().to_string(),
                expires: addressee.expires.to_string(),
                signature: signature.hex(),
            }
        }),
    }
}

/// JSON with two spaces per level and a final line end.
pub(crate) fn text(record: &impl serde::Serialize) -> String {
    let mut text = serde_json::to_string_pretty(record).expect("strings and numbers are JSON");
    text.push('\n');
    text
}
