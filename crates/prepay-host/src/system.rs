//! The computer's clock and source of randomness.

use std::time::{SystemTime, UNIX_EPOCH};

use prepay_basics::{Clock, Entropy, Moment, NoEntropy};

/// The computer's clock. Anyone who can set it can shift every time limit.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    /// The time now, rounded down to the second and limited to the range of [`Moment`].
    fn now(&self) -> Moment {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => Moment::from_unix_seconds(since.as_secs()).unwrap_or(Moment::MAX),
            Err(_) => Moment::MIN,
        }
    }
}

/// The operating system's source of randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        getrandom::fill(bytes).map_err(|_| NoEntropy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_plausible_and_random_numbers_differ() {
        let begun: Moment = "2025-01-01T00:00:00Z".parse().unwrap();
        assert!(SystemClock.now() > begun);
        let mut numbers = [[0; 32]; 2];
        for number in &mut numbers {
            SystemEntropy.fill(number).unwrap();
        }
        assert_ne!(numbers[0], numbers[1]);
    }
}
