//! Converts a meter's answer to a token into a record, with numbers as decimal texts.
//!
//! - Elsewhere: the records (`answer.rs`), what a test shows (`prepay_meter::DisplayProgramme`).

use prepay_meter::{DisplayItem, Effect, Outcome, Register, RegisterValue};
use prepay_records::{Named as _, TokenKind, decimal};
use prepay_token::key_change::Rollover;

use super::answer::{Entered, Executed};
use super::virtual_meter::VirtualMeter;

impl VirtualMeter {
    /// The record of a meter's answer.
    pub(super) fn entered(&self, outcome: Outcome) -> Entered {
        let mut done = Executed::default();
        match outcome {
            Outcome::Accepted(effect) => self.describe(effect, &mut done),
            Outcome::Waiting { waiting_for, .. } => {
                done.waiting_for = Some(waiting_for.iter().collect());
            }
            Outcome::Refused(_) => {}
        }
        Entered { result: outcome.result(), done }
    }

    fn describe(&self, effect: Effect, done: &mut Executed) {
        done.kind = Some(match effect {
            Effect::Credited { service, tenths, .. } => {
                done.service = Some(service.name());
                done.amount = Some(decimal::print(tenths.into(), 1));
                done.unit = service.unit();
                TokenKind::Credit.name()
            }
            Effect::CurrencyCredited { service, hundred_thousandths, .. } => {
                done.service = Some(service.name());
                done.amount = Some(decimal::print(hundred_thousandths, 5));
                done.unit = "currency units";
                TokenKind::CurrencyCredit.name()
            }
            Effect::Display(programme) => {
                let is_read = programme.is_extended_read();
                done.test = (!is_read).then(|| programme.tests().collect());
                let items = self.engine.items(programme);
                done.display = Some(items.map(|item| self.shown(item)).collect());
                if is_read { TokenKind::ExtendedRead.name() } else { TokenKind::Test.name() }
            }
            Effect::PowerLimit { watts } => {
                done.watts = Some(watts);
                TokenKind::SetMaximumPowerLimit.name()
            }
            Effect::PhaseUnbalanceLimit { watts } => {
                done.watts = Some(watts);
                TokenKind::SetMaximumPhasePowerUnbalanceLimit.name()
            }
            Effect::CreditCleared(register) => {
                done.register = Some(register.bits());
                TokenKind::ClearCredit.name()
            }
            Effect::TariffRate(rate) => {
                done.rate = Some(rate);
                TokenKind::SetTariffRate.name()
            }
            Effect::WaterFactor(factor) => {
                done.factor = Some(factor);
                TokenKind::SetWaterMeterFactor.name()
            }
            Effect::TamperCleared => TokenKind::ClearTamperCondition.name(),
            Effect::Flag { index, on } => {
                (done.flag, done.on) = (Some(index), Some(on));
                TokenKind::Extended.name()
            }
            Effect::Control { index, value } => {
                (done.index, done.value) = (Some(index), Some(value));
                TokenKind::Extended.name()
            }
            Effect::KeyChanged(rollover) => {
                done.rollover = Some(rollover == Rollover::Forget);
                "key_change"
            }
            // Virtual meters have no proprietary tokens.
            _ => TokenKind::Proprietary.name(),
        });
    }

    /// An item of a test as a text.
    fn shown(&self, item: DisplayItem) -> String {
        let register = match item {
            DisplayItem::TestLoadSwitch => return "load switch test".to_owned(),
            DisplayItem::TestDisplay => return "display test".to_owned(),
            DisplayItem::TestTokenInput => return "token input test".to_owned(),
            DisplayItem::Show(register) => register,
            _ => return String::new(),
        };
        let (name, unit) = match (register.row(), register) {
            (Some(row), _) => (row.name.to_owned(), row.unit),
            (None, Register::Flag(index)) => (format!("flag {index}"), ""),
            (None, Register::Control(index)) => (format!("control {index}"), ""),
            (None, _) => (String::new(), ""),
        };
        let (places, unit) = match unit.split_once(' ') {
            Some(("0.01", unit)) => (2, unit),
            Some(("10^-5", unit)) => (5, unit),
            _ => (0, unit),
        };
        let value = match self.engine.register(register, self.clock_s) {
            RegisterValue::Number(number) => decimal::print(number, places),
            RegisterValue::MeterNumber(number) => number.to_string(),
            RegisterValue::Text(text) => text.to_owned(),
            RegisterValue::Key(revision, key_type) => {
                let revision = revision.map_or(0, |revision| revision.value());
                format!("{revision} {}", key_type.value())
            }
            RegisterValue::SupplyGroup(group) => group.to_string(),
            RegisterValue::Switch(switch) => switch.to_string(),
            RegisterValue::Result(result) => result.to_string(),
            _ => return format!("{name} -"),
        };
        format!("{name} {value} {unit}").trim_end().to_owned()
    }
}
