//! `audit`: list and verify the audit log of a vault.

use std::path::Path;

use clap::Subcommand;
use prepay_session::{AuditAnswer, EntryRecord};
use prepay_vault::{
    AuditError, AuditMark, AuditReport, BadEntry, Contents, Entries, Problem, Record, VaultStorage,
    records, show_records, verify, verify_noted,
};

use super::{Installation, Needs};
use crate::failure::{Done, Failure};
use crate::out::Out;
use crate::paint::{HEADING, QUIET, RESULT, styled};
use crate::people::vault_failure;

/// What can be done with the audit log.
#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// List entries. The vault stays locked unless you name a person.
    List {
        /// The number of the first entry.
        #[arg(long, value_name = "N", default_value_t = 1)]
        from: u64,
        /// How many entries at most.
        #[arg(long, value_name = "N", default_value_t = 1000)]
        count: usize,
    },
    /// Write entries for a log server: each a JSON object on a line of its own, with its number and its hash.
    ///
    /// To go on after an interruption, give the number after that of the last line.
    Export {
        /// The number of the first entry.
        #[arg(long, value_name = "N", default_value_t = 1)]
        from: u64,
        /// Wait for more entries at the end of the log. Only with the socket of a service.
        #[arg(long)]
        follow: bool,
    },
    /// Verify that no entry was changed, removed, moved or inserted, and report the first that was.
    ///
    /// Unless you name a person, the vault stays locked and only the chain of entries is verified: anyone who can
    /// write the files could have made another chain. An auditor or custodian verifies the rest: --as NAME.
    Verify {
        /// An entry that you noted earlier, as `audit verify` printed it. The log must still have it.
        #[arg(long, value_name = "N-HASH")]
        noted: Option<AuditMark>,
    },
}

/// How many entries to write at once.
pub(crate) const PAGE: usize = 1000;

/// The kinds of entries of an installation's log.
type EntryOf<I> = <<I as Installation>::Contents as Contents>::Entry;

/// Runs one command.
pub(crate) fn run<I: Installation>(site: &I, command: &AuditCommand, out: &Out) -> Done<()> {
    let path = site.vault_path()?;
    let failed = |error| failure(&path, &error);
    let flags = site.flags();
    match command {
        AuditCommand::List { from, count } if flags.is_anybody_named() => {
            let records = site.with_vault(
                out,
                Some(Needs::Reader),
                |_| Ok(()),
                |vault| {
                    let by = flags.actor(vault, Needs::Reader)?;
                    vault.audit(by.by(), *from, *count).map_err(failed)
                },
            )?;
            print(&entries(&records), out)
        }
        AuditCommand::List { from, count } => {
            let (mut directory, ..) = site.look(out)?;
            let records = records::<EntryOf<I>>(&mut directory, *from, *count).map_err(failed)?;
            print(&entries(&records), out)?;
            let what = site.what();
            out.remark(format_args!(
                "the {what} is locked: it is not verified who wrote these entries"
            ));
            Ok(())
        }
        AuditCommand::Export { follow: true, .. } => {
            let message =
                "expected the socket of a service: nothing is added while this command has the log";
            Err(Failure::flag("--follow", message).next("leave --follow out, or give --socket"))
        }
        AuditCommand::Export { from, .. } if flags.is_anybody_named() => site.with_vault(
            out,
            Some(Needs::Reader),
            |_| Ok(()),
            |vault| {
                let by = flags.actor(vault, Needs::Reader)?;
                out.begin_beside()?;
                let (mut from, mut place) = (*from, None);
                loop {
                    let page = vault.audit_page(by.by(), from, PAGE, place, u64::MAX);
                    let page = page.map_err(failed)?;
                    out.stream(&entries(&page.records))?;
                    let Some(last) = page.records.last() else { return Ok(()) };
                    (from, place) = (last.sequence + 1, Some(page.place));
                }
            },
        ),
        AuditCommand::Export { from, .. } => {
            let (mut directory, ..) = site.look(out)?;
            out.begin_beside()?;
            let mut written = Ok(());
            show_records::<EntryOf<I>>(&mut directory, *from, &mut |record| {
                written = out.stream(&[EntryRecord::from(&record)]);
                written.is_ok()
            })
            .map_err(failed)?;
            written
        }
        AuditCommand::Verify { noted } => {
            let (mut directory, header, protector) = site.look(out)?;
            if let Some(noted) = noted {
                prove_noted::<EntryOf<I>>(&path, &mut directory, *noted)?;
            }
            if !flags.is_anybody_named() {
                let report = verify::<EntryOf<I>>(&mut directory).map_err(failed)?;
                return print_report(&report, out);
            }
            let vault =
                site.unlock((directory, header, protector), Some(Needs::Reader), |_| Ok(()))?;
            let by = flags.actor(&vault, Needs::Reader)?;
            let report = vault.verify_audit(by.by()).map_err(failed)?;
            vault.close().map_err(|error| vault_failure(&error))?;
            print_report(&report, out)
        }
    }
}

/// Prints entries: one object per line, or a table.
pub(crate) fn print(records: &[EntryRecord], out: &Out) -> Done<()> {
    out.list(records, |out| {
        for EntryRecord { sequence, time, kind, by, fields, .. } in records {
            let by = if by.is_empty() { "-".to_owned() } else { by.join(" and ") };
            let (name, by) = (styled(HEADING, kind), styled(QUIET, by));
            writeln!(out, "{sequence:>6}  {time}  {name}  {by}")?;
            for (field, value) in fields {
                writeln!(out, "        {field} {value}")?;
            }
        }
        Ok(())
    })
}

fn entries<E: Entries>(records: &[Record<E>]) -> Vec<EntryRecord> {
    records.iter().map(EntryRecord::from).collect()
}

/// Checks that a log still has an entry that was noted earlier.
fn prove_noted<E: Entries>(
    path: &Path,
    storage: &mut dyn VaultStorage,
    noted: AuditMark,
) -> Done<()> {
    let report = verify_noted::<E>(storage, noted).map_err(|error| failure(path, &error))?;
    match &report.first_bad {
        Some(bad) if bad.problem != Problem::Torn => {
            let message = format!("entry {} as noted is not in the log: {bad}", noted.sequence);
            Err(Failure::refused("audit_noted", message)
                .next("an older copy may have been put back: call a custodian and an auditor"))
        }
        _ => Ok(()),
    }
}

/// Prints the result of verifying a log.
fn print_report(report: &AuditReport, out: &Out) -> Done<()> {
    match &report.first_bad {
        Some(bad) => Err(bad_entry(bad)),
        None => print_verified(&AuditAnswer::from(report), out),
    }
}

/// Prints that every entry of a log is right.
pub(crate) fn print_verified(answer: &AuditAnswer, out: &Out) -> Done<()> {
    out.answer(answer, |out| {
        let proved = if answer.authenticated {
            "this vault wrote every entry, and none is missing"
        } else {
            "the chain of entries is complete, but only the vault's secrets show who wrote it: \
             sign in with --as NAME to verify that too"
        };
        writeln!(out, "{}", styled(RESULT, format_args!("{} entries", answer.entries)))?;
        writeln!(out, "  {proved}")?;
        writeln!(out, "  last entry {}", answer.last)
    })
}

/// A wrong entry.
pub(crate) fn bad_entry(bad: &BadEntry) -> Failure {
    let failure = Failure::refused("audit_entry", bad);
    match bad.problem {
        // An interrupted write leaves this; opening the vault distinguishes it from a removed entry.
        Problem::Torn => {
            failure.next("unlock the vault, which repairs the end of its log, and try again")
        }
        _ => failure.next("keep every file as it is and call a custodian and an auditor"),
    }
}

/// Why a log could not be read.
pub(crate) fn failure(path: &Path, error: &AuditError) -> Failure {
    let message = format!("{}: {error}", path.display());
    match error {
        AuditError::Storage { .. } => Failure::broken(error.code(), message),
        AuditError::BadEntry(bad) => bad_entry(bad),
        AuditError::Vault(error) => vault_failure(error),
        _ => Failure::refused(error.code(), message),
    }
}
