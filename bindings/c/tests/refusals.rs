//! What C can do wrong is answered, and changes nothing: null, misaligned, uninitialised, moved, reentrant.

use std::ffi::{CStr, c_int, c_void};
use std::mem::MaybeUninit;
use std::{ptr, slice};

use prepay_meter::TokenResult;
use prepay_meter_c::*;

/// A key of one repeated byte, which is no secret to anybody.
const TEST_KEY: [u8; 8] = [0xA5; 8];
const LENGTH: usize = PREPAY_RECORD_LENGTH;

/// Two slots, and the meter that a callback tries to call for while it is being called.
struct Medium {
    slots: [[u8; LENGTH]; 2],
    meter: *mut PrepayMeter,
    found: Option<PrepayStatus>,
    fails: bool,
}

unsafe extern "C" fn erase(context: *mut c_void, slot: u8) -> c_int {
    // SAFETY: every test hands its medium over, of which it has no other reference during the call.
    let medium = unsafe { &mut *context.cast::<Medium>() };
    if !medium.meter.is_null() {
        // SAFETY: the meter of the test, which is being called.
        medium.found = Some(unsafe { prepay_meter_wipe(medium.meter) });
    }
    medium.slots[usize::from(slot)].fill(0xFF);
    c_int::from(medium.fails)
}

unsafe extern "C" fn write(
    context: *mut c_void,
    slot: u8,
    offset: usize,
    bytes: *const u8,
    length: usize,
) -> c_int {
    // SAFETY: as in `erase`; the library hands over a slice.
    let (medium, bytes) =
        unsafe { (&mut *context.cast::<Medium>(), slice::from_raw_parts(bytes, length)) };
    medium.slots[usize::from(slot)][offset..][..length].copy_from_slice(bytes);
    0
}

unsafe extern "C" fn read(
    context: *mut c_void,
    slot: u8,
    offset: usize,
    bytes: *mut u8,
    length: usize,
) -> c_int {
    // SAFETY: as in `write`.
    let (medium, bytes) =
        unsafe { (&mut *context.cast::<Medium>(), slice::from_raw_parts_mut(bytes, length)) };
    bytes.copy_from_slice(&medium.slots[usize::from(slot)][offset..][..length]);
    0
}

/// A meter in memory that starts as zeros, with its storage.
struct Bench {
    meter: Box<MaybeUninit<PrepayMeter>>,
    medium: Box<Medium>,
    profile: PrepayProfile,
    storage: PrepayStorage,
}

impl Bench {
    fn new() -> Self {
        let slots = [[0xFF; LENGTH]; 2];
        let mut medium =
            Box::new(Medium { slots, meter: ptr::null_mut(), found: None, fails: false });
        let mut profile = MaybeUninit::uninit();
        // SAFETY: memory for a profile, which is read once it is filled in.
        let profile = unsafe {
            assert_eq!(prepay_profile_electricity(profile.as_mut_ptr(), 3), PrepayStatus::Ok);
            profile.assume_init()
        };
        let context = ptr::from_mut(&mut *medium).cast();
        let storage =
            PrepayStorage { context, erase: Some(erase), write: Some(write), read: Some(read) };
        Self { meter: Box::new(MaybeUninit::zeroed()), medium, profile, storage }
    }

    fn birth() -> PrepayBirth {
        PrepayBirth {
            pan: c"600727000000000009".as_ptr(),
            key: TEST_KEY.as_ptr(),
            algorithm: 7,
            key_type: PREPAY_KEY_TYPE_UNIQUE,
            key_revision: 1,
            tariff_index: 1,
            key_expiry: 255,
            supply_group: 123_456,
            remembered: 50,
            manufactured: 1_000_000,
        }
    }

    fn make(&mut self, birth: &PrepayBirth) -> PrepayStatus {
        // SAFETY: all memory is the bench's own.
        unsafe {
            prepay_meter_manufacture(self.meter.as_mut_ptr(), &self.profile, birth, &self.storage)
        }
    }

    fn made() -> Self {
        let mut bench = Self::new();
        assert_eq!(bench.make(&Self::birth()), PrepayStatus::Ok);
        bench
    }

    fn enter(&mut self, digits: &CStr, carrier: u8) -> Result<PrepayResult, PrepayStatus> {
        let mut outcome = MaybeUninit::<PrepayOutcome>::uninit();
        let (meter, storage, place) =
            (self.meter.as_mut_ptr(), &self.storage, outcome.as_mut_ptr());
        let digits = digits.as_ptr();
        // SAFETY: all memory is the bench's own, and the outcome is read only after success.
        unsafe {
            match prepay_meter_enter_digits(meter, digits, carrier, 0, storage, ptr::null(), place)
            {
                PrepayStatus::Ok => Ok(outcome.assume_init().result),
                status => Err(status),
            }
        }
    }
}

#[test]
fn a_value_out_of_range_makes_no_meter() {
    let good = Bench::birth();
    let cases = [
        ("check digit", PrepayBirth { pan: c"600727000000000008".as_ptr(), ..good }),
        ("too long", PrepayBirth { pan: c"6007270000000000090".as_ptr(), ..good }),
        ("algorithm", PrepayBirth { algorithm: 8, ..good }),
        ("key type", PrepayBirth { key_type: 4, ..good }),
        ("key revision", PrepayBirth { key_revision: 10, ..good }),
        ("no key revision", PrepayBirth { key_revision: 0, ..good }),
        ("tariff index", PrepayBirth { tariff_index: 100, ..good }),
        ("supply group", PrepayBirth { supply_group: 1_000_000, ..good }),
        ("identifiers", PrepayBirth { remembered: 49, ..good }),
        ("identifiers", PrepayBirth { remembered: 51, ..good }),
        ("manufactured", PrepayBirth { manufactured: 1 << 24, ..good }),
    ];
    for (what, birth) in &cases {
        let mut bench = Bench::new();
        assert_eq!(bench.make(birth), PrepayStatus::Value, "{what}");
        assert_eq!(bench.enter(c"0", 2), Err(PrepayStatus::NoMeter), "{what}");
    }
    let null = PrepayBirth { key: ptr::null(), ..good };
    assert_eq!(Bench::new().make(&null), PrepayStatus::Null);
}

#[test]
fn a_profile_that_no_meter_can_have_is_refused() {
    type Change = fn(&mut PrepayProfile);
    let cases: [(Change, PrepayStatus); 8] = [
        (|profile| profile.set_size = 5, PrepayStatus::Value),
        (|profile| profile.set_size = 4, PrepayStatus::Profile),
        (|profile| profile.services = 0, PrepayStatus::Profile),
        (|profile| profile.services = 16, PrepayStatus::Value),
        (|profile| profile.carrier_count = 9, PrepayStatus::Value),
        (|profile| profile.credit_form = 2, PrepayStatus::Value),
        (|profile| profile.phases = 0, PrepayStatus::Value),
        (|profile| profile.phases = 2, PrepayStatus::Value),
    ];
    for (index, (change, expected)) in cases.into_iter().enumerate() {
        let mut bench = Bench::new();
        change(&mut bench.profile);
        assert_eq!(bench.make(&Bench::birth()), expected, "case {index}");
    }
}

#[test]
fn null_and_misaligned_pointers_are_answered() {
    let mut bench = Bench::made();
    let meter = bench.meter.as_mut_ptr();
    let mut value = 0i64;
    // SAFETY: pointers are null, misaligned within their memory, or whole.
    unsafe {
        assert_eq!(prepay_meter_wipe(ptr::null_mut()), PrepayStatus::Null);
        assert_eq!(prepay_meter_wipe(meter.byte_add(4)), PrepayStatus::Misaligned);
        assert_eq!(prepay_meter_state(meter, 0, ptr::null_mut()), PrepayStatus::Null);
        assert_eq!(prepay_meter_service(meter, 0, ptr::null_mut()), PrepayStatus::Null);
        assert_eq!(prepay_meter_register(meter, 2, 0, ptr::null_mut()), PrepayStatus::Null);
        assert_eq!(prepay_meter_register(ptr::null_mut(), 2, 0, &mut value), PrepayStatus::Null);
        assert_eq!(prepay_meter_save(meter, ptr::null()), PrepayStatus::Null);
        let no_erase = PrepayStorage { erase: None, ..bench.storage };
        assert_eq!(prepay_meter_save(meter, &no_erase), PrepayStatus::Null);
        assert_eq!(prepay_meter_consume(meter, ptr::null(), 1, &bench.storage), PrepayStatus::Null);
        assert_eq!(prepay_profile_electricity(ptr::null_mut(), 3), PrepayStatus::Null);
    }
}

#[test]
fn memory_without_a_meter_and_a_copy_are_no_meter() {
    let mut bench = Bench::new();
    assert_eq!(bench.enter(c"0", 2), Err(PrepayStatus::NoMeter));
    let mut bench = Bench::made();
    assert_eq!(bench.enter(c"0", 2), Ok(PrepayResult::FormatError));
    let mut copy = Box::new(MaybeUninit::<PrepayMeter>::uninit());
    // SAFETY: both are whole. The copy is asked for nothing that would use its key.
    unsafe {
        copy.as_mut_ptr().copy_from(bench.meter.as_ptr(), 1);
        assert_eq!(prepay_meter_save(copy.as_mut_ptr(), &bench.storage), PrepayStatus::NoMeter);
    }
}

#[test]
fn a_callback_that_calls_back_finds_the_meter_busy() {
    let mut bench = Bench::made();
    bench.medium.meter = bench.meter.as_mut_ptr();
    bench.storage.context = ptr::from_mut(&mut *bench.medium).cast();
    // SAFETY: all memory is the bench's own.
    let status = unsafe { prepay_meter_save(bench.meter.as_mut_ptr(), &bench.storage) };
    assert_eq!((status, bench.medium.found), (PrepayStatus::Ok, Some(PrepayStatus::Busy)));
}

#[test]
fn a_fault_of_the_storage_is_told_and_the_meter_stays() {
    let mut bench = Bench::made();
    bench.medium.fails = true;
    bench.storage.context = ptr::from_mut(&mut *bench.medium).cast();
    // SAFETY: all memory is the bench's own.
    let status = unsafe { prepay_meter_tamper(bench.meter.as_mut_ptr(), &bench.storage) };
    assert_eq!(status, PrepayStatus::Storage);
    assert_eq!(bench.enter(c"0", 2), Ok(PrepayResult::FormatError));
}

#[test]
fn texts_and_carriers_have_their_limits() {
    let mut bench = Bench::made();
    let long = c"00000 00000 00000 00000                                           ";
    for digits in [c"", c"0000000000000000000", c"\xFF\xFE", long] {
        assert_eq!(bench.enter(digits, 2), Ok(PrepayResult::FormatError), "{digits:?}");
    }
    assert_eq!(bench.enter(c"00000000000000000000", 100), Err(PrepayStatus::Value));
}

#[test]
fn wiping_leaves_zeros() {
    let mut bench = Bench::made();
    // SAFETY: whole, and set to bytes everywhere.
    let bytes = unsafe {
        assert_eq!(prepay_meter_wipe(bench.meter.as_mut_ptr()), PrepayStatus::Ok);
        slice::from_raw_parts(bench.meter.as_ptr().cast::<u8>(), PREPAY_METER_SIZE)
    };
    assert!(bytes.iter().all(|&byte| byte == 0));
}

#[test]
fn a_test_token_says_what_to_show() {
    // Published: test 0, for the meters of every maker.
    let mut bench = Bench::made();
    let mut outcome = MaybeUninit::<PrepayOutcome>::zeroed();
    let digits = c"00000000000150997584".as_ptr();
    let (meter, storage, place) = (bench.meter.as_mut_ptr(), &bench.storage, outcome.as_mut_ptr());
    // SAFETY: all memory is the bench's own.
    let outcome = unsafe {
        let status = prepay_meter_enter_digits(meter, digits, 2, 0, storage, ptr::null(), place);
        assert_eq!(status, PrepayStatus::Ok);
        outcome.assume_init()
    };
    assert_eq!((outcome.effect, outcome.item_count), (PrepayEffect::Display, 1));
    assert_eq!(outcome.items[0], PREPAY_ITEM_TEST_SWITCH);
}

#[test]
fn names_of_results_are_those_of_the_engine() {
    for result in TokenResult::ALL {
        // SAFETY: a name is never null, ends with NUL and lives for ever.
        let name = unsafe { CStr::from_ptr(prepay_result_name(result.code())) };
        assert_eq!(name.to_str(), Ok(result.name()));
        assert_eq!(PrepayResult::from(result) as u8, result.code());
    }
    // SAFETY: as above.
    assert_eq!(unsafe { CStr::from_ptr(prepay_result_name(200)) }, c"none");
}
