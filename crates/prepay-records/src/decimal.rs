//! Decimal numbers in strings, exactly and both ways: `"25.6"` with one place is 256.
//!
//! - Form: an optional minus, digits, and if there is a point, digits on both sides of it.
//! - Nothing is rounded here; more decimal places than asked for are only reported.

/// A decimal number counted in units of its last place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    /// Whether there is a minus and the number is not zero.
    pub negative: bool,
    /// The magnitude, without what is finer than the places asked for.
    pub magnitude: u128,
    /// Whether anything but zeros was finer.
    pub finer: bool,
}

/// Why a text is not a decimal number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecimalError {
    /// Its form is wrong.
    Format,
    /// Its form is right, but it is far larger than any amount.
    TooLarge,
}

/// Reads a decimal number, counting in units of 10 to the power −`places`.
pub fn parse(text: &str, places: usize) -> Result<Decimal, DecimalError> {
    let (minus, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, part) = match digits.split_once('.') {
        Some((_, "")) => return Err(DecimalError::Format),
        Some(halves) => halves,
        None => (digits, ""),
    };
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(part) {
        return Err(DecimalError::Format);
    }
    let (part, rest) = part.split_at(part.len().min(places));
    let mut magnitude: u128 = 0;
    let closing_zeros = std::iter::repeat_n(b'0', places - part.len());
    for digit in whole.bytes().chain(part.bytes()).chain(closing_zeros) {
        magnitude = magnitude
            .checked_mul(10)
            .and_then(|magnitude| magnitude.checked_add(u128::from(digit - b'0')))
            .ok_or(DecimalError::TooLarge)?;
    }
    let finer = rest.bytes().any(|digit| digit != b'0');
    Ok(Decimal { negative: minus && (magnitude != 0 || finer), magnitude, finer })
}

/// Prints a number counted in units of 10 to the power −`places`, without trailing zeros.
pub fn print(value: i128, places: usize) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = places + 1);
    let (whole, part) = digits.split_at(digits.len() - places);
    match part.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        part => format!("{sign}{whole}.{part}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_printed_without_closing_zeros() {
        for (value, places, text) in [
            (0, 5, "0"),
            (0, 1, "0"),
            (256, 1, "25.6"),
            (250, 1, "25"),
            (10, 1, "1"),
            (1, 5, "0.00001"),
            (-1, 5, "-0.00001"),
            (150_000, 5, "1.5"),
            (-123_450, 5, "-1.2345"),
            (7, 0, "7"),
        ] {
            assert_eq!(print(value, places), text);
        }
    }

    #[test]
    fn numbers_are_counted_in_units_of_the_last_place() {
        // (text, places, negative, magnitude, finer)
        const CASES: &[(&str, usize, bool, u128, bool)] = &[
            ("25.6", 1, false, 256, false),
            ("1", 1, false, 10, false),
            ("007", 1, false, 70, false),
            ("1.50", 1, false, 15, false),
            ("1.51", 1, false, 15, true),
            ("-0.00001", 5, true, 1, false),
            ("-0.000001", 5, true, 0, true),
            ("-0.0", 1, false, 0, false),
            ("0", 5, false, 0, false),
        ];
        for &(text, places, negative, magnitude, finer) in CASES {
            assert_eq!(parse(text, places), Ok(Decimal { negative, magnitude, finer }), "{text}");
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for text in ["", "-", ".5", "5.", "+1", "1e3", " 1", "1 ", "1,5", "--1", "1.2.3", "١"] {
            assert_eq!(parse(text, 1), Err(DecimalError::Format), "{text:?}");
        }
        assert_eq!(parse(&"9".repeat(60), 1), Err(DecimalError::TooLarge));
    }
}
