//! Why a vault does not do what it is asked.

use std::fmt;
use std::io;

use super::{BadEntry, Kind, Protector, Role, WrapError};
use prepay_basics::codec::DecodeError;
use prepay_basics::{Identifier, Moment, NoEntropy};

/// Why an open vault did not do something.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VaultError {
    /// The storage failed, now or before. What was not acknowledged may or may not have happened: open the
    /// vault again, then repeat.
    Broken {
        /// What was seen.
        problem: String,
    },
    /// The vault is locked; nothing was done. Open it again.
    Locked,
    /// The session may not do this.
    Access(AccessError),
    /// The source of randomness failed; nothing was done.
    NoEntropy,
    /// The entry is larger than the log takes; nothing was done.
    TooLarge,
    /// The passphrase is too short; nothing was done.
    ShortPassphrase {
        /// How many bytes it needs.
        expected: usize,
    },
    /// The wrapper did not answer; nothing was done.
    Wrapper(WrapError),
}

/// Why a session may not do something.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccessError {
    /// The session was opened at another vault, or before this one was opened.
    OtherVault,
    /// The person was removed or has another passphrase now: sign in again.
    Ended,
    /// Another role is needed.
    Role {
        /// The role of the session.
        found: Role,
    },
}

/// Why two sessions are no quorum.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum QuorumError {
    /// Both sessions are of one person.
    SamePerson,
    /// One of them is no custodian.
    NotCustodian {
        /// Who.
        name: Identifier,
        /// What that person is.
        role: Role,
    },
    /// They were opened at different vaults.
    OtherVault,
}

/// Why nobody was signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignInError {
    /// Nobody has this name and this passphrase.
    Wrong,
    /// Too many failures under this name: nothing was looked at.
    Wait {
        /// Until when.
        until: Moment,
    },
    /// The vault could not look, or could not keep that it did.
    Vault(VaultError),
}

/// Why the people of a vault stay as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserError {
    /// Somebody has this name already.
    Exists,
    /// Nobody has this name.
    Unknown,
    /// Fewer than two custodians would be left.
    TooFewCustodians,
    /// The old passphrase is not right, or too often was not.
    SignIn(SignInError),
    /// The vault did not do it.
    Vault(VaultError),
}

/// Why no vault was made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CreateError {
    /// There is something already.
    NotEmpty,
    /// The place failed.
    Storage {
        /// What was seen.
        problem: String,
    },
    /// A vault starts with at least two custodians.
    TooFewCustodians,
    /// Two people of one name.
    SameName {
        /// The name.
        name: Identifier,
    },
    /// The vault did not do it.
    Vault(VaultError),
}

/// Why a vault does not open. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenError {
    /// There is none.
    NotThere,
    /// The place failed.
    Storage {
        /// What was seen.
        problem: String,
    },
    /// The store is no vault.
    NotAVault,
    /// The store is of a version that this program does not know.
    Version,
    /// The store is damaged.
    Damaged {
        /// What is wrong.
        problem: String,
    },
    /// It is a vault of another kind.
    Kind {
        /// What was to be opened.
        expected: Kind,
        /// The number of the kind that is there.
        found: u8,
    },
    /// Something else unlocks this vault.
    Protector {
        /// What unlocks it.
        expected: Protector,
        /// What was offered.
        found: Protector,
    },
    /// The passphrase, key file or wrapper is not this vault's, or the sealed key is damaged.
    WrongSecret,
    /// The wrapper did not answer.
    Wrapper(WrapError),
    /// The head is missing, damaged or another vault's.
    Head {
        /// What is wrong.
        problem: &'static str,
    },
    /// The audit log ends too early: entries that were acknowledged are missing.
    Cut {
        /// How many bytes it had at least.
        expected: u64,
        /// How many it has.
        found: u64,
    },
    /// An entry of the audit log is not what it was.
    BadEntry(BadEntry),
    /// An entry that the store must already hold is not in it: the store is older than the log.
    Replay {
        /// The entry.
        sequence: u64,
        /// What is wrong.
        problem: String,
    },
    /// The source of randomness failed.
    NoEntropy,
    /// The vault opened but could not put its log in order.
    Vault(VaultError),
}

/// Why no vault was made from a back-up.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RestoreError {
    /// The file is no back-up of this version.
    NotABackup,
    /// The file is damaged.
    Damaged {
        /// What is wrong.
        problem: String,
    },
    /// It is the back-up of another kind of vault.
    Kind {
        /// What was to be restored.
        expected: Kind,
        /// The number of the kind that is there.
        found: u8,
    },
    /// Other custodians hold it.
    Custodians {
        /// Who.
        expected: [Identifier; 2],
    },
    /// One of the passphrases is wrong, or both.
    WrongSecret,
    /// No vault was made.
    Create(CreateError),
}

/// Why the audit log could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditError {
    /// The place failed.
    Storage {
        /// What was seen.
        problem: String,
    },
    /// An entry is not what it was.
    BadEntry(BadEntry),
    /// The vault did not do it.
    Vault(VaultError),
}

impl VaultError {
    /// Whether it may have been done all the same, because the storage failed on the way.
    pub const fn may_be_done(&self) -> bool {
        matches!(self, Self::Broken { .. })
    }
}

impl CreateError {
    /// Whether there may be a vault all the same, because the storage failed on the way.
    pub const fn may_be_done(&self) -> bool {
        match self {
            Self::Storage { .. } => true,
            Self::Vault(error) => error.may_be_done(),
            Self::NotEmpty | Self::TooFewCustodians | Self::SameName { .. } => false,
        }
    }
}

impl RestoreError {
    /// Whether there may be a vault all the same, because the storage failed on the way.
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

/// Makes errors of errors.
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

/// Makes errors of what a place reports.
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
                write!(f, "the vault's storage failed, open the vault again: {problem}")
            }
            Self::Locked => f.write_str("the vault is locked"),
            Self::Access(error) => error.fmt(f),
            Self::NoEntropy => NoEntropy.fmt(f),
            Self::TooLarge => f.write_str("the entry is too large for the audit log"),
            Self::ShortPassphrase { expected } => {
                write!(f, "the passphrase is too short: expected at least {expected} bytes")
            }
            Self::Wrapper(error) => error.fmt(f),
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
            Self::Exists => f.write_str("somebody has this name already"),
            Self::Unknown => f.write_str("nobody has this name"),
            Self::TooFewCustodians => f.write_str("two custodians must be left"),
            Self::SignIn(error) => error.fmt(f),
            Self::Vault(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for CreateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotEmpty => f.write_str("there is a vault already, or a part of one"),
            Self::Storage { problem } => write!(f, "the storage failed: {problem}"),
            Self::TooFewCustodians => f.write_str("a vault needs at least two custodians"),
            Self::SameName { name } => write!(f, "two people are called {name}"),
            Self::Vault(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotThere => f.write_str("there is no vault"),
            Self::Storage { problem } => write!(f, "the storage failed: {problem}"),
            Self::NotAVault => f.write_str("the store is no vault"),
            Self::Version => f.write_str("the store is of an unknown version: expected 1"),
            Self::Damaged { problem } => write!(f, "the store is damaged: {problem}"),
            Self::Kind { expected, found } => {
                write!(f, "a vault of another kind: expected {expected}, found kind {found}")
            }
            Self::Protector { expected, found } => {
                write!(f, "the vault is unlocked otherwise: expected {expected}, found {found}")
            }
            Self::WrongSecret => f.write_str("this does not unlock the vault"),
            Self::Wrapper(error) => error.fmt(f),
            Self::Head { problem } => write!(f, "the head of the audit log is {problem}"),
            Self::Cut { expected, found } => {
                write!(f, "the audit log is cut: expected at least {expected} bytes, found {found}")
            }
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
            Self::NotABackup => f.write_str("the file is no back-up of version 1"),
            Self::Damaged { problem } => write!(f, "the back-up is damaged: {problem}"),
            Self::Kind { expected, found } => {
                write!(f, "a back-up of another kind: expected {expected}, found kind {found}")
            }
            Self::Custodians { expected: [first, second] } => {
                write!(f, "the back-up is held by {first} and {second}")
            }
            Self::WrongSecret => f.write_str("these passphrases do not open the back-up"),
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
