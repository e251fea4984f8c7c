//! What a call returns: done, a caller's mistake, or a fault of the storage.
//!
//! A refused token is neither: the call is `PREPAY_STATUS_OK`, and the outcome says what was refused.

use prepay_meter::{LoadError, ManufactureError, RecordError};

/// The return value of every call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum PrepayStatus {
    /// Done. For a token: there is an outcome, which may be a refusal.
    Ok = 0,
    /// A required pointer or function pointer is null. Nothing was done.
    Null = 1,
    /// A pointer is not aligned for its type. Nothing was done.
    Misaligned = 2,
    /// The memory holds no meter: it was never started, was wiped, or was copied to another place.
    NoMeter = 3,
    /// A callback used the meter that was calling it. Nothing was done.
    Busy = 4,
    /// A value is outside its range. Nothing was done.
    Value = 5,
    /// The profile does not suit the key, or has no service. Nothing was done.
    Profile = 6,
    /// A storage function returned a fault. The meter is unchanged; try again.
    Storage = 7,
    /// The storage holds no record: the meter was never made, or its storage is lost.
    NoRecord = 8,
    /// The newest record is damaged or has another layout. A person must decide what to do.
    Record = 9,
    /// The newest record was written by newer firmware.
    NewerRecord = 10,
    /// The meter lacks this register, or nothing has set it yet.
    Absent = 11,
    /// The register is not a number: see `prepay_state`.
    NotNumber = 12,
}

impl PrepayStatus {
    /// As a call returns it.
    pub(crate) fn of(result: Result<(), Self>) -> Self {
        result.err().unwrap_or(Self::Ok)
    }
}

/// A storage function did not return 0. The firmware knows which fault it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault;

impl From<Fault> for PrepayStatus {
    fn from(Fault: Fault) -> Self {
        Self::Storage
    }
}

impl From<ManufactureError<Fault>> for PrepayStatus {
    fn from(error: ManufactureError<Fault>) -> Self {
        match error {
            ManufactureError::Profile(_) => Self::Profile,
            ManufactureError::Remembered { .. } => Self::Value,
            ManufactureError::Medium(fault) => fault.into(),
        }
    }
}

impl From<LoadError<Fault>> for PrepayStatus {
    fn from(error: LoadError<Fault>) -> Self {
        match error {
            LoadError::Medium(fault) => fault.into(),
            LoadError::NoRecord { .. } => Self::NoRecord,
            LoadError::Newest { error: RecordError::NewerVersion { .. }, .. } => Self::NewerRecord,
            LoadError::Newest { .. } => Self::Record,
            LoadError::Profile(_) => Self::Profile,
        }
    }
}
