//! The identifiers that a meter remembers, so that no token is executed twice.
//!
//! ```text
//!        old │ used, or new inside the window        │ new
//!  ──────────┼──●────●──●───●───────●──●──●──────●───●────────────>  TID
//!            smallest                              largest
//! ```
//!
//! The store is always full. Before the first token every place holds the identifier of the day of manufacture,
//! so that tokens from before it are old. A new identifier replaces the smallest; tokens may come out of order
//! as long as they are above it.
//!
//! - Unit: minutes, as all identifiers. Only their order matters here.
//! - Capacity: `N` at most; how many are used is fixed at manufacture. Practice is 50.
//! - Source: IEC 62055-41:2018, TokenCancellation and ValidationResult.

use prepay_token::element::TokenIdentifier;

/// A store of up to `N` identifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdentifierStore<const N: usize> {
    values: [u32; N], // Invariant: the first `count` ascend, the others are 0; all below 2^24.
    count: u16,       // Invariant: 1 to N.
}

impl<const N: usize> IdentifierStore<N> {
    /// A store with every place filled. `count` is limited to 1 to `N`.
    pub fn filled(count: u16, fill: TokenIdentifier) -> Self {
        const { assert!(N >= 1 && N <= 4096, "a store has 1 to 4096 places") };
        let count = count.clamp(1, N as u16);
        let mut values = [0; N];
        values[..usize::from(count)].fill(fill.value());
        Self { values, count }
    }

    /// The store with these identifiers; nothing if there are none or too many, if they do not ascend, or if a
    /// value after them is not zero.
    pub(crate) fn from_values(count: u16, values: [u32; N]) -> Option<Self> {
        if count == 0 || usize::from(count) > N {
            return None;
        }
        let (held, rest) = values.split_at(usize::from(count));
        let is_sound = held.is_sorted() && rest.iter().all(|&value| value == 0);
        is_sound.then_some(Self { values, count })
    }

    /// Every place; unused ones are zero.
    pub(crate) const fn places(&self) -> &[u32; N] {
        &self.values
    }

    /// How many identifiers the store holds.
    pub const fn count(&self) -> u16 {
        self.count
    }

    /// The identifiers, ascending, fill values included.
    pub fn iter(&self) -> impl Iterator<Item = TokenIdentifier> {
        self.held().iter().map(|&value| TokenIdentifier::from_low_bits(value))
    }

    /// Whether an identifier is smaller than all that are remembered.
    pub fn is_old(&self, identifier: TokenIdentifier) -> bool {
        identifier.value() < self.values[0]
    }

    /// Whether an identifier is remembered.
    pub fn is_used(&self, identifier: TokenIdentifier) -> bool {
        self.held().binary_search(&identifier.value()).is_ok()
    }

    /// Remembers an identifier instead of the smallest.
    ///
    /// One that is old or used changes nothing.
    pub fn remember(&mut self, identifier: TokenIdentifier) {
        let value = identifier.value();
        let held = &mut self.values[..usize::from(self.count)];
        if let Err(place @ 1..) = held.binary_search(&value) {
            held.copy_within(1..place, 0);
            held[place - 1] = value;
        }
    }

    /// Sets every identifier to 0, as a key change with rollover does.
    pub fn forget(&mut self) {
        self.values = [0; N];
    }

    fn held(&self) -> &[u32] {
        &self.values[..usize::from(self.count)]
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::collections::BTreeSet;
    use std::vec::Vec;

    use prepay_token::element::TokenIdentifier;
    use proptest::prelude::*;

    use super::IdentifierStore;

    fn tid(value: u32) -> TokenIdentifier {
        TokenIdentifier::from_low_bits(value)
    }

    fn values<const N: usize>(store: &IdentifierStore<N>) -> Vec<u32> {
        store.iter().map(TokenIdentifier::value).collect()
    }

    #[test]
    fn a_new_store_refuses_the_day_of_manufacture_and_before() {
        let store = IdentifierStore::<4>::filled(4, tid(100));
        // (identifier, old, used)
        for (identifier, old, used) in [(99, true, false), (100, false, true), (101, false, false)]
        {
            assert_eq!(store.is_old(tid(identifier)), old, "{identifier}");
            assert_eq!(store.is_used(tid(identifier)), used, "{identifier}");
        }
    }

    #[test]
    fn the_smallest_makes_room_and_the_window_moves() {
        let mut store = IdentifierStore::<4>::filled(3, tid(0));
        for (identifier, expected) in [
            (10, [0, 0, 10]),
            (5, [0, 5, 10]),
            (7, [5, 7, 10]),
            (7, [5, 7, 10]), // used
            (4, [5, 7, 10]), // old
            (6, [6, 7, 10]), // out of order, inside the window
            (11, [7, 10, 11]),
        ] {
            store.remember(tid(identifier));
            assert_eq!(values(&store), expected, "after {identifier}");
        }
        store.forget();
        assert_eq!(values(&store), [0, 0, 0]);
        assert!(store.is_used(tid(0)) && !store.is_used(tid(1)));
    }

    #[test]
    fn both_ends_of_the_range_are_identifiers() {
        let mut store = IdentifierStore::<2>::filled(2, tid(0));
        store.remember(TokenIdentifier::LARGEST);
        store.remember(tid(1));
        assert_eq!(values(&store), [1, 0xFF_FFFF]);
    }

    #[test]
    fn a_store_has_at_least_one_place_and_at_most_its_capacity() {
        // (asked, given)
        for (asked, given) in [(0, 1), (1, 1), (2, 2), (3, 3), (4, 3), (u16::MAX, 3)] {
            let store = IdentifierStore::<3>::filled(asked, tid(7));
            assert_eq!(store.count(), given, "{asked}");
            assert_eq!(values(&store), [7, 7, 7][..usize::from(given)], "{asked}");
            let unused = &store.places()[usize::from(given)..];
            assert!(unused.iter().all(|&value| value == 0), "{asked}");
        }
    }

    #[test]
    fn stored_values_are_a_store_only_if_they_ascend_and_nothing_follows_them() {
        // (count, values, whether they are a store)
        for (count, values, expected) in [
            (0, [0, 0, 0], false),
            (1, [0, 0, 0], true),
            (2, [5, 5, 0], true), // the identifier of the day of manufacture, twice
            (2, [5, 6, 0], true),
            (2, [6, 5, 0], false),
            (2, [5, 6, 1], false),
            (2, [5, 6, 7], false),
            (3, [5, 6, 7], true),
            (3, [5, 7, 6], false),
            (4, [5, 6, 7], false),
            (u16::MAX, [5, 6, 7], false),
        ] {
            let store = IdentifierStore::from_values(count, values);
            assert_eq!(store.is_some(), expected, "{count} of {values:?}");
            if let Some(store) = store {
                assert_eq!((store.count(), store.places()), (count, &values));
            }
        }
    }

    proptest! {
        #[test]
        fn it_behaves_like_a_set_that_drops_its_smallest(
            entered in proptest::collection::vec(0u32..64, 0..200),
        ) {
            let mut store = IdentifierStore::<8>::filled(8, tid(0));
            let mut model: BTreeSet<u32> = BTreeSet::new();
            for value in entered {
                let smallest = if model.len() < 8 { 0 } else { *model.first().unwrap() };
                let old = value < smallest;
                let used = model.contains(&value) || (model.len() < 8 && value == 0);
                prop_assert_eq!(store.is_old(tid(value)), old);
                prop_assert_eq!(store.is_used(tid(value)), used);
                store.remember(tid(value));
                if !old && !used {
                    model.insert(value);
                    if model.len() > 8 {
                        model.pop_first();
                    }
                }
            }
            prop_assert!(values(&store).is_sorted());
        }
    }
}
