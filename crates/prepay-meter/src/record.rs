//! The stored form of the state: fixed layout, versioned, checked; written and read piece by piece.
//!
//! All numbers are big-endian.
//!
//! ```text
//!  header, written after the body
//!    0  4  magic "PPMS"
//!    4  2  version, 2
//!    6  2  length of the body
//!    8  4  sequence: the record with the larger one is the newer
//!   12  4  CRC-32 of the body
//!   16  4  CRC-32 of the sixteen bytes before
//!  the same header again, at 20, written last
//!  body, at 40
//!    0  2  TIDS     2  2  FLAGS     4  1  CONTROLS     the capacities that it was written for
//!    5 18  PAN, ASCII digits
//!   23  1  encryption algorithm, 7, 9 or 11
//!   24 16  decoder key, zeros behind a short one       SECRET
//!   40  1  key type        41  1  key revision, 0 none
//!   42  1  tariff index    43  1  key expiry
//!   44  4  supply group, FFFFFFFF unknown
//!   48  1  conditions: bit 0 tamper; 1 waits for a token after power, 2 after unbalance;
//!          3 tariff rate set; 4 to 7 emergency credit by service (bit 4 electricity)
//!   49  1  bit 0 water factor set; others 0
//!   50  1  wrong checksums in a row
//!   51  4  maximum power limit, W, FFFFFFFF none
//!   55  4  phase unbalance limit, W, FFFFFFFF none
//!   59  2  tariff rate     61  2  water factor
//!   63  1  last credit: sub-class, FF none;  64  1  S&E;  65  2  Amount;  67  3  TID
//!   70 16  eight registers of the maker
//!   86 144 four times, by service: units i64 (grains), used u64 (grains), money i128 (10^-5),
//!          remainder u32
//!  230  2  how many identifiers;  232  3 × TIDS  identifiers, ascending, zeros behind
//!  then    FLAGS × 1  flag: 0, 1, FF never set;  CONTROLS × 2  control, FFFF never set
//! ```
//!
//! Version 1 had the header once and its body at 20. It is read, but not written.
//!
//! The record holds the decoder key in clear, so the medium must lie inside the boundary that protects the
//! meter's key. The functions that write it say `expose`.
//!
//! - Source: this project's own.

use core::fmt;

use crc::{CRC_32_ISO_HDLC, Crc, Digest, NoTable};
use prepay_token::element::{
    Amount, CurrencyAmount, EncryptionAlgorithm, KeyExpiryNumber, KeyRevisionNumber, KeyType,
    MeterPan, Service, SupplyGroupCode, TariffIndex, TokenIdentifier,
};
use prepay_token::key::DecoderKey;
use zeroize::Zeroizing;

use crate::credit::{CreditRegister, GRAINS_PER_UNIT};
use crate::extended::ExtendedTable;
use crate::identifiers::IdentifierStore;
use crate::maker::MAKER_REGISTERS;
use crate::state::{LastAmount, LastCredit, MeterState};
use crate::trip::Excess;

/// The bytes of a header.
pub(crate) const HEADER_LENGTH: usize = 20;

/// Where a body begins: behind the header and its repetition.
pub(crate) const BODY_START: usize = 2 * HEADER_LENGTH;

const MAGIC: [u8; 4] = *b"PPMS";
const VERSION: u16 = 2;

/// The version whose header was not repeated.
const UNREPEATED: u16 = 1;
const NONE: u32 = u32::MAX;
const NEVER_SET: u8 = 0xFF;
const CONTROL_NEVER_SET: u16 = 0xFFFF;
const FIXED_LENGTH: usize = 232;

/// Without a table: a record is a few hundred bytes, and flash is scarce.
const CRC: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISO_HDLC);

/// Why a stored record is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordError {
    /// Nothing was written here, or writing did not get as far as the header.
    Blank,
    /// What is written here is not the state of a meter.
    Magic,
    /// The header is damaged, or was written in part.
    HeaderChecksum,
    /// The header is damaged after it was written whole: its repetition, which is written after it, is sound.
    HeaderDamaged,
    /// The record has a newer version than this firmware knows.
    NewerVersion {
        /// Its version.
        found: u16,
    },
    /// The record has the length of another layout or of other capacities.
    Length {
        /// The length of the body for this firmware.
        expected: u16,
        /// Its length.
        found: u16,
    },
    /// The body is damaged.
    BodyChecksum,
    /// The record was written for other capacities.
    Capacity,
    /// A field is invalid although the checksum is right.
    Field {
        /// Its name.
        name: &'static str,
    },
}

/// A whole header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) version: u16,
    pub(crate) length: u16,
    pub(crate) sequence: u32,
    pub(crate) body_crc: u32,
}

/// The checksum of a body, as it is written or read.
pub(crate) struct Checksum(Digest<'static, u32, NoTable>);

/// Why a body could not be read.
pub(crate) enum ReadError<E> {
    Medium(E),
    Record(RecordError),
}

impl<E> From<RecordError> for ReadError<E> {
    fn from(error: RecordError) -> Self {
        Self::Record(error)
    }
}

impl Checksum {
    pub(crate) fn new() -> Self {
        const STATIC: &Crc<u32, NoTable> = &CRC;
        Self(STATIC.digest())
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn finish(self) -> u32 {
        self.0.finalize()
    }
}

impl Header {
    pub(crate) const fn new(length: u16, sequence: u32, body_crc: u32) -> Self {
        Self { version: VERSION, length, sequence, body_crc }
    }

    pub(crate) fn encode(&self) -> [u8; HEADER_LENGTH] {
        let mut bytes = [0; HEADER_LENGTH];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4..6].copy_from_slice(&self.version.to_be_bytes());
        bytes[6..8].copy_from_slice(&self.length.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.sequence.to_be_bytes());
        bytes[12..16].copy_from_slice(&self.body_crc.to_be_bytes());
        let crc = CRC.checksum(&bytes[..16]);
        bytes[16..].copy_from_slice(&crc.to_be_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8; HEADER_LENGTH]) -> Result<Self, RecordError> {
        if bytes.iter().all(|&byte| byte == 0) || bytes.iter().all(|&byte| byte == 0xFF) {
            return Err(RecordError::Blank);
        }
        if bytes[..4] != MAGIC {
            return Err(RecordError::Magic);
        }
        let half = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        let word = |at: usize| (u32::from(half(at)) << 16) + u32::from(half(at + 2));
        if CRC.checksum(&bytes[..16]) != word(16) {
            return Err(RecordError::HeaderChecksum);
        }
        Ok(Self { version: half(4), length: half(6), sequence: word(8), body_crc: word(12) })
    }

    /// Where its body begins.
    pub(crate) const fn body_start(&self) -> usize {
        if self.version == UNREPEATED { HEADER_LENGTH } else { BODY_START }
    }

    /// Whether this firmware can read the body behind it.
    pub(crate) const fn check(&self, expected: u16) -> Result<(), RecordError> {
        if self.version > VERSION {
            return Err(RecordError::NewerVersion { found: self.version });
        }
        if self.length != expected {
            return Err(RecordError::Length { expected, found: self.length });
        }
        Ok(())
    }
}

impl<const TIDS: usize, const FLAGS: usize, const CONTROLS: usize>
    MeterState<TIDS, FLAGS, CONTROLS>
{
    /// The length of a body.
    pub(crate) const BODY_LENGTH: u16 = {
        assert!(FLAGS <= 512, "a flag has an index of nine bits");
        assert!(CONTROLS <= 63, "a control has an index of 0 to 62");
        let length = FIXED_LENGTH + 3 * TIDS + FLAGS + 2 * CONTROLS;
        assert!(length <= u16::MAX as usize, "the length of a record has sixteen bits");
        length as u16
    };

    /// Writes the body, the decoder key included, piece by piece. The caller is responsible for where it goes.
    ///
    /// # Errors
    ///
    /// The first error of `put`.
    pub fn expose_encoded<E>(&self, mut put: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        put(&(TIDS as u16).to_be_bytes())?;
        put(&(FLAGS as u16).to_be_bytes())?;
        put(&[CONTROLS as u8])?;
        put(&self.pan.ascii())?;
        put(&[self.key.algorithm().code()])?;
        let mut key = Zeroizing::new([0; 16]);
        let bytes = self.key.expose_bytes();
        key[..bytes.len()].copy_from_slice(bytes);
        put(&*key)?;
        put(&[
            self.key_type.value(),
            self.key_revision.map_or(0, KeyRevisionNumber::value),
            self.tariff_index.value(),
            self.expiry.value(),
        ])?;
        put(&self.supply_group.map_or(NONE, SupplyGroupCode::value).to_be_bytes())?;
        let conditions = u8::from(self.tamper)
            + (u8::from(self.waits_for_token == Some(Excess::Power)) << 1)
            + (u8::from(self.waits_for_token == Some(Excess::PhaseUnbalance)) << 2)
            + (u8::from(self.tariff_rate.is_some()) << 3)
            + (self.emergency << 4);
        put(&[conditions, u8::from(self.water_factor.is_some()), self.failures])?;
        put(&self.power_limit_watts.unwrap_or(NONE).to_be_bytes())?;
        put(&self.unbalance_limit_watts.unwrap_or(NONE).to_be_bytes())?;
        put(&self.tariff_rate.unwrap_or(0).to_be_bytes())?;
        put(&self.water_factor.unwrap_or(0).to_be_bytes())?;
        put(&encode_last_credit(self.last_credit))?;
        for register in self.maker {
            put(&register.to_be_bytes())?;
        }
        for register in &self.credit {
            put(&register.grains.to_be_bytes())?;
            put(&register.used.to_be_bytes())?;
            put(&register.money.to_be_bytes())?;
            put(&register.remainder.to_be_bytes())?;
        }
        put(&self.identifiers.count().to_be_bytes())?;
        for value in self.identifiers.places() {
            put(&value.to_be_bytes()[1..])?;
        }
        for index in 0..FLAGS as u16 {
            put(&[self.extended.flag(index).map_or(NEVER_SET, u8::from)])?;
        }
        for index in 0..CONTROLS as u8 {
            put(&self.extended.control(index).unwrap_or(CONTROL_NEVER_SET).to_be_bytes())?;
        }
        Ok(())
    }

    /// Reads a body piece by piece.
    pub(crate) fn decode<E>(
        take: impl FnMut(&mut [u8]) -> Result<(), E>,
    ) -> Result<Self, ReadError<E>> {
        let mut reader = Reader { take };
        let capacities = (reader.half()?, reader.half()?, reader.byte()?);
        if capacities != (TIDS as u16, FLAGS as u16, CONTROLS as u8) {
            return Err(RecordError::Capacity.into());
        }
        let pan = reader.bytes::<18, E>()?;
        let pan: MeterPan =
            field("pan", str::from_utf8(&pan).ok().and_then(|pan| pan.parse().ok()))?;
        let algorithm = field("algorithm", EncryptionAlgorithm::try_from(reader.byte()?).ok())?;
        let bytes = Zeroizing::new(reader.bytes::<16, E>()?);
        let (bytes, rest) = bytes.split_at(algorithm.key_bytes());
        let is_short_enough = rest.iter().all(|&byte| byte == 0);
        let key = DecoderKey::new(algorithm, bytes).ok().filter(|_| is_short_enough);
        let key = field("key", key)?;
        let key_type = field("key type", KeyType::try_from(reader.byte()?).ok())?;
        let key_revision = match reader.byte()? {
            0 => None,
            revision => Some(field("key revision", KeyRevisionNumber::try_from(revision).ok())?),
        };
        let tariff_index = field("tariff index", TariffIndex::try_from(reader.byte()?).ok())?;
        let expiry = KeyExpiryNumber::from(reader.byte()?);
        let supply_group = match reader.word()? {
            NONE => None,
            group => Some(field("supply group", SupplyGroupCode::try_from(group).ok())?),
        };
        let [conditions, more, failures] = reader.bytes()?;
        let waits_for_token = match conditions >> 1 & 3 {
            0 => None,
            1 => Some(Excess::Power),
            2 => Some(Excess::PhaseUnbalance),
            _ => return Err(RecordError::Field { name: "conditions" }.into()),
        };
        field("conditions", (more <= 1).then_some(()))?;
        let power_limit_watts = Some(reader.word()?).filter(|&watts| watts != NONE);
        let unbalance_limit_watts = Some(reader.word()?).filter(|&watts| watts != NONE);
        let tariff_rate = Some(reader.half()?).filter(|_| conditions & 8 != 0);
        let water_factor = Some(reader.half()?).filter(|_| more & 1 != 0);
        let last_credit = field("last credit", decode_last_credit(reader.bytes()?))?;
        let mut maker = [0; MAKER_REGISTERS];
        for register in &mut maker {
            *register = reader.half()?;
        }
        let mut credit = [CreditRegister::default(); 4];
        for register in &mut credit {
            register.grains = i64::from_be_bytes(reader.bytes()?);
            register.used = u64::from_be_bytes(reader.bytes()?);
            register.money = i128::from_be_bytes(reader.bytes()?);
            register.remainder = reader.word()?;
            let is_sound = i64::from(register.remainder) < GRAINS_PER_UNIT;
            field("remainder", is_sound.then_some(()))?;
        }
        let count = reader.half()?;
        let mut values = [0; TIDS];
        for value in &mut values {
            let [a, b, c] = reader.bytes()?;
            *value = u32::from_be_bytes([0, a, b, c]);
        }
        let identifiers = field("identifiers", IdentifierStore::from_values(count, values))?;
        let mut extended = ExtendedTable::default();
        for index in 0..FLAGS as u16 {
            let flag = match reader.byte()? {
                NEVER_SET => None,
                byte => Some(field("flag", (byte <= 1).then_some(byte == 1))?),
            };
            extended.put_flag(index, flag);
        }
        for index in 0..CONTROLS as u8 {
            let control = match reader.half()? {
                CONTROL_NEVER_SET => None,
                value => Some(field("control", (value <= 0x3FF).then_some(value))?),
            };
            extended.put_control(index, control);
        }
        Ok(Self {
            pan,
            key,
            key_type,
            key_revision,
            tariff_index,
            expiry,
            supply_group,
            identifiers,
            credit,
            last_credit,
            power_limit_watts,
            unbalance_limit_watts,
            tariff_rate,
            water_factor,
            extended,
            maker,
            tamper: conditions & 1 != 0,
            waits_for_token,
            emergency: conditions >> 4,
            failures,
        })
    }
}

/// Reads numbers from any source of bytes.
struct Reader<F> {
    take: F,
}

impl<F> Reader<F> {
    fn bytes<const N: usize, E>(&mut self) -> Result<[u8; N], ReadError<E>>
    where
        F: FnMut(&mut [u8]) -> Result<(), E>,
    {
        let mut bytes = [0; N];
        (self.take)(&mut bytes).map_err(ReadError::Medium)?;
        Ok(bytes)
    }

    fn byte<E>(&mut self) -> Result<u8, ReadError<E>>
    where
        F: FnMut(&mut [u8]) -> Result<(), E>,
    {
        self.bytes().map(|[byte]| byte)
    }

    fn half<E>(&mut self) -> Result<u16, ReadError<E>>
    where
        F: FnMut(&mut [u8]) -> Result<(), E>,
    {
        self.bytes().map(u16::from_be_bytes)
    }

    fn word<E>(&mut self) -> Result<u32, ReadError<E>>
    where
        F: FnMut(&mut [u8]) -> Result<(), E>,
    {
        self.bytes().map(u32::from_be_bytes)
    }
}

fn field<T>(name: &'static str, value: Option<T>) -> Result<T, RecordError> {
    value.ok_or(RecordError::Field { name })
}

fn encode_last_credit(last: Option<LastCredit>) -> [u8; 7] {
    let Some(LastCredit { identifier, service, amount }) = last else {
        return [NEVER_SET, 0, 0, 0, 0, 0, 0];
    };
    let (sub_class, sign_exponent, bits) = match amount {
        LastAmount::Units(amount) => (service.index(), 0, amount.bits()),
        LastAmount::Currency(amount) => {
            (4 + service.index(), amount.sign_exponent(), amount.bits())
        }
    };
    let [high, low] = bits.to_be_bytes();
    let [_, a, b, c] = identifier.value().to_be_bytes();
    [sub_class, sign_exponent, high, low, a, b, c]
}

fn decode_last_credit(bytes: [u8; 7]) -> Option<Option<LastCredit>> {
    let [sub_class, sign_exponent, high, low, a, b, c] = bytes;
    if sub_class == NEVER_SET {
        return Some(None);
    }
    let service = *Service::ALL.get(usize::from(sub_class & 3))?;
    let bits = u16::from_be_bytes([high, low]);
    let amount = match (sub_class, sign_exponent) {
        (0..=3, 0) => LastAmount::Units(Amount::from_bits(bits)),
        (4..=7, 0..=15) => LastAmount::Currency(CurrencyAmount::from_bits(sign_exponent, bits)),
        _ => return None,
    };
    let identifier = TokenIdentifier::from_low_bits(u32::from_be_bytes([0, a, b, c]));
    Some(Some(LastCredit { identifier, service, amount }))
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blank => f.write_str("no record"),
            Self::Magic => f.write_str("not a record of a meter"),
            Self::HeaderChecksum => f.write_str("header damaged or incomplete"),
            Self::HeaderDamaged => f.write_str("header damaged, its repetition is sound"),
            Self::NewerVersion { found } => {
                write!(f, "newer version: expected at most {VERSION}, found {found}")
            }
            Self::Length { expected, found } => {
                write!(f, "wrong length: expected {expected} bytes, found {found}")
            }
            Self::BodyChecksum => f.write_str("body damaged"),
            Self::Capacity => f.write_str("written for other capacities"),
            Self::Field { name } => write!(f, "{name} is no value of its element"),
        }
    }
}

impl core::error::Error for RecordError {}
