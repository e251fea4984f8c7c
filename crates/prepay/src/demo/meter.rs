//! The second part of the demonstration: a meter accepts tokens, refuses others, and changes its key.

use std::convert::Infallible;

use prepay_meter::{Birth, Meter, Profile, Slot, Storage};
use prepay_token::element::{
    Amount, MeterPan, RandomNumber, Service, TokenCarrierType, TokenIdentifier,
};
use prepay_token::key::TokenCipher;
use prepay_token::key_change::{KeyChangeSet, NewKey, Rollover, SetSize};
use prepay_token::{Token, TokenData, seal};

use super::Failure;

/// One token typed into the meter.
pub(super) struct Event {
    pub(super) what: &'static str,
    pub(super) data: TokenData,
    /// The name of the result.
    pub(super) result: &'static str,
    /// The credit afterwards, in tenths of a kWh.
    pub(super) balance_tenths: i64,
}

/// Two slots in memory; a real meter has EEPROM.
struct Memory([[u8; Meter::<50>::RECORD_LENGTH]; 2]);

impl Storage for Memory {
    type Fault = Infallible;

    fn erase(&mut self, slot: Slot) -> Result<(), Infallible> {
        self.0[slot as usize].fill(0xFF);
        Ok(())
    }

    fn write(&mut self, slot: Slot, offset: usize, bytes: &[u8]) -> Result<(), Infallible> {
        self.0[slot as usize][offset..][..bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn read(&mut self, slot: Slot, offset: usize, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.copy_from_slice(&self.0[slot as usize][offset..][..bytes.len()]);
        Ok(())
    }
}

/// Enters into a meter: a purchase, a replay, a key change and the next purchase.
///
/// `first` is the minute of the first purchase; the meter was made one day earlier.
pub(super) fn live(
    pan: MeterPan,
    current: NewKey,
    new: &NewKey,
    first: TokenIdentifier,
) -> Result<Vec<Event>, Failure> {
    let (old_cipher, new_cipher) = (TokenCipher::new(&current.key), TokenCipher::new(&new.key));
    let minute = |minutes: u32| TokenIdentifier::try_from(first.value() + minutes);
    let purchase = |minutes, cipher: &TokenCipher| -> Result<TokenData, Failure> {
        let token = Token::Credit {
            service: Service::Electricity,
            random: RandomNumber::try_from(5)?,
            identifier: minute(minutes)?,
            amount: Amount::from_tenths(256)?,
        };
        Ok(seal(&token, cipher))
    };
    let bought = purchase(0, &old_cipher)?;
    let mut typed = vec![("credit, 25.6 kWh", bought), ("the same again", bought)];
    for section in KeyChangeSet::new(new, SetSize::Four, Rollover::Keep)?.sections() {
        typed.push((section.name(), seal(&Token::KeyChange(section.clone()), &old_cipher)));
    }
    typed.push(("credit under the old key", purchase(10, &old_cipher)?));
    typed.push(("credit under the new key", purchase(20, &new_cipher)?));

    let mut memory = Memory([[0xFF; Meter::<50>::RECORD_LENGTH]; 2]);
    let birth = Birth {
        pan,
        key: current,
        remembered: 50,
        manufactured: TokenIdentifier::try_from(first.value() - 24 * 60)?,
    };
    let profile = Profile::electricity(SetSize::Four);
    let mut meter: Meter = Meter::manufacture(profile, birth, &mut memory)
        .map_err(|_| "the embedded meter suits its profile")?;
    let mut events = Vec::new();
    for (second, (what, data)) in (0..).zip(typed) {
        let outcome = meter.enter(data, TokenCarrierType::NUMERIC, 30 * second, &mut memory)?;
        events.push(Event {
            what,
            data,
            result: outcome.result().name(),
            balance_tenths: meter.state().credit(Service::Electricity).tenths(),
        });
    }
    Ok(events)
}
