//! Key registers: each has one vending key, ready for use, with its attributes and what is left of its limits.
//!
//! - Units of what is left: tenths of a unit of the service, hundred-thousandths of the base currency.
//! - The amount that a token really carries, after rounding, is what counts.

use prepay_token::Instruction;
use prepay_token::key::{DecoderKeyGenerator, DerivationPolicy, VendingKey};

use super::names::KeyMark;
use crate::RegisterReport;
use prepay_basics::Moment;
use prepay_kmp::attribute::{KeyCheckValue, RegisterNumber, VendingKeyAttributes};
use prepay_kmp::check_value;
use prepay_kmp::{CentreId, KeyNote};

/// Tenths per unit: ULM is in units, tokens carry tenths.
const TENTHS: u64 = 10;

/// Hundred-thousandths per unit of currency: CLM is in units.
const HUNDRED_THOUSANDTHS: u128 = 100_000;

/// A vending key in its register.
pub(crate) struct Register {
    pub(crate) number: RegisterNumber,
    pub(crate) attributes: VendingKeyAttributes,
    pub(crate) key: VendingKey,
    pub(crate) check_value: KeyCheckValue,
    pub(crate) centre: CentreId,
    pub(crate) units_left_tenths: Option<u64>,
    pub(crate) currency_left: Option<u128>,
    pub(crate) generator: DecoderKeyGenerator,
}

impl Register {
    /// A newly loaded key, with its full limits. It is made in place, because moving it on the heap would leave a copy
    /// behind.
    pub(crate) fn new(
        number: RegisterNumber,
        attributes: VendingKeyAttributes,
        key: &VendingKey,
        centre: CentreId,
        policy: DerivationPolicy,
    ) -> Box<Self> {
        let mut register = Box::new(Self {
            number,
            check_value: check_value(key),
            generator: DecoderKeyGenerator::with_policy(key, policy),
            attributes,
            key: key.clone(),
            centre,
            units_left_tenths: None,
            currency_left: None,
        });
        register.refill();
        register
    }

    /// Applies the attributes of a new load of the same key, with its full limits.
    pub(crate) fn reload(&mut self, attributes: VendingKeyAttributes, centre: CentreId) {
        self.attributes = attributes;
        self.centre = centre;
        self.refill();
    }

    /// Sets what is left to the full limits.
    fn refill(&mut self) {
        let VendingKeyAttributes { unit_limit, currency_limit, .. } = &self.attributes;
        self.units_left_tenths = unit_limit.0.map(|units| TENTHS * u64::from(units));
        self.currency_left = currency_limit.0.map(|units| HUNDRED_THOUSANDTHS * u128::from(units));
    }

    /// Blocks the key until it is loaded again: its time is over and nothing is left of its limits.
    pub(crate) fn stop(&mut self) {
        self.attributes.issued_until = Moment::MIN;
        self.units_left_tenths = self.units_left_tenths.map(|_| 0);
        self.currency_left = self.currency_left.map(|_| 0);
    }

    /// Subtracts a credit from what is left, down to zero. A debit gives nothing back.
    pub(crate) fn count(&mut self, instruction: &Instruction) {
        match instruction {
            Instruction::Credit { amount, .. } => {
                let tenths = u64::from(amount.tenths());
                self.units_left_tenths =
                    self.units_left_tenths.map(|left| left.saturating_sub(tenths));
            }
            Instruction::CurrencyCredit { amount, .. } => {
                let asked = amount.hundred_thousandths().max(0).unsigned_abs();
                self.currency_left = self.currency_left.map(|left| left.saturating_sub(asked));
            }
            _ => {}
        }
    }

    /// Which key it has, without the key itself.
    pub(crate) fn note(&self) -> KeyNote {
        KeyNote {
            register: Some(self.number),
            supply_group: self.attributes.supply_group,
            key_revision: self.attributes.key_revision,
            check_value: self.check_value,
        }
    }

    /// What tells the key apart from others.
    #[inline]
    pub(crate) fn mark(&self) -> KeyMark {
        KeyMark::new(&self.note())
    }

    /// The contents of the register, without the key.
    pub(crate) fn report(&self) -> RegisterReport {
        RegisterReport {
            register: self.number,
            attributes: self.attributes.clone(),
            check_value: self.check_value,
            centre: self.centre.clone(),
            units_left_tenths: self.units_left_tenths,
            currency_left: self.currency_left,
        }
    }
}

/// The registers of a module, by their numbers.
#[derive(Default)]
pub(crate) struct Registers {
    /// Register number n at index n. It grows when keys are loaded.
    places: Vec<Option<Box<Register>>>,
}

impl Registers {
    /// The register with a number, if it has a key.
    #[inline]
    pub(crate) fn get(&self, number: RegisterNumber) -> Option<&Register> {
        self.places.get(usize::from(number.value()))?.as_deref()
    }

    /// The register with a number, if it has a key, for changes.
    #[inline]
    pub(crate) fn get_mut(&mut self, number: RegisterNumber) -> Option<&mut Register> {
        self.places.get_mut(usize::from(number.value()))?.as_deref_mut()
    }

    /// What tells the key of a register apart from others, if it has one.
    pub(crate) fn mark(&self, number: u16) -> Option<KeyMark> {
        Some(self.places.get(usize::from(number))?.as_ref()?.mark())
    }

    /// Adds or replaces a register.
    pub(crate) fn put(&mut self, register: Box<Register>) {
        let place = usize::from(register.number.value());
        if self.places.len() <= place {
            self.places.resize_with(place + 1, || None);
        }
        self.places[place] = Some(register);
    }

    /// Removes a register.
    pub(crate) fn remove(&mut self, number: RegisterNumber) -> Option<Box<Register>> {
        self.places.get_mut(usize::from(number.value()))?.take()
    }

    /// The numbers of registers without a key, in rising order.
    pub(crate) fn free(&self) -> impl Iterator<Item = RegisterNumber> {
        let numbers = (1..=9999).filter_map(|number| RegisterNumber::try_from(number).ok());
        numbers.filter(|&number| self.get(number).is_none())
    }

    /// The registers with a key, in rising order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Register> {
        self.places.iter().flatten().map(|register| &**register)
    }

    /// The registers with a key, in rising order, for changes.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Register> {
        self.places.iter_mut().flatten().map(|register| &mut **register)
    }

    /// How many registers have a key.
    pub(crate) fn count(&self) -> usize {
        self.iter().count()
    }
}
