//! A meter's storage in memory, which never fails and counts commits; and a meter's key.
//!
//! - Elsewhere: a medium that fails or loses power (tests of `prepay-meter`).

use std::convert::Infallible;

use prepay_meter::{Slot, Storage};
use prepay_token::element::{EncryptionAlgorithm, KeyExpiryNumber, KeyType};
use prepay_token::key::DecoderKey;
use prepay_token::key_change::NewKey;

/// The key of a meter in normal operation: one byte repeated, which is no secret to anybody.
///
/// # Panics
///
/// Never: the attributes are valid.
pub fn meter_key(algorithm: EncryptionAlgorithm, byte: u8) -> NewKey {
    let bytes = [byte; 16];
    NewKey {
        key: DecoderKey::new(algorithm, &bytes[..algorithm.key_bytes()]).expect("as long"),
        key_type: KeyType::Unique,
        key_revision: Some(1.try_into().expect("a revision")),
        expiry: KeyExpiryNumber::NEVER,
        tariff_index: 1.try_into().expect("an index"),
        supply_group: Some("123456".parse().expect("a group")),
    }
}

/// Two slots in memory.
#[derive(Clone, Debug)]
pub struct Memory {
    /// The contents of the slots.
    pub slots: [[u8; Self::SLOT_LENGTH]; 2],
    /// How many states were stored: a commit erases one slot.
    pub commits: u64,
}

impl Memory {
    /// The size of a slot in bytes: more than a meter of the usual size needs.
    pub const SLOT_LENGTH: usize = 512;
}

impl Default for Memory {
    /// Empty storage.
    fn default() -> Self {
        Self { slots: [[0xFF; Self::SLOT_LENGTH]; 2], commits: 0 }
    }
}

impl Storage for Memory {
    type Fault = Infallible;

    fn erase(&mut self, slot: Slot) -> Result<(), Infallible> {
        self.slots[slot as usize][..40].fill(0xFF);
        self.commits += 1;
        Ok(())
    }

    fn write(&mut self, slot: Slot, offset: usize, bytes: &[u8]) -> Result<(), Infallible> {
        self.slots[slot as usize][offset..][..bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn read(&mut self, slot: Slot, offset: usize, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.copy_from_slice(&self.slots[slot as usize][offset..][..bytes.len()]);
        Ok(())
    }
}
