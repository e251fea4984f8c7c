//! A vault with a clock, for all threads: everything that is the same for every vault.
//!
//! That is sign-in, people, protection and back-up; the audit log is in `slices.rs`. What to do with the contents is up to the owner, who
//! uses [`SharedVault::with`].
//!
//! Whatever derives a key from a passphrase, or asks a token to seal one, does that slow step without the lock of the vault,
//! so that tokens are issued meanwhile. Only one thread at a time does it. Then, with the lock, the people are checked
//! and everything is done, or nothing.
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
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::backup::BackupKey;
use super::manage::NewMaster;
use super::user::User;
use super::{
    AccessError, By, Contents, CreateError, Flusher, NewUser, OpenError, Quorum, RestoreError,
    RestoredLimits, Role, Secret, Session, Setup, SignInError, Unlock, UserError, UserReport,
    Vault, VaultError, VaultHeader, VaultStorage, seal,
};
use prepay_basics::{Clock, Entropy, Identifier, Moment, NoEntropy};

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
    /// Held while a key is derived.
    deriving: Mutex<()>,
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
        Self::restore_anew(place, backup, custodians, None, unlock, limits)
    }

    /// Makes a vault from a back-up, and sets new passphrases for the two custodians, in the order in which they are given.
    ///
    /// # Errors
    ///
    /// As [`Vault::restore_anew`].
    pub fn restore_anew(
        place: Place,
        backup: &[u8],
        custodians: [(&Identifier, &Secret); 2],
        new: Option<[&Secret; 2]>,
        unlock: Unlock<'_>,
        limits: RestoredLimits,
    ) -> Result<Self, RestoreError> {
        let Place { storage, entropy, clock } = place;
        let now = clock.now();
        let vault =
            Vault::restore_anew(storage, entropy, backup, custodians, new, unlock, limits, now)?;
        Ok(Self::new(vault, clock))
    }

    fn new(vault: Vault<C>, clock: Box<dyn Clock>) -> Self {
        Self {
            header: vault.header().clone(),
            flusher: vault.flusher(),
            state: Mutex::new(State::Open(Box::new(vault))),
            deriving: Mutex::new(()),
            clock,
        }
    }

    /// Signs a person in. Failures are recorded and delay later attempts. Other threads can use the vault meanwhile.
    ///
    /// # Errors
    ///
    /// [`SignInError`].
    pub fn sign_in(&self, name: &Identifier, passphrase: &Secret) -> Result<Session, SignInError> {
        let _turn = self.turn();
        self.sign_in_now(name, passphrase)
    }

    /// Signs a person in during the turn of the caller.
    fn sign_in_now(&self, name: &Identifier, passphrase: &Secret) -> Result<Session, SignInError> {
        let claim = self.with(|vault| vault.ask(name, self.now()))??.claim(passphrase);
        self.with(|vault| vault.settle(&claim, self.now()))?
    }

    /// Waits until no other thread derives a key.
    fn turn(&self) -> MutexGuard<'_, ()> {
        self.deriving.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Derives or seals keys for two custodians, without the lock of the vault.
    fn derive<T>(
        &self,
        by: &Quorum,
        slowly: impl FnOnce(&mut dyn Entropy) -> Result<T, VaultError>,
    ) -> Result<T, VaultError> {
        let _turn = self.turn();
        self.with(|vault| vault.authorize_two(by))??; // Whoever may not act takes no time.
        self.draw(slowly)
    }

    /// Does something that needs randomness of the vault, without its lock.
    fn draw<T>(
        &self,
        slowly: impl FnOnce(&mut dyn Entropy) -> Result<T, VaultError>,
    ) -> Result<T, VaultError> {
        // A vault that was locked meanwhile says so itself.
        slowly(&mut Drawing(self)).map_err(|error| self.with(|_| ()).err().unwrap_or(error))
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
        let NewUser { name, role, passphrase } = user;
        let is_test = self.header.insecure_test;
        let user = self.derive(by, |entropy| User::new(role, passphrase, is_test, entropy))?;
        self.with(|vault| vault.put_user(by, name, user, self.now()))?
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
        let role = self.with(|vault| vault.role(name))??;
        let is_test = self.header.insecure_test;
        let user = self.derive(by, |entropy| User::new(role, passphrase, is_test, entropy))?;
        self.with(|vault| vault.replace_user(By::Two(by), name, user, self.now()))?
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
        let _turn = self.turn();
        self.with(|vault| vault.check(By::One(by)))?.map_err(VaultError::from)?;
        let is_test = self.header.insecure_test;
        seal::check_length(new.expose_bytes(), is_test)?;
        self.sign_in_now(by.name(), old)?;
        let user = self.draw(|entropy| User::new(by.role(), new, is_test, entropy))?;
        self.with(|vault| vault.replace_user(By::One(by), by.name(), user, self.now()))?
    }

    /// Changes what unlocks the vault.
    ///
    /// # Errors
    ///
    /// [`VaultError`].
    pub fn change_protector(&self, by: &Quorum, unlock: Unlock<'_>) -> Result<(), VaultError> {
        if let Unlock::Shares { .. } = unlock {
            // Nothing slow, and it needs all custodians as they are.
            return self.with(|vault| vault.change_protector(by, unlock, self.now()))?;
        }
        let header = &self.header;
        let new = self.derive(by, |entropy| NewMaster::seal(&unlock, header, &[], entropy))?;
        self.with(|vault| vault.put_master(by, new, self.now()))?
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
        let is_test = self.header.insecure_test;
        let key = self
            .derive(by, |entropy| BackupKey::derive(by.names(), passphrases, is_test, entropy))?;
        self.with(|vault| vault.seal_backup(by, key, self.now()))?
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

/// The randomness of a vault, for whoever does not hold its lock.
struct Drawing<'a, C>(&'a SharedVault<C>);

impl<C: Contents> Entropy for Drawing<'_, C> {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        self.0.with(|vault| vault.entropy().fill(bytes)).unwrap_or(Err(NoEntropy))
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
