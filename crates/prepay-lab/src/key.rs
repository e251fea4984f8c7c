//! Keys as records: from the fields of `key`, `from` and `to` to a decoder key with its attributes.
//!
//! In bulk work, many lines have the same record, or at least the same vending key. A record is read once and a
//! vending key prepared once; both are cached for later requests. These are raw **test** keys: production keys stay
//! in a security module.

use std::sync::Arc;

use prepay_records::element::{self, Field};
use prepay_records::{RecordCode, RecordError, Scalar, hex as text};
use prepay_token::element::{
    BaseDate, DecoderKeyGenerationAlgorithm, EncryptionAlgorithm, KeyExpiryNumber,
    KeyRevisionNumber, KeyType, MeterPan, SupplyGroupCode, TariffIndex,
};
use prepay_token::key::{
    DecoderKey, DecoderKeyGenerator, DerivationError, KeyParameters, VendingKey,
};
use zeroize::Zeroizing;

use crate::hex::{self, Bytes, HexError};
use crate::request::{KeyRecord, KeySource};
use crate::search::dkga_of_length;

/// How many keys and how many prepared vending keys are cached.
const REMEMBERED: usize = 32;

/// A decoder key with its attributes.
#[derive(Debug)]
pub struct ResolvedKey {
    /// The key.
    pub key: DecoderKey,
    /// The rest.
    pub attributes: KeyAttributes,
}

/// The attributes in a key record.
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
    /// The base date; by default 1993 for vending keys and unknown for decoder keys.
    pub base_date: Option<BaseDate>,
}

/// What a decoder key is derived from, apart from the vending key, the meter and the cipher.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Derivation {
    /// The key type; not that of an initialization key.
    pub(crate) key_type: KeyType,
    /// The supply group.
    pub(crate) supply_group: SupplyGroupCode,
    /// The tariff index.
    pub(crate) tariff_index: TariffIndex,
    /// The key revision.
    pub(crate) key_revision: KeyRevisionNumber,
    /// The base date.
    pub(crate) base_date: BaseDate,
}

impl Derivation {
    /// The decoder key of a meter. `name` is the field that holds the key.
    pub(crate) fn derive(
        &self,
        name: &str,
        generator: &DecoderKeyGenerator,
        pan: MeterPan,
        ea: EncryptionAlgorithm,
    ) -> Result<DecoderKey, RecordError> {
        let parameters = KeyParameters {
            pan,
            key_type: self.key_type,
            supply_group: self.supply_group,
            tariff_index: self.tariff_index,
            key_revision: self.key_revision,
            base_date: self.base_date,
            encryption: ea,
        };
        generator.derive(&parameters).map_err(|error| derivation_error(name, error))
    }
}

/// A key record that was read.
pub(crate) struct Key {
    name: &'static str,
    attributes: KeyAttributes,
    material: Material,
}

/// What a decoder key comes from.
enum Material {
    /// From itself.
    Decoder(Bytes),
    /// From a vending key.
    Vending(Arc<DecoderKeyGenerator>, Derivation),
}

/// A **test** key in hexadecimal, most significant byte first.
pub fn show_test_key(key: &DecoderKey) -> String {
    text::encode(key.expose_bytes())
}

/// Cached keys, the latest first.
#[derive(Default)]
pub(crate) struct KnownKeys {
    /// By the field and the text of the whole record.
    records: Vec<(Zeroizing<String>, Arc<Key>)>,
    /// By the text of the vending key and its algorithm.
    generators: Vec<PreparedKey>,
}

/// The text of a vending key, and the generator prepared from it.
struct PreparedKey {
    text: Zeroizing<String>,
    dkga: DecoderKeyGenerationAlgorithm,
    generator: Arc<DecoderKeyGenerator>,
}

impl KnownKeys {
    /// Reads a key record, or finds it in the cache by its text. `name` is the field of the key.
    pub(crate) fn read(
        &mut self,
        name: &'static str,
        source: &KeySource<'_>,
    ) -> Result<Arc<Key>, RecordError> {
        let text = match source {
            KeySource::Record(record) => return self.read_record(name, record).map(Arc::new),
            KeySource::Text(text) => text,
        };
        let same = |(known, key): &(Zeroizing<String>, Arc<Key>)| {
            key.name == name && known.as_str() == text.get()
        };
        if let Some(place) = self.records.iter().position(same) {
            self.records[..=place].rotate_right(1);
        } else {
            let record = KeyRecord::read(text.get());
            let key = Arc::new(self.read_record(name, &record)?);
            self.records.truncate(REMEMBERED - 1);
            self.records.insert(0, (Zeroizing::new(text.get().to_owned()), key));
        }
        Ok(Arc::clone(&self.records[0].1))
    }

    /// Reads the fields of a key record.
    fn read_record(
        &mut self,
        name: &'static str,
        record: &KeyRecord<'_>,
    ) -> Result<Key, RecordError> {
        if let Some(defect) = &record.defect {
            return Err(defect.clone().of(name));
        }
        let names = Names::of(name);
        let key_type = element::kt(names.kt, &record.kt)?;
        let mut attributes = KeyAttributes {
            supply_group: element::sgc(names.sgc, &record.sgc)?,
            tariff_index: element::ti(names.ti, &record.ti)?,
            key_revision: element::krn(names.krn, &record.krn, key_type)?,
            expiry: element::ken(names.ken, &record.ken)?,
            base_date: element::base_date(names.base_date, &record.base_date)?,
            key_type,
        };
        let dkga = element::dkga(names.dkga, &record.dkga)?;
        let material = match (&record.decoder_key, &record.vending_key) {
            (Some(value), None) => {
                let text = key_text(names.decoder_key, value)?;
                Material::Decoder(bytes(names.decoder_key, text)?)
            }
            (None, Some(value)) => {
                let dkga = dkga_of(names, dkga, value)?;
                let base_date = attributes.base_date.unwrap_or(BaseDate::Y1993);
                attributes.base_date = Some(base_date);
                let derivation = Derivation {
                    key_type: vending_key_type(names.kt, element::needed(names.kt, key_type)?)?,
                    supply_group: element::needed(names.sgc, attributes.supply_group)?,
                    tariff_index: element::needed(names.ti, attributes.tariff_index)?,
                    key_revision: element::needed(names.krn, attributes.key_revision)?,
                    base_date,
                };
                Material::Vending(self.generator(names.vending_key, value, dkga)?, derivation)
            }
            (Some(_), Some(_)) => {
                let message = format!("{name}: give either decoder_key or vending_key, not both");
                return Err(RecordError::new(RecordCode::KeyFormat, message));
            }
            (None, None) => {
                return Err(RecordError::missing(&format!(
                    "{name}.decoder_key or {name}.vending_key"
                )));
            }
        };
        Ok(Key { name, attributes, material })
    }

    /// The generator of a vending key whose attributes are elsewhere.
    pub(crate) fn lone_generator(
        &mut self,
        vending_key: &Scalar<'_>,
        dkga: &Field<'_>,
    ) -> Result<Arc<DecoderKeyGenerator>, RecordError> {
        let names = Names::of("key");
        let dkga = dkga_of(names, element::dkga(names.dkga, dkga)?, vending_key)?;
        self.generator(names.vending_key, vending_key, dkga)
    }

    /// The generator of a vending key, from the cache or prepared now.
    fn generator(
        &mut self,
        field: &str,
        value: &Scalar<'_>,
        dkga: DecoderKeyGenerationAlgorithm,
    ) -> Result<Arc<DecoderKeyGenerator>, RecordError> {
        let text = key_text(field, value)?;
        let same = |key: &PreparedKey| key.dkga == dkga && key.text.as_str() == text;
        if let Some(place) = self.generators.iter().position(same) {
            self.generators[..=place].rotate_right(1);
        } else {
            let bytes = bytes(field, text)?;
            let key = VendingKey::new(dkga, bytes.as_slice()).map_err(|error| {
                let message = format!("{field}: {error} for DKGA{dkga}");
                RecordError::new(RecordCode::KeyLength, message)
            })?;
            let generator = Arc::new(DecoderKeyGenerator::new(&key));
            let text = Zeroizing::new(text.to_owned());
            self.generators.truncate(REMEMBERED - 1);
            self.generators.insert(0, PreparedKey { text, dkga, generator });
        }
        Ok(Arc::clone(&self.generators[0].generator))
    }
}

impl Key {
    /// The decoder key of a meter.
    pub(crate) fn resolve(
        &self,
        pan: Option<MeterPan>,
        ea: EncryptionAlgorithm,
    ) -> Result<ResolvedKey, RecordError> {
        let key = match &self.material {
            Material::Decoder(bytes) => DecoderKey::new(ea, bytes.as_slice()).map_err(|error| {
                let message = format!("{}.decoder_key: {error} for EA{ea}", self.name);
                RecordError::new(RecordCode::KeyLength, message)
            })?,
            Material::Vending(generator, derivation) => {
                derivation.derive(self.name, generator, element::needed("pan", pan)?, ea)?
            }
        };
        Ok(ResolvedKey { key, attributes: self.attributes })
    }

    /// Whether the key was given as a decoder key.
    pub(crate) fn is_decoder_key(&self) -> bool {
        matches!(self.material, Material::Decoder(_))
    }
}

/// The key generation algorithm, which a vending key needs. A key of a length that no algorithm takes is what is wrong
/// then, not the missing algorithm.
fn dkga_of(
    names: &Names,
    dkga: Option<DecoderKeyGenerationAlgorithm>,
    key: &Scalar<'_>,
) -> Result<DecoderKeyGenerationAlgorithm, RecordError> {
    if dkga.is_none() {
        let digits = 2 * bytes(names.vending_key, key_text(names.vending_key, key)?)?.length();
        if dkga_of_length(digits).is_none() {
            return Err(wrong_length(names.vending_key, digits));
        }
    }
    element::needed(names.dkga, dkga)
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

/// The text of a key. Messages never repeat it.
fn key_text<'r>(field: &str, value: &'r Scalar<'_>) -> Result<&'r str, RecordError> {
    match value {
        Scalar::Text(text) => Ok(text),
        _ => {
            let message = format!("{field}: expected hexadecimal digits in a string");
            Err(RecordError::new(RecordCode::KeyFormat, message))
        }
    }
}

fn bytes(field: &str, text: &str) -> Result<Bytes, RecordError> {
    hex::decode(text).map_err(|error| match error {
        HexError::NotHex { index } => {
            let position = index + 1;
            let message = format!(
                "{field}: expected hexadecimal digits, found another character at position {position}"
            );
            RecordError::new(RecordCode::KeyFormat, message)
        }
        HexError::Length { digits } => wrong_length(field, digits),
    })
}

fn wrong_length(field: &str, digits: usize) -> RecordError {
    let message = format!("{field}: expected 16, 32 or 40 hexadecimal digits, found {digits}");
    RecordError::new(RecordCode::KeyLength, message)
}

/// Vending keys exist for key types 1 to 3; an initialization key is the maker's own.
fn vending_key_type(field: &str, key_type: KeyType) -> Result<KeyType, RecordError> {
    if key_type == KeyType::Initialization {
        let message = format!("{field}: expected 1 to 3 with a vending key, found 0");
        return Err(RecordError::new(RecordCode::KtRange, message));
    }
    Ok(key_type)
}

fn derivation_error(name: &str, error: DerivationError) -> RecordError {
    let code = match error {
        DerivationError::InitializationKey => RecordCode::KtRange,
        DerivationError::AlgorithmCombination { .. } | DerivationError::CommonKeyRuleUnknown => {
            RecordCode::AlgorithmCombination
        }
    };
    RecordError::new(code, format!("{name}: {error}"))
}
