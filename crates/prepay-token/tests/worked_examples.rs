//! Worked examples with every value between the meaning and the digits: clear block, enciphered block, 66 bits.
//!
//! - Source: IEC 62055-41:2018, the example of the TransferCredit token; published runs of STS 531-1, whose
//!   digits these are. The blocks between were worked out a second time by another program.

use prepay_token::element::{
    Amount, BaseDate, CurrencyAmount, EncryptionAlgorithm, ExtendedIndex, ExtendedValue,
    KeyExpiryNumber, KeyType, ManufacturerCode, PowerLimit, RandomNumber, RegisterToClear, Service,
    TokenIdentifier,
};
use prepay_token::key::{DecoderKey, TokenCipher};
use prepay_token::key_change::{KeyChangeSet, NewKey, Rollover, SetSize};
use prepay_token::{
    ChecksumKind, ClearBlock, ManagementFunction, MeterTest, Token, TokenData, Trace,
    TwoDigitManufacturer, open, open_in_clear, seal, seal_in_clear,
};

/// The key of the meter 600727000000000009 under the vending key of STS 531-1, DKGA02, tariff index 01.
const DKGA02: u64 = 0xE653_341F_9D5B_F36F;
/// The same meter under DKGA04, for EA07.
const DKGA04: u64 = 0x87F3_ECBB_2E46_B48F;
/// The same for EA11.
const DKGA04_LONG: u128 = 0x929B_D3A4_15C9_420A_05EC_5EE9_F3CE_91C3;
/// The key printed in the standard.
const PRINTED: u64 = 0x0ABC_12DE_F345_6789;

/// Token, key, clear block, enciphered block, 66 bits, digits.
type Case = (Token, u64, u64, u64, u128, &'static str);

fn sta(key: u64) -> TokenCipher {
    TokenCipher::new(&DecoderKey::new(EncryptionAlgorithm::Sta, &key.to_be_bytes()).unwrap())
}

fn misty1(key: u128) -> TokenCipher {
    TokenCipher::new(&DecoderKey::new(EncryptionAlgorithm::Misty1, &key.to_be_bytes()).unwrap())
}

fn tid(minutes: u32) -> TokenIdentifier {
    TokenIdentifier::try_from(minutes).unwrap()
}

fn credit(random: u8, minutes: u32, tenths: u32) -> Token {
    Token::Credit {
        service: Service::Electricity,
        random: RandomNumber::try_from(random).unwrap(),
        identifier: tid(minutes),
        amount: Amount::from_tenths(tenths).unwrap(),
    }
}

fn money(minutes: u32, hundred_thousandths: i128) -> Token {
    Token::CurrencyCredit {
        service: Service::Electricity,
        identifier: tid(minutes),
        amount: CurrencyAmount::from_hundred_thousandths(hundred_thousandths).unwrap(),
    }
}

fn management(minutes: u32, function: ManagementFunction) -> Token {
    let random = RandomNumber::try_from(5).unwrap();
    Token::Management { random, identifier: tid(minutes), function }
}

fn watts(watts: u32) -> PowerLimit {
    PowerLimit::from_watts(watts).unwrap()
}

fn extended(index: u8, value: u16) -> ManagementFunction {
    let index = ExtendedIndex::try_from(index).unwrap();
    ManagementFunction::Extended(ExtendedValue::new(index, value).unwrap())
}

/// Every step of one token, down and up.
fn step_by_step(token: &Token, cipher: &TokenCipher, expected: (u64, u64, u128, &str)) {
    let (clear, sent, bits, digits) = expected;
    let block = ClearBlock::of(token);
    assert_eq!(block.bits(), clear, "{digits}: clear block {:016X}", block.bits());
    assert_eq!(block.checksum_found(), block.checksum_expected(), "{digits}");
    assert_eq!(cipher.encipher(clear), sent, "{digits}: enciphered block");
    assert_eq!(cipher.decipher(sent), clear, "{digits}: deciphered block");
    let data = TokenData::join(token.class(), sent);
    assert_eq!(data.value(), bits, "{digits}: 66 bits");
    assert_eq!(format!("{data:#}"), digits);
    assert_eq!(seal(token, cipher), data, "{digits}");
    assert_eq!(open(data, cipher).as_ref(), Ok(token), "{digits}");
    let trace = Trace::new(data, Some(cipher));
    assert_eq!(trace.clear_block().map(ClearBlock::bits), Some(clear), "{digits}");
    assert_eq!(trace.sent_block(), sent, "{digits}");
    assert_eq!(u128::from(trace.moved_bits()), bits >> 64, "{digits}");
    assert_eq!(trace.result().as_ref(), Ok(token), "{digits}");
    let sum = clear as u16;
    assert_eq!(trace.checksum().map(|(_, expected, found)| (expected, found)), Some((sum, sum)));
}

#[test]
#[rustfmt::skip]
fn credit_in_units_agrees_at_every_step() {
    let cases: [Case; 3] = [
        (credit(5, 5_871_715, 1), DKGA02, 0x0559_9863_0001_19E6, 0x4920_83C0_AE7C_E455, 0x1_4920_83C0_A67C_E455, "2371 6100 5011 8319 4197"),
        (credit(11, 1_698_595, 256), PRINTED, 0x0B19_EB23_0100_C207, 0x9335_C6C9_6B73_52DC, 0x1_9335_C6C9_6373_52DC, "2905 4347 1393 0985 1356"),
        (credit(5, 85_740, 1), DKGA04, 0x0501_4EEC_0001_3188, 0xD431_F4B0_9E0E_9F62, 0x3_D431_F4B0_860E_9F62, "7063 0503 4700 2872 6114"),
    ];
    for (token, key, clear, sent, bits, digits) in cases {
        step_by_step(&token, &sta(key), (clear, sent, bits, digits));
    }
    let token = credit(5, 85_740, 1);
    let expected = (0x0501_4EEC_0001_3188, 0x2D98_A561_7B45_BE2E, 0x3_2D98_A561_6345_BE2E, "5862 5789 9869 9135 7486");
    step_by_step(&token, &misty1(DKGA04_LONG), expected);
}

#[test]
#[rustfmt::skip]
fn credit_in_money_agrees_at_every_step() {
    let cases: [Case; 4] = [
        (money(5_419_321, 100_000), DKGA04, 0x4052_B139_60AA_C385, 0x4B81_4BC2_5118_72E4, 0x2_4B81_4BC2_4118_72E4, "4233 4201 2699 4723 2996"),
        (money(5_419_322, 1_638_300_000), DKGA04, 0x4152_B13A_78E3_6496, 0x4E34_6519_2974_C2A7, 0x1_4E34_6519_2174_C2A7, "2408 1984 2660 6677 2647"),
        (money(5_988_182, 18_204_262_400_000), DKGA04, 0x425B_5F56_8000_6A89, 0x5167_A99D_F11B_AE4D, 0x2_5167_A99D_E11B_AE4D, "4275 9331 6826 4411 0925"),
        (money(5_988_192, -100_000), DKGA04, 0x485B_5F60_60A9_B0A7, 0x81B4_3725_4FB1_300B, 0x1_81B4_3725_47B1_300B, "2779 2899 8336 6628 5579"),
    ];
    for (token, key, clear, sent, bits, digits) in cases {
        assert_eq!(ClearBlock::of(&token).checksum_kind(), ChecksumKind::CrcC, "{digits}");
        step_by_step(&token, &sta(key), (clear, sent, bits, digits));
    }
}

#[test]
#[rustfmt::skip]
fn management_agrees_at_every_step() {
    let all = ManagementFunction::ClearCredit(RegisterToClear::All);
    let cases: [Case; 6] = [
        (management(5_910_301, ManagementFunction::SetMaximumPowerLimit(watts(1000))), DKGA02, 0x055A_2F1D_03E8_F8F4, 0xC267_DB18_153B_DCB4, 0x2_C267_DB18_153B_DCB4, "5090 1894 2098 6026 3092"),
        (management(5_915_955, ManagementFunction::SetMaximumPowerLimit(watts(20_000))), DKGA02, 0x055A_4533_416A_35E4, 0xAB59_259B_707D_FACF, 0x2_AB59_259B_707D_FACF, "4924 0429 3503 6949 1663"),
        (management(5_910_315, all), DKGA02, 0x155A_2F2B_FFFF_1B64, 0x998F_A773_08C6_07E4, 0x1_998F_A773_10C6_07E4, "2951 1990 9958 2664 0868"),
        (management(5_910_360, ManagementFunction::ClearTamperCondition), DKGA02, 0x555A_2F58_0000_E5CF, 0x01FE_EC21_91BF_6E8E, 0x2_01FE_EC21_91BF_6E8E, "3703 7300 0144 6485 5694"),
        (management(5_910_380, ManagementFunction::SetMaximumPhasePowerUnbalanceLimit(watts(10))), DKGA02, 0x655A_2F6C_000A_21F6, 0xA364_E6C0_CC2E_8537, 0x1_A364_E6C0_D42E_8537, "3022 0533 1154 3079 8647"),
        (management(5_910_390, ManagementFunction::SetTariffRate(100)), DKGA02, 0x255A_2F76_0064_8F1D, 0x655B_B846_C061_4EEE, 0x0_655B_B846_D061_4EEE, "0730 3633 8349 9465 0862"),
    ];
    for (token, key, clear, sent, bits, digits) in cases {
        step_by_step(&token, &sta(key), (clear, sent, bits, digits));
    }
}

#[test]
fn extended_tokens_agree_from_clear_block_to_digits() {
    for (minutes, function, clear, digits) in [
        (0x78_657C, extended(63, 0), 0xA578_657C_FC00_1E2B, "2953 0401 2625 4856 3889"),
        (0x78_6581, extended(63, 1), 0xA578_6581_FC01_4E1B, "4691 6500 9528 3644 7494"),
        (0x78_6586, extended(0, 0), 0xA578_6586_0000_7F1A, "0290 5758 1423 5048 0527"),
        (0x78_658B, extended(0, 123), 0xA578_658B_007B_AEFA, "2632 9856 3088 1775 0454"),
    ] {
        let token = management(minutes, function);
        assert_eq!(ClearBlock::of(&token).bits(), clear, "{digits}");
        let data = seal(&token, &sta(DKGA04));
        assert_eq!(format!("{data:#}"), digits);
        assert_eq!(open(data, &sta(DKGA04)), Ok(token), "{digits}");
    }
}

#[test]
fn reserved_minutes_and_several_tokens_in_one_minute_agree() {
    // (minute asked for, last identifier issued, identifier coded, digits)
    const CASES: &[(u32, Option<u32>, u32, &str)] = &[
        (5_911_200, None, 5_911_200, "1020 8942 2960 8918 3521"),
        (5_911_201, None, 5_911_202, "2038 8873 1916 5667 1689"),
        (5_911_203, None, 5_911_203, "4334 8834 9399 3791 3498"),
        (5_911_203, Some(5_911_203), 5_911_204, "5168 1104 1503 7445 1564"),
        (5_911_203, Some(5_911_204), 5_911_205, "5052 6247 7238 6428 0405"),
    ];
    for &(asked, last, coded, digits) in CASES {
        let identifier = tid(asked).next_after(last.map(tid)).unwrap();
        assert_eq!(identifier.value(), coded, "{digits}");
        let function = ManagementFunction::ClearCredit(RegisterToClear::All);
        let data = seal(&management(identifier.value(), function), &sta(DKGA02));
        assert_eq!(format!("{data:#}"), digits);
    }
    assert_eq!(BaseDate::Y1993.minute_of(tid(5_911_200)).unix_minutes() % 1440, 0);
}

#[test]
#[rustfmt::skip]
fn tests_and_displays_agree_in_clear() {
    let test = |code: &str, control| {
        let code: ManufacturerCode = code.parse().unwrap();
        Token::Test(MeterTest::new(MeterTest::standard_sub_class(code), code, control).unwrap())
    };
    let read = |index| Token::ExtendedRead {
        index: ExtendedIndex::try_from(index).unwrap(),
        manufacturer: TwoDigitManufacturer::try_from(ManufacturerCode::two_digits(0).unwrap()).unwrap(),
    };
    // (token, clear block, 66 bits, digits)
    let cases: [(Token, u64, u128, &str); 5] = [
        (test("00", 1), 0x0000_0000_0100_0A50, 0x0_0000_0000_0900_0A50, "0000 0000 0001 5099 7584"),
        (test("00", 8), 0x0000_0000_0800_0C00, 0x1_0000_0000_0800_0C00, "1844 6744 0738 4377 2416"),
        (test("0000", 1), 0x1000_0001_0000_5890, 0x0_1000_0001_0800_5890, "0115 2921 5090 3605 4672"),
        (read(0), 0x2000_0000_0000_0CA0, 0x0_2000_0000_0800_0CA0, "0230 5843 0093 4791 4912"),
        (read(63), 0x2FC0_0000_0000_0C4E, 0x0_2FC0_0000_0800_0C4E, "0344 0750 1154 4527 9822"),
    ];
    for (token, clear, bits, digits) in cases {
        let data = seal_in_clear(&token).unwrap();
        assert_eq!(ClearBlock::of(&token).bits(), clear, "{digits}");
        assert_eq!(data.value(), bits, "{digits}");
        assert_eq!(format!("{data:#}"), digits);
        assert_eq!(open_in_clear(data), Ok(token), "{digits}");
        assert_eq!(Trace::new(data, None).clear_block().map(ClearBlock::bits), Some(clear), "{digits}");
    }
}

/// A key change: sizes, keys, and for each section its clear block, its enciphered block and its digits.
fn key_change(
    cipher: &TokenCipher,
    new: &NewKey,
    size: SetSize,
    rollover: Rollover,
    expected: &[(u64, u64, &str)],
) {
    let set = KeyChangeSet::new(new, size, rollover).unwrap();
    assert_eq!(set.sections().count(), expected.len());
    for (section, &(clear, sent, digits)) in set.sections().zip(expected) {
        let token = Token::KeyChange(section.clone());
        let bits = TokenData::join(token.class(), sent).value();
        step_by_step(&token, cipher, (clear, sent, bits, digits));
    }
}

fn new_key(bytes: &[u8], group: &str, revision: u8) -> NewKey {
    let algorithm =
        if bytes.len() == 16 { EncryptionAlgorithm::Misty1 } else { EncryptionAlgorithm::Sta };
    NewKey {
        key: DecoderKey::new(algorithm, bytes).unwrap(),
        key_type: KeyType::Unique,
        key_revision: Some(revision.try_into().unwrap()),
        expiry: KeyExpiryNumber::NEVER,
        tariff_index: "02".parse().unwrap(),
        supply_group: Some(group.parse().unwrap()),
    }
}

#[test]
#[rustfmt::skip]
fn key_changes_agree_at_every_step() {
    let new = new_key(&0x060B_8643_C59A_27F1_u64.to_be_bytes(), "123456", 1);
    key_change(&sta(DKGA02), &new, SetSize::Two, Rollover::Keep, &[
        (0x3F12_060B_8643_D717, 0xCCA0_882E_572F_DBAD, "5163 8423 0600 4273 4509"),
        (0x4F02_C59A_27F1_89A8, 0xD530_672A_A6C6_5C22, "1536 1891 7621 1350 2242"),
    ]);
    let new = new_key(&0x7F78_CDD2_20BE_39B8_u64.to_be_bytes(), "201457", 1);
    key_change(&sta(DKGA04), &new, SetSize::Three, Rollover::Keep, &[
        (0x3F16_7F78_CDD2_390C, 0xD8AA_DD97_F69C_8BAE, "5250 6022 8503 9960 3630"),
        (0x4F02_20BE_39B8_36F9, 0x3EE6_70E5_899A_F6D0, "2297 9178 2799 9720 8272"),
        (0x8031_2F10_0000_53D5, 0x25D8_2598_B642_F95E, "3962 0459 0596 1503 7790"),
    ]);
    let new = new_key(&0xB199_270A_77AF_96D3_156C_51B0_964A_8782_u128.to_be_bytes(), "201457", 1);
    key_change(&misty1(DKGA04_LONG), &new, SetSize::Four, Rollover::Keep, &[
        (0x3F12_B199_270A_E928, 0x357D_BF34_0198_EC87, "0385 4447 0864 5345 1911"),
        (0x4F02_964A_8782_A0F0, 0x26BE_76CB_A15E_21E0, "0279 1799 4362 4246 1152"),
        (0x82F1_77AF_96D3_5E9F, 0xA373_495B_9ED4_3D66, "6711 8070 3293 5397 7190"),
        (0x9031_156C_51B0_A061, 0x07F1_84C6_CEB5_9AFA, "1901 9128 6909 0293 2218"),
    ]);
    let new = new_key(&0xBDC2_8DCF_6005_434D_u64.to_be_bytes(), "203557", 6);
    key_change(&sta(DKGA04), &new, SetSize::Two, Rollover::between(BaseDate::Y2014, BaseDate::Y2035), &[
        (0x3F6A_BDC2_8DCF_8552, 0x8BC9_E916_1819_C478, "6541 3070 5436 8815 6280"),
        (0x4F02_6005_434D_B03B, 0x7D36_D2A1_489D_0145, "2746 9374 5674 7695 3413"),
    ]);
}

#[test]
fn a_published_checksum_agrees() {
    // Class 0, sub-class 0, RND 5, an identifier of 2016-12-11 15:49, Amount 2710 hex.
    let minutes = 0xC0_2A55;
    let amount = Amount::from_bits(0x2710);
    let token = credit(5, minutes, amount.tenths());
    assert_eq!(ClearBlock::of(&token).checksum_found(), 0x1970);
    assert_eq!(minutes, 12_593_749);
}
