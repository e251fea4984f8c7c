//! Keys as records: from the fields of `key`, `from` and `to` to a decoder key with its attributes.
//!
//! A vending key is prepared once and kept for the requests that follow, since bulk work repeats it on
//! every line. These are raw **test** keys: production keys live in a security module.

use prepay_token::element::{
    BaseDate, DecoderKeyGenerationAlgorithm, EncryptionAlgorithm, KeyExpiryNumber,
    KeyRevisionNumber, KeyType, MeterPan, SupplyGroupCode, TariffIndex,
};
use prepay_token::key::{
    DecoderKey, DecoderKeyGenerator, DerivationError, KeyParameters, VendingKey,
};
use zeroize::Zeroizing;

use crate::code::{ErrorCode, LabError};
use crate::field;
use crate::hex::{self, HexError, Octets};
use crate::record::{KeyRecord, Scalar};

/// How many vending keys stay prepared.
const PREPARED_KEYS: usize = 32;

/// A decoder key with what its record says about it.
#[derive(Debug)]
pub struct ResolvedKey {
    /// The key.
    pub key: DecoderKey,
    /// The supply group.
    pub supply_group: Option<SupplyGroupCode>,
    /// The key revision.
    pub key_revision: Option<KeyRevisionNumber>,
    /// The key type.
    pub key_type: Option<KeyType>,
    /// The tariff index.
    pub tariff_index: Option<TariffIndex>,
    /// The key expiry; never, unless the record says otherwise.
    pub expiry: KeyExpiryNumber,
    /// The base date; 1993 for vending keys that do not say, unknown for decoder keys.
    pub base_date: Option<BaseDate>,
}

/// Prepared vending keys, the one used last in front.
#[derive(Default)]
pub(crate) struct PreparedKeys(Vec<PreparedKey>);

/// A vending key as it was written, and what was prepared from it.
struct PreparedKey {
    text: Zeroizing<String>,
    dkga: DecoderKeyGenerationAlgorithm,
    generator: DecoderKeyGenerator,
}

impl PreparedKeys {
    /// Reads a key record. `name` is the field that holds it.
    pub(crate) fn resolve(
        &mut self,
        name: &'static str,
        record: &KeyRecord<'_>,
        pan: Option<MeterPan>,
        ea: EncryptionAlgorithm,
    ) -> Result<ResolvedKey, LabError> {
        let names = Names::of(name);
        let key_type = field::kt(names.kt, &record.kt)?;
        let supply_group = field::sgc(names.sgc, &record.sgc)?;
        let tariff_index = field::ti(names.ti, &record.ti)?;
        let key_revision = field::krn(names.krn, &record.krn, key_type)?;
        let expiry = field::ken(names.ken, &record.ken)?;
        let base_date = field::base_date(names.base_date, &record.base_date)?;
        let dkga = field::dkga(names.dkga, &record.dkga)?;
        let (key, base_date) = match (&record.decoder_key, &record.vending_key) {
            (Some(text), None) => (decoder_key(names.decoder_key, text, ea)?, base_date),
            (None, Some(text)) => {
                let dkga = field::needed(names.dkga, dkga)?;
                let base_date = base_date.unwrap_or(BaseDate::Y1993);
                let key_type = vending_key_type(names.kt, field::needed(names.kt, key_type)?)?;
                let parameters = KeyParameters {
                    supply_group: field::needed(names.sgc, supply_group)?,
                    tariff_index: field::needed(names.ti, tariff_index)?,
                    key_revision: field::needed(names.krn, key_revision)?,
                    pan: field::needed("pan", pan)?,
                    key_type,
                    base_date,
                    encryption: ea,
                };
                let generator = self.generator(names.vending_key, text, dkga)?;
                let key = generator.derive(&parameters).map_err(derivation_error)?;
                (key, Some(base_date))
            }
            (Some(_), Some(_)) => {
                let message = format!("{name}: give either decoder_key or vending_key, not both");
                return Err(LabError::new(ErrorCode::KeyFormat, message));
            }
            (None, None) => {
                return Err(LabError::missing(&format!(
                    "{name}.decoder_key or {name}.vending_key"
                )));
            }
        };
        Ok(ResolvedKey {
            key,
            supply_group,
            key_revision,
            key_type,
            tariff_index,
            expiry,
            base_date,
        })
    }

    /// The generator of a vending key, prepared now or before.
    fn generator(
        &mut self,
        field: &str,
        value: &Scalar<'_>,
        dkga: DecoderKeyGenerationAlgorithm,
    ) -> Result<&DecoderKeyGenerator, LabError> {
        let text = key_text(field, value)?;
        let known = self.0.iter().position(|key| key.dkga == dkga && key.text.as_str() == text);
        match known {
            Some(place) => self.0[..=place].rotate_right(1),
            None => {
                let octets = octets(field, text)?;
                let key = VendingKey::new(dkga, octets.as_slice()).map_err(|error| {
                    let message = format!("{field}: {error} for DKGA{dkga}");
                    LabError::new(ErrorCode::KeyLength, message)
                })?;
                self.0.truncate(PREPARED_KEYS - 1);
                let generator = DecoderKeyGenerator::new(&key);
                let text = Zeroizing::new(text.to_owned());
                self.0.insert(0, PreparedKey { text, dkga, generator });
            }
        }
        Ok(&self.0[0].generator)
    }
}

/// The names of the fields of a key record, in full, for messages.
struct Names {
    decoder_key: &'static str,
    vending_key: &'static str,
    dkga: &'static str,
    sgc: &'static str,
    krn: &'static str,
    kt: &'static str,
    ti: &'static str,
    ken: &'static str,
    base_date: &'static str,
}

impl Names {
    /// The names under the field that holds the record.
    fn of(name: &'static str) -> &'static Self {
        macro_rules! under {
            ($name:literal) => {
                &Self {
                    decoder_key: concat!($name, ".decoder_key"),
                    vending_key: concat!($name, ".vending_key"),
                    dkga: concat!($name, ".dkga"),
                    sgc: concat!($name, ".sgc"),
                    krn: concat!($name, ".krn"),
                    kt: concat!($name, ".kt"),
                    ti: concat!($name, ".ti"),
                    ken: concat!($name, ".ken"),
                    base_date: concat!($name, ".base_date"),
                }
            };
        }
        match name {
            "from" => under!("from"),
            "to" => under!("to"),
            _ => under!("key"),
        }
    }
}

/// The text of a key. A message about it never repeats it.
fn key_text<'r>(field: &str, value: &'r Scalar<'_>) -> Result<&'r str, LabError> {
    match value {
        Scalar::Text(text) => Ok(text),
        _ => {
            let message = format!("{field}: expected hexadecimal digits in a string");
            Err(LabError::new(ErrorCode::KeyFormat, message))
        }
    }
}

fn octets(field: &str, text: &str) -> Result<Octets, LabError> {
    hex::decode(text).map_err(|error| match error {
        HexError::NotHex { index } => {
            let message = format!(
                "{field}: expected hexadecimal digits, found another character at position {index}"
            );
            LabError::new(ErrorCode::KeyFormat, message)
        }
        HexError::Length { digits } => {
            let message =
                format!("{field}: expected 16, 32 or 40 hexadecimal digits, found {digits}");
            LabError::new(ErrorCode::KeyLength, message)
        }
    })
}

fn decoder_key(
    field: &str,
    value: &Scalar<'_>,
    ea: EncryptionAlgorithm,
) -> Result<DecoderKey, LabError> {
    let octets = octets(field, key_text(field, value)?)?;
    DecoderKey::new(ea, octets.as_slice()).map_err(|error| {
        LabError::new(ErrorCode::KeyLength, format!("{field}: {error} for EA{ea}"))
    })
}

/// Vending keys exist for key types 1 to 3; an initialization key is the maker's own.
fn vending_key_type(field: &str, key_type: KeyType) -> Result<KeyType, LabError> {
    if key_type == KeyType::Initialization {
        let message = format!("{field}: expected 1 to 3 with a vending key, found 0");
        return Err(LabError::new(ErrorCode::KtRange, message));
    }
    Ok(key_type)
}

fn derivation_error(error: DerivationError) -> LabError {
    let code = match error {
        DerivationError::InitializationKey => ErrorCode::KtRange,
        DerivationError::AlgorithmCombination { .. } | DerivationError::CommonKeyRuleUnknown => {
            ErrorCode::AlgorithmCombination
        }
    };
    LabError::new(code, format!("key: {error}"))
}
