//! The bodies of the fuzz targets, and inputs to run them without a fuzzer.
//!
//! Each body takes any bytes and panics if it finds a fault. The targets in `fuzz/` call them. The tests at the end
//! of this file run each body on generated inputs, the same in every run, so every test run includes them.

mod forms;
mod keys;
mod meter;
mod session;
mod vault;

use prepay_lab::Lab;
use prepay_records::RecordCode;
use prepay_records::pasted;
use prepay_token::element::{
    DecoderReferenceNumber, DecoderSerialNumber, EncryptionAlgorithm, ManufacturerCode, MeterPan,
};
use prepay_token::key::{DecoderKey, TokenCipher};
use prepay_token::{
    Class, ClearBlock, IdRecord, TokenData, Trace, open, open_in_clear, seal, seal_in_clear,
};
use serde::Deserialize;
use serde_json::value::RawValue;

pub use forms::form_json;
pub use keys::open_kmp;
pub use meter::{keypad, meter_record};
pub use session::{session_line, session_lines, written_line};
pub use vault::{audit_log, vault_store};

use crate::Random;
use crate::vectors::{LabCase, RefusalCase, load_folder};

/// The names of the targets.
pub const TARGETS: [&str; 11] = [
    "open_digits",
    "json_line",
    "id_record",
    "pan",
    "meter_record",
    "keypad",
    "open_kmp",
    "vault_store",
    "audit_log",
    "form_json",
    "session_line",
];

/// A laboratory request that succeeds, whatever line came before it, and its answer.
const GOOD_LINE: &str = r#"{"id":"good","op":"issue","ea":"07","key":{"decoder_key":"0abc12def3456789"},"tid":1698595,"rnd":11,"token":{"type":"credit","service":"electricity","amount":"25.6"}}"#;
const GOOD_ANSWER: &str = r#"{"id":"good","number":"29054347139309851356","class":0,"sub_class":0,"tid":1698595,"amount":"25.6","bits":256,"crc":49671}"#;

/// Any digits under any key: no panic, and a token that opens is sealed to the same 66 bits.
///
/// The first byte chooses the cipher and how to read the rest; sixteen bytes are the key; the rest is text, the
/// 66 bits, or a plain block, whose checksum is corrected so that its fields are read.
pub fn open_digits(input: &[u8]) {
    let Some((&[choice, ref key @ ..], rest)) = input.split_first_chunk::<17>() else { return };
    let algorithm = match choice & 3 {
        0 | 1 => EncryptionAlgorithm::Sta,
        2 => EncryptionAlgorithm::Dea,
        _ => EncryptionAlgorithm::Misty1,
    };
    let key = DecoderKey::new(algorithm, &key[..algorithm.key_bytes()]).expect("the length suits");
    let cipher = TokenCipher::new(&key);
    let data = match choice >> 2 & 3 {
        0 => {
            let text = String::from_utf8_lossy(rest);
            let data: Result<TokenData, _> = text.parse();
            let (pasted, meter) = (pasted::tokens(&text), pasted::meter_number(&text));
            if let Ok(data) = data {
                assert_eq!(pasted, Ok(vec![data]));
            }
            for error in [pasted.err(), meter.err()].into_iter().flatten() {
                assert!(!error.message.is_empty());
            }
            data
        }
        1 => TokenData::from_digits(rest),
        2 => {
            let Some(&bytes) = rest.first_chunk::<9>() else { return };
            TokenData::from_bytes(bytes)
        }
        _ => {
            let Some((&[class, ref bits @ ..], _)) = rest.split_first_chunk::<9>() else { return };
            Ok(token_in_clear(Class::from_low_bits(class), u64::from_be_bytes(*bits), &cipher))
        }
    };
    match data {
        Ok(data) => open_one(data, &cipher),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// The token of a block, with its checksum corrected.
fn token_in_clear(class: Class, bits: u64, cipher: &TokenCipher) -> TokenData {
    let sum = ClearBlock::new(class, bits).checksum_expected();
    let bits = bits & !0xFFFF | u64::from(sum);
    TokenData::join(class, if class.is_enciphered() { cipher.encipher(bits) } else { bits })
}

fn open_one(data: TokenData, cipher: &TokenCipher) {
    let digits = data.digits();
    assert_eq!(TokenData::from_digits(&digits), Ok(data));
    assert_eq!(TokenData::from_bytes(data.bytes()), Ok(data));
    assert_eq!(TokenData::join(data.class(), data.block()), data);
    assert_eq!(format!("{data:#}").parse(), Ok(data));

    let opened = open(data, cipher);
    let trace = Trace::new(data, Some(cipher));
    assert_eq!(trace.result(), &opened);
    let in_clear = open_in_clear(data);
    if !data.class().is_enciphered() {
        assert_eq!(in_clear, opened);
    }
    let token = match opened {
        Ok(token) => token,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    assert_eq!(seal(&token, cipher), data, "what opens seals to the same bits");
    assert_eq!(seal_in_clear(&token).ok(), in_clear.is_ok().then_some(data));
    assert_eq!((token.class(), token.sub_class()), (data.class(), trace_sub_class(&trace)));
    let fields = trace.fields().fold(0, |bits, field| bits | field.place.write(field.value));
    let clear = trace.clear_block().map(ClearBlock::bits);
    assert_eq!(Some(fields), clear, "the fields are the whole block");
}

fn trace_sub_class(trace: &Trace) -> u8 {
    trace.clear_block().map_or(0xFF, ClearBlock::sub_class)
}

/// The form of an answer of the laboratory.
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    error: Option<AnsweredError>,
}

#[derive(Deserialize)]
struct AnsweredError {
    code: String,
    message: String,
}

/// Any bytes: the laboratory does not panic, every line has one answer, and a good line after it is still
/// answered correctly.
pub fn json_line(input: &[u8]) {
    let mut lab = Lab::default();
    let mut out = Vec::new();
    for line in input.split(|&byte| byte == b'\n') {
        out.clear();
        let answered = lab.answer_line(line, &mut out);
        let blank = line.iter().all(u8::is_ascii_whitespace);
        assert_eq!(answered.is_none(), blank, "only a blank line has no answer");
        let Some(succeeded) = answered else {
            assert!(out.is_empty());
            continue;
        };
        let text = std::str::from_utf8(&out).expect("an answer is text");
        let text = text.strip_suffix('\n').expect("an answer ends its line");
        assert!(!text.contains(['\n', '\r']), "an answer is one line");
        let answer: Answer = serde_json::from_str(text).expect("an answer is one JSON object");
        assert!(text.starts_with(r#"{"id":"#), "an answer begins with its id: {text}");
        if let Some(id) = answer.id {
            assert!(id.get().starts_with(|sign: char| "\"-0123456789".contains(sign)), "{text}");
        }
        match answer.error {
            None => assert!(succeeded),
            Some(AnsweredError { code, message }) => {
                let known = |known: &RecordCode| known.text() == code && !message.is_empty();
                assert!(!succeeded && RecordCode::ALL.iter().any(known), "{text}");
            }
        }
    }
    out.clear();
    assert_eq!(lab.answer_line(GOOD_LINE.as_bytes(), &mut out), Some(true));
    assert_eq!(out.strip_suffix(b"\n"), Some(GOOD_ANSWER.as_bytes()));
}

/// Any text: if it is an identification record, it is written as it was read.
pub fn id_record(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    match text.parse::<IdRecord>() {
        Ok(record) => {
            assert_eq!(record.to_string(), text);
            round_trips(record);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    match IdRecord::from_track2(&text) {
        Ok(record) => round_trips(record),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    // The same bytes as digits after a correct meter number, so that the fields are read.
    let digits: String = input.iter().map(|byte| char::from(b'0' + byte % 10)).collect();
    if let (Some(serial), Some(tail)) = (digits.get(..8), digits.get(8..25)) {
        let serial = serial.parse().expect("eight digits");
        let code = ManufacturerCode::two_digits(input[0] % 100).expect("two digits");
        let pan = MeterPan::new(DecoderReferenceNumber::new(code, serial));
        if let Ok(record) = format!("{pan}{tail}").parse::<IdRecord>() {
            round_trips(record);
        }
    }
}

fn round_trips(record: IdRecord) {
    let track2 = record.track2().to_string();
    assert_eq!(record.to_string().parse(), Ok(record));
    assert_eq!(IdRecord::from_track2(&record.to_string()), Ok(record));
    assert_eq!(IdRecord::from_track2(&track2), Ok(record));
    assert_eq!(IdRecord::from_track2(&format!(";{}?", track2.replace('=', "D"))), Ok(record));
}

/// Any text: if it is a meter number, it is written as it was read, and changing any digit is detected.
pub fn pan(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    match text.parse::<MeterPan>() {
        Ok(pan) => {
            assert_eq!(pan.to_string(), text);
            meter_number(pan);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    match text.parse::<DecoderReferenceNumber>() {
        Ok(drn) => {
            assert_eq!(drn.to_string(), text);
            meter_number(MeterPan::new(drn));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    // The same bytes as a manufacturer code and a serial number, so that correct numbers are frequent.
    if let Some(&[form, high, low, a, b, c, d]) = input.first_chunk::<7>() {
        let code = u16::from_be_bytes([high, low]);
        let code = if form & 1 == 0 {
            ManufacturerCode::two_digits((code % 100) as u8)
        } else {
            ManufacturerCode::four_digits(code % 10_000)
        };
        let serial = u32::from_be_bytes([a, b, c, d]) % 100_000_000;
        let serial = DecoderSerialNumber::try_from(serial).expect("eight digits");
        let drn = DecoderReferenceNumber::new(code.expect("as many digits as asked"), serial);
        meter_number(MeterPan::new(drn));
    }
}

fn meter_number(pan: MeterPan) {
    let drn = pan.drn();
    assert_eq!(pan.to_string().parse(), Ok(pan));
    assert_eq!(drn.to_string().parse(), Ok(drn));
    assert_eq!(DecoderReferenceNumber::new(drn.manufacturer(), drn.serial()), drn);
    assert_eq!(pan.iin().to_string() + &drn.to_string(), pan.as_str()[..17]);
    for place in 0..18 {
        let mut digits = pan.ascii();
        digits[place] = b'0' + (digits[place] - b'0' + 1) % 10;
        let wrong = std::str::from_utf8(&digits).expect("digits are text");
        assert!(wrong.parse::<MeterPan>().is_err(), "{wrong} has one wrong digit");
    }
}

/// An input made from seeds: truncated, joined, changed in places, or random.
///
/// A substitute for a fuzzer, which does better because it sees which code each input reaches.
pub fn mutated(random: &mut Random, seeds: &[Vec<u8>]) -> Vec<u8> {
    const WORDS: &[&[u8]] = &[
        b"\"", b"{", b"}", b"[", b",", b":", b"\\u0000", b"-", b"1e9", b"null", b"=", b";", b"\n",
    ];
    let mut input = random.choice(seeds).clone();
    for _ in 0..random.below(4) {
        let place = random.below(input.len() + 1);
        match random.below(8) {
            0 => input.truncate(place),
            1 => drop(input.drain(..place)),
            2 => input.extend(random.choice(seeds).iter()),
            3 => drop(input.splice(place..place, random.choice(WORDS).iter().copied())),
            4 if place < input.len() => drop(input.remove(place)),
            5 if place < input.len() => input[place] ^= 1 << random.below(8),
            6 if place < input.len() => input[place] = b'0' + random.byte() % 10,
            _ if place < input.len() => input[place] = random.byte(),
            _ => input.push(random.byte()),
        }
    }
    input
}

/// Interesting inputs to start each target from.
///
/// # Panics
///
/// If no target has this name.
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    let mut random = Random::new(1);
    match target {
        "open_digits" => {
            let mut seeds = vec![Vec::new(), vec![0; 40], vec![0xFF; 40]];
            for choice in 0..16 {
                for digits in ["29054347139309851356", "0000 0000 0001 5099 7584"] {
                    let mut seed = vec![choice];
                    seed.extend(0x0ABC_12DE_F345_6789_u64.to_be_bytes());
                    seed.extend(random.bytes(8));
                    seed.extend(digits.bytes());
                    seeds.push(seed);
                }
            }
            // Plain blocks of every class and sub-class, under each cipher.
            for sub_class in 0..48 {
                let mut seed = vec![12 | random.byte() & 3];
                seed.extend(random.bytes(16));
                seed.extend([sub_class / 16, sub_class << 4]);
                seed.extend(random.bytes(7));
                seeds.push(seed);
            }
            seeds
        }
        "json_line" => {
            let cases = ["published", "derived"].into_iter().flat_map(load_folder::<LabCase>);
            let lines = cases.map(|(_, case)| case.line().as_bytes().to_vec());
            let refusals = ["invalid", "regress"].into_iter().flat_map(load_folder::<RefusalCase>);
            lines.chain(refusals.map(|(_, case)| case.line())).collect()
        }
        "id_record" => [
            "60072700000000000900000207201457011",
            "60072711111111115304060211203557996",
            "600727000000000009===0207201457011",
            ";600727000000000009=2712=0107123456011?",
            "00000100000000008299120802000000129",
            "\u{2}600727000000000009DDD0207201457011\u{3}0",
        ]
        .map(|text| text.as_bytes().to_vec())
        .into(),
        "pan" => ["600727000000000009", "000001000000000082", "600727111111111153", "12345678903"]
            .map(|text| text.as_bytes().to_vec())
            .into(),
        "meter_record" => meter::record_seeds(&mut random),
        "keypad" => meter::keypad_seeds(&mut random),
        "form_json" => forms::form_seeds(),
        "session_line" => session_lines().into_iter().map(String::into_bytes).collect(),
        "open_kmp" => keys::open_kmp_seeds(),
        "vault_store" => vault::store_seeds(),
        "audit_log" => vault::log_seeds(),
        other => panic!("no fuzz target is called {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many inputs to run each target on.
    const RUNS: usize = 50_000;

    fn short_run(target: &str, body: fn(&[u8])) {
        run(target, body, RUNS);
    }

    fn run(target: &str, body: fn(&[u8]), runs: usize) {
        let seeds = seeds(target);
        let mut random = Random::new(0x5EED);
        seeds.iter().for_each(|seed| body(seed));
        for run in 0..runs {
            let input = mutated(&mut random, &seeds);
            let outcome = std::panic::catch_unwind(|| body(&input));
            assert!(outcome.is_ok(), "{target}, run {run}: {}", String::from_utf8_lossy(&input));
        }
    }

    #[test]
    fn any_digits_open_or_are_refused() {
        short_run("open_digits", open_digits);
    }

    #[test]
    fn any_line_is_answered() {
        short_run("json_line", json_line);
    }

    #[test]
    fn any_text_is_an_identification_record_or_none() {
        short_run("id_record", id_record);
    }

    #[test]
    fn any_text_is_a_meter_number_or_none() {
        short_run("pan", pan);
    }

    #[test]
    fn any_bytes_are_a_stored_meter_or_refused() {
        short_run("meter_record", meter_record);
    }

    #[test]
    fn any_keys_change_a_meter_by_tokens_alone() {
        short_run("keypad", keypad);
    }

    #[test]
    fn any_bytes_are_a_text_of_key_management_or_refused() {
        run("open_kmp", open_kmp, RUNS / 25); // Signatures take their time.
    }

    #[test]
    fn any_bytes_are_what_a_vault_stored_or_refused() {
        run("vault_store", vault_store, RUNS / 50); // A seal is asked each time.
    }

    #[test]
    fn any_bytes_are_an_audit_log_or_refused() {
        run("audit_log", audit_log, RUNS / 50);
    }

    #[test]
    fn any_bytes_are_a_line_of_a_session_or_refused() {
        short_run("session_line", session_line);
    }

    #[test]
    fn any_text_is_a_form_or_refused() {
        run("form_json", form_json, RUNS / 25); // Signatures take their time.
    }
}
