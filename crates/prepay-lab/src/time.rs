//! Issue times as text: `2004-03-01T13:55Z`.
//!
//! - UTC only. Seconds may be written and are dropped.
//! - The calendar is a library's; this file only knows the form.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use prepay_token::element::UtcMinute;

/// Reads `YYYY-MM-DDTHH:MMZ` or `YYYY-MM-DDTHH:MM:SSZ`.
///
/// Nothing if the text has another form or names no minute of the calendar.
pub fn parse(text: &str) -> Option<UtcMinute> {
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
    let instant = Offset::UTC.to_timestamp(time).ok()?;
    Some(UtcMinute::from_unix_seconds(instant.as_second()))
}

/// A minute in the form that [`parse`] reads, for printing.
#[derive(Clone, Copy, Debug)]
pub struct Printed(pub UtcMinute);

impl Printed {
    /// The text in ASCII.
    ///
    /// Minutes outside the years 0 to 9999, which no base date reaches, are printed as the nearest year.
    pub(crate) fn ascii(self) -> [u8; 17] {
        let instant = Timestamp::from_second(self.0.unix_seconds()).unwrap_or_default();
        let time = Offset::UTC.to_datetime(instant);
        let year = time.year().clamp(0, 9999).unsigned_abs();
        let mut text = *b"0000-00-00T00:00Z";
        let places = [(0, year / 100), (2, year % 100)];
        let parts = [time.month(), time.day(), time.hour(), time.minute()];
        let parts = [5, 8, 11, 14].into_iter().zip(parts.map(|part| part.unsigned_abs().into()));
        for (at, number) in places.into_iter().chain(parts) {
            text[at] = b'0' + (number / 10) as u8;
            text[at + 1] = b'0' + (number % 10) as u8;
        }
        text
    }
}

impl fmt::Display for Printed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.ascii()).map_err(|_| fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_and_print_and_drop_their_seconds() {
        for (text, unix_minutes) in [
            ("1970-01-01T00:00Z", 0),
            ("2004-03-01T13:55Z", 17_969_155),
            ("2024-02-29T23:59Z", 28_487_519),
            ("1993-01-01T00:00Z", 12_097_440),
        ] {
            let minute = parse(text).unwrap();
            assert_eq!(minute.unix_minutes(), unix_minutes, "{text}");
            assert_eq!(Printed(minute).to_string(), text);
        }
        assert_eq!(parse("2004-03-01T13:55:59Z"), parse("2004-03-01T13:55Z"));
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
            "2004-03-01T13:55:61Z",
            "+004-03-01T13:55Z",
            "２004-03-01T13:5Z",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
