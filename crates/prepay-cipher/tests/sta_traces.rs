//! Every round of STA in the worked examples: working key, first step, second step.
//!
//! The first example is a token published as a conformance value, under a public test key. The
//! second is the worked example of the standard, once with the operational and once with the sample
//! tables; its operational result is published, its sample trace was computed by an independent
//! implementation.
//!
//! - Source: IEC 62055-41:2018, EncryptionAlgorithm07; STS 531-1 for the conformance value.

use prepay_cipher::{
    SampleSta, Sta,
    cipher::KeyInit,
    reference::sta::{self, OPERATIONAL, ROUNDS, Round, SAMPLE},
};

/// A round as the examples print it: working key, block after the first step, after the second.
type Printed = (u64, u64, u64);

const CREDIT_KEY: u64 = 0xE653_341F_9D5B_F36F;
const CREDIT_CLEAR: u64 = 0x0559_9863_0001_19E6;
const CREDIT_CIPHER: u64 = 0x4920_83C0_AE7C_E455;

const STANDARD_KEY: u64 = 0x0ABC_12DE_F345_6789;
const STANDARD_CLEAR: u64 = 0x0B19_EB23_0100_C207;
const STANDARD_CIPHER: u64 = 0x9335_C6C9_6B73_52DC;
const STANDARD_SAMPLE_CIPHER: u64 = 0xC45E_D161_9406_DF95;

/// The credit token, enciphered.
const CREDIT_ENCIPHERED: [Printed; ROUNDS] = [
    (0xC901_9ACC_BE06_2A40, 0xC630_5B1D_CCEA_A562, 0xAD6F_3656_C623_A094),
    (0x9203_3599_7C0C_5481, 0x982B_9261_417D_FE5C, 0xF52C_DB60_8D4E_1F60),
    (0x2406_6B32_F818_A903, 0xB374_8F2E_B4CA_8E2E, 0x2375_8C97_C6FF_C4A2),
    (0x480C_D665_F031_5206, 0x7D56_B405_02BB_4CF7, 0x3BC8_BEF8_11A1_C76A),
    (0x9019_ACCB_E062_A40C, 0xD14B_FAEB_8AFA_0529, 0x33B8_E372_F62D_283E),
    (0x2033_5997_C0C5_4819, 0x991D_6D37_E228_7B9A, 0xA65B_8DC8_5FDC_AB0C),
    (0x4066_B32F_818A_9032, 0xF231_B84B_6B40_91E4, 0xC03C_F30E_5C32_C43C),
    (0x80CD_665F_0315_2064, 0x0ED0_B9EA_3497_4C94, 0x0911_4A3F_7119_97E3),
    (0x019A_CCBE_062A_40C9, 0xE088_79DE_5AA5_05AD, 0x81D3_624B_7425_7C5D),
    (0x0335_997C_0C54_8192, 0xDA89_12CF_5773_3468, 0xC578_F377_AC24_09C9),
    (0x066B_32F8_18A9_0324, 0x435B_B933_F027_E040, 0x961F_3355_5218_9A62),
    (0x0CD6_65F0_3152_0648, 0x018B_9963_37AD_0F22, 0x7319_4F41_4079_18ED),
    (0x19AC_CBE0_62A4_0C90, 0x5D85_7E7A_CE30_ABA8, 0x8E16_EBEA_D2EC_219D),
    (0x3359_97C0_C548_1920, 0xD6A1_A1AF_4760_7808, 0xCC79_A946_3C0E_02A9),
    (0x66B3_2F81_8A90_3240, 0x4430_F572_D0C6_E7F0, 0x8D37_7219_13EB_B224),
    (0xCD66_5F03_1520_6480, 0xB495_52A0_A961_172C, 0x4920_83C0_AE7C_E455),
];

/// The credit token, deciphered.
const CREDIT_DECIPHERED: [Printed; ROUNDS] = [
    (0xE653_341F_9D5B_F36F, 0xB495_52A0_A961_172C, 0x8D37_7219_13EB_B224),
    (0xF329_9A0F_CEAD_F9B7, 0x4430_F572_D0C6_E7F0, 0xCC79_A946_3C0E_02A9),
    (0xF994_CD07_E756_FCDB, 0xD6A1_A1AF_4760_7808, 0x8E16_EBEA_D2EC_219D),
    (0xFCCA_6683_F3AB_7E6D, 0x5D85_7E7A_CE30_ABA8, 0x7319_4F41_4079_18ED),
    (0xFE65_3341_F9D5_BF36, 0x018B_9963_37AD_0F22, 0x961F_3355_5218_9A62),
    (0x7F32_99A0_FCEA_DF9B, 0x435B_B933_F027_E040, 0xC578_F377_AC24_09C9),
    (0xBF99_4CD0_7E75_6FCD, 0xDA89_12CF_5773_3468, 0x81D3_624B_7425_7C5D),
    (0xDFCC_A668_3F3A_B7E6, 0xE088_79DE_5AA5_05AD, 0x0911_4A3F_7119_97E3),
    (0x6FE6_5334_1F9D_5BF3, 0x0ED0_B9EA_3497_4C94, 0xC03C_F30E_5C32_C43C),
    (0xB7F3_299A_0FCE_ADF9, 0xF231_B84B_6B40_91E4, 0xA65B_8DC8_5FDC_AB0C),
    (0xDBF9_94CD_07E7_56FC, 0x991D_6D37_E228_7B9A, 0x33B8_E372_F62D_283E),
    (0x6DFC_CA66_83F3_AB7E, 0xD14B_FAEB_8AFA_0529, 0x3BC8_BEF8_11A1_C76A),
    (0x36FE_6533_41F9_D5BF, 0x7D56_B405_02BB_4CF7, 0x2375_8C97_C6FF_C4A2),
    (0x9B7F_3299_A0FC_EADF, 0xB374_8F2E_B4CA_8E2E, 0xF52C_DB60_8D4E_1F60),
    (0xCDBF_994C_D07E_756F, 0x982B_9261_417D_FE5C, 0xAD6F_3656_C623_A094),
    (0xE6DF_CCA6_683F_3AB7, 0xC630_5B1D_CCEA_A562, 0x0559_9863_0001_19E6),
];

/// The example of the standard, enciphered with the sample tables.
const STANDARD_SAMPLE: [Printed; ROUNDS] = [
    (0x876F_543E_D210_CBA9, 0x6DAD_7D84_6ACC_076E, 0xCEA6_B17D_9D32_3631),
    (0x0EDE_A87D_A421_9753, 0x681C_F92B_D948_404A, 0x9A91_A8A0_CD1A_42B9),
    (0x1DBD_50FB_4843_2EA6, 0x11D9_5E16_6BA5_37F1, 0x75AE_5172_352B_AC97),
    (0x3B7A_A1F6_9086_5D4C, 0x2A58_AAE8_4F7D_501E, 0x8378_AC06_4D6F_D2B2),
    (0x76F5_43ED_210C_BA98, 0xE4EE_566C_3905_B7F7, 0xE9DF_017F_38BB_4557),
    (0xEDEA_87DA_4219_7530, 0x8DB5_6AE5_4EDF_3FF2, 0x6EFE_B77B_0F63_31AE),
    (0xDBD5_0FB4_8432_EA61, 0xC857_DEED_6B04_4957, 0x09F8_9934_7F3B_55C9),
    (0xB7AA_1F69_0865_D4C3, 0x6152_1D43_254D_AF01, 0xB342_0140_B6F8_24EB),
    (0x6F54_3ED2_10CB_A987, 0xD438_C93C_D052_738D, 0x2013_4FBF_E510_4BB4),
    (0xDEA8_7DA4_2197_530E, 0x7694_35FB_7F9C_3DD3, 0xBEF5_6543_BB7F_5C8D),
    (0xBD50_FB48_432E_A61D, 0xF8BF_CA34_DD25_A6EB, 0xE89F_D8F8_2DFA_8BD6),
    (0x7AA1_F690_865D_4C3B, 0x72DB_BE5E_79B1_EF9C, 0xB54F_7D54_579F_CED7),
    (0xF543_ED21_0CBA_9876, 0xFF3B_EBF3_FED5_0892, 0x9479_FCA9_9F77_39FE),
    (0xEA87_DA42_1975_30ED, 0xD3E1_5051_1522_4158, 0x01C5_5328_405D_AB09),
    (0xD50F_B484_32EA_61DB, 0x6A6A_A47E_3CAB_5D6D, 0xD7D1_AB5E_7256_CE52),
    (0xAA1F_6908_65D4_C3B7, 0xBE99_5FF8_28A0_07A8, 0xC45E_D161_9406_DF95),
];

/// Compares round by round, so that the first that differs is named.
fn assert_trace(found: [Round; ROUNDS], printed: [Printed; ROUNDS]) {
    for (index, (found, (working_key, first, second))) in found.into_iter().zip(printed).enumerate()
    {
        assert_eq!(found, Round { working_key, first, second }, "round {}", index + 1);
    }
}

#[test]
fn credit_token_passes_through_the_printed_rounds_both_ways() {
    let enciphered = sta::trace_encipher(&OPERATIONAL, CREDIT_KEY, CREDIT_CLEAR);
    assert_trace(enciphered, CREDIT_ENCIPHERED);
    let deciphered = sta::trace_decipher(&OPERATIONAL, CREDIT_KEY, CREDIT_CIPHER);
    assert_trace(deciphered, CREDIT_DECIPHERED);
}

#[test]
fn example_of_the_standard_passes_through_the_sample_rounds() {
    assert_trace(sta::trace_encipher(&SAMPLE, STANDARD_KEY, STANDARD_CLEAR), STANDARD_SAMPLE);
}

#[test]
fn deciphering_undoes_the_rounds_of_enciphering_in_reverse() {
    // What goes into a round of encipherment comes out of the matching round of decipherment.
    let forth = sta::trace_encipher(&SAMPLE, STANDARD_KEY, STANDARD_CLEAR);
    let back = sta::trace_decipher(&SAMPLE, STANDARD_KEY, STANDARD_SAMPLE_CIPHER);
    for round in 0..ROUNDS {
        let before = if round == 0 { STANDARD_CLEAR } else { forth[round - 1].second };
        assert_eq!(back[ROUNDS - 1 - round].second, before, "round {}", round + 1);
        assert_eq!(back[ROUNDS - 1 - round].first, forth[round].first, "round {}", round + 1);
    }
}

#[test]
fn fast_sta_reaches_the_published_blocks_both_ways() {
    // (key, clear, cipher, why)
    const CASES: &[(u64, u64, u64, &str)] = &[
        (CREDIT_KEY, CREDIT_CLEAR, CREDIT_CIPHER, "credit, DKGA02"),
        (STANDARD_KEY, STANDARD_CLEAR, STANDARD_CIPHER, "example of the standard"),
        (0x87F3_ECBB_2E46_B48F, 0x0501_4EEC_0001_3188, 0xD431_F4B0_9E0E_9F62, "credit, DKGA04"),
        (0x87F3_ECBB_2E46_B48F, 0x4052_B139_60AA_C385, 0x4B81_4BC2_5118_72E4, "currency credit"),
    ];
    for &(key, clear, enciphered, why) in CASES {
        let cipher = Sta::new(&key.to_be_bytes().into());
        assert_eq!(cipher.encipher(clear), enciphered, "{why}");
        assert_eq!(cipher.decipher(enciphered), clear, "{why}");
    }
}

#[test]
fn sample_tables_give_another_block_than_the_operational_ones() {
    let cipher = SampleSta::new(&STANDARD_KEY.to_be_bytes().into());
    assert_eq!(cipher.encipher(STANDARD_CLEAR), STANDARD_SAMPLE_CIPHER);
    assert_eq!(cipher.decipher(STANDARD_SAMPLE_CIPHER), STANDARD_CLEAR);
    assert_ne!(STANDARD_SAMPLE_CIPHER, STANDARD_CIPHER);
}
