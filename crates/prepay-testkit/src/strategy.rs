//! Arbitrary valid values for `proptest`: every token, key and parameter that the library can hold.
//!
//! Edges come up often, because most defects sit there: the first and last value of a number, and both
//! forms of a manufacturer code.

use prepay_token::element::{
    Amount, BaseDate, CurrencyAmount, DateOfExpiry, DecoderKeyGenerationAlgorithm,
    DecoderReferenceNumber, DecoderSerialNumber, EncryptionAlgorithm, ExtendedIndex, ExtendedValue,
    KeyExpiryNumber, KeyRevisionNumber, KeyType, ManufacturerCode, MeterPan, PowerLimit,
    RandomNumber, RegisterToClear, Service, SupplyGroupCode, TariffIndex, TokenCarrierType,
    TokenIdentifier,
};
use prepay_token::key::{DecoderKey, KeyParameters, TokenCipher, VendingKey};
use prepay_token::key_change::{KeyChangeSet, NewKey, Rollover, SetSize};
use prepay_token::{IdRecord, ManagementFunction, MeterTest, Token, TwoDigitManufacturer};
use proptest::prelude::*;
use proptest::sample::select;

/// A number from 0 to `largest`, often 0 or `largest` itself.
fn up_to(largest: u32) -> impl Strategy<Value = u32> + Clone {
    prop_oneof![1 => Just(0), 1 => Just(largest), 8 => 0..=largest]
}

/// One of the services.
pub fn service() -> impl Strategy<Value = Service> {
    select(Service::ALL.to_vec())
}

/// A random number.
pub fn random_number() -> impl Strategy<Value = RandomNumber> {
    any::<u64>().prop_map(RandomNumber::from_counter)
}

/// A token identifier, which may be a reserved minute.
pub fn token_identifier() -> impl Strategy<Value = TokenIdentifier> {
    let largest = TokenIdentifier::LARGEST.value();
    let reserved = (0..=largest / 1440).prop_map(|day| (1440 * day + 1).min(0xFF_FFFF));
    prop_oneof![8 => up_to(largest), 1 => reserved].prop_map(TokenIdentifier::from_low_bits)
}

/// A manufacturer code of two digits.
pub fn two_digit_code() -> impl Strategy<Value = ManufacturerCode> {
    let code = |code| ManufacturerCode::two_digits(code as u8).expect("at most 99");
    up_to(99).prop_map(code)
}

/// A manufacturer code of four digits.
pub fn four_digit_code() -> impl Strategy<Value = ManufacturerCode> {
    up_to(9999).prop_map(four_digits)
}

fn four_digits(code: u32) -> ManufacturerCode {
    ManufacturerCode::four_digits(code as u16).expect("at most 9999")
}

/// A test or display of every sub-class.
pub fn meter_test() -> impl Strategy<Value = MeterTest> {
    let narrow = up_to(0x0FFF_FFFF).prop_map(u64::from);
    let wide = || (0..16_u64, any::<u32>()).prop_map(|(high, low)| high << 32 | u64::from(low));
    let own = up_to(9899).prop_map(|code| four_digits(code + 100));
    prop_oneof![
        (Just(0), two_digit_code(), wide()),
        (11..=15_u8, two_digit_code(), wide()),
        (Just(1), four_digit_code(), narrow.clone()),
        (6..=10_u8, own, narrow),
    ]
    .prop_map(|(sub_class, code, control)| {
        MeterTest::new(sub_class, code, control).expect("the parts suit the sub-class")
    })
}

/// The function of a management token, for every sub-class.
pub fn management_function() -> impl Strategy<Value = ManagementFunction> {
    let limit = || any::<u16>().prop_map(PowerLimit::from_bits);
    let register = select((0..=7).chain([0xFFFF]).collect::<Vec<u16>>());
    prop_oneof![
        limit().prop_map(ManagementFunction::SetMaximumPowerLimit),
        register.prop_map(|bits| {
            ManagementFunction::ClearCredit(RegisterToClear::try_from(bits).expect("a register"))
        }),
        any::<u16>().prop_map(ManagementFunction::SetTariffRate),
        Just(ManagementFunction::ClearTamperCondition),
        limit().prop_map(ManagementFunction::SetMaximumPhasePowerUnbalanceLimit),
        any::<u16>().prop_map(ManagementFunction::SetWaterMeterFactor),
        any::<u16>().prop_map(|bits| ManagementFunction::Extended(ExtendedValue::from_bits(bits))),
        (11..=15_u8, any::<u16>()).prop_map(|(sub_class, value)| {
            let sub_class = sub_class.try_into().expect("11 to 15");
            ManagementFunction::Proprietary { sub_class, value }
        }),
    ]
}

/// Any token for a meter with this cipher.
///
/// The cipher matters only for the sections of a key change, whose key must fit it.
pub fn token(algorithm: EncryptionAlgorithm) -> impl Strategy<Value = Token> {
    let section = (key_change_set(algorithm), any::<prop::sample::Index>()).prop_map(
        |((_, _, _, set), index)| {
            let sections: Vec<_> = set.sections().cloned().collect();
            Token::KeyChange(index.get(&sections).clone())
        },
    );
    prop_oneof![
        (service(), random_number(), token_identifier(), any::<u16>()).prop_map(
            |(service, random, identifier, bits)| {
                Token::Credit { service, random, identifier, amount: Amount::from_bits(bits) }
            }
        ),
        (service(), token_identifier(), 0..16_u8, any::<u16>()).prop_map(
            |(service, identifier, sign_exponent, bits)| Token::CurrencyCredit {
                service,
                identifier,
                amount: CurrencyAmount::from_bits(sign_exponent, bits),
            }
        ),
        meter_test().prop_map(Token::Test),
        (0..64_u8, two_digit_code()).prop_map(|(index, code)| Token::ExtendedRead {
            index: ExtendedIndex::from_low_bits(index),
            manufacturer: TwoDigitManufacturer::try_from(code).expect("two digits"),
        }),
        (random_number(), token_identifier(), management_function()).prop_map(
            |(random, identifier, function)| Token::Management { random, identifier, function }
        ),
        section,
    ]
}

/// One of the ciphers.
pub fn encryption_algorithm() -> impl Strategy<Value = EncryptionAlgorithm> {
    use EncryptionAlgorithm::{Dea, Misty1, Sta};
    select(vec![Sta, Dea, Misty1])
}

/// A key for a cipher.
pub fn decoder_key(algorithm: EncryptionAlgorithm) -> impl Strategy<Value = DecoderKey> {
    any::<[u8; 16]>().prop_map(move |bytes| {
        DecoderKey::new(algorithm, &bytes[..algorithm.key_bytes()]).expect("the length suits")
    })
}

/// A cipher under any key.
pub fn token_cipher(algorithm: EncryptionAlgorithm) -> impl Strategy<Value = TokenCipher> {
    decoder_key(algorithm).prop_map(|key| TokenCipher::new(&key))
}

/// A cipher under any key, and a token for a meter that has it.
pub fn cipher_and_token() -> impl Strategy<Value = (TokenCipher, Token)> {
    encryption_algorithm().prop_flat_map(|algorithm| (token_cipher(algorithm), token(algorithm)))
}

/// A vending key of one of the algorithms.
pub fn vending_key() -> impl Strategy<Value = VendingKey> {
    use DecoderKeyGenerationAlgorithm::{Dkga02, Dkga03, Dkga04};
    (select(vec![Dkga02, Dkga03, Dkga04]), any::<[u8; 20]>()).prop_map(|(dkga, bytes)| {
        VendingKey::new(dkga, &bytes[..dkga.vending_key_bytes()]).expect("the length suits")
    })
}

/// A key type.
pub fn key_type() -> impl Strategy<Value = KeyType> {
    select(KeyType::ALL.to_vec())
}

/// A key revision.
pub fn key_revision() -> impl Strategy<Value = KeyRevisionNumber> {
    (1..=9_u8).prop_map(|revision| revision.try_into().expect("1 to 9"))
}

/// A supply group code.
pub fn supply_group() -> impl Strategy<Value = SupplyGroupCode> {
    up_to(999_999).prop_map(|code| code.try_into().expect("six digits"))
}

/// A tariff index.
pub fn tariff_index() -> impl Strategy<Value = TariffIndex> {
    up_to(99).prop_map(|index| (index as u8).try_into().expect("two digits"))
}

/// A base date.
pub fn base_date() -> impl Strategy<Value = BaseDate> {
    select(BaseDate::ALL.to_vec())
}

/// A meter number of either form.
pub fn decoder_reference_number() -> impl Strategy<Value = DecoderReferenceNumber> {
    let serial = up_to(99_999_999)
        .prop_map(|serial| DecoderSerialNumber::try_from(serial).expect("eight digits"));
    (prop_oneof![two_digit_code(), four_digit_code()], serial)
        .prop_map(|(code, serial)| DecoderReferenceNumber::new(code, serial))
}

/// A meter of either form.
pub fn meter_pan() -> impl Strategy<Value = MeterPan> {
    decoder_reference_number().prop_map(MeterPan::new)
}

/// What a decoder key is derived from, apart from the vending key.
pub fn key_parameters() -> impl Strategy<Value = KeyParameters> {
    (
        meter_pan(),
        key_type(),
        supply_group(),
        tariff_index(),
        key_revision(),
        base_date(),
        encryption_algorithm(),
    )
        .prop_map(
            |(pan, key_type, supply_group, tariff_index, key_revision, base_date, encryption)| {
                KeyParameters {
                    pan,
                    key_type,
                    supply_group,
                    tariff_index,
                    key_revision,
                    base_date,
                    encryption,
                }
            },
        )
}

/// A new key with a set size that fits it, a rollover, and the set that carries them.
pub fn key_change_set(
    algorithm: EncryptionAlgorithm,
) -> impl Strategy<Value = (NewKey, SetSize, Rollover, KeyChangeSet)> {
    let sizes = match algorithm {
        EncryptionAlgorithm::Misty1 => vec![SetSize::Four],
        EncryptionAlgorithm::Sta | EncryptionAlgorithm::Dea => vec![SetSize::Two, SetSize::Three],
    };
    let rollover = select(vec![Rollover::Keep, Rollover::Forget]);
    let key = (
        decoder_key(algorithm),
        key_type(),
        key_revision(),
        any::<bool>(),
        any::<u8>(),
        tariff_index(),
        supply_group(),
    );
    (select(sizes), rollover, key).prop_map(
        |(size, rollover, (key, key_type, revision, without, expiry, tariff_index, group))| {
            let without = without && key_type == KeyType::Initialization;
            let new = NewKey {
                key,
                key_type,
                key_revision: (!without).then_some(revision),
                expiry: KeyExpiryNumber::from(expiry),
                tariff_index,
                supply_group: (size != SetSize::Two).then_some(group),
            };
            let set = KeyChangeSet::new(&new, size, rollover).expect("nothing is missing");
            (new, size, rollover, set)
        },
    )
}

/// An identification record.
pub fn id_record() -> impl Strategy<Value = IdRecord> {
    let expiry = prop_oneof![
        Just(DateOfExpiry::NONE),
        (2000..=2099_u16, 1..=12_u8).prop_map(|(year, month)| {
            DateOfExpiry::from_year_and_month(year, month).expect("a month of the century")
        }),
    ];
    let carrier =
        up_to(99).prop_map(|code| TokenCarrierType::try_from(code as u8).expect("two digits"));
    (
        meter_pan(),
        expiry,
        carrier,
        encryption_algorithm(),
        supply_group(),
        tariff_index(),
        key_revision(),
    )
        .prop_map(
            |(pan, expiry, carrier, algorithm, supply_group, tariff_index, key_revision)| {
                IdRecord {
                    pan,
                    expiry,
                    carrier,
                    algorithm,
                    supply_group,
                    tariff_index,
                    key_revision,
                }
            },
        )
}
