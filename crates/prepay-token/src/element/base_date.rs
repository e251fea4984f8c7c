//! *BDT*, the base date: the minute from which the token identifiers of a vending key are counted.
//!
//! | code | base date (UTC) | the 24 bits of a TID end |
//! |------|-----------------|--------------------------|
//! | 93   | 1993-01-01 00:00 | 2024-11-24 20:15 |
//! | 14   | 2014-01-01 00:00 | 2045-11-24 20:15 |
//! | 35   | 2035-01-01 00:00 | 2066-11-24 20:15 |
//!
//! Every vending key has exactly one base date, and changing it takes a key change with the rollover bit.
//! Edition 3 counts in UTC; earlier editions let systems count in local time. This crate uses the minute as
//! given, so a system that counted in local time keeps doing so and calls its local time UTC.
//!
//! - Source: IEC 62055-41:2018, data elements *BDT* and *TID*.
//! - Elsewhere: calendars and clocks. This crate knows only minutes.

use core::fmt;

use super::token_identifier::TokenIdentifier;

/// A minute, counted from 1970-01-01 00:00 UTC without leap seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcMinute(i64);

impl UtcMinute {
    /// The minute of a Unix time: seconds are dropped, not rounded.
    pub const fn from_unix_seconds(seconds: i64) -> Self {
        Self(seconds.div_euclid(60))
    }

    /// The Unix time at which the minute begins, in seconds.
    ///
    /// Saturates for minutes beyond what 64 bits of seconds reach.
    pub const fn unix_seconds(self) -> i64 {
        self.0.saturating_mul(60)
    }

    /// The minute this many minutes after 1970-01-01 00:00 UTC.
    pub const fn from_unix_minutes(minutes: i64) -> Self {
        Self(minutes)
    }

    /// Minutes since 1970-01-01 00:00 UTC.
    pub const fn unix_minutes(self) -> i64 {
        self.0
    }
}

/// A base date of the standard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BaseDate {
    /// 1993-01-01 00:00 UTC.
    Y1993,
    /// 2014-01-01 00:00 UTC.
    Y2014,
    /// 2035-01-01 00:00 UTC.
    Y2035,
}

/// The year is not that of a base date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownBaseDate {
    /// The year found.
    pub year: u16,
}

/// A minute has no token identifier on a base date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IssueTimeError {
    /// The minute is before the base date.
    BeforeBaseDate {
        /// The base date.
        base_date: BaseDate,
    },
    /// The minute is beyond the 24 bits of a token identifier.
    AfterRange {
        /// The base date.
        base_date: BaseDate,
    },
}

impl BaseDate {
    /// All base dates, in the order of time.
    pub const ALL: [Self; 3] = [Self::Y1993, Self::Y2014, Self::Y2035];

    /// The year: 1993, 2014 or 2035.
    pub const fn year(self) -> u16 {
        match self {
            Self::Y1993 => 1993,
            Self::Y2014 => 2014,
            Self::Y2035 => 2035,
        }
    }

    /// The first minute.
    pub const fn start(self) -> UtcMinute {
        UtcMinute(match self {
            Self::Y1993 => 12_097_440,
            Self::Y2014 => 23_142_240,
            Self::Y2035 => 34_187_040,
        })
    }

    /// The two ASCII digits of the year, as DKGA04 hashes them.
    pub const fn ascii(self) -> [u8; 2] {
        match self {
            Self::Y1993 => *b"93",
            Self::Y2014 => *b"14",
            Self::Y2035 => *b"35",
        }
    }

    /// The identifier of a minute: whole minutes since the base date.
    ///
    /// The result may be one of the reserved minutes; see [`TokenIdentifier::unreserved`].
    ///
    /// # Errors
    ///
    /// [`IssueTimeError`] when the minute is before the base date or beyond the 24 bits.
    pub const fn identifier_at(self, minute: UtcMinute) -> Result<TokenIdentifier, IssueTimeError> {
        let elapsed = minute.0.saturating_sub(self.start().0);
        if elapsed < 0 {
            return Err(IssueTimeError::BeforeBaseDate { base_date: self });
        }
        if elapsed > TokenIdentifier::LARGEST.value() as i64 {
            return Err(IssueTimeError::AfterRange { base_date: self });
        }
        Ok(TokenIdentifier::from_low_bits(elapsed as u32))
    }

    /// The minute of an identifier.
    pub const fn minute_of(self, identifier: TokenIdentifier) -> UtcMinute {
        UtcMinute(self.start().0 + identifier.value() as i64)
    }
}

impl TryFrom<u16> for BaseDate {
    type Error = UnknownBaseDate;

    /// Accepts the years 1993, 2014 and 2035.
    fn try_from(year: u16) -> Result<Self, Self::Error> {
        Self::ALL.into_iter().find(|base| base.year() == year).ok_or(UnknownBaseDate { year })
    }
}

impl fmt::Display for BaseDate {
    /// The year.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.year().fmt(f)
    }
}

impl fmt::Display for UnknownBaseDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown base date: expected 1993, 2014 or 2035, found {}", self.year)
    }
}

impl fmt::Display for IssueTimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BeforeBaseDate { base_date } => {
                write!(f, "issue time lies before the base date {base_date}-01-01")
            }
            Self::AfterRange { base_date } => {
                write!(f, "issue time lies beyond the identifiers of the base date {base_date}")
            }
        }
    }
}

impl core::error::Error for UnknownBaseDate {}
impl core::error::Error for IssueTimeError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_whole_minutes_from_the_base_date() {
        // (base date, Unix seconds, TID); dates beside each, from the worked examples and conformance runs.
        const CASES: &[(BaseDate, i64, u32)] = &[
            (BaseDate::Y1993, 827_762_122, 1_698_595), // 1996-03-25 13:55:22
            (BaseDate::Y1993, 1_130_803_315, 6_749_281), // 2005-11-01 00:01:55
            (BaseDate::Y1993, 1_078_149_300, 5_871_715), // 2004-03-01 13:55
            (BaseDate::Y2014, 1_393_678_800, 85_740),  // 2014-03-01 13:00
            (BaseDate::Y1993, 725_846_400, 0),
            (BaseDate::Y1993, 725_846_459, 0),
            (BaseDate::Y1993, 1_732_479_300, 0xFF_FFFF), // 2024-11-24 20:15
            (BaseDate::Y2014, 2_395_167_300, 0xFF_FFFF), // 2045-11-24 20:15
            (BaseDate::Y2035, 3_057_855_300, 0xFF_FFFF), // 2066-11-24 20:15
        ];
        for &(base, seconds, tid) in CASES {
            let minute = UtcMinute::from_unix_seconds(seconds);
            let identifier = base.identifier_at(minute).unwrap();
            assert_eq!(identifier.value(), tid, "{base} {seconds}");
            assert_eq!(base.minute_of(identifier), minute, "{base} {seconds}");
        }
    }

    #[test]
    fn minutes_outside_the_range_are_refused() {
        for base_date in BaseDate::ALL {
            let (start, end) = (base_date.start().0, base_date.start().0 + 0xFF_FFFF);
            for minute in [start - 1, i64::MIN] {
                let found = base_date.identifier_at(UtcMinute(minute));
                assert_eq!(found, Err(IssueTimeError::BeforeBaseDate { base_date }), "{minute}");
            }
            for minute in [end + 1, i64::MAX] {
                let found = base_date.identifier_at(UtcMinute(minute));
                assert_eq!(found, Err(IssueTimeError::AfterRange { base_date }), "{minute}");
            }
        }
    }

    #[test]
    fn seconds_before_1970_are_dropped_downwards() {
        assert_eq!(UtcMinute::from_unix_seconds(-1), UtcMinute(-1));
    }
}
