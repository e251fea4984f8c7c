//! Security modules that a centre has enrolled, and the agreements with them.

use prepay_basics::Moment;
use prepay_kmp::ModuleId;

use super::Line;

/// A module that the centre enrolled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleRecord {
    /// Key.
    pub id: ModuleId,
    /// The fingerprint of its public keys, which people compared. Unique in the centre.
    pub fingerprint: Line,
    /// Who made it.
    pub maker: Line,
    /// Its model.
    pub model: Line,
    /// Its firmware version.
    pub firmware: Line,
    /// When it was enrolled.
    pub enrolled: Moment,
    /// When it was revoked.
    pub revoked: Option<Moment>,
}

/// An agreement request that the centre answered.
///
/// Inserted, never updated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgreementRecord {
    /// Key, first part. Must exist.
    pub module: ModuleId,
    /// Key, second part: SHA-256 of the request's text.
    pub request_digest: [u8; 32],
    /// The module's slot.
    pub slot: u16,
    /// When it was answered.
    pub answered: Moment,
}
