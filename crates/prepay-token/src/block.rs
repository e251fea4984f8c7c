//! From a token to its 64-bit block, and on to the 66 bits; and the whole way back.
//!
//! ```text
//!  Token ──> ClearBlock ── encipher ──> block ── join class ──> TokenData (66 bits, 20 digits)
//!            fields and checksum        class 1 stays in clear
//! ```
//!
//! Reading back, the first thing that is wrong ends the way, in this order: reserved class, checksum,
//! reserved sub-class, a field that is no value of its element.
//!
//! - Source: IEC 62055-41:2018, TCDU generation on the side of the POS; APDU extraction and token
//!   authentication on the side of the meter.

use core::fmt;

use crate::crc::{ChecksumKind, checksum};
use crate::element::{
    Amount, CurrencyAmount, EncryptionAlgorithm, ExtendedIndex, ExtendedValue, KeyRevisionNumber,
    KeyType, ManufacturerCode, PowerLimit, RandomNumber, RegisterToClear, Service, SupplyGroupCode,
    TariffIndex, TokenIdentifier,
};
use crate::instruction::{ManagementFunction, MeterTest, TwoDigitManufacturer};
use crate::key::TokenCipher;
use crate::key_change::{KeyExpiryHalf, KeyPart, KeySection, SupplyGroupHalf};
use crate::layout;
use crate::token::Token;
use crate::{Class, TokenData};

/// A class and a block before encipherment, with its checksum in place, right or wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ClearBlock {
    class: Class,
    bits: u64,
}

/// Why a token did not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenError {
    /// Class 3 is reserved for the STS Association.
    ReservedClass,
    /// The class is enciphered, and no key was given.
    KeyNeeded {
        /// The class.
        class: Class,
    },
    /// The checksum is wrong: another meter's token, another key, or a mistyped digit.
    Checksum {
        /// The sum of what was found.
        expected: u16,
        /// The sum found with it.
        found: u16,
    },
    /// The sub-class is reserved for the STS Association.
    ReservedSubClass {
        /// The class.
        class: Class,
        /// The sub-class.
        sub_class: u8,
    },
    /// A field is no value of its element, though the checksum is right.
    Element {
        /// The identifier, for the tokens that carry one.
        identifier: Option<TokenIdentifier>,
        /// The field and what it holds.
        problem: ElementProblem,
    },
}

/// A field that is no value of its element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ElementProblem {
    /// A manufacturer code of more digits than its sub-class takes, or below 0100 where that is the least.
    ManufacturerCode(u16),
    /// An extended read whose control field has bits beside the index.
    Control(u64),
    /// A register that is reserved.
    Register(u16),
    /// A ClearTamperCondition whose sixteen bits are not all zero.
    Pad(u16),
    /// A key revision above 9, or 0 with a key type that has revisions.
    KeyRevision(u8),
    /// A tariff index above 99.
    TariffIndex(u8),
    /// A supply group code above 999 999.
    SupplyGroup(u32),
    /// Reserved bits that are not all zero.
    ReservedBits(u32),
}

/// A class that is enciphered cannot be sealed without a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyNeeded;

/// Makes a token: fields, checksum, encipherment (not for class 1), class bits.
///
/// ```
/// use prepay_token::element::{Amount, EncryptionAlgorithm, RandomNumber, Service, TokenIdentifier};
/// use prepay_token::key::{DecoderKey, TokenCipher};
/// use prepay_token::{Token, open, seal};
///
/// // The example printed in the standard: a key that is no secret to anybody.
/// let key = DecoderKey::new(EncryptionAlgorithm::Sta, &0x0ABC_12DE_F345_6789_u64.to_be_bytes())?;
/// let cipher = TokenCipher::new(&key);
/// let token = Token::Credit {
///     service: Service::Electricity,
///     random: RandomNumber::try_from(11)?,
///     identifier: TokenIdentifier::try_from(1_698_595)?,
///     amount: Amount::from_tenths(256)?,
/// };
/// let data = seal(&token, &cipher);
/// assert_eq!(format!("{data:#}"), "2905 4347 1393 0985 1356");
/// assert_eq!(open(data, &cipher)?, token);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[inline]
pub fn seal(token: &Token, cipher: &TokenCipher) -> TokenData {
    let ClearBlock { class, bits } = ClearBlock::of(token);
    TokenData::join(class, if class.is_enciphered() { cipher.encipher(bits) } else { bits })
}

/// Makes a token of class 1, which no key protects.
///
/// # Errors
///
/// [`KeyNeeded`] for every other class.
pub fn seal_in_clear(token: &Token) -> Result<TokenData, KeyNeeded> {
    let ClearBlock { class, bits } = ClearBlock::of(token);
    if class.is_enciphered() { Err(KeyNeeded) } else { Ok(TokenData::join(class, bits)) }
}

/// Reads a token: class bits, decipherment (not for class 1), checksum, fields.
///
/// # Errors
///
/// [`OpenError`], the first that applies.
#[inline]
pub fn open(data: TokenData, cipher: &TokenCipher) -> Result<Token, OpenError> {
    ClearBlock::decipher(data, cipher).token(cipher.algorithm())
}

/// Reads a token of class 1, which no key protects.
///
/// # Errors
///
/// [`OpenError::KeyNeeded`] for classes 0 and 2, and otherwise as [`open`].
pub fn open_in_clear(data: TokenData) -> Result<Token, OpenError> {
    let class = data.class();
    if class.is_enciphered() {
        return Err(OpenError::KeyNeeded { class });
    }
    // The cipher only decides how key change sections are cut, and class 1 has none.
    ClearBlock { class, bits: data.block() }.token(EncryptionAlgorithm::Sta)
}

impl ClearBlock {
    /// A block with this class and these 64 bits, checksum included.
    pub const fn new(class: Class, bits: u64) -> Self {
        Self { class, bits }
    }

    /// The block of a token.
    #[inline]
    pub fn of(token: &Token) -> Self {
        let (class, bits) = (token.class(), body(token));
        let kind = checksum_kind(class, token.sub_class());
        Self { class, bits: layout::join([bits, u64::from(checksum(kind, class.number(), bits))]) }
    }

    /// What a key makes of a token. Classes 1 and 3 are not enciphered and stay as they are.
    #[inline]
    pub fn decipher(data: TokenData, cipher: &TokenCipher) -> Self {
        let (class, block) = (data.class(), data.block());
        let bits = if class.is_enciphered() { cipher.decipher(block) } else { block };
        Self { class, bits }
    }

    /// The class.
    pub const fn class(&self) -> Class {
        self.class
    }

    /// The 64 bits.
    pub const fn bits(&self) -> u64 {
        self.bits
    }

    /// The sub-class.
    pub const fn sub_class(&self) -> u8 {
        layout::SUB_CLASS.read(self.bits) as u8
    }

    /// Which checksum the token carries.
    pub const fn checksum_kind(&self) -> ChecksumKind {
        checksum_kind(self.class, self.sub_class())
    }

    /// The checksum that stands in the block.
    pub const fn checksum_found(&self) -> u16 {
        layout::CHECKSUM.read(self.bits) as u16
    }

    /// The checksum of what stands above it.
    pub const fn checksum_expected(&self) -> u16 {
        checksum(self.checksum_kind(), self.class.number(), self.bits)
    }

    /// The token, for a meter whose key is made for `algorithm`.
    ///
    /// # Errors
    ///
    /// [`OpenError`], the first that applies.
    pub fn token(&self, algorithm: EncryptionAlgorithm) -> Result<Token, OpenError> {
        if self.class == Class::Reserved {
            return Err(OpenError::ReservedClass);
        }
        let (expected, found) = (self.checksum_expected(), self.checksum_found());
        if expected != found {
            return Err(OpenError::Checksum { expected, found });
        }
        match self.class {
            Class::Credit => self.credit(),
            Class::Display => self.display(),
            _ => self.management(algorithm),
        }
    }

    /// Reads a block of class 0.
    fn credit(&self) -> Result<Token, OpenError> {
        let bits = layout::AMOUNT.read(self.bits) as u16;
        let identifier = self.identifier();
        match self.sub_class() {
            sub_class @ 0..=3 => Ok(Token::Credit {
                service: Service::ALL[usize::from(sub_class)],
                random: self.random(),
                identifier,
                amount: Amount::from_bits(bits),
            }),
            sub_class @ 4..=7 => Ok(Token::CurrencyCredit {
                service: Service::ALL[usize::from(sub_class - 4)],
                identifier,
                amount: CurrencyAmount::from_bits(
                    layout::SIGN_EXPONENT.read(self.bits) as u8,
                    bits,
                ),
            }),
            sub_class => Err(OpenError::ReservedSubClass { class: self.class, sub_class }),
        }
    }

    /// Reads a block of class 1.
    fn display(&self) -> Result<Token, OpenError> {
        let sub_class = self.sub_class();
        let (control, code, two_digits) = match sub_class {
            1 | 6..=10 => (layout::CONTROL_28, layout::MFR_CODE_16, false),
            0 | 2 | 11..=15 => (layout::CONTROL_36, layout::MFR_CODE_8, true),
            _ => return Err(OpenError::ReservedSubClass { class: self.class, sub_class }),
        };
        let code = code.read(self.bits) as u16;
        let manufacturer = if two_digits {
            ManufacturerCode::two_digits(code as u8)
        } else {
            ManufacturerCode::four_digits(code)
        };
        let wrong_code = problem(None, ElementProblem::ManufacturerCode(code));
        let manufacturer = manufacturer.map_err(|_| wrong_code)?;
        if sub_class == 2 {
            let rest = layout::READ_REST.read(self.bits);
            if rest != 0 {
                return Err(problem(None, ElementProblem::Control(control.read(self.bits))));
            }
            let index = ExtendedIndex::from_low_bits(layout::READ_INDEX.read(self.bits) as u8);
            let manufacturer =
                TwoDigitManufacturer::try_from(manufacturer).map_err(|_| wrong_code)?;
            return Ok(Token::ExtendedRead { index, manufacturer });
        }
        // The control field is as wide as its place, so only the code can be wrong.
        MeterTest::new(sub_class, manufacturer, control.read(self.bits))
            .map(Token::Test)
            .map_err(|_| wrong_code)
    }

    /// Reads a block of class 2.
    fn management(&self, algorithm: EncryptionAlgorithm) -> Result<Token, OpenError> {
        let value = layout::VALUE.read(self.bits) as u16;
        let identifier = self.identifier();
        let function = match self.sub_class() {
            3 | 4 | 8 | 9 => return self.key_section(algorithm).map(Token::KeyChange),
            0 => ManagementFunction::SetMaximumPowerLimit(PowerLimit::from_bits(value)),
            1 => match RegisterToClear::try_from(value) {
                Ok(register) => ManagementFunction::ClearCredit(register),
                Err(_) => return Err(problem(Some(identifier), ElementProblem::Register(value))),
            },
            2 => ManagementFunction::SetTariffRate(value),
            5 if value != 0 => return Err(problem(Some(identifier), ElementProblem::Pad(value))),
            5 => ManagementFunction::ClearTamperCondition,
            6 => {
                ManagementFunction::SetMaximumPhasePowerUnbalanceLimit(PowerLimit::from_bits(value))
            }
            7 => ManagementFunction::SetWaterMeterFactor(value),
            10 => ManagementFunction::Extended(ExtendedValue::from_bits(value)),
            sub_class => match sub_class.try_into() {
                Ok(sub_class) => ManagementFunction::Proprietary { sub_class, value },
                Err(_) => {
                    return Err(OpenError::ReservedSubClass { class: self.class, sub_class });
                }
            },
        };
        Ok(Token::Management { random: self.random(), identifier, function })
    }

    /// Reads a section of a key change.
    fn key_section(&self, algorithm: EncryptionAlgorithm) -> Result<KeySection, OpenError> {
        let read = |place: layout::Place| place.read(self.bits);
        let part = |place: layout::Place| KeyPart::new(place.read(self.bits) as u32);
        let long_key = algorithm.key_bytes() == 16;
        match self.sub_class() {
            3 => {
                let key_type = KeyType::try_from(read(layout::KEY_TYPE) as u8)
                    .expect("two bits are a key type");
                let revision = read(layout::KRN) as u8;
                let key_revision = match KeyRevisionNumber::try_from(revision) {
                    Ok(revision) => Some(revision),
                    Err(_) if revision == 0 && key_type == KeyType::Initialization => None,
                    Err(_) => return Err(problem(None, ElementProblem::KeyRevision(revision))),
                };
                Ok(KeySection::First {
                    ken_high: KeyExpiryHalf::from_low_bits(read(layout::KENHO)),
                    key_revision,
                    rollover: read(layout::ROLLOVER) == 1,
                    three_tokens: read(layout::THREE_KCT) == 1,
                    key_type,
                    key_high: part(layout::NKHO),
                })
            }
            4 => {
                let index = read(layout::TARIFF_INDEX) as u8;
                let tariff_index = TariffIndex::try_from(index)
                    .map_err(|_| problem(None, ElementProblem::TariffIndex(index)))?;
                Ok(KeySection::Second {
                    ken_low: KeyExpiryHalf::from_low_bits(read(layout::KENLO)),
                    tariff_index,
                    key_low: part(layout::NKLO),
                })
            }
            8 if long_key => Ok(KeySection::ThirdOfFour {
                group_low: SupplyGroupHalf::from_low_bits(read(layout::SGC_FIRST_LOW)),
                key_middle_2: part(layout::NKMO2),
            }),
            8 => {
                let (high, low) = (read(layout::SGC_FIRST_HIGH), read(layout::SGC_SECOND_LOW));
                let code = ((high << 12) + low) as u32;
                let supply_group = SupplyGroupCode::try_from(code)
                    .map_err(|_| problem(None, ElementProblem::SupplyGroup(code)))?;
                let reserved = read(layout::RESERVED_20) as u32;
                if reserved != 0 {
                    return Err(problem(None, ElementProblem::ReservedBits(reserved)));
                }
                Ok(KeySection::ThirdOfThree { supply_group })
            }
            _ => Ok(KeySection::Fourth {
                group_high: SupplyGroupHalf::from_low_bits(read(layout::SGC_FIRST_HIGH)),
                key_middle_1: part(layout::NKMO1),
            }),
        }
    }

    fn identifier(&self) -> TokenIdentifier {
        TokenIdentifier::from_low_bits(layout::TID.read(self.bits) as u32)
    }

    fn random(&self) -> RandomNumber {
        RandomNumber::from_counter(layout::RND.read(self.bits))
    }
}

/// Which checksum a sub-class carries.
const fn checksum_kind(class: Class, sub_class: u8) -> ChecksumKind {
    match (class, sub_class) {
        (Class::Credit, 4..=7) => ChecksumKind::CrcC,
        _ => ChecksumKind::Crc,
    }
}

/// The block of a token without its checksum.
///
/// Inlined, so that a caller who makes one kind of token pays for one branch of the match.
#[inline(always)]
fn body(token: &Token) -> u64 {
    let fields = match token {
        Token::Credit { random, identifier, amount, .. } => layout::join([
            numbered(*random, *identifier),
            layout::AMOUNT.write(u64::from(amount.bits())),
        ]),
        Token::CurrencyCredit { identifier, amount, .. } => layout::join([
            layout::SIGN_EXPONENT.write(u64::from(amount.sign_exponent())),
            layout::TID.write(u64::from(identifier.value())),
            layout::AMOUNT.write(u64::from(amount.bits())),
        ]),
        Token::Test(test) => {
            let code = u64::from(test.manufacturer().value());
            let control = test.control().bits();
            if test.manufacturer().is_two_digit() {
                layout::join([layout::CONTROL_36.write(control), layout::MFR_CODE_8.write(code)])
            } else {
                layout::join([layout::CONTROL_28.write(control), layout::MFR_CODE_16.write(code)])
            }
        }
        Token::ExtendedRead { index, manufacturer } => layout::join([
            layout::READ_INDEX.write(u64::from(index.value())),
            layout::MFR_CODE_8.write(u64::from(manufacturer.code().value())),
        ]),
        Token::Management { random, identifier, function } => layout::join([
            numbered(*random, *identifier),
            layout::VALUE.write(u64::from(function.bits())),
        ]),
        Token::KeyChange(section) => section_body(section),
    };
    layout::join([layout::SUB_CLASS.write(u64::from(token.sub_class())), fields])
}

/// *RND* and *TID*.
fn numbered(random: RandomNumber, identifier: TokenIdentifier) -> u64 {
    layout::join([
        layout::RND.write(u64::from(random.value())),
        layout::TID.write(u64::from(identifier.value())),
    ])
}

/// The fields of a key change section.
fn section_body(section: &KeySection) -> u64 {
    match section {
        KeySection::First {
            ken_high,
            key_revision,
            rollover,
            three_tokens,
            key_type,
            key_high,
        } => layout::join([
            layout::KENHO.write(u64::from(ken_high.value())),
            layout::KRN.write(key_revision.map_or(0, |revision| u64::from(revision.value()))),
            layout::ROLLOVER.write(u64::from(*rollover)),
            layout::THREE_KCT.write(u64::from(*three_tokens)),
            layout::KEY_TYPE.write(u64::from(key_type.value())),
            layout::NKHO.write(u64::from(key_high.word())),
        ]),
        KeySection::Second { ken_low, tariff_index, key_low } => layout::join([
            layout::KENLO.write(u64::from(ken_low.value())),
            layout::TARIFF_INDEX.write(u64::from(tariff_index.value())),
            layout::NKLO.write(u64::from(key_low.word())),
        ]),
        KeySection::ThirdOfThree { supply_group } => layout::join([
            layout::SGC_FIRST_HIGH.write(u64::from(supply_group.high_bits())),
            layout::SGC_SECOND_LOW.write(u64::from(supply_group.low_bits())),
        ]),
        KeySection::ThirdOfFour { group_low, key_middle_2 } => layout::join([
            layout::SGC_FIRST_LOW.write(u64::from(group_low.value())),
            layout::NKMO2.write(u64::from(key_middle_2.word())),
        ]),
        KeySection::Fourth { group_high, key_middle_1 } => layout::join([
            layout::SGC_FIRST_HIGH.write(u64::from(group_high.value())),
            layout::NKMO1.write(u64::from(key_middle_1.word())),
        ]),
    }
}

fn problem(identifier: Option<TokenIdentifier>, problem: ElementProblem) -> OpenError {
    OpenError::Element { identifier, problem }
}

impl fmt::Debug for ClearBlock {
    /// The class alone: the bits of a key change are a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClearBlock({:?}, ..)", self.class)
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReservedClass => f.write_str("reserved class: expected 0, 1 or 2, found 3"),
            Self::KeyNeeded { class } => {
                write!(
                    f,
                    "a key is needed: class {} ({}) is enciphered",
                    class.number(),
                    class.name()
                )
            }
            Self::Checksum { expected, found } => {
                write!(f, "wrong checksum: expected {expected:04X}, found {found:04X}")
            }
            Self::ReservedSubClass { class, sub_class } => {
                write!(
                    f,
                    "reserved sub-class: class {} has no sub-class {sub_class}",
                    class.number()
                )
            }
            Self::Element { problem, .. } => problem.fmt(f),
        }
    }
}

impl fmt::Display for ElementProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ManufacturerCode(found) => {
                write!(f, "manufacturer code {found} is out of range for its sub-class")
            }
            Self::Control(found) => {
                write!(
                    f,
                    "extended read: expected zeros beside the index, found control {found:09x}"
                )
            }
            Self::Register(found) => {
                write!(f, "reserved register: expected 0 to 7 or 65535, found {found}")
            }
            Self::Pad(found) => write!(f, "padding: expected 0, found {found:04X}"),
            Self::KeyRevision(found) => {
                write!(
                    f,
                    "key revision number: expected 1 to 9, or 0 for key type 0, found {found}"
                )
            }
            Self::TariffIndex(found) => {
                write!(f, "tariff index: expected at most 99, found {found}")
            }
            Self::SupplyGroup(found) => {
                write!(f, "supply group code: expected at most 999999, found {found}")
            }
            Self::ReservedBits(found) => {
                write!(f, "reserved bits: expected 0, found {found:05X}")
            }
        }
    }
}

impl fmt::Display for KeyNeeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key is needed: only class 1 travels in clear")
    }
}

impl core::error::Error for OpenError {}
impl core::error::Error for KeyNeeded {}
