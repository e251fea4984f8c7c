//! `cargo xtask load`: eight operators at the service of a module, with an auditor and back-ups beside them.
//!
//! The long form of `crates/prepay/tests/module_service_load.rs` does the work. It prints how fast tokens came, the longest
//! wait and the memory, and fails if anything was refused or memory grew.

use std::path::Path;

use clap::Args;

use crate::step::{Failure, Step};

/// How much `cargo xtask load` issues.
#[derive(Args)]
pub(crate) struct Options {
    /// How many tokens to issue.
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    tokens: u64,
    /// How many tokens per second [default: as many as the operators can].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    rate: Option<u64>,
}

/// Runs the test, in a release build.
///
/// # Errors
///
/// [`Failure`] if anything was refused, memory grew, or the test does not build.
pub(crate) fn run(root: &Path, options: &Options) -> Result<(), Failure> {
    let test = ["test", "--locked", "--release", "-p", "prepay", "--test", "module_service_load"];
    let step = Step::cargo("load", &[&test[..], &["--", "--ignored", "--nocapture"]].concat())
        .with("PREPAY_LOAD_TOKENS", &options.tokens.to_string());
    match options.rate {
        Some(rate) => step.with("PREPAY_LOAD_RATE", &rate.to_string()).run(root),
        None => step.run(root),
    }
}
