//! Keys of the curve P-384, and what is computed with them: agreement, signature, checking a signature.
//!
//! - Public keys travel as the SubjectPublicKeyInfo of RFC 5480, uncompressed: 120 bytes.
//! - Signatures are ECDSA with SHA-384 and the deterministic numbers of RFC 6979: r and s of 48 bytes each,
//!   s in its lower half, so that nobody can turn one signature into another.
//! - Secrets are kept as bytes on the heap and wiped. While they are used, the arithmetic of the curve makes
//!   short-lived copies on the stack.

use std::fmt;

use p384::ecdsa::signature::{Signer, Verifier};
use p384::ecdsa::{Signature, SigningKey, VerifyingKey};
use p384::elliptic_curve::sec1::ToSec1Point;
use zeroize::Zeroizing;

use super::{KeyError, SignatureError};
use prepay_basics::{Entropy, NoEntropy};

/// The name and version of the profile `open-kmp`. Everything that is signed or authenticated begins with it, so
/// that nothing made for another purpose is accepted.
pub const PROFILE: &str = "open-kmp-2";

/// The bytes of a secret key.
pub(super) const SECRET: usize = 48;
/// The bytes of a signature.
pub(super) const SIGNATURE: usize = 96;
/// The bytes of a public key.
pub(super) const SPKI: usize = 120;

/// The bytes before the point in a SubjectPublicKeyInfo: id-ecPublicKey, secp384r1, a string of bits.
const SPKI_HEAD: [u8; 23] = [
    0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x05, 0x2B,
    0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00,
];

/// How often a secret that is out of range is drawn again. Even once practically never happens.
const DRAWS: usize = 8;

/// A public key: a point of the curve P-384, checked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(p384::PublicKey);

impl PublicKey {
    /// The key in a SubjectPublicKeyInfo.
    ///
    /// # Errors
    ///
    /// [`KeyError`] when the bytes are not a point of the curve in its one form.
    pub fn from_spki(bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() != SPKI {
            return Err(KeyError::Length { expected: SPKI, found: bytes.len() });
        }
        let point = bytes.strip_prefix(&SPKI_HEAD).ok_or(KeyError::Value)?;
        if point.first() != Some(&4) {
            return Err(KeyError::Value);
        }
        p384::PublicKey::from_sec1_bytes(point).map(Self).map_err(|_| KeyError::Value)
    }

    /// The key as a SubjectPublicKeyInfo.
    pub fn spki(&self) -> [u8; SPKI] {
        let mut bytes = [0; SPKI];
        let (head, point) = bytes.split_at_mut(SPKI_HEAD.len());
        head.copy_from_slice(&SPKI_HEAD);
        point.copy_from_slice(self.0.to_sec1_point(false).as_bytes());
        bytes
    }

    /// Checks a signature over some bytes.
    pub(super) fn verify(&self, bytes: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let signature = Signature::from_slice(signature).map_err(|_| SignatureError)?;
        if signature.normalize_s() != signature {
            return Err(SignatureError);
        }
        let key = VerifyingKey::from(self.0);
        key.verify(bytes, &signature).map_err(|_| SignatureError)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", super::value::Hex(&self.spki()[SPKI_HEAD.len() + 1..][..8]))
    }
}

/// Fills the bytes with a new secret key.
pub(super) fn draw(entropy: &mut dyn Entropy, secret: &mut [u8]) -> Result<(), NoEntropy> {
    for _ in 0..DRAWS {
        entropy.fill(secret)?;
        if secret.len() == SECRET && p384::SecretKey::from_slice(secret).is_ok() {
            return Ok(());
        }
    }
    Err(NoEntropy) // The source gives the same unusable bytes again and again.
}

fn secret_key(secret: &[u8]) -> Result<p384::SecretKey, KeyError> {
    if secret.len() != SECRET {
        return Err(KeyError::Length { expected: SECRET, found: secret.len() });
    }
    p384::SecretKey::from_slice(secret).map_err(|_| KeyError::Value)
}

/// The public key of a secret one.
pub(super) fn public_of(secret: &[u8]) -> Result<PublicKey, KeyError> {
    Ok(PublicKey(secret_key(secret)?.public_key()))
}

/// Fills `shared` with what two parties share: the x coordinate of the product.
pub(super) fn agree(secret: &[u8], public: &PublicKey, shared: &mut [u8]) -> Result<(), KeyError> {
    let product = secret_key(secret)?.diffie_hellman(&public.0);
    shared.copy_from_slice(product.raw_secret_bytes());
    Ok(())
}

/// Signs some bytes.
pub(super) fn sign(secret: &[u8], bytes: &[u8]) -> Result<[u8; SIGNATURE], KeyError> {
    let key = SigningKey::from(secret_key(secret)?);
    let signature: Signature = key.sign(bytes);
    let mut bytes = [0; SIGNATURE];
    bytes.copy_from_slice(&signature.normalize_s().to_bytes());
    Ok(bytes)
}

/// What is really signed or authenticated: the profile, the purpose, a context and the bytes, each with
/// its length, so that bytes made for one purpose are never accepted for another.
pub(super) fn framed(purpose: &str, context: &str, bytes: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(bytes.len() + context.len() + 64);
    for part in [PROFILE, purpose, context] {
        push_part(&mut message, part.as_bytes());
    }
    message.extend_from_slice(bytes);
    message
}

/// Appends a part with its length in two bytes.
pub(super) fn push_part(message: &mut Vec<u8>, part: &[u8]) {
    let length = u16::try_from(part.len()).expect("names and contexts are short");
    message.extend_from_slice(&length.to_be_bytes());
    message.extend_from_slice(part);
}

/// A secret of some bytes, on the heap so that moving it leaves nothing behind, wiped at the end.
#[derive(Clone)]
pub(super) struct Secret<const N: usize>(Box<Zeroizing<[u8; N]>>);

impl<const N: usize> Secret<N> {
    /// Zeros, to be filled in place.
    pub(super) fn zeros() -> Self {
        Self(Box::new(Zeroizing::new([0; N])))
    }

    /// A copy of exactly as many bytes.
    pub(super) fn copy(bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() != N {
            return Err(KeyError::Length { expected: N, found: bytes.len() });
        }
        let mut secret = Self::zeros();
        secret.0.copy_from_slice(bytes);
        Ok(secret)
    }

    pub(super) fn bytes(&self) -> &[u8; N] {
        &self.0
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8; N] {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use p384::pkcs8::EncodePublicKey;

    use super::*;

    #[test]
    fn public_keys_have_the_form_of_rfc_5480_and_no_other() {
        let secret = p384::SecretKey::from_slice(&[7; 48]).unwrap();
        let key = public_of(&[7; 48]).unwrap();
        let spki = key.spki();
        assert_eq!(spki.as_slice(), secret.public_key().to_public_key_der().unwrap().as_bytes());
        assert_eq!(PublicKey::from_spki(&spki), Ok(key));
        for bit in 0..8 * SPKI {
            let mut changed = spki;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(PublicKey::from_spki(&changed), Err(KeyError::Value), "bit {bit}");
        }
        let expected = Err(KeyError::Length { expected: 120, found: 119 });
        assert_eq!(PublicKey::from_spki(&spki[..119]), expected);
    }

    #[test]
    fn secrets_out_of_range_are_drawn_anew_or_refused() {
        struct Stuck(u8);
        impl Entropy for Stuck {
            fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
                bytes.fill(self.0);
                Ok(())
            }
        }
        let mut secret = [0; SECRET];
        assert_eq!(draw(&mut Stuck(0), &mut secret), Err(NoEntropy));
        assert_eq!(draw(&mut Stuck(0xFF), &mut secret), Err(NoEntropy));
        assert_eq!(draw(&mut Stuck(1), &mut secret), Ok(()));
        assert_eq!(public_of(&[0; 48]), Err(KeyError::Value));
        assert_eq!(public_of(&[1; 47]), Err(KeyError::Length { expected: 48, found: 47 }));
    }

    #[test]
    fn a_signature_has_one_form_only() {
        let key = public_of(&[7; 48]).unwrap();
        let signature = sign(&[7; 48], b"text").unwrap();
        assert_eq!(key.verify(b"text", &signature), Ok(()));
        assert_eq!(key.verify(b"texu", &signature), Err(SignatureError));
        assert_eq!(key.verify(b"text", &signature[..95]), Err(SignatureError));
        let parsed = Signature::from_slice(&signature).unwrap();
        let (r, s) = parsed.split_scalars();
        let mirrored = Signature::from_scalars(*r.as_ref(), -*s.as_ref()).unwrap();
        let plain = VerifyingKey::from(key.0);
        assert!(plain.verify(b"text", &mirrored).is_ok(), "mathematically it fits");
        assert_eq!(key.verify(b"text", &mirrored.to_bytes()), Err(SignatureError));
    }
}
