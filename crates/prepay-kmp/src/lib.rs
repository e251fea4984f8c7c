//! Key management: the attributes of a vending key, and the texts that a centre and a security module exchange to
//! agree on keys and to load them.
//!
//! - [`VendingKeyAttributes`] and its elements: what a centre sets for a vending key.
//! - [`Document`]: what the two send each other; [`Unverified`] until it is verified with the sender's keys.
//! - [`open_kmp`]: the codec of our own texts. Another codec reads other texts to the same documents.
//! - [`Identity`], [`SlotKeys`], [`Signatory`]: the keys that sign, wrap and authenticate.
//! - [`check_value`]: lets people compare keys that they never see.
//!
//! # What it never knows
//!
//! Who may send a text, whether a request is still open, and what a module holds already. Files and clocks.

mod agreement;
pub mod attribute;
mod check_value;
mod document;
mod error;
mod key;
mod key_note;
pub mod open_kmp;
mod party;
mod party_id;
mod signatory;
mod value;

pub use agreement::{Confirmation, PendingAgreement, SlotKeys};
pub use attribute::VendingKeyAttributes;
pub use check_value::check_value;
pub use document::{
    AgreementAnswered, AgreementConfirmation, AgreementRequest, CentreEnrolment, Document, KeyLoad,
    KeyLoadHeader, KeyLoadRequest, KeyToLoad, LoadedKey, ModuleEnrolment, SignatoryEnrolment,
    Unverified, Verified, WrappedKeyLoad,
};
pub use error::{DocumentError, KeyError, SignatureError};
pub use key::PublicKey;
pub use key_note::{KeyNote, KeyTermsNote};
pub use party::{Fingerprint, Identity, PartyKind, PartyName, PublicIdentity};
pub use party_id::{CentreId, ModuleId};
pub use signatory::{Signatory, SignatoryKey};
pub use value::{Label, Nonce, SlotNumber};

/// The most keys in a key-load file.
pub const MAX_KEYS: usize = 1000;

/// How the first record of a key-load file of edition 1 begins, which no text of another kind does.
const EDITION_1: &[u8] = b"9500";

/// Reads a text of any kind. A second codec would be chosen here, by the beginning of the text.
///
/// # Errors
///
/// [`DocumentError`] when it is no such text; [`DocumentError::Edition1`] for a key-load file of edition 1.
pub fn read(text: &[u8]) -> Result<Document, DocumentError> {
    if text.starts_with(EDITION_1) {
        return Err(DocumentError::Edition1);
    }
    open_kmp::read(text)
}

/// Reads a text of the one kind that is expected.
///
/// ```
/// use prepay_kmp::{DocumentError, KeyLoadRequest, Unverified, read_as};
///
/// let found = read_as::<Unverified<KeyLoadRequest>>(b"9500 a file for an old module\n");
/// assert_eq!(found.unwrap_err(), DocumentError::Edition1);
/// ```
///
/// # Errors
///
/// As [`read`]; [`DocumentError::Record`] or [`DocumentError::Kind`] for a text of another kind.
pub fn read_as<D: TryFrom<Document, Error = DocumentError>>(
    text: &[u8],
) -> Result<D, DocumentError> {
    read(text)?.try_into()
}
