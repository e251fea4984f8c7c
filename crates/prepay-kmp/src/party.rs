//! Who takes part: modules and centres, with their names, public keys and secrets. Signatories are in
//! `signatory.rs`.
//!
//! A party has two key pairs, because a key should serve one purpose: one for agreement, one for signatures.
//! Its fingerprint is the SHA-384 of both public keys, each preceded by its length in two bytes. People
//! compare the first sixteen bytes by phone, not by the way the file came. The name carries the first eight:
//!
//! ```text
//!   open-kmp.SMID:module-7:0123456789ABCDEF
//! ```

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha384};
use zeroize::Zeroizing;

use super::key::{self, SECRET, SIGNATURE, SPKI, Secret};
use super::value::{Hex, read_hex, shortened};
use super::{KeyError, PublicKey};
use crate::attribute::AttributeError;
use prepay_basics::{Entropy, Identifier, NoEntropy};

/// What a party is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PartyKind {
    /// A security module.
    Module,
    /// A key management centre.
    Centre,
    /// A person or organisation that signs forms.
    Signatory,
}

impl PartyKind {
    const ALL: [Self; 3] = [Self::Module, Self::Centre, Self::Signatory];

    /// The record type in the name of the party.
    pub const fn record_type(self) -> &'static str {
        match self {
            Self::Module => "open-kmp.SMID",
            Self::Centre => "open-kmp.KMCID",
            Self::Signatory => "open-kmp.SIGID",
        }
    }
}

impl fmt::Display for PartyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Module => "module",
            Self::Centre => "centre",
            Self::Signatory => "signatory",
        })
    }
}

/// The name of a party: what it is, its identifier, and the beginning of its fingerprint.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartyName {
    kind: PartyKind,
    id: Identifier,
    key_id: [u8; 8],
}

impl PartyName {
    pub(super) const fn new(kind: PartyKind, id: Identifier, key_id: [u8; 8]) -> Self {
        Self { kind, id, key_id }
    }

    /// What the party is.
    pub const fn kind(&self) -> PartyKind {
        self.kind
    }

    /// Its identifier.
    pub const fn id(&self) -> &Identifier {
        &self.id
    }

    /// The first bytes of its fingerprint.
    pub const fn key_id(&self) -> [u8; 8] {
        self.key_id
    }
}

impl FromStr for PartyName {
    type Err = AttributeError;

    /// Accepts record type, identifier and sixteen upper-case hexadecimal digits, with colons between.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (record_type, rest) = text.split_once(':')?;
            let (id, key_id) = rest.split_once(':')?;
            let kind = PartyKind::ALL.into_iter().find(|kind| kind.record_type() == record_type)?;
            Some(Self { kind, id: id.parse().ok()?, key_id: read_hex(key_id)? })
        };
        read().ok_or_else(|| AttributeError {
            element: "name of a party",
            expected: "a form like open-kmp.SMID:module-7:0123456789ABCDEF",
            found: shortened(text),
        })
    }
}

impl fmt::Display for PartyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.kind.record_type(), self.id, Hex(&self.key_id))
    }
}

impl fmt::Debug for PartyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The fingerprint of a party's public keys.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 48]);

impl Fingerprint {
    /// The fingerprint of these public keys, in this order.
    pub(super) fn of(keys: &[&PublicKey]) -> Self {
        let mut hash = Sha384::new();
        for key in keys {
            let spki = key.spki();
            hash.update((SPKI as u16).to_be_bytes());
            hash.update(spki);
        }
        Self(hash.finalize().0)
    }

    /// The whole fingerprint.
    pub const fn bytes(&self) -> [u8; 48] {
        self.0
    }

    /// The beginning, which the name of the party carries.
    pub(super) fn key_id(&self) -> [u8; 8] {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        [a, b, c, d, e, f, g, h]
    }

    /// Whether somebody typed these 32 digits. Blanks and the case of letters do not count.
    pub fn matches(&self, typed: &str) -> bool {
        let digits = typed.chars().filter(|character| !character.is_whitespace());
        let digits: String = digits.map(|digit| digit.to_ascii_uppercase()).collect();
        digits == Hex(&self.0[..16]).to_string()
    }
}

impl fmt::Display for Fingerprint {
    /// The first sixteen bytes as digits in groups of four, for people to compare.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (group, bytes) in self.0[..16].chunks(2).enumerate() {
            let blank = if group == 0 { "" } else { " " };
            write!(f, "{blank}{}", Hex(bytes))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// What everybody may know about a module or a centre: its name and public keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicIdentity {
    name: PartyName, // Invariant: its key id is of these keys, which differ.
    agreement: PublicKey,
    signature: PublicKey,
}

impl PublicIdentity {
    pub(super) fn new(
        kind: PartyKind,
        id: Identifier,
        agreement: PublicKey,
        signature: PublicKey,
    ) -> Result<Self, KeyError> {
        if agreement == signature {
            return Err(KeyError::SameKey);
        }
        let key_id = Fingerprint::of(&[&agreement, &signature]).key_id();
        Ok(Self { name: PartyName { kind, id, key_id }, agreement, signature })
    }

    /// The name, with the beginning of the fingerprint.
    pub const fn name(&self) -> &PartyName {
        &self.name
    }

    /// What the party is.
    pub const fn kind(&self) -> PartyKind {
        self.name.kind
    }

    /// Its identifier.
    pub const fn id(&self) -> &Identifier {
        &self.name.id
    }

    /// The fingerprint, which people compare.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&[&self.agreement, &self.signature])
    }

    /// The key for agreement.
    pub const fn agreement_key(&self) -> &PublicKey {
        &self.agreement
    }

    /// The key for signatures.
    pub const fn signature_key(&self) -> &PublicKey {
        &self.signature
    }

    /// Everything as bytes, for a vault.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = encode_head(&self.name);
        bytes.extend_from_slice(&self.agreement.spki());
        bytes.extend_from_slice(&self.signature.spki());
        bytes
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    ///
    /// [`KeyError`] for other bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, KeyError> {
        let (kind, id, keys) = decode_head(bytes, 2 * SPKI)?;
        let (agreement, signature) = keys.split_at(SPKI);
        let (agreement, signature) =
            (PublicKey::from_spki(agreement)?, PublicKey::from_spki(signature)?);
        Self::new(kind, id, agreement, signature)
    }
}

/// Kind, length of the identifier, identifier.
pub(super) fn encode_head(name: &PartyName) -> Vec<u8> {
    let id = name.id.as_str();
    let mut bytes = vec![name.kind as u8, id.len() as u8];
    bytes.extend_from_slice(id.as_bytes());
    bytes
}

pub(super) fn decode_head(
    bytes: &[u8],
    keys: usize,
) -> Result<(PartyKind, Identifier, &[u8]), KeyError> {
    let short = KeyError::Length { expected: 3 + keys, found: bytes.len() };
    let (&[kind, length], rest) = bytes.split_first_chunk().ok_or(short)?;
    let (id, rest) = rest.split_at_checked(length.into()).ok_or(short)?;
    if rest.len() != keys {
        return Err(KeyError::Length { expected: keys, found: rest.len() });
    }
    let kind = PartyKind::ALL.get(usize::from(kind)).ok_or(KeyError::Value)?;
    let id = std::str::from_utf8(id).map_err(|_| KeyError::Value)?;
    Ok((*kind, id.parse().map_err(|_| KeyError::Value)?, rest))
}

/// The secrets of a module or a centre, with its name and public keys.
#[derive(Clone)]
pub struct Identity {
    public: PublicIdentity,
    secrets: Secret<{ 2 * SECRET }>, // Invariant: two keys of the curve: agreement, signature.
}

impl Identity {
    /// A new party with new keys.
    ///
    /// # Errors
    ///
    /// [`NoEntropy`] when the source has failed.
    pub fn generate(
        kind: PartyKind,
        id: Identifier,
        entropy: &mut dyn Entropy,
    ) -> Result<Self, NoEntropy> {
        let mut secrets = Secret::zeros();
        let (agreement, signature) = secrets.bytes_mut().split_at_mut(SECRET);
        key::draw(entropy, agreement)?;
        key::draw(entropy, signature)?;
        // Only a source that repeats itself gives the same key twice.
        Self::with_secrets(kind, id, secrets).map_err(|_| NoEntropy)
    }

    /// The party with these secrets, from a vault.
    ///
    /// # Errors
    ///
    /// [`KeyError`] when the bytes are not those of [`Self::expose_bytes`].
    pub fn from_bytes(kind: PartyKind, id: Identifier, secrets: &[u8]) -> Result<Self, KeyError> {
        Self::with_secrets(kind, id, Secret::copy(secrets)?)
    }

    fn with_secrets(
        kind: PartyKind,
        id: Identifier,
        secrets: Secret<{ 2 * SECRET }>,
    ) -> Result<Self, KeyError> {
        let (agreement, signature) = secrets.bytes().split_at(SECRET);
        let (agreement, signature) = (key::public_of(agreement)?, key::public_of(signature)?);
        let public = PublicIdentity::new(kind, id, agreement, signature)?;
        Ok(Self { public, secrets })
    }

    /// What everybody may know of it.
    pub const fn public(&self) -> &PublicIdentity {
        &self.public
    }

    /// Its name.
    pub const fn name(&self) -> &PartyName {
        self.public.name()
    }

    /// The secret bytes, for a vault: agreement, then signature. The caller is responsible for where they
    /// go.
    pub fn expose_bytes(&self) -> Zeroizing<[u8; 2 * SECRET]> {
        Zeroizing::new(*self.secrets.bytes())
    }

    pub(super) fn agreement_secret(&self) -> &[u8] {
        &self.secrets.bytes()[..SECRET]
    }

    /// Signs the text of a record.
    pub(super) fn sign_record(&self, text: &[u8]) -> [u8; SIGNATURE] {
        let message = key::framed("record", "", text);
        key::sign(&self.secrets.bytes()[SECRET..], &message).expect("checked when it was made")
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({}, ..)", self.name())
    }
}
