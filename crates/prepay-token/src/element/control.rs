//! *Control*: which tests an InitiateMeterTest/Display token asks for.
//!
//! Test `n` sets bit `n - 1`; test 0 sets every bit and asks for tests 2 to 5 and whatever else the maker
//! chose. The field has 36 bits beside a manufacturer code of two digits and 28 beside one of four, so
//! both forms fill the same 44 bits of the block:
//!
//! ```text
//!  59                                        24 23        16
//! +--------------------------------------------+------------+
//! |                Control, 36                 |  MfrCode 8 |
//! +----------------------------------+---------+------------+
//! |            Control, 28           |      MfrCode 16      |
//! +----------------------------------+----------------------+
//!  59                              32 31                  16
//! ```
//!
//! - Source: IEC 62055-41:2018, data elements *Control* and *MfrCode*.
//! - Elsewhere: what a meter shows for each test, and what it does when several bits are set.

use core::fmt;

use super::ManufacturerCode;

/// What each test shows, by its number; tests 19 and above are reserved.
///
/// Numbers 14 and above were reserved in editions 1 and 2.
pub const TEST_NAMES: [&str; 19] = [
    "tests 2 to 5 and what the maker adds",
    "load switch",
    "display, indicators and buzzer",
    "cumulative usage registers",
    "key revision number and key type",
    "tariff index",
    "token input device",
    "maximum power limit",
    "tamper status",
    "instantaneous load",
    "software version",
    "phase power unbalance limit",
    "water meter factor (reserved)",
    "tariff rate (reserved)",
    "encryption algorithm",
    "number of key change tokens supported",
    "supply group code",
    "key expiry number",
    "decoder reference number",
];

/// The control field of a test, with the width that its manufacturer code leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Control {
    bits: u64, // Invariant: below 2^width.
    width: u8, // Invariant: 36 or 28.
}

/// The control field is wider than the manufacturer code leaves room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlTooWide {
    /// How many bits there are: 36 beside a code of two digits, 28 beside one of four.
    pub width: u8,
    /// The bits found.
    pub found: u64,
}

impl Control {
    /// How many bits stand beside a manufacturer code.
    pub const fn width_beside(manufacturer: ManufacturerCode) -> u8 {
        if manufacturer.is_two_digit() { 36 } else { 28 }
    }

    /// A control field with these bits.
    ///
    /// # Errors
    ///
    /// [`ControlTooWide`] when a bit is set that does not fit beside the manufacturer code.
    pub const fn new(manufacturer: ManufacturerCode, bits: u64) -> Result<Self, ControlTooWide> {
        let width = Self::width_beside(manufacturer);
        if bits >> width == 0 {
            Ok(Self { bits, width })
        } else {
            Err(ControlTooWide { width, found: bits })
        }
    }

    /// The field that asks for one test by its number.
    ///
    /// Nothing when the number is above the width of the field.
    pub const fn for_test(manufacturer: ManufacturerCode, test: u8) -> Option<Self> {
        let width = Self::width_beside(manufacturer);
        if test > width {
            return None;
        }
        let bits = if test == 0 { (1 << width) - 1 } else { 1 << (test - 1) };
        Some(Self { bits, width })
    }

    /// The bits of the field.
    pub const fn bits(self) -> u64 {
        self.bits
    }

    /// The width of the field: 36 or 28.
    pub const fn width(self) -> u8 {
        self.width
    }

    /// The numbers of the tests asked for, ascending; 0 alone when every bit is set.
    pub fn tests(self) -> impl Iterator<Item = u8> {
        let all = self.bits == (1 << self.width) - 1;
        let numbers = if all { 0..=0 } else { 1..=self.width };
        numbers.filter(move |&test| all || self.bits >> (test - 1) & 1 == 1)
    }
}

impl fmt::Display for ControlTooWide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "control field too wide: expected {} bits, found {:x}", self.width, self.found)
    }
}

impl core::error::Error for ControlTooWide {}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    #[test]
    fn a_test_sets_the_bit_before_its_number() {
        for (text, width) in [("00", 36), ("0000", 28)] {
            let code: ManufacturerCode = text.parse().unwrap();
            assert_eq!(Control::for_test(code, 0).unwrap().bits(), (1 << width) - 1);
            for test in 1..=width {
                let control = Control::for_test(code, test).unwrap();
                assert_eq!(control.bits(), 1 << (test - 1), "{text} {test}");
                assert_eq!(control.tests().collect::<Vec<_>>(), [test]);
            }
            assert_eq!(Control::for_test(code, width + 1), None);
            assert_eq!(Control::for_test(code, 0).unwrap().tests().collect::<Vec<_>>(), [0]);
            let found = 1 << width;
            assert_eq!(Control::new(code, found), Err(ControlTooWide { width, found }));
        }
    }

    #[test]
    fn several_bits_are_several_tests() {
        let code: ManufacturerCode = "00".parse().unwrap();
        let control = Control::new(code, 0b1010_0001).unwrap();
        assert_eq!(control.tests().collect::<Vec<_>>(), [1, 6, 8]);
        assert_eq!(Control::new(code, 0).unwrap().tests().count(), 0);
    }
}
