//! `cargo xtask quotes`: prices purchases under generated tariffs by two solvers that know nothing of each other.
//!
//! The long form of `crates/prepay-vend/tests/generated` does the work, and says which features the tariffs have.

use std::path::Path;

use clap::Args;

use crate::step::{Failure, Step};

/// How many quotes `cargo xtask quotes` compares.
#[derive(Args)]
pub(crate) struct Options {
    /// How many quotes, each of another tariff.
    #[arg(value_name = "COUNT", default_value_t = 1_000_000)]
    count: u64,
    /// The seed that determines the tariffs and purchases.
    #[arg(long, value_name = "N", default_value_t = 2026)]
    seed: u64,
}

/// Runs the test, in a release build.
///
/// # Errors
///
/// [`Failure`] if the solvers differ, or the test does not build.
pub(crate) fn run(root: &Path, options: &Options) -> Result<(), Failure> {
    let test = ["test", "--locked", "--release", "-p", "prepay-vend", "--test", "generated"];
    let arguments = ["million", "--", "--ignored", "--nocapture"];
    Step::cargo("quotes", &[&test[..], &arguments].concat())
        .with("PREPAY_QUOTES", &options.count.to_string())
        .with("PREPAY_QUOTES_SEED", &options.seed.to_string())
        .run(root)
}
