//! Why the centre's module refused or failed. Nothing has changed then, except that the audit log records the refusal.

use std::fmt;

use prepay_token::element::{DecoderKeyGenerationAlgorithm, KeyRevisionNumber, SupplyGroupCode};

use super::Authority;
use prepay_basics::{Moment, NoEntropy};
use prepay_kmp::{DocumentError, ModuleId};
use prepay_vault::{AccessError, VaultError};

/// Why the centre's module refused or failed. Nothing has changed then.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CentreError {
    /// The people signed in may not do this. Sign in those who are needed.
    Forbidden {
        /// What was asked.
        operation: &'static str,
        /// What it needs.
        needs: Authority,
        /// What is there.
        found: Authority,
    },
    /// The session has ended. Sign in again.
    NotSignedIn {
        /// What was seen.
        problem: String,
    },
    /// A document that is damaged, forged or of another kind, or that would be no document.
    Document(DocumentError),
    /// The text is meant for another centre.
    OtherCentre {
        /// This centre, with the number of its keys.
        expected: String,
        /// The centre in the text.
        found: String,
    },
    /// Test centres accept only test modules, and real centres only real ones.
    TestMark {
        /// Whether this is a test centre.
        expected: bool,
        /// Whether that is a test module.
        found: bool,
    },
    /// The text is for earlier keys of this centre. The module must revoke those, import the centre's new enrolment and
    /// renew its agreements.
    CentreRenewed {
        /// This centre, with the number of its keys.
        expected: String,
        /// The centre in the text, with the number of keys that it had.
        found: String,
        /// When they were renewed.
        since: Moment,
    },
    /// The fingerprint is not the one that the module's custodians read out. Call them.
    Fingerprint {
        /// The module.
        module: ModuleId,
        /// What they told.
        expected: String,
        /// That of the enrolment.
        found: String,
    },
    /// A module of this name is accepted with other keys. Revoke it, and enrol the new one under a new name.
    ModuleConflict {
        /// The module.
        module: ModuleId,
        /// The fingerprint that was accepted.
        accepted: String,
        /// The fingerprint of the enrolment.
        found: String,
    },
    /// No module of this name was accepted.
    ModuleUnknown {
        /// The module.
        module: ModuleId,
    },
    /// The module is revoked.
    ModuleRevoked {
        /// The module.
        module: ModuleId,
        /// Since when.
        since: Moment,
    },
    /// The slot shares no keys with this centre. The module must first request an agreement.
    NoSlot {
        /// The module.
        module: ModuleId,
        /// The slot.
        slot: u16,
    },
    /// The module has asked for a newer agreement on this slot, which was answered: old slot keys do not come
    /// back. The module has to write a new request.
    Superseded {
        /// The module.
        module: ModuleId,
        /// The slot.
        slot: u16,
        /// When the request was written.
        created: Moment,
        /// When the newer one was.
        newer: Moment,
    },
    /// The request was written later than now. Set the module's clock, or the centre's.
    FromFuture {
        /// When it was written.
        created: Moment,
        /// The time.
        now: Moment,
    },
    /// The request can no longer be answered. The module must write a new one.
    RequestLapsed {
        /// Until when it could be answered.
        expires: Moment,
        /// The time.
        now: Moment,
    },
    /// The centre's own public keys are not in force.
    CentreKey {
        /// From when they are.
        activation: Moment,
        /// Until when.
        expires: Moment,
        /// The time.
        now: Moment,
    },
    /// There is no such vending key.
    NoVendingKey {
        /// The supply group.
        group: SupplyGroupCode,
        /// The revision.
        revision: KeyRevisionNumber,
    },
    /// The vending key is for another algorithm.
    AlgorithmConflict {
        /// The supply group.
        group: SupplyGroupCode,
        /// The revision.
        revision: KeyRevisionNumber,
        /// That of the key.
        held: DecoderKeyGenerationAlgorithm,
        /// That of the request.
        asked: DecoderKeyGenerationAlgorithm,
    },
    /// The supply group and revision have another vending key.
    KeyConflict {
        /// The supply group.
        group: SupplyGroupCode,
        /// The revision.
        revision: KeyRevisionNumber,
    },
    /// Dates contradict each other.
    Dates {
        /// What is wrong with them.
        problem: String,
    },
    /// Only test centres can import known keys.
    NotTestCentre,
    /// The centre's clock is far behind the time that it has seen. Set the clock right, or let two custodians accept its
    /// time.
    ClockBehind {
        /// The two times.
        problem: String,
    },
    /// The centre's witness cannot be asked. Bring it back, or let two custodians name another one.
    WitnessMissing {
        /// What is wrong with it.
        problem: String,
    },
    /// A copy of the centre was opened since: this one does nothing more.
    Copied {
        /// What was seen.
        problem: String,
    },
    /// Something failed. Repair it and repeat the request.
    Fault {
        /// What was seen.
        problem: String,
    },
}

prepay_basics::codes! {
    CentreError {
        Forbidden = "forbidden",
        NotSignedIn = "not_signed_in",
        OtherCentre = "other_centre",
        TestMark = "test_mark",
        CentreRenewed = "centre_renewed",
        Fingerprint = "fingerprint",
        ModuleConflict = "module_conflict",
        ModuleUnknown = "module_unknown",
        ModuleRevoked = "module_revoked",
        NoSlot = "no_slot",
        Superseded = "superseded",
        FromFuture = "from_future",
        RequestLapsed = "request_expired",
        CentreKey = "centre_key",
        NoVendingKey = "no_vending_key",
        AlgorithmConflict = "algorithm_conflict",
        KeyConflict = "key_conflict",
        Dates = "dates",
        NotTestCentre = "not_test_centre",
        ClockBehind = "clock_behind",
        WitnessMissing = "witness_missing",
        Copied = "vault_copied",
        Fault = "fault",
    } or { Document }
}

impl CentreError {
    /// Whether the module answered no: neither a fault, nor somebody who is not signed in.
    pub(super) const fn is_refusal(&self) -> bool {
        !matches!(
            self,
            Self::Fault { .. }
                | Self::NotSignedIn { .. }
                | Self::ClockBehind { .. }
                | Self::WitnessMissing { .. }
                | Self::Copied { .. }
        )
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Reading => "an auditor",
            Self::Operating => "one operator or custodian",
            Self::DualControl => "two custodians",
        })
    }
}

impl fmt::Display for CentreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forbidden { operation, needs, found } => {
                write!(f, "not allowed to {operation}: expected {needs}, found {found}")
            }
            Self::NotSignedIn { problem } => f.write_str(problem),
            Self::Document(error) => error.fmt(f),
            Self::OtherCentre { expected, found } => {
                write!(f, "for another centre: expected {expected}, found {found}")
            }
            Self::TestMark { expected, found } => {
                let kind =
                    |is_test| if is_test { "a test module" } else { "a module for real meters" };
                write!(f, "expected {}, found {}", kind(*expected), kind(*found))
            }
            Self::CentreRenewed { expected, found, since } => write!(
                f,
                "for keys that this centre renewed at {since}: expected {expected}, found {found}"
            ),
            Self::Fingerprint { module, expected, found } => {
                write!(f, "fingerprint of module {module}: expected {expected}, found {found}")
            }
            Self::ModuleConflict { module, accepted, found } => write!(
                f,
                "module {module} is accepted with other keys: expected fingerprint {accepted}, \
                 found {found}"
            ),
            Self::ModuleUnknown { module } => write!(f, "module {module} was never accepted"),
            Self::ModuleRevoked { module, since } => {
                write!(f, "module {module} is revoked since {since}")
            }
            Self::NoSlot { module, slot } => {
                write!(f, "slot {slot} of module {module} shares no keys with this centre")
            }
            Self::Superseded { module, slot, created, newer } => write!(
                f,
                "slot {slot} of module {module} has a newer agreement: expected a request written \
                 after {newer}, found {created}"
            ),
            Self::FromFuture { created, now } => {
                write!(f, "written in the future: expected {now} or before, found {created}")
            }
            Self::RequestLapsed { expires, now } => {
                write!(f, "the request has lapsed: expected {expires} or before, found {now}")
            }
            Self::CentreKey { activation, expires, now } => write!(
                f,
                "the centre's own keys are not in force: expected {activation} to {expires}, \
                 found {now}"
            ),
            Self::NoVendingKey { group, revision } => {
                write!(f, "no vending key for group {group} revision {revision}")
            }
            Self::AlgorithmConflict { group, revision, held, asked } => write!(
                f,
                "the vending key of group {group} revision {revision} is for another algorithm: \
                 expected DKGA{held}, found DKGA{asked}"
            ),
            Self::KeyConflict { group, revision } => {
                write!(f, "group {group} revision {revision} has another vending key")
            }
            Self::Dates { problem } => f.write_str(problem),
            Self::NotTestCentre => {
                f.write_str("not a test centre: only a test centre imports keys that others know")
            }
            Self::ClockBehind { problem }
            | Self::WitnessMissing { problem }
            | Self::Copied { problem } => f.write_str(problem),
            Self::Fault { problem } => write!(f, "the centre's module failed: {problem}"),
        }
    }
}

impl From<DocumentError> for CentreError {
    fn from(error: DocumentError) -> Self {
        Self::Document(error)
    }
}

impl From<AccessError> for CentreError {
    fn from(error: AccessError) -> Self {
        Self::NotSignedIn { problem: error.to_string() }
    }
}

impl From<VaultError> for CentreError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Access(error) => error.into(),
            VaultError::ClockBehind { .. } => Self::ClockBehind { problem: error.to_string() },
            VaultError::WitnessMissing { .. } => {
                Self::WitnessMissing { problem: error.to_string() }
            }
            VaultError::Copied { .. } => Self::Copied { problem: error.to_string() },
            error => Self::Fault { problem: error.to_string() },
        }
    }
}

impl From<NoEntropy> for CentreError {
    fn from(error: NoEntropy) -> Self {
        Self::Fault { problem: error.to_string() }
    }
}

impl std::error::Error for CentreError {}
