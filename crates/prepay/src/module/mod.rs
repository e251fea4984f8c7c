//! `prepay module`: a security module from the command line.
//!
//! ```text
//!  flags.rs    commands and flags
//!  keep.rs     init, backup, restore
//!  show.rs     unlock, registers, slots
//!  issue.rs    issue, verify
//!  custody.rs  request, load, delete, revoke, refill
//! ```
//!
//! Each command opens the module, does one thing and locks it. All changes go through the module's vault, so a command
//! may be killed at any moment.
//!
//! - Elsewhere: user, seal, audit, and what a centre does alike (`vault`); the lines of a session and the answers
//!   as JSON (`prepay-session`).

mod custody;
pub(crate) mod flags;
mod issue;
mod keep;
mod remote;
mod serve;
mod show;
mod verify;

use std::io::{self, Write};
use std::ops::Deref;
use std::path::PathBuf;

use prepay_module::ModuleFault;
use prepay_module::software::{Auditor, Custodians, ModuleContents, SoftwareModule};
use prepay_session::SessionError;
use serde::Serialize;

use crate::Ending;
use crate::failure::{Done, Failure};
use crate::out::Out;
use crate::people::access_failure;
use crate::vault::{
    Installation, Needs, SiteClock, VaultFlags, audit, clock, repair, seal, user, witness,
};
use flags::{ModuleCommand, ModuleFlags};

/// Runs one command.
pub(crate) fn run(flags: &ModuleFlags, json: bool) -> io::Result<Ending> {
    let command = Invocation {
        flags,
        out: Out::new(json, "TEST module: its tokens are not for real meters"),
    };
    match command.run() {
        Ok(ending) => Ok(ending),
        Err(failure) => command.out.failure(&failure),
    }
}

/// A command with its flags and output.
struct Invocation<'a> {
    flags: &'a ModuleFlags,
    out: Out,
}

impl Installation for Invocation<'_> {
    type Contents = ModuleContents;

    fn flags(&self) -> &VaultFlags {
        &self.flags.vault
    }

    fn vault_path(&self) -> Done<PathBuf> {
        self.dir().map(PathBuf::from)
    }

    fn clock(&self, _is_test: bool) -> Done<SiteClock> {
        Ok(SiteClock::System)
    }
}

/// An open module, locked at the end of the command.
struct Unlocked(SoftwareModule);

impl Deref for Unlocked {
    type Target = SoftwareModule;

    fn deref(&self) -> &SoftwareModule {
        &self.0
    }
}

impl Drop for Unlocked {
    fn drop(&mut self) {
        self.0.vault().lock();
    }
}

impl Invocation<'_> {
    fn run(&self) -> Done<Ending> {
        if !self.flags.command.may_use_a_service() {
            self.no_service("this command")?;
        }
        match &self.flags.command {
            ModuleCommand::Init(init) => self.init(init),
            ModuleCommand::Unlock(unlock) => self.show(unlock),
            ModuleCommand::Registers => self.registers(),
            ModuleCommand::Status => self.status(),
            ModuleCommand::Serve(serve) => self.serve(serve),
            ModuleCommand::Slots => self.slots(),
            ModuleCommand::Issue { command } => self.issue(command),
            ModuleCommand::Verify(verify) => self.verify(verify),
            ModuleCommand::Request(request) => self.request(request),
            ModuleCommand::Load(load) => self.load(load),
            ModuleCommand::Delete { register, sure } => self.delete(*register, *sure),
            ModuleCommand::Revoke { centre, sure } => self.revoke(centre, *sure),
            ModuleCommand::Refill { transactions } => self.refill(*transactions),
            ModuleCommand::User(command) => match self.socket()? {
                Some(path) => done(self.remote_user(path, command)),
                None => done(user::run(self, command, &self.out)),
            },
            ModuleCommand::Seal(flags) => done(seal::run(self, flags, &self.out)),
            ModuleCommand::Audit(command) => match self.socket()? {
                Some(path) => done(self.remote_audit(path, command)),
                None => done(audit::run(self, command, &self.out)),
            },
            ModuleCommand::Clock(command) => match self.socket()? {
                Some(path) => done(self.remote_clock(path, command)),
                None => done(clock::run(self, command, &self.out)),
            },
            ModuleCommand::Witness(command) => done(witness::run(self, command, &self.out)),
            ModuleCommand::Repair(flags) => done(repair::run(self, flags, &self.out)),
            ModuleCommand::Backup { backup } => self.backup(backup),
            ModuleCommand::Restore(restore) => self.restore(restore),
        }
    }

    /// Opens a module for those who will act.
    fn open(&self, needs: Option<Needs>) -> Done<Unlocked> {
        Ok(Unlocked(self.unlock(self.look(&self.out)?, needs, |_| Ok(()))?.into()))
    }

    /// Opens a module and signs in a reader.
    fn reader(&self) -> Done<(Unlocked, Auditor)> {
        let module = self.open(Some(Needs::Reader))?;
        let who = self.flags.vault.actor(module.vault(), Needs::Reader)?;
        let auditor = module.auditor(who).map_err(|error| access_failure(&error))?;
        Ok((module, auditor))
    }

    /// Opens a module and signs two custodians in.
    fn custodians(&self) -> Done<(Unlocked, Custodians)> {
        let module = self.open(Some(Needs::Custodians))?;
        let quorum = self.flags.vault.two(module.vault())?;
        let custodians = module.custodians(quorum).map_err(|error| access_failure(&error))?;
        Ok((module, custodians))
    }

    /// Prints an answer, as JSON or as text.
    fn answer(
        &self,
        answer: impl Serialize,
        text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Done<Ending> {
        done(self.out.answer(answer, text))
    }
}

fn done(done: Done<()>) -> Done<Ending> {
    done.map(|()| Ending::Done)
}

/// A failure while reading.
fn fault(fault: ModuleFault) -> Failure {
    SessionError::from(fault).into()
}
