//! Reports: which module holds which keys, and what expires when.
//!
//! A centre knows which files it made, not whether a module loaded them, so it reports a key as *sent*.

use std::collections::BTreeMap;

use prepay_basics::Moment;
use prepay_kmp::ModuleId;
use prepay_kmp::attribute::KeyCheckValue;

use super::{Answer, Centre};
use crate::code::coded;
use crate::entity::{
    Authorisation, KeyLoadRecord, KeyState, VendingKeyId, VendingKeyRecord, last_minute,
};
use crate::store::{CentreStore, Filter, RowKey};

/// A vending key sent to a module, as in the newest file that contains it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The module.
    pub module: ModuleId,
    /// Its slot.
    pub slot: u16,
    /// The key.
    pub key: VendingKeyId,
    /// Its check value.
    pub check_value: KeyCheckValue,
    /// The file.
    pub serial: u64,
    /// When the file was made.
    pub sent: Moment,
    /// When the first file with this key for this slot was made.
    pub since: Moment,
    /// IUT in the newest file.
    pub issued_until: Moment,
    /// Whether IUT is in the future.
    pub is_fresh: bool,
    /// The state of the key at the centre.
    pub state: KeyState,
}

coded! {
    /// What expires.
    ExpiryKind, "kind of expiry" {
        /// EXP: the key goes into no more files.
        KeyLoading = "key_loading",
        /// KEN: the last minute in which the key may issue.
        KeyUse = "key_use",
        /// IUT: the module cannot issue with the key until it is loaded again.
        Load = "load",
        /// The authorisation.
        Authorisation = "authorisation",
        /// The centre's own public keys.
        CentreKey = "centre_key",
    }
}

/// Something that expires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// When.
    pub at: Moment,
    /// What.
    pub kind: ExpiryKind,
    /// Of what: the row.
    pub row: RowKey,
    /// The module that it concerns, if one.
    pub module: Option<ModuleId>,
    /// The vending key that it concerns, if one.
    pub key: Option<VendingKeyId>,
}

impl VendingKeyRecord {
    /// The last second in which KEN lets the key issue; `None` for 255, which means never.
    pub fn last_use(&self) -> Option<Moment> {
        let minute = last_minute(self.base_date, self.expiry)?;
        let seconds = u64::try_from(minute.unix_seconds()).ok()?;
        Moment::from_unix_seconds(seconds.saturating_add(59))
    }
}

impl<S: CentreStore> Centre<'_, S> {
    /// Which keys were sent to which modules, by module, slot and key.
    ///
    /// # Errors
    ///
    /// [`CommandError::Store`](super::CommandError::Store).
    pub fn holdings(&self, module: Option<&ModuleId>) -> Answer<Vec<Holding>> {
        let now = self.now();
        let keys = self.rows::<VendingKeyRecord>(Filter::all())?;
        let states: BTreeMap<_, _> = keys.iter().map(|key| (key.id, key.state)).collect();
        let mut holdings: BTreeMap<(ModuleId, u16, VendingKeyId), Holding> = BTreeMap::new();
        for load in self.rows(module.map_or(Filter::all(), KeyLoadRecord::of_module))? {
            for key in &load.keys {
                let place = (load.module.clone(), load.slot, key.key);
                let since = holdings.get(&place).map_or(load.created, |before| before.since);
                let holding = Holding {
                    module: load.module.clone(),
                    slot: load.slot,
                    key: key.key,
                    check_value: key.check_value,
                    serial: load.serial,
                    sent: load.created,
                    since,
                    issued_until: key.issued_until,
                    is_fresh: now <= key.issued_until,
                    state: states.get(&key.key).copied().unwrap_or(KeyState::Retired),
                };
                holdings.insert(place, holding);
            }
        }
        Ok(holdings.into_values().collect())
    }

    /// Everything that expires until a time, including what has already expired, oldest first.
    ///
    /// Revoked and retired rows are left out.
    ///
    /// # Errors
    ///
    /// [`CommandError::Store`](super::CommandError::Store),
    /// [`CommandError::Module`](super::CommandError::Module).
    pub fn expiries(&self, until: Moment) -> Answer<Vec<Expiry>> {
        let mut list = Vec::new();
        for key in self
            .rows::<VendingKeyRecord>(Filter::all())?
            .iter()
            .filter(|key| key.state == KeyState::Live)
        {
            let row = || RowKey::VendingKey(key.id);
            let of = |at, kind| Expiry { at, kind, row: row(), module: None, key: Some(key.id) };
            list.push(of(key.expires, ExpiryKind::KeyLoading));
            list.extend(key.last_use().map(|at| of(at, ExpiryKind::KeyUse)));
        }
        for holding in self.holdings(None)? {
            if holding.state == KeyState::Retired {
                continue;
            }
            list.push(Expiry {
                at: holding.issued_until,
                kind: ExpiryKind::Load,
                row: RowKey::KeyLoad(holding.serial),
                module: Some(holding.module),
                key: Some(holding.key),
            });
        }
        for row in self
            .rows::<Authorisation>(Filter::all())?
            .into_iter()
            .filter(|row| row.revoked.is_none())
        {
            list.push(Expiry {
                at: row.valid_until,
                kind: ExpiryKind::Authorisation,
                row: RowKey::Authorisation(row.number),
                module: Some(row.module),
                key: None,
            });
        }
        list.push(Expiry {
            at: self.module.identify()?.expires,
            kind: ExpiryKind::CentreKey,
            row: RowKey::Centre(()),
            module: None,
            key: None,
        });
        list.retain(|expiry| expiry.at <= until);
        list.sort_by_key(|expiry| (expiry.at, expiry.kind));
        Ok(list)
    }
}
