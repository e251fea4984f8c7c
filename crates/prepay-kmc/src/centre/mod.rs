//! The commands of the centre.
//!
//! [`Centre`] joins a store, the centre's module with the people signed in to it, and a clock. Each command
//! first checks everything, then writes all its rows and a journal entry in one commit.
//!
//! # Store and module
//!
//! Keys are in the module, everything else is in the store, and power can fail between two writes. Each command
//! that writes to both does so in an order that lets you finish it later:
//!
//! | command | order | state if interrupted | finished by |
//! |---------|-------|----------------|------------|
//! | [`request_key`](Centre::request_key) | row *requested*; module makes the key; row *live* | a row without key or check value | [`finish`](Centre::finish): making a key twice gives the same key |
//! | [`wipe_retired_keys`](Centre::wipe_retired_keys) | module wipes the key; row *retired* | a retiring row without key | the same command |
//! | [`enrol_module`](Centre::enrol_module) | module accepts; row | a module without row: requests are refused | the same command |
//! | [`revoke_module`](Centre::revoke_module) | row revoked; module revokes | a revoked row: requests are refused | the same command |
//! | [`renew_keys`](Centre::renew_keys) | module renews; journal | new keys recorded in the audit log, not in the journal | the same command: it makes other keys, and nobody has seen the first ones |
//! | [`answer_agreement`](Centre::answer_agreement) | module answers; row; answer returned | an answer that nobody has seen | the same command: it gives the same answer |
//! | [`answer_key_load`](Centre::answer_key_load) | module builds; row with the file; file returned | a file that nobody has seen | the same command: it builds a file with another serial number |
//!
//! [`Centre::orphans`] lists everything that only the store or only the module has.
//!
//! Versions keep two processes from overwriting each other's rows, but a check and its commit are two steps: of a
//! revocation and a file built at the same moment, either may come first. Only one process at a time can open a
//! centre's vault, so with the real module there is one command at a time.
//!
//! # Who may do what
//!
//! - Two custodians: grant rights by hand (customers, signatories, groups, authorisations), make and retire
//!   keys, enrol and revoke modules, renew the centre's own keys.
//! - One operator: receive and refuse forms, accept forms that need nothing but their signature, answer requests,
//!   revoke keys, signatories and authorisations.
//! - Anyone signed in: read.

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

use crate::entity::{Action, AuthorisationNumber, CentreRecord, CustomerNumber, FormNumber, Line};
use crate::store::{AuthenticatedStore, CentreStore, Change, Entity, Filter, PAGE, Versioned};

use batch::Batch;
pub use error::CommandError;
pub use forms::{Accepted, Decision};
pub use grants::NewAuthorisation;
pub use groups::NewGroup;
pub use keys::{KeyTerms, NewKey, RETIRES_AFTER_SECONDS};
pub use loads::{LoadAnswer, LoadOptions};
pub use orphans::Orphan;
pub use people::NewCustomer;
pub use report::{Expiry, ExpiryKind, Holding};

/// The result of a command.
pub type Answer<T> = Result<T, CommandError>;

/// A key management centre. The [module](self) says how it keeps store and module consistent.
pub struct Centre<'a, S> {
    store: AuthenticatedStore<'a, S>,
    module: &'a dyn CentreModule,
    clock: &'a dyn Clock,
}

impl<'a, S: CentreStore> Centre<'a, S> {
    /// A centre on its store, which its module authenticates, and that module.
    pub const fn new(store: S, module: &'a dyn CentreModule, clock: &'a dyn Clock) -> Self {
        Self { store: AuthenticatedStore::new(store, module), module, clock }
    }

    /// The store, for reading.
    pub const fn store(&self) -> &AuthenticatedStore<'a, S> {
        &self.store
    }

    /// The store, to settle or adopt.
    pub const fn store_mut(&mut self) -> &mut AuthenticatedStore<'a, S> {
        &mut self.store
    }

    /// Returns the store, no longer authenticated.
    pub fn into_store(self) -> S {
        self.store.into_unauthenticated()
    }

    /// Writes the centre's own row. Repeating it for the same centre changes nothing. Needs an operator.
    ///
    /// # Errors
    ///
    /// [`CommandError::Forbidden`], [`CommandError::OtherCentre`] if the store belongs to another centre.
    pub fn set_up(&mut self) -> Answer<()> {
        self.needs("set up the centre", Authority::Operating)?;
        let id = self.module.identify()?.centre;
        if let Some(found) = self.store.get::<CentreRecord>(&())? {
            return same_centre(&found.row, &id);
        }
        let record = CentreRecord {
            id,
            created: self.now(),
            next_customer: Some(CustomerNumber::FIRST),
            next_authorisation: Some(AuthorisationNumber::FIRST),
            next_form: Some(FormNumber::FIRST),
        };
        let subject = format!("centre {}", record.id);
        let entry = self.entry(Action::CentreCreated, &subject, "");
        let changes = [Change::Insert(record.into()), Change::Journal(entry)];
        Ok(self.store.commit(&changes)?)
    }

    /// Renews the centre's own keys, for this many days. Rows, vending keys and modules stay; each module must
    /// import the new enrolment and renew its agreements. Needs two custodians.
    ///
    /// # Errors
    ///
    /// [`CommandError::Forbidden`], [`CommandError::Module`].
    pub fn renew_keys(&mut self, valid_days: u32) -> Answer<CentreIdentity> {
        self.needs("renew the centre's keys", Authority::DualControl)?;
        let mut batch = self.batch()?;
        let identity = self.module.renew_keys(valid_days)?;
        let subject = format!("centre {}", identity.centre);
        batch.journal(Action::CentreRenewed, &subject, &identity.fingerprint);
        self.commit(batch)?;
        Ok(identity)
    }

    /// The centre's own row.
    ///
    /// # Errors
    ///
    /// [`CommandError::NotSetUp`], [`CommandError::OtherCentre`].
    pub fn record(&self) -> Answer<Versioned<CentreRecord>> {
        record_of(&self.store, &self.module.identify()?.centre)
    }

    /// The row with a key.
    ///
    /// # Errors
    ///
    /// [`CommandError::NotThere`], [`CommandError::Store`].
    pub fn row<E: Entity>(&self, key: &E::Key) -> Answer<Versioned<E>> {
        let found = self.store.get(key)?;
        found.ok_or_else(|| CommandError::NotThere { row: key.clone().into() })
    }

    /// The rows that pass a filter, in the order of their keys.
    ///
    /// # Errors
    ///
    /// [`CommandError::Store`].
    pub fn rows<E: Entity>(&self, filter: Filter<E>) -> Answer<Vec<E>> {
        let (mut rows, mut after) = (Vec::new(), None);
        loop {
            let page = self.store.list(&filter, after.as_ref(), PAGE)?;
            let Some(last) = page.last() else { return Ok(rows) };
            after = Some(last.row.key());
            rows.extend(page.into_iter().map(|found| found.row));
        }
    }

    fn now(&self) -> Moment {
        self.clock.now()
    }

    /// The names of those signed in, as one line.
    fn actor(&self) -> Line {
        let names: Vec<String> = self.module.acting().iter().map(ToString::to_string).collect();
        Line::lossy(&names.join(" + "))
    }

    /// Starts collecting changes.
    fn batch(&self) -> Answer<Batch> {
        Ok(Batch::new(self.record()?, self.now(), self.actor()))
    }

    /// Commits the changes of a batch.
    fn commit(&mut self, batch: Batch) -> Answer<()> {
        Ok(self.store.commit(&batch.into_changes())?)
    }

    /// Refuses an operation if those signed in lack the authority for it.
    fn needs(&self, operation: &'static str, needs: Authority) -> Answer<()> {
        let found = self.module.authority();
        if found >= needs {
            Ok(())
        } else {
            Err(CommandError::Forbidden { operation, needs, found })
        }
    }
}

/// The row of a centre in its store.
///
/// # Errors
///
/// [`CommandError::NotSetUp`]; [`CommandError::OtherCentre`] if the store belongs to another centre;
/// [`CommandError::Store`].
pub fn record_of(
    store: &impl CentreStore,
    id: &prepay_kmp::CentreId,
) -> Answer<Versioned<CentreRecord>> {
    let found = store.get::<CentreRecord>(&())?.ok_or(CommandError::NotSetUp)?;
    same_centre(&found.row, id)?;
    Ok(found)
}

fn same_centre(record: &CentreRecord, id: &prepay_kmp::CentreId) -> Answer<()> {
    if record.id == *id {
        Ok(())
    } else {
        Err(CommandError::OtherCentre { expected: record.id.clone(), found: id.clone() })
    }
}
