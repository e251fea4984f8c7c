//! Virtual meters, driven by lines of JSON: the format of `meter script`.
//!
//! The door of [`prepay_meter`]: records in, calls of the engine, records out. Every rule of a meter lives
//! there; here are names, the clock of each meter and its file.
//!
//! ```
//! let mut meters = prepay_lab::meter::Meters::in_memory();
//! let mut answers = Vec::new();
//! for line in [
//!     r#"{"id":1,"op":"new","meter":"m","pan":"600727000000000009","ea":"07","key":{"vending_key":
//!         "abababababababab","dkga":"02","sgc":"123456","krn":1,"kt":2,"ti":"01"}}"#,
//!     r#"{"id":2,"op":"enter","meter":"m","digits":"6647 5648 3167 5682 1785"}"#,
//!     r#"{"id":3,"op":"consume","meter":"m","watts":500,"seconds":3600}"#,
//! ] {
//!     assert_eq!(meters.answer_line(line.as_bytes(), &mut answers), Some(true));
//! }
//! assert_eq!(
//!     String::from_utf8(answers).unwrap(),
//!     "{\"id\":1,\"ok\":true}\n\
//!      {\"id\":2,\"result\":\"accept\",\"code\":1,\"type\":\"credit\",\
//!       \"service\":\"electricity\",\"amount\":\"1\"}\n\
//!      {\"id\":3,\"credit\":\"0.5\",\"switch\":\"closed\"}\n"
//! );
//! ```
//!
//! # Promises
//!
//! - One answer a line, in order. A line that fails changes nothing.
//! - No answer holds a key. The file of a meter does, as its storage must.
//! - In a directory, an answer leaves after the file of the meter is safe.
//!
//! # Map
//!
//! - [`MeterRequest`]: the shape of a line. [`Meters::answer`]: what it is answered with ([`MeterAnswer`]).
//! - [`Meters::answer_line`], [`Meters::answer_stream`]: text in, text out.

mod answer;
mod describe;
mod file;
mod glance;
mod profile;
mod record;
mod storage;
mod virtual_meter;

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use prepay_meter::Birth;
use prepay_token::element::{BaseDate, IssueTimeError, KeyType, TokenCarrierType, TokenIdentifier};
use prepay_token::key_change::NewKey;
use serde::Serialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

pub use answer::{
    Consumed, Done, Entered, MeterAnswer, MeterError, Pressed, PressedResult, StateRecord,
};
pub use glance::Glance;
pub use record::{
    FileRecord, LockoutRecord, MeterRequest, PolicyRecord, PriceRecord, Raw, TripRecord,
};

use crate::batch::{Summary, answer_lines};
use crate::code::{ErrorCode, LabError};
use crate::field::{self, needed, text, wrong};
use crate::key::KnownKeys;
use crate::record::Scalar;
use crate::time;
use profile::Parts;
use virtual_meter::{MOST_TIDS, VirtualMeter};

/// The operations, with the fields that each takes beside `id`, `op` and `meter`.
const OPERATIONS: &[(&str, &[&str])] = &[
    (
        "new",
        &[
            "pan",
            "ea",
            "key",
            "services",
            "currency",
            "kct",
            "tct",
            "manufactured_at",
            "manufactured_tid",
            "tids",
            "policy",
        ],
    ),
    ("enter", &["digits", "carrier"]),
    ("enter_binary", &["octets", "carrier"]),
    ("advance", &["seconds"]),
    ("consume", &["watts", "seconds"]),
    ("tamper", &[]),
    ("restart", &[]),
    ("power_cut", &["digits", "after_writes"]),
    ("state", &[]),
    ("key", &["press"]),
];

/// The usual number of identifiers.
const USUAL_TIDS: u16 = 50;

/// The longest name of a meter.
const LONGEST_NAME: usize = 64;

/// The extension of the file of a meter in a directory.
const EXTENSION: &str = "meter";

/// Meters by their names.
pub struct Meters {
    keys: KnownKeys,
    home: Home,
    meters: HashMap<String, Kept>,
}

/// Where the state of meters is.
enum Home {
    /// In this process only.
    Memory,
    /// In one file each.
    Directory(PathBuf),
    /// In one file, whatever the name.
    File(PathBuf),
}

/// A meter, and what its file says.
struct Kept {
    meter: VirtualMeter,
    /// The body of its file; empty when there is none yet.
    stored: Zeroizing<String>,
}

impl Meters {
    /// Meters that live as long as this value.
    pub fn in_memory() -> Self {
        Self::at(Home::Memory)
    }

    /// Meters in a directory, one file each, named after the meter. One program at a time may use it.
    ///
    /// # Errors
    ///
    /// Those of making the directory when there is none.
    pub fn in_directory(directory: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(directory)?;
        Ok(Self::at(Home::Directory(directory.to_owned())))
    }

    /// One meter in a file, whatever name the lines give it.
    pub fn in_file(file: &Path) -> Self {
        Self::at(Home::File(file.to_owned()))
    }

    fn at(home: Home) -> Self {
        Self { keys: KnownKeys::default(), home, meters: HashMap::new() }
    }

    /// Answers one line, without its line end, and says whether it succeeded.
    ///
    /// The answer is appended to `out` with a line end. A blank line has no answer.
    pub fn answer_line(&mut self, line: &[u8], out: &mut Vec<u8>) -> Option<bool> {
        if line.iter().all(u8::is_ascii_whitespace) {
            return None;
        }
        let request = MeterRequest::parse(line);
        let id = request.id.unwrap_or(RawValue::NULL);
        match self.answer(&request) {
            Ok(answer) => write_line(out, id, &answer),
            Err(error) => {
                let record = ErrorRecord { error: ErrorBody::new(&error) };
                write_line(out, id, &record);
                return Some(false);
            }
        }
        Some(true)
    }

    /// Answers every line of a stream.
    ///
    /// # Errors
    ///
    /// Those of reading and writing the stream. What becomes of a meter's file is told in the answers.
    pub fn answer_stream(&mut self, input: impl Read, output: impl Write) -> io::Result<Summary> {
        answer_lines(input, output, |line, out| self.answer_line(line, out))
    }

    /// Answers one request.
    ///
    /// # Errors
    ///
    /// [`MeterError`] with the code and the message that the format lays down. Nothing has changed then.
    pub fn answer(&mut self, request: &MeterRequest<'_>) -> Result<MeterAnswer, MeterError> {
        if let Some(defect) = &request.defect {
            return Err(defect.clone().into());
        }
        self.answer_shaped(request).map_err(|error| match request.inner_defect() {
            Some(defect) => defect.into(),
            None => error,
        })
    }

    fn answer_shaped(&mut self, request: &MeterRequest<'_>) -> Result<MeterAnswer, MeterError> {
        let value = needed("op", request.op.as_ref())?;
        let expected = "new, enter, enter_binary, advance, consume, tamper, restart, power_cut, \
                        state or key";
        let op = text(ErrorCode::ValueRange, "op", expected, value)?;
        let (op, taken) = OPERATIONS
            .iter()
            .find(|(name, _)| *name == op)
            .ok_or_else(|| wrong(ErrorCode::ValueRange, "op", expected, value))?;
        let allowed =
            |field: &str| ["id", "op", "meter"].contains(&field) || taken.contains(&field);
        if let Some(field) = request.given().find(|field| !allowed(field)) {
            let message = format!("{field}: the operation {op} has no such field");
            return Err(LabError::new(ErrorCode::UnknownField, message).into());
        }
        let name = name(needed("meter", request.meter.as_ref())?)?;
        if *op == "new" {
            return self.make(name, request);
        }
        self.load(name)?;
        let kept = self.meters.get_mut(name).expect("it has just been loaded");
        let answer = operate(&mut kept.meter, op, request)?;
        self.store(name)?;
        Ok(answer)
    }

    /// Makes a meter.
    fn make(&mut self, name: &str, request: &MeterRequest<'_>) -> Result<MeterAnswer, MeterError> {
        let path = self.path(name);
        let is_there = self.meters.contains_key(name)
            || path.as_ref().is_some_and(|path| path.symlink_metadata().is_ok());
        if is_there {
            let message = match path {
                Some(path) => format!("meter: there is one already, in {}", path.display()),
                None => format!("meter: \"{name}\" is there already"),
            };
            return Err(LabError::new(ErrorCode::ValueRange, message).into());
        }
        let meter = self.manufacture(request)?;
        self.meters.insert(name.to_owned(), Kept { meter, stored: Zeroizing::default() });
        self.store(name)?;
        Ok(MeterAnswer::Done(Done { ok: true }))
    }

    fn manufacture(&mut self, request: &MeterRequest<'_>) -> Result<VirtualMeter, LabError> {
        let pan = needed("pan", field::pan(&request.pan)?)?;
        let ea = needed("ea", field::ea(&request.ea)?)?;
        let source = needed("key", request.key.as_ref())?;
        let resolved = self.keys.read("key", source)?.resolve(Some(pan), ea)?;
        let attributes = resolved.attributes;
        let key_type = needed("key.kt", attributes.key_type)?;
        if key_type != KeyType::Initialization {
            needed("key.krn", attributes.key_revision)?;
        }
        let key = NewKey {
            key: resolved.key,
            key_type,
            key_revision: attributes.key_revision,
            expiry: attributes.expiry,
            tariff_index: needed("key.ti", attributes.tariff_index)?,
            supply_group: attributes.supply_group,
        };
        let parts = Parts {
            services: request.services,
            currency: &request.currency,
            kct: &request.kct,
            tct: request.tct,
            policy: request.policy,
        };
        let profile = profile::read(parts, ea)?;
        let remembered = match &request.tids {
            None => USUAL_TIDS,
            Some(value) => {
                let tids = field::number(ErrorCode::ValueRange, "tids", MOST_TIDS, value)?;
                if tids < USUAL_TIDS {
                    let expected = format!("a whole number from {USUAL_TIDS} to {MOST_TIDS}");
                    return Err(wrong(ErrorCode::ValueRange, "tids", &expected, value));
                }
                tids
            }
        };
        let manufactured = manufactured(request, attributes.base_date)?;
        let birth = Birth { pan, key, remembered, manufactured };
        let policy = request.policy.map(|raw| {
            RawValue::from_string(raw.text().to_owned()).expect("it was read as a value")
        });
        VirtualMeter::manufacture(profile, policy, birth)
    }

    /// The file of a meter.
    fn path(&self, name: &str) -> Option<PathBuf> {
        match &self.home {
            Home::Memory => None,
            Home::Directory(directory) => Some(directory.join(format!("{name}.{EXTENSION}"))),
            Home::File(file) => Some(file.clone()),
        }
    }

    /// Reads a meter from its file, unless it is here already.
    fn load(&mut self, name: &str) -> Result<(), MeterError> {
        if self.meters.contains_key(name) {
            return Ok(());
        }
        let path = self.path(name);
        let body = match &path {
            Some(path) => file::read(path)?,
            None => None,
        };
        let (Some(path), Some(stored)) = (&path, body) else {
            let message = match path {
                Some(path) => format!("meter: there is none in {}", path.display()),
                None => format!("meter: there is none called \"{name}\""),
            };
            return Err(LabError::new(ErrorCode::ValueRange, message).into());
        };
        let meter = VirtualMeter::from_file(&stored).map_err(|wrong| file::fault(path, &wrong))?;
        self.meters.insert(name.to_owned(), Kept { meter, stored });
        Ok(())
    }

    /// Stores a meter in its file, if it has changed. One that cannot be stored is forgotten.
    fn store(&mut self, name: &str) -> Result<(), MeterError> {
        let Some(path) = self.path(name) else { return Ok(()) };
        let kept = self.meters.get_mut(name).expect("it is here");
        let body = kept.meter.expose_body();
        if body == kept.stored {
            return Ok(());
        }
        match file::replace(&path, &body) {
            Ok(()) => {
                kept.stored = body;
                Ok(())
            }
            Err(error) => {
                // The next line reads what the file says.
                self.meters.remove(name);
                Err(error)
            }
        }
    }
}

/// Does what a line asks of a meter that is there. A line that fails has changed nothing.
fn operate(
    meter: &mut VirtualMeter,
    op: &str,
    request: &MeterRequest<'_>,
) -> Result<MeterAnswer, MeterError> {
    let done = Ok(MeterAnswer::Done(Done { ok: true }));
    match op {
        "enter" => {
            let digits = needed("digits", request.digits.as_ref())?;
            let digits = text(ErrorCode::NumberFormat, "digits", "a string", digits)?;
            let outcome = meter.enter_digits(digits, carrier(request)?);
            Ok(MeterAnswer::Entered(Box::new(meter.entered(outcome))))
        }
        "enter_binary" => {
            let bytes = needed("octets", request.bytes.as_ref())?;
            let bytes = text(ErrorCode::NumberFormat, "octets", "a string", bytes)?;
            let outcome = meter.enter_hex(bytes, carrier(request)?);
            Ok(MeterAnswer::Entered(Box::new(meter.entered(outcome))))
        }
        "advance" => {
            meter.advance(whole("seconds", &request.seconds)?);
            done
        }
        "consume" => {
            let watts = whole("watts", &request.watts)?;
            let seconds = whole("seconds", &request.seconds)?;
            Ok(MeterAnswer::Consumed(meter.consume(watts, seconds)))
        }
        "tamper" => {
            meter.tamper();
            done
        }
        "restart" => {
            meter.restart().map_err(|error| MeterError::Storage(error.to_string()))?;
            done
        }
        "power_cut" => {
            let digits = needed("digits", request.digits.as_ref())?;
            let digits = text(ErrorCode::NumberFormat, "digits", "a string", digits)?;
            let writes = whole("after_writes", &request.after_writes)?;
            meter
                .power_cut(digits, TokenCarrierType::NUMERIC, writes)
                .map_err(|error| MeterError::Storage(error.to_string()))?;
            done
        }
        "state" => Ok(MeterAnswer::State(Box::new(meter.state()))),
        _ => {
            let press = needed("press", request.press.as_ref())?;
            let press = text(ErrorCode::ValueRange, "press", "keys in a string", press)?;
            Ok(MeterAnswer::Pressed(Box::new(meter.press(press)?)))
        }
    }
}

/// A name that is one of a file on every system.
fn name<'r>(value: &'r Scalar<'_>) -> Result<&'r str, LabError> {
    let expected = "1 to 64 letters, digits, _ or - in a string";
    let name = text(ErrorCode::ValueRange, "meter", expected, value)?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(is_plain) {
        return Ok(name);
    }
    Err(wrong(ErrorCode::ValueRange, "meter", expected, value))
}

fn carrier(request: &MeterRequest<'_>) -> Result<TokenCarrierType, LabError> {
    match &request.carrier {
        Some(value) => profile::carrier("carrier", value),
        None => Ok(TokenCarrierType::NUMERIC),
    }
}

/// A number of seconds, watts or writes.
fn whole(field: &str, value: &Option<Scalar<'_>>) -> Result<u32, LabError> {
    let value = needed(field, value.as_ref())?;
    field::number(ErrorCode::ValueRange, field, u32::MAX, value)
}

/// The identifier of the time at which a meter was made.
fn manufactured(
    request: &MeterRequest<'_>,
    base_date: Option<BaseDate>,
) -> Result<TokenIdentifier, LabError> {
    let field = "manufactured_at";
    let value = match (&request.manufactured_at, &request.manufactured_tid) {
        (None, None) => return Ok(TokenIdentifier::from_low_bits(0)),
        (None, Some(value)) => {
            let largest = TokenIdentifier::LARGEST.value();
            let tid = field::number(ErrorCode::TidRange, "manufactured_tid", largest, value)?;
            return Ok(TokenIdentifier::from_low_bits(tid));
        }
        (Some(value), None) => value,
        (Some(_), Some(_)) => {
            let message = "manufactured_tid: give it or manufactured_at, not both";
            return Err(LabError::new(ErrorCode::UnknownField, message));
        }
    };
    let minute = match value {
        Scalar::Text(text) => time::parse(text),
        _ => None,
    };
    let expected = "a UTC time as \"2004-03-01T13:55Z\"";
    let minute = minute.ok_or_else(|| wrong(ErrorCode::ValueRange, field, expected, value))?;
    let base_date = base_date.ok_or_else(|| {
        let message = format!("{field}: the key has no base_date to count from");
        LabError::new(ErrorCode::BaseDateUnknown, message)
    })?;
    base_date.identifier_at(minute).map_err(|error| {
        let code = match error {
            IssueTimeError::BeforeBaseDate { .. } => ErrorCode::IssueTimeBeforeBaseDate,
            IssueTimeError::AfterRange { .. } => ErrorCode::TidRange,
        };
        LabError::new(code, format!("{field}: {error}"))
    })
}

/// The record of an error, behind its `id`.
#[derive(Serialize)]
struct ErrorRecord<'a> {
    error: ErrorBody<'a>,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    code: &'static str,
    message: &'a str,
}

impl<'a> ErrorBody<'a> {
    fn new(error: &'a MeterError) -> Self {
        Self { code: error.code(), message: error.message() }
    }
}

/// Appends a line: the `id`, and the fields of a record.
fn write_line(out: &mut Vec<u8>, id: &RawValue, record: &impl Serialize) {
    out.extend_from_slice(b"{\"id\":");
    out.extend_from_slice(id.get().as_bytes());
    let start = out.len();
    serde_json::to_writer(&mut *out, record).expect("an answer is JSON and a vector takes it");
    out[start] = b',';
    out.push(b'\n');
}
