//! What a module is asked, from the fields of one JSON object to a checked request.
//!
//! Flags become the same object that a line of a session would be, so both follow the same rules. This is a
//! pure function of its input: it knows no key, no register's contents and no clock.
//!
//! - Form: `docs/formats/module-session.md`.
//! - Codes: `bad_json`, `missing_field`, `unknown_field`; `pan` (status 76) and `parameter` (status 40) as a module
//!   would refuse.

use prepay_kmp::attribute::RegisterNumber;
use prepay_module::{
    IssueRequest, KeyChangeRequest, MeterConfiguration, Refusal, RequestId, TokenRequest,
    VerifyRequest,
};
use prepay_records::{RecordCode, Rounding, TokenRecord, instruction as read_instruction};
use prepay_token::Class;
use prepay_token::element::{BaseDate, EncryptionAlgorithm, TokenIdentifier, UtcMinute};
use prepay_token::key_change::SetSize;
use serde_json::Value;

use crate::failure::Failure;

/// The fields of an object, in the order in which they stand.
pub(super) type Fields = Vec<(String, Value)>;

/// What a module is asked.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ask {
    /// Who it is.
    Identify,
    /// How it is.
    Status,
    /// Its clock.
    Clock,
    /// Its registers.
    Registers,
    /// To make something.
    Issue(Making),
    /// To read a token back.
    Verify(VerifyRequest),
}

/// Something to be made, as far as it is known before the base date of its key is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Making {
    request: IssueRequest,
    issued_at: Option<UtcMinute>,
}

impl Making {
    /// The register whose base date is needed.
    pub(super) const fn register(&self) -> RegisterNumber {
        match &self.request {
            IssueRequest::Token(token) => token.register,
            IssueRequest::KeyChange(change) => change.from,
        }
    }

    /// The whole request. Without a base date the register holds no key, and the module says so.
    pub(super) fn with_base_date(self, base: Option<BaseDate>) -> Result<IssueRequest, Failure> {
        let mut request = self.request;
        if let (Some(minute), Some(base)) = (self.issued_at, base) {
            let stamped = base.identifier_at(minute);
            let stamped = stamped.map_err(|error| parameter(format!("issued_at: {error}")))?;
            match &mut request {
                IssueRequest::Token(token) => token.identifier = stamped.unreserved(),
                IssueRequest::KeyChange(_) => {}
            }
        }
        Ok(request)
    }
}

/// Reads what a module is asked.
pub(super) fn read(mut fields: Fields) -> Result<Ask, Failure> {
    let op = text(&mut fields, "op")?;
    let ask = match op.as_str() {
        "identify" => Ask::Identify,
        "status" => Ask::Status,
        "clock" => Ask::Clock,
        "registers" => Ask::Registers,
        "issue_credit" | "issue_management" => Ask::Issue(token(&mut fields, &op)?),
        "issue_key_change" => Ask::Issue(key_change(&mut fields)?),
        "verify" => Ask::Verify(verify(&mut fields)?),
        _ => {
            let expected = "identify, status, clock, registers, issue_credit, issue_management, \
                            issue_key_change or verify";
            return Err(parameter(format!("op: expected {expected}, found {:?}", short(&op))));
        }
    };
    match fields.first() {
        Some((name, _)) => {
            let message = format!("{}: the operation {op} has no such field", short(name));
            Err(Failure::refused("unknown_field", message))
        }
        None => Ok(ask),
    }
}

/// A credit or management token.
fn token(fields: &mut Fields, op: &str) -> Result<Making, Failure> {
    let (id, meter) = (request_id(fields)?, meter(fields)?);
    let register = register(fields, "register")?;
    let rounding = match take(fields, "round") {
        None => Rounding::Exact,
        Some(Value::String(text)) if text == "exact" => Rounding::Exact,
        Some(Value::String(text)) if text == "up" => Rounding::Up,
        Some(_) => return Err(parameter("round: expected \"exact\" or \"up\"")),
    };
    let record = take(fields, "token").ok_or_else(|| missing("token"))?;
    let text = record.to_string();
    let record = TokenRecord::read(&text);
    let instruction = match &record.defect {
        Some(defect) => Err(defect.clone().of("token")),
        None => read_instruction(&record, rounding),
    };
    let instruction = instruction.map_err(|error| match error.code {
        RecordCode::BadJson | RecordCode::MissingField | RecordCode::UnknownField => {
            Failure::from(error)
        }
        _ => parameter(error.message),
    })?;
    let (issued_at, identifier) = stamp(fields)?;
    let wrong = |expected: &str| parameter(format!("token.type: {op} expects {expected}"));
    match (op, instruction.class()) {
        ("issue_credit", Class::Credit) | ("issue_management", Class::Management) => {}
        ("issue_credit", _) => return Err(wrong("credit or currency_credit")),
        _ => return Err(wrong("a token of class 2; tests and displays need no key")),
    }
    let token = TokenRequest { id, register, meter, instruction, identifier };
    Ok(Making { request: IssueRequest::Token(token), issued_at })
}

/// A set of key change tokens.
fn key_change(fields: &mut Fields) -> Result<Making, Failure> {
    let (id, meter) = (request_id(fields)?, meter(fields)?);
    let (from, to) = (register(fields, "from")?, register(fields, "to")?);
    let new_tariff_index = match take(fields, "new_ti") {
        None => meter.tariff_index,
        Some(value) => element("new_ti", "two digits", &value)?,
    };
    let size = match take(fields, "tokens").as_ref().map(Value::as_u64) {
        None if meter.encryption == EncryptionAlgorithm::Misty1 => SetSize::Four,
        None | Some(Some(2)) => SetSize::Two,
        Some(Some(3)) => SetSize::Three,
        Some(Some(4)) => SetSize::Four,
        Some(_) => return Err(parameter("tokens: expected 2, 3 or 4")),
    };
    let request = KeyChangeRequest { id, from, to, meter, new_tariff_index, size };
    Ok(Making { request: IssueRequest::KeyChange(request), issued_at: None })
}

fn verify(fields: &mut Fields) -> Result<VerifyRequest, Failure> {
    let meter = meter(fields)?;
    let register = register(fields, "register")?;
    let number = text(fields, "number")?;
    let token = number.parse().map_err(|error| parameter(format!("number: {error}")))?;
    Ok(VerifyRequest { register, meter, token })
}

/// The meter of a request.
fn meter(fields: &mut Fields) -> Result<MeterConfiguration, Failure> {
    let pan = text(fields, "pan")?;
    let pan = pan.parse().map_err(|error| {
        let refusal = Refusal::Pan { problem: format!("pan: {error}") };
        Failure::refused(refusal.code(), &refusal).status(refusal.status())
    })?;
    let mut needed = |name| take(fields, name).ok_or_else(|| missing(name));
    Ok(MeterConfiguration {
        pan,
        tariff_index: element("ti", "two digits", &needed("ti")?)?,
        encryption: element("ea", "\"07\", \"09\" or \"11\"", &needed("ea")?)?,
        carrier: element("tct", "two digits", &needed("tct")?)?,
    })
}

/// The minute of issue, or the identifier as it is.
fn stamp(fields: &mut Fields) -> Result<(Option<UtcMinute>, TokenIdentifier), Failure> {
    let begin = TokenIdentifier::try_from(0).expect("zero is an identifier");
    match (take(fields, "issued_at"), take(fields, "tid")) {
        (Some(Value::String(text)), None) => match prepay_records::time::minute(&text) {
            Some(minute) => Ok((Some(minute), begin)),
            None => Err(parameter(issued_at(&text))),
        },
        (Some(_), None) => Err(parameter(issued_at("another type"))),
        (None, Some(value)) => {
            let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
            match number.and_then(|number| TokenIdentifier::try_from(number).ok()) {
                Some(identifier) => Ok((None, identifier)),
                None => Err(parameter("tid: expected 0 to 16777215")),
            }
        }
        (Some(_), Some(_)) => {
            let message = "tid: give either tid or issued_at, not both";
            Err(Failure::refused("unknown_field", message))
        }
        (None, None) => Err(missing("issued_at or tid")),
    }
}

fn issued_at(found: &str) -> String {
    format!("issued_at: expected a UTC time as \"2004-03-01T13:55Z\", found {:?}", short(found))
}

/// The name of a request: 32 hexadecimal digits.
fn request_id(fields: &mut Fields) -> Result<Option<RequestId>, Failure> {
    let Some(value) = take(fields, "request") else { return Ok(None) };
    let id = value.as_str().and_then(hexadecimal_id);
    let id = id.ok_or_else(|| parameter("request: expected 32 hexadecimal digits in a string"))?;
    Ok(Some(id))
}

/// A request's name from 32 hexadecimal digits.
pub(super) fn hexadecimal_id(text: &str) -> Option<RequestId> {
    let is_hexadecimal = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = u128::from_str_radix(text, 16).ok().filter(|_| is_hexadecimal)?;
    Some(RequestId(number.to_be_bytes()))
}

fn register(fields: &mut Fields, name: &str) -> Result<RegisterNumber, Failure> {
    let value = take(fields, name).ok_or_else(|| missing(name))?;
    let number = value.as_u64().and_then(|number| u16::try_from(number).ok());
    let register = number.and_then(|number| RegisterNumber::try_from(number).ok());
    register.ok_or_else(|| parameter(format!("{name}: expected a register, 1 to 9999")))
}

/// Takes a field out.
pub(super) fn take(fields: &mut Fields, name: &str) -> Option<Value> {
    let place = fields.iter().position(|(found, _)| found == name)?;
    Some(fields.remove(place).1)
}

fn text(fields: &mut Fields, name: &str) -> Result<String, Failure> {
    match take(fields, name) {
        Some(Value::String(text)) => Ok(text),
        Some(_) if name == "pan" => {
            let refusal =
                Refusal::Pan { problem: "pan: expected 18 digits in a string".to_owned() };
            Err(Failure::refused(refusal.code(), &refusal).status(refusal.status()))
        }
        Some(_) => Err(parameter(format!("{name}: expected a string"))),
        None => Err(missing(name)),
    }
}

/// An element of the standard in its text form.
fn element<T: std::str::FromStr<Err: std::fmt::Display>>(
    name: &str,
    expected: &str,
    value: &Value,
) -> Result<T, Failure> {
    let text = value.as_str().ok_or_else(|| {
        parameter(format!("{name}: expected {expected} in a string, found another type"))
    })?;
    text.parse().map_err(|error| parameter(format!("{name}: {error}")))
}

fn missing(name: &str) -> Failure {
    Failure::refused("missing_field", format!("{name} is missing"))
}

fn parameter(problem: impl Into<String>) -> Failure {
    let refusal = Refusal::Parameter { problem: problem.into() };
    Failure::refused(refusal.code(), &refusal).status(refusal.status())
}

/// The beginning of a text that a message may repeat.
pub(super) fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests;
