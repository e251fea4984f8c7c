//! Makes, backs up and restores a module.

use std::path::Path;

use prepay_host::private_file;
use prepay_module::software::{ModulePolicy, NewModule, SoftwareModule, TestMode};
use prepay_vault::{RestoredLimits, VaultHeader};

use super::flags::{InitFlags, RestoreFlags};
use super::{Invocation, Unlocked, fault};
use crate::Ending;
use crate::failure::{Done, Failure};
use crate::out::Record;
use crate::people::access_failure;
use crate::vault::backup::{self, Backup};
use crate::vault::new::make;
use crate::vault::{Installation, Needs, SiteClock, witness};

impl Invocation<'_> {
    /// Makes a module.
    pub(super) fn init(&self, flags: &InitFlags) -> Done<Ending> {
        let policy = ModulePolicy {
            window_minutes: flags.window.0,
            transactions: flags.transactions,
            remember_days: flags.remember_days,
            tid_reuse: flags.tid_reuse,
            ..ModulePolicy::default()
        };
        let InitFlags { fixed_time, fixed_rnd: fixed_random, .. } = *flags;
        let test = flags.test.then_some(TestMode { fixed_time, fixed_random, run_names: None });
        self.out.set_test(test.is_some());
        let id = &flags.id;
        let made = make(
            self,
            &flags.new,
            id.as_str(),
            flags.test,
            SiteClock::System,
            |place, unlock, users| {
                let new = NewModule { module: id.clone(), unlock, users, policy };
                let made = match test {
                    Some(test) => SoftwareModule::create_insecure_test(place, new, test),
                    None => SoftwareModule::create(place, new),
                };
                made.map(Unlocked)
            },
        )?;
        // The custodians are present anyway, and the ceremony continues with the fingerprint.
        let module = &*made.vault;
        let custodians = module.custodians(made.quorum(module.vault())?);
        let reader = custodians.map_err(|error| access_failure(&error))?.reader();
        let identity = reader.identify().map_err(fault)?;
        let record = Record::new().text("module", id).text("fingerprint", identity.fingerprint);
        self.out.done_with(format_args!("made module {id}"), &made.put(record))?;
        made.advise(&self.out);
        self.out.remark("next: prepay module request enrolment, and let a centre enrol it");
        Ok(Ending::Done)
    }

    /// Writes a back-up.
    pub(super) fn backup(&self, to: &Path) -> Done<Ending> {
        backup::require_free(to)?;
        if let Some(path) = self.socket()? {
            return self.remote_backup(path, to);
        }
        let ask = |header: &VaultHeader| backup::ask_ahead(&self.flags.vault, header);
        self.with_vault_after(&self.out, Some(Needs::Custodians), ask, |vault| {
            let (bytes, by) = backup::seal(&self.flags.vault, vault)?;
            let custodians = by.names().map(ToString::to_string);
            self.keep_backup(&vault.header().name.to_string(), &bytes, custodians, to)
        })
    }

    /// Writes the file of a back-up.
    pub(super) fn keep_backup(
        &self,
        module: &str,
        bytes: &[u8],
        custodians: [String; 2],
        to: &Path,
    ) -> Done<Ending> {
        private_file::create(to, bytes).map_err(|error| Failure::file(to, &error))?;
        let record = backup::record(self, module, custodians, to);
        self.out.done(format_args!("wrote the back-up {}", to.display()), &record)?;
        self.out
            .remark("only both passphrases together open it; restoring it gives no limits back");
        Ok(Ending::Done)
    }

    /// Makes a module from a back-up.
    pub(super) fn restore(&self, flags: &RestoreFlags) -> Done<Ending> {
        let (dir, from) = (self.dir()?, &flags.backup);
        let backup = Backup::read(from)?;
        let (limits, told, next) = if flags.accept_limits {
            let next = "its limits are those of the back-up, which both custodians accepted";
            (RestoredLimits::Accepted, "accepted", next)
        } else {
            let next = "it issues nothing under a key until the key is loaded again: prepay module request key-load; if \
                        it counts tokens, refill it too: prepay module refill";
            (RestoredLimits::Stopped, "stopped", next)
        };
        let vault =
            backup::restore(self, &self.out, &backup, &flags.seal, &flags.anew, limits, None)?;
        let name = vault.header().name.clone();
        vault.lock();
        let record = Record::new()
            .text("module", &name)
            .text("backup", from.display())
            .text("dir", dir.display())
            .text("limits", told);
        self.out.done(format_args!("restored module {name} in {}", dir.display()), &record)?;
        self.out.remark(next);
        witness::remark_restored(&self.out);
        Ok(Ending::Done)
    }
}
