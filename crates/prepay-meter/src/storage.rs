//! Storing the state: two slots, of which the newest whole record counts.
//!
//! ```text
//!  commit   erase(other slot) ─ write(body) … write(body) ─ write(header) ─ write(header again)
//!                                                                        │
//!           until here the old record counts ────────────────────────────┘ from here the new one
//! ```
//!
//! A record is written to the slot that does not hold the current one, its header after the body and then once more.
//! Whenever power fails, one whole record is left: the old one or the new one, never a mixture.
//!
//! | header | repetition | means | the record |
//! |---|---|---|---|
//! | sound | sound | written to the end | counts |
//! | sound | not | power or the medium failed in the repetition, or it is damaged | counts; loading stores it again |
//! | not | sound | written to the end, damaged since | if it is the newer one, loading fails |
//! | not | not | power failed before the header was whole | does not count |
//!
//! If the newest record cannot be used (its header or body is damaged, newer firmware wrote it), loading fails instead
//! of using the older record, which may not know of a token that has given its credit. One wrong bit, wherever it is,
//! never brings the older record back. Two wrong bits can: one in the header and one in its repetition.
//!
//! - Source: this project's own.

use core::fmt;

use zeroize::Zeroizing;

use crate::record::{BODY_START, Checksum, HEADER_LENGTH, Header, ReadError, RecordError};
use crate::state::MeterState;

/// The most bytes in one write of a body.
const CHUNK: usize = 64;

/// One of the two places for a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The first.
    A,
    /// The second.
    B,
}

/// The medium on which a meter keeps its state.
///
/// Writes must reach the medium in order. A write that fails, or that loss of power interrupts, may have
/// written any part of its bytes, but must not touch others. The record holds the key of the meter, so the
/// medium must be inside the protected boundary.
///
/// A slot has room for [`Meter::RECORD_LENGTH`](crate::Meter::RECORD_LENGTH) bytes.
pub trait Storage {
    /// What may go wrong.
    type Fault;

    /// Erases a slot: afterwards every byte reads 00 or every byte reads FF. On a medium that is written byte
    /// by byte it is enough to erase the first forty.
    ///
    /// # Errors
    ///
    /// The fault of the medium.
    fn erase(&mut self, slot: Slot) -> Result<(), Self::Fault>;

    /// Writes bytes into a slot that was erased. No byte is written twice between two erasures.
    ///
    /// # Errors
    ///
    /// The fault of the medium.
    fn write(&mut self, slot: Slot, offset: usize, bytes: &[u8]) -> Result<(), Self::Fault>;

    /// Reads bytes from a slot. Bytes that were never written read as erased.
    ///
    /// # Errors
    ///
    /// The fault of the medium.
    fn read(&mut self, slot: Slot, offset: usize, bytes: &mut [u8]) -> Result<(), Self::Fault>;
}

/// Why no state was loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadError<F> {
    /// The medium could not be read.
    Medium(F),
    /// Neither slot holds a record: the meter was never made, or its storage is lost.
    NoRecord {
        /// What is wrong with the first slot.
        a: RecordError,
        /// What is wrong with the second.
        b: RecordError,
    },
    /// The newest record cannot be used. A person must decide what to do with the meter.
    Newest {
        /// Its slot.
        slot: Slot,
        /// What is wrong with it.
        error: RecordError,
    },
    /// The state was read, but does not suit the meter's profile.
    Profile(crate::profile::ProfileError),
}

/// Where the current record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    slot: Slot,
    sequence: u32,
}

/// The newest record.
pub(crate) struct Loaded<const T: usize, const F: usize, const C: usize> {
    pub(crate) place: Place,
    pub(crate) state: MeterState<T, F, C>,
    /// Whether the repetition of its header is sound.
    pub(crate) is_repeated: bool,
}

/// What the two headers of a record say, at least one of which is sound.
struct Headers {
    header: Header,
    is_first_sound: bool,
    is_repeated: bool,
}

impl Place {
    /// Before the first record.
    pub(crate) const BLANK: Self = Self { slot: Slot::B, sequence: 0 };

    /// Writes a record into the other slot. Returns its place.
    pub(crate) fn commit<S: Storage, const T: usize, const F: usize, const C: usize>(
        self,
        state: &MeterState<T, F, C>,
        storage: &mut S,
    ) -> Result<Self, S::Fault> {
        let next = Self { slot: self.slot.other(), sequence: self.sequence.wrapping_add(1) };
        storage.erase(next.slot)?;
        let mut chunk = Zeroizing::new([0; CHUNK]);
        let (mut filled, mut offset) = (0, BODY_START);
        let mut checksum = Checksum::new();
        state.expose_encoded(|mut bytes| {
            checksum.update(bytes);
            while !bytes.is_empty() {
                let length = bytes.len().min(CHUNK - filled);
                let (head, tail) = bytes.split_at(length);
                chunk[filled..filled + length].copy_from_slice(head);
                (filled, bytes) = (filled + length, tail);
                if filled == CHUNK {
                    storage.write(next.slot, offset, &*chunk)?;
                    (filled, offset) = (0, offset + CHUNK);
                }
            }
            Ok(())
        })?;
        if filled > 0 {
            storage.write(next.slot, offset, &chunk[..filled])?;
        }
        let length = MeterState::<T, F, C>::BODY_LENGTH;
        let header = Header::new(length, next.sequence, checksum.finish()).encode();
        storage.write(next.slot, 0, &header)?;
        // The record counts already. A fault here costs the repetition only, until the state is stored once more.
        let _ = storage.write(next.slot, HEADER_LENGTH, &header);
        Ok(next)
    }

    /// Reads the newest record.
    pub(crate) fn load<S: Storage, const T: usize, const F: usize, const C: usize>(
        storage: &mut S,
    ) -> Result<Loaded<T, F, C>, LoadError<S::Fault>> {
        let a = read_headers(storage, Slot::A)?;
        let b = read_headers(storage, Slot::B)?;
        let (slot, Headers { header, is_first_sound, is_repeated }) = match (a, b) {
            (Err(a), Err(b)) => return Err(LoadError::NoRecord { a, b }),
            (Ok(a), Err(_)) => (Slot::A, a),
            (Err(_), Ok(b)) => (Slot::B, b),
            (Ok(a), Ok(b)) if is_newer(a.header.sequence, b.header.sequence) => (Slot::A, a),
            (Ok(_), Ok(b)) => (Slot::B, b),
        };
        if !is_first_sound {
            return Err(LoadError::Newest { slot, error: RecordError::HeaderDamaged });
        }
        match read_body(storage, slot, &header) {
            Ok(state) => {
                Ok(Loaded { place: Self { slot, sequence: header.sequence }, state, is_repeated })
            }
            Err(ReadError::Medium(fault)) => Err(LoadError::Medium(fault)),
            Err(ReadError::Record(error)) => Err(LoadError::Newest { slot, error }),
        }
    }
}

impl Slot {
    /// The other one.
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// Whether `a` comes after `b`, across the end of the numbers too.
const fn is_newer(a: u32, b: u32) -> bool {
    a.wrapping_sub(b) < 1 << 31
}

/// The header of a slot, or what is wrong with it if its repetition is not sound either.
fn read_headers<S: Storage>(
    storage: &mut S,
    slot: Slot,
) -> Result<Result<Headers, RecordError>, LoadError<S::Fault>> {
    let mut read = |offset| {
        let mut bytes = [0; HEADER_LENGTH];
        storage.read(slot, offset, &mut bytes).map_err(LoadError::Medium)?;
        Ok(Header::decode(&bytes))
    };
    let (first, again) = (read(0)?, read(HEADER_LENGTH)?);
    Ok(match (first, again) {
        (Ok(header), again) => {
            let is_repeated = again == Ok(header);
            Ok(Headers { header, is_first_sound: true, is_repeated })
        }
        (Err(_), Ok(header)) => Ok(Headers { header, is_first_sound: false, is_repeated: true }),
        (Err(error), Err(_)) => Err(error),
    })
}

fn read_body<S: Storage, const T: usize, const F: usize, const C: usize>(
    storage: &mut S,
    slot: Slot,
    header: &Header,
) -> Result<MeterState<T, F, C>, ReadError<S::Fault>> {
    header.check(MeterState::<T, F, C>::BODY_LENGTH)?;
    let (start, end) = (header.body_start(), header.body_start() + usize::from(header.length));
    let mut chunk = Zeroizing::new([0; CHUNK]);
    let mut checksum = Checksum::new();
    for offset in (start..end).step_by(CHUNK) {
        let bytes = &mut chunk[..CHUNK.min(end - offset)];
        storage.read(slot, offset, bytes).map_err(ReadError::Medium)?;
        checksum.update(bytes);
    }
    if checksum.finish() != header.body_crc {
        return Err(RecordError::BodyChecksum.into());
    }
    let mut offset = start;
    MeterState::decode(|bytes| {
        storage.read(slot, offset, bytes)?;
        offset += bytes.len();
        Ok(())
    })
}

impl<F: fmt::Display> fmt::Display for LoadError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Medium(fault) => write!(f, "the state could not be read: {fault}"),
            Self::NoRecord { a, b } => write!(f, "no state is stored: slot A: {a}; slot B: {b}"),
            Self::Newest { slot, error } => {
                write!(f, "the newest state, in slot {slot:?}, cannot be used: {error}")
            }
            Self::Profile(error) => error.fmt(f),
        }
    }
}

impl<F: fmt::Debug + fmt::Display> core::error::Error for LoadError<F> {}
