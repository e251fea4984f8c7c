//! Any keys at a meter: no panic, and no change but by a token.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| prepay_testkit::fuzz::keypad(input));
