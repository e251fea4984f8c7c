//! Back-ups: a vault sealed under the passphrases of two custodians, and a vault restored from it.
//!
//! A module's back-up is just this; a centre's also contains its store.

use std::fmt::Display;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use clap::Args;
use prepay_basics::Identifier;
use prepay_host::{SystemClock, SystemEntropy, private_file};
use prepay_vault::{
    Contents, KeyFile, MemoryStorage, Place, Quorum, RestoredLimits, Secret, SharedVault, Unlock,
    Vault, VaultError, VaultHeader,
};
use zeroize::Zeroizing;

use super::{Installation, VaultFlags};
use crate::failure::{Done, Failure};
use crate::file::there;
use crate::out::{Out, Record};
use crate::people::vault_failure;
use crate::sealing::{NewSealFlags, make_directory, require_empty, restore_failure};

/// Whether those who restore set new passphrases for themselves.
#[derive(Args)]
pub(crate) struct NewPassphrases {
    /// Set new passphrases for the two custodians who restore, who may have forgotten the old ones: the secrets NAME.new.
    /// The log says so.
    #[arg(long)]
    new_passphrases: bool,
}

/// Refuses contents of a vault, or not.
type Look<'a, C> = &'a dyn Fn(&C) -> Done<()>;

/// The longest back-up to read, in bytes.
const LONGEST: usize = 64 << 20;

/// Refuses a path that exists.
pub(crate) fn require_free(path: &Path) -> Done<()> {
    if path.symlink_metadata().is_ok() { Err(there(path)) } else { Ok(()) }
}

/// Signs two custodians in and seals the vault under a passphrase of each.
pub(crate) fn seal(
    flags: &VaultFlags,
    vault: &SharedVault<impl Contents>,
) -> Done<(Vec<u8>, Quorum)> {
    let by = flags.two(vault)?;
    let passphrases = passphrases(flags, by.names(), vault.header().insecure_test)?;
    let bytes = vault.backup(&by, passphrases.each_ref()).map_err(|error| vault_failure(&error))?;
    Ok((bytes, by))
}

/// The new passphrases of two custodians for a back-up.
pub(crate) fn passphrases(
    flags: &VaultFlags,
    by: [&Identifier; 2],
    is_test: bool,
) -> Done<[Secret; 2]> {
    if !is_test {
        require_apart(flags, ".backup", by)?;
    }
    let ask = |name: &Identifier| flags.secrets.fresh(&format!("{name}.backup"), &for_backup(name));
    Ok([ask(by[0])?, ask(by[1])?])
}

/// Asks for the new passphrases of the two who make a back-up, before the vault is opened.
pub(crate) fn ask_ahead(flags: &VaultFlags, header: &VaultHeader) -> Done<()> {
    let named = flags.named();
    let [first, second] = named.as_slice() else { return Ok(()) };
    if !header.insecure_test {
        require_apart(flags, ".backup", [first, second])?;
    }
    for name in [first, second] {
        flags.secrets.fresh_ahead(&format!("{name}.backup"), &for_backup(name))?;
    }
    Ok(())
}

fn for_backup(name: &Identifier) -> String {
    format!("new passphrase of custodian {name} for the back-up")
}

/// Refuses secrets of both in one directory.
fn require_apart(flags: &VaultFlags, suffix: &str, pair: [&Identifier; 2]) -> Done<()> {
    flags.secrets.require_apart(pair.map(|name| (name, suffix)))
}

/// The answer to a back-up.
pub(crate) fn record(
    site: &impl Installation,
    name: impl Display,
    custodians: [String; 2],
    to: &Path,
) -> Record {
    Record::new()
        .text(site.what(), name)
        .text("backup", to.display())
        .value("custodians", custodians.to_vec())
}

/// A back-up of a vault with such contents, still sealed.
pub(crate) struct Backup<C> {
    file: PathBuf,
    bytes: Zeroizing<Vec<u8>>,
    header: VaultHeader,
    contents: PhantomData<C>,
}

impl<C: Contents> Backup<C> {
    /// Reads a back-up, as far as this takes no secret.
    pub(crate) fn read(file: impl Into<PathBuf>) -> Done<Self> {
        let file = file.into();
        let bytes =
            private_file::read(&file, LONGEST).map_err(|error| Failure::file(&file, &error))?;
        let header = Vault::<C>::look_at_backup(&bytes)
            .map_err(|error| restore_failure(&file, &file, &error))?;
        Ok(Self { file, bytes, header, contents: PhantomData })
    }

    /// What it says about its vault.
    pub(crate) const fn header(&self) -> &VaultHeader {
        &self.header
    }

    /// Restores the vault in memory only, and looks at its contents.
    fn try_out(&self, custodians: [(&Identifier, &Secret); 2], look: Look<'_, C>) -> Done<()> {
        let key = KeyFile::generate(&mut SystemEntropy)
            .map_err(|_| vault_failure(&VaultError::NoEntropy))?;
        let (storage, entropy) = (Box::new(MemoryStorage::default()), Box::new(SystemEntropy));
        let place = Place { storage, entropy, clock: Box::new(SystemClock) };
        let (unlock, limits) = (Unlock::KeyFile(&key), RestoredLimits::Stopped);
        let vault = SharedVault::<C>::restore(place, &self.bytes, custodians, unlock, limits)
            .map_err(|error| restore_failure(&self.file, &self.file, &error))?;
        let looked = vault.with(|vault| look(vault.contents()));
        vault.lock();
        looked.map_err(|error| vault_failure(&error))?
    }
}

/// Restores a vault from a back-up into an empty directory, if its contents fit what lies beside it. This uses the
/// computer's clock.
pub(crate) fn restore<I: Installation>(
    site: &I,
    out: &Out,
    backup: &Backup<I::Contents>,
    seal: &NewSealFlags,
    anew: &NewPassphrases,
    limits: RestoredLimits,
    fits: Option<Look<'_, I::Contents>>,
) -> Done<SharedVault<I::Contents>> {
    let flags = site.flags();
    let pair = flags.pair()?;
    let path = site.vault_path()?;
    require_empty(site.dir()?, &path)?;
    seal.check(backup.header.insecure_test)?;
    let ask = |name: &Identifier| -> Done<Secret> {
        let what = format!("passphrase of custodian {name} for the back-up");
        flags.secrets.known(&format!("{name}.backup"), &what)
    };
    if !backup.header.insecure_test {
        require_apart(flags, ".backup", pair.each_ref())?;
        require_apart(flags, ".new", pair.each_ref())?;
    }
    let passphrases = [ask(&pair[0])?, ask(&pair[1])?];
    let custodians = [(&pair[0], &passphrases[0]), (&pair[1], &passphrases[1])];
    let fresh = |name: &Identifier| {
        let what = format!("new passphrase of custodian {name}");
        flags.secrets.fresh(&format!("{name}.new"), &what)
    };
    let new = match anew.new_passphrases {
        true => Some([fresh(&pair[0])?, fresh(&pair[1])?]),
        false => None,
    };
    let new = new.as_ref().map(<[Secret; 2]>::each_ref);
    if let Some(fits) = fits {
        backup.try_out(custodians, fits)?;
    }
    let VaultHeader { name, insecure_test, .. } = &backup.header;
    seal.ask_ahead(name.as_str(), "", *insecure_test, &flags.secrets)?;
    let (directory, _new) = make_directory(site.dir()?, &path)?;
    let made = seal.make(name.as_str(), "", *insecure_test, &flags.unlock, &flags.secrets)?;
    let place = directory.into_place(SystemClock);
    let vault =
        SharedVault::restore_anew(place, &backup.bytes, custodians, new, made.unlock(), limits)
            .map_err(|error| {
                seal.undo(error.may_be_done(), restore_failure(&backup.file, &path, &error))
            })?;
    out.set_test(vault.header().insecure_test);
    Ok(vault)
}
