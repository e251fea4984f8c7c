//! The bodies for the meter: its stored record, and its keypad.
//!
//! Both work on meters under keys that are no secret to anybody. The layout of a record is drawn in `record.rs` of
//! `prepay-meter`; the few places that are needed here are named below.

use std::sync::LazyLock;

use crc::{CRC_32_ISO_HDLC, Crc};
use prepay_meter::keypad::{
    CODES_CONLOG, CODES_HEXING, CODES_LANDIS_GYR, CODES_PROJECT, Key, KeypadPolicy, Panel, Submit,
    WORDS_ITRON, WORDS_PROJECT,
};
use prepay_meter::{Birth, Effect, Lockout, Meter, Outcome, Profile, REGISTERS, Refusal};
use prepay_token::element::{
    Amount, EncryptionAlgorithm, RandomNumber, Service, TokenCarrierType, TokenIdentifier,
};
use prepay_token::key::{DecoderKey, TokenCipher};
use prepay_token::key_change::{KeyChangeSet, NewKey, Rollover, SetSize};
use prepay_token::{ManagementFunction, MeterTest, Token, TokenData, seal};

use crate::{Memory, Random, meter_key};

const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// The header of a record, and its whole length.
/// A header and its repetition.
const HEADER: usize = 40;
const RECORD: usize = Meter::<50, 12, 1>::RECORD_LENGTH;

/// Places in a body: behind the capacities and the PAN, and those whose value counts only with a mark.
const ALGORITHM: usize = 23;
const CONDITIONS: usize = 48;
const HAS_WATER_FACTOR: usize = 49;
const FAILURES: usize = 50;
const TARIFF_RATE: usize = 59;
const WATER_FACTOR: usize = 61;
const LAST_CREDIT: usize = 63;

/// The storage of a meter of each size of set, with two records; the newer is in the second slot.
static USED: LazyLock<[Memory; 3]> = LazyLock::new(|| {
    [SetSize::Two, SetSize::Three, SetSize::Four].map(|size| {
        let (mut meter, mut memory) = made(Profile::electricity(size), size);
        let cipher = TokenCipher::new(&key(size, 0xA5).key);
        let outcome = meter.enter(credit(2_000_000, &cipher), CARRIER, 0, &mut memory);
        assert!(matches!(outcome, Ok(Outcome::Accepted(_))));
        memory
    })
});

const CARRIER: TokenCarrierType = TokenCarrierType::NUMERIC;

/// A meter fresh from its maker.
fn made(profile: Profile, size: SetSize) -> (Meter, Memory) {
    let birth = Birth {
        pan: "600727000000000009".parse().expect("a PAN"),
        key: key(size, 0xA5),
        remembered: 50,
        manufactured: TokenIdentifier::from_low_bits(1_000_000),
    };
    let mut memory = Memory::default();
    let meter = Meter::manufacture(profile, birth, &mut memory).expect("the profile suits");
    (meter, memory)
}

/// A key of one repeated byte for a meter with sets of this size.
fn key(size: SetSize, byte: u8) -> NewKey {
    let algorithm = match size {
        SetSize::Four => EncryptionAlgorithm::Misty1,
        _ => EncryptionAlgorithm::Sta,
    };
    meter_key(algorithm, byte)
}

fn credit(identifier: u32, cipher: &TokenCipher) -> TokenData {
    let token = Token::Credit {
        service: Service::Electricity,
        random: RandomNumber::try_from(5).expect("four bits"),
        identifier: TokenIdentifier::from_low_bits(identifier),
        amount: Amount::from_tenths(256).expect("an amount"),
    };
    seal(&token, cipher)
}

/// Any bytes as the stored state never panic: they are refused by name, or are a meter that stores the same
/// bytes again.
///
/// The first byte says what the rest is (two slots as they are, a body behind the number of the meter, or changes to
/// a good record as place and value; with checksums put right or not) and which meter reads it.
pub fn meter_record(input: &[u8]) {
    let Some((&choice, bytes)) = input.split_first() else { return };
    let size =
        [SetSize::Two, SetSize::Three, SetSize::Four, SetSize::Two][usize::from(choice >> 2 & 3)];
    let mut profile = Profile::electricity(size);
    if choice & 16 != 0 {
        profile.policy.lockout = Some(Lockout { reset_on_power: false, ..Lockout::default() });
    }
    let mut memory = USED[match size {
        SetSize::Two => 0,
        SetSize::Three => 1,
        SetSize::Four => 2,
    }]
    .clone();
    let newest = &mut memory.slots[1];
    match choice & 3 {
        0 => {
            let (a, b) = bytes.split_at(bytes.len() / 2);
            for (slot, bytes) in memory.slots.iter_mut().zip([a, b]) {
                let length = bytes.len().min(slot.len());
                slot[..length].copy_from_slice(&bytes[..length]);
            }
        }
        1 => {
            let length = bytes.len().min(RECORD - HEADER - ALGORITHM);
            newest[HEADER + ALGORITHM..][..length].copy_from_slice(&bytes[..length]);
            put_checksums(newest);
        }
        fixed => {
            for change in bytes.chunks_exact(3) {
                let place = u16::from_be_bytes([change[0], change[1]]);
                newest[usize::from(place) % RECORD] = change[2];
            }
            if fixed == 2 {
                put_checksums(newest);
            }
        }
    }
    if choice & 32 != 0 {
        memory.slots.swap(0, 1);
    }
    match Meter::<50, 12, 1>::load(profile, &mut memory.clone(), 0) {
        Ok(meter) => loaded(meter, profile, &memory),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// What holds for a meter that was read from somewhere.
fn loaded(mut meter: Meter, profile: Profile, memory: &Memory) {
    let found = encoded(&meter);
    let forgets = profile.policy.lockout.is_none();
    let is_one = memory.slots.iter().any(|slot| canonical(slot, forgets) == found);
    assert!(is_one, "what was read is what is stored again");

    // The same state behind a header of ours is the same meter.
    let mut again = Memory::default();
    again.slots[0][..HEADER].copy_from_slice(&USED[0].slots[0][..HEADER]);
    again.slots[0][HEADER..RECORD].copy_from_slice(&found);
    put_checksums(&mut again.slots[0]);
    let read = Meter::<50, 12, 1>::load(profile, &mut again, 0).expect("it was a state before");
    assert_eq!(encoded(&read), found);

    // It can be used: every register has a value, and a token an answer.
    for row in &REGISTERS {
        let _ = meter.register(row.register, 0);
    }
    let algorithm = meter.state().algorithm();
    let bytes = [0xA5; 16];
    let key = DecoderKey::new(algorithm, &bytes[..algorithm.key_bytes()]);
    let token = credit(3_000_000, &TokenCipher::new(&key.expect("it is as long")));
    let outcome = meter.enter(token, CARRIER, 0, &mut again).unwrap_or_else(|never| match never {});
    if let Outcome::Accepted(effect) = outcome {
        assert!(matches!(effect, Effect::Credited { tenths: 256, .. }));
        let read = Meter::<50, 12, 1>::load(profile, &mut again, 0).expect("it was committed");
        assert_eq!(encoded(&read), encoded(&meter));
    }
}

/// The body in a slot, without what a loaded meter forgets: values whose mark is not set, and with it a count of
/// failures that loss of power sets back.
fn canonical(slot: &[u8], forgets_failures: bool) -> Vec<u8> {
    let mut body = slot[HEADER..RECORD].to_vec();
    if body[CONDITIONS] & 8 == 0 {
        body[TARIFF_RATE..][..2].fill(0);
    }
    if body[HAS_WATER_FACTOR] == 0 {
        body[WATER_FACTOR..][..2].fill(0);
    }
    if body[LAST_CREDIT] == 0xFF {
        body[LAST_CREDIT + 1..][..6].fill(0);
    }
    if forgets_failures {
        body[FAILURES] = 0;
    }
    body
}

/// Makes the checksums of a record right.
fn put_checksums(slot: &mut [u8]) {
    let body = CRC.checksum(&slot[HEADER..RECORD]);
    slot[12..16].copy_from_slice(&body.to_be_bytes());
    let header = CRC.checksum(&slot[..16]);
    slot[16..20].copy_from_slice(&header.to_be_bytes());
    slot.copy_within(..20, 20);
}

fn encoded(meter: &Meter) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(RECORD);
    let put = |piece: &[u8]| {
        bytes.extend_from_slice(piece);
        Ok::<(), std::convert::Infallible>(())
    };
    meter.state().expose_encoded(put).unwrap_or_else(|never| match never {});
    bytes
}

/// The most things that happen at one keypad.
const EVENTS: usize = 40;

/// The tokens that the keypad is given whole: credit, its repetition among others, management, a test, and a key
/// change with a credit under the key after it.
static TYPED: LazyLock<[[u8; 20]; 8]> = LazyLock::new(|| {
    let (first, next) = (key(SetSize::Two, 0xA5), key(SetSize::Two, 0x5A));
    let cipher = TokenCipher::new(&first.key);
    let set = KeyChangeSet::new(&next, SetSize::Two, Rollover::Keep).expect("a set of two");
    let mut sections =
        set.sections().map(|section| seal(&Token::KeyChange(section.clone()), &cipher));
    let test = MeterTest::new(0, "00".parse().expect("a code"), 1).expect("a test");
    let management = Token::Management {
        random: RandomNumber::try_from(5).expect("four bits"),
        identifier: TokenIdentifier::from_low_bits(2_000_001),
        function: ManagementFunction::ClearTamperCondition,
    };
    [
        credit(2_000_000, &cipher),
        credit(2_000_002, &cipher),
        seal(&management, &cipher),
        seal(&Token::Test(test), &cipher),
        sections.next().expect("the first"),
        sections.next().expect("the second"),
        credit(2_000_003, &TokenCipher::new(&next.key)),
        credit(1, &cipher),
    ]
    .map(|token| token.digits())
});

/// A meter fresh from its maker, and its storage: the state in which every run of [`keypad`] begins.
static FRESH: LazyLock<Memory> =
    LazyLock::new(|| made(Profile::electricity(SetSize::Two), SetSize::Two).1);

/// Any keys at any time never panic, and only twenty digits change what a meter stores.
///
/// The first byte chooses the codes, the words, and what enters a token. Each further byte is a key, a whole token,
/// time that passes, or loss of power.
pub fn keypad(input: &[u8]) {
    let Some((&choice, events)) = input.split_first() else { return };
    let codes = [CODES_PROJECT, CODES_HEXING, CODES_LANDIS_GYR, CODES_CONLOG];
    let submit = if choice & 4 == 0 { Submit::OnEnter } else { Submit::AtTwentieth };
    let words = if choice & 8 == 0 { WORDS_PROJECT } else { WORDS_ITRON };
    let mut profile = Profile::electricity(SetSize::Two);
    if choice & 16 != 0 {
        profile.policy.lockout =
            Some(Lockout { reset_on_power: choice & 32 == 0, ..Lockout::default() });
    }
    let policy = KeypadPolicy { submit, ..KeypadPolicy::default() };
    let panel = Panel::new(policy, codes[usize::from(choice & 3)], words);
    let mut memory = FRESH.clone();
    let meter = Meter::load(profile, &mut memory, 0).expect("the meter was made");
    let mut user = User { stored: encoded(&meter), panel, meter, memory, now_s: 0, digits: 0 };
    for &event in events.iter().take(EVENTS) {
        let more = event >> 4;
        match event & 15 {
            key @ 0..=11 => user.press(Key::ALL[usize::from(key)]),
            12 | 13 => {
                for digit in TYPED[usize::from(more & 7)] {
                    user.press(Key::ALL[usize::from(digit - b'0')]);
                }
                // Half of them are entered at once.
                if more & 8 != 0 {
                    user.press(Key::Enter);
                }
            }
            14 => user.wait(u64::from(more) * u64::from(more)),
            _ if more == 15 => user.restart(Panel::new(policy, codes[0], words)),
            _ => user.wait(1 << more << more),
        }
    }
    assert!(encoded(&user.meter) == user.stored, "only a token changes the state");
}

/// Whoever stands before the meter.
struct User {
    panel: Panel<'static>,
    meter: Meter,
    memory: Memory,
    now_s: u64,
    /// Digits since the last token: an upper bound of what may have been typed.
    digits: usize,
    /// The state after the last token.
    stored: Vec<u8>,
}

impl User {
    fn press(&mut self, key: Key) {
        let commits = self.memory.commits;
        let was = self.meter.state().credit(Service::Electricity).tenths();
        self.digits += usize::from(!matches!(key, Key::Back | Key::Enter));
        let pressed = self.panel.press(key, &mut self.meter, self.now_s, &mut self.memory);
        let pressed = pressed.unwrap_or_else(|never| match never {});
        if let Some(shown) = pressed.shown {
            assert_eq!(shown, self.panel.screen(&self.meter, self.now_s));
        }
        let tenths = self.meter.state().credit(Service::Electricity).tenths() - was;
        let Some(outcome) = pressed.outcome else {
            assert_eq!((self.memory.commits, tenths), (commits, 0), "no token, no change");
            return;
        };
        assert!(self.digits >= 20, "a token has twenty digits");
        self.digits = 0;
        let (most, credited) = match outcome {
            Outcome::Accepted(Effect::Credited { tenths, .. }) => (1, i64::from(tenths)),
            Outcome::Accepted(Effect::Display(_)) => (0, 0),
            Outcome::Accepted(_) | Outcome::Refused(Refusal::Checksum) => (1, 0),
            Outcome::Waiting { .. } | Outcome::Refused(_) => (0, 0),
        };
        assert_eq!(tenths, credited, "{outcome:?}");
        assert!(self.memory.commits - commits <= most, "{outcome:?}");
        let state = encoded(&self.meter);
        let changed = matches!(outcome, Outcome::Accepted(_) | Outcome::Refused(Refusal::Checksum));
        assert!(changed || state == self.stored, "{outcome:?} changed the state");
        self.stored = state;
    }

    fn wait(&mut self, seconds: u64) {
        self.now_s = self.now_s.saturating_add(seconds);
        let screens = self.panel.upcoming(&self.meter).take(100).count();
        assert!(screens < 100, "the display becomes idle");
        let shown = self.panel.tick(&self.meter, self.now_s);
        assert!(shown.is_none_or(|shown| shown == self.panel.screen(&self.meter, self.now_s)));
    }

    /// Power fails and returns.
    fn restart(&mut self, panel: Panel<'static>) {
        self.panel = panel;
        self.digits = 0;
        let loaded = Meter::load(*self.meter.profile(), &mut self.memory, self.now_s);
        self.meter = loaded.expect("the state was stored");
        let state = encoded(&self.meter);
        let but_failures = |state: &[u8]| [&state[..FAILURES], &state[FAILURES + 1..]].concat();
        assert!(but_failures(&state) == but_failures(&self.stored));
        self.stored = state;
    }
}

/// Inputs for [`meter_record`]: a good record, and blank bytes, in every form.
pub(super) fn record_seeds(random: &mut Random) -> Vec<Vec<u8>> {
    let mut seeds = vec![Vec::new(), vec![0; 900]];
    for size in 0..3 {
        let [a, b] = &USED[usize::from(size)].slots;
        let other = 16 * (random.byte() & 3);
        seeds.push([&[size << 2 | other][..], a, b].concat());
        seeds.push([&[size << 2 | other | 1][..], &b[HEADER + ALGORITHM..RECORD]].concat());
    }
    // One byte of the body changed at a time, its checksums right; and a few changes with wrong ones.
    for place in 0..RECORD as u16 {
        let [high, low] = place.to_be_bytes();
        let choice = 2 | random.byte() & 0x3C;
        seeds.push(vec![choice, high, low, random.byte()]);
        if place < 64 {
            seeds.push(vec![choice | 1, high, low, random.byte()]);
        }
    }
    seeds
}

/// Inputs for [`keypad`]: whole tokens, codes, and tokens with a digit taken back.
pub(super) fn keypad_seeds(random: &mut Random) -> Vec<Vec<u8>> {
    let mut seeds = vec![Vec::new()];
    for choice in 0..64 {
        let tokens = (0..8).map(|token| 0x8C | token << 4);
        seeds.push([choice].into_iter().chain(tokens).collect());
        seeds.push(vec![choice, 11, 0, 1, 11, 0x1E, 1, 0, 11, 0x2C, 10, 6, 11, 0xFF, 0x8C]);
        let any = random.bytes(30);
        seeds.push([&[choice][..], &any].concat());
    }
    seeds
}
