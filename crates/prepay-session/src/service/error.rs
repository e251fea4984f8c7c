//! Why a service refuses a line or a connection.

use std::fmt;

use prepay_kmp::DocumentError;
use prepay_module::ModuleFault;
use prepay_module::software::CustodianError;
use prepay_vault::{AccessError, AuditError, QuorumError, SignInError, UserError, VaultError};

use crate::custody;

/// Why a service refuses a line or a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceError {
    /// Nobody has signed in on this connection.
    NotSignedIn,
    /// The sign-in ended, because the client was silent for too long.
    Expired {
        /// For how many seconds it may be silent.
        seconds: u64,
    },
    /// Somebody has signed in on this connection already.
    SignedIn,
    /// Two custodians have to sign in on this connection for this.
    NeedsTwo,
    /// Too many clients wait to be signed in.
    SignInBusy {
        /// How many may wait.
        most: usize,
    },
    /// There are as many connections as the service takes.
    TooManyConnections {
        /// How many.
        most: usize,
    },
    /// The client was silent before it signed in, or within a line.
    TooSlow {
        /// How many seconds it has.
        seconds: u64,
    },
    /// The user of the client may not use this service.
    UserRefused,
    /// The log does not have the entry that was noted.
    Noted {
        /// What is there instead.
        problem: String,
    },
    /// A line is about a text from a centre, and none came before it.
    NoDocument,
    /// A text from a centre is of another kind.
    Misplaced {
        /// What it should be.
        expected: &'static str,
    },
    /// What a key-load file changes was not shown on this connection, or is something else now.
    NotConfirmed,
    /// The person was not signed in.
    SignIn(SignInError),
    /// The people of the module were not changed.
    User(UserError),
    /// A text from a centre cannot be read.
    Document(DocumentError),
    /// The module refused its custodians.
    Custodians(CustodianError),
    /// The module broke, or is locked.
    Fault(ModuleFault),
    /// The person who signed in may not do this.
    Access(AccessError),
    /// Two people cannot act together.
    Quorum(QuorumError),
    /// The audit log cannot be read.
    Audit(AuditError),
    /// The vault refused or failed.
    Vault(VaultError),
}

prepay_basics::codes! {
    ServiceError {
        NotSignedIn = "not_signed_in",
        Expired = "session_ended",
        SignedIn = "signed_in_already",
        NeedsTwo = "custodians",
        SignInBusy = "sign_in_busy",
        TooManyConnections = "too_many_connections",
        TooSlow = "too_slow",
        UserRefused = "user_refused",
        Noted = "audit_noted",
        NoDocument = "missing_field",
        Misplaced = "kind",
        NotConfirmed = "not_confirmed",
    } or { SignIn, User, Document, Custodians, Fault, Access, Quorum, Audit, Vault }
}

impl ServiceError {
    /// What to do next; nothing if the table of codes says it.
    pub(crate) const fn next(&self) -> Option<&'static str> {
        match self {
            Self::NoDocument => Some("send the text in lines of the operation document first"),
            Self::NotConfirmed => Some(
                "send preview, compare its answer with what the centre announced, then send load",
            ),
            Self::User(UserError::TooFewCustodians) => Some("add another custodian first"),
            Self::Custodians(CustodianError::Refused(refusal)) => custody::next(refusal),
            _ => None,
        }
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSignedIn => {
                f.write_str("nobody has signed in on this connection: expected sign_in first")
            }
            Self::Expired { seconds } => {
                write!(f, "the sign-in ended after {seconds} seconds without a request")
            }
            Self::SignedIn => f.write_str(
                "expected one person, or two custodians, on a connection; found one more",
            ),
            Self::NeedsTwo => f.write_str("expected two custodians signed in on this connection"),
            Self::SignInBusy { most } => {
                write!(f, "expected at most {most} clients waiting to be signed in, found more")
            }
            Self::TooManyConnections { most } => {
                write!(f, "expected at most {most} connections, found one more")
            }
            Self::TooSlow { seconds } => write!(
                f,
                "expected a sign-in, or the rest of a line, within {seconds} seconds; found none"
            ),
            Self::UserRefused => f.write_str("the service does not serve this user"),
            Self::Noted { problem } => f.write_str(problem),
            Self::NoDocument => f.write_str("document: expected a text before this line, found none"),
            Self::Misplaced { expected } => {
                write!(f, "document: expected {expected}, found another text")
            }
            Self::NotConfirmed => f.write_str(
                "nothing was loaded: expected preview to show on this connection what the file changes, found no \
                 such answer, or other changes now",
            ),
            Self::SignIn(error) => error.fmt(f),
            Self::User(error) => error.fmt(f),
            Self::Document(error) => error.fmt(f),
            Self::Custodians(error) => error.fmt(f),
            Self::Fault(error) => error.fmt(f),
            Self::Access(error) => error.fmt(f),
            Self::Quorum(error) => error.fmt(f),
            Self::Audit(error) => error.fmt(f),
            Self::Vault(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ServiceError {}
