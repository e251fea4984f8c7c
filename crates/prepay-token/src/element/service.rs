//! The services that credit can buy.
//!
//! For each service class 0 has one sub-class for units (0 to 3) and one for money (4 to 7), in the same order.
//!
//! - Source: IEC 62055-41:2018, token definitions of class 0.

use core::fmt;
use core::str::FromStr;

/// A service that is metered and paid in advance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// Electricity, counted in kWh.
    Electricity,
    /// Water, counted in cubic metres.
    Water,
    /// Gas, counted in cubic metres.
    Gas,
    /// Time, counted in minutes.
    Time,
}

/// The text is not the name of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownService;

impl Service {
    /// All services, in the order of their sub-classes.
    pub const ALL: [Self; 4] = [Self::Electricity, Self::Water, Self::Gas, Self::Time];

    /// The position in the order of the sub-classes: 0 to 3.
    pub const fn index(self) -> u8 {
        self as u8
    }

    /// The lower-case English name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Electricity => "electricity",
            Self::Water => "water",
            Self::Gas => "gas",
            Self::Time => "time",
        }
    }

    /// The symbol of the unit in which an amount is written.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Electricity => "kWh",
            Self::Water | Self::Gas => "m³",
            Self::Time => "min",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Service {
    type Err = UnknownService;

    /// Accepts the lower-case name.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|service| service.name() == text).ok_or(UnknownService)
    }
}

impl fmt::Display for UnknownService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown service: expected electricity, water, gas or time")
    }
}

impl core::error::Error for UnknownService {}
