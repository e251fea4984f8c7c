//! Use of a service: consumption, tamper, emergency credit, and storing consumption between commits.

use prepay_meter::Load;

use crate::memory::{self, PrepayMeter};
use crate::pointer;
use crate::profile::service_of;
use crate::status::PrepayStatus;
use crate::storage::{Medium, PrepayStorage};

/// The rate of the time service while it is in use.
pub const PREPAY_TIME_RATE: u32 = 60_000;

const _: () = assert!(PREPAY_TIME_RATE == prepay_meter::TIME_RATE);

/// The load on a service while its switch is closed.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct PrepayLoad {
    /// The service, 0 to 3.
    pub service: u8,
    /// Watts of electricity, litres per hour of water or gas, `PREPAY_TIME_RATE` for time.
    pub rate: u32,
    /// The difference between the phases, in watts; only electricity has one.
    pub unbalance_watts: u32,
}

/// Lets seconds pass with a load on one service. Credit is drawn while its switch is closed.
///
/// Then call `prepay_meter_service` to read the switch. After `PREPAY_STATUS_STORAGE` the consumption is kept
/// in memory and stored with the next commit: do not repeat the call.
///
/// # Safety
///
/// `meter` is memory for a `prepay_meter` that was zeroed before its first use; `load` and `storage` point
/// to what their types say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prepay_meter_consume(
    meter: *mut PrepayMeter,
    load: *const PrepayLoad,
    seconds: u32,
    storage: *const PrepayStorage,
) -> PrepayStatus {
    let work = || {
        // SAFETY: the promise of the caller.
        let (load, mut medium) = unsafe { (*pointer::required(load)?, Medium::new(storage)?) };
        let PrepayLoad { service, rate, unbalance_watts } = load;
        let load = Load { service: service_of(service)?, rate, unbalance_watts };
        // SAFETY: the promise of the caller.
        unsafe {
            memory::lend(meter, |engine| {
                engine.consume(load, seconds, &mut medium)?;
                Ok(())
            })
        }
    };
    PrepayStatus::of(work())
}

/// Stores the consumption since the last commit. Call it when the power is failing.
///
/// # Safety
///
/// As for `prepay_meter_consume`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prepay_meter_save(
    meter: *mut PrepayMeter,
    storage: *const PrepayStorage,
) -> PrepayStatus {
    let work = || {
        // SAFETY: the promise of the caller.
        let mut medium = unsafe { Medium::new(storage)? };
        // SAFETY: the same.
        unsafe { memory::lend(meter, |engine| Ok(engine.save(&mut medium)?)) }
    };
    PrepayStatus::of(work())
}

/// Records that the meter was tampered with. After `PREPAY_STATUS_STORAGE` it is not recorded.
///
/// # Safety
///
/// As for `prepay_meter_consume`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prepay_meter_tamper(
    meter: *mut PrepayMeter,
    storage: *const PrepayStorage,
) -> PrepayStatus {
    let work = || {
        // SAFETY: the promise of the caller.
        let mut medium = unsafe { Medium::new(storage)? };
        // SAFETY: the same.
        unsafe { memory::lend(meter, |engine| Ok(engine.tamper(&mut medium).map(drop)?)) }
    };
    PrepayStatus::of(work())
}

/// The customer requests emergency credit. `in_use` becomes 1 if it is now in use, otherwise 0.
///
/// # Safety
///
/// As for `prepay_meter_consume`; `in_use` is memory for a byte.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prepay_meter_start_emergency(
    meter: *mut PrepayMeter,
    service: u8,
    storage: *const PrepayStorage,
    in_use: *mut u8,
) -> PrepayStatus {
    let work = || {
        pointer::check(in_use)?;
        let service = service_of(service)?;
        // SAFETY: the promise of the caller.
        let mut medium = unsafe { Medium::new(storage)? };
        // SAFETY: the same.
        let is_in_use = unsafe {
            memory::lend(meter, |engine| Ok(engine.start_emergency(service, &mut medium)?))?
        };
        // SAFETY: the same.
        unsafe { pointer::put(in_use, u8::from(is_in_use)) }
    };
    PrepayStatus::of(work())
}
