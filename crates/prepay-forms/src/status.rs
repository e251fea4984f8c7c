//! Forms for programs: the state at the centre.

use prepay_kmc::entity::FormRecord;
use prepay_kmc::form::SignedForm;

use crate::Document;
use crate::json::record;
use crate::record::{StatusRecord, StepRecord};

/// A form at the centre, with its number and what the centre did with it. `signed` is its document.
pub fn status(form: &FormRecord, signed: SignedForm) -> StatusRecord {
    let steps = form.steps.iter().map(|step| StepRecord {
        state: step.state.code(),
        at: step.at.to_string(),
        by: step.by.to_string(),
        note: step.note.to_string(),
    });
    StatusRecord {
        number: form.number.value(),
        form: form.kind.code(),
        state: form.state.code(),
        customer: form.customer.map(|customer| customer.value()),
        digest: base16ct::upper::encode_string(&form.digest),
        steps: steps.collect(),
        document: record(&Document::Signed(signed)),
    }
}
