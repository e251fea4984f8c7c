//! Lines that only a service answers: who signs in, what an auditor reads, back-ups, what custodians do.
//!
//! A passphrase goes from the line into a [`Secret`] without another copy: its text is read here, and not by the reader of
//! JSON, which does not wipe what it used.

use prepay_basics::Identifier;
use prepay_kmp::CentreId;
use prepay_kmp::attribute::RegisterNumber;
use prepay_records::element::{self, Field, needed, no_others};
use prepay_records::json::FieldValue;
use prepay_records::{Choice, Named as _, RecordCode, RecordError, Scalar, choices, record};
use prepay_vault::{AuditMark, Role, Secret};
use serde::de::Deserializer;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::error::SessionError;
use crate::request::{Line, LineId, Request};

/// The most entries of the audit log in one answer.
pub(super) const MOST_ENTRIES: u32 = 1000;

/// The longest passphrase, in bytes.
const LONGEST_PASSPHRASE: usize = 1024;

choices! {
    /// The operations of a service, with the fields that each takes beside `id` and `op`.
    pub(super) enum ServiceOperation ("an operation of a service") {
        /// To sign a person in.
        SignIn = "sign_in" ["name", "passphrase"],
        /// To sign everybody out.
        SignOut = "sign_out" [],
        /// To read entries of the audit log.
        Audit = "audit" ["from", "count"],
        /// To verify the audit log.
        AuditVerify = "audit_verify" ["noted"],
        /// To rotate the audit log.
        AuditRotate = "audit_rotate" [],
        /// To make a back-up.
        Backup = "backup" ["first_passphrase", "second_passphrase"],
        /// To list the people.
        Users = "users" [],
        /// To add a person.
        AddUser = "add_user" ["name", "role", "new_passphrase"],
        /// To remove a person.
        RemoveUser = "remove_user" ["name"],
        /// To set the passphrase of a person who forgot it.
        SetPassphrase = "set_passphrase" ["name", "new_passphrase"],
        /// To change one's own passphrase.
        ChangePassphrase = "change_passphrase" ["passphrase", "new_passphrase"],
        /// To accept the time of a clock that is behind.
        AcceptClock = "accept_clock" [],
        /// To list the centres.
        Slots = "slots" [],
        /// To write the module's enrolment.
        RequestEnrolment = "request_enrolment" [],
        /// To write a request to agree on keys.
        RequestAgreement = "request_agreement" ["centre"],
        /// To write a request for a key-load file.
        RequestKeyLoad = "request_key_load" ["centre"],
        /// To send a text from a centre, or the next part of it.
        Document = "document" ["text"],
        /// To show what the key-load file that was sent changes.
        Preview = "preview" [],
        /// To load the text that was sent.
        Load = "load" ["fingerprint"],
        /// To delete the key of a register.
        DeleteKey = "delete_key" ["register"],
        /// To revoke a centre.
        RevokeCentre = "revoke_centre" ["centre"],
        /// To let the module issue more tokens.
        Refill = "refill" ["transactions"],
    }
}

record! {
    /// The fields of one line.
    ServiceLine (1, strict),
    /// Repeated in the answer.
    id ("id"): LineId<'de>,
    /// What is asked.
    op ("op"): Choice<'de, ServiceOperation>,
    /// Who signs in.
    name ("name"): Scalar<'de>,
    /// The passphrase.
    passphrase ("passphrase"): PassphraseText<'de>,
    /// The first entry to read.
    from ("from"): Scalar<'de>,
    /// How many entries.
    count ("count"): Scalar<'de>,
    /// An entry that the log must have.
    noted ("noted"): Scalar<'de>,
    /// The back-up's passphrase of who signed in first.
    first_passphrase ("first_passphrase"): PassphraseText<'de>,
    /// The back-up's passphrase of who signed in second.
    second_passphrase ("second_passphrase"): PassphraseText<'de>,
    /// The role of a new person.
    role ("role"): Scalar<'de>,
    /// A new passphrase.
    new_passphrase ("new_passphrase"): PassphraseText<'de>,
    /// A centre.
    centre ("centre"): Scalar<'de>,
    /// A part of a text from a centre.
    text ("text"): Scalar<'de>,
    /// The fingerprint of a centre.
    fingerprint ("fingerprint"): Scalar<'de>,
    /// A register.
    register ("register"): Scalar<'de>,
    /// How many more tokens.
    transactions ("transactions"): Scalar<'de>,
}

/// What a service is asked.
pub(super) enum ServiceRequest {
    /// To sign a person in.
    SignIn { name: Identifier, passphrase: Secret },
    /// To sign everybody out.
    SignOut,
    /// To read entries of the audit log.
    Audit { from: u64, count: u32 },
    /// To verify the audit log.
    AuditVerify { noted: Option<AuditMark> },
    /// To rotate the audit log.
    AuditRotate,
    /// To make a back-up.
    Backup { passphrases: [Secret; 2] },
    /// To list the people.
    Users,
    /// To change the people, the clock, or what the module knows of centres: the operation and its fields.
    Change(&'static str, Change),
    /// To list the centres.
    Slots,
    /// To write the module's enrolment.
    RequestEnrolment,
    /// To take in a part of a text.
    Document { text: String },
    /// To show what the key-load file that was sent changes.
    Preview,
    /// What every session answers.
    Module(Request),
}

/// What changes the module, and is noted by whoever runs the service.
pub(super) enum Change {
    /// To add a person.
    AddUser { name: Identifier, role: Role, passphrase: Secret },
    /// To remove a person.
    RemoveUser { name: Identifier },
    /// To set the passphrase of a person who forgot it.
    SetPassphrase { name: Identifier, passphrase: Secret },
    /// To change one's own passphrase.
    OwnPassphrase { old: Secret, new: Secret },
    /// To accept the time of a clock that is behind.
    AcceptClock,
    /// To write a request to agree on keys.
    RequestAgreement { centre: CentreId },
    /// To write a request for a key-load file.
    RequestKeyLoad { centre: CentreId },
    /// To load the text that was sent.
    Load { fingerprint: Option<String> },
    /// To delete the key of a register.
    DeleteKey { register: RegisterNumber },
    /// To revoke a centre.
    RevokeCentre { centre: CentreId },
    /// To let the module issue more tokens.
    Refill { added: u64 },
}

/// One line that was read.
pub(super) struct AnyLine {
    /// What the answer repeats.
    pub(super) id: Option<Box<RawValue>>,
    /// The request, or why it is none.
    pub(super) request: Result<ServiceRequest, SessionError>,
}

impl AnyLine {
    /// Reads one line, without its end.
    pub(super) fn read(line: &[u8]) -> Self {
        // So that a line with a passphrase is read here only, and the others are not read twice.
        let names_one = memchr::memmem::find_iter(line, b"\"op\"").any(|at| {
            let value = line[at + 4..].trim_ascii_start().strip_prefix(b":");
            let name = value.and_then(|value| value.trim_ascii_start().strip_prefix(b"\""));
            name.is_some_and(|name| {
                ServiceOperation::ALL.iter().any(|op| {
                    let rest = name.strip_prefix(op.name().as_bytes());
                    rest.is_some_and(|rest| rest.first() == Some(&b'"'))
                })
            })
        });
        if names_one {
            let fields = ServiceLine::read_line(line);
            if let Some(Choice::Known(op)) = fields.op {
                let id = fields.id.map(|LineId(id)| id.to_owned());
                return Self { id, request: read(&fields, op).map_err(SessionError::from) };
            }
        }
        let Line { id, request } = Line::read(line);
        Self { id, request: request.map(ServiceRequest::Module) }
    }
}

fn read(fields: &ServiceLine<'_>, op: ServiceOperation) -> Result<ServiceRequest, RecordError> {
    if let Some(defect) = &fields.defect {
        return Err(defect.clone());
    }
    let owner = format_args!("the operation {}", op.name());
    no_others(fields.given(), [&["id", "op"], op.fields()], "", owner)?;
    let secret =
        |name, field: &Option<PassphraseText<'_>>| needed(name, field.as_ref())?.secret(name);
    let change = |change| ServiceRequest::Change(op.name(), change);
    Ok(match op {
        ServiceOperation::SignIn => {
            let name = person(fields)?;
            ServiceRequest::SignIn { name, passphrase: secret("passphrase", &fields.passphrase)? }
        }
        ServiceOperation::SignOut => ServiceRequest::SignOut,
        ServiceOperation::Audit => {
            let from = number("from", "the number of an entry, from 1", &fields.from)?;
            let count = number("count", "1 to 1000", &fields.count)?;
            let count = count.map_or(Some(MOST_ENTRIES), |count| u32::try_from(count).ok());
            let count = count.filter(|count| (1..=MOST_ENTRIES).contains(count));
            ServiceRequest::Audit {
                from: from.unwrap_or(1),
                count: count.ok_or_else(|| refused("count", "1 to 1000"))?,
            }
        }
        ServiceOperation::AuditVerify => {
            let expected = "an entry as audit_verify answered it";
            ServiceRequest::AuditVerify { noted: text("noted", expected, &fields.noted)? }
        }
        ServiceOperation::AuditRotate => ServiceRequest::AuditRotate,
        ServiceOperation::Backup => ServiceRequest::Backup {
            passphrases: [
                secret("first_passphrase", &fields.first_passphrase)?,
                secret("second_passphrase", &fields.second_passphrase)?,
            ],
        },
        ServiceOperation::Users => ServiceRequest::Users,
        ServiceOperation::AddUser => change(Change::AddUser {
            name: person(fields)?,
            role: needed("role", text("role", "custodian, operator or auditor", &fields.role)?)?,
            passphrase: secret("new_passphrase", &fields.new_passphrase)?,
        }),
        ServiceOperation::RemoveUser => change(Change::RemoveUser { name: person(fields)? }),
        ServiceOperation::SetPassphrase => change(Change::SetPassphrase {
            name: person(fields)?,
            passphrase: secret("new_passphrase", &fields.new_passphrase)?,
        }),
        ServiceOperation::ChangePassphrase => change(Change::OwnPassphrase {
            old: secret("passphrase", &fields.passphrase)?,
            new: secret("new_passphrase", &fields.new_passphrase)?,
        }),
        ServiceOperation::AcceptClock => change(Change::AcceptClock),
        ServiceOperation::Slots => ServiceRequest::Slots,
        ServiceOperation::RequestEnrolment => ServiceRequest::RequestEnrolment,
        ServiceOperation::RequestAgreement => {
            change(Change::RequestAgreement { centre: centre(fields)? })
        }
        ServiceOperation::RequestKeyLoad => {
            change(Change::RequestKeyLoad { centre: centre(fields)? })
        }
        ServiceOperation::Document => {
            let value = needed("text", fields.text.as_ref())?;
            let text = element::text(RecordCode::ValueRange, "text", "a part of a text", value)?;
            ServiceRequest::Document { text: text.to_owned() }
        }
        ServiceOperation::Preview => ServiceRequest::Preview,
        ServiceOperation::Load => {
            let told = text("fingerprint", "a fingerprint in a string", &fields.fingerprint)?;
            change(Change::Load { fingerprint: told })
        }
        ServiceOperation::DeleteKey => {
            let register = crate::request::register("register", &fields.register)?;
            change(Change::DeleteKey { register })
        }
        ServiceOperation::RevokeCentre => change(Change::RevokeCentre { centre: centre(fields)? }),
        ServiceOperation::Refill => {
            let added = number("transactions", "a number, from 1", &fields.transactions)?;
            change(Change::Refill { added: needed("transactions", added)? })
        }
    })
}

fn person(fields: &ServiceLine<'_>) -> Result<Identifier, RecordError> {
    needed("name", text("name", "the name of a person", &fields.name)?)
}

fn centre(fields: &ServiceLine<'_>) -> Result<CentreId, RecordError> {
    needed("centre", text("centre", "the name of a centre", &fields.centre)?)
}

/// A value that a text stands for. The message does not repeat the text: somebody may put a passphrase there.
fn text<T: std::str::FromStr>(
    name: &str,
    expected: &str,
    field: &Field<'_>,
) -> Result<Option<T>, RecordError> {
    let Some(value) = field else { return Ok(None) };
    let text = element::text(RecordCode::ValueRange, name, expected, value)?;
    text.parse().map(Some).map_err(|_| refused(name, expected))
}

fn number(name: &str, expected: &str, field: &Field<'_>) -> Result<Option<u64>, RecordError> {
    match field {
        None => Ok(None),
        Some(Scalar::Integer(number @ 1..)) => Ok(Some(number.unsigned_abs())),
        Some(_) => Err(refused(name, expected)),
    }
}

fn refused(field: &str, expected: &str) -> RecordError {
    let message = format!("{field}: expected {expected}, found something else");
    RecordError::new(RecordCode::ValueRange, message)
}

/// A passphrase as it stands in a line.
#[derive(Clone, Copy)]
struct PassphraseText<'a>(&'a RawValue);

impl<'de> FieldValue<'de> for PassphraseText<'de> {
    fn fill<D: Deserializer<'de>>(
        _: &'static str,
        place: &mut Option<Self>,
        value: D,
    ) -> Result<Option<RecordError>, D::Error> {
        *place = Some(Self(<&RawValue as serde::Deserialize>::deserialize(value)?));
        Ok(None)
    }
}

impl PassphraseText<'_> {
    /// The passphrase.
    fn secret(&self, field: &str) -> Result<Secret, RecordError> {
        let expected = "a string of 1 to 1024 bytes";
        unescaped(self.0.get())
            .filter(|bytes| (1..=LONGEST_PASSPHRASE).contains(&bytes.len()))
            .map(|mut bytes| Secret::from(std::mem::take(&mut *bytes)))
            .ok_or_else(|| refused(field, expected))
    }
}

/// The bytes of a string of JSON that is known to be well formed. Nothing for any other value.
fn unescaped(json: &str) -> Option<Zeroizing<Vec<u8>>> {
    let text = json.strip_prefix('"')?.strip_suffix('"')?;
    // The bytes never outgrow the text, so that no part of them is left behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        let character = match character {
            '\\' => match rest.next()? {
                'b' => '\u{8}',
                'f' => '\u{C}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => {
                    let high = unit(&mut rest)?;
                    let units = match high {
                        0xD800..0xDC00 => {
                            rest.as_str().strip_prefix("\\u")?;
                            rest.nth(1);
                            vec![high, unit(&mut rest)?]
                        }
                        _ => vec![high],
                    };
                    char::decode_utf16(units).next()?.ok()?
                }
                other => other,
            },
            character => character,
        };
        bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
    Some(bytes)
}

/// Four hexadecimal digits.
fn unit(text: &mut std::str::Chars<'_>) -> Option<u16> {
    let digits = text.as_str().get(..4)?;
    text.nth(3);
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_is_read_as_the_reader_of_json_would_read_it() {
        for json in [
            r#""""#,
            r#""plain words""#,
            r#""say \"x\" \\ \/ \b\f\n\r\t""#,
            r#""\u00e9\u20AC\ud83d\uDE00 é€😀""#,
        ] {
            let expected: String = serde_json::from_str(json).unwrap();
            assert_eq!(**unescaped(json).unwrap(), *expected.as_bytes(), "{json}");
        }
        for json in ["5", "null", "{}", r#""\ud83d""#, r#""\ud83dx""#, r#""\udc00""#] {
            assert!(unescaped(json).is_none(), "{json}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_line_is_said_without_its_passphrase() {
        for (line, code) in [
            (r#"{"op":"sign_in","name":"ann"}"#, "missing_field"),
            (r#"{"op":"sign_in","passphrase":"TOP-WORD"}"#, "missing_field"),
            (r#"{"op":"sign_in","name":"TOP-WORD !","passphrase":"x"}"#, "parameter"),
            (r#"{"op":"sign_in","name":"ann","passphrase":["TOP-WORD"]}"#, "parameter"),
            (r#"{"op":"sign_in","name":"ann","passphrase":""}"#, "parameter"),
            (r#"{"op":"sign_in","name":"ann","passphrase":"TOP-WORD","x":1}"#, "unknown_field"),
            (r#"{"op":"sign_in","name":"ann","passphrase":"TOP-WORD""#, "bad_json"),
            (r#"{"op":"sign_out","passphrase":"TOP-WORD"}"#, "unknown_field"),
            (r#"{"op":"audit","from":0}"#, "parameter"),
            (r#"{"op":"audit","count":1001}"#, "parameter"),
            (r#"{"op":"audit_verify","noted":"7-AB"}"#, "parameter"),
            (r#"{"op":"audit_rotate","count":1}"#, "unknown_field"),
            (r#"{"op":"backup","first_passphrase":"TOP-WORD"}"#, "missing_field"),
            (r#"{"op":"clock","id":"backup","passphrase":"TOP-WORD"}"#, "unknown_field"),
            (r#"{"passphrase":"TOP-WORD", "op" : "sign_out"}"#, "unknown_field"),
            (
                r#"{"op":"add_user","name":"max","role":"owner","new_passphrase":"TOP-WORD"}"#,
                "parameter",
            ),
            (r#"{"op":"add_user","name":"max","new_passphrase":"TOP-WORD"}"#, "missing_field"),
            (r#"{"op":"set_passphrase","name":"max","passphrase":"TOP-WORD"}"#, "unknown_field"),
            (r#"{"op":"change_passphrase","new_passphrase":"TOP-WORD"}"#, "missing_field"),
            (r#"{"op":"refill","transactions":0}"#, "parameter"),
            (r#"{"op":"refill","transactions":"5"}"#, "parameter"),
            (r#"{"op":"delete_key"}"#, "missing_field"),
            (r#"{"op":"revoke_centre","centre":""}"#, "parameter"),
            (r#"{"op":"document","text":5}"#, "parameter"),
            (r#"{"op":"load","document":"x"}"#, "unknown_field"),
        ] {
            let Err(error) = AnyLine::read(line.as_bytes()).request else { panic!("{line}") };
            assert_eq!(error.code(), code, "{line}: {error}");
            assert!(!error.to_string().contains("TOP-WORD"), "{error}");
        }
    }
}
