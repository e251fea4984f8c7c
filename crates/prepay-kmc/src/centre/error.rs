//! Why a centre refused a command.

use std::fmt;

use prepay_basics::{Identifier, Moment};
use prepay_kmc_module::{Authority, CentreError};
use prepay_kmp::{CentreId, ModuleId};
use prepay_token::element::{KeyRevisionNumber, SupplyGroupCode};

use crate::entity::{CustomerNumber, FormNumber, KeyState, LeftOut, VendingKeyId};
use crate::form::{BadTransition, FormState, SignedFormError};
use crate::store::{RowKey, StoreError};

/// Why a centre refused a command, or failed.
///
/// Nothing has changed, unless the command changes both store and module and the second change failed. Then
/// give the command again, or call [`finish`](super::Centre::finish).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommandError {
    /// The store refused or failed.
    Store(StoreError),
    /// The centre's module refused or failed.
    Module(CentreError),
    /// A signed form is invalid.
    Form(SignedFormError),
    /// The store is empty: set up the centre first.
    NotSetUp,
    /// Store and module belong to different centres.
    OtherCentre {
        /// The centre of the store.
        expected: CentreId,
        /// The centre of the module.
        found: CentreId,
    },
    /// The people signed in may not do this. Sign in those who are needed.
    Forbidden {
        /// The operation.
        operation: &'static str,
        /// What it needs.
        needs: Authority,
        /// The authority of those signed in.
        found: Authority,
    },
    /// There is no such row.
    NotThere {
        /// The row.
        row: RowKey,
    },
    /// The row has ended: it is revoked or retired.
    Ended {
        /// The row.
        row: RowKey,
        /// When it ended.
        since: Moment,
    },
    /// All numbers are used.
    NumbersUsedUp {
        /// Of what.
        what: &'static str,
    },
    /// A value is invalid there.
    Value {
        /// Of what.
        what: &'static str,
        /// What it takes.
        expected: String,
        /// What was found.
        found: String,
    },
    /// Someone else owns the group.
    NotOwner {
        /// The group.
        group: SupplyGroupCode,
        /// Who owns it.
        owner: CustomerNumber,
        /// The customer who asked.
        found: CustomerNumber,
    },
    /// The code is already allocated.
    GroupTaken {
        /// The group.
        group: SupplyGroupCode,
    },
    /// The group has a different next revision.
    Revision {
        /// The group.
        group: SupplyGroupCode,
        /// The next revision.
        expected: KeyRevisionNumber,
        /// The revision asked for.
        found: KeyRevisionNumber,
    },
    /// There is still a key of this revision. Retire it first.
    RevisionInUse {
        /// The key.
        key: VendingKeyId,
        /// Its state.
        state: KeyState,
    },
    /// The vending key is in the wrong state for this.
    KeyState {
        /// The key.
        key: VendingKeyId,
        /// The state required.
        expected: KeyState,
        /// The state that it is in.
        found: KeyState,
    },
    /// Module and row have different check values. Call the custodians: a key or a row was replaced.
    CheckValue {
        /// The key.
        key: VendingKeyId,
        /// That of the row.
        expected: String,
        /// That of the module.
        found: String,
    },
    /// There is already a signatory with this name. The new one needs another name.
    SignatoryTaken {
        /// The name.
        name: Identifier,
    },
    /// The signatory is registered with another public key.
    SignatoryKey {
        /// The signatory.
        name: Identifier,
    },
    /// The signatory signs for another customer.
    SignatoryCustomer {
        /// The signatory.
        name: Identifier,
        /// The customer of the signatory.
        expected: CustomerNumber,
        /// The customer of the form.
        found: CustomerNumber,
    },
    /// The fingerprint is not the one that the customer read out, or none was entered. Call the customer.
    Fingerprint {
        /// The signatory.
        name: Identifier,
        /// What was entered, if anything.
        expected: Option<String>,
        /// That of the public key.
        found: String,
    },
    /// The same form was already received.
    FormReceived {
        /// Its number.
        number: FormNumber,
        /// Its state.
        state: FormState,
    },
    /// The form is in the wrong state for this step.
    Transition {
        /// The form.
        number: FormNumber,
        /// The step.
        step: BadTransition,
    },
    /// The form was signed for another centre, or for other keys of this one.
    FormCentre {
        /// This centre and its fingerprint.
        expected: String,
        /// The centre and the fingerprint in the form.
        found: String,
    },
    /// The form was signed for a test centre and this is a real one, or the other way round.
    FormPurpose {
        /// Whether this is a test centre.
        is_test: bool,
    },
    /// The time until which the form may be accepted has passed.
    FormExpired {
        /// Until when.
        expires: Moment,
        /// The time.
        now: Moment,
    },
    /// The module has other keys than the form or the authorisation names.
    ModuleKey {
        /// The module.
        module: ModuleId,
        /// The fingerprint that was named.
        expected: String,
        /// That of the module's keys.
        found: String,
    },
    /// The request in the form does not come from the module that the form names.
    OtherModule {
        /// The module named in the form.
        expected: ModuleId,
        /// The module that wrote the request.
        found: ModuleId,
    },
    /// No key may go into the file.
    NothingToLoad {
        /// The module.
        module: ModuleId,
        /// What was left out, and why.
        left_out: Vec<LeftOut>,
    },
    /// The request was already answered, with other options. Ask for the same, or have the module write a new
    /// request.
    LoadConflict {
        /// The file that answered it.
        serial: u64,
        /// What differs.
        what: &'static str,
        /// What was asked for then.
        expected: String,
        /// What is asked for now.
        found: String,
    },
    /// The request was already answered, with a file that may no longer be sent. Have the module write a new
    /// request.
    LoadOutdated {
        /// The file that answered it.
        serial: u64,
        /// A key that may no longer be sent.
        left_out: LeftOut,
    },
    /// The request was already answered, with a file in which the terms of a key have since changed. Have the
    /// module write a new request.
    LoadRefreshed {
        /// The file that answered it.
        serial: u64,
        /// The key.
        key: VendingKeyId,
    },
}

prepay_basics::codes! {
    CommandError {
        NotSetUp = "not_set_up",
        OtherCentre = "other_centre",
        Forbidden = "forbidden",
        NotThere = "not_there",
        Ended = "ended",
        NumbersUsedUp = "numbers_used_up",
        Value = "value_range",
        NotOwner = "not_owner",
        GroupTaken = "group_taken",
        Revision = "revision",
        RevisionInUse = "revision_in_use",
        KeyState = "key_state",
        CheckValue = "check_value",
        SignatoryTaken = "signatory_taken",
        SignatoryKey = "signatory_key",
        SignatoryCustomer = "signatory_customer",
        Fingerprint = "fingerprint",
        FormReceived = "form_received",
        Transition = "form_state",
        FormCentre = "form_centre",
        FormPurpose = "form_purpose",
        FormExpired = "form_lapsed",
        ModuleKey = "module_key",
        OtherModule = "other_module",
        NothingToLoad = "nothing_to_load",
        LoadConflict = "load_conflict",
        LoadOutdated = "load_outdated",
        LoadRefreshed = "load_refreshed",
    } or { Store, Module, Form }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Module(error) => error.fmt(f),
            Self::Form(error) => error.fmt(f),
            Self::NotSetUp => f.write_str("the centre is not set up yet"),
            Self::OtherCentre { expected, found } => {
                write!(f, "the store belongs to centre {expected}, the module to {found}")
            }
            Self::Forbidden { operation, needs, found } => {
                write!(f, "not allowed to {operation}: expected {needs}, found {found}")
            }
            Self::NotThere { row } => write!(f, "there is no {row}"),
            Self::Ended { row, since } => write!(f, "{row} ended at {since}"),
            Self::NumbersUsedUp { what } => write!(f, "all numbers for {what} are used up"),
            Self::Value { what, expected, found } => {
                write!(f, "{what}: expected {expected}, found {found:?}")
            }
            Self::NotOwner { group, owner, found } => {
                write!(f, "group {group} belongs to customer {owner}, not to customer {found}")
            }
            Self::GroupTaken { group } => write!(f, "group {group} is already allocated"),
            Self::Revision { group, expected, found } => {
                write!(f, "next revision of group {group}: expected {expected}, found {found}")
            }
            Self::RevisionInUse { key, state } => {
                write!(
                    f,
                    "the vending key of {key} is still {state}: its revision is free again when it is retired"
                )
            }
            Self::KeyState { key, expected, found } => {
                write!(f, "vending key of {key}: expected {expected}, found {found}")
            }
            Self::CheckValue { key, expected, found } => {
                write!(
                    f,
                    "check value of the vending key of {key}: expected {expected}, found {found}"
                )
            }
            Self::SignatoryTaken { name } => {
                write!(f, "there is already a signatory {name}: the new one needs another name")
            }
            Self::SignatoryKey { name } => {
                write!(f, "signatory {name} is registered with another public key")
            }
            Self::SignatoryCustomer { name, expected, found } => {
                write!(
                    f,
                    "signatory {name} signs for customer {expected}, not for customer {found}"
                )
            }
            Self::Fingerprint { name, expected, found } => {
                write!(f, "fingerprint of {name}: expected ")?;
                match expected {
                    Some(expected) => write!(f, "{expected}")?,
                    None => f.write_str("one that the customer read out")?,
                }
                write!(f, ", found {found}")
            }
            Self::FormReceived { number, state } => {
                write!(f, "the same form was already received: it is form {number}, {state}")
            }
            Self::Transition { number, step } => write!(f, "form {number}: {step}"),
            Self::FormCentre { expected, found } => {
                write!(
                    f,
                    "the form was signed for another centre: expected {expected}, found {found}"
                )
            }
            Self::FormPurpose { is_test } => {
                let [expected, found] = if *is_test { ["test", "real"] } else { ["real", "test"] };
                write!(
                    f,
                    "the form: expected one for a {expected} centre, found one for a {found} centre"
                )
            }
            Self::FormExpired { expires, now } => {
                write!(
                    f,
                    "the form may no longer be accepted: expected {expires} or before, found {now}"
                )
            }
            Self::ModuleKey { module, expected, found } => {
                write!(f, "fingerprint of module {module}: expected {expected}, found {found}")
            }
            Self::OtherModule { expected, found } => {
                write!(
                    f,
                    "the request in the form: expected one of module {expected}, found one of {found}"
                )
            }
            Self::NothingToLoad { module, left_out } => {
                write!(f, "there is no vending key to load into module {module}")?;
                if left_out.is_empty() {
                    return f.write_str(": no group that it is authorised for has one");
                }
                for (index, left_out) in left_out.iter().enumerate() {
                    write!(f, "{} {left_out}", if index == 0 { ":" } else { "," })?;
                }
                Ok(())
            }
            Self::LoadConflict { serial, what, expected, found } => write!(
                f,
                "the request was already answered, with file {serial}: for {what} expected {expected} as then, \
                 found {found}"
            ),
            Self::LoadRefreshed { serial, key } => write!(
                f,
                "the request was already answered, with file {serial}, and EXP, IUT or limits of {key} have \
                 changed since: have the module write a new request"
            ),
            Self::LoadOutdated { serial, left_out } => write!(
                f,
                "the request was already answered, with file {serial}, which may no longer be sent \
                 ({left_out}): have the module write a new request"
            ),
        }
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.reason)
    }
}

impl std::error::Error for CommandError {}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Module(error) => Self::Module(error),
            error => Self::Store(error),
        }
    }
}

impl From<CentreError> for CommandError {
    fn from(error: CentreError) -> Self {
        Self::Module(error)
    }
}

impl From<SignedFormError> for CommandError {
    fn from(error: SignedFormError) -> Self {
        Self::Form(error)
    }
}
