//! One token explained: every step between its digits and its meaning.
//!
//! ```text
//!  20 digits ── 66 bits ── class bits back in place ── block as sent ── block in clear ── fields
//! ```
//!
//! A trace is data to print or draw. It holds the clear block, which for a key change contains
//! parts of a key: show it only for test keys.
//!
//! - Source: IEC 62055-41:2018, the layers of the POSApplicationProcess and MeterApplicationProcess.

use crate::block::{ClearBlock, OpenError, open_in_clear};
use crate::key::TokenCipher;
use crate::layout::{self, Place};
use crate::token::Token;
use crate::{ChecksumKind, Class, TokenData};

/// Every step of one token.
#[derive(Clone, Debug)]
pub struct Trace {
    data: TokenData,
    clear: Option<ClearBlock>,
    fields: &'static [Place],
    result: Result<Token, OpenError>,
}

/// A field of the clear block with its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Where it stands, and its name.
    pub place: Place,
    /// Its bits.
    pub value: u64,
}

impl Trace {
    /// Follows a token under a key. Without one, only class 1 shows what is inside.
    pub fn new(data: TokenData, cipher: Option<&TokenCipher>) -> Self {
        let class = data.class();
        let Some(cipher) = cipher else {
            let clear = (!class.is_enciphered()).then(|| ClearBlock::new(class, data.block()));
            let fields = clear.map_or(&[][..], |clear| fields_of(&clear, false));
            return Self { data, clear, fields, result: open_in_clear(data) };
        };
        let algorithm = cipher.algorithm();
        let clear = ClearBlock::decipher(data, cipher);
        let fields = fields_of(&clear, algorithm.key_bytes() == 16);
        Self { data, clear: Some(clear), fields, result: clear.token(algorithm) }
    }

    /// The 66 bits.
    pub const fn data(&self) -> TokenData {
        self.data
    }

    /// The class.
    pub const fn class(&self) -> Class {
        self.data.class()
    }

    /// The two bits of the block whose place the class took: bits 28 and 27.
    pub const fn moved_bits(&self) -> u8 {
        (self.data.value() >> 64) as u8
    }

    /// The block as it was sent: enciphered, except in class 1.
    pub const fn sent_block(&self) -> u64 {
        self.data.block()
    }

    /// The block in clear, if a key was given or none is needed.
    pub const fn clear_block(&self) -> Option<&ClearBlock> {
        self.clear.as_ref()
    }

    /// The fields of the clear block, highest first. Without the right key they mean nothing.
    pub fn fields(&self) -> impl Iterator<Item = Field> {
        let bits = self.clear.map_or(0, |clear| clear.bits());
        self.fields.iter().map(move |&place| Field { place, value: place.read(bits) })
    }

    /// The kind of the checksum, the sum that the block asks for, and the one that stands in it.
    pub fn checksum(&self) -> Option<(ChecksumKind, u16, u16)> {
        self.clear
            .map(|clear| (clear.checksum_kind(), clear.checksum_expected(), clear.checksum_found()))
    }

    /// The meaning, or why there is none.
    pub const fn result(&self) -> &Result<Token, OpenError> {
        &self.result
    }
}

/// The fields of a block.
fn fields_of(clear: &ClearBlock, long_key: bool) -> &'static [Place] {
    layout::fields(clear.class(), clear.sub_class(), long_key)
}
