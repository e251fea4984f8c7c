//! What a person reads who made a mistake at `prepay lab`, `meter new` and `module issue`: what was expected, what was
//! found, what to do, in the words of the command line.

mod common;

use common::{ends, prepay, succeed, text};

const PAN: &str = "600727000000000009";
const SHORT_KEY: &str = "abababababababab";

/// A vending key on the command line.
fn keyed() -> String {
    format!("--pan {PAN} --vending-key {SHORT_KEY} --sgc 123456")
}

/// What a refused command says.
fn refusal(arguments: &str) -> String {
    let output = prepay(arguments);
    assert_eq!(output.status.code(), Some(3), "{arguments}: {}", text(&output.stdout));
    text(&output.stderr)
}

#[test]
fn a_random_number_is_refused_for_a_token_that_has_none() {
    let money = format!("lab issue currency-credit --amount 1 --tid 5 {}", keyed());
    succeed(&money);
    let told = refusal(&format!("{money} --rnd 5"));
    let expected =
        "unknown_field: --rnd: a token of type TransferCredit, currency carries no random number";
    assert!(told.starts_with(expected), "{told}");
    let told = refusal("lab issue test --test 1 --rnd 0");
    assert!(told.starts_with("unknown_field: --rnd: "), "{told}");
    let line = br#"{"op":"issue","rnd":0,"token":{"type":"test","control":"1","mfr_code":"00"}}"#;
    let answer = ends(3, "lab batch", line);
    assert!(answer.contains(r#""code":"unknown_field","message":"rnd: "#), "{answer}");
}

#[test]
fn a_key_of_fifteen_digits_is_a_key_of_the_wrong_length() {
    let fifteen = &SHORT_KEY[1..];
    for command in [
        format!("lab derive --pan {PAN} --vending-key {fifteen} --sgc 123456"),
        format!(
            "lab explain 23716100501183194197 --pan {PAN} --vending-key {fifteen} --sgc 123456"
        ),
    ] {
        let told = refusal(&command);
        let expected =
            "key_length: --vending-key: expected 16, 32 or 40 hexadecimal digits, found 15";
        assert!(told.starts_with(expected), "{command}: {told}");
        assert!(!told.contains(fifteen), "{told}");
    }
}

#[test]
fn the_largest_amount_is_told() {
    for (kind, largest) in
        [("credit", "1820162.4"), ("currency-credit", "1820344444444444444444444444444.42624")]
    {
        let issue =
            |amount: &str| format!("lab issue {kind} --amount {amount} --tid 5 {}", keyed());
        succeed(&issue(largest));
        let told = refusal(&issue(&format!("1{largest}")));
        let expected = format!("amount_too_large: --amount: expected at most {largest}, found ");
        assert!(told.starts_with(&expected), "{told}");
    }
}

#[test]
fn a_time_after_the_end_of_a_base_date_is_told_the_next_one() {
    let issue = format!("lab issue credit --amount 1 {}", keyed());
    let told = refusal(&format!("{issue} --at 2026-03-01T13:55Z"));
    let expected = "tid_range: --at: expected at most 2024-11-24T20:15Z with base date 1993, found \
                    2026-03-01T13:55Z; base date 2014 covers that time";
    assert!(told.starts_with(expected), "{told}");
    let told = refusal(&format!("{issue} --at 2004-03-01T13:55Z --base-date 2014"));
    let expected = "issue_time_before_base_date: --at: expected not before 2014-01-01T00:00Z with base \
                    date 2014, found 2004-03-01T13:55Z; base date 1993 covers that time";
    assert!(told.starts_with(expected), "{told}");
}

#[test]
fn flags_are_named_on_the_command_line_and_fields_in_json() {
    let file = common::folder("flags-named").join("m.meter");
    let new = format!("meter new --file {}", file.display());
    for (command, expected) in [
        (format!("{new} --pan 1"), "pan_format: --pan: "),
        (format!("{new} --pan {PAN} --vending-key {SHORT_KEY}"), "missing_field: --sgc is missing"),
        (format!("{new} {} --tids 5", keyed()), "value_range: --tids: "),
        (format!("{new} --pan {PAN}"), "missing_field: --decoder-key or --vending-key is missing"),
        (format!("lab derive --pan {PAN}"), "missing_field: --vending-key is missing"),
        (
            format!("lab issue credit --amount 1 {}", keyed()),
            "missing_field: --at or --tid is missing",
        ),
        (
            "lab issue credit --amount 1 --at 2004-03-01T13:55Z --decoder-key 0abc12def3456789"
                .to_owned(),
            "base_date_unknown: --at: the key has no --base-date to count from",
        ),
    ] {
        let told = refusal(&command);
        assert!(told.starts_with(expected), "{command}: {told}");
    }
    let answer = ends(3, "lab batch", br#"{"op":"derive","pan":"600727000000000009","ea":"07","key":{"vending_key":"abababababababab","dkga":"02"}}"#);
    assert!(
        answer.contains("key.sgc is missing") || answer.contains("key.kt is missing"),
        "{answer}"
    );
}

#[test]
fn derive_offers_no_decoder_key_to_derive_from() {
    let help = succeed("lab derive --help");
    assert!(help.contains("--vending-key") && !help.contains("--decoder-key"), "{help}");
    assert!(!help.contains("--ken"), "a key does not depend on its expiry: {help}");
}

#[test]
fn a_key_change_to_the_same_key_is_remarked() {
    let change =
        format!("lab key-change --pan {PAN} --from vending_key={SHORT_KEY},sgc=123456 --to");
    let same = prepay(&format!("{change} ken=100"));
    assert_eq!(same.status.code(), Some(0));
    assert!(
        text(&same.stderr).contains("the new key is the current one"),
        "{}",
        text(&same.stderr)
    );
    let other = prepay(&format!("{change} krn=2"));
    assert_eq!(text(&other.stderr), "");
}

#[test]
fn a_code_in_capitals_finds_what_was_meant() {
    let told = refusal("explain-code CRC");
    assert!(told.contains("perhaps crc "), "{told}");
}

#[test]
fn advice_fits_the_refusal_that_it_follows() {
    for (command, next) in [
        (
            format!("lab issue credit --amount 1 --tid 5 --kt 1 {}", keyed()),
            "give credit under a key of type 2 or 3",
        ),
        (
            format!(
                "lab key-change --pan {PAN} --from vending_key={SHORT_KEY},sgc=123456 --to kt=3"
            ),
            "one of type 2 by 1 or 2",
        ),
        (format!("lab derive --ea 11 {}", keyed()), "EA11 with DKGA04 only"),
        (format!("lab issue credit --amount 1.55 --tid 5 {}", keyed()), "--round-up"),
    ] {
        let told = refusal(&command);
        assert!(told.contains(next), "{command}: {told}");
    }
    let told = refusal(&format!("lab issue credit --amount 1.55 --tid 5 {}", keyed()));
    let expected =
        "amount_too_fine: --amount: expected at most 1 digit after the point, found \"1.55\"";
    assert!(told.starts_with(expected), "{told}");
}
