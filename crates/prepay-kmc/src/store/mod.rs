//! What a centre asks of its storage.
//!
//! A store holds the rows of [`entity`](crate::entity). It answers single rows by key and lists in the order
//! of keys, a page at a time. All writing is one [`commit`](CentreStore::commit) of many changes, which
//! happens whole or not at all.
//!
//! # Contract
//!
//! - **Whole**: a commit that is refused, or that a crash cuts, changes nothing. A commit that was answered
//!   is durable. The changes apply in their order, so a later one may refer to an earlier one.
//! - **Versions**: an inserted row has version 1, each update adds 1. An update says which version it read;
//!   another one is a [`StoreError::Conflict`], and the caller reads again. So two processes never overwrite
//!   each other unseen.
//! - **Keys**: an insert of a key that is there is [`StoreError::AlreadyThere`]; an update of one that is not
//!   is [`StoreError::NotThere`].
//! - **Unique**: see [`Constraint`]; a second one is [`StoreError::Duplicate`].
//! - **References**: a row that names a missing one is [`StoreError::Dangling`], at the change that does.
//! - **Inserted only**: ownerships, agreements, key loads and journal entries are never updated
//!   ([`StoreError::InsertOnly`]).
//! - **Steps** of a form are only ever added to: an update that leaves one out or says it otherwise is
//!   [`StoreError::Steps`].
//! - **Checks in this order** for each change: inserted only, key (and version), steps, unique in the order
//!   of [`Constraint`], references in the order of the row's fields. The first failing change is reported.
//! - **Journal**: the store numbers the entries of a commit without a gap, in the order of the changes.
//! - **Pages**: a listing gives the rows behind a key, in rising order of keys, at most `limit` of them
//!   (1 to [`PAGE`]; a greater one counts as [`PAGE`]). An empty page is the end.
//! - Nothing is ever deleted.

mod change;
mod error;
mod memory;

use prepay_basics::Identifier;
use prepay_kmp::ModuleId;
use prepay_token::element::SupplyGroupCode;

pub use change::{Change, NewJournalEntry, Row, RowKey};
pub use error::{Constraint, StoreError};
pub use memory::MemoryStore;

use crate::entity::{
    AgreementRecord, Authorisation, AuthorisationNumber, CentreRecord, Customer, CustomerNumber,
    FormNumber, FormRecord, JournalEntry, KeyLoadRecord, ModuleRecord, Ownership, Signatory,
    SupplyGroup, VendingKeyId, VendingKeyRecord,
};

/// The greatest page.
pub const PAGE: usize = 1000;

/// A row and its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned<T> {
    /// The row.
    pub row: T,
    /// Its version: 1 when inserted, 1 more with each update.
    pub version: u64,
}

/// The answer to a read of one row.
pub type Found<T> = Result<Option<Versioned<T>>, StoreError>;

/// The answer to a listing.
pub type Page<T> = Result<Vec<Versioned<T>>, StoreError>;

/// The storage of a centre. The [module](self) states the contract.
///
/// Every read can fail with [`StoreError::Fault`] and [`StoreError::Damaged`].
pub trait CentreStore {
    /// The centre's own row.
    fn centre(&self) -> Found<CentreRecord>;

    /// A customer.
    fn customer(&self, number: CustomerNumber) -> Found<Customer>;

    /// Customers by number.
    fn customers(&self, after: Option<CustomerNumber>, limit: usize) -> Page<Customer>;

    /// A signatory.
    fn signatory(&self, name: &Identifier) -> Found<Signatory>;

    /// Signatories by name, in the order of bytes.
    fn signatories(&self, after: Option<&Identifier>, limit: usize) -> Page<Signatory>;

    /// A supply group.
    fn group(&self, code: SupplyGroupCode) -> Found<SupplyGroup>;

    /// Supply groups by code.
    fn groups(&self, after: Option<SupplyGroupCode>, limit: usize) -> Page<SupplyGroup>;

    /// The owners of a group by sequence, behind `after` (0 for all).
    fn ownerships(&self, group: SupplyGroupCode, after: u32, limit: usize) -> Page<Ownership>;

    /// A vending key.
    fn vending_key(&self, id: VendingKeyId) -> Found<VendingKeyRecord>;

    /// Vending keys by group, revision and generation. With a group, those of that group only.
    fn vending_keys(
        &self,
        group: Option<SupplyGroupCode>,
        after: Option<VendingKeyId>,
        limit: usize,
    ) -> Page<VendingKeyRecord>;

    /// An authorisation.
    fn authorisation(&self, number: AuthorisationNumber) -> Found<Authorisation>;

    /// Authorisations by number. With a module, those for that module only.
    fn authorisations(
        &self,
        module: Option<&ModuleId>,
        after: Option<AuthorisationNumber>,
        limit: usize,
    ) -> Page<Authorisation>;

    /// A module.
    fn module(&self, id: &ModuleId) -> Found<ModuleRecord>;

    /// Modules by name, in the order of bytes.
    fn modules(&self, after: Option<&ModuleId>, limit: usize) -> Page<ModuleRecord>;

    /// An answered agreement request, by the SHA-256 of its text.
    fn agreement(&self, module: &ModuleId, request_digest: &[u8; 32]) -> Found<AgreementRecord>;

    /// The answered agreement requests of a module, by digest.
    fn agreements(
        &self,
        module: &ModuleId,
        after: Option<&[u8; 32]>,
        limit: usize,
    ) -> Page<AgreementRecord>;

    /// A key-load file.
    fn key_load(&self, serial: u64) -> Found<KeyLoadRecord>;

    /// The key-load file that answered the request with this number of its own.
    fn key_load_for(&self, module: &ModuleId, nonce: &str) -> Found<KeyLoadRecord>;

    /// Key-load files by serial number. With a module, those for that module only.
    fn key_loads(
        &self,
        module: Option<&ModuleId>,
        after: Option<u64>,
        limit: usize,
    ) -> Page<KeyLoadRecord>;

    /// A form.
    fn form(&self, number: FormNumber) -> Found<FormRecord>;

    /// The form with this SHA-384 of its signed text.
    fn form_with(&self, digest: &[u8; 48]) -> Found<FormRecord>;

    /// Forms by number.
    fn forms(&self, after: Option<FormNumber>, limit: usize) -> Page<FormRecord>;

    /// Entries of the journal behind a sequence number (0 for all).
    fn journal(&self, after: u64, limit: usize) -> Result<Vec<JournalEntry>, StoreError>;

    /// Makes all changes, or none.
    ///
    /// # Errors
    ///
    /// Every [`StoreError`]. Nothing has changed then, but after a [`StoreError::Fault`] the caller cannot
    /// know: it opens the store again and looks.
    fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError>;
}
