//! `prepay meter` as a user runs it.

mod common;

use std::fs;

use common::{ends, folder};

const NEW: &str = "--pan 600727000000000009 --vending-key abababababababab --sgc 123456";
/// One kilowatt-hour for the meter of [`NEW`], published.
const TOKEN: &str = "6647 5648 3167 5682 1785";

#[test]
fn a_meter_in_a_file_takes_a_token_once() {
    let file = folder("meter_file").join("m.meter");
    let file = file.display();
    assert!(
        ends(0, &format!("meter new --file {file} {NEW}"), b"").contains("switch open (no_credit)")
    );
    assert_eq!(ends(3, &format!("meter new --file {file} {NEW}"), b""), "");
    let shown = ends(0, &format!("meter enter {file} {TOKEN}"), b"");
    assert_eq!(
        shown,
        "accept\n  1 kWh of electricity\nbalance: electricity 1 kWh, switch closed\n"
    );
    let shown = ends(0, &format!("meter enter {file} {TOKEN} --json"), b"");
    assert_eq!(shown, "{\"result\":\"used_error\",\"code\":10}\n");
    let shown = ends(0, &format!("meter consume {file} --watts 500 --seconds 3600"), b"");
    assert_eq!(shown, "balance: electricity 0.5 kWh, switch closed\n");
    let shown = ends(0, &format!("--json meter consume {file} --watts 500 --seconds 360"), b"");
    assert_eq!(shown, "{\"credit\":\"0.45\",\"switch\":\"closed\"}\n");
    ends(0, &format!("meter tamper {file}"), b"");
    let shown = ends(0, &format!("meter show {file}"), b"");
    assert!(
        shown.contains("switch_reason          tamper") && shown.contains("0 (49 times), 5944921")
    );
    assert!(!shown.contains("abab"), "no key is shown");
    let shown = ends(3, &format!("meter show {file}.not --json"), b"");
    assert!(shown.starts_with("{\"error\":{\"code\":\"value_range\""), "{shown}");
}

#[test]
fn a_refused_token_says_why_in_words_and_by_a_name() {
    let file = folder("meter_words").join("m.meter");
    let file = file.display();
    ends(0, &format!("meter new --file {file} {NEW}"), b"");
    // The first section of a published key change for another meter of the group.
    let other_meter = "36495265416911568628";
    for (digits, result, words) in [
        ("6647564831675682178", "format_error", "not a token"),
        ("664756483167568217850", "format_error", "not a token"),
        ("6647564831675682178x", "format_error", "not a token"),
        ("73786976294838206464", "format_error", "not a token"),
        (other_meter, "crc_error", "another meter's token"),
        ("00000000000402653184", "function_error", "no such function"),
    ] {
        let shown = ends(0, &format!("meter enter {file} {digits}"), b"");
        assert!(shown.starts_with(&format!("{result}\n  ")), "{digits}: {shown}");
        assert!(shown.contains(words), "{digits}: {shown}");
        assert!(shown.ends_with("balance: electricity 0, switch open (no_credit)\n"), "{shown}");
    }
}

#[test]
fn a_script_answers_lines_and_keeps_meters_in_a_directory() {
    let folder = folder("meter_script");
    let new = r#"{"id":1,"op":"new","meter":"m","pan":"600727000000000009","ea":"07","key":{"vending_key":"abababababababab","dkga":"02","sgc":"123456","krn":1,"kt":2,"ti":"01"}}"#;
    let enter = format!(r#"{{"id":"b","op":"enter","meter":"m","digits":"{TOKEN}"}}"#);
    let command = format!("meter script --dir {}", folder.display());
    assert_eq!(ends(0, &command, new.as_bytes()), "{\"id\":1,\"ok\":true}\n");
    let file = folder.join("lines.jsonl");
    fs::write(&file, format!("{enter}\n{enter}\n{{}}\n")).unwrap();
    let answers = ends(3, &format!("{command} {}", file.display()), b"");
    let answers: Vec<&str> = answers.lines().collect();
    assert_eq!(
        answers[0],
        r#"{"id":"b","result":"accept","code":1,"type":"credit","service":"electricity","amount":"1"}"#
    );
    assert_eq!(answers[1], r#"{"id":"b","result":"used_error","code":10}"#);
    assert!(answers[2].contains("missing_field"), "{answers:?}");
    assert_eq!(ends(2, "meter script no-such-file", b""), "");
    let forgotten = ends(3, "meter script", enter.as_bytes());
    assert!(forgotten.contains("value_range"), "{forgotten}");
}
