//! A security module in software. Its contents are encrypted on the disk. It does everything that a hardware module does,
//! except hide its keys from whoever controls the computer.
//!
//! ```text
//!                       SoftwareModule
//!   sign in ─┬── Operator     issues and verifies        operator.rs ── issuer.rs ── check, make, count
//!            ├── Auditor      reads                      auditor.rs, read.rs
//!            └── Custodians   dual control: centres,     custodians.rs ── load.rs
//!                             keys, counter
//!                 all over one SharedVault: sealed contents (contents.rs), people, seal, back-up,
//!                 an audit log (entry.rs, row.rs), and the names of requests (names)
//! ```
//!
//! Vending keys arrive only wrapped, under an agreement with a centre; nothing here accepts a plain one.
//!
//! A module that cannot write what it did stops, and must be opened again. A caller without an answer then repeats the
//! same request: if it was carried out, the answer is the same digits.
//!
//! # What it never knows
//!
//! Whether a customer paid. Which identifiers a meter has had from elsewhere, or longer ago than it remembers. Whether
//! somebody who controls the computer copies its
//! keys while it is unlocked: see `SECURITY.md`.

mod auditor;
mod check;
mod contents;
mod custodians;
mod entry;
mod issued_row;
mod issuer;
mod load;
mod make;
mod module;
mod names;
mod operator;
mod policy;
mod read;
mod refusal;
mod register;
mod row;
mod shared;
mod slot;

pub use auditor::Auditor;
pub use contents::ModuleContents;
pub use custodians::Custodians;
pub use entry::ModuleEntry;
pub use issued_row::IssuedRow;
pub use load::{LoadReport, LoadedRegister, RegisterChange};
pub use module::{NewModule, SoftwareModule};
pub use operator::{BATCH, Operator};
pub use policy::{ModulePolicy, TestMode, TidReuse};
pub use refusal::{CustodianError, LoadRefusal};
pub use slot::{CentreReport, OPEN_REQUESTS, SLOTS, SlotReport, SlotState};
