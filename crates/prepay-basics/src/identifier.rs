//! Names: the IDENT form of the key management specification.
//!
//! - Form: 1 to 40 characters; the first an ASCII letter or digit, the others also `_`, `-`, `.` or `,`.
//! - Source: STS 600-4-2, type IDENT, as known from public clients.

use std::fmt;
use std::str::FromStr;

/// A name in the IDENT form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identifier(Box<str>); // Invariant: the IDENT form.

/// The text is not an identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParseIdentifierError {
    /// Too short or too long.
    Length {
        /// Its length in bytes.
        found: usize,
    },
    /// A character that is not allowed there.
    Character {
        /// Its position, from 0.
        index: usize,
    },
}

impl Identifier {
    /// The greatest length.
    pub const MAX_LENGTH: usize = 40;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Identifier {
    type Err = ParseIdentifierError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() || text.len() > Self::MAX_LENGTH {
            return Err(ParseIdentifierError::Length { found: text.len() });
        }
        let fits = |(index, byte): (usize, u8)| {
            byte.is_ascii_alphanumeric() || (index > 0 && b"_-.,".contains(&byte))
        };
        match text.bytes().enumerate().position(|place| !fits(place)) {
            Some(index) => Err(ParseIdentifierError::Character { index }),
            None => Ok(Self(text.into())),
        }
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

impl fmt::Display for ParseIdentifierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { found } => {
                write!(f, "name: expected 1 to 40 characters, found {found}")
            }
            Self::Character { index } => write!(
                f,
                "name: expected letters, digits and, except first, \"_-.,\", found another character at \
                 position {index}"
            ),
        }
    }
}

impl std::error::Error for ParseIdentifierError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_checked_on_both_sides_of_each_bound() {
        let longest = "a".repeat(40);
        for good in ["0", "A", "SM-0001", "a_b-c.d,e", &longest] {
            assert_eq!(good.parse::<Identifier>().unwrap().as_str(), good);
        }
        let too_long = "a".repeat(41);
        for (bad, expected) in [
            ("", ParseIdentifierError::Length { found: 0 }),
            (too_long.as_str(), ParseIdentifierError::Length { found: 41 }),
            ("-a", ParseIdentifierError::Character { index: 0 }),
            ("a b", ParseIdentifierError::Character { index: 1 }),
            ("a;b", ParseIdentifierError::Character { index: 1 }),
            ("aé", ParseIdentifierError::Character { index: 1 }),
        ] {
            assert_eq!(bad.parse::<Identifier>(), Err(expected), "{bad:?}");
        }
    }
}
