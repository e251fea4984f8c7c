//! The shape of a line of `meter script`: which fields there are, not what they mean.
//!
//! - Elsewhere: how records are read (`prepay_records`), what a profile means (`profile.rs`).

use prepay_records::json::Texts;
use prepay_records::{Choice, Raw, RecordError, Scalar, choices, record};
use serde_json::value::RawValue;

use crate::request::KeySource;

choices! {
    /// The operations, with the fields that each takes beside `id`, `op` and `meter`.
    pub enum MeterOperation (
        "new, enter, enter_binary, result, advance, consume, tamper, restart, power_cut, state or key"
    ) {
        /// Makes a meter.
        New = "new" [
            "pan", "ea", "key", "services", "currency", "phases", "tariff_register", "kct", "tct",
            "manufactured_at", "manufactured_tid", "tids", "policy",
        ],
        /// Enters a token by its digits.
        Enter = "enter" ["digits", "carrier", "wait"],
        /// Enters a token by its bytes.
        EnterBinary = "enter_binary" ["octets", "carrier", "wait"],
        /// Finishes a token that was entered without waiting.
        Result = "result" [],
        /// Lets time pass.
        Advance = "advance" ["seconds"],
        /// Lets time pass under a load.
        Consume = "consume" ["watts", "seconds"],
        /// Simulates tampering.
        Tamper = "tamper" [],
        /// Switches the power off and on.
        Restart = "restart" [],
        /// Interrupts the power while a token is entered.
        PowerCut = "power_cut" ["digits", "after_writes"],
        /// Shows the state of the meter.
        State = "state" [],
        /// Presses keys.
        Key = "key" ["press"],
    }
}

record! {
    /// One line.
    pub MeterRequest (3),
    /// Echoed in the answer: a string or a number.
    id ("id"): &'de RawValue,
    /// What is to be done.
    op ("op"): Choice<'de, MeterOperation>,
    /// The name of the meter.
    meter ("meter"): Scalar<'de>,
    /// `new`: its number.
    pan ("pan"): Scalar<'de>,
    /// `new`: its encryption algorithm.
    ea ("ea"): Scalar<'de>,
    /// `new`: its first key.
    key ("key"): KeySource<'de>,
    /// `new`: what it meters.
    services ("services"): Texts,
    /// `new`: whether it counts money.
    currency ("currency"): Scalar<'de>,
    /// `new`: how many phases its electricity has.
    phases ("phases"): Scalar<'de>,
    /// `new`: whether it has a register for the tariff rate.
    tariff_register ("tariff_register"): Scalar<'de>,
    /// `new`: the largest set of key change tokens.
    kct ("kct"): Scalar<'de>,
    /// `new`: its carriers.
    tct ("tct"): Texts,
    /// `new`: when it was made.
    manufactured_at ("manufactured_at"): Scalar<'de>,
    /// `new`: the identifier of when it was made, instead.
    manufactured_tid ("manufactured_tid"): Scalar<'de>,
    /// `new`: how many identifiers it remembers.
    tids ("tids"): Scalar<'de>,
    /// `new`: the decisions that are not the standard's.
    policy ("policy"): Raw<'de>,
    /// `enter`, `power_cut`: the token.
    digits ("digits"): Scalar<'de>,
    /// `enter_binary`: the token.
    bytes ("octets"): Scalar<'de>,
    /// `enter`, `enter_binary`: how the token came.
    carrier ("carrier"): Scalar<'de>,
    /// `enter`, `enter_binary`: whether the answer waits for the result.
    wait ("wait"): Scalar<'de>,
    /// `advance`, `consume`: how much time passes.
    seconds ("seconds"): Scalar<'de>,
    /// `consume`: the load.
    watts ("watts"): Scalar<'de>,
    /// `power_cut`: how much is still written.
    after_writes ("after_writes"): Scalar<'de>,
    /// `key`: the keys.
    press ("press"): Scalar<'de>,
}

record! {
    /// What a file of a meter holds.
    pub FileRecord (3),
    /// What the meter meters.
    services ("services"): Texts,
    /// Whether it counts money.
    currency ("currency"): Scalar<'de>,
    /// How many phases its electricity has.
    phases ("phases"): Scalar<'de>,
    /// Whether it has a register for the tariff rate.
    tariff_register ("tariff_register"): Scalar<'de>,
    /// The largest set of key change tokens.
    kct ("kct"): Scalar<'de>,
    /// Its carriers.
    tct ("tct"): Texts,
    /// The decisions that are not the standard's.
    policy ("policy"): Raw<'de>,
    /// Its encryption algorithm.
    ea ("ea"): Scalar<'de>,
    /// Its clock.
    clock_s ("clock_s"): Scalar<'de>,
    /// The sections of a key change that it holds.
    pending ("pending"): Raw<'de>,
    /// What else it holds in memory; files of version 1 lack it.
    memory ("memory"): Raw<'de>,
    /// The first slot of its storage.
    slot_a ("slot_a"): Scalar<'de>,
    /// The second slot of its storage.
    slot_b ("slot_b"): Scalar<'de>,
}

record! {
    /// The decisions that are not the standard's, as switches.
    pub PolicyRecord (2),
    /// True, false or the parameters of a lockout.
    lockout ("lockout"): Raw<'de>,
    /// How long sections are held.
    key_change_timeout_s ("key_change_timeout_s"): Scalar<'de>,
    /// Which key type may follow which.
    transitions ("transitions"): Texts,
    /// Whether sets of two are taken by a meter for sets of three.
    two_token_sets ("two_token_sets"): Scalar<'de>,
    /// Whether the key expiry number is obeyed.
    enforce_expiry ("enforce_expiry"): Scalar<'de>,
    /// What becomes of reserved identifiers.
    reserved_identifiers ("reserved_identifiers"): Scalar<'de>,
    /// Whether tests of the other form are carried out.
    other_length_tests ("other_length_tests"): Scalar<'de>,
    /// The most that a register of units holds.
    unit_capacity ("unit_capacity"): Scalar<'de>,
    /// The most that a register of money holds.
    currency_capacity ("currency_capacity"): Scalar<'de>,
    /// How far tokens may lower it below zero.
    currency_debt ("currency_debt"): Scalar<'de>,
    /// What clearing of an absent register is.
    absent_register ("absent_register"): Scalar<'de>,
    /// What a value is for something that the meter does not have.
    absent_function ("absent_function"): Scalar<'de>,
    /// What an unknown flag or control is.
    unknown_extended ("unknown_extended"): Scalar<'de>,
    /// The functions of management.
    functions ("functions"): Texts,
    /// Whether flags act on the switch.
    flags_act ("flags_act"): Scalar<'de>,
    /// Whether tamper opens the switch.
    tamper_opens_switch ("tamper_opens_switch"): Scalar<'de>,
    /// True, false or the parameters of tripping.
    trip ("trip"): Raw<'de>,
    /// Below which credit the meter warns; false for never.
    low_credit ("low_credit"): Scalar<'de>,
    /// How far credit may fall below zero; false for not at all.
    emergency_credit ("emergency_credit"): Scalar<'de>,
    /// What a unit costs, by service.
    prices ("prices"): PriceRecord<'de>,
    /// What test 0 stands for.
    test_zero ("test_zero"): Raw<'de>,
}

record! {
    /// The parameters of a lockout.
    pub LockoutRecord (0),
    /// The failure that locks first.
    free_tries ("free_tries"): Scalar<'de>,
    /// For how long.
    base_s ("base_s"): Scalar<'de>,
    /// By how much each further failure lengthens it.
    factor ("factor"): Scalar<'de>,
    /// The longest time.
    cap_s ("cap_s"): Scalar<'de>,
    /// Whether loss of power sets it back.
    reset_on_power ("reset_on_power"): Scalar<'de>,
}

record! {
    /// The parameters of tripping.
    pub TripRecord (0),
    /// For how long the load must exceed a limit.
    trip_after_s ("trip_after_s"): Scalar<'de>,
    /// For how long the switch then stays open.
    reset_after_s ("reset_after_s"): Scalar<'de>,
    /// How often it closes again.
    resets ("resets"): Scalar<'de>,
    /// After how long repetitions are forgotten.
    forgive_after_s ("forgive_after_s"): Scalar<'de>,
}

record! {
    /// What a unit costs, by service.
    pub PriceRecord (0),
    /// A kilowatt-hour.
    electricity ("electricity"): Scalar<'de>,
    /// A cubic metre of water.
    water ("water"): Scalar<'de>,
    /// A cubic metre of gas.
    gas ("gas"): Scalar<'de>,
    /// A minute.
    time ("time"): Scalar<'de>,
}

impl MeterRequest<'_> {
    /// The first thing that is wrong with the shape of what has not been looked into.
    pub(crate) fn inner_defect(&self) -> Option<RecordError> {
        self.key.as_ref().and_then(|key| key.defect("key")).or_else(|| {
            PolicyRecord::read(self.policy?.text()).defect.map(|defect| defect.of("policy"))
        })
    }
}
