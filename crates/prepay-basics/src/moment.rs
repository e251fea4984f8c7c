//! A point in time, to the second.
//!
//! - Unit: seconds of UTC since 1970-01-01, without leap seconds. Range: to the end of the year 9998.
//! - Form: exactly `2026-03-01T13:55:00Z`; no other form is read.
//! - Elsewhere: the minutes of token identifiers (`prepay-token`).

use std::fmt;
use std::str::FromStr;

use prepay_token::element::UtcMinute;

use crate::utc;

/// The last second of the year 9998.
const LAST: u64 = 253_370_764_799;

/// The form of a moment.
const FORM: &str = "2026-03-01T13:55:00Z";

/// A point in time, to the second, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(u64); // Invariant: at most LAST.

/// The text is not a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseMomentError {
    found: String,
}

impl Moment {
    /// The earliest moment.
    pub const MIN: Self = Self(0);
    /// The latest moment: the last second of the year 9998.
    pub const MAX: Self = Self(LAST);

    /// The moment this many seconds after the start of 1970, if it is before the year 9999.
    pub const fn from_unix_seconds(seconds: u64) -> Option<Self> {
        if seconds <= LAST { Some(Self(seconds)) } else { None }
    }

    /// Seconds since the start of 1970.
    pub const fn unix_seconds(self) -> u64 {
        self.0
    }

    /// The minute that contains this moment.
    pub const fn minute(self) -> UtcMinute {
        UtcMinute::from_unix_seconds(self.0 as i64)
    }

    /// The moment this many seconds later, or the last one.
    #[must_use]
    pub const fn plus_seconds(self, seconds: u64) -> Self {
        let sum = self.0.saturating_add(seconds);
        if sum <= LAST { Self(sum) } else { Self::MAX }
    }

    /// The moment this many days later, or the last one.
    #[must_use]
    pub const fn plus_days(self, days: u32) -> Self {
        self.plus_seconds(days as u64 * 86_400)
    }
}

impl FromStr for Moment {
    type Err = ParseMomentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let seconds = (text.len() == FORM.len()).then(|| utc::read(text)).flatten();
        seconds
            .and_then(|seconds| Self::from_unix_seconds(u64::try_from(seconds).ok()?))
            .ok_or_else(|| ParseMomentError { found: text.to_owned() })
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&utc::ascii(self.0.cast_signed())).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Display for ParseMomentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = &self.found;
        write!(f, "time: expected a form like {FORM}, found {found:?}")
    }
}

impl std::error::Error for ParseMomentError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_value_agree_both_ways() {
        // (text, seconds): the ends of the range, a leap day, an ordinary moment.
        const CASES: &[(&str, u64)] = &[
            ("1970-01-01T00:00:00Z", 0),
            ("2024-02-29T23:59:59Z", 1_709_251_199),
            ("2026-03-01T13:55:00Z", 1_772_373_300),
            ("9998-12-31T23:59:59Z", LAST),
        ];
        for &(text, seconds) in CASES {
            let moment: Moment = text.parse().unwrap();
            assert_eq!(moment.unix_seconds(), seconds, "{text}");
            assert_eq!(moment.to_string(), text);
        }
        assert_eq!(Moment::MAX.plus_seconds(1), Moment::MAX);
        assert_eq!(Moment::from_unix_seconds(LAST + 1), None);
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            "",
            "2026-03-01",
            "2026-03-01T13:55Z",
            "2026-03-01 13:55:00Z",
            "2026-02-29T00:00:00Z",
            "2026-03-01T24:00:00Z",
            "2026-03-01T13:55:60Z",
            "+026-03-01T13:55:00Z",
            "1969-12-31T23:59:59Z",
        ] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }
}
