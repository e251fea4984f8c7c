//! A run: the names of some requests that were carried out, in one file that never changes.
//!
//! ```text
//!  PREPAY-NAMES 1\n   15 bytes
//!  number             16      of the run, random
//!  block 0            102 rows of 40 bytes, MAC 16
//!  block 1            ...     the last one may have fewer rows
//!  index              the hash of the first name of each block, u64
//!  filter             blocks of 32 bytes (`filter.rs`)
//!  MAC                16      of index and filter
//! ```
//!
//! Rows are as in the audit log ([`IssuedRow`]), sorted by a keyed hash of their names. A MAC covers the number of the
//! run, the number of the block (of all ones for index and filter), and what is in it. How many names there are, and
//! from which entries, is in the sealed contents of the module; so an exchanged file is noticed.
//!
//! - Form: `docs/formats/vault.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use prepay_basics::Moment;
use prepay_basics::codec::{Reader, Writer};
use prepay_vault::VaultFiles;

use super::filter::{self, Filter};
use super::key::{MAC, NamesKey};
use crate::RequestId;
use crate::software::issued_row::IssuedRow;

/// What the names of all runs' files begin with.
pub(super) const PREFIX: &str = "names-";

const MAGIC: &[u8] = b"PREPAY-NAMES 1\n";
const HEADER: usize = MAGIC.len() + 16;
const ROW: usize = IssuedRow::LENGTH;
const ROWS: usize = 102;
const BLOCK: usize = ROWS * ROW + MAC;
/// The part that is index and filter.
const MAP: u64 = u64::MAX;
/// How many blocks a merge reads at once.
const AHEAD: u64 = 16;

/// A row with the hash of its name.
pub(super) type Hashed = (u64, [u8; ROW]);

/// The registers whose keys were deleted, each with the last such entry. A row of an earlier entry cannot be answered.
pub(super) type Voids = BTreeMap<u16, u64>;

/// A run, as the sealed contents list it.
#[derive(Clone)]
pub(crate) struct Run {
    pub(crate) number: [u8; 16],
    /// How many names it has.
    pub(crate) count: u64,
    /// Its names are from these entries of the audit log.
    pub(crate) first: u64,
    pub(crate) last: u64,
    /// The time of the first and the last of them. Never falls from run to run.
    pub(crate) oldest: Moment,
    pub(crate) newest: Moment,
    pub(crate) state: RunState,
}

/// What is known about a run's file.
#[derive(Clone, Default)]
pub(crate) enum RunState {
    /// Nothing yet.
    #[default]
    Closed,
    /// Its index and filter are right.
    Open(Arc<Map>),
    /// It is missing or damaged, and can perhaps be made anew from the audit log.
    Damaged,
    /// It is missing or damaged, and the audit log does not have its entries either.
    Lost,
}

/// The index and the filter of a run.
pub(crate) struct Map {
    first: Vec<u64>,
    filter: Filter,
}

/// The file of a run is missing or damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Damaged;

impl Run {
    /// The name of its file.
    pub(super) fn file(&self) -> String {
        file(&self.number)
    }

    /// Its filter, as far as its file is known to be right.
    pub(super) fn filter(&self) -> Option<&Filter> {
        match &self.state {
            RunState::Open(map) => Some(&map.filter),
            _ => None,
        }
    }

    fn blocks(&self) -> u64 {
        self.count.div_ceil(ROWS as u64)
    }

    /// The rows with a name. If the file is found damaged, the run is marked so.
    #[inline]
    pub(super) fn find(
        &mut self,
        files: &dyn VaultFiles,
        key: &NamesKey,
        hash: u64,
        name: RequestId,
    ) -> Result<Option<[u8; ROW]>, Damaged> {
        if let RunState::Closed = self.state {
            self.open(files, key);
        }
        let RunState::Open(map) = &self.state else { return Err(Damaged) };
        if !map.filter.contains(hash, &filter::bits(hash)) {
            return Ok(None);
        }
        let map = Arc::clone(map);
        self.search(files, key, &map, hash, name).inspect_err(|_| self.state = RunState::Damaged)
    }

    fn search(
        &self,
        files: &dyn VaultFiles,
        key: &NamesKey,
        map: &Map,
        hash: u64,
        name: RequestId,
    ) -> Result<Option<[u8; ROW]>, Damaged> {
        // Rows of one hash may begin in the block before the first that begins with it.
        let start = map.first.partition_point(|first| *first < hash).saturating_sub(1);
        for block in start..map.first.len() {
            if map.first[block] > hash {
                break;
            }
            let bytes = self.read(files, key, block as u64, 1)?;
            if let Some(row) = bytes.chunks_exact(ROW).find(|row| row.starts_with(&name.0)) {
                return Ok(row.try_into().ok());
            }
        }
        Ok(None)
    }

    /// The length of index and filter in bytes.
    fn map_length(&self) -> usize {
        (self.blocks() * 8) as usize + Filter::blocks(self.count) as usize * filter::BLOCK
    }

    /// Reads blocks and checks them. Returns their rows, one after another.
    fn read(
        &self,
        files: &dyn VaultFiles,
        key: &NamesKey,
        from: u64,
        count: u64,
    ) -> Result<Vec<u8>, Damaged> {
        let rows = self.count - from * ROWS as u64;
        let rows = rows.min(count * ROWS as u64) as usize;
        let mut bytes = vec![0; rows * ROW + rows.div_ceil(ROWS) * MAC];
        read_full(files, &self.file(), HEADER as u64 + from * BLOCK as u64, &mut bytes)?;
        let mut plain = Vec::with_capacity(rows * ROW);
        for (number, block) in (from..).zip(bytes.chunks(BLOCK)) {
            plain.extend_from_slice(key.check(&self.number, number, block).ok_or(Damaged)?);
        }
        Ok(plain)
    }

    /// Reads index and filter, if the file is right as far as they tell.
    fn open(&mut self, files: &dyn VaultFiles, key: &NamesKey) {
        self.state = match self.map(files, key) {
            Ok(map) => RunState::Open(Arc::new(map)),
            Err(Damaged) => RunState::Damaged,
        };
    }

    fn map(&self, files: &dyn VaultFiles, key: &NamesKey) -> Result<Map, Damaged> {
        let name = self.file();
        let mut header = [0; HEADER];
        read_full(files, &name, 0, &mut header)?;
        if header != *self::header(&self.number) {
            return Err(Damaged);
        }
        let blocks = self.blocks();
        let offset = HEADER as u64 + self.count * ROW as u64 + blocks * MAC as u64;
        let mut bytes = vec![0; self.map_length() + MAC];
        read_full(files, &name, offset, &mut bytes)?;
        let mut reader = Reader::new(key.check(&self.number, MAP, &bytes).ok_or(Damaged)?);
        let mut read = || {
            let mut first = Vec::with_capacity(blocks as usize);
            for _ in 0..blocks {
                first.push(reader.u64()?);
            }
            Ok(Map { first, filter: Filter::decode(&mut reader, self.count)? })
        };
        read().map_err(|_: prepay_basics::codec::DecodeError| Damaged)
    }

    /// Writes a run with the rows that `next` gives, in the order of their hashes: exactly as many as `count` says.
    pub(super) fn write(
        &self,
        files: &dyn VaultFiles,
        key: &NamesKey,
        next: &mut dyn FnMut() -> io::Result<Option<Hashed>>,
    ) -> io::Result<Self> {
        let first = Vec::with_capacity(self.blocks() as usize);
        let mut map = Map { first, filter: Filter::new(self.count) };
        files.write(&self.file(), &mut |out| {
            let mut out = BufWriter::with_capacity(AHEAD as usize * BLOCK, out);
            out.write_all(&*header(&self.number))?;
            let (mut left, mut hashes) = (self.count, Vec::with_capacity(ROWS));
            let mut block = Vec::with_capacity(BLOCK);
            while left > 0 {
                let Some((hash, row)) = next()? else {
                    return Err(io::Error::other("a run has fewer names than were counted"));
                };
                if block.is_empty() {
                    map.first.push(hash);
                }
                hashes.push(hash);
                block.extend_from_slice(&row);
                left -= 1;
                if block.len() == ROWS * ROW || left == 0 {
                    let number = map.first.len() as u64 - 1;
                    out.write_all(&block)?;
                    out.write_all(&key.sign(&self.number, number, &block))?;
                    block.clear();
                    map.filter.insert(&hashes);
                    hashes.clear();
                }
            }
            let mut writer = Writer::with_capacity(self.map_length());
            map.first.iter().for_each(|first| writer.u64(*first));
            map.filter.encode(&mut writer);
            out.write_all(writer.as_slice())?;
            out.write_all(&key.sign(&self.number, MAP, writer.as_slice()))?;
            out.flush()
        })?;
        Ok(Self { state: RunState::Open(Arc::new(map)), ..self.clone() })
    }
}

/// Merges runs that follow each other into one. The rows of deleted keys are voided for good.
///
/// # Errors
///
/// The number of the run that is damaged; or the error of the storage.
pub(super) fn merge(
    runs: &[Run],
    number: [u8; 16],
    voids: &Voids,
    files: &dyn VaultFiles,
    key: &NamesKey,
) -> io::Result<Result<Run, [u8; 16]>> {
    let (Some(first), Some(last)) = (runs.first(), runs.last()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let merged = Run {
        number,
        count: runs.iter().map(|run| run.count).sum(),
        first: first.first,
        last: last.last,
        oldest: first.oldest,
        newest: last.newest,
        state: RunState::Closed,
    };
    let mut cursors: Vec<Cursor<'_>> = runs.iter().map(Cursor::new).collect();
    let mut damaged = None;
    let written = merged.write(files, key, &mut || {
        for cursor in &mut cursors {
            if cursor.fill(files, key, voids).is_err() {
                damaged = Some(cursor.run.number);
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
        let least = cursors.iter_mut().filter(|cursor| cursor.hash.is_some());
        Ok(least.min_by_key(|cursor| cursor.hash).and_then(|cursor| cursor.take(key)))
    });
    match (damaged, written) {
        (Some(number), _) => Ok(Err(number)),
        (None, written) => written.map(Ok),
    }
}

/// How far a merge has read a run.
struct Cursor<'a> {
    run: &'a Run,
    rows: Vec<u8>,
    at: usize,
    block: u64,
    /// The hash of the next row; `None` at the end.
    hash: Option<u64>,
}

impl<'a> Cursor<'a> {
    const fn new(run: &'a Run) -> Self {
        Self { run, rows: Vec::new(), at: 0, block: 0, hash: None }
    }

    /// Makes sure that the next row is there, if there is one.
    fn fill(
        &mut self,
        files: &dyn VaultFiles,
        key: &NamesKey,
        voids: &Voids,
    ) -> Result<(), Damaged> {
        if self.at < self.rows.len() || self.block >= self.run.blocks() {
            return Ok(());
        }
        self.rows = self.run.read(files, key, self.block, AHEAD)?;
        self.block += AHEAD;
        self.at = 0;
        for row in self.rows.chunks_exact_mut(ROW) {
            let row: &mut [u8; ROW] = row.try_into().expect("chunks have the length of a row");
            void(row, self.run.last, voids);
        }
        self.hash = self.next(key);
        Ok(())
    }

    fn next(&self, key: &NamesKey) -> Option<u64> {
        let row = self.rows.get(self.at..self.at + ROW)?;
        Some(key.hash(RequestId(*row.first_chunk()?)))
    }

    fn take(&mut self, key: &NamesKey) -> Option<Hashed> {
        let row = self.rows.get(self.at..self.at + ROW)?.try_into().ok()?;
        let hash = self.hash?;
        self.at += ROW;
        self.hash = self.next(key);
        Some((hash, row))
    }
}

/// Voids the row of a run whose last entry is `last`, if its key was deleted since.
pub(super) fn void(row: &mut [u8; ROW], last: u64, voids: &Voids) {
    if voids.is_empty() {
        return;
    }
    let register = |at: usize| u16::from_be_bytes([row[at], row[at + 1]]);
    let is_gone = |register| voids.get(&register).is_some_and(|entry| last < *entry);
    if is_gone(register(24)) || is_gone(register(26)) {
        row[24..26].copy_from_slice(&[0, 0]);
    }
}

/// The name of the file of a run.
pub(super) fn file(number: &[u8; 16]) -> String {
    let mut name = PREFIX.to_owned();
    for byte in number {
        write!(name, "{byte:02x}").expect("a string takes everything");
    }
    name
}

fn header(number: &[u8; 16]) -> Box<[u8; HEADER]> {
    let mut header = Box::new([0; HEADER]);
    header[..MAGIC.len()].copy_from_slice(MAGIC);
    header[MAGIC.len()..].copy_from_slice(number);
    header
}

fn read_full(
    files: &dyn VaultFiles,
    name: &str,
    offset: u64,
    mut buffer: &mut [u8],
) -> Result<(), Damaged> {
    let mut offset = offset;
    while !buffer.is_empty() {
        match files.read(name, offset, buffer) {
            Ok(0) | Err(_) => return Err(Damaged),
            Ok(count) => {
                offset += count as u64;
                buffer = &mut buffer[count..];
            }
        }
    }
    Ok(())
}
