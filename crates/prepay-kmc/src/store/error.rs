//! Why a store does not do what it is asked.

use std::fmt;

use super::RowKey;
use crate::code::coded;

coded! {
    /// What may be there only once, beside keys. Checked in this order.
    Constraint, "constraint" {
        /// The public key of a signatory.
        SignatoryKey = "signatory_key",
        /// The fingerprint of a module.
        ModuleFingerprint = "module_fingerprint",
        /// A vending key of a group and revision that is not retired.
        LiveRevision = "live_revision",
        /// The request's own number of a key load, for one module.
        LoadNonce = "load_nonce",
        /// A vending key within the keys, or within those left out, of a key load.
        LoadedKey = "loaded_key",
        /// The digest of a form.
        FormDigest = "form_digest",
    }
}

/// Why a store does not do what it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreError {
    /// Somebody else changed the row meanwhile. Read it again.
    Conflict {
        /// The row.
        row: RowKey,
        /// The version that the change was made for.
        expected: u64,
        /// The version that is there.
        found: u64,
    },
    /// A row with this key is there.
    AlreadyThere {
        /// The row.
        row: RowKey,
    },
    /// No row with this key is there.
    NotThere {
        /// The row.
        row: RowKey,
    },
    /// Something that may be there only once would be there twice.
    Duplicate {
        /// The row that was to be written.
        row: RowKey,
        /// What would be there twice.
        constraint: Constraint,
    },
    /// A row that the written one refers to is not there.
    Dangling {
        /// The row that was to be written.
        row: RowKey,
        /// The row that is missing.
        missing: RowKey,
    },
    /// Rows of this kind are never updated.
    InsertOnly {
        /// The row.
        row: RowKey,
    },
    /// The steps of a form are only ever added to. Read the form again.
    Steps {
        /// The form.
        row: RowKey,
        /// The place, from 0, of the first step that the change leaves out or says otherwise.
        place: usize,
    },
    /// What is stored cannot be right. Restore it from a back-up.
    Damaged {
        /// Where, and what was expected and found.
        problem: String,
    },
    /// The storage failed. Mend it and try again.
    Fault {
        /// What was seen.
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
            Self::AlreadyThere { row } => write!(f, "{row} is there already"),
            Self::NotThere { row } => write!(f, "{row} is not there"),
            Self::Duplicate { row, constraint } => {
                write!(f, "{row}: there is one with the same {constraint} already")
            }
            Self::Dangling { row, missing } => {
                write!(f, "{row} refers to {missing}, which is not there")
            }
            Self::InsertOnly { row } => write!(f, "{row} may not be changed"),
            Self::Steps { row, place } => {
                write!(
                    f,
                    "{row}: expected its steps with more behind them, found another step {place}"
                )
            }
            Self::Damaged { problem } => write!(f, "the stored state is damaged: {problem}"),
            Self::Fault { problem } => write!(f, "the storage failed: {problem}"),
        }
    }
}

impl std::error::Error for StoreError {}
