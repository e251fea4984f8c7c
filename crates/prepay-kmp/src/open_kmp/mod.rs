//! The profile `open-kmp`: how modules and centres write to each other, in a format of our own.
//!
//! **This is not STS 600-4-2.** That document is not public. This profile has the same roles and
//! shapes with our own syntax and cryptography; every line names it, so that nobody takes its files for
//! real ones. A codec for the real format becomes a module beside this one, which reads its texts to the same
//! [`Document`].
//!
//! | record | what | protected by |
//! |--------|------|--------------|
//! | `PKE` | public keys of a party | its own signature |
//! | `KAG` | agreement request | the module's signature |
//! | `KAC` | agreement confirmation | the centre's proof that it has the new keys, its signature |
//! | `VKR` | key-load request | the module's proof that it has the keys, its signature |
//! | `VKL`, `KEY` | key-load file | code under the slot's keys, the centre's signature; keys are wrapped |
//! | `MAC`, `SIG` | the code and the signature of the lines before | |
//!
//! Cryptography: ECDH, ECDSA on P-384 (`key.rs`); key derivation (`derivation.rs`); AES key wrap with padding,
//! HMAC-SHA-384 (`key_load.rs`). Syntax: `text.rs`. The whole format: `docs/formats/open-kmp.md`.
//!
//! - Limits: a text has at most 1 MiB, a file at most 1000 keys. Reading is one pass over the text.
//! - Left to others: whether a request is open, clocks, serial numbers, what is loaded already.

mod derivation;
mod enrolment;
mod exchange;
#[cfg(test)]
mod faulty_centre;
#[cfg(test)]
mod key_confirmation;
mod key_load;
mod text;

pub use crate::key::PROFILE;
pub use enrolment::{write_centre_enrolment, write_module_enrolment, write_signatory};
pub use exchange::{confirm_agreement, request_agreement};
pub use key_load::{write_key_load, write_key_load_request};

use crate::document::{
    self, AGREEMENT_CONFIRMATION, AGREEMENT_REQUEST, Document, ENROLMENT, KEY_LOAD,
    KEY_LOAD_REQUEST, Seal, Unverified,
};
use crate::key::{self, SIGNATURE};
use crate::{DocumentError, PartyKind, PartyName, PublicKey, SignatureError};

/// The greatest length of a text, in bytes.
pub const MAX_BYTES: usize = 1 << 20;

/// The records of a code and of a signature.
const AUTHENTICATED: &str = "MAC";
const SIGNED: &str = "SIG";

/// Reads a text of this profile.
///
/// # Errors
///
/// [`DocumentError`] when the text is refused.
pub fn read(text: &[u8]) -> Result<Document, DocumentError> {
    let records = text::read(text)?;
    match records[0].tag {
        ENROLMENT => enrolment::parse(&records, text),
        AGREEMENT_REQUEST => {
            exchange::parse_request(&records, text).map(Document::AgreementRequest)
        }
        AGREEMENT_CONFIRMATION => {
            exchange::parse_confirmation(&records, text).map(Document::AgreementConfirmation)
        }
        KEY_LOAD_REQUEST => key_load::parse_request(&records, text).map(Document::KeyLoadRequest),
        KEY_LOAD => key_load::parse(&records, text).map(Document::KeyLoad),
        found => Err(DocumentError::Record {
            line: 1,
            expected: "PKE, KAG, KAC, VKR or VKL",
            found: crate::value::shortened(found),
        }),
    }
}

/// The name of a party of one kind.
fn party(
    items: &mut text::Items<'_, '_>,
    tag: &str,
    kind: PartyKind,
) -> Result<PartyName, DocumentError> {
    let name: PartyName = items.get(tag)?;
    document::expect_kind(kind, name.kind())?;
    Ok(name)
}

/// Checks the signature of a record's text.
fn verify_record(
    party: &PartyName,
    key: &PublicKey,
    text: &[u8],
    signature: &[u8],
) -> Result<(), DocumentError> {
    let message = key::framed("record", "", text);
    let result = key.verify(&message, signature);
    result.map_err(|SignatureError| DocumentError::Signature { party: party.clone() })
}

impl<D> Unverified<D> {
    /// Checks the signature of its sender.
    fn verify_signature(&self, sender: &crate::PublicIdentity) -> Result<(), DocumentError> {
        let Seal::<SIGNATURE> { value, .. } = &self.signature;
        let signed = self.sealed(&self.signature);
        verify_record(sender.name(), sender.signature_key(), signed, value)
    }
}
