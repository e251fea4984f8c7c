//! A vault with a clock, for all threads: everything that is the same for every vault.
//!
//! That is sign-in, people, protection and back-up; the audit log is in `slices.rs`. What to do with the contents is up to the owner, who
//! uses [`SharedVault::with`].
//!
//! # Failures
//!
//! | what happened | what every later call returns |
//! |---|---|
//! | the storage failed | [`VaultError::Broken`] |
//! | the owner could not write what it did ([`SharedVault::stop`]) | the same error |
//! | a thread panicked while it used the vault | [`VaultError::Broken`]: the contents may be half changed |
//! | the vault was locked or closed | [`VaultError::Locked`] |

use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::{
    AccessError, By, Contents, CreateError, Flusher, NewUser, OpenError, Quorum, RestoreError,
    RestoredLimits, Role, Secret, Session, Setup, SignInError, Unlock, UserError, UserReport,
    Vault, VaultError, VaultHeader, VaultStorage,
};
use prepay_basics::{Clock, Entropy, Identifier, Moment};

/// The surroundings of a vault.
pub struct Place {
    /// Its storage.
    pub storage: Box<dyn VaultStorage>,
    /// The source of its keys and nonces.
    pub entropy: Box<dyn Entropy>,
    /// Its clock.
    pub clock: Box<dyn Clock>,
}

/// An open vault, with its clock, for all threads.
pub struct SharedVault<C> {
    header: VaultHeader,
    state: Mutex<State<C>>,
    /// Held during a sign-in.
    signing_in: Mutex<()>,
    flusher: Flusher,
    clock: Box<dyn Clock>,
}

/// Whether the vault can be used.
enum State<C> {
    Open(Box<Vault<C>>),
    /// Its owner did something that it could not write.
    Broken(VaultError),
    Locked,
}

/// The roles that may read the audit log.
pub(super) const READERS: &[Role] = &[Role::Custodian, Role::Auditor];

impl<C: Contents> SharedVault<C> {
    /// Makes a vault in empty storage.
    ///
    /// # Errors
    ///
    /// As [`Vault::create`].
    pub fn create(place: Place, setup: Setup<'_>, contents: C) -> Result<Self, CreateError> {
        let Place { storage, entropy, clock } = place;
        let vault = Vault::create(storage, entropy, setup, contents, clock.now())?;
        Ok(Self::new(vault, clock))
    }

    /// Opens a vault. Nobody is signed in yet.
    ///
    /// # Errors
    ///
    /// As [`Vault::open`].
    pub fn open(place: Place, unlock: Unlock<'_>) -> Result<Self, OpenError> {
        let Place { storage, entropy, clock } = place;
        let vault = Vault::open(storage, entropy, unlock, clock.now())?;
        Ok(Self::new(vault, clock))
    }

    /// Makes a vault from a back-up, in empty storage.
    ///
    /// # Errors
    ///
    /// As [`Vault::restore`].
    pub fn restore(
        place: Place,
        backup: &[u8],
        custodians: [(&Identifier, &Secret); 2],
        unlock: Unlock<'_>,
        limits: RestoredLimits,
    ) -> Result<Self, RestoreError> {
        let Place { storage, entropy, clock } = place;
        let now = clock.now();
        let vault = Vault::restore(storage, entropy, backup, custodians, unlock, limits, now)?;
        Ok(Self::new(vault, clock))
    }

    fn new(vault: Vault<C>, clock: Box<dyn Clock>) -> Self {
        Self {
            header: vault.header().clone(),
            flusher: vault.flusher(),
            state: Mutex::new(State::Open(Box::new(vault))),
            signing_in: Mutex::new(()),
            clock,
        }
    }

    /// Signs a person in. Failures are recorded and delay later attempts. Other threads can use the vault meanwhile.
    ///
    /// # Errors
    ///
    /// [`SignInError`].
    pub fn sign_in(&self, name: &Identifier, passphrase: &Secret) -> Result<Session, SignInError> {
        let _one_at_a_time = self.signing_in.lock().unwrap_or_else(PoisonError::into_inner);
        let claim = self.with(|vault| vault.ask(name, self.now()))??.claim(passphrase);
        self.with(|vault| vault.settle(&claim, self.now()))?
    }

    /// Checks that the people who act are signed in here, in one of these roles.
    ///
    /// # Errors
    ///
    /// [`AccessError`]. In a locked or broken vault, every session has ended.
    pub fn authorize(&self, by: By<'_>, roles: &[Role]) -> Result<(), AccessError> {
        self.with(|vault| vault.authorize(by, roles)).unwrap_or(Err(AccessError::Ended))
    }

    /// The people of the vault, in the order of their names, for anyone signed in.
    ///
    /// # Errors
    ///
    /// [`VaultError`].
    pub fn users(&self, by: By<'_>) -> Result<Vec<UserReport>, VaultError> {
        self.with(|vault| {
            vault.authorize(by, &Role::ALL)?;
            Ok(vault.users())
        })?
    }

    /// Adds a person.
    ///
    /// # Errors
    ///
    /// [`UserError`].
    pub fn add_user(&self, by: &Quorum, user: NewUser<'_>) -> Result<(), UserError> {
        self.with(|vault| vault.add_user(by, user, self.now()))?
    }

    /// Removes a person, unless fewer than two custodians would remain.
    ///
    /// # Errors
    ///
    /// [`UserError`].
    pub fn remove_user(&self, by: &Quorum, name: &Identifier) -> Result<(), UserError> {
        self.with(|vault| vault.remove_user(by, name, self.now()))?
    }

    /// Sets a new passphrase for a person who forgot the old one.
    ///
    /// # Errors
    ///
    /// [`UserError`].
    pub fn set_passphrase(
        &self,
        by: &Quorum,
        name: &Identifier,
        passphrase: &Secret,
    ) -> Result<(), UserError> {
        self.with(|vault| vault.set_passphrase(by, name, passphrase, self.now()))?
    }

    /// Sets a new passphrase for oneself. Ends the session.
    ///
    /// # Errors
    ///
    /// [`UserError`].
    pub fn change_passphrase(
        &self,
        by: &Session,
        old: &Secret,
        new: &Secret,
    ) -> Result<(), UserError> {
        self.with(|vault| vault.change_passphrase(by, old, new, self.now()))?
    }

    /// Changes what unlocks the vault.
    ///
    /// # Errors
    ///
    /// [`VaultError`].
    pub fn change_protector(&self, by: &Quorum, unlock: Unlock<'_>) -> Result<(), VaultError> {
        self.with(|vault| vault.change_protector(by, unlock, self.now()))?
    }

    /// Accepts the time of a clock that is behind. Returns the latest time seen before, or `None` if the clock is not
    /// behind, so that there was nothing to accept.
    ///
    /// # Errors
    ///
    /// [`VaultError`].
    pub fn accept_clock(&self, by: &Quorum) -> Result<Option<Moment>, VaultError> {
        self.with(|vault| vault.accept_clock(by, self.now()))?
    }

    /// Makes a back-up that only the two custodians together can open. Each gives it a passphrase, in the order of
    /// [`Quorum::names`].
    ///
    /// # Errors
    ///
    /// [`VaultError`].
    pub fn backup(&self, by: &Quorum, passphrases: [&Secret; 2]) -> Result<Vec<u8>, VaultError> {
        self.with(|vault| vault.backup(by, passphrases, self.now()))?
    }

    /// Does something with the vault, if it can be used. First waits for a write in progress.
    ///
    /// # Errors
    ///
    /// [`VaultError::Broken`], [`VaultError::Locked`].
    pub fn with<T>(&self, act: impl FnOnce(&mut Vault<C>) -> T) -> Result<T, VaultError> {
        self.with_open(|vault| {
            vault.usable()?;
            Ok(act(vault))
        })?
    }

    /// Does something with the vault that is durable only when the log is written. The caller waits for that with
    /// [`SharedVault::flush_through`], which also says whether the vault can still be used. Does not wait for a write
    /// in progress, so that the next write serves many calls.
    ///
    /// # Errors
    ///
    /// [`VaultError::Broken`], [`VaultError::Locked`].
    pub fn with_open<T>(&self, act: impl FnOnce(&mut Vault<C>) -> T) -> Result<T, VaultError> {
        match &mut *self.state.lock().map_err(|_| panicked())? {
            State::Open(vault) => Ok(act(vault)),
            State::Broken(error) => Err(error.clone()),
            State::Locked => Err(VaultError::Locked),
        }
    }

    /// Returns when the entry with this number, and all before it, are durable. If that fails, the vault stops.
    ///
    /// # Errors
    ///
    /// [`VaultError::Broken`].
    pub fn flush_through(&self, sequence: u64) -> Result<(), VaultError> {
        self.flusher.flush_through(sequence).map_err(|error| self.stop(error))
    }

    /// Stops the vault, because its owner did something that it could not write, so that nothing is based on it.
    /// Returns the error.
    pub fn stop(&self, error: VaultError) -> VaultError {
        if let Ok(mut state) = self.state.lock()
            && matches!(*state, State::Open(_))
        {
            *state = State::Broken(error.clone());
        }
        error
    }

    /// Locks the vault: wipes its secrets and refuses every later call.
    pub fn lock(&self) {
        if let Ok(State::Open(vault)) | Err(State::Open(vault)) = self.take() {
            vault.lock();
        }
    }

    /// Writes everything and locks the vault.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if it cannot be written, or may be half changed; the vault is locked even then.
    pub fn close(&self) -> Result<(), VaultError> {
        match self.take() {
            Ok(State::Open(vault)) => vault.close(),
            Ok(State::Broken(error)) => Err(error),
            Ok(State::Locked) => Ok(()),
            Err(_) => Err(panicked()),
        }
    }

    /// Takes the vault out, even if a thread panicked while it used it.
    fn take(&self) -> Result<State<C>, State<C>> {
        let take = |state: &mut State<C>| std::mem::replace(state, State::Locked);
        match self.state.lock() {
            Ok(mut state) => Ok(take(&mut state)),
            Err(poisoned) => Err(take(&mut poisoned.into_inner())),
        }
    }
}

impl<C> SharedVault<C> {
    /// What is known about the vault without unlocking it.
    pub const fn header(&self) -> &VaultHeader {
        &self.header
    }

    /// The time, by the vault's clock.
    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// The vault's clock.
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }
}

fn panicked() -> VaultError {
    VaultError::Broken { problem: "a thread panicked in the middle of a change".to_owned() }
}

impl<C> fmt::Debug for SharedVault<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedVault({}, ..)", self.header.name)
    }
}
