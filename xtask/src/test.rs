//! `cargo xtask test`: everything that proves a fact by running it.
//!
//! A test that would take minutes has two forms. The short one is an ordinary test and always runs; the long one
//! carries `#[ignore = "long: ..."]` and runs with `--long`.

use std::path::Path;

use clap::Args;

use crate::step::{Failure, Step, announce, output};
use crate::{packages, vectors};

/// Crates that firmware uses, so they must build where there is no operating system.
const BARE_METAL_CRATES: &[&str] = &["prepay-cipher", "prepay-token", "prepay-meter"];

/// Targets without `std`. Every one that is installed is built.
const BARE_METAL_TARGETS: &[&str] = &[
    "thumbv6m-none-eabi",
    "thumbv7m-none-eabi",
    "thumbv7em-none-eabi",
    "thumbv7em-none-eabihf",
    "thumbv8m.main-none-eabi",
    "riscv32imac-unknown-none-elf",
    "riscv32imc-unknown-none-elf",
    "x86_64-unknown-none",
];

/// What `cargo xtask test` runs besides the ordinary tests.
#[derive(Args, Default)]
pub(crate) struct Options {
    /// Also run the long form of every proof: the tests that are ignored otherwise.
    #[arg(long)]
    long: bool,
}

/// Packages, vectors, unit, integration and documentation tests, long proofs on request, and bare metal.
///
/// # Errors
///
/// [`Failure`] of the first step that does not pass.
pub(crate) fn run(root: &Path, options: &Options) -> Result<(), Failure> {
    packages::install(root)?;
    vectors::run(root, &vectors::Options::default())?;
    Step::cargo("tests", &["test", "--workspace", "--locked"]).run(root)?;
    if options.long {
        let arguments = ["test", "--workspace", "--locked", "--release", "--", "--ignored"];
        Step::cargo("long proofs", &arguments).run(root)?;
    }
    bare_metal(root)
}

fn bare_metal(root: &Path) -> Result<(), Failure> {
    let listing = output(root, "rustup", &["target", "list", "--installed"]).unwrap_or_default();
    let installed = among_known(&String::from_utf8_lossy(&listing));
    if installed.is_empty() {
        announce("bare metal", &skipped());
        return Ok(());
    }
    for target in installed {
        let mut arguments = vec!["build", "--locked", "--target", target];
        arguments.extend(BARE_METAL_CRATES.iter().flat_map(|name| ["--package", name]));
        Step::cargo("bare metal", &arguments).run(root)?;
    }
    Ok(())
}

fn among_known(installed: &str) -> Vec<&'static str> {
    let is_installed = |target: &&str| installed.lines().any(|line| line.trim() == *target);
    BARE_METAL_TARGETS.iter().copied().filter(is_installed).collect()
}

fn skipped() -> String {
    let first = BARE_METAL_TARGETS[0];
    format!("skipped, no such target is installed; `rustup target add {first}` adds one\n")
}

#[cfg(test)]
mod tests {
    use super::{among_known, skipped};

    #[test]
    fn only_installed_bare_metal_targets_are_built() {
        // (what rustup lists, what we build): a hosted target alone proves nothing about `no_std`.
        const CASES: &[(&str, &[&str])] = &[
            ("", &[]),
            ("x86_64-unknown-linux-gnu\n", &[]),
            ("thumbv7em-none-eabihf\nx86_64-unknown-linux-gnu\n", &["thumbv7em-none-eabihf"]),
        ];
        for &(listing, expected) in CASES {
            assert_eq!(among_known(listing), expected, "listing = {listing:?}");
        }
    }

    #[test]
    fn skipping_says_why_and_how_not_to() {
        assert!(skipped().contains("rustup target add thumbv6m-none-eabi"));
    }
}
