//! How a command ends: done, or with one line that names the thing, what was expected and what was found; a stable
//! code for programs; what to do next. The exit status is decided here and nowhere else:
//!
//! | status | ending |
//! |---|---|
//! | 0 | done |
//! | 1 | something broke on the way: storage, a module that does not answer, standard output |
//! | 2 | the command could not run: flags, a file that is not there, a vault or meter in use, a missing secret |
//! | 3 | the standard, a meter, a vault, a document or a centre answered no |
//!
//! With `--json` a failure is one object on standard output, or on standard error if standard output fails: `{"error": {"code", "message", "next"}}`, with
//! `"test": true` when a test vault answered. That holds for flags that cannot be read, too. What to do next is the
//! error's own advice, or that of the [table of codes](prepay_records::explain).

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::process::ExitCode;

use clap::error::ErrorKind;
use prepay_module::ModuleFault;
use prepay_module::software::CustodianError;
use prepay_records::explain::explain;
use prepay_records::{ErrorBody, ErrorRecord, FreeIdentifier, RecordError};
use prepay_session::{ClientError, Refused, ServiceError, SessionError, SessionStop};

use crate::json;
use crate::paint::{QUIET, WRONG, styled};
use crate::people::vault_failure;

/// How a command ends that does not fail.
pub(crate) type Done<T> = Result<T, Failure>;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Everything that was asked for succeeded.
    Done,
    /// Something broke on the way; why was printed. It may not be known what was done.
    Broken,
    /// The command could not run; why was printed.
    Unable,
    /// Something that was asked for was answered with an error.
    Refused,
    /// Nobody reads the answer any more, so there is nothing to print.
    Unread,
}

impl Ending {
    /// The exit status. Whoever reads no further has seen enough, as `head` does; but what a vault did,
    /// somebody `must_hear`.
    pub(crate) fn status(self, must_hear: bool) -> ExitCode {
        match self {
            Self::Done => ExitCode::SUCCESS,
            Self::Unread if !must_hear => ExitCode::SUCCESS,
            Self::Broken | Self::Unread => ExitCode::from(1),
            Self::Unable => ExitCode::from(2),
            Self::Refused => ExitCode::from(3),
        }
    }
}

/// Why a command did not do what it was asked.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    ending: Ending,
    code: &'static str,
    status: Option<Cow<'static, str>>,
    message: String,
    next: Option<Cow<'static, str>>,
    free: Option<Box<FreeIdentifier>>,
}

impl Failure {
    /// Somebody or something answered no.
    pub(crate) fn refused(code: &'static str, message: impl fmt::Display) -> Self {
        Self::new(Ending::Refused, code, message)
    }

    /// The command could not run.
    pub(crate) fn unable(code: &'static str, message: impl fmt::Display) -> Self {
        Self::new(Ending::Unable, code, message)
    }

    /// Something broke on the way.
    pub(crate) fn broken(code: &'static str, message: impl fmt::Display) -> Self {
        Self::new(Ending::Broken, code, message)
    }

    fn new(ending: Ending, code: &'static str, message: impl fmt::Display) -> Self {
        debug_assert!(explain(code).is_some(), "{code} is not in the table of codes");
        Self { ending, code, status: None, message: message.to_string(), next: None, free: None }
    }

    /// The same with what to do next.
    #[must_use]
    pub(crate) fn next(mut self, next: impl Into<Cow<'static, str>>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// The same with another message.
    #[must_use]
    pub(crate) fn reworded(mut self, reword: impl FnOnce(&str) -> String) -> Self {
        self.message = reword(&self.message);
        self
    }

    /// The same with a status code of the standard.
    #[must_use]
    pub(crate) fn status(mut self, status: Option<impl Into<Cow<'static, str>>>) -> Self {
        self.status = status.map(Into::into);
        self
    }

    /// The same with a token identifier to ask for instead.
    #[must_use]
    fn free(mut self, free: Option<Box<FreeIdentifier>>) -> Self {
        self.free = free;
        self
    }

    /// The same for a token that may have been made: it is never unread, and says how to get the answer again.
    #[must_use]
    pub(crate) fn repeated_by(self, command: &str) -> Self {
        match self.ending {
            Ending::Broken | Ending::Unread => {
                let next = format!("get the answer by the same request under its name: {command}");
                Self { ending: Ending::Broken, ..self }.next(next)
            }
            _ => self,
        }
    }

    /// The same with the flags that ask for the free token identifier, if there is one.
    #[must_use]
    pub(crate) fn with_free_flags(self) -> Self {
        let Some(FreeIdentifier { tid, issued_at }) = self.free.as_deref() else { return self };
        let next = format!("if this is another purchase, give --tid {tid} or --at {issued_at}");
        self.next(next)
    }

    /// A file that cannot be used.
    pub(crate) fn file(path: &Path, error: &io::Error) -> Self {
        Self::unable("file", format!("{}: {error}", path.display()))
    }

    /// A flag whose value is wrong.
    pub(crate) fn flag(flag: &str, problem: impl fmt::Display) -> Self {
        Self::unable("flag", format!("{flag}: {problem}"))
    }

    /// A secret, name or fingerprint that was not given, while there is no terminal to ask on.
    pub(crate) fn not_given(what: impl fmt::Display) -> Self {
        let message = format!("the {what} is needed, and there is no terminal to ask for it");
        Self::unable("input_missing", message)
    }

    /// What to do next: the advice of its own, or that of the table.
    fn advice(&self) -> Option<&str> {
        self.next.as_deref().or_else(|| explain(self.code).map(|row| row.next))
    }

    /// The object in the member `error`.
    pub(crate) fn body(&self) -> ErrorBody<'_> {
        let Self { code, message, status, free, .. } = self;
        let (next, status, free) = (self.advice(), status.as_deref(), free.as_deref().cloned());
        ErrorBody { code, message, next, status, free }
    }

    /// Prints the failure and gives the ending that it makes. `test` says that a test vault answered.
    pub(crate) fn print(&self, as_json: bool, test: bool) -> Ending {
        if self.ending == Ending::Unread {
            return Ending::Unread;
        }
        if as_json {
            let record = ErrorRecord { error: self.body() };
            match json::print(&record, test) {
                Ok(()) => return self.ending,
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ending::Unread,
                // Standard output takes nothing; perhaps the same line reaches somebody on standard error.
                Err(_) => {
                    let _ = json::print_to(&mut io::stderr().lock(), &record, test);
                    return self.ending;
                }
            }
        }
        let status = self.status.as_ref().map(|status| format!(" (status {status})"));
        tell!(
            "{} {}{}",
            styled(WRONG, format_args!("{}:", self.code)),
            self.message,
            status.unwrap_or_default()
        );
        if let Some(next) = self.advice() {
            tell!("  {}", styled(QUIET, next));
        }
        self.ending
    }
}

/// Runs a command. A fault of the program itself, whose place Rust prints to standard error, is a failure as well.
pub(crate) fn guarded(run: impl FnOnce() -> Done<Ending>) -> Done<Ending> {
    panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        Err(Failure::broken("internal", "the program failed at the place named on standard error"))
    })
}

/// Answers a command line that cannot be read, or that asks for help. With `--json` the answer has the shape of every
/// failure.
pub(crate) fn unreadable(error: &clap::Error) -> Ending {
    if !error.use_stderr() {
        return match error.print() {
            Ok(()) => Ending::Done,
            Err(error) => Failure::from(error).print(false, false),
        };
    }
    let is_missing = matches!(
        error.kind(),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand
    );
    let flags = std::env::args_os().skip(1).take_while(|word| word != "--");
    if !flags.into_iter().any(|word| word == "--json") {
        // In the form of clap, which points at the word, with the code of every wrong command line in front.
        let text = error.render().ansi().to_string();
        if is_missing {
            tell!("{text}\n{} a command is missing", styled(WRONG, "flag:"));
        } else {
            tell!("{}", text.replacen("error:", "flag:", 1).trim_end());
        }
        return Ending::Unable;
    }
    let text = error.render().to_string();
    let (message, rest) = text.split_once("\n\n").unwrap_or((&text, ""));
    let message = match is_missing {
        true => "a command is missing".to_owned(),
        false => {
            let words = message.trim_start_matches("error: ").split_whitespace();
            words.collect::<Vec<_>>().join(" ")
        }
    };
    let tip = rest.lines().find_map(|line| line.trim_start().strip_prefix("tip: "));
    let failure = Failure::unable("flag", message);
    let failure = tip.map_or(failure.clone(), |tip| failure.next(tip.to_owned()));
    failure.print(true, false)
}

/// A file, or standard input if there is none.
pub(crate) fn to_read(file: Option<&Path>) -> Done<Box<dyn Read + Send>> {
    Ok(match file {
        Some(path) => {
            let file = File::open(path).and_then(|file| match file.metadata()?.is_dir() {
                true => Err(io::ErrorKind::IsADirectory.into()),
                false => Ok(file),
            });
            Box::new(file.map_err(|error| Failure::file(path, &error))?)
        }
        None => Box::new(io::stdin()),
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
            SessionError::Service(
                ServiceError::Vault(error) | ServiceError::Custodians(CustodianError::Vault(error)),
            ) => return vault_failure(&error),
            SessionError::Fault(ModuleFault::Clock { .. } | ModuleFault::Witness { .. }) => {
                Self::refused(error.code(), &error)
            }
            SessionError::Fault(_) => Self::broken(error.code(), &error),
            SessionError::Line(_) | SessionError::Refused(_) | SessionError::Service(_) => {
                Self::refused(error.code(), &error)
            }
        };
        let failure = failure.status(error.status()).free(error.free().map(Box::new));
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

impl From<ClientError> for Failure {
    /// A service refused, or did not answer.
    fn from(error: ClientError) -> Self {
        let refused = match error {
            ClientError::Io(_) | ClientError::NoAnswer { .. } => {
                return Self::broken("no_answer", error)
                    .next("ask whoever runs the service, then repeat the same command");
            }
            ClientError::NotText => return Self::unable("secret", error),
            ClientError::Refused(refused) => refused,
        };
        let Refused { code, message, next, status, free } = refused;
        let Some(row) = explain(&code) else {
            let message = format!("the service refused for an unknown reason {code}: {message}");
            return Self::refused("no_answer", message);
        };
        let failure = match row.code {
            "storage" | "no_answer" | "closed" | "entropy" | "vault_copied" => {
                Self::broken(row.code, message)
            }
            "sign_in_busy" | "too_many_connections" | "too_slow" | "user_refused" => {
                Self::unable(row.code, message)
            }
            _ => Self::refused(row.code, message),
        };
        let failure = failure.status(status).free(free);
        match next {
            Some(next) => failure.next(next),
            None => failure,
        }
    }
}

impl From<io::Error> for Failure {
    /// Standard input or output broke. To whoever reads no further nothing more is said.
    fn from(error: io::Error) -> Self {
        let is_unread = error.kind() == io::ErrorKind::BrokenPipe;
        let failure = Self::broken("io", error);
        if is_unread { Self { ending: Ending::Unread, ..failure } } else { failure }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_the_program_is_a_failure_like_others() {
        let failure = guarded(|| panic!("this is meant")).unwrap_err();
        assert_eq!((failure.ending, failure.code), (Ending::Broken, "internal"));
        assert_eq!(guarded(|| Ok(Ending::Refused)).unwrap(), Ending::Refused);
    }

    #[test]
    fn storage_and_randomness_break_on_the_way_wherever_they_fail() {
        use crate::sealing::{create_failure, open_failure};
        use prepay_vault::{CreateError, OpenError, VaultError};

        let (path, problem) = (Path::new("vault"), "no space left".to_owned());
        for failure in [
            create_failure(path, &CreateError::Storage { problem: problem.clone() }),
            open_failure(path, &OpenError::Storage { problem: problem.clone() }),
            open_failure(path, &OpenError::NoEntropy),
            vault_failure(&VaultError::Broken { problem }),
            vault_failure(&VaultError::NoEntropy),
        ] {
            assert_eq!(failure.ending, Ending::Broken, "{failure:?}");
        }
    }

    #[test]
    fn what_to_do_next_is_the_advice_of_the_error_or_of_the_table() {
        let failure = Failure::unable("in_use", "held");
        let row = explain("in_use").unwrap();
        assert_eq!(failure.body().next, Some(row.next));
        assert_eq!(failure.next("ask Olga").body().next, Some("ask Olga"));
    }
}
