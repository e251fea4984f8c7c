//! Which of many **test** keys opens a token.
//!
//! A wrong key passes the 16-bit checksum once in 65 536 tries on average, so the number of candidates tells how far a
//! match can be trusted.

use prepay_records::element::{Field, needed};
use prepay_records::{RecordError, Scalar};
use prepay_token::element::{
    BaseDate, EncryptionAlgorithm, KeyRevisionNumber, KeyType, MeterPan, SupplyGroupCode,
    TariffIndex,
};
use prepay_token::key::{DecoderKey, TokenCipher};
use prepay_token::{TokenData, Trace, open};

use crate::key::Derivation;
use crate::operation::Lab;
use crate::request::KeyRecord;

/// The values of one list. One that is no value of its element says so in each combination.
pub type List<T> = Vec<Result<T, RecordError>>;

/// The keys to try: decoder keys, and vending keys with every combination of what they depend on.
#[derive(Debug)]
pub struct KeyLists<'a> {
    /// The meter.
    pub pan: Option<MeterPan>,
    /// The encryption algorithms; those that suit each key if there are none.
    pub algorithms: Vec<EncryptionAlgorithm>,
    /// Decoder keys in hexadecimal.
    pub decoder_keys: Vec<Scalar<'a>>,
    /// The base date of the decoder keys, which shows when a token was issued.
    pub decoder_base_date: Option<Result<BaseDate, RecordError>>,
    /// Vending keys in hexadecimal.
    pub vending_keys: Vec<Scalar<'a>>,
    /// The key generation algorithm; by the length of each vending key if there is none.
    pub dkga: Field<'a>,
    /// Supply groups.
    pub supply_groups: List<SupplyGroupCode>,
    /// Key revisions.
    pub key_revisions: List<KeyRevisionNumber>,
    /// Key types.
    pub key_types: List<KeyType>,
    /// Tariff indexes.
    pub tariff_indexes: List<TariffIndex>,
    /// Base dates.
    pub base_dates: List<BaseDate>,
}

/// A key that was tried, in words, and ready for use.
#[derive(Debug)]
pub struct Candidate {
    /// Which key it is, without the key itself.
    pub name: String,
    /// The cipher.
    pub cipher: TokenCipher,
    /// The base date, if known.
    pub base_date: Option<BaseDate>,
}

/// What a search found.
#[derive(Debug)]
pub struct Found {
    /// How many keys were tried.
    pub tried: u64,
    /// Those that open the token, in the order of trying.
    pub matches: Vec<Candidate>,
    /// The last key that did not.
    last: Option<Candidate>,
    /// Combinations that make no key, and why the first of them makes none.
    pub skipped: Option<(u64, RecordError)>,
}

impl Found {
    /// The key under which the token is shown: the first that opens it, or the only one that was tried.
    pub fn key(&self) -> Option<&Candidate> {
        self.matches.first().or(self.last.as_ref().filter(|_| self.tried == 1))
    }

    /// Every step of the token under [`Self::key`].
    pub fn trace(&self, data: TokenData) -> Trace {
        Trace::new(data, self.key().map(|key| &key.cipher))
    }
}

impl KeyLists<'_> {
    /// How many keys a vending key makes with one algorithm.
    pub fn combinations(&self) -> u64 {
        let sizes = [
            self.supply_groups.len(),
            self.key_revisions.len(),
            self.key_types.len(),
            self.tariff_indexes.len(),
            self.base_dates.len(),
        ];
        sizes.iter().map(|&length| length.max(1) as u64).product()
    }

    /// Tries every key on a token.
    ///
    /// # Errors
    ///
    /// [`RecordError`] when there is nothing but combinations that make no key: why the first of them makes none.
    pub fn search(&self, data: TokenData) -> Result<Found, RecordError> {
        let found = Found { tried: 0, matches: Vec::new(), last: None, skipped: None };
        let mut search = Search { lab: Lab::default(), lists: self, data, found };
        for (index, key) in self.decoder_keys.iter().enumerate() {
            for ea in self.algorithms(key, false) {
                let key = search.decoder_key(key, ea);
                search.try_key(1, key, || format!("decoder key {}, EA{ea}", index + 1));
            }
        }
        for (index, key) in self.vending_keys.iter().enumerate() {
            search.try_vending_key(index + 1, key);
        }
        match search.found {
            Found { tried: 0, skipped: Some((_, error)), .. } => Err(error),
            found => Ok(found),
        }
    }

    /// The encryption algorithms to try with a key of this length.
    fn algorithms(&self, key: &Scalar<'_>, vending: bool) -> Vec<EncryptionAlgorithm> {
        if !self.algorithms.is_empty() {
            return self.algorithms.clone();
        }
        match (vending, digits(key)) {
            (true, 40) => vec![EncryptionAlgorithm::Sta, EncryptionAlgorithm::Misty1],
            (false, 32) => vec![EncryptionAlgorithm::Misty1],
            _ => vec![EncryptionAlgorithm::Sta],
        }
    }

    /// Every combination of group, revision, type, tariff index and base date.
    fn derivations(&self) -> impl Iterator<Item = Result<Derivation, RecordError>> {
        self.supply_groups.iter().flat_map(move |supply_group| {
            self.key_revisions.iter().flat_map(move |key_revision| {
                self.key_types.iter().flat_map(move |key_type| {
                    self.tariff_indexes.iter().flat_map(move |tariff_index| {
                        self.base_dates.iter().map(move |base_date| {
                            Ok(Derivation {
                                key_type: key_type.clone()?,
                                supply_group: supply_group.clone()?,
                                tariff_index: tariff_index.clone()?,
                                key_revision: key_revision.clone()?,
                                base_date: base_date.clone()?,
                            })
                        })
                    })
                })
            })
        })
    }
}

/// The state of a search.
struct Search<'s> {
    lab: Lab,
    lists: &'s KeyLists<'s>,
    data: TokenData,
    found: Found,
}

type ReadKey = Result<(DecoderKey, Option<BaseDate>), RecordError>;

impl Search<'_> {
    fn decoder_key(&mut self, key: &Scalar<'_>, ea: EncryptionAlgorithm) -> ReadKey {
        let base_date = self.lists.decoder_base_date.clone().transpose()?;
        let record = KeyRecord { decoder_key: Some(key.clone()), ..KeyRecord::default() };
        Ok((self.lab.read_key(record, self.lists.pan, ea)?.key, base_date))
    }

    /// Tries a vending key with every combination of its attributes.
    fn try_vending_key(&mut self, number: usize, key: &Scalar<'_>) {
        let lists = self.lists;
        let by_length = || dkga_of_length(digits(key)).map(Scalar::from);
        let dkga = lists.dkga.clone().or_else(by_length);
        let algorithms = lists.algorithms(key, true);
        let generator = match self.lab.read_vending_key(key, &dkga) {
            Ok(generator) => generator,
            Err(error) => {
                let combinations = lists.combinations() * algorithms.len() as u64;
                self.try_key(combinations, Err(error), String::new);
                return;
            }
        };
        let dkga = generator.algorithm();
        for ea in algorithms {
            for derivation in lists.derivations() {
                let derived = derivation.and_then(|derivation| {
                    let pan = needed("pan", lists.pan)?;
                    Ok((derivation.derive("key", &generator, pan, ea)?, derivation))
                });
                let (key, derivation) = match derived {
                    Ok((key, it)) => (Ok((key, Some(it.base_date))), Some(it)),
                    Err(error) => (Err(error), None),
                };
                self.try_key(1, key, || {
                    let attributes = derivation.map(described).unwrap_or_default();
                    format!("vending key {number}, DKGA{dkga}, EA{ea}, {attributes}")
                });
            }
        }
    }

    /// Tries one key, or counts so many combinations as skipped if their parts make none.
    fn try_key(&mut self, combinations: u64, key: ReadKey, name: impl FnOnce() -> String) {
        let (key, base_date) = match key {
            Ok(key) => key,
            Err(error) => {
                self.found.skipped.get_or_insert((0, error)).0 += combinations;
                return;
            }
        };
        let candidate = Candidate { name: name(), cipher: TokenCipher::new(&key), base_date };
        self.found.tried += 1;
        if open(self.data, &candidate.cipher).is_ok() {
            self.found.matches.push(candidate);
        } else {
            self.found.last = Some(candidate);
        }
    }
}

/// The key generation algorithm that takes vending keys of so many hexadecimal digits.
pub(crate) fn dkga_of_length(digits: usize) -> Option<&'static str> {
    match digits {
        16 => Some("02"),
        32 => Some("03"),
        40 => Some("04"),
        _ => None,
    }
}

/// What a key depends on, in words.
fn described(derivation: Derivation) -> String {
    let Derivation { supply_group, key_revision, key_type, tariff_index, base_date } = derivation;
    let (kt, year) = (key_type.value(), base_date.year());
    format!("SGC {supply_group}, KRN {key_revision}, KT {kt}, TI {tariff_index}, base date {year}")
}

/// How many digits a key has.
fn digits(key: &Scalar<'_>) -> usize {
    if let Scalar::Text(text) = key { text.len() } else { 0 }
}
