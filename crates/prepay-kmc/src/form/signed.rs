//! A form with a signature that is right for the key in it.

use std::fmt;

use prepay_basics::Moment;
use prepay_kmp::open_kmp::{Signatory, SignatoryKey};
use sha2::{Digest, Sha384};

use super::text::{Reader, write_fields, write_item};
use super::{CheckedForm, Draft, Faults, FormKind, MAX_TEXT, TAG, TextError};

/// A form that is signed. Nothing in it may change.
///
/// The signature is right for the key in the form. Whose key that is, the centre knows from its register of
/// signatories, or for a new customer from the fingerprint that people compare.
#[derive(Clone)]
pub struct SignedForm {
    form: CheckedForm,
    signature: Signature, // Invariant: verifies over the text of `form`.
}

/// Who signed a form, and when.
#[derive(Clone)]
pub struct Signature {
    key: SignatoryKey,
    signed: Moment,
    bytes: Vec<u8>,
}

/// Why a signed form is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedFormError {
    /// Fields are missing or wrong.
    Faults(Faults),
    /// The text is not canonical.
    Text(TextError),
    /// The key in it is no public key of a signatory.
    Key,
    /// The signature is not the key's signature of this text.
    Signature,
}

impl Signature {
    /// A signature as it was carried; whether it is right shows with the form.
    pub const fn new(key: SignatoryKey, signed: Moment, bytes: Vec<u8>) -> Self {
        Self { key, signed, bytes }
    }

    /// Reads the key and the signature from hexadecimal digits, upper case.
    ///
    /// # Errors
    ///
    /// [`SignedFormError::Key`], [`SignedFormError::Signature`].
    pub fn from_hex(key: &str, signed: Moment, bytes: &str) -> Result<Self, SignedFormError> {
        let key = read_key(key).ok_or(SignedFormError::Key)?;
        let bytes = read_hex(bytes).ok_or(SignedFormError::Signature)?;
        Ok(Self { key, signed, bytes })
    }

    /// The signatory's public key.
    pub const fn key(&self) -> &SignatoryKey {
        &self.key
    }

    /// The key as hexadecimal digits.
    pub fn key_hex(&self) -> String {
        key_text(&self.key)
    }

    /// When the form was signed, as the signatory tells it.
    pub const fn signed(&self) -> Moment {
        self.signed
    }

    /// The signature as hexadecimal digits.
    pub fn hex(&self) -> String {
        hex(&self.bytes)
    }
}

/// A public key of a signatory as a centre keeps it: hexadecimal digits, upper case.
pub fn key_text(key: &SignatoryKey) -> String {
    hex(&key.encode())
}

/// The key behind [`key_text`], if it is one.
fn read_key(text: &str) -> Option<SignatoryKey> {
    SignatoryKey::decode(&read_hex(text)?).ok().filter(|key| key_text(key) == text)
}

/// What is signed.
fn signed_text(form: &CheckedForm, key: &SignatoryKey, signed: Moment) -> String {
    let mut text = write_fields(form.draft());
    write_item(&mut text, "key", &key_text(key));
    write_item(&mut text, "signed", &signed.to_string());
    text
}

impl SignedForm {
    /// Signs a form.
    ///
    /// # Errors
    ///
    /// [`SignedFormError::Text`] when the form is too long.
    pub fn sign(
        form: CheckedForm,
        signatory: &Signatory,
        now: Moment,
    ) -> Result<Self, SignedFormError> {
        let text = signed_text(&form, signatory.key(), now);
        let bytes = signatory.sign_document(TAG, text.as_bytes()).to_vec();
        let signature = Signature { key: signatory.key().clone(), signed: now, bytes };
        let signed = Self { form, signature };
        let length = signed.text().len();
        if length > MAX_TEXT {
            return Err(SignedFormError::Text(TextError::Length { found: length }));
        }
        Ok(signed)
    }

    /// Puts a form and its signature together.
    ///
    /// # Errors
    ///
    /// [`SignedFormError`] when fields are wrong, when it is too long, or when the signature is not right.
    pub fn join(draft: Draft, signature: Signature) -> Result<Self, SignedFormError> {
        let form = draft.check().map_err(SignedFormError::Faults)?;
        let text = signed_text(&form, &signature.key, signature.signed);
        let verified = signature.key.verify_document(TAG, text.as_bytes(), &signature.bytes);
        verified.map_err(|_| SignedFormError::Signature)?;
        let signed = Self { form, signature };
        let length = signed.text().len();
        if length > MAX_TEXT {
            return Err(SignedFormError::Text(TextError::Length { found: length }));
        }
        Ok(signed)
    }

    /// Reads a canonical text.
    ///
    /// # Errors
    ///
    /// [`SignedFormError`].
    pub fn from_text(text: &str) -> Result<Self, SignedFormError> {
        let (draft, key, signed, signature) = items(text).map_err(SignedFormError::Text)?;
        let form = Self::join(draft, Signature::from_hex(key, signed, signature)?)?;
        debug_assert_eq!(form.text(), text, "the reader takes what the writer writes");
        Ok(form)
    }

    /// The canonical text, signature included.
    pub fn text(&self) -> String {
        let mut text = self.signed_text();
        write_item(&mut text, "signature", &self.signature.hex());
        text
    }

    /// What is signed.
    pub fn signed_text(&self) -> String {
        signed_text(&self.form, &self.signature.key, self.signature.signed)
    }

    /// SHA-384 of what is signed: equal for equal forms, whatever the signature.
    pub fn digest(&self) -> [u8; 48] {
        Sha384::digest(self.signed_text().as_bytes()).into()
    }

    /// The form.
    pub const fn form(&self) -> &CheckedForm {
        &self.form
    }

    /// Which form.
    pub const fn kind(&self) -> FormKind {
        self.form.kind()
    }

    /// Who signed it, and when.
    pub const fn signature(&self) -> &Signature {
        &self.signature
    }
}

/// The items of a canonical text: fields, key, moment, signature.
fn items(text: &str) -> Result<(Draft, &str, Moment, &str), TextError> {
    let mut reader = Reader::new(text)?;
    let draft = reader.fields()?;
    let key = reader.item("key", "a field of the form, in its place, or the item key")?;
    let at = reader.at();
    let signed = reader.item("signed", "the item signed")?.parse();
    let signed = signed.map_err(|_| TextError::Form { at, expected: "a moment" })?;
    let signature = reader.item("signature", "the item signature")?;
    reader.end()?;
    Ok((draft, key, signed, signature))
}

fn hex(bytes: &[u8]) -> String {
    base16ct::upper::encode_string(bytes)
}

fn read_hex(text: &str) -> Option<Vec<u8>> {
    base16ct::upper::decode_vec(text).ok()
}

impl fmt::Debug for SignedForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SignedForm").field(&self.text()).finish()
    }
}

impl PartialEq for SignedForm {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Eq for SignedForm {}

prepay_basics::codes! {
    SignedFormError {
        Faults = "form_faults",
        Text = "form_text",
        Key = "form_key",
        Signature = "signature",
    }
}

impl fmt::Display for SignedFormError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Faults(faults) => faults.fmt(f),
            Self::Text(error) => error.fmt(f),
            Self::Key => f.write_str("the key in the form is no public key of a signatory"),
            Self::Signature => f.write_str(
                "the signature does not belong to this form: something was changed after signing, or \
                 another key signed",
            ),
        }
    }
}

impl std::error::Error for SignedFormError {}
