//! Issues tokens in memory: registers, counters and the names of requests.
//!
//! Each request that is carried out leaves one [`IssuedRow`]. With the rows alone, [`Issuer::replay`] brings an older
//! state up to date: it counts what a row says.
//!
//! Elsewhere: making rows durable before a token is returned (`operator.rs`).

use prepay_token::element::RandomNumber;
use prepay_token::key::DerivationError;

use super::check::{Checks, parameter};
use super::issued_row::IssuedRow;
use super::make;
use super::names::{Looked, Names};
use super::policy::{ModulePolicy, TestMode};
use super::register::{Register, Registers};
use crate::{
    IssueRequest, Issued, IssuedKeyChange, IssuedToken, KeyChangeRequest, Refusal, TokenRequest,
    Verification, VerifyRequest,
};
use prepay_basics::Moment;

/// How many identifiers after one that was used are tried.
const SEARCHED_MINUTES: u32 = 7 * 24 * 60;

/// The counters of a module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    /// The counter from which random numbers are taken.
    pub(crate) random: u64,
    /// Tokens issued.
    pub(crate) transactions: u64,
    /// Tokens that may still be issued; `None` for no limit.
    pub(crate) transactions_left: Option<u64>,
}

impl Counters {
    fn count(&mut self, row: &IssuedRow) {
        let tokens = row.tokens();
        self.random = self.random.wrapping_add(u64::from(row.random_number().is_some()));
        self.transactions = self.transactions.saturating_add(tokens);
        self.transactions_left = self.transactions_left.map(|left| left.saturating_sub(tokens));
    }
}

/// Registers, counters and the names of requests that were carried out.
pub(crate) struct Issuer {
    pub(crate) policy: ModulePolicy,
    pub(crate) test: Option<TestMode>,
    pub(crate) registers: Registers,
    pub(crate) counters: Counters,
    pub(crate) names: Names,
}

/// What requests that are carried out together leave.
#[derive(Default)]
pub(crate) struct Done {
    /// The row of each that was carried out now.
    pub(crate) rows: Vec<IssuedRow>,
    /// Whether one of them was carried out before.
    pub(crate) repeated: bool,
}

impl Issuer {
    /// Looks for the names and the identifiers of requests, before they are carried out.
    pub(crate) fn look(&self, rows: &[IssuedRow]) -> Vec<Looked> {
        self.names.look(rows, &self.registers)
    }

    /// Carries out a request, which asks for a row and whose name and identifier were looked for, or answers a repeated one.
    #[inline]
    pub(crate) fn issue(
        &mut self,
        request: &IssueRequest,
        mut row: IssuedRow,
        looked: Looked,
        now: Moment,
        done: &mut Done,
    ) -> Result<Issued, Refusal> {
        if let Some(before) = self.names.get(looked, &row)? {
            let issued = self.repeat(request, &row, &before)?;
            done.repeated = true;
            return Ok(issued);
        }
        let issued = match request {
            IssueRequest::Token(request) => {
                Issued::Token(self.issue_token(request, &row, looked, now)?)
            }
            IssueRequest::KeyChange(request) => {
                Issued::KeyChange(self.issue_key_change(request, now)?)
            }
        };
        row.done(&issued);
        self.counters.count(&row);
        self.names.put(row, looked);
        done.rows.push(row);
        Ok(issued)
    }

    /// Verifies a token.
    pub(crate) fn verify(
        &self,
        request: &VerifyRequest,
        now: Moment,
    ) -> Result<Verification, Refusal> {
        let register = self.checks(now).verify(request)?;
        make::verify(register, request).map_err(|error| parameter(&error))
    }

    /// Applies a row of the audit log that the counters do not have yet.
    pub(crate) fn replay(&mut self, row: &IssuedRow) {
        self.counters.count(row);
        if let Some((number, credit)) = row.credit()
            && let Some(register) = self.registers.get_mut(number)
        {
            register.count(&credit);
        }
    }

    fn checks(&self, now: Moment) -> Checks<'_> {
        Checks {
            registers: &self.registers,
            policy: &self.policy,
            now,
            transactions_left: self.counters.transactions_left,
        }
    }

    /// The random number of the next token.
    fn random(&self) -> RandomNumber {
        let fixed = self.test.and_then(|test| test.fixed_random);
        fixed.unwrap_or_else(|| RandomNumber::from_counter(self.counters.random))
    }

    /// Makes a token, unless its identifier was used.
    #[inline]
    fn issue_token(
        &mut self,
        request: &TokenRequest,
        row: &IssuedRow,
        looked: Looked,
        now: Moment,
    ) -> Result<IssuedToken, Refusal> {
        let random = self.random();
        let Self { policy, test, registers, counters, names } = self;
        let transactions_left = counters.transactions_left;
        let checks = Checks { registers, policy, now, transactions_left };
        let register = checks.token(request)?;
        if names.has_used(looked, row.identifier)? {
            return Err(next_free(&checks, register, request, row, names));
        }
        let issued = make::token(register, request, random, test.is_some())
            .map_err(|error| parameter(&error))?;
        if let Some(register) = self.registers.get_mut(request.register) {
            register.count(&request.instruction);
        }
        Ok(issued)
    }

    fn issue_key_change(
        &self,
        request: &KeyChangeRequest,
        now: Moment,
    ) -> Result<IssuedKeyChange, Refusal> {
        let (old, new) = self.checks(now).key_change(request)?;
        let issued =
            make::key_change(old, new, request, new.attributes.expiry, self.test.is_some())
                .map_err(|error| parameter(&error))?;
        Ok(issued)
    }

    /// Makes the digits of a request again. If the contents differ, or the register has another key by now, it is a
    /// conflict: nothing is ever issued twice under one identifier.
    fn repeat(
        &self,
        request: &IssueRequest,
        asked: &IssuedRow,
        done: &IssuedRow,
    ) -> Result<Issued, Refusal> {
        if !asked.asks_the_same(done) {
            return Err(Refusal::RequestConflict);
        }
        let held = |register| self.registers.get(register).ok_or(Refusal::RequestConflict);
        let mut again = *asked;
        let failed = |_: DerivationError| Refusal::RequestConflict;
        let is_test = self.test.is_some();
        let issued = match request {
            IssueRequest::Token(request) => {
                let random = done.random_number().unwrap_or_default();
                let issued = make::token(held(request.register)?, request, random, is_test);
                Issued::Token(issued.map_err(failed)?)
            }
            IssueRequest::KeyChange(request) => {
                let (old, new) = (held(request.from)?, held(request.to)?);
                let issued = make::key_change(old, new, request, done.key_expiry(), is_test)
                    .map_err(failed)?;
                Issued::KeyChange(issued)
            }
        };
        again.done(&issued);
        if again == *done { Ok(issued) } else { Err(Refusal::RequestConflict) }
    }
}

/// The refusal of an identifier that was used, with the next one that the module would take, if there is one within a week.
#[cold]
fn next_free(
    checks: &Checks<'_>,
    register: &Register,
    request: &TokenRequest,
    row: &IssuedRow,
    names: &mut Names,
) -> Refusal {
    let (attributes, mark) = (&register.attributes, register.mark());
    let minute = |identifier| {
        let seconds = attributes.base_date.minute_of(identifier).unix_seconds();
        Moment::from_unix_seconds(seconds.unsigned_abs()).unwrap_or(Moment::MAX)
    };
    let identifier = request.identifier;
    let used = |next| Refusal::IdentifierUsed { identifier, minute: minute(identifier), next };
    let mut next = identifier;
    for _ in 0..SEARCHED_MINUTES {
        next = match next.next_after(Some(next)) {
            Ok(next) if checks.identifier(attributes, next).is_ok() => next,
            _ => break,
        };
        let row = IssuedRow { identifier: next.value(), ..*row };
        match names.has_used(names.looked(&row, Some(mark), true), next.value()) {
            Ok(true) => {}
            Ok(false) => return used(Some((next, minute(next)))),
            Err(unreadable) => return unreadable.into(),
        }
    }
    used(None)
}
