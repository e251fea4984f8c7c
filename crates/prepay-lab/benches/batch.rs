//! What a line of `lab batch` costs, beside the token that it asks for.
//!
//! - Bar: JSON in and out on one core within 4.000 of the issue cost, the key derived each time.
//! - Bar: two threads answer a stream in at most 0.556 of the time of one, on a machine with two idle processors.

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::time::Instant;

use criterion::{Criterion, criterion_group};
use prepay_lab::Lab;
use prepay_testkit::ratio::Ratio;
use prepay_token::element::{
    Amount, BaseDate, DecoderKeyGenerationAlgorithm, EncryptionAlgorithm, KeyRevisionNumber,
    KeyType, RandomNumber, Service, SupplyGroupCode, TariffIndex,
};
use prepay_token::key::{DecoderKeyGenerator, KeyParameters, TokenCipher, VendingKey};
use prepay_token::{Token, seal};

/// The bar, in thousandths.
const BAR: Option<u32> = Some(4000);

/// The bar of two threads: 1.8 times as fast.
const TWO_THREADS: Option<u32> = Some(556);

/// How many lines a stream has.
const STREAM: usize = 50_000;

/// The public test vending key of the conformance runs.
const VENDING_KEY: [u8; 20] =
    *b"\xAB\xAB\xAB\xAB\xAB\xAB\xAB\xAB\x94\x94\x94\x94\x94\x94\x94\x94\x01\x23\x45\x67";

/// A pair of algorithms with the line that asks for a token under it.
struct Case {
    dkga: DecoderKeyGenerationAlgorithm,
    ea: EncryptionAlgorithm,
}

const CASES: [Case; 2] = [
    Case { dkga: DecoderKeyGenerationAlgorithm::Dkga02, ea: EncryptionAlgorithm::Sta },
    Case { dkga: DecoderKeyGenerationAlgorithm::Dkga04, ea: EncryptionAlgorithm::Misty1 },
];

impl Case {
    fn name(&self) -> String {
        format!("EA{} DKGA{}", self.ea, self.dkga)
    }

    fn key(&self) -> &'static [u8] {
        &VENDING_KEY[..self.dkga.vending_key_bytes()]
    }

    /// A request in the form of the published vectors.
    fn line(&self) -> String {
        let key: String = self.key().iter().map(|byte| format!("{byte:02x}")).collect();
        let (dkga, ea) = (self.dkga, self.ea);
        format!(
            r#"{{"id":"CTSA01/step1","op":"issue","pan":"600727000000000009","ea":"{ea}","key":{{"vending_key":"{key}","dkga":"{dkga}","sgc":"123457","krn":1,"kt":2,"ti":"01","ken":255,"base_date":1993}},"issued_at":"2004-04-21T10:01Z","rnd":5,"token":{{"type":"credit","service":"electricity","amount":"25.6"}}}}"#
        )
    }

    /// The same token through the library.
    fn issue(&self) -> impl FnMut(u64) -> u64 + use<> {
        let key = VendingKey::new(self.dkga, self.key()).expect("the right length");
        let generator = DecoderKeyGenerator::new(&key);
        let parameters = KeyParameters {
            pan: "600727000000000009".parse().expect("a meter"),
            key_type: KeyType::Unique,
            supply_group: SupplyGroupCode::try_from(123_457).expect("six digits"),
            tariff_index: TariffIndex::try_from(1).expect("two digits"),
            key_revision: KeyRevisionNumber::try_from(1).expect("one digit"),
            base_date: BaseDate::Y1993,
            encryption: self.ea,
        };
        move |seed| {
            let key = generator.derive(black_box(&parameters)).expect("a permitted pair");
            let token = Token::Credit {
                service: Service::Electricity,
                random: RandomNumber::from_counter(seed),
                identifier: prepay_token::element::TokenIdentifier::from_low_bits(5_944_921),
                amount: Amount::from_tenths(256).expect("a small amount"),
            };
            let data = seal(&token, &TokenCipher::new(&key));
            u64::from(black_box(data.digits())[19]) ^ data.block()
        }
    }

    /// One line answered, over and over.
    fn answer(&self) -> impl FnMut(u64) -> u64 + use<> {
        let (mut lab, line, mut out) = (Lab::default(), self.line(), Vec::new());
        move |_| {
            out.clear();
            let succeeded = lab.answer_line(black_box(line.as_bytes()), &mut out);
            assert_eq!(succeeded, Some(true));
            out.len() as u64
        }
    }
}

/// A stream of so many lines answered on some threads, in nanoseconds: the best of several runs, each side in turn.
fn streams(case: &Case) -> [u128; 2] {
    let stream = (case.line() + "\n").repeat(STREAM);
    let mut best = [u128::MAX; 2];
    for _ in 0..15 {
        for (threads, best) in (1..).zip(&mut best) {
            let threads = NonZeroUsize::new(threads).expect("one or two");
            let begin = Instant::now();
            let summary = Lab::answer_stream(threads, stream.as_bytes(), std::io::sink());
            *best = begin.elapsed().as_nanos().min(*best);
            assert_eq!(summary.expect("nothing fails").answered, STREAM as u64);
        }
    }
    best
}

fn lines(c: &mut Criterion) {
    for case in &CASES {
        let mut answer = case.answer();
        c.bench_function(&format!("one line, {}", case.name()), |b| b.iter(|| answer(0)));
    }
}

fn ratios() {
    println!("\nRatios, both sides in this run:");
    for case in &CASES {
        let ratio = Ratio::measure(case.answer(), case.issue());
        ratio.print(&format!("lab batch line / issue, {}:", case.name()), BAR);
        let [one, two] = streams(case);
        let line = |nanoseconds: u128| 1000 * nanoseconds / STREAM as u128;
        let ratio = Ratio { ours: line(two), theirs: line(one) };
        ratio.print(&format!("lab batch on two threads / one, {}:", case.name()), TWO_THREADS);
    }
}

criterion_group!(benches, lines);

prepay_testkit::bench_main!(benches, ratios);
