//! *MeterPAN*: the number that identifies a meter to keys, cards and vending systems.
//!
//! ```text
//!   digit   0           5   6                   16   17
//!         | 6 0 0 7 2 7 | D D D D D D D D D D D | C |     DRN of 11 digits
//!         | 0 0 0 0 | D D D D D D D D D D D D D | C |     DRN of 13 digits
//!             |<----------- PANBlock ---------->|
//!
//!   D  decoder reference number with its own check digit    C  check digit of all digits before
//! ```
//!
//! A number that begins with `0000` has the 13-digit form; any other begins with six digits of
//! issuer. Both check digits must be verified on entry.
//!
//! - Source: IEC 62055-41:2018, data elements *MeterPAN*, *PANCheckDigit* and *PANBlock*; check digits
//!   as ISO/IEC 7812-1.
//! - Elsewhere: the other inputs of a key derivation.

use core::fmt;
use core::str::FromStr;

use super::{
    DecoderReferenceNumber, IssuerIdentificationNumber, KeyType, ParseMeterNumberError, digits,
};

const NAME: &str = "meter PAN";
const BITS_PER_DIGIT: usize = 4;

/// A meter's primary account number: 18 decimal digits with two right check digits.
///
/// Text and value agree both ways, and the order is that of the numbers.
///
/// ```
/// # use prepay_token::element::{DecoderReferenceNumber, KeyType, MeterPan, ParseMeterNumberError};
/// let pan: MeterPan = "600727111111111153".parse()?;
/// assert_eq!(pan.drn().to_string(), "11111111115");
/// assert_eq!(MeterPan::new("11111111115".parse()?), pan);
/// assert_eq!(pan.pan_block(KeyType::Unique), 0x0072_7111_1111_1115);
/// # Ok::<(), ParseMeterNumberError>(())
/// ```
///
/// Source: IEC 62055-41:2018, data element *MeterPAN*.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MeterPan([u8; 18]); // Invariant: ASCII digits, both check digits right.

impl MeterPan {
    /// Composes the number of a meter and computes its check digit.
    ///
    /// The issuer follows from the form of the meter number: `600727` before 11 digits and `0000`
    /// before 13.
    #[must_use]
    pub fn new(drn: DecoderReferenceNumber) -> Self {
        let mut ascii = [b'0'; 18];
        ascii[4..17].copy_from_slice(&drn.ascii_in_13());
        if drn.digit_count() == 11 {
            ascii[..6].copy_from_slice(b"600727");
        }
        ascii[17] += digits::luhn_check_digit_of_ascii(&ascii[..17]);
        Self(ascii)
    }

    /// The issuer identification number: the first four digits if they are `0000`, else six.
    #[must_use]
    pub fn iin(self) -> IssuerIdentificationNumber {
        let [a, b, c, d, e, f, ..] = self.0;
        IssuerIdentificationNumber::from_ascii(&[a, b, c, d, e, f])
    }

    /// The decoder reference number: the 11 or 13 digits before the last.
    #[must_use]
    pub fn drn(self) -> DecoderReferenceNumber {
        let [_, _, _, _, _, _, _, _, serial @ .., check_digit, _] = &self.0;
        let code = &self.0[drn_start(&self.0)..8];
        DecoderReferenceNumber::from_ascii(code, serial, *check_digit)
    }

    /// The last digit, 0 to 9.
    #[must_use]
    pub const fn check_digit(self) -> u8 {
        self.0[17] & 0xF
    }

    /// The 18 ASCII digits, as DKGA04 takes them.
    #[must_use]
    pub const fn ascii(self) -> [u8; 18] {
        self.0
    }

    /// The 18 digits as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).expect("a PAN consists of ASCII digits")
    }

    /// *PANBlock*: the 16 BCD digits that stand for the meter in a key derivation.
    ///
    /// These are the digits between the first and the last: five or three digits of the issuer and
    /// the whole meter number. With a common key, which no single meter owns, zeros take the place
    /// of the meter number. An initialization key is not derived in this way; the block is then
    /// that of a unique key and means nothing.
    ///
    /// Source: IEC 62055-41:2018, data element *PANBlock*.
    #[must_use]
    pub fn pan_block(self, key_type: KeyType) -> u64 {
        let digits = self.0[1..17].iter();
        let block =
            digits.fold(0, |block, digit| (block << BITS_PER_DIGIT) + u64::from(digit & 0xF));
        match key_type {
            KeyType::Initialization | KeyType::Default | KeyType::Unique => block,
            KeyType::Common => {
                let drn_bits = BITS_PER_DIGIT * (17 - drn_start(&self.0));
                block >> drn_bits << drn_bits
            }
        }
    }
}

/// The place of the first digit behind the issuer.
fn drn_start(pan: &[u8; 18]) -> usize {
    if pan.starts_with(b"0000") { 4 } else { 6 }
}

impl FromStr for MeterPan {
    type Err = ParseMeterNumberError;

    /// Accepts exactly 18 ASCII digits whose two check digits are right.
    ///
    /// The check digit of the meter number is verified first: if both are wrong, as a wrong digit
    /// in the meter number usually makes them, the error names the number that customers know.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let ascii = digits::exactly::<18>(NAME, text)?;
        let expected = digits::luhn_check_digit_of_ascii(&ascii[drn_start(ascii)..16]);
        let found = ascii[16] & 0xF;
        if expected != found {
            return Err(ParseMeterNumberError::DrnCheckDigit { expected, found });
        }
        let expected = digits::luhn_check_digit_of_ascii(&ascii[..17]);
        let found = ascii[17] & 0xF;
        if expected != found {
            return Err(ParseMeterNumberError::PanCheckDigit { expected, found });
        }
        Ok(Self(*ascii))
    }
}

impl From<DecoderReferenceNumber> for MeterPan {
    /// See [`MeterPan::new`].
    fn from(drn: DecoderReferenceNumber) -> Self {
        Self::new(drn)
    }
}

impl fmt::Display for MeterPan {
    /// Writes 18 digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for MeterPan {
    /// Writes `MeterPan(600727000000000009)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MeterPan").field(&format_args!("{self}")).finish()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::format;
    use std::string::ToString;

    use proptest::prelude::*;

    use super::*;
    use crate::element::{DecoderSerialNumber, ManufacturerCode, ParseElementError, Problem};

    // (PAN, issuer, DRN, check digit, block of a unique key, block of a common key): numbers of the
    // STS conformance run; the common blocks follow from the rule.
    const PUBLISHED: &[(&str, &str, &str, u8, u64, u64)] = &[
        (
            "600727000000000009",
            "600727",
            "00000000000",
            9,
            0x0072_7000_0000_0000,
            0x0072_7000_0000_0000,
        ),
        (
            "000001000000000082",
            "0000",
            "0100000000008",
            2,
            0x0000_1000_0000_0008,
            0x0000_0000_0000_0000,
        ),
        (
            "600727111111111153",
            "600727",
            "11111111115",
            3,
            0x0072_7111_1111_1115,
            0x0072_7000_0000_0000,
        ),
    ];

    #[test]
    fn published_numbers_split_and_compose() {
        for &(text, iin, drn, check, _, _) in PUBLISHED {
            let pan: MeterPan = text.parse().unwrap();
            assert_eq!(pan.iin().to_string(), iin, "PAN {text}");
            assert_eq!(pan.drn().to_string(), drn, "PAN {text}");
            assert_eq!(pan.check_digit(), check, "PAN {text}");
            assert_eq!(&pan.ascii(), text.as_bytes(), "PAN {text}");
            assert_eq!(pan.to_string(), text);
            assert_eq!(format!("{pan:?}"), format!("MeterPan({text})"));
            assert_eq!(MeterPan::new(drn.parse().unwrap()), pan);
        }
    }

    #[test]
    fn block_holds_the_meter_number_unless_the_key_is_common() {
        for &(text, _, _, _, own, common) in PUBLISHED {
            let pan: MeterPan = text.parse().unwrap();
            assert_eq!(pan.pan_block(KeyType::Default), own, "PAN {text}");
            assert_eq!(pan.pan_block(KeyType::Unique), own, "PAN {text}");
            assert_eq!(pan.pan_block(KeyType::Common), common, "PAN {text}");
        }
        let pan = MeterPan::new("12345678903".parse().unwrap());
        assert_eq!(pan.pan_block(KeyType::Unique), 0x0072_7123_4567_8903);
    }

    #[test]
    fn wrong_check_digits_are_told_apart() {
        use ParseMeterNumberError::{DrnCheckDigit, PanCheckDigit};
        // (text, error)
        const CASES: &[(&str, ParseMeterNumberError)] = &[
            ("600727111111111154", PanCheckDigit { expected: 3, found: 4 }),
            ("600827111111111153", PanCheckDigit { expected: 2, found: 3 }), // Issuer mistyped.
            ("600727111111111133", DrnCheckDigit { expected: 5, found: 3 }), // Both are wrong.
            ("600727123456789040", DrnCheckDigit { expected: 3, found: 4 }),
            ("000001000000000072", DrnCheckDigit { expected: 8, found: 7 }),
            ("000001000000000083", PanCheckDigit { expected: 2, found: 3 }),
        ];
        for &(text, error) in CASES {
            assert_eq!(text.parse::<MeterPan>(), Err(error), "PAN {text}");
        }
        let error = "600727111111111154".parse::<MeterPan>().unwrap_err();
        assert_eq!(error.to_string(), "meter PAN: wrong check digit: expected 3, found 4");
    }

    #[test]
    fn other_texts_are_refused() {
        const LENGTH: &[usize] = &[18];
        // (text, problem)
        const CASES: &[(&str, Problem)] = &[
            ("", Problem::Length { expected: LENGTH, found: 0 }),
            ("60072700000000000", Problem::Length { expected: LENGTH, found: 17 }),
            ("6007270000000000090", Problem::Length { expected: LENGTH, found: 19 }),
            ("60072700000000000x", Problem::NotDigit { index: 17 }),
            ("60072700000000000٩", Problem::NotDigit { index: 17 }),
            (" 00727000000000009", Problem::NotDigit { index: 0 }),
        ];
        for &(text, problem) in CASES {
            let error = ParseElementError { element: NAME, problem };
            assert_eq!(text.parse::<MeterPan>(), Err(error.into()), "text = {text:?}");
        }
    }

    #[test]
    fn six_digits_of_an_issuer_not_in_use_are_accepted() {
        // A neighbour of the issuer in use, and the ends of the range.
        for iin in ["600728", "000100", "999999"] {
            let body = format!("{iin}12345678903");
            let check = digits::luhn_check_digit_of_ascii(body.as_bytes());
            let pan: MeterPan = format!("{body}{check}").parse().unwrap();
            assert_eq!(pan.iin().to_string(), iin);
            assert_eq!(pan.drn().to_string(), "12345678903");
            let issuer = u64::from_str_radix(&iin[1..], 16).unwrap();
            assert_eq!(pan.pan_block(KeyType::Common), issuer << 44);
        }
    }

    proptest! {
        #[test]
        fn any_meter_number_survives_its_pan(four: bool, code in 0_u16..10_000, serial in 0_u32..100_000_000) {
            let code = match four {
                true => ManufacturerCode::four_digits(code).unwrap(),
                false => ManufacturerCode::two_digits((code % 100) as u8).unwrap(),
            };
            let serial = DecoderSerialNumber::try_from(serial).unwrap();
            let drn = DecoderReferenceNumber::new(code, serial);
            let pan = MeterPan::new(drn);
            prop_assert_eq!(drn.to_string().parse(), Ok(drn));
            prop_assert_eq!(pan.to_string().parse(), Ok(pan));
            prop_assert_eq!(pan.drn(), drn);
            let digits = format!("{}{}{}", pan.iin(), drn, pan.check_digit());
            prop_assert_eq!(pan.as_str(), &digits);
            let block = u64::from_str_radix(&digits[1..17], 16).unwrap();
            prop_assert_eq!(pan.pan_block(KeyType::Unique), block);
        }
    }
}
