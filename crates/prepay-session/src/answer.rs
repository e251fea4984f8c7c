//! What a module answers, as the fields of a line.
//!
//! Fields hold the module's own values where these have only one text; names and order of the fields follow the
//! format. What a person reads is printed from the same values.

use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

use prepay_basics::Moment;
use prepay_kmp::attribute::KeyCheckValue;
use prepay_module::software::SlotReport;
use prepay_module::{
    ClockWindow, Identification, IssueRequest, Issued, IssuedKeyChange, IssuedToken, ModuleStatus,
    RegisterReport, Verification,
};
use prepay_records::time::{self, Printed};
use prepay_records::{OpenedToken, decimal};
use prepay_token::element::{BaseDate, KeyExpiryNumber, UtcMinute};
use prepay_token::key_change::Rollover;
use prepay_token::{Instruction, TokenData};
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize, Serializer};

use crate::service::{LogCheck, ServiceAnswer};

/// The answer to a request that succeeded.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// Who the module is.
    Identity(Identity),
    /// Its state.
    Status(StatusAnswer),
    /// Its clock.
    Clock(ClockAnswer),
    /// Its registers.
    Registers {
        /// Those that hold a key.
        registers: Vec<RegisterRecord>,
    },
    /// A token that was made.
    Token(TokenAnswer),
    /// Key change tokens that were made.
    KeyChange(KeyChangeAnswer),
    /// A token that was read back.
    Verification(Box<VerificationAnswer>),
    /// What a service answers beside.
    Service(Box<ServiceAnswer>),
}

/// Who a module is.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Identity {
    /// Its name.
    pub module: String,
    /// What it is.
    pub hardware: String,
    /// Which version of it.
    pub firmware: String,
    /// The fingerprint of its public keys.
    pub fingerprint: String,
}

impl From<Identification> for Identity {
    fn from(is: Identification) -> Self {
        Self {
            module: is.module.to_string(),
            hardware: is.hardware,
            firmware: is.firmware,
            fingerprint: is.fingerprint,
        }
    }
}

/// The state of a module.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct StatusAnswer {
    /// How many tokens it has made.
    pub transactions: u64,
    /// How many more it may make; nothing for no limit.
    pub transactions_left: Option<u64>,
    /// How many entries its audit log has.
    pub audit_entries: u64,
    /// For at least how many days it remembers the name of a request.
    pub remember_days: u32,
    /// How many names it remembers.
    pub names: u64,
    /// Since when, as text; nothing if there are none.
    pub names_since: Option<String>,
    /// How many of them it cannot read.
    pub names_unreadable: u64,
    /// What its custodians should know.
    pub alerts: Vec<String>,
    /// At a service that has verified the whole audit log: what it found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified: Option<LogCheck>,
}

impl From<ModuleStatus> for StatusAnswer {
    fn from(status: ModuleStatus) -> Self {
        Self {
            transactions: status.transactions,
            transactions_left: status.transactions_left,
            audit_entries: status.audit_entries,
            remember_days: status.names.days,
            names: status.names.names,
            names_since: status.names.since.map(|since| since.to_string()),
            names_unreadable: status.names.unreadable,
            alerts: status.alerts,
            verified: None,
        }
    }
}

/// A module's clock.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct ClockAnswer {
    /// The time.
    #[serde(serialize_with = "as_text", deserialize_with = "of_text")]
    pub now: Moment,
    /// How far an identifier may be from it; nothing for no limit.
    pub window_minutes: Option<u32>,
}

impl From<ClockWindow> for ClockAnswer {
    fn from(clock: ClockWindow) -> Self {
        Self { now: clock.now, window_minutes: clock.minutes }
    }
}

/// What a register holds, and whether its key can be used at a time.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct RegisterRecord {
    /// The register.
    pub register: u16,
    /// `active`, or why the key cannot be used.
    pub state: Cow<'static, str>,
    /// The supply group.
    pub sgc: String,
    /// The key revision.
    pub krn: u8,
    /// The key type.
    pub kt: u8,
    /// The key generation algorithm.
    pub dkga: String,
    /// The key expiry.
    pub ken: u8,
    /// The base date.
    pub base_date: u16,
    /// From when the key can be used.
    pub active_from: String,
    /// Until when it makes tokens.
    pub issue_until: String,
    /// The limit of units; nothing for none.
    pub unit_limit: Option<u32>,
    /// The limit of currency; nothing for none.
    pub currency_limit: Option<u32>,
    /// Units that may still be issued; nothing for no limit.
    pub units_left: Option<String>,
    /// Currency that may still be issued; nothing for no limit.
    pub currency_left: Option<String>,
    /// The cluster.
    pub cluster: u16,
    /// The sub-classes that the key may issue.
    pub sub_classes: String,
    /// The name of the group.
    pub name: String,
    /// The check value of the key.
    pub kcv: String,
    /// The centre that it came from.
    pub centre: String,
}

impl RegisterRecord {
    /// The record of a register at a time.
    pub fn new(report: &RegisterReport, now: Moment) -> Self {
        let attributes = &report.attributes;
        let state = if now < attributes.activation {
            "not_active"
        } else if now > attributes.issued_until {
            "issue_expired"
        } else if attributes.is_expired(now) {
            "key_expired"
        } else {
            "active"
        };
        Self {
            register: report.register.value(),
            state: state.into(),
            sgc: attributes.supply_group.to_string(),
            krn: attributes.key_revision.value(),
            kt: attributes.key_type.key_type().value(),
            dkga: attributes.algorithm.to_string(),
            ken: attributes.expiry.value(),
            base_date: attributes.base_date.year(),
            active_from: attributes.activation.to_string(),
            issue_until: attributes.issued_until.to_string(),
            unit_limit: attributes.unit_limit.0,
            currency_limit: attributes.currency_limit.0,
            units_left: report.units_left_tenths.map(|tenths| left(tenths.into(), 1)),
            currency_left: report.currency_left.map(|currency| left(currency, 5)),
            cluster: attributes.cluster.0,
            sub_classes: attributes.sub_classes.to_string(),
            name: attributes.name.as_str().to_owned(),
            kcv: report.check_value.to_string(),
            centre: report.centre.to_string(),
        }
    }
}

/// What a slot holds.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct SlotRecord {
    /// What was loaded into it, in the answer to that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loaded: Option<String>,
    /// The number of the slot.
    pub slot: u16,
    /// The centre.
    pub centre: String,
    /// How far the agreement between module and centre has come.
    pub state: String,
    /// The fingerprint of the centre.
    pub fingerprint: String,
    /// From when its keys are valid.
    pub active_from: String,
    /// Until when.
    pub expires: String,
    /// Whether the module waits for the centre to confirm an agreement.
    pub agreement_open: bool,
    /// Until when each open key-load request may be answered.
    pub requests_open_until: Vec<String>,
    /// The serial number of the last key-load file.
    pub last_serial: Option<u64>,
    /// How many registers hold a key of the centre.
    pub keys: usize,
}

impl From<&SlotReport> for SlotRecord {
    fn from(report: &SlotReport) -> Self {
        Self {
            loaded: None,
            slot: report.slot,
            centre: report.centre.centre.to_string(),
            state: report.state.to_string(),
            fingerprint: report.centre.fingerprint.clone(),
            active_from: report.centre.activation.to_string(),
            expires: report.centre.expires.to_string(),
            agreement_open: report.agreement_open,
            requests_open_until: report.requests.iter().map(ToString::to_string).collect(),
            last_serial: report.last_serial,
            keys: report.keys,
        }
    }
}

/// A token that was made.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct TokenAnswer {
    /// The token.
    #[serde(serialize_with = "as_text", deserialize_with = "of_text")]
    pub number: TokenData,
    /// The identifier.
    pub tid: u32,
    /// The minute of the identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(serialize_with = "minute", deserialize_with = "of_minute")]
    pub issued_at: Option<UtcMinute>,
    /// The random number, for tokens that have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rnd: Option<u8>,
    /// The amount of a credit, as coded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// The check value of the vending key.
    #[serde(serialize_with = "as_text", deserialize_with = "of_text")]
    pub kcv: KeyCheckValue,
}

impl TokenAnswer {
    fn new(request: &IssueRequest, issued: &IssuedToken, base: Option<BaseDate>) -> Self {
        let amount = match request {
            IssueRequest::Token(asked) => match asked.instruction {
                Instruction::Credit { amount, .. } => Some(amount.to_string()),
                Instruction::CurrencyCredit { amount, .. } => Some(amount.to_string()),
                _ => None,
            },
            IssueRequest::KeyChange(_) => None,
        };
        Self {
            number: issued.token,
            tid: issued.identifier.value(),
            issued_at: base.map(|base| base.minute_of(issued.identifier)),
            rnd: issued.random.map(|random| random.value()),
            amount,
            kcv: issued.check_value,
        }
    }
}

/// Key change tokens that were made.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct KeyChangeAnswer {
    /// The tokens, in the order of their sections.
    #[serde(serialize_with = "all_as_text", deserialize_with = "all_of_text")]
    pub numbers: Vec<TokenData>,
    /// Whether the meter forgets its identifiers.
    pub rollover: bool,
    /// The expiry of the new key.
    #[serde(serialize_with = "expiry", deserialize_with = "of_expiry")]
    pub ken: KeyExpiryNumber,
    /// The check value of the old key.
    #[serde(serialize_with = "as_text", deserialize_with = "of_text")]
    pub from_kcv: KeyCheckValue,
    /// The check value of the new key.
    #[serde(serialize_with = "as_text", deserialize_with = "of_text")]
    pub to_kcv: KeyCheckValue,
}

impl From<&IssuedKeyChange> for KeyChangeAnswer {
    fn from(set: &IssuedKeyChange) -> Self {
        Self {
            numbers: set.tokens().to_vec(),
            rollover: set.rollover == Rollover::Forget,
            ken: set.expiry,
            from_kcv: set.from_check_value,
            to_kcv: set.to_check_value,
        }
    }
}

impl Answer {
    /// What registers hold at a time.
    pub fn registers(reports: &[RegisterReport], now: Moment) -> Self {
        let registers = reports.iter().map(|report| RegisterRecord::new(report, now)).collect();
        Self::Registers { registers }
    }

    /// The answer for what was made, a token under a key of this base date.
    pub fn issued(request: &IssueRequest, issued: &Issued, base: Option<BaseDate>) -> Self {
        match issued {
            Issued::Token(token) => Self::Token(TokenAnswer::new(request, token, base)),
            Issued::KeyChange(set) => Self::KeyChange(set.into()),
        }
    }
}

/// A token that was read back.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct VerificationAnswer {
    /// What it is, or why it is not one for this meter.
    pub result: Cow<'static, str>,
    /// What it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<OpenedToken>,
    /// The identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tid: Option<u32>,
    /// The minute of the identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(serialize_with = "minute", deserialize_with = "of_minute")]
    pub issued_at: Option<UtcMinute>,
    /// The random number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rnd: Option<u8>,
    /// Which section of a new key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub section: Option<u8>,
    /// The status of STS 600-8-6.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Cow<'static, str>>,
    /// What is wrong with a field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl VerificationAnswer {
    /// Whether the meter would take it.
    pub fn is_right(&self) -> bool {
        matches!(&*self.result, "valid" | "key_change" | "unkeyed")
    }

    /// The answer for a token under a key of this base date.
    pub fn new(found: &Verification, base: Option<BaseDate>) -> Self {
        let none = Self {
            result: "unknown".into(),
            token: None,
            tid: None,
            issued_at: None,
            rnd: None,
            section: None,
            status: None,
            message: None,
        };
        match *found {
            Verification::Valid { instruction, identifier, random } => Self {
                result: "valid".into(),
                token: Some(OpenedToken::of(&instruction)),
                tid: Some(identifier.value()),
                issued_at: base.map(|base| base.minute_of(identifier)),
                rnd: random.map(|random| random.value()),
                ..none
            },
            Verification::KeyChange { section } => {
                Self { result: "key_change".into(), section: Some(section), ..none }
            }
            Verification::Unkeyed => Self { result: "unkeyed".into(), ..none },
            Verification::Checksum => {
                Self { result: "checksum".into(), status: Some("03".into()), ..none }
            }
            Verification::Malformed(error) => {
                Self { result: "malformed".into(), message: Some(error.to_string()), ..none }
            }
            Verification::CreditUnderDefaultKey => Self {
                result: "credit_under_default_key".into(),
                status: Some("80".into()),
                ..none
            },
            Verification::KeyExpired => {
                Self { result: "key_expired".into(), status: Some("41".into()), ..none }
            }
            _ => none,
        }
    }
}

/// What is left. No limit makes it too large for a signed number.
fn left(parts: u128, places: usize) -> String {
    decimal::print(i128::try_from(parts).unwrap_or(i128::MAX), places)
}

pub(crate) fn as_text<T: Display, S: Serializer>(
    value: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

fn all_as_text<T: Display, S: Serializer>(values: &[T], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(T::to_string))
}

fn expiry<S: Serializer>(ken: &KeyExpiryNumber, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u8(ken.value())
}

pub(crate) fn of_text<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
    value: D,
) -> Result<T, D::Error> {
    Cow::<str>::deserialize(value)?.parse().map_err(D::Error::custom)
}

fn all_of_text<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
    value: D,
) -> Result<Vec<T>, D::Error> {
    let texts = Vec::<String>::deserialize(value)?;
    texts.iter().map(|text| text.parse().map_err(D::Error::custom)).collect()
}

fn of_expiry<'de, D: Deserializer<'de>>(value: D) -> Result<KeyExpiryNumber, D::Error> {
    Ok(u8::deserialize(value)?.into())
}

fn of_minute<'de, D: Deserializer<'de>>(value: D) -> Result<Option<UtcMinute>, D::Error> {
    let text = Cow::<str>::deserialize(value)?;
    let minute = time::minute(&text).ok_or_else(|| D::Error::custom("expected a minute"))?;
    Ok(Some(minute))
}

fn minute<S: Serializer>(minute: &Option<UtcMinute>, serializer: S) -> Result<S::Ok, S::Error> {
    match minute {
        Some(minute) => serializer.collect_str(&Printed(*minute)),
        None => serializer.serialize_none(),
    }
}
