//! The files of `data/` and the constants of the crate say the same, and every entry tells what it rests on.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use prepay_meter::keypad::{
    CODES_CONLOG, CODES_EASTERN, CODES_HEXING, CODES_INHE, CODES_LANDIS_GYR, CODES_LINYANG,
    CODES_PROJECT, CODES_WASION, ResultWords, WORDS_DE_FACTO, WORDS_ITRON, WORDS_PROJECT,
};
use prepay_meter::{CodeSyntax, CodeTarget, REGISTERS, Register, ShortCodeMap, TokenResult};
use prepay_token::element::Service;
use toml::Table;

const WORDS: &[(&str, ResultWords<'_>)] = &[
    ("words-de-facto.toml", WORDS_DE_FACTO),
    ("words-itron.toml", WORDS_ITRON),
    ("words-project.toml", WORDS_PROJECT),
];

const CODES: &[(&str, ShortCodeMap<'_>)] = &[
    ("short-codes-conlog.toml", CODES_CONLOG),
    ("short-codes-eastern.toml", CODES_EASTERN),
    ("short-codes-hexing.toml", CODES_HEXING),
    ("short-codes-inhe.toml", CODES_INHE),
    ("short-codes-landis-gyr.toml", CODES_LANDIS_GYR),
    ("short-codes-linyang.toml", CODES_LINYANG),
    ("short-codes-project.toml", CODES_PROJECT),
    ("short-codes-wasion.toml", CODES_WASION),
];

const MARKS: [&str; 3] = ["verified", "single source", "own sample"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data")
}

fn read(file: &str) -> Table {
    let text = std::fs::read_to_string(folder().join(file)).expect(file);
    text.parse().unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn text<'a>(table: &'a Table, field: &str, place: &str) -> &'a str {
    let value = table.get(field).and_then(|value| value.as_str());
    value.unwrap_or_else(|| panic!("{place}: {field} is missing"))
}

/// Checks the head of a file, the fields of its entries, and their marks.
fn check_form(table: &Table, file: &str, head: &[&str], sections: &[(&str, &[&str])]) {
    assert!(text(table, "name", file).len() > 2, "{file}");
    assert!(text(table, "origin", file).len() > 10, "{file}");
    assert!(MARKS.contains(&text(table, "mark", file)), "{file}");
    for (field, value) in table {
        if head.contains(&field.as_str()) {
            continue;
        }
        let fields = sections.iter().find(|(name, _)| name == field);
        let (_, fields) = fields.unwrap_or_else(|| panic!("{file}: unknown field {field}"));
        for (entry, value) in value.as_table().expect(file) {
            let place = format!("{file}: {entry}");
            let value = value.as_table().expect(&place);
            assert!(MARKS.contains(&text(value, "mark", &place)), "{place}");
            assert!(value.keys().all(|key| key == "mark" || fields.contains(&key.as_str())));
            assert_eq!(value.len(), 2, "{place}");
        }
    }
}

#[test]
fn every_file_has_its_constant() {
    let found: BTreeSet<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let known = WORDS.iter().map(|(file, _)| *file).chain(CODES.iter().map(|(file, _)| *file));
    assert_eq!(found, known.map(str::to_owned).collect());
}

#[test]
fn every_file_of_words_has_every_result_and_agrees() {
    for &(file, words) in WORDS {
        let table = read(file);
        check_form(&table, file, &["name", "origin", "mark"], &[("words", &["word"])]);
        let entries = table["words"].as_table().unwrap();
        let word = |name: &str| {
            let entry = entries.get(name).unwrap_or_else(|| panic!("{file}: no word for {name}"));
            text(entry.as_table().unwrap(), "word", name)
        };
        for result in TokenResult::ALL {
            assert_eq!(word(result.name()), words.word(result), "{file}: {result}");
        }
        assert_eq!(word("code_refused"), words.code_refused(), "{file}");
        assert_eq!(word("fault"), words.fault(), "{file}");
        assert_eq!(entries.len(), TokenResult::ALL.len() + 2, "{file}");
    }
}

#[test]
fn the_words_of_the_project_differ_and_fit_eight_characters() {
    let words: BTreeSet<_> = TokenResult::ALL.map(|result| WORDS_PROJECT.word(result)).into();
    assert_eq!(words.len(), TokenResult::ALL.len());
    for &(file, words) in WORDS {
        let more = [words.code_refused(), words.fault()];
        for word in TokenResult::ALL.map(|result| words.word(result)).iter().chain(&more) {
            assert!(word.len() <= 8, "{file}: {word}");
        }
    }
}

#[test]
fn every_file_of_codes_agrees() {
    for &(file, codes) in CODES {
        let table = read(file);
        let head = ["name", "origin", "mark", "syntax", "info_digits"];
        let sections: &[(&str, &[&str])] =
            &[("codes", &["register", "emergency"]), ("unserved", &["shows"])];
        check_form(&table, file, &head, sections);
        assert_eq!(text(&table, "syntax", file), codes.syntax().name(), "{file}");
        let digits = table.get("info_digits").and_then(|value| value.as_integer());
        let expected = match codes.syntax() {
            CodeSyntax::InfoFirst { digits } => Some(digits.into()),
            _ => None,
        };
        assert_eq!(digits, expected, "{file}");
        let entries = table["codes"].as_table().unwrap();
        assert_eq!(entries.len(), codes.entries().len(), "{file}");
        for (code, target) in codes.entries() {
            let entry = entries.get(*code).unwrap_or_else(|| panic!("{file}: {code} is missing"));
            let found = match (entry.get("register"), entry.get("emergency")) {
                (Some(number), None) => {
                    let number = number.as_integer().unwrap().try_into().unwrap();
                    CodeTarget::Show(Register::with_number(number).unwrap())
                }
                (None, Some(service)) => {
                    let service: Service = service.as_str().unwrap().parse().unwrap();
                    CodeTarget::StartEmergency(service)
                }
                _ => panic!("{file}: {code}"),
            };
            assert_eq!(found, *target, "{file}: {code}");
        }
        if let Some(unserved) = table.get("unserved") {
            for code in unserved.as_table().unwrap().keys() {
                assert!(!entries.contains_key(code), "{file}: {code} is served");
                assert!(code.bytes().all(|byte| byte.is_ascii_digit()), "{file}: {code}");
            }
        }
    }
}

#[test]
fn the_codes_of_the_project_are_the_numbers_of_the_registers() {
    let shown: Vec<(String, Register)> =
        REGISTERS.iter().map(|row| (format!("{:03}", row.number), row.register)).collect();
    let mut found = Vec::new();
    for (code, target) in CODES_PROJECT.entries() {
        if let CodeTarget::Show(register) = target {
            found.push(((*code).to_owned(), *register));
        }
    }
    assert_eq!(found, shown);
}
