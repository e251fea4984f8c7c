//! A service: one open module, and many clients that sign in, each on a connection of its own.
//!
//! ```text
//!  connection ── LineReader ── AnyLine ──┬── Person: who is signed in ──┐
//!                                        └── Session: issue, ask  ──────┼── SoftwareModule
//!  connection ── ...                                                    ┘
//! ```
//!
//! - A thread for each connection calls [`Service::answer`]. Threads share nothing but the module, whose lock each holds for
//!   at most one batch of lines, and the turn to sign in.
//! - Deriving a key from a passphrase takes long on purpose, and happens outside the module's lock, for one client at a
//!   time. Only few clients may wait for that, so that guessing occupies few threads.
//! - What a client sent is wiped once it was answered. Nothing of it is in an error or in the log.

mod answer;
mod error;
mod line;
mod log_check;
mod person;
mod reader;

pub use answer::{
    AuditAnswer, BackupAnswer, ClockAccepted, EntryRecord, PageAnswer, PersonRecord, SegmentRecord,
    ServiceAnswer, SignedIn,
};
pub use error::ServiceError;
pub use log_check::LogCheck;
pub use reader::Wire;

use std::fmt;
use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use prepay_basics::Identifier;
use prepay_module::ModuleFault;
use prepay_module::software::SoftwareModule;
use prepay_records::Marked;
use prepay_records::json::write_line;
use prepay_records::lines::{is_blank, too_long};
use prepay_vault::{Secret, Session as SignedSession};
use serde_json::value::RawValue;

use crate::error::SessionError;
use crate::request::Line;
use crate::session::{Session, SessionStop};
use line::{AnyLine, ServiceRequest};
use log_check::LastCheck;
use person::Person;
use reader::{LineReader, Next};

/// What is said of a panic.
const PANIC: &str = "a fault of the program";

/// What a client may hold up, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// After how long without a request a sign-in ends.
    pub idle: Duration,
    /// How long a client may take to sign in, to send one line, and to take the answers that wait for it.
    pub patience: Duration,
    /// How many clients may wait to be signed in.
    pub sign_ins: usize,
}

impl Default for Limits {
    /// A quarter of an hour, half a minute, and eight clients.
    fn default() -> Self {
        Self { idle: Duration::from_secs(900), patience: Duration::from_secs(30), sign_ins: 8 }
    }
}

/// A module that many clients ask.
pub struct Service {
    module: SoftwareModule,
    limits: Limits,
    signing_in: AtomicUsize,
    last_check: LastCheck,
    /// How often keys have changed. Held to write while they change, and to read while something is made with them.
    keys: RwLock<u64>,
}

/// Notes for whoever runs the service. No secret is among them.
type Log<'a> = &'a dyn Fn(fmt::Arguments<'_>);

impl Service {
    /// A service of this module.
    pub fn new(module: SoftwareModule, limits: Limits) -> Self {
        let (signing_in, last_check) = (AtomicUsize::new(0), LastCheck::default());
        Self { module, limits, signing_in, last_check, keys: RwLock::default() }
    }

    fn keys(&self) -> RwLockReadGuard<'_, u64> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn keys_to_change(&self) -> RwLockWriteGuard<'_, u64> {
        self.keys.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The module.
    pub const fn module(&self) -> &SoftwareModule {
        &self.module
    }

    /// Verifies the whole audit log, slowly. From then on, `status` shows what was found. Between two slices of the log
    /// `rest` is told for how long the last one held clients up. It waits as it likes, and returns whether to go on. If not,
    /// nothing is found.
    ///
    /// # Errors
    ///
    /// [`ModuleFault`] if the module broke or is locked.
    pub fn verify_log(
        &self,
        rest: &dyn Fn(Duration) -> bool,
    ) -> Result<Option<LogCheck>, ModuleFault> {
        let verify = || self.last_check.verify(&self.module, rest);
        panic::catch_unwind(AssertUnwindSafe(verify)).unwrap_or_else(|_| {
            self.module.vault().with(|_| ())?;
            Ok(Some(self.last_check.found(&self.module, 0, Some(PANIC.to_owned()))))
        })
    }

    /// Answers the lines of one connection until it ends. A fault of the program ends this connection only, unless it left
    /// the module half changed.
    ///
    /// # Errors
    ///
    /// [`SessionStop::Io`] if the connection broke or after a fault of the program, [`SessionStop::Fault`] if the module
    /// broke, and with it the service.
    pub fn answer(&self, wire: &impl Wire, log: Log<'_>) -> Result<(), SessionStop> {
        let answered = panic::catch_unwind(AssertUnwindSafe(|| self.answer_lines(wire, log)));
        answered.unwrap_or_else(|_| match self.module.vault().with(|_| ()) {
            Ok(()) => Err(io::Error::other(PANIC).into()),
            Err(error) => Err(ModuleFault::from(error).into()),
        })
    }

    fn answer_lines(&self, wire: &impl Wire, log: Log<'_>) -> Result<(), SessionStop> {
        let Limits { idle, patience, .. } = self.limits;
        let mut lines = LineReader::new(patience);
        let out = Answers { wire, patience };
        let mut session = Session::new(Person::new(self), self.module.is_test(), out);
        let mut until = Instant::now() + patience;
        loop {
            match lines.next(wire, until)? {
                Next::End => break,
                Next::Silence if session.desk.expire() => {
                    log(format_args!("the sign-in ended, because the client was silent"));
                    until = Instant::now() + idle; // So that the next line is told why.
                    continue;
                }
                Next::Silence if session.desk.is_expired() => break,
                Next::Silence | Next::Half => {
                    log(format_args!("closed, because the client was too slow"));
                    let error = ServiceError::TooSlow { seconds: patience.as_secs() };
                    session.put(None, &Err(error.into()));
                    session.answer()?;
                    return Ok(());
                }
                Next::TooLong => {
                    session.take(Line { id: None, request: Err(too_long().into()) })?
                }
                Next::Line(line) if is_blank(lines.bytes(line.clone())) => {}
                Next::Line(line) => {
                    let read = AnyLine::read(lines.bytes(line.clone()));
                    lines.wipe(line);
                    self.take(&mut session, read, log)?;
                }
            }
            if session.is_full() || !lines.is_waiting() {
                session.answer()?;
            }
            let wait = if session.desk.is_nobody() { patience } else { idle };
            until = Instant::now() + wait;
        }
        session.answer()
    }

    /// Takes in one line.
    fn take<W: Write>(
        &self,
        session: &mut Session<Person<'_>, W>,
        AnyLine { id, request }: AnyLine,
        log: Log<'_>,
    ) -> Result<(), SessionStop> {
        let request = match request {
            Ok(ServiceRequest::Module(request)) => {
                return session.take(Line { id, request: Ok(request) });
            }
            Ok(request) => request,
            Err(error) => return session.take(Line { id, request: Err(error) }),
        };
        session.carry_out()?; // So that what is asked shows what was asked for before.
        let answer = match request {
            ServiceRequest::SignIn { name, passphrase } => {
                self.sign_in(&mut session.desk, &name, &passphrase, log)
            }
            ServiceRequest::SignOut => Ok(session.desk.sign_out()),
            ServiceRequest::Audit { from, count } => session.desk.audit(from, count as usize),
            ServiceRequest::AuditVerify { noted } => session.desk.audit_verify(noted),
            ServiceRequest::AuditRotate => {
                let rotated = session.desk.audit_rotate();
                if rotated.is_ok() {
                    log(format_args!("{} rotated the audit log", session.desk));
                }
                rotated
            }
            ServiceRequest::Backup { passphrases } => {
                let made = session.desk.backup(passphrases.each_ref());
                if made.is_ok() {
                    log(format_args!("{} made a back-up", session.desk));
                }
                made
            }
            ServiceRequest::Users => session.desk.users(),
            ServiceRequest::Slots => session.desk.slots(),
            ServiceRequest::RequestEnrolment => session.desk.enrolment(),
            ServiceRequest::Document { text } => session.desk.document(&text),
            ServiceRequest::Preview => session.desk.preview(),
            ServiceRequest::Change(op, change) => {
                let changed = session.desk.change(change);
                if changed.is_ok() {
                    log(format_args!("{}: {op}", session.desk));
                }
                changed
            }
            ServiceRequest::Module(_) => unreachable!("a session answers it"),
        };
        let answer = answer.map(|answer| crate::Answer::Service(Box::new(answer)));
        let broken = answer.as_ref().err().and_then(|error| match error.code() {
            "storage" => Some(ModuleFault::Storage { problem: error.to_string() }),
            "vault_copied" => Some(ModuleFault::Copied { problem: error.to_string() }),
            _ => None,
        });
        session.put(id.as_deref(), &answer.map_err(SessionError::from));
        match broken {
            Some(fault) => {
                session.answer()?;
                Err(fault.into())
            }
            None => Ok(()),
        }
    }

    /// Signs a person in.
    fn sign_in(
        &self,
        person: &mut Person<'_>,
        name: &Identifier,
        passphrase: &Secret,
        log: Log<'_>,
    ) -> Result<ServiceAnswer, ServiceError> {
        person.may_sign_in()?;
        let signed = self.turn(name, passphrase).and_then(|session| person.sign_in(session));
        match &signed {
            Ok(_) => log(format_args!("signed in: {person}")),
            // The name may be a passphrase in the wrong place.
            Err(error) => log(format_args!("a sign-in was refused: {}", error.code())),
        }
        signed
    }

    /// Waits for its turn, unless too many do.
    fn turn(&self, name: &Identifier, passphrase: &Secret) -> Result<SignedSession, ServiceError> {
        struct Turn<'a>(&'a AtomicUsize);

        impl Drop for Turn<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::Relaxed);
            }
        }

        let before = self.signing_in.fetch_add(1, Ordering::Relaxed);
        let _turn = Turn(&self.signing_in);
        let most = self.limits.sign_ins;
        if before > most {
            return Err(ServiceError::SignInBusy { most });
        }
        self.module.vault().sign_in(name, passphrase).map_err(ServiceError::SignIn)
    }
}

/// The only line for a client that is not served.
pub fn last_line(error: ServiceError, test: bool) -> Vec<u8> {
    let mut line = Vec::new();
    write_line(&mut line, RawValue::NULL, &Marked { test, answer: SessionError::from(error) });
    line
}

/// Answers on their way to a client, who takes them in time or loses the connection.
struct Answers<'a, W> {
    wire: &'a W,
    patience: Duration,
}

impl<W: Wire> Write for Answers<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.wire.write_all(bytes, Instant::now() + self.patience)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
