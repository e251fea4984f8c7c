//! The guide to writing a tariff is true: its files are written as they stand, and every command answers what it says.

mod common;
mod guide_kit;

use std::fs;

use common::{ends, folder, succeed};
use serde_json::Value;

const GUIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guides/write-a-tariff.md");
const TARIFFS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/tariffs");

#[test]
fn the_guide_to_writing_a_tariff_is_true_line_by_line() {
    let guide = fs::read_to_string(GUIDE).unwrap();
    let place = folder("tariff-guide");
    for file in guide.split("```toml\n").skip(1) {
        let (text, _) = file.split_once("```").unwrap();
        let name = text.lines().next().unwrap().strip_prefix("# ").unwrap();
        fs::write(place.join(name), text).unwrap();
    }
    let steps = guide_kit::steps(&guide);
    assert!(steps.len() >= 15, "the guide has lost commands: {}", steps.len());
    guide_kit::follow("docs/guides/write-a-tariff.md", steps, &place);
}

#[test]
fn every_tariff_of_the_vectors_is_without_fault_for_the_program() {
    let files = fs::read_dir(TARIFFS).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    assert!(files.len() >= 30, "{} tariffs", files.len());
    for file in files {
        succeed(&format!("vend tariff check {}", file.display()));
    }
}

#[test]
fn faults_of_a_tariff_file_come_all_at_once_with_their_lines() {
    let file = folder("tariff-faults").join("bad.toml");
    fs::write(&file, "name = \"x\"\ncurency = \"ZAR\"\n[month]\nzone = \"Nowhere\"\n").unwrap();
    let answer: Value = serde_json::from_str(&ends(
        3,
        &format!("--json vend tariff check {}", file.display()),
        b"",
    ))
    .unwrap();
    assert_eq!(answer["error"]["code"], "tariff_invalid");
    let message = answer["error"]["message"].as_str().unwrap();
    for part in [
        "bad.toml:2: the file has no \"curency\"; did you mean \"currency\"?",
        "bad.toml:4: zone: ",
        "needs \"version\"",
    ] {
        assert!(message.contains(part), "{part}\n{message}");
    }
}

#[test]
fn each_line_has_its_answer_and_a_bad_line_changes_nothing() {
    let lines = b"{\"id\":\"a\",\"date\":\"2021-02-10\",\"amount\":\"20000\"}\n\
        {\"id\":\"b\",\"date\":\"2021-02-10\",\"amount\":\"1000\"}\n\
        {\"date\":\"2021-02-10\",\"amout\":\"1\"}\n\
        \n\
        {\"date\":\"2021-02-20\",\"amount\":20000.00,\"bought_this_month\":28.1}\n";
    let answers = ends(3, &format!("vend tariff try {TARIFFS}/uganda.toml --lines -"), lines);
    let answers: Vec<Value> =
        answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), 4);
    assert_eq!((&answers[0]["id"], &answers[0]["units"]), (&"a".into(), &"28.1".into()));
    assert_eq!(
        (&answers[1]["id"], &answers[1]["error"]["code"]),
        (&"b".into(), &"amount_swallowed".into())
    );
    let message = answers[1]["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("charges and taxes on them 3964.80; the smallest possible purchase is "),
        "{message}"
    );
    assert_eq!(answers[2]["error"]["code"], "bad_json");
    assert!(answers[2]["error"]["message"].as_str().unwrap().contains("amout"));
    assert_eq!(answers[3]["units"], "22.6");
    assert!(!answers[3]["why"].as_array().unwrap().is_empty());
}

#[test]
fn a_jump_of_the_price_is_announced_and_a_cliff_says_what_it_costs() {
    let quote = |amount: &str| -> Value {
        let command = format!(
            "--json vend tariff explain {TARIFFS}/ghana.toml --date 2025-02-15 --amount {amount}"
        );
        serde_json::from_str(&succeed(&command)).unwrap()
    };
    let near = quote("20");
    let notice = near["notices"][0].as_str().unwrap();
    assert!(
        notice.contains("At 30 kWh of this month") && notice.contains("costs 39.548659… at once"),
        "{notice}"
    );
    let inside = quote("50");
    assert_eq!(inside["units"], "30.00");
    let notice = inside["notices"][0].as_str().unwrap();
    assert!(notice.contains("26.59 buys the same 30.00 kWh; 66.15 is the next amount"), "{notice}");
}
