//! Reads the audit log of an open vault in slices. Others use the vault between two slices, so that an auditor who reads
//! or verifies a long log holds nobody up.
//!
//! What is read is what had been written when the reader began; entries of later come to the next reader. Closed segments
//! never change, so they are read without the vault; if the log is rotated meanwhile, reading goes on in the segment.

use std::cell::Cell;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::audit::{self, AuditMark, Known, Scanner};
use super::head::Head;
use super::record::{LogMac, Position, Problem};
use super::segment::{self, Absent, Part, Segments, Walked};
use super::shared_vault::READERS;
use super::{
    AuditError, AuditReport, BadEntry, By, Contents, Record, SharedVault, Vault, VaultError,
};

/// How many bytes of the log to read before others have their turn.
const SLICE: u64 = 256 * 1024;

/// How long to leave the vault to others between two slices: a lock that is taken again at once lets nobody else in.
const PAUSE: Duration = Duration::from_micros(200);

/// How far a reader of the audit log has come.
#[derive(Clone, Copy, Debug)]
pub struct AuditPlace(Position);

/// Entries of the audit log, and how far the reader has come.
pub struct AuditPage<E> {
    /// The entries.
    pub records: Vec<Record<E>>,
    /// Where to go on.
    pub place: AuditPlace,
}

/// The entries of a slice, each with the position after it, and what is wrong with the next one.
struct Slice<E> {
    entries: Vec<(Record<E>, Position)>,
    bad: Option<BadEntry>,
    /// Whether the log ends here.
    is_last: bool,
    /// Whether what comes next is in a segment.
    is_closed: bool,
}

/// Who reads, and what happens between two slices.
struct Reading<'a> {
    /// Nobody for the process itself, which has the vault open.
    by: Option<By<'a>>,
    /// Leaves the vault to others, who waited for so long. Returns whether to go on.
    rest: &'a dyn Fn(Duration) -> bool,
}

impl<'a> Reading<'a> {
    /// By somebody who waits for the end.
    fn at_once(by: Option<By<'a>>) -> Self {
        let rest = &|_| {
            sleep(PAUSE);
            true
        };
        Self { by, rest }
    }

    /// Checks that whoever reads may still do so.
    fn check<C: Contents>(&self, vault: &Vault<C>) -> Result<(), VaultError> {
        Ok(self.by.map_or(Ok(()), |by| vault.authorize(by, READERS))?)
    }
}

/// What the end of a log is compared with.
struct Proof {
    parts: Vec<Part>,
    header: Option<audit::LogHeader>,
    head: Option<Vec<u8>>,
    end: Position,
}

impl<C: Contents> Vault<C> {
    /// Reads the next slice behind a position.
    fn slice(
        &mut self,
        place: Position,
        mac: Option<&LogMac>,
    ) -> Result<Slice<C::Entry>, AuditError> {
        let mut slice = Slice { entries: Vec::new(), bad: None, is_last: false, is_closed: false };
        if self.segments.last().is_some_and(|segment| place.sequence < segment.last.sequence) {
            slice.is_closed = true;
            return Ok(slice);
        }
        // After the last segment comes the beginning of the log.
        let place = match place.sequence <= self.log_header.sequence {
            true => self.log_header.start(),
            false => place,
        };
        let mut disk = self.journal.disk();
        self.journal.flush(&mut disk)?;
        let end = disk.storage.log_length()?;
        let mut scanner = Scanner::new(&mut *disk.storage, place.length, end);
        let mut at = place;
        while at.length - place.length < SLICE {
            match scanner.next::<C::Entry>(&at, mac)? {
                Some(Ok((record, after))) => {
                    at = after;
                    slice.entries.push((record, after));
                }
                Some(Err(problem)) => {
                    slice.bad = Some(at.bad(problem));
                    break;
                }
                None => {
                    slice.is_last = true;
                    break;
                }
            }
        }
        Ok(slice)
    }

    /// What the log has to end with, once it was written.
    fn proof(&mut self, given: &Segments) -> Result<Proof, AuditError> {
        let parts = self.parts(given)?;
        let mut disk = self.journal.disk();
        self.journal.flush(&mut disk)?;
        Ok(Proof {
            parts,
            header: audit::header(&mut *disk.storage)?.ok(),
            head: disk.storage.read_head()?,
            end: self.journal.queue().position,
        })
    }
}

impl<C: Contents> SharedVault<C> {
    /// Entries of the audit log, starting at a number, for auditors and custodians.
    ///
    /// # Errors
    ///
    /// [`AuditError`].
    pub fn audit(
        &self,
        by: By<'_>,
        from: u64,
        at_most: usize,
    ) -> Result<Vec<Record<C::Entry>>, AuditError> {
        Ok(self.audit_page(by, from, at_most, None, u64::MAX)?.records)
    }

    /// As [`SharedVault::audit`], but stops after so many bytes of the log. The place makes it quick to go on from there.
    ///
    /// # Errors
    ///
    /// [`AuditError`].
    pub fn audit_page(
        &self,
        by: By<'_>,
        from: u64,
        at_most: usize,
        place: Option<AuditPlace>,
        most_bytes: u64,
    ) -> Result<AuditPage<C::Entry>, AuditError> {
        let start = self.with(|vault| {
            vault.authorize(by, READERS).map_err(VaultError::from)?;
            let start = vault.place_before(from);
            let known = place.map(|AuditPlace(place)| place);
            let known = known.filter(|place| place.sequence < from);
            Ok::<_, AuditError>(match known {
                Some(known) if known.sequence > start.sequence => known,
                _ => start,
            })
        })??;
        let (mut records, mut bytes, mut last) = (Vec::new(), 0, start);
        if at_most > 0 {
            let reading = Reading::at_once(Some(by));
            let walked =
                self.walk(&reading, start, false, &mut Vec::new(), &mut |record, place| {
                    if record.sequence >= from {
                        // Less than the length of the first entry of a segment.
                        bytes += place.length.saturating_sub(last.length);
                        records.push(record);
                    }
                    last = *place;
                    records.len() < at_most && bytes < most_bytes
                })?;
            if let Walked::Wrong(bad) = walked {
                return Err(bad.into());
            }
        }
        Ok(AuditPage { records, place: AuditPlace(last) })
    }

    /// Verifies the whole audit log with the vault's secrets, for auditors and custodians.
    ///
    /// # Errors
    ///
    /// [`AuditError`] if it cannot be read. A wrong entry is not an error but part of the report.
    pub fn verify_audit(&self, by: By<'_>) -> Result<AuditReport, AuditError> {
        self.verify_audit_noted(by, None)
    }

    /// As [`SharedVault::verify_audit`], and that the log has an entry that was noted earlier.
    ///
    /// # Errors
    ///
    /// [`AuditError`] if it cannot be read. A wrong entry is not an error but part of the report.
    pub fn verify_audit_noted(
        &self,
        by: By<'_>,
        noted: Option<AuditMark>,
    ) -> Result<AuditReport, AuditError> {
        self.verify_audit_with(by, noted, &Segments::new())
    }

    /// As [`SharedVault::verify_audit_noted`], with segments that are kept elsewhere.
    ///
    /// # Errors
    ///
    /// [`AuditError`] if it cannot be read. A wrong entry is not an error but part of the report.
    pub fn verify_audit_with(
        &self,
        by: By<'_>,
        noted: Option<AuditMark>,
        given: &Segments,
    ) -> Result<AuditReport, AuditError> {
        self.prove(&Reading::at_once(Some(by)), noted, given)
    }

    /// As [`SharedVault::verify_audit`], for the process that has the vault open: no person is needed, and it takes its
    /// time. Between two slices `rest` is told for how long the last one held others up. It waits as it likes, and returns
    /// whether to go on. If not, there is no report.
    ///
    /// # Errors
    ///
    /// [`AuditError`] if it cannot be read. A wrong entry is not an error but part of the report.
    pub fn verify_slowly(
        &self,
        rest: &dyn Fn(Duration) -> bool,
    ) -> Result<Option<AuditReport>, AuditError> {
        let goes_on = Cell::new(true);
        let rest = &|took| {
            goes_on.set(rest(took));
            goes_on.get()
        };
        let report = self.prove(&Reading { by: None, rest }, None, &Segments::new())?;
        Ok(goes_on.get().then_some(report))
    }

    fn prove(
        &self,
        reading: &Reading<'_>,
        noted: Option<AuditMark>,
        given: &Segments,
    ) -> Result<AuditReport, AuditError> {
        let (proof, own, mac, start) = self.with(|vault| {
            reading.check(vault)?;
            let mac = LogMac::new(&vault.log_key);
            let start = vault.place_before(0);
            Ok::<_, AuditError>((vault.proof(given)?, vault.log_header, mac, start))
        })??;
        if let Some(report) = audit::other_log(proof.header.as_ref(), &own) {
            return Ok(report);
        }
        let Proof { parts, header, head, end } = proof;
        let head = head.as_deref().and_then(|bytes| Head::read(bytes).ok());
        let known = Known { head: Some(head), marks: vec![Some(end.into()), noted] };
        let first = audit::first_header(&parts, header)?;
        audit::judge(first, known, Some(&mac), |visit, absent| {
            let mut visit = |_: Record<C::Entry>, place: &Position| {
                visit(place) && place.sequence < end.sequence
            };
            let mut place = Some(start);
            let walked =
                self.walk_segments(reading, &parts, &mut place, Some(&mac), absent, &mut visit)?;
            if !matches!(walked, Walked::Through) {
                return Ok(walked);
            }
            match segment::pass(place, &own, absent) {
                Ok(start) => self.walk(reading, start, true, absent, &mut visit),
                Err(problem) => Ok(Walked::Wrong(own.start().bad(problem))),
            }
        })
    }

    /// Shows the owner of the vault its entries from a number on, each verified, while `visit` returns true. Stops at the
    /// first wrong one, and returns it.
    ///
    /// # Errors
    ///
    /// [`AuditError`] if the log cannot be read.
    pub fn show_again(
        &self,
        from: u64,
        visit: &mut dyn FnMut(Record<C::Entry>) -> bool,
    ) -> Result<Option<BadEntry>, AuditError> {
        let (start, parts) = self.with(|vault| {
            Ok::<_, AuditError>((vault.place_before(from), vault.parts(&Segments::new())?))
        })??;
        if start.sequence >= from {
            return Ok(Some(start.bad(Problem::Earlier)));
        }
        // None of them may be missing.
        let is_missing = |part: &&Part| part.last >= from && part.is_absent();
        if let Some(part) = parts.iter().find(is_missing) {
            return Ok(Some(part.bad(part.first, 0, Problem::Elsewhere)));
        }
        let reading = Reading::at_once(None);
        let walked = self.walk(&reading, start, true, &mut Vec::new(), &mut |record, _| {
            record.sequence < from || visit(record)
        })?;
        Ok(match walked {
            Walked::Wrong(bad) => Some(bad),
            Walked::Through | Walked::Stopped => None,
        })
    }

    /// Reads segments from a position on while `visit` returns true, and rests after each slice.
    fn walk_segments(
        &self,
        reading: &Reading<'_>,
        parts: &[Part],
        place: &mut Option<Position>,
        mac: Option<&LogMac>,
        absent: &mut Vec<Absent>,
        visit: &mut dyn FnMut(Record<C::Entry>, &Position) -> bool,
    ) -> Result<Walked, AuditError> {
        let (mut began, mut from, mut ended) = (Instant::now(), 0, Ok(()));
        let mut rested = |record: Record<C::Entry>, after: &Position| {
            if after.length.saturating_sub(from) >= SLICE || after.length < from {
                let took = began.elapsed();
                ended = self.with(|vault| reading.check(vault)).and_then(|checked| checked);
                if ended.is_err() || !(reading.rest)(took) {
                    return false;
                }
                (began, from) = (Instant::now(), after.length);
            }
            visit(record, after)
        };
        let id = self.header().id;
        let walked = audit::walk_parts(parts, id, place, mac, absent, &mut rested)?;
        ended?;
        Ok(walked)
    }

    /// Reads segments and the log from a position on while `visit` returns true.
    fn walk(
        &self,
        reading: &Reading<'_>,
        start: Position,
        proving: bool,
        absent: &mut Vec<Absent>,
        visit: &mut dyn FnMut(Record<C::Entry>, &Position) -> bool,
    ) -> Result<Walked, AuditError> {
        let mut place = start;
        loop {
            let (slice, took) = self.with(|vault| {
                let began = Instant::now();
                reading.check(vault)?;
                let mac = proving.then(|| LogMac::new(&vault.log_key));
                Ok::<_, AuditError>((vault.slice(place, mac.as_ref())?, began.elapsed()))
            })??;
            if slice.is_closed {
                let (parts, mac) = self.with(|vault| {
                    let mac = proving.then(|| LogMac::new(&vault.log_key));
                    Ok::<_, AuditError>((vault.parts(&Segments::new())?, mac))
                })??;
                let mut at = Some(place);
                let mac = mac.as_ref();
                match self.walk_segments(reading, &parts, &mut at, mac, absent, visit)? {
                    Walked::Through => place = at.unwrap_or(place),
                    ended => return Ok(ended),
                }
                continue;
            }
            for (record, after) in slice.entries {
                place = after;
                if !visit(record, &after) {
                    return Ok(Walked::Stopped);
                }
            }
            match slice.bad {
                Some(bad) => return Ok(Walked::Wrong(bad)),
                None if slice.is_last => return Ok(Walked::Through),
                None if (reading.rest)(took) => {}
                None => return Ok(Walked::Stopped),
            }
        }
    }
}
