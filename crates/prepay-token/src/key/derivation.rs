//! Decoder key generation: from the vending key of a group to the key of one meter.
//!
//! DKGA02 and DKGA03 encipher one block made of the meter's number and the group's parameters:
//!
//! ```text
//!  PANBlock      0 0 7 2 7 d d d d d d d d d d d      5 digits of IIN, 11 of DRN (or 3 and 13)
//!  CONTROLBlock  t g g g g g g i i r F F F F F F      KT, SGC, TI, KRN, then six F
//!  X             PANBlock XOR CONTROLBlock
//!
//!  DKGA02   DES(key, X) XOR X XOR key                 single DES, 64-bit vending key
//!  DKGA03   TDES(key, X) XOR X                        two-key EDE, 128-bit vending key; no vector is public
//! ```
//!
//! DKGA04 is HMAC-SHA-256 under the 160-bit vending key over 49 bytes, of which the leftmost 64 or 128
//! bits are the key. Texts are ASCII digits, each with its length in front:
//!
//! ```text
//!  04  02 "04"  02 BDT  02 EA  02 TI  00  04  06 SGC  01 KT  01 KRN  12h MeterPAN  0000 00LL
//!  |                                  |   |                                       key length in bits
//!  label, four items                  separator, context, four items
//! ```
//!
//! DKGA04 for a common key (KT 3) is not settled: a common key must not depend on the meter, but no public
//! source says what replaces its number. [`CommonKeyRule`] decides; the default refuses.
//!
//! Everything that depends on the vending key alone, the key schedule of DES and the two inner states of
//! HMAC, is worked out once when a [`DecoderKeyGenerator`] is made.
//!
//! - Source: IEC 62055-41:2018, DecoderKeyGenerationAlgorithm02, 03 and 04.

use core::fmt;

use cipher::{BlockCipherEncrypt, KeyInit};
use des::{Des, TdesEde2};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use super::{DecoderKey, VendingKey};
use crate::element::{
    AlgorithmPolicy, BaseDate, DecoderKeyGenerationAlgorithm, EncryptionAlgorithm,
    KeyRevisionNumber, KeyType, MeterPan, SupplyGroupCode, TariffIndex,
};

/// How many bytes DKGA04 hashes.
const DKGA04_BYTES: usize = 49;

/// What a decoder key depends on, besides the vending key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyParameters {
    /// The meter.
    pub pan: MeterPan,
    /// The type of the key.
    pub key_type: KeyType,
    /// The supply group of the vending key.
    pub supply_group: SupplyGroupCode,
    /// The tariff index.
    pub tariff_index: TariffIndex,
    /// The revision of the vending key.
    pub key_revision: KeyRevisionNumber,
    /// The base date of the vending key. Only DKGA04 hashes it.
    pub base_date: BaseDate,
    /// The cipher that the key is for. Only DKGA04 hashes it.
    pub encryption: EncryptionAlgorithm,
}

/// What DKGA04 does for a common key (KT 3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CommonKeyRule {
    /// Nothing: the rule is not public. The default.
    #[default]
    Refuse,
    /// It hashes the whole MeterPAN, as for a unique key. Open implementations do this, though the key is
    /// then no longer common to the group.
    WholePan,
}

/// The open points of key generation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DerivationPolicy {
    /// Which algorithms go together.
    pub algorithms: AlgorithmPolicy,
    /// What DKGA04 does for a common key.
    pub dkga04_common_key: CommonKeyRule,
}

/// Why no decoder key was derived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DerivationError {
    /// The cipher cannot use a key of this algorithm.
    AlgorithmCombination {
        /// The algorithm of the vending key.
        dkga: DecoderKeyGenerationAlgorithm,
        /// The cipher requested.
        ea: EncryptionAlgorithm,
    },
    /// An initialization key (KT 0) is chosen by the maker of the meter, not derived.
    InitializationKey,
    /// DKGA04 for a common key is refused by the policy.
    CommonKeyRuleUnknown,
}

/// A vending key prepared to derive the keys of many meters.
pub struct DecoderKeyGenerator {
    prepared: Prepared,
    policy: DerivationPolicy,
}

/// What each algorithm prepares from its vending key.
enum Prepared {
    Dkga02 { des: Des, key: Zeroizing<u64> },
    Dkga03 { tdes: TdesEde2 },
    Dkga04 { hmac: Hmac<Sha256> },
}

impl DecoderKeyGenerator {
    /// Prepares a vending key, with the default policy.
    pub fn new(key: &VendingKey) -> Self {
        Self::with_policy(key, DerivationPolicy::default())
    }

    /// Prepares a vending key.
    pub fn with_policy(key: &VendingKey, policy: DerivationPolicy) -> Self {
        const FITS: &str = "a vending key has the length that its algorithm takes";
        let bytes = key.expose_bytes();
        let prepared = match key.algorithm() {
            DecoderKeyGenerationAlgorithm::Dkga02 => Prepared::Dkga02 {
                des: Des::new_from_slice(bytes).expect(FITS),
                key: Zeroizing::new(u64::from_be_bytes(bytes.try_into().expect(FITS))),
            },
            DecoderKeyGenerationAlgorithm::Dkga03 => {
                Prepared::Dkga03 { tdes: TdesEde2::new_from_slice(bytes).expect(FITS) }
            }
            DecoderKeyGenerationAlgorithm::Dkga04 => {
                Prepared::Dkga04 { hmac: Hmac::new_from_slice(bytes).expect(FITS) }
            }
        };
        Self { prepared, policy }
    }

    /// The algorithm.
    pub const fn algorithm(&self) -> DecoderKeyGenerationAlgorithm {
        match self.prepared {
            Prepared::Dkga02 { .. } => DecoderKeyGenerationAlgorithm::Dkga02,
            Prepared::Dkga03 { .. } => DecoderKeyGenerationAlgorithm::Dkga03,
            Prepared::Dkga04 { .. } => DecoderKeyGenerationAlgorithm::Dkga04,
        }
    }

    /// The decoder key of one meter.
    ///
    /// # Errors
    ///
    /// [`DerivationError`] when the cipher does not go with the algorithm, the key type is not derived,
    /// or the policy refuses the case.
    pub fn derive(&self, parameters: &KeyParameters) -> Result<DecoderKey, DerivationError> {
        let (dkga, ea) = (self.algorithm(), parameters.encryption);
        if !self.policy.algorithms.permits(dkga, ea) {
            return Err(DerivationError::AlgorithmCombination { dkga, ea });
        }
        if parameters.key_type == KeyType::Initialization {
            return Err(DerivationError::InitializationKey);
        }
        match &self.prepared {
            Prepared::Dkga02 { des, key } => {
                let x = derivation_block(parameters);
                Ok(short_key(ea, enciphered(des, x) ^ x ^ **key))
            }
            Prepared::Dkga03 { tdes } => {
                let x = derivation_block(parameters);
                Ok(short_key(ea, enciphered(tdes, x) ^ x))
            }
            Prepared::Dkga04 { hmac } => {
                let common = parameters.key_type == KeyType::Common;
                if common && self.policy.dkga04_common_key == CommonKeyRule::Refuse {
                    return Err(DerivationError::CommonKeyRuleUnknown);
                }
                let mut hmac = hmac.clone();
                hmac.update(&hashed_block(parameters));
                let mut code = hmac.finalize().into_bytes();
                let key = DecoderKey::new(ea, &code[..ea.key_bytes()]);
                code.as_mut_slice().zeroize();
                Ok(key.expect("the code is longer than a key"))
            }
        }
    }
}

/// *CONTROLBlock* of DKGA02 and DKGA03: KT, SGC, TI and KRN as BCD digits, filled up with F.
pub fn control_block(
    key_type: KeyType,
    supply_group: SupplyGroupCode,
    tariff_index: TariffIndex,
    key_revision: KeyRevisionNumber,
) -> u64 {
    let group = supply_group
        .ascii()
        .into_iter()
        .fold(0, |group, digit| (group << 4) + u64::from(digit - b'0'));
    (u64::from(key_type.value()) << 60)
        + (group << 36)
        + (u64::from(tariff_index.bcd()) << 28)
        + (u64::from(key_revision.value()) << 24)
        + 0xFF_FFFF
}

/// The block X that DKGA02 and DKGA03 encipher.
fn derivation_block(parameters: &KeyParameters) -> u64 {
    let KeyParameters { pan, key_type, supply_group, tariff_index, key_revision, .. } = *parameters;
    pan.pan_block(key_type) ^ control_block(key_type, supply_group, tariff_index, key_revision)
}

/// One block under a cipher with 64-bit blocks.
fn enciphered(cipher: &impl BlockCipherEncrypt<BlockSize = cipher::consts::U8>, block: u64) -> u64 {
    let mut bytes = block.to_be_bytes().into();
    cipher.encrypt_block(&mut bytes);
    u64::from_be_bytes(bytes.into())
}

/// A 64-bit key.
fn short_key(ea: EncryptionAlgorithm, key: u64) -> DecoderKey {
    let bytes = Zeroizing::new(key.to_be_bytes());
    DecoderKey::new(ea, &*bytes).expect("the policy lets only 64-bit ciphers come here")
}

/// The 49 bytes that DKGA04 hashes.
fn hashed_block(parameters: &KeyParameters) -> [u8; DKGA04_BYTES] {
    let KeyParameters { key_type, tariff_index, key_revision, encryption, .. } = *parameters;
    let [y1, y2] = parameters.base_date.ascii();
    let [t1, t2] = tariff_index.ascii();
    let (e1, e2) = (b'0' + encryption.code() / 10, b'0' + encryption.code() % 10);
    let mut block = [0; DKGA04_BYTES];
    block[..14].copy_from_slice(&[4, 2, b'0', b'4', 2, y1, y2, 2, e1, e2, 2, t1, t2, 0]);
    block[14..16].copy_from_slice(&[4, 6]);
    block[16..22].copy_from_slice(&parameters.supply_group.ascii());
    block[22..26].copy_from_slice(&[1, b'0' + key_type.value(), 1, b'0' + key_revision.value()]);
    block[26] = 18;
    block[27..45].copy_from_slice(&parameters.pan.ascii());
    block[48] = 8 * encryption.key_bytes() as u8;
    block
}

impl fmt::Debug for DecoderKeyGenerator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DecoderKeyGenerator(DKGA{}, ..)", self.algorithm())
    }
}

impl fmt::Display for DerivationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlgorithmCombination { dkga, ea } => {
                write!(f, "DKGA{dkga} makes no keys for EA{ea}")
            }
            Self::InitializationKey => {
                f.write_str("key type 0 (DITK) is chosen by the maker of the meter, not derived")
            }
            Self::CommonKeyRuleUnknown => {
                f.write_str("DKGA04 for key type 3 (DCTK) is refused: its rule is not public")
            }
        }
    }
}

impl core::error::Error for DerivationError {}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parameters of the published test meter, PAN-A.
    fn parameters(sgc: &str, krn: u8, ti: &str, base_date: BaseDate) -> KeyParameters {
        KeyParameters {
            pan: "600727000000000009".parse().unwrap(),
            key_type: KeyType::Unique,
            supply_group: sgc.parse().unwrap(),
            tariff_index: ti.parse().unwrap(),
            key_revision: krn.try_into().unwrap(),
            base_date,
            encryption: EncryptionAlgorithm::Sta,
        }
    }

    fn generator(dkga: DecoderKeyGenerationAlgorithm, bytes: &[u8]) -> DecoderKeyGenerator {
        DecoderKeyGenerator::new(&VendingKey::new(dkga, bytes).unwrap())
    }

    fn conformance_key() -> [u8; 20] {
        let mut key = [0x94; 20];
        key[..8].fill(0xAB);
        key[16..].copy_from_slice(&[0x01, 0x23, 0x45, 0x67]);
        key
    }

    #[test]
    fn dkga02_has_the_published_intermediate_values() {
        let p = parameters("123456", 1, "01", BaseDate::Y1993);
        assert_eq!(p.pan.pan_block(p.key_type), 0x0072_7000_0000_0000);
        let control = control_block(p.key_type, p.supply_group, p.tariff_index, p.key_revision);
        assert_eq!(control, 0x2123_4560_11FF_FFFF);
        assert_eq!(derivation_block(&p), 0x2151_3560_11FF_FFFF);
        let des = Des::new_from_slice(&[0xAB; 8]).unwrap();
        assert_eq!(enciphered(&des, derivation_block(&p)), 0x6CA9_AAD4_270F_A73B);
        let dkga02 = generator(DecoderKeyGenerationAlgorithm::Dkga02, &[0xAB; 8]);
        let key = dkga02.derive(&p).unwrap();
        assert_eq!(key.expose_bytes(), 0xE653_341F_9D5B_F36F_u64.to_be_bytes());
        let two = parameters("123456", 1, "02", BaseDate::Y1993);
        let key = dkga02.derive(&two).unwrap();
        assert_eq!(key.expose_bytes(), 0x060B_8643_C59A_27F1_u64.to_be_bytes());
    }

    #[test]
    fn dkga04_hashes_the_published_block() {
        let mut p = parameters("201457", 1, "01", BaseDate::Y2014);
        p.encryption = EncryptionAlgorithm::Misty1;
        let block =
            b"\x04\x0204\x0214\x0211\x0201\x00\x04\x06201457\x012\x011\x12600727000000000009\
            \x00\x00\x00\x80";
        assert_eq!(&hashed_block(&p), block);
        let dkga04 = generator(DecoderKeyGenerationAlgorithm::Dkga04, &conformance_key());
        let key = dkga04.derive(&p).unwrap();
        assert_eq!(
            key.expose_bytes(),
            0x929B_D3A4_15C9_420A_05EC_5EE9_F3CE_91C3_u128.to_be_bytes()
        );
        p.encryption = EncryptionAlgorithm::Sta;
        let key = dkga04.derive(&p).unwrap();
        assert_eq!(key.expose_bytes(), 0x87F3_ECBB_2E46_B48F_u64.to_be_bytes());
    }

    #[test]
    fn dkga04_gives_the_known_keys_of_all_base_dates() {
        let dkga04 = generator(DecoderKeyGenerationAlgorithm::Dkga04, &conformance_key());
        // (PAN, SGC, KRN, TI, base date, EA07 key, EA11 key), from the published entity-A parameters.
        type Case = (&'static str, &'static str, u8, &'static str, BaseDate, u64, u128);
        #[rustfmt::skip]
        const CASES: &[Case] = &[
            ("600727000000000009", "201457", 1, "02", BaseDate::Y2014, 0x7f78_cdd2_20be_39b8, 0xb199_270a_77af_96d3_156c_51b0_964a_8782),
            ("000001000000000082", "201457", 1, "01", BaseDate::Y2014, 0xb06e_35e2_c870_802b, 0x8a9f_4288_34f5_e13a_3ad3_d24c_45b1_a21a),
            ("000001000000000082", "201457", 1, "02", BaseDate::Y2014, 0xc699_24f5_4501_6907, 0x9ff5_f5db_5d1f_be27_a65b_12c8_243a_2dd2),
            ("600727000000000009", "203557", 6, "01", BaseDate::Y2035, 0x8fbf_a995_248b_f7f8, 0x7e03_7bf6_fe9a_96ee_ffb9_8364_15c7_b71f),
            ("600727000000000009", "203557", 6, "02", BaseDate::Y2035, 0xbdc2_8dcf_6005_434d, 0x39fa_45a3_53cb_7295_49dc_515a_68a2_5c98),
            ("600727111111111153", "201457", 1, "01", BaseDate::Y2014, 0x7176_3acb_de4b_e62c, 0x82d2_4a23_ec8c_8941_1b7a_fdb6_bd33_bba1),
            ("600727111111111153", "203557", 6, "02", BaseDate::Y2035, 0x501c_4e75_3091_7924, 0x2072_17cb_056d_8f3d_290d_bf3a_8b46_094f),
            ("600727111111111153", "201460", 7, "01", BaseDate::Y2014, 0x0935_6dc4_d07b_671f, 0xc284_6614_729d_b38d_b8e4_dd24_ef43_2f1a),
            ("600727111111111153", "201461", 8, "01", BaseDate::Y2014, 0x65c3_0034_1ccd_a9c4, 0x246d_f53c_9f61_cbeb_e9a7_01cf_cfdd_5ef1),
            ("600727000000000009", "123457", 1, "01", BaseDate::Y1993, 0xaa4b_aa87_49c1_0d27, 0xf94b_6ed3_53c3_bfdb_113e_2d3a_7ea3_c41d),
            ("600727000000000009", "123457", 4, "01", BaseDate::Y2014, 0x9dc0_722c_29a6_cc0c, 0xdaa8_9218_9d08_e738_dfde_d739_24c8_7f32),
            ("600727000000000009", "123457", 5, "01", BaseDate::Y2035, 0xb082_05e0_74af_c5d6, 0x9266_6e9f_0478_a177_7061_4c1c_5fce_9d46),
        ];
        for (pan, sgc, krn, ti, base_date, short, long) in CASES {
            let mut p = parameters(sgc, *krn, ti, *base_date);
            p.pan = pan.parse().unwrap();
            let key = dkga04.derive(&p).unwrap();
            assert_eq!(key.expose_bytes(), short.to_be_bytes(), "{pan} {sgc} TI {ti} EA07");
            p.encryption = EncryptionAlgorithm::Misty1;
            let key = dkga04.derive(&p).unwrap();
            assert_eq!(key.expose_bytes(), long.to_be_bytes(), "{pan} {sgc} TI {ti} EA11");
        }
    }

    #[test]
    fn dkga03_with_equal_halves_is_dkga02_without_the_last_key() {
        // Two-key triple DES with K1 = K2 is single DES; no vector of DKGA03 itself is public.
        let p = parameters("123456", 1, "01", BaseDate::Y1993);
        let dkga03 = generator(DecoderKeyGenerationAlgorithm::Dkga03, &[0xAB; 16]);
        let key = dkga03.derive(&p).unwrap();
        let expected = 0x6CA9_AAD4_270F_A73B_u64 ^ 0x2151_3560_11FF_FFFF;
        assert_eq!(key.expose_bytes(), expected.to_be_bytes());
    }

    #[test]
    fn what_is_not_derived_is_refused_by_name() {
        let mut p = parameters("123456", 1, "01", BaseDate::Y1993);
        let dkga02 = generator(DecoderKeyGenerationAlgorithm::Dkga02, &[0xAB; 8]);
        p.encryption = EncryptionAlgorithm::Misty1;
        let refused = DerivationError::AlgorithmCombination {
            dkga: DecoderKeyGenerationAlgorithm::Dkga02,
            ea: EncryptionAlgorithm::Misty1,
        };
        assert_eq!(dkga02.derive(&p).unwrap_err(), refused);
        p.encryption = EncryptionAlgorithm::Sta;
        p.key_type = KeyType::Initialization;
        assert_eq!(dkga02.derive(&p).unwrap_err(), DerivationError::InitializationKey);
        p.key_type = KeyType::Common;
        assert!(dkga02.derive(&p).is_ok());
        let dkga04 = generator(DecoderKeyGenerationAlgorithm::Dkga04, &conformance_key());
        assert_eq!(dkga04.derive(&p).unwrap_err(), DerivationError::CommonKeyRuleUnknown);
        let policy = DerivationPolicy {
            dkga04_common_key: CommonKeyRule::WholePan,
            ..DerivationPolicy::default()
        };
        let key =
            VendingKey::new(DecoderKeyGenerationAlgorithm::Dkga04, &conformance_key()).unwrap();
        assert!(DecoderKeyGenerator::with_policy(&key, policy).derive(&p).is_ok());
    }

    #[test]
    fn common_keys_of_dkga02_do_not_depend_on_the_meter() {
        let dkga02 = generator(DecoderKeyGenerationAlgorithm::Dkga02, &[0xAB; 8]);
        let mut p = parameters("123456", 1, "01", BaseDate::Y1993);
        p.key_type = KeyType::Common;
        let first = dkga02.derive(&p).unwrap();
        p.pan = "600727111111111153".parse().unwrap();
        assert_eq!(dkga02.derive(&p).unwrap().expose_bytes(), first.expose_bytes());
    }
}
