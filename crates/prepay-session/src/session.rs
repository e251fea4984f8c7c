//! A session: many lines, one module, one person, who signed in before.
//!
//! Lines that have already arrived are carried out together, so that one write of the audit log makes all of them
//! durable. Answers are sent in the order of the lines, each only after what it reports is durable.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Read, Write};

use prepay_kmp::attribute::RegisterNumber;
use prepay_module::{IssueRequest, ModuleFault, SecurityModule};
use prepay_records::Marked;
use prepay_records::json::write_line;
use prepay_records::lines::{self, Lines, Summary, is_blank, too_long};
use prepay_token::element::BaseDate;
use serde_json::value::RawValue;

use crate::answer::{Answer, RegisterRecord, VerificationAnswer};
use crate::error::SessionError;
use crate::request::{Line, Request};

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
    let is_test = module.identify()?.is_test;
    let registers = module.registers()?;
    let bases =
        registers.iter().map(|report| (report.register, report.attributes.base_date)).collect();
    let (waiting, summary) = (Vec::new(), Summary::default());
    let mut session = Session { module, is_test, bases, out, waiting, summary };
    let mut lines = Lines::new(input);
    while let Some(line) = lines.next()? {
        match line {
            lines::Line::Text(line) if is_blank(line) => continue,
            lines::Line::Text(line) => session.take(Line::read(line))?,
            lines::Line::TooLong => {
                session.take(Line { id: None, request: Err(too_long().into()) })?;
            }
        }
        if session.waiting.len() >= TOGETHER || !lines.is_waiting() {
            session.answer()?;
        }
    }
    session.answer()?;
    Ok(session.summary)
}

struct Session<'a, M, W> {
    module: &'a M,
    is_test: bool,
    bases: HashMap<RegisterNumber, BaseDate>,
    out: W,
    waiting: Vec<Waiting>,
    summary: Summary,
}

/// An answer that was not sent yet.
enum Waiting {
    /// Its line.
    Answer(Vec<u8>),
    /// The answer of a request that is still to be carried out.
    Issue(Option<Box<RawValue>>, IssueRequest),
}

impl<M: SecurityModule, W: Write> Session<'_, M, W> {
    /// Handles a line: a request that makes something waits to be carried out with others; all else is answered at
    /// once.
    fn take(&mut self, Line { id, request }: Line) -> Result<(), SessionStop> {
        let answer = match request {
            Ok(Request::Issue(issue)) => {
                let base = self.bases.get(&issue.register()).copied();
                match issue.with_base_date(base) {
                    Ok(request) => {
                        self.waiting.push(Waiting::Issue(id, request));
                        return Ok(());
                    }
                    Err(error) => Err(error),
                }
            }
            Ok(request) => {
                self.carry_out()?; // So that the answer shows the effect of the requests before it.
                self.question(&request)
            }
            Err(error) => Err(error),
        };
        let line = self.line_of(id.as_deref(), &answer);
        self.waiting.push(Waiting::Answer(line));
        Ok(())
    }

    /// The answer to a request that makes nothing.
    fn question(&self, request: &Request) -> Result<Answer, SessionError> {
        Ok(match request {
            Request::Identify => Answer::Identity(self.module.identify()?.into()),
            Request::Status => Answer::Status(self.module.status()?.into()),
            Request::Clock => Answer::Clock(self.module.clock()?.into()),
            Request::Registers => {
                let registers = self.module.registers()?;
                let now = self.module.clock()?.now;
                let record = |report| RegisterRecord::new(report, now);
                Answer::Registers { registers: registers.iter().map(record).collect() }
            }
            Request::Verify(request) => {
                let found = self.module.verify(request)?;
                let base = self.bases.get(&request.register).copied();
                Answer::Verification(Box::new(VerificationAnswer::new(&found, base)))
            }
            Request::Issue(_) => unreachable!("what is to be made waits for the others"),
        })
    }

    /// Carries out the requests that wait.
    fn carry_out(&mut self) -> Result<(), SessionStop> {
        let request = |waiting: &Waiting| match waiting {
            Waiting::Issue(_, request) => Some(*request),
            Waiting::Answer(_) => None,
        };
        let requests: Vec<IssueRequest> = self.waiting.iter().filter_map(request).collect();
        if requests.is_empty() {
            return Ok(());
        }
        let (answers, fault) = match self.module.issue(&requests) {
            Ok(answers) => (answers, None),
            Err(fault) => (Vec::new(), Some(fault)),
        };
        let mut answers = answers.into_iter();
        for waiting in std::mem::take(&mut self.waiting) {
            let line = match waiting {
                Waiting::Answer(line) => line,
                Waiting::Issue(id, request) => {
                    let answer = match (answers.next(), &fault) {
                        (Some(Ok(issued)), _) => {
                            let base = self.base_of(&request);
                            Ok(Answer::issued(&request, &issued, base))
                        }
                        (Some(Err(refusal)), _) => Err(refusal.into()),
                        (None, Some(fault)) => Err(fault.clone().into()),
                        (None, None) => {
                            let problem = "the module left out an answer".to_owned();
                            Err(ModuleFault::NoAnswer { problem }.into())
                        }
                    };
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

    /// The base date of the key that a token is under.
    fn base_of(&self, request: &IssueRequest) -> Option<BaseDate> {
        let IssueRequest::Token(token) = request else { return None };
        self.bases.get(&token.register).copied()
    }

    /// Sends the answers.
    fn answer(&mut self) -> Result<(), SessionStop> {
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
