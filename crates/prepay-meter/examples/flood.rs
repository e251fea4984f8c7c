//! Floods one meter with numbers that nobody issued, and compares how far they get with what probability predicts.
//!
//! ```text
//! cargo run --release -p prepay-meter --example flood -- 10000000
//! ```
//!
//! - *Random*: uniform numbers of twenty digits, with lockout off and on.
//! - *Edited*: tokens of this meter with one digit changed, all 180 ways.
//! - *Right checksum*: random blocks with a corrected checksum. Only one guess in 65 536 gets that far, so the checks
//!   behind it would not be counted often enough otherwise.
//!
//! Every number meets the meter in the same state: the meter forgets what it accepted or held as a section. If a count
//! differs from its prediction by more than five standard deviations plus four, the program ends with an error.
//!
//! - Units: counts; predictions in hundredths of a count. No floats.
//! - Elsewhere: what follows from the figures (`docs/reference/guessing.md`).

use std::fmt;
use std::process::ExitCode;

use prepay_meter::{Birth, Effect, Lockout, Meter, Outcome, Profile, Refusal};
use prepay_testkit::{Memory, Random, meter_key};
use prepay_token::element::{
    Amount, EncryptionAlgorithm, RandomNumber, Service, TokenCarrierType, TokenIdentifier,
};
use prepay_token::key::{DecoderKey, TokenCipher};
use prepay_token::key_change::{NewKey, SetSize};
use prepay_token::{Class, ClearBlock, Token, TokenData, seal};

const NUMBERS: u64 = 10_000_000;

/// How many numbers have twenty digits.
const TWENTY_DIGITS: u128 = 100_000_000_000_000_000_000;

/// The smallest identifier that the meter remembers, the step to the next, and how many there are.
const OLDEST: u32 = 6_100_000;
const STEP: u32 = 1_000;
const REMEMBERED: u32 = 50;

/// The identifiers that are neither older than the oldest nor used, of 2^24.
const NEW_IDENTIFIERS: u128 = (1 << 24) - (OLDEST + REMEMBERED) as u128;

/// The management functions with their values that the meter carries out, of 2^20: three functions with any value;
/// clearing of tamper; clearing of electricity or of all; 12 flags on or off, and one control of ten bits.
const MANAGEMENT: u128 = 3 * 65_536 + 1 + 2 + 24 + 1_024;

/// The tenths of a unit that all amounts of sixteen bits add up to: the mean is 65 536 times less.
fn all_amounts() -> u128 {
    (0..=u16::MAX).map(|bits| u128::from(Amount::from_bits(bits).tenths())).sum()
}

/// How many numbers reached each stage.
#[derive(Clone, Copy, Default)]
struct Counts {
    entered: u64,
    in_range: u64,
    class: [u64; 4],
    /// By class: the meter was locked.
    locked: [u64; 4],
    /// By class: the checksum is right.
    checksum: [u64; 4],
    /// By class: the meter has the function; tokens with an identifier only.
    function: [u64; 4],
    /// By class: the identifier is new.
    identifier: [u64; 4],
    accepted: [u64; 4],
    waiting: u64,
    credited_tenths: u64,
    /// The meter's clock at the end.
    seconds: u64,
}

/// How a flood treats the clock.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// One number a second, locked or not.
    EverySecond,
    /// Each number as soon as the meter is not locked.
    Patient,
    /// Power is interrupted before each number, and the clock of the meter begins anew.
    Interrupted,
}

/// The meter, and what it was before the flood.
struct Target {
    fresh: Memory,
    memory: Memory,
    meter: Meter,
    cipher: TokenCipher,
    profile: Profile,
}

impl Target {
    fn new(lockout: Option<Lockout>) -> Self {
        let bytes = 0x0ABC_12DE_F345_6789_u64.to_be_bytes();
        let key = NewKey {
            key: DecoderKey::new(EncryptionAlgorithm::Sta, &bytes).expect("eight bytes"),
            ..meter_key(EncryptionAlgorithm::Sta, 0)
        };
        let cipher = TokenCipher::new(&key.key);
        let birth = Birth {
            pan: "600727000000000009".parse().expect("a PAN"),
            key,
            remembered: REMEMBERED as u16,
            manufactured: TokenIdentifier::from_low_bits(OLDEST - STEP),
        };
        let mut profile = Profile::electricity(SetSize::Three);
        profile.policy.lockout = lockout;
        let mut memory = Memory::default();
        let mut meter = Meter::manufacture(profile, birth, &mut memory).expect("it suits");
        for number in 0..REMEMBERED {
            let token = credit(&cipher, OLDEST + number * STEP, 1);
            let answer = meter.enter(token, TokenCarrierType::NUMERIC, 0, &mut memory);
            assert!(matches!(answer, Ok(Outcome::Accepted(_))));
        }
        Self { fresh: memory.clone(), memory, meter, cipher, profile }
    }

    /// Enters a number and counts how far it got.
    fn try_number(&mut self, number: u128, pace: Pace, counts: &mut Counts) {
        counts.entered += 1;
        counts.seconds += match pace {
            Pace::EverySecond => 1,
            Pace::Patient => self.meter.lockout_seconds(counts.seconds),
            Pace::Interrupted => 0,
        };
        if pace == Pace::Interrupted {
            self.meter = Meter::load(self.profile, &mut self.memory, 0).expect("it was stored");
        }
        let now_s = counts.seconds;
        let digits = digits(number);
        let text = std::str::from_utf8(&digits).expect("digits are text");
        let carrier = TokenCarrierType::NUMERIC;
        let answer = self.meter.enter_digits(text, carrier, now_s, &mut self.memory);
        let outcome = answer.unwrap_or_else(|never| match never {});
        if outcome == Outcome::Refused(Refusal::Format) {
            return;
        }
        counts.in_range += 1;
        let data = TokenData::from_digits(&digits).expect("the meter took it");
        let class = usize::from(data.class().number());
        counts.class[class] += 1;
        let reached = |stage: &mut [u64; 4]| stage[class] += 1;
        match outcome {
            Outcome::Refused(Refusal::Lockout) => return reached(&mut counts.locked),
            Outcome::Refused(Refusal::Checksum) => return,
            Outcome::Refused(Refusal::Function) if class == 3 => return,
            _ => reached(&mut counts.checksum),
        }
        let has_identifier = self.has_identifier(data);
        match outcome {
            Outcome::Refused(Refusal::Function | Refusal::Manufacturer) => return,
            Outcome::Refused(Refusal::Old | Refusal::Used) => {
                return reached(&mut counts.function);
            }
            Outcome::Refused(_) if !has_identifier => return,
            Outcome::Refused(_) => {
                reached(&mut counts.function);
                return reached(&mut counts.identifier);
            }
            Outcome::Waiting { .. } => counts.waiting += 1,
            Outcome::Accepted(effect) => {
                if has_identifier {
                    reached(&mut counts.function);
                    reached(&mut counts.identifier);
                }
                reached(&mut counts.accepted);
                if let Effect::Credited { tenths, .. } = effect {
                    counts.credited_tenths += u64::from(tenths);
                }
            }
        }
        if class != 1 {
            self.memory = self.fresh.clone();
            self.meter = Meter::load(self.profile, &mut self.memory, now_s).expect("it was stored");
        }
    }

    /// Classes 0 and 2, but sections of a key.
    fn has_identifier(&self, data: TokenData) -> bool {
        let sub_class = ClearBlock::decipher(data, &self.cipher).sub_class();
        match data.class() {
            Class::Credit => true,
            Class::Management => !matches!(sub_class, 3 | 4 | 8 | 9),
            _ => false,
        }
    }

    /// The numbers of a flood, one after the other.
    fn random(&mut self, numbers: u64, pace: Pace) -> Counts {
        let (mut random, mut counts) = (Random::new(62_055), Counts::default());
        for _ in 0..numbers {
            let wide = u128::from(random.next()) << 64 | u128::from(random.next());
            self.try_number(wide % TWENTY_DIGITS, pace, &mut counts);
        }
        counts
    }

    /// Tokens of this meter with one digit changed, in every place to every other digit.
    fn edited(&mut self, tokens: u64) -> Counts {
        let (mut random, mut counts) = (Random::new(41), Counts::default());
        for _ in 0..tokens {
            let identifier = OLDEST + REMEMBERED * STEP + (random.next() >> 44) as u32;
            let token = credit(&self.cipher, identifier, 1 + random.below(20_000) as u32);
            let mut power = 1;
            for digit in token.digits().iter().rev().map(|digit| u128::from(digit - b'0')) {
                let without = token.value() - digit * power;
                for other in (0..10).filter(|&other| other != digit) {
                    self.try_number(without + other * power, Pace::EverySecond, &mut counts);
                }
                power *= 10;
            }
        }
        counts
    }

    /// Random blocks of the classes 0 and 2 with the right checksum.
    fn with_checksum(&mut self, numbers: u64) -> Counts {
        let (mut random, mut counts) = (Random::new(2018), Counts::default());
        for number in 0..numbers {
            let class = if number & 1 == 0 { Class::Credit } else { Class::Management };
            let bits = random.next();
            let checksum = ClearBlock::new(class, bits).checksum_expected();
            let block = self.cipher.encipher(bits & !0xFFFF | u64::from(checksum));
            let token = TokenData::join(class, block);
            self.try_number(token.value(), Pace::EverySecond, &mut counts);
        }
        counts
    }
}

fn credit(cipher: &TokenCipher, identifier: u32, tenths: u32) -> TokenData {
    let token = Token::Credit {
        service: Service::Electricity,
        random: RandomNumber::try_from(5).expect("four bits"),
        identifier: TokenIdentifier::from_low_bits(identifier),
        amount: Amount::from_tenths(tenths).expect("an amount"),
    };
    seal(&token, cipher)
}

fn digits(mut number: u128) -> [u8; 20] {
    let mut digits = [b'0'; 20];
    for digit in digits.iter_mut().rev() {
        *digit += (number % 10) as u8;
        number /= 10;
    }
    digits
}

/// A number of hundredths, such as a prediction.
#[derive(Clone, Copy)]
struct Hundredths(u128);

impl Hundredths {
    /// `count` times `part` of `whole`, rounded to the nearest.
    fn of(count: u64, part: u128, whole: u128) -> Self {
        Self((100 * u128::from(count) * part + whole / 2) / whole)
    }
}

impl fmt::Display for Hundredths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{:02}", self.0 / 100, self.0 % 100))
    }
}

/// The rows of a table, and whether all of them are near their prediction.
struct Table {
    is_near: bool,
}

impl Table {
    fn begin(title: &str) -> Self {
        println!("\n{title}\n{:<46} {:>12} {:>15}", "", "counted", "predicted");
        Self { is_near: true }
    }

    fn row(&mut self, name: &str, counted: u64, predicted: Hundredths) {
        let found = 100 * u128::from(counted);
        let deviation = (100 * predicted.0).isqrt();
        let is_near = found.abs_diff(predicted.0) <= 5 * deviation + 400;
        self.is_near &= is_near;
        let remark = if is_near { "" } else { "  FAR" };
        println!("{name:<46} {counted:>12} {predicted:>15}{remark}");
    }
}

/// The stages of random numbers, of which so many were looked at when the meter was not locked.
fn random_table(title: &str, counts: &Counts, lock: Option<(u64, Hundredths)>) -> bool {
    let mut table = Table::begin(title);
    let n = counts.entered;
    table.row("numbers of twenty digits", n, Hundredths::of(n, 1, 1));
    table.row("below 2^66", counts.in_range, Hundredths::of(n, 1 << 66, TWENTY_DIGITS));
    for class in 0..4 {
        let name = format!("  class {class}");
        table.row(&name, counts.class[class], Hundredths::of(n, 1 << 64, TWENTY_DIGITS));
    }
    let mut judged = Hundredths::of(n, 1 << 65, TWENTY_DIGITS);
    if let Some((looked_at, predicted)) = lock {
        table.row("  classes 0 and 2, not locked", looked_at, predicted);
        judged = predicted;
    }
    let class_1 = Hundredths::of(n, 1 << 48, TWENTY_DIGITS);
    table.row("checksum right, class 1 (in clear)", counts.checksum[1], class_1);
    let right = counts.checksum[0] + counts.checksum[2];
    table.row("checksum right, classes 0 and 2", right, Hundredths(judged.0 >> 16));
    let half = judged.0 >> 17;
    let credit = |part: u128| Hundredths(half * part / (16 << 24));
    let management = |part: u128| Hundredths(half * MANAGEMENT * part / (1 << 44));
    table.row("  credit, service of the meter", counts.function[0], credit(1 << 24));
    table.row("  credit, identifier new", counts.identifier[0], credit(NEW_IDENTIFIERS));
    table.row("accepted: credit", counts.accepted[0], credit(NEW_IDENTIFIERS));
    table.row("accepted: management", counts.accepted[2], management(NEW_IDENTIFIERS));
    table.is_near
}

fn checksum_table(counts: &Counts) -> bool {
    let mut table =
        Table::begin("Random blocks with the right checksum, half class 0, half class 2");
    let half = counts.entered / 2;
    table.row("class 0, service of the meter", counts.function[0], Hundredths::of(half, 1, 16));
    let new = Hundredths::of(half, NEW_IDENTIFIERS, 16 << 24);
    table.row("class 0, identifier new", counts.identifier[0], new);
    table.row("accepted: credit", counts.accepted[0], new);
    let management = Hundredths::of(half, MANAGEMENT * NEW_IDENTIFIERS, 1 << 44);
    table.row("accepted: management", counts.accepted[2], management);
    // The first with two of four key types and nine of sixteen revisions, the second with 100 of 256 tariff indices.
    let sections = 256 * 9 / 32 + 100;
    table.row("held: sections of a key", counts.waiting, Hundredths::of(half, sections, 16 * 256));
    table.is_near
}

fn edited_table(counts: &Counts) -> bool {
    let mut table = Table::begin("Tokens with one digit changed");
    let n = counts.entered;
    table.row("numbers", n, Hundredths::of(n, 1, 1));
    println!("{:<46} {:>12}", "below 2^66", counts.in_range);
    let right: u64 = counts.checksum.iter().sum();
    let judged: u64 = counts.class[..3].iter().sum();
    table.row("checksum right", right, Hundredths::of(judged, 1, 65_536));
    let credit = Hundredths::of(counts.class[0], NEW_IDENTIFIERS, 1 << 44);
    table.row("accepted: credit", counts.accepted[0], credit);
    table.is_near
}

/// How long guessing takes until one credit token is accepted, by how long one guess takes.
fn print_years() {
    const YEAR_S: u128 = 31_557_600; // 365.25 days.
    println!("\nYears to one accepted credit token on average, every guess of class 0");
    let guesses = (1_u128 << 44) / NEW_IDENTIFIERS;
    println!("{:<46} {guesses:>12}", "guesses");
    let cap_s = u128::from(Lockout::default().cap_s);
    for (name, tenths_s) in [
        ("default lockout, 1280 s a guess", cap_s * 10),
        ("no lockout, 30 s a guess (by hand)", 300),
        ("no lockout, 1 s a guess", 10),
        ("lockout that power resets: off 10 s after 2 guesses", 50),
    ] {
        let years = Hundredths(100 * guesses * tenths_s / (10 * YEAR_S));
        println!("{name:<46} {years:>12}");
    }
    let mean = Hundredths(all_amounts() * 10 / 65_536);
    println!("{:<46} {mean:>12}", "mean credit of an accepted guess, units");
}

/// How many numbers of the classes 0 and 2 a meter with the default lockout examines, if one number a second comes for
/// so many seconds: the next comes 10^20 / 2^65 seconds after the last lock, on average.
fn looked_at_in(seconds: u64) -> u128 {
    let wait_us = TWENTY_DIGITS * 1_000_000 / (1 << 65);
    let (mut spent_us, mut count) = (wait_us, 0_u8);
    let mut looked_at = 0;
    while spent_us <= u128::from(seconds) * 1_000_000 {
        looked_at += 1;
        count = count.saturating_add(1);
        let lock_s = u128::from(Lockout::default().duration_s(count).saturating_sub(1));
        spent_us += lock_s * 1_000_000 + wait_us;
    }
    looked_at
}

/// Whether every count is near its prediction.
fn flood(numbers: u64) -> bool {
    let lockout = Some(Lockout::default());
    let off = Target::new(None).random(numbers, Pace::EverySecond);
    let mut is_near = random_table("Random numbers, no lockout", &off, None);

    let looked_at =
        |counts: &Counts| counts.class[0] + counts.class[2] - counts.locked[0] - counts.locked[2];
    let on = Target::new(lockout).random(numbers, Pace::EverySecond);
    let lock = Some((looked_at(&on), Hundredths(100 * looked_at_in(numbers))));
    is_near &= random_table("Random numbers, default lockout, one a second", &on, lock);

    let few = numbers / 10;
    let interrupted = Target::new(lockout).random(few, Pace::Interrupted);
    let lock = Some((looked_at(&interrupted), Hundredths(300)));
    let title = "Random numbers, default lockout, power interrupted before each";
    is_near &= random_table(title, &interrupted, lock);
    is_near &= looked_at(&interrupted) == 3;

    let patient = Target::new(lockout).random(numbers, Pace::Patient);
    let wrong = [0, 2].map(|class| patient.class[class] - patient.checksum[class]);
    let wrong: u64 = wrong.iter().sum();
    println!("\nRandom numbers, default lockout, each as soon as the meter is not locked");
    println!("{:<46} {:>12}", "wrong checksums of classes 0 and 2", wrong);
    println!("{:<46} {:>12}", "seconds on the clock of the meter", patient.seconds);
    println!("{:<46} {:>12}", "predicted at most, 1280 s each", wrong * 1_280);
    is_near &= patient.accepted == off.accepted && patient.seconds <= wrong * 1_280;
    is_near &= patient.seconds * 100 >= wrong * 1_280 * 95 || wrong < 1_000;

    is_near &= edited_table(&Target::new(None).edited((numbers / 1_000).max(1)));
    is_near &= checksum_table(&Target::new(None).with_checksum(numbers / 10));
    print_years();
    is_near
}

fn main() -> ExitCode {
    let numbers = match std::env::args().nth(1).map(|text| text.parse()) {
        None => NUMBERS,
        Some(Ok(numbers)) => numbers,
        Some(Err(_)) => {
            eprintln!("flood: expected a count of numbers");
            return ExitCode::from(2);
        }
    };
    if flood(numbers) {
        ExitCode::SUCCESS
    } else {
        eprintln!("flood: a count is far from what was predicted");
        ExitCode::FAILURE
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn counts_are_near_what_probability_predicts() {
        assert!(super::flood(50_000));
    }
}
