//! The public TEST key of demonstration meters and fleets, and tokens for them.
//!
//! It is the 64-bit vending key of the conformance runs, which everybody knows. Nothing here can issue a token for a
//! meter with a secret key.

use prepay_token::element::{
    Amount, BaseDate, DecoderKeyGenerationAlgorithm, EncryptionAlgorithm, KeyExpiryNumber,
    KeyRevisionNumber, KeyType, MeterPan, RandomNumber, Service, SupplyGroupCode, TariffIndex,
    TokenIdentifier,
};
use prepay_token::key::{DecoderKey, DecoderKeyGenerator, KeyParameters, TokenCipher, VendingKey};
use prepay_token::key_change::NewKey;
use prepay_token::{Token, TokenData, seal};

const VENDING_KEY: [u8; 8] = [0xAB; 8];
/// The key in hexadecimal, for the demonstration on the screen.
#[cfg(feature = "tui")]
pub(super) const VENDING_KEY_HEX: &str = "abababababababab";
/// The code of the supply group.
pub(super) const SUPPLY_GROUP: &str = "123456";

/// A supply group under the TEST key.
pub(super) struct TestGroup {
    generator: DecoderKeyGenerator,
    supply_group: SupplyGroupCode,
    tariff_index: TariffIndex,
    key_revision: KeyRevisionNumber,
}

impl TestGroup {
    /// The group.
    pub(super) fn new() -> Self {
        let key = VendingKey::new(DecoderKeyGenerationAlgorithm::Dkga02, &VENDING_KEY)
            .expect("it has eight bytes");
        Self {
            generator: DecoderKeyGenerator::new(&key),
            supply_group: SUPPLY_GROUP.parse().expect("it has six digits"),
            tariff_index: TariffIndex::try_from(1).expect("1 is a tariff index"),
            key_revision: KeyRevisionNumber::try_from(1).expect("1 is a revision"),
        }
    }

    /// The key of a meter.
    pub(super) fn decoder_key(&self, pan: MeterPan) -> DecoderKey {
        let parameters = KeyParameters {
            pan,
            key_type: KeyType::Unique,
            supply_group: self.supply_group,
            tariff_index: self.tariff_index,
            key_revision: self.key_revision,
            base_date: BaseDate::Y2014,
            encryption: EncryptionAlgorithm::Sta,
        };
        self.generator.derive(&parameters).expect("DKGA02 makes unique keys for EA07")
    }

    /// The key of a meter with its attributes.
    pub(super) fn new_key(&self, pan: MeterPan) -> NewKey {
        NewKey {
            key: self.decoder_key(pan),
            key_type: KeyType::Unique,
            key_revision: Some(self.key_revision),
            expiry: KeyExpiryNumber::NEVER,
            tariff_index: self.tariff_index,
            supply_group: Some(self.supply_group),
        }
    }

    /// The cipher for the tokens of a meter.
    pub(super) fn cipher(&self, pan: MeterPan) -> TokenCipher {
        TokenCipher::new(&self.decoder_key(pan))
    }
}

/// A credit token for electricity. Only the lowest four bits of `random` are used.
pub(super) fn credit_token(
    cipher: &TokenCipher,
    identifier: TokenIdentifier,
    amount: Amount,
    random: u8,
) -> TokenData {
    let random = RandomNumber::try_from(random & 15).expect("four bits are a random number");
    let service = Service::Electricity;
    seal(&Token::Credit { service, random, identifier, amount }, cipher)
}
