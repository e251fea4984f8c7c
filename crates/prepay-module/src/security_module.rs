//! The interface between a vending system and a security module, wherever the module is.
//!
//! The same trait serves a module in this process, behind a serial line or behind a network. The latter two are slow
//! and may fail to answer; then nobody knows whether a token was made, and the caller repeats the same request with
//! the same [`RequestId`]. A module that did make the token answers with the same digits and counts nothing twice.
//!
//! A vending system names a key by its register. [`SecurityModule::registers`] tells the group and revision of each
//! register.
//!
//! - Source: STS 600-8-6, as known from public clients: commands, order of checks and status codes.

use std::fmt;

use prepay_token::TokenData;
use prepay_token::element::{
    EncryptionAlgorithm, KeyExpiryNumber, MeterPan, RandomNumber, TariffIndex, TokenCarrierType,
    TokenIdentifier,
};
use prepay_token::key_change::{Rollover, SetSize};
use prepay_token::{Instruction, OpenError};

use prepay_basics::Moment;
use prepay_kmp::attribute::{
    Cluster, KeyCheckValue, RegisterNumber, VendingKeyAttributes, VendingKeyType,
};
use prepay_kmp::{CentreId, ModuleId};

/// A security module.
///
/// A trait although the only answer to it in this stack is [`Operator`](crate::software::Operator): a hardware module or a
/// remote service will be another, and doors and vending know the trait only.
pub trait SecurityModule: Send + Sync {
    /// Who the module is.
    ///
    /// # Errors
    ///
    /// [`ModuleFault`] if there is no answer.
    fn identify(&self) -> Result<Identification, ModuleFault>;

    /// Its counters, and warnings.
    ///
    /// # Errors
    ///
    /// [`ModuleFault`] if there is no answer.
    fn status(&self) -> Result<ModuleStatus, ModuleFault>;

    /// Its clock, and how far a token identifier may be from it.
    ///
    /// # Errors
    ///
    /// [`ModuleFault`] if there is no answer.
    fn clock(&self) -> Result<ClockWindow, ModuleFault>;

    /// The registers that hold a key, in rising order.
    ///
    /// # Errors
    ///
    /// [`ModuleFault`] if there is no answer.
    fn registers(&self) -> Result<Vec<RegisterReport>, ModuleFault>;

    /// Issues tokens: one answer for each request, in order. A refused request changes nothing and does not affect
    /// the others.
    ///
    /// # Errors
    ///
    /// [`ModuleFault`] if it is not known which of the tokens exist.
    fn issue(&self, requests: &[IssueRequest])
    -> Result<Vec<Result<Issued, Refusal>>, ModuleFault>;

    /// Reads a token back under a register's key.
    ///
    /// # Errors
    ///
    /// [`ModuleError`]. A wrong token is not an error but an answer.
    fn verify(&self, request: &VerifyRequest) -> Result<Verification, ModuleError>;

    /// Issues one token.
    ///
    /// # Errors
    ///
    /// [`ModuleError`] if it is refused or there is no answer.
    fn issue_token(&self, request: TokenRequest) -> Result<IssuedToken, ModuleError> {
        match self.issue_one(IssueRequest::Token(request))? {
            Issued::Token(issued) => Ok(issued),
            Issued::KeyChange(_) => Err(ModuleFault::nonsense("a key change for a token").into()),
        }
    }

    /// Issues one set of key change tokens.
    ///
    /// # Errors
    ///
    /// [`ModuleError`] if it is refused or there is no answer.
    fn issue_key_change(&self, request: KeyChangeRequest) -> Result<IssuedKeyChange, ModuleError> {
        match self.issue_one(IssueRequest::KeyChange(request))? {
            Issued::KeyChange(issued) => Ok(issued),
            Issued::Token(_) => Err(ModuleFault::nonsense("one token for a key change").into()),
        }
    }

    /// Issues what one request asks for.
    ///
    /// # Errors
    ///
    /// [`ModuleError`] if it is refused or there is no answer.
    fn issue_one(&self, request: IssueRequest) -> Result<Issued, ModuleError> {
        let mut answers = self.issue(&[request])?;
        match (answers.pop(), answers.is_empty()) {
            (Some(answer), true) => Ok(answer?),
            _ => Err(ModuleFault::nonsense("other than one answer to one request").into()),
        }
    }
}

/// Identifies a request, so that it can be repeated without being carried out twice. The caller chooses it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub [u8; 16]);

/// The meter of a token, from its configuration record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeterConfiguration {
    /// The meter.
    pub pan: MeterPan,
    /// Its tariff index.
    pub tariff_index: TariffIndex,
    /// Its encryption algorithm.
    pub encryption: EncryptionAlgorithm,
    /// Its token carrier.
    pub carrier: TokenCarrierType,
}

/// What to issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IssueRequest {
    /// One token.
    Token(TokenRequest),
    /// A set of key change tokens.
    KeyChange(KeyChangeRequest),
}

impl IssueRequest {
    /// The request's identifier.
    #[must_use]
    pub const fn id(&self) -> Option<RequestId> {
        match self {
            Self::Token(request) => request.id,
            Self::KeyChange(request) => request.id,
        }
    }
}

/// A credit or management token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenRequest {
    /// The request's identifier; without one it cannot be repeated safely.
    pub id: Option<RequestId>,
    /// The register of the key.
    pub register: RegisterNumber,
    /// The meter.
    pub meter: MeterConfiguration,
    /// What the token does. A module refuses class 1, which needs no key.
    pub instruction: Instruction,
    /// The minute of issue. The caller must give each meter rising identifiers.
    pub identifier: TokenIdentifier,
}

/// A set of key change tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyChangeRequest {
    /// The request's identifier.
    pub id: Option<RequestId>,
    /// The register of the meter's current key.
    pub from: RegisterNumber,
    /// The register of its new key.
    pub to: RegisterNumber,
    /// The meter, with its current tariff index.
    pub meter: MeterConfiguration,
    /// Its new tariff index.
    pub new_tariff_index: TariffIndex,
    /// How many tokens.
    pub size: SetSize,
}

/// A token to verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyRequest {
    /// The register of the key.
    pub register: RegisterNumber,
    /// The meter.
    pub meter: MeterConfiguration,
    /// The token.
    pub token: TokenData,
}

/// What a module issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Issued {
    /// One token.
    Token(IssuedToken),
    /// A set of key change tokens.
    KeyChange(IssuedKeyChange),
}

/// One token, with data for the caller to record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IssuedToken {
    /// The token.
    pub token: TokenData,
    /// The minute of issue in it.
    pub identifier: TokenIdentifier,
    /// The random number in it; currency tokens have none.
    pub random: Option<RandomNumber>,
    /// The check value of the vending key.
    pub check_value: KeyCheckValue,
    /// Whether a test module issued it.
    pub is_test: bool,
}

/// A set of key change tokens, with data for the caller to record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IssuedKeyChange {
    tokens: [TokenData; 4],
    size: SetSize,
    /// Whether the meter forgets its identifiers: exactly if the base dates differ.
    pub rollover: Rollover,
    /// The expiry number of the new key, which the set carries.
    pub expiry: KeyExpiryNumber,
    /// The check value of the old vending key.
    pub from_check_value: KeyCheckValue,
    /// The check value of the new vending key.
    pub to_check_value: KeyCheckValue,
    /// Whether a test module issued it.
    pub is_test: bool,
}

impl IssuedKeyChange {
    /// A set with its tokens, in order.
    ///
    /// # Panics
    ///
    /// If the number of tokens is not the size of the set.
    pub fn new(
        tokens: &[TokenData],
        size: SetSize,
        rollover: Rollover,
        expiry: KeyExpiryNumber,
        [from_check_value, to_check_value]: [KeyCheckValue; 2],
        is_test: bool,
    ) -> Self {
        assert_eq!(tokens.len(), usize::from(size.count()), "as many tokens as the set has");
        let mut all = [tokens[0]; 4];
        all[..tokens.len()].copy_from_slice(tokens);
        Self { tokens: all, size, rollover, expiry, from_check_value, to_check_value, is_test }
    }

    /// The tokens, in order.
    pub fn tokens(&self) -> &[TokenData] {
        &self.tokens[..usize::from(self.size.count())]
    }
}

/// The result of verifying a token. Sections of a new key stay in the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verification {
    /// A token for this meter.
    Valid {
        /// What it does.
        instruction: Instruction,
        /// The minute of issue.
        identifier: TokenIdentifier,
        /// The random number; currency tokens have none.
        random: Option<RandomNumber>,
    },
    /// One section of a new key for this meter.
    KeyChange {
        /// Which section, from 1.
        section: u8,
    },
    /// A test or display: no key protects it, so there is nothing to verify.
    Unkeyed,
    /// Status 03: not a token of this meter under this key.
    Checksum,
    /// A token of this key with fields that the standard does not allow.
    Malformed(OpenError),
    /// Status 80: credit under a default key.
    CreditUnderDefaultKey,
    /// Status 41: its identifier is after the key's expiry.
    KeyExpired,
}

/// Who a module is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identification {
    /// Its name.
    pub module: ModuleId,
    /// Its model, such as `Prepay software module`.
    pub hardware: String,
    /// Its firmware version.
    pub firmware: String,
    /// The fingerprint of its public keys, for people to compare.
    pub fingerprint: String,
    /// Whether it is a test module, whose tokens are not for real meters.
    pub is_test: bool,
}

/// A module's counters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleStatus {
    /// How many more tokens it may issue; `None` for no limit.
    pub transactions_left: Option<u64>,
    /// How many tokens it has issued.
    pub transactions: u64,
    /// How many entries its audit log has.
    pub audit_entries: u64,
    /// The names of requests that it remembers.
    pub names: NamesReport,
    /// Warnings, one line each.
    pub alerts: Vec<String>,
}

/// The names of requests that a module remembers, so that it answers a repeated one with the same digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamesReport {
    /// For at least how many days it remembers a name.
    pub days: u32,
    /// How many it remembers.
    pub names: u64,
    /// Since when; `None` if there are none.
    pub since: Option<Moment>,
    /// How many of them it cannot read, because their file is damaged.
    pub unreadable: u64,
}

/// A module's clock, and how far a token identifier may be from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockWindow {
    /// The time.
    pub now: Moment,
    /// How many minutes an identifier may be before or after it; `None` for any number.
    pub minutes: Option<u32>,
}

/// The contents of a register, without the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterReport {
    /// The register.
    pub register: RegisterNumber,
    /// The attributes that the centre set.
    pub attributes: VendingKeyAttributes,
    /// The key's check value.
    pub check_value: KeyCheckValue,
    /// The centre that it came from.
    pub centre: CentreId,
    /// Tenths of a unit that may still be issued; `None` for no limit.
    pub units_left_tenths: Option<u64>,
    /// Hundred-thousandths of the base currency that may still be issued; `None` for no limit.
    pub currency_left: Option<u128>,
}

/// Why a module refused a request. Only the first check that fails is reported, in this order.
///
/// | code | status | check |
/// |------|--------|-------|
/// | `request_conflict` | – | the same request identifier with other contents |
/// | `names_unreadable` | – | the record of earlier requests is damaged, and this one may be in it |
/// | `pan` | 76 | the meter's number |
/// | `parameter` | 40 | ranges, and algorithms that cannot be combined |
/// | `register` | 28 | the register has a key |
/// | `not_active` | 43 | ACT |
/// | `issue_expired` | 42 | IUT |
/// | `key_type` | 05 | the key type, and the carrier of a common key |
/// | `key_change_rule` | 29 | cluster, key types, expiry of the new key |
/// | `token_count` | 85 | the size of a key change set |
/// | `sub_class` | 48 | the sub-class set |
/// | `identifier_window` | 44 | the module's clock |
/// | `key_expired` | 41 | KEN |
/// | `credit_limit` | 31 | ULM and CLM |
/// | `transactions` | – | the module's transaction counter |
/// | `identifier_used` | – | no other token for this meter under this key has the identifier |
///
/// The status is that of STS 600-8-6, where public sources give one. The checks of key types, cluster and
/// count belong to key changes, those after them to tokens with an identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// A request with this identifier was already carried out, with other contents.
    RequestConflict,
    /// The record of requests carried out in this time is damaged, and this one may be among them. It was not carried out
    /// now.
    NamesUnreadable {
        /// The time of the first of them.
        from: Moment,
        /// The time of the last of them.
        to: Moment,
        /// Whether the record may come back from the audit log, so that the request can be repeated soon.
        in_log: bool,
    },
    /// Not a meter number.
    Pan {
        /// What is wrong with it.
        problem: String,
    },
    /// A parameter is out of range, or algorithms cannot be combined.
    Parameter {
        /// What is wrong with it.
        problem: String,
    },
    /// The register has no key.
    Register {
        /// The register.
        register: RegisterNumber,
    },
    /// The key is not active yet.
    NotActive {
        /// The register.
        register: RegisterNumber,
        /// From when it will be.
        activation: Moment,
        /// The module's time.
        now: Moment,
    },
    /// The key must be loaded again.
    IssueExpired {
        /// The register.
        register: RegisterNumber,
        /// Until when it could be used.
        issued_until: Moment,
        /// The module's time.
        now: Moment,
    },
    /// The key type does not allow this: credit under a default key, or a common key on a carrier that the meter does
    /// not erase.
    KeyType {
        /// The type of the register's key.
        key_type: VendingKeyType,
        /// The carrier of the meter.
        carrier: TokenCarrierType,
    },
    /// The new key may not replace the current one.
    KeyChangeRule(KeyChangeRule),
    /// A set of this size does not suit the cipher.
    TokenCount {
        /// The size asked for.
        size: SetSize,
        /// The cipher.
        encryption: EncryptionAlgorithm,
    },
    /// The key may not issue this sub-class of class 0.
    SubClass {
        /// The sub-class asked for.
        sub_class: u8,
    },
    /// The identifier is too far from the module's clock.
    IdentifierWindow {
        /// The identifier.
        identifier: TokenIdentifier,
        /// The module's time.
        now: Moment,
        /// How far it may be, in minutes.
        minutes: u32,
    },
    /// The identifier is after the key's expiry.
    KeyExpired {
        /// The identifier.
        identifier: TokenIdentifier,
        /// The key's expiry number.
        expiry: KeyExpiryNumber,
    },
    /// The credit exceeds what may still be issued under this key.
    CreditLimit {
        /// Which limit: `ULM` or `CLM`.
        limit: &'static str,
        /// What was asked for: tenths of a unit, or hundred-thousandths of the base currency.
        asked: u128,
        /// What is left, in the same unit.
        left: u128,
    },
    /// The module's transaction counter is used up.
    Transactions,
    /// Another token for this meter under this key has the identifier, and the meter would take only one of them.
    IdentifierUsed {
        /// The identifier.
        identifier: TokenIdentifier,
        /// Its minute.
        minute: Moment,
        /// The next one that is free, with its minute, if there is one in the week after it that the module would take.
        next: Option<(TokenIdentifier, Moment)>,
    },
}

/// The rule of key changes that a request breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyChangeRule {
    /// The keys belong to different clusters.
    Cluster {
        /// That of the old key.
        from: Cluster,
        /// That of the new key.
        to: Cluster,
    },
    /// A key of this type may not replace one of that type, or not by this carrier.
    KeyType {
        /// The type of the old key.
        from: VendingKeyType,
        /// The type of the new key.
        to: VendingKeyType,
        /// The carrier of the meter.
        carrier: TokenCarrierType,
    },
    /// The new key is expired.
    NewKeyExpired {
        /// The expiry number of the new key.
        expiry: KeyExpiryNumber,
    },
}

prepay_basics::codes! {
    Refusal {
        RequestConflict = "request_conflict",
        NamesUnreadable = "names_unreadable",
        Pan = "pan",
        Parameter = "parameter",
        Register = "register",
        NotActive = "not_active",
        IssueExpired = "issue_expired",
        KeyType = "key_type",
        KeyChangeRule = "key_change_rule",
        TokenCount = "token_count",
        SubClass = "sub_class",
        IdentifierWindow = "identifier_window",
        KeyExpired = "key_expired",
        CreditLimit = "credit_limit",
        Transactions = "transactions",
        IdentifierUsed = "identifier_used",
    }
}

impl Refusal {
    /// The status code of STS 600-8-6, where public sources give one.
    pub const fn status(&self) -> Option<&'static str> {
        Some(match self {
            Self::RequestConflict
            | Self::NamesUnreadable { .. }
            | Self::Transactions
            | Self::IdentifierUsed { .. } => return None,
            Self::Pan { .. } => "76",
            Self::Parameter { .. } => "40",
            Self::Register { .. } => "28",
            Self::NotActive { .. } => "43",
            Self::IssueExpired { .. } => "42",
            Self::KeyType { .. } => "05",
            Self::KeyChangeRule(_) => "29",
            Self::TokenCount { .. } => "85",
            Self::SubClass { .. } => "48",
            Self::IdentifierWindow { .. } => "44",
            Self::KeyExpired { .. } => "41",
            Self::CreditLimit { .. } => "31",
        })
    }
}

/// Something failed, and it may not be known what was done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModuleFault {
    /// The module did not answer. Tokens may exist: repeat the same request, with the same identifier.
    NoAnswer {
        /// What was seen.
        problem: String,
    },
    /// The module could not write what it did, and does nothing more until it is opened again. The tokens of the
    /// failed request were not returned; repeat the same request, with the same identifier.
    Storage {
        /// What was seen.
        problem: String,
    },
    /// The module's clock is far behind the time that it has seen. Nothing was done: set the clock right, or let two
    /// custodians accept its time.
    Clock {
        /// The two times.
        problem: String,
    },
    /// The module's witness cannot be asked, so an older copy of the module may have been put back. Nothing was done: bring
    /// the witness back, or let two custodians name another one.
    Witness {
        /// What is wrong with it.
        problem: String,
    },
    /// A copy of the module was opened since. Nothing was done, and this module does nothing more.
    Copied {
        /// What was seen.
        problem: String,
    },
    /// The module is locked, or the caller is no longer signed in. Nothing was done: sign in and repeat.
    Closed {
        /// What is missing.
        problem: String,
    },
}

/// Why there is no answer to a single request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModuleError {
    /// The module refused. Correct the request, or call a person.
    Refused(Refusal),
    /// Something failed. Repeat the same request.
    Fault(ModuleFault),
}

prepay_basics::codes! {
    ModuleFault {
        NoAnswer = "no_answer",
        Storage = "storage",
        Clock = "clock_behind",
        Witness = "witness_missing",
        Copied = "vault_copied",
        Closed = "closed",
    }
}

impl ModuleFault {
    fn nonsense(what: &str) -> Self {
        Self::NoAnswer { problem: format!("the module answered with {what}") }
    }
}

impl From<Refusal> for ModuleError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<ModuleFault> for ModuleError {
    fn from(fault: ModuleFault) -> Self {
        Self::Fault(fault)
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestId({self})")
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NamesUnreadable { from, to, in_log } => {
                write!(
                    f,
                    "the record of requests carried out from {from} to {to} is damaged, and this one may be in it: "
                )?;
                f.write_str(if *in_log {
                    "the module makes the record anew from its audit log; repeat the request later"
                } else {
                    "the audit log does not have them either; use another name only if this request was not \
                     carried out before"
                })
            }
            Self::RequestConflict => f.write_str(
                "a request with this identifier was already carried out, with other contents",
            ),
            Self::Pan { problem } | Self::Parameter { problem } => f.write_str(problem),
            Self::Register { register } => write!(f, "register {register} has no key"),
            Self::NotActive { register, activation, now } => write!(
                f,
                "the key of register {register} is not active: expected {activation} or later, \
                 found {now}"
            ),
            Self::IssueExpired { register, issued_until, now } => write!(
                f,
                "the key of register {register} must be loaded again: expected {issued_until} or \
                 earlier, found {now}"
            ),
            Self::KeyType { key_type, carrier } => match *key_type {
                VendingKeyType::DEFAULT => {
                    f.write_str("a default key (key type 1) issues no credit")
                }
                _ => write!(
                    f,
                    "a common key (key type 3) needs an erasable carrier: expected token carrier \
                     type 01, found {carrier}"
                ),
            },
            Self::KeyChangeRule(rule) => rule.fmt(f),
            Self::TokenCount { size, encryption } => {
                let expected = if encryption.key_bytes() == 16 { "4" } else { "2 or 3" };
                let found = size.count();
                write!(f, "number of tokens: expected {expected} for EA{encryption}, found {found}")
            }
            Self::SubClass { sub_class } => {
                write!(f, "the key may not issue sub-class {sub_class} of class 0")
            }
            Self::IdentifierWindow { identifier, now, minutes } => write!(
                f,
                "token identifier {identifier} is too far from the module's clock: expected at most \
                 {minutes} minutes from {now}"
            ),
            Self::KeyExpired { identifier, expiry } => write!(
                f,
                "key expired: expected an identifier in block {expiry} or earlier, found block {}",
                identifier.expiry_block()
            ),
            Self::CreditLimit { limit, asked, left } => {
                let unit = match *limit {
                    "ULM" => "tenths of a unit",
                    _ => "hundred-thousandths of the base currency",
                };
                write!(f, "credit limit {limit}: expected at most {left} {unit}, found {asked}")
            }
            Self::Transactions => f.write_str("the module's transaction counter is used up"),
            Self::IdentifierUsed { identifier, minute, next } => {
                write!(
                    f,
                    "token identifier {identifier} ({minute}) was used for this meter under this key: "
                )?;
                match next {
                    Some((next, minute)) => {
                        write!(f, "expected one that is free, such as {next} ({minute}), the next")
                    }
                    None => f.write_str("none is free in the week after it that the module takes"),
                }
            }
        }
    }
}

impl fmt::Display for KeyChangeRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cluster { from, to } => {
                write!(f, "key change across clusters: expected cluster {from}, found {to}")
            }
            Self::KeyType { from, to, carrier } => write!(
                f,
                "a key of type {to} may not replace one of type {from} on token carrier type {carrier}"
            ),
            Self::NewKeyExpired { expiry } => {
                write!(f, "the new key has expired: its expiry number is {expiry}")
            }
        }
    }
}

impl fmt::Display for ModuleFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAnswer { problem } => write!(f, "no answer from the module: {problem}"),
            Self::Storage { problem } => write!(f, "the module's storage failed: {problem}"),
            Self::Clock { problem } | Self::Witness { problem } | Self::Copied { problem } => {
                f.write_str(problem)
            }
            Self::Closed { problem } => write!(f, "the module is closed: {problem}"),
        }
    }
}

impl fmt::Display for ModuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Fault(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for Refusal {}
impl std::error::Error for ModuleFault {}
impl std::error::Error for ModuleError {}
