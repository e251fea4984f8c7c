//! Small values of the profile, each with one text form.

use std::fmt;
use std::str::FromStr;

use super::attribute::AttributeError;
use prepay_basics::{Entropy, NoEntropy};

/// The number of a slot of a module, 1 to 9999. A slot holds the keys that the module shares with one centre.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotNumber(u16); // Invariant: 1 to 9999.

impl SlotNumber {
    /// The number.
    pub const fn value(self) -> u16 {
        self.0
    }
}

impl TryFrom<u16> for SlotNumber {
    type Error = AttributeError;

    fn try_from(found: u16) -> Result<Self, Self::Error> {
        match found {
            1..=9999 => Ok(Self(found)),
            _ => Err(attribute_error("slot", "1 to 9999", &found.to_string())),
        }
    }
}

impl FromStr for SlotNumber {
    type Err = AttributeError;

    /// Accepts 1 to 9999 without sign or leading zeros.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.parse::<u16>().ok().and_then(|number| Self::try_from(number).ok());
        number
            .filter(|number| number.to_string() == text)
            .ok_or_else(|| attribute_error("slot", "1 to 9999", text))
    }
}

impl fmt::Display for SlotNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of a request, sixteen bytes at random, so that an answer fits one request only.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nonce([u8; 16]);

impl Nonce {
    /// A new number.
    ///
    /// # Errors
    ///
    /// [`NoEntropy`] when the source has failed.
    pub fn generate(entropy: &mut dyn Entropy) -> Result<Self, NoEntropy> {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// The number with these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn bytes(self) -> [u8; 16] {
        self.0
    }
}

impl FromStr for Nonce {
    type Err = AttributeError;

    /// Accepts 32 upper-case hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        read_hex(text)
            .map(Self)
            .ok_or_else(|| attribute_error("request number", "32 hexadecimal digits", text))
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hex(&self.0).fmt(f)
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Nonce({self})")
    }
}

/// A short text about a module: 1 to 40 printable ASCII characters without semicolon, no blank at the ends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Label(Box<str>); // Invariant: as above.

impl Label {
    /// The greatest length.
    pub const MAX_LENGTH: usize = 40;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Label {
    type Err = AttributeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let printable = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b';';
        let length = (1..=Self::MAX_LENGTH).contains(&text.len());
        if !length || !text.bytes().all(printable) || text.trim() != text {
            let expected = "1 to 40 printable ASCII characters without semicolon";
            return Err(attribute_error("label", expected, text));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

fn attribute_error(element: &'static str, expected: &'static str, found: &str) -> AttributeError {
    AttributeError { element, expected, found: shortened(found) }
}

/// The part of a value that an error shows: no more than fits on a line.
pub(super) fn shortened(value: &str) -> String {
    let mut text: String = value.chars().take(48).collect();
    if text.len() < value.len() {
        text.push('…');
    }
    text
}

/// Bytes as upper-case hexadecimal digits. Only for bytes that are no secret.
pub(super) struct Hex<'a>(pub(super) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

/// Exactly as many bytes as asked for, from upper-case hexadecimal digits.
pub(super) fn read_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    (text.len() == 2 * N && fill_from_hex(text, &mut bytes)).then_some(bytes)
}

/// Fills the bytes from twice as many digits; false when one is no digit.
pub(super) fn fill_from_hex(text: &str, bytes: &mut [u8]) -> bool {
    bytes.iter_mut().zip(text.as_bytes().chunks(2)).all(|(byte, digits)| match digits {
        &[high, low] => match (digit(high), digit(low)) {
            (Some(high), Some(low)) => {
                *byte = (high << 4) + low;
                true
            }
            _ => false,
        },
        _ => false,
    })
}

fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'A'..=b'F' => Some(character - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_one_text_form() {
        for text in ["1", "9999"] {
            assert_eq!(text.parse::<SlotNumber>().unwrap().to_string(), text);
        }
        for text in ["", "0", "01", "+1", "10000", "1 "] {
            assert!(text.parse::<SlotNumber>().is_err(), "{text:?}");
        }
        let text = "00112233445566778899AABBCCDDEEFF";
        assert_eq!(text.parse::<Nonce>().unwrap().to_string(), text);
        for text in ["", &text[1..], &text.to_lowercase(), &text.replace('0', "+")] {
            assert!(text.parse::<Nonce>().is_err(), "{text:?}");
        }
        assert_eq!("a b".parse::<Label>().unwrap().as_str(), "a b");
        for text in ["", " a", "a ", "a;b", "é", &"a".repeat(41)] {
            assert!(text.parse::<Label>().is_err(), "{text:?}");
        }
    }
}
