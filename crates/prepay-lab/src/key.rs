//! Keys as records: from the fields of `key`, `from` and `to` to a decoder key with its attributes.
//!
//! Bulk work repeats the same record, or at least the same vending key, on every line: a record is read
//! once and a vending key prepared once, and both are kept for the requests that follow. These are raw **test** keys: production keys live in a security module.

use std::rc::Rc;

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
use crate::hex::{self, Bytes, HexError};
use crate::record::{KeyRecord, KeySource, Scalar};

/// How many keys and how many prepared vending keys are remembered.
const REMEMBERED: usize = 32;

/// A decoder key with what its record says about it.
#[derive(Debug)]
pub struct ResolvedKey {
    /// The key.
    pub key: DecoderKey,
    /// The rest.
    pub attributes: KeyAttributes,
}

/// What a key record says beside the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyAttributes {
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

/// A key record that has been read.
pub(crate) struct Key {
    name: &'static str,
    attributes: KeyAttributes,
    material: Material,
}

/// What a decoder key comes from.
enum Material {
    /// From itself.
    Decoder(Bytes),
    /// From a vending key, with what it depends on beside the meter and its cipher.
    Vending {
        generator: Rc<DecoderKeyGenerator>,
        key_type: KeyType,
        supply_group: SupplyGroupCode,
        tariff_index: TariffIndex,
        key_revision: KeyRevisionNumber,
        base_date: BaseDate,
    },
}

/// A **test** key in hexadecimal, most significant byte first.
pub fn show_test_key(key: &DecoderKey) -> String {
    hex::encode(key.expose_bytes())
}

/// Keys seen before, the latest in front.
#[derive(Default)]
pub(crate) struct KnownKeys {
    /// By the field and the text of the whole record.
    records: Vec<(Zeroizing<String>, Rc<Key>)>,
    /// By the text of the vending key and its algorithm.
    generators: Vec<PreparedKey>,
}

/// A vending key as it was written, and what was prepared from it.
struct PreparedKey {
    text: Zeroizing<String>,
    dkga: DecoderKeyGenerationAlgorithm,
    generator: Rc<DecoderKeyGenerator>,
}

impl KnownKeys {
    /// Reads a key record, unless its text has been read before. `name` is the field that holds it.
    pub(crate) fn read(
        &mut self,
        name: &'static str,
        source: &KeySource<'_>,
    ) -> Result<Rc<Key>, LabError> {
        let text = match source {
            KeySource::Record(record) => return self.read_record(name, record).map(Rc::new),
            KeySource::Text(text) => text,
        };
        let same = |(known, key): &(Zeroizing<String>, Rc<Key>)| {
            key.name == name && known.as_str() == text.get()
        };
        if let Some(place) = self.records.iter().position(same) {
            self.records[..=place].rotate_right(1);
        } else {
            let record = KeyRecord::parse(text);
            let key = Rc::new(self.read_record(name, &record)?);
            self.records.truncate(REMEMBERED - 1);
            self.records.insert(0, (Zeroizing::new(text.get().to_owned()), key));
        }
        Ok(Rc::clone(&self.records[0].1))
    }

    /// Reads the fields of a key record.
    fn read_record(&mut self, name: &'static str, record: &KeyRecord<'_>) -> Result<Key, LabError> {
        if let Some(defect) = &record.defect {
            return Err(defect.clone().of(name));
        }
        let names = Names::of(name);
        let key_type = field::kt(names.kt, &record.kt)?;
        let mut attributes = KeyAttributes {
            supply_group: field::sgc(names.sgc, &record.sgc)?,
            tariff_index: field::ti(names.ti, &record.ti)?,
            key_revision: field::krn(names.krn, &record.krn, key_type)?,
            expiry: field::ken(names.ken, &record.ken)?,
            base_date: field::base_date(names.base_date, &record.base_date)?,
            key_type,
        };
        let dkga = field::dkga(names.dkga, &record.dkga)?;
        let material = match (&record.decoder_key, &record.vending_key) {
            (Some(value), None) => {
                let text = key_text(names.decoder_key, value)?;
                Material::Decoder(bytes(names.decoder_key, text)?)
            }
            (None, Some(value)) => {
                let dkga = field::needed(names.dkga, dkga)?;
                let base_date = attributes.base_date.unwrap_or(BaseDate::Y1993);
                attributes.base_date = Some(base_date);
                Material::Vending {
                    key_type: vending_key_type(names.kt, field::needed(names.kt, key_type)?)?,
                    supply_group: field::needed(names.sgc, attributes.supply_group)?,
                    tariff_index: field::needed(names.ti, attributes.tariff_index)?,
                    key_revision: field::needed(names.krn, attributes.key_revision)?,
                    base_date,
                    generator: self.generator(names.vending_key, value, dkga)?,
                }
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
        Ok(Key { name, attributes, material })
    }

    /// The generator of a vending key, prepared now or before.
    fn generator(
        &mut self,
        field: &str,
        value: &Scalar<'_>,
        dkga: DecoderKeyGenerationAlgorithm,
    ) -> Result<Rc<DecoderKeyGenerator>, LabError> {
        let text = key_text(field, value)?;
        let same = |key: &PreparedKey| key.dkga == dkga && key.text.as_str() == text;
        if let Some(place) = self.generators.iter().position(same) {
            self.generators[..=place].rotate_right(1);
        } else {
            let bytes = bytes(field, text)?;
            let key = VendingKey::new(dkga, bytes.as_slice()).map_err(|error| {
                let message = format!("{field}: {error} for DKGA{dkga}");
                LabError::new(ErrorCode::KeyLength, message)
            })?;
            let generator = Rc::new(DecoderKeyGenerator::new(&key));
            let text = Zeroizing::new(text.to_owned());
            self.generators.truncate(REMEMBERED - 1);
            self.generators.insert(0, PreparedKey { text, dkga, generator });
        }
        Ok(Rc::clone(&self.generators[0].generator))
    }
}

impl Key {
    /// The decoder key of a meter.
    pub(crate) fn resolve(
        &self,
        pan: Option<MeterPan>,
        ea: EncryptionAlgorithm,
    ) -> Result<ResolvedKey, LabError> {
        let key = match &self.material {
            Material::Decoder(bytes) => DecoderKey::new(ea, bytes.as_slice()).map_err(|error| {
                let message = format!("{}.decoder_key: {error} for EA{ea}", self.name);
                LabError::new(ErrorCode::KeyLength, message)
            })?,
            Material::Vending {
                generator,
                key_type,
                supply_group,
                tariff_index,
                key_revision,
                base_date,
            } => generator
                .derive(&KeyParameters {
                    pan: field::needed("pan", pan)?,
                    key_type: *key_type,
                    supply_group: *supply_group,
                    tariff_index: *tariff_index,
                    key_revision: *key_revision,
                    base_date: *base_date,
                    encryption: ea,
                })
                .map_err(|error| derivation_error(self.name, error))?,
        };
        Ok(ResolvedKey { key, attributes: self.attributes })
    }

    /// Whether the key is a decoder key, given as it is.
    pub(crate) fn is_decoder_key(&self) -> bool {
        matches!(self.material, Material::Decoder(_))
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

fn bytes(field: &str, text: &str) -> Result<Bytes, LabError> {
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

/// Vending keys exist for key types 1 to 3; an initialization key is the maker's own.
fn vending_key_type(field: &str, key_type: KeyType) -> Result<KeyType, LabError> {
    if key_type == KeyType::Initialization {
        let message = format!("{field}: expected 1 to 3 with a vending key, found 0");
        return Err(LabError::new(ErrorCode::KtRange, message));
    }
    Ok(key_type)
}

fn derivation_error(name: &str, error: DerivationError) -> LabError {
    let code = match error {
        DerivationError::InitializationKey => ErrorCode::KtRange,
        DerivationError::AlgorithmCombination { .. } | DerivationError::CommonKeyRuleUnknown => {
            ErrorCode::AlgorithmCombination
        }
    };
    LabError::new(code, format!("{name}: {error}"))
}
