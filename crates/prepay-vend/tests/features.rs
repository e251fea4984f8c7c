//! Features of the format, each with a purchase that can be followed on paper.

mod common;

use common::{decimal, read, sum};
use prepay_vend::{Ask, Debt, DebtRule, Decimal, LineKind, Purchase, Quote, Tariff};

/// A tariff in rands with the lines of one version, and words of the version before them.
fn tariff(version: &str, lines: &str) -> Tariff {
    tariff_with(version, lines, ("", ""))
}

/// As [`tariff`], with words of the file replaced.
fn tariff_with(version: &str, lines: &str, (word, other): (&str, &str)) -> Tariff {
    let text = format!(
        "name = \"t\"\ncurrency = \"ZAR\"\n[month]\nzone = \"Africa/Johannesburg\"\n\
         [class.small]\nmean_to = 100\n[class.large]\n[rate.day]\ntext = \"rate of the day\"\n[rate.load]\ntext = \"kilowatts\"\n\
         [[version]]\nfrom = 2024-01-01\n{version}\n\
         [version.rounding]\nunits = 0.1\nunits_direction = \"down\"\nremainder = \"energy\"\n{lines}"
    );
    let text = if word.is_empty() { text } else { text.replace(word, other) };
    read(&text, &text)
}

fn amount(text: &str) -> Purchase {
    Purchase::new("2024-05-05T08:00:00Z".parse().unwrap(), Ask::Amount(decimal(text)))
}

fn quote(tariff: &Tariff, purchase: &Purchase) -> Quote {
    let quote = tariff.quote(purchase).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(sum(&quote), quote.tendered);
    quote
}

/// The amount of a line.
fn of(quote: &Quote, name: &str) -> String {
    quote.line(name).map_or_else(|| "none".to_owned(), |line| line.amount.to_string())
}

const LIFELINE: &str = "[[version.line]]\nname = \"energy\"\nkind = \"energy\"\n\
    blocks = [{ to = 15, price = 1, accrues = true }, { to = 100, price = 2 }, { price = 3 }]\n";

#[test]
fn units_of_a_lifeline_that_were_not_bought_add_up_and_last_for_the_whole_month() {
    let tariff = tariff("", LIFELINE);
    // Three months: 45 units at 1, then 85 at 2, as many as without.
    let of_three = Purchase { months_unpaid: Some(3), ..amount("245") };
    assert_eq!(quote(&tariff, &of_three).units, decimal("140")); // 45 + 170 + 10 × 3
    // Whoever buys 20 of them first still has 25 of them later in the month.
    let first = Purchase { months_unpaid: Some(3), ..amount("20") };
    assert_eq!(quote(&tariff, &first).units, decimal("20"));
    let later = Purchase {
        months_unpaid: Some(0),
        months_in_blocks: Some(3),
        bought_this_month: decimal("20"),
        ..amount("225")
    };
    assert_eq!(quote(&tariff, &later).units, decimal("120"));
    // In the next month there are 15 again.
    assert_eq!(quote(&tariff, &amount("17")).units, decimal("16"));
    assert_eq!(of(&quote(&tariff, &amount("17")), "energy"), "17.00");
}

/// An energy line with this rule.
fn energy(rule: &str) -> String {
    format!("[[version.line]]\nname = \"energy\"\nkind = \"energy\"\n{rule}\n")
}

/// A charge with this rule.
fn charge(name: &str, rule: &str) -> String {
    format!("[[version.line]]\nname = \"{name}\"\nkind = \"charge\"\n{rule}\n")
}

fn vat(rule: &str) -> String {
    format!("[[version.line]]\nname = \"vat\"\nkind = \"tax\"\npercent = 15\n{rule}\n")
}

fn named(pairs: &[(&str, &str)]) -> Vec<(String, Decimal)> {
    pairs.iter().map(|(name, figure)| ((*name).to_owned(), decimal(figure))).collect()
}

#[test]
fn charges_with_a_common_cap_take_half_of_a_purchase_and_the_rest_waits() {
    let lines = [
        charge("service", "monthly = 70\ncap_percent = 50"),
        charge("capacity", "monthly = 130\ncap_percent = 50\ncap_with = [\"service\"]"),
        energy("price = 2"),
    ];
    let tariff = tariff("", &lines.concat());
    let first = quote(&tariff, &amount("100"));
    assert_eq!((of(&first, "service"), of(&first, "capacity")), ("50.00".into(), "none".into()));
    assert_eq!(first.units, decimal("25"));
    assert_eq!(first.waiting, named(&[("service", "20.00"), ("capacity", "130.00")]));
    // Later in the month nothing new is due, and what waits is taken.
    let later = Purchase {
        waiting: first.waiting.clone(),
        months_unpaid: Some(0),
        bought_this_month: first.units,
        ..amount("400")
    };
    let second = quote(&tariff, &later);
    assert_eq!(
        (of(&second, "service"), of(&second, "capacity")),
        ("20.00".into(), "130.00".into())
    );
    assert_eq!((second.units, second.waiting), (decimal("125"), Vec::new()));
    // With less, both caps together are half of it: 20 and 30.
    let small = quote(&tariff, &Purchase { ask: Ask::Amount(decimal("100")), ..later });
    assert_eq!((of(&small, "service"), of(&small, "capacity")), ("20.00".into(), "30.00".into()));
    assert_eq!(small.waiting, named(&[("capacity", "100.00")]));
}

#[test]
fn fixed_amounts_are_multiplied_by_kilowatts_of_supply() {
    let lines = [
        charge("demand", "monthly = 42\ntimes = \"load\"\naccrues = true"),
        charge("daily", "daily = 1.5\ntimes = 2\nmost_days = 10"),
        charge("slip", "per_purchase = 0.25\ntimes = \"load\""),
        energy("price = 2"),
    ];
    let tariff = tariff("", &lines.concat());
    let purchase = Purchase {
        rates: named(&[("load", "2")]),
        months_unpaid: Some(3),
        days_since: Some(30),
        ..amount("300")
    };
    let quote = quote(&tariff, &purchase);
    assert_eq!(of(&quote, "demand"), "252.00"); // 42 × 2 kW × 3 months
    assert_eq!(of(&quote, "daily"), "30.00"); // 1.5 × 2 × 10 days, not 30
    assert_eq!(of(&quote, "slip"), "0.50");
    assert_eq!(quote.units, decimal("8.7"));
}

#[test]
fn prices_in_another_currency_follow_the_rate_of_the_day() {
    let rule =
        "price = 0.09\nexchange = { rate = \"day\", step = 0.0001, direction = \"half_up\" }";
    let tariff = tariff("", &energy(rule));
    let purchase = Purchase { rates: named(&[("day", "27.12345")]), ..amount("244.11") };
    let quote = quote(&tariff, &purchase);
    assert_eq!(quote.units, decimal("100")); // 0.09 × 27.12345 = 2.4411105, to 2.4411
    assert_eq!(quote.line("energy").unwrap().unit_price, Some(decimal("2.4411")));
    let missing = tariff.quote(&amount("244.11")).unwrap_err().to_string();
    assert_eq!(missing, "rates.day is missing: expected rate of the day, given with the purchase");
}

#[test]
fn a_price_with_tax_in_it_is_split_and_one_without_gets_the_tax_on_top_of_it() {
    let with =
        tariff("", &[energy("price = 1.15"), vat("of = [\"energy\"]\nincluded = true")].concat());
    let without = tariff("", &[energy("price = 1"), vat("of = [\"energy\"]")].concat());
    for tariff in [with, without] {
        let quote = quote(&tariff, &amount("115"));
        assert_eq!((of(&quote, "energy"), of(&quote, "vat")), ("100.00".into(), "15.00".into()));
        assert_eq!(quote.units, decimal("100"));
    }
}

#[test]
fn money_in_a_jump_is_given_back_or_kept_or_refused_as_the_tariff_says() {
    let lines =
        energy("pricing = \"whole_month\"\nblocks = [{ to = 25, price = 0.15 }, { price = 0.24 }]");
    let with = |gap: &str| tariff(&format!("gap = \"{gap}\""), &lines);
    // 25 units cost 3.75; a tenth more costs 25.1 × 0.24 = 6.024.
    for (gap, kind) in [("change", LineKind::Change), ("carry", LineKind::CarriedOut)] {
        let quote = quote(&with(gap), &amount("5"));
        assert_eq!((quote.units, quote.sum(kind)), (decimal("25"), decimal("1.25")), "{gap}");
    }
    let refused = with("refuse").quote(&amount("5")).unwrap_err();
    assert_eq!(refused.code(), "amount_in_gap");
    assert_eq!(
        refused.to_string(),
        "5 lies where the price jumps: 3.75 buys the same units, and 6.03 is the next amount that buys more"
    );
    for sold in ["3.75", "6.03"] {
        let quote = quote(&with("refuse"), &amount(sold));
        assert_eq!(quote.sum(LineKind::Change), decimal("0"), "{sold}");
    }
}

fn debt(balance: &str, rule: DebtRule) -> Debt {
    Debt {
        name: "arrears".into(),
        balance: decimal(balance),
        rule,
        most_percent: None,
        most_amount: None,
    }
}

#[test]
fn all_debts_together_take_no_more_than_the_tariff_lets_them() {
    let tariff = tariff("debts = { most_percent = 50 }", &energy("price = 2"));
    let debts = vec![
        debt("20", DebtRule::All),
        Debt { name: "fine".into(), ..debt("80", DebtRule::PercentOfAmount(decimal("40"))) },
    ];
    let quote = quote(&tariff, &Purchase { debts, ..amount("100") });
    assert_eq!((of(&quote, "arrears"), of(&quote, "fine")), ("20.00".into(), "30.00".into()));
    assert_eq!(quote.line("fine").unwrap().debt_balance, Some(decimal("50.00")));
    assert_eq!(quote.units, decimal("25"));
}

#[test]
fn debts_stand_before_charges_or_take_what_charges_leave() {
    let lines = [charge("fee", "monthly = 30"), energy("price = 2")].concat();
    let owing = Purchase { debts: vec![debt("90", DebtRule::All)], ..amount("100") };
    // Before: 90 are taken, 10 are too little for the fee.
    let error = tariff("", &lines).quote(&owing).unwrap_err();
    assert_eq!(error.code(), "amount_swallowed");
    assert!(error.to_string().contains("the smallest possible purchase is 120.20"), "{error}");
    // After: the fee is taken first, and debts take 40 % of the amount.
    let after = tariff("debts = { after_charges = true, most_percent = 40 }", &lines);
    let quote = quote(&after, &owing);
    assert_eq!((of(&quote, "arrears"), of(&quote, "fee")), ("40.00".into(), "30.00".into()));
    assert_eq!(quote.units, decimal("15"));
}

#[test]
fn what_a_token_cannot_carry_is_kept_for_the_next_sale() {
    let text = "units = 0.1\n";
    let fine = |lines: &str| tariff_with("token_step = 0.1", lines, (text, "units = 0.01\n"));
    let tariff = fine(&energy("price = 1"));
    let first = quote(&tariff, &amount("12.34"));
    assert_eq!((first.units, first.token_units), (decimal("12.34"), decimal("12.3")));
    let kept = |quote: &Quote, kind| {
        quote.lines.iter().find(|line| line.kind == kind).and_then(|line| line.units)
    };
    assert_eq!(kept(&first, LineKind::CarriedOut), Some(decimal("0.04")));
    let second = quote(&tariff, &Purchase { carried_units: decimal("0.04"), ..amount("7.66") });
    assert_eq!((second.units, second.token_units), (decimal("7.66"), decimal("7.7")));
    assert_eq!(kept(&second, LineKind::CarriedIn), Some(decimal("0.04")));
    assert_eq!(kept(&second, LineKind::CarriedOut), None);
    // Above 1638.4 a token counts in whole units from there: 1650.96 is coded as 1650.4.
    let large = quote(&tariff, &amount("1650.96"));
    assert_eq!(large.token_units, decimal("1650.4"));
    assert_eq!(kept(&large, LineKind::CarriedOut), Some(decimal("0.56")));
}

#[test]
fn the_class_is_given_or_follows_from_the_mean_of_past_months() {
    let tariff = tariff("", &energy("price = { small = 1, large = 2 }"));
    let units = |purchase: &Purchase| {
        tariff
            .quote(purchase)
            .map(|quote| (quote.class.unwrap(), quote.units.to_string()))
            .map_err(|error| error.to_string())
    };
    let mean = |mean: &str| Purchase { past_mean: Some(decimal(mean)), ..amount("10") };
    assert_eq!(units(&mean("100")), Ok(("small".into(), "10.0".into())));
    assert_eq!(units(&mean("100.01")), Ok(("large".into(), "5.0".into())));
    let class = |class: &str| Purchase { class: Some(class.into()), ..amount("10") };
    assert_eq!(units(&class("large")), Ok(("large".into(), "5.0".into())));
    assert_eq!(
        units(&class("huge")),
        Err("class: expected one of small, large, found \"huge\"".into())
    );
    assert_eq!(units(&amount("10")), Err("class is missing: expected one of small, large".into()));
}

#[test]
fn units_that_are_asked_for_cost_their_exact_price_with_charges_and_debts() {
    let plain = tariff(
        "",
        &[charge("fee", "monthly = 5"), energy("price = 2"), vat("of = [\"energy\"]")].concat(),
    );
    let units = |units: &str| Purchase { ask: Ask::Units(decimal(units)), ..amount("1") };
    let quote_of = quote(&plain, &units("10"));
    assert_eq!((quote_of.units, quote_of.amount), (decimal("10"), decimal("28.00")));
    // A debt takes a fifth of the amount: 28 are four fifths of 35.
    let owing = Purchase {
        debts: vec![debt("90", DebtRule::PercentOfAmount(decimal("20")))],
        ..units("10")
    };
    assert_eq!(quote(&plain, &owing).amount, decimal("35.00"));
    // In steps of 10, the smallest that buys at least so many.
    let steps = tariff("step = 10\nminimum = 20\nmaximum = 100", &energy("price = 2"));
    let quote_of = quote(&steps, &units("12"));
    assert_eq!((quote_of.amount, quote_of.units), (decimal("30"), decimal("15")));
    let code = |purchase: &Purchase| steps.quote(purchase).unwrap_err().to_string();
    assert_eq!(code(&amount("15")), "amount: expected a multiple of 10, found 15");
    assert_eq!(
        code(&units("1")),
        "10 is too small an amount: the smallest possible purchase is 20"
    );
    assert_eq!(code(&units("51")), "110 is too large an amount: expected at most 100");
}

#[test]
fn free_units_come_by_a_token_of_their_own_or_as_a_first_block_that_costs_nothing() {
    let own = tariff("free_units = { small = 50 }", &energy("price = 2"));
    let due = |class: &str, due| Purchase {
        class: Some(class.into()),
        free_units_due: due,
        ..amount("20")
    };
    let free = |quote: &Quote| {
        quote.lines.iter().find(|line| line.kind == LineKind::FreeUnits).and_then(|line| line.units)
    };
    let claimed = quote(&own, &due("small", true));
    assert_eq!((free(&claimed), claimed.units), (Some(decimal("50")), decimal("10")));
    assert_eq!(free(&quote(&own, &due("small", false))), None, "claimed once a month");
    assert_eq!(free(&quote(&own, &due("large", true))), None, "for the small only");
    let block = tariff("", &energy("blocks = [{ to = 50, price = 0 }, { price = 2 }]"));
    assert_eq!(quote(&block, &amount("20")).units, decimal("60"));
    let later = Purchase { bought_this_month: decimal("60"), ..amount("20") };
    assert_eq!(quote(&block, &later).units, decimal("10"));
}

#[test]
fn what_others_charge_rides_along_outside_the_tax_and_names_its_owner() {
    let lines = [
        charge("water", "monthly = 10\npayee = \"Water Board\""),
        energy("price = 1"),
        vat("of = [\"energy\"]"),
    ];
    let quote = quote(&tariff("", &lines.concat()), &amount("125"));
    assert_eq!(quote.line("water").unwrap().payee.as_deref(), Some("Water Board"));
    assert_eq!((of(&quote, "energy"), of(&quote, "vat")), ("100.00".into(), "15.00".into()));
}

#[test]
fn a_rate_changes_at_midnight_of_the_utility_and_a_given_one_replaces_it() {
    let dated = "[rate.fuel]\nvalues = [{ from = 2024-01-01, value = 1 }, { from = 2024-06-01, value = 2 }]\n[[version]]";
    let tariff = tariff_with("", &energy("price = \"fuel\""), ("[[version]]", dated));
    let units = |at: &str, rates: &[(&str, &str)]| {
        let purchase = Purchase { at: at.parse().unwrap(), rates: named(rates), ..amount("10") };
        quote(&tariff, &purchase).units.to_string()
    };
    assert_eq!(units("2024-05-31T21:59:59Z", &[]), "10.0");
    assert_eq!(units("2024-05-31T22:00:00Z", &[]), "5.0", "midnight in Johannesburg");
    assert_eq!(units("2024-05-31T22:00:00Z", &[("fuel", "4")]), "2.5");
}

#[test]
fn a_share_is_nothing_while_more_is_taken_off_than_there_is() {
    let lines = [
        charge("rebate", "rebate = true\nper_purchase = 10"),
        energy("price = 2"),
        vat("of = [\"energy\", \"rebate\"]"),
    ];
    let tariff = tariff("", &lines.concat());
    // Up to 5 units energy costs no more than the rebate of 10: no VAT. Of 20 units at 2, VAT is 15 % of 30.
    let small = quote(&tariff, &amount("1"));
    assert_eq!((small.units, of(&small, "vat")), (decimal("5.4"), "0.13".into()));
    let more = quote(&tariff, &amount("34.50"));
    assert_eq!(
        (more.units, of(&more, "vat"), of(&more, "rebate")),
        (decimal("20"), "4.50".into(), "-10.00".into())
    );
    let explained = tariff.explain(&amount("34.50")).unwrap();
    let told = explained.why.iter().any(|step| step.contains("Each kWh above 5 costs"));
    assert!(told, "{:#?}", explained.why);
}

#[test]
fn a_share_of_a_tax_within_units_that_are_priced_again_is_nothing_while_that_is_below_zero() {
    let tariff = r#"
        name = "priced again"
        currency = "XTS"
        decimals = 0
        [month]
        zone = "UTC"
        [[version]]
        from = 2020-01-01
        gap = "carry"
        [version.rounding]
        units = 1
        units_direction = "down"
        units_from = "units_first"
        remainder = "energy"
        [[version.line]]
        name = "energy"
        kind = "energy"
        round = "half_up"
        blocks = [{ to = 145, price = 682.713 }, { price = 252.953, reprices = true }]
        [[version.line]]
        name = "vat"
        kind = "tax"
        round = "half_even"
        round_step = 10
        percent = 17
        of = ["energy"]
        included = true
        [[version.line]]
        name = "levy"
        kind = "levy"
        round = "half_even"
        percent = 14.2
        of = ["tender", "vat"]
    "#;
    let tariff = Tariff::read(tariff).unwrap();
    let bought_this_month = decimal("56.8");
    let quote = quote(&tariff, &Purchase { bought_this_month, ..amount("10") });
    assert!(of(&quote, "vat").starts_with('-'), "{quote:#?}");
    assert_eq!(of(&quote, "levy"), "0");
}

#[test]
fn a_cent_more_never_moves_two_taxes_into_a_step_of_units() {
    // Half-up, both taxes step at the same amounts: at 0.50 each is 0.08 or 0.13 of it.
    let lines = [
        energy("price = 0.10"),
        charge("one", "percent = 25\nof = [\"tender\"]"),
        charge("two", "percent = 25\nof = [\"tender\"]"),
    ];
    let tariff = tariff_with(
        "",
        &lines.concat(),
        ("remainder = \"energy\"", "units_from = \"energy\"\nremainder = \"energy\""),
    );
    let mut before = decimal("0");
    for cents in 4..200 {
        let purchase = Purchase { ask: Ask::Amount(Decimal::new(cents, 2)), ..amount("1") };
        let units = quote(&tariff, &purchase).units;
        assert!(units >= before, "{cents} cents buy {units}, a cent less {before}");
        before = units;
    }
    // Of 0.06, both taxes are 0.015, to 0.02; of 0.05 each is 0.0125, to 0.01, which leaves a cent more.
    let explained = tariff.explain(&amount("0.06")).unwrap();
    assert_eq!(explained.quote.units, decimal("0.3"));
    let told =
        explained.why.iter().any(|step| step.starts_with("Rounding makes 0.05 buy more than 0.06"));
    assert!(told, "{:#?}", explained.why);
}

#[test]
fn debts_that_are_shares_take_what_their_sum_is() {
    let tariff = tariff("", &energy("price = 0.01"));
    let share = |name: &str| Debt {
        name: name.into(),
        ..debt("10", DebtRule::PercentOfAmount(decimal("30")))
    };
    let taken = |cents: i64| {
        let purchase = Purchase {
            ask: Ask::Amount(Decimal::new(cents, 2)),
            debts: vec![share("one"), share("two")],
            ..amount("1")
        };
        let quote = quote(&tariff, &purchase);
        [of(&quote, "one"), of(&quote, "two")]
    };
    // 0.015 and 0.03; each by itself half up would take 0.02 and 0.02.
    assert_eq!(taken(5), ["0.02", "0.01"]);
    assert_eq!(taken(4), ["0.01", "0.01"]);
}
