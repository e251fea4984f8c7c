//! A key in a hardware token that wraps a vault's master key, through the PKCS#11 interface.
//!
//! The key is AES-256, generated in the token, sensitive and not extractable; a weaker key is refused. It only
//! ever encrypts the 32 bytes of a master key. The vault opens with the token and its PIN; without the token a
//! stolen disk is worthless.
//!
//! ```text
//!  byte   0     version, 1
//!          1     nonce, 12 bytes: random from the token, or the one that the token chose instead
//!         13     ciphertext, 32 bytes, and tag, 16 bytes: AES-256-GCM, purpose and key name as associated data
//! ```
//!
//! Why `CKM_AES_GCM` and not `C_WrapKey` with `CKM_AES_KEY_WRAP`: wrapping takes a key *object*, so the master
//! key would first have to enter the token as an extractable key, and leave it as one, which strictly configured
//! tokens refuse. GCM encrypts plain bytes. A token that insists on its own nonce writes it back into the
//! parameters, where we read it. Tokens without AES-GCM, such as many smart cards, are refused
//! ([`Pkcs11Error::Mechanism`]). Tested with SoftHSM 2.6 only.
//!
//! A token counts wrong PINs and locks itself after a few, so nothing here tries a PIN twice.

use std::fmt;
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

use super::{Pkcs11Error, Pkcs11Place};

const VERSION: u8 = 1;
const NONCE: usize = 12;
const TAG: usize = 16;
const WRAPPED: usize = 1 + NONCE + 32 + TAG;
const PURPOSE: &[u8] = b"Prepay vault master key 1\0";

/// A token that is logged in, with the wrapping key. Logs out when dropped.
pub struct Pkcs11Token {
    session: Mutex<Session>, // PKCS#11 allows only one caller at a time in a session.
    key: ObjectHandle,
    label: String,
    aad: Vec<u8>,
}

impl Pkcs11Token {
    /// Checks that this build can use tokens.
    ///
    /// # Errors
    ///
    /// [`Pkcs11Error::Absent`] in a build without the feature `pkcs11`.
    pub fn supported() -> Result<(), Pkcs11Error> {
        Ok(())
    }

    /// Generates a wrapping key in the token and opens it.
    ///
    /// # Errors
    ///
    /// [`Pkcs11Error`]; [`Pkcs11Error::KeyThere`] if the token already has a key with this label.
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

    /// Opens the wrapping key in the token.
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

    /// Token and key, as a PKCS#11 URI (RFC 7512).
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
        // If unwrapping did not work, the vault would be lost. Find out now.
        match self.unwrap(&wrapped) {
            Ok(again) if *again == *master => Ok(wrapped),
            Ok(_) | Err(Pkcs11Error::Wrapped) => {
                let problem = "unwrapping does not give back the key that it wrapped".to_owned();
                Err(Pkcs11Error::Token { problem })
            }
            Err(error) => Err(error),
        }
    }

    /// Unwraps a master key.
    ///
    /// # Errors
    ///
    /// [`Pkcs11Error::Wrapped`] if this key did not wrap it.
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
        // A process loads each library only once.
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

/// The secret keys with the label.
fn matching(session: &Session, place: &Pkcs11Place) -> Result<Vec<ObjectHandle>, Pkcs11Error> {
    let label = Attribute::Label(place.key.clone().into_bytes());
    let template = [Attribute::Class(ObjectClass::SECRET_KEY), Attribute::Token(true), label];
    Ok(session.find_objects(&template)?)
}

/// Refuses a weak key: one that can leave the token protects nothing.
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

/// Tokens report a wrong tag differently; SoftHSM 2.6 reports a general error.
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

impl From<Error> for Pkcs11Error {
    fn from(error: Error) -> Self {
        Self::Token { problem: error.to_string() }
    }
}
