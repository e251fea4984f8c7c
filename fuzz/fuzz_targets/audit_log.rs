//! Any bytes as an audit log: read, proved, and opened only if the vault wrote them.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| prepay_testkit::fuzz::audit_log(input));
