//! Where each field of each token stands in its 64-bit block.
//!
//! This is the one place that knows bit positions: tokens are written and read through these constants,
//! and the [`Trace`](crate::Trace) shows them. Bit 63 is the first bit after the class.
//!
//! ```text
//!  63  60 59  56 55                  32 31          16 15          0
//! +------+------+----------------------+--------------+-------------+
//! | Sub  | RND  |         TID          |    Amount    |     CRC     |  credit in units
//! | Sub  | S&E  |         TID          |    Amount    |    CRC_C    |  credit in money
//! | Sub  | RND  |         TID          |    value     |     CRC     |  management
//! +------+------+----------------------+------+-------+-------------+
//! | Sub  |            Control 36              | Mfr 8 |     CRC     |  test, 2-digit code
//! | Sub  |        Control 28           |   MfrCode 16 |     CRC     |  test, 4-digit code
//! +------+------+------+-+-+--+---------------+-------+-------------+
//! | Sub  |KENHO | KRN  |R|3|KT|       NKHO, 32 bits   |     CRC     |  key change, 1st section
//! | Sub  |KENLO |     TI      |       NKLO, 32 bits   |     CRC     |  2nd section
//! | Sub  |  SGCHO 12   |  SGCLO 12   | reserved 20   |     CRC     |  3rd section, 64-bit key
//! | Sub  |  SGCLO 12   |     NKMO2, 32 bits          |     CRC     |  3rd section, 128-bit key
//! | Sub  |  SGCHO 12   |     NKMO1, 32 bits          |     CRC     |  4th section, 128-bit key
//! +------+-------------+-----------------------------+-------------+
//! ```
//!
//! - Source: IEC 62055-41:2018, token definitions of classes 0, 1 and 2; STS 202-5 for the extended ones.

use crate::Class;

/// Declares the names of fields with their texts.
macro_rules! names {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// The short name of a field in the standard.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum FieldName {
            $($(#[$doc])* $name,)*
        }

        impl FieldName {
            /// The name as the standard writes it.
            pub const fn text(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

names! {
    /// The sub-class.
    SubClass = "SubClass",
    /// The checksum.
    Crc = "CRC",
    /// The checksum of a token that carries money.
    CrcC = "CRC_C",
    /// The random number.
    Rnd = "RND",
    /// Sign and high bits of the exponent of an amount of money.
    SignExponent = "S&E",
    /// The token identifier.
    Tid = "TID",
    /// The amount.
    Amount = "Amount",
    /// The maximum power limit.
    Mpl = "MPL",
    /// The register to clear.
    Register = "Register",
    /// The tariff rate.
    Rate = "Rate",
    /// Bits that mean nothing.
    Pad = "Pad",
    /// The maximum phase power unbalance limit.
    Mppul = "MPPUL",
    /// The water meter factor.
    WmFactor = "WMFactor",
    /// An extended value.
    Extended = "Extended",
    /// The value of a proprietary token.
    Value = "Value",
    /// The tests that are asked for.
    Control = "Control",
    /// The manufacturer code.
    MfrCode = "MfrCode",
    /// The index of an extended read.
    Index = "Index",
    /// The rest of an extended read.
    Zero = "Zero",
    /// The high half of the key expiry number.
    Kenho = "KENHO",
    /// The key revision number.
    Krn = "KRN",
    /// Rollover.
    Ro = "RO",
    /// Whether the set has three tokens.
    ThreeKct = "3KCT",
    /// The key type.
    Kt = "KT",
    /// The first part of the new key.
    Nkho = "NKHO",
    /// The low half of the key expiry number.
    Kenlo = "KENLO",
    /// The tariff index.
    Ti = "TI",
    /// The last part of the new key.
    Nklo = "NKLO",
    /// The low half of the supply group code.
    Sgclo = "SGCLO",
    /// The third part of a new key of 128 bits.
    Nkmo2 = "NKMO2",
    /// The high half of the supply group code.
    Sgcho = "SGCHO",
    /// The second part of a new key of 128 bits.
    Nkmo1 = "NKMO1",
    /// Bits without a meaning yet.
    Reserved = "Reserved",
}

/// A field: its short name in the standard, and its highest and lowest bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The short name.
    pub name: FieldName,
    /// The highest bit.
    pub high: u8,
    /// The lowest bit.
    pub low: u8,
}

impl Place {
    const fn new(name: FieldName, high: u8, low: u8) -> Self {
        Self { name, high, low }
    }

    /// How many bits the field has: fewer than 64.
    pub const fn width(&self) -> u8 {
        self.high - self.low + 1
    }

    /// The value of the field in a block.
    #[inline]
    pub const fn read(&self, block: u64) -> u64 {
        block >> self.low & ((1 << self.width()) - 1)
    }

    /// A block with nothing but this field; bits of `value` beyond its width are dropped.
    #[inline]
    pub const fn write(&self, value: u64) -> u64 {
        (value & ((1 << self.width()) - 1)) << self.low
    }
}

/// A block of several fields that do not overlap: then their sum is their union.
#[inline]
pub(crate) fn join<const N: usize>(fields: [u64; N]) -> u64 {
    fields.into_iter().sum()
}

pub(crate) const SUB_CLASS: Place = Place::new(FieldName::SubClass, 63, 60);
pub(crate) const CHECKSUM: Place = Place::new(FieldName::Crc, 15, 0);
pub(crate) const CHECKSUM_C: Place = Place::new(FieldName::CrcC, 15, 0);

pub(crate) const RND: Place = Place::new(FieldName::Rnd, 59, 56);
pub(crate) const SIGN_EXPONENT: Place = Place::new(FieldName::SignExponent, 59, 56);
pub(crate) const TID: Place = Place::new(FieldName::Tid, 55, 32);
pub(crate) const AMOUNT: Place = Place::new(FieldName::Amount, 31, 16);

const MPL: Place = Place::new(FieldName::Mpl, 31, 16);
const REGISTER: Place = Place::new(FieldName::Register, 31, 16);
const RATE: Place = Place::new(FieldName::Rate, 31, 16);
const PAD: Place = Place::new(FieldName::Pad, 31, 16);
const MPPUL: Place = Place::new(FieldName::Mppul, 31, 16);
const WM_FACTOR: Place = Place::new(FieldName::WmFactor, 31, 16);
const EXTENDED: Place = Place::new(FieldName::Extended, 31, 16);
/// The sixteen bits of every management token that hold what it sets, whatever their name.
pub(crate) const VALUE: Place = Place::new(FieldName::Value, 31, 16);

pub(crate) const CONTROL_36: Place = Place::new(FieldName::Control, 59, 24);
pub(crate) const MFR_CODE_8: Place = Place::new(FieldName::MfrCode, 23, 16);
pub(crate) const CONTROL_28: Place = Place::new(FieldName::Control, 59, 32);
pub(crate) const MFR_CODE_16: Place = Place::new(FieldName::MfrCode, 31, 16);
/// The index in the *Control* of an extended read: its six high bits.
pub(crate) const READ_INDEX: Place = Place::new(FieldName::Index, 59, 54);
pub(crate) const READ_REST: Place = Place::new(FieldName::Zero, 53, 24);

pub(crate) const KENHO: Place = Place::new(FieldName::Kenho, 59, 56);
pub(crate) const KRN: Place = Place::new(FieldName::Krn, 55, 52);
pub(crate) const ROLLOVER: Place = Place::new(FieldName::Ro, 51, 51);
pub(crate) const THREE_KCT: Place = Place::new(FieldName::ThreeKct, 50, 50);
pub(crate) const KEY_TYPE: Place = Place::new(FieldName::Kt, 49, 48);
pub(crate) const NKHO: Place = Place::new(FieldName::Nkho, 47, 16);
pub(crate) const KENLO: Place = Place::new(FieldName::Kenlo, 59, 56);
pub(crate) const TARIFF_INDEX: Place = Place::new(FieldName::Ti, 55, 48);
pub(crate) const NKLO: Place = Place::new(FieldName::Nklo, 47, 16);
pub(crate) const SGC_FIRST_LOW: Place = Place::new(FieldName::Sgclo, 59, 48);
pub(crate) const NKMO2: Place = Place::new(FieldName::Nkmo2, 47, 16);
pub(crate) const SGC_FIRST_HIGH: Place = Place::new(FieldName::Sgcho, 59, 48);
pub(crate) const NKMO1: Place = Place::new(FieldName::Nkmo1, 47, 16);
pub(crate) const SGC_SECOND_LOW: Place = Place::new(FieldName::Sgclo, 47, 36);
pub(crate) const RESERVED_20: Place = Place::new(FieldName::Reserved, 35, 16);

/// A management token with one named value.
macro_rules! management {
    ($value:expr) => {
        &[SUB_CLASS, RND, TID, $value, CHECKSUM]
    };
}

/// The fields of a block, highest first, by its class and sub-class.
///
/// `long_key` says whether the meter's key has 128 bits, which changes the third section of a key change.
/// A reserved sub-class has only its number and a checksum.
pub fn fields(class: Class, sub_class: u8, long_key: bool) -> &'static [Place] {
    match (class, sub_class) {
        (Class::Credit, 0..=3) => &[SUB_CLASS, RND, TID, AMOUNT, CHECKSUM],
        (Class::Credit, 4..=7) => &[SUB_CLASS, SIGN_EXPONENT, TID, AMOUNT, CHECKSUM_C],
        (Class::Display, 0 | 11..=15) => &[SUB_CLASS, CONTROL_36, MFR_CODE_8, CHECKSUM],
        (Class::Display, 1 | 6..=10) => &[SUB_CLASS, CONTROL_28, MFR_CODE_16, CHECKSUM],
        (Class::Display, 2) => &[SUB_CLASS, READ_INDEX, READ_REST, MFR_CODE_8, CHECKSUM],
        (Class::Management, 0) => management!(MPL),
        (Class::Management, 1) => management!(REGISTER),
        (Class::Management, 2) => management!(RATE),
        (Class::Management, 3) => {
            &[SUB_CLASS, KENHO, KRN, ROLLOVER, THREE_KCT, KEY_TYPE, NKHO, CHECKSUM]
        }
        (Class::Management, 4) => &[SUB_CLASS, KENLO, TARIFF_INDEX, NKLO, CHECKSUM],
        (Class::Management, 5) => management!(PAD),
        (Class::Management, 6) => management!(MPPUL),
        (Class::Management, 7) => management!(WM_FACTOR),
        (Class::Management, 8) if long_key => &[SUB_CLASS, SGC_FIRST_LOW, NKMO2, CHECKSUM],
        (Class::Management, 8) => {
            &[SUB_CLASS, SGC_FIRST_HIGH, SGC_SECOND_LOW, RESERVED_20, CHECKSUM]
        }
        (Class::Management, 9) => &[SUB_CLASS, SGC_FIRST_HIGH, NKMO1, CHECKSUM],
        (Class::Management, 10) => management!(EXTENDED),
        (Class::Management, 11..=15) => management!(VALUE),
        _ => &[SUB_CLASS, CHECKSUM],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_every_known_token_fill_the_block_without_overlap() {
        for class in [Class::Credit, Class::Display, Class::Management] {
            for (sub_class, long_key) in (0..16).flat_map(|sub| [(sub, false), (sub, true)]) {
                let places = fields(class, sub_class, long_key);
                if places.len() == 2 {
                    continue; // Reserved: nothing between the sub-class and the checksum is known.
                }
                let mut next = 63;
                for place in places {
                    assert_eq!(place.high, next, "{class:?} {sub_class} {:?}", place.name);
                    next = place.low.wrapping_sub(1);
                }
                assert_eq!(next, u8::MAX, "{class:?} {sub_class} ends at bit 0");
            }
        }
    }

    #[test]
    fn a_field_reads_what_it_writes_and_drops_the_rest() {
        for sub_class in 0..16 {
            for place in fields(Class::Management, sub_class, true) {
                let all = place.write(u64::MAX);
                assert_eq!(all.count_ones(), u32::from(place.width()), "{:?}", place.name);
                assert_eq!(place.read(all), (1 << place.width()) - 1, "{:?}", place.name);
                assert_eq!(place.read(!all), 0, "{:?}", place.name);
            }
        }
    }
}
