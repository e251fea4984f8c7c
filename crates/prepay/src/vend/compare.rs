//! Two tariffs for customers who buy so many units in a month, at once and owing nothing.

use prepay_records::purchase::{Figure, PurchaseRecord};
use prepay_vend::{Decimal, Moment, Quote, QuoteError, Tariff};

use super::flags::CompareFlags;
use super::{invalid, read};
use crate::failure::{Done, Failure};
use crate::out::{Out, Record};

/// Prints the table.
pub(super) fn run(flags: &CompareFlags, out: &Out) -> Done<()> {
    let (old, new) = (read(&flags.old)?, read(&flags.new)?);
    if old.currency() != new.currency() || old.unit() != new.unit() {
        let message = format!(
            "expected two tariffs in the same currency and unit, found {} for {} and {} for {}",
            old.currency(),
            old.unit(),
            new.currency(),
            new.unit()
        );
        return Err(Failure::refused("field_invalid", message));
    }
    let mut rows = Vec::new();
    for &units in &flags.units {
        let before = month(&old, flags.old_date.as_deref(), units, flags)?;
        let after = month(&new, flags.new_date.as_deref(), units, flags)?;
        let more = after.tendered - before.tendered;
        let percent = (more * Decimal::ONE_HUNDRED / before.tendered).round_dp(1);
        let sign = if more > Decimal::ZERO { "+" } else { "" };
        let each = |quote: &Quote| (quote.tendered / units.0).round_dp(4).normalize();
        rows.push(
            Record::new()
                .text("units", units.0)
                .text("old", before.tendered)
                .text("new", after.tendered)
                .text("difference", format_args!("{sign}{more}"))
                .text("percent", format_args!("{sign}{percent}"))
                .text("old_per_unit", each(&before))
                .text("new_per_unit", each(&after)),
        );
    }
    out.table("customers to compare", &rows)
}

/// A month's units, bought at once. A rate that a tariff does not know is left to the other one.
fn month(tariff: &Tariff, date: Option<&str>, units: Figure, flags: &CompareFlags) -> Done<Quote> {
    let known = |name: &str| tariff.rates().any(|(known, _, _)| known == name);
    let record = PurchaseRecord {
        date: date.map(str::to_owned),
        units: Some(units),
        class: flags.class.clone().filter(|class| tariff.classes().any(|(name, _)| name == class)),
        days_since: flags.days_since,
        rates: flags.rates.iter().filter(|(name, _)| known(name)).cloned().collect(),
        ..PurchaseRecord::default()
    };
    let purchase = record.purchase(tariff, Moment::now()).map_err(invalid)?;
    let quote = tariff.quote(&purchase);
    quote.map_err(|error: QuoteError| {
        Failure::refused(error.code(), format!("{}: {error}", tariff.name()))
    })
}
