//! The token identifiers that were used: each for one meter under one key.
//!
//! Only a keyed hash of meter, key and identifier is kept. Two that have the same hash are taken for the same, which
//! happens to one in 10^11 at most, and then the caller takes the next identifier.

use std::hint::black_box;

use prepay_kmp::KeyNote;

use super::table::{LAST_PLACE, home};

/// Hashes of the identifiers that were used, as many as a table has place for: each at its slot or a later one, 0 in an
/// empty one.
pub(super) struct Used {
    slots: Box<[u64]>,
    len: usize,
}

impl Default for Used {
    fn default() -> Self {
        Self { slots: vec![0; LAST_PLACE + 1].into(), len: 0 }
    }
}

impl Used {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u64> {
        self.slots.iter().copied().filter(|hash| *hash != 0)
    }

    /// The slot of a hash, or the empty one where it would be.
    #[inline]
    fn place(&self, hash: u64) -> usize {
        let mut place = home(hash);
        while ![0, hash].contains(&self.slots[place]) {
            place = (place + 1) & LAST_PLACE;
        }
        place
    }

    /// Has the processor fetch the slot of a hash, without waiting for it.
    #[inline]
    pub(super) fn fetch(&self, hash: u64) {
        black_box(self.slots[home(hash)]);
    }

    #[inline]
    pub(super) fn contains(&self, hash: u64) -> bool {
        self.slots[self.place(hash)] == hash
    }

    /// Adds a hash, which is not 0.
    ///
    /// # Panics
    ///
    /// If every other slot is taken.
    #[inline]
    pub(super) fn insert(&mut self, hash: u64) {
        assert!(self.len <= LAST_PLACE / 2, "a full table is frozen before an entry is added");
        let place = self.place(hash);
        self.len += usize::from(self.slots[place] == 0);
        self.slots[place] = hash;
    }

    pub(super) fn clear(&mut self) {
        self.slots.fill(0);
        self.len = 0;
    }
}

/// From which to which identifier some were used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) first: u32,
    pub(crate) last: u32,
}

impl Span {
    /// Of no identifier.
    pub(super) const EMPTY: Self = Self { first: u32::MAX, last: 0 };

    pub(super) fn join(self, other: Self) -> Self {
        Self { first: self.first.min(other.first), last: self.last.max(other.last) }
    }

    pub(super) fn with(self, identifier: u32) -> Self {
        self.join(Self { first: identifier, last: identifier })
    }

    pub(super) const fn meets(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    pub(super) const fn has(self, identifier: u32) -> bool {
        self.first <= identifier && identifier <= self.last
    }
}

/// Tells vending keys apart, wherever they are: a key that is deleted and loaded again has the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyMark(pub(crate) u32);

impl KeyMark {
    pub(crate) fn new(key: &KeyNote) -> Self {
        let [a, b, c] = key.check_value.bytes();
        let group = key.supply_group.value() << 4 | u32::from(key.key_revision.value());
        Self(u32::from_be_bytes([0, a, b, c]) ^ group << 8)
    }
}

/// The keys that were deleted while the oldest names were made or later, in the order of their entries.
#[derive(Clone, Default)]
pub(crate) struct Deleted(pub(super) Vec<(u16, u64, KeyMark)>);

impl Deleted {
    /// The key that a register had when an entry was made, if it was deleted since.
    pub(super) fn key(&self, register: u16, sequence: u64) -> Option<KeyMark> {
        let was = |&&(of, entry, _): &&(u16, u64, KeyMark)| of == register && sequence < entry;
        self.0.iter().find(was).map(|(_, _, key)| *key)
    }
}
