//! The verification of the whole audit log while the service runs.
//!
//! Opening a module reads the end of its log only, so a change further back is found by whoever verifies all of it. The
//! service does so again and again, slowly: it leaves the module to its clients for most of the time.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prepay_basics::Moment;
use prepay_module::ModuleFault;
use prepay_module::software::SoftwareModule;
use prepay_vault::{AuditError, AuditReport};
use serde::{Deserialize, Serialize};

use crate::answer::{StatusAnswer, as_text, of_text};

/// What a service found when it last verified the whole audit log.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct LogCheck {
    /// When it came to the end.
    #[serde(serialize_with = "as_text", deserialize_with = "of_text")]
    pub at: Moment,
    /// How many entries are right, from the first one.
    pub entries: u64,
    /// What is wrong after them; nothing if the whole log is right.
    pub problem: Option<String>,
}

/// The last verification.
#[derive(Default)]
pub(super) struct LastCheck(Mutex<Option<LogCheck>>);

impl LastCheck {
    fn last(&self) -> MutexGuard<'_, Option<LogCheck>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Verifies the log. Nothing if `rest` said not to go on.
    pub(super) fn verify(
        &self,
        module: &SoftwareModule,
        rest: &dyn Fn(Duration) -> bool,
    ) -> Result<Option<LogCheck>, ModuleFault> {
        let (entries, problem) = match module.vault().verify_slowly(rest) {
            Ok(None) => return Ok(None),
            Ok(Some(AuditReport { entries, first_bad, .. })) => {
                (entries, first_bad.map(|bad| bad.to_string()))
            }
            Err(AuditError::Vault(error)) => return Err(error.into()),
            Err(error) => (0, Some(error.to_string())),
        };
        Ok(Some(self.found(module, entries, problem)))
    }

    /// Keeps what was found.
    pub(super) fn found(
        &self,
        module: &SoftwareModule,
        entries: u64,
        problem: Option<String>,
    ) -> LogCheck {
        let check = LogCheck { at: module.vault().now(), entries, problem };
        *self.last() = Some(check.clone());
        check
    }

    /// Adds what was found to the state of the module.
    pub(super) fn add_to(&self, mut status: StatusAnswer) -> StatusAnswer {
        status.verified.clone_from(&self.last());
        if let Some(LogCheck { problem: Some(problem), .. }) = &status.verified {
            status.alerts.insert(0, format!("the audit log did not verify: {problem}"));
        }
        status
    }
}

impl fmt::Display for LogCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problem {
            None => write!(f, "{} entries, all right", self.entries),
            Some(problem) => write!(f, "{} entries right, then: {problem}", self.entries),
        }
    }
}
