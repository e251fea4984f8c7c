//! A session: one unlocking, one person, many requests.
//!
//! Lines that are already waiting are carried out together, so that one write of the audit log makes all of
//! them durable. Answers leave in the order of the lines, each only after what it says is durable.

use std::collections::HashMap;
use std::io::{self, Read, Write};

use prepay_kmp::attribute::RegisterNumber;
use prepay_module::software::Operator;
use prepay_module::{IssueRequest, SecurityModule};
use prepay_token::element::BaseDate;
use serde_json::{Value, json};

use super::line::{Line, Lines};
use super::order::Ask;
use super::tell;
use crate::Ending;
use crate::failure::{Done, Failure};

/// How many requests are carried out together at most.
const TOGETHER: usize = 1024;

/// A session with a module.
pub(super) struct Session<'a, W> {
    operator: &'a Operator,
    is_test: bool,
    bases: HashMap<RegisterNumber, BaseDate>,
    out: W,
    waiting: Vec<Waiting>,
    refused: bool,
}

/// An answer that has not left.
enum Waiting {
    /// It is known.
    Answer(Value),
    /// It is that of a request that is still to be carried out.
    Issue(Value, IssueRequest),
}

impl<'a, W: Write> Session<'a, W> {
    /// Answers every line.
    pub(super) fn answer_all(
        operator: &'a Operator,
        is_test: bool,
        input: impl Read,
        out: W,
    ) -> Done<Ending> {
        let registers = operator.registers().map_err(|fault| tell::fault(&fault))?;
        let base =
            |report: &prepay_module::RegisterReport| (report.register, report.attributes.base_date);
        let bases = registers.iter().map(base).collect();
        let waiting = Vec::new();
        let mut session = Self { operator, is_test, bases, out, waiting, refused: false };
        let mut lines = Lines::new(input);
        while let Some(line) = lines.next()? {
            session.take(line)?;
            if session.waiting.len() >= TOGETHER || !lines.is_waiting() {
                session.answer()?;
            }
        }
        session.answer()?;
        Ok(if session.refused { Ending::Refused } else { Ending::Done })
    }

    /// Takes a line in.
    fn take(&mut self, Line { id, ask }: Line) -> Done<()> {
        let ask = match ask {
            Ok(Ask::Issue(making)) => {
                let base = self.bases.get(&making.register()).copied();
                match making.with_base_date(base) {
                    Ok(request) => {
                        self.waiting.push(Waiting::Issue(id, request));
                        return Ok(());
                    }
                    Err(failure) => Err(failure),
                }
            }
            Ok(ask) => {
                self.carry_out()?; // So that what is asked shows what was asked for before.
                self.question(&ask)
            }
            Err(failure) => Err(failure),
        };
        let answer = self.answer_of(id, ask);
        self.waiting.push(Waiting::Answer(answer));
        Ok(())
    }

    /// The answer to a question that makes nothing.
    fn question(&self, ask: &Ask) -> Done<Value> {
        let fault = |fault| tell::fault(&fault);
        Ok(match ask {
            Ask::Identify => tell::identification(&self.operator.identify().map_err(fault)?),
            Ask::Status => tell::status(&self.operator.status().map_err(fault)?),
            Ask::Clock => tell::clock(&self.operator.clock().map_err(fault)?),
            Ask::Registers => {
                let registers = self.operator.registers().map_err(fault)?;
                let now = self.operator.clock().map_err(fault)?.now;
                let told = registers.iter().map(|report| tell::register(report, now));
                json!({"registers": told.collect::<Vec<Value>>()})
            }
            Ask::Verify(request) => {
                let found = self.operator.verify(request).map_err(|error| tell::error(&error))?;
                tell::verification(&found, self.bases.get(&request.register).copied())
            }
            Ask::Issue(_) => unreachable!("what is to be made waits for the others"),
        })
    }

    /// Carries out the requests that wait.
    fn carry_out(&mut self) -> Done<()> {
        let request = |waiting: &Waiting| match waiting {
            Waiting::Issue(_, request) => Some(*request),
            Waiting::Answer(_) => None,
        };
        let requests: Vec<IssueRequest> = self.waiting.iter().filter_map(request).collect();
        if requests.is_empty() {
            return Ok(());
        }
        let answers = self.operator.issue(&requests);
        let mut broken = None;
        let mut answers = match answers {
            Ok(answers) => answers.into_iter(),
            Err(fault) => {
                broken = Some(tell::fault(&fault));
                Vec::new().into_iter()
            }
        };
        for waiting in std::mem::take(&mut self.waiting) {
            let answer = match waiting {
                Waiting::Answer(answer) => answer,
                Waiting::Issue(id, request) => {
                    let base = self.base_of(&request);
                    let told = match (answers.next(), &broken) {
                        (Some(Ok(issued)), _) => Ok(tell::issued(&request, &issued, base)),
                        (Some(Err(refusal)), _) => Err(tell::refusal(&refusal)),
                        (None, Some(failure)) => Err(failure.clone()),
                        (None, None) => Err(Failure::broken("no_answer", "the module left it out")),
                    };
                    self.answer_of(id, told)
                }
            };
            self.waiting.push(Waiting::Answer(answer));
        }
        match broken {
            Some(failure) => {
                self.answer()?;
                Err(failure)
            }
            None => Ok(()),
        }
    }

    fn base_of(&self, request: &IssueRequest) -> Option<BaseDate> {
        let register = match request {
            IssueRequest::Token(token) => token.register,
            IssueRequest::KeyChange(change) => change.to,
        };
        self.bases.get(&register).copied()
    }

    /// Lets the answers leave.
    fn answer(&mut self) -> Done<()> {
        self.carry_out()?;
        let mut text = Vec::new();
        for waiting in self.waiting.drain(..) {
            if let Waiting::Answer(answer) = waiting {
                serde_json::to_writer(&mut text, &answer).map_err(io::Error::from)?;
                text.push(b'\n');
            }
        }
        self.out.write_all(&text)?;
        self.out.flush()?;
        Ok(())
    }

    /// The object of an answer.
    fn answer_of(&mut self, id: Value, told: Done<Value>) -> Value {
        let mut object = match told {
            Ok(object) => object,
            Err(failure) => {
                self.refused = true;
                json!({"error": failure.to_json()})
            }
        };
        object["id"] = id;
        if self.is_test {
            object["test"] = true.into();
        }
        object
    }
}
