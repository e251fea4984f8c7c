//! Every published case of STS 531-1, made and read back by a module whose keys came by agreement and
//! key-load file from a test centre.
//!
//! - Time: the module's clock is moved from case to case, and the module takes identifiers within one minute
//!   of it. (A minute, since the first minute of a day has the identifier of the second.) Key changes have
//!   no time; they are made when their new key is not expired.
//! - Random numbers: all keyed cases say 5, so one module with a fixed random number makes them all.
//! - Expiry: cases use the same keys with two expiry numbers. The module gets the second by another
//!   key-load file, as a real one would.
//! - Class 1 has no key: the module makes none of those tokens, and says so when asked to read one.

use std::collections::{BTreeMap, BTreeSet};

use prepay_basics::Moment;
use prepay_kmc_module::KeyLoadItem;
use prepay_kmp::VendingKeyAttributes;
use prepay_kmp::attribute::{RegisterNumber, VendingKeyType};
use prepay_module::software::{ModulePolicy, TestMode, TidReuse};
use prepay_module::{
    KeyChangeRequest, MeterConfiguration, ModuleError, SecurityModule, TokenRequest, Verification,
    VerifyRequest,
};
use prepay_testkit::ceremony::{People, TestCentre, attributes, make_module, passphrase, value};
use prepay_testkit::published::{FILE, Kind, convert};
use prepay_testkit::vectors::{LabCase, from_hex, load};
use prepay_testkit::{Foreseeable, SetClock};
use prepay_token::element::{
    BaseDate, EncryptionAlgorithm, KeyExpiryNumber, KeyType, TokenCarrierType, TokenIdentifier,
};
use prepay_token::key::VendingKey;
use prepay_token::key_change::{Rollover, SetSize};
use prepay_token::{Instruction, Token, TokenData, open_in_clear, seal_in_clear};
use prepay_vault::{MemoryStorage, Place};
use serde_json::Value;

/// A vending key in a case: group, revision and expiry number. Everything else follows from these.
type KeyName = (u32, u8, u8);

struct Key {
    attributes: VendingKeyAttributes,
    key: VendingKey,
}

/// One keyed case.
struct Case {
    id: String,
    kind: Kind,
    request: Value,
    /// When it is made; a key change at any time.
    minute: Option<Moment>,
    from: KeyName,
    to: Option<KeyName>,
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn byte(value: &Value) -> u8 {
    value.as_u64().and_then(|number| number.try_into().ok()).expect("a byte")
}

fn name(record: &Value) -> KeyName {
    (text(&record["sgc"]).parse().unwrap(), byte(&record["krn"]), byte(&record["ken"]))
}

fn key(record: &Value) -> Key {
    let (group, revision, expiry) = name(record);
    let mut attributes = attributes(group, revision, value(text(&record["dkga"])));
    let key_type = KeyType::try_from(byte(&record["kt"])).unwrap();
    attributes.key_type = VendingKeyType::try_from(key_type).unwrap();
    attributes.expiry = KeyExpiryNumber::from(expiry);
    let base_date = record["base_date"].as_u64().unwrap();
    attributes.base_date = BaseDate::try_from(u16::try_from(base_date).unwrap()).unwrap();
    let bytes = from_hex(text(&record["vending_key"]));
    let key = VendingKey::new(attributes.algorithm, &bytes).unwrap();
    Key { attributes, key }
}

/// The register of a key: the same for all its expiry numbers.
fn register((group, revision, _): KeyName) -> RegisterNumber {
    let groups = [123_456, 123_457, 888_888];
    let place = groups.iter().position(|&known| known == group).expect("a published group");
    RegisterNumber::try_from(u16::try_from(place).unwrap() * 10 + u16::from(revision)).unwrap()
}

fn meter(case: &Case) -> MeterConfiguration {
    let record = case.request.get("key").or_else(|| case.request.get("from")).expect("a key");
    MeterConfiguration {
        pan: value(text(&case.request["pan"])),
        tariff_index: value(text(&record["ti"])),
        encryption: value(text(&case.request["ea"])),
        carrier: TokenCarrierType::NUMERIC,
    }
}

/// The module with its centre.
struct World {
    clock: SetClock,
    people: People,
    centre: TestCentre,
    keys: BTreeMap<KeyName, Key>,
    /// The expiry number that each register has now.
    loaded: BTreeMap<RegisterNumber, u8>,
}

impl World {
    fn new(keys: BTreeMap<KeyName, Key>) -> Self {
        let clock = SetClock::at(value("1999-01-01T00:00:00Z"));
        let place = |seed| Place {
            storage: Box::new(MemoryStorage::default()),
            entropy: Box::new(Foreseeable::new(seed)),
            clock: Box::new(clock.clone()),
        };
        let policy = ModulePolicy {
            window_minutes: Some(1),
            tid_reuse: TidReuse::Allow,
            ..ModulePolicy::default()
        };
        let fixed_random = Some(5.try_into().unwrap());
        let test = TestMode { fixed_random, ..TestMode::default() };
        let module = make_module("SM-1", place(1), policy, test, &passphrase);
        let people = People::of(&module, &passphrase);
        let centre = TestCentre::make(place(2), &passphrase);
        centre.join(&people);
        for Key { attributes, key } in keys.values() {
            centre.import(attributes, key);
        }
        Self { clock, people, centre, keys, loaded: BTreeMap::new() }
    }

    /// Brings the keys of a case into their registers with the expiry numbers that it says, unless they are
    /// there. The old key's expiry number plays no part in a key change to the same group and revision.
    fn prepare(&mut self, case: &Case) {
        let same = case.to.is_some_and(|to| register(to) == register(case.from));
        let wanted = if same { vec![] } else { vec![case.from] };
        let mut names: Vec<KeyName> = wanted.into_iter().chain(case.to).collect();
        names.retain(|name| self.loaded.get(&register(*name)) != Some(&name.2));
        if names.is_empty() {
            return;
        }
        // Whatever else has this expiry number comes along.
        let expiry: BTreeSet<u8> = names.iter().map(|name| name.2).collect();
        let mut items = BTreeMap::new();
        for (name, key) in self.keys.iter().filter(|(name, _)| expiry.contains(&name.2)) {
            let attributes = key.attributes.clone();
            let item = KeyLoadItem { attributes, register: Some(register(*name)) };
            items.insert(register(*name), (name.2, item));
        }
        let loaded = items.iter().map(|(register, (expiry, _))| (*register, *expiry));
        self.loaded.extend(loaded.collect::<Vec<_>>());
        let items = items.into_values().map(|(_, item)| item).collect();
        self.centre.load(&self.people, items, None);
    }

    fn issue(&self, case: &Case) -> Vec<TokenData> {
        let (operator, meter) = (&self.people.operator, meter(case));
        let from = register(case.from);
        let (issued, asked) = match &case.kind {
            Kind::KeyChange { new, numbers, .. } => {
                let size = match (meter.encryption, numbers.len()) {
                    (EncryptionAlgorithm::Misty1, _) => SetSize::Four,
                    (_, 3) => SetSize::Three,
                    _ => SetSize::Two,
                };
                let request = KeyChangeRequest {
                    id: None,
                    from,
                    to: register(case.to.expect("a new key")),
                    meter,
                    new_tariff_index: new.tariff_index,
                    size,
                };
                let issued = operator.issue_key_change(request).expect(&case.id);
                let base = |name: KeyName| self.keys[&name].attributes.base_date;
                let differ = base(case.from) != base(case.to.unwrap());
                let expected = if differ { Rollover::Forget } else { Rollover::Keep };
                assert_eq!((issued.rollover, issued.is_test), (expected, true), "{}", case.id);
                // Two of the published runs list the first two of four (docs/decisions/0004).
                return issued.tokens()[..numbers.len()].to_vec();
            }
            Kind::Issue { token, .. } => {
                let (instruction, identifier) = content(token);
                let request =
                    TokenRequest { id: None, register: from, meter, instruction, identifier };
                (operator.issue_token(request), identifier)
            }
        };
        let issued = issued.expect(&case.id);
        assert_eq!((issued.identifier, issued.is_test), (asked, true), "{}", case.id);
        vec![issued.token]
    }

    fn read(&self, case: &Case, token: TokenData) -> Verification {
        let request = VerifyRequest { register: register(case.from), meter: meter(case), token };
        self.people.operator.verify(&request).expect(&case.id)
    }

    fn read_back(&self, case: &Case, tokens: &[TokenData]) {
        for (place, &token) in tokens.iter().enumerate() {
            let expected = match &case.kind {
                Kind::KeyChange { .. } => {
                    Verification::KeyChange { section: u8::try_from(place).unwrap() + 1 }
                }
                Kind::Issue { token, .. } => {
                    let ((instruction, identifier), random) = (content(token), token.random());
                    Verification::Valid { instruction, identifier, random }
                }
            };
            assert_eq!(self.read(case, token), expected, "{}", case.id);
        }
    }
}

/// What a token asks for, and when.
fn content(token: &Token) -> (Instruction, TokenIdentifier) {
    let content = token.instruction().zip(token.identifier());
    content.unwrap_or_else(|| panic!("no token of a register's key: {token:?}"))
}

#[test]
fn every_published_case_comes_out_of_a_module_loaded_by_file() {
    let all: Vec<LabCase> = load(FILE);
    assert_eq!(all.len(), 215);
    let mut keys = BTreeMap::new();
    let (mut keyed, mut unkeyed) = (Vec::new(), Vec::new());
    for lab in &all {
        let (request, kind) = (lab.value(), convert(lab).kind);
        let records: Vec<&Value> =
            ["key", "from", "to"].iter().filter_map(|name| request.get(name)).collect();
        // A decoder key of the maker, or one given as it is, would have to be refused: there is none.
        assert!(records.iter().all(|record| record.get("vending_key").is_some()), "{}", lab.id);
        let [from, to] = [0, 1].map(|place| records.get(place).map(|record| name(record)));
        for record in records {
            let held = keys.entry(name(record)).or_insert_with(|| key(record));
            let Key { attributes, key } = key(record);
            assert_eq!(held.attributes, attributes, "{}: one key under one name", lab.id);
            assert_eq!(held.key.expose_bytes(), key.expose_bytes(), "{}", lab.id);
        }
        let Some(from) = from else {
            unkeyed.push((lab.id.clone(), kind));
            continue;
        };
        let minute = request.get("issued_at").map(|time| {
            assert_eq!(byte(&request["rnd"]), 5, "{}: one fixed random number", lab.id);
            value::<Moment>(&text(time).replace('Z', ":00Z"))
        });
        keyed.push(Case { id: lab.id.clone(), kind, request, minute, from, to });
    }
    // The clock only goes forward: key changes first, then by time.
    keyed.sort_by_key(|case| case.minute);

    let mut world = World::new(keys);
    let (mut issues, mut changes, mut tokens) = (0, 0, 0);
    for case in &keyed {
        world.clock.set(case.minute.unwrap_or_else(|| value("1999-01-01T00:00:00Z")));
        world.prepare(case);
        let expected = match &case.kind {
            Kind::Issue { number, .. } => vec![*number],
            Kind::KeyChange { numbers, .. } => numbers.clone(),
        };
        assert_eq!(world.issue(case), expected, "{}", case.id);
        world.read_back(case, &expected);
        match case.kind {
            Kind::Issue { .. } => issues += 1,
            Kind::KeyChange { .. } => changes += 1,
        }
        tokens += expected.len();
    }

    for (id, kind) in &unkeyed {
        let Kind::Issue { token, cipher: None, number, tid: None } = kind else { panic!("{id}") };
        assert_eq!(seal_in_clear(token), Ok(*number), "{id}");
        assert_eq!(open_in_clear(*number).as_ref(), Ok(&**token), "{id}");
        let any = &keyed[0];
        assert_eq!(world.read(any, *number), Verification::Unkeyed, "{id}");
        tokens += 1;
    }
    assert_eq!((issues, changes, unkeyed.len()), (171, 10, 34));
    assert_eq!((issues + changes + unkeyed.len(), tokens), (215, 227));
    let report = world.people.verify_audit();
    assert_eq!((report.first_bad, report.authenticated), (None, true));
}

/// No published case has a key that a module must refuse, so these are made of one that it takes.
#[test]
fn a_published_case_under_another_key_type_or_register_is_refused() {
    let all: Vec<LabCase> = load(FILE);
    let lab = all.iter().find(|lab| lab.value().get("key").is_some()).unwrap();
    let (request, kind) = (lab.value(), convert(lab).kind);
    let from = name(&request["key"]);
    let mut held = key(&request["key"]);
    held.attributes.key_type = VendingKeyType::DEFAULT;
    let minute = value(&text(&request["issued_at"]).replace('Z', ":00Z"));
    let case = Case { id: lab.id.clone(), kind, request, minute: Some(minute), from, to: None };
    let mut world = World::new(BTreeMap::from([(from, held)]));
    world.prepare(&case);
    world.clock.set(minute);
    let Kind::Issue { token, number, .. } = &case.kind else { panic!("a token") };
    let (instruction, identifier) = content(token);
    let mut request = TokenRequest {
        id: None,
        register: register(from),
        meter: meter(&case),
        instruction,
        identifier,
    };
    let refused = |request| match world.people.operator.issue_token(request) {
        Err(ModuleError::Refused(refusal)) => refusal.code(),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(request), "key_type", "credit under a default key");
    // Under a default key the meter has another decoder key, so the published digits are not for it.
    assert_eq!(world.read(&case, *number), Verification::Checksum);
    request.register = RegisterNumber::try_from(9999).unwrap();
    assert_eq!(refused(request), "register", "a decoder key of the maker is in no register");
}
