//! The commands and flags of `prepay vend`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};
use prepay_records::purchase::{DebtRecord, DebtRuleRecord, Figure, PurchaseRecord};

use super::receipt::ReceiptFlags;
use crate::failure::{Done, Failure};

/// Vending.
#[derive(Args)]
pub(crate) struct VendFlags {
    #[command(subcommand)]
    pub(super) command: VendCommand,
}

/// What to do.
#[derive(Subcommand)]
pub(super) enum VendCommand {
    /// Tariff files: check them, price purchases, explain a price, compare two.
    #[command(subcommand)]
    Tariff(TariffCommand),
    /// Print the receipt of a sale.
    ///
    /// Example: prepay vend receipt --sample --columns 32 --language fr
    Receipt(ReceiptFlags),
}

/// What to do with tariff files.
#[derive(Subcommand)]
pub(super) enum TariffCommand {
    /// Check a tariff file: every fault with its line, or what the file contains.
    Check {
        /// The tariff file.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Price a purchase, or with --lines one purchase per line of JSON.
    ///
    /// Example: prepay vend tariff try kenya.toml --amount 500 --date 2018-03-01 --rate fuel=5.71 --rate forex=0.17
    Try(TryFlags),
    /// Price a purchase and explain it: every step with its numbers, what lies near, where the money goes.
    Explain(ExplainFlags),
    /// Show what changes for typical customers between two tariffs.
    Compare(CompareFlags),
}

/// A tariff and a purchase.
#[derive(Args)]
pub(super) struct TryFlags {
    /// The tariff file.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(super) file: PathBuf,
    /// A file with purchases, one JSON object per line; - is standard input. The answers are always JSON.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["amount", "units"])]
    pub(super) lines: Option<PathBuf>,
    #[command(flatten)]
    pub(super) purchase: PurchaseFlags,
}

/// A tariff and a purchase.
#[derive(Args)]
pub(super) struct ExplainFlags {
    /// The tariff file.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(super) file: PathBuf,
    #[command(flatten)]
    pub(super) purchase: PurchaseFlags,
}

/// Two tariffs.
#[derive(Args)]
pub(super) struct CompareFlags {
    /// The tariff file of today.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(super) old: PathBuf,
    /// The new one; it may be the same file, with another date.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(super) new: PathBuf,
    /// The day for the old tariff [default: today].
    #[arg(long, value_name = "DATE")]
    pub(super) old_date: Option<String>,
    /// The day for the new tariff [default: today].
    #[arg(long, value_name = "DATE")]
    pub(super) new_date: Option<String>,
    /// The units that a customer buys in a month, as a list.
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "20,50,100,200,350,600,1000", value_parser = figure)]
    pub(super) units: Vec<Figure>,
    /// The class of the customer.
    #[arg(long)]
    pub(super) class: Option<String>,
    /// Days since the last purchase.
    #[arg(long, value_name = "DAYS")]
    pub(super) days_since: Option<u32>,
    /// A rate that comes with the purchase, as NAME=VALUE; again for others.
    #[arg(long = "rate", value_name = "NAME=VALUE", value_parser = rate)]
    pub(super) rates: Vec<(String, Figure)>,
}

/// What the price of a purchase depends on.
#[derive(Args)]
pub(super) struct PurchaseFlags {
    /// The day or moment, such as 2025-10-15 or 2025-10-15T09:30:00Z [default: now].
    #[arg(long)]
    date: Option<String>,
    /// The amount.
    #[arg(long, conflicts_with = "units", value_parser = figure, allow_hyphen_values = true)]
    amount: Option<Figure>,
    /// Units, instead of an amount.
    #[arg(long, value_parser = figure, allow_hyphen_values = true)]
    units: Option<Figure>,
    /// The class of the customer.
    #[arg(long)]
    class: Option<String>,
    /// The mean of the past months, which decides the class.
    #[arg(long, value_name = "UNITS", conflicts_with = "class", value_parser = figure)]
    past_mean: Option<Figure>,
    /// Units bought this month before.
    #[arg(long, value_name = "UNITS", value_parser = figure)]
    bought_this_month: Option<Figure>,
    /// Months whose charges are not paid, this one included [default: 1 at the first purchase of a month, then 0].
    #[arg(long, value_name = "MONTHS")]
    months_unpaid: Option<u32>,
    /// Months whose accruing blocks may be used in this month, this one included [default: as --months-unpaid, at least 1].
    #[arg(long, value_name = "MONTHS")]
    months_in_blocks: Option<u32>,
    /// Days since the last purchase.
    #[arg(long, value_name = "DAYS")]
    days_since: Option<u32>,
    /// A debt, as NAME=BALANCE, collected in full, or NAME=BALANCE:RULE:VALUE with the rule percent_of_amount,
    /// percent_of_debt or fixed; again for others, in their order.
    #[arg(long = "debt", value_name = "DEBT", value_parser = debt)]
    debts: Vec<DebtRecord>,
    /// A rate that comes with the purchase, as NAME=VALUE; again for others.
    #[arg(long = "rate", value_name = "NAME=VALUE", value_parser = rate)]
    rates: Vec<(String, Figure)>,
    /// What waits of a capped charge, as LINE=AMOUNT; again for others.
    #[arg(long = "waiting", value_name = "LINE=AMOUNT", value_parser = rate)]
    waiting: Vec<(String, Figure)>,
    /// Money kept at the last sale.
    #[arg(long, value_name = "AMOUNT", value_parser = figure)]
    carried: Option<Figure>,
    /// Units kept at the last sale.
    #[arg(long, value_name = "UNITS", value_parser = figure)]
    carried_units: Option<Figure>,
    /// Give the free units of the month with this purchase.
    #[arg(long)]
    free_units_due: bool,
}

fn figure(text: &str) -> Result<Figure, String> {
    let figure = prepay_vend::read_decimal(text).map(Figure);
    figure.ok_or_else(|| "expected a decimal number such as 25.6".to_owned())
}

fn rate(text: &str) -> Result<(String, Figure), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), figure(value)?))
}

fn debt(text: &str) -> Result<DebtRecord, String> {
    let (name, rest) =
        text.split_once('=').ok_or("expected NAME=BALANCE or NAME=BALANCE:RULE:VALUE")?;
    let mut parts = rest.split(':');
    let balance = figure(parts.next().unwrap_or_default())?;
    let rule = match parts.next() {
        None | Some("all") => DebtRuleRecord::All,
        Some("percent_of_amount") => DebtRuleRecord::PercentOfAmount,
        Some("percent_of_debt") => DebtRuleRecord::PercentOfDebt,
        Some("fixed") => DebtRuleRecord::Fixed,
        Some(_) => {
            return Err(
                "expected the rule all, percent_of_amount, percent_of_debt or fixed".to_owned()
            );
        }
    };
    let value = parts.next().map(figure).transpose()?;
    Ok(DebtRecord {
        name: name.to_owned(),
        balance,
        rule,
        value,
        most_percent: None,
        most_amount: None,
    })
}

impl PurchaseFlags {
    /// The record that a line would have.
    pub(super) fn record(&self) -> Done<PurchaseRecord> {
        if self.amount.is_none() && self.units.is_none() {
            return Err(Failure::unable("flag", "expected --amount or --units"));
        }
        Ok(PurchaseRecord {
            id: None,
            date: self.date.clone(),
            amount: self.amount,
            units: self.units,
            class: self.class.clone(),
            past_mean: self.past_mean,
            bought_this_month: self.bought_this_month,
            months_unpaid: self.months_unpaid,
            months_in_blocks: self.months_in_blocks,
            days_since: self.days_since,
            debts: self.debts.clone(),
            rates: self.rates.iter().cloned().collect(),
            waiting: self.waiting.iter().cloned().collect(),
            carried: self.carried,
            carried_units: self.carried_units,
            free_units_due: self.free_units_due,
        })
    }
}
