//! Two parties, their secrets made from a fixed source, and every kind of text between them.

#![allow(dead_code)] // Each test program uses its part.

mod inputs;

use prepay_basics::{Entropy, Identifier, Moment, NoEntropy};
use prepay_kmp::VendingKeyAttributes;
use prepay_kmp::attribute::{Cluster, CurrencyLimit, SubClassSet, UnitLimit, VendingKeyType};
use prepay_kmp::{
    CentreEnrolment, DocumentError, Identity, KeyLoadHeader, KeyLoadRequest, KeyToLoad,
    ModuleEnrolment, Nonce, PartyKind, PendingAgreement, Signatory, SignatoryEnrolment, SlotKeys,
    open_kmp, read_as,
};
use prepay_testkit::documents::{
    accept_agreement, answer_agreement, read_key_load, read_key_load_request,
};
use prepay_token::element::{BaseDate, DecoderKeyGenerationAlgorithm};
use prepay_token::key::VendingKey;
use sha2::{Digest, Sha256};

pub(crate) use inputs::{InputKey, Inputs};

/// A source that gives the same bytes in every run: SHA-256 of a seed and a counter.
pub(crate) struct Fixed {
    seed: Vec<u8>,
    counter: u64,
}

impl Fixed {
    pub(crate) fn new(seed: u8) -> Self {
        Self::of(&[seed])
    }

    pub(crate) fn of(seed: &[u8]) -> Self {
        Self { seed: seed.to_vec(), counter: 0 }
    }
}

impl Entropy for Fixed {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        for chunk in bytes.chunks_mut(32) {
            let hash = Sha256::new().chain_update(&self.seed);
            let block = hash.chain_update(self.counter.to_be_bytes()).finalize();
            chunk.copy_from_slice(&block[..chunk.len()]);
            self.counter += 1;
        }
        Ok(())
    }
}

pub(crate) fn moment(text: &str) -> Moment {
    text.parse().unwrap()
}

pub(crate) fn identity(kind: PartyKind, id: &str, seed: u8) -> Identity {
    Identity::generate(kind, id.parse().unwrap(), &mut Fixed::new(seed)).unwrap()
}

/// Everything that passes between one module and one centre.
pub(crate) struct Exchange {
    pub(crate) module: Identity,
    pub(crate) centre: Identity,
    pub(crate) signatory: Signatory,
    pub(crate) module_enrolment: String,
    pub(crate) centre_enrolment: String,
    pub(crate) signatory_key: String,
    pub(crate) pending: PendingAgreement,
    pub(crate) agreement_request: String,
    pub(crate) agreement_confirmation: String,
    pub(crate) slot_keys: SlotKeys,
    pub(crate) centre_nonce: Nonce,
    pub(crate) load_request: String,
    pub(crate) header: KeyLoadHeader,
    pub(crate) key_load: String,
}

pub(crate) const CREATED: &str = "2026-03-01T08:00:00Z";

impl Exchange {
    /// The known one, with two keys in the key-load file.
    pub(crate) fn new() -> Self {
        Self::of(&Inputs::known())
    }

    /// The one that these inputs give.
    pub(crate) fn of(inputs: &Inputs) -> Self {
        let [module, centre, signatory, agreement, request, answer] =
            inputs.seeds.each_ref().map(|seed| Fixed::of(seed));
        let generate = |kind, id: &Identifier, mut source| {
            Identity::generate(kind, id.clone(), &mut source).unwrap()
        };
        let created = inputs.created;
        let module = generate(PartyKind::Module, &inputs.module, module);
        let centre = generate(PartyKind::Centre, &inputs.centre, centre);
        let signatory = Signatory::generate(inputs.signatory.clone(), &mut { signatory }).unwrap();
        let enrolment = ModuleEnrolment {
            party: module.public().clone(),
            created,
            is_test: inputs.is_test,
            maker: inputs.maker.clone(),
            model: inputs.model.clone(),
            firmware: inputs.firmware.clone(),
        };
        let module_enrolment = open_kmp::write_module_enrolment(&module, &enrolment).unwrap();
        let enrolment = CentreEnrolment {
            party: centre.public().clone(),
            created,
            is_test: inputs.is_test,
            activation: inputs.centre_from,
            expires: inputs.centre_until,
        };
        let centre_enrolment = open_kmp::write_centre_enrolment(&centre, &enrolment).unwrap();
        let signatory_key = open_kmp::write_signatory(&signatory, created);
        let slot = inputs.slot;
        let (agreement_request, pending) =
            open_kmp::request_agreement(&module, centre.public(), slot, created, &mut {
                agreement
            })
            .unwrap();
        let text = agreement_request.as_bytes();
        let centre_nonce = Nonce::generate(&mut { answer }).unwrap();
        let answered =
            answer_agreement(&centre, module.public(), text, created, centre_nonce).unwrap();
        let request = KeyLoadRequest {
            module: module.name().clone(),
            centre: centre.name().clone(),
            slot,
            nonce: Nonce::generate(&mut { request }).unwrap(),
            created,
            expires: inputs.request_until,
            confirmation: answered.keys.confirmation(),
        };
        let load_request = open_kmp::write_key_load_request(&module, &request).unwrap();
        let header = KeyLoadHeader {
            module: request.module,
            centre: request.centre,
            slot,
            nonce: request.nonce,
            serial: inputs.serial,
            created,
            expires: inputs.file_until,
            transactions: inputs.transactions,
        };
        let keys: Vec<KeyToLoad<'_>> = inputs.keys.iter().map(InputKey::to_load).collect();
        let key_load = open_kmp::write_key_load(&centre, &answered.keys, &header, &keys).unwrap();
        Self {
            module,
            centre,
            signatory,
            module_enrolment,
            centre_enrolment,
            signatory_key,
            pending,
            agreement_request,
            agreement_confirmation: answered.confirmation,
            slot_keys: answered.keys,
            centre_nonce,
            load_request,
            header,
            key_load,
        }
    }

    /// What it is made from and every text, each behind a line `== name`.
    pub(crate) fn file(&self, inputs: &Inputs) -> String {
        let texts = self.texts();
        let texts = texts.iter().map(|kind| format!("== {}\n{}", kind.name, kind.text));
        std::iter::once(format!("== inputs\n{}\n", inputs.json())).chain(texts).collect()
    }

    /// Every kind of text, with its name and what reads and checks it: the code of the refusal.
    pub(crate) fn texts(&self) -> [Kind<'_>; 7] {
        fn code<T>(result: Result<T, DocumentError>) -> Result<(), &'static str> {
            result.map(drop).map_err(|error| {
                assert!(!error.to_string().is_empty());
                error.code()
            })
        }
        let (module, centre) = (&self.module, &self.centre);
        [
            Kind::new("module enrolment", &self.module_enrolment, |text| {
                code(read_as::<ModuleEnrolment>(text))
            }),
            Kind::new("centre enrolment", &self.centre_enrolment, |text| {
                code(read_as::<CentreEnrolment>(text))
            }),
            Kind::new("signatory key", &self.signatory_key, |text| {
                code(read_as::<SignatoryEnrolment>(text))
            }),
            Kind::new("agreement request", &self.agreement_request, move |text| {
                code(answer_agreement(
                    centre,
                    module.public(),
                    text,
                    moment(CREATED),
                    self.centre_nonce,
                ))
            }),
            Kind::new("agreement confirmation", &self.agreement_confirmation, move |text| {
                code(accept_agreement(module, centre.public(), &self.pending, text))
            }),
            Kind::new("key-load request", &self.load_request, move |text| {
                let request = read_key_load_request(centre.name(), module.public(), text);
                code(request.and_then(|request| request.confirms(&self.slot_keys)))
            }),
            Kind::new("key-load file", &self.key_load, move |text| {
                code(read_key_load(module.name(), centre.public(), &self.slot_keys, text))
            }),
        ]
    }
}

type Check<'a> = dyn Fn(&[u8]) -> Result<(), &'static str> + 'a;

/// A kind of text.
pub(crate) struct Kind<'a> {
    pub(crate) name: &'static str,
    pub(crate) text: &'a str,
    pub(crate) check: Box<Check<'a>>,
}

impl<'a> Kind<'a> {
    fn new(
        name: &'static str,
        text: &'a str,
        check: impl Fn(&[u8]) -> Result<(), &'static str> + 'a,
    ) -> Self {
        Self { name, text, check: Box::new(check) }
    }
}

pub(crate) fn attributes(group: u32, revision: u8, algorithm: u8) -> VendingKeyAttributes {
    VendingKeyAttributes {
        supply_group: group.try_into().unwrap(),
        key_revision: revision.try_into().unwrap(),
        key_type: VendingKeyType::UNIQUE,
        algorithm: DecoderKeyGenerationAlgorithm::from_code(algorithm).unwrap(),
        expiry: 255.into(),
        base_date: BaseDate::try_from(2014).unwrap(),
        activation: moment("2026-01-01T00:00:00Z"),
        issued_until: moment("2027-01-01T00:00:00Z"),
        unit_limit: UnitLimit(Some(1_000_000)),
        currency_limit: CurrencyLimit(None),
        cluster: Cluster(0),
        sub_classes: SubClassSet::ALL,
        name: if revision == 1 { "Lakeside".parse().unwrap() } else { Default::default() },
    }
}

/// The published conformance keys, cut to the length of the algorithm.
pub(crate) fn vending_key(algorithm: u8) -> VendingKey {
    let mut bytes = [0xAB; 20];
    bytes[8..16].fill(0x94);
    bytes[16..].copy_from_slice(&[0x01, 0x23, 0x45, 0x67]);
    let algorithm = DecoderKeyGenerationAlgorithm::from_code(algorithm).unwrap();
    VendingKey::new(algorithm, &bytes[..algorithm.vending_key_bytes()]).unwrap()
}

/// Gives every line the checksum of what it says now, as somebody would who changes a text on purpose.
pub(crate) fn with_checksums(text: &str) -> String {
    let crc = crc::Crc::<u16>::new(&crc::CRC_16_ARC);
    let line = |line: &str| {
        let checked = &line[..=line.rfind(';').unwrap()];
        format!("{checked}{:04X}\n", crc.checksum(checked.as_bytes()))
    };
    text.lines().map(line).collect()
}
