//! The interface between a key management centre and its own module.
//!
//! The module gets documents unverified and verifies them itself; it returns texts. No answer contains a key. Fingerprints
//! are texts for people to compare: 32 hexadecimal digits in groups of four.
//!
//! Elsewhere: refusals (`error.rs`), the module itself (`vault.rs`).

use prepay_token::element::{DecoderKeyGenerationAlgorithm, KeyRevisionNumber, SupplyGroupCode};
use prepay_token::key::VendingKey;

use super::CentreError;
use prepay_basics::{Identifier, Moment};
use prepay_kmp::attribute::{KeyCheckValue, RegisterNumber, VendingKeyAttributes};
use prepay_kmp::{
    AgreementRequest, CentreId, KeyLoadRequest, ModuleEnrolment, ModuleId, Unverified,
};

/// A key management centre's own module, as used by the people signed in.
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

    /// Makes the checks of [`Self::answer_agreement`], without answering or storing anything.
    ///
    /// # Errors
    ///
    /// As [`Self::answer_agreement`].
    fn read_agreement_request(
        &self,
        request: &Unverified<AgreementRequest>,
    ) -> Result<AgreementRequest, CentreError>;

    /// Answers an agreement request: from then on this slot of the module and the centre share keys. Repeating the
    /// request gives the same answer. Needs an operator.
    ///
    /// # Errors
    ///
    /// [`CentreError::Document`], [`CentreError::OtherCentre`], [`CentreError::CentreRenewed`],
    /// [`CentreError::ModuleUnknown`], [`CentreError::ModuleRevoked`], [`CentreError::CentreKey`],
    /// [`CentreError::FromFuture`], [`CentreError::Superseded`].
    fn answer_agreement(
        &self,
        request: &Unverified<AgreementRequest>,
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

    /// Checks that a key-load request comes from an accepted module, for a slot that shares keys with this centre, and
    /// has not expired. Stores nothing.
    ///
    /// # Errors
    ///
    /// [`CentreError::Document`], [`CentreError::OtherCentre`], [`CentreError::CentreRenewed`],
    /// [`CentreError::ModuleUnknown`], [`CentreError::ModuleRevoked`], [`CentreError::NoSlot`],
    /// [`CentreError::RequestLapsed`].
    fn read_key_load_request(
        &self,
        request: &Unverified<KeyLoadRequest>,
    ) -> Result<KeyLoadRequest, CentreError>;

    /// Builds the key-load file that answers a request. Needs an operator.
    ///
    /// Each file has its own serial number, rising over all files of the centre. A lost file may be built again from the
    /// same request: the module loads only one of them.
    ///
    /// # Errors
    ///
    /// As [`Self::read_key_load_request`], and [`CentreError::NoVendingKey`],
    /// [`CentreError::AlgorithmConflict`], [`CentreError::Document`] for too many keys or one twice,
    /// [`CentreError::Dates`], [`CentreError::CentreKey`].
    fn build_key_load(
        &self,
        request: &Unverified<KeyLoadRequest>,
        order: &KeyLoadOrder,
    ) -> Result<KeyLoad, CentreError>;
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
