//! The lines of a client that may be slow, silent or hostile, in one buffer that is wiped line by line.

use std::io;
use std::ops::Range;
use std::time::{Duration, Instant};

use prepay_records::lines::LONGEST_LINE;
use zeroize::{Zeroize, Zeroizing};

/// How much is held: always room for a whole line, and for more of what waits.
const BUFFER: usize = 2 * LONGEST_LINE;

/// A connection to a client. Nothing waits longer than its caller says.
pub trait Wire {
    /// Reads some bytes; zero at the end.
    ///
    /// # Errors
    ///
    /// Errors of the connection; [`io::ErrorKind::TimedOut`] if nothing came in time.
    fn read(&self, buffer: &mut [u8], until: Instant) -> io::Result<usize>;

    /// Writes all bytes.
    ///
    /// # Errors
    ///
    /// Errors of the connection; [`io::ErrorKind::TimedOut`] if the client did not take them in time.
    fn write_all(&self, bytes: &[u8], until: Instant) -> io::Result<()>;
}

/// What came from a client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A line, at this place of the buffer.
    Line(Range<usize>),
    /// A line that is too long, and was skipped.
    TooLong,
    /// Nothing.
    Silence,
    /// The beginning of a line, and then nothing for too long.
    Half,
    /// No more.
    End,
}

/// Reads lines.
pub(super) struct LineReader {
    buffer: Zeroizing<Vec<u8>>,
    /// What arrived and was not yet answered.
    held: Range<usize>,
    /// Whether a line that is too long is being skipped.
    skipping: bool,
    /// When the line began of which only a part arrived.
    began: Option<Instant>,
    /// For how long a line may arrive.
    patience: Duration,
}

impl LineReader {
    pub(super) fn new(patience: Duration) -> Self {
        let buffer = Zeroizing::new(vec![0; BUFFER]);
        Self { buffer, held: 0..0, skipping: false, began: None, patience }
    }

    /// The bytes of a line.
    pub(super) fn bytes(&self, line: Range<usize>) -> &[u8] {
        &self.buffer[line]
    }

    /// Wipes a line that was read.
    pub(super) fn wipe(&mut self, line: Range<usize>) {
        self.buffer[line].zeroize();
    }

    /// Whether another whole line has arrived, so that asking for it does not wait.
    pub(super) fn is_waiting(&self) -> bool {
        memchr::memchr(b'\n', &self.buffer[self.held.clone()]).is_some()
    }

    /// The next line. Waits for its beginning until a moment.
    pub(super) fn next(&mut self, wire: &impl Wire, until: Instant) -> io::Result<Next> {
        loop {
            if let Some(length) = memchr::memchr(b'\n', &self.buffer[self.held.clone()]) {
                let line = self.held.start..self.held.start + length;
                self.held.start = line.end + 1;
                self.began = None;
                if std::mem::take(&mut self.skipping) || length > LONGEST_LINE {
                    self.wipe(line);
                    return Ok(Next::TooLong);
                }
                return Ok(Next::Line(line));
            }
            if self.held.len() > LONGEST_LINE {
                self.wipe(self.held.clone());
                self.held = 0..0;
                self.skipping = true;
            }
            if self.held.end == BUFFER || self.held.is_empty() {
                // Everything before was wiped when it was read.
                self.buffer.copy_within(self.held.clone(), 0);
                let length = self.held.len();
                self.buffer[length.max(self.held.start)..self.held.end].zeroize();
                self.held = 0..length;
            }
            let is_half = !self.held.is_empty() || self.skipping;
            let until = match self.began {
                Some(began) if is_half => began + self.patience,
                _ => until,
            };
            match wire.read(&mut self.buffer[self.held.end..], until) {
                Ok(0) if self.skipping => {
                    self.wipe(self.held.clone());
                    (self.held, self.skipping) = (0..0, false);
                    return Ok(Next::TooLong);
                }
                Ok(0) if self.held.is_empty() => return Ok(Next::End),
                Ok(0) => return Ok(Next::Line(std::mem::replace(&mut self.held, 0..0))),
                Ok(count) => {
                    self.held.end += count;
                    self.began.get_or_insert_with(Instant::now);
                }
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                    return Ok(if is_half { Next::Half } else { Next::Silence });
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// Gives pieces one after another, then nothing in time, then its end.
    struct Pieces(RefCell<Vec<Option<Vec<u8>>>>);

    impl Wire for Pieces {
        fn read(&self, buffer: &mut [u8], _: Instant) -> io::Result<usize> {
            let mut pieces = self.0.borrow_mut();
            match pieces.pop() {
                None => Ok(0),
                Some(None) => Err(io::ErrorKind::TimedOut.into()),
                Some(Some(mut piece)) => {
                    let count = piece.len().min(buffer.len());
                    buffer[..count].copy_from_slice(&piece[..count]);
                    piece.drain(..count);
                    if !piece.is_empty() {
                        pieces.push(Some(piece));
                    }
                    Ok(count)
                }
            }
        }

        fn write_all(&self, _: &[u8], _: Instant) -> io::Result<()> {
            Ok(())
        }
    }

    fn read(pieces: &[Option<&[u8]>]) -> (Vec<String>, LineReader) {
        let pieces = pieces.iter().rev().map(|piece| piece.map(<[u8]>::to_vec)).collect();
        let wire = Pieces(RefCell::new(pieces));
        let mut reader = LineReader::new(Duration::from_secs(1));
        let mut found = Vec::new();
        loop {
            match reader.next(&wire, Instant::now()).unwrap() {
                Next::Line(line) => {
                    found.push(String::from_utf8(reader.bytes(line.clone()).to_vec()).unwrap());
                    reader.wipe(line);
                }
                Next::End => return (found, reader),
                other => found.push(format!("{other:?}")),
            }
        }
    }

    #[test]
    fn lines_come_whole_however_they_arrive_and_leave_nothing_behind() {
        let half = vec![b'h'; LONGEST_LINE];
        let long = vec![b'x'; 3 * LONGEST_LINE];
        let (found, reader) = read(&[
            Some(b"one\ntw"),
            None,
            Some(b"o\n"),
            None,
            Some(&half),
            Some(b"\n"),
            Some(&long),
            Some(b"\nthree\n\nlast"),
        ]);
        let half = String::from_utf8(half).unwrap();
        assert_eq!(found, ["one", "Half", "two", "Silence", &half, "TooLong", "three", "", "last"]);
        assert!(reader.buffer.iter().all(|byte| [0, b'\n'].contains(byte)));
        assert_eq!(read(&[Some(&long)]).0, ["TooLong"]);
    }
}
