//! The rules of a commit, the same for every backend: the checks of the contract, in its order.

use super::schema::{JOURNAL, select};
use super::{
    Change, Constraint, Entity, Field, Filter, NewJournalEntry, Order, Query, Row, RowKey,
    StoreError, Tables, Value, Versioned, WriteTables,
};
use crate::entity::{
    FormRecord, FormStep, JournalEntry, KeyLoadRecord, KeyState, ModuleRecord, Signatory,
    VendingKeyRecord,
};

/// Makes one change.
pub(super) fn apply(tables: &mut dyn WriteTables, change: &Change) -> Result<(), StoreError> {
    match change {
        Change::Insert(row) => write(tables, row, None),
        Change::Update { row, version } => write(tables, row, Some(*version)),
        Change::Journal(entry) => write_journal(tables, entry),
    }
}

fn write(tables: &mut dyn WriteTables, row: &Row, expected: Option<u64>) -> Result<(), StoreError> {
    if expected.is_some() && row.is_insert_only() {
        return Err(StoreError::InsertOnly { row: row.key() });
    }
    let version = match (version(tables, &row.key())?, expected) {
        (None, None) => 1,
        (Some(_), None) => return Err(StoreError::AlreadyThere { row: row.key() }),
        (None, Some(_)) => return Err(StoreError::NotThere { row: row.key() }),
        (Some(found), Some(expected)) if found == expected => found + 1,
        (Some(found), Some(expected)) => {
            return Err(StoreError::Conflict { row: row.key(), expected, found });
        }
    };
    if let Some(place) = lost_step(tables, row)? {
        return Err(StoreError::Steps { row: row.key(), place });
    }
    if let Some(constraint) = duplicate(tables, row)? {
        return Err(StoreError::Duplicate { row: row.key(), constraint });
    }
    for missing in row.references() {
        if self::version(tables, &missing)?.is_none() {
            return Err(StoreError::Dangling { row: row.key(), missing });
        }
    }
    row.put(tables, version)
}

/// The version of a row, if it exists.
fn version(tables: &dyn Tables, key: &RowKey) -> Result<Option<u64>, StoreError> {
    let (table, values) = key.place();
    let equal: Vec<_> = table.columns().zip(values).collect();
    let query = Query { equal: &equal, limit: 1, ..Query::default() };
    let found = tables.select(table, &query)?;
    match found.first().and_then(|row| row.last()) {
        None => Ok(None),
        Some(Value::Number(version)) => Ok(Some(*version)),
        Some(_) => {
            let problem = format!("{}.version: expected a number", table.name);
            Err(StoreError::Damaged { problem })
        }
    }
}

/// The position of the first step of a form that an update leaves out or changes.
fn lost_step(tables: &dyn Tables, row: &Row) -> Result<Option<usize>, StoreError> {
    let Row::Form(new) = row else { return Ok(None) };
    let found = matching::<FormRecord>(tables, &Filter::key(&new.number))?;
    let known: &[FormStep] = found.first().map_or(&[], |form| &form.row.steps);
    Ok(new.lost_step(known))
}

/// The constraint that this row would break.
fn duplicate(tables: &dyn Tables, row: &Row) -> Result<Option<Constraint>, StoreError> {
    let (is_twice, constraint) = match row {
        Row::Signatory(new) => {
            let same = matching(tables, &Signatory::with_key(&new.public_key))?;
            (has_other(new, &same), Constraint::SignatoryKey)
        }
        Row::Module(new) => {
            let same = matching(tables, &ModuleRecord::with_fingerprint(&new.fingerprint))?;
            (has_other(new, &same), Constraint::ModuleFingerprint)
        }
        Row::VendingKey(new) if new.state != KeyState::Retired => {
            let mut same = matching(tables, &VendingKeyRecord::of_revision(new.id))?;
            same.retain(|key| key.row.state != KeyState::Retired);
            (has_other(new, &same), Constraint::LiveRevision)
        }
        Row::KeyLoad(new) => {
            let same = matching(tables, &KeyLoadRecord::answering(&new.module, &new.nonce))?;
            if has_other(new, &same) {
                (true, Constraint::LoadNonce)
            } else {
                (new.names_twice(), Constraint::LoadedKey)
            }
        }
        Row::Form(new) => {
            let same = matching(tables, &FormRecord::with_digest(&new.digest))?;
            (has_other(new, &same), Constraint::FormDigest)
        }
        _ => return Ok(None),
    };
    Ok(is_twice.then_some(constraint))
}

fn matching<E: Entity>(
    tables: &dyn Tables,
    filter: &Filter<E>,
) -> Result<Vec<Versioned<E>>, StoreError> {
    select(tables, &Query { equal: &filter.equal, limit: usize::MAX, ..Query::default() })
}

/// Whether a row with another key has the same value.
fn has_other<E: Entity<Key: PartialEq>>(new: &E, same: &[Versioned<E>]) -> bool {
    same.iter().any(|found| found.row.key() != new.key())
}

/// Appends an entry under the next number.
fn write_journal(tables: &mut dyn WriteTables, entry: &NewJournalEntry) -> Result<(), StoreError> {
    let newest = Query { order: Order::Falling, limit: 1, ..Query::default() };
    let last = super::journal(tables, &newest)?.pop().map_or(0, |entry| entry.sequence);
    let NewJournalEntry { at, actor, action, subject, note } = entry.clone();
    let entry = JournalEntry { sequence: last + 1, at, actor, action, subject, note };
    tables.put(JOURNAL, &entry.values())
}
