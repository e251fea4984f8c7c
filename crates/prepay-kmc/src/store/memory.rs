//! A store in memory: the model of what every store does.
//!
//! A commit works on a copy of everything and takes its place when all went well, so it is whole by its
//! making. Nothing here is fast with many rows.

use std::collections::BTreeMap;

use prepay_basics::Identifier;
use prepay_kmp::ModuleId;
use prepay_token::element::SupplyGroupCode;

use super::{
    CentreStore, Change, Constraint, Found, NewJournalEntry, PAGE, Page, Row, RowKey, StoreError,
    Versioned,
};
use crate::entity::{
    AgreementRecord, Authorisation, AuthorisationNumber, CentreRecord, Customer, CustomerNumber,
    FormNumber, FormRecord, JournalEntry, KeyLoadRecord, KeyState, ModuleRecord, Ownership,
    Signatory, SupplyGroup, VendingKeyId, VendingKeyRecord,
};

/// A store in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    tables: Tables,
}

type Table<K, T> = BTreeMap<K, Versioned<T>>;

#[derive(Clone, Debug, Default)]
struct Tables {
    centre: Table<(), CentreRecord>,
    customers: Table<CustomerNumber, Customer>,
    signatories: Table<Identifier, Signatory>,
    groups: Table<SupplyGroupCode, SupplyGroup>,
    ownerships: Table<(SupplyGroupCode, u32), Ownership>,
    vending_keys: Table<VendingKeyId, VendingKeyRecord>,
    authorisations: Table<AuthorisationNumber, Authorisation>,
    modules: Table<ModuleId, ModuleRecord>,
    agreements: Table<(ModuleId, [u8; 32]), AgreementRecord>,
    key_loads: Table<u64, KeyLoadRecord>,
    forms: Table<FormNumber, FormRecord>,
    journal: Vec<JournalEntry>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }
}

/// The rows behind a key that fit, as one page.
fn page<K: Ord, T: Clone>(
    table: &Table<K, T>,
    after: Option<&K>,
    limit: usize,
    fits: impl Fn(&T) -> bool,
) -> Page<T> {
    let behind = |key: &K| after.is_none_or(|after| key > after);
    let rows = table.iter().filter(|(key, entry)| behind(key) && fits(&entry.row));
    Ok(rows.take(limit.clamp(1, PAGE)).map(|(_, entry)| entry.clone()).collect())
}

impl Tables {
    fn apply(&mut self, change: &Change) -> Result<(), StoreError> {
        match change {
            Change::Insert(row) => self.write(row, None),
            Change::Update { row, version } => self.write(row, Some(*version)),
            Change::Journal(entry) => {
                self.write_journal(entry);
                Ok(())
            }
        }
    }

    fn write_journal(&mut self, entry: &NewJournalEntry) {
        let NewJournalEntry { at, actor, action, subject, note } = entry.clone();
        let sequence = self.journal.len() as u64 + 1;
        self.journal.push(JournalEntry { sequence, at, actor, action, subject, note });
    }

    fn write(&mut self, row: &Row, version: Option<u64>) -> Result<(), StoreError> {
        if version.is_some() && row.is_insert_only() {
            return Err(StoreError::InsertOnly { row: row.key() });
        }
        let next = next_version(row, self.version(&row.key()), version)?;
        if let Some(place) = self.lost_step(row) {
            return Err(StoreError::Steps { row: row.key(), place });
        }
        if let Some(constraint) = self.duplicate(row) {
            return Err(StoreError::Duplicate { row: row.key(), constraint });
        }
        let missing = row.references().into_iter().find(|key| self.version(key).is_none());
        if let Some(missing) = missing {
            return Err(StoreError::Dangling { row: row.key(), missing });
        }
        self.put(row, next);
        Ok(())
    }

    /// The version of a row, if it is there.
    fn version(&self, key: &RowKey) -> Option<u64> {
        fn of<K: Ord, T>(table: &Table<K, T>, key: &K) -> Option<u64> {
            table.get(key).map(|entry| entry.version)
        }
        match key {
            RowKey::Centre => of(&self.centre, &()),
            RowKey::Customer(number) => of(&self.customers, number),
            RowKey::Signatory(name) => of(&self.signatories, name),
            RowKey::Group(code) => of(&self.groups, code),
            RowKey::Ownership { group, sequence } => of(&self.ownerships, &(*group, *sequence)),
            RowKey::VendingKey(id) => of(&self.vending_keys, id),
            RowKey::Authorisation(number) => of(&self.authorisations, number),
            RowKey::Module(id) => of(&self.modules, id),
            RowKey::Agreement { module, request_digest } => {
                of(&self.agreements, &(module.clone(), *request_digest))
            }
            RowKey::KeyLoad(serial) => of(&self.key_loads, serial),
            RowKey::Form(number) => of(&self.forms, number),
        }
    }

    /// The first known step that a form would lose.
    fn lost_step(&self, row: &Row) -> Option<usize> {
        let Row::Form(new) = row else { return None };
        new.lost_step(&self.forms.get(&new.number)?.row.steps)
    }

    /// What would be there twice with this row.
    fn duplicate(&self, row: &Row) -> Option<Constraint> {
        let found = match row {
            Row::Signatory(new) => self.signatories.values().any(|Versioned { row, .. }| {
                row.name != new.name && row.public_key == new.public_key
            }),
            Row::Module(new) => self.modules.values().any(|Versioned { row, .. }| {
                row.id != new.id && row.fingerprint == new.fingerprint
            }),
            Row::VendingKey(new) if new.state != KeyState::Retired => {
                self.vending_keys.values().any(|Versioned { row, .. }| {
                    row.id != new.id
                        && row.state != KeyState::Retired
                        && (row.id.group, row.id.revision) == (new.id.group, new.id.revision)
                })
            }
            Row::KeyLoad(new) => {
                let twice = self.key_loads.values().any(|Versioned { row, .. }| {
                    row.serial != new.serial && row.module == new.module && row.nonce == new.nonce
                });
                return if twice {
                    Some(Constraint::LoadNonce)
                } else {
                    new.names_twice().then_some(Constraint::LoadedKey)
                };
            }
            Row::Form(new) => self
                .forms
                .values()
                .any(|Versioned { row, .. }| row.number != new.number && row.digest == new.digest),
            _ => false,
        };
        found.then_some(match row {
            Row::Signatory(_) => Constraint::SignatoryKey,
            Row::Module(_) => Constraint::ModuleFingerprint,
            Row::VendingKey(_) => Constraint::LiveRevision,
            _ => Constraint::FormDigest,
        })
    }

    fn put(&mut self, row: &Row, version: u64) {
        fn into<K: Ord, T: Clone>(table: &mut Table<K, T>, key: K, row: &T, version: u64) {
            table.insert(key, Versioned { row: row.clone(), version });
        }
        match row {
            Row::Centre(row) => into(&mut self.centre, (), row, version),
            Row::Customer(row) => into(&mut self.customers, row.number, row, version),
            Row::Signatory(row) => into(&mut self.signatories, row.name.clone(), row, version),
            Row::Group(row) => into(&mut self.groups, row.code, row, version),
            Row::Ownership(row) => {
                into(&mut self.ownerships, (row.group, row.sequence), row, version);
            }
            Row::VendingKey(row) => into(&mut self.vending_keys, row.id, row, version),
            Row::Authorisation(row) => into(&mut self.authorisations, row.number, row, version),
            Row::Module(row) => into(&mut self.modules, row.id.clone(), row, version),
            Row::Agreement(row) => {
                into(&mut self.agreements, (row.module.clone(), row.request_digest), row, version);
            }
            Row::KeyLoad(row) => into(&mut self.key_loads, row.serial, row, version),
            Row::Form(row) => into(&mut self.forms, row.number, row, version),
        }
    }
}

/// The version that the row gets, if the one that is there allows it.
fn next_version(row: &Row, found: Option<u64>, expected: Option<u64>) -> Result<u64, StoreError> {
    match (found, expected) {
        (None, None) => Ok(1),
        (Some(_), None) => Err(StoreError::AlreadyThere { row: row.key() }),
        (None, Some(_)) => Err(StoreError::NotThere { row: row.key() }),
        (Some(found), Some(expected)) if found == expected => Ok(found + 1),
        (Some(found), Some(expected)) => {
            Err(StoreError::Conflict { row: row.key(), expected, found })
        }
    }
}

impl CentreStore for MemoryStore {
    fn centre(&self) -> Found<CentreRecord> {
        Ok(self.tables.centre.get(&()).cloned())
    }

    fn customer(&self, number: CustomerNumber) -> Found<Customer> {
        Ok(self.tables.customers.get(&number).cloned())
    }

    fn customers(&self, after: Option<CustomerNumber>, limit: usize) -> Page<Customer> {
        page(&self.tables.customers, after.as_ref(), limit, |_| true)
    }

    fn signatory(&self, name: &Identifier) -> Found<Signatory> {
        Ok(self.tables.signatories.get(name).cloned())
    }

    fn signatories(&self, after: Option<&Identifier>, limit: usize) -> Page<Signatory> {
        page(&self.tables.signatories, after, limit, |_| true)
    }

    fn group(&self, code: SupplyGroupCode) -> Found<SupplyGroup> {
        Ok(self.tables.groups.get(&code).cloned())
    }

    fn groups(&self, after: Option<SupplyGroupCode>, limit: usize) -> Page<SupplyGroup> {
        page(&self.tables.groups, after.as_ref(), limit, |_| true)
    }

    fn ownerships(&self, group: SupplyGroupCode, after: u32, limit: usize) -> Page<Ownership> {
        page(&self.tables.ownerships, Some(&(group, after)), limit, |row| row.group == group)
    }

    fn vending_key(&self, id: VendingKeyId) -> Found<VendingKeyRecord> {
        Ok(self.tables.vending_keys.get(&id).cloned())
    }

    fn vending_keys(
        &self,
        group: Option<SupplyGroupCode>,
        after: Option<VendingKeyId>,
        limit: usize,
    ) -> Page<VendingKeyRecord> {
        let fits = |row: &VendingKeyRecord| group.is_none_or(|group| row.id.group == group);
        page(&self.tables.vending_keys, after.as_ref(), limit, fits)
    }

    fn authorisation(&self, number: AuthorisationNumber) -> Found<Authorisation> {
        Ok(self.tables.authorisations.get(&number).cloned())
    }

    fn authorisations(
        &self,
        module: Option<&ModuleId>,
        after: Option<AuthorisationNumber>,
        limit: usize,
    ) -> Page<Authorisation> {
        let fits = |row: &Authorisation| module.is_none_or(|module| row.module == *module);
        page(&self.tables.authorisations, after.as_ref(), limit, fits)
    }

    fn module(&self, id: &ModuleId) -> Found<ModuleRecord> {
        Ok(self.tables.modules.get(id).cloned())
    }

    fn modules(&self, after: Option<&ModuleId>, limit: usize) -> Page<ModuleRecord> {
        page(&self.tables.modules, after, limit, |_| true)
    }

    fn agreement(&self, module: &ModuleId, request_digest: &[u8; 32]) -> Found<AgreementRecord> {
        Ok(self.tables.agreements.get(&(module.clone(), *request_digest)).cloned())
    }

    fn agreements(
        &self,
        module: &ModuleId,
        after: Option<&[u8; 32]>,
        limit: usize,
    ) -> Page<AgreementRecord> {
        let after = after.map(|digest| (module.clone(), *digest));
        page(&self.tables.agreements, after.as_ref(), limit, |row| row.module == *module)
    }

    fn key_load(&self, serial: u64) -> Found<KeyLoadRecord> {
        Ok(self.tables.key_loads.get(&serial).cloned())
    }

    fn key_load_for(&self, module: &ModuleId, nonce: &str) -> Found<KeyLoadRecord> {
        let fits = |row: &KeyLoadRecord| row.module == *module && *row.nonce == *nonce;
        Ok(self.tables.key_loads.values().find(|entry| fits(&entry.row)).cloned())
    }

    fn key_loads(
        &self,
        module: Option<&ModuleId>,
        after: Option<u64>,
        limit: usize,
    ) -> Page<KeyLoadRecord> {
        let fits = |row: &KeyLoadRecord| module.is_none_or(|module| row.module == *module);
        page(&self.tables.key_loads, after.as_ref(), limit, fits)
    }

    fn form(&self, number: FormNumber) -> Found<FormRecord> {
        Ok(self.tables.forms.get(&number).cloned())
    }

    fn form_with(&self, digest: &[u8; 48]) -> Found<FormRecord> {
        Ok(self.tables.forms.values().find(|entry| entry.row.digest == *digest).cloned())
    }

    fn forms(&self, after: Option<FormNumber>, limit: usize) -> Page<FormRecord> {
        page(&self.tables.forms, after.as_ref(), limit, |_| true)
    }

    fn journal(&self, after: u64, limit: usize) -> Result<Vec<JournalEntry>, StoreError> {
        let behind = self.tables.journal.iter().filter(|entry| entry.sequence > after);
        Ok(behind.take(limit.clamp(1, PAGE)).cloned().collect())
    }

    fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        let mut tables = self.tables.clone();
        changes.iter().try_for_each(|change| tables.apply(change))?;
        self.tables = tables;
        Ok(())
    }
}
