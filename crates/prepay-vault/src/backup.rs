//! A back-up: a vault's contents and people, encrypted under the passphrases of two custodians together.
//!
//! ```text
//!  PREPAY-BACKUP 4\n   16 bytes
//!  kind, test, id, name
//!  moment              seconds, u64
//!  custodians          two names, in rising order
//!  cost, salt, nonce   the key is Argon2id over both passphrases, each with its length, in that order
//!  contents            length, AES-256-GCM ciphertext, tag; everything before is authenticated too
//!  SHA-256             of everything before
//! ```
//!
//! Restoring must not give limits back: a back-up does not contain what was issued after it was made. So the contents
//! of a restored vault are told, and a module issues nothing under its keys until they are loaded again, unless two
//! custodians accept the limits as they were. The log is not in the back-up: the log of the restored vault continues
//! from the entry that the back-up names, under a new vault number.
//!
//! - Form: `docs/formats/vault.md`.

use super::audit::LogHeader;
use super::body::{self, Body};
use super::opening::{self, Beginning};
use super::seal;
use super::secret::{Cost, Key, scrub_stack};
use super::timeline::Timeline;
use super::{
    By, Contents, CreateError, Quorum, RestoreError, Secret, Unlock, UserError, Vault, VaultEntry,
    VaultError, VaultHeader,
};
use crate::VaultStorage;
use prepay_basics::codec::{DecodeError, Reader, Writer};
use prepay_basics::{Entropy, Identifier, Moment};

const MAGIC: &[u8] = b"PREPAY-BACKUP 4\n";
/// The version of a back-up.
pub(super) const VERSION: char = MAGIC[MAGIC.len() - 2] as char;

/// What to do with the limits in a back-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoredLimits {
    /// Issue nothing under a key until it is loaded again.
    Stopped,
    /// Accept them as they were when the back-up was made. Both custodians are responsible: nothing was issued since,
    /// or it may be issued again.
    Accepted,
}

/// The plain part of a back-up.
struct BackupHeader {
    header: VaultHeader,
    moment: Moment,
    custodians: [Identifier; 2],
    cost: Cost,
    salt: [u8; 16],
    nonce: [u8; 12],
}

impl BackupHeader {
    fn encode(&self, writer: &mut Writer) {
        writer.array(MAGIC);
        writer.u8(self.header.kind);
        writer.bool(self.header.insecure_test);
        writer.array(&self.header.id);
        writer.text(self.header.name.as_str());
        writer.u64(self.moment.unix_seconds());
        self.custodians.iter().for_each(|name| writer.text(name.as_str()));
        self.cost.encode(writer);
        writer.array(&self.salt);
        writer.array(&self.nonce);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.take(MAGIC.len())?;
        let kind = reader.u8()?;
        let insecure_test = reader.bool()?;
        let id = reader.array()?;
        let name = reader.parse("a name")?;
        let error = reader.error("a moment");
        let moment = Moment::from_unix_seconds(reader.u64()?).ok_or(error)?;
        let error = reader.error("two names in rising order");
        let custodians = [reader.parse("a custodian")?, reader.parse("a custodian")?];
        if custodians[0] >= custodians[1] {
            return Err(error);
        }
        let cost = Cost::decode(reader)?;
        let (salt, nonce) = (reader.array()?, reader.array()?);
        let header = VaultHeader { kind, id, name, insecure_test };
        Ok(Self { header, moment, custodians, cost, salt, nonce })
    }
}

/// The key of a back-up to make, and everything that it depends on.
pub(super) struct BackupKey {
    custodians: [Identifier; 2],
    cost: Cost,
    salt: [u8; 16],
    nonce: [u8; 12],
    key: Key,
}

impl BackupKey {
    /// Derives it, slowly, from the passphrases of custodians in the same order.
    pub(super) fn derive(
        names: [&Identifier; 2],
        passphrases: [&Secret; 2],
        insecure_test: bool,
        entropy: &mut dyn Entropy,
    ) -> Result<Self, VaultError> {
        for passphrase in passphrases {
            seal::check_length(passphrase.expose_bytes(), insecure_test)?;
        }
        let (mut names, mut passphrases) = (names, passphrases);
        if names[0] > names[1] {
            names.swap(0, 1);
            passphrases.swap(0, 1);
        }
        let (cost, salt) = (Cost::new(insecure_test), seal::fresh(entropy)?);
        let (nonce, key) = (seal::fresh(entropy)?, derive(cost, &salt, passphrases));
        Ok(Self { custodians: names.map(Identifier::clone), cost, salt, nonce, key })
    }
}

/// The key of a back-up, from passphrases in the order of the names.
fn derive(cost: Cost, salt: &[u8; 16], passphrases: [&Secret; 2]) -> Key {
    let mut writer = Writer::new();
    passphrases.iter().for_each(|one| writer.bytes(one.expose_bytes()));
    cost.derive(writer.as_slice(), salt)
}

/// The plain part of a back-up: as values, as the bytes authenticated with the contents; and the encrypted contents.
fn read<C: Contents>(file: &[u8]) -> Result<(BackupHeader, &[u8], &[u8]), RestoreError> {
    if !file.starts_with(MAGIC) {
        return Err(RestoreError::NotABackup);
    }
    let bytes = seal::checked(file)
        .ok_or_else(|| RestoreError::Damaged { problem: "the checksum is wrong".to_owned() })?;
    let mut reader = Reader::new(bytes);
    let backup = BackupHeader::decode(&mut reader)?;
    if backup.header.kind != C::KIND.number {
        let found = backup.header.kind;
        return Err(RestoreError::Kind { expected: C::KIND, found });
    }
    let beginning = &bytes[..bytes.len() - reader.left()];
    let ciphertext = reader.bytes()?;
    reader.finish()?;
    Ok((backup, beginning, ciphertext))
}

impl<C: Contents> Vault<C> {
    /// What a back-up says about its vault without a secret. It does not contain what unlocked the vault.
    ///
    /// # Errors
    ///
    /// [`RestoreError`] if it is not the back-up of such a vault, or damaged.
    pub fn look_at_backup(file: &[u8]) -> Result<VaultHeader, RestoreError> {
        Ok(read::<C>(file)?.0.header)
    }

    /// Makes a back-up. Each of the two custodians gives it a passphrase, in the order of [`Quorum::names`].
    ///
    /// # Errors
    ///
    /// [`VaultError`]; there is no back-up then.
    pub fn backup(
        &mut self,
        quorum: &Quorum,
        passphrases: [&Secret; 2],
        now: Moment,
    ) -> Result<Vec<u8>, VaultError> {
        self.authorize_two(quorum)?;
        let insecure_test = self.header().insecure_test;
        let key = BackupKey::derive(quorum.names(), passphrases, insecure_test, self.entropy())?;
        self.seal_backup(quorum, key, now)
    }

    /// Makes a back-up under a key that is derived already.
    pub(super) fn seal_backup(
        &mut self,
        quorum: &Quorum,
        key: BackupKey,
        now: Moment,
    ) -> Result<Vec<u8>, VaultError> {
        self.authorize_two(quorum)?;
        self.check_ready(now)?;
        let BackupKey { custodians, cost, salt, nonce, key } = key;
        let header = self.header().clone();
        let header = BackupHeader { header, moment: now, custodians, cost, salt, nonce };
        self.flush()?;
        let anchor = self.journal().queue().position;
        let entry = VaultEntry::BackedUp { sequence: anchor.sequence };
        self.put(Some(By::Two(quorum)), &entry, 0, now)?;
        self.flush()?;

        let mut contents = Writer::with_capacity(4096);
        let Self { log_key, log_header, people, .. } = &*self;
        let (window, latest, outbox) = (anchor, self.latest_time(), [].as_slice());
        let witness = None; // That of a restored vault is another.
        let segments = &[]; // They stay with the old log.
        let parts = body::Parts {
            log_key,
            log_header,
            segments,
            anchor,
            window,
            outbox,
            latest,
            witness,
            people,
        };
        parts.encode(&mut contents);
        self.contents().encode(&mut contents);
        let mut writer = Writer::with_capacity(512 + contents.len());
        header.encode(&mut writer);
        let file = seal::finish(writer, &key, &header.nonce, &mut contents.into_bytes());
        drop(key);
        scrub_stack();
        Ok(file)
    }

    /// Makes a vault from a back-up, in empty storage, with new protection. Its people, their passphrases and its name
    /// are those of the back-up.
    ///
    /// # Errors
    ///
    /// [`RestoreError`]. No vault was made, unless the storage failed half-way.
    pub fn restore(
        storage: Box<dyn VaultStorage>,
        entropy: Box<dyn Entropy>,
        file: &[u8],
        custodians: [(&Identifier, &Secret); 2],
        unlock: Unlock<'_>,
        limits: RestoredLimits,
        now: Moment,
    ) -> Result<Self, RestoreError> {
        Self::restore_anew(storage, entropy, file, custodians, None, unlock, limits, now)
    }

    /// As [`Vault::restore`], and sets new passphrases for the two custodians, in the order in which they are given. What
    /// authorises them are their two passphrases of the back-up. The log has an entry for each.
    ///
    /// # Errors
    ///
    /// [`RestoreError`]. No vault was made, unless the storage failed half-way.
    #[allow(clippy::too_many_arguments, reason = "each is another decision of who restores")]
    pub fn restore_anew(
        mut storage: Box<dyn VaultStorage>,
        mut entropy: Box<dyn Entropy>,
        file: &[u8],
        custodians: [(&Identifier, &Secret); 2],
        new: Option<[&Secret; 2]>,
        unlock: Unlock<'_>,
        limits: RestoredLimits,
        now: Moment,
    ) -> Result<Self, RestoreError> {
        opening::require_empty(&mut *storage)?;
        let names = custodians.map(|(name, _)| name);
        let (backup, beginning, ciphertext) = read::<C>(file)?;
        let mut custodians = custodians;
        custodians.sort_by_key(|&(name, _)| name.clone());
        if custodians.map(|(name, _)| name.clone()) != backup.custodians {
            return Err(RestoreError::Custodians { expected: backup.custodians });
        }
        let passphrases = custodians.map(|(_, passphrase)| passphrase);
        let key = derive(backup.cost, &backup.salt, passphrases);
        let text = seal::open(&key, &backup.nonce, beginning, ciphertext)
            .ok_or(RestoreError::WrongSecret)?;
        let mut reader = Reader::new(&text);
        let body = Body::decode(backup.header.id, &mut reader)?;
        let mut contents = Box::new(C::decode(&mut reader)?);
        reader.finish()?;
        drop(key);
        contents.restored(limits);
        contents.without_files();
        let refuse = |error: VaultError| CreateError::from(error);
        for passphrase in new.iter().flatten() {
            seal::check_length(passphrase.expose_bytes(), backup.header.insecure_test)
                .map_err(refuse)?;
        }
        if new.is_some()
            && !backup.header.insecure_test
            && Timeline::new(body.latest).is_behind(now)
        {
            let error = VaultError::ClockBehind { expected: body.latest, found: now };
            return Err(refuse(error).into());
        }

        let id = seal::fresh(&mut *entropy)
            .map_err(|error| CreateError::from(VaultError::from(error)))?;
        let (sequence, hash) = (body.anchor.sequence, body.anchor.hash);
        let beginning = Beginning {
            header: VaultHeader { id, ..backup.header.clone() },
            people: body.people,
            latest: body.latest,
            contents,
            log_header: LogHeader { id, sequence, hash },
            actors: backup.custodians.to_vec(),
            entry: VaultEntry::Restored {
                vault: backup.header.id,
                backed_up: backup.moment,
                limits_accepted: limits == RestoredLimits::Accepted,
            },
        };
        let mut vault = Self::begin(storage, entropy, &unlock, beginning, now)?;
        if let Some(new) = new {
            vault.replace_both(names, new, now).map_err(|error| match error {
                UserError::Vault(error) => RestoreError::from(refuse(error)),
                _ => RestoreError::Custodians { expected: backup.custodians },
            })?;
        }
        drop(body.log_key);
        drop(text);
        scrub_stack();
        Ok(vault)
    }
}
