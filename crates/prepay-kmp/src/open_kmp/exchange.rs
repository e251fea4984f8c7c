//! Records KAG and KAC: a module asks for an agreement, a centre confirms it.
//!
//! The request is signed by the module. The confirmation carries the centre's proof that it derived the same keys, and
//! the centre's signature. The module's own proof is in each of its key-load requests.

use super::SIGNED;
use super::derivation::{Info, derive};
use super::text::{Record, Records, Writer};
use crate::agreement::Confirmation;
use crate::document::{
    AGREEMENT_CONFIRMATION, AGREEMENT_REQUEST, AgreementAnswered, AgreementConfirmation,
    AgreementRequest, Unverified, Verified, expect_centre,
};
use crate::value::Hex;
use crate::{
    DocumentError, Identity, Nonce, PartyKind, PartyName, PendingAgreement, PublicIdentity,
    PublicKey, SlotKeys, SlotNumber,
};
use prepay_basics::{Entropy, Moment, NoEntropy};

/// For a module: writes an agreement request. Keep its secret in the vault until the
/// confirmation comes.
///
/// # Errors
///
/// [`NoEntropy`] when the source has failed.
pub fn request_agreement(
    own: &Identity,
    centre: &PublicIdentity,
    slot: SlotNumber,
    created: Moment,
    entropy: &mut dyn Entropy,
) -> Result<(String, PendingAgreement), NoEntropy> {
    let pending = PendingAgreement::generate(slot, created, entropy)?;
    let mut text = Writer::default();
    text.record(AGREEMENT_REQUEST).item("CRE", created);
    text.item("EPH", Hex(&pending.ephemeral().spki()));
    text.item("KMC", centre.name()).item("NON", pending.nonce());
    text.item("SLT", slot).item("SMI", own.name()).end();
    let signature = own.sign_record(text.so_far());
    text.seal(SIGNED, &signature);
    Ok((text.finish(), pending))
}

pub(super) fn parse_request(
    records: &[Record<'_>],
    text: &[u8],
) -> Result<Unverified<AgreementRequest>, DocumentError> {
    let mut records = Records::new(records);
    let record = records.take(AGREEMENT_REQUEST)?;
    let mut items = record.items();
    let created = items.get("CRE")?;
    let ephemeral = PublicKey::from_spki(&items.bytes::<120>("EPH")?)
        .map_err(|error| record.fault("EPH", error))?;
    let centre = super::party(&mut items, "KMC", PartyKind::Centre)?;
    let (nonce, slot) = (items.get("NON")?, items.get("SLT")?);
    let module = super::party(&mut items, "SMI", PartyKind::Module)?;
    items.end()?;
    let signature = records.seal(SIGNED)?;
    records.end()?;
    Ok(Unverified {
        module: module.clone(),
        centre: centre.clone(),
        slot,
        content: AgreementRequest { module, centre, slot, nonce, ephemeral, created },
        text: text.into(),
        signature,
    })
}

impl Unverified<AgreementRequest> {
    /// For a centre: checks that the request is addressed to it and that this module signed it.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when it is refused.
    pub fn verify(
        &self,
        own: &PartyName,
        module: &PublicIdentity,
    ) -> Result<Verified<AgreementRequest>, DocumentError> {
        self.expect_names(module.name(), own)?;
        self.verify_signature(module)?;
        Ok(Verified::new(self, module))
    }
}

/// For a centre: derives the keys and writes the confirmation. `nonce` is the centre's own random number, new for each
/// request. The same arguments give the same answer.
///
/// The keys are for nothing before the module has confirmed them too: see [`KeyLoadRequest`](crate::KeyLoadRequest).
///
/// # Errors
///
/// [`DocumentError::OtherCentre`] when the request is addressed to another centre.
pub fn confirm_agreement(
    own: &Identity,
    request: &Verified<AgreementRequest>,
    created: Moment,
    nonce: Nonce,
) -> Result<AgreementAnswered, DocumentError> {
    let module = request.sender();
    expect_centre(own.name(), &request.centre)?;
    let info = Info {
        module: module.name(),
        centre: own.name(),
        slot: request.slot,
        nonce: request.nonce,
        ephemeral: &request.ephemeral,
        centre_nonce: nonce,
    };
    let secret = own.agreement_secret();
    let (keys, confirmation) =
        derive((secret, &request.ephemeral), (secret, module.agreement_key()), &info)
            .expect("the secret was checked when it was made");
    let mut text = Writer::default();
    text.record(AGREEMENT_CONFIRMATION).item("CNF", Hex(&confirmation.0)).item("CRE", created);
    text.item("KMC", own.name()).item("NOC", nonce).item("NON", request.nonce);
    text.item("SLT", request.slot).item("SMI", module.name()).end();
    let signature = own.sign_record(text.so_far());
    text.seal(SIGNED, &signature);
    Ok(AgreementAnswered { keys, confirmation: text.finish() })
}

pub(super) fn parse_confirmation(
    records: &[Record<'_>],
    text: &[u8],
) -> Result<Unverified<AgreementConfirmation>, DocumentError> {
    let mut records = Records::new(records);
    let mut items = records.take(AGREEMENT_CONFIRMATION)?.items();
    let confirmation = Confirmation(items.bytes("CNF")?);
    let created = items.get("CRE")?;
    let centre = super::party(&mut items, "KMC", PartyKind::Centre)?;
    let centre_nonce = items.get("NOC")?;
    let (nonce, slot) = (items.get("NON")?, items.get("SLT")?);
    let module = super::party(&mut items, "SMI", PartyKind::Module)?;
    items.end()?;
    let signature = records.seal(SIGNED)?;
    records.end()?;
    Ok(Unverified {
        module: module.clone(),
        centre: centre.clone(),
        slot,
        content: AgreementConfirmation {
            module,
            centre,
            slot,
            nonce,
            created,
            centre_nonce,
            confirmation,
        },
        text: text.into(),
        signature,
    })
}

impl Unverified<AgreementConfirmation> {
    /// For a module: checks the confirmation against the open request, and gives the slot's keys.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when it is refused.
    pub fn verify(
        &self,
        own: &Identity,
        centre: &PublicIdentity,
        pending: &PendingAgreement,
    ) -> Result<(AgreementConfirmation, SlotKeys), DocumentError> {
        self.expect_names(own.name(), centre.name())?;
        let (slot, nonce) = (pending.slot(), pending.nonce());
        if self.slot != slot {
            return Err(DocumentError::OtherSlot { expected: slot, found: self.slot });
        }
        if self.content.nonce != nonce {
            let found = self.content.nonce;
            return Err(DocumentError::OtherRequest { expected: nonce, found });
        }
        self.verify_signature(centre)?;
        let ephemeral = &pending.ephemeral();
        let centre_nonce = self.content.centre_nonce;
        let (module, centre_name) = (own.name(), centre.name());
        let info = Info { module, centre: centre_name, slot, nonce, ephemeral, centre_nonce };
        let key = centre.agreement_key();
        let (keys, expected) =
            derive((pending.secret(), key), (own.agreement_secret(), key), &info)
                .expect("the secrets were checked when they were made");
        if self.content.confirmation != expected {
            return Err(DocumentError::Confirmation { party: centre_name.clone() });
        }
        Ok((self.content.clone(), keys))
    }
}
