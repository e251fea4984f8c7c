//! Answers of `meter script`.
//!
//! These records define the format: clients see their names and order. None of them can contain a key.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use prepay_meter::TokenResult;
use prepay_records::RecordError;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

/// The answer to a line that succeeded.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum MeterAnswer {
    /// `new`, `advance`, `tamper`, `restart`, `power_cut`.
    Done(Done),
    /// `enter`, `enter_binary`.
    Entered(Box<Entered>),
    /// `consume`.
    Consumed(Consumed),
    /// `state`.
    State(Box<StateRecord>),
    /// `key`.
    Pressed(Box<Pressed>),
}

/// It is done.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Done {
    /// True.
    pub ok: bool,
}

/// A meter's answer to a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entered {
    /// The result: its name and its code.
    #[serde(flatten, serialize_with = "name_and_code")]
    pub result: TokenResult,
    /// Its effect.
    #[serde(flatten)]
    pub done: Executed,
}

impl Entered {
    /// Whether the meter refused the token: it neither did what it says nor holds it.
    pub fn is_refused(&self) -> bool {
        self.result != TokenResult::Accept && self.done.waiting_for.is_none()
    }
}

/// The effect of a token that was accepted, or is waiting for more sections.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Executed {
    /// What an accepted token was, as `lab batch` calls it, or `key_change`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    /// The service that was credited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<&'static str>,
    /// What was credited: units of the service, or of the currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// The unit of the amount, for people.
    #[serde(skip)]
    pub unit: &'static str,
    /// The register that was cleared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub register: Option<u16>,
    /// The new limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watts: Option<u32>,
    /// The new tariff rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<u16>,
    /// The new water meter factor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub factor: Option<u16>,
    /// The flag that was set or cleared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flag: Option<u16>,
    /// Its new value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<bool>,
    /// The control that was stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<u8>,
    /// Its new value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<u16>,
    /// The tests that were carried out; none for an extended read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<Vec<u8>>,
    /// What they show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display: Option<Vec<String>>,
    /// Whether the identifiers were forgotten with the old key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollover: Option<bool>,
    /// The sections that are missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting_for: Option<Vec<u8>>,
}

/// The state after consumption.
#[derive(Clone, Debug, Serialize)]
pub struct Consumed {
    /// The credit of the service that was used.
    pub credit: String,
    /// Its switch: `closed` or `open`.
    pub switch: &'static str,
}

/// The effect of pressed keys.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Pressed {
    /// What was shown, in its order.
    pub display: Vec<String>,
    /// The answer to the last token that went in: its name and its code.
    #[serde(flatten, serialize_with = "name_and_code_if_any")]
    pub entered: Option<TokenResult>,
}

fn name_and_code<S: Serializer>(result: &TokenResult, serializer: S) -> Result<S::Ok, S::Error> {
    name_and_code_if_any(&Some(*result), serializer)
}

fn name_and_code_if_any<S: Serializer>(
    result: &Option<TokenResult>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    if let Some(result) = result {
        map.serialize_entry("result", result.name())?;
        map.serialize_entry("code", &result.code())?;
    }
    map.end()
}

/// The state of a meter, without its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StateRecord {
    /// Units by service.
    pub credit: BTreeMap<&'static str, String>,
    /// Money by service.
    pub currency_credit: BTreeMap<&'static str, String>,
    /// In watts.
    pub maximum_power_limit: Option<u32>,
    /// In watts.
    pub phase_unbalance_limit: Option<u32>,
    /// Once a token has set it.
    pub tariff_rate: Option<u16>,
    /// Once a token has set it.
    pub water_factor: Option<u16>,
    /// Whether the meter was tampered with.
    pub tamper: bool,
    /// `closed` or `open`.
    pub switch: &'static str,
    /// Why it is open.
    pub switch_reason: Option<&'static str>,
    /// The number.
    pub pan: String,
    /// The encryption algorithm.
    pub ea: String,
    /// The supply group; `None` if no longer known.
    pub sgc: Option<String>,
    /// The key revision; 0 for an initialization key.
    pub krn: u8,
    /// The key type.
    pub kt: u8,
    /// The tariff index.
    pub ti: String,
    /// The key expiry number.
    pub ken: u8,
    /// Every identifier in the store, ascending.
    pub tids: Vec<u32>,
    /// The sections of a key change that are held.
    pub kct_pending: Vec<u8>,
    /// For how long tokens are refused.
    pub lockout_seconds: u64,
    /// The flags that were set or cleared, by index.
    pub flags: BTreeMap<u16, bool>,
    /// The controls that were set, by index.
    pub controls: BTreeMap<u8, u16>,
}

/// A line that failed, and changed nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MeterError {
    /// The request is invalid.
    Request(RecordError),
    /// The file of a meter cannot be read or made.
    File(String),
    /// There is a file with the name of a new meter.
    FileExists(PathBuf),
    /// Another program is using the file of the meter, or its directory.
    InUse(PathBuf),
    /// The file of a meter is not what it should be.
    Damaged(String),
    /// The state of a meter was not stored.
    Storage(String),
}

impl MeterError {
    /// Every code of its own.
    pub const CODES: &'static [&'static str] = &["file", "file_exists", "in_use", "storage"];

    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Request(error) => error.code.text(),
            Self::File(_) => "file",
            Self::FileExists(_) => "file_exists",
            Self::InUse(_) => "in_use",
            Self::Damaged(_) | Self::Storage(_) => "storage",
        }
    }

    /// The sentence for people.
    pub fn message(&self) -> Cow<'_, str> {
        match self {
            Self::Request(error) => (&error.message).into(),
            Self::File(message) | Self::Damaged(message) | Self::Storage(message) => message.into(),
            Self::FileExists(path) => format!("{}: already exists", path.display()).into(),
            Self::InUse(path) => format!("{}: in use by another program", path.display()).into(),
        }
    }

    /// The same as programs that use `meter script` know it: a file is the storage of its meter.
    pub(super) fn stored(self) -> Self {
        match self {
            Self::File(message) => Self::Storage(message),
            other => other,
        }
    }
}

impl From<RecordError> for MeterError {
    fn from(error: RecordError) -> Self {
        Self::Request(error)
    }
}

impl fmt::Display for MeterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code(), self.message())
    }
}

impl std::error::Error for MeterError {}
