//! Any bytes as what a vault stores, but for its log: refused by name, or what was stored.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| prepay_testkit::fuzz::vault_store(input));
