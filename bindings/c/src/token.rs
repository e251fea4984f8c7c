//! Entering tokens, from any carrier.

use core::ffi::c_char;

use prepay_token::TokenData;

use crate::maker::{Callbacks, PrepayMaker};
use crate::memory::{self, PrepayMeter};
use crate::outcome::PrepayOutcome;
use crate::pointer;
use crate::profile::carrier_of;
use crate::status::PrepayStatus;
use crate::storage::{Medium, PrepayStorage};

/// The longest token text that is read, including spaces and dashes.
pub const PREPAY_MOST_TEXT: usize = 64;

/// Enters a token as text: twenty digits and NUL. Spaces and dashes are ignored.
///
/// Text that is not a token gives an outcome, a format error. `maker` may be null: proprietary tokens are then
/// refused. `outcome` is written only if the call returns `PREPAY_STATUS_OK`.
///
/// # Safety
///
/// `meter` is memory for a `prepay_meter` that was zeroed before its first use, `digits` a text that ends
/// with NUL, `outcome` memory for its type. The others point to what their types say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prepay_meter_enter_digits(
    meter: *mut PrepayMeter,
    digits: *const c_char,
    carrier: u8,
    now_s: u64,
    storage: *const PrepayStorage,
    maker: *const PrepayMaker,
    outcome: *mut PrepayOutcome,
) -> PrepayStatus {
    let mut buffer = [0; PREPAY_MOST_TEXT];
    // SAFETY: the promise of the caller.
    let text = unsafe { pointer::text(digits, &mut buffer) };
    let data = text.map(|text| core::str::from_utf8(text?).ok()?.parse().ok());
    // SAFETY: the promise of the caller.
    PrepayStatus::of(
        data.and_then(|data| unsafe {
            enter(meter, data, (carrier, now_s), storage, maker, outcome)
        }),
    )
}

/// Enters a token as 66 bits in nine bytes, most significant first, the six high bits zero.
///
/// # Safety
///
/// As for `prepay_meter_enter_digits`; `bytes` are nine bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prepay_meter_enter_bytes(
    meter: *mut PrepayMeter,
    bytes: *const u8,
    carrier: u8,
    now_s: u64,
    storage: *const PrepayStorage,
    maker: *const PrepayMaker,
    outcome: *mut PrepayOutcome,
) -> PrepayStatus {
    // SAFETY: the promise of the caller.
    let bytes = unsafe { pointer::required(bytes.cast::<[u8; 9]>()) };
    let data = bytes.map(|bytes| TokenData::from_bytes(*bytes).ok());
    // SAFETY: the promise of the caller.
    PrepayStatus::of(
        data.and_then(|data| unsafe {
            enter(meter, data, (carrier, now_s), storage, maker, outcome)
        }),
    )
}

/// Enters a token; without one the outcome is a format error.
///
/// # Safety
///
/// As for [`prepay_meter_enter_digits`].
unsafe fn enter(
    meter: *mut PrepayMeter,
    data: Option<TokenData>,
    (carrier, now_s): (u8, u64),
    storage: *const PrepayStorage,
    maker: *const PrepayMaker,
    outcome: *mut PrepayOutcome,
) -> Result<(), PrepayStatus> {
    pointer::check(outcome)?;
    let carrier = carrier_of(carrier)?;
    // SAFETY: the promise of the caller.
    let mut medium = unsafe { Medium::new(storage)? };
    let maker = match maker.is_null() {
        true => None,
        // SAFETY: the promise of the caller.
        false => Some(*unsafe { pointer::required(maker)? }),
    };
    let maker = Callbacks(maker.as_ref());
    // SAFETY: the promise of the caller. The medium and the maker are copies that do not overlap with it.
    let answer = unsafe {
        memory::lend(meter, |engine| {
            let answer = match data {
                Some(data) => engine.enter_with(data, carrier, now_s, &mut medium, &maker)?,
                None => engine.refuse_format(),
            };
            Ok(PrepayOutcome::of(engine, answer))
        })?
    };
    // SAFETY: the promise of the caller.
    unsafe { pointer::put(outcome, answer) }
}
