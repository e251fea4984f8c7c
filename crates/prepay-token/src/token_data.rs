//! The 66 bits of a token as they travel: *TokenData*, its class bits, and its 20 digits.
//!
//! The class is not enciphered, but it is hidden: its two bits change places with bits 28 and 27 of the
//! 64-bit block, whose own values move to the top.
//!
//! ```text
//!              65 64 63            29 28 27 26                0
//!             +-----+----------------+-----+-------------------+
//!  in front   |class|   block        | x y |   block           |
//!             +-----+----------------+-----+-------------------+
//!                 \_________________  _/
//!                  _________________\/
//!                 /                  \
//!             +-----+----------------+-----+-------------------+
//!  as sent    | x y |   block        |class|   block           |
//!             +-----+----------------+-----+-------------------+
//! ```
//!
//! The numeric carrier writes the 66 bits as one number of exactly twenty decimal digits. 2^66 is
//! 73 786 976 294 838 206 464; twenty digits that make this or more are not a token.
//!
//! - Source: IEC 62055-41:2018, TCDU generation (transposition of the class bits); IEC 62055-51, numeric
//!   token carrier. The form in nine bytes is this project's own, for carriers that are not numeric.

use core::fmt;
use core::str::FromStr;

/// How many decimal digits a token has.
pub const TOKEN_DIGITS: usize = 20;

/// The lower of the two bits that change places with the class.
const CLASS_SHIFT: u32 = 27;

/// 10^16: the last sixteen digits fit in 64 bits.
const TEN_TO_16: u64 = 10_000_000_000_000_000;

/// The class of a token: two bits, never enciphered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Class 0: transfer of credit. Enciphered.
    Credit,
    /// Class 1: tests and displays, for the meters of one manufacturer or of all. In clear.
    Display,
    /// Class 2: management of one meter. Enciphered.
    Management,
    /// Class 3: reserved for the STS Association.
    Reserved,
}

impl Class {
    /// The class with the number in the two low bits.
    pub const fn from_low_bits(bits: u8) -> Self {
        match bits & 3 {
            0 => Self::Credit,
            1 => Self::Display,
            2 => Self::Management,
            _ => Self::Reserved,
        }
    }

    /// The number, 0 to 3.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Whether tokens of this class are enciphered under the key of one meter.
    pub const fn is_enciphered(self) -> bool {
        matches!(self, Self::Credit | Self::Management)
    }

    /// The name of the class.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Credit => "credit",
            Self::Display => "test and display",
            Self::Management => "management",
            Self::Reserved => "reserved",
        }
    }
}

/// The 66 bits of a token, with the class bits in their transposed place.
///
/// The `Debug` form shows the digits, which are worth money until they are used: programs should not
/// log them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenData(u128); // Invariant: below 2^66.

/// A text or a number that is not a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenDataError {
    /// Not twenty digits.
    Length {
        /// How many digits there are.
        found: usize,
    },
    /// A character that is not an ASCII digit.
    NotDigit {
        /// The character.
        character: char,
        /// Its position, counted in characters from 1.
        position: usize,
    },
    /// Twenty digits, or nine bytes, whose value is 2^66 or more.
    TooLarge,
}

impl TokenData {
    /// The 66 bits of a class and a block.
    #[inline]
    pub const fn join(class: Class, block: u64) -> Self {
        let moved = block >> CLASS_SHIFT & 3;
        let rest = (block & !(3 << CLASS_SHIFT)) + ((class.number() as u64) << CLASS_SHIFT);
        Self(((moved as u128) << 64) + rest as u128)
    }

    /// The class.
    #[inline]
    pub const fn class(self) -> Class {
        Class::from_low_bits((self.0 >> CLASS_SHIFT) as u8)
    }

    /// The 64-bit block, with its own bits 28 and 27 back in their place.
    #[inline]
    pub const fn block(self) -> u64 {
        (self.0 as u64 & !(3 << CLASS_SHIFT)) + (((self.0 >> 64) as u64) << CLASS_SHIFT)
    }

    /// The 66 bits as a number.
    pub const fn value(self) -> u128 {
        self.0
    }

    /// The twenty ASCII digits.
    #[inline]
    pub const fn digits(self) -> [u8; TOKEN_DIGITS] {
        // 10^16 is 2^16 * 5^16, so dropping 16 bits first leaves a division of 64 bits.
        let head = (self.0 >> 16) as u64 / (TEN_TO_16 >> 16);
        let tail = (self.0 as u64).wrapping_sub(head.wrapping_mul(TEN_TO_16));
        let mut digits = [0; TOKEN_DIGITS];
        write_pairs(&mut digits, 0, head as u32 * 10_000, 2);
        write_pairs(&mut digits, 4, (tail / 100_000_000) as u32, 4);
        write_pairs(&mut digits, 12, (tail % 100_000_000) as u32, 4);
        digits
    }

    /// The token with exactly these twenty ASCII digits, nothing between them.
    ///
    /// # Errors
    ///
    /// [`TokenDataError`] when there are more or fewer characters, one is not a digit, or the number is
    /// too large.
    pub fn from_digits(digits: &[u8]) -> Result<Self, TokenDataError> {
        let Ok(digits) = <[u8; TOKEN_DIGITS]>::try_from(digits) else {
            return Err(TokenDataError::Length { found: digits.len() });
        };
        if let Some(index) = digits.iter().position(|digit| !digit.is_ascii_digit()) {
            let character = char::from(digits[index]);
            return Err(TokenDataError::NotDigit { character, position: index + 1 });
        }
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t] = digits;
        let head = number_of([b'0', b'0', b'0', b'0', a, b, c, d]);
        let middle = number_of([e, f, g, h, i, j, k, l]);
        let tail = middle * 100_000_000 + number_of([m, n, o, p, q, r, s, t]);
        Self::try_from(u128::from(head) * u128::from(TEN_TO_16) + u128::from(tail))
    }

    /// Whether a character may stand between the digits of a token and means nothing: every blank and line end of Unicode,
    /// every dash, and what has no width.
    pub const fn is_separator(character: char) -> bool {
        character.is_whitespace()
            || matches!(
                character,
                '-' | '\u{AD}' | '\u{58A}' | '\u{2010}'..='\u{2015}' | '\u{2043}' | '\u{2212}'
                | '\u{301C}' | '\u{FE58}' | '\u{FE63}' | '\u{FF0D}'
                | '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}'
            )
    }

    /// The nine bytes, most significant first; the six high bits of the first are zero.
    pub const fn bytes(self) -> [u8; 9] {
        let [.., a, b, c, d, e, f, g, h, i] = self.0.to_be_bytes();
        [a, b, c, d, e, f, g, h, i]
    }

    /// The token in nine bytes, most significant first.
    ///
    /// # Errors
    ///
    /// [`TokenDataError::TooLarge`] when one of the six high bits is set.
    pub fn from_bytes(bytes: [u8; 9]) -> Result<Self, TokenDataError> {
        let value = bytes.iter().fold(0, |value, &byte| (value << 8) + u128::from(byte));
        Self::try_from(value)
    }
}

/// The two ASCII digits of each number below 100.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    pairs
};

/// Writes the first pairs of the eight digits of a number, from place `at` on.
///
/// The number becomes a fraction of 10^8 in fixed point, 32 bits behind the point; each multiplication by
/// 100 moves the next pair in front of it. The fraction is a little too large, by less than one in the
/// eighth digit, so no pair is ever cut short.
#[inline(always)]
const fn write_pairs(digits: &mut [u8; TOKEN_DIGITS], at: usize, number: u32, pairs: usize) {
    let mut fraction = ((number as u64 * 281_474_977) >> 16) + 1;
    let mut pair = 0;
    while pair < pairs {
        let [tens, ones] = PAIRS[(fraction >> 32) as usize];
        (digits[at + 2 * pair], digits[at + 2 * pair + 1]) = (tens, ones);
        fraction = (fraction & 0xFFFF_FFFF) * 100;
        pair += 1;
    }
}

/// The number that eight ASCII digits write, most significant first.
///
/// Halves of the number are joined in all lanes of one register at once.
const fn number_of(digits: [u8; 8]) -> u64 {
    let ones = u64::from_le_bytes(digits) & 0x0F0F_0F0F_0F0F_0F0F;
    let twos = (ones * 10 + (ones >> 8)) & 0x00FF_00FF_00FF_00FF;
    let fours = (twos * 100 + (twos >> 16)) & 0x0000_FFFF_0000_FFFF;
    (fours * 10_000 + (fours >> 32)) & 0xFFFF_FFFF
}

impl TryFrom<u128> for TokenData {
    type Error = TokenDataError;

    fn try_from(value: u128) -> Result<Self, Self::Error> {
        if value >> 66 == 0 { Ok(Self(value)) } else { Err(TokenDataError::TooLarge) }
    }
}

impl FromStr for TokenData {
    type Err = TokenDataError;

    /// Accepts twenty ASCII digits; [separators](TokenData::is_separator) between and around them are ignored.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut digits = [0; TOKEN_DIGITS];
        let mut found = 0;
        for (index, character) in text.chars().enumerate() {
            match character {
                '0'..='9' => {
                    if let Some(place) = digits.get_mut(found) {
                        *place = character as u8;
                    }
                    found += 1;
                }
                character if Self::is_separator(character) => {}
                character => {
                    return Err(TokenDataError::NotDigit { character, position: index + 1 });
                }
            }
        }
        if found != TOKEN_DIGITS {
            return Err(TokenDataError::Length { found });
        }
        Self::from_digits(&digits)
    }
}

impl fmt::Display for TokenData {
    /// Twenty digits; with `{:#}` in five groups of four.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits();
        for (index, group) in digits.chunks(4).enumerate() {
            if f.alternate() && index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(core::str::from_utf8(group).map_err(|_| fmt::Error)?)?;
        }
        Ok(())
    }
}

impl fmt::Debug for TokenData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenData({self:#})")
    }
}

impl fmt::Display for TokenDataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { found: 19 } => f.write_str(
                "token number of the wrong length: expected 20 digits, found 19; a zero in front may be lost",
            ),
            Self::Length { found } => {
                write!(f, "token number of the wrong length: expected 20 digits, found {found}")
            }
            Self::NotDigit { character, position } => {
                write!(f, "token number: expected digits, found {character:?} at position {position}")
            }
            Self::TooLarge => {
                f.write_str("not an STS token: expected a number below 2^66, found a larger one")
            }
        }
    }
}

impl core::error::Error for TokenDataError {}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::format;
    use std::string::String;

    #[test]
    fn class_bits_change_places_with_bits_28_and_27() {
        // (class, block, 66 bits), from the worked examples.
        const CASES: &[(Class, u64, u128)] = &[
            (Class::Display, 0x6543_2109_8765_4321, 0x0_6543_2109_8F65_4321),
            (Class::Credit, 0x4920_83C0_AE7C_E455, 0x1_4920_83C0_A67C_E455),
            (Class::Management, 0xD530_672A_A6C6_5C22, 0x0_D530_672A_B6C6_5C22),
            (Class::Display, 0x0000_0000_0800_0C00, 0x1_0000_0000_0800_0C00),
        ];
        for &(class, block, value) in CASES {
            let data = TokenData::join(class, block);
            assert_eq!(data.value(), value, "{block:016X}");
            assert_eq!((data.class(), data.block()), (class, block), "{block:016X}");
        }
    }

    #[test]
    fn the_largest_token_is_2_to_66_less_one() {
        let largest = "73786976294838206463";
        assert_eq!(format!("{}", largest.parse::<TokenData>().unwrap()), largest);
        for text in ["73786976294838206464", "99999999999999999999"] {
            assert_eq!(text.parse::<TokenData>(), Err(TokenDataError::TooLarge), "{text}");
        }
        assert_eq!(
            TokenData::from_bytes([4, 0, 0, 0, 0, 0, 0, 0, 0]),
            Err(TokenDataError::TooLarge)
        );
    }

    #[test]
    fn text_is_twenty_digits_with_every_blank_and_dash_dropped() {
        let token = TokenData::from_digits(b"00000000000150997584").unwrap();
        for text in [
            "0000 0000 0001 5099 7584",
            "0000-0000-0001-5099-7584",
            " 00000000000150997584 ",
            "0000\u{A0}0000\u{202F}0001\u{2009}5099\u{3000}7584",
            "0000\u{2013}0000\u{2014}0001\u{2011}5099\u{2212}7584",
            "0000\t0000\r\n0001\n5099\u{2028}7584\n",
            "\u{FEFF}0000\u{200B}000000015099\u{AD}7584",
        ] {
            assert_eq!(text.parse(), Ok(token), "{text}");
        }
        assert_eq!(format!("{token:#}"), "0000 0000 0001 5099 7584");
        for (text, error) in [
            ("", TokenDataError::Length { found: 0 }),
            ("0000000000015099758", TokenDataError::Length { found: 19 }),
            ("000000000001509975840", TokenDataError::Length { found: 21 }),
            ("0000 0000 0001 5099 758a", TokenDataError::NotDigit { character: 'a', position: 24 }),
            ("0000000000015099758٤", TokenDataError::NotDigit { character: '٤', position: 20 }),
            ("0000.0000", TokenDataError::NotDigit { character: '.', position: 5 }),
        ] {
            assert_eq!(text.parse::<TokenData>(), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn all_forms_agree(value in 0u128..1 << 66) {
            let data = TokenData::try_from(value).unwrap();
            let plain = format!("{value:020}");
            prop_assert_eq!(String::from_utf8(data.digits().to_vec()).unwrap(), plain.clone());
            prop_assert_eq!(plain.parse(), Ok(data));
            prop_assert_eq!(TokenData::from_bytes(data.bytes()), Ok(data));
            prop_assert_eq!(TokenData::join(data.class(), data.block()), data);
        }
    }
}
