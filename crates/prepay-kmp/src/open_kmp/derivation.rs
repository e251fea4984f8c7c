//! How a module and a centre derive shared keys: in one pass, with a fresh key of the module.
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

use sha2::{Digest, Sha384};
use zeroize::Zeroizing;

use super::PROFILE;
use crate::agreement::{MAC, SlotKeys};
use crate::key::{self, SECRET, Secret, push_part};
use crate::{KeyError, Nonce, PartyName, PublicKey, SlotNumber};

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

/// Derives the keys from two agreements, each between a secret key of ours and a public key of the other side.
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
    use crate::value::Hex;

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
