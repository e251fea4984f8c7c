//! Rule: every Rust file opens with a `//!` that says its job, and `unsafe` appears only in `bindings/`.
//!
//! The compiler forbids `unsafe` too, once each crate has asked for it: so that is checked as well.

use toml::Table;

use super::source::Source;
use super::{Finding, House};

pub(super) const RULE: &str = "headers";

/// Where C or Python calls us, each block with its `SAFETY` note.
const UNSAFE_HOME: &str = "bindings/";

const FORBID: &[&str] = &["#", "!", "[", "forbid", "(", "unsafe_code", ")", "]"];

pub(super) fn check(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in &house.sources {
        let text = house.tree.text(&source.path).unwrap_or_default();
        if !text.starts_with("//! ") {
            let found = format!("{:?}", text.lines().next().unwrap_or_default());
            findings.push(Finding::new(RULE, &source.path, 1, found, "a `//!` that says its job"));
        }
        if !source.path.starts_with(UNSAFE_HOME) {
            check_unsafe(source, &mut findings);
        }
    }
    check_manifests(house, &mut findings);
    findings
}

fn check_unsafe(source: &Source, findings: &mut Vec<Finding>) {
    for token in source.tokens.iter().filter(|token| token.text == "unsafe") {
        let expected = format!("it in {UNSAFE_HOME} only");
        findings.push(Finding::new(RULE, &source.path, token.line, "`unsafe`", expected));
    }
}

/// Each crate takes the lints of the workspace, or forbids `unsafe` in its own root.
fn check_manifests(house: &House, findings: &mut Vec<Finding>) {
    let is_forbidden = lint_level(house.tree.text("Cargo.toml")) == Some("forbid".into());
    for (path, text) in house.tree.texts() {
        let is_crate = path.starts_with("crates/") || path.starts_with("xtask/");
        let Some(folder) = path.strip_suffix("/Cargo.toml").filter(|_| is_crate) else { continue };
        let is_root = |source: &&Source| {
            ["lib.rs", "main.rs"].map(|file| format!("{folder}/src/{file}")).contains(&source.path)
        };
        let forbids =
            |source: &Source| (0..source.tokens.len()).any(|index| source.reads(index, FORBID));
        let mut roots = house.sources.iter().filter(is_root);
        let is_safe = is_forbidden && takes_workspace_lints(text) || roots.all(forbids);
        if !is_safe {
            let expected =
                "`lints.workspace = true`, with `unsafe_code = \"forbid\"` in the workspace";
            findings.push(Finding::new(RULE, path, 1, "a crate that may be unsafe", expected));
        }
    }
}

fn takes_workspace_lints(manifest: &str) -> bool {
    let lints = |table: &Table| table.get("lints")?.get("workspace")?.as_bool();
    manifest.parse().ok().as_ref().and_then(lints).unwrap_or(false)
}

/// The level of `unsafe_code` in the manifest of the workspace.
fn lint_level(manifest: Option<&str>) -> Option<String> {
    let table: Table = manifest?.parse().ok()?;
    let level = table.get("workspace")?.get("lints")?.get("rust")?.get("unsafe_code")?;
    level.as_str().map(str::to_string)
}

#[cfg(test)]
mod tests {
    use super::super::testing::places;
    use super::{House, check};

    const WORKSPACE: (&str, &str) =
        ("Cargo.toml", "[workspace.lints.rust]\nunsafe_code = \"forbid\"");
    const MANIFEST: &str = "crates/prepay-token/Cargo.toml";
    const ROOT: &str = "crates/prepay-token/src/lib.rs";

    #[test]
    fn files_that_say_their_job_pass() {
        const CASES: &[(&str, &str)] = &[
            (ROOT, "//! The tokens.\n#![no_std]"),
            (
                ROOT,
                "//! Nothing `unsafe`.\n#![deny(unsafe_code)] // unsafe\nconst A: &str = \"unsafe\";",
            ),
            ("bindings/c/src/lib.rs", "//! For C.\n// SAFETY: none.\nunsafe fn a() {}"),
        ];
        for &file in CASES {
            let found = check(&House::of(&[file]));
            assert!(found.is_empty(), "{file:?}: {found:?}");
        }
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
            assert_eq!(
                places(&check(&House::of(&[(ROOT, text)]))),
                [format!("{ROOT}:1")],
                "{text:?}"
            );
        }
    }

    #[test]
    fn unsafe_outside_bindings_is_found() {
        for text in [
            "//! A.\nunsafe fn a() {}",
            "//! A.\n#[cfg(test)] mod tests { unsafe impl A for B {} }",
        ] {
            assert_eq!(
                places(&check(&House::of(&[(ROOT, text)]))),
                [format!("{ROOT}:2")],
                "{text}"
            );
        }
    }

    #[test]
    fn crates_forbid_unsafe_by_either_way() {
        let root = (ROOT, "//! A.\n#![forbid(unsafe_code)]");
        let bare = (ROOT, "//! A.");
        let lints = (MANIFEST, "[lints]\nworkspace = true");
        let none = (MANIFEST, "[package]\nname = \"a\"");
        for files in [vec![WORKSPACE, lints, bare], vec![none, root]] {
            assert!(check(&House::of(&files)).is_empty(), "{files:?}");
        }
        for files in [vec![WORKSPACE, none, bare], vec![lints, bare]] {
            assert_eq!(places(&check(&House::of(&files))), [format!("{MANIFEST}:1")], "{files:?}");
        }
    }
}
