//! The last requests that were carried out, by identifier, so that a repeated one gets the same digits.
//!
//! The number of remembered requests is fixed; the newest replaces the oldest. A request is remembered as its row of the
//! audit log, so everything can be read from there again. After opening, the requests with an identifier among the same
//! number of last rows are remembered; requests without one count as rows there too.
//!
//! Every request with an identifier is looked up here, so the index is small enough for the processor's cache: one
//! 64-bit entry per slot, and twice as many slots as rows.
//!
//! ```text
//!   63                                   16 15          0
//! +----------------------------------------+-------------+
//! |  high bits of the identifier's hash    |  row        |   0 for an empty slot
//! +----------------------------------------+-------------+
//! ```
//!
//! An entry is at the slot given by the seventeen high bits of its hash, or in a later one if that was taken. The hash
//! depends on secret numbers, so that nobody can choose identifiers that all fall on one slot.

use std::hash::{BuildHasher, RandomState};

use super::issued_row::IssuedRow;
use crate::RequestId;
use prepay_kmp::attribute::RegisterNumber;

/// How many requests to remember.
pub const REMEMBERED_REQUESTS: usize = 1 << ROW_BITS;

/// The number of bits of a row's index.
const ROW_BITS: u32 = 16;

/// The number of bits of a slot's index.
const PLACE_BITS: u32 = ROW_BITS + 1;

/// The last slot.
const LAST_PLACE: usize = (1 << PLACE_BITS) - 1;

/// The last requests that were carried out.
pub(crate) struct Remembered {
    rows: Vec<IssuedRow>,
    /// The row to replace next, once all are used.
    oldest: usize,
    index: Box<[u64]>,
    secret: [u64; 2],
}

impl Default for Remembered {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            oldest: 0,
            index: vec![0; LAST_PLACE + 1].into(),
            secret: [1_u8, 2].map(|which| RandomState::new().hash_one(which)),
        }
    }
}

impl Remembered {
    /// The row of a request.
    #[inline]
    pub(crate) fn get(&self, name: RequestId) -> Option<&IssuedRow> {
        let hash = self.hash(name);
        let mut place = home(hash);
        loop {
            match self.index[place] {
                0 => return None,
                entry if entry >> ROW_BITS == hash => {
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

    /// Remembers a row, if its request has an identifier. If that is already remembered, its first row counts.
    #[inline]
    pub(crate) fn put(&mut self, row: IssuedRow) {
        let Some(name) = row.request else { return };
        let number = if self.rows.len() < REMEMBERED_REQUESTS {
            self.rows.push(row);
            self.rows.len() - 1
        } else {
            let number = self.oldest;
            self.oldest = (number + 1) % REMEMBERED_REQUESTS;
            self.forget(number);
            self.rows[number] = row;
            number
        };
        let hash = self.hash(name);
        let mut place = home(hash);
        while self.index[place] != 0 {
            place = (place + 1) & LAST_PLACE;
        }
        self.index[place] = hash << ROW_BITS | number as u64;
    }

    /// Notes that the key of a register is gone. Its requests can no longer be answered, but are not forgotten: their
    /// identifiers must not be used again.
    pub(crate) fn void(&mut self, register: RegisterNumber) {
        for row in &mut self.rows {
            if [row.register, row.new_register].contains(&register.value()) {
                row.register = 0;
            }
        }
    }

    /// Removes a row from the index, and moves later entries closer to their own slots.
    #[inline]
    fn forget(&mut self, number: usize) {
        let Some(name) = self.rows[number].request else { return };
        let hash = self.hash(name);
        let mut hole = home(hash);
        let entry = hash << ROW_BITS | number as u64;
        while self.index[hole] != entry {
            if self.index[hole] == 0 {
                return;
            }
            hole = (hole + 1) & LAST_PLACE;
        }
        let mut place = hole;
        loop {
            place = (place + 1) & LAST_PLACE;
            let entry = self.index[place];
            if entry == 0 {
                break;
            }
            let from_home = place.wrapping_sub(home(entry >> ROW_BITS)) & LAST_PLACE;
            if from_home >= place.wrapping_sub(hole) & LAST_PLACE {
                self.index[hole] = entry;
                hole = place;
            }
        }
        self.index[hole] = 0;
    }

    /// 48 bits of the hash, never all zero, because the lowest bit is always set.
    #[inline]
    fn hash(&self, RequestId(name): RequestId) -> u64 {
        let name = u128::from_be_bytes(name);
        let [a, b] = [(name >> 64) as u64 ^ self.secret[0], name as u64 ^ self.secret[1]];
        let once = u128::from(a) * u128::from(b | 1);
        let once = (once >> 64) as u64 ^ once as u64;
        let twice = u128::from(once ^ self.secret[1]) * u128::from(a ^ b.rotate_left(32) | 1);
        ((twice >> 64) as u64 ^ twice as u64) >> ROW_BITS | 1
    }
}

/// The slot of a hash of 48 bits.
#[inline]
const fn home(hash: u64) -> usize {
    (hash >> (64 - ROW_BITS - PLACE_BITS)) as usize & LAST_PLACE
}

/// The row of an entry.
#[inline]
const fn row_of(entry: u64) -> usize {
    entry as usize & (REMEMBERED_REQUESTS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: u128) -> IssuedRow {
        let mut bytes = [0; IssuedRow::LENGTH];
        bytes[..16].copy_from_slice(&name.to_be_bytes());
        bytes[25] = 1;
        bytes[33] = 0x80;
        IssuedRow::decode(&bytes).unwrap()
    }

    fn name(name: u128) -> RequestId {
        RequestId(name.to_be_bytes())
    }

    #[test]
    fn the_oldest_request_makes_room_for_the_newest() {
        // Names that differ in their low bits, in their high bits, and in both.
        for spread in [1, 1 << 64, 0x0001_0000_0001_0000_0001_0000_0001_u128] {
            let mut remembered = Remembered::default();
            let capacity = REMEMBERED_REQUESTS as u128;
            let (row, name) = (|n: u128| row(n * spread), |n: u128| name(n * spread));
            for number in 0..capacity {
                remembered.put(row(number));
            }
            assert_eq!(remembered.get(name(0)), Some(&row(0)));
            for number in capacity..3 * capacity {
                remembered.put(row(number));
                assert_eq!(remembered.get(name(number - capacity)), None, "{number}");
                let oldest = number - capacity + 1;
                assert_eq!(remembered.get(name(oldest)), Some(&row(oldest)), "{number}");
            }
            for number in 2 * capacity..3 * capacity {
                assert_eq!(remembered.get(name(number)), Some(&row(number)), "{number}");
            }
            let taken = remembered.index.iter().filter(|entry| **entry != 0).count();
            assert_eq!(taken, REMEMBERED_REQUESTS);
        }
    }

    #[test]
    fn the_requests_of_a_lost_key_stay_known_but_fit_nothing() {
        let mut remembered = Remembered::default();
        remembered.put(row(1));
        remembered.void(RegisterNumber::try_from(2).unwrap());
        assert_eq!(remembered.get(name(1)), Some(&row(1)));
        remembered.void(RegisterNumber::try_from(1).unwrap());
        assert_eq!(remembered.get(name(1)).map(|row| row.register), Some(0));
    }
}
