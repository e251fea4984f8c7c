//! A stream of lines, and the stream of their answers.
//!
//! - Memory is flat: a line is read, answered and forgotten. A line longer than [`LONGEST_LINE`] is skipped without
//!   being held.
//! - A bad line changes nothing: the next one is read from its own beginning.
//! - Answers are sent in the order of the lines, at the latest when no further line has arrived, so that a
//!   client may send one line and wait.
//! - Several answerers may share the lines that have arrived. None of them waits for a line that has not.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::sync::Mutex;
use std::thread;

use serde_json::value::RawValue;

use crate::error::{ErrorRecord, RecordCode, RecordError};
use crate::json::write_line;

/// The longest line that is read, in bytes. A request of every field is below 2000.
pub const LONGEST_LINE: usize = 64 * 1024;

/// How much is read, and how much is written, at a time.
const BUFFER: usize = 256 * 1024;

/// The most lines that several answerers share at a time. It bounds what their answers take.
const SHARED: usize = 1024;

/// How many lines an answerer takes at a time.
const TAKEN: usize = 32;

/// How a stream of lines went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Lines that were answered.
    pub answered: u64,
    /// Of these, lines that failed.
    pub failed: u64,
}

impl Summary {
    /// Counts one line, if it was answered.
    fn count(&mut self, succeeded: Option<bool>) {
        self.answered += u64::from(succeeded.is_some());
        self.failed += u64::from(succeeded == Some(false));
    }
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
        self.next_held()
    }

    /// The lines that have arrived, as one text without its last end; nothing at the end. Waits for the first of them. A
    /// line in the text may be too long.
    fn next_arrived(&mut self) -> io::Result<Option<Line<'_>>> {
        self.input.consume(std::mem::take(&mut self.used));
        if let Some(length) = memchr::memrchr(b'\n', self.input.fill_buf()?) {
            self.used = length + 1;
            return Ok(Some(Line::Text(&self.input.buffer()[..length])));
        }
        self.next_held()
    }

    /// The next line, of which the reader's buffer has no more than a part.
    fn next_held(&mut self) -> io::Result<Option<Line<'_>>> {
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
            Some(Line::TooLong) => answer_too_long(&mut out),
        };
        summary.count(answered);
    }
    output.write_all(&out)?;
    output.flush()?;
    Ok(summary)
}

fn answer_too_long(out: &mut Vec<u8>) -> Option<bool> {
    write_line(out, RawValue::NULL, &ErrorRecord::from(&too_long()));
    Some(false)
}

/// Answers every line of a stream as [`answer_lines`] does, by several answerers at once, each on a thread of its own.
/// The answers keep the order of the lines.
///
/// # Errors
///
/// As [`answer_lines`].
///
/// # Panics
///
/// If there is no answerer, or one panics.
pub fn answer_lines_together<A>(
    input: impl Read,
    mut output: impl Write,
    answerers: &mut [A],
) -> io::Result<Summary>
where
    A: FnMut(&[u8], &mut Vec<u8>) -> Option<bool> + Send,
{
    let mut lines = Lines::new(input);
    let mut out = Vec::new();
    let mut summary = Summary::default();
    while let Some(arrived) = lines.next_arrived()? {
        let mut takings = match arrived {
            Line::Text(text) => takings(text),
            Line::TooLong => {
                summary.count(answer_too_long(&mut out));
                Vec::new()
            }
        };
        for shared in takings.chunks_mut(SHARED / TAKEN) {
            share(shared, answerers);
            for Taking { answers, summary: of_these, .. } in shared {
                out.append(answers);
                summary.answered += of_these.answered;
                summary.failed += of_these.failed;
            }
            output.write_all(&out)?;
            out.clear();
        }
        output.write_all(&out)?;
        output.flush()?;
        out.clear();
    }
    Ok(summary)
}

/// Lines that one answerer takes at a time, and their answers.
struct Taking<'t> {
    text: &'t [u8],
    answers: Vec<u8>,
    summary: Summary,
}

impl Taking<'_> {
    fn answer<A>(&mut self, answer_line: &mut A)
    where
        A: FnMut(&[u8], &mut Vec<u8>) -> Option<bool>,
    {
        for line in self.text.split(|&byte| byte == b'\n') {
            self.summary.count(match line.len() > LONGEST_LINE {
                true => answer_too_long(&mut self.answers),
                false => answer_line(line, &mut self.answers),
            });
        }
    }
}

/// The lines of a text, a few at a time.
fn takings(text: &[u8]) -> Vec<Taking<'_>> {
    let ends = memchr::memchr_iter(b'\n', text).skip(TAKEN - 1).step_by(TAKEN);
    let mut begin = 0;
    ends.chain([text.len()])
        .map(|end| &text[std::mem::replace(&mut begin, end + 1)..end])
        .map(|text| Taking { text, answers: Vec::new(), summary: Summary::default() })
        .collect()
}

/// Answers all of these. A single one is answered where it is: no thread is started for it.
fn share<A>(takings: &mut [Taking<'_>], answerers: &mut [A])
where
    A: FnMut(&[u8], &mut Vec<u8>) -> Option<bool> + Send,
{
    let helpers = answerers.len().min(takings.len()).saturating_sub(1);
    let (first, others) = answerers.split_first_mut().expect("there is an answerer");
    let waiting = Mutex::new(takings.iter_mut());
    let next = || waiting.lock().expect("nobody panics while holding it").next();
    let work = |answer_line: &mut A| {
        while let Some(taking) = next() {
            taking.answer(answer_line);
        }
    };
    thread::scope(|scope| {
        for other in &mut others[..helpers] {
            scope.spawn(|| work(other));
        }
        work(first);
    });
}
