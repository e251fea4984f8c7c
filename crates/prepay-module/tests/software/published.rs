//! The published cases of STS 531-1, made by modules whose registers were loaded by agreement and
//! key-load file.

use std::collections::BTreeMap;

use prepay_module::attribute::{CurrencyLimit, SubClassSet, UnitLimit, VendingKeyType};
use prepay_module::software::{ModulePolicy, TestMode};
use prepay_module::{
    CreditAmount, CreditRequest, KeyChangeRequest, ManagementRequest, MeterConfiguration, Moment,
    SecurityModule,
};
use prepay_testkit::published::{Kind, convert};
use prepay_testkit::vectors::{LabCase, load};
use prepay_token::Token;
use prepay_token::element::{BaseDate, KeyExpiryNumber, KeyType, TokenCarrierType};
use prepay_token::key::{
    CommonKeyRule, DerivationPolicy, KeyTransitions, TransitionPermission, VendingKey,
};
use prepay_token::key_change::{Rollover, SetSize};
use serde_json::Value;

use crate::kit::*;

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// A vending key of a case, with everything but its register.
fn key(record: &Value) -> TestKey {
    let octets: Vec<u8> = text(&record["vending_key"])
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    let mut key = TestKey::new(1).with(|a| {
        a.supply_group = text(&record["sgc"]).parse().unwrap();
        a.key_revision = (number(&record["krn"]) as u8).try_into().unwrap();
        let key_type = KeyType::try_from(number(&record["kt"]) as u8).unwrap();
        a.key_type = VendingKeyType::try_from(key_type).unwrap();
        a.algorithm = text(&record["dkga"]).parse().unwrap();
        a.expiry =
            record.get("ken").map_or(KeyExpiryNumber::NEVER, |ken| (number(ken) as u8).into());
        a.base_date = BaseDate::try_from(number(&record["base_date"]) as u16).unwrap();
        (a.activation, a.issued_until) = (Moment::MIN, Moment::MAX);
        (a.unit_limit, a.currency_limit) = (UnitLimit(None), CurrencyLimit(None));
        a.sub_classes = SubClassSet::ALL;
    });
    key.key = VendingKey::new(key.attributes.algorithm, &octets).unwrap();
    key
}

/// Which register a key of a case goes to: cases use several keys under one group and revision, so each
/// set of keys that do not fit together needs a module of its own.
#[derive(Default)]
struct Shelf {
    keys: Vec<TestKey>,
}

impl Shelf {
    /// The register of a key, if it goes with those that are there.
    fn place(&mut self, mut key: TestKey) -> Option<u16> {
        for (place, held) in self.keys.iter().enumerate() {
            let (a, b) = (&held.attributes, &key.attributes);
            if (a.supply_group, a.key_revision) == (b.supply_group, b.key_revision) {
                let same = a == b && held.key.expose_bytes() == key.key.expose_bytes();
                return same.then_some(place as u16 + 1);
            }
        }
        let register = self.keys.len() as u16 + 1;
        key.register = Some(register);
        self.keys.push(key);
        Some(register)
    }

    /// The registers of all keys of a case, if all go with those that are there.
    fn place_all(&mut self, keys: Vec<TestKey>) -> Option<Vec<u16>> {
        let before = self.keys.len();
        let places: Option<Vec<_>> = keys.into_iter().map(|key| self.place(key)).collect();
        if places.is_none() {
            self.keys.truncate(before);
        }
        places
    }
}

/// A case, and the registers of its keys.
type Placed = (usize, Vec<u16>);

#[test]
fn published_tokens_come_out_of_modules_loaded_by_file() {
    let cases: Vec<LabCase> = load("published/sts531.jsonl");
    assert_eq!(cases.len(), 215);
    // (random number, shelf) to the cases made there.
    let mut shelves: BTreeMap<u64, Vec<(Shelf, Vec<Placed>)>> = BTreeMap::new();
    let (mut unkeyed, mut initial) = (0, 0);
    for (index, case) in cases.iter().enumerate() {
        let request = case.value();
        let records: Vec<_> =
            ["key", "from", "to"].iter().filter_map(|name| request.get(name)).collect();
        if records.is_empty() {
            unkeyed += 1;
            continue;
        }
        if records.iter().any(|record| record.get("vending_key").is_none()) {
            initial += 1;
            continue;
        }
        let keys = || keys_of(&records);
        let random = request.get("rnd").map_or(0, number);
        let list = shelves.entry(random).or_default();
        let found = list.iter_mut().find_map(|(shelf, made)| {
            let places = shelf.place_all(keys())?;
            made.push((index, places));
            Some(())
        });
        if found.is_none() {
            let mut shelf = Shelf::default();
            let places = shelf.place_all(keys()).expect("one case fits into one module");
            list.push((shelf, vec![(index, places)]));
        }
    }
    let mut made = 0;
    for (random, list) in shelves {
        for (shelf, here) in list {
            let world = module(random);
            let mut centre = TestCentre::new("KMC-1");
            centre.join(&world);
            centre.load(&world, &shelf.keys);
            for (index, places) in here {
                check(&world, &cases[index], &places);
                made += 1;
            }
        }
    }
    println!("{made} made, {unkeyed} without a key, {initial} with a key that no module holds");
    assert_eq!(made + unkeyed + initial, 215);
    assert_eq!((unkeyed, initial), EXPECTED_ELSEWHERE);
}

/// Cases of class 1, which need no module, and cases whose decoder key comes from the maker of the meter.
const EXPECTED_ELSEWHERE: (usize, usize) = (34, 0);

/// The vending keys of a case. Some change nothing but the expiry of a key: a module knows the new one only.
fn keys_of(records: &[&Value]) -> Vec<TestKey> {
    let mut keys: Vec<_> = records.iter().map(|record| key(record)).collect();
    if let [from, to] = &mut keys[..]
        && from.attributes.supply_group == to.attributes.supply_group
        && from.attributes.key_revision == to.attributes.key_revision
    {
        from.attributes.expiry = to.attributes.expiry;
    }
    keys
}

/// A module that makes whatever the cases ask for.
fn module(random: u64) -> World {
    let policy = ModulePolicy {
        window_minutes: None,
        // The cases change keys that the default matrix does not let follow each other.
        transitions: KeyTransitions::new([[TransitionPermission::Always; 4]; 4]),
        derivation: DerivationPolicy {
            dkga04_common_key: CommonKeyRule::WholePan,
            ..DerivationPolicy::default()
        },
        ..ModulePolicy::default()
    };
    let fixed_random = Some((random as u8).try_into().expect("four bits"));
    // A time at which no key has expired: the cases are of many years.
    let fixed_time = Some(moment("1993-01-02T00:00:00Z"));
    World::with_test_mode(policy, TestMode { fixed_time, fixed_random })
}

fn check(world: &World, case: &LabCase, places: &[u16]) {
    let request = case.value();
    let record = request.get("key").or_else(|| request.get("from")).expect("a key");
    let meter = MeterConfiguration {
        pan: text(&request["pan"]).parse().unwrap(),
        tariff_index: text(&record["ti"]).parse().unwrap(),
        encryption: text(&request["ea"]).parse().unwrap(),
        carrier: TokenCarrierType::MAGNETIC_CARD,
    };
    let from = register(places[0]);
    let operator = world.operator();
    match convert(case).kind {
        Kind::Issue { token, number, .. } => {
            let (issued, id) = match *token {
                Token::Credit { service, identifier, amount, .. } => {
                    let amount = CreditAmount::Units(amount);
                    let request = CreditRequest {
                        id: None,
                        register: from,
                        meter,
                        service,
                        amount,
                        identifier,
                    };
                    (operator.issue_credit(request).unwrap(), identifier)
                }
                Token::CurrencyCredit { service, identifier, amount } => {
                    let amount = CreditAmount::Currency(amount);
                    let request = CreditRequest {
                        id: None,
                        register: from,
                        meter,
                        service,
                        amount,
                        identifier,
                    };
                    (operator.issue_credit(request).unwrap(), identifier)
                }
                Token::Management { identifier, function, .. } => {
                    let request =
                        ManagementRequest { id: None, register: from, meter, function, identifier };
                    (operator.issue_management(request).unwrap(), identifier)
                }
                other => panic!("{}: {other:?}", case.id),
            };
            assert_eq!((issued.token, issued.identifier), (number, id), "{}", case.id);
        }
        Kind::KeyChange { numbers, new, .. } => {
            let size = match (numbers.len(), meter.encryption.key_octets(), &request["tokens"]) {
                (_, 16, _) => SetSize::Four,
                (_, _, tokens) if tokens.as_u64() == Some(3) => SetSize::Three,
                _ => SetSize::Two,
            };
            let request = KeyChangeRequest {
                id: None,
                from,
                to: register(places[1]),
                meter,
                new_tariff_index: new.tariff_index,
                size,
            };
            let issued = operator.issue_key_change(request).unwrap();
            assert_eq!(issued.tokens()[..numbers.len()], numbers, "{}", case.id);
            assert!(matches!(issued.rollover, Rollover::Keep | Rollover::Forget));
        }
    }
}
