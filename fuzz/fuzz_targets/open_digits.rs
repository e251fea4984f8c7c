//! Any digits under any key: opened or refused, and sealed again to the same bits.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| prepay_testkit::fuzz::open_digits(input));
