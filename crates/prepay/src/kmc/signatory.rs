//! Where a signatory's key lies: a private file, sealed under a passphrase; and its public key in another.
//!
//! What the private file says is `prepay_kmc_module::signatory_file`'s.

use std::path::Path;

use prepay_basics::Identifier;
use prepay_host::{SystemEntropy, private_file};
use prepay_kmc_module::signatory_file::{self, LONGEST, SignatoryFileError};
use prepay_kmp::{Signatory, SignatoryKey};
use prepay_vault::Secret;

use crate::failure::{Done, Failure};
use crate::file::{self, NewFile, not_made};
use crate::people::vault_failure;

/// Makes a signatory and its file.
pub(super) fn create(path: &Path, name: Identifier, passphrase: &Secret) -> Done<Signatory> {
    let no_entropy = |error| Failure::broken("entropy", error);
    let signatory = Signatory::generate(name, &mut SystemEntropy).map_err(no_entropy)?;
    let bytes = signatory_file::seal(&signatory, passphrase, &mut SystemEntropy);
    private_file::create(path, &bytes.map_err(|error| vault_failure(&error))?)
        .map_err(|error| not_made(path, &error))?;
    Ok(signatory)
}

/// Reads a signatory's file. Its name can be asked before the passphrase.
pub(super) fn open(
    path: &Path,
    passphrase: impl FnOnce(&Identifier) -> Done<Secret>,
) -> Done<Signatory> {
    let bytes = private_file::read(path, LONGEST).map_err(|error| {
        Failure::file(path, &error).next("a signatory's file belongs to one person: chmod 600")
    })?;
    let refused = |error: SignatoryFileError| {
        let failure = Failure::refused(error.code(), format!("{}: {error}", path.display()));
        match error {
            SignatoryFileError::NotASignatory => {
                failure.next("it is made by prepay kmc form signatory NAME")
            }
            SignatoryFileError::WrongSecret => failure.next("try again"),
        }
    };
    let name = signatory_file::name(&bytes).map_err(refused)?;
    signatory_file::open(&bytes, &passphrase(&name)?).map_err(refused)
}

/// Writes the public key, for a centre.
pub(super) fn write_public(file: NewFile<'_>, key: &SignatoryKey) -> Done<()> {
    file.write(format!("{}\n", prepay_kmc::form::key_text(key)).as_bytes())
}

/// Reads a public key.
pub(super) fn read_public(path: &Path) -> Done<SignatoryKey> {
    let text = file::read(path)?;
    let bytes = base16ct::upper::decode_vec(text.trim_end()).ok();
    bytes.and_then(|bytes| SignatoryKey::decode(&bytes).ok()).ok_or_else(|| {
        let message = format!("{}: expected the public key of a signatory", path.display());
        Failure::refused("signatory_key", message)
            .next("it is written by prepay kmc form signatory NAME --public FILE")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signatory_is_read_back_and_never_overwritten() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("maria.key");
        let name: Identifier = "maria".parse().unwrap();
        let secret = || Secret::from("long enough!".to_owned());
        let short = create(&path, name.clone(), &Secret::from("eleven long".to_owned()));
        assert!(short.is_err() && !path.exists());
        let made = create(&path, name.clone(), &secret()).unwrap();
        let found = open(&path, |found| {
            assert_eq!(*found, name);
            Ok(secret())
        });
        assert_eq!(found.unwrap().key().fingerprint(), made.key().fingerprint());
        assert!(open(&path, |_| Ok(Secret::from("another".to_owned()))).is_err());
        assert!(create(&path, name, &secret()).is_err());
    }

    #[test]
    fn a_public_key_is_read_as_it_was_written() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("maria.pub");
        let made = Signatory::generate("maria".parse().unwrap(), &mut SystemEntropy).unwrap();
        write_public(NewFile::make(&path, false).unwrap(), made.key()).unwrap();
        assert_eq!(read_public(&path).unwrap().fingerprint(), made.key().fingerprint());
        std::fs::write(&path, "AB\n").unwrap();
        assert!(read_public(&path).is_err());
    }
}
