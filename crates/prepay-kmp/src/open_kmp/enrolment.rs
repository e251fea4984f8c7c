//! Records PKE: the public keys of a module, a centre or a signatory, signed by itself.

use super::key::SIGNATURE;
use super::party::{Identity, PartyKind, PartyName, PublicIdentity};
use super::signatory::{Signatory, SignatoryKey};
use super::text::{Items, Records, Writer, read};
use super::value::Hex;
use super::{KeyError, ProfileError, PublicKey};
use crate::profile::{Enrolment, EnrolmentDetails};
use prepay_basics::Moment;

const ENROLMENT: &str = "PKE";
const SIGNED: &str = "SIG";

/// How a party for tests is marked; no other value is.
const TEST: u8 = 1;

pub(super) fn write(
    own: &Identity,
    created: Moment,
    is_test: bool,
    details: &EnrolmentDetails,
) -> Result<String, ProfileError> {
    let kind = match details {
        EnrolmentDetails::Module { .. } => PartyKind::Module,
        EnrolmentDetails::Centre { .. } => PartyKind::Centre,
    };
    let party = own.public();
    super::expect_kind(kind, party.kind())?;
    let mut text = Writer::default();
    text.record(ENROLMENT);
    let (agreement, signature) = (party.agreement_key().spki(), party.signature_key().spki());
    let (agreement, signature) = (Hex(&agreement), Hex(&signature));
    match details {
        EnrolmentDetails::Module { maker, model, firmware } => {
            text.item("AGR", agreement).item("CRE", created).item("FWV", firmware);
            text.item("MAK", maker).item("MOD", model);
        }
        EnrolmentDetails::Centre { activation, expires } => {
            in_force(*activation, *expires)?;
            text.item("ACT", activation).item("AGR", agreement).item("CRE", created);
            text.item("EXP", expires);
        }
    }
    text.item("PID", party.name()).item("SGN", signature);
    text.optional("TST", is_test.then_some(TEST)).end();
    let signature = own.sign_record(text.so_far());
    text.seal(SIGNED, &signature);
    Ok(text.finish())
}

pub(super) fn parse(text: &[u8]) -> Result<Enrolment, ProfileError> {
    let records = read(text)?;
    let mut records = Records::new(&records);
    let record = records.take(ENROLMENT)?;
    let mut items = record.items();
    let activation: Option<Moment> = items.optional("ACT")?;
    let agreement = public_key(&mut items, "AGR")?.map_err(|error| record.fault("AGR", error))?;
    let created = items.get("CRE")?;
    let details = match activation {
        Some(activation) => {
            let expires = items.get("EXP")?;
            in_force(activation, expires)?;
            EnrolmentDetails::Centre { activation, expires }
        }
        None => {
            let firmware = items.get("FWV")?;
            let (maker, model) = (items.get("MAK")?, items.get("MOD")?);
            EnrolmentDetails::Module { maker, model, firmware }
        }
    };
    let name: PartyName = items.get("PID")?;
    let signature = public_key(&mut items, "SGN")?.map_err(|error| record.fault("SGN", error))?;
    let mark: Option<u8> = items.optional("TST")?;
    let is_test = match mark {
        None => false,
        Some(TEST) => true,
        Some(found) => return Err(record.fault("TST", format!("expected {TEST}, found {found}"))),
    };
    items.end()?;
    let kind = if activation.is_some() { PartyKind::Centre } else { PartyKind::Module };
    super::expect_kind(kind, name.kind())?;
    let party = PublicIdentity::new(kind, name.id().clone(), agreement, signature)
        .map_err(|error| record.fault("SGN", error))?;
    same_keys(party.name(), name)?;
    let (signed, seal) = records.seal::<SIGNATURE>(SIGNED)?;
    records.end()?;
    super::verify_record(party.name(), party.signature_key(), signed, &seal)?;
    Ok(Enrolment { party, created, is_test, details })
}

pub(super) fn write_signatory(own: &Signatory, created: Moment) -> String {
    let mut text = Writer::default();
    let key = own.key().signature_key().spki();
    text.record(ENROLMENT).item("CRE", created).item("PID", own.key().name());
    text.item("SGN", Hex(&key)).end();
    let signature = own.sign_record(text.so_far());
    text.seal(SIGNED, &signature);
    text.finish()
}

pub(super) fn parse_signatory(text: &[u8]) -> Result<(SignatoryKey, Moment), ProfileError> {
    let records = read(text)?;
    let mut records = Records::new(&records);
    let record = records.take(ENROLMENT)?;
    let mut items = record.items();
    let created = items.get("CRE")?;
    let name: PartyName = items.get("PID")?;
    let key = public_key(&mut items, "SGN")?.map_err(|error| record.fault("SGN", error))?;
    items.end()?;
    super::expect_kind(PartyKind::Signatory, name.kind())?;
    let signatory = SignatoryKey::new(name.id().clone(), key);
    same_keys(signatory.name(), name)?;
    let (signed, seal) = records.seal::<SIGNATURE>(SIGNED)?;
    records.end()?;
    super::verify_record(signatory.name(), &key, signed, &seal)?;
    Ok((signatory, created))
}

/// The bytes of a key, and whether they are one.
fn public_key(
    items: &mut Items<'_, '_>,
    tag: &str,
) -> Result<Result<PublicKey, KeyError>, ProfileError> {
    Ok(PublicKey::from_spki(&items.bytes::<120>(tag)?))
}

fn same_keys(expected: &PartyName, found: PartyName) -> Result<(), ProfileError> {
    if *expected == found {
        Ok(())
    } else {
        Err(ProfileError::Party { expected: expected.clone(), found })
    }
}

fn in_force(activation: Moment, expires: Moment) -> Result<(), ProfileError> {
    if activation < expires {
        Ok(())
    } else {
        Err(ProfileError::Dates { problem: "ACT before EXP" })
    }
}
