//! Supply groups and who owned them when.

use prepay_basics::Moment;
use prepay_kmp::attribute::{Cluster, GroupName, VendingKeyType};
use prepay_token::element::{Service, SupplyGroupCode};

use super::{CustomerNumber, FormNumber, Line};

/// A supply group: the meters that share vending keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SupplyGroup {
    /// Key.
    pub code: SupplyGroupCode,
    /// Default (of a manufacturer), unique or common: the type of every vending key of the group.
    pub key_type: VendingKeyType,
    /// Who owns it now. Must exist.
    pub owner: CustomerNumber,
    /// Its name, for people.
    pub name: GroupName,
    /// Where its meters are.
    pub area: Line,
    /// What its meters measure.
    pub service: Service,
    /// The cluster of its vending keys.
    pub cluster: Cluster,
    /// When it was allocated.
    pub created: Moment,
}

/// Who owned a group from when: one row for each owner, the first from the allocation.
///
/// Inserted, never updated. The current owner is also in [`SupplyGroup::owner`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ownership {
    /// Key, first part. Must exist.
    pub group: SupplyGroupCode,
    /// Key, second part: 1, 2, 3 …
    pub sequence: u32,
    /// The owner. Must exist.
    pub owner: CustomerNumber,
    /// From when.
    pub since: Moment,
    /// The form that asked for it; `None` if done by hand.
    pub form: Option<FormNumber>,
}
