//! A key in a hardware token that wraps a vault's master key, through the PKCS#11 interface.
//!
//! The key is AES-256, made in the token, sensitive and not extractable; a key of that name that is weaker
//! is refused. Only the 32 bytes of a master key ever go through it. With the token and its PIN the vault
//! opens; without the token a stolen disk is worth nothing.
//!
//! ```text
//!  byte   0     version, 1
//!          1     nonce, 12 bytes: random from the token, or what the token put in its place
//!         13     ciphertext, 32 bytes, and tag, 16 bytes: AES-256-GCM, purpose and key name as associated data
//! ```
//!
//! Why encryption under `CKM_AES_GCM` and not `C_WrapKey` with `CKM_AES_KEY_WRAP`: wrapping takes a key
//! *object*, so the master key would first have to be put into the token as an extractable key, which
//! strictly configured tokens refuse, and `C_UnwrapKey` would have to give an extractable one back. GCM
//! encrypts plain bytes. Tokens that insist on a nonce of their own write it back into the parameters, from
//! where it is taken. Tokens without AES-GCM, as many smart cards, are refused by name. Tested with SoftHSM
//! 2.6; other tokens were not at hand.
//!
//! A wrong PIN counts in the token, which locks itself after a few: nothing is tried twice here.

mod error;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Function, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::RawAuthPin;
use prepay_vault::{KeyWrapper, Secret, WrapError};
use zeroize::Zeroizing;

pub use error::Pkcs11Error;

const VERSION: u8 = 1;
const NONCE: usize = 12;
const TAG: usize = 16;
const WRAPPED: usize = 1 + NONCE + 32 + TAG;
const PURPOSE: &[u8] = b"Prepay vault master key 1\0";

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

impl Pkcs11Place {
    /// The label of a wrapper in this token: token and key as a PKCS#11 address (RFC 7512).
    fn label(&self) -> String {
        format!("pkcs11:token={};object={}", escape(&self.token), escape(&self.key))
    }

    /// Token and key that such a label names.
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

/// A token that is logged in, with the wrapping key. Logs out when dropped.
pub struct Pkcs11Token {
    session: Mutex<Session>, // The interface allows one caller at a time in a session.
    key: ObjectHandle,
    label: String,
    aad: Vec<u8>,
}

impl Pkcs11Token {
    /// Makes a wrapping key in the token and opens it.
    ///
    /// # Errors
    ///
    /// [`Pkcs11Error`]; [`Pkcs11Error::KeyThere`] when the token has a key of this name.
    pub fn generate(place: &Pkcs11Place, pin: &Secret) -> Result<Self, Pkcs11Error> {
        let (pkcs11, slot) = find(place)?;
        let session = log_in(pkcs11.open_rw_session(slot)?, pin)?;
        if !matching(&session, place)?.is_empty() {
            return Err(Pkcs11Error::KeyThere { label: place.key.clone() });
        }
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::AES),
            Attribute::ValueLen(32.into()),
            Attribute::Label(place.key.clone().into_bytes()),
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Modifiable(false),
            Attribute::Encrypt(true),
            Attribute::Decrypt(true),
            Attribute::Wrap(false),
            Attribute::Unwrap(false),
            Attribute::Sign(false),
            Attribute::Verify(false),
            Attribute::Derive(false),
        ];
        session.generate_key(&Mechanism::AesKeyGen, &template)?;
        Self::with(session, place)
    }

    /// Opens the wrapping key that is in the token.
    ///
    /// # Errors
    ///
    /// [`Pkcs11Error`].
    pub fn open(place: &Pkcs11Place, pin: &Secret) -> Result<Self, Pkcs11Error> {
        let (pkcs11, slot) = find(place)?;
        let session = log_in(pkcs11.open_ro_session(slot)?, pin)?;
        Self::with(session, place)
    }

    fn with(session: Session, place: &Pkcs11Place) -> Result<Self, Pkcs11Error> {
        let found = matching(&session, place)?;
        let &[key] = found.as_slice() else {
            return Err(Pkcs11Error::Keys { label: place.key.clone(), found: found.len() });
        };
        check_key(&session, key, place)?;
        let label = place.label();
        let aad = [PURPOSE, place.key.as_bytes()].concat();
        Ok(Self { session: Mutex::new(session), key, label, aad })
    }

    /// Token and key, in the form of a PKCS#11 address (RFC 7512).
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Wraps a master key.
    ///
    /// # Errors
    ///
    /// [`Pkcs11Error`].
    pub fn wrap(&self, master: &[u8; 32]) -> Result<Vec<u8>, Pkcs11Error> {
        let session = self.session();
        let mut nonce = [0; NONCE];
        session.generate_random_slice(&mut nonce)?;
        let parameters = GcmParams::new(&mut nonce, &self.aad, ((TAG * 8) as u64).into())?;
        let sealed = session.encrypt(&Mechanism::AesGcm(parameters), self.key, master)?;
        drop(session);
        let wrapped = [&[VERSION], nonce.as_slice(), &sealed].concat();
        // A wrapping that cannot be undone would lose the vault: find out now.
        match self.unwrap(&wrapped) {
            Ok(again) if *again == *master => Ok(wrapped),
            Ok(_) | Err(Pkcs11Error::Wrapped) => {
                let problem = "what it wraps it does not unwrap".to_owned();
                Err(Pkcs11Error::Token { problem })
            }
            Err(error) => Err(error),
        }
    }

    /// Unwraps a master key.
    ///
    /// # Errors
    ///
    /// [`Pkcs11Error::Wrapped`] when it was not wrapped by this key.
    pub fn unwrap(&self, wrapped: &[u8]) -> Result<Zeroizing<[u8; 32]>, Pkcs11Error> {
        if wrapped.len() != WRAPPED || wrapped[0] != VERSION {
            return Err(Pkcs11Error::Wrapped);
        }
        let (nonce, sealed) = wrapped[1..].split_at(NONCE);
        let mut nonce: [u8; NONCE] = nonce.try_into().map_err(|_| Pkcs11Error::Wrapped)?;
        let parameters = GcmParams::new(&mut nonce, &self.aad, ((TAG * 8) as u64).into())?;
        let session = self.session();
        let opened = match session.decrypt(&Mechanism::AesGcm(parameters), self.key, sealed) {
            Ok(opened) => Zeroizing::new(opened),
            Err(error) if is_bad_ciphertext(&error) => return Err(Pkcs11Error::Wrapped),
            Err(error) => return Err(error.into()),
        };
        let mut master = Zeroizing::new([0; 32]);
        if opened.len() != master.len() {
            return Err(Pkcs11Error::Wrapped);
        }
        master.copy_from_slice(&opened);
        Ok(master)
    }

    fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Loads the library and finds the token.
fn find(place: &Pkcs11Place) -> Result<(Pkcs11, Slot), Pkcs11Error> {
    let library = |error: Error| Pkcs11Error::Library {
        library: place.cryptoki.clone(),
        problem: error.to_string(),
    };
    let pkcs11 = Pkcs11::new(&place.cryptoki).map_err(library)?;
    match pkcs11.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        // The library is loaded once in a process, however often it is asked for.
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(error) => return Err(library(error)),
    }
    let mut slots = Vec::new();
    for slot in pkcs11.get_slots_with_initialized_token()? {
        if pkcs11.get_token_info(slot)?.label() == place.token {
            slots.push(slot);
        }
    }
    let &[slot] = slots.as_slice() else {
        return Err(Pkcs11Error::Tokens { label: place.token.clone(), found: slots.len() });
    };
    if !pkcs11.get_mechanism_list(slot)?.contains(&MechanismType::AES_GCM) {
        return Err(Pkcs11Error::Mechanism);
    }
    Ok((pkcs11, slot))
}

fn log_in(session: Session, pin: &Secret) -> Result<Session, Pkcs11Error> {
    let pin = RawAuthPin::new(Box::new(pin.expose_bytes().to_vec()));
    match session.login_with_raw(UserType::User, &pin) {
        Ok(()) => Ok(session),
        Err(Error::Pkcs11(problem, Function::Login)) => Err(match problem {
            RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange => Pkcs11Error::Pin,
            RvError::PinLocked => Pkcs11Error::PinLocked,
            RvError::UserAlreadyLoggedIn => Pkcs11Error::LoggedIn,
            other => Pkcs11Error::Token { problem: other.to_string() },
        }),
        Err(error) => Err(error.into()),
    }
}

/// The secret keys of that label.
fn matching(session: &Session, place: &Pkcs11Place) -> Result<Vec<ObjectHandle>, Pkcs11Error> {
    let label = Attribute::Label(place.key.clone().into_bytes());
    let template = [Attribute::Class(ObjectClass::SECRET_KEY), Attribute::Token(true), label];
    Ok(session.find_objects(&template)?)
}

/// A key that can leave the token protects nothing.
fn check_key(session: &Session, key: ObjectHandle, place: &Pkcs11Place) -> Result<(), Pkcs11Error> {
    use AttributeType::{Extractable, KeyType as Kind, NeverExtractable, Sensitive, ValueLen};
    let asked = [Kind, ValueLen, Sensitive, Extractable, NeverExtractable];
    let found = session.get_attributes(key, &asked)?;
    let demands = [
        (Attribute::KeyType(KeyType::AES), "AES"),
        (Attribute::ValueLen(32.into()), "256 bits"),
        (Attribute::Sensitive(true), "sensitive"),
        (Attribute::Extractable(false), "not extractable"),
        (Attribute::NeverExtractable(true), "never extractable"),
    ];
    match demands.into_iter().find(|(demand, _)| !found.contains(demand)) {
        Some((_, lacks)) => Err(Pkcs11Error::Weak { label: place.key.clone(), lacks }),
        None => Ok(()),
    }
}

/// Tokens differ in what they say of a wrong tag; SoftHSM 2.6 says a general error.
fn is_bad_ciphertext(error: &Error) -> bool {
    use RvError::{EncryptedDataInvalid, EncryptedDataLenRange, FunctionFailed, GeneralError};
    matches!(
        error,
        Error::Pkcs11(
            EncryptedDataInvalid | EncryptedDataLenRange | FunctionFailed | GeneralError,
            Function::Decrypt
        )
    )
}

/// Writes what RFC 7512 does not take as it is as `%XX`.
fn escape(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// Undoes `%XX`.
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

impl KeyWrapper for Pkcs11Token {
    fn label(&self) -> &str {
        Self::label(self)
    }

    fn wrap(&self, key: &[u8; 32]) -> Result<Vec<u8>, WrapError> {
        Ok(Self::wrap(self, key)?)
    }

    fn unwrap(&self, wrapped: &[u8]) -> Result<Zeroizing<[u8; 32]>, WrapError> {
        Ok(Self::unwrap(self, wrapped)?)
    }
}

impl fmt::Debug for Pkcs11Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pkcs11Token").field("label", &self.label).finish_non_exhaustive()
    }
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
