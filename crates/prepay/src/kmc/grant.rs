//! `prepay kmc authorise`: key-use authorisations.

use clap::{Args, Subcommand};
use prepay_basics::{Identifier, Moment};
use prepay_kmc::centre::{Centre, NewAuthorisation};
use prepay_kmc::entity::{Authorisation, AuthorisationNumber, Line};
use prepay_kmc::form::FingerprintText;
use prepay_kmc::store::Filter;
use prepay_kmp::ModuleId;
use prepay_token::element::SupplyGroupCode;

use super::place::{Needs, PlaceFlags, moment};
use super::refusal;
use super::store::Store;
use crate::failure::Done;
use crate::out::{Out, Record};
use crate::people::SureFlags;

/// Commands for authorisations.
#[derive(Subcommand)]
pub(super) enum GrantCommand {
    /// Grant an authorisation by hand, from a document that a signatory of the owner signed. Two custodians.
    Grant(GrantFlags),
    /// List all authorisations, and whether they are valid now.
    List {
        /// For this module only.
        #[arg(long)]
        module: Option<ModuleId>,
    },
    /// Revoke an authorisation: the module gets no more keys of the group.
    Revoke {
        /// The number.
        number: AuthorisationNumber,
        #[command(flatten)]
        sure: SureFlags,
    },
}

/// An authorisation to grant.
#[derive(Args)]
pub(super) struct GrantFlags {
    /// The supply group, six digits.
    #[arg(long)]
    group: SupplyGroupCode,
    /// The name of the module.
    #[arg(long)]
    module: ModuleId,
    /// The fingerprint of the module's keys, if the document names it. Another module of this name then gets nothing.
    #[arg(long, value_name = "DIGITS", value_parser = fingerprint)]
    module_fingerprint: Option<FingerprintText>,
    /// The owner's signatory who signed it.
    #[arg(long = "by", value_name = "SIGNATORY")]
    granted_by: Identifier,
    /// Until when it is valid, such as 2027-03-01T00:00:00Z.
    #[arg(long = "until", value_name = "TIME", value_parser = moment)]
    valid_until: Moment,
    /// Where the module is.
    #[arg(long, value_name = "TEXT")]
    location: Line,
}

fn fingerprint(text: &str) -> Result<FingerprintText, String> {
    text.parse()
        .map_err(|()| "expected 32 hexadecimal digits in groups of four, upper case".to_owned())
}

/// Runs one command.
pub(super) fn run(place: &PlaceFlags, command: &GrantCommand, out: &Out) -> Done<()> {
    let failed = |error| refusal::command(&error);
    match command {
        GrantCommand::Grant(flags) => place.work(out, Needs::Custodians, |centre, _| {
            let new = NewAuthorisation {
                group: flags.group,
                module: flags.module.clone(),
                module_fingerprint: flags.module_fingerprint.clone(),
                granted_by: flags.granted_by.clone(),
                valid_until: flags.valid_until,
                location: flags.location.clone(),
            };
            let number = centre.grant(new).map_err(failed)?;
            let row = centre.row::<Authorisation>(&number).map_err(failed)?.row;
            out.done(format_args!("granted authorisation {number}"), &record(centre, &row)?)
        }),
        GrantCommand::List { module } => place.work(out, Needs::Reader, |centre, _| {
            let rows = centre
                .rows(module.as_ref().map_or(Filter::all(), Authorisation::of_module))
                .map_err(failed)?;
            let rows: Done<Vec<Record>> = rows.iter().map(|row| record(centre, row)).collect();
            out.table("authorisations", &rows?)
        }),
        GrantCommand::Revoke { number, sure } => {
            sure.ask(format_args!(
                "authorisation {number} ends: its module gets no more keys by it"
            ))?;
            place.work(out, Needs::Operator, |centre, _| {
                centre.revoke_authorisation(*number).map_err(failed)?;
                let row = centre.row::<Authorisation>(number).map_err(failed)?.row;
                out.done(format_args!("revoked authorisation {number}"), &record(centre, &row)?)
            })
        }
    }
}

fn record(centre: &Centre<'_, Store>, row: &Authorisation) -> Done<Record> {
    let why_not = centre.why_not(row).map_err(|error| refusal::command(&error))?;
    Ok(Record::new()
        .value("authorisation", row.number.value())
        .text("group", row.group)
        .text("module", &row.module)
        .option("module_fingerprint", row.module_fingerprint.as_ref())
        .text("by", &row.granted_by)
        .text("until", row.valid_until)
        .text("location", &row.location)
        .value("counts", why_not.is_none())
        .option("why_not", why_not))
}
