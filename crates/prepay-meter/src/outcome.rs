//! What a meter answers to a token: accepted, waiting for more of a key change, or refused.
//!
//! Each answer has a code and a name. The names are those of the standard; the codes 1 to 16 are those of
//! the token status register that makers publish, and 17 and 18 are this project's own for the third and
//! fourth section of a key change.
//!
//! - Source: IEC 62055-41:2018, TokenResult, AuthenticationResult and ValidationResult.
//! - Elsewhere: which refusal comes first when several apply (`check.rs`).

use core::fmt;

use prepay_token::ProprietarySubClass;
use prepay_token::element::{RegisterToClear, Service, TokenIdentifier};
use prepay_token::key_change::Rollover;

use crate::display::DisplayProgramme;
use crate::key_change::SectionSet;

/// The answer to one token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// The token was executed; what it changed is stored.
    Accepted(Effect),
    /// One section of a new key is held, in memory only. It is forgotten when the set takes too long.
    Waiting {
        /// The number of the section, 1 to 4.
        section: u8,
        /// The sections that are still missing.
        waiting_for: SectionSet,
    },
    /// The token was not executed.
    Refused(Refusal),
}

/// What an accepted token did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// Units were added.
    Credited {
        /// The service.
        service: Service,
        /// The identifier of the token.
        identifier: TokenIdentifier,
        /// How many tenths of the service unit.
        tenths: u32,
    },
    /// Money was added, or taken if negative.
    CurrencyCredited {
        /// The service.
        service: Service,
        /// The identifier of the token.
        identifier: TokenIdentifier,
        /// How many 10⁻⁵ of the base currency unit.
        hundred_thousandths: i128,
    },
    /// A test or display is to be carried out.
    Display(DisplayProgramme),
    /// A new maximum power limit applies.
    PowerLimit {
        /// The limit.
        watts: u32,
    },
    /// A new limit of the difference between the phases applies.
    PhaseUnbalanceLimit {
        /// The limit.
        watts: u32,
    },
    /// Credit was cleared.
    CreditCleared(RegisterToClear),
    /// The tariff rate was stored.
    TariffRate(u16),
    /// The water meter factor was stored.
    WaterFactor(u16),
    /// The tamper condition has ended.
    TamperCleared,
    /// A flag was set or cleared.
    Flag {
        /// The index of the flag.
        index: u16,
        /// Its new value.
        on: bool,
    },
    /// A control was stored.
    Control {
        /// The index of the control.
        index: u8,
        /// Its new value, ten bits.
        value: u16,
    },
    /// A management token of the maker was executed.
    Proprietary {
        /// Which of the maker's sub-classes.
        sub_class: ProprietarySubClass,
        /// The value that it carried.
        value: u16,
    },
    /// A test token of the maker was accepted; the maker decides what it shows.
    ProprietaryTest {
        /// Which of the maker's sub-classes.
        sub_class: u8,
        /// The control field.
        control: u64,
    },
    /// The last section arrived: the meter has a new key.
    KeyChanged(Rollover),
}

/// Why a token was not executed. Only the first check that fails is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// The credit register would overflow. The token stays valid: it may be entered again when there is room.
    Overflow,
    /// A key of this type may not follow the current one, or may not be used with this carrier.
    KeyType,
    /// Not twenty digits, or a number of 2^66 or more.
    Format,
    /// A value outside its defined range.
    Range,
    /// The meter does not have this function.
    Function,
    /// The identifier is older than every one that the meter remembers.
    Old,
    /// The identifier has been used.
    Used,
    /// The identifier is after the expiry of the key.
    KeyExpired,
    /// Credit under a default key.
    DefaultKey,
    /// The checksum is wrong: another meter's token, another key, or a mistyped digit.
    Checksum,
    /// A test for the meters of another manufacturer.
    Manufacturer,
    /// Too many wrong tokens: the meter checks only tests and displays for a while.
    Lockout,
    /// The last token from a two-way carrier is still being processed.
    NotReady,
}

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

impl Outcome {
    /// The result to report.
    pub const fn result(&self) -> TokenResult {
        match self {
            Self::Accepted(_) => TokenResult::Accept,
            Self::Waiting { section: 1, .. } => TokenResult::FirstKct,
            Self::Waiting { section: 2, .. } => TokenResult::SecondKct,
            Self::Waiting { section: 3, .. } => TokenResult::ThirdKct,
            Self::Waiting { .. } => TokenResult::FourthKct,
            Self::Refused(refusal) => refusal.result(),
        }
    }
}

impl Refusal {
    /// The result to report.
    pub const fn result(self) -> TokenResult {
        match self {
            Self::Overflow => TokenResult::OverflowError,
            Self::KeyType => TokenResult::KeyTypeError,
            Self::Format => TokenResult::FormatError,
            Self::Range => TokenResult::RangeError,
            Self::Function => TokenResult::FunctionError,
            Self::Old => TokenResult::OldError,
            Self::Used => TokenResult::UsedError,
            Self::KeyExpired => TokenResult::KeyExpiredError,
            Self::DefaultKey => TokenResult::DdtkError,
            Self::Checksum => TokenResult::CrcError,
            Self::Manufacturer => TokenResult::MfrCodeError,
            Self::Lockout => TokenResult::Lockout,
            Self::NotReady => TokenResult::NotReady,
        }
    }
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

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.result().fmt(f)
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
