//! Errors of a store.

use std::cmp::Ordering;
use std::fmt;

use prepay_kmc_module::CentreError;

use super::RowKey;
use crate::code::coded;

coded! {
    /// What must be unique, apart from keys. Checked in this order.
    Constraint, "constraint" {
        /// The public key of a signatory.
        SignatoryKey = "signatory_key",
        /// The fingerprint of a module.
        ModuleFingerprint = "module_fingerprint",
        /// The vending key of a group and revision that is not retired.
        LiveRevision = "live_revision",
        /// The number (nonce) of the request that a key load answers, within one module.
        LoadNonce = "load_nonce",
        /// A vending key, within the keys of a key load or within those left out.
        LoadedKey = "loaded_key",
        /// The digest of a form.
        FormDigest = "form_digest",
    }
}

/// How a stored row differs from the one that the centre's module expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// It has other contents.
    Changed,
    /// It has an earlier version, and so the contents of then or others.
    Older {
        /// The version expected.
        expected: u64,
        /// The version found.
        found: u64,
    },
    /// It is gone.
    Missing,
    /// It should not be there.
    Added,
}

/// Why a store failed or refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreError {
    /// Someone else changed the row meanwhile. Read it again.
    Conflict {
        /// The row.
        row: RowKey,
        /// The version that the change was based on.
        expected: u64,
        /// The stored version.
        found: u64,
    },
    /// A row with this key exists.
    AlreadyThere {
        /// The row.
        row: RowKey,
    },
    /// No row has this key.
    NotThere {
        /// The row.
        row: RowKey,
    },
    /// Another row has a value that must be unique.
    Duplicate {
        /// The row to be written.
        row: RowKey,
        /// What must be unique.
        constraint: Constraint,
    },
    /// The row refers to one that does not exist.
    Dangling {
        /// The row to be written.
        row: RowKey,
        /// The missing row.
        missing: RowKey,
    },
    /// Rows of this kind are never updated.
    InsertOnly {
        /// The row.
        row: RowKey,
    },
    /// An update may only add steps to a form. Read the form again.
    Steps {
        /// The form.
        row: RowKey,
        /// The position, from 0, of the first step that the update leaves out or changes.
        place: usize,
    },
    /// The stored data is damaged. Restore it from a back-up.
    Damaged {
        /// Where, and what was expected and found.
        problem: String,
    },
    /// A stored row is not the one that the centre's module expects. Find out who can write to the database; restore it
    /// with its vault from a back-up.
    Differs {
        /// The table, and the key columns of the row.
        row: String,
        /// How it differs.
        difference: Difference,
    },
    /// The whole database is in another state than the centre's module expects: an old copy, or one beside an old vault.
    OtherState {
        /// The number of the state expected.
        expected: u64,
        /// The number of the state found.
        found: u64,
    },
    /// The database is of an earlier version, or its vault is. Two custodians can adopt it.
    NotAdopted,
    /// The database to be adopted is not the one that was looked at.
    OtherContents {
        /// The digest given.
        expected: [u8; 32],
        /// The digest of the rows as they are.
        found: [u8; 32],
    },
    /// The centre's module refused or failed.
    Module(CentreError),
    /// The storage failed. Repair it and try again.
    Fault {
        /// What it reported.
        problem: String,
    },
}

prepay_basics::codes! {
    StoreError {
        Conflict = "store_conflict",
        AlreadyThere = "store_already_there",
        NotThere = "not_there",
        Duplicate = "store_duplicate",
        Dangling = "store_dangling",
        InsertOnly = "store_insert_only",
        Steps = "store_steps",
        Damaged = "damaged",
        Differs = "database_changed",
        OtherState = "database_state",
        NotAdopted = "database_not_adopted",
        OtherContents = "database_other",
        Fault = "storage",
    } or { Module }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict { row, expected, found } => {
                write!(f, "{row} was changed meanwhile: expected version {expected}, found {found}")
            }
            Self::AlreadyThere { row } => write!(f, "{row} exists already"),
            Self::NotThere { row } => write!(f, "{row} does not exist"),
            Self::Duplicate { row, constraint } => {
                write!(f, "{row}: another row has the same {constraint}")
            }
            Self::Dangling { row, missing } => {
                write!(f, "{row} refers to {missing}, which does not exist")
            }
            Self::InsertOnly { row } => write!(f, "{row} can never be changed"),
            Self::Steps { row, place } => {
                write!(
                    f,
                    "{row}: expected its stored steps followed by new ones, found a different step {place}"
                )
            }
            Self::Damaged { problem } => write!(f, "the stored state is damaged: {problem}"),
            Self::Differs { row, difference } => match difference {
                Difference::Changed => write!(f, "the row {row} was changed from outside"),
                Difference::Older { expected, found } => write!(
                    f,
                    "the row {row} was put back from outside: expected version {expected}, found {found}"
                ),
                Difference::Missing => write!(f, "the row {row} was removed from outside"),
                Difference::Added => write!(f, "the row {row} was added from outside"),
            },
            Self::OtherState { expected, found } => {
                let what = match found.cmp(expected) {
                    Ordering::Less => "the database is older than the vault",
                    Ordering::Equal => "the database and the vault are not of one centre",
                    Ordering::Greater => "the vault is older than the database",
                };
                write!(f, "{what}: expected state {expected}, found {found}")
            }
            Self::NotAdopted => f.write_str(
                "the database is not authenticated: expected one that two custodians adopted, found one of an earlier \
                 version",
            ),
            Self::OtherContents { expected, found } => {
                let hex = base16ct::lower::encode_string;
                write!(
                    f,
                    "the database has other rows: expected digest {}, found {}",
                    hex(expected),
                    hex(found)
                )
            }
            Self::Module(error) => error.fmt(f),
            Self::Fault { problem } => write!(f, "the storage failed: {problem}"),
        }
    }
}

impl From<CentreError> for StoreError {
    fn from(error: CentreError) -> Self {
        Self::Module(error)
    }
}

impl std::error::Error for StoreError {}
