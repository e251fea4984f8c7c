//! What a token costs through the module, with its audit log, beside what it costs bare.
//!
//! - Bar: batches of named requests within 2.000 of deriving each key and sealing each token, in memory by the
//!   thousand and on disk by fifty thousand. Both sides end at twenty digits.
//! - Without a bar: batches of a thousand on disk, from one thread mostly the disk's time; of four threads some
//!   work while others wait for the disk.
//! - Without a bar: single requests, each durable before it is answered. On disk that is the time of the
//!   disk; sixteen threads share its writes.

use std::hint::black_box;
use std::thread;
use std::time::Instant;

use criterion::{Criterion, criterion_group};
use prepay_basics::{Entropy, Identifier, Moment, NoEntropy};
use prepay_host::Directory;
use prepay_kmp::attribute::{Cluster, CurrencyLimit, SubClassSet, UnitLimit, VendingKeyType};
use prepay_kmp::{
    CentreEnrolment, Identity, KeyLoadHeader, KeyToLoad, ModuleEnrolment, PartyKind,
    VendingKeyAttributes, open_kmp,
};
use prepay_module::software::{ModulePolicy, NewModule, Operator, SoftwareModule, TestMode};
use prepay_module::{
    IssueRequest, Issued, MeterConfiguration, RequestId, SecurityModule, TokenRequest,
};
use prepay_testkit::documents::{answer_agreement, document, read_key_load_request};
use prepay_testkit::ratio::Ratio;
use prepay_token::element::{
    Amount, BaseDate, DecoderKeyGenerationAlgorithm, DecoderReferenceNumber, EncryptionAlgorithm,
    MeterPan, RandomNumber, Service, TokenCarrierType, TokenIdentifier,
};
use prepay_token::key::{DecoderKeyGenerator, KeyParameters, TokenCipher, VendingKey};
use prepay_token::{Instruction, Token, seal};
use prepay_vault::{
    MemoryStorage, NewUser, Place, Quorum, Role, Secret, Session, Unlock, VaultStorage,
};

/// The bar of the batches, in thousandths.
const BAR: Option<u32> = Some(2000);

/// Requests in a batch.
const BATCH: usize = 1000;

/// Requests in a batch as a campaign of key changes makes them.
const LARGE_BATCH: usize = 50_000;

/// Single requests that are timed.
const SINGLES: u32 = 400;

/// Threads that share the writes of one module.
const THREADS: u32 = 16;

/// Threads that issue batches at the same time.
const BATCH_THREADS: usize = 4;

/// Batches that each of them issues, one after the other.
const BATCHES_EACH: usize = 8;

/// The public test vending key of 160 bits; its beginning serves as the one of 64.
const VENDING_KEY: [u8; 20] = [0xAB; 20];

/// When everything happens.
fn now() -> Moment {
    "2026-03-01T12:00:00Z".parse().expect("a moment")
}

/// Numbers that are no secret.
struct Counting(u64);

impl Entropy for Counting {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        for byte in bytes {
            self.0 = self.0.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
            *byte = (self.0 >> 56) as u8;
        }
        Ok(())
    }
}

fn attributes(algorithm: DecoderKeyGenerationAlgorithm) -> VendingKeyAttributes {
    VendingKeyAttributes {
        supply_group: 201_457.try_into().expect("six digits"),
        key_revision: 1.try_into().expect("one digit"),
        key_type: VendingKeyType::UNIQUE,
        algorithm,
        expiry: 255.into(),
        base_date: BaseDate::Y2014,
        activation: Moment::MIN,
        issued_until: Moment::MAX,
        unit_limit: UnitLimit(Some(u32::MAX)),
        currency_limit: CurrencyLimit(None),
        cluster: Cluster(0),
        sub_classes: SubClassSet::ALL,
        name: "bench".parse().expect("a name"),
    }
}

fn vending_key(algorithm: DecoderKeyGenerationAlgorithm) -> VendingKey {
    let bytes = &VENDING_KEY[..algorithm.vending_key_bytes()];
    VendingKey::new(algorithm, bytes).expect("the right length")
}

fn secret(text: &str) -> Secret {
    Secret::from(text.to_owned())
}

fn session(module: &SoftwareModule, who: &str) -> Session {
    let name: Identifier = who.parse().expect("a name");
    module.vault().sign_in(&name, &secret(who)).expect("a session")
}

/// The operator of a module with one key, which came to it in a key-load file.
fn operator(storage: Box<dyn VaultStorage>, algorithm: DecoderKeyGenerationAlgorithm) -> Operator {
    let people = [("alice", Role::Custodian), ("bob", Role::Custodian), ("olga", Role::Operator)]
        .map(|(who, role)| (who.parse::<Identifier>().expect("a name"), role, secret(who)));
    let users: Vec<_> = people
        .iter()
        .map(|(name, role, passphrase)| NewUser { name, role: *role, passphrase })
        .collect();
    let sealing = secret("open sesame");
    let new = NewModule {
        module: "SM-1".parse().expect("a name"),
        unlock: Unlock::Passphrase(&sealing),
        users: &users,
        policy: ModulePolicy::default(),
    };
    let place = Place { storage, entropy: Box::new(Counting(1)), clock: Box::new(now()) };
    let module = SoftwareModule::create_insecure_test(place, new, TestMode::default());
    let module = module.expect("a module");
    let quorum = Quorum::new(session(&module, "alice"), session(&module, "bob"));
    let custodians = module.custodians(quorum.expect("two custodians")).expect("custodians");

    let id: Identifier = "KMC-1".parse().expect("a name");
    let centre = Identity::generate(PartyKind::Centre, id.clone(), &mut Counting(2));
    let centre = centre.expect("key pairs");
    let enrolment = CentreEnrolment {
        party: centre.public().clone(),
        created: now(),
        is_test: true,
        activation: Moment::MIN,
        expires: Moment::MAX,
    };
    let enrolment = open_kmp::write_centre_enrolment(&centre, &enrolment).expect("an enrolment");
    custodians.enrol_centre(&document(&enrolment)).expect("a slot");
    let fingerprint = centre.public().fingerprint().to_string();
    let id = id.into();
    custodians.confirm_centre(&id, &fingerprint).expect("a confirmed centre");
    let enrolment = custodians.reader().enrolment().expect("an enrolment");
    let own = document::<ModuleEnrolment>(enrolment).party;
    let request = custodians.request_agreement(&id).expect("a request");
    let answer = answer_agreement(&centre, &own, request, now());
    let answer = answer.expect("an answer");
    custodians.accept_confirmation(&document(&answer.confirmation)).expect("an active slot");
    let request = custodians.request_key_load(&id).expect("a request");
    let request = read_key_load_request(centre.name(), &own, request).expect("a request");
    let header = KeyLoadHeader {
        module: request.module.clone(),
        centre: request.centre.clone(),
        slot: request.slot,
        nonce: request.nonce,
        serial: 1,
        created: request.created,
        expires: request.expires,
        transactions: None,
    };
    let (attributes, key) = (attributes(algorithm), vending_key(algorithm));
    let register = Some(1.try_into().expect("a register"));
    let keys = [KeyToLoad { attributes: &attributes, register, key: &key }];
    let file = open_kmp::write_key_load(&centre, &answer.keys, &header, &keys).expect("a file");
    custodians.load_keys(&document(&file)).expect("a loaded key");
    module.operator(&session(&module, "olga")).expect("an operator")
}

fn identifier() -> TokenIdentifier {
    BaseDate::Y2014.identifier_at(now().minute()).expect("an identifier")
}

fn meters(count: usize) -> Vec<MeterPan> {
    let meter = |serial: usize| {
        let drn = DecoderReferenceNumber::new(
            "07".parse().expect("a manufacturer code"),
            (serial as u32).try_into().expect("a serial number"),
        );
        MeterPan::new(drn)
    };
    (0..count).map(meter).collect()
}

/// Some tenths of a unit.
fn credit(tenths: u16) -> Instruction {
    Instruction::Credit { service: Service::Electricity, amount: Amount::from_bits(tenths) }
}

fn request(pan: MeterPan, encryption: EncryptionAlgorithm) -> TokenRequest {
    TokenRequest {
        id: None,
        register: 1.try_into().expect("a register"),
        meter: MeterConfiguration {
            pan,
            tariff_index: 1.try_into().expect("two digits"),
            encryption,
            carrier: TokenCarrierType::NUMERIC,
        },
        instruction: credit(1),
        identifier: identifier(),
    }
}

/// A name that was never used.
fn name(count: &mut u64) -> Option<RequestId> {
    *count += 1;
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&count.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
    bytes[8..].copy_from_slice(&count.to_be_bytes());
    Some(RequestId(bytes))
}

/// A number to go on with, from the digits of a token.
fn next(digits: [u8; 20]) -> u64 {
    u64::from(black_box(digits)[19])
}

/// A batch through the module. Its requests have names from a number on.
fn batch_from(
    mut count: u64,
    operator: Operator,
    encryption: EncryptionAlgorithm,
    size: usize,
) -> impl FnMut(u64) -> u64 {
    let mut requests: Vec<_> = meters(size)
        .into_iter()
        .map(|pan| request(pan, encryption))
        .map(IssueRequest::Token)
        .collect();
    move |seed| {
        for request in &mut requests {
            if let IssueRequest::Token(request) = request {
                request.id = name(&mut count);
                request.instruction = credit(seed as u16 & 1);
            }
        }
        let answers = operator.issue(&requests).expect("answers");
        answers.into_iter().fold(0, |sum, answer| match answer {
            Ok(Issued::Token(issued)) => sum + next(issued.token.digits()),
            other => panic!("{other:?}"),
        })
    }
}

fn batch(
    operator: Operator,
    encryption: EncryptionAlgorithm,
    size: usize,
) -> impl FnMut(u64) -> u64 {
    batch_from(0, operator, encryption, size)
}

/// Batches from several threads at the same time.
fn batches(operator: &Operator, encryption: EncryptionAlgorithm) -> impl FnMut(u64) -> u64 {
    let batch = |thread| batch_from((thread as u64) << 48, operator.clone(), encryption, BATCH);
    let mut batches: Vec<_> = (0..BATCH_THREADS).map(batch).collect();
    move |seed| {
        thread::scope(|scope| {
            let steps: Vec<_> = batches
                .iter_mut()
                .map(|step| scope.spawn(move || (0..BATCHES_EACH).fold(seed, |seed, _| step(seed))))
                .collect();
            steps.into_iter().map(|step| step.join().expect("a batch")).sum()
        })
    }
}

/// As many tokens without a module: each key derived, each token sealed.
fn bare(
    algorithm: DecoderKeyGenerationAlgorithm,
    encryption: EncryptionAlgorithm,
    size: usize,
) -> impl FnMut(u64) -> u64 {
    let (generator, meters) = (DecoderKeyGenerator::new(&vending_key(algorithm)), meters(size));
    let attributes = attributes(algorithm);
    let request = request(meters[0], encryption);
    move |seed| {
        let mut sum = 0;
        for (count, &pan) in meters.iter().enumerate() {
            let parameters = KeyParameters {
                pan,
                key_type: attributes.key_type.key_type(),
                supply_group: attributes.supply_group,
                tariff_index: request.meter.tariff_index,
                key_revision: attributes.key_revision,
                base_date: attributes.base_date,
                encryption,
            };
            let key = generator.derive(&parameters).expect("a permitted pair");
            let token = Token::Credit {
                service: Service::Electricity,
                random: RandomNumber::from_counter(count as u64),
                identifier: request.identifier,
                amount: Amount::from_bits(seed as u16 & 1),
            };
            sum += next(seal(&token, &TokenCipher::new(&key)).digits());
        }
        sum
    }
}

/// A module on disk that is gone with the folder.
fn on_disk(algorithm: DecoderKeyGenerationAlgorithm) -> (tempfile::TempDir, Operator) {
    let folder = tempfile::tempdir().expect("a folder");
    let directory = Directory::create(folder.path().join("module")).expect("a place");
    (folder, operator(Box::new(directory), algorithm))
}

const PAIRS: [(DecoderKeyGenerationAlgorithm, EncryptionAlgorithm); 2] = [
    (DecoderKeyGenerationAlgorithm::Dkga02, EncryptionAlgorithm::Sta),
    (DecoderKeyGenerationAlgorithm::Dkga04, EncryptionAlgorithm::Misty1),
];

fn operations(c: &mut Criterion) {
    for (algorithm, encryption) in PAIRS {
        let operator = operator(Box::new(MemoryStorage::default()), algorithm);
        let mut step = batch(operator, encryption, BATCH);
        c.bench_function(&format!("a thousand tokens in a batch, EA{encryption}"), |b| {
            b.iter(|| step(1));
        });
    }
}

fn ratios() {
    println!("\nRatios of batches, both sides in this run:");
    for (algorithm, encryption) in PAIRS {
        let name = format!("EA{encryption} DKGA{algorithm}");
        let measure = |operator, size, calls| {
            let bare = bare(algorithm, encryption, size);
            Ratio::measure_calls(calls, batch(operator, encryption, size), bare)
        };
        let memory = operator(Box::new(MemoryStorage::default()), algorithm);
        let ratio = measure(memory, BATCH, 10);
        ratio.print(&format!("{BATCH}, {name}, in memory / bare:"), BAR);
        let (_folder, disk) = on_disk(algorithm);
        measure(disk, BATCH, 3).print(&format!("{BATCH}, {name}, on disk / bare:"), None);
        let (_folder, disk) = on_disk(algorithm);
        let bare = bare(algorithm, encryption, BATCH * BATCH_THREADS * BATCHES_EACH);
        let ratio = Ratio::measure_calls(1, batches(&disk, encryption), bare);
        ratio.print(&format!("{BATCH} from {BATCH_THREADS}, {name}, on disk / bare:"), None);
        let (_folder, disk) = on_disk(algorithm);
        let ratio = measure(disk, LARGE_BATCH, 1);
        ratio.print(&format!("{LARGE_BATCH}, {name}, on disk / bare:"), BAR);
    }
    println!("\nSingle tokens, each durable before it is answered:");
    let (algorithm, encryption) = PAIRS[1];
    let memory = operator(Box::new(MemoryStorage::default()), algorithm);
    singles("in memory, one thread:", &memory, encryption, 1);
    let (_folder, disk) = on_disk(algorithm);
    singles("on disk, one thread:", &disk, encryption, 1);
    singles("on disk, sixteen threads:", &disk, encryption, THREADS);
}

/// Prints how long a single token takes, and how many are made in a second.
fn singles(name: &str, operator: &Operator, encryption: EncryptionAlgorithm, threads: u32) {
    let pan = meters(1)[0];
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                for _ in 0..SINGLES {
                    let issued = operator.issue_token(request(pan, encryption));
                    black_box(issued.expect("a token"));
                }
            });
        }
    });
    let microseconds = start.elapsed().as_micros().max(1);
    let tokens = u128::from(threads * SINGLES);
    let each = microseconds * u128::from(threads) / tokens;
    println!("{name:<58} {each} us, {} tokens a second", 1_000_000 * tokens / microseconds);
}

criterion_group!(benches, operations);

fn main() {
    benches();
    Criterion::default().configure_from_args().final_summary();
    // Without this flag Cargo is testing that the benchmark runs, not measuring.
    if std::env::args().any(|argument| argument == "--bench") {
        ratios();
    }
}
