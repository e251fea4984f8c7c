//! The people of a vault: roles, sign-in, and dual control.
//!
//! | failures in a row | 1 | 2 | 3 | 4 | 5 | ... | 13 and more |
//! |-------------------|---|---|---|---|---|-----|-------------|
//! | seconds of waiting | 0 | 0 | 1 | 2 | 4 | doubled | 900 |
//!
//! During the wait every attempt is refused, even with the right passphrase. All unknown names share one count, and
//! an attempt takes as long as for a known name. A wait that a clock ahead of time began is shortened once the clock is
//! right again: it then begins anew (`timeline.rs`).
//!
//! - Elsewhere: recording a failure before it is answered (`sign_in.rs`).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::secret::{Cost, Key};
use super::shares::ShareKey;
use super::{AccessError, QuorumError, Secret, SignInError, VaultError, seal};
use prepay_basics::codec::{DecodeError, Reader, Writer};
use prepay_basics::{Entropy, Identifier, Moment, NoEntropy};

/// What a person may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Makes important changes, always two custodians together.
    Custodian,
    /// Does daily work.
    Operator,
    /// Reads only.
    Auditor,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 3] = [Self::Custodian, Self::Operator, Self::Auditor];

    /// The name of the role.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Custodian => "custodian",
            Self::Operator => "operator",
            Self::Auditor => "auditor",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Role {
    type Err = ParseRoleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|role| role.name() == text);
        found.ok_or_else(|| ParseRoleError { found: text.to_owned() })
    }
}

/// The text is not a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseRoleError {
    found: String,
}

impl fmt::Display for ParseRoleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "role: expected custodian, operator or auditor, found {:?}", self.found)
    }
}

impl std::error::Error for ParseRoleError {}

prepay_basics::field_as_text! {
    Role, "a role";
}

/// A person to add.
#[derive(Clone, Copy)]
pub struct NewUser<'a> {
    /// The name, different from all others.
    pub name: &'a Identifier,
    /// The role.
    pub role: Role,
    /// The first passphrase.
    pub passphrase: &'a Secret,
}

/// A person of the vault, as reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserReport {
    /// The name.
    pub name: Identifier,
    /// The role.
    pub role: Role,
    /// How many sign-ins in a row have failed.
    pub failures: u32,
    /// Until when sign-in under this name is refused.
    pub wait_until: Moment,
}

/// A person who has signed in at a vault, for as long as it stays open.
#[derive(Clone)]
pub struct Session {
    pub(super) name: Identifier,
    pub(super) role: Role,
    pub(super) vault: [u8; 16],
    pub(super) passphrase: u32,
}

impl Session {
    /// The name.
    pub const fn name(&self) -> &Identifier {
        &self.name
    }

    /// In which role.
    pub const fn role(&self) -> Role {
        self.role
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({}, {})", self.name, self.role)
    }
}

/// Two different custodians acting together.
#[derive(Clone, Debug)]
pub struct Quorum {
    first: Session,
    second: Session,
}

impl Quorum {
    /// Joins the sessions of two custodians.
    ///
    /// # Errors
    ///
    /// [`QuorumError`] if they are the same person, not both custodians, or of different vaults.
    pub fn new(first: Session, second: Session) -> Result<Self, QuorumError> {
        if first.vault != second.vault {
            return Err(QuorumError::OtherVault);
        }
        for Session { name, role, .. } in [&first, &second] {
            if *role != Role::Custodian {
                return Err(QuorumError::NotCustodian { name: name.clone(), role: *role });
            }
        }
        if first.name == second.name {
            return Err(QuorumError::SamePerson);
        }
        Ok(Self { first, second })
    }

    /// Who they are.
    pub const fn names(&self) -> [&Identifier; 2] {
        [&self.first.name, &self.second.name]
    }

    pub(super) const fn sessions(&self) -> [&Session; 2] {
        [&self.first, &self.second]
    }
}

/// Who acts: one person, or two custodians together.
#[derive(Clone, Debug)]
pub enum Actor {
    /// One person.
    One(Session),
    /// Two custodians.
    Two(Quorum),
}

impl Actor {
    /// The same, borrowed.
    pub const fn by(&self) -> By<'_> {
        match self {
            Self::One(session) => By::One(session),
            Self::Two(quorum) => By::Two(quorum),
        }
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &Identifier> {
        self.by().sessions().map(Session::name)
    }
}

impl From<Session> for Actor {
    fn from(session: Session) -> Self {
        Self::One(session)
    }
}

impl From<Quorum> for Actor {
    fn from(quorum: Quorum) -> Self {
        Self::Two(quorum)
    }
}

/// Who does something.
#[derive(Clone, Copy, Debug)]
pub enum By<'a> {
    /// One person.
    One(&'a Session),
    /// Two custodians.
    Two(&'a Quorum),
}

impl<'a> By<'a> {
    pub(super) fn sessions(self) -> impl Iterator<Item = &'a Session> {
        let [first, second] = match self {
            Self::One(session) => [Some(session), None],
            Self::Two(quorum) => quorum.sessions().map(Some),
        };
        first.into_iter().chain(second)
    }
}

/// How many sign-ins in a row have failed, and the resulting wait.
#[derive(Clone, Copy)]
pub(super) struct Failures {
    pub(super) count: u32,
    pub(super) wait_until: Moment,
}

impl Failures {
    pub(super) const NONE: Self = Self { count: 0, wait_until: Moment::MIN };

    /// The longest wait, in seconds.
    const LONGEST_WAIT: u64 = 900;

    /// Counts one more failure.
    pub(super) fn one_more(self, now: Moment) -> Self {
        let count = self.count.saturating_add(1);
        Self { count, wait_until: now.plus_seconds(Self::wait(count)) }
    }

    /// The wait after so many failures, in seconds.
    const fn wait(count: u32) -> u64 {
        match count {
            0..=2 => 0,
            3..=12 => 1 << (count - 3),
            _ => Self::LONGEST_WAIT,
        }
    }

    /// When the wait began.
    const fn since(&self) -> u64 {
        self.wait_until.unix_seconds().saturating_sub(Self::wait(self.count))
    }

    fn encode(&self, writer: &mut Writer) {
        writer.u32(self.count);
        writer.u64(self.wait_until.unix_seconds());
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = reader.u32()?;
        let error = reader.error("a moment");
        let wait_until = Moment::from_unix_seconds(reader.u64()?).ok_or(error)?;
        Ok(Self { count, wait_until })
    }
}

/// Verifies that somebody knows a passphrase.
pub(super) struct Verifier {
    pub(super) cost: Cost,
    pub(super) salt: [u8; 16],
    pub(super) derived: Key,
}

impl Verifier {
    pub(super) fn new(
        passphrase: &Secret,
        cost: Cost,
        entropy: &mut dyn Entropy,
    ) -> Result<Self, NoEntropy> {
        let mut salt = [0; 16];
        entropy.fill(&mut salt)?;
        Ok(Self { cost, salt, derived: cost.derive(passphrase.expose_bytes(), &salt) })
    }
}

/// A person.
pub(super) struct User {
    pub(super) role: Role,
    pub(super) verifier: Verifier,
    /// For what the share of a custodian is sealed; nobody else has one.
    pub(super) share: Option<ShareKey>,
    /// Rises with every new passphrase, which ends sessions under the old one.
    pub(super) passphrase: u32,
    pub(super) failures: Failures,
}

impl User {
    /// A person with a first passphrase.
    pub(super) fn new(
        role: Role,
        passphrase: &Secret,
        insecure_test: bool,
        entropy: &mut dyn Entropy,
    ) -> Result<Self, VaultError> {
        seal::check_length(passphrase.expose_bytes(), insecure_test)?;
        let cost = Cost::new(insecure_test);
        let verifier = Verifier::new(passphrase, cost, entropy)?;
        let share = match role {
            Role::Custodian => Some(ShareKey::new(passphrase, cost, entropy)?),
            Role::Operator | Role::Auditor => None,
        };
        Ok(Self { role, verifier, share, passphrase: 0, failures: Failures::NONE })
    }

    /// The session of this person, who has signed in.
    pub(super) fn session(&self, name: &Identifier, vault: [u8; 16]) -> Session {
        Session { name: name.clone(), role: self.role, vault, passphrase: self.passphrase }
    }
}

/// All people of a vault.
pub(super) struct People {
    pub(super) users: BTreeMap<Identifier, User>,
    /// The failures under unknown names.
    pub(super) unknown: Failures,
}

impl People {
    pub(super) fn failures(&self, name: Option<&Identifier>) -> Failures {
        match name {
            Some(name) => self.users.get(name).map_or(Failures::NONE, |user| user.failures),
            None => self.unknown,
        }
    }

    /// Checks that sign-in under a name is not refused now.
    pub(super) fn check_wait(
        &self,
        name: Option<&Identifier>,
        now: Moment,
    ) -> Result<(), SignInError> {
        let until = self.failures(name).wait_until;
        if now < until { Err(SignInError::Wait { until }) } else { Ok(()) }
    }

    pub(super) fn set_failures(&mut self, name: Option<&Identifier>, failures: Failures) {
        match name {
            Some(name) => {
                if let Some(user) = self.users.get_mut(name) {
                    user.failures = failures;
                }
            }
            None => self.unknown = failures,
        }
    }

    fn all_failures(&mut self) -> impl Iterator<Item = &mut Failures> {
        self.users.values_mut().map(|user| &mut user.failures).chain([&mut self.unknown])
    }

    /// Shortens every wait that began after `now`, by a clock that was ahead, as if it began now.
    pub(super) fn cap_waits(&mut self, now: Moment) {
        for failures in self.all_failures() {
            let most = now.plus_seconds(Failures::wait(failures.count));
            failures.wait_until = failures.wait_until.min(most);
        }
    }

    /// When the latest wait began.
    pub(super) fn latest_wait(&mut self) -> Moment {
        let since = self.all_failures().map(|failures| failures.since()).max();
        since.and_then(Moment::from_unix_seconds).unwrap_or(Moment::MIN)
    }

    pub(super) fn custodians(&self) -> usize {
        self.users.values().filter(|user| user.role == Role::Custodian).count()
    }

    /// For what the shares of the custodians are sealed, in the order of their names.
    pub(super) fn shares(&self) -> Vec<(&Identifier, &ShareKey)> {
        let share = self.users.iter().map(|(name, user)| Some((name, user.share.as_ref()?)));
        share.flatten().collect()
    }

    /// Checks that a session is still valid here.
    pub(super) fn check(&self, session: &Session, vault: &[u8; 16]) -> Result<(), AccessError> {
        if session.vault != *vault {
            return Err(AccessError::OtherVault);
        }
        match self.users.get(&session.name) {
            Some(user) if user.role == session.role && user.passphrase == session.passphrase => {
                Ok(())
            }
            _ => Err(AccessError::Ended),
        }
    }

    pub(super) fn encode(&self, writer: &mut Writer) {
        writer.list(&self.users, |writer, (name, user)| {
            writer.text(name.as_str());
            writer.text(user.role.name());
            user.verifier.cost.encode(writer);
            writer.array(&user.verifier.salt);
            writer.array(user.verifier.derived.expose_bytes());
            writer.u32(user.passphrase);
            user.failures.encode(writer);
            writer.option(user.share.as_ref(), |writer, share| share.encode(writer));
        });
        self.unknown.encode(writer);
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let error = reader.error("people of different names");
        let users = reader.list(|reader| {
            let name: Identifier = reader.parse("a person")?;
            let role = reader.parse("a role")?;
            let cost = Cost::decode(reader)?;
            let salt = reader.array()?;
            let mut derived = Key::zero();
            derived.bytes().copy_from_slice(reader.take(32)?);
            let verifier = Verifier { cost, salt, derived };
            let passphrase = reader.u32()?;
            let failures = Failures::decode(reader)?;
            let share = reader.option(ShareKey::decode)?;
            Ok((name, User { role, verifier, share, passphrase, failures }))
        })?;
        let count = users.len();
        let users: BTreeMap<_, _> = users.into_iter().collect();
        if users.len() != count {
            return Err(error);
        }
        Ok(Self { users, unknown: Failures::decode(reader)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_doubles_up_to_a_quarter_of_an_hour() {
        // (failures, seconds): both sides of each step of the rule.
        const CASES: &[(u32, u64)] =
            &[(1, 0), (2, 0), (3, 1), (4, 2), (5, 4), (12, 512), (13, 900), (u32::MAX, 900)];
        for &(count, seconds) in CASES {
            let before = Failures { count: count - 1, wait_until: Moment::MIN };
            let after = before.one_more(Moment::MIN);
            assert_eq!(after.count, count);
            assert_eq!(after.wait_until.unix_seconds(), seconds, "failures = {count}");
        }
        let most = Failures { count: u32::MAX, wait_until: Moment::MIN };
        assert_eq!(most.one_more(Moment::MAX).wait_until, Moment::MAX);
    }

    #[test]
    fn roles_agree_with_their_names_both_ways() {
        for role in Role::ALL {
            assert_eq!(role.to_string().parse(), Ok(role));
        }
        assert!("Custodian".parse::<Role>().is_err());
    }
}
