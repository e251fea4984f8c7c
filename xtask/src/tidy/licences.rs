//! Rule: the licence of every dependency is one that we know and accept.
//!
//! A dependency is acceptable when *some* choice that its expression offers is in the table. Every platform and
//! every optional dependency counts; the separate workspace of the fuzz targets does not.

use spdx::{Expression, Licensee, ParseMode};

use super::graph::Package;
use super::{Finding, House};

pub(super) const RULE: &str = "licences";

const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

pub(super) fn check(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    let lock = house.tree.text("Cargo.lock").unwrap_or_default();
    for package in house.graph.others() {
        let licence = package.license.as_deref();
        if licence.is_none_or(|expression| !is_allowed(expression)) {
            let licence = licence.map_or("no licence".into(), |text| format!("{text:?}"));
            let found = format!("{licence} of {} {}", package.name, package.version);
            let line = line_in(lock, package);
            findings.push(Finding::new(RULE, "Cargo.lock", line, found, ALLOWED.join(", ")));
        }
    }
    findings
}

/// Whether a choice among the allowed licences satisfies `expression`. What cannot be read is not allowed.
fn is_allowed(expression: &str) -> bool {
    let allowed: Vec<Licensee> = ALLOWED
        .iter()
        .map(|text| Licensee::parse(text).expect("the table holds SPDX names"))
        .collect();
    let mode = ParseMode { allow_slash_as_or_operator: true, ..ParseMode::STRICT };
    Expression::parse_mode(expression, mode).is_ok_and(|expression| {
        expression.evaluate(|wanted| allowed.iter().any(|licensee| licensee.satisfies(wanted)))
    })
}

fn line_in(lock: &str, package: &Package) -> usize {
    let name = format!("name = \"{}\"", package.name);
    let version = format!("version = \"{}\"", package.version);
    let lines: Vec<&str> = lock.lines().collect();
    let place = lines.windows(2).position(|pair| pair[0] == name && pair[1] == version);
    place.map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::super::graph::{Graph, Package};
    use super::super::testing::places;
    use super::{House, check};
    use crate::repository::Tree;

    const LOCK: &str = "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n";

    fn house(license: Option<&str>) -> House {
        let license = license.map(str::to_string);
        let package = Package {
            id: "a".into(),
            name: "a".into(),
            version: "1.0.0".into(),
            license,
            dependencies: Vec::new(),
        };
        let graph = Graph { packages: vec![package], workspace_members: Vec::new() };
        House::new(Tree::of(&[("Cargo.lock", LOCK)]), graph)
    }

    #[test]
    fn expressions_with_an_allowed_choice_pass() {
        const CASES: &[&str] = &[
            "MIT",
            "MIT OR Apache-2.0",
            "MIT/Apache-2.0",
            "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT",
            "Apache-2.0 WITH LLVM-exception",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "GPL-3.0-only OR BSD-3-Clause",
            "Unlicense OR MIT",
        ];
        for expression in CASES {
            assert!(check(&house(Some(expression))).is_empty(), "{expression}");
        }
    }

    #[test]
    fn expressions_without_one_are_found() {
        const CASES: &[Option<&str>] = &[
            None,
            Some(""),
            Some("GPL-3.0-only"),
            Some("MIT AND GPL-3.0-only"),
            Some("(MIT OR Apache-2.0) AND NCSA"),
            Some("Our own"),
        ];
        for expression in CASES {
            assert_eq!(places(&check(&house(*expression))), ["Cargo.lock:2"], "{expression:?}");
        }
    }

    #[test]
    fn own_crates_are_not_dependencies() {
        let mut house = house(None);
        house.graph.workspace_members.push("a".into());
        assert!(check(&house).is_empty());
    }
}
