//! The centre's answers to modules: confirmations of agreements, and key-load files.
//!
//! # Agreements
//!
//! From the answer on, the slot of a module shares keys with the centre; the module starts to use them when it reads the
//! confirmation, which proves that the centre has them. The centre starts to use them when a key-load request proves that
//! the module has them too. Repeating a request gives the same answer. A request older than the last answered one is refused, so
//! that nobody can restore old slot keys by sending an old text again. Older means by the module's clock, to the second;
//! nonces distinguish requests of the same second. A module whose clock is ahead would lock its own slot, so a request
//! from the future is refused.
//!
//! # Key-load files
//!
//! The caller chooses keys and attributes. Checked here: that the request is authentic, proves the keys of the slot and is in time, that the file expires
//! in time, and that the keys exist and have these algorithms. `prepay_kmp` checks counts, dates and duplicates when it
//! writes the file.

use super::contents::{Agreed, CentreContents, HeldKey, KeyName, KnownModule};
use super::{AgreementAnswer, CentreEntry, CentreError, KeyLoad, KeyLoadItem, KeyLoadOrder};
use prepay_basics::Moment;
use prepay_kmp::{
    AgreementAnswered, AgreementRequest, DocumentError, KeyLoadHeader, KeyLoadRequest,
    KeyTermsNote, KeyToLoad, ModuleId, Nonce, PartyName, Unverified, Verified, open_kmp,
};
use prepay_vault::{By, Vault, VaultError};

/// How far a module's clock may be ahead of the centre's, in seconds: a quarter of an hour.
const AHEAD_SECONDS: u64 = 900;

/// How many agreements on one slot may be asked for in one second.
const AGREEMENTS_PER_SECOND: usize = 16;

/// The accepted module that a text names, if the text is for this centre.
fn module_of<'a>(
    contents: &'a CentreContents,
    centre: &PartyName,
    module: &PartyName,
) -> Result<&'a KnownModule, CentreError> {
    let own = contents.identity.name();
    if centre != own {
        let (expected, found) = (own.to_string(), centre.to_string());
        return Err(match contents.former.iter().find(|(name, _)| name == centre) {
            Some(&(_, since)) => CentreError::CentreRenewed { expected, found, since },
            None => CentreError::OtherCentre { expected, found },
        });
    }
    let name = ModuleId::from(module.id().clone());
    match contents.modules.get(&name) {
        None => Err(CentreError::ModuleUnknown { module: name }),
        Some(KnownModule { revoked: Some(since), .. }) => {
            Err(CentreError::ModuleRevoked { module: name, since: *since })
        }
        Some(known) => Ok(known),
    }
}

/// The centre's own public keys must be in force for anything it answers.
fn check_centre_key(contents: &CentreContents, now: Moment) -> Result<(), CentreError> {
    let (activation, expires) = (contents.activation, contents.expires);
    if now < activation || now > expires {
        return Err(CentreError::CentreKey { activation, expires, now });
    }
    Ok(())
}

fn check_not_from_future(created: Moment, now: Moment) -> Result<(), CentreError> {
    if created > now.plus_seconds(AHEAD_SECONDS) {
        return Err(CentreError::FromFuture { created, now });
    }
    Ok(())
}

/// The accepted module that sent a verified request, if the request is for this centre and the module still has the keys
/// that it was verified with.
fn sender<'a, D>(
    contents: &'a CentreContents,
    centre: &PartyName,
    request: &Verified<D>,
) -> Result<&'a KnownModule, CentreError> {
    let known = module_of(contents, centre, request.sender().name())?;
    if known.party != *request.sender() {
        let (expected, found) = (known.party.name().clone(), request.sender().name().clone());
        return Err(DocumentError::OtherModule { expected, found }.into());
    }
    Ok(known)
}

/// Verifies an agreement request and checks that it may be answered.
pub(super) fn read_agreement(
    contents: &CentreContents,
    now: Moment,
    document: &Unverified<AgreementRequest>,
) -> Result<Verified<AgreementRequest>, CentreError> {
    let known = module_of(contents, document.centre(), document.module())?;
    check_centre_key(contents, now)?;
    let request = document.verify(contents.identity.name(), &known.party)?;
    agreeable(contents, now, &request)?;
    Ok(request)
}

/// Checks that a verified request may be answered. Gives what its slot agreed on so far.
fn agreeable<'a>(
    contents: &'a CentreContents,
    now: Moment,
    request: &Verified<AgreementRequest>,
) -> Result<Option<&'a Agreed>, CentreError> {
    let known = sender(contents, &request.centre, request)?;
    check_centre_key(contents, now)?;
    check_not_from_future(request.created, now)?;
    let slot = request.slot.value();
    let there = known.slots.get(&slot);
    if let Some(agreed) = there
        && agreed.digest != request.digest()
    {
        let same_second = request.created == agreed.requested;
        let is_old = request.created < agreed.requested
            || same_second
                && (agreed.nonces.contains(&request.nonce)
                    || agreed.nonces.len() >= AGREEMENTS_PER_SECOND);
        if is_old {
            let module = request.module.id().clone().into();
            let (created, newer) = (request.created, agreed.requested);
            return Err(CentreError::Superseded { module, slot, created, newer });
        }
    }
    Ok(there)
}

/// Answers an agreement request.
pub(super) fn agreement(
    vault: &mut Vault<CentreContents>,
    by: By<'_>,
    now: Moment,
    request: &Verified<AgreementRequest>,
) -> Result<AgreementAnswer, CentreError> {
    let is_test = vault.header().insecure_test;
    let fresh = Nonce::generate(vault.entropy()).map_err(|_| VaultError::NoEntropy)?;
    let contents = vault.contents();
    let there = agreeable(contents, now, request)?;
    let (module, slot) = (ModuleId::from(request.module.id().clone()), request.slot.value());
    let digest = request.digest();
    let again = there.filter(|agreed| agreed.digest == digest);
    let (at, centre_nonce) =
        again.map_or((now, fresh), |agreed| (agreed.answered, agreed.centre_nonce));
    let AgreementAnswered { keys, confirmation } =
        open_kmp::confirm_agreement(&contents.identity, request, at, centre_nonce)?;
    if again.is_some() {
        return Ok(AgreementAnswer { confirmation, module, slot, is_test });
    }
    let requested = request.created;
    let in_same_second = there.filter(|agreed| agreed.requested == requested);
    let mut nonces = in_same_second.map_or_else(Vec::new, |agreed| agreed.nonces.clone());
    nonces.push(request.nonce);
    let agreed =
        Agreed { requested, nonces, digest, answered: now, centre_nonce, keys: Box::new(keys) };
    let nonce = request.nonce.bytes();
    let entry = CentreEntry::AgreementAnswered { module: module.clone(), slot, nonce };
    vault.commit(by, &entry, now, |contents| {
        if let Some(known) = contents.modules.get_mut(&module) {
            known.slots.insert(slot, agreed);
        }
    })?;
    Ok(AgreementAnswer { confirmation, module, slot, is_test })
}

/// Verifies a key-load request and checks that it may be answered.
pub(super) fn read_key_load(
    contents: &CentreContents,
    now: Moment,
    document: &Unverified<KeyLoadRequest>,
) -> Result<Verified<KeyLoadRequest>, CentreError> {
    let known = module_of(contents, document.centre(), document.module())?;
    let request = document.verify(contents.identity.name(), &known.party)?;
    loadable(contents, now, &request)?;
    Ok(request)
}

/// Checks that a verified request may be answered. Gives what its slot agreed on.
fn loadable<'a>(
    contents: &'a CentreContents,
    now: Moment,
    request: &Verified<KeyLoadRequest>,
) -> Result<&'a Agreed, CentreError> {
    let known = sender(contents, &request.centre, request)?;
    let slot = request.slot.value();
    let agreed = known
        .slots
        .get(&slot)
        .ok_or_else(|| CentreError::NoSlot { module: request.module.id().clone().into(), slot })?;
    request.confirms(&agreed.keys)?;
    if now > request.expires {
        return Err(CentreError::RequestLapsed { expires: request.expires, now });
    }
    check_not_from_future(request.created, now)?;
    Ok(agreed)
}

/// Builds a key-load file.
pub(super) fn key_load(
    vault: &mut Vault<CentreContents>,
    by: By<'_>,
    now: Moment,
    request: &Verified<KeyLoadRequest>,
    order: &KeyLoadOrder,
) -> Result<KeyLoad, CentreError> {
    let is_test = vault.header().insecure_test;
    let contents = vault.contents();
    let agreed = loadable(contents, now, request)?;
    check_centre_key(contents, now)?;
    check_expiry(order, request, now)?;
    let held = order.keys.iter().map(|item| held(contents, item)).collect::<Result<Vec<_>, _>>()?;
    let serial = contents.serial.checked_add(1).ok_or_else(|| CentreError::Fault {
        problem: "the serial numbers of key-load files are used up".to_owned(),
    })?;
    let header = KeyLoadHeader {
        module: request.module.clone(),
        centre: request.centre.clone(),
        slot: request.slot,
        nonce: request.nonce,
        serial,
        created: now,
        expires: order.expires,
        transactions: order.transactions,
    };
    let keys: Vec<KeyToLoad<'_>> = order
        .keys
        .iter()
        .zip(&held)
        .map(|(KeyLoadItem { attributes, register }, held)| KeyToLoad {
            attributes,
            register: *register,
            key: &held.key,
        })
        .collect();
    let file = open_kmp::write_key_load(&contents.identity, &agreed.keys, &header, &keys)?;
    let check_values: Vec<_> = held.iter().map(|held| held.check_value).collect();
    let notes = order.keys.iter().zip(&check_values).map(|(item, &check_value)| KeyTermsNote {
        register: item.register,
        attributes: item.attributes.clone(),
        check_value,
    });
    let (module, slot) = (ModuleId::from(request.module.id().clone()), request.slot.value());
    let entry = CentreEntry::KeyLoadBuilt {
        module: module.clone(),
        slot,
        serial,
        nonce: request.nonce.bytes(),
        expires: order.expires,
        transactions: order.transactions,
        keys: notes.collect(),
    };
    vault.commit(by, &entry, now, |contents| contents.serial = serial)?;
    Ok(KeyLoad { file, serial, module, slot, check_values, expires: order.expires, is_test })
}

/// The key that an item asks for.
fn held<'a>(contents: &'a CentreContents, item: &KeyLoadItem) -> Result<&'a HeldKey, CentreError> {
    let (group, revision) = (item.attributes.supply_group, item.attributes.key_revision);
    let held = contents.keys.get(&KeyName::new(group, revision));
    let found = held.ok_or(CentreError::NoVendingKey { group, revision })?;
    let (held, asked) = (found.key.algorithm(), item.attributes.algorithm);
    if held != asked {
        return Err(CentreError::AlgorithmConflict { group, revision, held, asked });
    }
    Ok(found)
}

/// Whether the file lapses in time.
fn check_expiry(
    order: &KeyLoadOrder,
    request: &KeyLoadRequest,
    now: Moment,
) -> Result<(), CentreError> {
    let dates = |problem| Err(CentreError::Dates { problem });
    let (expires, latest) = (order.expires, request.expires);
    if expires > latest {
        return dates(format!(
            "the file would outlive its request: expected {latest} or before, found {expires}"
        ));
    }
    if expires < now {
        return dates(format!(
            "the file would be expired: expected {now} or later, found {expires}"
        ));
    }
    Ok(())
}
