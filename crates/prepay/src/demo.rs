//! `prepay demo`: the story so far, on embedded test keys, in one screen or two.
//!
//! Every number shown is computed here and now; the keys are the public ones of the conformance runs.

use std::io::{self, Write};

use prepay_lab::{show_test_key, time};
use prepay_token::element::{
    Amount, BaseDate, CurrencyAmount, DecoderKeyGenerationAlgorithm, EncryptionAlgorithm,
    KeyExpiryNumber, KeyRevisionNumber, KeyType, MeterPan, RandomNumber, Service, SupplyGroupCode,
    TariffIndex, TokenIdentifier,
};
use prepay_token::key::{DecoderKey, DecoderKeyGenerator, KeyParameters, TokenCipher, VendingKey};
use prepay_token::key_change::{
    Assembly, KeyChangeBuffer, KeyChangeSet, NewKey, Rollover, SetSize,
};
use prepay_token::{Token, Trace, open, seal};
use subtle::ConstantTimeEq;

use crate::Ending;
use crate::lab::{meaning, picture};
use crate::paint::{HEADING, QUIET, RESULT, WRONG, styled};

/// The public 160-bit vending key of the conformance runs.
const VENDING_KEY: [u8; 20] =
    *b"\xAB\xAB\xAB\xAB\xAB\xAB\xAB\xAB\x94\x94\x94\x94\x94\x94\x94\x94\x01\x23\x45\x67";

/// The public test meter of the conformance runs, and another one.
const PAN: &str = "600727000000000009";
const OTHER_PAN: &str = "600727111111111153";

/// When everything in the story happens.
const ISSUED_AT: &str = "2026-03-01T13:55Z";

/// A failure that the embedded data rules out.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Tells the story.
pub(crate) fn run() -> io::Result<Ending> {
    let mut out = anstream::stdout().lock();
    story(&mut out).map_err(|failure| match failure.downcast::<io::Error>() {
        Ok(error) => *error,
        Err(failure) => io::Error::other(failure),
    })?;
    Ok(Ending::Done)
}

/// The meter's key, from the vending key and what the key depends on.
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
        base_date: BaseDate::Y2014,
        encryption,
    })?)
}

fn supply_group() -> Result<SupplyGroupCode, Failure> {
    Ok("201457".parse()?)
}

fn revision() -> Result<KeyRevisionNumber, Failure> {
    Ok(KeyRevisionNumber::try_from(1)?)
}

fn heading(out: &mut impl Write, number: u8, text: &str) -> io::Result<()> {
    writeln!(out, "\n{}", styled(HEADING, format_args!("{number}  {text}")))
}

fn story(out: &mut impl Write) -> Result<(), Failure> {
    writeln!(
        out,
        "{}",
        styled(HEADING, "Prepay: prepayment tokens, from a vending key to a meter")
    )?;
    writeln!(
        out,
        "{}",
        styled(QUIET, "All keys here are public test keys. Independent software, not certified.")
    )?;

    heading(out, 1, "A vending key becomes the keys of two meters (DKGA04, EA07)")?;
    let vending_key = VendingKey::new(DecoderKeyGenerationAlgorithm::Dkga04, &VENDING_KEY)?;
    let generator = DecoderKeyGenerator::new(&vending_key);
    let (pan, other): (MeterPan, MeterPan) = (PAN.parse()?, OTHER_PAN.parse()?);
    let tariff = TariffIndex::try_from(1)?;
    let key = key_of(&generator, pan, tariff, EncryptionAlgorithm::Sta)?;
    let other_key = key_of(&generator, other, tariff, EncryptionAlgorithm::Sta)?;
    for (pan, key) in [(pan, &key), (other, &other_key)] {
        writeln!(
            out,
            "  meter {pan}   SGC 201457  KRN 1  KT 2  TI 01   key {}",
            show_test_key(key)
        )?;
    }

    heading(out, 2, "Somebody buys 25.6 kWh")?;
    let minute = time::parse(ISSUED_AT).ok_or("the embedded time is one")?;
    let identifier = BaseDate::Y2014.identifier_at(minute)?.unreserved();
    let credit = Token::Credit {
        service: Service::Electricity,
        random: RandomNumber::try_from(5)?,
        identifier,
        amount: Amount::from_tenths(256)?,
    };
    let cipher = TokenCipher::new(&key);
    let data = seal(&credit, &cipher);
    writeln!(out, "  token   {}", styled(RESULT, format_args!("{data:#}")))?;
    let opened = open(data, &cipher)?;
    writeln!(out, "  opened  {}", meaning::sentence(&opened, Some(BaseDate::Y2014)))?;

    heading(out, 3, "The same digits in another meter")?;
    match open(data, &TokenCipher::new(&other_key)) {
        Ok(_) => return Err("another meter's key opened the token".into()),
        Err(error) => writeln!(out, "  {}  {error}", styled(WRONG, "refused"))?,
    }

    heading(out, 4, "Credit in money: 10 units, and a debt of 2.50 taken back")?;
    for (hundred_thousandths, minutes) in [(1_000_000, 1), (-250_000, 2)] {
        let token = Token::CurrencyCredit {
            service: Service::Electricity,
            identifier: TokenIdentifier::try_from(identifier.value() + minutes)?,
            amount: CurrencyAmount::from_hundred_thousandths(hundred_thousandths)?,
        };
        let data = seal(&token, &cipher);
        let opened = open(data, &cipher)?;
        let sentence = meaning::sentence(&opened, None);
        writeln!(out, "  {}  {sentence}", styled(RESULT, format_args!("{data:#}")))?;
    }

    heading(out, 5, "A new tariff index takes a new key: four tokens for 128 bits (EA11)")?;
    let current = key_of(&generator, pan, tariff, EncryptionAlgorithm::Misty1)?;
    let current_cipher = TokenCipher::new(&current);
    let new_tariff = TariffIndex::try_from(2)?;
    let new = NewKey {
        key: key_of(&generator, pan, new_tariff, EncryptionAlgorithm::Misty1)?,
        key_type: KeyType::Unique,
        key_revision: Some(revision()?),
        expiry: KeyExpiryNumber::NEVER,
        tariff_index: new_tariff,
        supply_group: Some(supply_group()?),
    };
    let set = KeyChangeSet::new(&new, SetSize::Four, Rollover::Keep)?;
    let mut buffer = KeyChangeBuffer::default();
    for section in set.sections() {
        let data = seal(&Token::KeyChange(section.clone()), &current_cipher);
        let Token::KeyChange(section) = open(data, &current_cipher)? else {
            return Err("a key change token opened as something else".into());
        };
        writeln!(out, "  {}  {}", styled(RESULT, format_args!("{data:#}")), section.name())?;
        buffer.put(section);
    }
    let Assembly::Complete(assembled) = buffer.assemble(EncryptionAlgorithm::Misty1) else {
        return Err("the set of four did not complete a key".into());
    };
    let same = bool::from(assembled.new.key.ct_eq(&new.key));
    let verdict = if same { "is the one sent" } else { "is NOT the one sent" };
    writeln!(out, "  the key put together from them {verdict}")?;

    heading(out, 6, "Every step of the first token")?;
    let trace = Trace::new(data, Some(&cipher));
    picture::write_trace(out, &trace, Some(EncryptionAlgorithm::Sta), Some(BaseDate::Y2014))?;
    writeln!(
        out,
        "\n{}",
        styled(QUIET, "Next: prepay lab explain 00000000000150997584, and prepay lab --help")
    )?;
    Ok(())
}
