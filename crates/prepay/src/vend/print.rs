//! A quote for people.

use std::io::{self, Write};

use prepay_vend::{Decimal, Explained, LineKind, Quote, QuoteLine, Tariff};

use crate::paint::{HEADING, QUIET, RESULT, styled};

/// The width of the bar of a whole purchase, in characters.
const BAR: u32 = 40;

/// What a line says beside its amount.
fn remark(line: &QuoteLine, unit: &str) -> String {
    let mut remarks = Vec::new();
    match (line.units, line.unit_price, line.kind) {
        (Some(units), Some(price), _) => remarks.push(format!("{units} {unit} at {price}")),
        (Some(units), None, LineKind::FreeUnits | LineKind::CarriedIn | LineKind::CarriedOut) => {
            remarks.push(format!("{units} {unit}"));
        }
        _ => {}
    }
    if let Some(rate) = line.rate {
        remarks.push(
            line.base.map_or_else(|| format!("{rate} %"), |base| format!("{rate} % of {base}")),
        );
    }
    if let Some(balance) = line.debt_balance {
        remarks.push(format!("{balance} still owed"));
    }
    if let Some(payee) = &line.payee {
        remarks.push(format!("for {payee}"));
    }
    remarks.join(", ")
}

/// Prints a quote as a table of its lines.
pub(super) fn quote(tariff: &Tariff, quote: &Quote, out: &mut dyn Write) -> io::Result<()> {
    let (unit, currency) = (tariff.unit(), tariff.currency());
    writeln!(
        out,
        "{}",
        styled(RESULT, format_args!("{} {currency} buys {} {unit}", quote.amount, quote.units))
    )?;
    if quote.token_units != quote.units {
        writeln!(out, "the token carries {} {unit}", quote.token_units)?;
    }
    let of_steps =
        |line: &QuoteLine| line.steps.iter().filter(|step| !step.units.is_zero()).count() > 1;
    let width =
        quote.lines.iter().map(|line| line.description.chars().count()).max().unwrap_or(0).max(5);
    let figures = quote.lines.iter().map(|line| line.amount.to_string().len());
    let figures = figures.chain([quote.tendered.to_string().len()]).max().unwrap_or(0);
    for line in &quote.lines {
        let text = format!("  {:width$}  {:>figures$}", line.description, line.amount.to_string());
        match remark(line, unit) {
            remark if remark.is_empty() => writeln!(out, "{text}")?,
            remark => writeln!(out, "{text}   {}", styled(QUIET, remark))?,
        }
        for step in line.steps.iter().filter(|step| of_steps(line) && !step.units.is_zero()) {
            let text = format!("{} {unit} at {}: {}", step.units, step.unit_price, step.amount);
            writeln!(out, "  {:width$}  {:>figures$}   {}", "", "", styled(QUIET, text))?;
        }
    }
    writeln!(out, "  {:width$}  {:>figures$}", "total", quote.tendered.to_string())?;
    for (name, rest) in &quote.waiting {
        writeln!(out, "{name}: {rest} waits for the next purchase")?;
    }
    quote.terms.iter().try_for_each(|term| writeln!(out, "{term}"))
}

/// Prints a quote, its reasons, what lies near, and where the money goes.
pub(crate) fn explained(
    tariff: &Tariff,
    explained: &Explained,
    out: &mut dyn Write,
) -> io::Result<()> {
    quote(tariff, &explained.quote, out)?;
    writeln!(out, "\n{}", styled(HEADING, "why"))?;
    for (number, sentence) in (1..).zip(&explained.why) {
        writeln!(out, "{number:3}. {sentence}")?;
    }
    if !explained.notices.is_empty() {
        writeln!(out, "\n{}", styled(HEADING, "near"))?;
        explained.notices.iter().try_for_each(|notice| writeln!(out, "  {notice}"))?;
    }
    writeln!(out, "\n{}", styled(HEADING, "where the money goes"))?;
    bar(&explained.quote, out)
}

/// A bar for each line that takes money, as long as its share of the tender.
fn bar(quote: &Quote, out: &mut dyn Write) -> io::Result<()> {
    let lines: Vec<&QuoteLine> =
        quote.lines.iter().filter(|line| line.amount > Decimal::ZERO).collect();
    let width = lines.iter().map(|line| line.description.chars().count()).max().unwrap_or(0);
    for line in lines {
        let share = line.amount / quote.tendered;
        let percent = (share * Decimal::ONE_HUNDRED).round_dp(1);
        let length = (share * Decimal::from(2 * BAR)).round().mantissa();
        let whole = "█".repeat(usize::try_from(length / 2).unwrap_or(0));
        let half = if length % 2 == 1 { "▌" } else { "" };
        let text = format!("  {:width$}  {percent:>5.1} %  {whole}{half}", line.description);
        writeln!(out, "{}", text.trim_end())?;
    }
    Ok(())
}
