//! The security module of a prepayment system, in software, and the contract that any module answers.
//!
//! A security module holds the vending keys of supply groups and makes tokens with them under rules that
//! nobody outside can bend. Keys come in wrapped, by agreement with a key management centre, and never
//! come out.
//!
//! # Map
//!
//! - [`SecurityModule`]: what a vending system asks of a module, wherever the module is.
//! - [`VendingKeyAttributes`] and its elements: what a centre lays down about a vending key.
//! - [`software`]: the software module, its operators, auditors and custodians.
//! - [`vault`]: sealed contents, people and audit log, which module and centre both stand on.
//! - [`profile`]: what key agreement and key loading come to, whatever the texts look like; [`open_kmp`] is our
//!   own profile of it, and [`edition1`] reads the key-load files of the first edition.
//! - [`centre`]: the module of a key management centre, which makes and wraps vending keys.
//! - [`Clock`], [`Entropy`], [`VaultStorage`]: time, randomness and storage, which come in as arguments.
//!
//! # What it never knows
//!
//! Customers, tariffs, money. Files, processes and networks.

pub mod attribute;
pub mod centre;
mod check_value;
pub mod codec;
pub mod edition1;
mod identifier;
mod moment;
pub mod open_kmp;
pub mod profile;
mod security_module;
pub mod software;
mod storage;
mod surroundings;
pub mod vault;

pub use attribute::VendingKeyAttributes;
pub use check_value::check_value;
pub use identifier::{CentreId, Identifier, ModuleId, ParseIdentifierError};
pub use moment::{Moment, ParseMomentError};
pub use security_module::*;
pub use storage::{MemoryStorage, VaultStorage};
pub use surroundings::{Clock, Entropy, NoEntropy};
pub use vault::signatory_file;
