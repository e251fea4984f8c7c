//! `prepay demo`: everything in a few screens, with embedded test keys.
//!
//! Every number is computed during the run. The vending key is the public one of the conformance runs; the keys with
//! which centre and module protect it are new each time.

mod ceremony;
mod meter;
mod sale;

use std::io::{self, Write};

use prepay_basics::Moment;
use prepay_lab::show_test_key;
use prepay_records::time;
use prepay_token::element::{
    Amount, BaseDate, CurrencyAmount, DecoderKeyGenerationAlgorithm, EncryptionAlgorithm,
    KeyExpiryNumber, KeyRevisionNumber, KeyType, MeterPan, RandomNumber, Service, SupplyGroupCode,
    TariffIndex, TokenIdentifier,
};
use prepay_token::key::{DecoderKey, DecoderKeyGenerator, KeyParameters, TokenCipher, VendingKey};
use prepay_token::key_change::{
    Assembly, KeyChangeBuffer, KeyChangeSet, NewKey, Rollover, SetSize,
};
use prepay_token::{OpenError, Token, TokenData, Trace, open, seal};
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use self::ceremony::Ceremony;
use crate::Ending;
use crate::lab::{meaning, picture};
use crate::paint::{HEADING, QUIET, RESULT, WRONG, styled};

/// The public 160-bit vending key of the conformance runs.
const VENDING_KEY: [u8; 20] =
    *b"\xAB\xAB\xAB\xAB\xAB\xAB\xAB\xAB\x94\x94\x94\x94\x94\x94\x94\x94\x01\x23\x45\x67";

/// The public test meter of the conformance runs, and another one.
const PAN: &str = "600727000000000009";
const OTHER_PAN: &str = "600727111111111153";

/// The time of everything in the demonstration.
const ISSUED_AT: &str = "2026-03-01T13:55Z";

/// The base date of the vending key.
const BASE_DATE: BaseDate = BaseDate::Y2014;

/// An error, which cannot happen with the embedded data.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The results of the demonstration.
struct Story {
    ceremony: Ceremony,
    keys: [(MeterPan, DecoderKey); 2],
    credit: TokenData,
    credit_meaning: String,
    refusal: OpenError,
    currency: Vec<(TokenData, String)>,
    key_change: Vec<(TokenData, &'static str)>,
    key_arrived: bool,
    events: Vec<meter::Event>,
    trace: Trace,
    sale: sale::Sale,
}

/// Runs the demonstration.
pub(crate) fn run(as_json: bool) -> io::Result<Ending> {
    let story = play().map_err(io::Error::other)?;
    if as_json {
        crate::json::print(&story.as_value(), false)?;
    } else {
        story.print(&mut anstream::stdout().lock())?;
    }
    Ok(Ending::Done)
}

/// Derives a meter's key.
fn key_of(
    generator: &DecoderKeyGenerator,
    pan: MeterPan,
    tariff_index: TariffIndex,
    encryption: EncryptionAlgorithm,
) -> Result<DecoderKey, Failure> {
    Ok(generator.derive(&KeyParameters {
        pan,
        key_type: KeyType::Unique,
        supply_group: supply_group()?,
        tariff_index,
        key_revision: revision()?,
        base_date: BASE_DATE,
        encryption,
    })?)
}

fn supply_group() -> Result<SupplyGroupCode, Failure> {
    Ok("201457".parse()?)
}

fn revision() -> Result<KeyRevisionNumber, Failure> {
    Ok(KeyRevisionNumber::try_from(1)?)
}

/// Computes the results.
fn play() -> Result<Story, Failure> {
    let vending_key = VendingKey::new(DecoderKeyGenerationAlgorithm::Dkga04, &VENDING_KEY)?;
    let generator = DecoderKeyGenerator::new(&vending_key);
    let (pan, other): (MeterPan, MeterPan) = (PAN.parse()?, OTHER_PAN.parse()?);
    let tariff = TariffIndex::try_from(1)?;
    let key = key_of(&generator, pan, tariff, EncryptionAlgorithm::Sta)?;
    let other_key = key_of(&generator, other, tariff, EncryptionAlgorithm::Sta)?;
    let cipher = TokenCipher::new(&key);

    let minute = time::minute(ISSUED_AT).ok_or("the embedded time is one")?;
    let identifier = BASE_DATE.identifier_at(minute)?.unreserved();
    let credit = Token::Credit {
        service: Service::Electricity,
        random: RandomNumber::try_from(5)?,
        identifier,
        amount: Amount::from_tenths(256)?,
    };
    let data = seal(&credit, &cipher);
    let now = Moment::from_unix_seconds(minute.unix_seconds().unsigned_abs());
    let now = now.ok_or("the embedded time is a moment")?;
    let ceremony = ceremony::hold(now, &vending_key, pan, identifier)?;
    if ceremony.token != data {
        return Err("the module issued other digits than the plain key".into());
    }
    let credit_meaning = meaning::sentence(&open(data, &cipher)?, Some(BASE_DATE));
    let Err(refusal) = open(data, &TokenCipher::new(&other_key)) else {
        return Err("another meter's key opened the token".into());
    };

    let mut currency = Vec::new();
    for (hundred_thousandths, minutes) in [(1_000_000, 1), (-250_000, 2)] {
        let token = Token::CurrencyCredit {
            service: Service::Electricity,
            identifier: TokenIdentifier::try_from(identifier.value() + minutes)?,
            amount: CurrencyAmount::from_hundred_thousandths(hundred_thousandths)?,
        };
        let data = seal(&token, &cipher);
        currency.push((data, meaning::sentence(&open(data, &cipher)?, None)));
    }

    let attributed = |tariff_index| -> Result<NewKey, Failure> {
        Ok(NewKey {
            key: key_of(&generator, pan, tariff_index, EncryptionAlgorithm::Misty1)?,
            key_type: KeyType::Unique,
            key_revision: Some(revision()?),
            expiry: KeyExpiryNumber::NEVER,
            tariff_index,
            supply_group: Some(supply_group()?),
        })
    };
    let (old, new) = (attributed(tariff)?, attributed(TariffIndex::try_from(2)?)?);
    let current = TokenCipher::new(&old.key);
    let mut buffer = KeyChangeBuffer::default();
    let mut key_change = Vec::new();
    for section in KeyChangeSet::new(&new, SetSize::Four, Rollover::Keep)?.sections() {
        let data = seal(&Token::KeyChange(section.clone()), &current);
        let Token::KeyChange(section) = open(data, &current)? else {
            return Err("a key change token opened as something else".into());
        };
        key_change.push((data, section.name()));
        buffer.put(section);
    }
    let Assembly::Complete(assembled) = buffer.assemble(EncryptionAlgorithm::Misty1) else {
        return Err("the set of four did not complete a key".into());
    };

    Ok(Story {
        ceremony,
        keys: [(pan, key), (other, other_key)],
        credit: data,
        credit_meaning,
        refusal,
        currency,
        key_change,
        key_arrived: assembled.new.key.ct_eq(&new.key).into(),
        events: meter::live(pan, old, &new, identifier)?,
        trace: Trace::new(data, Some(&cipher)),
        sale: sale::sell(pan, data, ISSUED_AT.parse()?)?,
    })
}

impl Story {
    /// Prints the results for people.
    fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let digits = |data: &TokenData| styled(RESULT, format_args!("{data:#}"));
        writeln!(
            out,
            "{}",
            styled(HEADING, "Prepay: prepayment tokens, from a vending key to a meter")
        )?;
        let remark =
            "Test keys only: the vending key is public. Independent software, not certified.";
        writeln!(out, "{}", styled(QUIET, remark))?;

        self.ceremony.print(out)?;

        heading(out, 3, "A vending key becomes the keys of two meters (DKGA04, EA07)")?;
        for (pan, key) in &self.keys {
            let key = show_test_key(key);
            writeln!(out, "  meter {pan}   SGC 201457  KRN 1  KT 2  TI 01   key {key}")?;
        }

        heading(out, 4, "A customer buys 25.6 kWh: the module issues a token")?;
        writeln!(out, "  token   {}   the same as under the plain key", digits(&self.credit))?;
        writeln!(out, "  opened  {}", self.credit_meaning)?;

        heading(out, 5, "Another meter refuses the same digits")?;
        writeln!(out, "  {}  {}", styled(WRONG, "refused"), self.refusal)?;

        heading(out, 6, "Credit in money: 10 units, and minus 2.50 to recover a debt")?;
        for (data, meaning) in &self.currency {
            writeln!(out, "  {}  {meaning}", digits(data))?;
        }

        heading(out, 7, "A new tariff index needs a new key: four tokens for 128 bits (EA11)")?;
        for (data, name) in &self.key_change {
            writeln!(out, "  {}  {name}", digits(data))?;
        }
        let verdict = if self.key_arrived { "is the new key" } else { "is NOT the new key" };
        writeln!(out, "  the key assembled from them {verdict}")?;

        heading(out, 8, "A meter's life: credit, a replay, the new key, the end of the old one")?;
        for event in &self.events {
            let result = match event.result {
                refused if refused.ends_with("error") => {
                    styled(WRONG, format_args!("{refused:<10}"))
                }
                taken => styled(RESULT, format_args!("{taken:<10}")),
            };
            let (units, tenths) = (event.balance_tenths / 10, event.balance_tenths % 10);
            let digits = digits(&event.data);
            writeln!(out, "  {digits}  {result}  {units:>3}.{tenths} kWh  {}", event.what)?;
        }

        heading(out, 9, "Every step in reading the token of 25.6 kWh")?;
        picture::write_trace(out, &self.trace, Some(EncryptionAlgorithm::Sta), Some(BASE_DATE))?;

        heading(out, 10, "What the customer sees: a price that explains itself, and the receipt")?;
        self.sale.print(out)?;
        // Most readers have not installed the program.
        let next = "Next: cargo run --release -- lab explain 00000000000150997584\n      (once it is installed: prepay lab explain 00000000000150997584, and prepay help)";
        writeln!(out, "\n{}", styled(QUIET, next))
    }

    /// The results as JSON.
    fn as_value(&self) -> Value {
        let key = |(pan, key): &(MeterPan, DecoderKey)| json!({"pan": pan.to_string(), "test_key": show_test_key(key)});
        let currency = |(data, meaning): &(TokenData, String)| json!({"number": data.to_string(), "meaning": meaning});
        let section =
            |(data, name): &(TokenData, &str)| json!({"number": data.to_string(), "section": name});
        let event = |event: &meter::Event| {
            let tenths = event.balance_tenths;
            let balance = format!("{}.{}", tenths / 10, tenths % 10);
            let number = event.data.to_string();
            json!({"number": number, "what": event.what, "result": event.result, "balance": balance})
        };
        json!({
            "ceremony": self.ceremony.as_value(),
            "keys": self.keys.iter().map(key).collect::<Vec<_>>(),
            "credit": {"number": self.credit.to_string(), "meaning": self.credit_meaning},
            "refused_by_another_meter": self.refusal.to_string(),
            "currency": self.currency.iter().map(currency).collect::<Vec<_>>(),
            "key_change": self.key_change.iter().map(section).collect::<Vec<_>>(),
            "key_arrived": self.key_arrived,
            "sale": self.sale.as_value(),
            "meter": self.events.iter().map(event).collect::<Vec<_>>(),
        })
    }
}

fn heading(out: &mut impl Write, number: u8, text: &str) -> io::Result<()> {
    writeln!(out, "\n{}", styled(HEADING, format_args!("{number}  {text}")))
}
