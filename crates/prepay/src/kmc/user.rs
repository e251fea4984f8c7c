//! `prepay kmc user`: the people of a centre.

use clap::Subcommand;
use prepay_basics::Identifier;
use prepay_kmc_module::CentreVault;
use prepay_vault::{Quorum, Role};

use super::out::{Out, Record};
use super::place::PlaceFlags;
use crate::failure::Done;
use crate::people::{
    CustodianFlags, new_person, person, sign_in_failure, user_failure, vault_failure,
};

/// What can be done about people.
#[derive(Subcommand)]
pub(super) enum UserCommand {
    /// Everybody, with roles and failed sign-ins.
    List,
    /// Give somebody a role. Two custodians.
    Add {
        /// The name.
        #[arg(value_parser = person)]
        name: Identifier,
        /// custodian, operator or auditor.
        #[arg(long)]
        role: Role,
    },
    /// Take somebody's role away; two custodians must be left. Two custodians.
    Remove {
        /// The name.
        #[arg(value_parser = person)]
        name: Identifier,
    },
    /// Change a passphrase: one's own, or with two custodians a forgotten one. The new one is the secret
    /// NAME.new.
    Passphrase {
        /// The name.
        #[arg(value_parser = person)]
        name: Identifier,
    },
}

/// Runs one command.
pub(super) fn run(place: &PlaceFlags, command: &UserCommand, out: &Out) -> Done<()> {
    let (vault, _, _) = place.open_vault(out)?;
    let done = act(place, command, out, &vault);
    let closed = vault.close().map_err(|error| vault_failure(&error));
    done?;
    closed
}

fn act(place: &PlaceFlags, command: &UserCommand, out: &Out, vault: &CentreVault) -> Done<()> {
    match command {
        UserCommand::List => {
            let by = place.actor(vault, super::Needs::Reader)?;
            let users = vault.users(by.by()).map_err(|error| vault_failure(&error))?;
            let record = |user: &prepay_vault::UserReport| {
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
            let by = quorum(place, vault)?;
            let new = new_person(&place.secrets, name.clone(), *role)?;
            vault.add_user(&by, new.as_user()).map_err(|error| user_failure(name, &error))?;
            let record = Record::new().text("name", name).text("role", role);
            out.done(format_args!("{name} is now {role} of this centre"), &record)
        }
        UserCommand::Remove { name } => {
            let by = quorum(place, vault)?;
            vault.remove_user(&by, name).map_err(|error| user_failure(name, &error))?;
            out.done(format_args!("{name} has no role any more"), &Record::new().text("name", name))
        }
        UserCommand::Passphrase { name } => {
            let fresh = || {
                let what = format!("new passphrase of {name}");
                place.secrets.fresh(&format!("{name}.new"), &what)
            };
            if place.custodian.is_empty() {
                let old = place.secrets.known(name.as_str(), &format!("passphrase of {name}"))?;
                let session =
                    vault.sign_in(name, &old).map_err(|error| sign_in_failure(name, &error))?;
                let changed = vault.change_passphrase(&session, &old, &fresh()?);
                changed.map_err(|error| user_failure(name, &error))?;
            } else {
                let by = quorum(place, vault)?;
                let set = vault.set_passphrase(&by, name, &fresh()?);
                set.map_err(|error| user_failure(name, &error))?;
            }
            let record = Record::new().text("name", name);
            out.done(format_args!("{name} has another passphrase"), &record)
        }
    }
}

/// Signs two custodians in.
pub(super) fn quorum(place: &PlaceFlags, vault: &CentreVault) -> Done<Quorum> {
    let custodians = CustodianFlags { names: place.custodian.clone() };
    custodians.sign_in(&place.secrets, vault)
}
