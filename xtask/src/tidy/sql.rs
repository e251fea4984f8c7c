//! Rule: only `prepay-store` contains SQL, in upper or lower case.
//!
//! A string counts as SQL if it starts like a statement; a sentence such as "Select a meter" does not.

use super::Workspace;
use crate::finding::Finding;

pub(super) const RULE: &str = "sql";

const HOME: &str = "prepay-store";

/// How statements start, and a word that must follow if the start could also be plain English.
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

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in workspace.sources().filter(|source| source.crate_name != HOME) {
        for (quote, _) in source.code.match_indices('"') {
            let content = source.code[quote + 1..].split('"').next().unwrap_or_default();
            let line = 1 + source.code[..quote].matches('\n').count();
            findings.extend(
                statement(content).map(|begin| finding(source.path, line, format!("{begin} …"))),
            );
        }
    }
    let home = format!("crates/{HOME}/");
    let files = workspace.tree.files().map(|(path, _)| path);
    let strays = files.filter(|path| path.ends_with(".sql") && !path.starts_with(&home));
    findings.extend(strays.map(|path| finding(path, 1, "a file of SQL".into())));
    findings
}

fn finding(path: &str, line: usize, found: String) -> Finding {
    Finding::new(RULE, path, line, found, format!("SQL in {HOME} only"))
}

/// The start of the statement in `text`, if it is one. `SELECT` in capitals needs no `FROM`.
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
    use super::{Workspace, check};
    use crate::finding::testing::places;

    const PATH: &str = "crates/prepay-kmc/src/ledger.rs";

    #[test]
    fn sentences_and_the_store_pass() {
        const CASES: &[&str] = &[
            "const A: &str = \"Select a meter\";",
            "const A: &str = \"update the tariff\";",
            "const A: &str = \"SELECTION 1 FROM 2\";",
            "/// SELECT 1 FROM sales\nfn a() {}",
            "// \"SELECT 1 FROM sales\"",
            "const A: &str = \"a\"; // SELECT 1 FROM sales",
            "fn select(from: u8) {}",
        ];
        for text in CASES {
            let found = check(&Workspace::of(&[(PATH, text)]));
            assert!(found.is_empty(), "{text}: {found:?}");
        }
        let store = [
            ("crates/prepay-store/src/sale.rs", "const A: &str = \"SELECT 1\";"),
            ("crates/prepay-store/migrations/1.sql", "CREATE TABLE sale (id INT)"),
        ];
        assert!(check(&Workspace::of(&store)).is_empty());
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
                places(&check(&Workspace::of(&[(PATH, text)]))),
                [format!("{PATH}:1")],
                "{text}"
            );
        }
        let stray = Workspace::of(&[("docs/schema.sql", "SELECT 1")]);
        assert_eq!(places(&check(&stray)), ["docs/schema.sql:1"]);
    }
}
