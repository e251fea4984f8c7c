//! UTC times as text: `2004-03-01T13:55:00Z`, or to the minute, `2004-03-01T13:55Z`.
//!
//! - Unit: seconds since 1970-01-01, without leap seconds. Years: 0 to 9999.
//! - A library knows the calendar; this file knows the form.
//! - Elsewhere: values that need the form with seconds ([`Moment`](crate::Moment)).

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// Reads `YYYY-MM-DDTHH:MM:SSZ` or `YYYY-MM-DDTHH:MMZ`.
///
/// `None` if the text has another form or the calendar no such time.
pub fn read(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let two = |at: usize| match bytes.get(at..at + 2)? {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => Some((tens - b'0') * 10 + ones - b'0'),
        _ => None,
    };
    let separators = match bytes.len() {
        17 => &[(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b'Z')][..],
        20 => &[(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'Z')],
        _ => return None,
    };
    if separators.iter().any(|&(at, separator)| bytes[at] != separator) {
        return None;
    }
    let year = i16::from(two(0)?) * 100 + i16::from(two(2)?);
    let second = if bytes.len() == 20 { two(17)? } else { 0 };
    let [month, day, hour, minute, second] =
        [two(5)?, two(8)?, two(11)?, two(14)?, second].map(u8::cast_signed);
    let time = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    Some(Offset::UTC.to_timestamp(time).ok()?.as_second())
}

/// The text of a time, with seconds, in ASCII.
///
/// Times outside the years 0 to 9999 are printed as the nearest year.
pub fn ascii(seconds: i64) -> [u8; 20] {
    let instant = Timestamp::from_second(seconds).unwrap_or_default();
    let time = Offset::UTC.to_datetime(instant);
    let year = time.year().clamp(0, 9999).unsigned_abs();
    let mut text = *b"0000-00-00T00:00:00Z";
    let places = [(0, year / 100), (2, year % 100)];
    let parts = [time.month(), time.day(), time.hour(), time.minute(), time.second()];
    let parts = [5, 8, 11, 14, 17].into_iter().zip(parts.map(|part| part.unsigned_abs().into()));
    for (at, number) in places.into_iter().chain(parts) {
        text[at] = b'0' + (number / 10) as u8;
        text[at + 1] = b'0' + (number % 10) as u8;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_seconds_agree_both_ways() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2004-03-01T13:55:07Z", 1_078_149_307),
            ("2024-02-29T23:59:59Z", 1_709_251_199),
            ("1992-12-31T23:59:00Z", 725_846_340),
            ("1969-12-31T23:59:59Z", -1),
        ] {
            assert_eq!(read(text), Some(seconds), "{text}");
            assert_eq!(ascii(seconds), text.as_bytes(), "{text}");
        }
        assert_eq!(read("2004-03-01T13:55Z"), read("2004-03-01T13:55:00Z"));
    }

    #[test]
    fn other_forms_and_days_that_are_none_are_refused() {
        for text in [
            "",
            "2004-03-01",
            "2004-03-01T13:55",
            "2004-03-01T13:55+00:00",
            "2004-03-01 13:55Z",
            "2004-03-01t13:55z",
            "2004-02-30T13:55Z",
            "2023-02-29T00:00Z",
            "2004-13-01T13:55Z",
            "2004-03-01T24:00Z",
            "2004-03-01T13:60Z",
            "2004-03-01T13:55:60Z",
            "2004-03-01T13:55:61Z",
            "+004-03-01T13:55Z",
            "２004-03-01T13:5Z",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }
}
