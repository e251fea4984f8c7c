//! The file of a signatory: the key that signs a customer's forms, sealed under a passphrase.
//!
//! ```text
//!  PREPAY-SIGNATORY 1\n
//!  length of the name (1), name, salt (16), nonce (12)   authenticated
//!  secret (48) and tag (16)                              AES-256-GCM under Argon2id of the passphrase
//! ```
//!
//! - Sealing, cost and least length of the passphrase: [`prepay_vault::passphrase`].
//! - Elsewhere: how the file lies on disk, and who is asked for the passphrase (`prepay`).

use std::fmt;

use prepay_basics::{Entropy, Identifier};
use prepay_kmp::Signatory;
use prepay_vault::{Secret, VaultError, passphrase};

const MAGIC: &[u8] = b"PREPAY-SIGNATORY 1\n";

/// The greatest length of the file, in bytes.
pub const LONGEST: usize = 256;

/// Why a file gives no signatory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatoryFileError {
    /// It is no file of a signatory.
    NotASignatory,
    /// The passphrase does not open it, or it is damaged. Try again.
    WrongSecret,
}

prepay_basics::codes! {
    SignatoryFileError {
        NotASignatory = "signatory_file",
        WrongSecret = "wrong_secret",
    }
}

impl fmt::Display for SignatoryFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotASignatory => "expected the file of a signatory, found another",
            Self::WrongSecret => "this passphrase does not open it, or the file is damaged",
        })
    }
}

impl std::error::Error for SignatoryFileError {}

/// Writes the file of a signatory.
///
/// # Errors
///
/// [`VaultError::ShortPassphrase`], and [`VaultError::NoEntropy`] when the source has failed.
pub fn seal(
    signatory: &Signatory,
    passphrase: &Secret,
    entropy: &mut dyn Entropy,
) -> Result<Vec<u8>, VaultError> {
    let name = signatory.key().id().as_str();
    let mut head = MAGIC.to_vec();
    head.push(u8::try_from(name.len()).expect("a name has at most 40 bytes"));
    head.extend_from_slice(name.as_bytes());
    passphrase::seal(&head, &signatory.expose_bytes()[..], passphrase, entropy)
}

/// Whose file it is, as it says itself.
///
/// # Errors
///
/// [`SignatoryFileError::NotASignatory`].
pub fn name(bytes: &[u8]) -> Result<Identifier, SignatoryFileError> {
    head(bytes).map(|(name, _)| name).ok_or(SignatoryFileError::NotASignatory)
}

/// Reads the file of a signatory.
///
/// # Errors
///
/// [`SignatoryFileError`].
pub fn open(bytes: &[u8], passphrase: &Secret) -> Result<Signatory, SignatoryFileError> {
    let (name, head) = head(bytes).ok_or(SignatoryFileError::NotASignatory)?;
    let secret = passphrase::open(head, bytes, passphrase);
    let secret = secret.ok_or(SignatoryFileError::WrongSecret)?;
    Signatory::from_bytes(name, &secret).map_err(|_| SignatoryFileError::NotASignatory)
}

/// The name in a file, and how many bytes lie before what is sealed.
fn head(bytes: &[u8]) -> Option<(Identifier, usize)> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (&length, rest) = rest.split_first()?;
    let name = std::str::from_utf8(rest.get(..length.into())?).ok()?.parse().ok()?;
    let head = MAGIC.len() + 1 + usize::from(length);
    (bytes.len() > head + passphrase::OVERHEAD && bytes.len() <= LONGEST).then_some((name, head))
}

#[cfg(test)]
mod tests {
    use super::*;
    use prepay_testkit::Foreseeable;

    fn secret(text: &str) -> Secret {
        Secret::from(text.to_owned())
    }

    #[test]
    fn a_signatory_comes_back_with_its_passphrase_only() {
        let maria: Identifier = "maria".parse().unwrap();
        let made = Signatory::generate(maria.clone(), &mut Foreseeable::new(7)).unwrap();
        let bytes = seal(&made, &secret("long enough!"), &mut Foreseeable::new(9)).unwrap();
        assert!(bytes.len() <= LONGEST);
        assert_eq!(name(&bytes), Ok(maria));
        let found = open(&bytes, &secret("long enough!")).unwrap();
        assert_eq!(found.key().fingerprint(), made.key().fingerprint());
        let wrong = open(&bytes, &secret("another")).err();
        assert_eq!(wrong, Some(SignatoryFileError::WrongSecret));
        let short = seal(&made, &secret("eleven long"), &mut Foreseeable::new(9));
        assert_eq!(short, Err(VaultError::ShortPassphrase { expected: 12 }));
        assert!(!bytes.windows(48).any(|part| part == &made.expose_bytes()[..]));
    }

    #[test]
    fn a_bent_or_cut_file_is_refused() {
        let made = Signatory::generate("maria".parse().unwrap(), &mut Foreseeable::new(7)).unwrap();
        let bytes = seal(&made, &secret("long enough!"), &mut Foreseeable::new(9)).unwrap();
        for place in [0, 18, 19, 20, 24, 25, 41, 53, bytes.len() - 17, bytes.len() - 1] {
            let mut bent = bytes.clone();
            bent[place] ^= 1;
            assert!(open(&bent, &secret("long enough!")).is_err(), "byte {place}");
        }
        for length in [0, 5, 19, 25, 53, bytes.len() - 1] {
            assert!(open(&bytes[..length], &secret("long enough!")).is_err(), "{length} bytes");
        }
    }
}
