//! Features of the format, each with a purchase that can be followed on paper.

mod common;

use common::{decimal, read, sum};
use prepay_vend::{Ask, Purchase, Quote, Tariff};

/// A tariff in rands with the lines of one version, and words of the version before them.
fn tariff(version: &str, lines: &str) -> Tariff {
    let text = format!(
        "name = \"t\"\ncurrency = \"ZAR\"\n[month]\nzone = \"Africa/Johannesburg\"\n\
         [class.small]\nmean_to = 100\n[class.large]\n[rate.day]\ntext = \"rate of the day\"\n[rate.load]\ntext = \"kilowatts\"\n\
         [[version]]\nfrom = 2024-01-01\n{version}\n\
         [version.rounding]\nunits = 0.1\nunits_direction = \"down\"\nremainder = \"energy\"\n{lines}"
    );
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
