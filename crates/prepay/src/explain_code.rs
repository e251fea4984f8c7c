//! `prepay explain-code`: what a code means, why it comes, who has to act, and what to do.

use std::io::Write;

use prepay_records::explain::{self, AREAS, Explanation};

use crate::failure::{Done, Ending, Failure};
use crate::json;
use crate::paint::{HEADING, QUIET, styled};

/// Explains one code, or lists all of them.
pub(crate) fn run(code: Option<&str>, as_json: bool) -> Done<Ending> {
    let Some(code) = code else { return list(as_json) };
    let row = explain::explain(code).ok_or_else(|| unknown(code))?;
    if as_json {
        json::print(row, false)?;
        return Ok(Ending::Done);
    }
    let mut out = anstream::stdout().lock();
    writeln!(out, "{}  {}", styled(HEADING, row.code), row.meaning)?;
    writeln!(out, "  cause  {}", row.cause)?;
    writeln!(out, "  who    {}", row.who.words())?;
    writeln!(out, "  next   {}", row.next)?;
    Ok(Ending::Done)
}

/// Lists all codes with their meaning, by what they are about.
fn list(as_json: bool) -> Done<Ending> {
    if as_json {
        explain::explanations().try_for_each(|row| json::print(row, false))?;
        return Ok(Ending::Done);
    }
    let length = |row: &Explanation| row.code.len();
    let width = explain::explanations().map(length).max().unwrap_or_default();
    let mut out = anstream::stdout().lock();
    for area in AREAS {
        writeln!(out, "{}", styled(HEADING, area.title))?;
        for row in area.rows {
            writeln!(out, "  {:width$}  {}", row.code, styled(QUIET, row.meaning))?;
        }
    }
    Ok(Ending::Done)
}

fn unknown(code: &str) -> Failure {
    let failure = Failure::refused("code_unknown", format!("there is no code {code:?}"));
    match explain::near(code).as_slice() {
        [] => failure,
        near => failure.next(format!("perhaps {} was meant", near.join(" or "))),
    }
}
