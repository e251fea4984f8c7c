//! Which part of the log is read at every opening: what lies behind the store, and so much before it that
//! the last items are seen again.
//!
//! Places are noted now and then while entries pass; the oldest that is still needed is where reading begins.

use std::collections::VecDeque;

use super::record::Position;

/// How many items, or bytes, lie between two places.
const ITEMS_BETWEEN: u64 = 4096;
const BYTES_BETWEEN: u64 = 256 * 1024;

/// How many bytes are read again at least.
const BYTES_KEPT: u64 = 4 << 20;

/// The part of the log that is read at every opening.
pub(super) struct Window {
    /// Places, and how many items had passed before each. Never empty.
    marks: VecDeque<(Position, u64)>,
    items: u64,
    items_kept: u64,
    items_at_snapshot: u64,
}

impl Window {
    /// Begins at a place, and keeps at least so many items.
    pub(super) fn new(start: Position, items_kept: u64) -> Self {
        Self { marks: VecDeque::from([(start, 0)]), items: 0, items_kept, items_at_snapshot: 0 }
    }

    /// An entry passes, from one place to the next, with so many items.
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

    /// Where reading begins.
    pub(super) fn start(&self) -> Position {
        self.marks[0].0
    }

    /// The last noted place before an entry.
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
