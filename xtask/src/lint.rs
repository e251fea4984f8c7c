//! `cargo xtask lint`: what a machine can judge without running our code.

use std::path::Path;

use crate::step::{Failure, Step};
use crate::{packages, tidy};

const CLIPPY: &[&str] =
    &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];

/// Formatting, clippy, documentation and the rules of the house, in this order.
///
/// # Errors
///
/// [`Failure`] of the first step that does not pass.
pub(crate) fn run(root: &Path) -> Result<(), Failure> {
    packages::install_components(root)?;
    Step::cargo("format", &["fmt", "--all", "--check"]).run(root)?;
    Step::cargo("clippy", CLIPPY).run(root)?;
    Step::cargo("documentation", &["doc", "--workspace", "--no-deps", "--locked"])
        .with("RUSTDOCFLAGS", "-D warnings")
        .run(root)?;
    tidy::run(root)
}
