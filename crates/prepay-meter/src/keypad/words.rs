//! The words for the results of tokens. They differ between makers, so they are data.
//!
//! - Source: no standard defines words. See the samples and `docs/formats/keypad-data.md`.

use core::fmt;

use crate::result::TokenResult;

/// A word for every result, and for what else a keypad must show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResultWords<'a> {
    results: [&'a str; 18], // Invariant: 1 to 16 printable ASCII characters each.
    code_refused: &'a str,  // Invariant: the same.
    fault: &'a str,         // Invariant: the same.
}

/// An invalid word: expected 1 to 16 printable ASCII characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WordError {
    /// The place in the order of [`TokenResult::ALL`]; 18 for the refused code, 19 for the fault.
    pub index: usize,
}

impl<'a> ResultWords<'a> {
    /// The most characters of a word.
    pub const LONGEST: usize = 16;

    /// Words for the results in the order of [`TokenResult::ALL`], for a short code that is refused, and for
    /// a fault of the storage.
    ///
    /// # Errors
    ///
    /// [`WordError`], for the first word that is empty, too long or not printable ASCII.
    pub const fn new(
        results: [&'a str; 18],
        code_refused: &'a str,
        fault: &'a str,
    ) -> Result<Self, WordError> {
        let mut index = 0;
        while index < results.len() + 2 {
            let word = match index {
                18 => code_refused,
                19 => fault,
                _ => results[index],
            };
            if !is_word(word.as_bytes()) {
                return Err(WordError { index });
            }
            index += 1;
        }
        Ok(Self { results, code_refused, fault })
    }

    /// The word for a result.
    pub const fn word(&self, result: TokenResult) -> &'a str {
        self.results[result.code() as usize - 1]
    }

    /// The word for a short code that is unknown, or that the meter cannot serve.
    pub const fn code_refused(&self) -> &'a str {
        self.code_refused
    }

    /// The word for a fault of the storage.
    pub const fn fault(&self) -> &'a str {
        self.fault
    }
}

const fn is_word(word: &[u8]) -> bool {
    let mut place = 0;
    while place < word.len() {
        if !(word[place] == b' ' || word[place].is_ascii_graphic()) {
            return false;
        }
        place += 1;
    }
    place >= 1 && place <= ResultWords::LONGEST
}

impl fmt::Display for WordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "word at index {}: expected 1 to 16 printable ASCII characters", self.index)
    }
}

impl core::error::Error for WordError {}

#[cfg(test)]
mod tests {
    use super::{ResultWords, WordError};

    #[test]
    fn a_word_has_one_to_sixteen_printable_characters() {
        for (word, is_good) in [
            ("x", true),
            ("Loc Out", true),
            ("1234567890123456", true),
            ("12345678901234567", false),
            ("", false),
            ("m³", false),
            ("a\n", false),
        ] {
            let mut results = ["ok"; 18];
            results[17] = word;
            let error = (!is_good).then_some(WordError { index: 17 });
            assert_eq!(ResultWords::new(results, "a", "b").err(), error, "{word:?}");
            let error = (!is_good).then_some(WordError { index: 18 });
            assert_eq!(ResultWords::new(["ok"; 18], word, "b").err(), error, "{word:?}");
            let error = (!is_good).then_some(WordError { index: 19 });
            assert_eq!(ResultWords::new(["ok"; 18], "a", word).err(), error, "{word:?}");
        }
    }
}
