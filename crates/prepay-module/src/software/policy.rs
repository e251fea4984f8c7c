//! What a module's keepers lay down when they create it, beside what centres lay down about keys.
//!
//! Nothing here can be changed later: another policy takes another module.

use prepay_token::element::RandomNumber;
use prepay_token::key::{DerivationPolicy, KeyTransitions};

use prepay_basics::{Clock, Moment};

/// The settings of a module, fixed when it is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModulePolicy {
    /// How many minutes a token identifier may lie before or behind the module's clock; nothing for any
    /// distance.
    pub window_minutes: Option<u32>,
    /// Which key types may follow each other.
    pub transitions: KeyTransitions,
    /// What is not settled about key derivation.
    pub derivation: DerivationPolicy,
    /// How many tokens the module may make until it is given more; nothing for no limit.
    pub transactions: Option<u64>,
    /// How many days ahead the status warns of a key that lapses.
    pub warning_days: u32,
    /// How many days a request to a centre stays open.
    pub request_days: u32,
}

impl Default for ModulePolicy {
    /// A window of seven days, no transaction counter, warnings thirty days ahead, requests open for thirty
    /// days.
    fn default() -> Self {
        Self {
            window_minutes: Some(7 * 24 * 60),
            transitions: KeyTransitions::default(),
            derivation: DerivationPolicy::default(),
            transactions: None,
            warning_days: 30,
            request_days: 30,
        }
    }
}

/// What only a test module does: its tokens can be made again, so they are not for real meters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TestMode {
    /// The time at which the module's clock stands still; nothing for a clock that runs.
    pub fixed_time: Option<Moment>,
    /// The random number of every token; nothing for the counter.
    pub fixed_random: Option<RandomNumber>,
}

/// The time that a module goes by: its clock's, unless a test module's stands still.
pub(crate) fn module_time(test: Option<TestMode>, clock: &dyn Clock) -> Moment {
    test.and_then(|test| test.fixed_time).unwrap_or_else(|| clock.now())
}
