//! Hardware tokens in a build without PKCS#11: all are refused.

use prepay_vault::{KeyWrapper, Secret, WrapError};
use zeroize::Zeroizing;

use super::{Pkcs11Error, Pkcs11Place};

/// A token that is logged in. This build can have none.
#[derive(Debug)]
pub enum Pkcs11Token {}

impl Pkcs11Token {
    /// Refuses, because this build has no PKCS#11.
    ///
    /// # Errors
    ///
    /// [`Pkcs11Error::Absent`].
    pub fn supported() -> Result<(), Pkcs11Error> {
        Err(Pkcs11Error::Absent)
    }

    /// Refuses to generate a key in a token.
    ///
    /// # Errors
    ///
    /// [`Pkcs11Error::Absent`].
    pub fn generate(_: &Pkcs11Place, _: &Secret) -> Result<Self, Pkcs11Error> {
        Err(Pkcs11Error::Absent)
    }

    /// Refuses to open a key in a token.
    ///
    /// # Errors
    ///
    /// [`Pkcs11Error::Absent`].
    pub fn open(_: &Pkcs11Place, _: &Secret) -> Result<Self, Pkcs11Error> {
        Err(Pkcs11Error::Absent)
    }
}

impl KeyWrapper for Pkcs11Token {
    fn label(&self) -> &str {
        match *self {}
    }

    fn wrap(&self, _: &[u8; 32]) -> Result<Vec<u8>, WrapError> {
        match *self {}
    }

    fn unwrap(&self, _: &[u8]) -> Result<Zeroizing<[u8; 32]>, WrapError> {
        match *self {}
    }
}
