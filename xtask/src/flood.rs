//! `cargo xtask flood`: enters numbers that nobody issued into a meter, and compares the counts with probability.
//!
//! The example `flood` of `prepay-meter` does the work; `docs/reference/guessing.md` explains the results.

use std::path::Path;

use clap::Args;

use crate::step::{Failure, Step};

/// How many numbers `cargo xtask flood` tries.
#[derive(Args)]
pub(crate) struct Options {
    /// How many random numbers to try.
    #[arg(long, value_name = "N", default_value_t = 10_000_000)]
    numbers: u64,
}

/// Runs the example, in a release build.
///
/// # Errors
///
/// [`Failure`] if a count is far from its prediction, or the example does not build.
pub(crate) fn run(root: &Path, options: &Options) -> Result<(), Failure> {
    let numbers = options.numbers.to_string();
    let example = ["run", "--locked", "--release", "-p", "prepay-meter", "--example", "flood"];
    Step::cargo("flood", &[&example[..], &["--", &numbers]].concat()).run(root)
}
