//! Rule: each mutant that the tests miss has its reason in `mutants/REASONS`, and each reason its mutant.
//!
//! The results of a file that has changed since say nothing about it; then only the function must still be there.

use std::collections::BTreeMap;

use super::Workspace;
use crate::finding::Finding;
use crate::mutants::results::{CRATES, REASONS, Reasons, Results, results_file};

pub(super) const RULE: &str = "mutants";

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let tree = &workspace.tree;
    let mut findings = Vec::new();
    let reasons = match Reasons::read(tree.text(REASONS).unwrap_or_default()) {
        Ok(reasons) => reasons,
        Err((line, expected)) => {
            return vec![Finding::new(RULE, REASONS, line, "another line", expected)];
        }
    };
    // What was missed in files that are still the same.
    let mut missed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for crate_name in CRATES {
        let path = results_file(crate_name);
        match Results::read(tree.text(&path).unwrap_or_default()) {
            Err(problem) => findings.push(Finding::new(RULE, &path, 1, problem, "results")),
            Ok(results) => {
                let current = results.files().filter(|(path, file)| file.is_current(path, tree));
                missed.extend(current.map(|(path, file)| {
                    (path.to_string(), file.missed().map(str::to_string).collect())
                }));
            }
        }
    }
    for reason in &reasons.0 {
        let is_there = match missed.get_mut(&reason.path) {
            Some(names) => {
                let place = names.iter().position(|name| *name == reason.mutant);
                place.map(|place| names.swap_remove(place)).is_some()
            }
            None => tree.text(&reason.path).is_some_and(|text| text.contains(reason.function())),
        };
        if !is_there {
            let found = format!("a reason for `{}: {}`", reason.path, reason.mutant);
            let expected = "a mutant that is missed, or no reason";
            findings.push(Finding::new(RULE, REASONS, reason.line, found, expected));
        }
    }
    for (path, names) in missed {
        for name in names {
            let found = format!("a missed mutant: {name}");
            findings.push(Finding::new(
                RULE,
                &path,
                1,
                found,
                format!("a test, or a reason in {REASONS}"),
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{REASONS, Workspace, check};
    use crate::finding::testing::places;

    const FILE: &str = "crates/prepay-token/src/a.rs";
    const SOURCE: &str = "fn f() {}\n";
    /// The start of the SHA-256 of `SOURCE`, and of something else.
    const DIGESTS: [&str; 2] = ["7ed4a69a138a907b", "0000000000000000"];

    fn findings(digest: &str, missed: &str, reasons: &str) -> Vec<String> {
        let results = format!("{FILE} {digest} cm\n    1:1: {missed}\n");
        let files = [(FILE, SOURCE), ("mutants/prepay-token", &results), (REASONS, reasons)];
        places(&check(&Workspace::of(&files)))
    }

    #[test]
    fn a_missed_mutant_and_its_reason_belong_together() {
        let reason = format!("# head\n{FILE}: delete ! in f\n    left: it is rare\n");
        let none: [&str; 0] = [];
        assert_eq!(findings(DIGESTS[0], "delete ! in f", &reason), none);
        assert_eq!(findings(DIGESTS[0], "delete ! in f", ""), [format!("{FILE}:1")]);
        let expected = [format!("{REASONS}:2"), format!("{FILE}:1")];
        assert_eq!(findings(DIGESTS[0], "delete - in f", &reason), expected);
        let twice = [reason.as_str(), &reason].concat();
        assert_eq!(findings(DIGESTS[0], "delete ! in f", &twice), [format!("{REASONS}:5")]);
    }

    #[test]
    fn a_file_that_has_changed_must_still_have_the_function() {
        for (function, expected) in [("f", 0), ("gone", 1)] {
            let reason = format!("{FILE}: delete ! in {function}\n    same: x\n");
            let found = findings(DIGESTS[1], "delete ! in f", &reason);
            assert_eq!(found.len(), expected, "{function}: {found:?}");
        }
    }

    #[test]
    fn a_reason_without_same_or_left_is_found() {
        let reason = format!("{FILE}: delete ! in f\n    because\n");
        assert_eq!(findings(DIGESTS[0], "delete ! in f", &reason), [format!("{REASONS}:2")]);
    }
}
