//! Prints the answers of a meter for people.

use std::io::{self, Write};

use prepay_lab::meter::{Entered, Executed, StateRecord};
use prepay_meter::TokenResult;
use prepay_token::element::Service;
use serde_json::Value;

use crate::paint::{QUIET, RESULT, WRONG, styled};

/// Prints the meter's answer to a token.
pub(super) fn entered(
    out: &mut dyn Write,
    entered: &Entered,
    state: &StateRecord,
) -> io::Result<()> {
    let Entered { result, done } = entered;
    let style = if entered.is_refused() { WRONG } else { RESULT };
    writeln!(out, "{}", styled(style, result.name()))?;
    if let Some(words) = in_words(*result) {
        writeln!(out, "  {words}")?;
    }
    for line in effect(done)? {
        writeln!(out, "  {line}")?;
    }
    if done.rollover.is_some() {
        let StateRecord { sgc, krn, kt, ti, ken, .. } = state;
        let sgc = sgc.as_deref().unwrap_or("unknown");
        writeln!(out, "  new key: SGC {sgc}, KRN {krn}, KT {kt}, TI {ti}, KEN {ken}")?;
    }
    Ok(())
}

/// A refusal in words.
const fn in_words(result: TokenResult) -> Option<&'static str> {
    Some(match result {
        TokenResult::OverflowError => "the credit would exceed the limit of the register",
        TokenResult::KeyTypeError => {
            "a key of this type may not replace the meter's key, or not by this carrier"
        }
        TokenResult::FormatError => {
            "not a token: expected twenty digits, below 73 786 976 294 838 206 464"
        }
        TokenResult::RangeError => "a value in the token is outside its range",
        TokenResult::FunctionError => {
            "this meter has no such function or service, or takes no key change of this size"
        }
        TokenResult::OldError => "older than every token that the meter remembers",
        TokenResult::UsedError => "this meter has already accepted this token",
        TokenResult::KeyExpiredError => "issued after the meter's key had expired",
        TokenResult::DdtkError => "the meter has a default key, under which it accepts no credit",
        TokenResult::CrcError => "another meter's token, another key, or a wrong digit",
        TokenResult::MfrCodeError => "a test for meters of another manufacturer",
        TokenResult::Lockout => {
            "too many wrong tokens: let time pass, as with prepay meter consume FILE --watts 0 --seconds N; \
             meter show says how long"
        }
        TokenResult::NotReady => "the meter is still processing the previous token",
        _ => return None,
    })
}

/// What a token did, as lines of text.
fn effect(done: &Executed) -> io::Result<Vec<String>> {
    if let (Some(service), Some(amount)) = (done.service, &done.amount) {
        return Ok(vec![format!("{amount} {} of {service}", done.unit)]);
    }
    if let Some(display) = &done.display {
        return Ok(display.clone());
    }
    if let Some(missing) = &done.waiting_for {
        let missing: Vec<String> = missing.iter().map(u8::to_string).collect();
        return Ok(vec![format!("waiting for section {}", missing.join(", "))]);
    }
    let Value::Object(fields) = serde_json::to_value(done)? else { return Ok(Vec::new()) };
    Ok(fields.iter().map(|(name, value)| format!("{name} {}", plain(value))).collect())
}

/// Prints the balance of each service, and the switch.
pub(super) fn balance(out: &mut dyn Write, state: &StateRecord) -> io::Result<()> {
    let is_money = state.currency_credit.values().any(|credit| credit != "0");
    let credits = if is_money { &state.currency_credit } else { &state.credit };
    let mut parts = Vec::new();
    for service in Service::ALL {
        let Some(credit) = credits.get(service.name()) else { continue };
        // The state does not say whether the meter counts units or money; zero needs no unit.
        let unit = match (is_money, credit.as_str()) {
            (true, _) => " currency units".to_owned(),
            (false, "0") => String::new(),
            (false, _) => format!(" {}", service.unit()),
        };
        parts.push(format!("{} {credit}{unit}", service.name()));
    }
    parts.push(match state.switch_reason {
        Some(reason) => format!("switch {} ({reason})", state.switch),
        None => format!("switch {}", state.switch),
    });
    writeln!(out, "{}", styled(QUIET, format_args!("balance: {}", parts.join(", "))))
}

/// Prints every field of a state on its own line. Repeated identifiers are counted.
pub(super) fn table(out: &mut dyn Write, state: &StateRecord) -> io::Result<()> {
    let Value::Object(fields) = serde_json::to_value(state)? else { return Ok(()) };
    let width = fields.keys().map(String::len).max().unwrap_or(0);
    for (name, value) in &fields {
        let value = if name == "tids" { counted(&state.tids) } else { plain(value) };
        writeln!(out, "{name:width$}  {value}")?;
    }
    Ok(())
}

/// The numbers, each with how often it is repeated.
fn counted(numbers: &[u32]) -> String {
    let runs = numbers.chunk_by(|one, next| one == next);
    let run = |run: &[u32]| match run {
        [number] => number.to_string(),
        _ => format!("{} ({} times)", run[0], run.len()),
    };
    runs.map(run).collect::<Vec<String>>().join(", ")
}

/// A value without the punctuation of JSON, where it is not needed.
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
