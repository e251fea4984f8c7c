//! One line of a session: the shape of a JSON object, and nothing about what a module does with it.
//!
//! [`parse_line`] is a pure function of any bytes. Every field stands at most once; nothing nests deeper than
//! the fields of a token.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read};

use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::order::{self, Ask, Fields};
use crate::failure::Failure;

/// The longest line, in bytes, without its end. A request of every field is below 2000.
pub(super) const LONGEST_LINE: usize = 64 * 1024;

/// The longest `id`, in bytes.
const LONGEST_ID: usize = 200;

/// How much is read at a time.
const BUFFER: usize = 256 * 1024;

/// What a line asks.
#[derive(Debug)]
pub(super) struct Line {
    /// What the answer repeats; null when there is none, or it could not be read.
    pub(super) id: Value,
    /// The question, or why it is none.
    pub(super) ask: Result<Ask, Failure>,
}

/// Reads one line, without its end.
pub(super) fn parse_line(line: &[u8]) -> Line {
    let mut fields = match fields(line) {
        Ok(fields) => fields,
        Err(problem) => return Line::bad(problem),
    };
    match order::take(&mut fields, "id") {
        None => Line { id: Value::Null, ask: order::read(fields) },
        Some(Value::String(id)) if id.len() <= LONGEST_ID => {
            Line { id: id.into(), ask: order::read(fields) }
        }
        Some(Value::Number(id)) if id.is_u64() || id.is_i64() => {
            Line { id: id.into(), ask: order::read(fields) }
        }
        Some(_) => {
            let expected = format!("a string of at most {LONGEST_ID} bytes or a whole number");
            Line::bad(format!("id: expected {expected}"))
        }
    }
}

impl Line {
    fn bad(problem: impl fmt::Display) -> Self {
        Self { id: Value::Null, ask: Err(Failure::refused("bad_json", problem)) }
    }

    /// A line that is too long.
    fn too_long() -> Self {
        Self::bad(format!("line too long: expected at most {LONGEST_LINE} bytes"))
    }
}

/// Reads an object without repeated fields.
struct Object;

impl<'de> Visitor<'de> for Object {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields: Self::Value = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            if fields.iter().any(|(other, _)| *other == name) {
                let name = order::short(&name);
                return Err(A::Error::custom(format_args!("{name:?} stands twice")));
            }
            fields.push((name, map.next_value()?));
        }
        Ok(fields)
    }
}

/// Reads an object whose values have not been looked into.
fn object(text: &[u8]) -> serde_json::Result<Vec<(String, &RawValue)>> {
    // Of anything else the error would repeat the value, however long.
    if !text.trim_ascii_start().starts_with(b"{") {
        return Err(serde_json::Error::custom("expected an object"));
    }
    let mut input = serde_json::Deserializer::from_slice(text);
    let fields = input.deserialize_map(Object)?;
    input.end()?;
    Ok(fields)
}

/// Reads a value that is neither an array nor an object.
fn scalar(text: &RawValue) -> serde_json::Result<Value> {
    match text.get().as_bytes().first() {
        Some(b'[') => Err(serde_json::Error::custom("no field takes an array")),
        Some(b'{') => Err(serde_json::Error::custom("an object stands too deep")),
        _ => serde_json::from_str(text.get()),
    }
}

/// Reads the value of a field: a scalar, or an object of scalars.
fn value(text: &RawValue) -> serde_json::Result<Value> {
    if !text.get().starts_with('{') {
        return scalar(text);
    }
    let fields = object(text.get().as_bytes())?.into_iter();
    fields.map(|(name, text)| read(name, text, scalar)).collect::<Result<_, _>>().map(Value::Object)
}

/// Reads the value of a field, so that an error names the field.
fn read(
    name: String,
    text: &RawValue,
    how: fn(&RawValue) -> serde_json::Result<Value>,
) -> serde_json::Result<(String, Value)> {
    match how(text) {
        Ok(value) => Ok((name, value)),
        Err(error) => {
            Err(serde_json::Error::custom(format_args!("{}: {error}", order::short(&name))))
        }
    }
}

/// The fields of an object.
fn fields(line: &[u8]) -> serde_json::Result<Fields> {
    object(line)?.into_iter().map(|(name, text)| read(name, text, value)).collect()
}

/// The lines of a stream.
pub(super) struct Lines<R> {
    input: BufReader<R>,
    held: Vec<u8>,
}

impl<R: Read> Lines<R> {
    /// The lines of this.
    pub(super) fn new(input: R) -> Self {
        Self { input: BufReader::with_capacity(BUFFER, input), held: Vec::new() }
    }

    /// Whether another whole line has arrived, so that asking for it does not wait.
    pub(super) fn is_waiting(&self) -> bool {
        self.input.buffer().contains(&b'\n')
    }

    /// The next line that is not blank; nothing at the end. Waits for it.
    pub(super) fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            self.held.clear();
            let most = LONGEST_LINE as u64 + 2;
            self.input.by_ref().take(most).read_until(b'\n', &mut self.held)?;
            if self.held.is_empty() {
                return Ok(None);
            }
            let line = self.held.strip_suffix(b"\n");
            let text = line.unwrap_or(&self.held);
            if text.len() > LONGEST_LINE {
                if line.is_none() {
                    self.input.skip_until(b'\n')?;
                }
                return Ok(Some(Line::too_long()));
            }
            if !text.iter().all(u8::is_ascii_whitespace) {
                return Ok(Some(parse_line(text)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREDIT: &str = r#"{"id":"a","op":"issue_credit","request":"000102030405060708090a0b0c0d0e0f","register":1,"pan":"600727000000000009","ea":"07","ti":"01","tct":"02","token":{"type":"credit","service":"electricity","amount":"25.6"},"issued_at":"2026-03-01T13:55Z"}"#;

    fn code(line: &str) -> String {
        match parse_line(line.as_bytes()).ask {
            Ok(_) => "ok".to_owned(),
            Err(failure) => failure.to_json()["code"].as_str().unwrap().to_owned(),
        }
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
    fn lines_end_at_line_feeds_and_long_ones_are_skipped() {
        let long = "x".repeat(LONGEST_LINE + 1);
        let text = format!("\n{{\"op\":\"clock\"}}\r\n{long}\n \n{{\"op\":\"status\"}}");
        let mut lines = Lines::new(text.as_bytes());
        let mut found = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            found.push(line.ask.map_err(|failure| failure.to_json()["message"].to_string()));
        }
        assert_eq!(found.len(), 3);
        assert_eq!(found[0], Ok(Ask::Clock));
        assert!(found[1].as_ref().unwrap_err().contains("line too long"));
        assert_eq!(found[2], Ok(Ask::Status));
        let exact = format!("{}\n{{\"op\":\"clock\"}}", " ".repeat(LONGEST_LINE));
        assert_eq!(Lines::new(exact.as_bytes()).next().unwrap().unwrap().ask.unwrap(), Ask::Clock);
    }
}
