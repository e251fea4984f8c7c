//! Which key opens a token: every combination of what was given, tried in turn.
//!
//! A wrong key passes the 16-bit checksum once in 65 536 tries on average, so the number of candidates
//! tells how far a match can be trusted.

use std::io;

use prepay_lab::{KeyRecord, Lab, LabError, ResolvedKey, Scalar, meter_pan};
use prepay_token::element::{BaseDate, EncryptionAlgorithm, MeterPan};
use prepay_token::key::TokenCipher;
use prepay_token::{TokenData, open};

use crate::cli::ExplainFlags;

use super::flags::{dkga_of_length, plain_number, secret, text};

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
    pub(super) skipped: Option<(u64, LabError)>,
}

/// Tries every combination of the flags on a token.
pub(super) fn search(flags: &ExplainFlags, data: TokenData) -> io::Result<Result<Found, LabError>> {
    let lists = Lists::new(flags)?;
    let mut search = Search {
        lab: Lab::default(),
        pan: None,
        data,
        found: Found { tried: 0, matches: Vec::new(), last: None, skipped: None },
    };
    if let Some(pan) = &flags.pan {
        match meter_pan(pan) {
            Ok(pan) => search.pan = Some(pan),
            Err(error) => return Ok(Err(error)),
        }
    }
    for (index, key) in flags.decoder_key.iter().enumerate() {
        let key = secret(Some(key))?;
        for ea in lists.algorithms(key.as_ref(), false) {
            let record = KeyRecord {
                decoder_key: key.clone(),
                base_date: flags
                    .base_date
                    .as_deref()
                    .and(lists.base_dates.first())
                    .map(|year| plain_number(year)),
                ..KeyRecord::default()
            };
            search.try_key(format!("decoder key {}, EA{ea}", index + 1), record, ea);
        }
    }
    for (index, key) in flags.vending_key.iter().enumerate() {
        let key = secret(Some(key))?;
        search.try_vending_key(flags, &lists, index + 1, key.as_ref());
    }
    match search.found {
        // Nothing but combinations that make no key: the first says what is wrong.
        Found { tried: 0, skipped: Some((_, error)), .. } => Ok(Err(error)),
        found => Ok(Ok(found)),
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
    ) {
        let digits = if let Some(Scalar::Text(text)) = key { text.len() } else { 0 };
        let dkga = flags.dkga.as_deref().or(dkga_of_length(digits));
        for ea in lists.algorithms(key, true) {
            for sgc in &lists.sgc {
                for (krn, kt, ti, year) in lists.attributes() {
                    let record = KeyRecord {
                        vending_key: key.cloned(),
                        dkga: dkga.and_then(text),
                        sgc: text(sgc),
                        krn: Some(plain_number(krn)),
                        kt: Some(plain_number(kt)),
                        ti: text(ti),
                        base_date: Some(plain_number(year)),
                        ..KeyRecord::default()
                    };
                    let name = format!(
                        "vending key {number}, DKGA{}, EA{ea}, SGC {sgc}, KRN {krn}, KT {kt}, TI {ti}, base date {year}",
                        dkga.unwrap_or("?")
                    );
                    self.try_key(name, record, ea);
                }
            }
        }
    }

    /// Tries one key, or counts it as skipped if its parts make none.
    fn try_key(&mut self, name: String, record: KeyRecord<'_>, ea: EncryptionAlgorithm) {
        let ResolvedKey { key, attributes } = match self.lab.key(record, self.pan, ea) {
            Ok(resolved) => resolved,
            Err(error) => {
                self.found.skipped.get_or_insert((0, error)).0 += 1;
                return;
            }
        };
        let base_date = attributes.base_date;
        let candidate = Candidate { name, cipher: TokenCipher::new(&key), base_date };
        self.found.tried += 1;
        if open(self.data, &candidate.cipher).is_ok() {
            self.found.matches.push(candidate);
        } else {
            self.found.last = Some(candidate);
        }
    }
}

/// The lists of the flags, written out.
struct Lists {
    sgc: Vec<String>,
    krn: Vec<String>,
    kt: Vec<String>,
    ti: Vec<String>,
    base_dates: Vec<String>,
    ea: Vec<EncryptionAlgorithm>,
}

impl Lists {
    fn new(flags: &ExplainFlags) -> io::Result<Self> {
        let ea = flags.ea.iter().map(|code| {
            code.parse().map_err(|error| input_error(&format!("--ea: {error}, found {code}")))
        });
        let lists = Self {
            sgc: written_out("--sgc", flags.sgc.as_deref().unwrap_or_default(), 6)?,
            krn: written_out("--krn", &flags.krn, 1)?,
            kt: written_out("--kt", &flags.kt, 1)?,
            ti: written_out("--ti", &flags.ti, 2)?,
            base_dates: flags
                .base_date
                .as_deref()
                .unwrap_or("1993")
                .split(',')
                .map(str::to_owned)
                .collect(),
            ea: ea.collect::<io::Result<_>>()?,
        };
        if lists.sgc.is_empty() && !flags.vending_key.is_empty() {
            return invalid("--sgc: a vending key needs at least one supply group code");
        }
        let sizes = [&lists.sgc, &lists.krn, &lists.kt, &lists.ti, &lists.base_dates];
        let combinations = sizes.iter().map(|list| list.len().max(1) as u64).product::<u64>();
        if combinations > MOST_CANDIDATES {
            let message = format!(
                "too many candidates: expected at most {MOST_CANDIDATES}, found {combinations}"
            );
            return invalid(&message);
        }
        Ok(lists)
    }

    /// The encryption algorithms to try with a key of this length.
    fn algorithms(&self, key: Option<&Scalar<'_>>, vending: bool) -> Vec<EncryptionAlgorithm> {
        if !self.ea.is_empty() {
            return self.ea.clone();
        }
        let digits = if let Some(Scalar::Text(text)) = key { text.len() } else { 0 };
        match (vending, digits) {
            (true, 40) => vec![EncryptionAlgorithm::Sta, EncryptionAlgorithm::Misty1],
            (false, 32) => vec![EncryptionAlgorithm::Misty1],
            _ => vec![EncryptionAlgorithm::Sta],
        }
    }

    /// Every combination of revision, type, tariff index and base date.
    fn attributes(&self) -> impl Iterator<Item = (&str, &str, &str, &str)> {
        self.krn.iter().flat_map(move |krn| {
            self.kt.iter().flat_map(move |kt| {
                self.ti.iter().flat_map(move |ti| {
                    let years = self.base_dates.iter();
                    years.map(move |year| (krn.as_str(), kt.as_str(), ti.as_str(), year.as_str()))
                })
            })
        })
    }
}

/// Writes out a list such as `1,3-5` in numbers of so many digits.
fn written_out(flag: &str, list: &str, digits: usize) -> io::Result<Vec<String>> {
    let number = |text: &str| match text.parse::<u32>() {
        Ok(number) if text.len() == digits && text.bytes().all(|b| b.is_ascii_digit()) => {
            Ok(number)
        }
        _ => {
            Err(input_error(&format!("{flag}: expected numbers of {digits} digits, found {text}")))
        }
    };
    let mut numbers = Vec::new();
    for part in list.split(',').filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (number(first)?, number(last)?);
        if first > last {
            return invalid(&format!("{flag}: the range {part} runs backwards"));
        }
        numbers.extend((first..=last).map(|number| format!("{number:0digits$}")));
    }
    Ok(numbers)
}

fn input_error(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

fn invalid<T>(message: &str) -> io::Result<T> {
    Err(input_error(message))
}

#[cfg(test)]
mod tests {
    use super::written_out;

    #[test]
    fn lists_hold_numbers_and_ranges() {
        let list = written_out("--ti", "00,07-09", 2).unwrap();
        assert_eq!(list, ["00", "07", "08", "09"]);
        for text in ["7", "07-", "9-07", "08-07", "-1", "+1", "007"] {
            assert!(written_out("--ti", text, 2).is_err(), "{text}");
        }
    }
}
