//! The state of a key management centre in one SQLite file.

mod column;
mod put;
mod read;
mod table;
mod write;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use prepay_basics::Identifier;
use prepay_kmc::entity::{
    AgreementRecord, Authorisation, AuthorisationNumber, CentreRecord, Customer, CustomerNumber,
    FormNumber, FormRecord, JournalEntry, KeyLoadRecord, ModuleRecord, Ownership, Signatory,
    SupplyGroup, VendingKeyId, VendingKeyRecord,
};
use prepay_kmc::store::{CentreStore, Change, Found, PAGE, Page, StoreError};
use prepay_kmp::ModuleId;
use prepay_token::element::SupplyGroupCode;
use rusqlite::{Connection, TransactionBehavior, params};

use self::column::{Columns, fault};
use self::table::{find, page};
use crate::open::{self, OpenStoreError};

/// The state of a key management centre in one SQLite file.
///
/// Several processes may have the same file open; their commits take turns.
pub struct SqliteCentreStore {
    connection: Mutex<Connection>,
}

impl SqliteCentreStore {
    /// Makes a new file.
    ///
    /// # Errors
    ///
    /// [`OpenStoreError`].
    pub fn create(path: &Path) -> Result<Self, OpenStoreError> {
        Ok(Self { connection: Mutex::new(open::create(path)?) })
    }

    /// Opens a file that is there, and brings it to the present schema.
    ///
    /// # Errors
    ///
    /// [`OpenStoreError`].
    pub fn open(path: &Path) -> Result<Self, OpenStoreError> {
        Ok(Self { connection: Mutex::new(open::open(path)?) })
    }

    /// A store in memory, for tests.
    ///
    /// # Errors
    ///
    /// [`OpenStoreError`].
    pub fn in_memory() -> Result<Self, OpenStoreError> {
        Ok(Self { connection: Mutex::new(open::in_memory()?) })
    }

    /// Writes all that is committed into a new file, as a back-up does. On return it is durable. Others may
    /// go on meanwhile.
    ///
    /// Copying the file itself is no back-up: the newest commits may lie in the file beside it.
    ///
    /// # Errors
    ///
    /// [`OpenStoreError::AlreadyThere`], [`OpenStoreError::Fault`]; no file is left then.
    pub fn copy_to(&self, path: &Path) -> Result<(), OpenStoreError> {
        open::copy(&self.connection(), path)
    }

    /// A panic of another thread leaves no half commit: its transaction was rolled back.
    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number behind which a listing begins; −1 is before all.
fn behind(after: Option<u32>) -> i64 {
    after.map_or(-1, i64::from)
}

impl CentreStore for SqliteCentreStore {
    fn centre(&self) -> Found<CentreRecord> {
        find(&self.connection(), "one = 1", params![])
    }

    fn customer(&self, number: CustomerNumber) -> Found<Customer> {
        find(&self.connection(), "number = ?1", params![number.value()])
    }

    fn customers(&self, after: Option<CustomerNumber>, limit: usize) -> Page<Customer> {
        let after = behind(after.map(CustomerNumber::value));
        page(&self.connection(), "number > ?1", params![after], limit)
    }

    fn signatory(&self, name: &Identifier) -> Found<Signatory> {
        find(&self.connection(), "name = ?1", params![name.as_str()])
    }

    fn signatories(&self, after: Option<&Identifier>, limit: usize) -> Page<Signatory> {
        let after = after.map_or("", Identifier::as_str);
        page(&self.connection(), "name > ?1", params![after], limit)
    }

    fn group(&self, code: SupplyGroupCode) -> Found<SupplyGroup> {
        find(&self.connection(), "code = ?1", params![code.value()])
    }

    fn groups(&self, after: Option<SupplyGroupCode>, limit: usize) -> Page<SupplyGroup> {
        let after = behind(after.map(SupplyGroupCode::value));
        page(&self.connection(), "code > ?1", params![after], limit)
    }

    fn ownerships(&self, group: SupplyGroupCode, after: u32, limit: usize) -> Page<Ownership> {
        let condition = "supply_group = ?1 AND sequence > ?2";
        page(&self.connection(), condition, params![group.value(), after], limit)
    }

    fn vending_key(&self, id: VendingKeyId) -> Found<VendingKeyRecord> {
        let (group, revision, generation) = id.numbers();
        let condition = "supply_group = ?1 AND revision = ?2 AND generation = ?3";
        find(&self.connection(), condition, params![group, revision, generation])
    }

    fn vending_keys(
        &self,
        group: Option<SupplyGroupCode>,
        after: Option<VendingKeyId>,
        limit: usize,
    ) -> Page<VendingKeyRecord> {
        let (code, revision, generation) = after.map_or((-1, 0, 0), |after| {
            let (group, revision, generation) = after.numbers();
            (i64::from(group), revision, generation)
        });
        let connection = self.connection();
        if let Some(group) = group {
            let condition =
                "supply_group = ?1 AND (supply_group, revision, generation) > (?2, ?3, ?4)";
            let values = params![group.value(), code, revision, generation];
            return page(&connection, condition, values, limit);
        }
        let condition = "(supply_group, revision, generation) > (?1, ?2, ?3)";
        page(&connection, condition, params![code, revision, generation], limit)
    }

    fn authorisation(&self, number: AuthorisationNumber) -> Found<Authorisation> {
        find(&self.connection(), "number = ?1", params![number.value()])
    }

    fn authorisations(
        &self,
        module: Option<&ModuleId>,
        after: Option<AuthorisationNumber>,
        limit: usize,
    ) -> Page<Authorisation> {
        let after = behind(after.map(AuthorisationNumber::value));
        let connection = self.connection();
        match module.map(ModuleId::as_str) {
            None => page(&connection, "number > ?1", params![after], limit),
            Some(module) => {
                page(&connection, "module = ?1 AND number > ?2", params![module, after], limit)
            }
        }
    }

    fn module(&self, id: &ModuleId) -> Found<ModuleRecord> {
        find(&self.connection(), "id = ?1", params![id.as_str()])
    }

    fn modules(&self, after: Option<&ModuleId>, limit: usize) -> Page<ModuleRecord> {
        let after = after.map_or("", ModuleId::as_str);
        page(&self.connection(), "id > ?1", params![after], limit)
    }

    fn agreement(&self, module: &ModuleId, request_digest: &[u8; 32]) -> Found<AgreementRecord> {
        let condition = "module = ?1 AND request_digest = ?2";
        find(&self.connection(), condition, params![module.as_str(), request_digest.as_slice()])
    }

    fn agreements(
        &self,
        module: &ModuleId,
        after: Option<&[u8; 32]>,
        limit: usize,
    ) -> Page<AgreementRecord> {
        let after = after.map_or(&[][..], |digest| &digest[..]);
        let condition = "module = ?1 AND request_digest > ?2";
        page(&self.connection(), condition, params![module.as_str(), after], limit)
    }

    fn key_load(&self, serial: u64) -> Found<KeyLoadRecord> {
        let Ok(serial) = i64::try_from(serial) else { return Ok(None) };
        find(&self.connection(), "serial = ?1", params![serial])
    }

    fn key_load_for(&self, module: &ModuleId, nonce: &str) -> Found<KeyLoadRecord> {
        find(&self.connection(), "module = ?1 AND nonce = ?2", params![module.as_str(), nonce])
    }

    fn key_loads(
        &self,
        module: Option<&ModuleId>,
        after: Option<u64>,
        limit: usize,
    ) -> Page<KeyLoadRecord> {
        let Ok(after) = after.map_or(Ok(-1), i64::try_from) else { return Ok(Vec::new()) };
        let connection = self.connection();
        match module.map(ModuleId::as_str) {
            None => page(&connection, "serial > ?1", params![after], limit),
            Some(module) => {
                page(&connection, "module = ?1 AND serial > ?2", params![module, after], limit)
            }
        }
    }

    fn form(&self, number: FormNumber) -> Found<FormRecord> {
        find(&self.connection(), "number = ?1", params![number.value()])
    }

    fn form_with(&self, digest: &[u8; 48]) -> Found<FormRecord> {
        find(&self.connection(), "digest = ?1", params![digest.as_slice()])
    }

    fn forms(&self, after: Option<FormNumber>, limit: usize) -> Page<FormRecord> {
        let after = behind(after.map(FormNumber::value));
        page(&self.connection(), "number > ?1", params![after], limit)
    }

    fn journal(&self, after: u64, limit: usize) -> Result<Vec<JournalEntry>, StoreError> {
        let Ok(after) = i64::try_from(after) else { return Ok(Vec::new()) };
        let limit = limit.clamp(1, PAGE);
        let connection = self.connection();
        let mut statement = connection
            .prepare_cached("SELECT * FROM journal WHERE sequence > ?1 ORDER BY sequence LIMIT ?2")
            .map_err(|error| fault(&error))?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = statement
            .query_map([after, limit], |row| Ok(journal_entry(&Columns::new("journal", row))))
            .map_err(|error| fault(&error))?;
        rows.map(|row| row.map_err(|error| fault(&error))?).collect()
    }

    fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        let mut connection = self.connection();
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| fault(&error))?;
        for change in changes {
            write::apply(&transaction, change)?;
        }
        transaction.commit().map_err(|error| fault(&error))
    }
}

fn journal_entry(columns: &Columns<'_>) -> Result<JournalEntry, StoreError> {
    Ok(JournalEntry {
        sequence: columns.count("sequence")?,
        at: columns.moment("at")?,
        actor: columns.text("actor")?,
        action: columns.text("action")?,
        subject: columns.text("subject")?,
        note: columns.text("note")?,
    })
}
