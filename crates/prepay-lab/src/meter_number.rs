//! One meter number laid open: its parts, its check digits, and what was perhaps meant.
//!
//! - A proposal always has right check digits, but only the meter's label tells which is the meter.

use prepay_records::pasted::meter_number;
use prepay_records::{RecordCode, RecordError};
use prepay_token::element::{DecoderReferenceNumber, MeterPan, ParseMeterNumberError};
use serde::{Serialize, Serializer};

/// The answer of `lab pan` about one number.
#[derive(Debug, Serialize)]
pub struct MeterNumber {
    /// The number as it was given, without blanks.
    pub given: String,
    /// The whole number of the meter, if the check digits are right.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_text")]
    pub pan: Option<MeterPan>,
    /// Its parts, if there are as many digits as a meter number has.
    #[serde(flatten)]
    pub parts: Option<MeterNumberParts>,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<RecordError>,
    /// Numbers that were perhaps meant, the likelier first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub proposals: Vec<MeterNumberProposal>,
}

/// The parts of a meter number, right or wrong.
#[derive(Debug, Serialize)]
pub struct MeterNumberParts {
    /// The issuer: six digits, or 0000.
    pub issuer: String,
    /// The decoder reference number, which the label of the meter shows.
    pub meter_number: String,
    /// The manufacturer code.
    pub manufacturer: String,
    /// The serial number.
    pub serial: String,
}

/// A number that was perhaps meant.
#[derive(Debug, Serialize)]
pub struct MeterNumberProposal {
    /// The whole number.
    #[serde(serialize_with = "pan_text")]
    pub pan: MeterPan,
    /// What must have happened.
    pub why: String,
}

impl MeterNumber {
    /// Explains a number.
    pub fn new(text: &str) -> Self {
        let given: String = text.chars().filter(|character| !character.is_whitespace()).collect();
        let result = meter_number(text);
        let proposals = match &result {
            Err(error) if error.code != RecordCode::PanFormat || is_digits(&given) => {
                proposals(&given)
            }
            _ => Vec::new(),
        };
        Self {
            pan: result.as_ref().ok().copied(),
            parts: parts(&given),
            error: result.err(),
            proposals,
            given,
        }
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn parts(digits: &str) -> Option<MeterNumberParts> {
    if !is_digits(digits) {
        return None;
    }
    let (issuer, drn) = match digits.len() {
        11 => ("600727", digits),
        13 => ("0000", digits),
        18 => {
            let (front, _) = digits.split_at(17);
            front.split_at(if digits.starts_with("0000") { 4 } else { 6 })
        }
        _ => return None,
    };
    let (manufacturer, rest) = drn.split_at(drn.len() - 9);
    Some(MeterNumberParts {
        issuer: issuer.to_owned(),
        meter_number: drn.to_owned(),
        manufacturer: manufacturer.to_owned(),
        serial: rest[..8].to_owned(),
    })
}

/// Numbers with right check digits that are one step away.
fn proposals(digits: &str) -> Vec<MeterNumberProposal> {
    let mut proposals: Vec<MeterNumberProposal> = Vec::new();
    let mut propose = |digits: &str, why: String| {
        if let Ok(pan) = meter_number(digits)
            && proposals.iter().all(|other| other.pan != pan)
        {
            proposals.push(MeterNumberProposal { pan, why });
        }
    };
    let count = digits.len();
    match count {
        10 | 12 => propose(&with_check_digit(digits), "its check digit was left out".to_owned()),
        17 => propose(&with_pan_check_digit(digits), "its last digit was left out".to_owned()),
        11 | 13 => {
            propose(&with_check_digit(&digits[..count - 1]), "the last digit is wrong".to_owned());
        }
        18 => {
            let start = if digits.starts_with("0000") { 4 } else { 6 };
            let drn = with_check_digit(&digits[start..16]);
            let right = with_pan_check_digit(&format!("{}{drn}", &digits[..start]));
            let wrong = [17, 18]
                .into_iter()
                .filter(|&place| digits.as_bytes()[place - 1] != right.as_bytes()[place - 1]);
            let wrong: Vec<_> = wrong.map(|place| format!("digit {place}")).collect();
            let are = if wrong.len() == 1 { "is" } else { "are" };
            propose(&right, format!("{} {are} wrong", wrong.join(" and ")));
        }
        _ => {}
    }
    for place in 1..count {
        let mut swapped = digits.as_bytes().to_vec();
        swapped.swap(place - 1, place);
        if let Ok(swapped) = String::from_utf8(swapped) {
            propose(&swapped, format!("digits {place} and {} are swapped", place + 1));
        }
    }
    for whole in [11, 13, 18] {
        if (1..=5).contains(&(whole - count.min(whole))) {
            let lost = whole - count;
            let zeros = if lost == 1 { "a zero" } else { "zeros" };
            propose(&format!("{digits:0>whole$}"), format!("{zeros} in front got lost"));
        }
    }
    proposals
}

/// A decoder reference number without its check digit, completed.
fn with_check_digit(front: &str) -> String {
    match format!("{front}0").parse::<DecoderReferenceNumber>() {
        Err(ParseMeterNumberError::DrnCheckDigit { expected, .. }) => format!("{front}{expected}"),
        _ => format!("{front}0"),
    }
}

/// A whole number with a right decoder reference number but without its last digit, completed.
fn with_pan_check_digit(front: &str) -> String {
    match format!("{front}0").parse::<MeterPan>() {
        Err(ParseMeterNumberError::PanCheckDigit { expected, .. }) => format!("{front}{expected}"),
        _ => format!("{front}0"),
    }
}

fn as_text<S: Serializer>(pan: &Option<MeterPan>, serializer: S) -> Result<S::Ok, S::Error> {
    match pan {
        Some(pan) => pan_text(pan, serializer),
        None => serializer.serialize_none(),
    }
}

fn pan_text<S: Serializer>(pan: &MeterPan, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(pan.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole number of a meter.
    fn whole(drn: &str) -> String {
        MeterPan::new(drn.parse().unwrap()).to_string()
    }

    #[test]
    fn a_wrong_number_finds_the_right_one() {
        let meter = whole("12345678903");
        let zero = with_check_digit("0123456789");
        let mut swapped = meter.clone().into_bytes();
        swapped.swap(6, 7);
        let swapped = String::from_utf8(swapped).unwrap();
        // (given, what is proposed, why)
        for (given, pan, why) in [
            ("600727000000000008", "600727000000000009", "digit 18 is wrong"),
            ("60072700000000005 9", "600727000000000009", "digit 17 is wrong"),
            ("11111111113", &whole("11111111115"), "the last digit is wrong"),
            ("1234567890", &meter, "its check digit was left out"),
            (&meter[..17], &meter, "its last digit was left out"),
            (&zero[1..], &whole(&zero), "a zero in front got lost"),
            (&swapped, &meter, "digits 7 and 8 are swapped"),
        ] {
            let answer = MeterNumber::new(given);
            assert!(answer.error.is_some() && answer.pan.is_none(), "{given}");
            let found: Vec<_> =
                answer.proposals.iter().map(|is| (is.pan.to_string(), &*is.why)).collect();
            assert!(found.contains(&(pan.to_owned(), why)), "{given}: {found:?}");
        }
    }

    #[test]
    fn every_proposal_is_a_meter_number_and_a_right_number_has_none() {
        for given in ["600727000000000009", "11111111115", "0100000000008"] {
            let answer = MeterNumber::new(given);
            assert!(answer.pan.is_some() && answer.proposals.is_empty(), "{given}");
        }
        for given in ["6007270000000O0009", "", "1", "600727-00000000000-9", "é"] {
            let answer = MeterNumber::new(given);
            assert!(answer.error.is_some(), "{given}");
        }
    }
}
