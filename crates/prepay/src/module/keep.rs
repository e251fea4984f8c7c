//! Making a module, sealing it otherwise, backing it up and restoring it.

use std::path::Path;

use prepay_basics::{Identifier, Moment};
use prepay_host::{SystemClock, private_file};
use prepay_module::software::{ModuleContents, ModulePolicy, NewModule, SoftwareModule, TestMode};
use prepay_vault::{NewUser, RestoredLimits, Role, Unlock};
use serde_json::json;

use super::flags::{InitFlags, RestoreFlags};
use super::{Desk, Unlocked};
use crate::Ending;
use crate::failure::{Done, Failure};
use crate::paint::{HEADING, QUIET, styled};
use crate::people::{CustodianFlags, access_failure, sign_in_failure, vault_failure};
use crate::sealing::{
    NewSealFlags, backup_header, create_failure, make_directory, restore_failure,
};

/// The longest back-up that is read, in bytes.
const LONGEST_BACKUP: usize = 64 << 20;

impl Desk<'_> {
    /// Makes a module.
    pub(super) fn init(&self, flags: &InitFlags) -> Done<Ending> {
        let dir = self.dir()?;
        let policy = policy(flags)?;
        let test = test_mode(flags)?;
        self.test.set(test.is_some());
        let (directory, _new) = make_directory(dir)?;
        let people = flags.people.with_passphrases(&self.flags.secrets)?;
        let id = flags.id.as_str();
        let seal = flags.seal.make(id, "", &self.flags.unlock, &self.flags.secrets)?;
        let users: Vec<NewUser<'_>> = people.iter().map(|person| person.as_user()).collect();
        let new =
            NewModule { module: flags.id.clone(), unlock: seal.unlock(), users: &users, policy };
        let made = match test {
            Some(test) => {
                SoftwareModule::create_insecure_test(directory.into_place(SystemClock), new, test)
            }
            None => SoftwareModule::create(directory.into_place(SystemClock), new),
        };
        let module = made
            .map(Unlocked)
            .map_err(|error| flags.seal.undo(error.may_be_done(), create_failure(dir, &error)))?;
        // The first custodian is here anyway: the fingerprint is what the ceremony goes on with.
        let first = &people[0];
        let session = module.vault().sign_in(&first.name, &first.passphrase);
        let session = session.map_err(|error| sign_in_failure(&first.name, &error))?;
        let reader = module.auditor(&session).map_err(|error| access_failure(&error))?;
        let identity = reader.identify().map_err(super::fault)?;
        let names = |role| -> Vec<&str> {
            let of_role = people.iter().filter(|person| person.role == role);
            of_role.map(|person| person.name.as_str()).collect()
        };
        let object = json!({
            "module": id,
            "fingerprint": identity.fingerprint,
            "seal": seal.unlock().protector().to_string(),
            "custodians": names(Role::Custodian),
            "operators": names(Role::Operator),
            "auditors": names(Role::Auditor),
        });
        self.answer(object, |out| {
            writeln!(out, "module {} in {}", styled(HEADING, id), dir.display())?;
            writeln!(out, "  fingerprint  {}", identity.fingerprint)?;
            writeln!(out, "  sealed by    {}", seal.unlock().protector())?;
            for role in [Role::Custodian, Role::Operator, Role::Auditor] {
                let names = names(role);
                if !names.is_empty() {
                    writeln!(out, "  {:<11}  {}", format!("{role}s"), names.join(", "))?;
                }
            }
            writeln!(out, "{}", styled(QUIET, "next: request enrolment, for a centre to enrol it"))
        })
    }

    /// Changes what unlocks the module.
    pub(super) fn seal(&self, flags: &NewSealFlags, custodians: &CustodianFlags) -> Done<Ending> {
        let (module, by) = self.quorum(custodians)?;
        let name = module.module().to_string();
        let seal = flags.make(&name, ".new", &self.flags.unlock, &self.flags.secrets)?;
        module
            .vault()
            .change_protector(&by, seal.unlock())
            .map_err(|error| flags.undo(error.may_be_done(), vault_failure(&error)))?;
        let kind = seal.unlock().protector().to_string();
        self.answer(json!({"module": name, "seal": kind}), |out| {
            writeln!(out, "module {name} is sealed by the new {kind}")?;
            let remark =
                "back-ups keep their own passphrases; older copies of the store open as before";
            writeln!(out, "{}", styled(QUIET, remark))
        })
    }

    /// Writes a back-up.
    pub(super) fn backup(&self, file: &Path, flags: &CustodianFlags) -> Done<Ending> {
        if file.symlink_metadata().is_ok() {
            let message = format!("{}: there is a file of this name", file.display());
            return Err(Failure::unable("file_exists", message).next("choose another name"));
        }
        let pair = flags.pair()?;
        let flags = CustodianFlags { names: pair.to_vec() };
        let (module, by) = self.quorum(&flags)?;
        let ask = |name: &Identifier| {
            let what = format!("new passphrase of custodian {name} for the back-up");
            self.flags.secrets.fresh(&format!("{name}.backup"), &what)
        };
        let [first, second] = [ask(&pair[0])?, ask(&pair[1])?];
        let bytes = module.vault().backup(&by, [&first, &second]);
        let bytes = bytes.map_err(|error| vault_failure(&error))?;
        private_file::create(file, &bytes).map_err(|error| Failure::file(file, &error))?;
        let name = module.module().as_str();
        let object = json!({
            "module": name,
            "file": file.display().to_string(),
            "bytes": bytes.len(),
            "custodians": [pair[0].as_str(), pair[1].as_str()],
        });
        self.answer(object, |out| {
            writeln!(out, "back-up of module {name} in {}", file.display())?;
            let remark = "only both passphrases together open it; a back-up gives no limits back";
            writeln!(out, "{}", styled(QUIET, remark))
        })
    }

    /// Makes a module from a back-up.
    pub(super) fn restore(&self, flags: &RestoreFlags) -> Done<Ending> {
        let dir = self.dir()?;
        let file = &flags.file;
        let bytes = private_file::read(file, LONGEST_BACKUP)
            .map_err(|error| Failure::file(file, &error))?;
        let [first, second] = flags.custodians.pair()?;
        let (directory, _new) = make_directory(dir)?;
        let ask = |name: &Identifier| {
            let what = format!("passphrase of custodian {name} for the back-up");
            self.flags.secrets.known(&format!("{name}.backup"), &what)
        };
        let passphrases = [ask(&first)?, ask(&second)?];
        let name = backup_header::<ModuleContents>(file, &bytes)?.name;
        let seal = flags.seal.make(name.as_str(), "", &self.flags.unlock, &self.flags.secrets)?;
        let limits =
            if flags.accept_limits { RestoredLimits::Accepted } else { RestoredLimits::Stopped };
        let holders = [(&first, &passphrases[0]), (&second, &passphrases[1])];
        let unlock: Unlock<'_> = seal.unlock();
        let restored = SoftwareModule::restore(
            directory.into_place(SystemClock),
            &bytes,
            holders,
            unlock,
            limits,
        );
        let module = restored.map(Unlocked).map_err(|error| {
            flags.seal.undo(error.may_be_done(), restore_failure(file, dir, &error))
        })?;
        self.test.set(module.is_test());
        let name = module.module().as_str();
        let object = json!({
            "module": name,
            "seal": unlock.protector().to_string(),
            "limits": if flags.accept_limits { "accepted" } else { "stopped" },
        });
        self.answer(object, |out| {
            writeln!(out, "module {} is restored in {}", styled(HEADING, name), dir.display())?;
            let remark = if flags.accept_limits {
                "its limits are those of the back-up, as both custodians accepted"
            } else {
                "nothing is issued under a key until it is loaded afresh: request key-load; a module that \
                 counts its tokens is refilled too: refill"
            };
            writeln!(out, "{}", styled(QUIET, remark))
        })
    }
}

/// The settings of a new module.
fn policy(flags: &InitFlags) -> Done<ModulePolicy> {
    let window_minutes = match flags.window.as_str() {
        "none" => None,
        text => Some(text.parse().map_err(|_| {
            Failure::flag("--window", format!("expected minutes or none, found {text:?}"))
        })?),
    };
    Ok(ModulePolicy { window_minutes, transactions: flags.transactions, ..ModulePolicy::default() })
}

/// What only a test module does.
fn test_mode(flags: &InitFlags) -> Done<Option<TestMode>> {
    if !flags.test {
        return Ok(None);
    }
    let time = |text: &String| -> Done<Moment> {
        prepay_records::time::moment(text).ok_or_else(|| {
            let problem = format!("expected a UTC time as 2004-03-01T13:55Z, found {text:?}");
            Failure::flag("--fixed-time", problem)
        })
    };
    let fixed_random = match flags.fixed_rnd {
        Some(number) => Some(number.try_into().map_err(|_| {
            Failure::flag("--fixed-rnd", format!("expected 0 to 15, found {number}"))
        })?),
        None => None,
    };
    let fixed_time = flags.fixed_time.as_ref().map(time).transpose()?;
    Ok(Some(TestMode { fixed_time, fixed_random }))
}
