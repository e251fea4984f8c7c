//! `prepay lab explain`: every step of reading one token, and the keys that open it.

use std::io::{self, Write};

use prepay_lab::{Explanation, Found};
use prepay_records::pasted::tokens;
use prepay_token::element::BaseDate;
use prepay_token::{OpenError, Trace};

use super::command::ExplainFlags;
use crate::Ending;
use crate::failure::Done;
use crate::json;
use crate::paint::{QUIET, RESULT, WRONG, styled};

use super::lists::key_lists;
use super::meaning::sentence;
use super::picture::write_trace;

/// One in so many wrong keys passes the checksum.
const CHANCE: u64 = 65_536;

/// Explains one token.
pub(crate) fn run(flags: &ExplainFlags, as_json: bool) -> Done<Ending> {
    let data = tokens(&flags.number.join(" "))?[0];
    let found = key_lists(flags)?.search(data)?;
    let trace = found.trace(data);
    if as_json {
        json::print(&Explanation::new(data, &found), false)?;
    } else {
        let key = found.key();
        let base_date = key.and_then(|key| key.base_date);
        let mut out = anstream::stdout().lock();
        write_trace(&mut out, &trace, key.map(|key| key.cipher.algorithm()), base_date)?;
        write_search(&mut out, &found)?;
        write_result(&mut out, &trace, &found, base_date)?;
    }
    Ok(if trace.result().is_ok() { Ending::Done } else { Ending::Refused })
}

/// The result of the search for a key.
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

/// The last line: what the token is, or why it was refused.
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
                OpenError::KeyNeeded { .. } => {
                    ": give --decoder-key, or --vending-key with --pan and --sgc"
                }
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
