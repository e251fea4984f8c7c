//! What a customer owes, and how much of a purchase each debt takes.

use std::cmp::Ordering;

use rust_decimal::Decimal;

use crate::exact::{Direction, Exact, Rounding};
use crate::quote::QuoteError;

/// One debt of a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Debt {
    /// What it is for, as the receipt names it.
    pub name: String,
    /// What is owed, above zero.
    pub balance: Decimal,
    /// How much of a purchase it takes.
    pub rule: DebtRule,
    /// The most that it takes of a purchase, in per cent.
    pub most_percent: Option<Decimal>,
    /// The most that it takes of a purchase, as an amount.
    pub most_amount: Option<Decimal>,
}

/// How much of a purchase a debt takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DebtRule {
    /// Per cent of the amount.
    PercentOfAmount(Decimal),
    /// Per cent of the debt.
    PercentOfDebt(Decimal),
    /// So much of each purchase.
    Fixed(Decimal),
    /// Everything, until it is paid: no units before.
    All,
}

/// What a debt took of a purchase.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    pub(crate) amount: Decimal,
    pub(crate) balance: Decimal,
}

/// Shares out an amount among debts, in their order; `available` is the most that they take together. What they took so far
/// is rounded half up to the smallest unit of money, not each by itself: a cent more never makes them take two.
pub(crate) fn take(
    debts: &[Debt],
    amount: Decimal,
    available: Decimal,
    smallest: Decimal,
) -> Result<Vec<Taken>, QuoteError> {
    let rounding = Rounding { step: smallest, direction: Direction::HalfUp };
    let percent = |of: Decimal, rate: Decimal| -> Result<Exact, QuoteError> {
        Ok(Exact::from(of).times(Exact::from(rate))?.hundredth())
    };
    let least = |one: Exact, other: Exact| -> Result<Exact, QuoteError> {
        Ok(if one.compare(other)? == Ordering::Greater { other } else { one })
    };
    let available = Exact::from(available);
    let (mut so_far, mut rounded_so_far) = (Exact::ZERO, Decimal::ZERO);
    let mut taken = Vec::with_capacity(debts.len());
    for debt in debts {
        let balance = Exact::from(debt.balance);
        let mut wanted = match debt.rule {
            DebtRule::PercentOfAmount(rate) => percent(amount, rate)?,
            DebtRule::PercentOfDebt(rate) => percent(debt.balance, rate)?,
            DebtRule::Fixed(fixed) => Exact::from(fixed),
            DebtRule::All => balance,
        };
        if let Some(rate) = debt.most_percent {
            wanted = least(wanted, percent(amount, rate)?)?;
        }
        if let Some(most) = debt.most_amount {
            wanted = least(wanted, Exact::from(most))?;
        }
        so_far = least(so_far.add(least(wanted, balance)?)?, available)?;
        let rounded = so_far.rounded(rounding)?;
        let amount = rounded - rounded_so_far;
        rounded_so_far = rounded;
        taken.push(Taken { amount, balance: debt.balance - amount });
    }
    Ok(taken)
}
