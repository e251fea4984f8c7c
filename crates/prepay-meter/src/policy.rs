//! What the standard leaves to the maker or the utility, or what its public sources leave open.
//!
//! Each field is one decision, with its default and the reason for it. A meter's policy is part of its
//! firmware: it is not stored with the state, and no token changes it.
//!
//! | field | default |
//! |---|---|
//! | `lockout` | none |
//! | `key_change_timeout_s` | 600 |
//! | `transitions` | the matrix of [`KeyTransitions`] |
//! | `two_token_sets` | a meter for sets of three also accepts sets of two |
//! | `enforce_expiry` | yes |
//! | `reserved_identifiers` | like others |
//! | `other_length_tests` | accepted |
//! | `unit_capacity_tenths` | 99 999 999 |
//! | `currency_capacity`, `currency_debt` | 999 999 990 000 each |
//! | `absent_register` | function error |
//! | `absent_function` | refuse |
//! | `unknown_extended` | function error |
//! | `functions` | all |
//! | `flags_act` | no |
//! | `tamper_opens_switch` | yes |
//! | `trip` | [`TripRule`]'s default |
//! | `low_credit` | 10 units |
//! | `emergency_credit` | none |
//! | `prices` | one currency unit for each service unit |
//! | `commit_every_grains` | a tenth of a unit |
//! | `test_zero` | tests 2 to 5 |

use prepay_token::key::KeyTransitions;

use crate::credit::{CreditLevel, GRAINS_PER_TENTH};
use crate::lockout::Lockout;
use crate::trip::TripRule;

/// Every decision that the standard leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Refusing all tokens but tests for a while after wrong ones. Default: none. It is a practice of
    /// makers, not of the standard's application layer.
    pub lockout: Option<Lockout>,

    /// How long sections of a new key are held, in seconds from the first. Default: 600; makers use 90 to 600,
    /// and no public source gives a figure from the standard.
    pub key_change_timeout_s: u32,

    /// Which key type may follow which. Default: see [`KeyTransitions`], three cells of which rest on a
    /// single source.
    pub transitions: KeyTransitions,

    /// Whether a meter for sets of three also accepts sets of two. Default: yes, since the bit 3KCT exists to
    /// tell the two apart. After a set of two the supply group is unknown. A meter for sets of two always
    /// refuses those of three, and one for sets of four takes nothing else.
    pub two_token_sets: bool,

    /// Whether the meter enforces the key expiry number. Default: yes; it is optional in a meter.
    pub enforce_expiry: bool,

    /// How to treat tokens with an identifier of the reserved minute 00:01. Default: like others; the purpose
    /// of these tokens is not public.
    pub reserved_identifiers: ReservedIdentifiers,

    /// Whether a test in the form for manufacturer codes of the other length (two digits, four digits) is
    /// carried out. Default: yes; a meter must take its own form and may take the other. The code itself
    /// must be zero then, since codes of different length are different codes.
    pub other_length_tests: bool,

    /// The most that a register of units holds, in tenths. Default: 99 999 999 (9 999 999.9 units).
    pub unit_capacity_tenths: u32,

    /// The most that a register of money holds, in 10⁻⁵ of the base currency unit. Default:
    /// 999 999 990 000 (9 999 999.9 currency units).
    pub currency_capacity: u64,

    /// How far tokens may lower a register of money below zero, in 10⁻⁵ of the base currency unit. A token
    /// that goes further is an overflow. Default: as far as it holds credit.
    pub currency_debt: u64,

    /// The answer to a ClearCredit for a register that the meter does not have. Default: a function error, as
    /// for credit to that register.
    pub absent_register: AbsentRegister,

    /// The answer to a token that sets what the meter does not have: a power limit without electricity, a phase
    /// unbalance limit on one phase, a tariff rate without a register for it, a water meter factor without water.
    /// Default: a function error.
    pub absent_function: AbsentFunction,

    /// The answer to an extended token for an unknown flag or control. Default: a function error.
    pub unknown_extended: UnknownExtended,

    /// Which functions of management the meter's firmware has. Default: all; the profile then decides which of
    /// them the meter needs (see `absent_function`). The standard reserves what tariff rate and water meter
    /// factor mean; they are stored and shown, and nothing depends on them.
    pub functions: Functions,

    /// Whether the flags 1 to 4 and 6 to 9 act on the switch (see [`ExtendedTable`](crate::ExtendedTable)).
    /// Default: no, since which value means what is inferred from their names.
    pub flags_act: bool,

    /// Whether the switches open on tamper, until a token clears the condition. Default: yes.
    pub tamper_opens_switch: bool,

    /// What happens above the power limits. Default: trip and close again (see [`TripRule`]); the action is
    /// by agreement. With none, limits are stored and shown only.
    pub trip: Option<TripRule>,

    /// The meter warns when the credit is at or below this. Default: 10 units of the service or of the
    /// currency.
    pub low_credit: Option<CreditLevel>,

    /// How far credit may fall below zero once the customer has asked for it. Default: not at all.
    pub emergency_credit: Option<CreditLevel>,

    /// For meters that count money: the price of one service unit in 10⁻⁵ of the base currency unit, by
    /// service in the order of their sub-classes. Default: 100 000 each, a project default for trials.
    pub prices: [u32; 4],

    /// How much may be consumed before it must be stored, in grains (3 600 000 per unit). Default: 360 000, a
    /// tenth of a unit. A power failure gives back less than this; a smaller value wears the storage more.
    pub commit_every_grains: u64,

    /// The tests that test 0 runs, bit `n - 1` for test `n`. Default: 2 to 5, which every meter must carry out;
    /// a maker may add others.
    pub test_zero: u64,
}

/// How to treat tokens whose identifier is a reserved minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReservedIdentifiers {
    /// They are executed and remembered like all others.
    LikeOthers,
    /// They are a range error.
    Refuse,
}

/// The answer to a ClearCredit for a register that the meter does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AbsentRegister {
    /// A function error.
    FunctionError,
    /// A range error.
    RangeError,
    /// It is accepted, and clears nothing.
    Accept,
}

/// The answer to a token that sets what the meter does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AbsentFunction {
    /// A function error.
    Refuse,
    /// It is accepted; the value is stored and shown.
    Accept,
}

/// The answer to an extended token for an unknown flag or control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownExtended {
    /// A function error.
    FunctionError,
    /// A range error.
    RangeError,
}

/// The management functions that a meter may lack. Clearing of credit and of tamper is always there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Functions {
    /// SetMaximumPowerLimit.
    pub power_limit: bool,
    /// SetMaximumPhasePowerUnbalanceLimit; only meters of several phases need it.
    pub phase_unbalance_limit: bool,
    /// SetTariffRate.
    pub tariff_rate: bool,
    /// SetWaterMeterFactor.
    pub water_factor: bool,
    /// The extended token set, writing and reading.
    pub extended: bool,
}

impl Functions {
    /// All of them.
    pub const ALL: Self = Self {
        power_limit: true,
        phase_unbalance_limit: true,
        tariff_rate: true,
        water_factor: true,
        extended: true,
    };
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            lockout: None,
            key_change_timeout_s: 600,
            transitions: KeyTransitions::default(),
            two_token_sets: true,
            enforce_expiry: true,
            reserved_identifiers: ReservedIdentifiers::LikeOthers,
            other_length_tests: true,
            unit_capacity_tenths: 99_999_999,
            currency_capacity: 999_999_990_000,
            currency_debt: 999_999_990_000,
            absent_register: AbsentRegister::FunctionError,
            absent_function: AbsentFunction::Refuse,
            unknown_extended: UnknownExtended::FunctionError,
            functions: Functions::ALL,
            flags_act: false,
            tamper_opens_switch: true,
            trip: Some(TripRule::default()),
            low_credit: Some(CreditLevel { tenths: 100, hundred_thousandths: 1_000_000 }),
            emergency_credit: None,
            prices: [100_000; 4],
            commit_every_grains: GRAINS_PER_TENTH as u64,
            test_zero: 0b1_1110,
        }
    }
}
