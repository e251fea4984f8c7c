//! Time and randomness, which come in as arguments so that every run can be repeated exactly.

use std::fmt;

use crate::Moment;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Moment;
}

/// A clock that stands still.
impl Clock for Moment {
    fn now(&self) -> Moment {
        *self
    }
}

/// Gives numbers that nobody can foresee: keys, nonces and salts come from here.
pub trait Entropy: Send {
    /// Fills all bytes.
    ///
    /// # Errors
    ///
    /// [`NoEntropy`] when the source has failed; the bytes are then not to be used.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy>;
}

/// The source of randomness failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoEntropy;

impl fmt::Display for NoEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the source of randomness failed")
    }
}

impl std::error::Error for NoEntropy {}
