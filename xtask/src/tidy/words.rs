//! Rule: the project speaks of itself alone. No committed text names a place on somebody's machine, and no source
//! keeps a note for later: what is missing is told in the documents or in an issue.
//!
//! The words are assembled here from parts, so that this file passes its own rule.

use super::{Finding, House};

pub(super) const RULE: &str = "words";

/// Folders that exist on one machine only. A longer path or an address that contains one is not meant.
const FOLDERS: &[&str] = &[
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/t", "mp/"),
    concat!("/wo", "rk/"),
    concat!("/work", "space/"),
    concat!("/Us", "ers/"),
    concat!("C:\\", "Users\\"),
];

/// Notes for later, as whole words in source.
const NOTES: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

/// How the names of source files end.
const SOURCE: &[&str] = &[
    ".rs", ".toml", ".sh", ".ci/run", ".py", ".c", ".h", ".js", ".css", ".html", ".sql", ".yml",
    ".yaml",
];

pub(super) fn check(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in house.tree.texts() {
        let is_source = SOURCE.iter().any(|end| path.ends_with(end));
        for (line, content) in (1..).zip(text.lines()) {
            if let Some(folder) = FOLDERS.iter().find(|folder| names_folder(content, folder)) {
                let expected = "a path from the root of the project";
                findings.push(Finding::new(RULE, path, line, format!("`{folder}`"), expected));
            }
            if let Some(note) = NOTES.iter().find(|note| is_source && has_word(content, note)) {
                findings.push(Finding::new(
                    RULE,
                    path,
                    line,
                    format!("`{note}`"),
                    "no note for later",
                ));
            }
        }
    }
    findings
}

/// Whether `folder` begins a path in `line`: what is before it does not continue a path or an address.
fn names_folder(line: &str, folder: &str) -> bool {
    let continues = |sign: char| sign.is_alphanumeric() || "_-./~*}>".contains(sign);
    line.match_indices(folder).any(|(place, _)| !line[..place].ends_with(continues))
}

fn has_word(line: &str, word: &str) -> bool {
    let is_part = |sign: char| sign.is_alphanumeric() || sign == '_';
    line.match_indices(word).any(|(place, _)| {
        !line[..place].ends_with(is_part) && !line[place + word.len()..].starts_with(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::places;
    use super::{FOLDERS, House, NOTES, check};

    #[test]
    fn texts_about_the_project_pass() {
        let notes = NOTES.concat();
        let cases = [
            (
                "docs/a.md",
                format!("See https://example.org{0}a, crates{0}b and ${{X}}{0}c.", FOLDERS[0]),
            ),
            ("docs/a.md", format!("{} is a word here.", NOTES[0])),
            ("src/a.rs", format!("let {notes} = A{0}_B{0};", NOTES[0])),
            ("src/a.rs", "let a = todo;".into()),
        ];
        for (path, text) in cases {
            let found = check(&House::of(&[(path, &text)]));
            assert!(found.is_empty(), "{text}: {found:?}");
        }
    }

    #[test]
    fn places_of_one_machine_are_found_in_any_text() {
        for folder in FOLDERS {
            for text in
                [format!("\n{folder}a"), format!("\ncd '{folder}a'"), format!("\n=({folder}b)")]
            {
                assert_eq!(
                    places(&check(&House::of(&[("docs/a.md", &text)]))),
                    ["docs/a.md:2"],
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn notes_for_later_are_found_in_sources() {
        for note in NOTES {
            for path in ["crates/a/src/lib.rs", "Cargo.toml", ".ci/run"] {
                let text = format!("a\nb // {note}: c");
                assert_eq!(
                    places(&check(&House::of(&[(path, &text)]))),
                    [format!("{path}:2")],
                    "{note}"
                );
            }
        }
    }
}
