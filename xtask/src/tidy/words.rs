//! Rule: no committed text contains a path of someone's machine.
//!
//! The paths are assembled here from parts, so that this file passes its own rule. The spelling check finds notes for
//! later.

use super::Workspace;
use crate::finding::Finding;

pub(super) const RULE: &str = "words";

/// Folders of one machine. Longer paths and URLs that contain one are allowed.
const FOLDERS: &[&str] = &[
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/t", "mp/"),
    concat!("/wo", "rk/"),
    concat!("/work", "space/"),
    concat!("/Us", "ers/"),
    concat!("C:\\", "Users\\"),
];

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in workspace.tree.texts() {
        for (line, content) in (1..).zip(text.lines()) {
            if let Some(folder) = FOLDERS.iter().find(|folder| names_folder(content, folder)) {
                let expected = "a path from the root of the project";
                findings.push(Finding::new(RULE, path, line, format!("`{folder}`"), expected));
            }
        }
    }
    findings
}

/// Whether a path in `line` starts with `folder`: nothing before it continues a path or a URL.
fn names_folder(line: &str, folder: &str) -> bool {
    let continues = |sign: char| sign.is_alphanumeric() || "_-./~*}>".contains(sign);
    line.match_indices(folder).any(|(place, _)| !line[..place].ends_with(continues))
}

#[cfg(test)]
mod tests {
    use super::{FOLDERS, Workspace, check};
    use crate::finding::testing::places;

    #[test]
    fn paths_of_the_project_and_addresses_pass() {
        let folder = FOLDERS[0];
        let text =
            format!("See https://example.org{folder}a, crates{folder}b and ${{X}}{folder}c.");
        assert!(check(&Workspace::of(&[("docs/a.md", &text)])).is_empty(), "{text}");
    }

    #[test]
    fn places_of_one_machine_are_found_in_any_text() {
        for folder in FOLDERS {
            for before in ["", "cd '", "=("] {
                let text = format!("\n{before}{folder}a");
                let found = places(&check(&Workspace::of(&[("docs/a.md", &text)])));
                assert_eq!(found, ["docs/a.md:2"], "{text}");
            }
        }
    }
}
