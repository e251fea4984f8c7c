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
    /// Where it is.
    pub area: Line,
    /// What it supplies.
    pub service: Service,
    /// The cluster of its vending keys.
    pub cluster: Cluster,
    /// Since when it exists.
    pub created: Moment,
}

/// Who owned a group from when: one row for each owner, the first at the allocation.
///
/// Inserted, never updated. The present owner is also in [`SupplyGroup::owner`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ownership {
    /// Key, first part. Must exist.
    pub group: SupplyGroupCode,
    /// Key, second part: 1, 2, 3 …
    pub sequence: u32,
    /// The owner. Must exist.
    pub owner: CustomerNumber,
    /// Since when.
    pub since: Moment,
    /// The form by which; nothing if it was done by hand.
    pub form: Option<FormNumber>,
}
