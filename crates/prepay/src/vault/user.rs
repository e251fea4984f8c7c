//! `user`: the people of a vault.

use clap::Subcommand;
use prepay_basics::Identifier;
use prepay_session::PersonRecord;
use prepay_vault::{Actor, Contents, Quorum, Role, Secret, SharedVault, VaultHeader};

use super::{Installation, Needs, VaultFlags};
use crate::failure::Done;
use crate::out::{Out, Record};
use crate::people::{
    NewPerson, SureFlags, new_person, person, sign_in_failure, user_failure, vault_failure,
};

/// Commands for people.
#[derive(Subcommand)]
pub(crate) enum UserCommand {
    /// List all people, with roles and failed sign-ins.
    List,
    /// Add a person. Two custodians.
    Add {
        /// The name.
        #[arg(value_parser = person)]
        name: Identifier,
        /// The role: custodian, operator or auditor.
        #[arg(long, value_parser = role)]
        role: Role,
    },
    /// Remove a person; at least two custodians must remain. Two custodians.
    Remove {
        /// The name.
        #[arg(value_parser = person)]
        name: Identifier,
        #[command(flatten)]
        sure: SureFlags,
    },
    /// Change a passphrase: your own, or as two custodians that of anyone who forgot it. The new one is the
    /// secret NAME.new.
    Passphrase {
        /// The name.
        #[arg(value_parser = person)]
        name: Identifier,
    },
}

fn role(text: &str) -> Result<Role, String> {
    text.parse().map_err(|_| "expected custodian, operator or auditor".to_owned())
}

/// The people of a vault that this process opened, or of a module behind its service, for whoever has signed in there.
pub(crate) trait People {
    /// Whether it is a test vault.
    fn is_test(&self) -> bool;

    /// All people.
    fn list(&mut self) -> Done<Vec<PersonRecord>>;

    /// Adds a person.
    fn add(&mut self, new: &NewPerson) -> Done<()>;

    /// Removes a person.
    fn remove(&mut self, name: &Identifier) -> Done<()>;

    /// Sets the passphrase of a person.
    fn set_passphrase(&mut self, name: &Identifier, new: &Secret) -> Done<()>;

    /// Changes the passphrase of the one who has signed in.
    fn change_own(&mut self, old: &Secret, new: &Secret) -> Done<()>;
}

/// The people of an open vault, and who has signed in.
struct AtVault<'a, C> {
    vault: &'a SharedVault<C>,
    by: Actor,
}

impl<C> AtVault<'_, C> {
    fn two(&self) -> &Quorum {
        match &self.by {
            Actor::Two(both) => both,
            Actor::One(_) => unreachable!("two have signed in for this command"),
        }
    }
}

impl<C: Contents> People for AtVault<'_, C> {
    fn is_test(&self) -> bool {
        self.vault.header().insecure_test
    }

    fn list(&mut self) -> Done<Vec<PersonRecord>> {
        let users = self.vault.users(self.by.by()).map_err(|error| vault_failure(&error))?;
        Ok(users.iter().map(PersonRecord::from).collect())
    }

    fn add(&mut self, new: &NewPerson) -> Done<()> {
        let added = self.vault.add_user(self.two(), new.as_user());
        added.map_err(|error| user_failure(&new.name, &error))
    }

    fn remove(&mut self, name: &Identifier) -> Done<()> {
        let removed = self.vault.remove_user(self.two(), name);
        removed.map_err(|error| user_failure(name, &error))
    }

    fn set_passphrase(&mut self, name: &Identifier, new: &Secret) -> Done<()> {
        let set = self.vault.set_passphrase(self.two(), name, new);
        set.map_err(|error| user_failure(name, &error))
    }

    fn change_own(&mut self, old: &Secret, new: &Secret) -> Done<()> {
        let Actor::One(session) = &self.by else { unreachable!("one has signed in") };
        let changed = self.vault.change_passphrase(session, old, new);
        changed.map_err(|error| user_failure(session.name(), &error))
    }
}

/// Runs one command at a vault.
pub(crate) fn run(site: &impl Installation, command: &UserCommand, out: &Out) -> Done<()> {
    let flags = site.flags();
    command.ask(site.what())?;
    // Whoever changes the own passphrase signs in with it, so nobody else is asked for one.
    let needs = match command {
        UserCommand::List => Some(Needs::Reader),
        UserCommand::Passphrase { .. } if flags.custodian.is_empty() => None,
        _ => Some(Needs::Custodians),
    };
    let ask = |_: &VaultHeader| command.ask_ahead(flags);
    site.with_vault_after(out, needs, ask, |vault| {
        let (by, old) = match (command, command.own(flags)?) {
            (_, Some((name, old))) => {
                let session = vault.sign_in(&name, &old);
                (session.map_err(|error| sign_in_failure(&name, &error))?.into(), Some(old))
            }
            (UserCommand::List, None) => (flags.actor(vault, Needs::Reader)?, None),
            _ => (flags.two(vault)?.into(), None),
        };
        command.carry_out(flags, site.what(), &mut AtVault { vault, by }, old.as_ref(), out)
    })
}

impl UserCommand {
    /// Asks whether a person is to be removed, from a module or a centre.
    pub(crate) fn ask(&self, what: &str) -> Done<()> {
        let Self::Remove { name, sure } = self else { return Ok(()) };
        sure.ask(format_args!("{name} cannot sign in to the {what} any more"))
    }

    /// Asks for passphrases, before the vault is opened.
    fn ask_ahead(&self, flags: &VaultFlags) -> Done<()> {
        let secrets = &flags.secrets;
        match self {
            Self::List | Self::Remove { .. } => {}
            Self::Add { name, role } => {
                let what = format!("new passphrase of {role} {name}");
                secrets.fresh_ahead(name.as_str(), &what)?;
            }
            Self::Passphrase { name } => {
                if let Some((_, old)) = self.own(flags)? {
                    secrets.put_ahead(name.as_str(), old);
                }
                let what = format!("new passphrase of {name}");
                secrets.fresh_ahead(&format!("{name}.new"), &what)?;
            }
        }
        Ok(())
    }

    /// The person who changes the own passphrase, with the old one.
    pub(crate) fn own(&self, flags: &VaultFlags) -> Done<Option<(Identifier, Secret)>> {
        match self {
            Self::Passphrase { name } if flags.custodian.is_empty() => {
                let old = flags.secrets.known(name.as_str(), &format!("passphrase of {name}"))?;
                Ok(Some((name.clone(), old)))
            }
            _ => Ok(None),
        }
    }

    /// Runs the command, for whoever has signed in. `what` is a module or a centre, `old` the old passphrase of a person
    /// who changes it.
    pub(crate) fn carry_out(
        &self,
        flags: &VaultFlags,
        what: &str,
        people: &mut impl People,
        old: Option<&Secret>,
        out: &Out,
    ) -> Done<()> {
        match self {
            Self::List => {
                let record = |person: &PersonRecord| {
                    Record::new()
                        .text("name", &person.name)
                        .text("role", &person.role)
                        .value("failures", person.failures)
                        .option("waits_until", person.waits_until.as_ref())
                };
                let all = people.list()?;
                out.table("people", &all.iter().map(record).collect::<Vec<_>>())
            }
            Self::Add { name, role } => {
                if *role == Role::Custodian {
                    require_apart(flags, people, (name, ""))?;
                }
                people.add(&new_person(&flags.secrets, name.clone(), *role)?)?;
                let record = Record::new().text("name", name).text("role", role);
                out.done(format_args!("{name} is now {role} of this {what}"), &record)
            }
            Self::Remove { name, .. } => {
                people.remove(name)?;
                out.done(format_args!("{name} was removed"), &Record::new().text("name", name))
            }
            Self::Passphrase { name } => {
                let fresh = || {
                    let what = format!("new passphrase of {name}");
                    flags.secrets.fresh(&format!("{name}.new"), &what)
                };
                if let Some(old) = old {
                    people.change_own(old, &fresh()?)?;
                } else {
                    let is_custodian = |person: &PersonRecord| {
                        person.name == name.as_str() && person.role == Role::Custodian.to_string()
                    };
                    if people.list()?.iter().any(is_custodian) {
                        require_apart(flags, people, (name, ".new"))?;
                    }
                    people.set_passphrase(name, &fresh()?)?;
                }
                let record = Record::new().text("name", name);
                out.done(format_args!("{name} has a new passphrase"), &record)
            }
        }
    }
}

/// Refuses the new secret of a custodian, outside tests, in a directory that holds the secret of one who acts.
fn require_apart(flags: &VaultFlags, people: &impl People, new: (&Identifier, &str)) -> Done<()> {
    if people.is_test() {
        return Ok(());
    }
    let acting = flags.custodian.iter().map(|name| (name, ""));
    flags.secrets.require_apart(acting.chain([new]))
}
