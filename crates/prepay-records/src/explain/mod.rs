//! What each stable code means, its cause, who has to act, and what to do.
//!
//! One table for every error that a door answers with. It is what `prepay explain-code` prints, where `next` of a
//! failure comes from, and what `docs/reference/codes.md` is made of. A test of the program compares it with the codes
//! of every error type, in both directions.

mod centre;
mod document;
mod form;
mod meter;
mod module;
mod program;
mod request;
mod service;
mod vault;
mod vend;

use serde::Serialize;

/// Who has to act on a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// Whoever typed the command or sent the request.
    Client,
    /// Whoever issues tokens.
    Operator,
    /// Two custodians of the vault.
    Custodians,
    /// A custodian together with an auditor: something may have been tampered with.
    Auditor,
    /// Whoever runs the computer.
    Administrator,
    /// The key management centre.
    Centre,
    /// The custodians of the security module.
    Module,
    /// Whoever signs forms for the customer.
    Signatory,
    /// Whoever wrote the document.
    Sender,
}

impl Who {
    /// The words for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Client => "whoever typed the command or sent the request",
            Self::Operator => "whoever issues tokens",
            Self::Custodians => "two custodians of the vault",
            Self::Auditor => "a custodian and an auditor",
            Self::Administrator => "whoever runs the computer",
            Self::Centre => "the key management centre",
            Self::Module => "the custodians of the security module",
            Self::Signatory => "whoever signs forms for the customer",
            Self::Sender => "whoever wrote the document",
        }
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The code, as programs read it.
    pub code: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// Its cause.
    pub cause: &'static str,
    /// Who has to act.
    pub who: Who,
    /// What to do.
    pub next: &'static str,
}

/// Codes that belong together.
#[derive(Clone, Copy, Debug)]
pub struct Area {
    /// What they are about.
    pub title: &'static str,
    /// Their rows.
    pub rows: &'static [Explanation],
}

/// Every code, by what it is about.
pub const AREAS: &[Area] = &[
    Area { title: "Requests, tokens and keys", rows: request::ROWS },
    Area { title: "Answers of a meter to a token", rows: meter::ROWS },
    Area { title: "Security modules", rows: module::ROWS },
    Area { title: "The service of a security module", rows: service::ROWS },
    Area { title: "Vaults, people and secrets", rows: vault::ROWS },
    Area { title: "Documents of key management", rows: document::ROWS },
    Area { title: "The key management centre", rows: centre::ROWS },
    Area { title: "Forms", rows: form::ROWS },
    Area { title: "Tariffs and quotes", rows: vend::ROWS },
    Area { title: "The program", rows: program::ROWS },
];

const fn row(
    code: &'static str,
    meaning: &'static str,
    cause: &'static str,
    who: Who,
    next: &'static str,
) -> Explanation {
    Explanation { code, meaning, cause, who, next }
}

/// Every row, in the order of [`AREAS`].
pub fn explanations() -> impl Iterator<Item = &'static Explanation> {
    AREAS.iter().flat_map(|area| area.rows)
}

/// The row of a code.
pub fn explain(code: &str) -> Option<&'static Explanation> {
    explanations().find(|row| row.code == code)
}

/// Codes that may have been meant: those with the fewest letters to change, at most three.
pub fn near(text: &str) -> Vec<&'static str> {
    let text = &text.to_ascii_lowercase().replace(['-', ' '], "_");
    let most = text.len() / 3 + 1;
    let mut near: Vec<(usize, &str)> = explanations()
        .filter_map(|row| {
            let holds = text.len() >= 3 && row.code.contains(text.as_str());
            let changes = if holds { 1 } else { changes(text, row.code) };
            (changes <= most).then_some((changes, row.code))
        })
        .collect();
    near.sort_unstable();
    near.into_iter().take(3).map(|(_, code)| code).collect()
}

/// How many bytes have to be put in, left out or replaced to make one text from the other.
fn changes(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (place, byte) in from.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], place + 1);
        for (column, other) in to.bytes().enumerate() {
            let replaced = diagonal + usize::from(byte != other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_code_has_one_row_in_plain_sentences() {
        let mut codes = BTreeSet::new();
        for row in explanations() {
            assert!(codes.insert(row.code), "{} has two rows", row.code);
            let is_code =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            assert!(row.code.bytes().all(is_code), "{}", row.code);
            for sentence in [row.meaning, row.cause] {
                assert!(sentence.ends_with('.'), "{}: {sentence}", row.code);
                assert!(!sentence.starts_with(char::is_lowercase), "{}: {sentence}", row.code);
            }
            // What to do stands behind a failure, in one line.
            assert!(!row.next.is_empty() && !row.next.ends_with('.'), "{}: {}", row.code, row.next);
        }
    }

    #[test]
    fn a_mistyped_code_finds_what_was_meant() {
        for (text, meant) in [
            ("pan_checkdigit", "pan_check_digit"),
            ("cerc", "crc"),
            ("expired", "key_expired"),
            ("usederror", "used_error"),
            ("CRC", "crc"),
            ("UsedError", "used_error"),
            ("KEY-EXPIRED", "key_expired"),
        ] {
            assert!(near(text).contains(&meant), "{text}: {:?}", near(text));
        }
        assert_eq!(near("entirely something else"), Vec::<&str>::new());
        assert_eq!(changes("kitten", "sitting"), 3);
    }
}
