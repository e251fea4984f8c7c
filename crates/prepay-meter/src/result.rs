//! The answer to a token as a number and a name.
//!
//! The names are those of the standard. The codes 1 to 16 are those of the token status register that makers
//! publish; 17 and 18 are this project's own, for the third and fourth section of a key change.
//!
//! - Source: IEC 62055-41:2018, TokenResult.

use core::fmt;

/// The answer as a number and a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[allow(missing_docs, reason = "each is explained at `Outcome` and `Refusal`")]
pub enum TokenResult {
    Accept = 1,
    FirstKct = 2,
    SecondKct = 3,
    OverflowError = 4,
    KeyTypeError = 5,
    FormatError = 6,
    RangeError = 7,
    FunctionError = 8,
    OldError = 9,
    UsedError = 10,
    KeyExpiredError = 11,
    DdtkError = 12,
    CrcError = 13,
    MfrCodeError = 14,
    Lockout = 15,
    NotReady = 16,
    ThirdKct = 17,
    FourthKct = 18,
}

impl TokenResult {
    /// Every result, in the order of the codes.
    pub const ALL: [Self; 18] = [
        Self::Accept,
        Self::FirstKct,
        Self::SecondKct,
        Self::OverflowError,
        Self::KeyTypeError,
        Self::FormatError,
        Self::RangeError,
        Self::FunctionError,
        Self::OldError,
        Self::UsedError,
        Self::KeyExpiredError,
        Self::DdtkError,
        Self::CrcError,
        Self::MfrCodeError,
        Self::Lockout,
        Self::NotReady,
        Self::ThirdKct,
        Self::FourthKct,
    ];

    /// The code, 1 to 18.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The name in lower case, as programs exchange it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::FirstKct => "first_kct",
            Self::SecondKct => "second_kct",
            Self::OverflowError => "overflow_error",
            Self::KeyTypeError => "key_type_error",
            Self::FormatError => "format_error",
            Self::RangeError => "range_error",
            Self::FunctionError => "function_error",
            Self::OldError => "old_error",
            Self::UsedError => "used_error",
            Self::KeyExpiredError => "key_expired_error",
            Self::DdtkError => "ddtk_error",
            Self::CrcError => "crc_error",
            Self::MfrCodeError => "mfr_code_error",
            Self::Lockout => "lockout",
            Self::NotReady => "not_ready",
            Self::ThirdKct => "third_kct",
            Self::FourthKct => "fourth_kct",
        }
    }
}

impl fmt::Display for TokenResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::TokenResult;

    #[test]
    fn codes_count_from_one() {
        for (code, result) in (1..).zip(TokenResult::ALL) {
            assert_eq!(result.code(), code, "{result}");
        }
    }
}
