//! The settings of a module, chosen when it is created. Centres set the attributes of keys.
//!
//! None can be changed later: for another policy, create another module.

use prepay_token::element::RandomNumber;
use prepay_token::key::{DerivationPolicy, KeyTransitions};

use prepay_basics::{Clock, Moment};

/// The settings of a module, fixed when it is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModulePolicy {
    /// How many minutes a token identifier may be before or after the module's clock; `None` for any number.
    pub window_minutes: Option<u32>,
    /// Which key types may replace which.
    pub transitions: KeyTransitions,
    /// The open points of key derivation.
    pub derivation: DerivationPolicy,
    /// How many tokens the module may issue until it is refilled; `None` for no limit.
    pub transactions: Option<u64>,
    /// How many days before a key must be loaded again the status warns.
    pub warning_days: u32,
    /// For how many days a centre may answer a request.
    pub request_days: u32,
    /// For at least how many days the names of requests that were carried out are remembered, and the identifiers that were
    /// used.
    pub remember_days: u32,
    /// Whether a token may have an identifier that another token for its meter under its key has.
    pub tid_reuse: TidReuse,
}

/// Whether a token may have an identifier that another token for its meter under its key has. A meter takes only one of
/// the two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TidReuse {
    /// It is refused as long as the identifier is remembered.
    #[default]
    Refuse,
    /// Whoever asks sees to that. Nothing is remembered.
    Allow,
}

impl Default for ModulePolicy {
    /// A window of seven days, no transaction counter, warnings thirty days before, requests open for thirty days; names of
    /// requests and used identifiers are remembered for seven days, and none is used again meanwhile.
    fn default() -> Self {
        Self {
            window_minutes: Some(7 * 24 * 60),
            transitions: KeyTransitions::default(),
            derivation: DerivationPolicy::default(),
            transactions: None,
            warning_days: 30,
            request_days: 30,
            remember_days: 7,
            tid_reuse: TidReuse::Refuse,
        }
    }
}

/// Settings for test modules only. Anyone can make their tokens again, so they are not for real meters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TestMode {
    /// The fixed time of the module's clock; `None` for a running clock.
    pub fixed_time: Option<Moment>,
    /// The random number of every token; `None` to use the counter.
    pub fixed_random: Option<RandomNumber>,
    /// How many names make a file of names, so that a test needs few; `None` for as many as in other modules.
    pub run_names: Option<u32>,
}

/// The module's time: that of its clock, or the fixed time of a test module.
pub(crate) fn module_time(test: Option<TestMode>, clock: &dyn Clock) -> Moment {
    test.and_then(|test| test.fixed_time).unwrap_or_else(|| clock.now())
}
