//! The meter on the screen: one of `prepay_lab::meter`, in a file or in memory.
//!
//! A demonstration can also issue tokens, because its key is the public TEST key. For a meter in a file there are
//! none.

use std::path::Path;

use prepay_lab::KeyRecord;
use prepay_lab::meter::{Glance, MeterError, MeterRequest, Meters, StateRecord};
use prepay_meter::TokenResult;
use prepay_records::Scalar;
use prepay_token::TokenData;
use prepay_token::element::{Amount, MeterPan, TokenCarrierType, TokenIdentifier};
use prepay_token::key::TokenCipher;

use crate::failure::Done;
use crate::meter::flags::KeypadFlags;
use crate::meter::only;
use crate::meter::test_key::{self, TestGroup, credit_token};

/// The public test meter of the conformance runs.
const PAN: &str = "600727000000000009";
/// 2026-01-01 by the base date of 2014.
const MANUFACTURED: u32 = 6_311_520;
/// The amount of a demonstration token: 25.6 kWh.
const TENTHS: u32 = 256;

/// A meter, and the shop that sells its tokens.
pub(super) struct Household {
    meters: Meters,
    shop: Option<Shop>,
}

/// Issues tokens for the demonstration.
struct Shop {
    cipher: TokenCipher,
    sold: u32,
}

impl Household {
    /// The meter in a file.
    pub(super) fn in_file(file: &Path, keypad: &KeypadFlags) -> Done<Self> {
        let mut household = Self { meters: keypad.with(Meters::in_file(file))?, shop: None };
        household.glance()?;
        Ok(household)
    }

    /// A new meter under the TEST key, in memory, with the first token entered.
    pub(super) fn demonstration(keypad: &KeypadFlags) -> Done<Self> {
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
        let mut meters = keypad.with(Meters::in_memory())?;
        let new = meters.read_new(&MeterRequest {
            pan: Some(Scalar::from(PAN)),
            ea: Some(Scalar::from("07")),
            key: Some(key.into()),
            manufactured_tid: Some(Scalar::from(MANUFACTURED)),
            ..MeterRequest::default()
        })?;
        meters.make(&only(), new)?;
        let pan: MeterPan = PAN.parse().expect("it is a number of a meter");
        let shop = Shop { cipher: TestGroup::new().cipher(pan), sold: 0 };
        let mut household = Self { meters, shop: Some(shop) };
        let first = household.buy(0).expect("a demonstration has a shop");
        let digits = first.to_string();
        household.meters.enter(&only(), &digits, TokenCarrierType::NUMERIC)?;
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
        // Each token has its own identifier, even if several are bought in one minute.
        let minute = MANUFACTURED.saturating_add(minutes).saturating_add(shop.sold);
        let identifier = TokenIdentifier::try_from(minute).ok()?;
        let amount = Amount::from_tenths(TENTHS).expect("25.6 kWh is an amount");
        Some(credit_token(&shop.cipher, identifier, amount, shop.sold as u8))
    }

    /// The visible state of the meter.
    pub(super) fn glance(&mut self) -> Result<Glance, MeterError> {
        self.meters.glance(&only())
    }

    /// Presses a key of the meter. Returns the result if that completed a token.
    pub(super) fn press(&mut self, key: char) -> Result<Option<TokenResult>, MeterError> {
        Ok(self.meters.press(&only(), key.encode_utf8(&mut [0; 4]))?.entered)
    }

    /// Lets time pass under a load: watts, or litres per hour.
    pub(super) fn consume(&mut self, load: u32, seconds: u32) -> Result<(), MeterError> {
        self.meters.consume(&only(), load, seconds).map(drop)
    }

    /// Opens the cover of the meter.
    pub(super) fn tamper(&mut self) -> Result<(), MeterError> {
        self.meters.tamper(&only())
    }

    /// The full state of the meter.
    pub(super) fn state(mut self) -> Result<StateRecord, MeterError> {
        self.meters.state(&only())
    }
}
