//! Records PKE: the public keys of a module, a centre or a signatory, signed with themselves.

use super::text::{Items, Record, Records, Writer};
use super::{SIGNED, verify_record};
use crate::document::{
    CentreEnrolment, Document, ENROLMENT, ModuleEnrolment, SignatoryEnrolment, expect_kind,
};
use crate::key::SIGNATURE;
use crate::value::Hex;
use crate::{
    DocumentError, Identity, KeyError, PartyKind, PartyName, PublicIdentity, PublicKey, Signatory,
    SignatoryKey,
};
use prepay_basics::Moment;

/// The only value of the mark of a test party.
const TEST: u8 = 1;

/// Writes a module's own enrolment. Its `party` must be the signer.
///
/// # Errors
///
/// [`DocumentError::Kind`] for another kind of party, [`DocumentError::Party`] for another's enrolment.
pub fn write_module_enrolment(
    own: &Identity,
    enrolment: &ModuleEnrolment,
) -> Result<String, DocumentError> {
    let ModuleEnrolment { party, created, is_test, maker, model, firmware } = enrolment;
    check(own, PartyKind::Module, party)?;
    let mut text = Writer::default();
    text.record(ENROLMENT).item("AGR", Hex(&party.agreement_key().spki())).item("CRE", created);
    text.item("FWV", firmware).item("MAK", maker).item("MOD", model);
    Ok(write_party(text, own, *is_test))
}

/// Writes a centre's own enrolment. Its `party` must be the signer.
///
/// # Errors
///
/// [`DocumentError::Dates`], and as [`write_module_enrolment`].
pub fn write_centre_enrolment(
    own: &Identity,
    enrolment: &CentreEnrolment,
) -> Result<String, DocumentError> {
    let CentreEnrolment { party, created, is_test, activation, expires } = enrolment;
    check(own, PartyKind::Centre, party)?;
    enrolment.check()?;
    let mut text = Writer::default();
    text.record(ENROLMENT).item("ACT", activation);
    text.item("AGR", Hex(&party.agreement_key().spki())).item("CRE", created).item("EXP", expires);
    Ok(write_party(text, own, *is_test))
}

/// Checks that a party of this kind enrols itself.
fn check(own: &Identity, kind: PartyKind, party: &PublicIdentity) -> Result<(), DocumentError> {
    expect_kind(kind, own.name().kind())?;
    same_keys(own.name(), party.name().clone())
}

/// Writes what every enrolment except a signatory's ends with.
fn write_party(mut text: Writer, own: &Identity, is_test: bool) -> String {
    let party = own.public();
    text.item("PID", party.name()).item("SGN", Hex(&party.signature_key().spki()));
    text.optional("TST", is_test.then_some(TEST)).end();
    let signature = own.sign_record(text.so_far());
    text.seal(SIGNED, &signature);
    text.finish()
}

/// Writes a signatory's public key, signed with itself.
pub fn write_signatory(own: &Signatory, created: Moment) -> String {
    let mut text = Writer::default();
    let key = own.key().signature_key().spki();
    text.record(ENROLMENT).item("CRE", created).item("PID", own.key().name());
    text.item("SGN", Hex(&key)).end();
    let signature = own.sign_record(text.so_far());
    text.seal(SIGNED, &signature);
    text.finish()
}

/// Reads an enrolment and checks its own signature. A centre's has ACT, a module's AGR but no ACT, and a signatory's
/// neither.
pub(super) fn parse(records: &[Record<'_>], text: &[u8]) -> Result<Document, DocumentError> {
    let mut records = Records::new(records);
    let record = records.take(ENROLMENT)?;
    let mut items = record.items();
    let activation: Option<Moment> = items.optional("ACT")?;
    let agreement = match (activation, items.has("AGR")) {
        (None, false) => None,
        _ => Some(public_key(record, &mut items, "AGR")?),
    };
    let created = items.get("CRE")?;
    let Some(agreement) = agreement else {
        let name: PartyName = items.get("PID")?;
        let signature = public_key(record, &mut items, "SGN")?;
        items.end()?;
        expect_kind(PartyKind::Signatory, name.kind())?;
        let key = SignatoryKey::new(name.id().clone(), signature);
        same_keys(key.name(), name)?;
        verify_own(records, text, key.name(), &signature)?;
        return Ok(Document::SignatoryEnrolment(SignatoryEnrolment { key, created }));
    };
    match activation {
        Some(activation) => {
            let expires = items.get("EXP")?;
            let (party, is_test) = read_party(record, items, PartyKind::Centre, agreement)?;
            let enrolment = CentreEnrolment { party, created, is_test, activation, expires };
            enrolment.check()?;
            let party = &enrolment.party;
            verify_own(records, text, party.name(), party.signature_key())?;
            Ok(Document::CentreEnrolment(enrolment))
        }
        None => {
            let firmware = items.get("FWV")?;
            let (maker, model) = (items.get("MAK")?, items.get("MOD")?);
            let (party, is_test) = read_party(record, items, PartyKind::Module, agreement)?;
            verify_own(records, text, party.name(), party.signature_key())?;
            let enrolment = ModuleEnrolment { party, created, is_test, maker, model, firmware };
            Ok(Document::ModuleEnrolment(enrolment))
        }
    }
}

/// Reads what every enrolment except a signatory's ends with: the party, and whether it is for tests.
fn read_party(
    record: &Record<'_>,
    mut items: Items<'_, '_>,
    kind: PartyKind,
    agreement: PublicKey,
) -> Result<(PublicIdentity, bool), DocumentError> {
    let name: PartyName = items.get("PID")?;
    let signature = public_key(record, &mut items, "SGN")?;
    let mark: Option<u8> = items.optional("TST")?;
    if let Some(found) = mark.filter(|&mark| mark != TEST) {
        return Err(record.fault("TST", format_args!("expected {TEST}, found {found}")));
    }
    items.end()?;
    expect_kind(kind, name.kind())?;
    let party = PublicIdentity::new(kind, name.id().clone(), agreement, signature)
        .map_err(|error| record.fault("SGN", error))?;
    same_keys(party.name(), name)?;
    Ok((party, mark.is_some()))
}

/// Checks the signature of an enrolment with the key in it, and that nothing follows.
fn verify_own(
    mut records: Records<'_, '_>,
    text: &[u8],
    party: &PartyName,
    key: &PublicKey,
) -> Result<(), DocumentError> {
    let seal = records.seal::<SIGNATURE>(SIGNED)?;
    records.end()?;
    verify_record(party, key, &text[..seal.length], &seal.value)
}

fn public_key(
    record: &Record<'_>,
    items: &mut Items<'_, '_>,
    tag: &str,
) -> Result<PublicKey, DocumentError> {
    let bytes = items.bytes::<120>(tag)?;
    PublicKey::from_spki(&bytes).map_err(|error: KeyError| record.fault(tag, error))
}

fn same_keys(expected: &PartyName, found: PartyName) -> Result<(), DocumentError> {
    if *expected == found {
        Ok(())
    } else {
        Err(DocumentError::Party { expected: expected.clone(), found })
    }
}
