//! `repair`: a vault whose audit log or its head is lost or damaged.

use clap::Args;
use prepay_host::Directory;
use prepay_vault::{Accepted, RepairError, Repaired, RestoredLimits, Vault};

use super::Installation;
use crate::failure::{Done, Failure};
use crate::out::{Out, Record};
use crate::people::{quorum_failure, sign_in_failure, vault_failure};
use crate::sealing::open_failure;

/// What the custodians accept.
#[derive(Args)]
pub(crate) struct RepairFlags {
    /// Accept that so many entries of the audit log are lost: the number that the refusal names.
    #[arg(long, value_name = "N", default_value_t = 0)]
    accept_lost: u64,
    /// Accept the limits as they are found, though tokens issued later may be missing. Otherwise a module issues nothing
    /// under a key until it is loaded again, unless it is certain that none is missing.
    #[arg(long)]
    accept_limits: bool,
}

/// Lets the log go on after what is right of it. The files as they were are kept beside it.
pub(crate) fn run<I: Installation>(site: &I, flags: &RepairFlags, out: &Out) -> Done<()> {
    let vault_flags = site.flags();
    let (directory, header, protector) = site.look(out)?;
    let path = directory.path().to_owned();
    drop(directory); // Nobody waits for the lock while people think.
    let clock = site.clock(header.insecure_test)?;
    let pair = vault_flags.pair()?;
    let (acting, secrets) = (&vault_flags.custodian, &vault_flags.secrets);
    if !header.insecure_test {
        secrets.require_apart(pair.iter().map(|name| (name, "")))?;
    }
    let seal = vault_flags.unlock.seal(&header, &protector, acting, secrets)?;
    let ask = |place: usize| {
        let name = &pair[place];
        secrets.known(name.as_str(), &format!("passphrase of custodian {name}"))
    };
    let passphrases = [ask(0)?, ask(1)?];
    let custodians = [(&pair[0], &passphrases[0]), (&pair[1], &passphrases[1])];
    let limits = match flags.accept_limits {
        true => RestoredLimits::Accepted,
        false => RestoredLimits::Stopped,
    };
    let accepted = Accepted { lost: flags.accept_lost, limits };
    let directory = vault_flags.wait.open(&path)?;
    let mut kept = None;
    let keep = || {
        kept = Some(Directory::keep_copies(&path)?);
        Ok(())
    };
    let place = directory.into_place(clock);
    let repaired = Vault::<I::Contents>::repair(place, seal.unlock(), custodians, accepted, keep);
    let (vault, repaired) = repaired.map_err(|error| match &error {
        RepairError::Open(error) => open_failure(&path, error),
        RepairError::SignIn { name, error } => sign_in_failure(name, error),
        RepairError::Quorum(error) => quorum_failure(error),
        RepairError::Lost { lost, .. } => Failure::refused(error.code(), &error).next(format!(
            "call an auditor: somebody may have cut the log; to accept the loss, give --accept-lost {lost}"
        )),
        _ => Failure::refused(error.code(), &error),
    })?;
    vault.close().map_err(|error| vault_failure(&error))?;
    let (what, name) = (site.what(), &header.name);
    let kept = kept.map(|path| path.display().to_string());
    let record = Record::new()
        .text(what, name)
        .value("last", repaired.last)
        .value("lost", repaired.lost)
        .value("uncertain", repaired.uncertain)
        .option("kept", kept.as_ref());
    let Repaired { last, lost, .. } = repaired;
    let loss = if lost == 0 { String::new() } else { format!("; {lost} entries are lost") };
    out.done(
        format_args!("repaired {what} {name}: its audit log is right up to entry {last}{loss}"),
        &record,
    )?;
    if let Some(kept) = kept {
        out.remark(format_args!("the files as they were are in {kept}: give them to an auditor"));
    }
    if repaired.uncertain {
        out.remark("nobody can know whether later entries are missing too: compare with what was noted elsewhere");
    }
    Ok(())
}
