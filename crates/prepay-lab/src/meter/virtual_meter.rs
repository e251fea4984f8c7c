//! One virtual meter: the engine, its storage and its clock.
//!
//! - Time: seconds of a clock that `advance` and `consume` move, and that goes on through a restart.
//! - A meter in a file is one meter for every program that uses it in turn: what it holds in memory is in the file, too,
//!   but for what is being typed on its keypad.
//! - Rounding: credit is shown in steps of 10⁻⁵ of its unit, rounded down.
//! - Elsewhere: every rule of a meter (`prepay_meter`), answers in words (`describe.rs`), the file
//!   (`file.rs`), the profile (`profile.rs`).

use prepay_meter::keypad::{Key, Panel};
use prepay_meter::{
    Birth, CreditForm, Excess, Load, LoadError, ManufactureError, Meter, OpenReason, Outcome,
    Phases, Profile, Refusal, Slot, Switch, TokenResult, Trip, Volatile,
};
use prepay_records::{RecordCode, RecordError, Scalar, decimal, element, hex};
use prepay_token::TokenData;
use prepay_token::element::{EncryptionAlgorithm, Service, TokenCarrierType};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::answer::{Consumed, Pressed, StateRecord};
use super::profile::{self, Parts};
use super::record::FileRecord;
use super::storage::{BLANK, Memory, PowerCut};

/// The most identifiers that a virtual meter remembers.
pub(super) const MOST_TIDS: u16 = 255;

type Engine = Meter<{ MOST_TIDS as usize }>;

/// A meter.
pub(super) struct VirtualMeter {
    profile: Profile,
    /// The switches of `policy` as they were asked for.
    policy: Option<Box<RawValue>>,
    pub(super) memory: Memory,
    pub(super) engine: Engine,
    pub(super) clock_s: u64,
    /// The tokens whose sections the engine holds in memory, with their time.
    pending: Vec<(u64, TokenCarrierType, TokenData)>,
    pub(super) panel: Panel<'static>,
    unfinished: Option<Unfinished>,
}

/// A token that was left to be finished, or what was entered in its place and is none; and its carrier.
type Unfinished = (Option<TokenData>, TokenCarrierType);

/// Whether an entry waits for the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    ForResult,
    Not,
}

/// What the file of a meter says.
#[derive(Serialize)]
struct Body<'a> {
    services: Vec<&'static str>,
    currency: bool,
    phases: u8,
    tariff_register: bool,
    kct: u8,
    tct: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'a RawValue>,
    ea: String,
    clock_s: u64,
    pending: Vec<(u64, String, String)>,
    memory: MemoryRecord,
    slot_a: &'a str,
    slot_b: &'a str,
}

/// What a meter holds in memory, but for sections of a key change and what is on its keypad.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MemoryRecord {
    locked_until_s: u64,
    failures: u8,
    /// `power_limit` or `phase_unbalance`, and the seconds until the switch closes.
    trip: Option<(String, u32)>,
    over_s: u32,
    calm_s: u32,
    trips: u8,
    power_watts: u32,
    last_result: Option<u8>,
    /// The bytes of a token that was left to be finished, if it is one, and its carrier.
    unfinished: Option<(Option<String>, String)>,
}

impl VirtualMeter {
    /// Makes a meter.
    pub(super) fn manufacture(
        profile: Profile,
        policy: Option<Box<RawValue>>,
        birth: Birth,
    ) -> Result<Self, RecordError> {
        let mut memory = Memory::blank(Engine::RECORD_LENGTH);
        let engine = Engine::manufacture(profile, birth, &mut memory).map_err(|error| {
            let field = match error {
                ManufactureError::Remembered { .. } => "tids: ",
                _ => "",
            };
            RecordError::new(RecordCode::ValueRange, format!("{field}{error}"))
        })?;
        Ok(Self {
            profile,
            policy,
            memory,
            engine,
            clock_s: 0,
            pending: Vec::new(),
            panel: Panel::default(),
            unfinished: None,
        })
    }

    /// A meter as its file says.
    pub(super) fn from_file(body: &str) -> Result<Self, String> {
        let record = FileRecord::read(body);
        if let Some(defect) = &record.defect {
            return Err(defect.message.clone());
        }
        Self::from_record(&record).map_err(|error| error.message)
    }

    fn from_record(record: &FileRecord<'_>) -> Result<Self, RecordError> {
        let ea = element::needed("ea", element::ea(&record.ea)?)?;
        let parts = Parts {
            services: &record.services,
            currency: &record.currency,
            phases: &record.phases,
            tariff_register: &record.tariff_register,
            kct: &record.kct,
            tct: &record.tct,
            policy: record.policy,
        };
        let profile = profile::read(parts, ea)?;
        let clock = element::needed("clock_s", record.clock_s.as_ref())?;
        let clock_s = element::number(RecordCode::ValueRange, "clock_s", LATEST_S, clock)?;
        let memory =
            Memory::with_slots(slot("slot_a", &record.slot_a)?, slot("slot_b", &record.slot_b)?);
        let policy = record.policy.map(|raw| {
            RawValue::from_string(raw.text().to_owned()).expect("it was read as a value")
        });
        let mut meter = Self::start(profile, policy, memory, clock_s)
            .map_err(|error| RecordError::new(RecordCode::ValueRange, error.to_string()))?;
        let after_restart = meter.engine.volatile();
        meter.engine.resume(Volatile::default());
        for (at_s, carrier, bytes) in pending(record)? {
            // What was held before is held again: sections are never stored.
            let entered = meter.engine.enter(bytes, carrier, at_s, &mut meter.memory);
            if let Ok(Outcome::Waiting { .. }) = entered {
                meter.pending.push((at_s, carrier, bytes));
            }
        }
        match record.memory {
            Some(raw) => {
                let (volatile, unfinished) = held_in_memory(raw.text())?;
                meter.engine.resume(volatile);
                meter.unfinished = unfinished;
            }
            None => meter.engine.resume(after_restart),
        }
        Ok(meter)
    }

    /// Starts a meter from its storage.
    fn start(
        profile: Profile,
        policy: Option<Box<RawValue>>,
        mut memory: Memory,
        clock_s: u64,
    ) -> Result<Self, LoadError<PowerCut>> {
        let engine = Engine::load(profile, &mut memory, clock_s)?;
        Ok(Self {
            profile,
            policy,
            memory,
            engine,
            clock_s,
            pending: Vec::new(),
            panel: Panel::default(),
            unfinished: None,
        })
    }

    /// What its file says. The key is in it.
    pub(super) fn expose_body(&mut self) -> Zeroizing<String> {
        self.forget_expired();
        let [slot_a, slot_b] = [Slot::A, Slot::B]
            .map(|slot| Zeroizing::new(hex::encode(self.memory.expose_slot(slot))));
        let body = Body {
            services: self.profile.services.iter().map(Service::name).collect(),
            currency: self.profile.credit == CreditForm::Currency,
            phases: match self.profile.phases {
                Phases::One => 1,
                Phases::Three => 3,
            },
            tariff_register: self.profile.tariff_register,
            kct: self.profile.set_size.count(),
            tct: (0..100)
                .map(|code| format!("{code:02}"))
                .filter(|code| {
                    let carrier = code.parse().expect("two digits are a carrier");
                    self.profile.carriers.contains(carrier)
                })
                .collect(),
            policy: self.policy.as_deref(),
            ea: self.ea().to_string(),
            clock_s: self.clock_s,
            pending: self
                .pending
                .iter()
                .map(|(at_s, carrier, data)| {
                    (*at_s, carrier.to_string(), hex::encode(&data.bytes()))
                })
                .collect(),
            memory: MemoryRecord::of(self.engine.volatile(), self.unfinished),
            slot_a: &slot_a,
            slot_b: &slot_b,
        };
        Zeroizing::new(serde_json::to_string(&body).expect("a body is JSON"))
    }

    /// Forgets what is in memory only and starts from the storage.
    pub(super) fn restart(&mut self) -> Result<(), LoadError<PowerCut>> {
        self.memory.return_power();
        self.engine = Engine::load(self.profile, &mut self.memory, self.clock_s)?;
        self.pending.clear();
        self.panel.reset();
        self.unfinished = None;
        Ok(())
    }

    /// Enters the text of a token. What is no token is answered as the meter does.
    pub(super) fn enter_digits(
        &mut self,
        digits: &str,
        carrier: TokenCarrierType,
        wait: Wait,
    ) -> Outcome {
        self.enter_if_ready((digits.parse().ok(), carrier), wait)
    }

    /// Enters the bytes of a token in hexadecimal. What is no token is answered as the meter does.
    pub(super) fn enter_hex(
        &mut self,
        bytes: &str,
        carrier: TokenCarrierType,
        wait: Wait,
    ) -> Outcome {
        let data = hex::decode(bytes).and_then(|bytes| TokenData::from_bytes(bytes).ok());
        self.enter_if_ready((data, carrier), wait)
    }

    /// Enters a token, or leaves it to be finished. Until that is done, the meter takes no other.
    fn enter_if_ready(&mut self, token: Unfinished, wait: Wait) -> Outcome {
        match wait {
            _ if self.unfinished.is_some() => Outcome::Refused(Refusal::NotReady),
            Wait::ForResult => self.process(token),
            Wait::Not => {
                self.unfinished = Some(token);
                Outcome::Refused(Refusal::NotReady)
            }
        }
    }

    /// Finishes the token that was left. Nothing if there is none.
    pub(super) fn finish(&mut self) -> Option<Outcome> {
        let token = self.unfinished.take()?;
        Some(self.process(token))
    }

    fn process(&mut self, (data, carrier): Unfinished) -> Outcome {
        match data {
            Some(data) => self.enter(data, carrier),
            None => self.engine.refuse_format(),
        }
    }

    fn enter(&mut self, data: TokenData, carrier: TokenCarrierType) -> Outcome {
        let outcome = self
            .engine
            .enter(data, carrier, self.clock_s, &mut self.memory)
            .expect("the power stays, and memory takes every write");
        self.note_section(outcome, Some(data), carrier);
        self.forget_expired();
        outcome
    }

    /// Notes a section that the engine holds, to enter it again.
    fn note_section(
        &mut self,
        outcome: Outcome,
        token: Option<TokenData>,
        carrier: TokenCarrierType,
    ) {
        if let (Outcome::Waiting { .. }, Some(data)) = (outcome, token) {
            self.pending.push((self.clock_s, carrier, data));
        }
    }

    /// Drops what the engine no longer holds.
    pub(super) fn forget_expired(&mut self) {
        if self.engine.held_sections(self.clock_s).is_empty() {
            self.pending.clear();
        }
    }

    /// Enters a token while the power fails after so many writes, and starts again.
    pub(super) fn power_cut(
        &mut self,
        digits: &str,
        carrier: TokenCarrierType,
        after_writes: u32,
    ) -> Result<(), LoadError<PowerCut>> {
        self.memory.cut_power_after(after_writes);
        // Whether the token was taken is told by the state after the restart, not by this answer.
        let _ = self.engine.enter_digits(digits, carrier, self.clock_s, &mut self.memory);
        self.restart()
    }

    /// Lets time pass without a load.
    pub(super) fn advance(&mut self, seconds: u32) {
        if self.profile.services.contains(Service::Electricity) {
            self.load(Load::watts(0), seconds);
        }
        self.clock_s += u64::from(seconds);
    }

    /// Lets time pass with a load on the first service.
    pub(super) fn consume(&mut self, rate: u32, seconds: u32) -> Consumed {
        let service = self.main_service();
        let switch = self.load(Load { service, rate, unbalance_watts: 0 }, seconds);
        self.clock_s += u64::from(seconds);
        // A virtual meter has time to store what was used, so a restart gives nothing back.
        self.engine.save(&mut self.memory).expect("the power stays");
        Consumed { credit: self.credit(service), switch: switch.name() }
    }

    fn load(&mut self, load: Load, seconds: u32) -> Switch {
        let memory = &mut self.memory;
        self.engine.consume(load, seconds, memory).expect("the power stays")
    }

    /// Notes that the meter was tampered with.
    pub(super) fn tamper(&mut self) {
        self.engine.tamper(&mut self.memory).expect("the power stays");
    }

    /// Electricity, if the meter has it; otherwise the first of its services.
    pub(super) fn main_service(&self) -> Service {
        self.profile.services.iter().next().unwrap_or(Service::Electricity)
    }

    fn ea(&self) -> EncryptionAlgorithm {
        self.engine.state().algorithm()
    }

    /// The credit of a service in the form that the meter counts.
    fn credit(&self, service: Service) -> String {
        match self.profile.credit {
            CreditForm::Units => self.units(service),
            CreditForm::Currency => self.money(service),
        }
    }

    fn units(&self, service: Service) -> String {
        let grains = self.engine.state().credit(service).grains();
        decimal::print(grains.div_euclid(prepay_meter::GRAINS_PER_UNIT / 100_000).into(), 5)
    }

    fn money(&self, service: Service) -> String {
        decimal::print(self.engine.state().credit(service).money(), 5)
    }

    /// What it knows and is, but for its key.
    pub(super) fn state(&mut self) -> StateRecord {
        let kct_pending = self.engine.held_sections(self.clock_s).iter().collect();
        let state = self.engine.state();
        let services: Vec<Service> = self.profile.services.iter().collect();
        let switch = self.engine.switch(self.main_service());
        let name = |service: &Service| service.name();
        StateRecord {
            credit: services.iter().map(|it| (name(it), self.units(*it))).collect(),
            currency_credit: services.iter().map(|it| (name(it), self.money(*it))).collect(),
            maximum_power_limit: state.power_limit_watts(),
            phase_unbalance_limit: state.unbalance_limit_watts(),
            tariff_rate: state.tariff_rate(),
            water_factor: state.water_factor(),
            tamper: state.tamper(),
            switch: switch.name(),
            switch_reason: match switch {
                Switch::Closed => None,
                Switch::Open(reason) => Some(reason.name()),
            },
            pan: state.pan().as_str().to_owned(),
            ea: state.algorithm().to_string(),
            sgc: state.supply_group().map(|group| group.to_string()),
            krn: state.key_revision().map_or(0, |revision| revision.value()),
            kt: state.key_type().value(),
            ti: state.tariff_index().to_string(),
            ken: state.expiry().value(),
            tids: state.identifiers().iter().map(|identifier| identifier.value()).collect(),
            kct_pending,
            lockout_seconds: self.engine.lockout_seconds(self.clock_s),
            flags: state.extended().flags().collect(),
            controls: state.extended().controls().collect(),
        }
    }

    /// Presses keys, or with `.` lets a second pass. A text with another character presses none.
    pub(super) fn press(&mut self, keys: &str) -> Result<Pressed, RecordError> {
        let parse = |character| match character {
            '.' => Ok(None),
            _ => Key::try_from(character).map(Some),
        };
        let keys: Result<Vec<Option<Key>>, _> = keys.chars().map(parse).collect();
        let keys = keys.map_err(|error| {
            let message = format!("press: {error}, or . for a second");
            RecordError::new(RecordCode::ValueRange, message)
        })?;
        let mut pressed = Pressed::default();
        for key in keys {
            let Some(key) = key else {
                self.advance(1);
                let shown = self.panel.tick(&self.engine, self.clock_s);
                pressed.display.extend(shown.map(|screen| screen.to_string()));
                continue;
            };
            let answer = self
                .panel
                .press(key, &mut self.engine, self.clock_s, &mut self.memory)
                .expect("the power stays, and memory takes every write");
            pressed.display.extend(answer.shown.map(|screen| screen.to_string()));
            if let Some(outcome) = answer.outcome {
                pressed.entered = Some(outcome.result());
                self.note_section(outcome, answer.token, TokenCarrierType::NUMERIC);
            }
        }
        self.forget_expired();
        Ok(pressed)
    }
}

/// The latest time of a clock, far from the end of its numbers.
const LATEST_S: u64 = u64::MAX / 4;

impl MemoryRecord {
    fn of(volatile: Volatile, unfinished: Option<Unfinished>) -> Self {
        let Volatile { locked_until_s, failures, trip, power_watts, last_result } = volatile;
        Self {
            locked_until_s,
            failures,
            trip: trip.open.map(|(excess, left_s)| (limit(excess).name().to_owned(), left_s)),
            over_s: trip.over_s,
            calm_s: trip.calm_s,
            trips: trip.trips,
            power_watts,
            last_result: last_result.map(TokenResult::code),
            unfinished: unfinished.map(|(data, carrier)| {
                (data.map(|data| hex::encode(&data.bytes())), carrier.to_string())
            }),
        }
    }
}

/// Why the switch is open above a limit.
fn limit(excess: Excess) -> OpenReason {
    match excess {
        Excess::Power => OpenReason::PowerLimit,
        Excess::PhaseUnbalance => OpenReason::PhaseUnbalance,
    }
}

/// What a meter holds in memory, as its file says.
fn held_in_memory(text: &str) -> Result<(Volatile, Option<Unfinished>), RecordError> {
    let wrong = || RecordError::new(RecordCode::ValueRange, "memory: expected what a meter holds");
    let record: MemoryRecord = serde_json::from_str(text).map_err(|_| wrong())?;
    let open = record.trip.map(|(name, left_s)| {
        let excesses = [Excess::Power, Excess::PhaseUnbalance];
        let excess = excesses.into_iter().find(|excess| limit(*excess).name() == name);
        excess.map(|excess| (excess, left_s)).ok_or_else(wrong)
    });
    let last_result = record.last_result.map(|code| {
        let result = TokenResult::ALL.into_iter().find(|result| result.code() == code);
        result.ok_or_else(wrong)
    });
    let unfinished = record.unfinished.map(|(bytes, carrier)| {
        let data = |bytes: String| TokenData::from_bytes(hex::decode(&bytes)?).ok();
        let carrier = carrier.parse().map_err(|_| wrong())?;
        let data = bytes.map(|bytes| data(bytes).ok_or_else(wrong)).transpose()?;
        Ok::<Unfinished, RecordError>((data, carrier))
    });
    let MemoryRecord { locked_until_s, failures, over_s, calm_s, trips, power_watts, .. } = record;
    let volatile = Volatile {
        locked_until_s,
        failures,
        trip: Trip { open: open.transpose()?, over_s, calm_s, trips },
        power_watts,
        last_result: last_result.transpose()?,
    };
    Ok((volatile, unfinished.transpose()?))
}

/// The bytes of a slot, from hexadecimal. Files of records of version 1 have shorter slots: the rest was never written.
fn slot(field: &str, value: &Option<Scalar<'_>>) -> Result<Zeroizing<Vec<u8>>, RecordError> {
    let wrong = || {
        let expected = 2 * Engine::RECORD_LENGTH;
        let message = format!("{field}: expected at most {expected} hexadecimal digits");
        RecordError::new(RecordCode::ValueRange, message)
    };
    let mut bytes = Zeroizing::new(vec![BLANK; Engine::RECORD_LENGTH]);
    let Some(Scalar::Text(text)) = value else { return Err(wrong()) };
    base16ct::lower::decode(text.as_bytes(), &mut bytes[..]).map_err(|_| wrong())?;
    Ok(bytes)
}

/// The tokens of a key change that a file holds.
fn pending(
    record: &FileRecord<'_>,
) -> Result<Vec<(u64, TokenCarrierType, TokenData)>, RecordError> {
    let wrong = || RecordError::new(RecordCode::ValueRange, "pending: expected the sections held");
    let raw = element::needed("pending", record.pending)?;
    let listed: Vec<(u64, String, String)> =
        serde_json::from_str(raw.text()).map_err(|_| wrong())?;
    let read = |(at_s, carrier, bytes): (u64, String, String)| {
        Some((at_s, carrier.parse().ok()?, TokenData::from_bytes(hex::decode(&bytes)?).ok()?))
    };
    listed.into_iter().map(|section| read(section).ok_or_else(wrong)).collect()
}
