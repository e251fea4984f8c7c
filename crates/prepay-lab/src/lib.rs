//! The laboratory: issues, reads and explains STS tokens under raw **test** keys, one JSON object per line.
//!
//! This crate adds to [`prepay_records`] what needs a raw key. The rules of the standard are in [`prepay_token`], not
//! here.
//!
//! ```
//! let mut answers = Vec::new();
//! let request = br#"{"id":1,"op":"open","number":"0000 0000 0001 5099 7584"}"#;
//! let succeeded = prepay_lab::Lab::default().answer_line(request, &mut answers);
//! assert_eq!(succeeded, Some(true));
//! assert_eq!(
//!     String::from_utf8(answers).unwrap(),
//!     "{\"id\":1,\"class\":1,\"sub_class\":0,\
//!      \"token\":{\"type\":\"test\",\"control\":\"1\",\"mfr_code\":\"00\"},\"crc\":2640}\n"
//! );
//! ```
//!
//! # Map
//!
//! - [`Request`]: the shape of a line. [`Issue`], [`Open`], [`Derive`], [`KeyChange`]: what it asks for, as typed values.
//! - [`Answer`]: the answer.
//! - [`Lab::answer_line`] and [`Lab::answer_stream`]: text in, text out, in constant memory.
//! - [`KeyLists`]: which of many keys opens the tokens of a meter. [`Explanation`]: every step of one. [`Reading`]: how
//!   plausible it is. [`Repair`]: what a mistyped one perhaps was.
//! - [`MeterNumber`]: the parts and check digits of a meter number.
//! - [`meter`]: virtual meters, also driven by lines of JSON.
//!
//! Never use production keys here: a key management centre makes them, and security modules hold them.

mod answer;
mod explanation;
mod hex;
mod key;
pub mod meter;
mod meter_number;
mod operation;
mod reading;
mod repair;
mod request;
mod search;
mod section;

use std::io::{self, Read, Write};
use std::num::NonZeroUsize;

use prepay_records::ErrorRecord;
use prepay_records::json::write_line;
use prepay_records::lines::{Summary, answer_lines_together, is_blank};
use serde_json::value::RawValue;

pub use answer::{Answer, Derived, Issued, KeyChanged, Opened};
pub use explanation::{Explained, Explanation, RepairAnswer, advice};
pub use key::{KeyAttributes, ResolvedKey, show_test_key};
pub use meter_number::{MeterNumber, MeterNumberParts, MeterNumberProposal};
pub use operation::{Derive, Issue, KeyChange, Lab, Open};
pub use reading::{Reading, Sale};
pub use repair::{Repair, Slip, slips};
pub use request::{KeyRecord, KeySource, Operation, Request};
pub use search::{Candidate, Found, KeyLists, List, Tried};

impl Lab {
    /// Answers one line, without its line end, and says whether it succeeded.
    ///
    /// The answer is appended to `out` with a line end. A blank line has no answer.
    pub fn answer_line(&mut self, line: &[u8], out: &mut Vec<u8>) -> Option<bool> {
        if is_blank(line) {
            return None;
        }
        let request = Request::read_line(line);
        let id = request.id.unwrap_or(RawValue::NULL);
        let answered = self.answer(&request);
        match &answered {
            Ok(answer) => answer::write_answer(out, id, answer),
            Err(error) => write_line(out, id, &ErrorRecord::from(error)),
        }
        Some(answered.is_ok())
    }

    /// Answers every line of a stream, on so many threads. The answers keep the order of the lines, and none waits for a
    /// line that has not arrived.
    ///
    /// # Errors
    ///
    /// Errors of reading and writing the stream. Earlier answers have been written, or are lost with the stream.
    pub fn answer_stream(
        threads: NonZeroUsize,
        input: impl Read,
        output: impl Write,
    ) -> io::Result<Summary> {
        let lab = |()| {
            let mut lab = Self::default();
            move |line: &[u8], out: &mut Vec<u8>| lab.answer_line(line, out)
        };
        let mut labs: Vec<_> = std::iter::repeat_n((), threads.get()).map(lab).collect();
        answer_lines_together(input, output, &mut labs)
    }
}
