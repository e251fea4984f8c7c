//! The registers of a meter that may be read: one table for display, keypad and every port.
//!
//! The companion specification that numbers registers (STS 201-1) is not public. The numbers here are this
//! project's own; below 400 they follow what makers publish, so that a person who knows one meter finds the
//! same register here. Nothing is written through this table: values change by tokens alone. Keys are not
//! registers.
//!
//! - Units: as the table says. Credit in hundredths of a unit, rounded down.
//! - Source: published information registers of two makers; otherwise this project's own.

use prepay_token::element::{
    DecoderReferenceNumber, KeyRevisionNumber, KeyType, Service, SupplyGroupCode,
};

use crate::result::TokenResult;
use crate::switch::Switch;

/// A register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Register {
    /// The meter's number.
    MeterNumber,
    /// The instantaneous load.
    Power,
    /// The unit credit of a service.
    Credit(Service),
    /// The money for a service.
    CurrencyCredit(Service),
    /// The credit level at which the meter warns.
    LowCreditThreshold,
    /// The version of the firmware.
    SoftwareVersion,
    /// The identifier of the last credit token.
    LastCreditIdentifier,
    /// What the last credit token carried.
    LastCreditAmount,
    /// The revision and the type of the key.
    KeyRevisionAndType,
    /// The tariff index.
    TariffIndex,
    /// The supply group.
    SupplyGroup,
    /// The total consumption of a service.
    Total(Service),
    /// The result of the last token.
    TokenResult,
    /// The expiry number of the key.
    KeyExpiry,
    /// The code of the encryption algorithm.
    Algorithm,
    /// The largest set of key change tokens that the meter accepts.
    KeyChangeTokens,
    /// The maximum power limit.
    MaximumPowerLimit,
    /// The maximum phase power unbalance limit.
    PhaseUnbalanceLimit,
    /// The tariff rate.
    TariffRate,
    /// The water meter factor.
    WaterFactor,
    /// Whether the meter was tampered with.
    Tamper,
    /// The switch of a service, with the reason why it is open.
    Switch(Service),
    /// How long a lockout still lasts.
    LockoutRemaining,
    /// A flag of the extended token set.
    Flag(u16),
    /// A control of the extended token set.
    Control(u8),
}

/// What a register holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegisterValue {
    /// The meter lacks it, or nothing has set it yet.
    Absent,
    /// A number, in the unit of the table.
    Number(i128),
    /// A meter number.
    MeterNumber(DecoderReferenceNumber),
    /// A text.
    Text(&'static str),
    /// A key revision, none for an initialization key, and a key type.
    Key(Option<KeyRevisionNumber>, KeyType),
    /// A supply group.
    SupplyGroup(SupplyGroupCode),
    /// A switch.
    Switch(Switch),
    /// A result of a token.
    Result(TokenResult),
}

/// One line of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisterRow {
    /// The number in this project.
    pub number: u16,
    /// The register.
    pub register: Register,
    /// Its name.
    pub name: &'static str,
    /// The unit of its number; empty when it has none.
    pub unit: &'static str,
}

/// Every register with a number. Flags and controls have none: they are read by their index.
pub const REGISTERS: [RegisterRow; 35] = {
    use Service::{Electricity, Gas, Time, Water};
    [
        row(0, Register::MeterNumber, "meter number", ""),
        row(1, Register::Power, "power", "W"),
        row(2, Register::Credit(Electricity), "electricity credit", "0.01 kWh"),
        row(12, Register::LowCreditThreshold, "low credit threshold", "0.1 unit or 10^-5 currency"),
        row(48, Register::SoftwareVersion, "software version", ""),
        row(55, Register::LastCreditIdentifier, "last credit identifier", "min"),
        row(56, Register::LastCreditAmount, "last credit", "0.1 unit or 10^-5 currency"),
        row(57, Register::KeyRevisionAndType, "key revision and type", ""),
        row(58, Register::TariffIndex, "tariff index", ""),
        row(60, Register::SupplyGroup, "supply group", ""),
        row(61, Register::Total(Electricity), "electricity total", "0.01 kWh"),
        row(78, Register::TokenResult, "token result", ""),
        row(401, Register::Credit(Water), "water credit", "0.01 m3"),
        row(402, Register::Credit(Gas), "gas credit", "0.01 m3"),
        row(403, Register::Credit(Time), "time credit", "0.01 min"),
        row(410, Register::CurrencyCredit(Electricity), "electricity money", "10^-5 currency"),
        row(411, Register::CurrencyCredit(Water), "water money", "10^-5 currency"),
        row(412, Register::CurrencyCredit(Gas), "gas money", "10^-5 currency"),
        row(413, Register::CurrencyCredit(Time), "time money", "10^-5 currency"),
        row(421, Register::Total(Water), "water total", "0.01 m3"),
        row(422, Register::Total(Gas), "gas total", "0.01 m3"),
        row(423, Register::Total(Time), "time total", "0.01 min"),
        row(430, Register::KeyExpiry, "key expiry number", ""),
        row(431, Register::Algorithm, "encryption algorithm", ""),
        row(432, Register::KeyChangeTokens, "key change tokens", ""),
        row(433, Register::MaximumPowerLimit, "maximum power limit", "W"),
        row(434, Register::PhaseUnbalanceLimit, "phase unbalance limit", "W"),
        row(435, Register::TariffRate, "tariff rate", ""),
        row(436, Register::WaterFactor, "water meter factor", ""),
        row(437, Register::Tamper, "tamper", ""),
        row(440, Register::Switch(Electricity), "electricity switch", ""),
        row(441, Register::Switch(Water), "water valve", ""),
        row(442, Register::Switch(Gas), "gas valve", ""),
        row(443, Register::Switch(Time), "time switch", ""),
        row(450, Register::LockoutRemaining, "lockout", "s"),
    ]
};

impl Register {
    /// The register with a number.
    pub fn with_number(number: u16) -> Option<Self> {
        let place = REGISTERS.binary_search_by_key(&number, |row| row.number).ok()?;
        Some(REGISTERS[place].register)
    }

    /// Its line of the table; flags and controls have none.
    pub fn row(self) -> Option<&'static RegisterRow> {
        const TABLE: &[RegisterRow] = &REGISTERS;
        TABLE.iter().find(|row| row.register == self)
    }
}

const fn row(
    number: u16,
    register: Register,
    name: &'static str,
    unit: &'static str,
) -> RegisterRow {
    RegisterRow { number, register, name, unit }
}

#[cfg(test)]
mod tests {
    use super::{REGISTERS, Register};

    #[test]
    fn numbers_ascend_and_each_register_has_one() {
        assert!(REGISTERS.is_sorted_by(|a, b| a.number < b.number));
        for line in REGISTERS {
            assert_eq!(Register::with_number(line.number), Some(line.register), "{}", line.name);
            assert_eq!(line.register.row(), Some(&line), "{}", line.name);
        }
        assert_eq!(Register::with_number(3), None);
        assert_eq!(Register::Flag(0).row(), None);
    }
}
