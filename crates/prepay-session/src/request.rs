//! What a module is asked: the shape of a line, and the typed request in it.
//!
//! - The shape is checked first: one object, no field twice, no field that the operation does not have. Then each
//!   field.
//! - The identifier of a token needs the base date of its key, which is in the register.

use prepay_kmp::attribute::RegisterNumber;
use prepay_module::{
    IssueRequest, KeyChangeRequest, MeterConfiguration, RequestId, TokenRequest, VerifyRequest,
};
use prepay_records::element::{self, Field, When, needed, no_others, wrong};
use prepay_records::json::FieldValue;
use prepay_records::{
    Choice, Named as _, RecordCode, RecordError, Rounding, Scalar, TokenRecord, choices, hex,
    instruction, needed_choice, record, rounding,
};
use prepay_token::Class;
use prepay_token::element::{BaseDate, TokenCarrierKind, TokenCarrierType, TokenIdentifier};
use prepay_token::key_change::SetSize;
use serde::de::Deserializer;
use serde_json::value::RawValue;

use crate::error::SessionError;

/// The longest `id` that is text, in bytes.
const LONGEST_ID: usize = 200;

choices! {
    /// The operations, with the fields that each takes beside `id` and `op`.
    pub enum Operation ("identify, status, clock, registers, issue_credit, issue_management, \
                         issue_key_change or verify") {
        /// Who the module is.
        Identify = "identify" [],
        /// Its state.
        Status = "status" [],
        /// Its clock.
        Clock = "clock" [],
        /// Its registers.
        Registers = "registers" [],
        /// To make a token of class 0.
        IssueCredit = "issue_credit" ["request", "register", "pan", "ea", "ti", "tct", "token", "round", "issued_at", "tid"],
        /// To make a token of class 2.
        IssueManagement = "issue_management" ["request", "register", "pan", "ea", "ti", "tct", "token", "round", "issued_at", "tid"],
        /// To make the tokens that give a meter a new key.
        IssueKeyChange = "issue_key_change" ["request", "from", "to", "pan", "ea", "ti", "tct", "new_ti", "tokens"],
        /// To read a token back.
        Verify = "verify" ["register", "pan", "ea", "ti", "tct", "number"],
    }
}

record! {
    /// The fields of one line.
    pub RequestLine (1, strict),
    /// Repeated in the answer.
    id ("id"): LineId<'de>,
    /// What is asked.
    op ("op"): Choice<'de, Operation>,
    /// The name of the request.
    request ("request"): Scalar<'de>,
    /// The register of the key.
    register ("register"): Scalar<'de>,
    /// The meter.
    pan ("pan"): Scalar<'de>,
    /// Its encryption algorithm.
    ea ("ea"): Scalar<'de>,
    /// Its tariff index.
    ti ("ti"): Scalar<'de>,
    /// Its token carrier type.
    tct ("tct"): Scalar<'de>,
    /// What a token is to do.
    token ("token"): TokenRecord<'de>,
    /// What to do with an amount that is finer than a token can carry.
    round ("round"): Choice<'de, Rounding>,
    /// The minute of issue.
    issued_at ("issued_at"): Scalar<'de>,
    /// The identifier, instead of a minute.
    tid ("tid"): Scalar<'de>,
    /// The register of the key that the meter has.
    from ("from"): Scalar<'de>,
    /// The register of its new key.
    to ("to"): Scalar<'de>,
    /// Its new tariff index.
    new_ti ("new_ti"): Scalar<'de>,
    /// How many key change tokens to make.
    tokens ("tokens"): Scalar<'de>,
    /// The digits of a token to read back.
    number ("number"): Scalar<'de>,
}

/// What an answer repeats: a short text or a whole number, as it was written.
#[derive(Clone, Copy, Debug)]
pub struct LineId<'a>(pub(crate) &'a RawValue);

impl<'de> FieldValue<'de> for LineId<'de> {
    fn fill<D: Deserializer<'de>>(
        field: &'static str,
        place: &mut Option<Self>,
        value: D,
    ) -> Result<Option<RecordError>, D::Error> {
        let id = <&RawValue as serde::Deserialize>::deserialize(value)?;
        let text = id.get();
        let is_one = match text.as_bytes().first() {
            Some(b'"') => {
                serde_json::from_str::<String>(text).is_ok_and(|id| id.len() <= LONGEST_ID)
            }
            // -0 is not accepted as a whole number.
            _ => text != "-0" && (text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok()),
        };
        if is_one {
            *place = Some(Self(id));
            return Ok(None);
        }
        let message =
            format!("{field}: expected a string of at most {LONGEST_ID} bytes or a whole number");
        Ok(Some(RecordError::new(RecordCode::BadJson, message)))
    }
}

/// One line that was read.
#[derive(Clone, Debug)]
pub struct Line {
    /// What the answer repeats; nothing when there is none, or it could not be read.
    pub id: Option<Box<RawValue>>,
    /// The request, or why it is not one.
    pub request: Result<Request, SessionError>,
}

impl Line {
    /// Reads one line, without its end. A pure function of any bytes.
    pub fn read(line: &[u8]) -> Self {
        let fields = RequestLine::read_line(line);
        let id = fields.id.map(|LineId(id)| id.to_owned());
        let request = Request::read(&fields).and_then(|request| match request {
            Request::Issue(Issue::Token(TokenIssue { when: None, .. })) => Err(no_time().into()),
            request => Ok(request),
        });
        Self { id, request }
    }
}

/// What a module is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Who it is.
    Identify,
    /// Its state.
    Status,
    /// Its clock.
    Clock,
    /// Its registers.
    Registers,
    /// To make something.
    Issue(Issue),
    /// To read a token back.
    Verify(VerifyRequest),
}

/// Something to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Issue {
    /// A token, whose identifier needs the base date of its key.
    Token(TokenIssue),
    /// A set of key change tokens.
    KeyChange(KeyChangeRequest),
}

/// A token to be made, at a minute or with an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenIssue {
    /// When; with nothing, the caller fills it in.
    pub when: Option<When>,
    /// All the rest; the identifier in it is a placeholder.
    pub request: TokenRequest,
}

impl Issue {
    /// The register whose base date is needed.
    pub const fn register(&self) -> RegisterNumber {
        match self {
            Self::Token(token) => token.request.register,
            Self::KeyChange(change) => change.from,
        }
    }

    /// The request for the module. Without a base date the register holds no key, and the module says so.
    ///
    /// # Errors
    ///
    /// [`SessionError`]: `parameter` when the minute lies outside the years of the base date, `missing_field` when
    /// there is neither minute nor identifier.
    pub fn with_base_date(self, base: Option<BaseDate>) -> Result<IssueRequest, SessionError> {
        let TokenIssue { when, mut request } = match self {
            Self::KeyChange(change) => return Ok(IssueRequest::KeyChange(change)),
            Self::Token(token) => token,
        };
        match (when.ok_or_else(no_time)?, base) {
            (When::At(_), None) => {}
            (when, base) => request.identifier = when.ordinary_identifier("issued_at", base)?,
        }
        Ok(IssueRequest::Token(request))
    }
}

fn no_time() -> RecordError {
    RecordError::missing("issued_at or tid")
}

impl Request {
    /// Reads fields, of a line or of flags.
    ///
    /// # Errors
    ///
    /// [`SessionError`], the first that applies.
    pub fn read(fields: &RequestLine<'_>) -> Result<Self, SessionError> {
        if let Some(defect) = &fields.defect {
            return Err(defect.clone().into());
        }
        let op = needed_choice(RecordCode::ValueRange, "op", &fields.op)?;
        let owner = format_args!("the operation {}", op.name());
        no_others(fields.given(), [&["id", "op"], op.fields()], "", owner)?;
        Ok(match op {
            Operation::Identify => Self::Identify,
            Operation::Status => Self::Status,
            Operation::Clock => Self::Clock,
            Operation::Registers => Self::Registers,
            Operation::IssueCredit | Operation::IssueManagement => {
                Self::Issue(Issue::Token(TokenIssue::read(fields, op)?))
            }
            Operation::IssueKeyChange => Self::Issue(Issue::KeyChange(key_change(fields)?)),
            Operation::Verify => Self::Verify(verify(fields)?),
        })
    }
}

impl TokenIssue {
    /// Reads a credit or management token.
    fn read(fields: &RequestLine<'_>, op: Operation) -> Result<Self, SessionError> {
        let (id, meter) = (name(&fields.request)?, meter(fields)?);
        let register = register("register", &fields.register)?;
        let rounding = rounding(&fields.round)?;
        let instruction = instruction(needed("token", fields.token.as_ref())?, rounding)?;
        let when = When::read(("issued_at", &fields.issued_at), ("tid", &fields.tid))?;
        let expected = match (op, instruction.class()) {
            (Operation::IssueCredit, Class::Credit)
            | (Operation::IssueManagement, Class::Management) => None,
            (Operation::IssueCredit, _) => Some("credit or currency_credit"),
            _ => Some("a token of class 2; tests and displays need no key"),
        };
        if let Some(expected) = expected {
            let problem = format!("token.type: {} expects {expected}", op.name());
            return Err(SessionError::parameter(problem));
        }
        let identifier = TokenIdentifier::from_low_bits(0);
        Ok(Self { when, request: TokenRequest { id, register, meter, instruction, identifier } })
    }
}

/// Reads a set of key change tokens.
fn key_change(fields: &RequestLine<'_>) -> Result<KeyChangeRequest, SessionError> {
    let (id, meter) = (name(&fields.request)?, meter(fields)?);
    let (from, to) = (register("from", &fields.from)?, register("to", &fields.to)?);
    let new_tariff_index = element::ti("new_ti", &fields.new_ti)?.unwrap_or(meter.tariff_index);
    let size = element::set_size("tokens", &fields.tokens)?;
    let size = size.unwrap_or(SetSize::smallest(meter.encryption));
    Ok(KeyChangeRequest { id, from, to, meter, new_tariff_index, size })
}

/// Reads a token to be read back.
fn verify(fields: &RequestLine<'_>) -> Result<VerifyRequest, SessionError> {
    let meter = meter(fields)?;
    let register = register("register", &fields.register)?;
    let token = element::token_number(needed("number", fields.number.as_ref())?)?;
    Ok(VerifyRequest { register, meter, token })
}

/// The meter of a request.
fn meter(fields: &RequestLine<'_>) -> Result<MeterConfiguration, RecordError> {
    Ok(MeterConfiguration {
        pan: needed("pan", element::pan(&fields.pan)?)?,
        tariff_index: needed("ti", element::ti("ti", &fields.ti)?)?,
        encryption: needed("ea", element::ea(&fields.ea)?)?,
        carrier: carrier(&fields.tct)?,
    })
}

/// The carrier of a meter's tokens: one that the standard assigns.
fn carrier(field: &Field<'_>) -> Result<TokenCarrierType, RecordError> {
    let carrier = needed("tct", element::carrier("tct", field)?)?;
    if carrier.kind() == TokenCarrierKind::Reserved {
        let message = format!("tct: expected an assigned carrier type, 01 to 08, found {carrier}");
        return Err(RecordError::new(RecordCode::ValueRange, message));
    }
    Ok(carrier)
}

pub(crate) fn register(name: &str, field: &Field<'_>) -> Result<RegisterNumber, RecordError> {
    let expected = "a register, 1 to 9999";
    let register = element::element::<u16, _>(RecordCode::ValueRange, name, expected, field)?;
    needed(name, register)
}

/// The name of a request, if it has one.
fn name(field: &Field<'_>) -> Result<Option<RequestId>, RecordError> {
    let Some(value) = field else { return Ok(None) };
    let expected = "32 hexadecimal digits or a UUID in a string";
    let text = element::text(RecordCode::ValueRange, "request", expected, value)?;
    let id = request_id(text);
    id.map(Some).ok_or_else(|| wrong(RecordCode::ValueRange, "request", expected, value))
}

/// A request's name from 32 hexadecimal digits, or from a UUID with its dashes.
pub fn request_id(text: &str) -> Option<RequestId> {
    let dashes = text.bytes().enumerate().filter(|(_, byte)| *byte == b'-').map(|(at, _)| at);
    if text.len() == 36 && dashes.eq([8, 13, 18, 23]) {
        return hex::decode(&text.replace('-', "")).map(RequestId);
    }
    hex::decode(text).map(RequestId)
}
