//! Rotation: the log becomes a closed segment, and a new one begins. And archiving: segments move to another place.
//!
//! ```text
//!  1. the contents keep elsewhere what they still need of the entries so far
//!  2. store: lists the segment; the first entry of the new log is in its outbox
//!  3. the log is renamed to the segment; the new log begins with its header and that entry; then the head
//! ```
//!
//! Opening finishes what was interrupted after step 2; before, nothing has changed. The time it takes does not depend on
//! the length of the log.
//!
//! A segment is removed here only after its copy was verified and the store says that it is archived.

use std::sync::Arc;

use super::audit::LogHeader;
use super::record::{self, LogMac, Position};
use super::segment::{Part, Segment, Segments, Walked};
use super::shared_vault::READERS;
use super::window::Window;
use super::{
    AuditError, By, Contents, Quorum, Record, SharedVault, Vault, VaultEntry, VaultError, seal,
};
use prepay_basics::{Identifier, Moment};

/// How long the log may get before it is rotated, unless [`Vault::rotate_above`] says otherwise, in bytes.
pub(super) const ROTATED_ABOVE: u64 = 1 << 30;

impl<C: Contents> Vault<C> {
    /// Lets the log grow to so many bytes before it is rotated by itself; 1 GiB unless this is called after opening.
    pub const fn rotate_above(&mut self, bytes: u64) {
        self.rotated_above = bytes;
    }

    /// Rotates the log. Returns the segment that it became.
    ///
    /// # Errors
    ///
    /// [`VaultError`]; nothing has changed unless it is [`VaultError::Broken`].
    pub fn rotate(&mut self, by: By<'_>, now: Moment) -> Result<Segment, VaultError> {
        self.authorize(by, READERS)?;
        self.check_ready(now)?;
        self.rotate_now(Some(by), now)
    }

    /// Rotates the log if it is long, on behalf of nobody.
    pub(super) fn rotate_if_due(&mut self, now: Moment) -> Result<(), VaultError> {
        if self.journal.queue().position.length > self.rotated_above {
            self.rotate_now(None, now)?;
        }
        Ok(())
    }

    fn rotate_now(&mut self, by: Option<By<'_>>, now: Moment) -> Result<Segment, VaultError> {
        self.note_time(now)?;
        let nonce = seal::fresh(&mut *self.entropy)?;
        let journal = Arc::clone(&self.journal);
        let mut disk = journal.disk();
        journal.flush(&mut disk)?;
        journal.ask_witness(&mut disk)?;
        if let Err(error) = self.contents.keep_elsewhere(&mut *self.entropy) {
            return Err(disk.fail(VaultError::Broken { problem: error.to_string() }));
        }
        let end = journal.queue().position;
        let LogHeader { id, sequence, hash } = self.log_header;
        let segment = Segment {
            before: Position { sequence, length: 0, hash }.into(),
            last: end.into(),
            length: end.length,
            archived: false,
        };
        let log_header = LogHeader { id, sequence: end.sequence, hash: end.hash };
        let start = log_header.start();
        let entry = VaultEntry::LogRotated {
            first: segment.first(),
            last: end.sequence,
            bytes: end.length,
        };
        let mut beginning = log_header.encode();
        let header = beginning.len();
        let after = {
            let queue = journal.queue();
            let actors: Vec<&Identifier> =
                by.into_iter().flat_map(By::sessions).map(super::Session::name).collect();
            record::write(&mut beginning, &start, now, &actors, &entry, queue.mac()?)
                .ok_or(VaultError::TooLarge)?
        };
        self.time.pass(now);
        self.segments.push(segment);
        self.log_header = log_header;
        self.window = Window::new(start);
        self.window.pass(&start, 0);
        let store = self.sealed(&nonce, start, &beginning[header..]);
        journal.rotate(&mut disk, &store, &segment, &beginning, after)?;
        journal.tell_witness(&mut disk, after.into(), now)?;
        self.anchor = after;
        self.window.snapshot_taken();
        Ok(segment)
    }

    /// The closed segments of the log, in the order of their entries.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The segments that the sealed contents list, to be read.
    pub(super) fn parts(&self, given: &Segments) -> Result<Vec<Part>, AuditError> {
        let files = self.journal.disk().storage.files()?;
        Ok(Part::listed(&self.segments, &files, given)?)
    }
}

impl<C: Contents> SharedVault<C> {
    /// Rotates the log, for an auditor or a custodian: nothing is lost by it. Returns the segment that it became.
    ///
    /// # Errors
    ///
    /// [`VaultError`].
    pub fn rotate(&self, by: By<'_>) -> Result<Segment, VaultError> {
        self.with(|vault| vault.rotate(by, self.now()))?
    }

    /// The closed segments of the log, in the order of their entries, for auditors and custodians.
    ///
    /// # Errors
    ///
    /// [`VaultError`].
    pub fn segments(&self, by: By<'_>) -> Result<Vec<Segment>, VaultError> {
        self.with(|vault| {
            vault.authorize(by, READERS)?;
            Ok(vault.segments().to_vec())
        })?
    }

    /// Removes segments here that were copied to a place. First every entry of the copies is verified, and that they end
    /// as they should; then the log says that they were archived.
    ///
    /// # Errors
    ///
    /// [`AuditError`]. Nothing has changed if a copy is wrong or cannot be read.
    pub fn archive(
        &self,
        by: &Quorum,
        copies: &Segments,
        place: &str,
    ) -> Result<Vec<Segment>, AuditError> {
        let (listed, id, mac) = self.with(|vault| {
            vault.authorize_two(by).map_err(VaultError::from)?;
            let id = vault.log_header.id;
            Ok::<_, AuditError>((vault.segments.clone(), id, LogMac::new(&vault.log_key)))
        })??;
        let moved: Vec<Segment> =
            listed.into_iter().filter(|segment| copies.contains_key(&segment.name())).collect();
        for (segment, part) in moved.iter().zip(Part::copies(&moved, copies)) {
            let mut start = Some(segment.start());
            let (mut absent, mut visit) = (Vec::new(), |_: Record<C::Entry>, _: &Position| true);
            if let Walked::Wrong(bad) =
                part.walk(id, &mut start, Some(&mac), &mut absent, &mut visit)?
            {
                return Err(bad.into());
            }
        }
        let (Some(first), Some(last)) = (moved.first(), moved.last()) else { return Ok(moved) };
        let entry = VaultEntry::LogArchived {
            first: first.first(),
            last: last.last.sequence,
            segments: moved.len() as u64,
            place: place.to_owned(),
        };
        let files = self.with(|vault| {
            vault.authorize_two(by).map_err(VaultError::from)?;
            vault.commit_all(By::Two(by), &entry, self.now(), |vault| {
                for segment in &mut vault.segments {
                    segment.archived |= copies.contains_key(&segment.name());
                }
            })?;
            vault.files()
        })??;
        for segment in &moved {
            files.remove(&segment.name())?;
        }
        Ok(moved)
    }
}
