//! Who is signed in on a connection, and what they may do.

use std::fmt;
use std::time::Duration;

use prepay_basics::Identifier;
use prepay_kmp::attribute::RegisterNumber;
use prepay_module::software::{Auditor, Operator, SoftwareModule};
use prepay_module::{IssueRequest, Issued, ModuleFault, Refusal};
use prepay_records::hex;
use prepay_token::element::BaseDate;
use prepay_vault::{
    AccessError, Actor, AuditMark, AuditPlace, Problem, Quorum, Role, Secret, Session,
};

use super::answer::{AuditAnswer, BackupAnswer, EntryRecord, PageAnswer, ServiceAnswer, SignedIn};
use super::error::ServiceError;
use super::log_check::LastCheck;
use crate::answer::Answer;
use crate::error::SessionError;
use crate::request::Request;
use crate::session::{Desk, Station};

/// How many bytes of the log one answer is made of.
const PAGE_BYTES: u64 = 256 * 1024;

/// The people of a connection.
pub(super) struct Person<'a> {
    state: State,
    idle: Duration,
    last_check: &'a LastCheck,
}

enum State {
    Nobody,
    /// The sign-in ended, because nothing was asked for too long.
    Expired,
    SignedIn(Box<Handles>),
}

/// What one person, or two custodians, may use.
struct Handles {
    who: Actor,
    /// The role of the one, or of both.
    role: Role,
    reader: Auditor,
    operator: Option<Desk<Box<Operator>>>,
    /// Where the last page of the log ended.
    place: Option<AuditPlace>,
}

impl<'a> Person<'a> {
    pub(super) const fn new(idle: Duration, last_check: &'a LastCheck) -> Self {
        Self { state: State::Nobody, idle, last_check }
    }

    pub(super) const fn is_nobody(&self) -> bool {
        matches!(self.state, State::Nobody)
    }

    pub(super) const fn is_expired(&self) -> bool {
        matches!(self.state, State::Expired)
    }

    /// Ends the sign-in, if there is one.
    pub(super) fn expire(&mut self) -> bool {
        let was_signed_in = matches!(self.state, State::SignedIn(_));
        if was_signed_in {
            self.state = State::Expired;
        }
        was_signed_in
    }

    /// Refuses a sign-in beside which there is no room for another.
    pub(super) fn may_sign_in(&self) -> Result<(), ServiceError> {
        match &self.state {
            State::Nobody | State::Expired => Ok(()),
            State::SignedIn(handles) => match (&handles.who, handles.role) {
                (Actor::One(_), Role::Custodian) => Ok(()),
                _ => Err(ServiceError::SignedIn),
            },
        }
    }

    /// Adds a person who signed in.
    pub(super) fn sign_in(
        &mut self,
        module: &SoftwareModule,
        session: Session,
    ) -> Result<ServiceAnswer, ServiceError> {
        let (name, role) = (session.name().to_string(), session.role());
        let who: Actor = match self.handles().map(|handles| &handles.who) {
            Ok(Actor::One(first)) => {
                Quorum::new(first.clone(), session).map_err(ServiceError::Quorum)?.into()
            }
            _ => session.into(),
        };
        let operator = match (&who, role) {
            (Actor::One(session), Role::Operator) => {
                let operator = module.operator(session).map_err(ServiceError::Access)?;
                Some(
                    Desk::new(Box::new(operator))
                        .map_err(|_| ServiceError::Access(AccessError::Ended))?,
                )
            }
            _ => None,
        };
        let reader = module.auditor(who.clone()).map_err(ServiceError::Access)?;
        let dual_control = matches!(who, Actor::Two(_));
        let handles = Handles { who, role, reader, operator, place: None };
        self.state = State::SignedIn(Box::new(handles));
        let (module, role) = (module.module().to_string(), role.to_string());
        Ok(ServiceAnswer::SignedIn(SignedIn { module, name, role, dual_control }))
    }

    /// Signs everybody out.
    pub(super) fn sign_out(&mut self) -> ServiceAnswer {
        let signed_out = match std::mem::replace(&mut self.state, State::Nobody) {
            State::SignedIn(handles) => handles.who.names().map(Identifier::to_string).collect(),
            State::Nobody | State::Expired => Vec::new(),
        };
        ServiceAnswer::SignedOut { signed_out }
    }

    /// Entries of the audit log.
    pub(super) fn audit(
        &mut self,
        module: &SoftwareModule,
        from: u64,
        count: usize,
    ) -> Result<ServiceAnswer, ServiceError> {
        let handles = self.handles_mut()?;
        let (by, place) = (handles.who.by(), handles.place);
        let page = module
            .vault()
            .audit_page(by, from, count, place, PAGE_BYTES)
            .map_err(ServiceError::Audit)?;
        let end = module.vault().with_open(|vault| vault.entries()).map_err(ServiceError::Vault)?;
        handles.place = Some(page.place);
        let entries: Vec<EntryRecord> = page.records.iter().map(EntryRecord::from).collect();
        let next = entries.last().map(|entry| entry.sequence + 1).filter(|next| *next <= end);
        Ok(ServiceAnswer::Page(PageAnswer { entries, next }))
    }

    /// Verifies the whole audit log.
    pub(super) fn audit_verify(
        &self,
        module: &SoftwareModule,
        noted: Option<AuditMark>,
    ) -> Result<ServiceAnswer, ServiceError> {
        let by = self.handles()?.who.by();
        let report = module.vault().verify_audit_noted(by, noted).map_err(ServiceError::Audit)?;
        match (&report.first_bad, noted) {
            (None, _) => Ok(ServiceAnswer::Audit(AuditAnswer::from(&report))),
            (Some(bad), Some(noted))
                if matches!(
                    bad.problem,
                    Problem::OtherChain | Problem::Missing | Problem::Earlier
                ) =>
            {
                let problem = format!("entry {} as noted is not in the log: {bad}", noted.sequence);
                Err(ServiceError::Noted { problem })
            }
            (Some(bad), _) => Err(ServiceError::Audit(bad.clone().into())),
        }
    }

    /// Rotates the audit log.
    pub(super) fn audit_rotate(
        &self,
        module: &SoftwareModule,
    ) -> Result<ServiceAnswer, ServiceError> {
        let segment = module.vault().rotate(self.handles()?.who.by());
        Ok(ServiceAnswer::Rotated((&segment.map_err(ServiceError::Vault)?).into()))
    }

    /// A back-up, under a passphrase of each custodian.
    pub(super) fn backup(
        &self,
        module: &SoftwareModule,
        passphrases: [&Secret; 2],
    ) -> Result<ServiceAnswer, ServiceError> {
        let Actor::Two(quorum) = &self.handles()?.who else { return Err(ServiceError::NeedsTwo) };
        let bytes = module.vault().backup(quorum, passphrases).map_err(ServiceError::Vault)?;
        Ok(ServiceAnswer::Backup(BackupAnswer {
            module: module.module().to_string(),
            backup: hex::encode(&bytes),
            custodians: quorum.names().map(Identifier::to_string),
        }))
    }

    fn handles(&self) -> Result<&Handles, ServiceError> {
        match &self.state {
            State::SignedIn(handles) => Ok(handles),
            State::Nobody => Err(ServiceError::NotSignedIn),
            State::Expired => Err(ServiceError::Expired { seconds: self.idle.as_secs() }),
        }
    }

    fn handles_mut(&mut self) -> Result<&mut Handles, ServiceError> {
        self.handles()?;
        match &mut self.state {
            State::SignedIn(handles) => Ok(handles),
            State::Nobody | State::Expired => Err(ServiceError::NotSignedIn),
        }
    }

    /// What an operator uses.
    fn operator(&self) -> Result<&Desk<Box<Operator>>, ServiceError> {
        let handles = self.handles()?;
        let found = handles.role;
        handles.operator.as_ref().ok_or(ServiceError::Access(AccessError::Role { found }))
    }
}

impl Station for Person<'_> {
    fn base(&self, register: RegisterNumber) -> Result<Option<BaseDate>, SessionError> {
        self.operator()?.base(register)
    }

    fn issue(
        &self,
        requests: &[IssueRequest],
    ) -> Result<Vec<Result<Issued, Refusal>>, ModuleFault> {
        match self.operator() {
            Ok(desk) => desk.issue(requests),
            Err(error) => Err(ModuleFault::Closed { problem: error.to_string() }),
        }
    }

    fn question(&self, request: &Request) -> Result<Answer, SessionError> {
        let reader = &self.handles()?.reader;
        Ok(match request {
            Request::Identify => Answer::Identity(reader.identify()?.into()),
            Request::Status => Answer::Status(self.last_check.add_to(reader.status()?.into())),
            Request::Clock => Answer::Clock(reader.clock()?.into()),
            Request::Registers => Answer::registers(&reader.registers()?, reader.clock()?.now),
            Request::Verify(_) | Request::Issue(_) => return self.operator()?.question(request),
        })
    }
}

impl fmt::Display for Person<'_> {
    /// Who is signed in.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let State::SignedIn(handles) = &self.state else { return f.write_str("nobody") };
        let names: Vec<&str> = handles.who.names().map(Identifier::as_str).collect();
        write!(f, "{} {}", handles.role, names.join(" and "))
    }
}
