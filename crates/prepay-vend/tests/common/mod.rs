//! What tests of tariffs share: the tariffs of `vectors/tariffs`, and quotes from records.

#![allow(dead_code, reason = "each test program uses its own part")]

use std::collections::BTreeMap;
use std::fs;

use prepay_records::purchase::PurchaseRecord;
use prepay_vend::{Decimal, LineKind, Quote, Tariff};

pub(crate) fn decimal(text: &str) -> Decimal {
    prepay_vend::read_decimal(text).unwrap_or_else(|| panic!("{text} is no number"))
}

/// Every tariff, by the name of its file.
pub(crate) fn tariffs() -> BTreeMap<String, Tariff> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/tariffs");
    let mut tariffs = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        tariffs.insert(name.clone(), read(&name, &fs::read_to_string(&path).unwrap()));
    }
    tariffs
}

pub(crate) fn read(name: &str, text: &str) -> Tariff {
    Tariff::read(text).unwrap_or_else(|faults| {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        panic!("{name}:\n{}", faults.join("\n"))
    })
}

pub(crate) fn quote(tariff: &Tariff, record: &PurchaseRecord) -> Result<Quote, String> {
    let purchase = record.purchase(tariff, "2026-01-01T00:00:00Z".parse().unwrap())?;
    tariff.quote(&purchase).map_err(|error| error.to_string())
}

/// The sum of the lines that count.
pub(crate) fn sum(quote: &Quote) -> Decimal {
    let counts = |kind| !matches!(kind, LineKind::FreeUnits | LineKind::Commission);
    quote.lines.iter().filter(|line| counts(line.kind)).map(|line| line.amount).sum()
}
