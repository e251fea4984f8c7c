//! Rule: every Rust file starts with a `//!` that says its job, and every crate uses the lints of the workspace.
//!
//! Those lints forbid `unsafe`, which the compiler then enforces. The crates in `bindings/` are the exception, because
//! C and other languages call them.

use super::Workspace;
use crate::finding::Finding;

pub(super) const RULE: &str = "headers";

const FORBIDDEN: &str = "\nunsafe_code = \"forbid\"\n";
const TAKEN: &str = "\n[lints]\nworkspace = true\n";

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in workspace.tree.texts().filter(|(path, _)| path.ends_with(".rs")) {
        if !text.starts_with("//! ") {
            let found = format!("{:?}", text.lines().next().unwrap_or_default());
            findings.push(Finding::new(RULE, path, 1, found, "a `//!` that says its job"));
        }
    }
    for (path, text) in workspace.tree.texts().filter(|(path, _)| path.ends_with("Cargo.toml")) {
        let wanted = match path {
            "Cargo.toml" => FORBIDDEN,
            _ if path.starts_with("crates/") || path.starts_with("xtask/") => TAKEN,
            _ => continue,
        };
        if !text.contains(wanted) {
            let expected = format!("lines {:?}", wanted.trim());
            findings.push(Finding::new(RULE, path, 1, "a crate that may use `unsafe`", expected));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{Workspace, check};
    use crate::finding::testing::places;

    const ROOT: &str = "crates/prepay-token/src/lib.rs";

    #[test]
    fn files_that_say_their_job_pass() {
        assert!(check(&Workspace::of(&[(ROOT, "//! The tokens.\n#![no_std]")])).is_empty());
    }

    #[test]
    fn files_without_a_job_are_found() {
        for text in [
            "",
            "fn a() {}",
            "// The tokens.",
            "\n//! The tokens.",
            "//!\n",
            "/// The tokens.\nfn a() {}",
        ] {
            let found = places(&check(&Workspace::of(&[(ROOT, text)])));
            assert_eq!(found, [format!("{ROOT}:1")], "{text:?}");
        }
    }

    #[test]
    fn crates_that_may_be_unsafe_are_found() {
        const LINTS: &str = "[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n";
        const FORBID: &str = "[workspace.lints.rust]\nunsafe_code = \"forbid\"\n";
        const CASES: &[(&str, &str, bool)] = &[
            ("Cargo.toml", FORBID, true),
            ("Cargo.toml", "[workspace.lints.rust]\nunsafe_code = \"deny\"\n", false),
            ("crates/prepay-token/Cargo.toml", LINTS, true),
            ("crates/prepay-token/Cargo.toml", "[package]\nname = \"a\"\n", false),
            ("xtask/Cargo.toml", "[lints.rust]\nworkspace = true\n", false),
            ("bindings/c/Cargo.toml", "[package]\nname = \"a\"\n", true),
        ];
        for &(path, text, passes) in CASES {
            assert_eq!(check(&Workspace::of(&[(path, text)])).is_empty(), passes, "{path}: {text}");
        }
    }
}
