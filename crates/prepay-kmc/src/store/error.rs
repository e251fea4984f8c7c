//! Errors of a store.

use std::fmt;

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
        Fault = "storage",
    }
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
            Self::Fault { problem } => write!(f, "the storage failed: {problem}"),
        }
    }
}

impl std::error::Error for StoreError {}
