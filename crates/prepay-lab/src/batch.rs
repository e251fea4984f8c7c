//! A stream of requests, one a line, and the stream of their answers.
//!
//! - Memory is flat: a line is read, answered and forgotten. A line longer than [`LONGEST_LINE`] is
//!   answered with an error and skipped without being held.
//! - A bad line changes nothing: the next one is read from its own beginning.
//! - Answers leave in the order of the requests, at the latest when no further line has arrived, so that a
//!   client may ask and wait.

use std::io::{self, BufRead, BufReader, Read, Write};

use serde_json::value::RawValue;

use crate::answer::{write_answer, write_error};
use crate::code::{ErrorCode, LabError};
use crate::record::Request;
use crate::run::Lab;

/// The longest line that is read, in bytes. A request of every field is below 2000.
pub const LONGEST_LINE: usize = 64 * 1024;

/// How much is read, and how much is written, at a time.
const BUFFER: usize = 256 * 1024;

/// How a batch went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Lines that were answered.
    pub answered: u64,
    /// Of these, lines that failed.
    pub failed: u64,
}

impl Lab {
    /// Answers one line, without its line end, and says whether it succeeded.
    ///
    /// The answer is appended to `out` with a line end. A blank line has no answer.
    pub fn answer_line(&mut self, line: &[u8], out: &mut Vec<u8>) -> Option<bool> {
        if line.iter().all(u8::is_ascii_whitespace) {
            return None;
        }
        let request = Request::parse(line);
        let id = request.id.unwrap_or(RawValue::NULL);
        match self.answer(&request) {
            Ok(answer) => write_answer(out, id, &answer),
            Err(error) => {
                write_error(out, id, &error);
                return Some(false);
            }
        }
        Some(true)
    }

    /// Answers every line of a stream.
    ///
    /// # Errors
    ///
    /// Those of reading and writing. What was answered until then has been written or is lost with the
    /// stream.
    pub fn answer_stream(&mut self, input: impl Read, output: impl Write) -> io::Result<Summary> {
        answer_lines(input, output, |line, out| self.answer_line(line, out))
    }
}

/// Answers every line of a stream by a function that appends the answer and says whether it succeeded.
pub(crate) fn answer_lines(
    input: impl Read,
    mut output: impl Write,
    mut answer_line: impl FnMut(&[u8], &mut Vec<u8>) -> Option<bool>,
) -> io::Result<Summary> {
    let mut input = BufReader::with_capacity(BUFFER, input);
    let mut out = Vec::with_capacity(BUFFER + LONGEST_LINE);
    let mut held = Vec::new();
    let mut summary = Summary::default();
    loop {
        if out.len() >= BUFFER || memchr::memchr(b'\n', input.buffer()).is_none() {
            output.write_all(&out)?;
            output.flush()?;
            out.clear();
        }
        let line = match next_line(&mut input, &mut held)? {
            Line::End => break,
            Line::Buffered(length) => {
                let answered = answer_line(&input.buffer()[..length], &mut out);
                input.consume(length + 1);
                answered
            }
            Line::Held => answer_line(&held, &mut out),
            Line::TooLong => {
                let message = format!("line too long: expected at most {LONGEST_LINE} bytes");
                let error = LabError::new(ErrorCode::BadJson, message);
                write_error(&mut out, RawValue::NULL, &error);
                Some(false)
            }
        };
        if let Some(succeeded) = line {
            summary.answered += 1;
            summary.failed += u64::from(!succeeded);
        }
    }
    output.write_all(&out)?;
    output.flush()?;
    Ok(summary)
}

/// Where the next line is.
enum Line {
    /// Whole in the reader's buffer, with this length; the caller consumes it and its line end.
    Buffered(usize),
    /// Put together in the caller's vector.
    Held,
    /// Longer than a line may be; it has been skipped.
    TooLong,
    /// There is none.
    End,
}

/// Finds the next line, in the reader's buffer if it is whole there.
fn next_line(input: &mut BufReader<impl Read>, held: &mut Vec<u8>) -> io::Result<Line> {
    if let Some(length) = memchr::memchr(b'\n', input.fill_buf()?) {
        if length > LONGEST_LINE {
            input.consume(length + 1);
            return Ok(Line::TooLong);
        }
        return Ok(Line::Buffered(length));
    }
    held.clear();
    let limit = LONGEST_LINE as u64 + 1;
    input.by_ref().take(limit).read_until(b'\n', held)?;
    if held.is_empty() {
        return Ok(Line::End);
    }
    if held.last() == Some(&b'\n') {
        held.pop();
        return Ok(Line::Held);
    }
    if held.len() <= LONGEST_LINE {
        return Ok(Line::Held); // The last line, without its end.
    }
    input.skip_until(b'\n')?;
    Ok(Line::TooLong)
}
