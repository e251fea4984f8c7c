//! Any text as an identification record: refused, or written as it was read.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| prepay_testkit::fuzz::id_record(input));
