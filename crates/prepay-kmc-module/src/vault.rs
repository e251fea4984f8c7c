//! The centre's own module in software: a vault with a centre's contents, and the people who keep it.
//!
//! What is asked of it goes through a [`CentreDesk`], which somebody signed in stands behind.
//!
//! Elsewhere: sealing, roles and the audit log (`vault`), what is kept (`contents.rs`).

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::CentreEntry;
use super::contents::CentreContents;
use super::desk::CentreDesk;
use prepay_basics::{Clock, Entropy, Identifier, Moment};
use prepay_kmp::{CentreId, Identity, PartyKind};
use prepay_vault::VaultStorage;
use prepay_vault::{
    AuditError, AuditReport, CreateError, NewUser, OpenError, Quorum, Record, RestoreError,
    RestoredLimits, Secret, Session, Setup, SignInError, Unlock, UserError, UserReport, Vault,
    VaultError, VaultHeader,
};

/// The centre's own module in software. One of it serves all threads.
pub struct CentreVault {
    vault: Mutex<Vault<CentreContents>>,
    /// Held by whoever signs in.
    signing_in: Mutex<()>,
    clock: Box<dyn Clock>,
}

/// What it takes to make a centre.
pub struct CentreSetup<'a> {
    /// Its name.
    pub centre: &'a CentreId,
    /// What will unlock it.
    pub unlock: Unlock<'a>,
    /// Its keepers: at least two custodians.
    pub users: &'a [NewUser<'a>],
    /// For how many days its public keys may be used.
    pub valid_days: u32,
}

impl CentreVault {
    /// For how many days a centre's public keys are used when nobody says otherwise: ten years.
    pub const VALID_DAYS: u32 = 3653;

    /// Makes a centre, with keys of its own.
    ///
    /// # Errors
    ///
    /// [`CreateError`].
    pub fn create(
        storage: Box<dyn VaultStorage>,
        entropy: Box<dyn Entropy>,
        clock: Box<dyn Clock>,
        setup: &CentreSetup<'_>,
    ) -> Result<Self, CreateError> {
        Self::make(storage, entropy, clock, setup, false)
    }

    /// Makes a test centre: it takes in keys that are known outside, its passphrases may be short, and it
    /// says in everything it answers that it is one. Its keys are never for real meters.
    ///
    /// # Errors
    ///
    /// [`CreateError`].
    pub fn create_insecure_test(
        storage: Box<dyn VaultStorage>,
        entropy: Box<dyn Entropy>,
        clock: Box<dyn Clock>,
        setup: &CentreSetup<'_>,
    ) -> Result<Self, CreateError> {
        Self::make(storage, entropy, clock, setup, true)
    }

    fn make(
        storage: Box<dyn VaultStorage>,
        mut entropy: Box<dyn Entropy>,
        clock: Box<dyn Clock>,
        setup: &CentreSetup<'_>,
        insecure_test: bool,
    ) -> Result<Self, CreateError> {
        let now = clock.now();
        let name: Identifier = setup.centre.as_str().parse().expect("a centre's name is one");
        let identity = Identity::generate(PartyKind::Centre, name.clone(), &mut *entropy)
            .map_err(VaultError::from)?;
        let contents = CentreContents::new(identity, now, now.plus_days(setup.valid_days));
        let setup = Setup { name: &name, unlock: setup.unlock, users: setup.users, insecure_test };
        let vault = Vault::create(storage, entropy, setup, contents, now)?;
        Ok(Self::with(vault, clock))
    }

    /// Opens a centre.
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub fn open(
        storage: Box<dyn VaultStorage>,
        entropy: Box<dyn Entropy>,
        clock: Box<dyn Clock>,
        unlock: Unlock<'_>,
    ) -> Result<Self, OpenError> {
        let vault = Vault::open(storage, entropy, unlock, clock.now())?;
        Ok(Self::with(vault, clock))
    }

    /// Makes a centre from a back-up, in an empty place. Slots agreed on and keys made after the back-up are
    /// gone; serial numbers of files jump ahead, so that none comes twice.
    ///
    /// # Errors
    ///
    /// [`RestoreError`].
    pub fn restore(
        storage: Box<dyn VaultStorage>,
        entropy: Box<dyn Entropy>,
        clock: Box<dyn Clock>,
        file: &[u8],
        custodians: [(&Identifier, &Secret); 2],
        unlock: Unlock<'_>,
    ) -> Result<Self, RestoreError> {
        let limits = RestoredLimits::Accepted; // A centre has none.
        let now = clock.now();
        let vault = Vault::restore(storage, entropy, file, custodians, unlock, limits, now)?;
        Ok(Self::with(vault, clock))
    }

    fn with(vault: Vault<CentreContents>, clock: Box<dyn Clock>) -> Self {
        Self { vault: Mutex::new(vault), signing_in: Mutex::new(()), clock }
    }

    /// What the centre does at the request of one person.
    pub fn desk(&self, session: Session) -> CentreDesk<'_> {
        CentreDesk::of_one(self, session)
    }

    /// What the centre does at the request of two custodians.
    pub fn desk_of_two(&self, quorum: Quorum) -> CentreDesk<'_> {
        CentreDesk::of_two(self, quorum)
    }

    /// The vault's own description, which takes no secret.
    pub fn header(&self) -> VaultHeader {
        self.vault.lock().unwrap_or_else(PoisonError::into_inner).header().clone()
    }

    /// Signs a person in. Others go on meanwhile.
    ///
    /// # Errors
    ///
    /// [`SignInError`].
    pub fn sign_in(&self, name: &Identifier, passphrase: &Secret) -> Result<Session, SignInError> {
        let _one_at_a_time = self.signing_in.lock().unwrap_or_else(PoisonError::into_inner);
        let attempt = self.lock_vault()?.ask(name, self.now())?;
        let claim = attempt.claim(passphrase);
        self.lock_vault()?.settle(&claim, self.now())
    }

    /// The people who keep the centre.
    pub fn users(&self) -> Vec<UserReport> {
        self.vault.lock().unwrap_or_else(PoisonError::into_inner).users()
    }

    /// Gives a person a role.
    ///
    /// # Errors
    ///
    /// [`UserError`].
    pub fn add_user(&self, by: &Quorum, user: NewUser<'_>) -> Result<(), UserError> {
        self.lock_vault()?.add_user(by, user, self.now())
    }

    /// Takes a person's role away.
    ///
    /// # Errors
    ///
    /// [`UserError`].
    pub fn remove_user(&self, by: &Quorum, name: &Identifier) -> Result<(), UserError> {
        self.lock_vault()?.remove_user(by, name, self.now())
    }

    /// Replaces a person's forgotten passphrase.
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
        self.lock_vault()?.set_passphrase(by, name, passphrase, self.now())
    }

    /// Replaces one's own passphrase.
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
        self.lock_vault()?.change_passphrase(by, old, new, self.now())
    }

    /// Replaces what unlocks the centre.
    ///
    /// # Errors
    ///
    /// [`VaultError`].
    pub fn change_protector(&self, by: &Quorum, unlock: Unlock<'_>) -> Result<(), VaultError> {
        self.lock_vault()?.change_protector(by, unlock, self.now())
    }

    /// Entries of the audit log.
    ///
    /// # Errors
    ///
    /// [`AuditError`].
    pub fn audit(
        &self,
        from_sequence: u64,
        at_most: usize,
    ) -> Result<Vec<Record<CentreEntry>>, AuditError> {
        self.lock_vault()?.audit(from_sequence, at_most)
    }

    /// Checks the whole audit log.
    ///
    /// # Errors
    ///
    /// [`AuditError`].
    pub fn verify_audit(&self) -> Result<AuditReport, AuditError> {
        self.lock_vault()?.verify_audit()
    }

    /// A back-up, sealed under a passphrase of each custodian, in the order of their names.
    ///
    /// # Errors
    ///
    /// [`VaultError`].
    pub fn backup(&self, by: &Quorum, passphrases: [&Secret; 2]) -> Result<Vec<u8>, VaultError> {
        self.lock_vault()?.backup(by, passphrases, self.now())
    }

    /// Closes the centre: everything is durable, and every key is wiped.
    ///
    /// # Errors
    ///
    /// [`VaultError`].
    pub fn close(self) -> Result<(), VaultError> {
        self.vault.into_inner().unwrap_or_else(PoisonError::into_inner).close()
    }

    /// The vault, unless somebody panicked with it in hand and may have left it half changed.
    pub(super) fn lock_vault(&self) -> Result<MutexGuard<'_, Vault<CentreContents>>, VaultError> {
        let problem = || "the centre's module stopped in the middle of its work".to_owned();
        self.vault.lock().map_err(|_| VaultError::Broken { problem: problem() })
    }

    pub(super) fn now(&self) -> Moment {
        self.clock.now()
    }
}
