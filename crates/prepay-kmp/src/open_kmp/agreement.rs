//! How a module and a centre come to share keys: one pass, with a fresh key of the module.
//!
//! ```text
//!   Ze = ECDH(module's fresh key, centre's agreement key)
//!   Zs = ECDH(module's agreement key, centre's agreement key)
//!   K(i) = SHA-384( i as 4 bytes | Ze | Zs | info ),  i = 1, 2
//!   info = part("open-kmp-1") | part(module's name) | part(centre's name)
//!        | slot as 2 bytes | request number, 16 bytes | SHA-384(SubjectPublicKeyInfo of the fresh key)
//!   part(x) = length of x as 2 bytes | x
//!
//!   K(1) | K(2):  32 bytes key-encryption key, 32 bytes MAC key; the rest is dropped
//! ```
//!
//! - Source: SP 800-56A revision 3, scheme C(1e, 2s), one-pass unified model; SP 800-56C revision 2, one-step
//!   key derivation with a hash. That STS 600-4-2 does the same is not public; do not assume it.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha384};
use zeroize::Zeroizing;

use super::key::{self, SECRET, Secret, push_part};
use super::{KeyError, Nonce, PROFILE, PartyName, PublicKey, SlotNumber};
use prepay_basics::{Entropy, Moment, NoEntropy};

/// The bytes of a key-encryption key, and those of a MAC key.
const HALF: usize = 32;
/// The bytes of a message authentication code.
pub(super) const MAC: usize = 48;

/// What a module's slot and a centre share: a key that wraps vending keys, and one that authenticates.
#[derive(Clone)]
pub struct SlotKeys(Secret<{ 2 * HALF }>);

impl SlotKeys {
    /// The keys with these bytes, from a vault.
    ///
    /// # Errors
    ///
    /// [`KeyError`] when there are not 64.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        Secret::copy(bytes).map(Self)
    }

    /// The secret bytes, for a vault: key-encryption key, then MAC key. Whoever calls this answers for
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

    /// Everything as bytes, for a vault. Whoever calls this answers for where they go.
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

/// What the keys are bound to.
pub(super) struct Info<'a> {
    pub(super) module: &'a PartyName,
    pub(super) centre: &'a PartyName,
    pub(super) slot: SlotNumber,
    pub(super) nonce: Nonce,
    pub(super) ephemeral: &'a PublicKey,
}

impl Info<'_> {
    fn bytes(&self) -> Vec<u8> {
        let mut info = Vec::with_capacity(256);
        push_part(&mut info, PROFILE.as_bytes());
        push_part(&mut info, self.module.to_string().as_bytes());
        push_part(&mut info, self.centre.to_string().as_bytes());
        info.extend_from_slice(&self.slot.value().to_be_bytes());
        info.extend_from_slice(&self.nonce.bytes());
        info.extend_from_slice(&Sha384::digest(self.ephemeral.spki()));
        info
    }
}

/// The keys that follow from two agreements, each a secret of ours with a public key of the other side.
pub(super) fn derive(
    ephemeral: (&[u8], &PublicKey),
    fixed: (&[u8], &PublicKey),
    info: &Info<'_>,
) -> Result<SlotKeys, KeyError> {
    let mut shared = Zeroizing::new([0; 2 * SECRET]);
    let (ze, zs) = shared.split_at_mut(SECRET);
    key::agree(ephemeral.0, ephemeral.1, ze)?;
    key::agree(fixed.0, fixed.1, zs)?;
    Ok(expand(&shared, &info.bytes()))
}

/// One-step key derivation to 64 bytes.
fn expand(shared: &[u8; 2 * SECRET], info: &[u8]) -> SlotKeys {
    let mut keys = Secret::zeros();
    for (chunk, counter) in keys.bytes_mut().chunks_mut(MAC).zip(1_u32..) {
        let hash = Sha384::new().chain_update(counter.to_be_bytes());
        let block = hash.chain_update(shared).chain_update(info).finalize();
        let block = Zeroizing::new(block.0);
        chunk.copy_from_slice(&block[..chunk.len()]);
    }
    SlotKeys(keys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open_kmp::value::Hex;

    #[test]
    fn derivation_agrees_with_an_independent_calculation() {
        // Made with hashlib of Python: see `tests/data/derivation.py`.
        let mut shared = [0; 96];
        for (byte, value) in shared.iter_mut().zip(0..) {
            *byte = value;
        }
        let keys = expand(&shared, b"open-kmp test info");
        assert_eq!(Hex(keys.0.bytes()).to_string(), EXPECTED);
    }

    const EXPECTED: &str = "74DF2E7449AFE9F820D0C3D61DB58A30650D4991B514F214ECDBBEDE9146A23C\
         A53160F91AB586987B29830C19F73C5F93AD1309122257190E51149CF186E8E8";
}
