//! The changes that make up a commit.

use std::fmt;

use prepay_basics::Moment;

use super::{Entity, Field, StoreError, Table, Value, WriteTables, schema};
use crate::entity::{
    Action, AgreementRecord, Authorisation, CentreRecord, Customer, FormNumber, FormRecord,
    KeyLoadRecord, Line, ModuleRecord, Ownership, Signatory, SupplyGroup, VendingKeyId,
    VendingKeyRecord,
};

/// One change of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A new row.
    Insert(Row),
    /// New contents for an existing row.
    Update {
        /// The whole new row, under the same key.
        row: Row,
        /// The version that the caller read.
        version: u64,
    },
    /// A new entry of the journal.
    Journal(NewJournalEntry),
}

/// A journal entry without a number: the store assigns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJournalEntry {
    /// When.
    pub at: Moment,
    /// Who did it.
    pub actor: Line,
    /// What.
    pub action: Action,
    /// To what.
    pub subject: Line,
    /// Details.
    pub note: Line,
}

macro_rules! rows {
    ($($variant:ident($type:ident),)+) => {
        /// A row of any kind.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each variant is named after its row")]
        pub enum Row {
            $($variant($type),)+
        }

        /// The key of a row of any kind.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each variant is named after its row")]
        pub enum RowKey {
            $($variant(<$type as Entity>::Key),)+
        }

        $(
            impl From<$type> for Row {
                fn from(row: $type) -> Self {
                    Self::$variant(row)
                }
            }

            impl From<<$type as Entity>::Key> for RowKey {
                fn from(key: <$type as Entity>::Key) -> Self {
                    Self::$variant(key)
                }
            }
        )+

        impl Row {
            /// The key.
            pub fn key(&self) -> RowKey {
                match self {
                    $(Self::$variant(row) => RowKey::$variant(row.key()),)+
                }
            }

            /// Writes the row.
            pub(super) fn put(&self, tables: &mut dyn WriteTables, version: u64) -> Result<(), StoreError> {
                match self {
                    $(Self::$variant(row) => schema::put(tables, row, version),)+
                }
            }
        }

        impl RowKey {
            /// The table, and the values of its key columns.
            pub(super) fn place(&self) -> (&'static Table, Vec<Value>) {
                match self {
                    $(Self::$variant(key) => (<$type>::TABLE, key.values()),)+
                }
            }
        }
    };
}

rows! {
    Centre(CentreRecord),
    Customer(Customer),
    Signatory(Signatory),
    Group(SupplyGroup),
    Ownership(Ownership),
    VendingKey(VendingKeyRecord),
    Authorisation(Authorisation),
    Module(ModuleRecord),
    Agreement(AgreementRecord),
    KeyLoad(KeyLoadRecord),
    Form(FormRecord),
}

impl Row {
    /// Whether rows of this kind may be inserted only.
    pub const fn is_insert_only(&self) -> bool {
        matches!(self, Self::Ownership(_) | Self::Agreement(_) | Self::KeyLoad(_))
    }

    /// The rows that this one refers to, in the order of its fields.
    pub fn references(&self) -> Vec<RowKey> {
        let form = |form: &Option<FormNumber>| form.map(RowKey::Form);
        match self {
            Self::Centre(_) | Self::Module(_) => Vec::new(),
            Self::Customer(row) => Vec::from_iter(form(&row.form)),
            Self::Signatory(row) => vec![RowKey::Customer(row.customer)],
            Self::Group(row) => vec![RowKey::Customer(row.owner)],
            Self::Ownership(row) => {
                let keys = [RowKey::Group(row.group), RowKey::Customer(row.owner)];
                keys.into_iter().chain(form(&row.form)).collect()
            }
            Self::VendingKey(row) => {
                [RowKey::Group(row.id.group)].into_iter().chain(form(&row.form)).collect()
            }
            Self::Authorisation(row) => {
                let keys = [RowKey::Group(row.group), RowKey::Signatory(row.granted_by.clone())];
                keys.into_iter().chain(form(&row.form)).collect()
            }
            Self::Agreement(row) => vec![RowKey::Module(row.module.clone())],
            Self::KeyLoad(row) => {
                let keys = row.keys.iter().map(|key| key.key);
                let keys = keys.chain(row.left_out.iter().map(|key| key.key));
                let module = [RowKey::Module(row.module.clone())];
                module.into_iter().chain(keys.map(RowKey::VendingKey)).collect()
            }
            Self::Form(row) => row.customer.map(RowKey::Customer).into_iter().collect(),
        }
    }
}

impl fmt::Display for VendingKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { group, revision, generation } = self;
        write!(f, "group {group} revision {revision}")?;
        if *generation > 9 { write!(f, " (key {generation})") } else { Ok(()) }
    }
}

impl fmt::Display for RowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Centre(()) => f.write_str("centre"),
            Self::Customer(number) => write!(f, "customer {number}"),
            Self::Signatory(name) => write!(f, "signatory {name}"),
            Self::Group(code) => write!(f, "group {code}"),
            Self::Ownership((group, sequence)) => write!(f, "owner {sequence} of group {group}"),
            Self::VendingKey(id) => write!(f, "vending key of {id}"),
            Self::Authorisation(number) => write!(f, "authorisation {number}"),
            Self::Module(id) => write!(f, "module {id}"),
            Self::Agreement((module, _)) => write!(f, "agreement of module {module}"),
            Self::KeyLoad(serial) => write!(f, "key load {serial}"),
            Self::Form(number) => write!(f, "form {number}"),
        }
    }
}
