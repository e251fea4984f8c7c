//! Where a centre is, and how it is opened: the vault of its module, the store of its rows, its clock, and the
//! people who act.
//!
//! ```text
//!  DIR/vault/      the centre's own module: keys, people, audit log (sealed)
//!  DIR/centre.db   customers, groups, authorisations, forms … (no secrets)
//!  DIR/test-time   test centres only: a clock that stands still
//! ```

use std::path::{Path, PathBuf};

use clap::Args;
use prepay_basics::Moment;
use prepay_kmc::centre::{Centre, CommandError};
use prepay_kmc_module::{Authority, CentreContents, CentreDesk, CentreModule, CentreVault};

use super::file;
use super::refusal;
use super::store::{self, Store};
use crate::failure::{Done, Failure};
use crate::out::Out;
use crate::vault::{Installation, SiteClock, VaultFlags, closing};
pub(super) use crate::vault::{Needs, moment};

/// Which centre, who acts, and where secrets come from.
#[derive(Args)]
pub(crate) struct PlaceFlags {
    #[command(flatten)]
    pub(super) vault: VaultFlags,
    /// Test centres only: the clock stands at this time, as 2026-03-01T13:55:00Z.
    #[arg(long, value_name = "TIME", value_parser = moment, global = true)]
    pub(super) fixed_time: Option<Moment>,
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

    /// The computer's, or in a test centre one that stands still.
    fn clock(&self, is_test: bool) -> Done<SiteClock> {
        if !is_test {
            return match self.fixed_time {
                None => Ok(SiteClock::System),
                Some(_) => Err(Failure::refused(
                    "fixed_time",
                    "--fixed-time: expected a test centre, found a real one",
                )
                .next("leave the flag out: a real centre goes by the computer's clock")),
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
    /// The clock of a centre that is to be made.
    pub(super) fn clock_of_new(&self, is_test: bool) -> Done<SiteClock> {
        match (self.fixed_time, is_test) {
            (None, _) => Ok(SiteClock::System),
            (Some(moment), true) => Ok(SiteClock::Fixed(moment)),
            (Some(_), false) => self.clock(false),
        }
    }

    /// Opens the vault and the store.
    pub(super) fn open(&self, out: &Out) -> Done<Site> {
        let vault = self.unlock(self.look(out)?)?;
        let clock = self.clock(vault.header().insecure_test)?;
        let store = store::open(&store_path(self.dir()?))?;
        Ok(Site { vault, store, clock })
    }

    /// Opens the centre, signs in whoever acts, lets them work, and closes it. The store may be empty when a
    /// making of the centre was cut: then it is set up now.
    pub(super) fn work<T>(
        &self,
        out: &Out,
        needs: Needs,
        work: impl FnOnce(&mut Centre<'_, Store>, &dyn CentreModule) -> Done<T>,
    ) -> Done<T> {
        let Site { vault, store, clock } = self.open(out)?;
        let worked = {
            let desk = CentreDesk::new(&vault, self.vault.actor(&vault, needs)?);
            let mut centre = Centre::new(store, &desk, &clock);
            set_up(&mut centre, &desk).and_then(|()| work(&mut centre, &desk))
        };
        closing(worked, vault.close())
    }
}

/// Writes the centre's own row, if the making of the centre was cut before it did. A vault that holds keys or
/// modules was in use: then the store was lost, and is not begun anew.
fn set_up(centre: &mut Centre<'_, Store>, module: &dyn CentreModule) -> Done<()> {
    let is_new = || -> Done<bool> {
        let keys = module.vending_keys().map_err(refusal::module)?;
        let modules = module.modules().map_err(refusal::module)?;
        Ok(module.authority() > Authority::Reading && keys.is_empty() && modules.is_empty())
    };
    match centre.record() {
        Err(CommandError::NotSetUp) if is_new()? => centre.set_up(),
        other => other.map(drop),
    }
    .map_err(|error| refusal::command(&error))
}

/// Reads the file of a clock that stands still.
pub(super) fn fixed_clock(path: &Path) -> Done<Moment> {
    let text = file::read(path)?;
    moment(text.trim_end()).map_err(|problem| {
        Failure::refused("test_time", format!("{}: {problem}", path.display()))
            .next("put the file right, or remove it for the computer's clock")
    })
}

/// Where the vault is.
pub(super) fn vault_path(dir: &Path) -> PathBuf {
    dir.join("vault")
}

/// Where the store is.
pub(super) fn store_path(dir: &Path) -> PathBuf {
    dir.join("centre.db")
}

/// Where the clock of a test centre is.
pub(super) fn test_time(dir: &Path) -> PathBuf {
    dir.join("test-time")
}
