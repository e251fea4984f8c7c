//! Hexadecimal text, where a format does not prescribe another.
//!
//! - Upper and lower case are read, lower case is written.
//! - Elsewhere: keys, whose text is wiped and never repeated (`prepay-lab`).

use std::fmt::Write;

/// The lower-case text of some bytes.
pub fn encode(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes every text");
        text
    })
}

/// The bytes of a text of exactly as many digits.
pub fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|value| value as u8);
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_cases_are_read_and_lower_case_is_written() {
        assert_eq!(decode("00aBfF"), Some([0x00, 0xAB, 0xFF]));
        assert_eq!(encode(&[0x00, 0xAB, 0xFF]), "00abff");
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "00", "000", "0000ff", "0x11", "+1ff", "11 1", "é1", "é11"] {
            assert_eq!(decode::<2>(text), None, "{text}");
        }
    }
}
