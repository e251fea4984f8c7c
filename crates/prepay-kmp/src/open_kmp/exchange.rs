//! Records KAG and KAC: a module asks for an agreement, a centre confirms it.
//!
//! The request is signed by the module. The confirmation carries a code under the new MAC key, which proves
//! that the centre derived the same keys, and the centre's signature.

use super::agreement::{Info, MAC, PendingAgreement, SlotKeys, derive};
use super::key::SIGNATURE;
use super::party::{Identity, PartyKind, PartyName, PublicIdentity};
use super::text::{Records, Writer, read};
use super::value::Hex;
use super::{ProfileError, PublicKey, SlotNumber};
use crate::profile::{AgreementAnswered, AgreementConfirmation, AgreementRequest};
use prepay_basics::{Entropy, Moment, NoEntropy};

const REQUEST: &str = "KAG";
const CONFIRMATION: &str = "KAC";
const AUTHENTICATED: &str = "MAC";
const SIGNED: &str = "SIG";

pub(super) fn write_request(
    own: &Identity,
    centre: &PublicIdentity,
    slot: SlotNumber,
    created: Moment,
    entropy: &mut dyn Entropy,
) -> Result<(String, PendingAgreement), NoEntropy> {
    let pending = PendingAgreement::generate(slot, created, entropy)?;
    let mut text = Writer::default();
    text.record(REQUEST).item("CRE", created).item("EPH", Hex(&pending.ephemeral().spki()));
    text.item("KMC", centre.name()).item("NON", pending.nonce());
    text.item("SLT", slot).item("SMI", own.name()).end();
    let signature = own.sign_record(text.so_far());
    text.seal(SIGNED, &signature);
    Ok((text.finish(), pending))
}

/// A request, the text that is signed, and the signature.
fn parse_request(text: &[u8]) -> Result<(AgreementRequest, &[u8], [u8; SIGNATURE]), ProfileError> {
    let records = read(text)?;
    let mut records = Records::new(&records);
    let record = records.take(REQUEST)?;
    let mut items = record.items();
    let created = items.get("CRE")?;
    let ephemeral = PublicKey::from_spki(&items.bytes::<120>("EPH")?)
        .map_err(|error| record.fault("EPH", error))?;
    let centre = super::party(&mut items, "KMC", PartyKind::Centre)?;
    let (nonce, slot) = (items.get("NON")?, items.get("SLT")?);
    let module = super::party(&mut items, "SMI", PartyKind::Module)?;
    items.end()?;
    let (signed, seal) = records.seal(SIGNED)?;
    records.end()?;
    Ok((AgreementRequest { module, centre, slot, nonce, ephemeral, created }, signed, seal))
}

pub(super) fn peek_request(text: &[u8]) -> Result<AgreementRequest, ProfileError> {
    parse_request(text).map(|(request, ..)| request)
}

pub(super) fn answer(
    own: &Identity,
    module: &PublicIdentity,
    text: &[u8],
    created: Moment,
) -> Result<AgreementAnswered, ProfileError> {
    let (request, signed, seal) = parse_request(text)?;
    super::expect_names(module.name(), &request.module, own.name(), &request.centre)?;
    super::verify_record(module.name(), module.signature_key(), signed, &seal)?;
    let info = Info {
        module: module.name(),
        centre: own.name(),
        slot: request.slot,
        nonce: request.nonce,
        ephemeral: &request.ephemeral,
    };
    let secret = own.agreement_secret();
    let keys = derive((secret, &request.ephemeral), (secret, module.agreement_key()), &info)
        .expect("the secret was checked when it was made");
    let mut text = Writer::default();
    text.record(CONFIRMATION).item("CRE", created).item("KMC", own.name());
    text.item("NON", request.nonce).item("SLT", request.slot).item("SMI", module.name()).end();
    let code = keys.authenticate(text.so_far());
    text.seal(AUTHENTICATED, &code);
    let signature = own.sign_record(text.so_far());
    text.seal(SIGNED, &signature);
    Ok(AgreementAnswered { request, keys, confirmation: text.finish() })
}

/// A confirmation, and what protects it.
struct Confirmation<'t> {
    content: AgreementConfirmation,
    authenticated: (&'t [u8], [u8; MAC]),
    signed: (&'t [u8], [u8; SIGNATURE]),
}

fn parse_confirmation(text: &[u8]) -> Result<Confirmation<'_>, ProfileError> {
    let records = read(text)?;
    let mut records = Records::new(&records);
    let mut items = records.take(CONFIRMATION)?.items();
    let created = items.get("CRE")?;
    let centre = super::party(&mut items, "KMC", PartyKind::Centre)?;
    let (nonce, slot) = (items.get("NON")?, items.get("SLT")?);
    let module: PartyName = super::party(&mut items, "SMI", PartyKind::Module)?;
    items.end()?;
    let authenticated = records.seal(AUTHENTICATED)?;
    let signed = records.seal(SIGNED)?;
    records.end()?;
    let content = AgreementConfirmation { module, centre, slot, nonce, created };
    Ok(Confirmation { content, authenticated, signed })
}

pub(super) fn peek_confirmation(text: &[u8]) -> Result<AgreementConfirmation, ProfileError> {
    parse_confirmation(text).map(|confirmation| confirmation.content)
}

pub(super) fn accept(
    own: &Identity,
    centre: &PublicIdentity,
    pending: &PendingAgreement,
    text: &[u8],
) -> Result<(AgreementConfirmation, SlotKeys), ProfileError> {
    let Confirmation { content, authenticated, signed } = parse_confirmation(text)?;
    super::expect_names(own.name(), &content.module, centre.name(), &content.centre)?;
    let (slot, nonce) = (pending.slot(), pending.nonce());
    if content.slot != slot {
        return Err(ProfileError::OtherSlot { expected: slot, found: content.slot });
    }
    if content.nonce != nonce {
        return Err(ProfileError::OtherRequest { expected: nonce, found: content.nonce });
    }
    super::verify_record(centre.name(), centre.signature_key(), signed.0, &signed.1)?;
    let ephemeral = &pending.ephemeral();
    let info = Info { module: own.name(), centre: centre.name(), slot, nonce, ephemeral };
    let key = centre.agreement_key();
    let keys = derive((pending.secret(), key), (own.agreement_secret(), key), &info)
        .expect("the secrets were checked when they were made");
    if !keys.verify(authenticated.0, &authenticated.1) {
        return Err(ProfileError::Mac);
    }
    Ok((content, keys))
}
