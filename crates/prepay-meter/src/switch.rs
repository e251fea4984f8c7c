//! The switch of a service: a contactor, or a valve. Whether it is closed follows from the state.
//!
//! Nothing about the switch is stored: conditions open it, and it closes as soon as none is left. If several
//! apply, the first of [`OpenReason`] is reported. If a switch must be closed by hand, the firmware sees to
//! that.
//!
//! - Source: IEC 62055-41:2018, meter functions; the order of reasons is this project's own.

use core::fmt;

/// Whether a service is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// It is on.
    Closed,
    /// It is cut off.
    Open(OpenReason),
}

/// Why a service is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum OpenReason {
    /// The meter was tampered with. A ClearTamperCondition token ends it.
    Tamper,
    /// Flag 2 of the extended token set asks for it.
    Disconnected,
    /// The load was above the maximum power limit.
    PowerLimit,
    /// The difference between the phases was above its limit.
    PhaseUnbalance,
    /// The credit is used up.
    NoCredit,
}

/// What a meter tells its customer about the credit of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warning {
    /// There is enough.
    None,
    /// Little is left.
    Low,
    /// Emergency credit is being used.
    Emergency,
    /// Nothing is left.
    Exhausted,
}

impl Switch {
    /// Whether the service is on.
    pub const fn is_closed(self) -> bool {
        matches!(self, Self::Closed)
    }

    /// `closed` or `open`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open(_) => "open",
        }
    }
}

impl OpenReason {
    /// The reason in lower case, as programs exchange it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tamper => "tamper",
            Self::Disconnected => "disconnected",
            Self::PowerLimit => "power_limit",
            Self::PhaseUnbalance => "phase_unbalance",
            Self::NoCredit => "no_credit",
        }
    }
}

impl fmt::Display for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("closed"),
            Self::Open(reason) => write!(f, "open: {}", reason.name()),
        }
    }
}
