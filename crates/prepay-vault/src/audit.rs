//! Reading and verifying the audit log, entry by entry, with one entry in memory at a time.
//!
//! The log starts with a header, which says whose log it is and which entry came before: none in a new vault, in a
//! restored one the last entry in the back-up, after a rotation the last entry of the closed segment (`segment.rs`).
//!
//! ```text
//!  PREPAY-AUDIT 1\n  15 bytes
//!  vault             16 bytes
//!  sequence          u64    the number of the entry before the first one here
//!  hash              32     its hash
//! ```

use std::cmp::Ordering;
use std::fmt;
use std::io;
use std::str::FromStr;

use super::head::Head;
use super::record::{self, BadEntry, LogMac, Position, Problem, Record};
use super::segment::{self, Absent, Part, Segments, Walked};
use super::{AuditError, Entries};
use crate::VaultStorage;
use prepay_basics::codec::{DecodeError, Reader, Writer};

const MAGIC: &[u8] = b"PREPAY-AUDIT 1\n";

/// The length of the log's header in bytes.
pub(super) const HEADER: usize = MAGIC.len() + 16 + 8 + 32;

/// How many bytes of the log to read at once.
const CHUNK: usize = 64 * 1024;

/// The header of a log.
#[derive(Clone, Copy)]
pub(super) struct LogHeader {
    pub(super) id: [u8; 16],
    pub(super) sequence: u64,
    pub(super) hash: [u8; 32],
}

impl LogHeader {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(HEADER);
        writer.array(MAGIC);
        writer.array(&self.id);
        writer.u64(self.sequence);
        writer.array(&self.hash);
        writer.as_slice().to_vec()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let error = reader.error("an audit log of version 1");
        if reader.take(MAGIC.len())? != MAGIC {
            return Err(error);
        }
        Ok(Self { id: reader.array()?, sequence: reader.u64()?, hash: reader.array()? })
    }

    /// What is wrong with an entry that should be in the log or before it. Of those before it, only the last is known.
    fn lacks(&self, known: AuditMark) -> Option<BadEntry> {
        let start = AuditMark::from(self.start());
        let problem = match known.sequence.cmp(&start.sequence) {
            Ordering::Less => Problem::Earlier,
            Ordering::Equal if known != start => Problem::OtherChain,
            _ => return None,
        };
        Some(BadEntry { sequence: known.sequence, offset: HEADER as u64, segment: None, problem })
    }

    /// The position after the header.
    pub(super) const fn start(&self) -> Position {
        let Self { sequence, hash, .. } = *self;
        Position { sequence, length: HEADER as u64, hash }
    }
}

/// The result of verifying a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditReport {
    /// How many entries are right, from the start.
    pub entries: u64,
    /// The first wrong one.
    pub first_bad: Option<BadEntry>,
    /// Whether it was also verified that the vault itself wrote the entries, which needs its secrets.
    pub authenticated: bool,
    /// The last right entry. Note it elsewhere, and check it later with [`verify_noted`].
    pub last: AuditMark,
    /// The first and the last of entries that are not here, so that they were not verified: their segments are archived.
    pub absent: Vec<(u64, u64)>,
}

impl AuditReport {
    /// How many earlier entries are neither here nor named as absent: from before a repair or a restored back-up, which
    /// begin a log anew, or in segments that were not given.
    pub fn before(&self) -> u64 {
        let absent: u64 = self.absent.iter().map(|(first, last)| last - first + 1).sum();
        self.last.sequence.saturating_sub(self.entries + absent)
    }
}

/// One entry of a log, by its number and hash, as `28-` and 64 hexadecimal digits.
///
/// If you note it where nobody can change it, it shows later whether an older copy of all files was put back: the log
/// then ends before it, or has another entry in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditMark {
    /// The number of the entry.
    pub sequence: u64,
    /// Its hash, which depends on all entries before it.
    pub hash: [u8; 32],
}

/// The text is not the mark of an audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseAuditMarkError;

impl From<Position> for AuditMark {
    fn from(Position { sequence, hash, .. }: Position) -> Self {
        Self { sequence, hash }
    }
}

impl fmt::Display for AuditMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-", self.sequence)?;
        self.hash.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl FromStr for AuditMark {
    type Err = ParseAuditMarkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (sequence, digits) = text.split_once('-').ok_or(ParseAuditMarkError)?;
        let all_digits = digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'A'..=b'F'));
        if digits.len() != 64 || !all_digits {
            return Err(ParseAuditMarkError);
        }
        let mut hash = [0; 32];
        for (place, byte) in hash.iter_mut().enumerate() {
            let two = &digits[2 * place..2 * place + 2];
            *byte = u8::from_str_radix(two, 16).map_err(|_| ParseAuditMarkError)?;
        }
        let number = sequence.parse().map_err(|_| ParseAuditMarkError)?;
        let mark = Self { sequence: number, hash };
        if mark.to_string() == text { Ok(mark) } else { Err(ParseAuditMarkError) }
    }
}

impl fmt::Display for ParseAuditMarkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "expected the number of an entry, \"-\" and 64 hexadecimal digits, in upper case",
        )
    }
}

impl std::error::Error for ParseAuditMarkError {}

/// Verifies a log and its closed segments without the vault's secrets: the chain of its entries, and where it ends.
///
/// # Errors
///
/// [`AuditError::Storage`] if the storage fails.
pub fn verify<E: Entries>(storage: &mut dyn VaultStorage) -> Result<AuditReport, AuditError> {
    verify_with::<E>(storage, None, &Segments::new())
}

/// Verifies a log like [`verify`], and that it still has an entry noted earlier.
///
/// # Errors
///
/// [`AuditError::Storage`] if the storage fails.
pub fn verify_noted<E: Entries>(
    storage: &mut dyn VaultStorage,
    noted: AuditMark,
) -> Result<AuditReport, AuditError> {
    verify_with::<E>(storage, Some(noted), &Segments::new())
}

/// Verifies a log like [`verify_noted`], with segments that are kept elsewhere.
///
/// # Errors
///
/// [`AuditError::Storage`] if the storage or a segment cannot be read.
pub fn verify_with<E: Entries>(
    storage: &mut dyn VaultStorage,
    noted: Option<AuditMark>,
    given: &Segments,
) -> Result<AuditReport, AuditError> {
    let parts = Part::found(Some(&storage.files()?), given)?;
    Ok(prove::<E>(storage, &parts, None, noted)?)
}

/// Verifies segments alone, without a vault: each of them, and that each follows from the one before.
///
/// # Errors
///
/// [`AuditError::Storage`] if one cannot be read.
pub fn verify_segments<E: Entries>(
    given: &Segments,
    noted: Option<AuditMark>,
) -> Result<AuditReport, AuditError> {
    let parts = Part::found(None, given)?;
    let first = parts.first().map(Part::header).transpose()?.flatten();
    let mut place = None;
    let known = Known { head: None, marks: vec![noted] };
    Ok(judge::<io::Error>(first, known, None, |visit, absent| {
        let id = first.map_or([0; 16], |header| header.id);
        walk_parts::<E>(&parts, id, &mut place, None, absent, &mut |_, place| visit(place))
    })?)
}

/// Reads entries without the vault's secrets, starting at a number. Also verifies the chain before them.
///
/// # Errors
///
/// [`AuditError`] if the storage fails or an entry was changed.
pub fn records<E: Entries>(
    storage: &mut dyn VaultStorage,
    from: u64,
    at_most: usize,
) -> Result<Vec<Record<E>>, AuditError> {
    let mut records = Vec::new();
    if at_most > 0 {
        show_records(storage, from, &mut |record| {
            records.push(record);
            records.len() < at_most
        })?;
    }
    Ok(records)
}

/// Shows entries without the vault's secrets, starting at a number, while `visit` returns true. Also verifies the chain
/// before them, as far as it is here.
///
/// # Errors
///
/// [`AuditError`] if the storage fails or an entry was changed.
pub fn show_records<E: Entries>(
    storage: &mut dyn VaultStorage,
    from: u64,
    visit: &mut dyn FnMut(Record<E>) -> bool,
) -> Result<(), AuditError> {
    let parts = Part::found(Some(&storage.files()?), &Segments::new())?;
    let (mut place, mut absent) = (None, Vec::new());
    let walked =
        walk(storage, &parts, &mut place, None, &mut absent, &mut |record: Record<E>, _| {
            record.sequence < from || visit(record)
        })?;
    match walked {
        Walked::Wrong(bad) => Err(bad.into()),
        Walked::Through | Walked::Stopped => Ok(()),
    }
}

/// Reads segments one after the other, from a position or from the first one, while `visit` returns true.
pub(super) fn walk_parts<E: Entries>(
    parts: &[Part],
    id: [u8; 16],
    place: &mut Option<Position>,
    mac: Option<&LogMac>,
    absent: &mut Vec<Absent>,
    visit: &mut dyn FnMut(Record<E>, &Position) -> bool,
) -> io::Result<Walked> {
    for part in parts {
        if place.is_some_and(|place| part.last <= place.sequence) {
            continue;
        }
        match part.walk(id, place, mac, absent, visit)? {
            Walked::Through => {}
            ended => return Ok(ended),
        }
    }
    Ok(Walked::Through)
}

/// Reads segments and then the log, from a position or from the beginning, while `visit` returns true.
pub(super) fn walk<E: Entries>(
    storage: &mut dyn VaultStorage,
    parts: &[Part],
    place: &mut Option<Position>,
    mac: Option<&LogMac>,
    absent: &mut Vec<Absent>,
    visit: &mut dyn FnMut(Record<E>, &Position) -> bool,
) -> io::Result<Walked> {
    let header = header(storage)?;
    let first = parts.first().map(Part::header).transpose()?.flatten();
    let id = header.as_ref().ok().or(first.as_ref()).map_or([0; 16], |header| header.id);
    match walk_parts(parts, id, place, mac, absent, visit)? {
        Walked::Through => {}
        ended => return Ok(ended),
    }
    let header = match (header, *place) {
        (Ok(header), _) => header,
        // A rotation was interrupted: the next opening begins the new log.
        (Err(BadEntry { problem: Problem::NoLog, .. }), Some(place)) => {
            return Ok(Walked::Wrong(place.bad(Problem::Torn)));
        }
        (Err(bad), _) => return Ok(Walked::Wrong(bad)),
    };
    let mut at = match *place {
        Some(place) if place.sequence > header.sequence => place,
        before => match segment::pass(before, &header, absent) {
            Ok(start) => start,
            Err(problem) => return Ok(Walked::Wrong(header.start().bad(problem))),
        },
    };
    let end = storage.log_length()?;
    let mut scanner = Scanner::new(storage, at.length, end);
    *place = Some(at);
    while let Some(next) = scanner.next(&at, mac)? {
        match next {
            Ok((record, after)) => {
                at = after;
                *place = Some(at);
                if !visit(record, &after) {
                    return Ok(Walked::Stopped);
                }
            }
            Err(problem) => return Ok(Walked::Wrong(at.bad(problem))),
        }
    }
    Ok(Walked::Through)
}

/// Reads the header of a log.
pub(super) fn header(storage: &mut dyn VaultStorage) -> io::Result<Result<LogHeader, BadEntry>> {
    let mut bytes = [0; HEADER];
    let read = &mut |offset, buffer: &mut [u8]| storage.read_log(offset, buffer);
    let count = read_full(read, 0, &mut bytes)?;
    let problem = if count == 0 { Problem::NoLog } else { Problem::Header };
    let bad = BadEntry { sequence: 0, offset: 0, segment: None, problem };
    Ok(LogHeader::decode(&bytes[..count]).map_err(|_| bad))
}

/// The report on the log of another vault, or with the header of another chain: its first entry would look changed,
/// or nothing at all.
pub(super) fn other_log(found: Option<&LogHeader>, own: &LogHeader) -> Option<AuditReport> {
    if found?.encode() == own.encode() {
        return None;
    }
    let problem = Problem::Header;
    let first_bad = Some(BadEntry { sequence: 0, offset: 0, segment: None, problem });
    let last = AuditMark { sequence: 0, hash: [0; 32] };
    Some(AuditReport { entries: 0, first_bad, authenticated: true, last, absent: Vec::new() })
}

/// Verifies a log and its segments, with or without its key. `known` is an entry that the log must have.
pub(super) fn prove<E: Entries>(
    storage: &mut dyn VaultStorage,
    parts: &[Part],
    mac: Option<&LogMac>,
    known: Option<AuditMark>,
) -> io::Result<AuditReport> {
    let head = storage.read_head()?;
    let head = head.as_deref().and_then(|bytes| Head::read(bytes).ok());
    let header = header(storage)?.ok();
    let known = Known { head: Some(head), marks: vec![known] };
    let mut place = None;
    judge(first_header(parts, header)?, known, mac, |visit, absent| {
        walk(storage, parts, &mut place, mac, absent, &mut |_: Record<E>, place| visit(place))
    })
}

/// The header of the first part of a log.
pub(super) fn first_header(
    parts: &[Part],
    of_log: Option<LogHeader>,
) -> io::Result<Option<LogHeader>> {
    let here = parts.iter().find(|part| !part.is_absent());
    Ok(here.map(Part::header).transpose()?.flatten().or(of_log))
}

/// What is known about a log from elsewhere.
pub(super) struct Known<'a> {
    /// The head, if the end of the log is judged; nothing in it if it cannot be read.
    pub(super) head: Option<Option<Head<'a>>>,
    /// Entries that the log must have.
    pub(super) marks: Vec<Option<AuditMark>>,
}

/// Judges a log by its head and by known entries. `walk` shows it every entry that follows from those before, and notes
/// those that are not here.
pub(super) fn judge<Error>(
    header: Option<LogHeader>,
    known: Known<'_>,
    mac: Option<&LogMac>,
    walk: impl FnOnce(&mut dyn FnMut(&Position) -> bool, &mut Vec<Absent>) -> Result<Walked, Error>,
) -> Result<AuditReport, Error> {
    let Known { head, marks } = known;
    let header_id = header.map(|header| header.id);
    let head_is_good = head.as_ref().is_none_or(|head| {
        head.as_ref().is_some_and(|head| {
            Some(head.id) == header_id && mac.is_none_or(|mac| head.is_signed(mac))
        })
    });
    let known = || marks.iter().flatten().copied();
    let head = head.flatten().map(|head| AuditMark::from(head.position));
    let places: Vec<AuditMark> = head.into_iter().chain(known()).collect();
    let mut entries = 0;
    let mut other = None;
    let mut last = header.map(|header| header.start());
    let mut absent = Vec::new();
    let walked = walk(
        &mut |place| {
            let here = AuditMark::from(*place);
            let wrong = |known: &AuditMark| known.sequence == here.sequence && *known != here;
            if other.is_none() && places.iter().any(wrong) {
                other = last.map(|before| before.bad(Problem::OtherChain));
            }
            if other.is_none() {
                entries += 1;
                last = Some(*place);
            }
            other.is_none()
        },
        &mut absent,
    )?;
    // Of the entries that are not here, only the last ones are known.
    let hides = |known: &AuditMark| {
        let has =
            |hidden: &&Absent| (hidden.first..=hidden.last.sequence).contains(&known.sequence);
        let last = absent.iter().find(has)?.last;
        let problem = match (last == *known, last.sequence == known.sequence) {
            (true, _) => return None,
            (false, true) => Problem::OtherChain,
            (false, false) => Problem::Elsewhere,
        };
        Some(BadEntry { sequence: known.sequence, offset: 0, segment: None, problem })
    };
    let found = other.or(match walked {
        Walked::Wrong(bad) => Some(bad),
        Walked::Through | Walked::Stopped => None,
    });
    let first_bad = match (&found, last) {
        // An interrupted write leaves a torn end, after all known entries.
        (None | Some(BadEntry { problem: Problem::Torn, .. }), Some(end)) => {
            if places.iter().any(|known| known.sequence > end.sequence) {
                Some(end.bad(Problem::Missing))
            } else if let Some(bad) =
                known().find_map(|known| hides(&known).or_else(|| header?.lacks(known)))
            {
                Some(bad)
            } else if found.is_none() && !head_is_good {
                Some(end.bad(Problem::Head))
            } else {
                found
            }
        }
        _ => found,
    };
    let nothing = AuditMark { sequence: 0, hash: [0; 32] };
    let last = last.map_or(nothing, AuditMark::from);
    let absent = absent.iter().map(|hidden| (hidden.first, hidden.last.sequence)).collect();
    Ok(AuditReport { entries, first_bad, authenticated: mac.is_some(), last, absent })
}

/// Reads bytes of a log from an offset; returns how many, zero at the end.
type ReadAt<'a> = dyn FnMut(u64, &mut [u8]) -> io::Result<usize> + 'a;

pub(super) fn read_full(read: &mut ReadAt<'_>, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
    let mut count = 0;
    while count < bytes.len() {
        match read(offset + count as u64, &mut bytes[count..])? {
            0 => break,
            more => count += more,
        }
    }
    Ok(count)
}

/// Reads entries one after another.
pub(super) struct Scanner<'a> {
    source: Box<ReadAt<'a>>,
    buffer: Vec<u8>,
    /// Where in the buffer the next entry starts.
    at: usize,
    /// Where in the log the buffer ends.
    read: u64,
    end: u64,
}

/// An entry, and the position after it.
type Passed<E> = (Record<E>, Position);

impl<'a> Scanner<'a> {
    /// Reads the log from one offset up to another.
    pub(super) fn new(storage: &'a mut dyn VaultStorage, from: u64, end: u64) -> Self {
        Self { end, ..Self::of(move |offset, buffer| storage.read_log(offset, buffer), from) }
    }

    /// Reads a source from an offset to its end.
    pub(super) fn of(
        source: impl FnMut(u64, &mut [u8]) -> io::Result<usize> + 'a,
        from: u64,
    ) -> Self {
        Self { source: Box::new(source), buffer: Vec::new(), at: 0, read: from, end: u64::MAX }
    }

    /// Whether no byte is left.
    pub(super) fn is_at_end(&mut self) -> io::Result<bool> {
        Ok(!self.fill(1)?)
    }

    /// The next entry, which must follow `place`; `None` at the end.
    pub(super) fn next<E: Entries>(
        &mut self,
        place: &Position,
        mac: Option<&LogMac>,
    ) -> io::Result<Option<Result<Passed<E>, Problem>>> {
        if !self.fill(4)? {
            let is_end = self.buffer.len() == self.at;
            return Ok(if is_end { None } else { Some(Err(Problem::Torn)) });
        }
        let length =
            u32::from_be_bytes(self.buffer[self.at..self.at + 4].try_into().expect("four bytes"));
        if !record::length_fits(length) {
            return Ok(Some(Err(Problem::Length { found: length })));
        }
        if !self.fill(length as usize)? {
            return Ok(Some(Err(Problem::Torn)));
        }
        let bytes = &self.buffer[self.at..self.at + length as usize];
        self.at += length as usize;
        Ok(Some(record::read(bytes, place, mac)))
    }

    /// Reads until the buffer has this many bytes of the next entry, if the log has them.
    fn fill(&mut self, count: usize) -> io::Result<bool> {
        let have = self.buffer.len() - self.at;
        if have >= count {
            return Ok(true);
        }
        self.buffer.drain(..self.at);
        self.at = 0;
        let left = usize::try_from(self.end.saturating_sub(self.read)).unwrap_or(usize::MAX);
        let more = (count - have).max(CHUNK).min(left);
        self.buffer.resize(have + more, 0);
        let found = read_full(&mut *self.source, self.read, &mut self.buffer[have..])?;
        self.buffer.truncate(have + found);
        self.read += found as u64;
        Ok(self.buffer.len() >= count)
    }
}
