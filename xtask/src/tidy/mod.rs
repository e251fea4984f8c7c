//! `cargo xtask tidy`: the rules of the house that a machine can check.
//!
//! Each rule is a module with its data as a table at the top and a function from the house to findings. Rules only
//! read: sources are lexed, never compiled, and the dependency graph is what `cargo metadata` says. So a rule may be
//! deceived by a macro that assembles names; reviewers are there for the rest.
//!
//! Every module of a rule shows it failing on a made-up tree.

mod attributes;
mod edges;
mod floats;
mod floors;
mod graph;
mod headers;
mod keys;
mod licences;
mod links;
mod no_std;
mod records;
mod source;
mod sql;
mod words;

use std::fmt;
use std::path::Path;
use std::time::Instant;

use crate::repository::Tree;
use crate::step::{Failure, announce, passed};
use crate::vectors;
use graph::Graph;
use source::Source;

/// Everything that rules look at.
struct House {
    tree: Tree,
    sources: Vec<Source>,
    graph: Graph,
}

impl House {
    fn new(tree: Tree, graph: Graph) -> Self {
        let sources = source::read(&tree);
        Self { tree, sources, graph }
    }

    /// A made-up house without dependencies.
    #[cfg(test)]
    fn of(files: &[(&str, &str)]) -> Self {
        Self::new(Tree::of(files), Graph::default())
    }
}

/// A rule: its name in findings, what it demands, and how it looks for the contrary.
struct Rule {
    name: &'static str,
    demand: &'static str,
    check: fn(&House) -> Vec<Finding>,
}

const RULES: &[Rule] = &[
    Rule { name: "source", demand: "every Rust file can be read", check: source::check },
    Rule { name: edges::RULE, demand: "crates use lower floors only", check: edges::check },
    Rule { name: no_std::RULE, demand: "floors 0 and 1 are bare metal", check: no_std::check },
    Rule { name: records::RULE, demand: "domain types are not `Serialize`", check: records::check },
    Rule { name: sql::RULE, demand: "only prepay-store contains SQL", check: sql::check },
    Rule {
        name: floats::RULE,
        demand: "no floating point below the web pages",
        check: floats::check,
    },
    Rule {
        name: keys::RULE,
        demand: "no crate above the modules sees key bytes",
        check: keys::check,
    },
    Rule {
        name: headers::RULE,
        demand: "every file says its job, none is unsafe",
        check: headers::check,
    },
    Rule { name: words::RULE, demand: "the project speaks of itself alone", check: words::check },
    Rule {
        name: links::RULE,
        demand: "links in the documents lead somewhere",
        check: links::check,
    },
    Rule { name: "vectors", demand: "vectors are complete and unaltered", check: check_vectors },
    Rule {
        name: licences::RULE,
        demand: "licences of dependencies are known",
        check: licences::check,
    },
];

/// Checks every rule on the workspace at `root`.
///
/// # Errors
///
/// [`Failure`] after all findings have been printed.
pub(crate) fn run(root: &Path) -> Result<(), Failure> {
    announce("tidy", "the rules of the house");
    let started = Instant::now();
    let house = House::new(Tree::read(root)?, Graph::read(root)?);
    let (files, packages) = (house.tree.len(), house.graph.packages.len());
    println!("{files} files, {} of them Rust; {packages} packages", house.sources.len());
    let mut all = Vec::new();
    for rule in RULES {
        let findings = (rule.check)(&house);
        let result =
            if findings.is_empty() { "ok".into() } else { format!("findings: {}", findings.len()) };
        println!("    {:<10} {:<46} {result}", rule.name, rule.demand);
        all.extend(findings);
    }
    report("tidy", &all)?;
    passed("tidy", started);
    Ok(())
}

fn check_vectors(house: &House) -> Vec<Finding> {
    vectors::check(&house.tree)
}

/// Prints all `findings` of a chore.
///
/// # Errors
///
/// [`Failure`] when there is any.
pub(crate) fn report(chore: &str, findings: &[Finding]) -> Result<(), Failure> {
    for finding in findings {
        println!("{finding}");
    }
    if findings.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{chore} failed (findings: {}); to repeat it: cargo xtask {chore}",
        findings.len()
    )))
}

/// One place where a rule does not hold.
#[derive(Debug)]
pub(crate) struct Finding {
    rule: &'static str,
    path: String,
    line: usize,
    found: String,
    expected: String,
}

impl Finding {
    /// A finding at a line, counted from 1.
    pub(crate) fn new(
        rule: &'static str,
        path: &str,
        line: usize,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        Self { rule, path: path.into(), line, found: found.into(), expected: expected.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, path, line, found, expected } = self;
        write!(out, "{path}:{line}: {rule}: found {found}, expected {expected}")
    }
}

/// Help for the tests of the rules.
#[cfg(test)]
mod testing {
    use super::Finding;

    /// Where the findings are, as `path:line`.
    pub(super) fn places(findings: &[Finding]) -> Vec<String> {
        findings.iter().map(|finding| format!("{}:{}", finding.path, finding.line)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Finding, RULES, report};

    #[test]
    fn finding_reads_as_place_rule_found_and_expected() {
        let finding = Finding::new("floats", "crates/a/src/lib.rs", 7, "`f64`", "integers");
        let expected = "crates/a/src/lib.rs:7: floats: found `f64`, expected integers";
        assert_eq!(finding.to_string(), expected);
    }

    #[test]
    fn any_finding_fails_the_chore() {
        assert!(report("tidy", &[]).is_ok());
        let failure = report("tidy", &[Finding::new("a", "b", 1, "c", "d")]).unwrap_err();
        assert!(failure.to_string().contains("cargo xtask tidy"));
    }

    #[test]
    fn rules_have_different_names() {
        let mut names: Vec<_> = RULES.iter().map(|rule| rule.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), RULES.len());
    }
}
