//! Closed segments of the audit log: what was the log before a rotation, each a file of the vault.
//!
//! ```text
//!  audit-1-90000.log   audit-90001-180000.log   audit.log
//!  header | entries    header | entries         header | entries
//!        `-- hash of the last entry -->  `-- hash -->
//! ```
//!
//! A segment begins like any log, with a header that has the number and the hash of the entry before it. So each can be
//! verified alone, and all of them as one chain. The sealed contents list them with their ends. A segment that was
//! archived is kept elsewhere; an open vault needs none of them.
//!
//! - Form: `docs/formats/audit-log.md`.
//! - Elsewhere: when the log is rotated (`rotation.rs`), reading the log that is written (`audit.rs`).

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use super::audit::{self, HEADER, LogHeader, Scanner};
use super::record::{BadEntry, LogMac, Position, Problem, Record};
use super::{AuditMark, Entries};
use crate::VaultFiles;
use prepay_basics::codec::{DecodeError, Reader, Writer};

/// What the names of all segments begin and end with.
const PREFIX: &str = "audit-";
const SUFFIX: &str = ".log";

/// Reads bytes of a segment from an offset into a buffer; returns how many, zero at the end.
pub type SegmentSource = Arc<dyn Fn(u64, &mut [u8]) -> io::Result<usize> + Send + Sync>;

/// Segments that are kept elsewhere, by their [names](Segment::name).
pub type Segments = BTreeMap<String, SegmentSource>;

/// A closed segment of an audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The entry before its first one.
    pub before: AuditMark,
    /// Its last entry.
    pub last: AuditMark,
    /// Its length in bytes.
    pub length: u64,
    /// Whether it is kept elsewhere.
    pub archived: bool,
}

impl Segment {
    /// The number of its first entry.
    pub const fn first(&self) -> u64 {
        self.before.sequence + 1
    }

    /// The name of its file.
    pub fn name(&self) -> String {
        format!("{PREFIX}{}-{}{SUFFIX}", self.first(), self.last.sequence)
    }

    /// The numbers of the first and the last entry, from the name of a file.
    pub fn parse_name(name: &str) -> Option<(u64, u64)> {
        let numbers = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
        let (first, last) = numbers.split_once('-')?;
        let (first, last) = (first.parse().ok()?, last.parse().ok()?);
        (0 < first && first <= last && format!("{PREFIX}{first}-{last}{SUFFIX}") == name)
            .then_some((first, last))
    }

    pub(super) fn header(&self, id: [u8; 16]) -> LogHeader {
        let AuditMark { sequence, hash } = self.before;
        LogHeader { id, sequence, hash }
    }

    pub(super) const fn start(&self) -> Position {
        let AuditMark { sequence, hash } = self.before;
        Position { sequence, length: HEADER as u64, hash }
    }

    const fn end(&self) -> Position {
        let AuditMark { sequence, hash } = self.last;
        Position { sequence, length: self.length, hash }
    }

    pub(super) fn encode(&self, writer: &mut Writer) {
        for AuditMark { sequence, hash } in [self.before, self.last] {
            writer.u64(sequence);
            writer.array(&hash);
        }
        writer.u64(self.length);
        writer.bool(self.archived);
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mark = |reader: &mut Reader<'_>| {
            Ok::<_, DecodeError>(AuditMark { sequence: reader.u64()?, hash: reader.array()? })
        };
        let (before, last) = (mark(reader)?, mark(reader)?);
        Ok(Self { before, last, length: reader.u64()?, archived: reader.bool()? })
    }
}

/// The names of the segments among the files of a vault, in order of their names.
///
/// # Errors
///
/// Errors of the files.
pub fn segments_in(files: &dyn VaultFiles) -> io::Result<Vec<String>> {
    let mut names = files.list(PREFIX)?;
    names.retain(|name| Segment::parse_name(name).is_some());
    Ok(names)
}

/// A segment to be read.
pub(super) struct Part {
    name: String,
    pub(super) first: u64,
    pub(super) last: u64,
    /// What the sealed contents say about it; nothing without them.
    known: Option<Segment>,
    /// Nothing if it is not here.
    source: Option<SegmentSource>,
}

/// Entries that are not here.
pub(super) struct Absent {
    pub(super) first: u64,
    pub(super) last: AuditMark,
}

/// How far reading came.
pub(super) enum Walked {
    /// Everything was read.
    Through,
    /// The reader had enough.
    Stopped,
    /// The next entry is wrong.
    Wrong(BadEntry),
}

impl Part {
    /// The segments that the sealed contents list.
    pub(super) fn listed(
        segments: &[Segment],
        files: &Arc<dyn VaultFiles>,
        given: &Segments,
    ) -> io::Result<Vec<Self>> {
        let here = segments_in(&**files)?;
        let part = |segment: &Segment| {
            let name = segment.name();
            let source = if here.contains(&name) {
                Some(of_file(files, &name))
            } else {
                given.get(&name).cloned()
            };
            let (first, last) = (segment.first(), segment.last.sequence);
            Self { name, first, last, known: Some(*segment), source }
        };
        Ok(segments.iter().map(part).collect())
    }

    /// Copies of segments that the sealed contents list.
    pub(super) fn copies(segments: &[Segment], copies: &Segments) -> impl Iterator<Item = Self> {
        segments.iter().map(|segment| {
            let name = segment.name();
            let source = copies.get(&name).cloned();
            let (first, last) = (segment.first(), segment.last.sequence);
            // Whatever was archived before: now there must be a copy.
            let known = Segment { archived: false, ..*segment };
            Self { name, first, last, known: Some(known), source }
        })
    }

    /// The segments that are here or given, by their names, in the order of their entries.
    pub(super) fn found(
        files: Option<&Arc<dyn VaultFiles>>,
        given: &Segments,
    ) -> io::Result<Vec<Self>> {
        let mut parts = Vec::new();
        let mut put = |name: &str, source| {
            if let Some((first, last)) = Segment::parse_name(name) {
                let (name, source) = (name.to_owned(), Some(source));
                parts.push(Self { name, first, last, known: None, source });
            }
        };
        if let Some(files) = files {
            segments_in(&**files)?.iter().for_each(|name| put(name, of_file(files, name)));
        }
        given.iter().for_each(|(name, source)| put(name, Arc::clone(source)));
        parts.sort_by_key(|part| (part.first, part.last));
        parts.dedup_by(|a, b| a.name == b.name);
        Ok(parts)
    }

    /// Whether it is kept elsewhere, so that nothing of it can be read.
    pub(super) const fn is_absent(&self) -> bool {
        self.source.is_none()
    }

    /// Its header, if it is here and begins like a log.
    pub(super) fn header(&self) -> io::Result<Option<LogHeader>> {
        let Some(source) = &self.source else { return Ok(None) };
        let mut bytes = [0; HEADER];
        let count = audit::read_full(&mut |offset, buffer| source(offset, buffer), 0, &mut bytes)?;
        Ok(LogHeader::decode(&bytes[..count]).ok())
    }

    pub(super) fn bad(&self, sequence: u64, offset: u64, problem: Problem) -> BadEntry {
        BadEntry { sequence, offset, segment: Some(self.name.clone()), problem }
    }

    /// Reads it from a position on, or from its beginning if that is before it, while `visit` returns true. The position
    /// moves along. What is not here is noted in `absent`.
    pub(super) fn walk<E: Entries>(
        &self,
        id: [u8; 16],
        place: &mut Option<Position>,
        mac: Option<&LogMac>,
        absent: &mut Vec<Absent>,
        visit: &mut dyn FnMut(Record<E>, &Position) -> bool,
    ) -> io::Result<Walked> {
        let wrong = |problem| Ok(Walked::Wrong(self.bad(self.first, 0, problem)));
        let Some(source) = &self.source else {
            let Some(known) = self.known.filter(|known| known.archived) else {
                return wrong(Problem::NoSegment);
            };
            absent.push(Absent { first: self.first, last: known.last });
            *place = Some(known.end());
            return Ok(Walked::Through);
        };
        let mut at = match *place {
            Some(within) if within.sequence >= self.first => within,
            before => {
                let expected = self.known.map(|known| known.header(id).encode());
                let Some(header) = self.header()? else { return wrong(Problem::Header) };
                let is_other = expected.is_some_and(|expected| expected != header.encode());
                if is_other || header.id != id || header.sequence + 1 != self.first {
                    return wrong(Problem::Header);
                }
                match pass(before, &header, absent) {
                    Ok(start) => start,
                    Err(problem) => return wrong(problem),
                }
            }
        };
        *place = Some(at);
        let read = Arc::clone(source);
        let mut scanner = Scanner::of(move |offset, buffer| read(offset, buffer), at.length);
        let mut last = at;
        let found = loop {
            if at.sequence >= self.last {
                let ends = scanner.is_at_end()?;
                let is_known = self.known.is_none_or(|known| known.end() == at);
                break match (ends, is_known) {
                    (true, true) => return Ok(Walked::Through),
                    (true, false) => (last, Problem::Changed),
                    (false, _) => (at, Problem::TooLong),
                };
            }
            match scanner.next::<E>(&at, mac)? {
                Some(Ok((record, after))) => {
                    (last, at) = (at, after);
                    *place = Some(at);
                    if !visit(record, &after) {
                        return Ok(Walked::Stopped);
                    }
                }
                None | Some(Err(Problem::Torn)) => break (at, Problem::Missing),
                Some(Err(problem)) => break (at, problem),
            }
        };
        let (at, problem) = found;
        Ok(Walked::Wrong(self.bad(at.sequence + 1, at.length, problem)))
    }
}

/// Passes from the end of one part of a log to the beginning of the next one. Entries between them are noted as absent.
pub(super) fn pass(
    before: Option<Position>,
    header: &LogHeader,
    absent: &mut Vec<Absent>,
) -> Result<Position, Problem> {
    let start = header.start();
    match before {
        Some(before) if before.sequence > start.sequence => Err(Problem::Header),
        Some(before) if before.sequence == start.sequence && before.hash != start.hash => {
            Err(Problem::OtherChain)
        }
        Some(before) if before.sequence < start.sequence => {
            absent.push(Absent { first: before.sequence + 1, last: start.into() });
            Ok(start)
        }
        _ => Ok(start),
    }
}

fn of_file(files: &Arc<dyn VaultFiles>, name: &str) -> SegmentSource {
    let (files, name) = (Arc::clone(files), name.to_owned());
    Arc::new(move |offset, buffer| files.read(&name, offset, buffer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_name_of_a_segment_is_one() {
        let mark = |sequence| AuditMark { sequence, hash: [0; 32] };
        let segment = Segment { before: mark(6), last: mark(90), length: 900, archived: false };
        assert_eq!(segment.name(), "audit-7-90.log");
        assert_eq!(Segment::parse_name("audit-7-90.log"), Some((7, 90)));
        for name in [
            "audit.log",
            "audit-7-90",
            "audit-07-90.log",
            "audit-+7-90.log",
            "audit-0-90.log",
            "audit-91-90.log",
            "audit-7.log",
            "audit-7-90.log.new",
            "audit-7-99999999999999999999.log",
        ] {
            assert_eq!(Segment::parse_name(name), None, "{name}");
        }
    }
}
