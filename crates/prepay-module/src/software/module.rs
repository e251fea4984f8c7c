//! The software module itself: a vault with a clock, shared by everybody who is signed in.
//!
//! - Time: the clock of its place stamps the audit log, people and documents. A test module's fixed time
//!   stands only for the clock that keys and token identifiers are checked against, since people and
//!   documents of other parties go by real time.
//! - Elsewhere: issuing ([`Operator`]), reading ([`Auditor`]), everything under dual control
//!   ([`Custodians`]).

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::auditor::{Auditor, Reading};
use super::contents::ModuleContents;
use super::custodians::Custodians;
use super::issuer::{Counters, Issuer};
use super::operator::Operator;
use super::policy::{ModulePolicy, TestMode, module_time};
use super::register::Registers;
use super::remembered::Remembered;
use crate::ModuleFault;
use prepay_basics::{Clock, Entropy, Identifier, Moment};
use prepay_kmp::{Identity, ModuleId, PartyKind};
use prepay_vault::VaultStorage;
use prepay_vault::{
    AccessError, CreateError, Flusher, NewUser, OpenError, Quorum, RestoreError, RestoredLimits,
    Role, Secret, Session, Setup, SignInError, Unlock, UserError, Vault, VaultError,
};

/// What a module needs around it.
pub struct Place {
    /// Where it is kept.
    pub storage: Box<dyn VaultStorage>,
    /// Where its keys and nonces come from.
    pub entropy: Box<dyn Entropy>,
    /// Its clock.
    pub clock: Box<dyn Clock>,
}

/// What a module is made with.
pub struct NewModule<'a> {
    /// Its name.
    pub module: ModuleId,
    /// What unlocks it.
    pub unlock: Unlock<'a>,
    /// Its first people: at least two custodians.
    pub users: &'a [NewUser<'a>],
    /// Its settings.
    pub policy: ModulePolicy,
}

/// A software module. Clones are the same module.
#[derive(Clone)]
pub struct SoftwareModule {
    pub(super) shared: Arc<Shared>,
}

/// What all handles of a module share.
pub(super) struct Shared {
    state: Mutex<State>,
    /// Held by whoever signs in.
    signing_in: Mutex<()>,
    pub(super) flusher: Flusher,
    pub(super) clock: Box<dyn Clock>,
    pub(super) module: ModuleId,
    pub(super) test: Option<TestMode>,
}

/// Whether the module can be used.
enum State {
    Open(Box<Vault<ModuleContents>>),
    /// It did something that it could not keep.
    Broken(ModuleFault),
    Locked,
}

impl SoftwareModule {
    /// Makes a module in an empty place.
    ///
    /// # Errors
    ///
    /// [`CreateError`].
    pub fn create(place: Place, new: NewModule<'_>) -> Result<Self, CreateError> {
        Self::make(place, new, None)
    }

    /// Makes a module for tests only: its people may have short passphrases, and time and random numbers may
    /// be fixed. Every answer of it says so.
    ///
    /// # Errors
    ///
    /// [`CreateError`].
    pub fn create_insecure_test(
        place: Place,
        new: NewModule<'_>,
        test: TestMode,
    ) -> Result<Self, CreateError> {
        Self::make(place, new, Some(test))
    }

    fn make(place: Place, new: NewModule<'_>, test: Option<TestMode>) -> Result<Self, CreateError> {
        let Place { storage, mut entropy, clock } = place;
        let NewModule { module, unlock, users, policy } = new;
        let name: Identifier =
            module.as_str().parse().expect("the name of a module is an identifier");
        let identity = Identity::generate(PartyKind::Module, name.clone(), &mut *entropy)
            .map_err(|_| CreateError::Vault(VaultError::NoEntropy))?;
        let now = clock.now();
        let issuer = Issuer {
            policy,
            test,
            registers: Registers::default(),
            counters: Counters { transactions_left: policy.transactions, ..Counters::default() },
            remembered: Remembered::default(),
        };
        let contents = ModuleContents {
            identity,
            created: now,
            issuer,
            slots: Vec::new(),
            revoked: Vec::new(),
        };
        let setup = Setup { name: &name, unlock, users, insecure_test: test.is_some() };
        let vault = Vault::create(storage, entropy, setup, contents, now)?;
        Ok(Self::with_vault(vault, clock))
    }

    /// Opens a module with what unlocks it. Nobody is signed in yet.
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub fn open(place: Place, unlock: Unlock<'_>) -> Result<Self, OpenError> {
        let Place { storage, entropy, clock } = place;
        let vault = Vault::open(storage, entropy, unlock, clock.now())?;
        Ok(Self::with_vault(vault, clock))
    }

    /// Makes a module from a back-up, in an empty place.
    ///
    /// A back-up gives no limits back: with [`RestoredLimits::Stopped`] no key can be used before it is
    /// loaded afresh, and the transaction counter is empty. Requests that were carried out after the back-up
    /// was made are not known to the restored module, so their names must not be used again.
    ///
    /// # Errors
    ///
    /// [`RestoreError`].
    pub fn restore(
        place: Place,
        backup: &[u8],
        holders: [(&Identifier, &Secret); 2],
        unlock: Unlock<'_>,
        limits: RestoredLimits,
    ) -> Result<Self, RestoreError> {
        let Place { storage, entropy, clock } = place;
        let now = clock.now();
        let vault = Vault::restore(storage, entropy, backup, holders, unlock, limits, now)?;
        Ok(Self::with_vault(vault, clock))
    }

    fn with_vault(vault: Vault<ModuleContents>, clock: Box<dyn Clock>) -> Self {
        let contents = vault.contents();
        let shared = Shared {
            flusher: vault.flusher(),
            clock,
            module: contents.identity.public().id().clone().into(),
            test: contents.issuer.test,
            state: Mutex::new(State::Open(Box::new(vault))),
            signing_in: Mutex::new(()),
        };
        Self { shared: Arc::new(shared) }
    }

    /// The module's name.
    pub fn module(&self) -> &ModuleId {
        &self.shared.module
    }

    /// Whether it is a test module, whose tokens are not for real meters.
    pub fn is_test(&self) -> bool {
        self.shared.test.is_some()
    }

    /// The time by the module's clock.
    pub fn now(&self) -> Moment {
        self.shared.clock.now()
    }

    /// Signs a person in. Failures are kept and slow down what comes after them. Others go on issuing
    /// meanwhile.
    ///
    /// # Errors
    ///
    /// [`SignInError`].
    pub fn sign_in(&self, name: &Identifier, passphrase: &Secret) -> Result<Session, SignInError> {
        let closed = |fault: ModuleFault| SignInError::Vault(broken(&fault));
        let _one_at_a_time = self.shared.signing_in.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = self.shared.with(|vault| vault.ask(name, self.now()));
        let claim = asked.map_err(closed)??.claim(passphrase);
        self.shared.with(|vault| vault.settle(&claim, self.now())).map_err(closed)?
    }

    /// Gives a person another passphrase, who knows the old one.
    ///
    /// # Errors
    ///
    /// [`UserError`].
    pub fn change_passphrase(
        &self,
        session: &Session,
        old: &Secret,
        new: &Secret,
    ) -> Result<(), UserError> {
        let now = self.now();
        let changed = self.shared.with(|vault| vault.change_passphrase(session, old, new, now));
        changed.unwrap_or_else(|fault| Err(UserError::Vault(broken(&fault))))
    }

    /// The module in the hands of an operator, who issues.
    ///
    /// # Errors
    ///
    /// [`AccessError`] unless the session is an operator's.
    pub fn operator(&self, session: &Session) -> Result<Operator, AccessError> {
        self.shared.authorize(session, &[Role::Operator])?;
        Ok(Operator { shared: Arc::clone(&self.shared), session: session.clone() })
    }

    /// The module in the hands of somebody who reads. Everybody who is signed in may; the audit log is for
    /// auditors and custodians.
    ///
    /// # Errors
    ///
    /// [`AccessError`] unless the session is one of this module.
    pub fn auditor(&self, session: &Session) -> Result<Auditor, AccessError> {
        self.shared.authorize(session, &[Role::Auditor, Role::Custodian, Role::Operator])?;
        let who = Reading::One(session.clone());
        Ok(Auditor { shared: Arc::clone(&self.shared), who })
    }

    /// The module in the hands of two custodians.
    ///
    /// # Errors
    ///
    /// [`AccessError`] unless both sessions are custodians' of this module.
    pub fn custodians(&self, quorum: Quorum) -> Result<Custodians, AccessError> {
        let allowed = self.shared.with(|vault| vault.authorize_two(&quorum));
        allowed.unwrap_or(Err(AccessError::Ended))?;
        Ok(Custodians { shared: Arc::clone(&self.shared), quorum })
    }

    /// Locks the module: its secrets are wiped, and every handle answers with a fault from now on.
    pub fn lock(&self) {
        if let State::Open(vault) = self.shared.take() {
            vault.lock();
        }
    }

    /// Writes everything down and locks the module.
    ///
    /// # Errors
    ///
    /// [`VaultError`] when it cannot be written; the module is locked all the same.
    pub fn close(&self) -> Result<(), VaultError> {
        match self.shared.take() {
            State::Open(vault) => vault.close(),
            State::Broken(fault) => Err(broken(&fault)),
            State::Locked => Ok(()),
        }
    }
}

impl Shared {
    /// Does something with the vault, if the module can be used. Waits for a write that is under way.
    pub(super) fn with<T>(
        &self,
        act: impl FnOnce(&mut Vault<ModuleContents>) -> T,
    ) -> Result<T, ModuleFault> {
        self.with_open(|vault| {
            vault.usable().map_err(|error| fault(&error))?;
            Ok(act(vault))
        })?
    }

    /// Does something with the vault that is durable only when the log was written: whoever does it waits
    /// for that, and learns there whether the module can still be used. Does not wait for a write that is
    /// under way, so that many calls come together in the next one.
    pub(super) fn with_open<T>(
        &self,
        act: impl FnOnce(&mut Vault<ModuleContents>) -> T,
    ) -> Result<T, ModuleFault> {
        // Whoever panicked with the vault in hand may have left it half changed.
        let mut state = self.state.lock().map_err(|_| panicked())?;
        match &mut *state {
            State::Open(vault) => Ok(act(vault)),
            State::Broken(fault) => Err(fault.clone()),
            State::Locked => {
                let problem = "the module is locked".to_owned();
                Err(ModuleFault::Closed { problem })
            }
        }
    }

    /// Stops the module: what it did cannot be kept.
    pub(super) fn stop(&self, error: &VaultError) -> ModuleFault {
        let fault = fault(error);
        if let Ok(mut state) = self.state.lock()
            && matches!(*state, State::Open(_))
        {
            *state = State::Broken(fault.clone());
        }
        fault
    }

    /// Takes the vault away from everybody.
    fn take(&self) -> State {
        let mut state = self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        std::mem::replace(&mut *state, State::Locked)
    }

    pub(super) fn authorize(&self, session: &Session, roles: &[Role]) -> Result<(), AccessError> {
        let allowed = self.with(|vault| vault.authorize(session, roles));
        allowed.unwrap_or(Err(AccessError::Ended))
    }

    /// The time that keys and identifiers are checked against.
    pub(super) fn module_time(&self) -> Moment {
        module_time(self.test, &*self.clock)
    }
}

fn panicked() -> ModuleFault {
    ModuleFault::Storage { problem: "the module stopped in the middle of its work".to_owned() }
}

/// What a vault's error means to whoever issues.
pub(super) fn fault(error: &VaultError) -> ModuleFault {
    match error {
        VaultError::Access(error) => ModuleFault::Closed { problem: error.to_string() },
        VaultError::Broken { problem } => ModuleFault::Storage { problem: problem.clone() },
        error => ModuleFault::Storage { problem: error.to_string() },
    }
}

/// What a fault means to whoever speaks with the vault.
fn broken(fault: &ModuleFault) -> VaultError {
    VaultError::Broken { problem: fault.to_string() }
}

impl fmt::Debug for SoftwareModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SoftwareModule({}, ..)", self.shared.module)
    }
}
