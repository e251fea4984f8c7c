//! Requests that are refused: each with its code and its `id`, and every code at least once.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use prepay_lab::Lab;
use prepay_records::RecordCode;
use prepay_testkit::vectors::{RefusalCase, load_folder};
use serde::Deserialize;
use serde_json::value::RawValue;

/// The refusals in `vectors/invalid` and `vectors/regress`. A lost file or a stray filter must not pass.
const CASES: usize = 378 + 3;

fn cases() -> Vec<(String, RefusalCase)> {
    ["invalid", "regress"].into_iter().flat_map(load_folder).collect()
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    id: &'a RawValue,
    error: Error,
}

#[derive(Deserialize)]
struct Error {
    code: String,
    message: String,
}

#[test]
fn every_refusal_has_its_code_and_every_code_its_refusal() {
    let cases = cases();
    assert_eq!(cases.len(), CASES);
    let mut codes = BTreeSet::new();
    let mut lab = Lab::default();
    let mut wrong = Vec::new();
    for (file, case) in &cases {
        let mut out = Vec::new();
        let succeeded = lab.answer_line(&case.line(), &mut out);
        let text = String::from_utf8(out).expect("an answer is text");
        if succeeded != Some(false) {
            wrong.push(format!("{file} {}: expected {}, found {text}", case.id, case.expect.code));
            continue;
        }
        let Answer { id, error } = serde_json::from_str(&text).expect("an answer is an object");
        assert!(!error.message.is_empty() && !error.message.ends_with('.'), "{}", case.id);
        if error.code != case.expect.code || id.get() != case.answered_id() {
            let expected = (&case.expect.code, case.answered_id());
            wrong.push(format!("{file} {}: expected {expected:?}, found {text}", case.id));
        }
        codes.insert(case.expect.code.clone());
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.concat());
    for code in RecordCode::ALL {
        assert!(codes.contains(code.text()), "no case for {code}");
    }
}

#[test]
fn every_refusal_is_one_line_of_a_stream() {
    let cases = cases();
    let mut input = Vec::new();
    for (_, case) in &cases {
        input.extend(case.line());
        input.push(b'\n');
    }
    let mut output = Vec::new();
    let summary = Lab::answer_stream(NonZeroUsize::MIN, &input[..], &mut output).unwrap();
    assert_eq!((summary.answered, summary.failed), (CASES as u64, CASES as u64));
    assert_eq!(output.iter().filter(|&&byte| byte == b'\n').count(), CASES);
}
