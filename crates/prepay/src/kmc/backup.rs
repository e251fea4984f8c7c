//! `prepay kmc backup` and `restore`: the whole centre, in a directory of its own.
//!
//! ```text
//!  BACKUP/vault.backup   the centre's module, sealed under a passphrase of each of two custodians
//!  BACKUP/centre.db      the store
//!  BACKUP/test-time      test centres only
//! ```
//!
//! Vault and store are taken while no other process has the vault, so that they belong together. Another
//! program may read the store meanwhile.
//!
//! Nothing authenticates `test-time`, so restoring goes by the computer's clock, and the file counts only in a
//! centre whose vault says that it is a test centre.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use prepay_host::{SystemClock, private_file};
use prepay_kmc_module::{CentreContents, CentreVault};
use prepay_vault::RestoredLimits;

use super::out::{Out, Record};
use super::place::{PlaceFlags, Site, fixed_clock, store_path, test_time, vault_path};
use super::{file, store, user};
use crate::failure::{Done, Failure};
use crate::people::{CustodianFlags, vault_failure};
use crate::sealing::{NewSealFlags, backup_header, make_directory, restore_failure};

/// The longest back-up of a vault, in bytes.
const LONGEST: usize = 64 << 20;

/// A back-up to make a centre from. Its custodians are named with --custodian.
#[derive(Args)]
pub(super) struct RestoreFlags {
    /// The directory that `backup` made.
    #[arg(value_name = "BACKUP", value_hint = ValueHint::DirPath)]
    backup: PathBuf,
    #[command(flatten)]
    seal: NewSealFlags,
}

fn sealed(backup: &Path) -> PathBuf {
    backup.join("vault.backup")
}

/// Writes a back-up.
pub(super) fn backup(place: &PlaceFlags, backup: &Path, out: &Out) -> Done<()> {
    let dir = place.dir()?;
    let failed = |error: io::Error| Failure::file(backup, &error);
    if backup.symlink_metadata().is_ok() {
        let message = format!("{}: something of this name is there already", backup.display());
        return Err(
            Failure::unable("file_exists", message).next("name a directory that is not there")
        );
    }
    let Site { vault, header, store, .. } = place.open(out)?;
    let by = user::quorum(place, &vault)?;
    let secret = |name: &prepay_basics::Identifier| {
        let what = format!("passphrase of {name} for this back-up");
        place.secrets.fresh(&format!("{name}.backup"), &what)
    };
    let [first, second] = by.names();
    let secrets = [secret(first)?, secret(second)?];
    let bytes = vault.backup(&by, [&secrets[0], &secrets[1]]);
    let bytes = bytes.map_err(|error| vault_failure(&error))?;
    DirBuilder::new().mode(0o700).create(backup).map_err(failed)?;
    private_file::create(sealed(backup), &bytes).map_err(failed)?;
    store::copy(&store, &store_path(backup))?;
    if test_time(dir).symlink_metadata().is_ok() {
        copy(&test_time(dir), &test_time(backup))?;
    }
    file::sync_parent(backup).map_err(failed)?;
    let record = Record::new()
        .text("centre", &header.name)
        .text("backup", backup.display())
        .value("custodians", by.names().map(ToString::to_string).to_vec());
    vault.close().map_err(|error| vault_failure(&error))?;
    out.done(format_args!("wrote the back-up {}", backup.display()), &record)
}

/// Copies a file into a place where there is none.
fn copy(from: &Path, to: &Path) -> Done<()> {
    let bytes = std::fs::read(from).map_err(|error| Failure::file(from, &error))?;
    file::write(to, &bytes, false)
}

/// Makes a centre from a back-up.
pub(super) fn restore(place: &PlaceFlags, flags: &RestoreFlags, out: &Out) -> Done<()> {
    let dir = place.dir()?;
    let backup = &flags.backup;
    let bytes = private_file::read(sealed(backup), LONGEST)
        .map_err(|error| Failure::file(&sealed(backup), &error))?;
    if !store_path(backup).is_file() {
        let message = format!("{}: not there", store_path(backup).display());
        return Err(
            Failure::unable("file", message).next("a back-up holds vault.backup and centre.db")
        );
    }
    store::check_private(&store_path(backup))?;
    // What another store left beside its file would be taken for a part of this one.
    let leftovers = ["db", "db-wal", "db-shm"].map(|ending| store_path(dir).with_extension(ending));
    if let Some(left) = leftovers.iter().find(|path| path.symlink_metadata().is_ok()) {
        let message = format!("{}: there is a centre already", left.display());
        return Err(Failure::unable("not_empty", message).next("choose an empty directory"));
    }
    if place.fixed_time.is_some() {
        let message = "--fixed-time: expected a centre that is there, found a back-up";
        return Err(Failure::refused("fixed_time", message)
            .next("leave the flag out: restoring goes by the computer's clock"));
    }
    let stands_still = match test_time(backup) {
        path if path.symlink_metadata().is_err() => None,
        path => Some(fixed_clock(&path)?),
    };
    let pair = CustodianFlags { names: place.custodian.clone() }.pair()?;
    let secret = |name: &prepay_basics::Identifier| {
        place
            .secrets
            .known(&format!("{name}.backup"), &format!("passphrase of {name} for the back-up"))
    };
    let secrets = [secret(&pair[0])?, secret(&pair[1])?];
    let custodians = [(&pair[0], &secrets[0]), (&pair[1], &secrets[1])];
    let path = vault_path(dir);
    let (directory, _new) = make_directory(&path)?;
    let name = backup_header::<CentreContents>(&sealed(backup), &bytes)?.name;
    let seal = flags.seal.make(name.as_str(), "", &place.unlock, &place.secrets)?;
    let restored = CentreVault::restore(
        directory.into_place(SystemClock),
        &bytes,
        custodians,
        seal.unlock(),
        RestoredLimits::Accepted, // A centre has none.
    );
    let vault = restored.map_err(|error| {
        flags.seal.undo(error.may_be_done(), restore_failure(backup, &path, &error))
    })?;
    let header = vault.header();
    out.set_test(header.insecure_test);
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
    out.remark("check what was done since the back-up: prepay kmc report orphans");
    Ok(())
}
