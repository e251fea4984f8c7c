//! A short secret in a file of its own, sealed under a passphrase.
//!
//! ```text
//!  head                        written by its owner
//!  salt (16), nonce (12)       authenticated, like the head
//!  secret and tag (16)         AES-256-GCM under Argon2id of the passphrase
//! ```
//!
//! Cost and least length of the passphrase are those of a real vault, not of a test vault.

use zeroize::Zeroizing;

use super::VaultError;
use super::seal::{check_length, decipher, encipher, fresh};
use super::secret::{Cost, Secret};
use prepay_basics::Entropy;

const SALT: usize = 16;
const NONCE: usize = 12;
const TAG: usize = 16;

/// How many bytes a sealed secret needs besides the secret and the head.
pub const OVERHEAD: usize = SALT + NONCE + TAG;

/// Writes a secret after a head.
///
/// # Errors
///
/// [`VaultError::ShortPassphrase`], and [`VaultError::NoEntropy`] if the source failed.
pub fn seal(
    head: &[u8],
    secret: &[u8],
    passphrase: &Secret,
    entropy: &mut dyn Entropy,
) -> Result<Vec<u8>, VaultError> {
    check_length(passphrase.expose_bytes(), false)?;
    let (salt, nonce) = (fresh::<SALT>(entropy)?, fresh::<NONCE>(entropy)?);
    let mut bytes = [head, &salt, &nonce].concat();
    let key = Cost::new(false).derive(passphrase.expose_bytes(), &salt);
    let mut text = Zeroizing::new(secret.to_vec());
    let tag = encipher(&key, &nonce, &bytes, &mut text);
    bytes.extend_from_slice(&text);
    bytes.extend_from_slice(&tag);
    Ok(bytes)
}

/// Reads the secret after a head of this many bytes; `None` if passphrase or bytes are wrong.
pub fn open(head: usize, bytes: &[u8], passphrase: &Secret) -> Option<Zeroizing<Vec<u8>>> {
    let (beginning, sealed) = bytes.split_at_checked(head.checked_add(SALT + NONCE)?)?;
    let (text, tag) = sealed.split_last_chunk::<TAG>()?;
    let (salted, nonce) = beginning.split_last_chunk::<NONCE>()?;
    let salt = salted.last_chunk::<SALT>()?;
    let key = Cost::new(false).derive(passphrase.expose_bytes(), salt);
    let mut secret = Zeroizing::new(text.to_vec());
    decipher(&key, nonce, beginning, &mut secret, tag).then_some(secret)
}
