//! The last part of the demonstration: a price that explains itself, and the receipt with the token.

use std::io::{self, Write};

use prepay_records::purchase::QuoteRecord;
use prepay_records::receipt::ReceiptRecord;
use prepay_token::TokenData;
use prepay_token::element::{EncryptionAlgorithm, MeterPan, TokenCarrierType};
use prepay_vend::{
    Ask, Debt, DebtRule, Decimal, Explained, Language, Meter, MeterKey, Moment, PaymentMethod,
    Purchase, Receipt, ReceiptFacts, ReceiptToken, Slip, Tariff, TokenKind, Utility,
};
use serde_json::{Value, json};

use super::{Failure, revision, supply_group};
use crate::vend::print;

/// What the customer pays and gets.
pub(super) struct Sale {
    tariff: Tariff,
    explained: Explained,
    receipt: Receipt,
}

/// Sells the 25.6 kWh of a token.
pub(super) fn sell(pan: MeterPan, token: TokenData, at: Moment) -> Result<Sale, Failure> {
    let tariff = Tariff::read(include_str!("tariff.toml"));
    let tariff = tariff.map_err(|faults| faults[0].to_string())?;
    let units = Decimal::new(256, 1);
    let debt = Debt {
        name: "Connection fee".to_owned(),
        balance: Decimal::from(1450),
        rule: DebtRule::Fixed(Decimal::from(200)),
        most_percent: None,
        most_amount: None,
    };
    let purchase = Purchase { debts: vec![debt], ..Purchase::new(at, Ask::Units(units)) };
    let explained = tariff.explain(&purchase)?;
    let key = MeterKey {
        group: supply_group()?,
        revision: revision()?,
        tariff_index: 1.try_into()?,
        expiry: None,
    };
    let meter = Meter {
        number: pan,
        key: Some(key),
        algorithm: Some(EncryptionAlgorithm::Sta),
        carrier: Some(TokenCarrierType::NUMERIC),
    };
    let number = "0047-002261".to_owned();
    let facts = ReceiptFacts::new(number, at, meter, &tariff, explained.quote.clone());
    let credit = ReceiptToken {
        kind: TokenKind::Credit,
        token,
        units: Some(units),
        description: None,
        key: None,
        repeated: false,
    };
    let receipt = Receipt::new(ReceiptFacts {
        test: true,
        utility: Utility { name: "MWAMBAO POWER".to_owned(), ..Utility::default() },
        payment: Some((PaymentMethod::Cash, None)),
        tokens: vec![credit],
        days_since: Some(12),
        ..facts
    });
    let receipt = receipt.map_err(|faults| faults[0].to_string())?;
    Ok(Sale { tariff, explained, receipt })
}

impl Sale {
    /// The price with its reasons, and the slip.
    pub(super) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        print::explained(&self.tariff, &self.explained, out)?;
        let english = Language::own("en").expect("English comes with Prepay");
        let slip = Slip::new(&self.receipt, &english).text(40);
        writeln!(out)?;
        slip.lines().try_for_each(|line| writeln!(out, "    {line}"))
    }

    /// The same as JSON.
    pub(super) fn as_value(&self) -> Value {
        json!({
            "quote": QuoteRecord::explained(&self.tariff, &self.explained),
            "receipt": ReceiptRecord::new(&self.receipt),
        })
    }
}
