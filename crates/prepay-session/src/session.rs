//! A session: many lines, one module, one person, who signed in before.
//!
//! Lines that have already arrived are carried out together, so that one write of the audit log makes all of them
//! durable. Answers are sent in the order of the lines, each only after what it reports is durable.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Read, Write};
use std::ops::Deref;

use prepay_kmp::attribute::RegisterNumber;
use prepay_module::{IssueRequest, ModuleFault, RegisterReport, SecurityModule};
use prepay_records::Marked;
use prepay_records::json::write_line;
use prepay_records::lines::{self, Lines, Summary, is_blank, too_long};
use prepay_token::element::BaseDate;
use serde_json::value::RawValue;

use crate::answer::{Answer, VerificationAnswer};
use crate::error::SessionError;
use crate::request::{Issue, Line, Request};

/// How many requests are carried out together at most.
const TOGETHER: usize = 1024;

/// Why a session ended before its lines did.
#[derive(Debug)]
pub enum SessionStop {
    /// Reading or writing failed.
    Io(io::Error),
    /// The module failed: it does not answer what it cannot store.
    Fault(ModuleFault),
}

/// Answers every line of a stream by a module.
///
/// # Errors
///
/// [`SessionStop`]. After a fault of the module every line that was read has been answered with it.
pub fn answer_session(
    module: &impl SecurityModule,
    input: impl Read,
    out: impl Write,
) -> Result<Summary, SessionStop> {
    let mut session = Session::new(Desk::new(module)?, module.identify()?.is_test, out);
    let mut lines = Lines::new(input);
    while let Some(line) = lines.next()? {
        match line {
            lines::Line::Text(line) if is_blank(line) => continue,
            lines::Line::Text(line) => session.take(Line::read(line))?,
            lines::Line::TooLong => {
                session.take(Line { id: None, request: Err(too_long().into()) })?;
            }
        }
        if session.is_full() || !lines.is_waiting() {
            session.answer()?;
        }
    }
    session.answer()?;
    Ok(session.summary)
}

/// Answers one request, such as flags are.
///
/// # Errors
///
/// [`SessionError`].
pub fn answer_one(module: &impl SecurityModule, request: Request) -> Result<Answer, SessionError> {
    let mut desk = Desk::new(module)?;
    let Request::Issue(issue) = request else { return desk.question(&request) };
    let mut made = desk.carry_out(&[issue])?;
    made.pop().expect("one answer to one request")
}

/// Who carries out the requests of a session.
pub(crate) trait Station {
    /// Makes what is asked for, all together.
    fn carry_out(&mut self, issues: &[Issue]) -> Result<Made, ModuleFault>;

    /// The answer to a question that makes nothing.
    fn question(&mut self, request: &Request) -> Result<Answer, SessionError>;
}

/// What was made, in the order in which it was asked for.
pub(crate) type Made = Vec<Result<Answer, SessionError>>;

/// A module, and the base dates of its keys.
pub(crate) struct Desk<M> {
    module: M,
    bases: HashMap<RegisterNumber, BaseDate>,
}

impl<M: Deref<Target: SecurityModule>> Desk<M> {
    pub(crate) fn new(module: M) -> Result<Self, ModuleFault> {
        let mut desk = Self { module, bases: HashMap::new() };
        desk.refresh()?;
        Ok(desk)
    }

    /// Looks at the registers again, when keys have changed.
    pub(crate) fn refresh(&mut self) -> Result<(), ModuleFault> {
        let registers = self.module.registers()?;
        let base = |report: &RegisterReport| (report.register, report.attributes.base_date);
        self.bases = registers.iter().map(base).collect();
        Ok(())
    }

    /// The base date of the key in a register; nothing for a register without a key.
    fn base(&self, register: RegisterNumber) -> Option<BaseDate> {
        self.bases.get(&register).copied()
    }
}

impl<M: Deref<Target: SecurityModule>> Station for Desk<M> {
    fn carry_out(&mut self, issues: &[Issue]) -> Result<Made, ModuleFault> {
        let asked: Vec<Result<IssueRequest, SessionError>> =
            issues.iter().map(|issue| issue.with_base_date(self.base(issue.register()))).collect();
        let requests: Vec<IssueRequest> = asked.iter().flatten().copied().collect();
        let mut issued = match requests.as_slice() {
            [] => Vec::new(),
            requests => self.module.issue(requests)?,
        }
        .into_iter();
        let answers = asked.into_iter().map(|request| {
            let request = request?;
            let left_out = || {
                let problem = "the module left out an answer".to_owned();
                SessionError::from(ModuleFault::NoAnswer { problem })
            };
            let issued = issued.next().ok_or_else(left_out)??;
            let base = match &request {
                IssueRequest::Token(token) => self.base(token.register),
                IssueRequest::KeyChange(_) => None,
            };
            Ok(Answer::issued(&request, &issued, base))
        });
        Ok(answers.collect())
    }

    fn question(&mut self, request: &Request) -> Result<Answer, SessionError> {
        Ok(match request {
            Request::Identify => Answer::Identity(self.module.identify()?.into()),
            Request::Status => Answer::Status(self.module.status()?.into()),
            Request::Clock => Answer::Clock(self.module.clock()?.into()),
            Request::Registers => {
                Answer::registers(&self.module.registers()?, self.module.clock()?.now)
            }
            Request::Verify(request) => {
                let found = self.module.verify(request)?;
                let base = self.base(request.register);
                Answer::Verification(Box::new(VerificationAnswer::new(&found, base)))
            }
            Request::Issue(_) => unreachable!("what is to be made waits for the others"),
        })
    }
}

/// The answers of a session.
pub(crate) struct Session<D, W> {
    pub(crate) desk: D,
    is_test: bool,
    out: W,
    waiting: Vec<Waiting>,
    summary: Summary,
}

/// An answer that was not sent yet.
enum Waiting {
    /// Its line.
    Answer(Vec<u8>),
    /// The answer of a request that is still to be carried out.
    Issue(Option<Box<RawValue>>, Issue),
}

impl<D: Station, W: Write> Session<D, W> {
    pub(crate) fn new(desk: D, is_test: bool, out: W) -> Self {
        Self { desk, is_test, out, waiting: Vec::new(), summary: Summary::default() }
    }

    /// Whether so many answers wait that they have to leave.
    pub(crate) fn is_full(&self) -> bool {
        self.waiting.len() >= TOGETHER
    }

    /// Handles a line: a request that makes something waits to be carried out with others; all else is answered at
    /// once.
    pub(crate) fn take(&mut self, Line { id, request }: Line) -> Result<(), SessionStop> {
        let answer = match request {
            Ok(Request::Issue(issue)) => {
                self.waiting.push(Waiting::Issue(id, issue));
                return Ok(());
            }
            Ok(request) => {
                self.carry_out()?; // So that the answer shows the effect of the requests before it.
                self.desk.question(&request)
            }
            Err(error) => Err(error),
        };
        self.put(id.as_deref(), &answer);
        Ok(())
    }

    /// Puts an answer behind all that wait.
    pub(crate) fn put(&mut self, id: Option<&RawValue>, answer: &Result<Answer, SessionError>) {
        let line = self.line_of(id, answer);
        self.waiting.push(Waiting::Answer(line));
    }

    /// Carries out the requests that wait.
    pub(crate) fn carry_out(&mut self) -> Result<(), SessionStop> {
        let issue = |waiting: &Waiting| match waiting {
            Waiting::Issue(_, issue) => Some(*issue),
            Waiting::Answer(_) => None,
        };
        let issues: Vec<Issue> = self.waiting.iter().filter_map(issue).collect();
        if issues.is_empty() {
            return Ok(());
        }
        let (made, fault) = match self.desk.carry_out(&issues) {
            Ok(made) => (made, None),
            Err(fault) => (issues.iter().map(|_| Err(fault.clone().into())).collect(), Some(fault)),
        };
        let mut made = made.into_iter();
        for waiting in std::mem::take(&mut self.waiting) {
            let line = match waiting {
                Waiting::Answer(line) => line,
                Waiting::Issue(id, _) => {
                    let answer = made.next().expect("an answer to each request");
                    self.line_of(id.as_deref(), &answer)
                }
            };
            self.waiting.push(Waiting::Answer(line));
        }
        match fault {
            Some(fault) => {
                self.answer()?;
                Err(fault.into())
            }
            None => Ok(()),
        }
    }

    /// Sends the answers.
    pub(crate) fn answer(&mut self) -> Result<(), SessionStop> {
        self.carry_out()?;
        let mut text = Vec::new();
        for waiting in self.waiting.drain(..) {
            if let Waiting::Answer(line) = waiting {
                text.extend(line);
            }
        }
        self.out.write_all(&text)?;
        self.out.flush()?;
        Ok(())
    }

    /// The line of an answer.
    fn line_of(&mut self, id: Option<&RawValue>, answer: &Result<Answer, SessionError>) -> Vec<u8> {
        let mut line = Vec::new();
        let (id, test) = (id.unwrap_or(RawValue::NULL), self.is_test);
        self.summary.answered += 1;
        match answer {
            Ok(answer) => write_line(&mut line, id, &Marked { test, answer }),
            Err(error) => {
                self.summary.failed += 1;
                write_line(&mut line, id, &Marked { test, answer: error });
            }
        }
        line
    }
}

impl From<io::Error> for SessionStop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<ModuleFault> for SessionStop {
    fn from(fault: ModuleFault) -> Self {
        Self::Fault(fault)
    }
}

impl fmt::Display for SessionStop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Fault(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for SessionStop {}
