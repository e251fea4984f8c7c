//! The sealed store: what is plain, what is encrypted, and what unlocks it.
//!
//! ```text
//!  PREPAY-VAULT 4\n    15 bytes
//!  kind, test          2 bytes
//!  id                  16 bytes
//!  name                text
//!  protector           1 byte and its data
//!  nonce               12 bytes
//!  contents            length, AES-256-GCM ciphertext, tag; everything before is authenticated too
//!  SHA-256             of everything before: shows damage before anyone enters a passphrase
//! ```
//!
//! - Form: `docs/formats/vault.md`.
//! - Elsewhere: the contents (`body.rs`).

use std::fmt;

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce, Tag};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::secret::{Cost, Key, Unlock};
use super::shares::{ShareKey, SharedMaster};
use super::{OpenError, VaultError, WrapError};
use prepay_basics::codec::{DecodeError, Reader, Writer};
use prepay_basics::{Entropy, Identifier, NoEntropy};

const MAGIC: &[u8] = b"PREPAY-VAULT 4\n";
const FAMILY: &[u8] = b"PREPAY-VAULT ";
/// The version of a store.
pub(super) const VERSION: char = MAGIC[FAMILY.len()] as char;
const NONCE: usize = 12;
const TAG: usize = 16;
const SUM: usize = 32;

/// The longest label of a wrapper, in bytes.
const MAX_LABEL: usize = 200;

/// The kind of a vault: a number, which the store contains, and a name for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kind {
    /// The number, different for each kind.
    pub number: u8,
    /// The name.
    pub name: &'static str,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name)
    }
}

/// What is known about a vault without unlocking it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultHeader {
    /// The number of its kind.
    pub kind: u8,
    /// Its unique number.
    pub id: [u8; 16],
    /// Its name.
    pub name: Identifier,
    /// Whether it is for tests, so that its passphrases may be short and are quickly guessed.
    pub insecure_test: bool,
}

/// What unlocks a vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protector {
    /// A passphrase.
    Passphrase,
    /// A key file.
    KeyFile,
    /// A wrapper, such as a hardware token.
    Wrapper {
        /// Its label, by which it is found again.
        label: String,
    },
    /// The passphrases of several custodians together.
    Shares {
        /// How many of them.
        threshold: u8,
        /// All who have a share.
        custodians: Vec<Identifier>,
    },
}

impl fmt::Display for Protector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passphrase => f.pad("passphrase"),
            Self::KeyFile => f.pad("key file"),
            Self::Wrapper { label } => write!(f, "wrapper ({label})"),
            Self::Shares { threshold, .. } => write!(f, "shares of {threshold} custodians"),
        }
    }
}

/// The master key, sealed under what unlocks the vault.
#[derive(Clone)]
pub(super) enum SealedMaster {
    Passphrase { cost: Cost, salt: [u8; 16], sealed: SealedKey },
    KeyFile { sealed: SealedKey },
    Wrapper { label: String, wrapped: Vec<u8> },
    Shares(SharedMaster),
}

/// A key sealed under another.
#[derive(Clone)]
pub(super) struct SealedKey {
    nonce: [u8; NONCE],
    bytes: [u8; 32 + TAG],
}

/// Encrypts in place and appends the tag.
pub(super) fn encipher(key: &Key, nonce: &[u8; NONCE], aad: &[u8], text: &mut [u8]) -> [u8; TAG] {
    let cipher = Aes256Gcm::new(key.expose_bytes().into());
    let tag = cipher
        .encrypt_inout_detached(&Nonce::from(*nonce), aad, text.into())
        .expect("the text is shorter than 64 GiB");
    tag.into()
}

/// Decrypts in place, if the tag is right.
pub(super) fn decipher(
    key: &Key,
    nonce: &[u8; NONCE],
    aad: &[u8],
    text: &mut [u8],
    tag: &[u8; TAG],
) -> bool {
    let cipher = Aes256Gcm::new(key.expose_bytes().into());
    let nonce = Nonce::from(*nonce);
    cipher.decrypt_inout_detached(&nonce, aad, text.into(), &Tag::from(*tag)).is_ok()
}

/// Fresh bytes.
pub(super) fn fresh<const N: usize>(entropy: &mut dyn Entropy) -> Result<[u8; N], NoEntropy> {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes)?;
    Ok(bytes)
}

impl SealedKey {
    pub(super) fn seal(
        under: &Key,
        key: &Key,
        id: &[u8],
        entropy: &mut dyn Entropy,
    ) -> Result<Self, NoEntropy> {
        let nonce = fresh(entropy)?;
        let mut bytes = [0; 32 + TAG];
        bytes[..32].copy_from_slice(key.expose_bytes());
        let tag = encipher(under, &nonce, &Self::aad(id), &mut bytes[..32]);
        bytes[32..].copy_from_slice(&tag);
        Ok(Self { nonce, bytes })
    }

    pub(super) fn open(&self, under: &Key, id: &[u8]) -> Option<Key> {
        let (text, tag) = self.bytes.split_last_chunk()?;
        let mut key = Key::zero();
        key.bytes().copy_from_slice(text);
        decipher(under, &self.nonce, &Self::aad(id), key.bytes(), tag).then_some(key)
    }

    fn aad(id: &[u8]) -> Vec<u8> {
        [b"prepay vault master key".as_slice(), id].concat()
    }

    pub(super) fn encode(&self, writer: &mut Writer) {
        writer.array(&self.nonce);
        writer.array(&self.bytes);
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { nonce: reader.array()?, bytes: reader.array()? })
    }
}

impl SealedMaster {
    /// Seals a master key. The custodians, in the order of their names, are for shares.
    pub(super) fn seal(
        unlock: &Unlock<'_>,
        master: &Key,
        header: &VaultHeader,
        custodians: &[(&Identifier, &ShareKey)],
        entropy: &mut dyn Entropy,
    ) -> Result<Self, VaultError> {
        let id = &header.id;
        Ok(match unlock {
            Unlock::Passphrase(passphrase) => {
                check_length(passphrase.expose_bytes(), header.insecure_test)?;
                let cost = Cost::new(header.insecure_test);
                let salt = fresh(entropy)?;
                let under = cost.derive(passphrase.expose_bytes(), &salt);
                let sealed = SealedKey::seal(&under, master, id, entropy)?;
                Self::Passphrase { cost, salt, sealed }
            }
            Unlock::KeyFile(file) => {
                Self::KeyFile { sealed: SealedKey::seal(file.key(), master, id, entropy)? }
            }
            Unlock::Wrapper(wrapper) => {
                let label = wrapper.label().to_owned();
                // The wrapper is found again by this label, so it is never truncated.
                if label.len() > MAX_LABEL || label.chars().any(char::is_control) {
                    let problem = format!(
                        "label of the wrapper: expected at most {MAX_LABEL} bytes that print, found {label:?}"
                    );
                    return Err(WrapError { problem }.into());
                }
                Self::Wrapper { label, wrapped: wrapper.wrap(master.expose_bytes())? }
            }
            Unlock::Shares { threshold, .. } => {
                Self::Shares(SharedMaster::seal(*threshold, master, header, custodians, entropy)?)
            }
        })
    }

    /// Opens the master key.
    pub(super) fn open(&self, unlock: &Unlock<'_>, header: &VaultHeader) -> Result<Key, OpenError> {
        let id = &header.id;
        match (self, unlock) {
            (Self::Passphrase { cost, salt, sealed }, Unlock::Passphrase(passphrase)) => {
                let under = cost.derive(passphrase.expose_bytes(), salt);
                sealed.open(&under, id).ok_or(OpenError::WrongSecret)
            }
            (Self::KeyFile { sealed }, Unlock::KeyFile(file)) => {
                sealed.open(file.key(), id).ok_or(OpenError::WrongSecret)
            }
            (Self::Wrapper { wrapped, .. }, Unlock::Wrapper(wrapper)) => {
                let bytes = wrapper.unwrap(wrapped).map_err(OpenError::Wrapper)?;
                let mut key = Key::zero();
                key.bytes().copy_from_slice(&*bytes);
                Ok(key)
            }
            (Self::Shares(shared), Unlock::Shares { given, .. }) => shared.open(given, header),
            _ => {
                Err(OpenError::Protector { expected: self.protector(), found: unlock.protector() })
            }
        }
    }

    /// What unlocks it.
    pub(super) fn protector(&self) -> Protector {
        match self {
            Self::Passphrase { .. } => Protector::Passphrase,
            Self::KeyFile { .. } => Protector::KeyFile,
            Self::Wrapper { label, .. } => Protector::Wrapper { label: label.clone() },
            Self::Shares(shared) => {
                Protector::Shares { threshold: shared.threshold, custodians: shared.names() }
            }
        }
    }

    fn encode(&self, writer: &mut Writer) {
        match self {
            Self::Passphrase { cost, salt, sealed } => {
                writer.u8(1);
                cost.encode(writer);
                writer.array(salt);
                sealed.encode(writer);
            }
            Self::KeyFile { sealed } => {
                writer.u8(2);
                sealed.encode(writer);
            }
            Self::Wrapper { label, wrapped } => {
                writer.u8(3);
                writer.text(label);
                writer.bytes(wrapped);
            }
            Self::Shares(shared) => {
                writer.u8(4);
                shared.encode(writer);
            }
        }
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let error = reader.error("a kind of protector");
        Ok(match reader.u8()? {
            1 => Self::Passphrase {
                cost: Cost::decode(reader)?,
                salt: reader.array()?,
                sealed: SealedKey::decode(reader)?,
            },
            2 => Self::KeyFile { sealed: SealedKey::decode(reader)? },
            3 => Self::Wrapper {
                label: reader.text()?.to_owned(),
                wrapped: reader.bytes()?.to_owned(),
            },
            4 => Self::Shares(SharedMaster::decode(reader)?),
            _ => return Err(error),
        })
    }
}

/// Checks the length of a passphrase: at least 12 bytes, or one in vaults for tests.
pub(super) fn check_length(passphrase: &[u8], insecure_test: bool) -> Result<(), VaultError> {
    let expected = if insecure_test { 1 } else { 12 };
    if passphrase.len() < expected {
        return Err(VaultError::ShortPassphrase { expected });
    }
    Ok(())
}

/// Seals contents into a store.
pub(super) fn write(
    header: &VaultHeader,
    sealed_master: &SealedMaster,
    master: &Key,
    nonce: &[u8; NONCE],
    contents: Writer,
) -> Vec<u8> {
    let mut contents = contents.into_bytes();
    let mut writer = Writer::with_capacity(512 + contents.len());
    writer.array(MAGIC);
    writer.u8(header.kind);
    writer.bool(header.insecure_test);
    writer.array(&header.id);
    writer.text(header.name.as_str());
    sealed_master.encode(&mut writer);
    writer.array(nonce);
    finish(writer, master, nonce, &mut contents)
}

/// Encrypts contents after a plain part that is authenticated with them, and appends the checksum.
pub(super) fn finish(
    mut writer: Writer,
    key: &Key,
    nonce: &[u8; NONCE],
    contents: &mut [u8],
) -> Vec<u8> {
    let tag = encipher(key, nonce, writer.as_slice(), contents);
    writer.u32(u32::try_from(contents.len() + TAG).expect("less than 4 GiB"));
    writer.array(contents);
    writer.array(&tag);
    let sum = Sha256::digest(writer.as_slice());
    writer.array(&sum);
    writer.as_slice().to_vec()
}

/// A store that was read but is still sealed.
pub(super) struct Sealed<'a> {
    pub(super) header: VaultHeader,
    pub(super) master: SealedMaster,
    beginning: &'a [u8],
    nonce: [u8; NONCE],
    ciphertext: &'a [u8],
}

/// Removes the checksum, if it is right.
pub(super) fn checked(bytes: &[u8]) -> Option<&[u8]> {
    let (bytes, sum) = bytes.split_last_chunk::<SUM>()?;
    (Sha256::digest(bytes)[..] == *sum).then_some(bytes)
}

/// Decrypts contents after a plain part that is authenticated with them.
pub(super) fn open(
    key: &Key,
    nonce: &[u8; NONCE],
    beginning: &[u8],
    ciphertext: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let (text, tag) = ciphertext.split_last_chunk::<TAG>()?;
    let mut text = Zeroizing::new(text.to_vec());
    decipher(key, nonce, beginning, &mut text, tag).then_some(text)
}

impl<'a> Sealed<'a> {
    /// Reads a store.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, OpenError> {
        if !bytes.starts_with(FAMILY) {
            return Err(OpenError::NotAVault);
        }
        if !bytes.starts_with(MAGIC) {
            return Err(OpenError::Version);
        }
        let body = checked(bytes)
            .ok_or_else(|| OpenError::Damaged { problem: "the checksum is wrong".to_owned() })?;
        let mut reader = Reader::new(body);
        reader.take(MAGIC.len())?;
        let kind = reader.u8()?;
        let insecure_test = reader.bool()?;
        let id = reader.array()?;
        let name = reader.parse("a name")?;
        let master = SealedMaster::decode(&mut reader)?;
        let header = VaultHeader { kind, id, name, insecure_test };
        let nonce = reader.array()?;
        let beginning = &body[..body.len() - reader.left()];
        let ciphertext = reader.bytes()?;
        reader.finish()?;
        Ok(Self { header, master, beginning, nonce, ciphertext })
    }

    /// Unlocks it: the master key and the contents.
    pub(super) fn open(&self, unlock: &Unlock<'_>) -> Result<(Key, Zeroizing<Vec<u8>>), OpenError> {
        let master = self.master.open(unlock, &self.header)?;
        let contents = open(&master, &self.nonce, self.beginning, self.ciphertext);
        let damaged =
            || OpenError::Damaged { problem: "the sealed contents were changed".to_owned() };
        Ok((master, contents.ok_or_else(damaged)?))
    }
}
