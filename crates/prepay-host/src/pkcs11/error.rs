//! Errors of a hardware token. None contains a PIN or a key.

use std::fmt;
use std::path::PathBuf;

use prepay_vault::WrapError;

/// Why a hardware token cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pkcs11Error {
    /// This build does not support PKCS#11.
    Absent,
    /// The library cannot be used.
    Library {
        /// Its path.
        library: PathBuf,
        /// What was reported.
        problem: String,
    },
    /// Not exactly one token has this label.
    Tokens {
        /// The label.
        label: String,
        /// How many have it.
        found: usize,
    },
    /// The PIN is wrong. The token counts wrong PINs.
    Pin,
    /// The token has locked the PIN. Its security officer must set a new one.
    PinLocked,
    /// This process is already logged in to the token.
    LoggedIn,
    /// Not exactly one secret key of the token has this label.
    Keys {
        /// The label.
        label: String,
        /// How many have it.
        found: usize,
    },
    /// The token already has a key with this label.
    KeyThere {
        /// The label.
        label: String,
    },
    /// The key is not AES-256, sensitive and never extractable.
    Weak {
        /// The label.
        label: String,
        /// What it lacks.
        lacks: &'static str,
    },
    /// The token lacks AES-GCM.
    Mechanism,
    /// The wrapped key was wrapped by another key, or is damaged.
    Wrapped,
    /// The token reports a problem.
    Token {
        /// The problem.
        problem: String,
    },
}

impl From<Pkcs11Error> for WrapError {
    fn from(error: Pkcs11Error) -> Self {
        Self { problem: error.to_string() }
    }
}

prepay_basics::codes! {
    Pkcs11Error {
        Absent = "pkcs11_absent",
        Library = "pkcs11_library",
        Tokens = "pkcs11_token_label",
        Pin = "pkcs11_pin",
        PinLocked = "pkcs11_pin_locked",
        LoggedIn = "pkcs11_logged_in",
        Keys = "pkcs11_key_label",
        KeyThere = "pkcs11_key_there",
        Weak = "pkcs11_weak_key",
        Mechanism = "pkcs11_mechanism",
        Wrapped = "pkcs11_wrapped",
        Token = "pkcs11_token",
    }
}

impl fmt::Display for Pkcs11Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str(
                "this build does not support PKCS#11, so it cannot use a hardware token",
            ),
            Self::Library { library, problem } => {
                write!(f, "{}: cannot be used as a PKCS#11 library: {problem}", library.display())
            }
            Self::Tokens { label, found } => {
                write!(f, "tokens with label {label:?}: expected 1, found {found}")
            }
            Self::Pin => f.write_str("wrong PIN; the token locks itself after a few of them"),
            Self::PinLocked => {
                f.write_str("the token has locked the PIN: its security officer must set a new one")
            }
            Self::LoggedIn => f.write_str("this process is already logged in to the token"),
            Self::Keys { label, found } => {
                write!(f, "secret keys with label {label:?}: expected 1, found {found}")
            }
            Self::KeyThere { label } => write!(f, "the token already has a key {label:?}"),
            Self::Weak { label, lacks } => {
                write!(f, "key {label:?} of the token is too weak: it is not {lacks}")
            }
            Self::Mechanism => f.write_str("the token does not support the mechanism CKM_AES_GCM"),
            Self::Wrapped => f.write_str("wrapped by another key, or damaged"),
            Self::Token { problem } => write!(f, "the token reports an error: {problem}"),
        }
    }
}

impl std::error::Error for Pkcs11Error {}
