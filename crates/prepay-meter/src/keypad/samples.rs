//! The codes and words that come with the crate: the project's own, and samples from public manuals.
//!
//! **Samples are not complete, not issued by the makers named, and may not suit a given model.** The files of
//! `data/` mark the evidence for each entry and match these constants; a test compares them. They also list, as
//! unserved, the codes of a maker for values that this meter does not keep.
//!
//! - Source: the files; their form is `docs/formats/keypad-data.md`.

use prepay_token::element::Service::{Electricity, Gas, Time, Water};

use crate::keypad::words::ResultWords;
use crate::register::Register;
use crate::short_code::CodeTarget::{Show, StartEmergency};
use crate::short_code::{CodeSyntax, CodeTarget, ShortCodeMap};

/// This project's own words, each result its own.
pub const WORDS_PROJECT: ResultWords<'static> = words(
    [
        "accept",   // accept
        "key 1",    // first_kct
        "key 2",    // second_kct
        "full",     // overflow_error
        "key type", // key_type_error
        "format",   // format_error
        "range",    // range_error
        "function", // function_error
        "old",      // old_error
        "used",     // used_error
        "expired",  // key_expired_error
        "default",  // ddtk_error
        "reject",   // crc_error
        "maker",    // mfr_code_error
        "lockout",  // lockout
        "wait",     // not_ready
        "key 3",    // third_kct
        "key 4",    // fourth_kct
    ],
    "no code",
    "fault",
);

/// Sample: words that the manuals of several makers share.
pub const WORDS_DE_FACTO: ResultWords<'static> = words(
    [
        "accEPt",  // accept
        "accEPt",  // first_kct
        "accEPt",  // second_kct
        "rEJEct",  // overflow_error
        "rEJEct",  // key_type_error
        "rEJEct",  // format_error
        "rEJEct",  // range_error
        "rEJEct",  // function_error
        "OLd",     // old_error
        "USEd",    // used_error
        "rEJEct",  // key_expired_error
        "rEJEct",  // ddtk_error
        "rEJEct",  // crc_error
        "rEJEct",  // mfr_code_error
        "Loc Out", // lockout
        "bUSy",    // not_ready
        "accEPt",  // third_kct
        "accEPt",  // fourth_kct
    ],
    "rEJEct",
    "FAIL",
);

/// Sample: the three numbers known of some Itron meters; the other words are this project's.
pub const WORDS_ITRON: ResultWords<'static> = words(
    [
        "accept",   // accept
        "key 1",    // first_kct
        "key 2",    // second_kct
        "EEEEE 04", // overflow_error
        "key type", // key_type_error
        "format",   // format_error
        "range",    // range_error
        "function", // function_error
        "old",      // old_error
        "used",     // used_error
        "expired",  // key_expired_error
        "default",  // ddtk_error
        "EEEEE 13", // crc_error
        "maker",    // mfr_code_error
        "lockout",  // lockout
        "wait",     // not_ready
        "key 3",    // third_kct
        "key 4",    // fourth_kct
    ],
    "no code",
    "EEEEE 02",
);

/// This project's own codes: the register number in three digits, `nnn#` or `#nnn#`.
pub const CODES_PROJECT: ShortCodeMap<'static> = codes(
    CodeSyntax::Either,
    &[
        ("000", Show(Register::MeterNumber)),
        ("001", Show(Register::Power)),
        ("002", Show(Register::Credit(Electricity))),
        ("012", Show(Register::LowCreditThreshold)),
        ("048", Show(Register::SoftwareVersion)),
        ("055", Show(Register::LastCreditIdentifier)),
        ("056", Show(Register::LastCreditAmount)),
        ("057", Show(Register::KeyRevisionAndType)),
        ("058", Show(Register::TariffIndex)),
        ("060", Show(Register::SupplyGroup)),
        ("061", Show(Register::Total(Electricity))),
        ("078", Show(Register::TokenResult)),
        ("401", Show(Register::Credit(Water))),
        ("402", Show(Register::Credit(Gas))),
        ("403", Show(Register::Credit(Time))),
        ("410", Show(Register::CurrencyCredit(Electricity))),
        ("411", Show(Register::CurrencyCredit(Water))),
        ("412", Show(Register::CurrencyCredit(Gas))),
        ("413", Show(Register::CurrencyCredit(Time))),
        ("421", Show(Register::Total(Water))),
        ("422", Show(Register::Total(Gas))),
        ("423", Show(Register::Total(Time))),
        ("430", Show(Register::KeyExpiry)),
        ("431", Show(Register::Algorithm)),
        ("432", Show(Register::KeyChangeTokens)),
        ("433", Show(Register::MaximumPowerLimit)),
        ("434", Show(Register::PhaseUnbalanceLimit)),
        ("435", Show(Register::TariffRate)),
        ("436", Show(Register::WaterFactor)),
        ("437", Show(Register::Tamper)),
        ("440", Show(Register::Switch(Electricity))),
        ("441", Show(Register::Switch(Water))),
        ("442", Show(Register::Switch(Gas))),
        ("443", Show(Register::Switch(Time))),
        ("450", Show(Register::LockoutRemaining)),
        ("900", StartEmergency(Electricity)),
        ("901", StartEmergency(Water)),
        ("902", StartEmergency(Gas)),
        ("903", StartEmergency(Time)),
    ],
);

/// Sample: Hexing.
pub const CODES_HEXING: ShortCodeMap<'static> = codes(
    CodeSyntax::DigitsEnter,
    &[
        ("801", Show(Register::Credit(Electricity))),
        ("804", Show(Register::MeterNumber)),
        ("806", Show(Register::Switch(Electricity))),
        ("811", StartEmergency(Electricity)),
        ("817", Show(Register::LastCreditAmount)),
        ("869", Show(Register::MaximumPowerLimit)),
        ("889", Show(Register::LastCreditIdentifier)),
    ],
);

/// Sample: Linyang.
pub const CODES_LINYANG: ShortCodeMap<'static> = codes(
    CodeSyntax::DigitsEnter,
    &[
        ("007", Show(Register::MaximumPowerLimit)),
        ("008", Show(Register::Switch(Electricity))),
        ("011", Show(Register::LastCreditIdentifier)),
        ("019", Show(Register::Credit(Electricity))),
        ("100", Show(Register::MeterNumber)),
        ("200", Show(Register::LastCreditAmount)),
        ("809", StartEmergency(Electricity)),
    ],
);

/// Sample: Inhe single-phase.
pub const CODES_INHE: ShortCodeMap<'static> = codes(
    CodeSyntax::DigitsEnter,
    &[
        ("00", Show(Register::Credit(Electricity))),
        ("19", Show(Register::MaximumPowerLimit)),
        ("30", Show(Register::MeterNumber)),
        ("31", Show(Register::LastCreditAmount)),
        ("52", Show(Register::LastCreditIdentifier)),
        ("89898686", StartEmergency(Electricity)),
    ],
);

/// Sample: Eastern.
pub const CODES_EASTERN: ShortCodeMap<'static> = codes(
    CodeSyntax::DigitsEnter,
    &[
        ("004", Show(Register::MaximumPowerLimit)),
        ("010", Show(Register::Credit(Electricity))),
        ("011", Show(Register::MeterNumber)),
        ("041", Show(Register::Switch(Electricity))),
        ("050", Show(Register::LastCreditAmount)),
        ("090", Show(Register::LastCreditIdentifier)),
        ("13501", StartEmergency(Electricity)),
    ],
);

/// Sample: Landis+Gyr Cashpower.
pub const CODES_LANDIS_GYR: ShortCodeMap<'static> = codes(
    CodeSyntax::InfoFirst { digits: 3 },
    &[
        ("000", Show(Register::MeterNumber)),
        ("001", Show(Register::Power)),
        ("002", Show(Register::Credit(Electricity))),
        ("012", Show(Register::LowCreditThreshold)),
        ("048", Show(Register::SoftwareVersion)),
        ("055", Show(Register::LastCreditIdentifier)),
        ("056", Show(Register::LastCreditAmount)),
        ("057", Show(Register::KeyRevisionAndType)),
        ("058", Show(Register::TariffIndex)),
        ("060", Show(Register::SupplyGroup)),
        ("061", Show(Register::Total(Electricity))),
    ],
);

/// Sample: Conlog.
pub const CODES_CONLOG: ShortCodeMap<'static> = codes(
    CodeSyntax::Enclosed,
    &[("078", Show(Register::TokenResult)), ("100", Show(Register::MeterNumber))],
);

/// Sample: Wasion.
pub const CODES_WASION: ShortCodeMap<'static> =
    codes(CodeSyntax::DigitsEnter, &[("75", Show(Register::MeterNumber))]);

const fn words(
    results: [&'static str; 18],
    code_refused: &'static str,
    fault: &'static str,
) -> ResultWords<'static> {
    match ResultWords::new(results, code_refused, fault) {
        Ok(words) => words,
        Err(_) => panic!("a word of a constant is wrong"),
    }
}

const fn codes(
    syntax: CodeSyntax,
    entries: &'static [(&'static str, CodeTarget)],
) -> ShortCodeMap<'static> {
    match ShortCodeMap::new(syntax, entries) {
        Ok(codes) => codes,
        Err(_) => panic!("a code of a constant is wrong"),
    }
}
