//! `prepay module`: a security module from the command line.
//!
//! ```text
//!  flags.rs    what can be asked
//!  keep.rs     init, seal, backup, restore
//!  show.rs     unlock, registers, slots, audit
//!  issue.rs    issue, verify
//!  custody.rs  request, load, delete, revoke, user, refill
//! ```
//!
//! Each command opens the module, does one thing and locks it. Everything that is kept goes through the
//! module's vault, so a command may be killed at any moment.
//!
//! - Elsewhere: the lines of a session and the answers as JSON (`prepay-session`).

mod custody;
pub(crate) mod flags;
mod issue;
mod keep;
mod show;

use std::cell::Cell;
use std::io::{self, Write};
use std::ops::Deref;
use std::path::Path;

use prepay_host::{Directory, SystemClock};
use prepay_module::ModuleFault;
use prepay_module::software::{
    Auditor, CustodianError, Custodians, ModuleContents, SoftwareModule,
};
use prepay_records::Marked;
use prepay_session::SessionError;
use prepay_vault::{Protector, Quorum, Session, VaultHeader};
use serde::Serialize;

use crate::Ending;
use crate::failure::{Done, Failure};
use crate::paint::{WRONG, styled};
use crate::people::{AsFlags, CustodianFlags, access_failure, vault_failure};
use crate::sealing::open_failure;
use flags::{ModuleCommand, ModuleFlags};

/// What every text of a test module says.
const TEST: &str = "TEST module: its tokens are not for real meters";

/// Runs one command.
pub(crate) fn run(flags: &ModuleFlags, json: bool) -> io::Result<Ending> {
    let desk = Desk { flags, json, test: Cell::new(false) };
    match desk.run() {
        Ok(ending) => Ok(ending),
        Err(failure) => {
            if desk.test.get() && !json {
                anstream::eprintln!("{}", styled(WRONG, TEST));
            }
            Ok(failure.print(json, desk.test.get()))
        }
    }
}

/// One command with what it needs.
struct Desk<'a> {
    flags: &'a ModuleFlags,
    json: bool,
    /// Whether the module is known to be a test module.
    test: Cell<bool>,
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

impl Desk<'_> {
    fn run(&self) -> Done<Ending> {
        match &self.flags.command {
            ModuleCommand::Init(init) => self.init(init),
            ModuleCommand::Unlock(unlock) => self.unlock(unlock),
            ModuleCommand::Registers(who) => self.registers(who),
            ModuleCommand::Slots(who) => self.slots(who),
            ModuleCommand::Issue { command } => self.issue(command),
            ModuleCommand::Verify(verify) => self.verify(verify),
            ModuleCommand::Request(request) => self.request(request),
            ModuleCommand::Load(load) => self.load(load),
            ModuleCommand::Delete { register, custodians } => self.delete(*register, custodians),
            ModuleCommand::Revoke { centre, custodians } => self.revoke(centre, custodians),
            ModuleCommand::User { command } => self.user(command),
            ModuleCommand::Seal { seal, custodians } => self.seal(seal, custodians),
            ModuleCommand::Refill { transactions, custodians } => {
                self.refill(*transactions, custodians)
            }
            ModuleCommand::Audit { command } => self.audit(command),
            ModuleCommand::Backup { file, custodians } => self.backup(file, custodians),
            ModuleCommand::Restore(restore) => self.restore(restore),
        }
    }

    /// The directory of the module.
    fn dir(&self) -> Done<&Path> {
        self.flags.dir.as_deref().ok_or_else(|| {
            Failure::unable("flag", "the directory of the module is missing").next("give --dir DIR")
        })
    }

    /// Opens the directory of a module, locked as it is.
    fn look(&self) -> Done<(Directory, VaultHeader, Protector)> {
        let seen = self.flags.wait.open::<ModuleContents>(self.dir()?)?;
        self.test.set(seen.1.insecure_test);
        Ok(seen)
    }

    /// Opens a module.
    fn open(&self) -> Done<Unlocked> {
        let (directory, header, protector) = self.look()?;
        self.open_directory(directory, &header, &protector)
    }

    fn open_directory(
        &self,
        directory: Directory,
        header: &VaultHeader,
        protector: &Protector,
    ) -> Done<Unlocked> {
        let dir = self.dir()?;
        let seal = self.flags.unlock.seal(header, protector, &self.flags.secrets)?;
        let module = SoftwareModule::open(directory.into_place(SystemClock), seal.unlock());
        module.map(Unlocked).map_err(|error| open_failure(dir, &error))
    }

    /// Opens a module and signs in somebody who reads, to the vault.
    fn session_of(&self, who: &AsFlags) -> Done<(Unlocked, Session)> {
        let module = self.open()?;
        let session = who.sign_in(&self.flags.secrets, "person who reads", module.vault())?;
        Ok((module, session))
    }

    /// Opens a module and signs in somebody who reads.
    fn reader(&self, who: &AsFlags) -> Done<(Unlocked, Auditor)> {
        let (module, session) = self.session_of(who)?;
        let auditor = module.auditor(&session).map_err(|error| access_failure(&error))?;
        Ok((module, auditor))
    }

    /// Opens a module and signs two custodians in, to the vault.
    fn quorum(&self, flags: &CustodianFlags) -> Done<(Unlocked, Quorum)> {
        let module = self.open()?;
        let quorum = flags.sign_in(&self.flags.secrets, module.vault())?;
        Ok((module, quorum))
    }

    /// Opens a module and signs two custodians in.
    fn custodians(&self, flags: &CustodianFlags) -> Done<(Unlocked, Custodians)> {
        let (module, quorum) = self.quorum(flags)?;
        let custodians = module.custodians(quorum).map_err(|error| access_failure(&error))?;
        Ok((module, custodians))
    }

    /// Prints an answer: as an object, or as a text.
    fn answer(
        &self,
        answer: impl Serialize,
        text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Done<Ending> {
        let mut out = anstream::stdout().lock();
        if self.json {
            let answer = Marked { answer, test: self.test.get() };
            writeln!(out, "{}", serde_json::to_string(&answer).map_err(io::Error::from)?)?;
        } else {
            text(&mut out)?;
            if self.test.get() {
                writeln!(out, "{}", styled(WRONG, TEST))?;
            }
        }
        out.flush()?;
        Ok(Ending::Done)
    }

    /// Says something beside the answer.
    fn remark(&self, text: &str) {
        anstream::eprintln!("{text}");
    }
}

/// Why custodians got no answer.
fn custodian_failure(error: &CustodianError) -> Failure {
    match error {
        CustodianError::Refused(refusal) => Failure::refused(refusal.code(), refusal),
        CustodianError::Vault(error) => vault_failure(error),
    }
}

/// What broke while something was read.
fn fault(fault: ModuleFault) -> Failure {
    SessionError::from(fault).into()
}
