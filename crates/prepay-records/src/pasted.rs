//! Meter numbers and tokens as people have them: with blanks, dashes and line ends, behind a label, several in one text.
//!
//! - A meter number has 11 digits (the issuer 600727 is put in front), 13 (0000) or all 18.
//! - A text may hold several tokens. Between two of them anything may stand but a digit, inside of one only blanks, line
//!   ends and dashes. A label in front, as in `Token 1 of 2:`, may hold digits if it ends with `:` or `=`.
//! - Messages name the first character that does not fit, and count from 1.

use prepay_token::element::{DecoderReferenceNumber, MeterPan, ParseMeterNumberError};
use prepay_token::{TOKEN_DIGITS, TokenData, TokenDataError};

use crate::error::{RecordCode, RecordError};

/// Reads the number of a meter, with its check digits verified. Blanks are dropped.
///
/// # Errors
///
/// [`RecordError`]: `pan_format`, `drn_check_digit` or `pan_check_digit`.
pub fn meter_number(text: &str) -> Result<MeterPan, RecordError> {
    let digits: String;
    let compact = match text.len() {
        // As bulk work has them.
        18 if !text.contains(char::is_whitespace) => text,
        _ => {
            digits = text.chars().filter(|character| !character.is_whitespace()).collect();
            &digits
        }
    };
    let other =
        |(_, character): &(usize, char)| !character.is_ascii_digit() && !character.is_whitespace();
    if let Some((index, character)) = text.chars().enumerate().find(other) {
        let position = index + 1;
        let message = format!("pan: expected digits, found {character:?} at position {position}");
        return Err(RecordError::new(RecordCode::PanFormat, message));
    }
    let pan: Result<MeterPan, ParseMeterNumberError> = match compact.len() {
        11 | 13 => compact.parse().map(DecoderReferenceNumber::into),
        18 => compact.parse(),
        found => {
            let message = format!("pan: expected 11, 13 or 18 digits, found {found}");
            return Err(RecordError::new(RecordCode::PanFormat, message));
        }
    };
    pan.map_err(|error| RecordError::new((&error).into(), format!("pan: {error}")))
}

/// Reads every token in a text, in order; at least one.
///
/// # Errors
///
/// [`RecordError`]: `number_format`, or `not_a_token` for a number that is too large to be one.
pub fn tokens(text: &str) -> Result<Vec<TokenData>, RecordError> {
    let read = |digits: &[u8; TOKEN_DIGITS]| TokenData::from_digits(digits);
    token_numbers(text)?.iter().map(|digits| read(digits).map_err(|e| not_a_token(&e))).collect()
}

/// Reads the twenty digits of every token in a text, in order; at least one. A number may be too large to be a token.
///
/// # Errors
///
/// [`RecordError`]: `number_format`.
pub fn token_numbers(text: &str) -> Result<Vec<[u8; TOKEN_DIGITS]>, RecordError> {
    let mut digits = Vec::new();
    let mut rest = text;
    let mut position = 0;
    while let Some(character) = rest.chars().next() {
        let is_between = digits.len() % TOKEN_DIGITS == 0;
        let skipped = match character {
            '0'..='9' => {
                digits.push(character as u8);
                1
            }
            _ if TokenData::is_separator(character) => 1,
            _ => label(rest).filter(|_| is_between).ok_or_else(|| {
                let error = TokenDataError::NotDigit { character, position: position + 1 };
                not_a_token(&error)
            })?,
        };
        position += skipped;
        rest = rest.char_indices().nth(skipped).map_or("", |(place, _)| &rest[place..]);
    }
    let (numbers, left) = digits.as_chunks();
    if numbers.is_empty() || !left.is_empty() {
        let found = digits.len();
        if found < 2 * TOKEN_DIGITS - 1 {
            return Err(not_a_token(&TokenDataError::Length { found }));
        }
        let message = format!("number: expected 20 digits for each token, found {found} digits");
        return Err(RecordError::new(RecordCode::NumberFormat, message));
    }
    Ok(numbers.to_vec())
}

/// How many characters at the beginning of a text that begins with no digit are not of a token: a label up to its sign,
/// or one character. Nothing if a digit sticks to it, as in a number that begins with the letter O.
fn label(text: &str) -> Option<usize> {
    let line = text.lines().next().unwrap_or_default();
    let mut digits = 0;
    for (index, character) in line.chars().enumerate() {
        digits += usize::from(character.is_ascii_digit());
        if digits == TOKEN_DIGITS {
            break;
        }
        if matches!(character, ':' | '=') {
            return Some(index + 1);
        }
    }
    let mut characters = text.chars();
    let first = characters.next()?;
    let sticks =
        first.is_alphabetic() && characters.next().is_some_and(|next| next.is_ascii_digit());
    (!first.is_numeric() && !sticks).then_some(1)
}

/// The error of a text that is no token.
pub(crate) fn not_a_token(error: &TokenDataError) -> RecordError {
    RecordError::new(error.into(), format!("number: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two published tokens: a key change.
    const FIRST: &str = "51638423060042734509";
    const SECOND: &str = "15361891762113502242";

    fn read(text: &str) -> Result<Vec<String>, String> {
        let tokens = tokens(text).map_err(|error| error.message)?;
        Ok(tokens.iter().map(TokenData::to_string).collect())
    }

    #[test]
    fn a_token_is_read_as_people_paste_it() {
        for text in [
            FIRST,
            "5163 8423 0600 4273 4509",
            "  5163-8423-0600-4273-4509\n",
            "5163\u{A0}8423\u{2003}0600\u{202F}4273\u{2011}4509",
            "5163\t8423\r\n0600\n4273\n4509\n",
            "Token: 5163 8423 0600 4273 4509",
            "Token 5163 8423 0600 4273 4509",
            "TOKEN NO. 5163 8423 0600 4273 4509.",
            "Token 1 of 1: 5163 8423 0600 4273 4509",
            "token=51638423060042734509;",
            "Jeton : 5163 8423 0600 4273 4509",
            "\u{FEFF}(51638423060042734509)",
        ] {
            assert_eq!(read(text), Ok(vec![FIRST.to_owned()]), "{text:?}");
        }
    }

    #[test]
    fn several_tokens_in_one_text_are_told_apart() {
        let (first, second) = ("5163 8423 0600 4273 4509", "1536 1891 7621 1350 2242");
        for text in [
            format!("{first}\n{second}"),
            format!("{first} {second}"),
            format!("{FIRST}{SECOND}"),
            format!("{first}, {second}"),
            format!("Token 1/2: {first}\nToken 2/2: {second}\n"),
            format!("first {first} and second {second}"),
        ] {
            assert_eq!(read(&text), Ok(vec![FIRST.to_owned(), SECOND.to_owned()]), "{text:?}");
        }
    }

    #[test]
    fn what_does_not_fit_is_named_and_counted_from_1() {
        for (text, expected) in [
            ("5163 8423 06OO 4273 4509", "found 'O' at position 13"),
            ("O163 8423 0600 4273 4509", "found 'O' at position 1"),
            ("Token: l163 8423 0600 4273 4509", "found 'l' at position 8"),
            ("5163 8423 0600 4273 4509\n1536 l891", "found 'l' at position 31"),
            ("5163.8423.0600.4273.4509", "found '.' at position 5"),
            ("٥163 8423 0600 4273 4509", "found '٥' at position 1"),
            ("", "expected 20 digits, found 0"),
            ("Token:", "expected 20 digits, found 0"),
            ("163 8423 0600 4273 4509", "found 19; a zero in front may be lost"),
            ("5163 8423 0600 4273 45090", "expected 20 digits, found 21"),
            (
                "51638423060042734509 1536189176211350224",
                "expected 20 digits for each token, found 39 digits",
            ),
            ("99999999999999999999", "expected a number below 2^66"),
        ] {
            let message = read(text).unwrap_err();
            assert!(message.contains(expected), "{text:?}: {message}");
        }
    }

    #[test]
    fn a_meter_number_has_11_13_or_18_digits_and_blanks() {
        for (text, pan) in [
            ("600727000000000009", "600727000000000009"),
            ("6007 2700 0000 0000 09", "600727000000000009"),
            (" 600727\u{A0}00000000000\t9\n", "600727000000000009"),
            ("11111111115", "600727111111111153"),
            ("111 1111 1115", "600727111111111153"),
            ("0100000000008", "000001000000000082"),
        ] {
            assert_eq!(
                meter_number(text).map(|pan| pan.to_string()),
                Ok(pan.to_owned()),
                "{text:?}"
            );
        }
        for (text, code, message) in [
            ("60072700000000000", "pan_format", "pan: expected 11, 13 or 18 digits, found 17"),
            (
                "6007 27OO 0000 0000 09",
                "pan_format",
                "pan: expected digits, found 'O' at position 8",
            ),
            ("600727-00000000000-9", "pan_format", "pan: expected digits, found '-' at position 7"),
            ("11111111113", "drn_check_digit", "expected 5, found 3"),
            ("600727000000000008", "pan_check_digit", "expected 9, found 8"),
        ] {
            let error = meter_number(text).unwrap_err();
            assert_eq!(error.code(), code, "{text}");
            assert!(error.message.ends_with(message), "{text}: {}", error.message);
        }
    }
}
