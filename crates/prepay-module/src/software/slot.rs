//! Slots: each belongs to a key management centre and contains what the module shares with it.
//!
//! ```text
//!  enrolment read ──> loading ── fingerprint confirmed ──> pending ── centre confirms ──> active
//!                     nothing        requests for an          keys are loaded;
//!                     is trusted     agreement may be made    a new agreement may be made
//! ```
//!
//! A new agreement in an active slot replaces the keys of the old one when the centre has confirmed it, not
//! before.

use std::collections::VecDeque;
use std::fmt;

use prepay_basics::Moment;
use prepay_kmp::{CentreId, Nonce, PendingAgreement, PublicIdentity, SlotKeys, SlotNumber};

/// How many centres a module knows at once.
pub const SLOTS: usize = 64;

/// How many key-load requests of one slot may be open; the newest replaces the oldest.
pub const OPEN_REQUESTS: usize = 16;

/// How many numbers of used requests a slot remembers, to distinguish them from unknown ones.
pub(crate) const USED_NONCES: usize = 256;

/// The state of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SlotState {
    /// The centre's enrolment was read; its fingerprint is not confirmed.
    Loading,
    /// The fingerprint is confirmed; the centre has not confirmed an agreement.
    Pending,
    /// Both share keys: vending keys can be loaded.
    Active,
}

impl fmt::Display for SlotState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Loading => "loading",
            Self::Pending => "pending",
            Self::Active => "active",
        })
    }
}

/// A key-load request that has not been answered.
pub(crate) struct OpenRequest {
    pub(crate) nonce: Nonce,
    pub(crate) expires: Moment,
}

/// A slot.
pub(crate) struct Slot {
    pub(crate) number: SlotNumber,
    pub(crate) centre: PublicIdentity,
    pub(crate) activation: Moment,
    pub(crate) expires: Moment,
    pub(crate) state: SlotState,
    pub(crate) keys: Option<SlotKeys>, // Invariant: there exactly when the state is active.
    pub(crate) pending: Option<PendingAgreement>,
    pub(crate) requests: Vec<OpenRequest>,
    pub(crate) used: VecDeque<Nonce>,
    pub(crate) last_serial: Option<u64>,
}

impl Slot {
    /// The name of the centre.
    pub(crate) fn centre_id(&self) -> CentreId {
        self.centre.id().clone().into()
    }

    /// Opens a request.
    pub(crate) fn open(&mut self, nonce: Nonce, expires: Moment) {
        if self.requests.len() == OPEN_REQUESTS {
            self.requests.remove(0);
        }
        self.requests.push(OpenRequest { nonce, expires });
    }

    /// Closes a request that was answered.
    pub(crate) fn close(&mut self, nonce: Nonce) {
        self.requests.retain(|request| request.nonce != nonce);
        if self.used.len() == USED_NONCES {
            self.used.pop_front();
        }
        self.used.push_back(nonce);
    }
}

/// What a centre's enrolment says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CentreReport {
    /// The centre.
    pub centre: CentreId,
    /// Its name with the beginning of its fingerprint, as documents write it.
    pub name: String,
    /// The fingerprint of its public keys, as people compare it.
    pub fingerprint: String,
    /// From when its keys may be used.
    pub activation: Moment,
    /// Until when.
    pub expires: Moment,
    /// Whether it is a test centre, whose keys are not for real meters.
    pub is_test: bool,
}

impl CentreReport {
    pub(crate) fn new(
        centre: &PublicIdentity,
        activation: Moment,
        expires: Moment,
        is_test: bool,
    ) -> Self {
        Self {
            centre: centre.id().clone().into(),
            name: centre.name().to_string(),
            fingerprint: centre.fingerprint().to_string(),
            activation,
            expires,
            is_test,
        }
    }
}

/// What a slot holds, but for the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotReport {
    /// The number of the slot.
    pub slot: u16,
    /// The centre.
    pub centre: CentreReport,
    /// How far the module and the centre are.
    pub state: SlotState,
    /// Whether the module waits for the centre to confirm an agreement.
    pub agreement_open: bool,
    /// Until when each open key-load request may be answered.
    pub requests: Vec<Moment>,
    /// The serial number of the last key-load file.
    pub last_serial: Option<u64>,
    /// How many registers hold a key of the centre.
    pub keys: usize,
}
