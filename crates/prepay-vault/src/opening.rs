//! Making a vault, and opening one: check everything, replay the log, repair its end.
//!
//! ```text
//!            window            anchor    outbox          head            end
//!  log  -------|------------------|--------|---------------|--------------|
//!               shown again:       in the   to apply:        durable, but
//!               remember           store    replay           not answered
//! ```
//!
//! Closed segments of the log are not read: after a rotation, the window begins with the new log. An interrupted rotation
//! is finished.
//!
//! Up to the head everything must be present and unchanged, or the vault does not open. After the head, complete
//! entries are applied, the torn end of a write is dropped (`tear.rs`), and everything else there is refused. Nothing is written before all checks have passed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::audit::{self, HEADER, LogHeader, Scanner};
use super::body::Body;
use super::head::{self, Head};
use super::journal::Journal;
use super::record::{self, LogMac, Position, Problem};
use super::rotation::ROTATED_ABOVE;
use super::seal::{self, Sealed, SealedMaster};
use super::secret::{Key, scrub_stack};
use super::segment::{Part, Segment, Segments, Walked};
use super::tear;
use super::timeline::Timeline;
use super::user::{Failures, People, User};
use super::window::Window;
use super::witness::{self, Said};
use super::{
    BadEntry, Contents, CreateError, Entries as _, Entry, OpenError, Protector, Record,
    ReplayError, Setup, Unlock, Vault, VaultEntry, VaultError, VaultHeader,
};
use crate::VaultStorage;
use prepay_basics::codec::Reader;
use prepay_basics::{Entropy, Identifier, Moment};

/// The first state of a new vault.
pub(super) struct Beginning<C> {
    pub(super) header: VaultHeader,
    pub(super) people: People,
    /// The latest time that it has seen.
    pub(super) latest: Moment,
    pub(super) contents: Box<C>,
    pub(super) log_header: LogHeader,
    pub(super) actors: Vec<Identifier>,
    pub(super) entry: VaultEntry,
}

/// The store, or why there is none.
pub(super) fn store_of(storage: &mut dyn VaultStorage) -> Result<Vec<u8>, OpenError> {
    match storage.read_store()? {
        Some(store) => Ok(store),
        None if storage.log_length()? > 0 => Err(OpenError::StoreLost),
        None => Err(OpenError::NotThere),
    }
}

impl<C: Contents> Vault<C> {
    /// Makes a vault in empty storage.
    ///
    /// # Errors
    ///
    /// [`CreateError`]. No vault was made, unless the storage failed half-way; then either the vault opens or there is
    /// none.
    pub fn create(
        mut storage: Box<dyn VaultStorage>,
        mut entropy: Box<dyn Entropy>,
        setup: Setup<'_>,
        contents: C,
        now: Moment,
    ) -> Result<Self, CreateError> {
        let contents = Box::new(contents);
        require_empty(&mut *storage)?;
        let Setup { name, unlock, users, insecure_test } = setup;
        let people = first_people(&setup, &mut *entropy)?;
        let header = VaultHeader {
            kind: C::KIND.number,
            id: seal::fresh(&mut *entropy).map_err(VaultError::from)?,
            name: name.clone(),
            insecure_test,
        };
        let hash = [b"prepay audit log".as_slice(), &header.id].concat();
        let hash = sha2::Digest::finalize(<sha2::Sha256 as sha2::Digest>::new_with_prefix(hash));
        let beginning = Beginning {
            people,
            latest: now,
            contents,
            log_header: LogHeader { id: header.id, sequence: 0, hash: hash.into() },
            actors: users.iter().map(|user| user.name.clone()).take(2).collect(),
            entry: VaultEntry::Created {
                name: name.clone(),
                what: C::KIND.name.to_owned(),
                insecure_test,
            },
            header,
        };
        Self::begin(storage, entropy, &unlock, beginning, now)
    }

    /// Writes the first state of a vault.
    pub(super) fn begin(
        storage: Box<dyn VaultStorage>,
        mut entropy: Box<dyn Entropy>,
        unlock: &Unlock<'_>,
        beginning: Beginning<C>,
        now: Moment,
    ) -> Result<Self, CreateError> {
        let Beginning { header, people, latest, contents, log_header, actors, entry } = beginning;
        let master = Key::random(&mut *entropy).map_err(VaultError::from)?;
        let log_key = Key::random(&mut *entropy).map_err(VaultError::from)?;
        let sealed_master =
            SealedMaster::seal(unlock, &master, &header, &people.shares(), &mut *entropy)?;
        let mac = LogMac::new(&log_key);
        let start = log_header.start();
        let mut outbox = log_header.encode();
        let actors: Vec<&Identifier> = actors.iter().collect();
        let after = record::write(&mut outbox, &start, now, &actors, &entry, &mac)
            .ok_or(VaultError::TooLarge)?;
        let nonce = seal::fresh(&mut *entropy).map_err(VaultError::from)?;
        let instance = seal::fresh(&mut *entropy).map_err(VaultError::from)?;
        let journal = Journal::new(storage, header.id, mac, start, now);
        let mut window = Window::new(start);
        window.pass(&start, 0);
        let mut vault = Self {
            header,
            sealed_master,
            master,
            log_key,
            log_header,
            segments: Vec::new(),
            rotated_above: ROTATED_ABOVE,
            people,
            time: Timeline::new(latest.max(now)),
            contents,
            journal: Arc::new(journal),
            window,
            anchor: start,
            entropy,
            instance,
            witness: None,
            witness_fault: None,
        };
        let store = vault.sealed(&nonce, start, &outbox[HEADER..]);
        vault.journal.commit(&mut vault.journal.disk(), &store, &outbox, after)?;
        vault.anchor = after;
        scrub_stack();
        Ok(vault)
    }

    /// What is known about a vault without a secret, and what unlocks it.
    ///
    /// # Errors
    ///
    /// [`OpenError`] if there is none of this kind, or its store is damaged.
    pub fn look(storage: &mut dyn VaultStorage) -> Result<(VaultHeader, Protector), OpenError> {
        let store = store_of(storage)?;
        let sealed = Sealed::read(&store)?;
        sealed.header.check::<C>()?;
        Ok((sealed.header, sealed.master.protector()))
    }

    /// Opens a vault.
    ///
    /// # Errors
    ///
    /// [`OpenError`]; nothing has changed.
    pub fn open(
        mut storage: Box<dyn VaultStorage>,
        mut entropy: Box<dyn Entropy>,
        unlock: Unlock<'_>,
        now: Moment,
    ) -> Result<Self, OpenError> {
        let store = store_of(&mut *storage)?;
        let sealed = Sealed::read(&store)?;
        sealed.header.check::<C>()?;
        let instance = seal::fresh(&mut *entropy).map_err(|_| OpenError::NoEntropy)?;
        let (master, text) = sealed.open(&unlock)?;
        let mut reader = Reader::new(&text);
        let body = Body::decode(sealed.header.id, &mut reader)?;
        let contents = Box::new(C::decode(&mut reader)?);
        reader.finish()?;

        let mac = LogMac::new(&body.log_key);
        let mut state = State { people: body.people, latest: body.latest, contents };
        let head = storage.read_head()?;
        let head = read_head(head.as_deref(), &sealed.header.id, &mac)?;
        let heard = witness::hear(body.witness.as_ref(), &mut *storage, &sealed.header.id, &mac);
        let log = Log {
            header: body.log_header,
            segments: &body.segments,
            anchor: body.anchor,
            window: body.window,
            outbox: body.outbox,
            head,
            said: heard.said,
            mac: &mac,
        };
        let plan = log.check(&mut *storage, &mut state)?;

        // Everything is right: repair the end of the log.
        log.tidy(&mut *storage, &plan)?;
        let mut vault = Self {
            journal: Arc::new(Journal::new(storage, sealed.header.id, mac, plan.end, now)),
            header: sealed.header,
            sealed_master: sealed.master,
            master,
            log_key: body.log_key,
            log_header: body.log_header,
            segments: body.segments,
            rotated_above: ROTATED_ABOVE,
            time: Timeline::new(state.latest.max(state.people.latest_wait())),
            people: state.people,
            contents: state.contents,
            window: plan.passed,
            anchor: body.anchor,
            entropy,
            instance,
            witness_fault: heard.fault,
            witness: body.witness,
        };
        if plan.torn > 0 {
            let entry = VaultEntry::LogCut { bytes: plan.torn };
            vault.put(None, &entry, 0, now)?;
            vault.flush()?;
        }
        vault.begin_watch(now);
        drop(text);
        scrub_stack();
        Ok(vault)
    }
}

impl VaultHeader {
    /// Checks that the vault is of the kind of the contents.
    pub(super) fn check<C: Contents>(&self) -> Result<(), OpenError> {
        if self.kind == C::KIND.number {
            return Ok(());
        }
        Err(OpenError::Kind { expected: C::KIND, found: self.kind })
    }
}

/// Whether a vault with these contents opens as it is. Writes nothing.
pub(super) fn opens<C: Contents>(
    storage: &mut dyn VaultStorage,
    id: [u8; 16],
    text: &[u8],
) -> Result<bool, OpenError> {
    let mut reader = Reader::new(text);
    let body = Body::decode(id, &mut reader)?;
    let contents = Box::new(C::decode(&mut reader)?);
    let mac = LogMac::new(&body.log_key);
    let head = storage.read_head()?;
    let Ok(head) = read_head(head.as_deref(), &id, &mac) else { return Ok(false) };
    let said = witness::hear(body.witness.as_ref(), storage, &id, &mac).said;
    let (header, anchor, window, outbox) = (body.log_header, body.anchor, body.window, body.outbox);
    let segments = &body.segments;
    let log = Log { header, segments, anchor, window, outbox, head, said, mac: &mac };
    let mut state = State { people: body.people, latest: body.latest, contents };
    match log.check(storage, &mut state) {
        Ok(_) => Ok(true),
        Err(error @ OpenError::Storage { .. }) => Err(error),
        Err(_) => Ok(false),
    }
}

pub(super) fn require_empty(storage: &mut dyn VaultStorage) -> Result<(), CreateError> {
    let is_empty = storage.read_store()?.is_none()
        && storage.log_length()? == 0
        && storage.read_head()?.is_none();
    if is_empty { Ok(()) } else { Err(CreateError::NotEmpty) }
}

fn first_people(setup: &Setup<'_>, entropy: &mut dyn Entropy) -> Result<People, CreateError> {
    let mut people = People { users: BTreeMap::new(), unknown: Failures::NONE };
    for user in setup.users {
        if people.users.contains_key(user.name) {
            return Err(CreateError::SameName { name: user.name.clone() });
        }
        let state = User::new(user.role, user.passphrase, setup.insecure_test, entropy)?;
        people.users.insert(user.name.clone(), state);
    }
    if people.custodians() < 2 {
        return Err(CreateError::TooFewCustodians);
    }
    Ok(people)
}

pub(super) fn read_head(
    bytes: Option<&[u8]>,
    id: &[u8; 16],
    mac: &LogMac,
) -> Result<Option<Position>, OpenError> {
    let Some(bytes) = bytes else { return Ok(None) };
    let head = Head::read(bytes).map_err(|_| OpenError::Head { problem: "damaged" })?;
    if head.id != *id {
        return Err(OpenError::Head { problem: "of another vault" });
    }
    if !head.is_signed(mac) {
        return Err(OpenError::Head { problem: "damaged" });
    }
    Ok(Some(head.position))
}

/// The state that entries change.
pub(super) struct State<C> {
    pub(super) people: People,
    pub(super) latest: Moment,
    pub(super) contents: Box<C>,
}

impl<C: Contents> State<C> {
    /// Applies an entry whose effect is not in the store.
    pub(super) fn replay(&mut self, record: &Record<C::Entry>) -> Result<(), OpenError> {
        let wrong = |problem: String| OpenError::Replay { sequence: record.sequence, problem };
        self.latest = self.latest.max(record.moment);
        let unexpected = || wrong(format!("\"{}\" is not in the store", record.entry.name()));
        match &record.entry {
            Entry::Vault(VaultEntry::SignedIn { .. }) => {
                self.people.set_failures(record.actors.first(), Failures::NONE);
                Ok(())
            }
            Entry::Vault(VaultEntry::SignInFailed { user, failures, wait_until }) => {
                let failures = Failures { count: *failures, wait_until: *wait_until };
                self.people.set_failures(user.as_ref(), failures);
                Ok(())
            }
            Entry::Vault(VaultEntry::ClockBack { to, .. }) => {
                self.people.cap_waits(*to);
                Ok(())
            }
            Entry::Vault(VaultEntry::LogCut { .. } | VaultEntry::BackedUp { .. }) => Ok(()),
            Entry::Vault(_) => Err(unexpected()),
            Entry::Owner(entry) => {
                self.contents.replay(entry, record.at()).map_err(|error| match error {
                    ReplayError::Unexpected => unexpected(),
                    ReplayError::Wrong { problem } => wrong(problem),
                })
            }
        }
    }

    /// Shows again an entry whose effect is in the store.
    pub(super) fn remember(&mut self, record: &Record<C::Entry>) {
        if let Entry::Owner(entry) = &record.entry {
            self.contents.remember(entry, record.at());
        }
    }
}

/// What store and head say about the log.
struct Log<'a> {
    header: LogHeader,
    segments: &'a [Segment],
    anchor: Position,
    window: Position,
    outbox: &'a [u8],
    head: Option<Position>,
    said: Option<Said<'a>>,
    mac: &'a LogMac,
}

/// What to do to the log, and where it ends then.
struct Plan {
    /// Whether to close the log, because a rotation was interrupted.
    close: bool,
    /// Whether to write the outbox at the anchor.
    rewrite: bool,
    /// How many bytes to drop at the end, after the last complete entry.
    torn: u64,
    end: Position,
    passed: Window,
}

impl Log<'_> {
    /// Whether the log may have nothing yet, because making the vault or rotating its log was interrupted.
    fn is_new(&self) -> bool {
        self.anchor.length == HEADER as u64
            && match self.head {
                None => self.segments.is_empty(),
                Some(_) => self.in_log(self.head).is_none(),
            }
    }

    /// A head that is in this log. After a loss of power there may be one of before a rotation, which says nothing about
    /// the log of after it.
    fn in_log(&self, head: Option<Position>) -> Option<Position> {
        head.filter(|head| self.segments.is_empty() || head.sequence > self.header.sequence)
    }

    /// Whether a rotation was interrupted before the log was closed: the log is still the last segment.
    fn is_unclosed(&self, storage: &mut dyn VaultStorage) -> Result<bool, OpenError> {
        let Some(segment) = self.segments.last() else { return Ok(false) };
        if self.anchor.length != HEADER as u64 || self.outbox.is_empty() {
            return Ok(false);
        }
        let is_segment = audit::header(storage)?
            .is_ok_and(|found| found.encode() == segment.header(self.header.id).encode());
        let length = storage.log_length()?;
        match is_segment && length != segment.length {
            true => Err(OpenError::Cut { expected: segment.length, found: length }),
            false => Ok(is_segment),
        }
    }

    /// Where the outbox starts and ends. Before the first entry, the header of the log is part of it.
    fn outbox_bytes(&self) -> (u64, Vec<u8>) {
        if self.anchor.length == HEADER as u64 {
            (0, [self.header.encode().as_slice(), self.outbox].concat())
        } else {
            (self.anchor.length, self.outbox.to_vec())
        }
    }

    /// Reads the log and applies the entries after the store. Writes nothing.
    fn check<C: Contents>(
        &self,
        storage: &mut dyn VaultStorage,
        state: &mut State<C>,
    ) -> Result<Plan, OpenError> {
        if self.head.is_none() && !self.is_new() {
            return Err(OpenError::Head { problem: "missing" });
        }
        let close = self.is_unclosed(storage)?;
        let length = if close { 0 } else { storage.log_length()? };
        let outbox_end = self.anchor.length + self.outbox.len() as u64;
        let head_length = self.in_log(self.head).map_or(0, |head| head.length);
        // Before its first entry is written, a log may lack even the header.
        let before = if self.is_new() { 0 } else { self.anchor.length };
        let mut acknowledged = head_length.max(before);
        if length < acknowledged {
            return Err(OpenError::Cut { expected: acknowledged, found: length });
        }
        let rewrite = !self.outbox.is_empty()
            && head_length <= self.anchor.length
            && self.outbox_lacks(storage, length)?;
        let end = if rewrite { self.anchor.length } else { length };
        if !rewrite {
            acknowledged = acknowledged.max(outbox_end);
        }
        if self.is_new() && self.head.is_none() && !rewrite && length > outbox_end {
            return Err(OpenError::Head { problem: "missing" });
        }

        let mut plan =
            Plan { close, rewrite, torn: 0, end: self.window, passed: Window::new(self.window) };
        if !(rewrite && self.is_new()) {
            let header = audit::header(storage)??;
            if header.encode() != self.header.encode() {
                let problem = Problem::Header;
                return Err(BadEntry { sequence: 0, offset: 0, segment: None, problem }.into());
            }
            self.scan(storage, state, &mut plan, end, acknowledged)?;
        }
        if rewrite {
            let (record, after) = record::read(self.outbox, &self.anchor, Some(self.mac))
                .map_err(|problem| self.anchor.bad(problem))?;
            state.remember(&record);
            plan.pass::<C>(&record, after);
        }
        self.look_back::<C>(storage, &plan)?;
        Ok(plan)
    }

    /// Checks that the log has the entry of the witness, which may be before everything that was read.
    fn look_back<C: Contents>(
        &self,
        storage: &mut dyn VaultStorage,
        plan: &Plan,
    ) -> Result<(), OpenError> {
        let Some(said) = self.said else { return Ok(()) };
        said.compare(&plan.end)?;
        if said.last.sequence > plan.end.sequence {
            return Err(said.went_back(plan.end.into()));
        }
        if said.last.sequence >= self.header.sequence {
            if said.last.sequence < self.window.sequence {
                self.look_in_log::<C>(storage, said, self.header.start(), self.window.length)?;
            }
            return said.compare(&self.header.start());
        }
        let ends = self.segments.iter().flat_map(|segment| [segment.before, segment.last]);
        if let Some(end) = { ends }.find(|end| end.sequence == said.last.sequence) {
            return if end == said.last { Ok(()) } else { Err(said.went_back(end)) };
        }
        let holds = |segment: &&Segment| segment.last.sequence > said.last.sequence;
        let Some(segment) = self.segments.iter().find(holds) else {
            return Err(said.went_back(self.header.start().into()));
        };
        if plan.close && Some(segment) == self.segments.last() {
            return self.look_in_log::<C>(storage, said, segment.start(), segment.length);
        }
        let (files, mut absent) = (storage.files()?, Vec::new());
        for part in Part::listed(std::slice::from_ref(segment), &files, &Segments::new())? {
            let (mut place, mut compared) = (None, Ok(()));
            let walked = part.walk(
                self.header.id,
                &mut place,
                None,
                &mut absent,
                &mut |_: Record<C::Entry>, place| {
                    compared = said.compare(place);
                    place.sequence < said.last.sequence
                },
            )?;
            compared?;
            if let Walked::Wrong(bad) = walked {
                return Err(bad.into());
            }
            if !absent.is_empty() {
                return Err(part.bad(said.last.sequence, 0, Problem::Elsewhere).into());
            }
        }
        Ok(())
    }

    /// Checks that the log has the entry of the witness between two places.
    fn look_in_log<C: Contents>(
        &self,
        storage: &mut dyn VaultStorage,
        said: Said<'_>,
        mut place: Position,
        end: u64,
    ) -> Result<(), OpenError> {
        let mut scanner = Scanner::new(storage, place.length, end);
        while place.sequence < said.last.sequence {
            let next = scanner.next::<C::Entry>(&place, None)?.unwrap_or(Err(Problem::Missing));
            (_, place) = next.map_err(|problem| place.bad(problem))?;
        }
        said.compare(&place)
    }

    /// Whether the outbox must be written, because it is missing or torn. Other bytes in its place, with more after
    /// them, are left for the scan to report.
    fn outbox_lacks(&self, storage: &mut dyn VaultStorage, length: u64) -> Result<bool, OpenError> {
        let (start, bytes) = self.outbox_bytes();
        let end = start + bytes.len() as u64;
        if length < end {
            return Ok(true);
        }
        let mut found = vec![0; bytes.len()];
        audit::read_full(&mut |at, buffer| storage.read_log(at, buffer), start, &mut found)?;
        Ok(found != bytes && length == end)
    }

    fn scan<C: Contents>(
        &self,
        storage: &mut dyn VaultStorage,
        state: &mut State<C>,
        plan: &mut Plan,
        end: u64,
        acknowledged: u64,
    ) -> Result<(), OpenError> {
        let last_in_store = self.anchor.sequence + u64::from(!self.outbox.is_empty());
        let mut scanner = Scanner::new(storage, plan.end.length, end);
        let mut problem = None;
        self.compare(&plan.end)?;
        while let Some(next) = scanner.next(&plan.end, Some(self.mac))? {
            let (record, after) = match next {
                Ok(next) => next,
                Err(found) => {
                    problem = Some(found);
                    break;
                }
            };
            self.compare(&after)?;
            if record.sequence <= last_in_store {
                state.remember(&record);
                plan.pass::<C>(&record, after);
                plan.passed.snapshot_taken();
            } else {
                state.replay(&record)?;
                plan.pass::<C>(&record, after);
            }
        }
        drop(scanner);
        if let Some(problem) = problem {
            let may_be_torn = plan.end.length >= acknowledged && is_torn(&problem);
            if !may_be_torn {
                return Err(plan.end.bad(problem).into());
            }
            let left = usize::try_from(end - plan.end.length).unwrap_or(usize::MAX);
            let mut bytes = vec![0; left.min(tear::DECISIVE)];
            let read = &mut |offset, buffer: &mut [u8]| storage.read_log(offset, buffer);
            let count = audit::read_full(read, plan.end.length, &mut bytes)?;
            if !tear::is_tear(&bytes[..count], &plan.end, self.mac) {
                let problem = if problem == Problem::Torn { Problem::Changed } else { problem };
                return Err(plan.end.bad(problem).into());
            }
            plan.torn = end - plan.end.length;
        }
        match plan.end.length < acknowledged {
            true => Err(OpenError::Cut { expected: acknowledged, found: plan.end.length }),
            false => Ok(()),
        }
    }

    /// Checks that a position agrees with store and head, if they have one there.
    fn compare(&self, place: &Position) -> Result<(), OpenError> {
        let named = [Some(self.anchor), self.in_log(self.head)];
        let differs = |named: &Position| {
            let same_entry = named.sequence == place.sequence;
            same_entry != (named.length == place.length) || same_entry && named != place
        };
        if named.iter().flatten().any(differs) {
            return Err(place.bad(Problem::OtherChain).into());
        }
        self.said.map_or(Ok(()), |said| said.compare(place))
    }

    /// Carries out a plan.
    fn tidy(&self, storage: &mut dyn VaultStorage, plan: &Plan) -> Result<(), OpenError> {
        if let (true, Some(segment)) = (plan.close, self.segments.last()) {
            storage.close_log(&segment.name())?;
        }
        if plan.rewrite {
            let (start, bytes) = self.outbox_bytes();
            if storage.log_length()? > start {
                storage.truncate_log(start)?;
            }
            storage.append_log(start, &bytes)?;
        } else if plan.torn > 0 {
            storage.truncate_log(plan.end.length)?;
        }
        if self.head != Some(plan.end) {
            storage.write_head(&head::write(&self.header.id, &plan.end, self.mac))?;
        }
        Ok(())
    }
}

/// Whether an interrupted write may have left this, which its bytes decide. Complete entries that belong elsewhere are
/// something else.
const fn is_torn(problem: &Problem) -> bool {
    matches!(
        problem,
        Problem::Torn | Problem::Length { .. } | Problem::Changed | Problem::Sequence { .. }
    )
}

/// How many items an entry contains.
pub(super) fn items<C: Contents>(record: &Record<C::Entry>) -> u64 {
    match &record.entry {
        Entry::Owner(entry) => C::items(entry),
        Entry::Vault(_) => 0,
    }
}

impl Plan {
    fn pass<C: Contents>(&mut self, record: &Record<C::Entry>, after: Position) {
        self.passed.pass(&self.end, items::<C>(record));
        self.end = after;
    }
}
