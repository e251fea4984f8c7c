//! `prepay meter fleet`: simulates many meters in one process, each in its own household, for load tests.
//!
//! The load of a household changes four times a day. When the meter warns of low credit, the household buys a token,
//! issued by `prepay_token` under the meter's TEST key, and enters it. Some households enter a token twice, mistype
//! a digit, or try an old token. Every morning each meter starts from its storage, as after a power cut.
//!
//! - Memory: a meter is loaded only while its day is simulated. Otherwise there is little more than its stored
//!   record ([`House`]).
//! - Time: minutes since the day of manufacture. Nothing waits or reads a clock.
//! - The same seed gives the same run, with any number of threads.

use std::convert::Infallible;
use std::io::{self, Write};
use std::thread;
use std::time::Instant;

use clap::Args;
use prepay_meter::{
    Birth, Effect, GRAINS_PER_TENTH, Load, Meter, Outcome, Profile, Refusal, Slot, Storage,
    TokenResult, Warning,
};
use prepay_token::element::{
    Amount, DecoderReferenceNumber, DecoderSerialNumber, ManufacturerCode, MeterPan, Service,
    TokenCarrierType, TokenIdentifier,
};
use prepay_token::key::TokenCipher;
use prepay_token::key_change::SetSize;
use prepay_token::{OpenError, TokenData, open};
use serde_json::{Map, Value, json};

use super::test_key::{TestGroup, credit_token};
use crate::Ending;
use crate::paint::{QUIET, RESULT, WRONG, styled};

/// A fleet.
#[derive(Args)]
pub(crate) struct FleetFlags {
    /// How many meters.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=MOST_METERS))]
    meters: u32,
    /// How many days to simulate.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=MOST_DAYS))]
    days: u32,
    /// The seed of the random numbers: the same seed gives the same run.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// As many as there are serial numbers of eight digits.
const MOST_METERS: i64 = 100_000_000;
/// Ten years; token identifiers last thirty.
const MOST_DAYS: i64 = 3_650;

/// The token identifier of the day of manufacture: 2026-01-01 by the base date of 2014.
const MANUFACTURED: u32 = 6_311_520;
const MINUTES_A_DAY: u32 = 1_440;
/// The parts of a day, each with its own load.
const PARTS: u32 = 4;
const MINUTES_A_PART: u32 = MINUTES_A_DAY / PARTS;

/// Loads, in watts.
const LIGHTEST: u32 = 40;
const HEAVIEST: u32 = 1_000;
/// Purchases, in tenths of a kWh. A token can carry each exactly.
const SMALLEST: u32 = 100;
const LARGEST: u32 = 1_000;

/// After one purchase in this many, the household enters the token twice, mistypes it, or tries an old one.
const REPLAYS: u32 = 4;
const MISTYPES: u32 = 8;
const DRAWERS: u32 = 16;

type Engine = Meter<50, 12, 1>;

/// The stored record of a meter, and its household.
struct House {
    record: [u8; Engine::RECORD_LENGTH],
    slot: Option<Slot>,
    random: SplitMix,
}

/// The totals of tokens and credit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Tally {
    results: [u64; TokenResult::ALL.len()],
    sold_tenths: u64,
    credited_tenths: u64,
    used_grains: u64,
    balance_grains: i64,
    replays: u64,
    replays_refused: u64,
    dark_parts: u64,
    unbalanced_meters: u64,
}

/// Simulates a fleet and prints the totals.
pub(crate) fn run(flags: &FleetFlags, as_json: bool) -> io::Result<Ending> {
    let began = Instant::now();
    let tally = play(flags);
    let seconds = began.elapsed();
    let mut out = anstream::stdout().lock();
    if as_json {
        writeln!(out, "{}", tally.as_value(flags))?;
    } else {
        tally.tell(flags, &mut out)?;
    }
    let meter_days = u64::from(flags.meters) * u64::from(flags.days);
    let took = format!(
        "{meter_days} meter days in {}.{:03} s",
        seconds.as_secs(),
        seconds.subsec_millis()
    );
    tell!("{}", styled(QUIET, took));
    Ok(if tally.is_exact() { Ending::Done } else { Ending::Refused })
}

/// Makes the meters and simulates every day, on all cores.
fn play(flags: &FleetFlags) -> Tally {
    let threads = thread::available_parallelism().map_or(1, |count| count.get());
    let share = (flags.meters as usize).div_ceil(threads);
    thread::scope(|scope| {
        let mut shares = Vec::new();
        for first in (0..flags.meters as usize).step_by(share) {
            let end = (first + share).min(flags.meters as usize);
            shares.push(scope.spawn(move || play_share(first as u32..end as u32, flags)));
        }
        let tallies = shares.into_iter().map(|share| share.join().expect("no household panics"));
        tallies.fold(Tally::default(), Tally::and)
    })
}

/// Simulates some of the meters, day by day.
fn play_share(meters: std::ops::Range<u32>, flags: &FleetFlags) -> Tally {
    let group = TestGroup::new();
    let mut houses = Vec::with_capacity(meters.len());
    houses.extend(meters.map(|number| House::build(number, flags.seed, &group)));
    let mut tally = Tally::default();
    for day in 0..flags.days {
        for house in &mut houses {
            house.live(day, &group, &mut tally);
        }
    }
    for house in &mut houses {
        house.settle(&mut tally);
    }
    tally
}

impl House {
    /// A new meter under the TEST key, without credit.
    fn build(number: u32, seed: u64, group: &TestGroup) -> Self {
        let pan = pan_of(number);
        let random = SplitMix(seed ^ u64::from(number).wrapping_mul(0xD6E8_FEB8_6659_FD93));
        let mut house = Self { record: [BLANK; Engine::RECORD_LENGTH], slot: None, random };
        let birth = Birth {
            pan,
            key: group.new_key(pan),
            remembered: 50,
            manufactured: TokenIdentifier::from_low_bits(MANUFACTURED),
        };
        Engine::manufacture(profile(), birth, &mut house).expect("the profile suits the key");
        house
    }

    /// Starts the meter from its storage.
    fn wake(&mut self) -> Engine {
        Engine::load(profile(), self, 0).expect("the record is whole")
    }

    /// Simulates one day.
    fn live(&mut self, day: u32, group: &TestGroup, tally: &mut Tally) {
        let mut meter = self.wake();
        for part in 0..PARTS {
            let watts = self.random.between(LIGHTEST, HEAVIEST);
            let load = Load::watts(watts);
            let Ok(switch) = meter.consume(load, MINUTES_A_PART * 60, self);
            tally.dark_parts += u64::from(!switch.is_closed());
            if meter.warning(Service::Electricity) != Warning::None {
                let minute = day * MINUTES_A_DAY + (part + 1) * MINUTES_A_PART;
                let now = TokenIdentifier::from_low_bits(MANUFACTURED + minute).unreserved();
                self.buy(&mut meter, now, group, tally);
            }
        }
        let Ok(()) = meter.save(self);
    }

    /// Buys a token and enters it; sometimes also enters one that the meter must refuse.
    fn buy(
        &mut self,
        meter: &mut Engine,
        now: TokenIdentifier,
        group: &TestGroup,
        tally: &mut Tally,
    ) {
        let cipher = group.cipher(meter.state().pan());
        let tenths = self.random.between(SMALLEST, LARGEST);
        let amount = Amount::from_tenths(tenths).expect("a purchase is small");
        let token = credit_token(&cipher, now, amount, self.random.next() as u8);
        if self.random.one_in(MISTYPES)
            && let Some(wrong) = self.mistyped(token, &cipher)
        {
            let _ = self.enter(meter, wrong, tally);
        }
        tally.sold_tenths += u64::from(amount.tenths());
        let _ = self.enter(meter, token, tally);
        if self.random.one_in(REPLAYS) {
            tally.replays += 1;
            let outcome = self.enter(meter, token, tally);
            tally.replays_refused += u64::from(outcome == Outcome::Refused(Refusal::Used));
        }
        if self.random.one_in(DRAWERS) {
            let before = TokenIdentifier::from_low_bits(MANUFACTURED - MINUTES_A_DAY);
            let _ = self.enter(meter, credit_token(&cipher, before, amount, 0), tally);
        }
    }

    fn enter(&mut self, meter: &mut Engine, token: TokenData, tally: &mut Tally) -> Outcome {
        let Ok(outcome) = meter.enter(token, TokenCarrierType::NUMERIC, 0, self);
        tally.results[usize::from(outcome.result().code()) - 1] += 1;
        if let Outcome::Accepted(Effect::Credited { tenths, .. }) = outcome {
            tally.credited_tenths += u64::from(tenths);
        }
        outcome
    }

    /// A token with one digit wrong. One in 65 536 still passes the checksum; such a token is not entered.
    fn mistyped(&mut self, token: TokenData, cipher: &TokenCipher) -> Option<TokenData> {
        let mut digits = token.to_string().into_bytes();
        let places: Vec<usize> =
            (0..digits.len()).filter(|&at| digits[at].is_ascii_digit()).collect();
        let place = places[self.random.between(0, places.len() as u32 - 1) as usize];
        let step = self.random.between(1, 9) as u8;
        digits[place] = b'0' + (digits[place] - b'0' + step) % 10;
        let wrong: TokenData = String::from_utf8(digits).ok()?.parse().ok()?;
        matches!(open(wrong, cipher), Err(OpenError::Checksum { .. })).then_some(wrong)
    }

    /// Checks at the end that the meter's credit is what was credited minus what was used.
    fn settle(&mut self, tally: &mut Tally) {
        let meter = self.wake();
        let register = meter.state().credit(Service::Electricity);
        tally.balance_grains += register.grains();
        tally.used_grains += register.used_grains();
        tally.unbalanced_meters += u64::from(register.grains() < 0);
    }
}

/// The value of an erased byte.
const BLANK: u8 = 0xFF;

/// Space for one record. Power never fails during a write here, so one slot is enough.
impl Storage for House {
    type Fault = Infallible;

    fn erase(&mut self, slot: Slot) -> Result<(), Infallible> {
        self.record.fill(BLANK);
        self.slot = Some(slot);
        Ok(())
    }

    fn write(&mut self, _: Slot, offset: usize, bytes: &[u8]) -> Result<(), Infallible> {
        self.record[offset..][..bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn read(&mut self, slot: Slot, offset: usize, bytes: &mut [u8]) -> Result<(), Infallible> {
        match self.slot == Some(slot) {
            true => bytes.copy_from_slice(&self.record[offset..][..bytes.len()]),
            false => bytes.fill(BLANK),
        }
        Ok(())
    }
}

impl Tally {
    /// The sum of both.
    fn and(mut self, other: Self) -> Self {
        for (mine, others) in self.results.iter_mut().zip(other.results) {
            *mine += others;
        }
        self.sold_tenths += other.sold_tenths;
        self.credited_tenths += other.credited_tenths;
        self.used_grains += other.used_grains;
        self.balance_grains += other.balance_grains;
        self.replays += other.replays;
        self.replays_refused += other.replays_refused;
        self.dark_parts += other.dark_parts;
        self.unbalanced_meters += other.unbalanced_meters;
        self
    }

    /// Whether every tenth sold was credited once and then used or kept, and no replay was accepted.
    fn is_exact(&self) -> bool {
        let credited = i128::from(self.credited_tenths) * i128::from(GRAINS_PER_TENTH);
        self.sold_tenths == self.credited_tenths
            && credited == i128::from(self.used_grains) + i128::from(self.balance_grains)
            && self.replays == self.replays_refused
            && self.unbalanced_meters == 0
    }

    /// How many tokens had a result.
    fn count(&self, result: TokenResult) -> u64 {
        self.results[usize::from(result.code()) - 1]
    }

    /// The refusals that occurred, by result.
    fn refusals(&self) -> impl Iterator<Item = (TokenResult, u64)> {
        let refused = TokenResult::ALL.into_iter().filter(|result| *result != TokenResult::Accept);
        refused.map(|result| (result, self.count(result))).filter(|(_, count)| *count > 0)
    }

    fn as_value(&self, flags: &FleetFlags) -> Value {
        let refusals: Map<String, Value> = self
            .refusals()
            .map(|(result, count)| (result.name().to_owned(), count.into()))
            .collect();
        json!({
            "test_key": true,
            "meters": flags.meters,
            "days": flags.days,
            "seed": flags.seed,
            "bytes_per_meter": size_of::<House>(),
            "tokens_accepted": self.count(TokenResult::Accept),
            "refusals": refusals,
            "replays": self.replays,
            "replays_refused": self.replays_refused,
            "sold_kwh": tenths(self.sold_tenths),
            "credited_kwh": tenths(self.credited_tenths),
            "used_grains": self.used_grains,
            "balance_grains": self.balance_grains,
            "parts_of_days_ended_dark": self.dark_parts,
            "exact": self.is_exact(),
        })
    }

    fn tell(&self, flags: &FleetFlags, out: &mut impl Write) -> io::Result<()> {
        let FleetFlags { meters, days, seed } = flags;
        let (meters, days) = (counted(*meters, "meter"), counted(*days, "day"));
        writeln!(out, "{meters} under TEST keys, {days}, seed {seed}")?;
        let mut line = |name: &str, value: String| writeln!(out, "  {name:24} {value}");
        line("bytes per meter", size_of::<House>().to_string())?;
        line("tokens accepted", self.count(TokenResult::Accept).to_string())?;
        for (result, count) in self.refusals() {
            line(&format!("refused: {result}"), count.to_string())?;
        }
        line("replays refused", format!("{} of {}", self.replays_refused, self.replays))?;
        line("sold", format!("{} kWh", tenths(self.sold_tenths)))?;
        line("credited", format!("{} kWh", tenths(self.credited_tenths)))?;
        line("used", format!("{} kWh", kwh(self.used_grains.into())))?;
        line("still in the meters", format!("{} kWh", kwh(self.balance_grains.into())))?;
        match self.is_exact() {
            true => writeln!(out, "{}", styled(RESULT, "exact: sold = credited = used + balance")),
            false => writeln!(out, "{}", styled(WRONG, "NOT exact: the sums do not agree")),
        }
    }
}

/// A number of things.
fn counted(number: u32, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// Tenths as a decimal.
fn tenths(value: u64) -> String {
    format!("{}.{}", value / 10, value % 10)
}

/// Grains as kWh with three decimals, rounded down.
fn kwh(grains: i128) -> String {
    let thousandths = grains / (i128::from(GRAINS_PER_TENTH) / 100);
    format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000)
}

/// Electricity in units. The meter stores its consumption at night and with every token only.
fn profile() -> Profile {
    let mut profile = Profile::electricity(SetSize::Three);
    profile.policy.commit_every_grains = u64::MAX;
    profile
}

/// The number of a meter: manufacturer code 00, for tests, and its number in the fleet.
fn pan_of(number: u32) -> MeterPan {
    let manufacturer = ManufacturerCode::two_digits(0).expect("00 is a code");
    let serial = DecoderSerialNumber::try_from(number).expect("a fleet has eight digits at most");
    MeterPan::new(DecoderReferenceNumber::new(manufacturer, serial))
}

/// SplitMix64: eight bytes of state, the same numbers on every machine.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from `least` to `most`, inclusive. The bias is below one in 2^32.
    fn between(&mut self, least: u32, most: u32) -> u32 {
        let width = u64::from(most - least) + 1;
        least + (((self.next() >> 32) * width) >> 32) as u32
    }

    fn one_in(&mut self, count: u32) -> bool {
        self.between(1, count) == 1
    }
}
