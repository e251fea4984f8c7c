//! Time and randomness, passed as arguments so that every run can be repeated exactly.

use std::fmt;

use crate::Moment;

/// A source of time.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Moment;
}

/// A clock that always shows the same time.
impl Clock for Moment {
    fn now(&self) -> Moment {
        *self
    }
}

/// A source of unpredictable numbers, for keys, nonces and salts.
pub trait Entropy: Send {
    /// Fills all bytes.
    ///
    /// # Errors
    ///
    /// [`NoEntropy`] if the source failed; do not use the bytes then.
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
