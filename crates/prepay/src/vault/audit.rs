//! `audit`: list, verify, rotate and archive the audit log of a vault.

use std::io;
use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueHint};
use prepay_host::{Archive, open_segments};
use prepay_session::{AuditAnswer, EntryRecord, SegmentRecord};
use prepay_vault::{
    AuditError, AuditMark, AuditReport, BadEntry, By, Contents, Entries, Problem, Record, Segment,
    Segments, VaultStorage, records, segments_in, show_records, verify_segments, verify_with,
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
        /// An archived segment, or a directory of them. May be repeated. Without --dir, only these are verified: the chain
        /// of their entries.
        #[arg(long, value_name = "FILE|DIR", value_hint = ValueHint::AnyPath)]
        segment: Vec<PathBuf>,
    },
    /// Close the audit log and begin a new one behind it. An auditor or a custodian.
    ///
    /// What was the log becomes a segment: a file audit-N-M.log with the entries N to M. Nothing is lost, and it takes
    /// equally long however long the log is. A log above 1 GiB is rotated by itself.
    ///
    /// Example: prepay module audit rotate --dir module --as uwe
    Rotate,
    /// Move closed segments of the audit log to a directory elsewhere, such as on another disk. Two custodians.
    ///
    /// Each copy is made durable and verified before the segment is removed here. audit verify --segment DIR verifies the
    /// archived segments and the log as one chain.
    ///
    /// Example: prepay module audit archive --to /mnt/archive/SM-1 --dir module --custodian ann --custodian bob
    Archive {
        /// The directory, which is made if it is missing. It must not be in that of the vault.
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        to: PathBuf,
    },
}

/// Where entries are that a log does not have at its beginning.
const EARLIER: &str =
    "in archived segments, in the log of the vault that was backed up, or lost at a repair";

/// What to do when something is in archived segments.
const WITH_SEGMENTS: &str = "give the archived segments too: --segment DIR";

/// How many entries to write at once.
pub(crate) const PAGE: usize = 1000;

/// The kinds of entries of an installation's log.
type EntryOf<I> = <<I as Installation>::Contents as Contents>::Entry;

/// Runs one command.
pub(crate) fn run<I: Installation>(site: &I, command: &AuditCommand, out: &Out) -> Done<()> {
    if let (AuditCommand::Verify { noted, segment }, None) = (command, &site.flags().dir)
        && !segment.is_empty()
    {
        let given = given(segment)?;
        let report = verify_segments::<EntryOf<I>>(&given, *noted);
        let report = report.map_err(|error| failure(&segment[0], &error))?;
        return print_report(&noted_or(report, *noted)?, out);
    }
    let path = site.vault_path()?;
    let failed = |error| failure(&path, &error);
    let flags = site.flags();
    match command {
        AuditCommand::List { from, count } if flags.is_anybody_named() => {
            let records = site.with_vault(out, Needs::Reader, |vault| {
                let by = flags.actor(vault, Needs::Reader)?;
                vault.audit(by.by(), *from, *count).map_err(failed)
            })?;
            print(&entries(&records), *from, out)
        }
        AuditCommand::List { from, count } => {
            let (mut directory, ..) = site.look(out)?;
            let records = records::<EntryOf<I>>(&mut directory, *from, *count).map_err(failed)?;
            print(&entries(&records), *from, out)?;
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
        AuditCommand::Export { from, .. } if flags.is_anybody_named() => {
            site.with_vault(out, Needs::Reader, |vault| {
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
            })
        }
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
        AuditCommand::Verify { noted, segment } => {
            let given = given(segment)?;
            let (mut directory, header, protector) = site.look(out)?;
            let here = directory.files().map_err(AuditError::from).map_err(failed)?;
            let here = segments_in(&*here).map_err(AuditError::from).map_err(failed)?;
            if let Some(name) = given.keys().find(|name| here.contains(name)) {
                let message = format!("{name}: the vault has this segment itself");
                return Err(archive_failure(message).next(
                    "leave it out; to verify the copy alone, leave --dir out and give the file",
                ));
            }
            let without = |directory: &mut dyn VaultStorage| {
                verify_with::<EntryOf<I>>(directory, *noted, &given).map_err(failed)
            };
            if !flags.is_anybody_named() {
                return print_report(&noted_or(without(&mut directory)?, *noted)?, out);
            }
            if noted.is_some() {
                noted_or(without(&mut directory)?, *noted)?;
            }
            let vault =
                site.unlock((directory, header, protector), Some(Needs::Reader), |_| Ok(()))?;
            let by = flags.actor(&vault, Needs::Reader)?;
            let listed = vault.segments(by.by()).map_err(|error| vault_failure(&error))?;
            let is_listed = |name: &String| listed.iter().any(|segment| segment.name() == *name);
            if let Some(other) = given.keys().find(|name| !is_listed(name)) {
                let message = format!(
                    "{other}: expected a segment that this vault lists, found another name"
                );
                return Err(
                    archive_failure(message).next("give the file its name again, or leave it out")
                );
            }
            let report = vault.verify_audit_with(by.by(), None, &given).map_err(failed)?;
            vault.close().map_err(|error| vault_failure(&error))?;
            print_report(&report, out)
        }
        AuditCommand::Rotate => {
            let segment = site.with_vault(out, Needs::Reader, |vault| {
                let by = flags.actor(vault, Needs::Reader)?;
                vault.rotate(by.by()).map_err(|error| vault_failure(&error))
            })?;
            print_rotated(&SegmentRecord::from(&segment), out)
        }
        AuditCommand::Archive { to } => archive(site, to, out),
    }
}

/// Moves the segments that are here to an archive.
fn archive<I: Installation>(site: &I, to: &Path, out: &Out) -> Done<()> {
    let path = site.vault_path()?;
    let refused = |error: io::Error| archive_failure(format!("{}: {error}", to.display()));
    let not_moved = |error: AuditError| match &error {
        AuditError::BadEntry(bad) => bad_entry(bad).next(format!(
            "nothing was removed; if {} was there before, move it away and try again",
            to.display()
        )),
        _ => failure(&path, &error),
    };
    let moved = site.with_vault(out, Needs::Custodians, |vault| {
        let by = site.flags().two(vault)?;
        let archive = Archive::open(to, &path).map_err(refused)?;
        let files = vault.with(|vault| vault.files()).and_then(|files| files);
        let files = files.map_err(|error| vault_failure(&error))?;
        let here = segments_in(&*files).map_err(refused)?;
        let segments = vault.segments(By::Two(&by)).map_err(|error| vault_failure(&error))?;
        let is_lost = |segment: &&Segment| !segment.archived && !here.contains(&segment.name());
        if let Some(lost) = segments.iter().find(is_lost).map(Segment::name) {
            let message =
                format!("{lost}: expected it here, since it was not archived; found none");
            return Err(archive_failure(message).next("put the file back"));
        }
        let mut copies = Segments::new();
        for segment in segments.iter().filter(|segment| here.contains(&segment.name())) {
            archive.keep(segment, &*files, &mut copies).map_err(refused)?;
        }
        let place = archive.path().display().to_string();
        vault.archive(&by, &copies, &place).map_err(not_moved)
    })?;
    let records: Vec<SegmentRecord> = moved.iter().map(SegmentRecord::from).collect();
    out.list(&records, |out| {
        for SegmentRecord { segment, first, last, .. } in &records {
            writeln!(out, "{}  entries {first} to {last}", styled(RESULT, segment))?;
        }
        match records.as_slice() {
            [] => writeln!(out, "no segment to archive"),
            _ => writeln!(out, "moved to {}", to.display()),
        }
    })
}

/// The segments that were given.
fn given(paths: &[PathBuf]) -> Done<Segments> {
    open_segments(paths).map_err(|error| archive_failure(error.to_string()))
}

/// What is wrong with segments that are elsewhere, or the place where they should be.
fn archive_failure(message: String) -> Failure {
    Failure::refused("audit_archive", message)
}

/// Prints that the log was rotated.
pub(crate) fn print_rotated(rotated: &SegmentRecord, out: &Out) -> Done<()> {
    out.answer(rotated, |out| {
        let SegmentRecord { segment, first, last, mark, .. } = rotated;
        writeln!(out, "entries {first} to {last} are in {}", styled(RESULT, segment))?;
        writeln!(out, "  last entry {mark}")
    })
}

/// Prints entries from a number on: one object per line, or a table.
pub(crate) fn print(records: &[EntryRecord], from: u64, out: &Out) -> Done<()> {
    if let Some(first) = records.first().map(|record| record.sequence)
        && first > from.max(1)
    {
        out.remark(format_args!("entries before {first} are {EARLIER}"));
    }
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

/// The report, unless a log does not have an entry that was noted earlier.
fn noted_or(report: AuditReport, noted: Option<AuditMark>) -> Done<AuditReport> {
    let (Some(bad), Some(noted)) = (&report.first_bad, noted) else { return Ok(report) };
    let message = format!("entry {} as noted is not in the log: {bad}", noted.sequence);
    let failure = Failure::refused("audit_noted", message);
    match bad.problem {
        Problem::Torn => Ok(report),
        Problem::Elsewhere => Err(failure.next(WITH_SEGMENTS)),
        _ => {
            Err(failure
                .next("an older copy may have been put back: call a custodian and an auditor"))
        }
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
        let proved = if answer.authenticated && answer.before == 0 {
            "this vault wrote every entry, and none is missing"
        } else if answer.authenticated {
            "this vault wrote every entry that is here"
        } else {
            "the chain of entries is complete, but only the vault's secrets show who wrote it: \
             sign in with --as NAME to verify that too"
        };
        writeln!(out, "{}", styled(RESULT, format_args!("{} entries", answer.entries)))?;
        writeln!(out, "  {proved}")?;
        for (first, last) in &answer.absent {
            writeln!(
                out,
                "  not here: entries {first} to {last}, in archived segments or lost at a repair"
            )?;
        }
        if answer.before > 0 {
            let before = answer.before;
            writeln!(out, "  not here: {before} earlier entries, {EARLIER}")?;
        }
        writeln!(out, "  last entry {}", answer.last)
    })
}

/// A wrong entry.
pub(crate) fn bad_entry(bad: &BadEntry) -> Failure {
    let failure = Failure::refused("audit_entry", bad);
    match bad.problem {
        // An interrupted write leaves this; opening the vault distinguishes it from a removed entry.
        Problem::NoSegment => {
            failure.next("put the file back: the module works without it, but the log is not whole")
        }
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
