//! A store whose n-th commit fails: before it does anything, or after it was durable.

use std::cell::RefCell;
use std::rc::Rc;

use prepay_basics::Identifier;
use prepay_kmc::entity::*;
use prepay_kmc::store::{CentreStore, Change, Found, MemoryStore, Page, StoreError};
use prepay_kmp::ModuleId;
use prepay_token::element::SupplyGroupCode;

/// How a commit fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Nothing was written.
    Before,
    /// Everything was written, but nobody was told.
    After,
}

/// A store that can be opened again and again, and fails once.
#[derive(Clone)]
pub(crate) struct FailingStore {
    inner: Rc<RefCell<Inner>>,
}

struct Inner {
    store: MemoryStore,
    commits: usize,
    failure: Option<(usize, Failure)>,
}

impl FailingStore {
    /// A store whose commit number `at` fails, counted from 0.
    pub(crate) fn new(failure: Option<(usize, Failure)>) -> Self {
        let inner = Inner { store: MemoryStore::new(), commits: 0, failure };
        Self { inner: Rc::new(RefCell::new(inner)) }
    }

    /// How many commits were tried.
    pub(crate) fn commits(&self) -> usize {
        self.inner.borrow().commits
    }

    fn of<T>(&self, read: impl FnOnce(&MemoryStore) -> T) -> T {
        read(&self.inner.borrow().store)
    }
}

impl CentreStore for FailingStore {
    fn centre(&self) -> Found<CentreRecord> {
        self.of(|store| store.centre())
    }

    fn customer(&self, number: CustomerNumber) -> Found<Customer> {
        self.of(|store| store.customer(number))
    }

    fn customers(&self, after: Option<CustomerNumber>, limit: usize) -> Page<Customer> {
        self.of(|store| store.customers(after, limit))
    }

    fn signatory(&self, name: &Identifier) -> Found<Signatory> {
        self.of(|store| store.signatory(name))
    }

    fn signatories(&self, after: Option<&Identifier>, limit: usize) -> Page<Signatory> {
        self.of(|store| store.signatories(after, limit))
    }

    fn group(&self, code: SupplyGroupCode) -> Found<SupplyGroup> {
        self.of(|store| store.group(code))
    }

    fn groups(&self, after: Option<SupplyGroupCode>, limit: usize) -> Page<SupplyGroup> {
        self.of(|store| store.groups(after, limit))
    }

    fn ownerships(&self, group: SupplyGroupCode, after: u32, limit: usize) -> Page<Ownership> {
        self.of(|store| store.ownerships(group, after, limit))
    }

    fn vending_key(&self, id: VendingKeyId) -> Found<VendingKeyRecord> {
        self.of(|store| store.vending_key(id))
    }

    fn vending_keys(
        &self,
        group: Option<SupplyGroupCode>,
        after: Option<VendingKeyId>,
        limit: usize,
    ) -> Page<VendingKeyRecord> {
        self.of(|store| store.vending_keys(group, after, limit))
    }

    fn authorisation(&self, number: AuthorisationNumber) -> Found<Authorisation> {
        self.of(|store| store.authorisation(number))
    }

    fn authorisations(
        &self,
        module: Option<&ModuleId>,
        after: Option<AuthorisationNumber>,
        limit: usize,
    ) -> Page<Authorisation> {
        self.of(|store| store.authorisations(module, after, limit))
    }

    fn module(&self, id: &ModuleId) -> Found<ModuleRecord> {
        self.of(|store| store.module(id))
    }

    fn modules(&self, after: Option<&ModuleId>, limit: usize) -> Page<ModuleRecord> {
        self.of(|store| store.modules(after, limit))
    }

    fn agreement(&self, module: &ModuleId, digest: &[u8; 32]) -> Found<AgreementRecord> {
        self.of(|store| store.agreement(module, digest))
    }

    fn agreements(
        &self,
        module: &ModuleId,
        after: Option<&[u8; 32]>,
        limit: usize,
    ) -> Page<AgreementRecord> {
        self.of(|store| store.agreements(module, after, limit))
    }

    fn key_load(&self, serial: u64) -> Found<KeyLoadRecord> {
        self.of(|store| store.key_load(serial))
    }

    fn key_load_for(&self, module: &ModuleId, nonce: &str) -> Found<KeyLoadRecord> {
        self.of(|store| store.key_load_for(module, nonce))
    }

    fn key_loads(
        &self,
        module: Option<&ModuleId>,
        after: Option<u64>,
        limit: usize,
    ) -> Page<KeyLoadRecord> {
        self.of(|store| store.key_loads(module, after, limit))
    }

    fn form(&self, number: FormNumber) -> Found<FormRecord> {
        self.of(|store| store.form(number))
    }

    fn form_with(&self, digest: &[u8; 48]) -> Found<FormRecord> {
        self.of(|store| store.form_with(digest))
    }

    fn forms(&self, after: Option<FormNumber>, limit: usize) -> Page<FormRecord> {
        self.of(|store| store.forms(after, limit))
    }

    fn journal(&self, after: u64, limit: usize) -> Result<Vec<JournalEntry>, StoreError> {
        self.of(|store| store.journal(after, limit))
    }

    fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        let mut inner = self.inner.borrow_mut();
        let number = inner.commits;
        inner.commits += 1;
        let fault = || Err(StoreError::Fault { problem: "told to fail".to_owned() });
        match inner.failure {
            Some((at, Failure::Before)) if at == number => fault(),
            Some((at, Failure::After)) if at == number => {
                inner.store.commit(changes)?;
                fault()
            }
            _ => inner.store.commit(changes),
        }
    }
}
