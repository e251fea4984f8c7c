//! Answers of a meter as a person reads them.

use std::io::{self, Write};

use prepay_lab::meter::{Entered, MeterAnswer, MeterError, StateRecord};
use serde_json::{Value, json};

use crate::paint::{QUIET, RESULT, WRONG, styled};

/// Prints an answer or an error as one JSON value on a line.
pub(super) fn json(answered: &Result<MeterAnswer, MeterError>) -> io::Result<()> {
    let text = match answered {
        Ok(answer) => serde_json::to_string(answer)?,
        Err(error) => {
            json!({"error": {"code": error.code(), "message": error.message()}}).to_string()
        }
    };
    writeln!(io::stdout().lock(), "{text}")
}

/// Prints an answer, and the balance after it.
pub(super) fn answer(answer: &MeterAnswer, state: &StateRecord) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    match answer {
        MeterAnswer::Entered(entered) => {
            let style =
                if entered.code == 1 || entered.waiting_for.is_some() { RESULT } else { WRONG };
            writeln!(out, "{}", styled(style, entered.result))?;
            if let Some(words) = in_words(entered.result) {
                writeln!(out, "  {words}")?;
            }
            for line in effect(entered)? {
                writeln!(out, "  {line}")?;
            }
        }
        MeterAnswer::State(state) => return writeln!(out, "{}", table(state)?),
        MeterAnswer::Done(_) => writeln!(out, "meter {}", state.pan)?,
        MeterAnswer::Consumed(_) | MeterAnswer::Pressed(_) => {}
    }
    writeln!(out, "{}", styled(QUIET, balance(state)))
}

/// Prints why a request was refused.
pub(super) fn error(error: &MeterError) {
    anstream::eprintln!("{} {}", styled(WRONG, format_args!("{}:", error.code())), error.message());
}

/// A refusal in words, by the name of its result.
fn in_words(result: &str) -> Option<&'static str> {
    Some(match result {
        "overflow_error" => "the credit register has no room for so much",
        "key_type_error" => {
            "a key of this type may not follow the one in the meter, or not on this carrier"
        }
        "format_error" => {
            "not a token: twenty digits below 73 786 976 294 838 206 464 are expected"
        }
        "range_error" => "a value in the token is outside its range",
        "function_error" => "this meter has no such function, service or size of key change",
        "old_error" => "older than every token that the meter remembers",
        "used_error" => "this meter has taken the token before",
        "key_expired_error" => "issued after the meter's key expired",
        "ddtk_error" => "the meter has a default key, which takes no credit",
        "crc_error" => "another meter's token, another key, or a mistyped digit",
        "mfr_code_error" => "a test for the meters of another manufacturer",
        "lockout" => "too many wrong tokens: wait until the lockout ends",
        "not_ready" => "the token before is still being dealt with",
        _ => return None,
    })
}

/// What a token did, one remark a line.
fn effect(entered: &Entered) -> io::Result<Vec<String>> {
    if let (Some(service), Some(amount)) = (entered.service, &entered.amount) {
        let is_money = entered.kind == Some("currency_credit");
        let unit = if is_money { "currency units" } else { unit(service) };
        return Ok(vec![format!("{amount} {unit} of {service}")]);
    }
    if let Some(display) = &entered.display {
        return Ok(display.clone());
    }
    if let Some(missing) = &entered.waiting_for {
        let missing: Vec<String> = missing.iter().map(u8::to_string).collect();
        return Ok(vec![format!("waiting for section {}", missing.join(", "))]);
    }
    let Value::Object(fields) = serde_json::to_value(entered)? else { return Ok(Vec::new()) };
    let told = fields.iter().filter(|(name, _)| !matches!(name.as_str(), "result" | "code"));
    Ok(told.map(|(name, value)| format!("{name} {}", plain(value))).collect())
}

/// The balance of each service, and the switch.
fn balance(state: &StateRecord) -> String {
    let is_money = state.currency_credit.values().any(|credit| credit != "0");
    let credits = if is_money { &state.currency_credit } else { &state.credit };
    let mut parts: Vec<String> = credits
        .iter()
        .map(|(service, credit)| {
            // A state does not say what the meter counts, and nothing needs no unit.
            let unit = match (is_money, credit.as_str()) {
                (true, _) => " currency units".to_owned(),
                (false, "0") => String::new(),
                (false, _) => format!(" {}", unit(service)),
            };
            format!("{service} {credit}{unit}")
        })
        .collect();
    parts.push(match state.switch_reason {
        Some(reason) => format!("switch {} ({reason})", state.switch),
        None => format!("switch {}", state.switch),
    });
    format!("balance: {}", parts.join(", "))
}

/// Every field of a state, one a line. Identifiers that follow each other alike are counted.
fn table(state: &StateRecord) -> io::Result<String> {
    let Value::Object(fields) = serde_json::to_value(state)? else { return Ok(String::new()) };
    let width = fields.keys().map(String::len).max().unwrap_or(0);
    let line = |(name, value): (&String, &Value)| {
        let value = if name == "tids" { counted(&state.tids) } else { plain(value) };
        format!("{name:width$}  {value}")
    };
    Ok(fields.iter().map(line).collect::<Vec<String>>().join("\n"))
}

/// Numbers with how often each stands.
fn counted(numbers: &[u32]) -> String {
    let runs = numbers.chunk_by(|one, next| one == next);
    let run = |run: &[u32]| match run {
        [number] => number.to_string(),
        _ => format!("{} ({} times)", run[0], run.len()),
    };
    runs.map(run).collect::<Vec<String>>().join(", ")
}

/// A value without the marks of JSON, as far as it can be read without them.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        Value::Array(values) if values.is_empty() => "-".to_owned(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<String>>().join(", "),
        Value::Object(fields) if fields.is_empty() => "-".to_owned(),
        Value::Object(fields) => {
            let field = |(name, value)| format!("{name} {}", plain(value));
            fields.iter().map(field).collect::<Vec<String>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// The unit of a service by its name.
fn unit(service: &str) -> &'static str {
    service.parse::<prepay_token::element::Service>().map_or("", |service| service.unit())
}
