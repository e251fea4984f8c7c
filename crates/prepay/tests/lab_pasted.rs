//! Meter numbers and tokens as people have them: blanks, dashes, labels, several in one text, digits lost or mistyped.

mod common;

use std::ffi::OsStr;
use std::process::{Command, Output};

use common::{ends, folder, prepay, succeed, text};

const KEYED: &str = "--vending-key abababababababab --sgc 123456";

/// Runs the program with arguments that hold blanks.
fn words<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(words: I) -> Output {
    Command::new(env!("CARGO_BIN_EXE_prepay")).args(words).output().expect("the program runs")
}

#[test]
fn a_pasted_token_is_read_with_its_label_blanks_and_dashes() {
    let key =
        ["--pan", "600727000000000009", "--vending-key", "abababababababab", "--sgc", "123456"];
    for token in [
        "Token: 2371 6100 5011 8319 4197",
        "2371\u{A0}6100\u{2013}5011\t8319\r\n4197\n",
        "Token 1 of 1:\n2371-6100-5011-8319-4197",
    ] {
        let output = words(["lab", "open", token].into_iter().chain(key));
        assert_eq!(output.status.code(), Some(0), "{token:?}: {}", text(&output.stderr));
        assert!(text(&output.stdout).contains("amount   0.1"), "{token:?}");
        let output = words(["lab", "explain", token].into_iter().chain(key));
        assert_eq!(output.status.code(), Some(0), "{token:?}: {}", text(&output.stderr));
    }
}

#[test]
fn several_tokens_in_one_text_are_taken_in_turn() {
    let file = folder("pasted").join("m.meter");
    let file = file.display().to_string();
    succeed(&format!("meter new --file {file} --pan 00000000000 {KEYED}"));
    let set = "Token 1/2: 3923 7313 5113 0911 5070\nToken 2/2: 2669 4082 5584 5030 4826\n";
    let opened = words([
        "lab",
        "open",
        set,
        "--pan",
        "00000000000",
        "--vending-key",
        "abababababababab",
        "--sgc",
        "123456",
    ]);
    let shown = text(&opened.stdout);
    assert!(shown.contains("set_1st_section") && shown.contains("set_2nd_section"), "{shown}");
    let entered = words(["meter", "enter", &file, set]);
    assert_eq!(entered.status.code(), Some(0));
    let shown = text(&entered.stdout);
    assert_eq!(shown.matches("accept").count(), 1, "the second section completes the set: {shown}");
    assert!(ends(0, &format!("meter show {file}"), b"").contains("krn"), "the new key");
}

#[test]
fn the_character_that_does_not_fit_is_named_and_counted_from_1() {
    for (digits, expected) in [
        (
            "2371 61O0 5011 8319 4197",
            "number_format: the token: token number: expected digits, found 'O' at position 8",
        ),
        ("371 6100 5011 8319 4197", "found 19; a zero in front may be lost"),
    ] {
        for command in ["open", "explain"] {
            let output = prepay(&format!("lab {command} {digits}"));
            assert_eq!(output.status.code(), Some(3), "{digits}");
            assert!(text(&output.stderr).contains(expected), "{}", text(&output.stderr));
        }
    }
    let file = folder("pasted-wrong").join("m.meter");
    let file = file.display().to_string();
    succeed(&format!("meter new --file {file} --pan 00000000000 {KEYED}"));
    let output = prepay(&format!("meter enter {file} 6647 5648 31G7 5682 1785"));
    assert!(text(&output.stderr).contains("found 'G' at position 13"), "{}", text(&output.stderr));
    assert!(text(&output.stdout).starts_with("format_error"), "{}", text(&output.stdout));
}

#[test]
fn a_meter_is_named_by_11_13_or_18_digits() {
    let derive = |pan: &str| {
        text(
            &words([
                "lab",
                "derive",
                "--pan",
                pan,
                "--vending-key",
                "abababababababab",
                "--sgc",
                "123456",
            ])
            .stdout,
        )
    };
    assert_eq!(derive("600727000000000009"), "e653341f9d5bf36f\n");
    assert_eq!(derive("00000000000"), "e653341f9d5bf36f\n");
    assert_eq!(derive("6007 2700 0000 0000 09"), "e653341f9d5bf36f\n");
    assert_eq!(derive("0100000000008"), derive("000001000000000082"));
    let line = br#"{"op":"derive","pan":"000 0000 0000","ea":"07","key":{"vending_key":"abababababababab","dkga":"02","sgc":"123456","krn":1,"kt":2,"ti":"01"}}"#;
    assert!(ends(0, "lab batch", line).contains("e653341f9d5bf36f"));
}

#[test]
fn check_digits_are_explained_and_the_right_number_is_proposed() {
    let shown = succeed("lab pan 6007 2700 0000 0000 09");
    assert!(shown.starts_with("meter 600727000000000009\n"), "{shown}");
    assert!(shown.contains("check digits  both right"), "{shown}");
    let shown = succeed("lab pan 11111111115 0100000000008");
    assert!(shown.contains("meter 600727111111111153\n"), "{shown}");
    assert!(shown.contains("meter 000001000000000082\n"), "{shown}");
    let shown = ends(3, "lab pan 600727000000000008,11111111113", b"");
    for part in [
        "pan_check_digit  meter PAN: wrong check digit: expected 9, found 8",
        "perhaps  600727000000000009  if digit 18 is wrong",
        "drn_check_digit  decoder reference number: wrong check digit: expected 5, found 3",
        "perhaps  600727111111111153  if the last digit is wrong",
    ] {
        assert!(shown.contains(part), "{part:?} is missing in\n{shown}");
    }
    let json: serde_json::Value =
        serde_json::from_str(&ends(3, "--json lab pan 11111111113", b"")).expect("JSON");
    assert_eq!(json["error"]["code"], "drn_check_digit");
    assert!(json["error"]["next"].is_string(), "{json}");
    assert_eq!(json["proposals"][0]["pan"], "600727111111111153");
}
