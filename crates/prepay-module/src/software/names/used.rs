//! The token identifiers that were used: each for one meter under one key.
//!
//! Only a keyed hash of meter, key and identifier is kept. Two that have the same hash are taken for the same, which
//! happens to one in 10^11 at most, and then the caller takes the next identifier.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use prepay_kmp::KeyNote;

/// Hashes of the identifiers that were used.
pub(super) type Used = HashSet<u64, BuildHasherDefault<Hashed>>;

/// Hands on what is a hash already.
#[derive(Default)]
pub(super) struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0 << 8 | u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
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
