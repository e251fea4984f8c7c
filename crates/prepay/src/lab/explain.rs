//! `prepay lab explain`: every step of reading a token, the keys that open it, and how far to trust them.

use std::io::{self, Write};

use prepay_lab::{
    Candidate, Explained, Explanation, Found, KeyLists, Reading, Repair, RepairAnswer, Sale, Tried,
    advice,
};
use prepay_records::pasted::{token_numbers, tokens};
use prepay_records::time::{self, Printed};
use prepay_records::{RecordCode, RecordError};
use prepay_token::element::UtcMinute;
use prepay_token::{Class, OpenError, TOKEN_DIGITS, TokenData};

use super::command::ExplainFlags;
use crate::Ending;
use crate::failure::{Done, Failure};
use crate::json;
use crate::paint::{QUIET, RESULT, WRONG, styled};

use super::lists::key_lists;
use super::meaning::sentence;
use super::picture::write_trace;

/// One in so many wrong keys passes the checksum.
const CHANCE: u128 = 65_536;

/// How many readings are printed. JSON has all of them.
const SHOWN: usize = 20;

/// Explains the tokens of one meter.
pub(crate) fn run(flags: &ExplainFlags, as_json: bool) -> Done<Ending> {
    let typed = flags.number.join(" ");
    let sale = sale(flags)?;
    let lists = key_lists(flags)?;
    let digits = flags.repair.then(|| to_repair(&typed)).transpose()?;
    let tokens = match (tokens(&typed), digits) {
        (Err(error), Some(digits)) if error.code == RecordCode::NotAToken => {
            return repair(&digits, &error, &lists, &sale, as_json);
        }
        (tokens, _) => tokens?,
    };
    let mut found = lists.search(&tokens)?;
    found.rank(&tokens, &sale);
    let explained: Vec<_> =
        tokens.iter().map(|&data| found.explain(data, tokens.len(), &sale)).collect();
    if let ([Explained { error: Some(error), .. }], Some(digits)) = (&explained[..], digits) {
        return repair(&digits, error, &lists, &sale, as_json);
    }
    if as_json {
        for explained in &explained {
            json::print(&Explanation::new(explained, &found), false)?;
        }
    } else {
        write(&mut anstream::stdout().lock(), &explained, &found)?;
    }
    let is_open = |explained: &Explained<'_>| explained.trace.result().is_ok();
    Ok(if explained.iter().all(is_open) { Ending::Done } else { Ending::Refused })
}

/// What is known of the sale.
fn sale(flags: &ExplainFlags) -> Done<Sale> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.map_or(0, |since| since.as_secs().cast_signed());
    let sold_at = flags.sold_at.as_deref().map(|text| {
        let noon = format!("{text}T12:00Z");
        let minute = time::minute(text).or_else(|| time::minute(&noon));
        minute.ok_or_else(|| {
            let expected = format!("expected a day such as 2004-03-01, or {}", time::EXPECTED);
            Failure::flag("--sold-at", format!("{expected}, found {text}"))
        })
    });
    let service = flags.service.as_deref().map(|name| {
        name.parse().map_err(|_| {
            let expected = "expected electricity, water, gas or time";
            Failure::flag("--service", format!("{expected}, found {name}"))
        })
    });
    Ok(Sale {
        now: UtcMinute::from_unix_seconds(now),
        sold_at: sold_at.transpose()?,
        service: service.transpose()?,
    })
}

/// The digits of the only token in a text.
fn to_repair(typed: &str) -> Done<[u8; TOKEN_DIGITS]> {
    match token_numbers(typed)?[..] {
        [digits] => Ok(digits),
        ref several => {
            let problem = format!("expected one token, found {}", several.len());
            Err(Failure::flag("--repair", problem).next("repair one token at a time"))
        }
    }
}

/// Prints every token, the search for its key, and what came out.
fn write(out: &mut impl Write, explained: &[Explained<'_>], found: &Found) -> io::Result<()> {
    for (index, Explained { trace, key, readings, .. }) in explained.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        let base_date = match &readings[..] {
            [(_, reading)] => reading.base_date,
            _ => None,
        };
        write_trace(out, trace, key.map(Candidate::algorithm), base_date)?;
    }
    write_search(out, found, explained)?;
    writeln!(out)?;
    if found.matches.len() > 1 {
        let verdict = format!(
            "{} keys fit, the likelier first: {}",
            found.matches.len(),
            "a second token of the same meter tells them apart"
        );
        return writeln!(out, "{}  {verdict}", styled(WRONG, "no verdict"));
    }
    explained.iter().try_for_each(|explained| write_result(out, explained))
}

/// The result of the search for a key.
fn write_search(
    out: &mut impl Write,
    found: &Found,
    explained: &[Explained<'_>],
) -> io::Result<()> {
    let Found { tried, matches, .. } = found;
    if matches.is_empty() && tried.keys < 2 && tried.skipped.is_none() {
        return Ok(());
    }
    writeln!(out)?;
    write_skipped(out, tried)?;
    if let [key] = &matches[..] {
        writeln!(out, "{}  {}", styled(RESULT, "opened by"), key.name())?;
    }
    if let [_, _, ..] = matches[..] {
        for (index, key) in matches.iter().take(SHOWN).enumerate() {
            writeln!(out, "{:>3}  {}", index + 1, styled(RESULT, key.name()))?;
            let readings = explained.iter().filter_map(|explained| explained.readings.get(index));
            for (_, reading) in readings {
                write_reading(out, reading)?;
            }
        }
        write_rest(out, matches.len())?;
    }
    if matches.is_empty() && tried.keys > 1 {
        let message = found.no_key(explained.len()).message;
        let message = message.strip_prefix("number: ").unwrap_or(&message);
        writeln!(out, "{}  {message}", styled(WRONG, "no key"))?;
    }
    if tried.keys > 1 && !matches.is_empty() {
        let enciphered = explained.iter().filter(|is| is.data.class().is_enciphered()).count();
        let by_chance = chance(tried.keys.into(), enciphered);
        let what = if enciphered > 1 { "all of them" } else { "it" };
        let remark =
            format!("{} keys tried; by chance {by_chance} wrong ones open {what}", tried.keys);
        writeln!(out, "{}", styled(QUIET, remark))?;
    }
    Ok(())
}

fn write_skipped(out: &mut impl Write, tried: &Tried) -> io::Result<()> {
    let Some((count, error)) = &tried.skipped else { return Ok(()) };
    let remark = format!("{count} of the combinations give no key; the first: {}", error.message);
    writeln!(out, "{}", styled(QUIET, remark))
}

/// What a token says under one key, and what speaks against it.
fn write_reading(out: &mut impl Write, reading: &Reading) -> io::Result<()> {
    writeln!(out, "     {}", sentence(&reading.token, reading.base_date))?;
    match &reading.doubts[..] {
        [] => writeln!(out, "     {}", styled(QUIET, "nothing speaks against it")),
        doubts => writeln!(out, "     {}  {}", styled(WRONG, "doubt"), doubts.join("; ")),
    }
}

fn write_rest(out: &mut impl Write, all: usize) -> io::Result<()> {
    match all.checked_sub(SHOWN) {
        Some(rest) if rest > 0 => {
            let remark = format!("     and {rest} less likely ones; --json prints all");
            writeln!(out, "{}", styled(QUIET, remark))
        }
        _ => Ok(()),
    }
}

/// About how many of so many wrong tries open so many tokens, to two places.
fn chance(tries: u128, tokens: usize) -> String {
    let divisor = CHANCE.saturating_pow(tokens.try_into().unwrap_or(u32::MAX));
    match (100 * tries + divisor / 2) / divisor {
        0 => "fewer than 0.01".to_owned(),
        hundredths => format!("about {}.{:02}", hundredths / 100, hundredths % 100),
    }
}

/// The last lines about one token: what it is, or why it was refused.
fn write_result(out: &mut impl Write, explained: &Explained<'_>) -> io::Result<()> {
    let Explained { data, trace, readings, error, .. } = explained;
    let Some(error) = error else {
        let Ok(token) = trace.result() else { return Ok(()) };
        let reading = readings.first();
        let base_date = reading.and_then(|(_, reading)| reading.base_date);
        writeln!(out, "{}  {}", styled(RESULT, "token"), sentence(token, base_date))?;
        let Some((key, reading)) = reading else { return Ok(()) };
        for doubt in &reading.doubts {
            writeln!(out, "{}  {doubt}", styled(WRONG, "doubt"))?;
        }
        let other = key.base_dates.iter().filter(|&&base| Some(base) != base_date);
        for base in other {
            let Some(identifier) = token.identifier() else { continue };
            let minute = Printed(base.minute_of(identifier));
            let remark = format!("with base date {base} it was issued {minute}");
            writeln!(out, "{}", styled(QUIET, remark))?;
        }
        return Ok(());
    };
    let refused = styled(WRONG, "refused");
    match trace.result() {
        Err(OpenError::KeyNeeded { .. }) if error.code == RecordCode::Crc => writeln!(
            out,
            "{refused}  no key fits: another meter's token, another key, or a mistyped digit"
        ),
        Err(error @ OpenError::KeyNeeded { .. }) => writeln!(
            out,
            "{refused}  {error}: give --decoder-key, or --vending-key with --pan and --sgc"
        ),
        Err(error @ OpenError::Checksum { .. }) if data.class() == Class::Display => {
            let advice = "a mistyped digit, or no token; class 1 has neither key nor meter";
            writeln!(out, "{refused}  {error}: {advice}")
        }
        Err(error @ OpenError::Checksum { .. }) => writeln!(
            out,
            "{refused}  {error}: another meter's token, another key, or a mistyped digit"
        ),
        Err(error) => writeln!(out, "{refused}  {error}"),
        Ok(_) => Ok(()),
    }
}

/// Lists the tokens that are one slip away from digits that do not open.
fn repair(
    digits: &[u8; TOKEN_DIGITS],
    error: &RecordError,
    lists: &KeyLists<'_>,
    sale: &Sale,
    as_json: bool,
) -> Done<Ending> {
    let (tried, repairs) = lists.repair(digits, sale)?;
    if as_json {
        json::print(&RepairAnswer::new(digits, error, &tried, &repairs), false)?;
    } else {
        write_repairs(&mut anstream::stdout().lock(), digits, error, &tried, &repairs)?;
    }
    Ok(Ending::Refused)
}

fn write_repairs(
    out: &mut impl Write,
    digits: &[u8; TOKEN_DIGITS],
    error: &RecordError,
    tried: &Tried,
    repairs: &[Repair],
) -> io::Result<()> {
    let groups: Vec<_> = digits.chunks(4).map(String::from_utf8_lossy).collect();
    let message = error.message.strip_prefix("number: ").unwrap_or(&error.message);
    writeln!(out, "as typed  {}", groups.join(" "))?;
    writeln!(out, "{}  {message}", styled(WRONG, "refused"))?;
    writeln!(out)?;
    write_skipped(out, tried)?;
    for (index, Repair { data, slip, key, reading }) in repairs.iter().take(SHOWN).enumerate() {
        let number = styled(RESULT, format_args!("{data:#}"));
        writeln!(out, "{:>3}  {number}  if {slip}", index + 1)?;
        if let Some(key) = key {
            writeln!(out, "     {}", styled(QUIET, key))?;
        }
        write_reading(out, reading)?;
    }
    write_rest(out, repairs.len())?;
    let slips = prepay_lab::slips(digits).len();
    let tries = u128::from(tried.keys.max(1)) * slips as u128;
    let keys = match tried.keys {
        0 => "no key".to_owned(),
        1 => "one key".to_owned(),
        keys => format!("{keys} keys"),
    };
    let by_chance = chance(tries, 1);
    let remark =
        format!("{slips} numbers one slip away tried with {keys}; by chance {by_chance} open");
    writeln!(out, "{}", styled(QUIET, remark))?;
    writeln!(out)?;
    match repairs {
        [] => writeln!(
            out,
            "{}  no digit or swap of neighbours alone mends it: another meter's token or another key",
            styled(WRONG, "no verdict")
        ),
        _ => writeln!(
            out,
            "{}  compare the digits named with the receipt",
            styled(WRONG, "no verdict")
        ),
    }
}

/// A failure to open a token, with the advice that fits its class.
pub(super) fn open_failure(data: TokenData, error: RecordError) -> Failure {
    let advice = advice(data.class(), error.code);
    let failure = Failure::from(error);
    advice.map_or(failure.clone(), |advice| failure.next(advice))
}
