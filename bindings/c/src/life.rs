//! A meter's beginning and end: made, loaded from its storage, wiped.

use crate::memory::{self, Engine, PREPAY_METER_SIZE, PrepayMeter};
use crate::pointer;
use crate::profile::{PrepayBirth, PrepayProfile};
use crate::status::PrepayStatus;
use crate::storage::{Medium, PrepayStorage};

/// The size of a meter in this library, in bytes: compare it with `PREPAY_METER_SIZE` of the header at start.
#[unsafe(no_mangle)]
pub extern "C" fn prepay_meter_size() -> usize {
    PREPAY_METER_SIZE
}

/// Makes a meter and stores its first state, replacing whatever the storage held.
///
/// A meter already in this memory is wiped first, even if the call then fails. The stack gets copies of key
/// material: clear it after commissioning if other code can read it.
///
/// # Safety
///
/// `meter` is memory for a `prepay_meter` that was zeroed before its first use. The others point to what
/// their types say, and `birth` to a text with NUL and to a key of full length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prepay_meter_manufacture(
    meter: *mut PrepayMeter,
    profile: *const PrepayProfile,
    birth: *const PrepayBirth,
    storage: *const PrepayStorage,
) -> PrepayStatus {
    let make = || {
        // SAFETY: the promise of the caller.
        let (profile, mut medium) =
            unsafe { (pointer::required(profile)?.profile()?, Medium::new(storage)?) };
        // SAFETY: the same.
        let birth = unsafe { pointer::required(birth)?.birth()? };
        Ok(Engine::manufacture(profile, birth, &mut medium)?)
    };
    // SAFETY: the promise of the caller.
    PrepayStatus::of(unsafe { memory::start(meter, make) })
}

/// Starts a meter from its storage, as after loss of power.
///
/// `now_s` is a counter of seconds that never goes back while the meter runs. It may restart here. A meter
/// already in this memory is wiped first, even if the call then fails. Do not ignore `PREPAY_STATUS_RECORD`: an
/// older state could give credit twice.
///
/// # Safety
///
/// As for `prepay_meter_manufacture`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prepay_meter_load(
    meter: *mut PrepayMeter,
    profile: *const PrepayProfile,
    storage: *const PrepayStorage,
    now_s: u64,
) -> PrepayStatus {
    let make = || {
        // SAFETY: the promise of the caller.
        let (profile, mut medium) =
            unsafe { (pointer::required(profile)?.profile()?, Medium::new(storage)?) };
        Ok(Engine::load(profile, &mut medium, now_s)?)
    };
    // SAFETY: the promise of the caller.
    PrepayStatus::of(unsafe { memory::start(meter, make) })
}

/// Wipes a meter and its key from memory, not from its storage. Memory that holds no meter is zeroed too.
///
/// # Safety
///
/// `meter` is memory for a `prepay_meter` that was zeroed before its first use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prepay_meter_wipe(meter: *mut PrepayMeter) -> PrepayStatus {
    // SAFETY: the promise of the caller.
    PrepayStatus::of(unsafe { memory::wipe(meter) })
}
