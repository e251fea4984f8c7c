//! A key management centre's own module: it makes vending keys, keeps them sealed and hands them out wrapped.
//!
//! ```text
//!  prepay-kmc                  CentreModule                      CentreVault
//!  customers, groups,   ---->  "make a key for this group"  -->  the key, sealed
//!  authorisations, forms       "these keys for that module"      slot keys of every module
//!                       <----  texts, check values, refusals     audit log
//! ```
//!
//! - [`CentreModule`]: what the centre asks of its module. Whoever implements it holds the keys; whoever
//!   calls it never sees one.
//!
//! # Who may do what
//!
//! | who | what |
//! |-----|------|
//! | two custodians together | make, destroy and import vending keys; accept and revoke modules; renew the centre's own keys |
//! | one operator or custodian | answer agreement and key-load requests |
//! | anybody signed in | read: identity, modules, vending keys without their bytes |
//!
//! People, what unlocks the centre, back-ups and the audit log are the vault's: [`CentreVault`] is a
//! [`SharedVault`](prepay_vault::SharedVault).
//!
//! Answering is left to one operator because it gives no new rights: a key-load file opens only in a module
//! that two custodians accepted, and which keys go into it is what the owners of the groups authorised.
//!
//! # What it leaves to others
//!
//! Who owns a group, who authorised which module, names and dates of keys: `prepay-kmc`. It says which keys
//! go into a file, with which attributes; this module holds it to what cryptography can tell.

mod answer;
mod contents;
mod contract;
mod entry;
mod error;
mod generate;
mod session;
pub mod signatory_file;
mod vault;

pub use contents::CentreContents;
pub use contract::{
    AgreementAnswer, Authority, CentreIdentity, CentreModule, DatabaseState, ExpectedDatabase,
    GeneratedKey, KeyLoad, KeyLoadItem, KeyLoadOrder, ModuleDetails, ModuleReport, ModuleState,
    VendingKeyReport,
};
pub use entry::CentreEntry;
pub use error::CentreError;
pub use session::CentreSession;
pub use vault::{CentreSetup, CentreVault};
