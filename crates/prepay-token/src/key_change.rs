//! Key change tokens: a new decoder key in two, three or four sections, each a token of its own.
//!
//! ```text
//!  section  sub-class  carries                                          in sets of
//!  1st      3          KEN high, KRN, RO, 3KCT, KT, key word 1          2, 3, 4
//!  2nd      4          KEN low, TI, last key word                       2, 3, 4
//!  3rd      8          64-bit key: the whole SGC                        3
//!                      128-bit key: SGC low half, key word 2            4
//!  4th      9          SGC high half, key word 3                        4
//! ```
//!
//! Every field holds the *new* value, and every section is enciphered under the *current* key. The
//! rollover bit tells the meter to forget its token identifiers, since the new key counts from another
//! base date. Sections carry no identifier: until the key has changed they may be entered again.
//!
//! - Source: IEC 62055-41:2018, tokens Set1stSectionDecoderKey to Set4thSectionDecoderKey.
//! - Elsewhere: which key types may follow each other ([`KeyTransitions`](crate::key::KeyTransitions)).

use core::fmt;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::element::{
    EncryptionAlgorithm, KeyExpiryNumber, KeyRevisionNumber, KeyType, SupplyGroupCode, TariffIndex,
};
use crate::key::DecoderKey;

/// 32 bits of a decoder key. Wiped when dropped; compared in constant time; never printed.
#[derive(Clone)]
pub struct KeyPart(u32);

impl KeyPart {
    pub(crate) const fn new(word: u32) -> Self {
        Self(word)
    }

    /// The secret bytes. The caller is responsible for where they go.
    pub const fn expose_bytes(&self) -> [u8; 4] {
        self.0.to_be_bytes()
    }

    pub(crate) const fn word(&self) -> u32 {
        self.0
    }
}

impl PartialEq for KeyPart {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for KeyPart {}

impl Drop for KeyPart {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl ZeroizeOnDrop for KeyPart {}

impl fmt::Debug for KeyPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyPart(..)")
    }
}

/// *KENHO* or *KENLO*: four bits of a key expiry number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyExpiryHalf(u8); // Invariant: at most 15.

impl KeyExpiryHalf {
    pub(crate) const fn from_low_bits(bits: u64) -> Self {
        Self((bits & 0xF) as u8)
    }

    /// The value, 0 to 15.
    pub const fn value(self) -> u8 {
        self.0
    }
}

/// *SGCHO* or *SGCLO*: twelve bits of a supply group code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SupplyGroupHalf(u16); // Invariant: at most 4095.

impl SupplyGroupHalf {
    pub(crate) const fn from_low_bits(bits: u64) -> Self {
        Self((bits & 0xFFF) as u16)
    }

    /// The value, 0 to 4095.
    pub const fn value(self) -> u16 {
        self.0
    }
}

/// One section of a new key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySection {
    /// Set1stSectionDecoderKey.
    First {
        /// The high half of the new key expiry number.
        ken_high: KeyExpiryHalf,
        /// The new key revision; nothing for an initialization key.
        key_revision: Option<KeyRevisionNumber>,
        /// Whether the meter forgets its token identifiers.
        rollover: bool,
        /// Whether the set has three sections. Reserved, 0, with a 128-bit key.
        three_tokens: bool,
        /// The new key type.
        key_type: KeyType,
        /// *NKHO*, the first word of the new key.
        key_high: KeyPart,
    },
    /// Set2ndSectionDecoderKey.
    Second {
        /// The low half of the new key expiry number.
        ken_low: KeyExpiryHalf,
        /// The new tariff index.
        tariff_index: TariffIndex,
        /// *NKLO*, the last word of the new key.
        key_low: KeyPart,
    },
    /// Set3rdSectionDecoderKey for a 64-bit key.
    ThirdOfThree {
        /// The new supply group code.
        supply_group: SupplyGroupCode,
    },
    /// Set3rdSectionDecoderKey for a 128-bit key.
    ThirdOfFour {
        /// The low half of the new supply group code.
        group_low: SupplyGroupHalf,
        /// *NKMO2*, the second word of the new key.
        key_middle_2: KeyPart,
    },
    /// Set4thSectionDecoderKey.
    Fourth {
        /// The high half of the new supply group code.
        group_high: SupplyGroupHalf,
        /// *NKMO1*, the third word of the new key.
        key_middle_1: KeyPart,
    },
}

impl KeySection {
    /// The number of the section, 1 to 4.
    pub const fn number(&self) -> u8 {
        match self {
            Self::First { .. } => 1,
            Self::Second { .. } => 2,
            Self::ThirdOfThree { .. } | Self::ThirdOfFour { .. } => 3,
            Self::Fourth { .. } => 4,
        }
    }

    /// The sub-class of the token: 3, 4, 8 or 9.
    pub const fn sub_class(&self) -> u8 {
        match self.number() {
            1 => 3,
            2 => 4,
            3 => 8,
            _ => 9,
        }
    }

    /// The name of the token in the standard.
    pub const fn name(&self) -> &'static str {
        match self.number() {
            1 => "Set1stSectionDecoderKey",
            2 => "Set2ndSectionDecoderKey",
            3 => "Set3rdSectionDecoderKey",
            _ => "Set4thSectionDecoderKey",
        }
    }
}

/// How many sections a set has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetSize {
    /// Two: a 64-bit key, without its supply group.
    Two,
    /// Three: a 64-bit key with its supply group.
    Three,
    /// Four: a 128-bit key with its supply group.
    Four,
}

impl SetSize {
    /// The number: 2, 3 or 4.
    pub const fn count(self) -> u8 {
        match self {
            Self::Two => 2,
            Self::Three => 3,
            Self::Four => 4,
        }
    }

    /// Whether a set of this size can carry a key for this cipher: four sections exactly for 128 bits.
    pub const fn suits(self, algorithm: EncryptionAlgorithm) -> bool {
        matches!(self, Self::Four) == (algorithm.key_bytes() == 16)
    }

    /// The smallest size that suits a cipher: what a set has unless more was asked for.
    pub const fn smallest(algorithm: EncryptionAlgorithm) -> Self {
        if Self::Four.suits(algorithm) { Self::Four } else { Self::Two }
    }
}

/// Whether the meter must forget its token identifiers, because the base date changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rollover {
    /// The base date stays.
    Keep,
    /// The base date changes.
    Forget,
}

impl Rollover {
    /// A rollover exactly when the two base dates differ.
    pub fn between(from: crate::element::BaseDate, to: crate::element::BaseDate) -> Self {
        if from == to { Self::Keep } else { Self::Forget }
    }
}

/// A key with all that a key change tells the meter about it.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// The key.
    pub key: DecoderKey,
    /// Its type.
    pub key_type: KeyType,
    /// Its revision; nothing for an initialization key.
    pub key_revision: Option<KeyRevisionNumber>,
    /// Its expiry.
    pub expiry: KeyExpiryNumber,
    /// Its tariff index.
    pub tariff_index: TariffIndex,
    /// Its supply group. Sets of two do not carry it.
    pub supply_group: Option<SupplyGroupCode>,
}

/// Why no set was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyChangeError {
    /// A set of this size cannot carry a key for this cipher.
    SetSize {
        /// The size asked for.
        size: SetSize,
        /// The cipher of the key.
        algorithm: EncryptionAlgorithm,
    },
    /// A set of three or four carries the supply group, and none was given.
    SupplyGroupMissing,
    /// Every key but an initialization key has a revision, and none was given.
    KeyRevisionMissing,
}

/// The sections of one key change, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyChangeSet {
    sections: [Option<KeySection>; 4], // Invariant: the first `size` are there.
}

impl KeyChangeSet {
    /// Splits a key into sections.
    ///
    /// # Errors
    ///
    /// [`KeyChangeError`] when the size does not suit the key, or something that it carries is missing.
    pub fn new(new: &NewKey, size: SetSize, rollover: Rollover) -> Result<Self, KeyChangeError> {
        let algorithm = new.key.algorithm();
        if !size.suits(algorithm) {
            return Err(KeyChangeError::SetSize { size, algorithm });
        }
        if new.key_revision.is_none() && new.key_type != KeyType::Initialization {
            return Err(KeyChangeError::KeyRevisionMissing);
        }
        let word = |index| KeyPart::new(new.key.word(index));
        let first = KeySection::First {
            ken_high: KeyExpiryHalf(new.expiry.high_nibble()),
            key_revision: new.key_revision,
            rollover: rollover == Rollover::Forget,
            three_tokens: size == SetSize::Three,
            key_type: new.key_type,
            key_high: word(0),
        };
        let second = KeySection::Second {
            ken_low: KeyExpiryHalf(new.expiry.low_nibble()),
            tariff_index: new.tariff_index,
            key_low: word(if size == SetSize::Four { 3 } else { 1 }),
        };
        let group = new.supply_group.ok_or(KeyChangeError::SupplyGroupMissing);
        let (third, fourth) = match size {
            SetSize::Two => (None, None),
            SetSize::Three => (Some(KeySection::ThirdOfThree { supply_group: group? }), None),
            SetSize::Four => {
                let group = group?;
                let third = KeySection::ThirdOfFour {
                    group_low: SupplyGroupHalf(group.low_bits()),
                    key_middle_2: word(1),
                };
                let fourth = KeySection::Fourth {
                    group_high: SupplyGroupHalf(group.high_bits()),
                    key_middle_1: word(2),
                };
                (Some(third), Some(fourth))
            }
        };
        Ok(Self { sections: [Some(first), Some(second), third, fourth] })
    }

    /// The sections, first to last.
    pub fn sections(&self) -> impl Iterator<Item = &KeySection> {
        self.sections.iter().flatten()
    }
}

/// Sections of one key change as they arrive, in any order.
///
/// A copy of a section already held replaces it. Nothing here knows time: the caller drops sections that are
/// too old.
#[derive(Clone, Debug, Default)]
pub struct KeyChangeBuffer {
    sections: [Option<KeySection>; 4],
}

/// A key put together from its sections.
#[derive(Clone, Debug)]
pub struct AssembledKey {
    /// The key with its attributes. The supply group is there unless the set had two sections.
    pub new: NewKey,
    /// Whether the meter forgets its token identifiers.
    pub rollover: Rollover,
}

/// What a buffer makes of the sections it holds.
#[derive(Clone, Debug)]
pub enum Assembly {
    /// More sections are needed.
    Incomplete,
    /// The set is complete.
    Complete(AssembledKey),
    /// The set is complete, but its two halves of a supply group make no code.
    SupplyGroupOutOfRange {
        /// The 24-bit number.
        found: u32,
    },
}

impl KeyChangeBuffer {
    /// Takes one section.
    pub fn put(&mut self, section: KeySection) {
        let place = usize::from(section.number() - 1);
        self.sections[place] = Some(section);
    }

    /// Forgets every section.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.sections.iter().all(Option::is_none)
    }

    /// The numbers of the sections held, ascending.
    pub fn held(&self) -> impl Iterator<Item = u8> {
        self.sections.iter().flatten().map(KeySection::number)
    }

    /// The numbers of the sections still missing for a key of this cipher, ascending.
    ///
    /// With a 64-bit key the first section says whether there is a third; while it is missing, nothing waits
    /// for a third.
    pub fn waiting_for(&self, algorithm: EncryptionAlgorithm) -> impl Iterator<Item = u8> {
        let last = if algorithm.key_bytes() == 16 {
            4
        } else if matches!(self.sections[0], Some(KeySection::First { three_tokens: true, .. })) {
            3
        } else {
            2
        };
        (1..=last).filter(|number| self.sections[usize::from(number - 1)].is_none())
    }

    /// Puts the key together if every section is there.
    pub fn assemble(&self, algorithm: EncryptionAlgorithm) -> Assembly {
        let [first, second, third, fourth] = &self.sections;
        let (
            Some(KeySection::First {
                ken_high,
                key_revision,
                rollover,
                three_tokens,
                key_type,
                key_high,
            }),
            Some(KeySection::Second { ken_low, tariff_index, key_low }),
        ) = (first, second)
        else {
            return Assembly::Incomplete;
        };
        let mut words = Zeroizing::new([key_high.word(), key_low.word(), 0, 0]);
        let supply_group = match (algorithm.key_bytes() == 16, three_tokens, third, fourth) {
            (false, false, _, _) => None,
            (false, true, Some(KeySection::ThirdOfThree { supply_group }), _) => {
                Some(*supply_group)
            }
            (
                true,
                _,
                Some(KeySection::ThirdOfFour { group_low, key_middle_2 }),
                Some(KeySection::Fourth { group_high, key_middle_1 }),
            ) => {
                words[1] = key_middle_2.word();
                words[2] = key_middle_1.word();
                words[3] = key_low.word();
                let found = (u32::from(group_high.0) << 12) + u32::from(group_low.0);
                match SupplyGroupCode::try_from(found) {
                    Ok(group) => Some(group),
                    Err(_) => return Assembly::SupplyGroupOutOfRange { found },
                }
            }
            _ => return Assembly::Incomplete,
        };
        let mut bytes = Zeroizing::new([0; 16]);
        for (place, word) in bytes.chunks_exact_mut(4).zip(words.iter()) {
            place.copy_from_slice(&word.to_be_bytes());
        }
        let key = DecoderKey::new(algorithm, &bytes[..algorithm.key_bytes()])
            .expect("the bytes are as many as the cipher takes");
        Assembly::Complete(AssembledKey {
            new: NewKey {
                key,
                key_type: *key_type,
                key_revision: *key_revision,
                expiry: KeyExpiryNumber::from_nibbles(ken_high.0, ken_low.0),
                tariff_index: *tariff_index,
                supply_group,
            },
            rollover: if *rollover { Rollover::Forget } else { Rollover::Keep },
        })
    }
}

impl fmt::Display for KeyChangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SetSize { size, algorithm } => {
                let expected = if algorithm.key_bytes() == 16 { "4" } else { "2 or 3" };
                write!(
                    f,
                    "wrong number of key change tokens: expected {expected} for EA{algorithm}, found {}",
                    size.count()
                )
            }
            Self::SupplyGroupMissing => {
                f.write_str("a key change of three or four tokens needs the new supply group code")
            }
            Self::KeyRevisionMissing => f.write_str(
                "a key change needs the new key revision number, unless the key type is 0 (DITK)",
            ),
        }
    }
}

impl core::error::Error for KeyChangeError {}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::KeyPart;

    #[test]
    fn a_part_of_a_key_is_equal_to_itself_alone_and_prints_nothing() {
        let part = KeyPart::new(0x5B00_0001);
        assert!(part == KeyPart::new(0x5B00_0001) && part != KeyPart::new(0x5B00_0000));
        assert_eq!(part.expose_bytes(), [0x5B, 0, 0, 1]);
        assert_eq!(std::format!("{part:?}"), "KeyPart(..)");
    }
}
