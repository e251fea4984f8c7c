//! The witness of a module: what it was told before an answer is on its disk, and every record there is whole.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use prepay_host::{Directory, SystemClock, SystemEntropy};
use prepay_module::SecurityModule;
use prepay_module::software::SoftwareModule;
use prepay_testkit::ceremony::{People, passphrase};
use prepay_testkit::child;
use prepay_testkit::power_loss::acknowledge;
use prepay_vault::{By, OpenError, Place, RestoredLimits, Unlock, VaultFiles, VaultStorage};

use crate::proof_kit::{Number, create};
use crate::{Scenario, key_file, require};

pub(crate) const WITNESS: Scenario =
    Scenario { name: "witness", prepare, work: "witness::case_witness", verify };

/// A directory whose witnesses are below the directory of the scenario, wherever that is.
struct Below {
    directory: Directory,
    below: PathBuf,
}

impl Below {
    fn place(&self, name: &str) -> String {
        self.below.join(name).to_str().unwrap().to_owned()
    }
}

impl VaultStorage for Below {
    fn read_store(&mut self) -> io::Result<Option<Vec<u8>>> {
        self.directory.read_store()
    }

    fn replace_store(&mut self, contents: &[u8]) -> io::Result<()> {
        self.directory.replace_store(contents)
    }

    fn log_length(&mut self) -> io::Result<u64> {
        self.directory.log_length()
    }

    fn read_log(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.directory.read_log(offset, buffer)
    }

    fn append_log(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.directory.append_log(offset, bytes)
    }

    fn truncate_log(&mut self, length: u64) -> io::Result<()> {
        self.directory.truncate_log(length)
    }

    fn close_log(&mut self, name: &str) -> io::Result<()> {
        self.directory.close_log(name)
    }

    fn read_head(&mut self) -> io::Result<Option<Vec<u8>>> {
        self.directory.read_head()
    }

    fn write_head(&mut self, head: &[u8]) -> io::Result<()> {
        self.directory.write_head(head)
    }

    fn files(&mut self) -> io::Result<Arc<dyn VaultFiles>> {
        self.directory.files()
    }

    fn read_witness(&mut self, place: &str) -> io::Result<Option<Vec<u8>>> {
        let place = self.place(place);
        self.directory.read_witness(&place)
    }

    fn write_witness(&mut self, place: &str, record: &[u8]) -> io::Result<()> {
        let place = self.place(place);
        self.directory.write_witness(&place, record)
    }
}

fn open(below: &Path) -> Result<SoftwareModule, OpenError> {
    let directory = Directory::open(below.join("module")).unwrap();
    let storage = Box::new(Below { directory, below: below.to_owned() });
    let place = Place { storage, entropy: Box::new(SystemEntropy), clock: Box::new(SystemClock) };
    SoftwareModule::open(place, Unlock::KeyFile(&key_file()))
}

/// The entry that a witness has on the disk.
fn told(below: &Path, name: &str) -> Option<u64> {
    let record = std::fs::read(below.join(name)).ok()?;
    Some(u64::from_be_bytes(*record.get(65..)?.first_chunk()?))
}

fn prepare(below: &Path) {
    create(below, None);
    std::fs::create_dir(below.join("elsewhere")).unwrap();
    let module = crate::proof_kit::open(below).unwrap();
    let people = People::of(&module, &passphrase);
    module.vault().change_protector(&people.quorum, Unlock::KeyFile(&key_file())).unwrap();
    module.vault().close().unwrap();
}

#[test]
#[ignore = "runs as a child of the tests in main.rs"]
fn case_witness() {
    let Some(below) = child::place() else { return };
    let module = open(&below).unwrap();
    let people = People::of(&module, &passphrase);
    let vault = module.vault();
    let tell = |name: &str| {
        let report = vault.witness(By::Two(&people.quorum)).unwrap().unwrap();
        acknowledge(&below, &format!("{name} {}", report.last.unwrap().sequence));
    };
    let limits = RestoredLimits::Stopped;
    vault.set_witness(&people.quorum, "elsewhere/first", limits).unwrap();
    tell("elsewhere/first");
    vault.set_passphrase(&people.quorum, &"olga".parse().unwrap(), &passphrase("olga")).unwrap();
    tell("elsewhere/first");
    vault.set_witness(&people.quorum, "elsewhere/second", limits).unwrap();
    tell("elsewhere/second");
    vault.close().unwrap();
    acknowledge(&below, "closed");
}

fn verify(below: &Path, acknowledged: &[String]) -> Result<(), String> {
    for line in acknowledged {
        let Some((name, entry)) = line.split_once(' ') else { continue };
        let found = told(below, name);
        let expected = entry.parse().unwrap();
        require(found >= Some(expected), || format!("{name}: {expected}, found {found:?}"))?;
    }
    for count in [1, 2] {
        let module = open(below).map_err(|error| error.to_string())?;
        let people = People::of(&module, &passphrase);
        let request = Number { round: 1, worker: 0, count }.any();
        people.operator.issue_one(request).map_err(|error| error.to_string())?;
        module.vault().close().map_err(|error| error.to_string())?;
    }
    Ok(())
}
