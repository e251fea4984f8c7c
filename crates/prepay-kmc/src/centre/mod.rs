//! The centre at work: commands that change its rows, with its own module where keys are concerned.
//!
//! [`Centre`] joins a store, the centre's module in the hands of whoever signed in, and a clock. Each command
//! checks everything first, then writes all its rows and a journal entry in one commit.
//!
//! # Two places, one order
//!
//! Keys live in the module, everything else in the store, and power can fail between the two. Every command
//! that touches both keeps an order in which the rest can be made up for by the same command again:
//!
//! | command | order | cut in between | made up by |
//! |---------|-------|----------------|------------|
//! | [`request_key`](Centre::request_key) | row *requested*; module makes the key; row *live* | a row without key, or without check value | [`finish`](Centre::finish): making a key twice gives the same one |
//! | [`retire_key`](Centre::retire_key) | module wipes the key; row *retired* | a live row without key: loads are refused | the same again |
//! | [`enrol_module`](Centre::enrol_module) | module accepts; row | a module without row: nothing is answered to it | the same again |
//! | [`revoke_module`](Centre::revoke_module) | row revoked; module revokes | nothing is answered, since the row says so | the same again |
//! | [`renew_keys`](Centre::renew_keys) | module renews; journal | new keys that no journal tells of, only the audit log | the same again: other keys, before anybody saw the first |
//! | [`answer_agreement`](Centre::answer_agreement) | module answers; row; answer handed out | an answer that nobody saw | the same again: the same answer |
//! | [`answer_key_load`](Centre::answer_key_load) | module builds; row with the file; file handed out | a file that nobody saw | the same again: another serial number |
//!
//! [`Centre::orphans`] lists everything that is on one side only.
//!
//! Two processes never overwrite each other's rows (versions), but a check and its commit are two steps: who
//! revokes and who builds a file at the same moment may each be first. A centre's vault is open in one process
//! at a time, so with the real module there is one command at a time.
//!
//! # Who may do what
//!
//! Two custodians: whatever gives rights by hand (customers, signatories, groups, authorisations), makes or
//! ends keys, enrols or revokes modules, renews the centre's own keys. One operator: receives and refuses forms, accepts those whose
//! signatures give the rights, answers requests, revokes authorisations. Anybody signed in reads.

mod batch;
mod effect;
mod error;
mod forms;
mod grants;
mod groups;
mod keys;
mod loads;
mod modules;
mod orphans;
mod people;
mod report;

use prepay_basics::{Clock, Moment};
use prepay_kmc_module::{Authority, CentreIdentity, CentreModule};

use crate::entity::{CentreRecord, Line};
use crate::store::{CentreStore, Change, Row, RowKey, StoreError, Versioned};

use batch::Batch;
pub use error::CommandError;
pub use forms::{Accepted, Decision};
pub use grants::NewAuthorisation;
pub use groups::NewGroup;
pub use keys::{KeyTerms, NewKey};
pub use loads::{LoadAnswer, LoadOptions};
pub use orphans::Orphan;
pub use people::NewCustomer;
pub use report::{Expiry, ExpiryKind, Holding};

/// The answer to a command.
pub type Answer<T> = Result<T, CommandError>;

/// A key management centre at work. The [module](self) says how it keeps its two places together.
pub struct Centre<'a, S> {
    store: S,
    module: &'a dyn CentreModule,
    clock: &'a dyn Clock,
}

impl<'a, S: CentreStore> Centre<'a, S> {
    /// A centre on its store and its module.
    pub const fn new(store: S, module: &'a dyn CentreModule, clock: &'a dyn Clock) -> Self {
        Self { store, module, clock }
    }

    /// The store, for reading.
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// Gives the store back.
    pub fn into_store(self) -> S {
        self.store
    }

    /// Writes the centre's own row. Again for the same centre, it changes nothing. Needs an operator.
    ///
    /// # Errors
    ///
    /// [`CommandError::Forbidden`], [`CommandError::OtherCentre`] when the store belongs to another centre.
    pub fn set_up(&mut self) -> Answer<()> {
        self.needs("set up the centre", Authority::Operating)?;
        let id = self.module.identify()?.centre;
        if let Some(found) = self.store.centre()? {
            return same_centre(&found.row, &id);
        }
        let record = CentreRecord {
            id,
            created: self.now(),
            next_customer: Some(crate::entity::CustomerNumber::FIRST),
            next_authorisation: Some(crate::entity::AuthorisationNumber::FIRST),
            next_form: Some(crate::entity::FormNumber::FIRST),
        };
        let subject = format!("centre {}", record.id);
        let entry = self.entry(crate::entity::Action::CentreCreated, &subject, "");
        let changes = [Change::Insert(Row::Centre(record)), Change::Journal(entry)];
        Ok(self.store.commit(&changes)?)
    }

    /// Gives the centre new keys of its own for so many days. Rows, vending keys and modules stay; each module
    /// has to take in the new enrolment and to agree afresh. Needs two custodians.
    ///
    /// # Errors
    ///
    /// [`CommandError::Forbidden`], [`CommandError::Module`].
    pub fn renew_keys(&mut self, valid_days: u32) -> Answer<CentreIdentity> {
        self.needs("renew the centre's keys", Authority::DualControl)?;
        let mut batch = self.batch()?;
        let identity = self.module.renew_keys(valid_days)?;
        let subject = format!("centre {}", identity.centre);
        batch.journal(crate::entity::Action::CentreRenewed, &subject, &identity.fingerprint);
        self.commit(batch)?;
        Ok(identity)
    }

    /// The centre's own row.
    ///
    /// # Errors
    ///
    /// [`CommandError::NotSetUp`], [`CommandError::OtherCentre`].
    pub fn record(&self) -> Answer<Versioned<CentreRecord>> {
        let found = self.store.centre()?.ok_or(CommandError::NotSetUp)?;
        same_centre(&found.row, &self.module.identify()?.centre)?;
        Ok(found)
    }

    fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Whoever acts, as one line.
    fn actor(&self) -> Line {
        let names: Vec<String> = self.module.acting().iter().map(ToString::to_string).collect();
        Line::lossy(&names.join(" + "))
    }

    /// Begins a commit.
    fn batch(&self) -> Answer<Batch> {
        Ok(Batch::new(self.record()?, self.now(), self.actor()))
    }

    /// Makes all changes of a batch.
    fn commit(&mut self, batch: Batch) -> Answer<()> {
        Ok(self.store.commit(&batch.into_changes())?)
    }

    /// Refuses whoever has less authority than an operation needs.
    fn needs(&self, operation: &'static str, needs: Authority) -> Answer<()> {
        let found = self.module.authority();
        if found >= needs {
            Ok(())
        } else {
            Err(CommandError::Forbidden { operation, needs, found })
        }
    }
}

fn same_centre(record: &CentreRecord, id: &prepay_kmp::CentreId) -> Answer<()> {
    if record.id == *id {
        Ok(())
    } else {
        Err(CommandError::OtherCentre { expected: record.id.clone(), found: id.clone() })
    }
}

/// The row, or the refusal that it is not there.
fn there<T>(
    found: Result<Option<Versioned<T>>, StoreError>,
    row: impl FnOnce() -> RowKey,
) -> Answer<Versioned<T>> {
    found?.ok_or_else(|| CommandError::NotThere { row: row() })
}

/// Every row of a listing, page after page. `next` names the row behind which the next page begins.
fn all<T, K>(
    page: impl Fn(Option<K>) -> Result<Vec<Versioned<T>>, StoreError>,
    next: impl Fn(&T) -> K,
) -> Answer<Vec<T>> {
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let found = page(after)?;
        let Some(last) = found.last() else { return Ok(rows) };
        after = Some(next(&last.row));
        rows.extend(found.into_iter().map(|entry| entry.row));
    }
}
