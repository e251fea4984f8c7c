//! `prepay lab explain`: one token laid open, step by step, with the keys that open it.

use std::io::{self, Write};

use prepay_lab::opened_token;
use prepay_records::element::token_number;
use prepay_records::time::Printed;
use prepay_records::{ErrorRecord, RecordError, Scalar};
use prepay_token::element::BaseDate;
use prepay_token::{Field, OpenError, Trace};
use serde_json::{Value, json};

use crate::Ending;
use crate::cli::ExplainFlags;
use crate::failure::Done;
use crate::paint::{QUIET, RESULT, WRONG, styled};

use super::meaning::sentence;
use super::picture::write_trace;
use super::print;
use super::search::{Found, search};

/// One in so many wrong keys passes the checksum.
const CHANCE: u64 = 65_536;

/// Explains one token.
pub(crate) fn run(flags: &ExplainFlags, as_json: bool) -> Done<Ending> {
    let data = token_number(&Scalar::from(flags.number.join(" ")))?;
    let found = search(flags, data)?;
    let key = found.matches.first().or(found.last.as_ref().filter(|_| found.tried == 1));
    let trace = Trace::new(data, key.map(|key| &key.cipher));
    let base_date = key.and_then(|key| key.base_date);
    if as_json {
        print::json(&as_value(&trace, &found, base_date))?;
    } else {
        let mut out = anstream::stdout().lock();
        write_trace(&mut out, &trace, key.map(|key| key.cipher.algorithm()), base_date)?;
        write_search(&mut out, &found)?;
        write_result(&mut out, &trace, &found, base_date)?;
    }
    Ok(if trace.result().is_ok() { Ending::Done } else { Ending::Refused })
}

/// What the search for a key came to.
fn write_search(out: &mut impl Write, found: &Found) -> io::Result<()> {
    if found.matches.is_empty() && found.tried < 2 && found.skipped.is_none() {
        return Ok(());
    }
    writeln!(out)?;
    if let Some((count, error)) = &found.skipped {
        let remark =
            format!("{count} combinations make no key, the first because {}", error.message);
        writeln!(out, "{}", styled(QUIET, remark))?;
    }
    for candidate in &found.matches {
        writeln!(out, "{}  {}", styled(RESULT, "opened by"), candidate.name)?;
    }
    if found.matches.is_empty() && found.tried > 1 {
        writeln!(out, "{}  none of {} keys opens it", styled(WRONG, "no key"), found.tried)?;
    }
    if found.tried > 1 && !found.matches.is_empty() {
        let remark =
            format!("{} keys tried; a wrong one passes the checksum once in {CHANCE}", found.tried);
        writeln!(out, "{}", styled(QUIET, remark))?;
    }
    Ok(())
}

/// The last line: what the token is, or why it is nothing.
fn write_result(
    out: &mut impl Write,
    trace: &Trace,
    found: &Found,
    base_date: Option<BaseDate>,
) -> io::Result<()> {
    writeln!(out)?;
    match trace.result() {
        Ok(token) => {
            let sentence = sentence(token, base_date);
            writeln!(out, "{}  {sentence}", styled(RESULT, "token"))
        }
        Err(error) => {
            let advice = match error {
                OpenError::KeyNeeded { .. } if found.tried > 1 => {
                    ": another meter's token, another key, or a mistyped digit"
                }
                OpenError::KeyNeeded { .. } => ": give --decoder-key, or --vending-key with --pan",
                OpenError::Checksum { .. } => {
                    ": another meter's token, another key, or a mistyped digit"
                }
                _ => "",
            };
            let reason = match error {
                OpenError::KeyNeeded { .. } if found.tried > 1 => "no key fits".to_owned(),
                error => error.to_string(),
            };
            writeln!(out, "{}  {reason}{advice}", styled(WRONG, "refused"))
        }
    }
}

/// The whole explanation as JSON.
fn as_value(trace: &Trace, found: &Found, base_date: Option<BaseDate>) -> Value {
    let fields: Vec<_> = trace
        .fields()
        .map(|Field { place, value }| {
            json!({"name": place.name, "high": place.high, "low": place.low, "value": value})
        })
        .collect();
    let result = match trace.result() {
        Ok(token) => json!({"token": opened_token(token)}),
        Err(error) => {
            let error = RecordError::from(*error);
            json!(ErrorRecord::from(&error))
        }
    };
    let matches: Vec<_> = found.matches.iter().map(|candidate| &candidate.name).collect();
    let mut value = json!({
        "number": trace.data().to_string(),
        "bits": format!("{:017x}", trace.data().value()),
        "class": trace.class().number(),
        "moved_bits": trace.moved_bits(),
        "sent_block": format!("{:016x}", trace.sent_block()),
        "enciphered": trace.class().is_enciphered(),
        "clear_block": trace.clear_block().map(|clear| format!("{:016x}", clear.bits())),
        "fields": fields,
        "crc": trace.checksum().map(|(_, expected, found)| json!({"expected": expected, "found": found})),
        "keys_tried": found.tried,
        "keys_skipped": found.skipped.as_ref().map_or(0, |(count, _)| *count),
        "opened_by": matches,
    });
    if let (Value::Object(all), Value::Object(result)) = (&mut value, result) {
        all.extend(result);
    }
    if let (Some(token), Some(base)) = (trace.result().as_ref().ok(), base_date)
        && let Some(identifier) = token.identifier()
    {
        value["issued_at"] = Printed(base.minute_of(identifier)).to_string().into();
    }
    value
}
