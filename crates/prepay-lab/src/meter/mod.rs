//! Virtual meters, driven by lines of JSON: the format of `meter script`.
//!
//! Records in, calls of [`prepay_meter`], records out. That crate has the rules of a meter; this one has the names,
//! the clock and the file of each meter.
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
//! - One answer per line, in order. A line that fails changes nothing.
//! - No answer contains a key. A meter's file does, because it is the meter's storage.
//! - With a file or a directory, an answer is given only after the meter's file is on the disk. One program at a time
//!   uses it; another waits for up to five seconds.
//!
//! # Map
//!
//! - [`MeterRequest`]: the shape of a line. [`Meters::answer`]: returns the answer ([`MeterAnswer`]).
//! - [`Meters::make`], [`Meters::enter`], …: the same without records.
//! - [`Meters::answer_line`], [`Meters::answer_stream`]: text in, text out.

mod answer;
mod describe;
mod file;
mod glance;
mod keypad_data;
mod profile;
mod record;
mod storage;
mod virtual_meter;

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use prepay_meter::keypad::{KeypadPolicy, Panel, ResultWords};
use prepay_meter::{Birth, Profile, ShortCodeMap};
use prepay_records::element::{self, Field, When, needed, no_others, text, wrong};
use prepay_records::json::write_line;
use prepay_records::lines::{Summary, answer_lines, is_blank};
use prepay_records::{ErrorRecord, Named as _, RecordCode, RecordError, Scalar, needed_choice};
use prepay_token::element::{KeyType, TokenCarrierType, TokenIdentifier};
use prepay_token::key_change::NewKey;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

pub use answer::{
    Consumed, Done, Entered, Executed, MeterAnswer, MeterError, Pressed, StateRecord,
};
pub use glance::Glance;
pub use keypad_data::{read_codes, read_words};
pub use record::{
    FileRecord, LockoutRecord, MeterOperation, MeterRequest, PolicyRecord, PriceRecord, TripRecord,
};

use crate::key::KnownKeys;
use file::Held;
use profile::Parts;
use virtual_meter::{MOST_TIDS, VirtualMeter, Wait};

/// The usual number of identifiers.
const USUAL_TIDS: u16 = 50;

/// The longest name of a meter.
const LONGEST_NAME: usize = 64;

/// The extension of the file of a meter in a directory.
const EXTENSION: &str = "meter";

/// The name of a meter, which is also a valid file name on every system.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MeterName(String); // Invariant: 1 to 64 letters, digits, _ or -.

/// The text is not a valid name of a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMeterName;

/// A meter to make.
#[derive(Debug)]
pub struct NewMeter {
    /// Its properties.
    profile: Profile,
    /// Its policy, as requested.
    policy: Option<Box<RawValue>>,
    /// Its number, key, and what it remembers.
    birth: Birth,
}

/// Meters by their names.
pub struct Meters {
    keys: KnownKeys,
    home: Home,
    /// The keypad of each meter, on which nothing was typed.
    panel: Panel<'static>,
    meters: HashMap<MeterName, Kept>,
}

/// Where the state of meters is.
enum Home {
    /// In this process only.
    Memory,
    /// In one file each, in a directory that is locked.
    Directory(PathBuf, #[expect(dead_code, reason = "it is a lock")] File),
    /// In one file, whatever the name.
    File(PathBuf),
    /// In one file, which is read only, whoever else uses it.
    ReadOnly(PathBuf),
}

/// A meter, and the contents of its file.
struct Kept {
    meter: VirtualMeter,
    /// The body of its file; empty if there is none yet.
    stored: Zeroizing<String>,
    /// Its file, if that is one file and is there.
    held: Option<Held>,
}

impl Meters {
    /// Meters that live as long as this value.
    pub fn in_memory() -> Self {
        Self::at(Home::Memory)
    }

    /// Meters in a directory, one file each, named after the meter. No other program can use it as long as this value
    /// lives.
    ///
    /// # Errors
    ///
    /// [`MeterError`] if the directory cannot be made, or other programs use it or files in it.
    pub fn in_directory(directory: &Path) -> Result<Self, MeterError> {
        let lock = file::hold_directory(directory)?;
        Ok(Self::at(Home::Directory(directory.to_owned(), lock)))
    }

    /// One meter in a file, under any name. From its first use on, no other program can use it as long as this value
    /// lives.
    pub fn in_file(file: &Path) -> Self {
        Self::at(Home::File(file.to_owned()))
    }

    /// One meter in a file, under any name, as it was stored last. Nothing is stored, and other programs may use it.
    pub fn reading_file(file: &Path) -> Self {
        Self::at(Home::ReadOnly(file.to_owned()))
    }

    fn at(home: Home) -> Self {
        let panel = Panel::default();
        Self { keys: KnownKeys::default(), home, panel, meters: HashMap::new() }
    }

    /// The same with meters whose keypads have these codes and words.
    #[must_use]
    pub fn with_keypad(self, codes: ShortCodeMap<'static>, words: ResultWords<'static>) -> Self {
        Self { panel: Panel::new(KeypadPolicy::default(), codes, words), ..self }
    }

    /// Answers one line, without its line end, and says whether it succeeded.
    ///
    /// The answer is appended to `out` with a line end. A blank line has no answer.
    pub fn answer_line(&mut self, line: &[u8], out: &mut Vec<u8>) -> Option<bool> {
        if is_blank(line) {
            return None;
        }
        let request = MeterRequest::read_line(line);
        let id = request.id.unwrap_or(RawValue::NULL);
        let answered = self.answer(&request);
        match &answered {
            Ok(answer) => write_line(out, id, answer),
            Err(error) => write_line(out, id, &ErrorRecord::new(error.code(), &error.message())),
        }
        Some(answered.is_ok())
    }

    /// Answers every line of a stream.
    ///
    /// # Errors
    ///
    /// Errors of reading and writing the stream. Problems with a meter's file are in the answers.
    pub fn answer_stream(&mut self, input: impl Read, output: impl Write) -> io::Result<Summary> {
        answer_lines(input, output, |line, out| self.answer_line(line, out))
    }

    /// Answers one request.
    ///
    /// # Errors
    ///
    /// [`MeterError`] with the code and message that the format defines. Nothing has changed then.
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
        let op = needed_choice(RecordCode::ValueRange, "op", &request.op)?;
        let owner = format_args!("the operation {}", op.name());
        no_others(request.given(), [&["id", "op", "meter"], op.fields()], "", owner)?;
        let name = name(needed("meter", request.meter.as_ref())?)?;
        let done = |()| MeterAnswer::Done(Done { ok: true });
        let carrier = || element::carrier("carrier", &request.carrier);
        let wait = || {
            let waits = element::flag("wait", &request.wait)?.unwrap_or(true);
            Ok::<_, RecordError>(if waits { Wait::ForResult } else { Wait::Not })
        };
        match op {
            MeterOperation::New => {
                self.is_new(&name)?;
                let new = self.read_new(request)?;
                self.make(&name, new).map(done)
            }
            MeterOperation::Enter => self.with(&name, |meter| {
                let digits = typed("digits", &request.digits)?;
                let outcome =
                    meter.enter_digits(digits, carrier()?.unwrap_or(USUAL_CARRIER), wait()?);
                Ok(MeterAnswer::Entered(Box::new(meter.entered(outcome))))
            }),
            MeterOperation::EnterBinary => self.with(&name, |meter| {
                let bytes = typed("octets", &request.bytes)?;
                let outcome = meter.enter_hex(bytes, carrier()?.unwrap_or(USUAL_CARRIER), wait()?);
                Ok(MeterAnswer::Entered(Box::new(meter.entered(outcome))))
            }),
            MeterOperation::Result => self.with(&name, |meter| {
                let outcome = meter.finish().ok_or_else(|| {
                    let message = "op: result follows an entry with \"wait\": false; there is none";
                    RecordError::new(RecordCode::ValueRange, message)
                })?;
                Ok(MeterAnswer::Entered(Box::new(meter.entered(outcome))))
            }),
            MeterOperation::Advance => self.with(&name, |meter| {
                meter.advance(whole("seconds", &request.seconds)?);
                Ok(done(()))
            }),
            MeterOperation::Consume => self.with(&name, |meter| {
                let watts = whole("watts", &request.watts)?;
                let seconds = whole("seconds", &request.seconds)?;
                Ok(MeterAnswer::Consumed(meter.consume(watts, seconds)))
            }),
            MeterOperation::Tamper => self.tamper(&name).map(done),
            MeterOperation::Restart => self.with(&name, |meter| {
                meter.restart().map_err(|error| MeterError::Storage(error.to_string()))?;
                Ok(done(()))
            }),
            MeterOperation::PowerCut => self.with(&name, |meter| {
                let digits = typed("digits", &request.digits)?;
                let writes = whole("after_writes", &request.after_writes)?;
                meter
                    .power_cut(digits, USUAL_CARRIER, writes)
                    .map_err(|error| MeterError::Storage(error.to_string()))?;
                Ok(done(()))
            }),
            MeterOperation::State => {
                self.state(&name).map(|state| MeterAnswer::State(Box::new(state)))
            }
            MeterOperation::Key => self.with(&name, |meter| {
                let press = needed("press", request.press.as_ref())?;
                let press = text(RecordCode::ValueRange, "press", "keys in a string", press)?;
                Ok(MeterAnswer::Pressed(Box::new(meter.press(press)?)))
            }),
        }
    }

    /// Makes a meter.
    ///
    /// # Errors
    ///
    /// [`MeterError`] if there is already one with this name, or its properties contradict each other.
    pub fn make(&mut self, name: &MeterName, new: NewMeter) -> Result<(), MeterError> {
        self.is_new(name)?;
        let NewMeter { profile, policy, birth } = new;
        let mut meter = VirtualMeter::manufacture(profile, policy, birth)?;
        meter.panel = self.panel.clone();
        let new = Kept { meter, stored: Zeroizing::default(), held: None };
        self.meters.insert(name.clone(), new);
        self.store(name)
    }

    /// Enters the digits of a token.
    ///
    /// # Errors
    ///
    /// [`MeterError`] if there is no such meter or its file cannot be used.
    pub fn enter(
        &mut self,
        name: &MeterName,
        digits: &str,
        carrier: TokenCarrierType,
    ) -> Result<Entered, MeterError> {
        self.with(name, |meter| {
            let outcome = meter.enter_digits(digits, carrier, Wait::ForResult);
            Ok(meter.entered(outcome))
        })
    }

    /// Lets time pass under a load: watts, or litres per hour.
    ///
    /// # Errors
    ///
    /// [`MeterError`] if there is no such meter or its file cannot be used.
    pub fn consume(
        &mut self,
        name: &MeterName,
        watts: u32,
        seconds: u32,
    ) -> Result<Consumed, MeterError> {
        self.with(name, |meter| Ok(meter.consume(watts, seconds)))
    }

    /// Simulates tampering with a meter.
    ///
    /// # Errors
    ///
    /// [`MeterError`] if there is no such meter or its file cannot be used.
    pub fn tamper(&mut self, name: &MeterName) -> Result<(), MeterError> {
        self.with(name, |meter| {
            meter.tamper();
            Ok(())
        })
    }

    /// The state of a meter, without its key.
    ///
    /// # Errors
    ///
    /// [`MeterError`] if there is no such meter or its file cannot be used.
    pub fn state(&mut self, name: &MeterName) -> Result<StateRecord, MeterError> {
        self.with(name, |meter| Ok(meter.state()))
    }

    /// Presses keys `0` to `9`, `*` and `#`; `.` waits one second.
    ///
    /// # Errors
    ///
    /// [`MeterError`] if there is no such meter or key, or the meter's file cannot be used.
    pub fn press(&mut self, name: &MeterName, keys: &str) -> Result<Pressed, MeterError> {
        self.with(name, |meter| Ok(meter.press(keys)?))
    }

    /// Does something with a meter and stores the changes. A failure changes nothing.
    fn with<T>(
        &mut self,
        name: &MeterName,
        operate: impl FnOnce(&mut VirtualMeter) -> Result<T, MeterError>,
    ) -> Result<T, MeterError> {
        let answer = operate(self.load(name)?)?;
        self.store(name)?;
        Ok(answer)
    }

    /// Refuses the name of an existing meter.
    fn is_new(&self, name: &MeterName) -> Result<(), MeterError> {
        let path = self.path(name);
        let is_there = self.meters.contains_key(name)
            || path.as_ref().is_some_and(|path| path.symlink_metadata().is_ok());
        match (is_there, path) {
            (false, _) => Ok(()),
            (true, Some(path)) if !matches!(self.home, Home::Directory(..)) => {
                Err(MeterError::FileExists(path))
            }
            (true, _) => {
                let message = format!("meter: \"{name}\" already exists");
                Err(RecordError::new(RecordCode::ValueRange, message).into())
            }
        }
    }

    /// Reads which meter to make. The fields `op` and `meter` are ignored.
    ///
    /// # Errors
    ///
    /// [`RecordError`], the first that applies.
    pub fn read_new(&mut self, request: &MeterRequest<'_>) -> Result<NewMeter, RecordError> {
        let pan = needed("pan", element::pan(&request.pan)?)?;
        let ea = needed("ea", element::ea(&request.ea)?)?;
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
            services: &request.services,
            currency: &request.currency,
            phases: &request.phases,
            tariff_register: &request.tariff_register,
            kct: &request.kct,
            tct: &request.tct,
            policy: request.policy,
        };
        let profile = profile::read(parts, ea)?;
        let remembered = match &request.tids {
            None => USUAL_TIDS,
            Some(value) => {
                let tids = element::number(RecordCode::ValueRange, "tids", MOST_TIDS, value)?;
                if tids < USUAL_TIDS {
                    let expected = format!("a whole number from {USUAL_TIDS} to {MOST_TIDS}");
                    return Err(wrong(RecordCode::ValueRange, "tids", &expected, value));
                }
                tids
            }
        };
        let made = When::read(
            ("manufactured_at", &request.manufactured_at),
            ("manufactured_tid", &request.manufactured_tid),
        )?;
        let manufactured = match made {
            Some(when) => when.identifier("manufactured_at", attributes.base_date)?,
            None => TokenIdentifier::default(),
        };
        let birth = Birth { pan, key, remembered, manufactured };
        let policy = request.policy.map(|raw| {
            RawValue::from_string(raw.text().to_owned()).expect("it was read as a value")
        });
        Ok(NewMeter { profile, policy, birth })
    }

    /// The file of a meter.
    fn path(&self, name: &MeterName) -> Option<PathBuf> {
        match &self.home {
            Home::Memory => None,
            Home::Directory(directory, _) => Some(directory.join(format!("{name}.{EXTENSION}"))),
            Home::File(file) | Home::ReadOnly(file) => Some(file.clone()),
        }
    }

    /// The meter with a name, from memory or else from its file.
    fn load(&mut self, name: &MeterName) -> Result<&mut VirtualMeter, MeterError> {
        if !self.meters.contains_key(name) {
            let no_meter = || {
                let message = format!("meter: there is no meter \"{name}\"");
                MeterError::from(RecordError::new(RecordCode::ValueRange, message))
            };
            let path = self.path(name).ok_or_else(no_meter)?;
            let (held, stored) = match &self.home {
                Home::File(path) => {
                    let (held, stored) = Held::open(path)?;
                    (Some(held), stored)
                }
                Home::ReadOnly(path) => {
                    (None, file::read(path)?.ok_or_else(|| file::missing(path))?)
                }
                Home::Memory | Home::Directory(..) => {
                    let stored = file::read(&path).map_err(MeterError::stored)?;
                    (None, stored.ok_or_else(no_meter)?)
                }
            };
            let mut meter =
                VirtualMeter::from_file(&stored).map_err(|wrong| file::damaged(&path, &wrong))?;
            meter.panel = self.panel.clone();
            self.meters.insert(name.clone(), Kept { meter, stored, held });
        }
        Ok(&mut self.meters.get_mut(name).expect("it is here by now").meter)
    }

    /// Stores a meter in its file if it has changed. One that cannot be stored is removed from memory.
    fn store(&mut self, name: &MeterName) -> Result<(), MeterError> {
        let Some(path) = self.path(name) else { return Ok(()) };
        let kept = self.meters.get_mut(name).expect("it is here");
        let body = kept.meter.expose_body();
        if body == kept.stored {
            return Ok(());
        }
        let stored = match (&self.home, &mut kept.held) {
            (Home::Memory | Home::ReadOnly(_), _) => return Ok(()),
            (Home::Directory(..), _) => file::replace(&path, &body),
            (Home::File(_), Some(held)) => held.replace(&body),
            (Home::File(_), held) => Held::create(&path, &body).map(|made| *held = Some(made)),
        };
        match stored {
            Ok(()) => kept.stored = body,
            // The next line reads the file again.
            Err(_) => drop(self.meters.remove(name)),
        }
        stored
    }
}

/// The default carrier of a token: a keypad.
const USUAL_CARRIER: TokenCarrierType = TokenCarrierType::NUMERIC;

/// The text entered, which may not be a token.
fn typed<'r>(field: &str, value: &'r Field<'_>) -> Result<&'r str, RecordError> {
    text(RecordCode::NumberFormat, field, "a string", needed(field, value.as_ref())?)
}

/// The name of a meter.
fn name(value: &Scalar<'_>) -> Result<MeterName, RecordError> {
    let expected = "1 to 64 letters, digits, _ or - in a string";
    let name = text(RecordCode::ValueRange, "meter", expected, value)?.parse();
    name.map_err(|_| wrong(RecordCode::ValueRange, "meter", expected, value))
}

/// A number of seconds, watts or writes.
fn whole(field: &str, value: &Field<'_>) -> Result<u32, RecordError> {
    let value = needed(field, value.as_ref())?;
    element::number(RecordCode::ValueRange, field, u32::MAX, value)
}

impl FromStr for MeterName {
    type Err = NoMeterName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        let fits = (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(is_plain);
        if fits { Ok(Self(text.to_owned())) } else { Err(NoMeterName) }
    }
}

impl std::fmt::Display for MeterName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
