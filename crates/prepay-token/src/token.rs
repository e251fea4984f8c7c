//! A whole token: what it asks for, with the random number and the identifier that it carries; or one section of a
//! new key.
//!
//! ```text
//!  Instruction ── stamped(Stamp) ──> Token ── instruction() ──> Instruction
//! ```
//!
//! Class 3, sub-classes 8 to 15 of class 0 and 3 to 5 of class 1 are reserved: no value stands for them,
//! and opening one is an error that names it.
//!
//! - Source: IEC 62055-41:2018, token definitions; STS 202-5 for extended tokens.
//! - Elsewhere: bits ([`layout`](crate::layout)), what a meter does with a token (the meter).

use crate::Class;
use crate::element::{
    Amount, CurrencyAmount, ExtendedIndex, RandomNumber, Service, TokenIdentifier,
};
use crate::instruction::{Instruction, ManagementFunction, MeterTest, TwoDigitManufacturer};
use crate::key_change::KeySection;

/// A token of the standard.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Token {
    /// Class 0, sub-classes 0 to 3: adds units to the credit of one service.
    Credit {
        /// The service.
        service: Service,
        /// The random number.
        random: RandomNumber,
        /// The minute of issue.
        identifier: TokenIdentifier,
        /// The units.
        amount: Amount,
    },
    /// Class 0, sub-classes 4 to 7: adds money to the credit of one service, or takes it away.
    CurrencyCredit {
        /// The service.
        service: Service,
        /// The minute of issue.
        identifier: TokenIdentifier,
        /// The money.
        amount: CurrencyAmount,
    },
    /// Class 1, all sub-classes but 2: asks a meter to test or show something.
    Test(MeterTest),
    /// Class 1, sub-class 2: asks a meter to show an extended value.
    ExtendedRead {
        /// Which value.
        index: ExtendedIndex,
        /// Whose meters, by a code of two digits; 00 for all.
        manufacturer: TwoDigitManufacturer,
    },
    /// Class 2 but for key changes: sets or clears something in one meter.
    Management {
        /// The random number.
        random: RandomNumber,
        /// The minute of issue.
        identifier: TokenIdentifier,
        /// What is to be done.
        function: ManagementFunction,
    },
    /// Class 2, sub-classes 3, 4, 8 and 9: one part of a new key.
    KeyChange(KeySection),
}

/// What a token carries beside its instruction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// The minute of issue.
    pub identifier: TokenIdentifier,
    /// The random number. Credit in currency has no room for it.
    pub random: RandomNumber,
}

impl Instruction {
    /// The token with this stamp. Class 1 carries none, and makes no use of it.
    pub const fn stamped(self, Stamp { identifier, random }: Stamp) -> Token {
        match self {
            Self::Credit { service, amount } => {
                Token::Credit { service, random, identifier, amount }
            }
            Self::CurrencyCredit { service, amount } => {
                Token::CurrencyCredit { service, identifier, amount }
            }
            Self::Test(test) => Token::Test(test),
            Self::ExtendedRead { index, manufacturer } => {
                Token::ExtendedRead { index, manufacturer }
            }
            Self::Management(function) => Token::Management { random, identifier, function },
        }
    }
}

impl Token {
    /// What the token asks for; nothing for a section of a new key.
    pub const fn instruction(&self) -> Option<Instruction> {
        match self.content() {
            Ok(instruction) => Some(instruction),
            Err(_) => None,
        }
    }

    /// What the token asks for, or the section of a key that it carries.
    const fn content(&self) -> Result<Instruction, &KeySection> {
        Ok(match *self {
            Self::Credit { service, amount, .. } => Instruction::Credit { service, amount },
            Self::CurrencyCredit { service, amount, .. } => {
                Instruction::CurrencyCredit { service, amount }
            }
            Self::Test(test) => Instruction::Test(test),
            Self::ExtendedRead { index, manufacturer } => {
                Instruction::ExtendedRead { index, manufacturer }
            }
            Self::Management { function, .. } => Instruction::Management(function),
            Self::KeyChange(ref section) => return Err(section),
        })
    }

    /// The class.
    pub const fn class(&self) -> Class {
        match self.content() {
            Ok(instruction) => instruction.class(),
            Err(_) => Class::Management,
        }
    }

    /// The sub-class.
    pub const fn sub_class(&self) -> u8 {
        match self.content() {
            Ok(instruction) => instruction.sub_class(),
            Err(section) => section.sub_class(),
        }
    }

    /// The name of the token in the standard.
    pub const fn name(&self) -> &'static str {
        match self.content() {
            Ok(instruction) => instruction.name(),
            Err(section) => section.name(),
        }
    }

    /// The minute of issue, for the tokens that carry one.
    pub const fn identifier(&self) -> Option<TokenIdentifier> {
        match self {
            Self::Credit { identifier, .. }
            | Self::CurrencyCredit { identifier, .. }
            | Self::Management { identifier, .. } => Some(*identifier),
            Self::Test(_) | Self::ExtendedRead { .. } | Self::KeyChange(_) => None,
        }
    }

    /// The random number, for the tokens that carry one.
    pub const fn random(&self) -> Option<RandomNumber> {
        match self {
            Self::Credit { random, .. } | Self::Management { random, .. } => Some(*random),
            Self::CurrencyCredit { .. }
            | Self::Test(_)
            | Self::ExtendedRead { .. }
            | Self::KeyChange(_) => None,
        }
    }

    /// Whether this is a TransferCredit token, in units or in money.
    pub const fn is_credit(&self) -> bool {
        matches!(self, Self::Credit { .. } | Self::CurrencyCredit { .. })
    }
}
