//! Meters driven by lines: every result, the order of refusals, power cuts, restarts, lines that fail.

mod meter_common;

use std::collections::BTreeSet;

use meter_common::{Bench, PAN, credit, key, key_with, merge};
use prepay_lab::meter::Meters;
use serde_json::{Value, json};

#[test]
fn every_result_is_reached() {
    let mut seen = BTreeSet::new();
    // Each case on a meter of its own; the last token's result is the expected one.
    let mut check = |bench: &mut Bench, digits: &str, name: &str, code: u8| {
        let answer = bench.done(json!({"op": "enter", "digits": digits}));
        assert_eq!((&answer["result"], &answer["code"]), (&json!(name), &json!(code)), "{answer}");
        seen.insert(code);
        answer
    };

    let mut bench = Bench::in_memory();
    bench.make(key(), json!({"policy": {"unit_capacity": "30", "lockout": {"free_tries": 2}}}));
    let token = bench.issue(&key(), 1000, credit("25.6"));
    let answer = check(&mut bench, &token, "accept", 1);
    assert_eq!((&answer["service"], &answer["amount"]), (&json!("electricity"), &json!("25.6")));
    check(&mut bench, &token, "used_error", 10);
    let token = bench.issue(&key(), 1001, credit("4.5"));
    check(&mut bench, &token, "overflow_error", 4);
    check(&mut bench, "1234 5678", "format_error", 6);
    let water = json!({"type": "credit", "service": "water", "amount": "1"});
    let token = bench.issue(&key(), 1002, water);
    check(&mut bench, &token, "function_error", 8);
    let token = bench.test("99", "1");
    check(&mut bench, &token, "mfr_code_error", 14);
    let foreign = bench.issue(&key_with(json!({"ti": "02"})), 1003, credit("1"));
    check(&mut bench, &foreign, "crc_error", 13);
    check(&mut bench, &foreign, "crc_error", 13);
    let token = bench.issue(&key(), 1004, credit("1"));
    check(&mut bench, &token, "lockout", 15);

    let mut bench = Bench::in_memory();
    let expiring = key_with(json!({"ken": 0}));
    bench.make(
        expiring,
        json!({"manufactured_tid": 1000, "policy": {"absent_register": "range_error"}}),
    );
    let token = bench.issue(&key(), 999, credit("1"));
    check(&mut bench, &token, "old_error", 9);
    let token = bench.issue(&key(), 70_000, credit("1"));
    check(&mut bench, &token, "key_expired_error", 11);
    let token = bench.issue(&key(), 1001, json!({"type": "clear_credit", "register": 1}));
    check(&mut bench, &token, "range_error", 7);

    let mut bench = Bench::in_memory();
    let default = key_with(json!({"kt": 1}));
    bench.make(default.clone(), json!({}));
    let derived = bench.lab(&json!({"op": "derive", "pan": PAN, "ea": "07", "key": default}));
    let raw = json!({"decoder_key": derived["decoder_key"]});
    let token = bench.issue(&raw, 1000, credit("1"));
    check(&mut bench, &token, "ddtk_error", 12);
    let common = key_with(json!({"kt": 3}));
    let sections = bench.key_change("07", &default, &common, 2);
    check(&mut bench, &sections[1], "second_kct", 3);
    check(&mut bench, &sections[0], "key_type_error", 5);
    assert_eq!(bench.state()["kct_pending"], json!([]), "a refusal drops every part held");

    let mut bench = Bench::in_memory();
    let old = json!({"vending_key": "abababababababab949494949494949401234567", "dkga": "04",
        "sgc": "123456", "krn": 1, "kt": 2, "ti": "01"});
    let mut new = old.clone();
    new["krn"] = json!(2);
    bench.make(old.clone(), json!({"ea": "11"}));
    let sections = bench.key_change("11", &old, &new, 4);
    let answer = check(&mut bench, &sections[3], "fourth_kct", 18);
    assert_eq!(answer["waiting_for"], json!([1, 2, 3]));
    check(&mut bench, &sections[2], "third_kct", 17);
    check(&mut bench, &sections[0], "first_kct", 2);
    assert_eq!(bench.state()["kct_pending"], json!([1, 3, 4]));
    let answer = check(&mut bench, &sections[1], "accept", 1);
    assert_eq!((answer.get("waiting_for"), &answer["rollover"]), (None, &json!(false)));
    assert_eq!(bench.state()["krn"], 2);

    let mut bench = Bench::in_memory();
    bench.make(key(), json!({}));
    let sections = bench.key_change("07", &key(), &key_with(json!({"krn": 2})), 2);
    check(&mut bench, &sections[1], "second_kct", 3);

    let left = bench.done(json!({"op": "enter", "digits": sections[0], "wait": false}));
    assert_eq!((&left["result"], &left["code"]), (&json!("not_ready"), &json!(16)), "{left}");
    seen.insert(16);
    assert_eq!(seen, (1..=18).collect());
}

#[test]
fn a_token_entered_without_waiting_is_finished_by_result_in_memory_and_in_a_file() {
    let folder = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("meter_wait");
    let _ = std::fs::remove_dir_all(&folder);
    let open = || Bench::new(Meters::in_directory(&folder).unwrap());
    let mut in_memory = Bench::in_memory();
    in_memory.make(key(), json!({}));
    open().make(key(), json!({}));
    let [one, two] = [1, 2].map(|tid| in_memory.issue(&key(), tid, credit("25.6")));
    let enter = |digits: &str, wait: bool| json!({"op": "enter", "digits": digits, "wait": wait});
    let result = json!({"op": "result"});
    let mut seen = Vec::new();
    for request in [
        result.clone(),
        enter(&one, false),
        enter(&two, true),
        enter(&two, false),
        json!({"op": "state"}),
        result.clone(),
        result.clone(),
        enter(&one, true),
        enter("123", false),
        result.clone(),
        json!({"op": "enter_binary", "octets": "000000000000000000", "wait": false}),
        json!({"op": "restart"}),
        result,
        enter(&two, true),
    ] {
        let answer = open().ask(request.clone());
        assert_eq!(answer, in_memory.ask(request), "{seen:?}");
        let said = answer.get("result").or(answer.pointer("/error/code"));
        let said = said.or(answer.pointer("/credit/electricity")).or(answer.get("ok"));
        seen.push(said.expect("a result, an error, credit or ok").to_string());
    }
    let expected = [
        "\"value_range\"",
        "\"not_ready\"",
        "\"not_ready\"",
        "\"not_ready\"",
        "\"0\"",
        "\"accept\"",
        "\"value_range\"",
        "\"used_error\"",
        "\"not_ready\"",
        "\"format_error\"",
        "\"not_ready\"",
        "true",
        "\"value_range\"",
        "\"accept\"",
    ];
    assert_eq!(seen, expected);
}

#[test]
fn of_several_refusals_the_first_in_the_order_is_told() {
    let mut bench = Bench::in_memory();
    let expiring = key_with(json!({"ken": 0}));
    let policy = json!({"unit_capacity": "1", "absent_register": "range_error",
        "lockout": {"free_tries": 1, "base_s": 100}});
    bench.make(expiring, json!({"manufactured_tid": 70_000, "policy": policy}));
    let water = json!({"type": "credit", "service": "water", "amount": "9"});
    let clear = json!({"type": "clear_credit", "register": 1});
    // (token, result): each has everything wrong from its result on, as far as that goes.
    let cases = [
        (bench.issue(&key(), 1, water), "function_error"),
        (bench.issue(&key(), 1, credit("9")), "old_error"),
        (bench.issue(&key(), 70_000, credit("9")), "used_error"),
        (bench.issue(&key(), 70_001, credit("9")), "key_expired_error"),
        (bench.issue(&key(), 70_001, clear), "key_expired_error"),
        (bench.test("99", "fffffffff"), "mfr_code_error"),
    ];
    for (token, result) in &cases {
        assert_eq!(bench.enter(token), *result, "{token}");
    }
    let foreign = bench.issue(&key_with(json!({"ti": "02"})), 1, credit("9"));
    assert_eq!(bench.enter(&foreign), "crc_error");
    // Locked: whatever is for this meter alone is not looked at, but format comes first and tests go on.
    assert_eq!(bench.enter(&cases[0].0), "lockout");
    assert_eq!(bench.enter("7"), "format_error");
    assert_eq!(bench.enter("99999999999999999999"), "format_error");
    assert_eq!(bench.enter(&cases[5].0), "mfr_code_error");
    let reserved = (3_u32 << 27).to_string(); // Where the class stands in a number.
    assert_eq!(bench.enter(&format!("{reserved:0>20}")), "lockout");
    assert_eq!(bench.state()["lockout_seconds"], 100);
    bench.done(json!({"op": "advance", "seconds": 100}));
    assert_eq!(bench.state()["lockout_seconds"], 0);
    assert_eq!(bench.enter(&format!("{reserved:0>20}")), "function_error");
}

#[test]
fn digits_are_free_in_form_and_bytes_are_the_same_token() {
    let mut bench = Bench::in_memory();
    bench.make(key(), json!({}));
    let token = bench.issue(&key(), 5, credit("1"));
    for wrong in ["", &token[1..], &format!("{token}0"), "1234567890123456789a", "２"] {
        assert_eq!(bench.enter(wrong), "format_error", "{wrong}");
    }
    for wrong in ["", "00", "ffffffffffffffffff", "00000000000000000g", "0000000000000000000"] {
        let answer = bench.done(json!({"op": "enter_binary", "octets": wrong}));
        assert_eq!(answer["result"], "format_error", "{wrong}");
    }
    let grouped = format!("{}-{} {}", &token[..4], &token[4..9], &token[9..]);
    assert_eq!(bench.enter(&grouped), "accept");
    let token = bench.issue(&key(), 6, credit("1"));
    let bytes = format!("{:018x}", token.parse::<u128>().unwrap());
    let answer = bench.done(json!({"op": "enter_binary", "octets": bytes, "carrier": "07"}));
    assert_eq!((&answer["result"], &answer["amount"]), (&json!("accept"), &json!("1")));
    assert_eq!(bench.enter(&token), "used_error");
    assert_eq!(bench.state()["credit"], json!({"electricity": "2"}));
}

#[test]
fn wherever_the_power_fails_the_token_was_taken_whole_or_not_at_all() {
    let mut taken = 0;
    let mut lost = 0;
    for after_writes in 0..40 {
        let mut bench = Bench::in_memory();
        bench.make(key(), json!({}));
        let first = bench.issue(&key(), 10, credit("10"));
        let second = bench.issue(&key(), 11, credit("25.6"));
        assert_eq!(bench.enter(&first), "accept");
        let cut = json!({"op": "power_cut", "digits": second, "after_writes": after_writes});
        assert_eq!(bench.done(cut)["ok"], true);
        let state = bench.state();
        let credit = state["credit"]["electricity"].as_str().unwrap();
        let knows = state["tids"].as_array().unwrap().contains(&json!(11));
        match (credit, knows) {
            ("10", false) => lost += 1,
            ("35.6", true) => taken += 1,
            other => panic!("after {after_writes} writes: {other:?}"),
        }
        assert_eq!(bench.enter(&second) == "accept", !knows, "after {after_writes} writes");
        assert_eq!(bench.state()["credit"]["electricity"], "35.6");
        assert_eq!(bench.enter(&first), "used_error");
    }
    assert!(lost > 3 && taken > 3, "{lost} lost, {taken} taken");
}

#[test]
fn a_restart_forgets_nothing_but_sections_and_a_lockout_that_power_resets() {
    let mut bench = Bench::in_memory();
    let more = json!({"services": ["electricity", "water", "gas"], "tids": 60, "manufactured_tid": 7,
        "policy": {"lockout": {"free_tries": 1, "reset_on_power": true}}});
    bench.make(key(), more);
    for (tid, token) in [
        (100, credit("12.3")),
        (101, json!({"type": "credit", "service": "gas", "amount": "4"})),
        (102, json!({"type": "set_maximum_power_limit", "watts": 5000})),
        (103, json!({"type": "set_maximum_phase_power_unbalance_limit", "watts": 300})),
        (104, json!({"type": "set_tariff_rate", "rate": 9})),
        (105, json!({"type": "set_water_meter_factor", "factor": 65_535})),
        (106, json!({"type": "extended", "index": 0, "value": 77})),
    ] {
        let digits = bench.issue(&key(), tid, token);
        assert_eq!(bench.enter(&digits), "accept", "{tid}");
    }
    bench.done(json!({"op": "consume", "watts": 1234, "seconds": 77}));
    bench.done(json!({"op": "tamper"}));
    let before = bench.state();
    bench.done(json!({"op": "restart"}));
    assert_eq!(bench.state(), before);
    assert_eq!(before["tids"].as_array().unwrap().len(), 60);
    assert_eq!(before["controls"], json!({"0": 77}));
    assert_eq!((&before["switch"], &before["switch_reason"]), (&json!("open"), &json!("tamper")));

    let sections = bench.key_change("07", &key(), &key_with(json!({"krn": 2})), 2);
    assert_eq!(bench.enter(&sections[0]), "first_kct");
    bench.enter("00000000000000000001");
    bench.enter(&sections[0].replace('1', "2").replace('3', "4"));
    let held = bench.state();
    assert_eq!(held["kct_pending"], json!([1]));
    assert!(held["lockout_seconds"].as_u64() > Some(0));
    bench.done(json!({"op": "restart"}));
    assert_eq!(bench.state(), before);
}

#[test]
fn sections_are_forgotten_after_their_time() {
    let mut bench = Bench::in_memory();
    bench.make(key(), json!({}));
    let sections = bench.key_change("07", &key(), &key_with(json!({"krn": 2, "sgc": "123457"})), 3);
    assert_eq!(bench.enter(&sections[2]), "third_kct");
    bench.done(json!({"op": "advance", "seconds": 599}));
    assert_eq!(bench.state()["kct_pending"], json!([3]));
    bench.done(json!({"op": "advance", "seconds": 1}));
    assert_eq!(bench.state()["kct_pending"], json!([]));
    for (section, result) in [(1, "second_kct"), (2, "third_kct"), (0, "accept")] {
        assert_eq!(bench.enter(&sections[section]), result);
    }
    assert_eq!(bench.state()["sgc"], "123457");
    let from = key_with(json!({"krn": 2, "sgc": "123457"}));
    let sections = bench.key_change("07", &from, &key(), 2);
    assert_eq!(
        (bench.enter(&sections[0]), bench.enter(&sections[1])),
        ("first_kct".into(), "accept".into())
    );
    assert_eq!(bench.state()["sgc"], Value::Null, "a set of two does not tell the group");
}

#[test]
fn credit_is_used_and_money_is_priced() {
    let mut bench = Bench::in_memory();
    bench.make(key(), json!({}));
    let token = bench.issue(&key(), 1, credit("2.5"));
    bench.enter(&token);
    let answer = bench.done(json!({"op": "consume", "watts": 1000, "seconds": 900}));
    assert_eq!((&answer["credit"], &answer["switch"]), (&json!("2.25"), &json!("closed")));
    let answer = bench.done(json!({"op": "consume", "watts": 10_000, "seconds": 3600}));
    assert_eq!((&answer["credit"], &answer["switch"]), (&json!("0"), &json!("open")));
    assert_eq!(bench.state()["switch_reason"], "no_credit");

    let mut bench = Bench::in_memory();
    bench.make(key(), json!({"currency": true, "policy": {"prices": {"electricity": "2.5"}}}));
    let token = bench.issue(&key(), 1, credit("1"));
    assert_eq!(
        bench.enter(&token),
        "function_error",
        "units are not for a meter that counts money"
    );
    let money = json!({"type": "currency_credit", "service": "electricity", "amount": "10"});
    let token = bench.issue(&key(), 2, money);
    let answer = bench.done(json!({"op": "enter", "digits": token}));
    assert_eq!(answer["type"], "currency_credit");
    let amount = answer["amount"].clone();
    assert_eq!(bench.state()["currency_credit"]["electricity"], amount);
    let answer = bench.done(json!({"op": "consume", "watts": 1000, "seconds": 3600}));
    assert_eq!((&amount, &answer["credit"]), (&json!("10.00024"), &json!("7.50024")));
}

#[test]
fn keys_are_shown_as_they_are_pressed_and_enter_a_token() {
    let mut bench = Bench::in_memory();
    bench.make(key(), json!({}));
    let token = bench.issue(&key(), 1, credit("2.5"));
    let answer =
        bench.done(json!({"op": "key", "press": format!("{}9*{}", &token[..7], &token[7..])}));
    assert_eq!(answer.get("result"), None, "the twentieth digit waits for #");
    assert_eq!(answer["display"].as_array().unwrap().len(), 22);
    let answer = bench.done(json!({"op": "key", "press": "#"}));
    assert_eq!((&answer["result"], &answer["code"]), (&json!("accept"), &json!(1)));
    assert_eq!(bench.state()["credit"]["electricity"], "2.5");
    // An entry left alone for 20 seconds is dropped: what follows is too short for a token.
    let half = format!("{}{}{}#", &token[..10], ".".repeat(20), &token[10..]);
    let answer = bench.done(json!({"op": "key", "press": half}));
    assert_eq!(answer.get("result"), None);
    let answer = bench.ask(json!({"op": "key", "press": "1x"}));
    assert_eq!(answer["error"]["code"], "value_range");
}

#[test]
fn a_line_that_fails_names_its_field_and_changes_nothing() {
    let mut bench = Bench::in_memory();
    bench.make(key(), json!({}));
    let token = bench.issue(&key(), 1, credit("2.5"));
    let before = bench.state();
    let new = |more: Value| {
        let mut request = json!({"op": "new", "meter": "n", "pan": PAN, "ea": "07", "key": key()});
        meter_common::merge(&mut request, more);
        request.to_string()
    };
    let state = r#"{"op":"state","meter":"n"}"#.to_owned();
    // (line, code, a word of the message)
    let cases = [
        ("{".to_owned(), "bad_json", ""),
        ("[]".to_owned(), "bad_json", "array"),
        (r#"{"op":"state","op":"state","meter":"m"}"#.to_owned(), "bad_json", "op"),
        (
            format!(r#"{{"op":"enter","meter":"m","digits":"{token}","digits":"1"}}"#),
            "bad_json",
            "digits",
        ),
        (
            format!(r#"{{"op":"enter","meter":"m","digits":"{token}","amount":"1"}}"#),
            "unknown_field",
            "amount",
        ),
        (
            format!(r#"{{"op":"enter","meter":"m","digits":"{token}","watts":1}}"#),
            "unknown_field",
            "watts",
        ),
        (
            format!(r#"{{"op":"enter","meter":"m","digits":"{token}","carrier":"2"}}"#),
            "value_range",
            "carrier",
        ),
        (r#"{"op":"enter","meter":"m","digits":1}"#.to_owned(), "number_format", "digits"),
        (r#"{"op":"enter","meter":"m"}"#.to_owned(), "missing_field", "digits"),
        (format!(r#"{{"op":"enter","digits":"{token}"}}"#), "missing_field", "meter"),
        (format!(r#"{{"op":"enter","meter":"n","digits":"{token}"}}"#), "value_range", "meter"),
        (
            format!(r#"{{"op":"power_cut","meter":"m","digits":"{token}","after_writes":-1}}"#),
            "value_range",
            "after_writes",
        ),
        (r#"{"op":"vend","meter":"m"}"#.to_owned(), "value_range", "op"),
        (
            r#"{"op":"consume","meter":"m","watts":"5","seconds":1}"#.to_owned(),
            "value_range",
            "watts",
        ),
        (
            r#"{"op":"advance","meter":"m","seconds":4294967296}"#.to_owned(),
            "value_range",
            "seconds",
        ),
        (r#"{"op":"tamper","meter":"../m"}"#.to_owned(), "value_range", "meter"),
        (new(json!({"meter": "m"})), "value_range", "already"),
        (new(json!({"pan": "600727000000000008"})), "pan_check_digit", "pan"),
        (new(json!({"ea": "11"})), "algorithm_combination", ""),
        (new(json!({"kct": 4})), "kct_count", "kct"),
        (new(json!({"kct": 5})), "kct_count", "kct"),
        (new(json!({"tids": 49})), "value_range", "tids"),
        (new(json!({"tids": 256})), "value_range", "tids"),
        (new(json!({"services": []})), "value_range", "services"),
        (new(json!({"services": ["steam"]})), "value_range", "services"),
        (new(json!({"currency": 1})), "value_range", "currency"),
        (new(json!({"tct": ["2"]})), "value_range", "tct"),
        (new(json!({"manufactured_tid": 16_777_216})), "tid_range", "manufactured_tid"),
        (
            new(json!({"manufactured_at": "1992-12-31T23:59Z"})),
            "issue_time_before_base_date",
            "manufactured_at",
        ),
        (
            new(json!({"manufactured_at": "2004-03-01T13:55Z", "manufactured_tid": 1})),
            "unknown_field",
            "manufactured_tid",
        ),
        (new(json!({"policy": {"locked": true}})), "unknown_field", "policy"),
        (new(json!({"policy": {"lockout": {"tries": 1}}})), "unknown_field", "policy.lockout"),
        (new(json!({"policy": {"lockout": 5}})), "bad_json", "policy.lockout"),
        (new(json!({"policy": {"prices": {"steam": "1"}}})), "unknown_field", "prices"),
        (new(json!({"policy": {"low_credit": "0.01"}})), "amount_too_fine", "policy.low_credit"),
        (new(json!({"policy": {"transitions": ["aaaa"]}})), "value_range", "policy.transitions"),
        (new(json!({"key": {"decoder_key": "0123456789abcdef"}})), "missing_field", "key.kt"),
        (
            new(json!({"key": {"decoder_key": "0123456789abcdef", "kt": 2}})),
            "missing_field",
            "key.krn",
        ),
        (state, "value_range", "meter"),
    ];
    for (line, code, word) in cases {
        let answer = bench.line(&line);
        let error = &answer["error"];
        assert_eq!(error["code"], code, "{line}: {answer}");
        let message = error["message"].as_str().unwrap();
        assert!(
            message.contains(word) && !message.contains("0123456789abcdef"),
            "{line}: {answer}"
        );
        assert_eq!(answer["id"], Value::Null);
        assert_eq!(bench.state(), before, "{line}");
    }
    let answer = bench.line(r#"{"nonsense":[1],"id":"a\u0041","op":"state","meter":"m"}"#);
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!("aA"), &json!("unknown_field")));
}

#[test]
fn every_switch_of_the_policy_is_taken() {
    let mut bench = Bench::in_memory();
    let policy = json!({
        "lockout": {"free_tries": 3, "base_s": 90, "factor": 2, "cap_s": 600, "reset_on_power": false},
        "key_change_timeout_s": 90, "transitions": ["aaae", "naae", "naan", "nane"],
        "two_token_sets": false, "enforce_expiry": false, "reserved_identifiers": "refuse",
        "other_length_tests": false, "unit_capacity": "9999.9", "currency_capacity": "9999.99999",
        "currency_debt": "0", "absent_register": "accept", "absent_function": "accept", "unknown_extended": "range_error",
        "functions": ["power_limit"], "flags_act": true, "tamper_opens_switch": false,
        "trip": {"trip_after_s": 1, "reset_after_s": 2, "resets": 3, "forgive_after_s": 4},
        "low_credit": "5", "emergency_credit": false,
        "prices": {"electricity": "1.5", "water": "1", "gas": "1", "time": "1"}, "test_zero": [2, 3],
    });
    bench.make(key(), json!({"policy": policy}));
    let token = bench.issue(&key(), 9, json!({"type": "set_tariff_rate", "rate": 1}));
    assert_eq!(bench.enter(&token), "function_error");
    bench.done(json!({"op": "tamper"}));
    let state = bench.state();
    assert_eq!((&state["tamper"], &state["switch_reason"]), (&json!(true), &json!("no_credit")));
    let token = bench.test("00", "fffffffff"); // Every test, which is test 0.
    let answer = bench.done(json!({"op": "enter", "digits": token}));
    assert_eq!(answer["test"], json!([2, 3]), "{answer}");
}

#[test]
fn a_meter_refuses_values_for_what_it_does_not_have() {
    let unbalance = json!({"type": "set_maximum_phase_power_unbalance_limit", "watts": 300});
    let rate = json!({"type": "set_tariff_rate", "rate": 9});
    let factor = json!({"type": "set_water_meter_factor", "factor": 3});
    let one = json!({"phases": 1, "tariff_register": false});
    let accepting = json!({"phases": 1, "tariff_register": false,
        "policy": {"absent_function": "accept"}});
    let (yes, no) = ("accept", "function_error");
    for (more, expected) in [
        (json!({}), [yes, yes, no]),
        (json!({"phases": 3, "tariff_register": true}), [yes, yes, no]),
        (one, [no, no, no]),
        (json!({"services": ["electricity", "water"]}), [yes, yes, yes]),
        (accepting, [yes, yes, yes]),
    ] {
        let mut bench = Bench::in_memory();
        bench.make(key(), more.clone());
        for (tid, (token, expected)) in
            (100..).zip([&unbalance, &rate, &factor].into_iter().zip(expected))
        {
            let digits = bench.issue(&key(), tid, token.clone());
            assert_eq!(bench.enter(&digits), expected, "{more}: {token}");
        }
    }
    for (more, said) in [
        (json!({"phases": 2}), "phases: expected 1 or 3, found 2"),
        (json!({"phases": "3"}), "phases: expected 1 or 3, found \"3\""),
        (
            json!({"policy": {"absent_function": true}}),
            "policy.absent_function: expected refuse or accept, found true",
        ),
    ] {
        let mut request = json!({"op": "new", "pan": PAN, "ea": "07", "key": key()});
        merge(&mut request, more);
        let answer = Bench::in_memory().ask(request);
        assert_eq!(answer["error"]["message"], said);
    }
}

#[test]
fn a_stream_counts_its_answers_and_skips_blank_lines() {
    let mut out = Vec::new();
    let input = b"\n{\"id\":1,\"op\":\"state\",\"meter\":\"m\"}\r\n  \nnonsense";
    let summary = Meters::in_memory().answer_stream(&input[..], &mut out).unwrap();
    assert_eq!((summary.answered, summary.failed), (2, 2));
}
