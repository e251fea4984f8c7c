//! A stream of lines, and the stream of their answers.
//!
//! - Memory is flat: a line is read, answered and forgotten. A line longer than [`LONGEST_LINE`] is skipped without
//!   being held.
//! - A bad line changes nothing: the next one is read from its own beginning.
//! - Answers are sent in the order of the lines, at the latest when no further line has arrived, so that a
//!   client may send one line and wait.
//! - Several answerers may share the lines that have arrived. None of them waits for a line that has not.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, Scope};

use serde_json::value::RawValue;

use crate::error::{ErrorRecord, RecordCode, RecordError};
use crate::json::write_line;

/// The longest line that is read, in bytes. A request of every field is below 2000.
pub const LONGEST_LINE: usize = 64 * 1024;

/// How much is read, and how much is written, at a time.
const BUFFER: usize = 256 * 1024;

/// How much is read at a time for several answerers. The more, the seldomer they wait for each other.
const TOGETHER: usize = 1024 * 1024;

/// How many lines an answerer takes at a time.
const TAKEN: usize = 64;

/// How many takings may wait for their turn, for each helper. It bounds what their answers take.
const MOST_WAITING: usize = 16;

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
        Self::with_capacity(BUFFER, input)
    }

    fn with_capacity(capacity: usize, input: R) -> Self {
        Self { input: BufReader::with_capacity(capacity, input), held: Vec::new(), used: 0 }
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
    let (first, others) = answerers.split_first_mut().expect("there is an answerer");
    let mut lines = Lines::with_capacity(TOGETHER, input);
    let mut out = Vec::new();
    let mut summary = Summary::default();
    thread::scope(|scope| {
        let helpers: Vec<_> = others.iter_mut().map(|other| Helper::start(scope, other)).collect();
        while let Some(arrived) = lines.next_arrived()? {
            let text = match arrived {
                Line::Text(text) => text,
                Line::TooLong => {
                    summary.count(answer_too_long(&mut out));
                    &[]
                }
            };
            let mut shared = Shared { helpers: &helpers, waiting: VecDeque::new(), given: 0 };
            for text in takings(text) {
                // The first lines stay here, so a single request crosses no thread.
                shared.put(Taking::new(text), first);
                if shared.waiting.len() > MOST_WAITING * helpers.len() {
                    shared.next(&mut out, &mut summary);
                }
                if out.len() >= BUFFER {
                    output.write_all(&out)?;
                    out.clear();
                }
            }
            while shared.next(&mut out, &mut summary) {}
            output.write_all(&out)?;
            output.flush()?;
            out.clear();
        }
        Ok(summary)
    })
}

/// Lines that were given out, in order.
struct Shared<'h> {
    helpers: &'h [Helper],
    /// Lines that were answered here, or the helper that answers them.
    waiting: VecDeque<Result<Taking, &'h Helper>>,
    given: usize,
}

impl Shared<'_> {
    /// Gives lines to the answerer whose turn it is; the first answers here.
    fn put(
        &mut self,
        mut taking: Taking,
        first: &mut impl FnMut(&[u8], &mut Vec<u8>) -> Option<bool>,
    ) {
        let turn = self.given % (self.helpers.len() + 1);
        self.given += 1;
        self.waiting.push_back(match turn.checked_sub(1) {
            None => {
                taking.answer(first);
                Ok(taking)
            }
            Some(turn) => {
                self.helpers[turn].give(taking);
                Err(&self.helpers[turn])
            }
        });
    }

    /// Takes the oldest answers; waits for them. Nothing is left if there are none.
    fn next(&mut self, out: &mut Vec<u8>, summary: &mut Summary) -> bool {
        let Some(waiting) = self.waiting.pop_front() else { return false };
        let mut taking = waiting.unwrap_or_else(Helper::take);
        out.append(&mut taking.answers);
        summary.answered += taking.summary.answered;
        summary.failed += taking.summary.failed;
        true
    }
}

/// Lines that one answerer takes at a time, and their answers.
struct Taking {
    text: Vec<u8>,
    answers: Vec<u8>,
    summary: Summary,
}

impl Taking {
    fn new(text: &[u8]) -> Self {
        Self {
            text: text.to_owned(),
            answers: Vec::with_capacity(text.len()),
            summary: Summary::default(),
        }
    }

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

/// An answerer on a thread of its own, which gives back what it is given, in order.
struct Helper {
    to: Sender<Taking>,
    from: Receiver<Taking>,
}

impl Helper {
    fn start<'scope, A>(scope: &'scope Scope<'scope, '_>, answer_line: &'scope mut A) -> Self
    where
        A: FnMut(&[u8], &mut Vec<u8>) -> Option<bool> + Send,
    {
        let (to, given) = channel::<Taking>();
        let (answered, from) = channel();
        scope.spawn(move || {
            for mut taking in given {
                taking.answer(answer_line);
                if answered.send(taking).is_err() {
                    break; // The stream broke, so nobody wants it.
                }
            }
        });
        Self { to, from }
    }

    fn give(&self, taking: Taking) {
        self.to.send(taking).expect("an answerer does not panic");
    }

    fn take(&self) -> Taking {
        self.from.recv().expect("an answerer does not panic")
    }
}

/// The lines of a text, a few at a time; of no text none.
fn takings(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = memchr::memchr_iter(b'\n', text).skip(TAKEN - 1).step_by(TAKEN);
    let mut begin = 0;
    let ends = ends.chain((!text.is_empty()).then_some(text.len()));
    ends.filter_map(move |end| text.get(std::mem::replace(&mut begin, end + 1)..end))
}
