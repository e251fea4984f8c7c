//! What the tests of the vault share: contents that count, noise for randomness, and a place that dies.
#![allow(dead_code, unreachable_pub, reason = "each test uses a part of it")]

use std::io;
use std::sync::{Arc, Mutex};

use prepay_basics::codec::{DecodeError, Reader, Writer};
use prepay_basics::{Entropy, Identifier, Moment};
pub use prepay_testkit::Foreseeable;
use prepay_vault::*;

pub type Shelf = Arc<Mutex<MemoryStorage>>;

entries! {
    /// What happens to contents that count it.
    pub enum CountEntry {
        /// Rows were issued.
        100 Issued "issued" {
            /// Each begins with its number, and is as long as a module's.
            rows: Vec<[u8; 40]>,
        }
        /// A note was made.
        199 Noted "noted" {
            /// What it says.
            text: String,
        }
    }
}

/// Contents that count what happens to them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows issued: journalled.
    pub rows: u64,
    /// Notes made: committed.
    pub notes: u64,
    /// Something to look for in what is stored.
    pub secret: [u8; 16],
    /// Requests seen again at opening. Not stored.
    pub remembered: Vec<u64>,
    /// The first entry to see again at opening. Not stored.
    pub needed: u64,
    /// What a restored vault was told.
    pub stopped: bool,
    /// How many rows are kept elsewhere, because the log was rotated.
    pub kept: u64,
}

impl Contents for Counts {
    type Entry = CountEntry;

    const KIND: Kind = Kind { number: 9, name: "counts" };

    fn needed_from(&self) -> u64 {
        self.needed
    }

    fn items(entry: &CountEntry) -> u64 {
        match entry {
            CountEntry::Issued { rows } => rows.len() as u64,
            CountEntry::Noted { .. } => 0,
        }
    }

    fn encode(&self, writer: &mut Writer) {
        writer.u64(self.rows);
        writer.u64(self.notes);
        writer.array(&self.secret);
        writer.bool(self.stopped);
        writer.u64(self.kept);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (rows, notes, secret) = (reader.u64()?, reader.u64()?, reader.array()?);
        let (stopped, kept) = (reader.bool()?, reader.u64()?);
        let remembered = (0..kept).collect();
        Ok(Self { rows, notes, secret, stopped, kept, remembered, needed: 0 })
    }

    fn remember(&mut self, entry: &CountEntry, _: At) {
        if let CountEntry::Issued { rows } = entry {
            let number = |row: &[u8; 40]| u64::from_be_bytes(*row.first_chunk().unwrap());
            self.remembered.extend(rows.iter().map(number));
        }
    }

    fn replay(&mut self, entry: &CountEntry, at: At) -> Result<(), ReplayError> {
        match entry {
            CountEntry::Issued { rows } => {
                self.remember(entry, at);
                self.rows += rows.len() as u64;
                Ok(())
            }
            CountEntry::Noted { .. } => Err(ReplayError::Unexpected),
        }
    }

    fn restored(&mut self, limits: RestoredLimits) {
        self.stopped = limits == RestoredLimits::Stopped;
    }

    fn keep_elsewhere(&mut self, _: &mut dyn Entropy) -> io::Result<()> {
        self.kept = self.rows;
        Ok(())
    }
}

pub type TestVault = Vault<Counts>;

pub fn noise(seed: u64) -> Box<dyn Entropy> {
    Box::new(Foreseeable::new(seed))
}

pub fn at(seconds: u64) -> Moment {
    Moment::from_unix_seconds(1_800_000_000 + seconds).unwrap()
}

pub fn name(text: &str) -> Identifier {
    text.parse().unwrap()
}

pub fn secret(text: &str) -> Secret {
    text.to_owned().into()
}

pub const SECRET: [u8; 16] = *b"the-very-secret!";

/// A vault with the custodians `anna`, `berta` and `carla`, the operator `otto`, and the passphrase `open`;
/// everybody's own is the name again.
pub fn create(storage: impl VaultStorage + 'static) -> Result<TestVault, CreateError> {
    create_for(storage, Unlock::Passphrase(&secret("open")))
}

pub fn create_for(
    storage: impl VaultStorage + 'static,
    unlock: Unlock<'_>,
) -> Result<TestVault, CreateError> {
    create_from(1, storage, unlock)
}

/// With other randomness, so that it is another vault.
pub fn create_from(
    seed: u64,
    storage: impl VaultStorage + 'static,
    unlock: Unlock<'_>,
) -> Result<TestVault, CreateError> {
    let names = ["anna", "berta", "carla", "otto"].map(name);
    let secrets = names.each_ref().map(|name| secret(name.as_str()));
    let users: Vec<NewUser<'_>> = names
        .iter()
        .zip(&secrets)
        .map(|(name, passphrase)| {
            let role = if name.as_str() == "otto" { Role::Operator } else { Role::Custodian };
            NewUser { name, role, passphrase }
        })
        .collect();
    let setup = Setup { name: &name("SM-1"), unlock, users: &users, insecure_test: true };
    let contents = Counts { secret: SECRET, ..Counts::default() };
    Vault::create(Box::new(storage), noise(seed), setup, contents, at(0))
}

pub fn open(storage: impl VaultStorage + 'static) -> Result<TestVault, OpenError> {
    open_with(storage, "open")
}

pub fn open_with(
    storage: impl VaultStorage + 'static,
    passphrase: &str,
) -> Result<TestVault, OpenError> {
    let passphrase = secret(passphrase);
    Vault::open(Box::new(storage), noise(99), Unlock::Passphrase(&passphrase), at(5000))
}

pub fn sign_in(vault: &mut TestVault, who: &str) -> Session {
    vault.sign_in(&name(who), &secret(who), at(1)).unwrap()
}

pub fn quorum(vault: &mut TestVault) -> Quorum {
    Quorum::new(sign_in(vault, "anna"), sign_in(vault, "berta")).unwrap()
}

/// That rows of these numbers were issued.
pub fn issued(rows: std::ops::Range<u64>) -> CountEntry {
    let row = |number: u64| {
        let mut row = [0xA5; 40];
        row[..8].copy_from_slice(&number.to_be_bytes());
        row
    };
    CountEntry::Issued { rows: rows.map(row).collect() }
}

/// Issues so many rows, durable on return.
pub fn issue(vault: &mut TestVault, by: &Session, count: u64) -> Result<u64, VaultError> {
    let first = vault.contents().rows;
    vault.contents_mut().rows += count;
    let sequence = vault.stage(By::One(by), &issued(first..first + count), at(10))?;
    vault.flush()?;
    Ok(sequence)
}

pub fn note(vault: &mut TestVault, by: &Quorum) -> Result<u64, VaultError> {
    let entry = CountEntry::Noted { text: "noted".to_owned() };
    vault.commit(By::Two(by), &entry, at(20), |counts| counts.notes += 1)
}

/// A place that dies after so many steps: each byte of an append is one, and so is every other change.
#[derive(Clone)]
pub struct Dying {
    pub place: Shelf,
    pub steps: Arc<Mutex<u64>>,
    /// Every head that was written, the first of which is durable.
    pub heads: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Dying {
    pub fn new(place: Shelf, steps: u64) -> Self {
        Self { place, steps: Arc::new(Mutex::new(steps)), heads: Arc::default() }
    }

    pub fn left(&self) -> u64 {
        *self.steps.lock().unwrap()
    }

    /// Takes as many steps as are left, and says how many of those wanted.
    fn spend(&self, wanted: u64) -> u64 {
        let mut steps = self.steps.lock().unwrap();
        let spent = wanted.min(*steps);
        *steps -= spent;
        spent
    }

    fn one(&self, work: impl FnOnce(&mut MemoryStorage) -> io::Result<()>) -> io::Result<()> {
        if self.spend(1) == 0 {
            return Err(io::Error::other("dead"));
        }
        work(&mut self.place.lock().unwrap())
    }
}

impl VaultStorage for Dying {
    fn read_store(&mut self) -> io::Result<Option<Vec<u8>>> {
        self.place.read_store()
    }

    fn replace_store(&mut self, contents: &[u8]) -> io::Result<()> {
        self.one(|storage| storage.replace_store(contents))
    }

    fn log_length(&mut self) -> io::Result<u64> {
        self.place.log_length()
    }

    fn read_log(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.place.read_log(offset, buffer)
    }

    fn append_log(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let wanted = bytes.len() as u64;
        let spent = self.spend(wanted);
        self.place.append_log(offset, &bytes[..spent as usize])?;
        if spent == wanted { Ok(()) } else { Err(io::Error::other("dead")) }
    }

    fn truncate_log(&mut self, length: u64) -> io::Result<()> {
        self.one(|storage| storage.truncate_log(length))
    }

    fn close_log(&mut self, name: &str) -> io::Result<()> {
        self.one(|storage| storage.close_log(name))
    }

    fn read_head(&mut self) -> io::Result<Option<Vec<u8>>> {
        self.place.read_head()
    }

    fn write_head(&mut self, head: &[u8]) -> io::Result<()> {
        self.one(|storage| storage.write_head(head))?;
        self.heads.lock().unwrap().push(head.to_vec());
        Ok(())
    }

    fn files(&mut self) -> io::Result<Arc<dyn VaultFiles>> {
        self.place.files()
    }

    fn read_witness(&mut self, place: &str) -> io::Result<Option<Vec<u8>>> {
        self.place.read_witness(place)
    }

    fn write_witness(&mut self, place: &str, record: &[u8]) -> io::Result<()> {
        self.one(|storage| storage.write_witness(place, record))
    }
}
