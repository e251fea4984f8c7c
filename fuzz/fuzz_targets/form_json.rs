//! Any bytes as the JSON of a form: refused by name, or read and written again as the same form.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| prepay_testkit::fuzz::form_json(input));
