//! Records VKR, VKL and KEY: a module asks for vending keys, a centre sends them.
//!
//! Each key is wrapped with AES-256 by RFC 5649, which takes 8, 16 and 20 bytes alike. The code under the
//! slot's MAC key is over header and keys; the centre's signature is over those and the code, so that the
//! origin can be proved after the slot's keys are gone.

use std::collections::HashSet;

use aes_kw::{KeyInit, KwpAes256};
use prepay_token::element::{BaseDate, KeyType};
use prepay_token::key::VendingKey;
use zeroize::Zeroizing;

use super::agreement::{MAC, SlotKeys};
use super::key::SIGNATURE;
use super::party::{Identity, PartyKind, PartyName, PublicIdentity};
use super::text::{Items, Record, Records, Writer, read};
use super::value::Hex;
use super::{MAX_KEYS, ProfileError};
use crate::attribute::{
    AttributeError, Cluster, GroupName, KeyCheckValue, RegisterNumber, VendingKeyType,
};
use crate::profile::{KeyLoad, KeyLoadHeader, KeyLoadRequest, KeyToLoad, LoadedKey};
use crate::{VendingKeyAttributes, check_value};
use prepay_basics::Moment;

const REQUEST: &str = "VKR";
const HEADER: &str = "VKL";
const KEY: &str = "KEY";
const AUTHENTICATED: &str = "MAC";
const SIGNED: &str = "SIG";

/// The bytes of the longest vending key with its padding, and wrapped.
const PADDED: usize = 24;
const WRAPPED: usize = PADDED + 8;

pub(super) fn write_request(
    own: &Identity,
    request: &KeyLoadRequest,
) -> Result<String, ProfileError> {
    super::expect_names(own.name(), &request.module, &request.centre, &request.centre)?;
    super::expect_kind(PartyKind::Module, own.name().kind())?;
    super::expect_kind(PartyKind::Centre, request.centre.kind())?;
    in_order(request.created, request.expires)?;
    let mut text = Writer::default();
    text.record(REQUEST).item("CRE", request.created).item("EXP", request.expires);
    text.item("KMC", &request.centre).item("NON", request.nonce);
    text.item("SLT", request.slot).item("SMI", &request.module).end();
    let signature = own.sign_record(text.so_far());
    text.seal(SIGNED, &signature);
    Ok(text.finish())
}

fn parse_request(text: &[u8]) -> Result<(KeyLoadRequest, &[u8], [u8; SIGNATURE]), ProfileError> {
    let records = read(text)?;
    let mut records = Records::new(&records);
    let mut items = records.take(REQUEST)?.items();
    let (created, expires) = (items.get("CRE")?, items.get("EXP")?);
    let centre = super::party(&mut items, "KMC", PartyKind::Centre)?;
    let (nonce, slot) = (items.get("NON")?, items.get("SLT")?);
    let module = super::party(&mut items, "SMI", PartyKind::Module)?;
    items.end()?;
    in_order(created, expires)?;
    let (signed, seal) = records.seal(SIGNED)?;
    records.end()?;
    Ok((KeyLoadRequest { module, centre, slot, nonce, created, expires }, signed, seal))
}

pub(super) fn peek_request(text: &[u8]) -> Result<KeyLoadRequest, ProfileError> {
    parse_request(text).map(|(request, ..)| request)
}

pub(super) fn read_request(
    own: &PartyName,
    module: &PublicIdentity,
    text: &[u8],
) -> Result<KeyLoadRequest, ProfileError> {
    let (request, signed, seal) = parse_request(text)?;
    super::expect_names(module.name(), &request.module, own, &request.centre)?;
    super::verify_record(module.name(), module.signature_key(), signed, &seal)?;
    Ok(request)
}

pub(super) fn write(
    own: &Identity,
    slot_keys: &SlotKeys,
    header: &KeyLoadHeader,
    keys: &[KeyToLoad<'_>],
) -> Result<String, ProfileError> {
    super::expect_names(&header.module, &header.module, own.name(), &header.centre)?;
    super::expect_kind(PartyKind::Centre, own.name().kind())?;
    super::expect_kind(PartyKind::Module, header.module.kind())?;
    in_order(header.created, header.expires)?;
    if !(1..=MAX_KEYS).contains(&keys.len()) || keys.len() != usize::from(header.keys) {
        return Err(ProfileError::Count { most: MAX_KEYS, found: keys.len() });
    }
    let wrapping = wrapping(slot_keys);
    let mut once = Once::default();
    let mut text = Writer::default();
    text.record(HEADER).item("CRE", header.created).item("EXP", header.expires);
    text.item("KMC", &header.centre).item("NKY", header.keys).item("NON", header.nonce);
    text.item("SER", header.serial).item("SLT", header.slot).item("SMI", &header.module);
    text.optional("TXN", header.transactions).end();
    for (place, item) in keys.iter().enumerate() {
        let KeyToLoad { attributes, register, key } = *item;
        in_force(attributes)?;
        once.check(attributes, register)?;
        let (expected, found) =
            (attributes.algorithm.vending_key_bytes(), key.expose_bytes().len());
        if key.algorithm() != attributes.algorithm {
            return Err(ProfileError::KeyLength { key: place + 1, expected, found });
        }
        let mut wrapped = [0; WRAPPED];
        let wrapped = wrapping
            .wrap_key(key.expose_bytes(), &mut wrapped)
            .expect("room for the longest vending key");
        write_key(&mut text, place + 1, attributes, register, check_value(key), wrapped);
    }
    let code = slot_keys.authenticate(text.so_far());
    text.seal(AUTHENTICATED, &code);
    let signature = own.sign_record(text.so_far());
    text.seal(SIGNED, &signature);
    Ok(text.finish())
}

fn write_key(
    text: &mut Writer,
    number: usize,
    attributes: &VendingKeyAttributes,
    register: Option<RegisterNumber>,
    check_value: KeyCheckValue,
    wrapped: &[u8],
) {
    let name = Some(&attributes.name).filter(|name| !name.as_str().is_empty());
    text.record(KEY).item("ACT", attributes.activation).item("BDT", attributes.base_date.year());
    text.item("CLM", attributes.currency_limit).item("CLU", attributes.cluster);
    text.item("DKG", attributes.algorithm).item("IUT", attributes.issued_until);
    text.item("KCV", check_value).item("KEN", attributes.expiry.value());
    text.item("KRN", attributes.key_revision).item("KTY", attributes.key_type);
    text.optional("NAM", name).item("NUM", number).optional("REG", register);
    text.item("SGC", attributes.supply_group).item("SUB", attributes.sub_classes);
    text.item("ULM", attributes.unit_limit).item("WRP", Hex(wrapped)).end();
}

/// A key of a file, still wrapped.
struct WrappedKey {
    attributes: VendingKeyAttributes,
    register: Option<RegisterNumber>,
    check_value: KeyCheckValue,
    wrapped: [u8; WRAPPED],
    length: usize,
}

/// A key-load file as its form goes, with what protects it.
struct File<'t> {
    header: KeyLoadHeader,
    keys: Vec<WrappedKey>,
    authenticated: (&'t [u8], [u8; MAC]),
    signed: (&'t [u8], [u8; SIGNATURE]),
}

fn parse(text: &[u8]) -> Result<File<'_>, ProfileError> {
    let records = read(text)?;
    let mut records = Records::new(&records);
    let record = records.take(HEADER)?;
    let mut items = record.items();
    let (created, expires) = (items.get("CRE")?, items.get("EXP")?);
    let centre = super::party(&mut items, "KMC", PartyKind::Centre)?;
    let keys: u16 = items.get("NKY")?;
    let (nonce, serial, slot) = (items.get("NON")?, items.get("SER")?, items.get("SLT")?);
    let module = super::party(&mut items, "SMI", PartyKind::Module)?;
    let transactions = items.optional("TXN")?;
    items.end()?;
    in_order(created, expires)?;
    if !(1..=MAX_KEYS).contains(&usize::from(keys)) {
        return Err(ProfileError::Count { most: MAX_KEYS, found: keys.into() });
    }
    let header =
        KeyLoadHeader { module, centre, slot, nonce, serial, created, expires, transactions, keys };
    let mut once = Once::default();
    let mut wrapped = Vec::with_capacity(keys.into());
    for number in 1..=keys {
        let key = parse_key(records.take(KEY)?, number)?;
        once.check(&key.attributes, key.register)?;
        wrapped.push(key);
    }
    let authenticated = records.seal(AUTHENTICATED)?;
    let signed = records.seal(SIGNED)?;
    records.end()?;
    Ok(File { header, keys: wrapped, authenticated, signed })
}

fn parse_key(record: &Record<'_>, number: u16) -> Result<WrappedKey, ProfileError> {
    let mut items = record.items();
    let activation = items.get("ACT")?;
    let base_date = items.get("BDT").and_then(|year: u16| {
        BaseDate::try_from(year).map_err(|error| record.fault("BDT", error))
    })?;
    let (currency_limit, cluster) = (items.get("CLM")?, Cluster(items.get("CLU")?));
    let (algorithm, issued_until) = (items.get("DKG")?, items.get("IUT")?);
    let (check_value, expiry) = (items.get("KCV")?, items.get::<u8>("KEN")?.into());
    let (key_revision, key_type) = (items.get("KRN")?, key_type(record, &mut items)?);
    let name: Option<GroupName> = items.optional("NAM")?;
    let found: u16 = items.get("NUM")?;
    if found != number {
        return Err(record.fault("NUM", format_args!("expected {number}, found {found}")));
    }
    let register = items.optional("REG")?;
    let (supply_group, sub_classes) = (items.get("SGC")?, items.get("SUB")?);
    let unit_limit = items.get("ULM")?;
    let (wrapped, length) = items.bytes_up_to("WRP")?;
    items.end()?;
    let attributes = VendingKeyAttributes {
        supply_group,
        key_revision,
        key_type,
        algorithm,
        expiry,
        base_date,
        activation,
        issued_until,
        unit_limit,
        currency_limit,
        cluster,
        sub_classes,
        name: name.unwrap_or_default(),
    };
    in_force(&attributes)?;
    Ok(WrappedKey { attributes, register, check_value, wrapped, length })
}

fn key_type(
    record: &Record<'_>,
    items: &mut Items<'_, '_>,
) -> Result<VendingKeyType, ProfileError> {
    let key_type: KeyType = items.get("KTY")?;
    VendingKeyType::try_from(key_type).map_err(|error: AttributeError| record.fault("KTY", error))
}

pub(super) fn peek(text: &[u8]) -> Result<KeyLoadHeader, ProfileError> {
    parse(text).map(|file| file.header)
}

pub(super) fn read_file(
    own: &PartyName,
    centre: &PublicIdentity,
    slot_keys: &SlotKeys,
    text: &[u8],
) -> Result<KeyLoad, ProfileError> {
    let File { header, keys: wrapped, authenticated, signed } = parse(text)?;
    super::expect_names(own, &header.module, centre.name(), &header.centre)?;
    super::verify_record(centre.name(), centre.signature_key(), signed.0, &signed.1)?;
    if !slot_keys.verify(authenticated.0, &authenticated.1) {
        return Err(ProfileError::Mac);
    }
    let wrapping = wrapping(slot_keys);
    let mut keys = Vec::with_capacity(wrapped.len()); // Never moved: it holds secrets.
    for (place, key) in wrapped.into_iter().enumerate() {
        keys.push(unwrap(&wrapping, key, place + 1)?);
    }
    Ok(KeyLoad { header, keys })
}

fn unwrap(
    wrapping: &KwpAes256,
    wrapped: WrappedKey,
    number: usize,
) -> Result<LoadedKey, ProfileError> {
    let WrappedKey { attributes, register, check_value: expected, wrapped, length } = wrapped;
    let mut clear = Zeroizing::new([0; PADDED]);
    let bytes = wrapping
        .unwrap_key(&wrapped[..length], clear.as_mut_slice())
        .map_err(|_| ProfileError::Unwrap { key: number })?;
    let key = VendingKey::new(attributes.algorithm, bytes).map_err(|error| {
        ProfileError::KeyLength { key: number, expected: error.expected, found: error.found }
    })?;
    let found = check_value(&key);
    if found != expected {
        let (group, revision) = (attributes.supply_group, attributes.key_revision);
        return Err(ProfileError::CheckValue { group, revision, expected, found });
    }
    Ok(LoadedKey { attributes, register, key, check_value: found })
}

fn wrapping(slot_keys: &SlotKeys) -> KwpAes256 {
    KwpAes256::new_from_slice(slot_keys.wrapping()).expect("32 bytes are a key of AES-256")
}

/// What a file has named already: each key and each register stands in it once.
#[derive(Default)]
struct Once {
    keys: HashSet<(u32, u8)>,
    registers: HashSet<u16>,
}

impl Once {
    fn check(
        &mut self,
        attributes: &VendingKeyAttributes,
        register: Option<RegisterNumber>,
    ) -> Result<(), ProfileError> {
        let (group, revision) = (attributes.supply_group, attributes.key_revision);
        if !self.keys.insert((group.value(), revision.value())) {
            let what = format!("key {group} revision {revision}");
            return Err(ProfileError::Twice { what });
        }
        match register {
            Some(register) if !self.registers.insert(register.value()) => {
                Err(ProfileError::Twice { what: format!("register {register}") })
            }
            _ => Ok(()),
        }
    }
}

fn in_order(created: Moment, expires: Moment) -> Result<(), ProfileError> {
    if created <= expires {
        Ok(())
    } else {
        Err(ProfileError::Dates { problem: "CRE not after EXP" })
    }
}

fn in_force(attributes: &VendingKeyAttributes) -> Result<(), ProfileError> {
    if attributes.activation <= attributes.issued_until {
        Ok(())
    } else {
        Err(ProfileError::Dates { problem: "ACT not after IUT" })
    }
}
