//! What a command of a vault says when it does not do what it was asked: one line that names the thing, what
//! was expected and what was found; a stable code for programs; what to do next.
//!
//! - Exit: 3 when the vault, a document or a person's secret answered no; 2 when the question could not be put:
//!   a file that is not there, a vault in use, a secret that nobody gave; or when nobody reads the answer.
//! - With `--json` the failure is one object on standard output: `{"error": {"code", "message", "next"}}`,
//!   with `"test": true` when a test vault answered.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use prepay_records::RecordError;
use prepay_session::{SessionError, SessionStop};
use serde_json::{Value, json};

use crate::Ending;
use crate::paint::{QUIET, WRONG, styled};

/// How a command ends that does not fail.
pub(crate) type Done<T> = Result<T, Failure>;

/// Why a command did not do what it was asked.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    ending: Ending,
    code: Cow<'static, str>,
    status: Option<&'static str>,
    message: String,
    next: Option<Cow<'static, str>>,
}

impl Failure {
    /// Somebody or something answered no.
    pub(crate) fn refused(code: impl Into<Cow<'static, str>>, message: impl fmt::Display) -> Self {
        Self::new(Ending::Refused, code, message)
    }

    /// The question could not be put.
    pub(crate) fn unable(code: impl Into<Cow<'static, str>>, message: impl fmt::Display) -> Self {
        Self::new(Ending::Unable, code, message)
    }

    fn new(ending: Ending, code: impl Into<Cow<'static, str>>, message: impl fmt::Display) -> Self {
        Self { ending, code: code.into(), status: None, message: message.to_string(), next: None }
    }

    /// The same with what to do next.
    #[must_use]
    pub(crate) fn next(mut self, next: impl Into<Cow<'static, str>>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// The same with a status code of the standard.
    #[must_use]
    pub(crate) fn status(mut self, status: Option<&'static str>) -> Self {
        self.status = status;
        self
    }

    /// A file that cannot be used.
    pub(crate) fn file(path: &Path, error: &io::Error) -> Self {
        Self::unable("file", format!("{}: {error}", path.display()))
    }

    /// A flag whose value is wrong.
    pub(crate) fn flag(flag: &str, problem: impl fmt::Display) -> Self {
        Self::unable("flag", format!("{flag}: {problem}"))
    }

    /// The object in the member `error`.
    pub(crate) fn to_json(&self) -> Value {
        let mut error = json!({"code": self.code, "message": self.message});
        if let Some(status) = self.status {
            error["status"] = status.into();
        }
        if let Some(next) = &self.next {
            error["next"] = next.as_ref().into();
        }
        error
    }

    /// Prints the failure and gives the ending that it makes. `test` says that a test vault answered.
    pub(crate) fn print(&self, json: bool, test: bool) -> io::Result<Ending> {
        if self.ending == Ending::Unread {
            return Ok(Ending::Unread);
        }
        if json {
            let mut object = json!({"error": self.to_json()});
            if test {
                object["test"] = true.into();
            }
            crate::lab::print::json(&object)?;
        } else {
            let status = self.status.map(|status| format!(" (status {status})"));
            anstream::eprintln!(
                "{} {}{}",
                styled(WRONG, format_args!("{}:", self.code)),
                self.message,
                status.unwrap_or_default()
            );
            if let Some(next) = &self.next {
                anstream::eprintln!("  {}", styled(QUIET, next));
            }
        }
        Ok(self.ending)
    }
}

/// A file, or standard input if there is none.
pub(crate) fn to_read(file: Option<&Path>) -> Done<Box<dyn Read>> {
    Ok(match file {
        Some(path) => Box::new(File::open(path).map_err(|error| Failure::file(path, &error))?),
        None => Box::new(io::stdin().lock()),
    })
}

impl From<RecordError> for Failure {
    /// A record or a flag that cannot be read.
    fn from(error: RecordError) -> Self {
        Self::refused(error.code.text(), error.message)
    }
}

impl From<SessionError> for Failure {
    /// A request that is none, that the module refuses, or at which it broke.
    fn from(error: SessionError) -> Self {
        let failure = match error {
            SessionError::Fault(_) => Self::unable(error.code(), &error),
            SessionError::Line(_) | SessionError::Refused(_) => Self::refused(error.code(), &error),
        };
        let failure = failure.status(error.status());
        match error.next() {
            Some(next) => failure.next(next),
            None => failure,
        }
    }
}

impl From<SessionStop> for Failure {
    fn from(stop: SessionStop) -> Self {
        match stop {
            SessionStop::Io(error) => error.into(),
            SessionStop::Fault(fault) => SessionError::from(fault).into(),
        }
    }
}

impl From<io::Error> for Failure {
    /// Standard input or output broke. To whoever reads no further nothing more is said.
    fn from(error: io::Error) -> Self {
        let is_unread = error.kind() == io::ErrorKind::BrokenPipe;
        let failure = Self::unable("io", error);
        if is_unread { Self { ending: Ending::Unread, ..failure } } else { failure }
    }
}
