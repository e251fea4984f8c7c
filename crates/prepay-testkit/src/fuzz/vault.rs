//! The bodies for what a vault stores: sealed store, audit log, head, witness, key file and back-up; and for the file
//! of a signatory, as far as it is read before its passphrase.
//!
//! All work on one small vault that a key file unlocks, so that no input costs a slow derivation.

use std::sync::{Arc, LazyLock, Mutex};

use prepay_basics::codec::{DecodeError, Reader, Writer};
use prepay_basics::{Identifier, Moment};
use prepay_kmc_module::signatory_file;
use prepay_module::software::ModuleEntry;
use prepay_vault::{
    At, By, Contents, KeyFile, Kind, MemoryStorage, NewUser, OpenError, Quorum, ReplayError,
    RestoredLimits, Role, Secret, Setup, Unlock, Vault, records, verify,
};
use sha2::{Digest, Sha256};

use crate::Foreseeable;

/// Contents that are one number.
struct Number(u64);

impl Contents for Number {
    type Entry = ModuleEntry;

    const KIND: Kind = Kind { number: 9, name: "number" };

    fn encode(&self, writer: &mut Writer) {
        writer.u64(self.0);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.u64().map(Self)
    }

    fn replay(&mut self, entry: &ModuleEntry, _: At) -> Result<(), ReplayError> {
        match entry {
            ModuleEntry::Refilled { added, .. } => {
                self.0 += added;
                Ok(())
            }
            _ => Err(ReplayError::Unexpected),
        }
    }
}

fn noise(seed: u64) -> Box<Foreseeable> {
    Box::new(Foreseeable::new(seed))
}

/// Where the witness of the vault is.
const WITNESS: &str = "elsewhere";

/// A vault at rest, what unlocks it, and a back-up of it.
struct Made {
    storage: MemoryStorage,
    file: KeyFile,
    names: [Identifier; 2],
    backup: Vec<u8>,
}

static MADE: LazyLock<Made> = LazyLock::new(|| {
    let file = KeyFile::generate(&mut *noise(1)).expect("noise never fails");
    let names = ["anna", "berta"].map(|name| name.parse().expect("an identifier"));
    let passphrase = Secret::from("p".to_owned());
    let users = names.each_ref().map(|name| NewUser {
        name,
        role: Role::Custodian,
        passphrase: &passphrase,
    });
    let unlock = Unlock::KeyFile(&file);
    let setup = Setup { name: &names[0], unlock, users: &users, insecure_test: true };
    let place = Arc::new(Mutex::new(MemoryStorage::default()));
    let now = Moment::MIN;
    let storage = Box::new(Arc::clone(&place));
    let mut vault = Vault::create(storage, noise(2), setup, Number(7), now).expect("a vault");
    let sessions = names
        .each_ref()
        .map(|name| vault.sign_in(name, &passphrase, now).expect("the passphrase is right"));
    let [first, second] = sessions;
    let quorum = Quorum::new(first, second).expect("two custodians");
    let entry = ModuleEntry::LoadRefused { reason: "8".to_owned() };
    vault.commit(By::Two(&quorum), &entry, now, |number| number.0 = 8).expect("it is kept");
    for added in 1..4 {
        vault.contents_mut().0 += added;
        vault
            .stage(By::Two(&quorum), &ModuleEntry::Refilled { added, left: 0 }, now)
            .expect("it is staged");
        vault.flush().expect("it is kept");
    }
    let backup = vault.backup(&quorum, [&passphrase; 2], now).expect("a back-up");
    vault.set_witness(&quorum, WITNESS, RestoredLimits::Stopped, now).expect("a witness");
    drop(vault);
    let storage = place.lock().expect("nobody panicked").clone();
    Made { storage, file, names, backup }
});

/// The record of the witness.
fn record(storage: &MemoryStorage) -> Vec<u8> {
    let witnesses = storage.witnesses.lock().expect("nobody panicked");
    witnesses.get(WITNESS).cloned().unwrap_or_default()
}

/// A copy of a place, with a witness of its own.
fn copy(storage: &MemoryStorage, record: Vec<u8>) -> Arc<Mutex<MemoryStorage>> {
    let witnesses = Arc::new(Mutex::new([(WITNESS.to_owned(), record)].into()));
    Arc::new(Mutex::new(MemoryStorage { witnesses, ..storage.clone() }))
}

/// Opens a place, which must be left as it was if it is refused.
fn open(storage: &MemoryStorage) -> Result<u64, OpenError> {
    let place = copy(storage, record(storage));
    let unlock = Unlock::KeyFile(&MADE.file);
    let opened = Vault::<Number>::open(Box::new(Arc::clone(&place)), noise(3), unlock, Moment::MIN);
    match opened {
        Ok(mut vault) => {
            let number = vault.contents().0;
            let report = vault.verify_audit().expect("memory never fails");
            assert_eq!(report.first_bad, None, "what opens has a whole log");
            Ok(number)
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            let after = place.lock().expect("nobody panicked");
            assert_eq!(after.store, storage.store);
            assert_eq!((&after.log, &after.head), (&storage.log, &storage.head));
            Err(error)
        }
    }
}

/// Any bytes as store, head, witness, key file or back-up are refused by name and change nothing, unless they are
/// what was stored.
///
/// The first byte chooses which; its upper bit has the checksum of a store put right.
pub fn vault_store(input: &[u8]) {
    if let Ok(name) = signatory_file::name(input) {
        assert!(input.len() <= signatory_file::LONGEST, "{name}");
    }
    let Made { storage, file, names, backup } = &*MADE;
    let Some((choice, bytes)) = input.split_first() else { return };
    match choice & 7 {
        0 => {
            let mut store = bytes.to_vec();
            if choice >> 7 == 1
                && let Some(body) = bytes.len().checked_sub(32)
            {
                let sum = Sha256::digest(&bytes[..body]);
                store[body..].copy_from_slice(&sum);
            }
            let is_good = storage.store.as_ref() == Some(&store);
            let changed = MemoryStorage { store: Some(store), ..storage.clone() };
            let _ = Vault::<Number>::look(&mut changed.clone());
            assert_eq!(open(&changed).is_ok(), is_good);
        }
        1 => {
            let head = Some(bytes.to_vec());
            let is_good = storage.head == head;
            let changed = MemoryStorage { head, ..storage.clone() };
            let report = verify::<ModuleEntry>(&mut changed.clone()).expect("memory never fails");
            assert!(!is_good || report.first_bad.is_none());
            assert_eq!(open(&changed).is_ok(), is_good);
        }
        2 => {
            let is_good =
                KeyFile::decode(bytes).is_ok_and(|file| file.encode().as_slice() == bytes);
            assert_eq!(KeyFile::decode(bytes).is_ok(), is_good);
        }
        4 => {
            let place = Box::new(copy(storage, bytes.to_vec()));
            let opened = Vault::<Number>::open(place, noise(3), Unlock::KeyFile(file), Moment::MIN);
            let report = opened.ok().and_then(|vault| vault.witness());
            let is_good = bytes == record(storage);
            assert_eq!(report.map(|report| report.last.is_ok()), Some(is_good), "it can be read");
        }
        _ => {
            let place = Arc::new(Mutex::new(MemoryStorage::default()));
            let passphrase = Secret::from("p".to_owned());
            let held = names.each_ref().map(|name| (name, &passphrase));
            let unlock = Unlock::KeyFile(file);
            let limits = RestoredLimits::Stopped;
            let storage = Box::new(Arc::clone(&place));
            let restored = Vault::<Number>::restore(
                storage,
                noise(4),
                bytes,
                held,
                unlock,
                limits,
                Moment::MIN,
            );
            assert_eq!(restored.is_ok(), bytes == backup);
            if let Err(error) = restored {
                assert!(!error.to_string().is_empty());
                assert!(place.lock().expect("nobody panicked").store.is_none());
            }
        }
    }
}

/// Any bytes as an audit log are read without panic; the vault opens only on what it wrote, and loses
/// nothing that was acknowledged.
pub fn audit_log(input: &[u8]) {
    let good = &MADE.storage;
    let mut changed = MemoryStorage { log: input.to_vec(), ..good.clone() };
    let report = verify::<ModuleEntry>(&mut changed).expect("memory never fails");
    let read = records::<ModuleEntry>(&mut changed, 0, 10_000);
    if report.first_bad.is_none() {
        assert_eq!(read.map(|read| read.len() as u64).ok(), Some(report.entries));
    }
    let begins_well = input.starts_with(&good.log);
    match open(&changed) {
        Ok(number) => assert!(begins_well && number == 14),
        Err(_) => assert!(input != good.log),
    }
}

/// What the vault stored, behind the byte that chooses it.
pub(super) fn store_seeds() -> Vec<Vec<u8>> {
    let Made { storage, file, backup, .. } = &*MADE;
    let store = storage.store.clone().unwrap_or_default();
    let head = storage.head.clone().unwrap_or_default();
    let file = file.encode();
    let witness = record(storage);
    [(0, &store), (0x80, &store), (1, &head), (2, &*file), (3, backup), (4, &witness)]
        .map(|(choice, bytes)| [&[choice], bytes.as_slice()].concat())
        .into()
}

/// The log, whole and in pieces.
pub(super) fn log_seeds() -> Vec<Vec<u8>> {
    let log = &MADE.storage.log;
    vec![log.clone(), log[..71].to_vec(), [log.as_slice(), &log[71..]].concat()]
}
