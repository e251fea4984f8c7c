//! What a test or display token shows: a list of items, without their look.
//!
//! ```text
//!  test  1 load switch      2 display         3 totals          4 KRN, KT      5 TI
//!        6 token input      7 power limit     8 tamper          9 power       10 software
//!       11 unbalance limit 12 water factor   13 tariff rate    14 EA          15 key change tokens
//!       16 SGC             17 KEN            18 DRN            19 and above: nothing
//! ```
//!
//! Test 0 stands for the tests of [`Policy::test_zero`](crate::Policy::test_zero). A test of something that the
//! meter lacks shows nothing. If several tests are requested, their items follow in the order of the numbers.
//!
//! - Source: IEC 62055-41:2018, data element *Control*; STS 202-5 for the extended read.
//! - Elsewhere: the values ([`Meter::register`](crate::Meter::register)).

use prepay_token::element::{Control, ExtendedIndex};

use crate::profile::Profile;
use crate::register::Register;

/// One thing to do or to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DisplayItem {
    /// Open and close the load switch, or switches.
    TestLoadSwitch,
    /// Exercise display, indicators and buzzer.
    TestDisplay,
    /// Test the token input device.
    TestTokenInput,
    /// Show a register.
    Show(Register),
}

/// A list of things to do or to show, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DisplayProgramme(Asked);

/// What was requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// Bit n - 1 for test n.
    Tests(u64),
    /// One control, or all flags.
    Extended(ExtendedIndex),
}

/// The most items that one test has: totals of four services.
const MOST_ITEMS: u8 = 4;

impl DisplayProgramme {
    /// The programme of a test token.
    pub(crate) fn of_tests(control: Control, test_zero: u64) -> Self {
        let is_zero = control.tests().eq([0]);
        Self(Asked::Tests(if is_zero { test_zero } else { control.bits() }))
    }

    /// The programme of an extended read.
    pub(crate) const fn of_extended(index: ExtendedIndex) -> Self {
        Self(Asked::Extended(index))
    }

    /// The numbers of the tests that were asked for, ascending; none for an extended read.
    pub fn tests(self) -> impl Iterator<Item = u8> {
        let Self(asked) = self;
        (1..=36)
            .filter(move |test| matches!(asked, Asked::Tests(bits) if bits >> (test - 1) & 1 == 1))
    }

    /// Whether an extended read asked for it, and no test.
    pub const fn is_extended_read(self) -> bool {
        matches!(self.0, Asked::Extended(_))
    }

    /// What a meter with this profile and this many flags and controls must do and show.
    pub fn items(
        self,
        profile: &Profile,
        flags: u16,
        controls: u8,
    ) -> impl Iterator<Item = DisplayItem> {
        let profile = *profile;
        let tests = self.tests().flat_map(move |test| {
            (0..MOST_ITEMS).filter_map(move |place| item_of_test(test, place, &profile))
        });
        let extended = match self.0 {
            Asked::Extended(index) => Some(index),
            Asked::Tests(_) => None,
        };
        let flags = if extended == Some(ExtendedIndex::FLAGS) { flags } else { 0 };
        let control = extended.map(ExtendedIndex::value).filter(|&index| index < controls);
        tests
            .chain((0..flags).map(|index| DisplayItem::Show(Register::Flag(index))))
            .chain(control.map(|index| DisplayItem::Show(Register::Control(index))))
    }
}

/// The item in one place of one test.
fn item_of_test(test: u8, place: u8, profile: &Profile) -> Option<DisplayItem> {
    let functions = &profile.policy.functions;
    if test == 3 {
        let service = profile.services.iter().nth(usize::from(place))?;
        return Some(DisplayItem::Show(Register::Total(service)));
    }
    if place > 0 {
        return None;
    }
    let shown = |register| Some(DisplayItem::Show(register));
    let shown_if = |condition: bool, register| condition.then_some(DisplayItem::Show(register));
    match test {
        1 => Some(DisplayItem::TestLoadSwitch),
        2 => Some(DisplayItem::TestDisplay),
        4 => shown(Register::KeyRevisionAndType),
        5 => shown(Register::TariffIndex),
        6 => Some(DisplayItem::TestTokenInput),
        7 => shown_if(functions.power_limit, Register::MaximumPowerLimit),
        8 => shown(Register::Tamper),
        9 => shown(Register::Power),
        10 => shown(Register::SoftwareVersion),
        11 => shown_if(functions.phase_unbalance_limit, Register::PhaseUnbalanceLimit),
        12 => shown_if(functions.water_factor, Register::WaterFactor),
        13 => shown_if(functions.tariff_rate, Register::TariffRate),
        14 => shown(Register::Algorithm),
        15 => shown(Register::KeyChangeTokens),
        16 => shown(Register::SupplyGroup),
        17 => shown(Register::KeyExpiry),
        18 => shown(Register::MeterNumber),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use prepay_token::element::{Control, ExtendedIndex, ManufacturerCode, Service};
    use prepay_token::key_change::SetSize;

    use super::*;
    use crate::profile::Services;

    fn items(programme: DisplayProgramme, profile: &Profile) -> Vec<DisplayItem> {
        programme.items(profile, 3, 1).collect()
    }

    #[test]
    fn each_test_shows_its_register_and_reserved_ones_nothing() {
        let profile = Profile::electricity(SetSize::Two);
        let any: ManufacturerCode = "00".parse().unwrap();
        for test in 1..=36 {
            let control = Control::for_test(any, test).unwrap();
            let count = items(DisplayProgramme::of_tests(control, 0), &profile).len();
            assert_eq!(count, usize::from(test <= 18), "test {test}");
        }
    }

    #[test]
    fn test_zero_is_what_the_policy_says_and_totals_are_those_of_the_services() {
        let mut profile = Profile::electricity(SetSize::Two);
        profile.services = Services::of(&[Service::Electricity, Service::Gas]);
        let any: ManufacturerCode = "0000".parse().unwrap();
        let control = Control::for_test(any, 0).unwrap();
        let programme = DisplayProgramme::of_tests(control, profile.policy.test_zero);
        let expected = [
            DisplayItem::TestDisplay,
            DisplayItem::Show(Register::Total(Service::Electricity)),
            DisplayItem::Show(Register::Total(Service::Gas)),
            DisplayItem::Show(Register::KeyRevisionAndType),
            DisplayItem::Show(Register::TariffIndex),
        ];
        assert_eq!(items(programme, &profile), expected);
    }

    #[test]
    fn an_extended_read_shows_one_control_or_all_flags_or_nothing() {
        let profile = Profile::electricity(SetSize::Two);
        // (index, items)
        for (index, count) in [(0, 1), (1, 0), (62, 0), (63, 3)] {
            let index = ExtendedIndex::from_low_bits(index);
            let programme = DisplayProgramme::of_extended(index);
            assert_eq!(items(programme, &profile).len(), count, "{index:?}");
            assert_eq!(programme.tests().count(), 0);
        }
    }
}
