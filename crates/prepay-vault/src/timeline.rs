//! The time a vault knows: the latest at which it has written an entry. A clock that is put back is noticed by it.
//!
//! | the clock is behind the latest time by | what the vault does |
//! |----------------------------------------|---------------------|
//! | less than a minute | nothing: time servers correct by that much |
//! | at most 24 hours | adds the entry `clock_back`, once for each step back and each opening, and goes on |
//! | more | adds that entry too, lets people sign in, and refuses every other change until two custodians accept the time |
//!
//! - The latest time falls only when custodians accept an earlier one, so several small steps back add up.
//! - A test vault records and never refuses: its clock may be fixed.

use prepay_basics::Moment;

/// A step back that is not recorded, in seconds.
const TOLERANCE: u64 = 60;
/// How far the clock may be behind, in seconds.
const ALLOWED: u64 = 24 * 3600;

/// The time a vault knows.
#[derive(Clone, Copy)]
pub(super) struct Timeline {
    /// The latest time of an entry, or the one that two custodians accepted since.
    latest: Moment,
    /// The latest time since the last recorded step back.
    running: Moment,
}

impl Timeline {
    pub(super) const fn new(latest: Moment) -> Self {
        Self { latest, running: latest }
    }

    pub(super) const fn latest(&self) -> Moment {
        self.latest
    }

    /// Whether the clock was put back since the last entry.
    pub(super) fn is_step_back(&self, now: Moment) -> bool {
        now.plus_seconds(TOLERANCE) < self.running
    }

    /// Whether the clock is so far behind that nothing may be changed.
    pub(super) fn is_behind(&self, now: Moment) -> bool {
        now.plus_seconds(ALLOWED) < self.latest
    }

    /// Notes that a step back was recorded.
    pub(super) const fn step_back(&mut self, now: Moment) {
        self.running = now;
    }

    /// Notes the time of an entry.
    pub(super) fn pass(&mut self, now: Moment) {
        self.latest = self.latest.max(now);
        self.running = self.running.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_back_add_up_from_the_latest_time() {
        let at = |seconds: u64| Moment::from_unix_seconds(1_000_000 + seconds).unwrap();
        let mut time = Timeline::new(at(0));
        time.pass(at(500_000));
        // (seconds, is a step back, is behind): both sides of each boundary.
        for (seconds, back, behind) in [
            (500_000 - 60, false, false),
            (500_000 - 61, true, false),
            (500_000 - ALLOWED, true, false),
            (500_000 - ALLOWED - 1, true, true),
        ] {
            assert_eq!(time.is_step_back(at(seconds)), back, "{seconds}");
            assert_eq!(time.is_behind(at(seconds)), behind, "{seconds}");
        }
        time.step_back(at(450_000));
        time.pass(at(450_000));
        assert!(!time.is_step_back(at(450_000)));
        assert!(time.is_step_back(at(449_000)));
        assert!(time.is_behind(at(410_000)), "measured from the latest time, not from the last");
    }
}
