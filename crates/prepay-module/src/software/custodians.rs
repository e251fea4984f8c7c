//! The handle of two custodians: centres, keys and the transaction counter.
//!
//! Every change is written to the store together with its entry in the audit log, and is durable on return. A refusal is
//! recorded in the audit log and changes nothing else.
//!
//! Elsewhere: people, what unlocks the module, and back-ups ([`SharedVault`](prepay_vault::SharedVault)).

use std::fmt;
use std::sync::Arc;

use super::auditor::Auditor;
use super::contents::ModuleContents;
use super::entry::ModuleEntry;
use super::load::{
    LoadReport, Plan, RegisterChange, check_centre_key, check_transactions, find_slot, place_of,
    state_refusal,
};
use super::read::slot_report;
use super::refusal::{CustodianError, LoadRefusal};
use super::shared::Shared;
use super::slot::{SLOTS, Slot, SlotReport, SlotState};
use crate::RegisterReport;
use prepay_basics::Moment;
use prepay_kmp::attribute::RegisterNumber;
use prepay_kmp::{
    AgreementConfirmation, CentreEnrolment, CentreId, KeyLoadRequest, Nonce, SlotNumber,
    Unverified, WrappedKeyLoad, open_kmp,
};
use prepay_vault::{Actor, By, Quorum, Role, Vault, VaultError};

/// The handle of two custodians.
#[derive(Clone)]
pub struct Custodians {
    pub(super) shared: Arc<Shared>,
    pub(super) quorum: Quorum,
}

type OpenVault = Vault<ModuleContents>;

impl Custodians {
    /// Everything that can be read.
    pub fn reader(&self) -> Auditor {
        Auditor { shared: Arc::clone(&self.shared), who: Actor::Two(self.quorum.clone()) }
    }

    /// Loads a centre's enrolment. Its slot is *loading*: the centre is not trusted until its fingerprint is confirmed.
    /// Repeating it changes nothing.
    ///
    /// # Errors
    ///
    /// [`LoadRefusal::TestMark`], [`LoadRefusal::CentreRevoked`],
    /// [`LoadRefusal::CentreConflict`], [`LoadRefusal::CentreKey`], [`LoadRefusal::SlotsFull`].
    pub fn enrol_centre(&self, enrolment: &CentreEnrolment) -> Result<SlotReport, CustodianError> {
        self.act(|vault, now| {
            let contents = vault.contents();
            let (expected, found) = (contents.issuer.test.is_some(), enrolment.is_test);
            if expected != found {
                return Err(LoadRefusal::TestMark { expected, found }.into());
            }
            match find_slot(contents, enrolment.party.name()) {
                Ok(place) => return Ok(slot_report(contents, &contents.slots[place])),
                Err(LoadRefusal::CentreUnknown { .. }) => {}
                Err(refusal) => return Err(refusal.into()),
            }
            let number = free_slot(contents).ok_or(LoadRefusal::SlotsFull { most: SLOTS })?;
            let slot = Slot {
                number,
                centre: enrolment.party.clone(),
                activation: enrolment.activation,
                expires: enrolment.expires,
                state: SlotState::Loading,
                keys: None,
                pending: None,
                requests: Vec::new(),
                used: Default::default(),
                last_serial: None,
            };
            if now > slot.expires {
                check_centre_key(&slot, now)?;
            }
            let entry = ModuleEntry::CentreEnrolled {
                centre: slot.centre_id(),
                slot: number.value(),
                fingerprint: slot.centre.fingerprint().to_string(),
            };
            let centre = slot.centre_id();
            vault.commit(By::Two(&self.quorum), &entry, now, |contents| {
                contents.slots.push(slot);
                contents.slots.sort_by_key(|slot| slot.number);
            })?;
            report_of(vault.contents(), &centre)
        })
    }

    /// Confirms a centre. `fingerprint` is what its custodians read out, by phone or in person; spaces and the case of
    /// letters do not matter. Repeating it changes nothing.
    ///
    /// # Errors
    ///
    /// [`LoadRefusal::CentreUnknown`], [`LoadRefusal::Fingerprint`].
    pub fn confirm_centre(
        &self,
        centre: &CentreId,
        fingerprint: &str,
    ) -> Result<SlotReport, CustodianError> {
        self.act(|vault, now| {
            let contents = vault.contents();
            let place = find_centre(contents, centre)?;
            let slot = &contents.slots[place];
            let found = slot.centre.fingerprint();
            if !found.matches(fingerprint) {
                let (expected, found) = (fingerprint.trim().to_owned(), found.to_string());
                return Err(LoadRefusal::Fingerprint { expected, found }.into());
            }
            if slot.state == SlotState::Loading {
                let entry = ModuleEntry::CentreConfirmed {
                    centre: centre.clone(),
                    slot: slot.number.value(),
                    fingerprint: found.to_string(),
                };
                vault.commit(By::Two(&self.quorum), &entry, now, |contents| {
                    contents.slots[place].state = SlotState::Pending;
                })?;
            }
            report_of(vault.contents(), centre)
        })
    }

    /// Writes a request for an agreement with a centre. It replaces an earlier one that was not confirmed. In an active
    /// slot the old keys stay until the new agreement is confirmed.
    ///
    /// # Errors
    ///
    /// [`LoadRefusal::CentreUnknown`], [`LoadRefusal::SlotState`], [`LoadRefusal::CentreKey`].
    pub fn request_agreement(&self, centre: &CentreId) -> Result<String, CustodianError> {
        self.act(|vault, now| {
            let contents = vault.contents();
            let place = find_centre(contents, centre)?;
            let slot = &contents.slots[place];
            if slot.state == SlotState::Loading {
                return Err(state_refusal(slot, SlotState::Pending).into());
            }
            check_centre_key(slot, now)?;
            let (identity, public, number) =
                (contents.identity.clone(), slot.centre.clone(), slot.number);
            let (text, pending) =
                open_kmp::request_agreement(&identity, &public, number, now, vault.entropy())
                    .map_err(|_| VaultError::NoEntropy)?;
            let entry = ModuleEntry::AgreementRequested {
                centre: centre.clone(),
                slot: number.value(),
                nonce: pending.nonce().bytes(),
            };
            vault.commit(By::Two(&self.quorum), &entry, now, |contents| {
                contents.slots[place].pending = Some(pending);
            })?;
            Ok(text)
        })
    }

    /// Loads a centre's confirmation of an agreement: from now on both share the keys of the slot.
    ///
    /// # Errors
    ///
    /// [`LoadRefusal`].
    pub fn accept_confirmation(
        &self,
        confirmation: &Unverified<AgreementConfirmation>,
    ) -> Result<SlotReport, CustodianError> {
        self.act(|vault, now| {
            let contents = vault.contents();
            let place = place_of(contents, confirmation)?;
            let slot = &contents.slots[place];
            check_centre_key(slot, now)?;
            let number = slot.number.value();
            let Some(pending) = &slot.pending else {
                return Err(LoadRefusal::NoAgreement { slot: number }.into());
            };
            let (_, keys) = confirmation.verify(&contents.identity, &slot.centre, pending)?;
            let centre = slot.centre_id();
            let nonce = pending.nonce().bytes();
            let entry =
                ModuleEntry::AgreementConfirmed { centre: centre.clone(), slot: number, nonce };
            vault.commit(By::Two(&self.quorum), &entry, now, |contents| {
                let slot = &mut contents.slots[place];
                slot.state = SlotState::Active;
                slot.keys = Some(keys);
                slot.pending = None;
            })?;
            report_of(vault.contents(), &centre)
        })
    }

    /// Writes a request for a key-load file.
    ///
    /// # Errors
    ///
    /// [`LoadRefusal::CentreUnknown`], [`LoadRefusal::SlotState`], [`LoadRefusal::CentreKey`].
    pub fn request_key_load(&self, centre: &CentreId) -> Result<String, CustodianError> {
        self.act(|vault, now| {
            let place = find_centre(vault.contents(), centre)?;
            let nonce = Nonce::generate(vault.entropy()).map_err(|_| VaultError::NoEntropy)?;
            let contents = vault.contents();
            let slot = &contents.slots[place];
            let Some(keys) = &slot.keys else {
                return Err(state_refusal(slot, SlotState::Active).into());
            };
            check_centre_key(slot, now)?;
            let expires = now.plus_days(contents.issuer.policy.request_days);
            let request = KeyLoadRequest {
                module: contents.identity.name().clone(),
                centre: slot.centre.name().clone(),
                slot: slot.number,
                nonce,
                created: now,
                expires,
                confirmation: keys.confirmation(),
            };
            let text = open_kmp::write_key_load_request(&contents.identity, &request)?;
            let entry = ModuleEntry::LoadRequested {
                centre: centre.clone(),
                slot: slot.number.value(),
                nonce: nonce.bytes(),
                expires,
            };
            vault.commit(By::Two(&self.quorum), &entry, now, |contents| {
                contents.slots[place].open(nonce, expires);
            })?;
            Ok(text)
        })
    }

    /// What loading a key-load file would do: its report, and the registers before and after. Changes nothing; what
    /// would be refused is refused.
    ///
    /// # Errors
    ///
    /// [`LoadRefusal`].
    pub fn preview_keys(
        &self,
        file: &Unverified<WrappedKeyLoad>,
    ) -> Result<(LoadReport, Vec<RegisterChange>), CustodianError> {
        self.act(|vault, now| {
            let plan = Plan::make(vault.contents(), file, now)?;
            let changes = plan.changes(vault.contents());
            Ok((plan.report, changes))
        })
    }

    /// Loads the keys of a key-load file, all or none.
    ///
    /// # Errors
    ///
    /// [`LoadRefusal`].
    pub fn load_keys(
        &self,
        file: &Unverified<WrappedKeyLoad>,
    ) -> Result<LoadReport, CustodianError> {
        self.act(|vault, now| {
            let plan = Plan::make(vault.contents(), file, now)?;
            let report = plan.report.clone();
            let entry = ModuleEntry::KeysLoaded {
                centre: report.centre.clone(),
                slot: vault.contents().slots[plan.slot].number.value(),
                serial: report.serial,
                nonce: plan.nonce.bytes(),
                transactions_added: report.transactions_added,
                keys: plan.notes(),
            };
            vault.commit(By::Two(&self.quorum), &entry, now, |contents| plan.apply(contents))?;
            Ok(report)
        })
    }

    /// Deletes the key of a register. Requests that were carried out with it can no longer be repeated.
    ///
    /// # Errors
    ///
    /// [`LoadRefusal::Register`].
    pub fn delete_key(&self, register: RegisterNumber) -> Result<RegisterReport, CustodianError> {
        self.act(|vault, now| {
            let held = vault.contents().issuer.registers.get(register);
            let held = held.ok_or(LoadRefusal::Register { register })?;
            let (report, key, mark) = (held.report(), held.note(), held.mark());
            let entry = ModuleEntry::KeyDeleted { key };
            vault.commit(By::Two(&self.quorum), &entry, now, |contents| {
                contents.issuer.registers.remove(register);
                contents.issuer.names.delete(register, mark);
            })?;
            Ok(report)
        })
    }

    /// Revokes a centre: wipes the keys of its slot, and accepts nothing more under its public keys. Its vending keys stay
    /// until they must be loaded again or are deleted.
    ///
    /// # Errors
    ///
    /// [`LoadRefusal::CentreUnknown`].
    pub fn revoke_centre(&self, centre: &CentreId) -> Result<(), CustodianError> {
        self.act(|vault, now| {
            let place = find_centre(vault.contents(), centre)?;
            let slot = vault.contents().slots[place].number.value();
            let entry = ModuleEntry::CentreRevoked { centre: centre.clone(), slot };
            vault.commit(By::Two(&self.quorum), &entry, now, |contents| {
                let slot = contents.slots.remove(place);
                contents.revoked.push(slot.centre.name().clone());
            })?;
            Ok(())
        })
    }

    /// Lets the module issue more tokens. Returns how many it may issue now.
    ///
    /// # Errors
    ///
    /// [`LoadRefusal::Transactions`].
    pub fn refill(&self, added: u64) -> Result<u64, CustodianError> {
        self.act(|vault, now| {
            let left = check_transactions(vault.contents(), Some(added))?;
            let entry = ModuleEntry::Refilled { added, left };
            vault.commit(By::Two(&self.quorum), &entry, now, |contents| {
                contents.issuer.counters.transactions_left = Some(left);
            })?;
            Ok(left)
        })
    }

    /// Does something for both custodians, and records a refusal.
    fn act<T>(
        &self,
        act: impl FnOnce(&mut OpenVault, Moment) -> Result<T, CustodianError>,
    ) -> Result<T, CustodianError> {
        let now = self.shared.vault.now();
        self.shared.vault.with(|vault| {
            vault.authorize(By::Two(&self.quorum), &[Role::Custodian]).map_err(VaultError::from)?;
            let done = act(vault, now);
            if let Err(CustodianError::Refused(refusal)) = &done {
                let reason = format!("{}: {refusal}", refusal.code());
                vault.stage(By::Two(&self.quorum), &ModuleEntry::LoadRefused { reason }, now)?;
                vault.flush()?;
            }
            done
        })?
    }
}

/// The place of a centre's slot, by the name that people use.
fn find_centre(contents: &ModuleContents, centre: &CentreId) -> Result<usize, LoadRefusal> {
    if let Some(place) = contents.slots.iter().position(|slot| slot.centre_id() == *centre) {
        return Ok(place);
    }
    let revoked = contents.revoked.iter().find(|name| name.id().as_str() == centre.as_str());
    Err(match revoked {
        Some(centre) => LoadRefusal::CentreRevoked { centre: centre.clone() },
        None => LoadRefusal::CentreUnknown { centre: centre.to_string() },
    })
}

/// What the slot of a centre holds.
fn report_of(contents: &ModuleContents, centre: &CentreId) -> Result<SlotReport, CustodianError> {
    let place = find_centre(contents, centre)?;
    Ok(slot_report(contents, &contents.slots[place]))
}

/// The lowest number that no slot has.
fn free_slot(contents: &ModuleContents) -> Option<SlotNumber> {
    let is_free = |number: &SlotNumber| contents.slots.iter().all(|slot| slot.number != *number);
    let numbers = (1..=SLOTS as u16).filter_map(|number| SlotNumber::try_from(number).ok());
    numbers.into_iter().find(is_free)
}

impl fmt::Debug for Custodians {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b] = self.quorum.names();
        write!(f, "Custodians({a} and {b} at {}, ..)", self.shared.module)
    }
}
