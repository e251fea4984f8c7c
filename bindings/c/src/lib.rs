//! The meter engine for firmware in C: a static library, and a header made from these sources.
//!
//! ```text
//!  firmware in C ── include/prepay_meter.h ── this crate ── prepay-meter
//!     memory, storage, clock, maker             checks pointers and values, converts, calls
//! ```
//!
//! - Memory: the caller's. Nothing is allocated; a meter lives in a `prepay_meter` of fixed size.
//! - Pointers: each is checked for null and for its alignment. What else C must guarantee is listed at each
//!   function under *Safety*.
//! - Reentry: a callback that uses the same meter gets `PREPAY_STATUS_BUSY`. Nothing protects against threads
//!   and interrupts: use a meter in one of them at a time.
//! - Panics: mistakes of a caller and wrong tokens get an answer, not a panic. A panic never unwinds into C: on
//!   a hosted system the process aborts, on bare metal `prepay_meter_panicked` is called.
//! - Capacities: 50 identifiers, 12 flags, 1 control.
//!
//! Not settable here, so always at the engine's default: the matrix of key transitions, reserved identifiers,
//! absent registers, unknown extended tokens, the choice of management functions, tests with codes of the other
//! length, the limits of registers of money. The mailbox is not available.
//!
//! Only this crate may use `unsafe`; every block states its reason.

#![no_std]

#[cfg(not(any(freestanding, target_os = "none")))]
extern crate std;

mod life;
mod maker;
mod memory;
mod outcome;
mod panic;
mod pointer;
mod profile;
mod service;
mod state;
mod status;
mod storage;
mod token;

pub use life::*;
pub use maker::{PREPAY_MAKER_ACCEPT, PREPAY_MAKER_RANGE, PREPAY_MAKER_UNKNOWN, PrepayMaker};
pub use memory::{PREPAY_METER_SIZE, PREPAY_METER_WORDS, PrepayMeter};
pub use outcome::*;
pub use profile::*;
pub use service::*;
pub use state::*;
pub use status::PrepayStatus;
pub use storage::{PREPAY_RECORD_LENGTH, PrepayStorage};
pub use token::*;
