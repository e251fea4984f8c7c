//! Any bytes as the stored state of a meter: refused by name, or stored again as they were.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| prepay_testkit::fuzz::meter_record(input));
