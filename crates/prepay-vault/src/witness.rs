//! The witness: a small record outside the vault's storage that says how far the audit log had come. It shows that an
//! older copy of a vault was put back, and that a copy is used elsewhere.
//!
//! ```text
//!  PREPAY-WITNESS 1\n  17 bytes
//!  vault               16
//!  witness             16     its number, which the sealed contents name
//!  opening             16     the opening of the vault that wrote it
//!  sequence            u64    the last entry
//!  hash                32     of the last entry
//!  MAC                 32     HMAC-SHA-256 under the log key, of everything before
//! ```
//!
//! | when | what the vault does |
//! |------|---------------------|
//! | at opening | its log must have the entry of the witness; then it writes a record of its own opening |
//! | keys, people, protection | the record must be the one that this opening wrote last; it writes a new one before the answer |
//! | tokens and sign-ins | the same, if the last record is [`SECONDS`] old by the vault's clock |
//! | when it is locked or closed | the same, if there are entries since |
//!
//! So an older copy is noticed if it lacks more than was written in the last [`SECONDS`], and of two copies that are used at
//! the same time, the one opened first stops at its next record.
//!
//! - A vault whose witness is lost, damaged or another one opens for reading. It changes nothing until two custodians name
//!   another witness.
//! - Form: `docs/formats/vault.md`.
//! - Elsewhere: how a record is kept ([`VaultStorage`](crate::VaultStorage)).

use std::fmt;
use std::sync::Arc;

use subtle::ConstantTimeEq;

use super::audit::AuditMark;
use super::journal::{Disk, Journal};
use super::record::{LogMac, Position};
use super::{
    By, Contents, OpenError, Quorum, RestoredLimits, SharedVault, Vault, VaultEntry, VaultError,
    seal,
};
use crate::VaultStorage;
use prepay_basics::Moment;
use prepay_basics::codec::{DecodeError, Reader, Writer};

const MAGIC: &[u8] = b"PREPAY-WITNESS 1\n";

/// How old a record may be when a token is answered, in seconds.
const SECONDS: u64 = 10;

/// The longest place of a witness, in bytes.
const LONGEST_PLACE: usize = 1000;

/// The witness that a vault must have. In the sealed contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) number: [u8; 16],
    pub(super) place: String,
}

/// A record of a witness.
struct Testimony {
    vault: [u8; 16],
    witness: [u8; 16],
    opening: [u8; 16],
    last: AuditMark,
}

/// What a witness says when a vault is opened.
pub(super) struct Heard<'a> {
    /// Nothing if there is none, or it cannot be asked.
    pub(super) said: Option<Said<'a>>,
    /// Why it cannot be asked.
    pub(super) fault: Option<String>,
}

/// The entry that the log must have.
#[derive(Clone, Copy)]
pub(super) struct Said<'a> {
    place: &'a str,
    pub(super) last: AuditMark,
}

/// The record that this opening wrote last.
pub(super) struct Watch {
    named: Named,
    opening: [u8; 16],
    record: Vec<u8>,
    last: AuditMark,
    at: Moment,
}

/// The witness of a vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessReport {
    /// Its place.
    pub place: String,
    /// The entry that it has, or why it cannot be asked, so that the vault changes nothing.
    pub last: Result<AuditMark, String>,
}

/// Why the witness of a vault was not set or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WitnessError {
    /// The place cannot be used: it is taken, cannot be written, or is none.
    Place {
        /// The place.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The vault has no witness.
    None,
    /// The vault refused or failed.
    Vault(VaultError),
}

impl From<VaultError> for WitnessError {
    fn from(error: VaultError) -> Self {
        Self::Vault(error)
    }
}

impl fmt::Display for WitnessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Place { place, problem } => write!(f, "place of the witness {place}: {problem}"),
            Self::None => f.write_str("the vault has no witness"),
            Self::Vault(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for WitnessError {}

impl Named {
    pub(super) fn encode(&self, writer: &mut Writer) {
        writer.array(&self.number);
        writer.text(&self.place);
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { number: reader.array()?, place: reader.text()?.to_owned() })
    }
}

/// Asks the witness, if the vault must have one, when it is opened.
pub(super) fn hear<'a>(
    named: Option<&'a Named>,
    storage: &mut dyn VaultStorage,
    vault: &[u8; 16],
    mac: &LogMac,
) -> Heard<'a> {
    let Some(Named { number, place }) = named else { return Heard { said: None, fault: None } };
    let found = storage.read_witness(place).map_err(|error| error.to_string());
    let said = found.and_then(|found| {
        let found = found.ok_or("expected its record, found nothing")?;
        let said =
            Testimony::read(&found, mac).ok_or("its record is damaged, or of another vault")?;
        match said.vault == *vault && said.witness == *number {
            true => Ok(Said { place, last: said.last }),
            false => Err("expected its record, found that of another witness".to_owned()),
        }
    });
    match said {
        Ok(said) => Heard { said: Some(said), fault: None },
        Err(fault) => Heard { said: None, fault: Some(fault) },
    }
}

impl Said<'_> {
    /// Checks that a position in the log agrees, if it is after the entry.
    pub(super) fn compare(&self, place: &Position) -> Result<(), OpenError> {
        let found = AuditMark::from(*place);
        match found.sequence == self.last.sequence && found != self.last {
            true => Err(self.went_back(found)),
            false => Ok(()),
        }
    }

    pub(super) fn went_back(&self, found: AuditMark) -> OpenError {
        OpenError::WentBack { place: self.place.to_owned(), expected: self.last, found }
    }
}

impl Testimony {
    fn write(&self, mac: &LogMac) -> Vec<u8> {
        let mut writer = Writer::with_capacity(160);
        writer.array(MAGIC);
        writer.array(&self.vault);
        writer.array(&self.witness);
        writer.array(&self.opening);
        writer.u64(self.last.sequence);
        writer.array(&self.last.hash);
        let sum = mac.sign(writer.as_slice());
        writer.array(&sum);
        writer.as_slice().to_vec()
    }

    /// Reads a record that a vault with this key wrote.
    fn read(bytes: &[u8], mac: &LogMac) -> Option<Self> {
        let read = || -> Result<_, DecodeError> {
            let mut reader = Reader::new(bytes);
            let error = reader.error("a witness of version 1");
            if reader.take(MAGIC.len())? != MAGIC {
                return Err(error);
            }
            let (vault, witness, opening) = (reader.array()?, reader.array()?, reader.array()?);
            let last = AuditMark { sequence: reader.u64()?, hash: reader.array()? };
            let signed = &bytes[..bytes.len() - reader.left()];
            let sum: [u8; 32] = reader.array()?;
            reader.finish()?;
            Ok((Self { vault, witness, opening, last }, bool::from(mac.sign(signed).ct_eq(&sum))))
        };
        read().ok().and_then(|(said, is_right)| is_right.then_some(said))
    }
}

impl Watch {
    /// Begins to write to a witness.
    ///
    /// # Errors
    ///
    /// Why it could not be written.
    pub(super) fn begin(
        named: Named,
        opening: [u8; 16],
        journal: &Journal,
        disk: &mut Disk,
        now: Moment,
    ) -> Result<Self, String> {
        let last = journal.queue().position.into();
        let mut watch = Self { named, opening, record: Vec::new(), last, at: now };
        watch.record = watch.record(journal, last).map_err(|error| error.to_string())?;
        let written = disk.storage.write_witness(&watch.named.place, &watch.record);
        written.map_err(|error| error.to_string())?;
        Ok(watch)
    }

    fn record(&self, journal: &Journal, last: AuditMark) -> Result<Vec<u8>, VaultError> {
        let queue = journal.queue();
        let (vault, witness, opening) = (queue.id, self.named.number, self.opening);
        Ok(Testimony { vault, witness, opening, last }.write(queue.mac()?))
    }

    /// Whether a record is due although only tokens and sign-ins were written since.
    pub(super) fn is_due(&self, now: Moment) -> bool {
        now.unix_seconds().abs_diff(self.at.unix_seconds()) >= SECONDS
    }
}

impl Journal {
    /// Checks that the witness, if there is one, still has the record that this opening wrote last. If not, the vault
    /// stops.
    pub(super) fn ask_witness(&self, disk: &mut Disk) -> Result<(), VaultError> {
        disk.usable()?;
        let Some(watch) = &disk.watch else { return Ok(()) };
        let place = watch.named.place.clone();
        let broken = |problem: &str| VaultError::Broken {
            problem: format!("the witness {place}: {problem}"),
        };
        let error = match disk.storage.read_witness(&place) {
            Ok(Some(found)) if found == watch.record => return Ok(()),
            Ok(Some(found)) => match Testimony::read(&found, self.queue().mac()?) {
                Some(said) if said.opening != watch.opening => VaultError::Copied { place },
                _ => broken("its record was changed"),
            },
            Ok(None) => broken("expected its record, found nothing"),
            Err(error) => broken(&error.to_string()),
        };
        Err(disk.fail(error))
    }

    /// Writes to the witness, if there is one, that the log is durable up to an entry.
    pub(super) fn tell_witness(
        &self,
        disk: &mut Disk,
        last: AuditMark,
        now: Moment,
    ) -> Result<(), VaultError> {
        let Some(watch) = disk.watch.take() else { return Ok(()) };
        let record = watch.record(self, last)?;
        let place = &watch.named.place;
        disk.run(|storage| {
            let written = storage.write_witness(place, &record);
            written.map_err(|error| {
                std::io::Error::new(error.kind(), format!("the witness {place}: {error}"))
            })
        })?;
        disk.watch = Some(Watch { record, last, at: now, ..watch });
        Ok(())
    }
}

impl<C: Contents> Vault<C> {
    /// Begins to write to the witness that the vault must have. If that fails, the vault can only be read.
    pub(super) fn begin_watch(&mut self, now: Moment) {
        if let (Some(named), None) = (&self.witness, &self.witness_fault) {
            let mut disk = self.journal.disk();
            match Watch::begin(named.clone(), self.instance, &self.journal, &mut disk, now) {
                Ok(watch) => disk.watch = Some(watch),
                Err(fault) => self.witness_fault = Some(fault),
            }
        }
    }

    /// Brings the witness up to date, if there is one.
    pub(super) fn end_watch(&self) -> Result<(), VaultError> {
        let mut disk = self.journal.disk();
        let last = self.journal.queue().position.into();
        let Some(at) = disk.watch.as_ref().filter(|watch| watch.last != last).map(|watch| watch.at)
        else {
            return Ok(());
        };
        self.journal.ask_witness(&mut disk)?;
        self.journal.tell_witness(&mut disk, last, at)
    }

    /// Checks that nothing stands in the way of a change: neither the clock nor the witness.
    ///
    /// # Errors
    ///
    /// [`VaultError::ClockBehind`], [`VaultError::WitnessMissing`].
    pub fn check_ready(&self, now: Moment) -> Result<(), VaultError> {
        self.check_clock(now)?;
        match (&self.witness, &self.witness_fault) {
            (Some(Named { place, .. }), Some(problem)) => {
                Err(VaultError::WitnessMissing { place: place.clone(), problem: problem.clone() })
            }
            _ => Ok(()),
        }
    }

    /// The witness of the vault, if it must have one.
    pub fn witness(&self) -> Option<WitnessReport> {
        let place = self.witness.as_ref()?.place.clone();
        let fault = self.witness_fault.clone().unwrap_or_default();
        let disk = self.journal.disk();
        let last = disk.watch.as_ref().map(|watch| watch.last).ok_or(fault);
        Some(WitnessReport { place, last })
    }

    /// Gives the vault a witness, or another one. If the one before cannot be asked, nobody can know whether an older copy
    /// of the vault was put back: this returns true, and the contents are told, as after a restore. What to do with the
    /// limits then is the custodians' decision.
    ///
    /// # Errors
    ///
    /// [`WitnessError`]; nothing has changed unless the vault is broken.
    pub fn set_witness(
        &mut self,
        quorum: &Quorum,
        place: &str,
        limits: RestoredLimits,
        now: Moment,
    ) -> Result<bool, WitnessError> {
        self.authorize_two(quorum).map_err(VaultError::from)?;
        self.check_clock(now)?;
        let refuse = |problem: &dyn fmt::Display| WitnessError::Place {
            place: place.to_owned(),
            problem: problem.to_string(),
        };
        let is_text = !place.is_empty() && !place.chars().any(char::is_control);
        if !is_text || place.len() > LONGEST_PLACE {
            return Err(refuse(&format_args!("expected 1 to {LONGEST_PLACE} bytes that print")));
        }
        if self.witness_fault.is_none()
            && self.witness.as_ref().is_some_and(|named| named.place == place)
        {
            return Err(refuse(&"expected another place, found that of the witness"));
        }
        let number = seal::fresh(&mut *self.entropy).map_err(VaultError::from)?;
        let named = Named { number, place: place.to_owned() };
        self.note_time(now)?;
        let journal = Arc::clone(&self.journal);
        let new = {
            let mut disk = journal.disk();
            journal.flush(&mut disk)?;
            journal.ask_witness(&mut disk)?;
            let found = disk.storage.read_witness(place).map_err(|error| refuse(&error))?;
            if let Some(found) = found {
                let queue = journal.queue();
                let said = Testimony::read(&found, queue.mac()?);
                let said = said.filter(|said| said.vault == self.header.id).ok_or_else(|| {
                    refuse(&"expected nothing or a record of this vault, found something else")
                })?;
                let (end, found) = (queue.position.sequence, said.last.sequence);
                if found > end {
                    let problem =
                        format!("expected entry {end} or an earlier one, found entry {found}");
                    return Err(refuse(&problem));
                }
            }
            // It is written before the change, so that a place that cannot be written changes nothing.
            Watch::begin(named.clone(), self.instance, &journal, &mut disk, now)
                .map_err(|error| refuse(&error))?
        };
        let (uncertain, limits_accepted) =
            (self.witness_fault.is_some(), limits == RestoredLimits::Accepted);
        let entry = VaultEntry::WitnessSet { place: place.to_owned(), uncertain, limits_accepted };
        self.change_witness(quorum, &entry, Some(named), limits, now)?;
        // The one before now has the entry too, so an older copy that names it is noticed.
        let mut disk = journal.disk();
        disk.watch = Some(new);
        let last = journal.queue().position.into();
        journal.tell_witness(&mut disk, last, now)?;
        Ok(uncertain)
    }

    /// Lets the vault go on without a witness. Returns as [`Vault::set_witness`].
    ///
    /// # Errors
    ///
    /// [`WitnessError`]; nothing has changed unless the vault is broken.
    pub fn remove_witness(
        &mut self,
        quorum: &Quorum,
        limits: RestoredLimits,
        now: Moment,
    ) -> Result<bool, WitnessError> {
        self.authorize_two(quorum).map_err(VaultError::from)?;
        self.check_clock(now)?;
        let place = self.witness.as_ref().ok_or(WitnessError::None)?.place.clone();
        self.note_time(now)?;
        let (uncertain, limits_accepted) =
            (self.witness_fault.is_some(), limits == RestoredLimits::Accepted);
        let entry = VaultEntry::WitnessRemoved { place, uncertain, limits_accepted };
        self.change_witness(quorum, &entry, None, limits, now)?;
        self.journal.disk().watch = None;
        Ok(uncertain)
    }

    fn change_witness(
        &mut self,
        quorum: &Quorum,
        entry: &VaultEntry,
        named: Option<Named>,
        limits: RestoredLimits,
        now: Moment,
    ) -> Result<(), VaultError> {
        self.commit_now(By::Two(quorum), entry, now, |vault| {
            vault.witness = named;
            if vault.witness_fault.take().is_some() {
                vault.contents.restored(limits);
            }
        })?;
        Ok(())
    }
}

impl<C: Contents> SharedVault<C> {
    /// The witness of the vault, if it must have one, for anyone signed in.
    ///
    /// # Errors
    ///
    /// [`VaultError`].
    pub fn witness(&self, by: By<'_>) -> Result<Option<WitnessReport>, VaultError> {
        self.with(|vault| {
            vault.authorize(by, &super::Role::ALL)?;
            Ok(vault.witness())
        })?
    }

    /// As [`Vault::set_witness`].
    ///
    /// # Errors
    ///
    /// [`WitnessError`].
    pub fn set_witness(
        &self,
        by: &Quorum,
        place: &str,
        limits: RestoredLimits,
    ) -> Result<bool, WitnessError> {
        self.with(|vault| vault.set_witness(by, place, limits, self.now()))?
    }

    /// As [`Vault::remove_witness`].
    ///
    /// # Errors
    ///
    /// [`WitnessError`].
    pub fn remove_witness(
        &self,
        by: &Quorum,
        limits: RestoredLimits,
    ) -> Result<bool, WitnessError> {
        self.with(|vault| vault.remove_witness(by, limits, self.now()))?
    }
}
