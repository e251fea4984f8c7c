//! *DateOfExpiry* (DOE): the last month in which a point of sale may accept an identification card.
//!
//! Four digits: two of the year, two of the month. A card is valid to the end of that month:
//! `0406`, June 2004, is refused from 1 July 2004. `0000` means that the card does not expire.
//!
//! - Unit: one month, in the civil calendar of the point of sale.
//! - Years: 2000 to 2099, our choice. The standard gives two digits and no century, so a date of the
//!   nineties would be read a century late; the first of these cards are long out of use.
//! - Source: IEC 62055-41:2018, data element *DateOfExpiry*.
//! - Elsewhere: expiry of keys (`key_expiry_number.rs`). This date is unrelated.

use core::fmt;
use core::str::FromStr;

use super::{ParseElementError, digits};

const NAME: &str = "date of expiry";
const NAME_OF_YEAR: &str = "year of the date of expiry";
const NAME_OF_MONTH: &str = "month of the date of expiry";
const CENTURY: u16 = 2000;

/// The month in which an identification card expires, or none.
///
/// Text and value agree both ways: `"2712"` is December 2027 and `"0000"` is [`Self::NONE`].
///
/// Source: IEC 62055-41:2018, data element *DateOfExpiry*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DateOfExpiry(u16); // Invariant: 0, or 100 * (year - 2000) + month, month 1 to 12.

impl DateOfExpiry {
    /// No date: the card does not expire.
    pub const NONE: Self = Self(0);

    /// The end of a month of the years 2000 to 2099.
    ///
    /// # Errors
    ///
    /// [`ParseElementError`] for another year, or a month other than 1 to 12.
    pub fn from_year_and_month(year: u16, month: u8) -> Result<Self, ParseElementError> {
        let year = ParseElementError::check_range(NAME_OF_YEAR, year, CENTURY..=CENTURY + 99)?;
        let month = ParseElementError::check_range(NAME_OF_MONTH, month, 1..=12)?;
        Ok(Self((year - CENTURY) * 100 + u16::from(month)))
    }

    /// The year, 2000 to 2099, and the month, 1 to 12, if there is a date.
    #[must_use]
    pub const fn year_and_month(self) -> Option<(u16, u8)> {
        match self.0 {
            0 => None,
            date => Some((CENTURY + date / 100, (date % 100) as u8)),
        }
    }

    /// Whether the card must be refused in the month given, `month` being 1 to 12.
    ///
    /// The card is valid throughout that month; without a date it never expires.
    #[must_use]
    pub fn is_expired_on(self, year: u16, month: u8) -> bool {
        self.year_and_month().is_some_and(|last| (year, month) > last)
    }
}

impl FromStr for DateOfExpiry {
    type Err = ParseElementError;

    /// Accepts exactly four ASCII digits: `0000`, or a year and a month 01 to 12.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match digits::decimal::<4>(NAME, text)? as u16 {
            0 => Ok(Self::NONE),
            date => Self::from_year_and_month(CENTURY + date / 100, (date % 100) as u8),
        }
    }
}

impl fmt::Display for DateOfExpiry {
    /// Writes four digits, `0000` if there is no date.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.0)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;
    use crate::element::Problem;

    #[test]
    fn four_digits_are_year_and_month_or_none() {
        // (text, year and month)
        const CASES: &[(&str, Option<(u16, u8)>)] = &[
            ("0000", None),
            ("0001", Some((2000, 1))),
            ("0406", Some((2004, 6))),
            ("2712", Some((2027, 12))),
            ("9912", Some((2099, 12))),
        ];
        for &(text, expected) in CASES {
            let date: DateOfExpiry = text.parse().unwrap();
            assert_eq!(date.year_and_month(), expected, "text = {text}");
            assert_eq!(date.to_string(), text);
            if let Some((year, month)) = expected {
                assert_eq!(DateOfExpiry::from_year_and_month(year, month), Ok(date));
            }
        }
    }

    #[test]
    fn other_months_and_years_are_refused() {
        let month = |found| Problem::Range { lowest: 1, highest: 12, found };
        // (text, element, problem): a year without a month is not "none".
        let cases = [
            ("0400", NAME_OF_MONTH, month(0)),
            ("0013", NAME_OF_MONTH, month(13)),
            ("0499", NAME_OF_MONTH, month(99)),
            ("406", NAME, Problem::Length { expected: &[4], found: 3 }),
            ("04-6", NAME, Problem::NotDigit { index: 2 }),
        ];
        for (text, element, problem) in cases {
            let error = text.parse::<DateOfExpiry>().unwrap_err();
            assert_eq!(error, ParseElementError { element, problem }, "text = {text:?}");
        }
        for (year, month) in [(1999, 12), (2100, 1), (2000, 0), (2000, 13)] {
            assert!(DateOfExpiry::from_year_and_month(year, month).is_err(), "{year}-{month}");
        }
    }

    #[test]
    fn card_is_good_to_the_end_of_its_month() {
        // (text, year, month, is expired): conformance refuses June 2004 from 1 July 2004.
        const CASES: &[(&str, u16, u8, bool)] = &[
            ("0406", 2004, 5, false),
            ("0406", 2004, 6, false),
            ("0406", 2004, 7, true),
            ("0406", 2005, 1, true),
            ("0406", 2003, 12, false),
            ("0412", 2005, 1, true),
            ("0000", 2099, 12, false),
        ];
        for &(text, year, month, expired) in CASES {
            let date: DateOfExpiry = text.parse().unwrap();
            assert_eq!(date.is_expired_on(year, month), expired, "{text} in {year}-{month:02}");
        }
    }
}
