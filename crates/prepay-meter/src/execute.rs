//! What an accepted token changes in the state.
//!
//! It works on a copy: the caller commits the copy before it replaces the state. Key change sections and tests
//! change nothing here.
//!
//! - Source: IEC 62055-41:2018, meter functions and TokenCancellation.

use prepay_token::element::{ExtendedTarget, RegisterToClear, Service};
use prepay_token::key_change::{AssembledKey, Rollover};
use prepay_token::{ManagementFunction, Token};

use crate::check::Approved;
use crate::outcome::Effect;
use crate::profile::Profile;
use crate::state::{LastAmount, LastCredit, MeterState};

impl<const TIDS: usize, const FLAGS: usize, const CONTROLS: usize>
    MeterState<TIDS, FLAGS, CONTROLS>
{
    /// Executes a credit or management token that passed every check, and cancels its identifier.
    ///
    /// Nothing when the token is of another kind.
    pub(crate) fn execute(&mut self, approved: &Approved, profile: &Profile) -> Option<Effect> {
        let policy = &profile.policy;
        let effect = match approved.token {
            Token::Credit { service, identifier, amount, .. } => {
                let tenths = amount.tenths();
                let register = &mut self.credit[usize::from(service.index())];
                register.add_units(tenths, policy.unit_capacity_tenths).ok()?;
                self.note_credit(LastCredit {
                    identifier,
                    service,
                    amount: LastAmount::Units(amount),
                });
                Effect::Credited { service, identifier, tenths }
            }
            Token::CurrencyCredit { service, identifier, amount } => {
                let hundred_thousandths = amount.hundred_thousandths();
                let register = &mut self.credit[usize::from(service.index())];
                let (capacity, debt) = (policy.currency_capacity, policy.currency_debt);
                register.add_money(hundred_thousandths, capacity, debt).ok()?;
                self.note_credit(LastCredit {
                    identifier,
                    service,
                    amount: LastAmount::Currency(amount),
                });
                Effect::CurrencyCredited { service, identifier, hundred_thousandths }
            }
            Token::Management { function, .. } => self.manage(function)?,
            _ => return None,
        };
        self.maker = approved.maker;
        self.identifiers.remember(approved.token.identifier()?);
        self.end_waiting();
        Some(effect)
    }

    /// Installs a new key with its attributes.
    pub(crate) fn change_key(&mut self, assembled: AssembledKey) -> Effect {
        let AssembledKey { new, rollover } = assembled;
        self.replace_key(new);
        if rollover == Rollover::Forget {
            self.identifiers.forget();
        }
        self.end_waiting();
        Effect::KeyChanged(rollover)
    }

    /// Any token under the key of the meter ends a lockout and closes a switch that waits for one.
    fn end_waiting(&mut self) {
        self.failures = 0;
        self.waits_for_token = None;
    }

    /// Remembers the last credit. Once the register is above zero, emergency credit has ended.
    fn note_credit(&mut self, last: LastCredit) {
        self.last_credit = Some(last);
        let register = &self.credit[usize::from(last.service.index())];
        let is_positive = match last.amount {
            LastAmount::Units(_) => register.grains > 0,
            LastAmount::Currency(_) => register.money > 0,
        };
        if is_positive {
            self.emergency &= !(1 << last.service.index());
        }
    }

    fn manage(&mut self, function: ManagementFunction) -> Option<Effect> {
        Some(match function {
            ManagementFunction::SetMaximumPowerLimit(limit) => {
                self.power_limit_watts = Some(limit.watts());
                Effect::PowerLimit { watts: limit.watts() }
            }
            ManagementFunction::SetMaximumPhasePowerUnbalanceLimit(limit) => {
                self.unbalance_limit_watts = Some(limit.watts());
                Effect::PhaseUnbalanceLimit { watts: limit.watts() }
            }
            ManagementFunction::ClearCredit(register) => {
                self.clear_credit(register);
                Effect::CreditCleared(register)
            }
            ManagementFunction::SetTariffRate(rate) => {
                self.tariff_rate = Some(rate);
                Effect::TariffRate(rate)
            }
            ManagementFunction::SetWaterMeterFactor(factor) => {
                self.water_factor = Some(factor);
                Effect::WaterFactor(factor)
            }
            ManagementFunction::ClearTamperCondition => {
                self.tamper = false;
                Effect::TamperCleared
            }
            ManagementFunction::Extended(value) => match value.target() {
                ExtendedTarget::Flag { index, on } => {
                    self.extended.put_flag(index, Some(on));
                    Effect::Flag { index, on }
                }
                ExtendedTarget::Control { index, value } => {
                    self.extended.put_control(index, Some(value));
                    Effect::Control { index, value }
                }
            },
            ManagementFunction::Proprietary { sub_class, value } => {
                Effect::Proprietary { sub_class, value }
            }
            _ => return None,
        })
    }

    /// Clears the credit. It also ends emergency credit, so that the switch opens.
    fn clear_credit(&mut self, register: RegisterToClear) {
        for service in Service::ALL {
            let cleared = &mut self.credit[usize::from(service.index())];
            let is_all = register == RegisterToClear::All;
            if is_all || register == RegisterToClear::Units(service) {
                cleared.grains = 0;
            }
            if is_all || register == RegisterToClear::Currency(service) {
                (cleared.money, cleared.remainder) = (0, 0);
            }
            let is_named = matches!(
                register,
                RegisterToClear::Units(named) | RegisterToClear::Currency(named) if named == service
            );
            if is_all || is_named {
                self.emergency &= !(1 << service.index());
            }
        }
    }
}
