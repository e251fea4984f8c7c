//! Secrets come from the terminal, without echo, or from a named file. Never from an argument or the environment.
//!
//! Every secret has a name:
//!
//! | name | secret |
//! |------|--------|
//! | `seal`, `seal.new` | the passphrase that unlocks a vault; the new one |
//! | `pin`, `pin.new` | the PIN of a hardware token; of the new one |
//! | `NAME`, `NAME.new` | the passphrase of a person; the new one |
//! | `NAME.backup` | that person's passphrase for a back-up |
//!
//! A file contains one secret, on its only line. It must belong to the user and be private.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clap::{Args, ValueHint};
use prepay_basics::Identifier;
use prepay_host::private_file;
use prepay_vault::Secret;
use zeroize::Zeroizing;

use crate::failure::{Done, Failure};
use crate::terminal::{self, EntryError};

/// The longest secret in a file, in bytes.
const LONGEST: usize = 1024;

/// How often to ask for a new secret if the two entries differ.
const TRIES: usize = 3;

/// The name of the secret that unlocks a vault.
pub(crate) const SEAL: &str = "seal";
/// The name of the PIN of a hardware token.
pub(crate) const PIN: &str = "pin";

/// Files of secrets. You are asked on the terminal for all others.
#[derive(Args, Clone, Debug)]
pub(crate) struct SecretFlags {
    /// Read the secret NAME (`seal`, `pin` or the name of a person) from a file. May be repeated.
    #[arg(id = "secret", long = "secret", value_name = "NAME=FILE", value_parser = named_file, global = true, help_heading = "Vault")]
    files: Vec<NamedFile>,
    /// Read each secret from the file with its name in this directory, if there is one. May be repeated: outside tests,
    /// the custodians who act together keep their secrets in different directories.
    #[arg(id = "secrets", long = "secrets", value_name = "DIR", value_parser = directory, value_hint = ValueHint::DirPath, global = true, help_heading = "Vault")]
    directories: Vec<PathBuf>,
    #[arg(skip)]
    kept: Kept,
    #[arg(skip)]
    ahead: Kept,
    #[arg(skip)]
    once: Arc<AtomicBool>,
}

/// Secrets that were given once in this command and are needed once more.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<BTreeMap<String, Secret>>>);

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept(..)")
    }
}

/// The file of one secret.
#[derive(Clone, Debug)]
struct NamedFile {
    name: String,
    path: PathBuf,
}

fn directory(text: &str) -> Result<PathBuf, String> {
    match std::fs::metadata(text) {
        Ok(found) if found.is_dir() => Ok(text.into()),
        Ok(_) => Err("expected a directory, found a file".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn named_file(text: &str) -> Result<NamedFile, String> {
    match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => {
            Ok(NamedFile { name: name.to_owned(), path: path.into() })
        }
        _ => Err("expected NAME=FILE".to_owned()),
    }
}

impl SecretFlags {
    /// An existing secret. `what` describes it for the question on the terminal: `passphrase of ann`.
    pub(crate) fn known(&self, name: &str, what: &str) -> Done<Secret> {
        let given = self.ahead().remove(name).or_else(|| self.kept().remove(name));
        let secret = match (given, self.file(name)) {
            (Some(given), _) => given,
            (None, Some(path)) => from_file(&path, name)?,
            (None, None) => ask(name, what).map(secret)?,
        };
        if self.is_asked_once() {
            self.keep(name, &secret);
        }
        Ok(secret)
    }

    /// From now on, asks for each secret once, for a command that opens the vault again; or not any more.
    pub(crate) fn ask_once(&self, once: bool) {
        self.once.store(once, Ordering::Relaxed);
    }

    pub(crate) fn is_asked_once(&self) -> bool {
        self.once.load(Ordering::Relaxed)
    }

    /// A new secret, which the terminal asks for twice.
    pub(crate) fn fresh(&self, name: &str, what: &str) -> Done<Secret> {
        if let Some(given) = self.ahead().remove(&fresh_name(name)) {
            return Ok(given);
        }
        if let Some(path) = self.file(name) {
            return from_file(&path, name);
        }
        for _ in 0..TRIES {
            let first = ask(name, what)?;
            let again = ask(name, &format!("{what}, again"))?;
            if *first == *again {
                return Ok(secret(first));
            }
            tell!("the two entries differ");
        }
        let message = format!("{what}: the two entries differed {TRIES} times");
        Err(Failure::unable("secret", message))
    }

    /// Keeps a secret until it is asked for again: whose share unlocks the vault need not type the passphrase twice to
    /// sign in.
    pub(crate) fn keep(&self, name: &str, secret: &Secret) {
        self.kept().insert(name.to_owned(), secret.copy());
    }

    /// Keeps a secret that was asked for ahead, while the vault was closed, until it is needed.
    pub(crate) fn put_ahead(&self, name: &str, secret: Secret) {
        self.ahead().insert(name.to_owned(), secret);
    }

    /// Asks for a new secret while the vault is closed, and keeps it until it is needed.
    pub(crate) fn fresh_ahead(&self, name: &str, what: &str) -> Done<()> {
        let secret = self.fresh(name, what)?;
        self.put_ahead(&fresh_name(name), secret);
        Ok(())
    }

    /// Forgets what was kept, unless it is needed once more.
    pub(crate) fn forget(&self) {
        if !self.is_asked_once() {
            self.kept().clear();
        }
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<String, Secret>> {
        self.kept.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ahead(&self) -> MutexGuard<'_, BTreeMap<String, Secret>> {
        self.ahead.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses the secrets of different custodians in one directory: whoever opens it would be all of them. Each secret is
    /// given as the name of its owner and what follows it in the name of the secret.
    pub(crate) fn require_apart<'a>(
        &self,
        secrets: impl IntoIterator<Item = (&'a Identifier, &'a str)>,
    ) -> Done<()> {
        let mut found: BTreeMap<PathBuf, &Identifier> = BTreeMap::new();
        for (owner, suffix) in secrets {
            let Some(file) = self.file(&format!("{owner}{suffix}")) else { continue };
            let Ok(file) = file.canonicalize() else { continue }; // Reading it says what is wrong.
            let directory = file.parent().unwrap_or(&file).to_owned();
            if let Some(other) = found.get(&directory).filter(|&&other| other != owner) {
                let message = format!(
                    "secrets of {other} and {owner}: expected each in a directory of its own, found both in {}",
                    directory.display()
                );
                let next = "let each of them type the passphrase, or bring a directory: --secrets A --secrets B";
                return Err(Failure::refused("secrets_together", message).next(next));
            }
            found.insert(directory, owner);
        }
        Ok(())
    }

    /// Whether a secret is in a file.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.file(name).is_some()
    }

    /// The file of a secret.
    fn file(&self, name: &str) -> Option<PathBuf> {
        if let Some(file) = self.files.iter().find(|file| file.name == name) {
            return Some(file.path.clone());
        }
        let mut paths = self.directories.iter().map(|directory| directory.join(name));
        paths.find(|path| path.symlink_metadata().is_ok())
    }
}

/// Reads a secret from its file.
fn from_file(path: &Path, name: &str) -> Done<Secret> {
    let bytes = private_file::read(path, LONGEST).map_err(|error| {
        let failure = Failure::unable("secret_file", format!("{}: {error}", path.display()));
        match error.kind() {
            io::ErrorKind::PermissionDenied => {
                failure.next("make the file with the secret yours alone: chown, chmod 600")
            }
            _ => failure.next(format!("put the secret {name:?} on the only line of the file")),
        }
    })?;
    let secret = one_line(&bytes).map_err(|problem| {
        Failure::unable("secret_file", format!("{}: {problem}", path.display()))
    })?;
    Ok(Secret::from(secret.to_vec()))
}

/// Under which name a new secret is kept: the person may have an old one.
fn fresh_name(name: &str) -> String {
    format!("new {name}")
}

/// The only line of a file, without its line end.
fn one_line(bytes: &[u8]) -> Result<&[u8], &'static str> {
    let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() {
        Err("expected a secret in the first line, found nothing")
    } else if line.contains(&b'\n') {
        Err("expected one line, found more")
    } else {
        Ok(line)
    }
}

/// Asks for a secret on the terminal, without echo.
fn ask(name: &str, what: &str) -> Done<Zeroizing<Vec<u8>>> {
    if !io::stdin().is_terminal() {
        let next =
            format!("give it in a file: --secret {name}=FILE, or FILE {name} in --secrets DIR");
        return Err(Failure::not_given(what).next(next));
    }
    let entry = terminal::ask(&format!("{what}: ")).map_err(|error| {
        let failure = Failure::unable("terminal", format!("{what}: {error}"));
        match error {
            EntryError::Io(_) => failure,
            _ => failure.next("run the command again, and answer the question"),
        }
    })?;
    if entry.is_empty() {
        return Err(Failure::unable("secret", format!("{what}: nothing was entered")));
    }
    Ok(entry)
}

/// The secret in an entry, without making a copy.
fn secret(mut entry: Zeroizing<Vec<u8>>) -> Secret {
    Secret::from(std::mem::take(&mut *entry))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_holds_one_line() {
        for (bytes, expected) in [
            (&b"a b"[..], Ok(&b"a b"[..])),
            (b"a\n", Ok(b"a")),
            (b"a\r\n", Ok(b"a")),
            (b" a ", Ok(b" a ")),
            (b"", Err("expected a secret in the first line, found nothing")),
            (b"\n", Err("expected a secret in the first line, found nothing")),
            (b"\r\n", Err("expected a secret in the first line, found nothing")),
            (b"a\nb", Err("expected one line, found more")),
            (b"a\n\n", Err("expected one line, found more")),
        ] {
            assert_eq!(one_line(bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn a_named_file_needs_name_and_path() {
        let file = named_file("ann=a=b").unwrap();
        assert_eq!((file.name.as_str(), file.path.as_path()), ("ann", Path::new("a=b")));
        for text in ["", "ann", "ann=", "=file"] {
            assert!(named_file(text).is_err(), "{text}");
        }
    }
}
