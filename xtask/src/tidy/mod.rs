//! `cargo xtask tidy`: checks the rules of this project.
//!
//! Each rule is a module, with its data in a table at the top and a function that returns findings. Rules read sources
//! as text and dependencies from `cargo metadata`; they compile nothing. So a macro that assembles names can get
//! past a rule; reviewers must watch for that.
//!
//! The tests of each rule show it failing on an example.

mod edges;
mod floors;
mod graph;
mod headers;
mod keys;
mod mutants;
mod sql;
mod words;

use std::path::Path;
use std::time::Instant;

use crate::finding::{Finding, report};
use crate::repository::Tree;
use crate::step::{Failure, announce, passed};
use crate::vectors;
use graph::Graph;

/// Everything that rules check.
struct Workspace {
    tree: Tree,
    graph: Graph,
}

/// A Rust file of a crate in `crates/`.
struct Source<'a> {
    path: &'a str,
    crate_name: &'a str,
    /// The file, with whole-line comments removed.
    code: String,
}

impl Workspace {
    /// A workspace for tests, without dependencies.
    #[cfg(test)]
    fn of(files: &[(&str, &str)]) -> Self {
        Self { tree: Tree::of(files), graph: Graph::default() }
    }

    fn sources(&self) -> impl Iterator<Item = Source<'_>> {
        self.tree.texts().filter(|(path, _)| path.ends_with(".rs")).filter_map(|(path, text)| {
            let (crate_name, _) = path.strip_prefix("crates/")?.split_once('/')?;
            let is_comment = |line: &&str| line.trim_start().starts_with("//");
            let lines = text.lines().map(|line| if is_comment(&line) { "" } else { line });
            Some(Source { path, crate_name, code: lines.collect::<Vec<_>>().join("\n") })
        })
    }
}

/// A rule: its name in findings, what it demands, and its check.
struct Rule {
    name: &'static str,
    demand: &'static str,
    check: fn(&Workspace) -> Vec<Finding>,
}

const RULES: &[Rule] = &[
    Rule { name: edges::RULE, demand: "crates use what their floor may", check: edges::check },
    Rule { name: sql::RULE, demand: "only prepay-store contains SQL", check: sql::check },
    Rule {
        name: keys::RULE,
        demand: "no crate above the modules sees key bytes",
        check: keys::check,
    },
    Rule {
        name: headers::RULE,
        demand: "files say their job, crates forbid `unsafe`",
        check: headers::check,
    },
    Rule {
        name: mutants::RULE,
        demand: "a mutant that is missed has its reason",
        check: mutants::check,
    },
    Rule {
        name: words::RULE,
        demand: "no text names a place on someone's machine",
        check: words::check,
    },
    Rule { name: "vectors", demand: "vectors are complete and unaltered", check: check_vectors },
];

/// Checks every rule in the workspace at `root`.
///
/// # Errors
///
/// [`Failure`] after all findings have been printed.
pub(crate) fn run(root: &Path) -> Result<(), Failure> {
    announce("tidy", "the rules of this project");
    let started = Instant::now();
    let workspace = Workspace { tree: Tree::read(root)?, graph: Graph::read(root)? };
    println!("{} files, {} crates", workspace.tree.files().count(), workspace.graph.packages.len());
    let mut all = Vec::new();
    for rule in RULES {
        let findings = (rule.check)(&workspace);
        let result =
            if findings.is_empty() { "ok".into() } else { format!("findings: {}", findings.len()) };
        println!("    {:<10} {:<46} {result}", rule.name, rule.demand);
        all.extend(findings);
    }
    report("tidy", &all)?;
    passed("tidy", started);
    Ok(())
}

fn check_vectors(workspace: &Workspace) -> Vec<Finding> {
    vectors::check(&workspace.tree)
}

#[cfg(test)]
mod tests {
    use super::RULES;

    #[test]
    fn rules_have_different_names() {
        let mut names: Vec<_> = RULES.iter().map(|rule| rule.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), RULES.len());
    }
}
