//! The published cases of STS 531-1 as values of the library.
//!
//! The cases are written as requests to the laboratory. They are converted here independently, so that the library
//! is tested without the laboratory. The cases are known to be well formed, so every problem panics.
//!
//! - Calendar: days from the civil date by the rule of the Gregorian calendar.
//! - Origin of the cases: `vectors/README.md`.

use prepay_token::element::{
    Amount, BaseDate, CurrencyAmount, EncryptionAlgorithm, ExtendedIndex, ExtendedValue,
    KeyExpiryNumber, KeyType, ManufacturerCode, MeterPan, PowerLimit, RandomNumber,
    RegisterToClear, Service, TokenIdentifier, UtcMinute,
};
use prepay_token::key::{DecoderKey, DecoderKeyGenerator, KeyParameters, TokenCipher, VendingKey};
use prepay_token::key_change::{KeyChangeSet, NewKey, Rollover, SetSize};
use prepay_token::{ManagementFunction, MeterTest, Token, TokenData, TwoDigitManufacturer};
use serde_json::Value;

use crate::vectors::{LabCase, from_hex, load};

/// The file of the published cases.
pub const FILE: &str = "published/sts531.jsonl";

/// One published case.
#[derive(Debug)]
pub struct Published {
    /// Its name.
    pub id: String,
    /// The request and the result.
    pub kind: Kind,
}

/// The contents of a published case.
#[derive(Debug)]
pub enum Kind {
    /// One token.
    Issue {
        /// The token, with its identifier by the rules of the standard.
        token: Box<Token>,
        /// The meter's cipher; none for class 1.
        cipher: Option<TokenCipher>,
        /// The published digits.
        number: TokenData,
        /// The published identifier.
        tid: Option<u32>,
    },
    /// A key change.
    KeyChange {
        /// The set.
        set: KeyChangeSet,
        /// The new key with its attributes.
        new: Box<NewKey>,
        /// The cipher of the current key.
        cipher: TokenCipher,
        /// The published digits: all sections, or the first of them.
        numbers: Vec<TokenData>,
    },
}

/// A key with its attributes in the case.
struct Key {
    key: DecoderKey,
    base_date: BaseDate,
    record: Value,
}

/// Every published case.
///
/// # Panics
///
/// If a case cannot be converted.
pub fn published() -> Vec<Published> {
    load::<LabCase>(FILE).iter().map(convert).collect()
}

/// Converts one case.
///
/// # Panics
///
/// If it cannot be converted.
pub fn convert(case: &LabCase) -> Published {
    let request = case.value();
    let kind = match text(&request["op"]) {
        "issue" => issue(case, &request),
        "key_change" => key_change(case, &request),
        other => panic!("{}: operation {other}", case.id),
    };
    Published { id: case.id.clone(), kind }
}

/// The meter of a case: its number and its key with attributes. `None` for class 1, which has no key. For a key
/// change, the key before it.
///
/// # Panics
///
/// If the case cannot be converted.
pub fn meter(case: &LabCase) -> Option<(MeterPan, NewKey)> {
    let request = case.value();
    let record = request.get("key").or_else(|| request.get("from"))?;
    let pan = text(&request["pan"]).parse().expect("a PAN");
    Some((pan, new_key(key(record, &request))))
}

fn issue(case: &LabCase, request: &Value) -> Kind {
    let number = number(&case.expect["number"]);
    let tid = case.expect.get("tid").map(|tid| integer(tid) as u32);
    let key = request.get("key").map(|record| key(record, request));
    let identifier = match (&key, request.get("issued_at")) {
        (Some(key), Some(time)) => {
            let identifier = key.base_date.identifier_at(minute(text(time)));
            identifier.expect("the time has an identifier").unreserved()
        }
        _ => TokenIdentifier::default(),
    };
    let random = request.get("rnd").map_or(0, integer) as u8;
    let random = RandomNumber::try_from(random).expect("four bits");
    let token = Box::new(token(&request["token"], random, identifier));
    Kind::Issue { token, cipher: key.map(|key| TokenCipher::new(&key.key)), number, tid }
}

fn key_change(case: &LabCase, request: &Value) -> Kind {
    let (from, to) = (key(&request["from"], request), key(&request["to"], request));
    let numbers = case.expect["numbers"].as_array().expect("a list of numbers");
    let size = match (integer(&request["tokens"]), to.key.algorithm()) {
        (_, EncryptionAlgorithm::Misty1) => SetSize::Four,
        (3, _) => SetSize::Three,
        _ => SetSize::Two,
    };
    let rollover = Rollover::between(from.base_date, to.base_date);
    let new = new_key(to);
    Kind::KeyChange {
        set: KeyChangeSet::new(&new, size, rollover).expect("a published set is one"),
        new: Box::new(new),
        cipher: TokenCipher::new(&from.key),
        numbers: numbers.iter().map(number).collect(),
    }
}

fn key(record: &Value, request: &Value) -> Key {
    let dkga = text(&record["dkga"]).parse().expect("a DKGA");
    let vending_key = VendingKey::new(dkga, &from_hex(text(&record["vending_key"])));
    let base_date = BaseDate::try_from(integer(&record["base_date"]) as u16).expect("a base date");
    let parameters = KeyParameters {
        pan: text(&request["pan"]).parse().expect("a PAN"),
        key_type: KeyType::try_from(integer(&record["kt"]) as u8).expect("a key type"),
        supply_group: text(&record["sgc"]).parse().expect("a supply group"),
        tariff_index: text(&record["ti"]).parse().expect("a tariff index"),
        key_revision: (integer(&record["krn"]) as u8).try_into().expect("a revision"),
        base_date,
        encryption: text(&request["ea"]).parse().expect("an EA"),
    };
    let generator = DecoderKeyGenerator::new(&vending_key.expect("a vending key"));
    let key = generator.derive(&parameters).expect("a published key derives");
    Key { key, base_date, record: record.clone() }
}

/// A key with the attributes that a meter has of it. Where the case has no expiry, it never expires.
fn new_key(Key { key, record, .. }: Key) -> NewKey {
    let expiry = record.get("ken").map(|ken| KeyExpiryNumber::from(integer(ken) as u8));
    NewKey {
        key,
        key_type: KeyType::try_from(integer(&record["kt"]) as u8).expect("a key type"),
        key_revision: Some((integer(&record["krn"]) as u8).try_into().expect("a revision")),
        expiry: expiry.unwrap_or(KeyExpiryNumber::NEVER),
        tariff_index: text(&record["ti"]).parse().expect("a tariff index"),
        supply_group: Some(text(&record["sgc"]).parse().expect("a supply group")),
    }
}

/// A token as the laboratory writes it, with a random number and an identifier if it has them.
fn token(record: &Value, random: RandomNumber, identifier: TokenIdentifier) -> Token {
    let service = || text(&record["service"]).parse::<Service>().expect("a service");
    let field = |name: &str| integer(&record[name]);
    let index = || ExtendedIndex::try_from(field("index") as u8).expect("an index");
    let manufacturer =
        || text(&record["mfr_code"]).parse::<ManufacturerCode>().expect("a manufacturer code");
    let limit = || PowerLimit::from_watts(field("watts") as u32).expect("a limit");
    let function = match text(&record["type"]) {
        "credit" => {
            let tenths = decimal(text(&record["amount"]), 1) as u32;
            let amount = Amount::from_tenths(tenths).expect("an amount");
            return Token::Credit { service: service(), random, identifier, amount };
        }
        "currency_credit" => {
            let value = decimal(text(&record["amount"]), 5);
            let amount = CurrencyAmount::from_hundred_thousandths(value).expect("an amount");
            return Token::CurrencyCredit { service: service(), identifier, amount };
        }
        "test" => {
            let control = u64::from_str_radix(text(&record["control"]), 16).expect("hexadecimal");
            let sub_class = MeterTest::standard_sub_class(manufacturer());
            let test = MeterTest::new(sub_class, manufacturer(), control);
            return Token::Test(test.expect("a test"));
        }
        "extended_read" => {
            let manufacturer =
                TwoDigitManufacturer::try_from(manufacturer()).expect("a code of two digits");
            return Token::ExtendedRead { index: index(), manufacturer };
        }
        "set_maximum_power_limit" => ManagementFunction::SetMaximumPowerLimit(limit()),
        "set_maximum_phase_power_unbalance_limit" => {
            ManagementFunction::SetMaximumPhasePowerUnbalanceLimit(limit())
        }
        "clear_credit" => ManagementFunction::ClearCredit(
            RegisterToClear::try_from(field("register") as u16).expect("a register"),
        ),
        "set_tariff_rate" => ManagementFunction::SetTariffRate(field("rate") as u16),
        "clear_tamper_condition" => ManagementFunction::ClearTamperCondition,
        "set_water_meter_factor" => ManagementFunction::SetWaterMeterFactor(field("factor") as u16),
        "extended" => ManagementFunction::Extended(
            ExtendedValue::new(index(), field("value") as u16).expect("a value"),
        ),
        other => panic!("token of type {other}"),
    };
    Token::Management { random, identifier, function }
}

/// The minute of a time such as `2004-03-01T13:55Z`, by the Gregorian calendar.
fn minute(time: &str) -> UtcMinute {
    let part = |range: std::ops::Range<usize>| time[range].parse::<i64>().expect("digits");
    let (year, month, day) = (part(0..4), part(5..7), part(8..10));
    // The year begins in March, so that the leap day is its last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    const DAYS_TO_1970: i64 = 719_468;
    let minutes = (days - DAYS_TO_1970) * 24 * 60 + part(11..13) * 60 + part(14..16);
    UtcMinute::from_unix_minutes(minutes)
}

/// A decimal number as an integer, in units of the last of this many places.
fn decimal(text: &str, places: usize) -> i128 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    assert!(part.len() <= places, "{text} is finer than {places} places");
    format!("{whole}{part:0<places$}").parse().expect("a decimal number")
}

fn number(value: &Value) -> TokenData {
    text(value).parse().expect("twenty digits")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("expected a string, found {value}"))
}

fn integer(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("expected a whole number, found {value}"))
}

#[cfg(test)]
mod tests {
    use super::{decimal, minute};

    #[test]
    fn times_count_from_1970() {
        for (time, minutes) in [
            ("1970-01-01T00:00Z", 0),
            ("1993-01-01T00:00Z", 12_097_440),
            ("2004-02-29T23:59Z", 17_968_319),
            ("2004-03-01T13:55Z", 17_969_155),
        ] {
            assert_eq!(minute(time).unix_minutes(), minutes, "{time}");
        }
    }

    #[test]
    fn decimals_count_their_last_place() {
        for (text, places, expected) in [("1", 1, 10), ("25.6", 1, 256), ("-1", 5, -100_000)] {
            assert_eq!(decimal(text, places), expected, "{text}");
        }
    }
}
