//! Key management: what a centre lays down about a vending key, and the texts by which a centre and a security
//! module agree and load keys.
//!
//! - [`VendingKeyAttributes`] and its elements: what a centre lays down about a vending key.
//! - [`profile`]: what key agreement and key loading come to, whatever the texts look like; [`open_kmp`] is our
//!   own profile of it, and [`edition1`] reads the key-load files of the first edition.
//! - [`check_value`]: by which people compare keys that they never see.
//!
//! # What it never knows
//!
//! Who may send a text, whether a request is still open, and what a module holds already. Files and clocks.

pub mod attribute;
mod check_value;
pub mod edition1;
mod key_note;
pub mod open_kmp;
mod party_id;
pub mod profile;

pub use attribute::VendingKeyAttributes;
pub use check_value::check_value;
pub use key_note::KeyNote;
pub use party_id::{CentreId, ModuleId};
