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
    let failure = Failure::refused(error.code(), format!("{}: {error}", file.display()));
    match next_of_module(&error.into()) {
        Some(next) => failure.next(next),
        None => failure,
    }
}

/// The refusal of a store.
pub(super) fn store(error: StoreError) -> Failure {
    command(&CommandError::Store(error))
}

/// The refusal of a file that should be a form.
pub(super) fn form(file: &Path, error: &JsonError) -> Failure {
    let failure = Failure::refused(error.code(), format!("{}: {error}", file.display()));
    match error {
        JsonError::Form(prepay_kmc::form::SignedFormError::Signature)
        | JsonError::NotCanonical { .. } => {
            failure.next("ask the signatory for the signed file; nothing in it may change")
        }
        _ => failure.next("check the form: prepay kmc form check, or ask who wrote it"),
    }
}

/// A form with faults.
pub(super) fn faults(faults: &Faults) -> Failure {
    Failure::refused("form_faults", faults)
        .next("correct these fields: prepay kmc form new … --set FIELD=VALUE")
}

/// A field that the form does not have.
pub(super) fn unknown_field(error: &UnknownField) -> Failure {
    Failure::refused("form_field", error)
        .next(format!("list the fields with prepay kmc form kinds {}", error.kind))
}

/// What to do next.
fn next(error: &CommandError) -> Option<&'static str> {
    Some(match error {
        CommandError::Store(error) => return next_of_store(error),
        CommandError::Module(error) => return next_of_module(error),
        CommandError::Form(_) => {
            "send the form back to its signatory: prepay kmc form refuse NUMBER --reason …"
        }
        CommandError::NotSetUp => "the store is empty: restore vault and centre.db from a back-up",
        CommandError::OtherCentre { .. } => {
            "vault and centre.db come from different centres: restore both from one back-up"
        }
        CommandError::Forbidden { needs, .. } => needed(*needs),
        CommandError::NotThere { .. } => "check the name or number against the list",
        CommandError::Ended { .. } => "this cannot be undone: add it again under another name",
        CommandError::NumbersUsedUp { .. } => return None,
        CommandError::Value { .. } => "give another value",
        CommandError::NotOwner { .. } => "only the owner can sign for a group",
        CommandError::GroupTaken { .. } => {
            "choose another code, or leave it out for the lowest free one"
        }
        CommandError::Revision { .. } => "leave the revision out for the next one",
        CommandError::RevisionInUse { .. } => "retire the old key: prepay kmc key retire",
        CommandError::KeyState { .. } => "look at the key: prepay kmc key list",
        CommandError::CheckValue { .. } => {
            "stop, and compare vault and centre.db with their back-ups: one was replaced"
        }
        CommandError::SignatoryTaken { .. } => "have the signatory make a key with another name",
        CommandError::SignatoryKey { .. } => {
            "call the customer: someone else may be using this name"
        }
        CommandError::SignatoryCustomer { .. } => "check the customer number in the form",
        CommandError::Fingerprint { expected: None, .. } => {
            "call the customer, have the fingerprint read out, and give it with --fingerprint"
        }
        CommandError::Fingerprint { .. } => {
            "do not accept: call the customer and compare the fingerprint again"
        }
        CommandError::FormReceived { .. } => "continue with that number",
        CommandError::Transition { .. } => "look at the form: prepay kmc form show NUMBER",
        CommandError::OtherModule { .. } => "have the named module write the request",
        CommandError::NothingToLoad { .. } => {
            "accept a key-use authorisation for this module, or make a key for its group"
        }
        CommandError::LoadConflict { .. } => {
            "give the same --group and --transactions as then, or have the module write a new request"
        }
        CommandError::LoadOutdated { .. } | CommandError::LoadRefreshed { .. } => {
            "have the module write a new request: prepay module request"
        }
        _ => return None,
    })
}

fn next_of_store(error: &StoreError) -> Option<&'static str> {
    Some(match error {
        StoreError::Conflict { .. } => "run the command again",
        StoreError::Damaged { .. } => "stop, and restore vault and centre.db from a back-up",
        StoreError::Fault { .. } => "mend the disk, then run the command again",
        _ => "check what is there, then run the command again",
    })
}

fn next_of_module(error: &CentreError) -> Option<&'static str> {
    Some(match error {
        CentreError::Forbidden { needs, .. } => needed(*needs),
        CentreError::Document(_) => {
            "the text is damaged, forged or of another kind: let its writer send it again"
        }
        CentreError::OtherCentre { .. } => "hand it to the centre that it names",
        CentreError::CentreRenewed { .. } => {
            "the module revokes the old keys, takes in the new enrolment and agrees afresh: prepay kmc \
             enrol write"
        }
        CentreError::CentreKey { .. } => {
            "set the clock right, or renew the centre's keys: prepay kmc renew"
        }
        CentreError::Fingerprint { .. } => {
            "do not enrol: call the keepers of the module and compare the fingerprint again"
        }
        CentreError::ModuleConflict { .. } => {
            "revoke the old module, and enrol the new one by a new name"
        }
        CentreError::ModuleUnknown { .. } => "enrol the module first: prepay kmc enrol module",
        CentreError::ModuleRevoked { .. } => {
            "a revoked module stays so; make a new one under another name"
        }
        CentreError::NoSlot { .. } => "answer the module's agreement request first",
        CentreError::RequestLapsed { .. } => {
            "have the module write a new request: prepay module request"
        }
        CentreError::NoVendingKey { .. } => "make the key first: prepay kmc key generate",
        CentreError::KeyConflict { .. } => "another key has this revision: choose another one",
        CentreError::NotTestCentre => {
            "known keys go into test centres only: prepay kmc init --test"
        }
        CentreError::Fault { .. } => "run the command again",
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
