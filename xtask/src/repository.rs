//! The root of the workspace, and its files.
//!
//! In a git checkout: every file that is committed, or is new and not ignored. Elsewhere: every file outside the
//! folders of build and fuzzing results.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::step::{Failure, output};

/// Folders without sources: build results, results of fuzzing, and git's own.
const LEFT_OUT: &[&str] = &["target", ".git", "fuzz/target", "fuzz/corpus", "fuzz/artifacts"];

/// The root of the workspace: the parent of this crate's folder.
///
/// # Errors
///
/// [`Failure`] if the sources of this program have been moved or removed.
pub(crate) fn root() -> Result<PathBuf, Failure> {
    let manifest = std::env::var("CARGO_MANIFEST_DIR").unwrap_or(env!("CARGO_MANIFEST_DIR").into());
    let root = Path::new(&manifest).parent().map(Path::to_path_buf).unwrap_or_default();
    if root.join("Cargo.toml").is_file() {
        return Ok(root);
    }
    Err(Failure::new(format!("no workspace at {}: run `cargo xtask` inside one", root.display())))
}

/// The files of a source tree, in memory, by their path from the root, separated by `/`.
#[derive(Default)]
pub(crate) struct Tree {
    files: BTreeMap<String, Vec<u8>>,
}

impl Tree {
    /// Reads every file below `root`.
    ///
    /// # Errors
    ///
    /// [`Failure`] if a folder cannot be read.
    pub(crate) fn read(root: &Path) -> Result<Self, Failure> {
        let paths = match listed_by_git(root) {
            Some(paths) => paths,
            None => walked(root)?,
        };
        let mut tree = Self::default();
        for path in paths {
            // A file whose removal is not committed yet, or a broken link, has no text to check.
            if let Ok(bytes) = fs::read(root.join(&path)) {
                tree.files.insert(path, bytes);
            }
        }
        Ok(tree)
    }

    /// A tree for tests.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| (path.to_string(), text.as_bytes().to_vec());
        Self { files: files.iter().map(file).collect() }
    }

    /// All files, in the order of their paths.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
    }

    /// All text files: valid UTF-8 without a zero byte.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files().filter_map(|(path, bytes)| Some((path, as_text(bytes)?)))
    }

    /// The bytes of one file.
    pub(crate) fn bytes(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    /// The text of one file.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.bytes(path).and_then(as_text)
    }
}

fn as_text(bytes: &[u8]) -> Option<&str> {
    if bytes.contains(&0) {
        return None;
    }
    std::str::from_utf8(bytes).ok()
}

/// Committed files and new ones that git does not ignore; `None` outside a checkout.
fn listed_by_git(root: &Path) -> Option<Vec<String>> {
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let listing = output(root, "git", &arguments)?;
    let listing = String::from_utf8(listing).ok()?;
    let paths: Vec<String> = listing.split_terminator('\0').map(str::to_string).collect();
    // For an archive unpacked inside another checkout, git lists none of our files.
    paths.iter().any(|path| path == "Cargo.toml").then_some(paths)
}

fn walked(root: &Path) -> Result<Vec<String>, Failure> {
    let mut paths = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let unreadable = |error| Failure::new(format!("cannot read folder {folder:?}: {error}"));
        for entry in fs::read_dir(root.join(&folder)).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            if LEFT_OUT.contains(&path.as_str()) {
                continue;
            }
            let found = if entry.path().is_dir() { &mut folders } else { &mut paths };
            found.push(path);
        }
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Tree, walked};

    #[test]
    fn bytes_that_are_not_text_are_left_out_of_texts() {
        let tree = Tree::of(&[("a.txt", "a"), ("b.bin", "\0")]);
        assert_eq!(tree.texts().collect::<Vec<_>>(), [("a.txt", "a")]);
    }

    #[test]
    fn walk_finds_the_files_of_this_crate() {
        let paths = walked(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        for expected in ["Cargo.toml", "src/main.rs", "src/tidy/mod.rs"] {
            assert!(paths.iter().any(|path| path == expected), "{expected} not in {paths:?}");
        }
    }
}
