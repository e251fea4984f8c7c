//! The commands and flags of `prepay meter`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};
use prepay_lab::Request;
use prepay_lab::meter::MeterRequest;
use prepay_records::element::Field;
use prepay_records::json::Texts;
use prepay_records::{Raw, Scalar};
use serde_json::value::RawValue;

use crate::cli::KeyFlags;
use crate::failure::{Done, Failure};
use crate::lab::flags::{keyed, number, option};

/// Virtual meters.
#[derive(Subcommand)]
pub(crate) enum MeterCommand {
    /// Make a meter with a TEST key, in a file that is not there yet.
    ///
    /// Example: prepay meter new --file m.meter --pan 600727000000000009 --vending-key abababababababab
    /// --sgc 123456
    New(Box<NewFlags>),
    /// Enter a token.
    Enter(EnterFlags),
    /// Show what a meter knows and is, but for its key.
    Show {
        /// The file of the meter.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Let time pass with a load.
    Consume(ConsumeFlags),
    /// Tamper with a meter.
    Tamper {
        /// The file of the meter.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Show a meter live: its display, keypad, switch, load and clock. Needs a terminal.
    Run {
        /// The file of the meter; without it, a demonstration meter under a TEST key, in memory only.
        #[arg(value_hint = ValueHint::FilePath)]
        file: Option<PathBuf>,
    },
    /// Drive many meters under TEST keys in one process, for load tests.
    Fleet(super::fleet::FleetFlags),
    /// Answer lines that drive any number of meters, one JSON object a line.
    Script {
        /// Keep each meter in a file in this directory; without it, meters live as long as the program.
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        dir: Option<PathBuf>,
        /// The lines; standard input if there is none.
        #[arg(value_hint = ValueHint::FilePath)]
        file: Option<PathBuf>,
    },
}

/// A meter to make.
#[derive(Args)]
pub(crate) struct NewFlags {
    /// The file of the meter. Its TEST key will be in it in clear.
    #[arg(long, value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// What it meters: electricity, water, gas, time [default: electricity].
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    services: Vec<String>,
    /// It counts money instead of units.
    #[arg(long)]
    currency: bool,
    /// The largest set of key change tokens: 2 or 3, and 4 exactly with EA11 [default: 3, with EA11 4].
    #[arg(long)]
    kct: Option<u32>,
    /// Its token carriers, two digits each [default: 02].
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    tct: Vec<String>,
    /// When it was made, in UTC as 2004-03-01T13:55Z: tokens from before are refused.
    #[arg(long, value_name = "TIME", conflicts_with = "manufactured_tid")]
    manufactured_at: Option<String>,
    /// The token identifier of when it was made [default: 0].
    #[arg(long, value_name = "TID")]
    manufactured_tid: Option<u32>,
    /// How many token identifiers it remembers, 50 to 255 [default: 50].
    #[arg(long)]
    tids: Option<u32>,
    /// The switches of its policy as a JSON object, such as '{"lockout":true}'.
    #[arg(long, value_name = "JSON")]
    policy: Option<String>,
    #[command(flatten)]
    key: KeyFlags,
}

/// A token for a meter.
#[derive(Args)]
pub(crate) struct EnterFlags {
    /// The file of the meter.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// The twenty digits; blanks and dashes do not matter.
    #[arg(required = true)]
    digits: Vec<String>,
    /// How the token came, two digits [default: 02, a keypad].
    #[arg(long)]
    carrier: Option<String>,
}

/// A load on a meter.
#[derive(Args)]
pub(crate) struct ConsumeFlags {
    /// The file of the meter.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// The load in watts; litres an hour for a meter of water or gas.
    #[arg(long)]
    pub(super) watts: u32,
    /// For how long.
    #[arg(long)]
    pub(super) seconds: u32,
}

impl NewFlags {
    /// The record of a line that makes the meter.
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

impl EnterFlags {
    /// The digits, which need not be a token.
    pub(super) fn digits(&self) -> String {
        self.digits.join(" ")
    }

    /// How the token came.
    pub(super) fn carrier(&self) -> Field<'_> {
        option(self.carrier.as_deref())
    }
}
