//! The rows of a centre.
//!
//! ```text
//!  Customer <──── Signatory <──── Authorisation ────> module name
//!     ^  ^                             │
//!     │  └──── Ownership ──┐           v
//!     └─────────────── SupplyGroup <── VendingKeyRecord <── KeyLoadRecord.keys
//!                                                               │
//!  CentreRecord (one row: name, next numbers)    ModuleRecord <─┴─ AgreementRecord
//!  FormRecord, JournalEntry
//! ```
//!
//! Each arrow points to a row that must exist first. Rows are never deleted; they are revoked or retired.
//!
//! - Elsewhere: the keys themselves (`prepay-kmc-module`), rows on the disk (`prepay-store`).

mod customer;
mod group;
mod journal;
mod key;
mod line;
mod load;
mod module;
mod number;

pub use crate::code::UnknownCode;
pub use customer::{Customer, Signatory};
pub use group::{Ownership, SupplyGroup};
pub use journal::{Action, CentreRecord, FormRecord, FormStep, JournalEntry};
pub use key::{Authorisation, KeyState, VendingKeyId, VendingKeyRecord};
pub(crate) use key::{last_minute, life_faults};
pub use line::{Line, LineError};
pub use load::{KeyLoadRecord, LeftOut, LeftOutReason, LoadedKey};
pub use module::{AgreementRecord, ModuleRecord};
pub use number::{AuthorisationNumber, CustomerNumber, FormNumber, NumberError};
