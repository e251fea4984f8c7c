//! The key management centre: who owns which supply group, which vending keys exist, which modules may hold
//! them, and which were sent to which module.
//!
//! # Map
//!
//! - [`centre`]: [`Centre`](centre::Centre), all commands, from the application for a group to the key-load
//!   file, and the reports.
//! - [`form`]: the forms that customers fill in and sign.
//! - [`entity`]: the rows of the centre: customers, groups, vending keys, authorisations and so on.
//! - [`store`]: [`CentreStore`](store::CentreStore), the interface to storage: the rules of a commit, the
//!   columns of each row, and an implementation in memory.
//!
//! # What it never knows
//!
//! The bytes of a key, wrapped or not: the centre's own module
//! ([`CentreModule`](prepay_kmc_module::CentreModule)) makes complete key-load files. Nor files, SQL, JSON or
//! HTML.
//!
//! - Source: STS 600-4-2, STS 401-1 and STS 1800-6, as far as public material describes them. The fields and
//!   states of rows and forms are not public: ours are our own design.

pub mod centre;
mod code;
pub mod entity;
pub mod form;
pub mod store;
