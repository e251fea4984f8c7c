//! Who is signed in on a connection, and what they may do.

use std::fmt;

use prepay_basics::Identifier;
use prepay_kmp::DocumentError;
use prepay_kmp::open_kmp::MAX_BYTES;
use prepay_module::ModuleFault;
use prepay_module::software::{Auditor, Custodians, Operator, SoftwareModule};
use prepay_records::hex;
use prepay_vault::{
    AccessError, Actor, AuditMark, AuditPlace, NewUser, Problem, Quorum, Role, Secret, Session,
    UserError,
};

use super::Service;
use super::answer::{
    AuditAnswer, BackupAnswer, ClockAccepted, EntryRecord, PageAnswer, PersonRecord, ServiceAnswer,
    SignedIn,
};
use super::error::ServiceError;
use super::line::Change;
use crate::answer::Answer;
use crate::custody::{CentresAnswer, Custody, CustodyAnswer, EnrolmentText, KeysOfFile};
use crate::error::SessionError;
use crate::request::{Issue, Request};
use crate::session::{Desk, Made, Station};

/// How many bytes of the log one answer is made of.
const PAGE_BYTES: u64 = 256 * 1024;

/// The people of a connection.
pub(super) struct Person<'a> {
    state: State,
    service: &'a Service,
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
    /// The state of the keys that the operator's desk knows.
    keys: u64,
    custodians: Option<Custodians>,
    document: Document,
    /// What the key-load file that was sent changes, as it was shown.
    shown: Option<KeysOfFile>,
    /// Where the last page of the log ended.
    place: Option<AuditPlace>,
}

/// A text from a centre, as far as it has arrived.
#[derive(Default)]
struct Document {
    text: String,
    /// Whether the next part begins another text.
    is_whole: bool,
}

impl<'a> Person<'a> {
    pub(super) const fn new(service: &'a Service) -> Self {
        Self { state: State::Nobody, service }
    }

    /// The module.
    const fn module(&self) -> &'a SoftwareModule {
        &self.service.module
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
    pub(super) fn sign_in(&mut self, session: Session) -> Result<ServiceAnswer, ServiceError> {
        let module = self.module();
        let (name, role) = (session.name().to_string(), session.role());
        let who: Actor = match self.handles().map(|handles| &handles.who) {
            Ok(Actor::One(first)) => {
                Quorum::new(first.clone(), session).map_err(ServiceError::Quorum)?.into()
            }
            _ => session.into(),
        };
        let keys = *self.service.keys();
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
        let custodians = match &who {
            Actor::Two(both) => {
                Some(module.custodians(both.clone()).map_err(ServiceError::Access)?)
            }
            Actor::One(_) => None,
        };
        let dual_control = custodians.is_some();
        let (document, shown, place) = (Document::default(), None, None);
        let handles =
            Handles { who, role, reader, operator, keys, custodians, document, shown, place };
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
    pub(super) fn audit(&mut self, from: u64, count: usize) -> Result<ServiceAnswer, ServiceError> {
        let module = self.module();
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
        noted: Option<AuditMark>,
    ) -> Result<ServiceAnswer, ServiceError> {
        let by = self.handles()?.who.by();
        let report =
            self.module().vault().verify_audit_noted(by, noted).map_err(ServiceError::Audit)?;
        match (&report.first_bad, noted) {
            (None, _) => Ok(ServiceAnswer::Audit(AuditAnswer::from(&report))),
            (Some(bad), Some(noted))
                if matches!(
                    bad.problem,
                    Problem::OtherChain | Problem::Missing | Problem::Earlier | Problem::Elsewhere
                ) =>
            {
                let problem = format!("entry {} as noted is not in the log: {bad}", noted.sequence);
                Err(ServiceError::Noted { problem })
            }
            (Some(bad), _) => Err(ServiceError::Audit(bad.clone().into())),
        }
    }

    /// Rotates the audit log.
    pub(super) fn audit_rotate(&self) -> Result<ServiceAnswer, ServiceError> {
        let segment = self.module().vault().rotate(self.handles()?.who.by());
        Ok(ServiceAnswer::Rotated((&segment.map_err(ServiceError::Vault)?).into()))
    }

    /// A back-up, under a passphrase of each custodian.
    pub(super) fn backup(&self, passphrases: [&Secret; 2]) -> Result<ServiceAnswer, ServiceError> {
        let (module, quorum) = (self.module(), self.two()?);
        let bytes = module.vault().backup(quorum, passphrases).map_err(ServiceError::Vault)?;
        Ok(ServiceAnswer::Backup(BackupAnswer {
            module: module.module().to_string(),
            backup: hex::encode(&bytes),
            custodians: quorum.names().map(Identifier::to_string),
        }))
    }

    /// The people of the module.
    pub(super) fn users(&self) -> Result<ServiceAnswer, ServiceError> {
        let by = self.handles()?.who.by();
        let users = self.module().vault().users(by).map_err(ServiceError::Vault)?;
        Ok(ServiceAnswer::People { people: users.iter().map(PersonRecord::from).collect() })
    }

    /// The centres that the module knows.
    pub(super) fn slots(&self) -> Result<ServiceAnswer, ServiceError> {
        let centres = CentresAnswer::of(&self.handles()?.reader);
        centres.map(ServiceAnswer::Centres).map_err(|fault| self.ended(fault))
    }

    /// The module's enrolment.
    pub(super) fn enrolment(&self) -> Result<ServiceAnswer, ServiceError> {
        let text = EnrolmentText::of(&self.handles()?.reader);
        text.map(ServiceAnswer::Enrolment).map_err(|fault| self.ended(fault))
    }

    /// Takes in a part of a text from a centre.
    pub(super) fn document(&mut self, part: &str) -> Result<ServiceAnswer, ServiceError> {
        self.two()?;
        let Handles { document, shown, .. } = self.handles_mut()?;
        if std::mem::take(&mut document.is_whole) {
            document.text.clear();
        }
        *shown = None;
        let bytes = document.text.len() + part.len();
        if bytes > MAX_BYTES {
            document.is_whole = true;
            let error = DocumentError::Size { most: MAX_BYTES, found: bytes };
            return Err(ServiceError::Document(error));
        }
        document.text.push_str(part);
        Ok(ServiceAnswer::Document { bytes })
    }

    /// What the key-load file that was sent changes.
    pub(super) fn preview(&mut self) -> Result<ServiceAnswer, ServiceError> {
        let answer = self.with_document(|document| Custody::Preview { document })?;
        if let CustodyAnswer::Keys(shown) = &answer {
            self.handles_mut()?.shown = Some(shown.clone());
        }
        Ok(ServiceAnswer::Custody(answer))
    }

    /// Changes the module.
    pub(super) fn change(&mut self, change: Change) -> Result<ServiceAnswer, ServiceError> {
        let vault = self.module().vault();
        let person = |name: Identifier, changed: Result<(), UserError>| {
            changed.map_err(ServiceError::User)?;
            Ok(ServiceAnswer::Person { name: name.to_string() })
        };
        let custody = match &change {
            Change::AddUser { name, role, passphrase } => {
                let user = NewUser { name, role: *role, passphrase };
                let added = vault.add_user(self.two()?, user);
                return person(name.clone(), added);
            }
            Change::RemoveUser { name } => {
                let removed = vault.remove_user(self.two()?, name);
                return person(name.clone(), removed);
            }
            Change::SetPassphrase { name, passphrase } => {
                let set = vault.set_passphrase(self.two()?, name, passphrase);
                return person(name.clone(), set);
            }
            Change::OwnPassphrase { old, new } => {
                let Actor::One(session) = &self.handles()?.who else {
                    return Err(ServiceError::SignedIn);
                };
                let changed = vault.change_passphrase(session, old, new);
                return person(session.name().clone(), changed);
            }
            Change::AcceptClock => {
                let latest = vault.accept_clock(self.two()?).map_err(ServiceError::Vault)?;
                return Ok(ServiceAnswer::Clock(ClockAccepted {
                    time: vault.now().to_string(),
                    latest: latest.map(|latest| latest.to_string()),
                }));
            }
            Change::Load { fingerprint } => {
                let fingerprint = fingerprint.as_deref();
                return self.load(fingerprint).map(ServiceAnswer::Custody);
            }
            Change::RequestAgreement { centre } => Custody::RequestAgreement(centre),
            Change::RequestKeyLoad { centre } => Custody::RequestKeyLoad(centre),
            Change::DeleteKey { register } => Custody::DeleteKey(*register),
            Change::RevokeCentre { centre } => Custody::RevokeCentre(centre),
            Change::Refill { added } => Custody::Refill(*added),
        };
        let changes_keys = matches!(custody, Custody::DeleteKey(_));
        self.custody(&custody, changes_keys).map(ServiceAnswer::Custody)
    }

    /// Loads the text that was sent: a key-load file only if it changes what was shown.
    fn load(&mut self, fingerprint: Option<&str>) -> Result<CustodyAnswer, ServiceError> {
        let shown = self.handles_mut()?.shown.take();
        self.with_document(|document| Custody::Load {
            document,
            fingerprint,
            shown: shown.as_ref(),
        })
    }

    /// Does something with the text that was sent.
    fn with_document<'d>(
        &'d mut self,
        custody: impl FnOnce(&'d str) -> Custody<'d>,
    ) -> Result<CustodyAnswer, ServiceError> {
        self.two()?;
        let document = &mut self.handles_mut()?.document;
        document.is_whole = true;
        let document = &self.handles()?.document.text;
        if document.is_empty() {
            return Err(ServiceError::NoDocument);
        }
        let custody = custody(document);
        self.custody(&custody, matches!(custody, Custody::Load { .. }))
    }

    /// Does what two custodians ask. While keys change, nobody issues.
    fn custody(
        &self,
        custody: &Custody<'_>,
        changes_keys: bool,
    ) -> Result<CustodyAnswer, ServiceError> {
        let custodians = self.handles()?.custodians.as_ref().ok_or(ServiceError::NeedsTwo)?;
        if !changes_keys {
            return custody.carry_out(custodians);
        }
        let mut keys = self.service.keys_to_change();
        let done = custody.carry_out(custodians)?;
        *keys += 1;
        Ok(done)
    }

    /// Both custodians.
    fn two(&self) -> Result<&Quorum, ServiceError> {
        match &self.handles()?.who {
            Actor::Two(both) => Ok(both),
            Actor::One(_) => Err(ServiceError::NeedsTwo),
        }
    }

    fn handles(&self) -> Result<&Handles, ServiceError> {
        match &self.state {
            State::SignedIn(handles) => Ok(handles),
            State::Nobody => Err(ServiceError::NotSignedIn),
            State::Expired => {
                Err(ServiceError::Expired { seconds: self.service.limits.idle.as_secs() })
            }
        }
    }

    fn handles_mut(&mut self) -> Result<&mut Handles, ServiceError> {
        self.handles()?;
        match &mut self.state {
            State::SignedIn(handles) => Ok(handles),
            State::Nobody | State::Expired => Err(ServiceError::NotSignedIn),
        }
    }

    /// What an operator uses, with the keys as they are while `keys` is held.
    fn operator(&mut self, keys: u64) -> Result<&mut Desk<Box<Operator>>, ServiceError> {
        let handles = self.handles_mut()?;
        let found = handles.role;
        let desk =
            handles.operator.as_mut().ok_or(ServiceError::Access(AccessError::Role { found }))?;
        if handles.keys != keys {
            desk.refresh().map_err(ServiceError::Fault)?;
            handles.keys = keys;
        }
        Ok(desk)
    }

    /// A fault, unless it is only that whoever asks is not signed in any more: removed, or with a new passphrase.
    fn ended(&self, fault: ModuleFault) -> ServiceError {
        let vault = self.module().vault();
        let is_open = vault.with_open(|_| ()).is_ok();
        match (fault, self.handles()) {
            (ModuleFault::Closed { .. }, Ok(handles)) if is_open => {
                match vault.authorize(handles.who.by(), &Role::ALL) {
                    Err(error) => ServiceError::Access(error),
                    Ok(()) => ServiceError::Access(AccessError::Ended),
                }
            }
            (fault, _) => ServiceError::Fault(fault),
        }
    }
}

impl Station for Person<'_> {
    fn carry_out(&mut self, issues: &[Issue]) -> Result<Made, ModuleFault> {
        let service = self.service;
        let keys = service.keys(); // Held, so that no key changes between reading its base date and issuing.
        let made = match self.operator(*keys) {
            Ok(desk) => desk.carry_out(issues).map_err(ServiceError::Fault),
            Err(error) => Err(error),
        };
        let error = match made {
            Ok(made) => return Ok(made),
            Err(ServiceError::Fault(fault)) => self.ended(fault),
            Err(error) => error,
        };
        match error {
            ServiceError::Fault(fault) => Err(fault),
            error => Ok(issues.iter().map(|_| Err(error.clone().into())).collect()),
        }
    }

    fn question(&mut self, request: &Request) -> Result<Answer, SessionError> {
        let service = self.service;
        let reader = &self.handles()?.reader;
        let answer = match request {
            Request::Identify => {
                reader.identify().map(|identity| Answer::Identity(identity.into()))
            }
            Request::Status => reader
                .status()
                .map(|status| Answer::Status(service.last_check.add_to(status.into()))),
            Request::Clock => reader.clock().map(|clock| Answer::Clock(clock.into())),
            Request::Registers => reader
                .registers()
                .and_then(|registers| Ok(Answer::registers(&registers, reader.clock()?.now))),
            Request::Verify(_) | Request::Issue(_) => {
                let keys = service.keys();
                let answer = self.operator(*keys)?.question(request);
                return answer.map_err(|error| match error {
                    SessionError::Fault(fault) => self.ended(fault).into(),
                    error => error,
                });
            }
        };
        answer.map_err(|fault| self.ended(fault).into())
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
