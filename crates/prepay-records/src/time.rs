//! Times as a person or a program writes them at a door: `2004-03-01T13:55Z`, UTC, with seconds or without.
//!
//! - Elsewhere: the form and the calendar (`prepay_basics::utc`).

use std::fmt;

use prepay_basics::{Moment, utc};
use prepay_token::element::UtcMinute;

/// The form of a time, for messages.
pub const EXPECTED: &str = "a UTC time as \"2004-03-01T13:55Z\"";

/// Reads a minute. Seconds may be written and are dropped.
pub fn minute(text: &str) -> Option<UtcMinute> {
    utc::read(text).map(UtcMinute::from_unix_seconds)
}

/// Reads a moment. Seconds may be left out and are 0 then.
pub fn moment(text: &str) -> Option<Moment> {
    utc::read(text).and_then(|seconds| Moment::from_unix_seconds(u64::try_from(seconds).ok()?))
}

/// A minute in the form that [`minute`] reads, for printing.
///
/// Minutes outside the years 0 to 9999, which no base date reaches, are printed as the nearest year.
#[derive(Clone, Copy, Debug)]
pub struct Printed(pub UtcMinute);

impl Printed {
    /// The text in ASCII.
    pub fn ascii(self) -> [u8; 17] {
        let whole = utc::ascii(self.0.unix_seconds());
        let mut text = [b'Z'; 17];
        text[..16].copy_from_slice(&whole[..16]);
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
    fn minutes_read_and_print_and_drop_their_seconds() {
        for (text, unix_minutes) in [
            ("1970-01-01T00:00Z", 0),
            ("2004-03-01T13:55Z", 17_969_155),
            ("2024-02-29T23:59Z", 28_487_519),
            ("1993-01-01T00:00Z", 12_097_440),
        ] {
            let read = minute(text).unwrap();
            assert_eq!(read.unix_minutes(), unix_minutes, "{text}");
            assert_eq!(Printed(read).to_string(), text);
        }
        assert_eq!(minute("2004-03-01T13:55:59Z"), minute("2004-03-01T13:55Z"));
    }

    #[test]
    fn a_moment_may_leave_out_its_seconds() {
        assert_eq!(moment("2004-03-01T13:55Z"), "2004-03-01T13:55:00Z".parse().ok());
        assert_eq!(moment("2004-03-01T13:55:07Z"), "2004-03-01T13:55:07Z".parse().ok());
        assert_eq!(moment("1969-12-31T23:59Z"), None);
        assert_eq!(moment("2004-03-01"), None);
    }
}
