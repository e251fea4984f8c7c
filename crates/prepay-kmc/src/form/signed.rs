//! A signed form, whose signature is valid for the key in it, and the centre that it is for.

use std::fmt;
use std::str::FromStr;

use prepay_basics::Moment;
use prepay_kmp::{CentreId, Signatory, SignatoryKey};
use sha2::{Digest, Sha384};

use super::text::{Reader, write_fields, write_item};
use super::{
    CheckedForm, Draft, EARLIER_TAG, Faults, FingerprintText, FormKind, MAX_TEXT, TAG, TextError,
};

/// For how many days a form can be accepted, unless its signatory says otherwise.
pub const VALID_DAYS: u32 = 30;

/// A signed form. Nothing in it can change.
///
/// The signature is valid for the key in the form. To learn whose key it is, the centre looks in its register of
/// signatories; for a new customer, people compare the fingerprint.
#[derive(Clone)]
pub struct SignedForm {
    form: CheckedForm,
    signature: Signature, // Invariant: valid for the text of `form`.
}

/// Which centre a form is for, and until when that centre may accept it. It is part of what is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressee {
    /// The centre's name.
    pub centre: CentreId,
    /// The fingerprint of the centre's public keys.
    pub fingerprint: FingerprintText,
    /// Whether it is a test centre.
    pub is_test: bool,
    /// Until when it may accept the form.
    pub expires: Moment,
}

impl Addressee {
    /// Whether the centre is a real one or a test centre, as a form says it.
    pub const fn purpose(&self) -> &'static str {
        if self.is_test { "test" } else { "real" }
    }

    /// Reads what [`Self::purpose`] writes: whether the centre is a test centre.
    pub fn read_purpose(text: &str) -> Option<bool> {
        match text {
            "real" => Some(false),
            "test" => Some(true),
            _ => None,
        }
    }
}

/// Who signed a form, when, and for which centre.
#[derive(Clone)]
pub struct Signature {
    key: SignatoryKey,
    signed: Moment,
    addressee: Box<Addressee>,
    bytes: Vec<u8>,
}

/// Why a signed form is invalid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedFormError {
    /// Fields are missing or wrong.
    Faults(Faults),
    /// The text is not canonical.
    Text(TextError),
    /// It is of the earlier edition, which names no centre.
    Edition,
    /// The key in it is not the public key of a signatory.
    Key,
    /// The signature is not valid for this key and text.
    Signature,
}

impl Signature {
    /// Reads the key and the signature from hexadecimal digits, upper case. It is not verified yet: joining it with
    /// its form does that.
    ///
    /// # Errors
    ///
    /// [`SignedFormError::Key`], [`SignedFormError::Signature`].
    pub fn from_hex(
        key: &str,
        signed: Moment,
        addressee: Addressee,
        bytes: &str,
    ) -> Result<Self, SignedFormError> {
        let key = read_key(key).ok_or(SignedFormError::Key)?;
        let bytes = read_hex(bytes).ok_or(SignedFormError::Signature)?;
        Ok(Self { key, signed, addressee: Box::new(addressee), bytes })
    }

    /// The signatory's public key.
    pub const fn key(&self) -> &SignatoryKey {
        &self.key
    }

    /// The key as hexadecimal digits.
    pub fn key_hex(&self) -> String {
        key_text(&self.key)
    }

    /// When the form was signed, as stated by the signatory.
    pub const fn signed(&self) -> Moment {
        self.signed
    }

    /// Which centre the form is for, and until when.
    pub fn addressee(&self) -> &Addressee {
        &self.addressee
    }

    /// The signature as hexadecimal digits.
    pub fn hex(&self) -> String {
        hex(&self.bytes)
    }
}

/// A signatory's public key as the centre stores it: hexadecimal digits, upper case.
pub fn key_text(key: &SignatoryKey) -> String {
    hex(&key.encode())
}

/// Reads the text that [`key_text`] writes.
fn read_key(text: &str) -> Option<SignatoryKey> {
    SignatoryKey::decode(&read_hex(text)?).ok().filter(|key| key_text(key) == text)
}

/// What is signed.
fn signed_text(
    form: &CheckedForm,
    key: &SignatoryKey,
    signed: Moment,
    addressee: &Addressee,
) -> String {
    let mut text = write_fields(form.draft());
    let mut item = |name, value: &str| write_item(&mut text, name, value);
    item("centre", addressee.centre.as_str());
    item("centre_fingerprint", addressee.fingerprint.as_str());
    item("purpose", addressee.purpose());
    item("key", &key_text(key));
    item("signed", &signed.to_string());
    item("expires", &addressee.expires.to_string());
    text
}

impl SignedForm {
    /// Signs a form for a centre.
    ///
    /// # Errors
    ///
    /// [`SignedFormError::Text`] when the form is too long.
    pub fn sign(
        form: CheckedForm,
        signatory: &Signatory,
        addressee: Addressee,
        now: Moment,
    ) -> Result<Self, SignedFormError> {
        let text = signed_text(&form, signatory.key(), now, &addressee);
        let bytes = signatory.sign_document(TAG, text.as_bytes()).to_vec();
        let addressee = Box::new(addressee);
        let signature = Signature { key: signatory.key().clone(), signed: now, addressee, bytes };
        let signed = Self { form, signature };
        let length = signed.text().len();
        if length > MAX_TEXT {
            return Err(SignedFormError::Text(TextError::Length { found: length }));
        }
        Ok(signed)
    }

    /// Joins a form and its signature.
    ///
    /// # Errors
    ///
    /// [`SignedFormError`] for faulty fields, a form that is too long, or a wrong signature.
    pub fn join(draft: Draft, signature: Signature) -> Result<Self, SignedFormError> {
        let form = draft.check().map_err(SignedFormError::Faults)?;
        let text = signed_text(&form, &signature.key, signature.signed, &signature.addressee);
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
        if text.lines().next() == Some(EARLIER_TAG) {
            return Err(SignedFormError::Edition);
        }
        let Items { draft, key, signed, addressee, signature } =
            items(text).map_err(SignedFormError::Text)?;
        let form = Self::join(draft, Signature::from_hex(key, signed, addressee, signature)?)?;
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
        let Signature { key, signed, addressee, .. } = &self.signature;
        signed_text(&self.form, key, *signed, addressee)
    }

    /// SHA-384 of the signed text. Equal forms have equal digests, even if their signatures differ.
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

/// The items of a canonical text.
struct Items<'a> {
    draft: Draft,
    key: &'a str,
    signed: Moment,
    addressee: Addressee,
    signature: &'a str,
}

fn items(text: &str) -> Result<Items<'_>, TextError> {
    let mut reader = Reader::new(text)?;
    let draft = reader.fields()?;
    let centre =
        reader.value("centre", "a field of the form, in its place, or the item centre", parsed)?;
    let fingerprint = reader.value("centre_fingerprint", "the centre's fingerprint", parsed)?;
    let is_test = reader.value("purpose", "real or test", Addressee::read_purpose)?;
    let key = reader.item("key", "the item key")?;
    let signed = reader.value("signed", "the time of signing", parsed)?;
    let expires = reader.value("expires", "the time until which it may be accepted", parsed)?;
    let signature = reader.item("signature", "the item signature")?;
    reader.end()?;
    let addressee = Addressee { centre, fingerprint, is_test, expires };
    Ok(Items { draft, key, signed, addressee, signature })
}

fn parsed<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
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
        Edition = "form_edition",
        Key = "form_key",
        Signature = "signature",
    }
}

impl fmt::Display for SignedFormError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Faults(faults) => faults.fmt(f),
            Self::Text(error) => error.fmt(f),
            Self::Edition => write!(
                f,
                "expected a form of edition {TAG}, found one of the earlier edition {EARLIER_TAG}, which names no \
                 centre"
            ),
            Self::Key => f.write_str("the key in the form is not the public key of a signatory"),
            Self::Signature => f.write_str(
                "the signature does not belong to this form: the form was changed after signing, or \
                 signed with another key",
            ),
        }
    }
}

impl std::error::Error for SignedFormError {}
