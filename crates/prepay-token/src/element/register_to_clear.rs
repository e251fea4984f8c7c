//! *RegisterToClear*: which credit a ClearCredit token removes.
//!
//! ```text
//!  0 to 3   unit credit of electricity, water, gas, time
//!  4 to 7   currency credit of electricity, water, gas, time
//!  FFFF     every credit register of the meter
//!  others   reserved
//! ```
//!
//! - Source: IEC 62055-41:2018, data element *Register* of the token ClearCredit.

use core::fmt;

use super::Service;

/// A credit register, or all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RegisterToClear {
    /// The units of one service.
    Units(Service),
    /// The money of one service.
    Currency(Service),
    /// All credit registers of the meter.
    All,
}

/// The value names no register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReservedRegister {
    /// The value found.
    pub found: u16,
}

impl RegisterToClear {
    /// The sixteen bits of the element.
    pub const fn bits(self) -> u16 {
        match self {
            Self::Units(service) => service.index() as u16,
            Self::Currency(service) => 4 + service.index() as u16,
            Self::All => 0xFFFF,
        }
    }
}

impl TryFrom<u16> for RegisterToClear {
    type Error = ReservedRegister;

    fn try_from(found: u16) -> Result<Self, Self::Error> {
        match found {
            0..=3 => Ok(Self::Units(Service::ALL[usize::from(found)])),
            4..=7 => Ok(Self::Currency(Service::ALL[usize::from(found - 4)])),
            0xFFFF => Ok(Self::All),
            _ => Err(ReservedRegister { found }),
        }
    }
}

impl fmt::Display for RegisterToClear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Units(service) => write!(f, "{service} credit"),
            Self::Currency(service) => write!(f, "{service} currency credit"),
            Self::All => f.write_str("all credit registers"),
        }
    }
}

impl fmt::Display for ReservedRegister {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "reserved register: expected 0 to 7 or 65535, found {}", self.found)
    }
}

impl core::error::Error for ReservedRegister {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_a_register_or_refused() {
        for bits in 0..=u16::MAX {
            match RegisterToClear::try_from(bits) {
                Ok(register) => assert_eq!(register.bits(), bits),
                Err(error) => {
                    assert!((8..0xFFFF).contains(&bits), "{bits}");
                    assert_eq!(error.found, bits);
                }
            }
        }
    }
}
