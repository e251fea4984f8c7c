//! Making a vault: its directory, first people and protection.

use clap::Args;
use prepay_vault::{
    Contents, CreateError, NewUser, Place, Protector, Quorum, Role, SharedVault, Unlock,
};

use super::{Installation, SiteClock, VaultFlags};
use crate::failure::Done;
use crate::out::{Out, Record};
use crate::people::{FirstPeopleFlags, NewPerson, quorum_failure, sign_in_failure};
use crate::sealing::{NewSealFlags, create_failure, make_directory, require_empty};

/// The people of a new vault, and what unlocks it.
#[derive(Args)]
pub(crate) struct NewVaultFlags {
    #[command(flatten)]
    people: FirstPeopleFlags,
    #[command(flatten)]
    seal: NewSealFlags,
}

/// What was made, with its people.
pub(crate) struct Made<V> {
    pub(crate) vault: V,
    people: Vec<NewPerson>,
    seal: Protector,
}

/// Makes a vault in an empty directory, by `make`.
pub(crate) fn make<V>(
    site: &impl Installation,
    flags: &NewVaultFlags,
    name: &str,
    insecure_test: bool,
    clock: SiteClock,
    make: impl FnOnce(Place, Unlock<'_>, &[NewUser<'_>]) -> Result<V, CreateError>,
) -> Done<Made<V>> {
    let VaultFlags { secrets, unlock, custodian, .. } = site.flags();
    let path = site.vault_path()?;
    // What is there already is refused before anybody is asked, and nothing is made or locked while people think.
    require_empty(site.dir()?, &path)?;
    flags.seal.check(insecure_test)?;
    let people = flags.people.with_passphrases(custodian, insecure_test, secrets)?;
    flags.seal.ask_ahead(name, "", insecure_test, secrets)?;
    let (directory, _new) = make_directory(site.dir()?, &path)?;
    let seal = flags.seal.make(name, "", insecure_test, unlock, secrets)?;
    let users: Vec<NewUser<'_>> = people.iter().map(NewPerson::as_user).collect();
    let vault = make(directory.into_place(clock), seal.unlock(), &users)
        .map_err(|error| flags.seal.undo(error.may_be_done(), create_failure(&path, &error)))?;
    let seal = seal.unlock().protector();
    Ok(Made { vault, people, seal })
}

impl<V> Made<V> {
    /// Signs the first two custodians in, whose passphrases are still known.
    pub(crate) fn quorum(&self, vault: &SharedVault<impl Contents>) -> Done<Quorum> {
        let sign_in = |person: &NewPerson| {
            vault
                .sign_in(&person.name, &person.passphrase)
                .map_err(|error| sign_in_failure(&person.name, &error))
        };
        let [first, second] = [&self.people[0], &self.people[1]];
        Quorum::new(sign_in(first)?, sign_in(second)?).map_err(|error| quorum_failure(&error))
    }

    /// Warns of two custodians only.
    pub(crate) fn advise(&self, out: &Out) {
        if self.people.iter().filter(|person| person.role == Role::Custodian).count() == 2 {
            out.remark(
                "two custodians only: if one forgets the passphrase, only a back-up helps; of three, two set a new one",
            );
        }
    }

    /// Adds the vault's protection and people to a record.
    pub(crate) fn put(&self, record: Record) -> Record {
        let of = |role: Role| -> Vec<String> {
            let people = self.people.iter().filter(|person| person.role == role);
            people.map(|person| person.name.to_string()).collect()
        };
        record
            .text("seal", &self.seal)
            .value("custodians", of(Role::Custodian))
            .value("operators", of(Role::Operator))
            .value("auditors", of(Role::Auditor))
    }
}
