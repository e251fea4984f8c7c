//! Lockout: after wrong tokens, the meter checks only tests and displays (class 1) for a while.
//!
//! ```text
//!  failure   1 .. free_tries-1   free_tries   +1            +2               ...
//!  locks     not                 base_s       base·factor   base·factor²     up to cap_s
//! ```
//!
//! Only wrong checksums of classes 0 and 2 count, because guessing a token produces them. Class 1 is in clear: anybody
//! can make its digits, right or wrong. Any accepted token under the meter's key resets the count.
//!
//! The count stops where the lock grows no longer, by default at ten. So however many wrong tokens follow one another,
//! a count that survives power costs at most ten commits until a token is accepted.
//!
//! - Unit: seconds. The default values are those that one maker publishes.
//! - Source: practice of makers; IEC 62055-52 has a function of this kind for its carrier, and the token
//!   status register a code for it.

/// The parameters of a lockout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lockout {
    /// How many failures in a row cause the first lock. 0 means the same as 1.
    pub free_tries: u8,
    /// How long the first lock lasts, in seconds.
    pub base_s: u32,
    /// The factor by which each further failure lengthens the lock.
    pub factor: u32,
    /// The longest lock, in seconds.
    pub cap_s: u32,
    /// Whether loss of power resets the count. If not, the count is stored whenever it changes, and a meter with
    /// enough failures for a lock is locked, for the full time, when power returns.
    pub reset_on_power: bool,
}

impl Default for Lockout {
    /// 10 s at the third failure, doubling up to 1280 s at the tenth; it survives loss of power.
    fn default() -> Self {
        Self { free_tries: 3, base_s: 10, factor: 2, cap_s: 1280, reset_on_power: false }
    }
}

impl Lockout {
    /// How long the meter is locked after this many failures in a row, in seconds.
    pub fn duration_s(&self, failures: u8) -> u32 {
        let free_tries = self.free_tries.max(1);
        if failures < free_tries {
            return 0;
        }
        let mut seconds = self.base_s;
        for _ in free_tries..failures {
            if seconds >= self.cap_s || self.factor == 1 {
                break;
            }
            seconds = seconds.saturating_mul(self.factor);
        }
        seconds.min(self.cap_s)
    }

    /// The count after one more failure; unchanged where a larger one would lock no longer.
    pub(crate) fn after(&self, failures: u8) -> u8 {
        let next = failures.saturating_add(1);
        let is_free = failures < self.free_tries.max(1);
        if is_free || self.duration_s(next) != self.duration_s(failures) { next } else { failures }
    }
}

#[cfg(test)]
mod tests {
    use super::Lockout;

    #[test]
    fn time_doubles_from_the_third_failure_to_the_tenth() {
        let lockout = Lockout::default();
        // (failures, seconds)
        for (failures, seconds) in
            [(0, 0), (2, 0), (3, 10), (4, 20), (9, 640), (10, 1280), (11, 1280), (255, 1280)]
        {
            assert_eq!(lockout.duration_s(failures), seconds, "{failures} failures");
        }
    }

    #[test]
    fn the_count_stops_where_the_lock_grows_no_longer() {
        let constant =
            Lockout { free_tries: 5, base_s: 1800, factor: 1, cap_s: 1800, ..Lockout::default() };
        let never = Lockout { free_tries: 3, base_s: 0, ..Lockout::default() };
        // (lockout, the count after many failures)
        for (lockout, last) in [(Lockout::default(), 10), (constant, 5), (never, 3)] {
            let mut failures = 0;
            for count in 1..=last {
                failures = lockout.after(failures);
                assert_eq!(failures, count, "{lockout:?}");
            }
            assert_eq!(lockout.after(failures), last, "{lockout:?}");
        }
    }

    #[test]
    fn a_constant_time_does_not_grow() {
        let lockout =
            Lockout { free_tries: 5, base_s: 1800, factor: 1, cap_s: 1800, ..Lockout::default() };
        for (failures, seconds) in [(4, 0), (5, 1800), (200, 1800)] {
            assert_eq!(lockout.duration_s(failures), seconds, "{failures} failures");
        }
    }
}
