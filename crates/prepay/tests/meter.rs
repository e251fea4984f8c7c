//! `prepay meter` as a user runs it.

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::thread;

use common::{ends, folder, prepay};
use serde_json::{Value, json};

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
    let shown = ends(0, &format!("meter enter {file} {TOKEN}"), b"");
    assert_eq!(
        shown,
        "accept\n  1 kWh of electricity\nbalance: electricity 1 kWh, switch closed\n"
    );
    let shown = ends(3, &format!("meter enter {file} {TOKEN} --json"), b"");
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
        let shown = ends(3, &format!("meter enter {file} {digits}"), b"");
        assert!(shown.starts_with(&format!("{result}\n  ")), "{digits}: {shown}");
        assert!(shown.contains(words), "{digits}: {shown}");
        assert!(shown.ends_with("balance: electricity 0, switch open (no_credit)\n"), "{shown}");
    }
}

#[test]
fn digits_that_are_no_token_say_nothing_but_json_with_json() {
    let file = folder("meter_json_only").join("m.meter");
    let file = file.display();
    ends(0, &format!("meter new --file {file} {NEW}"), b"");
    let output = prepay(&format!("--json meter enter {file} 2371 6100 5011 8319"));
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.stdout.starts_with(b"{\"result\":\"format_error\""));
}

#[test]
#[cfg(target_os = "linux")]
fn an_answer_that_a_full_disk_lost_says_what_the_meter_did() {
    let file = folder("meter_full").join("m.meter");
    ends(0, &format!("meter new --file {} {NEW}", file.display()), b"");
    let output = Command::new(env!("CARGO_BIN_EXE_prepay"))
        .args(["meter", "enter"])
        .arg(&file)
        .arg(TOKEN)
        .stdout(fs::OpenOptions::new().write(true).open("/dev/full").unwrap())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        told.starts_with("io: the meter answered accept, but standard output did not take the answer: No space left"),
        "{told}"
    );
    assert!(told.contains("prepay meter show"), "{told}");
}

/// Tokens of one kilowatt-hour each.
fn tokens(count: u32) -> Vec<String> {
    let requests = (0..count).map(|number| {
        let tid = 6_000_000 + number;
        let token = json!({"type": "credit", "service": "electricity", "amount": "1"});
        let key = json!({"vending_key": "abababababababab", "dkga": "02", "sgc": "123456", "krn": 1,
            "kt": 2, "ti": "01"});
        let request = json!({"op": "issue", "pan": "600727000000000009", "ea": "07", "key": key,
            "tid": tid, "token": token});
        format!("{request}\n")
    });
    let answers = ends(0, "lab batch", requests.collect::<String>().as_bytes());
    let number = |line| {
        let answer: Value = serde_json::from_str(line).unwrap();
        answer["number"].as_str().unwrap().to_owned()
    };
    answers.lines().map(number).collect()
}

#[test]
fn tokens_entered_by_two_programs_at_once_are_credited_all_and_once() {
    let file = folder("meter_two_programs").join("m.meter");
    let file = file.display().to_string();
    ends(0, &format!("meter new --file {file} {NEW}"), b"");
    // The meter remembers fifty, so a second copy is refused as used and never as old.
    let tokens = tokens(40);
    let enter = |token: &String| {
        let output = prepay(&format!("meter enter {file} {token} --json"));
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        let is_accepted = answer["result"] == "accept";
        assert!(is_accepted || answer["result"] == "used_error", "{answer}");
        assert_eq!(output.status.code(), Some(if is_accepted { 0 } else { 3 }));
        u32::from(is_accepted)
    };
    let (one, other) = thread::scope(|scope| {
        let one = scope.spawn(|| tokens.iter().map(enter).sum::<u32>());
        let other = scope.spawn(|| tokens.iter().rev().map(enter).sum::<u32>());
        (one.join().unwrap(), other.join().unwrap())
    });
    assert_eq!(one + other, 40, "{one} and {other}");
    let shown = ends(0, &format!("meter show {file}"), b"");
    assert!(shown.contains("credit                 electricity 40\n"), "{shown}");
}

#[test]
fn a_meter_in_use_by_a_script_is_refused_but_for_show() {
    let folder = folder("meter_in_use");
    let file = folder.join("m.meter");
    let file = file.display();
    ends(0, &format!("meter new --file {file} {NEW}"), b"");
    let mut script = Command::new(env!("CARGO_BIN_EXE_prepay"))
        .args(["meter", "script", "--dir"])
        .arg(&folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = script.stdin.take().unwrap();
    lines.write_all(b"{\"op\":\"tamper\",\"meter\":\"m\"}\n").unwrap();
    let mut answer = String::new();
    BufReader::new(script.stdout.take().unwrap()).read_line(&mut answer).unwrap();
    assert_eq!(answer, "{\"id\":null,\"ok\":true}\n");
    thread::scope(|scope| {
        for command in [
            format!("--json meter enter {file} {TOKEN}"),
            format!("--json meter consume {file} --watts 1 --seconds 1"),
            format!("--json meter tamper {file}"),
            format!("--json meter script --dir {}", folder.display()),
        ] {
            scope.spawn(move || {
                let shown = ends(2, &command, b"");
                assert!(shown.contains("\"code\":\"in_use\""), "{command}: {shown}");
            });
        }
    });
    let shown = ends(0, &format!("meter show {file}"), b"");
    assert!(shown.contains("tamper                 true"), "{shown}");
    drop(lines);
    assert!(script.wait().unwrap().success());
    ends(0, &format!("meter enter {file} {TOKEN}"), b"");
}

#[test]
fn a_lockout_lasts_from_command_to_command_and_ends() {
    let file = folder("meter_lockout").join("m.meter");
    let file = file.display();
    let new = format!("meter new --file {file} {NEW} --policy {{\"lockout\":true}}");
    ends(0, &new, b"");
    let wrong = TOKEN.replace("1785", "1784");
    for _ in 0..3 {
        assert!(ends(3, &format!("meter enter {file} {wrong}"), b"").starts_with("crc_error"));
    }
    let enter = format!("meter enter {file} {TOKEN}");
    let shown = ends(3, &enter, b"");
    assert!(shown.starts_with("lockout\n") && shown.contains("meter consume"), "{shown}");
    ends(0, &format!("meter consume {file} --watts 0 --seconds 9"), b"");
    assert!(ends(0, &format!("meter show {file}"), b"").contains("lockout_seconds        1\n"));
    ends(3, &enter, b"");
    ends(0, &format!("meter consume {file} --watts 0 --seconds 1"), b"");
    ends(0, &enter, b"");
}

#[test]
fn a_file_that_is_missing_there_already_or_none_of_a_meter_is_named_by_code_and_status() {
    let folder = folder("meter_files");
    let (there, text) = (folder.join("m.meter"), folder.join("text"));
    ends(0, &format!("meter new --file {} {NEW}", there.display()), b"");
    fs::write(&text, "no meter").unwrap();
    let (missing, nowhere) = (folder.join("missing"), folder.join("no/where"));
    let [there, text, missing, nowhere] =
        [&there, &text, &missing, &nowhere].map(|path| path.display().to_string());
    let before = fs::read(&there).unwrap();
    for (command, status, code) in [
        (format!("meter show {missing}"), 2, "file"),
        (format!("meter enter {missing} {TOKEN}"), 2, "file"),
        (format!("meter consume {missing} --watts 1 --seconds 1"), 2, "file"),
        (format!("meter tamper {missing}"), 2, "file"),
        (format!("meter new --file {there} {NEW}"), 2, "file_exists"),
        (format!("meter new --file {nowhere} {NEW}"), 2, "file"),
        (format!("meter show {}", folder.display()), 2, "file"),
        (format!("meter show {text}"), 3, "storage"),
        (format!("meter enter {text} {TOKEN}"), 3, "storage"),
    ] {
        let answer: Value =
            serde_json::from_str(&ends(status, &format!("--json {command}"), b"")).unwrap();
        assert_eq!(answer["error"]["code"], code, "{command}: {answer}");
        let output = prepay(&command);
        assert_eq!(output.status.code(), Some(status), "{command}");
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.starts_with(&format!("{code}: {}", folder.display())), "{command}: {told}");
    }
    assert_eq!(fs::read(&there).unwrap(), before);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2, "nothing is left behind");
}

#[test]
fn what_is_wrong_with_a_new_meter_is_said_of_its_flag() {
    let file = folder("meter_flags").join("m.meter");
    let new = format!("meter new --file {}", file.display());
    for (flags, said) in [
        (format!("{NEW} --phases 2"), "value_range: --phases: expected 1 or 3, found 2"),
        (format!("{NEW} --tids 3"), "value_range: --tids: expected a whole number from 50"),
        (format!("{NEW} --services coal"), "value_range: --services: expected a list of"),
        (format!("{NEW} --kct 4"), "kct_count: --kct: sets of 4 do not suit"),
        (format!("{NEW} --tct 2"), "value_range: --tct: expected"),
        (format!("{NEW} --manufactured-at 2004"), "value_range: --manufactured-at: expected a UTC"),
        (
            format!("{NEW} --policy {{\"trip\":{{\"resets\":-1}}}}"),
            "value_range: --policy: trip.resets: ",
        ),
        (format!("{NEW} --policy {{\"lock\":1}}"), "unknown_field: --policy: "),
        ("--pan 600727000000000008".to_owned(), "pan_check_digit: --pan: "),
    ] {
        let output = prepay(&format!("{new} {flags}"));
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{flags}: {told}");
        assert!(told.starts_with(said), "{flags}: {told}");
    }
    assert!(!file.exists());
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
