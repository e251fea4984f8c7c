//! The identification record of a meter: the data on a meter card that a point of sale reads.
//!
//! ```text
//!   digits   18    4     2     2    6     2    1      35 in all
//!         | PAN | DOE | TCT | EA | SGC | TI | KRN |
//!
//!   track 2  18   1    4 or 1     1    13             37 or 34, without sentinels
//!         | PAN | = | DOE or = | = | TCT EA SGC TI KRN |
//! ```
//!
//! **Track 2 is our interpretation.** The standard names this form *record 2* of a magnetic card, but its inner
//! layout is not public. Ours joins the fields of the digits by the rules that ISO/IEC 7813 sets for track 2:
//! separator after the PAN, one more separator in place of an absent date, and one in place of an absent
//! service code. With a date, sentinels and check character it has exactly the 40 characters that fit. It has
//! not been verified on a card.
//!
//! - Not in the record: key type, key expiry number, base date and key generation algorithm.
//! - Source: IEC 62055-41:2018, data element *IDRecord*; IEC 62055-51; ISO/IEC 7811 for sentinels and
//!   redundancy check.
//! - Elsewhere: parity and bit order of a track (reader or encoder), expiry ([`DateOfExpiry`]).

use core::error::Error;
use core::fmt;
use core::str::FromStr;

use crate::element::{
    DateOfExpiry, EncryptionAlgorithm, KeyRevisionNumber, MeterPan, ParseElementError,
    ParseMeterNumberError, Problem, SupplyGroupCode, TariffIndex, TokenCarrierType,
};

const NAME: &str = "identification record";
const NAME_OF_TAIL: &str = "identification record from the token carrier type on";
const NAME_OF_LRC: &str = "longitudinal redundancy check";

const STX: char = '\u{2}';
const ETX: char = '\u{3}';
const START_SENTINEL: u8 = 0xB;
const END_SENTINEL: u8 = 0xF;
const SEPARATORS: [char; 2] = ['=', 'D'];

/// An identification record: the data of a meter that a point of sale needs to find its key.
///
/// Text and value agree both ways: [`FromStr`] and [`Display`](fmt::Display) are the 35 digits.
/// [`IdRecord::from_track2`] and [`IdRecord::track2`] are the form of a magnetic card. An expired record still
/// parses: the reader must check the date.
///
/// A meter that has only an initialization key has no revision number and so no record. Some
/// systems write revision 0 for it, which is refused.
///
/// ```
/// # use prepay_token::{IdRecord, ParseIdRecordError};
/// let record: IdRecord = "60072700000000000900000207201457011".parse()?;
/// assert_eq!(record.supply_group.value(), 201_457);
/// assert_eq!(record.track2().to_string(), "600727000000000009===0207201457011");
/// # Ok::<(), ParseIdRecordError>(())
/// ```
///
/// Source: IEC 62055-41:2018, data element *IDRecord*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IdRecord {
    /// The number of the meter.
    pub pan: MeterPan,
    /// The month in which the card expires, if it does.
    pub expiry: DateOfExpiry,
    /// How tokens reach the meter.
    pub carrier: TokenCarrierType,
    /// The cipher of the meter.
    pub algorithm: EncryptionAlgorithm,
    /// The group whose vending key the meter's key derives from.
    pub supply_group: SupplyGroupCode,
    /// The tariff of the meter.
    pub tariff_index: TariffIndex,
    /// Which vending key of the group.
    pub key_revision: KeyRevisionNumber,
}

/// Why a text is not an identification record.
///
/// A wrong check of any kind usually means a worn card or a mistyped number: read it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ParseIdRecordError {
    /// The record as a whole, or one of its fields, has the wrong length, a character that is no
    /// digit, or a number out of range. Positions count from the start of what is named.
    Element(ParseElementError),
    /// The meter number is wrong.
    MeterPan(ParseMeterNumberError),
    /// The code of the encryption algorithm is none of those known: 07, 09 and 11.
    EncryptionAlgorithm {
        /// The two characters found.
        found: [char; 2],
    },
    /// The character after the end sentinel does not fit the characters before it.
    RedundancyCheck {
        /// The character that fits, `0` to `?`.
        expected: char,
        /// The character found.
        found: char,
    },
}

impl IdRecord {
    /// Reads the text of a magnetic card.
    ///
    /// Accepted are the 35 digits, and 18 digits, `=`, four digits of date or another `=`, an optional `=`, and
    /// 13 digits. `D` may stand for each `=`, as some readers write it. A start sentinel (`;` or STX) may come
    /// before, and an end sentinel (`?` or ETX) after. A redundancy check character may follow the end
    /// sentinel, and then must be right.
    ///
    /// The layout is our best interpretation and not verified; see the top of this module.
    ///
    /// # Errors
    ///
    /// [`ParseIdRecordError`] names the field, what was expected and what was found. A wrong redundancy check
    /// comes first, because it makes every other finding doubtful.
    pub fn from_track2(text: &str) -> Result<Self, ParseIdRecordError> {
        let text = text.strip_prefix([';', STX]).unwrap_or(text);
        let (body, behind) = text.split_once(['?', ETX]).unwrap_or((text, ""));
        verify_redundancy_check(body, behind)?;
        require_ascii(body)?;

        let (pan, rest) = split(body, 18);
        let Some(rest) = rest.strip_prefix(SEPARATORS) else {
            return body.parse();
        };
        let pan = pan.parse()?;
        let (expiry, rest) = match rest.strip_prefix(SEPARATORS) {
            Some(rest) => (DateOfExpiry::NONE, rest),
            None => {
                let (expiry, rest) = split(rest, 4);
                (expiry.parse()?, rest)
            }
        };
        let tail = rest.strip_prefix(SEPARATORS).unwrap_or(rest);
        require_length(NAME_OF_TAIL, tail, &[13])?;
        Self::from_tail(pan, expiry, tail)
    }

    /// The text of a magnetic card, without sentinels and redundancy check: 34 characters without
    /// a date of expiry and 37 with one.
    ///
    /// The layout is our best interpretation and not verified; see the top of this module.
    #[must_use]
    pub const fn track2(self) -> Track2 {
        Track2(self)
    }

    /// `tail` is ASCII; what is missing at its end is refused with the field.
    fn from_tail(
        pan: MeterPan,
        expiry: DateOfExpiry,
        tail: &str,
    ) -> Result<Self, ParseIdRecordError> {
        let (carrier, rest) = split(tail, 2);
        let (algorithm, rest) = split(rest, 2);
        let (supply_group, rest) = split(rest, 6);
        let (tariff_index, key_revision) = split(rest, 2);
        Ok(Self {
            pan,
            expiry,
            carrier: carrier.parse()?,
            algorithm: parse_algorithm(algorithm)?,
            supply_group: supply_group.parse()?,
            tariff_index: tariff_index.parse()?,
            key_revision: key_revision.parse()?,
        })
    }

    fn write_tail(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { carrier, algorithm, supply_group, tariff_index, key_revision, .. } = self;
        write!(f, "{carrier}{algorithm}{supply_group}{tariff_index}{key_revision}")
    }
}

impl FromStr for IdRecord {
    type Err = ParseIdRecordError;

    /// Accepts exactly 35 ASCII digits, with right check digits and every field in its range.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        require_ascii(text)?;
        require_length(NAME, text, &[35])?;
        let (pan, rest) = split(text, 18);
        let (expiry, tail) = split(rest, 4);
        Self::from_tail(pan.parse()?, expiry.parse()?, tail)
    }
}

impl fmt::Display for IdRecord {
    /// Writes 35 digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.pan, self.expiry)?;
        self.write_tail(f)
    }
}

/// Shows an identification record as the text of a magnetic card; see [`IdRecord::track2`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Track2(IdRecord);

impl fmt::Display for Track2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(record) = self;
        if record.expiry == DateOfExpiry::NONE {
            write!(f, "{}===", record.pan)?;
        } else {
            write!(f, "{}={}=", record.pan, record.expiry)?;
        }
        record.write_tail(f)
    }
}

/// Cuts ASCII text after `length` characters, or at its end if it is shorter.
fn split(text: &str, length: usize) -> (&str, &str) {
    text.split_at(length.min(text.len()))
}

fn parse_algorithm(text: &str) -> Result<EncryptionAlgorithm, ParseIdRecordError> {
    text.parse().map_err(|_| {
        let mut characters = text.chars();
        let found = [(); 2].map(|()| characters.next().unwrap_or_default());
        ParseIdRecordError::EncryptionAlgorithm { found }
    })
}

fn require_ascii(text: &str) -> Result<(), ParseElementError> {
    match text.chars().position(|character| !character.is_ascii()) {
        Some(index) => {
            Err(ParseElementError { element: NAME, problem: Problem::NotDigit { index } })
        }
        None => Ok(()),
    }
}

fn require_length(
    element: &'static str,
    text: &str,
    expected: &'static [usize],
) -> Result<(), ParseElementError> {
    let found = text.chars().count();
    if expected.contains(&found) {
        Ok(())
    } else {
        Err(ParseElementError { element, problem: Problem::Length { expected, found } })
    }
}

/// Verifies what follows the end sentinel: nothing, or the right check character.
///
/// It is the exclusive or of the codes of all characters, both sentinels included. A body with a
/// character that has no code is left to the parser, which will refuse it by name.
fn verify_redundancy_check(body: &str, behind: &str) -> Result<(), ParseIdRecordError> {
    let mut characters = behind.chars();
    let (Some(found), None) = (characters.next(), characters.next()) else {
        return Ok(require_length(NAME_OF_LRC, behind, &[0, 1])?);
    };
    let sum = body
        .chars()
        .try_fold(START_SENTINEL ^ END_SENTINEL, |sum, character| Some(sum ^ code(character)?));
    match sum {
        Some(sum) if code(found) != Some(sum) => {
            let expected = char::from(b'0' + sum);
            Err(ParseIdRecordError::RedundancyCheck { expected, found })
        }
        _ => Ok(()),
    }
}

/// The four bits of a character on track 2, in any of the ways that readers write it.
fn code(character: char) -> Option<u8> {
    match character {
        '0'..='?' => Some(character as u8 & 0xF),
        'D' => Some(0xD),
        STX => Some(START_SENTINEL),
        ETX => Some(END_SENTINEL),
        _ => None,
    }
}

impl From<ParseElementError> for ParseIdRecordError {
    fn from(error: ParseElementError) -> Self {
        Self::Element(error)
    }
}

impl From<ParseMeterNumberError> for ParseIdRecordError {
    fn from(error: ParseMeterNumberError) -> Self {
        Self::MeterPan(error)
    }
}

impl fmt::Display for ParseIdRecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Element(error) => write!(f, "no identification record: wrong {}", error.element),
            Self::MeterPan(_) => f.write_str("no identification record: wrong meter number"),
            Self::EncryptionAlgorithm { found: [first, second] } => write!(
                f,
                "no identification record: expected encryption algorithm 07, 09 or 11, found {}{}",
                first.escape_debug(),
                second.escape_debug()
            ),
            Self::RedundancyCheck { expected, found } => write!(
                f,
                "no identification record: expected redundancy check {expected:?}, found {found:?}"
            ),
        }
    }
}

impl Error for ParseIdRecordError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Element(error) => Some(error),
            Self::MeterPan(error) => Some(error),
            Self::EncryptionAlgorithm { .. } | Self::RedundancyCheck { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::format;
    use std::string::ToString;

    use super::*;

    const DIGITS: &str = "60072700000000000900000207201457011";
    const DIGITS_WITH_DATE: &str = "00000100000000008227120111203557999";

    fn lrc(body: &str) -> char {
        let sum = body.bytes().fold(0xB ^ 0xF, |sum, byte| sum ^ (byte - b'0'));
        char::from(b'0' + sum)
    }

    #[test]
    fn digits_split_into_fields_and_join_again() {
        // (text, its fields)
        const CASES: &[(&str, [&str; 7])] = &[
            (DIGITS, ["600727000000000009", "0000", "02", "07", "201457", "01", "1"]),
            (DIGITS_WITH_DATE, ["000001000000000082", "2712", "01", "11", "203557", "99", "9"]),
        ];
        for &(text, [pan, expiry, carrier, algorithm, group, tariff, revision]) in CASES {
            let record = IdRecord {
                pan: pan.parse().unwrap(),
                expiry: expiry.parse().unwrap(),
                carrier: carrier.parse().unwrap(),
                algorithm: algorithm.parse().unwrap(),
                supply_group: group.parse().unwrap(),
                tariff_index: tariff.parse().unwrap(),
                key_revision: revision.parse().unwrap(),
            };
            assert_eq!(text.parse(), Ok(record), "text = {text}");
            assert_eq!(record.to_string(), text);
            assert_eq!(IdRecord::from_track2(text), Ok(record), "35 digits are a track as well");
        }
    }

    #[test]
    fn track_is_written_with_both_separators() {
        // (digits, track)
        const CASES: &[(&str, &str)] = &[
            (DIGITS, "600727000000000009===0207201457011"),
            (DIGITS_WITH_DATE, "000001000000000082=2712=0111203557999"),
            ("60072700000000000927120107201457011", "600727000000000009=2712=0107201457011"),
        ];
        for &(digits, track) in CASES {
            let record: IdRecord = digits.parse().unwrap();
            assert_eq!(record.track2().to_string(), track);
            assert_eq!(IdRecord::from_track2(track), Ok(record), "track = {track}");
        }
    }

    #[test]
    fn track_is_read_in_every_way_that_readers_write_it() {
        // (track, digits)
        const CASES: &[(&str, &str)] = &[
            ("600727000000000009==0207201457011", DIGITS), // No second separator.
            ("600727000000000009=0000=0207201457011", DIGITS), // A date of zeros.
            ("600727000000000009=00000207201457011", DIGITS),
            ("600727000000000009DDD0207201457011", DIGITS), // D for =.
            ("000001000000000082=27120111203557999", DIGITS_WITH_DATE),
            ("000001000000000082D2712D0111203557999", DIGITS_WITH_DATE),
            (";600727000000000009===0207201457011?", DIGITS),
            (";600727000000000009===0207201457011", DIGITS),
            ("600727000000000009===0207201457011?", DIGITS),
            ("\u{2}600727000000000009===0207201457011\u{3}", DIGITS),
            (";60072700000000000900000207201457011?", DIGITS),
        ];
        for &(track, digits) in CASES {
            let record = IdRecord::from_track2(track).map(|record| record.to_string());
            assert_eq!(record.as_deref(), Ok(digits), "track = {track:?}");
        }
    }

    #[test]
    fn only_the_right_redundancy_check_passes() {
        // (digits, check): the exclusive or worked out by hand.
        for (digits, expected) in [(DIGITS, '4'), (DIGITS_WITH_DATE, '7')] {
            let record: IdRecord = digits.parse().unwrap();
            let body = record.track2().to_string();
            for found in '0'..='?' {
                let read = IdRecord::from_track2(&format!(";{body}?{found}"));
                let error = ParseIdRecordError::RedundancyCheck { expected, found };
                let right = if found == expected { Ok(record) } else { Err(error) };
                assert_eq!(read, right, "check {found}");
            }
            // It covers the sentinels of the card, whether or not the text shows them so.
            assert_eq!(IdRecord::from_track2(&format!("{body}?{expected}")), Ok(record));
            let framed = format!("\u{2}{}\u{3}{expected}", body.replace('=', "D"));
            assert_eq!(IdRecord::from_track2(&framed), Ok(record));
            for found in ['A', ' ', '\n', 'é'] {
                let read = IdRecord::from_track2(&format!(";{body}?{found}"));
                assert_eq!(read, Err(ParseIdRecordError::RedundancyCheck { expected, found }));
            }
        }
    }

    #[test]
    fn redundancy_check_is_right_and_wrong_in_every_way_that_readers_write_it() {
        // (tariff index that makes this check, its characters)
        for (tariff, right) in [("68", [';', STX]), ("80", ['=', 'D']), ("28", ['?', ETX])] {
            let body = format!("600727000000000009===0207201457{tariff}1");
            let record = IdRecord::from_track2(&body).unwrap();
            for (start, end) in [(';', '?'), (STX, ETX)] {
                for found in [';', STX, '=', 'D', '?', ETX] {
                    for body in [body.clone(), body.replace('=', "D")] {
                        let read = IdRecord::from_track2(&format!("{start}{body}{end}{found}"));
                        assert_eq!(read.is_ok(), right.contains(&found), "{body:?} {found:?}");
                        assert!(read.is_err() || read == Ok(record));
                    }
                }
            }
        }
    }

    #[test]
    fn track_with_date_sentinels_and_check_fills_forty_characters() {
        let body = DIGITS_WITH_DATE.parse::<IdRecord>().unwrap().track2().to_string();
        assert_eq!(format!(";{body}?{}", lrc(&body)).len(), 40);
    }

    #[test]
    fn refusals_name_the_field() {
        let length = |expected, found| Problem::Length { expected, found };
        let range = |lowest, highest, found| Problem::Range { lowest, highest, found };
        // (text, element, problem): every field in turn, then the shape of the whole.
        let cases: &[(&str, &str, Problem)] = &[
            (
                "60072700000000000913130207201457011",
                "month of the date of expiry",
                range(1, 12, 13),
            ),
            (
                "6007270000000000090A000207201457011",
                "date of expiry",
                Problem::NotDigit { index: 1 },
            ),
            (
                "6007270000000000090000O207201457011",
                "token carrier type",
                Problem::NotDigit { index: 0 },
            ),
            (
                "6007270000000000090000020720145x011",
                "supply group code",
                Problem::NotDigit { index: 5 },
            ),
            ("600727000000000009000002072014570 1", "tariff index", Problem::NotDigit { index: 1 }),
            ("60072700000000000900000207201457010", "key revision number", range(1, 9, 0)),
            ("", NAME, length(&[35], 0)),
            ("600727000000000009", NAME, length(&[35], 18)),
            ("6007270000000000090000020720145701", NAME, length(&[35], 34)),
            ("600727000000000009000002072014570111", NAME, length(&[35], 36)),
            ("6007270000000000090000020720145701é", NAME, Problem::NotDigit { index: 34 }),
        ];
        for &(text, element, problem) in cases {
            let error = ParseIdRecordError::Element(ParseElementError { element, problem });
            assert_eq!(text.parse::<IdRecord>(), Err(error), "text = {text:?}");
            assert_eq!(IdRecord::from_track2(text), Err(error), "text = {text:?}");
        }
    }

    #[test]
    fn wrong_meter_numbers_and_algorithms_are_refused() {
        use ParseIdRecordError::{EncryptionAlgorithm, MeterPan};
        use ParseMeterNumberError::{DrnCheckDigit, PanCheckDigit};
        const NO_DIGIT: ParseElementError =
            ParseElementError { element: "meter PAN", problem: Problem::NotDigit { index: 0 } };
        // (text, error)
        const CASES: &[(&str, ParseIdRecordError)] = &[
            (
                ";600727000000000009===0207201457011",
                MeterPan(ParseMeterNumberError::Digits(NO_DIGIT)),
            ),
            (
                "60072700000000000800000207201457011",
                MeterPan(PanCheckDigit { expected: 9, found: 8 }),
            ),
            (
                "60072711111111113300000207201457011",
                MeterPan(DrnCheckDigit { expected: 5, found: 3 }),
            ),
            ("60072700000000000900000210201457011", EncryptionAlgorithm { found: ['1', '0'] }),
            ("600727000000000009000002 7201457011", EncryptionAlgorithm { found: [' ', '7'] }),
        ];
        for &(text, error) in CASES {
            assert_eq!(text.parse::<IdRecord>(), Err(error), "text = {text:?}");
            if text.starts_with('6') {
                let track = format!("{}=={}", &text[..18], &text[22..]);
                assert_eq!(IdRecord::from_track2(&track), Err(error), "track = {track:?}");
            }
        }
    }

    #[test]
    fn tracks_of_another_shape_are_refused() {
        let tail = |found| (NAME_OF_TAIL, Problem::Length { expected: &[13], found });
        let date = |found| ("date of expiry", Problem::Length { expected: &[4], found });
        // (track, (element, problem))
        let cases = [
            ("600727000000000009=", date(0)),
            ("600727000000000009=271", date(3)),
            ("600727000000000009=2712", tail(0)),
            ("600727000000000009==", tail(0)),
            ("600727000000000009===020720145701", tail(12)),
            ("600727000000000009===02072014570110", tail(14)),
            ("600727000000000009====0207201457011", tail(14)),
            (
                "600727000000000009=27=2=0207201457011",
                ("date of expiry", Problem::NotDigit { index: 2 }),
            ),
            (
                ";600727000000000009===0207201457011?00",
                (NAME_OF_LRC, Problem::Length { expected: &[0, 1], found: 2 }),
            ),
            ("60072700000000000é===0207201457011", (NAME, Problem::NotDigit { index: 17 })),
        ];
        for (track, (element, problem)) in cases {
            let error = ParseIdRecordError::Element(ParseElementError { element, problem });
            assert_eq!(IdRecord::from_track2(track), Err(error), "track = {track:?}");
        }
    }

    #[test]
    fn errors_speak_in_one_line_and_keep_the_cause() {
        // (digits, text, text of the cause)
        const CASES: &[(&str, &str, Option<&str>)] = &[
            (
                "60072700000000000900000207201457010",
                "no identification record: wrong key revision number",
                Some("key revision number: expected 1 to 9, found 0"),
            ),
            (
                "60072700000000000800000207201457011",
                "no identification record: wrong meter number",
                Some("meter PAN: wrong check digit: expected 9, found 8"),
            ),
            (
                "60072700000000000900000210201457011",
                "no identification record: expected encryption algorithm 07, 09 or 11, found 10",
                None,
            ),
        ];
        for &(digits, text, cause) in CASES {
            let error = digits.parse::<IdRecord>().unwrap_err();
            assert_eq!(error.to_string(), text);
            assert_eq!(error.source().map(ToString::to_string).as_deref(), cause);
        }
        let error = IdRecord::from_track2(";600727000000000009===0207201457011?\n").unwrap_err();
        let text = r"no identification record: expected redundancy check '4', found '\n'";
        assert_eq!(error.to_string(), text);
    }
}
