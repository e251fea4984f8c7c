//! What a meter is and has, and what it is given when it is made: plain values from C, each checked.
//!
//! No input is an enumeration or a `bool`, because C could pass a value that does not exist.

use core::ffi::c_char;

use prepay_meter::{
    AbsentFunction, Birth, Carriers, CreditForm, CreditLevel, Lockout, Phases, Policy, Profile,
    Services, TripRule,
};
use prepay_token::element::{
    EncryptionAlgorithm, KeyExpiryNumber, KeyRevisionNumber, KeyType, MeterPan, Service,
    SupplyGroupCode, TariffIndex, TokenCarrierType, TokenIdentifier,
};
use prepay_token::key::DecoderKey;
use prepay_token::key_change::{NewKey, SetSize};

use crate::pointer;
use crate::status::PrepayStatus;

/// Electricity, in kWh.
pub const PREPAY_ELECTRICITY: u8 = 0;
/// Water, in cubic metres.
pub const PREPAY_WATER: u8 = 1;
/// Gas, in cubic metres.
pub const PREPAY_GAS: u8 = 2;
/// Time, in minutes.
pub const PREPAY_TIME: u8 = 3;

/// Credit counts units of the service.
pub const PREPAY_CREDIT_UNITS: u8 = 0;
/// Credit counts money.
pub const PREPAY_CREDIT_CURRENCY: u8 = 1;

/// The carrier of a magnetic card.
pub const PREPAY_CARRIER_MAGNETIC_CARD: u8 = 1;
/// The carrier of twenty digits, as typed on a keypad.
pub const PREPAY_CARRIER_NUMERIC: u8 = 2;
/// The virtual carrier of a direct local connection.
pub const PREPAY_CARRIER_VIRTUAL_LOCAL: u8 = 7;
/// The virtual carrier over DLMS/COSEM.
pub const PREPAY_CARRIER_VIRTUAL_COSEM: u8 = 8;

/// A key type: the key of one meter in normal operation.
pub const PREPAY_KEY_TYPE_UNIQUE: u8 = 2;

/// Stands for a 32-bit number that is unknown or was never set.
pub const PREPAY_NONE: u32 = u32::MAX;

/// How many carriers a profile has room for.
pub const PREPAY_MOST_CARRIERS: usize = 8;

/// A lockout after wrong tokens.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct PrepayLockout {
    /// Whether the lockout is on: 0 no, other values yes.
    pub enabled: u8,
    /// How many wrong checksums of classes 0 and 2 in a row cause the first lock.
    pub free_tries: u8,
    /// Whether loss of power resets the count: 0 no, other values yes. If not, each change of the count is stored;
    /// with the default times that is at most ten commits until a token is accepted.
    pub reset_on_power: u8,
    /// How long the first lock lasts, in seconds.
    pub base_s: u32,
    /// The factor by which each further wrong token lengthens the lock.
    pub factor: u32,
    /// The longest lock, in seconds.
    pub cap_s: u32,
}

/// What happens above the power limits.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct PrepayTrip {
    /// Whether the switch opens at all: 0 no, other values yes.
    pub enabled: u8,
    /// How often the switch closes again by itself.
    pub resets: u8,
    /// How long the load must exceed a limit, in seconds.
    pub trip_after_s: u32,
    /// How long the switch stays open, in seconds.
    pub reset_after_s: u32,
    /// After how many seconds within the limits the count of closings starts again.
    pub forgive_after_s: u32,
}

/// An amount of credit; the kind of the meter's registers decides which field counts.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct PrepayLevel {
    /// Whether the level is set: 0 no, other values yes.
    pub enabled: u8,
    /// For registers of units: tenths of a unit.
    pub tenths: u32,
    /// For registers of money: 10^-5 of the base currency unit.
    pub hundred_thousandths: u64,
}

/// What a meter is and has. Fixed by the hardware and its firmware, passed in at each start, never stored.
///
/// Let `prepay_profile_electricity` fill it in, then change what differs.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct PrepayProfile {
    /// One bit per service: bit 0 electricity, 1 water, 2 gas, 3 time.
    pub services: u8,
    /// `PREPAY_CREDIT_UNITS` or `PREPAY_CREDIT_CURRENCY`.
    pub credit_form: u8,
    /// How many phases its electricity has, 1 or 3. With one phase, a phase unbalance limit is a function error.
    pub phases: u8,
    /// Whether it has a register for the tariff rate: 0 no, other values yes. If not, a tariff rate is a function
    /// error.
    pub tariff_register: u8,
    /// The largest set of key change tokens: 2, 3, or 4 exactly when the key has 128 bits.
    pub set_size: u8,
    /// How many entries of `carriers` are used.
    pub carrier_count: u8,
    /// The carriers that the meter has.
    pub carriers: [u8; PREPAY_MOST_CARRIERS],
    /// Whether a meter for sets of three also accepts sets of two: 0 no, other values yes.
    pub two_token_sets: u8,
    /// Whether the meter enforces the key expiry number: 0 no, other values yes.
    pub enforce_expiry: u8,
    /// Whether the meter accepts values for what it does not have, such as a water meter factor without water: 0 no,
    /// other values yes.
    pub accepts_absent_functions: u8,
    /// Whether flags of the extended token set act on the switch: 0 no, other values yes.
    pub flags_act: u8,
    /// Whether the switches open on tamper: 0 no, other values yes.
    pub tamper_opens_switch: u8,
    /// How long sections of a new key are held, in seconds from the first section.
    pub key_change_timeout_s: u32,
    /// The most that a register of units holds, in tenths.
    pub unit_capacity_tenths: u32,
    /// How much may be consumed before it is stored, in grains (3 600 000 per unit).
    pub commit_every_grains: u64,
    /// The tests that test 0 runs, bit n - 1 for test n.
    pub test_zero: u64,
    /// For meters that count money: the price of one unit in 10^-5 of the base currency unit, by service.
    pub prices: [u32; 4],
    /// The meter warns when the credit is at or below this level.
    pub low_credit: PrepayLevel,
    /// How far credit may fall below zero once the customer has asked for it.
    pub emergency_credit: PrepayLevel,
    /// A lockout after wrong tokens.
    pub lockout: PrepayLockout,
    /// What happens above the power limits.
    pub trip: PrepayTrip,
}

/// The data that a meter gets at manufacture.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct PrepayBirth {
    /// Its number: eighteen digits, then NUL. Both check digits are verified.
    pub pan: *const c_char,
    /// Its first key, most significant byte first: 16 bytes for algorithm 11, otherwise 8. Wipe it after use.
    pub key: *const u8,
    /// The encryption algorithm: 7, 9 or 11.
    pub algorithm: u8,
    /// The type of the key, 0 to 3.
    pub key_type: u8,
    /// The revision of the key, 1 to 9; 0 for an initialization key, which has none.
    pub key_revision: u8,
    /// The tariff index, 0 to 99.
    pub tariff_index: u8,
    /// The key expiry number; 255 for never.
    pub key_expiry: u8,
    /// The supply group, or `PREPAY_NONE`.
    pub supply_group: u32,
    /// How many token identifiers the meter remembers: 50.
    pub remembered: u16,
    /// The identifier of the day of manufacture: the meter refuses it and all earlier ones.
    pub manufactured: u32,
}

/// Fills in a meter for electricity in units with a numeric keypad, and the defaults of the engine.
///
/// # Safety
///
/// `profile` is memory for a `prepay_profile`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn prepay_profile_electricity(
    profile: *mut PrepayProfile,
    set_size: u8,
) -> PrepayStatus {
    let filled = set_of(set_size).map(|size| PrepayProfile::of(&Profile::electricity(size)));
    // SAFETY: the promise of the caller.
    PrepayStatus::of(filled.and_then(|filled| unsafe { pointer::put(profile, filled) }))
}

fn set_of(size: u8) -> Result<SetSize, PrepayStatus> {
    match size {
        2 => Ok(SetSize::Two),
        3 => Ok(SetSize::Three),
        4 => Ok(SetSize::Four),
        _ => Err(PrepayStatus::Value),
    }
}

pub(crate) fn service_of(index: u8) -> Result<Service, PrepayStatus> {
    Service::ALL.get(usize::from(index)).copied().ok_or(PrepayStatus::Value)
}

pub(crate) fn carrier_of(code: u8) -> Result<TokenCarrierType, PrepayStatus> {
    valid(TokenCarrierType::try_from(code))
}

fn valid<T, E>(result: Result<T, E>) -> Result<T, PrepayStatus> {
    result.map_err(|_| PrepayStatus::Value)
}

impl PrepayLevel {
    fn of(level: Option<CreditLevel>) -> Self {
        let CreditLevel { tenths, hundred_thousandths } =
            level.unwrap_or(CreditLevel { tenths: 0, hundred_thousandths: 0 });
        Self { enabled: level.is_some().into(), tenths, hundred_thousandths }
    }

    fn level(self) -> Option<CreditLevel> {
        let Self { enabled, tenths, hundred_thousandths } = self;
        (enabled != 0).then_some(CreditLevel { tenths, hundred_thousandths })
    }
}

impl PrepayProfile {
    /// A meter for electricity, as the engine has it.
    fn of(profile: &Profile) -> Self {
        let policy = &profile.policy;
        let (lockout, trip) = (Lockout::default(), TripRule::default());
        let mut carriers = [0; PREPAY_MOST_CARRIERS];
        carriers[0] = PREPAY_CARRIER_NUMERIC;
        Self {
            services: 1 << PREPAY_ELECTRICITY,
            credit_form: PREPAY_CREDIT_UNITS,
            phases: match profile.phases {
                Phases::One => 1,
                Phases::Three => 3,
            },
            tariff_register: profile.tariff_register.into(),
            set_size: profile.set_size.count(),
            carrier_count: 1,
            carriers,
            two_token_sets: policy.two_token_sets.into(),
            enforce_expiry: policy.enforce_expiry.into(),
            accepts_absent_functions: (policy.absent_function == AbsentFunction::Accept).into(),
            flags_act: policy.flags_act.into(),
            tamper_opens_switch: policy.tamper_opens_switch.into(),
            key_change_timeout_s: policy.key_change_timeout_s,
            unit_capacity_tenths: policy.unit_capacity_tenths,
            commit_every_grains: policy.commit_every_grains,
            test_zero: policy.test_zero,
            prices: policy.prices,
            low_credit: PrepayLevel::of(policy.low_credit),
            emergency_credit: PrepayLevel::of(policy.emergency_credit),
            lockout: PrepayLockout {
                enabled: policy.lockout.is_some().into(),
                free_tries: lockout.free_tries,
                reset_on_power: lockout.reset_on_power.into(),
                base_s: lockout.base_s,
                factor: lockout.factor,
                cap_s: lockout.cap_s,
            },
            trip: PrepayTrip {
                enabled: policy.trip.is_some().into(),
                resets: trip.resets,
                trip_after_s: trip.trip_after_s,
                reset_after_s: trip.reset_after_s,
                forgive_after_s: trip.forgive_after_s,
            },
        }
    }

    /// The profile for the engine.
    pub(crate) fn profile(&self) -> Result<Profile, PrepayStatus> {
        let credit = match self.credit_form {
            PREPAY_CREDIT_UNITS => CreditForm::Units,
            PREPAY_CREDIT_CURRENCY => CreditForm::Currency,
            _ => return Err(PrepayStatus::Value),
        };
        let phases = match self.phases {
            1 => Phases::One,
            3 => Phases::Three,
            _ => return Err(PrepayStatus::Value),
        };
        if self.services >> 4 != 0 {
            return Err(PrepayStatus::Value);
        }
        let mut services = [Service::Electricity; 4];
        let mut count = 0;
        for service in Service::ALL {
            if self.services >> service.index() & 1 == 1 {
                services[count] = service;
                count += 1;
            }
        }
        let mut carriers = [TokenCarrierType::NUMERIC; PREPAY_MOST_CARRIERS];
        let codes = self.carriers.get(..self.carrier_count.into()).ok_or(PrepayStatus::Value)?;
        for (place, &code) in carriers.iter_mut().zip(codes) {
            *place = carrier_of(code)?;
        }
        let mut profile = Profile::electricity(set_of(self.set_size)?);
        profile.services = Services::of(&services[..count]);
        profile.credit = credit;
        profile.phases = phases;
        profile.tariff_register = self.tariff_register != 0;
        profile.carriers = Carriers::of(&carriers[..codes.len()]);
        profile.policy = self.policy();
        Ok(profile)
    }

    fn policy(&self) -> Policy {
        let Self { lockout, trip, .. } = *self;
        Policy {
            lockout: (lockout.enabled != 0).then_some(Lockout {
                free_tries: lockout.free_tries,
                base_s: lockout.base_s,
                factor: lockout.factor,
                cap_s: lockout.cap_s,
                reset_on_power: lockout.reset_on_power != 0,
            }),
            trip: (trip.enabled != 0).then_some(TripRule {
                trip_after_s: trip.trip_after_s,
                reset_after_s: trip.reset_after_s,
                resets: trip.resets,
                forgive_after_s: trip.forgive_after_s,
            }),
            key_change_timeout_s: self.key_change_timeout_s,
            two_token_sets: self.two_token_sets != 0,
            enforce_expiry: self.enforce_expiry != 0,
            absent_function: match self.accepts_absent_functions {
                0 => AbsentFunction::Refuse,
                _ => AbsentFunction::Accept,
            },
            flags_act: self.flags_act != 0,
            tamper_opens_switch: self.tamper_opens_switch != 0,
            unit_capacity_tenths: self.unit_capacity_tenths,
            commit_every_grains: self.commit_every_grains,
            test_zero: self.test_zero,
            prices: self.prices,
            low_credit: self.low_credit.level(),
            emergency_credit: self.emergency_credit.level(),
            ..Policy::default()
        }
    }
}

impl PrepayBirth {
    /// The birth for the engine.
    ///
    /// # Safety
    ///
    /// `pan` is null or a text that ends with NUL, and `key` null or as many bytes as the algorithm takes.
    pub(crate) unsafe fn birth(&self) -> Result<Birth, PrepayStatus> {
        let mut digits = [0; 18];
        // SAFETY: the promise of the caller.
        let pan = unsafe { pointer::text(self.pan, &mut digits)? };
        let pan = valid(core::str::from_utf8(pan.ok_or(PrepayStatus::Value)?))?;
        let pan: MeterPan = valid(pan.parse())?;
        let algorithm = valid(EncryptionAlgorithm::try_from(self.algorithm))?;
        pointer::check(self.key)?;
        // SAFETY: not null; as many bytes as the algorithm takes, by the promise of the caller.
        let key = unsafe { core::slice::from_raw_parts(self.key, algorithm.key_bytes()) };
        let key_type = valid(KeyType::try_from(self.key_type))?;
        let key_revision = match self.key_revision {
            0 if key_type == KeyType::Initialization => None,
            revision => Some(valid(KeyRevisionNumber::try_from(revision))?),
        };
        let supply_group = match self.supply_group {
            PREPAY_NONE => None,
            group => Some(valid(SupplyGroupCode::try_from(group))?),
        };
        Ok(Birth {
            pan,
            key: NewKey {
                key: valid(DecoderKey::new(algorithm, key))?,
                key_type,
                key_revision,
                expiry: KeyExpiryNumber::from(self.key_expiry),
                tariff_index: valid(TariffIndex::try_from(self.tariff_index))?,
                supply_group,
            },
            remembered: self.remembered,
            manufactured: valid(TokenIdentifier::try_from(self.manufactured))?,
        })
    }
}
