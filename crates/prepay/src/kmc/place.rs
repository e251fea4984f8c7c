//! Where a centre is, and how it is opened: the vault of its module, the store of its rows, its clock, and the
//! people who act.
//!
//! ```text
//!  DIR/vault/      the centre's own module: keys, people, audit log (sealed)
//!  DIR/centre.db   customers, groups, authorisations, forms … (no secrets)
//!  DIR/test-time   test centres only: a clock that stands still
//! ```

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use prepay_basics::{Clock, Identifier, Moment};
use prepay_host::SystemClock;
use prepay_kmc::centre::{Centre, CommandError};
use prepay_kmc_module::{Authority, CentreContents, CentreDesk, CentreModule, CentreVault};
use prepay_vault::{Actor, VaultHeader};

use super::file;
use super::out::Out;
use super::refusal;
use super::store::{self, Store};
use crate::failure::{Done, Failure};
use crate::people::{AsFlags, CustodianFlags, person, vault_failure};
use crate::sealing::{UnlockFlags, WaitFlags, open_failure};
use crate::secret::SecretFlags;

/// Which centre, who acts, and where secrets come from.
#[derive(Args)]
pub(crate) struct PlaceFlags {
    /// The directory of the centre.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, global = true)]
    pub(super) dir: Option<PathBuf>,
    /// Who acts, when one person is enough.
    #[arg(long = "as", value_name = "NAME", value_parser = person, global = true, conflicts_with = "custodian")]
    as_name: Option<Identifier>,
    /// A custodian who acts; given twice for dual control.
    #[arg(long, value_name = "NAME", value_parser = person, global = true)]
    pub(super) custodian: Vec<Identifier>,
    /// Test centres only: the clock stands at this time, as 2026-03-01T13:55:00Z.
    #[arg(long, value_name = "TIME", value_parser = moment, global = true)]
    pub(super) fixed_time: Option<Moment>,
    #[command(flatten)]
    pub(super) unlock: UnlockFlags,
    #[command(flatten)]
    pub(super) secrets: SecretFlags,
    #[command(flatten)]
    pub(super) wait: WaitFlags,
}

/// Reads a moment.
pub(super) fn moment(text: &str) -> Result<Moment, String> {
    text.parse().map_err(|_| format!("expected a moment like 2026-03-01T13:55:00Z, found {text:?}"))
}

/// Whom a command takes, for the question when nobody was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// Anybody of the centre.
    Reader,
    /// An operator, or two custodians.
    Operator,
    /// Two custodians.
    Custodians,
}

/// An open centre.
pub(super) struct Site {
    pub(super) vault: CentreVault,
    pub(super) header: VaultHeader,
    pub(super) store: Store,
    pub(super) clock: SiteClock,
}

/// The clock of a centre.
#[derive(Clone, Copy, Debug)]
pub(super) enum SiteClock {
    /// The computer's.
    System,
    /// One that stands still.
    Fixed(Moment),
}

impl Clock for SiteClock {
    fn now(&self) -> Moment {
        match self {
            Self::System => SystemClock.now(),
            Self::Fixed(moment) => *moment,
        }
    }
}

impl PlaceFlags {
    /// The directory.
    pub(super) fn dir(&self) -> Done<&Path> {
        self.dir.as_deref().ok_or_else(|| {
            Failure::unable("flag", "which centre is meant: expected --dir DIR, found nothing")
                .next("give the directory of the centre with --dir DIR")
        })
    }

    /// Whether somebody was named who acts.
    pub(super) const fn is_anybody_named(&self) -> bool {
        self.as_name.is_some() || !self.custodian.is_empty()
    }

    /// The clock: the computer's, or in a test centre one that stands still.
    pub(super) fn clock(&self, is_test: bool) -> Done<SiteClock> {
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
        let dir = self.dir()?;
        let (vault, header, clock) = self.open_vault(out)?;
        let store = store::open(&store_path(dir))?;
        Ok(Site { vault, header, store, clock })
    }

    /// Opens the vault.
    pub(super) fn open_vault(&self, out: &Out) -> Done<(CentreVault, VaultHeader, SiteClock)> {
        let path = vault_path(self.dir()?);
        let (directory, header, protector) = self.wait.open::<CentreContents>(&path)?;
        out.set_test(header.insecure_test);
        let clock = self.clock(header.insecure_test)?;
        let seal = self.unlock.seal(&header, &protector, &self.secrets)?;
        let vault = CentreVault::open(directory.into_place(clock), seal.unlock())
            .map_err(|error| open_failure(&path, &error))?;
        Ok((vault, header, clock))
    }

    /// Signs in whoever acts.
    pub(super) fn desk<'a>(&self, vault: &'a CentreVault, needs: Needs) -> Done<CentreDesk<'a>> {
        Ok(CentreDesk::new(vault, self.actor(vault, needs)?))
    }

    /// Signs in whoever acts, to the vault.
    pub(super) fn actor(&self, vault: &CentreVault, needs: Needs) -> Done<Actor> {
        let ask_two = needs == Needs::Custodians && self.as_name.is_none();
        if ask_two || !self.custodian.is_empty() {
            let custodians = CustodianFlags { names: self.custodian.clone() };
            return Ok(custodians.sign_in(&self.secrets, vault)?.into());
        }
        let role = if needs == Needs::Reader { "reader" } else { "operator" };
        let one = AsFlags { name: self.as_name.clone() };
        Ok(one.sign_in(&self.secrets, role, vault)?.into())
    }

    /// Opens the centre, signs in whoever acts, lets them work, and closes it. The store may be empty when a
    /// making of the centre was cut: then it is set up now.
    pub(super) fn work<T>(
        &self,
        out: &Out,
        needs: Needs,
        work: impl FnOnce(&mut Centre<'_, Store>, &dyn CentreModule) -> Done<T>,
    ) -> Done<T> {
        let Site { vault, header: _, store, clock } = self.open(out)?;
        let worked = {
            let desk = self.desk(&vault, needs)?;
            let mut centre = Centre::new(store, &desk, &clock);
            set_up(&mut centre, &desk).and_then(|()| work(&mut centre, &desk))
        };
        let closed = vault.close().map_err(|error| vault_failure(&error));
        let done = worked?;
        closed?;
        Ok(done)
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
