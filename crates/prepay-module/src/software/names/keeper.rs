//! Does the work on a module's names that takes files: writes runs, merges them, makes damaged ones anew.
//!
//! A thread of its own does it whenever there is something to do, and ends. It holds the vault only to learn what to do
//! and to list the result, so tokens are issued meanwhile. Should many tables wait to be written, because files are
//! written more slowly than tokens are issued, then issuing waits for them, so that memory stays bounded.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;

use prepay_vault::{AuditError, Entry, Record, VaultError, VaultFiles};

use super::Job;
use super::key::NamesKey;
use super::run::{self, Hashed, Run, RunState};
use super::used::{Deleted, KeyMark, Span};
use crate::software::contents::ModuleContents;
use crate::software::entry::ModuleEntry;
use crate::software::issued_row::IssuedRow;
use crate::software::policy::TidReuse;
use crate::software::register::Register;
use crate::software::shared::Shared;

/// How many tables may wait to be written while tokens are issued.
const WAITING: usize = 3;

/// Whether the thread runs.
#[derive(Default)]
pub(crate) struct Keeper {
    busy: Mutex<bool>,
    idle: Condvar,
}

impl Keeper {
    fn busy(&self) -> MutexGuard<'_, bool> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self) {
        let busy = self.idle.wait_while(self.busy(), |busy| *busy);
        drop(busy.unwrap_or_else(PoisonError::into_inner));
    }
}

/// What to do, and with what.
struct Task {
    job: Job,
    number: [u8; 16],
    files: Arc<dyn VaultFiles>,
    key: Arc<NamesKey>,
    deleted: Deleted,
    /// The keys that are in the registers.
    keys: BTreeMap<u16, KeyMark>,
    reuse: TidReuse,
    full: usize,
}

/// What was done.
enum Outcome {
    Written(Run),
    Replaced(Vec<Run>, Vec<Run>),
    /// Instead of a damaged one.
    Rebuilt(Run, Vec<Run>),
    Marked([u8; 16], RunState),
}

impl Shared {
    /// Has the work done that waits, after tokens were issued.
    pub(in crate::software) fn keep_names(self: &Arc<Self>, waiting: usize) {
        if waiting > WAITING {
            self.keeper.wait();
        }
        let mut busy = self.keeper.busy();
        if *busy {
            return;
        }
        *busy = true;
        drop(busy);
        let (keeper, weak) = (Arc::clone(&self.keeper), Arc::downgrade(self));
        let work = move || {
            let _turn = Turn(keeper);
            keep(&weak);
        };
        // Without a thread the work is left for the next time.
        if thread::Builder::new().name("prepay-names".to_owned()).spawn(work).is_err() {
            drop(Turn(Arc::clone(&self.keeper)));
        }
    }

    /// Returns when no work on names is being done.
    pub(in crate::software) fn names_kept(&self) {
        self.keeper.wait();
    }
}

/// A thread's turn. When dropped, for whatever reason, it wakes those who wait for its end.
struct Turn(Arc<Keeper>);

impl Drop for Turn {
    fn drop(&mut self) {
        *self.0.busy() = false;
        self.0.idle.notify_all();
    }
}

/// Does everything that is to be done. The module may be gone at any time.
fn keep(module: &Weak<Shared>) {
    while let Some(Ok(Some(task))) = module.upgrade().map(|shared| shared.task()) {
        let outcome = match &task.job {
            Job::Rebuild(run) => match module.upgrade() {
                Some(shared) => shared.rebuild(&task, run),
                None => return,
            },
            _ => task.carry_out(),
        };
        let Some(shared) = module.upgrade() else { return };
        let files = Arc::clone(&task.files);
        drop(task); // And with it the table that was written.
        let listed = match outcome {
            Ok(outcome) => shared.list(outcome),
            Err(error) => Err(VaultError::Broken { problem: error.to_string() }),
        };
        match listed {
            Ok(gone) => gone.iter().for_each(|run| {
                // A file that stays is removed at the next opening.
                let _ = files.remove(&run.file());
            }),
            Err(VaultError::Locked) => return,
            Err(error) => {
                shared.vault.stop(error);
                return;
            }
        }
    }
}

impl Task {
    /// Writes a run: of a table, or of other runs.
    fn carry_out(&self) -> io::Result<Outcome> {
        let (files, key) = (&*self.files, &*self.key);
        match &self.job {
            Job::Write(frozen) => Ok(Outcome::Written(frozen.write(self.number, files, key)?)),
            Job::Merge(runs) => {
                Ok(match run::merge(runs, self.number, &self.deleted, files, key)? {
                    Ok(run) => Outcome::Replaced(runs.clone(), vec![run]),
                    Err(damaged) => Outcome::Marked(damaged, RunState::Damaged),
                })
            }
            Job::Rebuild(run) => Ok(Outcome::Marked(run.number, RunState::Lost)),
        }
    }
}

impl Shared {
    /// The next task, if there is one.
    fn task(&self) -> Result<Option<Task>, VaultError> {
        self.vault.with(|vault| {
            let issuer = &vault.contents().issuer;
            let names = &issuer.names;
            let (Some(job), Some(files)) = (names.job(), &names.files) else { return Ok(None) };
            let (files, key) = (Arc::clone(files), Arc::clone(&names.key));
            let (deleted, reuse, full) = (names.deleted.clone(), names.reuse, names.full);
            let mark = |register: &Register| (register.number.value(), register.mark());
            let keys = issuer.registers.iter().map(mark).collect();
            let mut number = [0; 16];
            vault.entropy().fill(&mut number)?;
            Ok(Some(Task { job, number, files, key, deleted, keys, reuse, full }))
        })?
    }

    /// Lists what was done, durably. Returns runs that are no longer needed.
    fn list(&self, outcome: Outcome) -> Result<Vec<Run>, VaultError> {
        let now = self.vault.now();
        self.vault.with(|vault| {
            let contents = vault.contents_mut();
            let (days, names) = (contents.issuer.policy.remember_days, &mut contents.issuer.names);
            let mut gone = Vec::new();
            match outcome {
                Outcome::Written(run) => gone.extend(names.written(run)),
                Outcome::Replaced(old, new) => {
                    names.replaced(&old, new);
                    gone = old;
                }
                Outcome::Rebuilt(old, new) => {
                    let count = new.iter().map(|run| run.count).sum();
                    let entry = ModuleEntry::NamesRebuilt {
                        first: old.first,
                        last: old.last,
                        names: count,
                    };
                    names.replaced(std::slice::from_ref(&old), new);
                    gone.push(old);
                    vault.stage_own(&entry, now)?;
                }
                Outcome::Marked(number, state) => {
                    names.mark(number, &state);
                    return Ok(gone); // Nothing of that is in the store.
                }
            }
            let names = &mut vault.contents_mut().issuer.names;
            gone.extend(names.drop_old(days, now));
            vault.save()?;
            Ok(gone)
        })?
    }

    /// Makes a damaged run anew from the audit log, as runs of the usual length.
    fn rebuild(&self, task: &Task, old: &Run) -> io::Result<Outcome> {
        let mut making = Making {
            task,
            old,
            rows: Vec::new(),
            used: Vec::new(),
            span: Span::EMPTY,
            runs: Vec::new(),
            first: old.first,
            failed: None,
        };
        let lost = Ok(Outcome::Marked(old.number, RunState::Lost));
        let mut last = 0;
        let shown = self.vault.show_again(old.first, &mut |record| {
            last = record.sequence;
            last <= old.last && making.take(&record) && last < old.last
        });
        match shown {
            Ok(None) if last >= old.last => {}
            // The entries are not in this log, or one of them is wrong: the log is what has to be repaired.
            Ok(_) => return lost,
            // The module was locked meanwhile.
            Err(AuditError::Vault(_)) => return lost,
            Err(error) => return Err(io::Error::other(error.to_string())),
        }
        making.cut(old.last);
        match making.failed {
            Some(error) => Err(error),
            None if making.runs.is_empty() => lost,
            None => Ok(Outcome::Rebuilt(old.clone(), making.runs)),
        }
    }
}

/// Runs that are being made from the audit log.
struct Making<'a> {
    task: &'a Task,
    old: &'a Run,
    rows: Vec<Hashed>,
    used: Vec<u64>,
    span: Span,
    runs: Vec<Run>,
    first: u64,
    failed: Option<io::Error>,
}

impl Making<'_> {
    /// Takes the names and the identifiers of an entry. Returns whether to go on.
    fn take(&mut self, record: &Record<ModuleEntry>) -> bool {
        if let Entry::Owner(ModuleEntry::Issued { rows }) = &record.entry {
            if self.rows.len().max(self.used.len()) + rows.len() > self.task.full {
                self.cut(record.sequence - 1);
            }
            for row in rows {
                self.take_row(row, record.sequence);
            }
        }
        self.failed.is_none()
    }

    fn take_row(&mut self, row: &IssuedRow, sequence: u64) {
        let Task { key, deleted, keys, reuse, .. } = self.task;
        let gone = deleted.key(row.register, sequence);
        if *reuse == TidReuse::Refuse
            && !row.is_key_change()
            && let Some(mark) = gone.or_else(|| keys.get(&row.register).copied())
        {
            self.used.push(key.used(row, mark));
            self.span = self.span.join(Span { first: row.identifier, last: row.identifier });
        }
        if let Some(name) = row.request {
            let mut bytes = row.encode();
            run::void(&mut bytes, sequence, deleted);
            self.rows.push((key.hash(name), bytes));
        }
    }

    /// Writes what was taken up to an entry.
    fn cut(&mut self, last: u64) {
        if self.rows.is_empty() && self.used.is_empty() || self.failed.is_some() {
            return;
        }
        let mut rows = std::mem::take(&mut self.rows);
        rows.sort_unstable();
        let mut used = std::mem::take(&mut self.used);
        used.sort_unstable();
        used.dedup();
        let mut number = u128::from_be_bytes(self.task.number);
        number = number.wrapping_add(self.runs.len() as u128);
        let run = Run {
            number: number.to_be_bytes(),
            count: rows.len() as u64,
            used: used.len() as u64,
            span: std::mem::replace(&mut self.span, Span::EMPTY),
            first: self.first,
            last,
            // No name of the damaged run was older or newer.
            oldest: self.old.oldest,
            newest: self.old.newest,
            state: RunState::Closed,
        };
        self.first = last + 1;
        let (mut rows, mut used) = (rows.into_iter(), used.into_iter());
        let (files, key) = (&*self.task.files, &*self.task.key);
        match run.write(files, key, &mut || Ok(rows.next()), &mut || Ok(used.next())) {
            Ok(run) => self.runs.push(run),
            Err(error) => self.failed = Some(error),
        }
    }
}

impl ModuleContents {
    /// Gives access to the files of the vault.
    pub(in crate::software) fn attach(&mut self, files: Arc<dyn VaultFiles>) {
        self.issuer.names.attach(files);
    }
}
