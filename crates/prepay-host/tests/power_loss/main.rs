//! Power fails at any moment while a module or a centre works: whatever was acknowledged is on the disk, and everything
//! opens again.
//!
//! The calls of a child process are recorded and replayed on a model of a disk (`prepay_testkit::power_loss`). The short
//! form samples the cuts; `cargo xtask power-loss` takes all of them, then leaves out one sync after the other and shows
//! what is lost without it.

#![cfg(target_os = "linux")]

#[path = "../proof_kit/mod.rs"]
mod proof_kit;

mod centre;
mod files;
mod module;
mod witness;

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use prepay_testkit::Foreseeable;
use prepay_testkit::child;
use prepay_testkit::power_loss::{Record, Recorder, check};
use prepay_vault::KeyFile;

/// How many cuts the long form takes; without it, all.
const CUTS: &str = "PREPAY_POWER_CUTS";

/// How many cuts the short form takes of each scenario.
const SAMPLE: usize = 10;

/// Syncs that may be left out, and why they stay.
const UNNEEDED: &[(&str, &str)] = &[
    (
        "fsync ./new/module: made new/module/audit.log",
        "an append is durable by itself, though today the first head, whose name is synced too, follows before any answer",
    ),
    (
        "fsync ./module: renamed to module/names-*",
        "a file is durable by itself, though today the store that lists it is renamed in the same directory and synced next",
    ),
    (
        "fsync ./module: renamed to module/audit-*",
        "the former log keeps its bytes under a name before another log takes the old one, though these disks change names in order",
    ),
];

/// What a child does below a directory, and what must hold afterwards.
struct Scenario {
    name: &'static str,
    /// What is there before.
    prepare: fn(&Path),
    /// The child's case.
    work: &'static str,
    /// Checks what is below a directory against the lines that were acknowledged.
    verify: fn(&Path, &[String]) -> Result<(), String>,
}

const SCENARIOS: [&Scenario; 7] = [
    &files::FILES,
    &module::CREATION,
    &module::SESSION,
    &module::NAMES,
    &module::ROTATION,
    &centre::ANSWER,
    &witness::WITNESS,
];

/// What unlocks every vault here, without a slow passphrase.
fn key_file() -> KeyFile {
    KeyFile::generate(&mut Foreseeable::named("key file")).unwrap()
}

fn require(condition: bool, problem: impl FnOnce() -> String) -> Result<(), String> {
    if condition { Ok(()) } else { Err(problem()) }
}

impl Scenario {
    fn record(&self, place: &Path) -> Record {
        let below = place.join(self.name);
        fs::create_dir(&below).unwrap();
        (self.prepare)(&below);
        Recorder::compile(place).record(&below, &mut child::command(self.work, &below, 0))
    }

    /// The first loss that a check finds after at most so many cuts, and how many states there are. States that were
    /// sound before, with as much acknowledged, are not checked again.
    fn loss(
        &self,
        record: &Record,
        without: Option<&str>,
        cuts: usize,
        place: &Path,
        sound: &mut HashMap<u64, usize>,
    ) -> (usize, Option<String>) {
        let image = place.join("image");
        let states = record.without(without, cuts);
        for state in &states {
            if sound.get(&state.key).is_some_and(|&checked| checked >= state.acknowledged) {
                continue;
            }
            if let Err(loss) = check(record, state, &image, &self.verify) {
                return (states.len(), Some(loss));
            }
            sound.insert(state.key, state.acknowledged);
        }
        (states.len(), None)
    }
}

/// A directory in memory, if the system has one: syncs cost nothing there.
fn workplace() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

#[test]
fn what_was_acknowledged_survives_a_loss_of_power_at_sampled_moments() {
    for scenario in SCENARIOS {
        let place = workplace();
        let record = scenario.record(place.path());
        let (states, loss) =
            scenario.loss(&record, None, SAMPLE, place.path(), &mut HashMap::new());
        assert!(states > SAMPLE, "{}: {states} states", scenario.name);
        assert_eq!(loss, None, "{}", scenario.name);
    }
}

#[test]
#[ignore = "long: all cuts, and each sync left out; PREPAY_POWER_CUTS for fewer"]
fn proof_that_acknowledged_work_survives_and_that_every_sync_is_needed() {
    let cuts = std::env::var(CUTS).ok().map_or(usize::MAX, |cuts| cuts.parse().unwrap());
    let mut needed: Vec<(String, Option<String>)> = Vec::new();
    for scenario in SCENARIOS {
        let place = workplace();
        let record = scenario.record(place.path());
        let mut sound = HashMap::new();
        let (states, loss) = scenario.loss(&record, None, cuts, place.path(), &mut sound);
        println!("{}: {states} states of the disk", scenario.name);
        assert_eq!(loss, None, "{}", scenario.name);
        std::panic::set_hook(Box::new(|_| {})); // From here on losses are expected.
        for sync in record.syncs() {
            let (states, loss) =
                scenario.loss(&record, Some(&sync), usize::MAX, place.path(), &mut sound);
            match &loss {
                Some(loss) => println!("  without {sync}: {loss}"),
                None => println!("  without {sync}: nothing is lost in {states} states"),
            }
            // Files of names and segments have numbers. A sync is needed if one scenario needs it.
            let numbered = ["names-", "audit-"].into_iter().find(|start| sync.contains(start));
            let sync = match numbered.and_then(|start| Some((sync.split_once(start)?.0, start))) {
                Some((before, start)) => format!("{before}{start}*"),
                None => sync,
            };
            match needed.iter_mut().find(|(name, _)| *name == sync) {
                Some((_, found)) => *found = found.take().or(loss),
                None => needed.push((sync, loss)),
            }
        }
        let _ = std::panic::take_hook();
    }
    // SQLite decides about its own.
    let ours = needed.iter().filter(|(name, loss)| loss.is_none() && !name.contains(".db"));
    let unneeded: Vec<&str> = ours.map(|(name, _)| name.as_str()).collect();
    let listed: Vec<&str> = UNNEEDED.iter().map(|(name, _)| *name).collect();
    assert_eq!(unneeded, listed, "syncs that nothing depends on");
}
