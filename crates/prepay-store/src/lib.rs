//! Storage on SQLite, compiled in: one file, and nothing to set up.
//!
//! - [`SqliteCentreStore`]: the state of a key management centre, under the contract of `prepay_kmc::store`.
//!
//! What was answered is on the disk: write-ahead log, full synchronisation, one commit at a time. The rules
//! of the contract are checked here and once more by the database itself, so a mistake of ours does not
//! become a row.
//!
//! # What it does not promise
//!
//! A database file is not authenticated. Whoever may write it can change a row, and SQLite notices only what
//! breaks its own structure or a rule of the schema. There is no key in it.

mod centre;
mod open;

pub use centre::SqliteCentreStore;
pub use open::OpenStoreError;
