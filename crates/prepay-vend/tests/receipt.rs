//! Receipts: what is no receipt is named, what is printed adds up and stays on its paper, in every language.

mod common;

use std::fs;

use common::{decimal, quote, tariffs};
use prepay_records::purchase::PurchaseRecord;
use prepay_records::receipt::ReceiptRecord;
use prepay_vend::{Decimal, Language, LineKind, Meter, Receipt, ReceiptFacts, Row, Slip, Utility};
use proptest::prelude::*;
use serde_json::{Value, json};

/// The sample of the program.
fn sample() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../prepay/src/vend/sample.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn read(record: &Value) -> Result<Receipt, Vec<String>> {
    let record: ReceiptRecord =
        serde_json::from_str(&record.to_string()).map_err(|error| vec![error.to_string()])?;
    record.receipt().map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

fn languages() -> impl Iterator<Item = Language> {
    Language::tags().map(|tag| Language::own(tag).unwrap())
}

fn english(record: &Value) -> String {
    Slip::new(&read(record).unwrap(), &Language::own("en").unwrap()).text(40)
}

#[test]
fn a_record_is_read_and_written_without_a_change() {
    let receipt = read(&sample()).unwrap();
    let written = serde_json::to_value(ReceiptRecord::new(&receipt)).unwrap();
    let again = serde_json::to_value(ReceiptRecord::new(&read(&written).unwrap())).unwrap();
    assert_eq!(written, again);
    let mut written = written;
    for step in written["lines"][2]["steps"].as_array_mut().unwrap() {
        step.as_object_mut().unwrap().remove("amount_with_all");
    }
    for line in written["lines"].as_array_mut().unwrap() {
        line.as_object_mut().unwrap().remove("name");
    }
    assert_eq!(written, sample());
}

#[test]
fn what_is_no_receipt_is_named_with_its_field() {
    // (where, the value instead, the fault)
    let cases: &[(&str, Value, &str)] = &[
        ("/receipt_number", json!(""), "receipt_number: expected a text, found none"),
        ("/utility/name", json!("A\nB"), "utility.name: expected letters that print, found U+000A"),
        ("/operator", json!("\u{202e}x"), "operator: expected letters that print, found U+202E"),
        (
            "/messages/0",
            json!("x".repeat(201)),
            "messages: expected at most 200 characters, found 201",
        ),
        ("/messages", json!(vec!["x"; 100]), "messages: expected at most 99 entries, found 100"),
        (
            "/sold_at",
            json!("yesterday"),
            "sold_at: expected a moment such as 2026-11-27T17:42:00Z, found \"yesterday\"",
        ),
        (
            "/zone",
            json!("Mars"),
            "zone: expected a name of the IANA database such as Africa/Nairobi, found \"Mars\"",
        ),
        ("/meter/number", json!("600727000000000008"), "meter.number: "),
        (
            "/meter/sgc",
            Value::Null,
            "meter: expected sgc, krn and ti together, found only some of them",
        ),
        ("/meter/krn", json!(0), "meter.krn: "),
        ("/meter/ea", json!("08"), "meter.ea: unknown encryption algorithm: expected 07, 09 or 11"),
        (
            "/service",
            json!("steam"),
            "service: expected one of electricity, water, gas, time, money, found \"steam\"",
        ),
        ("/decimals", json!(5), "decimals: expected 0 to 4, found 5"),
        (
            "/payment/method",
            json!("gold"),
            "payment.method: expected one of cash, card, mobile, voucher, account, found \"gold\"",
        ),
        ("/lines/0/kind", json!("gift"), "lines.kind: expected one of energy, "),
        (
            "/lines/3/kind",
            json!("commission"),
            "lines: expected no commission on a receipt, found \"Rural levy\"",
        ),
        (
            "/lines/3/amount",
            json!("30.39"),
            "lines: expected amounts that add up to the 1010.00 tendered, found 1010.01",
        ),
        (
            "/lines/3/amount",
            json!("30.385"),
            "lines: expected at most 2 decimal places in an amount of KES, found 30.385",
        ),
        (
            "/lines/2/steps/0/amount",
            json!("145.01"),
            "lines: expected blocks of \"Energy\" that add up to 607.60, found 607.61",
        ),
        ("/qr", json!("x".repeat(701)), "qr: expected at most 700 characters, found 701"),
        (
            "/lines/3/amount",
            json!("79228162514264337593543950335"),
            "lines: expected at most 18 digits before the point, found 79228162514264337593543950335",
        ),
        (
            "/tokens/3/units",
            json!("-1000000000000000000"),
            "tokens.units: expected at most 18 digits before the point, found -1000000000000000000",
        ),
        (
            "/totals/paid",
            json!("1000"),
            "totals.paid: expected 1010.00, which is tendered less change, found 1000",
        ),
        (
            "/tokens/0/digits",
            json!("123"),
            "tokens.digits: token number of the wrong length: expected 20 digits, found 3",
        ),
        (
            "/tokens/0/kind",
            json!("gift"),
            "tokens.kind: expected one of credit, free_units, key_change, engineering, found \"gift\"",
        ),
        (
            "/tokens/3/units",
            json!("37.4"),
            "tokens: expected credit tokens of the 37.3 units that the lines leave, found 37.4",
        ),
        (
            "/tokens/2/units",
            json!("6"),
            "tokens: expected free_units tokens of the 5 units that the lines leave, found 6",
        ),
        ("/unit", json!("kWh"), "unknown field `unit`, expected one of "),
        (
            "/totals/tendered",
            json!("1e3"),
            "expected a decimal number such as \"25.6\", found \"1e3\"",
        ),
    ];
    for (place, value, fault) in cases {
        let mut record = sample();
        let (parent, name) = place.rsplit_once('/').unwrap();
        let parent = record.pointer_mut(parent).unwrap();
        match name.parse::<usize>() {
            Ok(index) => parent[index] = value.clone(),
            Err(_) => parent[name] = value.clone(),
        }
        let faults = read(&record).expect_err(place);
        assert!(faults.iter().any(|found| found.starts_with(fault)), "{place}: {faults:?}");
    }
    let mut record = sample();
    record["zone"] = json!("Mars");
    record["tokens"][0]["digits"] = json!("");
    record["meter"]["krn"] = json!(10);
    assert_eq!(read(&record).unwrap_err().len(), 3, "all at once");
}

#[test]
fn a_set_given_again_stands_behind_the_credit_and_says_when_to_use_it() {
    let mut record = sample();
    for token in [0, 1] {
        record["tokens"][token]["repeated"] = json!(true);
    }
    let text = english(&record);
    let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part}\n{text}"));
    let order = [
        at("Enter these 2 tokens, in this order:"),
        at("1 of 2  free units"),
        at("2 of 2  credit"),
        at("Only if the meter refuses the credit:"),
        at("1 of 2  new key"),
        at("2 of 2  new key"),
    ];
    assert!(order.is_sorted(), "{text}");
}

#[test]
fn key_changes_stand_before_the_credit_whatever_the_record_says() {
    let mut record = sample();
    record["tokens"].as_array_mut().unwrap().reverse();
    let text = english(&record);
    let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part}\n{text}"));
    assert!(at("1 of 4  new key") < at("3 of 4  credit"), "{text}");
}

#[test]
fn balances_are_told_by_word_and_a_single_token_has_no_number() {
    let mut record = sample();
    record["tokens"] = json!([sample()["tokens"][3]]);
    for (balance, words) in
        [("0", "Connection fee (paid off)"), ("-3.5", "Connection fee (3.50 in credit)")]
    {
        record["lines"][1]["debt_balance"] = json!(balance);
        let text = english(&record);
        assert!(text.contains(words), "{words}\n{text}");
        assert!(
            text.contains("credit                          37.3 kWh\n") && !text.contains("1 of 1"),
            "{text}"
        );
        assert!(!text.contains("Enter") && !text.contains("New key"), "{text}");
    }
}

#[test]
fn a_first_print_and_real_tokens_have_no_mark() {
    let mut record = sample();
    record["reprint"] = json!(0);
    record["test"] = json!(false);
    let text = english(&record);
    assert!(!text.contains("***") && !text.contains("REPRINT"), "{text}");
    record["reprint"] = json!(3);
    assert_eq!(english(&record).matches("*** REPRINT 3 of 0047-002262 ***").count(), 2);
}

#[test]
fn a_qr_code_holds_the_numbers_unless_it_says_something_else_which_text_prints() {
    let mut record = sample();
    let numbers = "0047-002262\n600727000000000009\n55434719734103219576\n60867891731024402413\n\
                   33054508073433287825\n31480457977367392453";
    assert_eq!(read(&record).unwrap().qr(), numbers);
    record["qr"] = json!("https://tax.example/r/0047-002262");
    assert_eq!(read(&record).unwrap().qr(), "https://tax.example/r/0047-002262");
    assert!(english(&record).contains("\nhttps://tax.example/r/0047-002262\n"));
}

/// The amounts of the rows between the tokens and the total.
fn printed_sum(slip: &Slip) -> (Decimal, Decimal) {
    let mut sum = Decimal::ZERO;
    let rows = slip.rows.iter().skip_while(|row| !matches!(row, Row::LargePair(..))).skip(1);
    for row in rows {
        let Row::Pair(label, amount) = row else { continue };
        let amount = prepay_vend::read_decimal(&amount.replace(',', ""));
        match amount {
            Some(total) if label == "Total" => return (sum, total),
            Some(amount) => sum += amount,
            None => {} // Units that are carried or free.
        }
    }
    panic!("no total")
}

#[test]
fn what_is_printed_adds_up_to_the_tender_for_every_published_purchase() {
    let tariffs = tariffs();
    let english = Language::own("en").unwrap();
    let purchases = include_str!("../../../vectors/tariffs/purchases.jsonl");
    let mut receipts = 0;
    for line in purchases.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let (id, tariff) = (&case["id"], &tariffs[case["tariff"].as_str().unwrap()]);
        let record: PurchaseRecord = serde_json::from_str(&case["purchase"].to_string()).unwrap();
        let Ok(quote) = quote(tariff, &record) else { continue };
        let meter = Meter {
            number: "600727000000000009".parse().unwrap(),
            key: None,
            algorithm: None,
            carrier: None,
        };
        let at = "2026-01-01T00:00:00Z".parse().unwrap();
        let mut facts = ReceiptFacts::new("1".to_owned(), at, meter, tariff, quote);
        facts.utility = Utility { name: "U".to_owned(), ..Utility::default() };
        let receipt = Receipt::new(facts).unwrap_or_else(|faults| panic!("{id}: {faults:?}"));
        let slip = Slip::new(&receipt, &english);
        let (sum, total) = printed_sum(&slip);
        assert_eq!(
            (sum, total),
            (receipt.facts().tendered, receipt.facts().tendered),
            "{id}\n{}",
            slip.text(40)
        );
        receipts += 1;
    }
    assert!(receipts >= 50, "{receipts}");
}

/// A text of words, the longest wider than the paper, also in Arabic.
fn long_text() -> impl Strategy<Value = String> {
    let word = prop_oneof!["[A-Za-zéßÇ0-9]{1,60}", "[ابتثجحخدذرزسشصضطظعغفقكلمنهوي]{1,45}"];
    prop::collection::vec(word, 1..6)
        .prop_map(|words| words.join(" ").chars().take(200).collect::<String>().trim().to_owned())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn nothing_is_wider_than_its_paper_and_nothing_is_lost(
        names in prop::collection::vec(long_text(), 12),
        cents in prop::collection::vec(-99_999_999_999_999_i64..=99_999_999_999_999, 4),
        digits in prop::collection::vec(0_u64..=9_999_999_999_999_999_999, 10),
        reprint in 0_u32..=u32::MAX,
    ) {
        let mut record = sample();
        let amounts: Vec<Decimal> = cents.iter().map(|&cents| Decimal::new(cents, 2)).collect();
        let total: Decimal = amounts.iter().sum();
        record["receipt_number"] = json!(names[0]);
        record["utility"]["name"] = json!(names[1]);
        record["operator"] = json!(names[2]);
        record["customer"]["name"] = json!(names[3]);
        record["customer"]["account"] = json!(names[4]);
        record["tariff"] = json!(names[5]);
        record["messages"] = json!([names[6]]);
        record["payment"]["reference"] = json!(names[7]);
        record["reprint"] = json!(reprint);
        let line = |kind: &str, name: &String, amount: Decimal| {
            json!({"kind": kind, "description": name, "amount": amount.to_string(), "rate": "12.3456789",
                "debt_balance": amounts[0].to_string(), "payee": names[8]})
        };
        record["lines"] = json!([
            {"kind": "energy", "description": names[9], "amount": amounts[0].to_string(),
                "units": "123456789012.3", "unit_price": "0.1234567891"},
            line("levy", &names[10], amounts[1]),
            line("debt", &names[11], amounts[2]),
            line("charge", &names[0], amounts[3]),
        ]);
        record["totals"] = json!({"tendered": total.to_string(), "units": "123456789012.3"});
        record["tokens"] = digits.iter().enumerate().map(|(index, digits)| {
            json!({"kind": if index < 9 { "key_change" } else { "credit" }, "digits": format!("{digits:020}")})
        }).collect();
        let receipt = read(&record).unwrap();
        for language in languages() {
            let slip = Slip::new(&receipt, &language);
            for columns in [32, 40] {
                let text = slip.text(columns);
                for line in text.lines() {
                    prop_assert!(textwrap::core::display_width(line) <= columns, "{columns}: {line:?}");
                    prop_assert!(!line.contains(['\u{2067}', '\u{2068}', '\u{2069}', '\u{a0}', '\u{200e}', '\u{200f}']), "{line:?}");
                }
                // Without blanks, every name is there whole, and every token on one line.
                let letters: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
                for name in &names {
                    let name: String = name.chars().filter(|letter| !letter.is_whitespace()).collect();
                    prop_assert!(letters.contains(&name), "{name}\n{text}");
                }
                for token in receipt.facts().tokens.iter() {
                    prop_assert!(text.contains(&format!("{:#}", token.token)), "{text}");
                }
            }
        }
    }
}

/// The message file of a language, as people find it.
fn messages(tag: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/receipt/languages");
    fs::read_to_string(format!("{folder}/{tag}.ftl")).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_damaged_message_file_is_read_or_refused_with_lines_that_it_has(
        tag in prop::sample::select(vec!["en", "ar"]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), "[{}$*=>\\[\\] \n\"a-zأ-ي#.-]{0,6}", 0_usize..8), 1..6),
    ) {
        let mut letters: Vec<char> = messages(tag).chars().collect();
        for (place, text, removed) in changes {
            let from = place.index(letters.len());
            let to = (from + removed).min(letters.len());
            letters.splice(from..to, text.chars());
        }
        let text: String = letters.into_iter().collect();
        if let Err(faults) = Language::read(&text) {
            prop_assert!(!faults.is_empty());
            for fault in faults {
                prop_assert!((1..=text.lines().count() + 1).contains(&fault.line), "{fault}");
            }
        }
    }
}

#[test]
fn rows_are_the_same_in_every_language() {
    let receipt = read(&sample()).unwrap();
    let kinds = |slip: &Slip| slip.rows.iter().map(std::mem::discriminant).collect::<Vec<_>>();
    let english = Slip::new(&receipt, &Language::own("en").unwrap());
    for language in languages() {
        let slip = Slip::new(&receipt, &language);
        assert_eq!(kinds(&slip), kinds(&english), "{}", language.tag());
        for row in &receipt.facts().lines {
            assert!(
                row.kind != LineKind::Energy
                    || slip.text(40).contains(&row.units.unwrap().trunc().to_string())
            );
        }
    }
    assert_eq!(decimal("1010"), receipt.facts().tendered);
}
