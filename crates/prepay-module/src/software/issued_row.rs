//! An issued token in the audit log: 40 bytes for every token ever issued.
//!
//! From a row and the key of its register the same digits can be made again; repeated requests are answered that way.
//! Of the digits themselves, only the last four are stored, for people to compare.
//!
//! ```text
//!  byte  0 .. 15   request identifier, zero if there is none
//!        16 .. 23   RND (4 bits), PAN as a number (60 bits)
//!        24 .. 25   register            26 .. 27   new register, 0 except for key changes
//!        28 .. 30   token identifier    31         tariff index
//!        32         class (2 bits), sub-class (4), encryption (2)
//!        33         whether there is a request identifier (1 bit), carrier (7)
//!        34 .. 37   value               38 .. 39   last four digits
//! ```
//!
//! - Elsewhere: what the numbers mean to a module (`software`).

use prepay_basics::Field;
use prepay_basics::codec::{DecodeError, Reader, Writer};

use crate::RequestId;

/// An issued token, as plain numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IssuedRow {
    /// The identifier of the request.
    pub request: Option<RequestId>,
    /// The register of the key.
    pub register: u16,
    /// The register of the new key of a key change, otherwise 0.
    pub new_register: u16,
    /// The meter: its eighteen digits as a number. 60 bits.
    pub pan: u64,
    /// The random number. 4 bits.
    pub random: u8,
    /// The token identifier, 0 if there is none. 24 bits.
    pub identifier: u32,
    /// The tariff index.
    pub tariff_index: u8,
    /// The cipher. 2 bits.
    pub encryption: u8,
    /// The token carrier type. 7 bits.
    pub carrier: u8,
    /// The class of the token. 2 bits.
    pub class: u8,
    /// Its sub-class, or the size of a key change set. 4 bits.
    pub sub_class: u8,
    /// The amount or other value in the token.
    pub value: u32,
    /// The last four digits of the first token, as a number.
    pub last_digits: u16,
}

impl IssuedRow {
    /// The length of a row in bytes.
    pub const LENGTH: usize = 40;

    /// The row as bytes. Bits beyond the width of a field are dropped.
    pub fn encode(&self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        if let Some(request) = self.request {
            bytes[..16].copy_from_slice(&request.0);
        }
        let meter = (u64::from(self.random) << 60) + (self.pan & (u64::MAX >> 4));
        bytes[16..24].copy_from_slice(&meter.to_be_bytes());
        bytes[24..26].copy_from_slice(&self.register.to_be_bytes());
        bytes[26..28].copy_from_slice(&self.new_register.to_be_bytes());
        bytes[28..31].copy_from_slice(&self.identifier.to_be_bytes()[1..]);
        bytes[31] = self.tariff_index;
        bytes[32] = (self.class << 6) + ((self.sub_class & 15) << 2) + (self.encryption & 3);
        bytes[33] = (u8::from(self.request.is_some()) << 7) + (self.carrier & 0x7F);
        bytes[34..38].copy_from_slice(&self.value.to_be_bytes());
        bytes[38..].copy_from_slice(&self.last_digits.to_be_bytes());
        bytes
    }

    /// Reads a row; `None` if there is a request identifier without its flag.
    pub fn decode(bytes: &[u8; Self::LENGTH]) -> Option<Self> {
        let two = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        let name: [u8; 16] = *bytes.first_chunk()?;
        let named = bytes[33] >> 7 == 1;
        if !named && name != [0; 16] {
            return None;
        }
        let meter = u64::from_be_bytes(bytes[16..24].try_into().ok()?);
        Some(Self {
            request: named.then_some(RequestId(name)),
            register: two(24),
            new_register: two(26),
            pan: meter & (u64::MAX >> 4),
            random: (meter >> 60) as u8,
            identifier: u32::from_be_bytes([0, bytes[28], bytes[29], bytes[30]]),
            tariff_index: bytes[31],
            encryption: bytes[32] & 3,
            carrier: bytes[33] & 0x7F,
            class: bytes[32] >> 6,
            sub_class: bytes[32] >> 2 & 15,
            value: u32::from_be_bytes(bytes[34..38].try_into().ok()?),
            last_digits: two(38),
        })
    }
}

impl Field for IssuedRow {
    fn write(&self, writer: &mut Writer) {
        writer.array(&self.encode());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let error = reader.error("a row");
        Self::decode(&reader.array()?).ok_or(error)
    }

    /// Meter, register, identifier and the last four digits.
    fn show(&self) -> String {
        let Self { pan, register, identifier, last_digits, .. } = self;
        format!("{pan:018} register {register} tid {identifier} ...{last_digits:04}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_agree_both_ways_at_the_ends_of_every_field() {
        let low = IssuedRow::decode(&[0; 40]).unwrap();
        assert_eq!(low.encode(), [0; 40]);
        let high = IssuedRow::decode(&[0xFF; 40]).unwrap();
        assert_eq!(high.encode(), [0xFF; 40]);
        assert_eq!(high.request, Some(RequestId([0xFF; 16])));
        assert_eq!((high.pan, high.random, high.identifier), ((1 << 60) - 1, 15, 0xFF_FFFF));
        assert_eq!((high.class, high.sub_class, high.encryption, high.carrier), (3, 15, 3, 127));
    }

    #[test]
    fn every_bit_counts() {
        for bit in 0..320 {
            let mut bytes = [0xFF; 40];
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Some(row) = IssuedRow::decode(&bytes) {
                assert_eq!(row.encode(), bytes, "bit = {bit}");
            }
        }
    }
}
