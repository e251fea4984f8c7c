//! What can be wrong with the text or the number of one data element.
//!
//! Most elements are a fixed count of decimal digits or a small number, so they fail in the same
//! few ways. One type says which element failed, what was expected and what was found. None of
//! these elements is secret, so an error may repeat what it found.
//!
//! - Positions and lengths count characters, from 0, so they mean the same to a person and a program.
//! - Elsewhere: check digits of meter numbers ([`ParseMeterNumberError`](super::ParseMeterNumberError)).

use core::error::Error;
use core::fmt;
use core::ops::RangeInclusive;

/// Why a text or a number is not a value of a data element.
///
/// The same input always fails: correct it before trying again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ParseElementError {
    /// The element in words, as in `supply group code`.
    pub element: &'static str,
    /// What is wrong with it. A text of the wrong length is reported as such, whatever it contains.
    pub problem: Problem,
}

/// What is wrong with the text or the number of a data element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Problem {
    /// The text is too short or too long.
    Length {
        /// The lengths that the element may have, in characters, shortest first.
        expected: &'static [usize],
        /// The length of the text in characters.
        found: usize,
    },
    /// The text has the right length but contains something other than `0` to `9`.
    NotDigit {
        /// The position of the first such character, counted in characters from 0.
        index: usize,
    },
    /// The number is too small or too large.
    Range {
        /// The lowest value allowed.
        lowest: u32,
        /// The highest value allowed.
        highest: u32,
        /// The value found.
        found: u32,
    },
}

impl ParseElementError {
    /// Passes `found` through if it lies in `allowed`.
    pub(crate) fn check_range<T>(
        element: &'static str,
        found: T,
        allowed: RangeInclusive<T>,
    ) -> Result<T, Self>
    where
        T: Copy + PartialOrd + Into<u32>,
    {
        if allowed.contains(&found) {
            return Ok(found);
        }
        let (lowest, highest) = (*allowed.start(), *allowed.end());
        let problem =
            Problem::Range { lowest: lowest.into(), highest: highest.into(), found: found.into() };
        Err(Self { element, problem })
    }
}

impl fmt::Display for ParseElementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.element, self.problem)
    }
}

impl Error for ParseElementError {}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { expected, found } => {
                f.write_str("expected ")?;
                for (place, length) in expected.iter().enumerate() {
                    let joint = match place {
                        0 => "",
                        _ if place + 1 == expected.len() => " or ",
                        _ => ", ",
                    };
                    write!(f, "{joint}{length}")?;
                }
                let plural = if *found == 1 { "" } else { "s" };
                write!(f, " digits, found {found} character{plural}")
            }
            Self::NotDigit { index } => write!(f, "character at index {index} is not a digit"),
            Self::Range { lowest, highest, found } => {
                write!(f, "expected {lowest} to {highest}, found {found}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;

    #[test]
    fn display_is_one_line_that_names_element_expected_and_found() {
        let cases: &[(Problem, &str)] = &[
            (
                Problem::Length { expected: &[6], found: 5 },
                "code: expected 6 digits, found 5 characters",
            ),
            (
                Problem::Length { expected: &[2, 4], found: 3 },
                "code: expected 2 or 4 digits, found 3 characters",
            ),
            (
                Problem::Length { expected: &[1, 2, 3], found: 0 },
                "code: expected 1, 2 or 3 digits, found 0 characters",
            ),
            (Problem::NotDigit { index: 4 }, "code: character at index 4 is not a digit"),
            (Problem::Range { lowest: 1, highest: 9, found: 0 }, "code: expected 1 to 9, found 0"),
        ];
        for &(problem, text) in cases {
            assert_eq!(ParseElementError { element: "code", problem }.to_string(), text);
        }
    }

    #[test]
    fn both_ends_of_a_range_are_inside_it() {
        // (value, is allowed)
        for (value, allowed) in [(0_u8, false), (1, true), (9, true), (10, false)] {
            let checked = ParseElementError::check_range("code", value, 1..=9);
            assert_eq!(checked.is_ok(), allowed, "value = {value}");
        }
    }
}
