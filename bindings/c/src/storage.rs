//! Storage by function pointers: two slots that the firmware erases, writes and reads.

use core::ffi::{c_int, c_void};

use prepay_meter::{Slot, Storage};

use crate::memory::Engine;
use crate::pointer;
use crate::status::{Fault, PrepayStatus};

/// The size of each of the two slots, in bytes.
pub const PREPAY_RECORD_LENGTH: usize = 436;

const _: () = assert!(PREPAY_RECORD_LENGTH == Engine::RECORD_LENGTH);

/// The medium on which a meter keeps its state: two slots, 0 and 1.
///
/// Each function returns 0, or anything else for a fault. Writes must reach the medium in order. A write that
/// fails or is interrupted may have written any part of its bytes, but must not touch others. The record holds
/// the key of the meter in clear, so the medium must be inside the protected boundary. The functions must not
/// return by `longjmp` or a C++ exception.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct PrepayStorage {
    /// Passed to each function unchanged. May be null.
    pub context: *mut c_void,
    /// Erases a slot: afterwards every byte reads 00, or every byte reads FF.
    pub erase: Option<unsafe extern "C" fn(context: *mut c_void, slot: u8) -> c_int>,
    /// Writes into a slot that was erased. No byte is written twice between two erasures.
    pub write: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            slot: u8,
            offset: usize,
            bytes: *const u8,
            length: usize,
        ) -> c_int,
    >,
    /// Reads from a slot. Bytes that were never written read as erased.
    pub read: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            slot: u8,
            offset: usize,
            bytes: *mut u8,
            length: usize,
        ) -> c_int,
    >,
}

/// A storage with all three functions.
pub(crate) struct Medium {
    context: *mut c_void,
    erase: unsafe extern "C" fn(*mut c_void, u8) -> c_int,
    write: unsafe extern "C" fn(*mut c_void, u8, usize, *const u8, usize) -> c_int,
    read: unsafe extern "C" fn(*mut c_void, u8, usize, *mut u8, usize) -> c_int,
}

impl Medium {
    /// A storage from C.
    ///
    /// # Safety
    ///
    /// Unless null or misaligned, the pointer points to a storage whose functions do what the type says.
    pub(crate) unsafe fn new(storage: *const PrepayStorage) -> Result<Self, PrepayStatus> {
        // SAFETY: the promise of the caller; the reference ends with this function.
        let PrepayStorage { context, erase, write, read } = *unsafe { pointer::required(storage)? };
        match (erase, write, read) {
            (Some(erase), Some(write), Some(read)) => Ok(Self { context, erase, write, read }),
            _ => Err(PrepayStatus::Null),
        }
    }
}

fn answer(code: c_int) -> Result<(), Fault> {
    if code == 0 { Ok(()) } else { Err(Fault) }
}

impl Storage for Medium {
    type Fault = Fault;

    fn erase(&mut self, slot: Slot) -> Result<(), Fault> {
        // SAFETY: `new` was promised that the function takes its own context.
        answer(unsafe { (self.erase)(self.context, slot as u8) })
    }

    fn write(&mut self, slot: Slot, offset: usize, bytes: &[u8]) -> Result<(), Fault> {
        let (start, length) = (bytes.as_ptr(), bytes.len());
        // SAFETY: as for `erase`; `start` and `length` are those of a slice that lives during the call.
        answer(unsafe { (self.write)(self.context, slot as u8, offset, start, length) })
    }

    fn read(&mut self, slot: Slot, offset: usize, bytes: &mut [u8]) -> Result<(), Fault> {
        let (start, length) = (bytes.as_mut_ptr(), bytes.len());
        // SAFETY: as for `write`, and the slice is the only reference to these bytes.
        answer(unsafe { (self.read)(self.context, slot as u8, offset, start, length) })
    }
}
