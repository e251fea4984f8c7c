//! Key-load files that the centre made: which keys went to which module, and until when.

use std::collections::BTreeSet;

use prepay_basics::Moment;
use prepay_kmp::ModuleId;
use prepay_kmp::attribute::{CurrencyLimit, KeyCheckValue, UnitLimit};
use prepay_token::element::SupplyGroupCode;

use super::VendingKeyId;
use crate::code::coded;

/// A key-load file. Inserted, never updated.
///
/// Neither `keys` nor `left_out` may contain a vending key twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyLoadRecord {
    /// Key: the serial number that the centre's module gave it.
    pub serial: u64,
    /// For which module. Must exist.
    pub module: ModuleId,
    /// For which of its slots.
    pub slot: u16,
    /// The nonce of the request, in hexadecimal. Unique together with the module.
    pub nonce: Box<str>,
    /// SHA-256 of the request's text.
    pub request_digest: [u8; 32],
    /// When it was made.
    pub created: Moment,
    /// Until when the module accepts it.
    pub expires: Moment,
    /// The groups asked for, at most 1000; `None` for all authorised ones.
    pub groups: Option<BTreeSet<SupplyGroupCode>>,
    /// How many more tokens it lets the module issue.
    pub transactions: Option<u64>,
    /// The file, at most 1 MiB. The centre returns it again when the same request is repeated.
    pub file: Box<str>,
    /// The keys in it. Each must exist.
    pub keys: Vec<LoadedKey>,
    /// The keys of authorised groups that it does not contain.
    pub left_out: Vec<LeftOut>,
}

impl KeyLoadRecord {
    /// Whether `keys` or `left_out` contains a vending key twice.
    pub fn names_twice(&self) -> bool {
        fn twice(ids: impl Iterator<Item = VendingKeyId>) -> bool {
            let mut ids: Vec<_> = ids.collect();
            ids.sort_unstable();
            ids.windows(2).any(|pair| pair[0] == pair[1])
        }
        twice(self.keys.iter().map(|key| key.key)) || twice(self.left_out.iter().map(|key| key.key))
    }
}

/// A key in a key-load file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedKey {
    /// Which.
    pub key: VendingKeyId,
    /// Its check value.
    pub check_value: KeyCheckValue,
    /// IUT: until when this load lets the module issue with it.
    pub issued_until: Moment,
    /// ULM of this load.
    pub unit_limit: UnitLimit,
    /// CLM of this load.
    pub currency_limit: CurrencyLimit,
}

/// A key that was left out of a key-load file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Which.
    pub key: VendingKeyId,
    /// Why.
    pub reason: LeftOutReason,
}

coded! {
    /// Why a vending key was left out of a key-load file: the first reason that applies, in this order.
    LeftOutReason, "reason to leave out a vending key" {
        /// The centre's module has not made the key yet.
        NotMade = "not_made",
        /// The key is revoked.
        KeyRevoked = "key_revoked",
        /// EXP of the key has passed.
        KeyExpired = "key_expired",
        /// The newest authorisation of the group for this module is revoked, and no other is valid.
        AuthorisationRevoked = "authorisation_revoked",
        /// The newest authorisation has ended.
        AuthorisationEnded = "authorisation_ended",
        /// The signatory of the newest authorisation is revoked.
        SignatoryRevoked = "signatory_revoked",
        /// The module has other keys than the newest authorisation names.
        OtherModuleKey = "other_module_key",
        /// A former owner of the group granted the newest authorisation.
        OwnerChanged = "owner_changed",
        /// The refresh period would end before the key becomes active: it is too early to load the key.
        NeverActive = "never_active",
        /// The request asks for other groups or keys only.
        NotAsked = "not_asked",
        /// The file is full.
        NoRoom = "no_room",
    }
}
