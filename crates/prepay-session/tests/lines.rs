//! Any line of a session: read to a request that can be written and read again, or refused by an error that names the
//! field and repeats little of it.

use prepay_records::lines::LONGEST_LINE;
use prepay_session::Line;
use prepay_testkit::fuzz::{session_line, session_lines, written_line};
use serde_json::Value;

fn parse(line: &str) -> Line {
    Line::read(line.as_bytes())
}

const CREDIT: &str = r#"{"id":"a","op":"issue_credit","request":"000102030405060708090a0b0c0d0e0f","register":1,"pan":"600727000000000009","ea":"07","ti":"01","tct":"02","token":{"type":"credit","service":"electricity","amount":"25.6"},"issued_at":"2026-03-01T13:55Z"}"#;

fn code(line: &str) -> &'static str {
    parse(line).request.map_or_else(|error| error.code(), |_| "ok")
}

#[test]
fn lines_are_read_or_refused_by_the_code_of_what_is_wrong() {
    let with = |from: &str, to: &str| {
        assert!(CREDIT.contains(from), "{from}");
        CREDIT.replace(from, to)
    };
    for (line, expected) in [
        (CREDIT.to_owned(), "ok"),
        (r#"{"op":"identify"}"#.to_owned(), "ok"),
        (r#"{"op":"clock","id":7}"#.to_owned(), "ok"),
        (r#"{"op":"identify","id":1.5}"#.to_owned(), "bad_json"),
        (r#"{"op":"identify","op":"clock"}"#.to_owned(), "bad_json"),
        (r#"["identify"]"#.to_owned(), "bad_json"),
        (r#"{"op":"identify"} x"#.to_owned(), "bad_json"),
        (r#"{"op":["identify"]}"#.to_owned(), "bad_json"),
        (r#"{"op":"open"}"#.to_owned(), "parameter"),
        (r#"{}"#.to_owned(), "missing_field"),
        (r#"{"op":"identify","register":1}"#.to_owned(), "unknown_field"),
        (with("\"02\"", "2"), "parameter"),
        (with("09\"", "08\""), "pan"),
        (with("\"25.6\"", "\"25.61\""), "parameter"),
        (with("\"25.6\"", "{\"a\":1}"), "bad_json"),
        (with("\"credit\"", "\"clear_tamper_condition\""), "unknown_field"),
        (with("\"register\":1", "\"register\":0"), "parameter"),
        (with("\"register\":1,", ""), "missing_field"),
        (with("0a0b", "0a0"), "parameter"),
        (with("issued_at", "tid"), "parameter"),
        (with(",\"issued_at\":\"2026-03-01T13:55Z\"", ""), "missing_field"),
        (with("2026-03-01T13:55Z", "2026-02-30T13:55Z"), "parameter"),
    ] {
        assert_eq!(code(&line), expected, "{line}");
    }
}

#[test]
fn every_valid_line_is_read_and_written_again() {
    for line in session_lines() {
        let Line { id, request } = parse(&line);
        let request = request.unwrap_or_else(|error| panic!("{line}: {error}"));
        let said: Value = serde_json::from_str(&line).unwrap();
        let repeated = id.as_ref().map(|id| serde_json::from_str(id.get()).unwrap());
        assert_eq!(repeated.as_ref(), said.get("id"), "{line}");
        // What the line says stands in what is written, but for its defaults and spellings.
        let again = written_line(id.as_deref(), &request);
        for (name, value) in said.as_object().unwrap() {
            if !["round", "number"].contains(&name.as_str()) {
                assert_eq!(again[name], *value, "{name}: {line}");
            }
        }
        session_line(line.as_bytes());
    }
}

#[test]
fn a_valid_line_with_any_byte_replaced_left_out_or_doubled_is_read_or_refused() {
    for line in session_lines() {
        let whole = line.as_bytes();
        for place in 0..whole.len() {
            assert!(Line::read(&whole[..place]).request.is_err(), "cut at {place}: {line}");
            session_line(&whole[..place]);
            session_line(&whole[place..]);
            session_line(&[&whole[..place], &whole[place + 1..]].concat());
            session_line(&[&whole[..=place], &whole[place..]].concat());
            let mut changed = whole.to_vec();
            for byte in 0..=255 {
                changed[place] = byte;
                session_line(&changed);
            }
        }
    }
}

#[test]
fn a_field_with_a_wrong_value_is_named() {
    let long = format!("\"{}\"", "0123456789".repeat(60));
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let objects = format!("{}1{}", "{\"a\":".repeat(100), "}".repeat(100));
    let wrong = [
        "null",
        "true",
        "[]",
        "{}",
        r#"{"a":1}"#,
        r#"{"a":{}}"#,
        "\"\"",
        "\" \"",
        r#""\u0000""#,
        r#""\ud800""#,
        "-1",
        "1.5",
        "1e400",
        "99999999999999999999999",
        "10000000000",
        &long,
        &deep,
        &objects,
    ];
    for line in session_lines() {
        let said: Value = serde_json::from_str(&line).unwrap();
        for (name, value) in said.as_object().unwrap() {
            let field = format!("\"{name}\":{value}");
            for wrong in wrong {
                names_it(&line.replacen(&field, &format!("\"{name}\":{wrong}"), 1), &line, name);
            }
        }
        let Some(Value::Object(token)) = said.get("token") else { continue };
        for (name, value) in token {
            let field = format!("\"{name}\":{value}");
            let (head, tail) = line.rsplit_once(&field).unwrap();
            for wrong in wrong {
                names_it(&format!("{head}\"{name}\":{wrong}{tail}"), &line, "token");
            }
        }
    }
}

/// The changed line is refused, and the message begins with the field. An `id` alone takes almost anything.
fn names_it(changed: &str, line: &str, name: &str) {
    assert_ne!(changed, line, "{name}");
    session_line(changed.as_bytes());
    match parse(changed).request {
        Ok(_) => assert!(name == "id", "{name}: {changed}"),
        // A text that is no JSON has no fields to name. What nests deep is JSON, but not for this reader.
        Err(error) if serde_json::from_str::<Value>(changed).is_err() && changed.len() < 2000 => {
            assert_eq!(error.code(), "bad_json", "{changed}");
        }
        Err(error) => {
            let message = error.to_string();
            assert_eq!(message.split([':', '.']).next(), Some(name), "{message}: {changed}");
        }
    }
}

#[test]
fn a_long_line_is_refused_in_few_words() {
    let long = "q".repeat(LONGEST_LINE / 2);
    for line in [
        format!("\"{long}\""),
        long.clone(),
        format!("{{\"{long}\":1}}"),
        format!("{{\"op\":\"{long}\"}}"),
        format!("{{\"op\":\"identify\",\"{long}\":1}}"),
        format!("{{\"{long}\":1,\"{long}\":1}}"),
        format!("{{\"op\":\"identify\",\"id\":\"{long}\"}}"),
        format!("{{\"op\":\"identify\",\"id\":{}}}", "9".repeat(30_000)),
        format!("[\"{long}\"]"),
    ] {
        assert!(parse(&line).request.is_err(), "{}…", &line[..20]);
        session_line(line.as_bytes());
    }
}

#[test]
fn a_secret_in_a_line_is_not_repeated() {
    let secret = "c0ffee5ec2e7";
    for line in session_lines() {
        let rest = &line[1..];
        for field in [
            format!("\"passphrase\":\"{secret}\""),
            format!("\"key\":{{\"vending_key\":\"{secret}\"}}"),
            format!("\"key\":[\"{secret}\"]"),
            format!("\"id\":{{\"pin\":\"{secret}\"}}"),
            format!("\"key\":\"{secret}\",\"key\":\"{secret}\""),
            format!("\"key\":\"{secret}\\q\""),
            format!("\"{secret}"),
            secret.to_owned(),
        ] {
            for line in [format!("{{{field},{rest}"), format!("{{{field}"), field.clone()] {
                let error = parse(&line).request.expect_err(&line);
                let told = serde_json::to_string(&error).unwrap();
                assert!(!told.contains(secret), "{told}: {line}");
            }
        }
    }
}
