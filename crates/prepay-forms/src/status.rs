//! Forms for programs: the state at the centre, the fields of a form, faults.

use prepay_kmc::entity::FormRecord;
use prepay_kmc::form::{Fault, FormKind, Presence, Schema, SignedForm, SignedFormError};

use crate::Document;
use crate::json::{record, text};
use crate::record::{FaultRecord, FieldRecord, SchemaRecord, StatusRecord, StepRecord};

/// A form at the centre, with its number and what the centre did with it.
///
/// # Errors
///
/// [`SignedFormError`] when the stored document is damaged.
pub fn status(form: &FormRecord) -> Result<String, SignedFormError> {
    let steps = form.steps.iter().map(|step| StepRecord {
        state: step.state.code(),
        at: step.at.to_string(),
        by: step.by.to_string(),
        note: step.note.to_string(),
    });
    Ok(text(&StatusRecord {
        number: form.number.value(),
        form: form.kind.code(),
        state: form.state.code(),
        customer: form.customer.map(|customer| customer.value()),
        digest: base16ct::upper::encode_string(&form.digest),
        steps: steps.collect(),
        document: record(&Document::Signed(SignedForm::from_text(&form.document)?)),
    }))
}

/// What a form asks for, field by field.
pub fn schema(kind: FormKind) -> String {
    let Schema { title, purpose, fields, .. } = *Schema::of(kind);
    let fields = fields.iter().map(|field| FieldRecord {
        name: field.name,
        title: field.title,
        required: field.presence == Presence::Required,
        otherwise: match field.presence {
            Presence::Required => None,
            Presence::Optional(otherwise) => Some(otherwise),
        },
        expected: field.expected,
        help: field.help,
    });
    text(&SchemaRecord { form: kind.code(), title, purpose, fields: fields.collect() })
}

/// The faults of a form.
pub fn faults(faults: &[Fault]) -> String {
    let records = faults.iter().map(|Fault { field, expected, found }| FaultRecord {
        field,
        expected,
        found: found.as_deref(),
    });
    text(&records.collect::<Vec<_>>())
}
