//! `prepay kmc enrol`: the enrolments of the centre and of modules.

use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueHint};
use prepay_kmc::entity::ModuleRecord;
use prepay_kmc::store::Filter;
use prepay_kmc_module::CentreModule;
use prepay_kmp::{ModuleEnrolment, ModuleId};

use super::place::{Needs, PlaceFlags};
use super::refusal;
use crate::failure::{Done, Failure};
use crate::file::{self, OutFlags, Output};
use crate::out::{Out, Record};
use crate::people::SureFlags;
use crate::people::ask_line;

/// Commands for enrolments.
#[derive(Subcommand)]
pub(super) enum EnrolCommand {
    /// Write the centre's own enrolment, for modules. Read its fingerprint out by phone or in person.
    Write(OutFlags),
    /// Enrol a module, after its custodians read out the fingerprint. Two custodians.
    Module {
        /// The module's enrolment.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// The fingerprint that the module's custodians read out [default: asks on the terminal].
        #[arg(long, value_name = "DIGITS")]
        fingerprint: Option<String>,
    },
    /// Show a module's enrolment, without storing anything.
    Check {
        /// The module's enrolment.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// List all enrolled modules.
    List,
    /// Revoke a module: the centre no longer answers it. Two custodians.
    Revoke {
        /// The name of the module.
        module: ModuleId,
        #[command(flatten)]
        sure: SureFlags,
    },
}

/// Runs one command.
pub(super) fn run(place: &PlaceFlags, command: &EnrolCommand, out: &Out) -> Done<()> {
    let failed = |error| refusal::command(&error);
    match command {
        EnrolCommand::Write(to) => {
            let to = to.begin()?;
            place.work(out, Needs::Reader, |_, module| write(module, to, out))
        }
        EnrolCommand::Module { file, fingerprint } => {
            let enrolment = read_module(file)?;
            let told = match fingerprint {
                Some(told) => told.clone(),
                None => ask_fingerprint()?,
            };
            place.work(out, Needs::Custodians, |centre, _| {
                let row = centre.enrol_module(&enrolment, &told).map_err(failed)?;
                out.done_with(format_args!("enrolled module {}", row.id), &module_record(&row))
            })
        }
        EnrolCommand::Check { file } => {
            let enrolment = read_module(file)?;
            place.work(out, Needs::Reader, |_, _| {
                let record = Record::new()
                    .text("module", enrolment.party.id())
                    .text("fingerprint", enrolment.party.fingerprint())
                    .text("maker", &enrolment.maker)
                    .text("model", &enrolment.model)
                    .text("firmware", &enrolment.firmware)
                    .text("created", enrolment.created);
                out.record(&record)
            })
        }
        EnrolCommand::List => place.work(out, Needs::Reader, |centre, _| {
            let rows = centre.rows::<ModuleRecord>(Filter::all()).map_err(failed)?;
            out.table("modules", &rows.iter().map(module_record).collect::<Vec<_>>())
        }),
        EnrolCommand::Revoke { module, sure } => {
            sure.ask(format_args!(
                "the centre loses its agreement with module {module}, and never accepts the module's present keys again"
            ))?;
            place.work(out, Needs::Custodians, |centre, _| {
                centre.revoke_module(module).map_err(failed)?;
                let record = Record::new().text("module", module).value("is_revoked", true);
                out.done(
                    format_args!("revoked module {module}: the centre no longer answers it"),
                    &record,
                )
            })
        }
    }
}

/// Reads a module's enrolment.
fn read_module(path: &Path) -> Done<ModuleEnrolment> {
    let text = file::read(path)?;
    prepay_kmp::read_as(text.as_bytes()).map_err(|error| refusal::document(path, error))
}

fn write(module: &dyn CentreModule, to: Output<'_>, out: &Out) -> Done<()> {
    let identity = module.identify().map_err(refusal::module)?;
    let enrolment = module.enrolment().map_err(refusal::module)?;
    let record = Record::new()
        .text("centre", &identity.centre)
        .text("fingerprint", &identity.fingerprint)
        .text("valid_from", identity.activation)
        .text("valid_until", identity.expires);
    let sentence = format!("wrote the enrolment of centre {}", identity.centre);
    to.put(out, &enrolment, &sentence, record)?;
    out.remark("read the fingerprint out to the custodians of each module, by phone or in person; do not send it with the file");
    Ok(())
}

fn ask_fingerprint() -> Done<String> {
    use std::io::IsTerminal;

    if !std::io::stdin().is_terminal() {
        return Err(Failure::not_given("fingerprint of the module").next(
            "call the custodians of the module, and give what they read out with --fingerprint",
        ));
    }
    ask_line("fingerprint that the module's custodians read out: ")
}

/// A module as a list shows it.
pub(super) fn module_record(row: &ModuleRecord) -> Record {
    Record::new()
        .text("module", &row.id)
        .text("fingerprint", &row.fingerprint)
        .text("maker", &row.maker)
        .text("model", &row.model)
        .text("firmware", &row.firmware)
        .text("enrolled", row.enrolled)
        .option("revoked", row.revoked)
}
