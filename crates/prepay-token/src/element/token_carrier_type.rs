//! *TokenCarrierType* (TCT): the medium that brings tokens to a meter.
//!
//! | code | carrier |
//! |---|---|
//! | 00 | reserved |
//! | 01 | magnetic card (IEC 62055-51), erased by the meter |
//! | 02 | numeric: 20 digits, entered on a keypad (IEC 62055-51) |
//! | 03 to 06 | reserved: proprietary carriers of older systems |
//! | 07 | virtual token carrier, direct local connection (IEC 62055-52) |
//! | 08 | virtual token carrier over DLMS/COSEM |
//! | 09 to 99 | reserved |
//!
//! The code describes a meter, in its identification record or its carrier object. It is not part
//! of any token or key.
//!
//! - Text: two decimal digits, padded left with a zero.
//! - Source: IEC 62055-41:2018, data element *TokenCarrierType*; code 08 is an assignment of the
//!   STS Association and still reserved in older readings.
//! - Elsewhere: how each carrier writes a token.

use super::digits::decimal_element;

/// A token carrier type, 00 to 99, reserved codes included.
///
/// A record may name a carrier that we do not know, so every code is a value; [`Self::kind`] tells
/// what it stands for.
///
/// Source: IEC 62055-41:2018, data element *TokenCarrierType*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenCarrierType(u8); // Invariant: at most 99.

/// What a token carrier type stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenCarrierKind {
    /// A magnetic card that the meter erases (01).
    MagneticCard,
    /// Twenty decimal digits, usually for a keypad (02).
    Numeric,
    /// A proprietary carrier of an older system (03 to 06). No standard describes them.
    Legacy,
    /// A virtual carrier on a direct local connection (07).
    VirtualLocal,
    /// A virtual carrier over DLMS/COSEM (08).
    VirtualCosem,
    /// Not assigned (00, 09 to 99).
    Reserved,
}

impl TokenCarrierType {
    /// 01: magnetic card.
    pub const MAGNETIC_CARD: Self = Self(1);
    /// 02: twenty decimal digits.
    pub const NUMERIC: Self = Self(2);
    /// 07: virtual token carrier, direct local connection.
    pub const VIRTUAL_LOCAL: Self = Self(7);
    /// 08: virtual token carrier over DLMS/COSEM.
    pub const VIRTUAL_COSEM: Self = Self(8);

    /// The code, 0 to 99.
    #[must_use]
    pub const fn value(self) -> u8 {
        self.0
    }

    /// What the code stands for.
    #[must_use]
    pub const fn kind(self) -> TokenCarrierKind {
        match self.0 {
            1 => TokenCarrierKind::MagneticCard,
            2 => TokenCarrierKind::Numeric,
            3..=6 => TokenCarrierKind::Legacy,
            7 => TokenCarrierKind::VirtualLocal,
            8 => TokenCarrierKind::VirtualCosem,
            _ => TokenCarrierKind::Reserved,
        }
    }

    /// Whether the meter can erase the carrier, so that no second meter accepts the same token.
    ///
    /// Only then may a meter have a key of type [`Common`](super::KeyType::Common).
    #[must_use]
    pub const fn is_erasable(self) -> bool {
        matches!(self.kind(), TokenCarrierKind::MagneticCard)
    }
}

decimal_element!(TokenCarrierType(u8), "token carrier type", 2 digits, 0..=99);

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;
    use crate::element::Problem;

    #[test]
    fn codes_stand_for_the_carriers_of_the_table() {
        use TokenCarrierKind as Kind;
        // (text, kind): both sides of each step of the table.
        const CASES: &[(&str, Kind)] = &[
            ("00", Kind::Reserved),
            ("01", Kind::MagneticCard),
            ("02", Kind::Numeric),
            ("03", Kind::Legacy),
            ("06", Kind::Legacy),
            ("07", Kind::VirtualLocal),
            ("08", Kind::VirtualCosem),
            ("09", Kind::Reserved),
            ("99", Kind::Reserved),
        ];
        for &(text, kind) in CASES {
            let carrier: TokenCarrierType = text.parse().unwrap();
            assert_eq!(carrier.kind(), kind, "code {text}");
            assert_eq!(carrier.to_string(), text);
        }
        assert_eq!(TokenCarrierType::MAGNETIC_CARD.kind(), Kind::MagneticCard);
        assert_eq!(TokenCarrierType::NUMERIC.kind(), Kind::Numeric);
        assert_eq!(TokenCarrierType::VIRTUAL_LOCAL.kind(), Kind::VirtualLocal);
        assert_eq!(TokenCarrierType::VIRTUAL_COSEM.kind(), Kind::VirtualCosem);
    }

    #[test]
    fn only_the_magnetic_card_is_erasable() {
        for code in 0..=99 {
            let carrier = TokenCarrierType::try_from(code).unwrap();
            assert_eq!(carrier.value(), code);
            assert_eq!(carrier.is_erasable(), code == 1, "code {code}");
        }
    }

    #[test]
    fn codes_above_two_digits_are_refused() {
        let error = TokenCarrierType::try_from(100).unwrap_err();
        assert_eq!(error.problem, Problem::Range { lowest: 0, highest: 99, found: 100 });
        let error = "2".parse::<TokenCarrierType>().unwrap_err();
        assert_eq!(error.problem, Problem::Length { expected: &[2], found: 1 });
    }
}
