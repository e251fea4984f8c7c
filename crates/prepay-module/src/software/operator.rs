//! The operator's handle to the module, for a vending system.
//!
//! ```text
//!  thread 1 ── check, make, count, note ──┐
//!  thread 2 ── check, make, count, note ──┼── one write of the audit log ── all answers
//!  thread 3 ── check, make, count, note ──┘
//! ```
//!
//! Requests are carried out one after another in memory. Each call adds one entry to the audit log, and returns only when
//! the entry is durable; entries of calls that wait at the same time are written together. If the log cannot be
//! written, the tokens are never returned and the module stops.

use std::fmt;
use std::sync::Arc;

use super::contents::ModuleContents;
use super::entry::ModuleEntry;
use super::issued_row::IssuedRow;
use super::issuer::Done;
use super::read;
use super::shared::Shared;
use crate::{
    ClockWindow, Identification, IssueRequest, Issued, ModuleError, ModuleFault, ModuleStatus,
    Refusal, RegisterReport, SecurityModule, Verification, VerifyRequest,
};
use prepay_vault::{AccessError, By, Role, Session, Vault, scrub_short_calls};

/// The most requests in one entry of the audit log, carried out together.
pub const BATCH: usize = 4096;

/// The operator's handle to the module.
#[derive(Clone)]
pub struct Operator {
    pub(super) shared: Arc<Shared>,
    pub(super) session: Session,
}

impl Operator {
    /// Carries out requests in memory. Returns the number of the entry, if any, that must be durable before they are
    /// answered.
    fn carry_out(
        &self,
        requests: &[IssueRequest],
        answers: &mut Vec<Result<Issued, Refusal>>,
    ) -> Result<Option<u64>, ModuleFault> {
        let mut done = Done { rows: Vec::with_capacity(requests.len()), ..Done::default() };
        let (staged, work) = self.shared.vault.with_open(|vault| {
            let (now, stamp) = (self.shared.module_time(), self.shared.vault.now());
            self.check(vault)?;
            vault.check_ready(stamp)?;
            vault.snapshot_if_due()?;
            let issuer = &mut vault.contents_mut().issuer;
            issuer.names.begin(requests.len(), stamp);
            let rows: Vec<_> = requests.iter().map(IssuedRow::asked).collect();
            let looked = issuer.look(&rows);
            for ((request, row), looked) in requests.iter().zip(rows).zip(looked) {
                answers.push(issuer.issue(request, row, looked, now, &mut done));
            }
            scrub_short_calls(); // Of the keys of meters.
            if !done.rows.is_empty() {
                let entry = ModuleEntry::Issued { rows: done.rows };
                let staged = vault.stage(By::One(&self.session), &entry, stamp);
                let names = &mut vault.contents_mut().issuer.names;
                staged.iter().for_each(|sequence| names.end(*sequence));
                return Ok((staged.map(Some), names.work()));
            }
            // The first answer to a repeated request may still be on its way to the log.
            let entry = done.repeated.then(|| vault.entries());
            Ok::<_, ModuleFault>((Ok(entry), vault.contents().issuer.names.work()))
        })??;
        if let Some(waiting) = work {
            self.shared.keep_names(waiting);
        }
        // What was carried out but not noted must not be built upon.
        Ok(staged.map_err(|error| self.shared.vault.stop(error))?)
    }

    /// Whether the operator is still signed in.
    fn check(&self, vault: &Vault<ModuleContents>) -> Result<(), AccessError> {
        vault.authorize(By::One(&self.session), &[Role::Operator])
    }

    fn read<T>(&self, read: impl FnOnce(&Vault<ModuleContents>) -> T) -> Result<T, ModuleFault> {
        self.shared.vault.with(|vault| {
            self.check(vault)?;
            Ok(read(vault))
        })?
    }
}

impl SecurityModule for Operator {
    fn identify(&self) -> Result<Identification, ModuleFault> {
        self.read(read::identification)
    }

    fn status(&self) -> Result<ModuleStatus, ModuleFault> {
        let now = self.shared.module_time();
        self.read(|vault| read::status(vault, now))
    }

    fn clock(&self) -> Result<ClockWindow, ModuleFault> {
        let now = self.shared.module_time();
        self.read(|vault| read::clock(vault, now))
    }

    fn registers(&self) -> Result<Vec<RegisterReport>, ModuleFault> {
        self.read(read::registers)
    }

    fn issue(
        &self,
        requests: &[IssueRequest],
    ) -> Result<Vec<Result<Issued, Refusal>>, ModuleFault> {
        let mut answers = Vec::with_capacity(requests.len());
        let mut last = None;
        for batch in requests.chunks(BATCH) {
            last = match (self.carry_out(batch, &mut answers), last) {
                (Ok(entry), last) => entry.or(last),
                // Those before it were carried out.
                (
                    Err(ModuleFault::Closed { problem } | ModuleFault::Clock { problem }),
                    Some(_),
                ) => {
                    return Err(ModuleFault::NoAnswer { problem });
                }
                (Err(fault), _) => return Err(fault),
            };
        }
        if let Some(sequence) = last {
            self.shared.vault.flush_through(sequence)?;
        }
        Ok(answers)
    }

    fn verify(&self, request: &VerifyRequest) -> Result<Verification, ModuleError> {
        let now = self.shared.module_time();
        let verified = self.shared.vault.with_open(|vault| {
            self.check(vault).map_err(ModuleFault::from)?;
            let verified = vault.contents().issuer.verify(request, now);
            scrub_short_calls();
            Ok::<_, ModuleError>(verified?)
        });
        verified.map_err(ModuleFault::from)?
    }
}

impl fmt::Debug for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Operator({} at {}, ..)", self.session.name(), self.shared.module)
    }
}
