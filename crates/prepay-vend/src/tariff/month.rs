//! The months of a utility: a calendar month of its own zone, from a day and an hour, or so many days back.
//!
//! The start of a month is a moment: where a clock change leaves out the hour, the month begins when the clock has passed
//! it; where the hour comes twice, at its first.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// When months begin.
#[derive(Clone, Debug)]
pub struct Month {
    pub(crate) zone: TimeZone,
    pub(crate) day: i8,
    pub(crate) hour: i8,
    pub(crate) rolling_days: Option<u32>,
}

impl Month {
    /// The zone of the utility.
    pub const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// From when purchases count at a moment: the start of its month, or so many days of 24 hours before it.
    pub fn start(&self, at: Timestamp) -> Timestamp {
        if let Some(days) = self.rolling_days {
            let back = SignedDuration::from_hours(24 * i64::from(days));
            return at.checked_sub(back).unwrap_or(Timestamp::MIN);
        }
        let date = at.to_zoned(self.zone.clone()).date();
        let this = self.start_in(date.year(), date.month());
        if this <= at { this } else { self.start_in_before(date) }
    }

    /// Whether two moments lie in one month. With rolling days, whether they are that close.
    pub fn same(&self, one: Timestamp, other: Timestamp) -> bool {
        let (early, late) = if one <= other { (one, other) } else { (other, one) };
        early >= self.start(late)
    }

    fn start_in_before(&self, date: Date) -> Timestamp {
        match date.month() {
            1 => self.start_in(date.year() - 1, 12),
            month => self.start_in(date.year(), month - 1),
        }
    }

    fn start_in(&self, year: i16, month: i8) -> Timestamp {
        let begins = Date::new(year, month, self.day).map(|date| date.at(self.hour, 0, 0, 0));
        let moment = begins.and_then(|begins| self.zone.to_timestamp(begins));
        moment.unwrap_or(Timestamp::MIN) // Only before the first year that a calendar has.
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(zone: &str, day: i8, hour: i8) -> Month {
        Month { zone: TimeZone::get(zone).unwrap(), day, hour, rolling_days: None }
    }

    #[test]
    fn a_month_begins_at_its_own_zone_day_and_hour() {
        // (zone, day, hour, moment, its month's start)
        const CASES: &[(&str, i8, i8, &str, &str)] = &[
            ("Africa/Nairobi", 1, 0, "2022-10-31T21:00:00Z", "2022-10-31T21:00:00Z"),
            ("Africa/Nairobi", 1, 0, "2022-10-31T20:59:59Z", "2022-09-30T21:00:00Z"),
            ("Africa/Nairobi", 5, 6, "2022-01-05T02:59:59Z", "2021-12-05T03:00:00Z"),
            ("UTC", 28, 0, "2022-03-01T00:00:00Z", "2022-02-28T00:00:00Z"),
            // The clock of Havana goes from 00:00 to 01:00 on this day: there is no midnight.
            ("America/Havana", 10, 0, "2024-03-10T05:00:00Z", "2024-03-10T05:00:00Z"),
            ("America/Havana", 10, 0, "2024-03-10T04:59:59Z", "2024-02-10T05:00:00Z"),
            // And back from 01:00 to 00:00: midnight comes twice, and the first one counts.
            ("America/Havana", 3, 0, "2024-11-03T04:00:00Z", "2024-11-03T04:00:00Z"),
            ("America/Havana", 3, 0, "2024-11-03T03:59:59Z", "2024-10-03T04:00:00Z"),
        ];
        for &(zone, day, hour, at, start) in CASES {
            let found = month(zone, day, hour).start(at.parse().unwrap());
            assert_eq!(found, start.parse::<Timestamp>().unwrap(), "{zone} {day} {hour} {at}");
        }
    }

    #[test]
    fn rolling_days_count_back_from_each_purchase() {
        let month = Month { rolling_days: Some(30), ..month("Africa/Kampala", 1, 0) };
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert!(month.same(at("2014-05-31T09:00:00Z"), at("2014-05-01T09:00:00Z")));
        assert!(!month.same(at("2014-05-31T09:00:01Z"), at("2014-05-01T09:00:00Z")));
    }
}
