//! From flags to the record that a line of `lab batch` holds.

use std::path::Path;

use prepay_lab::{KeyRecord, Request};
use prepay_records::{Choice, ControlBits, RecordError, Rounding, Scalar, TokenKind, TokenRecord};
use prepay_token::TokenData;
use prepay_token::element::{Control, ManufacturerCode};

use super::command::{DeriveFlags, IssueFlags, KeyChangeFlags, KeyFlags, OpenFlags, VendingFlags};
use crate::failure::{Done, Failure};
use crate::file;

/// The record of `lab issue`.
pub(super) fn issue(flags: &IssueFlags) -> Done<Request<'_>> {
    Ok(Request {
        token: Some(token(flags)?),
        issued_at: option(flags.at.as_deref()),
        tid: number(flags.tid),
        rnd: number(flags.rnd),
        round: flags.round_up.then_some(Choice::Known(Rounding::Up)),
        ..keyed(&flags.key)?
    })
}

/// The record of `lab open`, for one token.
pub(super) fn open(token: TokenData, flags: &OpenFlags) -> Done<Request<'_>> {
    Ok(Request { number: Some(token.to_string().into()), ..keyed(&flags.key)? })
}

/// The record of `lab key-change`.
pub(super) fn key_change(flags: &KeyChangeFlags) -> Done<Request<'_>> {
    let from = listed_key("--from", &flags.from, &KeyRecord::default())?;
    let to = listed_key("--to", &flags.to, &from)?;
    let request = Request {
        pan: option(flags.pan.as_deref()),
        ea: text(&flags.ea),
        from: Some(from.with_usual_values().into()),
        to: Some(to.with_usual_values().into()),
        tokens: number(flags.tokens),
        ..Request::default()
    };
    Ok(request.with_usual_size())
}

/// A record with a meter and, if there is one, a key.
pub(crate) fn keyed(flags: &KeyFlags) -> Done<Request<'_>> {
    let record = KeyRecord {
        decoder_key: secret(flags.decoder_key.as_deref())?,
        ken: number(flags.ken),
        ..vending_key(&flags.vending)?
    };
    Ok(request(&flags.pan, &flags.ea, record))
}

/// The record of `lab derive`.
pub(super) fn derive(flags: &DeriveFlags) -> Done<Request<'_>> {
    let key = vending_key(&flags.vending)?;
    if key.vending_key.is_none() {
        return Err(RecordError::missing("--vending-key").into());
    }
    Ok(request(&flags.pan, &flags.ea, key))
}

fn vending_key(flags: &VendingFlags) -> Done<KeyRecord<'_>> {
    let VendingFlags { vending_key, dkga, sgc, krn, kt, ti, base_date } = flags;
    Ok(KeyRecord {
        vending_key: secret(vending_key.as_deref())?,
        dkga: option(dkga.as_deref()),
        sgc: option(sgc.as_deref()),
        krn: number(*krn),
        kt: number(*kt),
        ti: option(ti.as_deref()),
        base_date: number(*base_date),
        ..KeyRecord::default()
    })
}

fn request<'a>(pan: &'a Option<String>, ea: &'a str, key: KeyRecord<'a>) -> Request<'a> {
    let given = key.given().next().is_some();
    Request {
        pan: option(pan.as_deref()),
        ea: text(ea),
        key: given.then(|| key.with_usual_values().into()),
        ..Request::default()
    }
}

/// The message of a record's error, with flags in the place of the fields that they became.
pub(crate) fn in_flags(message: &str) -> String {
    if let Some((key @ ("from" | "to" | "policy"), pair)) = message.split_once('.') {
        return format!("--{key}: {pair}");
    }
    // What is wrong with a key as a whole is in no flag.
    if let Some(about_the_key) = message.strip_prefix("key: ") {
        return about_the_key.to_owned();
    }
    let all_fields = message.ends_with(" is missing");
    let words = message.split(' ').enumerate().map(|(place, word)| {
        let field = word.trim_end_matches([':', ',', ';']);
        // Within a sentence only a name that is no word of its own is a field.
        let is_field = all_fields || place == 0 || field.contains('_');
        let flag = flag_of(field).filter(|_| is_field);
        flag.map_or(word.to_owned(), |flag| flag + &word[field.len()..])
    });
    words.collect::<Vec<_>>().join(" ").replacen(" in a string", "", 1)
}

/// The flag that becomes a field.
fn flag_of(field: &str) -> Option<String> {
    let name = field.strip_prefix("token.").or_else(|| field.strip_prefix("key."));
    Some(match name.unwrap_or(field) {
        "issued_at" => "--at".to_owned(),
        "round" => "--round-up".to_owned(),
        "request" => "--request-id".to_owned(),
        "number" | "digits" => "the token".to_owned(),
        "type" => "TYPE".to_owned(),
        "key" => "--decoder-key or --vending-key".to_owned(),
        name if name != field || FIELDS.contains(&name) => format!("--{}", name.replace('_', "-")),
        _ => return None,
    })
}

/// Fields outside of `token` and `key` whose flags have their names.
const FIELDS: &[&str] = &[
    "pan",
    "ea",
    "tid",
    "rnd",
    "tokens",
    "from",
    "to",
    "register",
    "ti",
    "tct",
    "new_ti",
    "carrier",
    "services",
    "phases",
    "currency",
    "kct",
    "tids",
    "manufactured_at",
    "manufactured_tid",
    "policy",
    "base_date",
    "decoder_key",
    "vending_key",
];

/// A key as `field=value` pairs. Missing fields are taken from another key.
fn listed_key<'a>(flag: &str, pairs: &'a str, other: &KeyRecord<'a>) -> Done<KeyRecord<'a>> {
    let mut record = other.clone();
    if pairs.split(',').any(|pair| pair.starts_with("vending_key=")) {
        record.dkga = None; // The other key's algorithm need not suit this one.
    }
    let mut fields = Vec::new();
    for pair in pairs.split(',') {
        let (field, value) = pair.split_once('=').ok_or_else(|| {
            Failure::flag(flag, "expected field=value pairs, found one without =")
        })?;
        if fields.contains(&field) {
            return Err(Failure::flag(
                flag,
                format!("expected each field once, found {field} twice"),
            ));
        }
        fields.push(field);
        match field {
            "decoder_key" => {
                record.vending_key = None;
                record.dkga = None;
                record.decoder_key = secret(Some(value))?;
            }
            "vending_key" => {
                record.decoder_key = None;
                record.vending_key = secret(Some(value))?;
            }
            "dkga" => record.dkga = text(value),
            "sgc" => record.sgc = text(value),
            "ti" => record.ti = text(value),
            "krn" => record.krn = Some(plain_number(value)),
            "kt" => record.kt = Some(plain_number(value)),
            "ken" => record.ken = Some(plain_number(value)),
            "base_date" => record.base_date = Some(plain_number(value)),
            _ => return Err(Failure::flag(flag, format!("a key has no field called {field}"))),
        }
    }
    Ok(record)
}

/// A number if the text is one; otherwise the text, for the laboratory to refuse by the field's code.
pub(super) fn plain_number(value: &str) -> Scalar<'_> {
    value.parse::<u32>().map_or_else(|_| Scalar::from(value), Scalar::from)
}

fn token(flags: &IssueFlags) -> Done<TokenRecord<'_>> {
    let is_credit = matches!(flags.kind, TokenKind::Credit | TokenKind::CurrencyCredit);
    let is_display = matches!(flags.kind, TokenKind::Test | TokenKind::ExtendedRead);
    let code = flags.mfr_code.as_deref().or(is_display.then_some("00"));
    let control = match (flags.test, code.and_then(|code| code.parse().ok())) {
        (None, _) => option(flags.control.as_deref()).map(ControlBits::from),
        (Some(test), Some(code)) => Some(ControlBits::Bits(test_control(code, test)?.bits())),
        // The code itself is refused.
        (Some(_), None) => None,
    };
    Ok(TokenRecord {
        service: option(flags.service.as_deref().or(is_credit.then_some("electricity"))),
        amount: option(flags.amount.as_deref()),
        control,
        mfr_code: option(code),
        register: number(flags.register),
        ..flags.function.record(flags.kind)
    })
}

/// The control field of one test.
fn test_control(code: ManufacturerCode, test: u8) -> Done<Control> {
    Control::for_test(code, test).ok_or_else(|| {
        let widest = Control::width_beside(code);
        Failure::flag("--test", format!("expected 0 to {widest} beside code {code}, found {test}"))
    })
}

/// A key given as it is, or as the name of a file that holds it.
pub(super) fn secret(given: Option<&str>) -> Done<Option<Scalar<'_>>> {
    let Some(given) = given else { return Ok(None) };
    match given.strip_prefix('@') {
        None => Ok(text(given)),
        Some(path) => {
            let key = file::read(Path::new(path))?;
            Ok(Some(Scalar::from(key.trim().to_owned())))
        }
    }
}

pub(crate) fn text(text: &str) -> Option<Scalar<'_>> {
    Some(Scalar::from(text))
}

pub(crate) fn option(text: Option<&str>) -> Option<Scalar<'_>> {
    text.map(Scalar::from)
}

pub(crate) fn number(number: Option<u32>) -> Option<Scalar<'static>> {
    number.map(Scalar::from)
}
