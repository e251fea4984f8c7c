//! Decimal digits: reading them strictly, writing them, and the check digit of meter numbers.
//!
//! Text is exactly as many ASCII digits as the element has: no sign, blank, separator or digit of
//! another script. Any of these would let one value be written in two ways, and a registry that
//! compares text would then hold one meter twice.
//!
//! - Source of the check digit: ISO/IEC 7812-1, *Luhn formula for computing modulus 10 "double-add-
//!   double" check digits*, as IEC 62055-41:2018 uses it in *DecoderReferenceNumber* and *MeterPAN*.
//! - Elsewhere: ranges and meanings (each element), wording of errors (`error.rs`).

use super::error::{ParseElementError, Problem};

/// Returns the bytes of `text`, all of them ASCII digits, if their count is one of `lengths`.
pub(super) fn of_lengths<'a>(
    element: &'static str,
    text: &'a str,
    lengths: &'static [usize],
) -> Result<&'a [u8], ParseElementError> {
    let bytes = text.as_bytes();
    // No early exit: a loop without one runs many bytes at a time.
    let only_digits = bytes.iter().fold(true, |so_far, byte| so_far & byte.is_ascii_digit());
    if only_digits && lengths.contains(&bytes.len()) {
        return Ok(bytes);
    }
    Err(ParseElementError { element, problem: problem(text, lengths) })
}

/// Returns the `N` bytes of `text`, all of them ASCII digits.
pub(super) fn exactly<'a, const N: usize>(
    element: &'static str,
    text: &'a str,
) -> Result<&'a [u8; N], ParseElementError> {
    let bytes = of_lengths(element, text, const { &[N] })?;
    Ok(bytes.try_into().expect("the length was just checked"))
}

/// Returns the value of a text of exactly `N` ASCII digits, at most nine of them.
pub(super) fn decimal<const N: usize>(
    element: &'static str,
    text: &str,
) -> Result<u32, ParseElementError> {
    const { assert!(N <= 9, "more digits than 32 bits hold") };
    exactly::<N>(element, text).map(|digits| value(digits))
}

/// The value of at most nine ASCII digits.
pub(super) fn value(digits: &[u8]) -> u32 {
    digits.iter().fold(0, |value, &digit| value * 10 + u32::from(digit & 0xF))
}

/// The last `N` decimal digits of `value` in ASCII, padded left with zeros.
pub(super) const fn ascii<const N: usize>(mut value: u32) -> [u8; N] {
    let mut digits = [b'0'; N];
    let mut place = N;
    while place > 0 {
        place -= 1;
        digits[place] += (value % 10) as u8;
        value /= 10;
    }
    digits
}

/// The digit, 0 to 9, that makes `digits` a valid number when written behind them.
///
/// From the right, every other digit counts double, the rightmost first; a doubled digit above 9
/// counts as the sum of its own two digits, which is 9 less. The check digit fills the sum up to a
/// multiple of ten. `digits` are values 0 to 9, not characters.
pub(super) fn luhn_check_digit(digits: impl DoubleEndedIterator<Item = u8>) -> u8 {
    let mut sum = 0;
    let mut doubled = true;
    for digit in digits.rev() {
        let weighted = if doubled { 2 * digit } else { digit };
        sum += u32::from(if weighted > 9 { weighted - 9 } else { weighted });
        doubled = !doubled;
    }
    ((10 - sum % 10) % 10) as u8
}

/// The check digit of a number given as ASCII digits.
pub(super) fn luhn_check_digit_of_ascii(digits: &[u8]) -> u8 {
    luhn_check_digit(digits.iter().map(|digit| digit & 0xF))
}

/// Makes a number and a text, and back, of an element with a fixed count of decimal digits.
macro_rules! decimal_element {
    ($type:ident($number:ty), $name:literal, $count:literal digits, $range:expr) => {
        impl TryFrom<$number> for $type {
            type Error = $crate::element::ParseElementError;

            #[doc = concat!("Accepts ", stringify!($range), ".")]
            fn try_from(number: $number) -> Result<Self, Self::Error> {
                $crate::element::ParseElementError::check_range($name, number, $range).map(Self)
            }
        }

        impl core::str::FromStr for $type {
            type Err = $crate::element::ParseElementError;

            #[doc = concat!("Accepts ASCII digits, exactly ", $count, " of them: no sign, blank or separator.")]
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::try_from($crate::element::digits::decimal::<$count>($name, text)? as $number)
            }
        }

        impl core::fmt::Display for $type {
            #[doc = concat!("Writes all digits, padded left with zeros to ", $count, ".")]
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, concat!("{:0", $count, "}"), self.0)
            }
        }
    };
}

pub(super) use decimal_element;

#[cold]
fn problem(text: &str, lengths: &'static [usize]) -> Problem {
    let found = text.chars().count();
    match text.chars().position(|character| !character.is_ascii_digit()) {
        Some(index) if lengths.contains(&found) => Problem::NotDigit { index },
        _ => Problem::Length { expected: lengths, found },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "test element";

    #[test]
    fn only_ascii_digits_of_the_right_count_are_read() {
        const LENGTH: &[usize] = &[3];
        // (text, value or problem): each way to write a number that is not three digits.
        const CASES: &[(&str, Result<u32, Problem>)] = &[
            ("000", Ok(0)),
            ("007", Ok(7)),
            ("999", Ok(999)),
            ("", Err(Problem::Length { expected: LENGTH, found: 0 })),
            ("07", Err(Problem::Length { expected: LENGTH, found: 2 })),
            ("0007", Err(Problem::Length { expected: LENGTH, found: 4 })),
            ("+07", Err(Problem::NotDigit { index: 0 })),
            ("-07", Err(Problem::NotDigit { index: 0 })),
            ("0 7", Err(Problem::NotDigit { index: 1 })),
            ("07 ", Err(Problem::NotDigit { index: 2 })),
            ("07\n", Err(Problem::NotDigit { index: 2 })),
            ("07/", Err(Problem::NotDigit { index: 2 })), // The character before 0.
            ("07:", Err(Problem::NotDigit { index: 2 })), // The character after 9.
            ("0x7", Err(Problem::NotDigit { index: 1 })),
            ("00٧", Err(Problem::NotDigit { index: 2 })), // A digit, but of another script.
            ("٠٠٧", Err(Problem::NotDigit { index: 0 })),
            ("é7", Err(Problem::Length { expected: LENGTH, found: 2 })), // Three bytes.
        ];
        for &(text, expected) in CASES {
            let expected = expected.map_err(|problem| ParseElementError { element: NAME, problem });
            assert_eq!(decimal::<3>(NAME, text), expected, "text = {text:?}");
        }
    }

    #[test]
    fn any_of_several_lengths_is_read() {
        const LENGTHS: &[usize] = &[2, 4];
        // (text, is read)
        const CASES: &[(&str, bool)] =
            &[("1", false), ("12", true), ("123", false), ("1234", true), ("12345", false)];
        for &(text, read) in CASES {
            assert_eq!(of_lengths(NAME, text, LENGTHS).is_ok(), read, "text = {text:?}");
        }
    }

    #[test]
    fn writing_pads_with_zeros_and_reading_takes_them_back() {
        // (value, digits): the ends of the range, and a digit in each place.
        const CASES: &[(u32, &[u8; 6])] =
            &[(0, b"000000"), (1, b"000001"), (201_457, b"201457"), (999_999, b"999999")];
        for &(number, digits) in CASES {
            assert_eq!(&ascii::<6>(number), digits);
            assert_eq!(value(digits), number);
        }
    }

    #[test]
    fn check_digit_follows_the_published_numbers() {
        // (number, check digit): meter numbers of the STS conformance run, and widely printed
        // examples of the formula with an odd and an even count of digits.
        const CASES: &[(&str, u8)] = &[
            ("", 0),
            ("0000000000", 0),
            ("1111111111", 5),
            ("1234567890", 3),
            ("010000000000", 8),
            ("60072700000000000", 9),
            ("00000100000000008", 2),
            ("60072711111111115", 3),
            ("7992739871", 3),
            ("411111111111111", 1),
        ];
        for &(number, check) in CASES {
            assert_eq!(luhn_check_digit_of_ascii(number.as_bytes()), check, "number = {number}");
        }
    }

    #[test]
    fn check_digit_detects_every_single_wrong_digit() {
        let number: [u8; 17] = *b"60072711111111115";
        let right = luhn_check_digit_of_ascii(&number);
        for place in 0..number.len() {
            for digit in b'0'..=b'9' {
                let mut changed = number;
                changed[place] = digit;
                let same = digit == number[place];
                assert_eq!(luhn_check_digit_of_ascii(&changed) == right, same, "place {place}");
            }
        }
    }
}
