//! The directory of a centre, and opening it: the vault of its module, the store of its rows, its clock, and the people
//! who act.
//!
//! ```text
//!  DIR/vault/      the centre's own module: keys, people, audit log (sealed)
//!  DIR/centre.db   customers, groups, authorisations, forms … (no secrets)
//!  DIR/test-time   test centres only: a fixed time for the clock
//! ```

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::Args;
use prepay_basics::Moment;
use prepay_kmc::centre::{Centre, CommandError};
use prepay_kmc_module::{Authority, CentreContents, CentreModule, CentreSession, CentreVault};
use prepay_vault::VaultHeader;

use super::refusal;
use super::store::{self, Store};
use crate::failure::{Done, Failure};
use crate::file;
use crate::out::Out;
use crate::vault::{Installation, SiteClock, VaultFlags, closing};
pub(super) use crate::vault::{Needs, moment};

/// The centre, the people, and the secrets.
#[derive(Args)]
pub(crate) struct PlaceFlags {
    #[command(flatten)]
    pub(super) vault: VaultFlags,
    /// Test centres only: fix the clock at this time, such as 2026-03-01T13:55:00Z.
    #[arg(long, value_name = "TIME", value_parser = moment, global = true)]
    pub(super) fixed_time: Option<Moment>,
}

/// What to do about a vault without `centre.db`.
pub(super) fn without_store(dir: &Path) -> String {
    let dir = dir.display();
    format!(
        "{dir} has a vault and no centre.db: if kmc init was interrupted, nothing was done in this centre, so remove \
         {dir} and make the centre again; otherwise restore both from one back-up"
    )
}

/// An open centre.
pub(super) struct Site {
    pub(super) vault: CentreVault,
    pub(super) store: Store,
    pub(super) clock: SiteClock,
}

impl Installation for PlaceFlags {
    type Contents = CentreContents;

    fn flags(&self) -> &VaultFlags {
        &self.vault
    }

    fn vault_path(&self) -> Done<PathBuf> {
        Ok(vault_path(self.dir()?))
    }

    /// The computer's clock, or in a test centre a fixed one.
    fn clock(&self, is_test: bool) -> Done<SiteClock> {
        if !is_test {
            return match self.fixed_time {
                None => Ok(SiteClock::System),
                Some(_) => Err(Failure::refused(
                    "fixed_time",
                    "--fixed-time: expected a test centre, found a real one",
                )
                .next("leave the flag out: a real centre uses the computer's clock")),
            };
        }
        if let Some(moment) = self.fixed_time {
            return Ok(SiteClock::Fixed(moment));
        }
        let path = test_time(self.dir()?);
        if path.symlink_metadata().is_err() {
            return Ok(SiteClock::System);
        }
        Ok(SiteClock::Fixed(fixed_clock(&path)?))
    }
}

impl PlaceFlags {
    /// The clock of a new centre.
    pub(super) fn clock_of_new(&self, is_test: bool) -> Done<SiteClock> {
        match (self.fixed_time, is_test) {
            (None, _) => Ok(SiteClock::System),
            (Some(moment), true) => Ok(SiteClock::Fixed(moment)),
            (Some(_), false) => self.clock(false),
        }
    }

    /// Opens the vault and the store. `ask` is as for [`Installation::unlock`].
    pub(super) fn open(
        &self,
        out: &Out,
        needs: Needs,
        ask: impl FnOnce(&VaultHeader) -> Done<()>,
    ) -> Done<Site> {
        let vault = self.unlock(self.look(out)?, Some(needs), ask)?;
        let clock = self.clock(vault.header().insecure_test)?;
        let path = store_path(self.dir()?);
        let store = store::open(&path).map_err(|failure| match path.symlink_metadata() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                failure.next(without_store(self.dir().unwrap_or(&path)))
            }
            _ => failure,
        })?;
        Ok(Site { vault, store, clock })
    }

    /// Opens the centre, signs people in, does something, and closes it. If making the centre was interrupted, the store
    /// may be empty; then it is set up now.
    pub(super) fn work<T>(
        &self,
        out: &Out,
        needs: Needs,
        work: impl FnOnce(&mut Centre<'_, Store>, &dyn CentreModule) -> Done<T>,
    ) -> Done<T> {
        let Site { vault, store, clock } = self.open(out, needs, |_| Ok(()))?;
        let worked = {
            let centre_module = CentreSession::new(&vault, self.vault.actor(&vault, needs)?);
            let mut centre = Centre::new(store, &centre_module, &clock);
            set_up(&mut centre, &centre_module)
                .and_then(|()| wipe_retired(&mut centre, &centre_module, out))
                .and_then(|()| work(&mut centre, &centre_module))
        };
        closing(worked, vault.close())
    }
}

/// Settles on what an interrupted command left, and writes the centre's own row if making the centre was interrupted
/// before that.
fn set_up(centre: &mut Centre<'_, Store>, module: &dyn CentreModule) -> Done<()> {
    centre.store_mut().settle().map_err(refusal::store)?;
    match centre.record() {
        Err(CommandError::NotSetUp) if module.authority() > Authority::Reading => centre.set_up(),
        other => other.map(drop),
    }
    .map_err(|error| refusal::command(&error))
}

/// Wipes retired keys whose time has come, if those who act may.
fn wipe_retired(centre: &mut Centre<'_, Store>, module: &dyn CentreModule, out: &Out) -> Done<()> {
    if module.authority() < Authority::DualControl {
        return Ok(());
    }
    for key in centre.wipe_retired_keys().map_err(|error| refusal::command(&error))? {
        out.remark(format_args!("the vending key of {} was retired; it is wiped now", key.id));
    }
    Ok(())
}

/// Reads the file with the fixed time.
pub(super) fn fixed_clock(path: &Path) -> Done<Moment> {
    let text = file::read(path)?;
    moment(text.trim_end()).map_err(|problem| {
        Failure::refused("test_time", format!("{}: {problem}", path.display()))
            .next("correct the file, or remove it to use the computer's clock")
    })
}

/// The path of the vault.
pub(super) fn vault_path(dir: &Path) -> PathBuf {
    dir.join("vault")
}

/// The path of the store.
pub(super) fn store_path(dir: &Path) -> PathBuf {
    dir.join("centre.db")
}

/// The path of the fixed time.
pub(super) fn test_time(dir: &Path) -> PathBuf {
    dir.join("test-time")
}
