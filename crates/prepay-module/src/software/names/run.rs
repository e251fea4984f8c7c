//! A run: the names of some requests that were carried out, and the identifiers that were used, in one file that never
//! changes.
//!
//! ```text
//!  PREPAY-NAMES 2\n   15 bytes
//!  number             16      of the run, random
//!  names              blocks of 102 rows of 40 bytes, each with a MAC of 16; the last one may have fewer rows
//!  used               blocks of 510 hashes of 8 bytes, each with a MAC of 16; the last one may have fewer
//!  index, filter      of the names: the hash that each block begins with, u64; blocks of 32 bytes (`filter.rs`)
//!  index, filter      of the identifiers
//!  MAC                16      of both
//! ```
//!
//! Rows are as in the audit log ([`IssuedRow`]), sorted by a keyed hash of their names. A MAC covers the number of the
//! run, the number of the block (of all ones for index and filter), and what is in it. How many names and identifiers
//! there are, and from which entries, is in the sealed contents of the module; so an exchanged file is noticed.
//!
//! - Form: `docs/formats/vault.md`.

use std::cell::Cell;
use std::fmt::Write as _;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use prepay_basics::Moment;
use prepay_basics::codec::{Reader, Writer};
use prepay_vault::VaultFiles;

use super::filter::{self, Filter};
use super::key::{MAC, NamesKey};
use super::used::{Deleted, Span};
use crate::RequestId;
use crate::software::issued_row::IssuedRow;

/// What the names of all runs' files begin with.
pub(super) const PREFIX: &str = "names-";

const MAGIC: &[u8] = b"PREPAY-NAMES 2\n";
const HEADER: usize = MAGIC.len() + 16;
const ROW: usize = IssuedRow::LENGTH;
/// What a full block has, without its MAC.
const ROWS: usize = 102 * ROW;
const BLOCK: usize = ROWS + MAC;
/// The part that is index and filter.
const MAP: u64 = u64::MAX;
/// How many blocks a merge reads at once.
const AHEAD: u64 = 16;

/// A row with the hash of its name.
pub(super) type Hashed = (u64, [u8; ROW]);

/// Gives what a run is to have, in the order of the hashes.
type Next<'a, T> = &'a mut dyn FnMut() -> io::Result<Option<T>>;

/// A run, as the sealed contents list it.
#[derive(Clone)]
pub(crate) struct Run {
    pub(crate) number: [u8; 16],
    /// How many names it has.
    pub(crate) count: u64,
    /// How many identifiers.
    pub(crate) used: u64,
    /// From which to which.
    pub(crate) span: Span,
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

/// The indexes and the filters of a run.
pub(crate) struct Map {
    names: Part,
    used: Part,
}

/// The index and the filter of names, or of identifiers.
struct Part {
    first: Vec<u64>,
    filter: Filter,
}

/// Where the blocks of names are, or of identifiers.
#[derive(Clone, Copy)]
struct Section {
    /// The length of a row.
    row: usize,
    /// The number of the first block.
    block: u64,
    /// Where it begins.
    offset: u64,
    /// How many rows there are.
    count: u64,
    /// The hash of a row.
    hash: fn(&NamesKey, &[u8]) -> Option<u64>,
}

/// The file of a run is missing or damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Damaged;

impl Run {
    /// The name of its file.
    pub(super) fn file(&self) -> String {
        file(&self.number)
    }

    fn map_if_open(&self) -> Option<&Map> {
        match &self.state {
            RunState::Open(map) => Some(map),
            _ => None,
        }
    }

    /// The filter of its names, as far as its file is known to be right.
    pub(super) fn names_filter(&self) -> Option<&Filter> {
        Some(&self.map_if_open()?.names.filter)
    }

    /// The filter of its identifiers, as far as its file is known to be right.
    pub(super) fn used_filter(&self) -> Option<&Filter> {
        Some(&self.map_if_open()?.used.filter)
    }

    fn names(&self) -> Section {
        let hash = |key: &NamesKey, row: &[u8]| Some(key.hash(RequestId(*row.first_chunk()?)));
        Section { row: ROW, block: 0, offset: HEADER as u64, count: self.count, hash }
    }

    fn identifiers(&self) -> Section {
        let names = self.names();
        let hash = |_: &NamesKey, row: &[u8]| Some(u64::from_be_bytes(*row.first_chunk()?));
        Section {
            row: size_of::<u64>(),
            block: names.blocks(),
            offset: names.end(),
            count: self.used,
            hash,
        }
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
        let map = self.opened(files, key)?;
        if !map.names.filter.contains(hash, &filter::bits(hash)) {
            return Ok(None);
        }
        let map = Arc::clone(map);
        let found = self.search(files, key, self.names(), &map.names, hash, &name.0);
        let row = found.inspect_err(|_| self.state = RunState::Damaged)?;
        Ok(row.and_then(|row| row.try_into().ok()))
    }

    /// Whether an identifier with this hash was used. If the file is found damaged, the run is marked so.
    pub(super) fn has_used(
        &mut self,
        files: &dyn VaultFiles,
        key: &NamesKey,
        hash: u64,
    ) -> Result<bool, Damaged> {
        let map = self.opened(files, key)?;
        if !map.used.filter.contains(hash, &filter::bits(hash)) {
            return Ok(false);
        }
        let map = Arc::clone(map);
        let found =
            self.search(files, key, self.identifiers(), &map.used, hash, &hash.to_be_bytes());
        Ok(found.inspect_err(|_| self.state = RunState::Damaged)?.is_some())
    }

    #[inline]
    fn opened(&mut self, files: &dyn VaultFiles, key: &NamesKey) -> Result<&Arc<Map>, Damaged> {
        if let RunState::Closed = self.state {
            self.open(files, key);
        }
        match &self.state {
            RunState::Open(map) => Ok(map),
            _ => Err(Damaged),
        }
    }

    /// The row that begins with these bytes, which have this hash.
    fn search(
        &self,
        files: &dyn VaultFiles,
        key: &NamesKey,
        section: Section,
        part: &Part,
        hash: u64,
        begin: &[u8],
    ) -> Result<Option<Vec<u8>>, Damaged> {
        // Rows of one hash may begin in the block before the first that begins with it.
        let start = part.first.partition_point(|first| *first < hash).saturating_sub(1);
        for block in start..part.first.len() {
            if part.first[block] > hash {
                break;
            }
            let rows = self.read(files, key, section, block as u64, 1)?;
            if let Some(row) = rows.chunks_exact(section.row).find(|row| row.starts_with(begin)) {
                return Ok(Some(row.to_vec()));
            }
        }
        Ok(None)
    }

    /// The length of its indexes and filters in bytes.
    fn map_length(&self) -> usize {
        let length = |section: Section| {
            section.blocks() * 8 + Filter::blocks(section.count) * filter::BLOCK as u64
        };
        (length(self.names()) + length(self.identifiers())) as usize
    }

    /// Reads blocks and checks them. Returns their rows, one after another.
    fn read(
        &self,
        files: &dyn VaultFiles,
        key: &NamesKey,
        section: Section,
        from: u64,
        count: u64,
    ) -> Result<Vec<u8>, Damaged> {
        let rows = section.length() - from * ROWS as u64;
        let rows = rows.min(count * ROWS as u64) as usize;
        let mut bytes = vec![0; rows + rows.div_ceil(ROWS) * MAC];
        read_full(files, &self.file(), section.offset + from * BLOCK as u64, &mut bytes)?;
        let mut plain = Vec::with_capacity(rows);
        for (number, block) in (section.block + from..).zip(bytes.chunks(BLOCK)) {
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
        let sections = [self.names(), self.identifiers()];
        let mut bytes = vec![0; self.map_length() + MAC];
        read_full(files, &name, sections[1].end(), &mut bytes)?;
        let mut reader = Reader::new(key.check(&self.number, MAP, &bytes).ok_or(Damaged)?);
        let mut part = |section: Section| {
            let mut first = Vec::with_capacity(section.blocks() as usize);
            for _ in 0..section.blocks() {
                first.push(reader.u64()?);
            }
            Ok(Part { first, filter: Filter::decode(&mut reader, section.count)? })
        };
        let mut read = || Ok(Map { names: part(sections[0])?, used: part(sections[1])? });
        read().map_err(|_: prepay_basics::codec::DecodeError| Damaged)
    }

    /// Writes a run with the rows and the hashes that `names` and `used` give, in the order of their hashes: exactly as many
    /// as the run says.
    pub(super) fn write(
        &self,
        files: &dyn VaultFiles,
        key: &NamesKey,
        names: Next<'_, Hashed>,
        used: Next<'_, u64>,
    ) -> io::Result<Self> {
        let mut map = Map { names: Part::new(self.names()), used: Part::new(self.identifiers()) };
        files.write(&self.file(), &mut |out| {
            let mut out = BufWriter::with_capacity(AHEAD as usize * BLOCK, out);
            out.write_all(&*header(&self.number))?;
            map.names.write(self.names(), &self.number, key, &mut out, names)?;
            let mut used = || Ok(used()?.map(|hash| (hash, hash.to_be_bytes())));
            map.used.write(self.identifiers(), &self.number, key, &mut out, &mut used)?;
            let mut writer = Writer::with_capacity(self.map_length());
            for Part { first, filter } in [&map.names, &map.used] {
                first.iter().for_each(|first| writer.u64(*first));
                filter.encode(&mut writer);
            }
            out.write_all(writer.as_slice())?;
            out.write_all(&key.sign(&self.number, MAP, writer.as_slice()))?;
            out.flush()
        })?;
        Ok(Self { state: RunState::Open(Arc::new(map)), ..self.clone() })
    }
}

impl Section {
    /// The length of its rows.
    const fn length(&self) -> u64 {
        self.count * self.row as u64
    }

    const fn blocks(&self) -> u64 {
        self.length().div_ceil(ROWS as u64)
    }

    /// Where it ends.
    const fn end(&self) -> u64 {
        self.offset + self.length() + self.blocks() * MAC as u64
    }
}

impl Part {
    fn new(section: Section) -> Self {
        let first = Vec::with_capacity(section.blocks() as usize);
        Self { first, filter: Filter::new(section.count) }
    }

    /// Writes the blocks of a section.
    fn write<const N: usize>(
        &mut self,
        section: Section,
        run: &[u8; 16],
        key: &NamesKey,
        out: &mut dyn Write,
        next: Next<'_, (u64, [u8; N])>,
    ) -> io::Result<()> {
        let (mut left, mut hashes) = (section.count, Vec::new());
        let mut block = Vec::with_capacity(ROWS);
        while left > 0 {
            let Some((hash, row)) = next()? else {
                return Err(io::Error::other("a run has fewer names than were counted"));
            };
            if block.is_empty() {
                self.first.push(hash);
            }
            hashes.push(hash);
            block.extend_from_slice(&row);
            left -= 1;
            if block.len() == ROWS || left == 0 {
                let number = section.block + self.first.len() as u64 - 1;
                out.write_all(&block)?;
                out.write_all(&key.sign(run, number, &block))?;
                block.clear();
                self.filter.insert(&hashes);
                hashes.clear();
            }
        }
        Ok(())
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
    deleted: &Deleted,
    files: &dyn VaultFiles,
    key: &NamesKey,
) -> io::Result<Result<Run, [u8; 16]>> {
    let (Some(first), Some(last)) = (runs.first(), runs.last()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let merged = Run {
        number,
        count: runs.iter().map(|run| run.count).sum(),
        used: runs.iter().map(|run| run.used).sum(),
        span: runs.iter().map(|run| run.span).fold(Span::EMPTY, Span::join),
        first: first.first,
        last: last.last,
        oldest: first.oldest,
        newest: last.newest,
        state: RunState::Closed,
    };
    let damaged = Cell::new(None);
    let cursors = |section: fn(&Run) -> Section| {
        let cursors = runs.iter().map(|run| Cursor::new(run, section(run)));
        Cursors { cursors: cursors.collect(), files, key, deleted, damaged: &damaged }
    };
    let (mut names, mut used) = (cursors(Run::names), cursors(Run::identifiers));
    let written = merged.write(
        files,
        key,
        &mut || Ok(names.next()?.and_then(|(hash, row)| Some((hash, row.try_into().ok()?)))),
        &mut || Ok(used.next()?.map(|(hash, _)| hash)),
    );
    match (damaged.get(), written) {
        (Some(number), _) => Ok(Err(number)),
        (None, written) => written.map(Ok),
    }
}

/// How far a merge has read the sections of its runs.
struct Cursors<'a> {
    cursors: Vec<Cursor<'a>>,
    files: &'a dyn VaultFiles,
    key: &'a NamesKey,
    deleted: &'a Deleted,
    /// The run that was found damaged.
    damaged: &'a Cell<Option<[u8; 16]>>,
}

impl Cursors<'_> {
    /// The next row of all, with its hash.
    fn next(&mut self) -> io::Result<Option<(u64, &[u8])>> {
        for cursor in &mut self.cursors {
            if cursor.fill(self.files, self.key, self.deleted).is_err() {
                self.damaged.set(Some(cursor.run.number));
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
        let least = self.cursors.iter_mut().filter(|cursor| cursor.hash.is_some());
        let least = least.min_by_key(|cursor| cursor.hash);
        Ok(least.and_then(|cursor| cursor.take(self.key)))
    }
}

/// How far a merge has read a section of a run.
struct Cursor<'a> {
    run: &'a Run,
    section: Section,
    rows: Vec<u8>,
    at: usize,
    block: u64,
    /// The hash of the next row; `None` at the end.
    hash: Option<u64>,
}

impl<'a> Cursor<'a> {
    const fn new(run: &'a Run, section: Section) -> Self {
        Self { run, section, rows: Vec::new(), at: 0, block: 0, hash: None }
    }

    /// Makes sure that the next row is there, if there is one.
    fn fill(
        &mut self,
        files: &dyn VaultFiles,
        key: &NamesKey,
        deleted: &Deleted,
    ) -> Result<(), Damaged> {
        if self.at < self.rows.len() || self.block >= self.section.blocks() {
            return Ok(());
        }
        self.rows = self.run.read(files, key, self.section, self.block, AHEAD)?;
        self.block += AHEAD;
        self.at = 0;
        for row in self.rows.chunks_exact_mut(self.section.row) {
            // Hashes of identifiers stay: they say which key they are of.
            if let Ok(row) = row.try_into() {
                void(row, self.run.last, deleted);
            }
        }
        self.hash = self.next(key);
        Ok(())
    }

    fn next(&self, key: &NamesKey) -> Option<u64> {
        (self.section.hash)(key, self.rows.get(self.at..)?)
    }

    fn take(&mut self, key: &NamesKey) -> Option<(u64, &[u8])> {
        let (hash, from) = (self.hash?, self.at);
        self.at += self.section.row;
        self.hash = self.next(key);
        Some((hash, self.rows.get(from..self.at)?))
    }
}

/// Voids the row of a run whose last entry is `last`, if its key was deleted since.
pub(super) fn void(row: &mut [u8; ROW], last: u64, deleted: &Deleted) {
    if deleted.0.is_empty() {
        return;
    }
    let register = |at: usize| u16::from_be_bytes([row[at], row[at + 1]]);
    if [24, 26].into_iter().any(|at| deleted.key(register(at), last).is_some()) {
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
