//! The manufacturer's proprietary tokens, by function pointers.

use core::ffi::{c_int, c_void};

use prepay_meter::{Maker, MakerRefusal, MakerRegisters};
use prepay_token::{MeterTest, ProprietarySubClass};

/// The function accepts the token.
pub const PREPAY_MAKER_ACCEPT: c_int = 0;
/// There is no such function. Any other return value means the same.
pub const PREPAY_MAKER_UNKNOWN: c_int = 1;
/// The value is out of range.
pub const PREPAY_MAKER_RANGE: c_int = 2;

/// What the maker of a meter does with proprietary tokens.
///
/// A null function refuses all of its tokens. The functions must have no side effects, because the meter may
/// still refuse the token as old or used: act on the outcome instead. They must not return by `longjmp` or a
/// C++ exception.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct PrepayMaker {
    /// Passed to each function unchanged. May be null.
    pub context: *mut c_void,
    /// A management token, sub-class 11 to 15. `registers` is a copy of the maker's eight registers. The
    /// function may change it; it is stored together with the token's identifier if the token is accepted.
    pub management: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            sub_class: u8,
            value: u16,
            registers: *mut u16,
        ) -> c_int,
    >,
    /// A test or display token, sub-class 6 to 15.
    pub test:
        Option<unsafe extern "C" fn(context: *mut c_void, sub_class: u8, control: u64) -> c_int>,
}

fn answer(code: c_int) -> Result<(), MakerRefusal> {
    match code {
        PREPAY_MAKER_ACCEPT => Ok(()),
        PREPAY_MAKER_RANGE => Err(MakerRefusal::Range),
        _ => Err(MakerRefusal::Function),
    }
}

/// A maker from C, or none. Who makes one promises that its functions do what [`PrepayMaker`] says.
pub(crate) struct Callbacks<'a>(pub(crate) Option<&'a PrepayMaker>);

impl Maker for Callbacks<'_> {
    fn management(
        &self,
        sub_class: ProprietarySubClass,
        value: u16,
        registers: &mut MakerRegisters,
    ) -> Result<(), MakerRefusal> {
        let Some(maker) = self.0 else { return Err(MakerRefusal::Function) };
        let Some(management) = maker.management else { return Err(MakerRefusal::Function) };
        let registers = registers.as_mut_ptr();
        // SAFETY: the function takes its own context; the eight registers are lent to it alone.
        answer(unsafe { management(maker.context, sub_class.value(), value, registers) })
    }

    fn test(&self, test: &MeterTest) -> Result<(), MakerRefusal> {
        let Some(maker) = self.0 else { return Err(MakerRefusal::Function) };
        let Some(function) = maker.test else { return Err(MakerRefusal::Function) };
        let (sub_class, control) = (test.sub_class(), test.control().bits());
        // SAFETY: the function takes its own context, and no other pointer.
        answer(unsafe { function(maker.context, sub_class, control) })
    }
}
