//! Tokens that do not open: every error, on both sides of its boundary.
//!
//! The blocks are put together by hand, with a right checksum unless it is the checksum that is wrong.

use prepay_token::element::{EncryptionAlgorithm, TokenIdentifier};
use prepay_token::key::{DecoderKey, TokenCipher};
use prepay_token::{
    Class, ClearBlock, ElementProblem, OpenError, TokenData, Trace, open, open_in_clear,
};

const TID: u32 = 0x19_EB23;

fn cipher(algorithm: EncryptionAlgorithm) -> TokenCipher {
    let bytes = 0x0011_2233_4455_6677_8899_AABB_CCDD_EEFF_u128.to_be_bytes();
    TokenCipher::new(&DecoderKey::new(algorithm, &bytes[..algorithm.key_bytes()]).unwrap())
}

/// The token with these 48 bits behind its class, and a right checksum.
fn token(class: Class, body: u64, cipher: &TokenCipher) -> TokenData {
    let bits = body << 16;
    let bits = bits | u64::from(ClearBlock::new(class, bits).checksum_expected());
    TokenData::join(class, if class.is_enciphered() { cipher.encipher(bits) } else { bits })
}

/// What opens a token under each cipher; all agree.
fn opened(class: Class, body: u64) -> Result<(), OpenError> {
    let results = [EncryptionAlgorithm::Sta, EncryptionAlgorithm::Dea, EncryptionAlgorithm::Misty1]
        .map(|algorithm| opened_by(algorithm, class, body));
    assert!(results.iter().all(|result| *result == results[0]), "{results:?}");
    results[0]
}

fn opened_by(algorithm: EncryptionAlgorithm, class: Class, body: u64) -> Result<(), OpenError> {
    let cipher = cipher(algorithm);
    let data = token(class, body, &cipher);
    let result = open(data, &cipher);
    assert_eq!(Trace::new(data, Some(&cipher)).result(), &result);
    if !class.is_enciphered() {
        assert_eq!(open_in_clear(data), result);
    }
    result.map(drop)
}

fn problem(problem: ElementProblem) -> Result<(), OpenError> {
    Err(OpenError::Element { identifier: None, problem })
}

fn numbered(problem: ElementProblem) -> Result<(), OpenError> {
    Err(OpenError::Element { identifier: Some(TokenIdentifier::from_low_bits(TID)), problem })
}

/// The body of a management token.
fn management(sub_class: u64, value: u64) -> u64 {
    sub_class << 44 | 5 << 40 | u64::from(TID) << 16 | value
}

#[test]
fn class_3_is_reserved_whatever_is_inside() {
    for body in [0, management(0, 1), 0xFFFF_FFFF_FFFF] {
        assert_eq!(opened(Class::Reserved, body), Err(OpenError::ReservedClass));
    }
    // The class is told before a wrong checksum, with a key and without.
    let data = TokenData::join(Class::Reserved, 0x1234_5678_9ABC_DEF0);
    assert_eq!(open_in_clear(data), Err(OpenError::ReservedClass));
    assert_eq!(open(data, &cipher(EncryptionAlgorithm::Sta)), Err(OpenError::ReservedClass));
}

#[test]
fn classes_0_and_2_need_a_key() {
    for class in [Class::Credit, Class::Management] {
        let data = token(class, management(0, 1), &cipher(EncryptionAlgorithm::Sta));
        assert_eq!(open_in_clear(data), Err(OpenError::KeyNeeded { class }));
        let trace = Trace::new(data, None);
        assert_eq!(trace.result(), &Err(OpenError::KeyNeeded { class }));
        assert!(trace.clear_block().is_none() && trace.checksum().is_none());
        assert_eq!(trace.fields().count(), 0);
    }
}

#[test]
fn a_wrong_checksum_names_both_sums() {
    let cipher = cipher(EncryptionAlgorithm::Sta);
    for class in [Class::Credit, Class::Display, Class::Management] {
        let bits = management(0, 1) << 16;
        let right = ClearBlock::new(class, bits).checksum_expected();
        for wrong in [right ^ 1, right ^ 0x8000, !right, right.swap_bytes()] {
            if wrong == right {
                continue;
            }
            let clear = bits | u64::from(wrong);
            let sent = if class.is_enciphered() { cipher.encipher(clear) } else { clear };
            let expected = OpenError::Checksum { expected: right, found: wrong };
            assert_eq!(open(TokenData::join(class, sent), &cipher), Err(expected));
        }
    }
}

#[test]
fn a_currency_token_has_its_own_checksum() {
    let cipher = cipher(EncryptionAlgorithm::Sta);
    for sub_class in 4..=7 {
        let bits = management(sub_class, 256) << 16;
        let right = ClearBlock::new(Class::Credit, bits).checksum_expected();
        let clear = bits | u64::from(right);
        assert!(open(TokenData::join(Class::Credit, cipher.encipher(clear)), &cipher).is_ok());
        // The sum over seven bytes, which every other token carries: CRC-16/MODBUS, low byte first.
        let bytes = (bits >> 16).to_be_bytes();
        let plain = bytes[1..].iter().fold(0xFFFF_u16, |sum, &byte| {
            (0..8).fold(sum ^ u16::from(byte), |sum, _| (sum >> 1) ^ (0xA001 * (sum & 1)))
        });
        let found = plain.swap_bytes();
        let data = TokenData::join(Class::Credit, cipher.encipher(bits | u64::from(found)));
        assert_eq!(open(data, &cipher), Err(OpenError::Checksum { expected: right, found }));
    }
}

#[test]
fn reserved_sub_classes_are_named() {
    let reserved = |class, sub_class| Err(OpenError::ReservedSubClass { class, sub_class });
    for sub_class in 0..16 {
        let body = management(sub_class.into(), 0);
        let found = opened(Class::Credit, body);
        assert_eq!(found, if sub_class < 8 { Ok(()) } else { reserved(Class::Credit, sub_class) });
        let code_0100 = u64::from(sub_class) << 44 | 100;
        let is_narrow = matches!(sub_class, 1 | 6..=10);
        let body = if is_narrow { code_0100 } else { u64::from(sub_class) << 44 };
        let found = opened(Class::Display, body);
        let expected =
            if matches!(sub_class, 3..=5) { reserved(Class::Display, sub_class) } else { Ok(()) };
        assert_eq!(found, expected, "class 1, sub-class {sub_class}");
        if !matches!(sub_class, 3 | 4 | 8 | 9) {
            assert_eq!(opened(Class::Management, management(sub_class.into(), 0)), Ok(()));
        }
    }
}

#[test]
fn registers_end_at_7_and_begin_again_at_all() {
    for register in [0, 7, 0xFFFF] {
        assert_eq!(opened(Class::Management, management(1, register)), Ok(()), "{register}");
    }
    for register in [8, 0x00FF, 0x8000, 0xFFFE] {
        let expected = numbered(ElementProblem::Register(register));
        assert_eq!(opened(Class::Management, management(1, register.into())), expected);
    }
}

#[test]
fn padding_is_zero() {
    for bit in 0..16 {
        let found = opened(Class::Management, management(5, 1 << bit));
        assert_eq!(found, numbered(ElementProblem::Pad(1 << bit)));
    }
}

#[test]
fn revisions_are_1_to_9_and_0_for_initialization_keys() {
    for revision in 0..16 {
        for key_type in 0..4 {
            let body = 3 << 44 | 0xF << 40 | revision << 36 | key_type << 32 | 0x1234_5678;
            let is_one = (1..=9).contains(&revision) || (revision == 0 && key_type == 0);
            let expected = match is_one {
                true => Ok(()),
                false => problem(ElementProblem::KeyRevision(revision as u8)),
            };
            assert_eq!(opened(Class::Management, body), expected, "KRN {revision}, KT {key_type}");
        }
    }
}

#[test]
fn tariff_indexes_end_at_99() {
    for index in [0, 99, 100, 153, 255] {
        let body = 4 << 44 | 0xF << 40 | index << 32 | 0x1234_5678;
        let expected = match index {
            0..=99 => Ok(()),
            _ => problem(ElementProblem::TariffIndex(index as u8)),
        };
        assert_eq!(opened(Class::Management, body), expected, "TI {index}");
    }
}

#[test]
fn a_third_section_of_three_has_a_group_and_zeros() {
    let body = |group: u64, reserved: u64| 8 << 44 | group << 20 | reserved;
    let short = EncryptionAlgorithm::Sta;
    for (group, reserved, expected) in [
        (0, 0, Ok(())),
        (999_999, 0, Ok(())),
        (1_000_000, 0, problem(ElementProblem::SupplyGroup(1_000_000))),
        (0xFF_FFFF, 0, problem(ElementProblem::SupplyGroup(0xFF_FFFF))),
        (123_456, 1, problem(ElementProblem::ReservedBits(1))),
        (123_456, 0xF_FFFF, problem(ElementProblem::ReservedBits(0xF_FFFF))),
        // Both wrong: the group is told.
        (1_000_000, 1, problem(ElementProblem::SupplyGroup(1_000_000))),
    ] {
        assert_eq!(opened_by(short, Class::Management, body(group, reserved)), expected, "{group}");
        // The same bits are half a group and a word of a longer key.
        let long = EncryptionAlgorithm::Misty1;
        assert_eq!(opened_by(long, Class::Management, body(group, reserved)), Ok(()), "{group}");
    }
}

#[test]
fn manufacturer_codes_have_the_digits_of_their_sub_class() {
    for (sub_class, code, fits) in [
        (0, 99, true),
        (0, 100, false),
        (0, 255, false),
        (1, 0, true),
        (1, 9999, true),
        (1, 10_000, false),
        (1, 65_535, false),
        (2, 99, true),
        (2, 100, false),
        (6, 99, false),
        (6, 100, true),
        (6, 9999, true),
        (10, 0, false),
        (10, 10_000, false),
        (11, 99, true),
        (11, 100, false),
        (15, 255, false),
    ] {
        let expected = match fits {
            true => Ok(()),
            false => problem(ElementProblem::ManufacturerCode(code)),
        };
        let found = opened(Class::Display, sub_class << 44 | u64::from(code));
        assert_eq!(found, expected, "code {code} in sub-class {sub_class}");
    }
}

#[test]
fn an_extended_read_has_nothing_beside_its_index() {
    for bit in 0..36_u64 {
        let control = 1 << bit;
        let expected = match bit {
            30..=35 => Ok(()),
            _ => problem(ElementProblem::Control(control)),
        };
        assert_eq!(opened(Class::Display, 2 << 44 | control << 8), expected, "bit {bit}");
    }
}

#[test]
fn every_error_is_one_line() {
    let identifier = None;
    let element = |problem| OpenError::Element { identifier, problem };
    for error in [
        OpenError::ReservedClass,
        OpenError::KeyNeeded { class: Class::Credit },
        OpenError::Checksum { expected: 1, found: 2 },
        OpenError::ReservedSubClass { class: Class::Display, sub_class: 3 },
        element(ElementProblem::ManufacturerCode(100)),
        element(ElementProblem::Control(1)),
        element(ElementProblem::Register(8)),
        element(ElementProblem::Pad(1)),
        element(ElementProblem::KeyRevision(0)),
        element(ElementProblem::TariffIndex(100)),
        element(ElementProblem::SupplyGroup(1_000_000)),
        element(ElementProblem::ReservedBits(1)),
    ] {
        let text = error.to_string();
        assert!(!text.is_empty() && !text.contains('\n') && !text.ends_with('.'), "{text}");
        assert!(text.starts_with(|sign: char| sign.is_lowercase()), "{text}");
    }
}
