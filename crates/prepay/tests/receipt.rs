//! `prepay vend receipt`: the sample in every form and language is what `tests/receipts` has.

mod common;
mod guide_kit;

use std::fs;
use std::path::Path;

use common::{ends, folder, run, succeed, text};
use serde_json::Value;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/receipts");
const FORMATS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/formats/receipt.md");
const LANGUAGES: [&str; 5] = ["en", "fr", "pt", "sw", "ar"];

/// Compares a receipt with its file, which `UPDATE_RECEIPTS` writes anew. Look at what it wrote.
fn compare(name: &str, found: &str) {
    let path = Path::new(GOLDEN).join(name);
    if std::env::var_os("UPDATE_RECEIPTS").is_some() {
        fs::write(&path, found).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap();
    for (number, (expected, found)) in (1..).zip(expected.lines().zip(found.lines())) {
        assert_eq!(found, expected, "{name}, line {number}");
    }
    assert_eq!(found.len(), expected.len(), "{name}");
}

#[test]
#[cfg(unix)]
fn only_a_regular_file_is_replaced() {
    let folder = folder("receipt_kind");
    fs::write(folder.join("kept"), "kept").unwrap();
    std::os::unix::fs::symlink(folder.join("kept"), folder.join("link")).unwrap();
    for there in ["link", "."] {
        let out = folder.join(there);
        let command = format!("vend receipt --sample --force --out {}", out.display());
        let output = ends(2, &command, b"");
        assert_eq!(output, "");
    }
    assert_eq!(fs::read_to_string(folder.join("link")).unwrap(), "kept");
    assert!(folder.join("link").is_symlink());
}

#[test]
fn texts_are_those_of_the_files() {
    for language in LANGUAGES {
        for columns in [32, 40] {
            let command =
                format!("vend receipt --sample --columns {columns} --language {language}");
            compare(&format!("{language}-{columns}.txt"), &succeed(&command));
        }
    }
}

#[test]
fn a_record_with_another_alphabet_and_a_set_given_again_prints_too() {
    let record = format!("{GOLDEN}/khartoum.json");
    compare("khartoum.txt", &succeed(&format!("vend receipt {record} --language ar --columns 32")));
}

#[test]
fn pages_are_those_of_the_files_and_a_pdf_goes_to_a_file() {
    for language in ["en", "ar"] {
        let command = format!("vend receipt --sample --form html --language {language}");
        compare(&format!("{language}.html"), &succeed(&command));
    }
    let answer: Value =
        serde_json::from_str(&ends(2, "--json vend receipt --sample --form pdf", b"")).unwrap();
    assert_eq!(answer["error"]["code"], "flag");
    let file = folder("receipt-pdf").join("slip.pdf");
    succeed(&format!("vend receipt --sample --form pdf --out {}", file.display()));
    assert!(fs::read(&file).unwrap().starts_with(b"%PDF-"));
    let record = succeed("vend receipt --sample --form json").replace("Juma Barasa", "ከበደ");
    let command = format!("--json vend receipt - --form pdf --force --out {}", file.display());
    let answer: Value = serde_json::from_str(&ends(3, &command, record.as_bytes())).unwrap();
    assert_eq!(answer["error"]["code"], "letter_missing");
    assert!(fs::read(&file).unwrap().starts_with(b"%PDF-"), "an existing file is not changed");
    assert!(ends(0, "vend receipt -", record.as_bytes()).contains("ከበደ"));
}

#[test]
fn the_json_of_a_receipt_prints_the_same_receipt() {
    let json = succeed("vend receipt --sample --form json");
    assert_eq!(ends(0, "vend receipt -", json.as_bytes()), succeed("vend receipt --sample"));
    assert_eq!(ends(0, "vend receipt - --form json", json.as_bytes()), json);
}

#[test]
fn a_receipt_goes_to_a_file_that_is_not_there_yet() {
    let file = folder("receipt").join("slip.txt");
    let command = format!("--json vend receipt --sample --out {}", file.display());
    let answer: Value = serde_json::from_str(&succeed(&command)).unwrap();
    assert_eq!(answer["receipt"], "0047-002262");
    assert_eq!(fs::read_to_string(&file).unwrap(), succeed("vend receipt --sample"));
    let answer: Value = serde_json::from_str(&ends(2, &command, b"")).unwrap();
    assert_eq!(answer["error"]["code"], "file_exists");
}

#[test]
fn what_is_no_receipt_is_refused_with_every_fault() {
    let error = |arguments: &str, input: &str| -> (String, String) {
        let output = run(arguments, input.as_bytes());
        assert_eq!(output.status.code(), Some(3), "{arguments}");
        assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        let part = |name: &str| answer["error"][name].as_str().unwrap().to_owned();
        (part("code"), part("message"))
    };
    let command = "--json vend receipt -";
    let (code, message) = error(command, "{\"nmae\":1}");
    assert_eq!(code, "bad_json");
    assert!(
        message.contains("unknown field `nmae`, expected one of `receipt_number`"),
        "{message}"
    );
    let json = succeed("vend receipt --sample --form json");
    let bad = json.replace("\"10.00\"", "\"11.00\"").replace("\"MWAMBAO POWER\"", "\"\"");
    let (code, message) = error(command, &bad);
    assert_eq!(code, "field_invalid");
    assert_eq!(message, "utility.name: expected a text, found none");
    let (code, message) = error(command, &json.replace("\"10.00\"", "\"11.00\""));
    assert_eq!(code, "field_invalid");
    assert_eq!(
        message,
        "lines: expected amounts that add up to the 1010.00 tendered, found 1011.00"
    );
    let messages = folder("receipt-messages").join("bad.ftl");
    fs::write(&messages, "locale = en-KE\nmetre = Meter\n").unwrap();
    let (code, message) =
        error(&format!("--json vend receipt --sample --messages {}", messages.display()), "");
    assert_eq!(code, "messages_invalid");
    assert!(
        message.contains("bad.ftl:2: receipts have no message \"metre\"; did you mean \"meter\"?"),
        "{message}"
    );
    assert!(
        message
            .contains("bad.ftl:1: the file has no message \"days-since\"; it is given { $days }"),
        "{message}"
    );
}

#[test]
fn the_record_and_the_messages_of_the_format_page_are_good() {
    let page = fs::read_to_string(FORMATS).unwrap();
    let block = |fence: &str| {
        let (_, rest) = page.split_once(fence).unwrap_or_else(|| panic!("no {fence}"));
        rest.split_once("```").unwrap().0.to_owned()
    };
    let place = folder("receipt-page");
    fs::write(place.join("slip.json"), block("```json\n")).unwrap();
    let steps = guide_kit::steps(&page);
    assert!(!steps.is_empty(), "the page prints its record");
    guide_kit::follow("docs/formats/receipt.md", steps, &place);
    let english =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../prepay-vend/src/receipt/languages/en.ftl");
    let english = fs::read_to_string(english).unwrap();
    for line in block("```ftl\n").lines() {
        assert!(english.lines().any(|known| known == line), "{line}");
    }
}
