//! Which of many **test** keys opens a token, or the tokens of one meter.
//!
//! A wrong key passes the 16-bit checksum once in 65 536 tries on average, so with many candidates a match may be a
//! coincidence. A second token of the same meter narrows them: the right key opens both.

use prepay_records::element::Field;
use prepay_records::{RecordCode, RecordError, Scalar};
use prepay_token::element::{
    BaseDate, DecoderKeyGenerationAlgorithm, EncryptionAlgorithm, KeyExpiryNumber,
    KeyRevisionNumber, KeyType, MeterPan, SupplyGroupCode, TariffIndex,
};
use prepay_token::key::{DecoderKey, TokenCipher};
use prepay_token::{TokenData, open};

use crate::key::Derivation;
use crate::operation::Lab;
use crate::request::KeyRecord;

/// The values of one list. One that is no value of its element says so in each combination.
pub type List<T> = Vec<Result<T, RecordError>>;

/// The keys to try: decoder keys, and vending keys with every combination of what they depend on.
#[derive(Debug)]
pub struct KeyLists<'a> {
    /// The meters.
    pub pans: Vec<MeterPan>,
    /// The encryption algorithms; those that suit each key if there are none.
    pub algorithms: Vec<EncryptionAlgorithm>,
    /// Decoder keys in hexadecimal.
    pub decoder_keys: Vec<Scalar<'a>>,
    /// The base dates of the decoder keys, which show when a token was issued.
    pub decoder_base_dates: List<BaseDate>,
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
    /// When the keys expire.
    pub expiry: KeyExpiryNumber,
}

/// A key that was tried.
#[derive(Debug)]
pub struct Candidate {
    origin: Origin,
    /// The cipher.
    pub cipher: TokenCipher,
    /// The base dates that it may have. Several only where the key does not depend on it.
    pub base_dates: Vec<BaseDate>,
    /// When it expires.
    pub expiry: KeyExpiryNumber,
}

/// Where a key comes from. Keys are numbered in the order in which they were given.
#[derive(Debug)]
enum Origin {
    Decoder {
        number: usize,
        ea: EncryptionAlgorithm,
    },
    Vending {
        number: usize,
        dkga: DecoderKeyGenerationAlgorithm,
        ea: EncryptionAlgorithm,
        derivation: Derivation,
        /// The meter, if there were several.
        pan: Option<MeterPan>,
    },
}

/// How many keys were tried.
#[derive(Clone, Debug, Default)]
pub struct Tried {
    /// Those that are keys.
    pub keys: u64,
    /// Combinations that make no key, and why the first of them makes none.
    pub skipped: Option<(u64, RecordError)>,
}

/// What a search found.
#[derive(Debug)]
pub struct Found {
    /// How many keys were tried.
    pub tried: Tried,
    /// Those that open every token, in the order of trying.
    pub matches: Vec<Candidate>,
    /// How many open a token, but not every one.
    pub partial: u64,
    /// The last key that does not open every token.
    pub(crate) last: Option<Candidate>,
}

impl Candidate {
    /// Which key it is, without the key itself.
    pub fn name(&self) -> String {
        match &self.origin {
            Origin::Decoder { number, ea } => format!("decoder key {number}, EA{ea}"),
            Origin::Vending { number, dkga, ea, derivation, pan } => {
                let Derivation { supply_group, key_revision, key_type, tariff_index, .. } =
                    derivation;
                let kt = key_type.value();
                let meter = pan.map_or_else(String::new, |pan| format!(" of meter {pan}"));
                let years: Vec<_> = self.base_dates.iter().map(BaseDate::to_string).collect();
                format!(
                    "vending key {number}, DKGA{dkga}, EA{ea}, SGC {supply_group}, KRN {key_revision}, KT {kt}, \
                     TI {tariff_index}, base date {}{meter}",
                    years.join(" or ")
                )
            }
        }
    }

    /// The key type, if it is known.
    pub const fn key_type(&self) -> Option<KeyType> {
        match &self.origin {
            Origin::Decoder { .. } => None,
            Origin::Vending { derivation, .. } => Some(derivation.key_type),
        }
    }

    /// The cipher's algorithm.
    pub fn algorithm(&self) -> EncryptionAlgorithm {
        self.cipher.algorithm()
    }
}

impl KeyLists<'_> {
    /// At most how many keys the lists make.
    pub fn combinations(&self) -> u64 {
        let sizes = [
            self.pans.len(),
            self.supply_groups.len(),
            self.key_revisions.len(),
            self.key_types.len(),
            self.tariff_indexes.len(),
            self.base_dates.len(),
        ];
        let each: u64 = sizes.iter().map(|&length| length.max(1) as u64).product();
        each.saturating_mul(self.vending_keys.len().max(1) as u64)
    }

    /// Tries every key on the tokens of one meter that are enciphered. With none there is nothing to try.
    ///
    /// # Errors
    ///
    /// [`RecordError`] when there is nothing but combinations that make no key: why the first of them makes none.
    pub fn search(&self, tokens: &[TokenData]) -> Result<Found, RecordError> {
        let is_enciphered = |data: &&TokenData| data.class().is_enciphered();
        let tokens: Vec<_> = tokens.iter().filter(is_enciphered).copied().collect();
        let mut found =
            Found { tried: Tried::default(), matches: Vec::new(), partial: 0, last: None };
        if tokens.is_empty() {
            return Ok(found);
        }
        found.tried = self.each_key(|candidate| {
            let opened = tokens.iter().filter(|&&data| open(data, &candidate.cipher).is_ok());
            match opened.count() {
                all if all == tokens.len() => found.matches.push(candidate),
                some => {
                    found.partial += u64::from(some > 0);
                    found.last = Some(candidate);
                }
            }
        })?;
        Ok(found)
    }

    /// Makes every key, and counts them.
    pub(crate) fn each_key(&self, with: impl FnMut(Candidate)) -> Result<Tried, RecordError> {
        let mut keys = Keys { lab: Lab::default(), lists: self, tried: Tried::default(), with };
        for (index, key) in self.decoder_keys.iter().enumerate() {
            for ea in self.algorithms(key, false) {
                let candidate = keys.decoder_key(index + 1, key, ea);
                keys.take(1, candidate);
            }
        }
        for (index, key) in self.vending_keys.iter().enumerate() {
            keys.vending_key(index + 1, key);
        }
        match keys.tried {
            Tried { keys: 0, skipped: Some((_, error)) } => Err(error),
            tried => Ok(tried),
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

    /// Every combination of group, revision, type, tariff index and base date; where the key does not depend on its base
    /// date, with the first of them alone.
    fn derivations(
        &self,
        dkga: DecoderKeyGenerationAlgorithm,
    ) -> impl Iterator<Item = Result<Derivation, RecordError>> {
        let base_dates = match dkga {
            DecoderKeyGenerationAlgorithm::Dkga04 => &self.base_dates[..],
            _ => &self.base_dates[..self.base_dates.len().min(1)],
        };
        self.supply_groups.iter().flat_map(move |supply_group| {
            self.key_revisions.iter().flat_map(move |key_revision| {
                self.key_types.iter().flat_map(move |key_type| {
                    self.tariff_indexes.iter().flat_map(move |tariff_index| {
                        base_dates.iter().map(move |base_date| {
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

/// Keys on their way out of the lists.
struct Keys<'k, W> {
    lab: Lab,
    lists: &'k KeyLists<'k>,
    tried: Tried,
    with: W,
}

impl<W: FnMut(Candidate)> Keys<'_, W> {
    fn decoder_key(
        &mut self,
        number: usize,
        key: &Scalar<'_>,
        ea: EncryptionAlgorithm,
    ) -> Result<Candidate, RecordError> {
        let base_dates = self.lists.decoder_base_dates.iter().cloned().collect::<Result<_, _>>()?;
        let record = KeyRecord { decoder_key: Some(key.clone()), ..KeyRecord::default() };
        let key = self.lab.read_key(record, None, ea)?.key;
        Ok(self.candidate(Origin::Decoder { number, ea }, &key, base_dates))
    }

    /// Every key of a vending key.
    fn vending_key(&mut self, number: usize, key: &Scalar<'_>) {
        let lists = self.lists;
        let by_length = || dkga_of_length(digits(key)).map(Scalar::from);
        let dkga = lists.dkga.clone().or_else(by_length);
        let algorithms = lists.algorithms(key, true);
        let generator = match self.lab.read_vending_key(key, &dkga) {
            Ok(generator) if !lists.pans.is_empty() => generator,
            failed => {
                let error = failed.err().unwrap_or_else(|| RecordError::missing("pan"));
                let each = lists.combinations() / lists.vending_keys.len().max(1) as u64;
                self.take(each * algorithms.len() as u64, Err(error));
                return;
            }
        };
        let dkga = generator.algorithm();
        for ea in algorithms {
            for &pan in &lists.pans {
                for derivation in lists.derivations(dkga) {
                    let candidate = derivation.and_then(|derivation| {
                        let key = derivation.derive("key", &generator, pan, ea)?;
                        let base_dates = match dkga {
                            DecoderKeyGenerationAlgorithm::Dkga04 => vec![derivation.base_date],
                            _ => lists.base_dates.iter().cloned().collect::<Result<_, _>>()?,
                        };
                        let pan = (lists.pans.len() > 1).then_some(pan);
                        let origin = Origin::Vending { number, dkga, ea, derivation, pan };
                        Ok(self.candidate(origin, &key, base_dates))
                    });
                    self.take(1, candidate);
                }
            }
        }
    }

    fn candidate(&self, origin: Origin, key: &DecoderKey, base_dates: Vec<BaseDate>) -> Candidate {
        let expiry = self.lists.expiry;
        Candidate { origin, cipher: TokenCipher::new(key), base_dates, expiry }
    }

    /// Hands one key out, or counts so many combinations as skipped if their parts make none.
    fn take(&mut self, combinations: u64, candidate: Result<Candidate, RecordError>) {
        match candidate {
            Ok(candidate) => {
                self.tried.keys += 1;
                (self.with)(candidate);
            }
            Err(error) => self.tried.skipped.get_or_insert((0, error)).0 += combinations,
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

/// How many digits a key has.
fn digits(key: &Scalar<'_>) -> usize {
    if let Scalar::Text(text) = key { text.len() } else { 0 }
}

impl Found {
    /// Why no key opens every token; of so many of them.
    pub fn no_key(&self, tokens: usize) -> RecordError {
        let keys = self.tried.keys;
        let message = match (tokens, self.partial) {
            (0 | 1, _) => format!("number: none of {keys} keys opens it"),
            (_, 0) => format!("number: none of {keys} keys opens any of the {tokens} tokens"),
            (_, partial) => {
                format!(
                    "number: none of {keys} keys opens all {tokens} tokens; {partial} open some"
                )
            }
        };
        RecordError::new(RecordCode::Crc, message)
    }
}
