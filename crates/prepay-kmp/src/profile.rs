//! What a key management profile does: the documents between modules and centres, and their protection.
//!
//! The software module and the centre know documents by these types and this trait only, so that the closed
//! format of STS 600-4-2 can take the place of [`OpenKmp`](crate::open_kmp::OpenKmp) once it is known.
//!
//! ```text
//!   module                                              centre
//!     | <------------- enrolment of the centre ----------- |   people compare the fingerprints
//!     | -------------- enrolment of the module ----------> |   by another way
//!     |                                                    |
//!     | -------------- agreement request ----------------> |   both have the slot's keys now
//!     | <------------- agreement confirmation ------------ |
//!     |                                                    |
//!     | -------------- key-load request -----------------> |
//!     | <------------- key-load file --------------------- |   once for each request
//! ```
//!
//! A `peek` reads a document without any key: it tells for whom the document is, and nothing of it may be
//! believed. The other functions check everything that can be checked without a clock and without memory.
//! Their caller checks the rest: whether a request is open and not used, expiry, serial numbers, and
//! conflicts with keys that are there.
//!
//! Keys of parties are of the curve P-384. A profile with another curve would need its own types of keys.

use crate::VendingKeyAttributes;
use crate::attribute::{KeyCheckValue, RegisterNumber};
use crate::open_kmp::{
    Identity, Label, Nonce, PartyName, PendingAgreement, ProfileError, PublicIdentity, PublicKey,
    Signatory, SignatoryKey, SlotKeys, SlotNumber,
};
use prepay_basics::{Entropy, Moment, NoEntropy};
use prepay_token::key::VendingKey;

/// A way in which modules and centres write to each other.
pub trait KeyManagementProfile: Send + Sync {
    /// The name and version of the profile.
    fn name(&self) -> &'static str;

    /// Writes a party's own enrolment, signed by itself. `is_test` says that the party is for tests.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Kind`] when the details are those of another kind of party, and
    /// [`ProfileError::Dates`].
    fn write_enrolment(
        &self,
        own: &Identity,
        created: Moment,
        is_test: bool,
        details: &EnrolmentDetails,
    ) -> Result<String, ProfileError>;

    /// Reads the enrolment of a module or a centre and checks its own signature. Anybody can write one for
    /// keys of his own, so people compare the fingerprint before anything is believed.
    ///
    /// # Errors
    ///
    /// [`ProfileError`] when the text is refused.
    fn read_enrolment(&self, text: &[u8]) -> Result<Enrolment, ProfileError>;

    /// Writes a signatory's public key, signed by itself.
    fn write_signatory(&self, own: &Signatory, created: Moment) -> String;

    /// Reads a signatory's public key, and when it was written. As [`Self::read_enrolment`].
    ///
    /// # Errors
    ///
    /// [`ProfileError`] when the text is refused.
    fn read_signatory(&self, text: &[u8]) -> Result<(SignatoryKey, Moment), ProfileError>;

    /// For a module: writes an agreement request. The secret that belongs to it goes into the vault until
    /// the confirmation comes.
    ///
    /// # Errors
    ///
    /// [`NoEntropy`] when the source has failed.
    fn request_agreement(
        &self,
        own: &Identity,
        centre: &PublicIdentity,
        slot: SlotNumber,
        created: Moment,
        entropy: &mut dyn Entropy,
    ) -> Result<(String, PendingAgreement), NoEntropy>;

    /// What an agreement request says. Nothing of it is proved.
    ///
    /// # Errors
    ///
    /// [`ProfileError`] when the text is refused.
    fn peek_agreement_request(&self, text: &[u8]) -> Result<AgreementRequest, ProfileError>;

    /// For a centre: checks an agreement request and answers it. The same arguments give the same answer.
    ///
    /// # Errors
    ///
    /// [`ProfileError`] when the text is refused.
    fn answer_agreement(
        &self,
        own: &Identity,
        module: &PublicIdentity,
        text: &[u8],
        created: Moment,
    ) -> Result<AgreementAnswered, ProfileError>;

    /// What an agreement confirmation says. Nothing of it is proved.
    ///
    /// # Errors
    ///
    /// [`ProfileError`] when the text is refused.
    fn peek_agreement_confirmation(
        &self,
        text: &[u8],
    ) -> Result<AgreementConfirmation, ProfileError>;

    /// For a module: checks a confirmation against the open request, and gives the slot's keys.
    ///
    /// # Errors
    ///
    /// [`ProfileError`] when the text is refused.
    fn accept_agreement(
        &self,
        own: &Identity,
        centre: &PublicIdentity,
        pending: &PendingAgreement,
        text: &[u8],
    ) -> Result<(AgreementConfirmation, SlotKeys), ProfileError>;

    /// For a module: writes a signed key-load request. The request's `module` is whoever signs.
    ///
    /// # Errors
    ///
    /// [`ProfileError::OtherModule`] when the request is another module's, [`ProfileError::Kind`] and
    /// [`ProfileError::Dates`].
    fn write_key_load_request(
        &self,
        own: &Identity,
        request: &KeyLoadRequest,
    ) -> Result<String, ProfileError>;

    /// What a key-load request says. Nothing of it is proved.
    ///
    /// # Errors
    ///
    /// [`ProfileError`] when the text is refused.
    fn peek_key_load_request(&self, text: &[u8]) -> Result<KeyLoadRequest, ProfileError>;

    /// For a centre: reads a key-load request to itself and checks the module's signature.
    ///
    /// # Errors
    ///
    /// [`ProfileError`] when the text is refused.
    fn read_key_load_request(
        &self,
        own: &PartyName,
        module: &PublicIdentity,
        text: &[u8],
    ) -> Result<KeyLoadRequest, ProfileError>;

    /// For a centre: writes a key-load file. The header's `centre` is whoever signs, and its number of keys
    /// is theirs.
    ///
    /// # Errors
    ///
    /// [`ProfileError::OtherCentre`], [`ProfileError::Kind`], [`ProfileError::Dates`],
    /// [`ProfileError::Count`], [`ProfileError::KeyLength`] and [`ProfileError::Twice`], when what is asked
    /// for is no file that a module would take.
    fn write_key_load(
        &self,
        own: &Identity,
        slot_keys: &SlotKeys,
        header: &KeyLoadHeader,
        keys: &[KeyToLoad<'_>],
    ) -> Result<String, ProfileError>;

    /// What the header of a key-load file says. Nothing of it is proved.
    ///
    /// # Errors
    ///
    /// [`ProfileError`] when the text is refused.
    fn peek_key_load(&self, text: &[u8]) -> Result<KeyLoadHeader, ProfileError>;

    /// For a module: reads a key-load file to itself from this centre, for the slot with these keys, checks
    /// the centre's signature and the authentication code, and unwraps and checks all keys.
    ///
    /// # Errors
    ///
    /// [`ProfileError`] when the text is refused; then no key of it comes out.
    fn read_key_load(
        &self,
        own: &PartyName,
        centre: &PublicIdentity,
        slot_keys: &SlotKeys,
        text: &[u8],
    ) -> Result<KeyLoad, ProfileError>;
}

/// The enrolment of a module or a centre.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolment {
    /// Whose it is, with the public keys.
    pub party: PublicIdentity,
    /// When it was written.
    pub created: Moment,
    /// Whether the party is for tests, so that its keys are not for real meters.
    pub is_test: bool,
    /// What else it says.
    pub details: EnrolmentDetails,
}

/// What an enrolment says beside the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnrolmentDetails {
    /// Of a module.
    Module {
        /// Who made it.
        maker: Label,
        /// What it is.
        model: Label,
        /// Which version of it.
        firmware: Label,
    },
    /// Of a centre.
    Centre {
        /// From when its keys may be used.
        activation: Moment,
        /// Until when; later than `activation`.
        expires: Moment,
    },
}

/// A module asks a centre to share keys for a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgreementRequest {
    /// The module.
    pub module: PartyName,
    /// The centre.
    pub centre: PartyName,
    /// The module's slot.
    pub slot: SlotNumber,
    /// The request's number.
    pub nonce: Nonce,
    /// The module's fresh public key.
    pub ephemeral: PublicKey,
    /// When it was written.
    pub created: Moment,
}

/// A centre confirms that it shares keys with a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgreementConfirmation {
    /// The module.
    pub module: PartyName,
    /// The centre.
    pub centre: PartyName,
    /// The module's slot.
    pub slot: SlotNumber,
    /// The number of the request.
    pub nonce: Nonce,
    /// When it was written.
    pub created: Moment,
}

/// What a centre has after answering an agreement request.
#[derive(Clone, Debug)]
pub struct AgreementAnswered {
    /// The request.
    pub request: AgreementRequest,
    /// The keys that both share from now on.
    pub keys: SlotKeys,
    /// The confirmation, for the module.
    pub confirmation: String,
}

/// A module asks a centre for vending keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyLoadRequest {
    /// The module.
    pub module: PartyName,
    /// The centre.
    pub centre: PartyName,
    /// The module's slot.
    pub slot: SlotNumber,
    /// The request's number.
    pub nonce: Nonce,
    /// When it was written.
    pub created: Moment,
    /// Until when the module takes in an answer; not before `created`.
    pub expires: Moment,
}

/// What a key-load file says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyLoadHeader {
    /// The module.
    pub module: PartyName,
    /// The centre.
    pub centre: PartyName,
    /// The module's slot.
    pub slot: SlotNumber,
    /// The number of the request.
    pub nonce: Nonce,
    /// The number of the file, of which a centre gives each only once.
    pub serial: u64,
    /// When it was written.
    pub created: Moment,
    /// Until when it may be loaded; not before `created`.
    pub expires: Moment,
    /// How many tokens more the module may make; nothing to leave its counter alone.
    pub transactions: Option<u64>,
    /// How many keys follow: 1 to 1000.
    pub keys: u16,
}

/// A key that goes into a key-load file.
#[derive(Clone, Copy, Debug)]
pub struct KeyToLoad<'a> {
    /// What the centre lays down about it.
    pub attributes: &'a VendingKeyAttributes,
    /// The register that it is for; nothing to leave it to the module.
    pub register: Option<RegisterNumber>,
    /// The key.
    pub key: &'a VendingKey,
}

/// A key out of a key-load file.
#[derive(Clone, Debug)]
pub struct LoadedKey {
    /// What the centre lays down about it.
    pub attributes: VendingKeyAttributes,
    /// The register that it is for; nothing to leave it to the module.
    pub register: Option<RegisterNumber>,
    /// The key.
    pub key: VendingKey,
    /// Its check value, which was checked.
    pub check_value: KeyCheckValue,
}

/// A key-load file that was checked and unwrapped.
#[derive(Clone, Debug)]
pub struct KeyLoad {
    /// What it says of itself.
    pub header: KeyLoadHeader,
    /// The keys, in the order of the file.
    pub keys: Vec<LoadedKey>,
}
