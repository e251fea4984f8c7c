//! Forms at the centre: receive, accept, refuse, list.

use std::path::Path;

use clap::Args;
use prepay_forms::Document;
use prepay_kmc::centre::Decision;
use prepay_kmc::entity::{FormNumber, FormRecord, Line, VendingKeyRecord};
use prepay_kmc::form::{SignedForm, SignedFormError};
use prepay_kmc::store::{Filter, RowKey};
use prepay_token::element::SupplyGroupCode;

use super::answer::put_load;
use super::form_file::read_form;
use super::place::{Needs, PlaceFlags};
use super::{key, refusal};
use crate::failure::{Done, Failure};
use crate::file::OutFlags;
use crate::out::{Out, Record};

/// A form to accept.
#[derive(Args)]
pub(super) struct AcceptFlags {
    /// The number.
    number: FormNumber,
    /// For a new customer: the fingerprint that they read out by phone or in person.
    #[arg(long, value_name = "DIGITS")]
    fingerprint: Option<String>,
    /// For an application: the code to allocate [default: the one asked for, or the lowest free one].
    #[arg(long, value_name = "CODE")]
    group: Option<SupplyGroupCode>,
    /// For a key-load file request: how many more tokens the module may issue.
    #[arg(long, value_name = "NUMBER")]
    transactions: Option<u64>,
    #[command(flatten)]
    to: OutFlags,
}

/// Receives a form.
pub(super) fn receive(place: &PlaceFlags, path: &Path, out: &Out) -> Done<()> {
    let Document::Signed(signed) = read_form(path)? else {
        let message = format!("{}: expected a signed form, found a draft", path.display());
        return Err(Failure::refused("form_state", message)
            .next("have its signatory sign it: prepay kmc form sign"));
    };
    place.work(out, Needs::Operator, |centre, _| {
        let number = centre.receive_form(&signed).map_err(|error| refusal::command(&error))?;
        let row = centre.row::<FormRecord>(&number).map_err(|error| refusal::command(&error))?.row;
        out.done(format_args!("received form {number}: {}", row.kind), &record(&row))
    })
}

/// Accepts a form.
pub(super) fn accept(place: &PlaceFlags, flags: &AcceptFlags, out: &Out) -> Done<()> {
    let to = flags.to.begin()?;
    let decision = Decision {
        fingerprint: flags.fingerprint.clone(),
        group: flags.group,
        transactions: flags.transactions,
    };
    place.work(out, Needs::Operator, |centre, _| {
        let accepted = centre.accept_form(flags.number, &decision);
        let accepted = accepted.map_err(|error| refusal::command(&error))?;
        for row in &accepted.rows {
            if let RowKey::VendingKey(id) = *row {
                let found = centre
                    .row::<VendingKeyRecord>(&id)
                    .map_err(|error| refusal::command(&error))?;
                key::remark(&found.row, out);
            }
        }
        let rows: Vec<String> = accepted.rows.iter().map(ToString::to_string).collect();
        let record = record(&accepted.form).value("did", rows.clone());
        match &accepted.load {
            Some(load) => put_load(to, out, load, record),
            None => {
                let sentence = format!("accepted form {}: {}", flags.number, rows.join(", "));
                out.done(sentence, &record)
            }
        }
    })
}

/// Refuses a form.
pub(super) fn refuse(place: &PlaceFlags, number: FormNumber, reason: &Line, out: &Out) -> Done<()> {
    place.work(out, Needs::Operator, |centre, _| {
        let row = centre.refuse_form(number, reason).map_err(|error| refusal::command(&error))?;
        out.done(format_args!("refused form {number}: {reason}"), &record(&row))
    })
}

/// Lists all forms.
pub(super) fn list(place: &PlaceFlags, out: &Out) -> Done<()> {
    place.work(out, Needs::Reader, |centre, _| {
        let rows =
            centre.rows::<FormRecord>(Filter::all()).map_err(|error| refusal::command(&error))?;
        out.table("forms", &rows.iter().map(record).collect::<Vec<_>>())
    })
}

/// Shows one form.
pub(super) fn show(place: &PlaceFlags, number: FormNumber, out: &Out) -> Done<()> {
    place.work(out, Needs::Reader, |centre, _| {
        let row = centre.row::<FormRecord>(&number).map_err(|error| refusal::command(&error))?.row;
        let signed = read_stored(&row)?;
        if out.is_json() {
            return out.record(&record(&row).object("status", &prepay_forms::status(&row, signed)));
        }
        let fields = signed.form().draft().values();
        let fields: Vec<String> =
            fields.map(|(field, value)| format!("{}={value}", field.name)).collect();
        let steps = row.steps.iter();
        let steps =
            steps.map(|step| format!("{} {} by {} {}", step.at, step.state, step.by, step.note));
        let steps: Vec<String> = steps.map(|step| step.trim_end().to_owned()).collect();
        let record = record(&row)
            .text("signatory", signed.signature().key().name())
            .text("expires", signed.signature().addressee().expires)
            .value("fields", fields)
            .value("steps", steps);
        out.record(&record)
    })
}

/// A form at the centre as a printable page.
pub(super) fn page(place: &PlaceFlags, number: FormNumber, out: &Out) -> Done<String> {
    place.work(out, Needs::Reader, |centre, _| {
        let row = centre.row::<FormRecord>(&number).map_err(|error| refusal::command(&error))?.row;
        let signed = read_stored(&row)?;
        Ok(prepay_forms::page(&Document::Signed(signed), Some(&row)))
    })
}

fn read_stored(row: &FormRecord) -> Done<SignedForm> {
    SignedForm::from_text(&row.document).map_err(|error| {
        Failure::refused(error.code(), format!("form {}: {error}", row.number)).next(match error {
            SignedFormError::Edition => "refuse it if it is only received: prepay kmc form refuse",
            _ => "the stored form is damaged: restore the centre from a back-up",
        })
    })
}

fn record(row: &FormRecord) -> Record {
    let last = row.steps.last();
    Record::new()
        .value("form", row.number.value())
        .text("kind", row.kind)
        .text("state", row.state)
        .value("customer", row.customer.map(|customer| customer.value()))
        .option("since", last.map(|step| step.at))
        .option("by", last.map(|step| &step.by))
        .option("note", last.map(|step| &step.note))
}
