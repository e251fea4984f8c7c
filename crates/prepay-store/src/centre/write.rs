//! One change of a commit: the checks of the contract in its order, then the columns.

use prepay_kmc::entity::{KeyLoadRecord, KeyState};
use prepay_kmc::store::{Change, Constraint, NewJournalEntry, Row, RowKey, StoreError};
use rusqlite::{Connection, OptionalExtension, ToSql, params};

use super::column::{fault, groups, long, seconds, text_or_null};
use super::read::form_steps;
use super::table::put;

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

/// Writes the columns of a row, and its parts in other tables.
fn put_row(connection: &Connection, row: &Row, version: i64) -> Result<(), StoreError> {
    let number = |form: &Option<prepay_kmc::entity::FormNumber>| form.map(|form| form.value());
    match row {
        Row::Centre(row) => put(
            connection,
            "centre",
            1,
            &[
                ("one", &1),
                ("version", &version),
                ("id", &row.id.as_str()),
                ("created", &seconds(row.created)),
                ("next_customer", &row.next_customer.map(|next| next.value())),
                ("next_authorisation", &row.next_authorisation.map(|next| next.value())),
                ("next_form", &row.next_form.map(|next| next.value())),
            ],
        ),
        Row::Customer(row) => put(
            connection,
            "customer",
            1,
            &[
                ("number", &row.number.value()),
                ("version", &version),
                ("organisation", &row.organisation.as_str()),
                ("contact", &row.contact.as_str()),
                ("address", &row.address.as_str()),
                ("created", &seconds(row.created)),
                ("form", &number(&row.form)),
            ],
        ),
        Row::Signatory(row) => put(
            connection,
            "signatory",
            1,
            &[
                ("name", &row.name.as_str()),
                ("version", &version),
                ("customer", &row.customer.value()),
                ("public_key", &row.public_key),
                ("fingerprint", &row.fingerprint.as_str()),
                ("registered", &seconds(row.registered)),
                ("revoked", &row.revoked.map(seconds)),
            ],
        ),
        Row::Group(row) => put(
            connection,
            "supply_group",
            1,
            &[
                ("code", &row.code.value()),
                ("version", &version),
                ("key_type", &row.key_type.key_type().value()),
                ("owner", &row.owner.value()),
                ("name", &row.name.as_str()),
                ("area", &row.area.as_str()),
                ("service", &row.service.name()),
                ("cluster", &row.cluster.0),
                ("created", &seconds(row.created)),
            ],
        ),
        Row::Ownership(row) => put(
            connection,
            "ownership",
            2,
            &[
                ("supply_group", &row.group.value()),
                ("sequence", &row.sequence),
                ("version", &version),
                ("owner", &row.owner.value()),
                ("since", &seconds(row.since)),
                ("form", &number(&row.form)),
            ],
        ),
        Row::VendingKey(row) => {
            let (group, revision, generation) = row.id.numbers();
            put(
                connection,
                "vending_key",
                3,
                &[
                    ("supply_group", &group),
                    ("revision", &revision),
                    ("generation", &generation),
                    ("version", &version),
                    ("state", &row.state.code()),
                    ("key_type", &row.key_type.key_type().value()),
                    ("algorithm", &row.algorithm.code()),
                    ("expiry", &row.expiry.value()),
                    ("base_date", &row.base_date.year()),
                    ("activation", &seconds(row.activation)),
                    ("expires", &seconds(row.expires)),
                    ("refresh_days", &row.refresh_days),
                    ("unit_limit", &row.unit_limit.0),
                    ("currency_limit", &row.currency_limit.0),
                    ("sub_classes", &row.sub_classes.bits()),
                    ("check_value", &text_or_null(row.check_value)),
                    ("created", &seconds(row.created)),
                    ("ended", &row.ended.map(seconds)),
                    ("form", &number(&row.form)),
                ],
            )
        }
        Row::Authorisation(row) => put(
            connection,
            "authorisation",
            1,
            &[
                ("number", &row.number.value()),
                ("version", &version),
                ("supply_group", &row.group.value()),
                ("module", &row.module.as_str()),
                ("granted_by", &row.granted_by.as_str()),
                ("granted", &seconds(row.granted)),
                ("valid_until", &seconds(row.valid_until)),
                ("location", &row.location.as_str()),
                ("revoked", &row.revoked.map(seconds)),
                ("form", &number(&row.form)),
            ],
        ),
        Row::Module(row) => put(
            connection,
            "module",
            1,
            &[
                ("id", &row.id.as_str()),
                ("version", &version),
                ("fingerprint", &row.fingerprint.as_str()),
                ("maker", &row.maker.as_str()),
                ("model", &row.model.as_str()),
                ("firmware", &row.firmware.as_str()),
                ("enrolled", &seconds(row.enrolled)),
                ("revoked", &row.revoked.map(seconds)),
            ],
        ),
        Row::Agreement(row) => put(
            connection,
            "agreement",
            2,
            &[
                ("module", &row.module.as_str()),
                ("request_digest", &row.request_digest.as_slice()),
                ("version", &version),
                ("slot", &row.slot),
                ("answered", &seconds(row.answered)),
            ],
        ),
        Row::KeyLoad(row) => put_key_load(connection, row, version),
        Row::Form(row) => {
            put(
                connection,
                "form",
                1,
                &[
                    ("number", &row.number.value()),
                    ("version", &version),
                    ("kind", &row.kind.code()),
                    ("state", &row.state.code()),
                    ("digest", &row.digest.as_slice()),
                    ("document", &row.document),
                    ("customer", &row.customer.map(|customer| customer.value())),
                ],
            )?;
            // Those that are there already are the same, and stay.
            let mut known = connection
                .prepare_cached("SELECT count(*) FROM form_step WHERE form = ?1")
                .map_err(|error| fault(&error))?;
            let known: i64 = known
                .query_row([row.number.value()], |row| row.get(0))
                .map_err(|error| fault(&error))?;
            for (place, step) in (0_i64..).zip(&row.steps).skip_while(|(place, _)| *place < known) {
                put(
                    connection,
                    "form_step",
                    2,
                    &[
                        ("form", &row.number.value()),
                        ("place", &place),
                        ("state", &step.state.code()),
                        ("at", &seconds(step.at)),
                        ("by", &step.by.as_str()),
                        ("note", &step.note.as_str()),
                    ],
                )?;
            }
            Ok(())
        }
    }
}

fn put_key_load(
    connection: &Connection,
    row: &KeyLoadRecord,
    version: i64,
) -> Result<(), StoreError> {
    let serial = long("serial number", row.serial)?;
    put(
        connection,
        "key_load",
        1,
        &[
            ("serial", &serial),
            ("version", &version),
            ("module", &row.module.as_str()),
            ("slot", &row.slot),
            ("nonce", &row.nonce),
            ("request_digest", &row.request_digest.as_slice()),
            ("created", &seconds(row.created)),
            ("expires", &seconds(row.expires)),
            ("groups", &row.groups.as_ref().map(groups)),
            ("transactions", &text_or_null(row.transactions)),
            ("file", &row.file),
        ],
    )?;
    for (place, key) in (0_i64..).zip(&row.keys) {
        let (group, revision, generation) = key.key.numbers();
        put(
            connection,
            "loaded_key",
            2,
            &[
                ("serial", &serial),
                ("place", &place),
                ("supply_group", &group),
                ("revision", &revision),
                ("generation", &generation),
                ("check_value", &key.check_value.to_string()),
                ("issued_until", &seconds(key.issued_until)),
                ("unit_limit", &key.unit_limit.0),
                ("currency_limit", &key.currency_limit.0),
            ],
        )?;
    }
    for (place, key) in (0_i64..).zip(&row.left_out) {
        let (group, revision, generation) = key.key.numbers();
        put(
            connection,
            "left_out_key",
            2,
            &[
                ("serial", &serial),
                ("place", &place),
                ("supply_group", &group),
                ("revision", &revision),
                ("generation", &generation),
                ("reason", &key.reason.code()),
            ],
        )?;
    }
    Ok(())
}
