//! The part of the log to read at every opening: everything after the store, and as much before it as the contents need
//! to see again.
//!
//! Positions are noted at intervals while entries are written; reading starts at the last one before what is needed.

use std::collections::VecDeque;

use super::record::Position;

/// How many items or bytes there are between two noted positions.
const ITEMS_BETWEEN: u64 = 4096;
const BYTES_BETWEEN: u64 = 256 * 1024;

/// At least how many bytes to read again.
const BYTES_KEPT: u64 = 4 << 20;

/// The part of the log that is read at every opening.
pub(super) struct Window {
    /// Positions, each with the number of items before it. Never empty.
    marks: VecDeque<(Position, u64)>,
    items: u64,
    items_at_snapshot: u64,
}

impl Window {
    /// Starts at a position.
    pub(super) fn new(start: Position) -> Self {
        Self { marks: VecDeque::from([(start, 0)]), items: 0, items_at_snapshot: 0 }
    }

    /// Notes an entry with this many items, from one position to the next.
    pub(super) fn pass(&mut self, before: &Position, items: u64) {
        let (last, last_items) = self.marks[self.marks.len() - 1];
        if self.items - last_items >= ITEMS_BETWEEN || before.length - last.length >= BYTES_BETWEEN
        {
            self.marks.push_back((*before, self.items));
        }
        self.items += items;
    }

    /// Drops what need not be read any more: everything before the entry `needed`, except the last bytes before `end`.
    pub(super) fn trim(&mut self, needed: u64, end: &Position) {
        while let Some((second, _)) = self.marks.get(1)
            && second.sequence < needed
            && end.length.saturating_sub(second.length) >= BYTES_KEPT
        {
            self.marks.pop_front();
        }
    }

    /// Where to start reading.
    pub(super) fn start(&self) -> Position {
        self.marks[0].0
    }

    /// The last noted position before an entry.
    pub(super) fn before(&self, sequence: u64) -> Option<Position> {
        let places = self.marks.iter().rev().map(|&(place, _)| place);
        places.into_iter().find(|place| place.sequence < sequence)
    }

    pub(super) fn items_since_snapshot(&self) -> u64 {
        self.items - self.items_at_snapshot
    }

    pub(super) fn snapshot_taken(&mut self) {
        self.items_at_snapshot = self.items;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_and_enough_bytes_stay_in_the_window() {
        let mut place = Position { sequence: 0, length: 71, hash: [0; 32] };
        let mut window = Window::new(place);
        let mut starts = 0;
        for number in 0..200_000_u64 {
            let mut after = place;
            after.sequence += 1;
            after.length += 140;
            window.pass(&place, 1);
            place = after;
            let (start, needed) = (window.start(), number.saturating_sub(50_000) / 2);
            window.trim(needed, &place);
            starts += u64::from(window.start() != start);
            let start = window.start();
            assert!(start.sequence == 0 || start.sequence < needed);
            assert!(start.sequence == 0 || place.length - start.length >= BYTES_KEPT);
            assert!(needed.saturating_sub(start.sequence) < 35_000 + 5_000, "{number}");
        }
        assert!(starts > 10);
    }
}
