//! Any bytes as a key-load file of edition 1: no panic, and every fault has a place.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| prepay_testkit::fuzz::edition1(input));
