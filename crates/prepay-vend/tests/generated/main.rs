//! Tariffs and purchases at random, with every feature of the format: a second solver, slow and obviously right, agrees on each
//! quote, and what must hold for every quote holds.
//!
//! The generator writes a tariff file and keeps what it wrote; the slow solver works on what it kept, the quick one on the file.

#[path = "../common/mod.rs"]
mod common;
mod generate;
mod slow;
mod spec;

use common::{read, sum};
use num_traits::Zero;
use prepay_testkit::Random;
use prepay_token::element::Amount;
use prepay_vend::{Ask, Decimal, LineKind, Purchase, Quote, QuoteError, Tariff};
use slow::{Fraction, Verdict, fraction};
use spec::{Base, Block, Case, Line, Rule, Spec, Written};

/// A case, its tariff from its file, and the rates that come with each purchase.
struct Generated {
    case: Case,
    tariff: Tariff,
    file: String,
    rates: Vec<(String, Decimal)>,
}

impl Generated {
    fn new(random: &mut Random) -> Self {
        let case = generate::case(random);
        let (file, rates) = case.spec.file();
        let tariff = read(&file, &file);
        Self { case, tariff, file, rates }
    }

    fn purchase(&self, ask: Ask) -> Purchase {
        let Case { spec, bought, months, months_in_blocks, days, debts, .. } = &self.case;
        let waiting = spec.lines.iter().enumerate().filter_map(|(index, line)| match &line.rule {
            Rule::Monthly { cap: Some(cap), .. } if !cap.waiting.is_zero() => {
                Some((format!("l{index}"), cap.waiting))
            }
            _ => None,
        });
        Purchase {
            class: spec.with_classes.then(|| "mine".to_owned()),
            bought_this_month: *bought,
            months_unpaid: Some(*months),
            months_in_blocks: Some(*months_in_blocks),
            days_since: Some(*days),
            debts: debts.clone(),
            rates: self.rates.clone(),
            waiting: waiting.collect(),
            carried: self.case.carried,
            carried_units: self.case.carried_units,
            free_units_due: self.case.free_units_due,
            ..Purchase::new("2024-05-05T00:00:00Z".parse().unwrap(), ask)
        }
    }

    fn quote(&self, ask: Ask) -> Result<Quote, QuoteError> {
        self.tariff.quote(&self.purchase(ask))
    }

    /// What a failure shows.
    fn told(&self) -> String {
        let Case {
            spec: _, amount, bought, months, months_in_blocks, days, debts, carried, ..
        } = &self.case;
        format!(
            "---\n{}\namount {amount} bought {bought} months {months} in blocks {months_in_blocks} days {days} \
             debts {debts:?} carried {carried}\n{:?}",
            self.file, self.rates
        )
    }
}

/// What the quick solver prints, in the same form. `left` is not told apart by a quote.
fn printed(case: &Case, quote: &Quote, left: Fraction) -> slow::Printed {
    let lines = (0..case.spec.lines.len())
        .map(|index| {
            quote
                .line(&format!("l{index}"))
                .map_or_else(Fraction::zero, |line| fraction(line.amount))
        })
        .collect();
    let sum = |kind| fraction(quote.sum(kind));
    let rest = [sum(LineKind::Change), sum(LineKind::CarriedOut), sum(LineKind::Rounding)];
    let waiting = quote
        .waiting
        .iter()
        .map(|(name, rest)| (name.trim_start_matches('l').parse().unwrap(), fraction(*rest)));
    slow::Printed { lines, units: fraction(quote.units), rest, waiting: waiting.collect(), left }
}

/// What holds for every quote by itself.
fn check_quote(made: &Generated, quote: &Quote) {
    let Case { spec, carried_units, free_units_due, .. } = &made.case;
    assert_eq!(sum(quote), quote.tendered, "{}", made.told());
    for line in &quote.lines {
        let may_be_negative = matches!(line.kind, LineKind::CarriedIn | LineKind::Rounding);
        let index = line.name.strip_prefix('l').and_then(|index| index.parse::<usize>().ok());
        let is_rebate = index.is_some_and(|index| spec.lines[index].rebate);
        let is_good = may_be_negative || is_rebate || line.amount >= Decimal::ZERO;
        assert!(is_good, "{line:?}\n{}", made.told());
        assert!(
            !is_rebate || line.amount <= Decimal::ZERO || spec.remainder == index,
            "{line:?}\n{}",
            made.told()
        );
    }
    let units_of = |kind| -> Decimal {
        quote.lines.iter().filter(|line| line.kind == kind).filter_map(|line| line.units).sum()
    };
    assert_eq!(units_of(LineKind::CarriedIn), *carried_units, "{}", made.told());
    let all = quote.units + carried_units;
    assert_eq!(quote.token_units + units_of(LineKind::CarriedOut), all, "{}", made.told());
    if let Some(step) = spec.token_step {
        assert!((quote.token_units % step).is_zero(), "{}", made.told());
        let is_coded_exactly = all <= Decimal::from(1638);
        assert!(!is_coded_exactly || all - quote.token_units < step, "{}", made.told());
    }
    let free = if *free_units_due { spec.free_units.unwrap_or_default() } else { Decimal::ZERO };
    assert_eq!(units_of(LineKind::FreeUnits), free, "{}", made.told());
}

/// Compares both solvers. Answers whether something was sold.
fn check(made: &Generated) -> bool {
    let Generated { case, .. } = made;
    let found = made.quote(Ask::Amount(case.amount));
    // Rounding seldom makes an amount below buy more; then that one is priced.
    let mut expected = slow::price(case, case.amount);
    if let Ok(quote) = &found {
        let units = fraction(quote.units);
        let is_more = match &expected {
            Verdict::Sold(expected) => units > expected.units,
            Verdict::Nothing => true,
            Verdict::CostsNothing => false,
        };
        if is_more {
            expected = slow::priced_below(case, case.amount, &units);
        }
    }
    match (&found, &expected) {
        (Err(QuoteError::AmountInGap { found, below, .. }), Verdict::Sold(expected)) => {
            assert_eq!(case.spec.gap, "refuse");
            assert_eq!(fraction(*found - *below), expected.left, "{}", made.told());
            assert!(!expected.left.is_zero(), "{}", made.told());
            return true;
        }
        (Ok(quote), Verdict::Sold(expected)) => {
            assert_eq!(printed(case, quote, expected.left.clone()), **expected, "{}", made.told());
            assert!(case.spec.gap != "refuse" || expected.left.is_zero(), "{}", made.told());
            check_quote(made, quote);
            return true;
        }
        (
            Err(QuoteError::AmountSwallowed { .. } | QuoteError::AmountTooSmall { .. }),
            Verdict::Nothing,
        ) => {}
        (Err(QuoteError::Invalid { field, .. }), Verdict::CostsNothing) if field == "rates" => {}
        // More than the largest amount of units that a token carries.
        (Err(QuoteError::AmountTooLarge { found: Some(_), .. }), Verdict::Sold(expected))
            if case.spec.token_step.is_some()
                && expected.units > fraction(Decimal::new(Amount::LARGEST_TENTHS.into(), 1)) => {}
        _ => panic!("{found:?}\n{expected:?}\n{}", made.told()),
    }
    false
}

fn agree(seed: u64, count: usize) {
    let mut random = Random::new(seed);
    let mut sold = 0;
    for _ in 0..count {
        sold += usize::from(check(&Generated::new(&mut random)));
    }
    assert!(
        sold * 2 > count,
        "{sold} of {count} purchases bought something: the generator has lost its point"
    );
}

/// A number from the environment, or so many.
fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a whole number"))
}

#[test]
fn both_solvers_agree_on_generated_tariffs() {
    agree(1, 400);
}

#[test]
#[ignore = "long: a million quotes"]
fn both_solvers_agree_on_a_million_generated_quotes() {
    let count = from_environment("PREPAY_QUOTES", 1_000_000);
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get() as u64);
    let seed = from_environment("PREPAY_QUOTES_SEED", 2026);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || agree(seed + thread, (count / threads) as usize));
        }
    });
}

/// Amounts of a case, some of them a cent apart.
fn amounts(random: &mut Random, made: &Generated, count: usize) -> Vec<Decimal> {
    let cent = made.case.spec.cent();
    let mut amounts: Vec<Decimal> = (0..count)
        .map(|_| {
            (made.case.amount * Decimal::new(random.below(150) as i64, 2))
                .trunc_with_scale(made.case.spec.decimals)
        })
        .flat_map(|amount| [amount, amount + cent, amount + cent + cent])
        .filter(|amount| *amount > Decimal::ZERO)
        .collect();
    amounts.sort();
    amounts.dedup();
    amounts
}

#[test]
fn more_money_never_buys_fewer_units_except_above_the_threshold_of_a_fee_which_is_announced() {
    let mut random = Random::new(3);
    for _ in 0..250 {
        let made = Generated::new(&mut random);
        // An amount in a jump is refused, so it buys nothing at all.
        if made.case.spec.gap == "refuse" {
            continue;
        }
        let mut before: Option<(Decimal, Decimal)> = None;
        for amount in amounts(&mut random, &made, 4) {
            let units = match made.quote(Ask::Amount(amount)) {
                Ok(quote) => quote.units,
                Err(QuoteError::Invalid { field, .. }) if field == "rates" => break,
                Err(_) => Decimal::ZERO,
            };
            if let Some((less, more_units)) = before
                && units < more_units
            {
                let threshold = slow::threshold_below(&made.case, amount);
                assert!(
                    threshold >= less,
                    "{less} buys {more_units} and {amount} buys {units}\n{}",
                    made.told()
                );
                if !units.is_zero() {
                    let explained =
                        made.tariff.explain(&made.purchase(Ask::Amount(amount))).unwrap();
                    let told = explained
                        .notices
                        .iter()
                        .any(|notice| notice.contains("is charged because the amount is above"));
                    assert!(told, "{:?}\n{}", explained.notices, made.told());
                }
            }
            before = Some((amount, units));
        }
    }
}

#[test]
fn a_quote_by_units_is_the_quote_of_its_amount_and_buys_at_least_those_units() {
    let mut random = Random::new(4);
    let mut compared = 0;
    for _ in 0..300 {
        let made = Generated::new(&mut random);
        let Ok(by_amount) = made.quote(Ask::Amount(made.case.amount)) else { continue };
        // Money carried in or left in a jump may buy these units for nothing more.
        let by_units = made.quote(Ask::Units(by_amount.units));
        let by_units = by_units.unwrap_or_else(|error| panic!("{error}\n{}", made.told()));
        assert!(by_units.units >= by_amount.units, "{}", made.told());
        let again = made.quote(Ask::Amount(by_units.amount)).unwrap();
        let same = Quote { exact_total: again.exact_total, ..by_units };
        assert_eq!(same, again, "{}", made.told());
        compared += 1;
    }
    assert!(compared > 150, "{compared}");
}

/// Marginal blocks whose prices rise, one that adds up, a monthly charge, a levy and a tax on all of them.
fn rising(random: &mut Random) -> Generated {
    let mut made = Generated::new(random);
    let spec = &mut made.case.spec;
    let mut prices: Vec<Decimal> = (0..3).map(|_| generate::figure(random, 5, 3)).collect();
    prices.sort();
    let ends = [Some(Decimal::from(30)), Some(Decimal::from(80)), None];
    let blocks = ends.into_iter().zip(prices).enumerate();
    let blocks = blocks.map(|(index, (to, price))| Block {
        to,
        price,
        reprices: false,
        accrues: index == 0,
    });
    let line = |kind, rule| Line {
        kind,
        rule,
        direction: "half_up",
        step: None,
        rebate: false,
        on_top: false,
        times: None,
        written: Written::Plain,
    };
    let per_unit =
        |blocks| Rule::PerUnit { blocks, whole_purchase: false, cap: None, exchange: None };
    let levy =
        Block { to: None, price: generate::figure(random, 1, 2), reprices: false, accrues: false };
    let monthly = generate::figure(random, 9, spec.decimals);
    let of = (0..3).map(|line| Base { taken_off: false, line: Some(line) }).collect();
    let tax = Rule::Percent {
        rate: Decimal::from(18),
        divide_by: None,
        of,
        above: None,
        printed: false,
        included: false,
    };
    spec.lines = vec![
        line("energy", per_unit(blocks.collect())),
        line("charge", Rule::Monthly { tiers: vec![(None, monthly)], accrues: true, cap: None }),
        line("levy", per_unit(vec![levy])),
        line("tax", tax),
    ];
    (spec.units_from, spec.remainder, spec.remainder_word) = ("exact", Some(0), "l0".to_owned());
    (spec.price_step, spec.token_step, spec.with_classes) = (None, None, false);
    let case = &mut made.case;
    (case.bought, case.carried, case.carried_units) = (Decimal::ZERO, Decimal::ZERO, Decimal::ZERO);
    (case.debts, case.months) = (Vec::new(), 2);
    let (file, rates) = case.spec.file();
    Generated { tariff: read(&file, &file), case: made.case, file, rates }
}

#[test]
fn marginal_blocks_do_not_depend_on_how_the_purchases_of_a_month_are_split() {
    let mut random = Random::new(5);
    for _ in 0..300 {
        let mut made = rising(&mut random);
        let places = made.case.spec.decimals;
        let parts: Vec<Decimal> = (0..2 + random.below(4))
            .map(|_| Decimal::from(40) + generate::figure(&mut random, 99, places))
            .collect();
        let whole = made.quote(Ask::Amount(parts.iter().sum())).unwrap().units;
        let mut bought = Decimal::ZERO;
        for part in &parts {
            bought += made.quote(Ask::Amount(*part)).unwrap().units;
            (made.case.bought, made.case.months) = (bought, 0);
        }
        let most = made.case.spec.units_step * Decimal::from(parts.len());
        assert!(
            (bought - whole).abs() <= most,
            "{parts:?}: {bought}, at once {whole}\n{}",
            made.told()
        );
    }
}

#[test]
fn the_largest_amount_of_every_currency_is_priced_and_none_overflows() {
    let mut random = Random::new(6);
    let mut places = std::collections::BTreeSet::new();
    let letters = || 'A'..='Z';
    let codes = letters().flat_map(|first| {
        letters()
            .flat_map(move |second| letters().map(move |third| format!("{first}{second}{third}")))
    });
    for currency in codes.filter_map(|code| iso_currency::Currency::from_code(&code)) {
        let Some(exponent) = currency.exponent() else { continue };
        places.insert(exponent);
        let code = currency.code();
        let decimals = u32::from(exponent);
        let amount = Decimal::new(999_999_999_999_999_999, decimals);
        // Tariffs with figures of as many places, which the file leaves to the currency. No token carries so many units.
        let is_for = |spec: &Spec| spec.decimals == decimals && spec.token_step.is_none();
        let cases = std::iter::repeat_with(|| Generated::new(&mut random));
        for mut made in cases.filter(|made| is_for(&made.case.spec)).take(3) {
            made.file =
                made.file.replace("XTS", code).replace(&format!("decimals = {decimals}\n"), "");
            made.tariff = read(&made.file, &made.file);
            assert_eq!(made.tariff.decimals(), decimals, "{code}");
            for amount in [amount, amount - Decimal::new(1, decimals)] {
                match made.quote(Ask::Amount(amount)) {
                    Ok(quote) => {
                        assert_eq!(sum(&quote), quote.tendered, "{code}");
                        let more = made.tariff.explain(&made.purchase(Ask::Amount(amount)));
                        assert_eq!(more.unwrap().quote, quote, "{code}");
                    }
                    Err(QuoteError::Invalid { field, .. }) if field == "rates" => {}
                    Err(QuoteError::AmountSwallowed { .. } | QuoteError::AmountInGap { .. }) => {}
                    Err(error) => panic!("{code} {amount}: {error}\n{}", made.told()),
                }
            }
        }
    }
    assert_eq!(places, [0, 2, 3, 4].into());
}
