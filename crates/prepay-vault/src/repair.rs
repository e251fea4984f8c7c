//! Repair: a vault whose log or head is damaged, brought back by two custodians, who accept what is lost.
//!
//! ```text
//!  1. unlock the store; two custodians prove their passphrases
//!  2. read the whole log from its beginning: up to where is it right?
//!  3. what do store, head and witness know that is not there? the custodians must have accepted that number of entries
//!  4. the log goes on after its last right entry; if the store is ahead of that, a new log begins after the store
//!  5. the first new entry says what was accepted, and the head is made anew
//! ```
//!
//! Without a head that fits, nobody can know whether entries after the last one were cut off. So the contents of a
//! repaired vault are told, as after a restore, and a module issues nothing under its keys until they are loaded again,
//! unless the custodians accept the limits.
//!
//! - Elsewhere: what an ordinary opening repairs by itself, a torn end (`opening.rs`).

use std::fmt;
use std::io;
use std::sync::Arc;

use super::audit::{self, LogHeader, Scanner};
use super::body::Body;
use super::journal::Journal;
use super::opening::{self, State};
use super::record::{self, LogMac, Position, Problem};
use super::rotation::ROTATED_ABOVE;
use super::seal::{self, Sealed};
use super::secret::scrub_stack;
use super::sign_in::Attempt;
use super::timeline::Timeline;
use super::window::Window;
use super::witness;
use super::{
    AuditMark, Contents, OpenError, Place, Quorum, QuorumError, RestoredLimits, Secret, Segment,
    SignInError, Unlock, Vault, VaultEntry, VaultError,
};
use prepay_basics::codec::Reader;
use prepay_basics::{Identifier, Moment};

/// What two custodians accept when they repair a vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// How many entries are known to be missing.
    pub lost: u64,
    /// What to do with the limits, if nobody can know whether later entries are missing too.
    pub limits: RestoredLimits,
}

/// What a repair did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repaired {
    /// The last entry that was right.
    pub last: u64,
    /// How many entries after it were known and are lost.
    pub lost: u64,
    /// Whether later entries may be missing that nobody knows of.
    pub uncertain: bool,
}

/// Why a vault was not repaired. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RepairError {
    /// The vault opens as it is.
    NotNeeded,
    /// Entries are missing, and the custodians did not accept this number.
    Lost {
        /// The last entry that is right.
        last: u64,
        /// How many are known to be missing.
        lost: u64,
        /// How many were accepted.
        accepted: u64,
    },
    /// A custodian did not sign in.
    SignIn {
        /// Who.
        name: Identifier,
        /// Why.
        error: SignInError,
    },
    /// The two cannot act together.
    Quorum(QuorumError),
    /// The store does not open, or the log is that of another history. Restore a back-up.
    Open(OpenError),
}

impl From<OpenError> for RepairError {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}

impl fmt::Display for RepairError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotNeeded => f.write_str("the vault opens as it is: there is nothing to repair"),
            Self::Lost { last, lost, accepted } => write!(
                f,
                "{lost} entries after entry {last} of the audit log are missing: expected that this number is \
                 accepted, found {accepted}"
            ),
            Self::SignIn { name, error } => write!(f, "{name}: {error}"),
            Self::Quorum(error) => error.fmt(f),
            Self::Open(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RepairError {}

impl<C: Contents> Vault<C> {
    /// Repairs a vault that does not open because its log or head is damaged. `keep` runs before anything is changed,
    /// to keep copies of everything.
    ///
    /// Failed sign-ins are not counted here: the log cannot be written. What unlocks the vault is needed first.
    ///
    /// # Errors
    ///
    /// [`RepairError`]; nothing has changed unless the storage failed half-way, and then it can be repeated.
    pub fn repair(
        place: Place,
        unlock: Unlock<'_>,
        custodians: [(&Identifier, &Secret); 2],
        accepted: Accepted,
        keep: impl FnOnce() -> io::Result<()>,
    ) -> Result<(Self, Repaired), RepairError> {
        let Place { mut storage, mut entropy, clock } = place;
        let now = clock.now();
        let io = |error: io::Error| RepairError::Open(error.into());
        let store = opening::store_of(&mut *storage)?;
        let sealed = Sealed::read(&store)?;
        sealed.header.check::<C>()?;
        let instance = seal::fresh(&mut *entropy).map_err(|_| OpenError::NoEntropy)?;
        let (master, text) = sealed.open(&unlock)?;
        let mut reader = Reader::new(&text);
        let body = Body::decode(sealed.header.id, &mut reader).map_err(OpenError::from)?;
        let contents = Box::new(C::decode(&mut reader).map_err(OpenError::from)?);
        reader.finish().map_err(OpenError::from)?;
        let mac = LogMac::new(&body.log_key);
        let mut state = State { people: body.people, latest: body.latest, contents };

        let sign_in = |(name, passphrase): (&Identifier, &Secret)| {
            let failed = |error| RepairError::SignIn { name: name.clone(), error };
            let user = state.people.users.get(name).ok_or_else(|| failed(SignInError::Wrong))?;
            state.people.check_wait(Some(name), now).map_err(failed)?;
            match Attempt::of(name, user).claim(passphrase).fits(user) {
                true => Ok(user.session(name, instance)),
                false => Err(failed(SignInError::Wrong)),
            }
        };
        let [first, second] = custodians;
        let quorum = Quorum::new(sign_in(first)?, sign_in(second)?).map_err(RepairError::Quorum)?;

        if opening::opens::<C>(&mut *storage, sealed.header.id, &text)? {
            return Err(RepairError::NotNeeded);
        }

        // How far the log is right, from its beginning.
        let head = storage.read_head().map_err(io)?;
        let head = opening::read_head(head.as_deref(), &sealed.header.id, &mac).unwrap_or_default();
        let heard = witness::hear(body.witness.as_ref(), &mut *storage, &sealed.header.id, &mac);
        let anchor = body.anchor;
        let outbox = match body.outbox {
            [] => None,
            bytes => {
                let read = record::read::<C::Entry>(bytes, &anchor, Some(&mac));
                Some(read.map_err(|problem| OpenError::from(anchor.bad(problem)))?)
            }
        };
        let stored = outbox.as_ref().map_or(anchor, |&(_, after)| after);
        let mut end = body.log_header.start();
        let compare = |place: &Position| heard.said.map_or(Ok(()), |said| said.compare(place));
        [end, anchor, stored].iter().chain(&head).try_for_each(compare)?;
        let mut window = Window::new(end);
        let header = audit::header(&mut *storage).map_err(io)?;
        let is_of =
            |own: &LogHeader| header.as_ref().is_ok_and(|header| header.encode() == own.encode());
        let header_fits = is_of(&body.log_header);
        // A rotation that was interrupted: what is there is not a damaged log, but a whole segment.
        let segment =
            body.segments.last().filter(|segment| is_of(&segment.header(sealed.header.id)));
        let closing = segment.map(Segment::name);
        if header_fits {
            let length = storage.log_length().map_err(io)?;
            let mut scanner = Scanner::new(&mut *storage, end.length, length);
            while let Some(next) = scanner.next::<C::Entry>(&end, Some(&mac)).map_err(io)? {
                let Ok((record, after)) = next else { break };
                let differs =
                    |known: &Position| known.sequence == after.sequence && *known != after;
                if [Some(anchor), Some(stored), head].iter().flatten().any(differs) {
                    return Err(OpenError::from(end.bad(Problem::OtherChain)).into());
                }
                compare(&after)?;
                if after.sequence <= stored.sequence {
                    state.remember(&record);
                } else if state.replay(&record).is_err() {
                    break;
                }
                window.pass(&end, opening::items::<C>(&record));
                end = after;
            }
        }
        let cut = if header_fits { end.length } else { 0 };
        let mut missing = if header_fits { Vec::new() } else { body.log_header.encode() };
        // What is in the outbox is not lost if the log reaches it.
        if let (true, Some((record, after))) = (end == anchor, &outbox) {
            missing.extend_from_slice(body.outbox);
            state.remember(record);
            window.pass(&end, opening::items::<C>(record));
            end = *after;
        }

        let places = [Some(stored), head].into_iter().flatten().map(AuditMark::from);
        let marks = places.chain(heard.said.map(|said| said.last));
        let known = marks.max_by_key(|mark| mark.sequence).unwrap_or(stored.into());
        let lost = known.sequence.saturating_sub(end.sequence);
        let uncertain = head.is_none() || heard.fault.is_some();
        if lost != accepted.lost {
            return Err(RepairError::Lost { last: end.sequence, lost, accepted: accepted.lost });
        }
        if uncertain || known.sequence > end.sequence.max(stored.sequence) {
            state.contents.restored(accepted.limits);
        }
        let repaired = Repaired { last: end.sequence, lost, uncertain };
        let entry = VaultEntry::Repaired {
            last: end.sequence,
            lost,
            uncertain,
            limits_accepted: accepted.limits == RestoredLimits::Accepted,
        };

        // A log that lacks what the store has cannot go on: another begins after all that was known.
        let (log_header, cut, missing) = if end.sequence < stored.sequence {
            let header =
                LogHeader { id: sealed.header.id, sequence: known.sequence, hash: known.hash };
            end = header.start();
            window = Window::new(end);
            (header, 0, header.encode())
        } else {
            (body.log_header, cut, missing)
        };
        keep().map_err(io)?;
        if let Some(name) = closing {
            storage.close_log(&name).map_err(io)?;
        }
        let mut vault = Self {
            journal: Arc::new(Journal::new(storage, sealed.header.id, mac, end, now)),
            header: sealed.header,
            sealed_master: sealed.master,
            master,
            log_key: body.log_key,
            log_header,
            segments: body.segments,
            rotated_above: ROTATED_ABOVE,
            time: Timeline::new(state.latest.max(state.people.latest_wait())),
            people: state.people,
            contents: state.contents,
            window,
            anchor: end,
            entropy,
            instance,
            witness_fault: heard.fault,
            witness: body.witness,
        };
        vault.write_repaired(&quorum, &entry, now, cut, missing).map_err(OpenError::from)?;
        vault.begin_watch(now);
        drop(text);
        scrub_stack();
        Ok((vault, repaired))
    }

    /// Writes the store, with the entry in its outbox; then the log, cut to a length, with what is missing and the entry.
    fn write_repaired(
        &mut self,
        quorum: &Quorum,
        entry: &VaultEntry,
        now: Moment,
        cut: u64,
        missing: Vec<u8>,
    ) -> Result<(), VaultError> {
        let nonce = seal::fresh(&mut *self.entropy)?;
        let before = self.anchor;
        let mut outbox = Vec::new();
        let mac = LogMac::new(&self.log_key);
        let after = record::write(&mut outbox, &before, now, &quorum.names(), entry, &mac)
            .ok_or(VaultError::TooLarge)?;
        self.time.pass(now);
        self.window.pass(&before, 0);
        let store = self.sealed(&nonce, before, &outbox);
        let bytes = [missing, outbox].concat();
        self.journal.repair(&store, cut, &bytes, after)?;
        self.anchor = after;
        self.window.snapshot_taken();
        Ok(())
    }
}
