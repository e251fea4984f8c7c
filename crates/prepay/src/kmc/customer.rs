//! `prepay kmc customer`: customers and their signatories.

use std::path::PathBuf;

use clap::{Subcommand, ValueHint};
use prepay_basics::Identifier;
use prepay_kmc::centre::NewCustomer;
use prepay_kmc::entity::{Customer, CustomerNumber, Line, Signatory, SupplyGroup};
use prepay_kmc::store::Filter;

use super::place::{Needs, PlaceFlags};
use super::{refusal, signatory};
use crate::failure::Done;
use crate::out::{Out, Record};
use crate::people::SureFlags;

/// Commands for customers.
#[derive(Subcommand)]
pub(super) enum CustomerCommand {
    /// List all customers.
    List,
    /// Show a customer with its signatories and groups.
    Show {
        /// The number.
        number: CustomerNumber,
    },
    /// Add a customer by hand, without a form. Two custodians.
    Add {
        /// Its full name.
        #[arg(long, value_name = "TEXT")]
        organisation: Line,
        /// Whom to call.
        #[arg(long, value_name = "TEXT")]
        contact: Line,
        /// A telephone number or an e-mail address.
        #[arg(long, value_name = "TEXT")]
        address: Line,
    },
    /// Change a customer's contact and address.
    Contact {
        /// The number.
        number: CustomerNumber,
        /// Whom to call.
        #[arg(long, value_name = "TEXT")]
        contact: Line,
        /// A telephone number or an e-mail address.
        #[arg(long, value_name = "TEXT")]
        address: Line,
    },
    /// List all signatories.
    Signatories,
    /// Register another signatory of a customer, after comparing the fingerprint. Two custodians.
    Signatory {
        /// The customer's number.
        number: CustomerNumber,
        /// The public key, written by `form signatory --public`.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        key: PathBuf,
        /// The fingerprint, as the customer read it out by phone or in person.
        #[arg(long, value_name = "DIGITS")]
        fingerprint: String,
    },
    /// Revoke a signatory. Its authorisations no longer count for later loads.
    RevokeSignatory {
        /// The name.
        name: Identifier,
        #[command(flatten)]
        sure: SureFlags,
    },
}

/// Runs one command.
pub(super) fn run(place: &PlaceFlags, command: &CustomerCommand, out: &Out) -> Done<()> {
    let failed = |error| refusal::command(&error);
    match command {
        CustomerCommand::List => place.work(out, Needs::Reader, |centre, _| {
            let rows = centre.rows::<Customer>(Filter::all()).map_err(failed)?;
            out.table("customers", &rows.iter().map(record).collect::<Vec<_>>())
        }),
        CustomerCommand::Show { number } => place.work(out, Needs::Reader, |centre, _| {
            let row = centre.row::<Customer>(number).map_err(failed)?.row;
            let signatories = centre.rows::<Signatory>(Filter::all()).map_err(failed)?;
            let names = signatories.iter().filter(|signatory| signatory.customer == *number);
            let names: Vec<String> = names.map(|signatory| signatory.name.to_string()).collect();
            let groups = centre.rows::<SupplyGroup>(Filter::all()).map_err(failed)?;
            let codes = groups.iter().filter(|group| group.owner == *number);
            let codes: Vec<String> = codes.map(|group| group.code.to_string()).collect();
            out.record(&record(&row).value("signatories", names).value("groups", codes))
        }),
        CustomerCommand::Add { organisation, contact, address } => {
            let new = NewCustomer {
                organisation: organisation.clone(),
                contact: contact.clone(),
                address: address.clone(),
            };
            place.work(out, Needs::Custodians, |centre, _| {
                let number = centre.add_customer(new).map_err(failed)?;
                let row = centre.row::<Customer>(&number).map_err(failed)?.row;
                out.done(format_args!("added customer {number}"), &record(&row))
            })
        }
        CustomerCommand::Contact { number, contact, address } => {
            place.work(out, Needs::Operator, |centre, _| {
                let (contact, address) = (contact.clone(), address.clone());
                centre.change_contact(*number, contact, address).map_err(failed)?;
                let row = centre.row::<Customer>(number).map_err(failed)?.row;
                out.done(format_args!("changed the contact of customer {number}"), &record(&row))
            })
        }
        CustomerCommand::Signatories => place.work(out, Needs::Reader, |centre, _| {
            let rows = centre.rows::<Signatory>(Filter::all()).map_err(failed)?;
            out.table("signatories", &rows.iter().map(signatory_record).collect::<Vec<_>>())
        }),
        CustomerCommand::Signatory { number, key, fingerprint } => {
            let key = signatory::read_public(key)?;
            place.work(out, Needs::Custodians, |centre, _| {
                centre.register_signatory(*number, &key, fingerprint).map_err(failed)?;
                let row = centre.row::<Signatory>(key.id()).map_err(failed)?.row;
                let sentence = format!("registered signatory {} of customer {number}", row.name);
                out.done(sentence, &signatory_record(&row))
            })
        }
        CustomerCommand::RevokeSignatory { name, sure } => {
            sure.ask(format_args!("{name} signs no more, and what {name} authorised ends"))?;
            place.work(out, Needs::Operator, |centre, _| {
                centre.revoke_signatory(name).map_err(failed)?;
                let row = centre.row::<Signatory>(name).map_err(failed)?.row;
                out.done(format_args!("revoked signatory {name}"), &signatory_record(&row))
            })
        }
    }
}

fn record(row: &Customer) -> Record {
    Record::new()
        .value("customer", row.number.value())
        .text("organisation", &row.organisation)
        .text("contact", &row.contact)
        .text("address", &row.address)
        .text("since", row.created)
        .value("form", row.form.map(|form| form.value()))
}

fn signatory_record(row: &Signatory) -> Record {
    Record::new()
        .text("signatory", &row.name)
        .value("customer", row.customer.value())
        .text("fingerprint", &row.fingerprint)
        .text("since", row.registered)
        .option("revoked", row.revoked)
}
