//! What a token is to do, as flags: shared by `lab issue` and `module issue`.

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use prepay_records::{Choice, Scalar, TokenKind, TokenRecord};

/// The values that some kinds of token take.
#[derive(Args)]
pub(crate) struct FunctionFlags {
    /// The sub-class, where the type does not say it.
    #[arg(long)]
    sub_class: Option<u32>,
    /// A limit in watts.
    #[arg(long)]
    watts: Option<u32>,
    /// The tariff rate, 0 to 65535.
    #[arg(long)]
    rate: Option<u32>,
    /// The water meter factor, 0 to 65535.
    #[arg(long)]
    factor: Option<u32>,
    /// The index of an extended value, 0 to 63.
    #[arg(long)]
    index: Option<u32>,
    /// The value of an extended or proprietary token.
    #[arg(long)]
    value: Option<u32>,
}

impl FunctionFlags {
    /// The record of a token of this kind with these values.
    pub(crate) fn record<'a>(&self, kind: TokenKind) -> TokenRecord<'a> {
        let number = |number: Option<u32>| number.map(Scalar::from);
        TokenRecord {
            kind: Some(Choice::Known(kind)),
            sub_class: number(self.sub_class),
            watts: number(self.watts),
            rate: number(self.rate),
            factor: number(self.factor),
            index: number(self.index),
            value: number(self.value),
            ..TokenRecord::default()
        }
    }
}

/// Reads one of these kinds of token by its name on the command line.
pub(crate) fn kind(kinds: &'static [TokenKind]) -> impl TypedValueParser<Value = TokenKind> {
    let names = kinds.iter().map(|&kind| {
        let (name, help) = described(kind);
        PossibleValue::new(name).help(help)
    });
    PossibleValuesParser::new(names).map(|name| {
        let found = kinds.iter().find(|&&kind| described(kind).0 == name);
        *found.expect("the parser takes these names only")
    })
}

/// The name of a kind on the command line, and its help.
const fn described(kind: TokenKind) -> (&'static str, &'static str) {
    match kind {
        TokenKind::Credit => ("credit", "Credit in units: --service, --amount"),
        TokenKind::CurrencyCredit => ("currency-credit", "Credit in money: --service, --amount"),
        TokenKind::Test => {
            ("test", "Test or display: --test or --control, --mfr-code, --sub-class")
        }
        TokenKind::SetMaximumPowerLimit => {
            ("set-maximum-power-limit", "Set the maximum power limit: --watts")
        }
        TokenKind::ClearCredit => ("clear-credit", "Clear the credit of a register, or of all"),
        TokenKind::SetTariffRate => ("set-tariff-rate", "Set the tariff rate: --rate"),
        TokenKind::ClearTamperCondition => ("clear-tamper-condition", "Clear the tamper condition"),
        TokenKind::SetMaximumPhasePowerUnbalanceLimit => (
            "set-maximum-phase-power-unbalance-limit",
            "Set the maximum phase power unbalance limit: --watts",
        ),
        TokenKind::SetWaterMeterFactor => {
            ("set-water-meter-factor", "Set the water meter factor: --factor")
        }
        TokenKind::Extended => ("extended", "Set an extended flag or control: --index, --value"),
        TokenKind::ExtendedRead => {
            ("extended-read", "Read an extended flag or control: --index, --mfr-code")
        }
        TokenKind::Proprietary => {
            ("proprietary", "A maker's own management token: --sub-class, --value")
        }
    }
}
