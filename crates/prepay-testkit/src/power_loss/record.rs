//! Recording a process, and reading its record.

use std::collections::HashMap;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use super::disk::Image;

/// The file, below the recorded directory, to which a child adds what it acknowledges. No state of a disk has it.
pub const ACKNOWLEDGED: &str = "acknowledged";

/// Adds a line to what is acknowledged.
///
/// # Panics
///
/// When it cannot be written.
pub fn acknowledge(below: &Path, line: &str) {
    let file = OpenOptions::new().append(true).create(true).open(below.join(ACKNOWLEDGED));
    file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes())).expect("a line");
}

/// What a process did to the files below a directory, and what was there before.
pub struct Record {
    pub(super) base: Image,
    pub(super) inodes: HashMap<u64, PathBuf>,
    pub(super) events: Vec<Event>,
}

/// One call. Names are below the recorded directory; a file is the number of its inode.
pub(super) enum Event {
    Made { file: u64, name: PathBuf },
    Written { file: u64, at: usize, bytes: Vec<u8>, name: PathBuf },
    Length { file: u64, length: usize, name: PathBuf },
    Synced { file: u64, call: &'static str, name: PathBuf },
    DirectorySynced { name: PathBuf },
    Renamed { from: PathBuf, to: PathBuf },
    Removed { name: PathBuf },
    DirectoryMade { name: PathBuf },
    DirectoryRemoved { name: PathBuf },
    Acknowledged { text: String },
}

impl Event {
    /// How many lines it acknowledges.
    pub(super) fn acknowledged(&self) -> usize {
        self.text().map_or(0, |text| text.lines().count())
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Acknowledged { text } => Some(text),
            _ => None,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Made { name, .. } => write!(f, "make {}", name.display()),
            Self::Written { at, bytes, name, .. } => {
                write!(f, "write {} bytes at {at} of {}", bytes.len(), name.display())
            }
            Self::Length { length, name, .. } => {
                write!(f, "set the length of {} to {length}", name.display())
            }
            Self::Synced { call, name, .. } => write!(f, "{call} {}", name.display()),
            Self::DirectorySynced { name } => write!(f, "fsync ./{}", name.display()),
            Self::Renamed { from, to } => {
                write!(f, "rename {} to {}", from.display(), to.display())
            }
            Self::Removed { name } => write!(f, "remove {}", name.display()),
            Self::DirectoryMade { name } => write!(f, "make {}/", name.display()),
            Self::DirectoryRemoved { name } => write!(f, "remove {}/", name.display()),
            Self::Acknowledged { text } => write!(f, "acknowledge {}", text.trim_end()),
        }
    }
}

/// What records the calls of a process, once it is loaded before the C library.
pub struct Recorder {
    recorder: PathBuf,
}

impl Recorder {
    /// Compiles it into a directory, with `cc`.
    ///
    /// # Panics
    ///
    /// When it does not compile.
    pub fn compile(place: &Path) -> Self {
        let recorder = place.join("recorder.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/power_loss/recorder.c");
        let mut cc = Command::new("cc");
        cc.args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC"]);
        let status = cc.arg(source).arg("-o").arg(&recorder).arg("-ldl").status();
        assert!(status.expect("a C compiler").success(), "the recorder compiles");
        Self { recorder }
    }

    /// Runs a process that must end well, and records what it does below a directory.
    ///
    /// # Panics
    ///
    /// When the process fails, or nothing was recorded.
    pub fn record(&self, below: &Path, process: &mut Command) -> Record {
        let below = below.canonicalize().expect("a directory");
        let (mut base, mut inodes) = (Image::new(), HashMap::new());
        look(&below, Path::new(""), &mut base, &mut inodes);
        let to = self.recorder.with_extension(format!("record-{}", base.len()));
        let _ = fs::remove_file(&to);
        process.env("LD_PRELOAD", &self.recorder);
        process.env("PREPAY_RECORD_BELOW", &below).env("PREPAY_RECORD_TO", &to);
        let output = process.output().expect("a process");
        let told = || String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{}\n{}", String::from_utf8_lossy(&output.stdout), told());
        let events = read(&fs::read(&to).expect("a record"), &below);
        assert!(!events.is_empty(), "something was recorded");
        Record { base, inodes, events }
    }
}

/// Reads what is in a directory.
fn look(below: &Path, name: &Path, base: &mut Image, inodes: &mut HashMap<u64, PathBuf>) {
    for entry in fs::read_dir(below.join(name)).expect("a directory") {
        let entry = entry.expect("an entry");
        let name = name.join(entry.file_name());
        let metadata = entry.metadata().expect("an inode");
        if metadata.is_dir() {
            base.insert(name.clone(), None);
            look(below, &name, base, inodes);
        } else {
            inodes.insert(metadata.ino(), name.clone());
            base.insert(name, Some(Arc::new(fs::read(entry.path()).expect("a file"))));
        }
    }
}

fn read(mut bytes: &[u8], below: &Path) -> Vec<Event> {
    let mut events = Vec::new();
    let number = |bytes: &[u8]| u64::from_ne_bytes(bytes.try_into().expect("eight bytes"));
    let length = |bytes: &[u8]| u32::from_ne_bytes(bytes.try_into().expect("four bytes")) as usize;
    while let Some(&kind) = bytes.split_off_first() {
        let mut take = |length| bytes.split_off(..length).expect("a whole event");
        let (file, place) = (number(take(8)), number(take(8)) as usize);
        let (name_length, data_length) = (length(take(4)), length(take(4)));
        let path = |bytes: &[u8]| -> PathBuf {
            let name = Path::new(std::str::from_utf8(bytes).expect("a name in UTF-8"));
            name.strip_prefix(below).expect("a name below").to_owned()
        };
        let name = path(take(name_length));
        let data = take(data_length);
        if name == Path::new(ACKNOWLEDGED) {
            if kind == b'w' {
                let text = String::from_utf8(data.to_vec()).expect("text");
                events.push(Event::Acknowledged { text });
            }
            continue;
        }
        events.push(match kind {
            b'c' => Event::Made { file, name },
            b'w' => Event::Written { file, at: place, bytes: data.to_vec(), name },
            b't' => Event::Length { file, length: place, name },
            b's' => Event::Synced { file, call: "fsync", name },
            b'd' => Event::Synced { file, call: "fdatasync", name },
            b'D' => Event::DirectorySynced { name },
            b'r' => Event::Renamed { from: name, to: path(data) },
            b'u' => Event::Removed { name },
            b'm' => Event::DirectoryMade { name },
            b'x' => Event::DirectoryRemoved { name },
            other => panic!("an unknown event {other}"),
        });
    }
    events
}
