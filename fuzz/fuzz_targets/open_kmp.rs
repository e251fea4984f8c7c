//! Any bytes as a text of the profile open-kmp: no panic, and only what was really written is believed.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| prepay_testkit::fuzz::open_kmp(input));
