//! A table of a tariff file, and a value in it: each knows its place, and says what is wrong with it.

use std::cell::RefCell;
use std::ops::RangeInclusive;

use rust_decimal::Decimal;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::{Fault, is_amount};

/// Decimal places of a figure, at most.
const PLACES: u32 = 10;

/// The text and its faults.
pub(super) struct Reader<'t> {
    text: &'t str,
    faults: RefCell<Vec<Fault>>,
}

impl<'t> Reader<'t> {
    pub(super) const fn new(text: &'t str) -> Self {
        Self { text, faults: RefCell::new(Vec::new()) }
    }

    pub(super) fn is_clean(&self) -> bool {
        self.faults.borrow().is_empty()
    }

    pub(super) fn into_faults(self) -> Vec<Fault> {
        let mut faults = self.faults.into_inner();
        faults.sort();
        faults.dedup();
        faults
    }

    fn line(&self, place: usize) -> usize {
        let before = &self.text.as_bytes()[..place.min(self.text.len())];
        1 + before.iter().filter(|&&byte| byte == b'\n').count()
    }

    pub(super) fn fault(&self, place: usize, text: impl Into<String>) {
        let fault = Fault { line: self.line(place), text: text.into() };
        self.faults.borrow_mut().push(fault);
    }
}

/// A table.
#[derive(Clone, Copy)]
pub(super) struct Table<'r, 't> {
    reader: &'r Reader<'t>,
    table: &'r DeTable<'t>,
    place: usize,
    what: &'static str,
}

impl<'r, 't> Table<'r, 't> {
    /// A table that may have these words; others are faults.
    pub(super) fn new(
        reader: &'r Reader<'t>,
        table: &'r DeTable<'t>,
        place: usize,
        what: &'static str,
        words: &[&str],
    ) -> Self {
        for key in table.keys().filter(|key| !words.contains(&key.get_ref().as_ref())) {
            let found = key.get_ref();
            let meant = meant(found, words.iter().copied());
            reader.fault(key.span().start, format!("{what} has no {found:?}; {meant}"));
        }
        Self { reader, table, place, what }
    }

    pub(super) fn has(&self, word: &str) -> bool {
        self.table.contains_key(word)
    }

    pub(super) fn get(&self, word: &'static str) -> Option<Given<'r, 't>> {
        let value = self.table.get(word)?;
        Some(Given { reader: self.reader, word, value })
    }

    pub(super) fn required(&self, word: &'static str) -> Option<Given<'r, 't>> {
        let given = self.get(word);
        if given.is_none() {
            self.fault(format!("{} needs {word:?}", self.what));
        }
        given
    }

    pub(super) fn fault(&self, text: impl Into<String>) {
        self.reader.fault(self.place, text);
    }

    /// A fault at a word of the table, or at the table.
    pub(super) fn fault_at(&self, word: &str, text: impl Into<String>) {
        let place = self.table.get(word).map_or(self.place, |value| value.span().start);
        self.reader.fault(place, text);
    }

    /// The tables in a table, by name, in the order of the file.
    pub(super) fn named_tables(
        &self,
        word: &'static str,
        what: &'static str,
        words: &[&str],
    ) -> Vec<(&'r str, Self)> {
        let Some(given) = self.get(word) else { return Vec::new() };
        let Some(tables) = given.entries() else {
            given.wrong::<()>(&format!("tables such as [{word}.NAME]"));
            return Vec::new();
        };
        let mut named = Vec::new();
        for (name, given) in tables {
            if !is_name(name) {
                given.fault(format!("{name:?} is no name: {NAME}"));
            }
            named.extend(given.table(what, words).map(|table| (name, table)));
        }
        named.sort_by_key(|(_, table)| table.place);
        named
    }
}

/// What a name is.
pub(super) const NAME: &str = "expected small letters, digits and _, a letter first";

/// Whether a text may name a class, a rate or a line.
pub(super) fn is_name(text: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    text.starts_with(|first: char| first.is_ascii_lowercase()) && text.bytes().all(good)
}

/// Whether a letter has no place in what is printed: control and hidden characters, and those that turn the order of the
/// letters around them.
pub(crate) fn unprintable(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

/// What may have been meant: the nearest word, and all.
pub(crate) fn meant<'a>(found: &str, words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.collect();
    let all = if words.is_empty() { "none".to_owned() } else { words.join(", ") };
    let changes = words.iter().map(|word| (strsim::osa_distance(found, word), *word));
    match changes.min() {
        Some((changes, word)) if changes <= 1 + found.len() / 4 => {
            format!("did you mean {word:?}? there are: {all}")
        }
        _ => format!("there are: {all}"),
    }
}

/// A value under a word.
#[derive(Clone, Copy)]
pub(super) struct Given<'r, 't> {
    reader: &'r Reader<'t>,
    word: &'static str,
    value: &'r Spanned<DeValue<'t>>,
}

impl<'r, 't> Given<'r, 't> {
    pub(super) fn value(&self) -> &'r DeValue<'t> {
        self.value.get_ref()
    }

    pub(super) fn line(&self) -> usize {
        self.reader.line(self.value.span().start)
    }

    pub(super) fn fault(&self, text: impl Into<String>) {
        self.reader.fault(self.value.span().start, text);
    }

    /// That something else was expected.
    pub(super) fn wrong<T>(&self, expected: &str) -> Option<T> {
        let found = self.reader.text.get(self.value.span()).unwrap_or_default();
        let short: String = found.lines().next().unwrap_or_default().chars().take(40).collect();
        self.fault(format!("{}: expected {expected}, found {short}", self.word));
        None
    }

    /// That there is no such name.
    pub(super) fn unknown<'a, T>(
        &self,
        what: &str,
        names: impl Iterator<Item = &'a str>,
    ) -> Option<T> {
        let found = self.value().as_str().unwrap_or_default().trim_start_matches('-');
        self.fault(format!("{}: no {what} is named {found:?}; {}", self.word, meant(found, names)));
        None
    }

    pub(super) fn text(&self) -> Option<String> {
        let text = match self.value() {
            DeValue::String(text) if !text.is_empty() => text,
            _ => return self.wrong("a text in quotes"),
        };
        if let Some(found) = text.chars().find(|&letter| unprintable(letter)) {
            let (word, found) = (self.word, u32::from(found));
            self.fault(format!("{word}: expected letters that print, found U+{found:04X}"));
            return None;
        }
        Some(text.to_string())
    }

    pub(super) fn truth(&self) -> Option<bool> {
        self.value().as_bool().or_else(|| self.wrong("true or false"))
    }

    /// One of these words.
    pub(super) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let Some(found) = self.value().as_str() else { return self.wrong("a word in quotes") };
        let names = words.iter().map(|(word, _)| *word);
        match words.iter().find(|(word, _)| *word == found) {
            Some((_, value)) => Some(*value),
            None => {
                self.fault(format!(
                    "{}: no such word, {found:?}; {}",
                    self.word,
                    meant(found, names)
                ));
                None
            }
        }
    }

    pub(super) fn whole(&self, range: RangeInclusive<u32>) -> Option<u32> {
        let number = self.value().as_integer().filter(|integer| integer.radix() == 10);
        let number = number.and_then(|integer| integer.as_str().parse().ok());
        number.filter(|number| range.contains(number)).or_else(|| {
            self.wrong(&format!("a whole number from {} to {}", range.start(), range.end()))
        })
    }

    /// A figure, exactly as it is written: a number, or one in quotes.
    pub(super) fn decimal(&self) -> Option<Decimal> {
        let text = match self.value() {
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str(),
            DeValue::Float(float) => float.as_str(),
            DeValue::String(text) => text,
            _ => return self.wrong("a number, such as 0.25"),
        };
        match crate::decimal::read(text) {
            None => self.wrong("a decimal number without an exponent, such as 0.25"),
            Some(value) if value.scale() > PLACES => {
                self.wrong(&format!("at most {PLACES} decimal places"))
            }
            Some(value) if !is_amount(value) => self.wrong("at most 18 digits"),
            value => value,
        }
    }

    pub(super) fn above_zero(&self) -> Option<Decimal> {
        let value = self.decimal()?;
        if value > Decimal::ZERO { Some(value) } else { self.wrong("a number above zero") }
    }

    /// An amount in the currency, above zero.
    pub(super) fn money(&self, decimals: u32) -> Option<Decimal> {
        let value = self.above_zero()?;
        if value.scale() > decimals {
            return self.wrong(&format!("an amount with at most {decimals} decimal places"));
        }
        Some(value)
    }

    pub(super) fn table(&self, what: &'static str, words: &[&str]) -> Option<Table<'r, 't>> {
        match self.value() {
            DeValue::Table(table) => {
                Some(Table::new(self.reader, table, self.value.span().start, what, words))
            }
            _ => self.wrong("a table"),
        }
    }

    /// Names and values, if it is a table.
    pub(super) fn entries(&self) -> Option<Vec<(&'r str, Self)>> {
        let DeValue::Table(table) = self.value() else { return None };
        let entry = |(key, value): (&'r Spanned<DeString<'t>>, &'r Spanned<DeValue<'t>>)| {
            (key.get_ref().as_ref(), Self { value, ..*self })
        };
        Some(table.iter().map(entry).collect())
    }

    /// The members of a list, at least one.
    pub(super) fn list(&self) -> Vec<Self> {
        match self.value() {
            DeValue::Array(values) if !values.is_empty() => {
                values.iter().map(|value| Self { value, ..*self }).collect()
            }
            _ => {
                self.wrong::<()>("a list with at least one member");
                Vec::new()
            }
        }
    }

    /// What the members of a list, which are tables, have under a word, if it is a text.
    pub(super) fn members_named(&self, word: &str) -> Vec<&'r str> {
        let DeValue::Array(members) = self.value() else { return Vec::new() };
        let name =
            |member: &'r Spanned<DeValue<'t>>| member.get_ref().get(word)?.get_ref().as_str();
        members.iter().filter_map(name).collect()
    }

    pub(super) fn is_list(&self) -> bool {
        matches!(self.value.get_ref(), DeValue::Array(_))
    }
}
