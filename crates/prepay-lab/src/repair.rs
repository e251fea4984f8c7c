//! What a mistyped token perhaps was: one digit wrong, or two neighbours swapped.
//!
//! A token has up to 199 such neighbours, so even one wrong key makes about one of them open in 330 tokens. Readings are
//! ranked by how plausible they are; none of them is a verdict.

use prepay_records::RecordError;
use prepay_token::{Class, TOKEN_DIGITS, TokenData, open, open_in_clear};

use crate::reading::{Reading, Sale};
use crate::search::{KeyLists, Tried};

/// One token that opens and is one slip away from the typed digits.
#[derive(Debug)]
pub struct Repair {
    /// The token.
    pub data: TokenData,
    /// The slip.
    pub slip: Slip,
    /// The key that opens it; none for class 1.
    pub key: Option<String>,
    /// What it says.
    pub reading: Reading,
}

/// A slip of the hand. Digits are counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slip {
    /// Another digit was meant.
    Digit {
        /// Which digit.
        position: usize,
        /// The digit that was typed.
        typed: char,
        /// The digit that was meant.
        meant: char,
    },
    /// This digit and the next were swapped.
    Swapped {
        /// The first of them.
        position: usize,
    },
}

/// Every number one slip away that is a token.
pub fn slips(digits: &[u8; TOKEN_DIGITS]) -> Vec<(Slip, TokenData)> {
    let mut slips = Vec::new();
    let mut put = |slip, changed: [u8; TOKEN_DIGITS]| {
        if let Ok(data) = TokenData::from_digits(&changed) {
            slips.push((slip, data));
        }
    };
    for index in 0..TOKEN_DIGITS {
        for meant in (b'0'..=b'9').filter(|&digit| digit != digits[index]) {
            let mut changed = *digits;
            changed[index] = meant;
            let (typed, meant) = (char::from(digits[index]), char::from(meant));
            put(Slip::Digit { position: index + 1, typed, meant }, changed);
        }
        if index + 1 < TOKEN_DIGITS && digits[index] != digits[index + 1] {
            let mut changed = *digits;
            changed.swap(index, index + 1);
            put(Slip::Swapped { position: index + 1 }, changed);
        }
    }
    slips
}

impl KeyLists<'_> {
    /// Every token one slip away from these digits that opens, the more plausible first.
    ///
    /// # Errors
    ///
    /// As [`KeyLists::search`].
    pub fn repair(
        &self,
        digits: &[u8; TOKEN_DIGITS],
        sale: &Sale,
    ) -> Result<(Tried, Vec<Repair>), RecordError> {
        let slips = slips(digits);
        let mut repairs = Vec::new();
        for &(slip, data) in slips.iter().filter(|(_, data)| data.class() == Class::Display) {
            if let Ok(token) = open_in_clear(data) {
                let reading = Reading::in_clear(token);
                repairs.push(Repair { data, slip, key: None, reading });
            }
        }
        let tried = self.each_key(|candidate| {
            for &(slip, data) in slips.iter().filter(|(_, data)| data.class().is_enciphered()) {
                if let Ok(token) = open(data, &candidate.cipher) {
                    let reading = Reading::new(token, &candidate, sale);
                    repairs.push(Repair { data, slip, key: Some(candidate.name()), reading });
                }
            }
        })?;
        repairs.sort_by_key(|repair| repair.reading.rank());
        Ok((tried, repairs))
    }
}

impl std::fmt::Display for Slip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Digit { position, typed, meant } => {
                write!(f, "digit {position} is {meant}, not {typed}")
            }
            Self::Swapped { position } => {
                write!(f, "digits {position} and {} are swapped", position + 1)
            }
        }
    }
}
