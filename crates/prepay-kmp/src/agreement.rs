//! The keys that a module's slot and a centre share after an agreement, and what a module keeps until then.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha384;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::key::{self, SECRET, Secret};
use super::{KeyError, Nonce, PublicKey, SlotNumber};
use prepay_basics::{Entropy, Moment, NoEntropy};

/// The bytes of a key-encryption key, and those of a MAC key.
const HALF: usize = 32;
/// The bytes of a message authentication code.
pub(super) const MAC: usize = 48;

/// The bytes that a vault keeps of an agreement.
const KEPT: usize = 2 * HALF + MAC;

/// What a module's slot and a centre share: a key that wraps vending keys, one that authenticates, and the module's
/// confirmation that it has both.
#[derive(Clone)]
pub struct SlotKeys(Secret<KEPT>);

/// A module's proof that it derived the keys of an agreement. It may be seen; nobody else can make it.
#[derive(Clone, Copy)]
pub struct Confirmation(pub(super) [u8; MAC]);

impl PartialEq for Confirmation {
    /// Compares in constant time: a centre's own is a secret until the module has shown it.
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Confirmation {}

impl fmt::Debug for Confirmation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Confirmation(..)")
    }
}

impl SlotKeys {
    /// The keys with these bytes, from a vault.
    ///
    /// # Errors
    ///
    /// [`KeyError`] when there are not 112.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        Secret::copy(bytes).map(Self)
    }

    pub(super) fn new(keys: &[u8; 2 * HALF], confirmation: Confirmation) -> Self {
        let mut kept = Secret::zeros();
        kept.bytes_mut()[..2 * HALF].copy_from_slice(keys);
        kept.bytes_mut()[2 * HALF..].copy_from_slice(&confirmation.0);
        Self(kept)
    }

    /// The secret bytes, for a vault: key-encryption key, MAC key, the module's confirmation. The caller is
    /// responsible for where they go.
    pub fn expose_bytes(&self) -> Zeroizing<[u8; KEPT]> {
        Zeroizing::new(*self.0.bytes())
    }

    /// The confirmation of the module that shares these keys.
    pub fn confirmation(&self) -> Confirmation {
        let mut bytes = [0; MAC];
        bytes.copy_from_slice(&self.0.bytes()[2 * HALF..]);
        Confirmation(bytes)
    }

    pub(super) fn wrapping(&self) -> &[u8] {
        &self.0.bytes()[..HALF]
    }

    /// The message authentication code of the text of a record.
    pub(super) fn authenticate(&self, text: &[u8]) -> [u8; MAC] {
        self.mac(text).finalize().into_bytes().0
    }

    /// Whether the code fits the text, in constant time.
    pub(super) fn verify(&self, text: &[u8], code: &[u8]) -> bool {
        self.mac(text).verify_slice(code).is_ok()
    }

    fn mac(&self, text: &[u8]) -> Hmac<Sha384> {
        let mac = <Hmac<Sha384> as KeyInit>::new_from_slice(&self.0.bytes()[HALF..2 * HALF]);
        let mac = mac.expect("HMAC takes keys of any length");
        mac.chain_update(key::framed("mac", "", text))
    }
}

impl fmt::Debug for SlotKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SlotKeys(..)")
    }
}

/// An agreement request that waits for its confirmation: the secret of the fresh key, and what it is for.
#[derive(Clone)]
pub struct PendingAgreement {
    slot: SlotNumber,
    nonce: Nonce,
    created: Moment,
    secret: Secret<SECRET>, // Invariant: a key of the curve.
}

impl PendingAgreement {
    pub(super) fn generate(
        slot: SlotNumber,
        created: Moment,
        entropy: &mut dyn Entropy,
    ) -> Result<Self, NoEntropy> {
        let nonce = Nonce::generate(entropy)?;
        let mut secret = Secret::zeros();
        key::draw(entropy, secret.bytes_mut())?;
        Ok(Self { slot, nonce, created, secret })
    }

    /// The slot that will hold the keys.
    pub const fn slot(&self) -> SlotNumber {
        self.slot
    }

    /// The number of the request.
    pub const fn nonce(&self) -> Nonce {
        self.nonce
    }

    /// When the request was written.
    pub const fn created(&self) -> Moment {
        self.created
    }

    /// Everything as bytes, for a vault. The caller is responsible for where they go.
    pub fn expose_bytes(&self) -> Zeroizing<[u8; 74]> {
        let mut bytes = Zeroizing::new([0; 74]);
        bytes[..2].copy_from_slice(&self.slot.value().to_be_bytes());
        bytes[2..18].copy_from_slice(&self.nonce.bytes());
        bytes[18..26].copy_from_slice(&self.created.unix_seconds().to_be_bytes());
        bytes[26..].copy_from_slice(self.secret.bytes());
        bytes
    }

    /// Reads what [`Self::expose_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// [`KeyError`] for other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let wrong = KeyError::Length { expected: 74, found: bytes.len() };
        let (&slot, rest) = bytes.split_first_chunk().ok_or(wrong)?;
        let (&nonce, rest) = rest.split_first_chunk().ok_or(wrong)?;
        let (&created, rest) = rest.split_first_chunk().ok_or(wrong)?;
        if rest.len() != SECRET {
            return Err(wrong);
        }
        let slot = SlotNumber::try_from(u16::from_be_bytes(slot)).map_err(|_| KeyError::Value)?;
        let created = Moment::from_unix_seconds(u64::from_be_bytes(created));
        let created = created.ok_or(KeyError::Value)?;
        key::public_of(rest)?;
        let (nonce, secret) = (Nonce::from_bytes(nonce), Secret::copy(rest)?);
        Ok(Self { slot, nonce, created, secret })
    }

    pub(super) fn ephemeral(&self) -> PublicKey {
        key::public_of(self.secret.bytes()).expect("checked when it was made")
    }

    pub(super) fn secret(&self) -> &[u8] {
        self.secret.bytes()
    }
}

impl fmt::Debug for PendingAgreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PendingAgreement(slot {}, {:?}, ..)", self.slot, self.nonce)
    }
}
