//! Pointers from C, checked for null and alignment before anything else is done with them.

use core::ffi::c_char;

use crate::status::PrepayStatus;

/// Checks a pointer.
pub(crate) fn check<T>(pointer: *const T) -> Result<(), PrepayStatus> {
    if pointer.is_null() {
        Err(PrepayStatus::Null)
    } else if !pointer.is_aligned() {
        Err(PrepayStatus::Misaligned)
    } else {
        Ok(())
    }
}

/// What a pointer points to.
///
/// # Safety
///
/// Unless null or misaligned, it points to a value of its type that nobody changes for the time of `'a`.
pub(crate) unsafe fn required<'a, T>(pointer: *const T) -> Result<&'a T, PrepayStatus> {
    check(pointer)?;
    // SAFETY: neither null nor misaligned; the rest is the promise of the caller.
    Ok(unsafe { &*pointer })
}

/// Hands an answer to C.
///
/// # Safety
///
/// Unless null or misaligned, the pointer points to memory for a `T`, which may be uninitialised.
pub(crate) unsafe fn put<T>(pointer: *mut T, value: T) -> Result<(), PrepayStatus> {
    check(pointer)?;
    // SAFETY: neither null nor misaligned; the rest is the promise of the caller. Nothing is dropped.
    unsafe { pointer.write(value) };
    Ok(())
}

/// The bytes of a text that ends with NUL, of which at most `MOST` are copied; nothing if it is longer.
///
/// # Safety
///
/// Unless null, the pointer points to bytes that may be read up to the first NUL, or `MOST + 1` of them.
pub(crate) unsafe fn text<const MOST: usize>(
    pointer: *const c_char,
    buffer: &mut [u8; MOST],
) -> Result<Option<&[u8]>, PrepayStatus> {
    check(pointer)?;
    for index in 0..=MOST {
        // SAFETY: all bytes before this one were read and are not NUL, and it is within `MOST + 1`.
        let byte = unsafe { pointer.add(index).read() } as u8;
        match (byte, buffer.get_mut(index)) {
            (0, _) => return Ok(Some(&buffer[..index])),
            (_, Some(place)) => *place = byte,
            (_, None) => break,
        }
    }
    Ok(None)
}
