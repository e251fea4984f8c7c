//! Shared code of tests and benchmarks. A development dependency only.
//!
//! - [`vectors`]: the files of `vectors/`, one case per line.
//! - [`published`]: the published cases as values of the library, converted here independently of all readers.
//! - [`strategy`]: arbitrary valid tokens, keys and parameters for `proptest`.
//! - [`fuzz`]: the bodies of the fuzz targets as plain functions, and inputs to run them on without a fuzzer.
//! - [`centre_store`]: the tests that every store of a key management centre must pass.
//! - [`ceremony`]: a software module and a test centre that loads keys into it, step by step.
//! - [`child`]: a case of a test program as a process of its own.
//! - [`documents`]: what each side does with a text of key management, in one call.
//! - [`power_loss`]: what a disk may hold after power failed, from a record of system calls.
//! - [`secrets`]: finds secrets in places where they must not be.
//! - [`Memory`], [`meter_key`]: the storage and the key of a meter.
//! - [`SetClock`], [`Foreseeable`]: time and randomness.
//! - [`ratio`]: two operations timed against each other.
//!
//! A crate asks for what its floor needs by the features `meter`, `modules` and `doors`.

#[cfg(feature = "doors")]
pub mod centre_store;
#[cfg(feature = "modules")]
pub mod ceremony;
pub mod child;
#[cfg(feature = "modules")]
pub mod documents;
#[cfg(feature = "doors")]
pub mod fuzz;
#[cfg(feature = "meter")]
mod memory;
#[cfg(target_os = "linux")]
pub mod power_loss;
pub mod published;
mod random;
pub mod ratio;
#[cfg(feature = "modules")]
pub mod secrets;
pub mod strategy;
#[cfg(feature = "modules")]
mod surroundings;
pub mod vectors;

#[cfg(feature = "meter")]
pub use memory::{Memory, meter_key};
pub use random::Random;
#[cfg(feature = "modules")]
pub use surroundings::{Foreseeable, SetClock};
pub use vectors::load;
