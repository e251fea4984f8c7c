//! The documents that modules and centres send each other, independent of how their text looks.
//!
//! ```text
//!   module                                              centre
//!     | <------------- enrolment of the centre ----------- |   people compare the fingerprints,
//!     | -------------- enrolment of the module ----------> |   by phone, not with the files
//!     |                                                    |
//!     | -------------- agreement request ----------------> |   both have the slot's keys now
//!     | <------------- agreement confirmation ------------ |
//!     |                                                    |
//!     | -------------- key-load request -----------------> |
//!     | <------------- key-load file --------------------- |   once for each request
//! ```
//!
//! A text is read once. What was read is [`Unverified`] until somebody verifies it with the keys of its sender:
//! before
//! that it only says which keys those are. A request is then [`Verified`], so that its answer need not verify it
//! again. An enrolment contains the keys that sign it, so people compare
//! the fingerprint before they believe whose keys they are.
//!
//! Verifying checks everything that needs neither a clock nor stored state. The caller checks the rest: whether a
//! request is open and not used, expiry, serial numbers, and conflicts with keys that are there.
//!
//! - Keys of parties are of the curve P-384. A codec with another curve would need its own types of keys.
//! - Elsewhere: how a text is read and verified (`open_kmp`).

use std::collections::HashSet;
use std::fmt;
use std::ops::Deref;

use prepay_token::key::VendingKey;
use sha2::{Digest, Sha256};

use crate::agreement::{Confirmation, MAC, SlotKeys};
use crate::attribute::{KeyCheckValue, RegisterNumber, VendingKeyAttributes};
use crate::key::{PublicKey, SIGNATURE};
use crate::party::{PartyKind, PartyName, PublicIdentity};
use crate::signatory::SignatoryKey;
use crate::value::{Label, Nonce, SlotNumber};
use crate::{DocumentError, MAX_KEYS};
use prepay_basics::Moment;

/// A document of any kind, as its text says.
#[derive(Clone, Debug)]
pub enum Document {
    /// The public keys of a module.
    ModuleEnrolment(ModuleEnrolment),
    /// The public keys of a centre.
    CentreEnrolment(CentreEnrolment),
    /// The public key of somebody who signs forms.
    SignatoryEnrolment(SignatoryEnrolment),
    /// A module asks a centre to share keys for a slot.
    AgreementRequest(Unverified<AgreementRequest>),
    /// A centre confirms that it does.
    AgreementConfirmation(Unverified<AgreementConfirmation>),
    /// A module asks a centre for vending keys.
    KeyLoadRequest(Unverified<KeyLoadRequest>),
    /// A centre sends vending keys.
    KeyLoad(Unverified<WrappedKeyLoad>),
}

impl Document {
    /// The tag of its first record.
    pub const fn tag(&self) -> &'static str {
        match self {
            Self::ModuleEnrolment(_) | Self::CentreEnrolment(_) | Self::SignatoryEnrolment(_) => {
                ENROLMENT
            }
            Self::AgreementRequest(_) => AGREEMENT_REQUEST,
            Self::AgreementConfirmation(_) => AGREEMENT_CONFIRMATION,
            Self::KeyLoadRequest(_) => KEY_LOAD_REQUEST,
            Self::KeyLoad(_) => KEY_LOAD,
        }
    }

    /// Whose enrolment it is, if it is one.
    const fn enrols(&self) -> Option<PartyKind> {
        match self {
            Self::ModuleEnrolment(_) => Some(PartyKind::Module),
            Self::CentreEnrolment(_) => Some(PartyKind::Centre),
            Self::SignatoryEnrolment(_) => Some(PartyKind::Signatory),
            _ => None,
        }
    }

    /// The error that a document of another kind was expected.
    fn misplaced(&self, expected: &'static str, party: Option<PartyKind>) -> DocumentError {
        match (party, self.enrols()) {
            (Some(expected), Some(found)) => DocumentError::Kind { expected, found },
            _ => DocumentError::Record { line: 1, expected, found: self.tag().to_owned() },
        }
    }
}

pub(crate) const ENROLMENT: &str = "PKE";
pub(crate) const AGREEMENT_REQUEST: &str = "KAG";
pub(crate) const AGREEMENT_CONFIRMATION: &str = "KAC";
pub(crate) const KEY_LOAD_REQUEST: &str = "VKR";
pub(crate) const KEY_LOAD: &str = "VKL";

/// Takes the one kind of document that is expected.
macro_rules! kinds {
    ($($variant:ident($type:ty): $tag:expr, $party:expr;)+) => {$(
        impl TryFrom<Document> for $type {
            type Error = DocumentError;

            fn try_from(document: Document) -> Result<Self, Self::Error> {
                match document {
                    Document::$variant(content) => Ok(content),
                    other => Err(other.misplaced($tag, $party)),
                }
            }
        }
    )+};
}

kinds! {
    ModuleEnrolment(ModuleEnrolment): ENROLMENT, Some(PartyKind::Module);
    CentreEnrolment(CentreEnrolment): ENROLMENT, Some(PartyKind::Centre);
    SignatoryEnrolment(SignatoryEnrolment): ENROLMENT, Some(PartyKind::Signatory);
    AgreementRequest(Unverified<AgreementRequest>): AGREEMENT_REQUEST, None;
    AgreementConfirmation(Unverified<AgreementConfirmation>): AGREEMENT_CONFIRMATION, None;
    KeyLoadRequest(Unverified<KeyLoadRequest>): KEY_LOAD_REQUEST, None;
    KeyLoad(Unverified<WrappedKeyLoad>): KEY_LOAD, None;
}

/// A document that was read, and that nobody has verified yet.
///
/// It says who sent it to whom, so that the keys to verify it can be found. Nothing else in it can be
/// used until `verify` gives the contents.
#[derive(Clone)]
pub struct Unverified<D> {
    pub(crate) module: PartyName,
    pub(crate) centre: PartyName,
    pub(crate) slot: SlotNumber,
    pub(crate) content: D,
    pub(crate) text: Box<[u8]>,
    pub(crate) signature: Seal<SIGNATURE>,
}

/// A signature or a code, and how many bytes of the text it covers.
#[derive(Clone)]
pub(crate) struct Seal<const N: usize> {
    pub(crate) length: usize,
    pub(crate) value: [u8; N],
}

impl<D> Unverified<D> {
    /// The module that it is from, or for.
    pub const fn module(&self) -> &PartyName {
        &self.module
    }

    /// The centre that it is for, or from.
    pub const fn centre(&self) -> &PartyName {
        &self.centre
    }

    /// The module's slot.
    pub const fn slot(&self) -> SlotNumber {
        self.slot
    }

    /// The SHA-256 of the whole text: equal for equal texts.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(&self.text).into()
    }

    /// The bytes that a seal covers.
    pub(crate) fn sealed<const N: usize>(&self, seal: &Seal<N>) -> &[u8] {
        &self.text[..seal.length]
    }

    /// Checks that it is between these two.
    pub(crate) fn expect_names(
        &self,
        module: &PartyName,
        centre: &PartyName,
    ) -> Result<(), DocumentError> {
        expect_module(module, &self.module)?;
        expect_centre(centre, &self.centre)
    }
}

/// A document that its sender signed. Only verifying makes one; it dereferences to its contents.
///
/// It says with whose keys it was verified. Whoever answers it checks that these are still the keys they trust.
#[derive(Clone, Debug)]
pub struct Verified<D> {
    document: Unverified<D>,
    sender: PublicIdentity,
}

impl<D: Clone> Verified<D> {
    /// Wraps a document after its signature by this sender was checked.
    pub(crate) fn new(document: &Unverified<D>, sender: &PublicIdentity) -> Self {
        Self { document: document.clone(), sender: sender.clone() }
    }
}

impl<D> Verified<D> {
    /// The public keys that it was verified with.
    pub const fn sender(&self) -> &PublicIdentity {
        &self.sender
    }

    /// The SHA-256 of the whole text: equal for equal texts.
    pub fn digest(&self) -> [u8; 32] {
        self.document.digest()
    }
}

impl<D> Deref for Verified<D> {
    type Target = D;

    fn deref(&self) -> &D {
        &self.document.content
    }
}

impl<D> fmt::Debug for Unverified<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { module, centre, slot, .. } = self;
        write!(f, "Unverified({module:?}, {centre:?}, slot {slot}, ..)")
    }
}

pub(crate) fn expect_module(expected: &PartyName, found: &PartyName) -> Result<(), DocumentError> {
    if expected == found {
        return Ok(());
    }
    Err(DocumentError::OtherModule { expected: expected.clone(), found: found.clone() })
}

pub(crate) fn expect_centre(expected: &PartyName, found: &PartyName) -> Result<(), DocumentError> {
    if expected == found {
        return Ok(());
    }
    Err(DocumentError::OtherCentre { expected: expected.clone(), found: found.clone() })
}

pub(crate) fn expect_kind(expected: PartyKind, found: PartyKind) -> Result<(), DocumentError> {
    if expected == found { Ok(()) } else { Err(DocumentError::Kind { expected, found }) }
}

/// The public keys of a module, signed with themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleEnrolment {
    /// Whose keys they are.
    pub party: PublicIdentity,
    /// When it was written.
    pub created: Moment,
    /// Whether the module is for tests, so that it does not load keys of real meters.
    pub is_test: bool,
    /// Who made the module.
    pub maker: Label,
    /// What it is.
    pub model: Label,
    /// Which version of it.
    pub firmware: Label,
}

/// The public keys of a centre, signed with themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CentreEnrolment {
    /// Whose keys they are.
    pub party: PublicIdentity,
    /// When it was written.
    pub created: Moment,
    /// Whether the centre is for tests, so that its keys are not for real meters.
    pub is_test: bool,
    /// From when its keys may be used.
    pub activation: Moment,
    /// Until when; later than `activation`.
    pub expires: Moment,
}

impl CentreEnrolment {
    pub(crate) fn check(&self) -> Result<(), DocumentError> {
        dates(self.activation < self.expires, "ACT before EXP")
    }
}

/// The public key of somebody who signs forms, signed with itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatoryEnrolment {
    /// Whose key it is.
    pub key: SignatoryKey,
    /// When it was written.
    pub created: Moment,
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
    /// The centre's own number.
    pub centre_nonce: Nonce,
    /// The centre's proof that it derived the same keys.
    pub(crate) confirmation: Confirmation,
}

/// What a centre has after answering an agreement request.
#[derive(Clone, Debug)]
pub struct AgreementAnswered {
    /// The keys that both share from now on.
    pub keys: SlotKeys,
    /// The confirmation, for the module.
    pub confirmation: String,
}

/// A module asks a centre for vending keys, and proves that it shares the keys of the slot.
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
    /// Until when the module accepts an answer; not before `created`.
    pub expires: Moment,
    /// The module's proof that it derived the keys of the slot: its [`SlotKeys::confirmation`].
    pub confirmation: Confirmation,
}

impl KeyLoadRequest {
    /// For a centre: checks that the module has confirmed these keys. A centre answers under no others.
    ///
    /// # Errors
    ///
    /// [`DocumentError::Confirmation`] when the module has other keys.
    pub fn confirms(&self, keys: &SlotKeys) -> Result<(), DocumentError> {
        if self.confirmation == keys.confirmation() {
            return Ok(());
        }
        Err(DocumentError::Confirmation { party: self.module.clone() })
    }

    pub(crate) fn check(&self) -> Result<(), DocumentError> {
        dates(self.created <= self.expires, CREATED_AND_EXPIRES)
    }
}

/// The header of a key-load file.
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
    /// The serial number of the file; a centre uses each only once.
    pub serial: u64,
    /// When it was written.
    pub created: Moment,
    /// Until when it may be loaded; not before `created`.
    pub expires: Moment,
    /// How many more tokens the module may make; nothing leaves its counter unchanged.
    pub transactions: Option<u64>,
}

impl KeyLoadHeader {
    /// Checks the header, and that a file may hold this many keys.
    pub(crate) fn check(&self, keys: usize) -> Result<(), DocumentError> {
        dates(self.created <= self.expires, CREATED_AND_EXPIRES)?;
        if (1..=MAX_KEYS).contains(&keys) {
            return Ok(());
        }
        Err(DocumentError::Count { most: MAX_KEYS, found: keys })
    }
}

/// A key that goes into a key-load file.
#[derive(Clone, Copy, Debug)]
pub struct KeyToLoad<'a> {
    /// The attributes that the centre set.
    pub attributes: &'a VendingKeyAttributes,
    /// The register that it is for; with nothing, the module chooses.
    pub register: Option<RegisterNumber>,
    /// The key.
    pub key: &'a VendingKey,
}

/// A key out of a key-load file.
#[derive(Clone, Debug)]
pub struct LoadedKey {
    /// The attributes that the centre set.
    pub attributes: VendingKeyAttributes,
    /// The register that it is for; with nothing, the module chooses.
    pub register: Option<RegisterNumber>,
    /// The key.
    pub key: VendingKey,
    /// Its check value, which was checked.
    pub check_value: KeyCheckValue,
}

/// A key-load file that was verified and unwrapped.
#[derive(Clone, Debug)]
pub struct KeyLoad {
    /// Its header.
    pub header: KeyLoadHeader,
    /// The keys, in the order of the file.
    pub keys: Vec<LoadedKey>,
}

/// A key-load file whose keys are still wrapped.
#[derive(Clone)]
pub struct WrappedKeyLoad {
    pub(crate) header: KeyLoadHeader,
    pub(crate) keys: Vec<WrappedKey>,
    pub(crate) code: Seal<MAC>,
}

/// A key of a file, still wrapped.
#[derive(Clone)]
pub(crate) struct WrappedKey {
    pub(crate) attributes: VendingKeyAttributes,
    pub(crate) register: Option<RegisterNumber>,
    pub(crate) check_value: KeyCheckValue,
    pub(crate) wrapped: Vec<u8>,
}

/// The keys and registers that a file has named so far: each may come once.
#[derive(Default)]
pub(crate) struct Once {
    keys: HashSet<(u32, u8)>,
    registers: HashSet<u16>,
}

impl Once {
    /// Checks the next key of a file: its dates, and that neither it nor its register came before.
    pub(crate) fn check(
        &mut self,
        attributes: &VendingKeyAttributes,
        register: Option<RegisterNumber>,
    ) -> Result<(), DocumentError> {
        dates(attributes.activation <= attributes.issued_until, "ACT not after IUT")?;
        let (group, revision) = (attributes.supply_group, attributes.key_revision);
        if !self.keys.insert((group.value(), revision.value())) {
            let what = format!("key {group} revision {revision}");
            return Err(DocumentError::Twice { what });
        }
        match register {
            Some(register) if !self.registers.insert(register.value()) => {
                Err(DocumentError::Twice { what: format!("register {register}") })
            }
            _ => Ok(()),
        }
    }
}

const CREATED_AND_EXPIRES: &str = "CRE not after EXP";

fn dates(are_in_order: bool, problem: &'static str) -> Result<(), DocumentError> {
    if are_in_order { Ok(()) } else { Err(DocumentError::Dates { problem }) }
}
