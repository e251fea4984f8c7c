//! The twelve keys, and the characters that stand for them in scripts.
//!
//! - Source: ten digits, one key that takes back and one that enters are common to the makers' manuals.

use core::fmt;

/// A key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "a digit is a digit")]
pub enum Key {
    Zero,
    One,
    Two,
    Three,
    Four,
    Five,
    Six,
    Seven,
    Eight,
    Nine,
    /// Takes the last digit back: `*`, C or an arrow.
    Back,
    /// Enters what was typed: `#`, return or `i`.
    Enter,
}

/// A character that stands for no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoKey(
    /// The character.
    pub char,
);

impl Key {
    /// Every key: the digits ascending, then back and enter.
    pub const ALL: [Self; 12] = [
        Self::Zero,
        Self::One,
        Self::Two,
        Self::Three,
        Self::Four,
        Self::Five,
        Self::Six,
        Self::Seven,
        Self::Eight,
        Self::Nine,
        Self::Back,
        Self::Enter,
    ];

    /// `0` to `9`, `*` for back, `#` for enter.
    pub const fn character(self) -> char {
        match self {
            Self::Back => '*',
            Self::Enter => '#',
            digit => (b'0' + digit as u8) as char,
        }
    }
}

impl TryFrom<char> for Key {
    type Error = NoKey;

    /// The key that is written as this character.
    fn try_from(character: char) -> Result<Self, NoKey> {
        let found = Self::ALL.into_iter().find(|key| key.character() == character);
        found.ok_or(NoKey(character))
    }
}

impl fmt::Display for NoKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no key: expected 0 to 9, * or #, found {:?}", self.0)
    }
}

impl core::error::Error for NoKey {}
