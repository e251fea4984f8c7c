//! `witness`: a file elsewhere that says how far the vault's audit log had come.

use std::path::{Path, PathBuf, absolute};

use clap::{Args, Subcommand, ValueHint};
use prepay_vault::{Contents, RestoredLimits, SharedVault, WitnessError, WitnessReport};

use super::{Installation, Needs};
use crate::failure::{Done, Failure};
use crate::out::{Out, Record};
use crate::people::{SureFlags, vault_failure};

/// What to do with the witness.
#[derive(Subcommand)]
pub(crate) enum WitnessCommand {
    /// Give the vault a witness, or another one: a new file on another disk or a mounted share. Two custodians.
    Set {
        /// The file to make. Its directory must exist.
        #[arg(value_name = "PATH", value_hint = ValueHint::FilePath)]
        path: PathBuf,
        #[command(flatten)]
        limits: LimitFlags,
    },
    /// Let the vault go on without a witness. Two custodians.
    Remove {
        #[command(flatten)]
        limits: LimitFlags,
        #[command(flatten)]
        sure: SureFlags,
    },
    /// Show where the witness is and the last entry that it has.
    Show,
}

/// What to do with the limits if the witness before cannot be asked.
#[derive(Args)]
pub(crate) struct LimitFlags {
    /// If the witness before cannot be asked: accept the limits as they are found, though an older copy of the vault may
    /// have been put back. Otherwise a module then issues nothing under a key until it is loaded again.
    #[arg(long)]
    accept_limits: bool,
}

impl LimitFlags {
    const fn limits(&self) -> RestoredLimits {
        if self.accept_limits { RestoredLimits::Accepted } else { RestoredLimits::Stopped }
    }
}

/// Runs one command.
pub(crate) fn run(site: &impl Installation, command: &WitnessCommand, out: &Out) -> Done<()> {
    match command {
        WitnessCommand::Set { path, limits } => {
            let place = place_of(path, site.dir()?)?;
            site.with_vault(out, Needs::Custodians, |vault| {
                let by = site.flags().two(vault)?;
                let uncertain = vault
                    .set_witness(&by, &place, limits.limits())
                    .map_err(|error| witness_failure(&error))?;
                let record = Record::new().text("witness", &place).value("uncertain", uncertain);
                out.done(format_args!("the witness is {place}"), &record)?;
                out.remark("keep it where whoever can write the vault's directory cannot put an older one back");
                remark_uncertain(uncertain, limits, out);
                Ok(())
            })
        }
        WitnessCommand::Remove { limits, sure } => {
            sure.ask(format_args!(
                "older copies of the {} can be put back, and nobody sees it",
                site.what()
            ))?;
            site.with_vault(out, Needs::Custodians, |vault| {
                let by = site.flags().two(vault)?;
                let uncertain = vault
                    .remove_witness(&by, limits.limits())
                    .map_err(|error| witness_failure(&error))?;
                let record =
                    Record::new().option("witness", None::<&str>).value("uncertain", uncertain);
                out.done("the vault has no witness any more", &record)?;
                remark_uncertain(uncertain, limits, out);
                Ok(())
            })
        }
        WitnessCommand::Show => site.with_vault(out, Needs::Reader, |vault| {
            let by = site.flags().actor(vault, Needs::Reader)?;
            let report = vault.witness(by.by()).map_err(|error| vault_failure(&error))?;
            let Some(WitnessReport { place, last }) = report else {
                let record = Record::new().option("witness", None::<&str>);
                return out.done("the vault has no witness", &record);
            };
            let record = Record::new()
                .text("witness", &place)
                .option("last", last.as_ref().ok())
                .option("problem", last.as_ref().err());
            match last {
                Ok(last) => out
                    .done(format_args!("the witness {place} has entry {}", last.sequence), &record),
                Err(problem) => out
                    .done(format_args!("the witness {place} cannot be asked: {problem}"), &record),
            }
        }),
    }
}

/// Reminds those who restored a vault that it has no witness.
pub(crate) fn remark_restored(out: &Out) {
    out.remark("it has no witness; if the vault had one, name another: witness set PATH");
}

/// Refuses a vault that does not have the witness that was named, if one was: an older copy may name none, or another.
pub(crate) fn require(vault: &SharedVault<impl Contents>, path: Option<&Path>) -> Done<()> {
    let Some(path) = path else { return Ok(()) };
    let real = |path: &Path| {
        let (above, name) = (path.parent()?.canonicalize().ok()?, path.file_name()?);
        Some(above.join(name))
    };
    let found = vault.with(|vault| vault.witness()).map_err(|error| vault_failure(&error))?;
    let found = found.map(|report| report.place);
    let expected = absolute(path)?;
    let is_it = found.as_ref().map(Path::new).is_some_and(|found| {
        *found == expected || real(found).is_some_and(|found| Some(found) == real(&expected))
    });
    if is_it {
        return Ok(());
    }
    vault.lock();
    let found = found.unwrap_or_else(|| "none".to_owned());
    let message = format!("witness of the vault: expected {}, found {found}", path.display());
    Err(Failure::refused("witness_missing", message).next(
        "an older copy may have been put back: use the newest one; if this is the newest, correct --witness or leave it out",
    ))
}

/// What it means that the witness before could not be asked.
fn remark_uncertain(uncertain: bool, limits: &LimitFlags, out: &Out) {
    if uncertain {
        out.remark(
            "the witness before could not be asked: nobody can know whether an older copy of the vault was put back",
        );
        if !limits.accept_limits {
            out.remark("so a module issues nothing under a key until the key is loaded again");
        }
    }
}

/// The place of a file, which must not be in the vault's own directory.
fn place_of(path: &Path, dir: &Path) -> Done<String> {
    let refuse = |problem: &str| {
        let message = format!("place of the witness {}: {problem}", path.display());
        Failure::refused("witness_place", message)
    };
    let whole = absolute(path).map_err(|error| refuse(&error.to_string()))?;
    let (Some(above), Some(name)) = (whole.parent(), whole.file_name()) else {
        return Err(refuse("expected the path of a file"));
    };
    let real = |path: &Path| path.canonicalize();
    let above =
        real(above).map_err(|error| refuse(&format!("expected an existing directory: {error}")))?;
    if real(dir).is_ok_and(|dir| above.starts_with(dir)) {
        return Err(refuse("expected a place outside the vault's directory, found one in it"));
    }
    let place = above.join(name).into_os_string().into_string();
    place.map_err(|_| refuse("expected a path in UTF-8"))
}

/// Why the witness was not changed.
fn witness_failure(error: &WitnessError) -> Failure {
    match error {
        WitnessError::Vault(error) => vault_failure(error),
        _ => Failure::refused(error.code(), error),
    }
}
