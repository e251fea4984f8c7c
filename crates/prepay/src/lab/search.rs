//! Which key opens a token: every combination of what was given, tried in turn.
//!
//! A wrong key passes the 16-bit checksum once in 65 536 tries on average, so the number of candidates
//! tells how far a match can be trusted.

use prepay_lab::{Derivation, KeyRecord, Lab};
use prepay_records::element::{self, Field, needed};
use prepay_records::{RecordCode, RecordError, Scalar};
use prepay_token::element::{
    BaseDate, EncryptionAlgorithm, KeyRevisionNumber, KeyType, MeterPan, SupplyGroupCode,
    TariffIndex,
};
use prepay_token::key::{DecoderKey, TokenCipher};
use prepay_token::{TokenData, open};

use crate::cli::ExplainFlags;
use crate::failure::{Done, Failure};

use super::flags::{dkga_of_length, option, plain_number, secret};

/// The most combinations that are tried.
const MOST_CANDIDATES: u64 = 20_000_000;

/// A key that was tried, in words, and ready for use.
pub(super) struct Candidate {
    /// Which key it is, without the key itself.
    pub(super) name: String,
    /// The cipher.
    pub(super) cipher: TokenCipher,
    /// The base date, if known.
    pub(super) base_date: Option<BaseDate>,
}

/// What a search found.
pub(super) struct Found {
    /// How many keys were tried.
    pub(super) tried: u64,
    /// Those that open the token, in the order of trying.
    pub(super) matches: Vec<Candidate>,
    /// The last key tried: the only one, if one was tried.
    pub(super) last: Option<Candidate>,
    /// Combinations that make no key, and why the first of them makes none.
    pub(super) skipped: Option<(u64, RecordError)>,
}

/// Tries every combination of the flags on a token.
pub(super) fn search(flags: &ExplainFlags, data: TokenData) -> Done<Found> {
    let lists = Lists::new(flags)?;
    let mut search = Search {
        lab: Lab::default(),
        pan: element::pan(&option(flags.pan.as_deref()))?,
        data,
        found: Found { tried: 0, matches: Vec::new(), last: None, skipped: None },
    };
    for (index, key) in flags.decoder_key.iter().enumerate() {
        let key = secret(Some(key))?;
        for ea in lists.algorithms(key.as_ref(), false) {
            let base_date = flags.base_date.as_ref().and(flags.base_dates().next());
            let record = KeyRecord {
                decoder_key: key.clone(),
                base_date: base_date.map(plain_number),
                ..KeyRecord::default()
            };
            let resolved = search.lab.read_key(record, search.pan, ea);
            let key = resolved.map(|resolved| (resolved.key, resolved.attributes.base_date));
            search.try_key(1, key, || format!("decoder key {}, EA{ea}", index + 1));
        }
    }
    for (index, key) in flags.vending_key.iter().enumerate() {
        search.try_vending_key(flags, &lists, index + 1, secret(Some(key))?.as_ref())?;
    }
    match search.found {
        // Nothing but combinations that make no key: the first says what is wrong.
        Found { tried: 0, skipped: Some((_, error)), .. } => Err(error.into()),
        found => Ok(found),
    }
}

/// The state of a search.
struct Search {
    lab: Lab,
    pan: Option<MeterPan>,
    data: TokenData,
    found: Found,
}

impl Search {
    /// Tries a vending key with every combination of its attributes.
    fn try_vending_key(
        &mut self,
        flags: &ExplainFlags,
        lists: &Lists,
        number: usize,
        key: Option<&Scalar<'_>>,
    ) -> Result<(), RecordError> {
        let key = needed("key.vending_key", key)?;
        let dkga = flags.dkga.as_deref().or(dkga_of_length(digits(key)));
        let algorithms = lists.algorithms(Some(key), true);
        let generator = match self.lab.read_vending_key(key, &option(dkga)) {
            Ok(generator) => generator,
            Err(error) => {
                let combinations = lists.combinations() * algorithms.len() as u64;
                self.try_key(combinations, Err(error), String::new);
                return Ok(());
            }
        };
        let dkga = dkga.unwrap_or_default();
        for ea in algorithms {
            for derivation in lists.derivations() {
                let derived = derivation.and_then(|derivation| {
                    let pan = needed("pan", self.pan)?;
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
        Ok(())
    }

    /// Tries one key, or counts so many combinations as skipped if their parts make none.
    fn try_key(
        &mut self,
        combinations: u64,
        key: Result<(DecoderKey, Option<BaseDate>), RecordError>,
        name: impl FnOnce() -> String,
    ) {
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

/// What a key depends on, in words.
fn described(derivation: Derivation) -> String {
    let Derivation { supply_group, key_revision, key_type, tariff_index, base_date } = derivation;
    let kt = key_type.value();
    format!(
        "SGC {supply_group}, KRN {key_revision}, KT {kt}, TI {tariff_index}, base date {}",
        base_date.year()
    )
}

/// The values of one list; a number that is no value of its element says so in each combination.
type List<T> = Vec<Result<T, RecordError>>;

/// The lists of the flags, written out.
struct Lists {
    sgc: List<SupplyGroupCode>,
    krn: List<KeyRevisionNumber>,
    kt: List<KeyType>,
    ti: List<TariffIndex>,
    base_dates: List<BaseDate>,
    ea: Vec<EncryptionAlgorithm>,
}

impl Lists {
    fn new(flags: &ExplainFlags) -> Done<Self> {
        let ea = flags.ea.iter().map(|code| {
            code.parse().map_err(|error| Failure::flag("--ea", format!("{error}, found {code}")))
        });
        let sgc = written_out("--sgc", flags.sgc.as_deref().unwrap_or_default(), 6)?;
        let base_dates = flags.base_dates().map(|year| {
            let year = Some(plain_number(year));
            needed("key.base_date", element::base_date("key.base_date", &year)?)
        });
        let lists = Self {
            sgc: read(&sgc, "key.sgc", |name, group| {
                element::element::<u32, _>(RecordCode::SgcFormat, name, "six digits", group)
            }),
            krn: read(&written_out("--krn", &flags.krn, 1)?, "key.krn", |name, krn| {
                element::krn(name, krn, None)
            }),
            kt: read(&written_out("--kt", &flags.kt, 1)?, "key.kt", element::kt),
            ti: read(&written_out("--ti", &flags.ti, 2)?, "key.ti", |name, index| {
                element::element::<u8, _>(RecordCode::TiFormat, name, "two digits", index)
            }),
            base_dates: base_dates.collect(),
            ea: ea.collect::<Done<_>>()?,
        };
        if lists.sgc.is_empty() && !flags.vending_key.is_empty() {
            return Err(Failure::flag(
                "--sgc",
                "a vending key needs at least one supply group code",
            ));
        }
        let found = lists.combinations();
        if found > MOST_CANDIDATES {
            let message =
                format!("too many candidates: expected at most {MOST_CANDIDATES}, found {found}");
            return Err(Failure::unable("flag", message));
        }
        Ok(lists)
    }

    /// How many keys a vending key makes with one algorithm.
    fn combinations(&self) -> u64 {
        let sizes =
            [self.sgc.len(), self.krn.len(), self.kt.len(), self.ti.len(), self.base_dates.len()];
        sizes.iter().map(|&length| length.max(1) as u64).product()
    }

    /// The encryption algorithms to try with a key of this length.
    fn algorithms(&self, key: Option<&Scalar<'_>>, vending: bool) -> Vec<EncryptionAlgorithm> {
        if !self.ea.is_empty() {
            return self.ea.clone();
        }
        match (vending, key.map_or(0, digits)) {
            (true, 40) => vec![EncryptionAlgorithm::Sta, EncryptionAlgorithm::Misty1],
            (false, 32) => vec![EncryptionAlgorithm::Misty1],
            _ => vec![EncryptionAlgorithm::Sta],
        }
    }

    /// Every combination of group, revision, type, tariff index and base date.
    fn derivations(&self) -> impl Iterator<Item = Result<Derivation, RecordError>> {
        self.sgc.iter().flat_map(move |sgc| {
            self.krn.iter().flat_map(move |krn| {
                self.kt.iter().flat_map(move |kt| {
                    self.ti.iter().flat_map(move |ti| {
                        self.base_dates.iter().map(move |base_date| {
                            Ok(Derivation {
                                key_type: kt.clone()?,
                                supply_group: sgc.clone()?,
                                tariff_index: ti.clone()?,
                                key_revision: krn.clone()?,
                                base_date: base_date.clone()?,
                            })
                        })
                    })
                })
            })
        })
    }
}

/// Reads each number of a list by the reader of its field.
fn read<T>(
    numbers: &[u32],
    field: &str,
    read: impl Fn(&str, &Field<'_>) -> Result<Option<T>, RecordError>,
) -> List<T> {
    let one = |&number| needed(field, read(field, &Some(Scalar::from(number)))?);
    numbers.iter().map(one).collect()
}

/// How many digits a key has.
fn digits(key: &Scalar<'_>) -> usize {
    if let Scalar::Text(text) = key { text.len() } else { 0 }
}

/// Writes out a list such as `1,3-5` of numbers of so many digits.
fn written_out(flag: &str, list: &str, digits: usize) -> Done<Vec<u32>> {
    let number = |text: &str| match text.parse::<u32>() {
        Ok(number) if text.len() == digits && text.bytes().all(|b| b.is_ascii_digit()) => {
            Ok(number)
        }
        _ => {
            let problem = format!("expected numbers of {digits} digits, found {text}");
            Err(Failure::flag(flag, problem))
        }
    };
    let mut numbers = Vec::new();
    for part in list.split(',').filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (number(first)?, number(last)?);
        if first > last {
            return Err(Failure::flag(flag, format!("the range {part} runs backwards")));
        }
        numbers.extend(first..=last);
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::written_out;

    #[test]
    fn lists_hold_numbers_and_ranges() {
        assert_eq!(written_out("--ti", "00,07-09", 2).unwrap(), [0, 7, 8, 9]);
        for text in ["7", "07-", "9-07", "08-07", "-1", "+1", "007"] {
            assert!(written_out("--ti", text, 2).is_err(), "{text}");
        }
    }
}
