//! What happens above the power limits: the switch opens after a while, closes again, and after some
//! repetitions stays open until a token comes.
//!
//! ```text
//!  load  ____/‾‾‾‾‾‾‾‾\_________________/‾‾‾‾‾‾‾‾\____ ...
//!  limit --------------------------------------------
//!             trip_after_s   reset_after_s              after `resets` closings: open until a token
//! ```
//!
//! - Unit: seconds. All figures are this project's own: the standard leaves the action to agreement.
//! - Source: IEC 62055-41:2018, SetMaximumPowerLimit and SetMaximumPhasePowerUnbalanceLimit.

/// The parameters of tripping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TripRule {
    /// How long the load must exceed a limit without a break. Default: 30. 0 means the same as 1.
    pub trip_after_s: u32,
    /// How long the switch then stays open. Default: 60. 0 means the same as 1.
    pub reset_after_s: u32,
    /// How often it closes again by itself. Default: 5. After that it waits for any token that is accepted
    /// under the key of the meter.
    pub resets: u8,
    /// After how long within the limits the count of closings starts again. Default: 1800.
    pub forgive_after_s: u32,
}

/// Which limit was exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// The maximum power limit.
    Power,
    /// The maximum phase power unbalance limit.
    PhaseUnbalance,
}

/// The stage of tripping. In memory only, except for the last stage, which the state stores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trip {
    /// Why the switch is open, and the seconds left until it closes.
    pub open: Option<(Excess, u32)>,
    /// For how long the load has exceeded a limit, in seconds.
    pub over_s: u32,
    /// For how long it has been within the limits, in seconds.
    pub calm_s: u32,
    /// How often the switch has opened and closed again.
    pub trips: u8,
}

impl Default for TripRule {
    fn default() -> Self {
        Self { trip_after_s: 30, reset_after_s: 60, resets: 5, forgive_after_s: 1800 }
    }
}

impl Trip {
    /// Why the switch is open for a while.
    pub(crate) const fn open(&self) -> Option<Excess> {
        match self.open {
            Some((excess, _)) => Some(excess),
            None => None,
        }
    }

    /// The seconds until the next event if the load does not change.
    pub(crate) fn next_event_s(&self, excess: Option<Excess>, rule: TripRule) -> Option<u64> {
        match (self.open, excess) {
            (Some((_, left_s)), _) => Some(u64::from(left_s.max(1))),
            (None, Some(_)) => {
                Some(u64::from(rule.trip_after_s.saturating_sub(self.over_s).max(1)))
            }
            (None, None) => None,
        }
    }

    /// Lets time pass, at most to the next event. Returns the limit if the switch must now stay open until a
    /// token comes.
    pub(crate) fn pass(
        &mut self,
        seconds: u64,
        excess: Option<Excess>,
        rule: TripRule,
    ) -> Option<Excess> {
        let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
        if let Some((excess, left_s)) = self.open {
            let left_s = left_s.saturating_sub(seconds);
            self.open = (left_s > 0).then_some((excess, left_s));
            return None;
        }
        let Some(excess) = excess else {
            self.over_s = 0;
            self.calm_s = self.calm_s.saturating_add(seconds);
            if self.calm_s >= rule.forgive_after_s {
                self.trips = 0;
            }
            return None;
        };
        self.calm_s = 0;
        self.over_s = self.over_s.saturating_add(seconds);
        if self.over_s < rule.trip_after_s {
            return None;
        }
        self.over_s = 0;
        if self.trips >= rule.resets {
            *self = Self::default();
            return Some(excess);
        }
        self.trips += 1;
        self.open = Some((excess, rule.reset_after_s.max(1)));
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{Excess, Trip, TripRule};

    const OVER: Option<Excess> = Some(Excess::Power);

    #[test]
    fn it_trips_closes_again_and_gives_up_at_last() {
        let rule =
            TripRule { trip_after_s: 10, reset_after_s: 20, resets: 2, forgive_after_s: 100 };
        let mut trip = Trip::default();
        for round in 0..2 {
            assert_eq!(trip.next_event_s(OVER, rule), Some(10), "round {round}");
            assert_eq!(trip.pass(9, OVER, rule), None);
            assert_eq!(trip.open(), None);
            assert_eq!(trip.pass(1, OVER, rule), None);
            assert_eq!(trip.open(), OVER);
            assert_eq!(trip.next_event_s(OVER, rule), Some(20));
            trip.pass(20, OVER, rule);
            assert_eq!(trip.open(), None);
        }
        assert_eq!(trip.pass(10, OVER, rule), OVER, "no reset is left");
    }

    #[test]
    fn a_calm_while_is_forgiven_and_a_short_peak_is_none() {
        let rule =
            TripRule { trip_after_s: 10, reset_after_s: 20, resets: 1, forgive_after_s: 100 };
        let mut trip = Trip::default();
        for _ in 0..5 {
            trip.pass(9, OVER, rule);
            trip.pass(1, None, rule);
        }
        assert_eq!(trip.open(), None, "each break starts the count again");
        trip.pass(10, OVER, rule);
        trip.pass(20, None, rule);
        trip.pass(100, None, rule);
        assert_eq!(trip.pass(10, OVER, rule), None, "the first trip was forgiven");
        assert_eq!(trip.open(), OVER);
    }
}
