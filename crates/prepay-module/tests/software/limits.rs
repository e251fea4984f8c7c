//! Limits and counters, against a model of their own and through any number of reopenings.

use prepay_kmp::attribute::{CurrencyLimit, UnitLimit};
use prepay_module::software::ModulePolicy;
use prepay_module::{IssueRequest, Issued, Refusal, SecurityModule, TokenRequest};
use prepay_token::Instruction;
use prepay_token::element::{Amount, CurrencyAmount, RandomNumber, Service};
use proptest::prelude::*;

use crate::kit::*;

/// A request for this credit.
fn token(instruction: Instruction) -> IssueRequest {
    IssueRequest::Token(TokenRequest { instruction, ..credit(1) })
}

/// One thing that happens to the module.
#[derive(Clone, Copy, Debug)]
enum Step {
    Units(u16),
    Currency(u8, u16),
    Management,
    KeyChange,
    Refill(u8),
    Load,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0_u16..400).prop_map(Step::Units),
        2 => any::<u16>().prop_map(Step::Units),
        // Sign, and exponents from nothing to the largest.
        6 => (prop_oneof![Just(0_u8), Just(8), 0_u8..16], any::<u16>())
            .prop_map(|(sign_exponent, bits)| Step::Currency(sign_exponent, bits)),
        2 => Just(Step::Management),
        1 => Just(Step::KeyChange),
        1 => any::<u8>().prop_map(|tokens| Step::Refill(tokens % 9)),
        1 => Just(Step::Load),
        2 => Just(Step::Reopen),
    ]
}

/// What the module should know.
struct Model {
    units: u64,
    currency: u128,
    transactions: u64,
    random: u64,
}

const UNITS: u32 = 100;
const CURRENCY: u32 = 3;

fn key() -> TestKey {
    TestKey::new(1).with(|a| {
        a.unit_limit = UnitLimit(Some(UNITS));
        a.currency_limit = CurrencyLimit(Some(CURRENCY));
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn limits_and_counters_are_those_of_a_model(steps in prop::collection::vec(step(), 1..60)) {
        let policy = ModulePolicy { transactions: Some(20), ..policy() };
        let (mut world, mut centre) = loaded(policy, &[key()]);
        let full = (10 * u64::from(UNITS), 100_000 * u128::from(CURRENCY));
        let mut model = Model { units: full.0, currency: full.1, transactions: 20, random: 0 };
        for step in steps {
            let request = match step {
                Step::Units(bits) => {
                    let amount = Amount::from_bits(bits);
                    token(Instruction::Credit { service: Service::Electricity, amount })
                }
                Step::Currency(sign_exponent, bits) => {
                    let amount = CurrencyAmount::from_bits(sign_exponent, bits);
                    token(Instruction::CurrencyCredit { service: Service::Electricity, amount })
                }
                Step::Management => IssueRequest::Token(management(1)),
                Step::KeyChange => IssueRequest::KeyChange(key_change(1, 1)),
                Step::Refill(tokens) => {
                    model.transactions += u64::from(tokens);
                    let left = world.custodians().refill(u64::from(tokens));
                    prop_assert_eq!(left, Ok(model.transactions));
                    continue;
                }
                Step::Load => {
                    centre.load(&world, &[key()]);
                    (model.units, model.currency) = full;
                    continue;
                }
                Step::Reopen => {
                    world.reopen();
                    continue;
                }
            };
            let answer = world.operator().issue(&[request]).unwrap().remove(0);
            let (units, currency, tokens) = match request {
                IssueRequest::Token(request) => match request.instruction {
                    Instruction::Credit { amount, .. } => (u64::from(amount.tenths()), 0, 1),
                    Instruction::CurrencyCredit { amount, .. } => {
                        (0, u128::try_from(amount.hundred_thousandths()).unwrap_or(0), 1)
                    }
                    _ => (0, 0, 1),
                },
                IssueRequest::KeyChange(_) => (0, 0, 4),
            };
            if units > model.units || currency > model.currency {
                prop_assert!(matches!(answer, Err(Refusal::CreditLimit { .. })), "{:?}", answer);
            } else if tokens > model.transactions {
                prop_assert_eq!(answer, Err(Refusal::Transactions));
            } else {
                model.units -= units;
                model.currency -= currency;
                model.transactions -= tokens;
                match answer {
                    Ok(Issued::Token(token)) if token.random.is_some() => {
                        let expected = RandomNumber::from_counter(model.random);
                        prop_assert_eq!(token.random, Some(expected));
                        model.random += 1;
                    }
                    Ok(_) => {}
                    Err(refusal) => panic!("{refusal}"),
                }
            }
            let expected = (Some(model.units), Some(model.currency), Some(model.transactions));
            prop_assert_eq!(world.left(1), expected, "{:?}", step);
        }
    }
}

#[test]
fn a_debit_in_currency_gives_nothing_back() {
    let (world, _) = loaded(policy(), &[key().with(|a| a.currency_limit = CurrencyLimit(Some(1)))]);
    let currency = |value| {
        let amount = CurrencyAmount::from_hundred_thousandths(value).unwrap();
        let instruction = Instruction::CurrencyCredit { service: Service::Electricity, amount };
        let request = TokenRequest { instruction, ..credit(1) };
        world.operator().issue_token(request)
    };
    assert!(currency(16_383).is_ok());
    assert_eq!(world.left(1).1, Some(83_617));
    assert!(currency(-1_000_000).is_ok());
    assert_eq!(world.left(1).1, Some(83_617));
    // What the token carries is counted: 83 617 would be rounded up.
    assert!(currency(83_617).is_err());
    assert_eq!(world.left(1).1, Some(83_617));
}

#[test]
fn a_limit_can_be_used_to_its_last_tenth() {
    let (world, _) = loaded(policy(), &[key().with(|a| a.unit_limit = UnitLimit(Some(2000)))]);
    // 20 000 tenths are rounded up to 20 004, which is more than there is.
    let asked = |tenths| TokenRequest { instruction: units(tenths), ..credit(1) };
    assert!(world.operator().issue_token(asked(20_000)).is_err());
    assert!(world.operator().issue_token(asked(19_994)).is_ok());
    assert_eq!(world.left(1).0, Some(6));
    assert!(world.operator().issue_token(asked(7)).is_err());
    assert!(world.operator().issue_token(asked(6)).is_ok());
    assert!(world.operator().issue_token(asked(1)).is_err());
    assert!(world.operator().issue_token(asked(0)).is_ok());
}
