//! Any line of a session: read to a request that can be written and read again, or refused by an error that names the
//! field and repeats little of it.
//!
//! [`any_line`] takes any bytes, as the body of a fuzz target does. It stands here because a fuzz target cannot reach
//! into a program.

use prepay_module::{IssueRequest, MeterConfiguration};
use prepay_records::OpenedToken;
use prepay_records::time::Printed;
use prepay_testkit::Random;
use prepay_testkit::fuzz::mutated;
use prepay_token::Class;
use prepay_token::element::{TokenIdentifier, UtcMinute};
use serde_json::{Value, json};

use super::{Ask, Making};
use crate::module::line::{LONGEST_LINE, Line, parse_line};

/// Every field of a request, and of a token behind its name.
const FIELDS: &str =
    "id op request register pan ea ti tct token round issued_at tid from to new_ti tokens number";
const TOKEN_FIELDS: &str =
    "type service amount control mfr_code sub_class watts register rate factor index value";

/// The longest message, and how much of a line may stand in it in one piece.
const LONGEST_MESSAGE: usize = 300;
const REPEATED: usize = 64;

/// Lines of every kind, which together have every field. Those of a token stand in the order of their names.
fn valid_lines() -> Vec<String> {
    let meter = r#""pan":"600727000000000009","ea":"07","ti":"01","tct":"02""#;
    let named = r#""request":"000102030405060708090a0b0c0d0e0f""#;
    let credit = r#"{"amount":"25.6","service":"electricity","type":"credit"}"#;
    let money = r#"{"amount":"-0.1","service":"water","type":"currency_credit"}"#;
    let power = r#"{"type":"set_maximum_power_limit","watts":5000}"#;
    let clear = r#"{"register":65535,"type":"clear_credit"}"#;
    let at = r#""issued_at":"2026-03-01T13:55Z""#;
    let mut lines: Vec<String> = ["identify", "status", "clock", "registers"]
        .map(|op| format!(r#"{{"op":"{op}","id":-7}}"#))
        .into();
    for (op, token, rest) in [
        ("issue_credit", credit, format!(r#"{named},"round":"up",{at}"#)),
        ("issue_credit", money, r#""tid":16777215,"round":"exact""#.to_owned()),
        ("issue_management", power, format!(r#"{named},{at}"#)),
        ("issue_management", clear, r#""tid":0"#.to_owned()),
    ] {
        lines.push(format!(
            r#"{{"id":"a","op":"{op}","register":1,{meter},"token":{token},{rest}}}"#
        ));
    }
    lines.push(format!(
        r#"{{"op":"issue_key_change",{named},"from":1,"to":9999,{meter},"new_ti":"02","tokens":3}}"#
    ));
    lines.push(format!(
        r#"{{"op":"verify","id":18446744073709551615,"register":1,{meter},"number":"2371 6100-5011 8319 4197"}}"#
    ));
    lines
}

fn parse(line: &str) -> Line {
    parse_line(line.as_bytes())
}

/// A request as the plainest line that says the same.
fn written(id: &Value, ask: &Ask) -> Value {
    let mut line = match ask {
        Ask::Identify => json!({"op": "identify"}),
        Ask::Status => json!({"op": "status"}),
        Ask::Clock => json!({"op": "clock"}),
        Ask::Registers => json!({"op": "registers"}),
        Ask::Verify(verify) => {
            let mut line = json!({
                "op": "verify",
                "register": verify.register.value(),
                "number": verify.token.to_string(),
            });
            add_meter(&mut line, &verify.meter);
            line
        }
        Ask::Issue(making) => written_making(making),
    };
    if !id.is_null() {
        line["id"] = id.clone();
    }
    line
}

fn written_making(making: &Making) -> Value {
    let (mut line, id, meter) = match making.request {
        IssueRequest::Token(request) => {
            let op = match request.instruction.class() {
                Class::Credit => "issue_credit",
                _ => "issue_management",
            };
            let token = OpenedToken::of(&request.instruction);
            let register = request.register.value();
            let mut line = json!({"op": op, "register": register, "token": token});
            stamp(&mut line, making.issued_at, request.identifier);
            (line, request.id, request.meter)
        }
        IssueRequest::KeyChange(change) => {
            let line = json!({
                "op": "issue_key_change",
                "from": change.from.value(),
                "to": change.to.value(),
                "new_ti": change.new_tariff_index.to_string(),
                "tokens": change.size.count(),
            });
            (line, change.id, change.meter)
        }
    };
    if let Some(id) = id {
        line["request"] = id.to_string().into();
    }
    add_meter(&mut line, &meter);
    line
}

fn stamp(line: &mut Value, issued_at: Option<UtcMinute>, identifier: TokenIdentifier) {
    match issued_at {
        Some(minute) => line["issued_at"] = Printed(minute).to_string().into(),
        None => line["tid"] = identifier.value().into(),
    }
}

fn add_meter(line: &mut Value, meter: &MeterConfiguration) {
    line["pan"] = meter.pan.to_string().into();
    line["ti"] = meter.tariff_index.to_string().into();
    line["ea"] = meter.encryption.to_string().into();
    line["tct"] = meter.carrier.to_string().into();
}

/// The field that a message names first; nothing when it names none.
fn named(message: &str) -> Option<&str> {
    let end = message.find(": ").or_else(|| message.find(" is missing"))?;
    Some(&message[..end])
}

/// Any bytes: a request that is written and read again, or an error that keeps its promises.
fn any_line(input: &[u8]) {
    let Line { id, ask } = parse_line(input);
    match ask {
        Ok(ask) => {
            let line = written(&id, &ask).to_string();
            let again = parse(&line);
            assert_eq!(again.id, id, "{line}");
            assert_eq!(again.ask.expect(&line), ask, "{line}");
        }
        Err(failure) => {
            let error = failure.to_json();
            let (code, message) =
                (error["code"].as_str().unwrap(), error["message"].as_str().unwrap());
            let shown = String::from_utf8_lossy(input);
            let known = ["bad_json", "missing_field", "unknown_field", "pan", "parameter"];
            assert!(known.contains(&code), "{code}: {shown}");
            assert!(message.len() <= LONGEST_MESSAGE, "{message}");
            let is_repeated = |part: &[u8]| input.windows(REPEATED).any(|found| found == part);
            let repeated = message.as_bytes().windows(REPEATED).find(|part| is_repeated(part));
            assert_eq!(repeated, None, "{message}");
            if ["missing_field", "pan", "parameter"].contains(&code) {
                let name = named(message).unwrap_or_else(|| panic!("{message}"));
                assert!(is_field(name), "{message}");
            }
        }
    }
}

fn is_field(name: &str) -> bool {
    let is_one_of = |fields: &str, name| fields.split(' ').any(|field| field == name);
    let of_token = name.strip_prefix("token.");
    is_one_of(FIELDS, name)
        || name == "issued_at or tid"
        || of_token.is_some_and(|name| is_one_of(TOKEN_FIELDS, name))
}

#[test]
fn every_valid_line_is_read_and_written_again() {
    for line in valid_lines() {
        let Line { id, ask } = parse(&line);
        let ask = ask.unwrap_or_else(|failure| panic!("{line}: {failure:?}"));
        let said: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(id, said.get("id").cloned().unwrap_or(Value::Null), "{line}");
        // What the line says stands in what is written, but for its defaults and spellings.
        let again = written(&id, &ask);
        for (name, value) in said.as_object().unwrap() {
            if !["round", "number"].contains(&name.as_str()) {
                assert_eq!(again[name], *value, "{name}: {line}");
            }
        }
        any_line(line.as_bytes());
    }
}

#[test]
fn a_valid_line_with_any_byte_replaced_left_out_or_doubled_is_read_or_refused() {
    for line in valid_lines() {
        let whole = line.as_bytes();
        for place in 0..whole.len() {
            assert!(parse_line(&whole[..place]).ask.is_err(), "cut at {place}: {line}");
            any_line(&whole[..place]);
            any_line(&whole[place..]);
            any_line(&[&whole[..place], &whole[place + 1..]].concat());
            any_line(&[&whole[..=place], &whole[place..]].concat());
            let mut changed = whole.to_vec();
            for byte in 0..=255 {
                changed[place] = byte;
                any_line(&changed);
            }
        }
    }
}

#[test]
fn lines_at_random_are_read_or_refused() {
    let mut random = Random::new(1);
    let seeds: Vec<Vec<u8>> = valid_lines().into_iter().map(String::into_bytes).collect();
    for _ in 0..20_000 {
        any_line(&mutated(&mut random, &seeds));
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
    for line in valid_lines() {
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
    any_line(changed.as_bytes());
    match parse(changed).ask {
        Ok(_) => assert!(name == "id", "{name}: {changed}"),
        Err(failure) => {
            let error = failure.to_json();
            let message = error["message"].as_str().unwrap();
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
        assert!(parse(&line).ask.is_err(), "{}…", &line[..20]);
        any_line(line.as_bytes());
    }
}

#[test]
fn a_secret_in_a_line_is_not_repeated() {
    let secret = "c0ffee5ec2e7";
    for line in valid_lines() {
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
                let failure = parse(&line).ask.expect_err(&line);
                let told = failure.to_json().to_string();
                assert!(!told.contains(secret), "{told}: {line}");
            }
        }
    }
}
