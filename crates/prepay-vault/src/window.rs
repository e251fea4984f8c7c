//! The part of the log to read at every opening: everything after the store, and enough before it to show the last
//! items again.
//!
//! Positions are noted at intervals while entries are written; reading starts at the oldest one still needed.

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
    items_kept: u64,
    items_at_snapshot: u64,
}

impl Window {
    /// Starts at a position, and covers at least this many items.
    pub(super) fn new(start: Position, items_kept: u64) -> Self {
        Self { marks: VecDeque::from([(start, 0)]), items: 0, items_kept, items_at_snapshot: 0 }
    }

    /// Notes an entry with this many items, from one position to the next.
    pub(super) fn pass(&mut self, before: &Position, after: &Position, items: u64) {
        let (last, last_items) = self.marks[self.marks.len() - 1];
        if self.items - last_items >= ITEMS_BETWEEN || before.length - last.length >= BYTES_BETWEEN
        {
            self.marks.push_back((*before, self.items));
        }
        self.items += items;
        while let Some((second, items_before)) = self.marks.get(1)
            && self.items - items_before >= self.items_kept
            && after.length - second.length >= BYTES_KEPT
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
    fn enough_items_and_bytes_stay_in_the_window() {
        let mut place = Position { sequence: 0, length: 71, hash: [0; 32] };
        let mut window = Window::new(place, 10_000);
        let mut starts = 0;
        for _ in 0..200_000_u64 {
            let mut after = place;
            after.sequence += 1;
            after.length += 140;
            let start = window.start();
            window.pass(&place, &after, 1);
            place = after;
            starts += u64::from(window.start() != start);
            let items = place.sequence - window.start().sequence;
            let bytes = place.length - window.start().length;
            let is_all = window.start().sequence == 0;
            assert!(is_all || items >= 10_000 && bytes >= BYTES_KEPT);
        }
        assert!(starts > 10);
        assert!(window.marks.len() < 100);
    }
}
