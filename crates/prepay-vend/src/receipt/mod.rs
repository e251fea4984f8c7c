//! A receipt: what a customer paid, what it bought, and the tokens, in one structure for every form.
//!
//! ```text
//!  ReceiptFacts ── Receipt::new: adds up, can be printed ──> Receipt ── Slip::new, in a Language ──> Slip: rows ──┬─> text
//!                                                                                                               └─> HTML, PDF (prepay-pages)
//! ```
//!
//! What stands on a slip, in which words and in which order, is decided here once; a form only draws the rows.

mod language;
mod message;
mod slip;
mod text;

use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use prepay_token::TokenData;
use prepay_token::element::{
    EncryptionAlgorithm, KeyExpiryNumber, KeyRevisionNumber, MeterPan, SupplyGroupCode,
    TariffIndex, TokenCarrierType,
};
use rust_decimal::Decimal;

use crate::decimal::with_places;
use crate::quote::{LineKind, Quote, QuoteLine};
use crate::tariff::{Service, Tariff};

pub use language::Language;
pub use slip::{Row, Slip};

/// Figures are below this: eighteen digits before the point.
const FIGURE_LIMIT: i64 = 1_000_000_000_000_000_000;
/// The most characters of a text, and the most entries of a list.
const LONGEST_TEXT: usize = 200;
const LONGEST_LIST: usize = 99;
/// The most characters of a QR code, which takes 2953 bytes.
const LONGEST_QR: usize = 700;

/// What a receipt says.
#[derive(Clone, Debug)]
pub struct ReceiptFacts {
    /// The number of the receipt.
    pub number: String,
    /// When the sale was made.
    pub sold_at: Timestamp,
    /// The zone in which the moment is printed.
    pub zone: TimeZone,
    /// How often it has been printed again; 0 for the first print.
    pub reprint: u32,
    /// Whether the tokens are of test keys.
    pub test: bool,
    /// The utility.
    pub utility: Utility,
    /// Who sold: a shop, a web site.
    pub vendor: Option<String>,
    /// The till.
    pub terminal: Option<String>,
    /// The person at the till.
    pub operator: Option<String>,
    /// Who bought, if that is known.
    pub customer: Option<Customer>,
    /// The meter that takes the tokens.
    pub meter: Meter,
    /// The name of the tariff.
    pub tariff: Option<String>,
    /// The class of the customer, as people read it.
    pub class: Option<String>,
    /// What was sold.
    pub service: Service,
    /// The currency, three letters.
    pub currency: String,
    /// Decimal places of an amount.
    pub decimals: u32,
    /// How it was paid.
    pub payment: Option<(PaymentMethod, Option<String>)>,
    /// The lines of the quote. Their amounts, except free units, add up to `tendered`.
    pub lines: Vec<QuoteLine>,
    /// What the customer handed over.
    pub tendered: Decimal,
    /// Units sold, free units apart.
    pub units: Decimal,
    /// What still waits of capped charges, by the text of the line.
    pub waiting: Vec<(String, Decimal)>,
    /// The tokens, in the order in which they are entered.
    pub tokens: Vec<ReceiptToken>,
    /// Days since the purchase before.
    pub days_since: Option<u32>,
    /// What the tariff says about the supply.
    pub terms: Vec<String>,
    /// What the utility tells the customer.
    pub messages: Vec<String>,
    /// What the QR code holds, if not the numbers of receipt, meter and tokens.
    pub qr: Option<String>,
}

impl ReceiptFacts {
    /// The receipt of a quote, without utility, customer and tokens.
    pub fn new(
        number: String,
        sold_at: Timestamp,
        meter: Meter,
        tariff: &Tariff,
        quote: Quote,
    ) -> Self {
        let class = quote.class.map(|class| {
            let text =
                tariff.classes().find(|(name, _)| *name == class).map_or("", |(_, text)| text);
            if text.is_empty() { class } else { text.to_owned() }
        });
        let named = |(name, amount): (String, Decimal)| {
            let line = quote.lines.iter().find(|line| line.name == name);
            (line.map_or(name, |line| line.description.clone()), amount)
        };
        Self {
            number,
            sold_at,
            zone: tariff.month().zone().clone(),
            reprint: 0,
            test: false,
            utility: Utility::default(),
            vendor: None,
            terminal: None,
            operator: None,
            customer: None,
            meter,
            tariff: Some(tariff.name().to_owned()),
            class,
            service: tariff.service(),
            currency: tariff.currency().to_owned(),
            decimals: tariff.decimals(),
            payment: None,
            waiting: quote.waiting.into_iter().map(named).collect(),
            lines: quote.lines,
            tendered: quote.tendered,
            units: quote.units,
            tokens: Vec::new(),
            days_since: None,
            terms: quote.terms,
            messages: Vec::new(),
            qr: None,
        }
    }
}

/// The utility at the head of a receipt.
#[derive(Clone, Debug, Default)]
pub struct Utility {
    /// Its name.
    pub name: String,
    /// The lines of its address.
    pub address: Vec<String>,
    /// Its number with the tax office.
    pub tax_number: Option<String>,
}

/// The customer.
#[derive(Clone, Debug, Default)]
pub struct Customer {
    /// The name.
    pub name: Option<String>,
    /// The account.
    pub account: Option<String>,
    /// The lines of the address.
    pub address: Vec<String>,
}

/// The meter, as it is before the tokens are entered.
#[derive(Clone, Debug)]
pub struct Meter {
    /// Its number.
    pub number: MeterPan,
    /// Its key, if that is known.
    pub key: Option<MeterKey>,
    /// Its algorithm.
    pub algorithm: Option<EncryptionAlgorithm>,
    /// How it takes tokens.
    pub carrier: Option<TokenCarrierType>,
}

/// What a meter's key is named by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeterKey {
    /// The supply group.
    pub group: SupplyGroupCode,
    /// The revision of the group's vending key.
    pub revision: KeyRevisionNumber,
    /// The tariff index.
    pub tariff_index: TariffIndex,
    /// When the key expires, if receipts of this utility say it.
    pub expiry: Option<KeyExpiryNumber>,
}

/// How a customer paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentMethod {
    /// Notes and coins.
    Cash,
    /// A bank card.
    Card,
    /// Mobile money.
    Mobile,
    /// A voucher.
    Voucher,
    /// An account of the customer.
    Account,
}

impl PaymentMethod {
    /// All methods, with their stable names.
    pub const ALL: [(&'static str, Self); 5] = [
        ("cash", Self::Cash),
        ("card", Self::Card),
        ("mobile", Self::Mobile),
        ("voucher", Self::Voucher),
        ("account", Self::Account),
    ];
}

/// A token on a receipt.
#[derive(Clone, Debug)]
pub struct ReceiptToken {
    /// What it is for.
    pub kind: TokenKind,
    /// Its twenty digits.
    pub token: TokenData,
    /// Units that it carries.
    pub units: Option<Decimal>,
    /// What it does, where `kind` does not say it.
    pub description: Option<String>,
    /// The key that the meter has after a key change.
    pub key: Option<MeterKey>,
    /// Given once more, in case that it was never entered: only if the meter refuses the credit.
    pub repeated: bool,
}

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// Units that were bought.
    Credit,
    /// Units given for nothing.
    FreeUnits,
    /// A part of a new key.
    KeyChange,
    /// A setting, or a test.
    Engineering,
}

impl TokenKind {
    /// All kinds, with their stable names.
    pub const ALL: [(&'static str, Self); 4] = [
        ("credit", Self::Credit),
        ("free_units", Self::FreeUnits),
        ("key_change", Self::KeyChange),
        ("engineering", Self::Engineering),
    ];
}

/// A receipt that adds up and can be printed.
#[derive(Clone, Debug)]
pub struct Receipt(ReceiptFacts); // Invariant: what `new` checks.

/// Why facts are no receipt: the field, what was expected and what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptFault {
    /// The name of the field in a receipt record.
    pub field: String,
    /// What was expected, and what was found.
    pub text: String,
}

impl fmt::Display for ReceiptFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.text)
    }
}

impl Receipt {
    /// A receipt. Amounts get the decimal places of the currency, and a set of key changes its place: before the credit, or
    /// behind if it is given again.
    ///
    /// # Errors
    ///
    /// Every fault: texts that are empty, longer than 200 characters (700 in a QR code) or hold control characters; lists of more than 99; amounts
    /// with more decimal places than the currency has, or figures of more than 18 digits before the point; a line of commission, which is no matter of the customer's; lines that do
    /// not add up to what was tendered, or blocks to their line; tokens that carry other units than the lines say.
    pub fn new(mut facts: ReceiptFacts) -> Result<Self, Vec<ReceiptFault>> {
        let mut faults = Vec::new();
        check_lists(&facts, &mut faults);
        check_texts(&facts, &mut faults);
        check_figures(&facts, &mut faults);
        let decimals = facts.decimals;
        let lines = facts.lines.iter_mut().flat_map(|line| {
            let steps = line.steps.iter_mut().map(|step| &mut step.amount);
            steps.chain([&mut line.amount]).chain(&mut line.debt_balance).chain(&mut line.base)
        });
        let waiting = facts.waiting.iter_mut().map(|(_, amount)| amount);
        for amount in lines.chain(waiting).chain([&mut facts.tendered]) {
            *amount = with_places(amount.normalize(), decimals);
            if amount.scale() > decimals {
                let text = format!(
                    "expected at most {decimals} decimal places in an amount of {}, found {amount}",
                    facts.currency
                );
                faults.push(ReceiptFault::new("lines", text));
            }
        }
        if faults.is_empty() {
            check_sums(&facts, &mut faults);
        }
        facts.tokens.sort_by_key(|token| match token.kind {
            _ if token.repeated => 2,
            TokenKind::KeyChange => 0,
            _ => 1,
        });
        if faults.is_empty() { Ok(Self(facts)) } else { Err(faults) }
    }

    /// What it says.
    pub const fn facts(&self) -> &ReceiptFacts {
        &self.0
    }

    /// What was handed over, less change.
    pub fn paid(&self) -> Decimal {
        self.0.tendered - sum_of(&self.0, |line| line.kind == LineKind::Change)
    }

    /// What the QR code holds: the numbers of receipt, meter and tokens, each on a line, unless the facts say something else.
    pub fn qr(&self) -> String {
        self.0.qr.clone().unwrap_or_else(|| {
            let tokens = self.0.tokens.iter().map(|token| token.token.to_string());
            let numbers = [self.0.number.clone(), self.0.meter.number.to_string()];
            numbers.into_iter().chain(tokens).collect::<Vec<_>>().join("\n")
        })
    }
}

impl ReceiptFault {
    /// A fault of a field.
    pub fn new(field: impl Into<String>, text: impl Into<String>) -> Self {
        Self { field: field.into(), text: text.into() }
    }
}

fn sum_of(facts: &ReceiptFacts, counts: impl Fn(&QuoteLine) -> bool) -> Decimal {
    facts.lines.iter().filter(|line| counts(line)).map(|line| line.amount).sum()
}

fn check_lists(facts: &ReceiptFacts, faults: &mut Vec<ReceiptFault>) {
    let lists = [
        ("lines", facts.lines.len()),
        ("waiting", facts.waiting.len()),
        ("tokens", facts.tokens.len()),
        ("terms", facts.terms.len()),
        ("messages", facts.messages.len()),
        ("utility.address", facts.utility.address.len()),
        ("customer.address", facts.customer.as_ref().map_or(0, |customer| customer.address.len())),
    ];
    for (field, found) in lists.into_iter().filter(|(_, found)| *found > LONGEST_LIST) {
        let text = format!("expected at most {LONGEST_LIST} entries, found {found}");
        faults.push(ReceiptFault::new(field, text));
    }
}

/// Sums of so many figures of this size do not overflow.
fn check_figures(facts: &ReceiptFacts, faults: &mut Vec<ReceiptFault>) {
    let lines = facts.lines.iter().flat_map(|line| {
        let steps = line.steps.iter().flat_map(|step| [step.units, step.unit_price, step.amount]);
        let line = [
            line.units,
            line.unit_price,
            line.rate,
            line.base,
            line.debt_balance,
            Some(line.amount),
        ];
        steps.chain(line.into_iter().flatten())
    });
    let all = lines
        .map(|figure| ("lines", figure))
        .chain([("totals.tendered", facts.tendered), ("totals.units", facts.units)])
        .chain(facts.waiting.iter().map(|(_, amount)| ("waiting", *amount)))
        .chain(facts.tokens.iter().filter_map(|token| Some(("tokens.units", token.units?))));
    for (field, found) in all.filter(|(_, found)| found.abs() >= Decimal::from(FIGURE_LIMIT)) {
        let text = format!("expected at most 18 digits before the point, found {found}");
        faults.push(ReceiptFault::new(field, text));
    }
}

fn check_texts(facts: &ReceiptFacts, faults: &mut Vec<ReceiptFault>) {
    let customer = facts.customer.iter();
    let customer = customer.flat_map(|customer| {
        let of_customer =
            [("customer.name", &customer.name), ("customer.account", &customer.account)];
        let address = customer.address.iter().map(|line| ("customer.address", line));
        of_customer
            .into_iter()
            .filter_map(|(field, text)| Some((field, text.as_ref()?)))
            .chain(address)
    });
    let of_lines = facts.lines.iter().flat_map(|line| {
        [("lines.description", Some(&line.description)), ("lines.payee", line.payee.as_ref())]
    });
    let of_tokens =
        facts.tokens.iter().map(|token| ("tokens.description", token.description.as_ref()));
    let reference = facts.payment.as_ref().and_then(|(_, reference)| reference.as_ref());
    let maybe = [
        ("utility.tax_number", facts.utility.tax_number.as_ref()),
        ("vendor", facts.vendor.as_ref()),
        ("terminal", facts.terminal.as_ref()),
        ("operator", facts.operator.as_ref()),
        ("tariff", facts.tariff.as_ref()),
        ("class", facts.class.as_ref()),
        ("qr", facts.qr.as_ref()),
        ("payment.reference", reference),
    ];
    let maybe = maybe.into_iter().chain(of_lines).chain(of_tokens);
    let all = [
        ("receipt_number", &facts.number),
        ("utility.name", &facts.utility.name),
        ("currency", &facts.currency),
    ];
    let lists = [
        ("utility.address", &facts.utility.address),
        ("terms", &facts.terms),
        ("messages", &facts.messages),
    ];
    let all = all
        .into_iter()
        .chain(maybe.filter_map(|(field, text)| Some((field, text?))))
        .chain(customer)
        .chain(
            lists.into_iter().flat_map(|(field, list)| list.iter().map(move |text| (field, text))),
        )
        .chain(facts.waiting.iter().map(|(text, _)| ("waiting", text)));
    // Besides control characters, those that turn the order of the letters around them.
    let unprintable = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    for (field, text) in all {
        let length = text.chars().count();
        let longest = if field == "qr" { LONGEST_QR } else { LONGEST_TEXT };
        let problem = if text.trim().is_empty() {
            "expected a text, found none".to_owned()
        } else if length > longest {
            format!("expected at most {longest} characters, found {length}")
        } else if let Some(found) = text.chars().find(|&letter| unprintable(letter)) {
            format!("expected letters that print, found U+{:04X}", u32::from(found))
        } else {
            continue;
        };
        faults.push(ReceiptFault::new(field, problem));
    }
}

fn check_sums(facts: &ReceiptFacts, faults: &mut Vec<ReceiptFault>) {
    let mut fault = |field: &str, text: String| faults.push(ReceiptFault::new(field, text));
    for line in &facts.lines {
        if line.kind == LineKind::Commission {
            let text = format!("expected no commission on a receipt, found {:?}", line.description);
            fault("lines", text);
        }
        let of_steps: Decimal = line.steps.iter().map(|step| step.amount).sum();
        if !line.steps.is_empty() && of_steps != line.amount {
            let text = format!(
                "expected blocks of {:?} that add up to {}, found {of_steps}",
                line.description, line.amount
            );
            fault("lines", text);
        }
    }
    let sum = sum_of(facts, |line| line.kind != LineKind::FreeUnits);
    if sum != facts.tendered {
        let text =
            format!("expected amounts that add up to the {} tendered, found {sum}", facts.tendered);
        fault("lines", text);
    }
    let of_lines = |kind: LineKind| -> Decimal {
        facts.lines.iter().filter(|line| line.kind == kind).filter_map(|line| line.units).sum()
    };
    let sold = facts.units + of_lines(LineKind::CarriedIn) - of_lines(LineKind::CarriedOut);
    for (kind, expected) in
        [(TokenKind::Credit, sold), (TokenKind::FreeUnits, of_lines(LineKind::FreeUnits))]
    {
        let carried = facts.tokens.iter().filter(|token| token.kind == kind && !token.repeated);
        let carried: Vec<Decimal> = carried.filter_map(|token| token.units).collect();
        let found: Decimal = carried.iter().sum();
        if !carried.is_empty() && found != expected {
            let (name, _) =
                TokenKind::ALL.into_iter().find(|(_, each)| *each == kind).expect("all");
            let text = format!(
                "expected {name} tokens of the {expected} units that the lines leave, found {found}"
            );
            fault("tokens", text);
        }
    }
}
