//! Records VKR, VKL and KEY: a module asks for vending keys, a centre sends them.
//!
//! Each key is wrapped with AES-256 by RFC 5649, which takes 8, 16 and 20 bytes. The code under the
//! slot's MAC key is over header and keys; the centre's signature is over those and the code, so that the
//! origin can be proved after the slot's keys are gone.

use aes_kw::{KeyInit, KwpAes256};
use prepay_token::element::{BaseDate, KeyType};
use prepay_token::key::VendingKey;
use zeroize::Zeroizing;

use super::text::{Items, Record, Records, Writer};
use super::{AUTHENTICATED, SIGNED};
use crate::agreement::Confirmation;
use crate::attribute::{
    AttributeError, Cluster, GroupName, KeyCheckValue, RegisterNumber, VendingKeyType,
};
use crate::document::{
    KEY_LOAD, KEY_LOAD_REQUEST, KeyLoad, KeyLoadHeader, KeyLoadRequest, KeyToLoad, LoadedKey, Once,
    Unverified, Verified, WrappedKey, WrappedKeyLoad, expect_centre, expect_kind, expect_module,
};
use crate::value::Hex;
use crate::{
    DocumentError, Identity, PartyKind, PartyName, PublicIdentity, SlotKeys, VendingKeyAttributes,
    check_value,
};

const KEY: &str = "KEY";

/// The bytes of the longest vending key with its padding, and wrapped.
const PADDED: usize = 24;
const WRAPPED: usize = PADDED + 8;

/// For a module: writes a signed key-load request. The request's `module` must be the signer.
///
/// # Errors
///
/// [`DocumentError::OtherModule`] when the request is another module's, [`DocumentError::Kind`] and
/// [`DocumentError::Dates`].
pub fn write_key_load_request(
    own: &Identity,
    request: &KeyLoadRequest,
) -> Result<String, DocumentError> {
    expect_module(own.name(), &request.module)?;
    expect_kind(PartyKind::Module, own.name().kind())?;
    expect_kind(PartyKind::Centre, request.centre.kind())?;
    request.check()?;
    let mut text = Writer::default();
    text.record(KEY_LOAD_REQUEST).item("CNF", Hex(&request.confirmation.0));
    text.item("CRE", request.created).item("EXP", request.expires);
    text.item("KMC", &request.centre).item("NON", request.nonce);
    text.item("SLT", request.slot).item("SMI", &request.module).end();
    let signature = own.sign_record(text.so_far());
    text.seal(SIGNED, &signature);
    Ok(text.finish())
}

pub(super) fn parse_request(
    records: &[Record<'_>],
    text: &[u8],
) -> Result<Unverified<KeyLoadRequest>, DocumentError> {
    let mut records = Records::new(records);
    let mut items = records.take(KEY_LOAD_REQUEST)?.items();
    let confirmation = Confirmation(items.bytes("CNF")?);
    let (created, expires) = (items.get("CRE")?, items.get("EXP")?);
    let centre = super::party(&mut items, "KMC", PartyKind::Centre)?;
    let (nonce, slot) = (items.get("NON")?, items.get("SLT")?);
    let module = super::party(&mut items, "SMI", PartyKind::Module)?;
    items.end()?;
    let content = KeyLoadRequest { module, centre, slot, nonce, created, expires, confirmation };
    content.check()?;
    let signature = records.seal(SIGNED)?;
    records.end()?;
    Ok(Unverified {
        module: content.module.clone(),
        centre: content.centre.clone(),
        slot,
        content,
        text: text.into(),
        signature,
    })
}

impl Unverified<KeyLoadRequest> {
    /// For a centre: checks that the request is addressed to it and that this module signed it.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when it is refused.
    pub fn verify(
        &self,
        own: &PartyName,
        module: &PublicIdentity,
    ) -> Result<Verified<KeyLoadRequest>, DocumentError> {
        self.expect_names(module.name(), own)?;
        self.verify_signature(module)?;
        Ok(Verified::new(self, module))
    }
}

/// For a centre: writes a key-load file. The header's `centre` must be the signer.
///
/// # Errors
///
/// [`DocumentError::OtherCentre`], [`DocumentError::Kind`], [`DocumentError::Dates`], [`DocumentError::Count`],
/// [`DocumentError::KeyLength`] and [`DocumentError::Twice`], when a module would refuse the
/// file.
pub fn write_key_load(
    own: &Identity,
    slot_keys: &SlotKeys,
    header: &KeyLoadHeader,
    keys: &[KeyToLoad<'_>],
) -> Result<String, DocumentError> {
    expect_centre(own.name(), &header.centre)?;
    expect_kind(PartyKind::Centre, own.name().kind())?;
    expect_kind(PartyKind::Module, header.module.kind())?;
    header.check(keys.len())?;
    let wrapping = wrapping(slot_keys);
    let mut once = Once::default();
    let mut text = Writer::default();
    text.record(KEY_LOAD).item("CRE", header.created).item("EXP", header.expires);
    text.item("KMC", &header.centre).item("NKY", keys.len()).item("NON", header.nonce);
    text.item("SER", header.serial).item("SLT", header.slot).item("SMI", &header.module);
    text.optional("TXN", header.transactions).end();
    for (place, item) in keys.iter().enumerate() {
        let KeyToLoad { attributes, register, key } = *item;
        once.check(attributes, register)?;
        let (expected, found) =
            (attributes.algorithm.vending_key_bytes(), key.expose_bytes().len());
        if key.algorithm() != attributes.algorithm {
            return Err(DocumentError::KeyLength { key: place + 1, expected, found });
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

pub(super) fn parse(
    records: &[Record<'_>],
    text: &[u8],
) -> Result<Unverified<WrappedKeyLoad>, DocumentError> {
    let mut records = Records::new(records);
    let mut items = records.take(KEY_LOAD)?.items();
    let (created, expires) = (items.get("CRE")?, items.get("EXP")?);
    let centre = super::party(&mut items, "KMC", PartyKind::Centre)?;
    let count: u16 = items.get("NKY")?;
    let (nonce, serial, slot) = (items.get("NON")?, items.get("SER")?, items.get("SLT")?);
    let module = super::party(&mut items, "SMI", PartyKind::Module)?;
    let transactions = items.optional("TXN")?;
    items.end()?;
    let header =
        KeyLoadHeader { module, centre, slot, nonce, serial, created, expires, transactions };
    header.check(count.into())?;
    let mut once = Once::default();
    let mut keys = Vec::with_capacity(count.into());
    for number in 1..=count {
        let key = parse_key(records.take(KEY)?, number)?;
        once.check(&key.attributes, key.register)?;
        keys.push(key);
    }
    let code = records.seal(AUTHENTICATED)?;
    let signature = records.seal(SIGNED)?;
    records.end()?;
    Ok(Unverified {
        module: header.module.clone(),
        centre: header.centre.clone(),
        slot,
        content: WrappedKeyLoad { header, keys, code },
        text: text.into(),
        signature,
    })
}

fn parse_key(record: &Record<'_>, number: u16) -> Result<WrappedKey, DocumentError> {
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
    let wrapped = items.bytes_up_to("WRP", WRAPPED)?;
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
    Ok(WrappedKey { attributes, register, check_value, wrapped })
}

fn key_type(
    record: &Record<'_>,
    items: &mut Items<'_, '_>,
) -> Result<VendingKeyType, DocumentError> {
    let key_type: KeyType = items.get("KTY")?;
    VendingKeyType::try_from(key_type).map_err(|error: AttributeError| record.fault("KTY", error))
}

impl Unverified<WrappedKeyLoad> {
    /// For a module: checks that the file is from this centre and addressed to it, checks signature and
    /// authentication code, then unwraps and checks all keys.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when it is refused; then no key of it comes out.
    pub fn verify(
        &self,
        own: &PartyName,
        centre: &PublicIdentity,
        slot_keys: &SlotKeys,
    ) -> Result<KeyLoad, DocumentError> {
        self.expect_names(own, centre.name())?;
        self.verify_signature(centre)?;
        let WrappedKeyLoad { header, keys: wrapped, code } = &self.content;
        if !slot_keys.verify(self.sealed(code), &code.value) {
            return Err(DocumentError::Mac);
        }
        let wrapping = wrapping(slot_keys);
        let mut keys = Vec::with_capacity(wrapped.len()); // Never moved: it holds secrets.
        for (place, key) in wrapped.iter().enumerate() {
            keys.push(unwrap(&wrapping, key, place + 1)?);
        }
        Ok(KeyLoad { header: header.clone(), keys })
    }
}

fn unwrap(
    wrapping: &KwpAes256,
    wrapped: &WrappedKey,
    number: usize,
) -> Result<LoadedKey, DocumentError> {
    let WrappedKey { attributes, register, check_value: expected, wrapped } = wrapped;
    let mut clear = Zeroizing::new([0; PADDED]);
    let bytes = wrapping
        .unwrap_key(wrapped, clear.as_mut_slice())
        .map_err(|_| DocumentError::Unwrap { key: number })?;
    let key = VendingKey::new(attributes.algorithm, bytes).map_err(|error| {
        DocumentError::KeyLength { key: number, expected: error.expected, found: error.found }
    })?;
    let found = check_value(&key);
    if found != *expected {
        let (group, revision) = (attributes.supply_group, attributes.key_revision);
        return Err(DocumentError::CheckValue { group, revision, expected: *expected, found });
    }
    Ok(LoadedKey { attributes: attributes.clone(), register: *register, key, check_value: found })
}

fn wrapping(slot_keys: &SlotKeys) -> KwpAes256 {
    KwpAes256::new_from_slice(slot_keys.wrapping()).expect("32 bytes are a key of AES-256")
}
