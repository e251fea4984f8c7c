//! Rule: only `prepay-store` contains SQL, in whatever case it is written.
//!
//! A string counts as SQL when it begins like a statement, so that a sentence such as "Select a meter" does not.

use super::source::{Source, string_content};
use super::{Finding, House};

pub(super) const RULE: &str = "sql";

const HOME: &str = "prepay-store";

/// How statements begin, and a word that must follow somewhere when the beginning is also plain English.
const STATEMENTS: &[(&str, Option<&str>)] = &[
    ("SELECT", Some("FROM")),
    ("INSERT INTO", None),
    ("INSERT OR", Some("INTO")),
    ("UPDATE", Some("SET")),
    ("DELETE FROM", None),
    ("CREATE TABLE", None),
    ("CREATE INDEX", None),
    ("CREATE UNIQUE INDEX", None),
    ("ALTER TABLE", None),
    ("DROP TABLE", None),
    ("PRAGMA", None),
];

pub(super) fn check(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    let sources = house.sources.iter().filter(|source| is_elsewhere(source.crate_name.as_deref()));
    sources.for_each(|source| check_source(source, &mut findings));
    let home = format!("crates/{HOME}/");
    let files = house.tree.files().map(|(path, _)| path);
    let strays = files.filter(|path| path.ends_with(".sql") && !path.starts_with(&home));
    findings.extend(strays.map(|path| finding(path, 1, "a file of SQL".into())));
    findings
}

/// Every crate but the store. The chores name statements in order to find them.
fn is_elsewhere(crate_name: Option<&str>) -> bool {
    crate_name.is_some_and(|name| name != HOME && name != "xtask")
}

fn check_source(source: &Source, findings: &mut Vec<Finding>) {
    for token in &source.tokens {
        let statement = string_content(&token.text).and_then(statement);
        findings
            .extend(statement.map(|begin| finding(&source.path, token.line, format!("{begin} …"))));
    }
}

fn finding(path: &str, line: usize, found: String) -> Finding {
    Finding::new(RULE, path, line, found, format!("SQL in {HOME} only"))
}

/// The beginning of the statement in `text`, when it is one. `SELECT` in capitals needs no `FROM`.
fn statement(text: &str) -> Option<&'static str> {
    let text = text.replace("\\n", " ").replace('\\', " ");
    let words: Vec<&str> = text.split_whitespace().collect();
    let capitals: Vec<String> = words.iter().map(|word| word.to_ascii_uppercase()).collect();
    let is_one = |begin: &str, follows: &Option<&str>| {
        let length = begin.split(' ').count();
        capitals.len() > length
            && begin.split(' ').eq(capitals[..length].iter().map(String::as_str))
            && (follows.is_none_or(|word| capitals.iter().any(|other| other == word))
                || (begin == "SELECT" && words[0] == begin))
    };
    STATEMENTS.iter().find(|(begin, follows)| is_one(begin, follows)).map(|(begin, _)| *begin)
}

#[cfg(test)]
mod tests {
    use super::super::testing::places;
    use super::{House, check};

    const PATH: &str = "crates/prepay-kmc/src/ledger.rs";

    #[test]
    fn sentences_and_the_store_pass() {
        const CASES: &[&str] = &[
            "const A: &str = \"Select a meter\";",
            "const A: &str = \"update the tariff\";",
            "const A: &str = \"SELECTION 1 FROM 2\";",
            "/// SELECT 1 FROM sales\nfn a() {}",
            "// \"SELECT 1 FROM sales\"",
            "fn select(from: u8) {}",
        ];
        for text in CASES {
            let found = check(&House::of(&[(PATH, text)]));
            assert!(found.is_empty(), "{text}: {found:?}");
        }
        let store = [
            ("crates/prepay-store/src/sale.rs", "const A: &str = \"SELECT 1\";"),
            ("crates/prepay-store/migrations/1.sql", "CREATE TABLE sale (id INT)"),
        ];
        assert!(check(&House::of(&store)).is_empty());
    }

    #[test]
    fn statements_elsewhere_are_found() {
        const CASES: &[&str] = &[
            "const A: &str = \"SELECT 1\";",
            "const A: &str = r#\" select id from sale\"#;",
            "const A: &str = \"\\n  INSERT INTO sale VALUES (1)\";",
            "const A: &str = \"update sale set paid = 1\";",
            "const A: &str = \"Delete From sale\";",
            "const A: &str = \"create table sale (id int)\";",
            "fn a() { query!(\"DROP TABLE sale\") }",
            "#[cfg(test)] mod tests { const A: &str = \"SELECT 1\"; }",
        ];
        for text in CASES {
            assert_eq!(
                places(&check(&House::of(&[(PATH, text)]))),
                [format!("{PATH}:1")],
                "{text}"
            );
        }
        let stray = House::of(&[("docs/schema.sql", "SELECT 1")]);
        assert_eq!(places(&check(&stray)), ["docs/schema.sql:1"]);
    }
}
