//! The meter of the screen: what `prepay_lab::meter` keeps, in a file or in memory.
//!
//! A demonstration can make tokens too, since its key is the public TEST key. Nothing can for a file.

use std::path::Path;

use prepay_lab::meter::{
    Done, Glance, MeterAnswer, MeterError, MeterRequest, Meters, PressedResult, StateRecord,
};
use prepay_lab::{KeyRecord, Scalar};
use prepay_token::TokenData;
use prepay_token::element::{Amount, MeterPan, TokenIdentifier};
use prepay_token::key::TokenCipher;

use crate::meter::flags::operation;
use crate::meter::test_key::{self, TestGroup, credit_token};

/// The name of the only meter.
const NAME: &str = "meter";
/// The public test meter of the conformance runs.
const PAN: &str = "600727000000000009";
/// 2026-01-01 by the base date of 2014.
const MANUFACTURED: u32 = 6_311_520;
/// What a token of the demonstration is worth: 25.6 kWh.
const TENTHS: u32 = 256;

/// Nothing to tell but the balance.
pub(super) const DONE: MeterAnswer = MeterAnswer::Done(Done { ok: true });

/// A meter and where its tokens come from.
pub(super) struct Household {
    meters: Meters,
    shop: Option<Shop>,
}

/// What makes tokens for the demonstration.
struct Shop {
    cipher: TokenCipher,
    sold: u32,
}

impl Household {
    /// The meter of a file.
    pub(super) fn in_file(file: &Path) -> Result<Self, MeterError> {
        let mut household = Self { meters: Meters::in_file(file), shop: None };
        household.glance()?;
        Ok(household)
    }

    /// A new meter under the TEST key, in memory, with the first token entered.
    pub(super) fn demonstration() -> Result<Self, MeterError> {
        let key = KeyRecord {
            vending_key: Some(Scalar::from(test_key::VENDING_KEY_HEX)),
            dkga: Some(Scalar::from("02")),
            sgc: Some(Scalar::from(test_key::SUPPLY_GROUP)),
            krn: Some(Scalar::from(1)),
            kt: Some(Scalar::from(2)),
            ti: Some(Scalar::from("01")),
            base_date: Some(Scalar::from(2014)),
            ..KeyRecord::default()
        };
        let mut meters = Meters::in_memory();
        meters.answer(&MeterRequest {
            pan: Some(Scalar::from(PAN)),
            ea: Some(Scalar::from("07")),
            key: Some(key.into()),
            manufactured_tid: Some(Scalar::from(MANUFACTURED)),
            ..operation("new")
        })?;
        let pan: MeterPan = PAN.parse().expect("it is a number of a meter");
        let shop = Shop { cipher: TestGroup::new().cipher(pan), sold: 0 };
        let mut household = Self { meters, shop: Some(shop) };
        let first = household.buy(0).expect("a demonstration has a shop");
        household.meters.answer(&MeterRequest {
            digits: Some(Scalar::from(first.to_string())),
            ..operation("enter")
        })?;
        Ok(household)
    }

    /// Whether the meter is the demonstration.
    pub(super) fn is_demonstration(&self) -> bool {
        self.shop.is_some()
    }

    /// Buys a token of 25.6 kWh, if this is the demonstration.
    pub(super) fn buy(&mut self, clock_s: u64) -> Option<TokenData> {
        let shop = self.shop.as_mut()?;
        shop.sold += 1;
        let minutes = u32::try_from(clock_s / 60).unwrap_or(u32::MAX);
        // One identifier a token, even if several are bought in a minute.
        let minute = MANUFACTURED.saturating_add(minutes).saturating_add(shop.sold);
        let identifier = TokenIdentifier::try_from(minute).ok()?;
        let amount = Amount::from_tenths(TENTHS).expect("25.6 kWh is an amount");
        Some(credit_token(&shop.cipher, identifier, amount, shop.sold as u8))
    }

    /// What can be seen of the meter.
    pub(super) fn glance(&mut self) -> Result<Glance, MeterError> {
        self.meters.glance(NAME)
    }

    /// Presses a key of the meter. Answers the result of a token that went in.
    pub(super) fn press(&mut self, key: char) -> Result<Option<PressedResult>, MeterError> {
        let press = Some(Scalar::from(key.to_string()));
        match self.meters.answer(&MeterRequest { press, ..operation("key") })? {
            MeterAnswer::Pressed(pressed) => Ok(pressed.entered),
            _ => Ok(None),
        }
    }

    /// Lets time pass with a load: watts, or litres an hour.
    pub(super) fn consume(&mut self, load: u32, seconds: u32) -> Result<(), MeterError> {
        let (watts, seconds) = (Some(Scalar::from(load)), Some(Scalar::from(seconds)));
        self.meters.answer(&MeterRequest { watts, seconds, ..operation("consume") })?;
        Ok(())
    }

    /// Opens the cover of the meter.
    pub(super) fn tamper(&mut self) -> Result<(), MeterError> {
        self.meters.answer(&operation("tamper"))?;
        Ok(())
    }

    /// What the meter knows and is.
    pub(super) fn state(mut self) -> Result<StateRecord, MeterError> {
        match self.meters.answer(&operation("state"))? {
            MeterAnswer::State(state) => Ok(*state),
            _ => unreachable!("state is answered with a state"),
        }
    }
}
