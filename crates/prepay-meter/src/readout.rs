//! The values of registers, and the items of a display programme, for one meter.
//!
//! - Units and rounding: as the table of [`Register`] says.
//! - Elsewhere: the table (`register.rs`), the programmes (`display.rs`).

use prepay_token::element::Service;

use crate::credit::{CreditForm, GRAINS_PER_UNIT};
use crate::display::{DisplayItem, DisplayProgramme};
use crate::meter::Meter;
use crate::register::{Register, RegisterValue};
use crate::state::LastAmount;

impl<const TIDS: usize, const FLAGS: usize, const CONTROLS: usize> Meter<TIDS, FLAGS, CONTROLS> {
    /// What a programme tells this meter to do and to show.
    pub fn items(&self, programme: DisplayProgramme) -> impl Iterator<Item = DisplayItem> {
        programme.items(&self.profile, FLAGS as u16, CONTROLS as u8)
    }

    /// The value of a register.
    pub fn register(&self, register: Register, now_s: u64) -> RegisterValue {
        let (state, profile) = (&self.state, &self.profile);
        let number =
            |value: Option<i128>| value.map_or(RegisterValue::Absent, RegisterValue::Number);
        let of = |service: Service, value: i128| {
            number(profile.services.contains(service).then_some(value))
        };
        match register {
            Register::MeterNumber => RegisterValue::MeterNumber(state.pan.drn()),
            Register::Power => number(Some(self.power_watts.into())),
            Register::Credit(service) => match profile.credit {
                CreditForm::Units => of(service, state.credit(service).hundredths().into()),
                CreditForm::Currency => RegisterValue::Absent,
            },
            Register::CurrencyCredit(service) => match profile.credit {
                CreditForm::Units => RegisterValue::Absent,
                CreditForm::Currency => of(service, state.credit(service).money()),
            },
            Register::LowCreditThreshold => {
                number(profile.policy.low_credit.map(|level| match profile.credit {
                    CreditForm::Units => level.tenths.into(),
                    CreditForm::Currency => level.hundred_thousandths.into(),
                }))
            }
            Register::SoftwareVersion => RegisterValue::Text(profile.software_version),
            Register::LastCreditIdentifier => {
                number(state.last_credit.map(|last| last.identifier.value().into()))
            }
            Register::LastCreditAmount => number(state.last_credit.map(|last| match last.amount {
                LastAmount::Units(amount) => amount.tenths().into(),
                LastAmount::Currency(amount) => amount.hundred_thousandths(),
            })),
            Register::KeyRevisionAndType => RegisterValue::Key(state.key_revision, state.key_type),
            Register::TariffIndex => number(Some(state.tariff_index.value().into())),
            Register::SupplyGroup => {
                state.supply_group.map_or(RegisterValue::Absent, RegisterValue::SupplyGroup)
            }
            Register::Total(service) => {
                let grains_a_hundredth = GRAINS_PER_UNIT as u64 / 100;
                of(service, (state.credit(service).used_grains() / grains_a_hundredth).into())
            }
            Register::TokenResult => {
                self.last_result().map_or(RegisterValue::Absent, RegisterValue::Result)
            }
            Register::KeyExpiry => number(Some(state.expiry.value().into())),
            Register::Algorithm => number(Some(state.algorithm().code().into())),
            Register::KeyChangeTokens => number(Some(profile.set_size.count().into())),
            Register::MaximumPowerLimit => number(state.power_limit_watts.map(i128::from)),
            Register::PhaseUnbalanceLimit => number(state.unbalance_limit_watts.map(i128::from)),
            Register::TariffRate => number(state.tariff_rate.map(i128::from)),
            Register::WaterFactor => number(state.water_factor.map(i128::from)),
            Register::Tamper => number(Some(state.tamper.into())),
            Register::Switch(service) => match profile.services.contains(service) {
                true => RegisterValue::Switch(self.switch(service)),
                false => RegisterValue::Absent,
            },
            Register::LockoutRemaining => number(Some(self.lockout_seconds(now_s).into())),
            Register::Flag(index) => number(state.extended.flag(index).map(i128::from)),
            Register::Control(index) => number(state.extended.control(index).map(i128::from)),
        }
    }
}
