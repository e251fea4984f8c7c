//! Storage in SQLite, which is compiled in: one file, and nothing to set up.
//!
//! - [`SqliteCentreStore`]: the state of a key management centre; implements `prepay_kmc::store`.
//!
//! A commit that returned is on the disk: write-ahead log, full synchronisation, one commit at a time.
//! `prepay_kmc::store` checks the rules, and the database checks them again, so that a mistake of ours does
//! not become a row.
//!
//! # Limits
//!
//! - A file says what anybody wrote into it: SQLite notices only what breaks its own structure or a rule of the schema.
//!   `prepay_kmc::store::AuthenticatedStore` compares every row with what the centre's vault expects. The file
//!   contains no keys.
//! - It is not encrypted: anyone who may read the file can read names, places and forms.
//! - While the file is open, or after a crash, two more files belong to it: `-wal` with the newest commits, and
//!   `-shm`. A copy of the main file alone can lack commits, and next to the `-wal` of another database it
//!   is damaged. [`SqliteCentreStore::copy_to`] makes a complete copy.
//! - The file must be on a local disk: SQLite's write-ahead log does not work over a network.
//! - The store trusts a disk that reports data as written.

mod centre;
mod open;
mod tables;

pub use centre::SqliteCentreStore;
pub use open::OpenStoreError;
