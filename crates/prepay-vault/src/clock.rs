//! A clock that is put back: recorded, refused, or accepted by two custodians.
//!
//! Elsewhere: which of the three it is (`timeline.rs`).

use super::timeline::Timeline;
use super::{By, Contents, Quorum, Vault, VaultEntry, VaultError};
use prepay_basics::Moment;

impl<C: Contents> Vault<C> {
    /// Checks that the clock is not so far behind that nothing may be changed.
    ///
    /// # Errors
    ///
    /// [`VaultError::ClockBehind`].
    pub(super) fn check_clock(&self, now: Moment) -> Result<(), VaultError> {
        if self.header.insecure_test || !self.time.is_behind(now) {
            return Ok(());
        }
        Err(VaultError::ClockBehind { expected: self.time.latest(), found: now })
    }

    /// The latest time that the vault has seen.
    pub const fn latest_time(&self) -> Moment {
        self.time.latest()
    }

    /// Accepts the time of a clock that is behind. Returns the latest time seen before, or `None` if the clock is not
    /// behind, so that there was nothing to accept.
    ///
    /// # Errors
    ///
    /// [`VaultError`]; nothing has changed unless the vault is broken.
    pub fn accept_clock(
        &mut self,
        quorum: &Quorum,
        now: Moment,
    ) -> Result<Option<Moment>, VaultError> {
        self.authorize_two(quorum)?;
        let from = self.time.latest();
        if from <= now {
            return Ok(None);
        }
        self.note_time(now)?;
        let entry = VaultEntry::ClockAccepted { from, to: now };
        self.commit_now(By::Two(quorum), &entry, now, |vault| vault.time = Timeline::new(now))?;
        Ok(Some(from))
    }

    /// Stages an entry that says that the clock was put back, if it was since the last entry.
    pub(super) fn note_time(&mut self, now: Moment) -> Result<bool, VaultError> {
        if !self.time.is_step_back(now) {
            return Ok(false);
        }
        let entry = VaultEntry::ClockBack { from: self.time.latest(), to: now };
        self.push(None, &entry, 0, now)?;
        self.time.step_back(now);
        self.people.cap_waits(now);
        Ok(true)
    }
}
