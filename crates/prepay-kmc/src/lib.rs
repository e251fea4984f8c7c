//! The key management centre: who owns which supply group, which vending keys exist, who may hold them,
//! and what went where.
//!
//! # Map
//!
//! - [`centre`]: [`Centre`](centre::Centre), the commands: from the application for a group to the key-load
//!   file, and the reports.
//! - [`form`]: the forms by which customers ask, checked and signed.
//! - [`entity`]: the rows that a centre keeps: customers, groups, vending keys, authorisations and the rest.
//! - [`store`]: [`CentreStore`](store::CentreStore), what a centre asks of its storage, and a model of it in
//!   memory.
//!
//! # What it never knows
//!
//! The bytes of a key, wrapped or not: it asks the centre's own module
//! ([`CentreModule`](prepay_kmc_module::CentreModule)) for whole files. Files, SQL, JSON and pages.
//!
//! - Source: STS 600-4-2, STS 401-1 and STS 1800-6 as public material shows them. Fields and states of rows
//!   and forms are not public: they are our own design.

pub mod centre;
mod code;
pub mod entity;
pub mod form;
pub mod store;
