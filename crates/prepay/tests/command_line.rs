//! Command lines that cannot be read, and answers that cannot be written.

mod common;

use std::fs::{self, File};
use std::process::{Command, Stdio};

use common::{ends, folder, prepay, text};
use serde_json::Value;

#[test]
fn a_command_line_that_cannot_be_read_has_its_code_in_text_and_in_json() {
    // (command line, a part of what is said)
    for (line, part) in [
        ("meter enter m.meter 1 --nope", "unexpected argument '--nope' found"),
        ("meter consume m.meter --watts x --seconds 1", "invalid value 'x' for '--watts <WATTS>'"),
        ("meter consume m.meter", "the following required arguments were not provided"),
        ("meter entr", "unrecognized subcommand 'entr'"),
        ("meter fleet --meters 0", "0 is not in 1..=100000000"),
        ("meter", "a command is missing"),
        ("", "a command is missing"),
    ] {
        let output = prepay(line);
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{line}");
        let first = told.lines().find(|told| told.starts_with("flag: ")).unwrap_or_default();
        assert!(first.contains(part), "{line}: {told}");
        assert!(!told.contains("error:"), "{line}: {told}");
        assert_eq!(text(&output.stdout), "", "{line}");

        let answer: Value = serde_json::from_str(&ends(2, &format!("--json {line}"), b"")).unwrap();
        assert_eq!(answer["error"]["code"], "flag", "{line}");
        assert!(answer["error"]["message"].as_str().unwrap().contains(part), "{line}: {answer}");
        assert!(answer["error"]["next"].is_string(), "{line}: {answer}");
    }
    // What stands behind -- is no flag.
    let output = prepay("meter enter -- --json");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
}

#[test]
#[cfg(target_os = "linux")]
fn a_failure_in_json_is_json_on_standard_error_when_standard_output_is_full() {
    for (line, code, status) in
        [("--json explain-code", "io", 1), ("--json meter show no-such-file", "file", 2)]
    {
        let output = Command::new(env!("CARGO_BIN_EXE_prepay"))
            .args(line.split(' '))
            .stdout(Stdio::from(File::create("/dev/full").unwrap()))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(status), "{line}");
        let answer: Value = serde_json::from_slice(&output.stderr).unwrap();
        assert_eq!(answer["error"]["code"], code, "{line}: {answer}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn what_nobody_can_read_on_standard_error_ends_no_command() {
    for (line, status) in
        [("explain-code no-such-code", 3), ("meter show no-such-file", 2), ("lab derive --pan", 2)]
    {
        let output = Command::new(env!("CARGO_BIN_EXE_prepay"))
            .args(line.split(' '))
            .stderr(Stdio::from(File::create("/dev/full").unwrap()))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(status), "{line}");
    }
}

#[test]
fn help_is_a_command_too() {
    let by_flag = |line: &str| ends(0, &format!("{line} --help"), b"");
    assert_eq!(ends(0, "help", b""), by_flag(""));
    assert_eq!(ends(0, "help meter enter", b""), by_flag("meter enter"));
    assert_eq!(ends(0, "meter help enter", b""), by_flag("meter enter"));
    let output = prepay("help nothing");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).starts_with("flag: unrecognized subcommand 'nothing'"));
}

#[test]
fn the_synopsis_of_a_man_page_has_the_values_of_flags() {
    let folder = folder("man_values");
    ends(0, &format!("man {}", folder.display()), b"");
    let synopsis = |page: &str| {
        let page = fs::read_to_string(folder.join(page)).expect(page);
        let line = page.lines().skip_while(|line| *line != ".SH SYNOPSIS").nth(1).unwrap();
        line.replace("\\-", "-").replace("\\fB", "").replace("\\fI", "").replace("\\fR", "")
    };
    let new = synopsis("prepay-meter-new.1");
    for part in ["--file FILE", "[--services LIST]", "[--currency]", "[--vending-key HEX|@FILE]"] {
        assert!(new.contains(part), "{part:?} is missing in {new}");
    }
    let consume = synopsis("prepay-meter-consume.1");
    let expected =
        "prepay meter consume --watts WATTS --seconds SECONDS [--json] [-h|--help] <FILE>";
    let sorted = |text: &str| {
        let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        words.sort();
        words
    };
    assert_eq!(sorted(&consume), sorted(expected), "{consume}");
    // No page has a flag with a value that its synopsis does not show, and none is about help.
    for entry in fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(!name.contains("-help"), "{name}");
        let page = fs::read_to_string(folder.join(&name)).unwrap();
        let synopsis = synopsis(&name);
        for line in page.lines().filter(|line| line.starts_with("\\fB\\-\\-")) {
            let line = line.replace("\\-", "-").replace("\\fB", "").replace("\\fR", "");
            let Some((flag, value)) = line.split_once(" \\fI<") else { continue };
            let value = value.split('>').next().unwrap();
            assert!(synopsis.contains(&format!("{flag} {value}")), "{name}: {flag} in {synopsis}");
        }
    }
}
