//! What is wrong with a tariff file is named with its line, all at once; what is wrong with a purchase, with its field.

mod common;

use common::{decimal, read};
use prepay_vend::{Ask, Debt, DebtRule, Purchase, QuoteError, Tariff};

const HEAD: &str = "name = \"t\"\ncurrency = \"ZAR\"\n[month]\nzone = \"Africa/Johannesburg\"\n";
const ROUNDING: &str =
    "[version.rounding]\nunits = 0.1\nunits_direction = \"down\"\nremainder = \"energy\"\n";
const ENERGY: &str = "[[version.line]]\nname = \"energy\"\nkind = \"energy\"\nprice = 2\n";

/// A version from a day, with lines.
fn version(from: &str, lines: &str) -> String {
    format!("[[version]]\nfrom = {from}\n{ROUNDING}{lines}")
}

fn faults(text: &str) -> Vec<String> {
    Tariff::read(text).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

#[test]
fn every_fault_of_a_file_is_named_with_its_line() {
    let line = |rest: &str| format!("[[version.line]]\n{rest}\n");
    let of = |lines: &str| format!("{HEAD}{}", version("2024-01-01", &format!("{ENERGY}{lines}")));
    let vat = "name = \"vat\"\nkind = \"tax\"\npercent = 15\n";
    // (what it is, the file, the line and words of the fault)
    let cases: Vec<(&str, String, &str)> = vec![
        (
            "unknown word",
            format!("nmae = 1\n{HEAD}{}", version("2024-01-01", ENERGY)),
            "line 1: the file has no \"nmae\"; did you mean \"name\"?",
        ),
        ("no TOML", format!("{HEAD}[[version"), "line 5: "),
        (
            "base that is not there",
            of(&line(&format!("{vat}of = [\"enrgy\"]"))),
            "line 19: of: no line is named \"enrgy\"; did you mean \"energy\"?",
        ),
        (
            "circular bases",
            of(&[
                line(&format!("{vat}of = [\"levy\"]")),
                line("name = \"levy\"\nkind = \"levy\"\npercent = 1\nof = [\"vat\"]"),
            ]
            .concat()),
            "line 15: circular: \"vat\"",
        ),
        (
            "blocks out of order",
            of(&line(
                "name = \"l\"\nkind = \"levy\"\nblocks = [{ to = 50, price = 1 }, { to = 40, price = 2 }, { price = 3 }]",
            )),
            "line 18: blocks out of order: 40 is not above 50",
        ),
        (
            "no end before the last block",
            of(&line("name = \"l\"\nkind = \"levy\"\nblocks = [{ price = 1 }, { price = 3 }]")),
            "line 18: only the last block has no end",
        ),
        (
            "last block with an end",
            of(&line("name = \"l\"\nkind = \"levy\"\nblocks = [{ to = 9, price = 1 }]")),
            "line 18: the last block has no end",
        ),
        (
            "two rules",
            of(&line("name = \"l\"\nkind = \"levy\"\nprice = 1\ndaily = 2")),
            "line 15: this line needs exactly one of",
        ),
        (
            "a word of another rule",
            of(&line("name = \"l\"\nkind = \"levy\"\nprice = 1\naccrues = true")),
            "line 19: accrues goes with monthly",
        ),
        (
            "too many decimals",
            of(&line("name = \"l\"\nkind = \"levy\"\nprice = 0.12345678901")),
            "line 18: price: expected at most 10 decimal places",
        ),
        (
            "an exponent",
            of(&line("name = \"l\"\nkind = \"levy\"\nprice = 1e3")),
            "line 18: price: expected a decimal number without an exponent",
        ),
        (
            "infinity",
            of(&line("name = \"l\"\nkind = \"levy\"\nprice = inf")),
            "line 18: price: expected a decimal number",
        ),
        (
            "below zero",
            of(&line("name = \"l\"\nkind = \"levy\"\nprice = -1")),
            "line 18: price: expected a figure that is not below zero",
        ),
        (
            "unknown rate",
            of(&line("name = \"l\"\nkind = \"levy\"\nprice = \"fuel\"")),
            "line 18: price: no rate is named \"fuel\"; there are: none",
        ),
        (
            "unknown class",
            of(&line("name = \"l\"\nkind = \"levy\"\nclass = \"a\"\nprice = 1")),
            "line 18: class: no class is named \"a\"",
        ),
        (
            "same name twice",
            of(&line("name = \"energy\"\nkind = \"levy\"\nprice = 1")),
            "line 16: two lines are named \"energy\"",
        ),
        (
            "two energy lines",
            of(&line("name = \"e\"\nkind = \"energy\"\nprice = 1")),
            "another energy line",
        ),
        (
            "same start",
            format!("{HEAD}{}{}", version("2024-01-01", ENERGY), version("2024-01-01", ENERGY)),
            "two versions begin on one day",
        ),
        (
            "gap",
            format!(
                "{HEAD}{}{}",
                version("2024-01-01\nuntil = 2024-02-01", ENERGY),
                version("2024-03-01", ENERGY)
            ),
            "line 5: a gap",
        ),
        (
            "overlap",
            format!(
                "{HEAD}{}{}",
                version("2024-01-01\nuntil = 2024-04-01", ENERGY),
                version("2024-03-01", ENERGY)
            ),
            "line 5: an overlap",
        ),
        (
            "end before start",
            format!("{HEAD}{}", version("2024-01-01\nuntil = 2023-01-01", ENERGY)),
            "line 7: expected an end after the start",
        ),
        (
            "remainder",
            format!(
                "{HEAD}{}",
                version("2024-01-01", ENERGY).replace("\"energy\"\n[[", "\"enrgy\"\n[[")
            ),
            "line 10: remainder: no line is named \"enrgy\"",
        ),
        (
            "change in a tariff that leaves none",
            format!(
                "{HEAD}{}",
                version("2024-01-01", ENERGY)
                    .replace("remainder = \"energy\"", "remainder = \"change\"")
            ),
            "line 10: change and carry need units_from",
        ),
        (
            "a value of a rate with too many decimals",
            format!("{HEAD}[rate.fuel]\nvalue = 0.12345678901\n{}", version("2024-01-01", ENERGY)),
            "line 6: value: expected at most 10 decimal places, found 0.12345678901",
        ),
        (
            "values of a rate out of order",
            format!(
                "{HEAD}[rate.fuel]\nvalues = [\n{{ from = 2024-02-01, value = 1 }},\n{{ from = 2024-02-01, value = 2 }}]\n{}",
                version("2024-01-01", ENERGY)
            ),
            "line 8: expected a later date than that of the value before it",
        ),
        (
            "no zone",
            format!("{HEAD}{}", version("2024-01-01", ENERGY))
                .replace("Africa/Johannesburg", "Africa/Atlantis"),
            "line 4: zone: expected a zone",
        ),
        (
            "no energy",
            format!(
                "{HEAD}{}",
                version("2024-01-01", &line("name = \"l\"\nkind = \"levy\"\nprice = 1"))
                    .replace("remainder = \"energy\"", "remainder = \"l\"")
            ),
            "a version needs a line of kind \"energy\"",
        ),
        (
            "inside on top",
            of(&[
                line("name = \"fee\"\nkind = \"charge\"\nper_purchase = 1\non_top = true"),
                line(&format!("{vat}of = [\"fee\"]")),
            ]
            .concat()),
            "\"fee\" is on top of the amount",
        ),
        (
            "share of what is printed last",
            of(&line(&format!("{vat}of = [\"energy\"]\nof_printed = true"))),
            "\"energy\" takes the remainder",
        ),
        (
            "part above a limit of a fixed charge",
            of(&[
                line("name = \"fee\"\nkind = \"charge\"\nmonthly = 1"),
                line(&format!("{vat}of = [\"fee\"]\nabove_units = 5")),
            ]
            .concat()),
            "\"fee\" has no price per unit",
        ),
        (
            "tax on a rebate alone",
            of(&[
                line("name = \"rebate\"\nkind = \"charge\"\nrebate = true\nper_purchase = 1"),
                line(&format!("{vat}of = [\"rebate\"]")),
            ]
            .concat()),
            "line 24: \"vat\" is a share of what is taken off alone",
        ),
        (
            "share of what is taken off alone",
            of(&line(&format!("{vat}of = [\"-energy\"]"))),
            "line 19: \"vat\" is a share of what is taken off alone",
        ),
        (
            "a share with something taken off beside a rounded price",
            of(&line(&format!("{vat}of = [\"tender\", \"-energy\"]")))
                .replace("remainder =", "price = 0.01\nremainder ="),
            "line 20: \"vat\" takes something off, which goes with exact prices",
        ),
        (
            "tax out of a rebate",
            of(&[
                line("name = \"rebate\"\nkind = \"charge\"\nrebate = true\nper_purchase = 1"),
                line(&format!("{vat}of = [\"energy\", \"rebate\"]\nincluded = true")),
            ]
            .concat()),
            "line 24: \"rebate\" is a rebate: what it contains cannot be taken out",
        ),
        (
            "tax out of a capped charge",
            of(&[
                line("name = \"fee\"\nkind = \"charge\"\nmonthly = 1\ncap_percent = 50"),
                line(&format!("{vat}of = [\"fee\"]\nincluded = true")),
            ]
            .concat()),
            "line 24: \"fee\" is capped: what waits of it would have no tax",
        ),
        (
            "part above a limit of a price that contains a tax",
            of(&[
                line(&format!("{vat}of = [\"energy\"]\nincluded = true")),
                line("name = \"l\"\nkind = \"levy\"\npercent = 1\nof = [\"energy\"]\nabove_units = 5"),
            ]
            .concat()),
            "line 26: \"energy\" contains a tax",
        ),
        (
            "a cap that counts what depends on the units",
            of(&line("name = \"fee\"\nkind = \"charge\"\nmonthly = 1\ncap_percent = 50\ncap_with = [\"energy\"]")),
            "line 20: cap_with: a cap counts monthly, daily and per_purchase charges",
        ),
        (
            "date in quotes",
            format!("{HEAD}{}", version("\"2024-01-01\"", ENERGY)),
            "line 6: from: expected a date without quotes",
        ),
    ];
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(what, text, expected)| {
            let found = faults(text);
            let is_there = found.iter().any(|fault| fault.contains(expected));
            (!is_there).then(|| format!("{what}: expected {expected:?}, found {found:#?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn faults_are_told_all_at_once_and_a_faulty_line_still_has_its_name() {
    let text = format!(
        "{HEAD}{}",
        version(
            "2024-01-01",
            &format!(
                "{ENERGY}extra = 1\n[[version.line]]\nname = \"levy\"\nkind = \"levi\"\nprice = 1\n[[version.line]]\nname = \"vat\"\nkind = \"tax\"\npercent = 1\nof = [\"levy\"]\n"
            )
        )
    );
    let found = faults(&text);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].starts_with("line 15: this line has no \"extra\""), "{found:#?}");
    assert!(
        found[1].starts_with("line 18: kind: no such word, \"levi\"; did you mean \"levy\"?"),
        "{found:#?}"
    );
}

#[test]
fn purchases_that_cannot_be_priced_say_why() {
    let tariff = read(
        "t",
        &format!(
            "{HEAD}{}",
            version(
                "2024-01-01\nminimum = 5\nmaximum = 1000",
                &format!(
                    "{ENERGY}[[version.line]]\nname = \"fee\"\nkind = \"charge\"\nmonthly = 10\n"
                )
            )
        ),
    );
    let day = |text: &str| tariff.moment(text).unwrap();
    let of = |amount: &str| Purchase::new(day("2024-05-01"), Ask::Amount(decimal(amount)));
    let code = |purchase: &Purchase| {
        tariff.quote(purchase).map(|quote| quote.units).map_err(|error| error.code())
    };
    for amount in ["0", "-5", "5.001"] {
        assert_eq!(code(&of(amount)), Err("field_invalid"), "{amount}");
    }
    assert_eq!(code(&of("4")), Err("amount_too_small"));
    assert_eq!(code(&of("1000.01")), Err("amount_too_large"));
    assert_eq!(
        code(&Purchase::new(day("2023-12-31"), Ask::Amount(decimal("20")))),
        Err("tariff_missing")
    );
    let units = |units: &str| Purchase::new(day("2024-05-01"), Ask::Units(decimal(units)));
    assert_eq!(code(&units("0.05")), Err("field_invalid"));
    assert_eq!(code(&units("5")), Ok(decimal("5")));
    let debt_of = |rule, most_percent| Purchase {
        debts: vec![Debt {
            name: "arrears".into(),
            balance: decimal("30"),
            rule,
            most_percent,
            most_amount: None,
        }],
        ..of("20")
    };
    for (rule, most_percent) in [
        (DebtRule::Fixed(decimal("-1")), None),
        (DebtRule::Fixed(decimal("0.001")), None),
        (DebtRule::PercentOfAmount(decimal("101")), None),
        (DebtRule::PercentOfDebt(decimal("-3")), None),
        (DebtRule::All, Some(decimal("0"))),
    ] {
        assert_eq!(code(&debt_of(rule, most_percent)), Err("field_invalid"), "{rule:?}");
    }
    let carried = Purchase { carried: decimal("0.001"), ..of("20") };
    assert_eq!(code(&carried), Err("field_invalid"));
    let waits = Purchase { waiting: vec![("fee".into(), decimal("1"))], ..of("20") };
    assert_eq!(code(&waits), Err("field_invalid"), "the fee has no cap, so nothing of it waits");
    let unknown_rate = Purchase { rates: vec![("fuel".into(), decimal("1"))], ..of("20") };
    assert_eq!(code(&unknown_rate), Err("field_invalid"));

    // A charge of 10 leaves nothing of 10; a tenth of a unit costs 0.20 more.
    let smallest = |purchase: &Purchase| match tariff.quote(purchase) {
        Err(
            QuoteError::AmountSwallowed { smallest, .. }
            | QuoteError::AmountTooSmall { smallest, .. },
        ) => smallest,
        other => panic!("{other:?}"),
    };
    assert_eq!(smallest(&of("10")), Some(decimal("10.20")));
    assert_eq!(smallest(&of("10.19")), Some(decimal("10.20")));
    let debt = Debt {
        name: "arrears".into(),
        balance: decimal("30"),
        rule: DebtRule::All,
        most_percent: None,
        most_amount: None,
    };
    let owing = Purchase { debts: vec![debt], ..of("35") };
    assert_eq!(smallest(&owing), Some(decimal("40.20")));
    let paid = Purchase { ask: Ask::Amount(decimal("40.20")), ..owing };
    assert_eq!(code(&paid), Ok(decimal("0.1")));
}

#[test]
fn an_amount_that_buys_nothing_is_refused_in_words_with_the_smallest_that_does() {
    let fee = "[[version.line]]\nname = \"fee\"\nkind = \"charge\"\nmonthly = 10\n";
    let text = format!(
        "{HEAD}{}",
        version("2024-01-01\nminimum = 5\nmaximum = 1000", &format!("{ENERGY}{fee}"))
    );
    let rands = read("t", &text);
    let yen = read("t", &text.replace("ZAR", "JPY"));
    let cases = [
        (
            &rands,
            "0",
            "amount: expected an amount above zero with at most 2 decimal places, found 0",
        ),
        (
            &rands,
            "-5",
            "amount: expected an amount above zero with at most 2 decimal places, found -5",
        ),
        (
            &rands,
            "5.001",
            "amount: expected an amount above zero with at most 2 decimal places, found 5.001",
        ),
        (&yen, "5.5", "amount: expected a whole amount above zero, found 5.5"),
        (&rands, "4", "4 is too small an amount: the smallest possible purchase is 10.20"),
        (
            &rands,
            "10",
            "10 leaves nothing to sell: debts take 0, charges and taxes on them 10.00; the smallest possible purchase is 10.20",
        ),
        (&rands, "10.1", "10.1 is too small an amount: the smallest possible purchase is 10.20"),
        (&rands, "1000.01", "1000.01 is too large an amount: expected at most 1000"),
    ];
    for (tariff, amount, expected) in cases {
        let at = "2024-05-01T08:00:00Z".parse().unwrap();
        let purchase = Purchase::new(at, Ask::Amount(decimal(amount)));
        assert_eq!(tariff.quote(&purchase).unwrap_err().to_string(), expected);
    }
}
