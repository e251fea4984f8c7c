//! The profile `open-kmp`: how modules and centres write to each other, in a format of our own.
//!
//! **This is not STS 600-4-2.** The texts of that document are closed. This profile has the same roles and
//! shapes with our own syntax and cryptography; every line names it, so that no one takes a file of it for a
//! real one. A codec for the real format takes its place behind
//! [`KeyManagementProfile`].
//!
//! | record | what | protected by |
//! |--------|------|--------------|
//! | `PKE` | public keys of a party | its own signature |
//! | `KAG` | agreement request | the module's signature |
//! | `KAC` | agreement confirmation | code under the new keys, the centre's signature |
//! | `VKR` | key-load request | the module's signature |
//! | `VKL`, `KEY` | key-load file | code under the slot's keys, the centre's signature; keys are wrapped |
//! | `MAC`, `SIG` | the code and the signature of the lines before | |
//!
//! Cryptography: ECDH, ECDSA on P-384 (`key.rs`); key derivation (`agreement.rs`); AES key wrap with padding,
//! HMAC-SHA-384 (`key_load.rs`). Syntax: `text.rs`. The whole format: `docs/formats/open-kmp.md`.
//!
//! - Limits: a text has at most 1 MiB, a file at most 1000 keys. Reading is one pass over the text.
//! - Left to others: whether a request is open, clocks, serial numbers, what is loaded already.

mod agreement;
mod enrolment;
mod error;
mod exchange;
#[cfg(test)]
mod faulty_centre;
mod key;
mod key_load;
mod party;
mod signatory;
mod text;
mod value;

pub use agreement::{PendingAgreement, SlotKeys};
pub use error::{KeyError, ProfileError, SignatureError};
pub use key::PublicKey;
pub use party::{Fingerprint, Identity, PartyKind, PartyName, PublicIdentity};
pub use signatory::{Signatory, SignatoryKey};
pub use value::{Label, Nonce, SlotNumber};

use crate::profile::{
    AgreementAnswered, AgreementConfirmation, AgreementRequest, Enrolment, EnrolmentDetails,
    KeyLoad, KeyLoadHeader, KeyLoadRequest, KeyManagementProfile, KeyToLoad,
};
use prepay_basics::{Entropy, Moment, NoEntropy};

/// The name and version of the profile, which every line carries.
pub const PROFILE: &str = "open-kmp-1";

/// The greatest length of a text, in bytes.
pub const MAX_BYTES: usize = 1 << 20;

/// The most keys in a key-load file.
pub const MAX_KEYS: usize = 1000;

/// The profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenKmp;

impl KeyManagementProfile for OpenKmp {
    fn name(&self) -> &'static str {
        PROFILE
    }

    fn write_enrolment(
        &self,
        own: &Identity,
        created: Moment,
        is_test: bool,
        details: &EnrolmentDetails,
    ) -> Result<String, ProfileError> {
        enrolment::write(own, created, is_test, details)
    }

    fn read_enrolment(&self, text: &[u8]) -> Result<Enrolment, ProfileError> {
        enrolment::parse(text)
    }

    fn write_signatory(&self, own: &Signatory, created: Moment) -> String {
        enrolment::write_signatory(own, created)
    }

    fn read_signatory(&self, text: &[u8]) -> Result<(SignatoryKey, Moment), ProfileError> {
        enrolment::parse_signatory(text)
    }

    fn request_agreement(
        &self,
        own: &Identity,
        centre: &PublicIdentity,
        slot: SlotNumber,
        created: Moment,
        entropy: &mut dyn Entropy,
    ) -> Result<(String, PendingAgreement), NoEntropy> {
        exchange::write_request(own, centre, slot, created, entropy)
    }

    fn peek_agreement_request(&self, text: &[u8]) -> Result<AgreementRequest, ProfileError> {
        exchange::peek_request(text)
    }

    fn answer_agreement(
        &self,
        own: &Identity,
        module: &PublicIdentity,
        text: &[u8],
        created: Moment,
    ) -> Result<AgreementAnswered, ProfileError> {
        exchange::answer(own, module, text, created)
    }

    fn peek_agreement_confirmation(
        &self,
        text: &[u8],
    ) -> Result<AgreementConfirmation, ProfileError> {
        exchange::peek_confirmation(text)
    }

    fn accept_agreement(
        &self,
        own: &Identity,
        centre: &PublicIdentity,
        pending: &PendingAgreement,
        text: &[u8],
    ) -> Result<(AgreementConfirmation, SlotKeys), ProfileError> {
        exchange::accept(own, centre, pending, text)
    }

    fn write_key_load_request(
        &self,
        own: &Identity,
        request: &KeyLoadRequest,
    ) -> Result<String, ProfileError> {
        key_load::write_request(own, request)
    }

    fn peek_key_load_request(&self, text: &[u8]) -> Result<KeyLoadRequest, ProfileError> {
        key_load::peek_request(text)
    }

    fn read_key_load_request(
        &self,
        own: &PartyName,
        module: &PublicIdentity,
        text: &[u8],
    ) -> Result<KeyLoadRequest, ProfileError> {
        key_load::read_request(own, module, text)
    }

    fn write_key_load(
        &self,
        own: &Identity,
        slot_keys: &SlotKeys,
        header: &KeyLoadHeader,
        keys: &[KeyToLoad<'_>],
    ) -> Result<String, ProfileError> {
        key_load::write(own, slot_keys, header, keys)
    }

    fn peek_key_load(&self, text: &[u8]) -> Result<KeyLoadHeader, ProfileError> {
        key_load::peek(text)
    }

    fn read_key_load(
        &self,
        own: &PartyName,
        centre: &PublicIdentity,
        slot_keys: &SlotKeys,
        text: &[u8],
    ) -> Result<KeyLoad, ProfileError> {
        key_load::read_file(own, centre, slot_keys, text)
    }
}

/// The name of a party of one kind.
fn party(
    items: &mut text::Items<'_, '_>,
    tag: &str,
    kind: PartyKind,
) -> Result<PartyName, ProfileError> {
    let name: PartyName = items.get(tag)?;
    expect_kind(kind, name.kind())?;
    Ok(name)
}

fn expect_kind(expected: PartyKind, found: PartyKind) -> Result<(), ProfileError> {
    if expected == found { Ok(()) } else { Err(ProfileError::Kind { expected, found }) }
}

/// That a text names the right module and the right centre.
fn expect_names(
    module: &PartyName,
    found_module: &PartyName,
    centre: &PartyName,
    found_centre: &PartyName,
) -> Result<(), ProfileError> {
    if module != found_module {
        let (expected, found) = (module.clone(), found_module.clone());
        return Err(ProfileError::OtherModule { expected, found });
    }
    if centre != found_centre {
        let (expected, found) = (centre.clone(), found_centre.clone());
        return Err(ProfileError::OtherCentre { expected, found });
    }
    Ok(())
}

/// Checks the signature of a record's text.
fn verify_record(
    party: &PartyName,
    key: &PublicKey,
    text: &[u8],
    signature: &[u8],
) -> Result<(), ProfileError> {
    let message = key::framed("record", "", text);
    let result = key.verify(&message, signature);
    result.map_err(|SignatureError| ProfileError::Signature { party: party.clone() })
}
