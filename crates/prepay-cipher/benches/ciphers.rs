//! What a block costs, and what a key costs.
//!
//! Criterion measures each operation by itself. Ratios come last, and are measured here: both sides
//! take turns within one run, so that a change of clock or load affects both equally. Each result
//! feeds the next block, on both sides, so the figures are the time of one block and not of many at
//! once.
//!
//! - Bar: STA within 0.600 of a block of DES, schedule prepared, in the same run.

use std::{hint::black_box, time::Instant};

use criterion::{Criterion, criterion_group};
use des::{Des, cipher::BlockCipherEncrypt};
use prepay_cipher::{Dea, Misty1, Sta, cipher::KeyInit};

const KEY: u64 = 0xE653_341F_9D5B_F36F;
const WIDE_KEY: u128 = 0x929B_D3A4_15C9_420A_05EC_5EE9_F3CE_91C3;
const BLOCK: u64 = 0x0559_9863_0001_19E6;

/// An odd number that turns a counter into keys without a pattern.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

fn des_block(des: &Des, block: u64) -> u64 {
    let mut bytes = block.to_be_bytes().into();
    des.encrypt_block(&mut bytes);
    u64::from_be_bytes(bytes.into())
}

fn sta(key: u64) -> Sta {
    Sta::new(&key.to_be_bytes().into())
}

fn dea(key: u64) -> Dea {
    Dea::new(&key.to_be_bytes().into())
}

fn misty1(key: u128) -> Misty1 {
    Misty1::new(&key.to_be_bytes().into())
}

/// Measures one operation on a chain of blocks, with a number that differs each time.
fn chain(c: &mut Criterion, name: &str, mut operation: impl FnMut(u64, u64) -> u64) {
    c.bench_function(name, |b| {
        let (mut count, mut block) = (0_u64, black_box(BLOCK));
        b.iter(|| {
            count = count.wrapping_add(STEP);
            block = operation(count, block);
            block
        });
    });
}

fn blocks(c: &mut Criterion) {
    let des = Des::new(&KEY.to_be_bytes().into());
    chain(c, "DES block (crate des)", |_, block| des_block(&des, block));
    let cipher = dea(KEY);
    chain(c, "DEA encipher", |_, block| cipher.encipher(block));
    chain(c, "DEA decipher", |_, block| cipher.decipher(block));
    let cipher = sta(KEY);
    chain(c, "STA encipher, one key", |_, block| cipher.encipher(block));
    chain(c, "STA decipher, one key", |_, block| cipher.decipher(block));
    chain(c, "STA encipher, new key each time", |key, block| sta(key).encipher(block));
    chain(c, "STA decipher, new key each time", |key, block| sta(key).decipher(block));
    let cipher = misty1(WIDE_KEY);
    chain(c, "MISTY1 encipher", |_, block| cipher.encipher(block));
    chain(c, "MISTY1 decipher", |_, block| cipher.decipher(block));
}

fn keys(c: &mut Criterion) {
    c.bench_function("DEA key setup", |b| b.iter(|| dea(black_box(KEY))));
    c.bench_function("MISTY1 key setup", |b| b.iter(|| misty1(black_box(WIDE_KEY))));
    c.bench_function("STA key setup", |b| b.iter(|| sta(black_box(KEY))));
}

/// Blocks in one timed chain.
const CHAIN: u64 = 5_000;

/// Timed chains on each side of a ratio; odd, so that one of them is the median.
const CHAINS: usize = 101;

/// The time of one chain, in nanoseconds.
fn time(operation: &mut dyn FnMut(u64, u64) -> u64) -> u128 {
    let (mut count, mut block) = (0_u64, black_box(BLOCK));
    let start = Instant::now();
    for _ in 0..CHAIN {
        count = count.wrapping_add(STEP);
        block = operation(count, block);
    }
    black_box(block);
    start.elapsed().as_nanos()
}

/// Prints one ratio in thousandths, with the medians of both sides.
fn ratio(
    name: &str,
    bar: &str,
    mut ours: impl FnMut(u64, u64) -> u64,
    mut theirs: impl FnMut(u64, u64) -> u64,
) {
    let (mut a, mut b) = ([0; CHAINS], [0; CHAINS]);
    for turn in 0..CHAINS {
        a[turn] = time(&mut ours);
        b[turn] = time(&mut theirs);
    }
    a.sort_unstable();
    b.sort_unstable();
    let (a, b) = (a[CHAINS / 2], b[CHAINS / 2]);
    let thousandths = (1000 * a).div_ceil(b);
    let chain = u128::from(CHAIN);
    println!(
        "{name:<36} {}.{:03}{bar}  {} ns / {} ns",
        thousandths / 1000,
        thousandths % 1000,
        (a + chain / 2) / chain,
        (b + chain / 2) / chain,
    );
}

fn ratios() {
    let des = Des::new(&KEY.to_be_bytes().into());
    let des = |_, block| des_block(&des, block);
    let (one, wide, dea) = (sta(KEY), misty1(WIDE_KEY), dea(KEY));
    const BAR: &str = " (bar 0.600)";

    println!("\nRatios, both sides in this run:");
    ratio("STA encipher / DES block:", BAR, |_, block| one.encipher(block), des);
    ratio("STA decipher / DES block:", BAR, |_, block| one.decipher(block), des);
    ratio("STA encipher, new key / DES block:", BAR, |k, block| sta(k).encipher(block), des);
    ratio("STA decipher, new key / DES block:", BAR, |k, block| sta(k).decipher(block), des);
    ratio("MISTY1 encipher / DES block:", "", |_, block| wide.encipher(block), des);
    ratio("MISTY1 decipher / DES block:", "", |_, block| wide.decipher(block), des);
    ratio(
        "MISTY1 key and block / DES block:",
        "",
        |k, block| misty1(WIDE_KEY ^ u128::from(k)).encipher(block),
        des,
    );
    ratio("DEA encipher / DES block:", "", |_, block| dea.encipher(block), des);
}

criterion_group!(benches, blocks, keys);

fn main() {
    benches();
    Criterion::default().configure_from_args().final_summary();
    // Without this flag Cargo is testing that the benchmark runs, not measuring.
    if std::env::args().any(|argument| argument == "--bench") {
        ratios();
    }
}
