//! The head: a small record, overwritten in place, that says where the log ends.
//!
//! ```text
//!  PREPAY-HEAD 1\n  14 bytes
//!  vault            16 bytes
//!  sequence         u64    the last entry
//!  length           u64    of the log in bytes
//!  hash             32     of the last entry
//!  MAC              32     HMAC-SHA-256 under the log key, of everything before
//! ```

use subtle::ConstantTimeEq;

use super::record::{LogMac, Position};
use prepay_basics::codec::{DecodeError, Reader, Writer};

const MAGIC: &[u8] = b"PREPAY-HEAD 1\n";

pub(super) fn write(id: &[u8; 16], position: &Position, mac: &LogMac) -> Vec<u8> {
    let mut writer = Writer::with_capacity(128);
    writer.array(MAGIC);
    writer.array(id);
    position.encode(&mut writer);
    let sum = mac.sign(writer.as_slice());
    writer.array(&sum);
    writer.as_slice().to_vec()
}

/// A head that was read.
pub(super) struct Head<'a> {
    pub(super) id: [u8; 16],
    pub(super) position: Position,
    signed: &'a [u8],
    mac: [u8; 32],
}

impl<'a> Head<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let error = reader.error("a head of version 1");
        if reader.take(MAGIC.len())? != MAGIC {
            return Err(error);
        }
        let id = reader.array()?;
        let position = Position::decode(&mut reader)?;
        let signed = &bytes[..bytes.len() - reader.left()];
        let mac = reader.array()?;
        reader.finish()?;
        Ok(Self { id, position, signed, mac })
    }

    pub(super) fn is_signed(&self, mac: &LogMac) -> bool {
        mac.sign(self.signed).ct_eq(&self.mac).into()
    }
}
