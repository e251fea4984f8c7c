//! How the commands of a module or a centre answer: as text for people, or as JSON, one object per line.
//!
//! An answer is a record of named values. As text, one record is a column of names and values, many are a
//! table. A module or centre that was made for tests says so in each of its answers: `TEST` before the text,
//! `"test": true` in each object.

use std::cell::Cell;
use std::fmt::Display;
use std::io::{self, Write};

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::Ending;
use crate::failure::{Done, Failure};
use crate::json;
use crate::paint::{HEADING, QUIET, RESULT, WRONG, styled};

/// Where answers go, and in which form.
pub(crate) struct Out {
    json: bool,
    /// What a test installation says before its first text.
    test_line: &'static str,
    test: Cell<bool>,
    is_told: Cell<bool>,
}

/// Named values, in the order in which they are shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record(Vec<(&'static str, Value)>);

impl Record {
    /// No values yet.
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// The same with one value more, as text.
    #[must_use]
    pub(crate) fn text(self, name: &'static str, value: impl Display) -> Self {
        self.value(name, value.to_string())
    }

    /// The same with one value more, if there is one.
    #[must_use]
    pub(crate) fn option(self, name: &'static str, value: Option<impl Display>) -> Self {
        self.value(name, value.map(|value| value.to_string()))
    }

    /// The same with one value more: text, number, truth or a list of texts.
    #[must_use]
    pub(crate) fn value(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    /// The same with one object more, of texts, numbers and lists under names.
    #[must_use]
    pub(crate) fn object(self, name: &'static str, value: &impl Serialize) -> Self {
        self.value(name, serde_json::to_value(value).expect("every name is a text"))
    }
}

impl Serialize for Record {
    /// An object, in the order of the values.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// Writes records as a table. `none` says what there is none of.
fn write_table(out: &mut dyn Write, none: &str, records: &[Record]) -> io::Result<()> {
    let Some(first) = records.first() else {
        return writeln!(out, "{}", styled(QUIET, format_args!("no {none}")));
    };
    let titles: Vec<String> = first.0.iter().map(|(name, _)| title(name)).collect();
    let rows: Vec<Vec<String>> = records
        .iter()
        .map(|record| record.0.iter().map(|(_, value)| shown(value)).collect())
        .collect();
    let length = |text: &String| text.chars().count();
    let widths: Vec<usize> = (0..titles.len())
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.chain([&titles[column]]).map(length).max().unwrap_or(0)
        })
        .collect();
    let line = |cells: &[String]| {
        let cells = cells.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    writeln!(out, "{}", styled(HEADING, line(&titles)))?;
    for row in &rows {
        writeln!(out, "{}", line(row))?;
    }
    Ok(())
}

/// A value as people read it.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(values) if values.is_empty() => "-".to_owned(),
        Value::Array(values) => values.iter().map(shown).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn title(name: &str) -> String {
    name.replace('_', " ")
}

impl Out {
    /// Answers as text or as JSON.
    pub(crate) const fn new(json: bool, test_line: &'static str) -> Self {
        Self { json, test_line, test: Cell::new(false), is_told: Cell::new(false) }
    }

    /// Whether answers are JSON.
    pub(crate) const fn is_json(&self) -> bool {
        self.json
    }

    /// Whether answers come from a test installation.
    pub(crate) const fn is_test(&self) -> bool {
        self.test.get()
    }

    /// From now on the answers come from a test installation, or from a real one.
    pub(crate) fn set_test(&self, test: bool) {
        self.test.set(test);
    }

    /// What stands before the first text of a test installation.
    fn begin(&self, out: &mut impl Write) -> io::Result<()> {
        if self.test.get() && !self.is_told.replace(true) {
            writeln!(out, "{}", styled(WRONG, self.test_line))?;
        }
        Ok(())
    }

    /// Says on standard error that a test installation answers, since standard output takes nothing else.
    pub(crate) fn begin_beside(&self) -> Done<()> {
        if self.json { Ok(()) } else { Ok(self.begin(&mut anstream::stderr().lock())?) }
    }

    /// Answers with a list: each row is an object on a line of its own, or all are one text.
    pub(crate) fn list(
        &self,
        rows: impl IntoIterator<Item: Serialize>,
        text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Done<()> {
        if self.json {
            let mut rows = rows.into_iter();
            return Ok(rows.try_for_each(|row| json::print(&row, self.test.get()))?);
        }
        let mut out = anstream::stdout().lock();
        self.begin(&mut out)?;
        text(&mut out)?;
        Ok(out.flush()?)
    }

    /// Writes rows for another program, each an object on a line of its own, also without `--json`.
    pub(crate) fn stream(&self, rows: &[impl Serialize]) -> Done<()> {
        Ok(rows.iter().try_for_each(|row| json::print(row, self.test.get()))?)
    }

    /// Answers with an object, or with a text of its own.
    pub(crate) fn answer(
        &self,
        answer: impl Serialize,
        text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Done<()> {
        self.list([answer], text)
    }

    /// Answers with one record.
    pub(crate) fn record(&self, record: &Record) -> Done<()> {
        self.answer(record, |out| {
            let width = record.0.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
            let mut pairs = record.0.iter();
            pairs.try_for_each(|(name, value)| {
                writeln!(out, "{:width$}  {}", title(name), shown(value))
            })
        })
    }

    /// Answers with many records, which all have the same names. `none` says what there is none of.
    pub(crate) fn table(&self, none: &str, records: &[Record]) -> Done<()> {
        self.list(records, |out| write_table(out, none, records))
    }

    /// Says in one line what was done, beside the record that a program reads.
    pub(crate) fn done(&self, sentence: impl Display, record: &Record) -> Done<()> {
        if self.json {
            return self.record(record);
        }
        let mut out = anstream::stdout().lock();
        self.begin(&mut out)?;
        Ok(writeln!(out, "{}", styled(RESULT, sentence))?)
    }

    /// Says what was done, and shows the record too.
    pub(crate) fn done_with(&self, sentence: impl Display, record: &Record) -> Done<()> {
        self.done(sentence, record)?;
        if self.json { Ok(()) } else { self.record(record) }
    }

    /// A remark for people only.
    pub(crate) fn remark(&self, remark: impl Display) {
        if !self.json {
            tell!("{}", styled(QUIET, remark));
        }
    }

    /// A document on standard output, as it is.
    pub(crate) fn document(&self, text: &str) -> Done<()> {
        self.begin_beside()?;
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        Ok(out.flush()?)
    }

    /// Prints why a command did not do what it was asked.
    pub(crate) fn failure(&self, failure: &Failure) -> io::Result<Ending> {
        if !self.json {
            let mut out = anstream::stderr().lock();
            self.begin(&mut out)?;
        }
        Ok(failure.print(self.json, self.test.get()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_in_words() {
        let list = Value::from(vec!["a", "b"]);
        let texts = [Value::Null, true.into(), false.into(), 5.into(), "x".into(), list];
        assert_eq!(texts.map(|value| shown(&value)), ["-", "yes", "no", "5", "x", "a, b"]);
    }
}
