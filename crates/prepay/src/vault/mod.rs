//! Everything that is the same for modules and centres: the flags for the vault and the people, opening it, and the
//! commands for people, protection, back-ups and the audit log.
//!
//! | file | commands |
//! |------|----------|
//! | `new.rs` | what `init` and `restore` share |
//! | `user.rs` | `user list`, `add`, `remove`, `passphrase` |
//! | `seal.rs` | `seal` |
//! | `clock.rs` | `clock accept` |
//! | `backup.rs` | what `backup` and `restore` share |
//! | `audit.rs` | `audit list`, `verify` |
//! | `repair.rs` | `repair` |
//! | `witness.rs` | `witness set`, `remove`, `show` |

pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod clock;
pub(crate) mod new;
pub(crate) mod repair;
pub(crate) mod seal;
pub(crate) mod user;
pub(crate) mod witness;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use clap::{Args, ValueHint};
use prepay_basics::{Clock, Identifier, Moment};
use prepay_host::{Directory, SystemClock};
use prepay_vault::{
    Actor, Contents, OpenError, Protector, Quorum, Secret, Session, SharedVault, Vault, VaultError,
    VaultHeader,
};

use crate::failure::{Done, Failure};
use crate::out::Out;
use crate::people::{ask_name, person, quorum_failure, sign_in_failure, vault_failure};
use crate::sealing::{Seal, UnlockFlags, WaitFlags, open_failure};
use crate::secret::SecretFlags;

/// Which vault, who acts, and where secrets come from.
#[derive(Args, Clone, Debug)]
pub(crate) struct VaultFlags {
    /// The directory of the module or centre.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, global = true, help_heading = "Vault")]
    pub(crate) dir: Option<PathBuf>,
    /// The person who acts, if one is enough [default: asks on the terminal].
    #[arg(long = "as", value_name = "NAME", value_parser = person, global = true, conflicts_with = "custodian", help_heading = "Vault")]
    pub(crate) as_name: Option<Identifier>,
    /// A custodian who acts; give it twice for dual control [default: asks on the terminal].
    #[arg(long, value_name = "NAME", value_parser = person, global = true, help_heading = "Vault")]
    pub(crate) custodian: Vec<Identifier>,
    /// The vault must have this witness: an older copy, from before it was set, is refused.
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, global = true, help_heading = "Vault")]
    pub(crate) witness: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) unlock: UnlockFlags,
    #[command(flatten)]
    pub(crate) secrets: SecretFlags,
    #[command(flatten)]
    pub(crate) wait: WaitFlags,
    /// The names that were asked for ahead.
    #[arg(skip)]
    named: Named,
}

/// The names of those who act, if they were asked for on the terminal.
#[derive(Clone, Debug, Default)]
struct Named(Arc<Mutex<Vec<Identifier>>>);

/// What to do when fewer or more than two custodians were named.
const TAKES_TWO: &str = "dual control takes two: give --custodian twice";

/// Who may give a command, for the question if nobody was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Anyone.
    Reader,
    /// An operator, or two custodians.
    Operator,
    /// Two custodians.
    Custodians,
}

/// A module or a centre, as the commands here see it.
pub(crate) trait Installation {
    /// The contents of its vault.
    type Contents: Contents;

    /// Which one it is, and who acts.
    fn flags(&self) -> &VaultFlags;

    /// The directory of its vault.
    fn vault_path(&self) -> Done<PathBuf>;

    /// Its clock.
    fn clock(&self, is_test: bool) -> Done<SiteClock>;

    /// What it is called in messages.
    fn what(&self) -> &'static str {
        Self::Contents::KIND.name
    }

    /// The directory that was named.
    fn dir(&self) -> Done<&Path> {
        self.flags().dir.as_deref().ok_or_else(|| {
            let what = self.what();
            let message = format!("directory of the {what}: expected --dir DIR, found nothing");
            let next = format!("give the directory of the {what}: --dir DIR");
            Failure::unable("flag", message).next(next)
        })
    }

    /// Opens the directory of the vault, without unlocking it.
    fn look(&self, out: &Out) -> Done<(Directory, VaultHeader, Protector)> {
        let path = self.vault_path()?;
        let mut directory = self.flags().wait.open(&path)?;
        let (header, protector) = Vault::<Self::Contents>::look(&mut directory)
            .map_err(|error| open_failure(&path, &error))?;
        out.set_test(header.insecure_test);
        Ok((directory, header, protector))
    }

    /// Unlocks a vault for those who will act. Everything that is asked for is asked while the vault is closed, so that
    /// nobody waits for its lock while people think; `ask` asks for what the command needs besides.
    fn unlock(
        &self,
        (directory, header, protector): (Directory, VaultHeader, Protector),
        needs: Option<Needs>,
        ask: impl FnOnce(&VaultHeader) -> Done<()>,
    ) -> Done<SharedVault<Self::Contents>> {
        let clock = self.clock(header.insecure_test)?;
        let VaultFlags { unlock, secrets, custodian, wait, .. } = self.flags();
        let path = directory.path().to_owned();
        drop(directory);
        let seal = unlock.seal(&header, &protector, custodian, secrets)?;
        if let Some(needs) = needs {
            self.flags().ask_ahead(needs)?;
        }
        ask(&header)?;
        let directory = wait.open(&path)?;
        let vault = SharedVault::open(directory.into_place(clock), seal.unlock());
        let vault = vault.map_err(|error| {
            let failure = open_failure(&path, &error);
            match (error, seal) {
                (OpenError::WrongSecret, Seal::Shares { .. }) => failure
                    .next("enter both passphrases again: which of them is wrong cannot be told"),
                _ => failure,
            }
        })?;
        witness::require(&vault, self.flags().witness.as_deref())?;
        Ok(vault)
    }

    /// Opens the vault for those who will act, does something with it, and closes it.
    fn with_vault<T>(
        &self,
        out: &Out,
        needs: Needs,
        work: impl FnOnce(&SharedVault<Self::Contents>) -> Done<T>,
    ) -> Done<T> {
        self.with_vault_after(out, Some(needs), |_| Ok(()), work)
    }

    /// The same for a command that asks for more than who acts; `ask` is as for [`Installation::unlock`].
    fn with_vault_after<T>(
        &self,
        out: &Out,
        needs: Option<Needs>,
        ask: impl FnOnce(&VaultHeader) -> Done<()>,
        work: impl FnOnce(&SharedVault<Self::Contents>) -> Done<T>,
    ) -> Done<T> {
        let vault = self.unlock(self.look(out)?, needs, ask)?;
        let done = work(&vault);
        closing(done, vault.close())
    }
}

/// The result, unless the vault could not be closed.
pub(crate) fn closing<T>(done: Done<T>, closed: Result<(), VaultError>) -> Done<T> {
    let done = done?;
    closed.map_err(|error| vault_failure(&error))?;
    Ok(done)
}

/// Reads a moment; its seconds may be left out.
pub(crate) fn moment(text: &str) -> Result<Moment, String> {
    prepay_records::time::moment(text)
        .ok_or_else(|| format!("expected a UTC time such as 2026-03-01T13:55Z, found {text:?}"))
}

/// The clock of a module or centre.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SiteClock {
    /// The computer's.
    System,
    /// One with a fixed time.
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

impl VaultFlags {
    /// Whether anyone was named who acts.
    pub(crate) const fn is_anybody_named(&self) -> bool {
        self.as_name.is_some() || !self.custodian.is_empty()
    }

    /// Signs in the people who act.
    pub(crate) fn actor(&self, vault: &SharedVault<impl Contents>, needs: Needs) -> Done<Actor> {
        let ask_two = needs == Needs::Custodians && self.as_name.is_none();
        if ask_two || !self.custodian.is_empty() {
            return Ok(self.two(vault)?.into());
        }
        let role = if needs == Needs::Reader { "reader" } else { "operator" };
        Ok(self.one(vault, role)?.into())
    }

    /// Asks for the names and the passphrases of those who will act, and keeps them until they sign in.
    fn ask_ahead(&self, needs: Needs) -> Done<()> {
        let people: Vec<_> = if (needs == Needs::Custodians && self.as_name.is_none())
            || !self.custodian.is_empty()
        {
            self.custodians()?.into()
        } else {
            vec![self.person(if needs == Needs::Reader { "reader" } else { "operator" })?]
        };
        let mut named = Vec::new();
        for (name, passphrase) in people {
            self.secrets.put_ahead(name.as_str(), passphrase);
            named.push(name);
        }
        *self.named.0.lock().unwrap_or_else(PoisonError::into_inner) = named;
        Ok(())
    }

    /// The names of those who will act, given or asked for ahead.
    pub(crate) fn named(&self) -> Vec<Identifier> {
        self.named.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Refuses custodians where one person acts.
    pub(crate) fn require_one(&self) -> Done<()> {
        if self.custodian.is_empty() {
            return Ok(());
        }
        let message = "expected one person, found custodians";
        Err(Failure::flag("--custodian", message).next("give --as NAME"))
    }

    /// Signs one person in.
    pub(crate) fn one(&self, vault: &SharedVault<impl Contents>, role: &str) -> Done<Session> {
        let (name, passphrase) = self.person(role)?;
        vault.sign_in(&name, &passphrase).map_err(|error| sign_in_failure(&name, &error))
    }

    /// The one who acts, with a passphrase.
    pub(crate) fn person(&self, role: &str) -> Done<(Identifier, Secret)> {
        self.require_one()?;
        let named = self.as_name.clone().or_else(|| self.named().pop());
        let name = match named {
            Some(name) => name,
            None => ask_name(&format!("name of the {role}"), "--as NAME")?,
        };
        let passphrase = self.secrets.known(name.as_str(), &format!("passphrase of {name}"))?;
        self.secrets.forget();
        Ok((name, passphrase))
    }

    /// Two names, given or asked for.
    pub(crate) fn pair(&self) -> Done<[Identifier; 2]> {
        let pair = match self.custodian.as_slice() {
            [first, second] => [first.clone(), second.clone()],
            [] if self.as_name.is_some() => {
                let failure = Failure::unable("custodians", "expected 2 custodians, found --as");
                return Err(failure.next(TAKES_TWO));
            }
            [] => match <[Identifier; 2]>::try_from(self.named()) {
                Ok(named) => named,
                Err(_) => [
                    ask_name("name of the first custodian", "--custodian NAME twice")?,
                    ask_name("name of the second custodian", "--custodian NAME twice")?,
                ],
            },
            others => {
                let message = format!("expected 2 custodians, found {}", others.len());
                let failure = Failure::unable("custodians", message);
                return Err(failure.next(TAKES_TWO));
            }
        };
        if pair[0] == pair[1] {
            let message = format!("expected two different custodians, found {} twice", pair[0]);
            return Err(Failure::unable("custodians", message).next("name two different people"));
        }
        Ok(pair)
    }

    /// Signs two custodians in. Gets both passphrases before it tries either. One person alone is refused after
    /// signing in, as a centre refuses it.
    pub(crate) fn two(&self, vault: &SharedVault<impl Contents>) -> Done<Quorum> {
        if let Some(name) = &self.as_name {
            self.one(vault, "custodian")?;
            return Err(alone(name));
        }
        let sign_in = |(name, passphrase): &(Identifier, Secret)| {
            vault.sign_in(name, passphrase).map_err(|error| sign_in_failure(name, &error))
        };
        let [first, second] = self.custodians()?;
        if !vault.header().insecure_test {
            self.require_apart([&first.0, &second.0])?;
        }
        Quorum::new(sign_in(&first)?, sign_in(&second)?).map_err(|error| quorum_failure(&error))
    }

    /// The two who act, with their passphrases.
    pub(crate) fn custodians(&self) -> Done<[(Identifier, Secret); 2]> {
        let [first, second] = self.pair()?;
        let with_passphrase = |name: Identifier| {
            let what = format!("passphrase of custodian {name}");
            let passphrase = self.secrets.known(name.as_str(), &what)?;
            Ok::<_, Failure>((name, passphrase))
        };
        let both = [with_passphrase(first)?, with_passphrase(second)?];
        self.secrets.forget();
        Ok(both)
    }

    /// Refuses the secrets of both custodians of a real vault in one directory.
    pub(crate) fn require_apart(&self, pair: [&Identifier; 2]) -> Done<()> {
        self.secrets.require_apart(pair.map(|name| (name, "")))
    }
}

/// Why one person is refused where two custodians are needed.
pub(crate) fn alone(name: &Identifier) -> Failure {
    let message = format!("expected two custodians, found {name} alone");
    Failure::refused("forbidden", message).next(TAKES_TWO)
}
