//! A disk that keeps no more than it must.
//!
//! | | is on the disk for certain | until then |
//! |---|---|---|
//! | what a file holds | after `fsync` or `fdatasync` of the file | any of the writes since, in any order, or a part of one |
//! | names | after `fsync` of their directory | the first few of the changes since |
//!
//! - The name of a new file is not on the disk when only the file was synced. File systems that promise more exist.
//! - Names change in order: a journal of the file system does not reorder them.
//! - A sector of 512 bytes is written whole or not at all. What is appended may end anywhere; where the length got to the
//!   disk before the bytes, what was appended to a sector is zeros.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::record::Event;

/// Files by name, and directories as `None`.
pub type Image = BTreeMap<PathBuf, Option<Arc<Vec<u8>>>>;

const SECTOR: usize = 512;

/// What a name stands for.
#[derive(Clone, Copy)]
enum Node {
    File(usize),
    Directory,
}

/// A change of names in a directory.
#[derive(Clone)]
enum Change {
    Put(PathBuf, Node),
    Move(PathBuf, PathBuf),
    Drop(PathBuf),
}

impl Change {
    fn name(&self) -> &Path {
        match self {
            Self::Put(name, _) | Self::Move(_, name) | Self::Drop(name) => name,
        }
    }

    fn directory(&self) -> &Path {
        self.name().parent().unwrap_or(Path::new(""))
    }

    fn make(&self, names: &mut BTreeMap<PathBuf, Node>) {
        match self {
            Self::Put(name, node) => {
                names.insert(name.clone(), *node);
            }
            Self::Move(from, to) => {
                if let Some(node) = names.remove(from) {
                    names.insert(to.clone(), node);
                }
            }
            Self::Drop(name) => {
                names.remove(name);
            }
        }
    }

    fn said(&self) -> String {
        match self {
            Self::Put(name, _) => format!("made {}", name.display()),
            Self::Move(_, to) => format!("renamed to {}", to.display()),
            Self::Drop(name) => format!("removed {}", name.display()),
        }
    }
}

/// A change of a file.
enum Edit {
    Write(usize, Vec<u8>),
    Length(usize),
}

#[derive(Default)]
struct File {
    durable: Arc<Vec<u8>>,
    pending: Vec<Edit>,
}

/// How much of the pending changes of a file is on the disk.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Nothing,
    All,
    /// The first half of the changes.
    FirstHalf,
    /// The last change alone.
    LastAlone,
    /// All, and half of the last write.
    Torn,
    /// All, and zeros in the sectors of the second half of the last write, as far as they were appended.
    Zeros,
}

impl File {
    fn with(&self, part: Part) -> Arc<Vec<u8>> {
        let count = self.pending.len();
        if part == Part::Nothing || count == 0 {
            return self.durable.clone();
        }
        let mut bytes = self.durable.to_vec();
        let edits = match part {
            Part::FirstHalf => &self.pending[..count / 2],
            Part::LastAlone => &self.pending[count - 1..],
            _ => &self.pending,
        };
        for (number, edit) in edits.iter().enumerate() {
            let is_last = number + 1 == edits.len();
            match (edit, part) {
                (Edit::Write(at, new), Part::Torn | Part::Zeros) if is_last => {
                    tear(&mut bytes, *at, new, part == Part::Zeros);
                }
                (Edit::Write(at, new), _) => write(&mut bytes, *at, new),
                (Edit::Length(length), _) => bytes.resize(*length, 0),
            }
        }
        Arc::new(bytes)
    }

    fn sync(&mut self) {
        self.durable = self.with(Part::All);
        self.pending.clear();
    }
}

fn write(bytes: &mut Vec<u8>, at: usize, new: &[u8]) {
    if bytes.len() < at + new.len() {
        bytes.resize(at + new.len(), 0);
    }
    bytes[at..at + new.len()].copy_from_slice(new);
}

/// Writes a first part only: half of what is appended; but whole sectors of what was there, or if the rest is zeros.
fn tear(bytes: &mut Vec<u8>, at: usize, new: &[u8], zeros: bool) {
    let old = bytes.len();
    let mut end = at + new.len() / 2;
    if end < old || zeros {
        end = (end / SECTOR * SECTOR).max(at);
    }
    write(bytes, at, &new[..end - at]);
    if zeros && at + new.len() > bytes.len() {
        bytes.resize(at + new.len(), 0);
    }
}

/// The disk. A file is a number that it keeps.
pub(super) struct Disk {
    files: Vec<File>,
    inodes: HashMap<u64, usize>,
    names: BTreeMap<PathBuf, Node>,
    pending: Vec<Change>,
}

impl Disk {
    /// A disk that holds these files for certain.
    pub(super) fn holding(base: &Image, inodes: &HashMap<u64, PathBuf>) -> Self {
        let mut disk = Self {
            files: Vec::new(),
            inodes: HashMap::new(),
            names: BTreeMap::new(),
            pending: Vec::new(),
        };
        for (name, bytes) in base {
            let node = match bytes {
                None => Node::Directory,
                Some(bytes) => {
                    disk.files.push(File { durable: bytes.clone(), pending: Vec::new() });
                    Node::File(disk.files.len() - 1)
                }
            };
            disk.names.insert(name.clone(), node);
        }
        for (&inode, name) in inodes {
            if let Some(Node::File(file)) = disk.names.get(name) {
                disk.inodes.insert(inode, *file);
            }
        }
        disk
    }

    pub(super) fn apply(&mut self, event: &Event) {
        match event {
            Event::Made { file, name } => {
                self.files.push(File::default());
                self.inodes.insert(*file, self.files.len() - 1);
                self.pending.push(Change::Put(name.clone(), Node::File(self.files.len() - 1)));
            }
            Event::Written { file, at, bytes, .. } => {
                self.file(*file).pending.push(Edit::Write(*at, bytes.clone()));
            }
            Event::Length { file, length, .. } => {
                self.file(*file).pending.push(Edit::Length(*length));
            }
            Event::Synced { file, .. } => self.file(*file).sync(),
            Event::DirectorySynced { name } => {
                let names = &mut self.names;
                self.pending.retain(|change| {
                    let is_here = change.directory() == name;
                    if is_here {
                        change.make(names);
                    }
                    !is_here
                });
            }
            Event::Renamed { from, to } => {
                self.pending.push(Change::Move(from.clone(), to.clone()));
            }
            Event::Removed { name } | Event::DirectoryRemoved { name } => {
                self.pending.push(Change::Drop(name.clone()));
            }
            Event::DirectoryMade { name } => {
                self.pending.push(Change::Put(name.clone(), Node::Directory));
            }
            Event::Acknowledged { .. } => {}
        }
    }

    fn file(&mut self, inode: u64) -> &mut File {
        let file = self.inodes.get(&inode).expect("a file that was there or was made");
        &mut self.files[*file]
    }

    /// The name of a sync: the call, and the file or the names that it makes durable.
    pub(super) fn sync_name(&self, event: &Event) -> Option<String> {
        match event {
            Event::Synced { call, name, .. } => Some(format!("{call} {}", name.display())),
            Event::DirectorySynced { name } => {
                let here = self.pending.iter().filter(|change| change.directory() == name);
                let here: Vec<&Change> = here.collect();
                let renamed = here.iter().rfind(|change| matches!(change, Change::Move(..)));
                let changes = match renamed {
                    Some(renamed) => renamed.said(),
                    None if here.is_empty() => "nothing".into(),
                    None => here.into_iter().map(Change::said).collect::<Vec<_>>().join(", "),
                };
                Some(format!("fsync ./{}: {changes}", name.display()))
            }
            _ => None,
        }
    }

    /// The worst states that the disk may be in now, and how each came about.
    pub(super) fn images(&self) -> Vec<(String, Image)> {
        let dirty: Vec<usize> =
            (0..self.files.len()).filter(|&file| !self.files[file].pending.is_empty()).collect();
        let all = |part| vec![part; self.files.len()];
        let mut parts = vec![("unsynced bytes lost".to_owned(), all(Part::Nothing))];
        if !dirty.is_empty() {
            for (how, part) in [
                ("all bytes written", Part::All),
                ("half of the writes done", Part::FirstHalf),
                ("the last write alone done", Part::LastAlone),
                ("the last write torn", Part::Torn),
                ("the last write partly zeros", Part::Zeros),
            ] {
                parts.push((how.to_owned(), all(part)));
            }
        }
        if dirty.len() > 1 {
            for &file in &dirty {
                let (mut only, mut but) = (all(Part::Nothing), all(Part::All));
                (only[file], but[file]) = (Part::All, Part::Nothing);
                parts.push((format!("of the files only number {file} written"), only));
                parts.push((format!("all files but number {file} written"), but));
            }
        }
        let mut images = Vec::new();
        for count in 0..=self.pending.len() {
            let mut names = self.names.clone();
            self.pending[..count].iter().for_each(|change| change.make(&mut names));
            for (how, part) in &parts {
                let held = |name: &PathBuf, node: &Node| {
                    let reachable = name
                        .ancestors()
                        .skip(1)
                        .all(|above| above == Path::new("") || names.contains_key(above));
                    reachable.then(|| match *node {
                        Node::Directory => (name.clone(), None),
                        Node::File(file) => (name.clone(), Some(self.files[file].with(part[file]))),
                    })
                };
                let image = names.iter().filter_map(|(name, node)| held(name, node)).collect();
                let of = self.pending.len();
                images.push((format!("{count} of {of} unsynced names changed, {how}"), image));
            }
        }
        images
    }
}

/// Writes the files of a state into a new directory.
pub(super) fn lay_out(image: &Image, place: &Path) {
    let mut builder = fs::DirBuilder::new();
    builder.mode(0o700).recursive(true).create(place).expect("a directory");
    for (name, bytes) in image {
        let path = place.join(name);
        match bytes {
            None => builder.create(path).expect("a directory"),
            Some(bytes) => {
                let mut options = fs::OpenOptions::new();
                options.write(true).create_new(true).mode(0o600);
                let file = options.open(path).expect("a new file");
                std::io::Write::write_all(&mut &file, bytes).expect("its bytes");
            }
        }
    }
}
