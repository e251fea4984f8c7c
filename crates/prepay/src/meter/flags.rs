//! The commands and flags of `prepay meter`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueHint};
use prepay_lab::Request;
use prepay_lab::meter::{MeterRequest, Meters, read_codes, read_words};
use prepay_meter::keypad::{CODES_PROJECT, WORDS_PROJECT};
use prepay_records::element::Field;
use prepay_records::json::Texts;
use prepay_records::pasted::tokens;
use prepay_records::{Raw, Scalar};
use prepay_token::TokenData;
use serde_json::value::RawValue;

use crate::failure::{Done, Failure};
use crate::file;
use crate::lab::command::KeyFlags;
use crate::lab::flags::{in_flags, keyed, number, option};
use crate::lab::print::remark;

/// Virtual meters.
#[derive(Subcommand)]
pub(crate) enum MeterCommand {
    /// Make a meter with a TEST key, in a new file.
    ///
    /// Example: prepay meter new --file m.meter --pan 600727000000000009 --vending-key abababababababab
    /// --sgc 123456
    New(Box<NewFlags>),
    /// Enter a token. Exit status 3 if the meter refuses it.
    Enter(EnterFlags),
    /// Show everything about a meter except its key, as it was stored last.
    ///
    /// It changes nothing, and does not wait for a program that uses the meter.
    Show {
        /// The file of the meter.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Let time pass under a load.
    Consume(ConsumeFlags),
    /// Simulate tampering with a meter.
    Tamper {
        /// The file of the meter.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Run a meter on the screen: display, keypad, switch, load and clock. Needs a terminal.
    Run {
        /// The file of the meter [default: a demonstration meter under a TEST key, in memory].
        #[arg(value_hint = ValueHint::FilePath)]
        file: Option<PathBuf>,
        #[command(flatten)]
        keypad: KeypadFlags,
    },
    /// Run many meters under TEST keys in one process, for load tests.
    Fleet(super::fleet::FleetFlags),
    /// Drive any number of meters by requests, one JSON object per line.
    Script {
        /// Store each meter in a file in this directory [default: in memory, until the program ends].
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        dir: Option<PathBuf>,
        #[command(flatten)]
        keypad: KeypadFlags,
        /// The file with requests; standard input by default.
        #[arg(value_hint = ValueHint::FilePath)]
        file: Option<PathBuf>,
    },
}

/// A meter to make.
#[derive(Args)]
pub(crate) struct NewFlags {
    /// The file of the meter. It will contain the TEST key unencrypted.
    #[arg(long, value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// The services: electricity, water, gas, time [default: electricity].
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    services: Vec<String>,
    /// Count money instead of units.
    #[arg(long)]
    currency: bool,
    /// How many phases its electricity has: 1 or 3 [default: 3].
    #[arg(long)]
    phases: Option<u32>,
    /// It has no register for a tariff rate.
    #[arg(long)]
    no_tariff_register: bool,
    /// The largest set of key change tokens: 2 or 3; with EA11 always 4 [default: 3, with EA11 4].
    #[arg(long)]
    kct: Option<u32>,
    /// Its token carriers, two digits each [default: 02].
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    tct: Vec<String>,
    /// When it was made, in UTC, such as 2004-03-01T13:55Z. It refuses older tokens.
    #[arg(long, value_name = "TIME", conflicts_with = "manufactured_tid")]
    manufactured_at: Option<String>,
    /// When it was made, as a token identifier [default: 0].
    #[arg(long, value_name = "TID")]
    manufactured_tid: Option<u32>,
    /// How many token identifiers it remembers, 50 to 255 [default: 50].
    #[arg(long)]
    tids: Option<u32>,
    /// Its policy as a JSON object, such as '{"lockout":true}'.
    #[arg(long, value_name = "JSON")]
    policy: Option<String>,
    #[command(flatten)]
    key: KeyFlags,
}

/// Data files for the keypad of a meter. Their format is described in docs/formats/keypad-data.md.
#[derive(Args, Default)]
pub(crate) struct KeypadFlags {
    /// The file with the words that the display shows [default: our own words].
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    words: Option<PathBuf>,
    /// The file with the short codes that show registers [default: our own codes].
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    codes: Option<PathBuf>,
}

/// A token for a meter.
#[derive(Args)]
pub(crate) struct EnterFlags {
    /// The file of the meter.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// The twenty digits as you have them: blanks, dashes, line ends and a label in front do not matter. Several tokens
    /// are entered in turn.
    #[arg(required = true)]
    digits: Vec<String>,
    /// The token carrier, two digits [default: 02, a keypad].
    #[arg(long)]
    carrier: Option<String>,
}

/// A load on a meter.
#[derive(Args)]
pub(crate) struct ConsumeFlags {
    /// The file of the meter.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// The load in watts; in litres per hour for a water or gas meter.
    #[arg(long)]
    pub(super) watts: u32,
    /// For how many seconds.
    #[arg(long)]
    pub(super) seconds: u32,
}

impl NewFlags {
    /// The same as a record of `meter script`.
    pub(super) fn record(&self) -> Done<MeterRequest<'_>> {
        let policy = self.policy.as_deref().map(serde_json::from_str::<&RawValue>).transpose();
        let policy = policy.map_err(|error| {
            Failure::flag("--policy", format!("expected a JSON object: {error}"))
        })?;
        let list = |texts: &Vec<String>| (!texts.is_empty()).then(|| Texts::Listed(texts.clone()));
        let Request { pan, ea, key, .. } = keyed(&self.key)?;
        Ok(MeterRequest {
            pan,
            ea,
            key,
            services: list(&self.services),
            currency: self.currency.then_some(Scalar::Boolean(true)),
            phases: number(self.phases),
            tariff_register: self.no_tariff_register.then_some(Scalar::Boolean(false)),
            kct: number(self.kct),
            tct: list(&self.tct),
            manufactured_at: option(self.manufactured_at.as_deref()),
            manufactured_tid: number(self.manufactured_tid),
            tids: number(self.tids),
            policy: policy.map(Raw::from),
            ..MeterRequest::default()
        })
    }
}

impl KeypadFlags {
    /// Meters with this keypad.
    pub(super) fn with(&self, meters: Meters) -> Done<Meters> {
        let codes = read(self.codes.as_deref(), read_codes)?.unwrap_or(CODES_PROJECT);
        let words = read(self.words.as_deref(), read_words)?.unwrap_or(WORDS_PROJECT);
        Ok(meters.with_keypad(codes, words))
    }
}

fn read<T>(path: Option<&Path>, read: impl Fn(&str) -> Result<T, String>) -> Done<Option<T>> {
    let Some(path) = path else { return Ok(None) };
    let data = read(&file::read(path)?);
    data.map(Some).map_err(|problem| {
        let message = format!("{}: {problem}", path.display());
        Failure::refused("value_range", message)
            .next("correct the file; see docs/formats/keypad-data.md")
    })
}

impl EnterFlags {
    /// The digits of each token; as typed if they are none, which the meter answers. As text, a remark says what is wrong.
    pub(super) fn tokens(&self, as_json: bool) -> Vec<String> {
        let typed = self.digits.join(" ");
        match tokens(&typed) {
            Ok(tokens) => tokens.iter().map(TokenData::to_string).collect(),
            Err(error) => {
                if !as_json {
                    remark(&in_flags(&error.message));
                }
                vec![typed]
            }
        }
    }

    /// The token carrier.
    pub(super) fn carrier(&self) -> Field<'_> {
        option(self.carrier.as_deref())
    }
}
