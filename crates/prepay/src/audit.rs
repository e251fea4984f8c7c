//! The audit log of a vault, listed and proved; of a module or a centre alike.

use std::io::Write;
use std::path::Path;

use prepay_vault::VaultStorage;
use prepay_vault::{
    AuditError, AuditMark, AuditReport, BadEntry, Entries, Problem, Record, verify_noted,
};
use serde_json::{Map, Value, json};

use crate::failure::{Done, Failure};
use crate::paint::{HEADING, QUIET, RESULT, WRONG, styled};
use crate::people::vault_failure;

/// One entry as an object.
fn entry<E: Entries>(record: &Record<E>) -> Value {
    let fields: Map<String, Value> = record
        .entry
        .fields()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    json!({
        "sequence": record.sequence,
        "time": record.moment.to_string(),
        "kind": record.entry.name(),
        "by": record.actors.iter().map(|name| name.as_str()).collect::<Vec<&str>>(),
        "fields": fields,
    })
}

/// Prints entries: one object a line, or a table.
pub(crate) fn print<E: Entries>(records: &[Record<E>], json: bool, test: bool) -> Done<()> {
    let mut out = anstream::stdout().lock();
    for record in records {
        if json {
            let mut object = entry(record);
            if test {
                object["test"] = true.into();
            }
            writeln!(out, "{object}")?;
            continue;
        }
        let by: Vec<&str> = record.actors.iter().map(|name| name.as_str()).collect();
        let by = if by.is_empty() { "-".to_owned() } else { by.join(" and ") };
        let (sequence, moment) = (record.sequence, record.moment);
        let name = styled(HEADING, record.entry.name());
        writeln!(out, "{sequence:>6}  {moment}  {name}  {}", styled(QUIET, by))?;
        for (field, value) in record.entry.fields() {
            writeln!(out, "        {field} {value}")?;
        }
    }
    Ok(())
}

/// Proves that a log still has an entry that was noted earlier.
pub(crate) fn prove_noted<E: Entries>(
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

/// Prints what proving a log showed.
pub(crate) fn print_report(report: &AuditReport, json: bool, test: bool) -> Done<()> {
    if let Some(bad) = &report.first_bad {
        return Err(bad_entry(bad));
    }
    let mut out = anstream::stdout().lock();
    if json {
        let mut object = json!({
            "entries": report.entries,
            "authenticated": report.authenticated,
            "last": report.last.to_string(),
        });
        if test {
            object["test"] = true.into();
        }
        writeln!(out, "{object}")?;
        return Ok(());
    }
    let proved = if report.authenticated {
        "every entry was written by this vault, and none is missing"
    } else {
        "the chain of entries is whole; without the vault's secrets nobody can say who wrote it: \
         unlock with --as NAME to prove that too"
    };
    writeln!(out, "{}", styled(RESULT, format_args!("{} entries", report.entries)))?;
    writeln!(out, "  {proved}")?;
    writeln!(out, "  last entry {}", report.last)?;
    if test {
        writeln!(out, "{}", styled(WRONG, "TEST vault"))?;
    }
    Ok(())
}

/// An entry that is not what it was.
pub(crate) fn bad_entry(bad: &BadEntry) -> Failure {
    let failure = Failure::refused("audit_entry", bad);
    match bad.problem {
        // A stop in the middle of a write leaves this; opening tells it from an entry that was cut off.
        Problem::Torn => {
            failure.next("unlock the vault, which puts its log in order, and try again")
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
