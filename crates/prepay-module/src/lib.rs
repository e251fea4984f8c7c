//! The security module of a prepayment system: the interface to any module, and a module in software.
//!
//! A security module holds the vending keys of supply groups and issues tokens with them, under rules that nobody
//! outside can bypass. Keys arrive wrapped, from a key management centre, and never leave.
//!
//! - [`SecurityModule`]: what a vending system asks of a module, wherever the module is.
//! - [`software`]: the software module, its operators, auditors and custodians.
//!
//! # What it never knows
//!
//! Customers, tariffs, money. Files, processes and networks.

mod security_module;
pub mod software;

pub use security_module::*;
