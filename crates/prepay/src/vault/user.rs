//! `user`: the people of a vault.

use clap::Subcommand;
use prepay_basics::Identifier;
use prepay_vault::{By, Contents, Quorum, Role, SharedVault, UserReport};

use super::{Installation, Needs, VaultFlags};
use crate::failure::Done;
use crate::out::{Out, Record};
use crate::people::{new_person, person, sign_in_failure, user_failure, vault_failure};

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

/// Runs one command.
pub(crate) fn run(site: &impl Installation, command: &UserCommand, out: &Out) -> Done<()> {
    let flags = site.flags();
    site.with_vault(out, |vault| match command {
        UserCommand::List => {
            let by = flags.actor(vault, Needs::Reader)?;
            let users = vault.users(by.by()).map_err(|error| vault_failure(&error))?;
            let record = |user: &UserReport| {
                let waits = (user.failures > 0).then_some(user.wait_until);
                Record::new()
                    .text("name", &user.name)
                    .text("role", user.role)
                    .value("failures", user.failures)
                    .option("waits_until", waits)
            };
            out.table("people", &users.iter().map(record).collect::<Vec<_>>())
        }
        UserCommand::Add { name, role } => {
            let by = flags.two(vault)?;
            if *role == Role::Custodian {
                require_apart(flags, vault, &by, (name, ""))?;
            }
            let new = new_person(&flags.secrets, name.clone(), *role)?;
            vault.add_user(&by, new.as_user()).map_err(|error| user_failure(name, &error))?;
            let record = Record::new().text("name", name).text("role", role);
            out.done(format_args!("{name} is now {role} of this {}", site.what()), &record)
        }
        UserCommand::Remove { name } => {
            let by = flags.two(vault)?;
            vault.remove_user(&by, name).map_err(|error| user_failure(name, &error))?;
            out.done(format_args!("{name} was removed"), &Record::new().text("name", name))
        }
        UserCommand::Passphrase { name } => {
            let fresh = || {
                let what = format!("new passphrase of {name}");
                flags.secrets.fresh(&format!("{name}.new"), &what)
            };
            let changed = if flags.custodian.is_empty() {
                let old = flags.secrets.known(name.as_str(), &format!("passphrase of {name}"))?;
                let session =
                    vault.sign_in(name, &old).map_err(|error| sign_in_failure(name, &error))?;
                vault.change_passphrase(&session, &old, &fresh()?)
            } else {
                let by = flags.two(vault)?;
                let users = vault.users(By::Two(&by)).map_err(|error| vault_failure(&error))?;
                let is_custodian = |user: &UserReport| user.role == Role::Custodian;
                if users.iter().any(|user| user.name == *name && is_custodian(user)) {
                    require_apart(flags, vault, &by, (name, ".new"))?;
                }
                vault.set_passphrase(&by, name, &fresh()?)
            };
            changed.map_err(|error| user_failure(name, &error))?;
            let record = Record::new().text("name", name);
            out.done(format_args!("{name} has a new passphrase"), &record)
        }
    })
}

/// Refuses the new secret of a custodian, outside tests, in a directory that holds the secret of one who acts.
fn require_apart(
    flags: &VaultFlags,
    vault: &SharedVault<impl Contents>,
    by: &Quorum,
    new: (&Identifier, &str),
) -> Done<()> {
    if vault.header().insecure_test {
        return Ok(());
    }
    let [first, second] = by.names();
    flags.secrets.require_apart([(first, ""), (second, ""), new])
}
