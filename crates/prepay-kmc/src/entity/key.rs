//! Vending keys, but for their bytes, and who may hold them.

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

/// What names one vending key for ever.
///
/// Revisions come round again: after 9 follows 1. So a third number counts the keys of the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VendingKeyId {
    /// SGC: the supply group.
    pub group: SupplyGroupCode,
    /// KRN: the revision.
    pub revision: KeyRevisionNumber,
    /// Which key of the group: 1, 2, 3 … in the order in which they were asked for.
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
    /// How far a vending key has come.
    KeyState, "state of a vending key" {
        /// The centre's module was or will be asked for it; its check value is not known yet.
        Requested = "requested",
        /// It exists, and goes into key-load files.
        Live = "live",
        /// It exists, and goes into no file any more.
        Revoked = "revoked",
        /// The centre's module has wiped it, or was never asked for it. The revision is free again.
        Retired = "retired",
    }
}

/// A vending key of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VendingKeyRecord {
    /// Key, of three columns. The group must exist. At most one record of a group and revision is not
    /// retired.
    pub id: VendingKeyId,
    /// How far it has come.
    pub state: KeyState,
    /// KT: that of the group when the key was made.
    pub key_type: VendingKeyType,
    /// DKGA.
    pub algorithm: DecoderKeyGenerationAlgorithm,
    /// KEN.
    pub expiry: KeyExpiryNumber,
    /// BDT.
    pub base_date: BaseDate,
    /// ACT.
    pub activation: Moment,
    /// EXP: from when it goes into no key-load file.
    pub expires: Moment,
    /// Refresh period: how many days a load lasts. 1 to 36 500.
    pub refresh_days: u16,
    /// ULM.
    pub unit_limit: UnitLimit,
    /// CLM.
    pub currency_limit: CurrencyLimit,
    /// Which sub-classes of class 0 it may issue.
    pub sub_classes: SubClassSet,
    /// KCV. Nothing exactly while it is requested, or when it was retired before it was made.
    pub check_value: Option<KeyCheckValue>,
    /// When it was asked for.
    pub created: Moment,
    /// Since when it is revoked or retired.
    pub ended: Option<Moment>,
    /// The form that asked for it; nothing if it was entered by hand.
    pub form: Option<FormNumber>,
}

/// An owner's word that a module may hold the vending keys of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorisation {
    /// Key.
    pub number: AuthorisationNumber,
    /// The group. Must exist.
    pub group: SupplyGroupCode,
    /// The module. Need not be enrolled yet.
    pub module: ModuleId,
    /// Who signed for it. Must exist.
    pub granted_by: Identifier,
    /// When it was accepted.
    pub granted: Moment,
    /// Until when it counts.
    pub valid_until: Moment,
    /// Where the module is, for people.
    pub location: Line,
    /// Since when it no longer counts, however long it was to last.
    pub revoked: Option<Moment>,
    /// The form that granted it; nothing if it was entered by hand.
    pub form: Option<FormNumber>,
}

/// What is expected of ACT and of KEN instead, if a key would not live when it becomes active.
pub(crate) fn life_faults(
    base: BaseDate,
    activation: Moment,
    expiry: KeyExpiryNumber,
) -> [Option<String>; 2] {
    let is_early = activation.minute() < base.start();
    let is_late = last_minute(base, expiry).is_some_and(|end| activation.minute() > end);
    [
        is_early.then(|| format!("a moment in or after the base year {}", base.year())),
        is_late.then(|| {
            let block = last_possible_expiry(base, activation);
            format!("{block}, so that the key lives at its activation")
        }),
    ]
}

/// The last minute in which a key with this expiry number may issue; nothing for 255, which is never.
pub(crate) fn last_minute(base: BaseDate, expiry: KeyExpiryNumber) -> Option<UtcMinute> {
    let identifier = u32::from(expiry.value()) << 16 | 0xFFFF;
    let identifier = TokenIdentifier::try_from(identifier).ok()?;
    (expiry.value() != u8::MAX).then(|| base.minute_of(identifier))
}

/// The expiry numbers with which a key lives at a moment, in words.
fn last_possible_expiry(base: BaseDate, at: Moment) -> String {
    match base.identifier_at(at.minute()) {
        Ok(identifier) => format!("{} to 255", identifier.expiry_block()),
        Err(_) => "255".to_owned(),
    }
}
