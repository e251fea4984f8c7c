//! The software module itself: a shared vault with a module's contents.
//!
//! - Time: the clock of the place is used for audit log, people and documents. A test module's fixed time is used only
//!   to check keys and token identifiers, because people and the documents of other parties follow real time.
//! - Elsewhere: sign-in, people, back-up and audit log ([`SharedVault`]), issuing ([`Operator`]), reading
//!   ([`Auditor`]), everything else under dual control ([`Custodians`]).

use std::fmt;
use std::sync::Arc;

use super::auditor::Auditor;
use super::contents::ModuleContents;
use super::custodians::Custodians;
use super::issuer::{Counters, Issuer};
use super::names::{Names, NamesKey};
use super::operator::Operator;
use super::policy::{ModulePolicy, TestMode};
use super::register::Registers;
use super::shared::Shared;
use prepay_basics::Identifier;
use prepay_kmp::{Identity, ModuleId, PartyKind};
use prepay_vault::{
    AccessError, Actor, By, CreateError, NewUser, OpenError, Place, Quorum, RestoreError,
    RestoredLimits, Role, Secret, Session, Setup, SharedVault, Unlock, VaultError,
};

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

impl SoftwareModule {
    /// Makes a module in empty storage.
    ///
    /// # Errors
    ///
    /// [`CreateError`].
    pub fn create(place: Place, new: NewModule<'_>) -> Result<Self, CreateError> {
        Self::make(place, new, None)
    }

    /// Makes a module for tests only: its people may have short passphrases, and time and random numbers may be fixed.
    /// Every answer says so.
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

    fn make(
        mut place: Place,
        new: NewModule<'_>,
        test: Option<TestMode>,
    ) -> Result<Self, CreateError> {
        let NewModule { module, unlock, users, policy } = new;
        let name: Identifier =
            module.as_str().parse().expect("the name of a module is an identifier");
        let identity = Identity::generate(PartyKind::Module, name.clone(), &mut *place.entropy)
            .map_err(|_| CreateError::Vault(VaultError::NoEntropy))?;
        let key = NamesKey::generate(&mut *place.entropy)
            .map_err(|_| CreateError::Vault(VaultError::NoEntropy))?;
        let issuer = Issuer {
            policy,
            test,
            registers: Registers::default(),
            counters: Counters { transactions_left: policy.transactions, ..Counters::default() },
            names: Names::new(key, policy.tid_reuse, test.and_then(|test| test.run_names)),
        };
        let contents = ModuleContents {
            identity,
            created: place.clock.now(),
            issuer,
            slots: Vec::new(),
            revoked: Vec::new(),
        };
        let setup = Setup { name: &name, unlock, users, insecure_test: test.is_some() };
        SharedVault::create(place, setup, contents).map(Self::from)
    }

    /// Opens a module with what unlocks it. Nobody is signed in yet.
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub fn open(place: Place, unlock: Unlock<'_>) -> Result<Self, OpenError> {
        SharedVault::open(place, unlock).map(Self::from)
    }

    /// Restores a module from a back-up, in empty storage.
    ///
    /// Restoring gives no limits back: with [`RestoredLimits::Stopped`] no key can be used before it is loaded again,
    /// and the transaction counter is empty. The restored module does not know requests that were carried out after the
    /// back-up, so do not use their identifiers again.
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
        SharedVault::restore(place, backup, holders, unlock, limits).map(Self::from)
    }

    /// The module's vault: sign-in, people, protection, back-up, audit log, locking.
    pub fn vault(&self) -> &SharedVault<ModuleContents> {
        &self.shared.vault
    }

    /// The module's name.
    pub fn module(&self) -> &ModuleId {
        &self.shared.module
    }

    /// Returns when no files with names of requests are being written. Nothing needs to wait for that except tests and
    /// benchmarks.
    pub fn wait_for_names(&self) {
        self.shared.names_kept();
    }

    /// Whether it is a test module, whose tokens are not for real meters.
    pub fn is_test(&self) -> bool {
        self.shared.test.is_some()
    }

    /// The handle of an operator, who issues tokens.
    ///
    /// # Errors
    ///
    /// [`AccessError`] unless the session is an operator's.
    pub fn operator(&self, session: &Session) -> Result<Operator, AccessError> {
        self.shared.vault.authorize(By::One(session), &[Role::Operator])?;
        Ok(Operator { shared: Arc::clone(&self.shared), session: session.clone() })
    }

    /// The handle of a reader. Anyone signed in may read.
    ///
    /// # Errors
    ///
    /// [`AccessError`] unless the reader is signed in at this module.
    pub fn auditor(&self, who: impl Into<Actor>) -> Result<Auditor, AccessError> {
        let who = who.into();
        self.shared.vault.authorize(who.by(), &Role::ALL)?;
        Ok(Auditor { shared: Arc::clone(&self.shared), who })
    }

    /// The handle of two custodians.
    ///
    /// # Errors
    ///
    /// [`AccessError`] unless both sessions are of custodians of this module.
    pub fn custodians(&self, quorum: Quorum) -> Result<Custodians, AccessError> {
        self.shared.vault.authorize(By::Two(&quorum), &[Role::Custodian])?;
        Ok(Custodians { shared: Arc::clone(&self.shared), quorum })
    }
}

impl From<SharedVault<ModuleContents>> for SoftwareModule {
    /// The module of an open vault.
    fn from(vault: SharedVault<ModuleContents>) -> Self {
        let opened = vault.with_open(|vault| {
            if let Ok(files) = vault.files() {
                vault.contents_mut().attach(files); // Without them, what is in them cannot be told from new.
            }
            vault.contents().issuer.test
        });
        let (module, test) = (vault.header().name.clone().into(), opened.unwrap_or_default());
        Self { shared: Arc::new(Shared { vault, module, test, keeper: Arc::default() }) }
    }
}

impl fmt::Debug for SoftwareModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SoftwareModule({}, ..)", self.shared.module)
    }
}
