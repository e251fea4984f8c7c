//! What an exchange is made from: enough for another implementation to write every text of it.

use prepay_basics::{Identifier, Moment};
use prepay_kmp::VendingKeyAttributes;
use prepay_kmp::attribute::{
    Cluster, CurrencyLimit, RegisterNumber, SubClassSet, UnitLimit, VendingKeyType,
};
use prepay_kmp::{KeyToLoad, Label, SlotNumber};
use prepay_testkit::Random;
use prepay_token::element::{BaseDate, DecoderKeyGenerationAlgorithm};
use prepay_token::key::VendingKey;
use serde_json::{Value, json};

use super::{CREATED, attributes, moment, vending_key};

/// A key of the key-load file.
pub(crate) struct InputKey {
    pub(crate) attributes: VendingKeyAttributes,
    pub(crate) register: Option<RegisterNumber>,
    pub(crate) key: VendingKey,
}

impl InputKey {
    pub(crate) fn to_load(&self) -> KeyToLoad<'_> {
        KeyToLoad { attributes: &self.attributes, register: self.register, key: &self.key }
    }
}

/// Everything that an exchange depends on.
pub(crate) struct Inputs {
    /// Of the secrets of module, centre and signatory, of the agreement, of the key-load request, and of the centre's answer.
    pub(crate) seeds: [Vec<u8>; 6],
    pub(crate) module: Identifier,
    pub(crate) centre: Identifier,
    pub(crate) signatory: Identifier,
    pub(crate) maker: Label,
    pub(crate) model: Label,
    pub(crate) firmware: Label,
    pub(crate) created: Moment,
    pub(crate) centre_from: Moment,
    pub(crate) centre_until: Moment,
    pub(crate) request_until: Moment,
    pub(crate) file_until: Moment,
    pub(crate) slot: SlotNumber,
    pub(crate) is_test: bool,
    pub(crate) serial: u64,
    pub(crate) transactions: Option<u64>,
    pub(crate) keys: Vec<InputKey>,
}

impl Inputs {
    /// Those of the known answers.
    pub(crate) fn known() -> Self {
        let key = |register, revision, algorithm| InputKey {
            attributes: attributes(201_457, revision, algorithm),
            register,
            key: vending_key(algorithm),
        };
        Self {
            seeds: [1, 2, 3, 4, 5, 6].map(|seed| vec![seed]),
            module: "module-7".parse().unwrap(),
            centre: "centre-1".parse().unwrap(),
            signatory: "owner.of-group".parse().unwrap(),
            maker: "Prepay".parse().unwrap(),
            model: "software module".parse().unwrap(),
            firmware: "0.1.0".parse().unwrap(),
            created: moment(CREATED),
            centre_from: moment("2026-01-01T00:00:00Z"),
            centre_until: moment("2036-01-01T00:00:00Z"),
            request_until: moment("2026-03-08T08:00:00Z"),
            file_until: moment("2026-03-04T08:00:00Z"),
            slot: 1.try_into().unwrap(),
            is_test: false,
            serial: 17,
            transactions: Some(100_000),
            keys: vec![key(Some(7.try_into().unwrap()), 1, 2), key(None, 2, 4)],
        }
    }

    /// Any that make an exchange: secrets, names, moments and attributes of vending keys at random.
    pub(crate) fn random(random: &mut Random) -> Self {
        let (centre_from, centre_until) = span(random, 1);
        let (created, request_until) = span(random, 0);
        let count = 1 + random.below(9);
        Self {
            seeds: [(); 6].map(|()| random.bytes(16)),
            module: identifier(random),
            centre: identifier(random),
            signatory: identifier(random),
            maker: printable(random, 1).parse().unwrap(),
            model: printable(random, 1).parse().unwrap(),
            firmware: printable(random, 1).parse().unwrap(),
            created,
            centre_from,
            centre_until,
            request_until,
            file_until: created.plus_seconds(random.below(1 << 40) as u64),
            slot: (1 + random.below(9999) as u16).try_into().unwrap(),
            is_test: random.below(2) == 1,
            serial: random.next(),
            transactions: maybe(random, |random| random.next()),
            keys: (0..count).map(|place| key(random, place)).collect(),
        }
    }

    /// In the plainest form: bytes in hexadecimal, moments in seconds since 1970, no value as null.
    pub(crate) fn json(&self) -> Value {
        let [module, centre, signatory, agreement, request, answer] =
            self.seeds.each_ref().map(|seed| hex(seed));
        let keys: Vec<Value> = self.keys.iter().map(key_json).collect();
        json!({
            "seeds": {
                "module": module, "centre": centre, "signatory": signatory,
                "agreement": agreement, "request": request, "answer": answer,
            },
            "module": self.module.as_str(),
            "centre": self.centre.as_str(),
            "signatory": self.signatory.as_str(),
            "maker": self.maker.as_str(),
            "model": self.model.as_str(),
            "firmware": self.firmware.as_str(),
            "created": self.created.unix_seconds(),
            "centre_from": self.centre_from.unix_seconds(),
            "centre_until": self.centre_until.unix_seconds(),
            "request_until": self.request_until.unix_seconds(),
            "file_until": self.file_until.unix_seconds(),
            "slot": self.slot.value(),
            "test": self.is_test,
            "serial": self.serial,
            "transactions": self.transactions,
            "keys": keys,
        })
    }
}

fn key_json(key: &InputKey) -> Value {
    let attributes = &key.attributes;
    json!({
        "activation": attributes.activation.unix_seconds(),
        "algorithm": attributes.algorithm.code(),
        "base_date": attributes.base_date.year(),
        "cluster": attributes.cluster.0,
        "currency_limit": attributes.currency_limit.0,
        "expiry": attributes.expiry.value(),
        "group": attributes.supply_group.value(),
        "issued_until": attributes.issued_until.unix_seconds(),
        "key": hex(key.key.expose_bytes()),
        "name": attributes.name.as_str(),
        "register": key.register.map(RegisterNumber::value),
        "revision": attributes.key_revision.value(),
        "sub_classes": attributes.sub_classes.bits(),
        "type": attributes.key_type.key_type().value(),
        "unit_limit": attributes.unit_limit.0,
    })
}

/// A key of a file. Its place there, from 0, keeps groups and registers apart.
fn key(random: &mut Random, place: usize) -> InputKey {
    let algorithm = *random.choice(&[2, 3, 4]);
    let algorithm = DecoderKeyGenerationAlgorithm::from_code(algorithm).unwrap();
    let (activation, issued_until) = span(random, 0);
    let bytes = random.bytes(algorithm.vending_key_bytes());
    let group = place * 100_000 + random.below(100_000);
    let attributes = VendingKeyAttributes {
        supply_group: (group as u32).try_into().unwrap(),
        key_revision: (1 + random.below(9) as u8).try_into().unwrap(),
        key_type: *random.choice(&[
            VendingKeyType::DEFAULT,
            VendingKeyType::UNIQUE,
            VendingKeyType::COMMON,
        ]),
        algorithm,
        expiry: random.byte().into(),
        base_date: BaseDate::try_from(*random.choice(&[1993, 2014, 2035])).unwrap(),
        activation,
        issued_until,
        unit_limit: UnitLimit(maybe(random, |random| random.next() as u32)),
        currency_limit: CurrencyLimit(maybe(random, |random| random.next() as u32)),
        cluster: Cluster(random.next() as u16),
        sub_classes: SubClassSet::from_bits(*random.choice(&[0, random.clone().byte(), 0xFF])),
        name: printable(random, 0).parse().unwrap(),
    };
    let register = maybe(random, |random| (place * 1000 + 1 + random.below(999)) as u16);
    InputKey {
        attributes,
        register: register.map(|number| number.try_into().unwrap()),
        key: VendingKey::new(algorithm, &bytes).unwrap(),
    }
}

/// Two moments of any year, the later one at least so many seconds after the other.
fn span(random: &mut Random, least: u64) -> (Moment, Moment) {
    let last = Moment::MAX.unix_seconds() as usize;
    let from = random.below(last) as u64;
    let until = from + least + random.below(last - from as usize) as u64;
    (Moment::from_unix_seconds(from).unwrap(), Moment::from_unix_seconds(until).unwrap())
}

fn identifier(random: &mut Random) -> Identifier {
    const OTHERS: &[u8] = b"09azAZ_-.,";
    let more = random.below(Identifier::MAX_LENGTH);
    let first = char::from(*random.choice(&OTHERS[..6]));
    let others = (0..more).map(|_| char::from(*random.choice(OTHERS)));
    std::iter::once(first).chain(others).collect::<String>().parse().unwrap()
}

/// Printable characters without a semicolon, at most 40, and no blank at the ends.
fn printable(random: &mut Random, least: usize) -> String {
    let length = least + random.below(Label::MAX_LENGTH + 1 - least);
    let byte = |at: usize| {
        let from = if at == 0 || at + 1 == length { b'!' } else { b' ' };
        match from + random.below(usize::from(b'~' - from + 1)) as u8 {
            b';' => ':',
            other => char::from(other),
        }
    };
    (0..length).map(byte).collect()
}

/// Nothing, half of the time.
fn maybe<T>(random: &mut Random, value: impl FnOnce(&mut Random) -> T) -> Option<T> {
    let is_there = random.below(2) == 1;
    is_there.then(|| value(random))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}
