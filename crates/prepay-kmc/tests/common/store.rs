//! A store whose n-th commit fails: before it writes anything, or after everything is durable.

use std::cell::RefCell;
use std::rc::Rc;

use prepay_kmc::store::{CentreStore, MemoryStore, StoreError, Tables, WriteTables};

/// How a commit fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Everything was done, and nothing was made durable.
    Before,
    /// Everything was written, but an error is returned.
    After,
}

/// A store that can be reopened any number of times, and fails once.
#[derive(Clone)]
pub(crate) struct FailingStore {
    inner: Rc<RefCell<Inner>>,
}

struct Inner {
    store: MemoryStore,
    commits: usize,
    failure: Option<(usize, Failure)>,
    syncs: usize,
}

impl FailingStore {
    /// A store whose commit number `at` fails, counted from 0.
    pub(crate) fn new(failure: Option<(usize, Failure)>) -> Self {
        let inner = Inner { store: MemoryStore::new(), commits: 0, failure, syncs: 0 };
        Self { inner: Rc::new(RefCell::new(inner)) }
    }

    /// A copy of what it has now, which shares nothing.
    pub(crate) fn copy(&self) -> Self {
        let store = self.inner.borrow().store.clone();
        Self { inner: Rc::new(RefCell::new(Inner { store, commits: 0, failure: None, syncs: 0 })) }
    }

    /// How often what was read was made durable.
    pub(crate) fn syncs(&self) -> usize {
        self.inner.borrow().syncs
    }

    /// The next commit fails.
    pub(crate) fn fail_next(&self, failure: Failure) {
        let mut inner = self.inner.borrow_mut();
        inner.failure = Some((inner.commits, failure));
    }

    /// How many commits were tried.
    pub(crate) fn commits(&self) -> usize {
        self.inner.borrow().commits
    }
}

impl CentreStore for FailingStore {
    fn read<T>(
        &self,
        act: impl FnOnce(&dyn Tables) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.inner.borrow().store.read(act)
    }

    fn write(
        &mut self,
        act: impl FnOnce(&mut dyn WriteTables) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut inner = self.inner.borrow_mut();
        let number = inner.commits;
        inner.commits += 1;
        let failure = inner.failure.filter(|(at, _)| *at == number).map(|(_, failure)| failure);
        let mut store = inner.store.clone();
        store.write(act)?;
        if failure != Some(Failure::Before) {
            inner.store = store;
        }
        match failure {
            Some(_) => Err(StoreError::Fault { problem: "told to fail".to_owned() }),
            None => Ok(()),
        }
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.inner.borrow_mut().syncs += 1;
        Ok(())
    }
}
