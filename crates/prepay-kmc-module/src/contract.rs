//! The interface between a key management centre and its own module.
//!
//! The module verifies each request once, and answers only what is verified; it returns texts. No answer contains a
//! key. Fingerprints are texts for people to compare: 32 hexadecimal digits in groups of four.
//!
//! Elsewhere: refusals (`error.rs`), the module itself (`vault.rs`).

use prepay_token::element::{DecoderKeyGenerationAlgorithm, KeyRevisionNumber, SupplyGroupCode};
use prepay_token::key::VendingKey;

use super::CentreError;
use prepay_basics::{Identifier, Moment};
use prepay_kmp::attribute::{KeyCheckValue, RegisterNumber, VendingKeyAttributes};
use prepay_kmp::{
    AgreementRequest, CentreId, KeyLoadRequest, ModuleEnrolment, ModuleId, Unverified, Verified,
};

/// A key management centre's own module, as used by the people signed in.
///
/// A trait although the program has one answer to it, [`CentreSession`](crate::CentreSession): a hardware module or a
/// remote service will be another, and the centre's commands are tested against a model without keys.
pub trait CentreModule: Send + Sync {
    /// The people signed in: one, or two for dual control.
    fn acting(&self) -> Vec<Identifier>;

    /// Their authority.
    fn authority(&self) -> Authority;

    /// Who the centre is.
    ///
    /// # Errors
    ///
    /// [`CentreError::Fault`].
    fn identify(&self) -> Result<CentreIdentity, CentreError>;

    /// The centre's enrolment: its public keys, signed by itself, for modules to read.
    ///
    /// # Errors
    ///
    /// [`CentreError::Fault`].
    fn enrolment(&self) -> Result<String, CentreError>;

    /// Renews the centre's own keys, from now for this many days, and wipes the old ones. Vending keys, modules and
    /// serial numbers stay. The agreements of slots end with the old keys, so each module must import the new enrolment
    /// and renew its agreements. Works even after the old keys have expired. Needs two custodians.
    ///
    /// # Errors
    ///
    /// [`CentreError::Dates`] if the new keys would never be valid.
    fn renew_keys(&self, valid_days: u32) -> Result<CentreIdentity, CentreError>;

    /// Every module that was ever accepted, by name.
    ///
    /// # Errors
    ///
    /// [`CentreError::Fault`].
    fn modules(&self) -> Result<Vec<ModuleReport>, CentreError>;

    /// Accepts a module. `fingerprint` is what its custodians read out, by phone or in person; spaces and the case of
    /// letters do not matter. Repeating it changes nothing. Needs two custodians.
    ///
    /// # Errors
    ///
    /// [`CentreError::TestMark`], [`CentreError::Fingerprint`],
    /// [`CentreError::ModuleConflict`] when a module of this name has other keys,
    /// [`CentreError::ModuleRevoked`].
    fn accept_module(
        &self,
        enrolment: &ModuleEnrolment,
        fingerprint: &str,
    ) -> Result<ModuleReport, CentreError>;

    /// Revokes a module: wipes its slot keys and never answers it again. This cannot be undone; repeating it changes
    /// nothing. Needs two custodians.
    ///
    /// # Errors
    ///
    /// [`CentreError::ModuleUnknown`].
    fn revoke_module(&self, module: &ModuleId) -> Result<(), CentreError>;

    /// Verifies an agreement request and checks that it may be answered. Stores nothing.
    ///
    /// # Errors
    ///
    /// [`CentreError::Document`], [`CentreError::OtherCentre`], [`CentreError::CentreRenewed`],
    /// [`CentreError::ModuleUnknown`], [`CentreError::ModuleRevoked`], [`CentreError::CentreKey`],
    /// [`CentreError::FromFuture`], [`CentreError::Superseded`].
    fn read_agreement_request(
        &self,
        request: &Unverified<AgreementRequest>,
    ) -> Result<Verified<AgreementRequest>, CentreError>;

    /// Answers an agreement request: from then on this slot of the module and the centre share keys. Repeating the
    /// request gives the same answer. Needs an operator.
    ///
    /// # Errors
    ///
    /// As [`Self::read_agreement_request`], for what has changed since; [`CentreError::Document`] when the request was
    /// verified with other keys than those accepted for the module.
    fn answer_agreement(
        &self,
        request: &Verified<AgreementRequest>,
    ) -> Result<AgreementAnswer, CentreError>;

    /// The vending keys, by supply group and revision.
    ///
    /// # Errors
    ///
    /// [`CentreError::Fault`].
    fn vending_keys(&self) -> Result<Vec<VendingKeyReport>, CentreError>;

    /// Makes the vending key of a revision of a group. If there is one already, it stays, and its check value is
    /// returned. Needs two custodians.
    ///
    /// # Errors
    ///
    /// [`CentreError::AlgorithmConflict`] when the key that is there is for another algorithm.
    fn generate_vending_key(
        &self,
        group: SupplyGroupCode,
        revision: KeyRevisionNumber,
        algorithm: DecoderKeyGenerationAlgorithm,
    ) -> Result<GeneratedKey, CentreError>;

    /// Wipes a vending key. Modules that have it can use it until IUT. The group and revision can then have a new key,
    /// which is needed when revision 1 comes again after 9. Needs two custodians.
    ///
    /// # Errors
    ///
    /// [`CentreError::NoVendingKey`].
    fn destroy_vending_key(
        &self,
        group: SupplyGroupCode,
        revision: KeyRevisionNumber,
    ) -> Result<KeyCheckValue, CentreError>;

    /// Imports a vending key that others know, such as one of published test vectors. In test centres only. Repeating it
    /// changes nothing. Needs two custodians.
    ///
    /// # Errors
    ///
    /// [`CentreError::NotTestCentre`], [`CentreError::AlgorithmConflict`],
    /// [`CentreError::KeyConflict`] when another key is there.
    fn import_test_key(
        &self,
        group: SupplyGroupCode,
        revision: KeyRevisionNumber,
        key: &VendingKey,
    ) -> Result<GeneratedKey, CentreError>;

    /// Verifies a key-load request and checks that it comes from an accepted module, for a slot that shares keys with
    /// this centre, and has not expired. Stores nothing.
    ///
    /// # Errors
    ///
    /// [`CentreError::Document`], [`CentreError::OtherCentre`], [`CentreError::CentreRenewed`],
    /// [`CentreError::ModuleUnknown`], [`CentreError::ModuleRevoked`], [`CentreError::NoSlot`],
    /// [`CentreError::RequestLapsed`].
    fn read_key_load_request(
        &self,
        request: &Unverified<KeyLoadRequest>,
    ) -> Result<Verified<KeyLoadRequest>, CentreError>;

    /// Builds the key-load file that answers a request. Needs an operator.
    ///
    /// Each file has its own serial number, rising over all files of the centre. A lost file may be built again from the
    /// same request: the module loads only one of them.
    ///
    /// # Errors
    ///
    /// As [`Self::read_key_load_request`], for what has changed since; [`CentreError::NoVendingKey`],
    /// [`CentreError::AlgorithmConflict`], [`CentreError::Dates`], [`CentreError::CentreKey`];
    /// [`CentreError::Document`] for too many keys or one twice, and when the request was verified with other keys
    /// than those accepted for the module.
    fn build_key_load(
        &self,
        request: &Verified<KeyLoadRequest>,
        order: &KeyLoadOrder,
    ) -> Result<KeyLoad, CentreError>;

    /// The states of the centre's database that the module expects.
    ///
    /// # Errors
    ///
    /// [`CentreError::Fault`].
    fn database(&self) -> Result<ExpectedDatabase, CentreError>;

    /// Makes durable that the database will have another state, before the database makes it durable. Until
    /// [`Self::settle_database`] both states are right. Needs an operator.
    ///
    /// # Errors
    ///
    /// [`CentreError::Fault`] if the number is not the one after the current state.
    fn announce_database(&self, next: DatabaseState) -> Result<(), CentreError>;

    /// Like [`Self::announce_database`], for a database that is taken over as it is, with any number. Needs two
    /// custodians.
    ///
    /// # Errors
    ///
    /// [`CentreError::Fault`].
    fn adopt_database(&self, next: DatabaseState) -> Result<(), CentreError>;

    /// Makes durable that only this state of the database is right from now on. It must be one of those expected.
    ///
    /// # Errors
    ///
    /// [`CentreError::Fault`] for another state.
    fn settle_database(&self, state: DatabaseState) -> Result<(), CentreError>;
}

/// A state of the centre's database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatabaseState {
    /// How many changes it has had.
    pub number: u64,
    /// The digest of all its rows. How it is made is up to the database.
    pub digest: [u8; 32],
}

impl DatabaseState {
    /// The state of an empty database.
    pub const EMPTY: Self = Self { number: 0, digest: [0; 32] };
}

/// The states of the database that a module expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpectedDatabase {
    /// After the last change; `None` in a centre of an earlier version, until its database is adopted.
    pub current: Option<DatabaseState>,
    /// After a change that began and may have been interrupted.
    pub next: Option<DatabaseState>,
}

impl ExpectedDatabase {
    /// That of a new centre: an empty database.
    pub const NEW: Self = Self { current: Some(DatabaseState::EMPTY), next: None };

    /// Whether the database may have this state.
    pub fn allows(&self, state: DatabaseState) -> bool {
        self.current == Some(state) || self.next == Some(state)
    }

    /// Notes that a change begins. A change that was announced before either happened, or never will.
    ///
    /// Returns whether its number is the one after a state that the database may have.
    #[must_use]
    pub fn announce(&mut self, next: DatabaseState) -> bool {
        let before = [self.next, self.current].into_iter().flatten();
        let mut before = before.filter(|state| state.number.checked_add(1) == Some(next.number));
        let Some(before) = before.next() else { return false };
        *self = Self { current: Some(before), next: Some(next) };
        true
    }
}

/// The authority of the people signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Authority {
    /// An auditor: may read.
    Reading,
    /// One operator or one custodian: may also answer requests.
    Operating,
    /// Two custodians together: may do everything.
    DualControl,
}

/// Who a centre is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CentreIdentity {
    /// Its name.
    pub centre: CentreId,
    /// The fingerprint of its public keys, for people to compare.
    pub fingerprint: String,
    /// From when its public keys may be used.
    pub activation: Moment,
    /// Until when.
    pub expires: Moment,
    /// Whether it is a test centre, whose keys are not for real meters.
    pub is_test: bool,
}

/// What a module's enrolment says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleDetails {
    /// The module's name.
    pub module: ModuleId,
    /// The fingerprint of its public keys, for people to compare.
    pub fingerprint: String,
    /// Who made it.
    pub maker: String,
    /// What it is.
    pub model: String,
    /// Which version of it.
    pub firmware: String,
    /// When its keys were made.
    pub created: Moment,
}

/// A module that the centre accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleReport {
    /// What its enrolment said.
    pub details: ModuleDetails,
    /// When it was accepted.
    pub accepted: Moment,
    /// Whether it still counts.
    pub state: ModuleState,
    /// The numbers of its slots that share keys with the centre, in rising order.
    pub slots: Vec<u16>,
    /// Whether the centre is a test centre.
    pub is_test: bool,
}

/// Whether an accepted module is still accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModuleState {
    /// Requests are answered.
    Accepted,
    /// Requests are no longer answered.
    Revoked {
        /// Since when.
        since: Moment,
    },
}

/// The answer to an agreement request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgreementAnswer {
    /// The confirmation, for the module.
    pub confirmation: String,
    /// The module.
    pub module: ModuleId,
    /// Its slot.
    pub slot: u16,
    /// Whether the centre is a test centre.
    pub is_test: bool,
}

/// A vending key, without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VendingKeyReport {
    /// The supply group.
    pub group: SupplyGroupCode,
    /// The revision within the group.
    pub revision: KeyRevisionNumber,
    /// The algorithm that it is for.
    pub algorithm: DecoderKeyGenerationAlgorithm,
    /// Its check value.
    pub check_value: KeyCheckValue,
    /// When it was made or imported.
    pub created: Moment,
    /// Whether it was imported, so that others know it.
    pub is_imported: bool,
    /// Whether the centre is a test centre.
    pub is_test: bool,
}

/// A vending key that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GeneratedKey {
    /// Its check value.
    pub check_value: KeyCheckValue,
    /// Whether it was made just now, not earlier.
    pub is_new: bool,
    /// Whether the centre is a test centre.
    pub is_test: bool,
}

/// What goes into a key-load file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyLoadOrder {
    /// Until when the file may be loaded; never later than the request allows.
    pub expires: Moment,
    /// How many more tokens the module may issue; `None` to leave its counter alone.
    pub transactions: Option<u64>,
    /// The keys. Their group and revision name them.
    pub keys: Vec<KeyLoadItem>,
}

/// One key of a key-load file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyLoadItem {
    /// Its attributes.
    pub attributes: VendingKeyAttributes,
    /// Its register; `None` to let the module choose.
    pub register: Option<RegisterNumber>,
}

/// A key-load file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyLoad {
    /// The file, for the module.
    pub file: String,
    /// Its serial number.
    pub serial: u64,
    /// The module.
    pub module: ModuleId,
    /// Its slot.
    pub slot: u16,
    /// The check values of the keys, in the order of the file.
    pub check_values: Vec<KeyCheckValue>,
    /// Until when it may be loaded.
    pub expires: Moment,
    /// Whether the centre is a test centre.
    pub is_test: bool,
}
