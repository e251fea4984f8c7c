//! The four operations: from a request to typed values, and from these to the answer.
//!
//! ```text
//!  Request ── Lab::read_issue ──> Issue ── answer ──> Issued
//! ```
//!
//! Checks run in this order, and the first failure is the answer: shape of the line, operation, fields that the
//! operation does not have, meter and algorithm, key, token, identifier, use of the key.

use std::sync::Arc;

use prepay_records::element::{self, Field, When, base_date_unknown, needed, no_others};
use prepay_records::{
    Named as _, RecordCode, RecordError, Scalar, coded, instruction, needed_choice, rounding,
};
use prepay_token::element::{EncryptionAlgorithm, KeyType, MeterPan};
use prepay_token::key::{
    DecoderKeyGenerator, KeyTransitions, TokenCipher, TransitionPermission, UseError, check_use,
};
use prepay_token::key_change::{KeyChangeError, KeyChangeSet, NewKey, Rollover, SetSize};
use prepay_token::{ClearBlock, Stamp, Token, TokenData, open, open_in_clear, seal, seal_in_clear};
use subtle::ConstantTimeEq as _;

use crate::answer::{Answer, Derived, Issued, KeyChanged, Opened};
use crate::key::{Key, KnownKeys, ResolvedKey, show_test_key};
use crate::request::{KeyRecord, KeySource, Operation, Request};
use crate::section::opened_token;

/// A laboratory: answers requests, and caches prepared vending keys between them.
#[derive(Default)]
pub struct Lab {
    pub(crate) keys: KnownKeys,
}

/// A token to issue.
#[derive(Debug)]
pub struct Issue {
    /// The token.
    pub token: Token,
    /// Its key; `None` for class 1, which is not encrypted.
    pub key: Option<ResolvedKey>,
}

/// A token to read.
#[derive(Debug)]
pub struct Open {
    /// The token.
    pub number: TokenData,
    /// Its key; `None` for class 1, which is not encrypted.
    pub key: Option<ResolvedKey>,
}

/// A decoder key to derive.
#[derive(Debug)]
pub struct Derive {
    /// The key.
    pub key: ResolvedKey,
}

/// Key change tokens to issue.
#[derive(Debug)]
pub struct KeyChange {
    /// The meter's current key.
    pub from: ResolvedKey,
    /// Its new key.
    pub to: ResolvedKey,
    /// The size of the set.
    pub size: SetSize,
    /// How many of its tokens the answer lists.
    pub listed: usize,
}

impl Lab {
    /// Answers one request.
    ///
    /// # Errors
    ///
    /// [`RecordError`] with the code and message that the format defines. A failed request leaves nothing in the
    /// cache.
    pub fn answer(&mut self, request: &Request<'_>) -> Result<Answer, RecordError> {
        if let Some(defect) = &request.defect {
            return Err(defect.clone());
        }
        // Keys are read late, but a wrong shape is reported before anything else.
        self.answer_shaped(request).map_err(|error| request.key_defect().unwrap_or(error))
    }

    /// Answers a request whose shape is right, except perhaps that of its keys.
    fn answer_shaped(&mut self, request: &Request<'_>) -> Result<Answer, RecordError> {
        let op = needed_choice(RecordCode::ValueRange, "op", &request.op)?;
        let owner = format_args!("the operation {}", op.name());
        no_others(request.given(), [&["id", "op"], op.fields()], "", owner)?;
        match op {
            Operation::Issue => self.read_issue(request)?.answer().map(Answer::Issued),
            Operation::Open => {
                self.read_open(request)?.answer().map(|opened| Answer::Opened(Box::new(opened)))
            }
            Operation::Derive => Ok(Answer::Derived(self.read_derive(request)?.answer())),
            Operation::KeyChange => self.read_key_change(request)?.answer().map(Answer::KeyChanged),
        }
    }

    /// Reads which token to issue.
    ///
    /// # Errors
    ///
    /// [`RecordError`], the first that applies. The field `op` is ignored.
    pub fn read_issue(&mut self, request: &Request<'_>) -> Result<Issue, RecordError> {
        let meter = self.meter(request)?;
        let rounding = rounding(&request.round)?;
        let record = needed("token", request.token.as_ref())?;
        let random = element::rnd(&request.rnd)?;
        let instruction = instruction(record, rounding)?;
        if !instruction.class().is_enciphered() {
            // Class 1 carries no time, but a time that is given must be valid.
            let (at, tid) = (request.issued_at.as_ref(), request.tid.as_ref());
            at.map(|value| element::minute("issued_at", value)).transpose()?;
            tid.map(|value| element::tid("tid", value)).transpose()?;
            let token = instruction.stamped(Stamp::default());
            return Ok(Issue { token: without_random(token, request)?, key: None });
        }
        let key = meter.key()?;
        let when = When::read(("issued_at", &request.issued_at), ("tid", &request.tid))?;
        let identifier = needed("issued_at or tid", when)?
            .ordinary_identifier("issued_at", key.attributes.base_date)?;
        let token = instruction.stamped(Stamp { identifier, random });
        Ok(Issue { token: without_random(token, request)?, key: Some(key) })
    }

    /// Reads which token to open.
    ///
    /// # Errors
    ///
    /// [`RecordError`], the first that applies. The field `op` is ignored.
    pub fn read_open(&mut self, request: &Request<'_>) -> Result<Open, RecordError> {
        let meter = self.meter(request)?;
        let number = element::token_number(needed("number", request.number.as_ref())?)?;
        let key = number.class().is_enciphered().then(|| meter.key()).transpose()?;
        Ok(Open { number, key })
    }

    /// Reads which key to derive.
    ///
    /// # Errors
    ///
    /// [`RecordError`], the first that applies. The field `op` is ignored.
    pub fn read_derive(&mut self, request: &Request<'_>) -> Result<Derive, RecordError> {
        let meter = self.meter(request)?;
        if meter.key.as_ref().is_some_and(|key| key.is_decoder_key()) {
            let message = "key.decoder_key: a decoder key is not derived, give a vending_key";
            return Err(RecordError::new(RecordCode::UnknownField, message));
        }
        Ok(Derive { key: meter.key()? })
    }

    /// Reads which key to replace by which.
    ///
    /// # Errors
    ///
    /// [`RecordError`], the first that applies. The field `op` is ignored.
    pub fn read_key_change(&mut self, request: &Request<'_>) -> Result<KeyChange, RecordError> {
        let meter = self.meter(request)?;
        let ea = needed("ea", meter.ea)?;
        let size = needed("tokens", element::set_size("tokens", &request.tokens)?)?;
        let (size, listed) = listed_set(size, ea)?;
        let mut resolve = |name, source: &Option<KeySource<'_>>| {
            self.keys.read(name, needed(name, source.as_ref())?)?.resolve(meter.pan, ea)
        };
        let from = resolve("from", &request.from)?;
        let to = resolve("to", &request.to)?;
        Ok(KeyChange { from, to, size, listed })
    }

    /// The key that a record makes for a meter.
    pub(crate) fn read_key(
        &mut self,
        record: KeyRecord<'_>,
        pan: Option<MeterPan>,
        ea: EncryptionAlgorithm,
    ) -> Result<ResolvedKey, RecordError> {
        self.keys.read("key", &record.into())?.resolve(pan, ea)
    }

    /// The generator of a vending key.
    pub(crate) fn read_vending_key(
        &mut self,
        vending_key: &Scalar<'_>,
        dkga: &Field<'_>,
    ) -> Result<Arc<DecoderKeyGenerator>, RecordError> {
        self.keys.lone_generator(vending_key, dkga)
    }

    /// The fields that every operation shares.
    fn meter(&mut self, request: &Request<'_>) -> Result<Meter, RecordError> {
        Ok(Meter {
            pan: element::pan(&request.pan)?,
            ea: element::ea(&request.ea)?,
            key: match &request.key {
                Some(source) => Some(self.keys.read("key", source)?),
                None => None,
            },
        })
    }
}

/// The fields that every operation shares.
struct Meter {
    pan: Option<MeterPan>,
    ea: Option<EncryptionAlgorithm>,
    key: Option<Arc<Key>>,
}

impl Meter {
    /// The key of a request that needs one.
    fn key(&self) -> Result<ResolvedKey, RecordError> {
        let key = needed("key", self.key.as_ref())?;
        key.resolve(self.pan, needed("ea", self.ea)?)
    }
}

/// The token, unless the request gives a random number that it does not carry.
fn without_random(token: Token, request: &Request<'_>) -> Result<Token, RecordError> {
    if request.rnd.is_some() && token.random().is_none() {
        let message = format!("rnd: a token of type {} carries no random number", token.name());
        return Err(RecordError::new(RecordCode::UnknownField, message));
    }
    Ok(token)
}

impl Issue {
    /// Issues the token.
    ///
    /// # Errors
    ///
    /// [`RecordError`] if the key may not be used for it, or it needs a key and has none.
    pub fn answer(&self) -> Result<Issued, RecordError> {
        let Self { token, key } = self;
        let (number, base_date) = match key {
            None => (seal_in_clear(token).map_err(|_| RecordError::missing("key"))?, None),
            Some(ResolvedKey { key, attributes }) => {
                check_use(token, attributes.key_type, attributes.expiry).map_err(use_error)?;
                (seal(token, &TokenCipher::new(key)), attributes.base_date)
            }
        };
        let identifier = token.identifier();
        let (amount, bits) = coded(token);
        Ok(Issued {
            number,
            class: token.class().number(),
            sub_class: token.sub_class(),
            tid: identifier.map(|identifier| identifier.value()),
            issued_at: identifier.and_then(|identifier| Some(base_date?.minute_of(identifier))),
            amount,
            bits,
            limit: match token {
                Token::Management { function, .. } => function.limit(),
                _ => None,
            },
            crc: ClearBlock::of(token).checksum_found(),
        })
    }
}

impl Open {
    /// Reads the token.
    ///
    /// # Errors
    ///
    /// [`RecordError`] if it does not open.
    pub fn answer(&self) -> Result<Opened, RecordError> {
        let (token, base_date) = match &self.key {
            None => (open_in_clear(self.number)?, None),
            Some(ResolvedKey { key, attributes }) => {
                (open(self.number, &TokenCipher::new(key))?, attributes.base_date)
            }
        };
        let identifier = token.identifier();
        Ok(Opened {
            class: token.class().number(),
            sub_class: token.sub_class(),
            token: opened_token(&token),
            tid: identifier.map(|identifier| identifier.value()),
            issued_at: identifier.and_then(|identifier| Some(base_date?.minute_of(identifier))),
            rnd: token.random().map(|random| random.value()),
            crc: ClearBlock::of(&token).checksum_found(),
        })
    }
}

impl Open {
    /// Why a meter with this key would refuse the token all the same: a default key, or one that has expired.
    pub fn doubt(&self) -> Option<String> {
        let ResolvedKey { key, attributes } = self.key.as_ref()?;
        let token = open(self.number, &TokenCipher::new(key)).ok()?;
        let used = check_use(&token, attributes.key_type, attributes.expiry);
        used.err().map(|error| format!("a meter refuses it: {error}"))
    }
}

impl Derive {
    /// Shows the key.
    pub fn answer(&self) -> Derived {
        Derived { decoder_key: show_test_key(&self.key.key) }
    }
}

impl KeyChange {
    /// Whether the answer lists only a part of the set. A meter needs all of it.
    pub fn is_part(&self) -> bool {
        self.listed < usize::from(self.size.count())
    }

    /// Whether the new key is the current one, which only makes sense to change an attribute beside it.
    pub fn keeps_the_key(&self) -> bool {
        self.from.key.ct_eq(&self.to.key).into()
    }

    /// Issues the tokens.
    ///
    /// # Errors
    ///
    /// [`RecordError`] if the new key may not replace the current one, or an attribute is unknown.
    pub fn answer(self) -> Result<KeyChanged, RecordError> {
        let Self { from, to, size, listed } = self;
        let (current, from) = (from.key, from.attributes);
        let (key, to) = (to.key, to.attributes);
        let from_type = needed("from.kt", from.key_type)?;
        let to_type = needed("to.kt", to.key_type)?;
        let permission = KeyTransitions::default().permission(from_type, to_type);
        if permission == TransitionPermission::Never {
            let (from, to) = (from_type.decoder_key_name(), to_type.decoder_key_name());
            let message = format!("to.kt: a key of type {from} must not be followed by {to}");
            return Err(RecordError::new(RecordCode::KtForbidden, message));
        }
        let rollover = match (from.base_date, to.base_date) {
            (Some(from), Some(to)) => Rollover::between(from, to),
            (None, None) => Rollover::Keep,
            (None, Some(_)) => return Err(base_date_unknown("from.base_date")),
            (Some(_), None) => return Err(base_date_unknown("to.base_date")),
        };
        if to_type != KeyType::Initialization {
            needed("to.krn", to.key_revision)?;
        }
        if size != SetSize::Two {
            needed("to.sgc", to.supply_group)?;
        }
        let new = NewKey {
            key,
            key_type: to_type,
            key_revision: to.key_revision,
            expiry: to.expiry,
            tariff_index: needed("to.ti", to.tariff_index)?,
            supply_group: to.supply_group,
        };
        let set = KeyChangeSet::new(&new, size, rollover)
            .map_err(|error| RecordError::new(RecordCode::KctCount, format!("tokens: {error}")))?;
        let cipher = TokenCipher::new(&current);
        let numbers = set
            .sections()
            .take(listed)
            .map(|section| seal(&Token::KeyChange(section.clone()), &cipher))
            .collect();
        Ok(KeyChanged { numbers, rollover: rollover == Rollover::Forget })
    }
}

/// The size of a set, and how many of its tokens the answer lists.
///
/// A 128-bit key needs a set of four. Asked for two, the answer lists the first two of them, as the
/// published runs of STS 531-1-0-04 do; a meter needs all four.
fn listed_set(size: SetSize, ea: EncryptionAlgorithm) -> Result<(SetSize, usize), RecordError> {
    if size == SetSize::Two && SetSize::Four.suits(ea) {
        return Ok((SetSize::Four, 2));
    }
    if !size.suits(ea) {
        let error = KeyChangeError::SetSize { size, algorithm: ea };
        return Err(RecordError::new(RecordCode::KctCount, format!("tokens: {error}")));
    }
    Ok((size, usize::from(size.count())))
}

fn use_error(error: UseError) -> RecordError {
    let code = match error {
        UseError::CreditUnderDefaultKey => RecordCode::KtForbidden,
        UseError::KeyExpired { .. } => RecordCode::KeyExpired,
    };
    RecordError::new(code, format!("key: {error}"))
}
