//! Why a line is not answered: it cannot be read, the module refuses, or something broke.
//!
//! - A field with a wrong value gets the code and the status that a module has for it.

use std::fmt;

use prepay_module::{ModuleError, ModuleFault, Refusal};
use prepay_records::explain::explain;
use prepay_records::time::Printed;
use prepay_records::{ErrorBody, ErrorRecord, FreeIdentifier, RecordCode, RecordError};
use serde::{Serialize, Serializer};

use crate::service::ServiceError;

/// Why a request has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionError {
    /// It is not a request: `bad_json`, `missing_field` or `unknown_field`.
    Line(RecordError),
    /// The module refuses, or would refuse.
    Refused(Refusal),
    /// Something broke. Repeat the same request under the same name.
    Fault(ModuleFault),
    /// The service refuses.
    Service(ServiceError),
}

prepay_basics::codes! {
    SessionError {} or { Line, Refused, Fault, Service }
}

impl SessionError {
    /// The status of STS 600-8-6, where the error has one.
    pub fn status(&self) -> Option<&'static str> {
        match self {
            Self::Refused(refusal) => refusal.status(),
            Self::Line(_) | Self::Fault(_) | Self::Service(_) => None,
        }
    }

    /// The token identifier to ask for instead of one that was used.
    pub fn free(&self) -> Option<FreeIdentifier> {
        match self {
            Self::Refused(Refusal::IdentifierUsed { next: Some((next, minute)), .. }) => {
                let issued_at = Printed(minute.minute()).to_string();
                Some(FreeIdentifier { tid: next.value(), issued_at })
            }
            _ => None,
        }
    }

    /// What to do next.
    pub fn next(&self) -> Option<&'static str> {
        match self {
            Self::Service(error) => {
                error.next().or_else(|| explain(error.code()).map(|row| row.next))
            }
            Self::Line(_)
            | Self::Refused(_)
            | Self::Fault(
                ModuleFault::Clock { .. }
                | ModuleFault::Witness { .. }
                | ModuleFault::Copied { .. },
            ) => explain(self.code()).map(|row| row.next),
            Self::Fault(_) => Some("repeat the same request, under the same name"),
        }
    }

    /// A value that its field does not take.
    pub(crate) fn parameter(problem: impl Into<String>) -> Self {
        Self::Refused(Refusal::Parameter { problem: problem.into() })
    }
}

impl From<RecordError> for SessionError {
    fn from(error: RecordError) -> Self {
        match error.code {
            RecordCode::BadJson | RecordCode::MissingField | RecordCode::UnknownField => {
                Self::Line(error)
            }
            RecordCode::PanFormat | RecordCode::PanCheckDigit | RecordCode::DrnCheckDigit => {
                Self::Refused(Refusal::Pan { problem: error.message })
            }
            _ => Self::parameter(error.message),
        }
    }
}

impl From<ModuleFault> for SessionError {
    fn from(fault: ModuleFault) -> Self {
        Self::Fault(fault)
    }
}

impl From<ServiceError> for SessionError {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Fault(fault) => Self::Fault(fault),
            error => Self::Service(error),
        }
    }
}

impl From<Refusal> for SessionError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<ModuleError> for SessionError {
    fn from(error: ModuleError) -> Self {
        match error {
            ModuleError::Refused(refusal) => Self::Refused(refusal),
            ModuleError::Fault(fault) => Self::Fault(fault),
        }
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(error) => f.write_str(&error.message),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Fault(fault) => fault.fmt(f),
            Self::Service(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SessionError {}

impl Serialize for SessionError {
    /// The object with the member `error`, as every door answers it.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let message = self.to_string();
        let error = ErrorBody {
            code: self.code(),
            message: &message,
            next: self.next(),
            status: self.status(),
            free: self.free(),
        };
        ErrorRecord { error }.serialize(serializer)
    }
}
