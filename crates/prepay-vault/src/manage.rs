//! The people of a vault, and what unlocks it: check and change.
//!
//! Elsewhere: signing in (`sign_in.rs`).

use std::collections::BTreeMap;

use super::journal::Journal;
use super::seal::SealedMaster;
use super::secret::Key;
use super::shares::ShareKey;
use super::user::{Failures, User};
use super::{
    AccessError, By, Contents, NewUser, Protector, Quorum, Role, Secret, Session, Unlock,
    UserError, UserReport, Vault, VaultEntry, VaultError, VaultHeader, seal,
};
use prepay_basics::{Entropy, Identifier, Moment};

/// A new master key, and how it is sealed.
pub(super) struct NewMaster {
    master: Key,
    sealed: SealedMaster,
}

impl NewMaster {
    /// Makes and seals one, slowly. The custodians, in the order of their names, are for shares.
    pub(super) fn seal(
        unlock: &Unlock<'_>,
        header: &VaultHeader,
        custodians: &[(&Identifier, &ShareKey)],
        entropy: &mut dyn Entropy,
    ) -> Result<Self, VaultError> {
        let master = Key::random(entropy)?;
        let sealed = SealedMaster::seal(unlock, &master, header, custodians, entropy)?;
        Ok(Self { master, sealed })
    }
}

impl<C: Contents> Vault<C> {
    /// Checks that the people who act are signed in here, in one of these roles.
    ///
    /// # Errors
    ///
    /// [`AccessError`].
    pub fn authorize(&self, by: By<'_>, roles: &[Role]) -> Result<(), AccessError> {
        self.check(by)?;
        match by.sessions().find(|session| !roles.contains(&session.role)) {
            None => Ok(()),
            Some(session) => Err(AccessError::Role { found: session.role }),
        }
    }

    /// Checks that both custodians are signed in here.
    pub(super) fn authorize_two(&self, quorum: &Quorum) -> Result<(), AccessError> {
        self.authorize(By::Two(quorum), &[Role::Custodian])
    }

    pub(super) fn check(&self, by: By<'_>) -> Result<(), AccessError> {
        by.sessions().try_for_each(|session| self.people.check(session, &self.instance))
    }

    /// The people of the vault, in the order of their names.
    pub fn users(&self) -> Vec<UserReport> {
        let report = |(name, user): (&Identifier, &User)| {
            let Failures { count: failures, wait_until } = user.failures;
            UserReport { name: name.clone(), role: user.role, failures, wait_until }
        };
        self.people.users.iter().map(report).collect()
    }

    /// Adds a person.
    ///
    /// # Errors
    ///
    /// [`UserError`]; nothing has changed unless the vault is broken.
    pub fn add_user(
        &mut self,
        quorum: &Quorum,
        user: NewUser<'_>,
        now: Moment,
    ) -> Result<(), UserError> {
        self.authorize_two(quorum).map_err(VaultError::from)?;
        let NewUser { name, role, passphrase } = user;
        let user = self.person(role, passphrase)?;
        self.put_user(quorum, name, user, now)
    }

    /// Adds a person whose keys are derived.
    pub(super) fn put_user(
        &mut self,
        quorum: &Quorum,
        name: &Identifier,
        mut user: User,
        now: Moment,
    ) -> Result<(), UserError> {
        self.authorize_two(quorum).map_err(VaultError::from)?;
        if self.people.users.contains_key(name) {
            return Err(UserError::Exists);
        }
        let entry = VaultEntry::UserAdded { user: name.clone(), role: user.role };
        // So that no old session of an earlier person with this name is valid.
        user.passphrase = u32::try_from(self.entries()).unwrap_or(u32::MAX);
        self.change_people(By::Two(quorum), &entry, now, name, Some(user))?;
        Ok(())
    }

    /// Removes a person.
    ///
    /// # Errors
    ///
    /// [`UserError`]; nothing has changed unless the vault is broken.
    pub fn remove_user(
        &mut self,
        quorum: &Quorum,
        name: &Identifier,
        now: Moment,
    ) -> Result<(), UserError> {
        self.authorize_two(quorum).map_err(VaultError::from)?;
        let role = self.role(name)?;
        if role == Role::Custodian && self.people.custodians() <= 2 {
            return Err(UserError::TooFewCustodians);
        }
        let entry = VaultEntry::UserRemoved { user: name.clone(), role };
        self.change_people(By::Two(quorum), &entry, now, name, None)?;
        Ok(())
    }

    /// Sets a new passphrase for a person, for example one who forgot the old one. Also ends a wait.
    ///
    /// # Errors
    ///
    /// [`UserError`]; nothing has changed unless the vault is broken.
    pub fn set_passphrase(
        &mut self,
        quorum: &Quorum,
        name: &Identifier,
        passphrase: &Secret,
        now: Moment,
    ) -> Result<(), UserError> {
        self.authorize_two(quorum).map_err(VaultError::from)?;
        let user = self.person(self.role(name)?, passphrase)?;
        self.replace_user(By::Two(quorum), name, user, now)
    }

    /// Sets a new passphrase for oneself. Ends the session.
    ///
    /// # Errors
    ///
    /// [`UserError`]; a wrong old passphrase counts as a failed sign-in.
    pub fn change_passphrase(
        &mut self,
        session: &Session,
        old: &Secret,
        new: &Secret,
        now: Moment,
    ) -> Result<(), UserError> {
        self.check(By::One(session)).map_err(VaultError::from)?;
        self.check_passphrase(new)?;
        self.sign_in(&session.name, old, now)?;
        let user = self.person(session.role, new)?;
        self.replace_user(By::One(session), &session.name, user, now)
    }

    /// The role of a person.
    pub(super) fn role(&self, name: &Identifier) -> Result<Role, UserError> {
        Ok(self.people.users.get(name).ok_or(UserError::Unknown)?.role)
    }

    /// Puts a person whose keys are derived from a new passphrase in the place of the one who has this name and role.
    pub(super) fn replace_user(
        &mut self,
        by: By<'_>,
        name: &Identifier,
        user: User,
        now: Moment,
    ) -> Result<(), UserError> {
        self.check(by).map_err(VaultError::from)?;
        let old = self.people.users.get(name).filter(|old| old.role == user.role);
        let passphrase = old.ok_or(UserError::Unknown)?.passphrase.wrapping_add(1);
        let entry = VaultEntry::PassphraseChanged { user: name.clone() };
        self.change_people(by, &entry, now, name, Some(User { passphrase, ..user }))?;
        Ok(())
    }

    /// Sets new passphrases for two custodians who opened a back-up together.
    pub(super) fn replace_both(
        &mut self,
        names: [&Identifier; 2],
        new: [&Secret; 2],
        now: Moment,
    ) -> Result<(), UserError> {
        for (name, passphrase) in names.into_iter().zip(new) {
            // The first new passphrase ends that one's session.
            let session = |name: &Identifier| {
                let user = self.people.users.get(name).ok_or(UserError::Unknown)?;
                Ok::<_, UserError>(user.session(name, self.instance))
            };
            let both = Quorum::new(session(names[0])?, session(names[1])?);
            let both = both.map_err(|_| UserError::TooFewCustodians)?;
            let user = self.person(Role::Custodian, passphrase)?;
            self.replace_user(By::Two(&both), name, user, now)?;
        }
        Ok(())
    }

    fn check_passphrase(&self, passphrase: &Secret) -> Result<(), VaultError> {
        seal::check_length(passphrase.expose_bytes(), self.header.insecure_test)
    }

    fn person(&mut self, role: Role, passphrase: &Secret) -> Result<User, VaultError> {
        User::new(role, passphrase, self.header.insecure_test, &mut *self.entropy)
    }

    /// Puts a person in the place of whoever had the name, or removes the one who has it. If custodians' shares unlock
    /// the vault, there are new ones, of a new master key, for the custodians as they are then.
    fn change_people(
        &mut self,
        by: By<'_>,
        entry: &VaultEntry,
        now: Moment,
        name: &Identifier,
        user: Option<User>,
    ) -> Result<(), VaultError> {
        let shares = match self.protector() {
            Protector::Shares { threshold, .. } => {
                let mut custodians: BTreeMap<_, _> = self.people.shares().into_iter().collect();
                custodians.remove(name);
                custodians
                    .extend(user.as_ref().and_then(|user| Some((name, user.share.as_ref()?))));
                let custodians: Vec<_> = custodians.into_iter().collect();
                let unlock = Unlock::Shares { threshold, given: &[] };
                let entropy = &mut *self.entropy;
                Some(NewMaster::seal(&unlock, &self.header, &custodians, entropy)?)
            }
            _ => None,
        };
        self.commit_all(by, entry, now, |vault| {
            let users = &mut vault.people.users;
            match user {
                Some(user) => users.insert(name.clone(), user),
                None => users.remove(name),
            };
            if let Some(new) = shares {
                vault.set_master(new);
            }
        })?;
        Ok(())
    }

    /// Replaces what unlocks the vault, and the master key.
    ///
    /// Anyone with an old copy of the store, and what unlocked it, can still read that copy.
    ///
    /// # Errors
    ///
    /// [`VaultError`]; nothing has changed unless the vault is broken.
    pub fn change_protector(
        &mut self,
        quorum: &Quorum,
        unlock: Unlock<'_>,
        now: Moment,
    ) -> Result<(), VaultError> {
        self.authorize_two(quorum)?;
        let (custodians, entropy) = (self.people.shares(), &mut *self.entropy);
        let new = NewMaster::seal(&unlock, &self.header, &custodians, entropy)?;
        self.put_master(quorum, new, now)
    }

    /// Replaces what unlocks the vault by what is sealed already.
    pub(super) fn put_master(
        &mut self,
        quorum: &Quorum,
        new: NewMaster,
        now: Moment,
    ) -> Result<(), VaultError> {
        self.authorize_two(quorum)?;
        let protector = new.sealed.protector().to_string();
        let entry = VaultEntry::ProtectorChanged { protector };
        self.commit_all(By::Two(quorum), &entry, now, |vault| vault.set_master(new))?;
        Ok(())
    }

    fn set_master(&mut self, new: NewMaster) {
        self.sealed_master = new.sealed;
        self.master = new.master;
    }

    pub(super) const fn journal(&self) -> &std::sync::Arc<Journal> {
        &self.journal
    }
}
