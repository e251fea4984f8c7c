//! The names of requests that were carried out, so that a repeated request gets the same digits; and the identifiers that
//! were used, so that no two tokens for one meter under one key have the same.
//!
//! A module remembers both for at least as many days as its policy says.
//!
//! ```text
//!   put ──> table ──────────> frozen tables ──> runs, each a file ──> fewer, longer runs ──> dropped
//!           65 536 rows       being written     listed in the         merged by eights       when all their
//!                                               sealed contents                              names are old
//! ```
//!
//! A name is remembered as its row of the audit log. What is not in a run yet is read from there again at opening: the
//! window of the vault begins after the last entry of the last run that the store lists. A run's file is durable before
//! a store lists it, and removed only when no store lists it any more. So whenever the process stops, each name is in the
//! log after the runs, or in exactly the runs that the store lists. When the log is rotated, all names in memory are
//! written to runs first: opening reads the new log only.
//!
//! - Time: a run is as old as the latest time that the module had seen when its last entry was written. That never
//!   falls, so a clock that is put back makes names stay longer, never shorter.
//! - Elsewhere: the file of a run (`run.rs`), who does the work, and when (`keeper.rs`).

mod filter;
mod keeper;
mod key;
mod run;
mod table;
mod used;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use prepay_basics::codec::{DecodeError, Reader, Writer};
use prepay_basics::{Entropy, Moment};
use prepay_kmp::attribute::RegisterNumber;
use prepay_vault::{At, VaultFiles};
use zeroize::Zeroizing;

use super::contents::read_moment;
use super::issued_row::IssuedRow;
use super::policy::TidReuse;
use super::register::Registers;
use crate::{NamesReport, RequestId};
use filter::Filter;
pub(super) use keeper::Keeper;
pub(crate) use key::NamesKey;
use run::{Damaged, Hashed, Run, RunState};
use table::Table;
pub(crate) use used::KeyMark;
use used::{Deleted, Span};

/// How many runs are merged into one.
const MERGED: usize = 8;

/// How often: names of more than two merges stay where they are.
const TIERS: u32 = 2;

/// How many times what makes a run is in one filter, as long as it is recent: 32 tables of names and of identifiers.
const RECENT: usize = 64;

/// How many names are looked at together: so many that the processor waits for memory once for all of them.
const TOGETHER: usize = 64;

/// The names that a module remembers.
pub(crate) struct Names {
    key: Arc<NamesKey>,
    files: Option<Arc<dyn VaultFiles>>,
    reuse: TidReuse,
    /// How many names make a run.
    full: usize,
    table: Table,
    /// Tables to use again, so that the memory of one thread is not given back where another cannot use it.
    spare: Vec<Table>,
    /// The time of the first name in the table.
    oldest: Moment,
    /// The oldest first.
    frozen: VecDeque<Arc<Frozen>>,
    /// The oldest first: two, or as many as there are with names of frozen tables.
    recent: VecDeque<Recent>,
    /// The oldest first.
    runs: Vec<Run>,
    deleted: Deleted,
    /// The last entry whose names are in a run.
    saved: u64,
    /// The last entry with names.
    last: u64,
    /// The latest time seen.
    newest: Moment,
}

/// What is known about the name and the identifier of a request without their row and without a file.
#[derive(Clone, Copy)]
pub(crate) struct Looked {
    /// `None` if there is no name.
    name: Option<Hash>,
    /// `None` if there is no identifier, or if identifiers may be used again.
    used: Option<Hash>,
}

/// The hash of a name or of an identifier.
#[derive(Clone, Copy)]
struct Hash {
    hash: u64,
    /// Whether it may be among those that are in the table no more.
    older: bool,
}

/// The names and the identifiers of many tables in one filter. Looking at that takes less time than looking at those of their
/// runs.
struct Recent {
    filter: Filter,
    /// How many more there is place for.
    left: usize,
    /// This filter and those after it have all from this entry on, except those in the table.
    first: u64,
}

/// A table to be written as a run.
pub(crate) struct Frozen {
    table: Table,
    first: u64,
    last: u64,
    oldest: Moment,
    newest: Moment,
}

/// Names of requests that may have been carried out cannot be told from new ones: the record of them is damaged.
pub(crate) struct Unreadable {
    pub(crate) from: Moment,
    pub(crate) to: Moment,
    /// Whether it may come back from the audit log.
    pub(crate) in_log: bool,
}

/// Work on files, to be done without the vault.
pub(crate) enum Job {
    Write(Arc<Frozen>),
    Merge(Vec<Run>),
    Rebuild(Run),
}

impl Names {
    pub(crate) fn new(key: NamesKey, reuse: TidReuse, run_names: Option<u32>) -> Self {
        let full = run_names.map_or(table::CAPACITY, |names| names as usize);
        Self {
            key: Arc::new(key),
            files: None,
            reuse,
            full: full.clamp(1, table::CAPACITY),
            table: Table::default(),
            spare: Vec::new(),
            oldest: Moment::MIN,
            frozen: VecDeque::new(),
            recent: VecDeque::new(),
            runs: Vec::new(),
            deleted: Deleted::default(),
            saved: 0,
            last: 0,
            newest: Moment::MIN,
        }
    }

    /// Gives access to the runs. Removes files that no store lists: they were never finished, or are no longer needed.
    pub(crate) fn attach(&mut self, files: Arc<dyn VaultFiles>) {
        let listed: Vec<_> = self.runs.iter().map(Run::file).collect();
        let left = files.list(run::PREFIX).unwrap_or_default();
        for name in left.into_iter().filter(|name| !listed.contains(name)) {
            // What cannot be removed now, for example on a read-only medium, does no harm.
            let _ = files.remove(&name);
        }
        self.files = Some(files);
    }

    /// The number of the first entry whose names are in no run.
    pub(crate) const fn needed_from(&self) -> u64 {
        self.saved + 1
    }

    /// Begins an entry with at most so many names.
    #[inline]
    pub(crate) fn begin(&mut self, rows: usize, now: Moment) {
        if self.table.len() + rows > self.full && self.table.len() > 0 {
            self.freeze();
        }
        self.newest = self.newest.max(now);
        if self.table.len() == 0 {
            self.oldest = self.newest;
        }
    }

    #[cold]
    fn freeze(&mut self) {
        let first = self.frozen.back().map_or(self.saved, |frozen| frozen.last) + 1;
        self.filter(first);
        self.frozen.push_back(Arc::new(Frozen {
            table: std::mem::replace(&mut self.table, self.spare.pop().unwrap_or_default()),
            first,
            last: self.last,
            oldest: self.oldest,
            newest: self.newest,
        }));
    }

    /// Puts the names and the identifiers of the table, the first of them from an entry, into a filter.
    fn filter(&mut self, first: u64) {
        let names = self.table.rows().iter().filter_map(|row| row.request);
        let names = names.map(|name| self.key.hash(name));
        let hashes: Vec<_> = names.chain(self.table.used().iter()).collect();
        if self.recent.back().is_none_or(|recent| recent.left < hashes.len()) {
            let left = hashes.len().max(RECENT * self.full);
            self.recent.push_back(Recent { filter: Filter::new(left as u64), left, first });
        }
        if let Some(recent) = self.recent.back_mut() {
            hashes.chunks(TOGETHER).for_each(|some| recent.filter.insert(some));
            recent.left -= hashes.len();
        }
        // Names that are in no run yet have no other filter.
        while self.recent.len() > 2 && self.recent[1].first <= self.needed_from() {
            self.recent.pop_front();
        }
    }

    /// Ends an entry, which got this number.
    #[inline]
    pub(crate) const fn end(&mut self, sequence: u64) {
        self.last = sequence;
    }

    /// Looks in memory for the names and the identifiers of requests: for all of an entry, after [`Names::begin`] and before
    /// anything else. What has to be fetched from memory for some of them is fetched at the same time, filter by filter.
    pub(crate) fn look(&self, rows: &[IssuedRow], registers: &Registers) -> Vec<Looked> {
        let looked = |row: &IssuedRow| self.looked(row, registers.mark(row.register), false);
        let mut looked: Vec<_> = rows.iter().map(looked).collect();
        for (some, rows) in looked.chunks_mut(TOGETHER).zip(rows.chunks(TOGETHER)) {
            let names = some.iter_mut().filter_map(|looked| looked.name.as_mut());
            self.look_older(names, |hash| self.table.fetch(hash), |_| true, Run::names_filter);
            let used = some.iter_mut().filter_map(|looked| looked.used.as_mut());
            let span = rows.iter().fold(Span::EMPTY, |span, row| span.with(row.identifier));
            let may_have = |run: &Run| run.span.meets(span);
            let fetch = |hash| self.table.used().fetch(hash);
            self.look_older(used, fetch, may_have, Run::used_filter);
        }
        looked
    }

    /// Looks for some hashes in the filters, and has the processor fetch their places in the table.
    fn look_older<'a>(
        &self,
        some: impl Iterator<Item = &'a mut Hash>,
        fetch: impl Fn(u64),
        may_have: impl Fn(&Run) -> bool,
        filter: impl Fn(&Run) -> Option<&Filter>,
    ) {
        let mut some: Vec<_> = some.map(|hash| (filter::bits(hash.hash), hash)).collect();
        some.iter().for_each(|(_, hash)| fetch(hash.hash));
        let recent = self.recent.iter().map(|recent| Some(&recent.filter));
        let known_from = self.recent.front().map_or(u64::MAX, |recent| recent.first);
        let runs = self.runs.iter().take_while(|run| run.first < known_from);
        for filter in recent.chain(runs.filter(|run| may_have(run)).map(filter)) {
            for (bits, Hash { hash, older }) in &mut some {
                *older |= filter.is_none_or(|filter| filter.contains(*hash, bits));
            }
        }
    }

    /// The hashes of the name and the identifier of a row.
    #[inline]
    pub(crate) fn looked(&self, row: &IssuedRow, key: Option<KeyMark>, older: bool) -> Looked {
        let counts = self.reuse == TidReuse::Refuse && !row.is_key_change();
        let used = key.filter(|_| counts).map(|key| self.key.used(row, key));
        let name = row.request.map(|name| self.key.hash(name));
        let hash = |hash| Hash { hash, older };
        Looked { name: name.map(hash), used: used.map(hash) }
    }

    /// Remembers a row: its name, if it has one, and its identifier, if that counts.
    #[inline]
    pub(crate) fn put(&mut self, row: IssuedRow, looked: Looked) {
        if let Some(Hash { hash, .. }) = looked.used {
            self.table.put_used(hash, row.identifier);
        }
        if let Some(Hash { hash, .. }) = looked.name {
            self.table.put(hash, row);
        }
    }

    /// Remembers the rows of an entry that is read again, unless they are in a run.
    pub(crate) fn put_again(&mut self, rows: &[IssuedRow], at: At, registers: &Registers) {
        if at.sequence <= self.saved {
            return;
        }
        for rows in rows.chunks(super::BATCH) {
            self.begin(rows.len(), at.moment);
            for row in rows {
                let deleted = self.deleted.key(row.register, at.sequence);
                let key = deleted.or_else(|| registers.mark(row.register));
                self.put(*row, self.looked(row, key, false));
            }
        }
        self.end(at.sequence);
    }

    /// The row of the same request that was carried out before. Since its name was looked for, other names may have been put,
    /// but nothing else changed.
    #[inline]
    pub(crate) fn get(
        &mut self,
        looked: Looked,
        asked: &IssuedRow,
    ) -> Result<Option<IssuedRow>, Unreadable> {
        let Some((Hash { hash, older }, name)) = looked.name.zip(asked.request) else {
            return Ok(None);
        };
        match self.table.get(hash, name) {
            Some(row) => Ok(Some(*row)),
            None if older => self.get_older(hash, name),
            None => Ok(None),
        }
    }

    #[cold]
    #[inline(never)]
    fn get_older(&mut self, hash: u64, name: RequestId) -> Result<Option<IssuedRow>, Unreadable> {
        let of = |frozen: &Arc<Frozen>| Some((frozen.table.get(hash, name)?.encode(), frozen.last));
        let frozen = self.frozen.iter().rev().find_map(of);
        let found = match frozen {
            None => self.find(
                |_| true,
                |run, files, key| Ok(run.find(files, key, hash, name)?.map(|row| (row, run.last))),
            )?,
            frozen => frozen,
        };
        Ok(found.and_then(|(mut row, last)| {
            run::void(&mut row, last, &self.deleted);
            IssuedRow::decode(&row)
        }))
    }

    /// Whether an identifier was used. Since it was looked for, others may have been put, but nothing else changed.
    #[inline]
    pub(crate) fn has_used(&mut self, looked: Looked, identifier: u32) -> Result<bool, Unreadable> {
        match looked.used {
            None => Ok(false),
            Some(Hash { hash, .. }) if self.table.has_used(hash, identifier) => Ok(true),
            Some(Hash { older: false, .. }) => Ok(false),
            Some(Hash { hash, .. }) => self.has_used_older(hash, identifier),
        }
    }

    #[cold]
    #[inline(never)]
    fn has_used_older(&mut self, hash: u64, identifier: u32) -> Result<bool, Unreadable> {
        if self.frozen.iter().any(|frozen| frozen.table.has_used(hash, identifier)) {
            return Ok(true);
        }
        let found = self.find(
            |run| run.span.has(identifier),
            |run, files, key| Ok(run.has_used(files, key, hash)?.then_some(())),
        )?;
        Ok(found.is_some())
    }

    /// The first that is found in those runs that may have it, the newest first.
    fn find<T>(
        &mut self,
        may_have: impl Fn(&Run) -> bool,
        find: impl Fn(&mut Run, &dyn VaultFiles, &NamesKey) -> Result<Option<T>, Damaged>,
    ) -> Result<Option<T>, Unreadable> {
        let mut unreadable = None;
        for run in self.runs.iter_mut().rev().filter(|run| may_have(run)) {
            let found = match &self.files {
                Some(files) => find(run, &**files, &self.key),
                None => Err(Damaged),
            };
            match found {
                Ok(None) => {}
                Ok(found) => return Ok(found),
                Err(Damaged) => {
                    let in_log = !matches!(run.state, RunState::Lost);
                    unreadable = Some(Unreadable { from: run.oldest, to: run.newest, in_log });
                }
            }
        }
        unreadable.map_or(Ok(None), Err)
    }

    /// Notes that the key of a register is gone: its requests, of which the log may be read again, are no longer answered.
    pub(crate) fn void(&mut self, register: RegisterNumber) {
        self.table.void(register);
    }

    /// Notes that the key of a register is deleted by the entry that comes next.
    pub(crate) fn delete(&mut self, register: RegisterNumber, key: KeyMark) {
        self.void(register);
        self.deleted.0.push((register.value(), self.last + 1, key));
    }

    /// Forgets everything: another vault has the files.
    pub(crate) fn clear(&mut self) {
        self.runs.clear();
        self.frozen.clear();
        self.recent.clear();
        self.deleted = Deleted::default();
        self.table.clear();
    }

    /// Whether there is work on files, and if so, how many tables wait to be written.
    pub(crate) fn work(&self) -> Option<usize> {
        let is_damaged = |run: &Run| matches!(run.state, RunState::Damaged);
        let waits = !self.frozen.is_empty() || self.runs.iter().any(is_damaged);
        waits.then_some(self.frozen.len())
    }

    /// The next thing to do, if there is anything.
    fn job(&self) -> Option<Job> {
        if let Some(frozen) = self.frozen.front() {
            return Some(Job::Write(Arc::clone(frozen)));
        }
        let damaged = |run: &&Run| matches!(run.state, RunState::Damaged);
        if let Some(run) = self.runs.iter().find(damaged) {
            return Some(Job::Rebuild(run.clone()));
        }
        let due = |runs: &&[Run]| {
            let tier = self.tier(&runs[0]);
            tier < TIERS
                && runs
                    .iter()
                    .all(|run| self.tier(run) == tier && !matches!(run.state, RunState::Lost))
        };
        self.runs.windows(MERGED).find(due).map(|runs| Job::Merge(runs.to_vec()))
    }

    /// How often the names of a run were merged, judged by their number.
    fn tier(&self, run: &Run) -> u32 {
        let times = run.count.max(run.used) / (self.full as u64 * MERGED as u64 / 2).max(1);
        if times == 0 { 0 } else { times.ilog(MERGED as u64) + 1 }
    }

    /// Lists the run of the oldest frozen table instead of that. Returns a run that is superfluous, because
    /// [`Names::write_all`] wrote another meanwhile.
    fn written(&mut self, run: Run) -> Option<Run> {
        if self.frozen.front().is_none_or(|frozen| frozen.last != run.last) {
            return Some(run);
        }
        if let Some(Frozen { mut table, .. }) = self.frozen.pop_front().and_then(Arc::into_inner) {
            table.clear();
            self.spare.push(table);
        }
        self.saved = run.last;
        self.runs.push(run);
        None
    }

    /// Writes everything that is still in memory to runs, because their entries will not be shown again.
    pub(crate) fn write_all(&mut self, entropy: &mut dyn Entropy) -> io::Result<()> {
        if self.table.len() > 0 {
            self.freeze();
        }
        while let Some(frozen) = self.frozen.front().map(Arc::clone) {
            let files = self.files.as_ref().ok_or(io::ErrorKind::NotFound)?;
            let mut number = [0; 16];
            entropy.fill(&mut number).map_err(io::Error::other)?;
            let run = frozen.write(number, &**files, &self.key)?;
            self.written(run);
        }
        Ok(())
    }

    /// Lists other runs instead of these, which follow each other.
    fn replaced(&mut self, old: &[Run], new: Vec<Run>) {
        let is_first = |run: &Run| Some(run.number) == old.first().map(|old| old.number);
        if let Some(at) = self.runs.iter().position(is_first) {
            self.runs.splice(at..at + old.len(), new);
        }
    }

    fn mark(&mut self, number: [u8; 16], state: &RunState) {
        for run in self.runs.iter_mut().filter(|run| run.number == number) {
            run.state = state.clone();
        }
    }

    /// Drops runs whose names are all older than so many days, except the last. Returns them.
    fn drop_old(&mut self, days: u32, now: Moment) -> Vec<Run> {
        let most = self.runs.len().saturating_sub(1);
        let is_old = |run: &&Run| run.newest.plus_days(days) < now;
        let count = self.runs[..most].iter().take_while(is_old).count();
        let gone = self.runs.drain(..count).collect();
        let oldest = self.runs.first().map_or(self.saved + 1, |run| run.first);
        self.deleted.0.retain(|(_, entry, _)| oldest < *entry);
        gone
    }

    /// What is remembered.
    pub(crate) fn report(&self, days: u32) -> NamesReport {
        let frozen = self.frozen.iter().map(|frozen| frozen.table.rows().len() as u64);
        let runs = self.runs.iter().map(|run| run.count);
        let damaged = |run: &&Run| matches!(run.state, RunState::Damaged | RunState::Lost);
        let first = self.runs.first().map(|run| run.oldest);
        let first = first.or_else(|| self.frozen.front().map(|frozen| frozen.oldest));
        NamesReport {
            days,
            names: self.table.rows().len() as u64 + frozen.chain(runs).sum::<u64>(),
            since: first.or((self.table.len() > 0).then_some(self.oldest)),
            unreadable: self.runs.iter().filter(damaged).map(|run| run.count).sum(),
        }
    }

    pub(crate) fn encode(&self, w: &mut Writer) {
        w.array(self.key.expose_bytes());
        w.u64(self.saved);
        w.list(&self.runs, |w, run| {
            w.array(&run.number);
            w.u64(run.count);
            w.u64(run.used);
            w.u32(run.span.first);
            w.u32(run.span.last);
            w.u64(run.first);
            w.u64(run.last);
            w.u64(run.oldest.unix_seconds());
            w.u64(run.newest.unix_seconds());
        });
        w.list(&self.deleted.0, |w, (register, entry, key)| {
            w.u16(*register);
            w.u64(*entry);
            w.u32(key.0);
        });
    }

    pub(crate) fn decode(
        r: &mut Reader<'_>,
        reuse: TidReuse,
        run_names: Option<u32>,
    ) -> Result<Self, DecodeError> {
        let key = NamesKey::new(Zeroizing::new(r.array()?));
        let saved = r.u64()?;
        let error = r.error("runs of names that follow each other");
        let runs = r.list(|r| {
            Ok(Run {
                number: r.array()?,
                count: r.u64()?,
                used: r.u64()?,
                span: Span { first: r.u32()?, last: r.u32()? },
                first: r.u64()?,
                last: r.u64()?,
                oldest: read_moment(r)?,
                newest: read_moment(r)?,
                state: RunState::Closed,
            })
        })?;
        let in_order = runs.is_sorted_by(|a, b| a.last < b.first && a.newest <= b.newest);
        let has = |run: &Run| run.count > 0 || run.used > 0;
        let fits = |run: &Run| run.first <= run.last && run.last <= saved && has(run);
        if !in_order || !runs.iter().all(fits) {
            return Err(error);
        }
        let deleted = Deleted(r.list(|r| Ok((r.u16()?, r.u64()?, KeyMark(r.u32()?))))?);
        let newest = runs.last().map_or(Moment::MIN, |run| run.newest);
        Ok(Self { runs, deleted, saved, last: saved, newest, ..Self::new(key, reuse, run_names) })
    }
}

impl Frozen {
    /// Writes it as a run. Needs no vault.
    fn write(&self, number: [u8; 16], files: &dyn VaultFiles, key: &NamesKey) -> io::Result<Run> {
        let run = Run {
            number,
            count: self.table.rows().len() as u64,
            used: self.table.used().len() as u64,
            span: self.table.span(),
            first: self.first,
            last: self.last,
            oldest: self.oldest,
            newest: self.newest,
            state: RunState::Closed,
        };
        run.write(files, key, &mut self.sorted(key), &mut self.sorted_used())
    }

    /// Its identifiers in the order of a run.
    fn sorted_used(&self) -> impl FnMut() -> io::Result<Option<u64>> {
        let mut hashes: Vec<_> = self.table.used().iter().collect();
        hashes.sort_unstable();
        let mut hashes = hashes.into_iter();
        move || Ok(hashes.next())
    }

    /// Its rows in the order of a run.
    fn sorted(&self, key: &NamesKey) -> impl FnMut() -> io::Result<Option<Hashed>> {
        let rows = self.table.rows();
        let hash = |(at, row): (usize, &IssuedRow)| row.request.map(|name| (key.hash(name), at));
        let mut order: Vec<_> = rows.iter().enumerate().filter_map(hash).collect();
        order.sort_unstable();
        let (mut at, mut ahead) = (0, Vec::new().into_iter());
        move || {
            if ahead.len() == 0 {
                // Fetched from all over the table, so many at a time.
                let some = order[at..].iter().take(TOGETHER);
                let some: Vec<_> = some.map(|&(hash, at)| (hash, rows[at])).collect();
                at += some.len();
                ahead = some.into_iter();
            }
            Ok(ahead.next().map(|(hash, row)| (hash, row.encode())))
        }
    }
}
