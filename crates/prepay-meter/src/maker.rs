//! The manufacturer's own tokens: what the firmware must supply for them.
//!
//! A proprietary management token is authenticated, checked and cancelled like any other. The maker says
//! whether the function exists and whether the value is in range, and may change a few registers that are
//! stored together with the identifier of the token. So the maker's effect is atomic too.
//!
//! - Source: IEC 62055-41:2018, class 2 sub-classes 11 to 15 and class 1 sub-classes 6 to 15.

use prepay_token::{MeterTest, ProprietarySubClass};

/// How many registers the maker has.
pub const MAKER_REGISTERS: usize = 8;

/// The maker's registers: opaque to the engine, stored with the state, all zero at manufacture.
pub type MakerRegisters = [u16; MAKER_REGISTERS];

/// What the maker of a meter does with proprietary tokens.
///
/// Neither function may have side effects: a token that passes here may still be refused, because it is old or
/// used. The firmware acts on the [`Outcome`](crate::Outcome), after the commit.
pub trait Maker {
    /// A management token: changes a copy of the maker's registers.
    ///
    /// # Errors
    ///
    /// [`MakerRefusal`] when there is no such function, or the value is out of its range.
    fn management(
        &self,
        sub_class: ProprietarySubClass,
        value: u16,
        registers: &mut MakerRegisters,
    ) -> Result<(), MakerRefusal> {
        let _ = (sub_class, value, registers);
        Err(MakerRefusal::Function)
    }

    /// A test or display token.
    ///
    /// # Errors
    ///
    /// [`MakerRefusal`] when there is no such test, or the control field is out of its range.
    fn test(&self, test: &MeterTest) -> Result<(), MakerRefusal> {
        let _ = test;
        Err(MakerRefusal::Function)
    }
}

/// Why the maker refuses a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MakerRefusal {
    /// There is no such function.
    Function,
    /// The value is out of range. Old and used tokens are reported first.
    Range,
}

/// A maker without proprietary tokens: each is a function error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoMaker;

impl Maker for NoMaker {}
