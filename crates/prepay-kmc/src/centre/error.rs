//! Why a centre does not do what it is asked.

use std::fmt;

use prepay_basics::{Identifier, Moment};
use prepay_kmc_module::{Authority, CentreError};
use prepay_kmp::{CentreId, ModuleId};
use prepay_token::element::{KeyRevisionNumber, SupplyGroupCode};

use crate::entity::{CustomerNumber, FormNumber, KeyState, LeftOut, VendingKeyId};
use crate::form::{BadTransition, FormState, SignedFormError};
use crate::store::{RowKey, StoreError};

/// Why a centre does not do what it is asked.
///
/// Nothing has changed, except where a command goes through two places and the second failed: then the same
/// command again, or [`finish`](super::Centre::finish), makes up for it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommandError {
    /// The store does not.
    Store(StoreError),
    /// The centre's module does not.
    Module(CentreError),
    /// A signed form is none.
    Form(SignedFormError),
    /// The centre has no row of its own yet: set it up.
    NotSetUp,
    /// The store belongs to another centre than the module.
    OtherCentre {
        /// The centre of the store.
        expected: CentreId,
        /// The centre of the module.
        found: CentreId,
    },
    /// Whoever acts may not do this. Sign in the people whom it needs.
    Forbidden {
        /// What was asked.
        operation: &'static str,
        /// What it needs.
        needs: Authority,
        /// What is there.
        found: Authority,
    },
    /// The row is not there.
    NotThere {
        /// The row.
        row: RowKey,
    },
    /// The row has ended: it is revoked or retired.
    Ended {
        /// The row.
        row: RowKey,
        /// Since when.
        since: Moment,
    },
    /// Every number is given out.
    NumbersUsedUp {
        /// Of what.
        what: &'static str,
    },
    /// A value that does not fit there.
    Value {
        /// Of what.
        what: &'static str,
        /// What it takes.
        expected: String,
        /// What was found.
        found: String,
    },
    /// Somebody else owns the group.
    NotOwner {
        /// The group.
        group: SupplyGroupCode,
        /// Who owns it.
        owner: CustomerNumber,
        /// Who asked.
        found: CustomerNumber,
    },
    /// The group exists already.
    GroupTaken {
        /// The group.
        group: SupplyGroupCode,
    },
    /// Another revision comes next in the group.
    Revision {
        /// The group.
        group: SupplyGroupCode,
        /// The next one.
        expected: KeyRevisionNumber,
        /// The one that was asked for.
        found: KeyRevisionNumber,
    },
    /// A key of this revision is still there. Retire it first.
    RevisionInUse {
        /// The key.
        key: VendingKeyId,
        /// How far it has come.
        state: KeyState,
    },
    /// The vending key is in a state in which this cannot be done.
    KeyState {
        /// The key.
        key: VendingKeyId,
        /// The state that it takes.
        expected: KeyState,
        /// The state that it is in.
        found: KeyState,
    },
    /// The module's check value is not the one in the row. Call the custodians: one of the two was replaced.
    CheckValue {
        /// The key.
        key: VendingKeyId,
        /// That of the row.
        expected: String,
        /// That of the module.
        found: String,
    },
    /// A signatory of this name is registered. The new one needs another name.
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
        /// For whom the signatory signs.
        expected: CustomerNumber,
        /// For whom the form is.
        found: CustomerNumber,
    },
    /// The fingerprint is not the one that was told by another way, or none was told. Call the customer.
    Fingerprint {
        /// Of whom.
        name: Identifier,
        /// What was told; nothing if nothing was.
        expected: Option<String>,
        /// That of the public key.
        found: String,
    },
    /// The same form was received before.
    FormReceived {
        /// Under which number.
        number: FormNumber,
        /// How far it has come.
        state: FormState,
    },
    /// The form is in a state from which this step does not go.
    Transition {
        /// The form.
        number: FormNumber,
        /// The step.
        step: BadTransition,
    },
    /// The request in the form comes from another module than the form says.
    OtherModule {
        /// The module of the form.
        expected: ModuleId,
        /// The module of the request.
        found: ModuleId,
    },
    /// No key may go into the file.
    NothingToLoad {
        /// The module.
        module: ModuleId,
        /// What was left out, and why.
        left_out: Vec<LeftOut>,
    },
    /// The request was answered before, and now something else is asked for. Ask for the same, or let the
    /// module write a new request.
    LoadConflict {
        /// The file of then.
        serial: u64,
        /// What is other.
        what: &'static str,
        /// What it was.
        expected: String,
        /// What is asked for now.
        found: String,
    },
    /// The request was answered before, and the file of then may no longer be handed out. The module has to
    /// write a new request.
    LoadOutdated {
        /// The file of then.
        serial: u64,
        /// What may no longer go into it.
        left_out: LeftOut,
    },
    /// The request was answered before, and a key of the file of then has other terms now. The module has to
    /// write a new request.
    LoadRefreshed {
        /// The file of then.
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
            Self::Ended { row, since } => write!(f, "{row} has ended, since {since}"),
            Self::NumbersUsedUp { what } => write!(f, "all numbers of {what} are given out"),
            Self::Value { what, expected, found } => {
                write!(f, "{what}: expected {expected}, found {found:?}")
            }
            Self::NotOwner { group, owner, found } => {
                write!(f, "group {group} belongs to customer {owner}, not to customer {found}")
            }
            Self::GroupTaken { group } => write!(f, "group {group} is allocated already"),
            Self::Revision { group, expected, found } => {
                write!(f, "next revision of group {group}: expected {expected}, found {found}")
            }
            Self::RevisionInUse { key, state } => {
                write!(
                    f,
                    "the vending key of {key} is still {state}: retire it before its revision comes again"
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
                write!(f, "a signatory is called {name} already: the new one needs another name")
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
                    None => f.write_str("one that was told by another way")?,
                }
                write!(f, ", found {found}")
            }
            Self::FormReceived { number, state } => {
                write!(f, "the same form was received already, as form {number}, which is {state}")
            }
            Self::Transition { number, step } => write!(f, "form {number}: {step}"),
            Self::OtherModule { expected, found } => {
                write!(
                    f,
                    "the request comes from another module: expected {expected}, found {found}"
                )
            }
            Self::NothingToLoad { module, left_out } => {
                write!(f, "no vending key may go to module {module}")?;
                if left_out.is_empty() {
                    return f.write_str(": no authorisation names a group that has one");
                }
                for (index, left_out) in left_out.iter().enumerate() {
                    write!(f, "{} {left_out}", if index == 0 { ":" } else { "," })?;
                }
                Ok(())
            }
            Self::LoadConflict { serial, what, expected, found } => write!(
                f,
                "the request was answered with file {serial}, {what} are other now: expected {expected}, \
                 found {found}"
            ),
            Self::LoadRefreshed { serial, key } => write!(
                f,
                "the request was answered with file {serial}, and EXP, IUT or limits of {key} have \
                 changed since: the module has to write a new request"
            ),
            Self::LoadOutdated { serial, left_out } => write!(
                f,
                "the request was answered with file {serial}, which may not be handed out any more \
                 ({left_out}): the module has to write a new request"
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
        Self::Store(error)
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
