//! What the tests of the vault share: contents that count, noise for randomness, and a place that dies.
#![allow(dead_code, unreachable_pub, reason = "each test uses a part of it")]

use std::io;
use std::sync::{Arc, Mutex};

use prepay_basics::codec::{DecodeError, Reader, Writer};
use prepay_basics::{Entropy, Identifier, Moment};
pub use prepay_testkit::Foreseeable;
use prepay_vault::*;
use prepay_vault::{MemoryStorage, VaultStorage};

pub type Place = Arc<Mutex<MemoryStorage>>;

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
    /// What a restored vault was told.
    pub stopped: bool,
}

impl Contents for Counts {
    const KIND: Kind = Kind::Module;
    const REMEMBERED_ROWS: u64 = 1000;

    fn encode(&self, writer: &mut Writer) {
        writer.u64(self.rows);
        writer.u64(self.notes);
        writer.array(&self.secret);
        writer.bool(self.stopped);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            rows: reader.u64()?,
            notes: reader.u64()?,
            secret: reader.array()?,
            stopped: reader.bool()?,
            remembered: Vec::new(),
        })
    }

    fn remember(&mut self, record: &Record) {
        if let Entry::Issued { rows } = &record.entry {
            self.remembered.extend(rows.iter().map(|row| row.pan));
        }
    }

    fn replay(&mut self, record: &Record) -> Result<(), ReplayError> {
        match &record.entry {
            Entry::Issued { rows } => {
                self.remember(record);
                self.rows += rows.len() as u64;
                Ok(())
            }
            _ => Err(ReplayError::Unexpected),
        }
    }

    fn restored(&mut self, limits: RestoredLimits) {
        self.stopped = limits == RestoredLimits::Stopped;
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
    Vault::create(Box::new(storage), noise(1), setup, contents, at(0))
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

pub fn row(number: u64) -> IssuedRow {
    IssuedRow {
        request: Some(RequestId([number as u8; 16])),
        register: 1,
        new_register: 0,
        pan: number,
        random: 3,
        identifier: 1_000_000,
        tariff_index: 1,
        encryption: 0,
        carrier: 2,
        class: 0,
        sub_class: 0,
        value: 256,
        last_digits: 9999,
    }
}

/// Issues so many rows, durable on return.
pub fn issue(vault: &mut TestVault, by: &Session, count: u64) -> Result<u64, VaultError> {
    let first = vault.contents().rows;
    let rows: Vec<_> = (first..first + count).map(row).collect();
    vault.contents_mut().rows += count;
    let sequence = vault.stage_issued(By::One(by), &rows, at(10))?;
    vault.flush()?;
    Ok(sequence)
}

pub fn note(vault: &mut TestVault, by: &Quorum) -> Result<u64, VaultError> {
    let entry = Entry::Noted { subject: "a test".to_owned(), text: "noted".to_owned() };
    vault.commit(By::Two(by), entry, at(20), |counts| counts.notes += 1)
}

/// A place that dies after so many steps: each byte of an append is one, and so is every other change.
#[derive(Clone)]
pub struct Dying {
    pub place: Place,
    pub steps: Arc<Mutex<u64>>,
}

impl Dying {
    pub fn new(place: Place, steps: u64) -> Self {
        Self { place, steps: Arc::new(Mutex::new(steps)) }
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

    fn append_log(&mut self, bytes: &[u8]) -> io::Result<()> {
        let wanted = bytes.len() as u64;
        let spent = self.spend(wanted);
        self.place.append_log(&bytes[..spent as usize])?;
        if spent == wanted { Ok(()) } else { Err(io::Error::other("dead")) }
    }

    fn truncate_log(&mut self, length: u64) -> io::Result<()> {
        self.one(|storage| storage.truncate_log(length))
    }

    fn read_head(&mut self) -> io::Result<Option<Vec<u8>>> {
        self.place.read_head()
    }

    fn write_head(&mut self, head: &[u8]) -> io::Result<()> {
        self.one(|storage| storage.write_head(head))
    }
}
