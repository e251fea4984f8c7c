//! What the tests of the engine share: a medium that can fail, a meter, and a vending side.

#![allow(dead_code, unreachable_pub, reason = "no single test needs all of it")]

use prepay_meter::{Birth, Meter, Outcome, Profile, Refusal, Slot, Storage, TokenResult};
use prepay_testkit::meter_key;
use prepay_token::element::{
    Amount, CurrencyAmount, EncryptionAlgorithm, KeyType, RandomNumber, Service, TokenCarrierType,
    TokenIdentifier,
};
use prepay_token::key::TokenCipher;
use prepay_token::key_change::{KeyChangeSet, NewKey, Rollover, SetSize};
use prepay_token::{ManagementFunction, Token, TokenData, seal};

pub const NUMERIC: TokenCarrierType = TokenCarrierType::NUMERIC;
pub const MAGNETIC: TokenCarrierType = TokenCarrierType::MAGNETIC_CARD;

/// Two slots in memory. It can stop for good after a number of operations or of bytes written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Medium {
    pub slots: [Vec<u8>; 2],
    pub operations: usize,
    pub operations_left: Option<usize>,
    pub bytes_left: Option<usize>,
}

/// The medium has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

impl Default for Medium {
    fn default() -> Self {
        let slots = [vec![0xFF; 2048], vec![0xFF; 2048]];
        Self { slots, operations: 0, operations_left: None, bytes_left: None }
    }
}

impl Medium {
    /// The medium as it is after power returned.
    pub fn after_power_returned(&self) -> Self {
        Self { operations_left: None, bytes_left: None, ..self.clone() }
    }

    fn begin(&mut self) -> Result<(), Stopped> {
        if let Some(left) = &mut self.operations_left {
            *left = left.checked_sub(1).ok_or(Stopped)?;
        }
        self.operations += 1;
        Ok(())
    }

    /// Puts bytes one by one, as long as power lasts.
    fn put(&mut self, slot: Slot, offset: usize, bytes: &[u8]) -> Result<(), Stopped> {
        for (place, &byte) in (offset..).zip(bytes) {
            if let Some(left) = &mut self.bytes_left {
                *left = left.checked_sub(1).ok_or(Stopped)?;
            }
            self.slots[slot as usize][place] = byte;
        }
        Ok(())
    }
}

impl Storage for Medium {
    type Fault = Stopped;

    fn erase(&mut self, slot: Slot) -> Result<(), Stopped> {
        self.begin()?;
        self.put(slot, 0, &[0xFF; 40])
    }

    fn write(&mut self, slot: Slot, offset: usize, bytes: &[u8]) -> Result<(), Stopped> {
        self.begin()?;
        self.put(slot, offset, bytes)
    }

    fn read(&mut self, slot: Slot, offset: usize, bytes: &mut [u8]) -> Result<(), Stopped> {
        bytes.copy_from_slice(&self.slots[slot as usize][offset..offset + bytes.len()]);
        Ok(())
    }
}

/// Makes the tokens of one meter, and remembers its present key.
#[derive(Clone)]
pub struct Vendor {
    pub key: NewKey,
}

pub fn tid(value: u32) -> TokenIdentifier {
    TokenIdentifier::from_low_bits(value)
}

/// A key of one repeated byte, which is no secret to anybody.
pub fn key(algorithm: EncryptionAlgorithm, byte: u8, key_type: KeyType) -> NewKey {
    let key = NewKey { key_type, ..meter_key(algorithm, byte) };
    match key_type {
        KeyType::Initialization => NewKey { key_revision: None, supply_group: None, ..key },
        _ => key,
    }
}

pub fn unique_key(byte: u8) -> NewKey {
    key(EncryptionAlgorithm::Sta, byte, KeyType::Unique)
}

impl Vendor {
    pub fn cipher(&self) -> TokenCipher {
        TokenCipher::new(&self.key.key)
    }

    pub fn seal(&self, token: &Token) -> TokenData {
        seal(token, &self.cipher())
    }

    pub fn credit(&self, identifier: u32, tenths: u32) -> TokenData {
        self.credit_of(Service::Electricity, identifier, tenths)
    }

    pub fn credit_of(&self, service: Service, identifier: u32, tenths: u32) -> TokenData {
        self.seal(&Token::Credit {
            service,
            random: RandomNumber::try_from(5).unwrap(),
            identifier: tid(identifier),
            amount: Amount::from_tenths(tenths).unwrap(),
        })
    }

    pub fn money(&self, identifier: u32, hundred_thousandths: i128) -> TokenData {
        self.seal(&Token::CurrencyCredit {
            service: Service::Electricity,
            identifier: tid(identifier),
            amount: CurrencyAmount::from_hundred_thousandths(hundred_thousandths).unwrap(),
        })
    }

    pub fn manage(&self, identifier: u32, function: ManagementFunction) -> TokenData {
        self.seal(&Token::Management {
            random: RandomNumber::try_from(5).unwrap(),
            identifier: tid(identifier),
            function,
        })
    }

    /// The tokens of a change to another key, under the present one.
    pub fn change(&self, new: &NewKey, size: SetSize, rollover: Rollover) -> Vec<TokenData> {
        let set = KeyChangeSet::new(new, size, rollover).unwrap();
        set.sections().map(|section| self.seal(&Token::KeyChange(section.clone()))).collect()
    }

    /// A token of any class with these bits of its block, and the right checksum.
    pub fn raw(&self, class: prepay_token::Class, bits: u64) -> TokenData {
        let cipher = self.cipher();
        let join = |bits| {
            let block = if class.is_enciphered() { cipher.encipher(bits) } else { bits };
            TokenData::join(class, block)
        };
        let open = prepay_token::ClearBlock::decipher(join(bits & !0xFFFF), &cipher);
        join(bits & !0xFFFF | u64::from(open.checksum_expected()))
    }
}

/// A meter with its medium, its clock and its vendor.
pub struct Bench {
    pub meter: Meter,
    pub medium: Medium,
    pub vendor: Vendor,
    pub now_s: u64,
}

pub fn sta_profile() -> Profile {
    Profile::electricity(SetSize::Two)
}

impl Bench {
    pub fn new(profile: Profile, key: NewKey) -> Self {
        Self::made_at(profile, key, 0)
    }

    pub fn made_at(profile: Profile, key: NewKey, manufactured: u32) -> Self {
        let mut medium = Medium::default();
        let birth = Birth {
            pan: "600727000000000009".parse().unwrap(),
            key: key.clone(),
            remembered: 50,
            manufactured: tid(manufactured),
        };
        let meter = Meter::manufacture(profile, birth, &mut medium).unwrap();
        Self { meter, medium, vendor: Vendor { key }, now_s: 1000 }
    }

    pub fn standard() -> Self {
        Self::new(sta_profile(), unique_key(0xA5))
    }

    pub fn enter(&mut self, data: TokenData) -> Outcome {
        self.enter_by(data, NUMERIC)
    }

    pub fn enter_by(&mut self, data: TokenData, carrier: TokenCarrierType) -> Outcome {
        self.meter.enter(data, carrier, self.now_s, &mut self.medium).unwrap()
    }

    pub fn result(&mut self, data: TokenData) -> TokenResult {
        self.enter(data).result()
    }

    pub fn refusal(&mut self, data: TokenData) -> Option<Refusal> {
        match self.enter(data) {
            Outcome::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    pub fn tenths(&self) -> i64 {
        self.meter.state().credit(Service::Electricity).tenths()
    }

    /// Loses power and starts again.
    pub fn restart(&mut self) {
        self.medium = self.medium.after_power_returned();
        let profile = *self.meter.profile();
        self.meter = Meter::load(profile, &mut self.medium, self.now_s).unwrap();
    }

    pub fn encoded(&self) -> Vec<u8> {
        encoded(&self.meter)
    }
}

pub fn encoded(meter: &Meter) -> Vec<u8> {
    let mut bytes = Vec::new();
    meter
        .state()
        .expose_encoded(|piece| {
            bytes.extend_from_slice(piece);
            Ok::<(), ()>(())
        })
        .unwrap();
    bytes
}
