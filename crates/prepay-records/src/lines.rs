//! A stream of lines, and the stream of their answers.
//!
//! - Memory is flat: a line is read, answered and forgotten. A line longer than [`LONGEST_LINE`] is skipped without
//!   being held.
//! - A bad line changes nothing: the next one is read from its own beginning.
//! - Answers are sent in the order of the lines, at the latest when no further line has arrived, so that a
//!   client may send one line and wait.

use std::io::{self, BufRead, BufReader, Read, Write};

use serde_json::value::RawValue;

use crate::error::{ErrorRecord, RecordCode, RecordError};
use crate::json::write_line;

/// The longest line that is read, in bytes. A request of every field is below 2000.
pub const LONGEST_LINE: usize = 64 * 1024;

/// How much is read, and how much is written, at a time.
const BUFFER: usize = 256 * 1024;

/// How a stream of lines went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Lines that were answered.
    pub answered: u64,
    /// Of these, lines that failed.
    pub failed: u64,
}

/// The lines of a stream.
pub struct Lines<R> {
    input: BufReader<R>,
    /// A line that was not whole in the reader's buffer.
    held: Vec<u8>,
    /// How much of the reader's buffer the line before takes.
    used: usize,
}

/// One line, without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// Its bytes.
    Text(&'a [u8]),
    /// It is longer than [`LONGEST_LINE`] and has been skipped.
    TooLong,
}

impl<R: Read> Lines<R> {
    /// The lines of this stream.
    pub fn new(input: R) -> Self {
        Self { input: BufReader::with_capacity(BUFFER, input), held: Vec::new(), used: 0 }
    }

    /// Whether another whole line has arrived, so that asking for it does not wait.
    pub fn is_waiting(&self) -> bool {
        memchr::memchr(b'\n', &self.input.buffer()[self.used..]).is_some()
    }

    /// The next line; nothing at the end. Waits for it.
    ///
    /// # Errors
    ///
    /// Those of reading.
    // It borrows from the reader, so it cannot be an iterator's.
    #[expect(clippy::should_implement_trait, reason = "a line borrows from the reader")]
    pub fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.input.consume(std::mem::take(&mut self.used));
        if let Some(length) = memchr::memchr(b'\n', self.input.fill_buf()?) {
            self.used = length + 1;
            let is_too_long = length > LONGEST_LINE;
            return Ok(Some(match is_too_long {
                true => Line::TooLong,
                false => Line::Text(&self.input.buffer()[..length]),
            }));
        }
        self.held.clear();
        let limit = LONGEST_LINE as u64 + 1;
        self.input.by_ref().take(limit).read_until(b'\n', &mut self.held)?;
        if self.held.is_empty() {
            return Ok(None);
        }
        if self.held.last() == Some(&b'\n') {
            self.held.pop();
        } else if self.held.len() > LONGEST_LINE {
            self.input.skip_until(b'\n')?;
            return Ok(Some(Line::TooLong));
        }
        Ok(Some(Line::Text(&self.held)))
    }
}

/// Whether there is nothing in a line, so that it has no answer.
pub fn is_blank(line: &[u8]) -> bool {
    line.iter().all(u8::is_ascii_whitespace)
}

/// The error of a line that is too long.
pub fn too_long() -> RecordError {
    let message = format!("line too long: expected at most {LONGEST_LINE} bytes");
    RecordError::new(RecordCode::BadJson, message)
}

/// Answers every line of a stream by a function that appends the answer and says whether it succeeded.
///
/// # Errors
///
/// Those of reading and writing. What was answered until then has been written or is lost with the stream.
pub fn answer_lines(
    input: impl Read,
    mut output: impl Write,
    mut answer_line: impl FnMut(&[u8], &mut Vec<u8>) -> Option<bool>,
) -> io::Result<Summary> {
    let mut lines = Lines::new(input);
    let mut out = Vec::with_capacity(BUFFER + LONGEST_LINE);
    let mut summary = Summary::default();
    loop {
        if out.len() >= BUFFER || !lines.is_waiting() {
            output.write_all(&out)?;
            output.flush()?;
            out.clear();
        }
        let answered = match lines.next()? {
            None => break,
            Some(Line::Text(line)) => answer_line(line, &mut out),
            Some(Line::TooLong) => {
                write_line(&mut out, RawValue::NULL, &ErrorRecord::from(&too_long()));
                Some(false)
            }
        };
        if let Some(succeeded) = answered {
            summary.answered += 1;
            summary.failed += u64::from(!succeeded);
        }
    }
    output.write_all(&out)?;
    output.flush()?;
    Ok(summary)
}
