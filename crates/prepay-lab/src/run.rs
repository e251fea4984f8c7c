//! The four operations: from a request to its answer.
//!
//! Checks run in this order, and the first that fails is the answer: shape of the line, operation, fields
//! that the operation does not have, meter and algorithm, key, token, identifier, what the key may carry.

use std::rc::Rc;

use prepay_token::element::{
    BaseDate, EncryptionAlgorithm, IssueTimeError, KeyType, MeterPan, TokenIdentifier, UtcMinute,
};
use prepay_token::key::{KeyTransitions, TokenCipher, TransitionPermission, UseError, check_use};
use prepay_token::key_change::{KeyChangeError, KeyChangeSet, NewKey, Rollover, SetSize};
use prepay_token::{
    ClearBlock, ElementProblem, OpenError, Stamp, Token, TokenData, TokenDataError, open,
    open_in_clear, seal, seal_in_clear,
};

use crate::answer::{Answer, Derived, Issued, KeyChanged, Opened};
use crate::code::{ErrorCode, LabError};
use crate::field::{self, needed, text, wrong};
use crate::key::{Key, KnownKeys, ResolvedKey, show_test_key};
use crate::record::{KeyRecord, Request, Scalar};
use crate::time;
use crate::token_record::{self, OpenedToken, Rounding, coded};

/// The operations, with the fields that each takes beside `id` and `op`.
const OPERATIONS: &[(&str, &[&str])] = &[
    ("issue", &["pan", "ea", "key", "token", "issued_at", "tid", "rnd", "round"]),
    ("open", &["pan", "ea", "key", "number"]),
    ("derive", &["pan", "ea", "key"]),
    ("key_change", &["pan", "ea", "from", "to", "tokens"]),
];

/// A laboratory: answers requests, and remembers prepared vending keys between them.
#[derive(Default)]
pub struct Lab {
    keys: KnownKeys,
    transitions: KeyTransitions,
}

impl Lab {
    /// Answers one request.
    ///
    /// # Errors
    ///
    /// [`LabError`] with the code and the message that the format lays down. Nothing is remembered of a
    /// request that fails.
    pub fn answer(&mut self, request: &Request<'_>) -> Result<Answer, LabError> {
        if let Some(defect) = &request.defect {
            return Err(defect.clone());
        }
        // Keys are looked into late, but what is wrong with their shape comes before all else.
        self.answer_shaped(request).map_err(|error| request.key_defect().unwrap_or(error))
    }

    /// Answers a request whose shape is right, but for its keys.
    fn answer_shaped(&mut self, request: &Request<'_>) -> Result<Answer, LabError> {
        let value = needed("op", request.op.as_ref())?;
        let expected = "issue, open, derive or key_change";
        let op = text(ErrorCode::ValueRange, "op", expected, value)?;
        let (op, taken) = OPERATIONS
            .iter()
            .find(|(name, _)| *name == op)
            .ok_or_else(|| wrong(ErrorCode::ValueRange, "op", expected, value))?;
        let allowed = |field: &str| field == "id" || field == "op" || taken.contains(&field);
        if let Some(field) = request.given().find(|field| !allowed(field)) {
            let message = format!("{field}: the operation {op} has no such field");
            return Err(LabError::new(ErrorCode::UnknownField, message));
        }
        let meter = Meter {
            pan: field::pan(&request.pan)?,
            ea: field::ea(&request.ea)?,
            key: match &request.key {
                Some(source) => Some(self.keys.read("key", source)?),
                None => None,
            },
        };
        match *op {
            "issue" => issue(request, &meter).map(Answer::Issued),
            "open" => open_number(request, &meter).map(|opened| Answer::Opened(Box::new(opened))),
            "derive" => derive(&meter).map(Answer::Derived),
            _ => self.key_change(request, &meter).map(Answer::KeyChanged),
        }
    }

    /// The key that a record makes for a meter.
    ///
    /// # Errors
    ///
    /// [`LabError`] as for a request with this record in the field `key`.
    pub fn key(
        &mut self,
        record: KeyRecord<'_>,
        pan: Option<MeterPan>,
        ea: EncryptionAlgorithm,
    ) -> Result<ResolvedKey, LabError> {
        self.keys.read("key", &record.into())?.resolve(pan, ea)
    }

    fn key_change(&mut self, request: &Request<'_>, meter: &Meter) -> Result<KeyChanged, LabError> {
        let ea = needed("ea", meter.ea)?;
        let (size, listed) = set_size(needed("tokens", request.tokens.as_ref())?, ea)?;
        let mut resolve = |name, source: &Option<_>| {
            self.keys.read(name, needed(name, source.as_ref())?)?.resolve(meter.pan, ea)
        };
        let ResolvedKey { key: current, attributes: from } = resolve("from", &request.from)?;
        let ResolvedKey { key, attributes: to } = resolve("to", &request.to)?;
        let from_type = needed("from.kt", from.key_type)?;
        let to_type = needed("to.kt", to.key_type)?;
        if self.transitions.permission(from_type, to_type) == TransitionPermission::Never {
            let (from, to) = (from_type.decoder_key_name(), to_type.decoder_key_name());
            let message = format!("to.kt: a key of type {from} must not be followed by {to}");
            return Err(LabError::new(ErrorCode::KtForbidden, message));
        }
        let rollover = match (from.base_date, to.base_date) {
            (Some(from), Some(to)) => Rollover::between(from, to),
            (None, None) => Rollover::Keep,
            (None, Some(_)) => return Err(base_date_unknown("from.base_date")),
            (Some(_), None) => return Err(base_date_unknown("to.base_date")),
        };
        if to_type != KeyType::Initialization {
            needed("to.krn", to.key_revision)?;
        }
        if size != SetSize::Two {
            needed("to.sgc", to.supply_group)?;
        }
        let new = NewKey {
            key,
            key_type: to_type,
            key_revision: to.key_revision,
            expiry: to.expiry,
            tariff_index: needed("to.ti", to.tariff_index)?,
            supply_group: to.supply_group,
        };
        let set = KeyChangeSet::new(&new, size, rollover)
            .expect("size, supply group and revision are checked above");
        let cipher = TokenCipher::new(&current);
        let numbers = set
            .sections()
            .take(listed)
            .map(|section| seal(&Token::KeyChange(section.clone()), &cipher))
            .collect();
        Ok(KeyChanged { numbers, rollover: rollover == Rollover::Forget })
    }
}

/// The fields that every operation shares.
struct Meter {
    pan: Option<MeterPan>,
    ea: Option<EncryptionAlgorithm>,
    key: Option<Rc<Key>>,
}

impl Meter {
    /// The key of a request that has to have one.
    fn key(&self) -> Result<ResolvedKey, LabError> {
        let key = needed("key", self.key.as_ref())?;
        key.resolve(self.pan, needed("ea", self.ea)?)
    }
}

fn issue(request: &Request<'_>, meter: &Meter) -> Result<Issued, LabError> {
    let rounding = rounding(request)?;
    let record = needed("token", request.token.as_ref())?;
    let random = field::rnd(&request.rnd)?;
    let instruction = token_record::read(record, rounding)?;
    if !instruction.class().is_enciphered() {
        // Class 1 carries no time, but what is given must still be one.
        request.issued_at.as_ref().map(issue_time).transpose()?;
        request.tid.as_ref().map(field::tid).transpose()?;
        let token = instruction.stamped(Stamp::default());
        let data = seal_in_clear(&token).expect("the class travels in clear");
        return Ok(issued(&token, data, None));
    }
    let ResolvedKey { key, attributes } = meter.key()?;
    let identifier = identifier(request, attributes.base_date)?;
    let token = instruction.stamped(Stamp { identifier, random });
    check_use(&token, attributes.key_type, attributes.expiry).map_err(use_error)?;
    let data = seal(&token, &TokenCipher::new(&key));
    Ok(issued(&token, data, attributes.base_date))
}

/// The minute of an `issued_at` field.
fn issue_time(value: &Scalar<'_>) -> Result<UtcMinute, LabError> {
    let minute = match value {
        Scalar::Text(text) => time::parse(text),
        _ => None,
    };
    minute.ok_or_else(|| {
        let expected = "a UTC time as \"2004-03-01T13:55Z\"";
        wrong(ErrorCode::ValueRange, "issued_at", expected, value)
    })
}

/// The identifier of a token to be made: a literal one as it is, a time without the reserved minutes.
fn identifier(
    request: &Request<'_>,
    base_date: Option<BaseDate>,
) -> Result<TokenIdentifier, LabError> {
    let value = match (&request.tid, &request.issued_at) {
        (Some(tid), None) => return field::tid(tid),
        (None, Some(value)) => value,
        (Some(_), Some(_)) => {
            let message = "tid: give either tid or issued_at, not both";
            return Err(LabError::new(ErrorCode::UnknownField, message));
        }
        (None, None) => return Err(LabError::missing("issued_at or tid")),
    };
    let minute = issue_time(value)?;
    let base_date = base_date.ok_or_else(|| base_date_unknown("issued_at"))?;
    Ok(base_date.identifier_at(minute).map_err(issue_time_error)?.unreserved())
}

fn open_number(request: &Request<'_>, meter: &Meter) -> Result<Opened, LabError> {
    let data = number(needed("number", request.number.as_ref())?)?;
    if !data.class().is_enciphered() {
        let token = open_in_clear(data).map_err(LabError::from)?;
        return Ok(opened(&token, None));
    }
    let ResolvedKey { key, attributes } = meter.key()?;
    let token = open(data, &TokenCipher::new(&key)).map_err(LabError::from)?;
    Ok(opened(&token, attributes.base_date))
}

fn derive(meter: &Meter) -> Result<Derived, LabError> {
    if meter.key.as_ref().is_some_and(|key| key.is_decoder_key()) {
        let message = "key.decoder_key: a decoder key is not derived, give a vending_key";
        return Err(LabError::new(ErrorCode::UnknownField, message));
    }
    Ok(Derived { decoder_key: show_test_key(&meter.key()?.key) })
}

fn rounding(request: &Request<'_>) -> Result<Rounding, LabError> {
    match &request.round {
        None => Ok(Rounding::Exact),
        Some(Scalar::Text(text)) if text == "exact" => Ok(Rounding::Exact),
        Some(Scalar::Text(text)) if text == "up" => Ok(Rounding::Up),
        Some(found) => Err(wrong(ErrorCode::ValueRange, "round", "\"exact\" or \"up\"", found)),
    }
}

/// The size of a set, and how many of its tokens the answer lists.
///
/// A 128-bit key takes a set of four. Asked for two of them, the answer lists the first two, as the
/// published runs of STS 531-1-0-04 do; a meter needs all four.
fn set_size(value: &Scalar<'_>, ea: EncryptionAlgorithm) -> Result<(SetSize, usize), LabError> {
    let size = match value {
        Scalar::Integer(2) if SetSize::Four.suits(ea) => return Ok((SetSize::Four, 2)),
        Scalar::Integer(2) => SetSize::Two,
        Scalar::Integer(3) => SetSize::Three,
        Scalar::Integer(4) => SetSize::Four,
        found => return Err(wrong(ErrorCode::KctCount, "tokens", "2, 3 or 4", found)),
    };
    if !size.suits(ea) {
        let error = KeyChangeError::SetSize { size, algorithm: ea };
        return Err(LabError::new(ErrorCode::KctCount, format!("tokens: {error}")));
    }
    Ok((size, usize::from(size.count())))
}

/// The token of a `number` field.
pub(crate) fn number(value: &Scalar<'_>) -> Result<TokenData, LabError> {
    let text = text(ErrorCode::NumberFormat, "number", "20 digits in a string", value)?;
    text.parse().map_err(|error| {
        let code = match error {
            TokenDataError::TooLarge => ErrorCode::NotAToken,
            TokenDataError::Length { .. } | TokenDataError::NotDigit { .. } => {
                ErrorCode::NumberFormat
            }
        };
        LabError::new(code, format!("number: {error}"))
    })
}

fn issued(token: &Token, number: TokenData, base_date: Option<BaseDate>) -> Issued {
    let identifier = token.identifier();
    let (amount, bits) = coded(token);
    Issued {
        number,
        class: token.class().number(),
        sub_class: token.sub_class(),
        tid: identifier.map(|identifier| identifier.value()),
        issued_at: identifier.and_then(|identifier| Some(base_date?.minute_of(identifier))),
        amount,
        bits,
        crc: ClearBlock::of(token).checksum_found(),
    }
}

fn opened(token: &Token, base_date: Option<BaseDate>) -> Opened {
    let identifier = token.identifier();
    Opened {
        class: token.class().number(),
        sub_class: token.sub_class(),
        token: OpenedToken::new(token),
        tid: identifier.map(|identifier| identifier.value()),
        issued_at: identifier.and_then(|identifier| Some(base_date?.minute_of(identifier))),
        rnd: token.random().map(|random| random.value()),
        crc: ClearBlock::of(token).checksum_found(),
    }
}

fn base_date_unknown(field: &str) -> LabError {
    let message = format!("{field}: the key has no base_date to count from");
    LabError::new(ErrorCode::BaseDateUnknown, message)
}

fn issue_time_error(error: IssueTimeError) -> LabError {
    let code = match error {
        IssueTimeError::BeforeBaseDate { .. } => ErrorCode::IssueTimeBeforeBaseDate,
        IssueTimeError::AfterRange { .. } => ErrorCode::TidRange,
    };
    LabError::new(code, format!("issued_at: {error}"))
}

fn use_error(error: UseError) -> LabError {
    let code = match error {
        UseError::CreditUnderDefaultKey => ErrorCode::KtForbidden,
        UseError::KeyExpired { .. } => ErrorCode::KeyExpired,
    };
    LabError::new(code, format!("key: {error}"))
}

impl From<OpenError> for LabError {
    /// The refusal of a token that does not open.
    fn from(error: OpenError) -> Self {
        let code = match error {
            OpenError::ReservedClass => ErrorCode::ClassReserved,
            OpenError::Checksum { .. } => ErrorCode::Crc,
            OpenError::ReservedSubClass { .. } => ErrorCode::SubClassReserved,
            OpenError::KeyNeeded { .. } => ErrorCode::MissingField,
            OpenError::Element { problem, .. } => match problem {
                ElementProblem::ManufacturerCode(_) => ErrorCode::MfrCodeFormat,
                ElementProblem::Control(_) => ErrorCode::ControlRange,
                ElementProblem::Register(_) => ErrorCode::RegisterRange,
                ElementProblem::KeyRevision(_) => ErrorCode::KrnRange,
                ElementProblem::TariffIndex(_) => ErrorCode::TiFormat,
                ElementProblem::SupplyGroup(_) => ErrorCode::SgcFormat,
                _ => ErrorCode::ValueRange,
            },
            _ => ErrorCode::ValueRange,
        };
        LabError::new(code, format!("number: {error}"))
    }
}
