//! Why a module refuses what custodians load.
//!
//! A refusal changes nothing.

use std::fmt;

use prepay_token::element::{KeyRevisionNumber, SupplyGroupCode};

use super::slot::SlotState;
use prepay_basics::Moment;
use prepay_kmp::attribute::{KeyCheckValue, RegisterNumber};
use prepay_kmp::{CentreId, DocumentError, Nonce, PartyName};
use prepay_vault::VaultError;

/// Why a document was not loaded, or a request to a centre not written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoadRefusal {
    /// The text is damaged, forged, or of another kind. Get it again.
    Document(DocumentError),
    /// The text is meant for another module.
    OtherModule {
        /// This module.
        expected: PartyName,
        /// The module in the text.
        found: PartyName,
    },
    /// Test modules accept only test centres, and real modules only real ones.
    TestMark {
        /// Whether this is a test module.
        expected: bool,
        /// Whether that is a test centre.
        found: bool,
    },
    /// The module does not know this centre. Enrol it first.
    CentreUnknown {
        /// What the text or the caller names.
        centre: String,
    },
    /// The centre is revoked: the module accepts nothing under its keys.
    CentreRevoked {
        /// The centre.
        centre: PartyName,
    },
    /// A centre of this name is known with other keys. Call it; revoke it if its keys are lost.
    CentreConflict {
        /// What is known.
        expected: PartyName,
        /// What the text says.
        found: PartyName,
    },
    /// The centre's public keys are not in force.
    CentreKey {
        /// From when they are.
        activation: Moment,
        /// Until when.
        expires: Moment,
        /// The time.
        now: Moment,
    },
    /// The text is for another slot than the centre's.
    OtherSlot {
        /// The centre's slot.
        expected: u16,
        /// The slot in the text.
        found: u16,
    },
    /// The slot is not in the state that this takes.
    SlotState {
        /// The slot.
        slot: u16,
        /// What it takes.
        expected: SlotState,
        /// The state of the slot.
        found: SlotState,
    },
    /// Every slot is taken. Revoke a centre that you no longer need.
    SlotsFull {
        /// How many there are.
        most: usize,
    },
    /// The fingerprint is not the one that the centre's custodians read out. Call them; do not continue.
    Fingerprint {
        /// What they told.
        expected: String,
        /// That of the enrolment.
        found: String,
    },
    /// The slot waits for no confirmation.
    NoAgreement {
        /// The slot.
        slot: u16,
    },
    /// The file answers no request that is open: one of another module life, or one too old.
    RequestUnknown {
        /// The request's number.
        nonce: Nonce,
    },
    /// The request was answered already: the file, or another for the same request, was loaded.
    RequestUsed {
        /// The request's number.
        nonce: Nonce,
    },
    /// The request can no longer be answered. Write a new one.
    RequestExpired {
        /// Until when it could be.
        expires: Moment,
        /// The time.
        now: Moment,
    },
    /// The file can no longer be loaded. Write a new request.
    FileExpired {
        /// Until when it could be.
        expires: Moment,
        /// The time.
        now: Moment,
    },
    /// The file is older than the last one that was loaded.
    Serial {
        /// The serial number of the last one.
        last: u64,
        /// That of the file.
        found: u64,
    },
    /// The group and revision hold another key here. One of the two sides is wrong: call the centre.
    KeyConflict {
        /// The supply group.
        group: SupplyGroupCode,
        /// The revision.
        revision: KeyRevisionNumber,
        /// The check value of the key that is held.
        held: KeyCheckValue,
        /// That of the key in the file.
        found: KeyCheckValue,
    },
    /// The same key comes with another value of something that never changes: KT, DKGA, BDT or CLU.
    AttributeConflict {
        /// The supply group.
        group: SupplyGroupCode,
        /// The revision.
        revision: KeyRevisionNumber,
        /// The tag.
        attribute: &'static str,
        /// What is held.
        expected: String,
        /// What the file says.
        found: String,
    },
    /// The key is held already, from another centre that is not revoked.
    CentreOfKey {
        /// The supply group.
        group: SupplyGroupCode,
        /// The revision.
        revision: KeyRevisionNumber,
        /// The centre that it came from.
        expected: CentreId,
        /// The centre of the file.
        found: CentreId,
    },
    /// The register that the file names holds another key, or the key is in another register.
    RegisterConflict {
        /// The register that the file names.
        register: RegisterNumber,
        /// What is wrong.
        problem: String,
    },
    /// No register is free.
    RegistersFull,
    /// The register holds no key.
    Register {
        /// The register.
        register: RegisterNumber,
    },
    /// The module has no transaction counter, so there is nothing to fill; or more than it can count.
    Transactions {
        /// What is wrong.
        problem: &'static str,
    },
}

prepay_basics::codes! {
    LoadRefusal {
        OtherModule = "other_module",
        TestMark = "test_mark",
        CentreUnknown = "centre_unknown",
        CentreRevoked = "centre_revoked",
        CentreConflict = "centre_conflict",
        CentreKey = "centre_key",
        OtherSlot = "other_slot",
        SlotState = "slot_state",
        SlotsFull = "slots_full",
        Fingerprint = "fingerprint",
        NoAgreement = "agreement_unknown",
        RequestUnknown = "request_unknown",
        RequestUsed = "request_used",
        RequestExpired = "request_expired",
        FileExpired = "file_expired",
        Serial = "serial",
        KeyConflict = "key_conflict",
        AttributeConflict = "attribute_conflict",
        CentreOfKey = "centre_of_key",
        RegisterConflict = "register_conflict",
        RegistersFull = "registers_full",
        Register = "register",
        Transactions = "transaction_counter",
    } or { Document }
}

impl From<DocumentError> for LoadRefusal {
    fn from(error: DocumentError) -> Self {
        match error {
            DocumentError::OtherModule { expected, found } => Self::OtherModule { expected, found },
            DocumentError::OtherCentre { expected, found } => {
                Self::CentreConflict { expected, found }
            }
            DocumentError::OtherSlot { expected, found } => {
                Self::OtherSlot { expected: expected.value(), found: found.value() }
            }
            DocumentError::OtherRequest { found, .. } => Self::RequestUnknown { nonce: found },
            error => Self::Document(error),
        }
    }
}

/// Why custodians got no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CustodianError {
    /// The module refuses.
    Refused(LoadRefusal),
    /// The vault did not do it.
    Vault(VaultError),
}

prepay_basics::codes! {
    CustodianError {} or { Refused, Vault }
}

impl From<LoadRefusal> for CustodianError {
    fn from(refusal: LoadRefusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<VaultError> for CustodianError {
    fn from(error: VaultError) -> Self {
        Self::Vault(error)
    }
}

impl From<DocumentError> for CustodianError {
    fn from(error: DocumentError) -> Self {
        Self::Refused(error.into())
    }
}

impl fmt::Display for LoadRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document(error) => error.fmt(f),
            Self::OtherModule { expected, found } => {
                write!(f, "meant for another module: expected {expected}, found {found}")
            }
            Self::TestMark { expected, found } => {
                let kind =
                    |is_test| if is_test { "a test centre" } else { "a centre for real meters" };
                write!(f, "expected {}, found {}", kind(*expected), kind(*found))
            }
            Self::CentreUnknown { centre } => write!(f, "centre {centre} is not known here"),
            Self::CentreRevoked { centre } => write!(f, "centre {centre} is revoked"),
            Self::CentreConflict { expected, found } => {
                write!(f, "a centre with other keys: expected {expected}, found {found}")
            }
            Self::CentreKey { activation, expires, now } => write!(
                f,
                "the centre's public keys are not in force: expected {activation} to {expires}, \
                 found {now}"
            ),
            Self::OtherSlot { expected, found } => {
                write!(f, "meant for another slot: expected {expected}, found {found}")
            }
            Self::SlotState { slot, expected, found } => {
                write!(f, "slot {slot} is not ready: expected {expected}, found {found}")
            }
            Self::SlotsFull { most } => write!(f, "all {most} slots are taken"),
            Self::Fingerprint { expected, found } => {
                write!(f, "the fingerprint is another one: expected {expected}, found {found}")
            }
            Self::NoAgreement { slot } => {
                write!(f, "slot {slot} waits for no confirmation of an agreement")
            }
            Self::RequestUnknown { nonce } => {
                write!(f, "answers no open request: request {nonce} is not known or too old")
            }
            Self::RequestUsed { nonce } => write!(f, "request {nonce} was answered already"),
            Self::RequestExpired { expires, now } => write!(
                f,
                "the request may not be answered any more: expected {expires} or before, found {now}"
            ),
            Self::FileExpired { expires, now } => write!(
                f,
                "the file may not be loaded any more: expected {expires} or before, found {now}"
            ),
            Self::Serial { last, found } => write!(
                f,
                "older than the last file: expected a serial number above {last}, found {found}"
            ),
            Self::KeyConflict { group, revision, held, found } => write!(
                f,
                "group {group} revision {revision} holds another key: expected {held}, found {found}"
            ),
            Self::AttributeConflict { group, revision, attribute, expected, found } => write!(
                f,
                "{attribute} of group {group} revision {revision} never changes: expected \
                 {expected}, found {found}"
            ),
            Self::CentreOfKey { group, revision, expected, found } => write!(
                f,
                "the key of group {group} revision {revision} came from another centre: expected \
                 {expected}, found {found}"
            ),
            Self::RegisterConflict { register, problem } => {
                write!(f, "register {register} cannot take the key: {problem}")
            }
            Self::RegistersFull => f.write_str("no register is free"),
            Self::Register { register } => write!(f, "register {register} holds no key"),
            Self::Transactions { problem } => write!(f, "transaction counter: {problem}"),
        }
    }
}

impl fmt::Display for CustodianError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Vault(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for LoadRefusal {}
impl std::error::Error for CustodianError {}
