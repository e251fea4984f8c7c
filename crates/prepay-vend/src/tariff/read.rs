//! A tariff from its file: TOML, read with the place of each word, all faults at once.
//!
//! The format is in `docs/formats/tariff.md`. Figures are read as exact decimals from their text.

mod line;
mod table;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use toml::de::{DeTable, DeValue};

use super::{
    Class, Closing, DIRECTIONS, Gap, LARGEST_AMOUNT, Month, Rate, Remainder, Service, Tariff,
    UnitsFrom, Version,
};
use crate::exact::{Direction, Rounding};
use line::{ordered, read_line};
pub(crate) use table::meant;
use table::{Given, Reader, Table};

/// The longest file, in bytes.
const LONGEST: usize = 1 << 20;

const FILE: &[&str] =
    &["name", "source", "currency", "decimals", "service", "month", "class", "rate", "version"];
const MONTH: &[&str] = &["zone", "day", "hour", "rolling_days"];
const CLASS: &[&str] = &["text", "mean_to"];
const RATE: &[&str] = &["text", "value", "values"];
const RATE_VALUE: &[&str] = &["from", "value"];
const VERSION: &[&str] = &[
    "from",
    "until",
    "title",
    "minimum",
    "maximum",
    "step",
    "rounding",
    "gap",
    "debts",
    "token_step",
    "free_units",
    "terms",
    "line",
];
const ROUNDING: &[&str] =
    &["units", "units_direction", "units_from", "lines", "remainder", "price", "price_direction"];
const DEBTS: &[&str] = &["after_charges", "most_percent"];

/// A fault of a tariff file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The line of the file, from 1.
    pub line: usize,
    /// What is wrong, what was expected and found, and what may have been meant.
    pub text: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.text)
    }
}

/// What the whole file defines, while its versions are read.
struct Names {
    zone: TimeZone,
    decimals: u32,
    classes: Vec<Class>,
    rates: Vec<Rate>,
}

impl Tariff {
    /// Reads a tariff file.
    ///
    /// # Errors
    ///
    /// Every [`Fault`] of the file, by line; at least one.
    pub fn read(text: &str) -> Result<Self, Vec<Fault>> {
        if text.len() > LONGEST {
            let text = format!("expected at most {LONGEST} bytes, found {}", text.len());
            return Err(vec![Fault { line: 1, text }]);
        }
        let reader = Reader::new(text);
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            reader.fault(error.span().map_or(0, |span| span.start), error.message());
        }
        if !reader.is_clean() {
            return Err(reader.into_faults());
        }
        let tariff = read_tariff(&Table::new(&reader, root.get_ref(), 0, "the file", FILE));
        match tariff {
            Some(tariff) if reader.is_clean() => Ok(tariff),
            _ => Err(reader.into_faults()),
        }
    }
}

fn read_tariff(file: &Table<'_, '_>) -> Option<Tariff> {
    let name = file.required("name").and_then(|given| given.text());
    let source = file.get("source").and_then(|given| given.text());
    let currency = file.required("currency").and_then(|given| {
        let text = given.text()?;
        let is_code = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
        is_code.then_some(text).or_else(|| given.wrong("three capital letters, such as KES"))
    });
    let by_currency = currency.as_deref().map_or(2, decimals_of);
    let decimals = file.get("decimals").and_then(|given| given.whole(0..=4)).unwrap_or(by_currency);
    let service = file
        .get("service")
        .and_then(|given| given.word(&Service::ALL.map(|service| (service.name(), service))));
    let month =
        file.required("month").and_then(|given| read_month(&given.table("the month", MONTH)?));
    let classes: Vec<Class> =
        file.named_tables("class", "this class", CLASS).into_iter().map(read_class).collect();
    let zone = month.as_ref().map_or(TimeZone::UTC, |month| month.zone.clone());
    let rates = file
        .named_tables("rate", "this rate", RATE)
        .into_iter()
        .map(|(name, table)| read_rate(name, &table, &zone));
    let names = Names { rates: rates.collect(), zone, decimals, classes };
    let mut versions: Vec<(Version, Given<'_, '_>)> = Vec::new();
    for given in file.required("version").map_or_else(Vec::new, |given| given.list()) {
        let Some(table) = given.table("this version", VERSION) else { continue };
        let Some(version) = read_version(&table, &names) else { continue };
        versions.push((version, given));
    }
    check_dates(&mut versions);
    Some(Tariff {
        name: name?,
        source,
        currency: currency?,
        decimals,
        service: service.unwrap_or(Service::Electricity),
        month: month?,
        classes: names.classes,
        rates: names.rates,
        versions: versions.into_iter().map(|(version, _)| version).collect(),
    })
}

/// Decimal places of an amount by ISO 4217; a tariff whose receipts show others says so.
pub fn decimals_of(currency: &str) -> u32 {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX"
        | "UYI" | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        "CLF" | "UYW" => 4,
        _ => 2,
    }
}

fn read_month(table: &Table<'_, '_>) -> Option<Month> {
    let zone = table.required("zone").and_then(|given| {
        let name = given.text()?;
        let zone = TimeZone::get(&name).ok();
        zone.or_else(|| given.wrong("a zone of the IANA database, such as Africa/Nairobi"))
    });
    let day = table.get("day").and_then(|given| given.whole(1..=28)).unwrap_or(1);
    let hour = table.get("hour").and_then(|given| given.whole(0..=23)).unwrap_or(0);
    let rolling_days = table.get("rolling_days").and_then(|given| given.whole(1..=366));
    if let Some(given) = table.get("rolling_days").filter(|_| table.has("day") || table.has("hour"))
    {
        given.fault("a month of rolling_days has no day and no hour: give one or the other");
    }
    let small = |number: u32| i8::try_from(number).expect("at most 28");
    Some(Month { zone: zone?, day: small(day), hour: small(hour), rolling_days })
}

fn read_class((name, table): (&str, Table<'_, '_>)) -> Class {
    let text = table.get("text").and_then(|given| given.text()).unwrap_or_else(|| name.to_owned());
    let mean_to = table.get("mean_to").and_then(|given| given.decimal());
    Class { name: name.to_owned(), text, mean_to }
}

fn read_rate(name: &str, table: &Table<'_, '_>, zone: &TimeZone) -> Rate {
    let text = table.get("text").and_then(|given| given.text()).unwrap_or_else(|| name.to_owned());
    let mut values = Vec::new();
    if let Some(given) = table.get("value") {
        values.extend(given.decimal().map(|value| (None, value)));
        if let Some(given) = table.get("values") {
            given.fault("a rate has one value, or values with dates, not both");
        }
    }
    for given in table.get("values").map_or_else(Vec::new, |given| given.list()) {
        let Some(table) = given.table("this value", RATE_VALUE) else { continue };
        let from = table.required("from").and_then(|given| moment(&given, zone));
        let value = table.required("value").and_then(|given| given.decimal());
        let (Some(from), Some(value)) = (from, value) else { continue };
        if values.last().is_some_and(|&(last, _)| last >= Some(from)) {
            given.fault("expected a later date than that of the value before it");
        }
        values.push((Some(from), value));
    }
    Rate { name: name.to_owned(), text, values }
}

/// A date, from its first moment in the zone, or a date and a time.
fn moment(given: &Given<'_, '_>, zone: &TimeZone) -> Option<Timestamp> {
    let DeValue::Datetime(found) = given.value() else {
        return given.wrong(
            "a date without quotes, such as 2024-01-31, or with a time: 2024-01-31T14:00:00",
        );
    };
    let text = found.to_string();
    let civil = || {
        let date = text.parse::<Date>().map(|date| date.at(0, 0, 0, 0));
        zone.to_timestamp(date.or_else(|_| text.parse::<DateTime>()).ok()?).ok()
    };
    let found = if found.offset.is_some() { text.parse().ok() } else { civil() };
    found.or_else(|| given.wrong("a date, such as 2024-01-31"))
}

fn read_version(table: &Table<'_, '_>, names: &Names) -> Option<Version> {
    let from = table.required("from").and_then(|given| moment(&given, &names.zone));
    let until = table.get("until").and_then(|given| moment(&given, &names.zone));
    if let (Some(from), Some(until), Some(given)) = (from, until, table.get("until"))
        && until <= from
    {
        given.fault("expected an end after the start");
    }
    let money = |word| table.get(word).and_then(|given| given.money(names.decimals));
    let (minimum, maximum) = (money("minimum"), money("maximum"));
    if minimum.is_some_and(|least| maximum.is_some_and(|most| most < least)) {
        table.fault_at("maximum", "the maximum is less than the minimum");
    }
    let smallest = Decimal::new(1, names.decimals);
    let step = money("step").unwrap_or(smallest);
    if step < smallest {
        table.fault_at("step", "expected a step above zero");
    }
    let rounding =
        table.required("rounding").and_then(|given| given.table("the rounding", ROUNDING))?;
    let default = rounding.get("lines").and_then(|given| given.word(&DIRECTIONS));
    let default = Rounding { step: smallest, direction: default.unwrap_or(Direction::HalfUp) };
    let mut lines = Vec::new();
    let mut places = Vec::new();
    for given in table.required("line").map_or_else(Vec::new, |given| given.list()) {
        let Some(line) = given.table("this line", line::LINE) else { continue };
        if let Some(read) = read_line(&line, names, default) {
            lines.push(read);
            places.push(line);
        }
    }
    let written = table.get("line").map_or_else(Vec::new, |given| given.members_named("name"));
    let order = ordered(&mut lines, &places, names, &written);
    let rounding = read_rounding(&rounding, &lines);
    let gap = table.get("gap").and_then(|given| {
        given.word(&[("refuse", Gap::Refuse), ("change", Gap::Change), ("carry", Gap::Carry)])
    });
    let debts = table.get("debts").and_then(|given| given.table("the debts", DEBTS));
    let debt = |word| debts.as_ref().and_then(|debts| debts.get(word));
    let free_units = table.get("free_units").and_then(|given| line::value(&given, names));
    let rounding = rounding?;
    for (line, place) in lines.iter().zip(&places).filter(|_| rounding.price.is_some()) {
        let super::Rule::Percent { of, .. } = &line.rule else { continue };
        let is_taken_off = |base: &super::Base| {
            base.is_negative || base.lines.iter().flatten().any(|&line| lines[line].is_rebate)
        };
        if of.iter().any(is_taken_off) {
            let text = "takes something off, which goes with exact prices: leave out `price` in the rounding";
            place.fault_at("of", format!("{:?} {text}", line.name));
        }
    }
    if let Remainder::Line(index) = rounding.remainder {
        for (line, place) in lines.iter().zip(&places) {
            let super::Rule::Percent { of, .. } = &line.rule else { continue };
            let is_last = of
                .iter()
                .flat_map(|base| base.lines.iter().flatten())
                .any(|&base| lines[base].name == lines[index].name);
            if line.of_printed && is_last && rounding.units_from != UnitsFrom::UnitsFirst {
                let text = "takes the remainder, so it is printed last: nothing is a share of it";
                place.fault_at("of_printed", format!("{:?} {text}", lines[index].name));
            }
        }
    }
    Some(Version {
        from: from?,
        until,
        title: table.get("title").and_then(|given| given.text()).unwrap_or_default(),
        minimum,
        maximum,
        step,
        rounding,
        gap: gap.unwrap_or(Gap::Change),
        debts_after_charges: debt("after_charges").and_then(|given| given.truth()).unwrap_or(false),
        debts_most_percent: debt("most_percent").and_then(|given| given.above_zero()),
        token_step: table.get("token_step").and_then(|given| given.above_zero()),
        free_units,
        terms: table.get("terms").map_or_else(Vec::new, |given| {
            given.list().iter().filter_map(|term| term.text()).collect()
        }),
        lines,
        order: order?,
    })
}

fn read_rounding(table: &Table<'_, '_>, lines: &[super::Line]) -> Option<Closing> {
    let direction = |word| table.get(word).and_then(|given| given.word(&DIRECTIONS));
    let step = table.required("units").and_then(|given| given.above_zero());
    let units_direction = match table.required("units_direction") {
        Some(given) => given.word(&DIRECTIONS),
        None => None,
    };
    let units_from = table.get("units_from").map_or(Some(UnitsFrom::Exact), |given| {
        given.word(&[
            ("exact", UnitsFrom::Exact),
            ("energy", UnitsFrom::Energy),
            ("units_first", UnitsFrom::UnitsFirst),
        ])
    });
    let price = table.get("price").and_then(|given| given.above_zero());
    let price = price.map(|step| Rounding {
        step,
        direction: direction("price_direction").unwrap_or(Direction::HalfUp),
    });
    let remainder = table.required("remainder").and_then(|given| {
        let word = given.text()?;
        Some(match word.as_str() {
            "change" => Remainder::Change,
            "carry" => Remainder::Carry,
            "rounding" => Remainder::RoundingLine,
            name => match lines.iter().position(|line| line.name == name && !line.on_top) {
                Some(index) => Remainder::Line(index),
                None => {
                    let names = lines.iter().map(|line| line.name.as_str());
                    return given.unknown("line", names.chain(["change", "carry", "rounding"]));
                }
            },
        })
    });
    let closing = Closing {
        units: Rounding { step: step?, direction: units_direction? },
        units_from: units_from?,
        remainder: remainder?,
        price,
    };
    if closing.units_from != UnitsFrom::UnitsFirst
        && matches!(closing.remainder, Remainder::Change | Remainder::Carry)
    {
        table.fault_at(
            "remainder",
            "change and carry need units_from = \"units_first\": otherwise the lines leave nothing",
        );
    }
    Some(closing)
}

/// Sorts out the order of versions, and finds gaps and overlaps.
fn check_dates(versions: &mut [(Version, Given<'_, '_>)]) {
    let mut starts = BTreeMap::new();
    for (version, given) in versions.iter() {
        if let Some(line) = starts.insert(version.from, given.line()) {
            given.fault(format!("two versions begin on one day: the other is on line {line}"));
        }
    }
    versions.sort_by_key(|(version, _)| version.from);
    for pair in versions.windows(2) {
        let [(early, given), (late, _)] = pair else { unreachable!("windows of two") };
        let fault = match early.until.map_or(Ordering::Equal, |until| until.cmp(&late.from)) {
            Ordering::Less => "a gap: the next version begins after this one ends",
            Ordering::Greater => "an overlap: the next version begins before this one ends",
            Ordering::Equal => continue,
        };
        given.fault(format!("{fault}; leave out `until`, or change a date"));
    }
}

/// Whether an amount is within what any quote takes.
fn is_amount(value: Decimal) -> bool {
    value.mantissa().abs() <= LARGEST_AMOUNT
}
