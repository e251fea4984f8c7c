//! One line of text: an organisation, a contact, a place, a reason.
//!
//! - Form: at most 200 characters; no control characters, no invisible characters that hide or reverse text,
//!   no space at either end. May be empty.

use std::fmt;
use std::str::FromStr;

/// One line of text.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Line(Box<str>); // Invariant: the form above.

/// The text is not a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineError {
    /// It is too long.
    Length {
        /// Its length in characters.
        found: usize,
    },
    /// It has an invisible character, or a space at an end.
    Character {
        /// The position, counted in characters from 0.
        index: usize,
    },
}

impl Line {
    /// The greatest length in characters.
    pub const MAX_LENGTH: usize = 200;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Makes any message a line: characters that a line cannot have become `?`, and the end is cut off.
    pub fn lossy(text: &str) -> Self {
        let text: String = text
            .chars()
            .map(|c| if is_visible(c) { c } else { '?' })
            .take(Self::MAX_LENGTH)
            .collect();
        Self(text.trim().into())
    }
}

/// Whether a line may contain a character.
fn is_visible(c: char) -> bool {
    let hidden = matches!(
        c,
        '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}'
    );
    !c.is_control() && !hidden
}

impl FromStr for Line {
    type Err = LineError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let length = text.chars().count();
        if length > Self::MAX_LENGTH {
            return Err(LineError::Length { found: length });
        }
        if let Some(index) = text.chars().position(|c| !is_visible(c)) {
            return Err(LineError::Character { index });
        }
        if text.starts_with(char::is_whitespace) {
            return Err(LineError::Character { index: 0 });
        }
        if text.ends_with(char::is_whitespace) {
            return Err(LineError::Character { index: length - 1 });
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { found } => {
                write!(f, "text: expected at most 200 characters, found {found}")
            }
            Self::Character { index } => write!(
                f,
                "text: expected visible characters and no space at either end, found another character at \
                 position {index}"
            ),
        }
    }
}

impl std::error::Error for LineError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_visible_text_without_spaces_at_its_ends() {
        let longest = "é".repeat(200);
        for good in ["", "a", "Stadtwerke Köln, Abt. 3", "电力公司", &longest] {
            assert_eq!(good.parse::<Line>().unwrap().as_str(), good);
        }
        for (bad, index) in [(" a", 0), ("a ", 1), ("a\nb", 1), ("\u{202E}a", 0), ("a\u{0}", 1)] {
            assert_eq!(bad.parse::<Line>(), Err(LineError::Character { index }), "{bad:?}");
        }
        assert_eq!("é".repeat(201).parse::<Line>(), Err(LineError::Length { found: 201 }));
    }

    #[test]
    fn lossy_makes_any_message_a_line() {
        for text in ["", " a\nb ", "\u{202E}", &"x".repeat(500), &format!("{} y", "x".repeat(199))]
        {
            let line = Line::lossy(text);
            assert_eq!(line.as_str().parse(), Ok(line));
        }
    }
}
