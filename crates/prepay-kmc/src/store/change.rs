//! What a commit is made of.

use std::fmt;

use prepay_basics::{Identifier, Moment};
use prepay_kmp::ModuleId;
use prepay_token::element::SupplyGroupCode;

use crate::entity::{
    Action, AgreementRecord, Authorisation, AuthorisationNumber, CentreRecord, Customer,
    CustomerNumber, FormNumber, FormRecord, KeyLoadRecord, Line, ModuleRecord, Ownership,
    Signatory, SupplyGroup, VendingKeyId, VendingKeyRecord,
};

/// One change of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A new row.
    Insert(Row),
    /// Another content for a row that is there.
    Update {
        /// The whole new row; its key says which.
        row: Row,
        /// The version that the caller read.
        version: u64,
    },
    /// A new entry of the journal.
    Journal(NewJournalEntry),
}

/// A row of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is named after what it holds")]
pub enum Row {
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

/// The key of a row of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is named after what it names")]
pub enum RowKey {
    Centre,
    Customer(CustomerNumber),
    Signatory(Identifier),
    Group(SupplyGroupCode),
    Ownership { group: SupplyGroupCode, sequence: u32 },
    VendingKey(VendingKeyId),
    Authorisation(AuthorisationNumber),
    Module(ModuleId),
    Agreement { module: ModuleId, request_digest: [u8; 32] },
    KeyLoad(u64),
    Form(FormNumber),
}

/// An entry of the journal that has no number yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJournalEntry {
    /// When.
    pub at: Moment,
    /// By whose hand.
    pub actor: Line,
    /// What.
    pub action: Action,
    /// To what.
    pub subject: Line,
    /// More about it.
    pub note: Line,
}

impl Row {
    /// The key.
    pub fn key(&self) -> RowKey {
        match self {
            Self::Centre(_) => RowKey::Centre,
            Self::Customer(row) => RowKey::Customer(row.number),
            Self::Signatory(row) => RowKey::Signatory(row.name.clone()),
            Self::Group(row) => RowKey::Group(row.code),
            Self::Ownership(row) => RowKey::Ownership { group: row.group, sequence: row.sequence },
            Self::VendingKey(row) => RowKey::VendingKey(row.id),
            Self::Authorisation(row) => RowKey::Authorisation(row.number),
            Self::Module(row) => RowKey::Module(row.id.clone()),
            Self::Agreement(row) => {
                RowKey::Agreement { module: row.module.clone(), request_digest: row.request_digest }
            }
            Self::KeyLoad(row) => RowKey::KeyLoad(row.serial),
            Self::Form(row) => RowKey::Form(row.number),
        }
    }

    /// Whether rows of this kind are never updated.
    pub const fn is_insert_only(&self) -> bool {
        matches!(self, Self::Ownership(_) | Self::Agreement(_) | Self::KeyLoad(_))
    }

    /// The rows that this one refers to, in the order of its fields.
    pub fn references(&self) -> Vec<RowKey> {
        let form = |number: &Option<FormNumber>| number.map(RowKey::Form);
        match self {
            Self::Centre(_) | Self::Module(_) => Vec::new(),
            Self::Customer(row) => form(&row.form).into_iter().collect(),
            Self::Signatory(row) => vec![RowKey::Customer(row.customer)],
            Self::Group(row) => vec![RowKey::Customer(row.owner)],
            Self::Ownership(row) => {
                let mut keys = vec![RowKey::Group(row.group), RowKey::Customer(row.owner)];
                keys.extend(form(&row.form));
                keys
            }
            Self::VendingKey(row) => {
                let mut keys = vec![RowKey::Group(row.id.group)];
                keys.extend(form(&row.form));
                keys
            }
            Self::Authorisation(row) => {
                let mut keys =
                    vec![RowKey::Group(row.group), RowKey::Signatory(row.granted_by.clone())];
                keys.extend(form(&row.form));
                keys
            }
            Self::Agreement(row) => vec![RowKey::Module(row.module.clone())],
            Self::KeyLoad(row) => {
                let mut keys = vec![RowKey::Module(row.module.clone())];
                keys.extend(row.keys.iter().map(|key| RowKey::VendingKey(key.key)));
                keys.extend(row.left_out.iter().map(|key| RowKey::VendingKey(key.key)));
                keys
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
            Self::Centre => f.write_str("centre"),
            Self::Customer(number) => write!(f, "customer {number}"),
            Self::Signatory(name) => write!(f, "signatory {name}"),
            Self::Group(code) => write!(f, "group {code}"),
            Self::Ownership { group, sequence } => write!(f, "owner {sequence} of group {group}"),
            Self::VendingKey(id) => write!(f, "vending key of {id}"),
            Self::Authorisation(number) => write!(f, "authorisation {number}"),
            Self::Module(id) => write!(f, "module {id}"),
            Self::Agreement { module, .. } => write!(f, "agreement of module {module}"),
            Self::KeyLoad(serial) => write!(f, "key load {serial}"),
            Self::Form(number) => write!(f, "form {number}"),
        }
    }
}
