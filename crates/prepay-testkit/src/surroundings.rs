//! Time and randomness for tests: a clock to set, and numbers that are the same in every run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use prepay_basics::{Clock, Entropy, Moment, NoEntropy};

use crate::Random;

/// A clock that tests set. Clones show the same time.
#[derive(Clone, Debug)]
pub struct SetClock(Arc<AtomicU64>);

impl SetClock {
    /// A clock set to a time.
    pub fn at(now: Moment) -> Self {
        Self(Arc::new(AtomicU64::new(now.unix_seconds())))
    }

    /// Sets it.
    pub fn set(&self, now: Moment) {
        self.0.store(now.unix_seconds(), Ordering::SeqCst);
    }

    /// Advances it.
    pub fn advance(&self, seconds: u64) {
        self.set(self.now().plus_seconds(seconds));
    }

    /// Advances it by whole days.
    pub fn advance_days(&self, days: u32) {
        self.set(self.now().plus_days(days));
    }
}

impl Clock for SetClock {
    fn now(&self) -> Moment {
        Moment::from_unix_seconds(self.0.load(Ordering::SeqCst)).expect("a moment was set")
    }
}

/// Pseudo-random numbers that are the same in every run.
#[derive(Clone, Debug)]
pub struct Foreseeable(pub Random);

impl Foreseeable {
    /// A source. Equal seeds give equal numbers.
    pub const fn new(seed: u64) -> Self {
        Self(Random::new(seed))
    }

    /// A source whose seed is a name.
    pub fn named(name: &str) -> Self {
        Self::new(
            name.bytes()
                .fold(0, |seed, byte| u64::wrapping_add(seed.wrapping_mul(257), byte.into())),
        )
    }
}

impl Entropy for Foreseeable {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        bytes.fill_with(|| self.0.byte());
        Ok(())
    }
}
