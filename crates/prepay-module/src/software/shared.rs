//! What the handles of operators, auditors and custodians share: the vault of their module.

use std::sync::Arc;

use prepay_basics::Moment;
use prepay_kmp::ModuleId;
use prepay_vault::{AccessError, SharedVault, VaultError};

use super::contents::ModuleContents;
use super::names::{Keeper, Unreadable};
use super::policy::{TestMode, module_time};
use crate::{ModuleFault, Refusal};

/// A module's vault, with its name and test settings, which never change.
pub(super) struct Shared {
    pub(super) vault: SharedVault<ModuleContents>,
    pub(super) module: ModuleId,
    pub(super) test: Option<TestMode>,
    pub(super) keeper: Arc<Keeper>,
}

impl Shared {
    /// The time that keys and identifiers are checked against.
    pub(super) fn module_time(&self) -> Moment {
        module_time(self.test, self.vault.clock())
    }
}

impl From<VaultError> for ModuleFault {
    /// What a vault's error means to a vending system.
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Access(_) | VaultError::Locked => {
                Self::Closed { problem: error.to_string() }
            }
            VaultError::Broken { problem } => Self::Storage { problem },
            VaultError::ClockBehind { .. } => Self::Clock { problem: error.to_string() },
            VaultError::WitnessMissing { .. } => Self::Witness { problem: error.to_string() },
            VaultError::Copied { .. } => Self::Copied { problem: error.to_string() },
            error => Self::Storage { problem: error.to_string() },
        }
    }
}

impl From<AccessError> for ModuleFault {
    fn from(error: AccessError) -> Self {
        VaultError::from(error).into()
    }
}

impl From<Unreadable> for Refusal {
    fn from(Unreadable { from, to, in_log }: Unreadable) -> Self {
        Self::NamesUnreadable { from, to, in_log }
    }
}
