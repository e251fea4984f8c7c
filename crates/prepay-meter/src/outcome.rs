//! What a meter answers to a token: accepted, waiting for more of a key change, or refused.
//!
//! - Source: IEC 62055-41:2018, TokenResult, AuthenticationResult and ValidationResult.
//! - Elsewhere: which refusal comes first when several apply (`check.rs`).

use core::fmt;

use prepay_token::ProprietarySubClass;
use prepay_token::element::{RegisterToClear, Service, TokenIdentifier};
use prepay_token::key_change::Rollover;

use crate::display::DisplayProgramme;
use crate::key_change::SectionSet;
use crate::result::TokenResult;

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

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.result().fmt(f)
    }
}
