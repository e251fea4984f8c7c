//! The keys that `lab explain` tries, from lists and ranges.

use prepay_lab::{KeyLists, List};
use prepay_records::element::{self, Field, needed};
use prepay_records::pasted::meter_number;
use prepay_records::{RecordCode, RecordError, Scalar};
use prepay_token::element::MeterPan;

use super::command::ExplainFlags;
use crate::failure::{Done, Failure};

use super::flags::{number, option, plain_number, secret};

/// The most combinations that are tried.
const MOST_CANDIDATES: u64 = 20_000_000;

/// The most numbers that are one slip away from a token.
const MOST_SLIPS: u64 = 199;

/// The lists of the flags, written out.
pub(super) fn key_lists(flags: &ExplainFlags) -> Done<KeyLists<'_>> {
    let ea = flags.ea.iter().map(|code| {
        code.parse().map_err(|error| Failure::flag("--ea", format!("{error}, found {code}")))
    });
    let base_dates: List<_> = flags
        .base_dates()
        .map(|year| {
            let year = Some(plain_number(year));
            needed("key.base_date", element::base_date("key.base_date", &year)?)
        })
        .collect();
    let sgc = written_out("--sgc", flags.sgc.as_deref().unwrap_or_default(), 6)?;
    let lists = KeyLists {
        pans: pans(flags.pan.as_deref())?,
        algorithms: ea.collect::<Done<_>>()?,
        decoder_keys: secrets(&flags.decoder_key)?,
        decoder_base_dates: match &flags.base_date {
            Some(_) => base_dates.clone(),
            None => Vec::new(),
        },
        vending_keys: secrets(&flags.vending_key)?,
        dkga: option(flags.dkga.as_deref()),
        supply_groups: read(&sgc, "key.sgc", |name, group| {
            element::element::<u32, _>(RecordCode::SgcFormat, name, "six digits", group)
        }),
        key_revisions: read(&written_out("--krn", &flags.krn, 1)?, "key.krn", |name, krn| {
            element::krn(name, krn, None)
        }),
        key_types: read(&written_out("--kt", &flags.kt, 1)?, "key.kt", element::kt),
        tariff_indexes: read(&written_out("--ti", &flags.ti, 2)?, "key.ti", |name, index| {
            element::element::<u8, _>(RecordCode::TiFormat, name, "two digits", index)
        }),
        base_dates,
        expiry: element::ken("key.ken", &number(flags.ken))?,
    };
    if lists.supply_groups.is_empty() && !lists.vending_keys.is_empty() {
        return Err(Failure::flag("--sgc", "a vending key needs at least one supply group code"));
    }
    let slips = if flags.repair { MOST_SLIPS } else { 1 };
    let found = lists.combinations().saturating_mul(slips);
    if found > MOST_CANDIDATES {
        let message =
            format!("too many candidates: expected at most {MOST_CANDIDATES}, found {found}");
        return Err(Failure::unable("flag", message));
    }
    Ok(lists)
}

/// The meters of a list.
fn pans(list: Option<&str>) -> Done<Vec<MeterPan>> {
    let list = list.into_iter().flat_map(|list| list.split(','));
    Ok(list.map(meter_number).collect::<Result<_, _>>()?)
}

fn secrets(given: &[String]) -> Done<Vec<Scalar<'_>>> {
    given.iter().filter_map(|key| secret(Some(key)).transpose()).collect()
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

/// Writes out a list such as `1,3-5` of numbers of so many digits.
pub(crate) fn written_out(flag: &str, list: &str, digits: usize) -> Done<Vec<u32>> {
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
