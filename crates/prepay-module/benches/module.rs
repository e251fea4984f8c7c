//! What a token costs through the module, with its audit log, beside what it costs bare.
//!
//! - Bar: batches of named requests within 2.000 of deriving each key and sealing each token, in memory by the
//!   thousand and on disk by fifty thousand. Both sides end at twenty digits.
//! - Without a bar: batches of a thousand on disk, from one thread mostly the disk's time; of four threads some
//!   work while others wait for the disk.
//! - Without a bar: single requests, each durable before it is answered. On disk that is the time of the
//!   disk; sixteen threads share its writes.

use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Instant;

use criterion::{Criterion, criterion_group};
use prepay_basics::Moment;
use prepay_host::Directory;
use prepay_kmc_module::KeyLoadItem;
use prepay_kmp::VendingKeyAttributes;
use prepay_kmp::attribute::UnitLimit;
use prepay_module::software::{ModulePolicy, Operator, TestMode};
use prepay_module::{
    IssueRequest, Issued, MeterConfiguration, RequestId, SecurityModule, TokenRequest,
};
use prepay_testkit::Foreseeable;
use prepay_testkit::ceremony::{self, People, TestCentre, make_module, passphrase};
use prepay_testkit::ratio::Ratio;
use prepay_token::element::{
    Amount, BaseDate, DecoderKeyGenerationAlgorithm, DecoderReferenceNumber, EncryptionAlgorithm,
    MeterPan, RandomNumber, Service, TokenCarrierType, TokenIdentifier,
};
use prepay_token::key::{DecoderKeyGenerator, KeyParameters, TokenCipher, VendingKey};
use prepay_token::{Instruction, Token, seal};
use prepay_vault::{MemoryStorage, Place, VaultStorage};

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

fn attributes(algorithm: DecoderKeyGenerationAlgorithm) -> VendingKeyAttributes {
    let unit_limit = UnitLimit(Some(u32::MAX));
    VendingKeyAttributes { unit_limit, ..ceremony::attributes(201_457, 1, algorithm) }
}

fn vending_key(algorithm: DecoderKeyGenerationAlgorithm) -> VendingKey {
    let bytes = &VENDING_KEY[..algorithm.vending_key_bytes()];
    VendingKey::new(algorithm, bytes).expect("the right length")
}

/// The operator of a module with one key, which came to it in a key-load file.
fn operator(storage: Box<dyn VaultStorage>, algorithm: DecoderKeyGenerationAlgorithm) -> Operator {
    let place = |storage, seed| Place {
        storage,
        entropy: Box::new(Foreseeable::new(seed)),
        clock: Box::new(now()),
    };
    // So that every batch has a minute of its own.
    let policy = ModulePolicy { window_minutes: None, ..ModulePolicy::default() };
    let test = TestMode::default();
    let module = make_module("SM-1", place(storage, 1), policy, test, &passphrase);
    let people = People::of(&module, &passphrase);
    let centre = TestCentre::make(place(Box::<MemoryStorage>::default(), 2), &passphrase);
    centre.join(&people);
    let attributes = attributes(algorithm);
    centre.import(&attributes, &vending_key(algorithm));
    let register = Some(1.try_into().expect("a register"));
    centre.load(&people, vec![KeyLoadItem { attributes, register }], None);
    people.operator
}

/// The identifier so many minutes from now.
fn identifier(minutes: u32) -> TokenIdentifier {
    let now = BaseDate::Y2014.identifier_at(now().minute()).expect("an identifier");
    TokenIdentifier::from_low_bits(now.value() + minutes)
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
        identifier: identifier(0),
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

/// A batch through the module, in each call for the next minute. The thread's number makes the names and the meters'
/// tariff index.
fn batch_of(
    thread: u8,
    operator: Operator,
    encryption: EncryptionAlgorithm,
    size: usize,
) -> impl FnMut(u64) -> u64 {
    let mut requests: Vec<_> = meters(size)
        .into_iter()
        .map(|pan| request(pan, encryption))
        .map(IssueRequest::Token)
        .collect();
    let (mut count, mut minutes) = (u64::from(thread) << 48, 0);
    move |seed| {
        minutes += 1;
        for request in &mut requests {
            if let IssueRequest::Token(request) = request {
                request.id = name(&mut count);
                request.instruction = credit(seed as u16 & 1);
                request.identifier = identifier(minutes);
                request.meter.tariff_index = thread.try_into().expect("two digits");
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
    batch_of(0, operator, encryption, size)
}

/// Batches from several threads at the same time.
fn batches(operator: &Operator, encryption: EncryptionAlgorithm) -> impl FnMut(u64) -> u64 {
    let batch = |thread| batch_of(thread as u8, operator.clone(), encryption, BATCH);
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
    let (pan, minutes) = (meters(1)[0], AtomicU32::new(0));
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                for _ in 0..SINGLES {
                    let identifier = identifier(minutes.fetch_add(1, Ordering::Relaxed));
                    let request = TokenRequest { identifier, ..request(pan, encryption) };
                    let issued = operator.issue_token(request);
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

prepay_testkit::bench_main!(benches, ratios);
