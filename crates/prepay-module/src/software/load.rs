//! The checks of a key-load file, and the registers for its keys.
//!
//! Either all keys of a file are loaded, or none. A key that the module already has is renewed in its register: it gets
//! new limits and dates. A new key goes into the register that the file names, or the first free one.
//!
//! Checks, in this order: form and checksum; module; centre; slot; the centre's own keys; signature, MAC,
//! each key against its check value; request; serial number; dates; each key against what is held.

use prepay_token::element::{KeyRevisionNumber, SupplyGroupCode};
use subtle::ConstantTimeEq;

use super::contents::ModuleContents;
use super::refusal::LoadRefusal;
use super::register::{Register, Registers};
use super::slot::{Slot, SlotState};
use prepay_basics::Moment;
use prepay_kmp::attribute::{KeyCheckValue, RegisterNumber};
use prepay_kmp::{
    CentreId, KeyLoad, KeyLoadHeader, KeyTermsNote, LoadedKey, Nonce, PartyName, Unverified,
    VendingKeyAttributes, WrappedKeyLoad,
};

/// What loading a key-load file did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadReport {
    /// The centre.
    pub centre: CentreId,
    /// The file's serial number.
    pub serial: u64,
    /// Its keys, in the order of the file.
    pub keys: Vec<LoadedRegister>,
    /// How many more tokens the module may issue, if the file says so.
    pub transactions_added: Option<u64>,
    /// Whether the module is a test module.
    pub is_test: bool,
}

/// Where a key of a key-load file went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadedRegister {
    /// The register.
    pub register: RegisterNumber,
    /// The supply group.
    pub supply_group: SupplyGroupCode,
    /// The revision.
    pub key_revision: KeyRevisionNumber,
    /// The key's check value.
    pub check_value: KeyCheckValue,
    /// Whether the module already had the key, which now has new attributes.
    pub renewed: bool,
}

/// What loading a key-load file would do to one register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterChange {
    /// Where the key goes.
    pub placed: LoadedRegister,
    /// The attributes that the key has there now; `None` if the register is empty.
    pub before: Option<VendingKeyAttributes>,
    /// Those that it would have.
    pub after: VendingKeyAttributes,
}

impl RegisterChange {
    /// Every attribute beside group and revision: its tag, its value now, and the one that it would have.
    pub fn listed(&self) -> impl Iterator<Item = (&'static str, Option<String>, String)> {
        let mut before = self.before.as_ref().map(|before| before.listed().into_iter());
        self.after.listed().into_iter().map(move |(tag, after)| {
            let before = before.as_mut().and_then(Iterator::next).map(|(_, value)| value);
            (tag, before, after)
        })
    }
}

/// A key-load file that passed every check.
pub(super) struct Plan {
    pub(super) slot: usize,
    pub(super) nonce: Nonce,
    pub(super) report: LoadReport,
    keys: Vec<LoadedKey>,
}

impl Plan {
    /// Checks a key-load file against the contents of the module.
    pub(super) fn make(
        contents: &ModuleContents,
        file: &Unverified<WrappedKeyLoad>,
        now: Moment,
    ) -> Result<Self, LoadRefusal> {
        let place = place_of(contents, file)?;
        let slot = &contents.slots[place];
        check_centre_key(slot, now)?;
        let Some(keys) = &slot.keys else {
            return Err(state_refusal(slot, SlotState::Active));
        };
        let KeyLoad { header, keys } = file.verify(contents.identity.name(), &slot.centre, keys)?;
        check_request(slot, &header, now)?;
        check_transactions(contents, header.transactions)?;
        let placed = place_keys(contents, &slot.centre_id(), &keys)?;
        let report = LoadReport {
            centre: slot.centre_id(),
            serial: header.serial,
            keys: placed,
            transactions_added: header.transactions,
            is_test: contents.issuer.test.is_some(),
        };
        Ok(Self { slot: place, nonce: header.nonce, report, keys })
    }

    /// What the audit log says about the keys.
    pub(super) fn notes(&self) -> Vec<KeyTermsNote> {
        let note = |(placed, key): (&LoadedRegister, &LoadedKey)| KeyTermsNote {
            register: Some(placed.register),
            attributes: key.attributes.clone(),
            check_value: placed.check_value,
        };
        self.report.keys.iter().zip(&self.keys).map(note).collect()
    }

    /// What each register holds now, and what it would hold.
    pub(super) fn changes(&self, contents: &ModuleContents) -> Vec<RegisterChange> {
        let registers = &contents.issuer.registers;
        let change = |(&placed, key): (&LoadedRegister, &LoadedKey)| RegisterChange {
            placed,
            before: registers.get(placed.register).map(|register| register.attributes.clone()),
            after: key.attributes.clone(),
        };
        self.report.keys.iter().zip(&self.keys).map(change).collect()
    }

    /// Loads the file.
    pub(super) fn apply(self, contents: &mut ModuleContents) {
        let Self { slot, nonce, report, keys } = self;
        let policy = contents.issuer.policy.derivation;
        // The keys are not moved out of their list, so that it wipes them.
        for (LoadedKey { attributes, key, .. }, placed) in keys.iter().zip(&report.keys) {
            let attributes = attributes.clone();
            let (number, centre) = (placed.register, report.centre.clone());
            let registers = &mut contents.issuer.registers;
            match registers.get_mut(number) {
                Some(register) => register.reload(attributes, centre),
                None => registers.put(Register::new(number, attributes, key, centre, policy)),
            }
        }
        let left = &mut contents.issuer.counters.transactions_left;
        *left = left.map(|left| left.saturating_add(report.transactions_added.unwrap_or(0)));
        let slot = &mut contents.slots[slot];
        slot.close(nonce);
        slot.last_serial = Some(report.serial);
    }
}

/// The place of the slot that a document is for, if it is meant for this module.
pub(super) fn place_of<D>(
    contents: &ModuleContents,
    document: &Unverified<D>,
) -> Result<usize, LoadRefusal> {
    let (expected, found) = (contents.identity.name(), document.module());
    if expected != found {
        let (expected, found) = (expected.clone(), found.clone());
        return Err(LoadRefusal::OtherModule { expected, found });
    }
    let place = find_slot(contents, document.centre())?;
    let (expected, found) = (contents.slots[place].number.value(), document.slot().value());
    if expected != found {
        return Err(LoadRefusal::OtherSlot { expected, found });
    }
    Ok(place)
}

/// The place of a centre's slot.
pub(super) fn find_slot(
    contents: &ModuleContents,
    centre: &PartyName,
) -> Result<usize, LoadRefusal> {
    if contents.revoked.contains(centre) {
        return Err(LoadRefusal::CentreRevoked { centre: centre.clone() });
    }
    let of_this_name = |slot: &Slot| slot.centre.id() == centre.id();
    match contents.slots.iter().position(of_this_name) {
        None => Err(LoadRefusal::CentreUnknown { centre: centre.to_string() }),
        Some(place) => match contents.slots[place].centre.name() {
            known if known == centre => Ok(place),
            known => {
                Err(LoadRefusal::CentreConflict { expected: known.clone(), found: centre.clone() })
            }
        },
    }
}

/// Checks that a centre's public keys are valid now.
pub(super) fn check_centre_key(slot: &Slot, now: Moment) -> Result<(), LoadRefusal> {
    let Slot { activation, expires, .. } = *slot;
    if now < activation || now > expires {
        return Err(LoadRefusal::CentreKey { activation, expires, now });
    }
    Ok(())
}

/// The refusal of a slot in the wrong state.
pub(super) fn state_refusal(slot: &Slot, expected: SlotState) -> LoadRefusal {
    LoadRefusal::SlotState { slot: slot.number.value(), expected, found: slot.state }
}

/// Checks that the file answers an open request, in time, and is newer than the last one.
fn check_request(slot: &Slot, header: &KeyLoadHeader, now: Moment) -> Result<(), LoadRefusal> {
    let nonce = header.nonce;
    if slot.used.contains(&nonce) {
        return Err(LoadRefusal::RequestUsed { nonce });
    }
    let Some(request) = slot.requests.iter().find(|request| request.nonce == nonce) else {
        return Err(LoadRefusal::RequestUnknown { nonce });
    };
    if let Some(last) = slot.last_serial.filter(|&last| header.serial <= last) {
        return Err(LoadRefusal::Serial { last, found: header.serial });
    }
    if now > request.expires {
        return Err(LoadRefusal::RequestExpired { expires: request.expires, now });
    }
    if now > header.expires {
        return Err(LoadRefusal::FileExpired { expires: header.expires, now });
    }
    Ok(())
}

/// Checks that the transaction counter can be increased by this.
pub(super) fn check_transactions(
    contents: &ModuleContents,
    added: Option<u64>,
) -> Result<u64, LoadRefusal> {
    let left = contents.issuer.counters.transactions_left;
    let problem = match (left, added) {
        (left, None) => return Ok(left.unwrap_or(u64::MAX)),
        (None, Some(_)) => "this module has none, so there is nothing to fill",
        (Some(left), Some(added)) => match left.checked_add(added) {
            Some(sum) => return Ok(sum),
            None => "expected a sum of at most 18446744073709551615, found more",
        },
    };
    Err(LoadRefusal::Transactions { problem })
}

/// Finds a register for each key.
fn place_keys(
    contents: &ModuleContents,
    centre: &CentreId,
    keys: &[LoadedKey],
) -> Result<Vec<LoadedRegister>, LoadRefusal> {
    let registers = &contents.issuer.registers;
    let mut placed: Vec<LoadedRegister> = Vec::with_capacity(keys.len());
    // First the keys that have or name a register; the others get what is left.
    let mut taken: Vec<RegisterNumber> = Vec::new();
    let mut places = Vec::with_capacity(keys.len());
    for key in keys {
        let place = match held(registers, &key.attributes) {
            Some(register) => Some(renewal(contents, register, centre, key)?),
            None => named_register(registers, key)?,
        };
        if let Some(register) = place {
            if taken.contains(&register) {
                let problem = "another key of the file goes there".to_owned();
                return Err(LoadRefusal::RegisterConflict { register, problem });
            }
            taken.push(register);
        }
        places.push(place);
    }
    let mut free = registers.free();
    for (key, place) in keys.iter().zip(places) {
        let register = match place {
            Some(register) => register,
            None => free.find(|n| !taken.contains(n)).ok_or(LoadRefusal::RegistersFull)?,
        };
        placed.push(LoadedRegister {
            register,
            supply_group: key.attributes.supply_group,
            key_revision: key.attributes.key_revision,
            check_value: key.check_value,
            renewed: registers.get(register).is_some(),
        });
    }
    Ok(placed)
}

/// The register that holds the revision of a group.
fn held<'a>(registers: &'a Registers, wanted: &VendingKeyAttributes) -> Option<&'a Register> {
    registers.iter().find(|register| {
        let held = &register.attributes;
        held.supply_group == wanted.supply_group && held.key_revision == wanted.key_revision
    })
}

/// The register that a file names for a key that is not held, if it names one.
fn named_register(
    registers: &Registers,
    key: &LoadedKey,
) -> Result<Option<RegisterNumber>, LoadRefusal> {
    let Some(register) = key.register else { return Ok(None) };
    match registers.get(register) {
        None => Ok(Some(register)),
        Some(held) => {
            let held = &held.attributes;
            let (group, revision) = (held.supply_group, held.key_revision);
            let problem = format!("it holds the key of group {group} revision {revision}");
            Err(LoadRefusal::RegisterConflict { register, problem })
        }
    }
}

/// Whether a key that is held may be renewed by one of a file, and in which register.
fn renewal(
    contents: &ModuleContents,
    held: &Register,
    centre: &CentreId,
    key: &LoadedKey,
) -> Result<RegisterNumber, LoadRefusal> {
    let (old, new) = (&held.attributes, &key.attributes);
    let (group, revision) = (old.supply_group, old.key_revision);
    let same = old.algorithm == new.algorithm
        && bool::from(held.key.expose_bytes().ct_eq(key.key.expose_bytes()));
    if old.algorithm == new.algorithm && !same {
        return Err(LoadRefusal::KeyConflict {
            group,
            revision,
            held: held.check_value,
            found: key.check_value,
        });
    }
    let fixed = [
        ("DKGA", old.algorithm.to_string(), new.algorithm.to_string()),
        ("KT", old.key_type.to_string(), new.key_type.to_string()),
        ("BDT", old.base_date.to_string(), new.base_date.to_string()),
        ("CLU", old.cluster.to_string(), new.cluster.to_string()),
    ];
    if let Some((attribute, expected, found)) = fixed.into_iter().find(|(_, old, new)| old != new) {
        let conflict =
            LoadRefusal::AttributeConflict { group, revision, attribute, expected, found };
        return Err(conflict);
    }
    let known = contents.slots.iter().any(|slot| slot.centre_id() == held.centre);
    if held.centre != *centre && known {
        let (expected, found) = (held.centre.clone(), centre.clone());
        return Err(LoadRefusal::CentreOfKey { group, revision, expected, found });
    }
    if let Some(register) = key.register.filter(|&register| register != held.number) {
        let problem = format!("the key is in register {}", held.number);
        return Err(LoadRefusal::RegisterConflict { register, problem });
    }
    Ok(held.number)
}
