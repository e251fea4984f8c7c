//! An entry of the audit log as bytes, and how it is chained to the one before.
//!
//! ```text
//!  length u32 | sequence u64 | seconds u64 | kind u16 | people | fields | mac 16 | hash 32
//!  `----------------------------- body -----------------------------'
//!
//!  digest = SHA-256(hash of the entry before | body)
//!  mac    = first 16 bytes of HMAC-SHA-256(log key, digest)
//!  hash   = SHA-256(digest | mac)
//! ```
//!
//! Anyone can verify the chain of hashes, which shows every change. Those who can unlock the vault can verify the MAC,
//! which shows that the vault itself wrote the entry. The length is that of the whole entry. Sequence numbers rise by
//! one.
//!
//! - Form: `docs/formats/audit-log.md`.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::secret::Key;
use super::{At, AuditMark, Entries, Entry};
use prepay_basics::codec::{DecodeError, Reader, Writer};
use prepay_basics::{Identifier, Moment};

/// One entry of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record<E> {
    /// Its number; the first is 1.
    pub sequence: u64,
    /// When, by the vault's clock.
    pub moment: Moment,
    /// Who did it: one person, two, or nobody (the vault itself).
    pub actors: Vec<Identifier>,
    /// What happened.
    pub entry: Entry<E>,
    /// Its hash, which depends on all entries before it.
    pub hash: [u8; 32],
}

impl<E> Record<E> {
    /// Its number and hash, to note elsewhere.
    pub const fn mark(&self) -> AuditMark {
        AuditMark { sequence: self.sequence, hash: self.hash }
    }

    /// Which entry it is, and when it was written.
    pub const fn at(&self) -> At {
        At { sequence: self.sequence, moment: self.moment }
    }
}

/// The first wrong entry of an audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadEntry {
    /// The number of the entry that should be there.
    pub sequence: u64,
    /// Where in the log, or in a segment of it, it should start, in bytes.
    pub offset: u64,
    /// The closed segment where it should be; nothing for the log that is written.
    pub segment: Option<String>,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// There is no log.
    NoLog,
    /// The log has the header of another vault.
    Header,
    /// No entry can have this length.
    Length {
        /// The length found.
        found: u32,
    },
    /// The log ends within the entry.
    Torn,
    /// Another entry is in its place: one is missing, repeated or out of order.
    Sequence {
        /// The number of the entry found.
        found: u64,
    },
    /// The entry or the one before it was changed.
    Changed,
    /// The entry fits the chain, but the vault did not write it.
    Forged,
    /// The entry is unchanged, but cannot be read.
    Form(DecodeError),
    /// The log ends before this entry, although it was acknowledged.
    Missing,
    /// The entry before this one is not the one in the head or the store.
    OtherChain,
    /// The record of where the log ends is missing or damaged.
    Head,
    /// The log starts after this entry, which is in an archived segment or in the log of the vault that was backed up.
    Earlier,
    /// The entry is in a segment that is archived and was not given.
    Elsewhere,
    /// The segment should be here and is not.
    NoSegment,
    /// The segment goes on after the entry that should be its last one.
    TooLong,
}

/// A position in the log, after an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    /// The number of the entry before.
    pub(super) sequence: u64,
    /// How many bytes come before.
    pub(super) length: u64,
    /// The hash of the entry before.
    pub(super) hash: [u8; 32],
}

impl Position {
    pub(super) fn encode(&self, writer: &mut Writer) {
        writer.u64(self.sequence);
        writer.u64(self.length);
        writer.array(&self.hash);
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { sequence: reader.u64()?, length: reader.u64()?, hash: reader.array()? })
    }

    pub(super) fn bad(&self, problem: Problem) -> BadEntry {
        let (sequence, offset) = (self.sequence.saturating_add(1), self.length);
        BadEntry { sequence, offset, segment: None, problem }
    }
}

/// The key of the log, ready to use.
#[derive(Clone)]
pub(super) struct LogMac(Box<Hmac<Sha256>>);

impl LogMac {
    pub(super) fn new(key: &Key) -> Self {
        let mac = Hmac::new_from_slice(key.expose_bytes()).expect("any length is a key");
        Self(Box::new(mac))
    }

    pub(super) fn sign(&self, bytes: &[u8]) -> [u8; 32] {
        let mut mac = (*self.0).clone();
        mac.update(bytes);
        mac.finalize().into_bytes().into()
    }

    fn short(&self, digest: &[u8; 32]) -> [u8; 16] {
        *self.sign(digest).first_chunk().expect("32 bytes begin with 16")
    }
}

/// The longest entry, in bytes.
pub(super) const LONGEST: usize = 4 << 20;

const BEGINNING: usize = 4 + 8 + 8 + 2;
const MAC: usize = 16;
const SEAL: usize = MAC + 32;
/// The shortest entry: no people, no fields.
const SHORTEST: usize = BEGINNING + 1 + SEAL;

/// Appends an entry to bytes. Returns the position after it.
///
/// An entry that is too large is not appended.
pub(super) fn write(
    bytes: &mut Vec<u8>,
    before: &Position,
    moment: Moment,
    actors: &[&Identifier],
    entry: &impl Entries,
    mac: &LogMac,
) -> Option<Position> {
    let start = bytes.len();
    let sequence = before.sequence + 1;
    let mut writer = Writer::from(std::mem::take(bytes));
    writer.u32(0); // The length is filled in later.
    writer.u64(sequence);
    writer.u64(moment.unix_seconds());
    writer.u16(entry.kind());
    writer.u8(actors.len() as u8);
    actors.iter().for_each(|actor| writer.text(actor.as_str()));
    entry.encode(&mut writer);
    *bytes = writer.into_plain();
    let length = bytes.len() - start + SEAL;
    if length > LONGEST {
        bytes.truncate(start);
        return None;
    }
    bytes[start..start + 4].copy_from_slice(&(length as u32).to_be_bytes());
    let digest = digest(&before.hash, &bytes[start..]);
    let mac = mac.short(&digest);
    let hash = seal(&digest, &mac);
    bytes.extend_from_slice(&mac);
    bytes.extend_from_slice(&hash);
    Some(Position { sequence, length: before.length + length as u64, hash })
}

fn digest(before: &[u8; 32], body: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(before).chain_update(body).finalize().into()
}

fn seal(digest: &[u8; 32], mac: &[u8; MAC]) -> [u8; 32] {
    Sha256::new().chain_update(digest).chain_update(mac).finalize().into()
}

/// Whether an entry can have this length.
pub(super) fn length_fits(length: u32) -> bool {
    (SHORTEST..=LONGEST).contains(&(length as usize))
}

/// The hash of an entry that follows `before`, if the vault wrote it. What is there of its hash does not count.
pub(super) fn hash_of(bytes: &[u8], before: &Position, mac: &LogMac) -> Option<[u8; 32]> {
    let (body, sealed) = bytes.split_last_chunk::<SEAL>()?;
    let digest = digest(&before.hash, body);
    let found: &[u8; MAC] = sealed.first_chunk()?;
    bool::from(mac.short(&digest).ct_eq(found)).then(|| seal(&digest, found))
}

/// Whether the vault wrote this entry after `before`, and it is unchanged.
pub(super) fn is_right(bytes: &[u8], before: &Position, mac: &LogMac) -> bool {
    hash_of(bytes, before, mac).is_some_and(|hash| bytes.ends_with(&hash))
}

/// Reads an entry that has the length it states and follows `before`.
pub(super) fn read<E: Entries>(
    bytes: &[u8],
    before: &Position,
    mac: Option<&LogMac>,
) -> Result<(Record<E>, Position), Problem> {
    let (body, sealed) = bytes.split_last_chunk::<SEAL>().ok_or(Problem::Torn)?;
    let (found_mac, found_hash) = sealed.split_at(MAC);
    let mut reader = Reader::new(body);
    let head = |reader: &mut Reader<'_>| Ok((reader.u32()?, reader.u64()?));
    let (_, sequence) = head(&mut reader).map_err(Problem::Form)?;
    if before.sequence.checked_add(1) != Some(sequence) {
        return Err(Problem::Sequence { found: sequence });
    }
    let digest = digest(&before.hash, body);
    let found_mac: &[u8; MAC] = found_mac.try_into().map_err(|_| Problem::Torn)?;
    let hash = seal(&digest, found_mac);
    if hash != *found_hash {
        return Err(Problem::Changed);
    }
    if mac.is_some_and(|mac| !bool::from(mac.short(&digest).ct_eq(found_mac))) {
        return Err(Problem::Forged);
    }
    let record = fields(sequence, hash, &mut reader).map_err(Problem::Form)?;
    reader.finish().map_err(Problem::Form)?;
    Ok((record, Position { sequence, length: before.length + bytes.len() as u64, hash }))
}

fn fields<E: Entries>(
    sequence: u64,
    hash: [u8; 32],
    reader: &mut Reader<'_>,
) -> Result<Record<E>, DecodeError> {
    let error = reader.error("a moment");
    let moment = Moment::from_unix_seconds(reader.u64()?).ok_or(error)?;
    let kind = reader.u16()?;
    let error = reader.error("at most two people");
    let count = reader.u8()?;
    if count > 2 {
        return Err(error);
    }
    let actors = (0..count).map(|_| reader.parse("a person")).collect::<Result<_, _>>()?;
    let entry = Entry::decode(kind, reader)?;
    Ok(Record { sequence, moment, actors, entry, hash })
}

impl fmt::Display for BadEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sequence, offset, segment, problem } = self;
        match (segment, problem) {
            (_, Problem::NoLog) => problem.fmt(f),
            (None, Problem::Elsewhere) => {
                write!(f, "entry {sequence} of the audit log: {problem}")
            }
            (None, _) => {
                write!(f, "entry {sequence} of the audit log, at byte {offset}: {problem}")
            }
            (Some(segment), _) => write!(
                f,
                "entry {sequence} of the audit log, at byte {offset} of its segment {segment}: {problem}"
            ),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLog => f.write_str("the audit log is missing or empty"),
            Self::Header => f.write_str("the header is not that of this vault's log"),
            Self::Length { found } => write!(f, "no entry can be {found} bytes long"),
            Self::Torn => f.write_str("the log ends within it"),
            Self::Sequence { found } => write!(f, "entry {found} is in its place"),
            Self::Changed => f.write_str("it was changed"),
            Self::Forged => f.write_str("it was not written by this vault"),
            Self::Form(error) => error.fmt(f),
            Self::Missing => f.write_str("it is missing"),
            Self::OtherChain => f.write_str("the entry before it is not the one recorded"),
            Self::Head => f.write_str("the record of where the log ends is missing or damaged"),
            Self::Earlier => f.write_str(
                "this log begins behind it: look in an archived segment, or in the log of the vault that was backed up",
            ),
            Self::Elsewhere => f.write_str("it is in an archived segment, which is not here"),
            Self::NoSegment => f.write_str("the segment is missing, and was not archived"),
            Self::TooLong => f.write_str("the segment should have ended before it"),
        }
    }
}

impl std::error::Error for BadEntry {}
