//! The two algorithm codes of a meter: how its key is derived (*DKGA*) and how its tokens are enciphered
//! (*EA*), and which pairs of them exist.
//!
//! ```text
//!  EA  cipher   key      DKGA02   DKGA03   DKGA04
//!  07  STA       64 bit   yes      yes      yes
//!  09  DEA       64 bit   policy   policy   no      deprecated
//!  11  MISTY1   128 bit   no       no       yes
//! ```
//!
//! DKGA01 is refused everywhere: the sources of its formula contradict each other, and no public token decides
//! between them. The pairs of EA09 with DKGA02 and DKGA03 have no public source; [`AlgorithmPolicy`] decides,
//! and its default allows them, since both give the 64-bit key that EA09 needs. DKGA04 hashes the code of the
//! EA, and 07 and 11 are the only codes known there.
//!
//! - Source: IEC 62055-41:2018, data elements *DKGA* and *EA*.

use core::fmt;
use core::str::FromStr;

/// *EA*: the cipher between a meter and the issuer of its tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EncryptionAlgorithm {
    /// EA07, the Standard Transfer Algorithm: 64-bit key.
    Sta,
    /// EA09, the Data Encryption Algorithm (single DES): 64-bit key, deprecated.
    Dea,
    /// EA11, MISTY1: 128-bit key.
    Misty1,
}

/// *DKGA*: how a decoder key is derived from a vending key.
///
/// DKGA01 has no value here, so that nothing can ask for it: see
/// [`from_code`](Self::from_code).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DecoderKeyGenerationAlgorithm {
    /// DKGA02: single DES under a 64-bit vending key. Legacy, in use.
    Dkga02,
    /// DKGA03: two-key triple DES under a 128-bit vending key. Withdrawn in edition 3.
    Dkga03,
    /// DKGA04: HMAC-SHA-256 under a 160-bit vending key. Current.
    Dkga04,
}

/// The code names no algorithm that this crate has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlgorithmCodeError {
    /// Not an encryption algorithm: 07, 09 and 11 are.
    UnknownEncryptionAlgorithm,
    /// DKGA01: refused, because its rule is not established.
    Dkga01Refused,
    /// Not a key generation algorithm: 02, 03 and 04 are.
    UnknownDkga,
}

/// The open points about pairs of algorithms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlgorithmPolicy {
    /// Whether keys of DKGA02 and DKGA03 may be used with EA09. Default: yes.
    pub dea_with_des_derived_keys: bool,
}

impl Default for AlgorithmPolicy {
    fn default() -> Self {
        Self { dea_with_des_derived_keys: true }
    }
}

impl AlgorithmPolicy {
    /// Whether a key derived by `dkga` may encipher tokens with `ea`.
    pub const fn permits(
        self,
        dkga: DecoderKeyGenerationAlgorithm,
        ea: EncryptionAlgorithm,
    ) -> bool {
        use DecoderKeyGenerationAlgorithm::{Dkga02, Dkga03, Dkga04};
        match (ea, dkga) {
            (EncryptionAlgorithm::Sta, Dkga02 | Dkga03 | Dkga04) => true,
            (EncryptionAlgorithm::Dea, Dkga02 | Dkga03) => self.dea_with_des_derived_keys,
            (EncryptionAlgorithm::Misty1, Dkga04) => true,
            (EncryptionAlgorithm::Dea, Dkga04) | (EncryptionAlgorithm::Misty1, _) => false,
        }
    }
}

impl EncryptionAlgorithm {
    /// The two-digit code as a number: 7, 9 or 11.
    pub const fn code(self) -> u8 {
        match self {
            Self::Sta => 7,
            Self::Dea => 9,
            Self::Misty1 => 11,
        }
    }

    /// The name of the cipher.
    pub const fn cipher_name(self) -> &'static str {
        match self {
            Self::Sta => "STA",
            Self::Dea => "DEA",
            Self::Misty1 => "MISTY1",
        }
    }

    /// How many bytes a decoder key has: 8 or 16.
    pub const fn key_bytes(self) -> usize {
        match self {
            Self::Sta | Self::Dea => 8,
            Self::Misty1 => 16,
        }
    }
}

impl TryFrom<u8> for EncryptionAlgorithm {
    type Error = AlgorithmCodeError;

    fn try_from(code: u8) -> Result<Self, Self::Error> {
        match code {
            7 => Ok(Self::Sta),
            9 => Ok(Self::Dea),
            11 => Ok(Self::Misty1),
            _ => Err(AlgorithmCodeError::UnknownEncryptionAlgorithm),
        }
    }
}

impl FromStr for EncryptionAlgorithm {
    type Err = AlgorithmCodeError;

    /// Accepts the two digits `07`, `09` or `11`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "07" => Ok(Self::Sta),
            "09" => Ok(Self::Dea),
            "11" => Ok(Self::Misty1),
            _ => Err(AlgorithmCodeError::UnknownEncryptionAlgorithm),
        }
    }
}

impl fmt::Display for EncryptionAlgorithm {
    /// The two-digit code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}", self.code())
    }
}

impl DecoderKeyGenerationAlgorithm {
    /// The algorithm with a two-digit code.
    ///
    /// # Errors
    ///
    /// [`Dkga01Refused`](AlgorithmCodeError::Dkga01Refused) for `01`,
    /// [`UnknownDkga`](AlgorithmCodeError::UnknownDkga) for every other code but `02`, `03` and `04`.
    pub const fn from_code(code: u8) -> Result<Self, AlgorithmCodeError> {
        match code {
            1 => Err(AlgorithmCodeError::Dkga01Refused),
            2 => Ok(Self::Dkga02),
            3 => Ok(Self::Dkga03),
            4 => Ok(Self::Dkga04),
            _ => Err(AlgorithmCodeError::UnknownDkga),
        }
    }

    /// The two-digit code as a number: 2, 3 or 4.
    pub const fn code(self) -> u8 {
        match self {
            Self::Dkga02 => 2,
            Self::Dkga03 => 3,
            Self::Dkga04 => 4,
        }
    }

    /// How many bytes a vending key has: 8, 16 or 20.
    pub const fn vending_key_bytes(self) -> usize {
        match self {
            Self::Dkga02 => 8,
            Self::Dkga03 => 16,
            Self::Dkga04 => 20,
        }
    }
}

impl FromStr for DecoderKeyGenerationAlgorithm {
    type Err = AlgorithmCodeError;

    /// Accepts the two digits `02`, `03` or `04`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.as_bytes() {
            [b'0', digit @ b'0'..=b'9'] => Self::from_code(digit - b'0'),
            _ => Err(AlgorithmCodeError::UnknownDkga),
        }
    }
}

impl fmt::Display for DecoderKeyGenerationAlgorithm {
    /// The two-digit code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}", self.code())
    }
}

impl fmt::Display for AlgorithmCodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownEncryptionAlgorithm => {
                "unknown encryption algorithm: expected 07, 09 or 11"
            }
            Self::Dkga01Refused => {
                "DKGA01 is refused: its public descriptions contradict each other and no token proves one"
            }
            Self::UnknownDkga => "unknown key generation algorithm: expected 02, 03 or 04",
        })
    }
}

impl core::error::Error for AlgorithmCodeError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_pairs_are_permitted() {
        use DecoderKeyGenerationAlgorithm::{Dkga02, Dkga03, Dkga04};
        use EncryptionAlgorithm::{Dea, Misty1, Sta};
        let open = AlgorithmPolicy::default();
        let strict = AlgorithmPolicy { dea_with_des_derived_keys: false };
        for (ea, dkga, by_default, strictly) in [
            (Sta, Dkga02, true, true),
            (Sta, Dkga03, true, true),
            (Sta, Dkga04, true, true),
            (Dea, Dkga02, true, false),
            (Dea, Dkga03, true, false),
            (Dea, Dkga04, false, false),
            (Misty1, Dkga02, false, false),
            (Misty1, Dkga03, false, false),
            (Misty1, Dkga04, true, true),
        ] {
            assert_eq!(open.permits(dkga, ea), by_default, "EA{ea} DKGA{dkga}");
            assert_eq!(strict.permits(dkga, ea), strictly, "EA{ea} DKGA{dkga}");
        }
    }

    #[test]
    fn codes_are_two_digits_both_ways() {
        extern crate std;
        for text in ["07", "09", "11"] {
            let ea: EncryptionAlgorithm = text.parse().unwrap();
            assert_eq!(std::format!("{ea}"), text);
            assert_eq!(EncryptionAlgorithm::try_from(ea.code()), Ok(ea));
        }
        for text in ["7", "007", "10", "", "+7", "0７"] {
            assert!(text.parse::<EncryptionAlgorithm>().is_err(), "{text}");
        }
        for text in ["02", "03", "04"] {
            let dkga: DecoderKeyGenerationAlgorithm = text.parse().unwrap();
            assert_eq!(std::format!("{dkga}"), text);
        }
        for (text, error) in [
            ("01", AlgorithmCodeError::Dkga01Refused),
            ("00", AlgorithmCodeError::UnknownDkga),
            ("05", AlgorithmCodeError::UnknownDkga),
            ("2", AlgorithmCodeError::UnknownDkga),
        ] {
            assert_eq!(text.parse::<DecoderKeyGenerationAlgorithm>(), Err(error), "{text}");
        }
    }
}
