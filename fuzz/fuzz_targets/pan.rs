//! Any text as a meter number: refused, or written as it was read.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| prepay_testkit::fuzz::pan(input));
