//! What each side does with a text of key management, in one call: reads it, verifies it, answers it.

use prepay_basics::Moment;
use prepay_kmc_module::{AgreementAnswer, CentreError, CentreModule, KeyLoadOrder};
use prepay_kmp::{
    AgreementAnswered, AgreementConfirmation, AgreementRequest, Document, DocumentError, Identity,
    KeyLoad, KeyLoadRequest, Nonce, PartyName, PendingAgreement, PublicIdentity, SlotKeys,
    Unverified, Verified, WrappedKeyLoad, open_kmp, read_as,
};

/// A text that is known to be a document of this kind.
///
/// # Panics
///
/// When it is none.
pub fn document<D: TryFrom<Document, Error = DocumentError>>(text: impl AsRef<[u8]>) -> D {
    read_as(text.as_ref()).unwrap_or_else(|error| panic!("a document: {error}"))
}

/// What a centre does with an agreement request.
///
/// # Errors
///
/// [`DocumentError`] when it is refused.
pub fn answer_agreement(
    centre: &Identity,
    module: &PublicIdentity,
    text: impl AsRef<[u8]>,
    created: Moment,
    nonce: Nonce,
) -> Result<AgreementAnswered, DocumentError> {
    let request: Unverified<AgreementRequest> = read_as(text.as_ref())?;
    let request = request.verify(centre.name(), module)?;
    open_kmp::confirm_agreement(centre, &request, created, nonce)
}

/// What a centre does with the text of a request, by its own module.
pub trait AnswerText: CentreModule {
    /// Answers an agreement request.
    ///
    /// # Errors
    ///
    /// [`CentreError`] when it is refused.
    fn agree_to(&self, text: impl AsRef<[u8]>) -> Result<AgreementAnswer, CentreError> {
        self.answer_agreement(&self.read_agreement_request(&read_as(text.as_ref())?)?)
    }

    /// Answers a key-load request.
    ///
    /// # Errors
    ///
    /// [`CentreError`] when it is refused.
    fn load_for(
        &self,
        text: impl AsRef<[u8]>,
        order: &KeyLoadOrder,
    ) -> Result<prepay_kmc_module::KeyLoad, CentreError> {
        self.build_key_load(&self.read_key_load_request(&read_as(text.as_ref())?)?, order)
    }
}

impl<M: CentreModule + ?Sized> AnswerText for M {}

/// What a module does with the confirmation of an agreement.
///
/// # Errors
///
/// [`DocumentError`] when it is refused.
pub fn accept_agreement(
    module: &Identity,
    centre: &PublicIdentity,
    pending: &PendingAgreement,
    text: impl AsRef<[u8]>,
) -> Result<(AgreementConfirmation, SlotKeys), DocumentError> {
    let confirmation: Unverified<AgreementConfirmation> = read_as(text.as_ref())?;
    confirmation.verify(module, centre, pending)
}

/// What a centre does with a key-load request.
///
/// # Errors
///
/// [`DocumentError`] when it is refused.
pub fn read_key_load_request(
    centre: &PartyName,
    module: &PublicIdentity,
    text: impl AsRef<[u8]>,
) -> Result<Verified<KeyLoadRequest>, DocumentError> {
    read_as::<Unverified<KeyLoadRequest>>(text.as_ref())?.verify(centre, module)
}

/// What a module does with a key-load file.
///
/// # Errors
///
/// [`DocumentError`] when it is refused.
pub fn read_key_load(
    module: &PartyName,
    centre: &PublicIdentity,
    slot_keys: &SlotKeys,
    text: impl AsRef<[u8]>,
) -> Result<KeyLoad, DocumentError> {
    read_as::<Unverified<WrappedKeyLoad>>(text.as_ref())?.verify(module, centre, slot_keys)
}
