//! The newest names, in memory.
//!
//! Every request with a name is looked up here, so the index is small: one 32-bit entry per slot, and twice as many slots
//! as rows.
//!
//! ```text
//!   31                16 15                0
//! +---------------------+-------------------+
//! |  part of the hash   |  row              |   0 for an empty slot
//! +---------------------+-------------------+
//! ```
//!
//! An entry is at the slot given by the seventeen high bits of its name's hash, or in a later one if that was taken. The
//! bits of the hash after those are in the entry, so that a row is seldom looked at in vain.

use std::hint::black_box;

use super::used::{Span, Used};
use crate::RequestId;
use crate::software::issued_row::IssuedRow;
use prepay_kmp::attribute::RegisterNumber;

/// How many rows a table has place for.
pub(super) const CAPACITY: usize = 1 << ROW_BITS;

/// The number of bits of a row's index.
const ROW_BITS: u32 = 16;

/// The number of bits of a slot's index.
const PLACE_BITS: u32 = ROW_BITS + 1;

/// The bits of an entry that are part of the hash.
const TAG: u32 = !0 << ROW_BITS;

/// The last slot.
pub(super) const LAST_PLACE: usize = (1 << PLACE_BITS) - 1;

/// Rows by the names of their requests, and the identifiers that were used.
pub(super) struct Table {
    rows: Vec<IssuedRow>,
    index: Box<[u32]>,
    used: Used,
    span: Span,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            rows: Vec::with_capacity(CAPACITY),
            index: vec![0; LAST_PLACE + 1].into(),
            used: Used::default(),
            span: Span::EMPTY,
        }
    }
}

impl Table {
    /// How full it is: the number of its names or of its identifiers, whichever is larger.
    pub(super) fn len(&self) -> usize {
        self.rows.len().max(self.used.len())
    }

    pub(super) const fn used(&self) -> &Used {
        &self.used
    }

    /// From which to which identifier some were used.
    pub(super) const fn span(&self) -> Span {
        self.span
    }

    #[inline]
    pub(super) fn has_used(&self, hash: u64, identifier: u32) -> bool {
        self.span.has(identifier) && self.used.contains(hash)
    }

    /// Adds an identifier that was used.
    #[inline]
    pub(super) fn put_used(&mut self, hash: u64, identifier: u32) {
        self.span = self.span.with(identifier);
        self.used.insert(hash);
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.rows.clear();
        self.index.fill(0);
        self.used.clear();
        self.span = Span::EMPTY;
    }

    pub(super) fn rows(&self) -> &[IssuedRow] {
        &self.rows
    }

    /// Has the processor fetch the part of the index where a hash belongs, without waiting for it.
    #[inline]
    pub(super) fn fetch(&self, hash: u64) {
        black_box(self.index[home(hash)]);
    }

    /// The row of a request.
    #[inline]
    pub(super) fn get(&self, hash: u64, name: RequestId) -> Option<&IssuedRow> {
        let tag = tag(hash);
        let mut place = home(hash);
        loop {
            match self.index[place] {
                0 => return None,
                entry if entry & TAG == tag => {
                    let row = &self.rows[row_of(entry)];
                    if row.request == Some(name) {
                        return Some(row);
                    }
                }
                _ => {}
            }
            place = (place + 1) & LAST_PLACE;
        }
    }

    /// Adds a row. If its name is there already, the first row counts.
    ///
    /// # Panics
    ///
    /// If there are [`CAPACITY`] rows.
    #[inline]
    pub(super) fn put(&mut self, hash: u64, row: IssuedRow) {
        assert!(self.rows.len() < CAPACITY, "a full table is frozen before an entry is added");
        let mut place = home(hash);
        while self.index[place] != 0 {
            place = (place + 1) & LAST_PLACE;
        }
        self.index[place] = tag(hash) | self.rows.len() as u32;
        self.rows.push(row);
    }

    /// Notes that the key of a register is gone. Its requests can no longer be answered, but are not forgotten: their
    /// names must not be used again.
    pub(super) fn void(&mut self, register: RegisterNumber) {
        for row in &mut self.rows {
            if [row.register, row.new_register].contains(&register.value()) {
                row.register = 0;
            }
        }
    }
}

/// The part of a hash that is in the index. Never all zero, because the lowest bit is always set.
#[inline]
const fn tag(hash: u64) -> u32 {
    (hash >> (64 - PLACE_BITS - 32)) as u32 & TAG | 1 << ROW_BITS
}

/// The slot of a hash.
#[inline]
pub(super) const fn home(hash: u64) -> usize {
    (hash >> (64 - PLACE_BITS)) as usize
}

/// The row of an entry.
#[inline]
const fn row_of(entry: u32) -> usize {
    entry as usize & (CAPACITY - 1)
}
