//! What a meter answered to a token, as a record; numbers as decimal texts.
//!
//! - Elsewhere: the records (`answer.rs`), what a test shows (`prepay_meter::DisplayProgramme`).

use prepay_meter::{DisplayItem, Effect, Outcome, Register, RegisterValue};
use prepay_token::key_change::Rollover;

use super::answer::Entered;
use super::virtual_meter::VirtualMeter;

impl VirtualMeter {
    /// The record of what the meter answered.
    pub(super) fn entered(&self, outcome: Outcome) -> Entered {
        let result = outcome.result();
        let mut entered =
            Entered { result: result.name(), code: result.code(), ..Entered::default() };
        match outcome {
            Outcome::Accepted(effect) => self.describe(effect, &mut entered),
            Outcome::Waiting { waiting_for, .. } => {
                entered.waiting_for = Some(waiting_for.iter().collect());
            }
            Outcome::Refused(_) => {}
        }
        entered
    }

    fn describe(&self, effect: Effect, entered: &mut Entered) {
        entered.kind = Some(match effect {
            Effect::Credited { service, tenths, .. } => {
                entered.service = Some(service.name());
                entered.amount = Some(decimal(tenths.into(), 1));
                "credit"
            }
            Effect::CurrencyCredited { service, hundred_thousandths, .. } => {
                entered.service = Some(service.name());
                entered.amount = Some(decimal(hundred_thousandths, 5));
                "currency_credit"
            }
            Effect::Display(programme) => {
                let is_read = programme.is_extended_read();
                entered.test = (!is_read).then(|| programme.tests().collect());
                let items = self.engine.items(programme);
                entered.display = Some(items.map(|item| self.shown(item)).collect());
                if is_read { "extended_read" } else { "test" }
            }
            Effect::PowerLimit { watts } => {
                entered.watts = Some(watts);
                "set_maximum_power_limit"
            }
            Effect::PhaseUnbalanceLimit { watts } => {
                entered.watts = Some(watts);
                "set_maximum_phase_power_unbalance_limit"
            }
            Effect::CreditCleared(register) => {
                entered.register = Some(register.bits());
                "clear_credit"
            }
            Effect::TariffRate(rate) => {
                entered.rate = Some(rate);
                "set_tariff_rate"
            }
            Effect::WaterFactor(factor) => {
                entered.factor = Some(factor);
                "set_water_meter_factor"
            }
            Effect::TamperCleared => "clear_tamper_condition",
            Effect::Flag { index, on } => {
                (entered.flag, entered.on) = (Some(index), Some(on));
                "extended"
            }
            Effect::Control { index, value } => {
                (entered.index, entered.value) = (Some(index), Some(value));
                "extended"
            }
            Effect::KeyChanged(rollover) => {
                entered.rollover = Some(rollover == Rollover::Forget);
                "key_change"
            }
            // The maker of a virtual meter has no tokens of its own.
            _ => "proprietary",
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
            RegisterValue::Number(number) => decimal(number, places),
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

/// A number counted in units of 10 to the power −`places`, without closing zeros.
pub(super) fn decimal(value: i128, places: usize) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = places + 1);
    let (whole, part) = digits.split_at(digits.len() - places);
    match part.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        part => format!("{sign}{whole}.{part}"),
    }
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn decimals_are_trimmed() {
        for (value, places, text) in [
            (0, 5, "0"),
            (256, 1, "25.6"),
            (10, 1, "1"),
            (-1, 5, "-0.00001"),
            (-123_450, 5, "-1.2345"),
            (7, 0, "7"),
        ] {
            assert_eq!(decimal(value, places), text);
        }
    }
}
