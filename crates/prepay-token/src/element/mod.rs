//! The data elements of the standard, each a type whose values are all valid.
//!
//! | element | type | shape |
//! |---------|------|-------|
//! | *MeterPAN* | [`MeterPan`] | 18 digits: IIN, DRN, check digit |
//! | *IIN*, *DRN* | [`IssuerIdentificationNumber`], [`DecoderReferenceNumber`] | 6 + 11 or 4 + 13 digits |
//! | *MfrCode* | [`ManufacturerCode`] | 2 or 4 digits |
//! | *TCT* | [`TokenCarrierType`] | 2 digits |
//! | *DKGA*, *EA* | [`DecoderKeyGenerationAlgorithm`], [`EncryptionAlgorithm`] | 2 digits |
//! | *SGC* | [`SupplyGroupCode`] | 6 digits |
//! | *TI* | [`TariffIndex`] | 2 digits |
//! | *KRN* | [`KeyRevisionNumber`] | 1 digit |
//! | *KT* | [`KeyType`] | 0 to 3 |
//! | *KEN* | [`KeyExpiryNumber`] | 8 bits |
//! | *BDT* | [`BaseDate`] | 1993, 2014, 2035 |
//! | *DOE* | [`DateOfExpiry`] | YYMM |
//! | *TID* | [`TokenIdentifier`] | 24 bits |
//! | *RND* | [`RandomNumber`] | 4 bits |
//! | *Amount* | [`Amount`], [`CurrencyAmount`] | 16 bits, 1 + 5 + 14 bits |
//! | *MPL*, *MPPUL* | [`PowerLimit`] | 16 bits |
//! | *Control* | [`Control`] | 36 or 28 bits |
//! | *Register* | [`RegisterToClear`] | 16 bits |
//! | extended | [`ExtendedValue`], [`ExtendedIndex`] | 6 + 10 bits |

mod algorithm;
mod amount;
mod base_date;
mod control;
mod currency_amount;
mod date_of_expiry;
mod decoder_reference_number;
mod decoder_serial_number;
mod digits;
mod error;
mod extended;
mod issuer_identification_number;
mod key_expiry_number;
mod key_revision_number;
mod key_type;
mod manufacturer_code;
mod meter_pan;
mod packing;
mod power_limit;
mod random_number;
mod register_to_clear;
mod service;
mod supply_group_code;
mod tariff_index;
mod token_carrier_type;
mod token_identifier;

pub use algorithm::{
    AlgorithmCodeError, AlgorithmPolicy, DecoderKeyGenerationAlgorithm, EncryptionAlgorithm,
};
pub use amount::{Amount, AmountTooLarge};
pub use base_date::{BaseDate, IssueTimeError, UnknownBaseDate, UtcMinute};
pub use control::{Control, ControlTooWide, TEST_NAMES};
pub use currency_amount::{CurrencyAmount, CurrencyAmountTooLarge, CurrencyParts};
pub use date_of_expiry::DateOfExpiry;
pub use decoder_reference_number::{DecoderReferenceNumber, ParseMeterNumberError};
pub use decoder_serial_number::DecoderSerialNumber;
pub use error::{ParseElementError, Problem};
pub use extended::{ExtendedIndex, ExtendedOutOfRange, ExtendedTarget, ExtendedValue, FLAGS};
pub use issuer_identification_number::IssuerIdentificationNumber;
pub use key_expiry_number::KeyExpiryNumber;
pub use key_revision_number::KeyRevisionNumber;
pub use key_type::KeyType;
pub use manufacturer_code::ManufacturerCode;
pub use meter_pan::MeterPan;
pub use power_limit::{PowerLimit, PowerLimitTooLarge};
pub use random_number::{RandomNumber, RandomNumberOutOfRange};
pub use register_to_clear::{RegisterToClear, ReservedRegister};
pub use service::{Service, UnknownService};
pub use supply_group_code::SupplyGroupCode;
pub use tariff_index::TariffIndex;
pub use token_carrier_type::{TokenCarrierKind, TokenCarrierType};
pub use token_identifier::{TokenIdentifier, TokenIdentifierOutOfRange};
