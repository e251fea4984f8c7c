//! What unlocks a vault, and how secrets are wiped from memory.
//!
//! | protector  | the master key is sealed under |
//! |------------|--------------------------------|
//! | passphrase | a key derived from it with Argon2id |
//! | key file   | the 32 random bytes in the file |
//! | wrapper    | a key of a hardware token |
//! | shares     | keys from the passphrases of several custodians together (`shares.rs`) |
//!
//! - Source of the default cost: RFC 9106, second recommended option (64 MiB, three passes), but with one lane.
//! - Elsewhere: a wrapper for PKCS#11, and key files on the disk (`prepay-host`).

use std::fmt;
use std::hint::black_box;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use super::Protector;
use prepay_basics::codec::{DecodeError, Reader, Writer};
use prepay_basics::{Entropy, Identifier, NoEntropy};

/// A passphrase. It is wiped and never shown.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// The bytes.
    pub fn expose_bytes(&self) -> &[u8] {
        &self.0
    }

    /// A copy, which is wiped too.
    pub fn copy(&self) -> Self {
        Self(self.0.clone())
    }
}

impl From<String> for Secret {
    /// Takes the text without making a copy.
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

impl From<Vec<u8>> for Secret {
    /// Takes the bytes without making a copy.
    fn from(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

/// A key of 256 bits that stays in one place in memory and is wiped.
pub(super) struct Key(Box<[u8; 32]>);

impl Key {
    /// A key for [`Key::bytes`] to fill.
    pub(super) fn zero() -> Self {
        Self(Box::new([0; 32]))
    }

    pub(super) fn random(entropy: &mut dyn Entropy) -> Result<Self, NoEntropy> {
        let mut key = Self::zero();
        entropy.fill(&mut *key.0)?;
        Ok(key)
    }

    pub(super) fn bytes(&mut self) -> &mut [u8; 32] {
        &mut self.0
    }

    pub(super) fn expose_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// A file that unlocks a vault.
///
/// ```text
///  PREPAY-KEY 1\n   13 bytes
///  key              32 bytes
///  SHA-256 of everything before
/// ```
pub struct KeyFile(Key);

impl KeyFile {
    const MAGIC: &[u8] = b"PREPAY-KEY 1\n";

    /// The length of the file in bytes.
    pub const LENGTH: usize = Self::MAGIC.len() + 64;

    /// A new key.
    ///
    /// # Errors
    ///
    /// [`NoEntropy`] if the source failed.
    pub fn generate(entropy: &mut dyn Entropy) -> Result<Self, NoEntropy> {
        Key::random(entropy).map(Self)
    }

    /// The file's bytes.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut writer = Writer::with_capacity(Self::LENGTH);
        writer.array(Self::MAGIC);
        writer.array(self.0.expose_bytes());
        let sum = Sha256::digest(writer.as_slice());
        writer.array(&sum);
        writer.into_bytes()
    }

    /// Reads the file's bytes.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if they are not a key file, or it is damaged.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let error = reader.error("a key file of version 1");
        if reader.take(Self::MAGIC.len())? != Self::MAGIC {
            return Err(error);
        }
        let mut key = Key::zero();
        key.bytes().copy_from_slice(reader.take(32)?);
        let error = reader.error("the checksum of the file");
        let sum = Sha256::digest(&bytes[..bytes.len() - reader.left()]);
        if reader.take(32)? != &sum[..] {
            return Err(error);
        }
        reader.finish()?;
        Ok(Self(key))
    }

    pub(super) fn key(&self) -> &Key {
        &self.0
    }
}

/// Something that can seal and unseal 32 bytes, such as a hardware token.
pub trait KeyWrapper {
    /// A label to find it by: at most 200 printable bytes.
    fn label(&self) -> &str;

    /// Seals a key.
    ///
    /// # Errors
    ///
    /// [`WrapError`] if it fails.
    fn wrap(&self, key: &[u8; 32]) -> Result<Vec<u8>, WrapError>;

    /// Unseals a key.
    ///
    /// # Errors
    ///
    /// [`WrapError`] if it fails, or did not seal the key.
    fn unwrap(&self, wrapped: &[u8]) -> Result<Zeroizing<[u8; 32]>, WrapError>;
}

/// The wrapper failed, or did not seal the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrapError {
    /// What it reported.
    pub problem: String,
}

impl fmt::Display for WrapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

impl std::error::Error for WrapError {}

/// What unlocks a vault.
#[derive(Clone, Copy)]
pub enum Unlock<'a> {
    /// A passphrase.
    Passphrase(&'a Secret),
    /// A key file.
    KeyFile(&'a KeyFile),
    /// A wrapper, such as a hardware token.
    Wrapper(&'a dyn KeyWrapper),
    /// The passphrases of several custodians together.
    Shares {
        /// To seal: how many custodians will open the vault together. All custodians get a share.
        threshold: u8,
        /// To open: as many custodians as the vault asks for, with their passphrases.
        given: &'a [(Identifier, Secret)],
    },
}

impl Unlock<'_> {
    /// What it is, without its secret.
    pub fn protector(&self) -> Protector {
        match self {
            Self::Passphrase(_) => Protector::Passphrase,
            Self::KeyFile(_) => Protector::KeyFile,
            Self::Wrapper(wrapper) => Protector::Wrapper { label: wrapper.label().to_owned() },
            Self::Shares { threshold, given } => Protector::Shares {
                threshold: *threshold,
                custodians: given.iter().map(|(name, _)| name.clone()).collect(),
            },
        }
    }
}

/// How much work Argon2id makes each guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    /// RFC 9106, second recommended option, with one lane.
    const USUAL: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 1 };
    /// As little as possible, for tests.
    const INSECURE: Self = Self { memory_kib: 8, passes: 1, lanes: 1 };

    pub(super) const fn new(insecure_test: bool) -> Self {
        if insecure_test { Self::INSECURE } else { Self::USUAL }
    }

    pub(super) fn encode(self, writer: &mut Writer) {
        writer.u32(self.memory_kib);
        writer.u32(self.passes);
        writer.u32(self.lanes);
    }

    /// Reads a cost, within bounds: 8 KiB to 1 GiB, 1 to 16 passes, 1 to 16 lanes.
    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let error = reader.error("a cost of Argon2id within bounds");
        let [memory_kib, passes, lanes] = [reader.u32()?, reader.u32()?, reader.u32()?];
        let fits = (8..=1 << 20).contains(&memory_kib)
            && (1..=16).contains(&passes)
            && (1..=16).contains(&lanes)
            && memory_kib >= 8 * lanes;
        if fits { Ok(Self { memory_kib, passes, lanes }) } else { Err(error) }
    }

    /// Derives a key from a passphrase, slowly.
    pub(super) fn derive(self, passphrase: &[u8], salt: &[u8; 16]) -> Key {
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32))
            .expect("the cost is within bounds");
        let mut memory = Zeroizing::new(vec![Block::default(); params.block_count()]);
        let mut key = Key::zero();
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(passphrase, salt, key.bytes(), &mut memory[..])
            .expect("passphrases are shorter than 4 GiB, and salt and output fit");
        scrub_stack();
        key
    }
}

/// Overwrites what earlier calls may have left on the stack: moved keys, round keys, hash buffers.
#[inline(never)]
pub fn scrub_stack() {
    scrub::<{ 12 * 1024 }>();
}

/// As [`scrub_stack`], after calls that are not deep and happen often, such as deriving a key.
#[inline(never)]
pub fn scrub_short_calls() {
    scrub::<{ 2 * 1024 }>();
}

fn scrub<const WORDS: usize>() {
    let mut depth = [0_u64; WORDS];
    black_box(&mut depth).zeroize();
    black_box(&depth);
}
