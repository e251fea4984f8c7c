//! Any line for the laboratory: one answer, and the next line answered rightly.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| prepay_testkit::fuzz::json_line(input));
