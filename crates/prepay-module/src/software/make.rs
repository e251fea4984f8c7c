//! From a request that passed every check to the digits of its tokens, and back from digits.
//!
//! The same request, register, random number and expiry always give the same digits. Repeated requests are answered
//! that way.

use prepay_token::element::{KeyExpiryNumber, RandomNumber, TariffIndex};
use prepay_token::key::{DecoderKey, DerivationError, KeyParameters, TokenCipher, key_covers};
use prepay_token::key_change::{KeyChangeSet, NewKey, Rollover};
use prepay_token::{OpenError, Stamp, Token, TokenData, open, seal};

use super::register::Register;
use crate::{
    IssuedKeyChange, IssuedToken, KeyChangeRequest, MeterConfiguration, TokenRequest, Verification,
    VerifyRequest,
};
use prepay_kmp::attribute::VendingKeyType;

/// The key of a meter, under the key of a register.
#[inline]
fn decoder_key(
    register: &Register,
    meter: &MeterConfiguration,
    tariff_index: TariffIndex,
) -> Result<DecoderKey, DerivationError> {
    let attributes = &register.attributes;
    register.generator.derive(&KeyParameters {
        pan: meter.pan,
        key_type: attributes.key_type.key_type(),
        supply_group: attributes.supply_group,
        tariff_index,
        key_revision: attributes.key_revision,
        base_date: attributes.base_date,
        encryption: meter.encryption,
    })
}

/// The cipher of a meter, under the key of a register.
#[inline]
fn cipher(register: &Register, meter: &MeterConfiguration) -> Result<TokenCipher, DerivationError> {
    Ok(TokenCipher::new(&decoder_key(register, meter, meter.tariff_index)?))
}

/// A token. Currency tokens have no random number.
#[inline]
pub(crate) fn token(
    register: &Register,
    request: &TokenRequest,
    random: RandomNumber,
    is_test: bool,
) -> Result<IssuedToken, DerivationError> {
    let TokenRequest { instruction, identifier, .. } = *request;
    let token = instruction.stamped(Stamp { identifier, random });
    Ok(IssuedToken {
        token: seal(&token, &cipher(register, &request.meter)?),
        identifier,
        random: token.random(),
        check_value: register.check_value,
        is_test,
    })
}

/// A key change set. The meter forgets its identifiers exactly if the base dates differ.
pub(crate) fn key_change(
    old: &Register,
    new: &Register,
    request: &KeyChangeRequest,
    expiry: KeyExpiryNumber,
    is_test: bool,
) -> Result<IssuedKeyChange, DerivationError> {
    let attributes = &new.attributes;
    let rollover = Rollover::between(old.attributes.base_date, attributes.base_date);
    let new_key = NewKey {
        key: decoder_key(new, &request.meter, request.new_tariff_index)?,
        key_type: attributes.key_type.key_type(),
        key_revision: Some(attributes.key_revision),
        expiry,
        tariff_index: request.new_tariff_index,
        supply_group: Some(attributes.supply_group),
    };
    let cipher = cipher(old, &request.meter)?;
    let set = KeyChangeSet::new(&new_key, request.size, rollover)
        .expect("the size was checked, and group and revision are there");
    let mut tokens = [TokenData::join(prepay_token::Class::Management, 0); 4];
    let mut count = 0;
    for (place, section) in tokens.iter_mut().zip(set.sections()) {
        *place = seal(&Token::KeyChange(section.clone()), &cipher);
        count += 1;
    }
    let check_values = [old.check_value, new.check_value];
    Ok(IssuedKeyChange::new(
        &tokens[..count],
        request.size,
        rollover,
        expiry,
        check_values,
        is_test,
    ))
}

/// Verifies a token.
pub(crate) fn verify(
    register: &Register,
    request: &VerifyRequest,
) -> Result<Verification, DerivationError> {
    let token = match open(request.token, &cipher(register, &request.meter)?) {
        Ok(token) => token,
        Err(OpenError::Checksum { .. }) => return Ok(Verification::Checksum),
        Err(error) => return Ok(Verification::Malformed(error)),
    };
    let attributes = &register.attributes;
    if token.is_credit() && attributes.key_type == VendingKeyType::DEFAULT {
        return Ok(Verification::CreditUnderDefaultKey);
    }
    if token.identifier().is_some_and(|identifier| !key_covers(attributes.expiry, identifier)) {
        return Ok(Verification::KeyExpired);
    }
    Ok(match (&token, token.instruction(), token.identifier()) {
        (Token::KeyChange(section), ..) => Verification::KeyChange { section: section.number() },
        (_, Some(instruction), Some(identifier)) => {
            Verification::Valid { instruction, identifier, random: token.random() }
        }
        _ => Verification::Unkeyed,
    })
}
