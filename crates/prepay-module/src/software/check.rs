//! The checks before a token is issued, in the order of [`Refusal`].
//!
//! The first failing check is the answer. Meter numbers and ranges of elements are checked when their values are made,
//! so the first check here is whether the algorithms can be combined.

use prepay_token::element::{
    DecoderKeyGenerationAlgorithm, EncryptionAlgorithm, KeyType, TokenCarrierType, TokenIdentifier,
};
use prepay_token::key::{CommonKeyRule, DerivationError, TransitionPermission, key_covers};
use prepay_token::{Class, Instruction};

use super::policy::ModulePolicy;
use super::register::{Register, Registers};
use crate::{KeyChangeRequest, KeyChangeRule, Refusal, TokenRequest, VerifyRequest};
use prepay_basics::Moment;
use prepay_kmp::VendingKeyAttributes;
use prepay_kmp::attribute::{RegisterNumber, VendingKeyType};

/// What the checks need besides the request.
pub(crate) struct Checks<'a> {
    pub(crate) registers: &'a Registers,
    pub(crate) policy: &'a ModulePolicy,
    pub(crate) now: Moment,
    pub(crate) transactions_left: Option<u64>,
}

impl<'a> Checks<'a> {
    /// Checks that a token may be issued. Returns the register of its key.
    #[inline]
    pub(crate) fn token(&self, request: &TokenRequest) -> Result<&'a Register, Refusal> {
        let TokenRequest { meter, instruction, .. } = request;
        let is_credit = match instruction.class() {
            Class::Credit => true,
            Class::Management => false,
            _ => return Err(needs_no_key()),
        };
        let register = self.usable(request.register, meter.encryption)?;
        let attributes = &register.attributes;
        if is_credit && attributes.key_type == VendingKeyType::DEFAULT {
            return Err(Refusal::KeyType { key_type: attributes.key_type, carrier: meter.carrier });
        }
        check_carrier(attributes.key_type, meter.carrier)?;
        let sub_class = instruction.sub_class();
        if is_credit && !attributes.sub_classes.contains(sub_class) {
            return Err(Refusal::SubClass { sub_class });
        }
        self.identifier(attributes, request.identifier)?;
        check_limit(register, instruction)?;
        self.transactions(1)?;
        Ok(register)
    }

    /// Checks that a key change may be issued. Returns the registers of the old and the new key.
    pub(crate) fn key_change(
        &self,
        request: &KeyChangeRequest,
    ) -> Result<(&'a Register, &'a Register), Refusal> {
        let KeyChangeRequest { from, to, meter, size, .. } = *request;
        let found = [from, to].map(|number| (number, self.registers.get(number)));
        for register in found.iter().filter_map(|(_, register)| *register) {
            self.algorithms(&register.attributes, meter.encryption)?;
        }
        let [old, new] =
            found.map(|(number, held)| held.ok_or(Refusal::Register { register: number }));
        let (old, new) = (old?, new?);
        self.active(old)?;
        self.active(new)?;
        self.issuing(old)?;
        self.issuing(new)?;
        self.key_change_rule(old, new, meter.carrier).map_err(Refusal::KeyChangeRule)?;
        if !size.suits(meter.encryption) {
            return Err(Refusal::TokenCount { size, encryption: meter.encryption });
        }
        self.transactions(u64::from(size.count()))?;
        Ok((old, new))
    }

    /// Checks that a token may be verified. Returns the register of its key.
    pub(crate) fn verify(&self, request: &VerifyRequest) -> Result<&'a Register, Refusal> {
        self.held(request.register, request.meter.encryption)
    }

    /// The register, if it has a key that the cipher can use.
    #[inline]
    fn held(
        &self,
        number: RegisterNumber,
        encryption: EncryptionAlgorithm,
    ) -> Result<&'a Register, Refusal> {
        let register = self.registers.get(number).ok_or(Refusal::Register { register: number })?;
        self.algorithms(&register.attributes, encryption)?;
        Ok(register)
    }

    /// The register, if its key may be used now.
    #[inline]
    fn usable(
        &self,
        number: RegisterNumber,
        encryption: EncryptionAlgorithm,
    ) -> Result<&'a Register, Refusal> {
        let register = self.held(number, encryption)?;
        self.active(register)?;
        self.issuing(register)?;
        Ok(register)
    }

    /// Checks that decoder keys for the cipher can be derived from the key.
    #[inline]
    fn algorithms(
        &self,
        attributes: &VendingKeyAttributes,
        encryption: EncryptionAlgorithm,
    ) -> Result<(), Refusal> {
        let (dkga, policy) = (attributes.algorithm, &self.policy.derivation);
        let error = if !policy.algorithms.permits(dkga, encryption) {
            DerivationError::AlgorithmCombination { dkga, ea: encryption }
        } else if dkga == DecoderKeyGenerationAlgorithm::Dkga04
            && attributes.key_type == VendingKeyType::COMMON
            && policy.dkga04_common_key == CommonKeyRule::Refuse
        {
            DerivationError::CommonKeyRuleUnknown
        } else {
            return Ok(());
        };
        Err(parameter(&error))
    }

    /// ACT.
    #[inline]
    fn active(&self, register: &Register) -> Result<(), Refusal> {
        let activation = register.attributes.activation;
        if self.now < activation {
            return Err(Refusal::NotActive {
                register: register.number,
                activation,
                now: self.now,
            });
        }
        Ok(())
    }

    /// IUT.
    #[inline]
    fn issuing(&self, register: &Register) -> Result<(), Refusal> {
        let issued_until = register.attributes.issued_until;
        if self.now > issued_until {
            return Err(Refusal::IssueExpired {
                register: register.number,
                issued_until,
                now: self.now,
            });
        }
        Ok(())
    }

    /// Cluster, key types, expiry of the new key.
    fn key_change_rule(
        &self,
        old: &Register,
        new: &Register,
        carrier: TokenCarrierType,
    ) -> Result<(), KeyChangeRule> {
        let (from, to) = (&old.attributes, &new.attributes);
        if from.cluster != to.cluster {
            return Err(KeyChangeRule::Cluster { from: from.cluster, to: to.cluster });
        }
        let (from, to_type) = (from.key_type, to.key_type);
        let permission = self.policy.transitions.permission(from.key_type(), to_type.key_type());
        let permitted = match permission {
            TransitionPermission::Always => true,
            TransitionPermission::ErasableCarrierOnly => carrier.is_erasable(),
            TransitionPermission::Never => false,
        };
        if !permitted {
            return Err(KeyChangeRule::KeyType { from, to: to_type, carrier });
        }
        if to.is_expired(self.now) {
            return Err(KeyChangeRule::NewKeyExpired { expiry: to.expiry });
        }
        Ok(())
    }

    /// The module's clock, and KEN.
    #[inline]
    pub(crate) fn identifier(
        &self,
        attributes: &VendingKeyAttributes,
        identifier: TokenIdentifier,
    ) -> Result<(), Refusal> {
        if let Some(minutes) = self.policy.window_minutes {
            let issued = attributes.base_date.minute_of(identifier).unix_minutes();
            if issued.abs_diff(self.now.minute().unix_minutes()) > u64::from(minutes) {
                return Err(Refusal::IdentifierWindow { identifier, now: self.now, minutes });
            }
        }
        if !key_covers(attributes.expiry, identifier) {
            return Err(Refusal::KeyExpired { identifier, expiry: attributes.expiry });
        }
        Ok(())
    }

    /// The module's transaction counter.
    #[inline]
    fn transactions(&self, tokens: u64) -> Result<(), Refusal> {
        match self.transactions_left {
            Some(left) if left < tokens => Err(Refusal::Transactions),
            _ => Ok(()),
        }
    }
}

/// Refuses a common key on a carrier that the meter does not erase.
#[inline]
fn check_carrier(key_type: VendingKeyType, carrier: TokenCarrierType) -> Result<(), Refusal> {
    if key_type.key_type() == KeyType::Common && !carrier.is_erasable() {
        return Err(Refusal::KeyType { key_type, carrier });
    }
    Ok(())
}

/// ULM and CLM.
#[inline]
fn check_limit(register: &Register, instruction: &Instruction) -> Result<(), Refusal> {
    let (limit, asked, left) = match instruction {
        Instruction::Credit { amount, .. } => {
            ("ULM", u128::from(amount.tenths()), register.units_left_tenths.map(u128::from))
        }
        Instruction::CurrencyCredit { amount, .. } => {
            ("CLM", amount.hundred_thousandths().max(0).unsigned_abs(), register.currency_left)
        }
        _ => return Ok(()),
    };
    match left {
        Some(left) if asked > left => Err(Refusal::CreditLimit { limit, asked, left }),
        _ => Ok(()),
    }
}

/// The refusal of class 1.
#[cold]
fn needs_no_key() -> Refusal {
    let problem = "a test or display needs no key and no module".to_owned();
    Refusal::Parameter { problem }
}

/// The refusal of a pair of algorithms.
#[cold]
pub(crate) fn parameter(error: &DerivationError) -> Refusal {
    Refusal::Parameter { problem: error.to_string() }
}
