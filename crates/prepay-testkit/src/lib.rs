//! What the tests and benchmarks of every crate share. Only ever a development dependency.
//!
//! - [`vectors`]: the files of `vectors/`, one case per line.
//! - [`published`]: the published cases as values of the library, by a way that no door takes.
//! - [`strategy`]: arbitrary valid tokens, keys and parameters for `proptest`.
//! - [`fuzz`]: the bodies of the fuzz targets as plain functions, and inputs to run them on without a fuzzer.
//! - [`centre_store`]: the suite that every storage of a key management centre passes.
//! - [`ceremony`]: a software module and a test centre that gives it keys, as people would.
//! - [`documents`]: what each side does with a text of key management, in one call.
//! - [`secrets`]: secrets that are looked for where they must not be.
//! - [`Memory`]: the storage of a meter.
//! - [`SetClock`], [`Foreseeable`]: time and randomness.
//! - [`ratio`]: two operations timed against each other.

pub mod centre_store;
pub mod ceremony;
pub mod documents;
pub mod fuzz;
mod memory;
pub mod published;
mod random;
pub mod ratio;
pub mod secrets;
pub mod strategy;
mod surroundings;
pub mod vectors;

pub use memory::Memory;
pub use random::Random;
pub use surroundings::{Foreseeable, SetClock};
pub use vectors::load;
