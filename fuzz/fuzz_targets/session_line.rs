//! Any bytes as a line of a session: a request that is written and read again, or refused in few words.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| prepay_testkit::fuzz::session_line(input));
