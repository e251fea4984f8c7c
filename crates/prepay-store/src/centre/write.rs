//! One change of a commit: the checks of the contract in its order, then the columns (`put.rs`).

use prepay_kmc::entity::KeyState;
use prepay_kmc::store::{Change, Constraint, NewJournalEntry, Row, RowKey, StoreError};
use rusqlite::{Connection, OptionalExtension, ToSql, params};

use super::column::{fault, long, seconds};
use super::put::put_row;
use super::read::form_steps;

/// Makes one change.
pub(super) fn apply(connection: &Connection, change: &Change) -> Result<(), StoreError> {
    match change {
        Change::Insert(row) => write(connection, row, None),
        Change::Update { row, version } => write(connection, row, Some(*version)),
        Change::Journal(entry) => write_journal(connection, entry),
    }
}

fn write(connection: &Connection, row: &Row, expected: Option<u64>) -> Result<(), StoreError> {
    if expected.is_some() && row.is_insert_only() {
        return Err(StoreError::InsertOnly { row: row.key() });
    }
    let version = match (version(connection, &row.key())?, expected) {
        (None, None) => 1,
        (Some(_), None) => return Err(StoreError::AlreadyThere { row: row.key() }),
        (None, Some(_)) => return Err(StoreError::NotThere { row: row.key() }),
        (Some(found), Some(expected)) if found == expected => found + 1,
        (Some(found), Some(expected)) => {
            return Err(StoreError::Conflict { row: row.key(), expected, found });
        }
    };
    if let Row::Form(form) = row
        && let Some(place) = form.lost_step(&form_steps(connection, form.number)?)
    {
        return Err(StoreError::Steps { row: row.key(), place });
    }
    if let Some(constraint) = duplicate(connection, row)? {
        return Err(StoreError::Duplicate { row: row.key(), constraint });
    }
    for key in row.references() {
        if self::version(connection, &key)?.is_none() {
            return Err(StoreError::Dangling { row: row.key(), missing: key });
        }
    }
    put_row(connection, row, long("version", version)?)
}

/// The version of a row, if it is there.
fn version(connection: &Connection, key: &RowKey) -> Result<Option<u64>, StoreError> {
    let of = |sql: &str, values: &[&dyn ToSql]| {
        let mut statement = connection.prepare_cached(sql)?;
        statement.query_row(values, |row| row.get::<_, i64>(0)).optional()
    };
    let found = match key {
        RowKey::Centre => of("SELECT version FROM centre WHERE one = 1", params![]),
        RowKey::Customer(number) => {
            of("SELECT version FROM customer WHERE number = ?1", params![number.value()])
        }
        RowKey::Signatory(name) => {
            of("SELECT version FROM signatory WHERE name = ?1", params![name.as_str()])
        }
        RowKey::Group(code) => {
            of("SELECT version FROM supply_group WHERE code = ?1", params![code.value()])
        }
        RowKey::Ownership { group, sequence } => of(
            "SELECT version FROM ownership WHERE supply_group = ?1 AND sequence = ?2",
            params![group.value(), sequence],
        ),
        RowKey::VendingKey(id) => {
            let (group, revision, generation) = id.numbers();
            of(
                "SELECT version FROM vending_key \
                 WHERE supply_group = ?1 AND revision = ?2 AND generation = ?3",
                params![group, revision, generation],
            )
        }
        RowKey::Authorisation(number) => {
            of("SELECT version FROM authorisation WHERE number = ?1", params![number.value()])
        }
        RowKey::Module(id) => of("SELECT version FROM module WHERE id = ?1", params![id.as_str()]),
        RowKey::Agreement { module, request_digest } => of(
            "SELECT version FROM agreement WHERE module = ?1 AND request_digest = ?2",
            params![module.as_str(), request_digest],
        ),
        RowKey::KeyLoad(serial) => of(
            "SELECT version FROM key_load WHERE serial = ?1",
            params![long("serial number", *serial)?],
        ),
        RowKey::Form(number) => {
            of("SELECT version FROM form WHERE number = ?1", params![number.value()])
        }
    };
    Ok(found.map_err(|error| fault(&error))?.map(i64::cast_unsigned))
}

/// What would be there twice with this row.
fn duplicate(connection: &Connection, row: &Row) -> Result<Option<Constraint>, StoreError> {
    let any = |sql: &str, values: &[&dyn ToSql]| -> Result<bool, StoreError> {
        let mut statement = connection.prepare_cached(sql).map_err(|error| fault(&error))?;
        statement.exists(values).map_err(|error| fault(&error))
    };
    let (found, constraint) = match row {
        Row::Signatory(new) => (
            any(
                "SELECT 1 FROM signatory WHERE public_key = ?1 AND name <> ?2",
                params![new.public_key, new.name.as_str()],
            )?,
            Constraint::SignatoryKey,
        ),
        Row::Module(new) => (
            any(
                "SELECT 1 FROM module WHERE fingerprint = ?1 AND id <> ?2",
                params![new.fingerprint.as_str(), new.id.as_str()],
            )?,
            Constraint::ModuleFingerprint,
        ),
        Row::VendingKey(new) if new.state != KeyState::Retired => {
            let (group, revision, generation) = new.id.numbers();
            (
                any(
                    "SELECT 1 FROM vending_key WHERE supply_group = ?1 AND revision = ?2 \
                     AND generation <> ?3 AND state <> 'retired'",
                    params![group, revision, generation],
                )?,
                Constraint::LiveRevision,
            )
        }
        Row::KeyLoad(new) => {
            let nonce_twice = any(
                "SELECT 1 FROM key_load WHERE module = ?1 AND nonce = ?2 AND serial <> ?3",
                params![new.module.as_str(), new.nonce, long("serial number", new.serial)?],
            )?;
            if nonce_twice {
                (true, Constraint::LoadNonce)
            } else {
                (new.names_twice(), Constraint::LoadedKey)
            }
        }
        Row::Form(new) => (
            any(
                "SELECT 1 FROM form WHERE digest = ?1 AND number <> ?2",
                params![new.digest.as_slice(), new.number.value()],
            )?,
            Constraint::FormDigest,
        ),
        _ => return Ok(None),
    };
    Ok(found.then_some(constraint))
}

fn write_journal(connection: &Connection, entry: &NewJournalEntry) -> Result<(), StoreError> {
    let NewJournalEntry { at, actor, action, subject, note } = entry;
    let mut statement = connection
        .prepare_cached(
            "INSERT INTO journal (sequence, at, actor, action, subject, note) \
             SELECT coalesce(max(sequence), 0) + 1, ?1, ?2, ?3, ?4, ?5 FROM journal",
        )
        .map_err(|error| fault(&error))?;
    statement
        .execute(params![
            seconds(*at),
            actor.as_str(),
            action.code(),
            subject.as_str(),
            note.as_str()
        ])
        .map_err(|error| fault(&error))?;
    Ok(())
}
