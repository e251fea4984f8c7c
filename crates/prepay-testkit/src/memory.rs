//! A meter's storage in memory: never fails, counts commits.
//!
//! - Elsewhere: a medium that fails or loses power (tests of `prepay-meter`).

use std::convert::Infallible;

use prepay_meter::{Slot, Storage};

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
        self.slots[slot as usize][..20].fill(0xFF);
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
