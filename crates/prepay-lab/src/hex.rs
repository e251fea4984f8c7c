//! The hexadecimal text of keys: read in constant time, wiped, and never repeated in a message.
//!
//! - Upper and lower case are read.

use zeroize::Zeroizing;

/// Why a text is not hexadecimal bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HexError {
    /// A character that is not a hexadecimal digit, by its position.
    NotHex { index: usize },
    /// More bytes than any key has, or half a byte.
    Length { digits: usize },
}

/// The longest key, a vending key of DKGA04.
const LONGEST: usize = 20;

/// Bytes of a key, wiped when dropped.
#[derive(Default)]
pub(crate) struct Bytes {
    bytes: Zeroizing<[u8; LONGEST]>,
    length: usize,
}

impl Bytes {
    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    pub(crate) const fn length(&self) -> usize {
        self.length
    }
}

/// The bytes of a text.
pub(crate) fn decode(text: &str) -> Result<Bytes, HexError> {
    if let Some(index) = text.chars().position(|character| !character.is_ascii_hexdigit()) {
        return Err(HexError::NotHex { index });
    }
    let digits = text.len();
    if !digits.is_multiple_of(2) || digits > 2 * LONGEST {
        return Err(HexError::Length { digits });
    }
    let mut bytes = Bytes { length: digits / 2, ..Bytes::default() };
    base16ct::mixed::decode(text, &mut bytes.bytes[..digits / 2])
        .map_err(|_| HexError::Length { digits })?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_cases_are_read() {
        let bytes = decode("00aBfF").unwrap();
        assert_eq!(bytes.as_slice(), [0x00, 0xAB, 0xFF]);
    }

    #[test]
    fn other_texts_are_refused_without_being_repeated() {
        for (text, error) in [
            ("0x11", HexError::NotHex { index: 1 }),
            ("11 1", HexError::NotHex { index: 2 }),
            ("é1", HexError::NotHex { index: 0 }),
            ("111", HexError::Length { digits: 3 }),
            (&"1".repeat(42), HexError::Length { digits: 42 }),
        ] {
            assert_eq!(decode(text).err(), Some(error), "{text}");
        }
    }
}
