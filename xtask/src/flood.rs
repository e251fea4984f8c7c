//! `cargo xtask flood`: numbers that nobody issued against one meter, counted beside what probability predicts.
//!
//! The example `flood` of `prepay-meter` does the work; `docs/reference/guessing.md` tells what follows.

use std::path::Path;

use clap::Args;

use crate::step::{Failure, Step};

/// How long `cargo xtask flood` goes on.
#[derive(Args)]
pub(crate) struct Options {
    /// How many random numbers each flood tries.
    #[arg(long, value_name = "N", default_value_t = 10_000_000)]
    numbers: u64,
}

/// Runs the example, optimised.
///
/// # Errors
///
/// [`Failure`] when a count is far from its prediction, or the example does not build.
pub(crate) fn run(root: &Path, options: &Options) -> Result<(), Failure> {
    let numbers = options.numbers.to_string();
    let example = ["run", "--locked", "--release", "-p", "prepay-meter", "--example", "flood"];
    Step::cargo("flood", &[&example[..], &["--", &numbers]].concat()).run(root)
}
