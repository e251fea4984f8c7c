//! What a display shows at one moment, and how registers and amounts look on it.
//!
//! - Units: beside the text, as an icon ([`Unit`]). Credit and totals in hundredths of the service unit, as
//!   the register has them, rounded down; amounts of tokens in tenths; money with two to five decimals,
//!   none lost.
//! - Source: this project's own.

use core::fmt::{self, Write as _};

use prepay_token::element::Service;

use crate::credit::CreditForm;
use crate::display::DisplayItem;
use crate::keypad::text::Text;
use crate::meter::Meter;
use crate::register::{Register, RegisterValue};
use crate::result::TokenResult;
use crate::state::LastAmount;

/// What a display shows at one moment.
///
/// As text it is what it shows with the unit behind it: `25.6 kWh`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Screen {
    /// What it is about.
    pub subject: Subject,
    /// The text, which may be longer than the display: see [`Text::window`].
    pub text: Text,
    /// The icon of the unit.
    pub unit: Unit,
}

/// What a screen is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Subject {
    /// Nobody is using the keypad: the credit of the first service.
    Idle(Register),
    /// What is being typed.
    Entry {
        /// The counter: how many digits there are.
        digits: u8,
    },
    /// The result of a token.
    Result(TokenResult),
    /// What the token added.
    Credited(Service),
    /// A register that a code or a token asked for.
    Register(Register),
    /// A test that a token asked for.
    Test(DisplayItem),
    /// A code that is unknown, or that the meter cannot serve.
    CodeRefused,
    /// The storage failed: the token was not accepted, and may be typed again.
    Fault,
}

/// The icon of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit {
    /// No icon.
    None,
    /// The unit of a service: kWh, m³, minutes.
    Of(Service),
    /// Watts.
    Watt,
    /// Seconds.
    Second,
    /// Minutes.
    Minute,
    /// The base currency, which the meter does not know by name.
    Currency,
}

/// Shown for a value that the meter lacks or that nothing has set.
const ABSENT: &str = "------";

impl Unit {
    /// The icon as text; empty without one, and for the currency.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None | Self::Currency => "",
            Self::Of(service) => service.unit(),
            Self::Watt => "W",
            Self::Second => "s",
            Self::Minute => "min",
        }
    }
}

impl Screen {
    /// A word without a unit.
    pub(super) fn word(subject: Subject, word: &str) -> Self {
        Self { subject, text: Text::of(word), unit: Unit::None }
    }

    /// Units that a token added.
    pub(super) fn units(service: Service, tenths: u32) -> Self {
        let text = decimal(tenths.into(), 1);
        Self { subject: Subject::Credited(service), text, unit: Unit::Of(service) }
    }

    /// Money that a token added.
    pub(super) fn money(service: Service, hundred_thousandths: i128) -> Self {
        let text = decimal(hundred_thousandths, 5);
        Self { subject: Subject::Credited(service), text, unit: Unit::Currency }
    }

    /// A test.
    pub(super) fn test(item: DisplayItem) -> Self {
        let word = match item {
            DisplayItem::TestLoadSwitch => "test sw",
            DisplayItem::TestDisplay => "88888888",
            DisplayItem::TestTokenInput => "test in",
            DisplayItem::Show(_) => ABSENT,
        };
        Self::word(Subject::Test(item), word)
    }

    /// A register of a meter.
    pub(super) fn register<const TIDS: usize, const FLAGS: usize, const CONTROLS: usize>(
        subject: Subject,
        register: Register,
        meter: &Meter<TIDS, FLAGS, CONTROLS>,
        now_s: u64,
    ) -> Self {
        let (places, unit) = match register {
            Register::Power | Register::MaximumPowerLimit | Register::PhaseUnbalanceLimit => {
                (0, Unit::Watt)
            }
            Register::Credit(service) | Register::Total(service) => (2, Unit::Of(service)),
            Register::CurrencyCredit(_) => (5, Unit::Currency),
            Register::LowCreditThreshold => match meter.profile().credit {
                CreditForm::Units => (1, Unit::None),
                CreditForm::Currency => (5, Unit::Currency),
            },
            Register::LastCreditAmount => match meter.state().last_credit() {
                Some(last) => match last.amount {
                    LastAmount::Units(_) => (1, Unit::Of(last.service)),
                    LastAmount::Currency(_) => (5, Unit::Currency),
                },
                None => (0, Unit::None),
            },
            Register::LastCreditIdentifier => (0, Unit::Minute),
            Register::LockoutRemaining => (0, Unit::Second),
            _ => (0, Unit::None),
        };
        let has_two_digits = matches!(register, Register::TariffIndex | Register::Algorithm);
        let text = match meter.register(register, now_s) {
            RegisterValue::Absent => return Self::word(subject, ABSENT),
            RegisterValue::Number(value) if has_two_digits => Text::of(format_args!("{value:02}")),
            RegisterValue::Number(value) => decimal(value, places),
            RegisterValue::MeterNumber(number) => Text::of(number),
            RegisterValue::Text(text) => Text::of(text),
            RegisterValue::Key(Some(revision), kind) => {
                Text::of(format_args!("{revision} {}", kind.value()))
            }
            RegisterValue::Key(None, kind) => Text::of(format_args!("- {}", kind.value())),
            RegisterValue::SupplyGroup(group) => Text::of(group),
            RegisterValue::Switch(switch) => Text::of(switch),
            RegisterValue::Result(result) => Text::of(format_args!("{:02}", result.code())),
        };
        Self { subject, text, unit }
    }

    /// The digit counter, while somebody types.
    pub const fn counter(&self) -> Option<u8> {
        match self.subject {
            Subject::Entry { digits } => Some(digits),
            _ => None,
        }
    }
}

impl fmt::Display for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text.as_str())?;
        match self.unit.name() {
            "" => Ok(()),
            unit => write!(f, " {unit}"),
        }
    }
}

/// A number with so many decimals; beyond two, zeros at the end are left out.
fn decimal(value: i128, places: usize) -> Text {
    let one = 10_u128.pow(places as u32);
    let magnitude = value.unsigned_abs();
    let (mut fraction, mut shown) = (magnitude % one, places);
    while shown > 2 && fraction % 10 == 0 {
        fraction /= 10;
        shown -= 1;
    }
    let mut text = Text::EMPTY;
    let sign = if value < 0 { "-" } else { "" };
    let _ = write!(text, "{sign}{}", magnitude / one);
    if shown > 0 {
        let _ = write!(text, ".{fraction:0shown$}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Text, decimal};

    #[test]
    fn a_number_keeps_its_sign_and_its_decimals() {
        for (value, places, shown) in [
            (0, 0, "0"),
            (0, 2, "0.00"),
            (256, 1, "25.6"),
            (-5, 2, "-0.05"),
            (123_456, 5, "1.23456"),
            (150_000, 5, "1.50"),
            (-100_010, 5, "-1.0001"),
            (i128::MIN, 5, "-1701411834604692317316873037158841.05728"),
        ] {
            let text = decimal(value, places);
            assert_eq!(text.as_str(), shown, "{value} {places}");
            assert!(shown.len() < Text::CAPACITY);
        }
    }
}
