//! Short codes: fewer than twenty digits on a keypad, which show a register of the meter.
//!
//! No standard lists them: code and syntax are each maker's, and sometimes each utility's. A map is data
//! ([`ShortCodeMap`]), made from constants or from a file (`docs/formats/keypad-data.md`). A code is text:
//! `010` and `10` are different codes.
//!
//! - Source: public manuals of the makers named in the samples of [`keypad`](crate::keypad).
//! - Elsewhere: what a register holds (`register.rs`), how it looks (`keypad/screen.rs`).

use core::fmt;

use prepay_token::element::Service;

use crate::register::Register;

/// The most digits of a code: one fewer than a token has.
const MOST_DIGITS: usize = 19;

/// How a code is typed. `#` stands for the enter key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeSyntax {
    /// `nnn#`
    DigitsEnter,
    /// `#nnn#`
    Enclosed,
    /// `nnn#` and `#nnn#`
    Either,
    /// `#nnn`, which acts on its last digit. The key may be marked `i`.
    InfoFirst {
        /// How many digits every code has.
        digits: u8,
    },
}

/// What a code does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodeTarget {
    /// It shows a register.
    Show(Register),
    /// It requests emergency credit, where the policy of the meter offers it. The credit itself does not
    /// change.
    StartEmergency(Service),
}

/// A code as it was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShortCode {
    digits: [u8; MOST_DIGITS], // Invariant: ASCII digits as far as `count`, then zeros.
    count: u8,                 // Invariant: 1 to 19.
    is_marked: bool,
}

/// The codes of a keypad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShortCodeMap<'a> {
    syntax: CodeSyntax,
    entries: &'a [(&'a str, CodeTarget)], // Invariant: 1 to 19 digits each, none twice.
}

/// Why a list of codes is not a map. Each error gives the place of the code in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShortCodeMapError {
    /// The code does not have 1 to 19 digits, or not as many as the syntax needs.
    Length {
        /// The place.
        index: usize,
    },
    /// The code has a character that is not a digit.
    NotDigit {
        /// The place.
        index: usize,
    },
    /// The code is in the list already.
    Twice {
        /// The place.
        index: usize,
    },
}

impl CodeSyntax {
    /// Whether the enter key may begin a code.
    pub const fn has_mark(self) -> bool {
        !matches!(self, Self::DigitsEnter)
    }

    /// Whether a code may be typed like this.
    const fn admits(self, is_marked: bool) -> bool {
        match self {
            Self::DigitsEnter => !is_marked,
            Self::Enclosed | Self::InfoFirst { .. } => is_marked,
            Self::Either => true,
        }
    }

    /// The name in lower case, as files have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DigitsEnter => "digits_enter",
            Self::Enclosed => "enclosed",
            Self::Either => "either",
            Self::InfoFirst { .. } => "info_first",
        }
    }
}

impl ShortCode {
    /// Digits that were typed, 1 to 19 of them.
    pub(crate) fn typed(typed: &[u8], is_marked: bool) -> Self {
        let mut digits = [0; MOST_DIGITS];
        let count = typed.len().min(MOST_DIGITS);
        digits[..count].copy_from_slice(&typed[..count]);
        Self { digits, count: count as u8, is_marked }
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        let digits = &self.digits[..usize::from(self.count)];
        core::str::from_utf8(digits).expect("digits are ASCII")
    }

    /// Whether the enter key began it.
    pub const fn is_marked(&self) -> bool {
        self.is_marked
    }
}

impl<'a> ShortCodeMap<'a> {
    /// A keypad without codes.
    pub const NONE: Self = Self { syntax: CodeSyntax::DigitsEnter, entries: &[] };

    /// A map of these codes.
    ///
    /// # Errors
    ///
    /// [`ShortCodeMapError`], for the first code that is wrong.
    pub const fn new(
        syntax: CodeSyntax,
        entries: &'a [(&'a str, CodeTarget)],
    ) -> Result<Self, ShortCodeMapError> {
        let mut index = 0;
        while index < entries.len() {
            let code = entries[index].0.as_bytes();
            let is_long_enough = match syntax {
                CodeSyntax::InfoFirst { digits } => code.len() == digits as usize,
                _ => !code.is_empty(),
            };
            if !is_long_enough || code.is_empty() || code.len() > MOST_DIGITS {
                return Err(ShortCodeMapError::Length { index });
            }
            let mut place = 0;
            while place < code.len() {
                if !code[place].is_ascii_digit() {
                    return Err(ShortCodeMapError::NotDigit { index });
                }
                place += 1;
            }
            let mut before = 0;
            while before < index {
                if is_same(entries[before].0.as_bytes(), code) {
                    return Err(ShortCodeMapError::Twice { index });
                }
                before += 1;
            }
            index += 1;
        }
        Ok(Self { syntax, entries })
    }

    /// How a code is typed.
    pub const fn syntax(&self) -> CodeSyntax {
        self.syntax
    }

    /// The codes with what they do, in the order of the list.
    pub const fn entries(&self) -> &'a [(&'a str, CodeTarget)] {
        self.entries
    }

    /// What a code does, if there is one that is typed like this.
    pub fn find(&self, code: &ShortCode) -> Option<CodeTarget> {
        if !self.syntax.admits(code.is_marked) {
            return None;
        }
        self.entries.iter().find(|(digits, _)| *digits == code.as_str()).map(|(_, target)| *target)
    }
}

/// Equality that constants can use.
const fn is_same(a: &[u8], b: &[u8]) -> bool {
    let mut place = 0;
    while place < a.len() && place < b.len() && a[place] == b[place] {
        place += 1;
    }
    place == a.len() && place == b.len()
}

impl fmt::Display for ShortCodeMapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { index } => write!(
                f,
                "code at index {index}: expected 1 to {MOST_DIGITS} digits, and as many as the syntax asks"
            ),
            Self::NotDigit { index } => write!(f, "code at index {index}: expected digits alone"),
            Self::Twice { index } => write!(f, "code at index {index} stands before it already"),
        }
    }
}

impl core::error::Error for ShortCodeMapError {}

#[cfg(test)]
mod tests {
    use super::{CodeSyntax, CodeTarget, ShortCode, ShortCodeMap, ShortCodeMapError};
    use crate::register::Register;

    const SHOW: CodeTarget = CodeTarget::Show(Register::Power);

    #[test]
    fn a_map_has_codes_of_digits_each_once() {
        type Case<'a> =
            (&'a str, CodeSyntax, &'a [(&'a str, CodeTarget)], Option<ShortCodeMapError>);
        let cases: &[Case<'_>] = &[
            ("empty map", CodeSyntax::Either, &[], None),
            (
                "one begins another",
                CodeSyntax::Either,
                &[("1", SHOW), ("12", SHOW), ("123", SHOW)],
                None,
            ),
            ("zeros count", CodeSyntax::Either, &[("10", SHOW), ("010", SHOW)], None),
            ("longest", CodeSyntax::Either, &[("1234567890123456789", SHOW)], None),
            (
                "a token",
                CodeSyntax::Either,
                &[("1", SHOW), ("12345678901234567890", SHOW)],
                Some(ShortCodeMapError::Length { index: 1 }),
            ),
            (
                "empty",
                CodeSyntax::Either,
                &[("", SHOW)],
                Some(ShortCodeMapError::Length { index: 0 }),
            ),
            (
                "no digit",
                CodeSyntax::Either,
                &[("1a", SHOW)],
                Some(ShortCodeMapError::NotDigit { index: 0 }),
            ),
            (
                "twice",
                CodeSyntax::Either,
                &[("1", SHOW), ("2", SHOW), ("1", SHOW)],
                Some(ShortCodeMapError::Twice { index: 2 }),
            ),
            (
                "too short for its syntax",
                CodeSyntax::InfoFirst { digits: 3 },
                &[("12", SHOW)],
                Some(ShortCodeMapError::Length { index: 0 }),
            ),
            (
                "syntax without digits",
                CodeSyntax::InfoFirst { digits: 0 },
                &[("", SHOW)],
                Some(ShortCodeMapError::Length { index: 0 }),
            ),
        ];
        for &(name, syntax, entries, error) in cases {
            assert_eq!(ShortCodeMap::new(syntax, entries).err(), error, "{name}");
        }
    }

    #[test]
    fn a_code_is_found_only_as_the_syntax_has_it() {
        // (syntax, found bare, found with a leading enter)
        for (syntax, bare, marked) in [
            (CodeSyntax::DigitsEnter, true, false),
            (CodeSyntax::Enclosed, false, true),
            (CodeSyntax::Either, true, true),
            (CodeSyntax::InfoFirst { digits: 3 }, false, true),
        ] {
            let map = ShortCodeMap::new(syntax, &[("001", SHOW)]).unwrap();
            for is_marked in [false, true] {
                assert_eq!(ShortCode::typed(b"1", is_marked).is_marked(), is_marked);
            }
            let found = |digits: &[u8], is_marked| map.find(&ShortCode::typed(digits, is_marked));
            assert_eq!(found(b"001", false).is_some(), bare, "{syntax:?}");
            assert_eq!(found(b"001", true).is_some(), marked, "{syntax:?}");
            assert_eq!(found(b"1", true), None, "{syntax:?}");
        }
    }
}
