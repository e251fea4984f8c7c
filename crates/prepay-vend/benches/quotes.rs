//! What a quote costs, compared with the issue of one token.
//!
//! Criterion measures a flat tariff and a few of `vectors/tariffs` by themselves; the ratios, with both sides in one run, come
//! last: for a flat tariff, and for the purchase of `vectors/tariffs/purchases.jsonl` that takes longest.
//!
//! Bars: 15 times the issue of a token under EA07 and DKGA02, key derived, for a flat tariff; 90 times for the worst.

use std::fs;
use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, criterion_group};
use prepay_records::purchase::PurchaseRecord;
use prepay_testkit::ratio::Ratio;
use prepay_token::element::{
    Amount, BaseDate, DecoderKeyGenerationAlgorithm, DecoderReferenceNumber, EncryptionAlgorithm,
    KeyRevisionNumber, KeyType, MeterPan, RandomNumber, Service, SupplyGroupCode, TariffIndex,
    TokenIdentifier,
};
use prepay_token::key::{DecoderKeyGenerator, KeyParameters, TokenCipher, VendingKey};
use prepay_token::{Token, seal};
use prepay_vend::{Ask, Decimal, Purchase, Tariff};
use serde::Deserialize;
use serde_json::value::RawValue;

const FLAT: &str = r#"
name = "flat"
currency = "ZAR"
[month]
zone = "Africa/Johannesburg"
[[version]]
from = 2020-01-01
[version.rounding]
units = 0.1
units_direction = "down"
remainder = "energy"
[[version.line]]
name = "energy"
kind = "energy"
price = 2.15
[[version.line]]
name = "vat"
kind = "tax"
percent = 15
of = ["energy"]
"#;

/// An operation from one number to the next.
type Step = Box<dyn FnMut(u64) -> u64>;

/// A published purchase; the rest of its line is for the tests.
#[derive(Deserialize)]
struct Published {
    id: String,
    tariff: String,
    purchase: Box<RawValue>,
}

fn read(text: &str) -> Tariff {
    Tariff::read(text).expect("a tariff without a fault")
}

/// Prices a purchase again and again, its amount a little different each time.
fn quote(tariff: Tariff, mut purchase: Purchase) -> Step {
    let asked = purchase.ask;
    Box::new(move |seed| {
        purchase.ask = match asked {
            Ask::Amount(amount) => Ask::Amount(amount + Decimal::from(seed % 8)),
            Ask::Units(units) => Ask::Units(units + Decimal::from(seed % 8)),
        };
        let quote = black_box(tariff.quote(&purchase).expect("a quote"));
        quote.units.mantissa() as u64 ^ seed >> 1
    })
}

fn flat() -> Step {
    let at = "2025-06-01T08:00:00Z".parse().expect("a moment");
    quote(read(FLAT), Purchase::new(at, Ask::Amount(Decimal::ONE_HUNDRED)))
}

/// Every published purchase, by its name.
fn published() -> Vec<(String, Step)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/tariffs");
    let text = |name: &str| fs::read_to_string(folder.join(name)).expect("a vector");
    let purchases = text("purchases.jsonl");
    let cases = purchases.lines().map(|line| {
        let case: Published = serde_json::from_str(line).expect("a purchase");
        let tariff = read(&text(&format!("{}.toml", case.tariff)));
        let record: PurchaseRecord = serde_json::from_str(case.purchase.get()).expect("a record");
        let now = "2026-01-01T00:00:00Z".parse().expect("a moment");
        let purchase = record.purchase(&tariff, now).expect("a purchase");
        (format!("{} ({})", case.id, case.tariff), quote(tariff, purchase))
    });
    cases.collect()
}

/// Issue under EA07 and DKGA02, with the key derived each time.
fn issue() -> Step {
    let dkga = DecoderKeyGenerationAlgorithm::Dkga02;
    let key = VendingKey::new(dkga, &[0xAB; 8]).expect("eight bytes");
    let generator = DecoderKeyGenerator::new(&key);
    Box::new(move |seed| {
        let drn = DecoderReferenceNumber::new(
            "07".parse().expect("a manufacturer code"),
            (seed as u32 % 64).try_into().expect("a serial number"),
        );
        let parameters = KeyParameters {
            pan: MeterPan::new(drn),
            key_type: KeyType::Unique,
            supply_group: SupplyGroupCode::try_from(201_457).expect("six digits"),
            tariff_index: TariffIndex::try_from(1).expect("two digits"),
            key_revision: KeyRevisionNumber::try_from(1).expect("one digit"),
            base_date: BaseDate::Y2014,
            encryption: EncryptionAlgorithm::Sta,
        };
        let token = Token::Credit {
            service: Service::Electricity,
            random: RandomNumber::from_counter(seed),
            identifier: TokenIdentifier::from_low_bits(seed as u32),
            amount: Amount::from_tenths((seed >> 40) as u32 & 0x3FFF).expect("at most 16383"),
        };
        let key = generator.derive(&parameters).expect("a permitted pair");
        let data = seal(&token, &TokenCipher::new(&key));
        u64::from(black_box(data.digits())[19]) ^ data.block()
    })
}

fn operations(c: &mut Criterion) {
    let mut bench = |name: &str, mut step: Step| {
        let mut value = 1;
        c.bench_function(name, |b| {
            b.iter(|| {
                value = step(value);
                value
            });
        });
    };
    bench("quote, flat tariff", flat());
    bench("issue, key derived, EA07 DKGA02", issue());
}

fn ratios() {
    println!("\nRatios, both sides in this run:");
    // Short chains: on a busy machine one of many milliseconds would be interrupted, and only on our side.
    Ratio::measure_calls(200, flat(), issue()).print("quote, flat tariff / issue:", Some(15_000));
    let measured = published().into_iter().map(|(name, step)| {
        let ratio = Ratio::measure_calls(20, step, issue());
        (1000 * ratio.ours / ratio.theirs.max(1), name)
    });
    let mut measured: Vec<_> = measured.collect();
    measured.sort();
    let (_, worst) = measured.pop().expect("some purchase");
    let (_, step) = published().into_iter().find(|(name, _)| *name == worst).expect("the worst");
    let name = format!("quote, the worst published, {worst} / issue:");
    Ratio::measure_calls(50, step, issue()).print(&name, Some(90_000));
}

criterion_group!(benches, operations);

prepay_testkit::bench_main!(benches, ratios);
