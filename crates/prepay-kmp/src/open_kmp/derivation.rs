//! How a module and a centre derive shared keys, in one pass with a fresh key of the module, and confirm them to each
//! other.
//!
//! ```text
//!   Ze = ECDH(module's fresh key, centre's agreement key)
//!   Zs = ECDH(module's agreement key, centre's agreement key)
//!   K(i) = SHA-384( i as 4 bytes | Ze | Zs | info ),  i = 1, 2
//!   info = part("open-kmp-2") | part(module's name) | part(centre's name)
//!        | slot as 2 bytes | request number, 16 bytes | SHA-384(SubjectPublicKeyInfo of the fresh key)
//!   part(x) = length of x as 2 bytes | x
//!
//!   K(1) | K(2):  32 bytes key-encryption key, 32 bytes MAC key, 32 bytes confirmation key
//!
//!   confirmation of P to R = HMAC-SHA-384( confirmation key,
//!       part("open-kmp-2") | part("confirmation") | part(who) | part(P's name) | part(R's name)
//!     | part(what P brought) | part(what R brought) | slot as 2 bytes | request number, 16 bytes )
//!   who = KC_2_U for the module, KC_2_V for the centre
//!   The module brings SubjectPublicKeyInfo of its fresh key, the centre a number of 16 bytes.
//! ```
//!
//! The confirmation key is forgotten at once.
//!
//! - Source: SP 800-56A revision 3, scheme C(1e, 2s), one-pass unified model with bilateral key confirmation;
//!   SP 800-56C revision 2, one-step key derivation with a hash. That STS 600-4-2 does the same is not public; do not
//!   assume it.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha384};
use zeroize::Zeroizing;

use super::PROFILE;
use crate::agreement::{Confirmation, MAC, SlotKeys};
use crate::key::{self, SECRET, push_part};
use crate::{KeyError, Nonce, PartyName, PublicKey, SlotNumber};

/// What the keys are bound to.
pub(super) struct Info<'a> {
    pub(super) module: &'a PartyName,
    pub(super) centre: &'a PartyName,
    pub(super) slot: SlotNumber,
    pub(super) nonce: Nonce,
    pub(super) ephemeral: &'a PublicKey,
    /// The centre's number, which only the confirmations are bound to.
    pub(super) centre_nonce: Nonce,
}

impl Info<'_> {
    fn bytes(&self) -> Vec<u8> {
        let mut info = Vec::with_capacity(256);
        push_part(&mut info, PROFILE.as_bytes());
        push_part(&mut info, self.module.to_string().as_bytes());
        push_part(&mut info, self.centre.to_string().as_bytes());
        self.push_request(&mut info);
        info.extend_from_slice(&Sha384::digest(self.ephemeral.spki()));
        info
    }

    fn push_request(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.slot.value().to_be_bytes());
        bytes.extend_from_slice(&self.nonce.bytes());
    }

    /// The confirmations of the module and of the centre.
    fn confirmations(&self, key: &[u8]) -> (Confirmation, Confirmation) {
        let (module, centre) = (self.module.to_string(), self.centre.to_string());
        let (spki, number) = (self.ephemeral.spki(), self.centre_nonce.bytes());
        let module = (module.as_bytes(), &spki[..]);
        let centre = (centre.as_bytes(), &number[..]);
        let confirmation =
            |who, (own, brought): (&[u8], &[u8]), (other, theirs): (&[u8], &[u8])| {
                let mut data = Vec::with_capacity(512);
                for part in [own, other, brought, theirs] {
                    push_part(&mut data, part);
                }
                self.push_request(&mut data);
                let mac = <Hmac<Sha384> as KeyInit>::new_from_slice(key);
                let mac = mac.expect("HMAC takes keys of any length");
                let mac = mac.chain_update(key::framed("confirmation", who, &data));
                Confirmation(mac.finalize().into_bytes().0)
            };
        (confirmation("KC_2_U", module, centre), confirmation("KC_2_V", centre, module))
    }
}

/// Derives the keys from two agreements, each between a secret key of ours and a public key of the other side. Gives the
/// centre's confirmation too.
pub(super) fn derive(
    ephemeral: (&[u8], &PublicKey),
    fixed: (&[u8], &PublicKey),
    info: &Info<'_>,
) -> Result<(SlotKeys, Confirmation), KeyError> {
    let mut shared = Zeroizing::new([0; 2 * SECRET]);
    let (ze, zs) = shared.split_at_mut(SECRET);
    key::agree(ephemeral.0, ephemeral.1, ze)?;
    key::agree(fixed.0, fixed.1, zs)?;
    let derived = expand(&shared, &info.bytes());
    let (keys, confirming) = derived.split_first_chunk().expect("96 bytes are more than 64");
    let (module, centre) = info.confirmations(confirming);
    Ok((SlotKeys::new(keys, module), centre))
}

/// One-step key derivation to 96 bytes.
fn expand(shared: &[u8; 2 * SECRET], info: &[u8]) -> Zeroizing<[u8; 2 * MAC]> {
    let mut keys = Zeroizing::new([0; 2 * MAC]);
    for (chunk, counter) in keys.chunks_mut(MAC).zip(1_u32..) {
        let hash = Sha384::new().chain_update(counter.to_be_bytes());
        let block = hash.chain_update(shared).chain_update(info).finalize();
        let block = Zeroizing::new(block.0);
        chunk.copy_from_slice(&*block);
    }
    keys
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
        assert_eq!(Hex(&*keys).to_string(), EXPECTED);
    }

    const EXPECTED: &str = "74DF2E7449AFE9F820D0C3D61DB58A30650D4991B514F214ECDBBEDE9146A23C\
         A53160F91AB586987B29830C19F73C5F93AD1309122257190E51149CF186E8E8\
         3273AFDBFA8B50DCED67C5323A97469CC76539613A862D29421BDC770FF195A6";
}
