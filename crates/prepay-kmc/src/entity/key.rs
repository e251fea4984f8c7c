//! Vending keys (all about them except their bytes), and which modules may hold them.

use std::cmp::Ordering;

use prepay_basics::{Identifier, Moment};
use prepay_kmp::ModuleId;
use prepay_kmp::attribute::{CurrencyLimit, KeyCheckValue, SubClassSet, UnitLimit, VendingKeyType};
use prepay_token::element::{
    BaseDate, DecoderKeyGenerationAlgorithm, KeyExpiryNumber, KeyRevisionNumber, SupplyGroupCode,
    TokenIdentifier, UtcMinute,
};

use super::{AuthorisationNumber, FormNumber, Line};
use crate::code::coded;

/// Identifies one vending key, for ever.
///
/// After revision 9 comes 1 again, so a third number counts the keys of the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VendingKeyId {
    /// SGC: the supply group.
    pub group: SupplyGroupCode,
    /// KRN: the revision.
    pub revision: KeyRevisionNumber,
    /// The keys of the group are numbered 1, 2, 3 … in the order of their requests.
    pub generation: u32,
}

impl VendingKeyId {
    /// The three numbers, in the order in which keys are listed.
    pub const fn numbers(self) -> (u32, u8, u32) {
        (self.group.value(), self.revision.value(), self.generation)
    }
}

impl PartialOrd for VendingKeyId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for VendingKeyId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.numbers().cmp(&other.numbers())
    }
}

coded! {
    /// The state of a vending key.
    KeyState, "state of a vending key" {
        /// Requested from the centre's module, which may or may not have made it; its check value is not known yet.
        Requested = "requested",
        /// It exists and goes into key-load files.
        Live = "live",
        /// It exists but no longer goes into key-load files.
        Revoked = "revoked",
        /// Two custodians retired it, and it will be wiped when its time has come. Until then they can take that back.
        Retiring = "retiring",
        /// The centre's module has wiped it or never made it. The revision is free again.
        Retired = "retired",
    }
}

/// A vending key of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VendingKeyRecord {
    /// Key, in three columns. The group must exist. All records of a group and revision but one are retired.
    pub id: VendingKeyId,
    /// Its state.
    pub state: KeyState,
    /// KT: that of the group when the key was requested.
    pub key_type: VendingKeyType,
    /// DKGA.
    pub algorithm: DecoderKeyGenerationAlgorithm,
    /// KEN.
    pub expiry: KeyExpiryNumber,
    /// BDT.
    pub base_date: BaseDate,
    /// ACT.
    pub activation: Moment,
    /// EXP: from then on it goes into no key-load file.
    pub expires: Moment,
    /// Refresh period: how many days a module may use the key after a load. 1 to 36 500.
    pub refresh_days: u16,
    /// ULM.
    pub unit_limit: UnitLimit,
    /// CLM.
    pub currency_limit: CurrencyLimit,
    /// Which sub-classes of class 0 it may issue.
    pub sub_classes: SubClassSet,
    /// KCV. `None` exactly while the key is requested, or if it was retired before it was made.
    pub check_value: Option<KeyCheckValue>,
    /// When it was requested.
    pub created: Moment,
    /// When it was revoked or retired; of a retiring key, when it will be retired.
    pub ended: Option<Moment>,
    /// The form that asked for it; `None` if requested by hand.
    pub form: Option<FormNumber>,
}

/// An owner's permission for a module to hold the vending keys of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorisation {
    /// Key.
    pub number: AuthorisationNumber,
    /// The group. Must exist.
    pub group: SupplyGroupCode,
    /// The module. Need not be enrolled yet.
    pub module: ModuleId,
    /// The fingerprint of the module's public keys; `None` if the owner named none, on paper. A module of this name
    /// with other keys gets nothing.
    pub module_fingerprint: Option<Line>,
    /// The signatory who granted it. Must exist.
    pub granted_by: Identifier,
    /// When it was accepted.
    pub granted: Moment,
    /// Until when it is valid.
    pub valid_until: Moment,
    /// Where the module is, for people.
    pub location: Line,
    /// When it was revoked, whatever `valid_until` says.
    pub revoked: Option<Moment>,
    /// The form that granted it; `None` if granted by hand.
    pub form: Option<FormNumber>,
}

/// What to expect of ACT and of KEN instead, if by them the key could not issue when it becomes active.
pub(crate) fn life_faults(
    base: BaseDate,
    activation: Moment,
    expiry: KeyExpiryNumber,
) -> [Option<String>; 2] {
    let is_early = activation.minute() < base.start();
    let is_late = last_minute(base, expiry).is_some_and(|end| activation.minute() > end);
    [
        is_early.then(|| format!("a time in or after the base year {}", base.year())),
        is_late.then(|| {
            let block = last_possible_expiry(base, activation);
            format!("{block}, so that the key has not expired when it becomes active")
        }),
    ]
}

/// The last minute in which a key with this expiry number may issue; `None` for 255, which means never.
pub(crate) fn last_minute(base: BaseDate, expiry: KeyExpiryNumber) -> Option<UtcMinute> {
    let identifier = u32::from(expiry.value()) << 16 | 0xFFFF;
    let identifier = TokenIdentifier::try_from(identifier).ok()?;
    (expiry.value() != u8::MAX).then(|| base.minute_of(identifier))
}

/// The expiry numbers with which a key has not expired at a time, in words.
fn last_possible_expiry(base: BaseDate, at: Moment) -> String {
    match base.identifier_at(at.minute()) {
        Ok(identifier) => format!("{} to 255", identifier.expiry_block()),
        Err(_) => "255".to_owned(),
    }
}
