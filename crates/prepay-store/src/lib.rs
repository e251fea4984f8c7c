//! Storage on SQLite, compiled in: one file, and nothing to set up.
//!
//! - [`SqliteCentreStore`]: the state of a key management centre, under the contract of `prepay_kmc::store`.
//!
//! What was answered is on the disk: write-ahead log, full synchronisation, one commit at a time.
//! `prepay_kmc::store` checks the rules of the contract, and the database itself checks them once more, so a
//! mistake of ours does not become a row.
//!
//! # What it does not promise
//!
//! - A database file is not authenticated. Whoever may write it can change a row, and SQLite notices only what
//!   breaks its own structure or a rule of the schema. There is no key in it.
//! - It is not sealed: names, places and forms can be read by whoever may read the file.
//! - Two files lie beside it while it is open, or after a crash: `-wal` with the newest commits, and `-shm`.
//!   They belong to it. A copy of the file alone can lack commits, and a file put beside the `-wal` of
//!   another one is ruined. [`SqliteCentreStore::copy_to`] makes a copy that is whole.
//! - It belongs on a disk of this computer: SQLite's write-ahead log does not work over a network.
//! - What a disk says is written is taken to be written.

mod centre;
mod open;
mod tables;

pub use centre::SqliteCentreStore;
pub use open::OpenStoreError;
