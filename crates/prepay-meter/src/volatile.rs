//! What loss of power takes from a meter, as plain values.
//!
//! A simulator that ends and goes on later, without a loss of power, keeps these values itself. Firmware needs none of
//! this: after loss of power it loads the meter from its storage.
//!
//! - Elsewhere: the sections of a key change, which are entered again; what is stored ([`MeterState`](crate::MeterState)).

use crate::meter::Meter;
use crate::result::TokenResult;
use crate::trip::Trip;

/// What a meter holds in memory only, besides the sections of a key change and consumption that is not stored yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Volatile {
    /// The second at which a lockout ends, by the counter of seconds that the meter is given.
    pub locked_until_s: u64,
    /// How many wrong checksums came in a row.
    pub failures: u8,
    /// The stage of tripping.
    pub trip: Trip,
    /// The load on electricity, in watts.
    pub power_watts: u32,
    /// The result of the last token.
    pub last_result: Option<TokenResult>,
}

impl<const TIDS: usize, const FLAGS: usize, const CONTROLS: usize> Meter<TIDS, FLAGS, CONTROLS> {
    /// What the meter holds in memory only.
    pub const fn volatile(&self) -> Volatile {
        Volatile {
            locked_until_s: self.locked_until_s,
            failures: self.state.failures,
            trip: self.trip,
            power_watts: self.power_watts,
            last_result: self.last_result,
        }
    }

    /// Goes on as if there had been no loss of power since [`volatile`](Self::volatile), by a counter of seconds that
    /// went on, too.
    pub const fn resume(&mut self, volatile: Volatile) {
        let Volatile { locked_until_s, failures, trip, power_watts, last_result } = volatile;
        self.locked_until_s = locked_until_s;
        self.state.failures = failures;
        self.trip = trip;
        self.power_watts = power_watts;
        self.last_result = last_result;
    }
}
