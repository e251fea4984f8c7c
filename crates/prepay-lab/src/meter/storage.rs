//! The storage of a virtual meter: two slots in memory, whose power can be cut.

use std::fmt;

use prepay_meter::{Slot, Storage};
use zeroize::Zeroizing;

/// Two slots. They hold the key of the meter.
pub(super) struct Memory {
    slots: [Zeroizing<Vec<u8>>; 2],
    /// How many more writes there are power for; nothing when the power stays.
    writes_left: Option<u32>,
}

/// The power was cut before all was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PowerCut;

/// What a byte of a blank slot reads.
pub(super) const BLANK: u8 = 0xFF;

impl Memory {
    /// Blank slots of so many bytes.
    pub(super) fn blank(length: usize) -> Self {
        let slot = || Zeroizing::new(vec![BLANK; length]);
        Self::with_slots(slot(), slot())
    }

    /// Slots with what they held.
    pub(super) fn with_slots(a: Zeroizing<Vec<u8>>, b: Zeroizing<Vec<u8>>) -> Self {
        Self { slots: [a, b], writes_left: None }
    }

    /// The bytes of a slot, the key of the meter among them.
    pub(super) fn expose_slot(&self, slot: Slot) -> &[u8] {
        &self.slots[slot as usize]
    }

    /// Leaves power for so many writes, erasures counted.
    pub(super) fn cut_power_after(&mut self, writes: u32) {
        self.writes_left = Some(writes);
    }

    /// Power stays from now on.
    pub(super) fn return_power(&mut self) {
        self.writes_left = None;
    }

    /// Spends one write. Answers whether there was power for it.
    fn spend(&mut self) -> Result<(), PowerCut> {
        match &mut self.writes_left {
            None => Ok(()),
            Some(0) => Err(PowerCut),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
        }
    }
}

impl Storage for Memory {
    type Fault = PowerCut;

    fn erase(&mut self, slot: Slot) -> Result<(), PowerCut> {
        self.spend()?;
        self.slots[slot as usize].fill(BLANK);
        Ok(())
    }

    fn write(&mut self, slot: Slot, offset: usize, bytes: &[u8]) -> Result<(), PowerCut> {
        let was_powered = self.writes_left != Some(0);
        let written = self.spend();
        // The write during which the power fails reaches half of its bytes, as real ones may.
        let reached = if was_powered { bytes.len() } else { bytes.len() / 2 };
        self.slots[slot as usize][offset..][..reached].copy_from_slice(&bytes[..reached]);
        written
    }

    fn read(&mut self, slot: Slot, offset: usize, bytes: &mut [u8]) -> Result<(), PowerCut> {
        bytes.copy_from_slice(&self.slots[slot as usize][offset..][..bytes.len()]);
        Ok(())
    }
}

impl fmt::Display for PowerCut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the power was cut")
    }
}
