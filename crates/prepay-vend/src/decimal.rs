//! Decimal numbers as people write them, read exactly.

use rust_decimal::Decimal;

/// Reads digits, with a minus in front and digits on both sides of a point if there is one. The result has no closing
/// zeros. `None` for anything else: an exponent, a plus, more than 28 digits.
pub fn read(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_number = all_digits(whole) && all_digits(part);
    is_number.then(|| Decimal::from_str_exact(text).ok())?.map(|value| value.normalize())
}

/// A number with so many decimal places at least.
pub(crate) fn with_places(mut value: Decimal, places: u32) -> Decimal {
    if value.scale() < places {
        value.rescale(places);
    }
    value
}
