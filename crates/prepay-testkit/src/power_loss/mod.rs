//! Loss of power: what a disk may hold if power fails at some moment, and whether that is enough.
//!
//! A killed process loses nothing that it wrote, so killing cannot show that an `fsync` is missing. Here a child process
//! runs with [a recorder](recorder.c) that notes every write, sync and name below a directory, in their order. The record
//! is replayed on a model of a disk (`disk.rs`) that promises no more than the calls do. At each cut the model gives the worst
//! states that the disk may be in, and a check must find everything there that was acknowledged until then.
//!
//! - Acknowledged is each line that the child adds to [`ACKNOWLEDGED`].
//! - [`Record::without`] leaves a sync out of the replay. Where no check fails then, the sync is not needed.

mod disk;
mod record;

use std::collections::HashMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use disk::Disk;
pub use disk::Image;
pub use record::{ACKNOWLEDGED, Record, Recorder, acknowledge};

/// A state that a disk may be in after a cut.
pub struct Remains {
    /// The files.
    pub image: Image,
    /// Equal for equal files.
    pub key: u64,
    /// How many lines were acknowledged before the cut.
    pub acknowledged: usize,
    /// After which event power failed, and what the disk made of it.
    pub cut: String,
}

impl Record {
    /// The names of all syncs, in their order, each once.
    pub fn syncs(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for name in self.sync_names().into_iter().flatten() {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// Every state that the disk may be in after at most so many cuts, spread evenly, if all syncs of a name do nothing. Equal
    /// states come once, with the most that was acknowledged.
    pub fn without(&self, lost: Option<&str>, cuts: usize) -> Vec<Remains> {
        let names = self.sync_names();
        let mut disk = Disk::holding(&self.base, &self.inodes);
        let mut found: Vec<Remains> = Vec::new();
        let mut places: HashMap<u64, usize> = HashMap::new();
        let mut acknowledged = 0;
        let step = self.events.len().div_ceil(cuts.max(1)).max(1);
        for (number, event) in self.events.iter().enumerate() {
            acknowledged += event.acknowledged();
            if lost.is_none() || names[number].as_deref() != lost {
                disk.apply(event);
            }
            if number % step != 0 && number + 1 != self.events.len() {
                continue;
            }
            for (how, image) in disk.images() {
                let cut = format!("after call {number} ({event}), {how}");
                let mut hasher = DefaultHasher::new();
                image.hash(&mut hasher);
                let key = hasher.finish();
                match places.get(&key) {
                    Some(&place) if found[place].acknowledged == acknowledged => {}
                    Some(&place) => {
                        let image = std::mem::take(&mut found[place].image);
                        found[place] = Remains { image, key, acknowledged, cut };
                    }
                    None => {
                        places.insert(key, found.len());
                        found.push(Remains { image, key, acknowledged, cut });
                    }
                }
            }
        }
        found
    }

    /// The name of each event that is a sync.
    fn sync_names(&self) -> Vec<Option<String>> {
        let mut disk = Disk::holding(&self.base, &self.inodes);
        let name = |event| {
            let name = disk.sync_name(event);
            disk.apply(event);
            name
        };
        self.events.iter().map(name).collect()
    }

    /// The lines that were acknowledged.
    pub fn acknowledged(&self, count: usize) -> Vec<String> {
        let texts: String = self.events.iter().filter_map(record::Event::text).collect();
        texts.lines().take(count).map(str::to_owned).collect()
    }
}

/// What a check finds wrong.
pub type Check<'a> = &'a dyn Fn(&Path, &[String]) -> Result<(), String>;

/// Puts a state into an empty directory and checks it. What the check panics with is wrong too.
///
/// # Errors
///
/// What is wrong, and with which state.
///
/// # Panics
///
/// When the files cannot be written.
pub fn check(
    record: &Record,
    remains: &Remains,
    place: &Path,
    check: Check<'_>,
) -> Result<(), String> {
    // A thread of the module that was checked last may still be writing a file of names there.
    while let Err(error) = fs::remove_dir_all(place) {
        match error.kind() {
            std::io::ErrorKind::NotFound => break,
            std::io::ErrorKind::DirectoryNotEmpty => std::thread::yield_now(),
            _ => panic!("{}: {error}", place.display()),
        }
    }
    disk::lay_out(&remains.image, place);
    let lines = record.acknowledged(remains.acknowledged);
    let checked = catch_unwind(AssertUnwindSafe(|| check(place, &lines)));
    let checked = checked.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        Err(text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned())
    });
    checked.map_err(|problem| format!("{}: {problem}", remains.cut))
}
