//! The tables, and which field of a row is stored in which column.
//!
//! Each kind of row is described once, here, for all backends. A field names its columns if it has several, or
//! one with another name.

use std::marker::PhantomData;

use prepay_basics::Identifier;
use prepay_kmp::ModuleId;
use prepay_token::element::SupplyGroupCode;

use super::column::{Column, Columns, Decimal, Field};
use super::{Query, RowKey, StoreError, Table, Tables, Value, Versioned, WriteTables};
use crate::entity::{
    AgreementRecord, Authorisation, AuthorisationNumber, CentreRecord, Customer, CustomerNumber,
    FormNumber, FormRecord, FormStep, JournalEntry, KeyLoadRecord, LeftOut, Line, LoadedKey,
    ModuleRecord, Ownership, Signatory, SupplyGroup, VendingKeyId, VendingKeyRecord,
};

/// A kind of row, with a key and a version.
pub trait Entity: Field + Clone {
    /// What identifies a row.
    type Key: Field + Clone + Into<RowKey>;

    /// Its table. The last column is the version.
    const TABLE: &'static Table;

    /// The key of a row.
    fn key(&self) -> Self::Key;

    /// Reads the parts of a row that are stored in other tables.
    ///
    /// # Errors
    ///
    /// [`StoreError::Fault`], [`StoreError::Damaged`].
    fn read_parts(&mut self, _tables: &dyn Tables) -> Result<(), StoreError> {
        Ok(())
    }

    /// Writes the parts of a row that are not stored yet.
    ///
    /// # Errors
    ///
    /// [`StoreError::Fault`], [`StoreError::Damaged`].
    fn write_parts(&self, _tables: &mut dyn WriteTables) -> Result<(), StoreError> {
        Ok(())
    }
}

/// A part of a row, stored in a table of its own under the row's key and its position from 0.
trait Part: Field {
    const TABLE: &'static Table;
}

macro_rules! table {
    (
        $name:literal, $key:literal, [$($before:literal),*],
        { $($field:ident $(as $via:ident)? $(: $($column:literal)+)?),+ }, [$($behind:literal)?],
        [$([$($index:literal),+]),*]
    ) => {
        &Table {
            name: $name,
            key: $key,
            columns: &[$(&[$before],)* $(table!($field $($($column)+)?),)+ $(&[$behind])?],
            indexes: &[$(&[$($index),+]),*],
        }
    };
    ($field:ident) => { &[stringify!($field)] };
    ($field:ident $($column:literal)+) => { &[$($column),+] };
}

/// Implements [`Field`] for a type whose fields are stored in consecutive columns. Parts are read later.
macro_rules! fields {
    (
        $type:ident, [$($one:literal)?],
        { $($field:ident $(as $via:ident)? $(: $($column:literal)+)?),+ }, [$($part:ident),*]
    ) => {
        impl Field for $type {
            fn write(&self, row: &mut Vec<Value>) {
                $(fields!(@one $one).write(row);)?
                $(fields!(@write self.$field, row $(, $via)?);)+
            }

            fn read(columns: &mut Columns) -> Result<Self, StoreError> {
                $(fields!(@one $one) = Field::read(columns)?;)?
                Ok(Self {
                    $($field: fields!(@read columns $(, $via)?),)+
                    $($part: Vec::new(),)*
                })
            }
        }
    };
    (@one $one:literal) => { () };
    (@write $value:expr, $row:ident) => { $value.write($row) };
    (@write $value:expr, $row:ident, $via:ident) => { $value.map($via).write($row) };
    (@read $columns:ident) => { Field::read($columns)? };
    (@read $columns:ident, $via:ident) => { Option::<$via>::read($columns)?.map(|via| via.0) };
}

macro_rules! entities {
    ($(
        $type:ident in $table:literal $([$one:literal])? by $columns:literal: $key_type:ty = ($($key:ident),*)
        $fields:tt $(indexed $indexes:tt)? $(with $($part:ident),+)?;
    )+) => {$(
        fields!($type, [$($one)?], $fields, [$($($part),+)?]);

        impl Entity for $type {
            type Key = $key_type;

            const TABLE: &'static Table =
                entities!(@table $table, $columns, [$($one)?], $fields $(, $indexes)?);

            #[allow(clippy::unused_unit, reason = "a table with one row has no key")]
            fn key(&self) -> Self::Key {
                ($(self.$key.clone()),*)
            }

            $(
                fn read_parts(&mut self, tables: &dyn Tables) -> Result<(), StoreError> {
                    $(self.$part = read_parts(tables, &self.key())?;)+
                    Ok(())
                }

                fn write_parts(&self, tables: &mut dyn WriteTables) -> Result<(), StoreError> {
                    $(write_parts(tables, &self.key(), &self.$part)?;)+
                    Ok(())
                }
            )?
        }
    )+};
    (@table $table:literal, $columns:literal, $one:tt, $fields:tt) => {
        entities!(@table $table, $columns, $one, $fields, [])
    };
    (@table $table:literal, $columns:literal, $one:tt, $fields:tt, $indexes:tt) => {
        table!($table, $columns, $one, $fields, ["version"], $indexes)
    };
}

entities! {
    CentreRecord in "centre" ["one"] by 1: () = () {
        id, created, next_customer, next_authorisation, next_form
    };
    Customer in "customer" by 1: CustomerNumber = (number) {
        number, organisation, contact, address, created, form
    };
    Signatory in "signatory" by 1: Identifier = (name) {
        name, customer, public_key, fingerprint, registered, revoked
    } indexed [["public_key"]];
    SupplyGroup in "supply_group" by 1: SupplyGroupCode = (code) {
        code, key_type, owner, name, area, service, cluster, created
    };
    Ownership in "ownership" by 2: (SupplyGroupCode, u32) = (group, sequence) {
        group: "supply_group", sequence, owner, since, form
    };
    VendingKeyRecord in "vending_key" by 3: VendingKeyId = (id) {
        id: "supply_group" "revision" "generation", state, key_type, algorithm, expiry, base_date,
        activation, expires, refresh_days, unit_limit, currency_limit, sub_classes, check_value,
        created, ended, form
    };
    Authorisation in "authorisation" by 1: AuthorisationNumber = (number) {
        number, group: "supply_group", module, module_fingerprint, granted_by, granted, valid_until, location, revoked,
        form
    } indexed [["module"]];
    ModuleRecord in "module" by 1: ModuleId = (id) {
        id, fingerprint, maker, model, firmware, enrolled, revoked
    } indexed [["fingerprint"]];
    AgreementRecord in "agreement" by 2: (ModuleId, [u8; 32]) = (module, request_digest) {
        module, request_digest, slot, answered
    };
    KeyLoadRecord in "key_load" by 1: u64 = (serial) {
        serial, module, slot, nonce, request_digest, created, expires, groups,
        transactions as Decimal, file
    } indexed [["module"], ["module", "nonce"]] with keys, left_out;
    FormRecord in "form" by 1: FormNumber = (number) {
        number, kind, state, digest, document, customer
    } indexed [["digest"]] with steps;
}

macro_rules! parts {
    ($($type:ident in $table:literal of $owner:literal $fields:tt;)+) => {$(
        fields!($type, [], $fields, []);

        impl Part for $type {
            const TABLE: &'static Table = table!($table, 2, [$owner, "place"], $fields, [], []);
        }
    )+};
}

parts! {
    LoadedKey in "loaded_key" of "serial" {
        key: "supply_group" "revision" "generation", check_value, issued_until, unit_limit,
        currency_limit
    };
    LeftOut in "left_out_key" of "serial" {
        key: "supply_group" "revision" "generation", reason
    };
    FormStep in "form_step" of "form" {
        state, at, by, note
    };
}

fields!(VendingKeyId, [], { group, revision, generation }, []);
fields!(JournalEntry, [], { sequence, at, actor, action, subject, note }, []);

/// The journal. Its entries have no version, because they are never updated.
pub(super) const JOURNAL: &Table =
    table!("journal", 1, [], { sequence, at, actor, action, subject, note }, [], []);

/// The nodes of the tree of digests.
pub(super) const NODES: &Table = table!("digest_node", 1, [], { node, contents }, [], []);

/// All tables, but for that of the digests.
pub(super) const TABLES: [&Table; 15] = [
    CentreRecord::TABLE,
    Customer::TABLE,
    Signatory::TABLE,
    SupplyGroup::TABLE,
    Ownership::TABLE,
    VendingKeyRecord::TABLE,
    Authorisation::TABLE,
    ModuleRecord::TABLE,
    AgreementRecord::TABLE,
    KeyLoadRecord::TABLE,
    LoadedKey::TABLE,
    LeftOut::TABLE,
    FormRecord::TABLE,
    FormStep::TABLE,
    JOURNAL,
];

/// Selects rows of a kind.
#[derive(Clone, Debug)]
pub struct Filter<E> {
    pub(super) equal: Vec<(&'static str, Value)>,
    entity: PhantomData<fn() -> E>,
}

impl<E: Entity> Filter<E> {
    /// All rows.
    pub const fn all() -> Self {
        Self { equal: Vec::new(), entity: PhantomData }
    }

    /// The row with a key.
    pub(super) fn key(key: &E::Key) -> Self {
        Self { equal: E::TABLE.columns().zip(key.values()).collect(), ..Self::all() }
    }

    /// Only rows with this value in a column.
    fn with(mut self, column: &'static str, value: Value) -> Self {
        self.equal.push((column, value));
        self
    }
}

impl Signatory {
    pub(super) fn with_key(key: &str) -> Filter<Self> {
        Filter::all().with("public_key", Value::Text(key.into()))
    }
}

impl Ownership {
    /// The owners of a group.
    pub fn of_group(group: SupplyGroupCode) -> Filter<Self> {
        Filter::all().with("supply_group", group.to_value())
    }
}

impl VendingKeyRecord {
    /// The keys of a group.
    pub fn of_group(group: SupplyGroupCode) -> Filter<Self> {
        Filter::all().with("supply_group", group.to_value())
    }

    pub(super) fn of_revision(id: VendingKeyId) -> Filter<Self> {
        Self::of_group(id.group).with("revision", id.revision.to_value())
    }
}

impl Authorisation {
    /// The authorisations for a module.
    pub fn of_module(module: &ModuleId) -> Filter<Self> {
        Filter::all().with("module", module.to_value())
    }
}

impl ModuleRecord {
    pub(super) fn with_fingerprint(fingerprint: &Line) -> Filter<Self> {
        Filter::all().with("fingerprint", fingerprint.to_value())
    }
}

impl AgreementRecord {
    /// The answered agreement requests of a module.
    pub fn of_module(module: &ModuleId) -> Filter<Self> {
        Filter::all().with("module", module.to_value())
    }
}

impl KeyLoadRecord {
    /// The key-load files for a module.
    pub fn of_module(module: &ModuleId) -> Filter<Self> {
        Filter::all().with("module", module.to_value())
    }

    /// The key-load file that answered the request with this nonce.
    pub fn answering(module: &ModuleId, nonce: &str) -> Filter<Self> {
        Self::of_module(module).with("nonce", Value::Text(nonce.into()))
    }
}

impl FormRecord {
    /// The form with this SHA-384 of its signed text.
    pub fn with_digest(digest: &[u8; 48]) -> Filter<Self> {
        Filter::all().with("digest", digest.to_value())
    }
}

/// The rows that a query selects, with their parts.
pub(super) fn select<E: Entity>(
    tables: &dyn Tables,
    query: &Query<'_>,
) -> Result<Vec<Versioned<E>>, StoreError> {
    let rows = tables.select(E::TABLE, query)?;
    let read = |values| {
        let mut columns = Columns::new(E::TABLE, values);
        let mut row = E::read(&mut columns)?;
        row.read_parts(tables)?;
        Ok(Versioned { row, version: u64::read(&mut columns)? })
    };
    rows.into_iter().map(read).collect()
}

/// Writes a row with its parts.
pub(super) fn put<E: Entity>(
    tables: &mut dyn WriteTables,
    row: &E,
    version: u64,
) -> Result<(), StoreError> {
    let mut values = row.values();
    version.write(&mut values);
    tables.put(E::TABLE, &values)?;
    row.write_parts(tables)
}

/// The stored parts of a row, in order, as column values.
fn rows_of_parts<P: Part>(
    tables: &dyn Tables,
    key: &impl Field,
) -> Result<Vec<Vec<Value>>, StoreError> {
    let equal: Vec<_> = P::TABLE.columns().zip(key.values()).collect();
    tables.select(P::TABLE, &Query { equal: &equal, limit: usize::MAX, ..Query::default() })
}

fn read_parts<P: Part>(tables: &dyn Tables, key: &impl Field) -> Result<Vec<P>, StoreError> {
    let read = |mut values: Vec<Value>| P::read(&mut Columns::new(P::TABLE, values.split_off(2)));
    rows_of_parts::<P>(tables, key)?.into_iter().map(read).collect()
}

/// Writes the parts that are not stored yet. The stored ones are the same and stay.
fn write_parts<P: Part>(
    tables: &mut dyn WriteTables,
    key: &impl Field,
    parts: &[P],
) -> Result<(), StoreError> {
    let known = rows_of_parts::<P>(tables, key)?.len();
    for (place, part) in (0_u64..).zip(parts).skip(known) {
        let mut row = key.values();
        place.write(&mut row);
        part.write(&mut row);
        tables.put(P::TABLE, &row)?;
    }
    Ok(())
}
