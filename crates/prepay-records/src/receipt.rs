//! Receipts of `prepay-vend` as JSON: one object with everything that a slip says, read and written.
//!
//! The names are those of a sale of the vending service: `receipt_number`, `sold_at`, `lines`, `totals`, `tokens`,
//! `messages`. Amounts and units are decimal strings; a JSON number is read exactly as it is written. Format:
//! `docs/formats/receipt.md`.

use std::fmt;
use std::str::FromStr;

use prepay_token::TokenData;
use prepay_token::element::KeyExpiryNumber;
use prepay_vend::{
    Customer, Meter, MeterKey, Moment, PaymentMethod, Receipt, ReceiptFacts, ReceiptFault,
    ReceiptToken, Service, TokenKind, Utility, Zone, currency_decimals,
};
use serde::{Deserialize, Serialize};

use crate::line::{LineRecord, one_of};
use crate::purchase::Figure;

/// A receipt as JSON.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptRecord {
    receipt_number: String,
    sold_at: String,
    /// A name of the IANA database.
    zone: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    reprint: u32,
    #[serde(default, skip_serializing_if = "is_false")]
    test: bool,
    utility: UtilityRecord,
    #[serde(skip_serializing_if = "Option::is_none")]
    vendor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    terminal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<CustomerRecord>,
    meter: MeterRecord,
    #[serde(skip_serializing_if = "Option::is_none")]
    tariff: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<String>,
    #[serde(default = "electricity")]
    service: String,
    currency: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    decimals: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment: Option<PaymentRecord>,
    lines: Vec<LineRecord>,
    totals: TotalsRecord,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    waiting: Vec<WaitingRecord>,
    #[serde(default)]
    tokens: Vec<TokenRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    days_since: Option<u32>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    terms: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    messages: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    qr: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct UtilityRecord {
    name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    address: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_number: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct CustomerRecord {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    address: Vec<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct MeterRecord {
    number: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sgc: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    krn: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ti: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ken: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ea: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tct: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct PaymentRecord {
    method: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct TotalsRecord {
    tendered: Figure,
    #[serde(skip_serializing_if = "Option::is_none")]
    paid: Option<Figure>,
    units: Figure,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct WaitingRecord {
    description: String,
    amount: Figure,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct TokenRecord {
    kind: String,
    digits: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    units: Option<Figure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sgc: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    krn: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ti: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ken: Option<u8>,
    #[serde(default, skip_serializing_if = "is_false")]
    repeated: bool,
}

impl ReceiptRecord {
    /// The record of a receipt.
    pub fn new(receipt: &Receipt) -> Self {
        let facts = receipt.facts().clone();
        let key = |key: Option<MeterKey>| {
            let MeterKey { group, revision, tariff_index, expiry } = key?;
            let expiry = expiry.map(|expiry| expiry.value());
            Some((group.to_string(), revision.value(), tariff_index.to_string(), expiry))
        };
        let meter_key = key(facts.meter.key);
        let token = |token: ReceiptToken| {
            let key = key(token.key);
            TokenRecord {
                kind: name_of(&TokenKind::ALL, token.kind),
                digits: token.token.to_string(),
                units: token.units.map(Figure),
                description: token.description,
                sgc: key.as_ref().map(|key| key.0.clone()),
                krn: key.as_ref().map(|key| key.1),
                ti: key.as_ref().map(|key| key.2.clone()),
                ken: key.and_then(|key| key.3),
                repeated: token.repeated,
            }
        };
        let utility = facts.utility;
        let customer = |customer: Customer| CustomerRecord {
            name: customer.name,
            account: customer.account,
            address: customer.address,
        };
        let payment = |(method, reference)| PaymentRecord {
            method: name_of(&PaymentMethod::ALL, method),
            reference,
        };
        let waiting = |(description, amount)| WaitingRecord { description, amount: Figure(amount) };
        Self {
            receipt_number: facts.number,
            sold_at: facts.sold_at.to_string(),
            zone: facts.zone.iana_name().unwrap_or("UTC").to_owned(),
            reprint: facts.reprint,
            test: facts.test,
            utility: UtilityRecord {
                name: utility.name,
                address: utility.address,
                tax_number: utility.tax_number,
            },
            vendor: facts.vendor,
            terminal: facts.terminal,
            operator: facts.operator,
            customer: facts.customer.map(customer),
            meter: MeterRecord {
                number: facts.meter.number.to_string(),
                sgc: meter_key.as_ref().map(|key| key.0.clone()),
                krn: meter_key.as_ref().map(|key| key.1),
                ti: meter_key.as_ref().map(|key| key.2.clone()),
                ken: meter_key.and_then(|key| key.3),
                ea: facts.meter.algorithm.map(|algorithm| algorithm.to_string()),
                tct: facts.meter.carrier.map(|carrier| carrier.to_string()),
            },
            tariff: facts.tariff,
            class: facts.class,
            service: facts.service.name().to_owned(),
            decimals: (facts.decimals != currency_decimals(&facts.currency))
                .then_some(facts.decimals),
            currency: facts.currency,
            payment: facts.payment.map(payment),
            lines: facts.lines.iter().map(LineRecord::new).collect(),
            totals: TotalsRecord {
                tendered: Figure(facts.tendered),
                paid: Some(Figure(receipt.paid())),
                units: Figure(facts.units),
            },
            waiting: facts.waiting.into_iter().map(waiting).collect(),
            tokens: facts.tokens.into_iter().map(token).collect(),
            days_since: facts.days_since,
            terms: facts.terms,
            messages: facts.messages,
            qr: facts.qr,
        }
    }

    /// The receipt.
    ///
    /// # Errors
    ///
    /// Every fault at once: the field, what was expected and what was found.
    pub fn receipt(self) -> Result<Receipt, Vec<ReceiptFault>> {
        let mut faults = Faults::default();
        let sold_at = faults.of(
            "sold_at",
            self.sold_at.parse::<Moment>().map_err(|_| {
                format!("expected a moment such as 2026-11-27T17:42:00Z, found {:?}", self.sold_at)
            }),
        );
        let zone = faults.of(
            "zone",
            Zone::get(&self.zone).map_err(|_| {
                format!(
                    "expected a name of the IANA database such as Africa/Nairobi, found {:?}",
                    self.zone
                )
            }),
        );
        let meter = self.meter;
        let number = faults.element("meter.number", &meter.number);
        let key = faults.key("meter", meter.sgc, meter.krn, meter.ti, meter.ken);
        let algorithm = meter.ea.and_then(|text| faults.element("meter.ea", &text));
        let carrier = meter.tct.and_then(|text| faults.element("meter.tct", &text));
        let services = Service::ALL.map(|service| (service.name(), service));
        let service = faults.of("service", one_of(&self.service, &services));
        let payment = self.payment.and_then(|payment| {
            let method = one_of(&payment.method, &PaymentMethod::ALL);
            Some((faults.of("payment.method", method)?, payment.reference))
        });
        let lines = self.lines.into_iter();
        let lines = lines.filter_map(|line| faults.of("lines.kind", line.line())).collect();
        let token = |token: TokenRecord| {
            let kind = faults.of("tokens.kind", one_of(&token.kind, &TokenKind::ALL));
            let digits = faults.element::<TokenData>("tokens.digits", &token.digits);
            let key = faults.key("tokens", token.sgc, token.krn, token.ti, token.ken);
            Some(ReceiptToken {
                kind: kind?,
                token: digits?,
                units: token.units.map(|figure| figure.0),
                description: token.description,
                key,
                repeated: token.repeated,
            })
        };
        let tokens = self.tokens.into_iter().filter_map(token).collect();
        let decimals = self.decimals.unwrap_or_else(|| currency_decimals(&self.currency));
        if decimals > 4 {
            faults
                .0
                .push(ReceiptFault::new("decimals", format!("expected 0 to 4, found {decimals}")));
        }
        let (Some(sold_at), Some(zone), Some(number), Some(service), []) =
            (sold_at, zone, number, service, faults.0.as_slice())
        else {
            return Err(faults.0);
        };
        let customer = |record: CustomerRecord| Customer {
            name: record.name,
            account: record.account,
            address: record.address,
        };
        let receipt = Receipt::new(ReceiptFacts {
            number: self.receipt_number,
            sold_at,
            zone,
            reprint: self.reprint,
            test: self.test,
            utility: Utility {
                name: self.utility.name,
                address: self.utility.address,
                tax_number: self.utility.tax_number,
            },
            vendor: self.vendor,
            terminal: self.terminal,
            operator: self.operator,
            customer: self.customer.map(customer),
            meter: Meter { number, key, algorithm, carrier },
            tariff: self.tariff,
            class: self.class,
            service,
            currency: self.currency,
            decimals,
            payment,
            lines,
            tendered: self.totals.tendered.0,
            units: self.totals.units.0,
            waiting: self
                .waiting
                .into_iter()
                .map(|each| (each.description, each.amount.0))
                .collect(),
            tokens,
            days_since: self.days_since,
            terms: self.terms,
            messages: self.messages,
            qr: self.qr,
        })?;
        match self.totals.paid {
            Some(Figure(paid)) if paid != receipt.paid() => {
                let text = format!(
                    "expected {}, which is tendered less change, found {paid}",
                    receipt.paid()
                );
                Err(vec![ReceiptFault::new("totals.paid", text)])
            }
            _ => Ok(receipt),
        }
    }
}

/// What is wrong with a record.
#[derive(Default)]
struct Faults(Vec<ReceiptFault>);

impl Faults {
    /// A value, or one fault more.
    fn of<T>(&mut self, field: &str, value: Result<T, impl fmt::Display>) -> Option<T> {
        value.map_err(|text| self.0.push(ReceiptFault::new(field, text.to_string()))).ok()
    }

    /// A data element or a token from its digits.
    fn element<T: FromStr<Err: fmt::Display>>(&mut self, field: &str, text: &str) -> Option<T> {
        self.of(field, text.parse())
    }

    /// What names a key: group, revision and tariff index, or none of them.
    fn key(
        &mut self,
        field: &str,
        group: Option<String>,
        revision: Option<u8>,
        tariff_index: Option<String>,
        expiry: Option<u8>,
    ) -> Option<MeterKey> {
        match (group, revision, tariff_index) {
            (Some(group), Some(revision), Some(tariff_index)) => Some(MeterKey {
                group: self.element(&format!("{field}.sgc"), &group)?,
                revision: self.of(&format!("{field}.krn"), revision.try_into())?,
                tariff_index: self.element(&format!("{field}.ti"), &tariff_index)?,
                expiry: expiry.map(KeyExpiryNumber::from),
            }),
            (None, None, None) if expiry.is_none() => None,
            _ => {
                let text = "expected sgc, krn and ti together, found only some of them";
                self.0.push(ReceiptFault::new(field, text));
                None
            }
        }
    }
}

/// The stable name of a value.
fn name_of<T: Copy + PartialEq>(all: &[(&str, T)], value: T) -> String {
    let known = all.iter().find(|(_, each)| *each == value);
    known.map(|(name, _)| (*name).to_owned()).expect("every value has a name")
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn is_false(truth: &bool) -> bool {
    !truth
}

fn electricity() -> String {
    Service::Electricity.name().to_owned()
}
