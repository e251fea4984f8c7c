//! A key in a hardware token that wraps a vault's master key: where it is, and why it does not help.
//!
//! With the feature `pkcs11` the token is reached through the PKCS#11 interface (`token.rs`). A build without it
//! refuses every token (`absent.rs`), so that nothing else needs to know.

mod error;
#[cfg_attr(not(feature = "pkcs11"), path = "pkcs11/absent.rs")]
mod token;

use std::path::PathBuf;

pub use error::Pkcs11Error;
pub use token::Pkcs11Token;

/// Where the wrapping key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pkcs11Place {
    /// The maker's library, which the interface calls Cryptoki, as `/usr/lib/softhsm/libsofthsm2.so`.
    pub cryptoki: PathBuf,
    /// The label of the token.
    pub token: String,
    /// The label of the key in the token.
    pub key: String,
}
