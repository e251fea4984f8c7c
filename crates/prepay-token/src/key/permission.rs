//! What each key type may do: which key may follow which, and which tokens a key may carry.
//!
//! ```text
//!  from \ to   DITK     DDTK     DUTK     DCTK
//!  DITK        yes      yes      yes      erasable
//!  DDTK        no       yes *    yes      erasable *
//!  DUTK        no       yes      yes      no
//!  DCTK        no       yes *    no  *    erasable
//! ```
//!
//! *Erasable* means: only on a carrier that the meter wipes after use, the magnetic card (TCT 01). The
//! cells with a star rest on a single public source, or on sources that contradict each other;
//! [`KeyTransitions`] holds the matrix as data, and its default is the table above.
//!
//! A default key (DDTK) carries management tokens but no credit. A key that has expired at the identifier of a
//! token carries neither; it may still be the *old* key of a key change.
//!
//! - Source: IEC 62055-41:2018, decoder key types, permitted key changes and *KEN*.

use core::fmt;

use crate::element::{KeyExpiryNumber, KeyType, TokenIdentifier};
use crate::token::Token;

/// Whether one key type may follow another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransitionPermission {
    /// On every carrier.
    Always,
    /// Only in meters whose token carrier is erased after use.
    ErasableCarrierOnly,
    /// Never.
    Never,
}

/// The matrix of permitted key changes, by old and new key type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyTransitions([[TransitionPermission; 4]; 4]);

impl Default for KeyTransitions {
    fn default() -> Self {
        use TransitionPermission::{Always, ErasableCarrierOnly, Never};
        Self([
            [Always, Always, Always, ErasableCarrierOnly],
            [Never, Always, Always, ErasableCarrierOnly],
            [Never, Always, Always, Never],
            [Never, Always, Never, ErasableCarrierOnly],
        ])
    }
}

impl KeyTransitions {
    /// A custom matrix: rows are old key types, columns new ones, both in the order of their codes.
    pub const fn new(matrix: [[TransitionPermission; 4]; 4]) -> Self {
        Self(matrix)
    }

    /// Whether a key of type `to` may replace one of type `from`.
    pub const fn permission(&self, from: KeyType, to: KeyType) -> TransitionPermission {
        self.0[from.value() as usize][to.value() as usize]
    }
}

/// Why a key must not carry a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UseError {
    /// A default key carries no credit.
    CreditUnderDefaultKey,
    /// The identifier of the token is after the key's expiry.
    KeyExpired {
        /// The key's expiry number.
        expiry: KeyExpiryNumber,
        /// The top eight bits of the identifier.
        block: u8,
    },
}

/// Whether a key with this expiry number may carry a token with this identifier.
///
/// The expiry number is compared with the top eight bits of the identifier, so it counts blocks of 65 536
/// minutes (45.5 days), and 255 lasts as long as the base date.
pub const fn key_covers(expiry: KeyExpiryNumber, identifier: TokenIdentifier) -> bool {
    identifier.expiry_block() <= expiry.value()
}

/// Checks that a key of this type and expiry may carry a token.
///
/// Tests, displays and key change sections carry no identifier and are not credit, so they always may.
///
/// # Errors
///
/// [`UseError`] for credit under a default key, and for an identifier beyond the key's expiry.
pub fn check_use(
    token: &Token,
    key_type: Option<KeyType>,
    expiry: KeyExpiryNumber,
) -> Result<(), UseError> {
    if token.is_credit() && key_type == Some(KeyType::Default) {
        return Err(UseError::CreditUnderDefaultKey);
    }
    match token.identifier() {
        Some(identifier) if !key_covers(expiry, identifier) => {
            Err(UseError::KeyExpired { expiry, block: identifier.expiry_block() })
        }
        _ => Ok(()),
    }
}

impl fmt::Display for UseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreditUnderDefaultKey => {
                f.write_str("a default key (key type 1, DDTK) must not carry credit")
            }
            Self::KeyExpired { expiry, block } => write!(
                f,
                "key expired: expected an identifier of block {expiry} or before, found block {block}"
            ),
        }
    }
}

impl core::error::Error for UseError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiry_is_the_top_eight_bits_of_the_identifier() {
        // (KEN, last identifier that it covers)
        for (ken, last) in [(255, 0xFF_FFFF), (170, 0xAA_FFFF), (85, 0x55_FFFF), (0, 0xFFFF)] {
            let expiry = KeyExpiryNumber::from(ken);
            let last = TokenIdentifier::try_from(last).unwrap();
            assert!(key_covers(expiry, last), "KEN {ken}");
            if let Ok(next) = TokenIdentifier::try_from(last.value() + 1) {
                assert!(!key_covers(expiry, next), "KEN {ken}");
            }
        }
    }

    #[test]
    fn a_key_carries_no_identifier_beyond_its_expiry_and_a_default_key_no_credit() {
        let credit = |identifier| Token::Credit {
            service: crate::element::Service::Electricity,
            random: crate::element::RandomNumber::from_counter(0),
            identifier: TokenIdentifier::from_low_bits(identifier),
            amount: crate::element::Amount::from_bits(1),
        };
        let expiry = KeyExpiryNumber::from(170);
        let expired = Err(UseError::KeyExpired { expiry, block: 171 });
        let no_credit = Err(UseError::CreditUnderDefaultKey);
        for (identifier, key_type, expected) in [
            (0xAA_FFFF, Some(KeyType::Unique), Ok(())),
            (0xAB_0000, Some(KeyType::Unique), expired),
            (0xAA_FFFF, None, Ok(())),
            (0xAA_FFFF, Some(KeyType::Default), no_credit),
        ] {
            let found = check_use(&credit(identifier), key_type, expiry);
            assert_eq!(found, expected, "{identifier:06X} under {key_type:?}");
        }
    }

    #[test]
    fn the_default_matrix_follows_the_key_types() {
        use KeyType::{Common, Default as Ddtk, Initialization, Unique};
        use TransitionPermission::{Always, ErasableCarrierOnly, Never};
        let matrix = KeyTransitions::default();
        for to in [Initialization, Ddtk, Unique] {
            assert_eq!(matrix.permission(Initialization, to), Always, "DITK to {to}");
        }
        for from in [Ddtk, Unique, Common] {
            assert_eq!(matrix.permission(from, Initialization), Never, "{from} to DITK");
            assert_eq!(matrix.permission(from, Ddtk), Always, "{from} to DDTK");
        }
        assert_eq!(matrix.permission(Unique, Unique), Always);
        assert_eq!(matrix.permission(Unique, Common), Never);
        assert_eq!(matrix.permission(Common, Unique), Never);
        for from in [Initialization, Ddtk, Common] {
            assert_eq!(matrix.permission(from, Common), ErasableCarrierOnly, "{from} to DCTK");
        }
    }
}
