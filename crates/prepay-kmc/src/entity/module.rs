//! Security modules that a centre serves, and the agreements with them.

use prepay_basics::Moment;
use prepay_kmp::ModuleId;

use super::Line;

/// A module that the centre enrolled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleRecord {
    /// Key.
    pub id: ModuleId,
    /// The fingerprint of its public keys, as people compared it. Unique in the centre.
    pub fingerprint: Line,
    /// Who made it.
    pub maker: Line,
    /// What it is.
    pub model: Line,
    /// Which version of it.
    pub firmware: Line,
    /// When it was enrolled.
    pub enrolled: Moment,
    /// Since when it is revoked.
    pub revoked: Option<Moment>,
}

/// An agreement request that was answered.
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
