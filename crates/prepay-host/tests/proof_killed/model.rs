//! What a module must count, by what its audit log tells.

use std::collections::{HashMap, HashSet};

use prepay_module::IssueRequest;
use prepay_module::software::{IssuedRow, ModuleEntry};
use prepay_testkit::ceremony::People;
use prepay_token::element::{Amount, CurrencyAmount, RandomNumber};
use prepay_vault::{Entry, Record};

use crate::child::request;
use crate::proof_kit::{Number, REGISTERS, TRANSACTIONS};

/// What each key-load file adds to the transaction counter.
pub(crate) const LOADED: u64 = 5;
/// What each refill adds.
pub(crate) const REFILLED: u64 = 3;

/// What the log says must be counted.
#[derive(Default)]
pub(crate) struct Model {
    pub(crate) sequence: u64,
    pub(crate) names: HashSet<Number>,
    pub(crate) randoms: u64,
    pub(crate) tokens: u64,
    pub(crate) units_tenths: u64,
    pub(crate) currency: u128,
    pub(crate) loads: u64,
    pub(crate) serial: u64,
    pub(crate) refills: u64,
}

impl Model {
    pub(crate) fn left(&self) -> u64 {
        TRANSACTIONS + LOADED * self.loads + REFILLED * self.refills - self.tokens
    }

    /// Takes in what is new in the log, and gives the rows of it.
    pub(crate) fn read(
        &mut self,
        records: &[Record<ModuleEntry>],
        told: &str,
    ) -> HashMap<Number, IssuedRow> {
        let mut rows = HashMap::new();
        for record in records {
            self.sequence += 1;
            assert_eq!(record.sequence, self.sequence, "{told}");
            match &record.entry {
                Entry::Owner(ModuleEntry::Issued { rows: issued }) => {
                    for row in issued {
                        self.count(row, told);
                        let number = Number::of(row.request.expect("all have names"));
                        assert!(self.names.insert(number), "{number:?} was made twice");
                        rows.insert(number, *row);
                    }
                }
                Entry::Owner(ModuleEntry::KeysLoaded { serial, .. }) => {
                    // The first file came before the torture.
                    assert!(*serial > self.serial, "files come in their order");
                    self.loads += u64::from(self.serial > 0);
                    self.serial = *serial;
                }
                Entry::Owner(ModuleEntry::Refilled { added, left }) => {
                    assert_eq!(*added, REFILLED);
                    self.refills += 1;
                    assert_eq!(*left, self.left());
                }
                _ => {}
            }
        }
        rows
    }

    pub(crate) fn count(&mut self, row: &IssuedRow, told: &str) {
        let is_key_change = row.new_register != 0;
        self.tokens += if is_key_change { u64::from(row.sub_class) } else { 1 };
        if !is_key_change && (row.class == 2 || row.sub_class < 4) {
            let expected = RandomNumber::from_counter(self.randoms).value();
            assert_eq!(row.random, expected, "random numbers follow each other: {told}");
            self.randoms += 1;
        }
        match (row.class, row.sub_class) {
            (0, 0..4) => {
                self.units_tenths += u64::from(Amount::from_bits(row.value as u16).tenths());
            }
            (0, _) => {
                let sign_exponent = (row.value >> 16) as u8;
                let amount = CurrencyAmount::from_bits(sign_exponent, row.value as u16);
                self.currency += amount.hundred_thousandths().unsigned_abs();
            }
            _ => {}
        }
    }

    /// Compares with what the module says.
    pub(crate) fn compare(&self, people: &People, told: &str) {
        let status = people.auditor.status().unwrap();
        assert_eq!(status.transactions, self.tokens, "{told}");
        assert_eq!(status.transactions_left, Some(self.left()), "{told}");
        let registers = people.auditor.registers().unwrap();
        assert_eq!(registers.len(), REGISTERS.len());
        let most = u64::from(u32::MAX);
        let (tenths, hundred_thousandths) = (10 * most, u128::from(most) * 100_000);
        for (held, (units, currency)) in registers.iter().zip([
            (tenths - self.units_tenths, hundred_thousandths),
            (tenths, hundred_thousandths - self.currency),
            (tenths, hundred_thousandths),
        ]) {
            assert_eq!(held.units_left_tenths, Some(units), "{told}");
            assert_eq!(held.currency_left, Some(currency), "{told}");
        }
    }
}

pub(crate) fn check_row(number: Number, row: &IssuedRow, digits: &str, random: u8) {
    assert_eq!(row.last_digits, digits[16..].parse::<u16>().unwrap(), "{number:?}");
    assert_eq!(row.random, random, "{number:?}");
    assert_eq!(row.pan.to_string(), number.meter().pan.as_str().trim_start_matches('0'));
    let identifier = match request(number) {
        IssueRequest::KeyChange(_) => 0,
        _ => number.identifier().value(),
    };
    assert_eq!(row.identifier, identifier, "{number:?}");
}
