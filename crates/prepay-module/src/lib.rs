//! The security module of a prepayment system, in software, and the contract that any module answers.
//!
//! A security module holds the vending keys of supply groups and makes tokens with them under rules that
//! nobody outside can bend. Keys come in wrapped, by agreement with a key management centre, and never
//! come out.
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
