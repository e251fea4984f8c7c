//! The errors of a vault.

use std::fmt;
use std::io;

use super::{AuditMark, BadEntry, Kind, Protector, Role, WrapError};
use super::{backup, seal};
use prepay_basics::codec::DecodeError;
use prepay_basics::{Identifier, Moment, NoEntropy};

/// Why an open vault refused or failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VaultError {
    /// The storage failed, now or earlier. What was not acknowledged may or may not be done: open the vault again,
    /// then repeat it.
    Broken {
        /// What it reported.
        problem: String,
    },
    /// The vault is locked; nothing was done. Open it again.
    Locked,
    /// The clock is far behind the time that the vault has seen; nothing was done. Set the clock right, or let two
    /// custodians accept its time.
    ClockBehind {
        /// The latest time that the vault has seen.
        expected: Moment,
        /// The time of the clock.
        found: Moment,
    },
    /// The witness cannot be asked, so nobody knows whether an older copy of the vault was put back; nothing was done. Bring
    /// the witness back and open the vault again, or let two custodians name another one.
    WitnessMissing {
        /// Its place.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A copy of the vault was opened since, and told the witness; nothing was done, and the vault stops.
    Copied {
        /// The place of the witness.
        place: String,
    },
    /// The session may not do this.
    Access(AccessError),
    /// The source of randomness failed; nothing was done.
    NoEntropy,
    /// The entry is too large for the log; nothing was done.
    TooLarge,
    /// The passphrase is too short; nothing was done.
    ShortPassphrase {
        /// How many bytes it needs.
        expected: usize,
    },
    /// The wrapper failed; nothing was done.
    Wrapper(WrapError),
    /// So many custodians cannot open this vault together; nothing was done.
    Threshold {
        /// How many were to open it.
        threshold: u8,
        /// How many custodians there are, or would be.
        custodians: usize,
    },
}

/// Why a session was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccessError {
    /// The session is of another vault, or of an earlier opening of this one.
    OtherVault,
    /// The person was removed or has a new passphrase: sign in again.
    Ended,
    /// Another role is needed.
    Role {
        /// The role of the session.
        found: Role,
    },
}

/// Why two sessions cannot act together.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum QuorumError {
    /// Both sessions are of one person.
    SamePerson,
    /// One of them is not a custodian.
    NotCustodian {
        /// Who.
        name: Identifier,
        /// That person's role.
        role: Role,
    },
    /// They are of different vaults.
    OtherVault,
}

/// Why a sign-in failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignInError {
    /// The name or the passphrase is wrong.
    Wrong,
    /// Too many failures under this name: the passphrase was not checked.
    Wait {
        /// Until when.
        until: Moment,
    },
    /// The vault could not check the passphrase, or could not record the attempt.
    Vault(VaultError),
}

/// Why the people of a vault were not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserError {
    /// The name is already used.
    Exists,
    /// Nobody has this name.
    Unknown,
    /// Fewer than two custodians would be left.
    TooFewCustodians,
    /// The old passphrase is wrong, or was wrong too often.
    SignIn(SignInError),
    /// The vault refused or failed.
    Vault(VaultError),
}

/// Why a vault was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CreateError {
    /// The storage is not empty.
    NotEmpty,
    /// The storage failed.
    Storage {
        /// What it reported.
        problem: String,
    },
    /// A vault needs at least two custodians.
    TooFewCustodians,
    /// Two people have the same name.
    SameName {
        /// The name.
        name: Identifier,
    },
    /// The vault refused or failed.
    Vault(VaultError),
}

/// Why a vault did not open. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no vault.
    NotThere,
    /// The store is gone, but there is an audit log.
    StoreLost,
    /// The storage failed.
    Storage {
        /// What it reported.
        problem: String,
    },
    /// The store is not that of a vault.
    NotAVault,
    /// The store has a version that this program does not know.
    Version,
    /// The store is damaged.
    Damaged {
        /// What is wrong.
        problem: String,
    },
    /// It is a vault of another kind.
    Kind {
        /// The kind expected.
        expected: Kind,
        /// The number of the kind found.
        found: u8,
    },
    /// Something else unlocks this vault.
    Protector {
        /// What unlocks it.
        expected: Protector,
        /// What was given.
        found: Protector,
    },
    /// The vault is opened by other custodians, or more or fewer of them.
    Shares {
        /// How many of them.
        threshold: u8,
        /// All who have a share.
        custodians: Vec<Identifier>,
    },
    /// A passphrase, the key file or the wrapper is the wrong one, or the sealed key is damaged.
    WrongSecret,
    /// The wrapper failed.
    Wrapper(WrapError),
    /// The head is missing, damaged or of another vault.
    Head {
        /// What is wrong.
        problem: &'static str,
    },
    /// The audit log is too short: acknowledged entries are missing.
    Cut {
        /// Its least length in bytes.
        expected: u64,
        /// Its length in bytes.
        found: u64,
    },
    /// The log goes back behind the witness: an older copy was put back, or the log goes on from one.
    WentBack {
        /// The place of the witness.
        place: String,
        /// The entry that it has.
        expected: AuditMark,
        /// The last entry of the log, or the one in its place.
        found: AuditMark,
    },
    /// An entry of the audit log was changed.
    BadEntry(BadEntry),
    /// The store lacks the effect of an entry that it must have: the store is older than the log.
    Replay {
        /// The entry.
        sequence: u64,
        /// What is wrong.
        problem: String,
    },
    /// The source of randomness failed.
    NoEntropy,
    /// The vault could not repair the end of its log.
    Vault(VaultError),
}

/// Why a vault was not restored from a back-up.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RestoreError {
    /// The file is not a back-up, or has another version.
    NotABackup,
    /// The file is damaged.
    Damaged {
        /// What is wrong.
        problem: String,
    },
    /// The back-up is of another kind of vault.
    Kind {
        /// The kind expected.
        expected: Kind,
        /// The number of the kind found.
        found: u8,
    },
    /// The back-up belongs to other custodians.
    Custodians {
        /// Who.
        expected: [Identifier; 2],
    },
    /// One or both passphrases are wrong.
    WrongSecret,
    /// The vault was not made.
    Create(CreateError),
}

/// Why the audit log could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditError {
    /// The storage failed.
    Storage {
        /// What it reported.
        problem: String,
    },
    /// An entry was changed.
    BadEntry(BadEntry),
    /// The vault refused or failed.
    Vault(VaultError),
}

impl VaultError {
    /// Whether it may have been done nevertheless, because the storage failed half-way.
    pub const fn may_be_done(&self) -> bool {
        matches!(self, Self::Broken { .. })
    }
}

impl CreateError {
    /// Whether a vault may exist nevertheless, because the storage failed half-way.
    pub const fn may_be_done(&self) -> bool {
        match self {
            Self::Storage { .. } => true,
            Self::Vault(error) => error.may_be_done(),
            Self::NotEmpty | Self::TooFewCustodians | Self::SameName { .. } => false,
        }
    }
}

impl RestoreError {
    /// Whether a vault may exist nevertheless, because the storage failed half-way.
    pub const fn may_be_done(&self) -> bool {
        match self {
            Self::Create(error) => error.may_be_done(),
            _ => false,
        }
    }
}

impl From<AccessError> for VaultError {
    fn from(error: AccessError) -> Self {
        Self::Access(error)
    }
}

impl From<NoEntropy> for VaultError {
    fn from(NoEntropy: NoEntropy) -> Self {
        Self::NoEntropy
    }
}

impl From<WrapError> for VaultError {
    fn from(error: WrapError) -> Self {
        Self::Wrapper(error)
    }
}

/// Converts errors into errors.
macro_rules! from {
    ($($from:ty => $to:ident::$variant:ident),* $(,)?) => {$(
        impl From<$from> for $to {
            fn from(error: $from) -> Self {
                Self::$variant(error)
            }
        }
    )*};
}

from! {
    VaultError => SignInError::Vault,
    VaultError => UserError::Vault,
    SignInError => UserError::SignIn,
    VaultError => CreateError::Vault,
    VaultError => OpenError::Vault,
    VaultError => AuditError::Vault,
    CreateError => RestoreError::Create,
    BadEntry => OpenError::BadEntry,
    BadEntry => AuditError::BadEntry,
}

/// Converts errors of the storage.
macro_rules! from_io {
    ($($to:ident),*) => {$(
        impl From<io::Error> for $to {
            fn from(error: io::Error) -> Self {
                Self::Storage { problem: error.to_string() }
            }
        }
    )*};
}

from_io!(CreateError, OpenError, AuditError);

impl From<DecodeError> for OpenError {
    fn from(error: DecodeError) -> Self {
        Self::Damaged { problem: error.to_string() }
    }
}

impl From<DecodeError> for RestoreError {
    fn from(error: DecodeError) -> Self {
        Self::Damaged { problem: error.to_string() }
    }
}

impl fmt::Display for VaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken { problem } => {
                write!(f, "the vault's storage failed; open the vault again: {problem}")
            }
            Self::Locked => f.write_str("the vault is locked"),
            Self::ClockBehind { expected, found } => write!(
                f,
                "the clock was put back: expected at most 24 hours before {expected}, found {found}"
            ),
            Self::WitnessMissing { place, problem } => {
                write!(f, "the witness {place} cannot be asked: {problem}")
            }
            Self::Copied { place } => write!(
                f,
                "a copy of this vault was opened since, as the witness {place} says: this one has stopped"
            ),
            Self::Access(error) => error.fmt(f),
            Self::NoEntropy => NoEntropy.fmt(f),
            Self::TooLarge => f.write_str("the entry is too large for the audit log"),
            Self::ShortPassphrase { expected } => {
                write!(f, "the passphrase is too short: expected at least {expected} bytes")
            }
            Self::Wrapper(error) => error.fmt(f),
            Self::Threshold { threshold, custodians } => write!(
                f,
                "shares for {threshold} of {custodians} custodians: expected 2 or more of them, and at most 1000 ways \
                 to choose them"
            ),
        }
    }
}

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherVault => f.write_str("the session is of another vault: sign in again"),
            Self::Ended => f.write_str("the session has ended: sign in again"),
            Self::Role { found } => write!(f, "the role {found} may not do this"),
        }
    }
}

impl fmt::Display for QuorumError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SamePerson => f.write_str("two different custodians are needed"),
            Self::NotCustodian { name, role } => {
                write!(f, "two custodians are needed: {name} has the role {role}")
            }
            Self::OtherVault => f.write_str("the sessions are of different vaults"),
        }
    }
}

impl fmt::Display for SignInError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong => f.write_str("wrong name or passphrase"),
            Self::Wait { until } => write!(f, "too many failures: try again at {until}"),
            Self::Vault(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for UserError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists => f.write_str("this name is already used"),
            Self::Unknown => f.write_str("there is nobody with this name"),
            Self::TooFewCustodians => f.write_str("at least two custodians must remain"),
            Self::SignIn(error) => error.fmt(f),
            Self::Vault(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for CreateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotEmpty => f.write_str("expected no vault, found one, or a part of one"),
            Self::Storage { problem } => write!(f, "the storage failed: {problem}"),
            Self::TooFewCustodians => f.write_str("a vault needs at least two custodians"),
            Self::SameName { name } => write!(f, "two people have the name {name}"),
            Self::Vault(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotThere => f.write_str("there is no vault"),
            Self::StoreLost => f.write_str("expected a store beside the audit log, found none"),
            Self::Storage { problem } => write!(f, "the storage failed: {problem}"),
            Self::NotAVault => f.write_str("the store is not that of a vault"),
            Self::Version => {
                write!(f, "the store has an unknown version: expected {}", seal::VERSION)
            }
            Self::Damaged { problem } => write!(f, "the store is damaged: {problem}"),
            Self::Kind { expected, found } => {
                write!(f, "wrong kind of vault: expected {expected}, found kind {found}")
            }
            Self::Protector { expected, found } => {
                write!(f, "to unlock the vault: expected {expected}, found {found}")
            }
            Self::Shares { threshold, custodians } => {
                let names: Vec<&str> = custodians.iter().map(Identifier::as_str).collect();
                let names = names.join(", ");
                write!(
                    f,
                    "to unlock the vault: expected {threshold} different custodians of {names}"
                )
            }
            Self::WrongSecret => {
                f.write_str("wrong passphrase, key file or token: the vault stays locked")
            }
            Self::Wrapper(error) => error.fmt(f),
            Self::Head { problem } => write!(f, "the head of the audit log is {problem}"),
            Self::Cut { expected, found } => {
                write!(
                    f,
                    "the audit log is too short: expected at least {expected} bytes, found {found}"
                )
            }
            Self::WentBack { place, expected, found } if expected.sequence == found.sequence => {
                write!(
                    f,
                    "the audit log is that of a copy: expected entry {} as the witness {place} has it, found another",
                    expected.sequence
                )
            }
            Self::WentBack { place, expected, found } => write!(
                f,
                "the audit log went back: expected entry {}, which the witness {place} has, found entry {} as the last",
                expected.sequence, found.sequence
            ),
            Self::BadEntry(bad) => bad.fmt(f),
            Self::Replay { sequence, problem } => {
                write!(f, "entry {sequence} of the audit log does not fit the store: {problem}")
            }
            Self::NoEntropy => NoEntropy.fmt(f),
            Self::Vault(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotABackup => {
                write!(f, "the file is not a back-up of version {}", backup::VERSION)
            }
            Self::Damaged { problem } => write!(f, "the back-up is damaged: {problem}"),
            Self::Kind { expected, found } => {
                write!(f, "wrong kind of back-up: expected {expected}, found kind {found}")
            }
            Self::Custodians { expected: [first, second] } => {
                write!(f, "the back-up belongs to {first} and {second}: both must open it")
            }
            Self::WrongSecret => f.write_str("one or both passphrases of the back-up are wrong"),
            Self::Create(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for AuditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Storage { problem } => write!(f, "the storage failed: {problem}"),
            Self::BadEntry(bad) => bad.fmt(f),
            Self::Vault(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for VaultError {}
impl std::error::Error for AccessError {}
impl std::error::Error for QuorumError {}
impl std::error::Error for SignInError {}
impl std::error::Error for UserError {}
impl std::error::Error for CreateError {}
impl std::error::Error for OpenError {}
impl std::error::Error for RestoreError {}
impl std::error::Error for AuditError {}
