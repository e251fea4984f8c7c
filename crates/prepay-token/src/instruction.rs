//! What a token asks for: its content without random number and identifier.
//!
//! ```text
//!  class 0, credit       0-3  electricity, water, gas, time in units     4-7  the same in money
//!  class 1, display      0,1  test, by length of MfrCode   2  extended read   6-15  proprietary
//!  class 2, management   0 power limit   1 clear credit   2 tariff rate   5 clear tamper
//!                        6 phase unbalance   7 water factor   10 extended   11-15 proprietary
//! ```
//!
//! An instruction says what is wanted before a token exists, and what a token was after it is read. It never holds
//! a part of a key, so it may be shown to anybody who may see the token.
//!
//! - Source: IEC 62055-41:2018, token definitions; STS 202-5 for extended tokens.
//! - Elsewhere: the whole token, with its identifier ([`Token`](crate::Token)).

use core::fmt;

use crate::Class;
use crate::element::{
    Amount, Control, ControlTooWide, CurrencyAmount, ExtendedIndex, ExtendedValue,
    ManufacturerCode, PowerLimit, RegisterToClear, Service,
};

/// What a token asks a meter to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Instruction {
    /// Class 0, sub-classes 0 to 3: add units to the credit of one service.
    Credit {
        /// The service.
        service: Service,
        /// The units.
        amount: Amount,
    },
    /// Class 0, sub-classes 4 to 7: add money to the credit of one service, or take it away.
    CurrencyCredit {
        /// The service.
        service: Service,
        /// The money.
        amount: CurrencyAmount,
    },
    /// Class 1, all sub-classes but 2: test or show something.
    Test(MeterTest),
    /// Class 1, sub-class 2: show an extended value.
    ExtendedRead {
        /// Which value.
        index: ExtendedIndex,
        /// Whose meters, by a code of two digits; 00 for all.
        manufacturer: TwoDigitManufacturer,
    },
    /// Class 2 but for key changes: set or clear something in one meter.
    Management(ManagementFunction),
}

/// What a management token does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ManagementFunction {
    /// Sub-class 0: sets the power above which the load is switched off.
    SetMaximumPowerLimit(PowerLimit),
    /// Sub-class 1: takes away all credit of one register, or of all.
    ClearCredit(RegisterToClear),
    /// Sub-class 2: sets the tariff rate; the standard reserves what the value means.
    SetTariffRate(u16),
    /// Sub-class 5: ends the tamper condition.
    ClearTamperCondition,
    /// Sub-class 6: sets the allowed difference between the loads of the phases.
    SetMaximumPhasePowerUnbalanceLimit(PowerLimit),
    /// Sub-class 7: sets the water meter factor; the standard reserves what the value means.
    SetWaterMeterFactor(u16),
    /// Sub-class 10: sets a flag or a control.
    Extended(ExtendedValue),
    /// Sub-classes 11 to 15: the maker's own.
    Proprietary {
        /// Which of the five.
        sub_class: ProprietarySubClass,
        /// The maker's value.
        value: u16,
    },
}

/// A proprietary sub-class of class 2: 11 to 15.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProprietarySubClass(u8); // Invariant: 11 to 15.

/// A manufacturer code of two digits, the only kind that an extended read has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TwoDigitManufacturer(ManufacturerCode); // Invariant: the two-digit form.

/// A test or display, with the sub-class that says how its fields are cut.
///
/// ```text
///  sub-class   MfrCode               Control
///  0           2 digits              36 bits
///  1           4 digits              28 bits
///  6 to 10     4 digits, from 0100   28 bits    proprietary
///  11 to 15    2 digits              36 bits    proprietary
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeterTest {
    sub_class: u8, // Invariant: one of the table.
    manufacturer: ManufacturerCode,
    control: Control,
}

/// The parts of a test that do not go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeterTestError {
    /// The sub-class is reserved, is the extended read, or is none.
    SubClass {
        /// The sub-class found.
        found: u8,
    },
    /// The sub-class takes a manufacturer code of another form or range.
    ManufacturerCode {
        /// The sub-class.
        sub_class: u8,
        /// The code found.
        found: ManufacturerCode,
    },
    /// The control field is too wide.
    Control(ControlTooWide),
}

impl MeterTest {
    /// A test or display of a given sub-class.
    ///
    /// # Errors
    ///
    /// [`MeterTestError`] when the sub-class is not one of the table above, the code has not the form that
    /// it takes, or a bit of the control field does not fit.
    pub fn new(
        sub_class: u8,
        manufacturer: ManufacturerCode,
        control: u64,
    ) -> Result<Self, MeterTestError> {
        let fits = match sub_class {
            0 | 11..=15 => manufacturer.is_two_digit(),
            1 => !manufacturer.is_two_digit(),
            6..=10 => !manufacturer.is_two_digit() && manufacturer.value() >= 100,
            found => return Err(MeterTestError::SubClass { found }),
        };
        if !fits {
            return Err(MeterTestError::ManufacturerCode { sub_class, found: manufacturer });
        }
        let control = Control::new(manufacturer, control).map_err(MeterTestError::Control)?;
        Ok(Self { sub_class, manufacturer, control })
    }

    /// The standard sub-class for a manufacturer code: 0 for two digits, 1 for four.
    pub const fn standard_sub_class(manufacturer: ManufacturerCode) -> u8 {
        if manufacturer.is_two_digit() { 0 } else { 1 }
    }

    /// The sub-class.
    pub const fn sub_class(&self) -> u8 {
        self.sub_class
    }

    /// Whether the meaning of the control field is the maker's own.
    pub const fn is_proprietary(&self) -> bool {
        self.sub_class >= 6
    }

    /// Whose meters are asked; code 00 or 0000 asks all.
    pub const fn manufacturer(&self) -> ManufacturerCode {
        self.manufacturer
    }

    /// What is to be tested or shown.
    pub const fn control(&self) -> Control {
        self.control
    }
}

impl ProprietarySubClass {
    /// The number, 11 to 15.
    pub const fn value(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for ProprietarySubClass {
    type Error = MeterTestError;

    fn try_from(found: u8) -> Result<Self, Self::Error> {
        if matches!(found, 11..=15) {
            Ok(Self(found))
        } else {
            Err(MeterTestError::SubClass { found })
        }
    }
}

impl TwoDigitManufacturer {
    /// The code.
    pub const fn code(self) -> ManufacturerCode {
        self.0
    }
}

impl TryFrom<ManufacturerCode> for TwoDigitManufacturer {
    type Error = MeterTestError;

    fn try_from(found: ManufacturerCode) -> Result<Self, Self::Error> {
        if found.is_two_digit() {
            Ok(Self(found))
        } else {
            Err(MeterTestError::ManufacturerCode { sub_class: 2, found })
        }
    }
}

impl ManagementFunction {
    /// The sub-class.
    pub const fn sub_class(&self) -> u8 {
        match self {
            Self::SetMaximumPowerLimit(_) => 0,
            Self::ClearCredit(_) => 1,
            Self::SetTariffRate(_) => 2,
            Self::ClearTamperCondition => 5,
            Self::SetMaximumPhasePowerUnbalanceLimit(_) => 6,
            Self::SetWaterMeterFactor(_) => 7,
            Self::Extended(_) => 10,
            Self::Proprietary { sub_class, .. } => sub_class.0,
        }
    }

    /// The limit that it sets, if it sets one.
    pub const fn limit(&self) -> Option<PowerLimit> {
        match self {
            Self::SetMaximumPowerLimit(limit) | Self::SetMaximumPhasePowerUnbalanceLimit(limit) => {
                Some(*limit)
            }
            _ => None,
        }
    }

    /// The sixteen bits of the value.
    pub const fn bits(&self) -> u16 {
        match self {
            Self::SetMaximumPowerLimit(limit) | Self::SetMaximumPhasePowerUnbalanceLimit(limit) => {
                limit.bits()
            }
            Self::ClearCredit(register) => register.bits(),
            Self::SetTariffRate(value)
            | Self::SetWaterMeterFactor(value)
            | Self::Proprietary { value, .. } => *value,
            Self::ClearTamperCondition => 0,
            Self::Extended(value) => value.bits(),
        }
    }
}

impl Instruction {
    /// The class.
    pub const fn class(&self) -> Class {
        match self {
            Self::Credit { .. } | Self::CurrencyCredit { .. } => Class::Credit,
            Self::Test(_) | Self::ExtendedRead { .. } => Class::Display,
            Self::Management(_) => Class::Management,
        }
    }

    /// The sub-class.
    pub const fn sub_class(&self) -> u8 {
        match self {
            Self::Credit { service, .. } => service.index(),
            Self::CurrencyCredit { service, .. } => 4 + service.index(),
            Self::Test(test) => test.sub_class,
            Self::ExtendedRead { .. } => 2,
            Self::Management(function) => function.sub_class(),
        }
    }

    /// The name of the token in the standard.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Credit { .. } => "TransferCredit",
            Self::CurrencyCredit { .. } => "TransferCredit, currency",
            Self::Test(_) => "InitiateMeterTest/Display",
            Self::ExtendedRead { .. } => "InitiateMeterTest/Display, extended",
            Self::Management(function) => match function {
                ManagementFunction::SetMaximumPowerLimit(_) => "SetMaximumPowerLimit",
                ManagementFunction::ClearCredit(_) => "ClearCredit",
                ManagementFunction::SetTariffRate(_) => "SetTariffRate",
                ManagementFunction::ClearTamperCondition => "ClearTamperCondition",
                ManagementFunction::SetMaximumPhasePowerUnbalanceLimit(_) => {
                    "SetMaximumPhasePowerUnbalanceLimit"
                }
                ManagementFunction::SetWaterMeterFactor(_) => "SetWaterMeterFactor",
                ManagementFunction::Extended(_) => "extended token set",
                ManagementFunction::Proprietary { .. } => "proprietary management",
            },
        }
    }
}

impl fmt::Display for MeterTestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SubClass { found } => write!(f, "sub-class {found} is not one for this token"),
            Self::ManufacturerCode { sub_class, found } => {
                let expected = match sub_class {
                    1 => "four digits",
                    6..=10 => "four digits from 0100 to 9999",
                    _ => "two digits",
                };
                write!(
                    f,
                    "manufacturer code does not suit sub-class {sub_class}: expected {expected}, found {found}"
                )
            }
            Self::Control(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for MeterTestError {}
