//! `prepay kmc backup` and `restore`: the whole centre, in a directory of its own.
//!
//! ```text
//!  BACKUP/vault.backup   the centre's module, sealed under a passphrase of each of two custodians
//!  BACKUP/centre.db      the store
//!  BACKUP/test-time      test centres only
//! ```
//!
//! The command holds the lock of the vault while it copies vault and store, so that they belong together. Other
//! programs may read the store meanwhile.
//!
//! `test-time` is not authenticated, so restoring uses the computer's clock, and only a centre whose vault says that it
//! is a test centre uses the file.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use prepay_host::private_file;
use prepay_kmc_module::CentreContents;
use prepay_vault::{RestoredLimits, VaultHeader};

use super::place::{Needs, PlaceFlags, Site, fixed_clock, store_path, test_time};
use super::store::{self, BackupStore};
use crate::failure::{Done, Failure};
use crate::file;
use crate::out::{Out, Record};
use crate::people::vault_failure;
use crate::sealing::NewSealFlags;
use crate::vault::Installation as _;
use crate::vault::backup::{self, Backup};
use crate::vault::witness;

/// A back-up to restore. Name its custodians with --custodian.
#[derive(Args)]
pub(super) struct RestoreFlags {
    /// The directory written by `backup`.
    #[arg(value_name = "BACKUP", value_hint = ValueHint::DirPath)]
    backup: PathBuf,
    #[command(flatten)]
    anew: backup::NewPassphrases,
    #[command(flatten)]
    seal: NewSealFlags,
}

fn sealed(backup: &Path) -> PathBuf {
    backup.join("vault.backup")
}

/// Writes a back-up.
pub(super) fn backup(place: &PlaceFlags, to: &Path, out: &Out) -> Done<()> {
    let dir = place.dir()?;
    let failed = |error: io::Error| Failure::file(to, &error);
    backup::require_free(to)?;
    let ask = |header: &VaultHeader| backup::ask_ahead(&place.vault, header);
    let Site { vault, store, .. } = place.open(out, Needs::Custodians, ask)?;
    let (bytes, by) = backup::seal(&place.vault, &vault)?;
    DirBuilder::new().mode(0o700).create(to).map_err(failed)?;
    let write = || {
        private_file::create(sealed(to), &bytes).map_err(failed)?;
        store::copy(&store, &store_path(to))?;
        if test_time(dir).symlink_metadata().is_ok() {
            copy(&test_time(dir), &test_time(to))?;
        }
        file::sync_parent(to).map_err(failed)
    };
    write().inspect_err(|_| {
        let _ = std::fs::remove_dir_all(to); // Part of a back-up is none, and would be in the way of the next.
    })?;
    let custodians = by.names().map(ToString::to_string);
    let record = backup::record(place, &vault.header().name, custodians, to);
    vault.close().map_err(|error| vault_failure(&error))?;
    out.done(format_args!("wrote the back-up {}", to.display()), &record)
}

/// Copies a file to a new path.
fn copy(from: &Path, to: &Path) -> Done<()> {
    let bytes = std::fs::read(from).map_err(|error| Failure::file(from, &error))?;
    file::write(to, &bytes, false)
}

/// Restores a centre from a back-up.
pub(super) fn restore(place: &PlaceFlags, flags: &RestoreFlags, out: &Out) -> Done<()> {
    let dir = place.dir()?;
    let backup = &flags.backup;
    let from = Backup::<CentreContents>::read(sealed(backup))?;
    let rows = BackupStore::open(&store_path(backup), &from.header().name.clone().into())?;
    if place.fixed_time.is_some() {
        let message = "--fixed-time: expected an existing centre, found a back-up";
        return Err(Failure::refused("fixed_time", message)
            .next("leave the flag out: restoring uses the computer's clock"));
    }
    let stands_still = match test_time(backup) {
        path if path.symlink_metadata().is_err() => None,
        path => Some(fixed_clock(&path)?),
    };
    // A centre has no limits.
    let limits = RestoredLimits::Accepted;
    let fits = |contents: &CentreContents| rows.verify(&contents.database());
    let vault = backup::restore(place, out, &from, &flags.seal, &flags.anew, limits, Some(&fits))?;
    let header = vault.header().clone();
    copy(&store_path(backup), &store_path(dir))?;
    if let Some(moment) = stands_still.filter(|_| header.insecure_test) {
        file::write(&test_time(dir), format!("{moment}\n").as_bytes(), false)?;
    }
    vault.close().map_err(|error| vault_failure(&error))?;
    let record = Record::new()
        .text("centre", &header.name)
        .text("backup", backup.display())
        .text("dir", dir.display());
    out.done(format_args!("restored centre {} in {}", header.name, dir.display()), &record)?;
    out.remark("check what changed since the back-up: prepay kmc report orphans");
    witness::remark_restored(out);
    Ok(())
}
