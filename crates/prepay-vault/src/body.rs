//! The first part of what is sealed in a store, before the owner's contents.
//!
//! ```text
//!  log key      32 bytes
//!  log header   the entry before the log's first: number, hash
//!  anchor       the position in the log up to which the contents have everything
//!  window       the position from which the log is read at opening
//!  outbox       bytes that belong in the log at the anchor but may not be there yet; the contents already
//!               have their effect
//!  people       names, roles, verifiers, failures
//! ```

use super::audit::LogHeader;
use super::record::Position;
use super::secret::Key;
use super::user::People;
use prepay_basics::codec::{DecodeError, Reader, Writer};

/// The part before the owner's contents.
pub(super) struct Body<'a> {
    pub(super) log_key: Key,
    pub(super) log_header: LogHeader,
    pub(super) anchor: Position,
    pub(super) window: Position,
    pub(super) outbox: &'a [u8],
    pub(super) people: People,
}

pub(super) fn encode(
    writer: &mut Writer,
    log_key: &Key,
    log_header: &LogHeader,
    people: &People,
    anchor: Position,
    window: Position,
    outbox: &[u8],
) {
    writer.array(log_key.expose_bytes());
    writer.u64(log_header.sequence);
    writer.array(&log_header.hash);
    anchor.encode(writer);
    window.encode(writer);
    writer.bytes(outbox);
    people.encode(writer);
}

impl<'a> Body<'a> {
    /// Reads it, up to the owner's contents.
    pub(super) fn decode(id: [u8; 16], reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let mut log_key = Key::zero();
        log_key.bytes().copy_from_slice(reader.take(32)?);
        let log_header = LogHeader { id, sequence: reader.u64()?, hash: reader.array()? };
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
        let people = People::decode(reader)?;
        Ok(Self { log_key, log_header, anchor, window, outbox, people })
    }
}
