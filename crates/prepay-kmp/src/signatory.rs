//! Who signs forms: a person or an organisation, with one key for signatures.

use std::fmt;

use zeroize::Zeroizing;

use super::key::{self, SECRET, SIGNATURE, SPKI, Secret};
use super::party::{PartyKind, PartyName, decode_head, encode_head};
use super::{Fingerprint, KeyError, PublicKey, SignatureError};
use prepay_basics::{Entropy, Identifier, NoEntropy};

/// What everybody may know about a signatory: its name and its one public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatoryKey {
    name: PartyName, // Invariant: of the kind signatory, and its key id is of this key.
    signature: PublicKey,
}

impl SignatoryKey {
    pub(super) fn new(id: Identifier, signature: PublicKey) -> Self {
        let key_id = Fingerprint::of(&[&signature]).key_id();
        Self { name: PartyName::new(PartyKind::Signatory, id, key_id), signature }
    }

    /// The name, with the beginning of the fingerprint.
    pub const fn name(&self) -> &PartyName {
        &self.name
    }

    /// Its identifier.
    pub const fn id(&self) -> &Identifier {
        self.name.id()
    }

    /// The fingerprint, which people compare.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&[&self.signature])
    }

    /// The key for signatures.
    pub const fn signature_key(&self) -> &PublicKey {
        &self.signature
    }

    /// Checks the signatory's signature of a document. `context` says what kind of document it is.
    ///
    /// # Errors
    ///
    /// [`SignatureError`] when the signatory did not sign these bytes in this context.
    pub fn verify_document(
        &self,
        context: &str,
        document: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        self.signature.verify(&key::framed("document", context, document), signature)
    }

    /// Everything as bytes, for a store.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = encode_head(&self.name);
        bytes.extend_from_slice(&self.signature.spki());
        bytes
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    ///
    /// [`KeyError`] for other bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, KeyError> {
        match decode_head(bytes, SPKI)? {
            (PartyKind::Signatory, id, key) => Ok(Self::new(id, PublicKey::from_spki(key)?)),
            _ => Err(KeyError::Value),
        }
    }
}

/// The secret of somebody who signs forms, with the name and the public key.
#[derive(Clone)]
pub struct Signatory {
    key: SignatoryKey,
    secret: Secret<SECRET>, // Invariant: a key of the curve.
}

impl Signatory {
    /// A new signatory with a new key.
    ///
    /// # Errors
    ///
    /// [`NoEntropy`] when the source has failed.
    pub fn generate(id: Identifier, entropy: &mut dyn Entropy) -> Result<Self, NoEntropy> {
        let mut secret = Secret::zeros();
        key::draw(entropy, secret.bytes_mut())?;
        Self::with_secret(id, secret).map_err(|_| NoEntropy)
    }

    /// The signatory with this secret, from a key file.
    ///
    /// # Errors
    ///
    /// [`KeyError`] when the bytes are not those of [`Self::expose_bytes`].
    pub fn from_bytes(id: Identifier, secret: &[u8]) -> Result<Self, KeyError> {
        Self::with_secret(id, Secret::copy(secret)?)
    }

    fn with_secret(id: Identifier, secret: Secret<SECRET>) -> Result<Self, KeyError> {
        let key = SignatoryKey::new(id, key::public_of(secret.bytes())?);
        Ok(Self { key, secret })
    }

    /// What everybody may know of it.
    pub const fn key(&self) -> &SignatoryKey {
        &self.key
    }

    /// Signs a document. `context` says what kind of document it is; a signature of one context never fits
    /// another context, nor a record of the profile.
    ///
    /// # Panics
    ///
    /// When the context is longer than 65 535 bytes.
    pub fn sign_document(&self, context: &str, document: &[u8]) -> [u8; SIGNATURE] {
        self.sign_framed(&key::framed("document", context, document))
    }

    /// The secret bytes, for a key file. The caller is responsible for where they go.
    pub fn expose_bytes(&self) -> Zeroizing<[u8; SECRET]> {
        Zeroizing::new(*self.secret.bytes())
    }

    /// Signs the text of a record.
    pub(super) fn sign_record(&self, text: &[u8]) -> [u8; SIGNATURE] {
        self.sign_framed(&key::framed("record", "", text))
    }

    fn sign_framed(&self, message: &[u8]) -> [u8; SIGNATURE] {
        key::sign(self.secret.bytes(), message).expect("checked when it was made")
    }
}

impl fmt::Debug for Signatory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signatory({}, ..)", self.key.name())
    }
}
