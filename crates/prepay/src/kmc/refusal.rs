//! The refusals of a centre, with what to do next.

use std::path::Path;

use prepay_forms::JsonError;
use prepay_kmc::centre::CommandError;
use prepay_kmc::form::{Faults, UnknownField};
use prepay_kmc::store::StoreError;
use prepay_kmc_module::{Authority, CentreError};
use prepay_kmp::DocumentError;

use crate::failure::Failure;

/// The refusal of a command.
pub(super) fn command(error: &CommandError) -> Failure {
    let failure = match error {
        CommandError::Store(StoreError::Fault { .. })
        | CommandError::Module(CentreError::Fault { .. }) => Failure::broken(error.code(), error),
        _ => Failure::refused(error.code(), error),
    };
    match next(error) {
        Some(next) => failure.next(next),
        None => failure,
    }
}

/// The refusal of the centre's module.
pub(super) fn module(error: CentreError) -> Failure {
    command(&CommandError::Module(error))
}

/// The refusal of a file that should be a document for a centre.
pub(super) fn document(file: &Path, error: DocumentError) -> Failure {
    Failure::refused(error.code(), format!("{}: {error}", file.display()))
}

/// The refusal of a store.
pub(super) fn store(error: StoreError) -> Failure {
    command(&CommandError::Store(error))
}

/// The refusal of a file that should be a form.
pub(super) fn form(file: &Path, error: &JsonError) -> Failure {
    Failure::refused(error.code(), format!("{}: {error}", file.display()))
}

/// A form with faults.
pub(super) fn faults(faults: &Faults) -> Failure {
    Failure::refused("form_faults", faults)
}

/// A field that the form does not have.
pub(super) fn unknown_field(error: &UnknownField) -> Failure {
    Failure::refused("form_field", error)
        .next(format!("list the fields: prepay kmc form kinds {}", error.kind))
}

/// What to do next, where this is more than its code says.
const fn next(error: &CommandError) -> Option<&'static str> {
    Some(match error {
        CommandError::Form(_) => {
            "send the form back to its signatory: prepay kmc form refuse NUMBER --reason …"
        }
        CommandError::OtherCentre { .. } => {
            "vault and centre.db come from different centres: restore both from one back-up"
        }
        CommandError::Fingerprint { expected: None, .. } => {
            "call the customer, have the fingerprint read out, and give it with --fingerprint"
        }
        CommandError::Module(CentreError::OtherCentre { .. }) => {
            "hand it to the centre that it names"
        }
        CommandError::Forbidden { needs, .. }
        | CommandError::Module(CentreError::Forbidden { needs, .. }) => needed(*needs),
        _ => return None,
    })
}

const fn needed(needs: Authority) -> &'static str {
    match needs {
        Authority::DualControl => "this takes two custodians: --custodian A --custodian B",
        Authority::Operating => "this takes an operator, or two custodians: --as NAME",
        Authority::Reading => "this takes somebody of the centre: --as NAME",
    }
}
