//! The first part of what is sealed in a store, before the owner's contents.
//!
//! ```text
//!  log key      32 bytes
//!  log header   the entry before the log's first: number, hash
//!  segments     the closed segments of the log, in order (`segment.rs`)
//!  anchor       the position in the log up to which the contents have everything
//!  window       the position from which the log is read at opening
//!  outbox       bytes that belong in the log at the anchor but may not be there yet; the contents already
//!               have their effect
//!  latest time  of an entry, or the one accepted since (`timeline.rs`)
//!  witness      number and place of the witness that the vault must have, if any
//!  people       names, roles, verifiers, failures
//! ```

use super::audit::LogHeader;
use super::record::Position;
use super::secret::Key;
use super::segment::Segment;
use super::user::People;
use super::witness::Named;
use prepay_basics::Moment;
use prepay_basics::codec::{DecodeError, Reader, Writer};

/// What to write before the owner's contents.
pub(super) struct Parts<'a> {
    pub(super) log_key: &'a Key,
    pub(super) log_header: &'a LogHeader,
    pub(super) segments: &'a [Segment],
    pub(super) anchor: Position,
    pub(super) window: Position,
    pub(super) outbox: &'a [u8],
    pub(super) latest: Moment,
    pub(super) witness: Option<&'a Named>,
    pub(super) people: &'a People,
}

/// The part before the owner's contents.
pub(super) struct Body<'a> {
    pub(super) log_key: Key,
    pub(super) log_header: LogHeader,
    pub(super) segments: Vec<Segment>,
    pub(super) anchor: Position,
    pub(super) window: Position,
    pub(super) outbox: &'a [u8],
    pub(super) latest: Moment,
    pub(super) witness: Option<Named>,
    pub(super) people: People,
}

impl Parts<'_> {
    pub(super) fn encode(&self, writer: &mut Writer) {
        writer.array(self.log_key.expose_bytes());
        writer.u64(self.log_header.sequence);
        writer.array(&self.log_header.hash);
        writer.list(self.segments, |writer, segment| segment.encode(writer));
        self.anchor.encode(writer);
        self.window.encode(writer);
        writer.bytes(self.outbox);
        writer.u64(self.latest.unix_seconds());
        writer.option(self.witness, |writer, named| named.encode(writer));
        self.people.encode(writer);
    }
}

impl<'a> Body<'a> {
    /// Reads it, up to the owner's contents.
    pub(super) fn decode(id: [u8; 16], reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let mut log_key = Key::zero();
        log_key.bytes().copy_from_slice(reader.take(32)?);
        let log_header = LogHeader { id, sequence: reader.u64()?, hash: reader.array()? };
        let error = reader.error("segments that follow each other");
        let segments = reader.list(Segment::decode)?;
        let mut end = 0;
        for segment in &segments {
            if segment.before.sequence < end || segment.last.sequence <= segment.before.sequence {
                return Err(error);
            }
            end = segment.last.sequence;
        }
        if log_header.sequence < end {
            return Err(error);
        }
        let error = reader.error("places in the log that follow each other");
        let anchor = Position::decode(reader)?;
        let window = Position::decode(reader)?;
        let outbox = reader.bytes()?;
        let start = log_header.start();
        let rises = |a: &Position, b: &Position| a.sequence <= b.sequence && a.length <= b.length;
        let fits = rises(&start, &window) && rises(&window, &anchor);
        if !fits || anchor.length.checked_add(outbox.len() as u64).is_none() {
            return Err(error);
        }
        let error = reader.error("a moment");
        let latest = Moment::from_unix_seconds(reader.u64()?).ok_or(error)?;
        let witness = reader.option(Named::decode)?;
        let people = People::decode(reader)?;
        Ok(Self { log_key, log_header, segments, anchor, window, outbox, latest, witness, people })
    }
}
