//! The memory of a meter: a fixed number of words that C owns, and the engine somewhere in it.
//!
//! ```text
//!  word 0      1 ..
//!  +-------+--------------+-----------------+---------+
//!  | mark  | to alignment | Meter<50,12,1>  | spare   |
//!  +-------+--------------+-----------------+---------+
//! ```
//!
//! C has no portable way to request the alignment of the engine, so it is done here. The mark mixes a constant
//! with the address: a copy at another address, and memory of zeros, are not a meter.

use core::mem::{align_of, size_of};

use prepay_meter::Meter;
use zeroize::Zeroize;

use crate::pointer;
use crate::status::PrepayStatus;

/// The engine with the capacities of this library.
pub(crate) type Engine = Meter<50, 12, 1>;

/// The size of a meter in bytes, the same on every target.
pub const PREPAY_METER_SIZE: usize = 1088;

/// The same in words of eight bytes.
pub const PREPAY_METER_WORDS: usize = 136;

const _: () = assert!(PREPAY_METER_WORDS * 8 == PREPAY_METER_SIZE);
const _: () = assert!(MARK + align_of::<Engine>() + size_of::<Engine>() <= PREPAY_METER_SIZE);

/// The size of the mark in bytes.
const MARK: usize = size_of::<u64>();
const READY: u64 = 0x5052_4550_4159_0001;
const BUSY: u64 = 0x5052_4550_4159_0002;

/// A meter. Zero it before its first use, as static objects are; do not copy or move it while it is in use.
///
/// It holds the key of the meter: `prepay_meter_wipe` it before its memory is used for anything else.
#[repr(C)]
pub struct PrepayMeter {
    /// Not for C to read.
    opaque: [u64; PREPAY_METER_WORDS],
}

/// The mark of a meter at this address.
fn mark(meter: *mut PrepayMeter, kind: u64) -> u64 {
    kind ^ ((meter.addr() as u64) << 16)
}

/// The address of the engine.
///
/// # Safety
///
/// The pointer points to a whole `PrepayMeter`.
unsafe fn engine(meter: *mut PrepayMeter) -> *mut Engine {
    let start = meter.addr() + MARK;
    let skip = MARK + start.next_multiple_of(align_of::<Engine>()) - start;
    // SAFETY: `skip` is less than MARK and one alignment, which the assertion above counts with.
    unsafe { meter.cast::<u8>().add(skip) }.cast()
}

/// Wipes a meter: afterwards the memory is zero.
///
/// # Safety
///
/// The pointer points to a whole `PrepayMeter`, of which nothing else has a reference.
pub(crate) unsafe fn wipe(meter: *mut PrepayMeter) -> Result<(), PrepayStatus> {
    pointer::check(meter)?;
    let first = meter.cast::<u64>();
    // SAFETY: the memory is whole and aligned; its bytes were set before, as the type asks.
    let found = unsafe { first.read() };
    if found == mark(meter, BUSY) {
        return Err(PrepayStatus::Busy);
    }
    if found == mark(meter, READY) {
        // SAFETY: the mark says that an engine was written here and is not in use.
        unsafe { engine(meter).drop_in_place() };
    }
    // SAFETY: the memory is whole and aligned, any words are valid, and no engine is in it any more.
    unsafe { &mut (*meter).opaque }.zeroize();
    Ok(())
}

/// Puts an engine into the memory of a meter, in place of what it held.
///
/// # Safety
///
/// As for [`wipe`].
pub(crate) unsafe fn start(
    meter: *mut PrepayMeter,
    make: impl FnOnce() -> Result<Engine, PrepayStatus>,
) -> Result<(), PrepayStatus> {
    // SAFETY: the promise of the caller.
    unsafe { wipe(meter)? };
    let first = meter.cast::<u64>();
    // SAFETY: `wipe` has found the pointer whole and aligned.
    unsafe { first.write(mark(meter, BUSY)) };
    let made = make();
    let is_made = made.is_ok();
    let result = made.map(|made| {
        // SAFETY: the place is aligned and within the memory, and holds no engine.
        unsafe { engine(meter).write(made) }
    });
    // SAFETY: as above; the engine lies behind the mark.
    unsafe { first.write(if is_made { mark(meter, READY) } else { 0 }) };
    result
}

/// Lends the engine in the memory of a meter.
///
/// # Safety
///
/// As for [`wipe`]. Callbacks from `work` may come back here: they find the meter busy.
pub(crate) unsafe fn lend<T>(
    meter: *mut PrepayMeter,
    work: impl FnOnce(&mut Engine) -> Result<T, PrepayStatus>,
) -> Result<T, PrepayStatus> {
    pointer::check(meter)?;
    let first = meter.cast::<u64>();
    // SAFETY: the memory is whole and aligned; its bytes were set before, as the type asks.
    let found = unsafe { first.read() };
    if found == mark(meter, BUSY) {
        return Err(PrepayStatus::Busy);
    }
    if found != mark(meter, READY) {
        return Err(PrepayStatus::NoMeter);
    }
    // SAFETY: as above.
    unsafe { first.write(mark(meter, BUSY)) };
    // SAFETY: the mark said that an engine is here and not in use. As long as this reference lives the
    // mark says busy, so no second one is made.
    let result = work(unsafe { &mut *engine(meter) });
    // SAFETY: as above.
    unsafe { first.write(mark(meter, READY)) };
    result
}
