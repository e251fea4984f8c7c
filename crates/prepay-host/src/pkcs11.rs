//! A key in a hardware token that wraps a vault's master key: where to find it, and its errors.
//!
//! With the feature `pkcs11`, `token.rs` uses the token through the PKCS#11 interface. Without it, `absent.rs`
//! refuses every token, so that no other code depends on the feature.

mod error;
#[cfg_attr(not(feature = "pkcs11"), path = "pkcs11/absent.rs")]
mod token;

use std::path::PathBuf;

pub use error::Pkcs11Error;
pub use token::Pkcs11Token;

/// Where the wrapping key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pkcs11Place {
    /// The maker's PKCS#11 library (Cryptoki), such as `/usr/lib/softhsm/libsofthsm2.so`.
    pub cryptoki: PathBuf,
    /// The label of the token.
    pub token: String,
    /// The label of the key in the token.
    pub key: String,
}

impl Pkcs11Place {
    /// The wrapper's label: token and key as a PKCS#11 URI (RFC 7512).
    #[cfg_attr(not(feature = "pkcs11"), allow(dead_code))]
    fn label(&self) -> String {
        format!("pkcs11:token={};object={}", escape(&self.token), escape(&self.key))
    }

    /// The token and key in such a label.
    pub fn read_label(label: &str) -> Option<(String, String)> {
        let parts = label.strip_prefix("pkcs11:")?;
        let part = |name: &str| {
            let found =
                parts.split(';').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
            found.and_then(unescape)
        };
        Some((part("token")?, part("object")?))
    }
}

/// Writes characters that RFC 7512 does not allow as `%XX`.
fn escape(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// Decodes `%XX`.
fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(rest.next())?, digit(rest.next())?);
                u8::try_from(high * 16 + low).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_of_a_key_names_token_and_key() {
        let (token, key) = ("safe one".to_owned(), "prepay-SM-1".to_owned());
        let place = Pkcs11Place { cryptoki: PathBuf::new(), token, key };
        assert_eq!(place.label(), "pkcs11:token=safe%20one;object=prepay-SM-1");
        assert_eq!(Pkcs11Place::read_label(&place.label()), Some((place.token, place.key)));
        for label in
            ["", "pkcs11:", "pkcs11:token=a", "pkcs11:token=%4;object=b", "x:token=a;object=b"]
        {
            assert_eq!(Pkcs11Place::read_label(label), None, "{label}");
        }
    }
}
