//! Key-load files that the centre made: which keys went to which module, until when.

use std::collections::BTreeSet;

use prepay_basics::Moment;
use prepay_kmp::ModuleId;
use prepay_kmp::attribute::{CurrencyLimit, KeyCheckValue, UnitLimit};
use prepay_token::element::SupplyGroupCode;

use super::VendingKeyId;
use crate::code::coded;

/// A key-load file. Inserted, never updated.
///
/// `keys` and `left_out` are parts of the row, in their order; none may name a vending key twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyLoadRecord {
    /// Key: the serial number that the centre's module gave it.
    pub serial: u64,
    /// For which module. Must exist.
    pub module: ModuleId,
    /// For which of its slots.
    pub slot: u16,
    /// The request's own number, as hexadecimal digits. Unique together with the module.
    pub nonce: Box<str>,
    /// SHA-256 of the request's text.
    pub request_digest: [u8; 32],
    /// When it was made.
    pub created: Moment,
    /// Until when the module takes it in.
    pub expires: Moment,
    /// The groups that were asked for, at most 1000; nothing for all that were authorised.
    pub groups: Option<BTreeSet<SupplyGroupCode>>,
    /// How many tokens more it lets the module make.
    pub transactions: Option<u64>,
    /// The file, at most 1 MiB: what is handed out when the same request comes again.
    pub file: Box<str>,
    /// The keys in it. Each must exist.
    pub keys: Vec<LoadedKey>,
    /// The keys of authorised groups that are not in it.
    pub left_out: Vec<LeftOut>,
}

impl KeyLoadRecord {
    /// Whether a vending key is twice among its keys, or twice among those left out.
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
    /// IUT: until when this load lets the module use it.
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
    /// Why a vending key was left out of a key-load file. The first that holds, in this order.
    LeftOutReason, "reason to leave out a vending key" {
        /// The key does not exist yet: the centre's module has not made it.
        NotMade = "not_made",
        /// The key is revoked.
        KeyRevoked = "key_revoked",
        /// EXP of the key has come.
        KeyExpired = "key_expired",
        /// The newest authorisation of the group for this module is revoked, and no other counts.
        AuthorisationRevoked = "authorisation_revoked",
        /// The newest authorisation has ended.
        AuthorisationEnded = "authorisation_ended",
        /// The signatory of the newest authorisation is revoked.
        SignatoryRevoked = "signatory_revoked",
        /// The newest authorisation comes from a former owner of the group.
        OwnerChanged = "owner_changed",
        /// The load would lapse before the key is active: its refresh period is too short for so early a load.
        NeverActive = "never_active",
        /// The request names other groups or keys.
        NotAsked = "not_asked",
        /// The file is full.
        NoRoom = "no_room",
    }
}
