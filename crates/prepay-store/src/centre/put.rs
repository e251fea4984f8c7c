//! How the rows of each table are written: one field, one column.
//!
//! - Elsewhere: what is checked before (`write.rs`), how they are read (`read.rs`).

use prepay_kmc::entity::{
    AgreementRecord, Authorisation, CentreRecord, Customer, FormNumber, FormRecord, KeyLoadRecord,
    ModuleRecord, Ownership, Signatory, SupplyGroup, VendingKeyRecord,
};
use prepay_kmc::store::{Row, StoreError};
use rusqlite::Connection;

use super::column::{fault, groups, long, seconds, text_or_null};
use super::table::put;

type Done = Result<(), StoreError>;

/// Writes the columns of a row, and its parts in other tables.
pub(super) fn put_row(connection: &Connection, row: &Row, version: i64) -> Done {
    match row {
        Row::Centre(row) => centre(connection, row, version),
        Row::Customer(row) => customer(connection, row, version),
        Row::Signatory(row) => signatory(connection, row, version),
        Row::Group(row) => group(connection, row, version),
        Row::Ownership(row) => ownership(connection, row, version),
        Row::VendingKey(row) => vending_key(connection, row, version),
        Row::Authorisation(row) => authorisation(connection, row, version),
        Row::Module(row) => module(connection, row, version),
        Row::Agreement(row) => agreement(connection, row, version),
        Row::KeyLoad(row) => key_load(connection, row, version),
        Row::Form(row) => form(connection, row, version),
    }
}

fn number(form: Option<FormNumber>) -> Option<u32> {
    form.map(|form| form.value())
}

fn centre(connection: &Connection, row: &CentreRecord, version: i64) -> Done {
    put(
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
    )
}

fn customer(connection: &Connection, row: &Customer, version: i64) -> Done {
    put(
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
            ("form", &number(row.form)),
        ],
    )
}

fn signatory(connection: &Connection, row: &Signatory, version: i64) -> Done {
    put(
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
    )
}

fn group(connection: &Connection, row: &SupplyGroup, version: i64) -> Done {
    put(
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
    )
}

fn ownership(connection: &Connection, row: &Ownership, version: i64) -> Done {
    put(
        connection,
        "ownership",
        2,
        &[
            ("supply_group", &row.group.value()),
            ("sequence", &row.sequence),
            ("version", &version),
            ("owner", &row.owner.value()),
            ("since", &seconds(row.since)),
            ("form", &number(row.form)),
        ],
    )
}

fn vending_key(connection: &Connection, row: &VendingKeyRecord, version: i64) -> Done {
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
            ("form", &number(row.form)),
        ],
    )
}

fn authorisation(connection: &Connection, row: &Authorisation, version: i64) -> Done {
    put(
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
            ("form", &number(row.form)),
        ],
    )
}

fn module(connection: &Connection, row: &ModuleRecord, version: i64) -> Done {
    put(
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
    )
}

fn agreement(connection: &Connection, row: &AgreementRecord, version: i64) -> Done {
    put(
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
    )
}

fn key_load(connection: &Connection, row: &KeyLoadRecord, version: i64) -> Done {
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

fn form(connection: &Connection, row: &FormRecord, version: i64) -> Done {
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
    let known: i64 =
        known.query_row([row.number.value()], |row| row.get(0)).map_err(|error| fault(&error))?;
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
