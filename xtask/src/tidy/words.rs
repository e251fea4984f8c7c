//! Rule: the project speaks of itself alone. No committed text names a place on somebody's machine.
//!
//! The places are assembled here from parts, so that this file passes its own rule. Notes for later are found by the
//! check of spelling.

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

pub(super) fn check(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in house.tree.texts() {
        for (line, content) in (1..).zip(text.lines()) {
            if let Some(folder) = FOLDERS.iter().find(|folder| names_folder(content, folder)) {
                let expected = "a path from the root of the project";
                findings.push(Finding::new(RULE, path, line, format!("`{folder}`"), expected));
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

#[cfg(test)]
mod tests {
    use super::super::testing::places;
    use super::{FOLDERS, House, check};

    #[test]
    fn paths_of_the_project_and_addresses_pass() {
        let folder = FOLDERS[0];
        let text =
            format!("See https://example.org{folder}a, crates{folder}b and ${{X}}{folder}c.");
        assert!(check(&House::of(&[("docs/a.md", &text)])).is_empty(), "{text}");
    }

    #[test]
    fn places_of_one_machine_are_found_in_any_text() {
        for folder in FOLDERS {
            for before in ["", "cd '", "=("] {
                let text = format!("\n{before}{folder}a");
                let found = places(&check(&House::of(&[("docs/a.md", &text)])));
                assert_eq!(found, ["docs/a.md:2"], "{text}");
            }
        }
    }
}
