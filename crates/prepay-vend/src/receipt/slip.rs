//! A receipt as the rows of a slip of paper, in the customer's language. Every form draws these rows, so all say the same.
//!
//! The order is that of real slips: who sells, who buys, which meter, how much for how much, the tokens, and each line of the
//! price; key change tokens stand before the credit, and a set given again behind it.

use rust_decimal::Decimal;

use super::message::{self, Message};
use super::{Language, MeterKey, PaymentMethod, Receipt, ReceiptFacts, ReceiptToken, TokenKind};
use crate::decimal::with_places;
use crate::quote::{LineKind, QuoteLine};
use crate::tariff::Service;

/// A receipt in a language.
#[derive(Clone, Debug)]
pub struct Slip {
    /// The tag of the language, such as `en-KE`.
    pub language: String,
    /// Whether it is written from right to left.
    pub is_right_to_left: bool,
    /// The number of the receipt, in words.
    pub title: String,
    /// From the top to the bottom.
    pub rows: Vec<Row>,
}

/// A row of a slip. Texts are in logical order, with U+2067 or U+2068 and U+2069 around what keeps its own direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// A mark that nobody may overlook, centred.
    Mark(String),
    /// A name at the head, centred.
    Title(String),
    /// A centred text.
    Centred(String),
    /// A text over the whole width.
    Paragraph(String),
    /// A label, and what it is at the other side.
    Pair(String, String),
    /// The same in large letters.
    LargePair(String, String),
    /// A token in five groups of four digits, with what it is above; its units may be empty.
    Token {
        /// What it is, with its number where there are several.
        caption: String,
        /// Its units, or nothing.
        units: String,
        /// The digits, always from left to right.
        groups: [String; 5],
    },
    /// A dividing line.
    Divide,
    /// A QR code.
    Qr {
        /// What it holds.
        text: String,
        /// Whether it holds something that is nowhere else on the slip.
        is_news: bool,
    },
}

impl Slip {
    /// The rows of a receipt.
    pub fn new(receipt: &Receipt, language: &Language) -> Self {
        let writer = Writer { facts: receipt.facts(), language, rows: Vec::new() };
        Self {
            language: language.tag(),
            is_right_to_left: language.is_right_to_left(),
            title: language.say(&message::RECEIPT, &[&receipt.facts().number]),
            rows: writer.rows(receipt.qr()),
        }
    }
}

/// Writes the rows.
struct Writer<'a> {
    facts: &'a ReceiptFacts,
    language: &'a Language,
    rows: Vec<Row>,
}

impl Writer<'_> {
    fn rows(mut self, qr: String) -> Vec<Row> {
        self.marks();
        self.parties();
        self.rows.push(Row::Divide);
        let units = self.units(self.facts.units);
        let tendered =
            self.say(&message::MONEY, &[&self.number(self.facts.tendered), &self.facts.currency]);
        self.rows.push(Row::LargePair(units, tendered));
        self.tokens();
        for line in &self.facts.lines {
            self.line(line);
        }
        self.paid();
        self.rows.push(Row::Divide);
        self.rows.push(Row::Qr { text: qr, is_news: self.facts.qr.is_some() });
        if let Some(days) = self.facts.days_since {
            self.rows.push(Row::Centred(self.language.count(&message::DAYS_SINCE, days, &[])));
        }
        let words = self.facts.terms.iter().chain(&self.facts.messages);
        self.rows.extend(words.map(|text| Row::Centred(isolated(text))));
        self.marks();
        self.rows
    }

    fn say(&self, message: &Message, texts: &[&str]) -> String {
        self.language.say(message, texts)
    }

    fn number(&self, number: Decimal) -> String {
        self.language.number(number)
    }

    fn pair(&mut self, start: impl Into<String>, end: impl Into<String>) {
        self.rows.push(Row::Pair(start.into(), end.into()));
    }

    /// Units with their name.
    fn units(&self, units: Decimal) -> String {
        let unit = match self.facts.service {
            Service::Electricity => self.say(&message::ELECTRICITY, &[]),
            Service::Water | Service::Gas => self.say(&message::VOLUME, &[]),
            Service::Time => self.say(&message::TIME, &[]),
            Service::Money => self.facts.currency.clone(),
        };
        self.say(&message::UNITS, &[&self.number(units), &unit])
    }

    /// At the top and at the bottom, so that a torn slip still has one.
    fn marks(&mut self) {
        let ReceiptFacts { test, reprint, number, .. } = self.facts;
        if *test {
            self.rows.push(Row::Mark(self.say(&message::TEST, &[])));
        }
        if *reprint > 0 {
            self.rows.push(Row::Mark(self.language.count(&message::REPRINT, *reprint, &[number])));
        }
    }

    fn parties(&mut self) {
        let ReceiptFacts { utility, vendor, terminal, operator, customer, meter, .. } = self.facts;
        self.rows.push(Row::Title(isolated(&utility.name)));
        self.rows.extend(utility.address.iter().map(|line| Row::Centred(isolated(line))));
        if let Some(number) = &utility.tax_number {
            self.rows.push(Row::Centred(self.say(&message::TAX_NUMBER, &[number])));
        }
        self.rows.push(Row::Divide);
        let number = self.say(&message::RECEIPT, &[&self.facts.number]);
        self.pair(number, self.language.moment(self.facts.sold_at, &self.facts.zone));
        let shop = match (vendor, terminal) {
            (Some(vendor), Some(terminal)) => Some(self.say(&message::SHOP, &[vendor, terminal])),
            (one, other) => one.as_ref().or(other.as_ref()).map(|name| isolated(name)),
        };
        let operator = operator.as_ref().map(|name| self.say(&message::OPERATOR, &[name]));
        if shop.is_some() || operator.is_some() {
            self.pair(shop.unwrap_or_default(), operator.unwrap_or_default());
        }
        if let Some(customer) = customer {
            let account = customer.account.as_ref();
            let account = account.map(|number| self.say(&message::ACCOUNT, &[number]));
            let name = customer.name.as_ref().map(|name| isolated(name));
            self.pair(name.unwrap_or_default(), account.unwrap_or_default());
            self.rows.extend(customer.address.iter().map(|line| Row::Paragraph(isolated(line))));
        }
        let number = meter.number.to_string();
        let number = format!("{} {} {}", &number[..6], &number[6..17], &number[17..]);
        self.pair(self.say(&message::METER, &[]), isolated(&number));
        let algorithm = meter.algorithm.map(|algorithm| format!("EA{algorithm}"));
        let carrier = meter.carrier.map(|carrier| format!("TCT {carrier}"));
        let how = algorithm.into_iter().chain(carrier).collect::<Vec<_>>().join(" ");
        match meter.key {
            Some(key) => self.pair(isolated(&key_text(key)), isolated(&how)),
            None if !how.is_empty() => self.pair("", isolated(&how)),
            None => {}
        }
        let new_key = self.facts.tokens.iter().find_map(|token| token.key);
        if let Some(key) = new_key.filter(|key| Some(*key) != meter.key) {
            self.pair(self.say(&message::NEW_KEY, &[]), isolated(&key_text(key)));
        }
        let names = [(&message::TARIFF, &self.facts.tariff), (&message::CLASS, &self.facts.class)];
        for (message, name) in names {
            if let Some(name) = name {
                self.pair(self.say(message, &[]), isolated(name));
            }
        }
    }

    fn tokens(&mut self) {
        let (again, first): (Vec<_>, Vec<_>) =
            self.facts.tokens.iter().partition(|token| token.repeated);
        let has_keys = first.iter().any(|token| token.kind == TokenKind::KeyChange);
        let order = match first.len() {
            _ if has_keys => Some(&message::ENTER_KEYS),
            0 | 1 => None,
            _ => Some(&message::ENTER_ALL),
        };
        self.set(order, &first);
        self.set((!again.is_empty()).then_some(&message::ENTER_KEYS_AGAIN), &again);
    }

    /// Tokens that are entered one after the other, with their instruction.
    fn set(&mut self, instruction: Option<&Message>, tokens: &[&ReceiptToken]) {
        let count = u32::try_from(tokens.len()).expect("a list has at most 99 entries");
        if let Some(instruction) = instruction {
            self.rows.push(Row::Paragraph(self.language.count(instruction, count, &[])));
        }
        for (part, token) in (1..).zip(tokens) {
            let kind = match token.kind {
                TokenKind::Credit => &message::CREDIT_TOKEN,
                TokenKind::FreeUnits => &message::FREE_TOKEN,
                TokenKind::KeyChange => &message::KEY_TOKEN,
                TokenKind::Engineering => &message::OTHER_TOKEN,
            };
            let name = token.description.clone().unwrap_or_else(|| self.say(kind, &[]));
            let caption = if count > 1 {
                self.say(&message::PART, &[&format!("{part}"), &count.to_string(), &name])
            } else {
                name
            };
            let digits = token.token.to_string();
            self.rows.push(Row::Token {
                caption,
                units: token.units.map(|units| self.units(units)).unwrap_or_default(),
                groups: std::array::from_fn(|group| digits[4 * group..][..4].to_owned()),
            });
        }
    }

    /// A line of the price. One of several blocks becomes a row for each.
    fn line(&mut self, line: &QuoteLine) {
        let bought = line.steps.iter().filter(|step| !step.units.is_zero());
        if bought.clone().count() > 1 {
            for step in bought {
                let priced = self.priced(step.units, step.unit_price);
                self.pair(priced, self.number(step.amount));
            }
            return;
        }
        let own = match line.kind {
            LineKind::FreeUnits => Some(&message::FREE_UNITS),
            LineKind::Rounding => Some(&message::ROUNDING),
            LineKind::CarriedIn => Some(&message::CARRIED_IN),
            LineKind::CarriedOut => Some(&message::CARRIED_OUT),
            LineKind::Change => Some(&message::CHANGE),
            _ => None,
        };
        let mut label = own.map_or_else(|| isolated(&line.description), |own| self.say(own, &[]));
        if own.is_some()
            && line.amount.is_zero()
            && let Some(units) = line.units
        {
            return self.pair(label, self.units(units));
        }
        let units = match (line.units, line.unit_price) {
            (Some(units), Some(price)) => Some(self.priced(units, price)),
            (units, _) => units.map(|units| self.units(units)),
        };
        if let Some(units) = units {
            label = self.say(&message::LINE_UNITS, &[&label, &units]);
        }
        if let Some(rate) = line.rate {
            label = self.say(&message::LINE_RATE, &[&label, &self.number(rate)]);
        }
        if let Some(payee) = &line.payee {
            label = self.say(&message::LINE_PAYEE, &[&label, payee]);
        }
        if let Some(balance) = line.debt_balance {
            let (message, balance) = match balance {
                owed if owed > Decimal::ZERO => (&message::STILL_OWED, self.number(owed)),
                nothing if nothing.is_zero() => (&message::PAID_OFF, String::new()),
                credit => (&message::IN_CREDIT, self.number(-credit)),
            };
            label = self.say(message, &[&label, &balance]);
        }
        self.pair(label, self.number(line.amount));
    }

    /// Units and what one of them costs, with the decimal places of amounts at least.
    fn priced(&self, units: Decimal, price: Decimal) -> String {
        let price = with_places(price, self.facts.decimals);
        self.say(&message::PRICED, &[&self.units(units), &self.number(price)])
    }

    fn paid(&mut self) {
        self.pair(self.say(&message::TOTAL, &[]), self.number(self.facts.tendered));
        if let Some((method, reference)) = &self.facts.payment {
            let method = match method {
                PaymentMethod::Cash => &message::CASH,
                PaymentMethod::Card => &message::CARD,
                PaymentMethod::Mobile => &message::MOBILE,
                PaymentMethod::Voucher => &message::VOUCHER,
                PaymentMethod::Account => &message::ON_ACCOUNT,
            };
            let mut how = self.say(method, &[]);
            if let Some(reference) = reference {
                how = format!("{how} {}", isolated(reference));
            }
            self.pair(self.say(&message::PAID_BY, &[]), how);
        }
        for (line, amount) in &self.facts.waiting {
            self.pair(self.say(&message::WAITING, &[line]), self.number(*amount));
        }
    }
}

/// The names of a key, in the standard's own abbreviations.
fn key_text(key: MeterKey) -> String {
    let MeterKey { group, revision, tariff_index, expiry } = key;
    let expiry = expiry.map(|expiry| format!(" KEN {expiry}")).unwrap_or_default();
    format!("SGC {group} KRN {revision} TI {tariff_index}{expiry}")
}

/// A text that keeps its own direction.
fn isolated(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("\u{2068}{text}\u{2069}") }
}
