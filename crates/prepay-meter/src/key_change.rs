//! Sections of a new key as they arrive: which are held, since when, and which are missing.
//!
//! They are in memory only. Sections carry no identifier, so one that is lost with the power can simply be
//! entered again.
//!
//! - Time-out: counted from the first section of a set; later ones do not restart it.
//! - Source: IEC 62055-41:2018, key change token processing.
//! - Elsewhere: putting the key together ([`KeyChangeBuffer`]); the checks (`check.rs`).

use core::fmt;

use prepay_token::element::EncryptionAlgorithm;
use prepay_token::key_change::{KeyChangeBuffer, KeySection, SetSize};

/// A set of section numbers, 1 to 4.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct SectionSet(u8); // Invariant: bit n for section n.

impl SectionSet {
    /// The numbers, ascending.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (1..=4).filter(move |number| self.0 >> number & 1 == 1)
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<u8> for SectionSet {
    /// Numbers other than 1 to 4 are left out.
    fn from_iter<I: IntoIterator<Item = u8>>(numbers: I) -> Self {
        let known = numbers.into_iter().filter(|number| (1..=4).contains(number));
        Self(known.fold(0, |bits, number| bits | 1 << number))
    }
}

impl fmt::Debug for SectionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// The sections held, and the time of the first.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyChange {
    pub(crate) buffer: KeyChangeBuffer,
    since_s: u64,
}

impl KeyChange {
    /// Forgets the sections when the first is too old.
    pub(crate) fn expire(&mut self, now_s: u64, timeout_s: u32) {
        if !self.buffer.is_empty() && now_s.saturating_sub(self.since_s) >= u64::from(timeout_s) {
            self.buffer.clear();
        }
    }

    /// Takes a section. A copy of one already held replaces it.
    pub(crate) fn put(&mut self, section: KeySection, now_s: u64) {
        if self.buffer.is_empty() {
            self.since_s = now_s;
        }
        self.buffer.put(section);
    }

    /// The sections held.
    pub(crate) fn held(&self) -> SectionSet {
        self.buffer.held().collect()
    }

    /// The sections still missing. A meter that accepts only sets of three waits for the third even before the
    /// first announces it.
    pub(crate) fn waiting_for(
        &self,
        algorithm: EncryptionAlgorithm,
        size: SetSize,
        two_token_sets: bool,
    ) -> SectionSet {
        let SectionSet(mut missing) = self.buffer.waiting_for(algorithm).collect();
        let SectionSet(held) = self.held();
        let only_three = matches!(size, SetSize::Three) && !two_token_sets;
        if only_three && held >> 3 & 1 == 0 {
            missing |= 1 << 3;
        }
        SectionSet(missing)
    }
}

#[cfg(test)]
mod tests {
    use prepay_token::element::{EncryptionAlgorithm, SupplyGroupCode};
    use prepay_token::key_change::{KeySection, SetSize};

    use super::KeyChange;

    #[test]
    fn a_meter_for_sets_of_three_waits_for_the_third_until_it_holds_it() {
        let mut change = KeyChange::default();
        // (whether sets of two are accepted too, whether it waits for the third)
        let waits = |change: &KeyChange, size, two| {
            change.waiting_for(EncryptionAlgorithm::Sta, size, two).iter().any(|number| number == 3)
        };
        assert!(waits(&change, SetSize::Three, false));
        assert!(!waits(&change, SetSize::Three, true));
        assert!(!waits(&change, SetSize::Two, false));
        let supply_group = SupplyGroupCode::try_from(123_456).unwrap();
        change.put(KeySection::ThirdOfThree { supply_group }, 0);
        assert!(!waits(&change, SetSize::Three, false));
    }
}
