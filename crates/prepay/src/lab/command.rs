//! The commands and flags of `prepay lab`. `prepay meter new` takes the key flags too.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};
use prepay_records::{Named as _, TokenKind};

use crate::token_flags::{FunctionFlags, kind};

/// The laboratory.
#[derive(Subcommand)]
pub(crate) enum LabCommand {
    /// Issue a token.
    ///
    /// Example: prepay lab issue credit --amount 25.6 --at 2004-03-01T13:55Z --pan 600727000000000009
    /// --vending-key abababababababab --dkga 02 --sgc 123456
    Issue(IssueFlags),
    /// Read a token. Tests and displays (class 1) need no key.
    Open(OpenFlags),
    /// Show every step from a token's digits to its meaning, and which of several keys opens it.
    ///
    /// Give candidates as lists and ranges, such as --sgc 123456,123457 --krn 1-9 --ti 00-99; Prepay tries every
    /// combination. A wrong key passes the 16-bit checksum once in 65 536 tries, so with many candidates a match can be a
    /// coincidence: a second token of the same meter, given after the first, tells.
    Explain(ExplainFlags),
    /// Explain meter numbers: their parts and check digits, and what was perhaps meant by a wrong one.
    ///
    /// Example: prepay lab pan 6007 2700 0000 0000 09
    Pan {
        /// Meter numbers of 11, 13 or 18 digits, separated by commas; or one with blanks.
        #[arg(required = true, value_name = "NUMBER")]
        numbers: Vec<String>,
    },
    /// Derive a decoder key from a vending key.
    Derive(DeriveFlags),
    /// Issue the tokens that give a meter a new key.
    KeyChange(KeyChangeFlags),
    /// Answer requests, one JSON object per line, each at once: a program may send one, read its answer, send the next.
    Batch {
        /// On how many threads to answer. Answers keep the order of the requests [default: one per processor].
        #[arg(long, value_name = "N")]
        threads: Option<NonZeroUsize>,
        /// The file with requests; standard input by default.
        #[arg(value_hint = ValueHint::FilePath)]
        file: Option<PathBuf>,
    },
}

/// A key and its meter.
#[derive(Args)]
pub(crate) struct KeyFlags {
    /// The meter: 11, 13 or 18 digits. Not needed with a decoder key.
    #[arg(long)]
    pub(crate) pan: Option<String>,
    /// The encryption algorithm: 07, 09 or 11.
    #[arg(long, default_value = "07")]
    pub(crate) ea: String,
    /// A TEST decoder key in hexadecimal, or @FILE to read it from a file.
    #[arg(long, value_name = "HEX|@FILE", conflicts_with = "vending_key")]
    pub(crate) decoder_key: Option<String>,
    #[command(flatten)]
    pub(crate) vending: VendingFlags,
    /// The key expiry number, 0 to 255 [default: 255].
    #[arg(long)]
    pub(crate) ken: Option<u32>,
}

/// What a decoder key is derived from.
#[derive(Args)]
pub(crate) struct DeriveFlags {
    /// The meter: 11, 13 or 18 digits.
    #[arg(long)]
    pub(crate) pan: Option<String>,
    /// The encryption algorithm: 07, 09 or 11.
    #[arg(long, default_value = "07")]
    pub(crate) ea: String,
    #[command(flatten)]
    pub(crate) vending: VendingFlags,
}

/// A vending key, and the attributes that a decoder key may have too.
#[derive(Args)]
pub(crate) struct VendingFlags {
    /// A TEST vending key in hexadecimal, or @FILE to read it from a file.
    #[arg(long, value_name = "HEX|@FILE")]
    pub(crate) vending_key: Option<String>,
    /// The key generation algorithm [default: by the length of the vending key].
    #[arg(long)]
    pub(crate) dkga: Option<String>,
    /// The supply group code, six digits.
    #[arg(long)]
    pub(crate) sgc: Option<String>,
    /// The key revision number, 1 to 9 [with a vending key: 1].
    #[arg(long)]
    pub(crate) krn: Option<u32>,
    /// The key type, 0 to 3 [with a vending key: 2].
    #[arg(long)]
    pub(crate) kt: Option<u32>,
    /// The tariff index, two digits [with a vending key: 01].
    #[arg(long)]
    pub(crate) ti: Option<String>,
    /// The base date: 1993, 2014 or 2035 [with a vending key: 1993].
    #[arg(long)]
    pub(crate) base_date: Option<u32>,
}

/// The contents of a token.
#[derive(Args)]
pub(crate) struct IssueFlags {
    /// The kind of token.
    #[arg(value_name = "TYPE", value_parser = kind(TokenKind::ALL))]
    pub(crate) kind: TokenKind,
    /// The service: electricity, water, gas or time [for credit: electricity].
    #[arg(long)]
    pub(crate) service: Option<String>,
    /// How much: kWh of electricity, m³ of water or gas, minutes of time; for a credit of money, base currency units.
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) amount: Option<String>,
    /// Round up an amount that is finer than a token can carry.
    #[arg(long)]
    pub(crate) round_up: bool,
    /// The number of one test, 0 to 36.
    #[arg(long, conflicts_with = "control")]
    pub(crate) test: Option<u8>,
    /// The control field in hexadecimal.
    #[arg(long)]
    pub(crate) control: Option<String>,
    /// The manufacturer code, two or four digits [for class 1: 00].
    #[arg(long)]
    pub(crate) mfr_code: Option<String>,
    /// The register to clear: 0 to 7, or 65535 for all.
    #[arg(long)]
    pub(crate) register: Option<u32>,
    #[command(flatten)]
    pub(crate) function: FunctionFlags,
    /// The minute of issue in UTC, such as 2004-03-01T13:55Z.
    #[arg(long, value_name = "TIME", conflicts_with = "tid")]
    pub(crate) at: Option<String>,
    /// The token identifier itself, instead of --at.
    #[arg(long)]
    pub(crate) tid: Option<u32>,
    /// The random number, 0 to 15 [default: 0].
    #[arg(long)]
    pub(crate) rnd: Option<u32>,
    #[command(flatten)]
    pub(crate) key: KeyFlags,
}

/// A token to read.
#[derive(Args)]
pub(crate) struct OpenFlags {
    /// The twenty digits as you have them: blanks, dashes, line ends and a label in front do not matter. Several tokens
    /// are read in turn.
    #[arg(required = true, value_name = "DIGITS")]
    pub(crate) number: Vec<String>,
    #[command(flatten)]
    pub(crate) key: KeyFlags,
}

/// A token to explain, and the keys that may open it.
#[derive(Args)]
pub(crate) struct ExplainFlags {
    /// The twenty digits as you have them: blanks, dashes, line ends and a label in front do not matter. Several tokens
    /// of one meter narrow the search for its key.
    #[arg(required = true, value_name = "DIGITS")]
    pub(crate) number: Vec<String>,
    /// The meters, 11, 13 or 18 digits each, separated by commas. Not needed with decoder keys.
    #[arg(long, value_name = "LIST")]
    pub(crate) pan: Option<String>,
    /// TEST decoder keys in hexadecimal, or @FILE to read one from a file.
    #[arg(long, value_name = "HEX|@FILE", value_delimiter = ',')]
    pub(crate) decoder_key: Vec<String>,
    /// TEST vending keys in hexadecimal, or @FILE to read one from a file.
    #[arg(long, value_name = "HEX|@FILE", value_delimiter = ',')]
    pub(crate) vending_key: Vec<String>,
    /// The key generation algorithm [default: by the length of each vending key].
    #[arg(long)]
    pub(crate) dkga: Option<String>,
    /// Encryption algorithms [default: those that suit each key].
    #[arg(long, value_delimiter = ',')]
    pub(crate) ea: Vec<String>,
    /// Supply group codes, such as 123456,200000-200010.
    #[arg(long, value_name = "LIST")]
    pub(crate) sgc: Option<String>,
    /// Key revision numbers, such as 1-9.
    #[arg(long, value_name = "LIST", default_value = "1")]
    pub(crate) krn: String,
    /// Key types, such as 1-3.
    #[arg(long, value_name = "LIST", default_value = "2")]
    pub(crate) kt: String,
    /// Tariff indexes, such as 00-99.
    #[arg(long, value_name = "LIST", default_value = "01")]
    pub(crate) ti: String,
    /// Base dates, such as 1993,2014. DKGA04 keys and all dates depend on them [with a vending key: 1993].
    #[arg(long, value_name = "LIST")]
    pub(crate) base_date: Option<String>,
    /// The key expiry number, to say whether the key covers the token.
    #[arg(long, value_name = "0-255")]
    pub(crate) ken: Option<u32>,
    /// About when the token was sold, as 2004-03-01: keys that give another time are less likely.
    #[arg(long, value_name = "DAY|TIME")]
    pub(crate) sold_at: Option<String>,
    /// The service of the meter: keys that give another one are less likely.
    #[arg(long)]
    pub(crate) service: Option<String>,
    /// If the token does not open, try every single wrong digit and every two neighbours swapped.
    #[arg(long)]
    pub(crate) repair: bool,
}

impl ExplainFlags {
    /// The base dates, or the default for vending keys.
    pub(crate) fn base_dates(&self) -> impl Iterator<Item = &str> {
        self.base_date.as_deref().unwrap_or("1993").split(',')
    }
}

/// Two keys: the meter's current key and its new one.
#[derive(Args)]
pub(crate) struct KeyChangeFlags {
    /// The meter: 11, 13 or 18 digits. Not needed with decoder keys.
    #[arg(long)]
    pub(crate) pan: Option<String>,
    /// The encryption algorithm: 07, 09 or 11.
    #[arg(long, default_value = "07")]
    pub(crate) ea: String,
    /// The size of the set: 2 or 3; with EA11 always 4 [default: 2, with EA11 4]. With EA11, 2 prints
    /// the first two of the four; the meter needs all four.
    #[arg(long)]
    pub(crate) tokens: Option<u32>,
    /// The current key, as field=value pairs: vending_key=HEX,dkga=02,sgc=123456,krn=1,kt=2,ti=01,
    /// ken=255,base_date=1993, or decoder_key=HEX with the same fields. A key may be @FILE.
    #[arg(long, value_name = "KEY")]
    pub(crate) from: String,
    /// The new key, in the same form. Fields that you leave out are those of --from.
    #[arg(long, value_name = "KEY")]
    pub(crate) to: String,
}
