//! The keys that a module's slot and a centre share after an agreement, and what a module keeps until then.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha384;
use zeroize::Zeroizing;

use super::key::{self, SECRET, Secret};
use super::{KeyError, Nonce, PublicKey, SlotNumber};
use prepay_basics::{Entropy, Moment, NoEntropy};

/// The bytes of a key-encryption key, and those of a MAC key.
const HALF: usize = 32;
/// The bytes of a message authentication code.
pub(super) const MAC: usize = 48;

/// What a module's slot and a centre share: a key that wraps vending keys, and one that authenticates.
#[derive(Clone)]
pub struct SlotKeys(pub(super) Secret<{ 2 * HALF }>);

impl SlotKeys {
    /// The keys with these bytes, from a vault.
    ///
    /// # Errors
    ///
    /// [`KeyError`] when there are not 64.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        Secret::copy(bytes).map(Self)
    }

    /// The secret bytes, for a vault: key-encryption key, then MAC key. The caller is responsible for
    /// where they go.
    pub fn expose_bytes(&self) -> Zeroizing<[u8; 2 * HALF]> {
        Zeroizing::new(*self.0.bytes())
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
        let mac = <Hmac<Sha384> as KeyInit>::new_from_slice(&self.0.bytes()[HALF..]);
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
