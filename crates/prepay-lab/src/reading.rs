//! How plausible a token is that opened under one of many keys: a false match reads like chance.
//!
//! - What speaks against a reading is a doubt. Readings are ranked by the number of their doubts, then by how near their
//!   time is to the sale.
//! - The clock and what is known of the sale come from the caller.

use prepay_records::time::Printed;
use prepay_token::element::{Amount, BaseDate, CurrencyAmount, PowerLimit, Service, UtcMinute};
use prepay_token::key::check_use;
use prepay_token::{ManagementFunction, Token};

use crate::search::Candidate;

/// More units than people buy at once, in tenths.
const MANY_TENTHS: u32 = 50_000;

/// More money than people pay at once, in hundred-thousandths.
const MUCH_MONEY: i128 = 1_000_000 * 100_000;

/// More watts than a small consumer may draw.
const MANY_WATTS: u32 = 1_000_000;

/// How far the time of issue may be from the sale, in minutes: a week.
const NEAR_MINUTES: u64 = 7 * 24 * 60;

/// How far another clock may be ahead, in minutes: a day.
const AHEAD_MINUTES: i64 = 24 * 60;

/// What is known of a sale, besides the token.
#[derive(Clone, Copy, Debug)]
pub struct Sale {
    /// The present.
    pub now: UtcMinute,
    /// About when the token was sold.
    pub sold_at: Option<UtcMinute>,
    /// The service of the meter.
    pub service: Option<Service>,
}

/// A token under one key.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The token.
    pub token: Token,
    /// The base date that makes its time the most plausible.
    pub base_date: Option<BaseDate>,
    /// What speaks against it, in words.
    pub doubts: Vec<String>,
    /// How far its time is from the sale, or from the present, in minutes.
    distance: u64,
}

impl Reading {
    /// A token that needs no key.
    pub(crate) fn in_clear(token: Token) -> Self {
        Self { token, base_date: None, doubts: Vec::new(), distance: u64::MAX }
    }

    /// A token that opened under a key.
    pub(crate) fn new(token: Token, key: &Candidate, sale: &Sale) -> Self {
        let of_key = check_use(&token, key.key_type(), key.expiry).err();
        let mut doubts: Vec<_> = of_key.map(|error| error.to_string()).into_iter().collect();
        doubts.extend(content(&token, sale));
        let none = Self { token, base_date: None, doubts, distance: u64::MAX };
        let Some(identifier) = none.token.identifier() else { return none };
        let dated = key.base_dates.iter().map(|&base_date| {
            let issued = base_date.minute_of(identifier);
            let mut doubts = none.doubts.clone();
            doubts.extend(time(issued, sale));
            let distance = minutes_between(issued, sale.sold_at.unwrap_or(sale.now));
            Self { base_date: Some(base_date), doubts, distance, ..none.clone() }
        });
        dated.min_by_key(Self::rank).unwrap_or(none)
    }

    /// The less, the more plausible.
    pub(crate) fn rank(&self) -> (usize, u64) {
        (self.doubts.len(), self.distance)
    }

    /// When it was issued, if the base date is known.
    pub fn issued_at(&self) -> Option<UtcMinute> {
        Some(self.base_date?.minute_of(self.token.identifier()?))
    }
}

fn minutes_between(one: UtcMinute, other: UtcMinute) -> u64 {
    one.unix_minutes().abs_diff(other.unix_minutes())
}

/// What speaks against a time of issue.
fn time(issued: UtcMinute, sale: &Sale) -> Option<String> {
    let Sale { now, sold_at, .. } = sale;
    if issued.unix_minutes() > now.unix_minutes() + AHEAD_MINUTES {
        return Some(format!("issued in the future, after {}", Printed(*now)));
    }
    let apart = minutes_between(issued, (*sold_at)?);
    (apart > NEAR_MINUTES).then(|| format!("issued {} days from the sale", apart / (24 * 60)))
}

/// What speaks against the content of a token.
fn content(token: &Token, sale: &Sale) -> Vec<String> {
    let mut doubts = Vec::new();
    let mut doubt = |holds: bool, words: &str| {
        if holds {
            doubts.push(words.to_owned());
        }
    };
    match token {
        Token::Credit { service, amount, .. } => {
            doubt(*amount == Amount::from_bits(0), "nothing is credited");
            doubt(amount.tenths() > MANY_TENTHS, "more than people buy at once");
            doubts.extend(of_service(*service, sale));
        }
        Token::CurrencyCredit { service, amount, .. } => {
            let value = CurrencyAmount::hundred_thousandths(*amount);
            doubt(value == 0, "nothing is credited");
            doubt(value < 0, "money is taken away");
            doubt(value.abs() > MUCH_MONEY, "more than people pay at once");
            doubts.extend(of_service(*service, sale));
        }
        Token::Management { function, .. } => {
            let watts = function.limit().map(PowerLimit::watts);
            doubt(watts == Some(0), "a limit of 0 W");
            doubt(watts.is_some_and(|watts| watts > MANY_WATTS), "a limit above a megawatt");
            let is_proprietary = matches!(function, ManagementFunction::Proprietary { .. });
            doubt(is_proprietary, "a maker's own function");
        }
        _ => {}
    }
    doubts
}

fn of_service(service: Service, sale: &Sale) -> Option<String> {
    match sale.service {
        Some(expected) => (service != expected)
            .then(|| format!("{} for a meter of {}", service.name(), expected.name())),
        None => (service == Service::Time).then(|| "few meters count time".to_owned()),
    }
}
