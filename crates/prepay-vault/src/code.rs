//! The stable names of a vault's errors, for programs.

use super::error::{
    AccessError, AuditError, CreateError, OpenError, QuorumError, RestoreError, SignInError,
    UserError, VaultError,
};

impl VaultError {
    /// The stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Broken { .. } => "storage",
            Self::Locked => "closed",
            Self::Access(error) => error.code(),
            Self::NoEntropy => "entropy",
            Self::TooLarge => "vault_too_large",
            Self::ShortPassphrase { .. } => "passphrase_short",
            Self::Wrapper(_) => "wrapper",
        }
    }
}

impl AccessError {
    /// The stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OtherVault | Self::Ended => "session",
            Self::Role { .. } => "role",
        }
    }
}

impl QuorumError {
    /// The stable name.
    pub const fn code(&self) -> &'static str {
        "custodians"
    }
}

impl SignInError {
    /// The stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Wrong => "sign_in",
            Self::Wait { .. } => "sign_in_wait",
            Self::Vault(error) => error.code(),
        }
    }
}

impl UserError {
    /// The stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Exists => "user_exists",
            Self::Unknown => "user_unknown",
            Self::TooFewCustodians => "too_few_custodians",
            Self::SignIn(error) => error.code(),
            Self::Vault(error) => error.code(),
        }
    }
}

impl CreateError {
    /// The stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotEmpty => "not_empty",
            Self::Storage { .. } => "storage",
            Self::TooFewCustodians => "custodians",
            Self::SameName { .. } => "same_name",
            Self::Vault(error) => error.code(),
        }
    }
}

impl OpenError {
    /// The stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotThere => "not_there",
            Self::Storage { .. } => "storage",
            Self::NotAVault => "not_a_vault",
            Self::Version => "version",
            Self::Damaged { .. } => "damaged",
            Self::Kind { .. } => "kind",
            Self::Protector { .. } => "seal",
            Self::WrongSecret => "wrong_secret",
            Self::Wrapper(_) => "wrapper",
            Self::Head { .. } => "audit_head",
            Self::Cut { .. } => "audit_cut",
            Self::BadEntry(_) => "audit_entry",
            Self::Replay { .. } => "audit_replay",
            Self::NoEntropy => "entropy",
            Self::Vault(error) => error.code(),
        }
    }
}

impl RestoreError {
    /// The stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotABackup => "not_a_backup",
            Self::Damaged { .. } => "damaged",
            Self::Kind { .. } => "kind",
            Self::Custodians { .. } => "custodians",
            Self::WrongSecret => "wrong_secret",
            Self::Create(error) => error.code(),
        }
    }
}

impl AuditError {
    /// The stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Storage { .. } => "storage",
            Self::BadEntry(_) => "audit_entry",
            Self::Vault(error) => error.code(),
        }
    }
}
