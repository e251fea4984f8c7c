//! The syntax of the texts: lines of tagged items, one record per line, each with a checksum.
//!
//! ```text
//!   KAG;PRFopen-kmp-2;CRE2026-03-01T08:00:00Z;EPH3076…;…;SMIopen-kmp.SMID:module-7:01…EF;5C1B\n
//!   tag profile       item = tag of three letters, value                                 CRC
//! ```
//!
//! - The checksum is CRC-16/ARC of everything before it in the line, as four upper-case hexadecimal digits.
//! - Items follow the profile in rising order of their tags. None is empty, none comes twice.
//! - A value is printable ASCII without semicolon, in the one form that its type writes.
//! - Hence every text has one form: writing what was read gives the same bytes.

use std::fmt::{self, Display, Write};
use std::str::FromStr;

use crc::{CRC_16_ARC, Crc};

use super::{MAX_BYTES, PROFILE};
use crate::document::Seal;
use crate::value::{Hex, fill_from_hex, read_hex, shortened};
use crate::{DocumentError, MAX_KEYS};

const CRC: Crc<u16> = Crc::<u16>::new(&CRC_16_ARC);

/// The tag of the item that names the profile.
const PROFILE_TAG: &str = "PRF";

/// The most lines of a text: header, keys, authentication code, signature.
const MAX_LINES: usize = MAX_KEYS + 3;

/// One line.
pub(super) struct Record<'t> {
    /// The line's number, from 1.
    pub(super) line: usize,
    /// What the record is.
    pub(super) tag: &'t str,
    /// How many bytes of the text come before the line: a code or signature in the line covers them.
    pub(super) before: usize,
    items: Vec<(&'t str, &'t str)>, // Invariant: rising tags, no empty value.
}

/// Reads all lines of a text.
pub(super) fn read(text: &[u8]) -> Result<Vec<Record<'_>>, DocumentError> {
    if text.len() > MAX_BYTES {
        return Err(DocumentError::Size { most: MAX_BYTES, found: text.len() });
    }
    let fault = |line, problem| Err(DocumentError::Form { line, problem });
    if text.is_empty() {
        return fault(1, "empty text");
    }
    let mut records = Vec::new();
    let mut start = 0;
    for (line, bytes) in text.split_inclusive(|&byte| byte == b'\n').enumerate() {
        let line = line + 1;
        if line > MAX_LINES {
            return fault(line, "more lines than any text of this profile has");
        }
        let Some(content) = bytes.strip_suffix(b"\n") else {
            return fault(line, "the text is cut: its last line has no end");
        };
        let printable = |byte: &u8| (b' '..=b'~').contains(byte);
        let Some(content) =
            std::str::from_utf8(content).ok().filter(|_| content.iter().all(printable))
        else {
            return fault(line, "a character that is not printable ASCII");
        };
        records.push(read_line(content, line, start)?);
        start += bytes.len();
    }
    Ok(records)
}

fn read_line(content: &str, line: usize, before: usize) -> Result<Record<'_>, DocumentError> {
    let form = |problem| DocumentError::Form { line, problem };
    let end = content.rfind(';').ok_or_else(|| form("no items"))? + 1;
    let (checked, found) = content.split_at(end);
    let expected = format!("{:04X}", CRC.checksum(checked.as_bytes()));
    if found != expected {
        return Err(DocumentError::Checksum { line, expected, found: shortened(found) });
    }
    let mut parts = checked[..end - 1].split(';');
    let tag = parts.next().unwrap_or_default();
    let profile = parts.next().unwrap_or_default();
    if profile.strip_prefix(PROFILE_TAG) != Some(PROFILE) {
        return Err(DocumentError::Profile { line, found: shortened(profile) });
    }
    let mut items: Vec<(&str, &str)> = Vec::with_capacity(parts.size_hint().0);
    for part in parts {
        let (item, value) =
            part.split_at_checked(3).ok_or_else(|| form("an item shorter than its tag"))?;
        let problem = |problem: &str| {
            let (tag, problem) = (item.to_owned(), problem.to_owned());
            Err(DocumentError::Item { line, tag, problem })
        };
        if !item.bytes().all(|letter| letter.is_ascii_uppercase()) {
            return problem("expected a tag of three upper-case letters");
        }
        match items.last() {
            Some(&(last, _)) if last == item => return problem("twice"),
            Some(&(last, _)) if last > item => return problem("out of order"),
            _ if value.is_empty() => return problem("empty"),
            _ => items.push((item, value)),
        }
    }
    Ok(Record { line, tag, before, items })
}

impl<'t> Record<'t> {
    /// The items, to be taken in the order of their tags.
    pub(super) fn items(&self) -> Items<'_, 't> {
        Items { record: self, next: 0 }
    }

    /// The error of one item of this record.
    pub(super) fn fault(&self, tag: &str, problem: impl Display) -> DocumentError {
        let (tag, problem) = (tag.to_owned(), problem.to_string());
        DocumentError::Item { line: self.line, tag, problem }
    }
}

/// Takes the items of a record one by one. The caller names the tags in rising order.
pub(super) struct Items<'r, 't> {
    record: &'r Record<'t>,
    next: usize,
}

impl<'t> Items<'_, 't> {
    /// The value of the next item, if it has this tag.
    fn take(&mut self, tag: &str) -> Result<Option<&'t str>, DocumentError> {
        match self.record.items.get(self.next) {
            Some(&(found, value)) if found == tag => {
                self.next += 1;
                Ok(Some(value))
            }
            Some(&(found, _)) if found < tag => Err(self.record.fault(found, "unknown here")),
            _ => Ok(None),
        }
    }

    fn need(&mut self, tag: &str) -> Result<&'t str, DocumentError> {
        self.take(tag)?.ok_or_else(|| self.record.fault(tag, "missing"))
    }

    /// Whether the next item has this tag.
    pub(super) fn has(&self, tag: &str) -> bool {
        self.record.items.get(self.next).is_some_and(|&(found, _)| found == tag)
    }

    /// An item in the one form that its type writes.
    pub(super) fn get<T>(&mut self, tag: &str) -> Result<T, DocumentError>
    where
        T: FromStr<Err: Display> + Display,
    {
        let text = self.need(tag)?;
        self.parse(tag, text)
    }

    /// The same, where the item may be missing.
    pub(super) fn optional<T>(&mut self, tag: &str) -> Result<Option<T>, DocumentError>
    where
        T: FromStr<Err: Display> + Display,
    {
        self.take(tag)?.map(|text| self.parse(tag, text)).transpose()
    }

    fn parse<T>(&self, tag: &str, text: &str) -> Result<T, DocumentError>
    where
        T: FromStr<Err: Display> + Display,
    {
        let value: T = text.parse().map_err(|error| {
            self.record.fault(tag, format_args!("{}: {error}", shortened(text)))
        })?;
        let written = value.to_string();
        if written != text {
            let found = shortened(text);
            let problem = format!("expected the form {}, found {found}", shortened(&written));
            return Err(self.record.fault(tag, problem));
        }
        Ok(value)
    }

    /// An item of an exact number of bytes.
    pub(super) fn bytes<const N: usize>(&mut self, tag: &str) -> Result<[u8; N], DocumentError> {
        let text = self.need(tag)?;
        read_hex(text).ok_or_else(|| {
            let found = characters(text);
            let problem = format!("expected {} hexadecimal digits, found {found}", 2 * N);
            self.record.fault(tag, problem)
        })
    }

    /// An item of at most so many bytes.
    pub(super) fn bytes_up_to(&mut self, tag: &str, most: usize) -> Result<Vec<u8>, DocumentError> {
        let text = self.need(tag)?;
        let digits = text.len();
        let mut bytes = vec![0; digits / 2];
        if digits % 2 == 0 && digits <= 2 * most && fill_from_hex(text, &mut bytes) {
            return Ok(bytes);
        }
        let problem =
            format!("expected at most {} hexadecimal digits, found {}", 2 * most, characters(text));
        Err(self.record.fault(tag, problem))
    }

    /// Checks that nothing is left.
    pub(super) fn end(self) -> Result<(), DocumentError> {
        match self.record.items.get(self.next) {
            Some(&(found, _)) => Err(self.record.fault(found, "unknown here")),
            None => Ok(()),
        }
    }
}

/// The length of a value, in words.
fn characters(text: &str) -> String {
    format!("{} character{}", text.len(), if text.len() == 1 { "" } else { "s" })
}

/// Takes the records of a text one by one.
pub(super) struct Records<'r, 't> {
    records: &'r [Record<'t>],
    next: usize,
}

impl<'r, 't> Records<'r, 't> {
    pub(super) const fn new(records: &'r [Record<'t>]) -> Self {
        Self { records, next: 0 }
    }

    /// The next record, which must be of this kind.
    pub(super) fn take(&mut self, tag: &'static str) -> Result<&'r Record<'t>, DocumentError> {
        match self.records.get(self.next) {
            Some(record) if record.tag == tag => {
                self.next += 1;
                Ok(record)
            }
            other => Err(self.misplaced(tag, other)),
        }
    }

    /// The only item of the next record, which must be of this kind, and how many bytes come before it.
    pub(super) fn seal<const N: usize>(
        &mut self,
        tag: &'static str,
    ) -> Result<Seal<N>, DocumentError> {
        let record = self.take(tag)?;
        let mut items = record.items();
        let value = items.bytes(VALUE)?;
        items.end()?;
        Ok(Seal { length: record.before, value })
    }

    /// Checks that nothing is left.
    pub(super) fn end(self) -> Result<(), DocumentError> {
        match self.records.get(self.next) {
            Some(record) => Err(self.misplaced("the end of the text", Some(record))),
            None => Ok(()),
        }
    }

    fn misplaced(&self, expected: &'static str, found: Option<&Record<'_>>) -> DocumentError {
        let found = found.map_or(String::new(), |record| shortened(record.tag));
        DocumentError::Record { line: self.next + 1, expected, found }
    }
}

/// The item of a code or a signature.
const VALUE: &str = "VAL";

/// Writes the lines of a text.
#[derive(Default)]
pub(super) struct Writer {
    text: String,
    line: usize, // Where the line being written begins.
}

impl Writer {
    /// Begins a record.
    pub(super) fn record(&mut self, tag: &str) -> &mut Self {
        self.line = self.text.len();
        self.put(format_args!("{tag};{PROFILE_TAG}{PROFILE};"));
        self
    }

    /// Adds an item. The caller names the tags in rising order.
    pub(super) fn item(&mut self, tag: &str, value: impl Display) -> &mut Self {
        self.put(format_args!("{tag}{value};"));
        self
    }

    /// Adds an item if there is a value.
    pub(super) fn optional(&mut self, tag: &str, value: Option<impl Display>) -> &mut Self {
        match value {
            Some(value) => self.item(tag, value),
            None => self,
        }
    }

    /// Ends the record.
    pub(super) fn end(&mut self) -> &mut Self {
        let checksum = CRC.checksum(&self.text.as_bytes()[self.line..]);
        self.put(format_args!("{checksum:04X}\n"));
        self
    }

    /// A whole record of a code or a signature.
    pub(super) fn seal(&mut self, tag: &str, value: &[u8]) {
        self.record(tag).item(VALUE, Hex(value)).end();
    }

    /// What is written so far.
    pub(super) fn so_far(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// The whole text.
    pub(super) fn finish(self) -> String {
        self.text
    }

    fn put(&mut self, text: fmt::Arguments<'_>) {
        self.text.write_fmt(text).expect("a string takes every text");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(content: &str) -> String {
        format!("{content}{:04X}\n", CRC.checksum(content.as_bytes()))
    }

    #[test]
    fn lines_that_are_no_records_are_refused_by_name() {
        // (text, code): one fault each.
        let cases = [
            (String::new(), "form"),
            ("\n".to_owned(), "form"),
            ("KAG\n".to_owned(), "form"),
            (line("KAG;PRFopen-kmp-2;ABC1;").replace('\n', ""), "form"),
            (line("KAG;PRFopen-kmp-2;ABC\t1;"), "form"),
            (line("KAG;PRFopen-kmp-2;ABC\u{e9};"), "form"),
            ("KAG;PRFopen-kmp-2;ABC1;0000\n".to_owned(), "checksum"),
            (line("KAG;PRFopen-kmp-2;ABC1;").to_lowercase(), "checksum"),
            (line("KAG;PRFopen-kmp-2;ABC1;").replace('\n', "\r\n"), "form"),
            (line("KAG;PRFopen-kmp-3;ABC1;"), "profile"),
            (line("KAG;ABC1;"), "profile"),
            (line("KAG;"), "profile"),
            (line("KAG;PRFopen-kmp-2;;"), "form"),
            (line("KAG;PRFopen-kmp-2;AB;"), "form"),
            (line("KAG;PRFopen-kmp-2;abc1;"), "item"),
            (line("KAG;PRFopen-kmp-2;ABC;"), "item"),
            (line("KAG;PRFopen-kmp-2;ABC1;ABC1;"), "item"),
            (line("KAG;PRFopen-kmp-2;ABC1;ABB1;"), "item"),
            ("x".repeat(MAX_BYTES + 1), "size"),
            (line("K;PRFopen-kmp-2;").repeat(MAX_LINES + 1), "form"),
        ];
        for (text, code) in cases {
            let found = read(text.as_bytes()).map(|_| ()).map_err(|error| error.code());
            assert_eq!(found, Err(code), "{:?}", shortened(&text));
        }
        assert_eq!(read(line("KAG;PRFopen-kmp-2;").as_bytes()).unwrap().len(), 1);
    }

    #[test]
    fn the_edition_before_is_refused_by_the_names_of_both() {
        let text = line("KAC;PRFopen-kmp-1;CRE2026-03-01T08:00:00Z;");
        let refused = read(text.as_bytes()).map(drop).unwrap_err();
        let expected =
            "line 1: another profile, expected \"PRFopen-kmp-2\", found \"PRFopen-kmp-1\"";
        assert_eq!((refused.code(), refused.to_string().as_str()), ("profile", expected));
    }

    #[test]
    fn items_are_taken_in_order_and_all_of_them() {
        let text = line("KAG;PRFopen-kmp-2;ABC1;ABD07;ABEFF;");
        let records = read(text.as_bytes()).unwrap();
        let record = &records[0];
        let problem = |result: Result<(), DocumentError>| match result {
            Err(DocumentError::Item { tag, problem, .. }) => format!("{tag} {problem}"),
            other => panic!("{other:?}"),
        };
        assert_eq!(record.items().get::<u8>("ABC"), Ok(1));
        let missing = record.items().get::<u8>("ABA").map(drop);
        assert_eq!(problem(missing), "ABA missing");
        let unknown = record.items().get::<u8>("ABD").map(drop);
        assert_eq!(problem(unknown), "ABC unknown here");
        assert_eq!(record.items().optional::<u8>("ABA"), Ok(None));
        let mut items = record.items();
        assert_eq!(items.get::<u8>("ABC"), Ok(1));
        assert_eq!(problem(items.get::<u8>("ABD").map(drop)), "ABD expected the form 7, found 07");
        assert_eq!(items.bytes::<1>("ABE"), Ok([0xFF]));
        assert_eq!(items.end(), Ok(()));
        assert_eq!(problem(record.items().end()), "ABC unknown here");
    }
}
