//! The handle of a reader.

use std::fmt;
use std::sync::Arc;

use super::contents::ModuleContents;
use super::read;
use super::shared::Shared;
use super::slot::SlotReport;
use crate::{ClockWindow, Identification, ModuleFault, ModuleStatus, RegisterReport};
use prepay_kmp::{ModuleEnrolment, PartyName, open_kmp};
use prepay_vault::{Actor, Role, Vault};

/// The handle of a reader.
#[derive(Clone)]
pub struct Auditor {
    pub(super) shared: Arc<Shared>,
    pub(super) who: Actor,
}

impl Auditor {
    /// Who the module is.
    ///
    /// # Errors
    ///
    /// [`ModuleFault`] if the module is locked or broken, or the reader is no longer signed in.
    pub fn identify(&self) -> Result<Identification, ModuleFault> {
        self.read(read::identification)
    }

    /// Its counters, and warnings.
    ///
    /// # Errors
    ///
    /// [`ModuleFault`] if the module is locked or broken, or the reader is no longer signed in.
    pub fn status(&self) -> Result<ModuleStatus, ModuleFault> {
        let now = self.shared.module_time();
        self.read(|vault| read::status(vault, now))
    }

    /// Its clock, and how far a token identifier may be from it.
    ///
    /// # Errors
    ///
    /// [`ModuleFault`] if the module is locked or broken, or the reader is no longer signed in.
    pub fn clock(&self) -> Result<ClockWindow, ModuleFault> {
        let now = self.shared.module_time();
        self.read(|vault| read::clock(vault, now))
    }

    /// The registers with a key, in rising order.
    ///
    /// # Errors
    ///
    /// [`ModuleFault`] if the module is locked or broken, or the reader is no longer signed in.
    pub fn registers(&self) -> Result<Vec<RegisterReport>, ModuleFault> {
        self.read(read::registers)
    }

    /// The centres that the module knows, by their slots.
    ///
    /// # Errors
    ///
    /// [`ModuleFault`] if the module is locked or broken, or the reader is no longer signed in.
    pub fn slots(&self) -> Result<Vec<SlotReport>, ModuleFault> {
        self.read(|vault| read::slots(vault.contents()))
    }

    /// The revoked centres, by name and key. Their vending keys may still be in registers.
    ///
    /// # Errors
    ///
    /// [`ModuleFault`] if the module is locked or broken, or the reader is no longer signed in.
    pub fn revoked_centres(&self) -> Result<Vec<PartyName>, ModuleFault> {
        self.read(|vault| vault.contents().revoked.clone())
    }

    /// The module's enrolment: its public keys, signed by itself, for a centre to read. Always the same
    /// text.
    ///
    /// # Errors
    ///
    /// [`ModuleFault`] if the module is locked or broken, or the reader is no longer signed in.
    pub fn enrolment(&self) -> Result<String, ModuleFault> {
        self.read(|vault| {
            let label = |text: &str| text.parse().expect("a short printable text");
            let contents = vault.contents();
            let enrolment = ModuleEnrolment {
                party: contents.identity.public().clone(),
                created: contents.created,
                is_test: contents.issuer.test.is_some(),
                maker: label(read::MAKER),
                model: label(read::MODEL),
                firmware: label(read::FIRMWARE),
            };
            open_kmp::write_module_enrolment(&contents.identity, &enrolment)
                .expect("a module writes the enrolment of a module")
        })
    }

    /// Reads something for everybody who is signed in.
    fn read<T>(&self, read: impl FnOnce(&Vault<ModuleContents>) -> T) -> Result<T, ModuleFault> {
        self.shared.vault.with(|vault| {
            vault.authorize(self.who.by(), &Role::ALL)?;
            Ok(read(vault))
        })?
    }
}

impl fmt::Debug for Auditor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Auditor(at {}, ..)", self.shared.module)
    }
}
