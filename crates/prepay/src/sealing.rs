//! What unlocks a vault (custodians' shares, a passphrase, a key file, or a key in a hardware token), and its directory.
//!
//! A vault says without being unlocked what unlocks it, so an existing one needs only the flags for that.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum, ValueHint};
use prepay_basics::Identifier;
use prepay_host::{
    Directory, DirectoryError, NewDirectories, Pkcs11Error, Pkcs11Place, Pkcs11Token,
    SystemEntropy, private_file,
};
use prepay_module::software::ModuleContents;
use prepay_vault::{
    Contents as _, CreateError, KeyFile, OpenError, Protector, RestoreError, Secret, Unlock,
    VaultHeader,
};

use crate::failure::{Done, Failure};
use crate::file::{not_made, there};
use crate::people::{ask_name, person, vault_failure};
use crate::secret::{PIN, SEAL, SecretFlags};

/// How a vault is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SealKind {
    /// Custodians open it together, with their own passphrases; no other secret does: --threshold says how many of them.
    /// Whoever copies the store needs so many passphrases.
    Shares,
    /// A passphrase opens it. Whoever has it and a copy of the store has every key.
    Passphrase,
    /// A key in a new file opens it, also unattended: --new-key-file. Whoever has the file and a copy of the store has
    /// every key.
    KeyFile,
    /// A key that is generated in a hardware token opens it, also unattended: --pkcs11-library, --pkcs11-token. Whoever
    /// has the token, its PIN and a copy of the store has every key.
    Pkcs11,
}

/// How to seal a new vault, or an existing one anew.
#[derive(Args, Clone, Debug)]
pub(crate) struct NewSealFlags {
    /// What will unlock it [default: shares; for a test vault, passphrase].
    #[arg(id = "new_seal", long = "seal", value_enum, value_name = "KIND")]
    kind: Option<SealKind>,
    /// How many custodians open it together, with --seal shares [default: 2].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(2..))]
    pub(crate) threshold: Option<u8>,
    /// The key file to create.
    #[arg(id = "new_key_file", long = "new-key-file", value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(crate) key_file: Option<PathBuf>,
    /// The label of the hardware token for the key.
    #[arg(id = "pkcs11_token", long = "pkcs11-token", value_name = "LABEL")]
    pub(crate) token: Option<String>,
    /// The label of the key in the token [default: prepay- and the vault's name].
    #[arg(id = "pkcs11_key", long = "pkcs11-key", value_name = "LABEL")]
    pub(crate) key: Option<String>,
    /// Use the existing key with this label instead of generating one.
    #[arg(id = "pkcs11_existing", long = "pkcs11-existing")]
    pub(crate) existing: bool,
}

/// What unlocks an existing vault.
#[derive(Args, Clone, Debug)]
pub(crate) struct UnlockFlags {
    /// The key file that unlocks it.
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, global = true, help_heading = "Vault")]
    pub(crate) key_file: Option<PathBuf>,
    /// The PKCS#11 library of the hardware token, such as /usr/lib/softhsm/libsofthsm2.so.
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, global = true, help_heading = "Vault")]
    pub(crate) pkcs11_library: Option<PathBuf>,
    /// A custodian whose share helps to unlock it; give it once for each that is needed [default: those of --custodian,
    /// then those whose passphrases are in files].
    #[arg(long, value_name = "NAME", value_parser = person, global = true, help_heading = "Vault")]
    pub(crate) share: Vec<Identifier>,
}

/// What unlocks a vault, ready to use.
pub(crate) enum Seal {
    Shares { threshold: u8, given: Vec<(Identifier, Secret)> },
    Passphrase(Secret),
    KeyFile(KeyFile),
    Token(Box<Pkcs11Token>),
}

impl Seal {
    /// The same for the vault.
    pub(crate) fn unlock(&self) -> Unlock<'_> {
        match self {
            Self::Shares { threshold, given } => Unlock::Shares { threshold: *threshold, given },
            Self::Passphrase(secret) => Unlock::Passphrase(secret),
            Self::KeyFile(key) => Unlock::KeyFile(key),
            Self::Token(token) => Unlock::Wrapper(&**token),
        }
    }
}

impl UnlockFlags {
    /// Gets what unlocks a vault, as stated in its header. `acting` are the custodians who give the command.
    pub(crate) fn seal(
        &self,
        header: &VaultHeader,
        protector: &Protector,
        acting: &[Identifier],
        secrets: &SecretFlags,
    ) -> Done<Seal> {
        let name = &header.name;
        if let (Some(path), false) = (&self.key_file, matches!(protector, Protector::KeyFile)) {
            let found = path.display();
            let message = format!(
                "--key-file: {name} is unlocked by {protector}: expected no key file, found {found}"
            );
            return Err(Failure::unable("flag", message).next("leave --key-file out"));
        }
        if let (Some(share), false) =
            (self.share.first(), matches!(protector, Protector::Shares { .. }))
        {
            let message = format!(
                "--share: {name} is unlocked by {protector}: expected no share, found {share}"
            );
            return Err(Failure::unable("flag", message).next("leave --share out"));
        }
        let label = match protector {
            Protector::Shares { threshold, custodians } => {
                let names = self.share_names(header, *threshold, custodians, acting, secrets)?;
                if !header.insecure_test {
                    secrets.require_apart(names.iter().map(|name| (name, "")))?;
                }
                let given = names.into_iter().map(|name| {
                    let secret =
                        secrets.known(name.as_str(), &format!("passphrase of custodian {name}"))?;
                    secrets.keep(name.as_str(), &secret);
                    Ok((name, secret))
                });
                return Ok(Seal::Shares {
                    threshold: *threshold,
                    given: given.collect::<Done<_>>()?,
                });
            }
            Protector::Passphrase => {
                let secret = secrets.known(SEAL, &format!("sealing passphrase of {name}"))?;
                return Ok(Seal::Passphrase(secret));
            }
            Protector::KeyFile => {
                let path = self.key_file.as_ref().ok_or_else(|| {
                    Failure::unable("flag", format!("{name} is unlocked by a key file"))
                        .next("give --key-file PATH")
                })?;
                return read_key_file(path).map(Seal::KeyFile);
            }
            Protector::Wrapper { label } => label,
        };
        let (token, key) = Pkcs11Place::read_label(label).ok_or_else(|| {
            Failure::unable("seal", format!("{name}: unlocked by {label:?}"))
                .next("use the program that sealed it")
        })?;
        let place = Pkcs11Place { cryptoki: self.cryptoki()?, token, key };
        let pin = secrets.known(PIN, &format!("PIN of the token {:?}", place.token))?;
        let token = Pkcs11Token::open(&place, &pin);
        Ok(Seal::Token(Box::new(token.map_err(|error| token_failure(&error))?)))
    }

    /// The custodians whose shares unlock a vault: those of --share; otherwise those who act, those whose passphrases are in
    /// files, and those asked for.
    fn share_names(
        &self,
        header: &VaultHeader,
        threshold: u8,
        custodians: &[Identifier],
        acting: &[Identifier],
        secrets: &SecretFlags,
    ) -> Done<Vec<Identifier>> {
        let vault = &header.name;
        let all: Vec<&str> = custodians.iter().map(Identifier::as_str).collect();
        let named = if self.share.is_empty() { acting } else { &self.share };
        let mut names = named.to_vec();
        if self.share.is_empty() {
            let missing = usize::from(threshold).saturating_sub(names.len());
            let in_files =
                |name: &&Identifier| !acting.contains(name) && secrets.has(name.as_str());
            names.extend(custodians.iter().filter(in_files).take(missing).cloned());
        }
        if names.len() < usize::from(threshold)
            && self.share.is_empty()
            && io::stdin().is_terminal()
        {
            for number in names.len() + 1..=usize::from(threshold) {
                let what = format!(
                    "custodian {number} of {threshold} who open {vault} ({})",
                    all.join(", ")
                );
                names.push(ask_name(&what, "--share NAME")?);
            }
        }
        let known = names.iter().all(|name| custodians.contains(name));
        let different =
            names.iter().enumerate().all(|(place, name)| !names[..place].contains(name));
        if known && different && names.len() == usize::from(threshold) {
            return Ok(names);
        }
        let found: Vec<&str> = names.iter().map(Identifier::as_str).collect();
        let found = if found.is_empty() { "nobody".to_owned() } else { found.join(", ") };
        let message = format!(
            "{vault} opens only for {threshold} of its custodians together: expected {threshold} of {}, found {found}",
            all.join(", ")
        );
        let next = if header.kind == ModuleContents::KIND.number {
            "let two custodians start a service (prepay module serve --socket PATH), and give --socket PATH here; or let \
             that many be present now, and name each: --share NAME"
        } else {
            "let that many different custodians be present, and name each: --share NAME"
        };
        Err(Failure::unable("custodians", message).next(next))
    }

    /// The PKCS#11 library, unless this build can use none.
    fn cryptoki(&self) -> Done<PathBuf> {
        Pkcs11Token::supported().map_err(|error| token_failure(&error))?;
        self.pkcs11_library.clone().ok_or_else(|| {
            Failure::unable("flag", "the vault is unlocked by a hardware token")
                .next("give its library: --pkcs11-library PATH")
        })
    }
}

impl NewSealFlags {
    /// Makes what will unlock a vault, after [`NewSealFlags::check`]. `suffix` is appended to the names of secrets: `.new` if an old seal is replaced.
    pub(crate) fn make(
        &self,
        vault: &str,
        suffix: &str,
        insecure_test: bool,
        unlock: &UnlockFlags,
        secrets: &SecretFlags,
    ) -> Done<Seal> {
        match self.kind(insecure_test) {
            SealKind::Shares => {
                Ok(Seal::Shares { threshold: self.threshold.unwrap_or(2), given: Vec::new() })
            }
            SealKind::Passphrase => {
                let what = format!("new sealing passphrase of {vault}");
                Ok(Seal::Passphrase(secrets.fresh(&format!("{SEAL}{suffix}"), &what)?))
            }
            SealKind::KeyFile => {
                let path = self.key_file.as_ref().ok_or_else(|| {
                    Failure::unable(
                        "flag",
                        "path of the new key file: expected --new-key-file PATH, found nothing",
                    )
                    .next("give --new-key-file PATH, best on a removable medium")
                })?;
                let key = KeyFile::generate(&mut SystemEntropy)
                    .map_err(|error| Failure::broken("entropy", error))?;
                private_file::create(path, &key.encode()).map_err(|e| not_made(path, &e))?;
                Ok(Seal::KeyFile(key))
            }
            SealKind::Pkcs11 => {
                let token = self.token.clone().ok_or_else(|| {
                    Failure::unable(
                        "flag",
                        "label of the hardware token: expected --pkcs11-token LABEL, found nothing",
                    )
                    .next("give --pkcs11-token LABEL")
                })?;
                let key = self.key.clone().unwrap_or_else(|| format!("prepay-{vault}"));
                let place = Pkcs11Place { cryptoki: unlock.cryptoki()?, token, key };
                let what = format!("PIN of the token {:?}", place.token);
                let pin = secrets.known(&format!("{PIN}{suffix}"), &what)?;
                let made = match self.existing {
                    true => Pkcs11Token::open(&place, &pin),
                    false => Pkcs11Token::generate(&place, &pin),
                };
                Ok(Seal::Token(Box::new(made.map_err(|error| token_failure(&error))?)))
            }
        }
    }

    /// What is to unlock the vault.
    fn kind(&self, insecure_test: bool) -> SealKind {
        self.kind.unwrap_or(match insecure_test {
            true => SealKind::Passphrase,
            false => SealKind::Shares,
        })
    }

    /// Asks for a new passphrase if there is to be one, before anything is opened or made. [`NewSealFlags::make`] takes it.
    pub(crate) fn ask_ahead(
        &self,
        vault: &str,
        suffix: &str,
        insecure_test: bool,
        secrets: &SecretFlags,
    ) -> Done<()> {
        if self.kind(insecure_test) == SealKind::Passphrase {
            let what = format!("new sealing passphrase of {vault}");
            secrets.fresh_ahead(&format!("{SEAL}{suffix}"), &what)?;
        }
        Ok(())
    }

    /// Refuses flags that belong to another kind of seal, and a new key file that is there already.
    pub(crate) fn check(&self, insecure_test: bool) -> Done<()> {
        let kind = self.kind(insecure_test);
        let for_token = self.token.is_some() || self.key.is_some() || self.existing;
        let (flag, kind) = match kind {
            kind if kind != SealKind::KeyFile && self.key_file.is_some() => {
                ("--new-key-file", "key-file")
            }
            kind if kind != SealKind::Shares && self.threshold.is_some() => {
                ("--threshold", "shares")
            }
            kind if kind != SealKind::Pkcs11 && for_token => {
                ("--pkcs11-token, --pkcs11-key and --pkcs11-existing", "pkcs11")
            }
            _ => match &self.key_file {
                Some(path) if path.symlink_metadata().is_ok() => return Err(there(path)),
                _ => return Ok(()),
            },
        };
        let message = format!("{flag}: expected with --seal {kind} only, found without it");
        Err(Failure::unable("flag", message).next(format!("give --seal {kind}, or leave it out")))
    }

    /// Removes a new key file after a failure, and returns the failure. Keeps it if the vault may already be sealed
    /// under it. A key in a token always stays and can be used again.
    pub(crate) fn undo(&self, may_be_done: bool, failure: Failure) -> Failure {
        let (Some(SealKind::KeyFile), Some(path)) = (self.kind, &self.key_file) else {
            return failure;
        };
        if may_be_done {
            let path = path.display();
            return failure.next(format!(
                "keep {path} and what unlocked the vault before: one of the two unlocks it now"
            ));
        }
        let _ = std::fs::remove_file(path); // The first failure is the one to report.
        failure
    }
}

fn read_key_file(path: &Path) -> Done<KeyFile> {
    let bytes = private_file::read(path, KeyFile::LENGTH).map_err(|error| {
        let failure = Failure::unable("key_file", format!("{}: {error}", path.display()));
        match error.kind() {
            io::ErrorKind::PermissionDenied => {
                failure.next("make the key file yours alone: chown, chmod 600")
            }
            _ => failure,
        }
    })?;
    KeyFile::decode(&bytes).map_err(|error| {
        Failure::refused("key_file", format!("{}: {error}", path.display()))
            .next("use the spare copy of the key file")
    })
}

/// How long to wait for another process.
#[derive(Args, Clone, Debug)]
pub(crate) struct WaitFlags {
    /// How many seconds to wait for another process to close the vault.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 10,
        global = true,
        help_heading = "Vault"
    )]
    pub(crate) wait: u64,
}

impl WaitFlags {
    /// Opens the directory of an existing vault.
    pub(crate) fn open(&self, path: &Path) -> Done<Directory> {
        let most = Duration::from_secs(self.wait);
        Directory::open_waiting(path, most).map_err(|error| directory_failure(&error))
    }
}

/// Makes the directory of a new vault, which is `dir` or in it. Refuses a `dir` in which there is anything else: what
/// was meant for another purpose would lie beside the vault, and become private with it.
pub(crate) fn make_directory(dir: &Path, vault: &Path) -> Done<(Directory, NewDirectories)> {
    require_empty(dir, vault)?;
    Directory::create_new(vault).map_err(|error| directory_failure(&error))
}

/// Refuses a directory in which there is anything, for a new vault in it.
pub(crate) fn require_empty(dir: &Path, vault: &Path) -> Done<()> {
    let occupants =
        |path: &Path| Directory::occupants(path).map_err(|error| Failure::file(path, &error));
    let mut found = occupants(dir)?;
    // A command that was interrupted leaves the directory of a vault with nothing but a lock.
    if vault != dir && vault.symlink_metadata().is_ok_and(|vault| vault.is_dir()) {
        found.retain(|path| path != vault);
        found.extend(occupants(vault)?);
    }
    if let Some(found) = found.first() {
        let message =
            format!("{}: expected an empty directory, found {}", dir.display(), found.display());
        return Err(Failure::unable("not_empty", message).next("choose an empty directory"));
    }
    Ok(())
}

/// Why a directory cannot be used.
pub(crate) fn directory_failure(error: &DirectoryError) -> Failure {
    let failure = Failure::unable(error.code(), error);
    match error {
        DirectoryError::NotThere { .. } => failure.next("check --dir; init makes a new vault"),
        DirectoryError::NotPrivate { .. } => failure.next("make it yours alone: chown, chmod 700"),
        _ => failure,
    }
}

/// Why a vault did not open.
pub(crate) fn open_failure(path: &Path, error: &OpenError) -> Failure {
    let message = format!("{}: {error}", path.display());
    match error {
        OpenError::StoreLost => Failure::unable(error.code(), message).next(
            "put the file store back; if it is lost, keep the others, and restore a back-up into an empty directory: restore",
        ),
        OpenError::NotThere => {
            Failure::unable(error.code(), message).next("check --dir; init makes a new vault")
        }
        OpenError::Head { .. } | OpenError::Cut { .. } | OpenError::BadEntry(_) => {
            Failure::refused(error.code(), message).next(
                "keep every file as it is and call an auditor; then two custodians can accept what is lost: repair",
            )
        }
        OpenError::WentBack { expected, found, .. } if expected.sequence == found.sequence => {
            Failure::refused(error.code(), message).next(
                "use the directory that was opened last; if it is lost, call an auditor, then restore a back-up",
            )
        }
        OpenError::WentBack { .. } => Failure::refused(error.code(), message).next(
            "use the newest copy of the directory; if there is none, call an auditor, then two custodians can accept what \
             is lost: repair",
        ),
        OpenError::Shares { .. } => Failure::refused(error.code(), message)
            .next("let the custodians named in the message open it: --share NAME"),
        OpenError::Storage { .. } | OpenError::NoEntropy => Failure::broken(error.code(), message),
        OpenError::Vault(error) => vault_failure(error),
        _ => Failure::refused(error.code(), message),
    }
}

/// Why a vault was not made.
pub(crate) fn create_failure(path: &Path, error: &CreateError) -> Failure {
    let message = format!("{}: {error}", path.display());
    match error {
        CreateError::Vault(error) => vault_failure(error),
        CreateError::Storage { .. } => Failure::broken(error.code(), message),
        _ => Failure::unable(error.code(), message),
    }
}

/// Why a vault was not restored.
pub(crate) fn restore_failure(backup: &Path, place: &Path, error: &RestoreError) -> Failure {
    let refused = Failure::refused(error.code(), format!("{}: {error}", backup.display()));
    match error {
        RestoreError::Damaged { .. } => refused.next("use another copy of the back-up"),
        RestoreError::Custodians { .. } => refused.next("let these two custodians restore it"),
        RestoreError::WrongSecret => {
            refused.next("enter the two passphrases that were chosen when the back-up was made")
        }
        RestoreError::Create(error) => create_failure(place, error),
        _ => refused,
    }
}

/// Why a hardware token cannot be used.
pub(crate) fn token_failure(error: &Pkcs11Error) -> Failure {
    match error {
        Pkcs11Error::Pin | Pkcs11Error::PinLocked | Pkcs11Error::Wrapped => {
            Failure::refused(error.code(), error)
        }
        error => Failure::unable(error.code(), error),
    }
}
