//! What values and refusals print, word by word; and that no key is ever among it.

use subtle::ConstantTimeEq;

use prepay_token::element::*;
use prepay_token::key::*;
use prepay_token::key_change::{KeyChangeError, KeyChangeSet, NewKey, Rollover, SetSize};
use prepay_token::{
    Class, ClearBlock, ElementProblem, KeyNeeded, ManagementFunction, MeterTest, MeterTestError,
    OpenError, ProprietarySubClass, Token, TokenData, TokenDataError,
};

/// Compares texts, and shows all that differ.
fn assert_texts(cases: &[(String, &str)]) {
    for (found, expected) in cases {
        assert_eq!(found, expected);
        assert!(!found.ends_with('.') && !found.contains('\n'), "{found}");
    }
}

#[test]
fn refusals_of_tokens_say_what_was_expected_and_found() {
    let element = |problem| OpenError::Element { identifier: None, problem }.to_string();
    assert_texts(&[
        (OpenError::ReservedClass.to_string(), "reserved class: expected 0, 1 or 2, found 3"),
        (
            OpenError::KeyNeeded { class: Class::Management }.to_string(),
            "a key is needed: class 2 (management) is enciphered",
        ),
        (
            OpenError::Checksum { expected: 0x19E6, found: 0x0A }.to_string(),
            "wrong checksum: expected 19E6, found 000A",
        ),
        (
            OpenError::ReservedSubClass { class: Class::Display, sub_class: 3 }.to_string(),
            "reserved sub-class: class 1 has no sub-class 3",
        ),
        (
            element(ElementProblem::ManufacturerCode(99)),
            "manufacturer code 99 is out of range for its sub-class",
        ),
        (
            element(ElementProblem::Control(0xAB)),
            "extended read: expected zeros beside the index, found control 0000000ab",
        ),
        (
            element(ElementProblem::Register(8)),
            "reserved register: expected 0 to 7 or 65535, found 8",
        ),
        (element(ElementProblem::Pad(0xF)), "padding: expected 0, found 000F"),
        (
            element(ElementProblem::KeyRevision(10)),
            "key revision number: expected 1 to 9, or 0 for key type 0, found 10",
        ),
        (element(ElementProblem::TariffIndex(100)), "tariff index: expected at most 99, found 100"),
        (
            element(ElementProblem::SupplyGroup(1_000_000)),
            "supply group code: expected at most 999999, found 1000000",
        ),
        (element(ElementProblem::ReservedBits(0xA)), "reserved bits: expected 0, found 0000A"),
        (KeyNeeded.to_string(), "a key is needed: only class 1 travels in clear"),
        (
            TokenDataError::Length { found: 19 }.to_string(),
            "token number of the wrong length: expected 20 digits, found 19; a zero in front may be lost",
        ),
        (
            TokenDataError::NotDigit { character: 'x', position: 3 }.to_string(),
            "token number: expected digits, found 'x' at position 3",
        ),
        (
            TokenDataError::TooLarge.to_string(),
            "not an STS token: expected a number below 2^66, found a larger one",
        ),
    ]);
}

#[test]
fn refusals_of_elements_say_what_was_expected_and_found() {
    let two = ManufacturerCode::two_digits(7).unwrap();
    let test = |sub_class| MeterTestError::ManufacturerCode { sub_class, found: two }.to_string();
    let wide = ControlTooWide { width: 28, found: 0x1000_0000 };
    assert_texts(&[
        (
            AmountTooLarge { tenths: 18_201_625 }.to_string(),
            "amount too large: expected at most 18201624 tenths of a unit, found 18201625",
        ),
        (
            PowerLimitTooLarge { watts: 18_201_625 }.to_string(),
            "power limit too large: expected at most 18201624 W, found 18201625 W",
        ),
        (
            CurrencyAmountTooLarge.to_string(),
            &format!(
                "currency amount too large: expected a magnitude of at most {} hundred-thousandths",
                CurrencyAmount::LARGEST
            ),
        ),
        (
            BaseDate::try_from(2015).unwrap_err().to_string(),
            "unknown base date: expected 1993, 2014 or 2035, found 2015",
        ),
        (
            IssueTimeError::BeforeBaseDate { base_date: BaseDate::Y2014 }.to_string(),
            "issue time lies before the base date 2014-01-01",
        ),
        (
            IssueTimeError::AfterRange { base_date: BaseDate::Y1993 }.to_string(),
            "issue time lies beyond the identifiers of the base date 1993",
        ),
        (wide.to_string(), "control field too wide: expected 28 bits, found 10000000"),
        (ExtendedOutOfRange::Index.to_string(), "extended index out of range: expected 0 to 63"),
        (ExtendedOutOfRange::Value.to_string(), "extended value out of range: expected 0 to 1023"),
        (
            AlgorithmCodeError::UnknownEncryptionAlgorithm.to_string(),
            "unknown encryption algorithm: expected 07, 09 or 11",
        ),
        (
            AlgorithmCodeError::Dkga01Refused.to_string(),
            "DKGA01 is refused: its public descriptions contradict each other and no token proves one",
        ),
        (
            AlgorithmCodeError::UnknownDkga.to_string(),
            "unknown key generation algorithm: expected 02, 03 or 04",
        ),
        (
            TokenIdentifierOutOfRange.to_string(),
            "token identifier out of range: expected 0 to 16777215",
        ),
        (
            RandomNumber::try_from(16).unwrap_err().to_string(),
            "random number out of range: expected 0 to 15, found 16",
        ),
        (
            RegisterToClear::try_from(8).unwrap_err().to_string(),
            "reserved register: expected 0 to 7 or 65535, found 8",
        ),
        (UnknownService.to_string(), "unknown service: expected electricity, water, gas or time"),
        (
            MeterTestError::SubClass { found: 2 }.to_string(),
            "sub-class 2 is not one for this token",
        ),
        (test(1), "manufacturer code does not suit sub-class 1: expected four digits, found 07"),
        (
            test(6),
            "manufacturer code does not suit sub-class 6: expected four digits from 0100 to 9999, found 07",
        ),
        (test(11), "manufacturer code does not suit sub-class 11: expected two digits, found 07"),
        (
            MeterTestError::Control(wide).to_string(),
            "control field too wide: expected 28 bits, found 10000000",
        ),
    ]);
}

#[test]
fn refusals_of_keys_say_what_was_expected_and_found() {
    let algorithm = EncryptionAlgorithm::Misty1;
    let set = |size, algorithm| KeyChangeError::SetSize { size, algorithm }.to_string();
    assert_texts(&[
        (
            UseError::CreditUnderDefaultKey.to_string(),
            "a default key (key type 1, DDTK) must not carry credit",
        ),
        (
            UseError::KeyExpired { expiry: 17.into(), block: 18 }.to_string(),
            "key expired: expected an identifier of block 17 or before, found block 18",
        ),
        (
            KeyLengthError { expected: 8, found: 7 }.to_string(),
            "key of the wrong length: expected 8 bytes, found 7",
        ),
        (
            DerivationError::AlgorithmCombination {
                dkga: DecoderKeyGenerationAlgorithm::Dkga02,
                ea: algorithm,
            }
            .to_string(),
            "DKGA02 makes no keys for EA11",
        ),
        (
            DerivationError::InitializationKey.to_string(),
            "key type 0 (DITK) is chosen by the maker of the meter, not derived",
        ),
        (
            DerivationError::CommonKeyRuleUnknown.to_string(),
            "DKGA04 for key type 3 (DCTK) is refused: its rule is not public",
        ),
        (
            set(SetSize::Two, algorithm),
            "wrong number of key change tokens: expected 4 for EA11, found 2",
        ),
        (
            set(SetSize::Four, EncryptionAlgorithm::Sta),
            "wrong number of key change tokens: expected 2 or 3 for EA07, found 4",
        ),
        (
            KeyChangeError::SupplyGroupMissing.to_string(),
            "a key change of three or four tokens needs the new supply group code",
        ),
        (
            KeyChangeError::KeyRevisionMissing.to_string(),
            "a key change needs the new key revision number, unless the key type is 0 (DITK)",
        ),
    ]);
}

#[test]
fn what_is_or_holds_a_key_prints_its_algorithm_at_most() {
    let key = DecoderKey::new(EncryptionAlgorithm::Sta, &[0x5B; 8]).unwrap();
    let vending = VendingKey::new(DecoderKeyGenerationAlgorithm::Dkga02, &[0x5B; 8]).unwrap();
    assert_texts(&[
        (format!("{key:?}"), "DecoderKey(EA07, ..)"),
        (format!("{:?}", TokenCipher::new(&key)), "TokenCipher(EA07, ..)"),
        (format!("{vending:?}"), "VendingKey(..)"),
        (format!("{:?}", DecoderKeyGenerator::new(&vending)), "DecoderKeyGenerator(DKGA02, ..)"),
        (
            format!("{:?}", ClearBlock::new(Class::Management, 0x5B5B_5B5B)),
            "ClearBlock(Management, ..)",
        ),
    ]);
}

#[test]
fn elements_print_as_people_and_the_standard_write_them() {
    let water = RegisterToClear::try_from(1).unwrap();
    let money = RegisterToClear::try_from(5).unwrap();
    let pan: MeterPan = "600727000000000009".parse().unwrap();
    let money_of = |value| CurrencyAmount::from_hundred_thousandths(value).unwrap().to_string();
    assert_texts(&[
        (Amount::from_tenths(256).unwrap().to_string(), "25.6"),
        (Amount::from_tenths(10).unwrap().to_string(), "1"),
        (PowerLimit::from_watts(1500).unwrap().to_string(), "1500 W"),
        (money_of(15_000), "0.15"),
        (money_of(-99_994), "-0.99994"),
        (money_of(10_000), "0.1"),
        (money_of(1_000), "0.01"),
        (money_of(0), "0"),
        (BaseDate::Y2035.to_string(), "2035"),
        (water.to_string(), "water credit"),
        (money.to_string(), "water currency credit"),
        (RegisterToClear::All.to_string(), "all credit registers"),
        (format!("{:>6}", Service::Gas), "   gas"),
        (RandomNumber::try_from(11).unwrap().to_string(), "11"),
        (TokenIdentifier::try_from(1_698_595).unwrap().to_string(), "1698595"),
        (KeyExpiryNumber::from(7).to_string(), "7"),
        (KeyType::Unique.to_string(), "2"),
        (EncryptionAlgorithm::Dea.to_string(), "09"),
        (DecoderKeyGenerationAlgorithm::Dkga03.to_string(), "03"),
        (ManufacturerCode::two_digits(7).unwrap().to_string(), "07"),
        (ManufacturerCode::four_digits(107).unwrap().to_string(), "0107"),
        (pan.to_string(), "600727000000000009"),
        (format!("{pan:?}"), "MeterPan(600727000000000009)"),
        (
            format!("{:?}", TokenData::from_digits(b"29054347139309851356").unwrap()),
            "TokenData(2905 4347 1393 0985 1356)",
        ),
    ]);
}

#[test]
fn tokens_have_the_names_of_the_standard() {
    let random = RandomNumber::try_from(0).unwrap();
    let identifier = TokenIdentifier::try_from(1).unwrap();
    let function = ManagementFunction::ClearTamperCondition;
    let token = Token::Management { random, identifier, function };
    assert_eq!(token.name(), "ClearTamperCondition");
    let key = NewKey {
        key: DecoderKey::new(EncryptionAlgorithm::Misty1, &[1; 16]).unwrap(),
        key_type: KeyType::Unique,
        key_revision: KeyRevisionNumber::try_from(1).ok(),
        tariff_index: TariffIndex::try_from(1).unwrap(),
        expiry: KeyExpiryNumber::NEVER,
        supply_group: SupplyGroupCode::try_from(1).ok(),
    };
    let set = KeyChangeSet::new(&key, SetSize::Four, Rollover::Keep).unwrap();
    let names = set.sections().map(|section| Token::KeyChange(section.clone()).name());
    assert_eq!(
        names.collect::<Vec<_>>(),
        [
            "Set1stSectionDecoderKey",
            "Set2ndSectionDecoderKey",
            "Set3rdSectionDecoderKey",
            "Set4thSectionDecoderKey",
        ]
    );
}

#[test]
fn the_fields_of_a_management_token_have_the_names_of_the_standard() {
    for (sub_class, name) in [
        (0, "MPL"),
        (1, "Register"),
        (2, "Rate"),
        (5, "Pad"),
        (6, "MPPUL"),
        (7, "WMFactor"),
        (10, "Extended"),
        (11, "Value"),
        (15, "Value"),
    ] {
        let fields = prepay_token::layout::fields(Class::Management, sub_class, false);
        let names: Vec<_> = fields.iter().map(|place| place.name.text()).collect();
        assert_eq!(names, ["SubClass", "RND", "TID", name, "CRC"], "{sub_class}");
    }
    for number in 11..=15 {
        assert_eq!(ProprietarySubClass::try_from(number).unwrap().value(), number);
    }
    assert!(ProprietarySubClass::try_from(10).is_err());
}

#[test]
fn tests_of_a_maker_are_those_from_sub_class_6_on() {
    let two = ManufacturerCode::two_digits(7).unwrap();
    let four = ManufacturerCode::four_digits(107).unwrap();
    for (sub_class, code, expected) in
        [(0, two, false), (1, four, false), (6, four, true), (10, four, true), (11, two, true)]
    {
        let test = MeterTest::new(sub_class, code, 1).unwrap();
        assert_eq!(test.is_proprietary(), expected, "{sub_class}");
        assert_eq!(test.sub_class(), sub_class);
    }
}

#[test]
fn only_the_two_limits_set_a_limit() {
    let limit = PowerLimit::from_watts(5000).unwrap();
    for (function, expected) in [
        (ManagementFunction::SetMaximumPowerLimit(limit), Some(limit)),
        (ManagementFunction::SetMaximumPhasePowerUnbalanceLimit(limit), Some(limit)),
        (ManagementFunction::ClearTamperCondition, None),
    ] {
        assert_eq!(function.limit(), expected, "{function:?}");
    }
}

#[test]
fn the_third_section_of_a_key_change_depends_on_the_length_of_the_key() {
    for (long_key, expected) in [
        (true, ["SubClass", "SGCLO", "NKMO2", "CRC"].as_slice()),
        (false, &["SubClass", "SGCHO", "SGCLO", "Reserved", "CRC"]),
    ] {
        let fields = prepay_token::layout::fields(Class::Management, 8, long_key);
        let names: Vec<_> = fields.iter().map(|place| place.name.text()).collect();
        assert_eq!(names, expected);
    }
}

#[test]
fn only_class_0_is_credit() {
    let code = ManufacturerCode::two_digits(7).unwrap();
    assert!(!Token::Test(MeterTest::new(0, code, 1).unwrap()).is_credit());
}

#[test]
fn ciphers_have_the_names_of_the_standard() {
    let names = ["07", "09", "11"].map(|code| {
        let algorithm: EncryptionAlgorithm = code.parse().unwrap();
        algorithm.cipher_name()
    });
    assert_eq!(names, ["STA", "DEA", "MISTY1"]);
}

#[test]
fn a_minute_drops_seconds_and_saturates_beyond_64_bits_of_them() {
    for (seconds, minutes, start) in [(119, 1, 60), (60, 1, 60), (-1, -1, -60), (0, 0, 0)] {
        let minute = UtcMinute::from_unix_seconds(seconds);
        assert_eq!((minute.unix_minutes(), minute.unix_seconds()), (minutes, start), "{seconds}");
    }
    assert_eq!(UtcMinute::from_unix_minutes(i64::MAX).unix_seconds(), i64::MAX);
}

#[test]
fn the_control_field_is_as_wide_as_the_manufacturer_code_leaves_it() {
    let two = ManufacturerCode::two_digits(7).unwrap();
    let four = ManufacturerCode::four_digits(107).unwrap();
    assert_eq!([two, four].map(|code| Control::new(code, 1).unwrap().width()), [36, 28]);
}

#[test]
fn an_amount_of_money_of_zero_is_not_negative() {
    let zero = CurrencyAmount::from_hundred_thousandths(0).unwrap();
    assert_eq!((zero.sign_exponent(), zero.bits()), (0, 0));
}

#[test]
fn decoder_keys_are_equal_only_with_the_same_algorithm_and_the_same_bytes() {
    let key = |algorithm, byte| DecoderKey::new(algorithm, &[byte; 8]).unwrap();
    let (sta, dea) = (EncryptionAlgorithm::Sta, EncryptionAlgorithm::Dea);
    for (other, expected) in
        [(key(sta, 1), true), (key(sta, 2), false), (key(dea, 1), false), (key(dea, 2), false)]
    {
        assert_eq!(bool::from(key(sta, 1).ct_eq(&other)), expected, "{other:?}");
    }
}

#[test]
fn the_first_character_that_is_no_digit_is_named() {
    for (digits, character, position) in
        [(b"x9054347139309851356", 'x', 1), (b"290543471393098y135x", 'y', 16)]
    {
        assert_eq!(
            TokenData::from_digits(digits),
            Err(TokenDataError::NotDigit { character, position })
        );
    }
}
