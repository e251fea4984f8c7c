//! A vault: sealed contents, the people who may use them, and an audit log that shows any tampering.
//!
//! Security modules and key management centres are both built on one. The vault knows nothing about keys: its
//! [`Contents`] are bytes that it seals, and they declare their own kinds of audit-log [`Entries`].
//!
//! - [`SharedVault`]: what module and centre use. It has a clock and serves all threads: sign-in, people, change of
//!   protection, back-up, audit log.
//! - [`Vault`]: the vault itself, for one thread; takes the time as an argument.
//!
//! # How a change becomes durable
//!
//! ```text
//!  often (tokens)                           rarely (keys, people)
//!  1. the owner changes the contents        1. staged entries are written
//!  2. stage: the entry waits in memory      2. store: new contents, with the entry not yet in the log
//!  3. flush: log, then head                 3. log, then head; then the witness
//!  4. the answer                            4. the answer
//! ```
//!
//! After a stop at any moment, the vault opens with the contents of the store plus the effects of later entries in
//! the log. Everything that was answered is there; what was not answered may be. The torn end of an interrupted write
//! is dropped, and the log says so.
//!
//! # What it never knows
//!
//! Files and processes ([`VaultStorage`]), the clock, and the meaning of its contents.

mod audit;
mod backup;
mod body;
mod clock;
mod code;
mod entry;
mod error;
mod head;
mod journal;
mod manage;
mod opening;
pub mod passphrase;
mod record;
mod repair;
mod rotation;
mod seal;
mod secret;
mod segment;
mod shared_storage;
mod shared_vault;
mod shares;
mod sign_in;
mod slices;
mod storage;
mod tear;
mod timeline;
mod user;
mod window;
mod witness;

use std::io;
use std::sync::Arc;

pub use audit::{
    AuditMark, AuditReport, ParseAuditMarkError, records, show_records, verify, verify_noted,
    verify_segments, verify_with,
};
pub use backup::RestoredLimits;
pub use entry::{Entries, Entry, VaultEntry};
pub use error::*;
pub use journal::Flusher;
pub use record::{BadEntry, Problem, Record};
pub use repair::{Accepted, RepairError, Repaired};
pub use seal::{Kind, Protector, VaultHeader};
pub use secret::{KeyFile, KeyWrapper, Secret, Unlock, WrapError, scrub_short_calls, scrub_stack};
pub use segment::{Segment, SegmentSource, Segments, segments_in};
pub use shared_vault::{Place, SharedVault};
pub use sign_in::{Attempt, Claim};
pub use slices::{AuditPage, AuditPlace};
pub use storage::{MemoryFiles, MemoryStorage, VaultFiles, VaultStorage, check_end};
pub use user::{Actor, By, NewUser, ParseRoleError, Quorum, Role, Session, UserReport};
pub use witness::{WitnessError, WitnessReport};

use audit::LogHeader;
use journal::Journal;
use record::{LogMac, Position};
use seal::SealedMaster;
use secret::Key;
use segment::Walked;
use timeline::Timeline;
use user::People;
use window::Window;

use prepay_basics::codec::{DecodeError, Reader, Writer};
use prepay_basics::{Entropy, Identifier, Moment};
/// For [`entries!`](crate::entries).
#[doc(hidden)]
pub use prepay_basics::{Field, codec};

/// How many items the log may have after the store before the store is rewritten.
const ITEMS_BETWEEN_SNAPSHOTS: u64 = 131_072;
/// How many bytes the log may have after the store before the store is rewritten.
const BYTES_BETWEEN_SNAPSHOTS: u64 = 16 << 20;

/// The contents of a vault.
///
/// An implementation must wipe its secrets when dropped, and leave no copies when it moves them.
pub trait Contents: Sized + Send {
    /// Its kinds of entries in the audit log.
    type Entry: Entries;

    /// What the vault is for.
    const KIND: Kind;

    /// The number of the first entry that must be shown again at every opening. It never falls.
    fn needed_from(&self) -> u64 {
        u64::MAX
    }

    /// How many items an entry contains. After so many items the store is rewritten.
    fn items(entry: &Self::Entry) -> u64 {
        let _ = entry;
        0
    }

    /// Writes everything.
    fn encode(&self, writer: &mut Writer);

    /// Reads what [`Contents::encode`] wrote.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] for anything else.
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;

    /// Is shown an old entry again, whose effect the contents already have.
    fn remember(&mut self, entry: &Self::Entry, at: At) {
        let _ = (entry, at);
    }

    /// Applies the effect of a staged entry that the contents do not have yet.
    ///
    /// # Errors
    ///
    /// [`ReplayError`] if entries of this kind are never staged, or the entry does not fit the contents.
    fn replay(&mut self, entry: &Self::Entry, at: At) -> Result<(), ReplayError>;

    /// Is told that it comes from a back-up, so that its limits may have been used up elsewhere.
    fn restored(&mut self, limits: RestoredLimits) {
        let _ = limits;
    }

    /// Is told that its [`VaultFiles`] are not there: a back-up has none.
    fn without_files(&mut self) {}

    /// Is told that no entry so far will be shown again at an opening, because the log is being rotated. Keeps in
    /// `files`, durably, what it still needs of them.
    ///
    /// # Errors
    ///
    /// Errors of its files. The vault then stops.
    fn keep_elsewhere(
        &mut self,
        files: &dyn VaultFiles,
        entropy: &mut dyn Entropy,
    ) -> io::Result<()> {
        let _ = (files, entropy);
        Ok(())
    }
}

/// Which entry of the audit log, and when it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    /// Its number.
    pub sequence: u64,
    /// When, by the vault's clock.
    pub moment: Moment,
}

/// Why a staged entry cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplayError {
    /// The effect of such entries is always in the store.
    Unexpected,
    /// It does not fit the contents.
    Wrong {
        /// The reason.
        problem: String,
    },
}

/// How to make a vault.
#[derive(Clone, Copy)]
pub struct Setup<'a> {
    /// Its name.
    pub name: &'a Identifier,
    /// What unlocks it.
    pub unlock: Unlock<'a>,
    /// Its first people, at least two of them custodians.
    pub users: &'a [NewUser<'a>],
    /// For tests only: accepts any passphrase, which is then quickly guessed. Can never be changed.
    pub insecure_test: bool,
}

/// An open vault.
pub struct Vault<C> {
    header: VaultHeader,
    sealed_master: SealedMaster,
    master: Key,
    log_key: Key,
    log_header: LogHeader,
    /// The closed segments of the log, in order.
    segments: Vec<Segment>,
    /// The log is rotated when it is longer, in bytes.
    rotated_above: u64,
    people: People,
    time: Timeline,
    contents: Box<C>,
    journal: Arc<Journal>,
    window: Window,
    /// The position in the log up to which the store has everything.
    anchor: Position,
    entropy: Box<dyn Entropy>,
    /// Sessions contain this, so that none outlives this opening. So does what this opening tells the witness.
    instance: [u8; 16],
    /// The witness that the vault must have.
    witness: Option<witness::Named>,
    /// Why it cannot be asked, so that nothing may be changed.
    witness_fault: Option<String>,
}

impl<C> Drop for Vault<C> {
    fn drop(&mut self) {
        self.journal.wipe(); // A flusher may still exist.
    }
}

impl<C: Contents> Vault<C> {
    /// What is known about the vault without unlocking it.
    pub const fn header(&self) -> &VaultHeader {
        &self.header
    }

    /// What unlocks it.
    pub fn protector(&self) -> Protector {
        self.sealed_master.protector()
    }

    /// Its contents.
    pub fn contents(&self) -> &C {
        &self.contents
    }

    /// Its contents, to change. The next staged entry must describe the change.
    pub fn contents_mut(&mut self) -> &mut C {
        &mut self.contents
    }

    /// Its source of randomness.
    pub fn entropy(&mut self) -> &mut dyn Entropy {
        &mut *self.entropy
    }

    /// How many entries its audit log has, including those that wait to be written.
    pub fn entries(&self) -> u64 {
        self.journal.queue().position.sequence
    }

    /// Its other files, which can be used without the vault.
    ///
    /// # Errors
    ///
    /// [`VaultError::Broken`] if the storage fails.
    pub fn files(&self) -> Result<Arc<dyn VaultFiles>, VaultError> {
        let files = self.journal.disk().storage.files();
        files.map_err(|error| VaultError::Broken { problem: error.to_string() })
    }

    /// The last entry of its audit log, which is durable when this returns.
    ///
    /// # Errors
    ///
    /// [`VaultError::Broken`] if the storage fails or has failed.
    pub fn last_entry(&mut self) -> Result<AuditMark, VaultError> {
        self.flush()?;
        Ok(self.journal.queue().position.into())
    }

    /// Checks that the vault can still write.
    ///
    /// # Errors
    ///
    /// [`VaultError::Broken`] if the storage has failed.
    pub fn usable(&self) -> Result<(), VaultError> {
        self.journal.disk().usable()
    }

    /// Writes staged entries, from any thread.
    pub fn flusher(&self) -> Flusher {
        Flusher(Arc::clone(&self.journal))
    }

    /// Stages an entry, which then waits to be written, and returns its number. The caller must make the change to the
    /// contents, the same that [`Contents::replay`] makes.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the session has no permission, or the entry is too large.
    pub fn stage(&mut self, by: By<'_>, entry: &C::Entry, now: Moment) -> Result<u64, VaultError> {
        self.check(by)?;
        self.check_ready(now)?;
        self.put(Some(by), entry, C::items(entry), now)
    }

    /// Stages an entry of nobody: the owner did by itself what it says.
    ///
    /// # Errors
    ///
    /// [`VaultError`] if the vault is locked, or the entry is too large.
    pub fn stage_own(&mut self, entry: &C::Entry, now: Moment) -> Result<u64, VaultError> {
        self.put(None, entry, C::items(entry), now)
    }

    /// Stages an entry, by people or by the vault itself. If the clock was put back, the log says so first.
    fn put(
        &mut self,
        by: Option<By<'_>>,
        entry: &impl Entries,
        items: u64,
        now: Moment,
    ) -> Result<u64, VaultError> {
        self.note_time(now)?;
        self.push(by, entry, items, now)
    }

    fn push(
        &mut self,
        by: Option<By<'_>>,
        entry: &impl Entries,
        items: u64,
        now: Moment,
    ) -> Result<u64, VaultError> {
        let mut queue = self.journal.queue();
        let queue = &mut *queue;
        let mac = queue.mac.as_ref().ok_or(VaultError::Locked)?;
        let before = queue.position;
        let mut actors = [&self.header.name; 2];
        let mut count = 0;
        for session in by.into_iter().flat_map(By::sessions) {
            actors[count] = &session.name;
            count += 1;
        }
        let after = record::write(&mut queue.pending, &before, now, &actors[..count], entry, mac)
            .ok_or(VaultError::TooLarge)?;
        queue.position = after;
        queue.moment = now;
        self.window.pass(&before, items);
        self.time.pass(now);
        Ok(after.sequence)
    }

    /// Writes staged entries.
    ///
    /// # Errors
    ///
    /// [`VaultError::Broken`] if the storage fails or has failed.
    pub fn flush(&mut self) -> Result<(), VaultError> {
        self.journal.flush(&mut self.journal.disk())
    }

    /// Changes the contents and adds an entry to the log, both or neither. Returns when both are durable.
    ///
    /// `change` runs once, after all checks; it must not fail.
    ///
    /// # Errors
    ///
    /// [`VaultError`]; nothing has changed unless it is [`VaultError::Broken`].
    pub fn commit(
        &mut self,
        by: By<'_>,
        entry: &C::Entry,
        now: Moment,
        change: impl FnOnce(&mut C),
    ) -> Result<u64, VaultError> {
        self.check(by)?;
        self.commit_all(by, entry, now, |vault| change(&mut vault.contents))
    }

    /// Like [`Vault::commit`], for changes of the vault itself.
    fn commit_all(
        &mut self,
        by: By<'_>,
        entry: &impl Entries,
        now: Moment,
        change: impl FnOnce(&mut Self),
    ) -> Result<u64, VaultError> {
        self.check_ready(now)?;
        self.rotate_if_due(now)?;
        self.note_time(now)?;
        self.commit_now(by, entry, now, change)
    }

    /// Commits whatever the clock and the witness say.
    fn commit_now(
        &mut self,
        by: By<'_>,
        entry: &impl Entries,
        now: Moment,
        change: impl FnOnce(&mut Self),
    ) -> Result<u64, VaultError> {
        let nonce = seal::fresh(&mut *self.entropy)?;
        let journal = Arc::clone(&self.journal);
        let mut disk = journal.disk();
        journal.flush(&mut disk)?;
        journal.ask_witness(&mut disk)?;
        let anchor = journal.queue().position;
        let mut bytes = Vec::new();
        let after = {
            let queue = journal.queue();
            let actors: Vec<&Identifier> = by.sessions().map(Session::name).collect();
            record::write(&mut bytes, &anchor, now, &actors, entry, queue.mac()?)
                .ok_or(VaultError::TooLarge)?
        };
        self.time.pass(now);
        change(self);
        self.window.pass(&anchor, 0);
        let store = self.sealed(&nonce, anchor, &bytes);
        journal.commit(&mut disk, &store, &bytes, after)?;
        journal.tell_witness(&mut disk, after.into(), now)?;
        self.anchor = after;
        self.window.snapshot_taken();
        Ok(after.sequence)
    }

    /// The new store, with an entry that is not yet in the log.
    fn sealed(&mut self, nonce: &[u8; 12], anchor: Position, outbox: &[u8]) -> Vec<u8> {
        self.window.trim(self.contents.needed_from(), &anchor);
        let mut writer = Writer::with_capacity(4096);
        let parts = body::Parts {
            log_key: &self.log_key,
            log_header: &self.log_header,
            segments: &self.segments,
            anchor,
            window: self.window.start(),
            outbox,
            latest: self.time.latest(),
            witness: self.witness.as_ref(),
            people: &self.people,
        };
        parts.encode(&mut writer);
        self.contents.encode(&mut writer);
        seal::write(&self.header, &self.sealed_master, &self.master, nonce, writer)
    }

    /// Rewrites the store if the log has grown much since, so that opening stays quick. Rotates a log that is long.
    ///
    /// # Errors
    ///
    /// [`VaultError`]; nothing is lost unless it is [`VaultError::Broken`].
    pub fn snapshot_if_due(&mut self) -> Result<(), VaultError> {
        let (position, moment) = {
            let queue = self.journal.queue();
            (queue.position, queue.moment)
        };
        self.rotate_if_due(moment)?;
        let is_due = self.window.items_since_snapshot() >= ITEMS_BETWEEN_SNAPSHOTS
            || position.length.saturating_sub(self.anchor.length) >= BYTES_BETWEEN_SNAPSHOTS;
        if is_due { self.save() } else { Ok(()) }
    }

    fn snapshot(&mut self) -> Result<(), VaultError> {
        self.flush()?;
        if self.journal.queue().position == self.anchor { Ok(()) } else { self.save() }
    }

    /// Rewrites the store with the contents as they are now, also where no entry describes a change. Returns when that
    /// is durable.
    ///
    /// # Errors
    ///
    /// [`VaultError`]; nothing is lost unless it is [`VaultError::Broken`].
    pub fn save(&mut self) -> Result<(), VaultError> {
        let nonce = seal::fresh(&mut *self.entropy)?;
        let journal = Arc::clone(&self.journal);
        let mut disk = journal.disk();
        journal.flush(&mut disk)?;
        let anchor = journal.queue().position;
        let store = self.sealed(&nonce, anchor, &[]);
        disk.run(|storage| {
            check_end(anchor.length, storage.log_length()?)?;
            storage.replace_store(&store)
        })?;
        self.anchor = anchor;
        self.window.snapshot_taken();
        Ok(())
    }

    /// Writes everything, locks the vault and wipes its secrets.
    ///
    /// # Errors
    ///
    /// [`VaultError::Broken`] if the storage fails or has failed; the vault is locked even then.
    pub fn close(mut self) -> Result<(), VaultError> {
        let outcome = self.snapshot().and_then(|()| self.end_watch());
        self.lock();
        outcome
    }

    /// Locks the vault at once: writes staged entries, if possible, and wipes its secrets.
    pub fn lock(mut self) {
        let _ = self.flush().and_then(|()| self.end_watch()); // Callers that wait get the error from the flusher.
        drop(self);
        scrub_stack();
    }

    /// Reads entries of the audit log, starting at a number.
    ///
    /// # Errors
    ///
    /// [`AuditError`] if the storage fails or an entry was changed.
    pub fn audit(
        &mut self,
        from: u64,
        at_most: usize,
    ) -> Result<Vec<Record<C::Entry>>, AuditError> {
        let mut records = Vec::new();
        if at_most == 0 {
            return Ok(records);
        }
        self.flush()?;
        let parts = self.parts(&Segments::new())?;
        let mut place = Some(self.place_before(from));
        let mut disk = self.journal.disk();
        let walked = audit::walk(
            &mut *disk.storage,
            &parts,
            &mut place,
            None,
            &mut Vec::new(),
            &mut |record: Record<C::Entry>, _| {
                if record.sequence >= from {
                    records.push(record);
                }
                records.len() < at_most
            },
        )?;
        match walked {
            Walked::Wrong(bad) => Err(bad.into()),
            Walked::Through | Walked::Stopped => Ok(records),
        }
    }

    /// A position to read from, to come to an entry.
    fn place_before(&self, sequence: u64) -> Position {
        let has = |segment: &&Segment| segment.last.sequence >= sequence;
        let of_segment = || self.segments.iter().find(has).map(Segment::start);
        let near = self.window.before(sequence).or_else(of_segment);
        near.unwrap_or_else(|| self.log_header.start())
    }

    /// Verifies the whole audit log with its segments: its chain, that this vault wrote it, and where it ends.
    ///
    /// # Errors
    ///
    /// [`AuditError`] if the storage fails.
    pub fn verify_audit(&mut self) -> Result<AuditReport, AuditError> {
        let parts = self.parts(&Segments::new())?;
        let mut disk = self.journal.disk();
        self.journal.flush(&mut disk)?;
        let mac = LogMac::new(&self.log_key);
        let position = self.journal.queue().position;
        let found = audit::header(&mut *disk.storage)?.ok();
        if let Some(report) = audit::other_log(found.as_ref(), &self.log_header) {
            return Ok(report);
        }
        Ok(audit::prove::<C::Entry>(&mut *disk.storage, &parts, Some(&mac), Some(position.into()))?)
    }
}
