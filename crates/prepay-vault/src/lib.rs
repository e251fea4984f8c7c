//! A vault: sealed contents, the people who may use them, and an audit log that nobody can bend.
//!
//! A security module and a key management centre both stand on one. The vault knows nothing of keys: its
//! [`Contents`] are bytes that it seals, and [`Entries`] of the audit log whose kinds the contents declare.
//!
//! - [`SharedVault`]: what every owner of a vault works with. It has a clock, serves all threads, and signs in,
//!   manages people, changes what unlocks it, backs up and reads the log.
//! - [`Vault`]: the vault itself, for one thread, which is told the time.
//!
//! # How a change becomes durable
//!
//! ```text
//!  often (tokens)                           rarely (keys, people)
//!  1. the owner changes the contents        1. what is staged is written
//!  2. stage: the entry waits in memory      2. store: new contents, and the entry still to be written
//!  3. flush: log, then head                 3. log, then head
//!  4. the answer                            4. the answer
//! ```
//!
//! After a stop at any moment the vault opens with the contents of the store, brought forward by the
//! entries in the log behind them. What was answered is there; what was not may be. The end of a write that
//! was cut short is dropped, and the log says so.
//!
//! # What it never knows
//!
//! Files and processes ([`VaultStorage`]), the time (it is told), and what its contents mean.

mod audit;
mod backup;
mod body;
mod code;
mod entry;
mod error;
mod head;
mod journal;
mod manage;
mod opening;
pub mod passphrase;
mod record;
mod seal;
mod secret;
mod shared_storage;
mod shared_vault;
mod sign_in;
mod storage;
mod user;
mod window;

use std::sync::Arc;

pub use audit::{AuditMark, AuditReport, ParseAuditMarkError, records, verify, verify_noted};
pub use backup::RestoredLimits;
pub use entry::{Entries, Entry, VaultEntry};
pub use error::*;
pub use journal::Flusher;
pub use record::{BadEntry, Problem, Record};
pub use seal::{Kind, Protector, VaultHeader};
pub use secret::{KeyFile, KeyWrapper, Secret, Unlock, WrapError, scrub_stack};
pub use shared_vault::{Place, SharedVault};
pub use sign_in::{Attempt, Claim};
pub use storage::{MemoryStorage, VaultStorage};
pub use user::{Actor, By, NewUser, ParseRoleError, Quorum, Role, Session, UserReport};

use audit::{LogHeader, Scanner};
use journal::Journal;
use record::{LogMac, Position};
use seal::SealedMaster;
use secret::Key;
use user::People;
use window::Window;

use prepay_basics::codec::{DecodeError, Reader, Writer};
use prepay_basics::{Entropy, Identifier, Moment};
/// For [`entries!`](crate::entries).
#[doc(hidden)]
pub use prepay_basics::{Field, codec};

/// How many items may lie behind the store before it is written afresh.
const ITEMS_BETWEEN_SNAPSHOTS: u64 = 65_536;
/// How many bytes of log may.
const BYTES_BETWEEN_SNAPSHOTS: u64 = 16 << 20;

/// What a vault keeps.
///
/// It must wipe its secrets when it is dropped, and leave no copies where it moves them.
pub trait Contents: Sized + Send {
    /// What happens to it: its kinds of entries in the audit log.
    type Entry: Entries;

    /// What the vault is for.
    const KIND: Kind;

    /// How many items are shown again at every opening, at least: entries that hold so many, as
    /// [`Contents::items`] counts them.
    const REMEMBERED: u64 = 0;

    /// How many items an entry holds, of those that are remembered.
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

    /// Sees an old entry again, whose effect the contents already hold.
    fn remember(&mut self, entry: &Self::Entry) {
        let _ = entry;
    }

    /// Applies the effect of a staged entry that the contents do not hold yet.
    ///
    /// # Errors
    ///
    /// [`ReplayError`] when the entry is never staged, or does not fit the contents.
    fn replay(&mut self, entry: &Self::Entry) -> Result<(), ReplayError>;

    /// Learns that it comes from a back-up, so that its limits may have been used up elsewhere.
    fn restored(&mut self, limits: RestoredLimits) {
        let _ = limits;
    }
}

/// Why a staged entry cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplayError {
    /// Entries of this kind come with their effect in the store.
    Unexpected,
    /// It does not fit the contents.
    Wrong {
        /// Why not.
        problem: String,
    },
}

/// How a vault is made.
#[derive(Clone, Copy)]
pub struct Setup<'a> {
    /// Its name.
    pub name: &'a Identifier,
    /// What unlocks it.
    pub unlock: Unlock<'a>,
    /// Its first people; at least two of them custodians.
    pub users: &'a [NewUser<'a>],
    /// For tests only: any passphrase will do and is quickly guessed. Can never be changed.
    pub insecure_test: bool,
}

/// An open vault.
pub struct Vault<C> {
    header: VaultHeader,
    sealed_master: SealedMaster,
    master: Key,
    log_key: Key,
    log_header: LogHeader,
    people: People,
    contents: Box<C>,
    journal: Arc<Journal>,
    window: Window,
    /// Where the store's contents end and the log goes on.
    anchor: Position,
    entropy: Box<dyn Entropy>,
    /// Sessions carry this, so that none outlives the opening.
    instance: [u8; 16],
}

impl<C> Drop for Vault<C> {
    fn drop(&mut self) {
        self.journal.wipe(); // A flusher may still be somewhere.
    }
}

impl<C: Contents> Vault<C> {
    /// What can be known of the vault without unlocking it.
    pub const fn header(&self) -> &VaultHeader {
        &self.header
    }

    /// What unlocks it.
    pub fn protector(&self) -> Protector {
        self.sealed_master.protector()
    }

    /// What it keeps.
    pub fn contents(&self) -> &C {
        &self.contents
    }

    /// What it keeps, to be changed as an entry that is staged next says, and not otherwise.
    pub fn contents_mut(&mut self) -> &mut C {
        &mut self.contents
    }

    /// The source of randomness that it was given.
    pub fn entropy(&mut self) -> &mut dyn Entropy {
        &mut *self.entropy
    }

    /// How many entries its audit log has, those included that wait to be written.
    pub fn entries(&self) -> u64 {
        self.journal.queue().position.sequence
    }

    /// Whether the vault can still keep what it does.
    ///
    /// # Errors
    ///
    /// [`VaultError::Broken`] after the storage failed.
    pub fn usable(&self) -> Result<(), VaultError> {
        self.journal.disk().usable()
    }

    /// Writes what is staged, from any thread.
    pub fn flusher(&self) -> Flusher {
        Flusher(Arc::clone(&self.journal))
    }

    /// Adds an entry to those that wait to be written, and gives its number. Its effect on the contents is
    /// the caller's, and must be what [`Contents::replay`] does.
    ///
    /// # Errors
    ///
    /// [`VaultError`] when the session may not act, or the entry is too large.
    pub fn stage(&mut self, by: By<'_>, entry: &C::Entry, now: Moment) -> Result<u64, VaultError> {
        self.check(by)?;
        self.put(Some(by), entry, C::items(entry), now)
    }

    /// Adds an entry to those that wait to be written: of whoever acts, or of the vault itself.
    fn put(
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
        self.window.pass(&before, &after, items);
        Ok(after.sequence)
    }

    /// Writes what is staged.
    ///
    /// # Errors
    ///
    /// [`VaultError::Broken`] when the storage fails or has failed.
    pub fn flush(&mut self) -> Result<(), VaultError> {
        self.journal.flush(&mut self.journal.disk())
    }

    /// Changes the contents and says so in the log, both or neither. Returns when both are durable.
    ///
    /// `change` runs once, after everything that can be checked was; it must not fail.
    ///
    /// # Errors
    ///
    /// [`VaultError`]; nothing was changed unless it is [`VaultError::Broken`].
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

    /// As [`Vault::commit`], for changes of the vault itself.
    fn commit_all(
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
        disk.usable()?;
        let anchor = journal.queue().position;
        let mut bytes = Vec::new();
        let after = {
            let queue = journal.queue();
            let actors: Vec<&Identifier> = by.sessions().map(Session::name).collect();
            record::write(&mut bytes, &anchor, now, &actors, entry, queue.mac()?)
                .ok_or(VaultError::TooLarge)?
        };
        change(self);
        self.window.pass(&anchor, &after, 0);
        let store = self.sealed(&nonce, anchor, &bytes);
        journal.commit(&mut disk, &store, &bytes, after)?;
        self.anchor = after;
        self.window.snapshot_taken();
        Ok(after.sequence)
    }

    /// The store as it should be, with an entry to be written.
    fn sealed(&self, nonce: &[u8; 12], anchor: Position, outbox: &[u8]) -> Vec<u8> {
        let mut writer = Writer::with_capacity(4096);
        body::encode(
            &mut writer,
            &self.log_key,
            &self.log_header,
            &self.people,
            anchor,
            self.window.start(),
            outbox,
        );
        self.contents.encode(&mut writer);
        seal::write(&self.header, &self.sealed_master, &self.master, nonce, writer)
    }

    /// Writes the store afresh if much was issued since it was written, so that opening stays quick.
    ///
    /// # Errors
    ///
    /// [`VaultError`]; nothing was lost unless it is [`VaultError::Broken`].
    pub fn snapshot_if_due(&mut self) -> Result<(), VaultError> {
        let position = self.journal.queue().position;
        let is_due = self.window.items_since_snapshot() >= ITEMS_BETWEEN_SNAPSHOTS
            || position.length.saturating_sub(self.anchor.length) >= BYTES_BETWEEN_SNAPSHOTS;
        if is_due { self.snapshot() } else { Ok(()) }
    }

    fn snapshot(&mut self) -> Result<(), VaultError> {
        let nonce = seal::fresh(&mut *self.entropy)?;
        let journal = Arc::clone(&self.journal);
        let mut disk = journal.disk();
        journal.flush(&mut disk)?;
        let anchor = journal.queue().position;
        if anchor == self.anchor {
            return Ok(());
        }
        let store = self.sealed(&nonce, anchor, &[]);
        disk.run(|storage| storage.replace_store(&store))?;
        self.anchor = anchor;
        self.window.snapshot_taken();
        Ok(())
    }

    /// Writes everything, locks the vault and wipes what it held.
    ///
    /// # Errors
    ///
    /// [`VaultError::Broken`] when the storage fails or has failed; the vault is locked all the same.
    pub fn close(mut self) -> Result<(), VaultError> {
        let outcome = self.snapshot();
        self.lock();
        outcome
    }

    /// Locks the vault at once: writes what is staged, if the storage lets it, and wipes what it held.
    pub fn lock(mut self) {
        let _ = self.flush(); // Whoever waits for it learns from the flusher.
        drop(self);
        scrub_stack();
    }

    /// Reads entries of the audit log, from a number on.
    ///
    /// # Errors
    ///
    /// [`AuditError`] when the place fails or an entry is not what it was.
    pub fn audit(
        &mut self,
        from: u64,
        at_most: usize,
    ) -> Result<Vec<Record<C::Entry>>, AuditError> {
        let mut disk = self.journal.disk();
        self.journal.flush(&mut disk)?;
        let mut records = Vec::new();
        if at_most == 0 {
            return Ok(records);
        }
        let mut place = self.window.before(from).unwrap_or_else(|| self.log_header.start());
        let end = disk.storage.log_length()?;
        let mut scanner = Scanner::new(&mut *disk.storage, place.length, end);
        while let Some(next) = scanner.next::<C::Entry>(&place, None)? {
            let (record, after) = next.map_err(|problem| place.bad(problem))?;
            place = after;
            if record.sequence >= from {
                records.push(record);
            }
            if records.len() >= at_most {
                break;
            }
        }
        Ok(records)
    }

    /// Proves the whole audit log: its chain, that this vault wrote it, and where it ends.
    ///
    /// # Errors
    ///
    /// [`AuditError`] when the place fails.
    pub fn verify_audit(&mut self) -> Result<AuditReport, AuditError> {
        let mut disk = self.journal.disk();
        self.journal.flush(&mut disk)?;
        let mac = LogMac::new(&self.log_key);
        let position = self.journal.queue().position;
        // A header of another chain would show as a first entry that was changed, one of another vault not.
        if let Ok(header) = audit::header(&mut *disk.storage)?
            && header.encode() != self.log_header.encode()
        {
            let first_bad = BadEntry { sequence: 0, offset: 0, problem: Problem::Header };
            let first_bad = Some(first_bad);
            let last = audit::AuditMark { sequence: 0, hash: [0; 32] };
            return Ok(AuditReport { entries: 0, first_bad, authenticated: true, last });
        }
        Ok(audit::prove::<C::Entry>(&mut *disk.storage, Some(&mac), Some(position.into()))?)
    }
}
