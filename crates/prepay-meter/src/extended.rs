//! Flags and controls of the extended token set, as a table of fixed size.
//!
//! A flag is on, off or never set; a control is a number of ten bits, or never set. Which indexes exist is
//! the size of the table. Public sources name the flags 0 to 11 and the control 0.
//!
//! With [`Policy::flags_act`](crate::Policy::flags_act) some flags act on the switch:
//!
//! | flag | on | off |
//! |---|---|---|
//! | 1 | tamper is detected | tamper is not detected |
//! | 2 | the services are switched off | they may be on |
//! | 3 | tamper opens the switch | it does not |
//! | 4 | the power limits trip | they do not |
//! | 6 to 9 | electricity, water, gas, time are paid in advance | they are paid afterwards |
//!
//! - Source: STS 202-5, extended token set. The meaning of each value is inferred from the names.

/// Up to `FLAGS` flags and `CONTROLS` controls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtendedTable<const FLAGS: usize, const CONTROLS: usize> {
    flags: [Option<bool>; FLAGS],
    controls: [Option<u16>; CONTROLS], // Invariant: ten bits each.
}

impl<const FLAGS: usize, const CONTROLS: usize> Default for ExtendedTable<FLAGS, CONTROLS> {
    fn default() -> Self {
        Self { flags: [None; FLAGS], controls: [None; CONTROLS] }
    }
}

impl<const FLAGS: usize, const CONTROLS: usize> ExtendedTable<FLAGS, CONTROLS> {
    /// Whether there is a flag with this index.
    pub const fn knows_flag(&self, index: u16) -> bool {
        (index as usize) < FLAGS
    }

    /// Whether there is a control with this index.
    pub const fn knows_control(&self, index: u8) -> bool {
        (index as usize) < CONTROLS
    }

    /// A flag; nothing when it was never set or does not exist.
    pub fn flag(&self, index: u16) -> Option<bool> {
        self.flags.get(usize::from(index)).copied().flatten()
    }

    /// A control; nothing when it was never set or does not exist.
    pub fn control(&self, index: u8) -> Option<u16> {
        self.controls.get(usize::from(index)).copied().flatten()
    }

    /// The flags that were set or cleared, by index, ascending.
    pub fn flags(&self) -> impl Iterator<Item = (u16, bool)> {
        (0..).zip(&self.flags).filter_map(|(index, flag)| Some((index, (*flag)?)))
    }

    /// The controls that were set, by index, ascending.
    pub fn controls(&self) -> impl Iterator<Item = (u8, u16)> {
        (0..).zip(&self.controls).filter_map(|(index, control)| Some((index, (*control)?)))
    }

    /// Sets or clears a flag that exists.
    pub(crate) fn put_flag(&mut self, index: u16, on: Option<bool>) {
        if let Some(flag) = self.flags.get_mut(usize::from(index)) {
            *flag = on;
        }
    }

    /// Stores a control that exists.
    pub(crate) fn put_control(&mut self, index: u8, value: Option<u16>) {
        if let Some(control) = self.controls.get_mut(usize::from(index)) {
            *control = value.map(|value| value & 0x3FF);
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::ExtendedTable;

    #[test]
    fn the_size_of_the_table_says_what_exists() {
        let mut table = ExtendedTable::<12, 1>::default();
        assert!(table.knows_flag(11) && !table.knows_flag(12));
        assert!(table.knows_control(0) && !table.knows_control(1));
        table.put_flag(11, Some(true));
        table.put_flag(0, Some(false));
        table.put_flag(12, Some(true));
        table.put_control(0, Some(1023));
        table.put_control(1, Some(5));
        assert_eq!(table.flags().collect::<Vec<_>>(), [(0, false), (11, true)]);
        assert_eq!(table.controls().collect::<Vec<_>>(), [(0, 1023)]);
        assert_eq!((table.flag(0), table.flag(1), table.flag(400)), (Some(false), None, None));
    }
}
